/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_esp.c: SAs and packets of l2tpd/esp: every transform both ways, damage
 * at every byte, every truncation, limits, counters, several SAs of one
 * association, tables with many SAs.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/endpoint.h"
#include "l2tpd/esp/alg.h"
#include "l2tpd/esp/esp.h"
#include "l2tpd/esp/sa.h"

#define FRONT     24
#define BUF_BYTES (FRONT + 1500 + ESP_OVERHEAD_MAX)

struct buf {
	uint8_t bytes[BUF_BYTES];
};

static struct endpoint
ep(const char *text, uint16_t port)
{
	struct endpoint e;

	assert_true(endpoint_parse(text, port, &e));
	return e;
}

static struct esp_sa_params
params(const struct esp_alg *alg, uint32_t spi, bool inbound)
{
	struct esp_sa_params p = {
	    .spi = spi,
	    .inbound = inbound,
	    .encap = true,
	    .association = 1,
	    .local = ep("192.0.2.1", 4500),
	    .peer = ep("198.51.100.7", 4500),
	    .enc_alg = alg->enc,
	    .int_alg = alg->integ,
	    .enc_key_bytes = alg->enc_key_bytes,
	    .int_key_bytes = alg->int_key_bytes,
	};
	size_t i;

	for (i = 0; i < sizeof(p.enc_key); i++)
		p.enc_key[i] = (uint8_t)(i * 7 + spi);
	for (i = 0; i < sizeof(p.int_key); i++)
		p.int_key[i] = (uint8_t)(i * 11 + spi);
	return p;
}

static struct esp_sa *
add(struct esp_table *t, const struct esp_sa_params *p)
{
	struct esp_sa *sa;

	assert_int_equal(esp_sa_add(t, p, 0, &sa), 0);
	return sa;
}

static const struct esp_alg *
alg_named(const char *name)
{
	const struct esp_alg *a;
	size_t n, i;

	a = esp_alg_table(&n);
	for (i = 0; i < n; i++)
		if (strcmp(a[i].name, name) == 0)
			return &a[i];
	fail_msg("no %s", name);
	return NULL;
}

/* A pair of SAs with the same key in one table. */
struct pair {
	struct esp_table *t;
	struct esp_sa *in, *out;
};

static struct pair
pair_new(const struct esp_alg *alg, const struct esp_limits *in_limits,
    const struct esp_limits *out_limits)
{
	struct esp_sa_params p = params(alg, 0xc0000001, true);
	struct pair pair = {.t = esp_table_new()};

	assert_non_null(pair.t);
	if (in_limits != NULL)
		p.limits = *in_limits;
	pair.in = add(pair.t, &p);
	p.inbound = false;
	p.limits = out_limits != NULL ? *out_limits : (struct esp_limits){0};
	pair.out = add(pair.t, &p);
	return pair;
}

static struct esp_job
job(struct esp_sa *sa, struct buf *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		b->bytes[FRONT + i] = (uint8_t)(i ^ n);
	return (struct esp_job){
	    .sa = sa, .data = b->bytes + FRONT, .len = n, .next_header = 17};
}

static void
assert_payload(const struct esp_job *j, size_t n)
{
	size_t i;

	assert_int_equal(j->len, n);
	for (i = 0; i < n; i++)
		assert_int_equal(j->data[i], (uint8_t)(i ^ n));
}

static enum esp_verdict
one(struct esp_job *j, bool encrypt, uint64_t now_ms)
{
	if (encrypt)
		esp_encrypt_batch(j, 1, now_ms);
	else
		esp_decrypt_batch(j, 1, now_ms);
	return j->verdict;
}

static void
selftest_passes(void **state)
{
	(void)state;
	assert_true(esp_selftest());
}

