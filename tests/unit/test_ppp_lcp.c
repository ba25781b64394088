/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ppp_lcp.c: LCP and framing against a hostile or clumsy peer: lengths,
 * truncation at every byte, MRU, Nak loops, loops, echoes, rejects, storms,
 * NCP before authentication.
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
#define LCP    0xc021

static int
setup(void **state)
{
	(void)state;
	pair_init(&P, 5, true);
	pair_start(&P);
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
restart(void)
{
	pair_fini(&P);
	pair_init(&P, 5, true);
	pair_start(&P);
}

static unsigned
id_of_request(unsigned protocol)
{
	int i = pair_find(&SERVER, protocol, 1);

	assert_true(i >= 0);
	return SERVER.out[i][5];
}

static const uint8_t *
body_of(unsigned protocol, unsigned code, size_t *ret_n)
{
	int i = pair_find(&SERVER, protocol, code);

	if (i < 0)
		fail_msg("no frame %04x code %u", protocol, code);
	*ret_n = SERVER.out_bytes[i] - 8;
	return SERVER.out[i] + 8;
}

/* every code, cut at every byte: no answer, no change of state */
static void
truncation(void **state)
{
	static const char *const frame[] = {
	    "c021 01 01 0014 0104 0578 0506 a1b2c3d4 0702 0802",
	    "c021 05 09 0008 62796521", "c021 06 09 0004",
	    "c021 07 09 0008 09010004", "c021 08 09 000c 80fd 01010008 0000",
	    "c021 09 09 0008 00000000", "c021 0a 09 0008 00000000",
	    "c021 0b 09 0008 00000000", "c021 0c 09 0008 00000000",
	    "c021 0d 09 000c 00000000 00000001"};
	uint8_t buf[64];
	size_t i, n, cut;

	(void)state;
	for (i = 0; i < sizeof(frame) / sizeof(frame[0]); i++) {
		n = pair_hex(frame[i], buf, sizeof(buf));
		restart();
		if (i % 2 == 0)
			pair_open_lcp(&P);
		pair_forget(&P);
		for (cut = 0; cut < n; cut++)
			pair_input(&P, 0, buf, cut);
		assert_int_equal(SERVER.out_count, 0);
		assert_string_equal(ppp_state_name(SERVER.ppp),
		    i % 2 == 0 ? "opened" : "req-sent");
	}
}

/* answers to our own request: cut, changed, with a foreign Identifier */
static void
wrong_answers(void **state)
{
	uint8_t buf[64];
	unsigned id = id_of_request(LCP);
	size_t n = SERVER.out_bytes[0], i, code;

	(void)state;
	memcpy(buf, SERVER.out[0], n);
	pair_forget(&P);
	for (code = 2; code <= 4; code++) {
		buf[4] = (uint8_t)code;
		for (i = 0; i < n; i++)
			pair_input(&P, 0, buf, i);
		buf[5] = (uint8_t)(id + 1);
		pair_input(&P, 0, buf, n);
		buf[5] = (uint8_t)id;
	}
	for (code = 2; code <= 4; code += 2) {
		for (i = 8; i < n; i++) {
			buf[4] = (uint8_t)code;
			buf[i] ^= 1;
			pair_input(&P, 0, buf, n);
			buf[i] ^= 1;
		}
	}
	/* a Reject in another order, or of what was not asked */
	pair_packet(&P, LCP, 4, id, "\x03\x05\xc2\x23\x81\x01\x04\x05\x78", 9);
	pair_packet(&P, LCP, 4, id, "\x07\x02", 2);
	assert_int_equal(SERVER.out_count, 0);
	assert_string_equal(ppp_state_name(SERVER.ppp), "req-sent");
	/* Reject of the MRU: the next request is without */
	pair_packet(&P, LCP, 4, id, "\x01\x04\x05\x78", 4);
	assert_memory_equal(body_of(LCP, 1, &n), "\x03\x05\xc2\x23\x81", 5);
	assert_int_equal(id_of_request(LCP), (id + 1) & 0xff);
	/* a second answer to the same request is nothing */
	pair_forget(&P);
	pair_packet(&P, LCP, 4, id, "\x01\x04\x05\x78", 4);
	assert_int_equal(SERVER.out_count, 0);
}

static void
option_lengths(void **state)
{
	static const char *const bad[] = {"0100", "0101", "01ff 0578",
	    "0104 05", "05", "0506 a1b2c3d4 0700", "0506 a1b2c3d4 07",
	    "0506 a1b2c3d4 0703"};
	uint8_t body[32];
	size_t i, n;

	(void)state;
	pair_forget(&P);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		n = pair_hex(bad[i], body, sizeof(body));
		pair_packet(&P, LCP, 1, 1, body, n);
		pair_packet(
		    &P, LCP, 3, SERVER.ppp->lcp.fsm.request_id, body, n);
	}
	assert_int_equal(SERVER.out_count, 0);
	/* well formed, wrong length for the type: Nak with a right one */
	pair_packet(&P, LCP, 1, 2, "\x01\x03\x05", 3);
	assert_memory_equal(body_of(LCP, 3, &n), "\x01\x04\x05\x78", 4);
	pair_packet(&P, LCP, 1, 3, "\x05\x02", 2);
	assert_memory_equal(body_of(LCP, 3, &n), "\x05\x06", 2);
	/* Length field below 4 and above the frame */
	pair_forget(&P);
	for (i = 0; i < 4; i++)
		pair_input(&P, 0,
		    (uint8_t[]){0xff, 3, 0xc0, 0x21, 1, 9, 0, (uint8_t)i, 0, 0},
		    10);
	pair_hex_input(&P, "c021 01 09 ffff 0506 a1b2c3d4");
	assert_int_equal(SERVER.out_count, 0);
	/* padding behind Length is ignored */
	pair_hex_input(&P, "c021 01 09 000a 0506 a1b2c3d4 00000000");
	assert_true(pair_find(&SERVER, LCP, 2) >= 0);
}

