/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * imsg.c: typed messages with descriptor passing (contract in imsg.h).
 *
 * Owns its socket, the queue of what could not be sent, and any descriptor
 * between the kernel and the callback. Trusts nothing of the peer: record
 * length, type and descriptors are checked here; descriptors that are too many
 * or not expected are closed before the channel ends. Reads at most READ_BURST
 * records a turn, so a flooding peer does not starve the loop.
 *
 * Messages may carry keys: buffers are wiped after use.
 */
#include "base/imsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/wr.h"

#define QUEUE_MAX  4096 /* messages */
#define READ_BURST 32   /* records a turn */
#define FDS_MAX    4    /* received at once; more are closed by the kernel */

struct queued {
	STAILQ_ENTRY(queued) link;
	int fd; /* owned, or -1 */
	uint32_t type, id;
	size_t payload_bytes;
	uint8_t payload[];
};

struct imsg_channel {
	struct loop_fd *watch;
	int fd;
	const struct imsg_ops *ops;
	void *ctx;
	bool over;   /* closed() was called, or the peer is gone */
	bool *freed; /* of the callback that is running, or NULL */
	STAILQ_HEAD(, queued) queue;
	size_t queued;
};

/* Room for one or FDS_MAX descriptors, aligned as the kernel wants it. */
union control {
	struct cmsghdr align;
	uint8_t one[CMSG_SPACE(sizeof(int))];
	uint8_t many[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

static void on_ready(void *ctx, int events);

struct imsg_channel *
imsg_new(struct loop *l, int fd, const struct imsg_ops *ops, void *ctx)
{
	struct imsg_channel *c;
	int flags;

	c = calloc(1, sizeof(*c));
	if (c == NULL)
		goto fail;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		goto fail;
	c->fd = fd;
	c->ops = ops;
	c->ctx = ctx;
	STAILQ_INIT(&c->queue);
	c->watch = loop_fd_new(l, fd, LOOP_READ, on_ready, c);
	if (c->watch == NULL)
		goto fail;
	return c;
fail:
	free(c);
	close(fd);
	return NULL;
}

static void
queue_drop_first(struct imsg_channel *c)
{
	struct queued *q = STAILQ_FIRST(&c->queue);

	STAILQ_REMOVE_HEAD(&c->queue, link);
	c->queued--;
	if (q->fd >= 0)
		close(q->fd);
	wipe(q->payload, q->payload_bytes);
	free(q);
}

void
imsg_free(struct imsg_channel *c)
{
	if (c == NULL)
		return;
	if (c->freed != NULL)
		*c->freed = true;
	while (!STAILQ_EMPTY(&c->queue))
		queue_drop_first(c);
	loop_fd_free(c->watch);
	close(c->fd);
	free(c);
}

/* The last thing that is done with c: the callback frees it. */
static void
end(struct imsg_channel *c, const char *why)
{
	c->over = true;
	loop_fd_set(c->watch, 0);
	while (!STAILQ_EMPTY(&c->queue))
		queue_drop_first(c);
	c->ops->closed(c->ctx, why);
}

const char *
imsg_decode(const struct imsg_rule *rules, struct rd record, struct imsg *ret)
{
	struct imsg m = {.fd = -1};
	const struct imsg_rule *rule;

	if (!rd_be32(&record, &m.type) || !rd_be32(&record, &m.id))
		return "record too short";
	for (rule = rules; rule->name != NULL; rule++)
		if (rule->type == m.type)
			break;
	if (rule->name == NULL)
		return "unknown message type";
	if (record.left < rule->min_bytes)
		return "message too short";
	if (record.left > rule->max_bytes || record.left > IMSG_PAYLOAD_MAX)
		return "message too long";
	m.payload = record;
	*ret = m;
	return NULL;
}

static bool
refuses_fd(const struct imsg_rule *rules, uint32_t type)
{
	for (; rules->name != NULL; rules++)
		if (rules->type == type)
			return rules->no_fd;
	return false;
}

/* All descriptors of a record. Returns how many; the first goes to *ret, the
 * others are closed. */
static size_t
take_descriptors(struct msghdr *mh, int *ret)
{
	struct cmsghdr *cm;
	size_t i, n, total = 0;
	int fd;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(
			    &fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
			if (total++ == 0)
				*ret = fd;
			else
				close(fd);
		}
	}
	return total;
}

/* One record, checked, to the callback. False: nothing to read, or the
 * channel is over or gone. */
static bool
read_one(struct imsg_channel *c, uint8_t *buf, size_t buf_bytes)
{
	struct iovec iov = {.iov_base = buf, .iov_len = buf_bytes};
	union control control;
	struct msghdr mh = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	const char *why = NULL;
	struct imsg m;
	size_t fds;
	ssize_t n;
	int fd = -1;

	n = recvmsg(c->fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0) {
		if (errno == EINTR)
			return true;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			end(c, errno == ECONNRESET ? NULL : strerror(errno));
		return false;
	}
	fds = take_descriptors(&mh, &fd);
	if (fds > 1 || (mh.msg_flags & MSG_CTRUNC) != 0)
		why = "too many descriptors";
	else if (n == 0) {
		/* the end, or an empty record, which ends the channel too */
		if (fd >= 0)
			close(fd);
		end(c, NULL);
		return false;
	} else if ((mh.msg_flags & MSG_TRUNC) != 0)
		why = "message too long";
	else
		why = imsg_decode(c->ops->rules, rd_init(buf, (size_t)n), &m);
	if (why == NULL && fd >= 0 && refuses_fd(c->ops->rules, m.type))
		why = "descriptor not expected";
	if (why != NULL) {
		if (fd >= 0)
			close(fd);
		wipe(buf, (size_t)n);
		end(c, why);
		return false;
	}
	m.fd = fd;
	c->ops->message(c->ctx, &m); /* may free c */
	wipe(buf, (size_t)n);
	return true;
}

/* Hand one record to the kernel: 0 or -errno. */
static int
send_now(int to, uint32_t type, uint32_t id, const void *payload,
    size_t payload_bytes, int fd)
{
	uint8_t head[IMSG_HEADER_BYTES];
	struct wr w = wr_init(head, sizeof(head));
	struct iovec iov[2] = {
	    {.iov_base = head, .iov_len = sizeof(head)},
	    {.iov_base = (void *)(uintptr_t)payload, .iov_len = payload_bytes},
	};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 2};
	union control control;
	struct cmsghdr *cm;

