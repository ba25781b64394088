/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mschap.c: MS-CHAPv2 (RFC 2759 section 8, done as specified) and CHAP-MD5
 * (RFC 1994 4.1). Owns a private OpenSSL library context, so that neither
 * openssl.cnf nor a FIPS default changes what is available here; everything is
 * fetched once and kept for the life of the process. DES is DES-EDE3 with
 * K1 = K2 = K3: equal to DES, and in the default provider.
 *
 * Trusts its callers for lengths; compares in constant time; wipes what is
 * made from a password. MS-CHAPv2 is only as strong as one DES key: it must
 * run inside IPsec only.
 */
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "base/secret.h"
#include "ppp-glue/engine/md4.h"
#include "ppp-glue/engine/mschap.h"

#define NT_RESPONSE_BYTES 24
#define NT_RESPONSE_AT    24 /* in the 49 bytes. RFC 2759 4 */
#define SHA1_BYTES        20

static struct {
	OSSL_LIB_CTX *lib;
	EVP_MD *sha1, *md5;
	EVP_CIPHER *des3;
} crypto;
static pthread_once_t crypto_once = PTHREAD_ONCE_INIT;

static void
crypto_fetch(void)
{
	crypto.lib = OSSL_LIB_CTX_new();
	if (crypto.lib == NULL)
		return;
	crypto.sha1 = EVP_MD_fetch(crypto.lib, "SHA1", "provider=default");
	crypto.md5 = EVP_MD_fetch(crypto.lib, "MD5", "provider=default");
	crypto.des3 =
	    EVP_CIPHER_fetch(crypto.lib, "DES-EDE3-ECB", "provider=default");
}

static bool
crypto_ready(void)
{
	return pthread_once(&crypto_once, crypto_fetch) == 0 &&
	    crypto.sha1 != NULL && crypto.md5 != NULL && crypto.des3 != NULL;
}

struct part {
	const void *p;
	size_t n;
};

