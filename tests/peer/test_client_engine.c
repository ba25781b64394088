/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_client_engine.c: the engine as a client against the engine as a server,
 * in one process: packets go by hand from one plane to the other, charon is a
 * plugin's socket and a vici socket at each side.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/charon_msg.h"
#include "base/log.h"
#include "base/wr.h"
#include "l2tpd/plane/null/null.h"
#include "tests/peer/engine_world.h"

#define MARK 1 /* of the server's association */

/* The client, everything around it, and the server's world. */
struct both {
	struct world *w;
	struct world plugin; /* only its plugin half: the client's charon */
	struct engine *engine;
	struct plane *plane;
	struct secret password;
	struct adit_conf conf;
	int vici; /* charon's end; -1 */
	bool once, answer_initiate, stopped, linked, ended;
	struct priv_link link;
	enum priv_end end;
	unsigned int links, unlinks, initiates, terminates;
	char control_path[64];
};

/* ---- charon's vici ---- */

static void
vici_answer(struct both *b, uint8_t operation)
{
	uint8_t buf[5];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, 1);
	wr_u8(&w, operation);
	assert_int_equal(send(b->vici, buf, 5, MSG_NOSIGNAL), 5);
}

/* One packet from the client's engine: commands are counted, and answered
 * with an empty message, which is no success. */
static bool
vici_serve(struct both *b)
{
	uint8_t head[6], body[512];
	struct rd r;
	uint32_t len;
	uint8_t operation, name_len;

	if (b->vici < 0 || recv(b->vici, head, 6, MSG_PEEK | MSG_DONTWAIT) != 6)
		return false;
	r = rd_init(head, 6);
	rd_be32(&r, &len);
	rd_u8(&r, &operation);
	rd_u8(&r, &name_len);
	assert_true(len + 4 <= sizeof(body));
	assert_int_equal(recv(b->vici, body, len + 4, MSG_WAITALL), len + 4);
	if (operation != 0) { /* event register or unregister: confirmed */
		vici_answer(b, 5);
		return true;
	}
	if (name_len == 8 && memcmp(body + 6, "initiate", 8) == 0) {
		b->initiates++;
		if (!b->answer_initiate)
			return true;
	}
	if (name_len == 9 && memcmp(body + 6, "terminate", 9) == 0)
		b->terminates++;
	vici_answer(b, 1);
	return true;
}

/* ---- the wire ---- */

static void
to_server(struct both *b, const struct null_call *c)
{
	const struct endpoint peer = {4, {198, 51, 100, 7}, 4500};
	struct world *w = b->w;

	if (c->result != 0)
		return;
	if (c->type == NULL_CALL_L2TP_SEND)
		null_inject_l2tp(
		    w->plane, w->assoc_of_mark[MARK], &peer, 1701, c->data);
	else if (c->type == NULL_CALL_PPP_SEND)
		null_inject_ppp(w->plane, w->session, c->data);
}

static uint32_t
client_association(const struct both *b)
{
	return b->plugin.assoc_of_mark[MARK];
}

static void
to_client(void *ctx, const struct null_call *c)
{
	const struct endpoint peer = {4, {203, 0, 113, 1}, 4500};
	struct both *b = ctx;

	if (c->type == NULL_CALL_L2TP_SEND)
		null_inject_l2tp(
		    b->plane, client_association(b), &peer, 1701, c->data);
	else
		null_inject_ppp(b->plane, 1, c->data);
}

static bool
carry(struct both *b)
{
	uint8_t copy[2048];
	struct null_call c;
	bool any = false;
	size_t n;

	while (null_next_call(b->plane, &c)) {
		if (c.type == NULL_CALL_SA_ADD)
			b->plugin.assoc_of_mark[MARK] = c.association;
		n = c.data.left;
		assert_true(n <= sizeof(copy));
		rd_bytes(&c.data, copy, n); /* it is borrowed */
		c.data = rd_init(copy, n);
		to_server(b, &c);
		any = true;
	}
	while (world_deliver(b->w))
		any = true;
	return any;
}

static void
settle(struct both *b)
{
	unsigned int quiet = 0;

	while (quiet < 3) {
		loop_run_once(b->w->loop, false);
		quiet = carry(b) || vici_serve(b) ? 0 : quiet + 1;
	}
}

/* Until *what is as large as want; the loop's timers move it. */
static void
until(struct both *b, const unsigned int *what, unsigned int want)
{
	const uint64_t end = loop_clock_ms() + 10000;

	settle(b);
	while (*what < want) {
		if (loop_clock_ms() > end)
			fail_msg("it does not happen");
		loop_run_once(b->w->loop, true);
		settle(b);
	}
}

/* ---- around the client's engine ---- */

