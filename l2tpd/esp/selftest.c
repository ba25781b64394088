/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * selftest.c: known-answer tests of every transform, run at each start: a
 * library that gives other bytes than the rest of the world must not come into
 * service. Each implementation is tried alone (esp_known_answers), and then the
 * whole inbound path (esp_selftest). The packets were computed with the openssl
 * command by tests/unit/esp_kat.py, which says what is in them. Owns nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wr.h"
#include "l2tpd/esp/sa.h"
#include "l2tpd/esp/selftest.h"

#define KAT_SPI         0x11223344u
#define KAT_PACKET_MAX  96
#define KAT_NEXT_HEADER 17
#define KAT_BATCH       18 /* more than any lanes, and no multiple of them */
static const char kat_payload[] = "ADIT self-test";
#define KAT_PAYLOAD_BYTES (sizeof(kat_payload) - 1)

struct kat {
	const char *name;   /* of the row in alg.c */
	const char *packet; /* hexadecimal */
};

/* clang-format off */
static const struct kat kats[] = {
	{ "aes128-sha1",
	  "1122334400000001404142434445464748494a4b4c4d4e4f218f92a6"
	  "12bced7376cef8eb8bb29f47a9a21ad9624a79300cd11cdc" },
	{ "aes128-sha256",
	  "1122334400000001404142434445464748494a4b4c4d4e4f218f92a6"
	  "12bced7376cef8eb8bb29f472dca0fe95d742dba69fca2d29ed69c22" },
	{ "aes128-sha384",
	  "1122334400000001404142434445464748494a4b4c4d4e4f218f92a6"
	  "12bced7376cef8eb8bb29f4727ef360b58567afe6f3b9e8b4a98bea3"
	  "5bc0868c84e9fb01" },
	{ "aes128-sha512",
	  "1122334400000001404142434445464748494a4b4c4d4e4f218f92a6"
	  "12bced7376cef8eb8bb29f47e809a23c14f74f5aed34c4a6b440275e"
	  "72fc11be2a5cdebb3b01924f1bde6127" },
	{ "aes192-sha1",
	  "1122334400000001404142434445464748494a4b4c4d4e4fc80a3c4a"
	  "b18482650710ec594c3479e44cf29d984f65790bddc280db" },
	{ "aes192-sha256",
	  "1122334400000001404142434445464748494a4b4c4d4e4fc80a3c4a"
	  "b18482650710ec594c3479e44506ed123db875d04a36cc2b6da80bf9" },
	{ "aes192-sha384",
	  "1122334400000001404142434445464748494a4b4c4d4e4fc80a3c4a"
	  "b18482650710ec594c3479e45b73d2dd1928b2ab7124d73ebe8bdf4b"
	  "2a75f85025a9f3b1" },
	{ "aes192-sha512",
	  "1122334400000001404142434445464748494a4b4c4d4e4fc80a3c4a"
	  "b18482650710ec594c3479e451f919c4d9cf2fd474cfe65559a6ddfc"
	  "cdeb1f8ca5b550446cc9416f8351ad1b" },
	{ "aes256-sha1",
	  "1122334400000001404142434445464748494a4b4c4d4e4fcccd63f4"
	  "21d6751479d7f70497f4c573576ddf0a0649899e4134e831" },
	{ "aes256-sha256",
	  "1122334400000001404142434445464748494a4b4c4d4e4fcccd63f4"
	  "21d6751479d7f70497f4c5737040ce24852abead1422585e9f74baf4" },
	{ "aes256-sha384",
	  "1122334400000001404142434445464748494a4b4c4d4e4fcccd63f4"
	  "21d6751479d7f70497f4c573ad73f15da67a0b6b46450c2532ad91f6"
	  "bb6b244d56e0b10e" },
	{ "aes256-sha512",
	  "1122334400000001404142434445464748494a4b4c4d4e4fcccd63f4"
	  "21d6751479d7f70497f4c573e6716a269bcfee6425dfdd9fbad035bb"
	  "90ccc57262fc04fabd06b119e38b7323" },
	{ "3des-sha1",
	  "1122334400000001404142434445464767c468385d083796626a56a1"
	  "71f7230a511f5c546c5b39ab5d8080bf" },
	{ "3des-sha256",
	  "1122334400000001404142434445464767c468385d083796626a56a1"
	  "71f7230a21c3ccd2f80428b0ce04c4dfdeb6be24" },
	{ "3des-sha384",
	  "1122334400000001404142434445464767c468385d083796626a56a1"
	  "71f7230aea4aaf78f166a189870d437238b5454937062292e035c489" },
	{ "3des-sha512",
	  "1122334400000001404142434445464767c468385d083796626a56a1"
	  "71f7230ad95b66c19b390997ae993bfa541ec8869ebcea986d39f57f"
	  "67e0a7c6fd6bd8ec" },
	{ "aes128gcm16",
	  "112233440000000140414243444546477d6ebd5f7707b2ae8095336e"
	  "7ae88a84f0b5a72a4c14272f69633905d75d0bda" },
	{ "aes192gcm16",
	  "11223344000000014041424344454647e904914675b87a7699889ac4"
	  "7bb3fb0cffb5faafbf60fd05206f2d2eb05892ed" },
	{ "aes256gcm16",
	  "1122334400000001404142434445464722260a33efb9ffc65eef15a4"
	  "1b003000506ccfbe671a5da22e42cbe8b33e22e1" },
};
/* clang-format on */
#define N_KATS (sizeof(kats) / sizeof(kats[0]))

