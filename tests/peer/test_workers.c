/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_workers.c: the plane of many threads, over loopback; each worker's queue
 * of the TUN device is a socketpair. An SPI's last byte names the worker.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "l2tpd/plane/user/workers.h"
#include "tests/peer/plane_net.h"

#define SPI(worker, n) (0xc0000000u | (n) << 9 | (worker))
#define WORKERS        3

struct world {
	struct net_server s;
	struct net_client c[WORKERS]; /* [i]: of worker i, session 1 + i */
};

/* Until the workers have done what they were told, also what they gave back
 * and others got. */
static void
settle(struct world *w)
{
	struct plane_totals unused;

	plane_totals(w->s.plane, &unused);
	loop_run_once(w->s.loop, false);
	plane_totals(w->s.plane, &unused);
}

static void
start(struct world *w)
{
	uint32_t i;

	net_server_start_workers(&w->s, WORKERS);
	for (i = 0; i < WORKERS; i++) {
		net_client_start(&w->c[i], &w->s, i + 1, SPI(i, 1));
		net_add_session(&w->s, i + 1, i + 1);
		net_open_session(&w->s, i + 1);
	}
	settle(w);
}

static void
stop(struct world *w)
{
	size_t i;

	for (i = 0; i < WORKERS; i++)
		net_client_stop(&w->c[i]);
	net_server_stop(&w->s);
}

/* Until the loop's callbacks counted so many. */
static void
await_event(struct net_server *s, const struct net_event *e, unsigned int n)
{
	while (e->count < n)
		loop_run_once(s->loop, true);
}

/* Until something is there; what goes from worker to worker needs the loop. */
static void
await_fd(struct net_server *s, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (poll(&p, 1, 1) == 0)
		loop_run_once(s->loop, false);
}

static size_t
receive_tun(struct world *w, size_t worker, uint8_t ret[NET_BYTES])
{
	ssize_t n;

	await_fd(&w->s, w->s.tuns[worker]);
	n = read(w->s.tuns[worker], ret, NET_BYTES);
	assert_true(n > 0);
	return (size_t)n;
}

static size_t
receive_client(struct world *w, struct net_client *c, uint8_t ret[NET_BYTES])
{
	size_t n;

	do {
		await_fd(&w->s, c->fd);
		n = net_client_receive(c, ret);
	} while (n == 0); /* a fence of before */
	return n;
}

static void
assert_up(struct world *w, struct net_client *c, uint8_t id, size_t worker,
    size_t bytes)
{
	uint8_t ip[1400], got[NET_BYTES];

	net_ipv4(ip, bytes, id, 99, false);
	net_client_send_ip(
	    c, (uint16_t)(100 + id), (uint16_t)(200 + id), ip, bytes);
	assert_int_equal(receive_tun(w, worker, got), bytes);
	assert_memory_equal(got, ip, bytes);
}

static void
assert_down(struct world *w, struct net_client *c, uint8_t id, size_t queue,
    size_t bytes)
{
	uint8_t ip[1400], got[NET_BYTES];
	size_t n;

	net_ipv4(ip, bytes, 99, id, false);
	assert_int_equal(write(w->s.tuns[queue], ip, bytes), bytes);
	n = receive_client(w, c, got);
	net_assert_data(got, n, id, 0x0021, ip, bytes);
}

static void
each_at_its_worker(void **state)
{
	struct plane_counters c;
	struct plane_totals t;
	struct world w;
	uint8_t i;

	(void)state;
	start(&w);
	for (i = 0; i < WORKERS; i++) {
		assert_up(&w, &w.c[i], i + 1, i, 100);
		assert_down(&w, &w.c[i], i + 1, i, 200);
		assert_int_equal(
		    plane_session_counters(w.s.plane, i + 1, &c), 0);
		assert_int_equal(c.packets_in, 1);
		assert_int_equal(c.packets_out, 1);
		assert_int_equal(c.bytes_out, 200);
	}
	plane_totals(w.s.plane, &t);
	assert_int_equal(t.rx_packets, WORKERS);
	assert_int_equal(t.tx_packets, WORKERS);
	assert_non_null(t.crypto);
	assert_int_equal(t.workers, WORKERS);
	stop(&w);
}

