/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ppp_peers.c: our server against our client, in one process with a fake
 * clock: all methods, wrong passwords, losses and duplicates, every time limit,
 * renegotiation, echoes, ending.
 */
#include <errno.h>
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
#define CLIENT (P.end[1])

static int
setup(void **state)
{
	(void)state;
	pair_init(&P, 42, false);
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
assert_connected(void)
{
	static const uint8_t gw[4] = {10, 9, 0, 1}, me[4] = {10, 9, 0, 7};
	static const uint8_t dns[2][4] = {{10, 9, 0, 53}, {10, 9, 0, 54}};

	assert_true(ppp_ipv4_is_up(SERVER.ppp));
	assert_true(ppp_ipv4_is_up(CLIENT.ppp));
	assert_memory_equal(SERVER.up4.ipv4_local, gw, 4);
	assert_memory_equal(SERVER.up4.ipv4_peer, me, 4);
	assert_memory_equal(CLIENT.up4.ipv4_local, me, 4);
	assert_memory_equal(CLIENT.up4.ipv4_peer, gw, 4);
	assert_memory_equal(CLIENT.up4.ipv4_dns, dns, 8);
	assert_int_equal(SERVER.downs + CLIENT.downs, 0);
}

static void
connects_mschapv2(void **state)
{
	(void)state;
	pair_start(&P);
	pair_run(&P, 3000);
	assert_connected();
	assert_int_equal(SERVER.asks, 1);
	assert_int_equal(SERVER.method, PPP_AUTH_MSCHAPV2);
	assert_int_equal(CLIENT.authenticated, 1);
	assert_int_equal(SERVER.ups4, 1);
	assert_int_equal(CLIENT.ups4, 1);
	assert_int_equal(SERVER.ups6, 1);
	assert_int_equal(CLIENT.ups6, 1);
	assert_memory_equal(SERVER.up6.ifid_local, CLIENT.up6.ifid_peer, 8);
	assert_memory_equal(SERVER.up6.ifid_peer, CLIENT.up6.ifid_local, 8);
	assert_string_equal(ppp_state_name(SERVER.ppp), "opened");
	assert_int_equal(ppp_peer_mru(SERVER.ppp), 1400);
	assert_int_equal(ppp_peer_mru(CLIENT.ppp), 1400);
	assert_true(sizeof(struct ppp) < 4096);
	print_message("sizeof(struct ppp) = %zu\n", sizeof(struct ppp));
}

static void
connects_chap_md5_and_pap(void **state)
{
	enum ppp_auth_method m;

	(void)state;
	for (m = PPP_AUTH_CHAP_MD5; m <= PPP_AUTH_PAP; m++) {
		pair_init(&P, 7, false);
		SERVER.cfg.methods[0] = m;
		CLIENT.cfg.methods[0] = m;
		pair_start(&P);
		pair_run(&P, 3000);
		assert_connected();
		assert_int_equal(SERVER.method, m);
		assert_int_equal(CLIENT.authenticated, 1);
		if (m != PPP_AUTH_PAP)
			pair_fini(&P);
	}
}

/* xl2tpd starts its pppd after the call is up: our first request is lost, and
 * the user does not wait for the 3 s of RFC 1661 4.6 */
static void
late_client(void **state)
{
	(void)state;
	SERVER.ppp = ppp_new(&SERVER.cfg, P.now_ms);
	ppp_start(SERVER.ppp, P.now_ms);
	pair_drain(&P, 0);
	memset(P.wire, 0, sizeof(P.wire));
	P.now_ms += 300;
	CLIENT.ppp = ppp_new(&CLIENT.cfg, P.now_ms);
	ppp_start(CLIENT.ppp, P.now_ms);
	pair_drain(&P, 1);
	pair_run(&P, P.now_ms + 1000);
	assert_connected();
}

/* the client knows MD5 only: it Naks, the server switches */
static void
method_switch(void **state)
{
	(void)state;
	SERVER.cfg.methods[1] = PPP_AUTH_CHAP_MD5;
	CLIENT.cfg.methods[0] = PPP_AUTH_CHAP_MD5;
	pair_start(&P);
	pair_run(&P, 3000);
	assert_connected();
	assert_int_equal(SERVER.method, PPP_AUTH_CHAP_MD5);
}

static void
method_refused(void **state)
{
	(void)state;
	CLIENT.cfg.methods[0] = PPP_AUTH_PAP; /* not on the server's list */
	pair_start(&P);
	pair_run(&P, 20000);
	assert_int_equal(SERVER.downs, 1);
	assert_string_equal(SERVER.why, "auth-rejected");
	assert_int_equal(SERVER.asks + SERVER.ups4 + CLIENT.ups4, 0);
}

static void
wrong_credentials(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		pair_init(&P, 9, false);
		SERVER.cfg.methods[0] = CLIENT.cfg.methods[0] =
		    i < 2 ? PPP_AUTH_MSCHAPV2 : PPP_AUTH_CHAP_MD5;
		if (i % 2 == 0)
			secret_set(&CLIENT.password, "wrong", 5);
		else
			CLIENT.cfg.user = "mallory";
		pair_start(&P);
		pair_run(&P, 30000);
		assert_int_equal(SERVER.downs, 1);
		assert_int_equal(CLIENT.downs, 1);
		assert_string_equal(SERVER.why, "auth-failed");
		assert_string_equal(CLIENT.why, "auth-failed");
		assert_true(CLIENT.by_peer);
		assert_false(SERVER.by_peer);
		assert_int_equal(SERVER.asks, 1);
		assert_int_equal(SERVER.ups4 + CLIENT.ups4, 0);
		assert_int_equal(CLIENT.authenticated, 0);
		if (i < 3)
			pair_fini(&P);
	}
}

