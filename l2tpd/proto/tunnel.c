/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel.c: a control connection as the engine sees it (contract in tunnel.h):
 * life, orders, timers, effects; and the stepper of its state table. Trusts
 * the engine's arguments; peers' bytes come in by tunnel_input.c only.
 *
 * Effects are flags, not a queue: each object has a small set of things to
 * tell, in an order that cannot change, so nothing a peer does makes a queue
 * grow. The order is: new sessions (their data may follow the reply at once),
 * datagrams, then everything else (old Android wants the acknowledgement of an
 * ICCN before the first PPP packet).
 *
 * Done as specified: RFC 2661 5.5 (HELLO), 5.7 (after StopCCN), 7.2 (states).
 */
#include "l2tpd/proto/tunnel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "l2tpd/proto/tunnel_int.h"

static struct tunnel *
tunnel_new(const struct tunnel_config *cfg, uint16_t local_id, uint64_t now_ms)
{
	struct tunnel *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->cfg = cfg;
	t->local_id = local_id;
	t->now_ms = t->heard_ms = now_ms;
	t->setup_deadline_ms = cfg->setup_timeout_ms > 0
	    ? now_ms + cfg->setup_timeout_ms
	    : UINT64_MAX;
	t->linger_deadline_ms = UINT64_MAX;
	rel_init(&t->rel, cfg->receive_window);
	LIST_INIT(&t->sessions);
	cfg->random(cfg->random_ctx, &t->next_serial, sizeof(t->next_serial));
	return t;
}

struct tunnel *
tunnel_new_responder(
    const struct tunnel_config *cfg, uint16_t local_id, uint64_t now_ms)
{
	return tunnel_new(cfg, local_id, now_ms);
}

struct tunnel *
tunnel_new_initiator(
    const struct tunnel_config *cfg, uint16_t local_id, uint64_t now_ms)
{
	struct tunnel *t = tunnel_new(cfg, local_id, now_ms);

	if (t == NULL)
		return NULL;
	t->initiator = true;
	tunnel_step(t, TUNNEL_EV_OPEN, NULL);
	return t;
}

void
tunnel_free(struct tunnel *t)
{
	struct session *s;

	if (t == NULL)
		return;
	while ((s = LIST_FIRST(&t->sessions)) != NULL)
		session_free(s);
	rel_clear(&t->rel);
	free(t->out);
	free(t);
}

void
tunnel_step(
    struct tunnel *t, enum tunnel_event event, const struct l2tp_msg *msg)
{
	const struct tunnel_cell *cell = &tunnel_fsm[t->state][event];

	assert(cell->action != TUNNEL_ACT_CANNOT);
	t->state = cell->next;
	tunnel_act(t, cell->action, msg);
	/* nothing left to be acknowledged: no reason to wait (5.7) */
	if (t->state == TUNNEL_STOPPING && rel_all_acked(&t->rel))
		tunnel_step(t, TUNNEL_EV_ALL_ACKED, NULL);
}

void
tunnel_blame(struct tunnel *t, uint16_t result, uint16_t error, const char *why)
{
	if (t->down)
		return;
	t->close =
	    (struct tunnel_close){.result = result, .error = error, .why = why};
}

void
tunnel_blame_fault(struct tunnel *t, const struct l2tp_msg *msg)
{
	char text[MSG_FAULT_TEXT_BYTES];

	tunnel_blame(t, L2TP_STOP_GENERAL_ERROR, msg->fault_error, msg->why);
	if (!t->down)
		tunnel_set_message(&t->close, msg_fault_text(msg, text));
}

void
tunnel_set_message(struct tunnel_close *c, struct rd message)
{
	size_t n = message.left;

	if (n > sizeof(c->message))
		n = sizeof(c->message);
	c->message_bytes = rd_bytes(&message, c->message, n) ? n : 0;
}

void
tunnel_send(struct tunnel *t, uint16_t session_id, const struct wr *body)
{
	if (rel_send(&t->rel, session_id, wr_rd(body)) == 0)
		return;
	tunnel_blame(t, L2TP_STOP_GENERAL_ERROR, L2TP_ERROR_RESOURCES,
	    "send-queue-full");
	tunnel_step(t, TUNNEL_EV_NO_ANSWER, NULL);
}

struct rd
tunnel_secret(const struct tunnel *t)
{
	return rd_init(
	    t->cfg->secret, t->cfg->secret != NULL ? t->cfg->secret_bytes : 0);
}

/* ---- time -------------------------------------------------------------- */

void
tunnel_note_data(struct tunnel *t, uint64_t now_ms)
{
	t->now_ms = t->heard_ms = now_ms;
}

