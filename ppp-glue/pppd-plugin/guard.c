/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.c: what a packet passes before pppd's own code sees it (guard.h). The
 * entries of pppd's protocol table are replaced; each replacement checks and
 * then calls the original. Trusts nothing in a packet; owns a borrowed view of
 * the one that is being handled. Covered are, in 2.4.9 and 2.5.2 alike:
 *
 *  - IPCP builds its Configure-Nak behind the request, in the buffer that it
 *    was received in: a long request makes it write past the end. Protocols
 *    get packets of at most GUARD_BYTES_MAX, much less than that buffer.
 *  - Code-Reject and Protocol-Reject are built in a buffer for an MRU of 1500,
 *    but cut at the peer's MRU, which may be larger: that MRU is limited.
 *  - Challenges come from mrand48(), whose state the LCP magic numbers of the
 *    same link give away: they come from the kernel here.
 *  - Names are made printable before the hooks get them, which changes what an
 *    MS-CHAPv2 response was computed from: the raw ones are kept.
 *  - A hook that can verify peers makes pppd believe that it has a secret to
 *    authenticate itself with, which a peer can use as an oracle: requests for
 *    that are not agreed to, and Challenges do not reach it.
 *  - EAP (RFC 3748) has a machine in pppd with a history; it gets nothing.
 */
#include "ppp-glue/pppd-plugin/pppd_compat.h"

#include "ppp-glue/pppd-plugin/guard.h"

#include <string.h>
#include <sys/random.h>

#define GUARD_BYTES_MAX 768  /* PAP with 255 + 255 bytes fits */
#define GUARD_MRU_MAX   1500 /* what pppd's buffers are made for */

#define CHALLENGE_BYTES 16 /* RFC 2759 4: exactly; RFC 1994 4.1: any */

/* codes, RFC 1661 5, RFC 1334 2.2 */
#define TERMINATE_REQUEST        5
#define PAP_AUTHENTICATE_REQUEST 1

typedef void input_fn(int unit, unsigned char *p, int bytes);

static input_fn *pppd_lcp, *pppd_chap, *pppd_pap, *pppd_ipcp, *pppd_ipv6cp,
    *pppd_ccp;

static struct rd chap_packet, pap_packet; /* being handled, or empty */
static bool peer_terminated;

/* The code of a packet that may pass, 0 (RFC 1661 5 has none of it) for
 * others. */
static uint8_t
sane_code(const unsigned char *p, int bytes)
{
	struct rd r;
	uint8_t code = 0;

	if (bytes < 4 || bytes > GUARD_BYTES_MAX)
		return 0;
	r = rd_init(p, (size_t)bytes);
	rd_peek_u8(&r, &code);
	return code;
}

static void
limit_peer_mru(void)
{
	if (peer_mru[0] > GUARD_MRU_MAX)
		peer_mru[0] = GUARD_MRU_MAX;
}

/* pppd computes these anew whenever LCP starts over, so once is not enough. */
static void
offer_no_authentication(void)
{
	lcp_allowoptions[0].neg_upap = 0;
	lcp_allowoptions[0].neg_chap = 0;
	lcp_allowoptions[0].neg_eap = 0;
}

static void
guard_lcp(int unit, unsigned char *p, int bytes)
{
	uint8_t code = sane_code(p, bytes);

	if (code == 0)
		return;
	if (code == TERMINATE_REQUEST)
		peer_terminated = true;
	offer_no_authentication();
	pppd_lcp(unit, p, bytes);
	limit_peer_mru();
}

/* Only Responses: whatever else arrives is for a client, and we are none. */
static void
guard_chap(int unit, unsigned char *p, int bytes)
{
	if (sane_code(p, bytes) != CHAP_RESPONSE)
		return;
	chap_packet = rd_init(p, (size_t)bytes);
	pppd_chap(unit, p, bytes);
	chap_packet = rd_init(NULL, 0);
}

static void
guard_pap(int unit, unsigned char *p, int bytes)
{
	if (sane_code(p, bytes) != PAP_AUTHENTICATE_REQUEST)
		return;
	pap_packet = rd_init(p, (size_t)bytes);
	pppd_pap(unit, p, bytes);
	pap_packet = rd_init(NULL, 0);
}

