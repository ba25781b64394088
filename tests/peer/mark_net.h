/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mark_net.h: what tests of the kernel plane do their work in: a network
 * namespace with a loopback device, and UDP sockets whose marks stand for the
 * SAs that would have set them. Assertions of cmocka inside.
 */
#ifndef ADIT_TESTS_PEER_MARK_NET_H
#define ADIT_TESTS_PEER_MARK_NET_H

#include <stdbool.h>
#include <stdint.h>

#define SKIPPED 77 /* exit status that automake takes for it */

/* The process moves into a new namespace whose loopback device is up. False:
 * no right to. */
bool mark_net_enter(void);

/* UDP, with this mark and each datagram's told, as the monitor makes them; the
 * second is bound too, port 0: to any. */
int mark_net_socket(uint32_t mark);
int mark_net_bound(const char *address, uint16_t port, uint32_t mark);

#endif
