/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay.h: the engine's side of the channel to our charon plugin (records of
 * base/charon_msg.h). It listens, checks who connects, decodes what the plugin
 * says into events, and carries IKE datagrams both ways after the filter of
 * l2tpd/ike/filter.h.
 *
 * Owner: the engine. One plugin at a time; a newer connection replaces the
 * older one (charon was restarted). Only a peer of user 0 may connect.
 * Trusts: nothing; a record that does not decode, or comes before HELLO, ends
 * the connection. Does not log: the events carry what there is to say.
 */
#ifndef ADIT_IKE_RELAY_H
#define ADIT_IKE_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/charon_msg.h"
#include "base/endpoint.h"
#include "base/loop.h"
#include "base/rd.h"
#include "l2tpd/ike/filter.h"

struct ike_relay;

/* All set; what is passed is borrowed for the call, except where said. None may
 * free the relay. */
struct ike_relay_events {
	/* The plugin is there. epoch is drawn once per life of charon: another
	 * epoch than last time means that charon was restarted and its marks
	 * count from 1 again. What is held is named now, until sync_end; drop
	 * then what was not named. */
	void (*hello)(void *ctx, uint64_t epoch);
	/* is_new: charon offered this inbound SPI in quick mode (packets may
	 * beat sa_add); else the offer came to nothing. */
	void (*spi)(void *ctx, uint32_t spi, bool is_new);
	/* The keys are wiped after the call. A known (spi, direction, peer)
	 * may be repeated during the sync. */
	void (*sa_add)(void *ctx, const struct charon_sa *sa);
	void (*sa_update)(void *ctx, const struct charon_sa_update *u);
	void (*sa_del)(void *ctx, const struct charon_sa_del *d);
	/* Who the SAs of a mark belong to. Texts are the peer's bytes. */
	void (*child)(void *ctx, const struct charon_child *c);
	void (*sync_end)(void *ctx);
	/* Send this datagram; add the non-ESP marker when local.port is not
	 * 500. */
	void (*ike_out)(void *ctx, const struct charon_ike *ike);
	/* charon refused a peer; for the log. Texts are the peer's bytes. */
	void (*alert)(void *ctx, const struct charon_alert *a);
	/* The plugin is gone (why NULL: it closed; else what was wrong with
	 * what it said, or who tried to connect: "not root" leaves an existing
	 * connection alone and sets refused). Keep the SAs: charon may only
	 * have been cut off for a moment. */
	void (*gone)(void *ctx, const char *why, bool refused);
};

/* listen_fd: adopted, a listening SOCK_SEQPACKET socket (made non-blocking).
 * events: borrowed for the relay's life. NULL: no memory; listen_fd is then
 * still the caller's. */
struct ike_relay *ike_relay_new(struct loop *l, int listen_fd,
    const struct ike_relay_events *events, void *ctx);
void ike_relay_free(struct ike_relay *r); /* NULL is fine */

bool ike_relay_is_connected(const struct ike_relay *r); /* after HELLO */

/* The filter that ike_relay_ike_in() applies: to change its switches and read
 * its counters. Owned by the relay. */
struct ike_filter *ike_relay_filter(struct ike_relay *r);

/* A received IKE datagram (without non-ESP marker). 0; -EPERM: filtered
 * (counted by reason in the filter); -ENOTCONN: no plugin, drop it; -ENOBUFS:
 * charon hangs, drop it; -EMSGSIZE: longer than CHARON_MSG_IKE_MAX. */
int ike_relay_ike_in(struct ike_relay *r, const struct endpoint *local,
    const struct endpoint *peer, struct rd data);

/* An authenticated packet of inbound SA spi_in came from another source:
 * charon answers with sa_update events. 0, -ENOTCONN, -ENOBUFS. */
int ike_relay_mapping(
    struct ike_relay *r, uint32_t spi_in, const struct endpoint *peer);

/* The inbound SA reached a limit. hard: charon deletes it (else it would start
 * a rekey, which no client expects: do not). local: the SA's own address. */
int ike_relay_expire(struct ike_relay *r, uint32_t spi_in, bool hard,
    const struct endpoint *local);

/* Counters of an SA, for charon's dead peer detection and list-sas. Send when
 * they grew, at most every few seconds. */
int ike_relay_use(struct ike_relay *r, uint32_t spi, bool inbound,
    uint64_t bytes, uint64_t packets);

/* Tests only: let this user connect instead of user 0. */
void ike_relay_set_uid(struct ike_relay *r, uid_t uid);

#endif
