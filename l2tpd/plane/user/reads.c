/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reads.c: many reads in one system call (contract in reads.h). Owns the AIO
 * context. Not by libaio, whose io_getevents() guesses the layout of the
 * kernel's ring: the four calls are all there is to it.
 */
#include "l2tpd/plane/user/reads.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

bool
reads_init(struct reads *r, int fd, uint8_t *bufs, size_t buf_bytes)
{
	size_t i;

	memset(r, 0, sizeof(*r));
	if (syscall(SYS_io_setup, READS_MAX, &r->ctx) < 0) {
		r->ctx = 0;
		return false;
	}
	for (i = 0; i < READS_MAX; i++) {
		r->cb[i] = (struct iocb){
		    .aio_data = i,
		    .aio_lio_opcode = IOCB_CMD_PREAD,
		    .aio_fildes = (uint32_t)fd,
		    .aio_buf = (uintptr_t)(bufs + i * buf_bytes),
		    .aio_nbytes = buf_bytes,
		};
		r->list[i] = &r->cb[i];
	}
	return true;
}

void
reads_fini(struct reads *r)
{
	if (r->ctx != 0)
		syscall(SYS_io_destroy, r->ctx);
	r->ctx = 0;
}

/* As many as were submitted: they are over. */
static void
collect(struct reads *r, size_t n)
{
	struct io_event done[READS_MAX];
	size_t got = 0;
	long k, i;

	while (got < n) {
		k = syscall(SYS_io_getevents, r->ctx, (long)(n - got),
		    (long)READS_MAX, done, NULL);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return; /* not possible with a context that works */
		for (i = 0; i < k; i++)
			r->result[done[i].data] = (ssize_t)done[i].res;
		got += (size_t)k;
	}
}

size_t
reads_run(struct reads *r, size_t n)
{
	size_t i;
	long k;

	for (i = 0; i < n; i++)
		r->result[i] = -EAGAIN;
	k = syscall(SYS_io_submit, r->ctx, (long)n, r->list);
	if (k <= 0)
		return 0;
	collect(r, (size_t)k);
	return (size_t)k;
}