static void
questions_go_to_the_engine(void **state)
{
	uint8_t ip[60];
	struct world w;
	uint8_t i;

	(void)state;
	start(&w);
	for (i = 0; i < WORKERS; i++) {
		net_ipv4(ip, sizeof(ip), i + 1, 254, false);
		ip[22] = 0;
		ip[23] = 67;
		net_client_send_ip(&w.c[i], (uint16_t)(101 + i),
		    (uint16_t)(201 + i), ip, sizeof(ip));
		await_event(&w.s, &w.s.service, i + 1u);
		assert_int_equal(w.s.service.id, i + 1);
		assert_int_equal(w.s.service.len, sizeof(ip));
		assert_memory_equal(w.s.service.data, ip, sizeof(ip));
	}
	stop(&w);
}

/* The kernel cannot always know the queue. */
static void
from_any_queue(void **state)
{
	struct world w;
	size_t queue;
	uint8_t i;

	(void)state;
	start(&w);
	for (i = 0; i < WORKERS; i++)
		for (queue = 0; queue < WORKERS; queue++)
			assert_down(&w, &w.c[i], i + 1, queue, 300);
	stop(&w);
}

static void
assert_up_from(struct world *w, struct net_client *c, uint8_t id, uint8_t src,
    size_t worker)
{
	uint8_t ip[100], got[NET_BYTES];

	net_ipv4(ip, sizeof(ip), src, 99, false);
	net_client_send_ip(
	    c, (uint16_t)(100 + id), (uint16_t)(200 + id), ip, sizeof(ip));
	assert_int_equal(receive_tun(w, worker, got), sizeof(ip));
	assert_memory_equal(got, ip, sizeof(ip));
}

static void
assert_down_to(struct world *w, struct net_client *c, uint8_t id, uint8_t dst,
    size_t queue)
{
	uint8_t ip[100], got[NET_BYTES];
	size_t n;

	net_ipv4(ip, sizeof(ip), 99, dst, false);
	assert_int_equal(write(w->s.tuns[queue], ip, sizeof(ip)), sizeof(ip));
	n = receive_client(w, c, got);
	net_assert_data(got, n, id, 0x0021, ip, sizeof(ip));
}

static void rekey(struct world *w, struct net_client *c, uint32_t spi);

/* 10.0.0.128/26 is behind the second client, whatever worker serves it. */
static void
networks_behind_a_session(void **state)
{
	static const struct ipv4_networks nets = {.at = {{{10, 0, 0, 128}, 26}},
					      .count = 1},
					  inner = {
					      .at = {{{10, 0, 0, 160}, 27}},
					      .count = 1};
	struct plane_counters counters;
	struct plane_totals t;
	uint8_t ip[100];
	struct world w;
	size_t queue;

	(void)state;
	start(&w);
	assert_int_equal(plane_session_routes(w.s.plane, 99, &nets), -ENOENT);
	assert_int_equal(plane_session_routes(w.s.plane, 2, &nets), 0);
	assert_int_equal(plane_session_routes(w.s.plane, 1, &inner), -EEXIST);
	settle(&w);
	assert_up_from(&w, &w.c[1], 2, 150, 1);
	assert_up(&w, &w.c[1], 2, 1, 100);
	for (queue = 0; queue < WORKERS; queue++)
		assert_down_to(&w, &w.c[1], 2, 191, queue);
	/* not the first client's */
	net_ipv4(ip, sizeof(ip), 150, 99, false);
	net_client_send_ip(&w.c[0], 101, 201, ip, sizeof(ip));
	assert_up(&w, &w.c[0], 1, 0, 100);
	assert_int_equal(plane_session_counters(w.s.plane, 1, &counters), 0);
	assert_int_equal(counters.spoofed, 1);
	/* they go with it to another worker */
	rekey(&w, &w.c[1], SPI(2, 5));
	settle(&w);
	assert_up_from(&w, &w.c[1], 2, 150, 2);
	for (queue = 0; queue < WORKERS; queue++)
		assert_down_to(&w, &w.c[1], 2, 128, queue);
	/* and end with it */
	plane_session_shut(w.s.plane, 2);
	net_ipv4(ip, sizeof(ip), 99, 150, false);
	assert_int_equal(write(w.s.tuns[1], ip, sizeof(ip)), sizeof(ip));
	do {
		loop_run_once(w.s.loop, false);
		plane_totals(w.s.plane, &t);
	} while (t.drop_no_route == 0);
	assert_int_equal(plane_session_routes(w.s.plane, 1, &inner), 0);
	assert_down_to(&w, &w.c[0], 1, 170, 2);
	stop(&w);
}

