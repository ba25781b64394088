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
	if (t->scratch == NULL)
		return -ENOMEM;
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
	free(t->scratch);
	*t = (struct tun){.fd = -1};
}

size_t
tun_read(struct tun *t, uint8_t *buf, struct vnet *ret_h, const uint8_t **ret_p,
    uint64_t *malformed)
{
	struct rd r;
	ssize_t n;

	for (;;) {
		n = read(t->fd, buf, TUN_PACKET_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		t->totals.reads++;
		r = rd_init(buf, (size_t)n);
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
