/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * users.c: rows of table users to struct user and back.
 *
 * Trusts: names to look up are a peer's bytes and are only ever bound, never
 * made part of SQL. Values read back were written by this file, and are still
 * cut to their room; a list of routes that cannot be read is none.
 */
#include "l2tpd/authority/users.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "l2tpd/conf/sites.h"

static int64_t
ip_number(const uint8_t a[4])
{
	return (int64_t)a[0] << 24 | (int64_t)a[1] << 16 | (int64_t)a[2] << 8 |
	    a[3];
}

static void
copy_text(sqlite3_stmt *st, int column, char *dst, size_t room)
{
	const unsigned char *t = sqlite3_column_text(st, column);

	snprintf(dst, room, "%s", t ? (const char *)t : "");
}

static void
read_routes(sqlite3_stmt *st, int column, struct ipv4_networks *ret)
{
	const unsigned char *t = sqlite3_column_text(st, column);

	(void)sites_parse(t ? (const char *)t : "", ret);
}

static void
read_row(sqlite3_stmt *st, struct user *u)
{
	const void *hash = sqlite3_column_blob(st, 2);
	int64_t ip;

	memset(u, 0, sizeof(*u));
	u->id = sqlite3_column_int64(st, 0);
	copy_text(st, 1, u->name, sizeof(u->name));
	if (hash && sqlite3_column_bytes(st, 2) == (int)sizeof(u->nt_hash))
		memcpy(u->nt_hash, hash, sizeof(u->nt_hash));
	else
		u->disabled = true; /* the schema forbids it */
	copy_text(st, 3, u->groups, sizeof(u->groups));
	u->has_ipv4 = sqlite3_column_type(st, 4) != SQLITE_NULL;
	ip = sqlite3_column_int64(st, 4);
	for (int i = 0; u->has_ipv4 && i < 4; i++)
		u->ipv4[i] = (uint8_t)(ip >> (24 - 8 * i));
	u->max_sessions = sqlite3_column_type(st, 5) == SQLITE_NULL
	    ? -1
	    : (int32_t)sqlite3_column_int(st, 5);
	u->valid_until = sqlite3_column_int64(st, 6); /* NULL gives 0 */
	u->disabled = u->disabled || sqlite3_column_int(st, 7);
	read_routes(st, 8, &u->routes);
}

static int
step_error(int rc)
{
	rc &= 0xff;
	return rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? -EBUSY : -EIO;
}

int
users_find(struct db *db, const void *name, size_t n, struct user *ret)
{
	sqlite3_stmt *st = db_statement(db, DB_USER_FIND);
	int rc, err = 0;

	if (n == 0 || n > USER_NAME_MAX || memchr(name, 0, n))
		return -ENOENT;
	sqlite3_bind_text(st, 1, name, (int)n, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		read_row(st, ret);
	else
		err = rc == SQLITE_DONE ? -ENOENT : step_error(rc);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return err;
}

/* Another user's static address, or the name? */
static int
which_conflict(struct db *db, const struct user *u)
{
	struct user other;
	sqlite3_stmt *st;
	bool taken;

	if (u->has_ipv4) {
		st = db_statement(db, DB_USER_BY_IPV4);
		sqlite3_bind_int64(st, 1, ip_number(u->ipv4));
		taken = sqlite3_step(st) == SQLITE_ROW;
		sqlite3_reset(st);
		if (taken &&
		    (users_find(db, u->name, strlen(u->name), &other) != 0 ||
			!other.has_ipv4 ||
			memcmp(other.ipv4, u->ipv4, 4) != 0)) {
			wipe(&other, sizeof(other));
			return -EADDRINUSE;
		}
	}
	return -EEXIST;
}

/* Parameters 1 to 9 of DB_USER_ADD and DB_USER_SET. */
static void
bind_user(sqlite3_stmt *st, const struct user *u, int64_t now_s)
{
	char routes[IPV4_NETWORKS_TEXT];

	sqlite3_bind_text(st, 1, u->name, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, u->nt_hash, sizeof(u->nt_hash), SQLITE_STATIC);
	sqlite3_bind_text(st, 3, u->groups, -1, SQLITE_STATIC);
	if (u->has_ipv4)
		sqlite3_bind_int64(st, 4, ip_number(u->ipv4));
	if (u->max_sessions >= 0)
		sqlite3_bind_int(st, 5, u->max_sessions);
	if (u->valid_until)
		sqlite3_bind_int64(st, 6, u->valid_until);
	sqlite3_bind_int(st, 7, u->disabled);
	sqlite3_bind_int64(st, 8, now_s);
	ipv4_networks_format(&u->routes, routes, sizeof(routes));
	sqlite3_bind_text(st, 9, routes, -1, SQLITE_TRANSIENT);
}

static int
changed_one(struct db *db, sqlite3_stmt *st)
{
	int err = db_run(db, st);

	if (err)
		return err;
	return db_changes(db) ? 0 : -ENOENT;
}

int
users_add(struct db *db, const struct user *u, int64_t now_s)
{
	sqlite3_stmt *st = db_statement(db, DB_USER_ADD);
	int err;

	bind_user(st, u, now_s);
	err = db_run(db, st);
	return err == -EEXIST ? which_conflict(db, u) : err;
}

int
users_set(struct db *db, const struct user *u, int64_t now_s)
{
	sqlite3_stmt *st = db_statement(db, DB_USER_SET);
	int err;

	bind_user(st, u, now_s);
	err = changed_one(db, st);
	return err == -EEXIST ? -EADDRINUSE : err;
}

int
users_set_hash(
    struct db *db, const char *name, const uint8_t nt_hash[16], int64_t now_s)
{
	sqlite3_stmt *st = db_statement(db, DB_USER_HASH);

	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, nt_hash, 16, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, now_s);
	return changed_one(db, st);
}

