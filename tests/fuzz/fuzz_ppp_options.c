/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_ppp_options.c: option lists in every packet that has one, for LCP, IPCP
 * and IPV6CP in both roles. First byte: bits 0-1 protocol, bit 2 role, bits
 * 3-4 code - 1; the rest is the list. Checks what is answered: one Ack with
 * the same bytes, or one Nak, or one Reject with options of the list in order.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wr.h"
#include "ppp-glue/engine/link.h"
#include "tests/fuzz/ppp_drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x))                                                      \
			abort();                                               \
	} while (0)

static bool
next_option(struct rd *r, struct rd *ret)
{
	struct rd look = *r;
	uint8_t type, len;

	return rd_u8(&look, &type) && rd_u8(&look, &len) && len >= 2 &&
	    rd_sub(r, len, ret);
}

static void
check_reject(struct rd part, struct rd all)
{
	struct rd a, b;
	bool found;

	CHECK(part.left > 0);
	while (part.left > 0) {
		CHECK(next_option(&part, &a));
		do {
			CHECK(next_option(&all, &b));
			found =
			    a.left == b.left && memcmp(a.p, b.p, a.left) == 0;
		} while (!found);
	}
}

/* an answer to our Configure-Request number 99 */
static int
check_answer(struct rd frame, uint16_t protocol, struct rd list)
{
	struct rd option;
	uint32_t head = 0;
	uint16_t length;
	uint8_t code = 0, id = 0;

	rd_be32(&frame, &head);
	rd_u8(&frame, &code);
	rd_u8(&frame, &id);
	rd_be16(&frame, &length);
	if (head != (0xff030000u | protocol) || code < 2 || code > 4 ||
	    id != 99)
		return 0;
	if (code == 2)
		CHECK(frame.left == list.left &&
		    (list.left == 0 ||
			memcmp(frame.p, list.p, list.left) == 0));
	if (code == 3)
		while (frame.left > 0)
			CHECK(next_option(&frame, &option));
	if (code == 4)
		check_reject(frame, list);
	return 1;
}

static void
drain(struct ppp *p, uint16_t protocol, struct rd list)
{
	struct ppp_effect e;
	int answers = 0;

	while (ppp_next_effect(p, &e))
		if (e.type == PPP_EFFECT_SEND)
			answers += check_answer(e.data, protocol, list);
	CHECK(answers <= 1);
}

static void
run(struct ppp *p, unsigned which, uint8_t code, struct rd list)
{
	static const uint16_t protocol[4] = {LINK_PROTO_LCP, LINK_PROTO_IPCP,
	    LINK_PROTO_IPV6CP, LINK_PROTO_IPCP};
	struct fsm *f = which == 0 ? &p->lcp.fsm
	    : which == 2           ? &p->ipv6cp.ncp.fsm
				   : &p->ipcp.ncp.fsm;
	uint8_t buf[8 + 1500];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be16(&w, 0xff03);
	wr_be16(&w, protocol[which]);
	wr_u8(&w, code);
	wr_u8(&w, code == 1 ? 99 : f->request_id);
	wr_be16(&w, (uint16_t)(4 + list.left));
	wr_bytes(&w, list.p, list.left);
	ppp_input(p, wr_rd(&w), 2000);
	drain(p, protocol[which], list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret password = {.len = 10, .data = "wonderland"};
	struct rd list = rd_init(data, size);
	uint32_t seed = 1;
	uint8_t how = 0;
	struct ppp_config cfg = {.methods = {PPP_AUTH_MSCHAPV2, PPP_AUTH_PAP},
	    .mru = 1400,
	    .ipv6 = true,
	    .user = "alice",
	    .password = &password,
	    .random = ppp_drive_random,
	    .random_ctx = &seed};
	struct ppp_verdict v = {.ipv4_local = {10, 0, 0, 1},
	    .ipv4_peer = {10, 0, 0, 2},
	    .ipv4_dns = {{9, 9, 9, 9}}};
	struct ppp *p;

	rd_u8(&list, &how);
	if (list.left > 1400)
		list.left = 1400;
	cfg.server = (how & 4) == 0;
	p = ppp_new(&cfg, 1000);
	CHECK(p != NULL);
	ppp_start(p, 1000);
	drain(p, 0, list);
	if ((how & 3) != 0) { /* as if LCP and the verdict had been */
		if (cfg.server) {
			ipcp_grant(p, &v);
			ipv6cp_grant(p, &v);
		}
		p->now_ms = 1000;
		link_authenticated(p);
		drain(p, 0, list);
	}
	run(p, how & 3, (uint8_t)(1 + (how >> 3 & 3)), list);
	run(p, how & 3, 1, list);
	ppp_free(p);
	return 0;
}
