/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.c: packets for the tests of cutting and coalescing (packet.h).
 */
#include "tests/unit/packet.h"

#include <string.h>

static void
put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned int
get16(const uint8_t *p)
{
	return (unsigned int)(p[0] << 8 | p[1]);
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t
add(uint32_t sum, const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

struct packet
packet_default(uint8_t version, uint8_t protocol)
{
	return (struct packet){
	    .version = version,
	    .protocol = protocol,
	    .src = 2,
	    .dst = 1,
	    .sport = 40000,
	    .dport = 443,
	    .ttl = 64,
	    .fragment = 0x4000,
	    .id = 0x1000,
	    .seq = 0x01020304,
	    .ack = 0x0a0b0c0d,
	    .flags = PACKET_ACK,
	    .window = 0x1234,
	    .payload_bytes = 1000,
	    .seed = 1,
	};
}

uint8_t
packet_byte(unsigned int seed, size_t i)
{
	return (uint8_t)((i * 167 + (i >> 8) * 13 + seed * 31) >> 1);
}

static size_t
ip_bytes(const struct packet *s)
{
	return s->version == 4 ? 20u + s->ip_options : 40u + 8u * s->extension;
}

size_t
packet_headers(const struct packet *s)
{
	return ip_bytes(s) +
	    (s->protocol == PACKET_TCP ? 20 + s->options_bytes : 8);
}

static void
put_ipv4(uint8_t *p, const struct packet *s, size_t total)
{
	p[0] = (uint8_t)(0x45 + s->ip_options / 4);
	p[1] = s->tos;
	put16(p + 2, (unsigned int)total);
	put16(p + 4, s->id);
	put16(p + 6, s->fragment);
	p[8] = s->ttl;
	p[9] = s->protocol;
	put32(p + 12, 0x0a000000u | s->src);
	put32(p + 16, 0x0a000000u | s->dst);
	memset(p + 20, 1, s->ip_options);
}

static void
put_ipv6(uint8_t *p, const struct packet *s, size_t total)
{
	uint8_t i, *e = p + 40;

	put32(p, 0x60000000u | (uint32_t)s->tos << 20 | s->flow_label);
	put16(p + 4, (unsigned int)(total - 40));
	p[6] = s->extension > 0 ? 60 : s->protocol;
	p[7] = s->ttl;
	put32(p + 8, 0x20010db8);
	p[23] = s->src;
	put32(p + 24, 0x20010db8);
	p[39] = s->dst;
	for (i = 0; i < s->extension; i++, e += 8) {
		e[0] = i + 1 < s->extension ? 60 : s->protocol;
		e[2] = 1; /* PadN of 6 */
		e[3] = 4;
	}
}

size_t
packet_build(uint8_t *p, const struct packet *s)
{
	size_t at = ip_bytes(s), headers = packet_headers(s), i;
	size_t total = headers + s->payload_bytes;

	memset(p, 0, headers);
	if (s->version == 4)
		put_ipv4(p, s, total);
	else
		put_ipv6(p, s, total);
	put16(p + at, s->sport);
	put16(p + at + 2, s->dport);
	if (s->protocol == PACKET_TCP) {
		put32(p + at + 4, s->seq);
		put32(p + at + 8, s->ack);
		p[at + 12] = (uint8_t)((20 + s->options_bytes) / 4 << 4);
		p[at + 13] = s->flags;
		put16(p + at + 14, s->window);
		memcpy(p + at + 20, s->options, s->options_bytes);
	} else {
		put16(p + at + 4, (unsigned int)(total - at));
	}
	for (i = 0; i < s->payload_bytes; i++)
		p[headers + i] = packet_byte(s->seed, s->payload_from + i);
	packet_fix(p, total);
	return total;
}

/* Where the header behind IP is, if 4 bytes of it are there; 0: nowhere. */
static size_t
find_ports(const uint8_t *p, size_t n, uint8_t *ret_protocol)
{
	size_t at;

	*ret_protocol = 0;
	if (n >= 20 && p[0] >> 4 == 4) {
		*ret_protocol = p[9];
		at = (size_t)(p[0] & 15) * 4;
		if (at < 20 || (get16(p + 6) & 0x3fff) != 0)
			return 0;
	} else if (n >= 40 && p[0] >> 4 == 6) {
		*ret_protocol = p[6];
		at = 40;
		while ((*ret_protocol == 60 || *ret_protocol == 0) &&
		    at + 8 <= n) {
			*ret_protocol = p[at];
			at += 8 + (size_t)p[at + 1] * 8;
		}
	} else {
		return 0;
	}
	if (*ret_protocol != PACKET_TCP && *ret_protocol != PACKET_UDP)
		return 0;
	return at + 4 <= n ? at : 0;
}

size_t
packet_transport(const uint8_t *p, size_t n, uint8_t *ret_protocol)
{
	size_t at = find_ports(p, n, ret_protocol);

	return at + (*ret_protocol == PACKET_TCP ? 20 : 8) <= n ? at : 0;
}

static uint32_t
pseudo(const uint8_t *p, size_t n, size_t at, uint8_t protocol)
{
	uint32_t sum = (uint32_t)(n - at) + protocol;

	return p[0] >> 4 == 4 ? add(sum, p + 12, 8) : add(sum, p + 8, 32);
}

const char *
packet_wrong(const uint8_t *p, size_t n)
{
	uint8_t protocol = 0;
	size_t at;

	if (n < 20 || (p[0] >> 4 == 6 && n < 40))
		return "short";
	if (p[0] >> 4 == 4 && get16(p + 2) != n)
		return "IPv4 length";
	if (p[0] >> 4 == 4 && add(0, p, (size_t)(p[0] & 15) * 4) != 0xffff)
		return "IPv4 checksum";
	if (p[0] >> 4 == 6 && get16(p + 4) + 40 != n)
		return "IPv6 length";
	at = packet_transport(p, n, &protocol);
	if (at == 0)
		return "no TCP or UDP";
	if (protocol == PACKET_UDP && get16(p + at + 4) != n - at)
		return "UDP length";
	if (protocol == PACKET_UDP && get16(p + at + 6) == 0)
		return p[0] >> 4 == 4 ? NULL : "UDP without checksum";
	if (add(pseudo(p, n, at, protocol), p + at, n - at) != 0xffff)
		return "transport checksum";
	return NULL;
}

static uint8_t *
sum_field(uint8_t *p, size_t n, size_t *ret_at, uint8_t *ret_protocol)
{
	*ret_at = packet_transport(p, n, ret_protocol);
	if (*ret_at == 0)
		return NULL;
	return p + *ret_at + (*ret_protocol == PACKET_TCP ? 16 : 6);
}

void
packet_fix(uint8_t *p, size_t n)
{
	uint8_t protocol, *field;
	size_t at;
	uint32_t sum;

	if (p[0] >> 4 == 4) {
		put16(p + 10, 0);
		put16(p + 10, ~add(0, p, (size_t)(p[0] & 15) * 4) & 0xffff);
	}
	field = sum_field(p, n, &at, &protocol);
	if (field == NULL)
		return;
	put16(field, 0);
	sum = ~add(pseudo(p, n, at, protocol), p + at, n - at) & 0xffff;
	put16(field, sum == 0 && protocol == PACKET_UDP ? 0xffff : sum);
}

void
packet_partial(uint8_t *p, size_t n)
{
	uint8_t protocol, *field;
	size_t at;

	field = sum_field(p, n, &at, &protocol);
	if (field != NULL)
		put16(field, pseudo(p, n, at, protocol));
}

bool
packet_same_flow(
    const uint8_t *a, size_t a_bytes, const uint8_t *b, size_t b_bytes)
{
	size_t at = a[0] >> 4 == 4 ? 12 : 8, n = at == 12 ? 8 : 32;
	uint8_t a_protocol = 0, b_protocol = 0;
	size_t a_at = find_ports(a, a_bytes, &a_protocol);
	size_t b_at = find_ports(b, b_bytes, &b_protocol);

	if (a[0] >> 4 != b[0] >> 4 || memcmp(a + at, b + at, n) != 0)
		return false;
	if (a_at == 0 || b_at == 0)
		return true;
	return a_protocol == b_protocol && memcmp(a + a_at, b + b_at, 4) == 0;
}
