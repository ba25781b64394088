/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_priv_msg.c: what an engine asks of the monitor: round trip, every
 * truncation, addresses that no host has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/priv_msg.h"

static const struct priv_link good = {.local = {10, 77, 0, 2},
    .peer = {10, 77, 0, 1},
    .dns = {{192, 0, 2, 53}, {0, 0, 0, 0}}};

static size_t
put(const struct priv_link *l, uint8_t buf[64])
{
	struct wr w = wr_init(buf, 64);

	assert_true(priv_msg_put_link(&w, l));
	return wr_rd(&w).left;
}

static void
test_round_trip(void **state)
{
	uint8_t buf[64];
	struct priv_link got;
	size_t n = put(&good, buf);
	struct rd r = rd_init(buf, n);

	(void)state;
	assert_int_equal(n, 16);
	assert_true(priv_msg_get_link(&r, &got));
	assert_memory_equal(&got, &good, sizeof(got));
}

static void
test_truncated(void **state)
{
	uint8_t buf[64] = {0};
	struct priv_link got, before;
	size_t n = put(&good, buf);

	(void)state;
	memset(&got, 0x5a, sizeof(got));
	before = got;
	for (size_t i = 0; i <= n + 1; i++) {
		struct rd r = rd_init(buf, i);
		if (i != n)
			assert_false(priv_msg_get_link(&r, &got));
	}
	assert_memory_equal(&got, &before, sizeof(got));
}

static void
refused(struct priv_link l)
{
	uint8_t buf[64];
	struct rd r = rd_init(buf, put(&l, buf));
	struct priv_link got;

	assert_false(priv_link_is_sane(&l));
	assert_false(priv_msg_get_link(&r, &got));
}

static void
test_addresses(void **state)
{
	static const uint8_t bad[][4] = {{127, 0, 0, 1}, {0, 0, 0, 1},
	    {224, 0, 0, 1}, {255, 255, 255, 255}, {169, 254, 1, 1}};
	struct priv_link l = good;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		l = good;
		memcpy(l.local, bad[i], 4);
		refused(l);
		l = good;
		memcpy(l.peer, bad[i], 4);
		refused(l);
		l = good;
		memcpy(l.dns[1], bad[i], 4);
		refused(l);
	}
	l = good;
	memset(l.local, 0, 4);
	refused(l); /* without an address there is no link */
	l = good;
	memset(l.peer, 0, 4);
	memset(l.dns, 0, sizeof(l.dns));
	assert_true(priv_link_is_sane(&l));
}

static void
test_routes(void **state)
{
	struct priv_routes p = {.session = 0x01020304,
	    .nets = {.at = {{{10, 1, 0, 0}, 16}, {{192, 168, 3, 0}, 24}},
		.count = 2}};
	uint8_t buf[PRIV_ROUTES_BYTES_MAX + 1];
	struct wr w = wr_init(buf, sizeof(buf));
	struct priv_routes got, before;
	size_t n;

	(void)state;
	assert_true(priv_msg_put_routes(&w, &p));
	n = wr_rd(&w).left;
	assert_int_equal(n, 15);
	memset(&got, 0x5a, sizeof(got));
	before = got;
	for (size_t i = 0; i <= n + 1; i++) {
		struct rd r = rd_init(buf, i);

		if (i != n)
			assert_false(priv_msg_get_routes(&r, &got));
	}
	assert_memory_equal(&got, &before, sizeof(got));
	struct rd r = rd_init(buf, n);
	assert_true(priv_msg_get_routes(&r, &got));
	assert_int_equal(got.session, p.session);
	assert_memory_equal(&got.nets, &p.nets, sizeof(p.nets));
	/* the default route */
	memset(buf + 5, 0, 5);
	r = rd_init(buf, n);
	assert_false(priv_msg_get_routes(&r, &got));
	/* none: take them away */
	p.nets.count = 0;
	w = wr_init(buf, 5);
	assert_true(priv_msg_put_routes(&w, &p));
	r = wr_rd(&w);
	assert_true(priv_msg_get_routes(&r, &got));
	assert_int_equal(got.nets.count, 0);
	p.nets.count = IPV4_NETWORKS_MAX + 1;
	w = wr_init(buf, sizeof(buf));
	assert_false(priv_msg_put_routes(&w, &p));
}

static void
test_end(void **state)
{
	uint8_t buf[5] = {0};
	enum priv_end e = PRIV_END_ONCE;
	struct rd r;

	(void)state;
	buf[3] = PRIV_END_WRONG_PASSWORD;
	for (size_t i = 0; i <= 5; i++) {
		r = rd_init(buf, i);
		assert_int_equal(priv_msg_get_end(&r, &e), i == 4);
	}
	assert_int_equal(e, PRIV_END_WRONG_PASSWORD);
	buf[3] = PRIV_END_COUNT_;
	r = rd_init(buf, 4);
	assert_false(priv_msg_get_end(&r, &e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_routes),
	    cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
