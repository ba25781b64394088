/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inet.h: the inner IP packet, as far as the plane looks into it: addresses and
 * lengths, MSS of TCP SYNs, and the two ICMP messages that say "too big". Pure.
 */
#ifndef ADIT_PLANE_USER_INET_H
#define ADIT_PLANE_USER_INET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"

#define INET_IPV4_HEADER_BYTES 20
#define INET_IPV6_HEADER_BYTES 40
/* Largest answer of inet_too_big(): RFC 4443 2.4 (c), IPv6's minimum MTU */
#define INET_TOO_BIG_MAX 1280

struct inet_packet {
	uint8_t version;          /* 4 or 6 */
	uint8_t src[16], dst[16]; /* 4 or 16 bytes */
	uint8_t protocol;         /* of the first header behind IP */
	bool dont_fragment;       /* IPv4 DF; IPv6: always */
	bool first_fragment;      /* or not fragmented */
	uint8_t traffic_class;    /* DSCP and ECN */
	size_t header_bytes, total_bytes;
};

/* r: at the IP header. False: no IP packet, or its length lies (rd's err
 * tells). total_bytes is at most what r holds; the rest is padding. */
bool inet_parse(struct rd r, struct inet_packet *ret);

/* A TCP SYN at p, parsed as ip: worth inet_clamp_mss(). */
bool inet_is_syn(const uint8_t *p, const struct inet_packet *ip);

/* Is it for the engine, not for the network: to the DHCP port of all, or of the
 * gateway (RFC 2131 4.1); IPv6: a router or neighbor solicitation, or to the
 * DHCPv6 port, on the link? p: as above. */
bool inet_is_service(
    const uint8_t *p, const struct inet_packet *ip, const uint8_t gateway[4]);

/* The source of who has no address yet: 0.0.0.0 or :: */
bool inet_is_unspecified(const struct inet_packet *ip);

/* Lower the MSS option of a TCP SYN to what fits into mtu bytes, and correct
 * the checksum (RFC 1624). p: the packet of total_bytes, as parsed to ip.
 * Anything else, and an MSS that is small enough, stays as it is. */
void inet_clamp_mss(uint8_t *p, const struct inet_packet *ip, uint16_t mtu);

/* The answer to a packet that does not fit into mtu: ICMP "fragmentation
 * needed" (RFC 1191 4) or ICMPv6 "packet too big" (RFC 4443 3.2), from the
 * packet's destination to its source. Returns its length, 0: none is due (RFC
 * 1122 3.2.2: never about an ICMP error or a later fragment). */
size_t inet_too_big(const uint8_t *p, const struct inet_packet *ip,
    uint16_t mtu, uint8_t *ret, size_t ret_bytes);

/* Internet checksum (RFC 1071) of r on top of sum; folded and complemented by
 * inet_sum_end(). */
uint32_t inet_sum(uint32_t sum, struct rd r);
uint16_t inet_sum_end(uint32_t sum);

#endif
