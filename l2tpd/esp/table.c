/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.c: the security associations (RFC 4301 4.4.2) of the user plane: found
 * by SPI inbound, by SPI and peer address outbound, and by association. Owns
 * the SAs and their keys. Trusts the parameters (they come from charon); SPIs
 * of outbound SAs were chosen by peers: a peer cannot take the place of another
 * one's SA.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/secret.h"
#include "l2tpd/esp/index.h"
#include "l2tpd/esp/mb.h"
#include "l2tpd/esp/sa.h"

#define IVS 128 /* made at once */

LIST_HEAD(sa_list, esp_sa);
LIST_HEAD(association_list, esp_association);

struct esp_association {
	struct sa_list outbound, inbound; /* newest first */
	uint32_t id;
	LIST_ENTRY(esp_association) in_all;
};

struct esp_table {
	struct index inbound, outbound; /* by SPI */
	struct index by_id;             /* associations */
	struct association_list associations;
	struct transform mb, openssl, null; /* mb may not be open */
	bool null_allowed;
	uint8_t ivs[IVS * TRANSFORM_IV_BYTES];
	size_t n_ivs; /* not given out yet, at the end of ivs */
	char crypto_name[160];
};

static void
name_crypto(struct esp_table *t)
{
	const char *openssl = OpenSSL_version(OPENSSL_FULL_VERSION_STRING);

	if (t->mb.ctx != NULL)
		snprintf(t->crypto_name, sizeof(t->crypto_name),
		    "%s, OpenSSL %s", transform_mb_name(&t->mb), openssl);
	else
		snprintf(t->crypto_name, sizeof(t->crypto_name), "OpenSSL %s",
		    openssl);
}

struct esp_table *
esp_table_new_using(enum esp_crypto crypto)
{
	struct esp_table *t;
	bool mb = false;

	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	LIST_INIT(&t->associations);
	transform_null_open(&t->null);
	if (crypto != ESP_CRYPTO_OPENSSL)
		mb = transform_mb_open(&t->mb, crypto);
	if (index_init(&t->inbound) < 0 || index_init(&t->outbound) < 0 ||
	    index_init(&t->by_id) < 0 || !transform_openssl_open(&t->openssl) ||
	    (!mb && crypto != ESP_CRYPTO_OPENSSL &&
		crypto != ESP_CRYPTO_AUTO)) {
		esp_table_free(t);
		return NULL;
	}
	name_crypto(t);
	return t;
}

struct esp_table *
esp_table_new(void)
{
	return esp_table_new_using(ESP_CRYPTO_AUTO);
}

void
esp_table_free(struct esp_table *t)
{
	struct esp_association *a;

	if (t == NULL)
		return;
	/* the last SA takes its association with it */
	while ((a = LIST_FIRST(&t->associations)) != NULL)
		esp_sa_del(t,
		    LIST_EMPTY(&a->inbound) ? LIST_FIRST(&a->outbound)
					    : LIST_FIRST(&a->inbound));
	index_fini(&t->inbound);
	index_fini(&t->outbound);
	index_fini(&t->by_id);
	if (t->mb.ctx != NULL)
		t->mb.ops->close(t->mb.ctx);
	if (t->openssl.ctx != NULL)
		t->openssl.ops->close(t->openssl.ctx);
	wipe(t->ivs, sizeof(t->ivs));
	free(t);
}

const char *
esp_table_crypto_name(const struct esp_table *t)
{
	return t->crypto_name;
}

void
esp_table_allow_null(struct esp_table *t)
{
	t->null_allowed = true;
}

/* Made many at a time: AES works through several blocks at once. */
const uint8_t *
esp_table_iv(struct esp_table *t)
{
	if (t->n_ivs == 0) {
		if (!transform_openssl_ivs(&t->openssl, t->ivs, IVS))
			return NULL;
		t->n_ivs = IVS;
	}
	t->n_ivs--;
	return t->ivs + t->n_ivs * TRANSFORM_IV_BYTES;
}

/* Who does this algorithm. */
static const struct transform *
transform_for(const struct esp_table *t, const struct esp_alg *alg)
{
	if (alg == &esp_alg_null)
		return &t->null;
	if (t->mb.ctx != NULL && t->mb.ops->key_bytes(t->mb.ctx, alg) > 0)
		return &t->mb;
	return &t->openssl;
}

static struct esp_association *
association_make(struct esp_table *t, uint32_t id)
{
	struct esp_association *a = index_find(&t->by_id, id);

	if (a != NULL)
		return a;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->id = id;
	LIST_INIT(&a->inbound);
	LIST_INIT(&a->outbound);
	if (index_add(&t->by_id, id, a) < 0) {
		free(a);
		return NULL;
	}
	LIST_INSERT_HEAD(&t->associations, a, in_all);
	return a;
}

