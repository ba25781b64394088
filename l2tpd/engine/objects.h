/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * objects.h: the engine's objects. The seams between its files (internal.h):
 *   assoc.c    associations and the SAs that charon told us of
 *   charon.c   relay and vici: what charon says, what we ask of it
 *   tunnels.c  L2TP tunnels on associations
 *   charon_kernel.c, refusals.c  the same, of a charon without our plugin
 *   session.c  PPP sessions in tunnels, leases from the authority
 *   runner_own.c, runner_pppd.c  who runs PPP for a session
 *   routes.c   networks behind sessions' devices
 *   services.c  what clients ask on the link: DHCP, IPv6;
 *   services_kernel.c  how it comes there in the kernel plane
 *   auth.c     the line to the authority
 *   control.c  the control socket of adit(8)
 *   server.c   what only a server does; client.c: what only a client does
 *   engine.c   wiring, housekeeping, start and stop
 *
 * Ownership: engine > association > tunnel > session. Objects that end inside
 * a call of their own code are put on a list and freed by engine_reap() in the
 * next turn of the loop.
 */
#ifndef ADIT_ENGINE_OBJECTS_H
#define ADIT_ENGINE_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>
#include <uthash.h>

#include "base/auth_msg.h"
#include "base/charon_msg.h"
#include "base/imsg.h"
#include "base/loop.h"
#include "base/ratelimit.h"
#include "l2tpd/conf/conf.h"
#include "l2tpd/engine/engine.h"
#include "l2tpd/engine/runner.h"
#include "l2tpd/ike/relay.h"
#include "l2tpd/ike/vici.h"
#include "l2tpd/plane/plane.h"
#include "l2tpd/proto/tunnel.h"
#include "ppp-glue/engine/ppp.h"
#include "ppp-glue/services/ra.h"

/* Timers, milliseconds. */
#define T_HOUSEKEEPING_MS 5000  /* counters to charon and the authority */
#define HOUSE_SLOTS       20    /* each association's turn comes once in it */
#define T_USE_MS          60000 /* accounting: interim counters */
#define T_SETUP_MS        30000 /* half-open tunnels and sessions go away */
#define T_CLIENT_SETUP_MS 10000 /* as a client: the server was restarted */
#define T_TUNNEL_IDLE_MS  10000 /* a tunnel without a session is closed */
#define T_ASSOC_IDLE_MS   20000 /* IKE SA without a tunnel is terminated */
#define T_ASSOC_FIRST_MS  60000 /* ... when it never had one */
#define T_REBIND_MS       60000 /* a tunnel outlives its SAs (clients.md 9.4) */
#define T_STOP_GRACE_MS   1500  /* for StopCCN and its acknowledgement */

#define IDENTITY_MAX   128
#define SA_OUT_BUCKETS 4096 /* power of two */

/* One SA that charon installed. */
struct sa {
	LIST_ENTRY(sa) next; /* of its association */
	struct association *assoc;
	uint32_t spi;
	bool inbound;
	bool stale; /* not named since the last HELLO */
	struct endpoint local, peer;
	uint64_t told_bytes;      /* last reported to charon */
	LIST_ENTRY(sa) in_bucket; /* engine.sas_out (outbound only) */
	UT_hash_handle hh;        /* engine.sas_in by spi (inbound only) */
};

struct association {
	uint32_t id; /* ours, never reused while we run */
	struct assoc_key {
		uint64_t epoch; /* charon's life that made it */
		uint64_t mark;  /* charon's number, unique in an epoch */
	} key;
	uint32_t ike_id; /* charon's unique id of the IKE_SA; 0 not known */
	char identity[IDENTITY_MAX]; /* IKE id, cleaned; "-" not known */
	struct endpoint peer;
	LIST_HEAD(, sa) sas;
	struct charon_sa *early; /* inbound, before the first outbound */
	LIST_HEAD(, tunnel_box) tunnels;
	bool had_tunnel;
	bool condemned; /* SAs of a former engine: end it, never use it */
	uint64_t idle_since_ms;          /* no tunnel since */
	uint64_t bare_since_ms;          /* no inbound SA since; 0: has one */
	LIST_ENTRY(association) in_slot; /* engine.house */
	UT_hash_handle hh;               /* engine.assocs by id */
	UT_hash_handle hh_key;           /* engine.assocs_by_key by key */
};

