/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auth_msg.h: what a packet process (the engine; later the pppd plugin) asks
 * the authority, over an imsg channel. Engine-neutral: nothing here knows how
 * PPP is run. A dialogue may have many rounds (EAP, later): every ask of one
 * session carries the same ref.
 *
 * Life of a ref: ASK* -> VERDICT (accept holds a lease for the ref) -> UP ->
 * USE* -> STOP. STOP frees the lease and writes the history; it must follow
 * every accepted ref. When the channel ends, all its refs are stopped.
 */
#ifndef ADIT_BASE_AUTH_MSG_H
#define ADIT_BASE_AUTH_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/network.h"
#include "base/rd.h"
#include "base/wr.h"

#define AUTH_MSG_NAME_MAX 256
#define AUTH_MSG_BLOB_MAX 1500
#define AUTH_MSG_TEXT_MAX 256

enum auth_msg_type {
	AUTH_MSG_ASK = 1,     /* engine to authority: struct auth_ask */
	AUTH_MSG_VERDICT = 2, /* authority to engine: struct auth_verdict */
	AUTH_MSG_UP = 3,      /* engine: be64 ref: addresses agreed */
	AUTH_MSG_USE = 4,     /* engine: struct auth_use, every minute or so */
	AUTH_MSG_STOP = 5,    /* engine: struct auth_use with reason */
	AUTH_MSG_KICK = 6,    /* authority: be64 ref: end this session */
};

struct auth_ask {
	uint64_t ref;   /* session id, the same from IKE to accounting */
	uint8_t method; /* enum ppp_auth_method numbers: 1 MS-CHAPv2,
			 * 2 CHAP-MD5, 3 PAP */
	uint8_t chap_id;
	uint32_t association;
	struct endpoint device; /* outer address of the client */
	uint8_t name[AUTH_MSG_NAME_MAX];
	uint16_t name_bytes;
	uint8_t challenge[64];
	uint16_t challenge_bytes;
	uint8_t response[AUTH_MSG_NAME_MAX]; /* PAP: the password. Wipe. */
	uint16_t response_bytes;
};

enum auth_reason {
	AUTH_ACCEPTED = 0,
	AUTH_UNKNOWN_USER = 1,
	AUTH_WRONG_PASSWORD = 2,
	AUTH_DISABLED = 3,
	AUTH_EXPIRED = 4, /* valid-until is past */
	AUTH_TOO_MANY_SESSIONS = 5,
	AUTH_POOL_EMPTY = 6,
	AUTH_ADDRESS_IN_USE = 7, /* static address taken */
	AUTH_METHOD_NOT_POSSIBLE = 8,
	AUTH_INTERNAL = 9,
};

struct auth_verdict {
	uint64_t ref;
	uint8_t reason;                     /* enum auth_reason; 0 accepts */
	uint8_t message[AUTH_MSG_TEXT_MAX]; /* verbatim for CHAP/PAP */
	uint16_t message_bytes;
	uint8_t ipv4_local[4], ipv4_peer[4];
	uint8_t ipv4_dns[2][4], ipv4_nbns[2][4]; /* zero: none */
	uint8_t ifid_peer[8];
	uint8_t ipv6_prefix[8];                 /* 0: no IPv6 */
	uint32_t session_limit_s, idle_limit_s; /* 0: none */
	char user[AUTH_MSG_NAME_MAX]; /* canonical name, cleaned for logs */
	struct ipv4_networks routes;  /* behind the user's device */
	uint8_t group; /* the user's, a number in the configuration */
};

struct auth_use {
	uint64_t ref;
	uint64_t bytes_in, bytes_out, packets_in, packets_out;
	char reason[64]; /* STOP only: "peer-terminated", ... */
};

const char *auth_reason_name(uint8_t reason); /* "wrong-password" */

/* put: false when w is full; get: false when malformed, reason in r->err. */
bool auth_msg_put_ask(struct wr *w, const struct auth_ask *a);
bool auth_msg_get_ask(struct rd *r, struct auth_ask *ret);
bool auth_msg_put_verdict(struct wr *w, const struct auth_verdict *v);
bool auth_msg_get_verdict(struct rd *r, struct auth_verdict *ret);
bool auth_msg_put_use(struct wr *w, const struct auth_use *u);
bool auth_msg_get_use(struct rd *r, struct auth_use *ret);

#endif
