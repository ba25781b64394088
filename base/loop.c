/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.c: the event loop (contract in loop.h). The only file that knows libev
 * or reads the monotonic clock.
 *
 * Owns all watchers: each is in its loop's list until its _free(), and
 * loop_free() releases what is left. Freeing a watcher inside a callback is
 * safe because libev first collects the events of a turn and then calls back,
 * _stop() takes a watcher's collected event away, and the trampolines here do
 * not touch their watcher after the callback.
 *
 * The only loop of a process is libev's default loop, the one that reaps
 * children; loops made while it lives (tests) have no children.
 */
#include "base/loop.h"

#include <ev.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

/* The common head of all watchers. */
struct watcher {
	struct loop *loop;
	void *ctx;
	LIST_ENTRY(watcher) link;
};

struct loop {
	struct ev_loop *ev;
	ev_check turn; /* runs first in each turn: reads the clock */
	uint64_t now_ms;
	uint64_t (*clock)(void *ctx); /* NULL: the real one */
	void *clock_ctx;
	bool running, stopped;
	LIST_HEAD(, watcher) fds, timers, signals, children;
};

struct loop_fd {
	struct watcher w;
	ev_io io;
	void (*cb)(void *ctx, int events);
};

struct loop_timer {
	struct watcher w;
	ev_timer timer;
	void (*cb)(void *ctx);
};

struct loop_signal {
	struct watcher w;
	ev_signal sig;
	void (*cb)(void *ctx, int signo);
};

struct loop_child {
	struct watcher w;
	ev_child child;
	void (*cb)(void *ctx, pid_t pid, int status);
};

uint64_t
loop_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
on_turn(struct ev_loop *ev, ev_check *w, int revents)
{
	struct loop *l = w->data;

	(void)ev;
	(void)revents;
	l->now_ms = loop_clock_ms();
}

/* libev has one default loop a process; a struct loop uses it at a time. */
static bool default_in_use;

struct loop *
loop_new(void)
{
	struct loop *l;

	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	if (!default_in_use)
		l->ev = ev_default_loop(EVFLAG_NOENV);
	else
		l->ev = ev_loop_new(EVFLAG_NOENV);
	if (l->ev == NULL) {
		free(l);
		return NULL;
	}
	if (ev_is_default_loop(l->ev))
		default_in_use = true;
	LIST_INIT(&l->fds);
	LIST_INIT(&l->timers);
	LIST_INIT(&l->signals);
	LIST_INIT(&l->children);
	l->now_ms = loop_clock_ms();
	ev_check_init(&l->turn, on_turn);
	ev_set_priority(&l->turn, EV_MAXPRI);
	l->turn.data = l;
	ev_check_start(l->ev, &l->turn);
	ev_unref(l->ev); /* it alone does not keep the loop alive */
	return l;
}

void
loop_free(struct loop *l)
{
	struct watcher *w;

	if (l == NULL)
		return;
	while ((w = LIST_FIRST(&l->fds)) != NULL)
		loop_fd_free((struct loop_fd *)w);
	while ((w = LIST_FIRST(&l->timers)) != NULL)
		loop_timer_free((struct loop_timer *)w);
	while ((w = LIST_FIRST(&l->signals)) != NULL)
		loop_signal_free((struct loop_signal *)w);
	while ((w = LIST_FIRST(&l->children)) != NULL)
		loop_child_free((struct loop_child *)w);
	ev_ref(l->ev);
	ev_check_stop(l->ev, &l->turn);
	/* The default loop itself stays: the next struct loop uses it. */
	if (ev_is_default_loop(l->ev))
		default_in_use = false;
	else
		ev_loop_destroy(l->ev);
	free(l);
}

static void
run(struct loop *l, int flags)
{
	l->now_ms = loop_clock_ms();
	l->running = true;
	ev_run(l->ev, flags);
	l->running = false;
}

void
loop_run(struct loop *l)
{
	if (!l->stopped)
		run(l, 0);
	l->stopped = false;
}

void
loop_run_once(struct loop *l, bool block)
{
	run(l, block ? EVRUN_ONCE : EVRUN_NOWAIT);
}

void
loop_stop(struct loop *l)
{
	l->stopped = true;
	ev_break(l->ev, EVBREAK_ALL);
}

uint64_t
loop_now_ms(const struct loop *l)
{
	return l->clock != NULL ? l->clock(l->clock_ctx) : l->now_ms;
}

void
loop_set_clock(struct loop *l, uint64_t (*clock)(void *ctx), void *ctx)
{
	l->clock = clock;
	l->clock_ctx = ctx;
}

/* Descriptors */

_Static_assert((int)LOOP_READ == (int)EV_READ, "same bits as libev");
_Static_assert((int)LOOP_WRITE == (int)EV_WRITE, "same bits as libev");

static void
on_fd(struct ev_loop *ev, ev_io *io, int revents)
{
	struct loop_fd *w = io->data;

	(void)ev;
	w->cb(w->w.ctx, revents & (LOOP_READ | LOOP_WRITE));
}

