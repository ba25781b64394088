/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ppp_auth.c: CHAP and PAP against a hostile peer: truncation, sizes,
 * names, wrong Identifiers, replays, two responses while the verdict is open,
 * a peer that challenges the server; a client and a bad server.
 */
#include <errno.h>
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
#define CHAP   0xc223
#define PAP    0xc023

static void
fresh(enum ppp_auth_method m, enum pair_policy policy)
{
	pair_fini(&P);
	pair_init(&P, 6, true);
	SERVER.cfg.methods[0] = m;
	SERVER.policy = policy;
	pair_start(&P);
	pair_open_lcp(&P);
}

static int
setup(void **state)
{
	(void)state;
	fresh(PPP_AUTH_MSCHAPV2, PAIR_CHECK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pair_fini(&P);
	return 0;
}

static unsigned
chap_id(void)
{
	int i = pair_find(&SERVER, CHAP, 1);

	assert_true(i >= 0);
	return SERVER.out[i][5];
}

static void
challenge_format(void **state)
{
	uint8_t first[16];
	int i = pair_find(&SERVER, CHAP, 1);

	(void)state;
	assert_int_equal(SERVER.out_bytes[i], 8 + 1 + 16 + 4);
	assert_int_equal(SERVER.out[i][8], 16);
	assert_memory_equal(SERVER.out[i] + 25, "adit", 4);
	memcpy(first, SERVER.out[i] + 9, 16);
	/* sent again: the same; it waits 30 s in all */
	pair_forget(&P);
	pair_run(&P, P.now_ms + 3000);
	i = pair_find(&SERVER, CHAP, 1);
	assert_memory_equal(SERVER.out[i] + 9, first, 16);
	pair_run(&P, P.now_ms + 40000);
	assert_string_equal(SERVER.why, "auth-timeout");
}

static void
chap_truncation(void **state)
{
	uint8_t frame[8 + 1 + 49 + 5] = {0xff, 3, 0xc2, 0x23, 2};
	size_t cut;

	(void)state;
	frame[5] = (uint8_t)chap_id();
	frame[7] = sizeof(frame) - 4;
	frame[8] = 49;
	pair_forget(&P);
	for (cut = 0; cut < sizeof(frame); cut++)
		pair_input(&P, 0, frame, cut);
	/* the same with a Length that is true */
	for (cut = 8; cut < 8 + 1 + 49; cut++) {
		frame[7] = (uint8_t)(cut - 4);
		pair_input(&P, 0, frame, cut);
	}
	assert_int_equal(SERVER.asks, 0);
	assert_int_equal(SERVER.out_count, 0);
}

static void
value_sizes(void **state)
{
	static const uint8_t mschap[] = {0, 1, 16, 24, 48, 50, 255};
	static const uint8_t md5[] = {0, 15, 17, 49, 255};
	uint8_t body[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mschap); i++) {
		memset(body, 'x', sizeof(body));
		body[0] = mschap[i];
		pair_packet(&P, CHAP, 2, chap_id(), body, sizeof(body));
	}
	assert_int_equal(SERVER.asks, 0);
	fresh(PPP_AUTH_CHAP_MD5, PAIR_CHECK);
	for (i = 0; i < sizeof(md5); i++) {
		body[0] = md5[i];
		pair_packet(&P, CHAP, 2, chap_id(), body, sizeof(body));
	}
	assert_int_equal(SERVER.asks, 0);
	body[0] = 16;
	pair_packet(&P, CHAP, 2, chap_id(), body, 17);
	assert_int_equal(SERVER.asks, 1);
	assert_int_equal(SERVER.response_bytes, 16);
}

