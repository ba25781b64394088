/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * site_routes.h: routes of a server's kernel to the TUN device, for the
 * networks behind its clients' devices. Runs in the monitor. Which they are
 * comes from the engine, who has it from the authority: they are judged here
 * again (l2tpd/conf/sites.h), and against the addresses that the machine has.
 *
 * The routes vanish with the TUN device, and that with the engine: after a kill
 * nothing is left behind.
 */
#ifndef ADIT_MONITOR_SITE_ROUTES_H
#define ADIT_MONITOR_SITE_ROUTES_H

#include "base/priv_msg.h"
#include "l2tpd/conf/conf.h"

#define SITE_ROUTES_MAX 65536 /* of all sessions */

struct site_routes;

/* conf: borrowed. NULL: no memory. */
struct site_routes *site_routes_new(const struct adit_conf *conf);
void site_routes_free(struct site_routes *t); /* with all; NULL is fine */

/* In place of those of this session; what cannot be is logged and left out. */
void site_routes_set(struct site_routes *t, const struct priv_routes *p);

#endif
