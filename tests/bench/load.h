/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.h: what the files of the load generator share. It plays many clients
 * of one server. Each gets its SAs by IKE, or they are handed to the server's
 * engine over plane.sock, as charon's plugin would. Then it speaks ESP in UDP,
 * L2TP and PPP for each, with the libraries that ship. Every client has an
 * address of its own; all share one socket for each port.
 *
 *   load.c          options, phases, the report
 *   load_wire.c     plane.sock, the UDP sockets, ESP
 *   load_ike.c      SAs by IKE (ikev1.h)
 *   load_client.c   one client: IKE or not, tunnel, call, PPP
 *   load_traffic.c  packets of sessions that are up; the echo behind the server
 *   load_proc.c     what the server's processes used, from /proc
 *
 * One thread; everything is bounded by --timeout.
 */
#ifndef ADIT_TESTS_BENCH_LOAD_H
#define ADIT_TESTS_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/charon_msg.h"
#include "base/imsg.h"
#include "base/loop.h"
#include "l2tpd/esp/esp.h"
#include "l2tpd/proto/tunnel.h"
#include "ppp-glue/engine/ppp.h"
#include "tests/bench/ikev1.h"

#define LOAD_CLIENTS_MAX 65000
#define LOAD_BATCH       64
#define LOAD_BUF_BYTES   2048
#define LOAD_REASONS     16
#define LOAD_PORT        4500
#define LOAD_PORT_IKE    500

enum load_state {
	CLIENT_IDLE,
	CLIENT_STARTING,
	CLIENT_UP,
	CLIENT_CLOSING,
	CLIENT_GONE,
	CLIENT_FAILED,
};

struct load;

struct load_client {
	struct load *load;
	uint32_t number; /* from 0 */
	enum load_state state;
	uint32_t spi_server, spi_own; /* inbound there; inbound here */
	struct endpoint address;
	struct ikev1 *ike;
	struct tunnel *tunnel;
	struct ppp *ppp;
	const struct ppp_config *ppp_config;
	bool draining, has_sas, call_up;
	uint16_t session_id, peer_session_id;
	uint8_t ipv4[4];
	uint64_t started_ms;
	uint64_t sent, received; /* packets of traffic */
};

struct load_reason {
	const char *why; /* string literal */
	unsigned int count;
};

struct load_options {
	const char *plane_sock, *user, *password, *suite;
	const char *psk, *ike_suite;         /* psk NULL: no IKE */
	struct endpoint server, echo, first; /* first: of the clients */
	unsigned int clients, users, parallel, rounds, seconds, timeout_s;
	unsigned int payload_bytes, server_pid, charon_pid;
	double rate, traffic, loss_max; /* per s; per session and s; percent */
	bool sas_only;                  /* a client is up when its SAs are */
	bool ike_tunnel;                /* mode */
	bool json, verbose;
};

struct load_out {
	struct esp_job jobs[LOAD_BATCH];
	struct load_client *clients[LOAD_BATCH];
	uint8_t bufs[LOAD_BATCH][LOAD_BUF_BYTES];
	size_t n;
};

struct load {
	struct load_options opt;
	struct loop *loop;
	struct loop_timer *tick, *pace;
	struct imsg_channel *plane;
	bool plane_ended;
	int udp, udp_ike; /* ports 4500 and 500 */
	struct loop_fd *udp_watch, *udp_ike_watch;
	struct ikev1_config ike;
	struct esp_table *sas;
	struct tunnel_config tunnel_config;
	struct ppp_config *ppp_configs; /* one for each user */
	char (*user_names)[64];
	struct secret password;
	struct load_client *clients;
	uint64_t *deadlines; /* of each client, milliseconds */
	struct load_out out;

	/* of this round */
	unsigned int started, up, gone, failed, busy;
	unsigned int all_failed;
	struct load_reason reasons[LOAD_REASONS];
	uint64_t sent, received, socket_full, bad_packets, ike_again;
	uint64_t traffic_since_ms, traffic_due;
	unsigned int traffic_next;
	uint32_t epoch_marks; /* marks given to clients of earlier rounds */
	void (*changed)(struct load *l); /* a client's state changed */
};

/* load_wire.c: 0 or -errno, told on stderr */
int wire_open(struct load *l);
void wire_close(struct load *l);
/* The SAs of a client, at both ends, without IKE. */
int wire_sas_add(struct load_client *c);
void wire_sas_del(struct load_client *c);
/* One SA at the client's end. */
int wire_install(struct load_client *c, struct esp_sa_params *p);
/* A socket that chooses each packet's source; -errno. */
int wire_socket(uint16_t port);
/* IKE, to port 4500 or 500. */
void wire_ike(struct load_client *c, bool on_4500, struct rd message);
/* Room for a payload of ESP; it goes out with the next wire_flush(). */
struct wr wire_begin(struct load *l);
void wire_end(struct load_client *c, const struct wr *w);
void wire_flush(struct load *l);
/* UDP 1701 inside ESP */
void wire_l2tp(struct load_client *c, struct rd datagram);

/* load_ike.c */
int load_ike_open(struct load *l);
void load_ike_close(struct load *l);
void load_ike_start(struct load_client *c);
/* What waits for no answer any more is sent again. */
void load_ike_tick(struct load_client *c);
/* A datagram without marker, from whichever client's server. */
void load_ike_input(struct load *l, struct rd message);
/* The server is told that the IKE SA is over. */
void load_ike_end(struct load_client *c);

/* load_client.c */
/* Its SAs are there. */
void client_secured(struct load_client *c);
void client_start(struct load_client *c);
void client_stop(struct load_client *c);
/* What came out of ESP: a UDP datagram. */
void client_input(struct load_client *c, struct rd udp);
void client_tick(struct load_client *c);
/* Frees what is left; also of one that is not over. */
void client_end(struct load_client *c, enum load_state state, const char *why);
void client_reset(struct load_client *c);
/* UDP, L2TP and PPP headers in front of an IP packet of ip_bytes. */
void client_data_head(
    struct load_client *c, struct wr *w, uint16_t protocol, size_t ip_bytes);

/* load_traffic.c */
void traffic_begin(struct load *l);
void traffic_run(struct load *l);
void traffic_input(struct load_client *c, struct rd ip);
/* Serves until killed; only returns on failure. */
int echo_serve(const struct endpoint *at);

/* load_proc.c */
enum { PROC_MONITOR, PROC_ENGINE, PROC_AUTHORITY, PROC_CHARON, PROC_COUNT };
struct proc_figures {
	double cpu_s; /* of all threads */
	long rss_kib, pss_kib, private_kib;
	int descriptors;
};
struct proc_server {
	int pid[PROC_COUNT]; /* 0: not there */
	struct proc_figures now[PROC_COUNT];
};
extern const char *const proc_names[PROC_COUNT];
/* A process id that is 0 is not measured. -ESRCH: it is not an l2tpd. */
int proc_find(struct proc_server *s, int monitor_pid, int charon_pid);
/* -ESRCH: one of them is gone. */
int proc_read(struct proc_server *s);

#endif
