/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_plane_sa.c: the user plane and its SAs over time: unknown and early
 * SPIs, replays, moved clients, rekeys, limits, and callbacks that pull the
 * ground away under a batch.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rd.h"
#include "base/wr.h"
#include "l2tpd/plane/user/user.h"
#include "tests/peer/plane_net.h"

static void
unknown_spi_is_told_within_limits(void **state)
{
	struct net f;
	struct plane_totals t;
	uint8_t esp[64] = {0xc0, 1, 2, 3};
	int i;

	(void)state;
	net_start(&f);
	for (i = 0; i < 100; i++)
		net_client_send_raw(&f.c, esp, sizeof(esp));
	net_turn(&f.s);
	assert_int_equal(f.s.unknown.id, 0xc0010203);
	assert_true(f.s.unknown.count >= 5 && f.s.unknown.count <= 25);
	plane_totals(f.s.plane, &t);
	assert_int_equal(t.drop_unknown_spi, 100);
	net_stop(&f);
}

static void
damage_and_replay_are_counted(void **state)
{
	struct net f;
	struct plane_totals t;
	struct esp_counters c;
	uint8_t payload[40] = {6, 165, 6, 165, 0, 40}, esp[NET_BYTES];
	size_t n, i;

	(void)state;
	net_start(&f);
	memcpy(payload + 8, net_hello, NET_HELLO_BYTES);
	n = net_client_seal(&f.c, payload, sizeof(payload), esp);
	for (i = 4; i < n; i++) {
		esp[i] ^= 0x10;
		net_client_send_raw(&f.c, esp, n);
		esp[i] ^= 0x10;
		net_turn(&f.s);
	}
	for (i = 0; i < 3; i++)
		net_client_send_raw(&f.c, esp, n);
	net_turn(&f.s);
	assert_int_equal(f.s.l2tp.count, 1);
	plane_totals(f.s.plane, &t);
	assert_int_equal(t.drop_bad_icv, n - 4);
	assert_int_equal(t.drop_replayed, 2);
	assert_int_equal(
	    plane_sa_counters(f.s.plane, NET_SPI_1, true, &f.c.at, &c), 0);
	assert_int_equal(c.bad_icv, n - 4);
	assert_int_equal(c.replayed, 2);
	assert_int_equal(c.packets, 1);
	net_stop(&f);
}

static void
a_moved_client_is_followed(void **state)
{
	struct net f;
	struct esp_counters c;
	struct endpoint old;
	uint8_t ip[60], got[NET_BYTES], esp[NET_BYTES], late[NET_BYTES];
	uint8_t payload[28] = {6, 165, 6, 165, 0, 28};
	size_t n, n_late;

	(void)state;
	net_start(&f);
	memcpy(payload + 8, net_hello, NET_HELLO_BYTES);
	n_late = net_client_seal(&f.c, payload, sizeof(payload), late);
	n = net_client_seal(&f.c, payload, sizeof(payload), esp);
	net_client_send_raw(&f.c, esp, n);
	net_turn(&f.s);
	assert_int_equal(f.s.moved.count, 0);
	old = f.c.at;
	net_client_move(&f.c);
	/* a replayed, a damaged and a late packet from a new place move
	 * nothing, though the late one is good */
	net_client_send_raw(&f.c, esp, n);
	esp[n - 1] ^= 1;
	net_client_send_raw(&f.c, esp, n);
	net_client_send_raw(&f.c, late, n_late);
	net_turn(&f.s);
	assert_int_equal(f.s.l2tp.count, 2);
	assert_int_equal(f.s.moved.count, 0);
	/* a new one does, at once and once */
	net_ipv4(ip, sizeof(ip), 1, 99, false);
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(f.s.moved.count, 1);
	assert_int_equal(f.s.moved.id, 1);
	assert_true(endpoint_equal(&f.s.moved.peer, &f.c.at));
	net_ipv4(ip, sizeof(ip), 99, 1, false);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_turn(&f.s);
	net_assert_data(got, net_client_receive(&f.c, got), 1, 0x0021, ip, 60);
	/* charon follows later, and still names the old address */
	assert_int_equal(plane_sa_update(f.s.plane, NET_SPI_1 + 1, false, &old,
			     &f.s.at4500, &f.c.at, true),
	    0);
	assert_int_equal(
	    plane_sa_counters(f.s.plane, NET_SPI_1 + 1, false, &old, &c), 0);
	assert_int_equal(c.packets, 1);
	assert_int_equal(
	    plane_sa_del(f.s.plane, NET_SPI_1 + 1, false, &old), 0);
	assert_int_equal(
	    plane_sa_del(f.s.plane, NET_SPI_1 + 1, false, &old), -ENOENT);
	net_stop(&f);
}

