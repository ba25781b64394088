/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ra.c: router advertisements, when and what, the questions of clients,
 * and stateless DHCPv6; the bytes as the RFCs write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ppp-glue/services/dhcp6.h"
#include "ppp-glue/services/names.h"
#include "ppp-glue/services/ra.h"

static const uint8_t us[16] = {0xfe, 0x80, [15] = 1};
static const uint8_t client[16] = {0xfe, 0x80, [8] = 2, [15] = 9};
static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
static const uint8_t all_routers[16] = {0xff, 2, [15] = 2};
static const uint8_t all_servers[16] = {0xff, 2, [13] = 1, [15] = 2};
static const uint8_t unspecified[16];

#define RDNSS_BYTES 24
#define DNSSL_BYTES 32

static struct ra_values
sample(void)
{
	return (struct ra_values){.from = {0xfe, 0x80, [15] = 1},
	    .prefix = {0x20, 1, 0x0d, 0xb8, 0, 1, 0, 7},
	    .mtu = 1400,
	    .dns = {{0xfd, [15] = 0x53}},
	    .domains = "corp.test\0lab.test",
	    .domain_count = 2};
}

static struct rd
built(const struct wr *w, const uint8_t to[16], uint8_t protocol)
{
	struct rd r = wr_rd(w);
	struct packet p;

	assert_true(packet_parse(&r, &p)); /* checksums are right */
	assert_memory_equal(p.src, us, 16);
	assert_memory_equal(p.dst, to, 16);
	assert_int_equal(p.protocol, protocol);
	assert_int_equal(p.hop_limit, protocol == PACKET_ICMPV6 ? 255 : 64);
	return p.payload;
}

