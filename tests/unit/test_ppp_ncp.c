/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ppp_ncp.c: IPCP and IPV6CP against a hostile or clumsy peer: foreign,
 * missing and doubled addresses, prompts that go on, truncation, servers that
 * have nothing to give; and a client with a bad server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ppp-glue/engine/link.h"
#include "tests/peer/ppp_pair.h"

static struct pair P;
#define SERVER (P.end[0])
#define IPCP   0x8021
#define IPV6CP 0x8057

static const struct ppp_verdict plain = {.accept = true,
    .ipv4_local = {10, 9, 0, 1},
    .ipv4_peer = {10, 9, 0, 7},
    .ipv4_dns = {{10, 9, 0, 53}}};

/* a server whose peer is authenticated by this verdict */
static void
fresh(const struct ppp_verdict *v)
{
	pair_fini(&P);
	pair_init(&P, 16, true);
	SERVER.policy = PAIR_SILENT;
	pair_start(&P);
	pair_open_lcp(&P);
	pair_respond(&P, "alice", 5, "wonderland");
	assert_int_equal(ppp_verdict(SERVER.ppp, v, P.now_ms), 0);
	pair_drain(&P, 0);
}

static int
setup(void **state)
{
	(void)state;
	fresh(&plain);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pair_fini(&P);
	return 0;
}

static void
expect(unsigned protocol, unsigned code, const char *hex)
{
	uint8_t want[64];
	size_t n = pair_hex(hex, want, sizeof(want));
	int i = pair_find(&SERVER, protocol, code);

	if (i < 0)
		fail_msg("no frame %04x code %u", protocol, code);
	assert_int_equal(SERVER.out_bytes[i], 8 + n);
	assert_memory_equal(SERVER.out[i] + 8, want, n);
}

static void
truncation(void **state)
{
	static const char *const frame[] = {
	    "8021 01 01 0010 0306 0a090007 8106 0a090035",
	    "8057 01 01 000e 010a 0011223344556677", "8021 05 01 0004",
	    "8021 07 01 0008 63010004"};
	uint8_t buf[64];
	size_t i, n, cut;

	(void)state;
	pair_forget(&P);
	for (i = 0; i < sizeof(frame) / sizeof(frame[0]); i++) {
		n = pair_hex(frame[i], buf, sizeof(buf));
		for (cut = 0; cut < n; cut++)
			pair_input(&P, 0, buf, cut);
	}
	assert_int_equal(SERVER.out_count, 0);
	/* the Length is true, the option is cut */
	pair_hex_input(&P, "8021 01 01 0009 0306 0a0900");
	pair_hex_input(&P, "8021 01 01 0005 03");
	pair_hex_input(&P, "8021 01 01 0006 0300");
	pair_hex_input(&P, "8021 01 01 0006 0301");
	pair_hex_input(&P, "8021 01 01 0006 03ff");
	pair_hex_input(&P, "8057 01 01 000d 010a 00112233445566");
	assert_int_equal(SERVER.out_count, 0);
	/* options of a wrong size are Naked with a right one */
	pair_hex_input(&P, "8021 01 02 0008 0302 8102");
	expect(IPCP, 3, "0306 0a090007 8106 0a090035");
	pair_hex_input(&P, "8057 01 02 0007 010300");
	assert_true(pair_find(&SERVER, IPV6CP, 3) >= 0);
}

static void
foreign_address(void **state)
{
	(void)state;
	pair_ack(&P, IPCP);
	pair_hex_input(&P, "8021 01 01 000a 0306 c0a80101");
	expect(IPCP, 3, "0306 0a090007");
	pair_hex_input(&P, "8021 01 02 000a 0306 0a090001"); /* the gateway's */
	expect(IPCP, 3, "0306 0a090007");
	assert_false(ppp_ipv4_is_up(SERVER.ppp));
	pair_hex_input(&P, "8021 01 03 000a 0306 0a090007");
	assert_true(ppp_ipv4_is_up(SERVER.ppp));
	/* and it cannot change it later */
	pair_hex_input(&P, "8021 01 04 000a 0306 0a090008");
	assert_int_equal(SERVER.downs4, 1);
	assert_false(ppp_ipv4_is_up(SERVER.ppp));
}

