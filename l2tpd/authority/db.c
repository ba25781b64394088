/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * db.c: the SQLite file: owner and mode, schema with its version, prepared
 * statements. All SQL of Adit is in this file.
 *
 * Trusts: who may write the file may let everybody in; so it is 0600 in a
 * directory of adit-auth. As root, SQLite gives its WAL the owner of the
 * database, so adit can be run while the authority is, and before it.
 */
#include "l2tpd/authority/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long one process waits for another's short transaction. */
#define BUSY_TIMEOUT_MS 1000

/* clang-format off */
static const char schema_1[] =
	"CREATE TABLE users ("
	" id INTEGER PRIMARY KEY,"
	/* NOCASE folds A-Z only and compares the rest as UTF-8 bytes */
	" name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
	" nt_hash BLOB NOT NULL CHECK (length(nt_hash) = 16),"
	" groups TEXT NOT NULL DEFAULT '',"
	" ipv4 INTEGER UNIQUE,"			/* NULL: from the pool */
	" max_sessions INTEGER,"		/* NULL: as adit.conf says */
	" valid_until INTEGER,"			/* NULL: for ever */
	" disabled INTEGER NOT NULL DEFAULT 0,"
	" changed INTEGER NOT NULL);"
	"CREATE TABLE sticky ("
	" ipv4 INTEGER PRIMARY KEY,"
	" user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
	" last_used INTEGER NOT NULL);"
	"CREATE INDEX sticky_user ON sticky(user, last_used);"
	"CREATE INDEX sticky_last_used ON sticky(last_used);"
	"CREATE TABLE history ("
	" id INTEGER PRIMARY KEY,"
	" ref INTEGER NOT NULL,"
	" user TEXT NOT NULL,"
	" device TEXT NOT NULL,"
	" ipv4 INTEGER NOT NULL,"
	" started INTEGER NOT NULL,"
	" ended INTEGER,"			/* NULL: still there */
	" bytes_in INTEGER NOT NULL DEFAULT 0,"
	" bytes_out INTEGER NOT NULL DEFAULT 0,"
	" reason TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX history_started ON history(started);"
	"CREATE INDEX history_open ON history(id) WHERE ended IS NULL;"
	"PRAGMA user_version = 1;";

/* networks behind the user's device, as adit user add --route takes them */
static const char schema_2[] =
	"ALTER TABLE users ADD COLUMN routes TEXT NOT NULL DEFAULT '';"
	"PRAGMA user_version = 2;";

/* [n]: from version n to the next. */
static const char *const schema_steps[DB_SCHEMA_VERSION] = {
	schema_1, schema_2,
};

#define USER_COLUMNS "id, name, nt_hash, groups, ipv4, max_sessions," \
	" valid_until, disabled, routes"

static const char *const sql[DB_STATEMENT_COUNT] = {
	[DB_BEGIN] = "BEGIN IMMEDIATE",
	[DB_COMMIT] = "COMMIT",
	[DB_ROLLBACK] = "ROLLBACK",
	[DB_USER_FIND] = "SELECT " USER_COLUMNS " FROM users WHERE name = ?1",
	[DB_USER_ADD] = "INSERT INTO users (name, nt_hash, groups, ipv4,"
	    " max_sessions, valid_until, disabled, changed, routes)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[DB_USER_SET] = "UPDATE users SET nt_hash = ?2, groups = ?3,"
	    " ipv4 = ?4, max_sessions = ?5, valid_until = ?6, disabled = ?7,"
	    " changed = ?8, routes = ?9 WHERE name = ?1",
	[DB_USER_HASH] = "UPDATE users SET nt_hash = ?2, changed = ?3"
	    " WHERE name = ?1",
	[DB_USER_DISABLE] = "UPDATE users SET disabled = ?2, changed = ?3"
	    " WHERE name = ?1",
	[DB_USER_DELETE] = "DELETE FROM users WHERE name = ?1",
	[DB_USER_LIST] = "SELECT " USER_COLUMNS " FROM users ORDER BY name",
	[DB_USER_BY_IPV4] = "SELECT id FROM users WHERE ipv4 = ?1",
	[DB_STICKY_OF_USER] = "SELECT ipv4 FROM sticky WHERE user = ?1"
	    " AND ipv4 BETWEEN ?2 AND ?3 ORDER BY last_used DESC LIMIT 16",
	[DB_STICKY_OF_IPV4] = "SELECT user FROM sticky WHERE ipv4 = ?1",
	[DB_STICKY_OLDEST] = "SELECT ipv4 FROM sticky"
	    " WHERE ipv4 BETWEEN ?1 AND ?2 ORDER BY last_used",
	[DB_STICKY_PUT] = "INSERT INTO sticky (ipv4, user, last_used)"
	    " VALUES (?1, ?2, ?3) ON CONFLICT (ipv4) DO UPDATE"
	    " SET user = excluded.user, last_used = excluded.last_used",
	[DB_HISTORY_START] = "INSERT INTO history (ref, user, device, ipv4,"
	    " started) VALUES (?1, ?2, ?3, ?4, ?5)",
	[DB_HISTORY_USE] = "UPDATE history SET bytes_in = ?2, bytes_out = ?3"
	    " WHERE id = ?1",
	[DB_HISTORY_END] = "UPDATE history SET bytes_in = ?2, bytes_out = ?3,"
	    " ended = ?4, reason = ?5 WHERE id = ?1",
	[DB_HISTORY_END_ALL] = "UPDATE history SET ended = ?1, reason = ?2"
	    " WHERE ended IS NULL",
	[DB_HISTORY_EXPIRE] = "DELETE FROM history WHERE started < ?1"
	    " AND ended IS NOT NULL",
	[DB_HISTORY_LIST] = "SELECT ref, user, device, ipv4, started, ended,"
	    " bytes_in, bytes_out, reason FROM history"
	    " WHERE ?1 = '' OR user = ?1 COLLATE NOCASE"
	    " ORDER BY id DESC LIMIT ?2",
};
/* clang-format on */

