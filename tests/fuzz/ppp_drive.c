/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ppp_drive.c: see ppp_drive.h. Test code: it aborts. */
#include <stdlib.h>
#include <string.h>

#include "base/wr.h"
#include "tests/fuzz/ppp_drive.h"

#define FRAME_MAX 1504
#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x))                                                      \
			abort();                                               \
	} while (0)

struct drive {
	const struct ppp_config *cfg;
	struct ppp *ppp;
	uint64_t now_ms;
	bool asked, accepted, up4, up6, over;
	/* the last Configure-Requests, Challenge, Response that it sent */
	uint8_t request[3][FRAME_MAX], chap[2][FRAME_MAX];
	size_t request_bytes[3], chap_bytes[2];
};

static const uint16_t ncp[3] = {0xc021, 0x8021, 0x8057};

void
ppp_drive_random(void *ctx, void *p, size_t n)
{
	uint32_t *s = ctx;
	uint8_t *b = p;

	while (n-- > 0) {
		*s = *s * 1103515245u + 12345u;
		*b++ = (uint8_t)(*s >> 16);
	}
}

static void
sent(struct drive *d, struct rd frame)
{
	struct rd r = frame;
	uint16_t ff03, protocol, length;
	uint8_t code, id;
	int i;

	CHECK(frame.left <= FRAME_MAX);
	CHECK(rd_be16(&r, &ff03) && ff03 == 0xff03);
	CHECK(rd_be16(&r, &protocol) && rd_u8(&r, &code) && rd_u8(&r, &id));
	CHECK(rd_be16(&r, &length) && length == r.left + 4);
	for (i = 0; i < 3; i++) {
		if (protocol != ncp[i] || code != 1)
			continue;
		memcpy(d->request[i], frame.p, frame.left);
		d->request_bytes[i] = frame.left;
	}
	if (protocol == 0xc223 && (code == 1 || code == 2)) {
		memcpy(d->chap[code - 1], frame.p, frame.left);
		d->chap_bytes[code - 1] = frame.left;
	}
	/* a challenge: all is open again */
	if (protocol == 0xc223 && code == 1)
		d->accepted = false;
	/* a server's NCPs say nothing before the verdict */
	if (d->cfg->server && (protocol == 0x8021 || protocol == 0x8057))
		CHECK(d->accepted);
	/* a server never answers a challenge and never asks for PAP */
	if (d->cfg->server)
		CHECK(!(protocol == 0xc223 && code == 2) &&
		    !(protocol == 0xc023 && code == 1));
}

static void
asked(struct drive *d, const struct ppp_ask *a)
{
	volatile uint8_t touch = 0;
	size_t i;

	CHECK(d->cfg->server && a->serial != 0);
	CHECK(a->name.left <= PPP_NAME_MAX);
	CHECK(a->method != PPP_AUTH_MSCHAPV2 || a->response.left == 49);
	CHECK(a->method != PPP_AUTH_CHAP_MD5 || a->response.left == 16);
	CHECK(a->method == PPP_AUTH_PAP || a->challenge.left == 16);
	for (i = 0; i < a->name.left; i++)
		touch = touch ^ a->name.p[i];
	for (i = 0; i < a->response.left; i++)
		touch = touch ^ a->response.p[i];
	d->asked = true;
	d->accepted = false;
}

static void
drain(struct drive *d)
{
	struct ppp_effect e;
	unsigned n = 0;

	while (ppp_next_effect(d->ppp, &e)) {
		CHECK(!d->over && ++n <= 24);
		switch (e.type) {
		case PPP_EFFECT_SEND:
			sent(d, e.data);
			break;
		case PPP_EFFECT_ASK:
			asked(d, &e.ask);
			break;
		case PPP_EFFECT_IPV4_UP:
			CHECK(!d->up4 && (d->accepted || !d->cfg->server));
			d->up4 = true;
			break;
		case PPP_EFFECT_IPV4_DOWN:
			CHECK(d->up4);
			d->up4 = false;
			break;
		case PPP_EFFECT_IPV6_UP:
			CHECK(!d->up6 && (d->accepted || !d->cfg->server));
			CHECK(memcmp(e.ifid_local, e.ifid_peer, 8) != 0);
			d->up6 = true;
			break;
		case PPP_EFFECT_IPV6_DOWN:
			CHECK(d->up6);
			d->up6 = false;
			break;
		case PPP_EFFECT_AUTHENTICATED:
			CHECK(!d->cfg->server);
			break;
		case PPP_EFFECT_DOWN:
			CHECK(e.why != NULL && !d->up4 && !d->up6);
			d->over = true;
			break;
		}
	}
	CHECK(d->over || d->up4 == ppp_ipv4_is_up(d->ppp));
	CHECK(d->over || d->up6 == ppp_ipv6_is_up(d->ppp));
	/* every link ends by itself, unless it is of use: a peer that knows no
	 * echoes has no timer then */
	CHECK(!d->over || ppp_deadline(d->ppp) == UINT64_MAX);
	CHECK(
	    d->over || d->up4 || d->up6 || ppp_deadline(d->ppp) != UINT64_MAX);
}

