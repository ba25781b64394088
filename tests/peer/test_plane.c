/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_plane.c: the user plane against clients over loopback: control and data
 * both ways, and all that a hostile or unlucky client may send.
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
#include "tests/peer/plane_net.h"

static void
control_both_ways(void **state)
{
	struct net f;
	uint8_t got[NET_BYTES];
	size_t n;

	(void)state;
	net_start(&f);
	net_client_send_l2tp(&f.c, 49152, net_hello, NET_HELLO_BYTES);
	net_turn(&f.s);
	assert_int_equal(f.s.l2tp.count, 1);
	assert_int_equal(f.s.l2tp.id, 1);
	assert_int_equal(f.s.l2tp.port, 49152);
	assert_true(endpoint_equal(&f.s.l2tp.peer, &f.c.at));
	assert_int_equal(f.s.l2tp.len, NET_HELLO_BYTES);
	assert_memory_equal(f.s.l2tp.data, net_hello, NET_HELLO_BYTES);

	assert_int_equal(plane_l2tp_send(f.s.plane, 1, 49152,
			     rd_init(net_hello, NET_HELLO_BYTES)),
	    0);
	n = net_client_receive(&f.c, got);
	assert_int_equal(n, 8 + NET_HELLO_BYTES);
	assert_memory_equal(got, "\x06\xa5\xc0\x00\x00\x1c\x00\x00", 8);
	assert_memory_equal(got + 8, net_hello, NET_HELLO_BYTES);
	assert_int_equal(plane_l2tp_send(f.s.plane, 99, 1701,
			     rd_init(net_hello, NET_HELLO_BYTES)),
	    -ENOENT);
	assert_string_equal(plane_cipher_name(f.s.plane, 1), "aes256-sha1");
	assert_string_equal(plane_cipher_name(f.s.plane, 2), "-");
	net_stop(&f);
}

static void
data_both_ways(void **state)
{
	struct net f;
	struct plane_counters c;
	struct plane_totals t;
	uint8_t ip[1400], got[NET_BYTES];
	size_t n;

	(void)state;
	net_start(&f);
	f.s.now_ms = 5000;
	for (n = 28; n <= sizeof(ip); n += 343) {
		net_ipv4(ip, n, 1, 99, false);
		net_client_send_ip(&f.c, 101, 201, ip, n);
		net_turn(&f.s);
		assert_int_equal(net_tun_receive(&f.s, got), n);
		assert_memory_equal(got, ip, n);
		net_ipv4(ip, n, 99, 1, true);
		net_tun_send(&f.s, ip, n);
		net_turn(&f.s);
		net_assert_data(
		    got, net_client_receive(&f.c, got), 1, 0x0021, ip, n);
	}
	assert_int_equal(plane_session_counters(f.s.plane, 1, &c), 0);
	assert_int_equal(c.packets_in, 5);
	assert_int_equal(c.packets_out, 5);
	assert_int_equal(c.bytes_in, 5 * 28 + 343 * 10);
	assert_int_equal(c.bytes_out, c.bytes_in);
	assert_int_equal(c.last_in_ms, 5000);
	assert_int_equal(c.spoofed, 0);
	plane_totals(f.s.plane, &t);
	assert_int_equal(t.rx_packets, 5);
	assert_int_equal(t.tx_packets, 5);
	assert_int_equal(f.s.ppp.count + f.s.l2tp.count, 0);
	net_stop(&f);
}

/* Read many at a time, between larger ones that are not. */
static void
a_burst_keeps_its_order(void **state)
{
	uint8_t ip[1300], got[NET_BYTES];
	const size_t rounds = 4, burst = 60;
	size_t round, i, n, bytes;
	struct net f;

	(void)state;
	net_start(&f);
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < burst; i++) {
			bytes = i == burst / 2 ? sizeof(ip) : 60;
			net_ipv4(ip, bytes, 99, 1, false);
			ip[40] = (uint8_t)i;
			net_tun_send(&f.s, ip, bytes);
		}
		net_turn(&f.s);
		for (i = 0; i < burst; i++) {
			n = net_client_receive(&f.c, got);
			bytes = i == burst / 2 ? sizeof(ip) : 60;
			assert_int_equal(n, 18 + bytes);
			assert_int_equal(got[18 + 40], i);
		}
		assert_int_equal(net_client_receive(&f.c, got), 0);
	}
	net_stop(&f);
}

