/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sa.h: what the files of l2tpd/esp share about an SA; nobody else includes
 * it. An SA is owned by its table, is in one SPI chain and in one list of its
 * association.
 */
#ifndef ADIT_ESP_SA_H
#define ADIT_ESP_SA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "l2tpd/esp/esp.h"
#include "l2tpd/esp/replay.h"
#include "l2tpd/esp/transform.h"

/* RFC 4303 3.3.3: without ESN the number must not wrap */
#define ESP_SEQUENCE_MAX UINT32_MAX

struct esp_association;

struct esp_sa {
	/* what every packet touches comes first */
	const struct esp_alg *alg;
	struct transform_key *key; /* owned */
	struct esp_table *table;
	uint32_t spi;
	bool inbound, encap, expiry_told;
	uint64_t iv_base;   /* AEAD, outbound: random for each installation */
	uint64_t sequence;  /* outbound: last number sent */
	uint64_t expire_ms; /* UINT64_MAX: never */
	uint64_t hard_bytes, hard_packets; /* UINT64_MAX: none */
	struct esp_counters counters;
	struct replay replay; /* inbound */
	struct endpoint local, peer;
	struct esp_association *association;
	LIST_ENTRY(esp_sa) in_chain;       /* of its SPI's bucket */
	LIST_ENTRY(esp_sa) in_association; /* newest first */
};

/* The crypto of a table, for batch.c. */
const struct transform_ops *esp_table_ops(const struct esp_table *t);
struct transform_ctx *esp_table_ctx(const struct esp_table *t);

#endif
