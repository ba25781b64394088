/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring.c: a queue of one producer and one consumer (contract in ring.h). head
 * and tail only grow; a message lies in one piece, so the end of the ring may
 * be skipped. Owns its memory and an eventfd. Trusts both threads.
 */
#include "base/ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LINE_BYTES 64
#define SKIP       UINT32_MAX /* instead of a length: go on at the start */

struct head { /* of a message */
	_Alignas(RING_ALIGN) uint32_t bytes;
};

struct ring {
	/* the producer's line */
	_Alignas(LINE_BYTES) atomic_size_t head;
	size_t seen_tail;
	size_t reserved; /* head after ring_commit() */
	/* the consumer's line */
	_Alignas(LINE_BYTES) atomic_size_t tail;
	size_t seen_head;
	atomic_bool asleep;
	/* of both, never written */
	_Alignas(LINE_BYTES) size_t bytes;
	int fd;
	uint8_t *data;
};

struct ring *
ring_new(size_t bytes)
{
	struct ring *r = aligned_alloc(LINE_BYTES, sizeof(*r));

	if (r == NULL)
		return NULL;
	*r = (struct ring){.bytes = bytes};
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
	atomic_init(&r->asleep, true);
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->data = aligned_alloc(LINE_BYTES, bytes);
	if (r->fd < 0 || r->data == NULL) {
		ring_free(r);
		return NULL;
	}
	return r;
}

void
ring_free(struct ring *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		close(r->fd);
	free(r->data);
	free(r);
}

static struct head *
head_at(const struct ring *r, size_t position)
{
	return (void *)(r->data + (position & (r->bytes - 1)));
}

static size_t
whole(size_t n)
{
	return sizeof(struct head) +
	    ((n + RING_ALIGN - 1) & ~(size_t)(RING_ALIGN - 1));
}

void *
ring_reserve(struct ring *r, size_t n, size_t leave_bytes)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	size_t to_end = r->bytes - (head & (r->bytes - 1));
	size_t need = whole(n), skip = need > to_end ? to_end : 0;
	size_t want = skip + need + leave_bytes;

	if (n > r->bytes / 4)
		return NULL;
	if (r->bytes - (head - r->seen_tail) < want) {
		r->seen_tail =
		    atomic_load_explicit(&r->tail, memory_order_acquire);
		if (r->bytes - (head - r->seen_tail) < want)
			return NULL;
	}
	if (skip > 0)
		head_at(r, head)->bytes = SKIP;
	head += skip;
	head_at(r, head)->bytes = (uint32_t)n;
	r->reserved = head + need;
	return head_at(r, head) + 1;
}

void
ring_commit(struct ring *r)
{
	atomic_store_explicit(&r->head, r->reserved, memory_order_release);
}

/* Either this sees that the consumer sleeps, or ring_sleep() sees the message:
 * both are sequentially consistent. */
void
ring_wake(struct ring *r)
{
	const uint64_t one = 1;
	ssize_t n;

	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load(&r->asleep) || !atomic_exchange(&r->asleep, false))
		return;
	n = write(r->fd, &one, sizeof(one));
	(void)n; /* EAGAIN: 2^64 wake-ups are already waiting */
}

void *
ring_peek(struct ring *r, size_t *ret_bytes)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	struct head *h;

	if (tail == r->seen_head) {
		r->seen_head =
		    atomic_load_explicit(&r->head, memory_order_acquire);
		if (tail == r->seen_head)
			return NULL;
	}
	h = head_at(r, tail);
	if (h->bytes == SKIP) {
		tail += r->bytes - (tail & (r->bytes - 1));
		atomic_store_explicit(&r->tail, tail, memory_order_release);
		h = head_at(r, tail); /* it came in the same commit */
	}
	*ret_bytes = h->bytes;
	return h + 1;
}

void
ring_drop(struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	tail += whole(head_at(r, tail)->bytes);
	atomic_store_explicit(&r->tail, tail, memory_order_release);
}

int
ring_fd(const struct ring *r)
{
	return r->fd;
}

bool
ring_sleep(struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint64_t wakes;
	ssize_t n;

	n = read(r->fd, &wakes, sizeof(wakes));
	(void)n; /* EAGAIN: there was none */
	atomic_store(&r->asleep, true);
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load(&r->head) == tail)
		return true;
	atomic_store(&r->asleep, false);
	return false;
}
