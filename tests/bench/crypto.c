/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crypto.c: what the crypto of a packet costs, OpenSSL against what the server
 * chooses on this machine, by transform, direction, packet and batch size; and
 * what the framing around it costs. Both sides of a row are measured in turn,
 * round by round, in CPU time of the thread; the median counts, and the ratio
 * is the median of the rounds' ratios.
 *
 * Usage: crypto [ROUNDS [TRANSFORM...]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "l2tpd/esp/sa.h"

#define N_PACKETS    128 /* each with its own SA */
#define FRONT        24
#define ROOM         (FRONT + 1400 + ESP_OVERHEAD_MAX)
#define ROUNDS_MAX   99
#define ROUNDS_USUAL 15

static const size_t payloads[] = {64, 512, 1400};
static const size_t batches[] = {1, 4, 8, 16, 32, 64};
#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

struct side {
	struct esp_table *t;
	struct esp_sa *in[N_PACKETS], *out[N_PACKETS];
};

static uint8_t packets[N_PACKETS][ROOM], sealed[N_PACKETS][ROOM];
static struct transform_job jobs[N_PACKETS], *pointers[N_PACKETS];

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "crypto: %s\n", what);
	exit(1);
}

static double
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static struct esp_sa *
sa_of(struct esp_table *t, const struct esp_alg *alg, uint32_t spi, bool in)
{
	struct esp_sa_params p = {
	    .spi = spi,
	    .inbound = in,
	    .association = spi,
	    .enc_alg = alg->enc,
	    .int_alg = alg->integ,
	    .enc_key_bytes = alg->enc_key_bytes,
	    .int_key_bytes = alg->int_key_bytes,
	};
	struct esp_sa *sa;

	memset(p.enc_key, (int)spi, sizeof(p.enc_key));
	memset(p.int_key, (int)spi + 1, sizeof(p.int_key));
	must(esp_sa_add(t, &p, 0, &sa) == 0, "an SA was refused");
	return sa;
}

static void
fill_side(struct side *s, const struct esp_alg *alg)
{
	uint32_t i;

	for (i = 0; i < N_PACKETS; i++) {
		s->in[i] = sa_of(s->t, alg, i + 1, true);
		s->out[i] = sa_of(s->t, alg, i + 1, false);
	}
}

static void
fill_jobs(const struct esp_alg *alg, struct esp_sa *const sas[N_PACKETS],
    size_t payload)
{
	size_t i, text = payload + 2;

	text += (alg->align_bytes - text % alg->align_bytes) % alg->align_bytes;
	for (i = 0; i < N_PACKETS; i++) {
		jobs[i] = (struct transform_job){
		    .key = sas[i]->key,
		    .head = packets[i],
		    .text = packets[i] + TRANSFORM_HEAD_BYTES + alg->iv_bytes,
		    .text_bytes = text,
		};
		pointers[i] = &jobs[i];
	}
}

