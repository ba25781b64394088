/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slow.c: sessions that the kernel does not carry (contract in slow.h). What a
 * packet may be and may do is as in the user plane (plane/user/inner.c, tx.c),
 * only that ESP is the kernel's: the mark says which association it came over.
 * Nothing in a packet is trusted, and a session is only reachable through its
 * own association.
 *
 * All goes out of the association's socket for control messages, which is not
 * connected: one that is would take the data of a tunnel that the kernel has to
 * the same address and port, and so away from the kernel.
 *
 * RFC 2661 3.1 and 5.3, 1661 2 and 6.5, done as specified, with the exceptions
 * of inner.c; one packet is one system call at the TUN device, and what the ESP
 * around it leaves of the outer MTU is not known here: a session's MTU is the
 * device's, or the peer's MRU.
 */
#include "l2tpd/plane/kernel/slow.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/counter.h"
#include "l2tpd/plane/frame.h"
#include "l2tpd/plane/kernel/kernel_int.h"
#include "l2tpd/plane/user/inet.h"
#include "l2tpd/proto/tunnel.h"

#define TURNS         8   /* batches from the TUN device a turn of the loop */
#define TOO_BIG_BURST 50  /* ICMP messages, then */
#define TOO_BIG_RATE  100 /* a second */
#define MTU_MINIMUM   576
#define FRAME_MAX     4096 /* of the engine's, bytes */
#define HEAD_BYTES    (FRAME_L2TP_BYTES + FRAME_PPP_BYTES)

/* Packets from the TUN device, headers in front. A pointer of it lives only in
 * the call that fills and sends it: there is no callback on this way. */
struct batch {
	size_t n;
	uint8_t bufs[KERNEL_BATCH][HEAD_BYTES + KERNEL_BYTES_MAX];
	struct sockaddr_storage names[KERNEL_BATCH];
	struct iovec iov[KERNEL_BATCH];
	struct mmsghdr messages[KERNEL_BATCH];
	struct user_session *sessions[KERNEL_BATCH];
	int fds[KERNEL_BATCH];
};

static uint16_t
session_mtu(const struct kernel_plane *p, const struct user_session *s)
{
	uint16_t mtu = p->cfg.inner_mtu;

	if (s->mru_ipv4 != 0 && s->mru_ipv4 < mtu)
		mtu = s->mru_ipv4;
	return mtu > MTU_MINIMUM ? mtu : MTU_MINIMUM;
}

static void
tun_write(struct kernel_plane *p, const uint8_t *packet, size_t n)
{
	ssize_t done;

	do
		done = write(p->slow.tun_fd, packet, n);
	while (done < 0 && errno == EINTR);
	p->totals.tun_writes++;
	p->totals.tun_write_errors += done < 0; /* EIO: the device is down */
}

/* ---- from the peer ---- */

/* RFC 2827: its own address, or one to which packets go through it. */
static bool
is_own_source(const struct kernel_plane *p, const struct user_session *s,
    const struct inet_packet *ip)
{
	if (s->has_networks)
		return session_towards_ipv4(&p->slow.sessions, ip->src) == s;
	return memcmp(ip->src, s->ipv4, sizeof(s->ipv4)) == 0;
}

/* data: the start of what r reads in, to get writable memory again. */
static void
input_ipv4(
    struct kernel_plane *p, struct user_session *s, uint8_t *data, struct rd r)
{
	uint8_t *packet = data + (r.p - data);
	struct inet_packet ip;

	if (!inet_parse(r, &ip) || ip.version != 4) {
		p->totals.drop_malformed++;
		return;
	}
	if (!is_own_source(p, s, &ip)) {
		counter_add(&s->counters.spoofed, 1);
		p->totals.drop_spoofed++;
		return;
	}
	if (inet_is_service(packet, &ip, p->cfg.gateway)) {
		if (ratelimit_take(&s->services, loop_now_ms(p->loop)))
			p->events.service(p->ctx, s->params.id,
			    rd_init(packet, ip.total_bytes));
		return;
	}
	if (inet_is_syn(packet, &ip))
		inet_clamp_mss(packet, &ip, session_mtu(p, s));
	counter_add(&s->counters.packets_in, 1);
	counter_add(&s->counters.bytes_in, ip.total_bytes);
	tun_write(p, packet, ip.total_bytes);
}

