/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_dhcp.c: DHCPINFORM as macOS and Windows send it, the answer byte by
 * byte, and everything that must get none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/checksum.h"
#include "ppp-glue/services/dhcp.h"

#define OPTIONS_AT (20 + 8 + 236 + 4) /* behind the cookie */
#define MOST       700

static const uint8_t address[4] = {10, 77, 0, 10}, server[4] = {10, 77, 0, 1};

/* macOS' list: pppd/acsp.c */
static const uint8_t apple[] = {
    53, 1, 8, 61, 7, 8, 0, 0, 0, 1, 0, 0, 55, 6, 6, 44, 43, 1, 249, 15, 255};
/* Windows: vendor class, user class (MS-DHCPE 2.2.6.1), list with both */
static const uint8_t windows[] = {53, 1, 8, 61, 7, 8, 0, 83, 0, 0, 0, 0, 60, 8,
    'M', 'S', 'F', 'T', ' ', '5', '.', '0', 77, 14, 'R', 'R', 'A', 'S', '.',
    'M', 'i', 'c', 'r', 'o', 's', 'o', 'f', 't', 55, 8, 6, 44, 43, 1, 121, 249,
    15, 3, 255};

struct inform {
	uint8_t bytes[MOST];
	size_t len;
};

static void
put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
fix_ip(uint8_t *p)
{
	put16(p + 10, 0);
	put16(p + 10, checksum_end(checksum_sum(p, 20)));
}

/* Without a UDP checksum, as macOS does it. */
static struct inform
make(const uint8_t *options, size_t n)
{
	static const uint8_t cookie[4] = {0x63, 0x82, 0x53, 0x63};
	struct inform m = {.len = OPTIONS_AT + n};
	uint8_t *p = m.bytes, *d = p + 28;

	p[0] = 0x45;
	put16(p + 2, m.len);
	p[8] = 64;
	p[9] = 17;
	memcpy(p + 12, address, 4);
	memset(p + 16, 255, 4);
	fix_ip(p);
	put16(p + 20, 68);
	put16(p + 22, 67);
	put16(p + 24, m.len - 20);
	d[0] = 1; /* request */
	d[1] = 8; /* htype */
	d[2] = 6; /* hlen */
	memcpy(d + 4, "\x12\x34\x56\x78", 4);
	put16(d + 10, 0x8000);
	memcpy(d + 12, address, 4);
	memcpy(d + 28, "\0\0\0\1", 4);
	memcpy(d + 236, cookie, 4);
	memcpy(p + OPTIONS_AT, options, n);
	return m;
}

/* NULL: it is one. */
static const char *
parse(const uint8_t *p, size_t n, struct dhcp_inform *ret)
{
	uint8_t *copy = malloc(n > 0 ? n : 1); /* not a byte too much */
	struct packet packet;
	const char *why = NULL;
	struct rd r;

	assert_non_null(copy);
	memcpy(copy, p, n);
	r = rd_init(copy, n);
	if (!packet_parse(&r, &packet))
		why = r.err;
	else if (dhcp_parse_inform(&packet, address, server, ret, &why))
		why = NULL;
	else
		assert_non_null(why);
	free(copy);
	return why;
}

static void
refused(const struct inform *m, const char *want)
{
	struct dhcp_inform q;
	const char *why = parse(m->bytes, m->len, &q);

	if (why == NULL || strstr(why, want) == NULL)
		fail_msg("want \"%s\", got \"%s\"", want, why ? why : "yes");
}

static const struct ipv4_network routes[] = {
    {{192, 168, 1, 0}, 24}, {{172, 16, 0, 0}, 12}, {{10, 1, 2, 3}, 32}};

static struct dhcp_answer
sample_answer(void)
{
	return (struct dhcp_answer){
	    .server = {10, 77, 0, 1},
	    .dns = {{10, 77, 0, 1}, {0}},
	    .routes = routes,
	    .route_count = 3,
	    .domains = "corp.test\0lab.test",
	    .domain_count = 2,
	    .max_bytes = 1400,
	};
}

