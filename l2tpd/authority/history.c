/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.c: rows of table history. Trusts: texts were cleaned by the caller
 * (log_clean()); counters come from the engine and are stored as they are.
 */
#include "l2tpd/authority/history.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
history_start(struct db *db, const struct history *h, int64_t *ret_id)
{
	sqlite3_stmt *st = db_statement(db, DB_HISTORY_START);
	int64_t ip = 0;
	int err;

	for (int i = 0; i < 4; i++)
		ip = ip << 8 | h->ipv4[i];
	sqlite3_bind_int64(st, 1, (int64_t)h->ref);
	sqlite3_bind_text(st, 2, h->user, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, h->device, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, ip);
	sqlite3_bind_int64(st, 5, h->started);
	err = db_run(db, st);
	if (!err)
		*ret_id = sqlite3_last_insert_rowid(db->sqlite);
	return err;
}

int
history_use(struct db *db, int64_t id, uint64_t bytes_in, uint64_t bytes_out)
{
	sqlite3_stmt *st = db_statement(db, DB_HISTORY_USE);

	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, (int64_t)bytes_in);
	sqlite3_bind_int64(st, 3, (int64_t)bytes_out);
	return db_run(db, st);
}

int
history_end(struct db *db, int64_t id, const struct history *h)
{
	sqlite3_stmt *st = db_statement(db, DB_HISTORY_END);

	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, (int64_t)h->bytes_in);
	sqlite3_bind_int64(st, 3, (int64_t)h->bytes_out);
	sqlite3_bind_int64(st, 4, h->ended);
	sqlite3_bind_text(st, 5, h->reason, -1, SQLITE_STATIC);
	return db_run(db, st);
}

int
history_end_all(struct db *db, int64_t ended, const char *reason)
{
	sqlite3_stmt *st = db_statement(db, DB_HISTORY_END_ALL);

	sqlite3_bind_int64(st, 1, ended);
	sqlite3_bind_text(st, 2, reason, -1, SQLITE_STATIC);
	return db_run(db, st);
}

int
history_expire(struct db *db, int64_t now_s)
{
	sqlite3_stmt *st = db_statement(db, DB_HISTORY_EXPIRE);

	sqlite3_bind_int64(st, 1, now_s - HISTORY_KEEP_S);
	return db_run(db, st);
}

static void
copy_text(sqlite3_stmt *st, int column, char *dst, size_t room)
{
	const unsigned char *t = sqlite3_column_text(st, column);

	snprintf(dst, room, "%s", t ? (const char *)t : "");
}

static void
read_row(sqlite3_stmt *st, struct history *h)
{
	int64_t ip = sqlite3_column_int64(st, 3);

	memset(h, 0, sizeof(*h));
	h->ref = (uint64_t)sqlite3_column_int64(st, 0);
	copy_text(st, 1, h->user, sizeof(h->user));
	copy_text(st, 2, h->device, sizeof(h->device));
	for (int i = 0; i < 4; i++)
		h->ipv4[i] = (uint8_t)(ip >> (24 - 8 * i));
	h->started = sqlite3_column_int64(st, 4);
	h->ended = sqlite3_column_int64(st, 5);
	h->bytes_in = (uint64_t)sqlite3_column_int64(st, 6);
	h->bytes_out = (uint64_t)sqlite3_column_int64(st, 7);
	copy_text(st, 8, h->reason, sizeof(h->reason));
}

int
history_each(struct db *db, const char *user, int limit,
    bool (*each)(void *ctx, const struct history *h), void *ctx)
{
	sqlite3_stmt *st = db_statement(db, DB_HISTORY_LIST);
	struct history h;
	int rc;

	sqlite3_bind_text(st, 1, user, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 2, limit);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		read_row(st, &h);
		if (!each(ctx, &h)) {
			rc = SQLITE_DONE;
			break;
		}
	}
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -EIO;
}
