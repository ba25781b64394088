/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal.c: gathers writes (contract in journal.h). Owns open rows and what
 * waits. A write that fails costs a row of history or an address's memory, not
 * the service: it is logged once a group and forgotten, except while somebody
 * else holds the file: then the group waits for the next turn.
 *
 * Trusts its callers for clean texts.
 */
#include "l2tpd/authority/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"

struct journal_row {
	TAILQ_ENTRY(journal_row) link; /* while it waits */
	int64_t id;                    /* in the database; 0: not yet */
	struct history *begun, *ended; /* to be written; owned */
	uint64_t bytes_in, bytes_out;
	bool waits, over;
};

struct sticky {
	STAILQ_ENTRY(sticky) link;
	uint32_t ipv4;
	bool released;
	int64_t user_id, now_s;
};

struct journal {
	struct loop *loop;
	struct db *db;
	struct loop_timer *timer;
	TAILQ_HEAD(, journal_row) rows;
	STAILQ_HEAD(, sticky) stickies;
	size_t waiting;
	bool armed;
	uint64_t written_ms; /* last group */
};

static void
on_timer(void *ctx)
{
	journal_write(ctx);
}

struct journal *
journal_new(struct loop *l, struct db *db)
{
	struct journal *j;

	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return NULL;
	j->loop = l;
	j->db = db;
	TAILQ_INIT(&j->rows);
	STAILQ_INIT(&j->stickies);
	j->timer = loop_timer_new(l, on_timer, j);
	if (j->timer == NULL) {
		free(j);
		return NULL;
	}
	return j;
}

/* One more write waits. */
static void
count_in(struct journal *j)
{
	uint64_t since = loop_now_ms(j->loop) - j->written_ms;

	if (++j->waiting >= JOURNAL_MAX) {
		journal_write(j);
	} else if (!j->armed) {
		j->armed = true;
		loop_timer_set(j->timer,
		    since < JOURNAL_GROUP_MS ? JOURNAL_GROUP_MS - since : 0);
	}
}

static void
row_waits(struct journal *j, struct journal_row *row)
{
	if (row->waits)
		return;
	row->waits = true;
	TAILQ_INSERT_TAIL(&j->rows, row, link);
	count_in(j);
}

struct journal_row *
journal_begin(struct journal *j, const struct history *h)
{
	struct journal_row *row = calloc(1, sizeof(*row));

	if (row == NULL)
		return NULL;
	row->begun = malloc(sizeof(*row->begun));
	if (row->begun == NULL) {
		free(row);
		return NULL;
	}
	*row->begun = *h;
	row_waits(j, row);
	return row;
}

void
journal_use(struct journal *j, struct journal_row *row, uint64_t bytes_in,
    uint64_t bytes_out)
{
	if (row == NULL)
		return;
	row->bytes_in = bytes_in;
	row->bytes_out = bytes_out;
	row_waits(j, row);
}

void
journal_end(struct journal *j, struct journal_row *row, const struct history *h)
{
	if (row == NULL)
		return;
	row->over = true;
	row->ended = malloc(sizeof(*row->ended));
	if (row->ended != NULL)
		*row->ended = *h;
	if (row->ended == NULL && !row->waits) {
		free(row); /* stays open in the file until the next start */
		return;
	}
	row_waits(j, row);
}

void
journal_sticky(struct journal *j, uint32_t ipv4, int64_t user_id, int64_t now_s,
    bool released)
{
	struct sticky *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return; /* costs stickiness, not service */
	s->ipv4 = ipv4;
	s->user_id = user_id;
	s->now_s = now_s;
	s->released = released;
	STAILQ_INSERT_TAIL(&j->stickies, s, link);
	count_in(j);
}

/* ---- write ---- */

static int64_t
owner_of(struct journal *j, uint32_t ipv4)
{
	sqlite3_stmt *st = db_statement(j->db, DB_STICKY_OF_IPV4);
	int64_t id = -1;

	sqlite3_bind_int64(st, 1, ipv4);
	if (sqlite3_step(st) == SQLITE_ROW)
		id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return id;
}

static void
write_sticky(struct journal *j, const struct sticky *s)
{
	sqlite3_stmt *st;

	/* Only a row that is there: static addresses have none, and a user who
	 * was deleted meanwhile is not brought back. */
	if (s->released && owner_of(j, s->ipv4) != s->user_id)
		return;
	st = db_statement(j->db, DB_STICKY_PUT);
	sqlite3_bind_int64(st, 1, s->ipv4);
	sqlite3_bind_int64(st, 2, s->user_id);
	sqlite3_bind_int64(st, 3, s->now_s);
	(void)db_run(j->db, st); /* -EEXIST: the user was deleted */
}

static int
write_row(struct journal *j, struct journal_row *row)
{
	int rc = 0;

	if (row->begun != NULL)
		rc = history_start(j->db, row->begun, &row->id);
	if (rc == 0 && row->ended != NULL)
		return history_end(j->db, row->id, row->ended);
	if (rc == 0 && row->bytes_in + row->bytes_out > 0)
		rc = history_use(j->db, row->id, row->bytes_in, row->bytes_out);
	return rc;
}

static void
row_done(struct journal_row *row)
{
	bool over = row->over;

	free(row->begun);
	free(row->ended);
	row->begun = row->ended = NULL;
	row->waits = false;
	if (over)
		free(row);
}

static void
forget_all(struct journal *j)
{
	struct journal_row *row;
	struct sticky *s;

	while ((row = TAILQ_FIRST(&j->rows)) != NULL) {
		TAILQ_REMOVE(&j->rows, row, link);
		row_done(row);
	}
	while ((s = STAILQ_FIRST(&j->stickies)) != NULL) {
		STAILQ_REMOVE_HEAD(&j->stickies, link);
		free(s);
	}
	j->waiting = 0;
}

void
journal_write(struct journal *j)
{
	struct journal_row *row;
	struct sticky *s;
	int rc, failed = 0;

	loop_timer_cancel(j->timer);
	j->armed = false;
	if (j->waiting == 0)
		return;
	j->written_ms = loop_now_ms(j->loop);
	rc = db_transaction(j->db, DB_BEGIN);
	if (rc == -EBUSY && j->waiting < JOURNAL_MAX) {
		j->armed = true;
		loop_timer_set(j->timer, JOURNAL_GROUP_MS);
		return;
	}
	STAILQ_FOREACH(s, &j->stickies, link)
	write_sticky(j, s);
	TAILQ_FOREACH (row, &j->rows, link) {
		rc = write_row(j, row);
		if (rc != 0)
			failed = rc;
	}
	rc = db_transaction(j->db, DB_COMMIT);
	if (rc != 0 || failed != 0)
		log_msg(MSG_DATABASE_ERROR, "what=history why=\"%s\"",
		    db_error(j->db));
	if (rc != 0)
		(void)db_transaction(j->db, DB_ROLLBACK);
	forget_all(j);
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	journal_write(j);
	forget_all(j); /* somebody held the file until the end */
	loop_timer_free(j->timer);
	free(j);
}