/* raw bytes, whatever they are; the authority decides */
static void
user_names(void **state)
{
	static const char nul[] = "al\0ice", utf8[] = "j\xc3\xbcrgen";
	static const struct {
		const char *name;
		size_t n;
	} ok[] = {{"", 0}, {nul, 6}, {utf8, 7}, {"DOM\\alice", 9},
	    {"\xff\xfe%v\n", 5}};
	char longest[PPP_NAME_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ok) / sizeof(ok[0]); i++) {
		fresh(PPP_AUTH_MSCHAPV2, PAIR_SILENT);
		pair_respond(&P, ok[i].name, ok[i].n, "x");
		assert_int_equal(SERVER.asks, 1);
		assert_int_equal(SERVER.name_bytes, ok[i].n);
		assert_memory_equal(SERVER.name, ok[i].name, ok[i].n);
	}
	memset(longest, 'a', sizeof(longest));
	fresh(PPP_AUTH_MSCHAPV2, PAIR_SILENT);
	pair_respond(&P, longest, PPP_NAME_MAX + 1, "x");
	assert_int_equal(SERVER.asks, 0);
	pair_respond(&P, longest, PPP_NAME_MAX, "x");
	assert_int_equal(SERVER.asks, 1);
	assert_int_equal(SERVER.name_bytes, PPP_NAME_MAX);
}

static void
wrong_id_and_replay(void **state)
{
	uint8_t frame[PAIR_FRAME_MAX];
	uint8_t body[55] = {49};
	struct ppp_verdict v;
	size_t n;
	unsigned id = chap_id();
	int i;

	(void)state;
	SERVER.policy = PAIR_SILENT;
	pair_packet(&P, CHAP, 2, id + 1, body, sizeof(body));
	pair_packet(&P, CHAP, 2, id - 1, body, sizeof(body));
	assert_int_equal(SERVER.asks, 0);
	pair_respond(&P, "alice", 5, "wonderland");
	assert_int_equal(SERVER.asks, 1);
	/* another one while the verdict is open: the first one counts */
	pair_packet(&P, CHAP, 2, id, body, sizeof(body));
	pair_respond(&P, "mallory", 7, "x");
	assert_int_equal(SERVER.asks, 1);
	pair_forget(&P);
	SERVER.policy = PAIR_CHECK;
	pair_grant(&SERVER, &v);
	assert_true(v.accept);
	assert_int_equal(ppp_verdict(SERVER.ppp, &v, P.now_ms), 0);
	pair_drain(&P, 0);
	i = pair_find(&SERVER, CHAP, 3);
	assert_true(i >= 0);
	n = SERVER.out_bytes[i];
	memcpy(frame, SERVER.out[i], n);
	/* Success was lost: it is said again, and the link stays as it is */
	pair_forget(&P);
	pair_packet(&P, CHAP, 2, id, body, sizeof(body));
	assert_int_equal(SERVER.out_count, 1);
	assert_int_equal(SERVER.out_bytes[0], n);
	assert_memory_equal(SERVER.out[0], frame, n);
	pair_packet(&P, CHAP, 2, id + 1, body, sizeof(body));
	assert_int_equal(SERVER.out_count, 1);
	assert_int_equal(SERVER.asks, 1);
}

/* a response to the last session's challenge is of no use in the next */
static void
replay_after_renegotiation(void **state)
{
	uint8_t body[55] = {49};
	unsigned id = chap_id();

	(void)state;
	pair_respond(&P, "alice", 5, "wonderland");
	assert_int_equal(SERVER.asks, 1);
	memcpy(body + 1, SERVER.response, 49);
	memcpy(body + 50, "alice", 5);
	pair_forget(&P);
	pair_hex_input(&P, "c021 01 02 000a 0506 01020304");
	pair_ack(&P, 0xc021);
	assert_int_not_equal(chap_id(), id);
	pair_packet(&P, CHAP, 2, id, body, sizeof(body));
	assert_int_equal(SERVER.asks, 1);
	pair_packet(&P, CHAP, 2, chap_id(), body, sizeof(body));
	assert_int_equal(SERVER.asks, 2);
	assert_true(pair_find(&SERVER, CHAP, 4) >= 0); /* wrong by now */
	pair_run(&P, P.now_ms + 20000);
	assert_string_equal(SERVER.why, "auth-failed");
}

/* closed while the authority thinks: its verdict finds nobody */
static void
late_verdict(void **state)
{
	struct ppp_verdict v = {.accept = true};

	(void)state;
	SERVER.policy = PAIR_SILENT;
	pair_respond(&P, "alice", 5, "wonderland");
	pair_hex_input(&P, "c021 05 09 0004");
	assert_int_equal(ppp_verdict(SERVER.ppp, &v, P.now_ms), -ENOENT);
	pair_run(&P, P.now_ms + 5000);
	assert_int_equal(SERVER.downs, 1);
	assert_int_equal(ppp_verdict(SERVER.ppp, &v, P.now_ms), -ENOENT);
	assert_int_equal(SERVER.ups4, 0);
}

