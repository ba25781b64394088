/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tun.c: reads and writes of the TUN device (contract in tun.h). Trusts the
 * kernel to mean well, not to be free of bugs: a super-segment that it refuses
 * (EINVAL from a correct one: kernels between e269d79c7d35 and 89add40066f9) is
 * cut here and written packet by packet, and no other one is tried.
 */
#include "l2tpd/plane/user/tun.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/wr.h"
#include "l2tpd/plane/user/coalesce.h"
#include "l2tpd/plane/user/cut.h"

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define SMALL_BYTES 2048 /* of a packet that comes in great numbers */
#define GROW_STREAK 2    /* so that a lonely packet costs no more than before */

#define PROBE_SEGMENT 8 /* payload bytes */
#define PROBE_BYTES   (20 + 20 + 2 * PROBE_SEGMENT)

bool
plane_tun_has_vnet(int fd)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	return fd >= 0 && ioctl(fd, TUNGETIFF, &ifr) == 0 &&
	    ((unsigned int)ifr.ifr_flags & IFF_VNET_HDR) != 0;
}

static bool
set_offload(int fd, bool tcp, bool udp)
{
	unsigned long flags = TUN_F_CSUM;

	if (tcp)
		flags |= TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	if (udp)
		flags |= TUN_F_USO4 | TUN_F_USO6;
	return ioctl(fd, TUNSETOFFLOAD, flags) == 0;
}

/* RFC 791 3.1, 9293 3.1: a TCP super-segment of two from 0.0.0.0, a source that
 * no router accepts (RFC 1812 5.3.7): it is dropped behind the device. What
 * counts is whether the write is refused. */
static bool
probe_write(struct tun *t)
{
	const struct vnet h = {
	    .needs_csum = true,
	    .gso = VNET_GSO_TCPV4,
	    .hdr_len = 40,
	    .gso_size = PROBE_SEGMENT,
	    .csum_start = 20,
	    .csum_offset = 16,
	};
	uint8_t packet[PROBE_BYTES], head[VNET_BYTES];
	struct wr w = wr_init(packet, sizeof(packet));
	struct wr hw = wr_init(head, sizeof(head));
	struct iovec iov[2] = {{head, sizeof(head)}, {packet, sizeof(packet)}};

	wr_be32(&w, 0x45000000u | PROBE_BYTES);
	wr_be32(&w, 0x00004000); /* DF */
	wr_be32(&w, 0x01060000); /* TTL 1, TCP */
	wr_zero(&w, 4);
	wr_be32(&w, 0x7f000001);
	wr_patch_be16(&w, 10, inet_sum_end(inet_sum(0, wr_rd(&w))));
	wr_be32(&w, 0x00090009); /* discard */
	wr_be32(&w, 1);
	wr_be32(&w, 1);
	wr_be32(&w, 0x50100000); /* 20 bytes of header, ACK */
	wr_zero(&w, 4 + 2 * (size_t)PROBE_SEGMENT);
	return vnet_encode(&hw, &h) && wr_ok(&w) && writev(t->fd, iov, 2) > 0;
}

int
tun_init(struct tun *t, int fd, bool vnet, bool tcp, bool udp)
{
	*t = (struct tun){.fd = fd, .vnet = vnet};
	t->scratch = malloc(2 * TUN_PACKET_BYTES);
	t->bufs = malloc(READS_MAX * TUN_PACKET_BYTES);
	if (t->scratch == NULL || t->bufs == NULL)
		return -ENOMEM;
	t->want = 1;
	if (fd >= 0)
		(void)reads_init(&t->reads, fd, t->bufs, TUN_PACKET_BYTES);
	if (fd < 0 || !vnet)
		return 0;
	/* not a TUN device: a test, which takes everything */
	if (!plane_tun_has_vnet(fd)) {
		t->features = (tcp ? COALESCE_TCP4 | COALESCE_TCP6 : 0) |
		    (udp ? COALESCE_UDP : 0);
		return 0;
	}
	if (udp && !set_offload(fd, tcp, true))
		udp = false;
	if (!udp && !set_offload(fd, tcp, false))
		tcp = false; /* the device hands out packets only */
	if (tcp && probe_write(t))
		t->features = COALESCE_TCP4 | COALESCE_TCP6;
	if (udp && t->features != 0)
		t->features |= COALESCE_UDP;
	return 0;
}

void
tun_close(struct tun *t)
{
	if (t->fd >= 0)
		close(t->fd);
	reads_fini(&t->reads);
	free(t->scratch);
	free(t->bufs);
	*t = (struct tun){.fd = -1};
}

