/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cut.c: super-segments into IP packets (contracts in cut.h). Owns nothing.
 * Believes neither the vnet header nor the packet: they are compared, and what
 * does not agree is malformed.
 *
 * RFC 791 (ID, header checksum), 768, 9293 3.1, 3168 6.1.2 (CWR goes with the
 * first segment alone), 8200 8.1, done as the kernel's own segmentation does
 * them, with these exceptions:
 *  - a super-segment with SYN or RST, a fragment and one with an IPv6 routing
 *    or fragment header is malformed; hop-by-hop and destination options are
 *    copied to all segments, as IPv4 options are;
 *  - the header's hdr_len is not used: the kernel puts there what it happens
 *    to hold in one piece.
 */
#include "l2tpd/plane/user/cut.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"

#define PROTO_HOP_BY_HOP  0
#define PROTO_TCP         6
#define PROTO_UDP         17
#define PROTO_FRAGMENT    44
#define PROTO_DESTINATION 60

#define IP_BYTES_MAX       65535
#define IPV4_TOTAL_AT      2
#define IPV4_ID_AT         4
#define IPV4_FRAGMENT_AT   6
#define IPV4_CHECKSUM_AT   10
#define IPV4_FRAGMENT_MASK 0x3fffu /* more fragments, offset */
#define IPV6_PAYLOAD_AT    4

#define TCP_HEADER_BYTES 20
#define TCP_SEQ_AT       4
#define TCP_FLAGS_AT     12 /* with the data offset */
#define TCP_CHECKSUM_AT  16
#define TCP_FIN          0x0001u
#define TCP_SYN          0x0002u
#define TCP_RST          0x0004u
#define TCP_PSH          0x0008u
#define TCP_CWR          0x0080u
#define UDP_HEADER_BYTES 8
#define UDP_LENGTH_AT    4
#define UDP_CHECKSUM_AT  6

static bool
malformed(struct cut *c, const char *why)
{
	c->why = why;
	return false;
}

static struct rd
reader_at(const struct cut *c, size_t at)
{
	struct rd r = rd_init(c->p, c->ip.total_bytes);

	rd_skip(&r, at);
	return r;
}

static bool
is_fragment(const struct cut *c)
{
	struct rd r = reader_at(c, IPV4_FRAGMENT_AT);
	uint16_t word;

	if (c->ip.version == 6)
		return c->ip.protocol == PROTO_FRAGMENT;
	return !rd_be16(&r, &word) || (word & IPV4_FRAGMENT_MASK) != 0;
}

/* RFC 8200 8.1 and 9293 3.1, without the length */
static uint32_t
sum_pseudo(const struct cut *c, uint8_t protocol)
{
	size_t n = c->ip.version == 4 ? 4 : 16;

	return (uint32_t)checksum_sum(c->ip.src, n) +
	    checksum_sum(c->ip.dst, n) + protocol;
}

/* An ordinary packet, maybe with a checksum to complete. */
static bool
begin_single(struct cut *c, const struct vnet *h)
{
	size_t field = (size_t)h->csum_start + h->csum_offset;

	c->n_segments = 1;
	c->segment_bytes = c->ip.total_bytes;
	if (!h->needs_csum)
		return true;
	if (is_fragment(c))
		return malformed(c, "checksum of a fragment");
	if (h->csum_start < c->ip.header_bytes ||
	    field + 2 > c->ip.total_bytes || h->csum_offset % 2 != 0)
		return malformed(c, "checksum out of range");
	c->transport_at = h->csum_start;
	c->csum_at = (uint16_t)field;
	return true;
}

/* Where the header of protocol starts; behind options, for IPv6. */
static bool
find_transport(struct cut *c, uint8_t protocol)
{
	struct rd r = reader_at(c, c->ip.header_bytes);
	uint8_t next = c->ip.protocol, len;

	while (c->ip.version == 6 &&
	    (next == PROTO_HOP_BY_HOP || next == PROTO_DESTINATION)) {
		rd_u8(&r, &next);
		if (!rd_u8(&r, &len) || !rd_skip(&r, (size_t)len * 8 + 6))
			return malformed(c, "extension header truncated");
	}
	if (next != protocol)
		return malformed(c, "protocol is not that of the segmentation");
	c->transport_at = c->ip.total_bytes - r.left;
	return true;
}

