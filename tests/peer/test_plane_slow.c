/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_plane_slow.c: sessions of the kernel plane that the kernel does not
 * carry, over loopback and a TUN device, in a network namespace: senders with
 * SO_MARK stand for the SAs. Three clients have one address and port; the first
 * gets the kernel's tunnel where there is such a thing, the others never do.
 * Without the right to make a namespace, or without TUN, it is skipped.
 */
#include "l2tpd/plane/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checksum.h"
#include "base/wr.h"
#include "l2tpd/plane/frame.h"
#include "tests/peer/mark_net.h"

#define MASK     0xffffu
#define PORT     5000
#define MRU      1200
#define FIRST    9  /* association, session and mark of the first client */
#define MARK_OF  16 /* the others' marks above their associations */
#define UDP_HEAD 8
#define IP_HEAD  20

struct world {
	struct loop *loop;
	struct plane *plane;
	struct plane_events events;
	unsigned int frames, datagrams, questions;
	uint32_t session, association;
	uint8_t data[64];
	size_t len;
	bool delete; /* the session, in its own callback */
	int client;  /* what the NAT of all clients gets */
	int host;    /* UDP 10.99.0.1:PORT, behind the TUN device */
};

/* What a client got, and over which SA. */
struct got {
	uint32_t mark;
	uint8_t data[2048];
	size_t len;
};

static const uint8_t server_ip[4] = {10, 99, 0, 1};
static const uint8_t one_ip[4] = {10, 99, 0, 5}, two_ip[4] = {10, 99, 0, 6};

static void
keep(struct world *w, struct rd data)
{
	assert_true(data.left <= sizeof(w->data));
	w->len = data.left;
	memcpy(w->data, data.p, data.left);
}

static void
on_l2tp(void *ctx, uint32_t association, const struct endpoint *peer,
    uint16_t peer_port, struct rd data)
{
	struct world *w = ctx;

	(void)peer, (void)peer_port;
	w->datagrams++;
	w->association = association;
	keep(w, data);
}

static void
on_ppp(void *ctx, uint32_t session, struct rd frame)
{
	struct world *w = ctx;

	w->frames++;
	w->session = session;
	keep(w, frame);
	if (w->delete)
		plane_session_del(w->plane, session);
}

static void
on_service(void *ctx, uint32_t session, struct rd packet)
{
	struct world *w = ctx;

	w->questions++;
	w->session = session;
	keep(w, packet);
}

static void
want_socket(void *ctx, uint32_t mark)
{
	(void)ctx, (void)mark;
}

static struct sockaddr_in
address(const char *text, uint16_t port)
{
	struct sockaddr_storage ss;
	struct sockaddr_in sin;
	struct endpoint e;

	assert_true(endpoint_parse(text, port, &e));
	assert_int_equal(endpoint_to_sockaddr(&e, &ss), sizeof(sin));
	memcpy(&sin, &ss, sizeof(sin));
	return sin;
}

static void
turn(struct world *w)
{
	int i;

	for (i = 0; i < 8; i++)
		loop_run_once(w->loop, false);
}

/* ---- the device ---- */

static void
put_address(struct ifreq *ifr, const char *text)
{
	struct sockaddr_in sin = address(text, 0);

	memcpy(&ifr->ifr_addr, &sin, sizeof(sin));
}

/* As the monitor makes it: 10.99.0.1/24, MTU 1400. -1: there is no TUN. */
static int
tun_device(void)
{
	struct ifreq ifr = {.ifr_name = "slow0"};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), ctl;

	if (fd < 0)
		return -1;
	ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
	ctl = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(ctl >= 0);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		close(fd);
		close(ctl);
		return -1;
	}
	put_address(&ifr, "10.99.0.1");
	assert_int_equal(ioctl(ctl, SIOCSIFADDR, &ifr), 0);
	put_address(&ifr, "255.255.255.0");
	assert_int_equal(ioctl(ctl, SIOCSIFNETMASK, &ifr), 0);
	ifr.ifr_mtu = 1400;
	assert_int_equal(ioctl(ctl, SIOCSIFMTU, &ifr), 0);
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	assert_int_equal(ioctl(ctl, SIOCSIFFLAGS, &ifr), 0);
	close(ctl);
	return fd;
}

/* ---- associations and sessions ---- */

