/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_socket.c: IKE over the channel (contract in adit_socket.h).
 */
#include "charon-plugin/adit_socket.h"
#include "charon-plugin/adit_convert.h"

#include <daemon.h>

/** RFC 3948 2.2 */
#define MARKER_BYTES 4

typedef struct private_adit_socket_t private_adit_socket_t;

struct private_adit_socket_t
{
	/** public interface */
	socket_t public;
	/** channel to the engine */
	adit_channel_t *channel;
};

METHOD(socket_t, receive, status_t, private_adit_socket_t *this,
	   packet_t **packet)
{
	this->channel->receive(this->channel, packet);
	return SUCCESS;
}

METHOD(socket_t, send_, status_t, private_adit_socket_t *this, packet_t *packet)
{
	host_t *src = packet->get_source(packet);
	host_t *dst = packet->get_destination(packet);
	chunk_t data = packet->get_data(packet);
	struct charon_ike ike;

	if (data.len == 1)
	{ /* NAT keepalive (RFC 3948 2.3): a server does not need any */
		return SUCCESS;
	}
	if (src->get_port(src) != IKEV2_UDP_PORT &&
		dst->get_port(dst) != IKEV2_UDP_PORT)
	{ /* charon added the marker by this rule; the engine knows its own */
		if (data.len < MARKER_BYTES)
		{
			return FAILED;
		}
		data = chunk_skip(data, MARKER_BYTES);
	}
	ike = (struct charon_ike){
		.local = adit_endpoint(src, TRUE),
		.peer = adit_endpoint(dst, TRUE),
		.data = rd_init(data.ptr, data.len),
	};
	return this->channel->send_ike(this->channel, &ike) ? SUCCESS : FAILED;
}

METHOD(socket_t, get_port, uint16_t, private_adit_socket_t *this, bool nat_t)
{
	return nat_t ? IKEV2_NATT_PORT : IKEV2_UDP_PORT;
}

METHOD(socket_t, supported_families, socket_family_t,
	   private_adit_socket_t *this)
{
	return SOCKET_FAMILY_BOTH;
}

METHOD(socket_t, destroy, void, private_adit_socket_t *this)
{
	free(this);
}

socket_t *adit_socket_create(adit_channel_t *channel)
{
	private_adit_socket_t *this;

	INIT(this,
		 .public =
			 {
				 .receive = _receive,
				 .send = _send_,
				 .get_port = _get_port,
				 .supported_families = _supported_families,
				 .destroy = _destroy,
			 },
		 .channel = channel, );
	return &this->public;
}
