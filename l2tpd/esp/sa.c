/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sa.c: what can be asked of one SA (contracts in esp.h). Owns nothing.
 */
#include "l2tpd/esp/sa.h"
#include "base/counter.h"

#define IPV4_HEADER_BYTES 20
#define IPV6_HEADER_BYTES 40
#define UDP_HEADER_BYTES  8
#define TRAILER_BYTES     2 /* Pad Length and Next Header, RFC 4303 2 */

void
esp_sa_read_counters(const struct esp_sa *sa, struct esp_counters *ret)
{
	const struct esp_counters *c = &sa->counters;

	*ret = (struct esp_counters){
	    .bytes = counter_read(&c->bytes),
	    .packets = counter_read(&c->packets),
	    .replayed = counter_read(&c->replayed),
	    .bad_icv = counter_read(&c->bad_icv),
	    .malformed = counter_read(&c->malformed),
	    .last_use_ms = counter_read(&c->last_use_ms),
	};
}

uint32_t
esp_sa_spi(const struct esp_sa *sa)
{
	return sa->spi;
}

bool
esp_sa_is_inbound(const struct esp_sa *sa)
{
	return sa->inbound;
}

bool
esp_sa_is_encap(const struct esp_sa *sa)
{
	return sa->encap;
}

const struct endpoint *
esp_sa_peer(const struct esp_sa *sa)
{
	return &sa->peer;
}

const struct endpoint *
esp_sa_local(const struct esp_sa *sa)
{
	return &sa->local;
}

void
esp_sa_set_endpoints(struct esp_sa *sa, const struct endpoint *local,
    const struct endpoint *peer, bool encap)
{
	sa->local = *local;
	sa->peer = *peer;
	sa->encap = encap;
}

const char *
esp_sa_cipher_name(const struct esp_sa *sa)
{
	return sa->alg->name;
}

bool
esp_sa_is_expired(const struct esp_sa *sa, uint64_t now_ms)
{
	return now_ms >= sa->expire_ms ||
	    sa->counters.bytes >= sa->hard_bytes ||
	    sa->counters.packets >= sa->hard_packets ||
	    sa->sequence >= ESP_SEQUENCE_MAX;
}

size_t
esp_sa_front_bytes(const struct esp_sa *sa)
{
	return TRANSFORM_HEAD_BYTES + (size_t)sa->alg->iv_bytes;
}

size_t
esp_sa_sealed_bytes(const struct esp_sa *sa, size_t n)
{
	size_t mask = (size_t)sa->alg->align_bytes - 1; /* of a power of two */
	size_t text = (n + TRAILER_BYTES + mask) & ~mask;

	return esp_sa_front_bytes(sa) + text + sa->alg->icv_bytes;
}

size_t
esp_sa_payload_max(const struct esp_sa *sa, size_t outer_mtu)
{
	size_t around, room;

	around = sa->peer.family == 6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES;
	around += sa->encap ? UDP_HEADER_BYTES : 0;
	around += TRANSFORM_HEAD_BYTES;
	around += sa->alg->iv_bytes;
	around += sa->alg->icv_bytes;
	if (outer_mtu <= around)
		return 0;
	room = outer_mtu - around;
	room -= room % sa->alg->align_bytes;
	return room > TRAILER_BYTES ? room - TRAILER_BYTES : 0;
}
