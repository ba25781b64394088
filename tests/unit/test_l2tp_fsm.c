/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_l2tp_fsm.c: the state tables against a transcription of the tables of
 * RFC 2661 7.2.1, 7.4.1, 7.4.2, 7.5.1 and 7.5.2, row by row in the RFC's
 * order; and that no cell is empty, leads nowhere or names no source.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/proto/session_fsm.h"
#include "l2tpd/proto/tunnel_fsm.h"

/* ---- control connection ------------------------------------------------ */

/* After "clean up" the RFC says idle; ours is one of the states behind it. */
#define RFC_IDLE TUNNEL_STATE_COUNT

struct tunnel_row {
	enum tunnel_state state;
	enum tunnel_event events[6]; /* ends with TUNNEL_EVENT_COUNT */
	enum tunnel_action action;   /* STOP: "Send StopCCN, clean up" */
	enum tunnel_state next;
};

#define EV(x)  TUNNEL_EV_##x
#define ACT(x) TUNNEL_ACT_##x
#define END    TUNNEL_EVENT_COUNT

/* clang-format off */
static const struct tunnel_row rfc_7_2_1[] = {
{ TUNNEL_IDLE, { EV(OPEN), END }, ACT(SEND_SCCRQ), TUNNEL_WAIT_CTL_REPLY },
{ TUNNEL_IDLE, { EV(SCCRQ_OK), END }, ACT(SEND_SCCRP), TUNNEL_WAIT_CTL_CONN },
{ TUNNEL_IDLE, { EV(SCCRQ_BAD), END }, ACT(STOP), RFC_IDLE },
{ TUNNEL_IDLE, { EV(SCCRP_OK), EV(SCCRP_BAD), END }, ACT(STOP), RFC_IDLE },
{ TUNNEL_IDLE, { EV(SCCCN_OK), EV(SCCCN_BAD), END }, ACT(DIE), RFC_IDLE },
{ TUNNEL_WAIT_CTL_REPLY, { EV(SCCRP_OK), END }, ACT(SEND_SCCCN),
    TUNNEL_ESTABLISHED },
{ TUNNEL_WAIT_CTL_REPLY, { EV(SCCRP_BAD), END }, ACT(STOP), RFC_IDLE },
{ TUNNEL_WAIT_CTL_REPLY, { EV(TIE_LOST), END }, ACT(REQUEUE), TUNNEL_IDLE },
{ TUNNEL_WAIT_CTL_REPLY, { EV(SCCCN_OK), EV(SCCCN_BAD), END }, ACT(STOP),
    RFC_IDLE },
{ TUNNEL_WAIT_CTL_CONN, { EV(SCCCN_OK), END }, ACT(UP), TUNNEL_ESTABLISHED },
{ TUNNEL_WAIT_CTL_CONN, { EV(SCCCN_BAD), END }, ACT(STOP), RFC_IDLE },
{ TUNNEL_WAIT_CTL_CONN, { EV(SCCRQ_OK), EV(SCCRQ_BAD), EV(SCCRP_OK),
    EV(SCCRP_BAD), END }, ACT(STOP), RFC_IDLE },
{ TUNNEL_ESTABLISHED, { EV(OPEN), END }, ACT(NONE), TUNNEL_ESTABLISHED },
{ TUNNEL_ESTABLISHED, { EV(CLOSE), END }, ACT(STOP), RFC_IDLE },
{ TUNNEL_ESTABLISHED, { EV(SCCRQ_OK), EV(SCCRQ_BAD), EV(SCCRP_OK),
    EV(SCCRP_BAD), EV(SCCCN_OK), END }, ACT(STOP), RFC_IDLE },
{ TUNNEL_ESTABLISHED, { EV(SCCCN_BAD), END }, ACT(STOP), RFC_IDLE },
{ TUNNEL_IDLE, { EV(STOPCCN), END }, ACT(CLEAN), RFC_IDLE },
{ TUNNEL_WAIT_CTL_REPLY, { EV(STOPCCN), END }, ACT(CLEAN), RFC_IDLE },
{ TUNNEL_WAIT_CTL_CONN, { EV(STOPCCN), END }, ACT(CLEAN), RFC_IDLE },
{ TUNNEL_ESTABLISHED, { EV(STOPCCN), END }, ACT(CLEAN), RFC_IDLE },
};
/* clang-format on */

#undef EV
#undef ACT
#undef END

