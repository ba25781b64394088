/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ratelimit.c: token buckets with a clock of our own, single and per
 * source.
 */
#include "base/ratelimit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static unsigned int
take_all(struct ratelimit *r, uint64_t now_ms)
{
	unsigned int n = 0;

	while (n < 100000 && ratelimit_take(r, now_ms))
		n++;
	return n;
}

static void
test_bucket(void **state)
{
	struct ratelimit r;

	(void)state;
	ratelimit_init(&r, 20, 2, 1000);
	assert_int_equal(take_all(&r, 1000), 20);
	assert_int_equal(take_all(&r, 1499), 0);
	assert_int_equal(take_all(&r, 1500), 1);
	assert_int_equal(take_all(&r, 4000), 5);
	/* back in time: nothing is given, nothing breaks */
	assert_int_equal(take_all(&r, 10), 0);
	assert_int_equal(take_all(&r, 4500), 1);
	/* never more than the burst */
	assert_int_equal(take_all(&r, 1000000), 20);
	assert_int_equal(take_all(&r, UINT64_MAX), 20);
}

static void
test_odd_rates(void **state)
{
	struct ratelimit r;
	unsigned int n = 0;
	uint64_t t;

	(void)state;
	ratelimit_init(&r, 0, 100, 0);
	assert_int_equal(take_all(&r, 5000), 0);
	ratelimit_init(&r, 3, 0, 0);
	assert_int_equal(take_all(&r, 0), 3);
	assert_int_equal(take_all(&r, UINT64_MAX), 0);
	ratelimit_init(&r, UINT32_MAX, UINT32_MAX, 0);
	r.level_milli = 0;
	assert_false(ratelimit_take(&r, 0));
	assert_true(ratelimit_take(&r, UINT64_MAX));
	/* asked every millisecond: the rate is exact over a minute */
	ratelimit_init(&r, 1, 3, 0);
	for (t = 0; t < 60000; t++)
		n += ratelimit_take(&r, t);
	assert_in_range(n, 179, 181);
}

static struct endpoint
address(const char *text, uint16_t port)
{
	struct endpoint e;

	assert_true(endpoint_parse(text, port, &e));
	return e;
}

static unsigned int
table_take_all(struct ratelimit_table *t, const char *text, uint64_t now_ms)
{
	struct endpoint e = address(text, 0);
	unsigned int n = 0;

	do {
		e.port++;
	} while (n < 1000 && ratelimit_table_take(t, &e, now_ms) && ++n);
	return n;
}

static void
test_sources(void **state)
{
	struct ratelimit_table *t = ratelimit_table_new(1024, 5, 1);

	(void)state;
	assert_non_null(t);
	assert_int_equal(table_take_all(t, "192.0.2.1", 0), 5);
	assert_int_equal(table_take_all(t, "192.0.2.1", 0), 0);
	assert_int_equal(table_take_all(t, "192.0.2.2", 0), 5);
	/* the same address written as IPv6 */
	assert_int_equal(table_take_all(t, "::ffff:192.0.2.1", 0), 0);
	assert_int_equal(table_take_all(t, "::ffff:192.0.2.3", 0), 5);
	/* a /64 is one source */
	assert_int_equal(table_take_all(t, "2001:db8::1", 0), 5);
	assert_int_equal(table_take_all(t, "2001:db8::2", 0), 0);
	assert_int_equal(table_take_all(t, "2001:db8:0:1::1", 0), 5);
	/* IPv4 0.0.0.0 and IPv6 :: are two sources */
	assert_int_equal(table_take_all(t, "0.0.0.0", 0), 5);
	assert_int_equal(table_take_all(t, "::", 0), 5);
	assert_int_equal(table_take_all(t, "192.0.2.1", 2000), 2);
	ratelimit_table_free(t);
}

/* 100,000 sources through 64 slots: memory stays, newcomers are served, and a
 * source that comes all the time is still held to its rate. */
static void
test_many_sources(void **state)
{
	struct ratelimit_table *t = ratelimit_table_new(64, 3, 1);
	struct endpoint busy = address("192.0.2.1", 0), e;
	unsigned int served = 0, passed = 0;
	char text[32];
	uint32_t i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16 & 0xff,
		    i >> 8 & 0xff, i & 0xff);
		e = address(text, 0);
		served += ratelimit_table_take(t, &e, i / 100);
		passed += ratelimit_table_take(t, &busy, i / 100);
		passed += ratelimit_table_take(t, &busy, i / 100);
	}
	assert_int_equal(served, 100000);
	assert_true(passed < 60000); /* of 200,000 */
	ratelimit_table_free(t);
}

static void
test_small_table(void **state)
{
	struct ratelimit_table *t = ratelimit_table_new(0, 1, 1);

	(void)state;
	assert_non_null(t);
	assert_int_equal(table_take_all(t, "192.0.2.1", 0), 1);
	assert_int_equal(table_take_all(t, "192.0.2.1", 0), 0);
	ratelimit_table_free(t);
	ratelimit_table_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bucket),
	    cmocka_unit_test(test_odd_rates),
	    cmocka_unit_test(test_sources),
	    cmocka_unit_test(test_many_sources),
	    cmocka_unit_test(test_small_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
