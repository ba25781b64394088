/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tun.h: the TUN device: one packet a read, which may be a super-segment of
 * many when the device was opened with IFF_VNET_HDR; small ones come many a
 * system call. Owns the descriptor and the buffers that it reads into.
 */
#ifndef ADIT_PLANE_USER_TUN_H
#define ADIT_PLANE_USER_TUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "l2tpd/plane/plane.h"
#include "l2tpd/plane/user/reads.h"
#include "l2tpd/plane/user/vnet.h"

/* A super-segment and the header in front of it. */
#define TUN_PACKET_BYTES (VNET_BYTES + 65535)

struct tun_totals {
	uint64_t reads, writes, write_errors;
	uint64_t refused; /* super-segments that had to go as packets */
};

struct tun {
	int fd;    /* -1: there is none */
	bool vnet; /* a vnet header is in front of each packet */
	/* COALESCE_ bits: what the device takes. tun_write() clears those that
	 * turn out to be broken. */
	unsigned int features;
	struct tun_totals totals;
	uint8_t *scratch; /* owned; twice TUN_PACKET_BYTES */
	uint8_t *bufs;    /* owned; READS_MAX times TUN_PACKET_BYTES */
	struct reads reads;
	size_t want;         /* packets to read at once, next time */
	size_t have, at;     /* read, and of these handed out */
	unsigned int streak; /* times on end that as many came as wanted */
	bool dry;            /* the last read found nothing */
};

/* Adopts fd, also on failure. vnet: the headers are there. tcp, udp: wanted
 * offloads; what the kernel lacks or does wrong is left out. 0; -ENOMEM. */
int tun_init(struct tun *t, int fd, bool vnet, bool tcp, bool udp);
void tun_close(struct tun *t);

/* The next packet. Its bytes, *ret_p (valid until the next call) and *ret_h
 * filled; 0: none is there. A packet with a bad header is skipped and counted
 * as a malformed one in *malformed. */
size_t tun_read(struct tun *t, struct vnet *ret_h, const uint8_t **ret_p,
    uint64_t *malformed);
/* Some have been read and not handed out: the device may not be readable any
 * more. */
static inline bool
tun_has_more(const struct tun *t)
{
	return t->at < t->have;
}

/* One packet or super-segment: iov[0] is free for the header, the packet is in
 * iov[1] to iov[n_iov - 1]. Never blocks; what cannot be written is counted. */
void tun_write(
    struct tun *t, const struct vnet *h, struct iovec *iov, int n_iov);

#endif