/* no address in its request: prompted, five times, then IPCP is over */
static void
missing_address(void **state)
{
	char hex[32];
	unsigned i;

	(void)state;
	pair_ack(&P, IPCP);
	pair_hex_input(&P, "8021 01 01 0004");
	expect(IPCP, 3, "0306 0a090007");
	for (i = 2; i <= 5; i++) {
		snprintf(hex, sizeof(hex), "8021 01 %02x 0004", i);
		pair_hex_input(&P, hex);
	}
	pair_forget(&P);
	pair_hex_input(&P, "8021 01 06 0004");
	assert_int_equal(pair_find(&SERVER, IPCP, 2), -1);
	assert_true(pair_find(&SERVER, IPCP, 5) >= 0);
	assert_int_equal(SERVER.ups4, 0);
}

/* 0.0.0.0 for ever: five Naks, then Rejects; never up */
static void
prompts_without_end(void **state)
{
	char hex[32];
	unsigned i, naks = 0;

	(void)state;
	pair_ack(&P, IPCP);
	for (i = 1; i <= 20; i++) {
		pair_forget(&P);
		snprintf(
		    hex, sizeof(hex), "8021 01 %02x 000a 0306 00000000", i);
		pair_hex_input(&P, hex);
		naks += pair_find(&SERVER, IPCP, 3) >= 0;
		assert_int_equal(pair_find(&SERVER, IPCP, 2), -1);
	}
	assert_int_equal(naks, 5);
	assert_int_equal(SERVER.ups4, 0);
	/* the same Identifier again is the same request: a lost Nak */
	fresh(&plain);
	for (i = 1; i <= 20; i++) {
		pair_forget(&P);
		pair_hex_input(&P, "8021 01 01 000a 0306 00000000");
		assert_true(pair_find(&SERVER, IPCP, 3) >= 0);
	}
	pair_hex_input(&P, "8021 01 02 000a 0306 0a090007");
	assert_true(pair_find(&SERVER, IPCP, 2) >= 0);
}

static void
doubled_options(void **state)
{
	(void)state;
	pair_hex_input(&P, "8021 01 01 0010 0306 0a090007 0306 0a090008");
	expect(IPCP, 4, "0306 0a090008");
	pair_hex_input(&P,
	    "8057 01 01 0018 010a 0011223344556677"
	    "010a 0011223344556678");
	expect(IPV6CP, 4, "010a 0011223344556678");
}

static void
options_refused(void **state)
{
	(void)state;
	/* addresses of old, VJ, mobile IP; 1 DNS only; no NBNS */
	pair_hex_input(&P,
	    "8021 01 01 0038 010a 00000000 00000000 0206 002d0f01"
	    "0306 00000000 0406 00000000 8106 00000000 8206 00000000"
	    "8306 00000000 8406 00000000");
	expect(IPCP, 4,
	    "010a 00000000 00000000 0206 002d0f01"
	    "0406 00000000 8206 00000000 8306 00000000 8406 00000000");
	assert_int_equal(pair_find(&SERVER, IPCP, 3), -1);
}

static void
dns_nak_loop(void **state)
{
	char hex[64];
	unsigned i;

	(void)state;
	pair_ack(&P, IPCP);
	for (i = 1; i <= 5; i++) {
		snprintf(hex, sizeof(hex),
		    "8021 01 %02x 0010 0306 0a090007 8106 08080808", i);
		pair_hex_input(&P, hex);
		expect(IPCP, 3, "8106 0a090035");
	}
	pair_hex_input(&P, "8021 01 06 0010 0306 0a090007 8106 08080808");
	expect(IPCP, 4, "8106 08080808");
	pair_hex_input(&P, "8021 01 07 000a 0306 0a090007");
	assert_true(ppp_ipv4_is_up(SERVER.ppp));
}

