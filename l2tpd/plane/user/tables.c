/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tables.c: the sessions of the user plane (contract in tables.h). Owns them.
 * Trusts its caller, the engine: keys that are stored are our own choice (ids,
 * addresses of the pool), so the hash needs no secret; keys of look-ups come
 * from packets and can only miss.
 */
#include "l2tpd/plane/user/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/counter.h"
#include "base/rd.h"

#define SLOTS_FIRST 64

/* ---- an index ---- */

static size_t
home(const struct session_index *x, uint64_t key)
{
	/* Fibonacci hashing: the high bits of the product are the mixed ones */
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
	    (x->count - 1);
}

/* The slot of key, or the free one where it would go. */
static size_t
seek(const struct session_index *x, uint64_t key)
{
	size_t i = home(x, key);

	while (x->slots[i].session != NULL && x->slots[i].key != key)
		i = (i + 1) & (x->count - 1);
	return i;
}

static struct user_session *
find(const struct session_index *x, uint64_t key)
{
	return x->count > 0 ? x->slots[seek(x, key)].session : NULL;
}

static int
grow(struct session_index *x)
{
	struct session_index bigger = {
	    .count = x->count > 0 ? x->count * 2 : SLOTS_FIRST,
	    .used = x->used,
	};
	size_t i;

	bigger.slots = calloc(bigger.count, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return -ENOMEM;
	for (i = 0; i < x->count; i++)
		if (x->slots[i].session != NULL)
			bigger.slots[seek(&bigger, x->slots[i].key)] =
			    x->slots[i];
	free(x->slots);
	*x = bigger;
	return 0;
}

/* key is not there. */
static int
insert(struct session_index *x, uint64_t key, struct user_session *s)
{
	if ((x->used + 1) * 4 > x->count * 3 && grow(x) < 0)
		return -ENOMEM;
	x->slots[seek(x, key)] = (struct session_slot){key, s};
	x->used++;
	return 0;
}

/* Later ones of the run move up, so that no look-up ends at the hole. */
static void
extract(struct session_index *x, uint64_t key)
{
	size_t mask = x->count - 1, hole = seek(x, key), i = hole, at;

	if (x->slots[hole].session == NULL)
		return;
	for (;;) {
		i = (i + 1) & mask;
		if (x->slots[i].session == NULL)
			break;
		at = home(x, x->slots[i].key);
		if (((i - at) & mask) < ((i - hole) & mask))
			continue; /* its home is behind the hole */
		x->slots[hole] = x->slots[i];
		hole = i;
	}
	x->slots[hole] = (struct session_slot){0, NULL};
	x->used--;
	if (x->used == 0) {
		free(x->slots);
		*x = (struct session_index){NULL, 0, 0};
	}
}

static uint64_t
key_of_ids(uint16_t tunnel_id, uint16_t session_id)
{
	return (uint64_t)tunnel_id << 16 | session_id;
}

static uint64_t
key_of_ipv4(const uint8_t address[4])
{
	struct rd r = rd_init(address, 4);
	uint32_t v = 0;

	rd_be32(&r, &v);
	return v;
}

static uint64_t
key_of_prefix(const uint8_t prefix[8])
{
	struct rd r = rd_init(prefix, 8);
	uint64_t v = 0;

	rd_be64(&r, &v);
	return v;
}

/* ---- networks behind sessions ---- */

/* How many begin at or before the address. */
static size_t
count_up_to(const struct session_networks *x, uint32_t address)
{
	size_t lo = 0, hi = x->count, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (x->rows[mid].first <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t
last_of(uint32_t first, uint8_t bits)
{
	return first | ~ipv4_mask(bits);
}

static int
make_room(struct session_networks *x, size_t n)
{
	size_t room = x->room > 0 ? x->room : IPV4_NETWORKS_MAX;
	struct session_network *rows;

	while (room < x->count + n)
		room *= 2;
	if (room == x->room)
		return 0;
	rows = realloc(x->rows, room * sizeof(*rows));
	if (rows == NULL)
		return -ENOMEM;
	x->rows = rows;
	x->room = room;
	return 0;
}

/* The session's networks out of the table. */
static void
extract_networks(struct session_networks *x, struct user_session *s)
{
	size_t i, kept = 0;

	if (!s->has_networks)
		return;
	for (i = 0; i < x->count; i++)
		if (x->rows[i].session != s)
			x->rows[kept++] = x->rows[i];
	x->count = kept;
	s->has_networks = false;
	if (kept == 0) {
		free(x->rows);
		*x = (struct session_networks){NULL, 0, 0};
	}
}

/* There is room. Of those that overlap it the session's own make way when they
 * are smaller. -EEXIST: one is another's. */
static int
insert_network(struct session_networks *x, struct user_session *s,
    const struct ipv4_network *n)
{
	uint32_t first = ipv4_number(n->net), last = last_of(first, n->bits);
	size_t from = count_up_to(x, first), to = count_up_to(x, last), i;
	struct session_network *r;

	if (from > 0) {
		r = &x->rows[from - 1];
		if (last_of(r->first, r->bits) >= first)
			from--; /* the same, or one that contains it */
	}
	for (i = from; i < to; i++)
		if (x->rows[i].session != s)
			return -EEXIST;
	if (from < to && x->rows[from].bits <= n->bits)
		return 0;
	memmove(x->rows + from + 1, x->rows + to,
	    (x->count - to) * sizeof(*x->rows));
	x->count = x->count + 1 - (to - from);
	x->rows[from] = (struct session_network){first, n->bits, s};
	return 0;
}

int
session_table_set_networks(struct session_table *t, struct user_session *s,
    const struct ipv4_networks *nets)
{
	struct session_networks *x = &t->networks;
	int rc = 0;

	extract_networks(x, s);
	if (nets->count == 0)
		return 0;
	if (!s->ipv4_open || s->params.uplink ||
	    nets->count > IPV4_NETWORKS_MAX)
		return -EINVAL;
	if (make_room(x, nets->count) < 0)
		return -ENOMEM;
	s->has_networks = true;
	for (size_t i = 0; rc == 0 && i < nets->count; i++)
		rc = ipv4_network_is_sane(&nets->at[i])
		    ? insert_network(x, s, &nets->at[i])
		    : -EINVAL;
	if (rc < 0)
		extract_networks(x, s);
	return rc;
}

void
session_table_get_networks(const struct session_table *t,
    const struct user_session *s, struct ipv4_networks *ret)
{
	const struct session_network *r;
	struct ipv4_network *n;

	ret->count = 0;
	for (size_t i = 0; s->has_networks && i < t->networks.count; i++) {
		r = &t->networks.rows[i];
		if (r->session != s)
			continue;
		n = &ret->at[ret->count++];
		for (int k = 0; k < 4; k++)
			n->net[k] = (uint8_t)(r->first >> (24 - 8 * k));
		n->bits = r->bits;
	}
}

/* ---- sessions ---- */

void
user_session_init(struct user_session *ret, const struct plane_session *p)
{
	*ret = (struct user_session){
	    .params = *p,
	    .key = {p->local_tunnel_id, p->local_session_id},
	};
	ratelimit_init(
	    &ret->services, PLANE_SERVICES_BURST, PLANE_SERVICES_RATE, 0);
}

struct user_session *
user_session_new(const struct plane_session *p)
{
	struct user_session *s = malloc(sizeof(*s));

	if (s != NULL)
		user_session_init(s, p);
	return s;
}

int
session_table_adopt(struct session_table *t, struct user_session *s)
{
	uint64_t key = key_of_ids(s->key.tunnel_id, s->key.session_id);

	if (find(&t->by_id, s->params.id) != NULL ||
	    find(&t->by_key, key) != NULL)
		return -EEXIST;
	if (insert(&t->by_id, s->params.id, s) < 0)
		return -ENOMEM;
	if (insert(&t->by_key, key, s) < 0) {
		extract(&t->by_id, s->params.id);
		return -ENOMEM;
	}
	return 0;
}

int
session_table_add(struct session_table *t, const struct plane_session *p)
{
	struct user_session *s = user_session_new(p);
	int rc;

	if (s == NULL)
		return -ENOMEM;
	rc = session_table_adopt(t, s);
	if (rc < 0)
		free(s);
	return rc;
}

static void
shut_ipv4(struct session_table *t, struct user_session *s)
{
	if (s->ipv4_open)
		extract(&t->by_ipv4, key_of_ipv4(s->ipv4));
	extract_networks(&t->networks, s);
	s->ipv4_open = false;
	if (t->uplink == s)
		t->uplink = NULL;
}

static void
shut_ipv6(struct session_table *t, struct user_session *s)
{
	uint64_t prefix = key_of_prefix(s->prefix);

	if (s->ipv6_open && prefix != 0)
		extract(&t->by_prefix, prefix);
	s->ipv6_open = false;
}

void
session_table_shut(struct session_table *t, struct user_session *s)
{
	shut_ipv4(t, s);
	shut_ipv6(t, s);
}

void
session_table_release(struct session_table *t, struct user_session *s)
{
	session_table_shut(t, s);
	extract(&t->by_key, key_of_ids(s->key.tunnel_id, s->key.session_id));
	extract(&t->by_id, s->params.id);
}

void
session_table_del(struct session_table *t, struct user_session *s)
{
	session_table_release(t, s);
	free(s);
}

void
session_table_clear(struct session_table *t)
{
	size_t i, n = t->by_id.count;

	for (i = 0; i < n; i++)
		free(t->by_id.slots[i].session);
	free(t->by_id.slots);
	free(t->by_key.slots);
	free(t->by_ipv4.slots);
	free(t->by_prefix.slots);
	free(t->networks.rows);
	memset(t, 0, sizeof(*t));
}

int
session_table_open_ipv4(struct session_table *t, struct user_session *s,
    const uint8_t address[4], uint16_t peer_mru)
{
	struct user_session *other = session_by_ipv4(t, address);

	if (other != NULL && other != s)
		return -EEXIST;
	if (s->params.uplink && t->uplink != NULL && t->uplink != s)
		return -EEXIST;
	shut_ipv4(t, s);
	memcpy(s->ipv4, address, sizeof(s->ipv4));
	if (insert(&t->by_ipv4, key_of_ipv4(address), s) < 0)
		return -ENOMEM;
	s->mru_ipv4 = peer_mru;
	s->ipv4_open = true;
	if (s->params.uplink)
		t->uplink = s;
	return 0;
}

int
session_table_open_ipv6(struct session_table *t, struct user_session *s,
    const uint8_t prefix[8], const uint8_t ifid[8], uint16_t peer_mru)
{
	struct user_session *other = session_by_prefix(t, prefix);
	uint64_t key = key_of_prefix(prefix);

	if (other != NULL && other != s)
		return -EEXIST;
	shut_ipv6(t, s);
	memcpy(s->prefix, prefix, sizeof(s->prefix));
	memcpy(s->ifid, ifid, sizeof(s->ifid));
	/* else link-local only */
	if (key != 0 && insert(&t->by_prefix, key, s) < 0)
		return -ENOMEM;
	s->mru_ipv6 = peer_mru;
	s->ipv6_open = true;
	return 0;
}

void
session_read_counters(const struct user_session *s, struct plane_counters *ret)
{
	const struct plane_counters *c = &s->counters;

	*ret = (struct plane_counters){
	    .bytes_in = counter_read(&c->bytes_in),
	    .packets_in = counter_read(&c->packets_in),
	    .bytes_out = counter_read(&c->bytes_out),
	    .packets_out = counter_read(&c->packets_out),
	    .spoofed = counter_read(&c->spoofed),
	    .last_in_ms = counter_read(&c->last_in_ms),
	};
}

struct user_session *
session_by_id(const struct session_table *t, uint32_t id)
{
	return find(&t->by_id, id);
}

struct user_session *
session_by_key(
    const struct session_table *t, uint16_t tunnel_id, uint16_t session_id)
{
	return find(&t->by_key, key_of_ids(tunnel_id, session_id));
}

struct user_session *
session_by_ipv4(const struct session_table *t, const uint8_t address[4])
{
	return find(&t->by_ipv4, key_of_ipv4(address));
}

struct user_session *
session_by_network(const struct session_table *t, const uint8_t address[4])
{
	const struct session_networks *x = &t->networks;
	const struct session_network *r;
	uint32_t a;
	size_t n;

	if (x->count == 0)
		return NULL;
	a = (uint32_t)key_of_ipv4(address);
	n = count_up_to(x, a);
	if (n == 0)
		return NULL;
	r = &x->rows[n - 1];
	return a <= last_of(r->first, r->bits) ? r->session : NULL;
}

struct user_session *
session_towards_ipv4(const struct session_table *t, const uint8_t address[4])
{
	struct user_session *s;

	if (t->uplink != NULL)
		return t->uplink;
	s = session_by_ipv4(t, address);
	return s != NULL ? s : session_by_network(t, address);
}

struct user_session *
session_by_prefix(const struct session_table *t, const uint8_t prefix[8])
{
	return find(&t->by_prefix, key_of_prefix(prefix));
}
