/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * charon_kernel.c: charon of the kernel plane: a stock one, whose SAs and
 * policies are the kernel's. There is no plugin and no relay; what it has done
 * comes as events over vici and becomes the same calls of assoc.c that the
 * plugin's records become (charon.c). SAs have no keys here: they only say that
 * an association lives, and where its device is.
 *
 * An association is (epoch, mark). The epoch, charon's life, is the time when
 * it began, which it tells itself. What it names to an engine that never knew
 * it belongs to a former engine, whose tunnels are gone: it is ended, as in the
 * user plane.
 *
 * Trusts charon for SPIs, marks and addresses; identities are a peer's bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "l2tpd/engine/internal.h"
#include "l2tpd/ike/sas.h"

static struct association *
of_child(struct engine *e, const struct child_sa_info *child)
{
	return child->mark_in != 0
	    ? assoc_find_mark(e, e->epoch, child->mark_in)
	    : NULL;
}

static bool
is_known(const struct association *a, uint32_t spi, bool inbound)
{
	const struct sa *s;

	if (a == NULL)
		return false;
	LIST_FOREACH (s, &a->sas, next)
		if (s->spi == spi && s->inbound == inbound && !s->stale)
			return true;
	return false;
}

static void
add_one(struct engine *e, const struct ike_sa_info *ike,
    const struct child_sa_info *child, bool inbound)
{
	const struct charon_sa sa = {
	    .spi = inbound ? child->spi_in : child->spi_out,
	    .inbound = inbound,
	    .encap = child->encap,
	    .mark = child->mark_in,
	    .local = ike->local,
	    .peer = ike->remote,
	};

	if (sa.spi != 0 && !is_known(of_child(e, child), sa.spi, inbound))
		assoc_sa_add(e, &sa);
}

/* The pair of SAs itself, or all others of its association. */
static void
remove_sas(struct engine *e, const struct child_sa_info *child, bool others)
{
	struct association *a = of_child(e, child);
	struct charon_sa_del d;
	struct sa *s, *after;

	if (a == NULL)
		return;
	for (s = LIST_FIRST(&a->sas); s != NULL; s = after) {
		after = LIST_NEXT(s, next);
		if ((s->spi == (s->inbound ? child->spi_in : child->spi_out)) ==
		    others)
			continue;
		d = (struct charon_sa_del){
		    .spi = s->spi, .inbound = s->inbound, .peer = s->peer};
		assoc_sa_del(e, &d);
	}
}

static void
add_pair(struct engine *e, const struct ike_sa_info *ike,
    const struct child_sa_info *child)
{
	if (child->mark_in == 0 || !child->installed)
		return;
	add_one(e, ike, child, true);
	add_one(e, ike, child, false);
	charon_child_named(
	    e, child->mark_in, ike->unique_id, ike->remote_id, ike->connection);
}

/* ---- events ---- */

static void
on_updown(
    void *ctx, const struct ike_sa_info *ike, const struct child_sa_info *child)
{
	if (ike->up)
		add_pair(ctx, ike, child);
	else
		remove_sas(ctx, child, false);
}

static void
on_rekey(
    void *ctx, const struct ike_sa_info *ike, const struct child_sa_info *child)
{
	add_pair(ctx, ike, child);
	/* charon tells of the end of what this replaces no more */
	remove_sas(ctx, child, true);
}

/* The device's address or port is another one: its NAT's mapping changed. */
static void
on_update(void *ctx, const struct ike_sa_info *ike)
{
	struct engine *e = ctx;
	struct association *a, *tmp;
	struct charon_sa_update u;
	struct sa *s;

	HASH_ITER (hh, e->assocs, a, tmp) {
		if (a->ike_id != ike->unique_id || a->key.epoch != e->epoch)
			continue;
		LIST_FOREACH (s, &a->sas, next) {
			u = (struct charon_sa_update){
			    .spi = s->spi,
			    .inbound = s->inbound,
			    .encap = true,
			    .old_peer = s->peer,
			    .local = ike->local,
			    .peer = ike->remote,
			};
			assoc_sa_update(e, &u);
		}
	}
}

