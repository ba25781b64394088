/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rel.c: reliable delivery (RFC 2661 5.8, Appendix A). Trusts nothing that the
 * peer says about Ns and Nr: both are checked against what was sent and what
 * is expected.
 *
 * Done as specified, with these choices: acknowledgements are never delayed
 * (old Android waits for them); after a timeout everything not acknowledged is
 * sent again as the window opens (the peer may have kept none of it); early
 * messages are kept up to REL_EARLY_BYTES, then dropped.
 */
#include "l2tpd/proto/rel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "l2tpd/proto/header.h"

struct rel_msg {
	TAILQ_ENTRY(rel_msg) link;
	uint16_t ns; /* of early messages only */
	uint16_t session_id;
	size_t body_bytes;
	uint8_t body[];
};

static struct rel_msg *
msg_new(uint16_t ns, uint16_t session_id, struct rd body)
{
	size_t n = body.left;
	struct rel_msg *m = malloc(sizeof(*m) + n);

	if (m == NULL)
		return NULL;
	m->ns = ns;
	m->session_id = session_id;
	m->body_bytes = n;
	rd_bytes(&body, m->body, n);
	return m;
}

void
rel_msg_free(struct rel_msg *m)
{
	free(m);
}

struct rd
rel_msg_body(const struct rel_msg *m)
{
	return rd_init(m->body, m->body_bytes);
}

uint16_t
rel_msg_session_id(const struct rel_msg *m)
{
	return m->session_id;
}

void
rel_init(struct rel *rel, uint16_t receive_window)
{
	memset(rel, 0, sizeof(*rel));
	TAILQ_INIT(&rel->out);
	TAILQ_INIT(&rel->early);
	rel->receive_window = receive_window > 0 ? receive_window : 1;
	rel->peer_window = REL_WINDOW_DEFAULT;
	rel->ssthresh = REL_WINDOW_DEFAULT;
	rel->cwnd = 1; /* Appendix A: slow start */
	rel->timer_ms = UINT64_MAX;
}

static void
clear_queue(struct rel_queue *q)
{
	struct rel_msg *m;

	while ((m = TAILQ_FIRST(q)) != NULL) {
		TAILQ_REMOVE(q, m, link);
		rel_msg_free(m);
	}
}

void
rel_clear(struct rel *rel)
{
	clear_queue(&rel->out);
	clear_queue(&rel->early);
	rel_init(rel, rel->receive_window);
}

void
rel_set_peer_window(struct rel *rel, uint16_t messages)
{
	rel->peer_window = messages > 0 ? messages : 1;
	rel->ssthresh = rel->peer_window; /* Appendix A */
}

int
rel_send(struct rel *rel, uint16_t session_id, struct rd body)
{
	struct rel_msg *m;

	if (body.left == 0 || body.left > REL_BODY_MAX)
		return -EMSGSIZE;
	if (rel->out_count >= REL_QUEUE_MAX)
		return -ENOBUFS;
	m = msg_new(0, session_id, body);
	if (m == NULL)
		return -ENOMEM;
	TAILQ_INSERT_TAIL(&rel->out, m, link);
	rel->out_count++;
	return 0;
}

void
rel_drop_unsent(struct rel *rel)
{
	size_t keep = (uint16_t)(rel->sent_end - rel->una);
	struct rel_msg *m;

	while (rel->out_count > keep) {
		m = TAILQ_LAST(&rel->out, rel_queue);
		TAILQ_REMOVE(&rel->out, m, link);
		rel_msg_free(m);
		rel->out_count--;
	}
}

void
rel_stop_sending(struct rel *rel)
{
	clear_queue(&rel->out);
	rel->out_count = rel->in_flight = 0;
	rel->una = rel->sent_end;
	rel->timer_ms = UINT64_MAX;
}

/* Window of messages in flight: Appendix A. */
static size_t
window(const struct rel *rel)
{
	return rel->cwnd < rel->peer_window ? rel->cwnd : rel->peer_window;
}

static bool
may_send(const struct rel *rel)
{
	return rel->in_flight < rel->out_count && rel->in_flight < window(rel);
}

bool
rel_has_output(const struct rel *rel)
{
	return rel->ack_due || may_send(rel);
}

static uint64_t
rto_ms(unsigned tries)
{
	uint64_t rto = REL_RTO_FIRST_MS;

	while (tries-- > 0 && rto < REL_RTO_CAP_MS)
		rto *= 2;
	return rto < REL_RTO_CAP_MS ? rto : REL_RTO_CAP_MS;
}

static bool
put_zlb(struct rel *rel, uint16_t peer_tunnel_id, struct wr *w)
{
	/* RFC 2661 5.8: a ZLB carries the next Ns but does not use it up */
	rel->ack_due = rel->zlb_first = false;
	return l2tp_put_control_head(
		   w, peer_tunnel_id, 0, rel->sent_end, rel->nr) &&
	    l2tp_finish_control(w);
}

static bool
put_message(
    struct rel *rel, uint16_t peer_tunnel_id, uint64_t now_ms, struct wr *w)
{
	uint16_t ns = (uint16_t)(rel->una + rel->in_flight);
	struct rel_msg *m = TAILQ_FIRST(&rel->out);
	size_t i;

