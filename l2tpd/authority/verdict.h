/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.h: is the answer to the challenge right, may the user in, and what
 * is the client told. Pure but for random numbers; no database, no log.
 */
#ifndef ADIT_AUTHORITY_VERDICT_H
#define ADIT_AUTHORITY_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auth_msg.h"
#include "l2tpd/authority/users.h"
#include "ppp-glue/engine/mschap.h"

/* The name to look up: what follows the last backslash ("DOMAIN\user", as
 * RFC 2759 8.2 strips it for the hash). Borrowed from ask. */
const uint8_t *verdict_user_name(const struct auth_ask *ask, size_t *ret_n);

/* Judge. u: NULL for an unknown user, for whom the same work is done, so that
 * the time tells nothing. Whether an account is disabled or expired is said
 * only to who knows its password. ret_authenticator: "S=..." when MS-CHAPv2
 * succeeded, else "". */
enum auth_reason verdict_check(const struct auth_ask *ask, const struct user *u,
    int64_t now_s, bool allow_pap,
    char ret_authenticator[MSCHAPV2_AUTHENTICATOR_BYTES]);

/* v->message for v->reason: RFC 2759 5 and 6 for MS-CHAPv2, plain text else. */
void verdict_message(const struct auth_ask *ask, const char *authenticator,
    struct auth_verdict *v);

#endif
