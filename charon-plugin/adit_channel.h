/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_channel.h: the plugin's end of the channel to the engine of l2tpd
 * (records of base/charon_msg.h over SOCK_SEQPACKET).
 *
 * One thread receives (charon's receiver, through socket_t); any thread sends.
 * While there is no engine, what concerns SAs is only kept in the table, and
 * told when it is back; IKE packets and alerts are lost.
 *
 * Trusts the engine as little as the engine trusts a client: a record that
 * does not decode ends the connection.
 */
#ifndef ADIT_CHANNEL_H_
#define ADIT_CHANNEL_H_

#include <library.h>
#include <networking/packet.h>

#include "charon-plugin/adit_sad.h"

typedef struct adit_channel_t adit_channel_t;

struct adit_channel_t
{
	/**
	 * Connect if necessary, and receive until there is an IKE message.
	 * Everything else that the engine says is carried out here. Waits, and
	 * may be cancelled while it does.
	 *
	 * @param packet	receives packet, with non-ESP marker as charon wants it
	 */
	void (*receive)(adit_channel_t *this, packet_t **packet);

	/**
	 * Send an IKE message; without an engine it is lost.
	 *
	 * @param ike		message without marker
	 * @return			FALSE if it was lost
	 */
	bool (*send_ike)(adit_channel_t *this, const struct charon_ike *ike);

	/**
	 * Say that a peer was refused; without an engine it is lost.
	 */
	void (*send_alert)(adit_channel_t *this, const struct charon_alert *alert);

	/**
	 * Say who the SAs of a mark belong to; without an engine it is lost, as it
	 * asks for all of them over vici.
	 */
	void (*send_child)(adit_channel_t *this, const struct charon_child *child);

	/**
	 * Allocate an inbound SPI and tell the engine (see adit_sad_t.alloc_spi).
	 *
	 * @param peer		who will send with it
	 * @param spi		receives SPI, host byte order
	 */
	bool (*alloc_spi)(adit_channel_t *this, host_t *peer, uint32_t *spi);

	/**
	 * Add an SA and tell the engine (see adit_sad_t.add).
	 */
	bool (*add_sa)(adit_channel_t *this, const struct charon_sa *sa);

	/**
	 * Move an SA and tell the engine (see adit_sad_t.update).
	 */
	bool (*update_sa)(adit_channel_t *this, uint32_t spi, host_t *src,
					  host_t *dst, host_t *new_src, host_t *new_dst,
					  bool encap);

	/**
	 * Remove an SA or SPI and tell the engine (see adit_sad_t.remove).
	 */
	bool (*del_sa)(adit_channel_t *this, uint32_t spi, host_t *src,
				   host_t *dst);

	/**
	 * Read the counters of an SA; does not wait for anybody.
	 */
	bool (*query_sa)(adit_channel_t *this, uint32_t spi, host_t *src,
					 host_t *dst, adit_sad_use_t *use);

	/**
	 * Destroy; nobody may be receiving.
	 */
	void (*destroy)(adit_channel_t *this);
};

/**
 * Create a channel; it connects when receive() is called.
 *
 * @param path		the engine's listening socket, gets copied
 */
adit_channel_t *adit_channel_create(const char *path);

#endif /** ADIT_CHANNEL_H_ */
