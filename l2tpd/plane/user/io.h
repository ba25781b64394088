/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io.h: datagrams by the batch: recvmmsg and sendmmsg with the local address
 * of each packet (IP_PKTINFO). The arrays are owned by the plane and made once.
 */
#ifndef ADIT_PLANE_USER_IO_H
#define ADIT_PLANE_USER_IO_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/endpoint.h"

#define IO_BATCH 64 /* packets */

union io_control { /* room for one IP_PKTINFO or IPV6_PKTINFO */
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
	    CMSG_SPACE(sizeof(struct in_pktinfo))];
};

struct io_arrays {
	struct mmsghdr msgs[IO_BATCH];
	struct iovec iov[IO_BATCH];
	struct sockaddr_storage names[IO_BATCH];
	union io_control control[IO_BATCH];
};

struct io_packet {
	uint8_t *data; /* borrowed */
	size_t len;    /* bytes; in: cut to 0 when it did not fit */
	struct endpoint peer, local; /* local.port is not set by io_receive() */
};

/* Receive up to IO_BATCH packets into bufs (buf_bytes each, one behind the
 * other). Returns how many, 0: none is there. */
size_t io_receive(int fd, struct io_arrays *a, uint8_t *bufs, size_t buf_bytes,
    struct io_packet *ret);

struct io_result {
	size_t sent, full, failed; /* full: the socket's queue was full */
};

/* Send n (at most IO_BATCH) packets from local address to peer. raw: a raw
 * socket, no ports. Never blocks; what cannot be sent is dropped. */
struct io_result io_send(int fd, bool raw, struct io_arrays *a,
    struct io_packet *const *packets, size_t n);

/* One packet that is not part of a batch. 0; -ENOBUFS full; -errno. */
int io_send_one(int fd, bool raw, const struct io_packet *packet);

#endif
