/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session_fsm.h: the state machines of a call as one table (RFC 2661 7.4.1,
 * 7.4.2, 7.5.1, 7.5.2). Pure data: session.c steps through it.
 *
 * Four roles in one list of states. In an incoming call the LAC sends ICRQ and
 * ICCN, the LNS ICRP; in an outgoing call the LNS sends OCRQ, the LAC OCRP and
 * OCCN. So an event "request" is ICRQ or OCRQ, whichever belongs to the role;
 * the other call type's message is the event "foreign".
 */
#ifndef ADIT_PROTO_SESSION_FSM_H
#define ADIT_PROTO_SESSION_FSM_H

enum session_state {
	SESSION_LAC_IN_IDLE,
	SESSION_LAC_IN_WAIT_TUNNEL,
	SESSION_LAC_IN_WAIT_REPLY,
	SESSION_LAC_IN_ESTABLISHED,
	SESSION_LNS_IN_IDLE,
	SESSION_LNS_IN_WAIT_CONNECT,
	SESSION_LNS_IN_ESTABLISHED,
	SESSION_LAC_OUT_IDLE,
	SESSION_LAC_OUT_WAIT_CS_ANSWER,
	SESSION_LAC_OUT_ESTABLISHED,
	SESSION_LNS_OUT_IDLE,
	SESSION_LNS_OUT_WAIT_TUNNEL,
	SESSION_LNS_OUT_WAIT_REPLY,
	SESSION_LNS_OUT_WAIT_CONNECT,
	SESSION_LNS_OUT_ESTABLISHED,
	SESSION_STATE_COUNT,
};

enum session_event {
	SESSION_EV_OPEN,        /* local open request; LAC: bearer rings */
	SESSION_EV_TUNNEL_OPEN, /* the control connection is established */
	SESSION_EV_BEARER_UP,   /* LAC: bearer answered, framing detected */
	SESSION_EV_REQUEST_OK,  /* ICRQ or OCRQ, acceptable */
	SESSION_EV_REQUEST_BAD,
	SESSION_EV_REPLY_OK, /* ICRP or OCRP */
	SESSION_EV_REPLY_BAD,
	SESSION_EV_CONNECT_OK, /* ICCN or OCCN */
	SESSION_EV_CONNECT_BAD,
	SESSION_EV_CDN,
	SESSION_EV_INFO, /* WEN or SLI */
	SESSION_EV_INFO_BAD,
	SESSION_EV_FOREIGN, /* a message of the other call type */
	SESSION_EV_CLOSE,   /* local close, bearer dropped, or too slow */
	SESSION_EVENT_COUNT,
};

enum session_action {
	SESSION_ACT_EMPTY = 0, /* an empty cell: the test fails on one */
	SESSION_ACT_NONE,
	SESSION_ACT_CANNOT,       /* cannot happen: our own bug if it does */
	SESSION_ACT_SEND_REQUEST, /* ICRQ or OCRQ */
	SESSION_ACT_SEND_REPLY,   /* ICRP or OCRP; the session is announced */
	SESSION_ACT_REPLIED,      /* OCRP came: the session is announced */
	SESSION_ACT_SEND_CONNECT, /* ICCN or OCCN; the session is up */
	SESSION_ACT_UP,
	SESSION_ACT_SEND_CDN, /* and clean up */
	SESSION_ACT_CLEAN,
	SESSION_ACT_INFO, /* tell the engine what WEN or SLI said */
};

struct session_cell {
	enum session_action action;
	enum session_state next;
	const char *ref; /* "RFC 2661 7.4.2", or why it is ours */
};

extern const struct session_cell session_fsm[SESSION_STATE_COUNT]
					    [SESSION_EVENT_COUNT];

const char *session_fsm_state_name(enum session_state state);

#endif
