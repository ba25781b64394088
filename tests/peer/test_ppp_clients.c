/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ppp_clients.c: the negotiations of Windows, Apple, Android (and
 * ChromeOS) and Linux pppd, played packet by packet against our server, in the
 * order and with the options that were observed. Each ends with IPCP open.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ppp-glue/engine/link.h"
#include "tests/peer/ppp_pair.h"

static struct pair P;
#define SERVER (P.end[0])

/* The last frame with this protocol and code has exactly this body, and is
 * newer than the last pair_forget(). id < 0: any Identifier. */
static void
expect(unsigned protocol, unsigned code, int id, const char *hex)
{
	uint8_t want[PAIR_FRAME_MAX];
	size_t n = pair_hex(hex, want, sizeof(want));
	int i = pair_find(&SERVER, protocol, code);

	if (i < 0)
		fail_msg("no frame %04x code %u", protocol, code);
	if (id >= 0)
		assert_int_equal(SERVER.out[i][5], id);
	assert_int_equal(SERVER.out_bytes[i], 8 + n);
	assert_memory_equal(SERVER.out[i] + 8, want, n);
}

static void
in(const char *hex)
{
	pair_forget(&P);
	pair_hex_input(&P, hex);
}

static void
start(bool ipv6)
{
	pair_init(&P, 77, true);
	SERVER.cfg.ipv6 = ipv6;
	pair_start(&P);
	/* the server asks: MRU 1400, MS-CHAPv2, magic */
	assert_int_equal(SERVER.out_count, 1);
	assert_memory_equal(SERVER.out[0] + 8,
	    "\x01\x04\x05\x78\x03\x05\xc2\x23\x81\x05\x06", 11);
}

static void
finish(void)
{
	static const uint8_t me[4] = {10, 9, 0, 7};

	assert_true(ppp_ipv4_is_up(SERVER.ppp));
	assert_int_equal(SERVER.ups4, 1);
	assert_int_equal(SERVER.asks, 1);
	assert_memory_equal(SERVER.up4.ipv4_peer, me, 4);
	pair_run(&P, P.now_ms + 25000);
	assert_int_equal(SERVER.downs + SERVER.downs4, 0);
	pair_fini(&P);
}

/* LCP with callback, multilink and endpoint; Identification; CCP for MPPE;
 * IPV6CP; IPCP with DNS and WINS (clients.md 2.6) */
