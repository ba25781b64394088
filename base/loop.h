/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.h: the event loop of a process: descriptors, timers, signals and
 * children. A small face on libev; loop.c is the only file that knows libev
 * or reads the monotonic clock. Pure code never sees it:
 * pure code gets now_ms.
 *
 * A loop owns its watchers' storage; the watcher handles are freed by their
 * own _free(), which is safe inside any callback, the watcher's own included.
 * loop_free() frees those that are left: no handle may be used after it.
 */
#ifndef ADIT_BASE_LOOP_H
#define ADIT_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct loop_fd;
struct loop_timer;
struct loop_signal;
struct loop_child;

/* NULL when out of memory or descriptors. Owner: the process's main. */
struct loop *loop_new(void);
void loop_free(struct loop *l);

/* Runs until loop_stop(), or until nothing is watched any more. A stop that
 * comes before makes the next run return at once. */
void loop_run(struct loop *l);
/* One turn; block: wait for an event. For tests. */
void loop_run_once(struct loop *l, bool block);
void loop_stop(struct loop *l);

/* Monotonic milliseconds, fixed for the duration of one turn. */
uint64_t loop_now_ms(const struct loop *l);
/* The machine's monotonic clock itself, for who has no loop at hand (log.c). */
uint64_t loop_clock_ms(void);
/* Replace the clock (tests). clock(ctx) returns monotonic milliseconds; NULL
 * goes back to the real one. Only loop_now_ms() is affected. */
void loop_set_clock(struct loop *l, uint64_t (*clock)(void *ctx), void *ctx);

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Watch fd (borrowed; close it after loop_fd_free). events: LOOP_READ |
 * LOOP_WRITE. The callback gets the events that are ready. NULL: no memory. */
struct loop_fd *loop_fd_new(struct loop *l, int fd, int events,
    void (*cb)(void *ctx, int events), void *ctx);
void loop_fd_set(struct loop_fd *w, int events);
void loop_fd_free(struct loop_fd *w); /* NULL is fine */

/* A one-shot timer, created disarmed. loop_timer_set() re-arms it; delay 0
 * fires in the next turn. */
struct loop_timer *loop_timer_new(
    struct loop *l, void (*cb)(void *ctx), void *ctx);
void loop_timer_set(struct loop_timer *t, uint64_t delay_ms);
void loop_timer_cancel(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is fine */

struct loop_signal *loop_signal_new(
    struct loop *l, int signo, void (*cb)(void *ctx, int signo), void *ctx);
void loop_signal_free(struct loop_signal *s); /* NULL is fine */

/* Called once when child pid ends; status as from waitpid(2). NULL also on a
 * loop that was made while another lived (one of them reaps children). Call it
 * in the turn of the fork, or the child may be reaped before it is watched. */
struct loop_child *loop_child_new(struct loop *l, pid_t pid,
    void (*cb)(void *ctx, pid_t pid, int status), void *ctx);
void loop_child_free(struct loop_child *c); /* NULL is fine */

#endif