static void
test_tunnel_against_rfc(void **state)
{
	const struct tunnel_cell *cell;
	const struct tunnel_row *row;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rfc_7_2_1) / sizeof(rfc_7_2_1[0]); i++) {
		row = &rfc_7_2_1[i];
		for (j = 0; row->events[j] != TUNNEL_EVENT_COUNT; j++) {
			cell = &tunnel_fsm[row->state][row->events[j]];
			assert_int_equal(cell->action, row->action);
			assert_string_equal(cell->ref, "RFC 2661 7.2.1");
			if (row->next == RFC_IDLE)
				assert_true(cell->next >= TUNNEL_STOPPING);
			else
				assert_int_equal(cell->next, row->next);
		}
	}
}

static void
test_tunnel_dense(void **state)
{
	const struct tunnel_cell *cell;
	unsigned s, e;

	(void)state;
	for (s = 0; s < TUNNEL_STATE_COUNT; s++) {
		assert_non_null(tunnel_fsm_state_name((enum tunnel_state)s));
		for (e = 0; e < TUNNEL_EVENT_COUNT; e++) {
			cell = &tunnel_fsm[s][e];
			assert_int_not_equal(cell->action, TUNNEL_ACT_EMPTY);
			assert_true(cell->next < TUNNEL_STATE_COUNT);
			assert_non_null(cell->ref);
			/* from the end there is no way back */
			if (s >= TUNNEL_STOPPING)
				assert_true(cell->next >= s);
			/* what stops, stops */
			if (cell->action == TUNNEL_ACT_STOP)
				assert_int_equal(cell->next, TUNNEL_STOPPING);
			if (cell->action == TUNNEL_ACT_DIE)
				assert_int_equal(cell->next, TUNNEL_DEAD);
			if (cell->action == TUNNEL_ACT_CLEAN)
				assert_int_equal(cell->next, TUNNEL_STOPPED);
		}
	}
}

/* ---- sessions ---------------------------------------------------------- */

struct session_row {
	enum session_state state;
	enum session_event events[8]; /* ends with SESSION_EVENT_COUNT */
	enum session_action action;
	enum session_state next;
};

#define S(x)    SESSION_##x
#define EV(x)   SESSION_EV_##x
#define ACT(x)  SESSION_ACT_##x
#define REQUEST EV(REQUEST_OK), EV(REQUEST_BAD)
#define REPLY   EV(REPLY_OK), EV(REPLY_BAD)
#define CONNECT EV(CONNECT_OK), EV(CONNECT_BAD)
#define END     SESSION_EVENT_COUNT

/* clang-format off */
static const struct session_row rfc_7_4_1[] = { /* LAC, incoming call */
{ S(LAC_IN_IDLE), { EV(OPEN), END }, ACT(NONE), S(LAC_IN_WAIT_TUNNEL) },
{ S(LAC_IN_IDLE), { CONNECT, REPLY, EV(CDN), END }, ACT(CLEAN),
    S(LAC_IN_IDLE) },
{ S(LAC_IN_WAIT_TUNNEL), { EV(CLOSE), END }, ACT(CLEAN), S(LAC_IN_IDLE) },
{ S(LAC_IN_WAIT_TUNNEL), { EV(TUNNEL_OPEN), END }, ACT(SEND_REQUEST),
    S(LAC_IN_WAIT_REPLY) },
{ S(LAC_IN_WAIT_REPLY), { EV(REPLY_OK), END }, ACT(SEND_CONNECT),
    S(LAC_IN_ESTABLISHED) },
{ S(LAC_IN_WAIT_REPLY), { EV(REPLY_BAD), END }, ACT(SEND_CDN),
    S(LAC_IN_IDLE) },
{ S(LAC_IN_WAIT_REPLY), { REQUEST, END }, ACT(SEND_CDN), S(LAC_IN_IDLE) },
{ S(LAC_IN_WAIT_REPLY), { EV(CDN), CONNECT, END }, ACT(CLEAN),
    S(LAC_IN_IDLE) },
{ S(LAC_IN_WAIT_REPLY), { EV(CLOSE), END }, ACT(SEND_CDN), S(LAC_IN_IDLE) },
{ S(LAC_IN_ESTABLISHED), { EV(CDN), END }, ACT(CLEAN), S(LAC_IN_IDLE) },
{ S(LAC_IN_ESTABLISHED), { REQUEST, REPLY, CONNECT, EV(CLOSE), END },
    ACT(SEND_CDN), S(LAC_IN_IDLE) },
};

