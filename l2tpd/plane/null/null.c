/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * null.c: the plane of tests (contract in null.h). Owns its records. Memory is
 * taken for every call, there is no limit: a test ends.
 */
#include "l2tpd/plane/null/null.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/wr.h"

struct record {
	STAILQ_ENTRY(record) next;
	struct null_call call;
	uint8_t data[]; /* call.data is made of it when fetched */
};

struct sa {
	LIST_ENTRY(sa) next;
	uint32_t spi, association;
	bool inbound;
	struct endpoint peer;
};

struct session {
	LIST_ENTRY(session) next;
	struct plane_session params;
	struct plane_counters counters;
	bool open_ipv4, open_ipv6;
	struct ipv4_networks networks;
};

struct null_plane {
	struct plane base; /* first */
	struct plane_events events;
	void *ctx;
	STAILQ_HEAD(, record) calls;
	struct record *fetched;
	LIST_HEAD(, sa) sas; /* newest first */
	LIST_HEAD(, session) sessions;
	int fail[NULL_CALL_COUNT];
	unsigned int owners;
	bool no_channels;
};

static struct null_plane *
null_of(const struct plane *p)
{
	return (struct null_plane *)p;
}

/* Keep the call; it gets its result, which is returned. */
static int
record(struct plane *p, const struct null_call *call, int result)
{
	struct null_plane *n = null_of(p);
	struct record *r = calloc(1, sizeof(*r) + call->data.left);
	struct wr w;

	if (r == NULL)
		return -ENOMEM;
	r->call = *call;
	r->call.result = result;
	w = wr_init(r->data, call->data.left);
	wr_bytes(&w, call->data.p, call->data.left);
	STAILQ_INSERT_TAIL(&n->calls, r, next);
	return result;
}

/* 0, or what the test ordered for this call. */
static int
ordered(struct plane *p, enum null_call_type type)
{
	struct null_plane *n = null_of(p);
	int rc = n->fail[type];

	n->fail[type] = 0;
	return rc;
}

static struct sa *
find_sa(
    struct plane *p, uint32_t spi, bool inbound, const struct endpoint *peer)
{
	struct sa *s, *found = NULL;

	LIST_FOREACH (s, &null_of(p)->sas, next) {
		if (s->spi != spi || s->inbound != inbound)
			continue;
		if (inbound || peer == NULL ||
		    endpoint_same_address(&s->peer, peer))
			return s;
		found = s;
	}
	return found;
}

static struct session *
find_session(const struct plane *p, uint32_t id)
{
	struct session *s;

	LIST_FOREACH (s, &null_of(p)->sessions, next)
		if (s->params.id == id)
			return s;
	return NULL;
}

static bool
has_outbound(struct plane *p, uint32_t association)
{
	struct sa *s;

	LIST_FOREACH (s, &null_of(p)->sas, next)
		if (!s->inbound && s->association == association)
			return true;
	return false;
}

void
null_drop_calls(struct plane *p)
{
	struct null_plane *n = null_of(p);
	struct record *r;

	while ((r = STAILQ_FIRST(&n->calls)) != NULL) {
		STAILQ_REMOVE_HEAD(&n->calls, next);
		free(r);
	}
	free(n->fetched);
	n->fetched = NULL;
}

static void
do_free(struct plane *p)
{
	struct null_plane *n = null_of(p);
	struct session *s;
	struct sa *sa;

	if (--n->owners > 0)
		return;
	null_drop_calls(p);
	while ((sa = LIST_FIRST(&n->sas)) != NULL) {
		LIST_REMOVE(sa, next);
		free(sa);
	}
	while ((s = LIST_FIRST(&n->sessions)) != NULL) {
		LIST_REMOVE(s, next);
		free(s);
	}
	free(n);
}

static int
sa_add(struct plane *p, const struct esp_sa_params *params)
{
	struct null_call call = {.type = NULL_CALL_SA_ADD,
	    .spi = params->spi,
	    .inbound = params->inbound,
	    .association = params->association,
	    .peer = params->peer,
	    .local = params->local};
	struct sa *s;
	int rc = ordered(p, call.type);

	if (rc == 0) {
		s = find_sa(p, params->spi, params->inbound, &params->peer);
		if (s != NULL) {
			LIST_REMOVE(s, next);
			free(s);
		}
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return -ENOMEM;
		s->spi = params->spi;
		s->inbound = params->inbound;
		s->association = params->association;
		s->peer = params->peer;
		LIST_INSERT_HEAD(&null_of(p)->sas, s, next);
	}
	return record(p, &call, rc);
}

