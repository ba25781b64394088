/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_checksum.c: the fast Internet checksum against the one of RFC 1071 4.1,
 * at all lengths and alignments, on both ways through it.
 */
#include "base/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_BYTES 2000
#define ALIGN     8

static uint8_t pool[MAX_BYTES + 4 * ALIGN];

static uint16_t
naive(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint64_t)p[i] << 8 : p[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void
fill(unsigned int kind)
{
	size_t i;

	for (i = 0; i < sizeof(pool); i++)
		pool[i] = kind == 0 ? 0xff : kind == 1 ? 0 : (uint8_t)rand();
}

/* No length stops short, reads beyond or loses a carry. */
static void
test_all_lengths(void **state)
{
	unsigned int kind;
	size_t n, at;

	(void)state;
	for (kind = 0; kind < 3; kind++) {
		fill(kind);
		for (n = 0; n <= MAX_BYTES; n++)
			for (at = 0; at < ALIGN; at++)
				assert_int_equal(checksum_sum(pool + at, n),
				    naive(pool + at, n));
	}
	assert_int_equal(checksum_sum(NULL, 0), 0);
}

static void
test_exact_end(void **state)
{
	size_t n;
	uint8_t *p;

	(void)state;
	fill(2);
	for (n = 1; n < 200; n++) { /* the sanitizer sees a byte too much */
		p = malloc(n);
		assert_non_null(p);
		memcpy(p, pool, n);
		assert_int_equal(checksum_sum(p, n), naive(pool, n));
		free(p);
	}
}

static void
test_copy(void **state)
{
	static uint8_t copy[MAX_BYTES + 4 * ALIGN];
	size_t n, at, to;

	(void)state;
	fill(2);
	for (n = 0; n <= MAX_BYTES; n++)
		for (at = 0; at < ALIGN; at += 3) {
			to = (at * 5 + n) % ALIGN + 1;
			memset(copy, 0x5a, sizeof(copy));
			assert_int_equal(checksum_copy(copy + to, pool + at, n),
			    naive(pool + at, n));
			assert_memory_equal(copy + to, pool + at, n);
			assert_int_equal(copy[to - 1], 0x5a);
			assert_int_equal(copy[to + n], 0x5a);
		}
}

/* A whole is the sum of its parts, wherever it is cut. */
static void
test_parts(void **state)
{
	uint32_t sum;
	uint16_t part;
	size_t cut;

	(void)state;
	fill(2);
	for (cut = 0; cut <= 300; cut++) {
		sum = checksum_sum(pool, cut);
		part = checksum_sum(pool + cut, 301 - cut);
		sum += cut % 2 != 0 ? checksum_odd(part) : part;
		assert_int_equal(checksum_fold(sum), naive(pool, 301));
	}
}

static void
test_fold_and_end(void **state)
{
	(void)state;
	assert_int_equal(checksum_fold(0), 0);
	assert_int_equal(checksum_fold(0xffff), 0xffff);
	assert_int_equal(checksum_fold(0x10000), 1);
	assert_int_equal(checksum_fold(0xffffffff), 0xffff);
	assert_int_equal(checksum_fold(0xffff0001), 1);
	/* RFC 1071 3: the sum of its example is ddf2 */
	assert_int_equal(
	    checksum_sum("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8), 0xddf2);
	assert_int_equal(checksum_end(0xddf2), 0x220d);
	assert_int_equal(checksum_end(0), 0xffff);
}

static void
test_replace(void **state)
{
	uint16_t before, after, old, new;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		fill(2);
		old = (uint16_t)(pool[10] << 8 | pool[11]);
		before = checksum_end(checksum_sum(pool, 64));
		pool[10] = (uint8_t)rand();
		pool[11] = (uint8_t)rand();
		new = (uint16_t)(pool[10] << 8 | pool[11]);
		after = checksum_end(checksum_sum(pool, 64));
		assert_int_equal(checksum_replace(before, old, new), after);
	}
	/* RFC 1624 4: the example that its predecessors got wrong */
	assert_int_equal(checksum_replace(0xdd2f, 0x5555, 0x3285), 0x0000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_lengths),
	    cmocka_unit_test(test_exact_end),
	    cmocka_unit_test(test_copy),
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_fold_and_end),
	    cmocka_unit_test(test_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
