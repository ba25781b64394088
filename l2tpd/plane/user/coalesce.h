/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coalesce.h: IP packets of one receive batch become super-segments, so that
 * many take one write to the TUN device. What the kernel cuts again are the
 * packets that came in. Never holds a packet beyond coalesce_flush(), which the
 * caller does at the end of each batch. Pure; copies no payload, allocates
 * nothing.
 *
 * A packet whose checksum is wrong is never merged, and never marked as good:
 * it goes to the kernel as it is. Packets of one flow (addresses, protocol and
 * ports) never overtake each other.
 */
#ifndef ADIT_PLANE_USER_COALESCE_H
#define ADIT_PLANE_USER_COALESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "l2tpd/plane/user/inet.h"
#include "l2tpd/plane/user/vnet.h"

#define COALESCE_FLOWS    16
#define COALESCE_SEGMENTS 64    /* what older kernels take, UDP_MAX_SEGMENTS */
#define COALESCE_BYTES    65535 /* of the super-segment, without vnet header */

/* What the TUN device takes (TUNSETOFFLOAD) */
#define COALESCE_TCP4 1u
#define COALESCE_TCP6 2u
#define COALESCE_UDP  4u /* USO, both families */

/* One write to the TUN device. iov[0] is free for the encoded vnet header, the
 * packet is in iov[1] to iov[n_iov - 1]; both are borrowed for the call. The
 * callback must not call into c. */
typedef void coalesce_emit(
    void *ctx, const struct vnet *h, struct iovec *iov, int n_iov);

struct coalesce_totals {
	uint64_t packets_in, packets_out; /* out: calls of emit */
	uint64_t supers;   /* of packets_out: more than one segment */
	uint64_t bad_sums; /* seen while merging; passed on unchanged */
};

/* A packet, decoded; of coalesce.c. */
struct coalesce_segment {
	uint8_t *p;
	uint32_t ports;
	uint32_t ip_word;      /* version, TOS; IPv6: flow label too */
	uint16_t id, fragment; /* IPv4 */
	uint8_t ttl;
	uint32_t seq, ack; /* TCP, to urgent */
	uint16_t flags, window, urgent;
	uint16_t ip_sum, sum; /* the fields */
	const uint8_t *options;
	size_t options_bytes, headers_bytes, payload_bytes;
	bool mergeable; /* as far as it can be seen without the sums */
	bool verified;  /* the sums are right */
};

/* A flow of which packets wait; of coalesce.c. */
struct coalesce_flow {
	struct inet_packet ip;         /* of the first packet */
	struct coalesce_segment first; /* its payload size is that of all */
	uint32_t next_seq;
	uint16_t pseudo; /* sum of addresses and protocol, from n == 2 on */
	uint16_t last_id;
	bool same_id;       /* IPv4, DF set: all have the same ID */
	bool push;          /* the last one has PSH */
	size_t total_bytes; /* of the super-segment so far */
	size_t n;           /* segments */
	struct iovec iov[1 + COALESCE_SEGMENTS];
};

struct coalesce {
	struct coalesce_totals totals; /* to read at any time */

	/* Of coalesce.c */
	unsigned int features;
	coalesce_emit *emit;
	void *ctx;
	uint32_t hash[COALESCE_FLOWS];
	uint32_t used; /* bits */
	unsigned int next_victim;
	unsigned int last; /* flow that started or was found */
	struct coalesce_flow flows[COALESCE_FLOWS];
};

/* features: COALESCE_ bits; 0: everything passes unmerged. ctx is borrowed. */
void coalesce_init(
    struct coalesce *c, unsigned int features, coalesce_emit *emit, void *ctx);

/* Change the features (an offload turned out to be broken). Nothing may wait:
 * call it after coalesce_flush(). */
void coalesce_set_features(struct coalesce *c, unsigned int features);

/* A packet of ip->total_bytes at p, parsed as ip. Borrowed and writable until
 * coalesce_flush() returns: headers of merged packets are changed. emit may be
 * called for this and for earlier packets. */
void coalesce_add(struct coalesce *c, uint8_t *p, const struct inet_packet *ip);

/* Emit all that waits. */
void coalesce_flush(struct coalesce *c);

#endif
