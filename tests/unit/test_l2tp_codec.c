/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_l2tp_codec.c: header, AVPs and messages of RFC 2661 3.1, 4 and 6, good
 * and bad: every flag combination, every AVP, every message, every truncation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/proto/header.h"
#include "l2tpd/proto/msg.h"
#include "l2tpd/proto/tunnel.h"

#define NO_SECRET rd_init(NULL, 0)

static struct l2tp_msg msg;

/* Raw AVP: any length field, any flags. */
static void
put_raw(struct wr *w, uint16_t word, uint16_t vendor, uint16_t type,
    const void *value, size_t n)
{
	wr_be16(w, word);
	wr_be16(w, vendor);
	wr_be16(w, type);
	wr_bytes(w, value, n);
}

static void
put_mandatory(struct wr *w, uint16_t type, const void *value, size_t n)
{
	put_raw(w, (uint16_t)(0x8000 | (n + 6)), 0, type, value, n);
}

/* ---- header ------------------------------------------------------------ */

/* A header with the given flags, all fields that they ask for, and a payload
 * of 3 bytes. */
static size_t
build_header(uint16_t flags, uint8_t *buf, size_t cap)
{
	struct wr w = wr_init(buf, cap);
	size_t length_at = 0;

	wr_be16(&w, (uint16_t)(flags | 2));
	length_at = wr_mark(&w);
	if (flags & L2TP_FLAG_L)
		wr_be16(&w, 0);
	wr_be16(&w, 0x1234);
	wr_be16(&w, 0x5678);
	if (flags & L2TP_FLAG_S) {
		wr_be16(&w, 7);
		wr_be16(&w, 9);
	}
	if (flags & L2TP_FLAG_O) {
		wr_be16(&w, 4);
		wr_zero(&w, 4);
	}
	wr_bytes(&w, "abc", 3);
	if (flags & L2TP_FLAG_L)
		wr_patch_be16(&w, length_at, (uint16_t)w.len);
	return w.len;
}

static bool
parse_copy(const uint8_t *bytes, size_t n, struct l2tp_packet_head *h)
{
	uint8_t *copy = malloc(n > 0 ? n : 1); /* exact, for ASan */
	struct rd r;
	bool ok;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	r = rd_init(copy, n);
	ok = l2tp_parse_head(&r, h);
	assert_true(ok == (r.err == NULL));
	free(copy);
	return ok;
}

static void
test_header_flags(void **state)
{
	struct l2tp_packet_head h;
	uint8_t buf[64];
	unsigned bits;
	uint16_t flags;
	size_t n, cut;
	bool legal;

	(void)state;
	for (bits = 0; bits < 32; bits++) {
		flags = (uint16_t)((bits & 1 ? L2TP_FLAG_T : 0) |
		    (bits & 2 ? L2TP_FLAG_L : 0) |
		    (bits & 4 ? L2TP_FLAG_S : 0) |
		    (bits & 8 ? L2TP_FLAG_O : 0) |
		    (bits & 16 ? L2TP_FLAG_P : 0));
		n = build_header(flags, buf, sizeof(buf));
		legal = !(bits & 1) || ((bits & 6) == 6 && !(bits & 8));
		assert_int_equal(parse_copy(buf, n, &h), legal);
		if (!legal)
			continue;
		assert_int_equal(h.tunnel_id, 0x1234);
		assert_int_equal(h.session_id, 0x5678);
		assert_int_equal(h.payload.left, 3);
		assert_int_equal(h.is_control, !!(bits & 1));
		assert_int_equal(h.has_length, !!(bits & 2));
		assert_int_equal(h.has_sequence, !!(bits & 4));
		assert_int_equal(h.has_offset, !!(bits & 8));
		assert_int_equal(h.priority, !!(bits & 16));
		if (bits & 4) {
			assert_int_equal(h.ns, 7);
			assert_int_equal(h.nr, 9);
		}
		for (cut = 0; cut < n - 3; cut++)
			assert_false(parse_copy(buf, cut, &h));
	}
}

