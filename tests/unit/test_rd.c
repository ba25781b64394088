/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_rd.c: the read cursor: values, bounds, the sticky error, sub-cursors.
 */
#include "base/rd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t packet[16] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
    0x08, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8};

static void
test_values(void **state)
{
	struct rd r = rd_init(packet, sizeof(packet));
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	(void)state;
	assert_true(rd_u8(&r, &u8) && u8 == 0x01);
	assert_true(rd_be16(&r, &u16) && u16 == 0x0203);
	assert_true(rd_be32(&r, &u32) && u32 == 0x04050607);
	assert_true(rd_be64(&r, &u64) && u64 == 0x08fffefdfcfbfaf9);
	assert_false(rd_end(&r));
	assert_true(rd_peek_u8(&r, &u8) && u8 == 0xf8);
	assert_int_equal(r.left, 1);
	assert_true(rd_skip(&r, 1));
	assert_true(rd_end(&r));
	assert_true(rd_ok(&r));
}

static void
test_short_leaves_output(void **state)
{
	uint8_t u8 = 0x5a, bytes[4] = {1, 2, 3, 4};
	uint16_t u16 = 0x5a5a;
	uint32_t u32 = 0x5a5a5a5a;
	uint64_t u64 = 0x5a5a5a5a5a5a5a5a;
	const uint8_t *p = packet;
	struct rd r, sub = rd_init(packet, 3);
	size_t n;

	(void)state;
	for (n = 0; n < 8; n++) {
		r = rd_init(packet, n);
		assert_false(rd_be64(&r, &u64));
		assert_non_null(r.err);
		assert_int_equal(r.left, n);
		if (n < 4) {
			r = rd_init(packet, n);
			assert_false(rd_peek_be32(&r, &u32));
			assert_true(rd_ok(&r)); /* looking does not fail it */
			assert_false(rd_be32(&r, &u32));
			r = rd_init(packet, n);
			assert_false(rd_bytes(&r, bytes, 4));
			r = rd_init(packet, n);
			assert_false(rd_take(&r, 4, &p));
			r = rd_init(packet, n);
			assert_false(rd_sub(&r, 4, &sub));
			r = rd_init(packet, n);
			assert_false(rd_sub_end(&r, 4, &sub));
		}
		if (n < 2) {
			r = rd_init(packet, n);
			assert_false(rd_be16(&r, &u16));
		}
	}
	r = rd_init(NULL, 0);
	assert_false(rd_u8(&r, &u8));
	r = rd_init(NULL, 0);
	assert_false(rd_u8_end(&r, &u8));
	assert_int_equal(u8, 0x5a);
	assert_int_equal(u16, 0x5a5a);
	assert_int_equal(u32, 0x5a5a5a5a);
	assert_true(u64 == 0x5a5a5a5a5a5a5a5a);
	assert_int_equal(bytes[0], 1);
	assert_ptr_equal(p, packet);
	assert_int_equal(sub.left, 3);
}

static void
test_error_sticks(void **state)
{
	struct rd r = rd_init(packet, sizeof(packet));
	uint8_t u8 = 7;

	(void)state;
	assert_false(rd_fail(&r, "first"));
	assert_false(rd_fail(&r, "second"));
	assert_string_equal(r.err, "first");
	assert_false(rd_u8(&r, &u8));
	assert_false(rd_skip(&r, 0));
	assert_false(rd_peek_u8(&r, &u8));
	assert_false(rd_u8_end(&r, &u8));
	assert_int_equal(u8, 7);
	assert_false(rd_ok(&r));
	assert_false(rd_end(&r));
	assert_int_equal(r.left, sizeof(packet));
}

static void
test_huge_lengths(void **state)
{
	struct rd r = rd_init(packet, sizeof(packet)), sub;

	(void)state;
	assert_false(rd_skip(&r, SIZE_MAX));
	r = rd_init(packet, sizeof(packet));
	assert_false(rd_sub(&r, SIZE_MAX, &sub));
	r = rd_init(packet, sizeof(packet));
	assert_false(rd_sub_end(&r, SIZE_MAX - 1, &sub));
}

static void
test_sub_cursors(void **state)
{
	struct rd r = rd_init(packet, sizeof(packet)), sub, tail;
	uint8_t u8, copy[4];
	const uint8_t *p;

	(void)state;
	assert_true(rd_sub(&r, 4, &sub));
	assert_true(rd_u8_end(&r, &u8) && u8 == 0xf8);
	assert_true(rd_sub_end(&r, 3, &tail));
	assert_int_equal(r.left, 8);
	assert_true(rd_u8(&tail, &u8) && u8 == 0xfb);
	assert_true(rd_bytes(&sub, copy, 4));
	assert_memory_equal(copy, packet, 4);
	/* a failing inner cursor does not touch the outer one, nor does it
	 * reach bytes behind its own end */
	assert_false(rd_u8(&sub, &u8));
	assert_true(rd_ok(&r));
	assert_true(rd_take(&r, 8, &p));
	assert_ptr_equal(p, packet + 4);
	assert_true(rd_end(&r));
}

static void
test_empty(void **state)
{
	struct rd r = rd_init(NULL, 0), sub;
	const uint8_t *p;

	(void)state;
	assert_true(rd_take(&r, 0, &p));
	assert_true(rd_bytes(&r, NULL, 0));
	assert_true(rd_sub(&r, 0, &sub));
	assert_true(rd_end(&sub));
	assert_true(rd_sub_end(&r, 0, &sub));
	assert_true(rd_end(&sub));
	assert_true(rd_end(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_short_leaves_output),
	    cmocka_unit_test(test_error_sticks),
	    cmocka_unit_test(test_huge_lengths),
	    cmocka_unit_test(test_sub_cursors),
	    cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
