/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * users.h: users in the database. Used by the authority (look up) and by adit
 * (change). The password is never stored, only its NT hash, which is what
 * MS-CHAPv2 needs and which is as good as the password to who reads it.
 */
#ifndef ADIT_AUTHORITY_USERS_H
#define ADIT_AUTHORITY_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/network.h"
#include "l2tpd/authority/db.h"

#define USER_NAME_MAX   255 /* bytes of UTF-8 */
#define USER_GROUPS_MAX 255 /* bytes: names with commas */

struct user {
	int64_t id; /* 0 before users_add() */
	char name[USER_NAME_MAX + 1];
	uint8_t nt_hash[16]; /* wipe the struct when done */
	char groups[USER_GROUPS_MAX + 1];
	bool has_ipv4;
	uint8_t ipv4[4];      /* static address */
	int32_t max_sessions; /* -1: adit.conf's; 0: no limit */
	int64_t valid_until;  /* seconds since 1970; 0: for ever */
	bool disabled;
	struct ipv4_networks routes; /* behind the user's device */
};

/* All: 0; -ENOENT: no such user; -EBUSY: somebody holds the database, try
 * again; -EIO: db_error() says why. Names are equal when they are so with A-Z
 * as a-z. now_s: seconds since 1970, remembered as time of the change. */

/* name: n bytes, may be anything a peer sends. */
int users_find(struct db *db, const void *name, size_t n, struct user *ret);
/* -EEXIST: the name is there; -EADDRINUSE: another has the static address. */
int users_add(struct db *db, const struct user *u, int64_t now_s);
/* Everything but id and name. -EADDRINUSE. */
int users_set(struct db *db, const struct user *u, int64_t now_s);
int users_set_hash(
    struct db *db, const char *name, const uint8_t nt_hash[16], int64_t now_s);
int users_set_disabled(
    struct db *db, const char *name, bool disabled, int64_t now_s);
int users_delete(struct db *db, const char *name);
/* In order of names. each: false ends the walk. */
int users_each(
    struct db *db, bool (*each)(void *ctx, const struct user *u), void *ctx);

/* NULL when it can be a name, else what is wrong with it. Not possible: bad
 * UTF-8, control characters, '\\' (separates a Windows domain), ',', '"', a
 * blank at either end. */
const char *user_name_problem(const char *name);

#endif