/* The parts that are the same in every answer. Returns what follows option 54
 * up to the end of the packet. */
static struct rd
check_answer(const uint8_t *buf, size_t n)
{
	static const uint8_t none[4],
	    first[9] = {53, 1, 5, 54, 4, 10, 77, 0, 1};
	struct rd r = rd_init(buf, n);
	struct packet p;
	const uint8_t *d;

	assert_true(packet_parse(&r, &p));
	assert_memory_equal(p.src, server, 4);
	assert_memory_equal(p.dst, address, 4);
	assert_int_equal(p.sport, 67);
	assert_int_equal(p.dport, 68);
	assert_true(buf[26] != 0 || buf[27] != 0); /* a checksum is there */
	assert_true(p.payload.left >= 300);
	d = p.payload.p;
	assert_int_equal(d[0], 2);
	assert_int_equal(d[1], 8);
	assert_int_equal(d[2], 6);
	assert_memory_equal(d + 4, "\x12\x34\x56\x78", 4);
	assert_int_equal(d[10], 0x80);
	assert_memory_equal(d + 12, address, 4);
	assert_memory_equal(d + 16, none, 4); /* yiaddr */
	assert_memory_equal(d + 28, "\0\0\0\1", 4);
	/* macOS looks for the type right behind the cookie */
	assert_memory_equal(d + 240, first, sizeof(first));
	return rd_init(d + 249, p.payload.left - 249);
}

