/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xfrm_guard.c: the two blocking policies (contract in xfrm_guard.h), by
 * netlink. Trusts the kernel's answers.
 */
#include "l2tpd/monitor/xfrm_guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define L2TP_PORT      1701
#define LEAST_PRIORITY UINT32_MAX

struct update {
	struct nlmsghdr head;
	struct xfrm_userpolicy_info policy;
};

struct removal {
	struct nlmsghdr head;
	struct xfrm_userpolicy_id id;
};

/* Our port, on whichever side the direction has it; any peer. */
static struct xfrm_selector
selector(uint8_t dir)
{
	struct xfrm_selector sel = {
	    .family = AF_INET,
	    .proto = IPPROTO_UDP,
	};

	if (dir == XFRM_POLICY_IN) {
		sel.dport = htons(L2TP_PORT);
		sel.dport_mask = UINT16_MAX;
	} else {
		sel.sport = htons(L2TP_PORT);
		sel.sport_mask = UINT16_MAX;
	}
	return sel;
}

/* Sends one message and reads its acknowledgement. */
static int
exchange(const void *message, size_t bytes)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} answer;
	ssize_t n;
	int fd, rc;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	if (fd < 0)
		return -errno;
	n = send(fd, message, bytes, 0);
	if (n >= 0)
		n = recv(fd, &answer, sizeof(answer), 0);
	rc = n < 0 ? -errno : 0;
	close(fd);
	if (rc < 0)
		return rc;
	if (n < (ssize_t)sizeof(answer) ||
	    answer.head.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}

static int
set_one(uint8_t dir)
{
	struct update u;

	memset(&u, 0, sizeof(u));
	u.head.nlmsg_len = sizeof(u);
	u.head.nlmsg_type = XFRM_MSG_UPDPOLICY;
	u.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	u.policy.sel = selector(dir);
	u.policy.lft.soft_byte_limit = u.policy.lft.hard_byte_limit =
	    u.policy.lft.soft_packet_limit = u.policy.lft.hard_packet_limit =
		XFRM_INF;
	u.policy.priority = LEAST_PRIORITY;
	u.policy.dir = dir;
	u.policy.action = XFRM_POLICY_BLOCK;
	u.policy.share = XFRM_SHARE_ANY;
	return exchange(&u, sizeof(u));
}

static int
remove_one(uint8_t dir)
{
	struct removal r;

	memset(&r, 0, sizeof(r));
	r.head.nlmsg_len = sizeof(r);
	r.head.nlmsg_type = XFRM_MSG_DELPOLICY;
	r.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	r.id.sel = selector(dir);
	r.id.dir = dir;
	return exchange(&r, sizeof(r));
}

int
xfrm_guard_set(void)
{
	int rc = set_one(XFRM_POLICY_IN);

	return rc < 0 ? rc : set_one(XFRM_POLICY_OUT);
}

void
xfrm_guard_remove(void)
{
	remove_one(XFRM_POLICY_IN);
	remove_one(XFRM_POLICY_OUT);
}
