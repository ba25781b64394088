/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sites.c: networks behind clients' devices (contract in sites.h). Trusts
 * neither the text nor the network.
 */
#include "l2tpd/conf/sites.h"

#include <arpa/inet.h>
#include <string.h>

static const char *
add(const char *text, struct ipv4_networks *to)
{
	struct ipv4_network n;
	const char *why = conf_parse_network(text, 0, 32, &n);

	if (why)
		return why;
	if (to->count == IPV4_NETWORKS_MAX)
		return "at most 16 networks can lie behind one user";
	for (size_t i = 0; i < to->count; i++)
		if (ipv4_network_overlaps(&to->at[i], &n))
			return "one network is in another: leave the smaller "
			       "one out";
	to->at[to->count++] = n;
	return NULL;
}

const char *
sites_parse(const char *text, struct ipv4_networks *ret)
{
	struct ipv4_networks nets = *ret;
	char one[IPV4_NETWORK_TEXT];
	const char *why = NULL;
	size_t n;

	while (*text && !why) {
		n = strcspn(text, ",");
		if (n >= sizeof(one) || (text[n] == ',' && !text[n + 1]))
			return "not a list of networks: write it like "
			       "10.1.0.0/16,192.168.3.0/24";
		memcpy(one, text, n);
		one[n] = '\0';
		why = add(one, &nets);
		text += n + (text[n] == ',');
	}
	if (!why)
		*ret = nets;
	return why;
}

const char *
sites_problem(const struct adit_conf *c, const struct ipv4_network *n)
{
	struct ipv4_network pool = {.bits = c->pool_prefix_bits};
	uint8_t outer[4];

	memcpy(pool.net, c->pool_net, sizeof(pool.net));
	if (!ipv4_network_is_sane(n))
		return "no such network can lie behind a client: 8 to 32 "
		       "bits, and addresses that hosts have";
	if (ipv4_network_overlaps(n, &pool) ||
	    ipv4_network_contains(n, c->gateway))
		return "the network overlaps the pool of adit.conf, the "
		       "clients' own addresses";
	if (ipv4_network_contains(n, c->listen_ipv4) ||
	    (inet_pton(AF_INET, c->address, outer) == 1 &&
		ipv4_network_contains(n, outer)))
		return "the network contains the address of this server that "
		       "clients dial";
	return NULL;
}
