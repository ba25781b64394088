/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link.h: the inside of struct ppp, and what the protocols of one link use in
 * common: sending a packet, effects, phases (RFC 1661 3). Private to
 * ppp-glue/engine. All protocols of a link live in one allocation (the arena,
 * which a quiet link does not need, in another); they are stepped by one
 * thread, and time is link->now_ms, set by every public call.
 */
#ifndef ADIT_PPP_LINK_H
#define ADIT_PPP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ratelimit.h"
#include "base/rd.h"
#include "base/wr.h"
#include "ppp-glue/engine/fsm.h"
#include "ppp-glue/engine/mschap.h"
#include "ppp-glue/engine/ncp.h"
#include "ppp-glue/engine/ppp.h"

/* RFC 1661 6.1: an information field of this size is always received */
#define LINK_PACKET_MAX      1500
#define LINK_ARENA_BYTES     2048 /* frames that wait for ppp_next_effect() */
#define LINK_EFFECTS         24
#define LINK_EFFECTS_KEPT    8 /* for anything but frames */
#define LINK_CHALLENGE_BYTES 16
#define LINK_SETUP_MS        60000 /* until the peer is authenticated */
#define LINK_MRU_LEAST       576   /* RFC 791: not even IPv4 fits below */

/* Protocol numbers. RFC 1661 2, IANA */
enum {
	LINK_PROTO_IPCP = 0x8021,
	LINK_PROTO_IPV6CP = 0x8057,
	LINK_PROTO_LCP = 0xc021,
	LINK_PROTO_PAP = 0xc023,
	LINK_PROTO_CHAP = 0xc223,
};

/* RFC 1661 3.2 */
enum link_phase {
	LINK_DEAD,
	LINK_ESTABLISH,
	LINK_AUTHENTICATE,
	LINK_NETWORK,
	LINK_TERMINATE,
	LINK_OVER, /* PPP_EFFECT_DOWN was said */
};

struct lcp {
	struct fsm fsm;
	uint32_t magic;            /* ours */
	bool ask_mru, ask_magic;   /* not yet rejected */
	enum ppp_auth_method auth; /* server: what we demand */
	uint8_t loops;             /* requests with our own magic */
	/* of the peer's last Configure-Request, then of the agreed one */
	uint16_t judged_mru, peer_mru; /* 0: not given */
	uint32_t peer_magic, judged_magic;
	enum ppp_auth_method judged_auth, peer_auth; /* client role */
	bool echo_works; /* the peer knows Echo-Request */
	uint8_t echo_open;
	uint64_t echo_deadline_ms;
};

enum auth_state {
	AUTH_IDLE,
	AUTH_WAITING, /* for the peer */
	AUTH_ASKED,   /* for the verdict */
	AUTH_ACCEPTED,
	AUTH_REFUSED,
};

struct auth {
	enum auth_state state;
	enum ppp_auth_method method;
	uint8_t id;          /* of the challenge, or of the request answered */
	uint8_t asks;        /* since the last accepting verdict */
	uint32_t serial;     /* of the ask */
	uint32_t timeout_ms; /* next retransmission period */
	uint64_t resend_ms;  /* UINT64_MAX: no */
	uint64_t limit_ms;   /* the end of patience */
	uint8_t challenge[LINK_CHALLENGE_BYTES];
	/* server: the final answer, for a peer that did not hear it */
	uint16_t message_bytes; /* at most PPP_MESSAGE_MAX */
	uint8_t *message;       /* owned; NULL: none */
	/* client: this challenge was answered by that response */
	bool responded;
	uint8_t response_bytes;
	uint8_t response[MSCHAPV2_RESPONSE_BYTES];
};

struct link_effect {
	uint8_t type; /* enum ppp_effect_type */
	uint16_t at, bytes;
};

struct link_ask {
	uint8_t chap_id;
	uint16_t name_at, name_bytes, response_at, response_bytes;
};

