/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inet.c: the inner IP packet (contracts in inet.h). Owns nothing. Trusts
 * nothing of a packet: one side of the plane is a client, the other side
 * whatever the server routes.
 *
 * RFC 791, 8200, 9293 3.1, 1191, 4443, done as far as needed, with these
 * exceptions: the IPv4 header checksum is not verified (the kernel does that
 * behind the TUN device), and IPv6 extension headers are not walked: a SYN
 * behind one is not clamped.
 */
#include "l2tpd/plane/user/inet.h"

#include <string.h>

#include "base/checksum.h"
#include "base/wr.h"

#define PROTO_ICMP   1
#define PROTO_TCP    6
#define PROTO_UDP    17
#define PROTO_ICMPV6 58
#define PORT_DHCP    67 /* RFC 2131 4.1 */

#define IPV4_DF                     0x4000u
#define IPV4_OFFSET_MASK            0x1fffu
#define TCP_HEADER_BYTES            20
#define TCP_FLAGS_AT                13
#define TCP_FLAG_SYN                0x02u
#define TCP_OPTION_END              0
#define TCP_OPTION_NOP              1
#define TCP_OPTION_MSS              2
#define TCP_CHECKSUM_AT             16
#define ICMP_HEADER_BYTES           8
#define ICMP4_ANSWER_MAX            576 /* RFC 1812 4.3.2.3 */
#define ICMP4_UNREACHABLE           3
#define ICMP4_FRAG_NEEDED           4
#define ICMP4_ECHO                  8
#define ICMP6_TOO_BIG               2
#define ICMP6_FIRST_QUERY           128 /* RFC 4443 2.1: below are errors */
#define ICMP6_ROUTER_SOLICITATION   133 /* RFC 4861 4.1, 4.3 */
#define ICMP6_NEIGHBOR_SOLICITATION 135
#define PORT_DHCP6                  547 /* RFC 8415 7.2 */
#define ANSWER_TTL                  64

static bool
parse_ipv4(struct rd r, struct inet_packet *ip)
{
	size_t whole = r.left;
	uint16_t total, fragment;
	uint8_t first;

	rd_u8(&r, &first);
	rd_u8(&r, &ip->traffic_class);
	rd_be16(&r, &total);
	rd_skip(&r, 2);
	rd_be16(&r, &fragment);
	rd_skip(&r, 1);
	rd_u8(&r, &ip->protocol);
	rd_skip(&r, 2);
	rd_bytes(&r, ip->src, 4);
	rd_bytes(&r, ip->dst, 4);
	if (!rd_ok(&r))
		return false;
	ip->header_bytes = (size_t)(first & 0x0f) * 4;
	ip->total_bytes = total;
	ip->dont_fragment = (fragment & IPV4_DF) != 0;
	ip->first_fragment = (fragment & IPV4_OFFSET_MASK) == 0;
	return ip->header_bytes >= INET_IPV4_HEADER_BYTES &&
	    ip->header_bytes <= total && total <= whole;
}

static bool
parse_ipv6(struct rd r, struct inet_packet *ip)
{
	size_t whole = r.left;
	uint16_t payload, first;

	rd_be16(&r, &first);
	rd_skip(&r, 2);
	rd_be16(&r, &payload);
	rd_u8(&r, &ip->protocol);
	rd_skip(&r, 1);
	rd_bytes(&r, ip->src, 16);
	rd_bytes(&r, ip->dst, 16);
	if (!rd_ok(&r))
		return false;
	ip->traffic_class = (uint8_t)(first >> 4);
	ip->header_bytes = INET_IPV6_HEADER_BYTES;
	ip->total_bytes = INET_IPV6_HEADER_BYTES + (size_t)payload;
	ip->dont_fragment = true;
	ip->first_fragment = true;
	return ip->total_bytes <= whole;
}

bool
inet_parse(struct rd r, struct inet_packet *ret)
{
	struct inet_packet ip = {0};
	uint8_t first;

	if (!rd_peek_u8(&r, &first))
		return false;
	ip.version = first >> 4;
	if (ip.version == 4 ? !parse_ipv4(r, &ip)
			    : ip.version != 6 || !parse_ipv6(r, &ip))
		return false;
	*ret = ip;
	return true;
}

uint32_t
inet_sum(uint32_t sum, struct rd r)
{
	return (uint32_t)checksum_fold(sum) + checksum_sum(r.p, r.left);
}

uint16_t
inet_sum_end(uint32_t sum)
{
	return checksum_end(sum);
}

