/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_socket.h: socket_t without a socket: l2tpd owns UDP 500 and 4500, and
 * relays IKE over the channel after its filter.
 */
#ifndef ADIT_SOCKET_H_
#define ADIT_SOCKET_H_

#include <network/socket.h>

#include "charon-plugin/adit_channel.h"

/**
 * Create the socket.
 *
 * @param channel	channel to the engine, must outlive the socket
 */
socket_t *adit_socket_create(adit_channel_t *channel);

#endif /** ADIT_SOCKET_H_ */
