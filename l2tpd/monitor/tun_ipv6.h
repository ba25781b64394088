/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tun_ipv6.h: IPv6 at a server's TUN device: our address on every link,
 * fe80::1, and the route to the clients' prefixes.
 */
#ifndef ADIT_MONITOR_TUN_IPV6_H
#define ADIT_MONITOR_TUN_IPV6_H

#include "l2tpd/conf/conf.h"

/* The device is there and up. 0 or -errno. */
int tun_ipv6_configure(const struct adit_conf *c);

#endif
