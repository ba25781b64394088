/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tx.c: packets from the TUN device to the clients, a batch at a time: inner
 * destination, session, super-segments cut, headers, one encryption for all,
 * and what goes to one client goes as one message. Owns nothing but the arrays
 * in struct user_tx. There is no callback on this way: pointers to sessions and
 * SAs live for the batch.
 *
 * RFC 2661 3.1 (data without Length, sequence and offset), RFC 1661 2 (no
 * compressed fields: they were not negotiated), RFC 768 (no inner checksum:
 * RFC 3948 3.1.2; the ICV covers more). A packet that is too long and has DF
 * clear is sent whole: the peer must take 1500 bytes whatever its MRU says
 * (RFC 1661 6.1), and the kernel fragments to the TUN's MTU before.
 */
#include <string.h>

#include "base/counter.h"
#include "base/wr.h"
#include "l2tpd/plane/frame.h"
#include "l2tpd/plane/user/cut.h"
#include "l2tpd/plane/user/user.h"
#include "l2tpd/proto/tunnel.h"

#define PROTO_UDP   17
#define MTU_MINIMUM 576

uint16_t
tx_session_mtu(const struct user_plane *u, const struct user_session *s,
    const struct esp_sa *sa, bool ipv6)
{
	uint16_t mru = ipv6 ? s->mru_ipv6 : s->mru_ipv4;
	size_t mtu = u->cfg.inner_mtu, room;

	if (mru != 0 && mru < mtu)
		mtu = mru;
	if (sa != NULL) {
		room = esp_sa_payload_max(sa, u->cfg.outer_mtu);
		room =
		    room > USER_HEADERS_BYTES ? room - USER_HEADERS_BYTES : 0;
		if (room < mtu)
			mtu = room;
	}
	return (uint16_t)(mtu > MTU_MINIMUM ? mtu : MTU_MINIMUM);
}

static struct user_session *
route(const struct user_plane *u, const struct inet_packet *ip)
{
	struct user_session *s;

	if (ip->version == 4)
		return session_towards_ipv4(&u->sessions, ip->dst);
	s = session_by_prefix(&u->sessions, ip->dst);
	return s != NULL && s->ipv6_open ? s : NULL;
}

/* Tell the sender, through the TUN device. */
static void
answer_too_big(struct user_plane *u, const uint8_t *p,
    const struct inet_packet *ip, uint16_t mtu)
{
	static const struct vnet plain = {.gso = VNET_GSO_NONE};
	uint8_t answer[INET_TOO_BIG_MAX];
	struct iovec iov[2];
	size_t n;

	if (!ratelimit_take(&u->too_big_limit, loop_now_ms(u->loop)))
		return;
	n = inet_too_big(p, ip, mtu, answer, sizeof(answer));
	iov[1] = (struct iovec){answer, n};
	if (n > 0)
		tun_write(&u->tun, &plain, iov, 2);
}

static void
put_headers(
    const struct user_session *s, uint8_t *start, size_t inner_bytes, bool ipv6)
{
	struct wr w = wr_init(start, USER_HEADERS_BYTES);

	wr_be16(&w, L2TP_PORT);
	wr_be16(&w, s->params.peer_port);
	wr_be16(&w, (uint16_t)(USER_HEADERS_BYTES + inner_bytes));
	wr_be16(&w, 0);
	frame_put_l2tp(&w, s->params.peer_tunnel_id, s->params.peer_session_id);
	frame_put_ppp(&w, ipv6 ? PPP_IPV6 : PPP_IPV4);
}

/* ---- after the encryption: what goes together ---- */

/* RFC 2474 and RFC 6040 4: DSCP if it is wanted, ECN never: the outer header
 * of transport mode is not the inner one's (we do not carry marks back). */
static uint8_t
outer_tos(const struct user_plane *u, const struct inet_packet *ip)
{
	return u->cfg.copy_dscp ? ip->traffic_class & 0xfc : 0;
}