static struct plane *
make_null_plane(struct loop *loop, const struct plane_events *events,
    void *events_ctx, void *ctx)
{
	struct both *b = ctx;

	(void)loop;
	b->plane = plane_null_new(events, events_ctx);
	return b->plane;
}

static void
on_want_vici(void *ctx)
{
	(void)ctx;
}

static void
on_stopped(void *ctx)
{
	((struct both *)ctx)->stopped = true;
}

static void
on_link(void *ctx, const struct priv_link *link)
{
	struct both *b = ctx;

	b->linked = link != NULL;
	if (link != NULL)
		b->link = *link;
	*(link != NULL ? &b->links : &b->unlinks) += 1;
}

static void
on_end(void *ctx, enum priv_end why)
{
	struct both *b = ctx;

	assert_false(b->ended);
	b->ended = true;
	b->end = why;
}

static int
listener(const char *path, int type)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	assert_true(fd >= 0);
	strncpy(sun.sun_path, path, sizeof(sun.sun_path) - 1);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void
client_new(struct both *b, const char *password)
{
	struct engine_start start;
	int pair[2];

	conf_defaults(&b->conf);
	b->conf.client.on = true;
	b->conf.client.once = b->once;
	memcpy(b->conf.client.server, (uint8_t[4]){203, 0, 113, 1}, 4);
	strcpy(b->conf.client.user, "alice");
	assert_int_equal(
	    secret_set(&b->password, password, strlen(password)), 0);
	start = (struct engine_start){
	    .conf = &b->conf,
	    .plane_listen_fd = listener(b->plugin.plugin_path, SOCK_SEQPACKET),
	    .control_listen_fd = listener(b->control_path, SOCK_STREAM),
	    .auth_fd = -1,
	    .plane_new = make_null_plane,
	    .plane_new_ctx = b,
	    .want_vici = on_want_vici,
	    .stopped = on_stopped,
	    .plugin_uid = geteuid(),
	    .password = &b->password,
	    .link = on_link,
	    .client_end = on_end,
	    .ctx = b,
	};
	b->engine = engine_new(b->w->loop, &start);
	assert_non_null(b->engine);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	b->vici = pair[0];
	engine_vici_connected(b->engine, pair[1]);
	plugin_connect(&b->plugin, EPOCH + 1);
	plugin_say(&b->plugin, CHARON_MSG_SYNC_END, "", 0);
}

static int
setup(void **state)
{
	struct both *b = calloc(1, sizeof(*b));
	void *w = NULL;

	assert_non_null(b);
	world_setup(&w);
	b->w = w;
	charon_up(b->w);
	plugin_sa(b->w, MARK, 0);
	world_run(b->w);
	b->w->carry = to_client;
	b->w->carry_ctx = b;
	b->plugin.plugin_fd = -1;
	b->vici = -1;
	snprintf(b->plugin.plugin_path, sizeof(b->plugin.plugin_path),
	    "/tmp/adit-test-%d.cp", (int)getpid());
	snprintf(b->control_path, sizeof(b->control_path),
	    "/tmp/adit-test-%d.cc", (int)getpid());
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct both *b = *state;
	void *w = b->w;

	engine_free(b->engine);
	close(b->plugin.plugin_fd);
	close(b->vici);
	unlink(b->plugin.plugin_path);
	unlink(b->control_path);
	world_teardown(&w);
	free(b);
	return 0;
}

/* charon has done what it was asked for. */
static void
ike_done(struct both *b, uint32_t generation)
{
	plugin_sa(&b->plugin, MARK, generation);
	settle(b);
	vici_answer(b, 1); /* to the initiate, when all is there */
	settle(b);
}

static void
connect_client(struct both *b)
{
	client_new(b, "secret");
	until(b, &b->initiates, 1);
	assert_int_equal(b->links, 0);
	ike_done(b, 1);
	until(b, &b->links, 1);
}

/* ---- tests ---- */

static void
test_connect(void **state)
{
	struct both *b = *state;
	const struct plane_session *s;
	bool open = false;

	connect_client(b);
	assert_memory_equal(b->link.local, ((uint8_t[4]){10, 77, 0, 10}), 4);
	assert_memory_equal(b->link.peer, ((uint8_t[4]){10, 77, 0, 1}), 4);
	assert_memory_equal(b->link.dns[0], ((uint8_t[4]){10, 77, 0, 1}), 4);
	s = null_session(b->plane, 1, &open);
	assert_non_null(s);
	assert_true(open);
	assert_true(s->uplink);
	s = null_session(b->w->plane, b->w->session, &open);
	assert_non_null(s);
	assert_true(open);
	assert_false(s->uplink);
	assert_int_equal(b->w->ups, 1);
	assert_false(b->ended);
}

