/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_plane_kernel.c: UDP 1701 of the kernel plane over loopback, without ESP:
 * senders with SO_MARK stand for the SAs that would have set the mark. Two
 * clients with one address and port are told apart, what has no mark or a
 * stranger's is dropped, and answers wait for the monitor's socket. In a
 * network namespace of its own; without the right to make one it is skipped.
 * The kernel's tunnels and sessions are shown in the lab.
 */
#include "l2tpd/plane/kernel/kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/peer/mark_net.h"

#define MASK 0xffffu

struct world {
	struct loop *loop;
	struct plane *plane;
	unsigned int heard;
	uint32_t association;
	struct endpoint peer;
	uint8_t data[64];
	size_t len;
	uint32_t wanted[8]; /* marks that the monitor was asked for */
	unsigned int wanted_count;
};

static void
on_l2tp(void *ctx, uint32_t association, const struct endpoint *peer,
    uint16_t peer_port, struct rd data)
{
	struct world *w = ctx;

	assert_int_equal(peer_port, peer->port);
	assert_true(data.left <= sizeof(w->data));
	w->heard++;
	w->association = association;
	w->peer = *peer;
	w->len = data.left;
	memcpy(w->data, data.p, data.left);
}

static void
want_socket(void *ctx, uint32_t mark)
{
	struct world *w = ctx;

	assert_true(w->wanted_count < 8);
	w->wanted[w->wanted_count++] = mark;
}

static int
setup(void **state)
{
	static const struct plane_events events = {.l2tp = on_l2tp};
	struct world *w = calloc(1, sizeof(*w));
	struct plane_kernel_config cfg = {.mark_mask = MASK,
	    .tun_fd = -1,
	    .want_socket = want_socket,
	    .want_ctx = w};

	assert_non_null(w);
	w->loop = loop_new();
	cfg.udp_fd = mark_net_bound("127.0.0.1", 1701, 0);
	w->plane = plane_kernel_new(w->loop, &cfg, &events, w);
	assert_non_null(w->plane);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	plane_free(w->plane);
	loop_free(w->loop);
	free(w);
	return 0;
}

/* Both clients are the same NAT's: 127.0.0.2. */
static void
add(struct world *w, uint32_t association, uint32_t mark)
{
	struct esp_sa_params p = {.association = association, .mark = mark};

	assert_true(endpoint_parse("127.0.0.2", 4500, &p.peer));
	assert_true(endpoint_parse("127.0.0.1", 4500, &p.local));
	p.spi = 0x1000 + association;
	p.inbound = true;
	assert_int_equal(plane_sa_add(w->plane, &p), 0);
	p.spi = 0x2000 + association;
	p.inbound = false;
	assert_int_equal(plane_sa_add(w->plane, &p), 0);
}

static void
send_to_us(uint32_t mark, const char *text)
{
	int fd = mark_net_bound("127.0.0.2", 1701, mark);
	struct sockaddr_storage ss;
	struct endpoint e;
	socklen_t n;

	assert_true(endpoint_parse("127.0.0.1", 1701, &e));
	n = endpoint_to_sockaddr(&e, &ss);
	assert_int_equal(
	    sendto(fd, text, strlen(text), 0, (struct sockaddr *)&ss, n),
	    (ssize_t)strlen(text));
	close(fd);
}

static void
turn(struct world *w)
{
	int i;

	for (i = 0; i < 8; i++)
		loop_run_once(w->loop, false);
}

static void
test_told_apart_by_mark(void **state)
{
	struct world *w = *state;

	add(w, 1, 7);
	add(w, 2, 8);
	send_to_us(7, "from seven");
	turn(w);
	assert_int_equal(w->heard, 1);
	assert_int_equal(w->association, 1);
	assert_memory_equal(w->data, "from seven", 10);
	send_to_us(8 | 0x10000, "from eight"); /* a bit that is not ours */
	turn(w);
	assert_int_equal(w->heard, 2);
	assert_int_equal(w->association, 2);
	assert_int_equal(w->peer.port, 1701);
}

/* Whichever of our sockets the kernel chooses: all that are bound are read. */
static void
test_every_socket_is_read(void **state)
{
	struct world *w = *state;

	add(w, 1, 7);
	plane_kernel_socket(w->plane, 7, mark_net_socket(7));
	plane_kernel_socket(w->plane, 7, mark_net_socket(7));
	send_to_us(7, "after the monitor's sockets came");
	turn(w);
	assert_int_equal(w->heard, 1);
}

static void
test_others_are_dropped(void **state)
{
	struct world *w = *state;
	struct plane_totals t;

	add(w, 1, 7);
	send_to_us(0, "no IPsec");
	send_to_us(9, "nobody's mark");
	turn(w);
	assert_int_equal(w->heard, 0);
	plane_totals(w->plane, &t);
	assert_int_equal(t.drop_unknown_spi, 2);
}

