/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * authority.c: serves the engine: an ask is judged against the database, which
 * is read anew every time, so what adit changed counts at the next login; an
 * accepted one gets a lease and a row of history; STOP, or the end of the
 * engine, gives the lease back.
 *
 * Trusts nothing that the engine says: messages are length-checked, refs that
 * are not known are ignored, the number of sessions is bounded. It cannot make
 * the engine carry only who was accepted: that is the engine's to promise.
 */
#include "l2tpd/authority/authority.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "base/auth_msg.h"
#include "base/imsg.h"
#include "base/log.h"
#include "base/secret.h"
#include "l2tpd/authority/db.h"
#include "l2tpd/authority/history.h"
#include "l2tpd/authority/journal.h"
#include "l2tpd/authority/keys.h"
#include "l2tpd/authority/pool.h"
#include "l2tpd/authority/users.h"
#include "l2tpd/authority/verdict.h"
#include "l2tpd/conf/sites.h"

#define SESSIONS_MAX 65536
#define T_EXPIRE_MS  3600000 /* look for history to delete */

struct holder {          /* a user with sessions */
	int64_t user_id; /* key */
	unsigned int sessions;
	UT_hash_handle hh;
};

struct session {      /* a ref that was accepted */
	uint64_t ref; /* key */
	struct holder *holder;
	struct journal_row *row; /* NULL: no memory for it */
	uint8_t ipv4[4];
	uint64_t bytes_in, bytes_out;
	UT_hash_handle hh;
};

struct authority {
	struct loop *loop;
	struct adit_conf conf;
	struct db *db;
	struct pool *pool;
	struct keys *keys;
	struct imsg_channel *engine;
	struct journal *journal;
	struct session *sessions;
	struct holder *holders;
	struct loop_timer *expire;
	void (*engine_gone)(void *ctx, const char *why);
	int64_t (*wall_clock)(void *ctx);
	void *ctx;
};

static int64_t
now_s(const struct authority *a)
{
	return a->wall_clock ? a->wall_clock(a->ctx) : (int64_t)time(NULL);
}

static void
db_complain(struct authority *a, const char *what)
{
	log_msg(
	    MSG_DATABASE_ERROR, "what=%s why=\"%s\"", what, db_error(a->db));
}

/* ---- sessions ---- */

static struct session *
session_find(struct authority *a, uint64_t ref)
{
	struct session *s;

	HASH_FIND(hh, a->sessions, &ref, sizeof(ref), s);
	return s;
}

static struct holder *
holder_find(struct authority *a, int64_t user_id)
{
	struct holder *h;

	HASH_FIND(hh, a->holders, &user_id, sizeof(user_id), h);
	return h;
}

/* One more session of this user; NULL: no memory. */
static struct holder *
holder_take(struct authority *a, int64_t user_id)
{
	struct holder *h = holder_find(a, user_id);

	if (!h) {
		h = calloc(1, sizeof(*h));
		if (!h)
			return NULL;
		h->user_id = user_id;
		HASH_ADD(hh, a->holders, user_id, sizeof(h->user_id), h);
	}
	h->sessions++;
	return h;
}

static void
holder_drop(struct authority *a, struct holder *h)
{
	if (--h->sessions > 0)
		return;
	HASH_DEL(a->holders, h);
	free(h);
}

static void
session_end(struct authority *a, struct session *s, const char *reason)
{
	struct history h = {.bytes_in = s->bytes_in,
	    .bytes_out = s->bytes_out,
	    .ended = now_s(a)};

	snprintf(h.reason, sizeof(h.reason), "%s", reason);
	journal_end(a->journal, s->row, &h);
	pool_release(a->pool, s->holder->user_id, s->ipv4, h.ended);
	holder_drop(a, s->holder);
	HASH_DEL(a->sessions, s);
	free(s);
}

static void
sessions_end(struct authority *a, const char *reason)
{
	struct session *s, *next;

	HASH_ITER (hh, a->sessions, s, next)
		session_end(a, s, reason);
	journal_write(a->journal);
}

static void
on_expire(void *ctx)
{
	struct authority *a = ctx;

	(void)history_expire(a->db, now_s(a));
	loop_timer_set(a->expire, T_EXPIRE_MS);
}

