/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_esp_mb.c: intel-ipsec-mb's managers: each passes its known answers, one
 * that does not is left out and named, plans are whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/esp/mb_int.h"
#include "l2tpd/esp/selftest.h"

#define SKIPPED 77

static enum mb_engine broken; /* fails its known answers */

static bool
known_answers_but_for_one(const struct transform *t)
{
	if (broken < MB_MANAGERS &&
	    t->ctx->plan.encrypt[MB_SMALL][1].engine == broken)
		return false;
	return esp_known_answers(t);
}

static void
each_manager_passes(void **state)
{
	struct mb_state s;
	enum mb_engine e;

	(void)state;
	broken = MB_ENGINES;
	mb_state_make(&s, known_answers_but_for_one);
	assert_true(s.works);
	assert_true(s.usable[MB_SCALAR]);
	for (e = 0; e < MB_MANAGERS; e++) {
		assert_int_equal(s.usable[e], mb_lib_has(&s.lib, e));
		assert_false(s.failed[e]);
	}
}

static void
a_manager_that_fails_is_left_out(void **state)
{
	static const enum esp_crypto cryptos[] = {
	    ESP_CRYPTO_MB_SSE, ESP_CRYPTO_MB_AVX2, ESP_CRYPTO_MB_AVX512};
	struct transform t;
	struct mb_state s;

	(void)state;
	for (broken = MB_AVX2; broken < MB_MANAGERS; broken++) {
		mb_state_make(&s, known_answers_but_for_one);
		if (!mb_lib_has(&s.lib, broken))
			continue;
		assert_true(s.works);
		assert_false(mb_plan_uses(&s.plan, broken));
		assert_false(mb_state_open(&s, &t, cryptos[broken]));
		assert_true(mb_state_open(&s, &t, ESP_CRYPTO_AUTO));
		print_message("%s\n", transform_mb_name(&t));
		assert_non_null(
		    strstr(transform_mb_name(&t), "failed its test"));
		t.ops->close(t.ctx);
	}
	broken = MB_SSE;
	mb_state_make(&s, known_answers_but_for_one);
	assert_false(s.works);
	assert_false(mb_state_open(&s, &t, ESP_CRYPTO_AUTO));
}

/* The tests above can fail: one wrong bit in a key is noticed. */
static bool (*real_init)(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_key *ret, const uint8_t *enc_key, const uint8_t *int_key,
    bool encrypt);

static bool
wrong_init(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_key *ret, const uint8_t *enc_key, const uint8_t *int_key,
    bool encrypt)
{
	uint8_t wrong[ESP_ENC_KEY_MAX] = {0};

	memcpy(wrong, enc_key, alg->enc_key_bytes);
	wrong[5] ^= 4;
	return real_init(ctx, alg, ret, wrong, int_key, encrypt);
}

static void
known_answers_notice_a_wrong_bit(void **state)
{
	struct transform_ops ops = mb_ops;
	struct transform t;

	(void)state;
	assert_true(transform_mb_open(&t, ESP_CRYPTO_AUTO));
	assert_true(esp_known_answers(&t));
	real_init = ops.key_init;
	ops.key_init = wrong_init;
	t.ops = &ops;
	assert_false(esp_known_answers(&t));
	t.ops->close(t.ctx);
}

static void
assert_whole(const struct mb_step steps[MB_BURST + 1])
{
	size_t n;

	for (n = 1; n <= MB_BURST; n++) {
		assert_in_range(steps[n].take, 1, n);
		assert_true(steps[n].engine < MB_ENGINES);
	}
}

static void
plans_take_every_packet(void **state)
{
	struct mb_state s;
	size_t h, size;

	(void)state;
	broken = MB_ENGINES;
	mb_state_make(&s, known_answers_but_for_one);
	for (size = 0; size < MB_SIZES; size++) {
		assert_whole(s.plan.encrypt[size]);
		for (h = 0; h < MB_HASHES; h++)
			assert_whole(s.plan.hash[size][h]);
		for (h = 1; h <= MB_BURST; h++)
			assert_int_not_equal(
			    s.plan.encrypt[size][h].engine, MB_SCALAR);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_manager_passes),
	    cmocka_unit_test(a_manager_that_fails_is_left_out),
	    cmocka_unit_test(known_answers_notice_a_wrong_bit),
	    cmocka_unit_test(plans_take_every_packet),
	};
	struct mb_lib lib;

	if (!mb_lib_open(&lib) || !mb_lib_has(&lib, MB_SSE))
		return SKIPPED; /* built with the header, no library here */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
