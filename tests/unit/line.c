/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * line.c: a loop and the far end of a line (contract in line.h).
 */
#include "tests/unit/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

void
line_start(struct line *l)
{
	l->fd = -1;
	l->loop = loop_new();
	assert_non_null(l->loop);
}

int
line_start_stream(struct line *l)
{
	int fds[2];

	line_start(l);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	l->fd = fds[0];
	return fds[1];
}

void
line_turn(struct line *l)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		loop_run_once(l->loop, false);
}

void
line_stop(struct line *l)
{
	loop_free(l->loop);
	if (l->fd >= 0)
		close(l->fd);
}