static unsigned int
nibble(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static size_t
unhex(const char *hex, uint8_t ret[KAT_PACKET_MAX])
{
	struct wr w = wr_init(ret, KAT_PACKET_MAX);

	for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2)
		wr_u8(&w, (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1])));
	return wr_rd(&w).left;
}

static const struct kat *
kat_of(const struct esp_alg *alg)
{
	size_t i;

	for (i = 0; i < N_KATS; i++)
		if (strcmp(kats[i].name, alg->name) == 0)
			return &kats[i];
	return NULL;
}

static struct esp_sa *
kat_sa(struct esp_table *t, const struct esp_alg *alg, bool inbound)
{
	struct esp_sa_params p = {
	    .spi = KAT_SPI,
	    .inbound = inbound,
	    .association = 1,
	    .enc_alg = alg->enc,
	    .int_alg = alg->integ,
	    .enc_key_bytes = alg->enc_key_bytes,
	    .int_key_bytes = alg->int_key_bytes,
	};
	struct esp_sa *sa;
	uint8_t i;

	for (i = 0; i < alg->enc_key_bytes; i++)
		p.enc_key[i] = i;
	for (i = 0; i < alg->int_key_bytes; i++)
		p.int_key[i] = (uint8_t)(0x80 + i);
	return esp_sa_add(t, &p, 0, &sa) == 0 ? sa : NULL;
}

/* The whole inbound path; and a packet with one wrong bit is refused. */
static bool
kat_decrypt(struct esp_table *t, const struct esp_alg *alg, const struct kat *k)
{
	struct esp_sa *sa = kat_sa(t, alg, true);
	uint8_t packet[KAT_PACKET_MAX];
	struct esp_job j = {.sa = sa, .data = packet};

	if (sa == NULL)
		return false;
	j.len = unhex(k->packet, packet);
	packet[j.len - 1] ^= 1;
	esp_decrypt_batch(&j, 1, 0);
	if (j.verdict != ESP_BAD_ICV)
		return false;
	j.data = packet;
	j.len = unhex(k->packet, packet);
	esp_decrypt_batch(&j, 1, 0);
	return j.verdict == ESP_OK && j.next_header == KAT_NEXT_HEADER &&
	    j.len == KAT_PAYLOAD_BYTES &&
	    memcmp(j.data, kat_payload, j.len) == 0;
}

/* A batch of one packet, given several times. */
struct kat_batch {
	const struct esp_alg *alg;
	struct transform_job jobs[KAT_BATCH], *pointers[KAT_BATCH];
	uint8_t packets[KAT_BATCH][KAT_PACKET_MAX], want[KAT_PACKET_MAX];
	size_t bytes;
};

static void
kat_batch_fill(struct kat_batch *b, const struct kat *k,
    const struct esp_alg *alg, struct transform_key *key)
{
	size_t i, front = TRANSFORM_HEAD_BYTES + (size_t)alg->iv_bytes;

	b->alg = alg;
	b->bytes = unhex(k->packet, b->want);
	for (i = 0; i < KAT_BATCH; i++) {
		memcpy(b->packets[i], b->want, b->bytes);
		b->jobs[i] = (struct transform_job){
		    .key = key,
		    .head = b->packets[i],
		    .text = b->packets[i] + front,
		    .text_bytes = b->bytes - front - alg->icv_bytes,
		};
		b->pointers[i] = &b->jobs[i];
	}
}