	wr_be32(&w, type);
	wr_be32(&w, id);
	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = control.one;
		mh.msg_controllen = sizeof(control.one);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	}
	while (sendmsg(to, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK)
			return -EAGAIN;
		return errno == ECONNRESET ? -EPIPE : -errno;
	}
	return 0;
}

/* Send what is queued. False: the channel is over. */
static bool
flush_queue(struct imsg_channel *c)
{
	struct queued *q;
	int rc;

	while ((q = STAILQ_FIRST(&c->queue)) != NULL) {
		rc = send_now(
		    c->fd, q->type, q->id, q->payload, q->payload_bytes, q->fd);
		if (rc == -EAGAIN)
			return true;
		if (rc < 0) {
			end(c, rc == -EPIPE ? NULL : strerror(-rc));
			return false;
		}
		queue_drop_first(c);
	}
	loop_fd_set(c->watch, LOOP_READ);
	return true;
}

static void
on_ready(void *ctx, int events)
{
	uint8_t buf[IMSG_HEADER_BYTES + IMSG_PAYLOAD_MAX];
	struct imsg_channel *c = ctx;
	bool freed = false, *outer = c->freed;
	int i;

	c->freed = &freed;
	for (i = 0; i < READ_BURST && (events & LOOP_READ) != 0; i++) {
		if (!read_one(c, buf, sizeof(buf)) || freed)
			break;
	}
	if (!freed && !c->over && (events & LOOP_WRITE) != 0)
		flush_queue(c);
	if (!freed)
		c->freed = outer;
	else if (outer != NULL)
		*outer = true;
}

static int
queue_add(struct imsg_channel *c, uint32_t type, uint32_t id,
    const void *payload, size_t payload_bytes, int fd)
{
	struct queued *q;

	if (c->queued >= QUEUE_MAX)
		return -ENOBUFS;
	q = calloc(1, sizeof(*q) + payload_bytes);
	if (q == NULL)
		return -ENOMEM;
	q->fd = -1;
	if (fd >= 0) {
		q->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (q->fd < 0) {
			free(q);
			return -errno;
		}
	}
	q->type = type;
	q->id = id;
	q->payload_bytes = payload_bytes;
	if (payload_bytes > 0)
		memcpy(q->payload, payload, payload_bytes);
	STAILQ_INSERT_TAIL(&c->queue, q, link);
	c->queued++;
	loop_fd_set(c->watch, LOOP_READ | LOOP_WRITE);
	return 0;
}

int
imsg_send(struct imsg_channel *c, uint32_t type, uint32_t id,
    const void *payload, size_t payload_bytes, int fd)
{
	int rc = -EAGAIN;

	if (payload_bytes > IMSG_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (c->over)
		return -EPIPE;
	if (c->queued == 0) /* else it would overtake */
		rc = send_now(c->fd, type, id, payload, payload_bytes, fd);
	if (rc == -EAGAIN)
		rc = queue_add(c, type, id, payload, payload_bytes, fd);
	return rc; /* the end itself is told by the loop */
}
