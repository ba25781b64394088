/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alg.h: the table of transform combinations that an SA may have. Constant
 * data; the framing (batch.c) takes its sizes from here, the crypto
 * (transform_openssl.c) its algorithm names.
 */
#ifndef ADIT_ESP_ALG_H
#define ADIT_ESP_ALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct esp_alg {
	uint16_t enc, integ; /* enum esp_encryption, esp_integrity */
	bool is_aead;
	uint8_t enc_key_bytes; /* as negotiated: with the salt of GCM */
	uint8_t salt_bytes;    /* at the end of the key, RFC 4106 8.1 */
	uint8_t int_key_bytes; /* 0 for AEAD */
	uint8_t iv_bytes;      /* in the packet */
	uint8_t align_bytes; /* of the encrypted text: block size, at least 4 */
	uint8_t icv_bytes;
	const char *cipher; /* OpenSSL's name */
	const char *digest; /* OpenSSL's name, NULL for AEAD */
	const char *name;   /* "aes256-sha1" */
};

/* NULL: no such combination. *ret_known_pair: the algorithm numbers exist, so
 * it is the key length that is wrong. */
const struct esp_alg *esp_alg_find(uint16_t enc, size_t enc_key_bytes,
    uint16_t integ, size_t int_key_bytes, bool *ret_known_pair);

/* All rows, for self-test and tests; without esp_alg_null. */
const struct esp_alg *esp_alg_table(size_t *ret_n);

/* RFC 2410 without integrity: esp_alg_find() never finds it. */
extern const struct esp_alg esp_alg_null;

#endif
