/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_link_msg.c: what a PPP process and the engine say to each other. By
 * round_trip.h.
 */
#include "base/link_msg.h"
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union message {
	struct link_hello hello;
	struct link_ask ask;
	struct link_verdict verdict;
	struct link_ipv4 ipv4;
	struct link_ipv6 ipv6;
	struct link_use use;
	struct link_end end;
};

static bool
round_trip(uint8_t type, struct rd *r, struct wr *w)
{
	union message message, *m = &message;

	memset(m, 0, sizeof(*m));
	switch (type) {
	case LINK_MSG_HELLO:
		return link_msg_get_hello(r, &m->hello) &&
		    link_msg_put_hello(w, &m->hello);
	case LINK_MSG_ASK:
		return link_msg_get_ask(r, &m->ask) &&
		    link_msg_put_ask(w, &m->ask);
	case LINK_MSG_VERDICT:
		return link_msg_get_verdict(r, &m->verdict) &&
		    link_msg_put_verdict(w, &m->verdict);
	case LINK_MSG_IPV4_UP:
		return link_msg_get_ipv4(r, &m->ipv4) &&
		    link_msg_put_ipv4(w, &m->ipv4);
	case LINK_MSG_IPV6_UP:
		return link_msg_get_ipv6(r, &m->ipv6) &&
		    link_msg_put_ipv6(w, &m->ipv6);
	case LINK_MSG_IPV4_DOWN:
	case LINK_MSG_USE:
		return link_msg_get_use(r, &m->use) &&
		    link_msg_put_use(w, &m->use);
	case LINK_MSG_END:
		return link_msg_get_end(r, &m->end) &&
		    link_msg_put_end(w, &m->end);
	default:
		return rd_fail(r, "not a message with fields");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_round_trip(data, size, round_trip);
}
