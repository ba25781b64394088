/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_socket.h: what clients ask on the link, in the kernel plane: packets
 * to the DHCP port that come out of the interfaces of pppds.
 */
#ifndef ADIT_MONITOR_SERVICE_SOCKET_H
#define ADIT_MONITOR_SERVICE_SOCKET_H

#include <stdint.h>

/* An AF_PACKET socket (SOCK_DGRAM, IPv4) that gets copies of packets to UDP
 * port 67 from all interfaces of this hardware type (ARPHRD_PPP; another one in
 * tests), and of nothing else. -errno. Needs CAP_NET_RAW; who sends through it
 * needs no right. */
int service_socket_open(uint16_t hardware_type);

#endif
