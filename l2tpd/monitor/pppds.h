/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pppds.h: the pppds of the kernel plane, one a session: starts them with what
 * they need and no more (root, CAP_NET_ADMIN, an empty /etc/ppp, two
 * descriptors, no secret), ends them, collects them. Runs in the monitor.
 *
 * Which program and which arguments is the configuration's affair; a request
 * names a session and brings the session's socket.
 */
#ifndef ADIT_MONITOR_PPPDS_H
#define ADIT_MONITOR_PPPDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "l2tpd/conf/conf.h"

struct pppds;

/* Before rights are dropped: checks that pppd, its plugin and /dev/ppp are
 * there and takes /etc/ppp out of sight (a mount namespace of our own). NULL:
 * logged. conf: borrowed. */
struct pppds *pppds_new(struct loop *loop, const struct adit_conf *conf);
/* Kills those that are left. NULL is fine. */
void pppds_free(struct pppds *p);

/* channel_fd: a PPPoL2TP socket, borrowed. The engine's end of the line
 * (base/link_msg.h), which the caller hands over and closes; or -errno
 * (logged). */
int pppds_start(struct pppds *p, uint32_t session, int channel_fd);
/* SIGTERM: says goodbye to the peer and ends; now: SIGKILL. A session that has
 * none is ignored. */
void pppds_end(struct pppds *p, uint32_t session, bool now);

#endif
