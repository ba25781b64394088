/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * db.h: the SQLite file of users, remembered addresses and session history:
 * opening it with the right owner and mode, its schema, and short forms for
 * prepared statements. Opened at the same time by the authority (user
 * adit-auth) and by adit (root); WAL lets both work.
 */
#ifndef ADIT_AUTHORITY_DB_H
#define ADIT_AUTHORITY_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_SCHEMA_VERSION 2

enum db_statement { /* rows of the table in db.c */
	DB_BEGIN,
	DB_COMMIT,
	DB_ROLLBACK,
	DB_USER_FIND,
	DB_USER_ADD,
	DB_USER_SET,
	DB_USER_HASH,
	DB_USER_DISABLE,
	DB_USER_DELETE,
	DB_USER_LIST,
	DB_USER_BY_IPV4,
	DB_STICKY_OF_USER,
	DB_STICKY_OF_IPV4,
	DB_STICKY_OLDEST,
	DB_STICKY_PUT,
	DB_HISTORY_START,
	DB_HISTORY_USE,
	DB_HISTORY_END,
	DB_HISTORY_END_ALL,
	DB_HISTORY_EXPIRE,
	DB_HISTORY_LIST,
	DB_STATEMENT_COUNT,
};

struct db {
	sqlite3 *sqlite;
	sqlite3_stmt *statements[DB_STATEMENT_COUNT];
};

/* Opens path; makes it (mode 0600, owner of its directory) when it is not
 * there. durable: every commit reaches the disk (adit), else a power cut may
 * take the last ones (authority: history only). Owner: caller, db_close().
 * 0; -errno: *ret_why (static buffer) says what to do. */
int db_open(
    const char *path, bool durable, struct db **ret, const char **ret_why);
void db_close(struct db *db); /* NULL is fine */

/* The statement, reset and without bindings; borrowed. Reset it (or begin the
 * next one with db_begin()) when you are done: an open read keeps the WAL. */
sqlite3_stmt *db_statement(struct db *db, enum db_statement which);
/* Step one that gives no rows, and reset. 0; -EEXIST: a uniqueness rule;
 * -EBUSY: somebody holds the file; -EIO. */
int db_run(struct db *db, sqlite3_stmt *st);
/* DB_BEGIN, DB_COMMIT or DB_ROLLBACK. As db_run(). */
int db_transaction(struct db *db, enum db_statement which);
/* Rows that the last db_run() changed. */
int db_changes(const struct db *db);
const char *db_error(const struct db *db); /* the library's words */

#endif
