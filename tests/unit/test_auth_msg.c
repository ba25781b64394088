/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_auth_msg.c: questions and verdicts round and back, truncated at every
 * byte, with a byte too many, and with each field out of its range.
 */
#include "base/auth_msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/codec_ends.h"

static struct auth_ask
sample_ask(void)
{
	struct auth_ask a = {.ref = 0x0102030405060708,
	    .method = 1,
	    .chap_id = 255,
	    .association = 7,
	    .name = "CORP\\alice",
	    .name_bytes = 10,
	    .challenge_bytes = 16,
	    .response_bytes = 49};

	assert_true(endpoint_parse("192.0.2.2", 4500, &a.device));
	memset(a.challenge, 0xcc, 16);
	memset(a.response, 0xdd, 49);
	return a;
}

static struct auth_verdict
sample_verdict(void)
{
	struct auth_verdict v = {.ref = 9,
	    .reason = AUTH_ACCEPTED,
	    .message = "S=0123",
	    .message_bytes = 6,
	    .ipv4_local = {10, 0, 0, 1},
	    .ipv4_peer = {10, 0, 0, 2},
	    .ipv4_dns = {{9, 9, 9, 9}, {1, 1, 1, 1}},
	    .ipv4_nbns = {{10, 0, 0, 3}, {0}},
	    .ifid_peer = {1, 2, 3, 4, 5, 6, 7, 8},
	    .session_limit_s = UINT32_MAX,
	    .idle_limit_s = 1,
	    .user = "alice",
	    .routes = {.at = {{{10, 1, 0, 0}, 16}, {{192, 168, 3, 0}, 24}},
		.count = 2},
	    .group = 3,
	    .ipv6_prefix = {0x20, 1, 0x0d, 0xb8, 0, 1, 0, 2}};

	return v;
}

static const struct auth_use sample_use = {.ref = 1,
    .bytes_in = UINT64_MAX,
    .packets_out = 4,
    .reason = "peer-terminated"};

static bool
put_ask(struct wr *w, const void *m)
{
	return auth_msg_put_ask(w, m);
}

static bool
put_verdict(struct wr *w, const void *m)
{
	return auth_msg_put_verdict(w, m);
}

static bool
put_use(struct wr *w, const void *m)
{
	return auth_msg_put_use(w, m);
}

static bool
get_ask(struct rd *r, void *ret)
{
	return auth_msg_get_ask(r, ret);
}

static bool
get_verdict(struct rd *r, void *ret)
{
	return auth_msg_get_verdict(r, ret);
}

static bool
get_use(struct rd *r, void *ret)
{
	return auth_msg_get_use(r, ret);
}

