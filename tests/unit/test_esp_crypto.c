/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_esp_crypto.c: every implementation of the ESP crypto that this machine
 * has against every other; batches of all sizes; the null cipher; the index.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/esp/index.h"
#include "l2tpd/esp/sa.h"
#include "tests/fuzz/esp_diff.h"

#define N_CRYPTO   (ESP_CRYPTO_MB_AVX512 + 1)
#define FRONT      24
#define BATCH_MAX  300
#define BUF_BYTES  (FRONT + 400 + ESP_OVERHEAD_MAX)
#define DIFF_RUNS  60
#define N_NUMBERS  200
#define INDEX_RUNS 20000

static struct esp_table *
table(enum esp_crypto crypto)
{
	struct esp_table *t = esp_table_new_using(crypto);

	if (t == NULL && crypto > ESP_CRYPTO_OPENSSL)
		print_message("not here: implementation %d\n", crypto);
	else
		assert_non_null(t);
	return t;
}

static struct esp_sa *
add(struct esp_table *t, const struct esp_alg *alg, uint32_t spi, bool inbound)
{
	struct esp_sa_params p = {
	    .spi = spi,
	    .inbound = inbound,
	    .association = spi,
	    .enc_alg = alg->enc,
	    .int_alg = alg->integ,
	    .enc_key_bytes = alg->enc_key_bytes,
	    .int_key_bytes = alg->int_key_bytes,
	};
	struct esp_sa *sa;
	size_t i;

	for (i = 0; i < sizeof(p.enc_key); i++)
		p.enc_key[i] = (uint8_t)(i * 7 + spi);
	for (i = 0; i < sizeof(p.int_key); i++)
		p.int_key[i] = (uint8_t)(i * 11 + spi);
	assert_int_equal(esp_sa_add(t, &p, 0, &sa), 0);
	return sa;
}

struct batch {
	uint8_t bytes[BATCH_MAX][BUF_BYTES];
	struct esp_job jobs[BATCH_MAX];
};

static size_t
length_of(size_t i, size_t n)
{
	return (i * 37 + n) % 400;
}

static void
fill(struct batch *b, struct esp_sa *const *out, size_t n_sas, size_t n)
{
	size_t i, k, len;

	for (i = 0; i < n; i++) {
		len = length_of(i, n);
		for (k = 0; k < len; k++)
			b->bytes[i][FRONT + k] = (uint8_t)(i + k);
		b->jobs[i] = (struct esp_job){.sa = out[i % n_sas],
		    .data = b->bytes[i] + FRONT,
		    .len = len,
		    .next_header = 17};
	}
}

static void
check(const struct batch *b, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		assert_int_equal(b->jobs[i].verdict, ESP_OK);
		assert_int_equal(b->jobs[i].len, length_of(i, n));
		for (k = 0; k < b->jobs[i].len; k++)
			if (b->jobs[i].data[k] != (uint8_t)(i + k))
				fail_msg("packet %zu of %zu", i, n);
	}
}

/* All algorithms in one batch, sealed by one and opened by the other. */
static void
exchange(struct esp_table *from, struct esp_table *to)
{
	static struct batch b;
	const struct esp_alg *algs;
	struct esp_sa *in[32], *out[32];
	size_t n_algs, i, n;
	uint32_t spi;

	algs = esp_alg_table(&n_algs);
	assert_true(n_algs <= 32);
	for (i = 0; i < n_algs; i++) {
		spi = (uint32_t)i + 1;
		out[i] = add(from, &algs[i], spi, false);
		in[i] = add(to, &algs[i], spi, true);
	}
	for (n = 1; n <= BATCH_MAX; n += 1 + n / 20) {
		fill(&b, out, n_algs, n);
		esp_encrypt_batch(b.jobs, n, 0);
		for (i = 0; i < n; i++)
			b.jobs[i].sa = in[i % n_algs];
		esp_decrypt_batch(b.jobs, n, 0);
		check(&b, n);
	}
}

static void
each_opens_what_another_sealed(void **state)
{
	struct esp_table *from, *to;
	enum esp_crypto a, b;

	(void)state;
	for (a = 0; a < N_CRYPTO; a++) {
		for (b = 0; b < N_CRYPTO; b++) {
			from = table(a);
			to = table(b);
			if (from != NULL && to != NULL)
				exchange(from, to);
			esp_table_free(from);
			esp_table_free(to);
		}
	}
}

/* One algorithm, so all lanes fill, at every size of a batch. */
static void
all_batch_sizes(void **state)
{
	static const char *const names[] = {
	    "aes256-sha1", "aes128-sha256", "aes192-sha512", "aes256gcm16"};
	static struct batch b;
	const struct esp_alg *algs;
	struct esp_table *t = table(ESP_CRYPTO_AUTO);
	struct esp_sa *in, *out;
	size_t n_algs, i, k, n;

	(void)state;
	algs = esp_alg_table(&n_algs);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (k = 0; strcmp(algs[k].name, names[i]) != 0; k++)
			assert_true(k < n_algs);
		out = add(t, &algs[k], (uint32_t)i + 1, false);
		in = add(t, &algs[k], (uint32_t)i + 1, true);
		for (n = 1; n <= 200; n++) {
			fill(&b, &out, 1, n);
			esp_encrypt_batch(b.jobs, n, 0);
			for (k = 0; k < n; k++)
				b.jobs[k].sa = in;
			esp_decrypt_batch(b.jobs, n, 0);
			check(&b, n);
		}
	}
	esp_table_free(t);
}

