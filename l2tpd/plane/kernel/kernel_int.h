/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_int.h: the objects of the kernel plane. Private to its folder.
 *
 * Ownership: plane > association > tunnel > session. A tunnel lives as long as
 * a session of it; its UDP socket and the kernel's tunnel end with it. One that
 * is slow has neither: its sessions are slow.h's.
 */
#ifndef ADIT_PLANE_KERNEL_KERNEL_INT_H
#define ADIT_PLANE_KERNEL_KERNEL_INT_H

#include <sys/queue.h>
#include <uthash.h>

#include "l2tpd/plane/kernel/kernel.h"
#include "l2tpd/plane/kernel/slow.h"

#define KERNEL_L2TP_PORT  1701
#define KERNEL_BATCH      16   /* datagrams a system call */
#define KERNEL_BYTES_MAX  2048 /* of a datagram that is for us */
#define KERNEL_WAITING    8    /* datagrams that wait for a socket */
#define KERNEL_SPARE_WANT 1    /* sockets ready for the next tunnel */

struct kernel_plane;

/* A UDP socket that is read. */
struct kernel_socket {
	struct kernel_plane *plane;
	int fd;
	struct loop_fd *watch;
};

struct kernel_sa {
	struct kernel_sa_key {
		uint32_t spi;
		uint32_t inbound;
		uint8_t peer[16]; /* outbound SPIs are the peers' choice */
	} key;
	struct kernel_assoc *assoc;
	UT_hash_handle hh;
};

struct kernel_waiting {
	STAILQ_ENTRY(kernel_waiting) next;
	uint16_t port;
	size_t bytes;
	uint8_t data[];
};

struct kernel_assoc {
	uint32_t id, mark;
	struct endpoint local, peer;
	unsigned int sas;
	struct kernel_socket control; /* .fd -1: not here yet */
	int spare_fd;                 /* for the next tunnel; -1 */
	unsigned int wanted;          /* sockets that were asked for */
	STAILQ_HEAD(, kernel_waiting) waiting;
	unsigned int waiting_count;
	LIST_HEAD(, kernel_tunnel) tunnels;
	UT_hash_handle hh;          /* by id */
	UT_hash_handle hh_mark;     /* by mark: the newest */
	struct kernel_assoc *older; /* of a former charon, with that mark */
};

struct kernel_tunnel {
	LIST_ENTRY(kernel_tunnel) next;
	struct kernel_assoc *assoc;
	uint16_t local_id, peer_id, peer_port;
	struct kernel_socket udp; /* .fd -1: slow */
	int pppox_fd;             /* session 0: the kernel's tunnel; -1 */
	bool slow;
	unsigned int sessions;
};

struct kernel_session {
	uint32_t id;
	struct plane_session params;
	struct kernel_tunnel *tunnel;
	int pppox_fd; /* -1: slow */
	uint64_t last_in_packets, last_in_ms;
	UT_hash_handle hh; /* by id */
};

struct kernel_plane {
	struct plane plane; /* first */
	struct loop *loop;
	struct plane_kernel_config cfg;
	struct plane_events events;
	void *ctx;
	struct kernel_socket listener;
	struct kernel_assoc *assocs, *by_mark;
	struct kernel_sa *sas;
	struct kernel_session *sessions;
	struct slow slow;
	struct plane_totals totals;
};

/* kernel.c */
/* NULL: there is none. */
struct kernel_assoc *kernel_assoc_find(struct kernel_plane *p, uint32_t id);

/* udp.c */
/* Reads from fd (adopted) from now on. 0 or -errno: closed then. */
int kernel_socket_open(struct kernel_plane *p, struct kernel_socket *s, int fd);
/* One of the monitor's: bound to our side of the association first. */
int kernel_socket_bind(struct kernel_plane *p, struct kernel_socket *s,
    const struct kernel_assoc *a, int fd);
void kernel_socket_close(struct kernel_socket *s);
/* To the association's peer, with its mark. 0 or -errno. */
int kernel_send(
    struct kernel_plane *p, struct kernel_assoc *a, uint16_t port, struct rd d);
/* The monitor's socket came; gives it to who waits. */
void kernel_socket_given(
    struct kernel_plane *p, struct kernel_assoc *a, int fd);
void kernel_want_sockets(struct kernel_plane *p, struct kernel_assoc *a);
void kernel_drop_waiting(struct kernel_assoc *a);

/* l2tp.c */
/* The tunnel of a session, made when it is not there: a slow one when that is
 * wanted, or when the kernel cannot have it. 0 or -errno. */
int kernel_tunnel_get(struct kernel_plane *p, struct kernel_assoc *a,
    const struct plane_session *s, bool slow, struct kernel_tunnel **ret);
void kernel_tunnel_put(struct kernel_tunnel *t);
/* The device is somewhere else: send there. */
void kernel_tunnel_move(struct kernel_tunnel *t);
/* PPPoL2TP socket of the session in its tunnel, or -errno; -ENOTSUP: it is a
 * slow one's, or the kernel has no L2TP. */
int kernel_session_socket(
    const struct kernel_tunnel *t, const struct plane_session *s);
int kernel_session_stats(struct kernel_session *s, struct plane_counters *ret);

#endif
