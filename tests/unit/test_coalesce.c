/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_coalesce.c: what may be merged and what not, rule by rule; and whatever
 * goes in comes out again when the cutter has cut it, in the order of its flow.
 */
#include "l2tpd/plane/user/coalesce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/plane/user/cut.h"
#include "tests/unit/packet.h"

#define MAX_PACKETS 200
#define MAX_BYTES   2048
#define ALL         (COALESCE_TCP4 | COALESCE_TCP6 | COALESCE_UDP)

struct bytes {
	uint8_t p[MAX_BYTES];
	size_t len;
};

static struct {
	struct coalesce c;
	struct bytes in[MAX_PACKETS], work[MAX_PACKETS], out[MAX_PACKETS];
	bool done[MAX_PACKETS];
	size_t n_in, n_out;
	size_t n_emits, n_supers;
	size_t segments[MAX_PACKETS]; /* of each emit */
	size_t n_valid;               /* emits with DATA_VALID */
} T;

static uint8_t super[PACKET_MAX];

static void
on_emit(void *ctx, const struct vnet *h, struct iovec *iov, int n_iov)
{
	size_t len = 0, n;
	struct cut c;
	int i;

	assert_ptr_equal(ctx, &T);
	assert_true(n_iov >= 2);
	for (i = 1; i < n_iov; i++) {
		assert_true(len + iov[i].iov_len <= COALESCE_BYTES);
		memcpy(super + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	iov[0] = (struct iovec){0}; /* is ours */
	if (h->data_valid) {
		T.n_valid++;
		assert_null(packet_wrong(super, len));
	}
	if (!cut_begin(&c, h, super, len))
		fail_msg("%s", c.why);
	if (h->gso != VNET_GSO_NONE) {
		T.n_supers++;
		assert_true(c.n_segments >= 2 && c.n_segments <= 64);
		assert_int_equal(c.n_segments, n_iov - 1);
	}
	T.segments[T.n_emits++] = c.n_segments;
	while (T.n_out < MAX_PACKETS &&
	    (n = cut_next(&c, T.out[T.n_out].p, MAX_BYTES)) > 0)
		T.out[T.n_out++].len = n;
	assert_null(c.why);
}

static void
start(void)
{
	T.n_in = 0;
}

static struct bytes *
add(const struct packet *s)
{
	struct bytes *b = &T.in[T.n_in++];

	b->len = packet_build(b->p, s);
	return b;
}

static void
run(unsigned int features)
{
	struct inet_packet ip;
	size_t i;

	T.n_out = T.n_emits = T.n_supers = T.n_valid = 0;
	memcpy(T.work, T.in, sizeof(T.in));
	coalesce_init(&T.c, features, on_emit, &T);
	for (i = 0; i < T.n_in; i++) {
		assert_true(
		    inet_parse(rd_init(T.work[i].p, T.work[i].len), &ip));
		coalesce_add(&T.c, T.work[i].p, &ip);
	}
	coalesce_flush(&T.c);
	assert_int_equal(T.n_out, T.n_in);
	assert_int_equal(T.c.totals.packets_in, T.n_in);
	assert_int_equal(T.c.totals.packets_out, T.n_emits);
	assert_int_equal(T.c.totals.supers, T.n_supers);
	assert_int_equal(T.c.used, 0);
}

/* Every packet is there again, none before an earlier one of its flow. */
static void
check_back(void)
{
	size_t i, k;

	memset(T.done, 0, sizeof(T.done));
	for (i = 0; i < T.n_out; i++) {
		for (k = 0; k < T.n_in; k++) {
			if (T.done[k])
				continue;
			if (T.out[i].len == T.in[k].len &&
			    memcmp(T.out[i].p, T.in[k].p, T.in[k].len) == 0)
				break;
			if (packet_same_flow(T.out[i].p, T.out[i].len,
				T.in[k].p, T.in[k].len))
				fail_msg("packet %zu is changed or late", k);
		}
		assert_true(k < T.n_in);
		T.done[k] = true;
	}
}

static struct packet
next_of(const struct packet *s)
{
	struct packet n = *s;

	n.id++;
	if (s->protocol == PACKET_TCP)
		n.seq += (uint32_t)s->payload_bytes;
	n.seed++;
	return n;
}

/* The kinds of flow that can be merged */
static struct packet
kind(int i)
{
	static const uint8_t stamps[12] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
	struct packet s =
	    packet_default(i & 1 ? 6 : 4, i & 2 ? PACKET_UDP : PACKET_TCP);

	if (s.protocol == PACKET_TCP && i & 4) {
		memcpy(s.options, stamps, 12);
		s.options_bytes = 12;
	}
	s.tos = 0x28;
	return s;
}

static void
test_merges(void **state)
{
	struct packet s;
	int i, k;

	(void)state;
	for (i = 0; i < 8; i++) {
		s = kind(i);
		start();
		for (k = 0; k < 10; k++) {
			add(&s);
			s = next_of(&s);
		}
		s.payload_bytes = 77;
		add(&s);
		run(ALL);
		assert_int_equal(T.n_emits, 1);
		assert_int_equal(T.segments[0], 11);
		check_back();
		run(s.protocol == PACKET_UDP ? ALL & ~COALESCE_UDP
			: s.version == 4     ? ALL & ~COALESCE_TCP4
					     : ALL & ~COALESCE_TCP6);
		assert_int_equal(T.n_emits, 11);
		assert_int_equal(T.n_valid, 0);
		check_back();
	}
}

/* Two packets, the second one changed: a row per rule. */
struct change {
	const char *what;
	void (*change)(struct packet *s, struct bytes *b);
	int versions, protocols; /* bits: 1 IPv4, 2 IPv6; 1 TCP, 2 UDP */
	bool to_first;           /* also unmergeable when the first has it */
};

static void
c_seq_ahead(struct packet *s, struct bytes *b)
{
	s->seq++;
	b->len = packet_build(b->p, s);
}

static void
c_seq_behind(struct packet *s, struct bytes *b)
{
	s->seq--;
	b->len = packet_build(b->p, s);
}

static void
c_ack(struct packet *s, struct bytes *b)
{
	s->ack++;
	b->len = packet_build(b->p, s);
}

static void
c_window(struct packet *s, struct bytes *b)
{
	s->window++;
	b->len = packet_build(b->p, s);
}

static void
c_tos(struct packet *s, struct bytes *b)
{
	s->tos ^= 3;
	b->len = packet_build(b->p, s);
}

static void
c_ttl(struct packet *s, struct bytes *b)
{
	s->ttl--;
	b->len = packet_build(b->p, s);
}

static void
c_label(struct packet *s, struct bytes *b)
{
	s->flow_label++;
	b->len = packet_build(b->p, s);
}

static void
c_df(struct packet *s, struct bytes *b)
{
	s->fragment = 0;
	b->len = packet_build(b->p, s);
}

static void
c_reserved(struct packet *s, struct bytes *b)
{
	s->fragment |= 0x8000;
	b->len = packet_build(b->p, s);
}

static void
c_more(struct packet *s, struct bytes *b)
{
	s->fragment = 0x2000;
	b->len = packet_build(b->p, s);
}

static void
c_offset(struct packet *s, struct bytes *b)
{
	s->fragment = 0x0001;
	b->len = packet_build(b->p, s);
}

static void
c_id(struct packet *s, struct bytes *b)
{
	s->id++;
	b->len = packet_build(b->p, s);
}

static void
c_ip_options(struct packet *s, struct bytes *b)
{
	s->ip_options = 4;
	b->len = packet_build(b->p, s);
}

static void
c_extension(struct packet *s, struct bytes *b)
{
	s->extension = 1;
	b->len = packet_build(b->p, s);
}

static void
c_options(struct packet *s, struct bytes *b)
{
	s->options_bytes = 4;
	memset(s->options, 1, 4);
	b->len = packet_build(b->p, s);
}

static void
c_longer(struct packet *s, struct bytes *b)
{
	s->payload_bytes++;
	b->len = packet_build(b->p, s);
}

static void
c_empty(struct packet *s, struct bytes *b)
{
	s->payload_bytes = 0;
	b->len = packet_build(b->p, s);
}

static void
c_sum(struct packet *s, struct bytes *b)
{
	(void)s;
	b->p[b->len - 1] ^= 1;
}

static void
c_ip_sum(struct packet *s, struct bytes *b)
{
	(void)s;
	b->p[10] ^= 1;
}

static void
c_no_sum(struct packet *s, struct bytes *b)
{
	size_t at = s->version == 4 ? 26 : 46;

	b->p[at] = b->p[at + 1] = 0;
}

static void
c_udp_length(struct packet *s, struct bytes *b)
{
	b->p[s->version == 4 ? 25 : 45] ^= 1;
}

static void
c_urgent(struct packet *s, struct bytes *b)
{
	b->p[s->version == 4 ? 39 : 59] = 1;
	packet_fix(b->p, b->len);
}

static void
c_reserved_tcp(struct packet *s, struct bytes *b)
{
	b->p[s->version == 4 ? 32 : 52] |= 1; /* AE, once NS */
	packet_fix(b->p, b->len);
}

static void
c_data_offset(struct packet *s, struct bytes *b)
{
	b->p[s->version == 4 ? 32 : 52] = 0x40;
	packet_fix(b->p, b->len);
}

static const struct change changes[] = {
    {"sequence number ahead", c_seq_ahead, 3, 1, false},
    {"sequence number behind", c_seq_behind, 3, 1, false},
    {"acknowledgement", c_ack, 3, 1, false},
    {"window", c_window, 3, 1, false},
    {"urgent pointer", c_urgent, 3, 1, false},
    {"TCP options", c_options, 3, 1, false},
    {"reserved TCP flag", c_reserved_tcp, 3, 1, true},
    {"TCP data offset", c_data_offset, 3, 1, true},
    {"traffic class", c_tos, 3, 3, false},
    {"TTL", c_ttl, 3, 3, false},
    {"flow label", c_label, 2, 3, false},
    {"DF", c_df, 1, 3, false},
    {"reserved IP flag", c_reserved, 1, 3, true},
    {"first fragment", c_more, 1, 3, true},
    {"later fragment", c_offset, 1, 3, true},
    {"ID", c_id, 1, 3, false},
    {"IP options", c_ip_options, 1, 3, true},
    {"extension header", c_extension, 2, 3, true},
    {"longer", c_longer, 3, 3, false},
    {"no payload", c_empty, 3, 3, true},
    {"checksum", c_sum, 3, 3, true},
    {"IP checksum", c_ip_sum, 1, 3, true},
    {"no checksum", c_no_sum, 3, 2, true},
    {"UDP length", c_udp_length, 3, 2, true},
};

static bool
applies(const struct change *ch, const struct packet *s)
{
	return (ch->versions & (s->version == 4 ? 1 : 2)) != 0 &&
	    (ch->protocols & (s->protocol == PACKET_TCP ? 1 : 2)) != 0;
}

static void
test_changes(void **state)
{
	const struct change *ch;
	struct packet s, n;
	size_t i;
	int k;

	(void)state;
	for (k = 0; k < 4; k++)
		for (i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
			ch = &changes[i];
			s = kind(k);
			if (!applies(ch, &s))
				continue;
			start();
			add(&s);
			n = next_of(&s);
			ch->change(&n, add(&n));
			run(ALL);
			if (T.n_emits != 2)
				fail_msg("%s: merged", ch->what);
			check_back();
			if (!ch->to_first)
				continue;
			start();
			s = kind(k);
			n = next_of(&s);
			ch->change(&s, add(&s));
			add(&n);
			run(ALL);
			if (T.n_emits != 2)
				fail_msg("%s in the first: merged", ch->what);
			check_back();
		}
}

static void
test_flags(void **state)
{
	unsigned int flags, first;
	struct packet s, n;

	(void)state;
	for (first = 0; first < 2; first++)
		for (flags = 0; flags < 256; flags++) {
			start();
			s = kind(0);
			n = next_of(&s);
			*(first ? &s.flags : &n.flags) = (uint8_t)flags;
			add(&s);
			add(&n);
			run(ALL);
			assert_int_equal(T.n_supers,
			    flags == PACKET_ACK ||
				(!first && flags == (PACKET_ACK | PACKET_PSH)));
			check_back();
		}
}

/* PSH or a short segment is the last of its super-segment. */
static void
test_closes(void **state)
{
	struct packet s;
	int i, k;

	(void)state;
	for (k = 0; k < 3; k++) {
		s = kind(k == 2 ? 2 : 0);
		start();
		for (i = 0; i < 6; i++) {
			s.flags = i == 2 && k == 0 ? PACKET_ACK | PACKET_PSH
						   : PACKET_ACK;
			s.payload_bytes = i == 2 && k > 0 ? 999 : 1000;
			add(&s);
			s = next_of(&s);
		}
		run(ALL);
		assert_int_equal(T.n_emits, 2);
		assert_int_equal(T.segments[0], 3);
		assert_int_equal(T.segments[1], 3);
		check_back();
	}
}

static void
test_bad_sums(void **state)
{
	struct packet s;
	size_t bad;
	int i, k;

	(void)state;
	for (k = 0; k < 4; k++)
		for (bad = 0; bad < 6; bad++) {
			s = kind(k);
			start();
			for (i = 0; i < 6; i++) {
				add(&s);
				s = next_of(&s);
			}
			T.in[bad].p[T.in[bad].len - 3] ^= 0x10;
			run(ALL);
			check_back();
			assert_int_equal(T.c.totals.bad_sums, 1);
			/* the others are merged on both sides of it */
			assert_int_equal(
			    T.n_emits, bad == 0 || bad == 5 ? 2 : 3);
		}
}

/* A right sum that no sender makes would not come out again. */
static void
test_negative_zero(void **state)
{
	struct packet s = kind(0);
	struct bytes *b;
	unsigned int word;
	int k;

	(void)state;
	for (k = 0; k < 2; k++) {
		start();
		s = kind(0);
		add(&s);
		s = next_of(&s);
		b = add(&s);
		if (k == 0) { /* payload such that the TCP sum is ffff */
			word = (unsigned int)(b->p[36] << 8 | b->p[37]) +
			    (unsigned int)(b->p[40] << 8 | b->p[41]);
			word = (word & 0xffff) + (word >> 16);
			b->p[40] = (uint8_t)(word >> 8);
			b->p[41] = (uint8_t)word;
			b->p[36] = b->p[37] = 0xff;
		} else { /* the same with source address and IP sum */
			s.id = 0;
			b->len = packet_build(b->p, &s);
			b->p[4] = b->p[10];
			b->p[5] = b->p[11];
			packet_fix(b->p, b->len);
			assert_int_equal(b->p[10] | b->p[11], 0);
			b->p[10] = b->p[11] = 0xff;
			T.in[0].p[4] = b->p[4];
			T.in[0].p[5] = (uint8_t)(b->p[5] - 1);
			packet_fix(T.in[0].p, T.in[0].len);
		}
		assert_null(packet_wrong(b->p, b->len));
		run(ALL);
		assert_int_equal(T.n_emits, 2);
		check_back();
	}
}

/* DF clear: IDs count on. DF set: they may also all be the same. */
static void
test_ids(void **state)
{
	struct packet s;
	size_t i;
	int df, step, k;

	(void)state;
	for (k = 0; k < 4; k += 2)
		for (df = 0; df < 2; df++)
			for (step = -1; step < 3; step++) {
				s = kind(k);
				s.fragment = df ? 0x4000 : 0;
				s.id = 0xfffe;
				start();
				for (i = 0; i < 5; i++) {
					add(&s);
					s = next_of(&s);
					s.id = (uint16_t)(s.id - 1 + step);
				}
				run(ALL);
				assert_int_equal(T.n_emits,
				    step == 1 || (df && step == 0) ? 1 : 5);
				if (!df || step != 0) {
					check_back();
					continue;
				}
				for (i = 0; i < 5; i++) {
					T.out[i].p[4] = 0xff;
					T.out[i].p[5] = 0xfe;
					packet_fix(T.out[i].p, T.out[i].len);
				}
				check_back();
			}
	/* one way or the other, not both in one */
	start();
	s = kind(0);
	for (i = 0; i < 6; i++) {
		add(&s);
		s = next_of(&s);
		s.id = (uint16_t)(s.id - (i < 2));
	}
	run(ALL);
	assert_int_equal(T.n_emits, 2);
	assert_int_equal(T.segments[0], 3);
}

static void
test_limits(void **state)
{
	struct packet s = kind(0);
	int i;

	(void)state;
	s.payload_bytes = 10;
	start();
	for (i = 0; i < 130; i++) {
		add(&s);
		s = next_of(&s);
	}
	run(ALL);
	assert_int_equal(T.n_emits, 3);
	assert_int_equal(T.segments[0], 64);
	assert_int_equal(T.segments[1], 64);
	check_back();

	s = kind(0);
	s.payload_bytes = 1985; /* 33 and 40 bytes are 65545 */
	start();
	for (i = 0; i < 40; i++) {
		add(&s);
		s = next_of(&s);
	}
	run(ALL);
	assert_int_equal(T.n_emits, 2);
	assert_int_equal(T.segments[0], 32);
	check_back();
	s = kind(0);
	s.payload_bytes = 1985;
	start();
	for (i = 0; i < 33; i++) {
		if (i == 32) /* 65535 in all */
			s.payload_bytes = 65535 - 40 - 32 * 1985;
		add(&s);
		s = next_of(&s);
	}
	run(ALL);
	assert_int_equal(T.n_emits, 1);
	check_back();
}

/* A lonely packet's sum is not looked at; one that was is said to be good. */
static void
test_data_valid(void **state)
{
	struct packet s = kind(0), n;

	(void)state;
	start();
	add(&s);
	run(ALL);
	assert_int_equal(T.n_valid, 0);
	n = next_of(&s);
	add(&n);
	T.in[0].p[T.in[0].len - 1] ^= 1;
	run(ALL);
	assert_int_equal(T.n_emits, 2);
	assert_int_equal(T.n_valid, 1); /* the second, on_emit() looked */
	check_back();
}

static void
test_flows(void **state)
{
	struct packet flows[20];
	size_t i, k, n;

	(void)state;
	for (n = 15; n <= 20; n++) {
		start();
		for (i = 0; i < n; i++) {
			flows[i] = kind((int)i);
			flows[i].sport = (uint16_t)(1000 + i / 4);
			flows[i].src = (uint8_t)(2 + i % 3);
		}
		for (k = 0; k < 5; k++)
			for (i = 0; i < n; i++) {
				add(&flows[i]);
				flows[i] = next_of(&flows[i]);
			}
		run(ALL);
		check_back();
		if (n <= COALESCE_FLOWS)
			assert_int_equal(T.n_emits, n);
		else
			assert_true(T.n_emits > n);
	}
}

/* Fragments, and what hides its ports, may belong to a flow that waits. */
static void
test_unknown_flushes(void **state)
{
	struct packet s, n;
	int i, k;

	(void)state;
	for (k = 0; k < 4; k++) {
		s = kind(k);
		start();
		for (i = 0; i < 3; i++) {
			add(&s);
			s = next_of(&s);
		}
		n = s;
		if (s.version == 4) {
			n.fragment = 0x2001;
			n.dport++;
		} else {
			n.extension = 1;
		}
		add(&n);
		for (i = 0; i < 3; i++) {
			add(&s);
			s = next_of(&s);
		}
		run(ALL);
		assert_int_equal(T.n_emits, 3);
		check_back();
		/* another's does not matter */
		T.in[3].p[s.version == 4 ? 15 : 23]++;
		packet_fix(T.in[3].p, T.in[3].len);
		run(ALL);
		assert_int_equal(T.n_emits, 2);
		check_back();
	}
}

/* Short of ports, short of a header: nothing is read beyond the end. */
static void
test_truncated(void **state)
{
	struct inet_packet ip;
	struct packet s;
	struct bytes b;
	uint8_t *copy;
	size_t len;
	int k;

	(void)state;
	for (k = 0; k < 4; k++) {
		s = kind(k);
		s.payload_bytes = 3;
		b.len = packet_build(b.p, &s);
		for (len = s.version == 4 ? 20 : 40; len <= b.len; len++) {
			copy = malloc(len);
			assert_non_null(copy);
			memcpy(copy, b.p, len);
			copy[s.version == 4 ? 3 : 5] =
			    (uint8_t)(s.version == 4 ? len : len - 40);
			T.n_out = T.n_emits = T.n_supers = 0;
			coalesce_init(&T.c, ALL, on_emit, &T);
			assert_true(inet_parse(rd_init(copy, len), &ip));
			coalesce_add(&T.c, copy, &ip);
			coalesce_add(&T.c, copy, &ip);
			coalesce_flush(&T.c);
			assert_true(T.n_out == 2 || T.n_supers == 1);
			free(copy);
		}
	}
}

static struct packet
random_step(const struct packet *s)
{
	struct packet n = next_of(s);

	n.flags = rand() % 8 == 0 ? PACKET_ACK | PACKET_PSH : PACKET_ACK;
	n.payload_bytes =
	    rand() % 8 == 0 ? (size_t)(rand() % 1200) : n.payload_bytes;
	switch (rand() % 40) {
	case 0:
		n.ack += 1000;
		break;
	case 1:
		n.window++;
		break;
	case 2:
		n.seq += 100;
		break;
	case 3:
		n.id = (uint16_t)(n.id + 5);
		break;
	case 4:
		n.tos ^= 1;
		break;
	case 5:
		n.flags |= PACKET_FIN;
		break;
	case 6:
		n.ip_options = n.ip_options ? 0 : 8;
		break;
	case 7:
		n.extension = n.extension ? 0 : 1;
		break;
	default:
		break;
	}
	return n;
}

static void
test_random(void **state)
{
	struct packet flows[18];
	size_t round, i, n_flows, f, supers = 0;

	(void)state;
	srand(1);
	for (round = 0; round < 3000; round++) {
		n_flows = 1 + (size_t)rand() % 18;
		for (i = 0; i < n_flows; i++) {
			flows[i] = kind(rand());
			flows[i].sport = (uint16_t)(rand() % 4);
			flows[i].src = (uint8_t)(rand() % 4);
			flows[i].fragment = rand() % 2 ? 0x4000 : 0;
			flows[i].seq = (uint32_t)rand() << 1;
			/* never the same: then IDs may change */
			flows[i].id = (uint16_t)(i * 3000);
			flows[i].payload_bytes = 1 + (size_t)rand() % 1400;
		}
		start();
		while (T.n_in < 100) {
			f = (size_t)rand() % n_flows;
			do {
				add(&flows[f]);
				if (rand() % 50 == 0)
					T.in[T.n_in - 1].p[rand() % 60] ^= 1;
				flows[f] = random_step(&flows[f]);
			} while (rand() % 4 != 0 && T.n_in < 100);
		}
		/* what is no IP packet any more never gets here */
		for (i = 0; i < T.n_in; i++) {
			struct inet_packet ip;

			if (!inet_parse(rd_init(T.in[i].p, T.in[i].len), &ip) ||
			    ip.total_bytes != T.in[i].len)
				T.in[i--] = T.in[--T.n_in];
		}
		run(ALL);
		check_back();
		supers += T.n_supers;
	}
	assert_true(supers > 3000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_merges),
	    cmocka_unit_test(test_changes),
	    cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_closes),
	    cmocka_unit_test(test_bad_sums),
	    cmocka_unit_test(test_negative_zero),
	    cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_data_valid),
	    cmocka_unit_test(test_flows),
	    cmocka_unit_test(test_unknown_flushes),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
