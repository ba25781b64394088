/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel_input.c: a control datagram on its way to an event: is it for this
 * tunnel, whose turn is it, what does it say (RFC 2661 3.1, 4.4.1, 5.8, 7.1).
 * The datagram is hostile.
 *
 * Done as specified, with these exceptions: a HELLO on tunnel 0 (Apple, while
 * IKE comes up) is told apart so that the engine drops it in silence; faults
 * in StopCCN and CDN are overlooked, since the object ends anyway; a SCCRQ on
 * tunnel 0 reaches a tunnel only while its peer may not have our id yet.
 */
#include "l2tpd/proto/tunnel_int.h"

/* The Assigned Tunnel ID of a SCCRQ; 0 when it is hidden. False: a malformed
 * frame, or it is not there. */
static bool
find_assigned_tunnel(struct rd body, uint16_t *ret_id)
{
	bool found = false;
	uint16_t id = 0;
	struct avp a;

	while (avp_next(&body, &a)) {
		if (found || a.vendor_id != AVP_VENDOR_IETF ||
		    a.type != AVP_ASSIGNED_TUNNEL_ID)
			continue;
		if (!a.hidden && (!rd_be16(&a.value, &id) || id == 0))
			return false;
		found = true;
	}
	if (!found || !rd_end(&body))
		return false;
	*ret_id = id;
	return true;
}

enum tunnel_first
tunnel_classify_first(struct rd datagram, uint16_t *ret_peer_tunnel_id)
{
	struct l2tp_packet_head h;
	uint16_t type, id;

	if (!l2tp_parse_head(&datagram, &h) || !h.is_control ||
	    h.tunnel_id != 0 || h.session_id != 0 ||
	    !msg_peek_type(h.payload, &type))
		return TUNNEL_FIRST_OTHER;
	if (type == MSG_HELLO)
		return TUNNEL_FIRST_HELLO_ZERO;
	if (type != MSG_SCCRQ || h.ns != 0 ||
	    !find_assigned_tunnel(h.payload, &id))
		return TUNNEL_FIRST_OTHER;
	*ret_peer_tunnel_id = id;
	return TUNNEL_FIRST_SCCRQ;
}

/* The event that a message of the control connection makes. */
static enum tunnel_event
tunnel_event_of(struct tunnel *t, const struct l2tp_msg *m)
{
	switch (m->type) {
	case MSG_SCCRQ:
		return tunnel_accept_sccrq(t, m) ? TUNNEL_EV_SCCRQ_OK
						 : TUNNEL_EV_SCCRQ_BAD;
	case MSG_SCCRP:
		return tunnel_accept_sccrp(t, m) ? TUNNEL_EV_SCCRP_OK
						 : TUNNEL_EV_SCCRP_BAD;
	case MSG_SCCCN:
		return tunnel_accept_scccn(t, m) ? TUNNEL_EV_SCCCN_OK
						 : TUNNEL_EV_SCCCN_BAD;
	case MSG_STOPCCN:
		return TUNNEL_EV_STOPCCN;
	default: /* HELLO */
		if (m->why == NULL)
			return TUNNEL_EV_HELLO;
		tunnel_blame_fault(t, m);
		return TUNNEL_EV_MALFORMED;
	}
}

/* SCCRQ, SCCRP and SCCCN change what we know of the peer, so they are looked
 * at only in the one state that waits for them. */
static bool
expected(const struct tunnel *t, uint16_t type)
{
	switch (type) {
	case MSG_SCCRQ:
		return t->state == TUNNEL_IDLE;
	case MSG_SCCRP:
		return t->state == TUNNEL_WAIT_CTL_REPLY;
	case MSG_SCCCN:
		return t->state == TUNNEL_WAIT_CTL_CONN;
	default:
		return true;
	}
}

static enum tunnel_event
unexpected_event(uint16_t type)
{
	return type == MSG_SCCRQ ? TUNNEL_EV_SCCRQ_BAD
	    : type == MSG_SCCRP  ? TUNNEL_EV_SCCRP_BAD
				 : TUNNEL_EV_SCCCN_BAD;
}

static void
process_session(struct tunnel *t, uint16_t header_id, const struct l2tp_msg *m)
{
	bool ready = tunnel_fsm[t->state][TUNNEL_EV_SESSION].action ==
	    TUNNEL_ACT_SESSION;

	tunnel_step(t, TUNNEL_EV_SESSION, m);
	if (ready)
		session_input(t, header_id, m);
}

