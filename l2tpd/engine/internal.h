/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal.h: the seams between the engine's files; their objects and who owns
 * whom are in objects.h. Everything here runs in the engine's one thread.
 */
#ifndef ADIT_ENGINE_INTERNAL_H
#define ADIT_ENGINE_INTERNAL_H

#include <netinet/in.h>

#include "l2tpd/engine/objects.h"
#include "l2tpd/engine/role.h"

/* assoc.c */
struct association *assoc_find(struct engine *e, uint32_t id);
struct association *assoc_find_mark(
    struct engine *e, uint64_t epoch, uint32_t mark);
void assoc_sa_add(struct engine *e, const struct charon_sa *sa);
void assoc_sa_update(struct engine *e, const struct charon_sa_update *u);
void assoc_sa_del(struct engine *e, const struct charon_sa_del *d);
void assoc_sync_begin(struct engine *e, uint64_t epoch);
void assoc_sync_end(struct engine *e);
void assoc_sa_expired(struct engine *e, uint32_t spi, bool inbound);
void assoc_moved(struct engine *e, uint32_t id, uint32_t spi_in,
    const struct endpoint *peer);
/* Ages an association: rebinds, terminates, may free it. */
void assoc_housekeeping(struct engine *e, struct association *a);
void assoc_free_all(struct engine *e);
bool assoc_has_inbound(const struct association *a);
/* May tunnels of `old` continue on `a`? Same device by all that we know. */
bool assoc_is_successor(
    const struct association *old, const struct association *a);

/* charon.c */
int charon_start(struct engine *e, int listen_fd);
void charon_vici_connected(struct engine *e, int fd);
/* Can charon be asked: are plugin and vici there? */
bool charon_is_there(const struct engine *e);
void charon_terminate(struct engine *e, struct association *a);
void charon_free(struct engine *e);
/* charon says which IKE_SA a child belongs to, and who the peer is. */
void charon_child_named(struct engine *e, uint32_t mark, uint32_t ike_id,
    const char *identity, const char *connection);

/* charon refused a peer; told to whom it concerns. */
void charon_alerted(struct engine *e, const struct charon_alert *a);

/* refusals.c: a line of charon's log about the IKE_SA with this unique id. */
void refusals_line(struct engine *e, uint32_t ike, const char *text);
void refusals_free(struct engine *e);

/* charon_kernel.c: what differs in the kernel plane */
void charon_kernel_connected(struct engine *e);
void charon_kernel_event(struct engine *e, const char *name, struct rd message);
/* The kernel still has an association of a charon that is no more. */
void charon_kernel_forget(struct engine *e, const struct association *a);

/* tunnels.c */
void tunnels_input(struct engine *e, struct association *a, uint16_t peer_port,
    struct rd datagram);
/* A client: opens a tunnel over the association. NULL: no memory. */
struct tunnel_box *tunnels_dial(struct engine *e, struct association *a);
void tunnels_close_box(
    struct tunnel_box *b, uint16_t result, const char *message);
void tunnels_drain(struct tunnel_box *b);
/* The box is over without another word to the peer. */
void tunnels_drop(struct tunnel_box *b, const char *why);
void tunnels_housekeeping(struct engine *e, struct association *a);
void tunnels_reap(struct engine *e);

/* session.c */
struct session *sessions_find(struct engine *e, uint32_t id);
/* ctx: the engine. For tunnel_config.session_id_taken. */
bool sessions_id_taken(void *ctx, uint16_t local_session_id);
/* "-" before authentication. Borrowed. */
const char *sessions_user(const struct session *s);
void sessions_new(struct tunnel_box *b, const struct tunnel_session_view *v);
void sessions_up(struct tunnel_box *b, const struct tunnel_session_view *v);
/* L2TP says it is over. */
void sessions_down(struct tunnel_box *b, const struct tunnel_session_view *v,
    const struct tunnel_close *close);
void sessions_ppp_frame(struct session *s, struct rd frame);
/* Ends it: PPP first, then the call. why: string literal. */
void sessions_close(struct session *s, const char *why);
/* Ends it now, without another word to the peer; s goes to the graveyard. */
void sessions_bury(struct session *s, const char *why, bool by_peer);
void sessions_verdict(struct engine *e, const struct auth_verdict *v);
void sessions_rebind(struct session *s, struct association *a);
void sessions_housekeeping(struct engine *e, struct tunnel_box *b);
void sessions_reap(struct engine *e);

/* routes.c */
/* What the authority says is behind its device; copied. */
void routes_take(struct session *s, const struct ipv4_networks *nets);
/* IPv4 is open; is about to be shut. */
void routes_up(struct session *s);
void routes_down(struct session *s);

/* services.c */
/* An IP packet of the session that asks us something. */
void services_input(struct session *s, struct rd packet);
/* IPV6CP is open: ifids and prefix are in the session; is not any more. */
void services_ipv6_up(struct session *s);
void services_ipv6_down(struct session *s);
/* The client's prefix as a text, without its length. Returns ret. */
const char *services_prefix(
    const struct session *s, char ret[INET6_ADDRSTRLEN]);
/* PPP is about to be closed by us: we are no router any more. */
void services_goodbye(struct session *s);
void services_tick(struct session *s, uint64_t now);
uint64_t services_deadline(const struct session *s); /* UINT64_MAX: none */

/* services_kernel.c */
int services_listen(struct engine *e, int fd); /* adopted */
void services_free(struct engine *e);
/* An IPv4 packet to the client of the session. 0 or -errno. */
int services_send(struct session *s, struct rd packet);

/* auth.c */
int authline_start(struct engine *e, int fd);
void authline_free(struct engine *e);
int authline_ask(struct engine *e, const struct auth_ask *ask);
void authline_up(struct session *s);
void authline_use(struct session *s);
void authline_stop(struct session *s, const char *why);

/* control.c */
int control_start(struct engine *e, int listen_fd);
void control_free(struct engine *e);

/* engine.c */
void engine_random(void *ctx, void *p, size_t n);
/* What stop was to wait for has come. */
void engine_stop_soon(struct engine *e, uint64_t delay_ms);
void engine_reap_later(struct engine *e);

#endif