static int
sa_update(struct plane *p, uint32_t spi, bool inbound,
    const struct endpoint *old_peer, const struct endpoint *local,
    const struct endpoint *peer, bool encap)
{
	struct null_call call = {.type = NULL_CALL_SA_UPDATE,
	    .spi = spi,
	    .inbound = inbound,
	    .peer = *peer,
	    .local = *local};
	struct sa *s = find_sa(p, spi, inbound, old_peer);
	int rc = ordered(p, call.type);

	(void)encap;
	if (rc == 0 && s == NULL)
		rc = -ENOENT;
	if (rc == 0)
		s->peer = *peer;
	return record(p, &call, rc);
}

static int
sa_del(struct plane *p, uint32_t spi, bool inbound, const struct endpoint *peer)
{
	struct null_call call = {
	    .type = NULL_CALL_SA_DEL, .spi = spi, .inbound = inbound};
	struct sa *s = find_sa(p, spi, inbound, peer);
	int rc = ordered(p, call.type);

	if (peer != NULL)
		call.peer = *peer;
	if (rc == 0 && s == NULL)
		rc = -ENOENT;
	if (rc == 0) {
		LIST_REMOVE(s, next);
		free(s);
	}
	return record(p, &call, rc);
}

static int
sa_counters(struct plane *p, uint32_t spi, bool inbound,
    const struct endpoint *peer, struct esp_counters *ret)
{
	if (find_sa(p, spi, inbound, peer) == NULL)
		return -ENOENT;
	memset(ret, 0, sizeof(*ret));
	return 0;
}

static const char *
cipher_name(struct plane *p, uint32_t association)
{
	return has_outbound(p, association) ? "null" : "-";
}

static void
spi_expect(struct plane *p, uint32_t spi, bool expect)
{
	const struct null_call call = {
	    .type = NULL_CALL_SPI_EXPECT, .spi = spi, .expect = expect};

	record(p, &call, 0);
}

static int
ike_send(struct plane *p, const struct endpoint *local,
    const struct endpoint *peer, struct rd data)
{
	const struct null_call call = {.type = NULL_CALL_IKE_SEND,
	    .local = *local,
	    .peer = *peer,
	    .data = data};

	return record(p, &call, ordered(p, call.type));
}

static int
l2tp_send(struct plane *p, uint32_t association, uint16_t peer_port,
    struct rd datagram)
{
	const struct null_call call = {.type = NULL_CALL_L2TP_SEND,
	    .association = association,
	    .port = peer_port,
	    .data = datagram};
	int rc = ordered(p, call.type);

	if (rc == 0 && !has_outbound(p, association))
		rc = -ENOENT;
	return record(p, &call, rc);
}

static int
session_add(struct plane *p, const struct plane_session *params)
{
	const struct null_call call = {.type = NULL_CALL_SESSION_ADD,
	    .session = params->id,
	    .association = params->association,
	    .port = params->peer_port};
	struct session *s;
	int rc = ordered(p, call.type);

	if (rc == 0 && params->id == 0)
		rc = -EINVAL;
	if (rc == 0 && find_session(p, params->id) != NULL)
		rc = -EEXIST;
	if (rc == 0) {
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return -ENOMEM;
		s->params = *params;
		LIST_INSERT_HEAD(&null_of(p)->sessions, s, next);
	}
	return record(p, &call, rc);
}

static void
session_del(struct plane *p, uint32_t id)
{
	const struct null_call call = {
	    .type = NULL_CALL_SESSION_DEL, .session = id};
	struct session *s = find_session(p, id);

	if (s != NULL) {
		LIST_REMOVE(s, next);
		free(s);
	}
	record(p, &call, s != NULL ? 0 : -ENOENT);
}

static int
session_rebind(
    struct plane *p, uint32_t id, uint32_t association, uint16_t peer_port)
{
	const struct null_call call = {.type = NULL_CALL_SESSION_REBIND,
	    .session = id,
	    .association = association,
	    .port = peer_port};
	struct session *s = find_session(p, id);
	int rc = ordered(p, call.type);

	if (rc == 0 && s == NULL)
		rc = -ENOENT;
	if (rc == 0) {
		s->params.association = association;
		s->params.peer_port = peer_port;
	}
	return record(p, &call, rc);
}

