/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plane_types.h: the values that go between the engine and a plane (plane.h):
 * events, descriptors, sessions, counters.
 */
#ifndef ADIT_PLANE_PLANE_TYPES_H
#define ADIT_PLANE_PLANE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/rd.h"

/* What the kernel may do for many packets at once. Each is left out by itself
 * where the kernel lacks it or does it wrong. */
enum plane_offload {
	PLANE_TUN_TCP = 1, /* super-segments from and to the TUN device */
	PLANE_TUN_UDP = 2, /* the same for UDP, Linux 6.2 */
	PLANE_UDP_GSO = 4, /* many ESP packets in one send, Linux 4.18 */
	PLANE_UDP_GRO = 8, /* and in one receive, Linux 5.0 */
	PLANE_OFFLOAD_ALL = 15,
};

/* Questions of a session (service below): as many at once, then a second. */
#define PLANE_SERVICES_BURST 10
#define PLANE_SERVICES_RATE  3

struct plane_events {
	/* An IKE datagram (on 4500: the non-ESP marker already stripped; on
	 * port 4500 local.port tells). data borrowed for the call. */
	void (*ike)(void *ctx, const struct endpoint *peer,
	    const struct endpoint *local, struct rd data);
	/* An L2TP control datagram, or a data packet of no known session (a
	 * session of another association is none), that came decrypted and
	 * authenticated over the association. */
	void (*l2tp)(void *ctx, uint32_t association,
	    const struct endpoint *peer, uint16_t peer_port, struct rd data);
	/* A PPP frame that is not IP of an open session. */
	void (*ppp)(void *ctx, uint32_t session, struct rd frame);
	/* An IP packet of an open session that asks for what the engine knows:
	 * DHCP, router solicitations. Its source is the session's address (or
	 * ::), of the rest only lengths were looked at. A few a second of each
	 * session, others are lost. */
	void (*service)(void *ctx, uint32_t session, struct rd packet);
	/* ESP authenticated from a new outer endpoint (NAT mapping changed).
	 * The plane already sends there. */
	void (*moved)(void *ctx, uint32_t association, uint32_t spi_in,
	    const struct endpoint *peer);
	/* An SA used up a hard limit; the plane no longer uses it. */
	void (*expired)(void *ctx, uint32_t spi, bool inbound);
	/* ESP with an SPI that is not there (rate-limited by the plane);
	 * the engine may hold on: larval SPIs are announced by
	 * plane_spi_expect(). */
	void (*unknown_spi)(
	    void *ctx, const struct endpoint *peer, uint32_t spi);
	/* The kernel refused an offload; it is not used any more. */
	void (*offload_off)(void *ctx, enum plane_offload what);
};

/* Descriptors come from the monitor; adopted by the plane. -1: not there. */
struct plane_config {
	int udp500_fd;         /* bound, IP_PKTINFO on */
	int udp4500_fd;        /* bound, IP_PKTINFO on */
	int esp_fd;            /* raw IPPROTO_ESP, IP_PKTINFO on */
	int tun_fd;            /* IFF_TUN | IFF_NO_PI */
	uint16_t inner_mtu;    /* of the TUN device, bytes */
	uint16_t outer_mtu;    /* bytes, e.g. 1500 */
	uint8_t gateway[4];    /* ours on every link; 0: none, a client */
	bool tun_vnet;         /* a virtio_net_hdr is in front of each packet */
	bool copy_dscp;        /* of the inner packet to the outer one */
	unsigned int offloads; /* enum plane_offload */
};

/* For .tun_vnet: was the TUN device of fd opened with IFF_VNET_HDR? */
bool plane_tun_has_vnet(int fd);

struct plane_session {
	uint32_t id; /* engine's handle, not 0, unique */
	uint32_t association;
	uint16_t local_tunnel_id, local_session_id; /* in packets we receive */
	uint16_t peer_tunnel_id, peer_session_id;   /* in packets we send */
	uint16_t peer_port; /* UDP, inside ESP; ours is 1701 */
	/* We are the client: all that the TUN device gives goes here, and its
	 * peer may send from any address but ours. One at a time is open. */
	bool uplink;
};

struct plane_counters {
	uint64_t bytes_in, packets_in;   /* from the client, inner IP bytes */
	uint64_t bytes_out, packets_out; /* to the client */
	uint64_t spoofed;                /* wrong inner source, dropped */
	uint64_t last_in_ms;             /* 0: never */
};

struct plane_totals {         /* whole plane, for status */
	unsigned int workers; /* that carry packets */
	uint64_t rx_packets, tx_packets, rx_batches, tx_batches;
	uint64_t drop_unknown_spi, drop_bad_icv, drop_replayed, drop_malformed;
	uint64_t drop_no_session, drop_spoofed, drop_no_route, drop_tx_full;
	uint64_t tun_write_errors, send_errors;
	/* how well batches and offloads do: system calls' worth of packets */
	uint64_t rx_messages, tx_messages, tun_reads, tun_writes;
	/* times that an offload was refused and single packets went instead */
	uint64_t gso_refused, tun_refused;
	uint64_t bad_inner_sums; /* passed on unmerged */
	const char *crypto; /* whose it is: "ipsec-mb 1.3.0 (...), ..."; NULL:
			       the plane has none. Lives as long as the plane */
};

#endif
