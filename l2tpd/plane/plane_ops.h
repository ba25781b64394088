/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plane_ops.h: what a plane implements. Contracts are those of the functions
 * in plane.h, through which everybody calls.
 */
#ifndef ADIT_PLANE_PLANE_OPS_H
#define ADIT_PLANE_PLANE_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/network.h"
#include "l2tpd/esp/esp.h"
#include "l2tpd/plane/plane_types.h"

struct plane;

struct plane_ops {
	void (*free)(struct plane *p);
	int (*sa_add)(struct plane *p, const struct esp_sa_params *params);
	int (*sa_update)(struct plane *p, uint32_t spi, bool inbound,
	    const struct endpoint *old_peer, const struct endpoint *local,
	    const struct endpoint *peer, bool encap);
	int (*sa_del)(struct plane *p, uint32_t spi, bool inbound,
	    const struct endpoint *peer);
	int (*sa_counters)(struct plane *p, uint32_t spi, bool inbound,
	    const struct endpoint *peer, struct esp_counters *ret);
	const char *(*cipher_name)(struct plane *p, uint32_t association);
	void (*spi_expect)(struct plane *p, uint32_t spi, bool expect);
	int (*ike_send)(struct plane *p, const struct endpoint *local,
	    const struct endpoint *peer, struct rd data);
	int (*l2tp_send)(struct plane *p, uint32_t association,
	    uint16_t peer_port, struct rd datagram);
	int (*session_add)(struct plane *p, const struct plane_session *s);
	void (*session_del)(struct plane *p, uint32_t id);
	int (*session_rebind)(struct plane *p, uint32_t id,
	    uint32_t association, uint16_t peer_port);
	int (*session_open_ipv4)(struct plane *p, uint32_t id,
	    const uint8_t address[4], uint16_t peer_mru);
	int (*session_open_ipv6)(struct plane *p, uint32_t id,
	    const uint8_t prefix[8], const uint8_t ifid[8], uint16_t peer_mru);
	int (*session_routes)(
	    struct plane *p, uint32_t id, const struct ipv4_networks *nets);
	void (*session_shut)(struct plane *p, uint32_t id);
	int (*ppp_send)(struct plane *p, uint32_t session, struct rd frame);
	int (*session_counters)(
	    struct plane *p, uint32_t id, struct plane_counters *ret);
	void (*totals)(struct plane *p, struct plane_totals *ret);
	/* NULL: PPP is not a pppd's in this plane. */
	int (*session_channel)(struct plane *p, uint32_t id);
};

/* Every plane begins with this. */
struct plane {
	const struct plane_ops *ops;
};

#endif