static const struct session_row rfc_7_4_2[] = { /* LNS, incoming call */
{ S(LNS_IN_IDLE), { EV(REQUEST_OK), END }, ACT(SEND_REPLY),
    S(LNS_IN_WAIT_CONNECT) },
{ S(LNS_IN_IDLE), { EV(REQUEST_BAD), END }, ACT(SEND_CDN), S(LNS_IN_IDLE) },
{ S(LNS_IN_IDLE), { REPLY, END }, ACT(SEND_CDN), S(LNS_IN_IDLE) },
{ S(LNS_IN_IDLE), { CONNECT, END }, ACT(CLEAN), S(LNS_IN_IDLE) },
{ S(LNS_IN_WAIT_CONNECT), { EV(CONNECT_OK), END }, ACT(UP),
    S(LNS_IN_ESTABLISHED) },
{ S(LNS_IN_WAIT_CONNECT), { EV(CONNECT_BAD), END }, ACT(SEND_CDN),
    S(LNS_IN_IDLE) },
{ S(LNS_IN_WAIT_CONNECT), { REQUEST, REPLY, END }, ACT(SEND_CDN),
    S(LNS_IN_IDLE) },
{ S(LNS_IN_IDLE), { EV(CDN), END }, ACT(CLEAN), S(LNS_IN_IDLE) },
{ S(LNS_IN_WAIT_CONNECT), { EV(CDN), END }, ACT(CLEAN), S(LNS_IN_IDLE) },
{ S(LNS_IN_ESTABLISHED), { EV(CDN), END }, ACT(CLEAN), S(LNS_IN_IDLE) },
{ S(LNS_IN_WAIT_CONNECT), { EV(CLOSE), END }, ACT(SEND_CDN),
    S(LNS_IN_IDLE) },
{ S(LNS_IN_ESTABLISHED), { EV(CLOSE), END }, ACT(SEND_CDN), S(LNS_IN_IDLE) },
{ S(LNS_IN_ESTABLISHED), { REQUEST, REPLY, CONNECT, END }, ACT(SEND_CDN),
    S(LNS_IN_IDLE) },
};

static const struct session_row rfc_7_5_1[] = { /* LAC, outgoing call */
{ S(LAC_OUT_IDLE), { EV(REQUEST_OK), END }, ACT(SEND_REPLY),
    S(LAC_OUT_WAIT_CS_ANSWER) },
{ S(LAC_OUT_IDLE), { EV(REQUEST_BAD), END }, ACT(SEND_CDN), S(LAC_OUT_IDLE) },
{ S(LAC_OUT_IDLE), { REPLY, END }, ACT(SEND_CDN), S(LAC_OUT_IDLE) },
{ S(LAC_OUT_IDLE), { CONNECT, EV(CDN), END }, ACT(CLEAN), S(LAC_OUT_IDLE) },
{ S(LAC_OUT_WAIT_CS_ANSWER), { EV(BEARER_UP), END }, ACT(SEND_CONNECT),
    S(LAC_OUT_ESTABLISHED) },
{ S(LAC_OUT_WAIT_CS_ANSWER), { EV(CLOSE), REQUEST, REPLY, CONNECT, END },
    ACT(SEND_CDN), S(LAC_OUT_IDLE) },
{ S(LAC_OUT_WAIT_CS_ANSWER), { EV(CDN), END }, ACT(CLEAN), S(LAC_OUT_IDLE) },
{ S(LAC_OUT_ESTABLISHED), { REQUEST, REPLY, CONNECT, EV(CLOSE), END },
    ACT(SEND_CDN), S(LAC_OUT_IDLE) },
{ S(LAC_OUT_ESTABLISHED), { EV(CDN), END }, ACT(CLEAN), S(LAC_OUT_IDLE) },
};

