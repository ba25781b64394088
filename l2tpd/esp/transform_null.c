/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transform_null.c: transform.h without crypto (RFC 2410, and no integrity),
 * to measure what everything else costs. Owns nothing. A table refuses such
 * SAs unless esp_table_allow_null() was called, which the server never does.
 */
#include "l2tpd/esp/transform.h"

struct transform_key {
	uint8_t unused[TRANSFORM_KEY_ALIGN];
};

static void
null_close(struct transform_ctx *ctx)
{
	(void)ctx;
}

static size_t
null_key_bytes(const struct transform_ctx *ctx, const struct esp_alg *alg)
{
	(void)ctx, (void)alg;
	return sizeof(struct transform_key);
}

static bool
null_key_init(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_key *ret, const uint8_t *enc_key, const uint8_t *int_key,
    bool encrypt)
{
	(void)ctx, (void)alg, (void)enc_key, (void)int_key, (void)encrypt;
	*ret = (struct transform_key){0};
	return true;
}

static void
null_key_fini(struct transform_key *key)
{
	(void)key;
}

static void
null_work(struct transform_ctx *ctx, const struct esp_alg *alg,
    struct transform_job **jobs, size_t n)
{
	size_t i;

	(void)ctx, (void)alg;
	for (i = 0; i < n; i++)
		jobs[i]->ok = true;
}

static const struct transform_ops null_ops = {
    .close = null_close,
    .key_bytes = null_key_bytes,
    .key_init = null_key_init,
    .key_fini = null_key_fini,
    .encrypt = null_work,
    .decrypt = null_work,
};

void
transform_null_open(struct transform *ret)
{
	*ret = (struct transform){.ops = &null_ops};
}
