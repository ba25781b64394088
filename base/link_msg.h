/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link_msg.h: what a process that runs PPP for one session (pppd with our
 * plugin) and the engine say to each other, over a SOCK_SEQPACKET pair of that
 * session. Engine-neutral: nothing here knows which PPP it is, and any program
 * that speaks this can carry a session. Records are those of imsg.h: be32
 * type, be32 0, payload. Numbers are big-endian, addresses as in packets.
 *
 * Life: HELLO -> ASK, VERDICT (any number of rounds) -> IPV4_UP and IPV6_UP ->
 * USE* -> *_DOWN -> END. The process never decides: who may in and with which
 * address is in the VERDICT. It ends with END, or without a word when it was
 * killed: the end of the line says it then. To be ended it gets SIGTERM from
 * the monitor, not a message: pppd waits for signals only.
 *
 * Trust: the engine treats the process as hostile (it parses what a peer
 * sent): lengths and order are checked, and nothing that it says gives rights.
 */
#ifndef ADIT_BASE_LINK_MSG_H
#define ADIT_BASE_LINK_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"

#define LINK_MSG_VERSION   1
#define LINK_MSG_NAME_MAX  256  /* bytes of a user name */
#define LINK_MSG_BLOB_MAX  1500 /* bytes of a response or message */
#define LINK_MSG_BYTES_MAX 4096 /* of a record */
#define LINK_MSG_USE_S     10   /* between two USE; seconds */

enum link_msg_type {
	/* to the engine */
	LINK_MSG_HELLO = 1, /* struct link_hello: the plugin is there */
	LINK_MSG_ASK = 2,   /* struct link_ask: may it come in? */
	/* struct link_ipv4: addresses are agreed, the interface is up */
	LINK_MSG_IPV4_UP = 3,
	LINK_MSG_IPV4_DOWN = 4, /* struct link_use: the last counters */
	LINK_MSG_IPV6_UP = 5,   /* struct link_ipv6 */
	LINK_MSG_IPV6_DOWN = 6, /* empty */
	LINK_MSG_USE = 7,       /* struct link_use; also: I am alive */
	LINK_MSG_END = 8,       /* struct link_end: nothing follows */
	/* from the engine */
	LINK_MSG_VERDICT = 16, /* struct link_verdict */
};

struct link_hello {
	uint32_t version; /* LINK_MSG_VERSION */
	char ppp[32];     /* who runs PPP: "pppd-2.4.9" */
};

enum link_method {
	LINK_METHOD_MSCHAPV2 = 1,
	LINK_METHOD_CHAP_MD5 = 2,
	LINK_METHOD_PAP = 3,
	LINK_METHOD_EAP = 4, /* response: an EAP packet; many rounds */
};

struct link_ask {
	uint32_t serial; /* of this ask on this link, never 0 */
	uint8_t method;  /* enum link_method */
	uint8_t chap_id;
	uint8_t name[LINK_MSG_NAME_MAX]; /* raw, as the peer sent it */
	uint16_t name_bytes;
	uint8_t challenge[64]; /* ours */
	uint16_t challenge_bytes;
	/* CHAP-MD5: 16, MS-CHAPv2: 49 bytes; PAP: the password. Wipe. */
	uint8_t response[LINK_MSG_BLOB_MAX];
	uint16_t response_bytes;
};

enum link_decision {
	LINK_REFUSED = 0,
	LINK_ACCEPTED = 1,
	LINK_MORE = 2, /* EAP: message goes to the peer, ask again */
};

struct link_verdict {
	uint32_t serial;  /* the ask that is answered */
	uint8_t decision; /* enum link_decision */
	/* verbatim Message of CHAP or PAP; EAP: a packet for the peer */
	uint8_t message[LINK_MSG_BLOB_MAX];
	uint16_t message_bytes;
	/* accepted: the gateway's and the client's address; 0: no IPv4 */
	uint8_t ipv4_local[4], ipv4_peer[4];
	uint8_t ipv4_dns[2][4], ipv4_nbns[2][4]; /* 0: none */
	uint8_t ifid_local[8], ifid_peer[8];     /* IPV6CP; 0: PPP may choose */
};

struct link_ipv4 {
	uint8_t local[4], peer[4];
	uint16_t mtu; /* bytes that the peer takes */
	char interface[16];
};

struct link_ipv6 {
	uint8_t ifid_local[8], ifid_peer[8];
	char interface[16];
};

struct link_use { /* IP bytes and packets; in: from the client */
	uint64_t bytes_in, bytes_out, packets_in, packets_out;
};

struct link_end {
	char why[32]; /* "peer-terminated", "auth-failed", "echo-timeout",
		       * "no-ncp", "hangup", "terminated", "failed" */
	bool by_peer;
};

/* put: false when w is full. get: false when malformed (reason in r->err);
 * ret is untouched then. Texts hold no control characters. */
bool link_msg_put_hello(struct wr *w, const struct link_hello *m);
bool link_msg_get_hello(struct rd *r, struct link_hello *ret);
bool link_msg_put_ask(struct wr *w, const struct link_ask *m);
bool link_msg_get_ask(struct rd *r, struct link_ask *ret);
bool link_msg_put_verdict(struct wr *w, const struct link_verdict *m);
bool link_msg_get_verdict(struct rd *r, struct link_verdict *ret);
bool link_msg_put_ipv4(struct wr *w, const struct link_ipv4 *m);
bool link_msg_get_ipv4(struct rd *r, struct link_ipv4 *ret);
bool link_msg_put_ipv6(struct wr *w, const struct link_ipv6 *m);
bool link_msg_get_ipv6(struct rd *r, struct link_ipv6 *ret);
bool link_msg_put_use(struct wr *w, const struct link_use *m);
bool link_msg_get_use(struct rd *r, struct link_use *ret);
bool link_msg_put_end(struct wr *w, const struct link_end *m);
bool link_msg_get_end(struct rd *r, struct link_end *ret);

#endif