static void
test_advertisement(void **state)
{
	/* behind type, code, checksum */
	static const uint8_t want[] = {64, 0x40, 0x07, 0x08, 0, 0, 0, 0, 0, 0,
	    0, 0,
	    /* prefix: autonomous, not on-link */
	    3, 4, 64, 0x40, 0, 0, 0x1c, 0x20, 0, 0, 0x0e, 0x10, 0, 0, 0, 0,
	    0x20, 1, 0x0d, 0xb8, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0,
	    /* MTU */
	    5, 1, 0, 0, 0, 0, 0x05, 0x78,
	    /* RDNSS */
	    25, 3, 0, 0, 0, 0, 0x07, 0x08, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 0x53,
	    /* DNSSL */
	    31, 4, 0, 0, 0, 0, 0x07, 0x08, 4, 'c', 'o', 'r', 'p', 4, 't', 'e',
	    's', 't', 0, 3, 'l', 'a', 'b', 4, 't', 'e', 's', 't', 0, 0, 0, 0};
	struct ra_values v = sample();
	uint8_t buf[RA_PACKET_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd p;

	(void)state;
	ra_build(&w, &v, NULL);
	p = built(&w, all_nodes, PACKET_ICMPV6);
	assert_int_equal(p.p[0], 134);
	assert_int_equal(p.left, 4 + sizeof(want));
	assert_memory_equal(p.p + 4, want, sizeof(want));
	/* nothing to say about DNS: no empty options */
	memset(v.dns, 0, sizeof(v.dns));
	v.domain_count = 0;
	w = wr_init(buf, sizeof(buf));
	ra_build(&w, &v, client);
	p = built(&w, client, PACKET_ICMPV6);
	assert_int_equal(p.left, 4 + sizeof(want) - RDNSS_BYTES - DNSSL_BYTES);
}

/* RFC 4861 6.2.5: no router any more, and nothing of what it said. */
static void
test_last(void **state)
{
	struct ra_values v = sample();
	uint8_t buf[RA_PACKET_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	static const uint8_t none[8];
	struct rd p;

	(void)state;
	v.last = true;
	ra_build(&w, &v, NULL);
	p = built(&w, all_nodes, PACKET_ICMPV6);
	assert_memory_equal(p.p + 6, none, 2);
	assert_memory_equal(p.p + 20, none, 8); /* of the prefix */
	assert_memory_equal(p.p + 60, none, 4); /* of the name servers */
	assert_memory_equal(p.p + 84, none, 4);
}

/* 8 domains of 200 bytes do not fit: as many as do. */
static void
test_many_domains(void **state)
{
	char text[8 * 64];
	struct ra_values v = sample();
	uint8_t buf[RA_PACKET_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd p;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < 8; i++)
		text[i * 64 + 63] = '\0';
	v.domains = text;
	v.domain_count = 8;
	ra_build(&w, &v, NULL);
	p = built(&w, all_nodes, PACKET_ICMPV6);
	assert_int_equal(p.p[80], 31);
	assert_int_equal(p.p[81], 1 + (3 * 65 + 7) / 8);
}

static void
test_timer(void **state)
{
	struct ra_timer t;
	uint64_t now = 1000, last;

	(void)state;
	ra_timer_stop(&t);
	assert_false(ra_timer_fires(&t, UINT64_MAX - 1, 0));
	ra_timer_start(&t, now);
	assert_true(ra_timer_fires(&t, now, 7));
	assert_false(ra_timer_fires(&t, now + 2999, 7));
	assert_true(ra_timer_fires(&t, now + 3000, 7));
	assert_true(ra_timer_fires(&t, now + 6000, 7));
	now += 6000;
	for (uint32_t random = 0; random < 1000000; random += 9973) {
		last = now;
		now = t.due_ms;
		assert_true(now - last >= 450000 && now - last <= 600000);
		assert_true(ra_timer_fires(&t, now, random));
	}
}

/* A question as an IP packet in buf. Returns its length. */
static size_t
ask(uint8_t *buf, size_t room, uint8_t protocol, const uint8_t from[16],
    const uint8_t to[16], const uint8_t *payload, size_t n)
{
	struct packet p = {.version = 6,
	    .protocol = protocol,
	    .hop_limit = 255,
	    .sport = 546,
	    .dport = 547};
	struct wr w = wr_init(buf, room);
	size_t begin;

	memcpy(p.src, from, 16);
	memcpy(p.dst, to, 16);
	begin = packet_begin(&w, &p);
	wr_bytes(&w, payload, n);
	packet_end(&w, begin);
	assert_true(wr_ok(&w));
	return w.len;
}

static bool
parse_icmp(const uint8_t from[16], const uint8_t *payload, size_t n,
    struct ra_question *ret)
{
	uint8_t buf[200];
	struct packet p;
	struct rd r;

	r = rd_init(buf,
	    ask(buf, sizeof(buf), PACKET_ICMPV6, from, all_routers, payload,
		n));
	return packet_parse(&r, &p) && ra_parse(&p, ret);
}

static void
test_solicitations(void **state)
{
	uint8_t rs[16] = {133, [8] = 1, 1}, ns[24] = {135};
	uint8_t buf[RA_PACKET_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct ra_question q;
	struct rd p;

	(void)state;
	assert_true(parse_icmp(client, rs, 8, &q));
	assert_int_equal(q.type, RA_ROUTER_SOLICITATION);
	assert_false(q.anonymous);
	assert_true(parse_icmp(client, rs, 16, &q)); /* with an option */
	assert_true(parse_icmp(unspecified, rs, 8, &q));
	assert_true(q.anonymous);
	memcpy(ns + 8, us, 16);
	assert_true(parse_icmp(client, ns, 24, &q));
	assert_int_equal(q.type, RA_NEIGHBOR_SOLICITATION);
	assert_memory_equal(q.target, us, 16);
	ra_build_neighbor(&w, us, &q);
	p = built(&w, client, PACKET_ICMPV6);
	assert_int_equal(p.left, 24);
	assert_int_equal(p.p[0], 136);
	assert_int_equal(p.p[4], 0xe0); /* router, solicited, override */
	assert_memory_equal(p.p + 8, us, 16);
	assert_true(parse_icmp(unspecified, ns, 24, &q));
	w = wr_init(buf, sizeof(buf));
	ra_build_neighbor(&w, us, &q);
	p = built(&w, all_nodes, PACKET_ICMPV6);
	assert_int_equal(p.p[4], 0xa0);
	/* and what is none */
	for (size_t n = 4; n < 24; n++)
		assert_false(parse_icmp(client, ns, n, &q));
	for (size_t n = 9; n < 16; n++)
		assert_false(parse_icmp(client, rs, n, &q));
	rs[9] = 0; /* an option without length */
	assert_false(parse_icmp(client, rs, 16, &q));
	rs[1] = 1;
	assert_false(parse_icmp(client, rs, 8, &q));
	ns[8] = 0xff;
	assert_false(parse_icmp(client, ns, 24, &q));
	ns[0] = 136;
	assert_false(parse_icmp(client, ns, 24, &q));
}

static bool
parse_dhcp6(const uint8_t to[16], const uint8_t *payload, size_t n,
    struct dhcp6_question *ret)
{
	uint8_t buf[400];
	struct packet p;
	struct rd r;

	r = rd_init(
	    buf, ask(buf, sizeof(buf), PACKET_UDP, client, to, payload, n));
	return packet_parse(&r, &p) && dhcp6_parse(&p, us, ret);
}

static const uint8_t request[] = {11, 1, 2, 3, 0, 8, 0, 2, 0, 0, 0, 1, 0, 10, 0,
    3, 0, 1, 2, 0, 0, 0, 0, 9, 0, 6, 0, 4, 0, 23, 0, 24};

static void
test_dhcp6(void **state)
{
	static const uint8_t want[] = {7, 1, 2, 3, 0, 1, 0, 10, 0, 3, 0, 1, 2,
	    0, 0, 0, 0, 9, 0, 2, 0, 12, 0, 3, 0, 27, 0, 0, 0, 0, 0, 0, 0, 1, 0,
	    23, 0, 16, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53, 0,
	    24, 0, 11, 4, 'c', 'o', 'r', 'p', 4, 't', 'e', 's', 't', 0};
	const struct dhcp6_answer a = {.from = {0xfe, 0x80, [15] = 1},
	    .dns = {{0xfd, [15] = 0x53}},
	    .domains = "corp.test",
	    .domain_count = 1};
	uint8_t buf[DHCP6_REPLY_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct dhcp6_question q;
	struct rd p;

	(void)state;
	assert_true(parse_dhcp6(all_servers, request, sizeof(request), &q));
	assert_true(parse_dhcp6(us, request, sizeof(request), &q));
	assert_true(q.wants_dns && q.wants_domains);
	dhcp6_build(&w, &q, &a);
	p = built(&w, client, PACKET_UDP);
	assert_int_equal(p.left, sizeof(want));
	assert_memory_equal(p.p, want, sizeof(want));
	/* nothing asked: who we both are */
	assert_true(parse_dhcp6(us, request, 26, &q) == false);
	assert_true(parse_dhcp6(us, request, 24, &q));
	w = wr_init(buf, sizeof(buf));
	dhcp6_build(&w, &q, &a);
	p = built(&w, client, PACKET_UDP);
	assert_memory_equal(p.p, want, 34);
	assert_int_equal(p.left, 34);
}

static void
test_dhcp6_refused(void **state)
{
	static const uint8_t lease[] = {11, 1, 2, 3, 0, 3, 0, 4, 0, 0, 0, 1};
	static const uint8_t other[] = {11, 1, 2, 3, 0, 2, 0, 4, 0, 3, 0, 1};
	static const uint8_t solicit[] = {1, 1, 2, 3};
	static const uint8_t empty_id[] = {11, 1, 2, 3, 0, 1, 0, 0};
	uint8_t long_id[8 + 131] = {11, 1, 2, 3, 0, 1, 0, 131};
	struct dhcp6_question q;

	(void)state;
	assert_false(parse_dhcp6(us, lease, sizeof(lease), &q));
	assert_false(parse_dhcp6(us, other, sizeof(other), &q));
	assert_false(parse_dhcp6(us, solicit, sizeof(solicit), &q));
	assert_false(parse_dhcp6(us, empty_id, sizeof(empty_id), &q));
	assert_false(parse_dhcp6(us, long_id, sizeof(long_id), &q));
	long_id[7] = 130;
	assert_true(parse_dhcp6(us, long_id, sizeof(long_id) - 1, &q));
	assert_false(parse_dhcp6(all_routers, request, sizeof(request), &q));
	/* between options it is a shorter message */
	for (size_t n = 0; n < sizeof(request); n++)
		assert_int_equal(parse_dhcp6(us, request, n, &q),
		    n == 4 || n == 10 || n == 24);
}

/* Not a byte of a packet is read that is not there, and each one counts. */
static void
test_truncated(void **state)
{
	uint8_t buf[200], *copy;
	size_t n,
	    len = ask(buf, sizeof(buf), PACKET_UDP, client, all_servers,
		request, sizeof(request));
	struct packet p;
	struct rd r;

	(void)state;
	for (n = 0; n < len; n++) {
		copy = malloc(n > 0 ? n : 1);
		assert_non_null(copy);
		memcpy(copy, buf, n);
		r = rd_init(copy, n);
		assert_false(packet_parse(&r, &p));
		assert_non_null(r.err);
		free(copy);
	}
	for (n = 8; n < len; n++) {
		buf[n] ^= 1;
		r = rd_init(buf, len);
		assert_false(packet_parse(&r, &p));
		buf[n] ^= 1;
	}
	buf[46] = buf[47] = 0; /* no checksum */
	r = rd_init(buf, len);
	assert_false(packet_parse(&r, &p));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_advertisement),
	    cmocka_unit_test(test_last),
	    cmocka_unit_test(test_many_domains),
	    cmocka_unit_test(test_timer),
	    cmocka_unit_test(test_solicitations),
	    cmocka_unit_test(test_dhcp6),
	    cmocka_unit_test(test_dhcp6_refused),
	    cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
