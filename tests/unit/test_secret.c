/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_secret.c: holding, wiping, comparing, random numbers.
 */
#include "base/secret.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_holder(void **state)
{
	static const uint8_t zero[sizeof(struct secret)];
	uint8_t big[SECRET_MAX + 1];
	struct secret s = {.len = 0};

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(secret_set(&s, "correct horse", 13), 0);
	assert_int_equal(s.len, 13);
	assert_memory_equal(s.data, "correct horse", 13);
	/* too long: refused, the old one stays */
	assert_int_equal(secret_set(&s, big, sizeof(big)), -EMSGSIZE);
	assert_int_equal(s.len, 13);
	assert_int_equal(secret_set(&s, big, SECRET_MAX), 0);
	assert_int_equal(s.len, SECRET_MAX);
	/* shorter: nothing of the longer one is left behind it */
	assert_int_equal(secret_set(&s, "ab", 2), 0);
	assert_memory_equal(s.data, "ab", 2);
	assert_memory_equal(s.data + 2, zero, SECRET_MAX - 2);
	/* from itself */
	assert_int_equal(secret_set(&s, s.data + 1, 1), 0);
	assert_int_equal(s.len, 1);
	assert_int_equal(s.data[0], 'b');
	assert_int_equal(secret_set(&s, NULL, 0), 0);
	assert_int_equal(s.len, 0);
	assert_int_equal(secret_set(&s, "abc", 3), 0);
	secret_wipe(&s);
	assert_memory_equal(&s, zero, sizeof(s));
}

static void
test_compare(void **state)
{
	uint8_t a[64], b[64];
	size_t i;

	(void)state;
	memset(a, 0x5a, sizeof(a));
	memset(b, 0x5a, sizeof(b));
	assert_true(equal_ct(a, b, sizeof(a)));
	for (i = 0; i < sizeof(a) * 8; i++) {
		b[i / 8] = (uint8_t)(b[i / 8] ^ 1u << i % 8);
		assert_false(equal_ct(a, b, sizeof(a)));
		assert_true(equal_ct(a, b, i / 8));
		b[i / 8] = a[i / 8];
	}
	assert_true(equal_ct(a, b, 0));
}

static void
test_wipe(void **state)
{
	uint8_t a[5] = {1, 2, 3, 4, 5};

	(void)state;
	wipe(a + 1, 3);
	assert_memory_equal(a, "\x01\x00\x00\x00\x05", 5);
	wipe(NULL, 0);
}

static void
test_random(void **state)
{
	uint8_t a[4096] = {0}, b[4096] = {0};
	unsigned int seen[256] = {0}, distinct = 0;
	size_t i;

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b) - 1);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(b[sizeof(b) - 1], 0);
	for (i = 0; i < sizeof(a); i++)
		if (seen[a[i]]++ == 0)
			distinct++;
	assert_true(distinct > 200); /* of 256; fails once in 10^80 */
	random_bytes(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_holder),
	    cmocka_unit_test(test_compare),
	    cmocka_unit_test(test_wipe),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
