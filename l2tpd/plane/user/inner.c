/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inner.c: what a client sent inside ESP: UDP, L2TP, PPP, IP. IP of an open
 * session goes to the TUN device, everything else to the engine. Owns nothing.
 * The packet is authenticated, but its sender is any client: nothing in it is
 * trusted, and a session is only reachable through its own association.
 *
 * RFC 768, 2661 3.1 and 5.3, 1661 2 and 6.5, done as specified, with these
 * exceptions:
 *  - the inner UDP checksum is not verified: behind a NAT it was made over
 *    addresses that we never see (RFC 3948 3.1.2 (b)); the ICV covers more;
 *  - sequence numbers of data packets are read over, order is not restored (we
 *    never ask for them, RFC 2661 4.4.6);
 *  - frames may come with or without address, control and the first protocol
 *    byte, whatever was negotiated.
 */
#include <string.h>

#include "base/counter.h"
#include "l2tpd/plane/frame.h"
#include "l2tpd/plane/user/user.h"
#include "l2tpd/proto/tunnel.h"

#define PROTO_UDP 17

void
inner_emit(void *ctx, const struct vnet *h, struct iovec *iov, int n_iov)
{
	struct user_plane *u = ctx;

	tun_write(&u->tun, h, iov, n_iov);
}

void
inner_flush(struct user_plane *u)
{
	struct coalesce *c = &u->rx.coalesce;

	coalesce_flush(c);
	if (c->features != u->tun.features) { /* one turned out broken */
		coalesce_set_features(c, u->tun.features);
		user_chores_soon(u); /* tell */
	}
}

static bool
is_link_local_of(const uint8_t src[16], const uint8_t ifid[8])
{
	static const uint8_t link_local[8] = {0xfe, 0x80};

	return memcmp(src, link_local, 8) == 0 && memcmp(src + 8, ifid, 8) == 0;
}

/* A client's source is its own, or one to which packets go through it; a
 * server's is any but ours. */
static bool
is_own_source(const struct user_plane *u, const struct user_session *s,
    const struct inet_packet *ip)
{
	static const uint8_t none[8];

	if (ip->version == 4 && s->has_networks)
		return session_towards_ipv4(&u->sessions, ip->src) == s;
	if (ip->version == 4)
		return (memcmp(ip->src, s->ipv4, 4) == 0) != s->params.uplink;
	return is_link_local_of(ip->src, s->ifid) ||
	    (memcmp(s->prefix, none, 8) != 0 &&
		memcmp(ip->src, s->prefix, 8) == 0);
}

/* RFC 3193 says nothing of it, RFC 2827 does: no foreign source addresses.
 * data: the start of what r reads in, to get writable memory again. */
static void
input_ip(struct user_plane *u, struct user_session *s, uint8_t *data,
    struct rd r, bool ipv6)
{
	uint8_t *p = data + (r.p - data);
	const struct esp_sa *sa;
	struct inet_packet ip;
	bool service;

	if (!inet_parse(r, &ip) || ip.version != (ipv6 ? 6 : 4)) {
		u->totals.drop_malformed++;
		return;
	}
	service = !s->params.uplink && inet_is_service(p, &ip, u->cfg.gateway);
	/* RFC 4862 5.4.2: who has no address yet may ask whether it is free */
	if (!is_own_source(u, s, &ip) &&
	    !(service && ipv6 && inet_is_unspecified(&ip))) {
		counter_add(&s->counters.spoofed, 1);
		u->totals.drop_spoofed++;
		return;
	}
	if (service) {
		if (ratelimit_take(&s->services, loop_now_ms(u->loop)))
			u->events.service(
			    u->ctx, s->params.id, rd_init(p, ip.total_bytes));
		return;
	}
	if (inet_is_syn(p, &ip)) {
		sa = esp_sa_outbound_of(u->sas, s->params.association);
		inet_clamp_mss(p, &ip, tx_session_mtu(u, s, sa, ipv6));
	}
	counter_add(&s->counters.packets_in, 1);
	counter_add(&s->counters.bytes_in, ip.total_bytes);
	coalesce_add(&u->rx.coalesce, p, &ip);
}

static void
input_frame(struct user_plane *u, struct user_session *s, uint8_t *data,
    struct rd frame)
{
	struct rd r = frame;
	uint16_t protocol;

	counter_set(&s->counters.last_in_ms, loop_now_ms(u->loop));
	if (frame_protocol(&r, &protocol) &&
	    ((protocol == PPP_IPV4 && s->ipv4_open) ||
		(protocol == PPP_IPV6 && s->ipv6_open)))
		input_ip(u, s, data, r, protocol == PPP_IPV6);
	else
		u->events.ppp(u->ctx, s->params.id, frame);
}

/* RFC 768; the inner port of the server is L2TP's, nothing else is in the
 * traffic selectors (RFC 3193 4). */
static bool
parse_udp(struct rd *r, uint16_t *ret_src, struct rd *ret_payload)
{
	uint16_t dst, len, checksum;

	rd_be16(r, ret_src);
	rd_be16(r, &dst);
	rd_be16(r, &len);
	rd_be16(r, &checksum);
	return rd_ok(r) && dst == L2TP_PORT && len >= USER_UDP_BYTES &&
	    rd_sub(r, (size_t)len - USER_UDP_BYTES, ret_payload);
}

void
inner_input(struct user_plane *u, uint32_t association,
    const struct endpoint *peer, uint8_t next_header, uint8_t *data, size_t len)
{
	struct rd r = rd_init(data, len), datagram, head_reader;
	struct l2tp_packet_head head;
	struct user_session *s;
	uint16_t src_port;

	if (next_header != PROTO_UDP || !parse_udp(&r, &src_port, &datagram)) {
		u->totals.drop_malformed++;
		return;
	}
	head_reader = datagram;
	if (!l2tp_parse_head(&head_reader, &head)) {
		u->totals.drop_malformed++;
		return;
	}
	if (!head.is_control) {
		s = session_by_key(
		    &u->sessions, head.tunnel_id, head.session_id);
		/* Another association's session does not exist for this one */
		if (s != NULL && s->params.association == association) {
			input_frame(u, s, data, head.payload);
			return;
		}
		u->totals.drop_no_session++;
	}
	u->events.l2tp(u->ctx, association, peer, src_port, datagram);
}

void
inner_foreign(
    struct user_plane *u, uint32_t association, uint8_t *data, size_t len)
{
	struct rd r = rd_init(data, len);
	struct l2tp_packet_head head;
	struct user_session *s;

	if (!l2tp_parse_head(&r, &head) || head.is_control)
		return;
	s = session_by_key(&u->sessions, head.tunnel_id, head.session_id);
	if (s != NULL && s->params.association == association)
		input_frame(u, s, data, head.payload);
	else
		u->totals.drop_no_session++;
}
