/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsm.c: RFC 1661 sections 4 (automaton) and 5 (packet formats), for every
 * protocol that negotiates options. Owns the state, the restart timer and the
 * Identifiers. Trusts nothing in a packet: Length and every option length are
 * checked before a protocol sees a value.
 *
 * Done as specified, with these exceptions:
 * - neither the passive nor the restart option (RFC 1661 4.1, notes p and r);
 * - one answer per Identifier: a repeated Ack, Nak or Reject is dropped, it
 *   would otherwise tear down an open link (column Opened, RCA and RCN);
 * - in Opened, the very request that was acknowledged (Identifier and bytes) is
 *   a retransmission, our Ack was lost: it is acknowledged again, a few times,
 *   instead of tearing the link down;
 * - the restart timer backs off, 3 s to 10 s; when the peer's first request
 *   comes while ours is unanswered, ours is repeated soon (HEARD_MS): clients
 *   whose pppd starts after the call is up (xl2tpd) cannot have heard it, and
 *   their user would wait 3 s at every login;
 * - a peer that goes on with Naks is treated as if it had sent a Reject.
 */
#include <string.h>

#include "ppp-glue/engine/fsm.h"
#include "ppp-glue/engine/link.h"

enum {
	RESTART_MS = 3000,      /* RFC 1661 4.6 */
	RESTART_MAX_MS = 10000, /* backoff ends here */
	HEARD_MS = 200,         /* more than most round trips */
	MAX_CONFIGURE = 10,     /* RFC 1661 4.6 */
	MAX_TERMINATE = 2,      /* RFC 1661 4.6 */
	MAX_FAILURE = 5,        /* Naks that we send. RFC 1661 4.6 */
	MAX_NAKS_RECEIVED = 10, /* Naks that we bear */
	MAX_ACKS_AGAIN = 3,
	HEADER_BYTES = 4,
};

/* clang-format off */
#define NEVER	    { FSM_CELL_NEVER, 0, 0 }
#define GO(a, next) { FSM_CELL_GO, (next), (a) }
#define TLD FSM_TLD
#define IRC FSM_IRC
#define ZRC FSM_ZRC
#define SCR FSM_SCR
#define STR FSM_STR
#define SCA FSM_SCA
#define SCN FSM_SCN
#define STA FSM_STA
#define SCJ FSM_SCJ
#define SER FSM_SER
#define TLU FSM_TLU
#define TLS FSM_TLS
#define TLF FSM_TLF
/* RFC 1661 4.1. Columns: Initial, Starting, Closed, Stopped, Closing | Stopping,
 * Req-Sent, Ack-Rcvd, Ack-Sent, Opened. NEVER: cannot happen; nothing is done. */
