/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ikev1_crypto.c: groups, keys and the cipher of the load generator's IKEv1.
 * RFC 2409 5 (keys), B (cipher), RFC 3526 (group 14), RFC 5903 (19, 20).
 */
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/ikev1_int.h"

#define SECRET_BITS 64 /* enough to be work of the right kind, for nobody */

static const struct ikev1_suite suites[] = {
    {IKEV1_SUITE, 256, 4, 14, 0, EVP_sha256, 32, 256},
    {"aes256-sha1-modp2048", 256, 2, 14, 0, EVP_sha1, 20, 256},
    {"aes128-sha1-ecp256", 128, 2, 19, NID_X9_62_prime256v1, EVP_sha1, 20, 64},
    {"aes256-sha1-ecp384", 256, 2, 20, NID_secp384r1, EVP_sha1, 20, 96},
};

/* x and y, without the octet in front that OpenSSL has */
static bool
point_to_bytes(struct ikev1_dh *dh, const EC_POINT *p, uint8_t *ret)
{
	uint8_t buf[1 + IKEV1_DH_MAX];
	size_t n = 1 + dh->suite->dh_bytes;

	if (EC_POINT_point2oct(dh->group, p, POINT_CONVERSION_UNCOMPRESSED, buf,
		n, dh->bn) != n)
		return false;
	memcpy(ret, buf + 1, n - 1);
	return true;
}

static bool
ec_public(struct ikev1_dh *dh)
{
	EC_POINT *p = EC_POINT_new(dh->group);
	bool ok;

	ok = p != NULL &&
	    EC_POINT_mul(dh->group, p, dh->secret, NULL, NULL, dh->bn) == 1 &&
	    point_to_bytes(dh, p, dh->public);
	EC_POINT_free(p);
	return ok;
}

