/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp.h: the answer to a DHCPINFORM (RFC 2131 3.4): a client has its address
 * from IPCP and asks for the rest: routes, domains, name servers. Pure.
 */
#ifndef ADIT_SERVICES_DHCP_H
#define ADIT_SERVICES_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/network.h"
#include "ppp-glue/services/packet.h"

enum { DHCP_SERVER_PORT = 67, DHCP_CLIENT_PORT = 68 };

/* No answer is larger, bytes of IP. */
#define DHCP_ACK_MAX 1280

struct dhcp_inform {
	uint8_t htype, hlen;
	uint32_t xid;
	uint16_t flags;
	uint8_t ciaddr[4];
	uint8_t chaddr[16];
	uint16_t max_bytes; /* of the answer, IP and all; 0: not said */
	bool microsoft;     /* vendor class "MSFT ...": one domain only */
	bool wants_dns, wants_domain;
	bool wants_routes, wants_ms_routes; /* options 121, 249 */
};

/* What there is to say. Borrowed. */
struct dhcp_answer {
	uint8_t server[4]; /* our address on the link, next hop of the routes */
	uint8_t dns[2][4]; /* 0: none */
	const struct ipv4_network *routes;
	size_t route_count;
	const char *domains; /* one behind the other, each with its zero */
	size_t domain_count;
	size_t max_bytes; /* that fit to the client, IP and all */
};

/* A packet to the DHCP port is a DHCPINFORM of the client with this address,
 * to all or to server. False: anything else; *ret_why (literal) says what. */
bool dhcp_parse_inform(const struct packet *p, const uint8_t address[4],
    const uint8_t server[4], struct dhcp_inform *ret, const char **ret_why);
/* The DHCPACK, an IP packet. Returns how many routes did not fit. Whether all
 * else did is in w (room for DHCP_ACK_MAX is enough). */
size_t dhcp_build_ack(
    struct wr *w, const struct dhcp_inform *q, const struct dhcp_answer *a);

#endif