static void
control_and_frames(void **state)
{
	const uint8_t frame[] = {0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4};
	uint8_t got[NET_BYTES];
	struct world w;
	size_t n, i;

	(void)state;
	start(&w);
	for (i = 0; i < WORKERS; i++) {
		net_client_send_l2tp(
		    &w.c[i], 49152, net_hello, NET_HELLO_BYTES);
		await_event(&w.s, &w.s.l2tp, (unsigned int)i + 1);
		assert_int_equal(w.s.l2tp.id, i + 1);
		assert_int_equal(w.s.l2tp.port, 49152);
		assert_true(endpoint_equal(&w.s.l2tp.peer, &w.c[i].at));
		assert_memory_equal(w.s.l2tp.data, net_hello, NET_HELLO_BYTES);
		net_client_send_frame(&w.c[i], (uint16_t)(101 + i),
		    (uint16_t)(201 + i), frame, sizeof(frame));
		await_event(&w.s, &w.s.ppp, (unsigned int)i + 1);
		assert_int_equal(w.s.ppp.id, i + 1);
		assert_memory_equal(w.s.ppp.data, frame, sizeof(frame));
		assert_int_equal(plane_l2tp_send(w.s.plane, (uint32_t)i + 1,
				     1701, rd_init(net_hello, NET_HELLO_BYTES)),
		    0);
		n = receive_client(&w, &w.c[i], got);
		assert_int_equal(n, 8 + NET_HELLO_BYTES);
		assert_int_equal(plane_ppp_send(w.s.plane, (uint32_t)i + 1,
				     rd_init(frame, sizeof(frame))),
		    0);
		n = receive_client(&w, &w.c[i], got);
		net_assert_data(got, n, (uint32_t)i + 1, 0xc021, frame + 4,
		    sizeof(frame) - 4);
	}
	stop(&w);
}

static void
errors_are_told(void **state)
{
	const struct plane_session taken = {.id = 1, .association = 1};
	const uint8_t address[4] = {10, 0, 0, 2};
	struct plane_counters counters;
	struct esp_counters sa_counters;
	struct esp_sa_params p;
	struct plane *plane;
	struct world w;

	(void)state;
	start(&w);
	plane = w.s.plane;
	p = net_sa(&w.c[0], SPI(1, 1) + 1, false);
	p.peer = w.c[1].at; /* the second client's */
	assert_int_equal(plane_sa_add(plane, &p), -EEXIST);
	p.enc_key_bytes = 5;
	p.spi = SPI(0, 7);
	assert_int_equal(plane_sa_add(plane, &p), -EINVAL);
	assert_int_equal(plane_sa_del(plane, 77, true, NULL), -ENOENT);
	assert_int_equal(
	    plane_sa_counters(plane, 77, true, NULL, &sa_counters), -ENOENT);
	assert_int_equal(plane_session_add(plane, &taken), -EEXIST);
	assert_int_equal(
	    plane_session_open_ipv4(plane, 1, address, 1400), -EEXIST);
	assert_int_equal(
	    plane_session_open_ipv4(plane, 99, address, 1400), -ENOENT);
	assert_int_equal(plane_session_counters(plane, 99, &counters), -ENOENT);
	assert_int_equal(plane_session_rebind(plane, 99, 1, 1701), -ENOENT);
	assert_int_equal(
	    plane_l2tp_send(plane, 99, 1701, rd_init(address, 4)), -ENOENT);
	assert_int_equal(
	    plane_ppp_send(plane, 99, rd_init(address, 4)), -ENOENT);
	assert_string_equal(plane_cipher_name(plane, 1), "aes256-sha1");
	assert_string_equal(plane_cipher_name(plane, 99), "-");
	stop(&w);
}

/* A second pair of SAs of the first client, that comes to another worker. */
static void
rekey(struct world *w, struct net_client *c, uint32_t spi)
{
	struct esp_sa_params p = net_sa(c, spi, true);

	assert_int_equal(plane_sa_add(w->s.plane, &p), 0);
	p.inbound = false;
	assert_int_equal(esp_sa_add(c->sas, &p, 0, &c->out), 0);
	p = net_sa(c, spi + 1, false);
	assert_int_equal(plane_sa_add(w->s.plane, &p), 0);
	p.inbound = true;
	assert_int_equal(esp_sa_add(c->sas, &p, 0, &c->in), 0);
}

