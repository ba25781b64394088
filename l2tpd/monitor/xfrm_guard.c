/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xfrm_guard.c: the two blocking policies, and the end of what a killed charon
 * left (contract in xfrm_guard.h), by netlink. Trusts the kernel's answers.
 */
#include "l2tpd/monitor/xfrm_guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdbool.h>
#include <stddef.h>
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

	/* EXCEPTION(rule 6): fields of the kernel's structure */
	if (dir == XFRM_POLICY_IN) {
		sel.dport = htons(L2TP_PORT);
		sel.dport_mask = UINT16_MAX;
	} else {
		/* EXCEPTION(rule 6): as above */
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

/* ---- what a killed charon left ---- */

struct sa_removal {
	struct nlmsghdr head;
	struct xfrm_usersa_id id;
	struct nlattr mark_head; /* only of outbound SAs: inbound ones have */
	struct xfrm_mark mark;   /* no mark of their own, they set one */
};

static void
forget_sa(uint32_t spi, const uint8_t to[4], uint32_t mark)
{
	struct sa_removal r;
	size_t bytes = sizeof(r);

	memset(&r, 0, sizeof(r));
	r.head.nlmsg_type = XFRM_MSG_DELSA;
	r.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	memcpy(&r.id.daddr, to, 4);
	/* EXCEPTION(rule 6): a field of the kernel's structure */
	r.id.spi = htonl(spi);
	r.id.family = AF_INET;
	r.id.proto = IPPROTO_ESP;
	r.mark_head.nla_len = (uint16_t)(sizeof(r.mark_head) + sizeof(r.mark));
	r.mark_head.nla_type = XFRMA_MARK;
	r.mark.v = mark;
	r.mark.m = UINT32_MAX;
	if (mark == 0)
		bytes = offsetof(struct sa_removal, mark_head);
	r.head.nlmsg_len = (uint32_t)bytes;
	exchange(&r, bytes);
}

/* The value of the message's mark; 0: none. attributes: behind the policy. */
static uint32_t
mark_of(const uint8_t *attributes, size_t bytes)
{
	struct nlattr a;
	uint32_t value;
	size_t step;

	while (bytes >= sizeof(a)) {
		memcpy(&a, attributes, sizeof(a));
		step = (size_t)NLA_ALIGN((int)a.nla_len);
		if (a.nla_len < sizeof(a) || a.nla_len > bytes)
			return 0;
		if (a.nla_type == XFRMA_MARK &&
		    a.nla_len >= sizeof(a) + sizeof(struct xfrm_mark)) {
			memcpy(&value, attributes + sizeof(a), sizeof(value));
			return value;
		}
		if (step >= bytes)
			return 0;
		attributes += step;
		bytes -= step;
	}
	return 0;
}

static bool
is_forgotten(const struct xfrm_userpolicy_info *p, const struct priv_forget *f)
{
	const xfrm_address_t *device =
	    p->dir == XFRM_POLICY_IN ? &p->sel.saddr : &p->sel.daddr;

	return p->sel.family == AF_INET && p->sel.proto == IPPROTO_UDP &&
	    p->dir <= XFRM_POLICY_OUT && memcmp(device, f->peer, 4) == 0;
}

#define FORGET_MAX 16 /* of one association: a handful */

struct found {
	struct {
		uint32_t index;
		uint8_t dir;
	} at[FORGET_MAX];
	size_t count;
};

/* False: that was the last message. */
static bool
look(const uint8_t *p, size_t bytes, const struct priv_forget *f,
    struct found *ret)
{
	struct xfrm_userpolicy_info policy;
	const size_t at = NLMSG_LENGTH(0), behind = at + sizeof(policy);
	struct nlmsghdr head;
	size_t step;

	while (bytes >= sizeof(head)) {
		memcpy(&head, p, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > bytes ||
		    head.nlmsg_type != XFRM_MSG_NEWPOLICY)
			return false;
		if (head.nlmsg_len >= behind) {
			memcpy(&policy, p + at, sizeof(policy));
			if (is_forgotten(&policy, f) &&
			    mark_of(p + behind, head.nlmsg_len - behind) ==
				f->mark &&
			    ret->count < FORGET_MAX) {
				ret->at[ret->count].index = policy.index;
				ret->at[ret->count++].dir = policy.dir;
			}
		}
		step = NLMSG_ALIGN((size_t)head.nlmsg_len);
		if (step >= bytes)
			return true;
		p += step;
		bytes -= step;
	}
	return true;
}

static void
find_policies(const struct priv_forget *f, struct found *ret)
{
	const struct nlmsghdr ask = {.nlmsg_len = sizeof(ask),
	    .nlmsg_type = XFRM_MSG_GETPOLICY,
	    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP};
	static uint8_t buf[32768];
	ssize_t n;
	int fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	if (fd < 0)
		return;
	n = send(fd, &ask, sizeof(ask), 0);
	while (n > 0 && (n = recv(fd, buf, sizeof(buf), 0)) > 0)
		if (!look(buf, (size_t)n, f, ret))
			break;
	close(fd);
}

struct policy_removal {
	struct nlmsghdr head;
	struct xfrm_userpolicy_id id;
	struct nlattr mark_head;
	struct xfrm_mark mark;
};

static void
forget_policies(const struct priv_forget *f)
{
	struct policy_removal r;
	struct found found = {.count = 0};
	size_t i;

	find_policies(f, &found);
	for (i = 0; i < found.count; i++) {
		memset(&r, 0, sizeof(r));
		r.head.nlmsg_len = sizeof(r);
		r.head.nlmsg_type = XFRM_MSG_DELPOLICY;
		r.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
		r.id.index = found.at[i].index;
		r.id.dir = found.at[i].dir;
		r.mark_head.nla_len =
		    (uint16_t)(sizeof(r.mark_head) + sizeof(r.mark));
		r.mark_head.nla_type = XFRMA_MARK;
		r.mark.v = f->mark;
		r.mark.m = UINT32_MAX;
		exchange(&r, sizeof(r));
	}
}

void
xfrm_forget(const struct priv_forget *f)
{
	if (f->spi_in != 0)
		forget_sa(f->spi_in, f->local, 0);
	if (f->spi_out != 0)
		forget_sa(f->spi_out, f->peer, f->mark);
	if (f->policies)
		forget_policies(f);
}
