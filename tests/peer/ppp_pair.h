/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ppp_pair.h: a bench for PPP tests: one or two links, a fake clock, a wire
 * that delays, loses and doubles frames, an authority that knows alice. All
 * random numbers come from seeds, so every run is the same.
 */
#ifndef ADIT_TESTS_PPP_PAIR_H
#define ADIT_TESTS_PPP_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ppp-glue/engine/ppp.h"

#define PAIR_FRAMES    128
#define PAIR_FRAME_MAX 1600

/* How an end answers PPP_EFFECT_ASK */
enum pair_policy { PAIR_CHECK, PAIR_SILENT, PAIR_ACCEPT };

struct pair_end {
	struct ppp_config cfg;
	struct ppp *ppp;
	struct secret password;
	uint64_t seed;
	enum pair_policy policy;
	/* what happened */
	unsigned asks, ups4, downs4, ups6, downs6, authenticated, downs;
	unsigned sent;
	char why[64];
	bool by_peer;
	struct ppp_effect up4, up6;
	/* the last ask, copied */
	enum ppp_auth_method method;
	uint32_t serial;
	uint8_t chap_id;
	uint8_t name[PPP_NAME_MAX], response[256], challenge[16];
	size_t name_bytes, response_bytes;
	/* the last frames that were sent, oldest first; for replays */
	size_t out_count, out_bytes[PAIR_FRAMES];
	uint8_t out[PAIR_FRAMES][PAIR_FRAME_MAX];
};

struct pair_frame {
	uint64_t at_ms; /* 0: free */
	int to;
	size_t n;
	uint8_t data[PAIR_FRAME_MAX];
};

struct pair {
	struct pair_end end[2]; /* 0: server, 1: client */
	bool alone;             /* frames go nowhere, end 1 does not exist */
	uint64_t now_ms, seed;
	unsigned loss_percent, dup_percent;
	uint64_t delay_ms;
	struct pair_frame wire[PAIR_FRAMES];
};

/* Defaults: MS-CHAPv2, IPv6, echo 30 s x 4, alice with the right password. */
void pair_init(struct pair *p, uint64_t seed, bool alone);
void pair_start(struct pair *p); /* makes and starts the links */
void pair_fini(struct pair *p);
/* Run until nothing happens before until_ms; the clock ends there. */
void pair_run(struct pair *p, uint64_t until_ms);
/* Fetch and perform the effects of an end. */
void pair_drain(struct pair *p, int end);
/* Give a frame to an end, and drain it. */
void pair_input(struct pair *p, int end, const void *frame, size_t n);
/* A verdict as the authority would give it. */
void pair_grant(struct pair_end *e, struct ppp_verdict *ret);

/* For tests that play the client by hand against end 0 (alone). */
/* Give a frame in hex; "FF03" is put in front. */
void pair_hex_input(struct pair *p, const char *hex);
/* Index in out[] of the last frame with this protocol and code, or -1. */
int pair_find(const struct pair_end *e, unsigned protocol, unsigned code);
/* Forget the frames that were sent. */
void pair_forget(struct pair *p);
/* Acknowledge end 0's last Configure-Request. False: there was none. */
bool pair_ack(struct pair *p, unsigned protocol);
/* Give a PPP packet: code, id, Length, body */
void pair_packet(struct pair *p, unsigned protocol, unsigned code, unsigned id,
    const void *body, size_t body_bytes);
/* LCP up: our Configure-Request has a magic number only. */
void pair_open_lcp(struct pair *p);
/* Answer end 0's challenge as alice (MS-CHAPv2) with this password. */
void pair_respond(
    struct pair *p, const char *name, size_t name_bytes, const char *password);
/* All the way: LCP, MS-CHAPv2, IPCP, IPV6CP. */
void pair_open_all(struct pair *p);

/* "c021 01 .." -> bytes; returns their number */
size_t pair_hex(const char *hex, uint8_t *ret, size_t cap);

#endif
