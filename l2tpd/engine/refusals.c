/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refusals.c: why a stock charon did not let a device in (kernel plane). Our
 * plugin is not there to tell, and vici has no event for it; what it has is
 * charon's log, line by line. The lines of one IKE_SA that matter are known
 * below, as strongSwan 5.9 and 6.0 write them; a line that reads otherwise one
 * day costs the reason in our log, nothing else.
 *
 * Trusts: charon for its words; what it quotes (identities) is a peer's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "l2tpd/engine/internal.h"

/* IKE_SAs that are remembered; half-open ones come and go. */
#define LATEST 256

struct attempt {
	uint32_t ike; /* charon's unique id; 0: none */
	bool told;    /* the first reason counts, others follow from it */
	struct endpoint peer;
	char identity[IDENTITY_MAX];
};

struct refusals {
	struct attempt latest[LATEST];
	unsigned int next;
};

static const struct {
	const char *words;
	uint8_t kind; /* enum charon_alert_kind */
} lines[] = {
    {"decryption failed?", CHARON_ALERT_WRONG_PSK},
    {"could not decrypt payloads", CHARON_ALERT_WRONG_PSK},
    {"certificate was revoked", CHARON_ALERT_CERT_REVOKED},
    {"certificate invalid (valid from", CHARON_ALERT_CERT_EXPIRED},
    {"no issuer certificate found", CHARON_ALERT_CERT_UNTRUSTED},
    {"is not trusted", CHARON_ALERT_CERT_UNTRUSTED},
    {"no trusted", CHARON_ALERT_CERT_UNTRUSTED},
    {"signature validation failed", CHARON_ALERT_AUTH_FAILED},
    {"no IKE config found", CHARON_ALERT_NO_CONFIG},
    {"no peer config found", CHARON_ALERT_NO_CONFIG},
    {"no proposal found", CHARON_ALERT_NO_IKE_PROPOSAL},
    {"no matching proposal found", CHARON_ALERT_NO_ESP_PROPOSAL},
    {"no acceptable traffic selectors", CHARON_ALERT_TS_MISMATCH},
};

static struct attempt *
attempt_of(struct refusals *r, uint32_t ike)
{
	struct attempt *a;
	size_t i;

	for (i = 0; i < LATEST; i++)
		if (r->latest[i].ike == ike)
			return &r->latest[i];
	a = &r->latest[r->next++ % LATEST];
	memset(a, 0, sizeof(*a));
	a->ike = ike;
	return a;
}

/* "192.0.2.3 is initiating a Main Mode IKE_SA" */
static void
read_peer(struct attempt *a, const char *text)
{
	const char *end = strstr(text, " is initiating a");
	char address[ENDPOINT_TEXT];
	size_t n = end != NULL ? (size_t)(end - text) : 0;

	if (n == 0 || n >= sizeof(address))
		return;
	memcpy(address, text, n);
	address[n] = '\0';
	(void)endpoint_parse(address, 0, &a->peer);
}

/* "looking for ... peer configs matching 192.0.2.1...192.0.2.3[carol]" */
static void
read_identity(struct attempt *a, const char *text)
{
	const char *from = strrchr(text, '['), *to = strrchr(text, ']');

	if (strncmp(text, "looking for ", 12) != 0 || from == NULL ||
	    to == NULL || to <= from)
		return;
	log_clean(from + 1, (size_t)(to - from - 1), a->identity,
	    sizeof(a->identity));
}

static void
refused(struct engine *e, struct attempt *a, uint8_t kind, const char *text)
{
	struct charon_alert alert;

	if (a->told)
		return;
	a->told = true;
	memset(&alert, 0, sizeof(alert));
	alert.kind = kind;
	alert.peer = a->peer;
	strncpy(alert.identity, a->identity[0] != '\0' ? a->identity : "-",
	    sizeof(alert.identity) - 1);
	strncpy(alert.detail, text, sizeof(alert.detail) - 1);
	charon_alerted(e, &alert);
}

void
refusals_line(struct engine *e, uint32_t ike, const char *text)
{
	struct attempt *a;
	size_t i;

	if (e->refusals == NULL)
		e->refusals = calloc(1, sizeof(*e->refusals));
	if (e->refusals == NULL)
		return;
	a = attempt_of(e->refusals, ike);
	read_peer(a, text);
	read_identity(a, text);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (strstr(text, lines[i].words) != NULL) {
			refused(e, a, lines[i].kind, text);
			return;
		}
}

void
refusals_free(struct engine *e)
{
	free(e->refusals);
	e->refusals = NULL;
}
