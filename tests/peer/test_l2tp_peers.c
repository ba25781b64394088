/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_l2tp_peers.c: two tunnels talk to each other over the fake network:
 * set-up, both call directions, loss and reordering, a day of HELLOs, silence,
 * tunnel authentication, crossing SCCRQs, and the ends of tunnels and sessions.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/proto/header.h"
#include "l2tpd/proto/hide.h"
#include "l2tpd/proto/msg.h"
#include "l2tpd/proto/rel.h"
#include "tests/peer/l2tp_net.h"

#define SECOND 1000
#define HOUR   (3600 * SECOND)

/* A tunnel and one session of the given kind between a and b. */
static void
bring_up(struct net *n, bool outgoing)
{
	uint16_t id;

	net_connect(n, &n->a);
	net_run(n, n->now_ms + 20 * SECOND);
	assert_true(end_saw(&n->a, "up"));
	assert_true(end_saw(&n->b, "up"));
	assert_int_equal(outgoing
		? tunnel_call_outgoing(n->a.tunnel, n->now_ms, &id)
		: tunnel_call_incoming(n->a.tunnel, n->now_ms, &id),
	    0);
	net_run(n, n->now_ms + 20 * SECOND);
	assert_int_equal(end_count(&n->a, "session-up"), 1);
	assert_int_equal(end_count(&n->b, "session-up"), 1);
	assert_int_equal(n->a.session.local_id, id);
	assert_int_equal(n->a.session.peer_id, n->b.session.local_id);
	assert_int_equal(n->b.session.peer_id, id);
}

static void
test_incoming_call(void **state)
{
	struct net n;
	struct rd name;

	(void)state;
	net_init(&n, 1);
	bring_up(&n, false);
	assert_string_equal(n.a.log, "up new session-up ");
	assert_string_equal(n.b.log, "up new session-up ");
	assert_true(n.a.session.we_called && n.a.session.incoming);
	assert_true(!n.b.session.we_called && n.b.session.incoming);
	name = tunnel_peer_host_name(n.b.tunnel);
	assert_int_equal(name.left, 6);
	assert_memory_equal(name.p, "client", 6);
	/* SCCRQ SCCCN ICRQ ICCN; SCCRP ZLB ICRP ZLB: not one too many */
	assert_int_equal(n.a.sent, 4);
	assert_int_equal(n.b.sent, 4);
	net_free(&n);
}

static void
test_outgoing_call(void **state)
{
	struct net n;

	(void)state;
	net_init(&n, 2);
	bring_up(&n, true);
	assert_true(n.a.session.we_called && !n.a.session.incoming);
	assert_true(!n.b.session.we_called && !n.b.session.incoming);
	net_free(&n);
}

static void
test_bad_network(void **state)
{
	uint64_t seed;
	struct net n;

	(void)state;
	for (seed = 0; seed < 200; seed++) {
		net_init(&n, seed);
		n.loss_percent = 15;
		n.dup_percent = 20;
		n.jitter_ms = 1500;
		bring_up(&n, seed % 2);
		assert_int_equal(end_count(&n.a, "session-down"), 0);
		net_free(&n);
	}
}

static void
test_day_of_hellos(void **state)
{
	struct net n;

	(void)state;
	net_init(&n, 3);
	bring_up(&n, false);
	n.a.sent = n.b.sent = 0;
	net_run(&n, n.now_ms + 24 * HOUR);
	assert_true(tunnel_is_up(n.a.tunnel) && tunnel_is_up(n.b.tunnel));
	/* about 1440 minutes, each one HELLO or its acknowledgement */
	assert_in_range(n.a.sent, 1300, 1600);
	assert_in_range(n.b.sent, 1300, 1600);
	net_free(&n);
}

