/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sas.h: what charon tells about IKE_SAs and CHILD_SAs, in events
 * (ike-updown, child-updown, child-rekey, ike-update) and list-sas messages,
 * as plain values. Pure.
 *
 * Trusts: charon for numbers; identities are the peer's bytes (log_clean()).
 */
#ifndef ADIT_IKE_SAS_H
#define ADIT_IKE_SAS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/rd.h"

#define IKE_ID_TEXT_MAX 256

struct ike_sa_info {
	uint32_t unique_id;  /* for vici_terminate_ike() */
	bool up;             /* updown events: the top-level `up` */
	bool established;    /* state ESTABLISHED */
	char connection[32]; /* "adit-psk", "adit-cert" */
	char remote_id[IKE_ID_TEXT_MAX];
	struct endpoint local, remote;
};

struct child_sa_info {
	uint32_t unique_id;
	uint32_t spi_in, spi_out; /* host byte order; 0: not known */
	uint32_t mark_in;         /* the association */
	uint32_t reqid;
	bool encap;
	bool installed;      /* state INSTALLED; true when not told */
	uint32_t old_spi_in; /* child-rekey: what it replaces; else 0 */
};

struct ike_sas_visitor {
	/* One IKE_SA; then child for each of its CHILD_SAs. May be NULL. */
	void (*ike)(void *ctx, const struct ike_sa_info *ike);
	void (*child)(void *ctx, const struct ike_sa_info *ike,
	    const struct child_sa_info *child);
};

/* message: of an event of the names above, or one of list-sas. False:
 * malformed (what came before was visited). ike-update carries the new
 * addresses: they are what info has. */
bool ike_sas_read(
    struct rd message, const struct ike_sas_visitor *visitor, void *ctx);

#endif