static void
a_rekey_changes_the_worker(void **state)
{
	struct net_client *c;
	struct plane_counters counters;
	struct esp_sa *old;
	struct world w;

	(void)state;
	start(&w);
	c = &w.c[0];
	assert_up(&w, c, 1, 0, 100);
	old = c->out;
	rekey(&w, c, SPI(2, 5));
	settle(&w);
	/* what is still on the way with the old one goes on with the new
	 * worker, as does the rest */
	c->out = old;
	assert_up(&w, c, 1, 2, 101);
	c->out = esp_sa_find_outbound(c->sas, SPI(2, 5), NULL);
	assert_non_null(c->out);
	assert_up(&w, c, 1, 2, 102);
	assert_down(&w, c, 1, 2, 103);
	assert_down(&w, c, 1, 0, 104);
	assert_int_equal(plane_session_counters(w.s.plane, 1, &counters), 0);
	assert_int_equal(counters.packets_in, 3);
	assert_int_equal(counters.packets_out, 2);
	/* the old ones go */
	assert_int_equal(plane_sa_del(w.s.plane, SPI(0, 1), true, &c->at), 0);
	assert_int_equal(
	    plane_sa_del(w.s.plane, SPI(0, 1) + 1, false, &c->at), 0);
	assert_up(&w, c, 1, 2, 105);
	assert_down(&w, c, 1, 2, 106);
	stop(&w);
}

/* All goes while it is on its way to another worker. */
static void
deleted_while_it_moves(void **state)
{
	struct plane_counters counters;
	struct net_client *c;
	struct world w;

	(void)state;
	start(&w);
	c = &w.c[0];
	rekey(&w, c, SPI(1, 6));
	assert_int_equal(
	    plane_sa_del(w.s.plane, SPI(0, 1) + 1, false, &c->at), 0);
	plane_session_del(w.s.plane, 1);
	assert_int_equal(
	    plane_session_counters(w.s.plane, 1, &counters), -ENOENT);
	/* a new one with the same ids meets nothing of it */
	net_add_session(&w.s, 1, 1);
	net_open_session(&w.s, 1);
	settle(&w);
	assert_up(&w, c, 1, 1, 100);
	assert_down(&w, c, 1, 1, 100);
	rekey(&w, c, SPI(2, 7)); /* and the plane goes in the middle of it */
	stop(&w);
}

/* The client came back with a new association, at another worker. */
static void
a_session_is_rebound(void **state)
{
	struct net_client again;
	struct world w;

	(void)state;
	start(&w);
	net_client_start(&again, &w.s, 44, SPI(2, 9));
	assert_int_equal(plane_session_rebind(w.s.plane, 1, 44, 1701), 0);
	settle(&w);
	assert_up(&w, &again, 1, 2, 100);
	assert_down(&w, &again, 1, 2, 100);
	assert_down(&w, &again, 1, 1, 100);
	net_client_stop(&again);
	stop(&w);
}

static void
a_client_moves(void **state)
{
	struct plane_counters counters;
	struct world w;

	(void)state;
	start(&w);
	net_client_move(&w.c[1]);
	assert_up(&w, &w.c[1], 2, 1, 100);
	await_event(&w.s, &w.s.moved, 1);
	assert_int_equal(w.s.moved.id, 2);
	assert_true(endpoint_equal(&w.s.moved.peer, &w.c[1].at));
	assert_down(&w, &w.c[1], 2, 1, 100);
	/* by its new address it is found */
	assert_int_equal(
	    plane_sa_del(w.s.plane, SPI(1, 1) + 1, false, &w.c[1].at), 0);
	assert_int_equal(plane_session_counters(w.s.plane, 2, &counters), 0);
	stop(&w);
}

static void
early_packets_are_held(void **state)
{
	uint8_t ip[100], got[NET_BYTES];
	struct net_client late;
	struct esp_sa_params p;
	struct world w;

	(void)state;
	start(&w);
	net_client_start(&late, &w.s, 9, SPI(1, 11));
	assert_int_equal(
	    plane_sa_del(w.s.plane, SPI(1, 11), true, &late.at), 0);
	plane_spi_expect(w.s.plane, SPI(1, 11), true);
	net_add_session(&w.s, 9, 9);
	net_open_session(&w.s, 9);
	settle(&w);
	net_ipv4(ip, sizeof(ip), 9, 99, false);
	net_client_send_ip(&late, 109, 209, ip, sizeof(ip));
	settle(&w);
	p = net_sa(&late, SPI(1, 11), true);
	assert_int_equal(plane_sa_add(w.s.plane, &p), 0);
	assert_int_equal(receive_tun(&w, 1, got), sizeof(ip));
	assert_memory_equal(got, ip, sizeof(ip));
	net_client_stop(&late);
	stop(&w);
}

