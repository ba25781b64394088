/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * l2tp_play.h: a client made of bytes, for playing exchanges packet by packet
 * against a responder. What the server does is a line of words in the order
 * of its effects ("ZLB session-up"), compared with what the caller expects.
 * Every datagram of the server must pass the strictest of the clients' parsers.
 */
#ifndef ADIT_TESTS_L2TP_PLAY_H
#define ADIT_TESTS_L2TP_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wr.h"
#include "l2tpd/proto/msg.h"
#include "l2tpd/proto/tunnel.h"

#define SERVER_TUNNEL 0x4242

/* A client made of bytes. */
struct play {
	struct tunnel_config cfg;
	struct tunnel *t;
	uint64_t now_ms;
	uint64_t seed;
	uint16_t tunnel_id;       /* the client's */
	uint16_t ns, nr;          /* the client's */
	uint16_t server_session;  /* learnt from ICRP */
	uint16_t in_flight;       /* messages of ours not acknowledged */
	uint8_t body_bytes[1024]; /* of the message being built */
	struct wr body;
	uint8_t last[1024]; /* last message of ours with a body */
	size_t last_bytes;
	bool hold;                 /* do not fetch effects */
	char log[1024];            /* effects since it was cleared */
	struct tunnel_close close; /* of the last thing that went down */
	struct tunnel_session_view session;
};

/* The last message of the server that had a body, decoded. */
extern struct l2tp_msg play_msg;

void play_init(struct play *p, uint16_t tunnel_id);
void play_drain(struct play *p);

/* Build a message in p->body: begin, then avp_put_*() or raw AVPs (word: flags;
 * the length is added). */
void play_begin(struct play *p, enum msg_type type);
void play_raw(struct play *p, uint16_t word, uint16_t vendor, uint16_t type,
    const void *value, size_t n);

/* Hand the message to the server as its engine would, making a responder for
 * the first. False: refused. */
bool play_deliver(struct play *p, uint16_t session_id, uint16_t ns, bool zlb);
/* Say what was built with the next Ns; say the last Ns again; acknowledge and
 * expect no effect; let time pass. */
void play_say(struct play *p, uint16_t session_id, const char *expected);
void play_again(struct play *p, uint16_t session_id, const char *expected);
void play_zlb(struct play *p);
void play_pass(struct play *p, uint64_t ms, const char *expected);

/* The server's SCCRP has these AVPs and no other (Apple, kl2tpd). */
void play_check_sccrp(bool response);
void play_check_host(struct play *p, const char *name);
/* The last thing that went down did so by the client, with this result. */
void play_check_end(struct play *p, uint16_t result);
/* The tunnel is dead: free it. */
void play_end(struct play *p);

/* Apple's SCCRQ, built; and its exchange up to an established session. */
void play_apple_sccrq(struct play *p);
void play_apple_up(struct play *p);

#endif
