/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_plane_tables.c: the user plane's sessions against a plain array: many
 * random additions, openings and removals, and after each every way to find a
 * session finds the same one in both.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/plane/user/tables.h"

#define ROWS 300

static struct row {
	bool used, open4, open6;
	uint16_t tunnel_id, session_id;
	uint8_t ipv4[4], prefix[8];
} rows[ROWS]; /* row i has id i + 1 */

static uint64_t seed = 4711;

static uint32_t
draw(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static void
expect(struct session_table *t, uint32_t i)
{
	struct user_session *s = session_by_id(t, i + 1);
	struct row *r = &rows[i];

	if (!r->used) {
		assert_null(s);
		return;
	}
	assert_non_null(s);
	assert_int_equal(s->params.id, i + 1);
	assert_ptr_equal(session_by_key(t, r->tunnel_id, r->session_id), s);
	if (r->open4)
		assert_ptr_equal(session_by_ipv4(t, r->ipv4), s);
	if (r->open6)
		assert_ptr_equal(session_by_prefix(t, r->prefix), s);
}

static void
step(struct session_table *t, uint32_t i)
{
	struct user_session *s = session_by_id(t, i + 1);
	const uint8_t ifid[8] = {1};
	struct row *r = &rows[i];

	if (!r->used) {
		/* ids of few bits: long runs of neighbours */
		const struct plane_session p = {.id = i + 1,
		    .local_tunnel_id = (uint16_t)(i / 16),
		    .local_session_id = (uint16_t)(i % 16)};

		assert_int_equal(session_table_add(t, &p), 0);
		assert_int_equal(session_table_add(t, &p), -EEXIST);
		*r = (struct row){.used = true,
		    .tunnel_id = p.local_tunnel_id,
		    .session_id = p.local_session_id};
		return;
	}
	switch (draw(4)) {
	case 0:
		session_table_del(t, s);
		*r = (struct row){.used = false};
		break;
	case 1: /* another address each time: the old one is forgotten */
		if (r->open4 && r->ipv4[1] != 78) {
			uint8_t old[4];

			memcpy(old, r->ipv4, 4);
			r->ipv4[1] = 78;
			assert_int_equal(
			    session_table_open_ipv4(t, s, r->ipv4, 1400), 0);
			assert_null(session_by_ipv4(t, old));
			break;
		}
		memcpy(r->ipv4,
		    (uint8_t[4]){10, 77, (uint8_t)(i >> 8), (uint8_t)i}, 4);
		assert_int_equal(
		    session_table_open_ipv4(t, s, r->ipv4, 1400), 0);
		r->open4 = true;
		break;
	case 2:
		memcpy(r->prefix,
		    (uint8_t[8]){
			0x20, 1, 0, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i},
		    8);
		assert_int_equal(
		    session_table_open_ipv6(t, s, r->prefix, ifid, 1400), 0);
		r->open6 = true;
		break;
	default:
		session_table_shut(t, s);
		if (r->open4)
			assert_null(session_by_ipv4(t, r->ipv4));
		if (r->open6)
			assert_null(session_by_prefix(t, r->prefix));
		r->open4 = r->open6 = false;
		break;
	}
}

static void
test_against_array(void **state)
{
	struct session_table t = {0};
	uint32_t round, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		step(&t, draw(ROWS));
		if (round % 50 == 0)
			for (i = 0; i < ROWS; i++)
				expect(&t, i);
	}
	session_table_clear(&t);
	assert_null(session_by_id(&t, 1));
}

static void
test_addresses_are_taken_once(void **state)
{
	const struct plane_session a = {.id = 1, .local_tunnel_id = 1},
				   b = {.id = 2, .local_tunnel_id = 2},
				   c = {.id = 3, .local_tunnel_id = 2};
	const uint8_t ip[4] = {10, 77, 0, 2}, none[8] = {0}, ifid[8] = {7};
	struct session_table t = {0};

	(void)state;
	assert_null(session_by_ipv4(&t, ip));
	assert_int_equal(session_table_add(&t, &a), 0);
	assert_int_equal(session_table_add(&t, &b), 0);
	assert_int_equal(session_table_add(&t, &c), -EEXIST);
	assert_int_equal(
	    session_table_open_ipv4(&t, session_by_id(&t, 1), ip, 0), 0);
	assert_int_equal(
	    session_table_open_ipv4(&t, session_by_id(&t, 2), ip, 0), -EEXIST);
	/* link-local only: no prefix, and any number of them */
	assert_int_equal(
	    session_table_open_ipv6(&t, session_by_id(&t, 1), none, ifid, 0),
	    0);
	assert_int_equal(
	    session_table_open_ipv6(&t, session_by_id(&t, 2), none, ifid, 0),
	    0);
	assert_null(session_by_prefix(&t, none));
	session_table_del(&t, session_by_id(&t, 1));
	assert_null(session_by_ipv4(&t, ip));
	assert_int_equal(
	    session_table_open_ipv4(&t, session_by_id(&t, 2), ip, 0), 0);
	session_table_del(&t, session_by_id(&t, 2));
	session_table_clear(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_against_array),
	    cmocka_unit_test(test_addresses_are_taken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
