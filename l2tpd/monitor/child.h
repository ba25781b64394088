/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child.h: what a re-executed child does before it becomes itself: drops every
 * right, then receives its configuration and descriptors from the monitor.
 */
#ifndef ADIT_MONITOR_CHILD_H
#define ADIT_MONITOR_CHILD_H

#include <stdbool.h>

#include "base/imsg.h"
#include "base/loop.h"
#include "base/priv_msg.h"
#include "l2tpd/conf/conf.h"

/* The child's end of the line to the monitor is always this descriptor. */
#define CHILD_MONITOR_FD 3

struct child_start {
	struct adit_conf conf;
	/* by worker (0 of those that are not a worker's) and enum priv_fd; -1:
	 * not given. Adopted by whoever takes one (sets it to -1) */
	int fd[CONF_WORKERS_MAX][PRIV_FD_COUNT_];
};

struct child_ops {
	/* CONF, FDs and GO have arrived. 0, or -errno: the process ends. */
	int (*go)(void *ctx, struct child_start *start);
	void (*vici)(void *ctx, int fd /* adopted */);
	/* The kernel plane's; may be NULL. fd adopted. */
	void (*marked)(void *ctx, uint32_t mark, int fd);
	void (*pppd_line)(void *ctx, uint32_t session, int fd);
	/* PRIV_MSG_STOP, or the monitor is gone (then at once). */
	void (*stop)(void *ctx, bool monitor_gone);
};

struct child;

/* user: system user to become. Drops groups, ids and all capabilities, sets
 * no_new_privs, dies with the monitor. -errno: the caller must exit. */
int child_drop_rights(const char *user);

/* Talks to the monitor over CHILD_MONITOR_FD. ops, ctx borrowed. */
struct child *child_new(
    struct loop *loop, const struct child_ops *ops, void *ctx);
void child_free(struct child *c);
void child_want_vici(struct child *c);
void child_say_ready(struct child *c);
/* The engine of a server. nets: borrowed, sane; none: take them away. */
void child_set_routes(
    struct child *c, uint32_t session, const struct ipv4_networks *nets);
/* The engine of the kernel plane. channel_fd: borrowed. */
void child_want_marked(struct child *c, uint32_t mark);
void child_start_pppd(struct child *c, uint32_t session, int channel_fd);
void child_end_pppd(struct child *c, uint32_t session, bool now);
void child_forget(struct child *c, const struct priv_forget *f);
/* The engine of a client. link: borrowed; NULL: it is down. */
void child_set_link(struct child *c, const struct priv_link *link);
void child_end_client(struct child *c, enum priv_end why);

#endif
