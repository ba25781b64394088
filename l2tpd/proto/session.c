/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.c: the calls of one tunnel (RFC 2661 5.2 to 5.4, 6.6 to 6.14, 7.4,
 * 7.5): finding the session a message is for, its event, the actions of
 * session_fsm. Owns the sessions. Messages come decoded; values are the peer's.
 *
 * Sessions of a tunnel are a list: remote access has one a tunnel.
 *
 * Done as specified, with these choices: there is no telephone line, so as LAC
 * of an outgoing call we answer at once (OCRP, then OCCN); a request with the
 * Assigned Session ID of a live session replaces that session; we never send
 * WEN, SLI or Sequencing Required (kl2tpd, Apple).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "l2tpd/proto/tunnel_int.h"

#define TX_SPEED_BPS   100000000
#define FRAMING_SYNC   1 /* RFC 2661 4.4.4 Framing Type */
#define FRAMING_ASYNC  2
#define BEARER_DIGITAL 1 /* RFC 2661 4.4.4 Bearer Type */
#define ID_TRIES       64

/* ---- the list ---------------------------------------------------------- */

struct session *
session_find(struct tunnel *t, uint16_t local_id)
{
	struct session *s;

	LIST_FOREACH (s, &t->sessions, link)
		if (s->view.local_id == local_id && !s->over)
			return s;
	return NULL;
}

static struct session *
find_by_peer_id(struct tunnel *t, uint16_t peer_id)
{
	struct session *s;

	LIST_FOREACH (s, &t->sessions, link)
		if (s->view.peer_id == peer_id && !s->over)
			return s;
	return NULL;
}

/* A free id from the CSPRNG; 0: none found. Ids of sessions that are over but
 * not reported yet are not free. */
static uint16_t
draw_id(struct tunnel *t)
{
	struct session *s;
	uint16_t id;
	int i;

	for (i = 0; i < ID_TRIES; i++) {
		t->cfg->random(t->cfg->random_ctx, &id, sizeof(id));
		if (id == 0 ||
		    (t->cfg->session_id_taken != NULL &&
			t->cfg->session_id_taken(t->cfg->taken_ctx, id)))
			continue;
		LIST_FOREACH (s, &t->sessions, link)
			if (s->view.local_id == id)
				break;
		if (s == NULL)
			return id;
	}
	return 0;
}

struct session *
session_new(struct tunnel *t, enum session_state state)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->view.local_id = draw_id(t);
	if (s->view.local_id == 0) {
		free(s);
		return NULL;
	}
	s->state = state;
	s->view.incoming =
	    state == SESSION_LAC_IN_IDLE || state == SESSION_LNS_IN_IDLE;
	s->view.we_called =
	    state == SESSION_LAC_IN_IDLE || state == SESSION_LNS_OUT_IDLE;
	s->setup_deadline_ms = t->cfg->setup_timeout_ms > 0
	    ? t->now_ms + t->cfg->setup_timeout_ms
	    : UINT64_MAX;
	LIST_INSERT_HEAD(&t->sessions, s, link);
	t->session_count++;
	return s;
}

void
session_free(struct session *s)
{
	LIST_REMOVE(s, link);
	free(s);
}

void
session_blame(
    struct session *s, uint16_t result, uint16_t error, const char *why)
{
	s->close =
	    (struct tunnel_close){.result = result, .error = error, .why = why};
}

/* Over: reported to the engine if it knows of the session, else forgotten. */
static void
end(struct tunnel *t, struct session *s)
{
	if (s->over)
		return;
	s->over = true;
	t->session_count--;
	t->idle_since_ms = t->now_ms;
	s->setup_deadline_ms = UINT64_MAX;
	s->pending |= PENDING_DOWN;
}

void
session_all_down(struct tunnel *t)
{
	struct session *s;

	LIST_FOREACH (s, &t->sessions, link) {
		if (s->over)
			continue;
		s->close = t->close;
		end(t, s);
	}
}

