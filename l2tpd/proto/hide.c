/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hide.c: AVP hiding (RFC 2661 4.3) and tunnel authentication (5.1.1). Done as
 * specified. Intermediate MD5 values are wiped: with them and a known
 * plaintext one could read other values under the same vector.
 */
#include "l2tpd/proto/hide.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* ret = MD5(a b c) */
static bool
md5(struct rd a, struct rd b, struct rd c, uint8_t ret[HIDE_BLOCK_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, a.p, a.left) == 1 &&
	    EVP_DigestUpdate(ctx, b.p, b.left) == 1 &&
	    EVP_DigestUpdate(ctx, c.p, c.left) == 1 &&
	    EVP_DigestFinal_ex(ctx, ret, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* First pad: MD5(attribute type, secret, random vector). */
static bool
first_pad(uint16_t type, struct rd secret, struct rd vector,
    uint8_t ret[HIDE_BLOCK_BYTES])
{
	uint8_t number[2];
	struct wr w = wr_init(number, sizeof(number));

	return wr_be16(&w, type) && md5(wr_rd(&w), secret, vector, ret);
}

/* XOR one block with pad and write it. */
static bool
xor_block(struct rd block, const uint8_t *pad, struct wr *w)
{
	uint8_t b;

	while (rd_u8(&block, &b))
		if (!wr_u8(w, b ^ *pad++))
			return false;
	return true;
}

/* Walk over text block by block. The next pad is made of the cipher block,
 * which is the input when deciphering and the output when enciphering. */
static bool
transform(uint16_t type, struct rd secret, struct rd vector, struct rd text,
    bool deciphering, struct wr *w)
{
	uint8_t pad[HIDE_BLOCK_BYTES];
	struct rd block, cipher;
	size_t n, mark;
	bool ok;

	ok = first_pad(type, secret, vector, pad);
	while (ok && text.left > 0) {
		n = text.left < sizeof(pad) ? text.left : sizeof(pad);
		mark = wr_mark(w);
		ok = rd_sub(&text, n, &block) && xor_block(block, pad, w);
		if (!ok || text.left == 0)
			break;
		cipher = deciphering ? block : rd_init(w->buf + mark, n);
		ok = md5(secret, cipher, rd_init(NULL, 0), pad);
	}
	OPENSSL_cleanse(pad, sizeof(pad));
	return ok;
}

bool
hide_encode(uint16_t type, struct rd secret, struct rd vector, struct rd value,
    size_t pad_bytes, struct wr *w)
{
	uint8_t plain[1024];
	struct wr p = wr_init(plain, sizeof(plain));
	bool ok;

	ok = value.left <= UINT16_MAX && wr_be16(&p, (uint16_t)value.left) &&
	    wr_bytes(&p, value.p, value.left) && wr_zero(&p, pad_bytes) &&
	    transform(type, secret, vector, wr_rd(&p), false, w);
	OPENSSL_cleanse(plain, sizeof(plain));
	return ok;
}

bool
hide_decode(uint16_t type, struct rd secret, struct rd vector, struct rd cipher,
    struct wr *scratch, struct rd *ret_value)
{
	size_t mark = wr_mark(scratch);
	struct rd plain, value;
	uint16_t length;

	if (!transform(type, secret, vector, cipher, true, scratch)) {
		wr_rewind(scratch, mark);
		return false;
	}
	plain = rd_init(scratch->buf + mark, scratch->len - mark);
	if (!rd_be16(&plain, &length) || !rd_sub(&plain, length, &value))
		return false;
	*ret_value = value;
	return true;
}

bool
hide_response(uint8_t message_type, struct rd secret, struct rd challenge,
    uint8_t ret[HIDE_BLOCK_BYTES])
{
	return md5(rd_init(&message_type, 1), secret, challenge, ret);
}

bool
hide_check_response(uint8_t message_type, struct rd secret, struct rd challenge,
    struct rd response)
{
	uint8_t right[HIDE_BLOCK_BYTES];
	bool ok;

	ok = response.left == sizeof(right) &&
	    hide_response(message_type, secret, challenge, right) &&
	    CRYPTO_memcmp(right, response.p, sizeof(right)) == 0;
	OPENSSL_cleanse(right, sizeof(right));
	return ok;
}
