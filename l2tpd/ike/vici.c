/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vici.c: the asynchronous vici client (contract in vici.h).
 *
 * Owns its socket, the queue of requests and one receive buffer that grows to
 * the packet at hand. charon's protocol has no request numbers: one request is
 * under way at a time, answers belong to it, events may come between. Trusts
 * charon to be who it is (a root-owned socket), not to be right: lengths and
 * operations are checked, anything out of order ends the connection.
 */
#include "l2tpd/ike/vici.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"

#define LENGTH_BYTES   4
#define READ_BYTES_MIN 4096
#define READ_BURST     32 /* packets a turn */
#define HEAD_BYTES_MAX (LENGTH_BYTES + 2 + VICI_NAME_MAX)

enum operation { /* vici/README.md, "Packets" */
	OP_CMD_REQUEST = 0,
	OP_CMD_RESPONSE = 1,
	OP_CMD_UNKNOWN = 2,
	OP_EVENT_REGISTER = 3,
	OP_EVENT_UNREGISTER = 4,
	OP_EVENT_CONFIRM = 5,
	OP_EVENT_UNKNOWN = 6,
	OP_EVENT = 7,
};

struct request {
	STAILQ_ENTRY(request) link;
	enum operation op;
	vici_reply_fn *reply;
	void *ctx;
	void (*dropped)(void *ctx);                 /* or NULL */
	void (*each)(void *ctx, struct rd message); /* of list-sas events */
	size_t packet_bytes;
	uint8_t packet[];
};

struct vici {
	struct loop *loop; /* borrowed */
	struct loop_fd *watch;
	struct loop_timer *ending; /* tells closed() outside of any call */
	int fd;                    /* owned */
	const struct vici_ops *ops;
	void *ctx;
	bool over;
	const char *why;
	unsigned int busy; /* depth of enter() */
	bool dead;         /* vici_free() was called while busy */

	STAILQ_HEAD(, request) queue; /* the first one is under way */
	size_t queued;
	size_t sent; /* bytes of the first one's packet */

	uint8_t *in; /* owned; be32 length and what follows */
	size_t in_cap, in_len;
};

/* Around every callback: the owner may free v inside. */
static void
enter(struct vici *v)
{
	v->busy++;
}

/* False: v is gone. */
static bool
leave(struct vici *v)
{
	bool dead = v->dead;

	if (--v->busy == 0 && dead)
		free(v);
	return !dead;
}

static void on_ready(void *ctx, int events);
static void on_ending(void *ctx);

struct vici *
vici_new(struct loop *l, int fd, const struct vici_ops *ops, void *ctx)
{
	struct vici *v;
	int flags;

	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return NULL;
	v->loop = l;
	v->fd = fd;
	v->ops = ops;
	v->ctx = ctx;
	STAILQ_INIT(&v->queue);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		goto fail;
	v->ending = loop_timer_new(l, on_ending, v);
	v->watch = loop_fd_new(l, fd, LOOP_READ, on_ready, v);
	if (v->ending == NULL || v->watch == NULL)
		goto fail;
	return v;
fail:
	loop_timer_free(v->ending);
	loop_fd_free(v->watch);
	free(v);
	return NULL;
}

/* Takes the first request off the queue; the caller frees it. */
static struct request *
shift(struct vici *v)
{
	struct request *q = STAILQ_FIRST(&v->queue);

	if (q != NULL) {
		STAILQ_REMOVE_HEAD(&v->queue, link);
		v->queued--;
		v->sent = 0;
	}
	return q;
}

static void
request_free(struct request *q)
{
	wipe(q->packet, q->packet_bytes);
	free(q);
}

void
vici_free(struct vici *v)
{
	struct request *q;

	if (v == NULL)
		return;
	while ((q = shift(v)) != NULL) {
		if (q->dropped != NULL)
			q->dropped(q->ctx);
		request_free(q);
	}
	loop_timer_free(v->ending);
	loop_fd_free(v->watch);
	close(v->fd);
	free(v->in);
	v->in = NULL;
	v->dead = true;
	if (v->busy == 0)
		free(v);
}

/* The connection is over: the callbacks come from the loop, never from inside
 * a call of the owner. */
static void
end(struct vici *v, const char *why)
{
	if (v->over)
		return;
	v->over = true;
	v->why = why;
	loop_fd_set(v->watch, 0);
	loop_timer_set(v->ending, 0);
}