int
users_set_disabled(
    struct db *db, const char *name, bool disabled, int64_t now_s)
{
	sqlite3_stmt *st = db_statement(db, DB_USER_DISABLE);

	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 2, disabled);
	sqlite3_bind_int64(st, 3, now_s);
	return changed_one(db, st);
}

int
users_delete(struct db *db, const char *name)
{
	sqlite3_stmt *st = db_statement(db, DB_USER_DELETE);

	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	return changed_one(db, st);
}

int
users_each(
    struct db *db, bool (*each)(void *ctx, const struct user *u), void *ctx)
{
	sqlite3_stmt *st = db_statement(db, DB_USER_LIST);
	struct user u;
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		read_row(st, &u);
		if (!each(ctx, &u)) {
			rc = SQLITE_DONE;
			break;
		}
	}
	wipe(&u, sizeof(u));
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : step_error(rc);
}

/* Bytes of the UTF-8 character at s (RFC 3629 4), 0: malformed. */
static size_t
utf8_bytes(const unsigned char *s)
{
	unsigned char lo = 0x80, hi = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		lo = 0xa0; /* overlong */
	if (s[0] == 0xed)
		hi = 0x9f; /* surrogates */
	if (s[0] == 0xf0)
		lo = 0x90;
	if (s[0] == 0xf4)
		hi = 0x8f; /* above U+10FFFF */
	for (size_t i = 1; i < n; i++) {
		if (s[i] < lo || s[i] > hi)
			return 0;
		lo = 0x80;
		hi = 0xbf;
	}
	return n;
}

const char *
user_name_problem(const char *name)
{
	const unsigned char *s = (const unsigned char *)name;
	size_t len = strlen(name), n;

	if (len == 0)
		return "a name must not be empty";
	if (len > USER_NAME_MAX)
		return "a name has at most 255 bytes";
	if (s[0] == ' ' || s[len - 1] == ' ')
		return "a name must not begin or end with a blank";
	while (*s) {
		if (*s < ' ' || *s == 0x7f)
			return "a name must not have control characters";
		if (*s == '\\')
			return "a name must not have a backslash: what is "
			       "before it is taken for a Windows domain";
		if (*s == ',' || *s == '"')
			return "a name must not have commas or quotes: "
			       "they separate fields of a CSV file";
		n = utf8_bytes(s);
		if (n == 0)
			return "a name must be UTF-8 text";
		s += n;
	}
	return NULL;
}
