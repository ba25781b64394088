/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel.h: one L2TP control connection (RFC 2661) and its sessions: what the
 * engine, the tests and the fuzzers see of l2tpd/proto. Pure: no I/O, no
 * clock, no log. Everything that comes in is a hostile datagram or an order of
 * the engine; everything that goes out is an effect that the caller fetches
 * with tunnel_next_effect() until it returns false, after EVERY call here.
 *
 * Owner: the engine owns struct tunnel; the tunnel owns its sessions.
 */
#ifndef ADIT_PROTO_TUNNEL_H
#define ADIT_PROTO_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"

#define L2TP_PORT        1701
#define L2TP_NAME_MAX    64  /* bytes kept of host and vendor names */
#define L2TP_MESSAGE_MAX 128 /* bytes kept of an error message */

struct tunnel;

/* Values for a whole server; borrowed for the tunnel's life. */
struct tunnel_config {
	const char *host_name; /* Host Name AVP, RFC 2661 4.4.3 */
	const uint8_t *secret; /* tunnel authentication 5.1.1, NULL: none */
	size_t secret_bytes;
	bool challenge_peer; /* send a Challenge (never to Apple, Android) */
	uint16_t receive_window;    /* RFC 2661 4.4.3, messages; e.g. 8 */
	uint16_t max_sessions;      /* per tunnel; further ICRQ: CDN 4 */
	uint32_t hello_interval_ms; /* RFC 2661 5.5; 0: never */
	/* A half-open tunnel or session goes away after so long, and so does a
	 * peer's tunnel that has no session. */
	uint32_t setup_timeout_ms;
	/* CSPRNG for session ids, challenges, tie breakers, random vectors */
	void (*random)(void *ctx, void *p, size_t n);
	void *random_ctx;
	/* Is a session id in use somewhere else, in another tunnel? NULL: they
	 * only differ within a tunnel. */
	bool (*session_id_taken)(void *ctx, uint16_t id);
	void *taken_ctx;
};

enum tunnel_effect_type {
	TUNNEL_EFFECT_SEND, /* .data: a whole L2TP datagram to the peer */
	TUNNEL_EFFECT_UP,   /* control connection established */
	TUNNEL_EFFECT_DOWN, /* .close: the tunnel is over; after the last
			     * effect tunnel_is_dead() turns true (after
			     * the StopCCN was acknowledged or 31 s) */
	TUNNEL_EFFECT_SESSION_NEW,  /* .session: ICRP/OCRP goes out, data may
				       come */
	TUNNEL_EFFECT_SESSION_UP,   /* .session: established */
	TUNNEL_EFFECT_SESSION_DOWN, /* .session, .close */
	TUNNEL_EFFECT_SESSION_INFO, /* .session, .info: WEN or SLI received */
};

struct tunnel_close {
	bool by_peer;
	uint16_t result; /* Result Code of StopCCN or CDN, RFC 2661 4.4.2 */
	uint16_t error;  /* Error Code, 0: none */
	const char *why; /* string literal for the log: "hello-timeout", ... */
	/* Error Message that the peer sent (by_peer; raw bytes) or that we
	 * sent; may be empty; no NUL at its end. */
	char message[L2TP_MESSAGE_MAX];
	size_t message_bytes;
};

struct tunnel_session_view {
	uint16_t local_id; /* ours: in data packets that we receive */
	uint16_t peer_id;  /* theirs: in data packets that we send */
	bool incoming;     /* ICRQ (true) or OCRQ (false) */
	bool we_called; /* we sent the request (LAC incoming, LNS outgoing) */
	bool sequencing_required; /* RFC 2661 4.4.6 Sequencing Required seen */
	uint32_t call_serial;
	uint32_t tx_speed_bps;
};

struct tunnel_effect {
	enum tunnel_effect_type type;
	struct rd data; /* SEND; borrowed until the next call on this tunnel */
	struct tunnel_session_view session;
	struct tunnel_close close;
	uint32_t info_accm_send, info_accm_receive; /* SESSION_INFO of an SLI */
	bool info_is_sli;
};

/* A tunnel that answers the peer's SCCRQ. local_id: not 0, unique among the
 * engine's tunnels. NULL: no memory. Then hand the SCCRQ to tunnel_input(). */
