/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal.h: what the authority writes while it serves: rows of history and
 * who had which address. Nothing waits for the disk: a first write goes out in
 * the next turn of the loop, more are gathered and go in one transaction every
 * JOURNAL_GROUP_MS, so a thousand logins cost two transactions. A process that
 * is killed loses at most that much history; leases are not in here.
 */
#ifndef ADIT_AUTHORITY_JOURNAL_H
#define ADIT_AUTHORITY_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "l2tpd/authority/db.h"
#include "l2tpd/authority/history.h"

#define JOURNAL_GROUP_MS 500
#define JOURNAL_MAX      8192 /* waiting writes; more than that go at once */

struct journal;
struct journal_row; /* a row of history that is open */

/* loop, db: borrowed for its life. NULL: no memory. */
struct journal *journal_new(struct loop *l, struct db *db);
void journal_free(struct journal *j); /* writes what waits; NULL is fine */

/* A session began: user, device, ipv4, started and ref of h, copied. NULL: no
 * memory; the calls below take that. Owner: the journal; journal_end() is the
 * last call for a row. */
struct journal_row *journal_begin(struct journal *j, const struct history *h);
void journal_use(struct journal *j, struct journal_row *row, uint64_t bytes_in,
    uint64_t bytes_out);
/* bytes_in, bytes_out, ended and reason of h, copied. */
void journal_end(
    struct journal *j, struct journal_row *row, const struct history *h);

/* user_id has, or (released) had, this address. What was released is
 * remembered only for a user who is still known to have had it. */
void journal_sticky(struct journal *j, uint32_t ipv4, int64_t user_id,
    int64_t now_s, bool released);

/* Write all that waits, now. */
void journal_write(struct journal *j);

#endif
