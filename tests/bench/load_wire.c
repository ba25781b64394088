/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_wire.c: the clients' side of the wire: plane.sock as charon's plugin
 * speaks it (base/charon_msg.h), UDP 4500 for all clients, whose source
 * address is chosen packet by packet (IP_PKTINFO), and ESP (l2tpd/esp). Owns
 * the socket, the channel and the SAs. Trusts the server as little as a client
 * does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/secret.h"
#include "tests/bench/load.h"

#define SPI_SERVER     0x10000000u /* + mark: inbound of the server */
#define SPI_CLIENT     0x20000000u /* + mark: inbound of the client */
#define FRONT_BYTES    64          /* room for ESP in front of a payload */
#define UDP_HEAD_BYTES 8
#define SOCKET_BYTES   (64 * 1024 * 1024)
#define SA_LIFETIME_S  86400

static void on_readable(void *ctx, int events);

/* ---- plane.sock ---- */

static const struct imsg_rule plane_rules[] = {
    {CHARON_MSG_IKE_IN, "IKE_IN", 0, IMSG_PAYLOAD_MAX, true},
    {CHARON_MSG_MAPPING, "MAPPING", 0, IMSG_PAYLOAD_MAX, true},
    {CHARON_MSG_EXPIRE, "EXPIRE", 0, IMSG_PAYLOAD_MAX, true},
    {CHARON_MSG_USE, "USE", 0, IMSG_PAYLOAD_MAX, true},
    {0, NULL, 0, 0, false},
};

static void
on_plane_message(void *ctx, struct imsg *m)
{
	(void)ctx, (void)m; /* SAs live longer than the run */
}

static void
on_plane_closed(void *ctx, const char *why)
{
	struct load *l = ctx;

	fprintf(stderr, "load: the server closed plane.sock: %s\n",
	    why != NULL ? why : "it ended");
	imsg_free(l->plane);
	l->plane = NULL;
	l->plane_ended = true;
	loop_stop(l->loop);
}

static const struct imsg_ops plane_ops = {
    .rules = plane_rules,
    .message = on_plane_message,
    .closed = on_plane_closed,
};

static int
plane_say(struct load *l, enum charon_msg_type type, const struct wr *w)
{
	struct rd payload = wr_rd(w);

	if (l->plane == NULL)
		return -EPIPE;
	if (!wr_ok(w))
		return -EMSGSIZE;
	return imsg_send(l->plane, type, 0, payload.p, payload.left, -1);
}

static int
plane_hello(struct load *l)
{
	uint8_t buf[16];
	struct wr w = wr_init(buf, sizeof(buf)), nothing = wr_init(NULL, 0);
	uint64_t epoch;

	random_bytes(&epoch, sizeof(epoch));
	wr_be32(&w, CHARON_MSG_VERSION);
	wr_be64(&w, epoch);
	if (plane_say(l, CHARON_MSG_HELLO, &w) < 0)
		return -EPIPE;
	return plane_say(l, CHARON_MSG_SYNC_END, &nothing);
}

static int
open_plane(struct load *l)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const int bytes = 4 * 1024 * 1024;
	int fd, err;

	if (strlen(l->opt.plane_sock) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, l->opt.plane_sock);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		err = errno;
		fprintf(
		    stderr, "load: %s: %s\n", l->opt.plane_sock, strerror(err));
		if (fd >= 0)
			close(fd);
		return -err;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	l->plane = imsg_new(l->loop, fd, &plane_ops, l);
	return l->plane != NULL ? plane_hello(l) : -ENOMEM;
}

/* ---- the socket ---- */

int
wire_socket(uint16_t port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	const int on = 1, bytes = SOCKET_BYTES;
	int fd, err;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		err = errno;
		fprintf(stderr, "load: udp/%u: %s\n", port, strerror(err));
		if (fd >= 0)
			close(fd);
		return -err;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return fd;
}

static int
open_udp(struct load *l)
{
	l->udp = wire_socket(LOAD_PORT);
	if (l->udp < 0)
		return l->udp;
	l->udp_watch = loop_fd_new(l->loop, l->udp, LOOP_READ, on_readable, l);
	return l->udp_watch != NULL ? 0 : -ENOMEM;
}

