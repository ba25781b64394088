/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user.c: the user plane as the engine sees it (plane.h): its life, its tables
 * and its chores. Owns the descriptors it was given, the SAs, the sessions and
 * all buffers; after plane_user_new() memory is needed for new SAs, sessions
 * and announced SPIs only, never for a packet. Trusts the engine.
 */
#include "l2tpd/plane/user/user.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#define CHORES_MS         1000
#define USED_UP_MS        100
#define EXPIRED_BATCH     16
#define UNKNOWN_SPI_BURST 20  /* callbacks, then */
#define UNKNOWN_SPI_RATE  5   /* a second */
#define TOO_BIG_BURST     50  /* ICMP messages, then */
#define TOO_BIG_RATE      100 /* a second */

static struct user_plane *
user_of(struct plane *p)
{
	return (struct user_plane *)p;
}

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void
user_close_config(const struct plane_config *cfg)
{
	close_fd(cfg->udp500_fd);
	close_fd(cfg->udp4500_fd);
	close_fd(cfg->esp_fd);
	close_fd(cfg->tun_fd);
}

static void
stop_watching(struct user_plane *u)
{
	size_t i;

	for (i = 0; i < PATH_COUNT; i++) {
		loop_fd_free(u->sockets[i].watch);
		u->sockets[i].watch = NULL;
	}
	loop_fd_free(u->tun_watch);
	u->tun_watch = NULL;
	loop_timer_free(u->chores);
	u->chores = NULL;
}

static void
destroy(struct user_plane *u)
{
	size_t i;

	stop_watching(u);
	for (i = 0; i < PATH_COUNT; i++)
		close_fd(u->sockets[i].io.fd);
	tun_close(&u->tun);
	session_table_clear(&u->sessions);
	esp_table_free(u->sas);
	larval_free(u->larval);
	free(u->rx.bufs);
	free(u->tx.arena);
	free(u);
}

void
user_enter(struct user_plane *u)
{
	u->busy++;
}

void
user_leave(struct user_plane *u)
{
	if (--u->busy == 0 && u->dead)
		destroy(u);
}

static void
user_free(struct plane *p)
{
	struct user_plane *u = user_of(p);

	if (u->busy > 0) {
		u->dead = true; /* inside a callback: user_leave() does it */
		stop_watching(u);
	} else {
		destroy(u);
	}
}

void
user_chores_soon(struct user_plane *u)
{
	if (u->chores != NULL)
		loop_timer_set(u->chores, 0);
}

void
user_sa_used_up(struct user_plane *u)
{
	uint64_t now_ms = loop_now_ms(u->loop);

	if (u->used_up_ms != 0 && now_ms - u->used_up_ms < USED_UP_MS)
		return;
	u->used_up_ms = now_ms;
	user_chores_soon(u);
}

static void
tell_expired(struct user_plane *u, uint64_t now_ms)
{
	struct esp_expired gone[EXPIRED_BATCH];
	size_t n, i;

	do {
		n = esp_table_take_expired(u->sas, now_ms, gone, EXPIRED_BATCH);
		for (i = 0; i < n && !u->dead; i++)
			u->events.expired(u->ctx, gone[i].spi, gone[i].inbound);
	} while (n == EXPIRED_BATCH && !u->dead);
}

static void
replay_held(struct user_plane *u, uint64_t now_ms)
{
	struct user_rx *rx = &u->rx;
	size_t n = 0;

	while (n < RX_MESSAGES &&
	    larval_take(u->larval, now_ms, &rx->packets[n], &rx->messages[n],
		rx->bufs + n * RX_STRIDE, RX_BUF_BYTES)) {
		rx->packets[n].kind = RX_ESP;
		n++;
	}
	rx_run(u, n);
}

/* What was wanted, can be done here, and was never refused. */
static unsigned int
working_offloads(const struct user_plane *u)
{
	unsigned int w = u->cfg.offloads & PLANE_UDP_GRO;

	if (u->tun.features & COALESCE_TCP4)
		w |= PLANE_TUN_TCP;
	if (u->tun.features & COALESCE_UDP)
		w |= PLANE_TUN_UDP;
	if (u->sockets[PATH_UDP4500].io.gso)
		w |= PLANE_UDP_GSO;
	return w;
}

