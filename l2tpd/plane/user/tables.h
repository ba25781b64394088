/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tables.h: the sessions of the user plane and the ways to find one: by the
 * engine's id, by the L2TP ids of a received packet, by the inner IPv4 address
 * or the networks behind it, by the inner IPv6 prefix. The table owns the
 * sessions.
 */
#ifndef ADIT_PLANE_USER_TABLES_H
#define ADIT_PLANE_USER_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/network.h"
#include "base/ratelimit.h"
#include "l2tpd/plane/plane.h"

struct session_key { /* of a received packet; no padding */
	uint16_t tunnel_id, session_id;
};

struct user_session {
	struct plane_session params;
	struct plane_counters counters;
	struct session_key key;
	bool ipv4_open, ipv6_open;
	bool has_networks; /* in the table */
	struct ratelimit services;
	uint8_t ipv4[4];
	uint8_t prefix[8], ifid[8];
	uint16_t mru_ipv4, mru_ipv6; /* of the peer, bytes; 0: not told */
};

/* One way to find a session: open addressing, a power of two of slots that are
 * at most three quarters full. Keys are in the slots, so a look-up touches one
 * line of cache and the session itself. All zero: empty. */
struct session_slot {
	uint64_t key;
	struct user_session *session; /* NULL: free */
};
struct session_index {
	struct session_slot *slots;
	size_t count, used; /* slots; of them in use */
};

/* A network behind a session's peer. No two overlap, so an address is in the
 * last one that begins at or before it, or in none. */
struct session_network {
	uint32_t first; /* address, host order */
	uint8_t bits;
	struct user_session *session;
};
struct session_networks { /* ordered by .first; all zero: empty */
	struct session_network *rows;
	size_t count, room;
};

struct session_table {
	struct session_index by_id, by_key, by_ipv4, by_prefix;
	struct session_networks networks;
	struct user_session *uplink; /* the open one; NULL: a server */
};

/* 0; -EEXIST id or L2TP ids are in use; -ENOMEM. */
int session_table_add(struct session_table *t, const struct plane_session *s);
void session_table_del(struct session_table *t, struct user_session *s);
/* The same in parts: a session of no table (free() is its end), into a table
 * and out of it. It is shut in between. adopt: 0; -EEXIST; -ENOMEM. */
void user_session_init(struct user_session *ret, const struct plane_session *s);
struct user_session *user_session_new(const struct plane_session *s);
int session_table_adopt(struct session_table *t, struct user_session *s);
void session_table_release(struct session_table *t, struct user_session *s);
void session_table_clear(struct session_table *t);

/* -EEXIST: another session has the address or prefix, or is the uplink;
 * -ENOMEM. Replaces an
 * earlier address of the same session. */
int session_table_open_ipv4(struct session_table *t, struct user_session *s,
    const uint8_t address[4], uint16_t peer_mru);
int session_table_open_ipv6(struct session_table *t, struct user_session *s,
    const uint8_t prefix[8], const uint8_t ifid[8], uint16_t peer_mru);
/* Replaces s's networks; opening and shutting its IPv4 takes them away. Only
 * the widest of nested ones is kept. -EINVAL: not open, the uplink, or not a
 * sane network; -EEXIST: another session has a part of one; -ENOMEM. It has
 * none then. */
int session_table_set_networks(struct session_table *t, struct user_session *s,
    const struct ipv4_networks *nets);
void session_table_get_networks(const struct session_table *t,
    const struct user_session *s, struct ipv4_networks *ret);
void session_table_shut(struct session_table *t, struct user_session *s);

/* Any thread. */
void session_read_counters(
    const struct user_session *s, struct plane_counters *ret);

/* All: NULL when there is none. */
struct user_session *session_by_id(const struct session_table *t, uint32_t id);
struct user_session *session_by_key(
    const struct session_table *t, uint16_t tunnel_id, uint16_t session_id);
struct user_session *session_by_ipv4(
    const struct session_table *t, const uint8_t address[4]);
/* By a network behind it; costs nothing when there is none in the table. */
struct user_session *session_by_network(
    const struct session_table *t, const uint8_t address[4]);
/* Where an IPv4 packet to address goes: the uplink, else the session with this
 * address, else the one with its network. */
struct user_session *session_towards_ipv4(
    const struct session_table *t, const uint8_t address[4]);
struct user_session *session_by_prefix(
    const struct session_table *t, const uint8_t prefix[8]);

#endif
