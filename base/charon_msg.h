/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * charon_msg.h: what our charon plugin and the engine say to each other over
 * one SOCK_SEQPACKET socket (the engine's side listens, the plugin connects
 * and re-connects). In base/ because both sides link it. One record is
 * be32 type, be32 id (0), payload: the format of imsg.h.
 *
 * Both sides decode with cursors; the plugin trusts the engine as little as
 * the engine trusts a client: a record that does not decode ends the
 * connection.
 */
#ifndef ADIT_BASE_CHARON_MSG_H
#define ADIT_BASE_CHARON_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/rd.h"
#include "base/wr.h"

#define CHARON_MSG_VERSION  2
#define CHARON_MSG_IKE_MAX  10000 /* bytes of an IKE datagram */
#define CHARON_MSG_KEY_MAX  64
#define CHARON_MSG_TEXT_MAX 256

enum charon_msg_type {
	/* plugin to engine. After connecting: HELLO, then every SPI and SA that
	 * it holds, then SYNC_END; the engine drops what was not named. */
	CHARON_MSG_HELLO = 1,     /* be32 version, be64 epoch */
	CHARON_MSG_SPI_NEW = 2,   /* be32 spi */
	CHARON_MSG_SPI_FREE = 3,  /* be32 spi */
	CHARON_MSG_SA_ADD = 4,    /* struct charon_sa */
	CHARON_MSG_SA_UPDATE = 5, /* struct charon_sa_update */
	CHARON_MSG_SA_DEL = 6,    /* struct charon_sa_del */
	CHARON_MSG_SYNC_END = 7,  /* empty */
	CHARON_MSG_IKE_OUT = 8,   /* struct charon_ike: send this */
	CHARON_MSG_ALERT = 9,  /* struct charon_alert: a refusal, for the log */
	CHARON_MSG_CHILD = 10, /* struct charon_child: who the SAs belong to */
	/* engine to plugin */
	CHARON_MSG_IKE_IN = 16, /* struct charon_ike: this was received */
	CHARON_MSG_MAPPING =
	    17,                 /* be32 spi_in, endpoint: NAT mapping changed */
	CHARON_MSG_EXPIRE = 18, /* be32 spi_in, u8 hard, endpoint local */
	CHARON_MSG_USE = 19,    /* be32 spi, u8 inbound, be64 bytes, be64
				 * packets: counters for query_sa */
};

struct charon_sa {
	uint32_t spi; /* host byte order */
	bool inbound;
	bool encap;
	uint32_t mark; /* the association in charon's numbers (unique mark) */
	uint32_t reqid;
	struct endpoint local, peer;
	uint16_t enc_alg, int_alg; /* IANA IKEv2 numbers */
	uint8_t enc_key[CHARON_MSG_KEY_MAX];
	uint8_t enc_key_bytes;
	uint8_t int_key[CHARON_MSG_KEY_MAX];
	uint8_t int_key_bytes;
	uint64_t hard_time_s, hard_bytes, hard_packets; /* 0: none */
	uint16_t peer_port; /* of the peer's traffic selector; 0: any */
};

struct charon_sa_update {
	uint32_t spi;
	bool inbound;
	bool encap; /* new */
	struct endpoint old_peer, local, peer;
};

struct charon_sa_del {
	uint32_t spi;
	bool inbound;
	struct endpoint peer;
};

/* The CHILD_SA with this mark is up, was rekeyed, or has another IKE_SA. */
struct charon_child {
	uint32_t mark;
	uint32_t ike_id; /* charon's unique id of the IKE_SA */
	char identity[CHARON_MSG_TEXT_MAX];
	char connection[CHARON_MSG_TEXT_MAX];
};

struct charon_ike {
	struct endpoint local, peer;
	struct rd data; /* the IKE message without non-ESP marker; borrowed */
};

enum charon_alert_kind {
	CHARON_ALERT_WRONG_PSK = 1, /* MM5 does not decrypt: wrong PSK */
	CHARON_ALERT_AUTH_FAILED = 2,
	CHARON_ALERT_CERT_UNTRUSTED = 3,
	CHARON_ALERT_CERT_EXPIRED = 4,
	CHARON_ALERT_CERT_REVOKED = 5,
	CHARON_ALERT_NO_IKE_PROPOSAL = 6,
	CHARON_ALERT_NO_ESP_PROPOSAL = 7,
	CHARON_ALERT_NO_CONFIG = 8, /* no connection for this peer */
	CHARON_ALERT_TS_MISMATCH = 9,
	CHARON_ALERT_OTHER = 10,
};

struct charon_alert {
	uint8_t kind;
	struct endpoint peer;
	char identity[CHARON_MSG_TEXT_MAX]; /* "" when not known */
	char detail[CHARON_MSG_TEXT_MAX];   /* e.g. the certificate's subject */
};

/* put: false when w is full. get: false when malformed (reason in r->err);
 * a get leaves nothing unread or fails. Keys: wipe your copies. */
bool charon_msg_put_endpoint(struct wr *w, const struct endpoint *e);
bool charon_msg_get_endpoint(struct rd *r, struct endpoint *ret);
bool charon_msg_put_sa(struct wr *w, const struct charon_sa *sa);
bool charon_msg_get_sa(struct rd *r, struct charon_sa *ret);
bool charon_msg_put_sa_update(struct wr *w, const struct charon_sa_update *u);
bool charon_msg_get_sa_update(struct rd *r, struct charon_sa_update *ret);
bool charon_msg_put_sa_del(struct wr *w, const struct charon_sa_del *d);
bool charon_msg_get_sa_del(struct rd *r, struct charon_sa_del *ret);
bool charon_msg_put_child(struct wr *w, const struct charon_child *c);
bool charon_msg_get_child(struct rd *r, struct charon_child *ret);
bool charon_msg_put_ike(struct wr *w, const struct charon_ike *i);
bool charon_msg_get_ike(struct rd *r, struct charon_ike *ret);
bool charon_msg_put_alert(struct wr *w, const struct charon_alert *a);
bool charon_msg_get_alert(struct rd *r, struct charon_alert *ret);

#endif
