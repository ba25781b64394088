/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_imsg.c: a channel and its peer in one process. The peer is the raw end
 * of a socketpair, so that it can be as hostile as it likes: short records,
 * unknown types, oversize, descriptors where none belong, floods, silence.
 * Every test counts this process's descriptors before and after.
 */
#include "base/imsg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct loop *loop;
	struct imsg_channel *channel;
	int peer; /* raw end, blocking; -1 when closed */
	int fds_before;
	unsigned int messages, closed;
	bool free_in_message;
	uint32_t last_type, last_id;
	size_t last_bytes;
	uint8_t first_byte;
	int last_fd;
	char why[64]; /* "" for NULL */
};

static int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static const struct imsg_rule rules[] = {
    {1, "empty", 0, 0, true},
    {2, "four", 4, 4, false},
    {3, "some", 1, 100, true},
    {4, "big", 0, IMSG_PAYLOAD_MAX, false},
    {0, NULL, 0, 0, true},
};

static void
on_message(void *ctx, struct imsg *m)
{
	struct fixture *f = ctx;

	f->messages++;
	f->last_type = m->type;
	f->last_id = m->id;
	f->last_bytes = m->payload.left;
	rd_peek_u8(&m->payload, &f->first_byte);
	if (f->last_fd >= 0)
		close(f->last_fd);
	f->last_fd = m->fd;
	if (f->free_in_message) {
		imsg_free(f->channel);
		f->channel = NULL;
	}
}

static void
on_closed(void *ctx, const char *why)
{
	struct fixture *f = ctx;

	f->closed++;
	strncpy(f->why, why != NULL ? why : "", sizeof(f->why) - 1);
	assert_int_equal(imsg_send(f->channel, 1, 0, NULL, 0, -1), -EPIPE);
	imsg_free(f->channel);
	f->channel = NULL;
}

static const struct imsg_ops ops = {
    .rules = rules,
    .message = on_message,
    .closed = on_closed,
};

static int
begin(struct fixture *f)
{
	int fds[2];

	memset(f, 0, sizeof(*f));
	f->loop = loop_new();
	f->fds_before = count_fds();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	f->peer = fds[1];
	f->last_fd = -1;
	f->channel = imsg_new(f->loop, fds[0], &ops, f);
	return f->channel == NULL ? -1 : 0;
}

static int
setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	*state = f;
	return f == NULL ? -1 : begin(f);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	int leaked;

	imsg_free(f->channel);
	if (f->peer >= 0)
		close(f->peer);
	if (f->last_fd >= 0)
		close(f->last_fd);
	leaked = count_fds() - f->fds_before;
	loop_free(f->loop);
	free(f);
	return leaked;
}

/* Send a raw record with n descriptors (copies of the peer's end). */
static void
raw(struct fixture *f, const void *record, size_t bytes, size_t n)
{
	struct iovec iov = {
	    .iov_base = (void *)(uintptr_t)record, .iov_len = bytes};
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = {.bytes = {0}};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cm;
	size_t i;

	if (n > 0) {
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (i = 0; i < n; i++)
			memcpy(CMSG_DATA(cm) + i * sizeof(int), &f->peer,
			    sizeof(int));
	}
	assert_int_equal(sendmsg(f->peer, &mh, MSG_NOSIGNAL), bytes);
}

