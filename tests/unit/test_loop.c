/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_loop.c: descriptors, timers, signals, children, and above all: every
 * watcher may be freed inside any callback (ASan looks on).
 */
#include "base/loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct loop *loop;
	struct loop_fd *fd;
	struct loop_timer *timer, *other;
	struct loop_signal *sig;
	struct loop_child *child;
	int pipe[2];
	int calls, events, signo, status;
	pid_t pid;
	uint64_t fake_ms, seen_ms[4];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL || pipe2(f->pipe, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	f->loop = loop_new();
	*state = f;
	return f->loop == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	loop_free(f->loop); /* frees what a test left */
	close(f->pipe[0]);
	close(f->pipe[1]);
	free(f);
	return 0;
}

static void
on_timer_free_self(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
	loop_timer_free(f->timer);
	f->timer = NULL;
}

static void
on_timer_free_other(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
	loop_timer_free(f->other);
	f->other = NULL;
	loop_timer_free(f->timer);
	f->timer = NULL;
}

static void
on_timer_stop(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
	loop_stop(f->loop);
}

static void
on_timer_again(void *ctx)
{
	struct fixture *f = ctx;

	if (++f->calls < 5)
		loop_timer_set(f->timer, 0);
	else
		loop_stop(f->loop);
}

static void
test_timer_frees_itself(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_new(f->loop, on_timer_free_self, f);
	loop_timer_set(f->timer, 0);
	loop_run(f->loop); /* returns: nothing is watched any more */
	assert_int_equal(f->calls, 1);
	assert_null(f->timer);
}

/* Both are due in the same turn; whichever is called first frees the other,
 * which must not be called then. */
static void
test_timer_frees_other(void **state)
{
	struct fixture *f = *state;
	struct loop_timer *a, *b;

	a = loop_timer_new(f->loop, on_timer_free_other, f);
	b = loop_timer_new(f->loop, on_timer_free_other, f);
	f->timer = a;
	f->other = b;
	loop_timer_set(a, 0);
	loop_timer_set(b, 0);
	loop_run_once(f->loop, true);
	assert_int_equal(f->calls, 1);
	loop_run_once(f->loop, false);
	assert_int_equal(f->calls, 1);
}

static void
test_timer_rearms(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_new(f->loop, on_timer_again, f);
	loop_timer_set(f->timer, 1);
	loop_run(f->loop);
	assert_int_equal(f->calls, 5);
}

static void
test_timer_cancel(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_new(f->loop, on_timer_stop, f);
	loop_timer_set(f->timer, 0);
	loop_timer_cancel(f->timer);
	loop_timer_cancel(f->timer);
	loop_run_once(f->loop, false);
	assert_int_equal(f->calls, 0);
	loop_timer_set(f->timer, UINT64_MAX);
	loop_run_once(f->loop, false);
	assert_int_equal(f->calls, 0);
	loop_timer_set(f->timer, 0); /* the last set counts */
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
}

static void
on_timer_deadline(void *ctx)
{
	struct fixture *f = ctx;

	f->seen_ms[f->calls++] = loop_now_ms(f->loop);
	loop_stop(f->loop);
}

/* The clock never shows less than the deadline when a timer fires, and stands
 * still during a turn. */
static void
test_clock(void **state)
{
	struct fixture *f = *state;
	uint64_t start_ms = loop_now_ms(f->loop);

	f->timer = loop_timer_new(f->loop, on_timer_deadline, f);
	loop_timer_set(f->timer, 3);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
	assert_true(f->seen_ms[0] >= start_ms + 3);
	assert_true(loop_now_ms(f->loop) == f->seen_ms[0]);
}

static uint64_t
fake_clock(void *ctx)
{
	struct fixture *f = ctx;

	return f->fake_ms;
}

static void
test_fake_clock(void **state)
{
	struct fixture *f = *state;

	f->fake_ms = 12345;
	loop_set_clock(f->loop, fake_clock, f);
	assert_true(loop_now_ms(f->loop) == 12345);
	f->fake_ms += 86400000;
	assert_true(loop_now_ms(f->loop) == 86412345);
	loop_set_clock(f->loop, NULL, NULL);
	assert_true(loop_now_ms(f->loop) != 86412345);
}

static void
on_fd(void *ctx, int events)
{
	struct fixture *f = ctx;
	char c;

	f->calls++;
	f->events = events;
	if ((events & LOOP_READ) != 0)
		assert_int_equal(read(f->pipe[0], &c, 1), 1);
}

