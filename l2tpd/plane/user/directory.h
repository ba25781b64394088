/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * directory.h: which worker has which SA (workers.h). The engine's thread owns
 * it and everything in it but the SAs, which are their worker's: of those it
 * may only ask what never changes, and the counters.
 */
#ifndef ADIT_PLANE_USER_DIRECTORY_H
#define ADIT_PLANE_USER_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/endpoint.h"
#include "l2tpd/esp/esp.h"
#include "l2tpd/esp/index.h"

LIST_HEAD(known_sa_list, known_sa);

/* All SAs and sessions of an association are one worker's, but for inbound SAs
 * of before it changed (RFC 2409 5.5: old ones live on for a while). */
struct known_association {
	uint32_t id;
	uint8_t worker;
	struct known_sa_list outbound, inbound; /* newest first */
};

struct known_sa {
	struct known_association *association;
	struct esp_sa *sa;
	uint32_t spi;
	uint8_t worker;
	bool inbound, encap;
	bool moving; /* between two workers: nobody's */
	bool doomed; /* deleted while it was moving */
	struct endpoint local, peer;
	LIST_ENTRY(known_sa) in_association;
};

struct directory {
	struct index inbound, outbound; /* by SPI */
	struct index associations;      /* by id */
};

int directory_init(struct directory *d); /* 0, -ENOMEM */
void directory_fini(struct directory *d);

/* NULL: not known. make: NULL: no memory; a new one is given to worker. */
struct known_association *directory_association(
    const struct directory *d, uint32_t id);
struct known_association *directory_association_make(
    struct directory *d, uint32_t id, uint8_t worker);
/* If it has no SA any more. */
void directory_association_drop(
    struct directory *d, struct known_association *a);

/* In its association; NULL: no memory. */
struct known_sa *directory_add(struct directory *d, struct known_association *a,
    const struct esp_sa_params *p, struct esp_sa *sa);
/* Frees it; its association stays. */
void directory_del(struct directory *d, struct known_sa *k);

/* As charon names an SA: peer only tells outbound SAs of one SPI apart, and
 * may be older than what we know (then the SPI decides, if it is the only
 * one). same: exactly that peer's. NULL: none. */
struct known_sa *directory_find(const struct directory *d, uint32_t spi,
    bool inbound, const struct endpoint *peer);
struct known_sa *directory_find_same(const struct directory *d, uint32_t spi,
    bool inbound, const struct endpoint *peer);
/* All UDP-encapsulated SAs of the association. */
void directory_move(
    struct directory *d, uint32_t association, const struct endpoint *peer);

#endif
