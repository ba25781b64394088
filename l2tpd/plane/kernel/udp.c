/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp.c: UDP 1701 of the kernel plane: what the kernel does not keep for
 * itself, which is control messages, and data of sessions that it has not.
 *
 * All our sockets are bound to 1701, and devices behind one NAT have the same
 * address and port: which socket a datagram comes out of says nothing. Its
 * mark, set by the SA that decrypted it, says whose it is. Trusts the mark
 * (only charon's SAs and root set marks), nothing in the datagram.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpd/plane/kernel/kernel_int.h"

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(uint32_t)) * 2];
};

static uint32_t
mark_of(const struct kernel_plane *p, struct msghdr *m)
{
	struct cmsghdr *c;
	uint32_t mark = 0;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_MARK &&
		    c->cmsg_len >= CMSG_LEN(sizeof(mark)))
			memcpy(&mark, CMSG_DATA(c), sizeof(mark));
	return mark & p->cfg.mark_mask;
}

/* Marks begin anew with charon: two lives of it may have given the same one,
 * to devices at different addresses. The newest has the last word. */
static struct kernel_assoc *
assoc_of(struct kernel_plane *p, uint32_t mark, const struct endpoint *peer)
{
	struct kernel_assoc *newest = NULL, *a;

	if (mark != 0)
		HASH_FIND(hh_mark, p->by_mark, &mark, sizeof(mark), newest);
	for (a = newest; a != NULL; a = a->older)
		if (endpoint_same_address(&a->peer, peer))
			return a;
	return newest;
}

static void
datagram(struct kernel_plane *p, struct msghdr *m, size_t bytes)
{
	const struct sockaddr *name = m->msg_name;
	struct kernel_assoc *a = NULL;
	struct endpoint peer;

	p->totals.rx_packets++;
	if (endpoint_from_sockaddr(name, &peer))
		a = assoc_of(p, mark_of(p, m), &peer);
	if (a == NULL || (m->msg_flags & MSG_TRUNC)) {
		p->totals.drop_unknown_spi++;
		return; /* no IPsec, or charon did not tell of it yet */
	}
	if (!slow_input(p, a, m->msg_iov[0].iov_base, bytes))
		p->events.l2tp(p->ctx, a->id, &peer, peer.port,
		    rd_init(m->msg_iov[0].iov_base, bytes));
}

/* A callback may close this socket (its tunnel ends): s is not looked at any
 * more once a datagram was given. */
static void
readable(void *ctx, int events)
{
	struct kernel_socket *s = ctx;
	struct kernel_plane *p = s->plane;
	struct sockaddr_storage names[KERNEL_BATCH];
	union control controls[KERNEL_BATCH];
	struct iovec iov[KERNEL_BATCH];
	struct mmsghdr m[KERNEL_BATCH];
	uint8_t bufs[KERNEL_BATCH][KERNEL_BYTES_MAX];
	int n, i;

	(void)events;
	memset(m, 0, sizeof(m));
	for (i = 0; i < KERNEL_BATCH; i++) {
		iov[i] = (struct iovec){bufs[i], sizeof(bufs[i])};
		m[i].msg_hdr.msg_name = &names[i];
		m[i].msg_hdr.msg_namelen = sizeof(names[i]);
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
		m[i].msg_hdr.msg_control = &controls[i];
		m[i].msg_hdr.msg_controllen = sizeof(controls[i]);
	}
	n = recvmmsg(s->fd, m, KERNEL_BATCH, MSG_DONTWAIT, NULL);
	if (n > 0)
		p->totals.rx_batches++;
	for (i = 0; i < n; i++)
		datagram(p, &m[i].msg_hdr, m[i].msg_len);
}

int
kernel_socket_open(struct kernel_plane *p, struct kernel_socket *s, int fd)
{
	s->plane = p;
	s->watch = loop_fd_new(p->loop, fd, LOOP_READ, readable, s);
	if (s->watch == NULL) {
		close(fd);
		s->fd = -1;
		return -ENOMEM;
	}
	s->fd = fd;
	return 0;
}

int
kernel_socket_bind(struct kernel_plane *p, struct kernel_socket *s,
    const struct kernel_assoc *a, int fd)
{
	struct endpoint local = a->local;
	struct sockaddr_storage name;
	socklen_t n;
	int rc;

	local.port = KERNEL_L2TP_PORT;
	n = endpoint_to_sockaddr(&local, &name);
	if (bind(fd, (struct sockaddr *)&name, n) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return kernel_socket_open(p, s, fd);
}

void
kernel_socket_close(struct kernel_socket *s)
{
	loop_fd_free(s->watch);
	s->watch = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static int
send_now(
    struct kernel_plane *p, struct kernel_assoc *a, uint16_t port, struct rd d)
{
	struct endpoint to = a->peer;
	struct sockaddr_storage name;
	socklen_t n;

	to.port = port;
	n = endpoint_to_sockaddr(&to, &name);
	if (sendto(a->control.fd, d.p, d.left, MSG_DONTWAIT | MSG_NOSIGNAL,
		(struct sockaddr *)&name, n) < 0) {
		p->totals.send_errors++;
		return errno == EAGAIN ? -ENOBUFS : -errno;
	}
	p->totals.tx_packets++;
	return 0;
}

static int
send_later(struct kernel_assoc *a, uint16_t port, struct rd d)
{
	struct kernel_waiting *w;

	if (a->waiting_count >= KERNEL_WAITING)
		return -ENOBUFS; /* reliable delivery sends it again */
	w = malloc(sizeof(*w) + d.left);
	if (w == NULL)
		return -ENOMEM;
	w->port = port;
	w->bytes = d.left;
	memcpy(w->data, d.p, d.left);
	STAILQ_INSERT_TAIL(&a->waiting, w, next);
	a->waiting_count++;
	return 0;
}

int
kernel_send(
    struct kernel_plane *p, struct kernel_assoc *a, uint16_t port, struct rd d)
{
	if (a->control.fd < 0)
		return send_later(a, port, d);
	return send_now(p, a, port, d);
}

static struct kernel_waiting *
take_waiting(struct kernel_assoc *a)
{
	struct kernel_waiting *w = STAILQ_FIRST(&a->waiting);

	if (w == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(&a->waiting, next);
	a->waiting_count--;
	return w;
}

void
kernel_drop_waiting(struct kernel_assoc *a)
{
	struct kernel_waiting *w;

	while ((w = take_waiting(a)) != NULL)
		free(w);
}

void
kernel_socket_given(struct kernel_plane *p, struct kernel_assoc *a, int fd)
{
	struct kernel_waiting *w;

	if (a->wanted > 0)
		a->wanted--;
	if (a->control.fd >= 0) {
		if (a->spare_fd >= 0)
			close(fd);
		else
			a->spare_fd = fd;
		return;
	}
	if (kernel_socket_bind(p, &a->control, a, fd) < 0)
		return;
	while ((w = take_waiting(a)) != NULL) {
		send_now(p, a, w->port, rd_init(w->data, w->bytes));
		free(w);
	}
}

void
kernel_want_sockets(struct kernel_plane *p, struct kernel_assoc *a)
{
	unsigned int have = 0;

	have += a->control.fd >= 0;
	have += a->spare_fd >= 0;
	for (; have + a->wanted < 1 + KERNEL_SPARE_WANT; a->wanted++)
		p->cfg.want_socket(p->cfg.want_ctx, a->mark);
}
