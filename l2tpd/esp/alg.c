/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alg.c: the transform combinations of RFC 4303 that clients of RFC 3193 use:
 * AES-CBC (RFC 3602) and 3DES-CBC (RFC 2451) with HMAC-SHA1-96 (RFC 2404) or
 * HMAC-SHA2 (RFC 4868), and AES-GCM with a 16 byte ICV (RFC 4106).
 * Owns constant data only. No NULL encryption and no NULL integrity in the
 * table, on purpose: a remote-access server has no use for them.
 */
#include "l2tpd/esp/alg.h"

#include "l2tpd/esp/esp.h"

/* clang-format off */
#define CBC(enc, key, iv, cipher, name) \
	{ enc, ESP_INT_HMAC_SHA1_96, false, key, 0, 20, iv, iv, 12, \
	  cipher, "SHA1", name "-sha1" }, \
	{ enc, ESP_INT_HMAC_SHA2_256_128, false, key, 0, 32, iv, iv, 16, \
	  cipher, "SHA256", name "-sha256" }, \
	{ enc, ESP_INT_HMAC_SHA2_384_192, false, key, 0, 48, iv, iv, 24, \
	  cipher, "SHA384", name "-sha384" }, \
	{ enc, ESP_INT_HMAC_SHA2_512_256, false, key, 0, 64, iv, iv, 32, \
	  cipher, "SHA512", name "-sha512" }
#define GCM(key, cipher, name) \
	{ ESP_ENC_AES_GCM_16, ESP_INT_NONE, true, (key) + 4, 4, 0, 8, 4, 16, \
	  cipher, NULL, name }

static const struct esp_alg table[] = {
	CBC(ESP_ENC_AES_CBC, 16, 16, "AES-128-CBC", "aes128"),
	CBC(ESP_ENC_AES_CBC, 24, 16, "AES-192-CBC", "aes192"),
	CBC(ESP_ENC_AES_CBC, 32, 16, "AES-256-CBC", "aes256"),
	CBC(ESP_ENC_3DES_CBC, 24, 8, "DES-EDE3-CBC", "3des"),
	GCM(16, "AES-128-GCM", "aes128gcm16"),
	GCM(24, "AES-192-GCM", "aes192gcm16"),
	GCM(32, "AES-256-GCM", "aes256gcm16"),
};
const struct esp_alg esp_alg_null = {
	ESP_ENC_NULL, ESP_INT_NONE, false, 0, 0, 0, 0, 4, 0, NULL, NULL, "null"
};
/* clang-format on */
#define N_ALGS (sizeof(table) / sizeof(table[0]))

const struct esp_alg *
esp_alg_find(uint16_t enc, size_t enc_key_bytes, uint16_t integ,
    size_t int_key_bytes, bool *ret_known_pair)
{
	size_t i;

	*ret_known_pair = false;
	for (i = 0; i < N_ALGS; i++) {
		if (table[i].enc != enc || table[i].integ != integ)
			continue;
		*ret_known_pair = true;
		if (table[i].enc_key_bytes == enc_key_bytes &&
		    table[i].int_key_bytes == int_key_bytes)
			return &table[i];
	}
	return NULL;
}

const struct esp_alg *
esp_alg_table(size_t *ret_n)
{
	*ret_n = N_ALGS;
	return table;
}