static char why_buffer[512];

static int fail(int err, const char **ret_why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
fail(int err, const char **ret_why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why_buffer, sizeof(why_buffer), fmt, ap);
	va_end(ap);
	*ret_why = why_buffer;
	return err;
}

/* Make the file before SQLite does, so that it is never readable by others
 * and belongs to whom the directory belongs to, also when root makes it. */
static int
make_file(const char *path, const char **ret_why)
{
	char dir[4096];
	const char *slash = strrchr(path, '/');
	struct stat st;
	int fd, err;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 1,
	    slash ? path : ".");
	if (stat(dir[0] ? dir : "/", &st) < 0)
		return fail(-errno, ret_why, "%s: %s: run adit setup first",
		    dir, strerror(errno));
	fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		err = errno;
		if (err == EEXIST)
			return 0;
		return fail(-err, ret_why, "%s: %s: run this as root", path,
		    strerror(err));
	}
	err =
	    geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) < 0 ? -errno : 0;
	close(fd);
	if (err) {
		unlink(path);
		return fail(err, ret_why,
		    "%s: cannot give it to the owner of "
		    "%s: %s",
		    path, dir, strerror(-err));
	}
	return 0;
}

static int
user_version(sqlite3 *s)
{
	sqlite3_stmt *st;
	int v = -1;

	if (sqlite3_prepare_v2(s, "PRAGMA user_version", -1, &st, NULL) !=
	    SQLITE_OK)
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return v;
}

static int
make_schema(sqlite3 *s, const char *path, const char **ret_why)
{
	int v;

	/* The lock first: two processes may find the file empty. */
	if (sqlite3_exec(s, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		goto failed;
	v = user_version(s);
	for (int i = v; i >= 0 && i < DB_SCHEMA_VERSION; i++)
		if (sqlite3_exec(s, schema_steps[i], NULL, NULL, NULL) !=
		    SQLITE_OK)
			goto failed;
	if (v > DB_SCHEMA_VERSION) {
		sqlite3_exec(s, "ROLLBACK", NULL, NULL, NULL);
		return fail(-EPROTONOSUPPORT, ret_why,
		    "%s: written by a newer Adit (schema %d, this one knows "
		    "%d): install that version again",
		    path, v, DB_SCHEMA_VERSION);
	}
	if (v < 0 || sqlite3_exec(s, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		goto failed;
	return 0;
failed:
	fail(-EIO, ret_why,
	    "%s: %s: check owner, free space, or restore a "
	    "copy",
	    path, sqlite3_errmsg(s));
	sqlite3_exec(s, "ROLLBACK", NULL, NULL, NULL);
	return -EIO;
}

int
db_open(const char *path, bool durable, struct db **ret, const char **ret_why)
{
	struct db *db;
	int err;

	err = make_file(path, ret_why);
	if (err)
		return err;
	db = calloc(1, sizeof(*db));
	if (!db)
		return fail(-ENOMEM, ret_why, "%s: out of memory", path);
	if (sqlite3_open_v2(path, &db->sqlite,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_NOFOLLOW,
		NULL) != SQLITE_OK) {
		err = fail(-EIO, ret_why, "%s: %s: run this as root", path,
		    db->sqlite ? sqlite3_errmsg(db->sqlite) : "no memory");
		goto failed;
	}
	sqlite3_busy_timeout(db->sqlite, BUSY_TIMEOUT_MS);
	/* secure_delete: an old hash does not stay in a free page */
	if (sqlite3_exec(db->sqlite,
		durable ? "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;"
			  "PRAGMA secure_delete=ON; PRAGMA synchronous=FULL"
			: "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;"
			  "PRAGMA secure_delete=ON; PRAGMA synchronous=NORMAL",
		NULL, NULL, NULL) != SQLITE_OK) {
		err = fail(-EIO, ret_why,
		    "%s: %s: check owner, free space, "
		    "or restore a copy",
		    path, sqlite3_errmsg(db->sqlite));
		goto failed;
	}
	err = make_schema(db->sqlite, path, ret_why);
	if (err)
		goto failed;
	for (int i = 0; i < DB_STATEMENT_COUNT; i++) {
		if (sqlite3_prepare_v3(db->sqlite, sql[i], -1,
			SQLITE_PREPARE_PERSISTENT, &db->statements[i],
			NULL) == SQLITE_OK)
			continue;
		err = fail(-EIO, ret_why, "%s: %s: not a database of Adit",
		    path, sqlite3_errmsg(db->sqlite));
		goto failed;
	}
	*ret = db;
	return 0;
failed:
	db_close(db);
	return err;
}

void
db_close(struct db *db)
{
	if (!db)
		return;
	for (int i = 0; i < DB_STATEMENT_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->sqlite);
	free(db);
}

sqlite3_stmt *
db_statement(struct db *db, enum db_statement which)
{
	sqlite3_stmt *st = db->statements[which];

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return st;
}

int
db_run(struct db *db, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	(void)db;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	switch (rc & 0xff) {
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	default:
		return -EIO;
	}
}

int
db_transaction(struct db *db, enum db_statement which)
{
	return db_run(db, db_statement(db, which));
}

int
db_changes(const struct db *db)
{
	return sqlite3_changes(db->sqlite);
}

const char *
db_error(const struct db *db)
{
	return sqlite3_errmsg(db->sqlite);
}
