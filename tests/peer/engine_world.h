/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_world.h: everything around an engine, played in one process for
 * tests: the null plane, whose packets are moved by hand, clients made of our
 * own initiator tunnel and client PPP, an authority with one user (alice,
 * "secret"), charon's plugin, and the control socket. Unix sockets only, no
 * root.
 *
 *   client tunnel+PPP  <->  null plane  <->  engine  <->  fake authority
 *                                              ^
 *                                        fake charon plugin
 */
#ifndef ADIT_TESTS_ENGINE_WORLD_H
#define ADIT_TESTS_ENGINE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/imsg.h"
#include "base/loop.h"
#include "base/secret.h"
#include "l2tpd/engine/engine.h"
#include "l2tpd/plane/null/null.h"
#include "l2tpd/proto/tunnel.h"
#include "ppp-glue/engine/ppp.h"

#define EPOCH 0x1122334455667788ull

/* One client device. */
struct client {
	uint32_t mark; /* of its association, charon's number */
	uint16_t port; /* its UDP port inside ESP */
	struct tunnel *tunnel;
	struct ppp *ppp;
	struct ppp_config ppp_config;
	struct secret password;
	uint16_t local_session;
	uint16_t server_tunnel, server_session;
	bool session_up, ipv4_up, ipv6_up, ppp_down, tunnel_down;
	uint8_t ifid[8], server_ifid[8];
	uint8_t address[4];
};

#define CLIENTS 3
struct world {
	struct plane *plane;
	struct loop *loop;
	struct engine *engine;
	uint32_t session;   /* the plane's newest */
	uint8_t address[4]; /* to which it let IP flow last */
	uint32_t assoc_of_mark[256];
	struct client clients[CLIENTS];
	struct tunnel_config client_tunnel_config;
	/* who gets what the engine sends, instead of the clients; or NULL */
	void (*carry)(void *ctx, const struct null_call *call);
	void *carry_ctx;
	/* fake authority */
	struct imsg_channel *authority;
	unsigned int asks, ups, stops;
	char stop_reason[64];
	uint8_t next_address;
	struct ipv4_networks behind; /* of whoever gets in next */
	/* what the monitor would have; [session], none by count 0 */
	struct ipv4_networks kernel[16];
	/* fake plugin, control */
	int plugin_fd, control_fd;
	char plugin_path[64], control_path[64];
	bool ipv6; /* clients that dial from now on speak it, too */
	bool stopped;
	unsigned int vici_wanted;
};

uint64_t now_ms(const struct world *w);
void client_drain(struct world *w, struct client *c);
void world_run(struct world *w);
/* The engine's next call to the plane, played on. False: there is none. */
bool world_deliver(struct world *w);
/* IP flows in the plane's newest session. */
bool world_ip_flows(const struct world *w);
void world_dial(struct world *w, size_t index, uint32_t mark, const char *user,
    const char *password);
void client_forget(struct client *c);
void plugin_say(struct world *w, uint32_t type, const void *payload, size_t n);
void plugin_sa_one(
    struct world *w, uint32_t mark, uint32_t generation, bool inbound);
void plugin_sa_del_one(
    struct world *w, uint32_t mark, uint32_t generation, bool inbound);
void plugin_sa(struct world *w, uint32_t mark, uint32_t generation);
void plugin_sa_del(struct world *w, uint32_t mark, uint32_t generation);
void plugin_connect(struct world *w, uint64_t epoch);
int world_setup(void **state);
int world_teardown(void **state);
void charon_up(struct world *w);
const char *world_control(struct world *w, const char *line);

void client_drain_ppp(struct world *w, struct client *c);

#endif