/* A tunnel and what the engine knows about it. */
struct tunnel_box {
	LIST_ENTRY(tunnel_box) next; /* of its association, or the graveyard */
	struct engine *engine;
	struct association *assoc; /* NULL: its association is gone */
	struct tunnel *tunnel;
	uint16_t local_id;
	uint16_t peer_port; /* UDP, inside ESP */
	bool up, draining, dead;
	uint64_t empty_since_ms; /* no session since; 0: has one */
	unsigned int session_count;
	LIST_HEAD(, session) sessions;
	struct loop_timer *timer;
	UT_hash_handle hh; /* engine.tunnels by local_id */
};

enum session_auth {
	SESSION_AUTH_NONE,
	SESSION_AUTH_ASKED,    /* an ask is with the authority */
	SESSION_AUTH_ACCEPTED, /* a lease is held: STOP must follow */
	SESSION_AUTH_REFUSED,
};

struct session {
	LIST_ENTRY(session) next; /* of its tunnel, or the graveyard */
	struct engine *engine;
	struct tunnel_box *box; /* NULL once it is in the graveyard */
	uint32_t id;            /* ours; in logs, control socket and plane */
	uint64_t ref; /* of the open ask or lease at the authority: the serial
		       * of the link's ask above id; the first one is id */
	uint16_t local_session_id;
	struct runner *ppp;
	enum session_auth auth;
	bool up, in_kernel; /* the call; its packets, and PPP is a pppd's */
	bool in_plane, ipv4_up, draining, ending;
	const char *end_why; /* string literal, for log and history */
	bool end_by_peer;
	char *user;                 /* cleaned for logs; NULL: none yet */
	uint8_t ipv4_inner[4];      /* of the client, whichever side we are */
	uint8_t group;              /* of its user, in conf.groups */
	bool dhcp_told;             /* DHCP was answered and logged */
	struct ratelimit questions; /* to the link; kernel plane */
	bool ipv6_up;
	uint8_t ipv6_prefix[8];              /* of the client; 0: none */
	uint8_t ifid_local[8], ifid_peer[8]; /* of IPV6CP */
	struct ra_timer ra;
	struct ipv4_networks *routes; /* behind its device; NULL: none */
	bool routes_up;               /* plane and kernel have them */
	bool routes_wait;             /* another session has them */
	LIST_ENTRY(session) waiting;  /* engine.routes_waiting */
	time_t since; /* wall clock, when IPv4 came up; else when made */
	uint64_t up_ms;
	uint32_t session_limit_s, idle_limit_s;
	uint64_t seen_in_ms; /* last data that keepalives were told of */
	uint64_t used_ms;    /* last accounting update */
	struct loop_timer *timer;
	UT_hash_handle hh; /* engine.sessions by id */
};

struct control;
struct refusals;
struct auth_line;
struct client;
struct engine_role;

struct engine {
	struct loop *loop;
	struct adit_conf conf;
	struct engine_start start;
	struct plane *plane;
	bool kernel; /* the kernel plane: charon has its own IPsec */
	struct ike_relay *relay; /* NULL in the kernel plane */
	int services_fd;         /* -1: not the kernel plane */
	struct loop_fd *services_watch;
	struct vici *vici;
	struct refusals *refusals; /* of the kernel plane; NULL: none yet */
	const struct engine_role *role;
	struct client *client;  /* client.c; NULL: a server */
	struct auth_line *auth; /* NULL: a client has none */
	struct control *control;
	struct tunnel_config tunnel_config;
	struct ppp_config ppp_config;
	uint64_t epoch;  /* of the plugin that speaks now */
	bool first_sync; /* until SYNC_END, for an epoch that is new to us */
	bool synced;     /* SYNC_END was seen for it */
	bool stopping;
	uint32_t next_assoc_id, next_session_id;
	struct association *assocs, *assocs_by_key;
	LIST_HEAD(, association) house[HOUSE_SLOTS]; /* by id */
	unsigned int house_turn;
	uint64_t listed_ms; /* charon was asked for all its SAs; 0: never */
	struct sa *sas_in;
	/* SPIs of outbound SAs are the peers' choice and may be equal */
	LIST_HEAD(, sa) sas_out[SA_OUT_BUCKETS];
	uint32_t sas_out_seed;
	struct tunnel_box *tunnels;
	struct session *sessions;
	LIST_HEAD(, tunnel_box) dead_tunnels;
	LIST_HEAD(, session) dead_sessions;
	LIST_HEAD(, session) routes_waiting; /* newest first */
	struct loop_timer *housekeeping, *reaper, *stop_timer;
	time_t started;
	uint64_t sessions_total, refused_total;
};

#endif