/* the peer Naks our own address without end: we stay what we are */
static void
our_address_naked(void **state)
{
	static const uint8_t gw[4] = {10, 9, 0, 1};
	unsigned i;
	int n;

	(void)state;
	for (i = 0; i < 40; i++) {
		n = pair_find(&SERVER, IPCP, 1);
		pair_packet(&P, IPCP, 3, SERVER.out[n][5],
		    "\x03\x06\x01\x02\x03\x04", 6);
	}
	assert_false(SERVER.ppp->ipcp.ask_address);
	pair_ack(&P, IPCP);
	pair_hex_input(&P, "8021 01 01 000a 0306 0a090007");
	assert_int_equal(SERVER.ups4, 1);
	assert_memory_equal(SERVER.up4.ipv4_local, gw, 4);
}

static void
no_ipv4_given(void **state)
{
	struct ppp_verdict v = {.accept = true};

	(void)state;
	fresh(&v);
	assert_int_equal(pair_find(&SERVER, IPCP, 1), -1);
	pair_hex_input(&P, "8021 01 01 000a 0306 00000000");
	expect(0xc021, 8, "8021 0101 000a 0306 00000000");
	pair_ack(&P, IPV6CP);
	pair_hex_input(&P, "8057 01 01 000e 010a 0011223344556677");
	assert_int_equal(SERVER.ups6, 1);
	pair_run(&P, 60000);
	assert_int_equal(SERVER.downs, 0);
}

static void
ifid_assigned(void **state)
{
	struct ppp_verdict v = plain;
	uint8_t own[10];
	int i;

	(void)state;
	memcpy(v.ifid_peer, "\0\0\0\0\0\0\0\x07", 8);
	fresh(&v);
	i = pair_find(&SERVER, IPV6CP, 1);
	memcpy(own, SERVER.out[i] + 8, 10);
	assert_int_equal(own[2] & 2, 0); /* RFC 5072 4.1 */
	pair_ack(&P, IPV6CP);
	pair_packet(&P, IPV6CP, 1, 1, own, 10); /* ours */
	expect(IPV6CP, 3, "010a 0000000000000007");
	pair_hex_input(&P, "8057 01 02 000e 010a 0000000000000000");
	expect(IPV6CP, 3, "010a 0000000000000007");
	pair_hex_input(&P, "8057 01 03 0004"); /* prompted */
	expect(IPV6CP, 3, "010a 0000000000000007");
	pair_hex_input(&P, "8057 01 04 000e 010a 0000000000000007");
	assert_int_equal(SERVER.ups6, 1);
	assert_int_equal(SERVER.up6.ifid_peer[7], 7);
	/* compression is refused, after that it is closed and stays closed */
	pair_hex_input(&P, "8057 01 05 0012 010a 0000000000000007 0204 004f");
	expect(IPV6CP, 4, "0204 004f");
}

static void
ifid_own_choice(void **state)
{
	uint8_t own[10];
	int i = pair_find(&SERVER, IPV6CP, 1);

	(void)state;
	memcpy(own, SERVER.out[i] + 8, 10);
	pair_ack(&P, IPV6CP);
	pair_packet(&P, IPV6CP, 1, 1, own, 10);
	i = pair_find(&SERVER, IPV6CP, 3);
	assert_memory_not_equal(SERVER.out[i] + 8, own, 10);
	pair_hex_input(&P, "8057 01 02 000e 010a 0011223344556677");
	assert_int_equal(SERVER.ups6, 1);
	/* a Nak of ours, too late: nothing */
	pair_packet(&P, IPV6CP, 3, 1, own, 10);
	assert_int_equal(SERVER.downs6, 0);
}

