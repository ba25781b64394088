/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coalesce.c: IP packets into super-segments (contracts in coalesce.h). Owns
 * nothing. Trusts nothing of a packet but that inet_parse() accepted it.
 *
 * RFC 9293 3.1, 768, 791 and 8200: a packet may be merged when the kernel's
 * segmentation of the super-segment gives it back: everything but sequence
 * number, ID, lengths, checksums and the last one's PSH is the same in all.
 * Exception: with DF set, all IDs may be the same; then the segments get
 * increasing ones, which RFC 6864 4.1 permits for atomic datagrams.
 *
 * Checksums are verified when a second packet is there to merge, not before: a
 * lonely packet's is the receiver's to verify. So a checksum that the kernel
 * is asked to make replaces only checksums that were right.
 */
#include "l2tpd/plane/user/coalesce.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"

#define PROTO_TCP 6
#define PROTO_UDP 17

#define IPV4_TOTAL_AT    2
#define IPV4_ID_AT       4
#define IPV4_FRAGMENT_AT 6
#define IPV4_TTL_AT      8
#define IPV4_CHECKSUM_AT 10
#define IPV4_DF          0x4000u
#define IPV4_FRAGMENT    0x3fffu /* more fragments, offset */
#define IPV6_PAYLOAD_AT  4
#define IPV6_TTL_AT      7 /* hop limit */

#define TCP_HEADER_BYTES 20
#define TCP_SEQ_AT       4
#define TCP_ACK_AT       8
#define TCP_FLAGS_AT     12 /* with the data offset */
#define TCP_WINDOW_AT    14
#define TCP_CHECKSUM_AT  16
#define TCP_URGENT_AT    18
#define TCP_FLAGS        0x0fffu /* and what is reserved */
#define TCP_PSH          0x0008u
#define TCP_ACK          0x0010u
#define UDP_HEADER_BYTES 8
#define UDP_LENGTH_AT    4
#define UDP_CHECKSUM_AT  6

/* Never made by a sender (the sum of a header is not zero), and not what the
 * kernel's segmentation would make again. */
#define NEGATIVE_ZERO 0xffff

void
coalesce_init(
    struct coalesce *c, unsigned int features, coalesce_emit *emit, void *ctx)
{
	memset(c, 0, sizeof(*c));
	c->features = features;
	c->emit = emit;
	c->ctx = ctx;
}

void
coalesce_set_features(struct coalesce *c, unsigned int features)
{
	c->features = features;
}

/* The IP header at h. True: what follows may be merged. */
static bool
decode_ip(
    const uint8_t *h, const struct inet_packet *ip, struct coalesce_segment *s)
{
	if (ip->version == 6) {
		s->ip_word = load_be32(h);
		s->ttl = h[IPV6_TTL_AT];
		return true;
	}
	s->ip_word = load_be16(h);
	s->id = load_be16(h + IPV4_ID_AT);
	s->fragment = load_be16(h + IPV4_FRAGMENT_AT);
	s->ttl = h[IPV4_TTL_AT];
	s->ip_sum = load_be16(h + IPV4_CHECKSUM_AT);
	return ip->header_bytes == INET_IPV4_HEADER_BYTES &&
	    (s->fragment == 0 || s->fragment == IPV4_DF) &&
	    s->ip_sum != NEGATIVE_ZERO;
}

static bool
decode_tcp(struct rd *r, struct coalesce_segment *s)
{
	size_t whole = r->left, header_bytes;
	const uint8_t *h;

	if (!rd_take(r, TCP_HEADER_BYTES, &h))
		return false;
	s->seq = load_be32(h + TCP_SEQ_AT);
	s->ack = load_be32(h + TCP_ACK_AT);
	s->flags = load_be16(h + TCP_FLAGS_AT);
	s->window = load_be16(h + TCP_WINDOW_AT);
	s->sum = load_be16(h + TCP_CHECKSUM_AT);
	s->urgent = load_be16(h + TCP_URGENT_AT);
	header_bytes = (size_t)(s->flags >> 12) * 4;
	if (header_bytes < TCP_HEADER_BYTES || header_bytes > whole)
		return false;
	s->options_bytes = header_bytes - TCP_HEADER_BYTES;
	rd_take(r, s->options_bytes, &s->options);
	return ((s->flags & TCP_FLAGS) | TCP_PSH) == (TCP_ACK | TCP_PSH) &&
	    s->sum != NEGATIVE_ZERO;
}

