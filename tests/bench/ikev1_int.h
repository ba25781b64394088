/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ikev1_int.h: between ikev1.c (messages) and ikev1_crypto.c (what needs a
 * key).
 */
#ifndef ADIT_TESTS_BENCH_IKEV1_INT_H
#define ADIT_TESTS_BENCH_IKEV1_INT_H

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "tests/bench/ikev1.h"

#define IKEV1_HASH_MAX  32
#define IKEV1_NONCE_MAX 256
#define IKEV1_DH_MAX    256
#define IKEV1_BLOCK     16 /* of AES */

/* IANA's numbers of IKEv1 attributes (RFC 2409 A) */
struct ikev1_suite {
	const char *name;
	uint16_t key_bits, hash, group;
	int curve; /* OpenSSL's number; 0: modp2048 */
	const EVP_MD *(*md)(void);
	size_t hash_bytes, dh_bytes;
};

struct ikev1_dh {
	const struct ikev1_suite *suite;
	BN_CTX *bn;
	BIGNUM *p, *secret;
	EC_GROUP *group;
	uint8_t public[IKEV1_DH_MAX];
};

struct ikev1 {
	const struct ikev1_config *config; /* borrowed */
	const struct ikev1_suite *suite;   /* borrowed */
	struct endpoint own;
	enum ikev1_state state;
	const char *why;
	uint64_t cookie_i, cookie_r;
	uint8_t sa_body[128]; /* SAi_b */
	size_t sa_bytes;
	uint8_t nonce_i[16];
	uint8_t gxr[IKEV1_DH_MAX];
	uint8_t skeyid[IKEV1_HASH_MAX], skeyid_d[IKEV1_HASH_MAX],
	    skeyid_a[IKEV1_HASH_MAX];
	uint8_t key[32];
	uint8_t iv_main[IKEV1_BLOCK]; /* last block of phase 1 */

	/* of the quick mode */
	uint32_t message_id, spi_own, spi_server;
	uint8_t iv_quick[IKEV1_BLOCK];
	uint8_t nonce_quick[16], nonce_r[IKEV1_NONCE_MAX];
	size_t nonce_r_bytes;

	uint8_t last[IKEV1_MESSAGE_MAX];
	size_t last_bytes;
};

/* All: false when OpenSSL fails, or the peer's value is none. */
bool ikev1_prf(const struct ikev1_suite *s, const uint8_t *key,
    size_t key_bytes, const struct wr *data, uint8_t *ret);
/* SKEYID and what comes from it, the cipher's key and first IV. RFC 2409 5 */
bool ikev1_derive(struct ikev1 *i, struct rd gxr, struct rd nonce_r);
/* The IV of an exchange of phase 2. RFC 2409 B */
bool ikev1_iv(const struct ikev1 *i, uint32_t message_id, uint8_t *ret);
/* In place; iv becomes that of the next message. */
bool ikev1_cbc(const struct ikev1 *i, bool encrypt, uint8_t *iv, uint8_t *data,
    size_t bytes);
/* Keys of an ESP SA. RFC 2409 5.5 */
bool ikev1_keymat(
    const struct ikev1 *i, uint32_t spi, uint8_t *ret, size_t bytes);
bool ikev1_hash(
    const struct ikev1_suite *s, const struct wr *data, uint8_t *ret);

#endif