static void
association_drop_if_empty(struct esp_table *t, struct esp_association *a)
{
	if (!LIST_EMPTY(&a->inbound) || !LIST_EMPTY(&a->outbound))
		return;
	index_del(&t->by_id, a->id, a);
	LIST_REMOVE(a, in_all);
	free(a);
}

void
esp_sa_free(struct esp_sa *sa)
{
	sa->via->ops->key_fini(sa->key);
	wipe(sa, sa->bytes);
	free(sa);
}

static uint64_t
limit_or_none(uint64_t limit)
{
	return limit > 0 ? limit : UINT64_MAX;
}

static size_t
whole_lines(size_t bytes)
{
	return (bytes + CACHE_LINE_BYTES - 1) & ~(size_t)(CACHE_LINE_BYTES - 1);
}

/* The piece of memory of an SA, empty but for what says where its parts are. */
static struct esp_sa *
sa_alloc(const struct transform *via, const struct esp_alg *alg, bool inbound)
{
	size_t replay = inbound ? whole_lines(sizeof(struct replay)) : 0;
	size_t key = whole_lines(via->ops->key_bytes(via->ctx, alg));
	size_t bytes = sizeof(struct esp_sa) + replay + key;
	struct esp_sa *sa;
	uint8_t *behind;

	sa = aligned_alloc(CACHE_LINE_BYTES, bytes);
	if (sa == NULL)
		return NULL;
	memset(sa, 0, bytes);
	behind = (uint8_t *)(sa + 1);
	sa->bytes = bytes;
	sa->alg = alg;
	sa->via = via;
	sa->replay = inbound ? (void *)behind : NULL;
	sa->key = (void *)(behind + replay);
	return sa;
}

static struct esp_sa *
sa_new(struct esp_table *t, const struct esp_sa_params *p,
    const struct esp_alg *alg, uint64_t now_ms)
{
	const struct transform *via = transform_for(t, alg);
	struct esp_sa *sa;

	sa = sa_alloc(via, alg, p->inbound);
	if (sa == NULL)
		return NULL;
	sa->spi = p->spi;
	sa->association_id = p->association;
	sa->inbound = p->inbound;
	sa->encap = p->encap;
	sa->local = p->local;
	sa->peer = p->peer;
	sa->hard_bytes = limit_or_none(p->limits.hard_bytes);
	sa->hard_packets = limit_or_none(p->limits.hard_packets);
	sa->expire_ms = UINT64_MAX;
	if (p->limits.hard_time_s > 0 &&
	    p->limits.hard_time_s < (UINT64_MAX - now_ms) / 1000)
		sa->expire_ms = now_ms + p->limits.hard_time_s * 1000;
	random_bytes(&sa->iv_base, sizeof(sa->iv_base));
	if (!via->ops->key_init(via->ctx, alg, sa->key, p->enc_key,
		alg->is_aead ? NULL : p->int_key, !p->inbound)) {
		free(sa);
		return NULL;
	}
	return sa;
}

static struct esp_sa *
find_same(const struct esp_table *t, const struct esp_sa_params *p)
{
	return p->inbound ? esp_sa_find_inbound(t, p->spi)
			  : esp_sa_find_outbound(t, p->spi, &p->peer);
}

static struct index *
index_of(struct esp_table *t, const struct esp_sa *sa)
{
	return sa->inbound ? &t->inbound : &t->outbound;
}

int
esp_sa_adopt(struct esp_table *t, struct esp_sa *sa, bool newest)
{
	struct sa_list *list;
	struct esp_sa *last;
	struct esp_association *a;

	a = association_make(t, sa->association_id);
	if (a == NULL)
		return -ENOMEM;
	if (index_add(index_of(t, sa), sa->spi, sa) < 0) {
		association_drop_if_empty(t, a);
		return -ENOMEM;
	}
	sa->table = t;
	/* the key is the same for each table's transforms of this kind */
	sa->via = transform_for(t, sa->alg);
	sa->association = a;
	list = sa->inbound ? &a->inbound : &a->outbound;
	if (newest || LIST_EMPTY(list)) {
		LIST_INSERT_HEAD(list, sa, in_association);
		return 0;
	}
	last = LIST_FIRST(list);
	while (LIST_NEXT(last, in_association) != NULL)
		last = LIST_NEXT(last, in_association);
	LIST_INSERT_AFTER(last, sa, in_association);
	return 0;
}

static int
alg_for(const struct esp_table *t, const struct esp_sa_params *p,
    const struct esp_alg **ret)
{
	bool known_pair;

	*ret = esp_alg_find(p->enc_alg, p->enc_key_bytes, p->int_alg,
	    p->int_key_bytes, &known_pair);
	if (*ret == NULL && t->null_allowed && p->enc_alg == ESP_ENC_NULL &&
	    p->int_alg == ESP_INT_NONE)
		*ret = &esp_alg_null;
	if (*ret == NULL)
		return known_pair ? -EINVAL : -ENOTSUP;
	return 0;
}

