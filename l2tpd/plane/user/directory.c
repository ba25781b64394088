/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * directory.c: which worker has which SA (contract in directory.h). Trusts the
 * engine; SPIs of outbound SAs were chosen by peers.
 */
#include "l2tpd/plane/user/directory.h"

#include <errno.h>
#include <stdlib.h>

int
directory_init(struct directory *d)
{
	return index_init(&d->inbound) < 0 || index_init(&d->outbound) < 0 ||
		index_init(&d->associations) < 0
	    ? -ENOMEM
	    : 0;
}

static void
drop_all(struct directory *d, struct index *x)
{
	size_t i;

	for (i = 0; x->slots != NULL && i <= x->mask; i++)
		while (x->slots[i].value != NULL)
			directory_del(d, x->slots[i].value);
	index_fini(x);
}

void
directory_fini(struct directory *d)
{
	struct index *x = &d->associations;
	size_t i;

	drop_all(d, &d->inbound);
	drop_all(d, &d->outbound);
	for (i = 0; x->slots != NULL && i <= x->mask; i++)
		free(x->slots[i].value);
	index_fini(x);
}

struct known_association *
directory_association(const struct directory *d, uint32_t id)
{
	return index_find(&d->associations, id);
}

struct known_association *
directory_association_make(struct directory *d, uint32_t id, uint8_t worker)
{
	struct known_association *a = directory_association(d, id);

	if (a != NULL)
		return a;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->id = id;
	a->worker = worker;
	LIST_INIT(&a->inbound);
	LIST_INIT(&a->outbound);
	if (index_add(&d->associations, id, a) < 0) {
		free(a);
		return NULL;
	}
	return a;
}

void
directory_association_drop(struct directory *d, struct known_association *a)
{
	if (!LIST_EMPTY(&a->inbound) || !LIST_EMPTY(&a->outbound))
		return;
	index_del(&d->associations, a->id, a);
	free(a);
}

static struct index *
index_of(struct directory *d, bool inbound)
{
	return inbound ? &d->inbound : &d->outbound;
}

struct known_sa *
directory_add(struct directory *d, struct known_association *a,
    const struct esp_sa_params *p, struct esp_sa *sa)
{
	struct known_sa *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	*k = (struct known_sa){
	    .association = a,
	    .sa = sa,
	    .spi = p->spi,
	    .worker = a->worker,
	    .inbound = p->inbound,
	    .encap = p->encap,
	    .local = p->local,
	    .peer = p->peer,
	};
	if (index_add(index_of(d, p->inbound), p->spi, k) < 0) {
		free(k);
		return NULL;
	}
	LIST_INSERT_HEAD(
	    p->inbound ? &a->inbound : &a->outbound, k, in_association);
	return k;
}

void
directory_del(struct directory *d, struct known_sa *k)
{
	index_del(index_of(d, k->inbound), k->spi, k);
	LIST_REMOVE(k, in_association);
	free(k);
}

struct known_sa *
directory_find_same(const struct directory *d, uint32_t spi, bool inbound,
    const struct endpoint *peer)
{
	struct known_sa *k, *found = NULL;
	size_t pos;

	if (inbound)
		return index_find(&d->inbound, spi);
	pos = index_home(&d->outbound, spi);
	while ((k = index_next(&d->outbound, spi, &pos)) != NULL)
		/* two can meet at one address by moving: the port decides */
		if (!k->doomed && endpoint_same_address(&k->peer, peer) &&
		    (found == NULL || endpoint_equal(&k->peer, peer)))
			found = k;
	return found;
}

static struct known_sa *
only_outbound(const struct directory *d, uint32_t spi)
{
	struct known_sa *k, *found = NULL;
	size_t pos = index_home(&d->outbound, spi);

	while ((k = index_next(&d->outbound, spi, &pos)) != NULL) {
		if (k->doomed)
			continue;
		if (found != NULL)
			return NULL; /* more than one */
		found = k;
	}
	return found;
}

struct known_sa *
directory_find(const struct directory *d, uint32_t spi, bool inbound,
    const struct endpoint *peer)
{
	struct known_sa *k = NULL;

	if (inbound || peer != NULL)
		k = directory_find_same(d, spi, inbound, peer);
	return k != NULL || inbound ? k : only_outbound(d, spi);
}

void
directory_move(
    struct directory *d, uint32_t association, const struct endpoint *peer)
{
	struct known_association *a = directory_association(d, association);
	struct known_sa *k;

	if (a == NULL)
		return;
	LIST_FOREACH (k, &a->inbound, in_association)
		if (k->encap)
			k->peer = *peer;
	LIST_FOREACH (k, &a->outbound, in_association)
		if (k->encap)
			k->peer = *peer;
}
