/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_runner_pppd.c: a session whose PPP is a pppd: this test is the pppd, at
 * the other end of the line, and the monitor that starts and ends it. The clock
 * is the test's.
 */
#include "l2tpd/engine/runner.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/link_msg.h"
#include "l2tpd/engine/objects.h"
#include "l2tpd/plane/null/null.h"

#define SESSION 17u

struct world {
	struct engine engine; /* what a runner uses of it */
	struct runner *r;
	uint64_t now_ms;
	unsigned int ready;
	unsigned int starts, terms, kills;
	int line; /* pppd's end; -1 */
};

static uint64_t
clock_of(void *ctx)
{
	return ((struct world *)ctx)->now_ms;
}

static void
on_ready(void *ctx)
{
	((struct world *)ctx)->ready++;
}

static void
pppd_start(void *ctx, uint32_t session, int channel_fd)
{
	struct world *w = ctx;

	assert_int_equal(session, SESSION);
	assert_true(channel_fd >= 0);
	w->starts++;
}

static void
pppd_end(void *ctx, uint32_t session, bool now)
{
	struct world *w = ctx;

	assert_int_equal(session, SESSION);
	w->kills += now;
	w->terms += !now;
}

static int
setup(void **state)
{
	static const struct plane_events none;
	const struct plane_session s = {.id = SESSION};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->now_ms = 1000;
	w->line = -1;
	w->engine.loop = loop_new();
	loop_set_clock(w->engine.loop, clock_of, w);
	w->engine.plane = plane_null_new(&none, w);
	w->engine.start.pppd_start = pppd_start;
	w->engine.start.pppd_end = pppd_end;
	w->engine.start.ctx = w;
	assert_int_equal(plane_session_add(w->engine.plane, &s), 0);
	w->r = runner_pppd_new(&w->engine, SESSION, on_ready, w);
	assert_non_null(w->r);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	runner_free(w->r);
	if (w->line >= 0)
		close(w->line);
	plane_free(w->engine.plane);
	loop_free(w->engine.loop);
	free(w);
	return 0;
}

static void
turn(struct world *w)
{
	int i;

	for (i = 0; i < 4; i++)
		loop_run_once(w->engine.loop, false);
}

static void
start(struct world *w)
{
	int pair[2];

	assert_int_equal(runner_start(w->r, w->now_ms), 0);
	assert_int_equal(w->starts, 1);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	w->line = pair[1];
	runner_pppd_line(w->r, pair[0]);
}

static void
say(struct world *w, enum link_msg_type type, const struct wr *payload)
{
	uint8_t buf[LINK_MSG_BYTES_MAX];
	struct wr out = wr_init(buf, sizeof(buf));
	struct rd bytes = wr_rd(payload);

	assert_true(wr_ok(payload));
	wr_be32(&out, type);
	wr_be32(&out, 0);
	wr_bytes(&out, bytes.p, bytes.left);
	assert_int_equal(send(w->line, buf, wr_rd(&out).left, MSG_NOSIGNAL),
	    (ssize_t)wr_rd(&out).left);
	turn(w);
}

/* Messages of the tests. */
#define SAY(w, type, kind, ...)                                                \
	do {                                                                   \
		const struct link_##kind m_ = __VA_ARGS__;                     \
		uint8_t b_[LINK_MSG_BYTES_MAX];                                \
		struct wr w_ = wr_init(b_, sizeof(b_));                        \
		link_msg_put_##kind(&w_, &m_);                                 \
		say(w, type, &w_);                                             \
	} while (0)

static void
hello(struct world *w)
{
	SAY(w, LINK_MSG_HELLO, hello,
	    {.version = LINK_MSG_VERSION, .ppp = "pppd-2.4.9"});
}

static void
ask(struct world *w, uint32_t serial)
{
	SAY(w, LINK_MSG_ASK, ask,
	    {.serial = serial,
		.method = LINK_METHOD_MSCHAPV2,
		.chap_id = 9,
		.name = "alice",
		.name_bytes = 5,
		.challenge_bytes = 16,
		.response_bytes = 49});
}

