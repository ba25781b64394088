/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * priv_msg.h: what the monitor and its children say to each other (imsg.h).
 * A child gets, in this order: CONF, any number of FD, GO. Later it may ask
 * only for the operations below: enumerated, on objects that the monitor
 * already knows; never a path, a name or a flag word.
 */
#ifndef ADIT_BASE_PRIV_MSG_H
#define ADIT_BASE_PRIV_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/network.h"
#include "base/rd.h"
#include "base/wr.h"

enum priv_msg_type {
	/* monitor to child */
	PRIV_MSG_CONF = 1, /* payload: struct adit_conf of the same binary */
	/* payload: be16 worker, be16 enum priv_fd; carries a descriptor */
	PRIV_MSG_FD = 2,
	PRIV_MSG_GO = 3,   /* empty: everything was said, begin */
	PRIV_MSG_STOP = 4, /* empty: end in an orderly way, then exit */
	PRIV_MSG_VICI = 5, /* empty; carries a connected vici descriptor */
	/* be32 mark; carries the socket that was wanted */
	PRIV_MSG_MARKED = 6,
	/* be32 session; carries the line to its pppd (base/link_msg.h), whose
	 * other end is closed when it could not be started */
	PRIV_MSG_PPPD_LINE = 7,
	/* child to monitor */
	PRIV_MSG_VICI_WANT = 16, /* empty: (re)connect me to charon's vici */
	PRIV_MSG_READY = 17,     /* empty: the child does its work now */
	/* the engine of a client to the monitor */
	PRIV_MSG_LINK_UP = 18,    /* struct priv_link: addresses were agreed */
	PRIV_MSG_LINK_DOWN = 19,  /* empty: take them away again */
	PRIV_MSG_CLIENT_END = 20, /* be32 enum priv_end: do not dial again */
	/* the engine of a server to the monitor */
	PRIV_MSG_ROUTES = 21, /* struct priv_routes */
	/* ... in the kernel plane */
	PRIV_MSG_MARKED_WANT = 22, /* be32 mark, within our bits */
	/* be32 session; carries its PPPoL2TP socket: start a pppd on it */
	PRIV_MSG_PPPD_START = 23,
	PRIV_MSG_PPPD_END = 24,  /* be32 session: it says goodbye and ends */
	PRIV_MSG_PPPD_KILL = 25, /* be32 session: it does not end by itself */
	/* struct priv_forget: a charon was killed and left this */
	PRIV_MSG_FORGET = 26,
};

/* What the server said about the link: a peer's values, checked by get. */
struct priv_link {
	uint8_t local[4];  /* ours, for the TUN device */
	uint8_t peer[4];   /* the server's inside the tunnel; 0: not told */
	uint8_t dns[2][4]; /* 0: none */
};

/* The networks behind the device of a session: routes to the TUN device, in
 * place of those of before; none: take them away. */
struct priv_routes {
	uint32_t session;
	struct ipv4_networks nets;
};
#define PRIV_ROUTES_BYTES_MAX (5 + 5 * IPV4_NETWORKS_MAX)

/* What the kernel still has of an association. */
struct priv_forget {
	uint32_t mark;             /* within our bits */
	uint8_t local[4], peer[4]; /* outer addresses */
	uint32_t spi_in, spi_out;  /* host byte order; 0: none */
	bool policies;             /* nobody else has this mark and peer */
};
#define PRIV_FORGET_BYTES 21

/* Why a client ends by itself; also the exit status of l2tpd, less
 * PRIV_END_STATUS. */
enum priv_end {
	PRIV_END_ONCE = 0,           /* it was to dial once only */
	PRIV_END_WRONG_PSK = 1,      /* or the certificate does not fit */
	PRIV_END_CERTIFICATE = 2,    /* the server's, or ours for the server */
	PRIV_END_WRONG_PASSWORD = 3, /* user name or password */
	PRIV_END_NOT_GENUINE = 4,    /* the server does not know the password */
	PRIV_END_COUNT_ = 5,
};
#define PRIV_END_STATUS 64

/* Are its addresses ones that hosts can have (not 0, 127, 169.254, multicast
 * and above)? */
bool priv_link_is_sane(const struct priv_link *l);
/* put: false when w is full. get: false when malformed or not sane. */
bool priv_msg_put_link(struct wr *w, const struct priv_link *l);
bool priv_msg_get_link(struct rd *r, struct priv_link *ret);
bool priv_msg_put_routes(struct wr *w, const struct priv_routes *p);
bool priv_msg_get_routes(struct rd *r, struct priv_routes *ret);
bool priv_msg_put_forget(struct wr *w, const struct priv_forget *f);
bool priv_msg_get_forget(struct rd *r, struct priv_forget *ret);
bool priv_msg_get_end(struct rd *r, enum priv_end *ret);

enum priv_fd {
	/* engine; UDP4500, ESP and TUN for each of its workers */
	PRIV_FD_UDP500 = 1,
	PRIV_FD_UDP4500 = 2,
	PRIV_FD_ESP = 3,
	PRIV_FD_TUN = 4,
	PRIV_FD_PLANE_LISTEN = 5, /* charon's plugin connects here */
	PRIV_FD_CONTROL_LISTEN = 6,
	/* both: the two ends of the engine's line to the authority */
	PRIV_FD_AUTH_CHANNEL = 7,
	/* authority: opened for reading */
	PRIV_FD_PSK = 8,
	PRIV_FD_CA = 9,
	PRIV_FD_CRL = 10,
	PRIV_FD_CERTIFICATE = 11,
	PRIV_FD_KEY = 12,
	/* engine of a client: the user's password */
	PRIV_FD_PASSWORD = 13,
	/* engine: the maps of l2tpd/monitor/tun_steer.h */
	PRIV_FD_TUN_ADDRESSES = 14,
	PRIV_FD_TUN_NETWORKS = 15,
	/* engine of the kernel plane: UDP 1701 */
	PRIV_FD_UDP1701 = 16,
	PRIV_FD_SERVICES = 17, /* l2tpd/monitor/service_socket.h */
	PRIV_FD_COUNT_ = 18,
};

#endif
