/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * send.c: single packets that the engine sends: IKE of charon, L2TP control,
 * PPP frames. They are built on the stack, so that the engine may send from
 * inside any callback. Owns nothing.
 */
#include <errno.h>

#include "base/wr.h"
#include "l2tpd/plane/frame.h"
#include "l2tpd/plane/user/user.h"
#include "l2tpd/proto/tunnel.h"

#define PROTO_UDP   17
#define PAYLOAD_MAX 4096 /* bytes of an L2TP datagram */

int
send_ike(struct user_plane *u, const struct endpoint *local,
    const struct endpoint *peer, struct rd data)
{
	uint8_t buf[USER_IKE_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	bool natt = local->port == 4500;

	/* RFC 3948 2.2: the marker is what tells IKE from ESP on port 4500 */
	if (natt)
		wr_be32(&w, 0);
	wr_bytes(&w, data.p, data.left);
	if (!wr_ok(&w) || data.left == 0)
		return -EINVAL;
	return io_send_one(&u->sockets[natt ? PATH_UDP4500 : PATH_UDP500].io,
	    local, peer, buf, wr_rd(&w).left);
}

/* w: room for ESP and UDP in front, then the L2TP datagram. */
static int
send_esp(struct user_plane *u, uint32_t association, uint16_t peer_port,
    uint8_t *datagram, size_t len)
{
	struct esp_sa *sa = esp_sa_outbound_of(u->sas, association);
	struct wr udp = wr_init(datagram - USER_UDP_BYTES, USER_UDP_BYTES);
	struct esp_job j = {
	    .sa = sa,
	    .data = datagram - USER_UDP_BYTES,
	    .len = USER_UDP_BYTES + len,
	    .next_header = PROTO_UDP,
	};
	int rc;

	if (sa == NULL)
		return -ENOENT;
	wr_be16(&udp, L2TP_PORT);
	wr_be16(&udp, peer_port);
	wr_be16(&udp, (uint16_t)(USER_UDP_BYTES + len));
	wr_be16(&udp, 0); /* none: RFC 3948 3.1.2; the ICV covers more */
	esp_encrypt_batch(&j, 1, loop_now_ms(u->loop));
	if (j.verdict != ESP_OK) {
		user_sa_used_up(u);
		return -ENOENT; /* used up: as good as gone */
	}
	rc = io_send_one(
	    &u->sockets[esp_sa_is_encap(sa) ? PATH_UDP4500 : PATH_ESP].io,
	    esp_sa_local(sa), esp_sa_peer(sa), j.data, j.len);
	u->totals.tx_packets += rc == 0;
	u->totals.drop_tx_full += rc == -ENOBUFS;
	u->totals.send_errors += rc < 0 && rc != -ENOBUFS;
	return rc;
}

int
send_l2tp(struct user_plane *u, uint32_t association, uint16_t peer_port,
    struct rd datagram)
{
	uint8_t buf[USER_HEADROOM + PAYLOAD_MAX + ESP_OVERHEAD_MAX];
	struct wr w = wr_init(buf + USER_HEADROOM, PAYLOAD_MAX);

	if (!wr_bytes(&w, datagram.p, datagram.left))
		return -EINVAL;
	return send_esp(
	    u, association, peer_port, buf + USER_HEADROOM, wr_rd(&w).left);
}

int
send_ppp(struct user_plane *u, uint32_t session, struct rd frame)
{
	const struct user_session *s = session_by_id(&u->sessions, session);
	uint8_t buf[USER_HEADROOM + PAYLOAD_MAX + ESP_OVERHEAD_MAX];
	struct wr w = wr_init(buf + USER_HEADROOM, PAYLOAD_MAX);

	if (s == NULL)
		return -ENOENT;
	frame_put_l2tp(&w, s->params.peer_tunnel_id, s->params.peer_session_id);
	if (!wr_bytes(&w, frame.p, frame.left))
		return -EINVAL;
	return send_esp(u, s->params.association, s->params.peer_port,
	    buf + USER_HEADROOM, wr_rd(&w).left);
}