static enum ppp_effect_type
next(struct world *w, struct ppp_effect *fx)
{
	assert_true(runner_next_effect(w->r, fx));
	return fx->type;
}

static void
nothing(struct world *w)
{
	struct ppp_effect fx;

	assert_false(runner_next_effect(w->r, &fx));
}

static void
hear_verdict(struct world *w, struct link_verdict *ret)
{
	uint8_t buf[LINK_MSG_BYTES_MAX];
	uint32_t type, id;
	struct rd r;
	ssize_t n = recv(w->line, buf, sizeof(buf), MSG_DONTWAIT);

	assert_true(n > 0);
	r = rd_init(buf, (size_t)n);
	assert_true(rd_be32(&r, &type) && rd_be32(&r, &id));
	assert_int_equal(type, LINK_MSG_VERDICT);
	assert_true(link_msg_get_verdict(&r, ret));
}

static void
test_a_session(void **state)
{
	const struct ppp_verdict yes = {.accept = true,
	    .serial = 1,
	    .message = rd_init((const uint8_t *)"S=1", 3),
	    .ipv4_local = {10, 0, 0, 1},
	    .ipv4_peer = {10, 0, 0, 2},
	    .ipv4_dns = {{9, 9, 9, 9}}};
	struct world *w = *state;
	struct link_verdict v;
	struct ppp_effect fx;

	start(w);
	hello(w);
	nothing(w);
	ask(w, 1);
	assert_int_equal(next(w, &fx), PPP_EFFECT_ASK);
	assert_int_equal(fx.ask.method, PPP_AUTH_MSCHAPV2);
	assert_int_equal(fx.ask.serial, 1);
	assert_int_equal(fx.ask.chap_id, 9);
	assert_int_equal(fx.ask.name.left, 5);
	assert_memory_equal(fx.ask.name.p, "alice", 5);
	assert_int_equal(fx.ask.response.left, 49);
	assert_int_equal(runner_verdict(w->r, &yes, w->now_ms), 0);
	hear_verdict(w, &v);
	assert_int_equal(v.decision, LINK_ACCEPTED);
	assert_memory_equal(v.ipv4_peer, yes.ipv4_peer, 4);
	assert_memory_equal(v.ipv4_dns, yes.ipv4_dns, 8);
	assert_int_equal(v.message_bytes, 3);
	/* once */
	assert_int_equal(runner_verdict(w->r, &yes, w->now_ms), -ENOENT);
	assert_string_equal(runner_state_name(w->r), "negotiating");
	SAY(w, LINK_MSG_IPV4_UP, ipv4,
	    {.local = {10, 0, 0, 1},
		.peer = {10, 0, 0, 2},
		.mtu = 1400,
		.interface = "ppp0"});
	assert_int_equal(next(w, &fx), PPP_EFFECT_IPV4_UP);
	assert_memory_equal(fx.ipv4_peer, yes.ipv4_peer, 4);
	assert_int_equal(runner_peer_mru(w->r), 1400);
	assert_string_equal(runner_interface(w->r), "ppp0");
	assert_string_equal(runner_state_name(w->r), "opened");
	SAY(w, LINK_MSG_END, end, {.why = "peer-terminated", .by_peer = true});
	assert_int_equal(next(w, &fx), PPP_EFFECT_IPV4_DOWN);
	assert_int_equal(next(w, &fx), PPP_EFFECT_DOWN);
	assert_string_equal(fx.why, "peer-terminated");
	assert_true(fx.by_peer);
	assert_int_equal(w->kills + w->terms, 0);
}

