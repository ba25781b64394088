/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel_act.c: the actions of the control connection's table, and what makes
 * SCCRQ, SCCRP and SCCCN acceptable (RFC 2661 5.1, 5.1.1, 5.7, 6.1 to 6.4).
 * Messages come decoded and checked for form by msg.c; their values are still
 * the peer's.
 *
 * Done as specified, with these choices: our SCCRQ and SCCRP carry no more
 * AVPs than a client's parser is known to take (Apple, Android, kl2tpd); a
 * Receive Window Size of 0 counts as 1; a peer that challenges us while we
 * have no secret is refused, since it would refuse our answer.
 */
#include <string.h>

#include "l2tpd/proto/tunnel_int.h"

#define PROTOCOL_VERSION 0x0100 /* version 1, revision 0: 4.4.3 */
#define FRAMING_BOTH     3      /* synchronous and asynchronous: 4.4.3 */

/* ---- what makes a message acceptable ----------------------------------- */

static bool
refuse(struct tunnel *t, uint16_t result, uint16_t error, const char *why)
{
	tunnel_blame(t, result, error, why);
	return false;
}

static size_t
keep_name(struct rd name, uint8_t kept[L2TP_NAME_MAX])
{
	size_t n;

	name = avp_trim_nul(name); /* Apple */
	n = name.left < L2TP_NAME_MAX ? name.left : L2TP_NAME_MAX;
	return rd_bytes(&name, kept, n) ? n : 0;
}

/* What SCCRQ and SCCRP have in common. */
static bool
accept_peer(
    struct tunnel *t, const struct l2tp_msg *m, enum msg_type reply_type)
{
	struct rd challenge = m->value[AVP_CHALLENGE].bytes;

	t->peer_id = msg_u16(m, AVP_ASSIGNED_TUNNEL_ID);
	if (m->why != NULL) {
		tunnel_blame_fault(t, m);
		return false;
	}
	if (t->peer_id == 0)
		return refuse(t, L2TP_STOP_GENERAL_ERROR, L2TP_ERROR_VALUE,
		    "Assigned Tunnel ID is 0");
	if (msg_u16(m, AVP_PROTOCOL_VERSION) >> 8 != PROTOCOL_VERSION >> 8)
		return refuse(t, L2TP_STOP_BAD_VERSION, PROTOCOL_VERSION,
		    "protocol version not supported");
	if (msg_has(m, AVP_CHALLENGE)) { /* RFC 2661 5.1.1 */
		if (tunnel_secret(t).left == 0 ||
		    !hide_response((uint8_t)reply_type, tunnel_secret(t),
			challenge, t->response))
			return refuse(t, L2TP_STOP_NOT_AUTHORIZED, 0,
			    "peer challenges, but there is no secret");
		t->response_due = true;
	}
	t->host_name_bytes =
	    keep_name(m->value[AVP_HOST_NAME].bytes, t->host_name);
	t->vendor_name_bytes =
	    keep_name(m->value[AVP_VENDOR_NAME].bytes, t->vendor_name);
	t->peer_framing = msg_u32(m, AVP_FRAMING_CAPABILITIES);
	if (msg_has(m, AVP_RECEIVE_WINDOW_SIZE))
		rel_set_peer_window(
		    &t->rel, msg_u16(m, AVP_RECEIVE_WINDOW_SIZE));
	return true;
}

/* RFC 2661 5.1.1: a missing or wrong response MUST NOT open the tunnel. */
static bool
accept_response(
    struct tunnel *t, const struct l2tp_msg *m, enum msg_type message_type)
{
	struct rd challenge = rd_init(t->challenge, sizeof(t->challenge));

	if (!t->challenged)
		return true;
	if (!msg_has(m, AVP_CHALLENGE_RESPONSE))
		return refuse(
		    t, L2TP_STOP_NOT_AUTHORIZED, 0, "no Challenge Response");
	if (!hide_check_response((uint8_t)message_type, tunnel_secret(t),
		challenge, m->value[AVP_CHALLENGE_RESPONSE].bytes))
		return refuse(
		    t, L2TP_STOP_NOT_AUTHORIZED, 0, "wrong Challenge Response");
	return true;
}

bool
tunnel_accept_sccrq(struct tunnel *t, const struct l2tp_msg *msg)
{
	return accept_peer(t, msg, MSG_SCCRP);
}

bool
tunnel_accept_sccrp(struct tunnel *t, const struct l2tp_msg *msg)
{
	return accept_peer(t, msg, MSG_SCCCN) &&
	    accept_response(t, msg, MSG_SCCRP);
}

bool
tunnel_accept_scccn(struct tunnel *t, const struct l2tp_msg *msg)
{
	if (msg->why != NULL) {
		tunnel_blame_fault(t, msg);
		return false;
	}
	return accept_response(t, msg, MSG_SCCCN);
}

/* ---- what we send ------------------------------------------------------ */

static void
put_challenge(struct tunnel *t, struct wr *w)
{
	if (!t->cfg->challenge_peer || tunnel_secret(t).left == 0)
		return;
	t->cfg->random(t->cfg->random_ctx, t->challenge, sizeof(t->challenge));
	t->challenged = true;
	avp_put_bytes(
	    w, AVP_CHALLENGE, rd_init(t->challenge, sizeof(t->challenge)));
}

static void
put_response(struct tunnel *t, struct wr *w)
{
	if (t->response_due)
		avp_put_bytes(w, AVP_CHALLENGE_RESPONSE,
		    rd_init(t->response, sizeof(t->response)));
	t->response_due = false;
}