/* The channel is over, or is ended because of what came through it. */
static void
engine_end(struct authority *a, const char *why)
{
	imsg_free(a->engine);
	a->engine = NULL;
	sessions_end(a, "engine-gone");
	if (a->engine_gone)
		a->engine_gone(a->ctx, why);
}

/* ---- an ask ---- */

static enum auth_reason
pool_reason(int err)
{
	switch (err) {
	case 0:
		return AUTH_ACCEPTED;
	case -ENOSPC:
		return AUTH_POOL_EMPTY;
	case -EADDRINUSE:
	case -EADDRNOTAVAIL:
		return AUTH_ADDRESS_IN_USE;
	default:
		return AUTH_INTERNAL;
	}
}

/* The lease and the row of history of a user who may in. */
static enum auth_reason
session_begin(struct authority *a, const struct auth_ask *ask,
    const struct user *u, struct session **ret)
{
	struct session *s;
	struct history h = {.ref = ask->ref, .started = now_s(a)};
	int err;

	if (HASH_COUNT(a->sessions) >= SESSIONS_MAX)
		return AUTH_INTERNAL;
	s = calloc(1, sizeof(*s));
	if (s)
		s->holder = holder_take(a, u->id);
	if (!s || !s->holder) {
		free(s);
		return AUTH_INTERNAL;
	}
	err = pool_take(a->pool, u, h.started, s->ipv4);
	if (err) {
		holder_drop(a, s->holder);
		free(s);
		return pool_reason(err);
	}
	s->ref = ask->ref;
	memcpy(h.ipv4, s->ipv4, 4);
	memcpy(h.user, u->name, sizeof(h.user));
	endpoint_format(&ask->device, h.device, sizeof(h.device));
	s->row = journal_begin(a->journal, &h);
	HASH_ADD(hh, a->sessions, ref, sizeof(s->ref), s);
	*ret = s;
	return AUTH_ACCEPTED;
}

static unsigned int
limit_of(const struct authority *a, const struct user *u)
{
	return u->max_sessions >= 0 ? (unsigned int)u->max_sessions
				    : a->conf.sessions_per_user;
}

/* The user may in: is there room? */
static enum auth_reason
admit(struct authority *a, const struct auth_ask *ask, const struct user *u,
    struct session **ret)
{
	struct session *s = session_find(a, ask->ref);
	unsigned int limit = limit_of(a, u);
	struct holder *h;

	/* RFC 1661 5.1: a client may renegotiate LCP, then it authenticates
	 * again: the same user keeps the lease, another one begins afresh. */
	if (s && s->holder->user_id == u->id) {
		*ret = s;
		return AUTH_ACCEPTED;
	}
	h = holder_find(a, u->id);
	if (limit && h && h->sessions >= limit)
		return AUTH_TOO_MANY_SESSIONS;
	if (s)
		session_end(a, s, "other-user");
	return session_begin(a, ask, u, ret);
}

/* adit asked the same when they were written; adit.conf may have changed. */
static void
fill_routes(
    const struct authority *a, const struct user *u, struct auth_verdict *v)
{
	char net[IPV4_NETWORK_TEXT];
	const char *why;

	for (size_t i = 0; i < u->routes.count; i++) {
		why = sites_problem(&a->conf, &u->routes.at[i]);
		if (why)
			log_msg(MSG_ROUTE_REFUSED, "user=%s net=%s why=\"%s\"",
			    v->user,
			    ipv4_network_format(
				&u->routes.at[i], net, sizeof(net)),
			    why);
		else
			v->routes.at[v->routes.count++] = u->routes.at[i];
	}
}