int
wire_open(struct load *l)
{
	int err;

	l->sas = esp_table_new();
	if (l->sas == NULL)
		return -ENOMEM;
	err = open_udp(l);
	if (err < 0)
		return err;
	return l->opt.psk != NULL ? load_ike_open(l) : open_plane(l);
}

void
wire_close(struct load *l)
{
	load_ike_close(l);
	loop_fd_free(l->udp_watch);
	if (l->udp >= 0)
		close(l->udp);
	imsg_free(l->plane);
	esp_table_free(l->sas);
}

/* ---- SAs ---- */

static int
tell_spi(struct load *l, uint32_t spi)
{
	uint8_t buf[4];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, spi);
	return plane_say(l, CHARON_MSG_SPI_NEW, &w);
}

static int
tell_sa(struct load *l, const struct charon_sa *sa)
{
	uint8_t buf[512];
	struct wr w = wr_init(buf, sizeof(buf));

	charon_msg_put_sa(&w, sa);
	return plane_say(l, CHARON_MSG_SA_ADD, &w);
}

/* An SA as the server sees it, with random keys. */
static void
draw_sa(
    struct load_client *c, bool inbound, uint32_t mark, struct charon_sa *ret)
{
	const struct load *l = c->load;
	bool gcm = strcmp(l->opt.suite, "aes256gcm16") == 0;

	memset(ret, 0, sizeof(*ret));
	ret->spi = inbound ? c->spi_server : c->spi_own;
	ret->inbound = inbound;
	ret->encap = true;
	ret->mark = ret->reqid = mark;
	ret->local = l->opt.server;
	ret->peer = c->address;
	ret->enc_alg = gcm ? ESP_ENC_AES_GCM_16 : ESP_ENC_AES_CBC;
	ret->int_alg = gcm ? ESP_INT_NONE : ESP_INT_HMAC_SHA1_96;
	ret->enc_key_bytes = gcm ? 36 : 32;
	ret->int_key_bytes = gcm ? 0 : 20;
	random_bytes(ret->enc_key, ret->enc_key_bytes);
	random_bytes(ret->int_key, ret->int_key_bytes);
	ret->hard_time_s = SA_LIFETIME_S;
	ret->peer_port = L2TP_PORT;
}

int
wire_install(struct load_client *c, struct esp_sa_params *p)
{
	struct esp_sa *made;
	int rc;

	p->encap = true;
	p->association = c->number + 1;
	p->local = c->address;
	p->peer = c->load->opt.server;
	rc = esp_sa_add(c->load->sas, p, loop_now_ms(c->load->loop), &made);
	wipe(p, sizeof(*p));
	return rc;
}

/* The same SA at our end, where its direction is the other one. */
static int
install(struct load_client *c, const struct charon_sa *sa)
{
	struct esp_sa_params p = {
	    .spi = sa->spi,
	    .inbound = !sa->inbound,
	    .enc_alg = sa->enc_alg,
	    .int_alg = sa->int_alg,
	    .enc_key_bytes = sa->enc_key_bytes,
	    .int_key_bytes = sa->int_key_bytes,
	};

	memcpy(p.enc_key, sa->enc_key, sa->enc_key_bytes);
	memcpy(p.int_key, sa->int_key, sa->int_key_bytes);
	return wire_install(c, &p);
}

int
wire_sas_add(struct load_client *c)
{
	struct load *l = c->load;
	uint32_t mark = l->epoch_marks + c->number + 1;
	struct charon_sa sa;
	int rc, i;

	c->spi_server = SPI_SERVER + mark;
	c->spi_own = SPI_CLIENT + mark;
	rc = tell_spi(l, c->spi_server);
	for (i = 0; i < 2 && rc == 0; i++) {
		draw_sa(c, i == 0, mark, &sa);
		rc = install(c, &sa);
		if (rc == 0)
			rc = tell_sa(l, &sa);
	}
	wipe(&sa, sizeof(sa));
	c->has_sas = true;
	return rc;
}

static void
forget_sa(struct load_client *c, uint32_t spi, bool inbound_there)
{
	struct charon_sa_del d = {
	    .spi = spi, .inbound = inbound_there, .peer = c->address};
	struct load *l = c->load;
	struct esp_sa *sa;
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	if (l->opt.psk == NULL) {
		charon_msg_put_sa_del(&w, &d);
		(void)plane_say(l, CHARON_MSG_SA_DEL, &w);
	}
	sa = inbound_there ? esp_sa_find_outbound(l->sas, spi, &l->opt.server)
			   : esp_sa_find_inbound(l->sas, spi);
	if (sa != NULL)
		esp_sa_del(l->sas, sa);
}

