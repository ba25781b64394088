/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_link_msg.c: what a PPP process and the engine say to each other: round
 * and back, truncated at every byte, with a byte too many, and with each field
 * out of its range.
 */
#include "base/link_msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/codec_ends.h"

union message {
	struct link_hello hello;
	struct link_ask ask;
	struct link_verdict verdict;
	struct link_ipv4 ipv4;
	struct link_ipv6 ipv6;
	struct link_use use;
	struct link_end end;
};

static const struct link_hello sample_hello = {
    .version = LINK_MSG_VERSION, .ppp = "pppd-2.4.9"};
static const struct link_ask sample_ask = {.serial = 0x01020304,
    .method = LINK_METHOD_MSCHAPV2,
    .chap_id = 255,
    .name = "CORP\\alice",
    .name_bytes = 10,
    .challenge = "cccccccccccccccc",
    .challenge_bytes = 16,
    .response = "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr",
    .response_bytes = 49};
static const struct link_verdict sample_verdict = {.serial = UINT32_MAX,
    .decision = LINK_ACCEPTED,
    .message = "S=0123",
    .message_bytes = 6,
    .ipv4_local = {10, 0, 0, 1},
    .ipv4_peer = {10, 0, 0, 2},
    .ipv4_dns = {{9, 9, 9, 9}, {1, 1, 1, 1}},
    .ipv4_nbns = {{10, 0, 0, 3}, {0}},
    .ifid_local = {8, 7, 6, 5, 4, 3, 2, 1},
    .ifid_peer = {1, 2, 3, 4, 5, 6, 7, 8}};
static const struct link_ipv4 sample_ipv4 = {.local = {10, 0, 0, 1},
    .peer = {10, 0, 0, 2},
    .mtu = 1400,
    .interface = "ppp0"};
static const struct link_ipv6 sample_ipv6 = {.ifid_local = {0, 0, 0, 0, 1},
    .ifid_peer = {2, 0, 0, 0, 2},
    .interface = "ppp4294967295"};
static const struct link_use sample_use = {.bytes_in = UINT64_MAX,
    .bytes_out = 2,
    .packets_in = 3,
    .packets_out = 1ULL << 32};
static const struct link_end sample_end = {
    .why = "peer-terminated", .by_peer = true};

/* One row a message; the functions are called through void pointers. */
#define CODEC(name)                                                            \
	static bool put_##name(struct wr *w, const void *m)                    \
	{                                                                      \
		return link_msg_put_##name(w, m);                              \
	}                                                                      \
	static bool get_##name(struct rd *r, void *ret)                        \
	{                                                                      \
		return link_msg_get_##name(r, ret);                            \
	}
CODEC(hello)
CODEC(ask)
CODEC(verdict)
CODEC(ipv4)
CODEC(ipv6)
CODEC(use)
CODEC(end)

#define ROW(name)                                                              \
	{                                                                      \
		put_##name, get_##name, &sample_##name, sizeof(sample_##name)  \
	}
static const struct codec codecs[] = {ROW(hello), ROW(ask), ROW(verdict),
    ROW(ipv4), ROW(ipv6), ROW(use), ROW(end)};

#define CODECS (sizeof(codecs) / sizeof(codecs[0]))

/* What was read and is put again gives the same bytes. */
static void
test_round_trip(void **state)
{
	uint8_t buf[LINK_MSG_BYTES_MAX], again[LINK_MSG_BYTES_MAX];
	union message m;
	struct wr w, w2;
	struct rd r;
	size_t i;

	(void)state;
	for (i = 0; i < CODECS; i++) {
		w = wr_init(buf, sizeof(buf));
		w2 = wr_init(again, sizeof(again));
		memset(&m, 0, sizeof(m));
		assert_true(codecs[i].put(&w, codecs[i].sample));
		r = wr_rd(&w);
		assert_true(codecs[i].get(&r, &m));
		assert_true(rd_end(&r));
		assert_true(codecs[i].put(&w2, &m));
		assert_int_equal(w.len, w2.len);
		assert_memory_equal(buf, again, w.len);
	}
}

static void
test_truncation(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CODECS; i++)
		codec_check_ends(&codecs[i]);
}