static void
ipv6_both_ways(void **state)
{
	struct net f;
	struct plane_counters c;
	uint8_t ip[600], got[NET_BYTES];

	(void)state;
	net_start(&f);
	net_ipv6(ip, sizeof(ip), 1, 99);
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), sizeof(ip));
	net_ipv6(ip, sizeof(ip), 99, 1);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_turn(&f.s);
	net_assert_data(
	    got, net_client_receive(&f.c, got), 1, 0x0057, ip, sizeof(ip));
	/* link-local with the right interface identifier */
	net_ipv6(ip, sizeof(ip), 1, 99);
	memcpy(ip + 8, "\xfe\x80\0\0\0\0\0\0\2\0\0\0\0\0\0\1", 16);
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	/* another one, and another client's prefix */
	ip[8 + 15] = 2;
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	net_ipv6(ip, sizeof(ip), 2, 99);
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), sizeof(ip));
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	plane_session_counters(f.s.plane, 1, &c);
	assert_int_equal(c.spoofed, 2);
	assert_int_equal(c.packets_in, 2);
	net_stop(&f);
}

/* A UDP packet of session 1 to 10.0.0.dst, 255: to all. */
static void
send_to_port(struct net *f, uint8_t src, uint8_t dst, uint8_t port)
{
	uint8_t ip[60];

	net_ipv4(ip, sizeof(ip), src, dst, false);
	if (dst == 255)
		memset(ip + 16, 255, 4);
	ip[22] = 0;
	ip[23] = port;
	net_client_send_ip(&f->c, 101, 201, ip, sizeof(ip));
	net_turn(&f->s);
}

