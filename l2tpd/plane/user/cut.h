/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cut.h: a packet that the kernel handed out with its vnet header is cut into
 * IP packets as they go over a wire, each with all lengths and checksums right.
 * Pure; a value on the stack, nothing to free. Use:
 *
 *	if (!cut_begin(&c, &h, p, len))
 *		drop, c.why tells;
 *	find the session of c.ip.dst; c.segment_bytes > MTU: answer or drop;
 *	while ((n = cut_next(&c, slot, slot_bytes)) > 0)
 *		send n bytes at slot;
 *
 * The loop may pause at any segment (no slot left) and go on later, as long as
 * the packet stays where it is. An ordinary packet is a cut of one segment.
 */
#ifndef ADIT_PLANE_USER_CUT_H
#define ADIT_PLANE_USER_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l2tpd/plane/user/inet.h"
#include "l2tpd/plane/user/vnet.h"

struct cut {
	/* To read after cut_begin() */
	struct inet_packet ip; /* the whole, for routing and inet_too_big() */
	size_t n_segments;     /* in all, 1 or more */
	size_t segment_bytes;  /* IP bytes of the largest (the first) segment */
	const char *why;       /* what is malformed, or NULL */

	/* Of cut.c */
	const uint8_t *p; /* borrowed */
	size_t n_done;
	size_t transport_at, payload_at; /* bytes from p */
	size_t payload_bytes, gso_size;
	uint32_t ip_sum, transport_sum; /* of what is the same in all */
	uint32_t seq;
	uint16_t id, flags; /* TCP: offset and flags, as one word */
	uint16_t csum_at;   /* VNET_GSO_NONE: the field's place, 0: none */
	enum vnet_gso gso;
};

/* p: the IP packet (borrowed until the last cut_next()). False: malformed in
 * itself or against its header h; c->why is a literal, nothing else of c may be
 * used. A super-segment must be exact; behind an ordinary packet there may be
 * padding, as with inet_parse(). */
bool cut_begin(
    struct cut *c, const struct vnet *h, const uint8_t *p, size_t len);

/* The next segment to out, where its IP header is to start. Its length; 0: no
 * segment is left, or out_bytes is too small (then c->why is set, and the
 * caller may try again with more room; c->segment_bytes is always enough).
 * out must not overlap the packet. */
size_t cut_next(struct cut *c, uint8_t *out, size_t out_bytes);

/* The same without a copy for a cut of one segment that is no super-segment: p
 * is the packet, writable. Its length; 0: it is a super-segment. */
size_t cut_in_place(struct cut *c, uint8_t *p);

#endif
