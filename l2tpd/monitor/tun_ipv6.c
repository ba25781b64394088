/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tun_ipv6.c: IPv6 at the TUN device (contract in tun_ipv6.h). Runs in the
 * monitor, as root. Address and route end with the device.
 */
#include "l2tpd/monitor/tun_ipv6.h"

#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's struct in6_ifreq (linux/ipv6.h). */
struct address {
	struct in6_addr address;
	uint32_t prefix_bits;
	int interface;
};

static int
set_address(int ctl, int interface)
{
	struct address a = {.prefix_bits = 64, .interface = interface};

	a.address.s6_addr[0] = 0xfe;
	a.address.s6_addr[1] = 0x80;
	a.address.s6_addr[15] = 1;
	return ioctl(ctl, SIOCSIFADDR, &a) < 0 && errno != EEXIST ? -errno : 0;
}

static int
add_route(int ctl, int interface, const struct adit_conf *c)
{
	struct in6_rtmsg r;

	memset(&r, 0, sizeof(r));
	memcpy(&r.rtmsg_dst, c->pool_net6, sizeof(c->pool_net6));
	r.rtmsg_dst_len = c->pool_bits6;
	r.rtmsg_metric = 1024;
	r.rtmsg_flags = RTF_UP;
	r.rtmsg_ifindex = interface;
	return ioctl(ctl, SIOCADDRT, &r) < 0 && errno != EEXIST ? -errno : 0;
}

int
tun_ipv6_configure(const struct adit_conf *c)
{
	int interface = (int)if_nametoindex(c->tun_name), ctl, rc;

	if (interface == 0)
		return -errno;
	ctl = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ctl < 0)
		return -errno;
	rc = set_address(ctl, interface);
	if (rc == 0)
		rc = add_route(ctl, interface, c);
	close(ctl);
	return rc;
}
