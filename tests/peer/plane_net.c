/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plane_net.c: a plane and its clients over loopback (contract in plane_net.h).
 */
#include "tests/peer/plane_net.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/wr.h"
#include "l2tpd/plane/user/inet.h"
#include "l2tpd/plane/user/workers.h"

#define FRONT      64
#define PATIENCE_S 60 /* for a fence, on a machine that is very busy */

static void
note(struct net_server *s, struct net_event *e, uint32_t id,
    const struct endpoint *peer, struct rd data)
{
	e->count++;
	e->id = id;
	if (peer != NULL)
		e->peer = *peer;
	e->len = data.left;
	assert_true(data.left <= sizeof(e->data));
	if (data.left > 0)
		memcpy(e->data, data.p, data.left);
	if (s->hook != NULL)
		s->hook(s, s->hook_arg);
}

static void
on_ike(void *ctx, const struct endpoint *peer, const struct endpoint *local,
    struct rd data)
{
	struct net_server *s = ctx;

	if (endpoint_equal(peer, &s->fence_at)) {
		s->fence_seen = true;
		return;
	}
	s->ike.local = *local;
	note(s, &s->ike, 0, peer, data);
}

static void
on_l2tp(void *ctx, uint32_t association, const struct endpoint *peer,
    uint16_t peer_port, struct rd data)
{
	struct net_server *s = ctx;

	s->l2tp.port = peer_port;
	note(s, &s->l2tp, association, peer, data);
}

static void
on_ppp(void *ctx, uint32_t session, struct rd frame)
{
	struct net_server *s = ctx;

	note(s, &s->ppp, session, NULL, frame);
}

static void
on_service(void *ctx, uint32_t session, struct rd packet)
{
	struct net_server *s = ctx;

	note(s, &s->service, session, NULL, packet);
}

static void
on_moved(void *ctx, uint32_t association, uint32_t spi_in,
    const struct endpoint *peer)
{
	struct net_server *s = ctx;

	(void)spi_in;
	note(s, &s->moved, association, peer, rd_init(NULL, 0));
}

static void
on_expired(void *ctx, uint32_t spi, bool inbound)
{
	struct net_server *s = ctx;

	s->expired.inbound = inbound;
	note(s, &s->expired, spi, NULL, rd_init(NULL, 0));
}

static void
on_unknown(void *ctx, const struct endpoint *peer, uint32_t spi)
{
	struct net_server *s = ctx;

	note(s, &s->unknown, spi, peer, rd_init(NULL, 0));
}

static void
on_offload_off(void *ctx, enum plane_offload what)
{
	struct net_server *s = ctx;

	note(s, &s->offload_off, what, NULL, rd_init(NULL, 0));
}

static const struct plane_events events = {
    .ike = on_ike,
    .l2tp = on_l2tp,
    .ppp = on_ppp,
    .service = on_service,
    .moved = on_moved,
    .expired = on_expired,
    .unknown_spi = on_unknown,
    .offload_off = on_offload_off,
};

/* ret: its port may be given; shared: one of several there. */
static int
udp_socket_at(struct endpoint *ret, bool shared)
{
	struct sockaddr_storage name;
	struct sockaddr *sa = (struct sockaddr *)&name;
	socklen_t len = sizeof(name);
	int fd, on = 1;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (shared)
		assert_int_equal(
		    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)),
		    0);
	assert_int_equal(
	    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, sa, endpoint_to_sockaddr(ret, &name)), 0);
	assert_int_equal(getsockname(fd, sa, &len), 0);
	assert_true(endpoint_from_sockaddr(sa, ret));
	return fd;
}

static int
udp_socket(struct endpoint *ret)
{
	assert_true(endpoint_parse("127.0.0.1", 0, ret));
	return udp_socket_at(ret, false);
}

/* One processor for the whole test: there the loopback interface delivers in
 * the order of sending, so what came after a fence was sent after it. */
