/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ikev1.h: the client's side of IKEv1 for the load generator: main mode with a
 * pre-shared key, one quick mode, delete. Messages come in and go out; the
 * caller has the sockets, the clock and the retransmissions.
 *
 * RFC 2409 (exchanges, keys), RFC 2408 (payloads), RFC 3947 (NAT detection,
 * with a source that is always another one, so that every client is behind a
 * NAT), RFC 2407 4.6 (identities). The key pair of Diffie-Hellman is one for
 * all clients, with a short secret: many clients should cost less than the
 * one server. So nothing here is a secret, and nothing is wiped.
 */
#ifndef ADIT_TESTS_BENCH_IKEV1_H
#define ADIT_TESTS_BENCH_IKEV1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/rd.h"
#include "base/wr.h"
#include "l2tpd/esp/esp.h"

#define IKEV1_MESSAGE_MAX 1024 /* bytes of what is sent */
#define IKEV1_SUITE       "aes256-sha256-modp2048"

enum ikev1_state {
	IKEV1_MAIN_2, /* the message that is waited for */
	IKEV1_MAIN_4,
	IKEV1_MAIN_6,
	IKEV1_QUICK_2,
	IKEV1_UP,
	IKEV1_FAILED,
};

struct ikev1_config {
	const char *psk;        /* borrowed */
	struct ikev1_dh *dh;    /* borrowed */
	struct endpoint server; /* port 500 */
	bool gcm;               /* AES-256-GCM, not AES-256-CBC with SHA1 */
	bool tunnel;            /* mode, instead of transport */
};

struct ikev1;

/* A suite of IKE, as charon names it, and the key pair for it. NULL: unknown,
 * or no memory. */
struct ikev1_dh *ikev1_dh_new(const char *suite);
void ikev1_dh_free(struct ikev1_dh *dh);

/* A client that has this address; the cookie's upper half is its number, by
 * which answers can be sorted. Both configs are borrowed. NULL: no memory. */
struct ikev1 *ikev1_new(const struct ikev1_config *config,
    const struct endpoint *own, uint32_t number, uint32_t spi_own);
void ikev1_free(struct ikev1 *i);

/* The first message; to port 500. */
struct rd ikev1_start(struct ikev1 *i);
/* A message of the server. Returns what is to be sent, or an empty cursor. */
struct rd ikev1_input(struct ikev1 *i, struct rd message);
/* The last message again. */
struct rd ikev1_again(const struct ikev1 *i);
/* That the IKE SA is over. */
struct rd ikev1_delete(struct ikev1 *i);

/* Whether what is sent now goes to port 4500. RFC 3947 4 */
bool ikev1_is_on_4500(const struct ikev1 *i);
enum ikev1_state ikev1_state_of(const struct ikev1 *i);
/* Why it failed: a string literal. */
const char *ikev1_why(const struct ikev1 *i);
/* SPI, algorithms and keys of one direction, when it is up. */
void ikev1_sa(const struct ikev1 *i, bool inbound, struct esp_sa_params *ret);
/* The number in the initiator's cookie. */
bool ikev1_number_of(struct rd message, uint32_t *ret);

#endif
