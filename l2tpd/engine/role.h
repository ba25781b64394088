/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * role.h: what the engine of a server (server.c) and that of a client
 * (client.c) do differently, as one table of functions each; all other files
 * of the engine serve both and ask for nothing but this table.
 *
 * Every function runs in the middle of the caller's work: it may close tunnels
 * and sessions (they are freed later), and must not free.
 */
#ifndef ADIT_ENGINE_ROLE_H
#define ADIT_ENGINE_ROLE_H

#include "l2tpd/engine/objects.h"

struct engine_role {
	/* We open tunnels and calls and our end of a link has the inner
	 * address; a peer that opens one is refused. False: the reverse. */
	bool dials;
	/* tunnel_config and ppp_config; what the role needs for itself. 0 or
	 * -errno. */
	int (*begin)(struct engine *e);
	void (*free)(struct engine *e);
	/* charon can be asked: its plugin and vici are there; or cannot. */
	void (*charon)(struct engine *e, bool is_there);
	/* charon refused a peer, or a peer's proof. */
	void (*alert)(struct engine *e, const struct charon_alert *a);
	/* An association has SAs in both directions; has none to receive. */
	void (*secured)(struct engine *e, struct association *a);
	void (*bare)(struct engine *e, struct association *a);
	void (*tunnel_up)(struct tunnel_box *b);
	void (*tunnel_down)(struct tunnel_box *b); /* it is dead already */
	/* The call is up, PPP begins. */
	void (*call_up)(struct session *s);
	/* IP flows: tell whom it concerns. */
	void (*ipv4_up)(struct session *s, const struct ppp_effect *fx);
	void (*session_down)(struct session *s); /* it is buried already */
	/* Say goodbye; how long to wait for it, ms. */
	uint64_t (*stop)(struct engine *e);
};

extern const struct engine_role engine_server, engine_client;

#endif