/* 748 unknown options: the Reject has what fits 1500, in order */
static void
huge_request(void **state)
{
	uint8_t body[1560];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(body); i += 2) {
		body[i] = (uint8_t)(20 + i / 2 % 200);
		body[i + 1] = 2;
	}
	pair_packet(&P, LCP, 1, 1, body, sizeof(body));
	assert_memory_equal(body_of(LCP, 4, &n), body, 1496);
	assert_int_equal(n, 1496);
	/* the same in Opened, by a peer with a small MRU */
	restart();
	pair_hex_input(&P, "c021 01 01 0008 0104 0240");
	pair_ack(&P, LCP);
	pair_respond(&P, "alice", 5, "wonderland");
	pair_packet(&P, 0x80fd, 1, 1, body, sizeof(body));
	body_of(LCP, 8, &n);
	assert_int_equal(n, 576 - 4);
	pair_packet(&P, LCP, 99, 1, body, sizeof(body));
	body_of(LCP, 7, &n);
	assert_int_equal(n, 576 - 4);
	pair_packet(&P, LCP, 9, 1, memset(body, 0, 4), sizeof(body));
	body_of(LCP, 10, &n);
	assert_int_equal(n, 576 - 4);
}

static void
mru(void **state)
{
	static const uint16_t bad[] = {0, 1, 67, 575};
	size_t i, n;

	(void)state;
	for (i = 0; i < 4; i++) {
		pair_forget(&P);
		pair_packet(&P, LCP, 1, (unsigned)i,
		    (uint8_t[]){1, 4, (uint8_t)(bad[i] >> 8), (uint8_t)bad[i]},
		    4);
		assert_memory_equal(body_of(LCP, 3, &n), "\x01\x04\x05\x78", 4);
	}
	pair_packet(&P, LCP, 1, 9, "\x01\x04\xff\xff", 4);
	assert_true(pair_find(&SERVER, LCP, 2) >= 0);
	assert_int_equal(ppp_peer_mru(SERVER.ppp), 1400);
	pair_packet(&P, LCP, 1, 10, "\x01\x04\x05\x00", 4);
	assert_int_equal(ppp_peer_mru(SERVER.ppp), 1280);
}

/* the same bad option again and again: five Naks, then Reject */
static void
stubborn_peer(void **state)
{
	unsigned i, naks = 0, rejects = 0;

	(void)state;
	for (i = 0; i < 20; i++) {
		pair_forget(&P);
		pair_packet(&P, LCP, 1, i, "\x01\x04\x00\x01", 4);
		naks += pair_find(&SERVER, LCP, 3) >= 0;
		rejects += pair_find(&SERVER, LCP, 4) >= 0;
	}
	assert_int_equal(naks, 5);
	assert_int_equal(rejects, 15);
}