static const struct fsm_cell table[FSM_EVENTS][FSM_STATES] = {
[FSM_UP] = {		/* RFC 1661 4.3 Up */
  GO(0, 2), GO(IRC|SCR, 6), NEVER, NEVER, NEVER,
  NEVER, NEVER, NEVER, NEVER, NEVER },
[FSM_DOWN] = {		/* RFC 1661 4.3 Down */
  NEVER, NEVER, GO(0, 0), GO(TLS, 1), GO(0, 0),
  GO(0, 1), GO(0, 1), GO(0, 1), GO(0, 1), GO(TLD, 1) },
[FSM_OPEN] = {		/* RFC 1661 4.3 Open */
  GO(TLS, 1), GO(0, 1), GO(IRC|SCR, 6), GO(0, 3), GO(0, 5),
  GO(0, 5), GO(0, 6), GO(0, 7), GO(0, 8), GO(0, 9) },
[FSM_CLOSE] = {		/* RFC 1661 4.3 Close */
  GO(0, 0), GO(TLF, 0), GO(0, 2), GO(0, 2), GO(0, 4),
  GO(0, 4), GO(IRC|STR, 4), GO(IRC|STR, 4), GO(IRC|STR, 4), GO(TLD|IRC|STR, 4) },
[FSM_TO_PLUS] = {	/* RFC 1661 4.3 Timeout, counter > 0 */
  NEVER, NEVER, NEVER, NEVER, GO(STR, 4),
  GO(STR, 5), GO(SCR, 6), GO(SCR, 6), GO(SCR, 8), NEVER },
[FSM_TO_MINUS] = {	/* RFC 1661 4.3 Timeout, counter expired */
  NEVER, NEVER, NEVER, NEVER, GO(TLF, 2),
  GO(TLF, 3), GO(TLF, 3), GO(TLF, 3), GO(TLF, 3), NEVER },
[FSM_RCR_PLUS] = {	/* RFC 1661 4.3 Receive-Configure-Request, good */
  NEVER, NEVER, GO(STA, 2), GO(IRC|SCR|SCA, 8), GO(0, 4),
  GO(0, 5), GO(SCA, 8), GO(SCA|TLU, 9), GO(SCA, 8), GO(TLD|SCR|SCA, 8) },
[FSM_RCR_MINUS] = {	/* RFC 1661 4.3 Receive-Configure-Request, bad */
  NEVER, NEVER, GO(STA, 2), GO(IRC|SCR|SCN, 6), GO(0, 4),
  GO(0, 5), GO(SCN, 6), GO(SCN, 7), GO(SCN, 6), GO(TLD|SCR|SCN, 6) },
[FSM_RCA] = {		/* RFC 1661 4.3 Receive-Configure-Ack */
  NEVER, NEVER, GO(STA, 2), GO(STA, 3), GO(0, 4),
  GO(0, 5), GO(IRC, 7), GO(SCR, 6), GO(IRC|TLU, 9), GO(TLD|SCR, 6) },
[FSM_RCN] = {		/* RFC 1661 4.3 Receive-Configure-Nak/Rej */
  NEVER, NEVER, GO(STA, 2), GO(STA, 3), GO(0, 4),
  GO(0, 5), GO(IRC|SCR, 6), GO(SCR, 6), GO(IRC|SCR, 8), GO(TLD|SCR, 6) },
[FSM_RTR] = {		/* RFC 1661 4.3 Receive-Terminate-Request */
  NEVER, NEVER, GO(STA, 2), GO(STA, 3), GO(STA, 4),
  GO(STA, 5), GO(STA, 6), GO(STA, 6), GO(STA, 6), GO(TLD|ZRC|STA, 5) },
[FSM_RTA] = {		/* RFC 1661 4.3 Receive-Terminate-Ack */
  NEVER, NEVER, GO(0, 2), GO(0, 3), GO(TLF, 2),
  GO(TLF, 3), GO(0, 6), GO(0, 6), GO(0, 8), GO(TLD|SCR, 6) },
[FSM_RUC] = {		/* RFC 1661 4.3 Receive-Unknown-Code */
  NEVER, NEVER, GO(SCJ, 2), GO(SCJ, 3), GO(SCJ, 4),
  GO(SCJ, 5), GO(SCJ, 6), GO(SCJ, 7), GO(SCJ, 8), GO(SCJ, 9) },
[FSM_RXJ_PLUS] = {	/* RFC 1661 4.3 Receive-Code-Reject, permitted */
  NEVER, NEVER, GO(0, 2), GO(0, 3), GO(0, 4),
  GO(0, 5), GO(0, 6), GO(0, 6), GO(0, 8), GO(0, 9) },
[FSM_RXJ_MINUS] = {	/* RFC 1661 4.3 Receive-Code-Reject, catastrophic */
  NEVER, NEVER, GO(TLF, 2), GO(TLF, 3), GO(TLF, 2),
  GO(TLF, 3), GO(TLF, 3), GO(TLF, 3), GO(TLF, 3), GO(TLD|IRC|STR, 5) },
[FSM_RXR] = {		/* RFC 1661 4.3 Receive-Echo, Discard */
  NEVER, NEVER, GO(0, 2), GO(0, 3), GO(0, 4),
  GO(0, 5), GO(0, 6), GO(0, 7), GO(0, 8), GO(SER, 9) },
};
/* clang-format on */

/* What an event carries to the actions. */
struct step {
	const struct fsm_packet *pkt; /* NULL: no packet */
	uint8_t reply_code;           /* scn: Nak or Reject */
	struct rd reply;
};

const struct fsm_cell *
fsm_cell(enum fsm_state state, enum fsm_event event)
{
	return &table[event][state];
}

