/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runner.h: who runs PPP for a session: our own engine (ppp-glue/engine, in
 * this process) or a pppd with our plugin (the kernel plane). Both are asked
 * and answer in the words of ppp-glue/engine/ppp.h: after every call, and
 * whenever ready() is called, effects are fetched until there is none.
 *
 * Owner: the session. A runner calls nothing back but ready(), from the loop.
 */
#ifndef ADIT_ENGINE_RUNNER_H
#define ADIT_ENGINE_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rd.h"
#include "ppp-glue/engine/ppp.h"

struct engine;
struct runner;

struct runner_ops {
	void (*free)(struct runner *r);
	/* The call is up. 0 or -errno: it cannot run. */
	int (*start)(struct runner *r, uint64_t now_ms);
	void (*input)(struct runner *r, struct rd frame, uint64_t now_ms);
	void (*note_data)(struct runner *r, uint64_t now_ms);
	int (*verdict)(
	    struct runner *r, const struct ppp_verdict *v, uint64_t now_ms);
	void (*close)(struct runner *r, const char *why, uint64_t now_ms);
	void (*tick)(struct runner *r, uint64_t now_ms);
	uint64_t (*deadline)(const struct runner *r);
	bool (*next_effect)(struct runner *r, struct ppp_effect *ret);
	uint16_t (*peer_mru)(const struct runner *r);
	const char *(*interface)(const struct runner *r);
	const char *(*state_name)(const struct runner *r);
};

/* Every runner begins with this. */
struct runner {
	const struct runner_ops *ops;
};

/* cfg borrowed for its life. NULL: no memory. */
struct runner *runner_own_new(const struct ppp_config *cfg, uint64_t now_ms);

/* A pppd on the channel of this session of the plane; it is started by
 * runner_start(). ready: effects wait. NULL: no memory. */
struct runner *runner_pppd_new(
    struct engine *e, uint32_t session, void (*ready)(void *ctx), void *ctx);
/* The monitor started it: the line to it. fd adopted. r may be another's
 * runner: closed then. */
void runner_pppd_line(struct runner *r, int fd);

/* Contracts: those of the functions ppp_...() of ppp.h. */

static inline void
runner_free(struct runner *r)
{
	if (r != NULL)
		r->ops->free(r);
}

static inline int
runner_start(struct runner *r, uint64_t now_ms)
{
	return r->ops->start(r, now_ms);
}

static inline void
runner_input(struct runner *r, struct rd frame, uint64_t now_ms)
{
	r->ops->input(r, frame, now_ms);
}

static inline void
runner_note_data(struct runner *r, uint64_t now_ms)
{
	r->ops->note_data(r, now_ms);
}

static inline int
runner_verdict(struct runner *r, const struct ppp_verdict *v, uint64_t now_ms)
{
	return r->ops->verdict(r, v, now_ms);
}

static inline void
runner_close(struct runner *r, const char *why, uint64_t now_ms)
{
	r->ops->close(r, why, now_ms);
}

static inline void
runner_tick(struct runner *r, uint64_t now_ms)
{
	r->ops->tick(r, now_ms);
}

static inline uint64_t
runner_deadline(const struct runner *r)
{
	return r->ops->deadline(r);
}

static inline bool
runner_next_effect(struct runner *r, struct ppp_effect *ret)
{
	return r->ops->next_effect(r, ret);
}

static inline uint16_t
runner_peer_mru(const struct runner *r)
{
	return r->ops->peer_mru(r);
}

static inline const char *
runner_state_name(const struct runner *r)
{
	return r->ops->state_name(r);
}

/* The network interface that is the session's alone; "" when it has none. */
static inline const char *
runner_interface(const struct runner *r)
{
	return r->ops->interface(r);
}

#endif