static void
early_packets_wait_for_their_sa(void **state)
{
	struct net f;
	struct net_client c;
	struct esp_sa_params in;
	uint8_t ip[60], got[NET_BYTES];
	int i;

	(void)state;
	net_start(&f);
	net_client_start(&c, &f.s, 2, NET_SPI_2);
	net_add_session(&f.s, 2, 2);
	net_open_session(&f.s, 2);
	in = net_sa(&c, NET_SPI_2, true);
	assert_int_equal(plane_sa_del(f.s.plane, NET_SPI_2, true, &c.at), 0);
	plane_spi_expect(f.s.plane, NET_SPI_2, true);
	net_ipv4(ip, sizeof(ip), 2, 99, false);
	for (i = 0; i < 6; i++) {
		ip[59] = (uint8_t)i;
		net_client_send_ip(&c, 102, 202, ip, sizeof(ip));
	}
	net_turn(&f.s);
	assert_int_equal(f.s.unknown.count, 0);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	assert_int_equal(plane_sa_add(f.s.plane, &in), 0);
	net_turn(&f.s);
	for (i = 0; i < 4; i++) { /* four were held, in their order */
		assert_int_equal(net_tun_receive(&f.s, got), 60);
		assert_int_equal(got[59], i);
	}
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	/* too late */
	plane_sa_del(f.s.plane, NET_SPI_2, true, &c.at);
	plane_spi_expect(f.s.plane, NET_SPI_2, true);
	net_client_send_ip(&c, 102, 202, ip, sizeof(ip));
	net_turn(&f.s);
	f.s.now_ms += 2001;
	plane_sa_add(f.s.plane, &in);
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	/* taken back */
	plane_sa_del(f.s.plane, NET_SPI_2, true, &c.at);
	plane_spi_expect(f.s.plane, NET_SPI_2, true);
	net_client_send_ip(&c, 102, 202, ip, sizeof(ip));
	net_turn(&f.s);
	plane_spi_expect(f.s.plane, NET_SPI_2, false);
	plane_sa_add(f.s.plane, &in);
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	net_client_stop(&c);
	net_stop(&f);
}

/* Whoever knows the announced SPIs can send what he likes: it stays little. */
static void
early_packets_are_bounded(void **state)
{
	struct larval *l = larval_new();
	uint8_t data[3000] = {0}, buf[2048];
	struct io_message from = {.data = data};
	struct rx_packet p = {.data = data, .len = 100, .from = &from};
	uint32_t spi;
	unsigned int n = 0, i;

	(void)state;
	assert_non_null(l);
	p.spi = 1;
	assert_false(larval_hold(l, &p, 0));
	for (spi = 1; spi <= 5000; spi++)
		larval_expect(l, spi, true);
	for (spi = 1; spi <= 40; spi++) {
		p.spi = spi;
		p.len = spi == 1 ? sizeof(data) : 100; /* too long */
		for (i = 0; i < 10; i++)
			assert_true(larval_hold(l, &p, 0));
	}
	p.spi = 5000; /* one too many was announced */
	assert_false(larval_hold(l, &p, 0));
	assert_false(larval_ready(l, 1));
	for (spi = 2; spi <= 40; spi++)
		larval_ready(l, spi);
	while (larval_take(l, 1999, &p, &from, buf, sizeof(buf))) {
		assert_int_equal(p.spi, 2 + n / 4);
		n++;
	}
	assert_int_equal(n, 64);
	larval_free(l);
}

