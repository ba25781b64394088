/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ppp_pair.c: the bench of ppp_pair.h. Test code: it may abort. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wr.h"
#include "ppp-glue/engine/mschap.h"
#include "tests/peer/ppp_pair.h"

static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 32);
}

static void
seeded(void *ctx, void *p, size_t n)
{
	uint8_t *b = p;

	while (n-- > 0)
		*b++ = (uint8_t)next_random(ctx);
}

void
pair_init(struct pair *p, uint64_t seed, bool alone)
{
	struct pair_end *e;
	int i;

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	p->alone = alone;
	p->now_ms = 1000;
	p->delay_ms = 10;
	for (i = 0; i < 2; i++) {
		e = &p->end[i];
		e->seed = seed + 17 + (unsigned)i;
		secret_set(&e->password, "wonderland", 10);
		e->cfg = (struct ppp_config){.server = i == 0,
		    .methods = {PPP_AUTH_MSCHAPV2},
		    .name = "adit",
		    .mru = 1400,
		    .ipv6 = true,
		    .echo_interval_ms = 30000,
		    .echo_failures = 4,
		    .user = "alice",
		    .password = &e->password,
		    .random = seeded,
		    .random_ctx = &e->seed};
	}
}

void
pair_start(struct pair *p)
{
	int i;

	for (i = 0; i < (p->alone ? 1 : 2); i++) {
		p->end[i].ppp = ppp_new(&p->end[i].cfg, p->now_ms);
		ppp_start(p->end[i].ppp, p->now_ms);
		pair_drain(p, i);
	}
}

void
pair_fini(struct pair *p)
{
	ppp_free(p->end[0].ppp);
	ppp_free(p->end[1].ppp);
	p->end[0].ppp = p->end[1].ppp = NULL;
}

void
pair_grant(struct pair_end *e, struct ppp_verdict *ret)
{
	static const char failed[] =
	    "E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=no";
	static char text[64];
	char s[MSCHAPV2_AUTHENTICATOR_BYTES];
	uint8_t hash[16], md5[16];
	bool ok = false;

	*ret = (struct ppp_verdict){.ipv4_local = {10, 9, 0, 1},
	    .ipv4_peer = {10, 9, 0, 7},
	    .ipv4_dns = {{10, 9, 0, 53}, {10, 9, 0, 54}}};
	if (e->policy == PAIR_ACCEPT) {
		ret->accept = true;
		return;
	}
	mschap_nt_hash("wonderland", 10, hash);
	switch (e->method) {
	case PPP_AUTH_MSCHAPV2:
		ok = mschapv2_verify(
		    hash, e->name, e->name_bytes, e->challenge, e->response, s);
		snprintf(text, sizeof(text), "%s M=welcome", ok ? s : "");
		break;
	case PPP_AUTH_CHAP_MD5:
		chap_md5_response(
		    e->chap_id, "wonderland", 10, e->challenge, 16, md5);
		ok = memcmp(md5, e->response, 16) == 0;
		snprintf(text, sizeof(text), "welcome");
		break;
	default:
		ok = e->response_bytes == 10 &&
		    memcmp(e->response, "wonderland", 10) == 0;
		snprintf(text, sizeof(text), "welcome");
	}
	if (e->name_bytes != 5 || memcmp(e->name, "alice", 5) != 0)
		ok = false;
	ret->accept = ok;
	ret->message = ok ? rd_init(text, strlen(text))
			  : rd_init(failed, sizeof(failed) - 1);
}

