/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h: where protocol meets policy. The engine owns associations, tunnels
 * and sessions, and connects the plane (packets), charon (through the relay
 * and vici), the authority (who may in) and the control socket.
 *
 * conf.client.on makes it the engine of a client: it dials one server.
 *
 * Runs without any right. Trusts the monitor and the authority; charon's
 * records are checked; everything else is hostile.
 */
#ifndef ADIT_ENGINE_ENGINE_H
#define ADIT_ENGINE_ENGINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/loop.h"
#include "base/priv_msg.h"
#include "base/secret.h"
#include "l2tpd/conf/conf.h"
#include "l2tpd/plane/plane.h"

struct engine;

struct engine_start {
	const struct adit_conf *conf; /* borrowed, copied */
	int plane_listen_fd;          /* adopted; charon's plugin */
	int control_listen_fd;        /* adopted */
	int auth_fd; /* adopted; imsg to the authority; -1: a client */
	/* Makes the plane: plane_user_new, or a test's. */
	struct plane *(*plane_new)(struct loop *loop,
	    const struct plane_events *events, void *events_ctx, void *ctx);
	void *plane_new_ctx;
	void (*want_vici)(void *ctx); /* ask the monitor for a connection */
	void (*stopped)(void *ctx);   /* after engine_stop() has finished */
	uid_t plugin_uid;             /* who may be charon's plugin: 0, root */
	/* Of a server only: the networks behind the device of a session are
	 * to be routed to the TUN device; none: no longer. nets: borrowed. */
	void (*routes)(
	    void *ctx, uint32_t session, const struct ipv4_networks *nets);
	/* Of the kernel plane only: adopted; questions of clients to the
	 * link, -1: there are none. */
	int services_fd;
	/* Of the kernel plane only: ask the monitor for a pppd on a channel
	 * (borrowed), and for its end; engine_pppd_line() brings the line. */
	void (*pppd_start)(void *ctx, uint32_t session, int channel_fd);
	void (*pppd_end)(void *ctx, uint32_t session, bool now);
	/* ... what a killed charon left in the kernel. */
	void (*forget)(void *ctx, const struct priv_forget *f);
	/* Of a client only. */
	const struct secret *password; /* borrowed, copied */
	/* Addresses for the TUN device, or NULL: take them away. */
	void (*link)(void *ctx, const struct priv_link *link);
	/* It is over and is not to be tried again; stop follows. */
	void (*client_end)(void *ctx, enum priv_end why);
	void *ctx;
};

/* NULL: no memory, or the plane could not be made (logged). */
struct engine *engine_new(struct loop *loop, const struct engine_start *start);
void engine_free(struct engine *e);

/* A connection to charon's vici; fd adopted. */
void engine_vici_connected(struct engine *e, int fd);

/* What the monitor made for the kernel plane. fd adopted. */
void engine_marked(struct engine *e, uint32_t mark, int fd);
void engine_pppd_line(struct engine *e, uint32_t session, int fd);

/* Close all tunnels in an orderly way, then stopped() is called, within 2 s. */
void engine_stop(struct engine *e);

#endif
