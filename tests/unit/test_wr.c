/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_wr.c: the write cursor: bytes, what does not fit, patches, rewind.
 */
#include "base/wr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t want[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
    0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 'a', 'b', 0, 0};

static void
write_all(struct wr *w)
{
	wr_u8(w, 0x01);
	wr_be16(w, 0x0203);
	wr_be32(w, 0x04050607);
	wr_be64(w, 0x08090a0b0c0d0e0f);
	wr_bytes(w, "ab", 2);
	wr_zero(w, 2);
}

static void
test_bytes(void **state)
{
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	(void)state;
	memset(buf, 0xee, sizeof(buf));
	write_all(&w);
	assert_true(wr_ok(&w));
	assert_int_equal(w.len, sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
	assert_int_equal(buf[sizeof(want)], 0xee);
	r = wr_rd(&w);
	assert_int_equal(r.left, sizeof(want));
	assert_ptr_equal(r.p, buf);
}

/* With every capacity that is too small: nothing behind it is touched, the
 * cursor says so, and it reads as empty. */
static void
test_every_capacity(void **state)
{
	uint8_t buf[sizeof(want) + 1];
	struct wr w;
	size_t cap;

	(void)state;
	for (cap = 0; cap < sizeof(want); cap++) {
		memset(buf, 0xee, sizeof(buf));
		w = wr_init(buf, cap);
		write_all(&w);
		assert_false(wr_ok(&w));
		assert_true(w.len <= cap);
		assert_memory_equal(buf, want, w.len);
		assert_int_equal(buf[cap], 0xee);
		assert_int_equal(wr_rd(&w).left, 0);
	}
}

static void
test_failure_sticks(void **state)
{
	uint8_t buf[4] = {0}, *p;
	struct wr w = wr_init(buf, sizeof(buf));

	(void)state;
	assert_true(wr_be16(&w, 1));
	assert_false(wr_be32(&w, 2));
	assert_false(wr_u8(&w, 3)); /* would fit, but something is missing */
	assert_false(wr_space(&w, 1, &p));
	assert_false(wr_patch_u8(&w, 0, 9));
	assert_int_equal(w.len, 2);
	wr_rewind(&w, 2);
	assert_true(wr_ok(&w));
	assert_true(wr_be16(&w, 0x0405));
	assert_memory_equal(buf, "\x00\x01\x04\x05", 4);
}

static void
test_patches(void **state)
{
	uint8_t buf[8] = {0};
	struct wr w = wr_init(buf, sizeof(buf));
	size_t m;

	(void)state;
	wr_u8(&w, 1);
	m = wr_mark(&w);
	wr_zero(&w, 2);
	wr_u8(&w, 2);
	assert_true(wr_patch_be16(&w, m, 0xabcd));
	assert_memory_equal(buf, "\x01\xab\xcd\x02", 4);
	assert_true(wr_patch_u8(&w, 3, 9));
	assert_false(wr_patch_u8(&w, 4, 9));
	assert_false(wr_patch_be16(&w, 3, 0x0909));
	assert_false(wr_patch_be16(&w, SIZE_MAX, 0x0909));
	assert_memory_equal(buf, "\x01\xab\xcd\x09\x00", 5);
}

static void
test_rewind(void **state)
{
	volatile size_t huge = SIZE_MAX; /* gcc would see that it is absurd */
	uint8_t buf[4] = {0};
	struct wr w = wr_init(buf, sizeof(buf));

	(void)state;
	wr_be16(&w, 1);
	wr_rewind(&w, 3); /* forwards: ignored */
	assert_int_equal(w.len, 2);
	wr_rewind(&w, 0);
	assert_int_equal(w.len, 0);
	assert_false(wr_bytes(&w, want, huge));
	assert_int_equal(w.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_every_capacity),
	    cmocka_unit_test(test_failure_sticks),
	    cmocka_unit_test(test_patches),
	    cmocka_unit_test(test_rewind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