/* it Naks whatever we say */
static void
nak_loop(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 100 && SERVER.ppp->lcp.ask_magic; i++)
		pair_packet(&P, LCP, 3, id_of_request(LCP),
		    "\x05\x06\x01\x02\x03\x04", 6);
	assert_int_equal(i, 11); /* as if rejected */
	restart();
	for (i = 0; i < 100 && SERVER.ppp->phase == LINK_ESTABLISH; i++)
		pair_packet(
		    &P, LCP, 3, id_of_request(LCP), "\x03\x05\xc2\x23\x81", 5);
	assert_int_equal(i, 11); /* no link without authentication */
	pair_run(&P, 20000);
	assert_string_equal(SERVER.why, "auth-rejected");
}

static void
auth_refused(void **state)
{
	static const char *const nak[] = {"0304c023", "0305c22380", "0304c227",
	    "0305c22305", "0302", "0303c2", "0306c2238100", "0305c02381"};
	uint8_t body[16];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(nak) / sizeof(nak[0]); i++) {
		restart();
		n = pair_hex(nak[i], body, sizeof(body));
		pair_packet(&P, LCP, 3, id_of_request(LCP), body, n);
		assert_true(pair_find(&SERVER, LCP, 5) >= 0);
		pair_run(&P, 20000);
		assert_string_equal(SERVER.why, "auth-rejected");
		assert_true(SERVER.by_peer);
	}
	restart();
	pair_packet(&P, LCP, 4, id_of_request(LCP), "\x03\x05\xc2\x23\x81", 5);
	pair_run(&P, 20000);
	assert_string_equal(SERVER.why, "auth-rejected");
	assert_int_equal(SERVER.asks, 0);
}

/* a peer that wants us to authenticate ourselves is told no, always */
static void
server_is_never_authenticated(void **state)
{
	size_t n;

	(void)state;
	pair_hex_input(&P, "c021 01 01 000f 0305 c22381 0506 a1b2c3d4");
	assert_memory_equal(body_of(LCP, 4, &n), "\x03\x05\xc2\x23\x81", 5);
	assert_int_equal(n, 5);
}

/* what we send comes back */
static void
looped_back(void **state)
{
	uint8_t buf[PAIR_FRAME_MAX];
	unsigned i;
	size_t n;

	(void)state;
	for (i = 0; i < 100 && SERVER.out_count > 0; i++) {
		n = SERVER.out_bytes[0];
		memcpy(buf, SERVER.out[0], n);
		SERVER.out_count--;
		memmove(SERVER.out[0], SERVER.out[1],
		    SERVER.out_count * sizeof(SERVER.out[0]));
		memmove(&SERVER.out_bytes[0], &SERVER.out_bytes[1],
		    SERVER.out_count * sizeof(SERVER.out_bytes[0]));
		pair_input(&P, 0, buf, n);
	}
	assert_true(i < 100);
	pair_run(&P, 20000);
	assert_string_equal(SERVER.why, "looped-back");
	/* a peer that copies our magic number, five times */
	restart();
	for (i = 0; i < 5; i++) {
		assert_int_equal(SERVER.ppp->phase, LINK_ESTABLISH);
		pair_packet(
		    &P, LCP, 1, i, SERVER.out[0] + SERVER.out_bytes[0] - 6, 6);
		if (i < 4)
			assert_true(pair_find(&SERVER, LCP, 3) >= 0);
	}
	pair_run(&P, 20000);
	assert_string_equal(SERVER.why, "looped-back");
}

static void
nothing_before_authentication(void **state)
{
	static const char *const early[] = {"8021 01 01 000a 0306 00000000",
	    "8057 01 01 0004", "80fd 01 01 0004", "8235 01 01 0004",
	    "0021 4500", "0057 6000", "c227 01 01 0005 01", "c025 01010101"};
	size_t i;
	int round;

	(void)state;
	SERVER.policy = PAIR_SILENT;
	for (round = 0; round < 3; round++) {
		pair_forget(&P);
		for (i = 0; i < sizeof(early) / sizeof(early[0]); i++)
			pair_hex_input(&P, early[i]);
		assert_int_equal(SERVER.out_count, 0);
		restart();
		SERVER.policy = PAIR_SILENT;
		pair_open_lcp(&P); /* round 1: LCP open; round 2: asked */
		if (round == 1)
			pair_respond(&P, "alice", 5, "wonderland");
	}
	assert_int_equal(SERVER.ups4 + SERVER.ups6, 0);
}