static void
rekey_keeps_traffic_flowing(void **state)
{
	struct net f;
	struct net_client renewed;
	uint8_t ip[60], got[NET_BYTES];

	(void)state;
	net_start(&f);
	net_client_start(&renewed, &f.s, 1, NET_SPI_2); /* same association */
	net_ipv4(ip, sizeof(ip), 1, 99, false);
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip)); /* old SA */
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), 60);
	assert_string_equal(plane_cipher_name(f.s.plane, 1), "aes128gcm16");
	net_ipv4(ip, sizeof(ip), 99, 1, false);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_turn(&f.s);
	net_assert_data(
	    got, net_client_receive(&renewed, got), 1, 0x0021, ip, 60);
	/* the new one goes away again: the old one serves */
	assert_int_equal(
	    plane_sa_del(f.s.plane, NET_SPI_2 + 1, false, &renewed.at), 0);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_turn(&f.s);
	net_assert_data(got, net_client_receive(&f.c, got), 1, 0x0021, ip, 60);
	net_client_stop(&renewed);
	net_stop(&f);
}

static void
expired_sas_are_told_once(void **state)
{
	struct net f;
	struct net_client c;
	struct esp_sa_params p;

	(void)state;
	net_start(&f);
	memset(&c, 0, sizeof(c));
	c = f.c;
	c.association = 7;
	p = net_sa(&c, 0xc0000777, true);
	p.limits.hard_time_s = 10;
	assert_int_equal(plane_sa_add(f.s.plane, &p), 0);
	p = net_sa(&c, 0xc0000778, false);
	p.limits.hard_packets = 2;
	assert_int_equal(plane_sa_add(f.s.plane, &p), 0);
	assert_int_equal(plane_l2tp_send(f.s.plane, 7, 1701,
			     rd_init(net_hello, NET_HELLO_BYTES)),
	    0);
	assert_int_equal(plane_l2tp_send(f.s.plane, 7, 1701,
			     rd_init(net_hello, NET_HELLO_BYTES)),
	    0);
	assert_int_equal(plane_l2tp_send(f.s.plane, 7, 1701,
			     rd_init(net_hello, NET_HELLO_BYTES)),
	    -ENOENT);
	assert_int_equal(f.s.expired.count, 0); /* not inside the call */
	net_turn(&f.s);
	assert_int_equal(f.s.expired.count, 1);
	assert_int_equal(f.s.expired.id, 0xc0000778);
	assert_false(f.s.expired.inbound);
	f.s.now_ms += 10000;
	/* any trouble wakes the chores; in service they run every second */
	plane_l2tp_send(
	    f.s.plane, 7, 1701, rd_init(net_hello, NET_HELLO_BYTES));
	net_turn(&f.s);
	assert_int_equal(f.s.expired.count, 2);
	assert_int_equal(f.s.expired.id, 0xc0000777);
	assert_true(f.s.expired.inbound);
	net_stop(&f);
}

static void
mixed_batches(void **state)
{
	struct net f;
	struct net_client other;
	struct plane_totals t;
	uint8_t ip[200], got[NET_BYTES], junk[100] = {0xc0, 9};
	unsigned int i, from_1 = 0, from_2 = 0;

	(void)state;
	net_start(&f);
	net_client_start(&other, &f.s, 2, NET_SPI_2);
	net_add_session(&f.s, 2, 2);
	net_open_session(&f.s, 2);
	for (i = 0; i < 200; i++) {
		net_ipv4(ip, 40 + i % 150, 1 + (i & 1), 99, false);
		ip[29] = (uint8_t)i;
		net_client_send_ip((i & 1) ? &other : &f.c,
		    (uint16_t)(101 + (i & 1)), (uint16_t)(201 + (i & 1)), ip,
		    40 + i % 150);
		if (i % 7 == 0)
			net_client_send_raw(&f.c, junk, 1 + i % 90);
		if (i % 11 == 0)
			net_client_send_raw(
			    &f.c, (const uint8_t *)"\0\0\0\0IKE", 7);
		if (i % 13 == 0)
			net_client_send_l2tp(
			    &other, 1701, net_hello, NET_HELLO_BYTES);
		if (i % 3 == 0) {
			net_ipv4(ip, 60, 99, 1 + (i & 1), true);
			net_tun_send(&f.s, ip, 60);
			net_turn(&f.s);
		}
	}
	net_turn(&f.s);
	/* the socketpair holds a few packets only: count what came through */
	while (net_tun_receive(&f.s, got) > 0) {
		from_1 += got[15] == 1;
		from_2 += got[15] == 2;
	}
	plane_totals(f.s.plane, &t);
	assert_true(from_1 > 0 && from_2 > 0);
	assert_int_equal(from_1 + from_2 + t.tun_write_errors, 200);
	assert_int_equal(f.s.ike.count, 19);
	assert_int_equal(f.s.l2tp.count, 16);
	assert_int_equal(t.tx_packets, 67);
	assert_int_equal(t.drop_bad_icv + t.drop_spoofed + t.drop_replayed, 0);
	net_client_stop(&other);
	net_stop(&f);
}

