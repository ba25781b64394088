/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ppp_drive.h: plays a stream of frames, clock ticks and verdicts against one
 * PPP link, and aborts when the link breaks a promise of ppp.h. Input, record
 * by record, first byte modulo 8:
 *   0-3  frame: length (2 bytes), the frame behind FF 03
 *   4    time goes on: 2 bytes, in 16 ms
 *   5    verdict: one byte, bit 0 accepts, bit 1 no IPv4, bit 2 no DNS
 *   6    one byte: 0 ppp_note_data(), 1 ppp_close(), else a bare frame of
 *        that many bytes (no FF 03)
 *   7    be helpful: one byte, 0-2 acknowledge the last Configure-Request of
 *        LCP, IPCP, IPV6CP; 3 answer the last CHAP Challenge; 4 Success to the
 *        last Response
 */
#ifndef ADIT_TESTS_PPP_DRIVE_H
#define ADIT_TESTS_PPP_DRIVE_H

#include <stdint.h>

#include "base/rd.h"
#include "ppp-glue/engine/ppp.h"

void ppp_drive(const struct ppp_config *cfg, struct rd input);
/* A deterministic ppp_config.random; ctx: uint32_t */
void ppp_drive_random(void *ctx, void *p, size_t n);

#endif