struct loop_fd *
loop_fd_new(struct loop *l, int fd, int events,
    void (*cb)(void *ctx, int events), void *ctx)
{
	struct loop_fd *w;

	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return NULL;
	w->w.loop = l;
	w->w.ctx = ctx;
	w->cb = cb;
	ev_io_init(&w->io, on_fd, fd, 0);
	w->io.data = w;
	LIST_INSERT_HEAD(&l->fds, &w->w, link);
	loop_fd_set(w, events);
	return w;
}

void
loop_fd_set(struct loop_fd *w, int events)
{
	int fd = w->io.fd;

	events &= LOOP_READ | LOOP_WRITE;
	if (ev_is_active(&w->io) &&
	    (w->io.events & (LOOP_READ | LOOP_WRITE)) == events)
		return;
	ev_io_stop(w->w.loop->ev, &w->io);
	ev_io_set(&w->io, fd, events);
	if (events != 0)
		ev_io_start(w->w.loop->ev, &w->io);
}

void
loop_fd_free(struct loop_fd *w)
{
	if (w == NULL)
		return;
	ev_io_stop(w->w.loop->ev, &w->io);
	LIST_REMOVE(&w->w, link);
	free(w);
}

/* Timers */

static void
on_timer(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct loop_timer *t = timer->data;

	(void)ev;
	(void)revents;
	t->cb(t->w.ctx);
}

struct loop_timer *
loop_timer_new(struct loop *l, void (*cb)(void *ctx), void *ctx)
{
	struct loop_timer *t;

	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->w.loop = l;
	t->w.ctx = ctx;
	t->cb = cb;
	ev_timer_init(&t->timer, on_timer, 0., 0.);
	t->timer.data = t;
	LIST_INSERT_HEAD(&l->timers, &t->w, link);
	return t;
}

void
loop_timer_set(struct loop_timer *t, uint64_t delay_ms)
{
	const uint64_t forever_ms = (uint64_t)100 * 365 * 86400 * 1000;
	struct loop *l = t->w.loop;

	ev_timer_stop(l->ev, &t->timer);
	if (!l->running) /* else libev counts from when it last ran */
		ev_now_update(l->ev);
	if (delay_ms > forever_ms)
		delay_ms = forever_ms;
	/* One ms more: libev reads its clock a little before on_turn(), and a
	 * timer must not fire while loop_now_ms() is before its deadline. */
	if (delay_ms > 0)
		delay_ms++;
	ev_timer_set(&t->timer, (double)delay_ms / 1000., 0.);
	ev_timer_start(l->ev, &t->timer);
}

void
loop_timer_cancel(struct loop_timer *t)
{
	ev_timer_stop(t->w.loop->ev, &t->timer);
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	ev_timer_stop(t->w.loop->ev, &t->timer);
	LIST_REMOVE(&t->w, link);
	free(t);
}

/* Signals */

static void
on_signal(struct ev_loop *ev, ev_signal *sig, int revents)
{
	struct loop_signal *s = sig->data;

	(void)ev;
	(void)revents;
	s->cb(s->w.ctx, sig->signum);
}

struct loop_signal *
loop_signal_new(
    struct loop *l, int signo, void (*cb)(void *ctx, int signo), void *ctx)
{
	struct loop_signal *s;

	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->w.loop = l;
	s->w.ctx = ctx;
	s->cb = cb;
	ev_signal_init(&s->sig, on_signal, signo);
	s->sig.data = s;
	ev_signal_start(l->ev, &s->sig);
	LIST_INSERT_HEAD(&l->signals, &s->w, link);
	return s;
}

void
loop_signal_free(struct loop_signal *s)
{
	if (s == NULL)
		return;
	ev_signal_stop(s->w.loop->ev, &s->sig);
	LIST_REMOVE(&s->w, link);
	free(s);
}

/* Children */

static void
on_child(struct ev_loop *ev, ev_child *child, int revents)
{
	struct loop_child *c = child->data;

	(void)revents;
	ev_child_stop(ev, child); /* a process ends once; the id is reused */
	c->cb(c->w.ctx, child->rpid, child->rstatus);
}

struct loop_child *
loop_child_new(struct loop *l, pid_t pid,
    void (*cb)(void *ctx, pid_t pid, int status), void *ctx)
{
	struct loop_child *c;

	if (!ev_is_default_loop(l->ev))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->w.loop = l;
	c->w.ctx = ctx;
	c->cb = cb;
	ev_child_init(&c->child, on_child, pid, 0);
	c->child.data = c;
	ev_child_start(l->ev, &c->child);
	LIST_INSERT_HEAD(&l->children, &c->w, link);
	return c;
}

void
loop_child_free(struct loop_child *c)
{
	if (c == NULL)
		return;
	ev_child_stop(c->w.loop->ev, &c->child);
	LIST_REMOVE(&c->w, link);
	free(c);
}