static size_t
hash_of(const struct esp_sa *sa)
{
	return ((uintptr_t)sa >> 6) * 2654435761u >> 8 & (TX_HASH - 1);
}

static bool
fits(const struct user_tx *tx, const struct tx_run *r, size_t i)
{
	const struct esp_job *j = &tx->jobs[i];

	return r->sa == j->sa && !r->closed && r->tos == tx->tos[i] &&
	    j->len <= r->segment_bytes && r->n < IO_SEGMENTS &&
	    r->bytes + j->len <= IO_MESSAGE_BYTES;
}

/* Packets of one SA keep their order: a run is only ever followed by a younger
 * one, and when another SA took its place in open_run it does not grow. */
static size_t
make_runs(struct user_plane *u)
{
	struct user_tx *tx = &u->tx;
	size_t i, n_runs = 0;
	const struct esp_job *j;
	struct tx_run *r;
	uint16_t *open;

	memset(tx->open_run, 0, sizeof(tx->open_run));
	for (i = 0; i < tx->n; i++) {
		j = &tx->jobs[i];
		if (j->verdict != ESP_OK) { /* SA used up: tell the engine */
			user_sa_used_up(u);
			u->totals.send_errors++;
			continue;
		}
		counter_add(&tx->sessions[i]->counters.packets_out, 1);
		counter_add(
		    &tx->sessions[i]->counters.bytes_out, tx->inner_bytes[i]);
		open = &tx->open_run[hash_of(j->sa)];
		r = *open > 0 ? &tx->runs[*open - 1] : NULL;
		if (r != NULL && fits(tx, r, i)) {
			tx->next[r->last] = (uint16_t)i;
			r->last = (uint16_t)i;
			r->n++;
			r->bytes += j->len;
			r->closed = j->len < r->segment_bytes;
			continue;
		}
		tx->runs[n_runs++] = (struct tx_run){.sa = j->sa,
		    .first = (uint16_t)i,
		    .last = (uint16_t)i,
		    .n = 1,
		    .tos = tx->tos[i],
		    .segment_bytes = j->len,
		    .bytes = j->len};
		*open = (uint16_t)n_runs;
	}
	return n_runs;
}

/* The run's packets as pieces of memory; returns how many. */
static size_t
gather(const struct user_tx *tx, const struct tx_run *r, struct iovec *ret)
{
	const struct esp_job *j;
	uint8_t *end = NULL;
	size_t n = 0;
	uint16_t at, k;

	for (k = 0, at = r->first; k < r->n; k++, at = tx->next[at]) {
		j = &tx->jobs[at];
		if (j->data == end)
			ret[n - 1].iov_len += j->len;
		else
			ret[n++] = (struct iovec){j->data, j->len};
		end = j->data + j->len;
	}
	return n;
}

static void
send_runs(struct user_plane *u, size_t n_runs)
{
	struct user_tx *tx = &u->tx;
	size_t n[2] = {0, 0}, i, n_iov = 0;
	const struct tx_run *r;
	struct io_run *out;
	unsigned int raw;

	for (i = 0; i < n_runs; i++) {
		r = &tx->runs[i];
		raw = esp_sa_is_encap(r->sa) ? 0 : 1;
		out = &tx->out[raw][n[raw]++];
		*out = (struct io_run){
		    .peer = esp_sa_peer(r->sa),
		    .local = esp_sa_local(r->sa),
		    .iov = &tx->iov[n_iov],
		    .n = r->n,
		    .segment_bytes = r->segment_bytes,
		    .tos = r->tos,
		};
		out->n_iov = gather(tx, r, out->iov);
		n_iov += out->n_iov;
	}
	if (n[0] > 0)
		io_send(&u->sockets[PATH_UDP4500].io, &tx->io, tx->out[0], n[0],
		    &u->sent);
	if (n[1] > 0)
		io_send(&u->sockets[PATH_ESP].io, &tx->io, tx->out[1], n[1],
		    &u->sent);
}