static void
test_header_version_and_length(void **state)
{
	struct l2tp_packet_head h;
	uint8_t buf[64] = {0};
	unsigned version, length;
	size_t n;

	(void)state;
	n = build_header(L2TP_CONTROL_WORD & ~0xf, buf, sizeof(buf));
	assert_true(parse_copy(buf, n, &h));
	/* bytes after Length are no part of the message */
	assert_true(parse_copy(buf, n + 5, &h));
	assert_int_equal(h.payload.left, 3);
	for (version = 0; version < 16; version++) {
		buf[1] = (uint8_t)version;
		assert_int_equal(parse_copy(buf, n, &h), version == 2);
	}
	buf[1] = 2;
	for (length = 0; length < n + 3; length++) {
		buf[2] = 0;
		buf[3] = (uint8_t)length;
		assert_int_equal(
		    parse_copy(buf, n, &h), length >= 12 && length <= n);
	}
	buf[2] = buf[3] = 0xff;
	assert_false(parse_copy(buf, n, &h));
}

static void
test_header_offset_over_end(void **state)
{
	static const uint8_t p[] = {0x02, 0x02, 0, 1, 0, 2, 0xff, 0xff, 1};
	static const uint8_t all[] = {0x02, 0x02, 0, 1, 0, 2, 0, 1, 1};
	struct l2tp_packet_head h;

	(void)state;
	assert_false(parse_copy(p, sizeof(p), &h));
	assert_true(parse_copy(all, sizeof(all), &h));
	assert_int_equal(h.payload.left, 0);
}

static void
test_header_reserved_bits_ignored(void **state)
{
	struct l2tp_packet_head h;
	uint8_t buf[64];
	size_t n;

	(void)state;
	n = build_header(L2TP_CONTROL_WORD & ~0xf, buf, sizeof(buf));
	buf[0] |= 0x34;
	buf[1] |= 0xf0;
	assert_true(parse_copy(buf, n, &h));
}

