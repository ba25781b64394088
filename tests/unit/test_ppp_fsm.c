/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ppp_fsm.c: the automaton's table against a transcription of the two
 * tables of RFC 1661 4.1, no empty cell, and the restart timer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ppp-glue/engine/link.h"
#include "tests/peer/ppp_pair.h"

/* clang-format off */
/* RFC 1661 4.1, as printed there, states 0 to 9 in one row; r, p and x are the
 * RFC's footnotes. */
static const char *const rfc[FSM_EVENTS] = {
[FSM_UP]        = "2 irc,scr/6 - - - - - - - -",
[FSM_DOWN]      = "- - 0 tls/1 0 1 1 1 1 tld/1",
[FSM_OPEN]      = "tls/1 1 irc,scr/6 3r 5r 5r 6 7 8 9r",
[FSM_CLOSE]     = "0 tlf/0 2 2 4 4 irc,str/4 irc,str/4 irc,str/4 tld,irc,str/4",
[FSM_TO_PLUS]   = "- - - - str/4 str/5 scr/6 scr/6 scr/8 -",
[FSM_TO_MINUS]  = "- - - - tlf/2 tlf/3 tlf/3p tlf/3p tlf/3p -",
[FSM_RCR_PLUS]  = "- - sta/2 irc,scr,sca/8 4 5 sca/8 sca,tlu/9 sca/8 tld,scr,sca/8",
[FSM_RCR_MINUS] = "- - sta/2 irc,scr,scn/6 4 5 scn/6 scn/7 scn/6 tld,scr,scn/6",
[FSM_RCA]       = "- - sta/2 sta/3 4 5 irc/7 scr/6x irc,tlu/9 tld,scr/6x",
[FSM_RCN]       = "- - sta/2 sta/3 4 5 irc,scr/6 scr/6x irc,scr/8 tld,scr/6x",
[FSM_RTR]       = "- - sta/2 sta/3 sta/4 sta/5 sta/6 sta/6 sta/6 tld,zrc,sta/5",
[FSM_RTA]       = "- - 2 3 tlf/2 tlf/3 6 6 8 tld,scr/6",
[FSM_RUC]       = "- - scj/2 scj/3 scj/4 scj/5 scj/6 scj/7 scj/8 scj/9",
[FSM_RXJ_PLUS]  = "- - 2 3 4 5 6 6 8 9",
[FSM_RXJ_MINUS] = "- - tlf/2 tlf/3 tlf/2 tlf/3 tlf/3 tlf/3 tlf/3 tld,irc,str/5",
[FSM_RXR]       = "- - 2 3 4 5 6 7 8 ser/9",
};
/* clang-format on */

static unsigned
action_bit(const char *name)
{
	static const char *const n[] = {"tld", "irc", "zrc", "scr", "str",
	    "sca", "scn", "sta", "scj", "ser", "tlu", "tls", "tlf"};
	unsigned i;

	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		if (strncmp(n[i], name, 3) == 0)
			return 1u << i;
	fail_msg("unknown action %s", name);
	return 0;
}

static void
table_is_rfc1661(void **state)
{
	const struct fsm_cell *c;
	char row[256], *cell, *s, *save;
	unsigned ev, st, actions;

	(void)state;
	for (ev = 0; ev < FSM_EVENTS; ev++) {
		assert_non_null(rfc[ev]);
		snprintf(row, sizeof(row), "%s", rfc[ev]);
		cell = strtok_r(row, " ", &save);
		for (st = 0; st < FSM_STATES; st++) {
			assert_non_null(cell);
			c = fsm_cell((enum fsm_state)st, (enum fsm_event)ev);
			assert_int_not_equal(c->kind, FSM_CELL_EMPTY);
			if (strcmp(cell, "-") == 0) {
				assert_int_equal(c->kind, FSM_CELL_NEVER);
				cell = strtok_r(NULL, " ", &save);
				continue;
			}
			actions = 0;
			for (s = cell; *s >= 'a'; s += 4)
				actions |= action_bit(s);
			assert_int_equal(c->kind, FSM_CELL_GO);
			assert_int_equal(c->actions, actions);
			assert_int_equal(c->next, atoi(s));
			cell = strtok_r(NULL, " ", &save);
		}
		assert_null(cell);
	}
}

static void
names(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < FSM_STATES; i++)
		assert_non_null(fsm_state_name((enum fsm_state)i));
	assert_string_equal(fsm_state_name(FSM_REQ_SENT), "req-sent");
	assert_string_equal(fsm_state_name(FSM_STATES), "?");
}

static struct pair P;
#define SERVER (P.end[0])

/* 3, 4.5, 6.75, then 10 s; the same Identifier; then Terminate-Request */
static void
restart_timer(void **state)
{
	static const uint64_t at[] = {0, 3000, 7500, 14250, 24250, 34250};
	size_t i;

	(void)state;
	pair_init(&P, 3, true);
	pair_start(&P);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		if (at[i] > 0) {
			pair_run(&P, 1000 + at[i] - 1);
			assert_int_equal(SERVER.out_count, i);
		}
		pair_run(&P, 1000 + at[i]);
		assert_int_equal(SERVER.out_count, i + 1);
		assert_int_equal(SERVER.out_bytes[i], SERVER.out_bytes[0]);
		assert_memory_equal(
		    SERVER.out[i], SERVER.out[0], SERVER.out_bytes[0]);
	}
	pair_fini(&P);
}

/* Max-Configure ends the link when the setup limit does not */
static void
max_configure(void **state)
{
	(void)state;
	pair_init(&P, 3, true);
	pair_start(&P);
	SERVER.ppp->setup_limit_ms = UINT64_MAX;
	pair_run(&P, 200000);
	assert_int_equal(SERVER.sent, 10);
	assert_int_equal(SERVER.downs, 1);
	assert_string_equal(SERVER.why, "lcp-timeout");
	pair_fini(&P);
}

static void
option_writer(void **state)
{
	uint8_t buf[5];
	struct wr w = wr_init(buf, sizeof(buf));

	(void)state;
	assert_true(fsm_write_option(&w, 7, NULL, 0));
	assert_int_equal(w.len, 2);
	/* never half an option */
	assert_false(fsm_write_option(&w, 1, "abcd", 2));
	assert_int_equal(w.len, 2);
	assert_true(wr_ok(&w));
	assert_true(fsm_write_option(&w, 1, "a", 1));
	assert_memory_equal(buf,
	    "\x07\x02\x01\x03"
	    "a",
	    5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_is_rfc1661),
	    cmocka_unit_test(names),
	    cmocka_unit_test(restart_timer),
	    cmocka_unit_test(max_configure),
	    cmocka_unit_test(option_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