void
tx_flush(struct user_plane *u)
{
	struct user_tx *tx = &u->tx;
	bool gso = u->sockets[PATH_UDP4500].io.gso;

	if (tx->n == 0)
		return;
	esp_encrypt_batch(tx->jobs, tx->n, loop_now_ms(u->loop));
	send_runs(u, make_runs(u));
	if (gso != u->sockets[PATH_UDP4500].io.gso)
		user_chores_soon(u); /* tell */
	u->totals.tx_batches++;
	tx->n = tx->used_bytes = 0;
}

/* ---- from the TUN device ---- */

/* Cut into the arena, with headers in front; sends what is full. */
static void
queue(struct user_plane *u, struct user_session *s, struct esp_sa *sa,
    struct cut *c, uint16_t mtu)
{
	struct user_tx *tx = &u->tx;
	bool ipv6 = c->ip.version == 6, only = c->n_segments == 1;
	size_t front = esp_sa_front_bytes(sa), n;
	uint8_t *p; /* the payload of ESP; the IP packet is behind headers */

	for (;;) {
		if (tx->n == TX_PACKETS)
			tx_flush(u);
		p = tx->arena + tx->used_bytes + front;
		n = cut_next(c, p + USER_HEADERS_BYTES, tx->inner_max);
		if (n == 0)
			return;
		if (only && inet_is_syn(p + USER_HEADERS_BYTES, &c->ip))
			inet_clamp_mss(p + USER_HEADERS_BYTES, &c->ip, mtu);
		put_headers(s, p, n, ipv6);
		tx->sessions[tx->n] = s;
		tx->inner_bytes[tx->n] = (uint16_t)n;
		tx->tos[tx->n] = outer_tos(u, &c->ip);
		n += USER_HEADERS_BYTES;
		tx->used_bytes += esp_sa_sealed_bytes(sa, n);
		tx->jobs[tx->n++] = (struct esp_job){
		    .sa = sa, .data = p, .len = n, .next_header = PROTO_UDP};
	}
}

/* A peer that says it moved into its own network: the kernel brings us the ESP
 * that we send there, and it would go round and round. */
static bool
leads_into_itself(const struct user_session *s, const struct esp_sa *sa,
    const struct inet_packet *ip)
{
	const struct endpoint *peer = esp_sa_peer(sa);

	return s->has_networks && ip->version == 4 && peer->family == 4 &&
	    memcmp(ip->dst, peer->addr, 4) == 0;
}

void
tx_input(struct user_plane *u, const struct vnet *h, const uint8_t *p,
    size_t len, bool foreign)
{
	struct user_session *s;
	struct esp_sa *sa;
	struct cut c;
	uint16_t mtu;

	if (!cut_begin(&c, h, p, len) || c.segment_bytes > u->tx.inner_max) {
		u->totals.drop_malformed++;
		return;
	}
	s = route(u, &c.ip);
	if (s == NULL && !foreign && u->foreign != NULL) {
		u->foreign(u->ctx, h, p, len);
		return;
	}
	sa = s != NULL ? esp_sa_outbound_of(u->sas, s->params.association)
		       : NULL;
	if (sa == NULL || leads_into_itself(s, sa, &c.ip)) {
		u->totals.drop_no_route += c.n_segments;
		return;
	}
	mtu = tx_session_mtu(u, s, sa, c.ip.version == 6);
	if (c.segment_bytes > mtu && c.ip.dont_fragment) {
		answer_too_big(u, p, &c.ip, mtu);
		return;
	}
	queue(u, s, sa, &c, mtu);
}

void
tx_tun_ready(void *ctx, int events)
{
	struct user_plane *u = ctx;
	const uint8_t *p;
	struct vnet h;
	size_t n = 1;
	int turn;

	(void)events;
	for (turn = 0; (turn < USER_TURNS && n > 0) || tun_has_more(&u->tun);
	     turn++) {
		do {
			n = tun_read(
			    &u->tun, &h, &p, &u->totals.drop_malformed);
			if (n > 0)
				tx_input(u, &h, p, n, false);
		} while (n > 0 && u->tx.n < TX_FULL);
		tx_flush(u);
	}
}