static void
tell_offloads(struct user_plane *u)
{
	unsigned int gone = u->told_offloads & ~working_offloads(u), bit;

	u->told_offloads &= ~gone;
	for (bit = 1; bit <= PLANE_OFFLOAD_ALL && !u->dead; bit <<= 1)
		if (gone & bit)
			u->events.offload_off(u->ctx, (enum plane_offload)bit);
}

void
user_chores(void *ctx)
{
	struct user_plane *u = ctx;
	uint64_t now_ms = loop_now_ms(u->loop);

	user_enter(u);
	loop_timer_set(u->chores, CHORES_MS);
	replay_held(u, now_ms);
	if (!u->dead)
		tell_expired(u, now_ms);
	if (!u->dead)
		tell_offloads(u);
	user_leave(u);
}

static int
user_sa_add(struct plane *p, const struct esp_sa_params *params)
{
	struct user_plane *u = user_of(p);
	struct esp_sa *sa;
	int rc;

	rc = esp_sa_add(u->sas, params, loop_now_ms(u->loop), &sa);
	if (rc == 0 && params->inbound && larval_ready(u->larval, params->spi))
		user_chores_soon(u);
	return rc;
}

/* charon may know an older address than we do: then the SPI decides, if it is
 * the only one. */
static struct esp_sa *
find_sa(struct user_plane *u, uint32_t spi, bool inbound,
    const struct endpoint *peer)
{
	struct esp_sa *sa = NULL;

	if (inbound)
		return esp_sa_find_inbound(u->sas, spi);
	if (peer != NULL)
		sa = esp_sa_find_outbound(u->sas, spi, peer);
	return sa != NULL ? sa : esp_sa_find_outbound(u->sas, spi, NULL);
}

static int
user_sa_update(struct plane *p, uint32_t spi, bool inbound,
    const struct endpoint *old_peer, const struct endpoint *local,
    const struct endpoint *peer, bool encap)
{
	struct user_plane *u = user_of(p);
	struct esp_sa *sa = find_sa(u, spi, inbound, old_peer);

	if (sa == NULL)
		sa = find_sa(u, spi, inbound, peer);
	if (sa == NULL)
		return -ENOENT;
	esp_sa_set_endpoints(sa, local, peer, encap);
	return 0;
}

static int
user_sa_del(
    struct plane *p, uint32_t spi, bool inbound, const struct endpoint *peer)
{
	struct user_plane *u = user_of(p);
	struct esp_sa *sa = find_sa(u, spi, inbound, peer);

	if (sa == NULL)
		return -ENOENT;
	esp_sa_del(u->sas, sa);
	return 0;
}

static int
user_sa_counters(struct plane *p, uint32_t spi, bool inbound,
    const struct endpoint *peer, struct esp_counters *ret)
{
	struct esp_sa *sa = find_sa(user_of(p), spi, inbound, peer);

	if (sa == NULL)
		return -ENOENT;
	esp_sa_read_counters(sa, ret);
	return 0;
}

static const char *
user_cipher_name(struct plane *p, uint32_t association)
{
	const struct esp_sa *sa =
	    esp_sa_outbound_of(user_of(p)->sas, association);

	return sa != NULL ? esp_sa_cipher_name(sa) : "-";
}

static void
user_spi_expect(struct plane *p, uint32_t spi, bool expect)
{
	larval_expect(user_of(p)->larval, spi, expect);
}

static int
user_ike_send(struct plane *p, const struct endpoint *local,
    const struct endpoint *peer, struct rd data)
{
	return send_ike(user_of(p), local, peer, data);
}

static int
user_l2tp_send(struct plane *p, uint32_t association, uint16_t peer_port,
    struct rd datagram)
{
	return send_l2tp(user_of(p), association, peer_port, datagram);
}

static int
user_ppp_send(struct plane *p, uint32_t session, struct rd frame)
{
	return send_ppp(user_of(p), session, frame);
}