static bool
has_open_uplink(const struct plane *p, uint32_t but_id)
{
	const struct session *s;

	LIST_FOREACH (s, &null_of(p)->sessions, next)
		if (s->params.uplink && s->open_ipv4 && s->params.id != but_id)
			return true;
	return false;
}

static int
session_open_ipv4(
    struct plane *p, uint32_t id, const uint8_t address[4], uint16_t peer_mru)
{
	struct null_call call = {
	    .type = NULL_CALL_OPEN_IPV4, .session = id, .mru = peer_mru};
	struct session *s = find_session(p, id);
	int rc = ordered(p, call.type);

	memcpy(call.address, address, 4);
	if (rc == 0 && s == NULL)
		rc = -ENOENT;
	if (rc == 0 && s->params.uplink && has_open_uplink(p, id))
		rc = -EEXIST;
	if (rc == 0) {
		s->open_ipv4 = true;
		s->networks.count = 0;
	}
	return record(p, &call, rc);
}

static int
session_open_ipv6(struct plane *p, uint32_t id, const uint8_t prefix[8],
    const uint8_t ifid[8], uint16_t peer_mru)
{
	struct null_call call = {
	    .type = NULL_CALL_OPEN_IPV6, .session = id, .mru = peer_mru};
	struct session *s = find_session(p, id);
	int rc = ordered(p, call.type);

	memcpy(call.address, prefix, 8);
	memcpy(call.address + 8, ifid, 8);
	if (rc == 0 && s == NULL)
		rc = -ENOENT;
	if (rc == 0)
		s->open_ipv6 = true;
	return record(p, &call, rc);
}

static int
check_networks(
    struct plane *p, const struct session *s, const struct ipv4_networks *nets)
{
	const struct session *other;

	if (s == NULL)
		return -ENOENT;
	if (nets->count > 0 && (!s->open_ipv4 || s->params.uplink))
		return -EINVAL;
	for (size_t i = 0; i < nets->count; i++)
		if (!ipv4_network_is_sane(&nets->at[i]))
			return -EINVAL;
	LIST_FOREACH (other, &null_of(p)->sessions, next)
		if (other != s && ipv4_networks_overlap(&other->networks, nets))
			return -EEXIST;
	return 0;
}

static int
session_routes(struct plane *p, uint32_t id, const struct ipv4_networks *nets)
{
	const struct null_call call = {
	    .type = NULL_CALL_ROUTES, .session = id, .networks = *nets};
	struct session *s = find_session(p, id);
	int rc = ordered(p, call.type);

	if (rc == 0)
		rc = check_networks(p, s, nets);
	if (s != NULL && rc == 0)
		s->networks = *nets;
	else if (s != NULL)
		s->networks.count = 0;
	return record(p, &call, rc);
}

static void
session_shut(struct plane *p, uint32_t id)
{
	const struct null_call call = {.type = NULL_CALL_SHUT, .session = id};
	struct session *s = find_session(p, id);

	if (s != NULL) {
		s->open_ipv4 = s->open_ipv6 = false;
		s->networks.count = 0;
	}
	record(p, &call, s != NULL ? 0 : -ENOENT);
}

static int
ppp_send(struct plane *p, uint32_t id, struct rd frame)
{
	struct null_call call = {
	    .type = NULL_CALL_PPP_SEND, .session = id, .data = frame};
	const struct session *s = find_session(p, id);
	int rc = ordered(p, call.type);

	if (s != NULL)
		call.association = s->params.association;
	if (rc == 0 && (s == NULL || !has_outbound(p, s->params.association)))
		rc = -ENOENT;
	return record(p, &call, rc);
}

static int
session_counters(struct plane *p, uint32_t id, struct plane_counters *ret)
{
	const struct session *s = find_session(p, id);

	if (s == NULL)
		return -ENOENT;
	*ret = s->counters;
	return 0;
}

static void
totals(struct plane *p, struct plane_totals *ret)
{
	(void)p;
	memset(ret, 0, sizeof(*ret));
}