static void
on_ending(void *ctx)
{
	struct vici *v = ctx;
	struct request *q;

	enter(v);
	while ((q = shift(v)) != NULL) {
		if (q->reply != NULL)
			q->reply(q->ctx, -ECONNRESET, rd_init(NULL, 0));
		request_free(q);
	}
	if (leave(v))
		v->ops->closed(v->ctx, v->why);
}

/* Send what the socket takes of the first request. */
static void
flush(struct vici *v)
{
	struct request *q = STAILQ_FIRST(&v->queue);
	ssize_t n;

	if (v->over)
		return;
	while (q != NULL && v->sent < q->packet_bytes) {
		n = send(v->fd, q->packet + v->sent, q->packet_bytes - v->sent,
		    MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			end(v, NULL);
			return;
		}
		v->sent += (size_t)n;
	}
	if (q != NULL && v->sent == q->packet_bytes)
		wipe(q->packet, q->packet_bytes);
	loop_fd_set(v->watch,
	    q != NULL && v->sent < q->packet_bytes ? LOOP_READ | LOOP_WRITE
						   : LOOP_READ);
}

static int
enqueue(struct vici *v, enum operation op, const char *name,
    const struct wr *message, vici_reply_fn *reply, void *ctx,
    struct request **ret)
{
	const size_t message_bytes = message != NULL ? message->len : 0;
	const size_t name_bytes = strlen(name);
	const size_t cap = HEAD_BYTES_MAX + message_bytes;
	struct request *q;
	struct wr w;

	if (v->over)
		return -EPIPE;
	if (name_bytes > VICI_NAME_MAX || message_bytes > VICI_PACKET_MAX ||
	    (message != NULL && !wr_ok(message)) ||
	    2 + name_bytes + message_bytes > VICI_PACKET_MAX)
		return -EMSGSIZE;
	if (v->queued >= VICI_QUEUE_MAX)
		return -ENOBUFS;
	q = calloc(1, sizeof(*q) + cap);
	if (q == NULL)
		return -ENOMEM;
	q->op = op;
	q->reply = reply;
	q->ctx = ctx;
	w = wr_init(q->packet, cap);
	wr_be32(&w, (uint32_t)(2 + name_bytes + message_bytes));
	wr_u8(&w, (uint8_t)op);
	wr_u8(&w, (uint8_t)name_bytes);
	wr_bytes(&w, name, name_bytes);
	if (message_bytes > 0)
		wr_bytes(&w, message->buf, message_bytes);
	q->packet_bytes = w.len;
	STAILQ_INSERT_TAIL(&v->queue, q, link);
	if (v->queued++ == 0)
		flush(v);
	if (ret != NULL)
		*ret = q;
	return 0;
}

int
vici_request(struct vici *v, const char *command, const struct wr *message,
    vici_reply_fn *reply, void *ctx)
{
	return enqueue(v, OP_CMD_REQUEST, command, message, reply, ctx, NULL);
}

int
vici_request_owned(struct vici *v, const char *command,
    const struct wr *message, vici_reply_fn *reply, void (*dropped)(void *ctx),
    void *ctx)
{
	struct request *q;
	int rc;

	rc = enqueue(v, OP_CMD_REQUEST, command, message, reply, ctx, &q);
	if (rc == 0)
		q->dropped = dropped;
	return rc;
}

int
vici_register(
    struct vici *v, const char *event, vici_reply_fn *reply, void *ctx)
{
	return enqueue(v, OP_EVENT_REGISTER, event, NULL, reply, ctx, NULL);
}

int
vici_terminate_ike(
    struct vici *v, uint32_t ike_id, vici_reply_fn *reply, void *ctx)
{
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	vici_put_u32(&w, "ike-id", ike_id);
	vici_put_text(&w, "force", "yes");
	vici_put_text(&w, "timeout", "-1"); /* do not wait for the peer */
	return vici_request(v, "terminate", &w, reply, ctx);
}

/* list-sas streams its answer as events, between registering and
 * unregistering (vici/README.md, "list-sas()"). */
