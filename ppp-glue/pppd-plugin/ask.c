/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask.c: the hooks that decide, and do it by asking (contract in ask.h). Owns
 * the last verdict. The peer's words are passed on raw; the engine's message
 * goes to the peer as it is. Whatever goes wrong on the way to a verdict is a
 * refusal, in the form that the method has for it (RFC 2759 6).
 *
 * A verdict without addresses takes IPCP out of pppd's table: left to itself,
 * pppd invents an address for a peer that has none.
 */
#include "ppp-glue/pppd-plugin/pppd_compat.h"

#include "ppp-glue/pppd-plugin/ask.h"

#include <errno.h>
#include <string.h>

#include "base/link_msg.h"
#include "base/secret.h"
#include "ppp-glue/pppd-plugin/guard.h"
#include "ppp-glue/pppd-plugin/line.h"

#define MD5_RESPONSE_BYTES      16
#define MSCHAPV2_RESPONSE_BYTES 49 /* RFC 2759 4 */
#define PAP_MESSAGE_MAX         255
#define VERDICT_WAIT_MS         30000 /* a client gives up by then */

static struct link_verdict granted;
static bool is_granted;

static bool
is_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

static bool
has_ipv4(void)
{
	return is_granted && !is_zero(granted.ipv4_local, 4) &&
	    !is_zero(granted.ipv4_peer, 4);
}

static void
set_ipcp(void)
{
	ipcp_options *want = &ipcp_wantoptions[0];
	ipcp_options *allow = &ipcp_allowoptions[0];

	memcpy(&want->ouraddr, granted.ipv4_local, 4);
	memcpy(&want->hisaddr, granted.ipv4_peer, 4);
	want->accept_local = 0;
	want->accept_remote = 0;
	memcpy(&allow->dnsaddr[0], granted.ipv4_dns[0], 4);
	memcpy(&allow->dnsaddr[1], granted.ipv4_dns[1], 4);
	memcpy(&allow->winsaddr[0], granted.ipv4_nbns[0], 4);
	memcpy(&allow->winsaddr[1], granted.ipv4_nbns[1], 4);
}

static void
set_ipv6cp(void)
{
	ipv6cp_options *want = &ipv6cp_wantoptions[0];

	if (!is_zero(granted.ifid_local, 8)) {
		memcpy(&want->ourid, granted.ifid_local, 8);
		want->opt_local = 1;
	}
	if (!is_zero(granted.ifid_peer, 8)) {
		memcpy(&want->hisid, granted.ifid_peer, 8);
		want->opt_remote = 1;
	}
}

static void
grant(const struct link_verdict *v)
{
	granted = *v;
	is_granted = true;
	if (has_ipv4())
		set_ipcp();
	else
		ipcp_protent.enabled_flag = 0;
	set_ipv6cp();
}

/* True when the peer is in. text gets the message for it, without zero bytes
 * and with one at its end; it stays empty when there is no verdict. */
static bool
decide(struct link_ask *ask, char *text, size_t cap)
{
	struct link_verdict v;
	size_t n;
	int err;

	text[0] = '\0';
	is_granted = false; /* whatever was before, this counts */
	err = line_ask(ask, VERDICT_WAIT_MS, &v);
	if (err != 0) {
		error("adit: no verdict from the engine: %s", strerror(-err));
		return false;
	}
	n = strnlen((const char *)v.message, v.message_bytes);
	if (n >= cap)
		n = cap - 1;
	memcpy(text, v.message, n);
	text[n] = '\0';
	if (v.decision != LINK_ACCEPTED)
		return false;
	grant(&v);
	return true;
}

static bool
copy(struct rd from, uint8_t *ret, size_t cap, uint16_t *ret_bytes)
{
	size_t n = from.left;

	if (n > cap || !rd_bytes(&from, ret, n))
		return false;
	*ret_bytes = (uint16_t)n;
	return true;
}

/* challenge: pppd's, its first byte counts the others. */
static bool
fill_chap(struct link_ask *ask, int id, int digest, const uint8_t *challenge)
{
	struct guard_request q;
	size_t bytes;

	if (digest == CHAP_MICROSOFT_V2) {
		ask->method = LINK_METHOD_MSCHAPV2;
		bytes = MSCHAPV2_RESPONSE_BYTES;
	} else if (digest == CHAP_MD5) {
		ask->method = LINK_METHOD_CHAP_MD5;
		bytes = MD5_RESPONSE_BYTES;
	} else {
		return false;
	}
	if (!guard_chap_response(&q) || q.id != id || q.value.left != bytes)
		return false;
	ask->chap_id = q.id;
	return copy(q.name, ask->name, sizeof(ask->name), &ask->name_bytes) &&
	    copy(q.value, ask->response, sizeof(ask->response),
		&ask->response_bytes) &&
	    copy(rd_init(challenge + 1, challenge[0]), ask->challenge,
		sizeof(ask->challenge), &ask->challenge_bytes);
}

