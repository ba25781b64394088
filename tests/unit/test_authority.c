/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_authority.c: the authority as the engine sees it: real messages over a
 * socket pair, a real database in a directory of its own, real MS-CHAPv2
 * responses, a fake wall clock. charon is a fake: three functions that note
 * what they are asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auth_msg.h"
#include "base/imsg.h"
#include "base/log.h"
#include "base/secret.h"
#include "l2tpd/authority/authority.h"
#include "l2tpd/authority/db.h"
#include "l2tpd/authority/history.h"
#include "l2tpd/authority/keys.h"
#include "l2tpd/authority/users.h"
#include "l2tpd/ike/conns.h"
#include "ppp-glue/engine/mschap.h"

/* ---- charon, faked ---- */

static struct {
	int loads;
	char crl[32];
	conns_done_fn *done;
	void *done_ctx;
	const struct vici_ops *ops;
	void *ops_ctx;
	int fd;
} charon;

struct vici *
vici_new(struct loop *l, int fd, const struct vici_ops *ops, void *ctx)
{
	(void)l;
	charon.fd = fd;
	charon.ops = ops;
	charon.ops_ctx = ctx;
	return (struct vici *)(void *)&charon;
}

void
vici_free(struct vici *v)
{
	if (v && charon.fd >= 0)
		close(charon.fd);
	if (v)
		charon.fd = -1;
}

int
conns_load(struct vici *v, const struct adit_conf *conf,
    const struct conns_secrets *secrets, conns_done_fn *done, void *ctx)
{
	(void)v;
	(void)conf;
	charon.loads++;
	snprintf(charon.crl, sizeof(charon.crl), "%.*s", (int)secrets->crl.len,
	    secrets->crl.len ? (const char *)secrets->crl.bytes : "");
	charon.done = done;
	charon.done_ctx = ctx;
	return 0;
}

/* ---- the world ---- */

struct world {
	char dir[32], path[64];
	struct adit_conf conf;
	struct loop *loop;
	struct authority *authority;
	struct imsg_channel *engine;
	struct db *cli; /* what adit would hold */
	int64_t now;
	bool have_verdict, gone;
	struct auth_verdict verdict;
	uint8_t challenge[16], response[49];
};

