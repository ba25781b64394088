/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ratelimit.c: token buckets (contract in ratelimit.h). Pure: the clock is a
 * parameter; a clock that goes back gives no tokens.
 *
 * Owns the source table: buckets of 4 slots, chosen by a keyed hash
 * (SipHash-2-4) so that a sender cannot aim at one bucket. Who fills a bucket
 * from many addresses can at most make its oldest entry forgotten, which gives
 * that source a fresh burst: the table limits what honest sources lose, not
 * what a spoofer can send.
 */
#include "base/ratelimit.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define WAYS 4

void
ratelimit_init(
    struct ratelimit *r, uint32_t burst, uint32_t per_second, uint64_t now_ms)
{
	*r = (struct ratelimit){
	    .burst = burst,
	    .per_second = per_second,
	    .level_milli = (uint64_t)burst * 1000,
	    .last_ms = now_ms,
	};
}

bool
ratelimit_take(struct ratelimit *r, uint64_t now_ms)
{
	const uint64_t full_milli = (uint64_t)r->burst * 1000;
	uint64_t passed_ms, missing_milli;

	if (now_ms > r->last_ms) {
		passed_ms = now_ms - r->last_ms;
		missing_milli = full_milli - r->level_milli;
		/* 1 token a second is 1 milli-token a millisecond */
		if (r->per_second != 0 &&
		    passed_ms >= missing_milli / r->per_second + 1)
			r->level_milli = full_milli;
		else
			r->level_milli += passed_ms * r->per_second;
		r->last_ms = now_ms;
	}
	if (r->level_milli < 1000)
		return false;
	r->level_milli -= 1000;
	return true;
}

struct slot {
	uint64_t prefix;
	uint8_t family; /* 0: empty */
	struct ratelimit limit;
};

struct ratelimit_table {
	uint64_t key[2];
	size_t buckets; /* a power of two */
	uint32_t burst, per_second;
	struct slot slots[];
};

struct ratelimit_table *
ratelimit_table_new(size_t slots, uint32_t burst, uint32_t per_second)
{
	struct ratelimit_table *t;
	size_t buckets = 1;

	while (buckets < slots / WAYS && buckets < ((size_t)1 << 24))
		buckets *= 2;
	t = calloc(1, sizeof(*t) + buckets * WAYS * sizeof(t->slots[0]));
	if (t == NULL)
		return NULL;
	random_bytes(t->key, sizeof(t->key));
	t->buckets = buckets;
	t->burst = burst;
	t->per_second = per_second;
	return t;
}

void
ratelimit_table_free(struct ratelimit_table *t)
{
	free(t);
}

static uint64_t
rotate(uint64_t v, unsigned int bits)
{
	return v << bits | v >> (64 - bits);
}

static void
sip_rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

/* SipHash-2-4 of the 8 bytes of prefix and 1 of family. */
static uint64_t
hash(const uint64_t key[2], uint64_t prefix, uint8_t family)
{
	const uint64_t words[2] = {prefix, (uint64_t)9 << 56 | family};
	uint64_t v[4] = {
	    key[0] ^ 0x736f6d6570736575,
	    key[1] ^ 0x646f72616e646f6d,
	    key[0] ^ 0x6c7967656e657261,
	    key[1] ^ 0x7465646279746573,
	};
	int i;

	for (i = 0; i < 2; i++) {
		v[3] ^= words[i];
		sip_rounds(v, 2);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* What of an address names a source: IPv4 whole (also when mapped into IPv6),
 * IPv6 its /64, because a host has that many addresses. */
static uint8_t
source_prefix(const struct endpoint *e, uint64_t *ret)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	*ret = 0;
	if (e->family == 4) {
		memcpy(ret, e->addr, 4);
		return 4;
	}
	if (memcmp(e->addr, mapped, sizeof(mapped)) == 0) {
		memcpy(ret, e->addr + sizeof(mapped), 4);
		return 4;
	}
	memcpy(ret, e->addr, 8);
	return 6;
}

bool
ratelimit_table_take(
    struct ratelimit_table *t, const struct endpoint *source, uint64_t now_ms)
{
	struct slot *bucket, *victim;
	uint64_t prefix;
	uint8_t family;
	size_t i;

	family = source_prefix(source, &prefix);
	i = (size_t)hash(t->key, prefix, family) & (t->buckets - 1);
	bucket = &t->slots[i * WAYS];
	victim = bucket;
	for (i = 0; i < WAYS; i++) {
		if (bucket[i].family == family && bucket[i].prefix == prefix)
			return ratelimit_take(&bucket[i].limit, now_ms);
		if (victim->family != 0 &&
		    (bucket[i].family == 0 ||
			bucket[i].limit.last_ms < victim->limit.last_ms))
			victim = &bucket[i];
	}
	victim->prefix = prefix;
	victim->family = family;
	ratelimit_init(&victim->limit, t->burst, t->per_second, now_ms);
	return ratelimit_take(&victim->limit, now_ms);
}
