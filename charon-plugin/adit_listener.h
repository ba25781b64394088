/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_listener.h: tells the engine which peers charon refuses, and why, so
 * that the log has one line with who, from where and why; and of those that it
 * does not refuse, who they are.
 */
#ifndef ADIT_LISTENER_H_
#define ADIT_LISTENER_H_

#include <bus/listeners/listener.h>

#include "charon-plugin/adit_channel.h"

/**
 * Create the listener.
 *
 * @param channel	channel to the engine, must outlive the listener
 */
listener_t *adit_listener_create(adit_channel_t *channel);

/**
 * Destroy the listener, after it has been removed from the bus.
 */
void adit_listener_destroy(listener_t *listener);

#endif /** ADIT_LISTENER_H_ */