static bool
begin_tcp(struct cut *c, uint16_t *ret_partial)
{
	struct rd r = reader_at(c, c->transport_at);
	size_t whole = r.left, header_bytes;
	uint16_t flags;
	uint32_t seq;

	rd_skip(&r, TCP_SEQ_AT);
	rd_be32(&r, &seq);
	rd_skip(&r, 4);
	rd_be16(&r, &flags);
	rd_skip(&r, 2);
	rd_be16(&r, ret_partial);
	rd_skip(&r, 2);
	if (!rd_ok(&r))
		return malformed(c, "TCP header truncated");
	header_bytes = (size_t)(flags >> 12) * 4;
	if (header_bytes < TCP_HEADER_BYTES || header_bytes > whole)
		return malformed(c, "TCP data offset");
	if ((flags & (TCP_SYN | TCP_RST)) != 0)
		return malformed(c, "super-segment with SYN or RST");
	c->seq = seq;
	c->flags = flags;
	c->payload_at = c->transport_at + header_bytes;
	/* all but sequence number, flags and checksum */
	c->transport_sum = sum_pseudo(c, PROTO_TCP) +
	    checksum_sum(c->p + c->transport_at, header_bytes) +
	    (uint16_t) ~(seq >> 16) + (uint16_t)~seq + (uint16_t)~flags +
	    (uint16_t) ~*ret_partial;
	return true;
}

static bool
begin_udp(struct cut *c, uint16_t *ret_partial)
{
	struct rd r = reader_at(c, c->transport_at);
	size_t whole = r.left;
	uint16_t len;

	rd_skip(&r, UDP_LENGTH_AT);
	rd_be16(&r, &len);
	rd_be16(&r, ret_partial);
	if (!rd_ok(&r))
		return malformed(c, "UDP header truncated");
	if (len != whole)
		return malformed(c, "UDP length");
	c->payload_at = c->transport_at + UDP_HEADER_BYTES;
	c->transport_sum = sum_pseudo(c, PROTO_UDP) +
	    checksum_sum(c->p + c->transport_at, UDP_LENGTH_AT);
	return true;
}

/* What the header says of the checksum. With IPv6 options the addresses may not
 * be those of the pseudo-header (RFC 6275 6.3): then the kernel's sum tells. */
static bool
check_sum_request(
    struct cut *c, const struct vnet *h, uint8_t protocol, uint16_t partial)
{
	uint16_t offset =
	    protocol == PROTO_TCP ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT;
	size_t len = c->ip.total_bytes - c->transport_at;

	if (!h->needs_csum && !h->data_valid)
		return malformed(c, "super-segment with unknown checksum");
	if (h->needs_csum &&
	    (h->csum_start != c->transport_at || h->csum_offset != offset))
		return malformed(c, "checksum not where the protocol has it");
	if (c->ip.version == 6 && c->transport_at != c->ip.header_bytes &&
	    (!h->needs_csum ||
		partial !=
		    checksum_fold(sum_pseudo(c, protocol) + (uint32_t)len)))
		return malformed(c, "other addresses in the checksum");
	return true;
}

static void
prepare_ipv4(struct cut *c)
{
	struct rd r = reader_at(c, IPV4_TOTAL_AT);
	uint16_t total = 0, sum = 0;

	rd_be16(&r, &total);
	rd_be16(&r, &c->id);
	rd_skip(&r, 4);
	rd_be16(&r, &sum);
	c->ip_sum = (uint32_t)checksum_sum(c->p, c->ip.header_bytes) +
	    (uint16_t)~total + (uint16_t)~c->id + (uint16_t)~sum;
}

static bool
begin_super(struct cut *c, const struct vnet *h, size_t len)
{
	uint8_t protocol = h->gso == VNET_GSO_UDP_L4 ? PROTO_UDP : PROTO_TCP;
	uint16_t partial;

	if ((h->gso == VNET_GSO_TCPV4 && c->ip.version != 4) ||
	    (h->gso == VNET_GSO_TCPV6 && c->ip.version != 6))
		return malformed(c, "IP version is not of the segmentation");
	if (c->ip.total_bytes != len || h->hdr_len > len)
		return malformed(c, "length of a super-segment");
	if (is_fragment(c))
		return malformed(c, "super-segment in a fragment");
	if (!find_transport(c, protocol) ||
	    !(protocol == PROTO_TCP ? begin_tcp(c, &partial)
				    : begin_udp(c, &partial)) ||
	    !check_sum_request(c, h, protocol, partial))
		return false;
	c->payload_bytes = len - c->payload_at;
	c->gso_size = h->gso_size;
	if (c->gso_size == 0 || c->gso_size > c->payload_bytes)
		return malformed(c, "segment size");
	c->n_segments = (c->payload_bytes + c->gso_size - 1) / c->gso_size;
	c->segment_bytes = c->payload_at + c->gso_size;
	if (c->ip.version == 4)
		prepare_ipv4(c);
	return true;
}

bool
cut_begin(struct cut *c, const struct vnet *h, const uint8_t *p, size_t len)
{
	*c = (struct cut){.p = p, .gso = h->gso};
	if (len > IP_BYTES_MAX)
		return malformed(c, "longer than an IP packet");
	if (!inet_parse(rd_init(p, len), &c->ip))
		return malformed(c, "no IP packet");
	return h->gso == VNET_GSO_NONE ? begin_single(c, h)
				       : begin_super(c, h, len);
}

