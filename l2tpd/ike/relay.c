/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay.c: the engine's side of the charon plugin's channel (contract in
 * relay.h; records in base/charon_msg.h).
 *
 * Owns the listening socket, the one connection and the filter. Trusts
 * nothing: the peer must be user 0 (SO_PEERCRED), the first record must be
 * HELLO of our version, and every record must pass its row of the table and
 * decode without a byte left. Keys are wiped after the event.
 */
#include "l2tpd/ike/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/imsg.h"
#include "base/secret.h"

#define ENDPOINT_BYTES_MAX 64 /* of one endpoint in a record */
#define SA_BYTES_MAX       512
#define ALERT_BYTES_MAX    (2 * CHARON_MSG_TEXT_MAX + 128)
#define CHILD_BYTES_MAX    (2 * CHARON_MSG_TEXT_MAX + 16)

struct ike_relay {
	struct loop *loop;            /* borrowed */
	struct loop_fd *watch;        /* of listen_fd */
	int listen_fd;                /* owned */
	struct imsg_channel *channel; /* owned; NULL: no plugin */
	bool greeted;                 /* HELLO was received */
	uid_t uid;                    /* who may connect */
	struct ike_filter *filter;    /* owned */
	const struct ike_relay_events *events;
	void *ctx;
};

/* One record type: its size and its decoder. */
struct row {
	struct imsg_rule rule;
	bool (*read)(struct ike_relay *r, struct rd *payload);
};

static bool
read_hello(struct ike_relay *r, struct rd *p)
{
	uint32_t version;
	uint64_t epoch;

	if (!rd_be32(p, &version) || !rd_be64(p, &epoch) || !rd_end(p))
		return false;
	if (version != CHARON_MSG_VERSION)
		return rd_fail(p, "plugin speaks another version");
	if (r->greeted)
		return rd_fail(p, "second HELLO");
	r->greeted = true;
	r->events->hello(r->ctx, epoch);
	return true;
}

static bool
read_spi_new(struct ike_relay *r, struct rd *p)
{
	uint32_t spi;

	if (!rd_be32(p, &spi) || !rd_end(p))
		return false;
	r->events->spi(r->ctx, spi, true);
	return true;
}

static bool
read_spi_free(struct ike_relay *r, struct rd *p)
{
	uint32_t spi;

	if (!rd_be32(p, &spi) || !rd_end(p))
		return false;
	r->events->spi(r->ctx, spi, false);
	return true;
}

static bool
read_sa_add(struct ike_relay *r, struct rd *p)
{
	struct charon_sa sa;
	bool ok;

	ok = charon_msg_get_sa(p, &sa);
	if (ok)
		r->events->sa_add(r->ctx, &sa);
	wipe(&sa, sizeof(sa));
	return ok;
}

static bool
read_sa_update(struct ike_relay *r, struct rd *p)
{
	struct charon_sa_update u;

	if (!charon_msg_get_sa_update(p, &u))
		return false;
	r->events->sa_update(r->ctx, &u);
	return true;
}

static bool
read_sa_del(struct ike_relay *r, struct rd *p)
{
	struct charon_sa_del d;

	if (!charon_msg_get_sa_del(p, &d))
		return false;
	r->events->sa_del(r->ctx, &d);
	return true;
}

static bool
read_child(struct ike_relay *r, struct rd *p)
{
	struct charon_child c;

	if (!charon_msg_get_child(p, &c))
		return false;
	r->events->child(r->ctx, &c);
	return true;
}

static bool
read_sync_end(struct ike_relay *r, struct rd *p)
{
	if (!rd_end(p))
		return false;
	r->events->sync_end(r->ctx);
	return true;
}

static bool
read_ike_out(struct ike_relay *r, struct rd *p)
{
	struct charon_ike ike;

	if (!charon_msg_get_ike(p, &ike))
		return false;
	r->events->ike_out(r->ctx, &ike);
	return true;
}

static bool
read_alert(struct ike_relay *r, struct rd *p)
{
	struct charon_alert a;

	if (!charon_msg_get_alert(p, &a))
		return false;
	r->events->alert(r->ctx, &a);
	return true;
}