/* A solicitation of session 1, to a link-local address. */
static void
solicit(struct net *f, const char *src, uint8_t type)
{
	uint8_t ip[64];

	net_ipv6(ip, sizeof(ip), 1, 99);
	ip[6] = 58;
	memcpy(ip + 8, src, 16);
	memcpy(ip + 24, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	ip[40] = type;
	net_client_send_ip(&f->c, 101, 201, ip, sizeof(ip));
	net_turn(&f->s);
}

static void
solicitations_go_to_the_engine(void **state)
{
	static const char own[] = "\xfe\x80\0\0\0\0\0\0\2\0\0\0\0\0\0\1";
	static const char foreign[] = "\xfe\x80\0\0\0\0\0\0\2\0\0\0\0\0\0\2";
	static const char none[16];
	struct net f;
	struct plane_counters c;
	uint8_t got[NET_BYTES];

	(void)state;
	net_start(&f);
	solicit(&f, own, 133);
	assert_int_equal(f.s.service.count, 1);
	assert_int_equal(f.s.service.data[0], 0x60);
	solicit(&f, own, 135);
	solicit(&f, none, 135); /* is the address free? */
	assert_int_equal(f.s.service.count, 3);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	solicit(&f, foreign, 133);
	assert_int_equal(f.s.service.count, 3);
	solicit(&f, none, 128); /* but no ping */
	solicit(&f, own, 128);
	assert_int_equal(f.s.service.count, 3);
	assert_int_equal(net_tun_receive(&f.s, got), 64);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	plane_session_counters(f.s.plane, 1, &c);
	assert_int_equal(c.spoofed, 2);
	net_stop(&f);
}

/* DHCP is the engine's affair and never reaches the network. */
static void
questions_go_to_the_engine(void **state)
{
	struct net f;
	struct plane_counters c;
	uint8_t got[NET_BYTES];
	unsigned int i;

	(void)state;
	net_start(&f);
	send_to_port(&f, 1, 255, 67);
	assert_int_equal(f.s.service.count, 1);
	assert_int_equal(f.s.service.id, 1);
	assert_int_equal(f.s.service.len, 60);
	assert_int_equal(f.s.service.data[0], 0x45);
	send_to_port(&f, 1, 254, 67); /* the gateway */
	assert_int_equal(f.s.service.count, 2);
	send_to_port(&f, 2, 255, 67); /* spoofed */
	assert_int_equal(f.s.service.count, 2);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	/* others have a DHCP port, too, and the gateway has others */
	send_to_port(&f, 1, 99, 67);
	send_to_port(&f, 1, 254, 53);
	send_to_port(&f, 1, 255, 68);
	assert_int_equal(f.s.service.count, 2);
	for (i = 0; i < 3; i++)
		assert_int_equal(net_tun_receive(&f.s, got), 60);
	/* a flood is lost, but a little */
	for (i = 0; i < 50; i++)
		send_to_port(&f, 1, 255, 67);
	assert_int_equal(f.s.service.count, 10);
	f.s.now_ms += 1000;
	for (i = 0; i < 50; i++)
		send_to_port(&f, 1, 255, 67);
	assert_int_equal(f.s.service.count, 13);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	plane_session_counters(f.s.plane, 1, &c);
	assert_int_equal(c.spoofed, 1);
	net_stop(&f);
}

static void
frames_with_and_without_compression(void **state)
{
	static const struct {
		const char *head;
		size_t n;
	} heads[] = {{"\xff\x03\x00\x21", 4}, {"\xff\x03\x21", 3},
	    {"\x00\x21", 2}, {"\x21", 1}};
	struct net f;
	uint8_t frame[104], got[NET_BYTES];
	size_t i;

	(void)state;
	net_start(&f);
	for (i = 0; i < 4; i++) {
		memcpy(frame, heads[i].head, heads[i].n);
		net_ipv4(frame + heads[i].n, 100, 1, 2, false);
		net_client_send_frame(&f.c, 101, 201, frame, heads[i].n + 100);
		net_turn(&f.s);
		assert_int_equal(net_tun_receive(&f.s, got), 100);
		assert_memory_equal(got, frame + heads[i].n, 100);
	}
	net_stop(&f);
}

static void
ppp_frames_go_to_the_engine(void **state)
{
	static const uint8_t lcp[] = {
	    0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4};
	struct net f;
	uint8_t ip[60], got[NET_BYTES];
	size_t n;

	(void)state;
	net_start(&f);
	net_client_send_frame(&f.c, 101, 201, lcp, sizeof(lcp));
	net_turn(&f.s);
	assert_int_equal(f.s.ppp.count, 1);
	assert_int_equal(f.s.ppp.id, 1);
	assert_int_equal(f.s.ppp.len, sizeof(lcp));
	assert_memory_equal(f.s.ppp.data, lcp, sizeof(lcp));
	assert_int_equal(
	    plane_ppp_send(f.s.plane, 1, rd_init(lcp, sizeof(lcp))), 0);
	n = net_client_receive(&f.c, got);
	assert_int_equal(n, 8 + 6 + sizeof(lcp));
	assert_memory_equal(got + 14, lcp, sizeof(lcp));
	assert_int_equal(
	    plane_ppp_send(f.s.plane, 9, rd_init(lcp, sizeof(lcp))), -ENOENT);
	/* shut: IP goes nowhere but to the engine */
	plane_session_shut(f.s.plane, 1);
	net_ipv4(ip, sizeof(ip), 1, 2, false);
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(f.s.ppp.count, 2);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	net_ipv4(ip, sizeof(ip), 2, 1, false);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(net_client_receive(&f.c, got), 0);
	/* empty frame, empty L2TP payload */
	net_client_send_frame(&f.c, 101, 201, lcp, 0);
	net_turn(&f.s);
	assert_int_equal(f.s.ppp.count, 3);
	assert_int_equal(f.s.ppp.len, 0);
	net_stop(&f);
}

/* We are the client: whatever TUN gives goes to the server, which may send from
 * anywhere but from our own address; one uplink at a time. */
static void
uplink_takes_everything(void **state)
{
	const struct plane_session up = {.id = 7,
	    .association = 1,
	    .local_tunnel_id = 107,
	    .local_session_id = 207,
	    .peer_tunnel_id = 307,
	    .peer_session_id = 407,
	    .peer_port = 1701,
	    .uplink = true};
	const uint8_t ours[4] = {10, 0, 0, 7}, other[4] = {10, 0, 0, 8};
	struct plane_session second = up;
	struct plane_counters c;
	uint8_t ip[100], got[NET_BYTES];
	struct net f;

	(void)state;
	net_start(&f);
	plane_session_del(f.s.plane, 1);
	assert_int_equal(plane_session_add(f.s.plane, &up), 0);
	net_ipv4(ip, sizeof(ip), 7, 200, false);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(net_client_receive(&f.c, got), 0); /* not open */
	assert_int_equal(plane_session_open_ipv4(f.s.plane, 7, ours, 1400), 0);
	for (uint8_t dst = 1; dst < 250; dst = (uint8_t)(dst + 50)) {
		net_ipv4(ip, sizeof(ip), 7, dst, false);
		net_tun_send(&f.s, ip, sizeof(ip));
		net_turn(&f.s);
		assert_int_not_equal(net_client_receive(&f.c, got), 0);
		net_ipv4(ip, sizeof(ip), dst, 7, false);
		net_client_send_ip(&f.c, 107, 207, ip, sizeof(ip));
		net_turn(&f.s);
		assert_int_equal(net_tun_receive(&f.s, got), sizeof(ip));
	}
	net_ipv4(ip, sizeof(ip), 7, 200, false);
	net_client_send_ip(&f.c, 107, 207, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	assert_int_equal(plane_session_counters(f.s.plane, 7, &c), 0);
	assert_int_equal(c.spoofed, 1);
	second.id = 8;
	second.local_session_id = 208;
	assert_int_equal(plane_session_add(f.s.plane, &second), 0);
	assert_int_equal(
	    plane_session_open_ipv4(f.s.plane, 8, other, 1400), -EEXIST);
	plane_session_shut(f.s.plane, 7);
	assert_int_equal(plane_session_open_ipv4(f.s.plane, 8, other, 1400), 0);
	plane_session_del(f.s.plane, 8);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_turn(&f.s); /* nobody is there: dropped */
	assert_int_equal(net_client_receive(&f.c, got), 0);
	net_stop(&f);
}

static void
spoofed_sources_are_dropped(void **state)
{
	struct net f;
	struct plane_counters c;
	struct plane_totals t;
	uint8_t ip[60], got[NET_BYTES];

	(void)state;
	net_start(&f);
	net_ipv4(ip, sizeof(ip), 2, 99, false);
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	/* the right source, but lengths and versions that lie */
	net_ipv4(ip, sizeof(ip), 1, 99, false);
	ip[3] = 61;
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	ip[3] = 19;
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	ip[3] = 60;
	ip[0] = 0x44;
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	plane_session_counters(f.s.plane, 1, &c);
	assert_int_equal(c.spoofed, 1);
	assert_int_equal(c.packets_in, 0);
	plane_totals(f.s.plane, &t);
	assert_int_equal(t.drop_spoofed, 1);
	assert_int_equal(t.drop_malformed, 3);
	/* padding behind the IP packet is cut */
	net_ipv4(ip, sizeof(ip), 1, 99, false);
	ip[3] = 50;
	net_client_send_ip(&f.c, 101, 201, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), 50);
	net_stop(&f);
}

static void
assert_passes_in(struct net *f, uint8_t src, bool passes)
{
	uint8_t ip[60], got[NET_BYTES];

	net_ipv4(ip, sizeof(ip), src, 99, false);
	net_client_send_ip(&f->c, 101, 201, ip, sizeof(ip));
	net_turn(&f->s);
	assert_int_equal(net_tun_receive(&f->s, got), passes ? sizeof(ip) : 0);
}

static void
assert_passes_out(struct net *f, uint8_t dst, bool passes)
{
	uint8_t ip[60], got[NET_BYTES];
	size_t n;

	net_ipv4(ip, sizeof(ip), 99, dst, false);
	net_tun_send(&f->s, ip, sizeof(ip));
	net_turn(&f->s);
	n = net_client_receive(&f->c, got);
	if (passes)
		net_assert_data(got, n, 1, 0x0021, ip, sizeof(ip));
	else
		assert_int_equal(n, 0);
}

/* Behind session 1 are 10.0.0.128/26 and 10.0.0.208/28. */
static void
networks_behind_a_session(void **state)
{
	static const struct ipv4_networks nets = {.at = {{{10, 0, 0, 128}, 26},
						      {{10, 0, 0, 208}, 28}},
					      .count = 2},
					  none = {.count = 0};
	const uint8_t second[4] = {10, 0, 0, 130};
	struct plane_counters c;
	struct net f;

	(void)state;
	net_start(&f);
	net_add_session(&f.s, 2, 1);
	assert_int_equal(plane_session_routes(f.s.plane, 9, &nets), -ENOENT);
	assert_int_equal(plane_session_routes(f.s.plane, 2, &nets), -EINVAL);
	assert_passes_in(&f, 129, false);
	assert_int_equal(plane_session_routes(f.s.plane, 1, &nets), 0);
	assert_passes_in(&f, 128, true);
	assert_passes_in(&f, 191, true);
	assert_passes_in(&f, 215, true);
	assert_passes_in(&f, 1, true); /* its own address as before */
	assert_passes_in(&f, 127, false);
	assert_passes_in(&f, 192, false);
	assert_passes_in(&f, 2, false);
	assert_passes_out(&f, 150, true);
	assert_passes_out(&f, 1, true);
	assert_passes_out(&f, 192, false);
	/* another session's address is that one's, also in there */
	assert_int_equal(plane_session_open_ipv4(f.s.plane, 2, second, 0), 0);
	assert_passes_in(&f, 130, false);
	assert_passes_in(&f, 131, true);
	assert_int_equal(plane_session_routes(f.s.plane, 2, &nets), -EEXIST);
	plane_session_counters(f.s.plane, 1, &c);
	assert_int_equal(c.spoofed, 5);
	/* taken away, by word and by its end */
	assert_int_equal(plane_session_routes(f.s.plane, 1, &none), 0);
	assert_passes_in(&f, 150, false);
	assert_passes_out(&f, 150, false);
	assert_int_equal(plane_session_routes(f.s.plane, 1, &nets), 0);
	assert_passes_out(&f, 150, true);
	plane_session_del(f.s.plane, 1);
	assert_passes_out(&f, 150, false);
	assert_int_equal(plane_session_routes(f.s.plane, 2, &nets), 0);
	net_stop(&f);
}

/* ESP to a peer that moved into its own network would meet itself. */
static void
a_peer_in_its_own_network(void **state)
{
	static const struct ipv4_networks nets = {
	    .at = {{{10, 0, 0, 128}, 26}}, .count = 1};
	struct plane_totals before, after;
	struct endpoint inside;
	uint8_t ip[60];
	struct net f;

	(void)state;
	net_start(&f);
	assert_int_equal(plane_session_routes(f.s.plane, 1, &nets), 0);
	assert_passes_out(&f, 150, true);
	plane_totals(f.s.plane, &before);
	assert_true(endpoint_parse("10.0.0.150", 4500, &inside));
	assert_int_equal(plane_sa_update(f.s.plane, NET_SPI_1 + 1, false,
			     &f.c.at, &f.s.at4500, &inside, true),
	    0);
	net_ipv4(ip, sizeof(ip), 99, 150, false);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_turn(&f.s);
	plane_totals(f.s.plane, &after);
	assert_int_equal(after.drop_no_route, before.drop_no_route + 1);
	assert_int_equal(after.send_errors, before.send_errors);
	assert_int_equal(after.tx_packets, before.tx_packets);
	net_stop(&f);
}

static void
sessions_of_another_association_are_refused(void **state)
{
	struct net f;
	struct net_client other;
	struct plane_totals t;
	uint8_t ip[60], got[NET_BYTES];

	(void)state;
	net_start(&f);
	net_client_start(&other, &f.s, 2, NET_SPI_2);
	net_add_session(&f.s, 2, 2);
	net_open_session(&f.s, 2);
	/* client 2 sends into session 1, with client 1's address */
	net_ipv4(ip, sizeof(ip), 1, 99, false);
	net_client_send_ip(&other, 101, 201, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	assert_int_equal(f.s.ppp.count, 0);
	assert_int_equal(f.s.l2tp.count, 1); /* the engine sees who it was */
	assert_int_equal(f.s.l2tp.id, 2);
	plane_totals(f.s.plane, &t);
	assert_int_equal(t.drop_no_session, 1);
	/* after a rebind it is its session */
	assert_int_equal(plane_session_rebind(f.s.plane, 1, 2, 1701), 0);
	net_client_send_ip(&other, 101, 201, ip, sizeof(ip));
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), 60);
	net_ipv4(ip, sizeof(ip), 99, 1, false);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_turn(&f.s);
	net_assert_data(
	    got, net_client_receive(&other, got), 1, 0x0021, ip, 60);
	assert_int_equal(net_client_receive(&f.c, got), 0);
	net_client_stop(&other);
	net_stop(&f);
}

