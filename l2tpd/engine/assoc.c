/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * assoc.c: associations (the IPsec relation with one client device) and the
 * SAs that carry them.
 *
 * An association is (epoch, mark): charon draws a unique mark per client and
 * keeps it over rekeys and re-authentication; the epoch tells one life of
 * charon from the next, because marks restart at 1. Nothing here looks at
 * addresses and ports to tell clients apart, so any number of clients on port
 * 1701 behind one NAT are as many associations.
 *
 * SAs that charon names to an engine that never knew them were used by a former
 * engine: their sequence numbers and replay windows died with it (RFC 4303 2.2
 * and 3.4.3 forbid to start them again). They are not installed; their IKE SAs
 * are ended, so that the client learns at once that it has to dial again.
 *
 * charon names the inbound SA first. Nobody could be answered until it has
 * named the outbound one, so the first inbound SA of an association waits for
 * that; the plane holds on to its packets, as it does before
 * (plane_spi_expect()).
 *
 * After charon's restart the associations of its former life live on as long
 * as their SAs and tunnels do: the client has not noticed anything.
 */
#include "l2tpd/engine/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"

struct association *
assoc_find(struct engine *e, uint32_t id)
{
	struct association *a;

	HASH_FIND(hh, e->assocs, &id, sizeof(id), a);
	return a;
}

struct association *
assoc_find_mark(struct engine *e, uint64_t epoch, uint32_t mark)
{
	const struct assoc_key key = {epoch, mark};
	struct association *a;

	HASH_FIND(hh_key, e->assocs_by_key, &key, sizeof(key), a);
	return a;
}

static bool
has(const struct association *a, bool inbound)
{
	const struct sa *s;

	LIST_FOREACH (s, &a->sas, next)
		if (s->inbound == inbound)
			return true;
	return false;
}

bool
assoc_has_inbound(const struct association *a)
{
	return has(a, true);
}

bool
assoc_is_successor(const struct association *old, const struct association *a)
{
	return old != a && !assoc_has_inbound(old) &&
	    endpoint_same_address(&old->peer, &a->peer) &&
	    strcmp(old->identity, a->identity) == 0 &&
	    strcmp(a->identity, "-") != 0;
}

static struct association *
assoc_new(struct engine *e, const struct charon_sa *sa)
{
	char text[ENDPOINT_TEXT];
	struct association *a;

	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->id = ++e->next_assoc_id;
	a->key.epoch = e->epoch;
	a->key.mark = sa->mark;
	a->peer = sa->peer;
	strcpy(a->identity, "-");
	a->idle_since_ms = loop_now_ms(e->loop);
	LIST_INIT(&a->sas);
	LIST_INIT(&a->tunnels);
	LIST_INSERT_HEAD(&e->house[a->id % HOUSE_SLOTS], a, in_slot);
	HASH_ADD(hh, e->assocs, id, sizeof(a->id), a);
	HASH_ADD(hh_key, e->assocs_by_key, key, sizeof(a->key), a);
	log_msg(MSG_ASSOC_UP, "assoc=%u mark=%u device=%s encap=%s", a->id,
	    sa->mark, endpoint_format(&a->peer, text, sizeof(text)),
	    sa->encap ? "udp" : "none");
	return a;
}

static struct sa *
sa_find(struct association *a, uint32_t spi, bool inbound)
{
	struct sa *s;

	LIST_FOREACH (s, &a->sas, next)
		if (s->spi == spi && s->inbound == inbound)
			return s;
	return NULL;
}

static void
early_drop(struct association *a)
{
	if (a->early != NULL)
		wipe(a->early, sizeof(*a->early));
	free(a->early);
	a->early = NULL;
}

static bool
is_early(const struct association *a, const struct sa *s)
{
	return a->early != NULL && s->inbound && a->early->spi == s->spi;
}

