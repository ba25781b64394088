/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.c: the security associations (RFC 4301 4.4.2) of the user plane: found
 * by SPI inbound, by SPI and peer address outbound, and by association. Owns
 * the SAs and their keys. Trusts the parameters (they come from charon); SPIs
 * of outbound SAs were chosen by peers, therefore the hash has a random seed
 * and a peer cannot take the place of another one's SA.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/secret.h"
#include "l2tpd/esp/sa.h"

#define BUCKETS_MIN 64 /* a power of two */

LIST_HEAD(sa_list, esp_sa);

struct spi_index { /* chains of SAs, by SPI */
	struct sa_list *buckets;
	size_t n_buckets, n;
};

struct esp_association {
	uint32_t id;
	struct sa_list inbound, outbound; /* newest first */
	UT_hash_handle hh;
};

struct esp_table {
	const struct transform_ops *ops;
	struct transform_ctx *ctx;
	uint32_t seed;
	struct spi_index inbound, outbound;
	struct esp_association *associations;
};

static struct sa_list *
bucket_of(const struct esp_table *t, const struct spi_index *x, uint32_t spi)
{
	uint64_t h = (uint64_t)(spi ^ t->seed) * 0x9e3779b97f4a7c15u;

	return &x->buckets[(h >> 32) & (x->n_buckets - 1)];
}

static int
index_resize(struct esp_table *t, struct spi_index *x, size_t n_buckets)
{
	struct spi_index bigger = {.n_buckets = n_buckets, .n = x->n};
	struct esp_sa *sa;
	size_t i;

	bigger.buckets = calloc(n_buckets, sizeof(*bigger.buckets));
	if (bigger.buckets == NULL)
		return -ENOMEM;
	for (i = 0; i < x->n_buckets; i++) {
		while ((sa = LIST_FIRST(&x->buckets[i])) != NULL) {
			LIST_REMOVE(sa, in_chain);
			LIST_INSERT_HEAD(
			    bucket_of(t, &bigger, sa->spi), sa, in_chain);
		}
	}
	free(x->buckets);
	*x = bigger;
	return 0;
}

struct esp_table *
esp_table_new(void)
{
	struct esp_table *t;

	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->ops = &transform_openssl;
	random_bytes(&t->seed, sizeof(t->seed));
	t->ctx = t->ops->open();
	if (t->ctx == NULL || index_resize(t, &t->inbound, BUCKETS_MIN) < 0 ||
	    index_resize(t, &t->outbound, BUCKETS_MIN) < 0) {
		esp_table_free(t);
		return NULL;
	}
	return t;
}

void
esp_table_free(struct esp_table *t)
{
	struct esp_association *a;

	if (t == NULL)
		return;
	/* the last SA takes its association with it */
	while ((a = t->associations) != NULL)
		esp_sa_del(t,
		    LIST_EMPTY(&a->inbound) ? LIST_FIRST(&a->outbound)
					    : LIST_FIRST(&a->inbound));
	free(t->inbound.buckets);
	free(t->outbound.buckets);
	if (t->ctx != NULL)
		t->ops->close(t->ctx);
	free(t);
}

const struct transform_ops *
esp_table_ops(const struct esp_table *t)
{
	return t->ops;
}

struct transform_ctx *
esp_table_ctx(const struct esp_table *t)
{
	return t->ctx;
}

static struct esp_association *
association_get(const struct esp_table *t, uint32_t id)
{
	struct esp_association *a;

	HASH_FIND(hh, t->associations, &id, sizeof(id), a);
	return a;
}

static struct esp_association *
association_make(struct esp_table *t, uint32_t id)
{
	struct esp_association *a;

	a = association_get(t, id);
	if (a != NULL)
		return a;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->id = id;
	LIST_INIT(&a->inbound);
	LIST_INIT(&a->outbound);
	HASH_ADD(hh, t->associations, id, sizeof(a->id), a);
	if (a->hh.tbl == NULL) { /* no memory for the hash */
		free(a);
		return NULL;
	}
	return a;
}

static void
association_drop_if_empty(struct esp_table *t, struct esp_association *a)
{
	if (!LIST_EMPTY(&a->inbound) || !LIST_EMPTY(&a->outbound))
		return;
	HASH_DELETE(hh, t->associations, a);
	free(a);
}

static void
sa_free(struct esp_sa *sa)
{
	sa->table->ops->key_free(sa->key);
	wipe(sa, sizeof(*sa));
	free(sa);
}

