/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pppd_line.c: the plugin's line to the engine, over a real pair of
 * sockets: what it takes over, questions and verdicts, an engine that leaves,
 * talks nonsense, does not read or does not answer.
 */
#include "ppp-glue/pppd-plugin/line.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/imsg.h"

#define LONG_MS 30000

static int engine = -1; /* the other end */

static int
set_up(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(line_open(pair[0]), 0);
	assert_true(fcntl(pair[0], F_GETFD) & FD_CLOEXEC);
	engine = pair[1];
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	line_close();
	if (engine >= 0)
		close(engine);
	engine = -1;
	return 0;
}

static void
send_record(uint32_t type, const struct link_verdict *v)
{
	uint8_t buf[LINK_MSG_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, type);
	wr_be32(&w, 0);
	if (v != NULL)
		link_msg_put_verdict(&w, v);
	assert_true(wr_ok(&w));
	assert_true(send(engine, buf, w.len, 0) == (ssize_t)w.len);
}

/* The question that was sent; its serial */
static uint32_t
take_ask(void)
{
	uint8_t buf[LINK_MSG_BYTES_MAX];
	ssize_t n = recv(engine, buf, sizeof(buf), MSG_DONTWAIT);
	uint32_t type, id;
	struct link_ask a;
	struct rd r;

	assert_true(n > 0);
	r = rd_init(buf, (size_t)n);
	assert_true(rd_be32(&r, &type) && rd_be32(&r, &id));
	assert_int_equal(type, LINK_MSG_ASK);
	assert_int_equal(id, 0);
	assert_true(link_msg_get_ask(&r, &a));
	assert_int_equal(a.name_bytes, 5);
	return a.serial;
}

static struct link_ask
question(void)
{
	struct link_ask a = {
	    .method = LINK_METHOD_PAP, .name = "alice", .name_bytes = 5};

	return a;
}

static void
test_open(void **state)
{
	int pair[2], file = open("/dev/null", O_RDWR);

	(void)state;
	assert_false(line_is_up());
	assert_int_equal(line_open(-1), -EINVAL);
	assert_int_equal(line_open(file), -EINVAL);
	close(file);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(line_open(pair[0]), -EINVAL);
	close(pair[0]);
	close(pair[1]);
	set_up(NULL);
	assert_true(line_is_up());
	assert_int_equal(line_open(engine), -EINVAL); /* one is enough */
	assert_true(line_is_up());
	tear_down(NULL);
	assert_false(line_is_up());
}

/* The verdict on another question is not one on this. */
static void
test_ask(void **state)
{
	struct link_verdict v = {.decision = LINK_ACCEPTED}, back;
	struct link_ask a = question();
	uint32_t serial;

	(void)state;
	assert_int_equal(line_ask(&a, 1, &back), -ETIMEDOUT);
	serial = take_ask();
	assert_true(serial != 0 && serial == a.serial);
	v.serial = serial; /* too late */
	send_record(LINK_MSG_VERDICT, &v);
	v.serial = serial + 1; /* the next one, already */
	v.decision = LINK_REFUSED;
	memcpy(v.message, "no", 2);
	v.message_bytes = 2;
	send_record(LINK_MSG_VERDICT, &v);
	memset(&back, 0x5a, sizeof(back));
	assert_int_equal(line_ask(&a, LONG_MS, &back), 0);
	assert_true(take_ask() == serial + 1);
	assert_int_equal(back.decision, LINK_REFUSED);
	assert_int_equal(back.message_bytes, 2);
	assert_true(line_is_up());
}

static void
test_late_verdict(void **state)
{
	struct link_verdict v = {.serial = 1};

	(void)state;
	send_record(LINK_MSG_VERDICT, &v);
	line_look();
	assert_true(line_is_up());
	close(engine);
	engine = -1;
	line_look();
	assert_false(line_is_up());
}

static void
test_engine_leaves(void **state)
{
	struct link_ask a = question();
	struct link_verdict back;
	struct wr nothing = wr_init(NULL, 0);

	(void)state;
	close(engine);
	engine = -1;
	assert_int_equal(line_ask(&a, LONG_MS, &back), -EPIPE);
	assert_false(line_is_up());
	line_send(LINK_MSG_USE, &nothing); /* nobody hears it */
	line_look();
	assert_int_equal(line_ask(&a, LONG_MS, &back), -EPIPE);
}

static void
nonsense(uint32_t type, const void *p, size_t n)
{
	struct link_ask a = question();
	struct link_verdict back;
	uint8_t buf[2 * LINK_MSG_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	set_up(NULL);
	wr_be32(&w, type);
	wr_be32(&w, 0);
	if (p != NULL)
		wr_bytes(&w, p, n);
	else
		wr_zero(&w, n);
	assert_true(send(engine, buf, w.len, 0) == (ssize_t)w.len);
	assert_int_equal(line_ask(&a, LONG_MS, &back), -EPIPE);
	assert_false(line_is_up());
	tear_down(NULL);
}

static void
test_nonsense(void **state)
{
	(void)state;
	nonsense(LINK_MSG_HELLO, "", 0);             /* not from an engine */
	nonsense(LINK_MSG_VERDICT, "abc", 3);        /* too short */
	nonsense(LINK_MSG_VERDICT, "\0\0\0\1\7", 5); /* no such decision */
	nonsense(LINK_MSG_VERDICT, NULL, LINK_MSG_BYTES_MAX + 1);
}

static void
test_engine_does_not_read(void **state)
{
	uint8_t buf[1024] = {0};
	struct wr w = wr_init(buf, sizeof(buf));
	unsigned sent = 0;

	(void)state;
	wr_zero(&w, sizeof(buf));
	while (line_is_up() && sent++ < 100000)
		line_send(LINK_MSG_USE, &w);
	assert_false(line_is_up());
}

/* What did not fit into its buffer is not sent in part. */
static void
test_own_bug(void **state)
{
	uint8_t byte;
	struct wr w = wr_init(&byte, 1);

	(void)state;
	wr_be32(&w, 1);
	line_send(LINK_MSG_USE, &w);
	assert_false(line_is_up());
	assert_true(recv(engine, &byte, 1, MSG_DONTWAIT) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open),
	    cmocka_unit_test_setup_teardown(test_ask, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_late_verdict, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_engine_leaves, set_up, tear_down),
	    cmocka_unit_test(test_nonsense),
	    cmocka_unit_test_setup_teardown(
		test_engine_does_not_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_own_bug, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