const char *
fsm_state_name(enum fsm_state state)
{
	static const char *const name[FSM_STATES] = {"initial", "starting",
	    "closed", "stopped", "closing", "stopping", "req-sent", "ack-rcvd",
	    "ack-sent", "opened"};

	return state < FSM_STATES ? name[state] : "?";
}

bool
fsm_write_option(
    struct wr *w, uint8_t type, const void *value, size_t value_bytes)
{
	size_t mark = wr_mark(w);

	wr_u8(w, type);
	wr_u8(w, (uint8_t)(2 + value_bytes));
	wr_bytes(w, value, value_bytes);
	if (wr_ok(w))
		return true;
	wr_rewind(w, mark); /* a shorter list is legal, half an option not */
	return false;
}

void
fsm_init(struct fsm *f, const struct fsm_ops *ops, struct ppp *link)
{
	*f = (struct fsm){.ops = ops,
	    .link = link,
	    .state = FSM_INITIAL,
	    .id = f->id,
	    .naked_id = -1,
	    .timeout_ms = RESTART_MS,
	    .deadline_ms = UINT64_MAX};
}

static void
send_rd(struct fsm *f, uint8_t code, uint8_t id, struct rd body)
{
	struct wr w;

	if (!link_packet_begin(f->link, f->ops->protocol, code, id, &w))
		return;
	wr_bytes(&w, body.p, body.left);
	link_packet_end(f->link, &w);
}

/* RFC 1661 4.6: (re)start the timer, the next period is half as long again */
static void
arm(struct fsm *f)
{
	f->deadline_ms = f->link->now_ms + f->timeout_ms;
	f->timeout_ms += f->timeout_ms / 2;
	if (f->timeout_ms > RESTART_MAX_MS)
		f->timeout_ms = RESTART_MAX_MS;
}

/* RFC 1661 5.1: the Identifier changes with the content, and when an answer
 * was received; it stays for a retransmission. */
static void
send_configure_request(struct fsm *f, bool again)
{
	struct wr w;

	if (f->restarts > 0)
		f->restarts--;
	if (!again || !f->request_open)
		f->request_id = ++f->id;
	f->request_open = true;
	arm(f);
	if (!link_packet_begin(f->link, f->ops->protocol,
		FSM_CODE_CONFIGURE_REQUEST, f->request_id, &w))
		return;
	f->ops->write_request(f->link, &w);
	link_packet_end(f->link, &w);
}

static void
send_terminate_request(struct fsm *f)
{
	if (f->restarts > 0)
		f->restarts--;
	arm(f);
	send_rd(f, FSM_CODE_TERMINATE_REQUEST, ++f->id, rd_init(NULL, 0));
}

/* RFC 1661 5.6: the rejected packet is cut to the peer's MRU */
static void
send_code_reject(struct fsm *f, const struct fsm_packet *pkt)
{
	struct wr w;
	size_t n = pkt->whole.left;

	if (!link_may_reject(f->link) ||
	    !link_packet_begin(
		f->link, f->ops->protocol, FSM_CODE_CODE_REJECT, ++f->id, &w))
		return;
	if (n > w.cap - w.len)
		n = w.cap - w.len;
	wr_bytes(&w, pkt->whole.p, n);
	link_packet_end(f->link, &w);
}

/* FNV-1a: tells a retransmission from a new request; no security in it */
static uint32_t
sum(struct rd r)
{
	uint32_t h = 2166136261u;
	uint8_t b;

	while (rd_u8(&r, &b))
		h = (h ^ b) * 16777619u;
	return h;
}

