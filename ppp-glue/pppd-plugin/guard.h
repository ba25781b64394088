/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h: stands in front of pppd's packet parsers. It keeps away from them
 * what they are known to handle wrongly and what a server has no use for, and
 * keeps the peer's name and password as they came: pppd rewrites them before
 * its hooks see them.
 */
#ifndef ADIT_PPPD_GUARD_H
#define ADIT_PPPD_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rd.h"

/* Once, from plugin_init(): pppd's tables are there, no packet came yet. */
void guard_init(void);

/* The request of the peer that pppd is working on: a CHAP Response (value,
 * name) or a PAP Authenticate-Request (value: the password). Borrowed, valid
 * inside of pppd's authentication hooks. False: there is none of that kind. */
struct guard_request {
	uint8_t id;
	struct rd name, value;
};

bool guard_chap_response(struct guard_request *ret);
bool guard_pap_request(struct guard_request *ret);

/* The peer asked for the link's end (LCP Terminate-Request). */
bool guard_peer_terminated(void);

#endif
