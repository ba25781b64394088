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
	struct rd r = rd_init(p->data, p->len);
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
		p->data += MARKER_BYTES;
		p->len -= MARKER_BYTES;
	}
}

/* A raw socket for IPv4 delivers the outer header too (raw(7)). */
static void
classify_raw_esp(struct rx_packet *p)
{
	struct inet_packet ip;

	p->kind = RX_ESP;
	if (p->from->peer.family != 4)
		return;
	if (!inet_parse(rd_init(p->data, p->len), &ip) || ip.version != 4) {
		p->kind = RX_DROP;
		return;
	}
	p->data += ip.header_bytes;
	p->len = ip.total_bytes - ip.header_bytes;
}

static void
classify(struct user_plane *u, struct rx_packet *p)
{
	switch (p->path) {
	case PATH_UDP500:
		p->kind = p->len > 0 ? RX_IKE : RX_DROP;
		break;
	case PATH_UDP4500:
		classify_udp4500(p);
		break;
	default:
		classify_raw_esp(p);
		break;
	}
	u->totals.rx_packets += p->kind == RX_ESP;
}

/* The SA of an ESP packet: RFC 4301 4.4.2.1, by SPI alone. */
static struct esp_sa *
find_sa(struct user_plane *u, struct rx_packet *p)
{
	struct rd r = rd_init(p->data, p->len);
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
	    !endpoint_equal(&p->from->peer, esp_sa_peer(j->sa));
	if (p->moved) /* at once: the rest of the batch comes from there too */
		esp_association_move(
		    u->sas, p->association, &p->from->local, &p->from->peer);
}

static void
unknown_spi(struct user_plane *u, const struct rx_packet *p, uint64_t now_ms)
{
	if (larval_hold(u->larval, p, now_ms))
		return;
	u->totals.drop_unknown_spi++;
	if (ratelimit_take(&u->unknown_spi_limit, now_ms))
		u->events.unknown_spi(u->ctx, &p->from->peer, p->spi);
}

static void
deliver(struct user_plane *u, const struct rx_packet *p,
    const struct esp_job *j, uint64_t now_ms)
{
	switch (p->kind) {
	case RX_IKE:
		u->events.ike(u->ctx, &p->from->peer, &p->from->local,
		    rd_init(p->data, p->len));
		break;
	case RX_UNKNOWN:
		unknown_spi(u, p, now_ms);
		break;
	default:
		if (p->moved)
			u->events.moved(
			    u->ctx, p->association, p->spi, &p->from->peer);
		if (p->kind == RX_PAYLOAD && !u->dead)
			inner_input(u, p->association, &p->from->peer,
			    j->next_header, j->data, j->len);
		break;
	}
}

/* The SAs of all packets; returns the number of jobs. */
static size_t
make_jobs(struct user_plane *u, size_t n)
{
	struct user_rx *rx = &u->rx;
	size_t i, n_jobs = 0;
	struct rx_packet *p;
	struct esp_sa *sa;

	for (i = 0; i < n; i++) {
		p = &rx->packets[i];
		if (p->kind != RX_ESP)
			continue;
		sa = find_sa(u, p);
		if (sa == NULL)
			continue;
		rx->job_of[n_jobs] = p;
		rx->jobs[n_jobs++] =
		    (struct esp_job){.sa = sa, .data = p->data, .len = p->len};
	}
	return n_jobs;
}

void
rx_run(struct user_plane *u, size_t n)
{
	struct user_rx *rx = &u->rx;
	uint64_t now_ms = loop_now_ms(u->loop);
	size_t i, k, n_jobs = make_jobs(u, n);

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
	inner_flush(u);
}

void
rx_messages(struct user_plane *u, enum user_path path, size_t n)
{
	struct user_rx *rx = &u->rx;
	size_t i, at, n_packets = 0;
	struct io_message *m;
	struct rx_packet *p;

	for (i = 0; i < n && !u->dead; i++) {
		m = &rx->messages[i];
		m->local.port = path == PATH_UDP500 ? 500 : 4500;
		if (path == PATH_ESP)
			m->local.port = m->peer.port = 0;
		for (at = 0; at < m->len; at += m->segment_bytes) {
			if (n_packets == RX_PACKETS) {
				rx_run(u, n_packets);
				n_packets = 0;
				if (u->dead)
					return;
			}
			p = &rx->packets[n_packets++];
			*p = (struct rx_packet){.data = m->data + at,
			    .len = m->len - at < m->segment_bytes
				? m->len - at
				: m->segment_bytes,
			    .from = m,
			    .path = path};
			classify(u, p);
		}
	}
	if (!u->dead)
		rx_run(u, n_packets);
}

static bool
any_merged(const struct io_message *m, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (m[i].segment_bytes < m[i].len)
			return true;
	return false;
}

void
rx_socket_ready(void *ctx, int events)
{
	struct user_socket *s = ctx;
	struct user_plane *u = s->user;
	struct user_rx *rx = &u->rx;
	size_t n, want;
	int turn;

	(void)events;
	user_enter(u);
	for (turn = 0; turn < USER_TURNS && !u->dead; turn++) {
		want = s->merged ? RX_MERGED : RX_MESSAGES;
		n = io_receive(&s->io, &rx->io, rx->bufs, RX_BUF_BYTES,
		    RX_STRIDE, want, rx->messages);
		u->totals.rx_messages += n;
		s->merged = any_merged(rx->messages, n);
		rx_messages(u, s->path, n);
		if (n < want)
			break;
	}
	user_leave(u);
}
