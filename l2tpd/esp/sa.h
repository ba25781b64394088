/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sa.h: what the files of l2tpd/esp share about an SA; nobody else includes
 * it. An SA is owned by its table, is in the index of its direction and in one
 * list of its association. It is one piece of memory in whole cache lines:
 * struct esp_sa, the replay window (inbound), the key.
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

#define CACHE_LINE_BYTES 64

struct esp_association;

struct esp_sa {
	/* first line: what every packet reads */
	const struct esp_alg *alg;
	struct transform_key *key;   /* behind this struct */
	const struct transform *via; /* of the table, does the crypto */
	uint32_t spi;
	bool inbound, encap, expiry_told;
	uint64_t sequence;                 /* outbound: last number sent */
	uint64_t expire_ms;                /* UINT64_MAX: never */
	uint64_t hard_bytes, hard_packets; /* UINT64_MAX: none */
	/* second line: what it writes */
	struct esp_counters counters;
	struct replay *replay; /* inbound: behind this struct; else NULL */
	uint64_t iv_base; /* AEAD, outbound: random for each installation */
	/* third line: where it goes */
	struct endpoint local, peer;
	uint32_t association_id;
	struct esp_table *table;
	struct esp_association *association;
	LIST_ENTRY(esp_sa) in_association; /* newest first */
	size_t bytes;                      /* of this piece of memory */
} __attribute__((aligned(CACHE_LINE_BYTES)));

/* 16 unpredictable bytes for one packet (RFC 3602 3); NULL: OpenSSL failed.
 * Valid until the next call. */
const uint8_t *esp_table_iv(struct esp_table *t);

#endif