void
session_tick(struct tunnel *t)
{
	struct session *s, *next;

	for (s = LIST_FIRST(&t->sessions); s != NULL; s = next) {
		next = LIST_NEXT(s, link);
		if (t->now_ms < s->setup_deadline_ms)
			continue;
		s->setup_deadline_ms = UINT64_MAX;
		session_blame(
		    s, L2TP_CDN_TIMEOUT, L2TP_ERROR_NONE, "setup-timeout");
		session_step(t, s, SESSION_EV_CLOSE, NULL);
	}
}

uint64_t
session_deadline(const struct tunnel *t)
{
	uint64_t d = UINT64_MAX;
	const struct session *s;

	LIST_FOREACH (s, &t->sessions, link)
		if (s->setup_deadline_ms < d)
			d = s->setup_deadline_ms;
	return d;
}

/* ---- what we send ------------------------------------------------------ */

/* RFC 2661 4.4.3: no Framing Type that the peer has not announced. */
static uint32_t
framing_type(const struct tunnel *t)
{
	if (t->peer_framing != 0 && (t->peer_framing & FRAMING_SYNC) == 0)
		return FRAMING_ASYNC;
	return FRAMING_SYNC;
}

static void
send_request(struct tunnel *t, struct session *s)
{
	uint8_t body[128];
	struct wr w = wr_init(body, sizeof(body));

	s->view.call_serial = t->next_serial++;
	msg_begin(&w, s->view.incoming ? MSG_ICRQ : MSG_OCRQ);
	avp_put_u16(&w, AVP_ASSIGNED_SESSION_ID, s->view.local_id);
	avp_put_u32(&w, AVP_CALL_SERIAL_NUMBER, s->view.call_serial);
	if (!s->view.incoming) {
		avp_put_u32(&w, AVP_MINIMUM_BPS, 1);
		avp_put_u32(&w, AVP_MAXIMUM_BPS, TX_SPEED_BPS);
		avp_put_u32(&w, AVP_BEARER_TYPE, BEARER_DIGITAL);
		avp_put_u32(&w, AVP_FRAMING_TYPE, framing_type(t));
		avp_put_bytes(&w, AVP_CALLED_NUMBER, rd_init("0", 1));
	}
	tunnel_send(t, 0, &w); /* session id 0: the peer's is not known */
}

static void
send_reply(struct tunnel *t, struct session *s)
{
	uint8_t body[64];
	struct wr w = wr_init(body, sizeof(body));

	msg_begin(&w, s->view.incoming ? MSG_ICRP : MSG_OCRP);
	avp_put_u16(&w, AVP_ASSIGNED_SESSION_ID, s->view.local_id);
	tunnel_send(t, s->view.peer_id, &w);
}

static void
send_connect(struct tunnel *t, struct session *s)
{
	uint8_t body[64];
	struct wr w = wr_init(body, sizeof(body));

	s->view.tx_speed_bps = TX_SPEED_BPS;
	msg_begin(&w, s->view.incoming ? MSG_ICCN : MSG_OCCN);
	avp_put_u32(&w, AVP_TX_CONNECT_SPEED, TX_SPEED_BPS);
	avp_put_u32(&w, AVP_FRAMING_TYPE, framing_type(t));
	tunnel_send(t, s->view.peer_id, &w);
}

/* RFC 2661 4.4.4: the Assigned Session ID lets a peer that has not told us its
 * own id find the session. */
static void
send_cdn(struct tunnel *t, const struct session *s)
{
	uint8_t body[256];
	struct wr w = wr_init(body, sizeof(body));
	char text[L2TP_MESSAGE_MAX + 1] = "";

	memcpy(text, s->close.message, s->close.message_bytes);
	msg_begin(&w, MSG_CDN);
	msg_put_result(&w, s->close.result, s->close.error, text);
	avp_put_u16(&w, AVP_ASSIGNED_SESSION_ID, s->view.local_id);
	tunnel_send(t, s->view.peer_id, &w);
}

/* ---- actions ----------------------------------------------------------- */

static void
come_up(struct session *s, const struct l2tp_msg *m)
{
	s->setup_deadline_ms = UINT64_MAX;
	s->pending |= PENDING_UP;
	if (m == NULL || s->view.we_called != !s->view.incoming)
		return; /* we are the LAC: the connect message was ours */
	s->view.tx_speed_bps = msg_u32(m, AVP_TX_CONNECT_SPEED);
	s->view.sequencing_required = msg_has(m, AVP_SEQUENCING_REQUIRED);
}

