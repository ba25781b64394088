/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_auth_msg.c: what a packet process and the authority say to each other.
 * By round_trip.h.
 */
#include "base/auth_msg.h"
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union message {
	struct auth_ask ask;
	struct auth_verdict verdict;
	struct auth_use use;
};

static bool
round_trip(uint8_t type, struct rd *r, struct wr *w)
{
	union message message, *m = &message;

	memset(m, 0, sizeof(*m));
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
	return fuzz_round_trip(data, size, round_trip);
}