/* clang-format off */
#define IKE_BYTES_MAX (CHARON_MSG_IKE_MAX + 2 * ENDPOINT_BYTES_MAX)
static const struct row rows[] = {
	{ { CHARON_MSG_HELLO, "HELLO", 12, 12 }, read_hello },
	{ { CHARON_MSG_SPI_NEW, "SPI_NEW", 4, 4 }, read_spi_new },
	{ { CHARON_MSG_SPI_FREE, "SPI_FREE", 4, 4 }, read_spi_free },
	{ { CHARON_MSG_SA_ADD, "SA_ADD", 4, SA_BYTES_MAX }, read_sa_add },
	{ { CHARON_MSG_SA_UPDATE, "SA_UPDATE", 4, SA_BYTES_MAX }, read_sa_update },
	{ { CHARON_MSG_SA_DEL, "SA_DEL", 4, SA_BYTES_MAX }, read_sa_del },
	{ { CHARON_MSG_SYNC_END, "SYNC_END", 0, 0 }, read_sync_end },
	{ { CHARON_MSG_IKE_OUT, "IKE_OUT", 4, IKE_BYTES_MAX }, read_ike_out },
	{ { CHARON_MSG_ALERT, "ALERT", 1, ALERT_BYTES_MAX }, read_alert },
	{ { CHARON_MSG_CHILD, "CHILD", 8, CHILD_BYTES_MAX }, read_child },
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The connection is over; tell, unless nobody knew of it. */
static void
drop(struct ike_relay *r, const char *why)
{
	imsg_free(r->channel);
	r->channel = NULL;
	r->greeted = false;
	r->events->gone(r->ctx, why, false);
}

static void
on_closed(void *ctx, const char *why)
{
	drop(ctx, why);
}

static void
on_message(void *ctx, struct imsg *m)
{
	struct ike_relay *r = ctx;
	size_t i;

	if (m->fd >= 0)
		close(m->fd);
	if (!r->greeted && m->type != CHARON_MSG_HELLO) {
		drop(r, "record before HELLO");
		return;
	}
	for (i = 0; i < ROWS; i++)
		if (rows[i].rule.type == m->type)
			break;
	if (i == ROWS || !rows[i].read(r, &m->payload))
		drop(r,
		    m->payload.err != NULL ? m->payload.err
					   : "malformed record");
}

static const struct imsg_ops *
channel_ops(void)
{
	static struct imsg_rule rules[ROWS + 1];
	static const struct imsg_ops ops = {
	    .rules = rules,
	    .message = on_message,
	    .closed = on_closed,
	};
	size_t i;

	for (i = 0; i < ROWS; i++)
		rules[i] = rows[i].rule;
	return &ops;
}

static bool
is_allowed(const struct ike_relay *r, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	    len == sizeof(cred) && cred.uid == r->uid;
}

static void
on_connect(void *ctx, int events)
{
	struct ike_relay *r = ctx;
	int fd;

	(void)events;
	fd = accept4(r->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return; /* gone again, or no descriptor: level-triggered */
	if (!is_allowed(r, fd)) {
		close(fd);
		r->events->gone(r->ctx, "not root", true);
		return;
	}
	if (r->channel != NULL)
		drop(r, "replaced by a newer connection");
	r->channel = imsg_new(r->loop, fd, channel_ops(), r);
	if (r->channel == NULL)
		r->events->gone(r->ctx, "no memory for the connection", true);
}

struct ike_relay *
ike_relay_new(struct loop *l, int listen_fd,
    const struct ike_relay_events *events, void *ctx)
{
	struct ike_relay *r;
	int flags;

	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->loop = l;
	r->listen_fd = listen_fd;
	r->events = events;
	r->ctx = ctx;
	r->filter = ike_filter_new(loop_now_ms(l));
	flags = fcntl(listen_fd, F_GETFL);
	if (r->filter == NULL || flags < 0 ||
	    fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) < 0)
		goto fail;
	r->watch = loop_fd_new(l, listen_fd, LOOP_READ, on_connect, r);
	if (r->watch == NULL)
		goto fail;
	return r;
fail:
	ike_filter_free(r->filter);
	free(r);
	return NULL;
}

void
ike_relay_free(struct ike_relay *r)
{
	if (r == NULL)
		return;
	imsg_free(r->channel);
	loop_fd_free(r->watch);
	close(r->listen_fd);
	ike_filter_free(r->filter);
	free(r);
}

bool
ike_relay_is_connected(const struct ike_relay *r)
{
	return r->channel != NULL && r->greeted;
}

struct ike_filter *
ike_relay_filter(struct ike_relay *r)
{
	return r->filter;
}

void
ike_relay_set_uid(struct ike_relay *r, uid_t uid)
{
	r->uid = uid;
}

static int
send_record(struct ike_relay *r, enum charon_msg_type type, const struct wr *w)
{
	int rc;

	if (!ike_relay_is_connected(r))
		return -ENOTCONN;
	if (!wr_ok(w))
		return -EMSGSIZE;
	rc = imsg_send(r->channel, type, 0, w->buf, w->len, -1);
	return rc == -EPIPE ? -ENOTCONN : rc;
}

int
ike_relay_ike_in(struct ike_relay *r, const struct endpoint *local,
    const struct endpoint *peer, struct rd data)
{
	struct charon_ike ike = {
	    .local = *local,
	    .peer = *peer,
	    .data = data,
	};
	uint8_t buf[IKE_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	if (data.left > CHARON_MSG_IKE_MAX)
		return -EMSGSIZE;
	if (ike_filter_check(r->filter, data, peer, loop_now_ms(r->loop)) !=
	    IKE_PASS)
		return -EPERM;
	charon_msg_put_ike(&w, &ike);
	return send_record(r, CHARON_MSG_IKE_IN, &w);
}

int
ike_relay_mapping(
    struct ike_relay *r, uint32_t spi_in, const struct endpoint *peer)
{
	uint8_t buf[4 + ENDPOINT_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, spi_in);
	charon_msg_put_endpoint(&w, peer);
	return send_record(r, CHARON_MSG_MAPPING, &w);
}

int
ike_relay_expire(struct ike_relay *r, uint32_t spi_in, bool hard,
    const struct endpoint *local)
{
	uint8_t buf[5 + ENDPOINT_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, spi_in);
	wr_u8(&w, hard);
	charon_msg_put_endpoint(&w, local);
	return send_record(r, CHARON_MSG_EXPIRE, &w);
}

int
ike_relay_use(struct ike_relay *r, uint32_t spi, bool inbound, uint64_t bytes,
    uint64_t packets)
{
	uint8_t buf[21];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, spi);
	wr_u8(&w, inbound);
	wr_be64(&w, bytes);
	wr_be64(&w, packets);
	return send_record(r, CHARON_MSG_USE, &w);
}
