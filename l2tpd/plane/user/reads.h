/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reads.h: many reads of one descriptor in one system call (io_submit(2)), for
 * devices that give a packet a read. The descriptor does not block, so every
 * read is over when the call returns.
 */
#ifndef ADIT_PLANE_USER_READS_H
#define ADIT_PLANE_USER_READS_H

#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define READS_MAX 32 /* a call */

struct reads {
	aio_context_t ctx; /* 0: the kernel has none for us */
	struct iocb cb[READS_MAX], *list[READS_MAX];
	ssize_t result[READS_MAX]; /* of the last reads_run(), -errno */
};

/* bufs: READS_MAX buffers of buf_bytes, one behind the other; borrowed, as is
 * fd. False: this kernel, or its sandbox, does not do that; nothing is to be
 * undone. */
bool reads_init(struct reads *r, int fd, uint8_t *bufs, size_t buf_bytes);
void reads_fini(struct reads *r);

/* The next n packets into the first n buffers, in their order; results are in
 * .result. How many reads were made; 0: none can be made any more. */
size_t reads_run(struct reads *r, size_t n);

#endif
