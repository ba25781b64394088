/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * line.h: for tests of what talks over a unix socket: a loop, and the far end
 * of the line, which the test plays. Everything arrives at once.
 */
#ifndef ADIT_TESTS_LINE_H
#define ADIT_TESTS_LINE_H

#include "base/loop.h"

struct line {
	struct loop *loop;
	int fd; /* the far end; -1: none. Closed by line_stop() */
};

/* All assert. */
void line_start(struct line *l);
/* The same with a stream; returns the near end (adopted by the caller). */
int line_start_stream(struct line *l);
void line_turn(struct line *l); /* until all is worked off */
void line_stop(struct line *l);

#endif
