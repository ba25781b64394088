/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pppd_world.h: a pppd with our plugin between an engine and a client that are
 * played here. Two L2TP sessions of the kernel, end to end over UDP on the
 * loopback device: pppd has one, the other carries frames between the kernel
 * and ppp-glue/engine in the client's role, or whatever a test puts into it.
 * The engine speaks base/link_msg.h and knows one password.
 *
 * Runs as root in a kernel with PPPoL2TP, one world at a time.
 */
#ifndef ADIT_TESTS_PPPD_WORLD_H
#define ADIT_TESTS_PPPD_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/link_msg.h"
#include "ppp-glue/engine/ppp.h"

#define WORLD_PASSWORD "w\303\266nderland"

enum world_protocol {
	WORLD_LCP = 0xc021,
	WORLD_PAP = 0xc023,
	WORLD_CHAP = 0xc223,
	WORLD_EAP = 0xc227,
	WORLD_IPCP = 0x8021,
	WORLD_UNKNOWN = 0x4021,
};

/* How the engine answers */
enum world_policy {
	WORLD_CHECK,      /* as it should */
	WORLD_FOREIGN,    /* an acceptance of another ask, then as it should */
	WORLD_NO_ADDRESS, /* accepts, grants nothing */
	WORLD_LEAVE,      /* closes the line instead of an answer */
};

/* What the client got, per protocol: of which packets, the last of them */
struct world_heard {
	unsigned codes[16]; /* how many with this code */
	uint8_t last[1600]; /* from the code on */
	size_t last_bytes;
};

struct world {
	/* set before world_start() */
	const char *pppd, *plugin;
	const char *require; /* option of pppd: "require-mschap-v2" */
	bool lax;            /* pppd is not told to refuse what it should */
	enum world_policy policy;
	enum ppp_auth_method method; /* of the client */
	const char *user, *password; /* of the client */
	uint16_t mru;                /* of the client */
	bool bare;                   /* no PPP in the client: the test plays */

	/* pppd, and what its plugin said */
	pid_t pid; /* 0: ended */
	int status;
	int line; /* -1: closed */
	bool line_ended;
	unsigned hellos, asks, ups, downs, uses, ends, strange;
	struct link_hello hello;
	struct link_ask ask;
	struct link_ipv4 up;
	struct link_use use, down;
	struct link_end end;

	/* the client */
	int channel;
	struct ppp *ppp;
	struct ppp_config config;
	struct secret secret;
	unsigned authenticated, client_ups, client_downs;
	struct ppp_effect client_up;
	char client_why[64];
	struct world_heard lcp, auth, ipcp;
	unsigned pongs; /* echo replies by ICMP */

	int udp[2], tunnel[2]; /* 0: of pppd */
};

/* Starts pppd; false, and a line on stderr, when the kernel cannot do it. */
bool world_start(struct world *w);
/* Ends what is left. */
void world_stop(struct world *w);

/* Runs until the predicate is true; false when limit_ms is over. */
bool world_run(
    struct world *w, bool (*until)(const struct world *w), unsigned limit_ms);

/* A packet of the client: code, id, Length, body. */
void world_send(struct world *w, enum world_protocol protocol, uint8_t code,
    uint8_t id, const void *body, size_t body_bytes);
/* An ICMP echo request from this address to the gateway's. */
void world_ping(struct world *w, const uint8_t from[4]);

#endif
