/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring.h: messages from one thread to one other, in order, without a lock. The
 * producer writes in place, the consumer reads in place. A consumer that has
 * nothing to do waits for the ring's descriptor.
 *
 * Owner: whoever made it, when both threads are done with it.
 */
#ifndef ADIT_BASE_RING_H
#define ADIT_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

#define RING_ALIGN 16 /* of a message, bytes */

/* bytes: of the ring, a power of two, 4096 at least. A message may have a
 * quarter of them. NULL: no memory or descriptor. */
struct ring *ring_new(size_t bytes);
void ring_free(struct ring *r); /* NULL is fine */

/* Producer: room for a message of n bytes that leaves so many bytes of the
 * ring free for more important ones. NULL: there is none. Ends with
 * ring_commit(). */
void *ring_reserve(struct ring *r, size_t n, size_t leave_bytes);
/* Of the last ring_reserve(). The consumer sees it from now on, but may be
 * asleep until ring_wake(). */
void ring_commit(struct ring *r);
/* After one or more messages. */
void ring_wake(struct ring *r);

/* Consumer: the oldest message and its bytes, NULL: none. It stays valid until
 * ring_drop(). */
void *ring_peek(struct ring *r, size_t *ret_bytes);
void ring_drop(struct ring *r);
/* To wait for: readable after a ring_wake() since ring_sleep(). */
int ring_fd(const struct ring *r);
/* There was nothing left: true, or false when something has come meanwhile. */
bool ring_sleep(struct ring *r);

#endif
