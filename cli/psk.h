/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * psk.h: pre-shared keys: making good ones, refusing weak ones. Who records
 * one IKE exchange can try passwords against it at leisure, so a PSK that a
 * person could remember is none.
 */
#ifndef ADIT_CLI_PSK_H
#define ADIT_CLI_PSK_H

#include <stddef.h>

#define PSK_TEXT_BYTES 44 /* 256 bits as base64url, and a zero */

void psk_make(char ret[PSK_TEXT_BYTES]);
/* NULL when it is strong enough, else why not. n bytes without newline. */
const char *psk_problem(const char *psk, size_t n);
/* A password for a person: groups of letters and digits that are not mixed up
 * when read aloud, about 77 bits. */
#define PASSWORD_TEXT_BYTES 20
void password_make(char ret[PASSWORD_TEXT_BYTES]);

#endif