static void
note_cdn(struct session *s, const struct l2tp_msg *m)
{
	struct msg_result r = {0};

	if (m == NULL || m->type != MSG_CDN)
		return;
	session_blame(s, 0, 0, "peer-hung-up");
	s->close.by_peer = true;
	if (msg_result(m, &r)) {
		s->close.result = r.result;
		s->close.error = r.error;
		tunnel_set_message(&s->close, r.message);
	}
}

/* WEN: Call Errors; SLI: ACCM, RFC 2661 4.4.6 (both begin with 2 reserved
 * bytes). */
static void
note_info(struct session *s, const struct l2tp_msg *m)
{
	struct rd accm = m->value[AVP_ACCM].bytes;

	s->pending |= PENDING_INFO;
	s->info_is_sli = m->type == MSG_SLI;
	if (!s->info_is_sli)
		return;
	rd_skip(&accm, 2);
	rd_be32(&accm, &s->info_accm_send);
	rd_be32(&accm, &s->info_accm_receive);
}

static void
act(struct tunnel *t, struct session *s, enum session_action action,
    const struct l2tp_msg *m)
{
	switch (action) {
	case SESSION_ACT_SEND_REQUEST:
		send_request(t, s);
		break;
	case SESSION_ACT_SEND_REPLY:
		s->view.call_serial = msg_u32(m, AVP_CALL_SERIAL_NUMBER);
		s->pending |= PENDING_NEW;
		send_reply(t, s);
		break;
	case SESSION_ACT_REPLIED:
		s->view.peer_id = msg_u16(m, AVP_ASSIGNED_SESSION_ID);
		s->pending |= PENDING_NEW;
		break;
	case SESSION_ACT_SEND_CONNECT:
		if (s->view.we_called) {
			s->view.peer_id = msg_u16(m, AVP_ASSIGNED_SESSION_ID);
			s->pending |= PENDING_NEW;
		}
		send_connect(t, s);
		come_up(s, NULL);
		break;
	case SESSION_ACT_UP:
		come_up(s, m);
		break;
	case SESSION_ACT_SEND_CDN:
		send_cdn(t, s);
		end(t, s);
		break;
	case SESSION_ACT_CLEAN:
		note_cdn(s, m);
		end(t, s);
		break;
	case SESSION_ACT_INFO:
		note_info(s, m);
		break;
	case SESSION_ACT_NONE:
	case SESSION_ACT_CANNOT:
	case SESSION_ACT_EMPTY:
		break;
	}
}

void
session_step(struct tunnel *t, struct session *s, enum session_event event,
    const struct l2tp_msg *msg)
{
	const struct session_cell *cell = &session_fsm[s->state][event];

	if (s->over)
		return;
	assert(cell->action != SESSION_ACT_CANNOT);
	s->state = cell->next;
	act(t, s, cell->action, msg);
}

/* ---- messages ---------------------------------------------------------- */

static bool
is_incoming_call(uint16_t type)
{
	return type == MSG_ICRQ || type == MSG_ICRP || type == MSG_ICCN;
}

static bool
is_call(uint16_t type)
{
	return is_incoming_call(type) || type == MSG_OCRQ || type == MSG_OCRP ||
	    type == MSG_OCCN;
}

/* An id of 0 is as bad as none. */
static bool
acceptable(struct session *s, const struct l2tp_msg *m)
{
	bool assigns = m->spec->must & MSG_AVP(AVP_ASSIGNED_SESSION_ID);
	char text[MSG_FAULT_TEXT_BYTES];

	if (m->why != NULL) {
		session_blame(
		    s, L2TP_CDN_GENERAL_ERROR, m->fault_error, m->why);
		tunnel_set_message(&s->close, msg_fault_text(m, text));
		return false;
	}
	if (assigns && msg_u16(m, AVP_ASSIGNED_SESSION_ID) == 0) {
		session_blame(s, L2TP_CDN_GENERAL_ERROR, L2TP_ERROR_VALUE,
		    "Assigned Session ID is 0");
		return false;
	}
	return true;
}

