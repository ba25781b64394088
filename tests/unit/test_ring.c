/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ring.c: a ring of one thread, and of two.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/ring.h"

#define BYTES    4096
#define MESSAGES 300000

static void
in_order(void **state)
{
	struct ring *r = ring_new(BYTES);
	size_t n, i;
	uint8_t *p;

	(void)state;
	assert_non_null(r);
	assert_null(ring_peek(r, &n));
	for (i = 0; i < 1000; i++) { /* many times around */
		p = ring_reserve(r, i % 900, 0);
		assert_non_null(p);
		memset(p, (int)i, i % 900);
		assert_true((uintptr_t)p % RING_ALIGN == 0);
		assert_null(ring_peek(r, &n));
		ring_commit(r);
		p = ring_peek(r, &n);
		assert_non_null(p);
		assert_int_equal(n, i % 900);
		assert_true(n == 0 || (p[0] == (uint8_t)i && p[n - 1] == p[0]));
		ring_drop(r);
	}
	ring_free(r);
	ring_free(NULL);
}

static void
full_and_reserved(void **state)
{
	struct ring *r = ring_new(BYTES);
	size_t n, count = 0;

	(void)state;
	assert_null(ring_reserve(r, BYTES / 4 + 1, 0)); /* too large, always */
	while (ring_reserve(r, 100, BYTES / 4) != NULL) {
		ring_commit(r);
		count++;
	}
	assert_int_equal(count, BYTES * 3 / 4 / 128);
	while (ring_reserve(r, 100, 0) != NULL) { /* the rest */
		ring_commit(r);
		count++;
	}
	assert_int_equal(count, BYTES / 128);
	for (; count > 0; count--) {
		assert_non_null(ring_peek(r, &n));
		ring_drop(r);
	}
	assert_null(ring_peek(r, &n));
	assert_non_null(ring_reserve(r, 100, BYTES / 4));
	ring_free(r);
}

static bool
is_readable(const struct ring *r)
{
	struct pollfd p = {.fd = ring_fd(r), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void
sleep_and_wake(void **state)
{
	struct ring *r = ring_new(BYTES);
	size_t n;

	(void)state;
	assert_true(ring_sleep(r));
	assert_false(is_readable(r));
	ring_reserve(r, 1, 0);
	ring_commit(r);
	assert_false(ring_sleep(r)); /* something is there */
	ring_wake(r);
	assert_false(is_readable(r)); /* it is awake */
	assert_non_null(ring_peek(r, &n));
	ring_drop(r);
	assert_true(ring_sleep(r));
	ring_reserve(r, 1, 0);
	ring_commit(r);
	ring_wake(r);
	assert_true(is_readable(r));
	assert_false(ring_sleep(r));
	assert_false(is_readable(r));
	ring_free(r);
}

static size_t
length_of(uint32_t i)
{
	return sizeof(i) + i * 7919 % 400;
}

static void *
produce(void *ctx)
{
	struct ring *r = ctx;
	uint32_t i;
	uint8_t *p;

	for (i = 0; i < MESSAGES; i++) {
		while ((p = ring_reserve(r, length_of(i), 0)) == NULL)
			ring_wake(r); /* and try again */
		memset(p, (int)i, length_of(i));
		memcpy(p, &i, sizeof(i));
		ring_commit(r);
		ring_wake(r);
	}
	return NULL;
}

static void
two_threads(void **state)
{
	struct ring *r = ring_new(BYTES);
	struct pollfd p = {.fd = ring_fd(r), .events = POLLIN};
	uint32_t want = 0, number;
	pthread_t thread;
	uint8_t *message;
	size_t n;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, produce, r), 0);
	while (want < MESSAGES) {
		while ((message = ring_peek(r, &n)) != NULL) {
			memcpy(&number, message, sizeof(number));
			assert_int_equal(number, want);
			assert_int_equal(n, length_of(want));
			assert_true(n == sizeof(number) ||
			    message[n - 1] == (uint8_t)want);
			ring_drop(r);
			want++;
		}
		if (want < MESSAGES && ring_sleep(r))
			assert_int_equal(poll(&p, 1, 60000), 1);
	}
	pthread_join(thread, NULL);
	ring_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_order),
	    cmocka_unit_test(full_and_reserved),
	    cmocka_unit_test(sleep_and_wake),
	    cmocka_unit_test(two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
