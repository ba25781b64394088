/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.c: which IKE datagrams may reach charon (contract in filter.h).
 *
 * Owns the token buckets and counters. Trusts nothing: every field of the
 * header is the sender's. RFC 2408 3.1 (header), 5.2 (header processing),
 * RFC 2409 5 (exchanges); fragments as sent by Windows, Cisco and racoon (next
 * payload 132).
 *
 * A packet without responder cookie is the first of an exchange and makes
 * charon allocate: only those cost a token. All others find an IKE_SA or are
 * dropped by charon at once.
 */
#include "l2tpd/ike/filter.h"

#include <stdlib.h>

#include "base/ratelimit.h"

#define ISAKMP_HEADER_BYTES 28 /* RFC 2408 3.1 */
#define ISAKMP_MAJOR        1  /* RFC 2408 3.1; IKEv2 is 2 */

enum isakmp_exchange { /* RFC 2408 3.1, RFC 2409 A, draft-dukes-ike-mode-cfg */
	EXCHANGE_MAIN = 2,
	EXCHANGE_AGGRESSIVE = 4,
	EXCHANGE_INFORMATIONAL = 5,
	EXCHANGE_TRANSACTION = 6,
	EXCHANGE_QUICK = 32,
};

enum isakmp_payload { /* RFC 2408 3.1, RFC 3947 3.2 and 5.2 */
	PAYLOAD_NONE = 0,
	PAYLOAD_SA = 1,
	PAYLOAD_MAX = 21, /* NAT-OA 21; drafts use 130, 131 */
	PAYLOAD_NATD_DRAFT = 130,
	PAYLOAD_NATOA_DRAFT = 131,
	PAYLOAD_FRAGMENT = 132,
};

struct ike_filter {
	struct ratelimit_table *sources; /* owned */
	struct ratelimit all;
	bool aggressive, transaction, refuse_new;
	uint64_t counts[IKE_VERDICT_COUNT_];
};

struct header {
	uint64_t initiator_cookie, responder_cookie;
	uint8_t next_payload, version, exchange, flags;
	uint32_t message_id, length;
};

struct ike_filter *
ike_filter_new(uint64_t now_ms)
{
	struct ike_filter *f;

	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->sources = ratelimit_table_new(IKE_FILTER_SOURCES,
	    IKE_FILTER_SOURCE_BURST, IKE_FILTER_SOURCE_PER_S);
	if (f->sources == NULL) {
		free(f);
		return NULL;
	}
	ratelimit_init(
	    &f->all, IKE_FILTER_GLOBAL_BURST, IKE_FILTER_GLOBAL_PER_S, now_ms);
	return f;
}

void
ike_filter_free(struct ike_filter *f)
{
	if (f == NULL)
		return;
	ratelimit_table_free(f->sources);
	free(f);
}

void
ike_filter_allow_aggressive(struct ike_filter *f, bool on)
{
	f->aggressive = on;
}

void
ike_filter_allow_transaction(struct ike_filter *f, bool on)
{
	f->transaction = on;
}

void
ike_filter_refuse_new(struct ike_filter *f, bool on)
{
	f->refuse_new = on;
}

static bool
read_header(struct rd *r, struct header *h)
{
	return rd_be64(r, &h->initiator_cookie) &&
	    rd_be64(r, &h->responder_cookie) && rd_u8(r, &h->next_payload) &&
	    rd_u8(r, &h->version) && rd_u8(r, &h->exchange) &&
	    rd_u8(r, &h->flags) && rd_be32(r, &h->message_id) &&
	    rd_be32(r, &h->length);
}

static bool
is_payload(uint8_t payload)
{
	return payload <= PAYLOAD_MAX || payload == PAYLOAD_NATD_DRAFT ||
	    payload == PAYLOAD_NATOA_DRAFT || payload == PAYLOAD_FRAGMENT;
}

/* Exchange type, and the message id that belongs to it (RFC 2408 3.1: zero in
 * phase 1; RFC 2409 5.5: not zero in quick mode). */
