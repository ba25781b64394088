/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transform.h: the crypto behind ESP, as a vtable. batch.c does the framing of
 * RFC 4303 and hands over jobs grouped by algorithm; an implementation works
 * through one group at a time and may run as many lanes at once as it likes.
 *
 * Ownership: a context is owned by the esp_table. A key lives in memory of its
 * SA, right behind it, so that a packet finds both in few cache lines. Jobs and
 * the memory they point to are borrowed for the call.
 */
#ifndef ADIT_ESP_TRANSFORM_H
#define ADIT_ESP_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l2tpd/esp/alg.h"

#define TRANSFORM_HEAD_BYTES 8 /* SPI and sequence number, RFC 4303 2 */
#define TRANSFORM_KEY_ALIGN  64
#define TRANSFORM_IV_BYTES   16

struct transform_ctx;
struct transform_key;

/* head, IV, text and ICV lie behind each other in one packet:
 * head (8) | IV (alg->iv_bytes) | text | ICV (alg->icv_bytes).
 * The text is transformed in place. */
struct transform_job {
	struct transform_key *key;
	uint8_t *head;
	uint8_t *text;
	size_t text_bytes; /* multiple of alg->align_bytes, below 65536 */
	bool ok;           /* ret: done; decrypt: and the ICV was right */
};

struct transform_ops {
	void (*close)(struct transform_ctx *ctx); /* NULL is fine */
	/* Bytes of a key; 0: this implementation does not do the algorithm. */
	size_t (*key_bytes)(
	    const struct transform_ctx *ctx, const struct esp_alg *alg);
	/* Makes a key in key_bytes() bytes of memory, aligned to
	 * TRANSFORM_KEY_ALIGN. The given keys are copied; the caller wipes its
	 * own. int_key NULL for AEAD. A key works in one direction. False: no
	 * memory, and nothing is to be undone. */
	bool (*key_init)(struct transform_ctx *ctx, const struct esp_alg *alg,
	    struct transform_key *ret, const uint8_t *enc_key,
	    const uint8_t *int_key, bool encrypt);
	/* Frees what the key owns; the caller wipes its memory. */
	void (*key_fini)(struct transform_key *key);
	/* All jobs have keys of this algorithm, made for this direction. The
	 * ICV is compared in constant time; a CBC text whose ICV is wrong is
	 * not decrypted, a GCM text whose ICV is wrong is worthless. */
	void (*encrypt)(struct transform_ctx *ctx, const struct esp_alg *alg,
	    struct transform_job **jobs, size_t n);
	void (*decrypt)(struct transform_ctx *ctx, const struct esp_alg *alg,
	    struct transform_job **jobs, size_t n);
};

/* An implementation at work. */
struct transform {
	const struct transform_ops *ops;
	struct transform_ctx *ctx; /* NULL: not open */
};

static inline void
transform_encrypt(const struct transform *t, const struct esp_alg *alg,
    struct transform_job **jobs, size_t n)
{
	t->ops->encrypt(t->ctx, alg, jobs, n);
}

static inline void
transform_decrypt(const struct transform *t, const struct esp_alg *alg,
    struct transform_job **jobs, size_t n)
{
	t->ops->decrypt(t->ctx, alg, jobs, n);
}

/* OpenSSL does all algorithms of esp_alg_table(). False: it lacks something. */
bool transform_openssl_open(struct transform *ret);
/* n blocks of 16 unpredictable bytes (CBC IVs, RFC 3602 3) without a system
 * call. t: OpenSSL's. */
bool transform_openssl_ivs(const struct transform *t, uint8_t *ret, size_t n);

/* Copies (RFC 2410), for measurements. */
void transform_null_open(struct transform *ret);

#endif
