/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_diff.c: differential test of the ESP transforms (see esp_diff.h). The
 * vector code is assembler that no sanitizer sees, so every packet lies between
 * two canaries, and the whole memory is compared.
 */
#include "tests/fuzz/esp_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l2tpd/esp/sa.h"

#define N_CRYPTO     (ESP_CRYPTO_MB_AVX512 + 1)
#define PACKETS_MAX  200
#define SAS_MAX      8
#define TEXT_MAX     1600
#define CANARY_BYTES 64
#define SLOT_BYTES   (CANARY_BYTES + 24 + TEXT_MAX + 32 + CANARY_BYTES)

struct input {
	const uint8_t *p;
	size_t left;
	uint64_t random;
};

struct packet {
	uint8_t sa;
	size_t text_bytes;
	size_t damage; /* offset from the head; none when behind the ICV */
};

struct batch {
	const struct esp_alg *alg;
	size_t n, n_sas;
	struct packet packets[PACKETS_MAX];
	struct esp_sa_params params[SAS_MAX];
};

struct memory {
	uint8_t slots[PACKETS_MAX][SLOT_BYTES];
	bool ok[PACKETS_MAX];
};

static struct esp_table *tables[N_CRYPTO];
static struct batch batch;
static struct memory plain, want, got;

static uint8_t
next(struct input *in)
{
	if (in->left > 0) {
		in->left--;
		in->random = (in->random ^ *in->p) * 0x9e3779b97f4a7c15u;
		return *in->p++;
	}
	in->random ^= in->random << 13;
	in->random ^= in->random >> 7;
	in->random ^= in->random << 17;
	return (uint8_t)(in->random >> 24);
}

static size_t
next_below(struct input *in, size_t end)
{
	size_t v = next(in);

	return (v << 8 | next(in)) % end;
}

static void
choose_sas(struct input *in)
{
	struct esp_sa_params *p;
	size_t i, k;

	for (i = 0; i < batch.n_sas; i++) {
		p = &batch.params[i];
		*p = (struct esp_sa_params){
		    .spi = (uint32_t)i + 1,
		    .association = (uint32_t)i + 1,
		    .enc_alg = batch.alg->enc,
		    .int_alg = batch.alg->integ,
		    .enc_key_bytes = batch.alg->enc_key_bytes,
		    .int_key_bytes = batch.alg->int_key_bytes,
		};
		for (k = 0; k < sizeof(p->enc_key); k++)
			p->enc_key[k] = next(in);
		for (k = 0; k < sizeof(p->int_key); k++)
			p->int_key[k] = next(in);
	}
}

static void
choose(struct input *in)
{
	const struct esp_alg *algs;
	struct packet *p;
	size_t n_algs, i, k, packet_bytes, max;
	uint8_t kind;

	algs = esp_alg_table(&n_algs);
	kind = next(in); /* bit 7: all lengths equal */
	batch.alg = &algs[(kind & 0x7f) % n_algs];
	batch.n = 1 + next(in) % PACKETS_MAX;
	batch.n_sas = 1 + next(in) % SAS_MAX;
	max = TEXT_MAX / batch.alg->align_bytes;
	for (i = 0; i < batch.n; i++) {
		p = &batch.packets[i];
		p->sa = (uint8_t)(next(in) % batch.n_sas);
		p->text_bytes =
		    (1 + next_below(in, max)) * batch.alg->align_bytes;
		if ((kind & 0x80) != 0)
			p->text_bytes = batch.packets[0].text_bytes;
		packet_bytes = TRANSFORM_HEAD_BYTES + batch.alg->iv_bytes +
		    p->text_bytes + batch.alg->icv_bytes;
		p->damage = next_below(in, packet_bytes * 4);
		if (p->damage >= packet_bytes)
			p->damage = SIZE_MAX;
	}
	choose_sas(in);
	for (i = 0; i < batch.n; i++)
		for (k = 0; k < SLOT_BYTES; k++)
			plain.slots[i][k] = next(in);
}