bool
slow_input(struct kernel_plane *p, const struct kernel_assoc *a, uint8_t *data,
    size_t len)
{
	struct rd r = rd_init(data, len), body;
	struct l2tp_packet_head head;
	struct user_session *s;
	uint16_t protocol;

	if (!l2tp_parse_head(&r, &head) || head.is_control)
		return false;
	s = session_by_key(&p->slow.sessions, head.tunnel_id, head.session_id);
	/* another association's session does not exist for this one */
	if (s == NULL || s->params.association != a->id) {
		p->totals.drop_no_session++;
		return false;
	}
	counter_set(&s->counters.last_in_ms, loop_now_ms(p->loop));
	body = head.payload;
	if (frame_protocol(&body, &protocol) && protocol == PPP_IPV4 &&
	    s->ipv4_open)
		input_ipv4(p, s, data, body);
	else
		p->events.ppp(p->ctx, s->params.id, head.payload);
	return true;
}

/* ---- to the peer ---- */

int
slow_ppp_send(
    struct kernel_plane *p, const struct user_session *s, struct rd frame)
{
	struct kernel_assoc *a = kernel_assoc_find(p, s->params.association);
	uint8_t buf[FRAME_L2TP_BYTES + FRAME_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	if (a == NULL || a->sas == 0)
		return -ENOENT;
	frame_put_l2tp(&w, s->params.peer_tunnel_id, s->params.peer_session_id);
	if (!wr_bytes(&w, frame.p, frame.left))
		return -EINVAL;
	return kernel_send(p, a, s->params.peer_port, wr_rd(&w));
}

/* Those from first on that leave by one socket; returns how many. */
static size_t
send_run(struct kernel_plane *p, struct batch *b, size_t first)
{
	size_t n = 1, i;
	int sent;

	while (first + n < b->n && b->fds[first + n] == b->fds[first])
		n++;
	sent = sendmmsg(b->fds[first], b->messages + first, (unsigned int)n,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	p->totals.tx_batches++;
	if (sent < 0) {
		if (errno == EAGAIN || errno == ENOBUFS) {
			p->totals.drop_tx_full += n;
			return n;
		}
		p->totals.send_errors++;
		return 1; /* it was the first one's: go on behind it */
	}
	for (i = first; i < first + (size_t)sent; i++) {
		counter_add(&b->sessions[i]->counters.packets_out, 1);
		counter_add(&b->sessions[i]->counters.bytes_out,
		    b->iov[i].iov_len - HEAD_BYTES);
	}
	p->totals.tx_packets += (unsigned int)sent;
	return (size_t)sent;
}

static void
flush(struct kernel_plane *p, struct batch *b)
{
	size_t i = 0;

	while (i < b->n)
		i += send_run(p, b, i);
	b->n = 0;
}

static void
answer_too_big(struct kernel_plane *p, const uint8_t *packet,
    const struct inet_packet *ip, uint16_t mtu)
{
	uint8_t answer[INET_TOO_BIG_MAX];
	size_t n;

	if (!ratelimit_take(&p->slow.too_big_limit, loop_now_ms(p->loop)))
		return;
	n = inet_too_big(packet, ip, mtu, answer, sizeof(answer));
	if (n > 0)
		tun_write(p, answer, n);
}

/* A peer that says it moved into its own network: the kernel brings us the ESP
 * that we send there, and it would go round and round. */
static bool
leads_into_itself(const struct user_session *s, const struct kernel_assoc *a,
    const struct inet_packet *ip)
{
	return s->has_networks && a->peer.family == 4 &&
	    memcmp(ip->dst, a->peer.addr, 4) == 0;
}

static void
put_message(struct batch *b, struct user_session *s,
    const struct kernel_assoc *a, size_t inner_bytes)
{
	struct wr w = wr_init(b->bufs[b->n], HEAD_BYTES);
	struct msghdr *m = &b->messages[b->n].msg_hdr;
	struct endpoint to = a->peer;

	frame_put_l2tp(&w, s->params.peer_tunnel_id, s->params.peer_session_id);
	frame_put_ppp(&w, PPP_IPV4);
	to.port = s->params.peer_port;
	b->iov[b->n] = (struct iovec){b->bufs[b->n], HEAD_BYTES + inner_bytes};
	memset(m, 0, sizeof(*m));
	m->msg_name = &b->names[b->n];
	m->msg_namelen = endpoint_to_sockaddr(&to, &b->names[b->n]);
	m->msg_iov = &b->iov[b->n];
	m->msg_iovlen = 1;
	b->sessions[b->n] = s;
	b->fds[b->n] = a->control.fd;
	b->n++;
}

/* The packet of n bytes that was read into the batch's next place. */
static void
route(struct kernel_plane *p, struct batch *b, size_t n)
{
	uint8_t *packet = b->bufs[b->n] + HEAD_BYTES;
	const struct kernel_assoc *a = NULL;
	struct user_session *s = NULL;
	struct inet_packet ip;
	uint16_t mtu;

	if (!inet_parse(rd_init(packet, n), &ip)) {
		p->totals.drop_malformed++;
		return;
	}
	if (ip.version == 4)
		s = session_towards_ipv4(&p->slow.sessions, ip.dst);
	if (s != NULL)
		a = kernel_assoc_find(p, s->params.association);
	if (a == NULL || a->sas == 0 || leads_into_itself(s, a, &ip)) {
		p->totals.drop_no_route++;
		return;
	}
	if (a->control.fd < 0) {
		p->totals.drop_tx_full++;
		return;
	}
	mtu = session_mtu(p, s);
	if (ip.total_bytes > mtu && ip.dont_fragment) {
		answer_too_big(p, packet, &ip, mtu);
		return;
	}
	if (inet_is_syn(packet, &ip))
		inet_clamp_mss(packet, &ip, mtu);
	put_message(b, s, a, ip.total_bytes);
}

/* False: there is none. */
static bool
tun_read(struct kernel_plane *p, struct batch *b)
{
	ssize_t n;

	do
		n = read(p->slow.tun_fd, b->bufs[b->n] + HEAD_BYTES,
		    KERNEL_BYTES_MAX);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EBADFD) { /* the device was deleted */
		loop_fd_free(p->slow.watch);
		p->slow.watch = NULL;
	}
	if (n <= 0)
		return false;
	p->totals.tun_reads++;
	route(p, b, (size_t)n);
	return true;
}

static void
tun_ready(void *ctx, int events)
{
	struct kernel_plane *p = ctx;
	struct batch b;
	bool more = true;
	int turn;

	(void)events;
	b.n = 0;
	for (turn = 0; turn < TURNS && more; turn++) {
		for (int i = 0; i < KERNEL_BATCH && more; i++)
			more = tun_read(p, &b);
		flush(p, &b);
	}
}

/* ---- sessions ---- */

int
slow_open(struct kernel_plane *p, int tun_fd)
{
	struct slow *s = &p->slow;
	int flags;

	s->tun_fd = tun_fd;
	ratelimit_init(&s->too_big_limit, TOO_BIG_BURST, TOO_BIG_RATE,
	    loop_now_ms(p->loop));
	if (tun_fd < 0)
		return 0;
	flags = fcntl(tun_fd, F_GETFL);
	if (flags >= 0 && fcntl(tun_fd, F_SETFL, flags | O_NONBLOCK) == 0)
		s->watch =
		    loop_fd_new(p->loop, tun_fd, LOOP_READ, tun_ready, p);
	if (s->watch != NULL)
		return 0;
	slow_close(p);
	return -ENOMEM;
}

void
slow_close(struct kernel_plane *p)
{
	struct slow *s = &p->slow;

	loop_fd_free(s->watch);
	s->watch = NULL;
	if (s->tun_fd >= 0)
		close(s->tun_fd);
	s->tun_fd = -1;
	session_table_clear(&s->sessions);
}

int
slow_add(struct kernel_plane *p, const struct plane_session *s)
{
	if (p->slow.tun_fd < 0)
		return -ENODEV;
	return session_table_add(&p->slow.sessions, s);
}

void
slow_del(struct kernel_plane *p, uint32_t id)
{
	struct user_session *s = slow_find(p, id);

	if (s != NULL)
		session_table_del(&p->slow.sessions, s);
}

struct user_session *
slow_find(struct kernel_plane *p, uint32_t id)
{
	return session_by_id(&p->slow.sessions, id);
}