static uint16_t
swapped(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

/* Where the MSS value lies in the TCP header; 0: nowhere. */
static size_t
find_mss(struct rd tcp, uint16_t *ret_mss, uint16_t *ret_sum)
{
	struct rd options;
	size_t whole = tcp.left, at = TCP_HEADER_BYTES;
	uint8_t offset, flags, kind, n;

	rd_skip(&tcp, 12);
	rd_u8(&tcp, &offset);
	rd_u8(&tcp, &flags);
	rd_skip(&tcp, 2);
	rd_be16(&tcp, ret_sum);
	rd_skip(&tcp, 2);
	if (!rd_ok(&tcp) || !(flags & TCP_FLAG_SYN) ||
	    (size_t)(offset >> 4) * 4 < TCP_HEADER_BYTES ||
	    (size_t)(offset >> 4) * 4 > whole ||
	    !rd_sub(&tcp, (size_t)(offset >> 4) * 4 - at, &options))
		return 0;
	while (rd_u8(&options, &kind) && kind != TCP_OPTION_END) {
		at++;
		if (kind == TCP_OPTION_NOP)
			continue;
		if (!rd_u8(&options, &n) || n < 2)
			return 0;
		if (kind == TCP_OPTION_MSS && n == 4 &&
		    rd_be16(&options, ret_mss))
			return at + 1;
		if (!rd_skip(&options, (size_t)n - 2))
			return 0;
		at += (size_t)n - 1;
	}
	return 0;
}

bool
inet_is_syn(const uint8_t *p, const struct inet_packet *ip)
{
	struct rd r = rd_init(p, ip->total_bytes);
	uint8_t flags;

	return ip->protocol == PROTO_TCP && ip->first_fragment &&
	    rd_skip(&r, ip->header_bytes + TCP_FLAGS_AT) && rd_u8(&r, &flags) &&
	    (flags & TCP_FLAG_SYN) != 0;
}

/* RFC 4291 2.5.6 and 2.7. */
static bool
is_on_link(const uint8_t a[16])
{
	return a[0] == 0xff || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}

static bool
is_ipv6_service(const uint8_t *p, const struct inet_packet *ip)
{
	struct rd r = rd_init(p, ip->total_bytes);
	uint16_t port;
	uint8_t type;

	if (!is_on_link(ip->dst) || !rd_skip(&r, ip->header_bytes))
		return false;
	if (ip->protocol == PROTO_ICMPV6)
		return rd_u8(&r, &type) &&
		    (type == ICMP6_ROUTER_SOLICITATION ||
			type == ICMP6_NEIGHBOR_SOLICITATION);
	return ip->protocol == PROTO_UDP && rd_skip(&r, 2) &&
	    rd_be16(&r, &port) && port == PORT_DHCP6;
}

bool
inet_is_unspecified(const struct inet_packet *ip)
{
	static const uint8_t none[16];

	return memcmp(ip->src, none, ip->version == 4 ? 4 : 16) == 0;
}

bool
inet_is_service(
    const uint8_t *p, const struct inet_packet *ip, const uint8_t gateway[4])
{
	static const uint8_t all[4] = {255, 255, 255, 255};
	struct rd r = rd_init(p, ip->total_bytes);
	uint16_t port;

	if (ip->version == 6)
		return is_ipv6_service(p, ip);
	return ip->protocol == PROTO_UDP && ip->first_fragment &&
	    (memcmp(ip->dst, all, 4) == 0 ||
		memcmp(ip->dst, gateway, 4) == 0) &&
	    rd_skip(&r, ip->header_bytes + 2) && rd_be16(&r, &port) &&
	    port == PORT_DHCP;
}

void
inet_clamp_mss(uint8_t *p, const struct inet_packet *ip, uint16_t mtu)
{
	size_t tcp_bytes = ip->total_bytes - ip->header_bytes, at;
	uint16_t headers =
	    (uint16_t)(ip->version == 6 ? INET_IPV6_HEADER_BYTES
					: INET_IPV4_HEADER_BYTES);
	uint16_t mss, sum, max;
	uint8_t *unused;
	struct wr w;

	if (ip->protocol != PROTO_TCP || !ip->first_fragment ||
	    mtu < headers + TCP_HEADER_BYTES)
		return;
	at = find_mss(rd_init(p + ip->header_bytes, tcp_bytes), &mss, &sum);
	max = (uint16_t)(mtu - headers - TCP_HEADER_BYTES);
	if (at == 0 || mss <= max)
		return;
	w = wr_init(p + ip->header_bytes, tcp_bytes);
	wr_space(&w, tcp_bytes, &unused);
	wr_patch_be16(&w, at, max);
	/* at an odd offset the value's bytes lie in two checksum words */
	if (at % 2 != 0)
		sum = checksum_replace(sum, swapped(mss), swapped(max));
	else
		sum = checksum_replace(sum, mss, max);
	wr_patch_be16(&w, TCP_CHECKSUM_AT, sum);
}

static bool
is_icmp_error(const uint8_t *p, const struct inet_packet *ip)
{
	struct rd r = rd_init(p, ip->total_bytes);
	uint8_t type;

	if (ip->protocol != (ip->version == 4 ? PROTO_ICMP : PROTO_ICMPV6))
		return false;
	if (!rd_skip(&r, ip->header_bytes) || !rd_u8(&r, &type))
		return true; /* not even a type: say nothing */
	return ip->version == 4 ? type != ICMP4_ECHO && type != 0
				: type < ICMP6_FIRST_QUERY;
}

static size_t
too_big_ipv4(
    const uint8_t *p, const struct inet_packet *ip, uint16_t mtu, struct wr *w)
{
	size_t room =
	    ICMP4_ANSWER_MAX - INET_IPV4_HEADER_BYTES - ICMP_HEADER_BYTES;
	size_t quote = ip->total_bytes < room ? ip->total_bytes : room;
	struct rd icmp;

	wr_be16(w, 0x45c0); /* version 4, header 20; precedence 6 */
	wr_be16(
	    w, (uint16_t)(INET_IPV4_HEADER_BYTES + ICMP_HEADER_BYTES + quote));
	wr_be32(w, 0);
	wr_u8(w, ANSWER_TTL);
	wr_u8(w, PROTO_ICMP);
	wr_be16(w, 0);
	wr_bytes(w, ip->dst, 4);
	wr_bytes(w, ip->src, 4);
	wr_patch_be16(w, 10, inet_sum_end(inet_sum(0, wr_rd(w))));
	wr_u8(w, ICMP4_UNREACHABLE);
	wr_u8(w, ICMP4_FRAG_NEEDED);
	wr_be32(w, 0); /* checksum, unused */
	wr_be16(w, mtu);
	wr_bytes(w, p, quote);
	icmp = wr_rd(w);
	rd_skip(&icmp, INET_IPV4_HEADER_BYTES);
	wr_patch_be16(
	    w, INET_IPV4_HEADER_BYTES + 2, inet_sum_end(inet_sum(0, icmp)));
	return wr_rd(w).left;
}

static size_t
too_big_ipv6(
    const uint8_t *p, const struct inet_packet *ip, uint16_t mtu, struct wr *w)
{
	size_t room =
	    INET_TOO_BIG_MAX - INET_IPV6_HEADER_BYTES - ICMP_HEADER_BYTES;
	size_t quote = ip->total_bytes < room ? ip->total_bytes : room;
	struct rd pseudo; /* addresses and message, RFC 8200 8.1 */
	uint32_t sum;

	wr_be32(w, 0x60000000);
	wr_be16(w, (uint16_t)(ICMP_HEADER_BYTES + quote));
	wr_u8(w, PROTO_ICMPV6);
	wr_u8(w, ANSWER_TTL);
	wr_bytes(w, ip->dst, 16);
	wr_bytes(w, ip->src, 16);
	wr_u8(w, ICMP6_TOO_BIG);
	wr_u8(w, 0);
	wr_be16(w, 0);
	wr_be32(w, mtu);
	wr_bytes(w, p, quote);
	pseudo = wr_rd(w);
	rd_skip(&pseudo, 8);
	sum = inet_sum(
	    (uint32_t)(PROTO_ICMPV6 + ICMP_HEADER_BYTES + quote), pseudo);
	wr_patch_be16(w, INET_IPV6_HEADER_BYTES + 2, inet_sum_end(sum));
	return wr_rd(w).left;
}

size_t
inet_too_big(const uint8_t *p, const struct inet_packet *ip, uint16_t mtu,
    uint8_t *ret, size_t ret_bytes)
{
	struct wr w = wr_init(ret, ret_bytes);

	if (!ip->first_fragment || is_icmp_error(p, ip))
		return 0;
	return ip->version == 4 ? too_big_ipv4(p, ip, mtu, &w)
				: too_big_ipv6(p, ip, mtu, &w);
}