/* RFC 768; and no harm to others, for which both are zero (RFC 1624 3) */
static uint16_t
never_zero(uint16_t checksum)
{
	return checksum != 0 ? checksum : 0xffff;
}

static size_t
single(struct cut *c, uint8_t *out, size_t out_bytes)
{
	struct wr w = wr_init(out, out_bytes);
	size_t rest = c->ip.total_bytes - c->transport_at;
	uint16_t sum;
	uint8_t *to;

	if (c->csum_at == 0)
		wr_bytes(&w, c->p, c->ip.total_bytes);
	else if (wr_bytes(&w, c->p, c->transport_at) &&
	    wr_space(&w, rest, &to)) {
		/* the field holds the sum of the pseudo-header */
		sum = checksum_copy(to, c->p + c->transport_at, rest);
		wr_patch_be16(&w, c->csum_at, never_zero(checksum_end(sum)));
	}
	return wr_ok(&w) ? c->ip.total_bytes : 0;
}

/* h: the segment's copy of the headers. */
static void
finish_ip(const struct cut *c, uint8_t *h, size_t total)
{
	uint16_t len = (uint16_t)total;
	uint16_t id = (uint16_t)(c->id + c->n_done);

	if (c->ip.version == 6) {
		store_be16(h + IPV6_PAYLOAD_AT,
		    (uint16_t)(total - INET_IPV6_HEADER_BYTES));
		return;
	}
	store_be16(h + IPV4_TOTAL_AT, len);
	store_be16(h + IPV4_ID_AT, id);
	store_be16(h + IPV4_CHECKSUM_AT, checksum_end(c->ip_sum + len + id));
}

/* h: at the TCP header. sum: of the payload. len: of header and payload. */
static void
finish_tcp(const struct cut *c, uint8_t *h, uint32_t sum, uint16_t len)
{
	uint32_t seq = c->seq + (uint32_t)(c->n_done * c->gso_size);
	uint16_t flags = c->flags;

	if (c->n_done > 0)
		flags &= (uint16_t)~TCP_CWR;
	if (c->n_done + 1 < c->n_segments)
		flags &= (uint16_t) ~(TCP_FIN | TCP_PSH);
	sum += c->transport_sum + len + flags + (seq >> 16) + (uint16_t)seq;
	store_be32(h + TCP_SEQ_AT, seq);
	store_be16(h + TCP_FLAGS_AT, flags);
	store_be16(h + TCP_CHECKSUM_AT, checksum_end(sum));
}

static void
finish_udp(const struct cut *c, uint8_t *h, uint32_t sum, uint16_t len)
{
	sum += c->transport_sum + len; /* pseudo-header */
	sum += len;
	store_be16(h + UDP_LENGTH_AT, len);
	store_be16(h + UDP_CHECKSUM_AT, never_zero(checksum_end(sum)));
}

static size_t
segment(struct cut *c, uint8_t *out, size_t out_bytes)
{
	struct wr w = wr_init(out, out_bytes);
	size_t from = c->n_done * c->gso_size, total;
	size_t n = c->payload_bytes - from;
	uint16_t len;
	uint32_t sum;
	uint8_t *h;

	if (n > c->gso_size)
		n = c->gso_size;
	total = c->payload_at + n;
	if (!wr_space(&w, total, &h))
		return 0;
	memcpy(h, c->p, c->payload_at);
	sum = checksum_copy(h + c->payload_at, c->p + c->payload_at + from, n);
	len = (uint16_t)(total - c->transport_at);
	finish_ip(c, h, total);
	if (c->gso == VNET_GSO_UDP_L4)
		finish_udp(c, h + c->transport_at, sum, len);
	else
		finish_tcp(c, h + c->transport_at, sum, len);
	return total;
}

size_t
cut_next(struct cut *c, uint8_t *out, size_t out_bytes)
{
	size_t n;

	if (c->n_done == c->n_segments)
		return 0;
	n = c->gso == VNET_GSO_NONE ? single(c, out, out_bytes)
				    : segment(c, out, out_bytes);
	c->why = n > 0 ? NULL : "no room for a segment";
	c->n_done += n > 0;
	return n;
}

size_t
cut_in_place(struct cut *c, uint8_t *p)
{
	size_t total = c->ip.total_bytes;
	struct wr w = wr_init(p, total);
	uint16_t sum;
	uint8_t *all;

	if (c->gso != VNET_GSO_NONE || c->n_done > 0)
		return 0;
	if (c->csum_at != 0 && wr_space(&w, total, &all)) {
		sum = checksum_sum(
		    all + c->transport_at, total - c->transport_at);
		wr_patch_be16(&w, c->csum_at, never_zero(checksum_end(sum)));
	}
	c->n_done = 1;
	return total;
}