static void
test_apple(void **state)
{
	static const uint8_t want[] = {6, 4, 10, 77, 0, 1, 15, 18, 'c', 'o',
	    'r', 'p', '.', 't', 'e', 's', 't', ',', 'l', 'a', 'b', '.', 't',
	    'e', 's', 't', 249, 24, 24, 192, 168, 1, 10, 77, 0, 1, 12, 172, 16,
	    10, 77, 0, 1, 32, 10, 1, 2, 3, 10, 77, 0, 1, 255};
	const struct inform m = make(apple, sizeof(apple));
	const struct dhcp_answer a = sample_answer();
	struct dhcp_inform q;
	uint8_t buf[DHCP_ACK_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd rest;

	(void)state;
	assert_null(parse(m.bytes, m.len, &q));
	assert_true(q.wants_dns && q.wants_domain && q.wants_ms_routes);
	assert_false(q.wants_routes || q.microsoft);
	assert_int_equal(dhcp_build_ack(&w, &q, &a), 0);
	rest = check_answer(buf, w.len);
	assert_int_equal(w.len, 20 + 8 + 249 + sizeof(want));
	assert_memory_equal(rest.p, want, sizeof(want));
}

static void
test_windows(void **state)
{
	static const uint8_t want[] = {6, 4, 10, 77, 0, 1, 15, 9, 'c', 'o', 'r',
	    'p', '.', 't', 'e', 's', 't', 121, 24, 24, 192, 168, 1, 10, 77, 0,
	    1, 12, 172, 16, 10, 77, 0, 1, 32, 10, 1, 2, 3, 10, 77, 0, 1, 249,
	    24};
	struct inform m = make(windows, sizeof(windows));
	const struct dhcp_answer a = sample_answer();
	struct dhcp_inform q;
	uint8_t buf[DHCP_ACK_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd rest;
	uint32_t sum;

	(void)state;
	/* to us instead of to all, with a UDP checksum */
	memcpy(m.bytes + 16, server, 4);
	fix_ip(m.bytes);
	sum = (uint32_t)checksum_sum(m.bytes + 12, 8) + 17 +
	    (uint32_t)(m.len - 20) + checksum_sum(m.bytes + 20, m.len - 20);
	put16(m.bytes + 26, checksum_end(sum));
	assert_null(parse(m.bytes, m.len, &q));
	assert_true(q.microsoft && q.wants_routes && q.wants_ms_routes);
	assert_int_equal(dhcp_build_ack(&w, &q, &a), 0);
	rest = check_answer(buf, w.len);
	assert_memory_equal(rest.p, want, sizeof(want));
	m.bytes[OPTIONS_AT + 30]++;
	refused(&m, "checksum");
}

/* Nothing to say, or nothing asked: small, padded, no empty option. */
static void
test_nothing_to_say(void **state)
{
	static const uint8_t no_list[] = {53, 1, 8}; /* nor an end */
	struct inform m = make(apple, sizeof(apple));
	struct dhcp_answer a = {.server = {10, 77, 0, 1}, .max_bytes = 1400};
	struct dhcp_inform q;
	uint8_t buf[DHCP_ACK_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd rest;

	(void)state;
	assert_null(parse(m.bytes, m.len, &q));
	assert_int_equal(dhcp_build_ack(&w, &q, &a), 0);
	rest = check_answer(buf, w.len);
	assert_int_equal(w.len, 328);
	assert_int_equal(rest.p[0], 255);
	m = make(no_list, sizeof(no_list));
	assert_null(parse(m.bytes, m.len, &q));
	a = sample_answer();
	w = wr_init(buf, sizeof(buf));
	assert_int_equal(dhcp_build_ack(&w, &q, &a), 0);
	rest = check_answer(buf, w.len);
	assert_int_equal(rest.p[0], 255);
}

/* 64 routes of 8 bytes: 31 fit into an option. */
static void
test_too_many_routes(void **state)
{
	struct ipv4_network many[64];
	const struct inform m = make(windows, sizeof(windows));
	struct dhcp_answer a = sample_answer();
	struct dhcp_inform q;
	uint8_t buf[DHCP_ACK_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd rest;

	(void)state;
	for (size_t i = 0; i < 64; i++)
		many[i] = (struct ipv4_network){{192, 168, (uint8_t)i, 0}, 24};
	a.routes = many;
	a.route_count = 64;
	assert_null(parse(m.bytes, m.len, &q));
	assert_int_equal(dhcp_build_ack(&w, &q, &a), 64 - 31);
	rest = check_answer(buf, w.len);
	assert_int_equal(rest.p[17], 121);
	assert_int_equal(rest.p[18], 248);
	assert_int_equal(rest.p[19 + 248], 249);
	assert_int_equal(rest.p[20 + 248], 248);
	/* a client that takes 576 bytes gets that */
	q.max_bytes = 576;
	w = wr_init(buf, sizeof(buf));
	assert_true(dhcp_build_ack(&w, &q, &a) > 64 - 31);
	check_answer(buf, w.len);
	assert_true(w.len <= 576 && w.len > 540);
}

static void
test_too_many_domains(void **state)
{
	const struct inform m = make(apple, sizeof(apple));
	char text[8 * 64];
	struct dhcp_answer a = sample_answer();
	struct dhcp_inform q;
	uint8_t buf[DHCP_ACK_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd rest;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < 8; i++)
		text[i * 64 + 63] = '\0';
	a.domains = text;
	a.domain_count = 8;
	assert_null(parse(m.bytes, m.len, &q));
	dhcp_build_ack(&w, &q, &a);
	rest = check_answer(buf, w.len);
	assert_int_equal(rest.p[6], 15);
	assert_int_equal(rest.p[7], 4 * 64 - 1); /* whole ones only */
}

static void
test_refused(void **state)
{
	static const uint8_t discover[] = {53, 1, 1, 255};
	static const uint8_t long_type[] = {53, 2, 8, 8, 255};
	static const uint8_t too_long[] = {53, 1, 8, 55, 7, 6, 15};
	static const uint8_t no_length[] = {53, 1, 8, 55};
	const struct inform good = make(apple, sizeof(apple));
	struct inform m;

	(void)state;
	m = make(discover, sizeof(discover));
	refused(&m, "not a DHCPINFORM");
	m = make(long_type, sizeof(long_type));
	refused(&m, "not a DHCPINFORM");
	m = make(too_long, sizeof(too_long));
	refused(&m, "longer than");
	m = make(no_length, sizeof(no_length));
	refused(&m, "longer than");
	m = good;
	m.bytes[28] = 2;
	refused(&m, "not a request");
	m = good;
	m.bytes[28 + 2] = 17; /* hlen */
	refused(&m, "not a request");
	m = good;
	m.bytes[28 + 15]++; /* ciaddr */
	refused(&m, "another address");
	m = good;
	m.bytes[28 + 27] = 1; /* giaddr */
	refused(&m, "relay");
	m = good;
	m.bytes[28 + 236] = 0;
	refused(&m, "not DHCP");
	m = good;
	m.bytes[23] = 69;
	refused(&m, "DHCP port");
	m = good;
	m.bytes[11]++;
	refused(&m, "IPv4 checksum");
	m = good;
	m.bytes[15]++; /* source */
	fix_ip(m.bytes);
	refused(&m, "from another address");
	m = good;
	m.bytes[19] = 254; /* destination */
	fix_ip(m.bytes);
	refused(&m, "somebody else");
	m = good;
	m.bytes[6] = 0x20; /* more fragments */
	fix_ip(m.bytes);
	refused(&m, "fragment");
	m = good;
	m.bytes[9] = 6;
	fix_ip(m.bytes);
	refused(&m, "not UDP");
	m = good;
	m.bytes[0] = 0x65;
	refused(&m, "not UDP"); /* as IPv6 */
}

/* IP and UDP lengths say what is there, which is less and less. */
static void
test_truncated(void **state)
{
	struct inform m = make(windows, sizeof(windows));
	struct dhcp_inform q;
	size_t type_end = OPTIONS_AT + 3, n;

	(void)state;
	for (n = 0; n < m.len; n++) {
		assert_non_null(parse(m.bytes, n, &q)); /* lengths lie */
		if (n < 28)
			continue;
		put16(m.bytes + 2, n);
		put16(m.bytes + 24, n - 20);
		fix_ip(m.bytes);
		/* between options it is a message without an end */
		if (parse(m.bytes, n, &q) == NULL)
			assert_true(n >= type_end);
		else
			assert_true(n != type_end);
		put16(m.bytes + 2, m.len);
		put16(m.bytes + 24, m.len - 20);
		fix_ip(m.bytes);
	}
	assert_null(parse(m.bytes, m.len, &q));
}

/* Every length of every option, hlen and htype of all sorts. */
static void
test_hostile_lengths(void **state)
{
	const struct inform good = make(windows, sizeof(windows));
	uint8_t buf[DHCP_ACK_MAX];
	struct dhcp_inform q;
	struct dhcp_answer a = sample_answer();
	struct inform m;
	struct wr w;

	(void)state;
	for (size_t at = 28; at < good.len; at++)
		for (unsigned int v = 0; v < 256; v++) {
			m = good;
			m.bytes[at] = (uint8_t)v;
			if (parse(m.bytes, m.len, &q) != NULL)
				continue;
			w = wr_init(buf, sizeof(buf));
			dhcp_build_ack(&w, &q, &a);
			assert_true(wr_ok(&w) && w.len >= 328);
		}
}

/* IP options are read over, padding behind the packet too. */
static void
test_ip_options(void **state)
{
	const struct inform good = make(apple, sizeof(apple));
	struct inform m = {.len = good.len + 4};
	struct dhcp_inform q;
	uint8_t longer[MOST];

	(void)state;
	memcpy(m.bytes, good.bytes, 20);
	memset(m.bytes + 20, 1, 4);
	memcpy(m.bytes + 24, good.bytes + 20, good.len - 20);
	m.bytes[0] = 0x46;
	put16(m.bytes + 2, m.len);
	put16(m.bytes + 10, 0);
	put16(m.bytes + 10, checksum_end(checksum_sum(m.bytes, 24)));
	assert_null(parse(m.bytes, m.len, &q));
	memset(longer, 0xee, sizeof(longer));
	memcpy(longer, good.bytes, good.len);
	assert_null(parse(longer, good.len + 50, &q));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_apple),
	    cmocka_unit_test(test_windows),
	    cmocka_unit_test(test_nothing_to_say),
	    cmocka_unit_test(test_too_many_routes),
	    cmocka_unit_test(test_too_many_domains),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_hostile_lengths),
	    cmocka_unit_test(test_ip_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