static void
test_header_written(void **state)
{
	static const uint8_t want[] = {
	    0xc8, 0x02, 0, 14, 0, 5, 0, 6, 0, 7, 0, 8, 0xaa, 0xbb};
	uint8_t buf[32];
	struct wr w = wr_init(buf, sizeof(buf));

	(void)state;
	assert_true(l2tp_put_control_head(&w, 5, 6, 7, 8));
	wr_be16(&w, 0xaabb);
	assert_true(l2tp_finish_control(&w));
	assert_int_equal(w.len, sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

/* ---- what a first datagram is ------------------------------------------ */

static enum tunnel_first
classify(uint16_t tunnel_id, uint16_t ns, struct wr *body, uint16_t *id)
{
	uint8_t buf[1200];
	struct wr w = wr_init(buf, sizeof(buf));

	l2tp_put_control_head(&w, tunnel_id, 0, ns, 0);
	wr_bytes(&w, body->buf, body->len);
	assert_true(l2tp_finish_control(&w));
	return tunnel_classify_first(wr_rd(&w), id);
}

static void
test_classify_first(void **state)
{
	uint8_t body[256];
	struct wr w = wr_init(body, sizeof(body));
	uint16_t id = 0;

	(void)state;
	msg_begin(&w, MSG_SCCRQ);
	assert_int_equal(classify(0, 0, &w, &id), TUNNEL_FIRST_OTHER);
	avp_put_u16(&w, AVP_ASSIGNED_TUNNEL_ID, 4711);
	assert_int_equal(classify(0, 0, &w, &id), TUNNEL_FIRST_SCCRQ);
	assert_int_equal(id, 4711);
	assert_int_equal(classify(1, 0, &w, &id), TUNNEL_FIRST_OTHER);
	assert_int_equal(classify(0, 1, &w, &id), TUNNEL_FIRST_OTHER);
	put_raw(&w, 0x8005, 0, 8, NULL, 0);
	assert_int_equal(classify(0, 0, &w, &id), TUNNEL_FIRST_OTHER);
	w = wr_init(body, sizeof(body));
	msg_begin(&w, MSG_HELLO);
	assert_int_equal(classify(0, 0, &w, &id), TUNNEL_FIRST_HELLO_ZERO);
	w = wr_init(body, sizeof(body));
	assert_int_equal(classify(0, 0, &w, &id), TUNNEL_FIRST_OTHER);
	msg_begin(&w, MSG_SCCRQ);
	avp_put_u16(&w, AVP_ASSIGNED_TUNNEL_ID, 0);
	assert_int_equal(classify(0, 0, &w, &id), TUNNEL_FIRST_OTHER);
}

/* ---- AVPs -------------------------------------------------------------- */

/* Decode a HELLO with one more raw AVP. */
static bool
decode_with(
    uint16_t word, uint16_t vendor, uint16_t type, const void *value, size_t n)
{
	static uint8_t body[2048];
	struct wr w = wr_init(body, sizeof(body));

	msg_begin(&w, MSG_HELLO);
	put_raw(&w, word, vendor, type, value, n);
	assert_true(wr_ok(&w));
	return msg_decode(wr_rd(&w), NO_SECRET, &msg);
}

static void
test_every_avp_length(void **state)
{
	static const uint8_t value[1100];
	const struct avp_spec *spec;
	uint16_t type, n;
	bool legal;

	(void)state;
	for (type = 1; type < AVP_TYPE_COUNT; type++) {
		spec = avp_spec(type);
		if (spec == NULL)
			continue;
		for (n = 0; n <= AVP_VALUE_MAX; n++) {
			legal = n >= spec->min_bytes && n <= spec->max_bytes;
			assert_int_equal(decode_with((uint16_t)(0x8000 |
							 (n + AVP_HEAD_BYTES)),
					     0, type, value, n),
			    legal);
			assert_int_equal(
			    msg_has(&msg, (enum avp_type)type), legal);
			/* not mandatory: skipped, RFC 2661 7.1 */
			assert_true(decode_with(
			    (uint16_t)(n + AVP_HEAD_BYTES), 0, type, value, n));
		}
	}
	assert_null(avp_spec(20));
	assert_null(avp_spec(40));
	assert_null(avp_spec(0xffff));
}

static void
test_avp_length_lies(void **state)
{
	static const uint8_t value[1100];
	uint16_t length;

	(void)state;
	for (length = 0; length < AVP_HEAD_BYTES; length++) {
		assert_false(
		    decode_with(0x8000 | length, 0, AVP_HOST_NAME, value, 4));
		assert_false(decode_with(length, 0, AVP_HOST_NAME, value, 4));
		assert_int_equal(msg.fault_error, L2TP_ERROR_LENGTH);
	}
	assert_true(decode_with(0x8000 | 1023, 0, AVP_HOST_NAME, value, 1017));
	assert_int_equal(msg.value[AVP_HOST_NAME].bytes.left, 1017);
	assert_false(decode_with(0x8000 | 1023, 0, AVP_HOST_NAME, value, 1016));
	assert_false(decode_with(1023, 0, AVP_HOST_NAME, value, 0));
	assert_false(decode_with(0x8000 | 7, 0, AVP_HOST_NAME, value, 0));
	/* one left-over byte is no AVP */
	assert_false(decode_with(0x8000 | 7, 0, AVP_HOST_NAME, value, 2));
}

static void
test_unknown_avps(void **state)
{
	(void)state;
	assert_false(decode_with(0x8008, 0, 99, "ab", 2));
	assert_int_equal(msg.fault_error, L2TP_ERROR_UNKNOWN_AVP);
	assert_true(msg.fault_in_avp);
	assert_int_equal(msg.fault_type, 99);
	assert_true(decode_with(0x0008, 0, 99, "ab", 2));
	/* the vendor counts before the type: Microsoft's 1 is no Result Code */
	assert_true(decode_with(0x0016, 311, 1, "0123456789abcdef", 16));
	assert_false(msg_has(&msg, AVP_RESULT_CODE));
	assert_false(decode_with(0x8016, 311, 1, "0123456789abcdef", 16));
	assert_int_equal(msg.fault_vendor_id, 311);
	/* reserved bits make any AVP unknown */
	assert_false(
	    decode_with(0x8400 | 8, 0, AVP_RECEIVE_WINDOW_SIZE, "ab", 2));
	assert_int_equal(msg.fault_error, L2TP_ERROR_UNKNOWN_AVP);
	assert_true(
	    decode_with(0x2000 | 8, 0, AVP_RECEIVE_WINDOW_SIZE, "ab", 2));
	assert_false(msg_has(&msg, AVP_RECEIVE_WINDOW_SIZE));
}

static void
test_first_avp_is_type(void **state)
{
	uint8_t body[64];
	struct wr w;
	uint16_t type;

	(void)state;
	assert_false(msg_decode(rd_init(NULL, 0), NO_SECRET, &msg));
	assert_non_null(msg.why);
	w = wr_init(body, sizeof(body));
	avp_put_u16(&w, AVP_ASSIGNED_TUNNEL_ID, 1);
	msg_begin(&w, MSG_HELLO);
	assert_false(msg_decode(wr_rd(&w), NO_SECRET, &msg));
	assert_false(msg_peek_type(wr_rd(&w), &type));
	w = wr_init(body, sizeof(body)); /* hidden */
	put_raw(&w, 0xc008, 0, 0, "\0\6", 2);
	assert_false(msg_decode(wr_rd(&w), NO_SECRET, &msg));
	w = wr_init(body, sizeof(body)); /* vendor */
	put_raw(&w, 0x8008, 9, 0, "\0\6", 2);
	assert_false(msg_decode(wr_rd(&w), NO_SECRET, &msg));
	w = wr_init(body, sizeof(body)); /* unknown type, M set and clear */
	put_raw(&w, 0x8008, 0, 0, "\0\5", 2);
	assert_true(msg_decode(wr_rd(&w), NO_SECRET, &msg));
	assert_null(msg.spec);
	assert_true(msg.type_mandatory);
	w = wr_init(body, sizeof(body));
	put_raw(&w, 0x0008, 0, 0, "\x7f\xff", 2);
	assert_true(msg_decode(wr_rd(&w), NO_SECRET, &msg));
	assert_false(msg.type_mandatory);
}

static void
test_first_of_two_counts(void **state)
{
	uint8_t body[64];
	struct wr w = wr_init(body, sizeof(body));

	(void)state;
	msg_begin(&w, MSG_HELLO);
	avp_put_u16(&w, AVP_ASSIGNED_TUNNEL_ID, 1);
	avp_put_u16(&w, AVP_ASSIGNED_TUNNEL_ID, 2);
	assert_true(msg_decode(wr_rd(&w), NO_SECRET, &msg));
	assert_int_equal(msg_u16(&msg, AVP_ASSIGNED_TUNNEL_ID), 1);
}

/* ---- messages ---------------------------------------------------------- */

/* A value of the least legal size, all bytes 1. */
static void
put_smallest(struct wr *w, uint16_t type)
{
	static const uint8_t ones[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	put_mandatory(w, type, ones, avp_spec(type)->min_bytes);
}

static void
build_message(struct wr *w, uint16_t type, uint64_t avps)
{
	uint16_t i;

	put_mandatory(w, 0, (uint8_t[]){0, (uint8_t)type}, 2);
	for (i = 1; i < AVP_TYPE_COUNT; i++)
		if ((avps & MSG_AVP(i)) != 0)
			put_smallest(w, i);
	assert_true(wr_ok(w));
}

static bool
decode_copy(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n + 1);
	bool ok;

	assert_non_null(copy);
	memcpy(copy + 1, p, n); /* odd alignment */
	ok = msg_decode(rd_init(copy + 1, n), NO_SECRET, &msg);
	free(copy);
	return ok;
}

/* Every message: whole, with one required AVP missing, cut at every byte. */
static void
test_every_message(void **state)
{
	const struct msg_spec *spec;
	uint8_t body[512];
	uint16_t type, avp;
	unsigned known = 0;
	struct wr w;
	size_t cut;

	(void)state;
	for (type = 1; type < MSG_TYPE_COUNT; type++) {
		spec = msg_spec(type);
		if (spec == NULL)
			continue;
		known++;
		assert_int_equal(spec->must & spec->may, 0);
		w = wr_init(body, sizeof(body));
		build_message(&w, type, spec->must | spec->may);
		assert_true(decode_copy(body, w.len));
		assert_int_equal(msg.have, spec->must | spec->may | 1);
		w = wr_init(body, sizeof(body));
		build_message(&w, type, spec->must);
		assert_true(decode_copy(body, w.len));
		for (cut = 0; cut < w.len; cut++)
			assert_int_equal(decode_copy(body, cut),
			    cut == 8 && spec->must == 0);
		for (avp = 1; avp < AVP_TYPE_COUNT; avp++) {
			if ((spec->must & MSG_AVP(avp)) == 0)
				continue;
			w = wr_init(body, sizeof(body));
			build_message(&w, type, spec->must & ~MSG_AVP(avp));
			assert_false(decode_copy(body, w.len));
			assert_string_equal(msg.why, "required AVP missing");
		}
	}
	assert_int_equal(known, 14);
	assert_null(msg_spec(0));
	assert_null(msg_spec(5));
	assert_null(msg_spec(13));
	assert_null(msg_spec(17));
}

static bool
decode_result(const void *value, size_t n, struct msg_result *r)
{
	static uint8_t body[128];
	struct wr w = wr_init(body, sizeof(body));

	msg_begin(&w, MSG_CDN);
	put_mandatory(&w, AVP_RESULT_CODE, value, n);
	avp_put_u16(&w, AVP_ASSIGNED_SESSION_ID, 1);
	return msg_decode(wr_rd(&w), NO_SECRET, &msg) && msg_result(&msg, r);
}

static void
test_result_code(void **state)
{
	struct msg_result r = {0};

	(void)state;
	assert_true(decode_result("\0\2", 2, &r));
	assert_int_equal(r.result, 2);
	assert_int_equal(r.error, 0);
	assert_true(decode_result("\0\2\0\6", 4, &r));
	assert_int_equal(r.error, 6);
	assert_true(decode_result("\0\2\0\10text", 8, &r));
	assert_int_equal(r.error, 8);
	assert_memory_equal(r.message.p, "text", 4);
	/* Apple: little-endian, 14 bytes long, garbage behind */
	assert_true(decode_result("\3\0\xde\xad\xbe\xef\1\2", 8, &r));
	assert_int_equal(r.result, 3);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.message.left, 0);
	assert_true(decode_result("\1\0\0\0\0\0\0\0", 8, &r));
	assert_int_equal(r.result, 1);
	assert_true(decode_result("\0\1x", 3, &r)); /* half an Error Code */
	assert_int_equal(r.error, 0);
	assert_false(decode_result("\1", 1, &r));
}

static void
test_trim_nul(void **state)
{
	(void)state;
	assert_int_equal(avp_trim_nul(rd_init("mac\0", 4)).left, 3);
	assert_int_equal(avp_trim_nul(rd_init("mac", 3)).left, 3);
	assert_int_equal(avp_trim_nul(rd_init("\0\0", 2)).left, 0);
	assert_int_equal(avp_trim_nul(rd_init("a\0b", 3)).left, 3);
	assert_int_equal(avp_trim_nul(rd_init(NULL, 0)).left, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_header_flags),
	    cmocka_unit_test(test_header_version_and_length),
	    cmocka_unit_test(test_header_offset_over_end),
	    cmocka_unit_test(test_header_reserved_bits_ignored),
	    cmocka_unit_test(test_header_written),
	    cmocka_unit_test(test_classify_first),
	    cmocka_unit_test(test_every_avp_length),
	    cmocka_unit_test(test_avp_length_lies),
	    cmocka_unit_test(test_unknown_avps),
	    cmocka_unit_test(test_first_avp_is_type),
	    cmocka_unit_test(test_first_of_two_counts),
	    cmocka_unit_test(test_every_message),
	    cmocka_unit_test(test_result_code),
	    cmocka_unit_test(test_trim_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
