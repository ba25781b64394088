/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats.c: counters of one interface by netlink (RTM_GETSTATS, Linux 4.7; see
 * stats.h). Asks for one interface, so a read costs the same with one session
 * and with thousands; /proc/net/dev would list all of them. Trusts the kernel,
 * but not that the answer is the one that was expected. Netlink is in the
 * machine's own byte order, so it is copied into structures, not read by
 * cursors.
 */
#include "ppp-glue/pppd-plugin/stats.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct question {
	struct nlmsghdr header;
	struct if_stats_msg body;
};

#define ATTRIBUTES_AT (NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct if_stats_msg)))

static bool
ask_kernel(int fd, unsigned index)
{
	struct question q = {
	    .header = {.nlmsg_len = sizeof(q),
		.nlmsg_type = RTM_GETSTATS,
		.nlmsg_flags = NLM_F_REQUEST},
	    .body = {.family = AF_UNSPEC,
		.ifindex = index,
		.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)},
	};

	return send(fd, &q, sizeof(q), MSG_NOSIGNAL) == (ssize_t)sizeof(q);
}

/* The attribute of that type in the answer; it may have padding before it. */
static bool
find(const uint8_t *answer, size_t bytes, struct rtnl_link_stats64 *ret)
{
	struct nlmsghdr h;
	struct rtattr a;
	size_t at = ATTRIBUTES_AT;

	if (bytes < at)
		return false;
	memcpy(&h, answer, sizeof(h));
	if (h.nlmsg_type != RTM_NEWSTATS)
		return false;
	while (at + sizeof(a) <= bytes) {
		memcpy(&a, answer + at, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > bytes - at)
			return false;
		/* it grows at its end with new kernels */
		if (a.rta_type == IFLA_STATS_LINK_64 &&
		    a.rta_len >= RTA_LENGTH(4 * sizeof(uint64_t))) {
			size_t n = a.rta_len - RTA_LENGTH(0);

			memcpy(ret, answer + at + RTA_LENGTH(0),
			    n < sizeof(*ret) ? n : sizeof(*ret));
			return true;
		}
		at += RTA_ALIGN(a.rta_len);
	}
	return false;
}

bool
stats_read(const char *interface, struct link_use *ret)
{
	const struct timeval limit = {.tv_sec = 1};
	struct rtnl_link_stats64 s = {.rx_bytes = 0};
	unsigned index = if_nametoindex(interface);
	uint8_t answer[1024];
	bool ok = false;
	ssize_t n;
	int fd;

	if (index == 0)
		return false;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!ask_kernel(fd, index))
		goto out;
	n = recv(fd, answer, sizeof(answer), 0);
	if (n <= 0 || !find(answer, (size_t)n, &s))
		goto out;
	*ret = (struct link_use){.bytes_in = s.rx_bytes,
	    .bytes_out = s.tx_bytes,
	    .packets_in = s.rx_packets,
	    .packets_out = s.tx_packets};
	ok = true;
out:
	close(fd);
	return ok;
}