static void
add_association(struct world *w, uint32_t id, uint32_t mark)
{
	struct esp_sa_params p = {.association = id, .mark = mark};

	assert_true(endpoint_parse("127.0.0.2", 4500, &p.peer));
	assert_true(endpoint_parse("127.0.0.1", 4500, &p.local));
	p.spi = 0x1000 + id;
	p.inbound = true;
	assert_int_equal(plane_sa_add(w->plane, &p), 0);
	p.spi = 0x2000 + id;
	p.inbound = false;
	assert_int_equal(plane_sa_add(w->plane, &p), 0);
	plane_kernel_socket(w->plane, mark, mark_net_socket(mark));
	plane_kernel_socket(w->plane, mark, mark_net_socket(mark));
}

static int
add_session(struct world *w, uint32_t id, uint32_t association)
{
	const struct plane_session s = {
	    .id = id,
	    .association = association,
	    .local_tunnel_id = (uint16_t)(0x100 + id),
	    .local_session_id = (uint16_t)(0x200 + id),
	    .peer_tunnel_id = (uint16_t)(0x300 + id),
	    .peer_session_id = (uint16_t)(0x400 + id),
	    .peer_port = 1701,
	};

	return plane_session_add(w->plane, &s);
}

static void
open_both(struct world *w)
{
	assert_int_equal(plane_session_open_ipv4(w->plane, 1, one_ip, MRU), 0);
	assert_int_equal(plane_session_open_ipv4(w->plane, 2, two_ip, 0), 0);
}

static void
make_plane(struct world *w, int tun_fd)
{
	const struct plane_kernel_config cfg = {
	    .udp_fd = mark_net_bound("127.0.0.1", 1701, 0),
	    .mark_mask = MASK,
	    .tun_fd = tun_fd,
	    .inner_mtu = 1400,
	    .gateway = {10, 99, 0, 1},
	    .shared_ports = false,
	    .want_socket = want_socket,
	    .want_ctx = w,
	};

	w->events = (struct plane_events){
	    .l2tp = on_l2tp, .ppp = on_ppp, .service = on_service};
	w->plane = plane_kernel_new(w->loop, &cfg, &w->events, w);
	assert_non_null(w->plane);
	add_association(w, FIRST, FIRST);
	add_association(w, 1, 1 + MARK_OF);
	add_association(w, 2, 2 + MARK_OF);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	int tun;

	assert_non_null(w);
	w->loop = loop_new();
	w->client = mark_net_bound("127.0.0.2", 1701, 0);
	tun = tun_device();
	assert_true(tun >= 0);
	w->host = mark_net_bound("10.99.0.1", PORT, 0);
	make_plane(w, tun);
	assert_int_equal(add_session(w, FIRST, FIRST), 0);
	assert_int_equal(add_session(w, 1, 1), 0);
	assert_int_equal(add_session(w, 2, 2), 0);
	turn(w);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	plane_free(w->plane); /* with live sessions */
	loop_free(w->loop);
	close(w->client);
	close(w->host);
	free(w);
	return 0;
}

/* ---- packets ---- */

/* A UDP packet to the host, from PORT too; returns its length. */
static size_t
udp_packet(uint8_t *buf, size_t room, const uint8_t src[4], const char *text)
{
	size_t n = strlen(text);
	struct wr out = wr_init(buf, room);

	wr_be16(&out, 0x4500);
	wr_be16(&out, (uint16_t)(IP_HEAD + UDP_HEAD + n));
	wr_be32(&out, 0);
	wr_be32(&out, 64u << 24 | 17u << 16);
	wr_bytes(&out, src, 4);
	wr_bytes(&out, server_ip, 4);
	wr_patch_be16(&out, 10, checksum_end(checksum_sum(buf, IP_HEAD)));
	wr_be16(&out, PORT);
	wr_be16(&out, PORT);
	wr_be16(&out, (uint16_t)(UDP_HEAD + n));
	wr_be16(&out, 0);
	wr_bytes(&out, text, n);
	assert_true(wr_ok(&out));
	return out.len;
}

static void
send_marked(uint32_t mark, const uint8_t *data, size_t n)
{
	int fd = mark_net_bound("127.0.0.2", 1701, mark);
	struct sockaddr_in sin = address("127.0.0.1", 1701);

	assert_int_equal(
	    sendto(fd, data, n, 0, (struct sockaddr *)&sin, sizeof(sin)),
	    (ssize_t)n);
	close(fd);
}