static void
every_transform_both_ways(void **state)
{
	const struct esp_alg *algs;
	struct pair p;
	struct buf b;
	struct esp_job j;
	size_t n_algs, i, n;

	(void)state;
	algs = esp_alg_table(&n_algs);
	assert_int_equal(n_algs, 19);
	for (i = 0; i < n_algs; i++) {
		p = pair_new(&algs[i], NULL, NULL);
		for (n = 0; n < 1400; n += n < 70 ? 1 : 97) {
			j = job(p.out, &b, n);
			assert_int_equal(one(&j, true, 5), ESP_OK);
			assert_true(j.data >= b.bytes);
			assert_true(j.data + j.len <=
			    b.bytes + FRONT + n + (ESP_OVERHEAD_MAX - FRONT));
			assert_true(j.len <= n + ESP_OVERHEAD_MAX);
			j.sa = p.in;
			j.next_header = 0;
			assert_int_equal(one(&j, false, 5), ESP_OK);
			assert_true(j.newest);
			assert_int_equal(j.next_header, 17);
			assert_payload(&j, n);
		}
		esp_table_free(p.t);
	}
}

static void
damage_and_truncation_are_refused(void **state)
{
	const struct esp_alg *algs;
	struct pair p;
	struct buf good, b;
	struct esp_job sent, j;
	struct esp_counters c;
	size_t n_algs, i, k, bad_icv, malformed;

	(void)state;
	algs = esp_alg_table(&n_algs);
	for (i = 0; i < n_algs; i++) {
		p = pair_new(&algs[i], NULL, NULL);
		sent = job(p.out, &good, 60);
		assert_int_equal(one(&sent, true, 0), ESP_OK);
		bad_icv = malformed = 0;
		for (k = 0; k < sent.len; k++) {
			b = good;
			j = (struct esp_job){.sa = p.in,
			    .data = b.bytes + (sent.data - good.bytes),
			    .len = sent.len};
			j.data[k] ^= 0x10;
			one(&j, false, 0);
			/* 4 bytes SPI: would not even find this SA */
			assert_int_equal(
			    j.verdict, k < 4 ? ESP_MALFORMED : ESP_BAD_ICV);
			bad_icv += k >= 4;
			malformed += k < 4;
		}
		for (k = 0; k < sent.len; k++) {
			b = good;
			j = (struct esp_job){.sa = p.in,
			    .data = b.bytes + (sent.data - good.bytes),
			    .len = k};
			one(&j, false, 0);
			assert_true(j.verdict == ESP_MALFORMED ||
			    j.verdict == ESP_BAD_ICV);
			bad_icv += j.verdict == ESP_BAD_ICV;
			malformed += j.verdict == ESP_MALFORMED;
		}
		esp_sa_read_counters(p.in, &c);
		assert_int_equal(c.bad_icv, bad_icv);
		assert_int_equal(c.malformed, malformed);
		assert_int_equal(c.packets, 0);
		/* none of it moved the window: the good one still passes */
		sent.sa = p.in;
		assert_int_equal(one(&sent, false, 0), ESP_OK);
		esp_table_free(p.t);
	}
}

/* Text with a valid ICV but a trailer that lies: RFC 4303 2.4. */
static void
bad_trailers_are_refused(void **state)
{
	static const struct {
		uint8_t tail[4]; /* last bytes of the text */
		enum esp_verdict want;
		size_t len;
	} rows[] = {
	    {{0x55, 0x55, 0, 17}, ESP_OK, 30},
	    {{0x55, 1, 1, 17}, ESP_OK, 29},
	    {{1, 2, 2, 17}, ESP_OK, 28},
	    {{0x55, 2, 1, 17}, ESP_MALFORMED, 0},
	    {{2, 1, 2, 17}, ESP_MALFORMED, 0},
	    {{0, 0, 2, 17}, ESP_MALFORMED, 0},
	    {{0x55, 0x55, 31, 17}, ESP_MALFORMED, 0},
	    {{0x55, 0x55, 255, 17}, ESP_MALFORMED, 0},
	};
	const struct esp_alg *alg = alg_named("aes128-sha1");
	struct pair p = pair_new(alg, NULL, NULL);
	struct transform_job tj, *tjp = &tj;
	uint8_t packet[8 + 16 + 32 + 12];
	struct esp_job j;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(packet, 0x55, sizeof(packet));
		memcpy(packet, "\xc0\0\0\1\0\0\0", 7);
		packet[7] = (uint8_t)(i + 1);
		memcpy(packet + 8 + 16 + 28, rows[i].tail, 4);
		tj = (struct transform_job){.key = p.out->key,
		    .head = packet,
		    .text = packet + 24,
		    .text_bytes = 32};
		transform_encrypt(p.out->via, alg, &tjp, 1);
		assert_true(tj.ok);
		j = (struct esp_job){
		    .sa = p.in, .data = packet, .len = sizeof(packet)};
		assert_int_equal(one(&j, false, 0), rows[i].want);
		if (rows[i].want == ESP_OK)
			assert_int_equal(j.len, rows[i].len);
	}
	esp_table_free(p.t);
}