static void
fill_lease(const struct authority *a, const struct session *s,
    const struct user *u, struct auth_verdict *v)
{
	int64_t left = u->valid_until - now_s(a);

	/* an account that ends ends its session, too */
	if (u->valid_until && left < UINT32_MAX)
		v->session_limit_s = left > 0 ? (uint32_t)left : 1;
	memcpy(v->ipv4_local, a->conf.gateway, 4);
	memcpy(v->ipv4_peer, s->ipv4, 4);
	v->group = (uint8_t)conf_group_of(&a->conf, u->groups);
	memcpy(v->ipv4_dns, a->conf.groups[v->group].ipv4_dns,
	    sizeof(v->ipv4_dns));
	memcpy(v->ipv4_nbns, a->conf.ipv4_nbns, sizeof(v->ipv4_nbns));
	(void)conf_prefix_of(&a->conf, s->ipv4, v->ipv6_prefix);
	/* RFC 5072 4.1: any non-zero one; the address makes it unique here */
	memcpy(v->ifid_peer + 4, s->ipv4, 4);
}

static void
log_verdict(const struct auth_ask *ask, const struct auth_verdict *v)
{
	char device[ENDPOINT_TEXT], ip[16];
	char name[AUTH_MSG_NAME_MAX * 4];

	endpoint_format(&ask->device, device, sizeof(device));
	if (v->reason == AUTH_ACCEPTED) {
		snprintf(ip, sizeof(ip), "%u.%u.%u.%u", v->ipv4_peer[0],
		    v->ipv4_peer[1], v->ipv4_peer[2], v->ipv4_peer[3]);
		log_msg(MSG_AUTH_ACCEPTED,
		    "session=%" PRIu64 " assoc=%u user=%s peer=%s inner=%s",
		    ask->ref, ask->association, v->user, device, ip);
		return;
	}
	log_clean(ask->name, ask->name_bytes, name, sizeof(name));
	log_msg(MSG_AUTH_REFUSED,
	    "session=%" PRIu64 " assoc=%u user=%s peer=%s reason=%s", ask->ref,
	    ask->association, name, device, auth_reason_name(v->reason));
}

static void
judge(struct authority *a, const struct auth_ask *ask, struct auth_verdict *v)
{
	char authenticator[MSCHAPV2_AUTHENTICATOR_BYTES];
	struct session *s = NULL;
	struct user u;
	const uint8_t *name;
	size_t n;
	int err;

	v->ref = ask->ref;
	name = verdict_user_name(ask, &n);
	err = users_find(a->db, name, n, &u);
	if (err && err != -ENOENT) {
		db_complain(a, "users");
		v->reason = AUTH_INTERNAL;
		authenticator[0] = '\0';
	} else {
		v->reason = (uint8_t)verdict_check(ask, err ? NULL : &u,
		    now_s(a), a->conf.allow_pap, authenticator);
	}
	if (v->reason == AUTH_ACCEPTED)
		v->reason = (uint8_t)admit(a, ask, &u, &s);
	if (v->reason == AUTH_ACCEPTED) {
		fill_lease(a, s, &u, v);
		log_clean(u.name, strlen(u.name), v->user, sizeof(v->user));
		fill_routes(a, &u, v);
	}
	verdict_message(ask, authenticator, v);
	wipe(&u, sizeof(u));
	wipe(authenticator, sizeof(authenticator));
}

static void
on_ask(struct authority *a, struct imsg *m)
{
	uint8_t buf[2048];
	struct wr w = wr_init(buf, sizeof(buf));
	struct auth_verdict v = {.ref = 0};
	struct auth_ask ask;
	struct rd payload;

	if (!auth_msg_get_ask(&m->payload, &ask)) {
		engine_end(a, m->payload.err);
		return;
	}
	judge(a, &ask, &v);
	log_verdict(&ask, &v);
	if (auth_msg_put_verdict(&w, &v)) {
		payload = wr_rd(&w);
		(void)imsg_send(a->engine, AUTH_MSG_VERDICT, m->id, payload.p,
		    payload.left, -1); /* its end comes by the callback */
	}
	wipe(&ask, sizeof(ask));
	wipe(buf, sizeof(buf));
}

static void
on_use(struct authority *a, struct imsg *m)
{
	char reason[sizeof(((struct auth_use *)0)->reason) * 4];
	struct auth_use u;
	struct session *s;

	if (!auth_msg_get_use(&m->payload, &u)) {
		engine_end(a, m->payload.err);
		return;
	}
	s = session_find(a, u.ref);
	if (!s)
		return;
	s->bytes_in = u.bytes_in;
	s->bytes_out = u.bytes_out;
	if (m->type == AUTH_MSG_STOP)
		session_end(a, s,
		    log_clean(u.reason, strnlen(u.reason, sizeof(u.reason)),
			reason, sizeof(reason)));
	else
		journal_use(a->journal, s->row, s->bytes_in, s->bytes_out);
}