static bool
decode_udp(struct rd *r, struct coalesce_segment *s)
{
	size_t whole = r->left;
	const uint8_t *h;

	if (!rd_take(r, UDP_HEADER_BYTES, &h))
		return false;
	s->sum = load_be16(h + UDP_CHECKSUM_AT);
	return load_be16(h + UDP_LENGTH_AT) == whole && s->sum != 0;
}

/* False: not a packet of a flow that could be named. */
static bool
decode(const struct coalesce *c, uint8_t *p, const struct inet_packet *ip,
    struct coalesce_segment *s)
{
	struct rd r = rd_init(p, ip->total_bytes);
	unsigned int feature;
	const uint8_t *h;
	bool ok;

	*s = (struct coalesce_segment){.p = p};
	if ((ip->protocol != PROTO_TCP && ip->protocol != PROTO_UDP) ||
	    !rd_take(&r, ip->header_bytes, &h))
		return false;
	ok = decode_ip(h, ip, s);
	if ((s->fragment & IPV4_FRAGMENT) != 0 || !rd_peek_be32(&r, &s->ports))
		return false;
	if (ip->protocol == PROTO_TCP) {
		feature = ip->version == 4 ? COALESCE_TCP4 : COALESCE_TCP6;
		ok = decode_tcp(&r, s) && ok;
	} else {
		feature = COALESCE_UDP;
		ok = decode_udp(&r, s) && ok;
	}
	s->payload_bytes = r.left;
	s->headers_bytes = ip->total_bytes - r.left;
	s->mergeable = ok && r.left > 0 && (c->features & feature) != 0 &&
	    ip->total_bytes <= COALESCE_BYTES;
	return true;
}

static uint32_t
mix(uint32_t hash, const uint8_t address[16])
{
	uint64_t half[2];

	memcpy(half, address, 16);
	half[0] = (half[0] ^ hash) * 0x9e3779b97f4a7c15u;
	half[1] = (half[1] ^ half[0] >> 32) * 0x9e3779b97f4a7c15u;
	return (uint32_t)((half[0] ^ half[1]) >> 32);
}

static uint32_t
hash_of(const struct inet_packet *ip, const struct coalesce_segment *s)
{
	return mix(mix(s->ports ^ ip->protocol, ip->src), ip->dst);
}

static bool
has_addresses(const struct coalesce_flow *f, const struct inet_packet *ip)
{
	/* those of IPv4 are filled up with zeros */
	return f->ip.version == ip->version &&
	    memcmp(f->ip.src, ip->src, 16) == 0 &&
	    memcmp(f->ip.dst, ip->dst, 16) == 0;
}

static bool
is_flow(const struct coalesce *c, unsigned int i, uint32_t hash,
    const struct inet_packet *ip, uint32_t ports)
{
	const struct coalesce_flow *f = &c->flows[i];

	return (c->used & 1u << i) != 0 && c->hash[i] == hash &&
	    f->first.ports == ports && f->ip.protocol == ip->protocol &&
	    has_addresses(f, ip);
}

/* Its index, or COALESCE_FLOWS. */
static unsigned int
find_flow(const struct coalesce *c, uint32_t hash, const struct inet_packet *ip,
    uint32_t ports)
{
	uint32_t hits = 0;
	unsigned int i;

	/* most often it is the flow of the packet before */
	if (is_flow(c, c->last, hash, ip, ports))
		return c->last;
	for (i = 0; i < COALESCE_FLOWS; i++)
		hits |= (uint32_t)(c->hash[i] == hash) << i;
	for (hits &= c->used; hits != 0; hits &= hits - 1) {
		i = (unsigned int)__builtin_ctz(hits);
		if (is_flow(c, i, hash, ip, ports))
			return i;
	}
	return COALESCE_FLOWS;
}

static void
emit_single(struct coalesce *c, uint8_t *p, size_t n, bool verified)
{
	struct vnet h = {.data_valid = verified};
	struct iovec iov[2] = {{0}, {p, n}};

	c->totals.packets_out++;
	c->emit(c->ctx, &h, iov, 2);
}

