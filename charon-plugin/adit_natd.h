/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_natd.h: brings clients that are not behind a NAT to UDP 4500 too, by
 * telling them that they are (RFC 3947 3.2). ESP in UDP passes more firewalls
 * than raw ESP does, and the kernel carries many packets of it in one call.
 *
 * Only the hash of the client's own address is wrong: a wrong hash of ours
 * would say that the server is behind a NAT, which Windows refuses unless its
 * registry allows it (AssumeUDPEncapsulationContextOnSendRule).
 */
#ifndef ADIT_NATD_H_
#define ADIT_NATD_H_

#include <bus/listeners/listener.h>

/**
 * Create the listener that does it.
 */
listener_t *adit_natd_create(void);

/**
 * Destroy the listener, after it has been removed from the bus.
 */
void adit_natd_destroy(listener_t *listener);

#endif /** ADIT_NATD_H_ */