static uint64_t
limit_or_none(uint64_t limit)
{
	return limit > 0 ? limit : UINT64_MAX;
}

static struct esp_sa *
sa_new(struct esp_table *t, const struct esp_sa_params *p,
    const struct esp_alg *alg, uint64_t now_ms)
{
	struct esp_sa *sa;

	sa = calloc(1, sizeof(*sa));
	if (sa == NULL)
		return NULL;
	*sa = (struct esp_sa){
	    .table = t,
	    .alg = alg,
	    .spi = p->spi,
	    .inbound = p->inbound,
	    .encap = p->encap,
	    .local = p->local,
	    .peer = p->peer,
	    .hard_bytes = limit_or_none(p->limits.hard_bytes),
	    .hard_packets = limit_or_none(p->limits.hard_packets),
	    .expire_ms = UINT64_MAX,
	};
	if (p->limits.hard_time_s > 0 &&
	    p->limits.hard_time_s < (UINT64_MAX - now_ms) / 1000)
		sa->expire_ms = now_ms + p->limits.hard_time_s * 1000;
	sa->key = t->ops->key_new(t->ctx, alg, p->enc_key,
	    alg->is_aead ? NULL : p->int_key, !p->inbound);
	random_bytes(&sa->iv_base, sizeof(sa->iv_base));
	if (sa->key == NULL) {
		sa_free(sa);
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

static void
sa_link(struct esp_table *t, struct esp_sa *sa, struct esp_association *a)
{
	struct spi_index *x = sa->inbound ? &t->inbound : &t->outbound;

	/* when it cannot grow the chains get longer, nothing worse */
	if (x->n >= x->n_buckets)
		(void)index_resize(t, x, x->n_buckets * 2);
	LIST_INSERT_HEAD(bucket_of(t, x, sa->spi), sa, in_chain);
	x->n++;
	sa->association = a;
	LIST_INSERT_HEAD(
	    sa->inbound ? &a->inbound : &a->outbound, sa, in_association);
}

int
esp_sa_add(struct esp_table *t, const struct esp_sa_params *p, uint64_t now_ms,
    struct esp_sa **ret)
{
	struct esp_association *a;
	const struct esp_alg *alg;
	struct esp_sa *sa, *old;
	bool known_pair;

	if (p->spi == 0)
		return -EINVAL;
	alg = esp_alg_find(p->enc_alg, p->enc_key_bytes, p->int_alg,
	    p->int_key_bytes, &known_pair);
	if (alg == NULL)
		return known_pair ? -EINVAL : -ENOTSUP;
	old = find_same(t, p);
	/* Behind one NAT a peer can see its neighbour's SPI and offer the same
	 * one: the neighbour keeps it. */
	if (old != NULL && !p->inbound &&
	    old->association->id != p->association)
		return -EEXIST;
	sa = sa_new(t, p, alg, now_ms);
	if (sa == NULL)
		return -ENOMEM;
	a = association_make(t, p->association);
	if (a == NULL) {
		sa_free(sa);
		return -ENOMEM;
	}
	sa_link(t, sa, a);
	if (old != NULL)
		esp_sa_del(t, old);
	if (ret != NULL)
		*ret = sa;
	return 0;
}

void
esp_sa_del(struct esp_table *t, struct esp_sa *sa)
{
	struct spi_index *x = sa->inbound ? &t->inbound : &t->outbound;
	struct esp_association *a = sa->association;

	LIST_REMOVE(sa, in_chain);
	x->n--;
	LIST_REMOVE(sa, in_association);
	sa_free(sa);
	association_drop_if_empty(t, a);
}

struct esp_sa *
esp_sa_find_inbound(const struct esp_table *t, uint32_t spi)
{
	struct esp_sa *sa;

	LIST_FOREACH (sa, bucket_of(t, &t->inbound, spi), in_chain)
		if (sa->spi == spi)
			return sa;
	return NULL;
}

struct esp_sa *
esp_sa_find_outbound(
    const struct esp_table *t, uint32_t spi, const struct endpoint *peer)
{
	struct esp_sa *sa, *found = NULL;

	LIST_FOREACH (sa, bucket_of(t, &t->outbound, spi), in_chain) {
		if (sa->spi != spi)
			continue;
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
	struct esp_association *a = association_get(t, association);

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
	struct esp_association *a = association_get(t, association);

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

	for (a = t->associations; a != NULL; a = a->hh.next) {
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
	return sa->association->id;
}