/* A data message to session id; head: what is in front of the payload. */
static void
send_data(uint32_t mark, uint32_t id, const void *head, size_t head_bytes,
    const void *payload, size_t n)
{
	uint8_t buf[2048];
	struct wr out = wr_init(buf, sizeof(buf));

	frame_put_l2tp(&out, (uint16_t)(0x100 + id), (uint16_t)(0x200 + id));
	wr_bytes(&out, head, head_bytes);
	wr_bytes(&out, payload, n);
	assert_true(wr_ok(&out));
	send_marked(mark, buf, out.len);
}

static void
send_udp(struct world *w, uint32_t mark, uint32_t id, const uint8_t src[4],
    const char *text)
{
	static const uint8_t ppp[] = {0xff, 0x03, 0x00, 0x21};
	uint8_t packet[256];

	send_data(mark, id, ppp, sizeof(ppp), packet,
	    udp_packet(packet, sizeof(packet), src, text));
	turn(w);
}

/* What the host got; "" when nothing. */
static const char *
host_got(struct world *w)
{
	static char text[64];
	ssize_t n = recv(w->host, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static bool
client_got(struct world *w, struct got *ret)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(uint32_t)) * 2];
	} control;
	struct iovec iov = {ret->data, sizeof(ret->data)};
	struct msghdr m = {
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t n = recvmsg(w->client, &m, MSG_DONTWAIT);

	if (n < 0)
		return false;
	ret->len = (size_t)n;
	ret->mark = 0;
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_MARK)
			memcpy(&ret->mark, CMSG_DATA(c), sizeof(ret->mark));
	return true;
}

static void
host_sends(struct world *w, const char *to, const char *text)
{
	struct sockaddr_in sin = address(to, PORT);

	assert_int_equal(sendto(w->host, text, strlen(text), 0,
			     (struct sockaddr *)&sin, sizeof(sin)),
	    (ssize_t)strlen(text));
	turn(w);
}

/* The text in UDP, IP, PPP, L2TP of session id, over this mark. */
static void
assert_got_text(struct world *w, uint32_t mark, uint32_t id, const char *text)
{
	size_t heads = FRAME_L2TP_BYTES + FRAME_PPP_BYTES + IP_HEAD + UDP_HEAD;
	uint8_t want[FRAME_L2TP_BYTES + FRAME_PPP_BYTES];
	struct wr out = wr_init(want, sizeof(want));
	struct got g;

	frame_put_l2tp(&out, (uint16_t)(0x300 + id), (uint16_t)(0x400 + id));
	frame_put_ppp(&out, PPP_IPV4);
	assert_true(client_got(w, &g));
	assert_int_equal(g.mark, mark);
	assert_memory_equal(g.data, want, sizeof(want));
	assert_int_equal(g.len, heads + strlen(text));
	assert_memory_equal(g.data + heads, text, strlen(text));
}

/* ---- tests ---- */

static void
test_frames(void **state)
{
	static const uint8_t lcp[] = {0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4};
	static const uint8_t sequenced[] = {0x0a, 0x02, 0x01, 0x01, 0x02, 0x01,
	    0, 1, 0, 0, 0, 1, 0xee, 0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4};
	struct world *w = *state;
	struct got g;

	assert_int_equal(plane_session_channel(w->plane, 1), -ENOTSUP);
	assert_int_equal(plane_session_channel(w->plane, 2), -ENOTSUP);
	send_data(2 + MARK_OF, 2, NULL, 0, lcp, sizeof(lcp));
	turn(w);
	assert_int_equal(w->frames, 1);
	assert_int_equal(w->session, 2);
	assert_int_equal(w->len, sizeof(lcp));
	assert_memory_equal(w->data, lcp, sizeof(lcp));
	/* with Ns, Nr and Offset (RFC 2661 3.1) */
	send_marked(1 + MARK_OF, sequenced, sizeof(sequenced));
	turn(w);
	assert_int_equal(w->frames, 2);
	assert_int_equal(w->session, 1);
	assert_memory_equal(w->data, lcp, sizeof(lcp));
	assert_int_equal(w->datagrams, 0);
	assert_int_equal(
	    plane_ppp_send(w->plane, 2, rd_init(lcp, sizeof(lcp))), 0);
	assert_true(client_got(w, &g));
	assert_int_equal(g.mark, 2 + MARK_OF);
	assert_int_equal(g.len, FRAME_L2TP_BYTES + sizeof(lcp));
	assert_memory_equal(g.data + FRAME_L2TP_BYTES, lcp, sizeof(lcp));
	assert_int_equal(
	    plane_ppp_send(w->plane, 77, rd_init(lcp, sizeof(lcp))), -ENOTSUP);
}

