/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_users.c: networks behind users in the database, and a database of the
 * version before them: it is brought up to date when it is opened, and nothing
 * in it is lost.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "l2tpd/authority/db.h"
#include "l2tpd/authority/users.h"
#include "l2tpd/conf/sites.h"

struct world {
	char dir[32], path[64];
};

static int
setup(void **state)
{
	static struct world w;

	strcpy(w.dir, "/tmp/adit-users-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	snprintf(w.path, sizeof(w.path), "%s/adit.db", w.dir);
	*state = &w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", w->dir);
	return system(command);
}

static struct db *
open_db(const struct world *w)
{
	const char *why = "";
	struct db *db;

	if (db_open(w->path, true, &db, &why) != 0)
		fail_msg("%s", why);
	return db;
}

static void
assert_routes(struct db *db, const char *name, const char *want)
{
	char text[IPV4_NETWORKS_TEXT];
	struct user u;

	assert_int_equal(users_find(db, name, strlen(name), &u), 0);
	assert_string_equal(
	    ipv4_networks_format(&u.routes, text, sizeof(text)), want);
}

static void
test_routes(void **state)
{
	struct user u = {.name = "branch", .max_sessions = -1};
	struct db *db = open_db(*state);

	assert_null(sites_parse("10.1.0.0/16,192.168.3.0/24", &u.routes));
	assert_int_equal(users_add(db, &u, 1), 0);
	assert_routes(db, "branch", "10.1.0.0/16,192.168.3.0/24");
	/* two users may have the same: who comes first has it */
	strcpy(u.name, "spare");
	assert_int_equal(users_add(db, &u, 1), 0);
	u.routes.count = 0;
	assert_int_equal(users_set(db, &u, 2), 0);
	assert_routes(db, "spare", "");
	assert_routes(db, "branch", "10.1.0.0/16,192.168.3.0/24");
	assert_int_equal(users_set_disabled(db, "branch", true, 3), 0);
	assert_routes(db, "branch", "10.1.0.0/16,192.168.3.0/24");
	u.routes.count = 0;
	for (uint8_t i = 0; i < IPV4_NETWORKS_MAX; i++)
		u.routes.at[u.routes.count++] = (struct ipv4_network){
		    {223, 255, (uint8_t)(200 + i), 255}, 32};
	assert_int_equal(users_set(db, &u, 4), 0);
	assert_int_equal(users_find(db, "spare", 5, &u), 0);
	assert_int_equal(u.routes.count, IPV4_NETWORKS_MAX);
	assert_int_equal(u.routes.at[15].net[2], 215);
	/* by somebody else's hand: none */
	assert_int_equal(
	    sqlite3_exec(db->sqlite, "UPDATE users SET routes = 'everywhere'",
		NULL, NULL, NULL),
	    SQLITE_OK);
	assert_routes(db, "branch", "");
	db_close(db);
}

/* ---- version 1, as it was released ---- */

static const char version_1[] =
    "CREATE TABLE users ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    " nt_hash BLOB NOT NULL CHECK (length(nt_hash) = 16),"
    " groups TEXT NOT NULL DEFAULT '', ipv4 INTEGER UNIQUE,"
    " max_sessions INTEGER, valid_until INTEGER,"
    " disabled INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL);"
    "CREATE TABLE sticky ("
    " ipv4 INTEGER PRIMARY KEY,"
    " user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " last_used INTEGER NOT NULL);"
    "CREATE INDEX sticky_user ON sticky(user, last_used);"
    "CREATE INDEX sticky_last_used ON sticky(last_used);"
    "CREATE TABLE history ("
    " id INTEGER PRIMARY KEY, ref INTEGER NOT NULL, user TEXT NOT NULL,"
    " device TEXT NOT NULL, ipv4 INTEGER NOT NULL,"
    " started INTEGER NOT NULL, ended INTEGER,"
    " bytes_in INTEGER NOT NULL DEFAULT 0,"
    " bytes_out INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX history_started ON history(started);"
    "CREATE INDEX history_open ON history(id) WHERE ended IS NULL;"
    "PRAGMA user_version = 1;"
    "INSERT INTO users (name, nt_hash, groups, ipv4, max_sessions,"
    " valid_until, disabled, changed) VALUES ('alice',"
    " X'000102030405060708090a0b0c0d0e0f', 'staff', 172818441, 3, 4102444800,"
    " 1, 7);"
    "INSERT INTO sticky VALUES (172818442, 1, 9);";

static void
write_version_1(const struct world *w)
{
	sqlite3 *s;

	assert_int_equal(sqlite3_open(w->path, &s), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(s, version_1, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(s), SQLITE_OK);
}

static void
test_version_1(void **state)
{
	struct db *db, *again;
	sqlite3_stmt *st;
	struct user u;

	write_version_1(*state);
	db = open_db(*state);
	assert_int_equal(users_find(db, "ALICE", 5, &u), 0);
	assert_int_equal(u.id, 1);
	assert_int_equal(u.nt_hash[15], 15);
	assert_string_equal(u.groups, "staff");
	assert_true(u.has_ipv4);
	assert_memory_equal(u.ipv4, ((uint8_t[4]){10, 77, 0, 9}), 4);
	assert_int_equal(u.max_sessions, 3);
	assert_int_equal(u.valid_until, 4102444800);
	assert_true(u.disabled);
	assert_int_equal(u.routes.count, 0);
	st = db_statement(db, DB_STICKY_OF_IPV4);
	sqlite3_bind_int64(st, 1, 172818442);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	sqlite3_reset(st);
	assert_null(sites_parse("10.1.0.0/16", &u.routes));
	assert_int_equal(users_set(db, &u, 8), 0);
	/* the second time there is nothing to bring up to date */
	again = open_db(*state);
	assert_routes(again, "alice", "10.1.0.0/16");
	db_close(again);
	db_close(db);
}

/* A database that a later Adit wrote is left alone. */
static void
test_version_3(void **state)
{
	const char *why = "";
	struct db *db = open_db(*state);

	assert_int_equal(sqlite3_exec(db->sqlite, "PRAGMA user_version = 3",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	db_close(db);
	assert_int_equal(
	    db_open(((struct world *)*state)->path, true, &db, &why),
	    -EPROTONOSUPPORT);
	assert_non_null(strstr(why, "newer"));
}

int
main(void)
{
#define WORLD(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    WORLD(test_routes),
	    WORLD(test_version_1),
	    WORLD(test_version_3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