	for (i = 0; i < rel->in_flight; i++)
		m = TAILQ_NEXT(m, link);
	rel->in_flight++;
	if ((uint16_t)(ns - rel->una) >= (uint16_t)(rel->sent_end - rel->una))
		rel->sent_end = (uint16_t)(ns + 1);
	if (rel->timer_ms == UINT64_MAX)
		rel->timer_ms = now_ms + rto_ms(rel->tries);
	rel->ack_due = rel->zlb_first = false; /* Nr goes along */
	return l2tp_put_control_head(
		   w, peer_tunnel_id, m->session_id, ns, rel->nr) &&
	    wr_bytes(w, m->body, m->body_bytes) && l2tp_finish_control(w);
}

bool
rel_output(
    struct rel *rel, uint16_t peer_tunnel_id, uint64_t now_ms, struct wr *w)
{
	if (may_send(rel) && !rel->zlb_first)
		return put_message(rel, peer_tunnel_id, now_ms, w);
	if (rel->ack_due)
		return put_zlb(rel, peer_tunnel_id, w);
	return false;
}

/* Slow start, then congestion avoidance: Appendix A. */
static void
grow_window(struct rel *rel)
{
	if (rel->cwnd >= rel->peer_window)
		return;
	if (rel->cwnd < rel->ssthresh) {
		rel->cwnd++;
	} else if (++rel->cwnd_acks >= rel->cwnd) {
		rel->cwnd_acks = 0;
		rel->cwnd++;
	}
}

/* Everything before nr is acknowledged. False: nr is from the future. An old
 * one (the network reorders) changes nothing. */
static bool
take_ack(struct rel *rel, uint16_t nr, uint64_t now_ms)
{
	uint16_t acked = (uint16_t)(nr - rel->una);
	struct rel_msg *m;

	if (acked > (uint16_t)(rel->sent_end - rel->una))
		return acked > INT16_MAX; /* old, or bogus */
	if (acked == 0)
		return true;
	rel->una = nr;
	rel->out_count -= acked;
	rel->in_flight -= acked < rel->in_flight ? acked : rel->in_flight;
	while (acked-- > 0) {
		m = TAILQ_FIRST(&rel->out);
		TAILQ_REMOVE(&rel->out, m, link);
		rel_msg_free(m);
		grow_window(rel);
	}
	rel->tries = 0;
	rel->timer_ms =
	    rel->in_flight > 0 ? now_ms + REL_RTO_FIRST_MS : UINT64_MAX;
	return true;
}

enum rel_verdict
rel_input(
    struct rel *rel, uint16_t ns, uint16_t nr, bool is_zlb, uint64_t now_ms)
{
	uint16_t ahead = (uint16_t)(ns - rel->nr);

	if (!is_zlb && ahead >= rel->receive_window && ahead <= INT16_MAX)
		return REL_DROP;
	if (!take_ack(rel, nr, now_ms))
		return REL_DROP;
	if (is_zlb)
		return REL_ACK_ONLY;
	if (ahead == 0) {
		rel->nr++;
		rel->ack_due = true;
		return REL_DELIVER;
	}
	/* RFC 2661 5.8: the 32767 numbers before Nr are duplicates, which
	 * MUST be acknowledged again */
	if (ahead > INT16_MAX) {
		rel->ack_due = true;
		return REL_DUPLICATE;
	}
	return REL_EARLY;
}

bool
rel_keep(struct rel *rel, uint16_t ns, uint16_t session_id, struct rd body)
{
	uint16_t ahead = (uint16_t)(ns - rel->nr);
	struct rel_msg *m, *after = NULL;

	if (sizeof(*m) + body.left > REL_EARLY_BYTES - rel->early_bytes)
		return false;
	TAILQ_FOREACH (m, &rel->early, link) {
		if (m->ns == ns)
			return true; /* have it */
		if ((uint16_t)(m->ns - rel->nr) > ahead)
			break;
		after = m;
	}
	m = msg_new(ns, session_id, body);
	if (m == NULL)
		return false;
	if (after != NULL)
		TAILQ_INSERT_AFTER(&rel->early, after, m, link);
	else
		TAILQ_INSERT_HEAD(&rel->early, m, link);
	rel->early_bytes += sizeof(*m) + m->body_bytes;
	return true;
}

struct rel_msg *
rel_take_early(struct rel *rel)
{
	struct rel_msg *m;

	while ((m = TAILQ_FIRST(&rel->early)) != NULL) {
		if ((uint16_t)(m->ns - rel->nr) <= INT16_MAX &&
		    m->ns != rel->nr)
			return NULL; /* the gap is still there */
		TAILQ_REMOVE(&rel->early, m, link);
		rel->early_bytes -= sizeof(*m) + m->body_bytes;
		if (m->ns == rel->nr) {
			rel->nr++;
			rel->ack_due = true;
			return m;
		}
		rel_msg_free(m); /* arrived again in order meanwhile */
	}
	return NULL;
}

bool
rel_all_acked(const struct rel *rel)
{
	return rel->out_count == 0;
}

bool
rel_tick(struct rel *rel, uint64_t now_ms)
{
	if (now_ms < rel->timer_ms)
		return true;
	if (rel->tries >= REL_RETRIES)
		return false;
	/* Appendix A: half the window becomes the threshold, start slowly */
	rel->tries++;
	rel->ssthresh = rel->cwnd / 2 > 0 ? rel->cwnd / 2 : 1;
	rel->cwnd = 1;
	rel->cwnd_acks = 0;
	rel->in_flight = 0;
	rel->timer_ms = UINT64_MAX;
	return true;
}

uint64_t
rel_deadline(const struct rel *rel)
{
	return rel->timer_ms;
}