/* RFC 2661 5.5: silence for so long asks for a HELLO; what is not acknowledged
 * yet is as good as one. */
static uint64_t
hello_deadline(const struct tunnel *t)
{
	if (t->state != TUNNEL_ESTABLISHED || t->cfg->hello_interval_ms == 0 ||
	    !rel_all_acked(&t->rel))
		return UINT64_MAX;
	return t->heard_ms + t->cfg->hello_interval_ms;
}

/* A peer that set up a tunnel and makes no call in it is half-open too. Ours to
 * decide: the RFC leaves idle tunnels to the implementation. */
static uint64_t
idle_deadline(const struct tunnel *t)
{
	if (t->state != TUNNEL_ESTABLISHED || t->initiator ||
	    t->session_count > 0 || t->cfg->setup_timeout_ms == 0)
		return UINT64_MAX;
	return t->idle_since_ms + t->cfg->setup_timeout_ms;
}

static void
send_hello(struct tunnel *t)
{
	uint8_t bytes[AVP_HEAD_BYTES + 2];
	struct wr w = wr_init(bytes, sizeof(bytes));

	msg_begin(&w, MSG_HELLO);
	t->hello_out = true;
	tunnel_send(t, 0, &w);
}

void
tunnel_tick(struct tunnel *t, uint64_t now_ms)
{
	t->now_ms = now_ms;
	if (!rel_tick(&t->rel, now_ms)) {
		tunnel_blame(t, L2TP_STOP_GENERAL_REQUEST, L2TP_ERROR_NONE,
		    t->hello_out ? "hello-timeout" : "no-answer");
		tunnel_step(t, TUNNEL_EV_NO_ANSWER, NULL);
	}
	if (now_ms >= t->linger_deadline_ms) {
		t->linger_deadline_ms = UINT64_MAX;
		tunnel_step(t, TUNNEL_EV_LINGERED, NULL);
	}
	if (now_ms >= t->setup_deadline_ms) {
		t->setup_deadline_ms = UINT64_MAX;
		tunnel_blame(t, L2TP_STOP_GENERAL_REQUEST, L2TP_ERROR_NONE,
		    "setup-timeout");
		tunnel_step(t, TUNNEL_EV_CLOSE, NULL);
	}
	session_tick(t);
	if (now_ms >= idle_deadline(t)) {
		tunnel_blame(t, L2TP_STOP_GENERAL_REQUEST, L2TP_ERROR_NONE,
		    "no-session");
		tunnel_step(t, TUNNEL_EV_CLOSE, NULL);
	}
	if (now_ms >= hello_deadline(t))
		send_hello(t);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t
tunnel_deadline(const struct tunnel *t)
{
	uint64_t d = rel_deadline(&t->rel);

	if (t->state == TUNNEL_DEAD)
		return UINT64_MAX;
	d = earlier(d, t->linger_deadline_ms);
	d = earlier(d, t->setup_deadline_ms);
	d = earlier(d, session_deadline(t));
	d = earlier(d, idle_deadline(t));
	return earlier(d, hello_deadline(t));
}

/* ---- orders ------------------------------------------------------------ */

void
tunnel_close(struct tunnel *t, uint16_t result, uint16_t error,
    const char *message, uint64_t now_ms)
{
	t->now_ms = now_ms;
	tunnel_blame(t, result, error, "closed");
	if (message != NULL && !t->down)
		tunnel_set_message(
		    &t->close, rd_init(message, strlen(message)));
	tunnel_step(t, TUNNEL_EV_CLOSE, NULL);
}

static int
call(struct tunnel *t, enum session_state idle, uint64_t now_ms,
    uint16_t *ret_local_id)
{
	struct session *s;
	uint16_t id;

	t->now_ms = now_ms;
	if (t->state != TUNNEL_ESTABLISHED)
		return -ENOTCONN;
	if (t->session_count >= t->cfg->max_sessions)
		return -ENOSPC;
	s = session_new(t, idle);
	if (s == NULL)
		return -ENOSPC;
	id = s->view.local_id;
	session_step(t, s, SESSION_EV_OPEN, NULL);
	session_step(t, s, SESSION_EV_TUNNEL_OPEN, NULL);
	*ret_local_id = id;
	return 0;
}

int
tunnel_call_incoming(struct tunnel *t, uint64_t now_ms, uint16_t *ret_local_id)
{
	return call(t, SESSION_LAC_IN_IDLE, now_ms, ret_local_id);
}

int
tunnel_call_outgoing(struct tunnel *t, uint64_t now_ms, uint16_t *ret_local_id)
{
	return call(t, SESSION_LNS_OUT_IDLE, now_ms, ret_local_id);
}

int
tunnel_session_close(struct tunnel *t, uint16_t local_session_id,
    uint16_t result, uint16_t error, const char *message, uint64_t now_ms)
{
	struct session *s = session_find(t, local_session_id);

	t->now_ms = now_ms;
	if (s == NULL)
		return -ENOENT;
	session_blame(s, result, error, "closed");
	if (message != NULL)
		tunnel_set_message(
		    &s->close, rd_init(message, strlen(message)));
	session_step(t, s, SESSION_EV_CLOSE, NULL);
	return 0;
}

/* ---- effects ----------------------------------------------------------- */

static bool
take_flag(unsigned *pending, unsigned flag)
{
	if ((*pending & flag) == 0)
		return false;
	*pending &= ~flag;
	return true;
}

static bool
take_tunnel_up(struct tunnel *t, struct tunnel_effect *ret)
{
	if (!take_flag(&t->pending, PENDING_UP))
		return false;
	ret->type = TUNNEL_EFFECT_UP;
	return true;
}

static bool
take_new(struct tunnel *t, struct tunnel_effect *ret)
{
	struct session *s;

	LIST_FOREACH (s, &t->sessions, link) {
		if ((s->pending & PENDING_NEW) == 0)
			continue;
		if (take_tunnel_up(t, ret)) /* in the same call: first */
			return true;
		s->pending &= ~(unsigned)PENDING_NEW;
		ret->type = TUNNEL_EFFECT_SESSION_NEW;
		ret->session = s->view;
		return true;
	}
	return false;
}

static bool
take_datagram(struct tunnel *t, struct tunnel_effect *ret)
{
	struct wr w;

	if (t->state == TUNNEL_DEAD || !rel_has_output(&t->rel))
		return false;
	if (t->out == NULL)
		t->out = malloc(TUNNEL_DATAGRAM_MAX);
	if (t->out == NULL)
		return false; /* as if lost: the timer tries again */
	w = wr_init(t->out, TUNNEL_DATAGRAM_MAX);
	if (!rel_output(&t->rel, t->peer_id, t->now_ms, &w))
		return false;
	ret->type = TUNNEL_EFFECT_SEND;
	ret->data = wr_rd(&w);
	return true;
}

static bool
take_session(struct tunnel *t, struct tunnel_effect *ret)
{
	struct session *s;

	LIST_FOREACH (s, &t->sessions, link) {
		if (s->pending == 0)
			continue;
		ret->session = s->view;
		if (take_flag(&s->pending, PENDING_UP)) {
			ret->type = TUNNEL_EFFECT_SESSION_UP;
		} else if (take_flag(&s->pending, PENDING_INFO)) {
			ret->type = TUNNEL_EFFECT_SESSION_INFO;
			ret->info_is_sli = s->info_is_sli;
			ret->info_accm_send = s->info_accm_send;
			ret->info_accm_receive = s->info_accm_receive;
		} else {
			ret->type = TUNNEL_EFFECT_SESSION_DOWN;
			ret->close = s->close;
			session_free(s);
		}
		return true;
	}
	return false;
}

bool
tunnel_next_effect(struct tunnel *t, struct tunnel_effect *ret)
{
	struct tunnel_effect e = {0};

	if (take_new(t, &e) || take_datagram(t, &e) || take_tunnel_up(t, &e) ||
	    take_session(t, &e)) {
		*ret = e;
		return true;
	}
	if (take_flag(&t->pending, PENDING_DOWN)) {
		e.type = TUNNEL_EFFECT_DOWN;
		e.close = t->close;
		*ret = e;
		return true;
	}
	/* a quiet tunnel needs no buffer */
	free(t->out);
	t->out = NULL;
	return false;
}

/* ---- questions --------------------------------------------------------- */

bool
tunnel_is_dead(const struct tunnel *t)
{
	return t->state == TUNNEL_DEAD && t->pending == 0 &&
	    LIST_EMPTY(&t->sessions);
}

bool
tunnel_is_up(const struct tunnel *t)
{
	return t->state == TUNNEL_ESTABLISHED;
}

bool
tunnel_is_closing(const struct tunnel *t)
{
	return t->down;
}

uint16_t
tunnel_local_id(const struct tunnel *t)
{
	return t->local_id;
}

uint16_t
tunnel_peer_id(const struct tunnel *t)
{
	return t->peer_id;
}

struct rd
tunnel_peer_host_name(const struct tunnel *t)
{
	return rd_init(t->host_name, t->host_name_bytes);
}

struct rd
tunnel_peer_vendor_name(const struct tunnel *t)
{
	return rd_init(t->vendor_name, t->vendor_name_bytes);
}

const char *
tunnel_state_name(const struct tunnel *t)
{
	return tunnel_fsm_state_name(t->state);
}