/* All packets through one implementation, in place. */
static void
work(struct esp_table *t, struct memory *m, bool encrypt)
{
	static struct transform_job jobs[PACKETS_MAX];
	struct transform_job *pointers[PACKETS_MAX];
	struct esp_sa *sas[SAS_MAX];
	size_t i;

	for (i = 0; i < batch.n_sas; i++) {
		batch.params[i].inbound = !encrypt;
		if (esp_sa_add(t, &batch.params[i], 0, &sas[i]) < 0)
			abort();
	}
	for (i = 0; i < batch.n; i++) {
		jobs[i] = (struct transform_job){
		    .key = sas[batch.packets[i].sa]->key,
		    .head = m->slots[i] + CANARY_BYTES,
		    .text = m->slots[i] + CANARY_BYTES + TRANSFORM_HEAD_BYTES +
			batch.alg->iv_bytes,
		    .text_bytes = batch.packets[i].text_bytes,
		};
		pointers[i] = &jobs[i];
	}
	if (encrypt)
		transform_encrypt(sas[0]->via, batch.alg, pointers, batch.n);
	else
		transform_decrypt(sas[0]->via, batch.alg, pointers, batch.n);
	for (i = 0; i < batch.n; i++)
		m->ok[i] = jobs[i].ok;
}

static void
damage(struct memory *m)
{
	size_t i, at;

	for (i = 0; i < batch.n; i++) {
		at = batch.packets[i].damage;
		if (at != SIZE_MAX)
			m->slots[i][CANARY_BYTES + at] ^= 1;
	}
}

static void
differs(enum esp_crypto crypto, bool encrypt, size_t i)
{
	fprintf(stderr, "%s: %s: %s of packet %zu of %zu, %zu bytes\n",
	    esp_table_crypto_name(tables[crypto]), batch.alg->name,
	    encrypt ? "encryption" : "decryption", i, batch.n,
	    batch.packets[i].text_bytes);
	abort();
}

static void
compare(enum esp_crypto crypto, bool encrypt)
{
	size_t i, n;

	for (i = 0; i < batch.n; i++) {
		if (got.ok[i] != want.ok[i] ||
		    got.ok[i] !=
			(encrypt || batch.packets[i].damage == SIZE_MAX))
			differs(crypto, encrypt, i);
		/* a GCM text with a wrong ICV may be anything */
		n = TRANSFORM_HEAD_BYTES + batch.alg->iv_bytes;
		if (!got.ok[i] && batch.alg->is_aead)
			memcpy(got.slots[i] + CANARY_BYTES + n,
			    want.slots[i] + CANARY_BYTES + n,
			    batch.packets[i].text_bytes);
		if (memcmp(got.slots[i], want.slots[i], SLOT_BYTES) != 0)
			differs(crypto, encrypt, i);
	}
}

/* Decryption gives back the text, and writes nothing else. */
static void
check_plain(const struct memory *m)
{
	size_t i, from, n;

	from =
	    CANARY_BYTES + TRANSFORM_HEAD_BYTES + (size_t)batch.alg->iv_bytes;
	for (i = 0; i < batch.n; i++) {
		n = from + batch.packets[i].text_bytes;
		if (m->ok[i] && memcmp(m->slots[i], plain.slots[i], n) != 0)
			differs(ESP_CRYPTO_OPENSSL, false, i);
		n += batch.alg->icv_bytes;
		if (memcmp(m->slots[i] + n, plain.slots[i] + n,
			SLOT_BYTES - n) != 0)
			differs(ESP_CRYPTO_OPENSSL, false, i);
	}
}

static void
start(void)
{
	enum esp_crypto c;

	for (c = 0; c < N_CRYPTO; c++)
		tables[c] = esp_table_new_using(c);
	if (tables[ESP_CRYPTO_OPENSSL] == NULL)
		abort();
}

size_t
esp_diff_others(void)
{
	size_t n = 0;
	enum esp_crypto c;

	if (tables[ESP_CRYPTO_OPENSSL] == NULL)
		start();
	for (c = 0; c < N_CRYPTO; c++)
		n += c != ESP_CRYPTO_OPENSSL && tables[c] != NULL;
	return n;
}

void
esp_diff_batch(const uint8_t *input, size_t n)
{
	static struct memory sealed;
	struct input in = {input, n, 0x243f6a8885a308d3u ^ n};
	enum esp_crypto c;

	if (tables[ESP_CRYPTO_OPENSSL] == NULL)
		start();
	choose(&in);
	sealed = plain;
	work(tables[ESP_CRYPTO_OPENSSL], &sealed, true);
	for (c = 0; c < N_CRYPTO; c++) {
		if (tables[c] == NULL)
			continue;
		want = sealed;
		got = plain;
		work(tables[c], &got, true);
		compare(c, true);
	}
	damage(&sealed);
	want = sealed;
	work(tables[ESP_CRYPTO_OPENSSL], &want, false);
	check_plain(&want);
	for (c = 0; c < N_CRYPTO; c++) {
		if (tables[c] == NULL)
			continue;
		got = sealed;
		work(tables[c], &got, false);
		compare(c, false);
	}
}
