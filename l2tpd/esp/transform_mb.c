/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transform_mb.c: transform.h by intel-ipsec-mb: AES-CBC with HMAC in bursts
 * of ciphers and bursts of hashes, AES-GCM packet by packet. Trusts that the
 * framing has checked lengths: the library is called without its own checks.
 *
 * RFC 3602 (CBC), 2404 and 4868 (HMAC), 4106 (GCM); done as specified, without
 * extended sequence numbers: the AAD of GCM is 8 bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "l2tpd/esp/mb_int.h"

#define ROUND_KEY_BYTES 16
#define GCM_NONCE_BYTES 12 /* salt 4, IV 8: RFC 4106 4 */
#define KEYEXP_BYTES    (15 * ROUND_KEY_BYTES)
#define HASH_BLOCK_MAX  128

/* A CBC key is the round keys of its direction, the inner and the outer state
 * of the HMAC, each in whole 16 bytes; a GCM key is the library's struct and
 * the salt. */
static uint8_t *
bytes_of(struct transform_key *key)
{
	return (uint8_t *)key;
}

static const IMB_HASH_ALG hash_algs[] = {
    [MB_SHA1] = IMB_AUTH_HMAC_SHA_1,
    [MB_SHA256] = IMB_AUTH_HMAC_SHA_256,
    [MB_SHA384] = IMB_AUTH_HMAC_SHA_384,
    [MB_SHA512] = IMB_AUTH_HMAC_SHA_512,
};

static enum mb_hash
hash_of(const struct esp_alg *alg)
{
	switch (alg->integ) {
	case ESP_INT_HMAC_SHA1_96:
		return MB_SHA1;
	case ESP_INT_HMAC_SHA2_256_128:
		return MB_SHA256;
	case ESP_INT_HMAC_SHA2_384_192:
		return MB_SHA384;
	default:
		return MB_SHA512;
	}
}

static size_t
round_keys_bytes(const struct esp_alg *alg)
{
	/* FIPS 197: 10, 12, 14 rounds; and one key before the first */
	return ((size_t)alg->enc_key_bytes / 4 + 7) * ROUND_KEY_BYTES;
}

static size_t
state_bytes(enum mb_hash hash)
{
	return hash == MB_SHA1 || hash == MB_SHA256 ? 32 : 64;
}

/* Where the parts of a key are. */
static uint8_t *
inner_of(const struct esp_alg *alg, struct transform_key *key)
{
	return bytes_of(key) + round_keys_bytes(alg);
}

static uint8_t *
outer_of(const struct esp_alg *alg, struct transform_key *key)
{
	return inner_of(alg, key) + state_bytes(hash_of(alg));
}

static uint8_t *
salt_of(struct transform_key *key)
{
	return bytes_of(key) + sizeof(struct gcm_key_data);
}

static size_t
mb_key_bytes(const struct transform_ctx *ctx, const struct esp_alg *alg)
{
	(void)ctx;
	if (alg->enc == ESP_ENC_AES_GCM_16)
		return sizeof(struct gcm_key_data) + ROUND_KEY_BYTES;
	if (alg->enc == ESP_ENC_AES_CBC)
		return round_keys_bytes(alg) + 2 * state_bytes(hash_of(alg));
	return 0;
}

/* The state after one block of key XOR pad: RFC 2104 4. */
static void
hmac_state(IMB_MGR *m, enum mb_hash hash, const uint8_t *key, size_t n,
    uint8_t pad, uint8_t *ret)
{
	uint8_t block[HASH_BLOCK_MAX];
	size_t i;

	memset(block, pad, sizeof(block));
	for (i = 0; i < n; i++)
		block[i] ^= key[i];
	switch (hash) {
	case MB_SHA1:
		IMB_SHA1_ONE_BLOCK(m, block, ret);
		break;
	case MB_SHA256:
		IMB_SHA256_ONE_BLOCK(m, block, ret);
		break;
	case MB_SHA384:
		IMB_SHA384_ONE_BLOCK(m, block, ret);
		break;
	case MB_SHA512:
	case MB_HASHES:
		IMB_SHA512_ONE_BLOCK(m, block, ret);
		break;
	}
	wipe(block, sizeof(block));
}