/* IP before IPv4 is open is PPP's affair, and after. */
static void
test_shut_is_frames(void **state)
{
	struct world *w = *state;

	send_udp(w, 1 + MARK_OF, 1, one_ip, "too early");
	assert_int_equal(w->frames, 1);
	open_both(w);
	send_udp(w, 1 + MARK_OF, 1, one_ip, "in time");
	assert_int_equal(w->frames, 1);
	assert_string_equal(host_got(w), "in time");
	plane_session_shut(w->plane, 1);
	send_udp(w, 1 + MARK_OF, 1, one_ip, "too late");
	assert_int_equal(w->frames, 2);
	assert_string_equal(host_got(w), "");
	host_sends(w, "10.99.0.5", "nobody");
	assert_false(client_got(w, &(struct got){0}));
}

static void
test_ipv4_both_ways(void **state)
{
	static const uint8_t compressed[] = {0x21};
	struct world *w = *state;
	struct plane_counters c;
	struct plane_totals t;
	uint8_t packet[64];
	size_t n = udp_packet(packet, sizeof(packet), two_ip, "short");

	open_both(w);
	send_udp(w, 1 + MARK_OF, 1, one_ip, "from one");
	assert_string_equal(host_got(w), "from one");
	send_udp(w, 2 + MARK_OF, 2, two_ip, "from two");
	assert_string_equal(host_got(w), "from two");
	send_data(2 + MARK_OF, 2, compressed, 1, packet, n);
	turn(w);
	assert_string_equal(host_got(w), "short");
	host_sends(w, "10.99.0.6", "to two");
	host_sends(w, "10.99.0.5", "to one");
	host_sends(w, "10.99.0.7", "to nobody");
	assert_got_text(w, 2 + MARK_OF, 2, "to two");
	assert_got_text(w, 1 + MARK_OF, 1, "to one");
	assert_false(client_got(w, &(struct got){0}));
	assert_int_equal(plane_session_counters(w->plane, 2, &c), 0);
	assert_int_equal(c.packets_in, 2);
	assert_int_equal(c.bytes_in, 2 * (IP_HEAD + UDP_HEAD) + 8 + 5);
	assert_int_equal(c.packets_out, 1);
	assert_int_equal(c.bytes_out, IP_HEAD + UDP_HEAD + 6);
	assert_int_equal(c.spoofed, 0);
	assert_true(c.last_in_ms > 0);
	plane_totals(w->plane, &t);
	assert_true(t.drop_no_route >= 1);
	assert_int_equal(t.tun_write_errors, 0);
	assert_int_equal(t.send_errors, 0);
}

/* To the DHCP port of the gateway: not the kernel's. */
static void
test_question(void **state)
{
	static const uint8_t ppp[] = {0xff, 0x03, 0x00, 0x21};
	struct world *w = *state;
	uint8_t packet[64];
	size_t n = udp_packet(packet, sizeof(packet), one_ip, "inform");
	struct wr port = wr_init(packet + IP_HEAD, 4);

	open_both(w);
	wr_be16(&port, 68);
	wr_be16(&port, 67);
	send_data(1 + MARK_OF, 1, ppp, sizeof(ppp), packet, n);
	turn(w);
	assert_int_equal(w->questions, 1);
	assert_int_equal(w->session, 1);
	assert_int_equal(w->len, n);
	assert_memory_equal(w->data, packet, n);
}

