/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tx.c: packets from the TUN device to the clients, a batch at a time: inner
 * destination, session, headers, one encryption for all, one sendmmsg for each
 * kind of socket. Owns nothing but the arrays in struct user_tx. There is no
 * callback on this way: pointers to sessions and SAs live for the batch.
 *
 * RFC 2661 3.1 (data without Length, sequence and offset), RFC 1661 2 (no
 * compressed fields: they were not negotiated), RFC 768 (no inner checksum:
 * RFC 3948 3.1.2; the ICV covers more). A packet that is too long and has DF
 * clear is sent whole: the peer must take 1500 bytes whatever its MRU says
 * (RFC 1661 6.1), and the kernel fragments to the TUN's MTU before.
 */
#include <string.h>
#include <unistd.h>

#include "base/wr.h"
#include "l2tpd/plane/user/user.h"
#include "l2tpd/proto/tunnel.h"

#define PROTO_UDP   17
#define PPP_IPV4    0x0021
#define PPP_IPV6    0x0057
#define PPP_AC      0xff03 /* address and control, RFC 1662 3.1 */
#define L2TP_DATA   0x0002 /* T, L, S, O clear; version 2 */
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
		return session_by_ipv4(&u->sessions, ip->dst);
	s = session_by_prefix(&u->sessions, ip->dst);
	return s != NULL && s->ipv6_open ? s : NULL;
}

/* Tell the sender, through the TUN device. */
static void
answer_too_big(struct user_plane *u, const uint8_t *p,
    const struct inet_packet *ip, uint16_t mtu)
{
	uint8_t answer[INET_TOO_BIG_MAX];
	size_t n;

	if (!ratelimit_take(&u->too_big_limit, loop_now_ms(u->loop)))
		return;
	n = inet_too_big(p, ip, mtu, answer, sizeof(answer));
	if (n > 0 && write(u->cfg.tun_fd, answer, n) < 0)
		u->totals.tun_write_errors++;
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
	wr_be16(&w, L2TP_DATA);
	wr_be16(&w, s->params.peer_tunnel_id);
	wr_be16(&w, s->params.peer_session_id);
	wr_be16(&w, PPP_AC);
	wr_be16(&w, ipv6 ? PPP_IPV6 : PPP_IPV4);
}

/* One packet from the TUN device, in its buffer: queued, or dropped. */
static void
prepare(struct user_plane *u, uint8_t *p, size_t len)
{
	struct user_tx *tx = &u->tx;
	struct user_session *s;
	struct inet_packet ip;
	struct esp_sa *sa;
	uint16_t mtu;
	bool ipv6;

	if (!inet_parse(rd_init(p, len), &ip)) {
		u->totals.drop_malformed++;
		return;
	}
	s = route(u, &ip);
	sa = s != NULL ? esp_sa_outbound_of(u->sas, s->params.association)
		       : NULL;
	if (sa == NULL) {
		u->totals.drop_no_route++;
		return;
	}
	ipv6 = ip.version == 6;
	mtu = tx_session_mtu(u, s, sa, ipv6);
	if (ip.total_bytes > mtu && ip.dont_fragment) {
		answer_too_big(u, p, &ip, mtu);
		return;
	}
	inet_clamp_mss(p, &ip, mtu);
	put_headers(s, p - USER_HEADERS_BYTES, ip.total_bytes, ipv6);
	tx->sessions[tx->n] = s;
	tx->inner_bytes[tx->n] = ip.total_bytes;
	tx->jobs[tx->n++] = (struct esp_job){
	    .sa = sa,
	    .data = p - USER_HEADERS_BYTES,
	    .len = USER_HEADERS_BYTES + ip.total_bytes,
	    .next_header = PROTO_UDP,
	};
}

static void
send_path(struct user_plane *u, enum user_path path, struct io_packet **packets,
    size_t n)
{
	struct io_result res;

	if (n == 0)
		return;
	res = io_send(
	    u->sockets[path].fd, path == PATH_ESP, &u->tx.io, packets, n);
	u->totals.tx_packets += res.sent;
	u->totals.drop_tx_full += res.full;
	u->totals.send_errors += res.failed;
}

static void
encrypt_and_send(struct user_plane *u)
{
	struct user_tx *tx = &u->tx;
	size_t n[2] = {0, 0}, i;
	const struct esp_job *j;
	unsigned int raw;

	esp_encrypt_batch(tx->jobs, tx->n, loop_now_ms(u->loop));
	for (i = 0; i < tx->n; i++) {
		j = &tx->jobs[i];
		if (j->verdict != ESP_OK) { /* SA used up: tell the engine */
			user_sa_used_up(u);
			u->totals.send_errors++;
			continue;
		}
		tx->sessions[i]->counters.packets_out++;
		tx->sessions[i]->counters.bytes_out += tx->inner_bytes[i];
		tx->packets[i] = (struct io_packet){.data = j->data,
		    .len = j->len,
		    .peer = *esp_sa_peer(j->sa),
		    .local = *esp_sa_local(j->sa)};
		raw = esp_sa_is_encap(j->sa) ? 0 : 1;
		tx->by_path[raw][n[raw]++] = &tx->packets[i];
	}
	send_path(u, PATH_UDP4500, tx->by_path[0], n[0]);
	send_path(u, PATH_ESP, tx->by_path[1], n[1]);
	u->totals.tx_batches += tx->n > 0;
	tx->n = 0;
}

void
tx_tun_ready(void *ctx, int events)
{
	struct user_plane *u = ctx;
	size_t i = USER_BATCH;
	uint8_t *p;
	ssize_t n;
	int turn;

	(void)events;
	for (turn = 0; turn < USER_TURNS && i == USER_BATCH; turn++) {
		for (i = 0; i < USER_BATCH; i++) {
			p = u->tx.bufs + i * USER_TX_BYTES + USER_HEADROOM;
			n = read(u->cfg.tun_fd, p, USER_TUN_MAX);
			if (n <= 0)
				break;
			prepare(u, p, (size_t)n);
		}
		encrypt_and_send(u);
	}
}