static void
replays_also_inside_one_batch(void **state)
{
	struct pair p = pair_new(alg_named("aes256-sha1"), NULL, NULL);
	struct buf b[4], copy;
	struct esp_job j[4], again;
	struct esp_counters c;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		j[i] = job(p.out, &b[i], 100 + i);
	esp_encrypt_batch(j, 4, 0);
	copy = b[1];
	b[2] = copy; /* number 2 twice in the batch, number 3 lost */
	j[2].data = b[2].bytes + (j[1].data - b[1].bytes);
	j[2].len = j[1].len;
	for (i = 0; i < 4; i++)
		j[i].sa = p.in;
	again = j[1];
	again.data = copy.bytes + (j[1].data - b[1].bytes);
	esp_decrypt_batch(j, 4, 0);
	assert_int_equal(j[0].verdict, ESP_OK);
	assert_int_equal(j[1].verdict, ESP_OK);
	assert_int_equal(j[2].verdict, ESP_REPLAYED);
	assert_int_equal(j[3].verdict, ESP_OK);
	assert_payload(&j[3], 103);
	assert_int_equal(one(&again, false, 0), ESP_REPLAYED);
	esp_sa_read_counters(p.in, &c);
	assert_int_equal(c.replayed, 2);
	assert_int_equal(c.packets, 3);
	esp_table_free(p.t);
}

static void
late_packets_are_not_newest(void **state)
{
	struct pair p = pair_new(alg_named("aes128gcm16"), NULL, NULL);
	struct buf b[3];
	struct esp_job j[3];
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		j[i] = job(p.out, &b[i], 50);
	esp_encrypt_batch(j, 3, 0);
	for (i = 0; i < 3; i++)
		j[i].sa = p.in;
	assert_int_equal(one(&j[2], false, 0), ESP_OK);
	assert_true(j[2].newest);
	assert_int_equal(one(&j[0], false, 0), ESP_OK);
	assert_false(j[0].newest);
	assert_int_equal(one(&j[1], false, 0), ESP_OK);
	assert_false(j[1].newest);
	esp_table_free(p.t);
}

static void
mixed_batch_of_all_transforms(void **state)
{
	static struct buf b[200];
	static struct esp_job j[200];
	const struct esp_alg *algs;
	struct esp_table *t = esp_table_new();
	struct esp_sa *in[19], *out[19];
	struct esp_sa_params p;
	size_t n_algs, i;

	(void)state;
	algs = esp_alg_table(&n_algs);
	for (i = 0; i < n_algs; i++) {
		p = params(&algs[i], (uint32_t)(0xc0000100 + i), true);
		in[i] = add(t, &p);
		p.inbound = false;
		out[i] = add(t, &p);
	}
	for (i = 0; i < 200; i++)
		j[i] = job(out[i * 7 % n_algs], &b[i], i);
	esp_encrypt_batch(j, 200, 0);
	for (i = 0; i < 200; i++) {
		assert_int_equal(j[i].verdict, ESP_OK);
		j[i].sa = in[i * 7 % n_algs];
	}
	esp_decrypt_batch(j, 200, 0);
	for (i = 0; i < 200; i++) {
		assert_int_equal(j[i].verdict, ESP_OK);
		assert_payload(&j[i], i);
	}
	esp_table_free(t);
}

static void
ivs_never_repeat(void **state)
{
	struct pair p = pair_new(alg_named("aes128-sha1"), NULL, NULL);
	uint8_t seen[300][16];
	struct buf b;
	struct esp_job j;
	size_t i, k;

	(void)state;
	for (i = 0; i < 300; i++) {
		j = job(p.out, &b, 10);
		assert_int_equal(one(&j, true, 0), ESP_OK);
		memcpy(seen[i], j.data + 8, 16);
		for (k = 0; k < i; k++)
			assert_memory_not_equal(seen[k], seen[i], 16);
	}
	esp_table_free(p.t);
}

