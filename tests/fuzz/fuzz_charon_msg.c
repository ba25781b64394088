/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_charon_msg.c: what charon's plugin says to the engine, and back. The
 * first byte is the message's type, the rest its payload. What decodes must
 * encode to the same bytes: there is one encoding of a message.
 */
#include "base/charon_msg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union message {
	struct charon_sa sa;
	struct charon_sa_update update;
	struct charon_sa_del del;
	struct charon_ike ike;
	struct charon_alert alert;
	struct charon_child child;
	struct endpoint endpoint;
};

static bool
get(uint8_t type, struct rd *r, union message *m)
{
	switch (type) {
	case CHARON_MSG_SA_ADD:
		return charon_msg_get_sa(r, &m->sa);
	case CHARON_MSG_SA_UPDATE:
		return charon_msg_get_sa_update(r, &m->update);
	case CHARON_MSG_SA_DEL:
		return charon_msg_get_sa_del(r, &m->del);
	case CHARON_MSG_IKE_OUT:
	case CHARON_MSG_IKE_IN:
		return charon_msg_get_ike(r, &m->ike);
	case CHARON_MSG_ALERT:
		return charon_msg_get_alert(r, &m->alert);
	case CHARON_MSG_CHILD:
		return charon_msg_get_child(r, &m->child);
	case CHARON_MSG_MAPPING:
		return charon_msg_get_endpoint(r, &m->endpoint) && rd_end(r);
	default:
		return false;
	}
}

static bool
put(uint8_t type, struct wr *w, const union message *m)
{
	switch (type) {
	case CHARON_MSG_SA_ADD:
		return charon_msg_put_sa(w, &m->sa);
	case CHARON_MSG_SA_UPDATE:
		return charon_msg_put_sa_update(w, &m->update);
	case CHARON_MSG_SA_DEL:
		return charon_msg_put_sa_del(w, &m->del);
	case CHARON_MSG_IKE_OUT:
	case CHARON_MSG_IKE_IN:
		return charon_msg_put_ike(w, &m->ike);
	case CHARON_MSG_ALERT:
		return charon_msg_put_alert(w, &m->alert);
	case CHARON_MSG_CHILD:
		return charon_msg_put_child(w, &m->child);
	case CHARON_MSG_MAPPING:
		return charon_msg_put_endpoint(w, &m->endpoint);
	default:
		return false;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[CHARON_MSG_IKE_MAX + 64];
	struct wr w = wr_init(again, sizeof(again));
	struct rd r = rd_init(data, size);
	union message m;
	uint8_t type;

	memset(&m, 0, sizeof(m));
	if (!rd_u8(&r, &type) || !get(type, &r, &m))
		return 0;
	if (!put(type, &w, &m) || w.len != size - 1 ||
	    memcmp(again, data + 1, w.len) != 0)
		abort();
	return 0;
}