/* opening LCP again and again: neither endless asks nor endless life */
static void
half_open_for_ever(void **state)
{
	char hex[64];
	unsigned i;

	(void)state;
	for (i = 2; i < 20; i++) {
		SERVER.policy = PAIR_SILENT;
		pair_run(&P, P.now_ms + 1000);
		pair_respond(&P, "alice", 5, "wonderland");
		if (SERVER.ppp->phase == LINK_TERMINATE)
			break;
		snprintf(hex, sizeof(hex), "c021 01 %02x 000a 0506 010203%02x",
		    i, i);
		pair_hex_input(&P, hex);
		pair_ack(&P, 0xc021);
	}
	assert_int_equal(SERVER.asks, 5);
	pair_run(&P, P.now_ms + 10000);
	assert_string_equal(SERVER.why, "too-many-attempts");
	fresh(PPP_AUTH_MSCHAPV2, PAIR_CHECK);
	for (i = 2; SERVER.downs == 0 && i < 100; i++) {
		snprintf(hex, sizeof(hex), "c021 01 %02x 000a 0506 010203%02x",
		    i, i);
		pair_hex_input(&P, hex);
		pair_ack(&P, 0xc021);
		pair_run(&P, P.now_ms + 5000);
	}
	assert_string_equal(SERVER.why, "setup-timeout");
	assert_in_range(P.now_ms, 60000, 75000);
}

/* whatever a peer asks a server about itself: silence */
static void
peer_challenges_server(void **state)
{
	uint8_t body[21] = {16};
	unsigned code, id = chap_id();

	(void)state;
	pair_forget(&P);
	for (code = 0; code < 256; code++)
		if (code != 2)
			pair_packet(&P, CHAP, code, id, body, sizeof(body));
	pair_packet(&P, PAP, 1, 1,
	    "\x01"
	    "a"
	    "\x01"
	    "b",
	    4);
	pair_packet(&P, PAP, 2, 1, "\0", 1);
	assert_int_equal(SERVER.out_count, 0);
	assert_int_equal(SERVER.asks, 0);
	assert_string_equal(ppp_state_name(SERVER.ppp), "opened");
}

static void
failure_message(void **state)
{
	int i;

	(void)state;
	pair_respond(&P, "alice", 5, "wrong");
	i = pair_find(&SERVER, CHAP, 4);
	assert_true(i >= 0);
	assert_memory_equal(SERVER.out[i] + 8, "E=691 R=0 C=", 12);
	assert_true(pair_find(&SERVER, 0xc021, 5) >= 0);
	/* the longest message, and one that is too long */
	fresh(PPP_AUTH_MSCHAPV2, PAIR_SILENT);
	pair_respond(&P, "alice", 5, "wrong");
	{
		char text[PPP_MESSAGE_MAX + 50];
		struct ppp_verdict v = {.message = rd_init(text, sizeof(text))};

		memset(text, 'm', sizeof(text));
		ppp_verdict(SERVER.ppp, &v, P.now_ms);
		pair_drain(&P, 0);
	}
	i = pair_find(&SERVER, CHAP, 4);
	assert_int_equal(SERVER.out_bytes[i], 8 + PPP_MESSAGE_MAX);
}