/* LCP anew in mid-session: IPCP is void until authenticated again */
static void
renegotiation(void **state)
{
	(void)state;
	pair_open_all(&P);
	assert_int_equal(SERVER.ups4, 1);
	assert_int_equal(SERVER.ups6, 1);
	pair_forget(&P);
	pair_hex_input(&P, "c021 01 02 000a 0506 01020304");
	assert_int_equal(SERVER.downs4, 1);
	assert_int_equal(SERVER.downs6, 1);
	assert_true(pair_find(&SERVER, LCP, 2) >= 0);
	pair_ack(&P, LCP);
	assert_true(pair_find(&SERVER, 0xc223, 1) >= 0);
	pair_hex_input(&P, "8021 01 01 000a 0306 0a090007");
	assert_int_equal(pair_find(&SERVER, 0x8021, 2), -1);
	assert_false(ppp_ipv4_is_up(SERVER.ppp));
	pair_run(&P, 60000);
	assert_string_equal(SERVER.why, "auth-timeout");
}

/* our Ack was lost: the same request again does not disturb the link */
static void
retransmitted_request(void **state)
{
	int i;

	(void)state;
	pair_open_all(&P);
	for (i = 0; i < 3; i++) {
		pair_forget(&P);
		pair_hex_input(&P, "c021 01 01 000a 0506 a1b2c3d4");
		assert_true(pair_find(&SERVER, LCP, 2) >= 0);
		assert_int_equal(SERVER.out_count, 1);
	}
	assert_int_equal(SERVER.downs4, 0);
	pair_hex_input(&P, "c021 01 01 000a 0506 a1b2c3d4"); /* it insists */
	assert_int_equal(SERVER.downs4, 1);
}

static void
echo_magic(void **state)
{
	uint8_t own[8];
	size_t n;
	unsigned i;

	(void)state;
	memcpy(own, SERVER.out[0] + SERVER.out_bytes[0] - 4, 4);
	pair_hex_input(&P, "c021 09 07 0008 00000000"); /* not yet Opened */
	assert_int_equal(pair_find(&SERVER, LCP, 10), -1);
	pair_open_lcp(&P);
	pair_hex_input(&P, "c021 09 07 000b 00000000 616263");
	assert_memory_equal(body_of(LCP, 10, &n), own, 4);
	assert_int_equal(n, 7);
	pair_forget(&P);
	pair_packet(&P, LCP, 9, 8, own, 4); /* our magic: a loop */
	pair_packet(&P, LCP, 9, 8, own, 3); /* too short */
	pair_packet(&P, LCP, 10, 8, own, 4);
	pair_packet(&P, LCP, 11, 8, own, 4); /* Discard-Request */
	assert_int_equal(SERVER.out_count, 0);
	/* a flood gets a few answers */
	P.now_ms += 10000;
	for (i = 0; i < 1000; i++)
		pair_hex_input(&P, "c021 09 07 0008 a1b2c3d4");
	assert_in_range(SERVER.out_count, 1, 20);
}

static void
reject_limits(void **state)
{
	unsigned i;

	(void)state;
	pair_open_all(&P);
	pair_forget(&P);
	for (i = 0; i < 500; i++) {
		pair_hex_input(&P, "80fd 01 01 0004");
		pair_hex_input(&P, "c021 63 01 0004");
		pair_hex_input(&P, "802b 01 01 0004");
	}
	assert_in_range(SERVER.out_count, 1, 10);
	assert_int_equal(SERVER.downs4, 0);
}

static void
rejects_from_the_peer(void **state)
{
	(void)state;
	/* Code-Reject of Configure-Request, before and in Opened */
	pair_hex_input(&P, "c021 07 01 0008 01010004");
	assert_int_equal(SERVER.downs, 1);
	assert_string_equal(SERVER.why, "lcp-rejected");
	restart();
	pair_open_all(&P);
	pair_hex_input(&P, "c021 07 01 0008 01010004");
	assert_int_equal(SERVER.downs4, 1);
	pair_run(&P, 20000);
	assert_string_equal(SERVER.why, "lcp-rejected");
	/* Protocol-Reject of LCP */
	restart();
	pair_hex_input(&P, "c021 08 01 0006 c021"); /* not Opened: nothing */
	assert_string_equal(ppp_state_name(SERVER.ppp), "req-sent");
	pair_open_all(&P);
	pair_hex_input(&P, "c021 08 01 0006 c021");
	pair_run(&P, 20000);
	assert_string_equal(SERVER.why, "lcp-rejected");
	/* of CHAP, while authenticating */
	restart();
	pair_open_lcp(&P);
	pair_hex_input(&P, "c021 08 01 0006 c223");
	pair_run(&P, 20000);
	assert_string_equal(SERVER.why, "auth-rejected");
	/* of IPV6CP: only that; of IPCP too: nothing is left */
	restart();
	pair_open_all(&P);
	pair_hex_input(&P, "c021 08 01 0006 8057");
	assert_int_equal(SERVER.downs6, 1);
	assert_int_equal(SERVER.downs4, 0);
	pair_run(&P, 20000);
	assert_int_equal(SERVER.downs4, 0);
	pair_hex_input(&P, "c021 08 02 0006 8021");
	pair_run(&P, 40000);
	assert_string_equal(SERVER.why, "no-ncp");
	/* of echoes: we stop asking */
	restart();
	pair_open_all(&P);
	pair_hex_input(&P, "c021 07 02 000c 09010008 00000000");
	pair_run(&P, 900000);
	assert_int_equal(SERVER.downs, 0);
}

