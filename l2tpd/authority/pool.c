/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool.c: the allocator of inner addresses. Addresses in use are a hash table
 * in memory; who had which one is table sticky. A cursor walks once over the
 * addresses that nobody ever had, and of a user's own ones only the newest few
 * are looked at, so an allocation costs a few look-ups whatever the pool's size
 * is.
 *
 * Trusts: users and static addresses are read from the database at every
 * allocation, because adit may change them at any time.
 */
#include "l2tpd/authority/pool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <uthash.h>

struct taken {
	uint32_t ip; /* key */
	UT_hash_handle hh;
};

struct pool {
	struct db *db;
	struct journal *journal;
	bool released; /* the journal may not have written it yet */
	const struct adit_conf *conf; /* borrowed */
	uint32_t gateway, first, last;
	uint32_t cursor; /* first address that may never have been given */
	struct taken *taken;
};

struct pool *
pool_new(const struct adit_conf *conf, struct db *db, struct journal *journal)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->db = db;
	p->journal = journal;
	p->conf = conf;
	p->gateway = ipv4_number(conf->gateway);
	p->first = ipv4_number(conf->pool_first);
	p->last = ipv4_number(conf->pool_last);
	p->cursor = p->first;
	return p;
}

void
pool_free(struct pool *p)
{
	struct taken *t, *next;

	if (!p)
		return;
	HASH_ITER (hh, p->taken, t, next) {
		HASH_DEL(p->taken, t);
		free(t);
	}
	free(p);
}

static struct taken *
find(const struct pool *p, uint32_t ip)
{
	struct taken *t;

	HASH_FIND(hh, p->taken, &ip, sizeof(ip), t);
	return t;
}

size_t
pool_used(const struct pool *p)
{
	return HASH_COUNT(p->taken);
}

/* First column of the only row of a query for address a; -1: no row. */
static int64_t
query(struct pool *p, enum db_statement which, int64_t a)
{
	sqlite3_stmt *st = db_statement(p->db, which);
	int64_t v = -1;

	sqlite3_bind_int64(st, 1, a);
	if (sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return v;
}

/* Inside the range, not ours, not in use, not another user's static one. */
static bool
usable(struct pool *p, uint32_t ip, int64_t user_id)
{
	int64_t owner;

	if (ip < p->first || ip > p->last || ip == p->gateway || find(p, ip))
		return false;
	owner = query(p, DB_USER_BY_IPV4, ip);
	return owner < 0 || owner == user_id;
}

/* The first usable address of a list; 0: none. */
static uint32_t
pick(struct pool *p, sqlite3_stmt *st, int64_t user_id)
{
	uint32_t ip = 0, candidate;

	while (!ip && sqlite3_step(st) == SQLITE_ROW) {
		candidate = (uint32_t)sqlite3_column_int64(st, 0);
		if (usable(p, candidate, user_id))
			ip = candidate;
	}
	sqlite3_reset(st);
	return ip;
}

static uint32_t
pick_own(struct pool *p, int64_t user_id)
{
	sqlite3_stmt *st = db_statement(p->db, DB_STICKY_OF_USER);

	sqlite3_bind_int64(st, 1, user_id);
	sqlite3_bind_int64(st, 2, p->first);
	sqlite3_bind_int64(st, 3, p->last);
	return pick(p, st, user_id);
}

static uint32_t
pick_oldest(struct pool *p, int64_t user_id)
{
	sqlite3_stmt *st = db_statement(p->db, DB_STICKY_OLDEST);

	sqlite3_bind_int64(st, 1, p->first);
	sqlite3_bind_int64(st, 2, p->last);
	return pick(p, st, user_id);
}

/* The next one that nobody remembers. */
static uint32_t
pick_fresh(struct pool *p, int64_t user_id)
{
	for (; p->cursor <= p->last; p->cursor++)
		if (usable(p, p->cursor, user_id) &&
		    query(p, DB_STICKY_OF_IPV4, p->cursor) < 0)
			return p->cursor++;
	return 0;
}

/* Deleted users leave holes behind the cursor: when nothing else is left, walk
 * once more over all. */
static uint32_t
pick_any(struct pool *p, int64_t user_id)
{
	uint64_t size = (uint64_t)p->last - p->first + 1;

	if (pool_used(p) >= size)
		return 0;
	p->cursor = p->first;
	return pick_fresh(p, user_id);
}

static int
take(struct pool *p, uint32_t ip, uint8_t ret_ipv4[4])
{
	struct taken *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->ip = ip;
	HASH_ADD(hh, p->taken, ip, sizeof(t->ip), t);
	for (int i = 0; i < 4; i++)
		ret_ipv4[i] = (uint8_t)(ip >> (24 - 8 * i));
	return 0;
}

static int
take_static(struct pool *p, const uint8_t ipv4[4], uint8_t ret_ipv4[4])
{
	uint32_t ip = ipv4_number(ipv4);

	if (!conf_is_client(p->conf, ipv4))
		return -EADDRNOTAVAIL;
	if (find(p, ip))
		return -EADDRINUSE;
	return take(p, ip, ret_ipv4);
}

int
pool_take(
    struct pool *p, const struct user *u, int64_t now_s, uint8_t ret_ipv4[4])
{
	uint32_t ip;

	if (u->has_ipv4)
		return take_static(p, u->ipv4, ret_ipv4);
	/* what waits about addresses in use changes no choice; what was given
	 * back does */
	if (p->released)
		journal_write(p->journal);
	p->released = false;
	ip = pick_own(p, u->id);
	if (!ip)
		ip = pick_fresh(p, u->id);
	if (!ip)
		ip = pick_oldest(p, u->id);
	if (!ip)
		ip = pick_any(p, u->id);
	if (!ip)
		return -ENOSPC;
	journal_sticky(p->journal, ip, u->id, now_s, false);
	return take(p, ip, ret_ipv4);
}

void
pool_release(
    struct pool *p, int64_t user_id, const uint8_t ipv4[4], int64_t now_s)
{
	uint32_t ip = ipv4_number(ipv4);
	struct taken *t = find(p, ip);

	if (!t)
		return;
	HASH_DEL(p->taken, t);
	free(t);
	journal_sticky(p->journal, ip, user_id, now_s, true);
	p->released = true;
}