static void
implementations_agree(void **state)
{
	uint8_t seed[4] = {0};
	size_t i;

	(void)state;
	print_message("OpenSSL against %zu others\n", esp_diff_others());
	for (i = 0; i < DIFF_RUNS; i++) {
		seed[0] = (uint8_t)(i * 7);
		seed[1] = (uint8_t)(i * 13);
		seed[2] = (uint8_t)i;
		esp_diff_batch(seed, sizeof(seed));
	}
}

/* Whole lines, and no more of them than the key needs. */
static void
an_sa_is_compact(void **state)
{
	struct esp_table *t = table(ESP_CRYPTO_AUTO);
	const struct esp_alg *algs;
	struct esp_sa *in, *out;
	size_t n, i;

	(void)state;
	algs = esp_alg_table(&n);
	for (i = 0; i < n; i++) {
		in = add(t, &algs[i], 1, true);
		out = add(t, &algs[i], 1, false);
		print_message("%s: in %zu, out %zu bytes\n", algs[i].name,
		    in->bytes, out->bytes);
		assert_int_equal((uintptr_t)in % CACHE_LINE_BYTES, 0);
		assert_int_equal((uintptr_t)in->key % TRANSFORM_KEY_ALIGN, 0);
		assert_int_equal((uintptr_t)out->key % TRANSFORM_KEY_ALIGN, 0);
		/* a session with two pairs, while it is rekeyed */
		assert_true(2 * (in->bytes + out->bytes) <= 7 * 1024);
	}
	esp_table_free(t);
}

static void
null_only_when_allowed(void **state)
{
	struct esp_table *t = table(ESP_CRYPTO_AUTO);
	struct esp_sa_params p = {
	    .spi = 1, .association = 1, .enc_alg = ESP_ENC_NULL};
	struct esp_sa *in, *out;
	uint8_t bytes[128] = "....................only a test";
	struct esp_job j;

	(void)state;
	assert_int_equal(esp_sa_add(t, &p, 0, &out), -ENOTSUP);
	esp_table_allow_null(t);
	p.int_alg = ESP_INT_HMAC_SHA1_96;
	p.int_key_bytes = 20;
	assert_int_equal(esp_sa_add(t, &p, 0, &out), -ENOTSUP);
	p.int_alg = ESP_INT_NONE;
	p.int_key_bytes = 0;
	assert_int_equal(esp_sa_add(t, &p, 0, &out), 0);
	p.inbound = true;
	assert_int_equal(esp_sa_add(t, &p, 0, &in), 0);
	assert_string_equal(esp_sa_cipher_name(in), "null");
	j = (struct esp_job){
	    .sa = out, .data = bytes + 20, .len = 11, .next_header = 17};
	esp_encrypt_batch(&j, 1, 0);
	assert_int_equal(j.verdict, ESP_OK);
	assert_int_equal(j.len, 8 + 11 + 3 + 2);
	assert_memory_equal(j.data + 8, "only a test\1\2\3\3\x11", 16);
	j.sa = in;
	esp_decrypt_batch(&j, 1, 0);
	assert_int_equal(j.verdict, ESP_OK);
	assert_int_equal(j.len, 11);
	esp_table_free(t);
}

static void
implementations_have_names(void **state)
{
	struct esp_table *t = table(ESP_CRYPTO_OPENSSL);

	(void)state;
	assert_int_equal(
	    strncmp(esp_table_crypto_name(t), "OpenSSL 3.", 10), 0);
	esp_table_free(t);
	t = table(ESP_CRYPTO_AUTO);
	print_message("%s\n", esp_table_crypto_name(t));
	assert_non_null(strstr(esp_table_crypto_name(t), "OpenSSL 3."));
	esp_table_free(t);
}

/* Random additions and deletions against a plain list; few numbers, so that
 * many are there several times, and probes are long. */
static void
index_is_a_multimap(void **state)
{
	static uint8_t things[N_NUMBERS][4];
	bool there[N_NUMBERS][4] = {{false}};
	struct index x;
	uint32_t number, seed = 1;
	size_t i, k, pos, n, want;
	const uint8_t *found;

	(void)state;
	assert_int_equal(index_init(&x), 0);
	for (i = 0; i < INDEX_RUNS; i++) {
		seed = seed * 1103515245 + 12345;
		number = (seed >> 16) % N_NUMBERS;
		k = seed >> 30;
		if (there[number][k])
			index_del(&x, number, &things[number][k]);
		else
			assert_int_equal(
			    index_add(&x, number, &things[number][k]), 0);
		there[number][k] = !there[number][k];
		number = (seed >> 8) % N_NUMBERS;
		pos = index_home(&x, number);
		want = n = 0;
		for (k = 0; k < 4; k++)
			want += there[number][k];
		while ((found = index_next(&x, number, &pos)) != NULL) {
			assert_true(there[number][found - things[number]]);
			n++;
		}
		assert_int_equal(n, want);
		assert_int_equal(index_find(&x, number) != NULL, want > 0);
	}
	index_fini(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_opens_what_another_sealed),
	    cmocka_unit_test(all_batch_sizes),
	    cmocka_unit_test(implementations_agree),
	    cmocka_unit_test(an_sa_is_compact),
	    cmocka_unit_test(null_only_when_allowed),
	    cmocka_unit_test(implementations_have_names),
	    cmocka_unit_test(index_is_a_multimap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
