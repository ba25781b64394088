/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * field.h: the fields that messages between our processes are made of. Used by
 * charon_msg.c, auth_msg.c, link_msg.c and priv_msg.c; strict: one encoding a
 * value, anything else fails the cursor. All get functions leave ret untouched
 * when they fail.
 */
#ifndef ADIT_BASE_FIELD_H
#define ADIT_BASE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/network.h"
#include "base/rd.h"
#include "base/wr.h"

/* u8, 0 or 1. */
bool field_put_bool(struct wr *w, bool v);
bool field_get_bool(struct rd *r, bool *ret);

/* u8 family (0, 4, 6), 0, 4 or 16 bytes of address, be16 port. */
bool field_put_endpoint(struct wr *w, const struct endpoint *e);
bool field_get_endpoint(struct rd *r, struct endpoint *ret);

/* be16 length, bytes. get: at most cap bytes; ret is not cleared behind. */
bool field_put_blob(struct wr *w, const void *p, size_t n);
/* The same for a field whose reader has room for cap bytes: more fails. */
bool field_put_blob_max(struct wr *w, const void *p, size_t n, size_t cap);
bool field_get_blob(
    struct rd *r, uint8_t *ret, size_t cap, uint16_t *ret_bytes);

/* be16 length, bytes without zero; ret gets a final zero, cap counts it.
 * put: text of at most cap - 1 bytes (it need not end inside of cap: false). */
bool field_put_text(struct wr *w, const char *text, size_t cap);
bool field_get_text(struct rd *r, char *ret, size_t cap);

/* u8 count, for each 4 bytes of address and u8 bits. Only sane ones (see
 * ipv4_network_is_sane()), at most IPV4_NETWORKS_MAX. */
bool field_put_networks(struct wr *w, const struct ipv4_networks *nets);
bool field_get_networks(struct rd *r, struct ipv4_networks *ret);

/* Nothing may be left: the message was read to its end. */
bool field_get_end(struct rd *r);

#endif
