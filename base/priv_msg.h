/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * priv_msg.h: what the monitor and its children say to each other (imsg.h).
 * A child gets, in this order: CONF, any number of FD, GO. Later it may ask
 * only for the operations below: enumerated, on objects that the monitor
 * already knows; never a path, a name or a flag word.
 */
#ifndef ADIT_BASE_PRIV_MSG_H
#define ADIT_BASE_PRIV_MSG_H

enum priv_msg_type {
	/* monitor to child */
	PRIV_MSG_CONF = 1, /* payload: struct adit_conf of the same binary */
	PRIV_MSG_FD = 2, /* payload: be32 enum priv_fd; carries a descriptor */
	PRIV_MSG_GO = 3, /* empty: everything was said, begin */
	PRIV_MSG_STOP = 4, /* empty: end in an orderly way, then exit */
	PRIV_MSG_VICI = 5, /* empty; carries a connected vici descriptor */
	/* child to monitor */
	PRIV_MSG_VICI_WANT = 16, /* empty: (re)connect me to charon's vici */
	PRIV_MSG_READY = 17,     /* empty: the child does its work now */
};

enum priv_fd {
	/* engine */
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
	PRIV_FD_COUNT_ = 13,
};

#endif