/* charon names a key again after a restart: numbers begin anew, GCM's nonces
 * must not. */
static void
ivs_differ_after_a_new_start(void **state)
{
	struct pair p;
	uint8_t seen[40][8];
	struct buf b;
	struct esp_job j;
	size_t i, k;

	(void)state;
	for (i = 0; i < 40; i += 10) {
		p = pair_new(alg_named("aes128gcm16"), NULL, NULL);
		for (k = 0; k < 10; k++) {
			j = job(p.out, &b, 10);
			assert_int_equal(one(&j, true, 0), ESP_OK);
			memcpy(seen[i + k], j.data + 8, 8);
		}
		esp_table_free(p.t);
	}
	for (i = 0; i < 40; i++)
		for (k = 0; k < i; k++)
			assert_memory_not_equal(seen[k], seen[i], 8);
}

static void
hard_limits_end_an_sa(void **state)
{
	const struct esp_alg *alg = alg_named("aes128-sha1");
	const struct esp_limits packets = {.hard_packets = 3};
	const struct esp_limits bytes = {.hard_bytes = 100};
	const struct esp_limits seconds = {.hard_time_s = 10};
	struct pair p = pair_new(alg, &packets, &bytes);
	struct esp_expired gone[4];
	struct buf b[5];
	struct esp_job j[5];
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++)
		j[i] = job(p.out, &b[i], 25);
	esp_encrypt_batch(j, 5, 0);
	assert_int_equal(j[3].verdict, ESP_OK);
	assert_int_equal(j[4].verdict, ESP_EXPIRED);
	for (i = 0; i < 4; i++)
		j[i].sa = p.in;
	esp_decrypt_batch(j, 4, 0); /* the limit is met inside the batch */
	assert_int_equal(j[2].verdict, ESP_OK);
	assert_int_equal(j[3].verdict, ESP_EXPIRED);
	assert_int_equal(esp_table_take_expired(p.t, 0, gone, 1), 1);
	assert_int_equal(esp_table_take_expired(p.t, 0, gone, 4), 1);
	assert_int_equal(esp_table_take_expired(p.t, 0, gone, 4), 0);
	esp_table_free(p.t);

	p = pair_new(alg, NULL, &seconds);
	j[0] = job(p.out, &b[0], 25);
	assert_int_equal(one(&j[0], true, 9999), ESP_OK);
	assert_false(esp_sa_is_expired(p.out, 9999));
	assert_true(esp_sa_is_expired(p.out, 10000));
	j[0] = job(p.out, &b[0], 25);
	assert_int_equal(one(&j[0], true, 10000), ESP_EXPIRED);
	assert_int_equal(esp_table_take_expired(p.t, 10000, gone, 4), 1);
	assert_int_equal(gone[0].spi, 0xc0000001);
	assert_false(gone[0].inbound);
	esp_table_free(p.t);
}

static void
sequence_numbers_end(void **state)
{
	struct pair p = pair_new(alg_named("aes128gcm16"), NULL, NULL);
	struct buf b;
	struct esp_job j;

	(void)state;
	p.out->sequence = UINT32_MAX - 1;
	j = job(p.out, &b, 25);
	assert_int_equal(one(&j, true, 0), ESP_OK);
	j.sa = p.in;
	assert_int_equal(one(&j, false, 0), ESP_OK);
	j = job(p.out, &b, 25);
	assert_int_equal(one(&j, true, 0), ESP_SEQUENCE_EXHAUSTED);
	assert_true(esp_sa_is_expired(p.out, 0));
	esp_table_free(p.t);
}

static void
counters_count_payload(void **state)
{
	struct pair p = pair_new(alg_named("aes192-sha384"), NULL, NULL);
	struct esp_counters c;
	struct buf b;
	struct esp_job j = job(p.out, &b, 77);

	(void)state;
	one(&j, true, 42);
	j.sa = p.in;
	one(&j, false, 43);
	esp_sa_read_counters(p.out, &c);
	assert_int_equal(c.bytes, 77);
	assert_int_equal(c.last_use_ms, 42);
	esp_sa_read_counters(p.in, &c);
	assert_int_equal(c.bytes, 77);
	assert_int_equal(c.packets, 1);
	assert_int_equal(c.last_use_ms, 43);
	assert_string_equal(esp_sa_cipher_name(p.in), "aes192-sha384");
	esp_table_free(p.t);
}

