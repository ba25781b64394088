/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hide.h: what the tunnel's shared secret is used for: hiding AVP values
 * (RFC 2661 4.3) and answering challenges (5.1.1). MD5, as the RFC demands.
 * Pure. secret, vector, challenge and values are borrowed for the call.
 */
#ifndef ADIT_PROTO_HIDE_H
#define ADIT_PROTO_HIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"

#define HIDE_BLOCK_BYTES 16 /* of MD5 */

/* Append the hidden form of value (length, value, pad_bytes of padding;
 * enciphered) to w. vector: value of the nearest Random Vector AVP before it.
 * False: does not fit, or MD5 is not available. */
bool hide_encode(uint16_t type, struct rd secret, struct rd vector,
    struct rd value, size_t pad_bytes, struct wr *w);

/* Decipher into scratch; *ret_value borrows from scratch. The result is
 * hostile input like any other: without the right secret it is noise. False:
 * the inner length does not fit, scratch is full, or no MD5. */
bool hide_decode(uint16_t type, struct rd secret, struct rd vector,
    struct rd cipher, struct wr *scratch, struct rd *ret_value);

/* Challenge Response (RFC 2661 5.1.1). message_type: of the message that
 * carries the response: 2 (SCCRP) or 3 (SCCCN). */
bool hide_response(uint8_t message_type, struct rd secret, struct rd challenge,
    uint8_t ret[HIDE_BLOCK_BYTES]);
/* Constant time. response: any length; false unless it is the right one. */
bool hide_check_response(uint8_t message_type, struct rd secret,
    struct rd challenge, struct rd response);

#endif
