/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ppp.h: one PPP link (RFC 1661) in user space, server or client role: what
 * the session, the tests and the fuzzers see of ppp-glue/engine. Pure: no I/O,
 * no clock, no log. Frames in are hostile; what goes out are effects, fetched
 * with ppp_next_effect() until it returns false, after EVERY call here.
 *
 * The link decides nothing about people: it asks (PPP_EFFECT_ASK) and gets a
 * verdict (ppp_verdict). No NCP packet is answered before the verdict.
 */
#ifndef ADIT_PPP_PPP_H
#define ADIT_PPP_PPP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/secret.h"

#define PPP_NAME_MAX    256 /* bytes of a user name (CHAP Name field) */
#define PPP_MESSAGE_MAX 256 /* bytes of a CHAP/PAP message */

/* PPP protocol numbers that callers see. RFC 1661 2, IANA */
enum { PPP_PROTO_IPV4 = 0x0021, PPP_PROTO_IPV6 = 0x0057 };

enum ppp_auth_method {
	PPP_AUTH_NONE = 0,
	PPP_AUTH_MSCHAPV2 = 1, /* RFC 2759 */
	PPP_AUTH_CHAP_MD5 = 2, /* RFC 1994 */
	PPP_AUTH_PAP = 3,      /* RFC 1334 */
};

struct ppp;

/* Borrowed for the link's life. */
struct ppp_config {
	bool server; /* false: client role */
	/* Server: methods offered, best first, PPP_AUTH_NONE ends the list.
	 * Client: methods that it accepts. */
	enum ppp_auth_method methods[4];
	const char *name; /* Name in our CHAP Challenge, e.g. "adit" */
	uint16_t mru;     /* what we ask for and can receive, bytes; 1400 */
	bool ipv6;        /* offer IPV6CP */
	uint8_t ifid[8];  /* what we ask for in IPV6CP; 0: a random one */
	uint32_t echo_interval_ms; /* LCP echo, 0: never */
	uint32_t echo_failures;    /* unanswered ones until the link is dead */
	/* client role only */
	const char *user;
	const struct secret *password; /* UTF-8 */
	/* both roles; NULL: the kernel's */
	void (*random)(void *ctx, void *p, size_t n);
	void *random_ctx;
};

enum ppp_effect_type {
	PPP_EFFECT_SEND, /* .data: a PPP frame that begins with FF 03 */
	PPP_EFFECT_ASK,  /* .ask: authenticate this; answer by ppp_verdict() */
	PPP_EFFECT_IPV4_UP, /* .ipv4_local/.ipv4_peer, .dns for a client */
	PPP_EFFECT_IPV4_DOWN,
	PPP_EFFECT_IPV6_UP, /* .ifid_local/.ifid_peer */
	PPP_EFFECT_IPV6_DOWN,
	PPP_EFFECT_AUTHENTICATED, /* client role: the server accepted us */
	PPP_EFFECT_DOWN,          /* .why: the link is over, nothing follows */
};

/* Everything the authority needs for one attempt. Borrowed until the next
 * call on the link. */
struct ppp_ask {
	enum ppp_auth_method method;
	uint8_t chap_id;
	uint32_t serial;     /* of this ask on this link, never 0 */
	struct rd name;      /* raw bytes as sent */
	struct rd challenge; /* ours: 16 bytes (CHAP methods) */
	struct rd response;  /* CHAP-MD5: 16; MS-CHAPv2: 49; PAP: password */
};

struct ppp_effect {
	enum ppp_effect_type type;
	struct rd data;
	struct ppp_ask ask;
	uint8_t ipv4_local[4], ipv4_peer[4];
	uint8_t ipv4_dns[2][4];
	uint8_t ifid_local[8], ifid_peer[8];
	bool by_peer;
	const char *why; /* string literal: "peer-terminated", "auth-failed",
			  * "auth-timeout", "echo-timeout", "no-ncp", ... */
};

/* The answer to an ask. */
struct ppp_verdict {
	bool accept;
	uint32_t serial; /* the ask that is answered; 0: whichever is open */
	/* Verbatim Message field of CHAP Success/Failure or PAP Ack/Nak, e.g.
	 * "S=0123.. M=ok" or "E=691 R=0 C=.. V=3 M=..". Borrowed. */
	struct rd message;
	uint8_t ipv4_local[4];   /* the gateway's address on the link */
	uint8_t ipv4_peer[4];    /* the address of the client; 0: no IPv4 */
	uint8_t ipv4_dns[2][4];  /* 0.0.0.0: none */
	uint8_t ipv4_nbns[2][4]; /* 0.0.0.0: none */
	uint8_t ifid_peer[8]; /* IPV6CP id for the client; 0: its own choice */
};

struct ppp *ppp_new(const struct ppp_config *cfg, uint64_t now_ms);
void ppp_free(struct ppp *p); /* NULL is fine */

/* The lower layer (the L2TP session) is up: LCP starts. */
void ppp_start(struct ppp *p, uint64_t now_ms);
/* frame: from the L2TP payload on, FF 03 present or not (RFC 1661 6.6). */
void ppp_input(struct ppp *p, struct rd frame, uint64_t now_ms);
/* IP traffic flowed for this link: counts as life, saves echo requests. */
void ppp_note_data(struct ppp *p, uint64_t now_ms);
/* 0; -ENOENT when no ask is open (the peer is gone or asked anew). */
int ppp_verdict(
    struct ppp *p, const struct ppp_verdict *verdict, uint64_t now_ms);
/* Terminate properly: Terminate-Request, then PPP_EFFECT_DOWN. */
void ppp_close(struct ppp *p, const char *why, uint64_t now_ms);

void ppp_tick(struct ppp *p, uint64_t now_ms);
uint64_t ppp_deadline(const struct ppp *p); /* UINT64_MAX: none */
bool ppp_next_effect(struct ppp *p, struct ppp_effect *ret);

/* The largest IP packet that may go to the peer, bytes (its MRU, ours at most
 * when it asks for nonsense). */
uint16_t ppp_peer_mru(const struct ppp *p);
bool ppp_ipv4_is_up(const struct ppp *p);
bool ppp_ipv6_is_up(const struct ppp *p);
/* "opened", "req-sent": LCP's RFC 1661 4.2 state, for logs and tests. */
const char *ppp_state_name(const struct ppp *p);

#endif
