/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_charon_msg.c: every message round and back, truncated at every byte,
 * with a byte too many, and with each field out of its range.
 */
#include "base/charon_msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct endpoint
address(const char *text, uint16_t port)
{
	struct endpoint e;

	assert_true(endpoint_parse(text, port, &e));
	return e;
}

static struct charon_sa
sample_sa(void)
{
	struct charon_sa sa = {.spi = 0xc0ffee01,
	    .inbound = true,
	    .encap = true,
	    .mark = UINT32_MAX,
	    .reqid = 7,
	    .enc_alg = 12,
	    .int_alg = 2,
	    .enc_key_bytes = 32,
	    .int_key_bytes = CHARON_MSG_KEY_MAX,
	    .hard_time_s = UINT64_MAX,
	    .hard_bytes = 1,
	    .hard_packets = 0x0102030405060708,
	    .peer_port = 1701};

	sa.local = address("192.0.2.1", 4500);
	sa.peer = address("2001:db8::2", 65535);
	memset(sa.enc_key, 0xaa, sa.enc_key_bytes);
	memset(sa.int_key, 0xbb, sa.int_key_bytes);
	return sa;
}

/* One message type for the generic tests: get into zeroed memory. */
struct codec {
	const char *name;
	bool (*put)(struct wr *w);
	bool (*get)(struct rd *r, void *ret);
	size_t bytes;    /* of the struct */
	bool open_ended; /* takes what is left as data */
};

#define GET(type)                                                              \
	static bool get_##type(struct rd *r, void *ret)                        \
	{                                                                      \
		return charon_msg_get_##type(r, ret);                          \
	}

GET(sa)
GET(sa_update)
GET(sa_del)
GET(alert)
GET(child)
GET(ike)
GET(endpoint)

static bool
put_sa(struct wr *w)
{
	struct charon_sa sa = sample_sa();

	return charon_msg_put_sa(w, &sa);
}

static bool
put_sa_update(struct wr *w)
{
	struct charon_sa_update u = {.spi = 1, .encap = true};

	u.old_peer = address("192.0.2.2", 1);
	u.local = address("192.0.2.1", 4500);
	u.peer = address("192.0.2.2", 2);
	return charon_msg_put_sa_update(w, &u);
}

static bool
put_sa_del(struct wr *w)
{
	struct charon_sa_del d = {.spi = UINT32_MAX, .inbound = true};

	d.peer = address("::1", 0);
	return charon_msg_put_sa_del(w, &d);
}

static bool
put_alert(struct wr *w)
{
	struct charon_alert a = {.kind = CHARON_ALERT_OTHER,
	    .identity = "C=CH, CN=alice",
	    .detail = "expired"};

	a.peer = address("192.0.2.2", 500);
	return charon_msg_put_alert(w, &a);
}

static bool
put_child(struct wr *w)
{
	const struct charon_child c = {.mark = 7,
	    .ike_id = 9,
	    .identity = "C=CH, CN=alice",
	    .connection = "adit-psk"};

	return charon_msg_put_child(w, &c);
}

static bool
put_ike(struct wr *w)
{
	struct charon_ike i = {.data = rd_init("0123456789", 10)};

	i.local = address("192.0.2.1", 500);
	i.peer = address("192.0.2.2", 500);
	return charon_msg_put_ike(w, &i);
}

static bool
put_endpoint(struct wr *w)
{
	struct endpoint e = address("2001:db8::1", 4500);

	return charon_msg_put_endpoint(w, &e);
}

static const struct codec codecs[] = {
    {"sa", put_sa, get_sa, sizeof(struct charon_sa), false},
    {"sa_update", put_sa_update, get_sa_update, sizeof(struct charon_sa_update),
	false},
    {"sa_del", put_sa_del, get_sa_del, sizeof(struct charon_sa_del), false},
    {"alert", put_alert, get_alert, sizeof(struct charon_alert), false},
    {"child", put_child, get_child, sizeof(struct charon_child), false},
    {"ike", put_ike, get_ike, sizeof(struct charon_ike), true},
    /* a part of messages: what follows is left for the caller */
    {"endpoint", put_endpoint, get_endpoint, sizeof(struct endpoint), true},
};

#define CODECS (sizeof(codecs) / sizeof(codecs[0]))

