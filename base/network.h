/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network.h: IPv4 networks as values (RFC 4632 3.1), and short lists of them: a
 * list is what lies behind one client's device. Pure.
 */
#ifndef ADIT_BASE_NETWORK_H
#define ADIT_BASE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ipv4_network {
	uint8_t net[4]; /* host bits are zero */
	uint8_t bits;   /* 0 to 32 */
};

#define IPV4_NETWORKS_MAX 16
#define IPV4_NETWORK_TEXT 19 /* "255.255.255.255/32" and a zero */
/* Of a whole list, with commas. */
#define IPV4_NETWORKS_TEXT (IPV4_NETWORKS_MAX * IPV4_NETWORK_TEXT + 1)

struct ipv4_networks {
	struct ipv4_network at[IPV4_NETWORKS_MAX];
	uint8_t count;
};

uint32_t ipv4_number(const uint8_t a[4]); /* host order */
uint32_t ipv4_mask(uint8_t bits);         /* 0 to 32; host order */

bool ipv4_network_contains(const struct ipv4_network *n, const uint8_t a[4]);
bool ipv4_network_overlaps(
    const struct ipv4_network *a, const struct ipv4_network *b);
bool ipv4_networks_overlap(
    const struct ipv4_networks *a, const struct ipv4_networks *b);

/* Can it lie behind a client: no host bits, at least 8 bits, and nothing of
 * this-network, loopback, link local, multicast and above (RFC 6890). */
bool ipv4_network_is_sane(const struct ipv4_network *n);

/* "10.1.0.0/16"; "10.1.0.0/16,10.2.0.0/16", "" for none. Return buf. n: at
 * least IPV4_NETWORK_TEXT or IPV4_NETWORKS_TEXT, else it is cut. */
const char *ipv4_network_format(
    const struct ipv4_network *net, char *buf, size_t n);
const char *ipv4_networks_format(
    const struct ipv4_networks *nets, char *buf, size_t n);

#endif
