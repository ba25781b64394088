/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * header.h: writing the L2TP header of control messages (RFC 2661 3.1).
 * Reading is l2tp_parse_head(), declared in tunnel.h.
 */
#ifndef ADIT_PROTO_HEADER_H
#define ADIT_PROTO_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wr.h"

#define L2TP_CONTROL_HEAD_BYTES 12

/* Flag bits and version of the first 16-bit word, RFC 2661 3.1 figure 3. */
#define L2TP_FLAG_T       0x8000 /* control message */
#define L2TP_FLAG_L       0x4000 /* Length present */
#define L2TP_FLAG_S       0x0800 /* Ns and Nr present */
#define L2TP_FLAG_O       0x0200 /* Offset Size present */
#define L2TP_FLAG_P       0x0100 /* priority */
#define L2TP_VERSION_MASK 0x000f
#define L2TP_VERSION      2
/* What every control message of ours starts with; Android 11 and older take
 * nothing else. */
#define L2TP_CONTROL_WORD 0xc802

/* Ids: the peer's; ns, nr: host order. w must be empty: the header is the
 * beginning of the datagram. False when it does not fit. */
bool l2tp_put_control_head(struct wr *w, uint16_t tunnel_id,
    uint16_t session_id, uint16_t ns, uint16_t nr);
/* Patch Length when the message is complete. False when something did not
 * fit. */
bool l2tp_finish_control(struct wr *w);

#endif
