/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.c: IP packets of the services (contract in packet.h). Owns nothing,
 * trusts no byte: packets come from clients.
 *
 * RFC 791, 768, 8200, 4443 2.3, done as specified, with these exceptions: IPv4
 * options are read over; fragments and IPv6 extension headers are refused,
 * because no client sends a question of a service in such a shape.
 */
#include "ppp-glue/services/packet.h"

#include <string.h>

#include "base/checksum.h"

#define IPV4_BYTES 20
#define IPV6_BYTES 40
#define UDP_BYTES  8
#define FRAGMENT   0x3fff /* MF and offset, RFC 791 3.1 */

/* RFC 768, RFC 8200 8.1: the sum of addresses, length and protocol. */
static uint32_t
pseudo_sum(const struct packet *p, size_t bytes)
{
	size_t n = p->version == 4 ? 4 : 16;

	return (uint32_t)checksum_sum(p->src, n) + checksum_sum(p->dst, n) +
	    (uint32_t)bytes + p->protocol;
}

/* *r: what is behind IP, and nothing else. */
static bool
parse_transport(struct rd *r, struct packet *p)
{
	const struct rd whole = *r;
	uint16_t len = 0, sum = 0;
	size_t bytes = whole.left;

	if (p->protocol == PACKET_UDP) {
		rd_be16(r, &p->sport);
		rd_be16(r, &p->dport);
		rd_be16(r, &len);
		rd_be16(r, &sum);
		if (!rd_ok(r))
			return false;
		if (len < UDP_BYTES || !rd_sub(r, len - UDP_BYTES, &p->payload))
			return rd_fail(r, "wrong UDP length");
		bytes = len;
		if (sum == 0) /* none; RFC 8200 8.1 forbids it */
			return p->version == 4 || rd_fail(r, "no UDP checksum");
	} else if (p->protocol == PACKET_ICMPV6 && p->version == 6) {
		p->payload = whole;
		rd_skip(r, whole.left);
	} else {
		return rd_fail(r, "not UDP or ICMPv6");
	}
	return checksum_end(
		   pseudo_sum(p, bytes) + checksum_sum(whole.p, bytes)) == 0 ||
	    rd_fail(r, "wrong UDP or ICMPv6 checksum");
}

static bool
parse_ipv4(struct rd *r, struct packet *p)
{
	const struct rd whole = *r;
	uint16_t total = 0, fragment = 0;
	uint8_t first = 0;
	size_t head;

	rd_u8(r, &first);
	rd_skip(r, 1);
	rd_be16(r, &total);
	rd_skip(r, 2);
	rd_be16(r, &fragment);
	rd_u8(r, &p->hop_limit);
	rd_u8(r, &p->protocol);
	rd_skip(r, 2);
	rd_bytes(r, p->src, 4);
	if (!rd_bytes(r, p->dst, 4))
		return false;
	head = (size_t)(first & 15) * 4;
	if (head < IPV4_BYTES || head > total || total > whole.left)
		return rd_fail(r, "wrong IPv4 length");
	if (checksum_end(checksum_sum(whole.p, head)) != 0)
		return rd_fail(r, "wrong IPv4 checksum");
	if ((fragment & FRAGMENT) != 0)
		return rd_fail(r, "a fragment");
	rd_skip(r, head - IPV4_BYTES);
	r->left = total - head;
	return parse_transport(r, p);
}

static bool
parse_ipv6(struct rd *r, struct packet *p)
{
	uint16_t bytes = 0;

	rd_skip(r, 4);
	rd_be16(r, &bytes);
	rd_u8(r, &p->protocol);
	rd_u8(r, &p->hop_limit);
	rd_bytes(r, p->src, 16);
	if (!rd_bytes(r, p->dst, 16))
		return false;
	if (bytes > r->left)
		return rd_fail(r, "wrong IPv6 length");
	r->left = bytes;
	return parse_transport(r, p);
}

bool
packet_parse(struct rd *r, struct packet *ret)
{
	struct packet p;
	uint8_t first;

	memset(&p, 0, sizeof(p));
	if (!rd_peek_u8(r, &first))
		return rd_fail(r, "empty");
	p.version = first >> 4;
	if (p.version == 4)
		parse_ipv4(r, &p);
	else if (p.version == 6)
		parse_ipv6(r, &p);
	else
		rd_fail(r, "neither IPv4 nor IPv6");
	if (!rd_ok(r))
		return false;
	*ret = p;
	return true;
}

size_t
packet_begin(struct wr *w, const struct packet *p)
{
	size_t begin = wr_mark(w);

	if (p->version == 4) {
		wr_be16(w, 0x4500);
		wr_zero(w, 6);
		wr_u8(w, p->hop_limit);
		wr_u8(w, p->protocol);
		wr_be16(w, 0);
		wr_bytes(w, p->src, 4);
		wr_bytes(w, p->dst, 4);
	} else {
		wr_be32(w, 0x60000000);
		wr_be16(w, 0);
		wr_u8(w, p->protocol);
		wr_u8(w, p->hop_limit);
		wr_bytes(w, p->src, 16);
		wr_bytes(w, p->dst, 16);
	}
	if (p->protocol == PACKET_UDP) {
		wr_be16(w, p->sport);
		wr_be16(w, p->dport);
		wr_be32(w, 0);
	}
	return begin;
}

void
packet_end(struct wr *w, size_t begin)
{
	struct rd r = wr_rd(w), head;
	struct packet p = {.version = 0};
	size_t total, at, sum_at;
	uint16_t sum;
	uint8_t first;

	if (!rd_skip(&r, begin) || !rd_peek_u8(&r, &first))
		return;
	total = r.left;
	p.version = first >> 4;
	at = p.version == 4 ? IPV4_BYTES : IPV6_BYTES;
	head = r;
	rd_skip(&head, p.version == 4 ? 9 : 6);
	rd_u8(&head, &p.protocol);
	rd_skip(&head, p.version == 4 ? 2 : 1);
	rd_bytes(&head, p.src, p.version == 4 ? 4 : 16);
	if (!rd_bytes(&head, p.dst, p.version == 4 ? 4 : 16))
		return;
	sum_at = at + (p.protocol == PACKET_UDP ? 6 : 2);
	if (p.protocol == PACKET_UDP)
		wr_patch_be16(w, begin + at + 4, (uint16_t)(total - at));
	if (p.version == 4) {
		wr_patch_be16(w, begin + 2, (uint16_t)total);
		wr_patch_be16(
		    w, begin + 10, checksum_end(checksum_sum(r.p, IPV4_BYTES)));
	} else {
		wr_patch_be16(w, begin + 4, (uint16_t)(total - at));
	}
	sum = checksum_end(
	    pseudo_sum(&p, total - at) + checksum_sum(r.p + at, total - at));
	wr_patch_be16(w, begin + sum_at, sum != 0 ? sum : 0xffff);
}