static void
frame_in(struct drive *d, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);

	CHECK(copy != NULL);
	if (n > 0)
		memcpy(copy, p, n);
	ppp_input(d->ppp, rd_init(copy, n), d->now_ms);
	free(copy);
	drain(d);
}

static void
verdict(struct drive *d, uint8_t how)
{
	static const char text[] = "S=0123 M=welcome";
	struct ppp_verdict v = {.accept = how & 1,
	    .message = rd_init(text, sizeof(text) - 1),
	    .ipv4_local = {10, 0, 0, 1},
	    .ipv4_peer = {10, 0, 0, 2},
	    .ipv4_dns = {{9, 9, 9, 9}}};

	if (how & 2)
		memset(v.ipv4_peer, 0, 4);
	if (how & 4)
		memset(v.ipv4_dns, 0, 8);
	if (how & 8)
		v.ifid_peer[7] = 9;
	if (ppp_verdict(d->ppp, &v, d->now_ms) == 0) {
		CHECK(d->asked);
		d->accepted = v.accept;
		d->asked = false;
	}
	drain(d);
}

static void
help(struct drive *d, uint8_t how)
{
	static const char s[] = "S=0000000000000000000000000000000000000000";
	uint8_t buf[FRAME_MAX] = {0};
	struct wr w = wr_init(buf, sizeof(buf));

	if (how < 3 && d->request_bytes[how] > 0) {
		memcpy(buf, d->request[how], d->request_bytes[how]);
		buf[4] = 2;
		frame_in(d, buf, d->request_bytes[how]);
	} else if (how == 3 && d->chap_bytes[0] > 0) {
		wr_be32(&w, 0xff03c223);
		wr_u8(&w, 2);
		wr_u8(&w, d->chap[0][5]);
		wr_be16(&w, 4 + 1 + 49 + 5);
		wr_u8(&w, 49);
		wr_zero(&w, 49);
		wr_bytes(&w, "alice", 5);
		frame_in(d, buf, w.len);
	} else if (how == 4 && d->chap_bytes[1] > 0) {
		wr_be32(&w, 0xff03c223);
		wr_u8(&w, 3);
		wr_u8(&w, d->chap[1][5]);
		wr_be16(&w, 4 + sizeof(s) - 1);
		wr_bytes(&w, s, sizeof(s) - 1);
		frame_in(d, buf, w.len);
	}
}

static void
time_passes(struct drive *d, uint64_t ms)
{
	uint64_t end = d->now_ms + ms, next;

	while ((next = ppp_deadline(d->ppp)) <= end) {
		d->now_ms = next > d->now_ms ? next : d->now_ms;
		ppp_tick(d->ppp, d->now_ms);
		drain(d);
		CHECK(ppp_deadline(d->ppp) > d->now_ms);
	}
	d->now_ms = end;
}

static bool
record(struct drive *d, struct rd *in)
{
	uint8_t buf[2 + 2048] = {0xff, 0x03};
	struct rd frame;
	uint16_t n;
	uint8_t op, arg;

	if (!rd_u8(in, &op))
		return false;
	switch (op % 8) {
	case 4:
		if (!rd_be16(in, &n))
			return false;
		time_passes(d, (uint64_t)n * 16);
		return true;
	case 5:
		if (!rd_u8(in, &arg))
			return false;
		verdict(d, arg);
		return true;
	case 6:
		if (!rd_u8(in, &arg))
			return false;
		if (arg == 0)
			ppp_note_data(d->ppp, d->now_ms);
		else if (arg == 1)
			ppp_close(d->ppp, "fuzz", d->now_ms);
		else if (rd_sub(in, arg, &frame))
			frame_in(d, frame.p, frame.left);
		drain(d);
		return true;
	case 7:
		if (!rd_u8(in, &arg))
			return false;
		help(d, arg);
		return true;
	default:
		if (!rd_be16(in, &n))
			return false;
		n %= 2048;
		if (n > in->left)
			n = (uint16_t)in->left;
		rd_bytes(in, buf + 2, n);
		frame_in(d, buf, 2 + (size_t)n);
		return true;
	}
}

void
ppp_drive(const struct ppp_config *cfg, struct rd input)
{
	static struct drive d;
	unsigned records = 0;

	memset(&d, 0, sizeof(d));
	d.cfg = cfg;
	d.now_ms = 1000;
	d.ppp = ppp_new(cfg, d.now_ms);
	CHECK(d.ppp != NULL);
	ppp_start(d.ppp, d.now_ms);
	drain(&d);
	while (records++ < 200 && record(&d, &input))
		;
	ppp_close(d.ppp, "end", d.now_ms);
	drain(&d);
	time_passes(&d, 60000); /* two Terminate-Requests, then it is over */
	CHECK(d.over);
	ppp_free(d.ppp);
}