static void
do_sending(
    struct fsm *f, unsigned actions, enum fsm_event ev, const struct step *s)
{
	if (actions & FSM_SCR)
		send_configure_request(f, ev == FSM_TO_PLUS);
	if (actions & FSM_STR)
		send_terminate_request(f);
	if (actions & FSM_SCA) {
		f->naks_sent = 0;
		f->naked_id = -1;
		f->acked_id = s->pkt->id;
		f->acked_sum = sum(s->pkt->body);
		f->acks_again = 0;
		f->ops->agreed(f->link);
		send_rd(f, FSM_CODE_CONFIGURE_ACK, s->pkt->id, s->pkt->body);
	}
	if (actions & FSM_SCN) {
		/* a repeated request is not a new disagreement */
		if (s->reply_code == FSM_CODE_CONFIGURE_NAK &&
		    f->naked_id != s->pkt->id && f->naks_sent < UINT8_MAX)
			f->naks_sent++;
		f->naked_id = s->pkt->id;
		send_rd(f, s->reply_code, s->pkt->id, s->reply);
	}
	if (actions & FSM_STA)
		send_rd(
		    f, FSM_CODE_TERMINATE_ACK, s->pkt->id, rd_init(NULL, 0));
	if (actions & FSM_SCJ)
		send_code_reject(f, s->pkt);
	if ((actions & FSM_SER) && f->ops->echo != NULL)
		f->ops->echo(f->link, s->pkt);
}

/* The peer speaks for the first time, and what we asked is still open. */
static void
hurry(struct fsm *f, enum fsm_event ev)
{
	uint64_t soon = f->link->now_ms + HEARD_MS;

	if (f->heard || (ev != FSM_RCR_PLUS && ev != FSM_RCR_MINUS))
		return;
	f->heard = true;
	if (f->request_open && f->deadline_ms != UINT64_MAX &&
	    soon < f->deadline_ms)
		f->deadline_ms = soon;
}

/* The stepper. Actions may step other automata, never this one, except at the
 * very end (tlu, tlf). */
static void
fsm_step(struct fsm *f, enum fsm_event ev, const struct step *s)
{
	const struct fsm_cell *c = &table[ev][f->state];
	unsigned actions = c->actions;

	if (c->kind != FSM_CELL_GO)
		return;
	f->state = c->next;
	/* RFC 1661 4.4: the timer runs in these states only */
	if (f->state < FSM_CLOSING || f->state == FSM_OPENED)
		f->deadline_ms = UINT64_MAX;
	if (actions & FSM_TLD)
		f->ops->down(f->link);
	if (actions & FSM_IRC) {
		f->restarts =
		    (actions & FSM_STR) ? MAX_TERMINATE : MAX_CONFIGURE;
		f->timeout_ms = RESTART_MS;
	}
	if ((actions & FSM_TLD) && (actions & FSM_SCR)) {
		/* The table has no irc here: it was done when the last
		 * negotiation ended. RFC 1661 4.1, column Opened */
		f->restarts = MAX_CONFIGURE;
		f->timeout_ms = RESTART_MS;
		f->naks_received = 0;
	}
	if (actions & FSM_ZRC) {
		f->restarts = 0;
		f->timeout_ms = RESTART_MS;
		arm(f);
	}
	do_sending(f, actions, ev, s);
	hurry(f, ev);
	if (actions & FSM_TLU) {
		f->terminated = f->refused = false;
		f->ops->up(f->link);
	}
	if (actions & FSM_TLF)
		f->ops->finished(f->link);
}

void
fsm_up(struct fsm *f)
{
	f->naks_sent = 0;
	f->naks_received = 0;
	f->naked_id = -1;
	f->heard = false;
	fsm_step(f, FSM_UP, NULL);
}

void
fsm_down(struct fsm *f)
{
	fsm_step(f, FSM_DOWN, NULL);
}

void
fsm_open(struct fsm *f)
{
	fsm_step(f, FSM_OPEN, NULL);
}

void
fsm_close(struct fsm *f)
{
	fsm_step(f, FSM_CLOSE, NULL);
}

void
fsm_protocol_rejected(struct fsm *f)
{
	f->refused = true;
	fsm_step(f, FSM_RXJ_MINUS, NULL);
}

void
fsm_receive_rxr(struct fsm *f, const struct fsm_packet *pkt)
{
	fsm_step(f, FSM_RXR, &(struct step){.pkt = pkt});
}

void
fsm_tick(struct fsm *f, uint64_t now_ms)
{
	if (now_ms < f->deadline_ms)
		return;
	f->deadline_ms = UINT64_MAX;
	fsm_step(f, f->restarts > 0 ? FSM_TO_PLUS : FSM_TO_MINUS, NULL);
}