/* The digest of up to four parts in a row; a part with p == NULL is skipped. */
static bool
digest(const EVP_MD *md, const struct part part[4], uint8_t *ret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;
	int i;

	ok = ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
	for (i = 0; ok && i < 4; i++)
		if (part[i].n > 0)
			ok = EVP_DigestUpdate(ctx, part[i].p, part[i].n) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, ret, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* RFC 2759 8.6: one block under a 56-bit key. The parity bits stay zero:
 * nobody looks at them. */
static bool
des_encrypt(const uint8_t clear[8], const uint8_t key[7], uint8_t ret[8])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t k[24];
	uint64_t bits = 0;
	bool ok;
	int i, n = 0;

	for (i = 0; i < 7; i++)
		bits = bits << 8 | key[i];
	for (i = 7; i >= 0; i--, bits >>= 7)
		k[i] = k[8 + i] = k[16 + i] = (uint8_t)((bits & 0x7f) << 1);
	ok = ctx != NULL &&
	    EVP_EncryptInit_ex2(ctx, crypto.des3, k, NULL, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	    EVP_EncryptUpdate(ctx, ret, &n, clear, 8) == 1 && n == 8;
	EVP_CIPHER_CTX_free(ctx);
	wipe(k, sizeof(k));
	wipe(&bits, sizeof(bits));
	return ok;
}

/* One code point of UTF-8 (RFC 3629 4). The number of bytes it takes, or 0. */
static size_t
utf8_decode(const uint8_t *p, size_t n, uint32_t *ret)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c;
	size_t len, i;

	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
		return 0;
	c = p[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return len;
}

/* RFC 2759 8.3: MD4 of the password in UTF-16LE */
int
mschap_nt_hash(const void *utf8, size_t n, uint8_t ret[MSCHAP_HASH_BYTES])
{
	const uint8_t *p = utf8;
	struct md4 md4;
	uint32_t c = 0;
	uint8_t u[4];
	size_t used, wide;
	int rc = -EINVAL;

	md4_init(&md4);
	for (; n > 0; p += used, n -= used) {
		used = utf8_decode(p, n, &c);
		if (used == 0)
			goto out;
		wide = 2;
		if (c >= 0x10000) { /* a surrogate pair. RFC 2781 2.1 */
			c -= 0x10000;
			u[0] = (uint8_t)(c >> 10);
			u[1] = (uint8_t)(0xd8 | c >> 18);
			c = 0xdc00 | (c & 0x3ff);
			u[2] = (uint8_t)c;
			u[3] = (uint8_t)(c >> 8);
			wide = 4;
		} else {
			u[0] = (uint8_t)c;
			u[1] = (uint8_t)(c >> 8);
		}
		md4_update(&md4, u, wide);
	}
	md4_final(&md4, ret);
	rc = 0;
out:
	wipe(&md4, sizeof(md4));
	wipe(u, sizeof(u));
	wipe(&c, sizeof(c));
	return rc;
}

/* RFC 2759 8.2: the 8 bytes that are encrypted. The name counts without its
 * domain: "0-to-256-char UserName ... without any prepended domain". */
static bool
challenge_hash(const uint8_t peer_challenge[16], const uint8_t challenge[16],
    const void *name, size_t name_bytes, uint8_t ret[SHA1_BYTES])
{
	const uint8_t *s = name;
	size_t i, start = 0;

	for (i = 0; i < name_bytes; i++)
		if (s[i] == '\\')
			start = i + 1;
	return digest(crypto.sha1,
	    (struct part[4]){{peer_challenge, 16}, {challenge, 16},
		{name_bytes > 0 ? s + start : NULL, name_bytes - start}},
	    ret);
}

/* RFC 2759 8.1 and 8.5 */
static bool
nt_response(const uint8_t nt_hash[MSCHAP_HASH_BYTES], const void *name,
    size_t name_bytes, const uint8_t challenge[16],
    const uint8_t peer_challenge[16], uint8_t ret[NT_RESPONSE_BYTES])
{
	uint8_t zhash[21] = {0}, hash[SHA1_BYTES];
	bool ok;

	memcpy(zhash, nt_hash, MSCHAP_HASH_BYTES);
	ok = crypto_ready() &&
	    challenge_hash(peer_challenge, challenge, name, name_bytes, hash) &&
	    des_encrypt(hash, zhash, ret) &&
	    des_encrypt(hash, zhash + 7, ret + 8) &&
	    des_encrypt(hash, zhash + 14, ret + 16);
	wipe(zhash, sizeof(zhash));
	return ok;
}

/* RFC 2759 8.7 */
static bool
authenticator(const uint8_t nt_hash[MSCHAP_HASH_BYTES], const void *name,
    size_t name_bytes, const uint8_t challenge[16],
    const uint8_t response[MSCHAPV2_RESPONSE_BYTES],
    char ret[MSCHAPV2_AUTHENTICATOR_BYTES])
{
	static const char magic1[] = "Magic server to client signing constant";
	static const char magic2[] =
	    "Pad to make it do more than one iteration";
	static const char hex[] = "0123456789ABCDEF";
	uint8_t hash_hash[MD4_BYTES], d[SHA1_BYTES], ch[SHA1_BYTES];
	struct md4 md4;
	bool ok;
	int i;

	md4_init(&md4);
	md4_update(&md4, nt_hash, MSCHAP_HASH_BYTES); /* RFC 2759 8.4 */
	md4_final(&md4, hash_hash);
	ok = crypto_ready() &&
	    digest(crypto.sha1,
		(struct part[4]){{hash_hash, sizeof(hash_hash)},
		    {response + NT_RESPONSE_AT, NT_RESPONSE_BYTES},
		    {magic1, sizeof(magic1) - 1}},
		d) &&
	    challenge_hash(response, challenge, name, name_bytes, ch) &&
	    digest(crypto.sha1,
		(struct part[4]){
		    {d, sizeof(d)}, {ch, 8}, {magic2, sizeof(magic2) - 1}},
		d);
	wipe(hash_hash, sizeof(hash_hash));
	if (!ok)
		return false;
	ret[0] = 'S';
	ret[1] = '=';
	for (i = 0; i < SHA1_BYTES; i++) {
		ret[2 + 2 * i] = hex[d[i] >> 4];
		ret[3 + 2 * i] = hex[d[i] & 15];
	}
	ret[MSCHAPV2_AUTHENTICATOR_BYTES - 1] = '\0';
	return true;
}

bool
mschapv2_verify(const uint8_t nt_hash[MSCHAP_HASH_BYTES], const void *name,
    size_t name_bytes, const uint8_t challenge[16],
    const uint8_t response[MSCHAPV2_RESPONSE_BYTES],
    char ret_authenticator[MSCHAPV2_AUTHENTICATOR_BYTES])
{
	uint8_t want[NT_RESPONSE_BYTES];
	bool ok;

	ok =
	    nt_response(nt_hash, name, name_bytes, challenge, response, want) &&
	    equal_ct(want, response + NT_RESPONSE_AT, sizeof(want)) &&
	    authenticator(nt_hash, name, name_bytes, challenge, response,
		ret_authenticator);
	wipe(want, sizeof(want));
	return ok;
}

int
mschapv2_respond(const uint8_t nt_hash[MSCHAP_HASH_BYTES], const void *name,
    size_t name_bytes, const uint8_t challenge[16],
    const uint8_t peer_challenge[16],
    uint8_t ret_response[MSCHAPV2_RESPONSE_BYTES])
{
	uint8_t r[MSCHAPV2_RESPONSE_BYTES] = {0};

	memcpy(r, peer_challenge, 16);
	if (!nt_response(nt_hash, name, name_bytes, challenge, peer_challenge,
		r + NT_RESPONSE_AT))
		return -EIO;
	memcpy(ret_response, r, sizeof(r));
	return 0;
}

bool
mschapv2_check_authenticator(const uint8_t nt_hash[MSCHAP_HASH_BYTES],
    const void *name, size_t name_bytes, const uint8_t challenge[16],
    const uint8_t response[MSCHAPV2_RESPONSE_BYTES], const void *message,
    size_t message_bytes)
{
	char want[MSCHAPV2_AUTHENTICATOR_BYTES];
	size_t n = sizeof(want) - 1; /* " M=..." may follow. RFC 2759 5 */

	return message_bytes >= n &&
	    authenticator(
		nt_hash, name, name_bytes, challenge, response, want) &&
	    equal_ct(want, message, n);
}

int
chap_md5_response(uint8_t id, const void *secret, size_t secret_bytes,
    const void *challenge, size_t challenge_bytes, uint8_t ret[16])
{
	if (!crypto_ready() ||
	    !digest(crypto.md5,
		(struct part[4]){{&id, 1}, {secret, secret_bytes},
		    {challenge, challenge_bytes}},
		ret))
		return -EIO;
	return 0;
}

bool
mschap_selftest(void)
{
	/* RFC 2759 9.2 */
	static const uint8_t challenge[16] = {0x5b, 0x5d, 0x7c, 0x7d, 0x7b,
	    0x3f, 0x2f, 0x3e, 0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28};
	static const uint8_t peer_challenge[16] = {0x21, 0x40, 0x23, 0x24, 0x25,
	    0x5e, 0x26, 0x2a, 0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e};
	static const uint8_t want_hash[16] = {0x44, 0xeb, 0xba, 0x8d, 0x53,
	    0x12, 0xb8, 0xd6, 0x11, 0x47, 0x44, 0x11, 0xf5, 0x69, 0x89, 0xae};
	static const uint8_t want_response[NT_RESPONSE_BYTES] = {0x82, 0x30,
	    0x9e, 0xcd, 0x8d, 0x70, 0x8b, 0x5e, 0xa0, 0x8f, 0xaa, 0x39, 0x81,
	    0xcd, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4a, 0x3d, 0x85, 0xd6, 0xdf};
	static const char want[] = "S=407A5589115FD0D6209F510FE9C04566932CDA56";
	uint8_t hash[MSCHAP_HASH_BYTES], r[MSCHAPV2_RESPONSE_BYTES];
	char s[MSCHAPV2_AUTHENTICATOR_BYTES];

	return mschap_nt_hash("clientPass", 10, hash) == 0 &&
	    memcmp(hash, want_hash, sizeof(hash)) == 0 &&
	    mschapv2_respond(hash, "User", 4, challenge, peer_challenge, r) ==
	    0 &&
	    memcmp(r + NT_RESPONSE_AT, want_response, sizeof(want_response)) ==
	    0 &&
	    mschapv2_verify(hash, "DOM\\User", 8, challenge, r, s) &&
	    strcmp(s, want) == 0 &&
	    mschapv2_check_authenticator(
		hash, "User", 4, challenge, r, want, sizeof(want) - 1);
}