static void
sa_unlink(struct engine *e, struct sa *s)
{
	struct association *a = s->assoc;

	if (is_early(a, s))
		early_drop(a);
	LIST_REMOVE(s, next);
	if (s->inbound)
		HASH_DEL(e->sas_in, s);
	else
		LIST_REMOVE(s, in_bucket);
	free(s);
	if (assoc_has_inbound(a) || a->bare_since_ms != 0)
		return;
	a->bare_since_ms = loop_now_ms(e->loop);
	e->role->bare(e, a);
}

static void
sa_forget(struct engine *e, struct sa *s)
{
	plane_sa_del(e->plane, s->spi, s->inbound, &s->peer);
	sa_unlink(e, s);
}

/* The bucket of an outbound SPI. */
static unsigned int
bucket_of(struct engine *e, uint32_t spi)
{
	uint32_t h = (spi ^ e->sas_out_seed) * 0x9e3779b1u;

	return (h >> 16) & (SA_OUT_BUCKETS - 1);
}

static struct sa *
sa_remember(struct engine *e, struct association *a, const struct charon_sa *sa)
{
	struct sa *s, *other = NULL;

	s = sa_find(a, sa->spi, sa->inbound);
	if (s == NULL) {
		/* an SPI of ours names one SA only: the newest */
		if (sa->inbound)
			HASH_FIND(
			    hh, e->sas_in, &sa->spi, sizeof(sa->spi), other);
		if (other != NULL)
			sa_forget(e, other);
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return NULL;
		s->assoc = a;
		s->spi = sa->spi;
		s->inbound = sa->inbound;
		LIST_INSERT_HEAD(&a->sas, s, next);
		if (s->inbound)
			HASH_ADD(hh, e->sas_in, spi, sizeof(s->spi), s);
		else
			LIST_INSERT_HEAD(
			    &e->sas_out[bucket_of(e, s->spi)], s, in_bucket);
	}
	s->stale = false;
	s->local = sa->local;
	s->peer = sa->peer;
	return s;
}

static void
params_from(struct esp_sa_params *p, const struct charon_sa *sa, uint32_t assoc)
{
	memset(p, 0, sizeof(*p));
	p->spi = sa->spi;
	p->inbound = sa->inbound;
	p->encap = sa->encap;
	p->association = assoc;
	p->mark = sa->mark;
	p->local = sa->local;
	p->peer = sa->peer;
	p->enc_alg = sa->enc_alg;
	p->int_alg = sa->int_alg;
	p->enc_key_bytes = sa->enc_key_bytes;
	p->int_key_bytes = sa->int_key_bytes;
	if (sa->enc_key_bytes <= sizeof(p->enc_key))
		memcpy(p->enc_key, sa->enc_key, sa->enc_key_bytes);
	if (sa->int_key_bytes <= sizeof(p->int_key))
		memcpy(p->int_key, sa->int_key, sa->int_key_bytes);
	p->limits.hard_time_s = sa->hard_time_s;
	p->limits.hard_bytes = sa->hard_bytes;
	p->limits.hard_packets = sa->hard_packets;
}

/* False: it was refused, and is forgotten. */
static bool
install(struct engine *e, struct association *a, const struct charon_sa *sa)
{
	struct esp_sa_params params;
	struct sa *known;
	int rc;

	params_from(&params, sa, a->id);
	rc = plane_sa_add(e->plane, &params);
	wipe(&params, sizeof(params));
	if (rc == 0)
		return true;
	log_msg(MSG_SA_REFUSED, "assoc=%u spi=%08x why=\"%s\"", a->id, sa->spi,
	    strerror(-rc));
	known = sa_find(a, sa->spi, sa->inbound);
	if (known != NULL)
		sa_unlink(e, known);
	return false;
}

/* Until there is an outbound SA; without memory it is used at once. */
static bool
hold_early(struct association *a, const struct charon_sa *sa)
{
	if (!sa->inbound || has(a, false))
		return false;
	if (a->early == NULL)
		a->early = malloc(sizeof(*a->early));
	if (a->early == NULL)
		return false;
	*a->early = *sa;
	return true;
}

static void
install_early(struct engine *e, struct association *a)
{
	struct charon_sa sa;

	if (a->early == NULL)
		return;
	sa = *a->early;
	early_drop(a);
	if (install(e, a, &sa))
		a->bare_since_ms = 0;
	wipe(&sa, sizeof(sa));
}

