/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_offload_kernel.c: cutter and coalescer against the kernel's own
 * segmentation and TCP. Makes two network namespaces, "near" with a TUN device
 * that has a vnet header and all offloads, and "far" with a plain one. Needs
 * root and /dev/net/tun; else it is skipped (exit status 77) and says why.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/endpoint.h"
#include "l2tpd/plane/user/coalesce.h"
#include "l2tpd/plane/user/cut.h"
#include "tests/unit/packet.h"

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define MAX_PACKETS  128
#define MAX_BYTES    2048
#define STREAM_BYTES (8u << 20)
#define WAIT_MS      10000

struct bytes {
	uint8_t p[MAX_BYTES];
	size_t len;
};

static struct {
	int near, far; /* TUN devices */
	int near_ns, far_ns;
	int transit; /* in near too, plain */
	bool uso;
	struct coalesce c;
	struct bytes in[MAX_PACKETS], want[MAX_PACKETS];
	size_t n_in, n_want;
	size_t supers; /* seen or written */
} T;

static uint8_t super[VNET_BYTES + PACKET_MAX];

static void
run(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static int
tun_open(const char *name, int flags)
{
	struct ifreq ifr = {0};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | flags);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	return fd;
}

static int
new_namespace(void)
{
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

static int
set_up(void **state)
{
	unsigned long offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

	(void)state;
	T.near_ns = new_namespace();
	T.near = tun_open("near", IFF_VNET_HDR);
	assert_int_equal(ioctl(T.near, TUNSETOFFLOAD, offloads), 0);
	T.uso = ioctl(T.near, TUNSETOFFLOAD,
		    offloads | TUN_F_USO4 | TUN_F_USO6) == 0;
	T.transit = tun_open("transit", 0);
	run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
	    "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.near.rp_filter=0");
	run("ip link set near up && ip link set transit up");
	run("ip addr add 10.0.0.2/32 dev near");
	run("ip addr add 2001:db8::2/128 dev near nodad");
	run("ip route add 10.0.0.1/32 dev near");
	run("ip route add 2001:db8::1/128 dev near");
	/* what comes from .3 goes through, to .4 */
	run("ip route add 10.0.0.3/32 dev near");
	run("ip route add 2001:db8::3/128 dev near");
	run("ip route add 10.0.0.4/32 dev transit");
	run("ip route add 2001:db8::4/128 dev transit");

	T.far_ns = new_namespace();
	T.far = tun_open("far", 0);
	run("ip link set far up");
	run("ip addr add 10.0.0.1/24 dev far");
	run("ip addr add 2001:db8::1/64 dev far nodad");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(T.near);
	close(T.far);
	close(T.transit);
	close(T.near_ns);
	close(T.far_ns);
	return 0;
}

/* One write to the near TUN device. */
static void
write_near(void *ctx, const struct vnet *h, struct iovec *iov, int n_iov)
{
	uint8_t head[VNET_BYTES];
	struct wr w = wr_init(head, sizeof(head));
	size_t len = VNET_BYTES;
	int i;

	(void)ctx;
	assert_true(vnet_encode(&w, h));
	iov[0] = (struct iovec){head, sizeof(head)};
	for (i = 1; i < n_iov; i++)
		len += iov[i].iov_len;
	if (writev(T.near, iov, n_iov) != (ssize_t)len)
		fail_msg("the kernel refused a packet: %s", strerror(errno));
	T.supers += h->gso != VNET_GSO_NONE;
}

