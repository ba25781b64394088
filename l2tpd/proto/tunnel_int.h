/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel_int.h: what the files of l2tpd/proto share about a tunnel and its
 * sessions. Nobody else includes it; the face is tunnel.h.
 *
 *   tunnel.c        life, timers, orders, effects; the stepper
 *   tunnel_input.c  datagrams: whose they are, which event they make
 *   tunnel_act.c    actions of the control connection's table
 *   session.c       sessions: stepper, actions, messages
 */
#ifndef ADIT_PROTO_TUNNEL_INT_H
#define ADIT_PROTO_TUNNEL_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "l2tpd/proto/header.h"
#include "l2tpd/proto/hide.h"
#include "l2tpd/proto/msg.h"
#include "l2tpd/proto/rel.h"
#include "l2tpd/proto/session_fsm.h"
#include "l2tpd/proto/tunnel.h"
#include "l2tpd/proto/tunnel_fsm.h"

#define TUNNEL_CHALLENGE_BYTES 16
#define TUNNEL_HOST_SENT_MAX   255 /* bytes of our own Host Name */
#define TUNNEL_DATAGRAM_MAX    (L2TP_CONTROL_HEAD_BYTES + REL_BODY_MAX)

/* Effects that wait to be fetched. */
enum {
	PENDING_NEW = 1,
	PENDING_UP = 2,
	PENDING_INFO = 4,
	PENDING_DOWN = 8,
};

struct session {
	LIST_ENTRY(session) link;
	struct tunnel_session_view view;
	enum session_state state;
	uint64_t setup_deadline_ms; /* UINT64_MAX: none */
	unsigned pending;
	bool over; /* waits for PENDING_DOWN to be fetched, then freed */
	struct tunnel_close close;
	bool info_is_sli;
	uint32_t info_accm_send, info_accm_receive;
};

struct tunnel {
	const struct tunnel_config *cfg; /* borrowed */
	enum tunnel_state state;         /* tunnel_step() alone assigns it */
	bool initiator;
	uint16_t local_id, peer_id;
	uint32_t peer_framing; /* its Framing Capabilities */
	uint64_t now_ms;       /* of the call that is being served */
	uint64_t heard_ms;
	uint64_t setup_deadline_ms, linger_deadline_ms; /* UINT64_MAX: none */
	uint64_t idle_since_ms; /* when no session was left */
	bool hello_out;         /* a HELLO waits for its acknowledgement */
	struct rel rel;

	uint64_t tie_breaker; /* initiator: what our SCCRQ said */
	bool challenged;      /* we sent .challenge */
	uint8_t challenge[TUNNEL_CHALLENGE_BYTES];
	bool response_due; /* peer sent a Challenge: .response answers it */
	uint8_t response[HIDE_BLOCK_BYTES];

	uint8_t host_name[L2TP_NAME_MAX], vendor_name[L2TP_NAME_MAX];
	size_t host_name_bytes, vendor_name_bytes;

	unsigned pending;
	bool down; /* .close is final, sessions are gone */
	struct tunnel_close close;

	LIST_HEAD(, session) sessions;
	unsigned session_count; /* not counting those that are over */
	uint32_t next_serial;

	/* The datagram of the last SEND; NULL while there is nothing to send.
	 */
	uint8_t *out; /* TUNNEL_DATAGRAM_MAX */
};

/* tunnel.c */
/* One step of tunnel_fsm. msg: what made the event, or NULL. */
void tunnel_step(
    struct tunnel *t, enum tunnel_event event, const struct l2tp_msg *msg);
/* Why the tunnel would end now; until it is down the last blame counts. */
void tunnel_blame(
    struct tunnel *t, uint16_t result, uint16_t error, const char *why);
/* The same for what msg_decode() found; names the AVP in the message. */
void tunnel_blame_fault(struct tunnel *t, const struct l2tp_msg *msg);
void tunnel_set_message(struct tunnel_close *c, struct rd message);
/* Queue a message; no memory or a full queue ends the tunnel. */
void tunnel_send(struct tunnel *t, uint16_t session_id, const struct wr *body);
struct rd tunnel_secret(const struct tunnel *t);

/* tunnel_act.c */
void tunnel_act(
    struct tunnel *t, enum tunnel_action action, const struct l2tp_msg *msg);
/* "Acceptable" of RFC 2661 7.2.1; on false the tunnel is blamed. SCCRQ and
 * SCCRP also leave the peer's id, so that a StopCCN finds its way. */
bool tunnel_accept_sccrq(struct tunnel *t, const struct l2tp_msg *msg);
bool tunnel_accept_sccrp(struct tunnel *t, const struct l2tp_msg *msg);
bool tunnel_accept_scccn(struct tunnel *t, const struct l2tp_msg *msg);

/* session.c */
/* A message of scope SESSION came on an established tunnel. header_id: session
 * id of its header. msg->why: its fault, or NULL. */
void session_input(
    struct tunnel *t, uint16_t header_id, const struct l2tp_msg *msg);
void session_step(struct tunnel *t, struct session *s, enum session_event event,
    const struct l2tp_msg *msg);
void session_blame(
    struct session *s, uint16_t result, uint16_t error, const char *why);
/* NULL: no such session, or it is over. */
struct session *session_find(struct tunnel *t, uint16_t local_id);
/* NULL: no memory. state: an idle one. */
struct session *session_new(struct tunnel *t, enum session_state state);
void session_free(struct session *s);
/* The tunnel went down: so does every session. */
void session_all_down(struct tunnel *t);
void session_tick(struct tunnel *t);
uint64_t session_deadline(const struct tunnel *t);

#endif