struct tunnel *tunnel_new_responder(
    const struct tunnel_config *cfg, uint16_t local_id, uint64_t now_ms);
/* A tunnel that sends SCCRQ itself (LAC role, client mode, tests). */
struct tunnel *tunnel_new_initiator(
    const struct tunnel_config *cfg, uint16_t local_id, uint64_t now_ms);
void tunnel_free(struct tunnel *t); /* NULL is fine; sends nothing */

/* What a first datagram is, before any state exists (RFC 2661 3.1). */
enum tunnel_first {
	TUNNEL_FIRST_SCCRQ, /* well-formed enough: make a responder for it */
	TUNNEL_FIRST_HELLO_ZERO, /* Apple's HELLO on tunnel 0: drop in silence
				  */
	TUNNEL_FIRST_OTHER,      /* drop */
};
/* datagram: UDP payload, borrowed. ret_peer_tunnel_id: Assigned Tunnel ID of a
 * SCCRQ (to recognise a retransmission of one that we already answer); 0 when
 * it is hidden. Untouched for the others. */
enum tunnel_first tunnel_classify_first(
    struct rd datagram, uint16_t *ret_peer_tunnel_id);

/* Header fields that the data path and the demultiplexer need. False when it
 * is no L2TPv2 datagram; ret->err of the cursor tells why. payload: after the
 * header (offset and padding skipped). */
struct l2tp_packet_head {
	bool is_control; /* T */
	bool has_length, has_sequence, has_offset, priority;
	uint16_t length; /* bytes, when has_length */
	uint16_t tunnel_id, session_id;
	uint16_t ns, nr; /* when has_sequence */
	struct rd payload;
};
bool l2tp_parse_head(struct rd *datagram, struct l2tp_packet_head *ret);

/* A control datagram for this tunnel. False: malformed or not for us; *ret_why
 * (string literal) tells; the tunnel is as before. */
bool tunnel_input(struct tunnel *t, struct rd datagram, uint64_t now_ms,
    const char **ret_why);

/* Data for (or from) a session was seen: counts as life (RFC 2661 5.5). */
void tunnel_note_data(struct tunnel *t, uint64_t now_ms);

/* Time passes. Call at tunnel_deadline(). */
void tunnel_tick(struct tunnel *t, uint64_t now_ms);
/* Next time at which tunnel_tick() has work; UINT64_MAX: none. */
uint64_t tunnel_deadline(const struct tunnel *t);

/* Orders. result/error: RFC 2661 4.4.2; message: borrowed, may be NULL. */
void tunnel_close(struct tunnel *t, uint16_t result, uint16_t error,
    const char *message, uint64_t now_ms);
/* 0 and *ret_local_id; -ENOTCONN tunnel not up; -ENOSPC too many. */
int tunnel_call_incoming(
    struct tunnel *t, uint64_t now_ms, uint16_t *ret_local_id); /* LAC: ICRQ */
int tunnel_call_outgoing(
    struct tunnel *t, uint64_t now_ms, uint16_t *ret_local_id); /* LNS: OCRQ */
/* -ENOENT: no such session. */
int tunnel_session_close(struct tunnel *t, uint16_t local_session_id,
    uint16_t result, uint16_t error, const char *message, uint64_t now_ms);

/* Fetch the next effect. False: none left. */
bool tunnel_next_effect(struct tunnel *t, struct tunnel_effect *ret);

/* Nothing more will come of it: free it. */
bool tunnel_is_dead(const struct tunnel *t);
bool tunnel_is_up(const struct tunnel *t);
/* Over, and staying only to acknowledge (RFC 2661 5.7): a new SCCRQ with the
 * same peer id is a new tunnel, not this one again. */
bool tunnel_is_closing(const struct tunnel *t);

uint16_t tunnel_local_id(const struct tunnel *t);
uint16_t tunnel_peer_id(const struct tunnel *t); /* 0: not known yet */
/* Peer's Host Name and Vendor Name, raw bytes without a trailing NUL;
 * borrowed. */
struct rd tunnel_peer_host_name(const struct tunnel *t);
struct rd tunnel_peer_vendor_name(const struct tunnel *t);
/* "wait-ctl-conn": RFC 2661 7.2.1 state, for logs and tests. */
const char *tunnel_state_name(const struct tunnel *t);

#endif