static void
stay_here(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	assert_true(cpu >= 0);
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static void
send_fence(int fd, const struct endpoint *to)
{
	/* at 4500: no ESP, so IKE */
	static const uint8_t fence[28] = {0, 0, 0, 0, 'f', 'e', 'n', 'c', 'e'};
	struct sockaddr_storage name;
	struct sockaddr *sa = (struct sockaddr *)&name;
	socklen_t len = endpoint_to_sockaddr(to, &name);

	assert_int_equal(
	    sendto(fd, fence, sizeof(fence), 0, sa, len), sizeof(fence));
}

static uint64_t
clock_of(void *ctx)
{
	return ((struct net_server *)ctx)->now_ms;
}

void
net_server_start(struct net_server *s, bool raw_esp)
{
	net_server_start_with(s, raw_esp, 0);
}

void
net_server_start_with(struct net_server *s, bool raw_esp, unsigned int offloads)
{
	struct plane_config cfg = {.esp_fd = -1,
	    .inner_mtu = 1400,
	    .outer_mtu = 1500,
	    .gateway = {10, 0, 0, 254},
	    .tun_vnet = (offloads & (PLANE_TUN_TCP | PLANE_TUN_UDP)) != 0,
	    .offloads = offloads};
	int pair[2], on = 1;

	stay_here();
	memset(s, 0, sizeof(*s));
	s->now_ms = 1000;
	s->loop = loop_new();
	assert_non_null(s->loop);
	loop_set_clock(s->loop, clock_of, s);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	s->tun = pair[0];
	cfg.tun_fd = pair[1];
	cfg.udp500_fd = udp_socket(&s->at500);
	cfg.udp4500_fd = s->fd4500 = udp_socket(&s->at4500);
	s->fence = udp_socket(&s->fence_at);
	if (raw_esp) {
		cfg.esp_fd = socket(AF_INET, SOCK_RAW, IPPROTO_ESP);
		if (cfg.esp_fd >= 0)
			setsockopt(cfg.esp_fd, IPPROTO_IP, IP_PKTINFO, &on,
			    sizeof(on));
	}
	s->plane = plane_user_new(s->loop, &cfg, &events, s);
	assert_non_null(s->plane);
}

void
net_server_start_workers(struct net_server *s, size_t n)
{
	struct plane_config cfg[NET_WORKERS_MAX];
	const struct steer_maps none = {-1, -1};
	int pair[2];
	size_t i;

	memset(s, 0, sizeof(*s));
	s->n_workers = n;
	s->loop = loop_new();
	assert_non_null(s->loop);
	assert_true(endpoint_parse("127.0.0.1", 0, &s->at4500));
	for (i = 0; i < n; i++) {
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
		s->tuns[i] = pair[0];
		cfg[i] = (struct plane_config){.esp_fd = -1,
		    .udp500_fd = i == 0 ? udp_socket(&s->at500) : -1,
		    .udp4500_fd = udp_socket_at(&s->at4500, true),
		    .tun_fd = pair[1],
		    .inner_mtu = 1400,
		    .outer_mtu = 1500,
		    .gateway = {10, 0, 0, 254}};
	}
	s->tun = s->tuns[0];
	s->fd4500 = cfg[0].udp4500_fd;
	s->fence = udp_socket(&s->fence_at);
	s->plane = plane_workers_new(s->loop, cfg, n, &none, &events, s);
	assert_non_null(s->plane);
}

void
net_server_stop(struct net_server *s)
{
	size_t i;

	plane_free(s->plane);
	loop_free(s->loop);
	for (i = 1; i < s->n_workers; i++)
		close(s->tuns[i]);
	close(s->tun);
	close(s->fence);
}

void
net_turn(struct net_server *s)
{
	uint64_t end_ms = loop_clock_ms() + PATIENCE_S * 1000;
	int i;

	s->fence_seen = false;
	send_fence(s->fence, &s->at4500);
	while (!s->fence_seen && s->plane != NULL) { /* a hook may free it */
		assert_true(loop_clock_ms() < end_ms);
		loop_run_once(s->loop, false);
	}
	/* it has arrived, so all has: what is left waits in our sockets */
	for (i = 0; i < 20; i++)
		loop_run_once(s->loop, false);
}

struct esp_sa_params
net_sa(const struct net_client *c, uint32_t spi, bool server_inbound)
{
	struct esp_sa_params p = {
	    .spi = spi,
	    .inbound = server_inbound,
	    .encap = true,
	    .association = c->association,
	    .local = c->server->at4500,
	    .peer = c->at,
	    .enc_alg = ESP_ENC_AES_CBC,
	    .int_alg = ESP_INT_HMAC_SHA1_96,
	    .enc_key_bytes = 32,
	    .int_key_bytes = 20,
	};

	if (spi & 0x100) { /* some clients use AES-GCM */
		p.enc_alg = ESP_ENC_AES_GCM_16;
		p.int_alg = ESP_INT_NONE;
		p.enc_key_bytes = 20;
		p.int_key_bytes = 0;
	}
	memset(p.enc_key, (int)(spi & 0xff), sizeof(p.enc_key));
	memset(p.int_key, (int)(spi & 0xff) + 1, sizeof(p.int_key));
	return p;
}

void
net_client_start(struct net_client *c, struct net_server *s,
    uint32_t association, uint32_t spi)
{
	struct esp_sa_params p;

	memset(c, 0, sizeof(*c));
	c->server = s;
	c->association = association;
	c->fd = udp_socket(&c->at);
	c->sas = esp_table_new();
	assert_non_null(c->sas);
	p = net_sa(c, spi, true);
	assert_int_equal(plane_sa_add(s->plane, &p), 0);
	p.inbound = false; /* what the server receives, the client sends */
	assert_int_equal(esp_sa_add(c->sas, &p, 0, &c->out), 0);
	p = net_sa(c, spi + 1, false);
	assert_int_equal(plane_sa_add(s->plane, &p), 0);
	p.inbound = true;
	assert_int_equal(esp_sa_add(c->sas, &p, 0, &c->in), 0);
}

void
net_client_stop(struct net_client *c)
{
	esp_table_free(c->sas);
	close(c->fd);
}

void
net_client_move(struct net_client *c)
{
	close(c->fd);
	c->fd = udp_socket(&c->at);
	c->fences = 0;
}

size_t
net_client_seal(struct net_client *c, const uint8_t *payload, size_t n,
    uint8_t ret[NET_BYTES])
{
	uint8_t buf[FRONT + NET_BYTES + ESP_OVERHEAD_MAX];
	struct esp_job j = {.sa = c->out,
	    .data = buf + FRONT,
	    .len = n,
	    .next_header = IPPROTO_UDP};

	memcpy(buf + FRONT, payload, n);
	esp_encrypt_batch(&j, 1, 0);
	assert_int_equal(j.verdict, ESP_OK);
	assert_true(j.len <= NET_BYTES);
	memcpy(ret, j.data, j.len);
	return j.len;
}

void
net_client_send_raw(struct net_client *c, const uint8_t *p, size_t n)
{
	struct sockaddr_storage name;
	struct sockaddr *sa = (struct sockaddr *)&name;
	socklen_t len = endpoint_to_sockaddr(&c->server->at4500, &name);

	assert_int_equal(sendto(c->fd, p, n, 0, sa, len), n);
}

static void
seal_and_send(struct net_client *c, const struct wr *w)
{
	uint8_t esp[NET_BYTES];
	size_t n;

	assert_true(wr_ok(w));
	n = net_client_seal(c, w->buf, w->len, esp);
	net_client_send_raw(c, esp, n);
}

void
net_client_send_l2tp(
    struct net_client *c, uint16_t port, const uint8_t *p, size_t n)
{
	uint8_t buf[NET_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be16(&w, port);
	wr_be16(&w, 1701);
	wr_be16(&w, (uint16_t)(8 + n));
	wr_be16(&w, 0xbad1); /* wrong, as behind a NAT */
	wr_bytes(&w, p, n);
	seal_and_send(c, &w);
}

void
net_client_send_frame(struct net_client *c, uint16_t tunnel, uint16_t session,
    const uint8_t *frame, size_t n)
{
	uint8_t buf[NET_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be16(&w, 0x4002); /* with Length, as Apple and xl2tpd */
	wr_be16(&w, (uint16_t)(8 + n));
	wr_be16(&w, tunnel);
	wr_be16(&w, session);
	wr_bytes(&w, frame, n);
	assert_true(wr_ok(&w));
	net_client_send_l2tp(c, 1701, buf, w.len);
}

void
net_client_send_ip(struct net_client *c, uint16_t tunnel, uint16_t session,
    const uint8_t *ip, size_t n)
{
	uint8_t buf[NET_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, ip[0] >> 4 == 4 ? 0xff030021 : 0xff030057);
	wr_bytes(&w, ip, n);
	assert_true(wr_ok(&w));
	net_client_send_frame(c, tunnel, session, buf, w.len);
}

void
net_await(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&pfd, 1, PATIENCE_S * 1000), 1);
}

size_t
net_client_receive(struct net_client *c, uint8_t ret[NET_BYTES])
{
	uint8_t buf[NET_BYTES];
	struct esp_job j = {.sa = c->in, .data = buf};
	struct sockaddr_storage name;
	struct sockaddr *sa = (struct sockaddr *)&name;
	struct endpoint from;
	socklen_t len;
	ssize_t n;

	send_fence(c->server->fence, &c->at);
	c->fences++;
	for (;;) {
		net_await(c->fd);
		len = sizeof(name);
		n = recvfrom(c->fd, buf, sizeof(buf), MSG_DONTWAIT, sa, &len);
		assert_true(n > 0 && endpoint_from_sockaddr(sa, &from));
		if (!endpoint_equal(&from, &c->server->fence_at))
			break;
		if (--c->fences == 0)
			return 0;
	}
	j.len = (size_t)n;
	esp_decrypt_batch(&j, 1, 0);
	assert_int_equal(j.verdict, ESP_OK);
	assert_int_equal(j.next_header, IPPROTO_UDP);
	memcpy(ret, j.data, j.len);
	return j.len;
}

void
net_tun_send(struct net_server *s, const uint8_t *ip, size_t n)
{
	assert_int_equal(write(s->tun, ip, n), n);
}

size_t
net_tun_receive(struct net_server *s, uint8_t ret[NET_BYTES])
{
	ssize_t n = recv(s->tun, ret, NET_BYTES, MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

void
net_ipv4(uint8_t *p, size_t n, uint8_t src, uint8_t dst, bool df)
{
	struct wr w = wr_init(p, n);
	size_t i;

	wr_be16(&w, 0x4500);
	wr_be16(&w, (uint16_t)n);
	wr_be16(&w, 7);
	wr_be16(&w, df ? 0x4000 : 0);
	wr_u8(&w, 64);
	wr_u8(&w, IPPROTO_UDP);
	wr_be16(&w, 0);
	wr_be32(&w, 0x0a000000u | src);
	wr_be32(&w, 0x0a000000u | dst);
	wr_patch_be16(&w, 10, inet_sum_end(inet_sum(0, wr_rd(&w))));
	for (i = 20; i < n; i++)
		wr_u8(&w, (uint8_t)i);
	assert_true(wr_ok(&w));
}

void
net_ipv6(uint8_t *p, size_t n, uint8_t src, uint8_t dst)
{
	struct wr w = wr_init(p, n);
	size_t i;

	wr_be32(&w, 0x60000000);
	wr_be16(&w, (uint16_t)(n - 40));
	wr_u8(&w, IPPROTO_UDP);
	wr_u8(&w, 64);
	for (i = 0; i < 2; i++) {
		wr_be32(&w, 0x20010db8);
		wr_be32(&w, i == 0 ? src : dst);
		wr_be64(&w, 1);
	}
	for (i = 40; i < n; i++)
		wr_u8(&w, (uint8_t)i);
	assert_true(wr_ok(&w));
}

/* Pseudo-header, RFC 9293 3.1 and RFC 8200 8.1: addresses, protocol, length;
 * the TCP header begins behind IP's. */
static uint16_t
tcp_sum(const uint8_t *p, size_t n)
{
	bool v4 = p[0] >> 4 == 4;
	size_t head = v4 ? 20 : 40, from = v4 ? 12 : 8;
	uint32_t sum = (uint32_t)(IPPROTO_TCP + (n - head));

	return inet_sum_end(inet_sum(sum, rd_init(p + from, n - from)));
}

void
net_tcp_syn(uint8_t *p, size_t n, uint16_t mss, size_t pad)
{
	bool v4 = p[0] >> 4 == 4;
	size_t head = v4 ? 20 : 40, i;
	struct wr w = wr_init(p + head, n - head);

	p[v4 ? 9 : 6] = IPPROTO_TCP;
	wr_be32(&w, 0x04d20050); /* ports */
	wr_be64(&w, 0x0102030400000000);
	wr_u8(&w, (20 + 12) / 4 << 4);
	wr_u8(&w, 0x02); /* SYN */
	wr_be16(&w, 0xffff);
	wr_be32(&w, 0); /* checksum, urgent */
	for (i = 0; i < pad; i++)
		wr_u8(&w, 1);
	wr_be16(&w, 0x0204);
	wr_be16(&w, mss);
	while (w.len < 32)
		wr_u8(&w, 1);
	wr_patch_be16(&w, 16, tcp_sum(p, n));
	assert_true(wr_ok(&w));
}

bool
net_tcp_sum_is_right(const uint8_t *p, size_t n)
{
	return tcp_sum(p, n) == 0;
}

const uint8_t net_hello[NET_HELLO_BYTES] = {
    0xc8, 0x02, 0, 20, 0, 9, 0, 0, 0, 1, 0, 1, 0x80, 8, 0, 0, 0, 0, 0, 6};

void
net_add_session(struct net_server *s, uint32_t id, uint32_t association)
{
	const struct plane_session ps = {
	    .id = id,
	    .association = association,
	    .local_tunnel_id = (uint16_t)(100 + id),
	    .local_session_id = (uint16_t)(200 + id),
	    .peer_tunnel_id = (uint16_t)(300 + id),
	    .peer_session_id = (uint16_t)(400 + id),
	    .peer_port = 1701,
	};

	assert_int_equal(plane_session_add(s->plane, &ps), 0);
}

void
net_open_session(struct net_server *s, uint32_t id)
{
	const uint8_t address[4] = {10, 0, 0, (uint8_t)id};
	const uint8_t prefix[8] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, (uint8_t)id};
	const uint8_t ifid[8] = {2, 0, 0, 0, 0, 0, 0, (uint8_t)id};

	assert_int_equal(
	    plane_session_open_ipv4(s->plane, id, address, 1400), 0);
	assert_int_equal(
	    plane_session_open_ipv6(s->plane, id, prefix, ifid, 1400), 0);
}

void
net_start(struct net *f)
{
	net_server_start(&f->s, false);
	net_client_start(&f->c, &f->s, 1, NET_SPI_1);
	net_add_session(&f->s, 1, 1);
	net_open_session(&f->s, 1);
}

void
net_stop(struct net *f)
{
	net_client_stop(&f->c);
	net_server_stop(&f->s);
}

static void
connect_one_way(struct net_server *from, struct net_server *to, uint32_t spi)
{
	struct net_client c = {.server = to, .at = from->at4500};
	struct esp_sa_params p;

	c.association = 1;
	p = net_sa(&c, spi, true);
	assert_int_equal(plane_sa_add(to->plane, &p), 0);
	p.inbound = false;
	p.local = from->at4500;
	p.peer = to->at4500;
	assert_int_equal(plane_sa_add(from->plane, &p), 0);
}

void
net_connect_planes(struct net_server *a, struct net_server *b)
{
	const struct plane_session at_a = {1, 1, 11, 12, 21, 22, 1701};
	const struct plane_session at_b = {1, 1, 21, 22, 11, 12, 1701};

	connect_one_way(a, b, 0xc0000001);
	connect_one_way(b, a, 0xc0000102);
	assert_int_equal(plane_session_add(a->plane, &at_a), 0);
	assert_int_equal(plane_session_add(b->plane, &at_b), 0);
	plane_session_open_ipv4(
	    a->plane, 1, (const uint8_t[]){10, 0, 0, 1}, 1400);
	plane_session_open_ipv4(
	    b->plane, 1, (const uint8_t[]){10, 0, 0, 99}, 1400);
}

void
net_assert_data(const uint8_t *p, size_t n, uint32_t id, uint16_t protocol,
    const uint8_t *inner, size_t inner_bytes)
{
	struct rd r = rd_init(p, n);
	uint16_t v[9];
	size_t i;

	for (i = 0; i < 9; i++)
		assert_true(rd_be16(&r, &v[i]));
	assert_int_equal(v[0], 1701);
	assert_int_equal(v[1], 1701);
	assert_int_equal(v[2], n);
	assert_int_equal(v[3], 0);
	assert_int_equal(v[4], 0x0002);
	assert_int_equal(v[5], 300 + id);
	assert_int_equal(v[6], 400 + id);
	assert_int_equal(v[7], 0xff03);
	assert_int_equal(v[8], protocol);
	assert_int_equal(r.left, inner_bytes);
	assert_memory_equal(r.p, inner, inner_bytes);
}