/* our identifier Naked, then rejected; a peer that never names its own */
static void
ifid_answers(void **state)
{
	uint8_t first[10];
	char hex[32];
	unsigned i;
	int n = pair_find(&SERVER, IPV6CP, 1);

	(void)state;
	memcpy(first, SERVER.out[n] + 8, 10);
	pair_packet(&P, IPV6CP, 3, SERVER.out[n][5],
	    "\x01\x0a\x02\0\0\0\0\0\0\x09", 10);
	n = pair_find(&SERVER, IPV6CP, 1);
	assert_int_equal(SERVER.out_bytes[n], 18);
	assert_memory_not_equal(SERVER.out[n] + 8, first, 10);
	memcpy(first, SERVER.out[n] + 8, 10);
	pair_packet(&P, IPV6CP, 4, SERVER.out[n][5], first, 10);
	n = pair_find(&SERVER, IPV6CP, 1);
	assert_int_equal(SERVER.out_bytes[n], 8);
	pair_ack(&P, IPV6CP);
	pair_ack(&P, IPCP);
	pair_hex_input(&P, "8021 01 01 000a 0306 0a090007");
	for (i = 1; i <= 6; i++) {
		assert_int_equal(pair_find(&SERVER, IPV6CP, 5), -1);
		snprintf(hex, sizeof(hex), "8057 01 %02x 0004", i);
		pair_hex_input(&P, hex);
	}
	assert_true(pair_find(&SERVER, IPV6CP, 5) >= 0); /* given up */
	pair_run(&P, P.now_ms + 60000);
	assert_true(ppp_ipv4_is_up(SERVER.ppp));
	assert_false(ppp_ipv6_is_up(SERVER.ppp));
}

static void
terminate_one_ncp(void **state)
{
	(void)state;
	pair_ack(&P, IPCP);
	pair_hex_input(&P, "8021 01 01 000a 0306 0a090007");
	pair_ack(&P, IPV6CP);
	pair_hex_input(&P, "8057 01 01 000e 010a 0011223344556677");
	pair_hex_input(&P, "8021 05 02 0004");
	assert_int_equal(SERVER.downs4, 1);
	assert_true(pair_find(&SERVER, IPCP, 6) >= 0);
	pair_run(&P, P.now_ms + 25000);
	assert_int_equal(SERVER.downs, 0); /* IPv6 goes on */
	/* and IPv4 may come back */
	pair_forget(&P);
	pair_hex_input(&P, "8021 01 03 000a 0306 0a090007");
	pair_ack(&P, IPCP);
	assert_int_equal(SERVER.ups4, 2);
	pair_hex_input(&P, "8021 05 04 0004");
	pair_hex_input(&P, "8057 05 05 0004");
	pair_run(&P, P.now_ms + 40000);
	assert_string_equal(SERVER.why, "no-ncp");
}

/* our client, and a server that gives nothing */
static void
client_without_address(void **state)
{
	int i;

	(void)state;
	pair_fini(&P);
	pair_init(&P, 18, true);
	SERVER.cfg = P.end[1].cfg;
	SERVER.cfg.ipv6 = false;
	pair_start(&P);
	pair_open_lcp(&P); /* no authentication asked */
	expect(IPCP, 1, "0306 00000000 8106 00000000 8306 00000000");
	pair_hex_input(&P, "8021 01 01 000a 0306 00000000");
	expect(IPCP, 4, "0306 00000000"); /* we have none to give */
	pair_hex_input(&P, "8021 01 02 0010 0306 0a090001 8106 00000000");
	expect(IPCP, 4, "8106 00000000");
	pair_hex_input(&P, "8021 01 03 000a 0306 0a090001");
	i = pair_find(&SERVER, IPCP, 1);
	pair_packet(&P, IPCP, 4, SERVER.out[i][5],
	    "\x81\x06\0\0\0\0\x83\x06\0\0\0\0", 12);
	expect(IPCP, 1, "0306 00000000");
	pair_ack(&P, IPCP);
	assert_int_equal(SERVER.ups4 + SERVER.downs4, 0);
	pair_run(&P, P.now_ms + 40000);
	assert_string_equal(SERVER.why, "no-ncp");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(truncation),
	    T(foreign_address),
	    T(missing_address),
	    T(prompts_without_end),
	    T(doubled_options),
	    T(options_refused),
	    T(dns_nak_loop),
	    T(our_address_naked),
	    T(no_ipv4_given),
	    T(ifid_assigned),
	    T(ifid_own_choice),
	    T(ifid_answers),
	    T(terminate_one_ncp),
	    T(client_without_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