static void
free_plane(struct net_server *s, void *arg)
{
	(void)arg;
	if (s->plane != NULL)
		plane_free(s->plane);
	s->plane = NULL;
}

static void
freed_in_a_callback(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	w.s.hook = free_plane;
	net_client_send_l2tp(&w.c[2], 1701, net_hello, NET_HELLO_BYTES);
	net_client_send_l2tp(&w.c[2], 1701, net_hello, NET_HELLO_BYTES);
	await_event(&w.s, &w.s.l2tp, 1);
	loop_run_once(w.s.loop, false);
	assert_int_equal(w.s.l2tp.count, 1);
	stop(&w);
}

/* Sessions come and go, SAs change workers, while another client's packets run
 * in order and none is lost. */
static void
others_come_and_go(void **state)
{
	uint8_t ip[100], got[NET_BYTES];
	struct net_client guest;
	struct world w;
	uint32_t i;

	(void)state;
	start(&w);
	for (i = 0; i < 300; i++) {
		net_client_start(&guest, &w.s, 50, SPI(i % WORKERS, 20 + i));
		net_add_session(&w.s, 50, 50);
		net_open_session(&w.s, 50);
		net_ipv4(ip, sizeof(ip), 1, 99, false);
		ip[99] = (uint8_t)i;
		net_client_send_ip(&w.c[0], 101, 201, ip, sizeof(ip));
		rekey(&w, &guest, SPI((i + 1) % WORKERS, 1000 + i));
		if (i % 2)
			loop_run_once(w.s.loop, false);
		plane_session_del(w.s.plane, 50);
		plane_sa_del(
		    w.s.plane, SPI(i % WORKERS, 20 + i), true, &guest.at);
		plane_sa_del(
		    w.s.plane, SPI(i % WORKERS, 20 + i) + 1, false, &guest.at);
		plane_sa_del(w.s.plane, SPI((i + 1) % WORKERS, 1000 + i), true,
		    &guest.at);
		plane_sa_del(w.s.plane, SPI((i + 1) % WORKERS, 1000 + i) + 1,
		    false, &guest.at);
		assert_int_equal(receive_tun(&w, 0, got), sizeof(ip));
		assert_int_equal(got[99], (uint8_t)i);
		net_client_stop(&guest);
	}
	stop(&w);
}

/* What it was given is its own, also when nothing comes of it. */
static void
closed_on_failure(void **state)
{
	const struct steer_maps maps = {-1, -1};
	const struct plane_events none = {NULL};
	struct plane_config cfg[2];
	struct loop *loop = loop_new();
	int pair[2], no_socket[2], i;

	(void)state;
	assert_non_null(loop);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	for (i = 0; i < 2; i++)
		cfg[i] = (struct plane_config){.udp500_fd = -1,
		    .udp4500_fd = -1,
		    .esp_fd = -1,
		    .tun_fd = pair[i],
		    .inner_mtu = 1400,
		    .outer_mtu = 1500};
	assert_int_equal(pipe(no_socket), 0); /* already the first one fails */
	cfg[0].esp_fd = no_socket[0];
	assert_null(plane_workers_new(loop, cfg, 2, &maps, &none, NULL));
	assert_int_equal(errno, ENOTSOCK);
	for (i = 0; i < 2; i++)
		assert_int_equal(fcntl(pair[i], F_GETFD), -1);
	close(no_socket[1]);
	loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_at_its_worker),
	    cmocka_unit_test(questions_go_to_the_engine),
	    cmocka_unit_test(from_any_queue),
	    cmocka_unit_test(networks_behind_a_session),
	    cmocka_unit_test(control_and_frames),
	    cmocka_unit_test(errors_are_told),
	    cmocka_unit_test(a_rekey_changes_the_worker),
	    cmocka_unit_test(deleted_while_it_moves),
	    cmocka_unit_test(a_session_is_rebound),
	    cmocka_unit_test(a_client_moves),
	    cmocka_unit_test(early_packets_are_held),
	    cmocka_unit_test(freed_in_a_callback),
	    cmocka_unit_test(others_come_and_go),
	    cmocka_unit_test(closed_on_failure),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
