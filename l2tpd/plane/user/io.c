/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io.c: datagrams by the batch (contract in io.h). Owns nothing; trusts the
 * kernel: addresses and control messages come from there, only the payload
 * comes from a peer and is not looked at.
 */
#include "l2tpd/plane/user/io.h"

#include <errno.h>
#include <string.h>

#define UDP_SEGMENT 103 /* linux/udp.h */
#define UDP_GRO     104

void
io_socket_init(
    struct io_socket *s, int fd, bool raw, bool want_gso, bool want_gro)
{
	int on = 1, off = 0;

	*s = (struct io_socket){.fd = fd, .raw = raw};
	if (fd < 0 || raw)
		return;
	/* size 0 as the socket's default says nothing but "I know this" */
	s->gso = want_gso &&
	    setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &off, sizeof(off)) == 0;
	s->gro = want_gro &&
	    setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) == 0;
}

/* ---- receive ---- */

static void
read_control(struct msghdr *m, struct io_message *ret)
{
	struct in_pktinfo v4;
	struct in6_pktinfo v6;
	struct cmsghdr *c;
	int segment;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			ret->local.family = 4;
			memcpy(ret->local.addr, &v4.ipi_addr, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			ret->local.family = 6;
			memcpy(ret->local.addr, &v6.ipi6_addr, 16);
		} else if (c->cmsg_level == IPPROTO_UDP &&
		    c->cmsg_type == UDP_GRO) {
			memcpy(&segment, CMSG_DATA(c), sizeof(segment));
			if (segment > 0 && (size_t)segment < ret->len)
				ret->segment_bytes = (size_t)segment;
		}
	}
}

size_t
io_receive(const struct io_socket *s, struct io_arrays *a, uint8_t *bufs,
    size_t buf_bytes, size_t stride_bytes, size_t n, struct io_message *ret)
{
	const struct sockaddr_storage *name;
	struct msghdr *m;
	int got, i;

	for (i = 0; i < (int)n; i++) {
		a->iov[i].iov_base = bufs + (size_t)i * stride_bytes;
		a->iov[i].iov_len = buf_bytes;
		a->msgs[i].msg_hdr = (struct msghdr){
		    .msg_name = &a->names[i],
		    .msg_namelen = sizeof(a->names[i]),
		    .msg_iov = &a->iov[i],
		    .msg_iovlen = 1,
		    .msg_control = &a->control[i],
		    .msg_controllen = sizeof(a->control[i]),
		};
	}
	got = recvmmsg(s->fd, a->msgs, (unsigned int)n, MSG_DONTWAIT, NULL);
	for (i = 0; i < got; i++) {
		m = &a->msgs[i].msg_hdr;
		name = &a->names[i];
		ret[i] = (struct io_message){
		    .data = bufs + (size_t)i * stride_bytes,
		    .len = (m->msg_flags & MSG_TRUNC) ? 0 : a->msgs[i].msg_len,
		};
		if (m->msg_namelen == 0 ||
		    !endpoint_from_sockaddr(
			(const struct sockaddr *)name, &ret[i].peer))
			ret[i].len = 0;
		ret[i].segment_bytes = ret[i].len;
		read_control(m, &ret[i]);
	}
	return got > 0 ? (size_t)got : 0;
}

/* ---- send ---- */

struct control_writer {
	union io_control *control;
	size_t used;
};

static void
put_control(
    struct control_writer *w, int level, int type, const void *value, size_t n)
{
	struct cmsghdr *c = (struct cmsghdr *)(w->control->bytes + w->used);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), value, n);
	w->used += CMSG_SPACE(n);
}

