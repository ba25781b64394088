/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ra.h: what a router says on a PPP link with IPv6 (RFC 4861): router
 * advertisements with the client's prefix, answers to solicitations. IPV6CP
 * gives a client only the link-local address, all others come from here. Pure;
 * time is a parameter.
 */
#ifndef ADIT_SERVICES_RA_H
#define ADIT_SERVICES_RA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ppp-glue/services/packet.h"

/* No packet that is made here is larger, bytes of IP. */
#define RA_PACKET_MAX 1280

/* ---- when ---- */

struct ra_timer {
	uint64_t due_ms; /* UINT64_MAX: never */
	unsigned int initial;
};

void ra_timer_stop(struct ra_timer *t);
/* The link is up: the first one is due now, then two more soon (RFC 4861
 * 6.2.4). */
void ra_timer_start(struct ra_timer *t, uint64_t now_ms);
/* Is one due? Then the next one is set; random: any number. */
bool ra_timer_fires(struct ra_timer *t, uint64_t now_ms, uint32_t random);

/* ---- questions ---- */

enum ra_question_type {
	RA_ROUTER_SOLICITATION = 133,
	RA_NEIGHBOR_SOLICITATION = 135,
};

struct ra_question {
	enum ra_question_type type;
	bool anonymous; /* from ::, the answer goes to all */
	uint8_t from[16];
	uint8_t target[16]; /* of a neighbor solicitation */
};

/* False: none, or not a valid one (RFC 4861 6.1.1, 7.1.1). */
bool ra_parse(const struct packet *p, struct ra_question *ret);

/* ---- what ---- */

struct ra_values {        /* borrowed */
	uint8_t from[16]; /* our link-local address */
	uint8_t prefix[8];
	uint16_t mtu;        /* of the link, bytes */
	bool last;           /* we are no router any more */
	uint8_t dns[2][16];  /* 0: none */
	const char *domains; /* as names_put() wants them */
	size_t domain_count;
};

/* An advertisement as an IP packet; to: NULL for all nodes. Domains that do not
 * fit are left out. Whether all else fits is in w (RA_PACKET_MAX is enough). */
void ra_build(struct wr *w, const struct ra_values *v, const uint8_t *to);
/* A neighbor advertisement for from, our address, which q asked about. */
void ra_build_neighbor(
    struct wr *w, const uint8_t from[16], const struct ra_question *q);

#endif
