/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runner_own.c: PPP by our own engine (contract in runner.h): every function is
 * one of ppp.h.
 */
#include <stdlib.h>

#include "l2tpd/engine/runner.h"

struct own {
	struct runner runner; /* first */
	struct ppp *ppp;
};

static struct ppp *
ppp_of(const struct runner *r)
{
	return ((const struct own *)r)->ppp;
}

static void
own_free(struct runner *r)
{
	ppp_free(ppp_of(r));
	free(r);
}

static int
own_start(struct runner *r, uint64_t now_ms)
{
	ppp_start(ppp_of(r), now_ms);
	return 0;
}

static void
own_input(struct runner *r, struct rd frame, uint64_t now_ms)
{
	ppp_input(ppp_of(r), frame, now_ms);
}

static void
own_note_data(struct runner *r, uint64_t now_ms)
{
	ppp_note_data(ppp_of(r), now_ms);
}

static int
own_verdict(struct runner *r, const struct ppp_verdict *v, uint64_t now_ms)
{
	return ppp_verdict(ppp_of(r), v, now_ms);
}

static void
own_close(struct runner *r, const char *why, uint64_t now_ms)
{
	ppp_close(ppp_of(r), why, now_ms);
}

static void
own_tick(struct runner *r, uint64_t now_ms)
{
	ppp_tick(ppp_of(r), now_ms);
}

static uint64_t
own_deadline(const struct runner *r)
{
	return ppp_deadline(ppp_of(r));
}

static bool
own_next_effect(struct runner *r, struct ppp_effect *ret)
{
	return ppp_next_effect(ppp_of(r), ret);
}

static uint16_t
own_peer_mru(const struct runner *r)
{
	return ppp_peer_mru(ppp_of(r));
}

static const char *
own_interface(const struct runner *r)
{
	(void)r;
	return "";
}

static const char *
own_state_name(const struct runner *r)
{
	return ppp_state_name(ppp_of(r));
}

static const struct runner_ops ops = {
    .free = own_free,
    .start = own_start,
    .input = own_input,
    .note_data = own_note_data,
    .verdict = own_verdict,
    .close = own_close,
    .tick = own_tick,
    .deadline = own_deadline,
    .next_effect = own_next_effect,
    .peer_mru = own_peer_mru,
    .interface = own_interface,
    .state_name = own_state_name,
};

struct runner *
runner_own_new(const struct ppp_config *cfg, uint64_t now_ms)
{
	struct own *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->runner.ops = &ops;
	o->ppp = ppp_new(cfg, now_ms);
	if (o->ppp == NULL) {
		free(o);
		return NULL;
	}
	return &o->runner;
}
