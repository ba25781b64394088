/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tun_steer.h: a program at a TUN device of several queues, that brings each
 * packet to the queue that a map names for its inner destination: a map of
 * addresses, and one of networks for what is not in there. The keys are those
 * of l2tpd/plane/user/steer.h.
 */
#ifndef ADIT_MONITOR_TUN_STEER_H
#define ADIT_MONITOR_TUN_STEER_H

struct tun_maps {
	int addresses, networks; /* descriptors */
};

/* tun_fd: any queue, all of them are attached. 0: ret is the caller's. -errno:
 * the kernel has no such thing, and learns the queues from what they write. */
int tun_steer(int tun_fd, struct tun_maps *ret);

#endif