/* RFC 2759 6: error 691 (authentication failure), no retry: pppd closes the
 * link after a failure, a client that tried again would talk to nobody. */
static void
put_refusal(char *text, size_t cap, int digest, const uint8_t *challenge)
{
	static const char digit[] = "0123456789ABCDEF";
	char hex[33];
	size_t i;

	if (digest != CHAP_MICROSOFT_V2) {
		snprintf(text, cap, "Access denied");
		return;
	}
	for (i = 0; i < 16 && i < challenge[0]; i++) {
		hex[2 * i] = digit[challenge[1 + i] >> 4];
		hex[2 * i + 1] = digit[challenge[1 + i] & 15];
	}
	hex[2 * i] = '\0';
	snprintf(text, cap, "E=691 R=0 C=%s V=3 M=Access denied", hex);
}

static int
verify_chap(char *name, char *our_name, int id, struct chap_digest_type *digest,
    unsigned char *challenge, unsigned char *response, char *message,
    int message_space)
{
	struct link_ask ask = {.serial = 0};
	size_t cap = (size_t)message_space;
	bool ok = false;

	(void)name; /* rewritten by pppd, as is response's neighbour */
	(void)our_name;
	(void)response;
	if (message_space <= 0)
		return 0;
	message[0] = '\0';
	if (fill_chap(&ask, id, digest->code, challenge))
		ok = decide(&ask, message, cap);
	wipe(&ask, sizeof(ask));
	if (!ok && message[0] == '\0')
		put_refusal(message, cap, digest->code, challenge);
	return ok;
}

static int
verify_pap(char *user, char *password, char **message,
    struct wordlist **addresses, struct wordlist **options)
{
	static char text[PAP_MESSAGE_MAX + 1];
	struct link_ask ask = {.method = LINK_METHOD_PAP};
	struct guard_request q;
	bool ok = false;

	(void)user; /* rewritten by pppd */
	(void)password;
	*addresses = NULL;
	*options = NULL;
	*message = text;
	text[0] = '\0';
	if (guard_pap_request(&q) &&
	    copy(q.name, ask.name, sizeof(ask.name), &ask.name_bytes) &&
	    copy(q.value, ask.response, sizeof(ask.response),
		&ask.response_bytes)) {
		ask.chap_id = q.id;
		ok = decide(&ask, text, sizeof(text));
	}
	wipe(&ask, sizeof(ask));
	if (!ok && text[0] == '\0')
		put_refusal(text, sizeof(text), CHAP_MD5, NULL);
	return ok;
}

/* pppd may ask its peers, without looking into its files. */
static int
can_verify(void)
{
	return 1;
}

/* There is no secret to authenticate ourselves with. */
static int
no_chap_secret(char *user, char *secret)
{
	(void)user;
	secret[0] = '\0';
	return -1;
}

static int
no_pap_secret(char *user, char *secret)
{
	(void)user;
	if (secret != NULL)
		secret[0] = '\0';
	return 0;
}

static int
is_allowed(uint32_t address)
{
	return has_ipv4() && memcmp(&address, granted.ipv4_peer, 4) == 0;
}

static void
choose_address(uint32_t *address)
{
	if (has_ipv4())
		memcpy(address, granted.ipv4_peer, 4);
}

bool
ask_is_granted(void)
{
	return is_granted;
}

bool
ask_may_have_ifid(const uint8_t ifid[8])
{
	return is_granted &&
	    (is_zero(granted.ifid_peer, 8) ||
		memcmp(ifid, granted.ifid_peer, 8) == 0);
}

void
ask_init(void)
{
	chap_check_hook = can_verify;
	chap_verify_hook = verify_chap;
	chap_passwd_hook = no_chap_secret;
	pap_check_hook = can_verify;
	pap_auth_hook = verify_pap;
	pap_passwd_hook = no_pap_secret;
	allowed_address_hook = is_allowed;
	ip_choose_hook = choose_address;
}
