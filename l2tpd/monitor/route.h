/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * route.h: addresses and routes of the kernel, as far as a client needs them,
 * or a server for the networks behind its clients.
 * Called by the monitor, with CAP_NET_ADMIN. Everything returns 0 or -errno and
 * logs nothing. IPv4, main table.
 */
#ifndef ADIT_MONITOR_ROUTE_H
#define ADIT_MONITOR_ROUTE_H

#include <stdint.h>

#include "l2tpd/conf/conf.h"

#define ROUTE_DEV_MAX 16 /* IFNAMSIZ */

/* Where packets to an address leave this machine. */
struct route_hop {
	uint8_t gateway[4]; /* 0.0.0.0: the address is on the link itself */
	char dev[ROUTE_DEV_MAX];
};

/* A device of this machine, but not the one called except, that has an address
 * whose network overlaps n. -ENOENT: there is none. */
int route_find_link(const struct ipv4_network *n, const char *except,
    char ret_dev[ROUTE_DEV_MAX]);
/* How the kernel would send to address now. -ENETUNREACH: it would not. */
int route_find(const uint8_t address[4], struct route_hop *ret);
/* -EEXIST: there is one. */
int route_add(const struct ipv4_network *to, const struct route_hop *by);
/* Into a device, and only where no other route to the same network is: -EEXIST
 * (route_add() goes in front of one that has another way). -ENODEV. */
int route_add_new(const struct ipv4_network *to, const char *dev);
/* -ESRCH: there is none. */
int route_del(const struct ipv4_network *to, const struct route_hop *by);

/* The one address of a point-to-point device and its peer's (0.0.0.0: none).
 * local 0.0.0.0 takes the address away, and with it all routes to dev. */
int address_set(const char *dev, const uint8_t local[4], const uint8_t peer[4]);

#endif