/* ---- the engine's channel ---- */

static const struct imsg_rule rules[] = {
    {AUTH_MSG_ASK, "ask", 14, 2048, true},
    {AUTH_MSG_UP, "up", 8, 8, true},
    {AUTH_MSG_USE, "use", 40, 512, true},
    {AUTH_MSG_STOP, "stop", 40, 512, true},
    {0, NULL, 0, 0, false},
};

static void
on_message(void *ctx, struct imsg *m)
{
	struct authority *a = ctx;

	switch (m->type) {
	case AUTH_MSG_ASK:
		on_ask(a, m);
		break;
	case AUTH_MSG_USE:
	case AUTH_MSG_STOP:
		on_use(a, m);
		break;
	default: /* AUTH_MSG_UP: accounting will need it; history began */
		break;
	}
}

static void
on_closed(void *ctx, const char *why)
{
	engine_end(ctx, why);
}

static const struct imsg_ops engine_ops = {
    .rules = rules, .message = on_message, .closed = on_closed};

int
authority_engine_connected(struct authority *a, int fd)
{
	imsg_free(a->engine);
	sessions_end(a, "engine-gone");
	a->engine = imsg_new(a->loop, fd, &engine_ops, a);
	return a->engine ? 0 : -ENOMEM;
}

int
authority_vici_connected(struct authority *a, int fd)
{
	return keys_vici_connected(a->keys, fd);
}

void
authority_files_changed(
    struct authority *a, const struct authority_files *files)
{
	keys_files_changed(a->keys, files);
}

/* ---- begin and end ---- */

static int
open_database(struct authority *a, const char *path)
{
	char file[CONF_PATH_MAX];
	const char *why;

	if (!path) {
		snprintf(file, sizeof(file), "%s/adit.db", a->conf.state_dir);
		path = file;
	}
	if (db_open(path, false, &a->db, &why) != 0) {
		log_msg(MSG_DATABASE_ERROR, "what=open why=\"%s\"", why);
		return -EIO;
	}
	if (history_end_all(a->db, now_s(a), "authority-gone") != 0) {
		db_complain(a, "history");
		return -EIO;
	}
	(void)history_expire(a->db, now_s(a));
	return 0;
}

struct authority *
authority_new(struct loop *l, const struct authority_start *start)
{
	struct authority *a = calloc(1, sizeof(*a));
	int engine_fd = start->engine_fd;

	if (!a)
		return NULL;
	a->loop = l;
	a->conf = *start->conf;
	a->engine_gone = start->engine_gone;
	a->wall_clock = start->wall_clock;
	a->ctx = start->ctx;
	a->keys =
	    keys_new(l, &a->conf, &start->files, start->vici_gone, start->ctx);
	a->expire = loop_timer_new(l, on_expire, a);
	if (!a->keys || !a->expire || open_database(a, start->database) != 0)
		goto failed;
	a->journal = journal_new(l, a->db);
	if (!a->journal)
		goto failed;
	a->pool = pool_new(&a->conf, a->db, a->journal);
	if (!a->pool)
		goto failed;
	if (engine_fd >= 0) {
		a->engine = imsg_new(l, engine_fd, &engine_ops, a);
		engine_fd = -1;
		if (!a->engine)
			goto failed;
	}
	loop_timer_set(a->expire, T_EXPIRE_MS);
	return a;
failed:
	if (engine_fd >= 0)
		close(engine_fd);
	authority_free(a);
	return NULL;
}

void
authority_free(struct authority *a)
{
	if (!a)
		return;
	imsg_free(a->engine);
	if (a->pool)
		sessions_end(a, "authority-stopped");
	pool_free(a->pool);
	journal_free(a->journal);
	db_close(a->db);
	keys_free(a->keys);
	loop_timer_free(a->expire);
	free(a);
}