/* The event that a message makes for a session; blames it as needed. */
static enum session_event
event_of(struct session *s, const struct l2tp_msg *m)
{
	bool ok;

	session_blame(s, L2TP_CDN_GENERAL_ERROR, L2TP_ERROR_NONE,
	    "message out of sequence");
	if (m->type == MSG_CDN)
		return SESSION_EV_CDN;
	if (is_call(m->type) && is_incoming_call(m->type) != s->view.incoming)
		return SESSION_EV_FOREIGN;
	ok = acceptable(s, m);
	switch (m->type) {
	case MSG_ICRQ:
	case MSG_OCRQ:
		return ok ? SESSION_EV_REQUEST_OK : SESSION_EV_REQUEST_BAD;
	case MSG_ICRP:
	case MSG_OCRP:
		return ok ? SESSION_EV_REPLY_OK : SESSION_EV_REPLY_BAD;
	case MSG_ICCN:
	case MSG_OCCN:
		return ok ? SESSION_EV_CONNECT_OK : SESSION_EV_CONNECT_BAD;
	default:
		return ok ? SESSION_EV_INFO : SESSION_EV_INFO_BAD;
	}
}

/* A request, or a stray reply: a session in the idle state meets it. One that
 * does not get beyond idle is forgotten without a word to the engine. */
static void
input_idle(struct tunnel *t, const struct l2tp_msg *m)
{
	bool full = t->session_count >= t->cfg->max_sessions;
	uint16_t peer_id = msg_u16(m, AVP_ASSIGNED_SESSION_ID);
	enum session_event event;
	struct session *s;

	if (peer_id == 0)
		return; /* nobody to answer */
	s = session_new(t,
	    is_incoming_call(m->type) ? SESSION_LNS_IN_IDLE
				      : SESSION_LAC_OUT_IDLE);
	if (s == NULL)
		return;
	s->view.peer_id = peer_id;
	event = event_of(s, m);
	if (event == SESSION_EV_REQUEST_OK && full) {
		session_blame(s, L2TP_CDN_NO_FACILITIES_NOW, L2TP_ERROR_NONE,
		    "too many sessions");
		event = SESSION_EV_REQUEST_BAD;
	}
	session_step(t, s, event, m);
	if (s->state ==
	    SESSION_LAC_OUT_WAIT_CS_ANSWER) /* no line to wait for */
		session_step(t, s, SESSION_EV_BEARER_UP, NULL);
	if (s->over && (s->pending & PENDING_NEW) == 0)
		session_free(s);
}

/* The peer uses an id again without having hung up: it has forgotten the old
 * session, and a CDN would hit the new one. */
static void
drop_predecessor(struct tunnel *t, uint16_t peer_id)
{
	struct session *s = find_by_peer_id(t, peer_id);

	if (s == NULL)
		return;
	session_blame(
	    s, L2TP_CDN_LOST_CARRIER, 0, "peer reuses the session id");
	end(t, s);
}

void
session_input(struct tunnel *t, uint16_t header_id, const struct l2tp_msg *msg)
{
	uint16_t peer_id = msg_u16(msg, AVP_ASSIGNED_SESSION_ID);
	struct session *s = NULL;

	if (header_id != 0)
		s = session_find(t, header_id);
	else if (msg->type == MSG_CDN && peer_id != 0)
		s = find_by_peer_id(t, peer_id); /* RFC 2661 4.4.4 */
	if (s != NULL) {
		session_step(t, s, event_of(s, msg), msg);
		return;
	}
	if (msg->type == MSG_ICRQ || msg->type == MSG_OCRQ) {
		if (header_id != 0)
			return;
		if (msg->why == NULL && peer_id != 0)
			drop_predecessor(t, peer_id);
		input_idle(t, msg);
	} else if (msg->type == MSG_ICRP || msg->type == MSG_OCRP) {
		input_idle(t, msg); /* RFC 2661 7.4.2: CDN */
	}
}