static void
test_wrong_password(void **state)
{
	struct both *b = *state;

	client_new(b, "guess");
	until(b, &b->initiates, 1);
	ike_done(b, 1);
	until(b, &b->terminates, 1);
	assert_true(b->ended);
	assert_int_equal(b->end, PRIV_END_WRONG_PASSWORD);
	assert_int_equal(b->links, 0);
	assert_int_equal(null_count_sessions(b->plane), 0);
}

static void
say_alert(struct both *b, uint8_t kind)
{
	struct charon_alert a = {.kind = kind};
	uint8_t buf[512];
	struct wr w = wr_init(buf, sizeof(buf));

	a.peer = (struct endpoint){4, {203, 0, 113, 1}, 4500};
	assert_true(charon_msg_put_alert(&w, &a));
	plugin_say(&b->plugin, CHARON_MSG_ALERT, buf, w.len);
	settle(b);
}

static void
test_wrong_psk(void **state)
{
	struct both *b = *state;

	client_new(b, "secret");
	until(b, &b->initiates, 1);
	say_alert(b, CHARON_ALERT_NO_IKE_PROPOSAL);
	assert_false(b->ended); /* may be mended on the server */
	say_alert(b, CHARON_ALERT_WRONG_PSK);
	assert_true(b->ended);
	assert_int_equal(b->end, PRIV_END_WRONG_PSK);
}

/* charon did not get anywhere: again, after a pause. */
static void
test_ike_fails(void **state)
{
	struct both *b = *state;

	b->answer_initiate = true;
	client_new(b, "secret");
	until(b, &b->initiates, 2);
	assert_int_equal(b->links, 0);
	assert_false(b->ended);
}

/* The server stops: the link is taken away, then we dial again. */
static void
test_server_stops(void **state)
{
	struct both *b = *state;

	connect_client(b);
	engine_stop(b->w->engine);
	until(b, &b->unlinks, 1);
	assert_false(b->linked);
	assert_int_equal(null_count_sessions(b->plane), 0);
	assert_int_equal(b->terminates, 1);
	b->answer_initiate = true;
	until(b, &b->initiates, 2);
	assert_false(b->ended);
}

/* The same, for a client that was to dial once. */
static void
test_once(void **state)
{
	struct both *b = *state;

	b->once = true;
	connect_client(b);
	engine_stop(b->w->engine);
	until(b, &b->unlinks, 1);
	assert_true(b->ended);
	assert_int_equal(b->end, PRIV_END_ONCE);
}

/* The SAs are gone, whatever else says that all is well. */
static void
test_ipsec_ends(void **state)
{
	struct both *b = *state;

	connect_client(b);
	plugin_sa_del(&b->plugin, MARK, 1);
	until(b, &b->unlinks, 1);
	assert_int_equal(null_count_sessions(b->plane), 0);
}

/* New SAs in time: nobody notices. */
static void
test_rekey(void **state)
{
	struct both *b = *state;

	connect_client(b);
	plugin_sa(&b->plugin, MARK, 2);
	settle(b);
	plugin_sa_del(&b->plugin, MARK, 1);
	settle(b);
	assert_int_equal(b->unlinks, 0);
	assert_int_equal(b->links, 1);
	assert_int_equal(null_count_sessions(b->plane), 1);
}

/* A server that dials its client is not answered. */
static void
test_server_dials(void **state)
{
	const struct endpoint peer = {4, {203, 0, 113, 1}, 4500};
	struct both *b = *state;
	struct tunnel_effect fx;
	struct null_call c;
	struct tunnel *t;

	connect_client(b);
	t = tunnel_new_initiator(
	    &b->w->client_tunnel_config, 4711, now_ms(b->w));
	assert_non_null(t);
	assert_true(tunnel_next_effect(t, &fx));
	assert_int_equal(fx.type, TUNNEL_EFFECT_SEND);
	null_inject_l2tp(b->plane, client_association(b), &peer, 1701, fx.data);
	loop_run_once(b->w->loop, false);
	assert_false(null_next_call(b->plane, &c));
	tunnel_free(t);
}

static void
test_stop(void **state)
{
	struct both *b = *state;

	connect_client(b);
	engine_stop(b->engine);
	settle(b);
	assert_false(b->linked);
	assert_int_equal(b->terminates, 1);
	assert_int_equal(b->w->stops, 1); /* the server heard it */
	while (!b->stopped)
		loop_run_once(b->w->loop, true);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_connect),
	    TEST(test_wrong_password),
	    TEST(test_wrong_psk),
	    TEST(test_ike_fails),
	    TEST(test_server_stops),
	    TEST(test_once),
	    TEST(test_ipsec_ends),
	    TEST(test_rekey),
	    TEST(test_server_dials),
	    TEST(test_stop),
	};

	log_open("test", true, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
