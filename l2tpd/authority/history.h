/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.h: one row a session, kept for a year: who, from which device
 * address, with which inner address, from when to when, how much, why it
 * ended. Written by the authority, shown by adit.
 */
#ifndef ADIT_AUTHORITY_HISTORY_H
#define ADIT_AUTHORITY_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "l2tpd/authority/db.h"

#define HISTORY_KEEP_S (INT64_C(400) * 24 * 3600) /* a year and a bit */

struct history {
	uint64_t ref;
	char user[256];
	char device[64]; /* address:port */
	uint8_t ipv4[4];
	int64_t started, ended; /* seconds since 1970; ended 0: still there */
	uint64_t bytes_in, bytes_out;
	char reason[256];
};

/* All: 0, -EBUSY or -EIO as in db.h. */

/* user, device, ipv4, started and ref of h. *ret_id: for the calls below. */
int history_start(struct db *db, const struct history *h, int64_t *ret_id);
int history_use(
    struct db *db, int64_t id, uint64_t bytes_in, uint64_t bytes_out);
/* bytes_in, bytes_out, ended and reason of h. */
int history_end(struct db *db, int64_t id, const struct history *h);
/* Close what is still open: nobody lives who could. */
int history_end_all(struct db *db, int64_t ended, const char *reason);
int history_expire(struct db *db, int64_t now_s);
/* The newest first; user "" for all. each: false ends. */
int history_each(struct db *db, const char *user, int limit,
    bool (*each)(void *ctx, const struct history *h), void *ctx);

#endif