static const struct {
	const char *name;
	struct ike_sas_visitor visitor;
} events[] = {
    {"child-updown", {.child = on_updown}},
    {"child-rekey", {.child = on_rekey}},
    {"ike-update", {.ike = on_update}},
};

/* A line of charon's log. */
static void
on_log(struct engine *e, struct rd message)
{
	struct rd value;
	uint32_t ike = 0;
	char text[512];

	if (!vici_find(message, "ikesa-uniqueid", &value) ||
	    !vici_number(value, 10, &ike) || !vici_find(message, "msg", &value))
		return;
	refusals_line(e, ike, vici_text(value, text, sizeof(text)));
}

#define EVENTS (sizeof(events) / sizeof(events[0]))

void
charon_kernel_event(struct engine *e, const char *name, struct rd message)
{
	bool first = e->first_sync;
	size_t i;

	if (strcmp(name, "log") == 0) {
		on_log(e, message);
		return;
	}
	if (e->epoch == 0)
		return; /* the list will name it */
	/* it is new, whatever is still being listed */
	e->first_sync = false;
	for (i = 0; i < EVENTS; i++)
		if (strcmp(name, events[i].name) == 0)
			ike_sas_read(message, &events[i].visitor, e);
	e->first_sync = first;
}

/* ---- what a charon that was killed has left ---- */

static bool
is_shared(struct engine *e, const struct association *a)
{
	const struct association *now =
	    assoc_find_mark(e, e->epoch, (uint32_t)a->key.mark);

	return now != NULL && endpoint_same_address(&now->peer, &a->peer);
}

void
charon_kernel_forget(struct engine *e, const struct association *a)
{
	struct priv_forget f;
	const struct sa *s;

	memset(&f, 0, sizeof(f));
	f.mark = (uint32_t)a->key.mark;
	f.policies = !is_shared(e, a);
	memcpy(f.peer, a->peer.addr, sizeof(f.peer));
	LIST_FOREACH (s, &a->sas, next) {
		memcpy(f.local, s->local.addr, sizeof(f.local));
		f.spi_in = s->inbound ? s->spi : 0;
		f.spi_out = s->inbound ? 0 : s->spi;
		e->start.forget(e->start.ctx, &f);
		f.policies = false; /* once */
	}
}

/* ---- after connecting: who is there ---- */

static void
on_listed_child(
    void *ctx, const struct ike_sa_info *ike, const struct child_sa_info *child)
{
	add_pair(ctx, ike, child);
}

static void
on_listed(void *ctx, struct rd message)
{
	static const struct ike_sas_visitor visitor = {
	    .child = on_listed_child};

	ike_sas_read(message, &visitor, ctx);
}

static void
on_list_end(void *ctx, int err, struct rd message)
{
	(void)message;
	if (err == 0)
		assoc_sync_end(ctx);
}

/* Any number that another life of charon would not have (FNV-1a). */
static uint64_t
epoch_of(struct rd since)
{
	uint64_t h = 0xcbf29ce484222325u;
	uint8_t byte;

	while (rd_u8(&since, &byte))
		h = (h ^ byte) * 0x100000001b3u;
	return h | 1;
}

static void
on_stats(void *ctx, int err, struct rd message)
{
	struct vici_reader r = vici_reader_init(message);
	struct engine *e = ctx;
	struct vici_token t;
	uint64_t epoch = 0;

	if (err != 0)
		return;
	while (epoch == 0 && vici_next(&r, &t))
		if (t.element == VICI_KEY_VALUE && strcmp(t.name, "since") == 0)
			epoch = epoch_of(t.value);
	if (epoch == 0)
		epoch = epoch_of(message);
	assoc_sync_begin(e, epoch);
	vici_list_sas(e->vici, on_listed, on_list_end, e);
}

void
charon_kernel_connected(struct engine *e)
{
	size_t i;

	for (i = 0; i < EVENTS; i++)
		vici_register(e->vici, events[i].name, NULL, e);
	vici_register(e->vici, "log", NULL, e);
	vici_request(e->vici, "stats", NULL, on_stats, e);
}
