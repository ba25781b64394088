/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.h: a thread that runs a user plane of its own (user.h), and the
 * messages between it and the engine's thread (workers.c). Commands go to the
 * worker, reports come back; each way is a ring, and nothing else is shared but
 * counters. A worker never waits for the engine.
 */
#ifndef ADIT_PLANE_USER_WORKER_H
#define ADIT_PLANE_USER_WORKER_H

#include <pthread.h>

#include "base/ring.h"
#include "l2tpd/plane/user/user.h"

#define WORKER_RING_BYTES (1u << 20)
/* Packets leave this much of a ring for what must not be lost, and what is only
 * good to know leaves half of that. */
#define WORKER_LEAVE_BYTES (WORKER_RING_BYTES / 4)
/* Moves under way at a time, so that their ends fit into what is left. */
#define WORKER_MOVES_MAX 512

enum command_kind {
	/* sa: not in any table. It is the worker's from now on */
	COMMAND_SA_ADD,
	COMMAND_SA_SET,  /* its endpoints */
	COMMAND_SA_DEL,  /* and free it */
	COMMAND_SA_GIVE, /* back: REPORT_SA_GIVEN */
	COMMAND_SPI,
	/* session: likewise */
	COMMAND_SESSION_ADD,
	COMMAND_SESSION_SET, /* association and peer_port */
	COMMAND_SESSION_OPEN_IPV4,
	COMMAND_SESSION_OPEN_IPV6,
	COMMAND_SESSION_NETWORKS, /* struct ipv4_networks behind the command */
	COMMAND_SESSION_SHUT,
	COMMAND_SESSION_DEL,
	COMMAND_SESSION_GIVE,
	/* packets: bytes behind the command */
	COMMAND_L2TP,  /* to the peer of an association */
	COMMAND_PPP,   /* to the peer of a session */
	COMMAND_INNER, /* data of a session, came to another worker */
	COMMAND_TUN,   /* from the TUN device, the same */
	COMMAND_TOTALS,
	COMMAND_STOP,
};

struct command {
	enum command_kind kind;
	union {
		struct {
			struct esp_sa *sa;
			struct endpoint local, peer;
			bool encap, newest;
		} sa;
		struct {
			uint32_t number;
			bool expect;
		} spi;
		struct {
			struct user_session *session;
			uint32_t association;
			uint16_t peer_port, peer_mru;
			uint8_t address[8], ifid[8]; /* IPv4: the first 4 */
		} session;
		struct {
			uint32_t association, session;
			uint16_t peer_port;
			struct vnet vnet;
			size_t len;
		} packet;
		struct plane_totals *totals; /* to be filled */
	};
	_Alignas(RING_ALIGN) uint8_t bytes[];
};

enum report_kind {
	REPORT_IKE,
	REPORT_L2TP,
	REPORT_PPP,
	REPORT_SERVICE,
	REPORT_MOVED,
	REPORT_EXPIRED,
	REPORT_UNKNOWN_SPI,
	REPORT_OFFLOAD_OFF,
	REPORT_TUN,           /* a packet for no session of this worker */
	REPORT_SA_GIVEN,      /* in no table any more; the engine's */
	REPORT_SESSION_GIVEN, /* the same */
};

struct report {
	enum report_kind kind;
	struct endpoint peer, local;
	uint32_t association, spi, session;
	uint16_t peer_port;
	bool inbound;
	enum plane_offload offload;
	struct esp_sa *sa;
	struct user_session *given;
	struct vnet vnet;
	size_t len; /* of the packet behind */
	_Alignas(RING_ALIGN) uint8_t bytes[];
};

struct worker {
	struct workers *workers; /* not used by the thread */
	uint8_t number;
	int cpu; /* to run on; -1: any */
	struct loop *loop;
	struct user_plane *user;
	struct ring *commands, *reports;
	struct loop_fd *commands_watch; /* in the worker's loop */
	struct loop_fd *reports_watch;  /* in the engine's */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* for answered alone */
	pthread_cond_t answer;
	bool answered;
};

/* cfg: as for plane_user_new(), descriptors adopted. The engine's thread calls
 * all of these. 0; -errno: w may only be freed. */
int worker_init(
    struct worker *w, const struct plane_config *cfg, uint8_t number, int cpu);
int worker_start(struct worker *w);
/* Ends the thread after all commands that were given. */
void worker_stop(struct worker *w);
void worker_fini(struct worker *w);

/* A command with room for n bytes behind it; ends with worker_send(). A packet
 * may find no room: NULL. Anything else waits for it. */
struct command *worker_command(
    struct worker *w, enum command_kind kind, size_t n);
void worker_send(struct worker *w);
/* Waits for the answer. */
void worker_read_totals(struct worker *w, struct plane_totals *ret);

#endif