/* RFC 9293 3.1, 8200 8.1: what a checksum covers besides the packet, but for
 * the length. The same for all packets of a flow. */
static uint16_t
sum_pseudo(const struct inet_packet *ip)
{
	size_t n = ip->version == 4 ? 4 : 16;

	return checksum_fold((uint32_t)checksum_sum(ip->src, n) +
	    checksum_sum(ip->dst, n) + ip->protocol);
}

static bool
verify(struct coalesce *c, const struct inet_packet *ip, uint16_t pseudo,
    struct coalesce_segment *s)
{
	size_t n = ip->total_bytes - ip->header_bytes;

	if (s->verified)
		return true;
	s->verified =
	    (ip->version == 6 ||
		checksum_sum(s->p, INET_IPV4_HEADER_BYTES) == 0xffff) &&
	    checksum_fold((uint32_t)pseudo + (uint32_t)n +
		checksum_sum(s->p + ip->header_bytes, n)) == 0xffff;
	c->totals.bad_sums += !s->verified;
	return s->verified;
}

/* Lengths, PSH and the sums of the super-segment, into its first packet. */
static void
finish_headers(const struct coalesce_flow *f)
{
	const struct coalesce_segment *s = &f->first;
	size_t at = f->ip.header_bytes, n = f->total_bytes - at;
	struct wr w = wr_init(s->p, s->headers_bytes);
	uint16_t total = (uint16_t)f->total_bytes, partial;
	uint8_t *all;

	wr_space(&w, s->headers_bytes, &all);
	partial = checksum_fold((uint32_t)f->pseudo + (uint32_t)n);
	if (f->ip.version == 4) {
		wr_patch_be16(&w, IPV4_TOTAL_AT, total);
		wr_patch_be16(&w, IPV4_CHECKSUM_AT,
		    checksum_replace(
			s->ip_sum, (uint16_t)f->ip.total_bytes, total));
	} else {
		wr_patch_be16(&w, IPV6_PAYLOAD_AT, (uint16_t)n);
	}
	if (f->ip.protocol == PROTO_UDP) {
		wr_patch_be16(&w, at + UDP_LENGTH_AT, (uint16_t)n);
		wr_patch_be16(&w, at + UDP_CHECKSUM_AT, partial);
		return;
	}
	if (f->push)
		wr_patch_be16(
		    &w, at + TCP_FLAGS_AT, (uint16_t)(s->flags | TCP_PSH));
	wr_patch_be16(&w, at + TCP_CHECKSUM_AT, partial);
}

static void
flush_flow(struct coalesce *c, unsigned int i)
{
	struct coalesce_flow *f = &c->flows[i];
	bool udp = f->ip.protocol == PROTO_UDP;
	struct vnet h = {
	    .needs_csum = true,
	    .gso = udp               ? VNET_GSO_UDP_L4
		: f->ip.version == 4 ? VNET_GSO_TCPV4
				     : VNET_GSO_TCPV6,
	    .hdr_len = (uint16_t)f->first.headers_bytes,
	    .gso_size = (uint16_t)f->first.payload_bytes,
	    .csum_start = (uint16_t)f->ip.header_bytes,
	    .csum_offset = udp ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT,
	};

	c->used &= ~(1u << i);
	if (f->n == 1) {
		emit_single(
		    c, f->first.p, f->ip.total_bytes, f->first.verified);
		return;
	}
	finish_headers(f);
	c->totals.packets_out++;
	c->totals.supers++;
	c->emit(c->ctx, &h, f->iov, (int)(1 + f->n));
}

static void
flush_addresses(struct coalesce *c, const struct inet_packet *ip)
{
	uint32_t rest;
	unsigned int i;

	for (rest = c->used; rest != 0; rest &= rest - 1) {
		i = (unsigned int)__builtin_ctz(rest);
		if (has_addresses(&c->flows[i], ip))
			flush_flow(c, i);
	}
}

/* UDP has none: zero, as decoded */
static uint32_t
seq_behind(const struct inet_packet *ip, const struct coalesce_segment *s)
{
	return ip->protocol == PROTO_TCP ? s->seq + (uint32_t)s->payload_bytes
					 : 0;
}