/* The AVPs that every client is known to understand, all mandatory. */
static void
put_ourselves(struct tunnel *t, struct wr *w)
{
	size_t n = strlen(t->cfg->host_name);

	if (n > TUNNEL_HOST_SENT_MAX)
		n = TUNNEL_HOST_SENT_MAX;
	avp_put_u16(w, AVP_PROTOCOL_VERSION, PROTOCOL_VERSION);
	avp_put_u32(w, AVP_FRAMING_CAPABILITIES, FRAMING_BOTH);
	avp_put_bytes(w, AVP_HOST_NAME, rd_init(t->cfg->host_name, n));
	avp_put_u16(w, AVP_ASSIGNED_TUNNEL_ID, t->local_id);
	avp_put_u16(w, AVP_RECEIVE_WINDOW_SIZE, t->rel.receive_window);
}

static void
send_sccrq(struct tunnel *t)
{
	uint8_t body[REL_BODY_MAX];
	struct wr w = wr_init(body, sizeof(body));

	t->cfg->random(
	    t->cfg->random_ctx, &t->tie_breaker, sizeof(t->tie_breaker));
	msg_begin(&w, MSG_SCCRQ);
	put_ourselves(t, &w);
	avp_put_u64(&w, AVP_TIE_BREAKER, t->tie_breaker);
	put_challenge(t, &w);
	tunnel_send(t, 0, &w);
}

static void
send_sccrp(struct tunnel *t)
{
	uint8_t body[REL_BODY_MAX];
	struct wr w = wr_init(body, sizeof(body));

	msg_begin(&w, MSG_SCCRP);
	put_ourselves(t, &w);
	put_response(t, &w);
	put_challenge(t, &w);
	tunnel_send(t, 0, &w);
}

static void
send_scccn(struct tunnel *t)
{
	uint8_t body[64];
	struct wr w = wr_init(body, sizeof(body));

	msg_begin(&w, MSG_SCCCN);
	put_response(t, &w);
	tunnel_send(t, 0, &w);
}

static void
send_stopccn(struct tunnel *t)
{
	uint8_t body[REL_BODY_MAX];
	struct wr w = wr_init(body, sizeof(body));
	char text[L2TP_MESSAGE_MAX + 1] = "";

	if (t->peer_id == 0) { /* nobody there who knows us */
		rel_stop_sending(&t->rel);
		return;
	}
	memcpy(text, t->close.message, t->close.message_bytes);
	rel_drop_unsent(&t->rel);
	msg_begin(&w, MSG_STOPCCN);
	avp_put_u16(&w, AVP_ASSIGNED_TUNNEL_ID, t->local_id);
	msg_put_result(&w, t->close.result, t->close.error, text);
	tunnel_send(t, 0, &w);
}

/* ---- the actions ------------------------------------------------------- */

static void
come_up(struct tunnel *t)
{
	t->setup_deadline_ms = UINT64_MAX;
	t->idle_since_ms = t->now_ms;
	t->pending |= PENDING_UP;
}

static void
go_down(struct tunnel *t)
{
	t->setup_deadline_ms = UINT64_MAX;
	if (t->down)
		return;
	t->down = true;
	t->pending &= ~(unsigned)PENDING_UP; /* came and went in one call */
	t->pending |= PENDING_DOWN;
	session_all_down(t);
}

/* StopCCN came: its codes are the reason. RFC 2661 5.7: stay and acknowledge
 * for a full retransmission cycle. */
static void
peer_stopped(struct tunnel *t, const struct l2tp_msg *m)
{
	struct msg_result r = {0};

	tunnel_blame(t, 0, 0, "peer-stopped");
	if (!t->down && m != NULL && msg_result(m, &r)) {
		t->close.result = r.result;
		t->close.error = r.error;
		tunnel_set_message(&t->close, r.message);
	}
	if (!t->down)
		t->close.by_peer = true;
	if (t->peer_id == 0 && m != NULL)
		t->peer_id = msg_u16(m, AVP_ASSIGNED_TUNNEL_ID);
	rel_stop_sending(&t->rel);
	t->linger_deadline_ms = t->now_ms + REL_FULL_CYCLE_MS;
	go_down(t);
}

void
tunnel_act(
    struct tunnel *t, enum tunnel_action action, const struct l2tp_msg *msg)
{
	switch (action) {
	case TUNNEL_ACT_SEND_SCCRQ:
		send_sccrq(t);
		break;
	case TUNNEL_ACT_SEND_SCCRP:
		send_sccrp(t);
		break;
	case TUNNEL_ACT_SEND_SCCCN:
		send_scccn(t);
		come_up(t);
		break;
	case TUNNEL_ACT_UP:
		come_up(t);
		break;
	case TUNNEL_ACT_STOP:
		t->linger_deadline_ms = t->now_ms + REL_FULL_CYCLE_MS;
		send_stopccn(t);
		go_down(t);
		break;
	case TUNNEL_ACT_CLEAN:
		peer_stopped(t, msg);
		break;
	case TUNNEL_ACT_DIE:
		rel_clear(&t->rel);
		t->linger_deadline_ms = UINT64_MAX;
		go_down(t);
		break;
	case TUNNEL_ACT_REQUEUE: /* RFC 2661 4.4.3: the loser gives way */
		rel_clear(&t->rel);
		t->initiator = false;
		t->challenged = false;
		break;
	case TUNNEL_ACT_SESSION: /* tunnel_input.c has the session id */
	case TUNNEL_ACT_NONE:
	case TUNNEL_ACT_CANNOT:
	case TUNNEL_ACT_EMPTY:
		break;
	}
}
