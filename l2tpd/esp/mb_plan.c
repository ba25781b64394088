/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mb_plan.c: which instruction set does how many packets. A 16-lane pass costs
 * the same for one packet as for sixteen, and every processor is different: so
 * a few milliseconds at start measure bursts of some sizes, and the cheapest
 * way to cut up every batch follows. The clock is the processor's cycle
 * counter; only ratios count. Owns nothing.
 */
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "l2tpd/esp/mb_int.h"

#define TEXT_MAX     1024
#define PACKET_BYTES (TEXT_MAX + 256)
#define WHAT_GCM     (-1)
#define ROUNDS       6 /* the best counts: the rest was disturbed */

/* Burst sizes that are measured. */
static const uint8_t sizes[] = {1, 2, 3, 4, 6, 8, 10, 12, 16, 32, 48, 64};
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))
_Static_assert(MB_BURST == 64, "the largest size");

static const size_t text_bytes[] = {[MB_SMALL] = 112, [MB_LARGE] = TEXT_MAX};

struct bench {
	struct transform_ctx *ctx;
	uint8_t *packets, *tags;
	_Alignas(16) uint8_t key[16 * 16]; /* any bytes are round keys */
	IMB_JOB *jobs;
};

typedef bool (*bench_run)(
    struct bench *b, enum mb_engine engine, int what, size_t n);

static bool
run_hash(struct bench *b, enum mb_engine engine, int what, size_t n)
{
	return mb_hash_burst(b->ctx, engine, (enum mb_hash)what, b->jobs, n);
}

static bool
run_cipher(struct bench *b, enum mb_engine engine, int what, size_t n)
{
	return mb_cbc_burst(b->ctx, engine, (IMB_CIPHER_DIRECTION)what,
	    IMB_KEY_256_BYTES, b->jobs, n);
}

static bool
run_gcm(struct bench *b, enum mb_engine engine, int what, size_t n)
{
	struct gcm_key_data *key = (void *)b->tags; /* room enough */
	IMB_MGR *m = b->ctx->managers[engine];
	size_t i;

	(void)what;
	if (n == 0) /* before it is measured */
		IMB_AES256_GCM_PRE(m, b->key, key);
	for (i = 0; i < n; i++)
		IMB_AES256_GCM_ENC(m, key, &b->ctx->gcm, b->packets, b->packets,
		    TEXT_MAX, b->key, b->key, 8, b->packets + TEXT_MAX, 16);
	return true;
}

static void
fill(struct bench *b)
{
	IMB_JOB *j;
	size_t i;

	for (i = 0; i < MB_BURST; i++) {
		j = &b->jobs[i];
		j->enc_keys = j->dec_keys = b->key;
		j->key_len_in_bytes = IMB_KEY_256_BYTES;
		j->src = b->packets + i * PACKET_BYTES;
		j->dst = b->packets + i * PACKET_BYTES;
		j->iv = b->key;
		j->iv_len_in_bytes = 16;
		j->cipher_mode = IMB_CIPHER_CBC;
		j->auth_tag_output = b->tags + i * MB_TAG_BYTES;
		j->auth_tag_output_len_in_bytes = 12;
		j->u.HMAC._hashed_auth_key_xor_ipad = b->key;
		j->u.HMAC._hashed_auth_key_xor_opad = b->key;
	}
}

static void
fill_size(struct bench *b, enum mb_size size)
{
	size_t i;

	for (i = 0; i < MB_BURST; i++) {
		b->jobs[i].msg_len_to_cipher_in_bytes = text_bytes[size];
		b->jobs[i].msg_len_to_hash_in_bytes = text_bytes[size];
	}
}

/* hash_alg and tag length differ by hash. */
static void
fill_hash(struct bench *b, enum mb_hash hash)
{
	static const IMB_HASH_ALG algs[] = {IMB_AUTH_HMAC_SHA_1,
	    IMB_AUTH_HMAC_SHA_256, IMB_AUTH_HMAC_SHA_384,
	    IMB_AUTH_HMAC_SHA_512};
	static const uint8_t tag_bytes[] = {12, 16, 24, 32};
	size_t i;

	for (i = 0; i < MB_BURST; i++) {
		b->jobs[i].hash_alg = algs[hash];
		b->jobs[i].auth_tag_output_len_in_bytes = tag_bytes[hash];
	}
}

/* Cycles of a burst of n; UINT64_MAX: it failed. */
static uint64_t
measure(
    struct bench *b, bench_run run, enum mb_engine engine, int what, size_t n)
{
	uint64_t best = UINT64_MAX, before, cycles;
	size_t i;

	if (what == WHAT_GCM && !run(b, engine, what, 0))
		return UINT64_MAX;
	for (i = 0; i < ROUNDS; i++) {
		before = __rdtsc();
		if (!run(b, engine, what, n))
			return UINT64_MAX;
		cycles = __rdtsc() - before;
		if (cycles < best)
			best = cycles;
	}
	return best;
}

/* The cheapest way to do 1, 2, ... MB_BURST packets, each from that of fewer:
 * one burst that takes all, or a measured burst and then the rest. */
static void
plan_steps(uint64_t cost_of[MB_ENGINES][N_SIZES], const bool usable[MB_ENGINES],
    struct mb_step steps[MB_BURST + 1])
{
	uint64_t total[MB_BURST + 1] = {0}, cost;
	size_t n, take, i;
	uint8_t e;