static void
put_on_wire(struct pair *p, int from, const struct ppp_effect *e)
{
	struct pair_end *end = &p->end[from];
	unsigned copies = 1, i;

	if (e->data.left > PAIR_FRAME_MAX || e->data.left < 4 ||
	    e->data.p[0] != 0xff || e->data.p[1] != 0x03)
		abort();
	end->sent++;
	if (end->out_count == PAIR_FRAMES) {
		memmove(end->out[0], end->out[1],
		    sizeof(end->out) - sizeof(end->out[0]));
		memmove(&end->out_bytes[0], &end->out_bytes[1],
		    sizeof(end->out_bytes) - sizeof(end->out_bytes[0]));
		end->out_count--;
	}
	memcpy(end->out[end->out_count], e->data.p, e->data.left);
	end->out_bytes[end->out_count++] = e->data.left;
	if (p->alone)
		return;
	if (next_random(&p->seed) % 100 < p->loss_percent)
		copies = 0;
	else if (next_random(&p->seed) % 100 < p->dup_percent)
		copies = 2;
	for (i = 0; i < PAIR_FRAMES && copies > 0; i++) {
		if (p->wire[i].at_ms != 0)
			continue;
		p->wire[i].at_ms = p->now_ms + p->delay_ms * copies;
		p->wire[i].to = !from;
		p->wire[i].n = e->data.left;
		memcpy(p->wire[i].data, e->data.p, e->data.left);
		copies--;
	}
}

static void
take_ask(struct pair_end *e, const struct ppp_ask *a)
{
	e->asks++;
	e->method = a->method;
	e->serial = a->serial;
	e->chap_id = a->chap_id;
	e->name_bytes = a->name.left;
	memcpy(e->name, a->name.p, a->name.left);
	e->response_bytes = a->response.left;
	memcpy(e->response, a->response.p, a->response.left);
	if (a->challenge.left == 16)
		memcpy(e->challenge, a->challenge.p, 16);
}

void
pair_drain(struct pair *p, int end)
{
	struct pair_end *e = &p->end[end];
	struct ppp_verdict v;
	struct ppp_effect f;
	bool answer;

	do {
		answer = false;
		while (ppp_next_effect(e->ppp, &f)) {
			if (e->downs > 0)
				abort(); /* nothing follows DOWN */
			switch (f.type) {
			case PPP_EFFECT_SEND:
				put_on_wire(p, end, &f);
				break;
			case PPP_EFFECT_ASK:
				take_ask(e, &f.ask);
				answer = e->policy != PAIR_SILENT;
				break;
			case PPP_EFFECT_IPV4_UP:
				e->ups4++;
				e->up4 = f;
				break;
			case PPP_EFFECT_IPV4_DOWN:
				e->downs4++;
				break;
			case PPP_EFFECT_IPV6_UP:
				e->ups6++;
				e->up6 = f;
				break;
			case PPP_EFFECT_IPV6_DOWN:
				e->downs6++;
				break;
			case PPP_EFFECT_AUTHENTICATED:
				e->authenticated++;
				break;
			case PPP_EFFECT_DOWN:
				e->downs++;
				e->by_peer = f.by_peer;
				snprintf(e->why, sizeof(e->why), "%s", f.why);
				break;
			}
		}
		if (answer) {
			pair_grant(e, &v);
			ppp_verdict(e->ppp, &v, p->now_ms);
		}
	} while (answer);
}

void
pair_input(struct pair *p, int end, const void *frame, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1); /* ASan sees one byte too many */

	if (copy == NULL)
		abort();
	if (n > 0)
		memcpy(copy, frame, n);
	ppp_input(p->end[end].ppp, rd_init(copy, n), p->now_ms);
	free(copy);
	pair_drain(p, end);
}

static int
first_frame(const struct pair *p)
{
	int i, best = -1;

	for (i = 0; i < PAIR_FRAMES; i++)
		if (p->wire[i].at_ms != 0 &&
		    (best < 0 || p->wire[i].at_ms < p->wire[best].at_ms))
			best = i;
	return best;
}

void
pair_run(struct pair *p, uint64_t until_ms)
{
	uint64_t next, d;
	int i, f, ends = p->alone ? 1 : 2;

	for (;;) {
		f = first_frame(p);
		next = f >= 0 ? p->wire[f].at_ms : UINT64_MAX;
		for (i = 0; i < ends; i++) {
			d = ppp_deadline(p->end[i].ppp);
			if (d < next) {
				next = d;
				f = -1;
			}
		}
		if (next > until_ms)
			break;
		if (next > p->now_ms)
			p->now_ms = next;
		if (f >= 0) {
			p->wire[f].at_ms = 0;
			pair_input(
			    p, p->wire[f].to, p->wire[f].data, p->wire[f].n);
			continue;
		}
		for (i = 0; i < ends; i++) {
			ppp_tick(p->end[i].ppp, p->now_ms);
			pair_drain(p, i);
			if (ppp_deadline(p->end[i].ppp) <= p->now_ms)
				abort(); /* a timer that does not go away */
		}
	}
	p->now_ms = until_ms;
}