static int
user_session_add(struct plane *p, const struct plane_session *s)
{
	if (s->id == 0)
		return -EINVAL;
	return session_table_add(&user_of(p)->sessions, s);
}

static void
user_session_del(struct plane *p, uint32_t id)
{
	struct user_plane *u = user_of(p);
	struct user_session *s = session_by_id(&u->sessions, id);

	if (s != NULL)
		session_table_del(&u->sessions, s);
}

static int
user_session_rebind(
    struct plane *p, uint32_t id, uint32_t association, uint16_t peer_port)
{
	struct user_session *s = session_by_id(&user_of(p)->sessions, id);

	if (s == NULL)
		return -ENOENT;
	s->params.association = association;
	s->params.peer_port = peer_port;
	return 0;
}

static int
user_session_open_ipv4(
    struct plane *p, uint32_t id, const uint8_t address[4], uint16_t peer_mru)
{
	struct user_plane *u = user_of(p);
	struct user_session *s = session_by_id(&u->sessions, id);

	return s == NULL
	    ? -ENOENT
	    : session_table_open_ipv4(&u->sessions, s, address, peer_mru);
}

static int
user_session_open_ipv6(struct plane *p, uint32_t id, const uint8_t prefix[8],
    const uint8_t ifid[8], uint16_t peer_mru)
{
	struct user_plane *u = user_of(p);
	struct user_session *s = session_by_id(&u->sessions, id);

	return s == NULL
	    ? -ENOENT
	    : session_table_open_ipv6(&u->sessions, s, prefix, ifid, peer_mru);
}

static int
user_session_routes(
    struct plane *p, uint32_t id, const struct ipv4_networks *nets)
{
	struct user_plane *u = user_of(p);
	struct user_session *s = session_by_id(&u->sessions, id);

	return s == NULL ? -ENOENT
			 : session_table_set_networks(&u->sessions, s, nets);
}

static void
user_session_shut(struct plane *p, uint32_t id)
{
	struct user_plane *u = user_of(p);
	struct user_session *s = session_by_id(&u->sessions, id);

	if (s != NULL)
		session_table_shut(&u->sessions, s);
}

static int
user_session_counters(struct plane *p, uint32_t id, struct plane_counters *ret)
{
	const struct user_session *s = session_by_id(&user_of(p)->sessions, id);

	if (s == NULL)
		return -ENOENT;
	session_read_counters(s, ret);
	return 0;
}

static void
user_totals(struct plane *p, struct plane_totals *ret)
{
	const struct user_plane *u = user_of(p);

	*ret = u->totals;
	ret->tx_packets += u->sent.sent;
	ret->drop_tx_full += u->sent.full;
	ret->send_errors += u->sent.failed;
	ret->tx_messages += u->sent.messages;
	ret->gso_refused = u->sent.gso_refused;
	ret->tun_reads = u->tun.totals.reads;
	ret->tun_writes = u->tun.totals.writes;
	ret->tun_write_errors = u->tun.totals.write_errors;
	ret->tun_refused = u->tun.totals.refused;
	ret->workers = 1;
	ret->crypto = esp_table_crypto_name(u->sas);
	ret->bad_inner_sums = u->rx.coalesce.totals.bad_sums;
}

static const struct plane_ops user_ops = {
    .free = user_free,
    .sa_add = user_sa_add,
    .sa_update = user_sa_update,
    .sa_del = user_sa_del,
    .sa_counters = user_sa_counters,
    .cipher_name = user_cipher_name,
    .spi_expect = user_spi_expect,
    .ike_send = user_ike_send,
    .l2tp_send = user_l2tp_send,
    .session_add = user_session_add,
    .session_del = user_session_del,
    .session_rebind = user_session_rebind,
    .session_open_ipv4 = user_session_open_ipv4,
    .session_open_ipv6 = user_session_open_ipv6,
    .session_routes = user_session_routes,
    .session_shut = user_session_shut,
    .ppp_send = user_ppp_send,
    .session_counters = user_session_counters,
    .totals = user_totals,
};