static void
test_truncation(void **state)
{
	uint8_t buf[1024], out[1024], untouched[1024], *exact;
	size_t i, n, shortest;
	struct rd r;
	struct wr w;

	(void)state;
	memset(untouched, 0x5a, sizeof(untouched));
	for (i = 0; i < CODECS; i++) {
		w = wr_init(buf, sizeof(buf));
		assert_true(codecs[i].put(&w));
		shortest = w.len;
		if (codecs[i].get == get_ike)
			shortest -= 10; /* its data may be any length */
		for (n = 0; n <= w.len; n++) {
			exact = malloc(n + 1);
			memcpy(exact, buf, n);
			memset(out, 0x5a, sizeof(out));
			r = rd_init(exact, n);
			if (n >= shortest) {
				assert_true(codecs[i].get(&r, out));
				assert_true(rd_end(&r));
			} else {
				assert_false(codecs[i].get(&r, out));
				assert_non_null(r.err);
				assert_memory_equal(
				    out, untouched, codecs[i].bytes);
			}
			free(exact);
		}
		wr_u8(&w, 0);
		r = wr_rd(&w);
		assert_int_equal(codecs[i].get(&r, out), codecs[i].open_ended);
	}
}

static void
test_no_room(void **state)
{
	uint8_t buf[1024];
	size_t i, cap, full;
	struct wr w;

	(void)state;
	for (i = 0; i < CODECS; i++) {
		w = wr_init(buf, sizeof(buf));
		assert_true(codecs[i].put(&w));
		full = w.len;
		for (cap = 0; cap < full; cap++) {
			w = wr_init(buf, cap);
			assert_false(codecs[i].put(&w));
			assert_false(wr_ok(&w));
		}
	}
}

static void
test_sa(void **state)
{
	struct charon_sa sa = sample_sa(), back;
	uint8_t buf[512];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	(void)state;
	assert_true(charon_msg_put_sa(&w, &sa));
	r = wr_rd(&w);
	assert_true(charon_msg_get_sa(&r, &back));
	assert_int_equal(back.spi, sa.spi);
	assert_true(back.inbound && back.encap);
	assert_int_equal(back.mark, sa.mark);
	assert_int_equal(back.reqid, sa.reqid);
	assert_true(endpoint_equal(&back.local, &sa.local));
	assert_true(endpoint_equal(&back.peer, &sa.peer));
	assert_int_equal(back.enc_alg, sa.enc_alg);
	assert_int_equal(back.int_alg, sa.int_alg);
	assert_int_equal(back.enc_key_bytes, 32);
	assert_memory_equal(back.enc_key, sa.enc_key, sizeof(sa.enc_key));
	assert_int_equal(back.int_key_bytes, CHARON_MSG_KEY_MAX);
	assert_memory_equal(back.int_key, sa.int_key, sizeof(sa.int_key));
	assert_true(back.hard_time_s == sa.hard_time_s);
	assert_true(back.hard_bytes == sa.hard_bytes);
	assert_true(back.hard_packets == sa.hard_packets);
	assert_int_equal(back.peer_port, 1701);
	sa.int_key_bytes = CHARON_MSG_KEY_MAX + 1;
	w = wr_init(buf, sizeof(buf));
	assert_false(charon_msg_put_sa(&w, &sa));
	assert_false(wr_ok(&w));
}

/* One field of an encoded SA out of its range. */
static void
test_sa_bad_fields(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *why;
	} rows[] = {
	    {4, 2, "flag is neither 0 nor 1"},    /* inbound */
	    {5, 0xff, "flag is neither 0 nor 1"}, /* encap */
	    {14, 5, "unknown address family"},    /* local */
	    {21, 1, "unknown address family"},    /* peer */
	    {44, 65, "key too long"},             /* enc_key */
	    {44, 0xff, "key too long"},
	    {77, 65, "key too long"}, /* int_key */
	    {77, 63, "bytes after the message"},
	};
	uint8_t buf[512], saved;
	struct wr w = wr_init(buf, sizeof(buf));
	struct charon_sa out;
	struct rd r;
	size_t i;

	(void)state;
	assert_true(put_sa(&w));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		saved = buf[rows[i].at];
		buf[rows[i].at] = rows[i].value;
		r = wr_rd(&w);
		assert_false(charon_msg_get_sa(&r, &out));
		assert_string_equal(r.err, rows[i].why);
		buf[rows[i].at] = saved;
	}
	memset(buf, 0, 4);
	r = wr_rd(&w);
	assert_false(charon_msg_get_sa(&r, &out));
	assert_string_equal(r.err, "SPI is zero");
}