/* MS-CHAPv2 works both ways: a server that says yes without knowing the
 * password is not accepted */
static void
server_not_genuine(void **state)
{
	(void)state;
	SERVER.policy = PAIR_ACCEPT;
	pair_start(&P);
	pair_run(&P, 30000);
	assert_int_equal(CLIENT.downs, 1);
	assert_string_equal(CLIENT.why, "server-not-genuine");
	assert_int_equal(CLIENT.ups4 + CLIENT.authenticated, 0);
	assert_string_equal(SERVER.why, "peer-terminated");
	assert_true(SERVER.by_peer);
}

static void
lossy_wires(void **state)
{
	unsigned seed, connected = 0;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		pair_init(&P, seed, false);
		SERVER.cfg.methods[0] = CLIENT.cfg.methods[0] =
		    (enum ppp_auth_method)(1 + seed % 3);
		P.loss_percent = 15;
		P.dup_percent = 15;
		pair_start(&P);
		pair_run(&P, 60000);
		if (SERVER.downs + CLIENT.downs == 0 &&
		    ppp_ipv4_is_up(SERVER.ppp) && ppp_ipv4_is_up(CLIENT.ppp))
			connected++;
		assert_true(SERVER.asks <= 3);
		assert_true(SERVER.sent < 80 && CLIENT.sent < 80);
		pair_fini(&P);
	}
	print_message("%u of 200 connect with 15%% loss\n", connected);
	assert_true(connected >= 195);
	pair_init(&P, 1, true);
}

static void
duplicates_only(void **state)
{
	(void)state;
	P.dup_percent = 100;
	pair_start(&P);
	pair_run(&P, 20000);
	assert_connected();
	assert_int_equal(SERVER.asks, 1);
	assert_int_equal(SERVER.ups4, 1);
	assert_int_equal(CLIENT.ups4, 1);
	assert_int_equal(CLIENT.authenticated, 1);
}

static void
nobody_answers(void **state)
{
	(void)state;
	P.loss_percent = 100;
	pair_start(&P);
	pair_run(&P, 200000);
	assert_int_equal(SERVER.downs, 1);
	assert_string_equal(SERVER.why, "setup-timeout");
	/* 3, 4.5, 6.75, then every 10 s: within 60 s 8 requests, then 2
	 * Terminate-Requests */
	assert_int_equal(SERVER.sent, 10);
	assert_int_equal(ppp_deadline(SERVER.ppp), UINT64_MAX);
}

static void
authority_is_silent(void **state)
{
	(void)state;
	SERVER.policy = PAIR_SILENT;
	pair_start(&P);
	pair_run(&P, 25000);
	assert_int_equal(SERVER.asks, 1);
	assert_int_equal(SERVER.ups4 + SERVER.downs, 0);
	pair_run(&P, 60000);
	assert_string_equal(SERVER.why, "auth-timeout");
	assert_false(SERVER.by_peer);
}