/* One packet, the plain way. */
static void
read_one(struct tun *t)
{
	ssize_t n;

	do
		n = read(t->fd, t->bufs, TUN_PACKET_BYTES);
	while (n < 0 && errno == EINTR);
	t->reads.result[0] = n;
	t->have = 1;
}

/* Many only when many have come, and small ones: a super-segment is many
 * packets itself, and a single buffer for all of them stays in the cache. */
static void
choose_want(struct tun *t)
{
	size_t i, got = 0;
	bool small = true;

	for (i = 0; i < t->have; i++) {
		got += t->reads.result[i] > 0;
		small = small && t->reads.result[i] <= SMALL_BYTES;
	}
	t->dry = t->reads.result[t->have - 1] <= 0;
	t->streak = t->dry || !small ? 0 : t->streak + 1;
	if (!small || t->reads.ctx == 0)
		t->want = 1;
	else if (t->streak >= GROW_STREAK && t->want < READS_MAX)
		t->want *= 2;
	else if (got < t->want / 2)
		t->want /= 2;
}

static void
fetch(struct tun *t)
{
	t->at = t->have = 0;
	if (t->want > 1) {
		t->have = reads_run(&t->reads, t->want);
		if (t->have == 0)
			reads_fini(&t->reads);
	}
	if (t->have == 0)
		read_one(t);
	choose_want(t);
}

size_t
tun_read(struct tun *t, struct vnet *ret_h, const uint8_t **ret_p,
    uint64_t *malformed)
{
	struct rd r;
	ssize_t n;

	for (;;) {
		if (!tun_has_more(t)) {
			if (t->dry) { /* looked already */
				t->dry = false;
				return 0;
			}
			fetch(t);
		}
		n = t->reads.result[t->at];
		r = rd_init(
		    t->bufs + t->at * TUN_PACKET_BYTES, n > 0 ? (size_t)n : 0);
		t->at++;
		if (n <= 0)
			continue; /* none was left for this read */
		t->totals.reads++;
		*ret_h = (struct vnet){.gso = VNET_GSO_NONE};
		if ((!t->vnet || vnet_decode(&r, ret_h)) && r.left > 0) {
			*ret_p = r.p;
			return r.left;
		}
		(*malformed)++;
	}
}

static bool
write_one(struct tun *t, const struct vnet *h, struct iovec *iov, int n_iov)
{
	uint8_t head[VNET_BYTES];
	struct wr w = wr_init(head, sizeof(head));
	ssize_t n;

	if (t->vnet) {
		vnet_encode(&w, h);
		iov[0] = (struct iovec){head, sizeof(head)};
	} else {
		iov++;
		n_iov--;
	}
	do
		n = writev(t->fd, iov, n_iov);
	while (n < 0 && errno == EINTR);
	t->totals.writes++;
	return n >= 0;
}

/* As packets, the way the kernel should have cut it. */
static void
write_cut(
    struct tun *t, const struct vnet *h, const struct iovec *iov, int n_iov)
{
	static const struct vnet plain = {.gso = VNET_GSO_NONE};
	struct wr whole = wr_init(t->scratch, TUN_PACKET_BYTES);
	uint8_t *segment = t->scratch + TUN_PACKET_BYTES;
	struct iovec out[2];
	struct cut c;
	size_t n;
	int i;

	for (i = 1; i < n_iov; i++)
		wr_bytes(&whole, iov[i].iov_base, iov[i].iov_len);
	if (!wr_ok(&whole) || !cut_begin(&c, h, t->scratch, whole.len)) {
		t->totals.write_errors++;
		return;
	}
	while ((n = cut_next(&c, segment, TUN_PACKET_BYTES)) > 0) {
		out[1] = (struct iovec){segment, n};
		t->totals.write_errors += !write_one(t, &plain, out, 2);
	}
}

void
tun_write(struct tun *t, const struct vnet *h, struct iovec *iov, int n_iov)
{
	if (t->fd < 0) {
		t->totals.write_errors++;
		return;
	}
	if (write_one(t, h, iov, n_iov))
		return;
	if (h->gso == VNET_GSO_NONE || errno != EINVAL) {
		t->totals.write_errors++; /* EIO: the device is down */
		return;
	}
	t->totals.refused++;
	t->features =
	    h->gso == VNET_GSO_UDP_L4 ? t->features & ~COALESCE_UDP : 0;
	write_cut(t, h, iov, n_iov);
}