static void
windows(void **state)
{
	(void)state;
	start(true);
	pair_ack(&P, 0xc021);
	in("c021 01 00 0030 0104 0578 0506 1b2c3d4e 0702 0802 0d03 06 1104 064e"
	   "1317 01 6f1d2c3b4a59687786958473625140302f1e0d0c");
	/* rejected in one go, in order, and nothing else is said */
	expect(0xc021, 4, 0,
	    "0702 0802 0d03 06 1104 064e"
	    "1317 01 6f1d2c3b4a59687786958473625140302f1e0d0c");
	assert_int_equal(pair_find(&SERVER, 0xc021, 3), -1);
	in("c021 01 01 000e 0104 0578 0506 1b2c3d4e");
	expect(0xc021, 2, 1, "0104 0578 0506 1b2c3d4e");
	assert_string_equal(ppp_state_name(SERVER.ppp), "opened");
	assert_true(pair_find(&SERVER, 0xc223, 1) >= 0);
	/* Identification, twice, and a correlation id: silence */
	pair_hex_input(&P, "c021 0c 02 0012 1b2c3d4e 4d5352415356352e3230");
	pair_hex_input(
	    &P, "c021 0c 03 0018 1b2c3d4e 4d535241532d302d4445534b544f5031");
	pair_hex_input(&P, "c021 0c 04 000c 1b2c3d4e 18a1b2c3");
	assert_int_equal(pair_find(&SERVER, 0xc021, 7), -1);
	pair_respond(&P, "alice", 5, "wonderland");
	assert_true(pair_find(&SERVER, 0xc223, 3) >= 0);
	assert_true(pair_find(&SERVER, 0x8021, 1) >= 0);
	pair_ack(&P, 0x8021);
	pair_ack(&P, 0x8057);
	/* CCP: Protocol-Reject with the packet in it */
	in("80fd 01 05 000a 1206 01000001");
	expect(0xc021, 8, -1, "80fd 0105000a120601000001");
	in("8057 01 06 000e 010a 0211223344556677");
	expect(0x8057, 2, 6, "010a 0211223344556677");
	assert_int_equal(SERVER.ups6, 1);
	in("8021 01 07 0022 0306 00000000 8106 00000000 8206 00000000"
	   "8306 00000000 8406 00000000");
	expect(0x8021, 4, 7, "8206 00000000 8406 00000000"); /* no WINS */
	in("8021 01 08 0016 0306 00000000 8106 00000000 8306 00000000");
	expect(0x8021, 3, 8, "0306 0a090007 8106 0a090035 8306 0a090036");
	in("8021 01 09 0016 0306 0a090007 8106 0a090035 8306 0a090036");
	expect(0x8021, 2, 9, "0306 0a090007 8106 0a090035 8306 0a090036");
	/* LCP echo from the client: our own magic comes back */
	in("c021 09 0a 0008 1b2c3d4e");
	assert_true(pair_find(&SERVER, 0xc021, 10) >= 0);
	/* Time-Remaining at the end of a demo licence: silence */
	in("c021 0d 0b 000c 1b2c3d4e 00000e10");
	assert_int_equal(SERVER.out_count, 0);
	finish();
}

/* asyncmap, magic, PFC, ACFC; ACSCP; IPCP with ms-dns 1 and 3; VJ */
static void
apple(void **state)
{
	(void)state;
	start(true);
	pair_ack(&P, 0xc021);
	in("c021 01 01 0014 0206 00000000 0506 7c001122 0702 0802");
	expect(0xc021, 4, 1, "0206 00000000 0702 0802");
	pair_hex_input(&P, "c021 01 02 000a 0506 7c001122");
	expect(0xc021, 2, 2, "0506 7c001122");
	assert_int_equal(
	    ppp_peer_mru(SERVER.ppp), 1500); /* default, not sent */
	pair_respond(&P, "alice", 5, "wonderland");
	pair_ack(&P, 0x8021);
	pair_ack(&P, 0x8057);
	in("8021 01 01 001c 0206 002d 0f01 0306 00000000 8106 00000000"
	   "8306 00000000");
	expect(0x8021, 4, 1, "0206 002d 0f01");
	in("8235 01 01 0010 0106 00000001 0206 00000001"); /* ACSCP */
	expect(0xc021, 8, -1, "8235 01010010 0106 00000001 0206 00000001");
	in("8021 01 02 0016 0306 00000000 8106 00000000 8306 00000000");
	expect(0x8021, 3, 2, "0306 0a090007 8106 0a090035 8306 0a090036");
	in("8021 01 03 0016 0306 0a090007 8106 0a090035 8306 0a090036");
	expect(0x8021, 2, 3, "0306 0a090007 8106 0a090035 8306 0a090036");
	in("8057 01 01 000e 010a 3e22fbfffe112233");
	expect(0x8057, 2, 1, "010a 3e22fbfffe112233");
	finish();
}