/* Two clients behind one NAT, all numbers equal but the outer port. */
static void
neighbours_behind_one_nat(void **state)
{
	struct net f;
	struct net_client other;
	uint8_t ip[60], got[NET_BYTES];

	(void)state;
	net_start(&f);
	net_client_start(&other, &f.s, 2, NET_SPI_2);
	net_add_session(&f.s, 2, 2);
	net_open_session(&f.s, 2);
	net_ipv4(ip, sizeof(ip), 99, 2, false);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_ipv4(ip, sizeof(ip), 99, 1, false);
	net_tun_send(&f.s, ip, sizeof(ip));
	net_ipv4(ip, sizeof(ip), 99, 3, false);
	net_tun_send(&f.s, ip, sizeof(ip)); /* nobody */
	net_turn(&f.s);
	net_ipv4(ip, sizeof(ip), 99, 2, false);
	net_assert_data(
	    got, net_client_receive(&other, got), 2, 0x0021, ip, 60);
	net_ipv4(ip, sizeof(ip), 99, 1, false);
	net_assert_data(got, net_client_receive(&f.c, got), 1, 0x0021, ip, 60);
	assert_int_equal(net_client_receive(&f.c, got), 0);
	assert_int_equal(net_client_receive(&other, got), 0);
	net_client_stop(&other);
	net_stop(&f);
}

