/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel_fsm.h: the control connection's state machine as a table (RFC 2661
 * 7.2.1). Pure data: tunnel.c steps through it.
 *
 * The RFC's "idle" after a tunnel is our stopping (StopCCN sent, waiting for
 * its acknowledgement), stopped (peer's StopCCN received, staying to
 * acknowledge it again; RFC 2661 5.7) or dead.
 */
#ifndef ADIT_PROTO_TUNNEL_FSM_H
#define ADIT_PROTO_TUNNEL_FSM_H

enum tunnel_state {
	TUNNEL_IDLE,
	TUNNEL_WAIT_CTL_REPLY,
	TUNNEL_WAIT_CTL_CONN,
	TUNNEL_ESTABLISHED,
	TUNNEL_STOPPING,
	TUNNEL_STOPPED,
	TUNNEL_DEAD,
	TUNNEL_STATE_COUNT,
};

/* Guards became events: "acceptable" and "not acceptable" of the RFC. */
enum tunnel_event {
	TUNNEL_EV_OPEN, /* local open request */
	TUNNEL_EV_SCCRQ_OK,
	TUNNEL_EV_SCCRQ_BAD,
	TUNNEL_EV_TIE_WON, /* SCCRQ that crossed ours, 4.4.3 Tie Breaker */
	TUNNEL_EV_TIE_LOST,
	TUNNEL_EV_TIE_EQUAL,
	TUNNEL_EV_SCCRP_OK,
	TUNNEL_EV_SCCRP_BAD,
	TUNNEL_EV_SCCCN_OK,
	TUNNEL_EV_SCCCN_BAD,
	TUNNEL_EV_STOPCCN,
	TUNNEL_EV_HELLO,
	TUNNEL_EV_SESSION,   /* a message of section 6 about a session */
	TUNNEL_EV_MALFORMED, /* unrecoverable, or unknown and mandatory, 7.1 */
	TUNNEL_EV_CLOSE,     /* administrative close, or set-up took too long */
	TUNNEL_EV_NO_ANSWER, /* retransmitted in vain, 5.8 */
	TUNNEL_EV_ALL_ACKED, /* nothing of ours is outstanding */
	TUNNEL_EV_LINGERED,  /* a full retransmission cycle after the end */
	TUNNEL_EVENT_COUNT,
};

enum tunnel_action {
	TUNNEL_ACT_EMPTY = 0, /* an empty cell: the test fails on one */
	TUNNEL_ACT_NONE,      /* take note, do nothing */
	TUNNEL_ACT_CANNOT,    /* cannot happen: our own bug if it does */
	TUNNEL_ACT_SEND_SCCRQ,
	TUNNEL_ACT_SEND_SCCRP,
	TUNNEL_ACT_SEND_SCCCN, /* and the tunnel is up */
	TUNNEL_ACT_UP,
	TUNNEL_ACT_STOP,    /* send StopCCN, clean up */
	TUNNEL_ACT_CLEAN,   /* clean up; stay to acknowledge */
	TUNNEL_ACT_DIE,     /* clean up at once */
	TUNNEL_ACT_REQUEUE, /* forget our SCCRQ, answer the peer's */
	TUNNEL_ACT_SESSION, /* hand the message to its session */
};

struct tunnel_cell {
	enum tunnel_action action;
	enum tunnel_state next;
	const char *ref; /* "RFC 2661 7.2.1", or why it is ours */
};

extern const struct tunnel_cell tunnel_fsm[TUNNEL_STATE_COUNT]
					  [TUNNEL_EVENT_COUNT];

/* The RFC's word for a state: "wait-ctl-conn". */
const char *tunnel_fsm_state_name(enum tunnel_state state);

#endif