static const struct session_row rfc_7_5_2[] = { /* LNS, outgoing call */
{ S(LNS_OUT_IDLE), { EV(OPEN), END }, ACT(NONE), S(LNS_OUT_WAIT_TUNNEL) },
{ S(LNS_OUT_IDLE), { CONNECT, REPLY, EV(CDN), END }, ACT(CLEAN),
    S(LNS_OUT_IDLE) },
{ S(LNS_OUT_WAIT_TUNNEL), { EV(TUNNEL_OPEN), END }, ACT(SEND_REQUEST),
    S(LNS_OUT_WAIT_REPLY) },
{ S(LNS_OUT_WAIT_REPLY), { EV(REPLY_OK), END }, ACT(REPLIED),
    S(LNS_OUT_WAIT_CONNECT) },
{ S(LNS_OUT_WAIT_REPLY), { EV(REPLY_BAD), CONNECT, REQUEST, END },
    ACT(SEND_CDN), S(LNS_OUT_IDLE) },
{ S(LNS_OUT_WAIT_CONNECT), { EV(CONNECT_OK), END }, ACT(UP),
    S(LNS_OUT_ESTABLISHED) },
{ S(LNS_OUT_WAIT_CONNECT), { REQUEST, REPLY, END }, ACT(SEND_CDN),
    S(LNS_OUT_IDLE) },
{ S(LNS_OUT_WAIT_REPLY), { EV(CDN), END }, ACT(CLEAN), S(LNS_OUT_IDLE) },
{ S(LNS_OUT_WAIT_CONNECT), { EV(CDN), END }, ACT(CLEAN), S(LNS_OUT_IDLE) },
{ S(LNS_OUT_ESTABLISHED), { EV(CDN), END }, ACT(CLEAN), S(LNS_OUT_IDLE) },
{ S(LNS_OUT_ESTABLISHED), { REQUEST, REPLY, CONNECT, END }, ACT(SEND_CDN),
    S(LNS_OUT_IDLE) },
{ S(LNS_OUT_WAIT_REPLY), { EV(CLOSE), END }, ACT(SEND_CDN), S(LNS_OUT_IDLE) },
{ S(LNS_OUT_WAIT_CONNECT), { EV(CLOSE), END }, ACT(SEND_CDN),
    S(LNS_OUT_IDLE) },
{ S(LNS_OUT_ESTABLISHED), { EV(CLOSE), END }, ACT(SEND_CDN),
    S(LNS_OUT_IDLE) },
{ S(LNS_OUT_WAIT_TUNNEL), { EV(CLOSE), END }, ACT(CLEAN), S(LNS_OUT_IDLE) },
};
/* clang-format on */

static void
compare(const struct session_row *rows, size_t count, const char *ref)
{
	const struct session_cell *cell;
	size_t i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; rows[i].events[j] != SESSION_EVENT_COUNT; j++) {
			cell = &session_fsm[rows[i].state][rows[i].events[j]];
			assert_int_equal(cell->action, rows[i].action);
			assert_int_equal(cell->next, rows[i].next);
			assert_string_equal(cell->ref, ref);
		}
	}
}

#define COMPARE(rows, ref) compare(rows, sizeof(rows) / sizeof((rows)[0]), ref)

static void
test_session_against_rfc(void **state)
{
	(void)state;
	COMPARE(rfc_7_4_1, "RFC 2661 7.4.1");
	COMPARE(rfc_7_4_2, "RFC 2661 7.4.2");
	COMPARE(rfc_7_5_1, "RFC 2661 7.5.1");
	COMPARE(rfc_7_5_2, "RFC 2661 7.5.2");
}

static bool
is_idle(enum session_state s)
{
	return s == SESSION_LAC_IN_IDLE || s == SESSION_LNS_IN_IDLE ||
	    s == SESSION_LAC_OUT_IDLE || s == SESSION_LNS_OUT_IDLE;
}

static void
test_session_dense(void **state)
{
	const struct session_cell *cell;
	unsigned s, e, first = 0;

	(void)state;
	for (s = 0; s < SESSION_STATE_COUNT; s++) {
		assert_non_null(session_fsm_state_name((enum session_state)s));
		if (is_idle((enum session_state)s))
			first = s; /* states of a role follow its idle */
		for (e = 0; e < SESSION_EVENT_COUNT; e++) {
			cell = &session_fsm[s][e];
			assert_int_not_equal(cell->action, SESSION_ACT_EMPTY);
			assert_non_null(cell->ref);
			/* a session never changes its role */
			assert_true(cell->next >= first);
			assert_true(
			    cell->next == first || !is_idle(cell->next));
			assert_true(cell->next - first < 5);
			if (cell->action == SESSION_ACT_SEND_CDN ||
			    cell->action == SESSION_ACT_CLEAN)
				assert_int_equal(cell->next, first);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tunnel_against_rfc),
	    cmocka_unit_test(test_tunnel_dense),
	    cmocka_unit_test(test_session_against_rfc),
	    cmocka_unit_test(test_session_dense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