	for (n = 1; n <= MB_BURST; n++) {
		total[n] = UINT64_MAX;
		for (i = 0; i < N_SIZES * MB_ENGINES; i++) {
			e = (uint8_t)(i / N_SIZES);
			take = sizes[i % N_SIZES];
			cost = cost_of[e][i % N_SIZES];
			if (!usable[e] || cost == UINT64_MAX)
				continue;
			if (take > n) /* with empty lanes */
				take = n;
			cost += total[n - take];
			if (cost < total[n]) {
				total[n] = cost;
				steps[n] = (struct mb_step){e, (uint8_t)take};
			}
		}
	}
}

static void
plan_of_run(struct bench *b, bench_run run, int what,
    const bool usable[MB_ENGINES], struct mb_step steps[MB_BURST + 1])
{
	uint64_t cost[MB_ENGINES][N_SIZES];
	size_t i;
	uint8_t e;

	for (e = 0; e < MB_ENGINES; e++)
		for (i = 0; i < N_SIZES; i++)
			cost[e][i] = usable[e]
			    ? measure(b, run, e, what, sizes[i])
			    : UINT64_MAX;
	plan_steps(cost, usable, steps);
}

static uint8_t
fastest(struct bench *b, bench_run run, int what, const bool usable[MB_ENGINES])
{
	uint64_t best = UINT64_MAX, cycles;
	uint8_t e, ret = MB_SSE;

	for (e = 0; e < MB_MANAGERS; e++) {
		cycles = usable[e] ? measure(b, run, e, what, 8) : UINT64_MAX;
		if (cycles < best) {
			best = cycles;
			ret = e;
		}
	}
	return ret;
}

static void
measure_size(struct bench *b, const bool usable[MB_ENGINES],
    const bool managers[MB_ENGINES], enum mb_size size, struct mb_plan *ret)
{
	static const enum mb_hash hashes[] = {MB_SHA1, MB_SHA256, MB_SHA512};
	size_t i;

	fill_size(b, size);
	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		fill_hash(b, hashes[i]);
		plan_of_run(b, run_hash, (int)hashes[i], usable,
		    ret->hash[size][hashes[i]]);
	}
	/* the same work but for its start */
	memcpy(ret->hash[size][MB_SHA384], ret->hash[size][MB_SHA512],
	    sizeof(ret->hash[size][MB_SHA384]));
	plan_of_run(
	    b, run_cipher, IMB_DIR_ENCRYPT, managers, ret->encrypt[size]);
}

static void
measure_all(struct bench *b, const bool usable[MB_ENGINES], struct mb_plan *ret)
{
	bool managers[MB_ENGINES] = {false};

	memcpy(managers, usable, MB_MANAGERS * sizeof(managers[0]));
	fill(b);
	measure_size(b, usable, managers, MB_SMALL, ret);
	measure_size(b, usable, managers, MB_LARGE, ret);
	ret->decrypt = fastest(b, run_cipher, IMB_DIR_DECRYPT, managers);
	ret->gcm = fastest(b, run_gcm, WHAT_GCM, managers);
}

struct mb_plan
mb_plan_measure(struct transform_ctx *ctx, const bool usable[MB_ENGINES])
{
	struct mb_plan plan = mb_plan_of(MB_SSE, MB_SSE);
	struct bench b = {.ctx = ctx, .jobs = ctx->jobs};
	size_t bytes = MB_BURST * (PACKET_BYTES + MB_TAG_BYTES);

	b.packets = aligned_alloc(64, bytes);
	if (b.packets == NULL)
		return plan;
	memset(b.packets, 0x55, bytes); /* pages that are there */
	b.tags = b.packets + MB_BURST * (size_t)PACKET_BYTES;
	measure_all(&b, usable, &plan);
	free(b.packets);
	return plan;
}

struct mb_plan
mb_plan_of(enum mb_engine hash, enum mb_engine cipher)
{
	struct mb_plan plan = {
	    .decrypt = (uint8_t)cipher, .gcm = (uint8_t)cipher};
	size_t n, h, size;

	for (size = 0; size < MB_SIZES; size++) {
		for (n = 1; n <= MB_BURST; n++) {
			plan.encrypt[size][n] =
			    (struct mb_step){(uint8_t)cipher, (uint8_t)n};
			for (h = 0; h < MB_HASHES; h++)
				plan.hash[size][h][n] =
				    (struct mb_step){(uint8_t)hash, (uint8_t)n};
		}
	}
	return plan;
}

static bool
steps_use(const struct mb_step steps[MB_BURST + 1], enum mb_engine engine)
{
	size_t n;

	for (n = 1; n <= MB_BURST; n++)
		if (steps[n].engine == engine)
			return true;
	return false;
}

bool
mb_plan_uses(const struct mb_plan *plan, enum mb_engine engine)
{
	size_t size, h;
	bool uses = plan->decrypt == engine || plan->gcm == engine;

	for (size = 0; size < MB_SIZES; size++) {
		uses |= steps_use(plan->encrypt[size], engine);
		for (h = 0; h < MB_HASHES; h++)
			uses |= steps_use(plan->hash[size][h], engine);
	}
	return uses;
}