static void
test_spoofed_and_foreign(void **state)
{
	struct world *w = *state;
	struct plane_counters c;
	struct plane_totals t;

	open_both(w);
	send_udp(w, 1 + MARK_OF, 1, two_ip, "another's address");
	assert_string_equal(host_got(w), "");
	assert_int_equal(plane_session_counters(w->plane, 1, &c), 0);
	assert_int_equal(c.spoofed, 1);
	assert_int_equal(c.packets_in, 0);
	/* another one's session, by its ids, even with its address */
	send_udp(w, 1 + MARK_OF, 2, two_ip, "another's session");
	assert_string_equal(host_got(w), "");
	assert_int_equal(w->frames, 0);
	assert_int_equal(w->datagrams, 1); /* as of an unknown session */
	assert_int_equal(w->association, 1);
	/* and what came without IPsec is nobody's */
	send_udp(w, 0, 1, one_ip, "no mark");
	assert_string_equal(host_got(w), "");
	plane_totals(w->plane, &t);
	assert_int_equal(t.drop_spoofed, 1);
	assert_int_equal(t.drop_no_session, 1);
	assert_int_equal(t.drop_unknown_spi, 1);
}

static void
test_networks(void **state)
{
	static const struct ipv4_networks nets = {
	    .count = 1, .at = {{{10, 99, 0, 128}, 25}}};
	static const struct ipv4_networks none;
	static const uint8_t behind[4] = {10, 99, 0, 200};
	struct world *w = *state;

	open_both(w);
	send_udp(w, 2 + MARK_OF, 2, behind, "before");
	assert_string_equal(host_got(w), "");
	assert_int_equal(plane_session_routes(w->plane, 2, &nets), 0);
	assert_int_equal(plane_session_routes(w->plane, 1, &nets), -EEXIST);
	send_udp(w, 2 + MARK_OF, 2, behind, "from behind");
	assert_string_equal(host_got(w), "from behind");
	host_sends(w, "10.99.0.201", "to behind");
	assert_got_text(w, 2 + MARK_OF, 2, "to behind");
	assert_int_equal(plane_session_routes(w->plane, 2, &none), 0);
	host_sends(w, "10.99.0.201", "to nobody");
	assert_false(client_got(w, &(struct got){0}));
}

/* Where the kernel's own SYN says 1360, a peer whose MRU is 1200 hears 1160. */
static void
test_mss(void **state)
{
	size_t at = FRAME_L2TP_BYTES + FRAME_PPP_BYTES + IP_HEAD + 20;
	struct sockaddr_in to = address("10.99.0.5", 80);
	struct world *w = *state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct got g;

	open_both(w);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, EINPROGRESS);
	turn(w);
	assert_true(client_got(w, &g));
	assert_true(g.len > at + 4);
	assert_int_equal(g.data[at], 2);
	assert_int_equal(g.data[at + 1], 4);
	assert_int_equal(g.data[at + 2] << 8 | g.data[at + 3], MRU - 40);
	close(fd);
}

/* The kernel learns the MTU of the path from what is said of a packet that is
 * too long for the peer. */
static void
test_too_big(void **state)
{
	struct sockaddr_in to = address("10.99.0.5", PORT);
	const int always = IP_PMTUDISC_DO;
	struct world *w = *state;
	uint8_t data[MRU] = {0};
	int fd = mark_net_bound("10.99.0.1", PORT + 1, 0);

	open_both(w);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &always,
			     sizeof(always)),
	    0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(
	    send(fd, data, sizeof(data), 0), (ssize_t)sizeof(data));
	turn(w);
	assert_false(client_got(w, &(struct got){0}));
	(void)send(fd, data, sizeof(data), 0); /* the pending error */
	assert_int_equal(send(fd, data, sizeof(data), 0), -1);
	assert_int_equal(errno, EMSGSIZE);
	close(fd);
}

