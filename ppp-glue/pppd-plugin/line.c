/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * line.c: records to and from the engine (contract in line.h). Owns the socket.
 * Every send has MSG_NOSIGNAL: pppd dies of a SIGPIPE without a word to anyone.
 * Waiting is poll() with what is left of the time: pppd's own signals (a child
 * that ended, SIGTERM) interrupt it, and are pppd's to handle afterwards.
 */
#include "ppp-glue/pppd-plugin/line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/imsg.h"
#include "base/secret.h"

static int line_fd = -1;
static uint32_t last_serial;

int
line_open(int fd)
{
	int domain, type, flags;
	socklen_t n = sizeof(domain);

	if (line_fd >= 0)
		return -EINVAL;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0 ||
	    domain != AF_UNIX)
		return -EINVAL;
	n = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0 ||
	    type != SOCK_SEQPACKET)
		return -EINVAL;
	flags = fcntl(fd, F_GETFD);
	if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)
		return -EINVAL;
	line_fd = fd;
	return 0;
}

void
line_close(void)
{
	if (line_fd >= 0)
		close(line_fd);
	line_fd = -1;
}

bool
line_is_up(void)
{
	return line_fd >= 0;
}

static void
send_record(const struct wr *record)
{
	ssize_t n;

	if (!wr_ok(record)) {
		line_close();
		return;
	}
	do
		n = send(line_fd, record->buf, record->len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	/* an engine that leaves this many records unread does not live */
	if (n < 0)
		line_close();
}

void
line_send(enum link_msg_type type, const struct wr *payload)
{
	uint8_t buf[IMSG_HEADER_BYTES + LINK_MSG_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	if (!line_is_up())
		return;
	wr_be32(&w, type);
	wr_be32(&w, 0);
	wr_bytes(&w, payload->buf, payload->len);
	if (!wr_ok(payload))
		w.failed = true;
	send_record(&w);
	wipe(buf, sizeof(buf));
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The payload of the next record in buf. -EAGAIN: there is none; -EPIPE: the
 * line is over. Only verdicts come from the engine. */
static int
receive(uint8_t *buf, size_t cap, struct rd *ret)
{
	uint32_t type, id;
	struct rd r;
	ssize_t n;

	do
		n = recv(line_fd, buf, cap, MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return -EAGAIN;
	if (n <= 0 || (size_t)n > cap)
		goto over;
	r = rd_init(buf, (size_t)n);
	rd_be32(&r, &type);
	rd_be32(&r, &id);
	if (!rd_ok(&r) || type != LINK_MSG_VERDICT)
		goto over;
	*ret = r;
	return 0;
over:
	line_close();
	return -EPIPE;
}

/* Waits until end_ms for a verdict on serial; one on another ask is late and
 * means nothing. */
static int
await(uint32_t serial, int64_t end_ms, struct link_verdict *ret)
{
	uint8_t buf[IMSG_HEADER_BYTES + LINK_MSG_BYTES_MAX];
	struct pollfd p = {.fd = line_fd, .events = POLLIN};
	struct link_verdict v;
	struct rd r;
	int64_t left;
	int err;

	for (;;) {
		left = end_ms - now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR) {
			line_close();
			return -EPIPE;
		}
		err = receive(buf, sizeof(buf), &r);
		if (err == -EAGAIN)
			continue;
		if (err < 0)
			return err;
		if (!link_msg_get_verdict(&r, &v)) {
			line_close();
			return -EPIPE;
		}
		if (v.serial != serial)
			continue;
		*ret = v;
		return 0;
	}
}

int
line_ask(struct link_ask *ask, int wait_ms, struct link_verdict *ret)
{
	uint8_t buf[LINK_MSG_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	int err = -EMSGSIZE;

	if (++last_serial == 0)
		last_serial = 1;
	ask->serial = last_serial;
	if (!link_msg_put_ask(&w, ask))
		goto out;
	line_send(LINK_MSG_ASK, &w);
	err = -EPIPE;
	if (line_is_up())
		err = await(ask->serial, now_ms() + wait_ms, ret);
out:
	wipe(buf, sizeof(buf));
	return err;
}

void
line_look(void)
{
	uint8_t buf[IMSG_HEADER_BYTES + LINK_MSG_BYTES_MAX];
	struct rd r;

	while (line_is_up() && receive(buf, sizeof(buf), &r) == 0)
		continue;
}
