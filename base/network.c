/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network.c: IPv4 networks (contract in network.h). Owns nothing; trusts that
 * bits are at most 32 everywhere but in ipv4_network_is_sane().
 */
#include "base/network.h"

#include <stdio.h>
#include <string.h>

uint32_t
ipv4_number(const uint8_t a[4])
{
	return (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 |
	    (uint32_t)a[2] << 8 | a[3];
}

uint32_t
ipv4_mask(uint8_t bits)
{
	return bits != 0 ? UINT32_MAX << (32 - bits) : 0;
}

bool
ipv4_network_contains(const struct ipv4_network *n, const uint8_t a[4])
{
	return (ipv4_number(a) & ipv4_mask(n->bits)) == ipv4_number(n->net);
}

bool
ipv4_network_overlaps(
    const struct ipv4_network *a, const struct ipv4_network *b)
{
	/* one is in the other, or they are apart */
	return ipv4_network_contains(a, b->net) ||
	    ipv4_network_contains(b, a->net);
}

bool
ipv4_networks_overlap(
    const struct ipv4_networks *a, const struct ipv4_networks *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (ipv4_network_overlaps(&a->at[i], &b->at[k]))
				return true;
	return false;
}

bool
ipv4_network_is_sane(const struct ipv4_network *n)
{
	static const struct ipv4_network link_local = {{169, 254, 0, 0}, 16};

	return n->bits >= 8 && n->bits <= 32 &&
	    (ipv4_number(n->net) & ~ipv4_mask(n->bits)) == 0 &&
	    n->net[0] != 0 && n->net[0] != 127 && n->net[0] < 224 &&
	    !ipv4_network_overlaps(n, &link_local);
}

const char *
ipv4_network_format(const struct ipv4_network *net, char *buf, size_t n)
{
	snprintf(buf, n, "%u.%u.%u.%u/%u", net->net[0], net->net[1],
	    net->net[2], net->net[3], net->bits);
	return buf;
}

const char *
ipv4_networks_format(const struct ipv4_networks *nets, char *buf, size_t n)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < nets->count && at + 1 < n; i++) {
		if (i > 0)
			buf[at++] = ',';
		ipv4_network_format(&nets->at[i], buf + at, n - at);
		at += strlen(buf + at);
	}
	return buf;
}