/* What a client's socket has got; "" when nothing. */
static const char *
got(int fd)
{
	static char text[64];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
test_answers_wait_for_their_socket(void **state)
{
	struct world *w = *state;
	int client = mark_net_bound("127.0.0.2", 0, 0);
	struct sockaddr_in sin;
	socklen_t n = sizeof(sin);
	struct rd d = rd_init((const uint8_t *)"answer", 6);
	int i;

	assert_int_equal(getsockname(client, (struct sockaddr *)&sin, &n), 0);
	add(w, 1, 7);
	assert_int_equal(w->wanted_count, 2); /* messages, and a tunnel */
	assert_int_equal(w->wanted[0], 7);
	assert_int_equal(
	    plane_l2tp_send(w->plane, 1, ntohs(sin.sin_port), d), 0);
	assert_string_equal(got(client), "");
	plane_kernel_socket(w->plane, 7, mark_net_socket(7));
	assert_string_equal(got(client), "answer");
	assert_int_equal(
	    plane_l2tp_send(w->plane, 1, ntohs(sin.sin_port), d), 0);
	assert_string_equal(got(client), "answer");
	/* one that nobody wants is closed; a stranger's too */
	for (i = 0; i < 3; i++)
		plane_kernel_socket(w->plane, 7, mark_net_socket(7));
	plane_kernel_socket(w->plane, 9, mark_net_socket(9));
	assert_int_equal(
	    plane_l2tp_send(w->plane, 3, ntohs(sin.sin_port), d), -ENOENT);
	close(client);
}

static void
test_too_much_waits(void **state)
{
	struct world *w = *state;
	struct rd d = rd_init((const uint8_t *)"answer", 6);
	int i, rc = 0;

	add(w, 1, 7);
	for (i = 0; i < 100 && rc == 0; i++)
		rc = plane_l2tp_send(w->plane, 1, 1701, d);
	assert_int_equal(rc, -ENOBUFS);
	assert_true(i < 20);
}

static void
test_marks_out_of_range(void **state)
{
	struct world *w = *state;
	struct esp_sa_params p = {.spi = 1, .association = 1};

	assert_true(endpoint_parse("127.0.0.2", 4500, &p.peer));
	assert_int_equal(plane_sa_add(w->plane, &p), -ERANGE);
	p.mark = MASK + 1;
	assert_int_equal(plane_sa_add(w->plane, &p), -ERANGE);
	p.mark = 7;
	p.inbound = true;
	assert_int_equal(plane_sa_add(w->plane, &p), 0);
	assert_int_equal(plane_sa_add(w->plane, &p), -EEXIST);
	assert_int_equal(plane_sa_del(w->plane, 1, true, &p.peer), 0);
	assert_int_equal(plane_sa_del(w->plane, 1, true, &p.peer), -ENOENT);
	assert_int_equal(plane_sa_add(w->plane, &p), 0);
}

/* charon died and counts from 1 again; what it had before lives on. */
static void
test_two_lives_of_charon(void **state)
{
	struct world *w = *state;
	struct esp_sa_params p = {.spi = 5, .inbound = true, .mark = 7};

	add(w, 1, 7);
	p.association = 2;
	assert_true(endpoint_parse("127.0.0.3", 4500, &p.peer));
	assert_true(endpoint_parse("127.0.0.1", 4500, &p.local));
	assert_int_equal(plane_sa_add(w->plane, &p), 0);
	send_to_us(7, "from 127.0.0.2, of the former life");
	turn(w);
	assert_int_equal(w->association, 1);
	assert_int_equal(plane_sa_del(w->plane, 0x1001, true, &p.peer), 0);
	assert_true(endpoint_parse("127.0.0.2", 4500, &p.peer));
	assert_int_equal(plane_sa_del(w->plane, 0x2001, false, &p.peer), 0);
	send_to_us(7, "nobody else has this mark");
	turn(w);
	assert_int_equal(w->association, 2);
}

static void
test_moved(void **state)
{
	struct world *w = *state;
	int client = mark_net_bound("127.0.0.3", 0, 0);
	struct sockaddr_in sin;
	socklen_t n = sizeof(sin);
	struct rd d = rd_init((const uint8_t *)"answer", 6);
	struct endpoint old, new, local;

	assert_int_equal(getsockname(client, (struct sockaddr *)&sin, &n), 0);
	add(w, 1, 7);
	plane_kernel_socket(w->plane, 7, mark_net_socket(7));
	assert_true(endpoint_parse("127.0.0.2", 4500, &old));
	assert_true(endpoint_parse("127.0.0.3", 1234, &new));
	assert_true(endpoint_parse("127.0.0.1", 4500, &local));
	assert_int_equal(
	    plane_sa_update(w->plane, 0x2001, false, &old, &local, &new, true),
	    0);
	assert_int_equal(
	    plane_l2tp_send(w->plane, 1, ntohs(sin.sin_port), d), 0);
	assert_string_equal(got(client), "answer");
	/* it is found where it is now */
	assert_int_equal(plane_sa_del(w->plane, 0x2001, false, &old), -ENOENT);
	assert_int_equal(plane_sa_del(w->plane, 0x2001, false, &new), 0);
	assert_int_equal(plane_sa_del(w->plane, 0x1001, true, &new), 0);
	assert_int_equal(
	    plane_l2tp_send(w->plane, 1, ntohs(sin.sin_port), d), -ENOENT);
	close(client);
}

static void
test_sessions_need_an_association(void **state)
{
	struct world *w = *state;
	struct plane_session s = {.id = 1, .association = 1};
	struct plane_counters c;

	assert_int_equal(plane_session_add(w->plane, &s), -ENOENT);
	add(w, 1, 7);
	/* the tunnel's socket is not here yet: the client tries again */
	assert_int_equal(plane_session_add(w->plane, &s), -EAGAIN);
	s.uplink = true;
	assert_int_equal(plane_session_add(w->plane, &s), -EINVAL);
	assert_int_equal(plane_session_channel(w->plane, 1), -ENOENT);
	assert_int_equal(plane_session_counters(w->plane, 1, &c), -ENOENT);
	plane_session_del(w->plane, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    CASE(test_told_apart_by_mark),
	    CASE(test_every_socket_is_read),
	    CASE(test_others_are_dropped),
	    CASE(test_answers_wait_for_their_socket),
	    CASE(test_too_much_waits),
	    CASE(test_marks_out_of_range),
	    CASE(test_two_lives_of_charon),
	    CASE(test_moved),
	    CASE(test_sessions_need_an_association),
#undef CASE
	};

	if (!mark_net_enter()) {
		fputs(
		    "skipped: no right to make a network namespace\n", stderr);
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
