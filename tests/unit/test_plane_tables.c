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

/* ---- networks, against a plain list ---- */

#define SESSIONS 20

static struct ipv4_networks lists[SESSIONS]; /* of session i + 1 */

static struct user_session *
expected_by_network(struct session_table *t, const uint8_t address[4])
{
	for (uint32_t i = 0; i < SESSIONS; i++)
		for (size_t k = 0; k < lists[i].count; k++)
			if (ipv4_network_contains(&lists[i].at[k], address))
				return session_by_id(t, i + 1);
	return NULL;
}

static struct ipv4_network
draw_network(void)
{
	struct ipv4_network n = {.bits = (uint8_t)(14 + draw(19))};
	uint32_t first =
	    (UINT32_C(0x0a000000) | draw(1 << 20)) & ipv4_mask(n.bits);

	for (int k = 0; k < 4; k++)
		n.net[k] = (uint8_t)(first >> (24 - 8 * k));
	return n;
}

static void
step_networks(struct session_table *t)
{
	uint32_t i = draw(SESSIONS), count = draw(5);
	struct user_session *s = session_by_id(t, i + 1);
	struct ipv4_networks nets = {.count = 0}, got;
	bool taken = false;
	int rc;

	lists[i].count = 0;
	while (nets.count < count)
		nets.at[nets.count++] = draw_network();
	for (uint32_t k = 0; k < SESSIONS; k++)
		taken = taken || ipv4_networks_overlap(&lists[k], &nets);
	rc = session_table_set_networks(t, s, &nets);
	assert_int_equal(rc, taken ? -EEXIST : 0);
	session_table_get_networks(t, s, &got);
	if (taken) {
		assert_int_equal(got.count, 0);
		return;
	}
	lists[i] = nets;
	assert_true(got.count <= nets.count);
	assert_int_equal(got.count > 0, nets.count > 0);
	for (size_t k = 1; k < got.count; k++)
		assert_false(ipv4_network_overlaps(&got.at[k - 1], &got.at[k]));
}

static void
test_networks_against_list(void **state)
{
	struct session_table t = {0};
	struct ipv4_network n;
	uint32_t round, i;

	(void)state;
	for (i = 0; i < SESSIONS; i++) {
		const struct plane_session p = {
		    .id = i + 1, .local_tunnel_id = (uint16_t)i};
		const uint8_t address[4] = {10, 77, 0, (uint8_t)i};

		assert_int_equal(session_table_add(&t, &p), 0);
		assert_int_equal(session_table_open_ipv4(
				     &t, session_by_id(&t, i + 1), address, 0),
		    0);
	}
	for (round = 0; round < 20000; round++) {
		step_networks(&t);
		n = draw_network();
		assert_ptr_equal(session_by_network(&t, n.net),
		    expected_by_network(&t, n.net));
	}
	for (i = 0; i < SESSIONS; i++)
		session_table_del(&t, session_by_id(&t, i + 1));
	assert_null(t.networks.rows);
	session_table_clear(&t);
}

static struct ipv4_networks
one_network(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t bits)
{
	return (struct ipv4_networks){.at = {{{a, b, c, d}, bits}}, .count = 1};
}

static void
test_networks_have_rules(void **state)
{
	const struct plane_session a = {.id = 1, .local_tunnel_id = 1},
				   b = {.id = 2, .local_tunnel_id = 2},
				   up = {.id = 3,
				       .local_tunnel_id = 3,
				       .uplink = true};
	const uint8_t ip_a[4] = {10, 77, 0, 2}, ip_b[4] = {10, 77, 0, 3};
	const uint8_t inside[4] = {10, 1, 2, 3}, beside[4] = {10, 2, 0, 0};
	struct ipv4_networks nets = one_network(10, 1, 0, 0, 16), got;
	struct user_session *s, *other;
	struct session_table t = {0};

	(void)state;
	assert_int_equal(session_table_add(&t, &a), 0);
	assert_int_equal(session_table_add(&t, &b), 0);
	assert_int_equal(session_table_add(&t, &up), 0);
	s = session_by_id(&t, 1);
	other = session_by_id(&t, 2);
	assert_null(session_towards_ipv4(&t, inside));
	/* not before its address is there */
	assert_int_equal(session_table_set_networks(&t, s, &nets), -EINVAL);
	assert_int_equal(session_table_open_ipv4(&t, s, ip_a, 0), 0);
	assert_int_equal(session_table_open_ipv4(&t, other, ip_b, 0), 0);
	assert_int_equal(session_table_set_networks(&t, s, &nets), 0);
	assert_ptr_equal(session_by_network(&t, inside), s);
	assert_null(session_by_network(&t, beside));
	assert_ptr_equal(session_towards_ipv4(&t, inside), s);
	assert_ptr_equal(session_towards_ipv4(&t, ip_b), other);
	/* a part of it, and all of it, are taken */
	nets = one_network(10, 1, 2, 0, 24);
	assert_int_equal(session_table_set_networks(&t, other, &nets), -EEXIST);
	nets = one_network(10, 0, 0, 0, 8);
	assert_int_equal(session_table_set_networks(&t, other, &nets), -EEXIST);
	assert_ptr_equal(session_by_network(&t, inside), s);
	/* an address of its own is stronger than another's network */
	assert_int_equal(session_table_set_networks(&t, s, &nets), 0);
	assert_ptr_equal(session_towards_ipv4(&t, ip_b), other);
	assert_ptr_equal(session_by_network(&t, ip_b), s);
	/* nothing that no host has */
	nets = one_network(0, 0, 0, 0, 0);
	assert_int_equal(session_table_set_networks(&t, s, &nets), -EINVAL);
	assert_null(session_by_network(&t, inside));
	nets = one_network(10, 1, 0, 0, 33);
	assert_int_equal(session_table_set_networks(&t, s, &nets), -EINVAL);
	nets.count = IPV4_NETWORKS_MAX + 1;
	assert_int_equal(session_table_set_networks(&t, s, &nets), -EINVAL);
	assert_null(t.networks.rows);
	/* shut takes them away, then they are free for another */
	nets = one_network(10, 1, 0, 0, 16);
	assert_int_equal(session_table_set_networks(&t, s, &nets), 0);
	session_table_get_networks(&t, s, &got);
	assert_int_equal(got.count, 1);
	assert_memory_equal(&got.at[0], &nets.at[0], sizeof(nets.at[0]));
	session_table_shut(&t, s);
	assert_null(session_by_network(&t, inside));
	session_table_get_networks(&t, s, &got);
	assert_int_equal(got.count, 0);
	assert_int_equal(session_table_set_networks(&t, other, &nets), 0);
	session_table_del(&t, other);
	assert_null(session_by_network(&t, inside));
	/* an uplink has none */
	s = session_by_id(&t, 3);
	assert_int_equal(session_table_open_ipv4(&t, s, ip_a, 0), 0);
	assert_int_equal(session_table_set_networks(&t, s, &nets), -EINVAL);
	session_table_clear(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_against_array),
	    cmocka_unit_test(test_addresses_are_taken_once),
	    cmocka_unit_test(test_networks_against_list),
	    cmocka_unit_test(test_networks_have_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