static void
put_local(struct control_writer *w, const struct endpoint *local)
{
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {0};

	if (local->family == 4) {
		memcpy(&v4.ipi_spec_dst, local->addr, 4);
		put_control(w, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
	} else if (local->family == 6) {
		memcpy(&v6.ipi6_addr, local->addr, 16);
		put_control(w, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	} /* else the kernel chooses */
}

/* segmented: iov holds several datagrams of the run's size. */
static void
fill(struct msghdr *m, struct sockaddr_storage *name, union io_control *control,
    bool raw, const struct io_run *run, struct iovec *iov, size_t n_iov,
    bool segmented)
{
	struct control_writer w = {.control = control};
	uint16_t segment_bytes = (uint16_t)run->segment_bytes;
	struct endpoint peer = *run->peer;
	int tos = run->tos;

	if (raw)
		peer.port = 0;
	put_local(&w, run->local);
	if (segmented)
		put_control(&w, IPPROTO_UDP, UDP_SEGMENT, &segment_bytes,
		    sizeof(segment_bytes));
	if (tos != 0 && peer.family == 4)
		put_control(&w, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	else if (tos != 0)
		put_control(&w, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	*m = (struct msghdr){
	    .msg_name = name,
	    .msg_namelen = endpoint_to_sockaddr(&peer, name),
	    .msg_iov = iov,
	    .msg_iovlen = n_iov,
	    .msg_control = w.used > 0 ? control : NULL,
	    .msg_controllen = w.used,
	};
}

/* The datagrams of a run one by one: *at counts pieces, *offset bytes in the
 * piece. False: there is none left. */
static bool
next_datagram(
    const struct io_run *run, size_t *at, size_t *offset, struct iovec *ret)
{
	size_t left;

	if (*at == run->n_iov)
		return false;
	left = run->iov[*at].iov_len - *offset;
	ret->iov_base = (uint8_t *)run->iov[*at].iov_base + *offset;
	ret->iov_len = left < run->segment_bytes ? left : run->segment_bytes;
	*offset += ret->iov_len;
	if (*offset == run->iov[*at].iov_len) {
		(*at)++;
		*offset = 0;
	}
	return true;
}

static bool
is_full(int err)
{
	return err == EAGAIN || err == EWOULDBLOCK || err == ENOBUFS;
}

/* A message of several datagrams was refused. When they go one by one the
 * segmentation is to blame: a device without checksums (EIO) or a kernel with
 * that bug never learns it, a route with a smaller MTU (EMSGSIZE) says nothing
 * about others. */
static void
send_singly(struct io_socket *s, const struct io_run *run, int err,
    struct io_totals *totals)
{
	size_t at = 0, offset = 0, sent = 0;
	struct iovec iov;
	int rc;

	totals->gso_refused++;
	while (next_datagram(run, &at, &offset, &iov)) {
		rc = io_send_one(
		    s, run->local, run->peer, iov.iov_base, iov.iov_len);
		sent += rc == 0;
		totals->full += rc == -ENOBUFS;
		totals->failed += rc < 0 && rc != -ENOBUFS;
	}
	totals->sent += sent;
	totals->messages += sent;
	if (sent > 0 && err != EMSGSIZE)
		s->gso = false;
}

/* The first n of a->msgs are ready. */
static void
send_messages(struct io_socket *s, struct io_arrays *a,
    const struct io_run *runs, size_t n, struct io_totals *totals)
{
	size_t i, k;
	int sent;

	for (i = 0; i < n;) {
		sent = sendmmsg(
		    s->fd, a->msgs + i, (unsigned int)(n - i), MSG_DONTWAIT);
		if (sent > 0) {
			for (k = i; k < i + (size_t)sent; k++)
				totals->sent += a->n[k];
			totals->messages += (size_t)sent;
			i += (size_t)sent;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (is_full(errno)) {
			for (; i < n; i++)
				totals->full += a->n[i];
			return;
		}
		if (a->n[i] > 1)
			send_singly(s, &runs[a->run[i]], errno, totals);
		else /* this one cannot go: the rest may */
			totals->failed++;
		i++;
	}
}

struct sender {
	struct io_socket *socket;
	struct io_arrays *arrays;
	const struct io_run *runs;
	struct io_totals *totals;
	size_t n; /* messages that are ready */
};

static void
add_message(
    struct sender *w, size_t run, struct iovec *iov, size_t n_iov, size_t n)
{
	struct io_arrays *a = w->arrays;

	a->run[w->n] = (uint16_t)run;
	a->n[w->n] = (uint16_t)n;
	fill(&a->msgs[w->n].msg_hdr, &a->names[w->n], &a->control[w->n],
	    w->socket->raw, &w->runs[run], iov, n_iov, n > 1);
	w->n++;
	if (w->n == IO_MESSAGES) {
		send_messages(w->socket, a, w->runs, w->n, w->totals);
		w->n = 0;
	}
}

void
io_send(struct io_socket *s, struct io_arrays *a, const struct io_run *runs,
    size_t n, struct io_totals *totals)
{
	struct sender w = {s, a, runs, totals, 0};
	size_t i, at, offset;

	for (i = 0; i < n; i++) {
		if (s->gso || runs[i].n == 1) {
			add_message(
			    &w, i, runs[i].iov, runs[i].n_iov, runs[i].n);
			continue;
		}
		at = offset = 0;
		while (next_datagram(&runs[i], &at, &offset, &a->iov[w.n]))
			add_message(&w, i, &a->iov[w.n], 1, 1);
	}
	send_messages(s, a, runs, w.n, totals);
}

int
io_send_one(const struct io_socket *s, const struct endpoint *local,
    const struct endpoint *peer, const uint8_t *data, size_t len)
{
	const struct io_run run = {.peer = peer, .local = local};
	struct iovec iov = {
	    .iov_base = (void *)(uintptr_t)data, .iov_len = len};
	struct sockaddr_storage name;
	union io_control control;
	struct msghdr m;
	ssize_t n;

	if (s->fd < 0)
		return -ENOENT;
	memset(&control, 0, sizeof(control));
	fill(&m, &name, &control, s->raw, &run, &iov, 1, false);
	do
		n = sendmsg(s->fd, &m, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	return is_full(errno) ? -ENOBUFS : -errno;
}