void
assoc_sa_add(struct engine *e, const struct charon_sa *sa)
{
	struct association *a;
	struct sa *known;
	bool have;

	a = assoc_find_mark(e, e->epoch, sa->mark);
	known = a != NULL ? sa_find(a, sa->spi, sa->inbound) : NULL;
	have = known != NULL && known->stale;
	if (a == NULL)
		a = assoc_new(e, sa);
	if (a == NULL || sa_remember(e, a, sa) == NULL) {
		log_msg(MSG_SA_REFUSED, "spi=%08x why=no-memory", sa->spi);
		return;
	}
	/* named again after a reconnect of the plugin: it is installed, and a
	 * fresh one would forget its replay window and its sequence number */
	if (have)
		return;
	if (e->first_sync) {
		a->condemned = true;
		return;
	}
	if (hold_early(a, sa))
		return;
	install_early(e, a); /* the worker of the first inbound SA is its own */
	if (!install(e, a, sa))
		return;
	if (sa->inbound)
		a->bare_since_ms = 0;
	else
		a->peer = sa->peer;
	if (has(a, true) && has(a, false))
		e->role->secured(e, a);
}

static struct sa *
sa_locate(
    struct engine *e, uint32_t spi, bool inbound, const struct endpoint *peer)
{
	struct sa *s;

	if (inbound) {
		HASH_FIND(hh, e->sas_in, &spi, sizeof(spi), s);
		return s;
	}
	LIST_FOREACH (s, &e->sas_out[bucket_of(e, spi)], in_bucket)
		if (s->spi == spi && endpoint_same_address(&s->peer, peer))
			return s;
	return NULL;
}

void
assoc_sa_update(struct engine *e, const struct charon_sa_update *u)
{
	struct sa *s;

	s = sa_locate(e, u->spi, u->inbound, &u->old_peer);
	if (s == NULL) /* we saw the new address first and follow it already */
		s = sa_locate(e, u->spi, u->inbound, &u->peer);
	if (s == NULL)
		return;
	if (is_early(s->assoc, s)) {
		s->assoc->early->local = u->local;
		s->assoc->early->peer = u->peer;
		s->assoc->early->encap = u->encap;
	} else {
		plane_sa_update(e->plane, u->spi, u->inbound, &s->peer,
		    &u->local, &u->peer, u->encap);
	}
	s->local = u->local;
	s->peer = u->peer;
	if (!u->inbound)
		s->assoc->peer = u->peer;
}

void
assoc_sa_del(struct engine *e, const struct charon_sa_del *d)
{
	struct sa *s;

	s = sa_locate(e, d->spi, d->inbound, &d->peer);
	if (s == NULL || s->assoc->key.epoch != e->epoch)
		return;
	sa_forget(e, s);
	engine_reap_later(e);
}

/* charon's plugin connected: what this life of charon installed is stale until
 * it is named again. */
void
assoc_sync_begin(struct engine *e, uint64_t epoch)
{
	struct association *a, *tmp;
	struct sa *s;

	if (e->epoch != epoch && e->epoch != 0)
		log_msg(MSG_CHARON_RESTARTED, "associations=%u",
		    HASH_COUNT(e->assocs));
	e->first_sync = e->epoch != epoch;
	e->epoch = epoch;
	e->synced = false;
	HASH_ITER (hh, e->assocs, a, tmp) {
		if (a->key.epoch != epoch)
			a->ike_id = 0;
		LIST_FOREACH (s, &a->sas, next)
			s->stale = a->key.epoch == epoch;
	}
}

void
assoc_sync_end(struct engine *e)
{
	struct association *a, *tmp;
	struct sa *s, *after;

	HASH_ITER (hh, e->assocs, a, tmp) {
		for (s = LIST_FIRST(&a->sas); s != NULL; s = after) {
			after = LIST_NEXT(s, next);
			if (s->stale)
				sa_forget(e, s);
		}
	}
	e->synced = true;
	e->first_sync = false;
	log_msg(MSG_CHARON_SYNCED, "associations=%u", HASH_COUNT(e->assocs));
	HASH_ITER (hh, e->assocs, a, tmp)
		assoc_housekeeping(e, a);
	if (charon_is_there(e))
		e->role->charon(e, true);
}