/* In a callback: delete all that the packet, and the rest of its batch, stands
 * on. */
static void
delete_everything(struct net_server *s, void *arg)
{
	struct net_client *c = arg;

	plane_session_del(s->plane, 1);
	plane_sa_del(s->plane, NET_SPI_1, true, &c->at);
	plane_sa_del(s->plane, NET_SPI_1 + 1, false, &c->at);
	s->hook = NULL;
}

static void
free_the_plane(struct net_server *s, void *arg)
{
	(void)arg;
	plane_free(s->plane);
	s->plane = NULL;
	s->hook = NULL;
}

static void
send_a_bunch(struct net *f)
{
	static const uint8_t lcp[] = {0xff, 3, 0xc0, 0x21, 9, 1, 0, 4};
	uint8_t ip[60];
	int i;

	net_ipv4(ip, sizeof(ip), 1, 99, false);
	for (i = 0; i < 5; i++) {
		net_client_send_ip(&f->c, 101, 201, ip, sizeof(ip));
		net_client_send_frame(&f->c, 101, 201, lcp, sizeof(lcp));
		net_client_send_l2tp(&f->c, 1701, net_hello, NET_HELLO_BYTES);
	}
}

static void
callbacks_may_delete(void **state)
{
	struct net f;
	uint8_t got[NET_BYTES];

	(void)state;
	net_start(&f);
	f.s.hook = delete_everything;
	f.s.hook_arg = &f.c;
	send_a_bunch(&f);
	net_turn(&f.s);
	assert_int_equal(f.s.ppp.count, 1);
	assert_int_equal(net_tun_receive(&f.s, got), 60);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	send_a_bunch(&f);
	net_turn(&f.s);
	assert_true(f.s.unknown.count > 0);
	net_stop(&f);

	net_start(&f);
	f.s.hook = free_the_plane;
	send_a_bunch(&f);
	net_turn(&f.s);
	assert_int_equal(f.s.ppp.count, 1);
	assert_int_equal(f.s.l2tp.count, 0);
	assert_null(f.s.plane);
	net_stop(&f);
	/* the moved callback is another place */
	net_start(&f);
	f.s.hook = free_the_plane;
	net_client_move(&f.c);
	send_a_bunch(&f);
	net_turn(&f.s);
	assert_int_equal(f.s.moved.count, 1);
	assert_int_equal(f.s.ppp.count, 0);
	net_stop(&f);
}

/* The engine answers from inside the callback. */
static void
answer(struct net_server *s, void *arg)
{
	struct net_client *c = arg;
	struct esp_sa_params p = net_sa(c, 0xc0000999, true);

	assert_int_equal(plane_l2tp_send(s->plane, 1, 1701,
			     rd_init(net_hello, NET_HELLO_BYTES)),
	    0);
	p.association = 9;
	assert_int_equal(plane_sa_add(s->plane, &p), 0);
}

static void
callbacks_may_send(void **state)
{
	struct net f;
	uint8_t got[NET_BYTES];
	unsigned int n = 0;

	(void)state;
	net_start(&f);
	f.s.hook = answer;
	f.s.hook_arg = &f.c;
	send_a_bunch(&f);
	net_turn(&f.s);
	while (net_client_receive(&f.c, got) > 0)
		n++;
	assert_int_equal(n, 10);
	assert_int_equal(f.s.l2tp.count, 5);
	assert_int_equal(f.s.ppp.count, 5);
	net_stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unknown_spi_is_told_within_limits),
	    cmocka_unit_test(damage_and_replay_are_counted),
	    cmocka_unit_test(a_moved_client_is_followed),
	    cmocka_unit_test(early_packets_wait_for_their_sa),
	    cmocka_unit_test(early_packets_are_bounded),
	    cmocka_unit_test(rekey_keeps_traffic_flowing),
	    cmocka_unit_test(expired_sas_are_told_once),
	    cmocka_unit_test(mixed_batches),
	    cmocka_unit_test(callbacks_may_delete),
	    cmocka_unit_test(callbacks_may_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