static void
test_truncation(void **state)
{
	const struct auth_ask ask = sample_ask();
	const struct auth_verdict verdict = sample_verdict();
	const struct codec codecs[] = {
	    {put_ask, get_ask, &ask, sizeof(ask)},
	    {put_verdict, get_verdict, &verdict, sizeof(verdict)},
	    {put_use, get_use, &sample_use, sizeof(sample_use)},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		codec_check_ends(&codecs[i]);
}

static void
test_ask(void **state)
{
	struct auth_ask a = sample_ask(), back;
	uint8_t buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	(void)state;
	assert_true(auth_msg_put_ask(&w, &a));
	r = wr_rd(&w);
	assert_true(auth_msg_get_ask(&r, &back));
	assert_true(back.ref == a.ref);
	assert_int_equal(back.method, 1);
	assert_int_equal(back.chap_id, 255);
	assert_int_equal(back.association, 7);
	assert_true(endpoint_equal(&back.device, &a.device));
	assert_int_equal(back.name_bytes, 10);
	assert_memory_equal(back.name, a.name, sizeof(a.name));
	assert_int_equal(back.challenge_bytes, 16);
	assert_memory_equal(back.challenge, a.challenge, sizeof(a.challenge));
	assert_int_equal(back.response_bytes, 49);
	assert_memory_equal(back.response, a.response, sizeof(a.response));
}

/* The largest of everything fits, one byte more is refused both ways. */
static void
test_ask_extremes(void **state)
{
	struct auth_ask a = sample_ask(), back;
	uint8_t buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	(void)state;
	a.name_bytes = sizeof(a.name);
	a.challenge_bytes = sizeof(a.challenge);
	a.response_bytes = sizeof(a.response);
	memset(a.name, 0, sizeof(a.name)); /* bytes, not text */
	assert_true(auth_msg_put_ask(&w, &a));
	r = wr_rd(&w);
	assert_true(auth_msg_get_ask(&r, &back));
	assert_int_equal(back.name_bytes, sizeof(a.name));
	buf[22] = 0x01; /* name length 0x0101 */
	r = wr_rd(&w);
	assert_false(auth_msg_get_ask(&r, &back));
	assert_string_equal(r.err, "field too long");
	a.name_bytes++;
	w = wr_init(buf, sizeof(buf));
	assert_false(auth_msg_put_ask(&w, &a));
	a = sample_ask();
	a.challenge_bytes = sizeof(a.challenge) + 1;
	w = wr_init(buf, sizeof(buf));
	assert_false(auth_msg_put_ask(&w, &a));
	a = sample_ask();
	a.response_bytes = UINT16_MAX;
	w = wr_init(buf, sizeof(buf));
	assert_false(auth_msg_put_ask(&w, &a));
	a = (struct auth_ask){.ref = 0};
	w = wr_init(buf, sizeof(buf));
	assert_true(auth_msg_put_ask(&w, &a));
	r = wr_rd(&w);
	assert_true(auth_msg_get_ask(&r, &back));
	assert_int_equal(back.name_bytes, 0);
}

static void
test_verdict(void **state)
{
	struct auth_verdict v = sample_verdict(), back;
	uint8_t buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	(void)state;
	assert_true(auth_msg_put_verdict(&w, &v));
	r = wr_rd(&w);
	assert_true(auth_msg_get_verdict(&r, &back));
	assert_true(back.ref == 9);
	assert_int_equal(back.reason, 0);
	assert_int_equal(back.message_bytes, 6);
	assert_memory_equal(back.message, "S=0123", 6);
	assert_memory_equal(back.ipv4_local, v.ipv4_local, 4);
	assert_memory_equal(back.ipv4_peer, v.ipv4_peer, 4);
	assert_memory_equal(back.ipv4_dns, v.ipv4_dns, 8);
	assert_memory_equal(back.ipv4_nbns, v.ipv4_nbns, 8);
	assert_memory_equal(back.ifid_peer, v.ifid_peer, 8);
	assert_int_equal(back.session_limit_s, UINT32_MAX);
	assert_int_equal(back.idle_limit_s, 1);
	assert_string_equal(back.user, "alice");
	assert_int_equal(back.group, 3);
	assert_memory_equal(back.ipv6_prefix, v.ipv6_prefix, 8);
	buf[8] = AUTH_INTERNAL + 1; /* reason */
	r = wr_rd(&w);
	assert_false(auth_msg_get_verdict(&r, &back));
	assert_string_equal(r.err, "unknown reason");
	memset(v.user, 'u', sizeof(v.user)); /* does not end */
	w = wr_init(buf, sizeof(buf));
	assert_false(auth_msg_put_verdict(&w, &v));
	v = sample_verdict();
	v.message_bytes = AUTH_MSG_TEXT_MAX + 1;
	w = wr_init(buf, sizeof(buf));
	assert_false(auth_msg_put_verdict(&w, &v));
}

static struct auth_verdict
with_routes(void)
{
	struct auth_verdict v = {.ref = 1};

	for (uint8_t i = 0; i < IPV4_NETWORKS_MAX; i++)
		v.routes.at[v.routes.count++] =
		    (struct ipv4_network){{10, i, 0, 0}, 16};
	return v;
}

/* As many networks as can be, one more, and such as no hosts are in. */
static void
test_routes(void **state)
{
	struct auth_verdict v = sample_verdict(), back;
	uint8_t buf[1024], *last;
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	(void)state;
	assert_true(auth_msg_put_verdict(&w, &v));
	r = wr_rd(&w);
	assert_true(auth_msg_get_verdict(&r, &back));
	assert_int_equal(back.routes.count, 2);
	assert_memory_equal(&back.routes, &v.routes, sizeof(v.routes));
	v = with_routes();
	w = wr_init(buf, sizeof(buf));
	assert_true(auth_msg_put_verdict(&w, &v));
	r = wr_rd(&w);
	assert_true(auth_msg_get_verdict(&r, &back));
	assert_int_equal(back.routes.count, IPV4_NETWORKS_MAX);
	last = buf + w.len - 5;
	last[4] = 8; /* host bits */
	r = wr_rd(&w);
	assert_false(auth_msg_get_verdict(&r, &back));
	assert_string_equal(r.err, "a network that no hosts are in");
	last[4] = 33;
	r = wr_rd(&w);
	assert_false(auth_msg_get_verdict(&r, &back));
	memset(last, 0, 5); /* the default route */
	r = wr_rd(&w);
	assert_false(auth_msg_get_verdict(&r, &back));
	buf[w.len - 5 * IPV4_NETWORKS_MAX - 1] = IPV4_NETWORKS_MAX + 1;
	r = wr_rd(&w);
	assert_false(auth_msg_get_verdict(&r, &back));
	assert_string_equal(r.err, "too many networks");
	v.routes.count++;
	w = wr_init(buf, sizeof(buf));
	assert_false(auth_msg_put_verdict(&w, &v));
}

static void
test_use(void **state)
{
	uint8_t buf[256];
	struct wr w = wr_init(buf, sizeof(buf));
	struct auth_use back;
	struct rd r;

	(void)state;
	assert_true(auth_msg_put_use(&w, &sample_use));
	r = wr_rd(&w);
	assert_true(auth_msg_get_use(&r, &back));
	assert_true(back.ref == 1);
	assert_true(back.bytes_in == UINT64_MAX && back.bytes_out == 0);
	assert_true(back.packets_in == 0 && back.packets_out == 4);
	assert_string_equal(back.reason, "peer-terminated");
	buf[44] = 0; /* inside the text */
	r = wr_rd(&w);
	assert_false(auth_msg_get_use(&r, &back));
	assert_string_equal(r.err, "zero byte in a text");
}

static void
test_reason_names(void **state)
{
	int i;

	(void)state;
	for (i = 0; i <= AUTH_INTERNAL; i++) {
		assert_non_null(auth_reason_name((uint8_t)i));
		assert_string_not_equal(
		    auth_reason_name((uint8_t)i), "unknown-reason");
	}
	assert_string_equal(
	    auth_reason_name(AUTH_WRONG_PASSWORD), "wrong-password");
	assert_string_equal(auth_reason_name(255), "unknown-reason");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_truncation),
	    cmocka_unit_test(test_ask),
	    cmocka_unit_test(test_ask_extremes),
	    cmocka_unit_test(test_verdict),
	    cmocka_unit_test(test_routes),
	    cmocka_unit_test(test_use),
	    cmocka_unit_test(test_reason_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