/* The plane stopped using an SA whose hard limit is reached. */
void
assoc_sa_expired(struct engine *e, uint32_t spi, bool inbound)
{
	struct sa *s;

	if (!inbound)
		return; /* charon speaks of a pair by its inbound SPI */
	HASH_FIND(hh, e->sas_in, &spi, sizeof(spi), s);
	if (s == NULL)
		return;
	log_msg(MSG_SA_EXPIRED, "assoc=%u spi=%08x", s->assoc->id, spi);
	if (s->assoc->key.epoch == e->epoch && e->relay != NULL &&
	    ike_relay_expire(e->relay, spi, true, &s->local) == 0)
		return; /* sa_del follows */
	sa_forget(e, s);
	engine_reap_later(e);
}

void
assoc_moved(
    struct engine *e, uint32_t id, uint32_t spi_in, const struct endpoint *peer)
{
	char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT];
	struct association *a;
	struct sa *s;

	a = assoc_find(e, id);
	if (a == NULL)
		return;
	log_msg(MSG_ASSOC_MOVED, "assoc=%u from=%s to=%s", id,
	    endpoint_format(&a->peer, from, sizeof(from)),
	    endpoint_format(peer, to, sizeof(to)));
	a->peer = *peer;
	/* the plane moved its outbound SAs already: follow, so that a later
	 * update or delete finds them */
	LIST_FOREACH (s, &a->sas, next)
		s->peer = *peer;
	if (a->key.epoch == e->epoch && e->relay != NULL)
		ike_relay_mapping(e->relay, spi_in, peer);
}

static void
assoc_free(struct engine *e, struct association *a)
{
	struct sa *s;

	if (e->kernel && a->key.epoch != e->epoch)
		charon_kernel_forget(e, a);
	while ((s = LIST_FIRST(&a->sas)) != NULL)
		sa_forget(e, s);
	LIST_REMOVE(a, in_slot);
	HASH_DEL(e->assocs, a);
	HASH_DELETE(hh_key, e->assocs_by_key, a);
	log_msg(MSG_ASSOC_DOWN, "assoc=%u mark=%u identity=%s", a->id,
	    (uint32_t)a->key.mark, a->identity);
	free(a);
}

/* A device that has no tunnel needs no IKE SA: Windows has no DPD, and nothing
 * else would ever remove it. An association of charon's former life that
 * carries nothing is forgotten on the spot. */
void
assoc_housekeeping(struct engine *e, struct association *a)
{
	uint64_t now = loop_now_ms(e->loop);
	uint64_t patience = a->condemned ? 0
	    : a->had_tunnel              ? T_ASSOC_IDLE_MS
					 : T_ASSOC_FIRST_MS;
	struct tunnel_box *b, *after;

	if (LIST_EMPTY(&a->sas) && a->bare_since_ms == 0)
		a->bare_since_ms = now;
	if (a->bare_since_ms != 0 && now - a->bare_since_ms >= T_REBIND_MS) {
		for (b = LIST_FIRST(&a->tunnels); b != NULL; b = after) {
			after = LIST_NEXT(b, next);
			tunnels_drop(b, "no-sa");
		}
	}
	if (!LIST_EMPTY(&a->tunnels))
		return;
	if (LIST_EMPTY(&a->sas)) {
		assoc_free(e, a);
		return;
	}
	if (a->idle_since_ms == 0)
		a->idle_since_ms = now;
	if (now - a->idle_since_ms < patience)
		return;
	if (a->key.epoch != e->epoch) {
		assoc_free(e, a);
		return;
	}
	charon_terminate(e, a);
}

void
assoc_free_all(struct engine *e)
{
	struct association *a, *tmp;

	HASH_ITER (hh, e->assocs, a, tmp)
		assoc_free(e, a);
}