static int64_t
wall_clock(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void
on_message(void *ctx, struct imsg *m)
{
	struct world *w = ctx;

	assert_int_equal(m->type, AUTH_MSG_VERDICT);
	assert_true(auth_msg_get_verdict(&m->payload, &w->verdict));
	w->have_verdict = true;
}

static void
on_closed(void *ctx, const char *why)
{
	struct world *w = ctx;

	(void)why;
	imsg_free(w->engine);
	w->engine = NULL;
}

static void
engine_gone(void *ctx, const char *why)
{
	(void)why;
	((struct world *)ctx)->gone = true;
}

static const struct imsg_rule rules[] = {
    {AUTH_MSG_VERDICT, "verdict", 1, 2048, true}, {0, NULL, 0, 0, false}};
static const struct imsg_ops engine_ops = {
    .rules = rules, .message = on_message, .closed = on_closed};

static void
start_authority(struct world *w, const struct authority_files *files)
{
	int sv[2];
	struct authority_start start = {.conf = &w->conf,
	    .database = w->path,
	    .files = {-1, -1, -1, -1, -1},
	    .engine_gone = engine_gone,
	    .wall_clock = wall_clock,
	    .ctx = w};

	if (files)
		start.files = *files;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	start.engine_fd = sv[0];
	w->authority = authority_new(w->loop, &start);
	assert_non_null(w->authority);
	w->engine = imsg_new(w->loop, sv[1], &engine_ops, w);
	assert_non_null(w->engine);
}

static void
add_user(struct world *w, const char *name, const char *password)
{
	struct user u = {.max_sessions = -1};

	snprintf(u.name, sizeof(u.name), "%s", name);
	assert_int_equal(
	    mschap_nt_hash(password, strlen(password), u.nt_hash), 0);
	assert_int_equal(users_add(w->cli, &u, w->now), 0);
}

static void
change_user(struct world *w, const char *name, void (*change)(struct user *u))
{
	struct user u;

	assert_int_equal(users_find(w->cli, name, strlen(name), &u), 0);
	change(&u);
	assert_int_equal(users_set(w->cli, &u, w->now), 0);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *why;

	assert_non_null(w);
	strcpy(w->dir, "/tmp/adit-auth-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/adit.db", w->dir);
	conf_defaults(&w->conf);
	w->conf.groups[0].ipv4_dns[0][0] = 9;
	w->conf.pool_net6[0] = 0x20;
	w->conf.pool_bits6 = 48;
	w->now = 1800000000;
	w->loop = loop_new();
	assert_non_null(w->loop);
	assert_int_equal(db_open(w->path, true, &w->cli, &why), 0);
	add_user(w, "alice", "wonderland");
	add_user(w, "bob", "builder");
	start_authority(w, NULL);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char command[64];

	authority_free(w->authority);
	imsg_free(w->engine);
	db_close(w->cli);
	loop_free(w->loop);
	snprintf(command, sizeof(command), "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void
send_payload(struct world *w, enum auth_msg_type type, const struct wr *wr)
{
	struct rd rd = wr_rd(wr);

	assert_true(wr_ok(wr));
	assert_int_equal(imsg_send(w->engine, type, 0, rd.p, rd.left, -1), 0);
}

static const struct auth_verdict *
ask(struct world *w, struct auth_ask *a)
{
	uint8_t buf[2048];
	struct wr wr = wr_init(buf, sizeof(buf));

	assert_true(endpoint_parse("198.51.100.7", 4500, &a->device));
	assert_true(auth_msg_put_ask(&wr, a));
	w->have_verdict = false;
	send_payload(w, AUTH_MSG_ASK, &wr);
	for (int i = 0; i < 20 && !w->have_verdict; i++)
		loop_run_once(w->loop, true);
	assert_true(w->have_verdict);
	assert_true(w->verdict.ref == a->ref);
	return &w->verdict;
}

static const struct auth_verdict *
login(struct world *w, uint64_t ref, const char *name, const char *password)
{
	struct auth_ask a = {.ref = ref, .method = 1};
	uint8_t hash[16], peer[16];

	random_bytes(peer, sizeof(peer));
	random_bytes(a.challenge, 16);
	a.challenge_bytes = 16;
	a.name_bytes = (uint16_t)strlen(name);
	memcpy(a.name, name, a.name_bytes);
	assert_int_equal(mschap_nt_hash(password, strlen(password), hash), 0);
	assert_int_equal(mschapv2_respond(hash, name, strlen(name), a.challenge,
			     peer, a.response),
	    0);
	a.response_bytes = 49;
	memcpy(w->challenge, a.challenge, 16);
	memcpy(w->response, a.response, 49);
	return ask(w, &a);
}

/* Messages in order: a verdict after it means that it was handled. */
static void
settle(struct world *w)
{
	assert_int_equal(
	    login(w, 999999, "nobody", "x")->reason, AUTH_UNKNOWN_USER);
}

static void
stop(struct world *w, uint64_t ref, uint64_t in, uint64_t out,
    const char *reason)
{
	uint8_t buf[512];
	struct wr wr = wr_init(buf, sizeof(buf));
	struct auth_use u = {.ref = ref, .bytes_in = in, .bytes_out = out};

	snprintf(u.reason, sizeof(u.reason), "%s", reason);
	assert_true(auth_msg_put_use(&wr, &u));
	send_payload(w, AUTH_MSG_STOP, &wr);
	settle(w);
}

static struct history rows[8];
static int row_count;

static bool
keep_row(void *ctx, const struct history *h)
{
	(void)ctx;
	assert_true(row_count < 8);
	rows[row_count++] = *h;
	return true;
}

static void
read_history(struct world *w)
{
	row_count = 0;
	assert_int_equal(history_each(w->cli, "", 8, keep_row, NULL), 0);
}

/* Until the n rows are there, the newest one closed or open: the authority
 * writes in groups. */
static void
await_history(struct world *w, int n, bool closed)
{
	for (int i = 0; i < 100; i++) {
		read_history(w);
		if (row_count == n && (rows[0].ended != 0) == closed)
			return;
		loop_run_once(w->loop, true);
	}
	fail_msg("history is not written: %d rows", row_count);
}

static void
last_byte(const struct auth_verdict *v, int want)
{
	assert_int_equal(v->reason, AUTH_ACCEPTED);
	assert_int_equal(v->ipv4_peer[3], want);
}

static bool
says(const struct auth_verdict *v, const char *text)
{
	return memmem(v->message, v->message_bytes, text, strlen(text));
}

/* ---- tests ---- */

static void
test_accept(void **state)
{
	struct world *w = *state;
	const struct auth_verdict *v = login(w, 1, "alice", "wonderland");
	const uint8_t ip[4] = {10, 77, 0, 2}, gw[4] = {10, 77, 0, 1};
	uint8_t hash[16];

	assert_int_equal(v->reason, AUTH_ACCEPTED);
	assert_memory_equal(v->ipv4_peer, ip, 4);
	assert_memory_equal(v->ipv4_local, gw, 4);
	assert_int_equal(v->ipv4_dns[0][0], 9);
	assert_int_equal(v->group, 0);
	assert_int_equal(v->ipv6_prefix[0], 0x20);
	assert_int_equal(v->ipv6_prefix[7], 2); /* as the address */
	assert_memory_equal(v->ifid_peer + 4, ip, 4);
	assert_string_equal(v->user, "alice");
	assert_int_equal(v->session_limit_s, 0);
	mschap_nt_hash("wonderland", 10, hash);
	assert_true(mschapv2_check_authenticator(hash, "alice", 5, w->challenge,
	    w->response, v->message, v->message_bytes));
	assert_int_equal(v->message_bytes, 42 + strlen(" M=Welcome"));
	assert_memory_equal(v->message + 42, " M=Welcome", 10);
}

static void
test_domain_and_case(void **state)
{
	struct world *w = *state;

	add_user(w, "j\xc3\xbcrgen", "gr\xc3\xbc\xc3\x9f");
	last_byte(login(w, 1, "CORP\\Alice", "wonderland"), 2);
	assert_string_equal(w->verdict.user, "alice");
	last_byte(login(w, 2, "j\xc3\xbcrgen", "gr\xc3\xbc\xc3\x9f"), 3);
	assert_string_equal(w->verdict.user, "j\\xc3\\xbcrgen");
	assert_int_equal(
	    login(w, 3, "J\xc3\x9cRGEN", "x")->reason, AUTH_UNKNOWN_USER);
	assert_int_equal(
	    login(w, 4, "alice\\", "wonderland")->reason, AUTH_UNKNOWN_USER);
}

static void
refused_as(
    const struct auth_verdict *v, enum auth_reason reason, const char *error)
{
	char start[8];
	const char *m = (const char *)v->message;

	assert_int_equal(v->reason, reason);
	snprintf(start, sizeof(start), "E=%s ", error);
	assert_memory_equal(m, start, 6);
	assert_memory_equal(m + 6, "R=0 C=", 6);
	assert_int_equal(strspn(m + 12, "0123456789ABCDEF"), 32);
	assert_memory_equal(m + 44, " V=3 M=", 7);
	assert_int_equal(v->ipv4_peer[0], 0);
}

static void
make_disabled(struct user *u)
{
	u->disabled = true;
}

static void
make_expired(struct user *u)
{
	u->disabled = false;
	u->valid_until = 1800000000;
}

static void
test_refusals(void **state)
{
	struct world *w = *state;

	refused_as(
	    login(w, 1, "alice", "Wonderland"), AUTH_WRONG_PASSWORD, "691");
	refused_as(login(w, 1, "mallory", "x"), AUTH_UNKNOWN_USER, "691");
	refused_as(login(w, 1, "", "x"), AUTH_UNKNOWN_USER, "691");
	change_user(w, "bob", make_disabled);
	refused_as(login(w, 1, "bob", "builder"), AUTH_DISABLED, "647");
	/* who does not know the password learns nothing */
	refused_as(login(w, 1, "bob", "x"), AUTH_WRONG_PASSWORD, "691");
	change_user(w, "bob", make_expired);
	refused_as(login(w, 1, "bob", "builder"), AUTH_EXPIRED, "649");
	w->now -= 1;
	last_byte(login(w, 1, "bob", "builder"), 2);
	assert_int_equal(w->verdict.session_limit_s, 1);
	read_history(w);
	assert_int_equal(row_count, 1);
}

static void
test_other_methods(void **state)
{
	struct world *w = *state;
	struct auth_ask a = {.ref = 5,
	    .method = 3,
	    .name = "alice",
	    .name_bytes = 5,
	    .response = "wonderland",
	    .response_bytes = 10};
	const struct auth_verdict *v = ask(w, &a);

	assert_int_equal(v->reason, AUTH_METHOD_NOT_POSSIBLE);
	a.method = 2;
	a.response_bytes = 16;
	assert_int_equal(ask(w, &a)->reason, AUTH_METHOD_NOT_POSSIBLE);
	a.method = 1; /* wrong lengths */
	assert_int_equal(ask(w, &a)->reason, AUTH_WRONG_PASSWORD);
	a.method = 77;
	assert_int_equal(ask(w, &a)->reason, AUTH_METHOD_NOT_POSSIBLE);

	authority_free(w->authority);
	imsg_free(w->engine);
	w->conf.allow_pap = true;
	start_authority(w, NULL);
	a.method = 3;
	a.response_bytes = 10;
	last_byte(ask(w, &a), 2);
	assert_true(says(&w->verdict, "Welcome"));
	a.ref = 6;
	a.response_bytes = 9;
	assert_int_equal(ask(w, &a)->reason, AUTH_WRONG_PASSWORD);
	a.response[0] = 0xff; /* no UTF-8 */
	assert_int_equal(ask(w, &a)->reason, AUTH_WRONG_PASSWORD);
}

static void
one_session(struct user *u)
{
	u->max_sessions = 1;
}

static void
test_limits(void **state)
{
	struct world *w = *state;

	change_user(w, "alice", one_session);
	last_byte(login(w, 1, "alice", "wonderland"), 2);
	refused_as(
	    login(w, 2, "alice", "wonderland"), AUTH_TOO_MANY_SESSIONS, "649");
	/* authentication again in the same link keeps the lease */
	last_byte(login(w, 1, "alice", "wonderland"), 2);
	/* as another user it is another session */
	last_byte(login(w, 1, "bob", "builder"), 3);
	last_byte(login(w, 2, "alice", "wonderland"), 2);
	stop(w, 2, 0, 0, "x");
	last_byte(login(w, 3, "alice", "wonderland"), 2);
}

static void
static_9(struct user *u)
{
	u->has_ipv4 = true;
	memcpy(u->ipv4, "\x0a\x4d\x00\x09", 4);
}

static void
static_outside(struct user *u)
{
	u->has_ipv4 = true;
	memcpy(u->ipv4, "\x0a\x01\x00\x09", 4);
}

static void
static_5(struct user *u)
{
	u->has_ipv4 = true;
	memcpy(u->ipv4, "\x0a\x4d\x00\x05", 4);
}

static void
test_static(void **state)
{
	struct world *w = *state;

	change_user(w, "alice", static_9);
	last_byte(login(w, 1, "alice", "wonderland"), 9);
	refused_as(
	    login(w, 2, "alice", "wonderland"), AUTH_ADDRESS_IN_USE, "649");
	for (uint64_t i = 0; i < 7; i++) /* 2 to 8, then not 9 */
		last_byte(login(w, 10 + i, "bob", "builder"), 2 + (int)i);
	stop(w, 1, 0, 0, "x");
	last_byte(login(w, 20, "bob", "builder"), 10);
	change_user(w, "alice", static_outside);
	refused_as(
	    login(w, 2, "alice", "wonderland"), AUTH_ADDRESS_IN_USE, "649");
}

static void
test_static_of_remembered(void **state)
{
	struct world *w = *state;

	/* bob had .2 to .5; then .5 becomes alice's: bob does not get it */
	for (uint64_t i = 0; i < 4; i++)
		last_byte(login(w, 1 + i, "bob", "builder"), 2 + (int)i);
	for (uint64_t i = 0; i < 4; i++) {
		w->now += 10;
		stop(w, 1 + i, 0, 0, "x");
	}
	change_user(w, "alice", static_5);
	last_byte(login(w, 9, "bob", "builder"), 4);
	last_byte(login(w, 10, "alice", "wonderland"), 5);
}

static void
test_sticky(void **state)
{
	struct world *w = *state;

	last_byte(login(w, 1, "alice", "wonderland"), 2);
	last_byte(login(w, 2, "bob", "builder"), 3);
	stop(w, 1, 0, 0, "x");
	stop(w, 2, 0, 0, "x");
	last_byte(login(w, 3, "bob", "builder"), 3);
	/* the memory outlives the process */
	authority_free(w->authority);
	imsg_free(w->engine);
	start_authority(w, NULL);
	last_byte(login(w, 1, "bob", "builder"), 3);
	last_byte(login(w, 2, "alice", "wonderland"), 2);
	last_byte(login(w, 3, "alice", "wonderland"), 4);
}

static void
test_pool_empty(void **state)
{
	struct world *w = *state;

	authority_free(w->authority);
	imsg_free(w->engine);
	memcpy(w->conf.pool_last, "\x0a\x4d\x00\x03", 4); /* .2 and .3 */
	start_authority(w, NULL);
	last_byte(login(w, 1, "alice", "wonderland"), 2);
	w->now++;
	last_byte(login(w, 2, "alice", "wonderland"), 3);
	refused_as(login(w, 3, "bob", "builder"), AUTH_POOL_EMPTY, "649");
	stop(w, 2, 0, 0, "x");
	/* bob takes what alice had, as nothing else is left */
	last_byte(login(w, 3, "bob", "builder"), 3);
	assert_int_equal(users_delete(w->cli, "bob"), 0);
	stop(w, 3, 0, 0, "x");
	last_byte(login(w, 4, "alice", "wonderland"), 3);
}

static void
test_changes_count_at_once(void **state)
{
	struct world *w = *state;
	uint8_t hash[16];

	last_byte(login(w, 1, "alice", "wonderland"), 2);
	mschap_nt_hash("new", 3, hash);
	assert_int_equal(users_set_hash(w->cli, "ALICE", hash, w->now), 0);
	assert_int_equal(
	    login(w, 2, "alice", "wonderland")->reason, AUTH_WRONG_PASSWORD);
	last_byte(login(w, 2, "alice", "new"), 3);
	assert_int_equal(users_set_disabled(w->cli, "alice", true, 0), 0);
	assert_int_equal(login(w, 3, "alice", "new")->reason, AUTH_DISABLED);
	assert_int_equal(users_delete(w->cli, "Alice"), 0);
	assert_int_equal(
	    login(w, 3, "alice", "new")->reason, AUTH_UNKNOWN_USER);
	add_user(w, "carol", "c");
	last_byte(login(w, 4, "carol", "c"), 4);
}

static void
test_history(void **state)
{
	struct world *w = *state;

	last_byte(login(w, 7, "alice", "wonderland"), 2);
	await_history(w, 1, false);
	w->now += 100;
	stop(w, 7, 1000, 2000, "peer terminated\n\"");
	await_history(w, 1, true);
	assert_true(rows[0].ref == 7);
	assert_string_equal(rows[0].user, "alice");
	assert_string_equal(rows[0].device, "198.51.100.7:4500");
	assert_int_equal(rows[0].ipv4[3], 2);
	assert_int_equal(rows[0].ended - rows[0].started, 100);
	assert_int_equal(rows[0].bytes_in, 1000);
	assert_int_equal(rows[0].bytes_out, 2000);
	assert_string_equal(rows[0].reason, "peer\\x20terminated\\x0a\\x22");
	stop(w, 7, 1, 1, "again"); /* not known any more */
	/* 400 days later */
	authority_free(w->authority);
	imsg_free(w->engine);
	w->now += HISTORY_KEEP_S + 1;
	start_authority(w, NULL);
	read_history(w);
	assert_int_equal(row_count, 0);
}

/* One write at once; those that follow it come together, in one transaction
 * that adit waits for no longer than for any other. */
static void
test_history_in_groups(void **state)
{
	struct world *w = *state;
	uint8_t buf[64];
	struct wr wr = wr_init(buf, sizeof(buf));
	struct auth_use u = {.ref = 3, .bytes_in = 5, .bytes_out = 6};

	last_byte(login(w, 1, "alice", "wonderland"), 2);
	await_history(w, 1, false);
	last_byte(login(w, 2, "bob", "builder"), 3);
	last_byte(login(w, 3, "alice", "wonderland"), 4);
	settle(w);
	read_history(w);
	assert_int_equal(row_count, 1); /* the others are being gathered */
	add_user(w, "carol", "c");      /* and the file is free meanwhile */
	assert_true(auth_msg_put_use(&wr, &u));
	send_payload(w, AUTH_MSG_USE, &wr);
	stop(w, 2, 1, 2, "x");
	await_history(w, 3, false);
	assert_int_equal(rows[0].bytes_in, 5);
	assert_int_equal(rows[0].bytes_out, 6);
	assert_string_equal(rows[1].reason, "x");
	/* what waits is written at the end */
	stop(w, 3, 7, 8, "y");
	authority_free(w->authority);
	w->authority = NULL;
	read_history(w);
	assert_int_equal(row_count, 3);
	assert_string_equal(rows[0].reason, "y");
	assert_int_equal(rows[0].bytes_in, 7);
}

static void
test_engine_gone(void **state)
{
	struct world *w = *state;

	last_byte(login(w, 1, "alice", "wonderland"), 2);
	last_byte(login(w, 2, "alice", "wonderland"), 3);
	imsg_free(w->engine);
	w->engine = NULL;
	for (int i = 0; i < 20 && !w->gone; i++)
		loop_run_once(w->loop, true);
	assert_true(w->gone);
	read_history(w);
	assert_int_equal(row_count, 2);
	assert_string_equal(rows[0].reason, "engine-gone");
	assert_string_equal(rows[1].reason, "engine-gone");
	authority_free(w->authority);
	start_authority(w, NULL);
	last_byte(login(w, 1, "bob", "builder"), 4);
	/* nothing leaked: the addresses are free again */
	last_byte(login(w, 2, "alice", "wonderland"), 3);
}

static void
test_authority_died(void **state)
{
	struct world *w = *state;
	struct history h = {.ref = 9, .started = 5};
	int64_t id;

	assert_int_equal(history_start(w->cli, &h, &id), 0); /* open row */
	authority_free(w->authority);
	imsg_free(w->engine);
	h.started = w->now - 10;
	assert_int_equal(history_start(w->cli, &h, &id), 0);
	start_authority(w, NULL);
	read_history(w);
	assert_int_equal(row_count, 1); /* the other is too old to keep */
	assert_string_equal(rows[0].reason, "authority-gone");
	assert_int_equal(rows[0].ended, w->now);
}

static void
ends_channel(void **state, enum auth_msg_type type, size_t bytes)
{
	struct world *w = *state;
	uint8_t buf[64] = {0};
	struct wr wr = wr_init(buf, sizeof(buf));

	authority_free(w->authority);
	imsg_free(w->engine);
	start_authority(w, NULL);
	last_byte(login(w, 1, "alice", "wonderland"), 2);
	wr_zero(&wr, bytes);
	w->gone = false;
	send_payload(w, type, &wr);
	for (int i = 0; i < 20 && (!w->gone || w->engine); i++)
		loop_run_once(w->loop, true);
	assert_true(w->gone);
	assert_null(w->engine);
	read_history(w);
	assert_string_equal(rows[0].reason, "engine-gone");
}

static void
test_hostile_engine(void **state)
{
	ends_channel(state, AUTH_MSG_ASK, 44);  /* does not decode */
	ends_channel(state, AUTH_MSG_STOP, 44); /* does not decode */
	ends_channel(state, AUTH_MSG_STOP, 3);  /* breaks the rule */
	ends_channel(state, AUTH_MSG_VERDICT, 44);
	ends_channel(state, 77, 0);
}

static void
test_unknown_ref(void **state)
{
	struct world *w = *state;

	stop(w, 4711, 1, 1, "never-heard-of");
	read_history(w);
	assert_int_equal(row_count, 0);
}

static void
charon_gone(void *ctx)
{
	*(bool *)ctx = true;
}

static void
test_charon(void **state)
{
	struct world *w = *state;
	char path[64];
	struct authority_files files = {-1, -1, -1, -1, -1};
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	bool gone = false;
	struct keys *k;
	int fd;

	memset(&charon, 0, sizeof(charon));
	snprintf(path, sizeof(path), "%s/crl", w->dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, "one", 3), 3);
	files.crl_fd = open(path, O_RDONLY);
	k = keys_new(w->loop, &w->conf, &files, charon_gone, &gone);
	assert_non_null(k);
	keys_look(k);
	assert_int_equal(charon.loads, 0);
	assert_int_equal(keys_vici_connected(k, dup(fd)), 0);
	assert_int_equal(charon.loads, 1);
	assert_string_equal(charon.crl, "one");
	assert_int_equal(pwrite(fd, "TWO", 3, 0), 3); /* in place */
	assert_int_equal(futimens(fd, times), 0);
	keys_look(k); /* charon's answer is still due */
	assert_int_equal(charon.loads, 1);
	charon.done(charon.done_ctx, 0, "");
	keys_look(k);
	assert_int_equal(charon.loads, 2);
	assert_string_equal(charon.crl, "TWO");
	charon.done(charon.done_ctx, -EINVAL, "refused");
	keys_look(k);
	assert_int_equal(charon.loads, 2);
	charon.ops->closed(charon.ops_ctx, NULL);
	assert_true(gone);
	assert_int_equal(charon.fd, -1);
	keys_free(k);
	/* and the authority's own way there */
	assert_int_equal(authority_vici_connected(w->authority, fd), 0);
	assert_int_equal(charon.loads, 3);
	charon.ops->closed(charon.ops_ctx, NULL);
}

static void
test_database_file(void **state)
{
	struct world *w = *state;
	struct db *db = NULL;
	struct stat st;
	const char *why;
	char path[96];
	int fd;

	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(
	    db_open("/nonexistent/x/adit.db", true, &db, &why), -ENOENT);
	assert_non_null(strstr(why, "adit setup"));
	snprintf(path, sizeof(path), "%s/bad.db", w->dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(write(fd, "this is no database, is it?", 27) == 27);
	close(fd);
	assert_int_equal(db_open(path, true, &db, &why), -EIO);
	assert_non_null(strstr(why, "bad.db"));
	/* of a newer version */
	snprintf(path, sizeof(path), "%s/new.db", w->dir);
	assert_int_equal(db_open(path, true, &db, &why), 0);
	sqlite3_exec(db->sqlite, "PRAGMA user_version=9", NULL, NULL, NULL);
	db_close(db);
	assert_int_equal(db_open(path, true, &db, &why), -EPROTONOSUPPORT);
	assert_non_null(strstr(why, "newer"));
}

static bool
count_user(void *ctx, const struct user *u)
{
	(void)u;
	++*(int *)ctx;
	return true;
}

static void
test_users(void **state)
{
	struct world *w = *state;
	struct user u = {.name = "Alice", .max_sessions = -1};
	int n = 0;

	assert_int_equal(users_add(w->cli, &u, 1), -EEXIST);
	change_user(w, "alice", static_9);
	static_9(&u);
	strcpy(u.name, "carol");
	assert_int_equal(users_add(w->cli, &u, 1), -EADDRINUSE);
	strcpy(u.name, "bob");
	assert_int_equal(users_set(w->cli, &u, 1), -EADDRINUSE);
	strcpy(u.name, "nobody");
	u.has_ipv4 = false;
	assert_int_equal(users_set(w->cli, &u, 1), -ENOENT);
	assert_int_equal(users_delete(w->cli, "nobody"), -ENOENT);
	assert_int_equal(users_set_disabled(w->cli, "nobody", 1, 1), -ENOENT);
	assert_int_equal(
	    users_set_hash(w->cli, "nobody", u.nt_hash, 1), -ENOENT);
	assert_int_equal(users_each(w->cli, count_user, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(users_find(w->cli, "alice\0x", 7, &u), -ENOENT);
	assert_int_equal(users_find(w->cli, "' OR 1=1 --", 11, &u), -ENOENT);
}

static void
set_routes(struct user *u)
{
	u->routes = (struct ipv4_networks){
	    .at = {{{10, 1, 0, 0}, 16}, {{10, 77, 0, 0}, 24},
		{{192, 168, 3, 0}, 24}},
	    .count = 3};
}

/* Those that can be, without the one that became a part of the pool. */
static void
test_routes(void **state)
{
	struct world *w = *state;
	const struct auth_verdict *v;

	change_user(w, "alice", set_routes);
	v = login(w, 1, "alice", "wonderland");
	assert_int_equal(v->reason, AUTH_ACCEPTED);
	assert_int_equal(v->routes.count, 2);
	assert_memory_equal(v->routes.at[0].net, "\x0a\x01\0\0", 4);
	assert_int_equal(v->routes.at[0].bits, 16);
	assert_memory_equal(v->routes.at[1].net, "\xc0\xa8\x03\0", 4);
	assert_int_equal(login(w, 2, "bob", "builder")->routes.count, 0);
	/* who does not get in is not told */
	assert_int_equal(login(w, 3, "alice", "wrong")->routes.count, 0);
}

static void
test_names(void **state)
{
	(void)state;
	assert_null(user_name_problem("alice"));
	assert_null(user_name_problem("alice@example.org"));
	assert_null(user_name_problem("j\xc3\xbcrgen von \xf0\x9f\x98\x80"));
	assert_non_null(user_name_problem(""));
	assert_non_null(user_name_problem(" a"));
	assert_non_null(user_name_problem("a "));
	assert_non_null(user_name_problem("a\\b"));
	assert_non_null(user_name_problem("a,b"));
	assert_non_null(user_name_problem("a\nb"));
	assert_non_null(user_name_problem("a\"b"));
	assert_non_null(user_name_problem("\xc0\x80"));
	assert_non_null(user_name_problem("\xed\xa0\x80"));
	assert_non_null(user_name_problem("\xe2\x82"));
	assert_non_null(user_name_problem("\xff"));
}

int
main(void)
{
#define WORLD(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    WORLD(test_accept),
	    WORLD(test_domain_and_case),
	    WORLD(test_refusals),
	    WORLD(test_other_methods),
	    WORLD(test_limits),
	    WORLD(test_static),
	    WORLD(test_static_of_remembered),
	    WORLD(test_sticky),
	    WORLD(test_pool_empty),
	    WORLD(test_changes_count_at_once),
	    WORLD(test_history),
	    WORLD(test_history_in_groups),
	    WORLD(test_engine_gone),
	    WORLD(test_authority_died),
	    WORLD(test_hostile_engine),
	    WORLD(test_unknown_ref),
	    WORLD(test_charon),
	    WORLD(test_database_file),
	    WORLD(test_users),
	    WORLD(test_routes),
	    cmocka_unit_test(test_names),
	};

	log_open("test", true, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
