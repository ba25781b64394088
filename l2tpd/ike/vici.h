/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vici.h: asynchronous client of charon's control protocol, and its codec.
 * Packet: be32 length, u8 operation, [u8 length, name], message. A message is
 * a tree of sections, key/values and lists (strongSwan's vici/README.md).
 *
 * Owner: the process that connected (authority: secrets and connections;
 * engine: lists and termination; tests: events). Trusts: charon's answers are
 * length-checked and bounded, values in them (identities) are the peer's bytes.
 * Does not log.
 */
#ifndef ADIT_IKE_VICI_H
#define ADIT_IKE_VICI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/rd.h"
#include "base/wr.h"

#define VICI_PACKET_MAX (512 * 1024) /* bytes; charon's own limit */
#define VICI_NAME_MAX   255          /* bytes of a key or section name */
#define VICI_VALUE_MAX  65535        /* bytes */
#define VICI_DEPTH_MAX  16           /* sections inside sections */
#define VICI_QUEUE_MAX  256          /* requests that wait */

/* ---- codec, pure ---- */

/* All false when w is full or a name or value is too long. */
bool vici_put_section(struct wr *w, const char *name);
bool vici_put_section_end(struct wr *w);
bool vici_put_text(struct wr *w, const char *name, const char *value);
bool vici_put_bytes(
    struct wr *w, const char *name, const void *value, size_t n);
bool vici_put_u32(struct wr *w, const char *name, uint32_t value); /* decimal */
bool vici_put_list(struct wr *w, const char *name);
bool vici_put_item(struct wr *w, const void *value, size_t n);
bool vici_put_list_end(struct wr *w);
/* A list of texts, NULL at the end. */
bool vici_put_texts(struct wr *w, const char *name, const char *const *values);

enum vici_element { /* numbers of the protocol */
	VICI_SECTION_START = 1,
	VICI_SECTION_END = 2,
	VICI_KEY_VALUE = 3,
	VICI_LIST_START = 4,
	VICI_LIST_ITEM = 5,
	VICI_LIST_END = 6,
};

struct vici_reader {
	struct rd rd;  /* what is left */
	uint8_t depth; /* open sections */
	bool in_list;
};

struct vici_token {
	enum vici_element element;
	char name[VICI_NAME_MAX +
	    1];          /* "" for an item or an end; no NUL in it */
	struct rd value; /* of a key/value or item; borrowed */
};

struct vici_reader vici_reader_init(struct rd message);
/* The next element, in an order that makes sense. False at the end (then
 * rd_ok(&r->rd) and everything was closed) or when malformed (r->rd.err). */
bool vici_next(struct vici_reader *r, struct vici_token *ret);

/* Value of `key` at the top level of a message; false: not there. */
bool vici_find(struct rd message, const char *key, struct rd *ret);
/* A value as zero-terminated text, cut at buf_bytes. Returns buf. */
const char *vici_text(struct rd value, char *buf, size_t buf_bytes);
bool vici_equals(struct rd value, const char *text);
/* Decimal or (base 16) hexadecimal. False: no number, or too large. */
bool vici_number(struct rd value, unsigned int base, uint32_t *ret);

/* Did a command succeed (success=yes)? why: copied errmsg, "" if none. */
bool vici_success(struct rd message, char *why, size_t why_bytes);

/* ---- client ---- */

struct vici;

struct vici_ops {
	/* An event that was registered. message: borrowed. May be NULL. */
	void (*event)(void *ctx, const char *name, struct rd message);
	/* charon closed (why NULL) or broke the protocol (why says how). All
	 * waiting replies were called with -ECONNRESET before. Free the client
	 * here or later. */
	void (*closed)(void *ctx, const char *why);
};

/* fd: adopted, a connected stream socket to charon.vici, made non-blocking.
 * NULL: no memory; fd is then still the caller's. ops: borrowed. */
struct vici *vici_new(
    struct loop *l, int fd, const struct vici_ops *ops, void *ctx);
/* Calls nothing back. Safe in any callback. NULL is fine. */
void vici_free(struct vici *v);

/* err: 0; -ECONNRESET; -EOPNOTSUPP: charon does not know the command or
 * event. message: borrowed, empty when err is not 0. */
typedef void vici_reply_fn(void *ctx, int err, struct rd message);

/* message: what the vici_put_ functions wrote (copied; the copy is wiped
 * after sending, wipe yours), NULL for none. One request is under way at a
 * time, the others wait in order. reply may be NULL.
 * 0; -EMSGSIZE (message failed or is too long); -ENOBUFS; -ENOMEM; -EPIPE
 * after the end. reply is not called when this fails. */
int vici_request(struct vici *v, const char *command, const struct wr *message,
    vici_reply_fn *reply, void *ctx);
/* The same for a ctx that someone has to free: dropped(ctx) is called when
 * vici_free() forgets the request, and reply(ctx) never will be. */
int vici_request_owned(struct vici *v, const char *command,
    const struct wr *message, vici_reply_fn *reply, void (*dropped)(void *ctx),
    void *ctx);
/* "ike-updown", "child-updown", "child-rekey", "ike-update", ... */
int vici_register(
    struct vici *v, const char *event, vici_reply_fn *reply, void *ctx);

/* End the IKE_SA with this unique id (sends DELETE, does not wait for an
 * answer). Reply: vici_success() false: it is gone already. */
int vici_terminate_ike(
    struct vici *v, uint32_t ike_id, vici_reply_fn *reply, void *ctx);

/* each: one message per IKE_SA (see l2tpd/ike/sas.h); then done. */
int vici_list_sas(struct vici *v, void (*each)(void *ctx, struct rd message),
    vici_reply_fn *done, void *ctx);

#endif
