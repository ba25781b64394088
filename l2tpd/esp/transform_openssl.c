/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transform_openssl.c: transform.h by OpenSSL 3. Owns a private library
 * context, so neither openssl.cnf nor another user of libcrypto in this
 * process changes what we get; the default provider has all we need (3DES
 * included). Contexts are keyed once per SA, a packet sets the IV only.
 *
 * RFC 3602 and 2451 (CBC), 2404 and 4868 (HMAC), 4106 (GCM); done as
 * specified, without extended sequence numbers: the AAD of GCM is 8 bytes.
 */
#include "l2tpd/esp/transform.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "base/secret.h"
#include "base/wr.h"

#define GCM_NONCE_BYTES 12 /* salt 4, IV 8: RFC 4106 4 */
#define HMAC_MAX_BYTES  64

struct transform_ctx {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *provider;
	EVP_MAC *hmac;
	EVP_CIPHER_CTX *iv_cipher; /* AES-128 with a random key */
	uint64_t iv_counter;
};

struct transform_key {
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac; /* NULL for AEAD */
	uint8_t salt[4];
};

static void
ossl_close(struct transform_ctx *ctx)
{
	if (ctx == NULL)
		return;
	EVP_CIPHER_CTX_free(ctx->iv_cipher);
	EVP_MAC_free(ctx->hmac);
	if (ctx->provider != NULL)
		OSSL_PROVIDER_unload(ctx->provider);
	OSSL_LIB_CTX_free(ctx->lib);
	free(ctx);
}

static EVP_CIPHER_CTX *
cipher_ctx_new(struct transform_ctx *ctx, const char *name, const uint8_t *key,
    bool encrypt)
{
	EVP_CIPHER_CTX *c;
	EVP_CIPHER *cipher;

	c = EVP_CIPHER_CTX_new();
	cipher = EVP_CIPHER_fetch(ctx->lib, name, NULL);
	if (c == NULL || cipher == NULL ||
	    EVP_CipherInit_ex2(c, cipher, key, NULL, encrypt, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(c, 0) != 1) {
		EVP_CIPHER_CTX_free(c);
		c = NULL;
	}
	EVP_CIPHER_free(cipher); /* the context keeps its own reference */
	return c;
}

static struct transform_ctx *
ctx_new(void)
{
	struct transform_ctx *ctx;
	uint8_t key[16];

	ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL)
		return NULL;
	ctx->lib = OSSL_LIB_CTX_new();
	if (ctx->lib == NULL)
		goto fail;
	ctx->provider = OSSL_PROVIDER_load(ctx->lib, "default");
	ctx->hmac = EVP_MAC_fetch(ctx->lib, "HMAC", NULL);
	random_bytes(key, sizeof(key));
	ctx->iv_cipher = cipher_ctx_new(ctx, "AES-128-ECB", key, true);
	wipe(key, sizeof(key));
	if (ctx->provider == NULL || ctx->hmac == NULL ||
	    ctx->iv_cipher == NULL)
		goto fail;
	return ctx;
fail:
	ossl_close(ctx);
	return NULL;
}

static size_t
ossl_key_bytes(const struct transform_ctx *ctx, const struct esp_alg *alg)
{
	(void)ctx, (void)alg;
	return sizeof(struct transform_key);
}

static void
ossl_key_fini(struct transform_key *key)
{
	EVP_CIPHER_CTX_free(key->cipher);
	EVP_MAC_CTX_free(key->mac);
}

static bool
hmac_key(struct transform_ctx *ctx, struct transform_key *key,
    const struct esp_alg *alg, const uint8_t *int_key)
{
	char digest[16];
	OSSL_PARAM params[2];

	strncpy(digest, alg->digest, sizeof(digest) - 1);
	digest[sizeof(digest) - 1] = '\0';
	params[0] =
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[1] = OSSL_PARAM_construct_end();
	key->mac = EVP_MAC_CTX_new(ctx->hmac);
	return key->mac != NULL &&
	    EVP_MAC_init(key->mac, int_key, alg->int_key_bytes, params) == 1;
}

static bool
ossl_key_init(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_key *ret, const uint8_t *enc_key, const uint8_t *int_key,
    bool encrypt)
{
	*ret = (struct transform_key){
	    .cipher = cipher_ctx_new(ctx, alg->cipher, enc_key, encrypt)};
	if (ret->cipher == NULL)
		return false;
	if (alg->is_aead) {
		memcpy(ret->salt,
		    enc_key + alg->enc_key_bytes - alg->salt_bytes,
		    alg->salt_bytes);
	} else if (!hmac_key(ctx, ret, alg, int_key)) {
		ossl_key_fini(ret);
		return false;
	}
	return true;
}

/* The ICV over head, IV and text: RFC 4303 3.3.2.1 step 2. */
static bool
hmac(const struct esp_alg *alg, const struct transform_job *j,
    uint8_t ret[HMAC_MAX_BYTES])
{
	size_t n;

	return EVP_MAC_init(j->key->mac, NULL, 0, NULL) == 1 &&
	    EVP_MAC_update(j->key->mac, j->head,
		TRANSFORM_HEAD_BYTES + alg->iv_bytes + j->text_bytes) == 1 &&
	    EVP_MAC_final(j->key->mac, ret, &n, HMAC_MAX_BYTES) == 1 &&
	    n >= alg->icv_bytes;
}