/* The same, and what our cutter makes of it, a hop further. */
static void
write_and_cut(void *ctx, const struct vnet *h, struct iovec *iov, int n_iov)
{
	struct bytes *b;
	struct cut c;
	size_t len = 0;
	int i;

	for (i = 1; i < n_iov; i++) {
		memcpy(super + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	assert_true(cut_begin(&c, h, super, len));
	while (b = &T.want[T.n_want],
	    (b->len = cut_next(&c, b->p, MAX_BYTES)) > 0) {
		b->p[b->p[0] >> 4 == 4 ? 8 : 7]--; /* TTL */
		packet_fix(b->p, b->len);
		T.n_want++;
	}
	assert_null(c.why);
	write_near(ctx, h, iov, n_iov);
}

static void
wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	if (poll(&p, 1, WAIT_MS) != 1)
		fail_msg("nothing came");
}

/* Another packet for .4: others are the kernel's own. */
static size_t
read_transit(uint8_t ret[MAX_BYTES])
{
	ssize_t n;

	for (;;) {
		wait_for(T.transit, POLLIN);
		n = read(T.transit, ret, MAX_BYTES);
		assert_true(n > 0);
		if (ret[0] >> 4 == 4 ? ret[19] == 4
				     : ret[24] == 0x20 && ret[39] == 4)
			return (size_t)n;
	}
}

static void
add(const struct packet *s)
{
	T.in[T.n_in].len = packet_build(T.in[T.n_in].p, s);
	T.n_in++;
}

/* What waits in T.in goes through coalescer and kernel. */
static void
pass_through(size_t expect_supers)
{
	static uint8_t got[MAX_BYTES];
	struct inet_packet ip;
	size_t i, n;

	T.n_want = T.supers = 0;
	coalesce_init(&T.c, COALESCE_TCP4 | COALESCE_TCP6 | COALESCE_UDP,
	    write_and_cut, NULL);
	for (i = 0; i < T.n_in; i++) {
		assert_true(inet_parse(rd_init(T.in[i].p, T.in[i].len), &ip));
		coalesce_add(&T.c, T.in[i].p, &ip);
	}
	coalesce_flush(&T.c);
	assert_int_equal(T.n_want, T.n_in);
	assert_int_equal(T.supers, expect_supers);
	for (i = 0; i < T.n_want; i++) {
		n = read_transit(got);
		assert_int_equal(n, T.want[i].len);
		assert_memory_equal(got, T.want[i].p, n);
		assert_null(packet_wrong(got, n));
	}
	T.n_in = 0;
}

static struct packet
forwarded(uint8_t version, uint8_t protocol)
{
	struct packet s = packet_default(version, protocol);

	s.src = 3;
	s.dst = 4;
	s.payload_bytes = 1348;
	return s;
}

static void
advance(struct packet *s)
{
	s->id++;
	s->seed++;
	if (s->protocol == PACKET_TCP)
		s->seq += (uint32_t)s->payload_bytes;
}

static void
series(struct packet s, size_t n, size_t last_bytes)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (i + 1 == n)
			s.payload_bytes = last_bytes;
		add(&s);
		advance(&s);
	}
}

/* The kernel's segmentation of our super-segments is our cutter's. */
static void
test_kernel_cuts(void **state)
{
	static const uint8_t stamps[12] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
	struct packet s;
	int i;

	(void)state;
	enter(T.near_ns);
	for (i = 0; i < 4; i++) {
		s = forwarded(i & 1 ? 6 : 4, PACKET_TCP);
		s.seq = 0xffffff00;
		s.id = 0xfff0;
		s.tos = 2; /* ECT(0) */
		s.fragment = i & 2 ? 0x4000 : 0;
		if (i & 2) {
			memcpy(s.options, stamps, 12);
			s.options_bytes = 12;
		}
		series(s, 2, 1348);
		pass_through(1);
		series(s, 45, 7);
		pass_through(1);
		s.payload_bytes = 1;
		series(s, 64, 1);
		pass_through(1);
	}
	for (i = 0; i < 2 && T.uso; i++) {
		s = forwarded(i & 1 ? 6 : 4, PACKET_UDP);
		series(s, 45, 1348);
		pass_through(1);
		s.fragment = 0;
		series(s, 10, 100);
		pass_through(1);
	}
}

/* PSH of the last one comes out at the last one. */
static void
test_kernel_push(void **state)
{
	struct packet s = forwarded(4, PACKET_TCP);
	int i;

	(void)state;
	enter(T.near_ns);
	for (i = 0; i < 12; i++) {
		s.flags = i % 4 == 3 ? PACKET_ACK | PACKET_PSH : PACKET_ACK;
		add(&s);
		advance(&s);
	}
	pass_through(3);
}

