/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_plane_offload.c: super-segments through two user planes: in at one TUN
 * device, over UDP as few messages, out at the other; with the offloads that
 * either end has or lacks, and with a kernel that refuses them.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/wr.h"
#include "l2tpd/plane/user/coalesce.h"
#include "l2tpd/plane/user/cut.h"
#include "l2tpd/plane/user/inet.h"
#include "l2tpd/plane/user/tun.h"
#include "tests/peer/plane_net.h"

#define MSS      1348
#define SEGMENTS 20
#define LAST     500
#define SUPER    (40 + (SEGMENTS - 1) * MSS + LAST)

static const struct vnet tcp4 = {
    .needs_csum = true,
    .gso = VNET_GSO_TCPV4,
    .hdr_len = 40,
    .gso_size = MSS,
    .csum_start = 20,
    .csum_offset = 16,
};

/* 10.0.0.src to 10.0.0.dst, ACK and PSH, with the pseudo header's sum. */
static void
make_super(uint8_t p[SUPER], uint8_t src, uint8_t dst, uint32_t seq)
{
	struct wr w = wr_init(p, SUPER);
	struct rd pseudo;
	size_t i;

	wr_be16(&w, 0x4500);
	wr_be16(&w, SUPER);
	wr_be32(&w, 0x01004000); /* identification, DF */
	wr_be16(&w, 0x4006);
	wr_be16(&w, 0);
	wr_be32(&w, 0x0a000000u | src);
	wr_be32(&w, 0x0a000000u | dst);
	wr_patch_be16(&w, 10, inet_sum_end(inet_sum(0, wr_rd(&w))));
	pseudo = wr_rd(&w);
	rd_skip(&pseudo, 12);
	wr_be32(&w, 0x12345678);
	wr_be32(&w, seq);
	wr_be32(&w, 77);
	wr_be32(&w, 0x50180400);
	wr_be16(&w,
	    (uint16_t)~inet_sum_end(
		inet_sum(IPPROTO_TCP + (SUPER - 20), pseudo)));
	wr_be16(&w, 0);
	for (i = 0; w.len < SUPER; i++)
		wr_u8(&w, (uint8_t)(i * 7 + i / 251));
	assert_true(wr_ok(&w));
}

static void
send_super(struct net_server *s, const uint8_t p[SUPER])
{
	uint8_t buf[VNET_BYTES + SUPER];
	struct wr w = wr_init(buf, sizeof(buf));

	vnet_encode(&w, &tcp4);
	wr_bytes(&w, p, SUPER);
	assert_int_equal(write(s->tun, buf, w.len), w.len);
}

/* What the kernel would get; 0: nothing came. */
static size_t
receive(struct net_server *s, bool vnet, struct vnet *ret, uint8_t *p)
{
	uint8_t buf[TUN_PACKET_BYTES];
	ssize_t n = recv(s->tun, buf, sizeof(buf), MSG_DONTWAIT);
	struct rd r = rd_init(buf, n > 0 ? (size_t)n : 0);

	if (n <= 0)
		return 0;
	if (vnet)
		assert_true(vnet_decode(&r, ret));
	memcpy(p, r.p, r.left);
	return r.left;
}

static void
turn(struct net_server *a, struct net_server *b)
{
	net_turn(a);
	net_turn(b);
}

struct pair {
	struct net_server a, b;
};

static void
start(struct pair *f, unsigned int at_a, unsigned int at_b)
{
	net_server_start_with(&f->a, false, at_a);
	net_server_start_with(&f->b, false, at_b);
	net_connect_planes(&f->a, &f->b);
}

static void
stop(struct pair *f)
{
	net_server_stop(&f->a);
	net_server_stop(&f->b);
}

