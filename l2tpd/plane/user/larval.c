/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * larval.c: between the second and the third message of a quick mode (RFC 2409
 * 5.5) the client may already send ESP: a few packets are held until the SA is
 * there, instead of waiting for its L2TP retransmission a second later.
 *
 * Owns copies of the packets, in slots that were made once: whatever is sent,
 * it costs no more. The packets are not authenticated yet.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wr.h"
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "l2tpd/plane/user/user.h"

#define SLOTS        64
#define PER_SPI_MAX  4
#define EXPECTED_MAX 4096
#define HOLD_MS      2000
#define PACKET_MAX   2048 /* longer ones are dropped */

struct expected {
	uint32_t spi;
	unsigned int held;
	UT_hash_handle hh;
};

struct slot {
	bool used, ready;
	uint64_t order, deadline_ms;
	struct rx_packet packet; /* .data and .from are not used */
	struct io_message from;  /* .data is not used */
	uint8_t data[PACKET_MAX];
};

struct larval {
	struct expected *expected;
	uint64_t order;
	struct slot slots[SLOTS];
};

struct larval *
larval_new(void)
{
	return calloc(1, sizeof(struct larval));
}

static struct expected *
find(const struct larval *l, uint32_t spi)
{
	struct expected *e;

	HASH_FIND(hh, l->expected, &spi, sizeof(spi), e);
	return e;
}

static void
forget(struct larval *l, struct expected *e)
{
	HASH_DELETE(hh, l->expected, e);
	free(e);
}

void
larval_free(struct larval *l)
{
	if (l == NULL)
		return;
	while (l->expected != NULL)
		forget(l, l->expected);
	free(l);
}

static void
drop_packets_of(struct larval *l, uint32_t spi)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (l->slots[i].used && l->slots[i].packet.spi == spi)
			l->slots[i].used = false;
}

void
larval_expect(struct larval *l, uint32_t spi, bool expect)
{
	struct expected *e = find(l, spi);

	if (!expect) {
		if (e != NULL)
			forget(l, e);
		drop_packets_of(l, spi);
		return;
	}
	if (e != NULL || HASH_CNT(hh, l->expected) >= EXPECTED_MAX)
		return;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return; /* then its first packets are lost, nothing more */
	e->spi = spi;
	HASH_ADD(hh, l->expected, spi, sizeof(e->spi), e);
	if (e->hh.tbl == NULL)
		free(e);
}

bool
larval_ready(struct larval *l, uint32_t spi)
{
	struct expected *e = find(l, spi);
	bool some = false;
	size_t i;

	if (e == NULL)
		return false;
	forget(l, e);
	for (i = 0; i < SLOTS; i++) {
		if (!l->slots[i].used || l->slots[i].packet.spi != spi)
			continue;
		l->slots[i].ready = true;
		some = true;
	}
	return some;
}

static void
release(struct larval *l, struct slot *s)
{
	struct expected *e = find(l, s->packet.spi);

	if (e != NULL && e->held > 0)
		e->held--;
	s->used = false;
}

static struct slot *
free_slot(struct larval *l, uint64_t now_ms)
{
	struct slot *s, *found = NULL;

	for (s = l->slots; s < l->slots + SLOTS; s++) {
		if (s->used && now_ms >= s->deadline_ms)
			release(l, s);
		if (!s->used && found == NULL)
			found = s;
	}
	return found;
}

bool
larval_hold(struct larval *l, const struct rx_packet *packet, uint64_t now_ms)
{
	struct expected *e = find(l, packet->spi);
	struct slot *s;
	struct wr w;

	if (e == NULL)
		return false;
	s = free_slot(l, now_ms);
	if (s == NULL || e->held >= PER_SPI_MAX || packet->len > PACKET_MAX)
		return true; /* known, but there is no room: dropped */
	w = wr_init(s->data, sizeof(s->data));
	wr_bytes(&w, packet->data, packet->len);
	s->packet = *packet;
	s->packet.data = NULL;
	s->from = *packet->from;
	s->from.data = NULL;
	s->used = true;
	s->ready = false;
	s->order = l->order++;
	s->deadline_ms = now_ms + HOLD_MS;
	e->held++;
	return true;
}

bool
larval_take(struct larval *l, uint64_t now_ms, struct rx_packet *ret,
    struct io_message *ret_from, uint8_t *buf, size_t buf_bytes)
{
	struct slot *s, *first = NULL;
	struct wr w = wr_init(buf, buf_bytes);

	for (s = l->slots; s < l->slots + SLOTS; s++) {
		if (s->used && now_ms >= s->deadline_ms)
			release(l, s);
		if (s->used && s->ready &&
		    (first == NULL || s->order < first->order))
			first = s;
	}
	if (first == NULL)
		return false;
	first->used = false;
	*ret = first->packet;
	*ret_from = first->from;
	ret->data = buf;
	ret->from = ret_from;
	return wr_bytes(&w, first->data, first->packet.len);
}