/* A wrong checksum stays wrong behind the kernel. */
static void
test_bad_sum_stays(void **state)
{
	static uint8_t got[MAX_BYTES];
	struct packet s = forwarded(4, PACKET_TCP);
	struct inet_packet ip;
	size_t i, n, bad = 0;

	(void)state;
	enter(T.near_ns);
	T.supers = T.n_want = 0;
	series(s, 9, 1348);
	T.in[4].p[100] ^= 1;
	coalesce_init(&T.c, COALESCE_TCP4 | COALESCE_TCP6, write_near, NULL);
	for (i = 0; i < T.n_in; i++) {
		assert_true(inet_parse(rd_init(T.in[i].p, T.in[i].len), &ip));
		coalesce_add(&T.c, T.in[i].p, &ip);
	}
	coalesce_flush(&T.c);
	assert_int_equal(T.supers, 2);
	for (i = 0; i < T.n_in; i++) {
		n = read_transit(got);
		if (packet_wrong(got, n) != NULL) {
			assert_int_equal(i, 4);
			bad++;
		}
	}
	assert_int_equal(bad, 1);
	T.n_in = 0;
}

/* From near to far: the kernel's packets, cut. */
static void
shuttle_out(void)
{
	static uint8_t part[MAX_BYTES];
	struct vnet h;
	struct cut c;
	struct rd r;
	ssize_t n;
	size_t len;

	while ((n = read(T.near, super, sizeof(super))) > 0) {
		r = rd_init(super, (size_t)n);
		if (!vnet_decode(&r, &h))
			fail_msg("%s", r.err);
		if (!cut_begin(&c, &h, r.p, r.left))
			fail_msg("%s", c.why);
		T.supers += c.n_segments > 1;
		while ((len = cut_next(&c, part, MAX_BYTES)) > 0)
			assert_int_equal(write(T.far, part, len), len);
		assert_null(c.why);
	}
}

/* From far to near: packets, coalesced. */
static void
shuttle_in(void)
{
	struct inet_packet ip;
	size_t k;
	ssize_t n;

	do {
		coalesce_init(&T.c,
		    COALESCE_TCP4 | COALESCE_TCP6 | (T.uso ? COALESCE_UDP : 0),
		    write_near, NULL);
		for (k = 0; k < 64; k++) {
			n = read(T.far, T.in[k].p, MAX_BYTES);
			if (n <= 0)
				break;
			assert_true(
			    inet_parse(rd_init(T.in[k].p, (size_t)n), &ip));
			coalesce_add(&T.c, T.in[k].p, &ip);
		}
		coalesce_flush(&T.c);
	} while (k == 64);
}

/* Turn the shuttle until fd is ready. */
static void
turn_until(int fd, short events)
{
	struct pollfd p[3] = {{.fd = fd, .events = events},
	    {.fd = T.near, .events = POLLIN}, {.fd = T.far, .events = POLLIN}};

	for (;;) {
		if (poll(p, 3, WAIT_MS) < 1)
			fail_msg("nothing came");
		if (p[1].revents)
			shuttle_out();
		if (p[2].revents)
			shuttle_in();
		if (p[0].revents)
			return;
	}
}

static int
make_socket(int type, const char *address, uint16_t port, struct endpoint *ret)
{
	struct sockaddr_storage name;
	int fd;

	assert_true(endpoint_parse(address, port, ret));
	endpoint_to_sockaddr(ret, &name);
	fd = socket(name.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	return fd;
}

static void
bind_to(int fd, const struct endpoint *e)
{
	struct sockaddr_storage name;
	socklen_t len = endpoint_to_sockaddr(e, &name);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, len), 0);
}

static int
connect_to(int fd, const struct endpoint *e)
{
	struct sockaddr_storage name;
	socklen_t len = endpoint_to_sockaddr(e, &name);

	return connect(fd, (struct sockaddr *)&name, len);
}