/* As good as any descriptor: nobody attaches to it. */
static int
session_channel(struct plane *p, uint32_t id)
{
	int fd;

	if (find_session(p, id) == NULL)
		return -ENOENT;
	if (null_of(p)->no_channels)
		return -ENOTSUP;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static const struct plane_ops null_ops = {
    .free = do_free,
    .sa_add = sa_add,
    .sa_update = sa_update,
    .sa_del = sa_del,
    .sa_counters = sa_counters,
    .cipher_name = cipher_name,
    .spi_expect = spi_expect,
    .ike_send = ike_send,
    .l2tp_send = l2tp_send,
    .session_add = session_add,
    .session_del = session_del,
    .session_rebind = session_rebind,
    .session_open_ipv4 = session_open_ipv4,
    .session_open_ipv6 = session_open_ipv6,
    .session_routes = session_routes,
    .session_shut = session_shut,
    .ppp_send = ppp_send,
    .session_counters = session_counters,
    .totals = totals,
    .session_channel = session_channel,
};

struct plane *
plane_null_new(const struct plane_events *events, void *ctx)
{
	struct null_plane *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->base.ops = &null_ops;
	n->owners = 1;
	n->events = *events;
	n->ctx = ctx;
	STAILQ_INIT(&n->calls);
	LIST_INIT(&n->sas);
	LIST_INIT(&n->sessions);
	return &n->base;
}

void
null_share(struct plane *p)
{
	null_of(p)->owners++;
}

bool
null_next_call(struct plane *p, struct null_call *ret)
{
	struct null_plane *n = null_of(p);
	struct record *r = STAILQ_FIRST(&n->calls);

	free(n->fetched);
	n->fetched = r;
	if (r == NULL)
		return false;
	STAILQ_REMOVE_HEAD(&n->calls, next);
	*ret = r->call;
	ret->data = rd_init(r->data, r->call.data.left);
	return true;
}

void
null_no_channels(struct plane *p)
{
	null_of(p)->no_channels = true;
}

void
null_fail_next(struct plane *p, enum null_call_type type, int rc)
{
	null_of(p)->fail[type] = rc;
}

size_t
null_count_sas(const struct plane *p, bool inbound)
{
	const struct sa *s;
	size_t n = 0;

	LIST_FOREACH (s, &null_of(p)->sas, next)
		n += s->inbound == inbound;
	return n;
}

size_t
null_count_sessions(const struct plane *p)
{
	const struct session *s;
	size_t n = 0;

	LIST_FOREACH (s, &null_of(p)->sessions, next)
		n++;
	return n;
}

const struct plane_session *
null_session(const struct plane *p, uint32_t id, bool *ret_open_ipv4)
{
	const struct session *s = find_session(p, id);

	if (s == NULL)
		return NULL;
	*ret_open_ipv4 = s->open_ipv4;
	return &s->params;
}

const struct ipv4_networks *
null_session_networks(const struct plane *p, uint32_t id)
{
	const struct session *s = find_session(p, id);

	return s != NULL ? &s->networks : NULL;
}

const struct plane_session *
null_find_session(
    const struct plane *p, uint16_t local_tunnel_id, uint16_t local_session_id)
{
	const struct session *s;

	LIST_FOREACH (s, &null_of(p)->sessions, next)
		if (s->params.local_tunnel_id == local_tunnel_id &&
		    s->params.local_session_id == local_session_id)
			return &s->params;
	return NULL;
}

int
null_set_counters(struct plane *p, uint32_t id, const struct plane_counters *c)
{
	struct session *s = find_session(p, id);

	if (s == NULL)
		return -ENOENT;
	s->counters = *c;
	return 0;
}

void
null_inject_ike(struct plane *p, const struct endpoint *peer,
    const struct endpoint *local, struct rd data)
{
	null_of(p)->events.ike(null_of(p)->ctx, peer, local, data);
}

void
null_inject_l2tp(struct plane *p, uint32_t association,
    const struct endpoint *peer, uint16_t peer_port, struct rd data)
{
	null_of(p)->events.l2tp(
	    null_of(p)->ctx, association, peer, peer_port, data);
}

void
null_inject_ppp(struct plane *p, uint32_t session, struct rd frame)
{
	null_of(p)->events.ppp(null_of(p)->ctx, session, frame);
}

void
null_inject_service(struct plane *p, uint32_t session, struct rd packet)
{
	null_of(p)->events.service(null_of(p)->ctx, session, packet);
}

void
null_inject_moved(struct plane *p, uint32_t association, uint32_t spi_in,
    const struct endpoint *peer)
{
	null_of(p)->events.moved(null_of(p)->ctx, association, spi_in, peer);
}

void
null_inject_expired(struct plane *p, uint32_t spi, bool inbound)
{
	null_of(p)->events.expired(null_of(p)->ctx, spi, inbound);
}

void
null_inject_unknown_spi(
    struct plane *p, const struct endpoint *peer, uint32_t spi)
{
	null_of(p)->events.unknown_spi(null_of(p)->ctx, peer, spi);
}