static void
test_update_and_del(void **state)
{
	uint8_t buf[256];
	struct wr w = wr_init(buf, sizeof(buf));
	struct charon_sa_update u;
	struct charon_sa_del d;
	struct rd r;
	char text[ENDPOINT_TEXT];

	(void)state;
	assert_true(put_sa_update(&w));
	r = wr_rd(&w);
	assert_true(charon_msg_get_sa_update(&r, &u));
	assert_int_equal(u.spi, 1);
	assert_true(u.encap && !u.inbound);
	assert_int_equal(u.old_peer.port, 1);
	assert_int_equal(u.local.port, 4500);
	assert_int_equal(u.peer.port, 2);
	w = wr_init(buf, sizeof(buf));
	assert_true(put_sa_del(&w));
	r = wr_rd(&w);
	assert_true(charon_msg_get_sa_del(&r, &d));
	assert_int_equal(d.spi, UINT32_MAX);
	assert_true(d.inbound);
	assert_string_equal(
	    endpoint_format(&d.peer, text, sizeof(text)), "[::1]:0");
}

static void
test_ike(void **state)
{
	static uint8_t big[CHARON_MSG_IKE_MAX + 1],
	    buf[CHARON_MSG_IKE_MAX + 64];
	struct charon_ike i = {.local.family = 0}, back;
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	(void)state;
	i.data = rd_init(big, CHARON_MSG_IKE_MAX);
	assert_true(charon_msg_put_ike(&w, &i));
	r = wr_rd(&w);
	assert_true(charon_msg_get_ike(&r, &back));
	assert_int_equal(back.data.left, CHARON_MSG_IKE_MAX);
	assert_int_equal(back.local.family, 0);
	wr_u8(&w, 0);
	r = wr_rd(&w);
	assert_false(charon_msg_get_ike(&r, &back));
	assert_string_equal(r.err, "IKE message too long");
	i.data = rd_init(big, sizeof(big));
	w = wr_init(buf, sizeof(buf));
	assert_false(charon_msg_put_ike(&w, &i));
}

static void
test_child(void **state)
{
	uint8_t buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));
	struct charon_child back;
	struct rd r;

	(void)state;
	assert_true(put_child(&w));
	r = wr_rd(&w);
	assert_true(charon_msg_get_child(&r, &back));
	assert_true(rd_end(&r));
	assert_int_equal(back.mark, 7);
	assert_int_equal(back.ike_id, 9);
	assert_string_equal(back.identity, "C=CH, CN=alice");
	assert_string_equal(back.connection, "adit-psk");
}

static void
test_alert(void **state)
{
	uint8_t buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));
	struct charon_alert a = {.kind = CHARON_ALERT_WRONG_PSK}, back;
	struct rd r;

	(void)state;
	memset(a.identity, 'i', sizeof(a.identity) - 1);
	memset(a.detail, 'd', sizeof(a.detail) - 1);
	assert_true(charon_msg_put_alert(&w, &a));
	r = wr_rd(&w);
	assert_true(charon_msg_get_alert(&r, &back));
	assert_string_equal(back.identity, a.identity);
	assert_string_equal(back.detail, a.detail);
	buf[0] = CHARON_ALERT_OTHER + 1;
	r = wr_rd(&w);
	assert_false(charon_msg_get_alert(&r, &back));
	buf[0] = 0;
	r = wr_rd(&w);
	assert_false(charon_msg_get_alert(&r, &back));
	buf[0] = 1;
	buf[10] = 0; /* inside identity */
	r = wr_rd(&w);
	assert_false(charon_msg_get_alert(&r, &back));
	assert_string_equal(r.err, "zero byte in a text");
	/* a text that does not end is refused when writing */
	a.detail[sizeof(a.detail) - 1] = 'd';
	w = wr_init(buf, sizeof(buf));
	assert_false(charon_msg_put_alert(&w, &a));
	/* and one that fills its room without end when reading */
	memset(buf, 'x', sizeof(buf));
	w = wr_init(buf, sizeof(buf));
	wr_bytes(&w, "\1\0\0\0\1\0", 6);
	r = rd_init(buf, 4 + 2 + 256 + 2);
	assert_false(charon_msg_get_alert(&r, &back));
	assert_string_equal(r.err, "text too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_truncation),
	    cmocka_unit_test(test_no_room),
	    cmocka_unit_test(test_sa),
	    cmocka_unit_test(test_sa_bad_fields),
	    cmocka_unit_test(test_update_and_del),
	    cmocka_unit_test(test_ike),
	    cmocka_unit_test(test_alert),
	    cmocka_unit_test(test_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