int
esp_sa_make(struct esp_table *t, const struct esp_sa_params *p, uint64_t now_ms,
    struct esp_sa **ret)
{
	const struct esp_alg *alg;
	int rc;

	if (p->spi == 0)
		return -EINVAL;
	rc = alg_for(t, p, &alg);
	if (rc < 0)
		return rc;
	*ret = sa_new(t, p, alg, now_ms);
	return *ret != NULL ? 0 : -ENOMEM;
}

int
esp_sa_add(struct esp_table *t, const struct esp_sa_params *p, uint64_t now_ms,
    struct esp_sa **ret)
{
	struct esp_sa *sa, *old = find_same(t, p);
	int rc;

	/* Behind one NAT a peer can see its neighbour's SPI and offer the same
	 * one: the neighbour keeps it. */
	if (old != NULL && !p->inbound && old->association_id != p->association)
		return -EEXIST;
	rc = esp_sa_make(t, p, now_ms, &sa);
	if (rc < 0)
		return rc;
	rc = esp_sa_adopt(t, sa, true);
	if (rc < 0) {
		esp_sa_free(sa);
		return rc;
	}
	if (old != NULL)
		esp_sa_del(t, old);
	if (ret != NULL)
		*ret = sa;
	return 0;
}

void
esp_sa_release(struct esp_table *t, struct esp_sa *sa)
{
	struct esp_association *a = sa->association;

	index_del(index_of(t, sa), sa->spi, sa);
	LIST_REMOVE(sa, in_association);
	sa->table = NULL;
	sa->association = NULL;
	association_drop_if_empty(t, a);
}

struct esp_table *
esp_sa_table(const struct esp_sa *sa)
{
	return sa->table;
}

void
esp_sa_del(struct esp_table *t, struct esp_sa *sa)
{
	esp_sa_release(t, sa);
	esp_sa_free(sa);
}

struct esp_sa *
esp_sa_find_inbound(const struct esp_table *t, uint32_t spi)
{
	return index_find(&t->inbound, spi);
}

struct esp_sa *
esp_sa_find_outbound(
    const struct esp_table *t, uint32_t spi, const struct endpoint *peer)
{
	struct esp_sa *sa, *found = NULL;
	size_t pos = index_home(&t->outbound, spi);

	while ((sa = index_next(&t->outbound, spi, &pos)) != NULL) {
		if (peer == NULL) {
			if (found != NULL)
				return NULL; /* more than one */
			found = sa;
		} else if (endpoint_same_address(&sa->peer, peer)) {
			/* two SAs can meet at one address by moving: the port
			 * decides then */
			if (found == NULL || endpoint_equal(&sa->peer, peer))
				found = sa;
		}
	}
	return found;
}

struct esp_sa *
esp_sa_outbound_of(const struct esp_table *t, uint32_t association)
{
	struct esp_association *a = index_find(&t->by_id, association);

	return a != NULL ? LIST_FIRST(&a->outbound) : NULL;
}

static void
move_list(struct sa_list *list, const struct endpoint *local,
    const struct endpoint *peer)
{
	struct esp_sa *sa;

	LIST_FOREACH (sa, list, in_association)
		if (sa->encap)
			esp_sa_set_endpoints(sa, local, peer, true);
}

void
esp_association_move(struct esp_table *t, uint32_t association,
    const struct endpoint *local, const struct endpoint *peer)
{
	struct esp_association *a = index_find(&t->by_id, association);

	if (a == NULL)
		return;
	move_list(&a->inbound, local, peer);
	move_list(&a->outbound, local, peer);
}

static struct esp_sa *
expired_in(struct sa_list *list, uint64_t now_ms)
{
	struct esp_sa *sa;

	LIST_FOREACH (sa, list, in_association)
		if (!sa->expiry_told && esp_sa_is_expired(sa, now_ms))
			return sa;
	return NULL;
}

size_t
esp_table_take_expired(
    struct esp_table *t, uint64_t now_ms, struct esp_expired *ret, size_t max)
{
	struct esp_association *a;
	struct esp_sa *sa;
	size_t n = 0;

	LIST_FOREACH (a, &t->associations, in_all) {
		while (n < max &&
		    ((sa = expired_in(&a->inbound, now_ms)) != NULL ||
			(sa = expired_in(&a->outbound, now_ms)) != NULL)) {
			sa->expiry_told = true;
			ret[n++] = (struct esp_expired){sa->spi, sa->inbound};
		}
	}
	return n;
}

uint32_t
esp_sa_association(const struct esp_sa *sa)
{
	return sa->association_id;
}
