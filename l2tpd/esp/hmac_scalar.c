/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hmac_scalar.c: HMAC (RFC 2104) of one packet from the two states that follow
 * from its key, by OpenSSL's SHA functions. They are called deprecated because
 * they pass by the providers; that is why they are here: nothing is kept for a
 * key but the states, and a lonely packet does not pay for empty lanes.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <string.h>

#include <openssl/sha.h>

#include "l2tpd/esp/mb_int.h"

static void
sha1_from(SHA_CTX *c, const void *state)
{
	uint32_t h[5];

	memcpy(h, state, sizeof(h));
	SHA1_Init(c);
	c->h0 = h[0];
	c->h1 = h[1];
	c->h2 = h[2];
	c->h3 = h[3];
	c->h4 = h[4];
	c->Nl = SHA_CBLOCK * 8; /* one block of key is behind us */
}

static void
hmac_sha1(const void *inner, const void *outer, const void *data, size_t n,
    uint8_t *ret)
{
	SHA_CTX c;

	sha1_from(&c, inner);
	SHA1_Update(&c, data, n);
	SHA1_Final(ret, &c);
	sha1_from(&c, outer);
	SHA1_Update(&c, ret, SHA_DIGEST_LENGTH);
	SHA1_Final(ret, &c);
}

static void
sha256_from(SHA256_CTX *c, const void *state)
{
	SHA256_Init(c);
	memcpy(c->h, state, sizeof(c->h));
	c->Nl = SHA256_CBLOCK * 8;
}

static void
hmac_sha256(const void *inner, const void *outer, const void *data, size_t n,
    uint8_t *ret)
{
	SHA256_CTX c;

	sha256_from(&c, inner);
	SHA256_Update(&c, data, n);
	SHA256_Final(ret, &c);
	sha256_from(&c, outer);
	SHA256_Update(&c, ret, SHA256_DIGEST_LENGTH);
	SHA256_Final(ret, &c);
}

static void
sha512_from(SHA512_CTX *c, const void *state, size_t digest_bytes)
{
	SHA512_Init(c);
	memcpy(c->h, state, sizeof(c->h));
	c->Nl = SHA512_CBLOCK * 8;
	c->md_len = (unsigned int)digest_bytes;
}

static void
hmac_sha512(const void *inner, const void *outer, const void *data, size_t n,
    size_t digest_bytes, uint8_t *ret)
{
	SHA512_CTX c;

	sha512_from(&c, inner, digest_bytes);
	SHA512_Update(&c, data, n);
	SHA512_Final(ret, &c);
	sha512_from(&c, outer, digest_bytes);
	SHA512_Update(&c, ret, digest_bytes);
	SHA512_Final(ret, &c);
}

void
hmac_scalar(enum mb_hash hash, const void *inner, const void *outer,
    const void *data, size_t n, uint8_t ret[MB_TAG_BYTES])
{
	switch (hash) {
	case MB_SHA1:
		hmac_sha1(inner, outer, data, n, ret);
		break;
	case MB_SHA256:
		hmac_sha256(inner, outer, data, n, ret);
		break;
	case MB_SHA384:
		hmac_sha512(inner, outer, data, n, SHA384_DIGEST_LENGTH, ret);
		break;
	case MB_SHA512:
	case MB_HASHES:
		hmac_sha512(inner, outer, data, n, SHA512_DIGEST_LENGTH, ret);
		break;
	}
}