static void
late_and_foreign_verdicts(void **state)
{
	struct ppp_verdict v;
	uint32_t old;

	(void)state;
	SERVER.policy = PAIR_SILENT;
	pair_start(&P);
	memset(&v, 0, sizeof(v));
	assert_int_equal(ppp_verdict(SERVER.ppp, &v, P.now_ms), -ENOENT);
	pair_run(&P, 2000);
	assert_int_equal(SERVER.asks, 1);
	old = SERVER.serial;
	/* the client renegotiates while RADIUS thinks: the ask is void */
	fsm_down(&CLIENT.ppp->lcp.fsm);
	fsm_up(&CLIENT.ppp->lcp.fsm);
	pair_drain(&P, 1);
	pair_run(&P, 4000);
	assert_int_equal(SERVER.asks, 2);
	SERVER.policy = PAIR_CHECK;
	pair_grant(&SERVER, &v);
	v.serial = old;
	assert_int_equal(ppp_verdict(SERVER.ppp, &v, P.now_ms), -ENOENT);
	v.serial = SERVER.serial;
	assert_int_equal(ppp_verdict(SERVER.ppp, &v, P.now_ms), 0);
	assert_int_equal(ppp_verdict(SERVER.ppp, &v, P.now_ms), -ENOENT);
	pair_drain(&P, 0);
	pair_run(&P, 8000);
	assert_connected();
}

static void
renegotiation_authenticates_again(void **state)
{
	uint8_t challenge[16];

	(void)state;
	pair_start(&P);
	pair_run(&P, 3000);
	assert_connected();
	memcpy(challenge, SERVER.challenge, 16);
	fsm_down(&CLIENT.ppp->lcp.fsm);
	fsm_up(&CLIENT.ppp->lcp.fsm);
	pair_drain(&P, 1);
	pair_run(&P, 3015);
	assert_int_equal(SERVER.downs4, 1);
	assert_int_equal(SERVER.downs6, 1);
	assert_false(ppp_ipv4_is_up(SERVER.ppp));
	pair_run(&P, 8000);
	assert_connected();
	assert_int_equal(SERVER.asks, 2);
	assert_int_equal(SERVER.ups4, 2);
	assert_memory_not_equal(challenge, SERVER.challenge, 16);
}

static void
closing(void **state)
{
	(void)state;
	pair_start(&P);
	pair_run(&P, 3000);
	ppp_close(SERVER.ppp, "admin", P.now_ms);
	pair_drain(&P, 0);
	assert_int_equal(SERVER.downs4, 1);
	pair_run(&P, 3200);
	assert_string_equal(SERVER.why, "admin");
	assert_int_equal(CLIENT.downs4, 1);
	pair_run(&P, 9000);
	assert_string_equal(CLIENT.why, "peer-terminated");
	assert_true(CLIENT.by_peer);
	/* nothing is alive after the end */
	ppp_close(SERVER.ppp, "again", P.now_ms);
	ppp_note_data(SERVER.ppp, P.now_ms);
	pair_drain(&P, 0);
	assert_int_equal(SERVER.downs, 1);
}

static void
closing_a_dead_peer(void **state)
{
	(void)state;
	pair_start(&P);
	pair_run(&P, 3000);
	P.loss_percent = 100;
	ppp_close(SERVER.ppp, "admin", P.now_ms);
	pair_drain(&P, 0);
	pair_run(&P, 11000); /* two Terminate-Requests: 3 s + 4.5 s */
	assert_string_equal(SERVER.why, "admin");
	ppp_free(SERVER.ppp);
	/* before the start: at once */
	SERVER.ppp = ppp_new(&SERVER.cfg, P.now_ms);
	SERVER.downs = 0;
	ppp_close(SERVER.ppp, "never", P.now_ms);
	pair_drain(&P, 0);
	assert_string_equal(SERVER.why, "never");
}

