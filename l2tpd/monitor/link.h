/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link.h: the machine's side of a client's tunnel: the address of the TUN
 * device, the routes into it, the host route to the server around it, and the
 * system's name servers. Runs in the monitor; values come from the engine, who
 * has them from the server: they were checked by priv_msg_get_link(), and
 * nothing else of the peer's reaches the kernel.
 *
 * What does not vanish with the TUN device is written down in run_dir first, so
 * that the next start takes it back when this process was killed.
 */
#ifndef ADIT_MONITOR_LINK_H
#define ADIT_MONITOR_LINK_H

#include "base/priv_msg.h"
#include "l2tpd/conf/conf.h"

struct link;

/* conf: borrowed. Takes back what a killed predecessor left. NULL: no memory.
 */
struct link *link_new(const struct adit_conf *conf);
void link_free(struct link *l); /* takes everything back; NULL is fine */

/* 0, or -errno (logged) with nothing set. A second one replaces the first. */
int link_up(struct link *l, const struct priv_link *p);
void link_down(struct link *l);

#endif
