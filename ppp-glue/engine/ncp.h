/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ncp.h: the state of the two network control protocols of a link, IPCP (RFC
 * 1332) and IPV6CP (RFC 5072). Plain data inside struct ppp (link.h); private
 * to ppp-glue/engine. Addresses are in network byte order.
 */
#ifndef ADIT_PPP_NCP_H
#define ADIT_PPP_NCP_H

#include <stdbool.h>
#include <stdint.h>

#include "ppp-glue/engine/fsm.h"

/* What the network control protocols have in common. */
struct ncp {
	struct fsm fsm;
	bool wanted, finished;
};

struct ipcp {
	struct ncp ncp;
	bool ask_address, ask_dns[2];
	bool judged_address; /* the peer's request has an address */
	uint8_t local[4], peer[4], judged[4];
	uint8_t dns[2][4];  /* client: given; server: to give */
	uint8_t nbns[2][4]; /* server: to give */
};

struct ipv6cp {
	struct ncp ncp;
	bool ask_ifid, judged_ifid;
	uint8_t local[8], peer[8], judged[8];
	uint8_t assigned[8]; /* server: the peer must take it; 0: any */
};

#endif
