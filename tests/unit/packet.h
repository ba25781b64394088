/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.h: TCP and UDP packets for the tests of cutting and coalescing, built
 * and judged byte by byte, without the code under test.
 */
#ifndef ADIT_TESTS_PACKET_H
#define ADIT_TESTS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 65600
#define PACKET_TCP 6
#define PACKET_UDP 17

#define PACKET_FIN 0x01
#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_PSH 0x08
#define PACKET_ACK 0x10
#define PACKET_URG 0x20
#define PACKET_ECE 0x40
#define PACKET_CWR 0x80

struct packet {
	uint8_t version, protocol;
	uint8_t src, dst; /* 10.0.0.x, 2001:db8::x */
	uint16_t sport, dport;
	uint8_t tos, ttl;
	uint32_t flow_label;
	uint16_t id, fragment; /* IPv4 word with DF */
	uint8_t ip_options;    /* bytes of NOPs, a multiple of 4 */
	uint8_t extension;     /* IPv6: destination options of 8 bytes each */
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	uint8_t options[40]; /* TCP */
	size_t options_bytes;
	size_t payload_bytes, payload_from;
	unsigned int seed; /* payload byte i is packet_byte(seed, from + i) */
};

/* A TCP or UDP packet with payload, usual values. */
struct packet packet_default(uint8_t version, uint8_t protocol);
/* Writes it with right checksums. Returns its length. */
size_t packet_build(uint8_t *ret, const struct packet *s);
/* Where the payload starts. */
size_t packet_headers(const struct packet *s);
uint8_t packet_byte(unsigned int seed, size_t i);

/* NULL, or what is wrong with n bytes at p as one whole IP packet: lengths and
 * checksums of IP, TCP and UDP (IPv6 destination and hop-by-hop options are
 * read over). */
const char *packet_wrong(const uint8_t *p, size_t n);
/* Make the checksums right; the lengths are. */
void packet_fix(uint8_t *p, size_t n);
/* The sum of the pseudo-header into the TCP or UDP checksum field, as in a
 * packet whose checksum is to be completed. */
void packet_partial(uint8_t *p, size_t n);
/* Where the TCP or UDP header is; 0: nowhere. Its protocol. */
size_t packet_transport(const uint8_t *p, size_t n, uint8_t *ret_protocol);
/* Whether b may be of a's flow: the same addresses, and the same protocol and
 * ports as far as both show them. */
bool packet_same_flow(
    const uint8_t *a, size_t a_bytes, const uint8_t *b, size_t b_bytes);

#endif
