/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.h: the kernel plane: ESP is the kernel's (charon installs it by
 * netlink), L2TP data is the kernel's (PPPoL2TP), PPP is a pppd's. What is left
 * for us are L2TP control messages on UDP 1701, the sockets that make the
 * kernel's tunnels and sessions, and sessions that the kernel cannot have:
 * their packets are ours (slow.h), and their PPP is the engine's.
 *
 * An association is a mark. charon's SAs put it on what they decrypt, so a
 * datagram tells by SO_RCVMARK whose it is; and only what carries it finds the
 * SA out again. Mark 0 is no IPsec: such datagrams are dropped. To send with a
 * mark takes a right that this process has not: the monitor makes sockets that
 * have it (want_socket), one for control messages of each association and one
 * for each tunnel.
 *
 * A session's channel is what pppd attaches to (plane_session_channel()), and
 * plane_ppp_send() is -ENOTSUP; with sessions that are ours it is the other way
 * round. plane_session_add(): -ENODEV is one that would be ours, but there is
 * no TUN device. Local ids of all sessions have to differ, whatever their
 * tunnel is: before Linux 6.11 the kernel looks at nothing else.
 */
#ifndef ADIT_PLANE_KERNEL_KERNEL_H
#define ADIT_PLANE_KERNEL_KERNEL_H

#include "l2tpd/plane/plane.h"

struct plane_kernel_config {
	int udp_fd; /* bound to UDP 1701, SO_RCVMARK on; adopted */
	uint32_t mark_mask;
	int tun_fd;         /* IFF_TUN | IFF_NO_PI; adopted. -1: none */
	uint16_t inner_mtu; /* of the TUN device, bytes */
	uint8_t gateway[4]; /* ours on every link */
	/* The kernel can have tunnels that share addresses and ports. */
	bool shared_ports;
	/* Ask the monitor for a socket with this mark; it comes later by
	 * plane_kernel_socket(). */
	void (*want_socket)(void *ctx, uint32_t mark);
	void *want_ctx;
};

/* cfg, events borrowed, copied. NULL: see errno. */
struct plane *plane_kernel_new(struct loop *loop,
    const struct plane_kernel_config *cfg, const struct plane_events *events,
    void *ctx);

/* .shared_ports of this kernel; release: of another one ("6.1.0-18-amd64"). */
bool plane_kernel_shared_ports(const char *release);

/* A UDP socket with SO_MARK mark, SO_RCVMARK and SO_REUSEADDR on, not bound
 * (one that is would take datagrams before it is read); fd adopted (closed when
 * nobody waits for it, or p is another plane). */
void plane_kernel_socket(struct plane *p, uint32_t mark, int fd);

#endif
