/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tables.c: the sessions of the user plane (contract in tables.h). Owns them.
 * Trusts its caller, the engine; keys of lookups come from packets.
 */
#include "l2tpd/plane/user/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t no_prefix[8];

int
session_table_add(struct session_table *t, const struct plane_session *p)
{
	struct user_session *s;

	if (session_by_id(t, p->id) != NULL ||
	    session_by_key(t, p->local_tunnel_id, p->local_session_id) != NULL)
		return -EEXIST;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->params = *p;
	s->key.tunnel_id = p->local_tunnel_id;
	s->key.session_id = p->local_session_id;
	HASH_ADD(by_id, t->by_id, params.id, sizeof(s->params.id), s);
	if (s->by_id.tbl == NULL)
		goto fail;
	HASH_ADD(by_key, t->by_key, key, sizeof(s->key), s);
	if (s->by_key.tbl == NULL) {
		HASH_DELETE(by_id, t->by_id, s);
		goto fail;
	}
	return 0;
fail:
	free(s);
	return -ENOMEM;
}

static void
shut_ipv4(struct session_table *t, struct user_session *s)
{
	if (s->ipv4_open)
		HASH_DELETE(by_ipv4, t->by_ipv4, s);
	s->ipv4_open = false;
	if (t->uplink == s)
		t->uplink = NULL;
}

static bool
has_prefix(const struct user_session *s)
{
	return memcmp(s->prefix, no_prefix, sizeof(no_prefix)) != 0;
}

static void
shut_ipv6(struct session_table *t, struct user_session *s)
{
	if (s->ipv6_open && has_prefix(s))
		HASH_DELETE(by_prefix, t->by_prefix, s);
	s->ipv6_open = false;
}

void
session_table_shut(struct session_table *t, struct user_session *s)
{
	shut_ipv4(t, s);
	shut_ipv6(t, s);
}

void
session_table_del(struct session_table *t, struct user_session *s)
{
	session_table_shut(t, s);
	HASH_DELETE(by_key, t->by_key, s);
	HASH_DELETE(by_id, t->by_id, s);
	free(s);
}

void
session_table_clear(struct session_table *t)
{
	while (t->by_id != NULL)
		session_table_del(t, t->by_id);
}

int
session_table_open_ipv4(struct session_table *t, struct user_session *s,
    const uint8_t address[4], uint16_t peer_mru)
{
	struct user_session *other = session_by_ipv4(t, address);

	if (other != NULL && other != s)
		return -EEXIST;
	if (s->params.uplink && t->uplink != NULL && t->uplink != s)
		return -EEXIST;
	shut_ipv4(t, s);
	memcpy(s->ipv4, address, sizeof(s->ipv4));
	HASH_ADD(by_ipv4, t->by_ipv4, ipv4, sizeof(s->ipv4), s);
	if (s->by_ipv4.tbl == NULL)
		return -ENOMEM;
	s->mru_ipv4 = peer_mru;
	s->ipv4_open = true;
	if (s->params.uplink)
		t->uplink = s;
	return 0;
}

int
session_table_open_ipv6(struct session_table *t, struct user_session *s,
    const uint8_t prefix[8], const uint8_t ifid[8], uint16_t peer_mru)
{
	struct user_session *other = session_by_prefix(t, prefix);

	if (other != NULL && other != s)
		return -EEXIST;
	shut_ipv6(t, s);
	memcpy(s->prefix, prefix, sizeof(s->prefix));
	memcpy(s->ifid, ifid, sizeof(s->ifid));
	if (has_prefix(s)) { /* else link-local only */
		HASH_ADD(by_prefix, t->by_prefix, prefix, sizeof(s->prefix), s);
		if (s->by_prefix.tbl == NULL)
			return -ENOMEM;
	}
	s->mru_ipv6 = peer_mru;
	s->ipv6_open = true;
	return 0;
}

struct user_session *
session_by_id(const struct session_table *t, uint32_t id)
{
	struct user_session *s;

	HASH_FIND(by_id, t->by_id, &id, sizeof(id), s);
	return s;
}

struct user_session *
session_by_key(
    const struct session_table *t, uint16_t tunnel_id, uint16_t session_id)
{
	const struct session_key key = {tunnel_id, session_id};
	struct user_session *s;

	HASH_FIND(by_key, t->by_key, &key, sizeof(key), s);
	return s;
}

struct user_session *
session_by_ipv4(const struct session_table *t, const uint8_t address[4])
{
	struct user_session *s;

	HASH_FIND(by_ipv4, t->by_ipv4, address, 4, s);
	return s;
}

struct user_session *
session_by_prefix(const struct session_table *t, const uint8_t prefix[8])
{
	struct user_session *s;

	HASH_FIND(by_prefix, t->by_prefix, prefix, 8, s);
	return s;
}
