/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io.h: datagrams by the batch: recvmmsg and sendmmsg with the local address
 * of each (IP_PKTINFO), and many datagrams of one peer as one message where the
 * kernel can do that (UDP_GRO, UDP_SEGMENT; udp(7)). The arrays are owned by
 * the plane and made once.
 */
#ifndef ADIT_PLANE_USER_IO_H
#define ADIT_PLANE_USER_IO_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/endpoint.h"

#define IO_MESSAGES 64 /* of one system call */
/* What one message may carry: UDP_MAX_SEGMENTS of older kernels, and an IP
 * datagram with its headers. */
#define IO_SEGMENTS      64
#define IO_MESSAGE_BYTES 65000

union io_control { /* room for an address, UDP_GRO or UDP_SEGMENT, IP_TOS */
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
	    CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(int))];
};

struct io_arrays {
	struct mmsghdr msgs[IO_MESSAGES];
	struct iovec iov[IO_MESSAGES];
	struct sockaddr_storage names[IO_MESSAGES];
	union io_control control[IO_MESSAGES];
	/* sending: the run of a message, and how many datagrams it has */
	uint16_t run[IO_MESSAGES], n[IO_MESSAGES];
};

struct io_totals {
	uint64_t sent, full, failed; /* datagrams; full: the socket's queue was
					full, they are lost */
	uint64_t messages;           /* that carried the sent ones */
	uint64_t gso_refused; /* messages that had to go as single datagrams */
};

struct io_socket {
	int fd;   /* -1: there is none */
	bool raw; /* IP protocol 50: no ports, no segmentation */
	bool gso; /* UDP_SEGMENT works; io_send() clears it when it does not */
	bool gro; /* UDP_GRO is on */
};

/* What came: one or more datagrams of one peer. */
struct io_message {
	uint8_t *data;        /* borrowed: in the caller's buffers */
	size_t len;           /* bytes in all; 0: damaged, look no further */
	size_t segment_bytes; /* of each datagram, the last may be shorter */
	struct endpoint peer, local; /* local.port is not set */
};

/* What goes: n datagrams of one peer in their order, all of segment_bytes, only
 * the last may be shorter; IO_SEGMENTS and IO_MESSAGE_BYTES at most. Everything
 * is borrowed for the call. */
struct io_run {
	const struct endpoint *peer, *local;
	struct iovec *iov; /* pieces of one or more whole datagrams */
	size_t n_iov, n;
	size_t segment_bytes;
	uint8_t tos; /* outer DSCP and ECN */
};

/* Adopts nothing. Sets what the socket can do and is wanted. */
void io_socket_init(
    struct io_socket *s, int fd, bool raw, bool want_gso, bool want_gro);

/* Receive up to n (at most IO_MESSAGES) messages into bufs (buf_bytes each,
 * stride_bytes apart). Returns how many, 0: none is there. */
size_t io_receive(const struct io_socket *s, struct io_arrays *a, uint8_t *bufs,
    size_t buf_bytes, size_t stride_bytes, size_t n, struct io_message *ret);

/* Send the runs, one after the other. Never blocks; what cannot be sent is
 * dropped and counted in totals. */
void io_send(struct io_socket *s, struct io_arrays *a,
    const struct io_run *runs, size_t n, struct io_totals *totals);

/* One datagram that is not part of a batch. 0; -ENOENT no socket; -ENOBUFS
 * full; -errno. */
int io_send_one(const struct io_socket *s, const struct endpoint *local,
    const struct endpoint *peer, const uint8_t *data, size_t len);

#endif