/* RFC 1661 6: Type, Length (with these two bytes), Data */
static bool
read_option(struct rd *r, uint8_t *ret_type, struct rd *ret_value)
{
	uint8_t type, len;

	if (!rd_u8(r, &type) || !rd_u8(r, &len))
		return false;
	if (len < 2)
		return rd_fail(r, "option length below 2");
	if (!rd_sub(r, (size_t)len - 2, ret_value))
		return false;
	*ret_type = type;
	return true;
}

static bool
options_well_formed(struct rd r)
{
	struct rd value;
	uint8_t type;

	while (r.left > 0)
		if (!read_option(&r, &type, &value))
			return false;
	return true;
}

/* RFC 1661 5.1 to 5.4: all options are judged; what we do not know is rejected
 * first, alone; what we know and do not like is Naked when nothing is left to
 * reject. Never both. */
static void
receive_request(struct fsm *f, const struct fsm_packet *pkt)
{
	uint8_t nak_buf[LINK_PACKET_MAX], rej_buf[LINK_PACKET_MAX];
	struct wr nak, rej;
	struct step s = {.pkt = pkt};
	struct rd r = pkt->body, value;
	bool tired = f->naks_sent >= MAX_FAILURE;
	enum fsm_opinion opinion;
	uint8_t type, seen[32] = {0};
	size_t room = link_packet_room(f->link);

	if (f->state == FSM_OPENED && pkt->id == f->acked_id &&
	    sum(r) == f->acked_sum && f->acks_again < MAX_ACKS_AGAIN) {
		f->acks_again++;
		send_rd(f, FSM_CODE_CONFIGURE_ACK, pkt->id, r);
		return;
	}
	nak = wr_init(nak_buf, room);
	rej = wr_init(rej_buf, room);
	f->ops->judge_begin(f->link);
	while (r.left > 0) {
		if (!read_option(&r, &type, &value))
			return;
		if (seen[type / 8] & 1u << type % 8)
			opinion = FSM_REJECT_IT; /* twice. RFC 1661 5.1 */
		else
			opinion = f->ops->judge(f->link, type, value, &nak);
		seen[type / 8] |= (uint8_t)(1u << type % 8);
		if (opinion == FSM_REJECT_IT ||
		    (opinion == FSM_NAK_IT && tired))
			fsm_write_option(&rej, type, value.p, value.left);
	}
	if (rej.len == 0 && f->ops->judge_missing != NULL)
		f->ops->judge_missing(f->link, tired ? NULL : &nak);
	if (rej.len > 0) {
		s.reply_code = FSM_CODE_CONFIGURE_REJECT;
		s.reply = wr_rd(&rej);
	} else if (nak.len > 0) {
		s.reply_code = FSM_CODE_CONFIGURE_NAK;
		s.reply = wr_rd(&nak);
	}
	fsm_step(f, s.reply_code == 0 ? FSM_RCR_PLUS : FSM_RCR_MINUS, &s);
}

/* Our request as it was sent: its options change only with an answer. */
static struct rd
rebuild_request(struct fsm *f, uint8_t buf[LINK_PACKET_MAX])
{
	struct wr w = wr_init(buf, LINK_PACKET_MAX);

	f->ops->write_request(f->link, &w);
	return wr_rd(&w);
}

/* RFC 1661 5.4: "the Configuration Options field contains only those which are
 * not acceptable", unchanged and in order */
static bool
ordered_subset(struct rd part, struct rd all)
{
	struct rd a, b;
	uint8_t ta, tb;
	bool found;

	while (part.left > 0) {
		if (!read_option(&part, &ta, &a))
			return false;
		for (found = false; !found && all.left > 0;) {
			if (!read_option(&all, &tb, &b))
				return false;
			found = ta == tb && a.left == b.left &&
			    (a.left == 0 || memcmp(a.p, b.p, a.left) == 0);
		}
		if (!found)
			return false;
	}
	return true;
}

