/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rel.h: reliable delivery of control messages (RFC 2661 5.8, Appendix A):
 * sequence numbers, window, slow start, retransmission, acknowledgement, and a
 * bounded queue for what arrives early. Pure: no I/O, no clock.
 *
 * Owner: each struct tunnel embeds one struct rel; it owns the message copies
 * in its queues (rel_clear() frees them). Times: monotonic milliseconds.
 */
#ifndef ADIT_PROTO_REL_H
#define ADIT_PROTO_REL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/rd.h"
#include "base/wr.h"

#define REL_RTO_FIRST_MS 1000 /* RFC 2661 5.8: 1 s, doubled ... */
#define REL_RTO_CAP_MS   8000 /* ... up to no less than 8 s */
#define REL_RETRIES      5    /* retransmissions of one message */
/* First transmission to giving up: 1 + 2 + 4 + 8 + 8 + 8 s. Also how long a
 * stopped tunnel stays to acknowledge, RFC 2661 5.7. */
#define REL_FULL_CYCLE_MS                                                      \
	(1000 + 2000 + 4000 + 8000 + 8000 + (REL_RETRIES - 4) * REL_RTO_CAP_MS)
#define REL_WINDOW_DEFAULT 4    /* peer without the AVP, RFC 2661 4.4.3 */
#define REL_BODY_MAX       1024 /* bytes of one message of ours */
#define REL_QUEUE_MAX      512  /* messages of ours that wait */
#define REL_EARLY_BYTES    4096 /* kept of early messages, all together */

struct rel_msg;
TAILQ_HEAD(rel_queue, rel_msg);

struct rel {
	struct rel_queue out; /* head is the oldest not acknowledged */
	size_t out_count;
	size_t in_flight;     /* of out: sent since the last timeout */
	uint16_t una;         /* Ns of the head of out */
	uint16_t sent_end;    /* Ns after the highest ever sent */
	uint16_t nr;          /* Ns that we expect next */
	uint16_t peer_window; /* messages */
	uint16_t cwnd, ssthresh, cwnd_acks; /* Appendix A */
	uint16_t receive_window;
	unsigned tries;    /* timeouts since the last progress */
	uint64_t timer_ms; /* retransmission; UINT64_MAX: off */
	bool ack_due;      /* something to acknowledge */
	bool zlb_first;    /* with a ZLB of its own, before anything else */
	struct rel_queue early; /* by Ns, ahead of nr */
	size_t early_bytes;
};

void rel_init(struct rel *rel, uint16_t receive_window);
void rel_clear(struct rel *rel); /* frees; then as after rel_init */
/* Receive Window Size of the peer; 0 counts as 1. */
void rel_set_peer_window(struct rel *rel, uint16_t messages);

/* Queue a message. session_id: for its header. body: borrowed, copied; AVPs of
 * ours. 0; -EMSGSIZE (our bug); -ENOBUFS queue full, -ENOMEM: close the tunnel.
 */
int rel_send(struct rel *rel, uint16_t session_id, struct rd body);
/* Forget what waits and was never sent (a StopCCN overtakes it). */
void rel_drop_unsent(struct rel *rel);
/* Send nothing more but acknowledgements. */
void rel_stop_sending(struct rel *rel);

/* Write the next datagram that may go now (message or ZLB) into w, which is
 * empty. False: nothing to send. */
bool rel_output(
    struct rel *rel, uint16_t peer_tunnel_id, uint64_t now_ms, struct wr *w);
/* Would rel_output() write something? */
bool rel_has_output(const struct rel *rel);

enum rel_verdict {
	REL_DELIVER,   /* in order: process it; Nr moved on */
	REL_ACK_ONLY,  /* a ZLB: nothing more to do */
	REL_DUPLICATE, /* seen before; will be acknowledged again */
	REL_EARLY,     /* ahead of its turn: rel_keep() may store it */
	REL_DROP,      /* beyond the window, or it acknowledges the future */
};
/* A control message's header came in. is_zlb: no body. */
enum rel_verdict rel_input(
    struct rel *rel, uint16_t ns, uint16_t nr, bool is_zlb, uint64_t now_ms);
/* Store an early message (copied). False: no room; the peer sends it again. */
bool rel_keep(
    struct rel *rel, uint16_t ns, uint16_t session_id, struct rd body);
/* The stored message whose turn it is now; NULL: none. Nr moved on. The caller
 * owns it: rel_msg_free(). */
struct rel_msg *rel_take_early(struct rel *rel);
void rel_msg_free(struct rel_msg *m);
struct rd rel_msg_body(const struct rel_msg *m); /* borrowed from m */
uint16_t rel_msg_session_id(const struct rel_msg *m);

/* True: everything that we sent is acknowledged. */
bool rel_all_acked(const struct rel *rel);
/* Time passes. False: the peer does not answer, give up (RFC 2661 5.8). */
bool rel_tick(struct rel *rel, uint64_t now_ms);
uint64_t rel_deadline(const struct rel *rel); /* UINT64_MAX: none */

#endif
