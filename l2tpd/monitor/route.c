/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * route.c: addresses and routes (contract in route.h): ioctls to set, netlink
 * to ask, and where a route must not be pushed in front of another. Trusts the
 * kernel's answers; its caller has checked the addresses.
 */
#include "l2tpd/monitor/route.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void
put_sockaddr(struct sockaddr *to, const uint8_t address[4])
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	memcpy(&sin.sin_addr, address, 4);
	memcpy(to, &sin, sizeof(sin));
}

static int
control(unsigned long request, void *argument)
{
	int fd, rc;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = ioctl(fd, request, argument) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

/* ---- asking (RTM_GETROUTE) ---- */

struct question {
	struct nlmsghdr head;
	struct rtmsg route;
	struct rtattr attribute;
	uint8_t address[4];
};

union answer {
	struct nlmsghdr head; /* alignment */
	uint8_t bytes[4096];
};

/* 0: *ret_n bytes came back. */
static int
exchange(const void *question, size_t n, union answer *ret, size_t *ret_n)
{
	ssize_t got;
	int fd, rc;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	got = send(fd, question, n, 0);
	if (got >= 0)
		got = recv(fd, ret, sizeof(*ret), 0);
	rc = got < 0 ? -errno : 0;
	close(fd);
	if (rc == 0)
		*ret_n = (size_t)got;
	return rc;
}

/* The attributes behind the head of a route message. */
static void
read_attributes(const uint8_t *p, size_t len, struct route_hop *ret_hop,
    unsigned int *ret_index)
{
	struct rtattr at;
	size_t n;

	while (len >= sizeof(at)) {
		memcpy(&at, p, sizeof(at));
		if (at.rta_len < sizeof(at) || at.rta_len > len)
			return;
		n = at.rta_len - sizeof(at);
		if (at.rta_type == RTA_GATEWAY && n == 4)
			memcpy(ret_hop->gateway, p + sizeof(at), 4);
		if (at.rta_type == RTA_OIF && n == sizeof(*ret_index))
			memcpy(ret_index, p + sizeof(at), n);
		n = RTA_ALIGN((size_t)at.rta_len);
		if (n > len)
			return;
		p += n;
		len -= n;
	}
}

/* 1: a route; 0: done; -errno. */
static int
read_head(const union answer *a, size_t len, struct rtmsg *ret)
{
	int err;

	if (len < NLMSG_LENGTH(sizeof(err)) || a->head.nlmsg_len > len)
		return -EPROTO;
	if (a->head.nlmsg_type == NLMSG_ERROR) {
		memcpy(&err, a->bytes + NLMSG_HDRLEN, sizeof(err));
		return err < 0 ? err : 0;
	}
	if (a->head.nlmsg_type != RTM_NEWROUTE ||
	    a->head.nlmsg_len < NLMSG_LENGTH(sizeof(*ret)))
		return -EPROTO;
	memcpy(ret, a->bytes + NLMSG_HDRLEN, sizeof(*ret));
	return 1;
}

static int
read_answer(const union answer *a, size_t len, struct route_hop *ret)
{
	const size_t front = NLMSG_LENGTH(sizeof(struct rtmsg));
	struct route_hop hop = {{0}, ""};
	unsigned int index = 0;
	struct rtmsg route;
	int rc;

	rc = read_head(a, len, &route);
	if (rc <= 0)
		return rc < 0 ? rc : -EPROTO;
	if (route.rtm_type != RTN_UNICAST)
		return -ENETUNREACH; /* ourselves, or forbidden */
	read_attributes(
	    a->bytes + front, a->head.nlmsg_len - front, &hop, &index);
	if (if_indextoname(index, hop.dev) == NULL)
		return -ENETUNREACH;
	*ret = hop;
	return 0;
}

/* flags: RTM_F_FIB_MATCH: the route itself, not what it makes of the address */
static int
ask(const uint8_t address[4], unsigned int flags, union answer *ret,
    size_t *ret_n)
{
	struct question q = {
	    .head = {.nlmsg_len = sizeof(q),
		.nlmsg_type = RTM_GETROUTE,
		.nlmsg_flags = NLM_F_REQUEST},
	    .route = {.rtm_family = AF_INET,
		.rtm_dst_len = 32,
		.rtm_flags = flags},
	    .attribute = {.rta_len = RTA_LENGTH(4), .rta_type = RTA_DST},
	};

	memcpy(q.address, address, 4);
	return exchange(&q, sizeof(q), ret, ret_n);
}

int
route_find(const uint8_t address[4], struct route_hop *ret)
{
	union answer a;
	size_t n;
	int rc;

	rc = ask(address, 0, &a, &n);
	return rc < 0 ? rc : read_answer(&a, n, ret);
}

/* Does a route to exactly this network lead away from here, whatever its
 * metric? */
static bool
is_routed(const struct ipv4_network *to)
{
	struct rtmsg route;
	union answer a;
	size_t n;

	return ask(to->net, RTM_F_FIB_MATCH, &a, &n) == 0 &&
	    read_head(&a, n, &route) == 1 && route.rtm_dst_len == to->bits;
}

static bool
read_ipv4(const struct sockaddr *from, uint8_t ret[4])
{
	struct sockaddr_in sin;

	if (from == NULL || from->sa_family != AF_INET)
		return false;
	memcpy(&sin, from, sizeof(sin));
	memcpy(ret, &sin.sin_addr, 4);
	return true;
}

/* The network of an address at a device. */
static bool
read_network(const struct ifaddrs *a, struct ipv4_network *ret)
{
	uint8_t mask[4];

	if (!read_ipv4(a->ifa_addr, ret->net) ||
	    !read_ipv4(a->ifa_netmask, mask))
		return false;
	ret->bits = (uint8_t)__builtin_popcount(ipv4_number(mask));
	for (int i = 0; i < 4; i++)
		ret->net[i] &= mask[i];
	return true;
}

int
route_find_link(const struct ipv4_network *n, const char *except,
    char ret_dev[ROUTE_DEV_MAX])
{
	struct ifaddrs *all, *a;
	struct ipv4_network own;
	int rc = -ENOENT;

	if (getifaddrs(&all) < 0)
		return -errno;
	for (a = all; a != NULL && rc != 0; a = a->ifa_next) {
		if (strcmp(a->ifa_name, except) == 0 ||
		    !read_network(a, &own) || !ipv4_network_overlaps(n, &own))
			continue;
		strncpy(ret_dev, a->ifa_name, ROUTE_DEV_MAX - 1);
		ret_dev[ROUTE_DEV_MAX - 1] = '\0';
		rc = 0;
	}
	freeifaddrs(all);
	return rc;
}

/* ---- setting ---- */

static int
change(unsigned long request, const struct ipv4_network *to,
    const struct route_hop *by)
{
	static const uint8_t none[4];
	char dev[ROUTE_DEV_MAX];
	struct rtentry rt;
	uint8_t mask[4];
	int i;

	memset(&rt, 0, sizeof(rt));
	memset(mask, 0, sizeof(mask));
	for (i = 0; i < to->bits; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	put_sockaddr(&rt.rt_dst, to->net);
	put_sockaddr(&rt.rt_genmask, mask);
	rt.rt_flags = RTF_UP;
	if (to->bits == 32)
		rt.rt_flags |= RTF_HOST;
	if (memcmp(by->gateway, none, 4) != 0) {
		put_sockaddr(&rt.rt_gateway, by->gateway);
		rt.rt_flags |= RTF_GATEWAY;
	}
	memcpy(dev, by->dev, sizeof(dev));
	rt.rt_dev = dev;
	return control(request, &rt);
}

int
route_add(const struct ipv4_network *to, const struct route_hop *by)
{
	return change(SIOCADDRT, to, by);
}

struct addition {
	struct nlmsghdr head;
	struct rtmsg route;
	struct rtattr dst_head;
	uint8_t dst[4];
	struct rtattr dev_head;
	uint32_t dev;
};

int
route_add_new(const struct ipv4_network *to, const char *dev)
{
	struct addition add = {
	    .head = {.nlmsg_len = sizeof(add),
		.nlmsg_type = RTM_NEWROUTE,
		.nlmsg_flags =
		    NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
	    .route = {.rtm_family = AF_INET,
		.rtm_dst_len = to->bits,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST},
	    .dst_head = {.rta_len = RTA_LENGTH(4), .rta_type = RTA_DST},
	    .dev_head = {.rta_len = RTA_LENGTH(4), .rta_type = RTA_OIF},
	    .dev = if_nametoindex(dev),
	};
	struct rtmsg unused;
	union answer a;
	size_t n;
	int rc;

	if (add.dev == 0)
		return -ENODEV;
	/* EXCL knows those of the same metric, the question all others */
	if (is_routed(to))
		return -EEXIST;
	memcpy(add.dst, to->net, sizeof(add.dst));
	rc = exchange(&add, sizeof(add), &a, &n);
	return rc < 0 ? rc : read_head(&a, n, &unused);
}

int
route_del(const struct ipv4_network *to, const struct route_hop *by)
{
	return change(SIOCDELRT, to, by);
}

static int
interface(const char *dev, unsigned long request, const uint8_t address[4])
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	strncpy(ifr.ifr_name, dev, sizeof(ifr.ifr_name) - 1);
	put_sockaddr(&ifr.ifr_addr, address);
	return control(request, &ifr);
}

int
address_set(const char *dev, const uint8_t local[4], const uint8_t peer[4])
{
	static const uint8_t none[4], host[4] = {255, 255, 255, 255};
	int rc;

	rc = interface(dev, SIOCSIFADDR, local);
	if (memcmp(local, none, 4) == 0)
		return rc;
	if (rc == 0)
		rc = interface(dev, SIOCSIFNETMASK, host);
	if (rc == 0 && memcmp(peer, none, 4) != 0)
		rc = interface(dev, SIOCSIFDSTADDR, peer);
	return rc;
}