static void
start_flow(struct coalesce *c, uint32_t hash, const struct inet_packet *ip,
    const struct coalesce_segment *s)
{
	unsigned int i = c->next_victim;
	struct coalesce_flow *f;

	if (c->used == (1u << COALESCE_FLOWS) - 1) {
		c->next_victim = (i + 1) % COALESCE_FLOWS;
		flush_flow(c, i);
	} else {
		i = (unsigned int)__builtin_ctz(~c->used);
	}
	c->used |= 1u << i;
	c->hash[i] = hash;
	c->last = i;
	f = &c->flows[i];
	f->ip = *ip;
	f->first = *s;
	f->next_seq = seq_behind(ip, s);
	f->last_id = s->id;
	f->same_id = false;
	f->push = false;
	f->total_bytes = ip->total_bytes;
	f->n = 1;
	f->iov[1] = (struct iovec){s->p, ip->total_bytes};
}

/* Whether the segmentation's IDs are the packet's, or may replace it. */
static bool
continues_ids(const struct coalesce_flow *f, const struct coalesce_segment *s)
{
	uint16_t step = (uint16_t)(s->id - f->last_id);

	if (f->ip.version == 6)
		return true;
	if (f->n == 1)
		return step == 1 || (step == 0 && s->fragment == IPV4_DF);
	return step == (f->same_id ? 0 : 1);
}

static bool
continues(const struct coalesce_flow *f, const struct coalesce_segment *s)
{
	const struct coalesce_segment *first = &f->first;

	return s->seq == f->next_seq && s->ack == first->ack &&
	    s->window == first->window && s->urgent == first->urgent &&
	    s->ip_word == first->ip_word && s->ttl == first->ttl &&
	    s->fragment == first->fragment &&
	    s->payload_bytes <= first->payload_bytes &&
	    s->options_bytes == first->options_bytes &&
	    f->n < COALESCE_SEGMENTS &&
	    f->total_bytes + s->payload_bytes <= COALESCE_BYTES &&
	    (s->options_bytes == 0 ||
		memcmp(s->options, first->options, s->options_bytes) == 0) &&
	    continues_ids(f, s);
}

/* True: s is a part of flow i now, or of what it was. */
static bool
append(struct coalesce *c, unsigned int i, const struct inet_packet *ip,
    struct coalesce_segment *s)
{
	struct coalesce_flow *f = &c->flows[i];

	if (!continues(f, s))
		return false;
	if (f->n == 1)
		f->pseudo = sum_pseudo(ip);
	if (!verify(c, ip, f->pseudo, s)) {
		s->mergeable = false;
		return false;
	}
	if (!verify(c, &f->ip, f->pseudo, &f->first))
		return false;
	f->same_id = f->n == 1 ? s->id == f->last_id : f->same_id;
	f->last_id = s->id;
	f->next_seq = seq_behind(ip, s);
	f->push = (s->flags & TCP_PSH) != 0;
	f->total_bytes += s->payload_bytes;
	f->iov[1 + f->n++] =
	    (struct iovec){s->p + s->headers_bytes, s->payload_bytes};
	if (f->push || s->payload_bytes < f->first.payload_bytes)
		flush_flow(c, i);
	return true;
}

void
coalesce_add(struct coalesce *c, uint8_t *p, const struct inet_packet *ip)
{
	struct coalesce_segment s;
	unsigned int i;
	uint32_t hash;

	c->totals.packets_in++;
	if (!decode(c, p, ip, &s)) {
		flush_addresses(c, ip);
		emit_single(c, p, ip->total_bytes, false);
		return;
	}
	hash = hash_of(ip, &s);
	i = find_flow(c, hash, ip, s.ports);
	if (i < COALESCE_FLOWS) {
		c->last = i;
		if (s.mergeable && append(c, i, ip, &s))
			return;
		flush_flow(c, i);
	}
	if (s.mergeable && (s.flags & TCP_PSH) == 0)
		start_flow(c, hash, ip, &s);
	else
		emit_single(c, p, ip->total_bytes, s.verified);
}

void
coalesce_flush(struct coalesce *c)
{
	while (c->used != 0)
		flush_flow(c, (unsigned int)__builtin_ctz(c->used));
}