static void
test_receive(void **state)
{
	struct fixture *f = *state;

	raw(f, "\0\0\0\2\xde\xad\xbe\xef\x09\0\0\0", 12, 0);
	raw(f, "\0\0\0\1\0\0\0\1", 8, 0);
	loop_run_once(f->loop, true);
	assert_int_equal(f->messages, 2);
	assert_int_equal(f->last_type, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(f->last_bytes, 0);
	assert_int_equal(f->first_byte, 9);
	assert_int_equal(f->closed, 0);
}

static void
test_send(void **state)
{
	struct fixture *f = *state;
	uint8_t got[64];

	assert_int_equal(
	    imsg_send(f->channel, 3, 0x01020304, "hello", 5, -1), 0);
	assert_int_equal(recv(f->peer, got, sizeof(got), 0), 13);
	assert_memory_equal(got, "\0\0\0\3\1\2\3\4hello", 13);
	assert_int_equal(imsg_send(f->channel, 1, 0, NULL, 0, -1), 0);
	assert_int_equal(recv(f->peer, got, sizeof(got), 0), 8);
	assert_int_equal(
	    imsg_send(f->channel, 1, 0, got, IMSG_PAYLOAD_MAX + 1, -1),
	    -EMSGSIZE);
}

/* What was passed is the same open file, and it is ours to close. */
static void
test_pass_descriptor(void **state)
{
	struct fixture *f = *state;
	int fds[2], pipe_fds[2];
	struct imsg_channel *other;
	char c;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	imsg_free(f->channel);
	f->channel = imsg_new(f->loop, fds[0], &ops, f);
	other = imsg_new(f->loop, fds[1], &ops, f);
	assert_int_equal(imsg_send(other, 4, 5, "x", 1, pipe_fds[1]), 0);
	loop_run_once(f->loop, true);
	assert_int_equal(f->messages, 1);
	assert_true(f->last_fd >= 0);
	assert_int_equal(fcntl(f->last_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(close(pipe_fds[1]), 0); /* borrowed: still ours */
	assert_int_equal(write(f->last_fd, "y", 1), 1);
	assert_int_equal(read(pipe_fds[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	close(pipe_fds[0]);
	imsg_free(other);
}

/* Each hostile record ends the channel with its reason; nothing of it reaches
 * the message callback, and its descriptors are closed. */
static void
test_hostile_records(void **state)
{
	static uint8_t huge[IMSG_PAYLOAD_MAX + 100] = {0, 0, 0, 4};
	static const struct {
		const void *record;
		size_t bytes, fds;
		const char *why;
	} rows[] = {
	    {"\0", 1, 0, "record too short"},
	    {"\0\0\0\1\0\0\0", 7, 0, "record too short"},
	    {"\0\0\0\1\0\0\0", 7, 1, "record too short"},
	    {"\0\0\0\1\0\0\0\0x", 9, 0, "message too long"},
	    {"\0\0\0\2\0\0\0\0xxx", 11, 0, "message too short"},
	    {"\0\0\0\2\0\0\0\0xxxxx", 13, 0, "message too long"},
	    {"\0\0\0\3\0\0\0\0", 8, 0, "message too short"},
	    {"\0\0\0\0\0\0\0\0", 8, 0, "unknown message type"},
	    {"\0\0\0\5\0\0\0\0", 8, 0, "unknown message type"},
	    {"\xff\xff\xff\xff\0\0\0\0", 8, 0, "unknown message type"},
	    {"\xff\xff\xff\xff\0\0\0\0", 8, 1, "unknown message type"},
	    {huge, IMSG_PAYLOAD_MAX + 9, 0, "message too long"},
	    {huge, IMSG_PAYLOAD_MAX + 9, 1, "message too long"},
	    {huge, IMSG_PAYLOAD_MAX + 100, 0, "message too long"},
	    {huge, 16, 2, "too many descriptors"},
	    {huge, 16, 4, "too many descriptors"},
	    {huge, 16, 16, "too many descriptors"},
	    {"\0\0\0\3\0\0\0\0xxxx", 12, 1, "descriptor not expected"},
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		raw(f, rows[i].record, rows[i].bytes, rows[i].fds);
		raw(f, "\0\0\0\1\0\0\0\1", 8, 0); /* too late */
		loop_run_once(f->loop, true);
		assert_string_equal(f->why, rows[i].why);
		assert_int_equal(f->closed, 1);
		assert_int_equal(f->messages, 0);
		assert_null(f->channel);
		close(f->peer);
		assert_int_equal(count_fds(), f->fds_before);
		loop_free(f->loop);
		assert_int_equal(begin(f), 0);
	}
}

static void
test_largest(void **state)
{
	static uint8_t huge[IMSG_HEADER_BYTES + IMSG_PAYLOAD_MAX] = {
	    0, 0, 0, 4};
	struct fixture *f = *state;

	raw(f, huge, sizeof(huge), 1);
	loop_run_once(f->loop, true);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->last_bytes, IMSG_PAYLOAD_MAX);
	assert_true(f->last_fd >= 0);
}

static void
test_peer_closes(void **state)
{
	struct fixture *f = *state;

	raw(f, "\0\0\0\1\0\0\0\1", 8, 0);
	close(f->peer);
	f->peer = -1;
	/* said before the end was seen: an error, no callback, no signal */
	assert_int_equal(imsg_send(f->channel, 1, 0, NULL, 0, -1), -EPIPE);
	assert_int_equal(f->closed, 0);
	loop_run_once(f->loop, true);
	assert_int_equal(f->messages, 1); /* what came before is delivered */
	assert_int_equal(f->closed, 1);
	assert_string_equal(f->why, "");
}

static void
test_empty_record(void **state)
{
	struct fixture *f = *state;

	raw(f, "", 0, 1);
	loop_run_once(f->loop, true);
	assert_int_equal(f->closed, 1);
}

static void
test_free_in_message(void **state)
{
	struct fixture *f = *state;

	f->free_in_message = true;
	raw(f, "\0\0\0\1\0\0\0\1", 8, 0);
	raw(f, "\0\0\0\1\0\0\0\1", 8, 0);
	loop_run_once(f->loop, true);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->closed, 0);
	assert_null(f->channel);
}

/* A flooding peer gets a bounded share of a turn. */
static void
test_flood(void **state)
{
	static const uint8_t record[8] = {0, 0, 0, 1};
	struct fixture *f = *state;
	unsigned int sent = 0, turns = 0;

	while (send(f->peer, record, 8, MSG_DONTWAIT) == 8)
		sent++;
	assert_true(sent > 32);
	while (f->messages < sent && ++turns < 10000) {
		unsigned int before = f->messages;

		loop_run_once(f->loop, true);
		assert_in_range(f->messages - before, 1, 32);
	}
	assert_int_equal(f->messages, sent);
	assert_int_equal(f->closed, 0);
}

/* A peer that does not read: 4,096 messages are kept, then sending fails; when
 * it reads again everything comes, in order, with the descriptors. */
static void
test_hanging_peer(void **state)
{
	struct fixture *f = *state;
	uint8_t got[64];
	uint32_t id = 0, i;
	int rc;

	while ((rc = imsg_send(f->channel, 2, id, "abcd", 4,
		    id == 3000 ? f->peer : -1)) == 0)
		id++;
	assert_int_equal(rc, -ENOBUFS);
	assert_in_range(id, 4096, 4096 + 2000);
	for (i = 0; i < id; i++) {
		struct rd r = rd_init(got, 12);
		uint32_t type, got_id;

		while (recv(f->peer, got, sizeof(got), MSG_DONTWAIT) != 12)
			loop_run_once(f->loop, true);
		assert_true(rd_be32(&r, &type) && rd_be32(&r, &got_id));
		assert_int_equal(got_id, i);
	}
	assert_int_equal(imsg_send(f->channel, 2, 7, "abcd", 4, -1), 0);
	assert_int_equal(recv(f->peer, got, sizeof(got), MSG_DONTWAIT), 12);
}

/* The queue, its descriptors included, goes with the channel. */
static void
test_free_with_queue(void **state)
{
	struct fixture *f = *state;

	while (imsg_send(f->channel, 4, 0, "x", 1, f->peer) == 0)
		;
	imsg_free(f->channel);
	f->channel = NULL;
}

static void
test_peer_closes_with_queue(void **state)
{
	struct fixture *f = *state;

	while (imsg_send(f->channel, 2, 0, "abcd", 4, -1) == 0)
		;
	close(f->peer);
	f->peer = -1;
	loop_run_once(f->loop, true);
	assert_int_equal(f->closed, 1);
	assert_string_equal(f->why, "");
}

static void
test_bad_descriptor(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(imsg_send(f->channel, 4, 0, "x", 1, 9999), -EBADF);
	assert_int_equal(f->closed, 0);
	assert_int_equal(imsg_send(f->channel, 4, 0, "x", 1, -1), 0);
}

static void
test_decode(void **state)
{
	static const uint8_t record[] = {0, 0, 0, 2, 0, 0, 0, 9, 1, 2, 3, 4};
	struct imsg m = {.type = 77};
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(record); n++)
		assert_non_null(imsg_decode(rules, rd_init(record, n), &m));
	assert_int_equal(m.type, 77);
	assert_null(imsg_decode(rules, rd_init(record, sizeof(record)), &m));
	assert_int_equal(m.type, 2);
	assert_int_equal(m.id, 9);
	assert_int_equal(m.payload.left, 4);
	assert_int_equal(m.fd, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_receive),
	    TEST(test_send),
	    TEST(test_pass_descriptor),
	    TEST(test_hostile_records),
	    TEST(test_largest),
	    TEST(test_peer_closes),
	    TEST(test_empty_record),
	    TEST(test_free_in_message),
	    TEST(test_flood),
	    TEST(test_hanging_peer),
	    TEST(test_free_with_queue),
	    TEST(test_peer_closes_with_queue),
	    TEST(test_bad_descriptor),
	    TEST(test_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
