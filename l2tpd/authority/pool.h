/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool.h: which inner address a session gets: the user's static one, else the
 * one that the user had last (remembered in the database), else a fresh one,
 * else the one that was remembered longest ago. Static addresses of others are
 * never given away. What is in use is known here and nowhere else.
 */
#ifndef ADIT_AUTHORITY_POOL_H
#define ADIT_AUTHORITY_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "l2tpd/authority/db.h"
#include "l2tpd/authority/journal.h"
#include "l2tpd/authority/users.h"
#include "l2tpd/conf/conf.h"

struct pool;

/* Owner: caller, pool_free(). NULL: no memory. conf, db, journal:
 * borrowed for its life. */
struct pool *pool_new(
    const struct adit_conf *conf, struct db *db, struct journal *journal);
void pool_free(struct pool *p); /* NULL is fine */

/* Take an address for one more session of u. 0; -ENOSPC: all are in use;
 * -EADDRINUSE: the static one is; -EADDRNOTAVAIL: the static one is not a
 * client's address of the pool's network; -EIO; -ENOMEM. */
int pool_take(
    struct pool *p, const struct user *u, int64_t now_s, uint8_t ret_ipv4[4]);
/* The session is over; the address stays remembered for user_id. */
void pool_release(
    struct pool *p, int64_t user_id, const uint8_t ipv4[4], int64_t now_s);
size_t pool_used(const struct pool *p);

#endif