/* The shared secret is the x of the point. RFC 5903 9 */
static bool
ec_shared(struct ikev1_dh *dh, struct rd peer, uint8_t *ret)
{
	uint8_t buf[1 + IKEV1_DH_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
	EC_POINT *p = EC_POINT_new(dh->group);
	bool ok = false;

	memcpy(buf + 1, peer.p, peer.left);
	if (p != NULL &&
	    EC_POINT_oct2point(dh->group, p, buf, 1 + peer.left, dh->bn) == 1 &&
	    EC_POINT_mul(dh->group, p, NULL, p, dh->secret, dh->bn) == 1)
		ok = point_to_bytes(dh, p, ret);
	EC_POINT_free(p);
	return ok;
}

static bool
modp_power(struct ikev1_dh *dh, const BIGNUM *base, uint8_t *ret)
{
	BIGNUM *y = BN_new();
	bool ok;

	ok = y != NULL && BN_mod_exp(y, base, dh->secret, dh->p, dh->bn) == 1 &&
	    BN_bn2binpad(y, ret, (int)dh->suite->dh_bytes) > 0;
	BN_free(y);
	return ok;
}

static bool
modp_public(struct ikev1_dh *dh)
{
	BIGNUM *g = BN_new();
	bool ok;

	ok = g != NULL && BN_set_word(g, 2) == 1 &&
	    modp_power(dh, g, dh->public);
	BN_free(g);
	return ok;
}

static bool
modp_shared(struct ikev1_dh *dh, struct rd peer, uint8_t *ret)
{
	BIGNUM *y = BN_bin2bn(peer.p, (int)peer.left, NULL);
	bool ok = y != NULL && modp_power(dh, y, ret);

	BN_free(y);
	return ok;
}

static bool
dh_make(struct ikev1_dh *dh)
{
	dh->bn = BN_CTX_new();
	dh->secret = BN_new();
	if (dh->bn == NULL || dh->secret == NULL ||
	    BN_rand(dh->secret, SECRET_BITS, BN_RAND_TOP_ONE,
		BN_RAND_BOTTOM_ANY) != 1)
		return false;
	if (dh->suite->curve != 0) {
		dh->group = EC_GROUP_new_by_curve_name(dh->suite->curve);
		return dh->group != NULL && ec_public(dh);
	}
	dh->p = BN_get_rfc3526_prime_2048(NULL);
	return dh->p != NULL && modp_public(dh);
}

struct ikev1_dh *
ikev1_dh_new(const char *suite)
{
	struct ikev1_dh *dh;
	size_t n = sizeof(suites) / sizeof(suites[0]), i;

	for (i = 0; i < n && strcmp(suites[i].name, suite) != 0; i++)
		;
	if (i == n)
		return NULL;
	dh = calloc(1, sizeof(*dh));
	if (dh == NULL)
		return NULL;
	dh->suite = &suites[i];
	if (!dh_make(dh)) {
		ikev1_dh_free(dh);
		return NULL;
	}
	return dh;
}

void
ikev1_dh_free(struct ikev1_dh *dh)
{
	if (dh == NULL)
		return;
	BN_free(dh->p);
	BN_free(dh->secret);
	EC_GROUP_free(dh->group);
	BN_CTX_free(dh->bn);
	free(dh);
}

bool
ikev1_prf(const struct ikev1_suite *s, const uint8_t *key, size_t key_bytes,
    const struct wr *data, uint8_t *ret)
{
	unsigned int n = 0;

	return wr_ok(data) &&
	    HMAC(s->md(), key, (int)key_bytes, data->buf, data->len, ret, &n) !=
	    NULL;
}

bool
ikev1_hash(const struct ikev1_suite *s, const struct wr *data, uint8_t *ret)
{
	return wr_ok(data) &&
	    EVP_Digest(data->buf, data->len, ret, NULL, s->md(), NULL) == 1;
}

/* SKEYID_d, _a, _e: prf(SKEYID, what came before | g^xy | cookies | number) */
static bool
derive_one(const struct ikev1 *i, const uint8_t *before, struct rd shared,
    uint8_t number, uint8_t *ret)
{
	uint8_t buf[512];
	struct wr w = wr_init(buf, sizeof(buf));

	if (before != NULL)
		wr_bytes(&w, before, i->suite->hash_bytes);
	wr_bytes(&w, shared.p, shared.left);
	wr_be64(&w, i->cookie_i);
	wr_be64(&w, i->cookie_r);
	wr_u8(&w, number);
	return ikev1_prf(i->suite, i->skeyid, i->suite->hash_bytes, &w, ret);
}

/* Longer than one hash: prf(SKEYID_e, 0), prf(SKEYID_e, that). RFC 2409 B */
static bool
derive_cipher_key(struct ikev1 *i, const uint8_t *skeyid_e)
{
	const size_t bytes = i->suite->hash_bytes;
	uint8_t buf[2 * IKEV1_HASH_MAX] = {0};
	struct wr w = wr_init(buf, 1);

	if (i->suite->key_bits / 8U <= bytes) {
		memcpy(i->key, skeyid_e, i->suite->key_bits / 8U);
		return true;
	}
	wr_u8(&w, 0);
	if (!ikev1_prf(i->suite, skeyid_e, bytes, &w, buf))
		return false;
	w = (struct wr){.buf = buf, .cap = bytes, .len = bytes};
	if (!ikev1_prf(i->suite, skeyid_e, bytes, &w, buf + bytes))
		return false;
	memcpy(i->key, buf, i->suite->key_bits / 8U);
	return true;
}

static bool
derive_skeyid(struct ikev1 *i, struct rd nonce_r)
{
	uint8_t buf[512];
	struct wr w = wr_init(buf, sizeof(buf));
	const char *psk = i->config->psk;

	wr_bytes(&w, i->nonce_i, sizeof(i->nonce_i));
	wr_bytes(&w, nonce_r.p, nonce_r.left);
	return ikev1_prf(
	    i->suite, (const uint8_t *)psk, strlen(psk), &w, i->skeyid);
}

bool
ikev1_derive(struct ikev1 *i, struct rd gxr, struct rd nonce_r)
{
	struct ikev1_dh *dh = i->config->dh;
	const struct ikev1_suite *s = i->suite;
	uint8_t shared[IKEV1_DH_MAX], e[IKEV1_HASH_MAX], h[IKEV1_HASH_MAX];
	uint8_t buf[2 * IKEV1_DH_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd g;

	if (gxr.left != s->dh_bytes ||
	    !(s->curve != 0 ? ec_shared(dh, gxr, shared)
			    : modp_shared(dh, gxr, shared)))
		return false;
	g = rd_init(shared, s->curve != 0 ? s->dh_bytes / 2 : s->dh_bytes);
	memcpy(i->gxr, gxr.p, gxr.left);
	wr_bytes(&w, dh->public, s->dh_bytes);
	wr_bytes(&w, i->gxr, s->dh_bytes);
	if (!derive_skeyid(i, nonce_r) ||
	    !derive_one(i, NULL, g, 0, i->skeyid_d) ||
	    !derive_one(i, i->skeyid_d, g, 1, i->skeyid_a) ||
	    !derive_one(i, i->skeyid_a, g, 2, e) || !derive_cipher_key(i, e) ||
	    !ikev1_hash(s, &w, h))
		return false;
	memcpy(i->iv_main, h, IKEV1_BLOCK);
	return true;
}

bool
ikev1_iv(const struct ikev1 *i, uint32_t message_id, uint8_t *ret)
{
	uint8_t buf[IKEV1_BLOCK + 4], h[IKEV1_HASH_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_bytes(&w, i->iv_main, IKEV1_BLOCK);
	wr_be32(&w, message_id);
	if (!ikev1_hash(i->suite, &w, h))
		return false;
	memcpy(ret, h, IKEV1_BLOCK);
	return true;
}

bool
ikev1_cbc(const struct ikev1 *i, bool encrypt, uint8_t *iv, uint8_t *data,
    size_t bytes)
{
	const EVP_CIPHER *cipher =
	    i->suite->key_bits == 256 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
	EVP_CIPHER_CTX *ctx;
	uint8_t next[IKEV1_BLOCK];
	int n = 0;
	bool ok;

	if (bytes == 0 || bytes % IKEV1_BLOCK != 0)
		return false;
	ctx = EVP_CIPHER_CTX_new();
	memcpy(next, data + bytes - IKEV1_BLOCK, IKEV1_BLOCK);
	ok = ctx != NULL &&
	    EVP_CipherInit_ex(ctx, cipher, NULL, i->key, iv, encrypt) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	    EVP_CipherUpdate(ctx, data, &n, data, (int)bytes) == 1;
	if (ok && encrypt)
		memcpy(next, data + bytes - IKEV1_BLOCK, IKEV1_BLOCK);
	if (ok)
		memcpy(iv, next, IKEV1_BLOCK);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool
ikev1_keymat(const struct ikev1 *i, uint32_t spi, uint8_t *ret, size_t bytes)
{
	const size_t one = i->suite->hash_bytes;
	uint8_t buf[512], block[IKEV1_HASH_MAX];
	size_t done, n;
	struct wr w;

	for (done = 0; done < bytes; done += n) {
		w = wr_init(buf, sizeof(buf));
		if (done > 0)
			wr_bytes(&w, block, one);
		wr_u8(&w, 3); /* PROTO_IPSEC_ESP */
		wr_be32(&w, spi);
		wr_bytes(&w, i->nonce_quick, sizeof(i->nonce_quick));
		wr_bytes(&w, i->nonce_r, i->nonce_r_bytes);
		if (!ikev1_prf(i->suite, i->skeyid_d, one, &w, block))
			return false;
		n = bytes - done < one ? bytes - done : one;
		memcpy(ret + done, block, n);
	}
	return true;
}
