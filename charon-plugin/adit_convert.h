/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_convert.h: between strongSwan's host_t and our struct endpoint.
 */
#ifndef ADIT_CONVERT_H_
#define ADIT_CONVERT_H_

#include <networking/host.h>

#include "base/endpoint.h"

/**
 * Address and port of a host as a value.
 *
 * @param host		host to read
 * @param with_port	FALSE: leave the port 0 (raw ESP)
 */
struct endpoint adit_endpoint(host_t *host, bool with_port);

/**
 * A host of an endpoint.
 *
 * @return			host, to be destroyed, NULL if it has no address
 */
host_t *adit_host(const struct endpoint *endpoint);

#endif /** ADIT_CONVERT_H_ */