/* A stream from one socket to the other, compared byte by byte. */
static void
stream(int from, int to)
{
	static uint8_t piece[1 << 16];
	size_t sent = 0, received = 0, i;
	ssize_t n;

	/* a piece may go in parts, so that the end lies behind the last whole
	 */
	while (sent < STREAM_BYTES || received < sent) {
		while (sent < STREAM_BYTES) {
			for (i = 0; i < sizeof(piece); i++)
				piece[i] = packet_byte(7, sent + i);
			n = write(from, piece, sizeof(piece));
			if (n <= 0)
				break;
			sent += (size_t)n;
		}
		turn_until(to, POLLIN);
		while ((n = read(to, piece, sizeof(piece))) > 0)
			for (i = 0; i < (size_t)n; i++)
				if (piece[i] != packet_byte(7, received++))
					fail_msg("byte %zu", received - 1);
		assert_true(n < 0 && errno == EAGAIN);
	}
	assert_int_equal(received, sent);
}

static void
check_tcp(const char *near_address, const char *far_address)
{
	struct endpoint near_at, far_at;
	int listener, near, far;

	enter(T.far_ns);
	listener = make_socket(SOCK_STREAM, far_address, 7000, &far_at);
	bind_to(listener, &far_at);
	assert_int_equal(listen(listener, 1), 0);
	enter(T.near_ns);
	near = make_socket(SOCK_STREAM, near_address, 7001, &near_at);
	bind_to(near, &near_at);
	assert_true(connect_to(near, &far_at) < 0 && errno == EINPROGRESS);
	turn_until(listener, POLLIN);
	far = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(far >= 0);

	T.supers = 0;
	stream(near, far); /* cut */
	assert_true(T.supers > STREAM_BYTES / 65536 / 2);
	T.supers = 0;
	stream(far, near); /* coalesced */
	assert_true(T.supers > 10);
	close(far);
	close(near);
	close(listener);
}

/* The kernel's TCP at both ends; ours is what is between. */
static void
test_tcp_stream(void **state)
{
	(void)state;
	check_tcp("10.0.0.2", "10.0.0.1");
	check_tcp("2001:db8::2", "2001:db8::1");
}

static void
check_udp(const char *near_address, const char *far_address)
{
	static uint8_t data[10 * 1000 + 10], got[2000];
	struct endpoint near_at, far_at;
	int near, far, size = 1000;
	size_t i, k;
	ssize_t n;

	enter(T.far_ns);
	far = make_socket(SOCK_DGRAM, far_address, 7002, &far_at);
	bind_to(far, &far_at);
	enter(T.near_ns);
	near = make_socket(SOCK_DGRAM, near_address, 7003, &near_at);
	bind_to(near, &near_at);
	assert_int_equal(connect_to(near, &far_at), 0);
	assert_int_equal(
	    setsockopt(near, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	for (i = 0; i < sizeof(data); i++)
		data[i] = packet_byte(3, i);
	T.supers = 0;
	assert_int_equal(write(near, data, sizeof(data)), sizeof(data));
	for (k = 0; k < 11; k++) {
		turn_until(far, POLLIN);
		n = read(far, got, sizeof(got));
		assert_int_equal(n, k < 10 ? 1000 : 10);
		assert_memory_equal(got, data + k * 1000, (size_t)n);
	}
	assert_int_equal(T.supers, 1);
	close(near);
	close(far);
}

static void
test_udp(void **state)
{
	(void)state;
	if (!T.uso) {
		print_message("this kernel has no USO for TUN devices\n");
		skip();
	}
	check_udp("10.0.0.2", "10.0.0.1");
	check_udp("2001:db8::2", "2001:db8::1");
}

/* NULL, or why this cannot run here. */
static const char *
missing(void)
{
	int ns, fd;

	if (geteuid() != 0)
		return "needs root";
	if (system("ip -V >/dev/null 2>&1") != 0)
		return "needs iproute2";
	if (system("sysctl -V >/dev/null 2>&1") != 0)
		return "needs sysctl";
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return "needs /dev/net/tun";
	close(fd);
	ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (ns < 0 || unshare(CLONE_NEWNET) < 0)
		return "needs network namespaces";
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
	close(ns);
	return NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kernel_cuts),
	    cmocka_unit_test(test_kernel_push),
	    cmocka_unit_test(test_bad_sum_stays),
	    cmocka_unit_test(test_tcp_stream),
	    cmocka_unit_test(test_udp),
	};
	const char *why = missing();

	if (why != NULL) {
		printf("skipped: %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
