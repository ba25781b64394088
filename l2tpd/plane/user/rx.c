/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rx.c: datagrams from the network, a batch at a time: sorted into IKE, ESP and
 * rubbish (RFC 3948 2), decrypted in one go, then delivered in their order.
 * Owns nothing but the arrays in struct user_rx. Trusts nothing that did not
 * pass esp_decrypt_batch().
 *
 * RFC 3947 and 3948, done as specified, with these exceptions: an SA serves
 * only the encapsulation that charon negotiated for it, and only a packet that
 * moved the replay window may move the peer's address (a replayed old packet
 * must not). Outside there is IPv4 only, for now: the sockets decide that, no
 * code here does, but for the raw socket's header.
 */
#include "base/rd.h"
#include "l2tpd/plane/user/user.h"

#define KEEPALIVE         0xff /* RFC 3948 2.3: one byte */
#define MARKER_BYTES      4    /* RFC 3948 2.2: non-ESP marker, zero */
#define NEXT_HEADER_DUMMY 59   /* RFC 4303 2.6 */

/* UDP 4500: keepalive, IKE behind its marker, or ESP. RFC 3948 2. */
static void
classify_udp4500(struct rx_packet *p)
{
	struct rd r = rd_init(p->io.data, p->io.len);
	uint32_t first;
	uint8_t byte;

	p->kind = RX_DROP;
	if (rd_peek_u8(&r, &byte) && r.left == 1 && byte == KEEPALIVE)
		return;
	if (!rd_peek_be32(&r, &first))
		return;
	p->kind = RX_ESP;
	if (first == 0) {
		p->kind = RX_IKE;
		p->io.data += MARKER_BYTES;
		p->io.len -= MARKER_BYTES;
	}
}

/* A raw socket for IPv4 delivers the outer header too (raw(7)). */
static void
classify_raw_esp(struct rx_packet *p)
{
	struct inet_packet ip;

	p->kind = RX_ESP;
	if (p->io.peer.family != 4)
		return;
	if (!inet_parse(rd_init(p->io.data, p->io.len), &ip) ||
	    ip.version != 4) {
		p->kind = RX_DROP;
		return;
	}
	p->io.data += ip.header_bytes;
	p->io.len = ip.total_bytes - ip.header_bytes;
}

static void
classify(struct user_plane *u, struct rx_packet *p)
{
	switch (p->path) {
	case PATH_UDP500:
		p->io.local.port = 500;
		p->kind = p->io.len > 0 ? RX_IKE : RX_DROP;
		break;
	case PATH_UDP4500:
		p->io.local.port = 4500;
		classify_udp4500(p);
		break;
	default:
		p->io.peer.port = 0;
		classify_raw_esp(p);
		break;
	}
	u->totals.rx_packets += p->kind == RX_ESP;
}

/* The SA of an ESP packet: RFC 4301 4.4.2.1, by SPI alone. */
static struct esp_sa *
find_sa(struct user_plane *u, struct rx_packet *p)
{
	struct rd r = rd_init(p->io.data, p->io.len);
	struct esp_sa *sa;

	if (!rd_be32(&r, &p->spi) || p->spi == 0) {
		p->kind = RX_DROP;
		u->totals.drop_malformed++;
		return NULL;
	}
	sa = esp_sa_find_inbound(u->sas, p->spi);
	if (sa == NULL) {
		p->kind = RX_UNKNOWN;
		return NULL;
	}
	if (esp_sa_is_encap(sa) != (p->path == PATH_UDP4500)) {
		p->kind = RX_DROP;
		u->totals.drop_malformed++;
		return NULL;
	}
	return sa;
}

