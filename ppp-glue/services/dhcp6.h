/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp6.h: stateless DHCPv6 (RFC 8415 6.1): a client that has its address from
 * a router advertisement asks for name servers and domains. Pure.
 */
#ifndef ADIT_SERVICES_DHCP6_H
#define ADIT_SERVICES_DHCP6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ppp-glue/services/packet.h"

enum { DHCP6_SERVER_PORT = 547, DHCP6_CLIENT_PORT = 546 };

/* No answer is larger, bytes of IP. */
#define DHCP6_REPLY_MAX  1280
#define DHCP6_CLIENT_MAX 130 /* bytes of a DUID, RFC 8415 11.1 */

struct dhcp6_question {
	uint8_t from[16]; /* link-local */
	uint16_t port;
	uint8_t transaction[3];
	uint8_t client[DHCP6_CLIENT_MAX];
	size_t client_bytes; /* 0: not said */
	bool wants_dns, wants_domains;
};

struct dhcp6_answer {        /* borrowed */
	uint8_t from[16];    /* our link-local address */
	uint8_t dns[2][16];  /* 0: none */
	const char *domains; /* as names_put() wants them */
	size_t domain_count;
};

/* An Information-Request to all servers, or to us (from of the answer). */
bool dhcp6_parse(
    const struct packet *p, const uint8_t us[16], struct dhcp6_question *ret);
/* The Reply. Domains that do not fit are left out. */
void dhcp6_build(
    struct wr *w, const struct dhcp6_question *q, const struct dhcp6_answer *a);

#endif