static void
take_answers(struct fsm *f, const struct fsm_packet *pkt)
{
	struct rd r = pkt->body, value;
	uint8_t type;
	bool refuse = pkt->code == FSM_CODE_CONFIGURE_REJECT;

	if (!refuse && ++f->naks_received > MAX_NAKS_RECEIVED)
		refuse = true;
	while (r.left > 0 && read_option(&r, &type, &value)) {
		if (refuse)
			f->ops->rejected(f->link, type);
		else
			f->ops->naked(f->link, type, value);
	}
	if (f->naks_received > MAX_NAKS_RECEIVED)
		f->naks_received = MAX_NAKS_RECEIVED;
}

/* RFC 1661 5.2 to 5.4: Ack, Nak, Reject of our request */
static bool
receive_answer(struct fsm *f, const struct fsm_packet *pkt)
{
	uint8_t buf[LINK_PACKET_MAX];
	struct rd ours;

	if (f->state < FSM_REQ_SENT) { /* no request is out: the table tells */
		fsm_step(f,
		    pkt->code == FSM_CODE_CONFIGURE_ACK ? FSM_RCA : FSM_RCN,
		    &(struct step){.pkt = pkt});
		return true;
	}
	if (!f->request_open || pkt->id != f->request_id ||
	    !options_well_formed(pkt->body))
		return false;
	ours = rebuild_request(f, buf);
	if (pkt->code == FSM_CODE_CONFIGURE_ACK) {
		if (ours.left != pkt->body.left ||
		    (ours.left > 0 &&
			memcmp(ours.p, pkt->body.p, ours.left) != 0))
			return false;
		f->request_open = false;
		f->naks_received = 0;
		fsm_step(f, FSM_RCA, &(struct step){.pkt = pkt});
		return true;
	}
	if (pkt->code == FSM_CODE_CONFIGURE_REJECT &&
	    !ordered_subset(pkt->body, ours))
		return false;
	f->request_open = false;
	take_answers(f, pkt);
	fsm_step(f, FSM_RCN, &(struct step){.pkt = pkt});
	return true;
}

/* RFC 1661 5.6: which code does the peer not know? */
static bool
receive_code_reject(struct fsm *f, const struct fsm_packet *pkt)
{
	uint8_t code;

	if (!rd_peek_u8(&pkt->body, &code))
		return false;
	if (code >= FSM_CODE_CONFIGURE_REQUEST &&
	    code <= FSM_CODE_CODE_REJECT) {
		f->refused = true;
		fsm_step(f, FSM_RXJ_MINUS, &(struct step){.pkt = pkt});
		return true;
	}
	if (f->ops->code_rejected != NULL)
		f->ops->code_rejected(f->link, code);
	fsm_step(f, FSM_RXJ_PLUS, &(struct step){.pkt = pkt});
	return true;
}

bool
fsm_input(struct fsm *f, struct rd packet)
{
	struct fsm_packet pkt = {0};
	struct step s = {.pkt = &pkt};
	struct rd r = packet;
	uint16_t length;

	/* RFC 1661 5: what is behind Length is padding */
	if (!rd_u8(&r, &pkt.code) || !rd_u8(&r, &pkt.id) ||
	    !rd_be16(&r, &length) || length < HEADER_BYTES ||
	    !rd_sub(&packet, length, &pkt.whole) ||
	    !rd_sub(&r, (size_t)length - HEADER_BYTES, &pkt.body))
		return false;
	if (f->state < FSM_CLOSED)
		return true; /* the lower layer is down. RFC 1661 4.1 */
	switch (pkt.code) {
	case FSM_CODE_CONFIGURE_REQUEST:
		if (!options_well_formed(pkt.body))
			return false;
		receive_request(f, &pkt);
		return true;
	case FSM_CODE_CONFIGURE_ACK:
	case FSM_CODE_CONFIGURE_NAK:
	case FSM_CODE_CONFIGURE_REJECT:
		return receive_answer(f, &pkt);
	case FSM_CODE_TERMINATE_REQUEST:
		f->terminated = true;
		fsm_step(f, FSM_RTR, &s);
		return true;
	case FSM_CODE_TERMINATE_ACK:
		fsm_step(f, FSM_RTA, &s);
		return true;
	case FSM_CODE_CODE_REJECT:
		return receive_code_reject(f, &pkt);
	default:
		if (f->ops->other_code == NULL ||
		    !f->ops->other_code(f->link, &pkt))
			fsm_step(f, FSM_RUC, &s);
		return true;
	}
}
