/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.c: MS-CHAPv2 (RFC 2759) and PAP (RFC 1334) against an NT hash. CHAP
 * with MD5 (RFC 1994) needs the clear password, which is never stored.
 *
 * Trusts nothing in an ask: lengths are checked here, names are bytes. R=0 is
 * sent in every failure: the server ends the link after it, so a retry in the
 * same link (R=1) would run into nothing.
 */
#include "l2tpd/authority/verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"

enum { METHOD_MSCHAPV2 = 1, METHOD_CHAP_MD5 = 2, METHOD_PAP = 3 };

/* What the client is told: RFC 2759 6 has numbers for some reasons. 649 (no
 * permission to dial in) stands for all that a new password cannot mend: 648
 * would make Windows ask for a new password, which we cannot take. */
static const struct {
	int error;
	const char *text;
} told[] = {
    [AUTH_ACCEPTED] = {0, "Welcome"},
    [AUTH_UNKNOWN_USER] = {691, "Wrong user name or password"},
    [AUTH_WRONG_PASSWORD] = {691, "Wrong user name or password"},
    [AUTH_DISABLED] = {647, "The account is disabled"},
    [AUTH_EXPIRED] = {649, "The account has expired"},
    [AUTH_TOO_MANY_SESSIONS] = {649, "Too many sessions of this user"},
    [AUTH_POOL_EMPTY] = {649, "No address is free"},
    [AUTH_ADDRESS_IN_USE] = {649, "The address of this user is in use"},
    [AUTH_METHOD_NOT_POSSIBLE] = {649, "Use MS-CHAPv2"},
    [AUTH_INTERNAL] = {649, "The server has a problem"},
};

const uint8_t *
verdict_user_name(const struct auth_ask *ask, size_t *ret_n)
{
	size_t start = 0;

	for (size_t i = 0; i < ask->name_bytes; i++)
		if (ask->name[i] == '\\')
			start = i + 1;
	*ret_n = ask->name_bytes - start;
	return ask->name + start;
}

/* A hash that nobody's password has; equal work for unknown users. */
static const uint8_t *
nobodys_hash(void)
{
	static uint8_t hash[MSCHAP_HASH_BYTES];
	static bool made;

	if (!made)
		random_bytes(hash, sizeof(hash));
	made = true;
	return hash;
}

static bool
check_mschapv2(const struct auth_ask *ask, const uint8_t *hash,
    char ret_authenticator[MSCHAPV2_AUTHENTICATOR_BYTES])
{
	if (ask->challenge_bytes != 16 ||
	    ask->response_bytes != MSCHAPV2_RESPONSE_BYTES)
		return false;
	return mschapv2_verify(hash, ask->name, ask->name_bytes, ask->challenge,
	    ask->response, ret_authenticator);
}

static bool
check_pap(const struct auth_ask *ask, const uint8_t *hash)
{
	uint8_t theirs[MSCHAP_HASH_BYTES];
	bool ok;

	ok = mschap_nt_hash(ask->response, ask->response_bytes, theirs) == 0 &&
	    equal_ct(theirs, hash, sizeof(theirs));
	wipe(theirs, sizeof(theirs));
	return ok;
}

enum auth_reason
verdict_check(const struct auth_ask *ask, const struct user *u, int64_t now_s,
    bool allow_pap, char ret_authenticator[MSCHAPV2_AUTHENTICATOR_BYTES])
{
	const uint8_t *hash = u ? u->nt_hash : nobodys_hash();
	bool right;

	ret_authenticator[0] = '\0';
	switch (ask->method) {
	case METHOD_MSCHAPV2:
		right = check_mschapv2(ask, hash, ret_authenticator);
		break;
	case METHOD_PAP:
		if (!allow_pap)
			return AUTH_METHOD_NOT_POSSIBLE;
		right = check_pap(ask, hash);
		break;
	default: /* METHOD_CHAP_MD5: needs the clear password */
		return AUTH_METHOD_NOT_POSSIBLE;
	}
	if (!u)
		return AUTH_UNKNOWN_USER;
	if (!right)
		return AUTH_WRONG_PASSWORD;
	if (u->disabled)
		return AUTH_DISABLED;
	if (u->valid_until && now_s >= u->valid_until)
		return AUTH_EXPIRED;
	return AUTH_ACCEPTED;
}

/* RFC 2759 6: "E=eeeeeeeeee R=r C=<32 hex> V=vvvvvvvvvv M=<msg>" */
static int
failure_message(char *buf, size_t n, enum auth_reason reason)
{
	char hex[33];
	uint8_t challenge[16];

	random_bytes(challenge, sizeof(challenge));
	for (size_t i = 0; i < sizeof(challenge); i++)
		snprintf(hex + 2 * i, 3, "%02X", challenge[i]);
	return snprintf(buf, n, "E=%d R=0 C=%s V=3 M=%s", told[reason].error,
	    hex, told[reason].text);
}

void
verdict_message(const struct auth_ask *ask, const char *authenticator,
    struct auth_verdict *v)
{
	char *buf = (char *)v->message;
	size_t room = sizeof(v->message);
	enum auth_reason reason = (enum auth_reason)v->reason;
	int n;

	if (ask->method != METHOD_MSCHAPV2)
		n = snprintf(buf, room, "%s", told[reason].text);
	else if (reason == AUTH_ACCEPTED) /* RFC 2759 5 */
		n = snprintf(
		    buf, room, "%s M=%s", authenticator, told[reason].text);
	else
		n = failure_message(buf, room, reason);
	v->message_bytes = (uint16_t)n;
}