static void
parameters_are_checked(void **state)
{
	struct esp_table *t = esp_table_new();
	const struct esp_alg *alg = alg_named("aes128-sha1");
	struct esp_sa_params p = params(alg, 7, true);
	struct esp_sa *sa = NULL;

	(void)state;
	p.enc_key_bytes = 17;
	assert_int_equal(esp_sa_add(t, &p, 0, &sa), -EINVAL);
	p = params(alg, 7, true);
	p.int_key_bytes = 0;
	assert_int_equal(esp_sa_add(t, &p, 0, &sa), -EINVAL);
	p = params(alg, 7, true);
	p.enc_alg = 2; /* DES */
	assert_int_equal(esp_sa_add(t, &p, 0, &sa), -ENOTSUP);
	p = params(alg, 7, true);
	p.int_alg = ESP_INT_NONE;
	assert_int_equal(esp_sa_add(t, &p, 0, &sa), -ENOTSUP);
	p = params(alg, 0, true);
	assert_int_equal(esp_sa_add(t, &p, 0, &sa), -EINVAL);
	assert_null(sa);
	assert_null(esp_sa_find_inbound(t, 7));
	esp_table_free(t);
}

static void
rekey_overlap(void **state)
{
	struct esp_table *t = esp_table_new();
	const struct esp_alg *alg = alg_named("aes256-sha256");
	struct esp_sa_params p;
	struct esp_sa *in[3], *out[3];
	struct buf b[2];
	struct esp_job j[2];
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		p = params(alg, 100 + i, true);
		in[i] = add(t, &p);
		p.inbound = false;
		out[i] = add(t, &p);
		assert_ptr_equal(esp_sa_outbound_of(t, 1), out[i]);
	}
	/* both the old and the new pair work, in one batch */
	for (i = 0; i < 2; i++)
		j[i] = job(out[i], &b[i], 40);
	esp_encrypt_batch(j, 2, 0);
	for (i = 0; i < 2; i++)
		j[i].sa = in[i];
	esp_decrypt_batch(j, 2, 0);
	assert_int_equal(j[0].verdict, ESP_OK);
	assert_int_equal(j[1].verdict, ESP_OK);
	/* the newest goes: the one before it serves again */
	esp_sa_del(t, out[1]);
	assert_ptr_equal(esp_sa_outbound_of(t, 1), out[2]);
	esp_sa_del(t, out[2]);
	assert_ptr_equal(esp_sa_outbound_of(t, 1), out[0]);
	esp_sa_del(t, out[0]);
	assert_null(esp_sa_outbound_of(t, 1));
	assert_null(esp_sa_outbound_of(t, 2));
	esp_table_free(t);
}

static void
peers_with_equal_spi(void **state)
{
	struct esp_table *t = esp_table_new();
	const struct esp_alg *alg = alg_named("aes128-sha1");
	struct esp_sa_params p = params(alg, 0x1111, false);
	struct esp_sa *a, *b, *c;
	struct endpoint there;

	(void)state;
	a = add(t, &p);
	p.peer = ep("203.0.113.5", 4500);
	p.association = 2;
	b = add(t, &p);
	assert_ptr_equal(esp_sa_find_outbound(t, 0x1111, esp_sa_peer(a)), a);
	assert_ptr_equal(esp_sa_find_outbound(t, 0x1111, esp_sa_peer(b)), b);
	assert_null(esp_sa_find_outbound(t, 0x1111, NULL));
	there = ep("203.0.113.6", 4500);
	assert_null(esp_sa_find_outbound(t, 0x1111, &there));
	/* a neighbour behind the same NAT cannot take its place */
	p.association = 3;
	p.peer.port = 1025;
	assert_int_equal(esp_sa_add(t, &p, 0, &c), -EEXIST);
	/* its owner can */
	p.association = 2;
	c = add(t, &p);
	assert_ptr_equal(esp_sa_find_outbound(t, 0x1111, &p.peer), c);
	assert_ptr_equal(esp_sa_outbound_of(t, 2), c);
	/* both at one address after a move: the port tells */
	there = ep("203.0.113.5", 2222);
	esp_association_move(t, 1, esp_sa_local(a), &there);
	assert_ptr_equal(esp_sa_find_outbound(t, 0x1111, &there), a);
	assert_ptr_equal(esp_sa_find_outbound(t, 0x1111, &p.peer), c);
	esp_sa_del(t, a);
	assert_ptr_equal(esp_sa_find_outbound(t, 0x1111, NULL), c);
	esp_table_free(t);
}