static void
ike_and_its_marker(void **state)
{
	static const uint8_t ike[] = "0123456701234567\x01\x10\x02\0";
	uint8_t buf[64] = {0};
	struct net f;
	struct sockaddr_storage name;
	struct endpoint local, from;
	socklen_t len;

	(void)state;
	net_start(&f);
	memcpy(buf + 4, ike, sizeof(ike));
	net_client_send_raw(&f.c, buf, 4 + sizeof(ike));
	net_turn(&f.s);
	assert_int_equal(f.s.ike.count, 1);
	assert_int_equal(f.s.ike.len, sizeof(ike));
	assert_memory_equal(f.s.ike.data, ike, sizeof(ike));
	assert_int_equal(f.s.ike.local.port, 4500);
	assert_true(endpoint_same_address(&f.s.ike.local, &f.s.at4500));
	local = f.s.ike.local;
	assert_int_equal(plane_ike_send(f.s.plane, &local, &f.c.at,
			     rd_init(ike, sizeof(ike))),
	    0);
	net_await(f.c.fd);
	assert_int_equal(
	    recv(f.c.fd, buf, sizeof(buf), MSG_DONTWAIT), 4 + sizeof(ike));
	assert_memory_equal(buf, "\0\0\0\0", 4);
	assert_memory_equal(buf + 4, ike, sizeof(ike));

	len = endpoint_to_sockaddr(&f.s.at500, &name);
	sendto(f.c.fd, ike, sizeof(ike), 0, (struct sockaddr *)&name, len);
	net_turn(&f.s);
	assert_int_equal(f.s.ike.count, 2);
	assert_int_equal(f.s.ike.local.port, 500);
	local = f.s.ike.local;
	/* the NAT changed the port: still no marker on port 500 */
	assert_int_equal(plane_ike_send(f.s.plane, &local, &f.c.at,
			     rd_init(ike, sizeof(ike))),
	    0);
	len = sizeof(name);
	net_await(f.c.fd);
	assert_int_equal(recvfrom(f.c.fd, buf, sizeof(buf), MSG_DONTWAIT,
			     (struct sockaddr *)&name, &len),
	    sizeof(ike));
	assert_memory_equal(buf, ike, sizeof(ike));
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&name, &from));
	assert_true(endpoint_equal(&from, &f.s.at500));

	/* keepalive, and things too short to be anything */
	net_client_send_raw(&f.c, (const uint8_t *)"\xff", 1);
	net_client_send_raw(&f.c, (const uint8_t *)"\x00", 1);
	net_client_send_raw(&f.c, (const uint8_t *)"\xff\xff\xff", 3);
	net_client_send_raw(&f.c, (const uint8_t *)"", 0);
	net_turn(&f.s);
	assert_int_equal(f.s.ike.count, 2);
	assert_int_equal(f.s.unknown.count, 0);
	net_stop(&f);
}

