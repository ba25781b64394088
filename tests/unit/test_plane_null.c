/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_plane_null.c: the plane of tests keeps what null.h promises.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/plane/null/null.h"

static unsigned int l2tp_seen;

static void
on_l2tp(void *ctx, uint32_t association, const struct endpoint *peer,
    uint16_t peer_port, struct rd data)
{
	struct plane **p = ctx;

	(void)peer;
	assert_int_equal(association, 7);
	assert_int_equal(peer_port, 1701);
	l2tp_seen++;
	/* a callback may call the plane */
	assert_int_equal(plane_l2tp_send(*p, 7, peer_port, data), 0);
}

static void
calls_are_recorded(void **state)
{
	const struct plane_events events = {.l2tp = on_l2tp};
	const struct plane_session ps = {
	    .id = 1, .association = 7, .local_tunnel_id = 2, .peer_port = 1701};
	const struct esp_sa_params sa = {.spi = 5, .association = 7};
	const struct ipv4_networks nets = {
	    .at = {{{10, 1, 0, 0}, 16}}, .count = 1};
	const uint8_t address[4] = {10, 0, 0, 1};
	struct plane_counters c = {.bytes_in = 9};
	struct null_call call;
	struct plane *p;
	bool open;

	(void)state;
	p = plane_null_new(&events, &p);
	assert_non_null(p);
	assert_int_equal(plane_l2tp_send(p, 7, 1, rd_init("x", 1)), -ENOENT);
	assert_int_equal(plane_sa_add(p, &sa), 0);
	null_fail_next(p, NULL_CALL_SESSION_ADD, -ENOMEM);
	assert_int_equal(plane_session_add(p, &ps), -ENOMEM);
	assert_int_equal(null_count_sessions(p), 0);
	assert_int_equal(plane_session_add(p, &ps), 0);
	assert_int_equal(plane_session_add(p, &ps), -EEXIST);
	assert_int_equal(plane_session_open_ipv4(p, 1, address, 1400), 0);
	assert_int_equal(null_session(p, 1, &open)->local_tunnel_id, 2);
	assert_true(open);
	assert_int_equal(plane_session_routes(p, 1, &nets), 0);
	assert_int_equal(null_session_networks(p, 1)->count, 1);
	assert_int_equal(plane_session_routes(p, 2, &nets), -ENOENT);
	plane_session_shut(p, 1);
	assert_int_equal(null_session_networks(p, 1)->count, 0);
	null_session(p, 1, &open);
	assert_false(open);
	assert_int_equal(null_set_counters(p, 1, &c), 0);
	c.bytes_in = 0;
	assert_int_equal(plane_session_counters(p, 1, &c), 0);
	assert_int_equal(c.bytes_in, 9);
	assert_int_equal(plane_ppp_send(p, 1, rd_init("abc", 3)), 0);

	assert_true(null_next_call(p, &call));
	assert_int_equal(call.type, NULL_CALL_L2TP_SEND);
	assert_int_equal(call.result, -ENOENT);
	assert_true(null_next_call(p, &call));
	assert_int_equal(call.type, NULL_CALL_SA_ADD);
	while (null_next_call(p, &call) && call.type != NULL_CALL_PPP_SEND)
		;
	assert_int_equal(call.data.left, 3);
	assert_memory_equal(call.data.p, "abc", 3);
	assert_false(null_next_call(p, &call));

	null_inject_l2tp(p, 7, &sa.peer, 1701, rd_init("hi", 2));
	assert_int_equal(l2tp_seen, 1);
	assert_true(null_next_call(p, &call));
	assert_memory_equal(call.data.p, "hi", 2);
	assert_int_equal(null_count_sas(p, false), 1);
	assert_int_equal(plane_sa_del(p, 5, false, &sa.peer), 0);
	assert_int_equal(plane_sa_del(p, 5, false, &sa.peer), -ENOENT);
	plane_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(calls_are_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
