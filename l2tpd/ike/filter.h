/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.h: which IKE datagrams may reach charon. Pure: no I/O, clock by
 * parameter. Looks at the fixed ISAKMP header (RFC 2408 3.1) and nothing
 * else.
 *
 * Why: charon 5.9.8 leaks half-open counters on IKEv2 packets, has no cookies
 * for IKEv1, and nothing but main mode, quick mode and informational exchanges
 * is needed by any L2TP/IPsec client that we know.
 */
#ifndef ADIT_IKE_FILTER_H
#define ADIT_IKE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/rd.h"

enum ike_verdict {
	IKE_PASS = 0,
	IKE_DROP_SHORT,       /* less than the 28 bytes of a header */
	IKE_DROP_LENGTH,      /* header's length is not the datagram's */
	IKE_DROP_VERSION,     /* not 1.x: IKEv2 or junk */
	IKE_DROP_COOKIE,      /* initiator cookie zero (RFC 2408 2.5.3) */
	IKE_DROP_EXCHANGE,    /* exchange type that no client needs */
	IKE_DROP_AGGRESSIVE,  /* aggressive mode, and it is off */
	IKE_DROP_TRANSACTION, /* XAUTH or mode config, and it is off */
	IKE_DROP_PAYLOAD,     /* first payload is none of IKEv1 */
	IKE_DROP_MESSAGE_ID,  /* message id does not fit the exchange */
	IKE_DROP_SOURCE_RATE, /* too many new peers from this source */
	IKE_DROP_GLOBAL_RATE, /* too many new peers */
	IKE_DROP_NOT_ASKED,   /* a new peer, and we are a client */
	IKE_VERDICT_COUNT_
};

/* First messages of main mode that one source (IPv4 address or IPv6 /64) may
 * send: an office behind one NAT that comes back after a power cut. */
#define IKE_FILTER_SOURCE_BURST 60
#define IKE_FILTER_SOURCE_PER_S 10
/* All sources together: about half of what one core of charon can answer. */
#define IKE_FILTER_GLOBAL_BURST 600
#define IKE_FILTER_GLOBAL_PER_S 200
#define IKE_FILTER_SOURCES      4096 /* remembered */

struct ike_filter;

/* NULL: no memory. The owner frees. now_ms: the clock that _check() gets. */
struct ike_filter *ike_filter_new(uint64_t now_ms);
void ike_filter_free(struct ike_filter *f); /* NULL is fine */

/* Both off at first. Aggressive mode with a PSK gives the hash of the PSK to
 * anyone who asks. */
void ike_filter_allow_aggressive(struct ike_filter *f, bool on);
void ike_filter_allow_transaction(struct ike_filter *f, bool on);

/* A client: nobody may begin with it, answers to it pass. */
void ike_filter_refuse_new(struct ike_filter *f, bool on);

/* data: one datagram without non-ESP marker. Counts its verdict. */
enum ike_verdict ike_filter_check(struct ike_filter *f, struct rd data,
    const struct endpoint *peer, uint64_t now_ms);

uint64_t ike_filter_count(const struct ike_filter *f, enum ike_verdict v);
const char *ike_verdict_name(enum ike_verdict v); /* "ikev2-or-junk" */

#endif