static void
test_data_counts_as_life(void **state)
{
	struct net n;
	int i;

	(void)state;
	net_init(&n, 4);
	bring_up(&n, false);
	n.a.sent = n.b.sent = 0;
	for (i = 0; i < 100; i++) {
		tunnel_note_data(n.a.tunnel, n.now_ms);
		tunnel_note_data(n.b.tunnel, n.now_ms);
		net_run(&n, n.now_ms + 50 * SECOND);
	}
	assert_int_equal(n.a.sent + n.b.sent, 0);
	net_free(&n);
}

static void
test_silence_ends_tunnel(void **state)
{
	uint64_t since_ms;
	struct net n;

	(void)state;
	net_init(&n, 5);
	bring_up(&n, false);
	n.cut = true;
	since_ms = n.now_ms;
	net_run(&n, since_ms + 60 * SECOND + REL_FULL_CYCLE_MS + SECOND);
	assert_string_equal(n.b.log,
	    "up new session-up session-down:hello-timeout "
	    "down:hello-timeout dead ");
	assert_null(n.b.tunnel);
	net_free(&n);
}

static void
test_ten_hours_of_bad_network(void **state)
{
	struct net n;

	(void)state;
	net_init(&n, 6);
	n.loss_percent = 10;
	n.dup_percent = 10;
	n.jitter_ms = 3000;
	bring_up(&n, false);
	net_run(&n, n.now_ms + 10 * HOUR);
	assert_true(tunnel_is_up(n.a.tunnel) && tunnel_is_up(n.b.tunnel));
	net_free(&n);
}

/* ---- tunnel authentication, RFC 2661 5.1.1 ------------------------------ */

static void
give_secret(struct end *e, const char *secret, bool challenge)
{
	e->cfg.secret = (const uint8_t *)secret;
	e->cfg.secret_bytes = strlen(secret);
	e->cfg.challenge_peer = challenge;
}

static void
test_authentication(void **state)
{
	struct net n;
	unsigned who;

	(void)state;
	for (who = 0; who < 4; who++) {
		net_init(&n, 10 + who);
		give_secret(&n.a, "right", who & 1);
		give_secret(&n.b, "right", who & 2);
		bring_up(&n, false);
		net_free(&n);
	}
}

static void
test_wrong_secret(void **state)
{
	struct net n;

	(void)state;
	net_init(&n, 20); /* the server finds out */
	give_secret(&n.a, "wrong", false);
	give_secret(&n.b, "right", true);
	net_connect(&n, &n.a);
	net_run(&n, n.now_ms + 60 * SECOND);
	assert_string_equal(n.b.log, "down:wrong Challenge Response dead ");
	assert_int_equal(n.b.close.result, 4);
	/* the client was up for a moment: its SCCCN opens the tunnel */
	assert_string_equal(n.a.log, "up down:peer-stopped dead ");
	assert_int_equal(n.a.close.result, 4);
	net_free(&n);
	net_init(&n, 21); /* the client finds out */
	give_secret(&n.a, "right", true);
	give_secret(&n.b, "wrong", false);
	net_connect(&n, &n.a);
	net_run(&n, n.now_ms + 60 * SECOND);
	assert_string_equal(n.a.log, "down:wrong Challenge Response dead ");
	assert_string_equal(n.b.log, "down:peer-stopped dead ");
	net_free(&n);
	net_init(&n, 22); /* no secret to answer with */
	give_secret(&n.b, "right", true);
	net_connect(&n, &n.a);
	net_run(&n, n.now_ms + 60 * SECOND);
	assert_int_equal(n.a.close.result, 4);
	assert_false(end_saw(&n.a, "up"));
	assert_true(end_saw(&n.b, "down:peer-stopped"));
	net_free(&n);
}

/* ---- crossing SCCRQs, RFC 2661 4.4.3 Tie Breaker ------------------------ */

