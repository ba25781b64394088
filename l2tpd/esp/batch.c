/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * batch.c: ESP packets in and out, a batch at a time: header, padding, trailer,
 * sequence numbers, replay window and limits around the crypto of transform.h.
 * Owns nothing; the caller owns the packets. Trusts no byte of an inbound
 * packet before its ICV, and nothing but its length afterwards.
 *
 * RFC 4303 2 and 3, transport mode, done as specified, with these exceptions:
 * no extended sequence numbers (IKEv1 clients do not ask for them), no traffic
 * flow confidentiality padding is sent (received, it lies behind the inner
 * UDP length and is cut there).
 */
#include <string.h>

#include "base/counter.h"
#include "base/rd.h"
#include "base/wr.h"
#include "l2tpd/esp/sa.h"

#define CHUNK         128 /* packets a pass */
#define AHEAD         4   /* packets, to fetch memory before it is needed */
#define TRAILER_BYTES 2

struct pass {
	struct transform_job crypt[CHUNK];
	bool pending[CHUNK]; /* waits for its turn in the crypto */
	uint32_t sequence[CHUNK];
};

/* RFC 4303 2.4: padding is 1, 2, 3, ... */
/* clang-format off */
#define ROW(n) n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, \
	n + 8, n + 9, n + 10, n + 11, n + 12, n + 13, n + 14, n + 15
static const uint8_t padding[] = {
	ROW(1), ROW(17), ROW(33), ROW(49), ROW(65), ROW(81), ROW(97), ROW(113),
	ROW(129), ROW(145), ROW(161), ROW(177), ROW(193), ROW(209), ROW(225),
	241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254,
	255,
};
/* clang-format on */
_Static_assert(sizeof(padding) == UINT8_MAX, "the longest padding");

static void
fetch_sa(const struct esp_job *j)
{
	__builtin_prefetch(j->sa, 1);
	__builtin_prefetch(&j->sa->counters, 1);
	__builtin_prefetch(j->data, 1);
}

static void
fetch_key(const struct esp_sa *sa)
{
	const uint8_t *key = (const uint8_t *)sa->key;
	size_t i, n = sa->bytes - (size_t)(key - (const uint8_t *)sa);

	if (n > 6 * CACHE_LINE_BYTES)
		n = 6 * CACHE_LINE_BYTES;
	for (i = 0; i < n; i += CACHE_LINE_BYTES)
		__builtin_prefetch(key + i);
}

/* The crypto of a pass: all pending jobs, one algorithm after the other. */
static void
run_groups(struct pass *p, const struct esp_job *jobs, size_t n, bool encrypt)
{
	struct transform_job *group[CHUNK];
	const struct esp_sa *first, *sa;
	size_t i, k, n_group;

	for (i = 0; i < n; i++) {
		if (!p->pending[i])
			continue;
		first = jobs[i].sa;
		n_group = 0;
		for (k = i; k < n; k++) {
			sa = jobs[k].sa;
			if (!p->pending[k] || sa->alg != first->alg ||
			    sa->via != first->via)
				continue;
			p->pending[k] = false;
			group[n_group++] = &p->crypt[k];
		}
		if (encrypt)
			transform_encrypt(
			    first->via, first->alg, group, n_group);
		else
			transform_decrypt(
			    first->via, first->alg, group, n_group);
	}
}

/* RFC 4303 3.4.2 and 3.4.3: what can be said before the crypto. */
static enum esp_verdict
decrypt_prepare(const struct esp_job *j, uint64_t now_ms,
    struct transform_job *crypt, uint32_t *ret_sequence)
{
	const struct esp_alg *alg = j->sa->alg;
	struct rd r = rd_init(j->data, j->len), icv;
	uint32_t spi;

	rd_be32(&r, &spi);
	rd_be32(&r, ret_sequence);
	rd_skip(&r, alg->iv_bytes);
	rd_sub_end(&r, alg->icv_bytes, &icv);
	if (!rd_ok(&r) || spi != j->sa->spi || r.left == 0 ||
	    r.left % alg->align_bytes != 0)
		return ESP_MALFORMED;
	if (esp_sa_is_expired(j->sa, now_ms))
		return ESP_EXPIRED;
	if (!replay_check(j->sa->replay, *ret_sequence))
		return ESP_REPLAYED;
	*crypt = (struct transform_job){
	    .key = j->sa->key,
	    .head = j->data,
	    .text = j->data + TRANSFORM_HEAD_BYTES + alg->iv_bytes,
	    .text_bytes = r.left,
	};
	return ESP_OK;
}

/* RFC 4303 2.4 and 2.5: the receiver SHOULD inspect the padding. */
static bool
strip_trailer(struct esp_job *j, const struct transform_job *crypt)
{
	struct rd r = rd_init(crypt->text, crypt->text_bytes), pad;
	uint8_t next_header, pad_bytes;

	if (!rd_u8_end(&r, &next_header) || !rd_u8_end(&r, &pad_bytes) ||
	    !rd_sub_end(&r, pad_bytes, &pad))
		return false;
	if (pad_bytes > 0 && memcmp(pad.p, padding, pad_bytes) != 0)
		return false;
	j->next_header = next_header;
	j->data = crypt->text;
	j->len = r.left;
	return true;
}

static enum esp_verdict
decrypt_finish(struct esp_job *j, const struct transform_job *crypt,
    uint32_t sequence, uint64_t now_ms)
{
	struct esp_sa *sa = j->sa;

	if (!crypt->ok)
		return ESP_BAD_ICV;
	if (esp_sa_is_expired(sa, now_ms)) /* by a packet of this batch */
		return ESP_EXPIRED;
	/* again: the same number may have come twice in this batch */
	if (!replay_mark(sa->replay, sequence, &j->newest))
		return ESP_REPLAYED;
	if (!strip_trailer(j, crypt))
		return ESP_MALFORMED;
	counter_add(&sa->counters.packets, 1);
	counter_add(&sa->counters.bytes, j->len);
	counter_set(&sa->counters.last_use_ms, now_ms);
	return ESP_OK;
}

