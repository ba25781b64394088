/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * batches.h: the arrays that a batch of packets goes through, in (rx.c) and out
 * (tx.c). Made once, owned by the plane (user.h).
 */
#ifndef ADIT_PLANE_USER_BATCHES_H
#define ADIT_PLANE_USER_BATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "l2tpd/esp/esp.h"
#include "l2tpd/plane/user/coalesce.h"
#include "l2tpd/plane/user/io.h"
#include "l2tpd/plane/user/tables.h"

/* Receiving: a buffer takes the largest message of many datagrams. The stride
 * is an odd number of cache lines, so that the heads of a batch do not share a
 * cache set. When messages come merged a few fill a batch, else many do. */
#define RX_BUF_BYTES 65536
#define RX_STRIDE    (RX_BUF_BYTES + 64)
#define RX_MESSAGES  32 /* a system call */
#define RX_MERGED    8  /* the same when they come merged */
#define RX_PACKETS   512

/* Sending: a batch is sent when it is this full or nothing else waits. */
#define TX_PACKETS   256
#define TX_FULL      192
#define TX_INNER_MIN 1500 /* taken at least, bytes of an inner packet */

enum user_path { PATH_UDP500, PATH_UDP4500, PATH_ESP, PATH_COUNT };

enum rx_kind { RX_DROP, RX_IKE, RX_ESP, RX_UNKNOWN, RX_PAYLOAD };

struct rx_packet {
	uint8_t *data; /* in its message */
	size_t len;    /* bytes */
	const struct io_message *from;
	enum user_path path;
	enum rx_kind kind;
	uint32_t spi;
	uint32_t association;
	bool moved;
};

struct user_rx {
	uint8_t *bufs; /* RX_MESSAGES * RX_STRIDE */
	struct io_arrays io;
	struct io_message messages[RX_MESSAGES];
	struct rx_packet packets[RX_PACKETS];
	struct esp_job jobs[RX_PACKETS];
	struct rx_packet *job_of[RX_PACKETS];
	struct coalesce coalesce; /* on the way to the TUN device */
};

/* Packets of one SA that go as one message. */
struct tx_run {
	const struct esp_sa *sa;
	uint16_t first, last; /* packets, linked by next[] */
	uint16_t n;
	bool closed; /* a shorter one is its last */
	uint8_t tos;
	size_t segment_bytes, bytes;
};

#define TX_HASH 64 /* the runs that may still grow, by SA */

struct user_tx {
	/* The ESP packets of the batch, one behind the other without a gap,
	 * so that those of one SA are one piece of memory. */
	uint8_t *arena;
	size_t arena_bytes, used_bytes;
	size_t inner_max; /* largest inner packet, bytes */
	struct io_arrays io;
	struct esp_job jobs[TX_PACKETS];
	struct user_session *sessions[TX_PACKETS];
	uint16_t inner_bytes[TX_PACKETS];
	uint8_t tos[TX_PACKETS];
	size_t n;
	/* after the encryption: who goes together */
	struct tx_run runs[TX_PACKETS];
	uint16_t next[TX_PACKETS];
	uint16_t open_run[TX_HASH]; /* index + 1, 0: none */
	struct iovec iov[TX_PACKETS];
	struct io_run out[2][TX_PACKETS]; /* 0 UDP, 1 raw ESP */
};

#endif