static void
test_tie(void **state)
{
	uint64_t seed;
	struct net n;

	(void)state;
	for (seed = 0; seed < 50; seed++) {
		net_init(&n, seed);
		n.loss_percent = seed % 2 ? 20 : 0;
		n.jitter_ms = 200;
		net_connect(&n, &n.a);
		net_connect(&n, &n.b);
		net_run(&n, n.now_ms + 50 * SECOND);
		assert_string_equal(n.a.log, "up ");
		assert_string_equal(n.b.log, "up ");
		net_free(&n);
	}
}

static void
test_equal_tie(void **state)
{
	struct net n;

	(void)state;
	net_init(&n, 1);
	n.b.seed = n.a.seed;
	net_connect(&n, &n.a);
	net_connect(&n, &n.b);
	net_run(&n, n.now_ms + 20);
	assert_string_equal(n.a.log, "down:tie dead ");
	assert_string_equal(n.b.log, "down:tie dead ");
	net_free(&n);
}

/* A SCCRQ by hand. tie: NULL for none. secret: hide the Assigned Tunnel ID. */
static bool
send_sccrq(
    struct net *n, struct tunnel *t, const uint64_t *tie, const char *secret)
{
	const uint8_t vector[16] = {1, 2, 3}, id[2] = {0x0b, 0xad};
	uint8_t buf[256], cipher[32];
	struct wr w = wr_init(buf, sizeof(buf));
	struct wr c = wr_init(cipher, sizeof(cipher));
	const char *why = NULL;
	uint16_t seen = 1;

