/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer.h: how the kernel brings a packet to its worker: classic BPF at the
 * sockets, by SPI, and maps for the program at the TUN device, by inner
 * destination. The charon plugin gives all SPIs of one client the same last
 * byte.
 */
#ifndef ADIT_PLANE_USER_STEER_H
#define ADIT_PLANE_USER_STEER_H

#include <stddef.h>
#include <stdint.h>

#include "base/network.h"

#define STEER_SPI_MASK 0xff /* of the SPI, RFC 4303 2.1 */

/* The worker of an inbound SPI. */
static inline uint8_t
steer_by_spi(uint32_t spi, size_t n_workers)
{
	return (uint8_t)((spi & STEER_SPI_MASK) % n_workers);
}

/* All sockets of the SO_REUSEPORT group that fd is in: ESP by its SPI, IKE and
 * the rest to the first. 0; -errno. */
int steer_udp(int fd, size_t n_workers);
/* A raw socket gets a copy of everything: only what is worker's. 0; -errno. */
int steer_raw(int fd, size_t n_workers, uint8_t worker);

/* Of the program at the TUN device; -1: not there. */
struct steer_maps {
	int addresses_fd, networks_fd;
};

/* Keys of the map of addresses: an IPv4 address, or the first 8 bytes of an
 * IPv6 one; its values are queues, uint32_t. */
uint64_t steer_key_ipv4(const uint8_t address[4]);
uint64_t steer_key_ipv6(const uint8_t prefix[8]);
/* map_fd -1: nothing to do. 0; -errno. */
int steer_tun_set(int map_fd, uint64_t key, uint32_t queue);
int steer_tun_unset(int map_fd, uint64_t key);
/* The same in the map of networks, where a packet that is for none of those
 * addresses is looked up. */
int steer_tun_set_network(
    int map_fd, const struct ipv4_network *n, uint32_t queue);
int steer_tun_unset_network(int map_fd, const struct ipv4_network *n);
/* No program any more at the device. */
void steer_tun_off(int tun_fd);

#endif
