/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * workers.h: the user plane on several cores: a plane (plane.h) in front of
 * workers (worker.h), each with its own sockets and its own queue of the TUN
 * device. The kernel brings packets to the right worker: by the last byte of
 * the SPI (steer.h), and by inner destination on the way out. A packet that
 * comes to another one goes on through the engine's thread: slow, but never
 * lost for that.
 */
#ifndef ADIT_PLANE_USER_WORKERS_H
#define ADIT_PLANE_USER_WORKERS_H

#include <stddef.h>

#include "l2tpd/plane/plane.h"
#include "l2tpd/plane/user/steer.h"

/* cfg: of n workers, 2 to 255; copied, their descriptors adopted, also
 * on failure. Only the first has udp500_fd; the udp4500_fd are a SO_REUSEPORT
 * group, bound in this order. maps: from the inner destination to the TUN
 * queue, copied, its descriptors adopted; -1: the kernel learns it from what
 * the queues write. events, ctx: as of plane_user_new(). NULL: see errno. */
struct plane *plane_workers_new(struct loop *loop,
    const struct plane_config *cfg, size_t n, const struct steer_maps *maps,
    const struct plane_events *events, void *ctx);

#endif
