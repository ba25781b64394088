/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_log.c: the registry, lines, what a peer can put into them, and how many
 * a peer can cause.
 */
#include "base/log.h"

#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char last[4096];
static enum log_level last_level;
static unsigned int lines;
static uint64_t now_ms;

static void
sink(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	snprintf(last, sizeof(last), "%s", line);
	last_level = level;
	lines++;
}

static uint64_t
clock_ms(void *ctx)
{
	(void)ctx;
	return now_ms;
}

static int
setup(void **state)
{
	(void)state;
	lines = 0;
	last[0] = '\0';
	log_open("test", true, LOG_LEVEL_DEBUG);
	log_set_sink(sink, NULL);
	log_set_clock(clock_ms, NULL);
	return 0;
}

static void
test_registry(void **state)
{
	const char *name, *p;
	int i, j;

	(void)state;
	for (i = 0; i < MSG_COUNT_; i++) {
		name = log_msg_name((enum log_msg)i);
		for (p = name; *p != '\0'; p++)
			assert_true(islower((unsigned char)*p) ||
			    isdigit((unsigned char)*p) || *p == '-');
		assert_true(p > name);
		for (j = 0; j < i; j++)
			assert_string_not_equal(
			    name, log_msg_name((enum log_msg)j));
		assert_true(strlen(log_msg_meaning((enum log_msg)i)) > 5);
		assert_true(strlen(log_msg_advice((enum log_msg)i)) > 5);
	}
}

static void
test_line(void **state)
{
	(void)state;
	log_msg(MSG_STARTED, "version=%s", "0.1.0");
	assert_string_equal(last, "started version=0.1.0");
	assert_int_equal(last_level, LOG_LEVEL_INFO);
	log_msg(MSG_STOPPING, "%s", "");
	assert_string_equal(last, "stopping");
	log_msg(MSG_BUG, "a=%d", -1);
	assert_string_equal(last, "internal-error a=-1");
	assert_int_equal(last_level, LOG_LEVEL_ERROR);
}

static void
test_level(void **state)
{
	(void)state;
	log_open("test", true, LOG_LEVEL_ERROR);
	log_msg(MSG_STARTED, "a=%d", 1);
	assert_int_equal(lines, 0);
	log_msg(MSG_BUG, "a=%d", 1);
	assert_int_equal(lines, 1);
}

/* Even what was not cleaned cannot begin a line of its own. */
static void
test_no_control_bytes(void **state)
{
	(void)state;
	log_msg(MSG_STARTED, "a=%s", "x\nfake\x1b[31m\x80\x7f\ty");
	assert_string_equal(last, "started a=x?fake?[31m???y");
}

static void
test_long_line(void **state)
{
	char big[5000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_msg(MSG_STARTED, "a=%s", big);
	assert_in_range(strlen(last), 900, 1023);
}

/* Some message of a peer level; the registry has one from the first peer. */
static enum log_msg
peer_message(void)
{
	static const bool is_peer[] = {
#define MSG(id, name, level, meaning, advice)                                  \
	[MSG_##id] = sizeof(#level) > 5 &&                                     \
	    #level[sizeof(#level) - 2] == 'R' &&                               \
	    #level[sizeof(#level) - 6] == '_',
#include "base/msgs.def"
#undef MSG
	};
	int i;

	for (i = 0; i < MSG_COUNT_; i++)
		if (is_peer[i])
			return (enum log_msg)i;
	fail_msg("no message of a peer level");
	return MSG_COUNT_;
}

static void
test_rate_limit(void **state)
{
	enum log_msg id = peer_message();
	int i;

	(void)state;
	now_ms = 1000;
	log_set_clock(clock_ms, NULL);
	for (i = 0; i < 1000; i++)
		log_msg(id, "i=%d", i);
	assert_int_equal(lines, 20);
	assert_non_null(strstr(last, " i=19"));
	now_ms += 500;
	log_msg(id, "i=%d", i);
	assert_int_equal(lines, 21);
	assert_non_null(strstr(last, " i=1000 dropped=980"));
	now_ms += 500;
	log_msg(id, "i=%d", i);
	assert_int_equal(lines, 22);
	assert_null(strstr(last, "dropped"));
	/* other messages are not held back */
	for (i = 0; i < 100; i++)
		log_msg(MSG_STARTED, "i=%d", i);
	assert_int_equal(lines, 122);
}

/* A day of flood at 1,000 lines a second is at most 2 lines a second. */
static void
test_flood(void **state)
{
	enum log_msg id = peer_message();
	unsigned int i;

	(void)state;
	for (i = 0; i < 100000; i++, now_ms++)
		log_msg(id, "i=%u", i);
	assert_in_range(lines, 200, 221);
}

static void
test_clean(void **state)
{
	static const struct {
		const char *in;
		size_t n, room;
		const char *out;
	} rows[] = {
	    {"alice", 5, 64, "alice"},
	    {"", 0, 64, "-"},
	    {"CORP\\bob", 8, 64, "CORP\\x5cbob"},
	    {"a b=\"c\"", 7, 64, "a\\x20b\\x3d\\x22c\\x22"},
	    {"a\nev=x", 6, 64, "a\\x0aev\\x3dx"},
	    {"\x00\x7f\xff~!", 5, 64, "\\x00\\x7f\\xff~!"},
	    {"abcdef", 6, 4, "abc"},
	    {"ab\ncd", 5, 6, "ab"}, /* an escape is whole or not there */
	    {"ab\ncd", 5, 7, "ab\\x0a"},
	    {"abc", 3, 1, ""},
	};
	char buf[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(buf, 'Z', sizeof(buf));
		assert_ptr_equal(
		    log_clean(rows[i].in, rows[i].n, buf, rows[i].room), buf);
		assert_string_equal(buf, rows[i].out);
		if (rows[i].room < sizeof(buf))
			assert_int_equal(buf[rows[i].room], 'Z');
	}
}

/* As a person sees it: time, process and id, level, the line. */
static void
test_stderr(void **state)
{
	char path[] = "/tmp/adit-test-log-XXXXXX", got[512] = "", want[64];
	int fd, saved;

	(void)state;
	fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	log_set_sink(NULL, NULL);
	saved = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	log_msg(MSG_STARTED, "assoc=%d", 7);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_true(pread(fd, got, sizeof(got) - 1, 0) > 0);
	close(fd);
	snprintf(want, sizeof(want), "Z test[%ld] info started assoc=7\n",
	    (long)getpid());
	assert_int_equal(strlen(got), 19 + strlen(want));
	assert_string_equal(got + 19, want);
	assert_int_equal(got[4], '-');
	assert_int_equal(got[10], 'T');
	assert_int_equal(got[16], ':');
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_registry),
	    TEST(test_line),
	    TEST(test_level),
	    TEST(test_no_control_bytes),
	    TEST(test_long_line),
	    TEST(test_rate_limit),
	    TEST(test_flood),
	    TEST(test_clean),
	    TEST(test_stderr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
