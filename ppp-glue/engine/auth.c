/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auth.c: what CHAP and PAP have in common: one attempt per opening of LCP,
 * one ask at a time, a final verdict whose message is kept for a peer that
 * did not hear it, and time limits. It decides nothing: the verdict comes
 * from outside (server) or from the peer (client).
 */
#include <stdlib.h>

#include "base/secret.h"
#include "ppp-glue/engine/link.h"

enum {
	RESEND_MS = 3000,      /* challenge or PAP request again */
	RESEND_MAX_MS = 10000, /* backoff ends here */
	AUTH_LIMIT_MS = 30000, /* from LCP's opening to the verdict */
};

bool
auth_allowed(const struct ppp_config *cfg, enum ppp_auth_method m)
{
	size_t i, n = sizeof(cfg->methods) / sizeof(cfg->methods[0]);

	for (i = 0; i < n && cfg->methods[i] != PPP_AUTH_NONE; i++)
		if (cfg->methods[i] == m)
			return true;
	return false;
}

void
auth_resend_later(struct ppp *p)
{
	struct auth *a = &p->auth;

	a->resend_ms = p->now_ms + a->timeout_ms;
	a->timeout_ms += a->timeout_ms / 2;
	if (a->timeout_ms > RESEND_MAX_MS)
		a->timeout_ms = RESEND_MAX_MS;
}

static void
send_again(struct ppp *p)
{
	bool pap = p->auth.method == PPP_AUTH_PAP;

	p->auth.resend_ms = UINT64_MAX;
	if (p->cfg->server && pap)
		return; /* the client begins */
	if (!p->cfg->server && !pap && !p->auth.responded)
		return; /* the server begins */
	auth_resend_later(p);
	if (pap)
		pap_send_request(p);
	else if (p->cfg->server)
		chap_send_challenge(p);
	else
		chap_send_response(p);
}

void
auth_start(struct ppp *p, enum ppp_auth_method method)
{
	struct auth *a = &p->auth;

	a->state = AUTH_WAITING;
	a->method = method;
	a->responded = false;
	auth_forget_message(p);
	a->timeout_ms = RESEND_MS;
	a->resend_ms = UINT64_MAX;
	a->limit_ms = p->now_ms + AUTH_LIMIT_MS;
	/* RFC 1994 2.3: unique and unpredictable, for every attempt */
	if (p->cfg->server)
		link_random(p, a->challenge, sizeof(a->challenge));
	a->id++;
	send_again(p);
}

/* LCP is down: what was open is void, a late verdict finds nothing */
void
auth_stop(struct ppp *p)
{
	p->auth.state = AUTH_IDLE;
	p->auth.resend_ms = UINT64_MAX;
	p->auth.limit_ms = UINT64_MAX;
	wipe(p->auth.response, sizeof(p->auth.response));
}

void
auth_forget_message(struct ppp *p)
{
	free(p->auth.message);
	p->auth.message = NULL;
	p->auth.message_bytes = 0;
}

static void
keep_message(struct ppp *p, struct rd message)
{
	struct auth *a = &p->auth;

	auth_forget_message(p);
	if (message.left > PPP_MESSAGE_MAX)
		message.left = PPP_MESSAGE_MAX;
	a->message = malloc(message.left + 1);
	if (a->message == NULL)
		return; /* an answer without words */
	a->message_bytes = (uint16_t)message.left;
	rd_bytes(&message, a->message, message.left);
}

void
auth_answered(struct ppp *p, bool accept, struct rd message)
{
	struct auth *a = &p->auth;

	a->state = accept ? AUTH_ACCEPTED : AUTH_REFUSED;
	a->resend_ms = UINT64_MAX;
	a->limit_ms = UINT64_MAX;
	if (p->cfg->server) {
		keep_message(p, message);
		if (a->method == PPP_AUTH_PAP)
			pap_send_answer(p);
		else
			chap_send_answer(p);
	} else if (accept) {
		link_effect(p, PPP_EFFECT_AUTHENTICATED);
	}
	if (!accept) {
		link_fail(p, "auth-failed", !p->cfg->server);
		return;
	}
	a->asks = 0;
	link_authenticated(p);
}

void
auth_tick(struct ppp *p)
{
	struct auth *a = &p->auth;

	if (p->now_ms >= a->limit_ms) {
		a->limit_ms = a->resend_ms = UINT64_MAX;
		link_fail(p, "auth-timeout", a->state == AUTH_WAITING);
		return;
	}
	if (p->now_ms >= a->resend_ms)
		send_again(p);
}