static void
terminate_storm(void **state)
{
	unsigned i;

	(void)state;
	pair_open_all(&P);
	pair_forget(&P);
	for (i = 0; i < 100; i++)
		pair_hex_input(&P, "c021 05 09 0004");
	assert_int_equal(SERVER.downs4, 1);
	assert_int_equal(SERVER.out_count, 100); /* one for one */
	assert_memory_equal(SERVER.out[0], "\xff\x03\xc0\x21\x06\x09\0\4", 8);
	pair_run(&P, P.now_ms + 3001);
	assert_string_equal(SERVER.why, "peer-terminated");
	assert_true(SERVER.by_peer);
	pair_hex_input(&P, "c021 05 09 0004");
	assert_int_equal(SERVER.out_count, 100); /* over is over */
}

/* a caller that fetches nothing: frames are lost, the end is not */
static void
nothing_fetched(void **state)
{
	uint8_t frame[1504] = {0xff, 3, 0xc0, 0x21, 9, 1, 0x05, 0xdc};
	struct ppp_effect e;
	unsigned i, sent = 0, downs = 0;

	(void)state;
	pair_open_all(&P);
	for (i = 0; i < 200; i++)
		ppp_input(
		    SERVER.ppp, rd_init(frame, sizeof(frame)), P.now_ms += 100);
	for (i = 0; i < 200; i++)
		ppp_input(
		    SERVER.ppp, rd_init("\xc0\x21\x05\x01\0\4", 6), P.now_ms);
	ppp_close(SERVER.ppp, "test", P.now_ms);
	for (i = 0; i < 5; i++)
		ppp_tick(SERVER.ppp, P.now_ms += 10000);
	while (ppp_next_effect(SERVER.ppp, &e)) {
		sent += e.type == PPP_EFFECT_SEND;
		downs += e.type == PPP_EFFECT_DOWN;
		assert_true(e.type != PPP_EFFECT_SEND ||
		    (e.data.left <= 1504 && e.data.p[0] == 0xff));
	}
	assert_int_equal(downs, 1);
	assert_in_range(sent, 1, 24);
}

/* with and without FF 03; compressed protocol fields were not agreed */
static void
framing(void **state)
{
	uint8_t buf[16];
	size_t n;

	(void)state;
	pair_forget(&P);
	n = pair_hex("c021 01 01 000a 0506 a1b2c3d4", buf, sizeof(buf));
	pair_input(&P, 0, buf, n); /* no FF 03 */
	assert_true(pair_find(&SERVER, LCP, 2) >= 0);
	restart();
	pair_open_all(&P);
	pair_forget(&P);
	pair_input(&P, 0, "\x21\x45\x00", 3);
	pair_input(&P, 0, "\xff\x03\x21\x45", 4);
	pair_input(&P, 0, "\xff\x03\x00\x20", 4); /* even last byte */
	pair_input(&P, 0, "\xff\x03\x80", 3);
	pair_input(&P, 0, "\xff\x03", 2);
	pair_input(&P, 0, "\xff", 1);
	pair_input(&P, 0, "", 0);
	assert_int_equal(SERVER.out_count, 0);
	/* data is not our affair */
	pair_hex_input(&P, "0021 4500");
	pair_hex_input(&P, "0057 6000");
	assert_int_equal(SERVER.out_count, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(truncation),
	    T(wrong_answers),
	    T(option_lengths),
	    T(huge_request),
	    T(mru),
	    T(stubborn_peer),
	    T(nak_loop),
	    T(auth_refused),
	    T(server_is_never_authenticated),
	    T(looped_back),
	    T(nothing_before_authentication),
	    T(renegotiation),
	    T(retransmitted_request),
	    T(echo_magic),
	    T(reject_limits),
	    T(rejects_from_the_peer),
	    T(terminate_storm),
	    T(nothing_fetched),
	    T(framing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