static void
pap_server(void **state)
{
	uint8_t frame[64];
	size_t n, cut;
	unsigned id;

	(void)state;
	fresh(PPP_AUTH_PAP, PAIR_CHECK);
	assert_int_equal(pair_find(&SERVER, CHAP, 1), -1);
	n = pair_hex("ff03 c023 01 07 0015 05 616c696365 0a"
		     "776f6e6465726c616e64",
	    frame, sizeof(frame));
	pair_forget(&P);
	for (cut = 0; cut < n; cut++)
		pair_input(&P, 0, frame, cut);
	for (cut = 8; cut < n; cut++) {
		frame[7] = (uint8_t)(cut - 4);
		pair_input(&P, 0, frame, cut);
	}
	assert_int_equal(SERVER.asks + SERVER.out_count, 0);
	frame[7] = 0x15;
	pair_input(&P, 0, frame, n);
	assert_int_equal(SERVER.asks, 1);
	assert_memory_equal(SERVER.response, "wonderland", 10);
	assert_true(pair_find(&SERVER, PAP, 2) >= 0);
	/* repeated, with another Identifier: the same code, under that */
	for (id = 8; id < 10; id++) {
		pair_forget(&P);
		frame[5] = (uint8_t)id;
		pair_input(&P, 0, frame, n);
		assert_int_equal(SERVER.out_count, 1);
		assert_int_equal(SERVER.out[0][4], 2);
		assert_int_equal(SERVER.out[0][5], id);
	}
	assert_int_equal(SERVER.asks, 1);
	/* CHAP is not spoken here */
	pair_forget(&P);
	pair_packet(&P, CHAP, 2, 1, frame, 55);
	assert_int_equal(SERVER.out_count, 0);
	/* wrong password */
	fresh(PPP_AUTH_PAP, PAIR_CHECK);
	pair_hex_input(&P, "c023 01 01 000c 05 616c696365 01 78");
	assert_true(pair_find(&SERVER, PAP, 3) >= 0);
	/* nobody asks: 30 s */
	fresh(PPP_AUTH_PAP, PAIR_CHECK);
	pair_run(&P, P.now_ms + 40000);
	assert_string_equal(SERVER.why, "auth-timeout");
}

/* our client alone, the test is a bad server */
static void
client_role(void **state)
{
	static const char s[] = "S=0000000000000000000000000000000000000000";
	uint8_t body[64] = {16};
	unsigned n;

	(void)state;
	pair_fini(&P);
	pair_init(&P, 8, true);
	SERVER.cfg = P.end[1].cfg;
	SERVER.cfg.password = &P.end[1].password;
	pair_start(&P);
	/* EAP is not on the list: Nak to MS-CHAPv2 */
	pair_hex_input(&P, "c021 01 01 0008 0304 c227");
	assert_true(pair_find(&SERVER, 0xc021, 3) >= 0);
	pair_hex_input(&P, "c021 01 02 0009 0305 c22381");
	assert_true(pair_find(&SERVER, 0xc021, 2) >= 0);
	pair_ack(&P, 0xc021);
	pair_forget(&P);
	/* Success before a challenge; challenges of wrong size; responses */
	pair_packet(&P, CHAP, 3, 0, s, sizeof(s) - 1);
	pair_packet(&P, CHAP, 4, 0, s, sizeof(s) - 1);
	for (n = 0; n < 60; n++) {
		if (n == 16)
			continue;
		body[0] = (uint8_t)n;
		pair_packet(&P, CHAP, 1, 3, body, sizeof(body));
	}
	pair_packet(&P, CHAP, 2, 3, body, sizeof(body));
	assert_int_equal(SERVER.out_count, 0);
	/* a good one, twice: the same response; then a new one */
	body[0] = 16;
	pair_packet(&P, CHAP, 1, 3, body, 17);
	pair_packet(&P, CHAP, 1, 3, body, 17);
	assert_int_equal(SERVER.out_count, 2);
	assert_memory_equal(SERVER.out[0], SERVER.out[1], 8 + 50 + 5);
	body[5]++;
	pair_packet(&P, CHAP, 1, 3, body, 17);
	assert_memory_not_equal(SERVER.out[0], SERVER.out[2], 8 + 50 + 5);
	pair_packet(&P, CHAP, 3, 4, s, sizeof(s) - 1); /* another id */
	assert_string_equal(ppp_state_name(SERVER.ppp), "opened");
	pair_packet(&P, CHAP, 3, 3, s, sizeof(s) - 1);
	assert_int_equal(SERVER.authenticated, 0);
	pair_run(&P, P.now_ms + 20000);
	assert_string_equal(SERVER.why, "server-not-genuine");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(challenge_format),
	    T(chap_truncation),
	    T(value_sizes),
	    T(user_names),
	    T(wrong_id_and_replay),
	    T(replay_after_renegotiation),
	    T(late_verdict),
	    T(half_open_for_ever),
	    T(peer_challenges_server),
	    T(failure_message),
	    T(pap_server),
	    T(client_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
