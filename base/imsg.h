/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * imsg.h: typed, length-checked messages between our own processes, over
 * SOCK_SEQPACKET (one message is one record), with at most one descriptor.
 * Record: be32 type, be32 id, payload. The receiver checks the payload's
 * length against what its table says for the type before anyone looks at it;
 * a record that is too short, too long or of unknown type ends the channel.
 *
 * Trust: the engine is treated as hostile by monitor and authority.
 */
#ifndef ADIT_BASE_IMSG_H
#define ADIT_BASE_IMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/rd.h"

#define IMSG_HEADER_BYTES 8
#define IMSG_PAYLOAD_MAX  16384 /* bytes */

struct imsg_channel;

struct imsg {
	uint32_t type;
	uint32_t id;       /* chosen by the sender of a request; echoed */
	struct rd payload; /* borrowed for the callback */
	int fd;            /* -1, or adopted by the callback: it must close */
};

/* One row per message type that this side accepts. */
struct imsg_rule {
	uint32_t type;
	const char *name;
	size_t min_bytes; /* of the payload */
	size_t max_bytes;
	bool no_fd; /* a descriptor with it ends the channel (and is closed);
		     * false: the callback adopts it */
};

struct imsg_ops {
	const struct imsg_rule *rules; /* borrowed; last row has name NULL */
	/* A message that passed its rule. */
	void (*message)(void *ctx, struct imsg *m);
	/* The channel is over: the peer closed it (why NULL) or broke a rule
	 * (why says which, borrowed for the call). The callback frees the
	 * channel. Never called from inside imsg_send(). */
	void (*closed)(void *ctx, const char *why);
};

/* The decoder alone, for tests and fuzzers: record (borrowed) to ret (fd is
 * left -1). NULL, or why the record breaks the rules. */
const char *imsg_decode(
    const struct imsg_rule *rules, struct rd record, struct imsg *ret);

/* fd: adopted, a connected SOCK_SEQPACKET socket; made non-blocking.
 * NULL: no memory; fd is closed then, too. */
struct imsg_channel *imsg_new(
    struct loop *l, int fd, const struct imsg_ops *ops, void *ctx);
void imsg_free(struct imsg_channel *c); /* NULL is fine */

/* Queue and send. payload: borrowed, copied when it cannot be sent at once.
 * fd: -1, or borrowed (it is duplicated by the kernel).
 * 0; -EMSGSIZE; -ENOBUFS when 4,096 messages are queued (peer hangs);
 * -EPIPE after the end. */
int imsg_send(struct imsg_channel *c, uint32_t type, uint32_t id,
    const void *payload, size_t payload_bytes, int fd);

#endif