static void
on_fd_free_self(void *ctx, int events)
{
	struct fixture *f = ctx;

	(void)events;
	f->calls++;
	loop_fd_free(f->fd);
	f->fd = NULL;
}

static void
test_fd(void **state)
{
	struct fixture *f = *state;

	f->fd = loop_fd_new(f->loop, f->pipe[0], LOOP_READ, on_fd, f);
	loop_run_once(f->loop, false);
	assert_int_equal(f->calls, 0);
	assert_int_equal(write(f->pipe[1], "ab", 2), 2);
	loop_run_once(f->loop, true);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->events, LOOP_READ);
	loop_fd_set(f->fd, 0);
	loop_run_once(f->loop, false);
	assert_int_equal(f->calls, 1);
	loop_fd_set(f->fd, LOOP_READ);
	loop_run_once(f->loop, true);
	assert_int_equal(f->calls, 2);
	loop_fd_free(f->fd);
	f->fd = loop_fd_new(f->loop, f->pipe[1], LOOP_WRITE, on_fd, f);
	loop_run_once(f->loop, true);
	assert_int_equal(f->events, LOOP_WRITE);
}

static void
test_fd_frees_itself(void **state)
{
	struct fixture *f = *state;

	f->fd =
	    loop_fd_new(f->loop, f->pipe[1], LOOP_WRITE, on_fd_free_self, f);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
}

static void
on_signal(void *ctx, int signo)
{
	struct fixture *f = ctx;

	f->signo = signo;
	loop_signal_free(f->sig);
	f->sig = NULL;
	loop_stop(f->loop);
}

static void
test_signal(void **state)
{
	struct fixture *f = *state;

	f->sig = loop_signal_new(f->loop, SIGUSR1, on_signal, f);
	assert_int_equal(raise(SIGUSR1), 0);
	loop_run(f->loop);
	assert_int_equal(f->signo, SIGUSR1);
}

static void
on_child(void *ctx, pid_t pid, int status)
{
	struct fixture *f = ctx;

	f->pid = pid;
	f->status = status;
	loop_child_free(f->child);
	f->child = NULL;
	loop_stop(f->loop);
}

static void
test_child(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		_exit(42);
	f->child = loop_child_new(f->loop, pid, on_child, f);
	assert_non_null(f->child);
	loop_run(f->loop);
	assert_int_equal(f->pid, pid);
	assert_true(WIFEXITED(f->status));
	assert_int_equal(WEXITSTATUS(f->status), 42);
}

static void
test_stop_before_run(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_new(f->loop, on_timer_stop, f);
	loop_timer_set(f->timer, 0);
	loop_stop(f->loop);
	loop_run(f->loop);
	assert_int_equal(f->calls, 0);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
}

static void
test_second_loop(void **state)
{
	struct fixture *f = *state;
	struct loop *second = loop_new();

	assert_non_null(second);
	f->timer = loop_timer_new(second, on_timer_free_self, f);
	loop_timer_set(f->timer, 0);
	loop_run(second);
	assert_int_equal(f->calls, 1);
	assert_null(loop_child_new(second, 1, on_child, f));
	loop_free(second);
}

static void
test_free_null(void **state)
{
	struct fixture *f = *state;

	loop_fd_free(NULL);
	loop_timer_free(NULL);
	loop_signal_free(NULL);
	loop_child_free(NULL);
	loop_free(NULL);
	/* left for loop_free() */
	f->timer = loop_timer_new(f->loop, on_timer_stop, f);
	loop_timer_set(f->timer, 1000);
	f->fd = loop_fd_new(f->loop, f->pipe[0], LOOP_READ, on_fd, f);
	f->sig = loop_signal_new(f->loop, SIGUSR2, on_signal, f);
	f->child = loop_child_new(f->loop, getppid(), on_child, f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_timer_frees_itself),
	    TEST(test_timer_frees_other),
	    TEST(test_timer_rearms),
	    TEST(test_timer_cancel),
	    TEST(test_clock),
	    TEST(test_fake_clock),
	    TEST(test_fd),
	    TEST(test_fd_frees_itself),
	    TEST(test_signal),
	    TEST(test_child),
	    TEST(test_stop_before_run),
	    TEST(test_second_loop),
	    TEST(test_free_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