/* ns a packet, all packets in batches of n. */
static double
run(const struct side *s, const struct esp_alg *alg, bool encrypt,
    size_t payload, size_t n)
{
	const struct transform *via = s->in[0]->via;
	double before;
	size_t i;
	bool ok = true;

	memcpy(packets, sealed, sizeof(packets));
	fill_jobs(alg, encrypt ? s->out : s->in, payload);
	before = cpu_ns();
	for (i = 0; i < N_PACKETS; i += n) {
		if (encrypt)
			transform_encrypt(via, alg, &pointers[i], n);
		else
			transform_decrypt(via, alg, &pointers[i], n);
	}
	before = cpu_ns() - before;
	for (i = 0; i < N_PACKETS; i++)
		ok &= jobs[i].ok;
	must(ok, "a packet failed");
	return before / N_PACKETS;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

/* Packets with valid ICVs, to decrypt. */
static void
seal(const struct side *s, const struct esp_alg *alg, size_t payload)
{
	memset(packets, 0x5a, sizeof(packets));
	fill_jobs(alg, s->out, payload);
	transform_encrypt(s->out[0]->via, alg, pointers, N_PACKETS);
	memcpy(sealed, packets, sizeof(sealed));
}

static void
row(const struct side sides[2], const struct esp_alg *alg, bool encrypt,
    size_t payload, size_t rounds)
{
	double ns[2][ROUNDS_MAX], ratio[ROUNDS_MAX], openssl[N_OF(batches)];
	size_t b, r, side;

	printf("%-13s %s %5zu |", alg->name, encrypt ? "enc" : "dec", payload);
	for (b = 0; b < N_OF(batches); b++) {
		for (r = 0; r < rounds; r++) {
			for (side = 0; side < 2; side++)
				ns[side][r] = run(&sides[side], alg, encrypt,
				    payload, batches[b]);
			ratio[r] = ns[0][r] / ns[1][r];
		}
		openssl[b] = median(ns[0], rounds);
		printf(" %6.0f %5.2fx", median(ns[1], rounds),
		    median(ratio, rounds));
	}
	printf(" | %6.0f\n", median(openssl, N_OF(batches)));
	fflush(stdout);
}

static void
rows_of(const struct esp_alg *alg, size_t rounds)
{
	struct side sides[2] = {
	    {esp_table_new_using(ESP_CRYPTO_OPENSSL)}, {esp_table_new()}};
	size_t i, p;

	for (i = 0; i < 2; i++) {
		must(sides[i].t != NULL, "no table");
		fill_side(&sides[i], alg);
	}
	for (p = 0; p < N_OF(payloads); p++) {
		seal(&sides[0], alg, payloads[p]);
		row(sides, alg, true, payloads[p], rounds);
		row(sides, alg, false, payloads[p], rounds);
	}
	for (i = 0; i < 2; i++)
		esp_table_free(sides[i].t);
}

/* Whole ESP with the null cipher: everything but the crypto. */
static void
framing_row(const struct side *s, bool encrypt, size_t rounds)
{
	struct esp_job j[N_PACKETS];
	double ns[ROUNDS_MAX], before;
	size_t b, r, i;
	bool ok = true;

	printf("%-13s %s %5d |", "framing", encrypt ? "enc" : "dec", 1400);
	for (b = 0; b < N_OF(batches); b++) {
		for (r = 0; r < rounds; r++) {
			for (i = 0; i < N_PACKETS; i++)
				j[i] = (struct esp_job){.sa = s->out[i],
				    .data = packets[i] + FRONT,
				    .len = 1400,
				    .next_header = 17};
			before = cpu_ns();
			for (i = 0; encrypt && i < N_PACKETS; i += batches[b])
				esp_encrypt_batch(&j[i], batches[b], 0);
			if (!encrypt) {
				esp_encrypt_batch(j, N_PACKETS, 0);
				for (i = 0; i < N_PACKETS; i++)
					j[i].sa = s->in[i];
				before = cpu_ns();
			}
			for (i = 0; !encrypt && i < N_PACKETS; i += batches[b])
				esp_decrypt_batch(&j[i], batches[b], 0);
			ns[r] = (cpu_ns() - before) / N_PACKETS;
			for (i = 0; i < N_PACKETS; i++)
				ok &= j[i].verdict == ESP_OK;
		}
		printf(" %6.0f       ", median(ns, rounds));
	}
	printf(" |\n");
	must(ok, "a packet failed");
}

static void
framing(size_t rounds)
{
	struct side s = {esp_table_new()};

	must(s.t != NULL, "no table");
	esp_table_allow_null(s.t);
	fill_side(&s, &esp_alg_null);
	framing_row(&s, true, rounds);
	framing_row(&s, false, rounds);
	esp_table_free(s.t);
}

static bool
is_wanted(const char *name, char **names)
{
	static const char usual[] =
	    " aes128-sha1 aes256-sha1 aes256-sha256 aes256-sha384 "
	    "aes256-sha512 aes128gcm16 aes256gcm16 3des-sha1 ";
	char word[32];

	if (*names == NULL) {
		snprintf(word, sizeof(word), " %s ", name);
		return strstr(usual, word) != NULL;
	}
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

int
main(int argc, char **argv)
{
	const struct esp_alg *algs;
	struct esp_table *t;
	size_t n, i, rounds = ROUNDS_USUAL;

	if (argc > 1)
		rounds = strtoul(argv[1], NULL, 10);
	must(rounds > 0 && rounds <= ROUNDS_MAX,
	    "usage: crypto [ROUNDS [TRANSFORM...]]; 1 to 99 rounds");
	must(esp_selftest(), "known-answer tests failed");
	t = esp_table_new();
	must(t != NULL, "no table");
	printf("%s\n", esp_table_crypto_name(t));
	printf("ns a packet and times faster than OpenSSL, by batch size; "
	       "last: OpenSSL's ns\n%-24s|",
	    "");
	for (i = 0; i < N_OF(batches); i++)
		printf(" %6zu       ", batches[i]);
	printf(" |\n");
	algs = esp_alg_table(&n);
	for (i = 0; i < n; i++)
		if (is_wanted(algs[i].name, argc > 1 ? argv + 2 : argv + 1))
			rows_of(&algs[i], rounds);
	framing(rounds);
	esp_table_free(t);
	return 0;
}
