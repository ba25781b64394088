/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plane.h: who carries packets. The engine speaks to a plane only through this
 * header; planes are `user` (ours), `kernel` and `null` (tests).
 *
 * Owner: the engine owns the plane. Call only from the engine process.
 * Reentrancy: a callback may call any plane_ function, also one that deletes
 * the SA or session that the callback is about.
 */
#ifndef ADIT_PLANE_PLANE_H
#define ADIT_PLANE_PLANE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "l2tpd/esp/esp.h"
#include "l2tpd/plane/plane_ops.h"
#include "l2tpd/plane/plane_types.h"

/* The user plane. cfg and events borrowed, copied. NULL: see errno. */
struct plane *plane_user_new(struct loop *loop, const struct plane_config *cfg,
    const struct plane_events *events, void *ctx);

/* Errors of all calls below: -ENOENT unknown object, -ENOMEM, -EEXIST,
 * -EINVAL, -ENOBUFS queue full (drop and go on). */

static inline void
plane_free(struct plane *p)
{
	if (p != NULL)
		p->ops->free(p);
}

/* Install, move, remove an SA. old_peer/peer: addresses as charon knows them;
 * only used to tell outbound SAs with equal SPI apart (they may be older than
 * what the plane learnt by moved()). sa_add: errors of esp_sa_add(). */
static inline int
plane_sa_add(struct plane *p, const struct esp_sa_params *params)
{
	return p->ops->sa_add(p, params);
}

static inline int
plane_sa_update(struct plane *p, uint32_t spi, bool inbound,
    const struct endpoint *old_peer, const struct endpoint *local,
    const struct endpoint *peer, bool encap)
{
	return p->ops->sa_update(p, spi, inbound, old_peer, local, peer, encap);
}

static inline int
plane_sa_del(
    struct plane *p, uint32_t spi, bool inbound, const struct endpoint *peer)
{
	return p->ops->sa_del(p, spi, inbound, peer);
}

static inline int
plane_sa_counters(struct plane *p, uint32_t spi, bool inbound,
    const struct endpoint *peer, struct esp_counters *ret)
{
	return p->ops->sa_counters(p, spi, inbound, peer, ret);
}

/* "aes256-sha1" of the association's newest outbound SA, "-" if none. */
static inline const char *
plane_cipher_name(struct plane *p, uint32_t association)
{
	return p->ops->cipher_name(p, association);
}

/* An SPI that charon has handed out: the plane holds up to 4 packets for it
 * for up to 2 s, until sa_add (replayed then) or expect=false. */
static inline void
plane_spi_expect(struct plane *p, uint32_t spi, bool expect)
{
	p->ops->spi_expect(p, spi, expect);
}

/* An IKE datagram from charon; from local.port 4500 (or when the peer's port
 * is not 500) the plane adds the non-ESP marker exactly when the datagram has
 * to carry one: data is the IKE message WITHOUT marker. */
static inline int
plane_ike_send(struct plane *p, const struct endpoint *local,
    const struct endpoint *peer, struct rd data)
{
	return p->ops->ike_send(p, local, peer, data);
}

/* An L2TP datagram (control) to UDP peer_port inside the association's newest
 * outbound SA. -ENOENT: no outbound SA. */
static inline int
plane_l2tp_send(struct plane *p, uint32_t association, uint16_t peer_port,
    struct rd datagram)
{
	return p->ops->l2tp_send(p, association, peer_port, datagram);
}

static inline int
plane_session_add(struct plane *p, const struct plane_session *s)
{
	return p->ops->session_add(p, s);
}

static inline void
plane_session_del(struct plane *p, uint32_t id)
{
	p->ops->session_del(p, id);
}

/* The client came back over another association: move the session there. */
static inline int
plane_session_rebind(
    struct plane *p, uint32_t id, uint32_t association, uint16_t peer_port)
{
	return p->ops->session_rebind(p, id, association, peer_port);
}

/* Let IP flow: only packets from address get in, packets to it go out. */
static inline int
plane_session_open_ipv4(
    struct plane *p, uint32_t id, const uint8_t address[4], uint16_t peer_mru)
{
	return p->ops->session_open_ipv4(p, id, address, peer_mru);
}

static inline int
plane_session_open_ipv6(struct plane *p, uint32_t id, const uint8_t prefix[8],
    const uint8_t ifid[8], uint16_t peer_mru)
{
	return p->ops->session_open_ipv6(p, id, prefix, ifid, peer_mru);
}

/* Networks behind the peer of a session whose IPv4 is open: packets from there
 * get in as well, packets to there go out. Replaces those of before; shut takes
 * them away. -EEXIST: another session has (a part of) one, -EINVAL: not a sane
 * one; there are none then. */
static inline int
plane_session_routes(
    struct plane *p, uint32_t id, const struct ipv4_networks *nets)
{
	return p->ops->session_routes(p, id, nets);
}

/* Stop all IP of the session (PPP went down); PPP frames still pass. */
static inline void
plane_session_shut(struct plane *p, uint32_t id)
{
	p->ops->session_shut(p, id);
}

/* A PPP frame (FF 03 first) to the session's peer. */
static inline int
plane_ppp_send(struct plane *p, uint32_t session, struct rd frame)
{
	return p->ops->ppp_send(p, session, frame);
}

/* For a pppd: the session's PPPoL2TP socket, which is also its PPP channel. A
 * duplicate that the caller closes; -ENOTSUP: this plane has none. */
static inline int
plane_session_channel(struct plane *p, uint32_t id)
{
	return p->ops->session_channel != NULL ? p->ops->session_channel(p, id)
					       : -ENOTSUP;
}

static inline int
plane_session_counters(struct plane *p, uint32_t id, struct plane_counters *ret)
{
	return p->ops->session_counters(p, id, ret);
}

static inline void
plane_totals(struct plane *p, struct plane_totals *ret)
{
	p->ops->totals(p, ret);
}

#endif