/* All segments of super at b, one by one, as cut.c makes them. */
static void
assert_segments(struct net_server *b, bool vnet, const uint8_t *super)
{
	static uint8_t got[TUN_PACKET_BYTES], want[2048];
	struct vnet h = {.gso = VNET_GSO_NONE};
	struct cut c;
	size_t n, i;

	assert_true(cut_begin(&c, &tcp4, super, SUPER));
	for (i = 0; i < SEGMENTS; i++) {
		n = receive(b, vnet, &h, got);
		assert_int_equal(n, cut_next(&c, want, sizeof(want)));
		assert_memory_equal(got, want, n);
		assert_int_equal(h.gso, VNET_GSO_NONE);
	}
	assert_int_equal(receive(b, vnet, &h, got), 0);
}

static void
super_in_super_out(void **state)
{
	static uint8_t super[SUPER], got[TUN_PACKET_BYTES];
	struct plane_totals t;
	struct pair f;
	struct vnet h;

	(void)state;
	start(&f, PLANE_OFFLOAD_ALL, PLANE_OFFLOAD_ALL);
	make_super(super, 99, 1, 1000);
	send_super(&f.a, super);
	turn(&f.a, &f.b);
	assert_int_equal(receive(&f.b, true, &h, got), SUPER);
	assert_memory_equal(got, super, SUPER);
	assert_int_equal(h.gso, VNET_GSO_TCPV4);
	assert_int_equal(h.gso_size, MSS);
	assert_true(h.needs_csum);
	assert_int_equal(receive(&f.b, true, &h, got), 0);

	plane_totals(f.a.plane, &t);
	assert_int_equal(t.tun_reads, 1);
	assert_int_equal(t.tx_packets, SEGMENTS);
	assert_int_equal(t.tx_messages, 1);
	assert_int_equal(t.gso_refused + t.send_errors + t.drop_tx_full, 0);
	plane_totals(f.b.plane, &t);
	assert_int_equal(t.rx_packets, SEGMENTS);
	assert_true(t.rx_messages <= SEGMENTS);
	assert_int_equal(t.tun_writes, 1);
	stop(&f);
}

/* Either end may lack either kind of offload; nobody notices. */
static void
every_combination_carries_the_same(void **state)
{
	static uint8_t super[SUPER], got[TUN_PACKET_BYTES];
	unsigned int at_a, at_b;
	struct pair f;
	struct vnet h;

	(void)state;
	for (at_a = 0; at_a <= PLANE_OFFLOAD_ALL; at_a++) {
		if ((at_a & PLANE_TUN_TCP) == 0)
			continue; /* then nobody hands out super-segments */
		for (at_b = 0; at_b <= PLANE_OFFLOAD_ALL; at_b++) {
			start(&f, at_a, at_b);
			make_super(super, 99, 1, at_a << 8 | at_b);
			send_super(&f.a, super);
			turn(&f.a, &f.b);
			if (at_b & PLANE_TUN_TCP) {
				assert_int_equal(
				    receive(&f.b, true, &h, got), SUPER);
				assert_memory_equal(got, super, SUPER);
			} else {
				assert_segments(
				    &f.b, (at_b & PLANE_TUN_UDP) != 0, super);
			}
			stop(&f);
		}
	}
}

/* Two flows of one client, and many rounds: more than one batch holds. */
static void
batches_overflow_in_order(void **state)
{
	static uint8_t super[SUPER], got[TUN_PACKET_BYTES];
	struct plane_totals t;
	struct pair f;
	struct vnet h;
	uint32_t i;

	(void)state;
	start(&f, PLANE_OFFLOAD_ALL, PLANE_OFFLOAD_ALL);
	for (i = 0; i < 5; i++) {
		make_super(super, 99, 1, i * 100000);
		send_super(&f.a, super);
	}
	turn(&f.a, &f.b);
	for (i = 0; i < 5; i++) {
		make_super(super, 99, 1, i * 100000);
		assert_int_equal(receive(&f.b, true, &h, got), SUPER);
		assert_memory_equal(got, super, SUPER);
	}
	plane_totals(f.a.plane, &t);
	assert_int_equal(t.tx_packets, 5 * SEGMENTS);
	assert_true(t.tx_messages <= 5);
	plane_totals(f.b.plane, &t);
	assert_int_equal(t.drop_replayed + t.drop_malformed, 0);
	stop(&f);
}