static void
echoes(void **state)
{
	unsigned sent;

	(void)state;
	CLIENT.cfg.echo_interval_ms = 0;
	pair_start(&P);
	pair_run(&P, 3000);
	sent = CLIENT.sent;
	pair_run(&P, 3000 + 24 * 3600 * 1000ULL); /* a day */
	assert_connected();
	assert_in_range(CLIENT.sent - sent, 2870, 2881); /* one every 30 s */
	P.loss_percent = 100;
	/* data is life */
	for (sent = 0; sent < 100; sent++) {
		pair_run(&P, P.now_ms + 20000);
		ppp_note_data(SERVER.ppp, P.now_ms);
	}
	assert_int_equal(SERVER.downs, 0);
	/* 4 unanswered: dead at 150 s, plus two Terminate-Requests */
	pair_run(&P, P.now_ms + 149000);
	assert_int_equal(SERVER.downs4, 0);
	pair_run(&P, P.now_ms + 10000);
	assert_int_equal(SERVER.downs4, 1);
	assert_string_equal(SERVER.why, "echo-timeout");
}

static void
no_ncp(void **state)
{
	(void)state;
	/* IPv4 only on the server, and the client will not hear of it */
	SERVER.cfg.ipv6 = false;
	SERVER.policy = PAIR_SILENT;
	pair_start(&P);
	pair_run(&P, 2000);
	P.loss_percent = 100;
	ppp_verdict(
	    SERVER.ppp, &(struct ppp_verdict){.accept = true}, P.now_ms);
	pair_drain(&P, 0);
	pair_run(&P, 31000);
	assert_int_equal(SERVER.downs, 0);
	pair_run(&P, 50000);
	assert_string_equal(SERVER.why, "no-ncp");
}

static void
server_without_methods(void **state)
{
	(void)state;
	P.alone = true;
	SERVER.cfg.methods[0] = PPP_AUTH_NONE;
	pair_start(&P);
	assert_string_equal(SERVER.why, "no-auth-method");
	assert_int_equal(SERVER.sent, 0);
}

static void
ipv4_only(void **state)
{
	(void)state;
	SERVER.cfg.ipv6 = false;
	pair_start(&P);
	pair_run(&P, 3000);
	assert_connected();
	assert_int_equal(CLIENT.ups6, 0);
	pair_run(
	    &P, 120000); /* the client's IPV6CP was rejected and is quiet */
	assert_connected();
}

/* the verdict names the client's interface identifier: the client takes it */
static void
ifid_from_the_verdict(void **state)
{
	static const uint8_t id[8] = {0, 0, 0, 0, 0, 0, 0, 0x77};
	struct ppp_verdict v;

	(void)state;
	SERVER.policy = PAIR_SILENT;
	pair_start(&P);
	pair_run(&P, 2000);
	SERVER.policy = PAIR_CHECK;
	pair_grant(&SERVER, &v);
	memcpy(v.ifid_peer, id, 8);
	assert_int_equal(ppp_verdict(SERVER.ppp, &v, P.now_ms), 0);
	pair_drain(&P, 0);
	pair_run(&P, 4000);
	assert_connected();
	assert_memory_equal(SERVER.up6.ifid_peer, id, 8);
	assert_memory_equal(CLIENT.up6.ifid_local, id, 8);
	assert_true(ppp_ipv6_is_up(SERVER.ppp));
}

/* what a client cannot say it does not try */
static void
impossible_credentials(void **state)
{
	char user[300];

	(void)state;
	secret_set(&CLIENT.password, "\xff\xfe", 2);
	pair_start(&P);
	pair_run(&P, 20000);
	assert_string_equal(CLIENT.why, "bad-password-encoding");
	pair_fini(&P);
	pair_init(&P, 3, false);
	memset(user, 'u', sizeof(user));
	user[299] = '\0';
	CLIENT.cfg.user = user;
	SERVER.cfg.methods[0] = CLIENT.cfg.methods[0] = PPP_AUTH_PAP;
	pair_start(&P);
	pair_run(&P, 20000);
	assert_string_equal(CLIENT.why, "credentials-too-long");
	assert_int_equal(SERVER.asks, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(connects_mschapv2),
	    T(connects_chap_md5_and_pap),
	    T(late_client),
	    T(method_switch),
	    T(method_refused),
	    T(wrong_credentials),
	    T(server_not_genuine),
	    T(lossy_wires),
	    T(duplicates_only),
	    T(nobody_answers),
	    T(authority_is_silent),
	    T(late_and_foreign_verdicts),
	    T(renegotiation_authenticates_again),
	    T(closing),
	    T(closing_a_dead_peer),
	    T(echoes),
	    T(no_ncp),
	    T(server_without_methods),
	    T(ipv4_only),
	    T(ifid_from_the_verdict),
	    T(impossible_credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