static void
many_sas(void **state)
{
	struct esp_table *t = esp_table_new();
	const struct esp_alg *alg = alg_named("aes128gcm16");
	struct esp_sa_params p;
	struct esp_sa *sa, *old;
	uint32_t i;

	(void)state;
	for (i = 1; i <= 2000; i++) {
		p = params(alg, i * 0x10001, (i & 1) != 0);
		p.association = i / 4;
		add(t, &p);
	}
	for (i = 1; i <= 2000; i++) {
		sa = (i & 1) != 0
		    ? esp_sa_find_inbound(t, i * 0x10001)
		    : esp_sa_find_outbound(t, i * 0x10001, &p.peer);
		assert_non_null(sa);
		assert_int_equal(esp_sa_spi(sa), i * 0x10001);
		assert_int_equal(esp_sa_association(sa), i / 4);
		if (i % 3 == 0)
			esp_sa_del(t, sa);
	}
	assert_null(esp_sa_find_inbound(t, 3 * 0x10001));
	/* same SPI again: replaces, even from another association */
	old = esp_sa_find_inbound(t, 0x10001);
	p = params(alg, 0x10001, true);
	p.association = 9999;
	sa = add(t, &p);
	assert_ptr_not_equal(sa, old);
	assert_ptr_equal(esp_sa_find_inbound(t, 0x10001), sa);
	esp_table_free(t);
}

static void
payload_max_is_exact(void **state)
{
	const struct esp_alg *algs;
	struct pair p;
	struct buf b;
	struct esp_job j;
	size_t n_algs, i, max, mtu;

	(void)state;
	algs = esp_alg_table(&n_algs);
	for (i = 0; i < n_algs; i++) {
		p = pair_new(&algs[i], NULL, NULL);
		for (mtu = 1400; mtu < 1420; mtu++) {
			max = esp_sa_payload_max(p.out, mtu);
			j = job(p.out, &b, max);
			one(&j, true, 0);
			assert_true(20 + 8 + j.len <= mtu);
			j = job(p.out, &b, max + 1);
			one(&j, true, 0);
			assert_true(20 + 8 + j.len > mtu);
		}
		assert_int_equal(esp_sa_payload_max(p.out, 20), 0);
		assert_int_equal(esp_sa_payload_max(p.out, 0), 0);
		esp_table_free(p.t);
	}
	/* facts: AES-CBC with SHA1 at 1500 carries 1422 of UDP, GCM 1438 */
	p = pair_new(alg_named("aes256-sha1"), NULL, NULL);
	assert_int_equal(esp_sa_payload_max(p.out, 1500), 1422);
	esp_table_free(p.t);
	p = pair_new(alg_named("aes256gcm16"), NULL, NULL);
	assert_int_equal(esp_sa_payload_max(p.out, 1500), 1438);
	esp_table_free(p.t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(selftest_passes),
	    cmocka_unit_test(every_transform_both_ways),
	    cmocka_unit_test(damage_and_truncation_are_refused),
	    cmocka_unit_test(bad_trailers_are_refused),
	    cmocka_unit_test(replays_also_inside_one_batch),
	    cmocka_unit_test(late_packets_are_not_newest),
	    cmocka_unit_test(mixed_batch_of_all_transforms),
	    cmocka_unit_test(ivs_never_repeat),
	    cmocka_unit_test(ivs_differ_after_a_new_start),
	    cmocka_unit_test(hard_limits_end_an_sa),
	    cmocka_unit_test(sequence_numbers_end),
	    cmocka_unit_test(counters_count_payload),
	    cmocka_unit_test(parameters_are_checked),
	    cmocka_unit_test(rekey_overlap),
	    cmocka_unit_test(peers_with_equal_spi),
	    cmocka_unit_test(many_sas),
	    cmocka_unit_test(payload_max_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