/* MRU 1270; compression tried; no IPv6 */
static void
android(void **state)
{
	(void)state;
	start(false);
	pair_ack(&P, 0xc021);
	in("c021 01 01 0018 0104 04f6 0206 00000000 0506 00c0ffee 0702 0802");
	expect(0xc021, 4, 1, "0206 00000000 0702 0802");
	in("c021 01 02 000e 0104 04f6 0506 00c0ffee");
	expect(0xc021, 2, 2, "0104 04f6 0506 00c0ffee");
	assert_int_equal(ppp_peer_mru(SERVER.ppp), 1270);
	pair_respond(&P, "alice", 5, "wonderland");
	pair_ack(&P, 0x8021);
	assert_int_equal(pair_find(&SERVER, 0x8057, 1), -1);
	/* deflate, BSD; our MRU towards it is 1270 */
	in("80fd 01 01 000f 1a04 7800 1804 7800 1503 2f");
	expect(0xc021, 8, -1, "80fd 0101000f 1a047800 18047800 15032f");
	in("8021 01 01 001c 0306 00000000 0206 002d 0f01 8106 00000000"
	   "8306 00000000");
	expect(0x8021, 4, 1, "0206 002d 0f01");
	in("8021 01 02 0016 0306 00000000 8106 00000000 8306 00000000");
	in("8021 01 03 0016 0306 0a090007 8106 0a090035 8306 0a090036");
	expect(0x8021, 2, 3, "0306 0a090007 8106 0a090035 8306 0a090036");
	finish();
}

/* Debian's pppd 2.4.9 with xl2tpd: IPCP first Naked, multilink offered, its
 * Identifiers go up, CHAP-MD5 by Nak, IPV6CP with an address of its own */
static void
linux_pppd(void **state)
{
	static const uint8_t hash_of[] = "wonderland";
	uint8_t body[64] = {16}, *challenge;
	int i;

	(void)state;
	pair_init(&P, 78, true);
	SERVER.cfg.methods[1] = PPP_AUTH_CHAP_MD5;
	pair_start(&P);
	/* refuse-mschap-v2: Nak to CHAP-MD5 */
	pair_packet(&P, 0xc021, 3, SERVER.out[0][5], "\x03\x05\xc2\x23\x05", 5);
	i = pair_find(&SERVER, 0xc021, 1);
	assert_memory_equal(SERVER.out[i] + 12, "\x03\x05\xc2\x23\x05", 5);
	pair_ack(&P, 0xc021);
	in("c021 01 01 0023 0104 0578 0206 00000000 0506 3d2c1b0a 0702 0802"
	   "1104 0578 1307 03 020202");
	i = pair_find(&SERVER, 0xc021, 4);
	assert_true(i < 0); /* Length is wrong by some bytes: dropped */
	in("c021 01 01 0025 0104 0578 0206 00000000 0506 3d2c1b0a 0702 0802"
	   "1104 0578 1309 03 0202020202 02");
	expect(0xc021, 4, 1,
	    "0206 00000000 0702 0802 1104 0578 1309 03 020202020202");
	in("c021 01 02 000e 0104 0578 0506 3d2c1b0a");
	expect(0xc021, 2, 2, "0104 0578 0506 3d2c1b0a");
	i = pair_find(&SERVER, 0xc223, 1);
	challenge = SERVER.out[i] + 9;
	chap_md5_response(
	    SERVER.out[i][5], hash_of, 10, challenge, 16, body + 1);
	memcpy(body + 17, "alice", 5);
	pair_packet(&P, 0xc223, 2, SERVER.out[i][5], body, 22);
	i = pair_find(&SERVER, 0xc223, 3);
	assert_int_equal(SERVER.out_bytes[i], 8 + 7);
	pair_ack(&P, 0x8021);
	pair_ack(&P, 0x8057);
	in("8021 01 01 0010 0206 002d 0f01 0306 00000000");
	expect(0x8021, 4, 1, "0206 002d 0f01");
	in("8057 01 01 000e 010a 0000000000000000");
	i = pair_find(&SERVER, 0x8057, 3);
	assert_int_equal(SERVER.out_bytes[i], 8 + 10);
	in("8021 01 02 000a 0306 00000000"); /* no usepeerdns */
	expect(0x8021, 3, 2, "0306 0a090007");
	in("8021 01 03 000a 0306 0a090007");
	expect(0x8021, 2, 3, "0306 0a090007");
	finish();
}

#define T(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(windows),
	    T(apple),
	    T(android),
	    T(linux_pppd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
