/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plane_net.h: a user plane with its callbacks recorded, and a client made of
 * an ESP table and a UDP socket, over loopback; the TUN device is a socketpair.
 * Needs no root. For tests of l2tpd/plane.
 */
#ifndef ADIT_TESTS_PLANE_NET_H
#define ADIT_TESTS_PLANE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/loop.h"
#include "l2tpd/esp/esp.h"
#include "l2tpd/plane/plane.h"

#define NET_BYTES       2048
#define NET_WORKERS_MAX 4

struct net_event { /* the last of its kind, and how many */
	unsigned int count;
	uint32_t id; /* association, session or SPI */
	uint16_t port;
	bool inbound;
	struct endpoint peer, local;
	uint8_t data[NET_BYTES];
	size_t len;
};

struct net_server {
	struct plane *plane;
	struct loop *loop;
	uint64_t now_ms;           /* the clock */
	int tun;                   /* the kernel's end */
	int tuns[NET_WORKERS_MAX]; /* of each worker; the first is tun */
	size_t n_workers;          /* 0: net_server_start_workers() not used */
	int fd4500;                /* the plane's, to spoil it */
	int fence;                 /* see net_turn() */
	struct endpoint fence_at;
	bool fence_seen;
	struct endpoint at500, at4500;
	struct net_event ike, l2tp, ppp, service, moved, expired, unknown;
	struct net_event offload_off;
	/* called inside every callback, for tests of reentrancy */
	void (*hook)(struct net_server *s, void *arg);
	void *hook_arg;
};

struct net_client {
	struct esp_table *sas;
	struct esp_sa *in, *out; /* its own view */
	int fd;
	struct endpoint at;
	const struct net_server *server;
	uint32_t association;
	unsigned int fences; /* on their way to it */
};

/* All assert; nothing to check. */
void net_server_start(struct net_server *s, bool raw_esp);
/* offloads: enum plane_offload; with PLANE_TUN_ ones packets at .tun have a
 * vnet header. */
void net_server_start_with(
    struct net_server *s, bool raw_esp, unsigned int offloads);
/* Many threads, each with a TUN queue of its own. Their clock is the real one;
 * net_turn() only waits for the first of them. */
void net_server_start_workers(struct net_server *s, size_t n);
void net_server_stop(struct net_server *s);
/* Turn the loop until all that was sent so far has arrived and is worked off,
 * however long that takes: waits for a datagram that was sent after all others.
 * A whole process stays on one processor, where the loopback keeps the order.
 */
void net_turn(struct net_server *s);

/* The server's two SAs of a client; spi in and spi+1 out. */
struct esp_sa_params net_sa(
    const struct net_client *c, uint32_t spi, bool server_inbound);
/* A client with its SAs, installed at both ends. */
void net_client_start(struct net_client *c, struct net_server *s,
    uint32_t association, uint32_t spi);
void net_client_stop(struct net_client *c);
/* Another port: as a NAT that lost its mapping. */
void net_client_move(struct net_client *c);

/* Make ESP of a whole inner payload (UDP header first). Returns its length. */
size_t net_client_seal(struct net_client *c, const uint8_t *payload, size_t n,
    uint8_t ret[NET_BYTES]);
void net_client_send_raw(struct net_client *c, const uint8_t *p, size_t n);
/* UDP and L2TP header around a PPP frame, sealed and sent. */
void net_client_send_frame(struct net_client *c, uint16_t tunnel,
    uint16_t session, const uint8_t *frame, size_t n);
/* An L2TP datagram from port. */
void net_client_send_l2tp(
    struct net_client *c, uint16_t port, const uint8_t *p, size_t n);
/* IP packet in a PPP frame FF 03 00 21 or 57. */
void net_client_send_ip(struct net_client *c, uint16_t tunnel, uint16_t session,
    const uint8_t *ip, size_t n);
/* Waits until a datagram is there. */
void net_await(int fd);
/* Next ESP packet for the client, opened: the inner payload. 0: none is on
 * its way (a fence came first, see net_turn). */
size_t net_client_receive(struct net_client *c, uint8_t ret[NET_BYTES]);

/* To and from the server's TUN device. receive: 0 when nothing came. */
void net_tun_send(struct net_server *s, const uint8_t *ip, size_t n);
size_t net_tun_receive(struct net_server *s, uint8_t ret[NET_BYTES]);

/* IP packets of n bytes in all; last byte of the address tells them apart:
 * IPv4 10.0.0.X, IPv6 2001:db8:0:X::1. Valid checksums. */
void net_ipv4(uint8_t *p, size_t n, uint8_t src, uint8_t dst, bool df);
void net_ipv6(uint8_t *p, size_t n, uint8_t src, uint8_t dst);
/* Makes a TCP SYN of it with an MSS option (behind pad NOPs). */
void net_tcp_syn(uint8_t *p, size_t n, uint16_t mss, size_t pad);
bool net_tcp_sum_is_right(const uint8_t *p, size_t n);

/* Two planes, each the other's client: SAs both ways, and session 1 that is
 * open to 10.0.0.1 at a and to 10.0.0.99 at b. */
void net_connect_planes(struct net_server *a, struct net_server *b);

/* A server and one client whose session 1 is open: what most tests need. */
#define NET_SPI_1 0xc0000010u
#define NET_SPI_2 0xc0000110u /* AES-GCM */
struct net {
	struct net_server s;
	struct net_client c;
};
void net_start(struct net *f);
void net_stop(struct net *f);
/* Session id: L2TP ids 100+id, 200+id at the server, 300+id, 400+id at the
 * client; 10.0.0.id and 2001:db8:0:id::/64, interface identifier ..id. */
void net_add_session(struct net_server *s, uint32_t id, uint32_t association);
void net_open_session(struct net_server *s, uint32_t id);
/* A payload is a data packet to the client of session id. */
void net_assert_data(const uint8_t *p, size_t n, uint32_t id, uint16_t protocol,
    const uint8_t *inner, size_t inner_bytes);
/* A HELLO message. */
#define NET_HELLO_BYTES 20
extern const uint8_t net_hello[NET_HELLO_BYTES];

#endif
