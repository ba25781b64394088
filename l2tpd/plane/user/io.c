/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io.c: datagrams by the batch (contract in io.h). Owns nothing; trusts the
 * kernel: addresses and control messages come from there, only the payload
 * comes from a peer and is not looked at.
 */
#include "l2tpd/plane/user/io.h"

#include <errno.h>
#include <string.h>

static void
local_from_control(struct msghdr *m, struct endpoint *ret)
{
	struct in_pktinfo v4;
	struct in6_pktinfo v6;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			ret->family = 4;
			memcpy(ret->addr, &v4.ipi_addr, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			ret->family = 6;
			memcpy(ret->addr, &v6.ipi6_addr, 16);
		}
	}
}

size_t
io_receive(int fd, struct io_arrays *a, uint8_t *bufs, size_t buf_bytes,
    struct io_packet *ret)
{
	const struct sockaddr_storage *name;
	const struct sockaddr *sa;
	struct msghdr *m;
	int got, i;

	for (i = 0; i < IO_BATCH; i++) {
		a->iov[i].iov_base = bufs + (size_t)i * buf_bytes;
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
	got = recvmmsg(fd, a->msgs, IO_BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < got; i++) {
		m = &a->msgs[i].msg_hdr;
		name = &a->names[i];
		sa = (const struct sockaddr *)name;
		ret[i] = (struct io_packet){
		    .data = bufs + (size_t)i * buf_bytes,
		    .len = (m->msg_flags & MSG_TRUNC) ? 0 : a->msgs[i].msg_len,
		};
		if (m->msg_namelen == 0 ||
		    !endpoint_from_sockaddr(sa, &ret[i].peer))
			ret[i].len = 0;
		local_from_control(m, &ret[i].local);
	}
	return got > 0 ? (size_t)got : 0;
}

static size_t
put_control(const struct endpoint *local, union io_control *control)
{
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {0};
	struct cmsghdr *c = &control->align;

	if (local->family == 4) {
		memcpy(&v4.ipi_spec_dst, local->addr, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(v4));
		memcpy(CMSG_DATA(c), &v4, sizeof(v4));
		return CMSG_SPACE(sizeof(v4));
	}
	if (local->family == 6) {
		memcpy(&v6.ipi6_addr, local->addr, 16);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(v6));
		memcpy(CMSG_DATA(c), &v6, sizeof(v6));
		return CMSG_SPACE(sizeof(v6));
	}
	return 0; /* the kernel chooses */
}

static void
fill(struct msghdr *m, struct iovec *iov, struct sockaddr_storage *name,
    union io_control *control, bool raw, const struct io_packet *p)
{
	struct endpoint peer = p->peer;

	if (raw)
		peer.port = 0;
	iov->iov_base = p->data;
	iov->iov_len = p->len;
	*m = (struct msghdr){
	    .msg_name = name,
	    .msg_namelen = endpoint_to_sockaddr(&peer, name),
	    .msg_iov = iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = put_control(&p->local, control),
	};
	if (m->msg_controllen == 0)
		m->msg_control = NULL;
}

static bool
is_full(int err)
{
	return err == EAGAIN || err == EWOULDBLOCK || err == ENOBUFS;
}

struct io_result
io_send(int fd, bool raw, struct io_arrays *a, struct io_packet *const *packets,
    size_t n)
{
	struct io_result res = {0};
	size_t i;
	int sent;

	for (i = 0; i < n; i++)
		fill(&a->msgs[i].msg_hdr, &a->iov[i], &a->names[i],
		    &a->control[i], raw, packets[i]);
	for (i = 0; i < n;) {
		sent = sendmmsg(
		    fd, a->msgs + i, (unsigned int)(n - i), MSG_DONTWAIT);
		if (sent > 0) {
			i += (size_t)sent;
			res.sent += (size_t)sent;
		} else if (errno == EINTR) {
			continue;
		} else if (is_full(errno)) {
			res.full += n - i;
			break;
		} else { /* this one cannot go: the rest may */
			res.failed++;
			i++;
		}
	}
	return res;
}

int
io_send_one(int fd, bool raw, const struct io_packet *packet)
{
	struct sockaddr_storage name;
	union io_control control;
	struct iovec iov;
	struct msghdr m;
	ssize_t n;

	if (fd < 0)
		return -ENOENT;
	memset(&control, 0, sizeof(control));
	fill(&m, &iov, &name, &control, raw, packet);
	do
		n = sendmsg(fd, &m, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	return is_full(errno) ? -ENOBUFS : -errno;
}