struct ppp {
	const struct ppp_config *cfg;
	uint64_t now_ms;
	enum link_phase phase;
	const char *why; /* the first reason to end the link */
	bool by_peer;
	struct lcp lcp;
	struct auth auth;
	struct ipcp ipcp;
	struct ipv6cp ipv6cp;
	uint64_t setup_limit_ms; /* until authenticated */
	uint64_t no_ncp_ms;      /* until an NCP is open */
	struct ratelimit rejects, echoes;
	struct link_ask ask;
	uint8_t effect_head, effect_count;
	struct link_effect effect[LINK_EFFECTS];
	size_t arena_bytes;
	uint8_t *arena; /* LINK_ARENA_BYTES; NULL while nothing waits */
};

/* Forget the contents of the arena, and give it back. */
void link_arena_drop(struct ppp *p);
/* Start a packet: header written, Length to come. False: no room (as if lost
 * on the way). w.cap ends where the peer's MRU ends. Between begin and end
 * nothing else may be sent. */
bool link_packet_begin(
    struct ppp *p, uint16_t protocol, uint8_t code, uint8_t id, struct wr *ret);
void link_packet_end(struct ppp *p, struct wr *w);
/* Bytes behind the 4 bytes of header that fit the peer's MRU. */
size_t link_packet_room(const struct ppp *p);
void link_effect(struct ppp *p, enum ppp_effect_type type);
/* Ask for a verdict; name and response are copied. */
void link_ask(
    struct ppp *p, uint8_t chap_id, struct rd name, struct rd response);
/* Code-Reject and Protocol-Reject are rate-limited. */
bool link_may_reject(struct ppp *p);
void link_random(struct ppp *p, void *ret, size_t n);
/* End the link properly; the first reason is kept. */
void link_fail(struct ppp *p, const char *why, bool by_peer);
/* The peer is alive. */
void link_note_life(struct ppp *p);

/* Phases, called by the protocols */
void link_established(struct ppp *p);   /* LCP is up */
void link_lost(struct ppp *p);          /* LCP is down */
void link_over(struct ppp *p);          /* LCP is finished */
void link_authenticated(struct ppp *p); /* NCPs may start */
/* One NCP, as if new; it opens if it is wanted. */
void link_ncp_start(
    struct ppp *p, struct ncp *n, const struct fsm_ops *ops, bool wanted);
void link_ncp_up(struct ppp *p, enum ppp_effect_type effect);
void link_ncp_down(struct ppp *p, enum ppp_effect_type effect);
void link_ncp_finished(struct ppp *p, struct ncp *n);

/* lcp.c */
void lcp_init(struct ppp *p);
void lcp_tick(struct ppp *p);
void lcp_protocol_reject(struct ppp *p, uint16_t protocol, struct rd info);
/* auth.c */
void auth_start(struct ppp *p, enum ppp_auth_method method);
void auth_stop(struct ppp *p);
void auth_tick(struct ppp *p);
bool auth_allowed(const struct ppp_config *cfg, enum ppp_auth_method m);
void auth_resend_later(struct ppp *p);
void auth_forget_message(struct ppp *p);
void auth_answered(struct ppp *p, bool accept, struct rd message);
/* chap.c, pap.c */
void chap_send_challenge(struct ppp *p);
void chap_send_response(struct ppp *p);
void chap_send_answer(struct ppp *p);
bool chap_input(struct ppp *p, struct rd packet);
void pap_send_request(struct ppp *p);
void pap_send_answer(struct ppp *p);
bool pap_input(struct ppp *p, struct rd packet);
/* ipcp.c, ipv6cp.c */
void ipcp_init(struct ppp *p);
void ipcp_start(struct ppp *p);
void ipcp_grant(struct ppp *p, const struct ppp_verdict *v);
void ipv6cp_init(struct ppp *p);
void ipv6cp_grant(struct ppp *p, const struct ppp_verdict *v);
void ipv6cp_start(struct ppp *p);

#endif