static void
test_rebind(void **state)
{
	struct world *w = *state;
	struct endpoint peer;

	open_both(w);
	add_association(w, 3, 3 + MARK_OF);
	assert_int_equal(plane_session_rebind(w->plane, 1, 4, 1701), -ENOENT);
	assert_int_equal(plane_session_rebind(w->plane, 5, 3, 1701), -ENOENT);
	assert_int_equal(plane_session_rebind(w->plane, 1, 3, 1701), 0);
	send_udp(w, 1 + MARK_OF, 1, one_ip, "over the old one");
	assert_string_equal(host_got(w), "");
	send_udp(w, 3 + MARK_OF, 1, one_ip, "over the new one");
	assert_string_equal(host_got(w), "over the new one");
	host_sends(w, "10.99.0.5", "out");
	assert_got_text(w, 3 + MARK_OF, 1, "out");
	/* the old one may go */
	assert_true(endpoint_parse("127.0.0.2", 4500, &peer));
	assert_int_equal(plane_sa_del(w->plane, 0x1001, true, &peer), 0);
	assert_int_equal(plane_sa_del(w->plane, 0x2001, false, &peer), 0);
	host_sends(w, "10.99.0.5", "still");
	assert_got_text(w, 3 + MARK_OF, 1, "still");
	/* without SAs nothing leaves, and the session stays */
	assert_int_equal(plane_sa_del(w->plane, 0x1003, true, &peer), 0);
	assert_int_equal(plane_sa_del(w->plane, 0x2003, false, &peer), 0);
	host_sends(w, "10.99.0.5", "lost");
	assert_false(client_got(w, &(struct got){0}));
	plane_session_del(w->plane, 1);
	assert_int_equal(plane_session_channel(w->plane, 1), -ENOENT);
}

static void
test_deleted_in_callback(void **state)
{
	static const uint8_t lcp[] = {0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4};
	struct world *w = *state;

	w->delete = true;
	send_data(1 + MARK_OF, 1, NULL, 0, lcp, sizeof(lcp));
	send_data(1 + MARK_OF, 1, NULL, 0, lcp, sizeof(lcp));
	turn(w);
	assert_int_equal(w->frames, 1);
	assert_int_equal(w->datagrams, 1);
	plane_kernel_socket(
	    w->plane, 1 + MARK_OF, mark_net_socket(1 + MARK_OF));
	assert_int_equal(add_session(w, 1, 1), 0);
	assert_int_equal(add_session(w, 1, 1), -EEXIST);
}

/* Many packets at once: more than a batch, none is lost. */
static void
test_many(void **state)
{
	struct world *w = *state;
	struct sockaddr_in sin = address("10.99.0.5", PORT);
	struct plane_counters c;
	struct got g;
	unsigned int i, n = 0;

	open_both(w);
	for (i = 0; i < 100; i++)
		assert_int_equal(sendto(w->host, "x", 1, 0,
				     (struct sockaddr *)&sin, sizeof(sin)),
		    1);
	turn(w);
	while (client_got(w, &g))
		n++;
	assert_int_equal(n, 100);
	assert_int_equal(plane_session_counters(w->plane, 1, &c), 0);
	assert_int_equal(c.packets_out, 100);
}

static void
test_no_tun(void **state)
{
	struct world w = {.loop = loop_new()};
	int first;

	(void)state;
	make_plane(&w, -1);
	first = add_session(&w, FIRST, FIRST);
	assert_true(first == 0 || first == -ENODEV);
	/* with a first one in the kernel they share its port */
	assert_int_equal(add_session(&w, 1, 1), -ENODEV);
	plane_free(w.plane);
	loop_free(w.loop);
}

static void
test_releases(void **state)
{
	(void)state;
	assert_false(plane_kernel_shared_ports("6.1.0-18-amd64"));
	assert_false(plane_kernel_shared_ports("6.10.9"));
	assert_true(plane_kernel_shared_ports("6.11.0"));
	assert_true(plane_kernel_shared_ports("6.12.43+deb13-amd64"));
	assert_true(plane_kernel_shared_ports("7.0-rc1"));
	assert_false(plane_kernel_shared_ports("5.15"));
	assert_false(plane_kernel_shared_ports("what"));
}

static bool
own_network(void)
{
	int fd = mark_net_enter() ? tun_device() : -1;

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    CASE(test_frames),
	    CASE(test_shut_is_frames),
	    CASE(test_ipv4_both_ways),
	    CASE(test_question),
	    CASE(test_spoofed_and_foreign),
	    CASE(test_networks),
	    CASE(test_mss),
	    CASE(test_too_big),
	    CASE(test_rebind),
	    CASE(test_deleted_in_callback),
	    CASE(test_many),
#undef CASE
	    cmocka_unit_test(test_no_tun),
	    cmocka_unit_test(test_releases),
	};

	if (!own_network()) {
		fputs("skipped: no right to make a network namespace, or no "
		      "TUN device\n",
		    stderr);
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