static void
mss_is_clamped_both_ways(void **state)
{
	struct net f;
	uint8_t ip[120], got[NET_BYTES];
	size_t pad, v6;

	(void)state;
	net_start(&f);
	for (v6 = 0; v6 < 2; v6++) {
		size_t n = v6 ? 120 : 100, at = v6 ? 60 : 40;
		uint16_t want = v6 ? 1340 : 1360;

		for (pad = 0; pad < 8; pad++) { /* odd offsets too */
			v6 ? net_ipv6(ip, n, 1, 99)
			   : net_ipv4(ip, n, 1, 99, false);
			net_tcp_syn(ip, n, 1460, pad);
			net_client_send_ip(&f.c, 101, 201, ip, n);
			net_turn(&f.s);
			assert_int_equal(net_tun_receive(&f.s, got), n);
			assert_int_equal(
			    got[at + pad + 2] << 8 | got[at + pad + 3], want);
			assert_true(net_tcp_sum_is_right(got, n));

			v6 ? net_ipv6(ip, n, 99, 1)
			   : net_ipv4(ip, n, 99, 1, true);
			net_tcp_syn(ip, n, 9000, pad);
			net_tun_send(&f.s, ip, n);
			net_turn(&f.s);
			assert_int_equal(net_client_receive(&f.c, got), n + 18);
			assert_int_equal(got[18 + at + pad + 2] << 8 |
				got[18 + at + pad + 3],
			    want);
			assert_true(net_tcp_sum_is_right(got + 18, n));
		}
		/* small enough: not touched */
		v6 ? net_ipv6(ip, n, 1, 99) : net_ipv4(ip, n, 1, 99, false);
		net_tcp_syn(ip, n, 1200, 3);
		net_client_send_ip(&f.c, 101, 201, ip, n);
		net_turn(&f.s);
		assert_int_equal(net_tun_receive(&f.s, got), n);
		assert_memory_equal(got, ip, n);
	}
	net_stop(&f);
}

