/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * null.h: a plane without packets, for tests of the engine: it keeps SAs and
 * sessions as a real one (same errors), records every call that sends or
 * changes something, and lets the test play the other side.
 *
 *	struct plane *p = plane_null_new(&events, ctx);
 *	... the engine works on p ...
 *	while (null_next_call(p, &call)) ...	what it did, in its order
 *	null_inject_l2tp(p, 7, &peer, 1701, datagram);	what happens to it
 *
 * The plane belongs to whoever got it; plane_free() frees it, unless the test
 * has taken a share to look at it afterwards.
 */
#ifndef ADIT_PLANE_NULL_NULL_H
#define ADIT_PLANE_NULL_NULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l2tpd/plane/plane.h"

enum null_call_type {
	NULL_CALL_SA_ADD,      /* .spi, .inbound, .association, .peer, .local */
	NULL_CALL_SA_UPDATE,   /* .spi, .inbound, .peer, .local (new) */
	NULL_CALL_SA_DEL,      /* .spi, .inbound, .peer */
	NULL_CALL_SPI_EXPECT,  /* .spi, .expect */
	NULL_CALL_IKE_SEND,    /* .peer, .local, .data */
	NULL_CALL_L2TP_SEND,   /* .association, .port, .data */
	NULL_CALL_PPP_SEND,    /* .session, .association, .data */
	NULL_CALL_SESSION_ADD, /* .session, .association, .port */
	NULL_CALL_SESSION_DEL, /* .session */
	NULL_CALL_SESSION_REBIND, /* .session, .association, .port */
	NULL_CALL_OPEN_IPV4,      /* .session, .address (4 bytes), .mru */
	NULL_CALL_OPEN_IPV6,      /* .session, .address (prefix, ifid), .mru */
	NULL_CALL_ROUTES,         /* .session, .networks */
	NULL_CALL_SHUT,           /* .session */
	NULL_CALL_COUNT
};

struct null_call {
	enum null_call_type type;
	int result; /* what the engine got */
	uint32_t spi, association, session;
	bool inbound, expect;
	struct endpoint peer, local;
	uint16_t port, mru;
	uint8_t address[16];
	struct ipv4_networks networks;
	struct rd data; /* borrowed until the next null_next_call() */
};

/* events borrowed, copied. NULL: no memory. */
struct plane *plane_null_new(const struct plane_events *events, void *ctx);

/* One more plane_free() is needed. */
void null_share(struct plane *p);

/* The oldest call that was not fetched yet. False: there is none. */
bool null_next_call(struct plane *p, struct null_call *ret);
/* Forget the calls so far. */
void null_drop_calls(struct plane *p);

/* The next call of this type fails with rc and does nothing. */
void null_fail_next(struct plane *p, enum null_call_type type, int rc);

/* From now on sessions have no channel for a pppd. */
void null_no_channels(struct plane *p);

/* What is there now. */
size_t null_count_sas(const struct plane *p, bool inbound);
size_t null_count_sessions(const struct plane *p);
/* NULL: no such session. *ret_open_ipv4: IP flows. Borrowed until a call. */
const struct plane_session *null_session(
    const struct plane *p, uint32_t id, bool *ret_open_ipv4);
/* The networks behind it now. Borrowed until a call. */
const struct ipv4_networks *null_session_networks(
    const struct plane *p, uint32_t id);
/* By the ids that the engine chose; NULL, borrowed until a call. */
const struct plane_session *null_find_session(
    const struct plane *p, uint16_t local_tunnel_id, uint16_t local_session_id);
/* What plane_session_counters() will say; -ENOENT. */
int null_set_counters(
    struct plane *p, uint32_t id, const struct plane_counters *c);

/* Events, as a real plane would raise them. */
void null_inject_ike(struct plane *p, const struct endpoint *peer,
    const struct endpoint *local, struct rd data);
void null_inject_l2tp(struct plane *p, uint32_t association,
    const struct endpoint *peer, uint16_t peer_port, struct rd data);
void null_inject_ppp(struct plane *p, uint32_t session, struct rd frame);
void null_inject_service(struct plane *p, uint32_t session, struct rd packet);
void null_inject_moved(struct plane *p, uint32_t association, uint32_t spi_in,
    const struct endpoint *peer);
void null_inject_expired(struct plane *p, uint32_t spi, bool inbound);
void null_inject_unknown_spi(
    struct plane *p, const struct endpoint *peer, uint32_t spi);

#endif