static void
test_hello(void **state)
{
	struct link_hello m = sample_hello, back;
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	(void)state;
	assert_true(link_msg_put_hello(&w, &m));
	r = wr_rd(&w);
	assert_true(link_msg_get_hello(&r, &back));
	assert_int_equal(back.version, LINK_MSG_VERSION);
	assert_string_equal(back.ppp, "pppd-2.4.9");
	buf[6] = '\n'; /* first letter of the text: it goes into logs */
	r = wr_rd(&w);
	assert_false(link_msg_get_hello(&r, &back));
	assert_string_equal(r.err, "not a plain word");
	buf[6] = 0xc3;
	r = wr_rd(&w);
	assert_false(link_msg_get_hello(&r, &back));
	buf[6] = 0;
	r = wr_rd(&w);
	assert_false(link_msg_get_hello(&r, &back));
	assert_string_equal(r.err, "zero byte in a text");
	buf[5] = sizeof(m.ppp); /* length */
	r = wr_rd(&w);
	assert_false(link_msg_get_hello(&r, &back));
	assert_string_equal(r.err, "text too long");
	memset(m.ppp, 'p', sizeof(m.ppp)); /* does not end */
	w = wr_init(buf, sizeof(buf));
	assert_false(link_msg_put_hello(&w, &m));
}

static void
test_ask(void **state)
{
	struct link_ask m = sample_ask, back;
	uint8_t buf[256];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;
	int method;

	(void)state;
	assert_true(link_msg_put_ask(&w, &m));
	r = wr_rd(&w);
	assert_true(link_msg_get_ask(&r, &back));
	assert_int_equal(back.serial, 0x01020304);
	assert_int_equal(back.method, LINK_METHOD_MSCHAPV2);
	assert_int_equal(back.chap_id, 255);
	assert_int_equal(back.name_bytes, 10);
	assert_memory_equal(back.name, m.name, sizeof(m.name));
	assert_int_equal(back.challenge_bytes, 16);
	assert_memory_equal(back.challenge, m.challenge, sizeof(m.challenge));
	assert_int_equal(back.response_bytes, 49);
	assert_memory_equal(back.response, m.response, sizeof(m.response));
	for (method = 0; method < 256; method++) {
		buf[4] = (uint8_t)method;
		r = wr_rd(&w);
		assert_int_equal(link_msg_get_ask(&r, &back),
		    method >= LINK_METHOD_MSCHAPV2 &&
			method <= LINK_METHOD_EAP);
	}
	buf[4] = LINK_METHOD_PAP;
	memset(buf, 0, 4);
	r = wr_rd(&w);
	assert_false(link_msg_get_ask(&r, &back));
	assert_string_equal(r.err, "serial 0");
}