/* A socket without checksums cannot be segmented (udp(7) says nothing of it,
 * the kernel answers EINVAL): what came in one message goes singly, once. */
static void
refused_gso_falls_back(void **state)
{
	static uint8_t super[SUPER];
	struct plane_totals t;
	struct pair f;
	int i, on = 1;

	(void)state;
	start(&f, PLANE_OFFLOAD_ALL, 0);
	assert_int_equal(
	    setsockopt(f.a.fd4500, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)),
	    0);
	for (i = 0; i < 2; i++) {
		make_super(super, 99, 1, 5);
		send_super(&f.a, super);
		turn(&f.a, &f.b);
		assert_segments(&f.b, false, super);
	}
	assert_int_equal(f.a.offload_off.count, 1);
	assert_int_equal(f.a.offload_off.id, PLANE_UDP_GSO);
	plane_totals(f.a.plane, &t);
	assert_int_equal(t.gso_refused, 1);
	assert_int_equal(t.tx_packets, 2 * SEGMENTS);
	assert_int_equal(t.tx_messages, 2 * SEGMENTS);
	assert_int_equal(t.send_errors, 0);
	stop(&f);
}

/* A descriptor that answers EINVAL to every write. */
static void
refused_super_is_cut(void **state)
{
	static uint8_t super[SUPER];
	struct iovec iov[2] = {{NULL, 0}, {super, SUPER}};
	struct tun t;

	(void)state;
	make_super(super, 1, 99, 5);
	assert_int_equal(
	    tun_init(&t, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), true,
		true, true),
	    0);
	assert_int_equal(
	    t.features, COALESCE_TCP4 | COALESCE_TCP6 | COALESCE_UDP);
	tun_write(&t, &tcp4, iov, 2);
	assert_int_equal(t.features, 0);
	assert_int_equal(t.totals.refused, 1);
	assert_int_equal(t.totals.writes, 1 + SEGMENTS);
	assert_int_equal(t.totals.write_errors, SEGMENTS);
	tun_close(&t);
}

/* The kernel's header may lie: nothing goes out, nothing breaks. */
static void
lying_headers_are_dropped(void **state)
{
	static const size_t fields[] = {1, 2, 4, 6, 8};
	static uint8_t super[SUPER], buf[VNET_BYTES + SUPER];
	struct plane_totals t;
	struct pair f;
	struct wr w;
	size_t i;

	(void)state;
	start(&f, PLANE_OFFLOAD_ALL, 0);
	make_super(super, 99, 1, 5);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		w = wr_init(buf, sizeof(buf));
		vnet_encode(&w, &tcp4);
		wr_bytes(&w, super, SUPER);
		buf[fields[i]] = fields[i] == 2 ? 255 : 77;
		if (fields[i] == 4) /* a segment of nothing */
			buf[4] = buf[5] = 0;
		assert_int_equal(write(f.a.tun, buf, w.len), w.len);
	}
	assert_int_equal(write(f.a.tun, buf, VNET_BYTES), VNET_BYTES);
	assert_int_equal(write(f.a.tun, buf, 3), 3);
	turn(&f.a, &f.b);
	plane_totals(f.a.plane, &t);
	assert_int_equal(t.tun_reads, 7);
	assert_true(t.drop_malformed >= 6); /* hdr_len is but a hint */
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(super_in_super_out),
	    cmocka_unit_test(every_combination_carries_the_same),
	    cmocka_unit_test(batches_overflow_in_order),
	    cmocka_unit_test(refused_gso_falls_back),
	    cmocka_unit_test(refused_super_is_cut),
	    cmocka_unit_test(lying_headers_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
