/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervise.h: runs programs in the foreground and starts them again: what adit
 * run and adit connect share.
 */
#ifndef ADIT_CLI_SUPERVISE_H
#define ADIT_CLI_SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"

#define SUPERVISED_MAX 2

struct cli;

struct supervised {
	const char *name;
	const char *argv[9]; /* NULL at the end */
	int keep_fd;         /* stays open in it; 0: none */
};

/* All borrowed while supervise() runs. */
struct supervise {
	struct supervised table[SUPERVISED_MAX]; /* in the order of stopping */
	size_t count;
	const char *environment; /* "NAME=VALUE" */
	bool quiet;              /* show no output */
	/* One ended by itself, with this status of wait(2). False: all are to
	 * end. NULL: it is always started again. */
	bool (*again)(void *ctx, const struct supervised *s, int status);
	void *ctx;
};

/* Until a signal has ended all of them. Exit status. */
int supervise(struct loop *loop, const struct supervise *plan);

/* Makes c->conf.run_dir and takes the lock adit.pid in it; the descriptor is
 * kept open. Exit status. */
int supervise_lock(struct cli *c, int *ret_fd);

#endif