static void
count_refusal(struct esp_counters *c, enum esp_verdict verdict)
{
	if (verdict == ESP_OK)
		return;
	counter_add(&c->replayed, verdict == ESP_REPLAYED);
	counter_add(&c->bad_icv, verdict == ESP_BAD_ICV);
	counter_add(&c->malformed, verdict == ESP_MALFORMED);
}

static void
decrypt_pass(struct esp_job *jobs, size_t n, uint64_t now_ms)
{
	struct pass p;
	size_t i;

	for (i = 0; i < n && i < AHEAD; i++)
		fetch_sa(&jobs[i]);
	for (i = 0; i < n; i++) {
		if (i + AHEAD < n)
			fetch_sa(&jobs[i + AHEAD]);
		fetch_key(jobs[i].sa);
		jobs[i].newest = false;
		jobs[i].verdict = decrypt_prepare(
		    &jobs[i], now_ms, &p.crypt[i], &p.sequence[i]);
		p.pending[i] = jobs[i].verdict == ESP_OK;
	}
	run_groups(&p, jobs, n, false);
	for (i = 0; i < n; i++) {
		if (jobs[i].verdict == ESP_OK)
			jobs[i].verdict = decrypt_finish(
			    &jobs[i], &p.crypt[i], p.sequence[i], now_ms);
		count_refusal(&jobs[i].sa->counters, jobs[i].verdict);
	}
}

/* The IV. RFC 4106 3.1 wants it unique for a key: sequence numbers are, but
 * after a restart charon names a key again and they begin anew, so they count
 * from a random place. RFC 3602 3 and 2451 2.5 want it unpredictable for CBC.
 * False: no IV, no packet; never send a predictable one. */
static bool
put_iv(struct wr *w, const struct esp_sa *sa)
{
	const uint8_t *random;

	if (sa->alg->is_aead)
		return wr_be64(w, sa->iv_base + sa->sequence);
	if (sa->alg->iv_bytes == 0)
		return true;
	random = esp_table_iv(sa->table);
	return random != NULL && wr_bytes(w, random, sa->alg->iv_bytes);
}

/* RFC 4303 3.3: number the packet, write header and trailer around it. */
static enum esp_verdict
encrypt_prepare(struct esp_job *j, uint64_t now_ms, struct transform_job *crypt)
{
	struct esp_sa *sa = j->sa;
	const struct esp_alg *alg = sa->alg;
	size_t front = esp_sa_front_bytes(sa);
	size_t total = esp_sa_sealed_bytes(sa, j->len);
	size_t pad = total - front - j->len - TRAILER_BYTES - alg->icv_bytes;
	struct wr w = wr_init(j->data - front, total);
	uint8_t *unused;

	if (sa->sequence >= ESP_SEQUENCE_MAX)
		return ESP_SEQUENCE_EXHAUSTED;
	if (esp_sa_is_expired(sa, now_ms))
		return ESP_EXPIRED;
	sa->sequence++;
	wr_be32(&w, sa->spi);
	wr_be32(&w, (uint32_t)sa->sequence);
	if (!put_iv(&w, sa))
		return ESP_MALFORMED;
	wr_space(&w, j->len, &unused);
	wr_bytes(&w, padding, pad);
	wr_u8(&w, (uint8_t)pad);
	wr_u8(&w, j->next_header);
	*crypt = (struct transform_job){
	    .key = sa->key,
	    .head = j->data - front,
	    .text = j->data,
	    .text_bytes = j->len + pad + TRAILER_BYTES,
	};
	/* counted here: the next packet of the batch must see the limits */
	counter_add(&sa->counters.packets, 1);
	counter_add(&sa->counters.bytes, j->len);
	counter_set(&sa->counters.last_use_ms, now_ms);
	j->data -= front;
	j->len = total;
	return ESP_OK;
}

static void
encrypt_pass(struct esp_job *jobs, size_t n, uint64_t now_ms)
{
	struct pass p;
	size_t i;

	for (i = 0; i < n && i < AHEAD; i++)
		fetch_sa(&jobs[i]);
	for (i = 0; i < n; i++) {
		if (i + AHEAD < n)
			fetch_sa(&jobs[i + AHEAD]);
		fetch_key(jobs[i].sa);
		jobs[i].verdict =
		    encrypt_prepare(&jobs[i], now_ms, &p.crypt[i]);
		p.pending[i] = jobs[i].verdict == ESP_OK;
	}
	run_groups(&p, jobs, n, true);
	for (i = 0; i < n; i++)
		if (jobs[i].verdict == ESP_OK && !p.crypt[i].ok)
			jobs[i].verdict = ESP_MALFORMED;
}

void
esp_decrypt_batch(struct esp_job *jobs, size_t n, uint64_t now_ms)
{
	size_t i, part;

	for (i = 0; i < n; i += part) {
		part = n - i < CHUNK ? n - i : CHUNK;
		decrypt_pass(jobs + i, part, now_ms);
	}
}

void
esp_encrypt_batch(struct esp_job *jobs, size_t n, uint64_t now_ms)
{
	size_t i, part;

	for (i = 0; i < n; i += part) {
		part = n - i < CHUNK ? n - i : CHUNK;
		encrypt_pass(jobs + i, part, now_ms);
	}
}