/* One message, in its turn. */
static void
process(struct tunnel *t, uint16_t header_id, struct rd body)
{
	struct l2tp_msg m;
	bool ok = msg_decode(body, tunnel_secret(t), &m);

	/* RFC 2661 7.1: what does not fit the state is a FSM error */
	tunnel_blame(t, L2TP_STOP_FSM_ERROR, 0, "message out of sequence");
	if (m.spec == NULL) {
		if (ok && !m.type_mandatory) /* 4.4.1: may be ignored */
			return;
		if (ok)
			tunnel_blame(t, L2TP_STOP_GENERAL_ERROR,
			    L2TP_ERROR_UNKNOWN_AVP, "unknown message type");
		else
			tunnel_blame_fault(t, &m);
		tunnel_step(t, TUNNEL_EV_MALFORMED, &m);
	} else if (m.spec->scope == MSG_SCOPE_SESSION) {
		process_session(t, header_id, &m);
	} else if (expected(t, m.type)) {
		tunnel_step(t, tunnel_event_of(t, &m), &m);
	} else {
		tunnel_step(t, unexpected_event(m.type), &m);
	}
	/* old Android waits for an explicit ZLB after these two */
	if (m.type == MSG_SCCCN || m.type == MSG_ICCN)
		t->rel.zlb_first = t->rel.ack_due;
}

static bool
sequence(
    struct tunnel *t, const struct l2tp_packet_head *h, const char **ret_why)
{
	bool is_zlb = h->payload.left == 0;
	struct rel_msg *early;

	switch (rel_input(&t->rel, h->ns, h->nr, is_zlb, t->now_ms)) {
	case REL_DROP:
		*ret_why = "Ns or Nr outside the window";
		return false;
	case REL_EARLY:
		rel_keep(&t->rel, h->ns, h->session_id, h->payload);
		break;
	case REL_DELIVER:
		process(t, h->session_id, h->payload);
		while ((early = rel_take_early(&t->rel)) != NULL) {
			process(
			    t, rel_msg_session_id(early), rel_msg_body(early));
			rel_msg_free(early);
		}
		break;
	case REL_ACK_ONLY:
	case REL_DUPLICATE:
		break;
	}
	t->heard_ms = t->now_ms;
	if (rel_all_acked(&t->rel)) {
		t->hello_out = false;
		tunnel_step(t, TUNNEL_EV_ALL_ACKED, NULL);
	}
	return true;
}

/* Our SCCRQ and the peer's crossed: RFC 2661 4.4.3, Tie Breaker. Lower wins;
 * with a value wins over without. */
static bool
break_tie(
    struct tunnel *t, const struct l2tp_packet_head *h, const char **ret_why)
{
	struct l2tp_msg m;
	uint64_t theirs;

	if (!msg_decode(h->payload, tunnel_secret(t), &m)) {
		*ret_why = m.why;
		return false;
	}
	theirs = m.value[AVP_TIE_BREAKER].number;
	if (!msg_has(&m, AVP_TIE_BREAKER) || t->tie_breaker < theirs) {
		tunnel_step(t, TUNNEL_EV_TIE_WON, &m);
		return true;
	}
	if (t->tie_breaker == theirs) {
		tunnel_blame(t, L2TP_STOP_GENERAL_REQUEST, 0, "tie");
		tunnel_step(t, TUNNEL_EV_TIE_EQUAL, &m);
		return true;
	}
	tunnel_step(t, TUNNEL_EV_TIE_LOST, &m);
	return sequence(t, h, ret_why);
}

/* A datagram on tunnel 0: the peer does not know our id (yet). */
static bool
input_on_zero(struct tunnel *t, struct rd datagram,
    const struct l2tp_packet_head *h, const char **ret_why)
{
	uint16_t peer_id;

	switch (tunnel_classify_first(datagram, &peer_id)) {
	case TUNNEL_FIRST_SCCRQ:
		if (t->state == TUNNEL_WAIT_CTL_REPLY)
			return break_tie(t, h, ret_why);
		if (t->state == TUNNEL_IDLE ||
		    (t->state == TUNNEL_WAIT_CTL_CONN && peer_id == t->peer_id))
			return sequence(t, h, ret_why);
		*ret_why = "SCCRQ of another tunnel";
		return false;
	case TUNNEL_FIRST_HELLO_ZERO:
		*ret_why = "HELLO on tunnel 0";
		return false;
	default:
		*ret_why = "message on tunnel 0";
		return false;
	}
}

bool
tunnel_input(
    struct tunnel *t, struct rd datagram, uint64_t now_ms, const char **ret_why)
{
	struct rd whole = datagram;
	struct l2tp_packet_head h;

	t->now_ms = now_ms;
	if (!l2tp_parse_head(&datagram, &h)) {
		*ret_why = datagram.err;
		return false;
	}
	if (!h.is_control || t->state == TUNNEL_DEAD) {
		*ret_why = h.is_control ? "tunnel is over" : "data packet";
		return false;
	}
	if (h.tunnel_id == 0)
		return input_on_zero(t, whole, &h, ret_why);
	if (h.tunnel_id != t->local_id) {
		*ret_why = "another tunnel's id";
		return false;
	}
	return sequence(t, &h, ret_why);
}
