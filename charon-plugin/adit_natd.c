/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_natd.c: a NAT where there is none (contract in adit_natd.h).
 *
 * RFC 3947 3.2: the first NAT-D payload of a message is the hash of the other
 * end's address and port, those that follow are of the sender's. charon's own
 * "encap = yes" makes the latter wrong.
 */
#include "charon-plugin/adit_natd.h"

#include <daemon.h>
#include <encoding/payloads/hash_payload.h>

/**
 * Replace the hash by one that no address has.
 */
static bool spoil(hash_payload_t *payload)
{
	chunk_t hash = payload->get_hash(payload);
	rng_t *rng;
	bool done;

	rng = lib->crypto->create_rng(lib->crypto, RNG_WEAK);
	hash = chunk_alloca(hash.len);
	done = rng && rng->get_bytes(rng, hash.len, hash.ptr);
	if (done)
	{
		payload->set_hash(payload, hash);
	}
	DESTROY_IF(rng);
	return done;
}

METHOD(listener_t, message, bool, listener_t *this, ike_sa_t *ike_sa,
	   message_t *message, bool incoming, bool plain)
{
	enumerator_t *enumerator;
	payload_t *payload;
	bool faked = FALSE;

	/* our answer of main mode, to a client that no NAT changed */
	if (incoming || !plain || message->get_exchange_type(message) != ID_PROT ||
		ike_sa->has_condition(ike_sa, COND_ORIGINAL_INITIATOR) ||
		ike_sa->has_condition(ike_sa, COND_NAT_ANY))
	{
		return TRUE;
	}
	enumerator = message->create_payload_enumerator(message);
	while (!faked && enumerator->enumerate(enumerator, &payload))
	{
		if (payload->get_type(payload) == PLV1_NAT_D ||
			payload->get_type(payload) == PLV1_NAT_D_DRAFT_00_03)
		{
			faked = spoil((hash_payload_t *)payload);
		}
	}
	enumerator->destroy(enumerator);
	if (faked)
	{
		ike_sa->set_condition(ike_sa, COND_NAT_FAKE, TRUE);
	}
	return TRUE;
}

listener_t *adit_natd_create(void)
{
	listener_t *this;

	INIT(this, .message = _message, );
	return this;
}

void adit_natd_destroy(listener_t *listener)
{
	free(listener);
}