static void
guard_ipcp(int unit, unsigned char *p, int bytes)
{
	if (sane_code(p, bytes) != 0)
		pppd_ipcp(unit, p, bytes);
}

static void
guard_ipv6cp(int unit, unsigned char *p, int bytes)
{
	if (sane_code(p, bytes) != 0)
		pppd_ipv6cp(unit, p, bytes);
}

static void
guard_ccp(int unit, unsigned char *p, int bytes)
{
	if (sane_code(p, bytes) != 0)
		pppd_ccp(unit, p, bytes);
}

static void
guard_nothing(int unit, unsigned char *p, int bytes)
{
	(void)unit;
	(void)p;
	(void)bytes;
}

static void
no_event(int unit)
{
	(void)unit;
}

/* Code, Identifier, Length: RFC 1994 4, RFC 1334 2.2. The body, without what
 * lies behind Length. */
static bool
get_header(struct rd packet, uint8_t *ret_id, struct rd *ret_body)
{
	uint16_t length;
	uint8_t id;

	rd_skip(&packet, 1);
	rd_u8(&packet, &id);
	if (!rd_be16(&packet, &length) || length < 4 ||
	    !rd_sub(&packet, length - 4u, ret_body))
		return false;
	*ret_id = id;
	return true;
}

static bool
get_counted(struct rd *r, struct rd *ret)
{
	uint8_t n;

	return rd_u8(r, &n) && rd_sub(r, n, ret);
}

/* RFC 1994 4.1: Value-Size, Value, Name. */
bool
guard_chap_response(struct guard_request *ret)
{
	struct guard_request q;
	struct rd body;

	if (!get_header(chap_packet, &q.id, &body) ||
	    !get_counted(&body, &q.value))
		return false;
	q.name = body;
	*ret = q;
	return true;
}

/* RFC 1334 2.2.1: Peer-ID and Password, each with its length. */
bool
guard_pap_request(struct guard_request *ret)
{
	struct guard_request q;
	struct rd body;

	if (!get_header(pap_packet, &q.id, &body) ||
	    !get_counted(&body, &q.name) || !get_counted(&body, &q.value))
		return false;
	*ret = q;
	return true;
}

bool
guard_peer_terminated(void)
{
	return peer_terminated;
}

/* Not random_bytes(): pppd exports a function of that name, the weak one. */
static void
make_challenge(unsigned char *ret)
{
	ret[0] = CHALLENGE_BYTES;
	if (getrandom(ret + 1, CHALLENGE_BYTES, 0) != CHALLENGE_BYTES)
		fatal("adit: no random numbers");
}

static void
replace_challenges(int digest)
{
	struct chap_digest_type *d = chap_find_digest(digest);

	if (d != NULL)
		d->generate_challenge = make_challenge;
}

static void
replace(struct protent *p, input_fn *ours, input_fn **ret_pppd)
{
	*ret_pppd = p->input;
	p->input = ours;
}

void
guard_init(void)
{
	struct protent *const known[] = {&lcp_protent, &chap_protent,
	    &pap_protent, &ipcp_protent, &ipv6cp_protent, &ccp_protent};
	size_t i, k;

	replace(&lcp_protent, guard_lcp, &pppd_lcp);
	replace(&chap_protent, guard_chap, &pppd_chap);
	replace(&pap_protent, guard_pap, &pppd_pap);
	replace(&ipcp_protent, guard_ipcp, &pppd_ipcp);
	replace(&ipv6cp_protent, guard_ipv6cp, &pppd_ipv6cp);
	replace(&ccp_protent, guard_ccp, &pppd_ccp);
	/* EAP and whatever else this pppd was built with */
	for (i = 0; protocols[i] != NULL; i++) {
		for (k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			if (protocols[i] == known[k])
				break;
		if (k < sizeof(known) / sizeof(known[0]))
			continue;
		protocols[i]->enabled_flag = 0;
		protocols[i]->input = guard_nothing;
		protocols[i]->datainput = NULL;
		protocols[i]->protrej = no_event;
		protocols[i]->lowerup = no_event;
		protocols[i]->lowerdown = no_event;
	}
	replace_challenges(CHAP_MD5);
	replace_challenges(CHAP_MICROSOFT_V2);
}
