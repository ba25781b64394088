/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transform.h: the crypto behind ESP, as a vtable. batch.c does the framing of
 * RFC 4303 and hands over jobs grouped by algorithm; an implementation works
 * through one group at a time and may run as many lanes at once as it likes.
 *
 * Ownership: a context is owned by the esp_table, a key by its SA. Jobs and
 * the memory they point to are borrowed for the call.
 */
#ifndef ADIT_ESP_TRANSFORM_H
#define ADIT_ESP_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l2tpd/esp/alg.h"

#define TRANSFORM_HEAD_BYTES 8 /* SPI and sequence number, RFC 4303 2 */

struct transform_ctx;
struct transform_key;

/* head, IV, text and ICV lie behind each other in one packet:
 * head (8) | IV (alg->iv_bytes) | text | ICV (alg->icv_bytes).
 * The text is transformed in place. */
struct transform_job {
	struct transform_key *key;
	uint8_t *head;
	uint8_t *text;
	size_t text_bytes; /* multiple of alg->align_bytes */
	bool ok;           /* ret: done; decrypt: and the ICV was right */
};

struct transform_ops {
	const char *name;
	struct transform_ctx *(*open)(void); /* NULL: cannot work here */
	void (*close)(struct transform_ctx *ctx);
	/* Keys are copied; the caller wipes its own. int_key NULL for AEAD. A
	 * key works in one direction. NULL: no memory. */
	struct transform_key *(*key_new)(struct transform_ctx *ctx,
	    const struct esp_alg *alg, const uint8_t *enc_key,
	    const uint8_t *int_key, bool encrypt);
	void (*key_free)(struct transform_key *key); /* NULL is fine */
	/* All jobs have keys of this algorithm, made for this direction. The
	 * ICV is compared in constant time; a CBC text whose ICV is wrong is
	 * not decrypted. */
	void (*encrypt)(struct transform_ctx *ctx, const struct esp_alg *alg,
	    struct transform_job **jobs, size_t n);
	void (*decrypt)(struct transform_ctx *ctx, const struct esp_alg *alg,
	    struct transform_job **jobs, size_t n);
	/* n blocks of 16 unpredictable bytes (CBC IVs, RFC 3602 3) without a
	 * system call. n at most TRANSFORM_IVS_MAX. */
	bool (*make_ivs)(struct transform_ctx *ctx, uint8_t *ret, size_t n);
};

#define TRANSFORM_IVS_MAX  64
#define TRANSFORM_IV_BYTES 16

extern const struct transform_ops transform_openssl;

#endif