/* The largest of everything fits, one byte more is refused both ways. */
static void
test_ask_extremes(void **state)
{
	struct link_ask m = sample_ask, back;
	uint8_t buf[LINK_MSG_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	(void)state;
	m.name_bytes = sizeof(m.name);
	m.challenge_bytes = sizeof(m.challenge);
	m.response_bytes = sizeof(m.response);
	memset(m.name, 0, sizeof(m.name)); /* bytes, not text */
	assert_true(link_msg_put_ask(&w, &m));
	r = wr_rd(&w);
	assert_true(link_msg_get_ask(&r, &back));
	assert_int_equal(back.name_bytes, sizeof(m.name));
	assert_int_equal(back.response_bytes, sizeof(m.response));
	buf[7] = 0x01; /* name length 0x0101 */
	r = wr_rd(&w);
	assert_false(link_msg_get_ask(&r, &back));
	assert_string_equal(r.err, "field too long");
	m.name_bytes++;
	w = wr_init(buf, sizeof(buf));
	assert_false(link_msg_put_ask(&w, &m));
	m = sample_ask;
	m.challenge_bytes = sizeof(m.challenge) + 1;
	w = wr_init(buf, sizeof(buf));
	assert_false(link_msg_put_ask(&w, &m));
	m = sample_ask;
	m.response_bytes = UINT16_MAX;
	w = wr_init(buf, sizeof(buf));
	assert_false(link_msg_put_ask(&w, &m));
}

static void
test_verdict(void **state)
{
	struct link_verdict m = sample_verdict, back;
	uint8_t buf[LINK_MSG_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;
	int decision;

	(void)state;
	assert_true(link_msg_put_verdict(&w, &m));
	r = wr_rd(&w);
	assert_true(link_msg_get_verdict(&r, &back));
	assert_true(back.serial == UINT32_MAX);
	assert_int_equal(back.decision, LINK_ACCEPTED);
	assert_int_equal(back.message_bytes, 6);
	assert_memory_equal(back.message, m.message, sizeof(m.message));
	assert_memory_equal(back.ipv4_local, m.ipv4_local, 4);
	assert_memory_equal(back.ipv4_peer, m.ipv4_peer, 4);
	assert_memory_equal(back.ipv4_dns, m.ipv4_dns, 8);
	assert_memory_equal(back.ipv4_nbns, m.ipv4_nbns, 8);
	assert_memory_equal(back.ifid_local, m.ifid_local, 8);
	assert_memory_equal(back.ifid_peer, m.ifid_peer, 8);
	for (decision = 0; decision < 256; decision++) {
		buf[4] = (uint8_t)decision;
		r = wr_rd(&w);
		assert_int_equal(
		    link_msg_get_verdict(&r, &back), decision <= LINK_MORE);
	}
	m.message_bytes = sizeof(m.message);
	w = wr_init(buf, sizeof(buf));
	assert_true(link_msg_put_verdict(&w, &m));
	buf[4] = LINK_REFUSED;
	buf[6]++; /* message length */
	r = wr_rd(&w);
	assert_false(link_msg_get_verdict(&r, &back));
	assert_string_equal(r.err, "field too long");
	m.message_bytes++;
	w = wr_init(buf, sizeof(buf));
	assert_false(link_msg_put_verdict(&w, &m));
}

static void
test_interfaces(void **state)
{
	struct link_ipv4 m4 = sample_ipv4, back4;
	struct link_ipv6 m6 = sample_ipv6, back6;
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	(void)state;
	assert_true(link_msg_put_ipv4(&w, &m4));
	r = wr_rd(&w);
	assert_true(link_msg_get_ipv4(&r, &back4));
	assert_memory_equal(back4.local, m4.local, 4);
	assert_memory_equal(back4.peer, m4.peer, 4);
	assert_int_equal(back4.mtu, 1400);
	assert_string_equal(back4.interface, "ppp0");
	buf[12] = ' '; /* first letter of the interface */
	r = wr_rd(&w);
	assert_false(link_msg_get_ipv4(&r, &back4));
	assert_string_equal(r.err, "not a plain word");
	buf[11] = sizeof(m4.interface);
	r = wr_rd(&w);
	assert_false(link_msg_get_ipv4(&r, &back4));
	assert_string_equal(r.err, "text too long");
	memset(m4.interface, 'i', sizeof(m4.interface));
	w = wr_init(buf, sizeof(buf));
	assert_false(link_msg_put_ipv4(&w, &m4));

	w = wr_init(buf, sizeof(buf));
	assert_true(link_msg_put_ipv6(&w, &m6));
	r = wr_rd(&w);
	assert_true(link_msg_get_ipv6(&r, &back6));
	assert_memory_equal(back6.ifid_local, m6.ifid_local, 8);
	assert_memory_equal(back6.ifid_peer, m6.ifid_peer, 8);
	assert_string_equal(back6.interface, "ppp4294967295");
	buf[18] = 0x7f;
	r = wr_rd(&w);
	assert_false(link_msg_get_ipv6(&r, &back6));
	memset(m6.interface, 'i', sizeof(m6.interface));
	w = wr_init(buf, sizeof(buf));
	assert_false(link_msg_put_ipv6(&w, &m6));
}

static void
test_use_and_end(void **state)
{
	struct link_use use;
	struct link_end m = sample_end, back;
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;
	int flag;

	(void)state;
	assert_true(link_msg_put_use(&w, &sample_use));
	r = wr_rd(&w);
	assert_true(link_msg_get_use(&r, &use));
	assert_true(use.bytes_in == UINT64_MAX && use.bytes_out == 2);
	assert_true(use.packets_in == 3 && use.packets_out == 1ULL << 32);

	w = wr_init(buf, sizeof(buf));
	assert_true(link_msg_put_end(&w, &m));
	r = wr_rd(&w);
	assert_true(link_msg_get_end(&r, &back));
	assert_string_equal(back.why, "peer-terminated");
	assert_true(back.by_peer);
	for (flag = 0; flag < 256; flag++) {
		buf[w.len - 1] = (uint8_t)flag;
		r = wr_rd(&w);
		assert_int_equal(link_msg_get_end(&r, &back), flag <= 1);
	}
	buf[2] = '\r'; /* first letter */
	r = wr_rd(&w);
	assert_false(link_msg_get_end(&r, &back));
	assert_string_equal(r.err, "not a plain word");
	memset(m.why, 'w', sizeof(m.why));
	w = wr_init(buf, sizeof(buf));
	assert_false(link_msg_put_end(&w, &m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_truncation),
	    cmocka_unit_test(test_hello),
	    cmocka_unit_test(test_ask),
	    cmocka_unit_test(test_ask_extremes),
	    cmocka_unit_test(test_verdict),
	    cmocka_unit_test(test_interfaces),
	    cmocka_unit_test(test_use_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