size_t
pair_hex(const char *hex, uint8_t *ret, size_t cap)
{
	size_t n = 0;
	unsigned v;

	while (*hex != '\0') {
		if (isspace((unsigned char)*hex)) {
			hex++;
			continue;
		}
		if (sscanf(hex, "%2x", &v) != 1 || n >= cap)
			abort();
		ret[n++] = (uint8_t)v;
		hex += 2;
	}
	return n;
}

void
pair_hex_input(struct pair *p, const char *hex)
{
	uint8_t buf[PAIR_FRAME_MAX] = {0xff, 0x03};

	pair_input(p, 0, buf, 2 + pair_hex(hex, buf + 2, sizeof(buf) - 2));
}

int
pair_find(const struct pair_end *e, unsigned protocol, unsigned code)
{
	size_t i;

	for (i = e->out_count; i > 0; i--)
		if (e->out[i - 1][2] == protocol >> 8 &&
		    e->out[i - 1][3] == (protocol & 0xff) &&
		    e->out[i - 1][4] == code)
			return (int)i - 1;
	return -1;
}

void
pair_forget(struct pair *p)
{
	p->end[0].out_count = 0;
}

bool
pair_ack(struct pair *p, unsigned protocol)
{
	struct pair_end *e = &p->end[0];
	int i = pair_find(e, protocol, 1);
	uint8_t buf[PAIR_FRAME_MAX];

	if (i < 0)
		return false;
	memcpy(buf, e->out[i], e->out_bytes[i]);
	buf[4] = 2;
	pair_input(p, 0, buf, e->out_bytes[i]);
	return true;
}

void
pair_packet(struct pair *p, unsigned protocol, unsigned code, unsigned id,
    const void *body, size_t body_bytes)
{
	uint8_t buf[PAIR_FRAME_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be16(&w, 0xff03);
	wr_be16(&w, (uint16_t)protocol);
	wr_u8(&w, (uint8_t)code);
	wr_u8(&w, (uint8_t)id);
	wr_be16(&w, (uint16_t)(4 + body_bytes));
	if (!wr_bytes(&w, body, body_bytes))
		abort();
	pair_input(p, 0, buf, w.len);
}

void
pair_open_lcp(struct pair *p)
{
	pair_hex_input(p, "c021 01 01 000a 0506 a1b2c3d4");
	if (!pair_ack(p, 0xc021))
		abort();
}

void
pair_respond(
    struct pair *p, const char *name, size_t name_bytes, const char *password)
{
	struct pair_end *e = &p->end[0];
	int i = pair_find(e, 0xc223, 1);
	uint8_t hash[16], peer[16], body[400] = {MSCHAPV2_RESPONSE_BYTES};

	if (i < 0)
		abort();
	memset(peer, 0x5a, sizeof(peer));
	mschap_nt_hash(password, strlen(password), hash);
	mschapv2_respond(hash, name, name_bytes, e->out[i] + 9, peer, body + 1);
	memcpy(body + 1 + MSCHAPV2_RESPONSE_BYTES, name, name_bytes);
	pair_packet(p, 0xc223, 2, e->out[i][5], body,
	    1 + MSCHAPV2_RESPONSE_BYTES + name_bytes);
}

void
pair_open_all(struct pair *p)
{
	pair_open_lcp(p);
	pair_respond(p, "alice", 5, "wonderland");
	pair_hex_input(p, "8021 01 01 000a 0306 0a090007");
	pair_ack(p, 0x8021);
	pair_hex_input(p, "8057 01 01 000e 010a 0011223344556677");
	pair_ack(p, 0x8057);
}
