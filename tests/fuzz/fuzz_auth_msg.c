/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_auth_msg.c: what a packet process and the authority say to each other.
 * The first byte is the message's type, the rest its payload. What decodes
 * must encode to the same bytes: there is one encoding of a message.
 */
#include "base/auth_msg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union message {
	struct auth_ask ask;
	struct auth_verdict verdict;
	struct auth_use use;
};

static bool
round_trip(uint8_t type, struct rd *r, struct wr *w, union message *m)
{
	switch (type) {
	case AUTH_MSG_ASK:
		return auth_msg_get_ask(r, &m->ask) &&
		    auth_msg_put_ask(w, &m->ask);
	case AUTH_MSG_VERDICT:
		return auth_msg_get_verdict(r, &m->verdict) &&
		    auth_msg_put_verdict(w, &m->verdict);
	case AUTH_MSG_USE:
	case AUTH_MSG_STOP:
		return auth_msg_get_use(r, &m->use) &&
		    auth_msg_put_use(w, &m->use);
	default:
		return rd_fail(r, "not a message with fields");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[4096];
	struct wr w = wr_init(again, sizeof(again));
	struct rd r = rd_init(data, size);
	union message m;
	uint8_t type;

	memset(&m, 0, sizeof(m));
	if (!rd_u8(&r, &type))
		return 0;
	if (!round_trip(type, &r, &w, &m)) {
		if (rd_ok(&r)) /* it decoded, so it must encode */
			abort();
		return 0;
	}
	if (w.len != size - 1 || memcmp(again, data + 1, w.len) != 0)
		abort();
	return 0;
}
