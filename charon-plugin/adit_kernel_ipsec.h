/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_kernel_ipsec.h: kernel_ipsec_t that installs SAs in l2tpd's user plane.
 *
 * It is the IPsec backend of every connection of its charon, therefore that
 * charon is a private one. Policies are not needed: the plane takes what comes
 * out of an SA, for UDP 1701, and nothing else.
 */
#ifndef ADIT_KERNEL_IPSEC_H_
#define ADIT_KERNEL_IPSEC_H_

#include <kernel/kernel_ipsec.h>

#include "charon-plugin/adit_channel.h"

/**
 * Create the backend.
 *
 * @param channel	channel to the engine, must outlive the backend
 */
kernel_ipsec_t *adit_kernel_ipsec_create(adit_channel_t *channel);

#endif /** ADIT_KERNEL_IPSEC_H_ */
