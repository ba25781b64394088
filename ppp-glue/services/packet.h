/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.h: IP packets of the services on a link, read and made whole: IPv4
 * and IPv6 with UDP or ICMPv6 inside. Pure.
 */
#ifndef ADIT_SERVICES_PACKET_H
#define ADIT_SERVICES_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"

enum {
	PACKET_UDP = 17,   /* RFC 768 */
	PACKET_ICMPV6 = 58 /* RFC 4443 */
};

struct packet {
	uint8_t version;          /* 4 or 6 */
	uint8_t protocol;         /* PACKET_UDP or PACKET_ICMPV6 */
	uint8_t hop_limit;        /* IPv4: TTL */
	uint8_t src[16], dst[16]; /* 4 or 16 bytes */
	uint16_t sport, dport;    /* UDP */
	/* borrowed: what UDP carries, or ICMPv6 from its type on */
	struct rd payload;
};

/* r: at the IP header. Checked: lengths and checksums (a UDP checksum of zero
 * over IPv4 is none, RFC 768). False: anything else, a fragment, an extension
 * header; the reason is in r. What follows the IP packet is padding. */
bool packet_parse(struct rd *r, struct packet *ret);

/* A packet around what is written between begin and end: begin writes the
 * headers as p says (.payload is not used), end patches lengths and checksums.
 * begin returns what end wants. Whether all fits is in w. */
size_t packet_begin(struct wr *w, const struct packet *p);
void packet_end(struct wr *w, size_t begin);

#endif
