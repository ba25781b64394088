/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsm.h: the option negotiation automaton of RFC 1661 section 4, shared by
 * LCP, IPCP and IPV6CP. A protocol is a struct fsm_ops: what it asks for, what
 * it thinks of the peer's options, and what happens when it comes up or ends.
 * Private to ppp-glue/engine (and its tests).
 */
#ifndef ADIT_PPP_FSM_H
#define ADIT_PPP_FSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"

struct ppp;

/* RFC 1661 4.2, with its numbers */
enum fsm_state {
	FSM_INITIAL,
	FSM_STARTING,
	FSM_CLOSED,
	FSM_STOPPED,
	FSM_CLOSING,
	FSM_STOPPING,
	FSM_REQ_SENT,
	FSM_ACK_RCVD,
	FSM_ACK_SENT,
	FSM_OPENED,
	FSM_STATES
};

/* RFC 1661 4.3 */
enum fsm_event {
	FSM_UP,
	FSM_DOWN,
	FSM_OPEN,
	FSM_CLOSE,
	FSM_TO_PLUS,
	FSM_TO_MINUS,
	FSM_RCR_PLUS,
	FSM_RCR_MINUS,
	FSM_RCA,
	FSM_RCN,
	FSM_RTR,
	FSM_RTA,
	FSM_RUC,
	FSM_RXJ_PLUS,
	FSM_RXJ_MINUS,
	FSM_RXR,
	FSM_EVENTS
};

/* RFC 1661 4.4; done in this order when a cell has several */
enum fsm_action {
	FSM_TLD = 1 << 0,
	FSM_IRC = 1 << 1,
	FSM_ZRC = 1 << 2,
	FSM_SCR = 1 << 3,
	FSM_STR = 1 << 4,
	FSM_SCA = 1 << 5,
	FSM_SCN = 1 << 6,
	FSM_STA = 1 << 7,
	FSM_SCJ = 1 << 8,
	FSM_SER = 1 << 9,
	FSM_TLU = 1 << 10,
	FSM_TLS = 1 << 11,
	FSM_TLF = 1 << 12,
};

enum fsm_cell_kind { FSM_CELL_EMPTY, FSM_CELL_NEVER, FSM_CELL_GO };

struct fsm_cell {
	uint8_t kind;     /* enum fsm_cell_kind; EMPTY is a bug */
	uint8_t next;     /* enum fsm_state */
	uint16_t actions; /* enum fsm_action bits */
};

/* Codes. RFC 1661 5 */
enum fsm_code {
	FSM_CODE_CONFIGURE_REQUEST = 1,
	FSM_CODE_CONFIGURE_ACK = 2,
	FSM_CODE_CONFIGURE_NAK = 3,
	FSM_CODE_CONFIGURE_REJECT = 4,
	FSM_CODE_TERMINATE_REQUEST = 5,
	FSM_CODE_TERMINATE_ACK = 6,
	FSM_CODE_CODE_REJECT = 7,
};

enum fsm_opinion { FSM_OK, FSM_NAK_IT, FSM_REJECT_IT };

/* A packet that was received: Length has been checked, padding is cut. */
struct fsm_packet {
	uint8_t code, id;
	struct rd body;  /* behind the 4 bytes of header */
	struct rd whole; /* with the header */
};

struct fsm_ops {
	uint16_t protocol;
	/* The options that we ask for now. The same until something changes. */
	void (*write_request)(struct ppp *p, struct wr *w);
	/* A Configure-Request: begin, then each option in order, then end.
	 * judge writes a better option to nak when it says FSM_NAK_IT. */
	void (*judge_begin)(struct ppp *p);
	enum fsm_opinion (*judge)(
	    struct ppp *p, uint8_t type, struct rd value, struct wr *nak);
	/* Add what the peer must ask for; nak is NULL when Max-Failure is
	 * over. May be NULL. */
	void (*judge_missing)(struct ppp *p, struct wr *nak);
	void (*agreed)(struct ppp *p); /* what was judged is acknowledged */
	/* The peer's answer to our request, option by option. */
	void (*naked)(struct ppp *p, uint8_t type, struct rd value);
	void (*rejected)(struct ppp *p, uint8_t type);
	void (*up)(struct ppp *p);       /* tlu */
	void (*down)(struct ppp *p);     /* tld */
	void (*finished)(struct ppp *p); /* tlf */
	/* Codes above 7; false: unknown, answer Code-Reject. May be NULL. */
	bool (*other_code)(struct ppp *p, const struct fsm_packet *pkt);
	/* ser: answer an echo. NULL outside LCP */
	void (*echo)(struct ppp *p, const struct fsm_packet *pkt);
	/* The peer does not know this code above 7. May be NULL. */
	void (*code_rejected)(struct ppp *p, uint8_t code);
};

struct fsm {
	const struct fsm_ops *ops;
	struct ppp *link; /* borrowed: the fsm is inside */
	uint8_t state;    /* enum fsm_state; only fsm_step() assigns it */
	uint8_t id;       /* last Identifier that we used */
	uint8_t request_id;
	uint8_t restarts;      /* restart counter. RFC 1661 4.6 */
	uint8_t naks_sent;     /* since the last Ack */
	uint8_t naks_received; /* since the last Ack */
	int16_t naked_id;      /* of the last request that we did not Ack */
	uint8_t acked_id;      /* of the request that we acknowledged */
	uint8_t acks_again;    /* for it, since Opened */
	uint32_t acked_sum;    /* of its bytes */
	bool request_open;     /* no answer yet to request_id */
	bool heard;            /* the peer's first request came */
	bool terminated;       /* by the peer's Terminate-Request */
	bool refused;          /* by the peer's Code- or Protocol-Reject */
	uint32_t timeout_ms;   /* the next period of the restart timer */
	uint64_t deadline_ms;  /* UINT64_MAX: not running */
};

const struct fsm_cell *fsm_cell(enum fsm_state state, enum fsm_event event);
const char *fsm_state_name(enum fsm_state state);

void fsm_init(struct fsm *f, const struct fsm_ops *ops, struct ppp *link);
void fsm_up(struct fsm *f);
void fsm_down(struct fsm *f);
void fsm_open(struct fsm *f);
void fsm_close(struct fsm *f);
/* RXR for LCP's echo and discard codes. */
void fsm_receive_rxr(struct fsm *f, const struct fsm_packet *pkt);
/* packet: from Code on. False: malformed, dropped. */
bool fsm_input(struct fsm *f, struct rd packet);
/* The peer does not speak this protocol: RXJ-. RFC 1661 5.7 */
void fsm_protocol_rejected(struct fsm *f);
void fsm_tick(struct fsm *f, uint64_t now_ms);

/* One option. RFC 1661 6 */
bool fsm_write_option(
    struct wr *w, uint8_t type, const void *value, size_t value_bytes);

#endif