/* Before any callback: all that has to be known from the SA. */
static void
settle(struct user_plane *u, struct rx_packet *p, const struct esp_job *j)
{
	struct plane_totals *t = &u->totals;

	p->kind = RX_DROP;
	switch (j->verdict) {
	case ESP_OK:
		break;
	case ESP_REPLAYED:
		t->drop_replayed++;
		return;
	case ESP_BAD_ICV:
		t->drop_bad_icv++;
		return;
	case ESP_EXPIRED:
		user_sa_used_up(u);
		return;
	default:
		t->drop_malformed++;
		return;
	}
	p->kind = j->next_header == NEXT_HEADER_DUMMY ? RX_DROP : RX_PAYLOAD;
	p->association = esp_sa_association(j->sa);
	p->moved = j->newest && p->path == PATH_UDP4500 &&
	    !endpoint_equal(&p->io.peer, esp_sa_peer(j->sa));
	if (p->moved) /* at once: the rest of the batch comes from there too */
		esp_association_move(
		    u->sas, p->association, &p->io.local, &p->io.peer);
}

static void
unknown_spi(struct user_plane *u, const struct rx_packet *p, uint64_t now_ms)
{
	if (larval_hold(u->larval, p, now_ms))
		return;
	u->totals.drop_unknown_spi++;
	if (ratelimit_take(&u->unknown_spi_limit, now_ms))
		u->events.unknown_spi(u->ctx, &p->io.peer, p->spi);
}

static void
deliver(struct user_plane *u, const struct rx_packet *p,
    const struct esp_job *j, uint64_t now_ms)
{
	switch (p->kind) {
	case RX_IKE:
		u->events.ike(u->ctx, &p->io.peer, &p->io.local,
		    rd_init(p->io.data, p->io.len));
		break;
	case RX_UNKNOWN:
		unknown_spi(u, p, now_ms);
		break;
	default:
		if (p->moved)
			u->events.moved(
			    u->ctx, p->association, p->spi, &p->io.peer);
		if (p->kind == RX_PAYLOAD && !u->dead)
			inner_input(u, p->association, &p->io.peer,
			    j->next_header, j->data, j->len);
		break;
	}
}

void
rx_run(struct user_plane *u, size_t n)
{
	struct user_rx *rx = &u->rx;
	uint64_t now_ms = loop_now_ms(u->loop);
	size_t i, k, n_jobs = 0;
	struct esp_sa *sa;

	for (i = 0; i < n; i++) {
		if (rx->packets[i].kind != RX_ESP)
			continue;
		sa = find_sa(u, &rx->packets[i]);
		if (sa == NULL)
			continue;
		rx->job_of[n_jobs] = &rx->packets[i];
		rx->jobs[n_jobs++] = (struct esp_job){
		    .sa = sa,
		    .data = rx->packets[i].io.data,
		    .len = rx->packets[i].io.len,
		};
	}
	u->totals.rx_batches += n_jobs > 0;
	esp_decrypt_batch(rx->jobs, n_jobs, now_ms);
	for (k = 0; k < n_jobs; k++)
		settle(u, rx->job_of[k], &rx->jobs[k]);
	/* from here on callbacks: no SA is touched any more */
	for (i = 0, k = 0; i < n && !u->dead; i++) {
		while (k < n_jobs && rx->job_of[k] < &rx->packets[i])
			k++;
		deliver(u, &rx->packets[i], &rx->jobs[k], now_ms);
	}
	inner_flush_tun(u);
}

void
rx_datagrams(struct user_plane *u, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		classify(u, &u->rx.packets[i]);
	rx_run(u, n);
}

void
rx_socket_ready(void *ctx, int events)
{
	struct user_socket *s = ctx;
	struct user_plane *u = s->user;
	struct user_rx *rx = &u->rx;
	size_t n = IO_BATCH, i;
	int turn;

	(void)events;
	user_enter(u);
	for (turn = 0; turn < USER_TURNS && n == IO_BATCH && !u->dead; turn++) {
		n = io_receive(
		    s->fd, &rx->io, rx->bufs, USER_RX_BYTES, rx->received);
		for (i = 0; i < n; i++)
			rx->packets[i] = (struct rx_packet){
			    .io = rx->received[i], .path = s->path};
		rx_datagrams(u, n);
	}
	user_leave(u);
}