/* With more than one packet the last is damaged: it alone is refused. */
static bool
kat_batch_decrypt(struct kat_batch *b, const struct transform *t, size_t n)
{
	size_t i, damaged = n > 1 ? n - 1 : n;

	b->packets[n - 1][b->bytes - 1] ^= n > 1;
	transform_decrypt(t, b->alg, b->pointers, n);
	for (i = 0; i < n; i++) {
		if (b->jobs[i].ok == (i == damaged))
			return false;
		if (i != damaged &&
		    memcmp(b->jobs[i].text, kat_payload, KAT_PAYLOAD_BYTES) !=
			0)
			return false;
	}
	return true;
}

/* The plain text is what decryption left in the first packet. */
static bool
kat_batch_encrypt(struct kat_batch *b, const struct transform *t, size_t n)
{
	size_t i, icv = b->bytes - b->alg->icv_bytes;

	for (i = n; i-- > 0;) {
		memcpy(b->packets[i], b->packets[0], b->bytes);
		memset(b->packets[i] + icv, 0, b->alg->icv_bytes);
	}
	transform_encrypt(t, b->alg, b->pointers, n);
	for (i = 0; i < n; i++)
		if (!b->jobs[i].ok ||
		    memcmp(b->packets[i], b->want, b->bytes) != 0)
			return false;
	return true;
}

static struct transform_key *
kat_key(const struct transform *t, const struct esp_alg *alg, bool encrypt)
{
	size_t bytes = t->ops->key_bytes(t->ctx, alg);
	uint8_t enc_key[ESP_ENC_KEY_MAX], int_key[ESP_INT_KEY_MAX], i;
	struct transform_key *key;

	for (i = 0; i < sizeof(enc_key); i++)
		enc_key[i] = i;
	for (i = 0; i < sizeof(int_key); i++)
		int_key[i] = (uint8_t)(0x80 + i);
	bytes += TRANSFORM_KEY_ALIGN - 1;
	bytes -= bytes % TRANSFORM_KEY_ALIGN;
	key = aligned_alloc(TRANSFORM_KEY_ALIGN, bytes);
	if (key != NULL &&
	    !t->ops->key_init(t->ctx, alg, key, enc_key,
		alg->is_aead ? NULL : int_key, encrypt)) {
		free(key);
		return NULL;
	}
	return key;
}

static bool
known_answers_of(
    const struct transform *t, const struct esp_alg *alg, const struct kat *k)
{
	struct transform_key *in = kat_key(t, alg, false);
	struct transform_key *out = kat_key(t, alg, true);
	struct kat_batch b;
	size_t n, i;
	bool ok = in != NULL && out != NULL;

	for (n = 1; ok && n <= KAT_BATCH; n += n < 3 ? 1 : 5) {
		kat_batch_fill(&b, k, alg, in);
		ok = kat_batch_decrypt(&b, t, n);
		for (i = 0; i < n; i++)
			b.jobs[i].key = out;
		ok = ok && kat_batch_encrypt(&b, t, n);
	}
	if (in != NULL)
		t->ops->key_fini(in);
	if (out != NULL)
		t->ops->key_fini(out);
	free(in);
	free(out);
	return ok;
}

bool
esp_known_answers(const struct transform *t)
{
	const struct esp_alg *algs;
	const struct kat *k;
	size_t i, n;
	bool ok;

	algs = esp_alg_table(&n);
	ok = n == N_KATS;
	for (i = 0; ok && i < n; i++) {
		k = kat_of(&algs[i]);
		ok = k != NULL &&
		    (t->ops->key_bytes(t->ctx, &algs[i]) == 0 ||
			known_answers_of(t, &algs[i], k));
	}
	return ok;
}

/* The whole path of every algorithm. */
static bool
table_passes(enum esp_crypto crypto)
{
	const struct esp_alg *algs;
	const struct kat *k;
	struct esp_table *t;
	size_t i, n;
	bool ok;

	t = esp_table_new_using(crypto);
	algs = esp_alg_table(&n);
	ok = t != NULL && n == N_KATS;
	for (i = 0; ok && i < n; i++) {
		k = kat_of(&algs[i]);
		ok = k != NULL && kat_decrypt(t, &algs[i], k);
	}
	esp_table_free(t);
	return ok;
}

bool
esp_selftest(void)
{
	struct transform t = {0};
	bool ok;

	if (!transform_openssl_open(&t))
		return false;
	ok = esp_known_answers(&t);
	t.ops->close(t.ctx);
	return ok && table_passes(ESP_CRYPTO_OPENSSL) &&
	    table_passes(ESP_CRYPTO_AUTO);
}