static bool
cbc(const struct transform_job *j)
{
	int n;

	return EVP_CipherInit_ex2(j->key->cipher, NULL, NULL,
		   j->head + TRANSFORM_HEAD_BYTES, -1, NULL) == 1 &&
	    EVP_CipherUpdate(j->key->cipher, j->text, &n, j->text,
		(int)j->text_bytes) == 1 &&
	    (size_t)n == j->text_bytes;
}

static bool
encrypt_cbc(const struct esp_alg *alg, const struct transform_job *j)
{
	uint8_t mac[HMAC_MAX_BYTES];
	struct wr w;

	if (!cbc(j) || !hmac(alg, j, mac))
		return false;
	w = wr_init(j->text + j->text_bytes, alg->icv_bytes);
	return wr_bytes(&w, mac, alg->icv_bytes);
}

static bool
decrypt_cbc(const struct esp_alg *alg, const struct transform_job *j)
{
	uint8_t mac[HMAC_MAX_BYTES];

	return hmac(alg, j, mac) &&
	    equal_ct(mac, j->text + j->text_bytes, alg->icv_bytes) && cbc(j);
}

/* Nonce and AAD: RFC 4106 4 and 5. */
static bool
gcm_begin(const struct esp_alg *alg, const struct transform_job *j)
{
	uint8_t nonce[GCM_NONCE_BYTES];
	struct wr w = wr_init(nonce, sizeof(nonce));
	int n;

	wr_bytes(&w, j->key->salt, alg->salt_bytes);
	wr_bytes(&w, j->head + TRANSFORM_HEAD_BYTES, alg->iv_bytes);
	return wr_ok(&w) &&
	    EVP_CipherInit_ex2(j->key->cipher, NULL, NULL, nonce, -1, NULL) ==
	    1 &&
	    EVP_CipherUpdate(
		j->key->cipher, NULL, &n, j->head, TRANSFORM_HEAD_BYTES) == 1;
}

static bool
encrypt_gcm(const struct esp_alg *alg, const struct transform_job *j)
{
	EVP_CIPHER_CTX *c = j->key->cipher;
	uint8_t *icv = j->text + j->text_bytes;
	int n;

	return gcm_begin(alg, j) &&
	    EVP_CipherUpdate(c, j->text, &n, j->text, (int)j->text_bytes) ==
	    1 &&
	    EVP_CipherFinal_ex(c, icv, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(
		c, EVP_CTRL_AEAD_GET_TAG, alg->icv_bytes, icv) == 1;
}

static bool
decrypt_gcm(const struct esp_alg *alg, const struct transform_job *j)
{
	EVP_CIPHER_CTX *c = j->key->cipher;
	uint8_t *icv = j->text + j->text_bytes;
	int n;

	return gcm_begin(alg, j) &&
	    EVP_CipherUpdate(c, j->text, &n, j->text, (int)j->text_bytes) ==
	    1 &&
	    EVP_CIPHER_CTX_ctrl(
		c, EVP_CTRL_AEAD_SET_TAG, alg->icv_bytes, icv) == 1 &&
	    EVP_CipherFinal_ex(c, icv, &n) == 1;
}

static void
ossl_encrypt(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_job **jobs, size_t n)
{
	size_t i;

	(void)ctx;
	for (i = 0; i < n; i++)
		jobs[i]->ok = alg->is_aead ? encrypt_gcm(alg, jobs[i])
					   : encrypt_cbc(alg, jobs[i]);
}

static void
ossl_decrypt(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_job **jobs, size_t n)
{
	size_t i;

	(void)ctx;
	for (i = 0; i < n; i++)
		jobs[i]->ok = alg->is_aead ? decrypt_gcm(alg, jobs[i])
					   : decrypt_cbc(alg, jobs[i]);
}

static const struct transform_ops ossl_ops = {
    .close = ossl_close,
    .key_bytes = ossl_key_bytes,
    .key_init = ossl_key_init,
    .key_fini = ossl_key_fini,
    .encrypt = ossl_encrypt,
    .decrypt = ossl_decrypt,
};

bool
transform_openssl_open(struct transform *ret)
{
	struct transform_ctx *ctx = ctx_new();

	if (ctx == NULL)
		return false;
	*ret = (struct transform){.ops = &ossl_ops, .ctx = ctx};
	return true;
}

/* A counter, encrypted with a key that nobody knows: never repeats, and cannot
 * be told from random numbers (NIST SP 800-38A appendix C, first method). */
bool
transform_openssl_ivs(const struct transform *t, uint8_t *ret, size_t n)
{
	struct wr w = wr_init(ret, n * TRANSFORM_IV_BYTES);
	size_t i;
	int len;

	for (i = 0; i < n; i++) {
		wr_be64(&w, 0);
		wr_be64(&w, t->ctx->iv_counter++);
	}
	return wr_ok(&w) &&
	    EVP_EncryptUpdate(t->ctx->iv_cipher, ret, &len, ret,
		(int)(n * TRANSFORM_IV_BYTES)) == 1;
}