	l2tp_put_control_head(&w, 0, 0, 0, 0);
	msg_begin(&w, MSG_SCCRQ);
	avp_put_u16(&w, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_bytes(&w, AVP_HOST_NAME, rd_init("hand", 4));
	avp_put_u32(&w, AVP_FRAMING_CAPABILITIES, 2);
	if (secret != NULL) {
		avp_put_bytes(&w, AVP_RANDOM_VECTOR, rd_init(vector, 16));
		hide_encode(AVP_ASSIGNED_TUNNEL_ID,
		    rd_init(secret, strlen(secret)), rd_init(vector, 16),
		    rd_init(id, 2), 5, &c);
		avp_put_hidden(&w, AVP_ASSIGNED_TUNNEL_ID, wr_rd(&c));
	} else {
		avp_put_u16(&w, AVP_ASSIGNED_TUNNEL_ID, 0x0bad);
	}
	if (tie != NULL)
		avp_put_u64(&w, AVP_TIE_BREAKER, *tie);
	assert_true(l2tp_finish_control(&w));
	assert_int_equal(
	    tunnel_classify_first(wr_rd(&w), &seen), TUNNEL_FIRST_SCCRQ);
	assert_int_equal(seen, secret != NULL ? 0 : 0x0bad);
	return tunnel_input(t, wr_rd(&w), n->now_ms, &why);
}

static void
test_tie_by_hand(void **state)
{
	const uint64_t lowest = 0, highest = UINT64_MAX;
	struct net n;

	(void)state;
	net_init(&n, 7);
	net_connect(&n, &n.a);
	n.a.sent = 0;
	/* without a value, or with a higher one, it loses without a word */
	assert_true(send_sccrq(&n, n.a.tunnel, NULL, NULL));
	assert_true(send_sccrq(&n, n.a.tunnel, &highest, NULL));
	net_pump(&n);
	assert_int_equal(n.a.sent, 0);
	assert_string_equal(tunnel_state_name(n.a.tunnel), "wait-ctl-reply");
	assert_true(send_sccrq(&n, n.a.tunnel, &lowest, NULL));
	net_pump(&n);
	assert_int_equal(n.a.sent, 1); /* SCCRP */
	assert_string_equal(tunnel_state_name(n.a.tunnel), "wait-ctl-conn");
	assert_int_equal(tunnel_peer_id(n.a.tunnel), 0x0bad);
	net_free(&n);
}

static void
test_hidden_tunnel_id(void **state)
{
	struct net n;

	(void)state;
	net_init(&n, 8);
	give_secret(&n.a, "right", false);
	n.a.tunnel = tunnel_new_responder(&n.a.cfg, 5, n.now_ms);
	assert_true(send_sccrq(&n, n.a.tunnel, NULL, "right"));
	net_pump(&n);
	assert_int_equal(n.a.sent, 1);
	assert_int_equal(tunnel_peer_id(n.a.tunnel), 0x0bad);
	net_free(&n);
	/* with another secret nobody is there to be answered */
	net_init(&n, 9);
	give_secret(&n.a, "wrong", false);
	n.a.tunnel = tunnel_new_responder(&n.a.cfg, 5, n.now_ms);
	assert_true(send_sccrq(&n, n.a.tunnel, NULL, "right"));
	net_pump(&n);
	assert_int_equal(n.a.sent, 0);
	assert_null(n.a.tunnel);
	assert_true(end_saw(&n.a, "down"));
	net_free(&n);
}

/* ---- ends --------------------------------------------------------------- */

/* Both sides end and nothing is left flying. */
static void
expect_gone(struct net *n)
{
	net_run(n, n->now_ms + 60 * SECOND + 2 * REL_FULL_CYCLE_MS + SECOND);
	assert_null(n->a.tunnel);
	assert_null(n->b.tunnel);
	assert_null(n->flying);
	assert_true(end_count(&n->a, "down") <= 1);
	assert_true(end_count(&n->b, "down") <= 1);
	/* a called, so it hears of a session's end even before it was new */
	assert_true(
	    end_count(&n->a, "new") <= end_count(&n->a, "session-down"));
	assert_int_equal(
	    end_count(&n->b, "new"), end_count(&n->b, "session-down"));
}

/* Begin a session (or not yet), stop the clock at every millisecond of the
 * set-up, and do something final. */
enum final { CLOSE_A, CLOSE_B, CUT, FREE };

static void
run_to_end(struct net *n, enum final what)
{
	struct end *e = what == CLOSE_B ? &n->b : &n->a;

	switch (what) {
	case CLOSE_A:
	case CLOSE_B:
		if (e->tunnel == NULL)
			return; /* not there yet */
		tunnel_close(e->tunnel, 6, 0, "bye", n->now_ms);
		expect_gone(n);
		break;
	case CUT:
		n->cut = true;
		n->a.cfg.hello_interval_ms = n->b.cfg.hello_interval_ms = 10000;
		expect_gone(n);
		break;
	case FREE:
		break; /* net_free() does it in this state */
	}
}

static void
test_end_in_every_state(void **state)
{
	enum final what;
	uint64_t ms;
	uint16_t id;
	struct net n;

	(void)state;
	for (what = CLOSE_A; what <= FREE; what++) {
		for (ms = 0; ms < 160; ms++) {
			net_init(&n, ms);
			net_connect(&n, &n.a);
			net_run(&n, n.now_ms + (ms < 60 ? ms : 60));
			if (ms >= 60) {
				assert_int_equal(tunnel_call_incoming(
						     n.a.tunnel, n.now_ms, &id),
				    0);
				net_run(&n, n.now_ms + ms - 60);
			}
			run_to_end(&n, what);
			net_free(&n);
		}
	}
}

/* The initiator dies behind the responder's back. */
static void
test_half_open_goes_away(void **state)
{
	struct net n;

	(void)state;
	net_init(&n, 30);
	n.b.cfg.hello_interval_ms = 0;
	net_connect(&n, &n.a);
	net_run(&n, n.now_ms + 10); /* SCCRQ has arrived, SCCRP has not */
	n.cut = true;
	net_run(&n, n.now_ms + 2 * 60 * SECOND);
	assert_string_equal(n.b.log, "down:no-answer dead ");
	net_free(&n);
	/* the peer acknowledges everything and never goes on */
	net_init(&n, 31);
	net_connect(&n, &n.a);
	net_run(&n, n.now_ms + 2 * 60 * SECOND);
	assert_string_equal(n.b.log, "up down:no-session dead ");
	assert_string_equal(n.a.log, "up down:peer-stopped dead ");
	net_free(&n);
}

static void
test_session_close_both_ways(void **state)
{
	struct net n;
	uint16_t id;
	int i;

	(void)state;
	net_init(&n, 40);
	n.loss_percent = 10;
	net_connect(&n, &n.a);
	net_run(&n, n.now_ms + 20 * SECOND);
	for (i = 0; i < 20; i++) {
		assert_int_equal(
		    (i & 1 ? tunnel_call_outgoing : tunnel_call_incoming)(
			n.a.tunnel, n.now_ms, &id),
		    0);
		net_run(&n, n.now_ms + 20 * SECOND);
		if (i & 2)
			assert_int_equal(tunnel_session_close(n.a.tunnel, id, 3,
					     0, "enough", n.now_ms),
			    0);
		else
			assert_int_equal(
			    tunnel_session_close(n.b.tunnel, n.b.session_id, 3,
				0, "enough", n.now_ms),
			    0);
		net_run(&n, n.now_ms + 20 * SECOND);
		assert_int_equal(
		    end_count(&n.a, "session-down"), (unsigned)i + 1);
		assert_int_equal(
		    end_count(&n.b, "session-down"), (unsigned)i + 1);
		assert_true((i & 2 ? &n.b : &n.a)->session_close.by_peer);
		assert_int_equal(n.a.session_close.result, 3);
		assert_int_equal(n.b.session_close.result, 3);
		assert_memory_equal(
		    (i & 2 ? &n.b : &n.a)->session_close.message, "enough", 6);
		n.a.session.local_id = 0;
	}
	assert_int_equal(
	    tunnel_session_close(n.a.tunnel, id, 3, 0, NULL, n.now_ms),
	    -ENOENT);
	net_free(&n);
}

static void
test_several_sessions(void **state)
{
	struct net n;
	uint16_t id;
	int i;

	(void)state;
	net_init(&n, 41);
	net_connect(&n, &n.a);
	assert_int_equal(
	    tunnel_call_incoming(n.a.tunnel, n.now_ms, &id), -ENOTCONN);
	net_run(&n, n.now_ms + SECOND);
	for (i = 0; i < 4; i++)
		assert_int_equal(
		    tunnel_call_incoming(n.a.tunnel, n.now_ms, &id), 0);
	assert_int_equal(
	    tunnel_call_incoming(n.a.tunnel, n.now_ms, &id), -ENOSPC);
	n.b.cfg.max_sessions = 3;
	net_run(&n, n.now_ms + 10 * SECOND);
	assert_int_equal(end_count(&n.b, "session-up"), 3);
	assert_int_equal(end_count(&n.a, "session-up"), 3);
	assert_int_equal(end_count(&n.a, "session-down"), 1);
	assert_int_equal(n.a.session_close.result, 4);
	tunnel_close(n.a.tunnel, 1, 0, NULL, n.now_ms);
	expect_gone(&n);
	assert_int_equal(end_count(&n.b, "session-down"), 3);
	net_free(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_incoming_call),
	    cmocka_unit_test(test_outgoing_call),
	    cmocka_unit_test(test_bad_network),
	    cmocka_unit_test(test_day_of_hellos),
	    cmocka_unit_test(test_data_counts_as_life),
	    cmocka_unit_test(test_silence_ends_tunnel),
	    cmocka_unit_test(test_ten_hours_of_bad_network),
	    cmocka_unit_test(test_authentication),
	    cmocka_unit_test(test_wrong_secret),
	    cmocka_unit_test(test_tie),
	    cmocka_unit_test(test_equal_tie),
	    cmocka_unit_test(test_tie_by_hand),
	    cmocka_unit_test(test_hidden_tunnel_id),
	    cmocka_unit_test(test_end_in_every_state),
	    cmocka_unit_test(test_half_open_goes_away),
	    cmocka_unit_test(test_session_close_both_ways),
	    cmocka_unit_test(test_several_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
