/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_l2tp_hide.c: hiding of AVPs (RFC 2661 4.3) and tunnel authentication
 * (5.1.1), against values computed independently (Python's hashlib), and what
 * must happen without a Random Vector, without a secret, with a wrong one, and
 * with noise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/proto/hide.h"
#include "l2tpd/proto/msg.h"
#include "tests/peer/l2tp_net.h"

#define SECRET    rd_init("geheim", 6)
#define NO_SECRET rd_init(NULL, 0)

static const uint8_t vector[16] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static struct l2tp_msg msg;

static const uint8_t hidden_id[] = {0x80, 0x20, 0xd3, 0xdc, 0x75, 0xb9, 0x23};
static const uint8_t hidden_challenge[] = {0xe0, 0x80, 0xda, 0x7a, 0x82, 0x6b,
    0x32, 0x17, 0xad, 0xc2, 0x83, 0x3d, 0x8f, 0x6b, 0x91, 0x2f, 0xc8, 0x69,
    0x04, 0xa0, 0x83, 0x4a, 0x7e, 0x31, 0xce, 0x08, 0x78, 0x32, 0xeb, 0x22,
    0xd6, 0xd9, 0xe0, 0x60, 0x15, 0x6a, 0x11, 0x2b, 0xb3, 0x57, 0xe1, 0xe6};
static const uint8_t response_sccrp[] = {0x61, 0xcd, 0x5f, 0x60, 0x83, 0xf4,
    0x3f, 0x83, 0xa6, 0xae, 0x52, 0xd5, 0x22, 0x14, 0x14, 0xf2};
static const uint8_t response_scccn[] = {0x7d, 0x98, 0xd1, 0x69, 0x97, 0x10,
    0x87, 0x82, 0xa6, 0xa8, 0x73, 0x66, 0xd9, 0x8e, 0x75, 0x81};

static void
test_known_answers(void **state)
{
	static const uint8_t id[2] = {0x12, 0x34};
	uint8_t out[128], plain[128], name[40], digest[16];
	struct wr w = wr_init(out, sizeof(out));
	struct wr p = wr_init(plain, sizeof(plain));
	struct rd value;

	(void)state;
	memset(name, 'x', sizeof(name));
	assert_true(hide_encode(AVP_ASSIGNED_TUNNEL_ID, SECRET,
	    rd_init(vector, 16), rd_init(id, 2), 3, &w));
	assert_int_equal(w.len, sizeof(hidden_id));
	assert_memory_equal(out, hidden_id, sizeof(hidden_id));
	w = wr_init(out, sizeof(out));
	assert_true(hide_encode(AVP_CHALLENGE, SECRET, rd_init(vector, 16),
	    rd_init(name, 40), 0, &w));
	assert_int_equal(w.len, sizeof(hidden_challenge));
	assert_memory_equal(out, hidden_challenge, sizeof(hidden_challenge));
	assert_true(hide_decode(
	    AVP_CHALLENGE, SECRET, rd_init(vector, 16), wr_rd(&w), &p, &value));
	assert_int_equal(value.left, 40);
	assert_memory_equal(value.p, name, 40);
	assert_true(hide_response(2, SECRET, rd_init(vector, 16), digest));
	assert_memory_equal(digest, response_sccrp, 16);
	assert_true(hide_response(3, SECRET, rd_init(vector, 16), digest));
	assert_memory_equal(digest, response_scccn, 16);
	assert_true(hide_check_response(
	    3, SECRET, rd_init(vector, 16), rd_init(digest, 16)));
	assert_false(hide_check_response(
	    2, SECRET, rd_init(vector, 16), rd_init(digest, 16)));
	assert_false(hide_check_response(
	    3, SECRET, rd_init(vector, 16), rd_init(digest, 15)));
}

/* A SCCRQ whose Assigned Tunnel ID (1234) is hidden. */
static struct rd
hidden_sccrq(bool with_vector, uint16_t flags)
{
	static uint8_t body[512];
	uint8_t cipher[64];
	struct wr w = wr_init(body, sizeof(body));
	struct wr c = wr_init(cipher, sizeof(cipher));
	const uint8_t id[2] = {0x04, 0xd2};

	msg_begin(&w, MSG_SCCRQ);
	if (with_vector)
		avp_put_bytes(&w, AVP_RANDOM_VECTOR, rd_init(vector, 16));
	avp_put_u16(&w, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_bytes(&w, AVP_HOST_NAME, rd_init("h", 1));
	avp_put_u32(&w, AVP_FRAMING_CAPABILITIES, 3);
	assert_true(hide_encode(AVP_ASSIGNED_TUNNEL_ID, SECRET,
	    rd_init(vector, 16), rd_init(id, 2), 20, &c));
	wr_be16(&w, (uint16_t)(flags | (c.len + AVP_HEAD_BYTES)));
	wr_be16(&w, 0);
	wr_be16(&w, AVP_ASSIGNED_TUNNEL_ID);
	wr_bytes(&w, cipher, c.len);
	return wr_rd(&w);
}

static void
test_hidden_in_message(void **state)
{
	(void)state;
	assert_true(msg_decode(hidden_sccrq(true, 0xc000), SECRET, &msg));
	assert_int_equal(msg_u16(&msg, AVP_ASSIGNED_TUNNEL_ID), 1234);
	assert_false(msg_decode(hidden_sccrq(false, 0xc000), SECRET, &msg));
	assert_string_equal(msg.why, "hidden AVP without a Random Vector");
	assert_false(msg_decode(hidden_sccrq(true, 0xc000), NO_SECRET, &msg));
	assert_string_equal(msg.why, "hidden AVP, but no shared secret");
	assert_false(
	    msg_decode(hidden_sccrq(true, 0xc000), rd_init("falsch", 6), &msg));
	assert_false(msg_has(&msg, AVP_ASSIGNED_TUNNEL_ID));
	/* not mandatory: skipped; here it was a required one */
	assert_false(msg_decode(hidden_sccrq(true, 0x4000), NO_SECRET, &msg));
	assert_string_equal(msg.why, "required AVP missing");
}

/* The nearest vector before the AVP counts. */
static void
test_second_vector(void **state)
{
	uint8_t body[512], cipher[64];
	struct wr w = wr_init(body, sizeof(body));
	struct wr c = wr_init(cipher, sizeof(cipher));

	(void)state;
	msg_begin(&w, MSG_HELLO);
	avp_put_bytes(&w, AVP_RANDOM_VECTOR, rd_init("first", 5));
	avp_put_bytes(&w, AVP_RANDOM_VECTOR, rd_init(vector, 16));
	assert_true(hide_encode(AVP_VENDOR_NAME, SECRET, rd_init(vector, 16),
	    rd_init("Adit", 4), 1, &c));
	avp_put_hidden(&w, AVP_VENDOR_NAME, wr_rd(&c));
	assert_true(msg_decode(wr_rd(&w), SECRET, &msg));
	assert_int_equal(msg.value[AVP_VENDOR_NAME].bytes.left, 4);
	assert_memory_equal(msg.value[AVP_VENDOR_NAME].bytes.p, "Adit", 4);
}

/* What must not be hidden is malformed when it is. */
static void
test_must_not_hide(void **state)
{
	uint8_t body[128], cipher[64];
	struct wr w = wr_init(body, sizeof(body));
	struct wr c = wr_init(cipher, sizeof(cipher));

	(void)state;
	assert_true(hide_encode(AVP_HOST_NAME, SECRET, rd_init(vector, 16),
	    rd_init("host", 4), 0, &c));
	msg_begin(&w, MSG_HELLO);
	avp_put_bytes(&w, AVP_RANDOM_VECTOR, rd_init(vector, 16));
	avp_put_hidden(&w, AVP_HOST_NAME, wr_rd(&c));
	assert_false(msg_decode(wr_rd(&w), SECRET, &msg));
	assert_false(msg_has(&msg, AVP_HOST_NAME));
}

/* Random cipher text of every length up to several blocks: never more than
 * what was sent comes out, and never out of bounds (ASan looks). */
static void
test_noise(void **state)
{
	uint8_t noise[80], scratch[80];
	struct rd value;
	uint64_t seed = 1;
	struct wr w;
	size_t n;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		n = (size_t)i % (sizeof(noise) + 1);
		net_fill_random(&seed, noise, sizeof(noise));
		w = wr_init(scratch, n); /* exact */
		if (hide_decode(AVP_CHALLENGE, SECRET, rd_init(vector, 16),
			rd_init(noise, n), &w, &value))
			assert_true(value.left + 2 <= n);
	}
	/* scratch too small: refused, and left as it was */
	w = wr_init(scratch, 10);
	assert_false(hide_decode(AVP_CHALLENGE, SECRET, rd_init(vector, 16),
	    rd_init(noise, 20), &w, &value));
	assert_int_equal(w.len, 0);
	assert_true(wr_ok(&w));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_answers),
	    cmocka_unit_test(test_hidden_in_message),
	    cmocka_unit_test(test_second_vector),
	    cmocka_unit_test(test_must_not_hide),
	    cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
