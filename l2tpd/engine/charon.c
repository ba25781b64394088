/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * charon.c: the two lines to charon. Over the relay its plugin tells which SAs
 * exist and carries IKE datagrams; over vici we learn who a client is and end
 * what nobody uses any more. Either may break and come back: the relay replays
 * its SAs, vici is read anew with list-sas.
 *
 * Trusts charon for keys, SPIs and marks; identities are a peer's bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "l2tpd/engine/internal.h"
#include "l2tpd/ike/sas.h"

static void
on_hello(void *ctx, uint64_t epoch)
{
	assoc_sync_begin(ctx, epoch);
}

static void
on_spi(void *ctx, uint32_t spi, bool is_new)
{
	struct engine *e = ctx;

	plane_spi_expect(e->plane, spi, is_new);
}

static void
on_sa_add(void *ctx, const struct charon_sa *sa)
{
	assoc_sa_add(ctx, sa);
}

static void
on_sa_update(void *ctx, const struct charon_sa_update *u)
{
	assoc_sa_update(ctx, u);
}

static void
on_sa_del(void *ctx, const struct charon_sa_del *d)
{
	assoc_sa_del(ctx, d);
}

static void
on_sync_end(void *ctx)
{
	assoc_sync_end(ctx);
}

static void
on_ike_out(void *ctx, const struct charon_ike *ike)
{
	struct engine *e = ctx;

	plane_ike_send(e->plane, &ike->local, &ike->peer, ike->data);
}

/* charon says which IKE_SA a child belongs to, and who the peer is. */
void
charon_child_named(struct engine *e, uint32_t mark, uint32_t ike_id,
    const char *identity, const char *connection)
{
	struct association *a;
	char text[IDENTITY_MAX], name[CHARON_MSG_TEXT_MAX];

	a = mark != 0 ? assoc_find_mark(e, e->epoch, mark) : NULL;
	if (a == NULL)
		return;
	a->ike_id = ike_id;
	if (a->condemned) {
		charon_terminate(e, a);
		return;
	}
	log_clean(identity, strlen(identity), text, sizeof(text));
	if (strcmp(text, a->identity) == 0)
		return;
	memcpy(a->identity, text, sizeof(text));
	log_msg(MSG_ASSOC_IDENTITY, "assoc=%u identity=%s connection=%s", a->id,
	    a->identity,
	    log_clean(connection, strlen(connection), name, sizeof(name)));
}

static void
on_child(void *ctx, const struct charon_child *c)
{
	charon_child_named(ctx, c->mark, c->ike_id, c->identity, c->connection);
}

static const struct {
	uint8_t kind;
	const char *name;
} alert_names[] = {
    {CHARON_ALERT_WRONG_PSK, "wrong-psk"},
    {CHARON_ALERT_AUTH_FAILED, "authentication-failed"},
    {CHARON_ALERT_CERT_UNTRUSTED, "certificate-untrusted"},
    {CHARON_ALERT_CERT_EXPIRED, "certificate-expired"},
    {CHARON_ALERT_CERT_REVOKED, "certificate-revoked"},
    {CHARON_ALERT_NO_IKE_PROPOSAL, "no-common-ike-proposal"},
    {CHARON_ALERT_NO_ESP_PROPOSAL, "no-common-esp-proposal"},
    {CHARON_ALERT_NO_CONFIG, "no-connection-for-this-peer"},
    {CHARON_ALERT_TS_MISMATCH, "wrong-traffic-selectors"},
};

void
charon_alerted(struct engine *e, const struct charon_alert *a)
{
	char peer[ENDPOINT_TEXT], id[CHARON_MSG_TEXT_MAX * 2],
	    detail[CHARON_MSG_TEXT_MAX * 2];
	const char *why = "other";
	size_t i;

	for (i = 0; i < sizeof(alert_names) / sizeof(alert_names[0]); i++)
		if (alert_names[i].kind == a->kind)
			why = alert_names[i].name;
	e->refused_total++;
	log_msg(MSG_IKE_REFUSED, "device=%s identity=%s reason=%s detail=%s",
	    endpoint_format(&a->peer, peer, sizeof(peer)),
	    log_clean(a->identity, strlen(a->identity), id, sizeof(id)), why,
	    log_clean(a->detail, strlen(a->detail), detail, sizeof(detail)));
	e->role->alert(e, a);
}