void
wire_sas_del(struct load_client *c)
{
	if (!c->has_sas)
		return;
	wire_flush(c->load); /* what waits names them */
	forget_sa(c, c->spi_server, true);
	forget_sa(c, c->spi_own, false);
	c->has_sas = false;
}

/* ---- out ---- */

struct control { /* one IP_PKTINFO */
	_Alignas(struct cmsghdr)
	    uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void
choose_source(struct msghdr *mh, struct control *c, const uint8_t address[4])
{
	struct in_pktinfo info = {.ipi_ifindex = 0};
	struct cmsghdr *cm;

	memset(c, 0, sizeof(*c));
	mh->msg_control = c->bytes;
	mh->msg_controllen = sizeof(c->bytes);
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = IPPROTO_IP;
	cm->cmsg_type = IP_PKTINFO;
	cm->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(&info.ipi_spec_dst, address, 4);
	memcpy(CMSG_DATA(cm), &info, sizeof(info));
}

void
wire_ike(struct load_client *c, bool on_4500, struct rd message)
{
	struct load *l = c->load;
	uint8_t marker[4] = {0}; /* RFC 3948 2.2 */
	struct endpoint server = l->opt.server;
	struct sockaddr_storage to;
	struct control control;
	struct iovec iov[2] = {
	    {marker, on_4500 ? sizeof(marker) : 0},
	    {(void *)(uintptr_t)message.p, message.left},
	};
	struct msghdr mh = {.msg_name = &to, .msg_iov = iov, .msg_iovlen = 2};

	server.port = on_4500 ? LOAD_PORT : LOAD_PORT_IKE;
	mh.msg_namelen = endpoint_to_sockaddr(&server, &to);
	choose_source(&mh, &control, c->address.addr);
	if (sendmsg(on_4500 ? l->udp : l->udp_ike, &mh, MSG_DONTWAIT) < 0)
		l->socket_full++;
}

struct wr
wire_begin(struct load *l)
{
	if (l->out.n == LOAD_BATCH)
		wire_flush(l);
	return wr_init(l->out.bufs[l->out.n] + FRONT_BYTES,
	    LOAD_BUF_BYTES - FRONT_BYTES - ESP_OVERHEAD_MAX);
}

void
wire_end(struct load_client *c, const struct wr *w)
{
	struct load_out *o = &c->load->out;
	struct rd payload = wr_rd(w);
	struct esp_sa *sa;

	sa = esp_sa_outbound_of(c->load->sas, c->number + 1);
	if (!wr_ok(w) || sa == NULL) {
		c->load->bad_packets++;
		return;
	}
	o->jobs[o->n] = (struct esp_job){
	    .sa = sa,
	    .data = o->bufs[o->n] + FRONT_BYTES,
	    .len = payload.left,
	    .next_header = IPPROTO_UDP,
	};
	o->clients[o->n++] = c;
}

void
wire_flush(struct load *l)
{
	struct load_out *o = &l->out;
	struct control control[LOAD_BATCH];
	struct mmsghdr msgs[LOAD_BATCH];
	struct iovec iov[LOAD_BATCH];
	struct sockaddr_storage to;
	socklen_t to_bytes;
	unsigned int n = 0;
	size_t i;
	int sent;

	if (o->n == 0)
		return;
	to_bytes = endpoint_to_sockaddr(&l->opt.server, &to);
	esp_encrypt_batch(o->jobs, o->n, loop_now_ms(l->loop));
	memset(msgs, 0, sizeof(msgs));
	for (i = 0; i < o->n; i++) {
		if (o->jobs[i].verdict != ESP_OK) {
			l->bad_packets++;
			continue;
		}
		iov[n].iov_base = o->jobs[i].data;
		iov[n].iov_len = o->jobs[i].len;
		msgs[n].msg_hdr.msg_name = &to;
		msgs[n].msg_hdr.msg_namelen = to_bytes;
		msgs[n].msg_hdr.msg_iov = &iov[n];
		msgs[n].msg_hdr.msg_iovlen = 1;
		choose_source(
		    &msgs[n].msg_hdr, &control[n], o->clients[i]->address.addr);
		n++;
	}
	o->n = 0;
	sent = sendmmsg(l->udp, msgs, n, MSG_DONTWAIT);
	l->socket_full += n - (unsigned int)(sent > 0 ? sent : 0);
}

static void
udp_head(struct wr *w, size_t payload_bytes)
{
	wr_be16(w, L2TP_PORT);
	wr_be16(w, L2TP_PORT);
	wr_be16(w, (uint16_t)(UDP_HEAD_BYTES + payload_bytes));
	wr_be16(w, 0);
}

void
wire_l2tp(struct load_client *c, struct rd datagram)
{
	struct wr w = wire_begin(c->load);

	udp_head(&w, datagram.left);
	wr_bytes(&w, datagram.p, datagram.left);
	wire_end(c, &w);
}

/* RFC 2661 3.1: version 2, ids; then PPP with FF 03 */
void
client_data_head(
    struct load_client *c, struct wr *w, uint16_t protocol, size_t ip_bytes)
{
	udp_head(w, 6U + (protocol != 0 ? 4U : 0U) + ip_bytes);
	wr_be16(w, 2);
	wr_be16(w, tunnel_peer_id(c->tunnel));
	wr_be16(w, c->peer_session_id);
	if (protocol != 0) {
		wr_be16(w, 0xff03);
		wr_be16(w, protocol);
	}
}

/* ---- in ---- */

/* Behind the marker; a client's ESP may be among them, which is not. */
static void
take_ike(struct load *l, uint8_t (*bufs)[LOAD_BUF_BYTES],
    const struct mmsghdr *msgs, size_t n)
{
	uint32_t marker;
	struct rd r;
	size_t i;

	for (i = 0; i < n; i++) {
		r = rd_init(bufs[i], msgs[i].msg_len);
		if (rd_be32(&r, &marker) && marker == 0)
			load_ike_input(l, r);
	}
}

static size_t
decrypt(struct load *l, uint8_t (*bufs)[LOAD_BUF_BYTES],
    const struct mmsghdr *msgs, size_t n, struct esp_job *jobs)
{
	size_t i, count = 0;
	struct esp_sa *sa;
	struct rd r;
	uint32_t spi;

	for (i = 0; i < n; i++) {
		r = rd_init(bufs[i], msgs[i].msg_len);
		if (!rd_be32(&r, &spi) || spi == 0)
			continue; /* IKE or a keepalive */
		sa = esp_sa_find_inbound(l->sas, spi);
		if (sa == NULL)
			continue; /* of a client that went */
		jobs[count++] = (struct esp_job){
		    .sa = sa, .data = bufs[i], .len = msgs[i].msg_len};
	}
	esp_decrypt_batch(jobs, count, loop_now_ms(l->loop));
	return count;
}

static bool
read_batch(struct load *l)
{
	static uint8_t bufs[LOAD_BATCH][LOAD_BUF_BYTES];
	static struct esp_job jobs[LOAD_BATCH];
	struct mmsghdr msgs[LOAD_BATCH];
	uint32_t owner[LOAD_BATCH];
	struct iovec iov[LOAD_BATCH];
	size_t i, count;
	int n;

	memset(msgs, 0, sizeof(msgs));
	for (i = 0; i < LOAD_BATCH; i++) {
		iov[i] = (struct iovec){bufs[i], LOAD_BUF_BYTES};
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(l->udp, msgs, LOAD_BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return false;
	count = decrypt(l, bufs, msgs, (size_t)n, jobs);
	for (i = 0; i < count; i++) /* an SA may go while we go on */
		owner[i] = esp_sa_association(jobs[i].sa) - 1;
	for (i = 0; i < count; i++) {
		if (jobs[i].verdict != ESP_OK)
			l->bad_packets++;
		else
			client_input(&l->clients[owner[i]],
			    rd_init(jobs[i].data, jobs[i].len));
	}
	if (l->opt.psk != NULL)
		take_ike(l, bufs, msgs, (size_t)n);
	return n == LOAD_BATCH;
}

static void
on_readable(void *ctx, int events)
{
	struct load *l = ctx;
	int i;

	(void)events;
	for (i = 0; i < 16 && read_batch(l); i++)
		;
	wire_flush(l);
	l->changed(l);
}
