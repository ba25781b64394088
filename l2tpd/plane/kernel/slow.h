/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slow.h: sessions of the kernel plane whose packets the kernel does not carry:
 * it has no L2TP, or cannot tell their tunnel from another one's (before Linux
 * 6.11 a tunnel is its UDP addresses and ports, and devices behind one NAT may
 * have the same). It gives us their L2TP data as it gives us control messages;
 * their IPv4 goes through a TUN device, all else is the engine's own PPP.
 *
 * Part of struct kernel_plane. Its sessions are in the table of the user plane
 * (tables.h), which is the owner of what it has about them.
 */
#ifndef ADIT_PLANE_KERNEL_SLOW_H
#define ADIT_PLANE_KERNEL_SLOW_H

#include "base/ratelimit.h"
#include "l2tpd/plane/user/tables.h"

struct kernel_plane;
struct kernel_assoc;

struct slow {
	int tun_fd; /* -1: there is none, and so no session */
	struct loop_fd *watch;
	struct session_table sessions;
	struct ratelimit too_big_limit;
};

/* tun_fd: a TUN device without a header before its packets; adopted (closed on
 * failure too); -1: none. 0 or -ENOMEM. */
int slow_open(struct kernel_plane *p, int tun_fd);
void slow_close(struct kernel_plane *p);

/* 0; -ENODEV: no TUN device; -EEXIST; -ENOMEM. */
int slow_add(struct kernel_plane *p, const struct plane_session *s);
void slow_del(struct kernel_plane *p, uint32_t id);
/* NULL: it is none of these. */
struct user_session *slow_find(struct kernel_plane *p, uint32_t id);

/* An L2TP datagram from the association. data: writable. True: it was data of
 * one of its sessions and is done with; the engine was called when it is no IP
 * of an open one. */
bool slow_input(struct kernel_plane *p, const struct kernel_assoc *a,
    uint8_t *data, size_t len);
/* 0; -EINVAL: too long; errors of kernel_send(). */
int slow_ppp_send(
    struct kernel_plane *p, const struct user_session *s, struct rd frame);

#endif