static void
on_alert(void *ctx, const struct charon_alert *a)
{
	charon_alerted(ctx, a);
}

static void
on_gone(void *ctx, const char *why, bool refused)
{
	struct engine *e = ctx;

	if (refused) {
		log_msg(MSG_PLUGIN_REFUSED, "why=\"%s\"", why);
		return;
	}
	log_msg(MSG_PLUGIN_GONE, "why=\"%s\"",
	    why != NULL ? why : "charon closed the connection");
	e->role->charon(e, false);
}

static const struct ike_relay_events relay_events = {
    .hello = on_hello,
    .spi = on_spi,
    .sa_add = on_sa_add,
    .sa_update = on_sa_update,
    .sa_del = on_sa_del,
    .child = on_child,
    .sync_end = on_sync_end,
    .ike_out = on_ike_out,
    .alert = on_alert,
    .gone = on_gone,
};

int
charon_start(struct engine *e, int listen_fd)
{
	if (e->kernel) {
		e->start.want_vici(e->start.ctx);
		return 0;
	}
	e->relay = ike_relay_new(e->loop, listen_fd, &relay_events, e);
	if (e->relay == NULL) {
		close(listen_fd);
		return -ENOMEM;
	}
	ike_relay_set_uid(e->relay, e->start.plugin_uid);
	ike_filter_refuse_new(ike_relay_filter(e->relay), e->role->dials);
	e->start.want_vici(e->start.ctx);
	return 0;
}

static void
on_listed_child(
    void *ctx, const struct ike_sa_info *ike, const struct child_sa_info *child)
{
	charon_child_named(ctx, child->mark_in, ike->unique_id, ike->remote_id,
	    ike->connection);
}

static const struct ike_sas_visitor visitor = {.child = on_listed_child};

static void
on_closed(void *ctx, const char *why)
{
	struct engine *e = ctx;

	log_msg(MSG_VICI_LOST, "why=\"%s\"",
	    why != NULL ? why : "charon closed the connection");
	vici_free(e->vici);
	e->vici = NULL;
	e->role->charon(e, false);
	if (!e->stopping)
		e->start.want_vici(e->start.ctx);
}

static void
on_event(void *ctx, const char *name, struct rd message)
{
	charon_kernel_event(ctx, name, message);
}

static const struct vici_ops vici_ops = {
    .event = on_event,
    .closed = on_closed,
};

static void
on_listed(void *ctx, struct rd message)
{
	ike_sas_read(message, &visitor, ctx);
}

void
charon_vici_connected(struct engine *e, int fd)
{
	vici_free(e->vici);
	e->vici = vici_new(e->loop, fd, &vici_ops, e);
	if (e->vici == NULL) {
		close(fd);
		e->start.want_vici(e->start.ctx);
		return;
	}
	if (e->kernel) {
		charon_kernel_connected(e);
		return;
	}
	vici_list_sas(e->vici, on_listed, NULL, e);
	if (charon_is_there(e))
		e->role->charon(e, true);
}

bool
charon_is_there(const struct engine *e)
{
	return e->vici != NULL && e->synced &&
	    (e->kernel ||
		(e->relay != NULL && ike_relay_is_connected(e->relay)));
}

void
charon_terminate(struct engine *e, struct association *a)
{
	uint64_t now = loop_now_ms(e->loop);

	if (e->vici == NULL || !e->synced)
		return;
	if (a->ike_id == 0) {
		/* the event was missed: ask who they all are, try again next
		 * time. One list answers for every association. */
		if (e->listed_ms != 0 && now - e->listed_ms < T_HOUSEKEEPING_MS)
			return;
		e->listed_ms = now;
		vici_list_sas(e->vici, on_listed, NULL, e);
		return;
	}
	log_msg(MSG_ASSOC_REAPED, "assoc=%u ike=%u identity=%s", a->id,
	    a->ike_id, a->identity);
	if (vici_terminate_ike(e->vici, a->ike_id, NULL, NULL) == 0) {
		/* adopted by a newer IKE_SA meanwhile: look again later */
		a->ike_id = 0;
		a->idle_since_ms = loop_now_ms(e->loop);
	}
}

void
charon_free(struct engine *e)
{
	vici_free(e->vici);
	e->vici = NULL;
	ike_relay_free(e->relay);
	e->relay = NULL;
	refusals_free(e);
}