static void
too_big_is_answered(void **state)
{
	struct net f;
	const uint8_t address[4] = {10, 0, 0, 1};
	uint8_t ip[1500], got[NET_BYTES];

	(void)state;
	net_start(&f);
	plane_session_open_ipv4(f.s.plane, 1, address, 1300);
	net_ipv4(ip, 1301, 99, 1, true);
	net_tun_send(&f.s, ip, 1301);
	net_turn(&f.s);
	assert_int_equal(net_client_receive(&f.c, got), 0);
	assert_int_equal(net_tun_receive(&f.s, got), 576);
	assert_memory_equal(got + 12, "\x0a\0\0\x01\x0a\0\0\x63", 8);
	assert_memory_equal(got + 20, "\x03\x04", 2);
	assert_int_equal(got[26] << 8 | got[27], 1300);
	assert_memory_equal(got + 28, ip, 548);
	/* no answer to an answer (an ICMP error), nor to later fragments */
	ip[9] = IPPROTO_ICMP;
	ip[20] = 3;
	net_tun_send(&f.s, ip, 1301);
	ip[9] = IPPROTO_UDP;
	ip[7] = 1;
	net_tun_send(&f.s, ip, 1301);
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), 0);
	/* without DF it goes */
	net_ipv4(ip, 1301, 99, 1, false);
	net_tun_send(&f.s, ip, 1301);
	net_turn(&f.s);
	assert_int_equal(net_client_receive(&f.c, got), 1301 + 18);
	/* IPv6: session's MRU 1400 */
	net_ipv6(ip, 1401, 99, 1);
	net_tun_send(&f.s, ip, 1401);
	net_turn(&f.s);
	assert_int_equal(net_tun_receive(&f.s, got), 1280);
	assert_int_equal(got[40], 2);
	assert_int_equal(got[46] << 8 | got[47], 1400);
	assert_memory_equal(got + 48, ip, 1232);
	assert_int_equal(net_client_receive(&f.c, got), 0);
	net_stop(&f);
}

static void
sessions_have_rules(void **state)
{
	const uint8_t address[4] = {10, 0, 0, 1};
	struct plane_session ps = {.id = 1, .association = 1};
	struct plane_counters c;
	struct net f;

	(void)state;
	net_start(&f);
	ps.local_tunnel_id = 5;
	assert_int_equal(plane_session_add(f.s.plane, &ps), -EEXIST);
	ps.id = 8;
	ps.local_tunnel_id = 101;
	ps.local_session_id = 201;
	assert_int_equal(plane_session_add(f.s.plane, &ps), -EEXIST);
	ps.id = 0;
	assert_int_equal(plane_session_add(f.s.plane, &ps), -EINVAL);
	net_add_session(&f.s, 2, 1);
	assert_int_equal(
	    plane_session_open_ipv4(f.s.plane, 2, address, 0), -EEXIST);
	plane_session_del(f.s.plane, 1);
	assert_int_equal(plane_session_open_ipv4(f.s.plane, 2, address, 0), 0);
	assert_int_equal(
	    plane_session_open_ipv4(f.s.plane, 1, address, 0), -ENOENT);
	assert_int_equal(plane_session_rebind(f.s.plane, 1, 1, 1), -ENOENT);
	assert_int_equal(plane_session_counters(f.s.plane, 1, &c), -ENOENT);
	plane_session_del(f.s.plane, 1);
	plane_session_shut(f.s.plane, 1);
	net_stop(&f);
}

/* Raw ESP wants a raw socket: where that is not allowed there is no test. */
static void
raw_esp_both_ways(void **state)
{
	struct sockaddr_storage name;
	struct net_server s;
	struct net_client c;
	struct esp_sa_params p;
	uint8_t payload[28] = {6, 165, 6, 165, 0, 28}, esp[NET_BYTES],
		got[NET_BYTES];
	struct esp_job j = {.data = got};
	struct endpoint server_at;
	socklen_t len;
	ssize_t n;
	int fd;

	(void)state;
	fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ESP);
	if (fd < 0)
		skip();
	net_server_start(&s, true);
	net_client_start(&c, &s, 1, NET_SPI_1);
	assert_true(endpoint_parse("127.0.0.1", 0, &server_at));
	assert_true(endpoint_parse("127.0.0.9", 0, &c.at));
	len = endpoint_to_sockaddr(&c.at, &name);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, len), 0);
	/* the same keys, not encapsulated */
	p = net_sa(&c, NET_SPI_1, true);
	p.encap = false;
	p.local = server_at;
	assert_int_equal(plane_sa_add(s.plane, &p), 0);
	p = net_sa(&c, NET_SPI_1 + 1, false);
	p.encap = false;
	p.local = server_at;
	assert_int_equal(
	    plane_sa_del(s.plane, NET_SPI_1 + 1, false, &p.peer), 0);
	assert_int_equal(plane_sa_add(s.plane, &p), 0);

	memcpy(payload + 8, net_hello, NET_HELLO_BYTES);
	n = (ssize_t)net_client_seal(&c, payload, sizeof(payload), esp);
	net_client_send_raw(&c, esp, (size_t)n); /* in UDP: not for this SA */
	net_turn(&s);
	assert_int_equal(s.l2tp.count, 0);
	len = endpoint_to_sockaddr(&server_at, &name);
	assert_int_equal(
	    sendto(fd, esp, (size_t)n, 0, (struct sockaddr *)&name, len), n);
	net_turn(&s);
	assert_int_equal(s.l2tp.count, 1);
	assert_true(endpoint_equal(&s.l2tp.peer, &c.at));
	assert_int_equal(s.moved.count, 0);

	assert_int_equal(plane_l2tp_send(s.plane, 1, 1701,
			     rd_init(net_hello, NET_HELLO_BYTES)),
	    0);
	net_await(fd);
	n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
	assert_true(n > 20);
	j.sa = c.in;
	j.data = got + 20;
	j.len = (size_t)n - 20;
	esp_decrypt_batch(&j, 1, 0);
	assert_int_equal(j.verdict, ESP_OK);
	assert_memory_equal(j.data + 8, net_hello, NET_HELLO_BYTES);
	close(fd);
	net_client_stop(&c);
	net_server_stop(&s);
}