static void
gcm_key(IMB_MGR *m, const struct esp_alg *alg, struct transform_key *ret,
    const uint8_t *key)
{
	struct gcm_key_data *data = (void *)bytes_of(ret);
	size_t n = (size_t)alg->enc_key_bytes - alg->salt_bytes;

	if (n == IMB_KEY_128_BYTES)
		IMB_AES128_GCM_PRE(m, key, data);
	else if (n == IMB_KEY_192_BYTES)
		IMB_AES192_GCM_PRE(m, key, data);
	else
		IMB_AES256_GCM_PRE(m, key, data);
	memcpy(salt_of(ret), key + n, alg->salt_bytes);
}

static void
cbc_key(IMB_MGR *m, const struct esp_alg *alg, struct transform_key *ret,
    const uint8_t *key, bool encrypt)
{
	_Alignas(16) uint8_t other[KEYEXP_BYTES];
	void *enc = encrypt ? bytes_of(ret) : other;
	void *dec = encrypt ? other : bytes_of(ret);

	if (alg->enc_key_bytes == IMB_KEY_128_BYTES)
		IMB_AES_KEYEXP_128(m, key, enc, dec);
	else if (alg->enc_key_bytes == IMB_KEY_192_BYTES)
		IMB_AES_KEYEXP_192(m, key, enc, dec);
	else
		IMB_AES_KEYEXP_256(m, key, enc, dec);
	wipe(other, sizeof(other));
}

static bool
mb_key_init(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_key *ret, const uint8_t *enc_key, const uint8_t *int_key,
    bool encrypt)
{
	enum mb_hash hash = hash_of(alg);
	IMB_MGR *m;

	if (alg->is_aead) {
		gcm_key(ctx->managers[ctx->plan.gcm], alg, ret, enc_key);
		return true;
	}
	m = ctx->managers[ctx->plan.decrypt];
	cbc_key(m, alg, ret, enc_key, encrypt);
	hmac_state(
	    m, hash, int_key, alg->int_key_bytes, 0x36, inner_of(alg, ret));
	hmac_state(
	    m, hash, int_key, alg->int_key_bytes, 0x5c, outer_of(alg, ret));
	return true;
}

static void
mb_key_fini(struct transform_key *key)
{
	(void)key; /* owns nothing */
}

static void
hash_scalar(enum mb_hash hash, const IMB_JOB *j)
{
	uint8_t tag[MB_TAG_BYTES];

	hmac_scalar(hash, j->u.HMAC._hashed_auth_key_xor_ipad,
	    j->u.HMAC._hashed_auth_key_xor_opad, j->src,
	    j->msg_len_to_hash_in_bytes, tag);
	memcpy(j->auth_tag_output, tag, j->auth_tag_output_len_in_bytes);
}

bool
mb_hash_burst(struct transform_ctx *ctx, enum mb_engine engine,
    enum mb_hash hash, IMB_JOB *jobs, size_t n)
{
	IMB_MGR *m;
	size_t i;

	if (engine == MB_SCALAR) {
		for (i = 0; i < n; i++)
			hash_scalar(hash, &jobs[i]);
		return true;
	}
	m = ctx->managers[engine];
	return IMB_SUBMIT_HASH_BURST_NOCHECK(
		   m, jobs, (uint32_t)n, hash_algs[hash]) == n;
}

bool
mb_cbc_burst(struct transform_ctx *ctx, enum mb_engine engine,
    IMB_CIPHER_DIRECTION direction, size_t key_bytes, IMB_JOB *jobs, size_t n)
{
	IMB_MGR *m = ctx->managers[engine];

	return IMB_SUBMIT_CIPHER_BURST_NOCHECK(m, jobs, (uint32_t)n,
		   IMB_CIPHER_CBC, direction,
		   (IMB_KEY_SIZE_BYTES)key_bytes) == n;
}

static enum mb_size
size_of(struct transform_job **jobs, size_t n)
{
	size_t i, total = 0;

	for (i = 0; i < n; i++)
		total += jobs[i]->text_bytes;
	return total >= n * MB_LARGE_BYTES ? MB_LARGE : MB_SMALL;
}

