/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user.h: what the files of the user plane share; of others only tests and
 * fuzzers include it. One thread, one queue of the TUN device: workers.c runs
 * many of them.
 *
 * Reentrancy: a callback may delete anything, the plane too. Therefore no
 * pointer to an SA or a session lives across a callback: rx.c asks the SAs
 * before the first callback of a batch, everything later is looked up again
 * packet by packet. plane_free() inside a callback only marks the plane dead.
 */
#ifndef ADIT_PLANE_USER_USER_H
#define ADIT_PLANE_USER_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/ratelimit.h"
#include "l2tpd/esp/esp.h"
#include "l2tpd/plane/plane.h"
#include "l2tpd/plane/user/batches.h"
#include "l2tpd/plane/user/inet.h"
#include "l2tpd/plane/user/tables.h"
#include "l2tpd/plane/user/tun.h"

#define USER_TURNS         4 /* batches a wake-up, then the others' turn */
#define USER_UDP_BYTES     8
#define USER_L2TP_BYTES    6 /* data header that we send: no L, S, O */
#define USER_PPP_BYTES     4 /* FF 03 and the protocol */
#define USER_HEADERS_BYTES (USER_UDP_BYTES + USER_L2TP_BYTES + USER_PPP_BYTES)
#define USER_HEADROOM      64         /* of ESP and headers, for send.c */
#define USER_IKE_MAX       (161 * 64) /* largest IKE datagram, with room */

struct user_plane;

struct user_socket {
	struct user_plane *user;
	enum user_path path;
	struct io_socket io;
	struct loop_fd *watch;
	bool merged; /* the last messages came merged */
};

struct larval;

struct user_plane {
	struct plane base; /* first */
	struct loop *loop;
	struct plane_events events;
	void *ctx;
	struct plane_config cfg;
	struct user_socket sockets[PATH_COUNT];
	struct tun tun;
	struct loop_fd *tun_watch;
	struct loop_timer *chores;
	struct esp_table *sas;
	struct session_table sessions;
	struct larval *larval;
	struct ratelimit unknown_spi_limit, too_big_limit;
	struct plane_totals totals;
	struct io_totals sent; /* by batches */
	struct user_rx rx;
	struct user_tx tx;
	/* workers.c: a packet from the TUN device for no session of ours; with
	 * ctx. NULL: it is dropped. */
	void (*foreign)(
	    void *ctx, const struct vnet *h, const uint8_t *p, size_t len);
	unsigned int told_offloads; /* enum plane_offload that work */
	uint64_t used_up_ms;        /* last user_sa_used_up() that counted */
	unsigned int busy;          /* depth of user_enter() */
	bool dead;                  /* plane_free() was called while busy */
};

/* The descriptors of a plane that was not made. */
void user_close_config(const struct plane_config *cfg);
/* Around everything that may call back. user_leave() may free u. */
void user_enter(struct user_plane *u);
void user_leave(struct user_plane *u);
/* Do the chores (expired SAs, held packets) in the next turn of the loop. */
void user_chores_soon(struct user_plane *u);
/* The same because an SA refused a packet: at most ten times a second, for the
 * chores walk all SAs. */
void user_sa_used_up(struct user_plane *u);
void user_chores(void *ctx);

/* rx.c */
void rx_socket_ready(void *ctx, int events);
/* The first n entries of u->rx.messages, as they came from path. */
void rx_messages(struct user_plane *u, enum user_path path, size_t n);
/* The first n entries of u->rx.packets, from the ESP header on: .kind is set.
 * Touches no message but through them. */
void rx_run(struct user_plane *u, size_t n);

/* inner.c: what came out of ESP with this next header. data may change, and
 * must stay until inner_flush(). */
void inner_input(struct user_plane *u, uint32_t association,
    const struct endpoint *peer, uint8_t next_header, uint8_t *data,
    size_t len);
void inner_flush(struct user_plane *u);
/* A data packet of the association that came elsewhere. The same, but what is
 * not of an open session here is dropped. */
void inner_foreign(
    struct user_plane *u, uint32_t association, uint8_t *data, size_t len);
/* How the coalescer writes to the TUN device; ctx: the plane. */
void inner_emit(void *ctx, const struct vnet *h, struct iovec *iov, int n_iov);

/* tx.c */
void tx_tun_ready(void *ctx, int events);
/* One packet or super-segment of the TUN device: queued until tx_flush(), or
 * dropped. foreign: it came by way of another worker. */
void tx_input(struct user_plane *u, const struct vnet *h, const uint8_t *p,
    size_t len, bool foreign);
void tx_flush(struct user_plane *u);
/* The largest IP packet that fits to the session's peer through sa (NULL: not
 * known), bytes. */
uint16_t tx_session_mtu(const struct user_plane *u,
    const struct user_session *s, const struct esp_sa *sa, bool ipv6);

/* send.c: single packets for the engine. Errors as in plane.h. */
int send_ike(struct user_plane *u, const struct endpoint *local,
    const struct endpoint *peer, struct rd data);
int send_l2tp(struct user_plane *u, uint32_t association, uint16_t peer_port,
    struct rd datagram);
int send_ppp(struct user_plane *u, uint32_t session, struct rd frame);

/* larval.c: SPIs that charon announced, and packets that came too early. */
struct larval *larval_new(void);
void larval_free(struct larval *l);
void larval_expect(struct larval *l, uint32_t spi, bool expect);
/* The SA is there: its packets may go. True: there are some. */
bool larval_ready(struct larval *l, uint32_t spi);
/* Copies the packet. False: this SPI is not expected. */
bool larval_hold(
    struct larval *l, const struct rx_packet *packet, uint64_t now_ms);
/* Fetch a packet that may go into buf, and whence it came into *ret_from;
 * forgets those that are too old. */
bool larval_take(struct larval *l, uint64_t now_ms, struct rx_packet *ret,
    struct io_message *ret_from, uint8_t *buf, size_t buf_bytes);

#endif
