/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conns.h: tells charon, over vici, everything that it has to know: the PSK,
 * our CA, CRLs, certificate and key, and the two connections adit-psk and
 * adit-cert. No swanctl.conf, no file that charon has to be able to read.
 * With conf.client.on it is one connection, adit-client, to the one server.
 *
 * Runs in the authority, the only holder of secrets. Call it whenever vici
 * (re)connects, and again after a change: loading replaces what was loaded.
 */
#ifndef ADIT_IKE_CONNS_H
#define ADIT_IKE_CONNS_H

#include <stddef.h>
#include <stdint.h>

#include "l2tpd/conf/conf.h"
#include "l2tpd/ike/vici.h"

/* A file's bytes; borrowed for the call of conns_load(); len 0: none. */
struct conns_blob {
	const uint8_t *bytes;
	size_t len;
};

/* Certificates and CRLs are PEM (any number of blocks in one file) or one DER.
 * A blob that charon has to be told in one value may not exceed 64 KiB. */
struct conns_secrets {
	struct conns_blob psk; /* trailing newline is not part of it */
	struct conns_blob ca;
	struct conns_blob crl;
	struct conns_blob certificate; /* ours, first; then intermediates */
	struct conns_blob key;         /* PEM or DER, no passphrase */
};

/* err 0: charon has everything. Else -ECONNRESET (vici closed), -EINVAL (charon
 * refused: why says what of, and its words; what it did not refuse is loaded,
 * so clients with a PSK get in though a certificate file is bad), -ENOMEM. why:
 * borrowed, "" when fine. Called once, never from inside conns_load(). */
typedef void conns_done_fn(void *ctx, int err, const char *why);

/* conf, secrets: borrowed for this call only. adit-psk is loaded when there is
 * a psk, adit-cert when ca, certificate and key are there. 0: done will be
 * called; -EINVAL: neither of them (nothing to load), or a file is too large;
 * -ENOMEM; -ENOBUFS; -EPIPE: vici is over. After an error done is not
 * called. */
int conns_load(struct vici *v, const struct adit_conf *conf,
    const struct conns_secrets *secrets, conns_done_fn *done, void *ctx);

/* A client: charon asks the server for the SAs of adit-client, or ends what
 * it has of it (with DELETE). Replies: vici_success() after at most timeout_ms;
 * its words say "not found" when adit-client was not loaded yet. Errors as
 * vici_request(). */
int conns_initiate(
    struct vici *v, uint32_t timeout_ms, vici_reply_fn *reply, void *ctx);
int conns_hang_up(struct vici *v, vici_reply_fn *reply, void *ctx);

#endif