static void
test_closed_by_us(void **state)
{
	struct world *w = *state;
	struct ppp_effect fx;

	start(w);
	hello(w);
	runner_close(w->r, "administrator", w->now_ms);
	assert_int_equal(w->terms, 1);
	nothing(w);
	SAY(w, LINK_MSG_END, end, {.why = "terminated"});
	assert_int_equal(next(w, &fx), PPP_EFFECT_IPV4_DOWN);
	assert_int_equal(next(w, &fx), PPP_EFFECT_DOWN);
	assert_string_equal(fx.why, "administrator");
	assert_false(fx.by_peer);
	assert_int_equal(w->kills, 0);
}

static void
expect_killed(struct world *w, const char *why)
{
	struct ppp_effect fx;

	assert_int_equal(w->kills, 1);
	assert_int_equal(next(w, &fx), PPP_EFFECT_IPV4_DOWN);
	assert_int_equal(next(w, &fx), PPP_EFFECT_DOWN);
	assert_string_equal(fx.why, why);
	nothing(w);
	assert_int_equal(runner_deadline(w->r), UINT64_MAX);
}

static void
test_it_does_not_end(void **state)
{
	struct world *w = *state;

	start(w);
	runner_close(w->r, "administrator", w->now_ms);
	w->now_ms = runner_deadline(w->r);
	assert_true(w->now_ms <= 1000 + 5000);
	runner_tick(w->r, w->now_ms);
	expect_killed(w, "administrator");
}

static void
test_it_falls_silent(void **state)
{
	struct world *w = *state;
	uint64_t before;

	start(w);
	hello(w);
	before = runner_deadline(w->r);
	w->now_ms += 10000;
	SAY(w, LINK_MSG_USE, use, {.bytes_in = 5});
	assert_int_equal(runner_deadline(w->r), before + 10000);
	runner_tick(w->r, before);
	assert_int_equal(w->kills, 0);
	w->now_ms = runner_deadline(w->r);
	runner_tick(w->r, w->now_ms);
	expect_killed(w, "pppd-silent");
}

static void
test_it_dies(void **state)
{
	struct world *w = *state;

	start(w);
	hello(w);
	w->ready = 0;
	close(w->line);
	w->line = -1;
	turn(w);
	assert_int_equal(w->ready, 1);
	expect_killed(w, "pppd-died"); /* whoever closed it may still run */
}

static void
test_it_never_comes(void **state)
{
	struct world *w = *state;

	assert_int_equal(runner_start(w->r, w->now_ms), 0);
	w->now_ms = runner_deadline(w->r);
	runner_tick(w->r, w->now_ms);
	expect_killed(w, "pppd-silent");
}

static void
test_nonsense(void **state)
{
	struct world *w = *state;
	struct ppp_effect fx;

	start(w);
	hello(w);
	ask(w, 1);
	assert_int_equal(next(w, &fx), PPP_EFFECT_ASK);
	ask(w, 2); /* without waiting for the verdict */
	expect_killed(w, "pppd-nonsense");
}

static void
test_another_version(void **state)
{
	struct world *w = *state;

	start(w);
	SAY(w, LINK_MSG_HELLO, hello, {.version = 99, .ppp = "pppd"});
	expect_killed(w, "pppd-nonsense");
}

static void
test_no_channel(void **state)
{
	struct world *w = *state;

	plane_session_del(w->engine.plane, SESSION);
	assert_int_equal(runner_start(w->r, w->now_ms), -ENOENT);
	assert_int_equal(w->starts, 0);
}

/* The call ended: there is nobody to say goodbye to. */
static void
test_freed_while_it_runs(void **state)
{
	struct world *w = *state;

	start(w);
	hello(w);
	runner_free(w->r);
	w->r = NULL;
	assert_int_equal(w->kills, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    CASE(test_a_session),
	    CASE(test_closed_by_us),
	    CASE(test_it_does_not_end),
	    CASE(test_it_falls_silent),
	    CASE(test_it_dies),
	    CASE(test_it_never_comes),
	    CASE(test_nonsense),
	    CASE(test_another_version),
	    CASE(test_no_channel),
	    CASE(test_freed_while_it_runs),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
