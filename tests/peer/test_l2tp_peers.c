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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