static bool
hash_all(
    struct transform_ctx *ctx, enum mb_size size, enum mb_hash hash, size_t n)
{
	const struct mb_step *step;
	bool ok = true;
	size_t i;

	for (i = 0; i < n; i += step->take) {
		step = &ctx->plan.hash[size][hash][n - i];
		ok &= mb_hash_burst(
		    ctx, step->engine, hash, &ctx->jobs[i], step->take);
	}
	return ok;
}

static bool
encrypt_all(struct transform_ctx *ctx, enum mb_size size,
    const struct esp_alg *alg, size_t n)
{
	const struct mb_step *step;
	bool ok = true;
	size_t i;

	for (i = 0; i < n; i += step->take) {
		step = &ctx->plan.encrypt[size][n - i];
		ok &= mb_cbc_burst(ctx, step->engine, IMB_DIR_ENCRYPT,
		    alg->enc_key_bytes, &ctx->jobs[i], step->take);
	}
	return ok;
}

static void
fill_cipher(
    const struct esp_alg *alg, const struct transform_job *j, IMB_JOB *r)
{
	r->enc_keys = r->dec_keys = bytes_of(j->key);
	r->key_len_in_bytes = alg->enc_key_bytes;
	r->src = j->head;
	r->dst = j->text;
	r->cipher_start_src_offset_in_bytes =
	    TRANSFORM_HEAD_BYTES + (size_t)alg->iv_bytes;
	r->msg_len_to_cipher_in_bytes = j->text_bytes;
	r->iv = j->head + TRANSFORM_HEAD_BYTES;
	r->iv_len_in_bytes = alg->iv_bytes;
	r->cipher_mode = IMB_CIPHER_CBC;
}

/* The ICV is over head, IV and text: RFC 4303 3.3.2.1 step 2. */
static void
fill_hash(const struct esp_alg *alg, const struct transform_job *j,
    enum mb_hash hash, uint8_t *tag, IMB_JOB *r)
{
	r->src = j->head;
	r->hash_start_src_offset_in_bytes = 0;
	r->msg_len_to_hash_in_bytes =
	    TRANSFORM_HEAD_BYTES + (size_t)alg->iv_bytes + j->text_bytes;
	r->auth_tag_output = tag;
	r->auth_tag_output_len_in_bytes = alg->icv_bytes;
	r->hash_alg = hash_algs[hash];
	r->u.HMAC._hashed_auth_key_xor_ipad = inner_of(alg, j->key);
	r->u.HMAC._hashed_auth_key_xor_opad = outer_of(alg, j->key);
}

static void
encrypt_cbc(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_job **jobs, size_t n)
{
	enum mb_hash hash = hash_of(alg);
	enum mb_size size = size_of(jobs, n);
	size_t i;
	bool ok;

	for (i = 0; i < n; i++) {
		fill_cipher(alg, jobs[i], &ctx->jobs[i]);
		fill_hash(alg, jobs[i], hash,
		    jobs[i]->text + jobs[i]->text_bytes, &ctx->jobs[i]);
	}
	ok = encrypt_all(ctx, size, alg, n) && hash_all(ctx, size, hash, n);
	for (i = 0; i < n; i++)
		jobs[i]->ok = ok;
}

static void
decrypt_cbc(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_job **jobs, size_t n)
{
	enum mb_hash hash = hash_of(alg);
	size_t i, n_good = 0;
	bool ok;

	for (i = 0; i < n; i++)
		fill_hash(alg, jobs[i], hash, ctx->tags[i], &ctx->jobs[i]);
	ok = hash_all(ctx, size_of(jobs, n), hash, n);
	for (i = 0; i < n; i++) {
		jobs[i]->ok = ok &&
		    equal_ct(ctx->tags[i], jobs[i]->text + jobs[i]->text_bytes,
			alg->icv_bytes);
		if (jobs[i]->ok)
			fill_cipher(alg, jobs[i], &ctx->jobs[n_good++]);
	}
	ok = mb_cbc_burst(ctx, ctx->plan.decrypt, IMB_DIR_DECRYPT,
	    alg->enc_key_bytes, ctx->jobs, n_good);
	for (i = 0; !ok && i < n; i++)
		jobs[i]->ok = false;
}

