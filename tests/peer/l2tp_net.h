/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * l2tp_net.h: two L2TP tunnels in one process with a fake network and a fake
 * clock. The network loses, doubles and reorders as it is told; the clock jumps
 * from event to event, so a day takes milliseconds. Everything a tunnel tells
 * is written to a log of words ("up", "new", "session-up", "down:why", ...).
 */
#ifndef ADIT_TESTS_L2TP_NET_H
#define ADIT_TESTS_L2TP_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l2tpd/proto/tunnel.h"

#define NET_LOG_BYTES 4096

struct net;

/* One side: an engine that makes a responder for any SCCRQ. */
struct end {
	struct net *net;
	struct tunnel_config cfg;
	struct tunnel *tunnel; /* NULL: none yet, or freed when dead */
	uint16_t local_id;
	uint16_t session_id; /* last one seen */
	struct tunnel_session_view session;
	struct tunnel_close close, session_close;
	char log[NET_LOG_BYTES];
	unsigned sent;    /* datagrams */
	unsigned refused; /* datagrams that tunnel_input() did not take */
	uint64_t seed;
};

struct net {
	struct end a, b;
	uint64_t now_ms;
	unsigned delay_ms, jitter_ms; /* one way */
	unsigned loss_percent, dup_percent;
	bool cut; /* nothing arrives */
	uint64_t seed;
	struct flying *flying;
};

void net_init(struct net *n, uint64_t seed);
void net_free(struct net *n);
/* a becomes an initiator and sends its SCCRQ. */
void net_connect(struct net *n, struct end *from);
/* Fetch effects of both sides: call it after every order. */
void net_pump(struct net *n);
/* Let time pass until nothing is left to do before then. */
void net_run(struct net *n, uint64_t until_ms);
/* Does the log contain this word? How often? */
bool end_saw(const struct end *e, const char *word);
unsigned end_count(const struct end *e, const char *word);

/* A pseudo-random stream for tests (splitmix64). */
uint64_t net_random(uint64_t *seed);
void net_fill_random(void *ctx, void *p, size_t n); /* ctx: uint64_t seed */

#endif