static bool
set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool
watch_socket(struct user_plane *u, enum user_path path, int fd)
{
	struct user_socket *s = &u->sockets[path];
	bool many = path == PATH_UDP4500; /* IKE's are not worth merging */
	int omit = IP_PMTUDISC_OMIT;

	io_socket_init(&s->io, fd, path == PATH_ESP,
	    many && (u->cfg.offloads & PLANE_UDP_GSO) != 0,
	    many && (u->cfg.offloads & PLANE_UDP_GRO) != 0);
	if (fd < 0)
		return true;
	/* no DF, and no belief in ICMP that anyone could forge; not all
	 * descriptors of the tests know it */
	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &omit, sizeof(omit));
	s->watch = loop_fd_new(u->loop, fd, LOOP_READ, rx_socket_ready, s);
	return s->watch != NULL && set_nonblocking(fd);
}

static bool
start_tun(struct user_plane *u)
{
	const struct plane_config *c = &u->cfg;

	if (tun_init(&u->tun, c->tun_fd, c->tun_vnet,
		(c->offloads & PLANE_TUN_TCP) != 0,
		(c->offloads & PLANE_TUN_UDP) != 0) < 0)
		return false;
	coalesce_init(&u->rx.coalesce, u->tun.features, inner_emit, u);
	if (c->tun_fd < 0)
		return true;
	u->tun_watch =
	    loop_fd_new(u->loop, c->tun_fd, LOOP_READ, tx_tun_ready, u);
	return u->tun_watch != NULL && set_nonblocking(c->tun_fd);
}

static bool
make_buffers(struct user_plane *u)
{
	struct user_tx *tx = &u->tx;

	tx->inner_max =
	    u->cfg.inner_mtu > TX_INNER_MIN ? u->cfg.inner_mtu : TX_INNER_MIN;
	tx->arena_bytes = TX_PACKETS *
	    (USER_HEADERS_BYTES + tx->inner_max + ESP_OVERHEAD_MAX);
	tx->arena = malloc(tx->arena_bytes);
	u->rx.bufs = malloc((size_t)RX_MESSAGES * RX_STRIDE);
	return tx->arena != NULL && u->rx.bufs != NULL;
}

static bool
start(struct user_plane *u)
{
	if (!start_tun(u))
		return false;
	u->sas = esp_table_new();
	u->larval = larval_new();
	u->chores = loop_timer_new(u->loop, user_chores, u);
	if (u->sas == NULL || u->larval == NULL || u->chores == NULL ||
	    !make_buffers(u))
		return false;
	loop_timer_set(u->chores, CHORES_MS);
	if (!watch_socket(u, PATH_UDP500, u->cfg.udp500_fd) ||
	    !watch_socket(u, PATH_UDP4500, u->cfg.udp4500_fd) ||
	    !watch_socket(u, PATH_ESP, u->cfg.esp_fd))
		return false;
	u->told_offloads = working_offloads(u);
	return true;
}

struct plane *
plane_user_new(struct loop *loop, const struct plane_config *cfg,
    const struct plane_events *events, void *ctx)
{
	const int fds[PATH_COUNT] = {
	    cfg->udp500_fd, cfg->udp4500_fd, cfg->esp_fd};
	struct user_plane *u;
	uint64_t now_ms = loop_now_ms(loop);
	size_t i;

	u = calloc(1, sizeof(*u));
	if (u == NULL) {
		user_close_config(cfg);
		errno = ENOMEM;
		return NULL;
	}
	u->base.ops = &user_ops;
	u->loop = loop;
	u->events = *events;
	u->ctx = ctx;
	u->cfg = *cfg;
	for (i = 0; i < PATH_COUNT; i++)
		u->sockets[i] = (struct user_socket){
		    .user = u, .path = (enum user_path)i, .io = {.fd = fds[i]}};
	u->tun.fd = cfg->tun_fd;
	ratelimit_init(
	    &u->unknown_spi_limit, UNKNOWN_SPI_BURST, UNKNOWN_SPI_RATE, now_ms);
	ratelimit_init(&u->too_big_limit, TOO_BIG_BURST, TOO_BIG_RATE, now_ms);
	if (!start(u)) {
		destroy(u);
		errno = ENOMEM;
		return NULL;
	}
	return &u->base;
}