int
vici_list_sas(struct vici *v, void (*each)(void *ctx, struct rd message),
    vici_reply_fn *done, void *ctx)
{
	struct request *q;
	int rc;

	if (v->queued + 3 > VICI_QUEUE_MAX)
		return -ENOBUFS;
	rc = enqueue(v, OP_EVENT_REGISTER, "list-sa", NULL, NULL, NULL, NULL);
	if (rc < 0)
		return rc;
	rc = enqueue(v, OP_CMD_REQUEST, "list-sas", NULL, done, ctx, &q);
	if (rc < 0)
		return rc;
	q->each = each;
	/* when this fails, list-sa events go on and nobody listens */
	(void)enqueue(
	    v, OP_EVENT_UNREGISTER, "list-sa", NULL, NULL, NULL, NULL);
	return 0;
}

/* The answer to the first request is there. True: v still lives. */
static bool
answer(struct vici *v, int err, struct rd message)
{
	struct request *q = shift(v);

	flush(v);
	enter(v);
	if (q->reply != NULL)
		q->reply(q->ctx, err, message);
	request_free(q);
	return leave(v);
}

static bool
event(struct vici *v, struct rd *p)
{
	struct request *q = STAILQ_FIRST(&v->queue);
	char name[VICI_NAME_MAX + 1];
	uint8_t n;

	if (!rd_u8(p, &n) || !rd_bytes(p, name, n)) {
		end(v, "event without name");
		return true;
	}
	name[n] = '\0';
	enter(v);
	if (strcmp(name, "list-sa") == 0) {
		if (q != NULL && q->each != NULL)
			q->each(q->ctx, *p);
	} else if (v->ops->event != NULL) {
		v->ops->event(v->ctx, name, *p);
	}
	return leave(v);
}

/* One packet without its length. True: v still lives. */
static bool
packet(struct vici *v, struct rd p)
{
	struct request *q = STAILQ_FIRST(&v->queue);
	const bool command = q != NULL && q->op == OP_CMD_REQUEST;
	uint8_t op;

	if (!rd_u8(&p, &op)) {
		end(v, "empty packet");
		return true;
	}
	if (op == OP_EVENT)
		return event(v, &p);
	if (q == NULL || v->sent < q->packet_bytes) {
		end(v, "answer without a question");
		return true;
	}
	if (command && op == OP_CMD_RESPONSE)
		return answer(v, 0, p);
	if (command && op == OP_CMD_UNKNOWN)
		return answer(v, -EOPNOTSUPP, rd_init(NULL, 0));
	if (!command && op == OP_EVENT_CONFIRM)
		return answer(v, 0, rd_init(NULL, 0));
	if (!command && op == OP_EVENT_UNKNOWN)
		return answer(v, -EOPNOTSUPP, rd_init(NULL, 0));
	end(v, "unexpected operation");
	return true;
}

/* Room for n bytes in the receive buffer. */
static bool
reserve(struct vici *v, size_t n)
{
	uint8_t *p;

	if (n <= v->in_cap)
		return true;
	p = realloc(v->in, n);
	if (p == NULL)
		return false;
	v->in = p;
	v->in_cap = n;
	return true;
}

/* How many bytes the packet at the front has, with its length; as much of it
 * as is known when it is not complete. 0: too long. */
static size_t
wanted(const struct vici *v)
{
	struct rd r = rd_init(v->in, v->in_len);
	uint32_t n;

	if (!rd_be32(&r, &n))
		return LENGTH_BYTES;
	return n <= VICI_PACKET_MAX ? LENGTH_BYTES + (size_t)n : 0;
}

/* Read one packet. False: nothing more for now, over, or v is gone. */
static bool
receive(struct vici *v)
{
	size_t want;
	struct rd r;
	ssize_t n;

	for (;;) {
		want = wanted(v);
		if (want == 0 ||
		    !reserve(
			v, want > READ_BYTES_MIN ? want : READ_BYTES_MIN)) {
			end(v, want == 0 ? "packet too long" : "no memory");
			return false;
		}
		if (v->in_len >= LENGTH_BYTES && v->in_len == want)
			break;
		n = recv(v->fd, v->in + v->in_len, want - v->in_len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n <= 0) {
			end(v, v->in_len > 0 ? "cut in mid-packet" : NULL);
			return false;
		}
		v->in_len += (size_t)n;
	}
	r = rd_init(v->in, v->in_len);
	rd_skip(&r, LENGTH_BYTES);
	v->in_len = 0;
	return packet(v, r);
}

static void
on_ready(void *ctx, int events)
{
	struct vici *v = ctx;
	unsigned int i;

	if (events & LOOP_WRITE)
		flush(v);
	for (i = 0; i < READ_BURST && !v->over; i++)
		if (!receive(v))
			return;
}