/* The function of a manager for this key length and direction. */
static aes_gcm_enc_dec_t
gcm_function(const IMB_MGR *m, const struct esp_alg *alg, bool encrypt)
{
	switch (alg->enc_key_bytes - alg->salt_bytes) {
	case IMB_KEY_128_BYTES:
		return encrypt ? m->gcm128_enc : m->gcm128_dec;
	case IMB_KEY_192_BYTES:
		return encrypt ? m->gcm192_enc : m->gcm192_dec;
	default:
		return encrypt ? m->gcm256_enc : m->gcm256_dec;
	}
}

/* Nonce and AAD: RFC 4106 4 and 5. */
static void
gcm_one(struct transform_ctx *ctx, aes_gcm_enc_dec_t function,
    const struct esp_alg *alg, const struct transform_job *j, uint8_t *tag)
{
	const struct gcm_key_data *key = (const void *)bytes_of(j->key);
	uint8_t nonce[GCM_NONCE_BYTES];

	memcpy(nonce, salt_of(j->key), alg->salt_bytes);
	memcpy(nonce + alg->salt_bytes, j->head + TRANSFORM_HEAD_BYTES,
	    alg->iv_bytes);
	function(key, &ctx->gcm, j->text, j->text, j->text_bytes, nonce,
	    j->head, TRANSFORM_HEAD_BYTES, tag, alg->icv_bytes);
}

static void
mb_encrypt(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_job **jobs, size_t n)
{
	aes_gcm_enc_dec_t function;
	size_t i, part;

	if (!alg->is_aead) {
		for (i = 0; i < n; i += part) {
			part = n - i < MB_BURST ? n - i : MB_BURST;
			encrypt_cbc(ctx, alg, jobs + i, part);
		}
		return;
	}
	function = gcm_function(ctx->managers[ctx->plan.gcm], alg, true);
	for (i = 0; i < n; i++) {
		gcm_one(ctx, function, alg, jobs[i],
		    jobs[i]->text + jobs[i]->text_bytes);
		jobs[i]->ok = true;
	}
}

static void
mb_decrypt(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_job **jobs, size_t n)
{
	aes_gcm_enc_dec_t function;
	size_t i, part;

	if (!alg->is_aead) {
		for (i = 0; i < n; i += part) {
			part = n - i < MB_BURST ? n - i : MB_BURST;
			decrypt_cbc(ctx, alg, jobs + i, part);
		}
		return;
	}
	function = gcm_function(ctx->managers[ctx->plan.gcm], alg, false);
	for (i = 0; i < n; i++) {
		gcm_one(ctx, function, alg, jobs[i], ctx->tags[0]);
		jobs[i]->ok = equal_ct(ctx->tags[0],
		    jobs[i]->text + jobs[i]->text_bytes, alg->icv_bytes);
	}
}

static void
mb_close(struct transform_ctx *ctx)
{
	size_t i;

	if (ctx == NULL)
		return;
	for (i = 0; i < MB_MANAGERS; i++)
		if (ctx->managers[i] != NULL)
			ctx->lib->free(ctx->managers[i]);
	wipe(ctx, sizeof(*ctx));
	free(ctx);
}

struct transform_ctx *
mb_ctx_new(const struct mb_lib *lib, const struct mb_plan *plan)
{
	struct transform_ctx *ctx;
	IMB_MGR *m;
	enum mb_engine i;

	ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL)
		return NULL;
	ctx->lib = lib;
	ctx->plan = *plan;
	for (i = 0; i < MB_MANAGERS; i++) {
		if (!mb_plan_uses(plan, i))
			continue;
		m = ctx->managers[i] = lib->alloc(0);
		if (m == NULL)
			goto fail;
		lib->init[i](m);
		if (m->imb_errno != 0)
			goto fail;
	}
	return ctx;
fail:
	mb_close(ctx);
	return NULL;
}

const struct transform_ops mb_ops = {
    .close = mb_close,
    .key_bytes = mb_key_bytes,
    .key_init = mb_key_init,
    .key_fini = mb_key_fini,
    .encrypt = mb_encrypt,
    .decrypt = mb_decrypt,
};