/* One SA between two planes: SPI, who receives. */
/* The plane against itself: a client's plane is one with the session's other
 * end open. */
static void
two_planes(void **state)
{
	static const uint8_t ifid[8] = {0, 0, 0, 0, 0, 0, 0, 1};
	static const uint8_t lcp[] = {0xff, 3, 0xc0, 0x21, 1, 1, 0, 4};
	struct net_server a, b;
	uint8_t ip[1400], got[NET_BYTES];
	struct plane_totals t;
	size_t i, n;

	(void)state;
	net_server_start(&a, false);
	net_server_start(&b, false);
	net_connect_planes(&a, &b);
	plane_session_open_ipv6(a.plane, 1,
	    (const uint8_t[]){0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1}, ifid, 1400);

	assert_int_equal(plane_l2tp_send(a.plane, 1, 1701,
			     rd_init(net_hello, NET_HELLO_BYTES)),
	    0);
	assert_int_equal(
	    plane_ppp_send(b.plane, 1, rd_init(lcp, sizeof(lcp))), 0);
	for (i = 0; i < 100; i++) {
		n = 28 + i * 13;
		net_ipv4(ip, n, 99, 1, true);
		net_tun_send(&a, ip, n);
		net_turn(&a);
		net_turn(&b);
		assert_int_equal(net_tun_receive(&b, got), n);
		assert_memory_equal(got, ip, n);
		net_ipv4(ip, n, 1, 99, true);
		net_tun_send(&b, ip, n);
		net_turn(&b);
		net_turn(&a);
		assert_int_equal(net_tun_receive(&a, got), n);
		assert_memory_equal(got, ip, n);
	}
	assert_int_equal(b.l2tp.count, 1);
	assert_int_equal(a.ppp.count, 1);
	assert_memory_equal(a.ppp.data, lcp, sizeof(lcp));
	plane_totals(a.plane, &t);
	assert_int_equal(t.tx_packets, 101);
	assert_int_equal(t.rx_packets, 101);
	assert_int_equal(a.moved.count + b.moved.count, 0);
	net_server_stop(&a);
	net_server_stop(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(control_both_ways),
	    cmocka_unit_test(two_planes),
	    cmocka_unit_test(data_both_ways),
	    cmocka_unit_test(a_burst_keeps_its_order),
	    cmocka_unit_test(ipv6_both_ways),
	    cmocka_unit_test(questions_go_to_the_engine),
	    cmocka_unit_test(solicitations_go_to_the_engine),
	    cmocka_unit_test(frames_with_and_without_compression),
	    cmocka_unit_test(ppp_frames_go_to_the_engine),
	    cmocka_unit_test(spoofed_sources_are_dropped),
	    cmocka_unit_test(uplink_takes_everything),
	    cmocka_unit_test(networks_behind_a_session),
	    cmocka_unit_test(a_peer_in_its_own_network),
	    cmocka_unit_test(sessions_of_another_association_are_refused),
	    cmocka_unit_test(neighbours_behind_one_nat),
	    cmocka_unit_test(ike_and_its_marker),
	    cmocka_unit_test(mss_is_clamped_both_ways),
	    cmocka_unit_test(too_big_is_answered),
	    cmocka_unit_test(sessions_have_rules),
	    cmocka_unit_test(raw_esp_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