static enum ike_verdict
check_exchange(const struct ike_filter *f, const struct header *h)
{
	switch (h->exchange) {
	case EXCHANGE_MAIN:
		return h->message_id == 0 ? IKE_PASS : IKE_DROP_MESSAGE_ID;
	case EXCHANGE_AGGRESSIVE:
		if (!f->aggressive)
			return IKE_DROP_AGGRESSIVE;
		return h->message_id == 0 ? IKE_PASS : IKE_DROP_MESSAGE_ID;
	case EXCHANGE_INFORMATIONAL:
		/* some peers send 0 for an unprotected notify */
		return IKE_PASS;
	case EXCHANGE_TRANSACTION:
		if (!f->transaction)
			return IKE_DROP_TRANSACTION;
		return h->message_id != 0 ? IKE_PASS : IKE_DROP_MESSAGE_ID;
	case EXCHANGE_QUICK:
		return h->message_id != 0 ? IKE_PASS : IKE_DROP_MESSAGE_ID;
	default:
		return IKE_DROP_EXCHANGE;
	}
}

static enum ike_verdict
check(struct ike_filter *f, struct rd data, const struct endpoint *peer,
    uint64_t now_ms)
{
	const size_t datagram_bytes = data.left;
	enum ike_verdict v;
	struct header h;

	if (!read_header(&data, &h))
		return IKE_DROP_SHORT;
	if (h.version >> 4 != ISAKMP_MAJOR)
		return IKE_DROP_VERSION;
	/* RFC 2408 5.2 allows more bytes in the datagram than the length says;
	 * no client sends any, and less is always wrong */
	if (h.length != datagram_bytes)
		return IKE_DROP_LENGTH;
	if (h.initiator_cookie == 0)
		return IKE_DROP_COOKIE;
	v = check_exchange(f, &h);
	if (v != IKE_PASS)
		return v;
	if (!is_payload(h.next_payload) || h.next_payload == PAYLOAD_NONE)
		return IKE_DROP_PAYLOAD;
	if (h.responder_cookie != 0)
		return IKE_PASS;
	/* the first message of phase 1 begins with the SA (RFC 2409 5), but may
	 * be a fragment; nothing else has no responder cookie */
	if (h.exchange != EXCHANGE_MAIN && h.exchange != EXCHANGE_AGGRESSIVE)
		return IKE_DROP_COOKIE;
	if (h.next_payload != PAYLOAD_SA && h.next_payload != PAYLOAD_FRAGMENT)
		return IKE_DROP_PAYLOAD;
	if (f->refuse_new)
		return IKE_DROP_NOT_ASKED;
	if (!ratelimit_table_take(f->sources, peer, now_ms))
		return IKE_DROP_SOURCE_RATE;
	if (!ratelimit_take(&f->all, now_ms))
		return IKE_DROP_GLOBAL_RATE;
	return IKE_PASS;
}

enum ike_verdict
ike_filter_check(struct ike_filter *f, struct rd data,
    const struct endpoint *peer, uint64_t now_ms)
{
	enum ike_verdict v = check(f, data, peer, now_ms);

	f->counts[v]++;
	return v;
}

uint64_t
ike_filter_count(const struct ike_filter *f, enum ike_verdict v)
{
	return v < IKE_VERDICT_COUNT_ ? f->counts[v] : 0;
}

const char *
ike_verdict_name(enum ike_verdict v)
{
	static const char *const names[IKE_VERDICT_COUNT_] = {
	    [IKE_PASS] = "pass",
	    [IKE_DROP_SHORT] = "too-short",
	    [IKE_DROP_LENGTH] = "wrong-length",
	    [IKE_DROP_VERSION] = "ikev2-or-junk",
	    [IKE_DROP_COOKIE] = "wrong-cookie",
	    [IKE_DROP_EXCHANGE] = "exchange-type",
	    [IKE_DROP_AGGRESSIVE] = "aggressive-mode",
	    [IKE_DROP_TRANSACTION] = "transaction-exchange",
	    [IKE_DROP_PAYLOAD] = "first-payload",
	    [IKE_DROP_MESSAGE_ID] = "message-id",
	    [IKE_DROP_SOURCE_RATE] = "source-rate",
	    [IKE_DROP_GLOBAL_RATE] = "global-rate",
	    [IKE_DROP_NOT_ASKED] = "not-asked",
	};

	return v < IKE_VERDICT_COUNT_ ? names[v] : "unknown";
}
