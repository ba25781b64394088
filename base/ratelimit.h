/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ratelimit.h: token buckets with an injected clock, single and per source.
 * A source table has a fixed size: it costs what it costs, whatever is sent.
 */
#ifndef ADIT_BASE_RATELIMIT_H
#define ADIT_BASE_RATELIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"

struct ratelimit {
	uint32_t burst;       /* tokens */
	uint32_t per_second;  /* tokens */
	uint64_t level_milli; /* thousandths of a token */
	uint64_t last_ms;
};

void ratelimit_init(
    struct ratelimit *r, uint32_t burst, uint32_t per_second, uint64_t now_ms);
/* Take one token; false: none left. */
bool ratelimit_take(struct ratelimit *r, uint64_t now_ms);

struct ratelimit_table;
/* slots sources are remembered (hashed with a random key; the oldest of its
 * bucket is replaced). The address counts, not the port; IPv6 by /64. */
struct ratelimit_table *ratelimit_table_new(
    size_t slots, uint32_t burst, uint32_t per_second);
void ratelimit_table_free(struct ratelimit_table *t);
bool ratelimit_table_take(
    struct ratelimit_table *t, const struct endpoint *source, uint64_t now_ms);

#endif
