/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * charon_engine.c: a small engine for tests/peer/test_charon: it owns UDP 500
 * and 4500 of its network namespace, relays IKE to a real charon with the
 * shipped relay (l2tpd/ike), and writes one line per event to stdout. Commands
 * come on stdin. No ESP: this is about the control plane.
 *
 * With a folder of secrets (psk, ca.pem, crl.pem, cert.pem, key.pem; each may
 * be missing) it also loads the connections over vici, and prints vici's
 * events.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"
#include "l2tpd/ike/conns.h"
#include "l2tpd/ike/relay.h"
#include "l2tpd/ike/sas.h"
#include "l2tpd/ike/vici.h"

struct port {
	int fd;
	uint16_t number;
	bool marker;
};

static struct loop *loop;
static struct ike_relay *relay;
static struct vici *vici;
static const char *secrets_dir, *vici_path;
static struct port ports[2] = {
    {.number = 500},
    {.number = 4500, .marker = true},
};

static void
print_endpoints(const struct endpoint *local, const struct endpoint *peer)
{
	char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT];

	printf(" local=%s peer=%s", endpoint_format(local, a, sizeof(a)),
	    endpoint_format(peer, b, sizeof(b)));
}

static void
on_hello(void *ctx, uint64_t epoch)
{
	(void)ctx;
	printf("hello epoch=%" PRIx64 "\n", epoch);
}

static void
on_spi(void *ctx, uint32_t spi, bool is_new)
{
	(void)ctx;
	printf("spi %s=%08x\n", is_new ? "new" : "free", spi);
}

static void
on_sa_add(void *ctx, const struct charon_sa *sa)
{
	(void)ctx;
	printf("sa-add %s spi=%08x mark=%u encap=%d enc=%u/%u int=%u/%u "
	       "hard_s=%" PRIu64 " port=%u",
	    sa->inbound ? "in" : "out", sa->spi, sa->mark, sa->encap,
	    sa->enc_alg, sa->enc_key_bytes, sa->int_alg, sa->int_key_bytes,
	    sa->hard_time_s, sa->peer_port);
	print_endpoints(&sa->local, &sa->peer);
	printf("\n");
}

static void
on_sa_update(void *ctx, const struct charon_sa_update *u)
{
	(void)ctx;
	printf("sa-update %s spi=%08x encap=%d", u->inbound ? "in" : "out",
	    u->spi, u->encap);
	print_endpoints(&u->local, &u->peer);
	printf("\n");
}

static void
on_sa_del(void *ctx, const struct charon_sa_del *d)
{
	(void)ctx;
	printf("sa-del %s spi=%08x\n", d->inbound ? "in" : "out", d->spi);
}

static void
on_ike(void *ctx, const struct ike_sa_info *ike)
{
	const char *event = ctx;

	printf("%s ike=%u up=%d established=%d connection=%s id=%s", event,
	    ike->unique_id, ike->up, ike->established, ike->connection,
	    ike->remote_id);
	print_endpoints(&ike->local, &ike->remote);
	printf("\n");
}

static void
on_child(
    void *ctx, const struct ike_sa_info *ike, const struct child_sa_info *child)
{
	const char *event = ctx;

	printf("%s child=%u ike=%u up=%d in=%08x out=%08x mark=%u old=%08x\n",
	    event, child->unique_id, ike->unique_id, ike->up, child->spi_in,
	    child->spi_out, child->mark_in, child->old_spi_in);
}

static const struct ike_sas_visitor visitor = {on_ike, on_child};

static void
on_vici_event(void *ctx, const char *name, struct rd message)
{
	char event[64];

	(void)ctx;
	snprintf(event, sizeof(event), "%s", name);
	if (!ike_sas_read(message, &visitor, event))
		printf("malformed %s\n", name);
}

static void
on_vici_closed(void *ctx, const char *why)
{
	(void)ctx;
	printf("vici-closed why=%s\n", why != NULL ? why : "-");
	vici_free(vici);
	vici = NULL;
}

static void
on_loaded(void *ctx, int err, const char *why)
{
	(void)ctx;
	printf("loaded err=%d why=%s\n", err, why);
}

static void
on_list_sa(void *ctx, struct rd message)
{
	(void)ctx;
	on_vici_event(NULL, "list", message);
}

static void
on_reply(void *ctx, int err, struct rd message)
{
	char why[128];
	bool success = vici_success(message, why, sizeof(why));

	printf("%s err=%d success=%d why=%s\n", (const char *)ctx, err, success,
	    why);
}

/* A whole file; static storage per slot. */
static struct conns_blob
read_secret(unsigned int slot, const char *name)
{
	static uint8_t bytes[5][65536];
	char path[256];
	struct conns_blob blob = {bytes[slot], 0};
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", secrets_dir, name);
	f = fopen(path, "r");
	if (f == NULL)
		return blob;
	blob.len = fread(bytes[slot], 1, sizeof(bytes[slot]), f);
	fclose(f);
	return blob;
}

static void
load(bool legacy)
{
	const struct adit_conf conf = {
	    .dpd_delay_s = 30,
	    .legacy_clients = legacy,
	};
	const struct conns_secrets secrets = {
	    .psk = read_secret(0, "psk"),
	    .ca = read_secret(1, "ca.pem"),
	    .crl = read_secret(2, "crl.pem"),
	    .certificate = read_secret(3, "cert.pem"),
	    .key = read_secret(4, "key.pem"),
	};
	int rc = conns_load(vici, &conf, &secrets, on_loaded, NULL);

	if (rc < 0)
		printf("not loaded: %s\n", strerror(-rc));
}

static void
connect_vici(void)
{
	static const char *const events[] = {
	    "ike-updown", "child-updown", "child-rekey", "ike-update"};
	static const struct vici_ops ops = {on_vici_event, on_vici_closed};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t i;
	int fd;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", vici_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		perror(vici_path);
		return;
	}
	vici = vici_new(loop, fd, &ops, NULL);
	for (i = 0; i < 4; i++)
		vici_register(vici, events[i], NULL, NULL);
	load(false);
}

static void
on_sync_end(void *ctx)
{
	(void)ctx;
	printf("sync-end\n");
	if (secrets_dir != NULL && vici == NULL)
		connect_vici();
}

static void
on_plugin_child(void *ctx, const struct charon_child *c)
{
	(void)ctx;
	printf("plugin-child mark=%u ike=%u identity=\"%s\" connection=%s\n",
	    c->mark, c->ike_id, c->identity, c->connection);
}

static void
on_alert(void *ctx, const struct charon_alert *a)
{
	char peer[ENDPOINT_TEXT];

	(void)ctx;
	printf("alert kind=%u peer=%s identity=\"%s\" detail=\"%s\"\n", a->kind,
	    endpoint_format(&a->peer, peer, sizeof(peer)), a->identity,
	    a->detail);
}

static void
on_gone(void *ctx, const char *why, bool refused)
{
	(void)ctx;
	printf("gone refused=%d why=%s\n", refused, why != NULL ? why : "-");
}

static void
on_ike_out(void *ctx, const struct charon_ike *ike)
{
	static uint8_t buf[CHARON_MSG_IKE_MAX + 4];
	struct wr w = wr_init(buf, sizeof(buf));
	struct port *p = &ports[ike->local.port == 500 ? 0 : 1];
	struct sockaddr_storage to;
	struct in_pktinfo info = {0};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = {{0}};
	struct iovec iov;
	struct msghdr m = {
	    .msg_name = &to,
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	(void)ctx;
	if (p->marker)
		wr_zero(&w, 4);
	wr_bytes(&w, ike->data.p, ike->data.left);
	iov = (struct iovec){buf, w.len};
	m.msg_namelen = endpoint_to_sockaddr(&ike->peer, &to);
	memcpy(&info.ipi_spec_dst, ike->local.addr, 4);
	c->cmsg_level = SOL_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	if (sendmsg(p->fd, &m, 0) < 0)
		perror("sendmsg");
}

static void
on_datagram(void *ctx, int events)
{
	static uint8_t buf[CHARON_MSG_IKE_MAX + 4];
	struct port *p = ctx;
	struct sockaddr_storage from;
	union {
		struct cmsghdr align;
		char buf[128];
	} control;
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr m = {
	    .msg_name = &from,
	    .msg_namelen = sizeof(from),
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	struct endpoint local = {.family = 4, .port = p->number}, peer;
	struct in_pktinfo info;
	struct cmsghdr *c;
	struct rd data;
	uint32_t marker;
	ssize_t n;
	int rc;

	(void)events;
	n = recvmsg(p->fd, &m, 0);
	if (n <= 0 || !endpoint_from_sockaddr((void *)&from, &peer))
		return;
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_IP || c->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		memcpy(local.addr, &info.ipi_addr, 4);
	}
	data = rd_init(buf, (size_t)n);
	if (p->marker && (!rd_be32(&data, &marker) || marker != 0))
		return;
	rc = ike_relay_ike_in(relay, &local, &peer, data);
	if (rc < 0)
		printf("dropped rc=%s\n", strerror(-rc));
}

static void
on_command(void *ctx, int events)
{
	char line[256], what[32], address[64];
	struct endpoint e;
	uint32_t spi, port, bytes;

	(void)ctx;
	(void)events;
	if (fgets(line, sizeof(line), stdin) == NULL) {
		loop_stop(loop);
		return;
	}
	if (sscanf(line, "%31s %x %63s %u", what, &spi, address, &port) == 4 &&
	    strcmp(what, "mapping") == 0 &&
	    endpoint_parse(address, (uint16_t)port, &e))
		printf("ok %d\n", ike_relay_mapping(relay, spi, &e));
	else if (sscanf(line, "%31s %x %63s", what, &spi, address) == 3 &&
	    strcmp(what, "expire") == 0 && endpoint_parse(address, 0, &e))
		printf("ok %d\n", ike_relay_expire(relay, spi, true, &e));
	else if (sscanf(line, "%31s %x %u", what, &spi, &bytes) == 3 &&
	    strcmp(what, "use") == 0)
		printf("ok %d\n", ike_relay_use(relay, spi, true, bytes, 1));
	else if (vici != NULL && sscanf(line, "terminate %u", &spi) == 1)
		vici_terminate_ike(vici, spi, on_reply, (void *)"terminate");
	else if (vici != NULL && strcmp(line, "list\n") == 0)
		vici_list_sas(vici, on_list_sa, on_reply, (void *)"list-end");
	else if (vici != NULL && strcmp(line, "load\n") == 0)
		load(false);
	else if (vici != NULL && strcmp(line, "load legacy\n") == 0)
		load(true);
	else
		printf("what?\n");
}

static int
open_port(struct port *p)
{
	struct sockaddr_in any = {
	    .sin_family = AF_INET,
	    .sin_port = htons(p->number),
	};
	int on = 1;

	p->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (p->fd < 0 ||
	    setsockopt(p->fd, SOL_IP, IP_PKTINFO, &on, sizeof(on)) < 0 ||
	    bind(p->fd, (struct sockaddr *)&any, sizeof(any)) < 0) {
		perror("udp");
		return -1;
	}
	return loop_fd_new(loop, p->fd, LOOP_READ, on_datagram, p) ? 0 : -1;
}

static int
open_listener(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(fd, 4) < 0) {
		perror(path);
		return -1;
	}
	return fd;
}

/* Somebody else than charon connects: 0 when it is closed on him. */
static int
knock(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char c;
	int fd;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		perror(path);
		return 1;
	}
	return recv(fd, &c, 1, 0) > 0;
}

/* One forged datagram from a socket of no client; prints how many answers come
 * within five seconds (charon would repeat after two). */
static int
forge(const char *host, const char *path)
{
	struct sockaddr_storage to;
	struct pollfd pfd = {.events = POLLIN};
	struct endpoint e;
	unsigned int answers = 0;
	uint64_t until_ms;
	uint8_t buf[4096];
	size_t n;
	FILE *f;

	f = fopen(path, "r");
	if (f == NULL || !endpoint_parse(host, 500, &e))
		return 1;
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	pfd.fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (pfd.fd < 0 ||
	    sendto(pfd.fd, buf, n, 0, (struct sockaddr *)&to,
		endpoint_to_sockaddr(&e, &to)) < 0)
		return 1;
	loop = loop_new();
	until_ms = loop_now_ms(loop) + 5000;
	while (loop_now_ms(loop) < until_ms) {
		if (poll(&pfd, 1, (int)(until_ms - loop_now_ms(loop))) > 0 &&
		    recv(pfd.fd, buf, sizeof(buf), 0) > 0)
			answers++;
		loop_run_once(loop, false);
	}
	loop_free(loop);
	printf("answers=%u\n", answers);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct ike_relay_events events = {
	    .hello = on_hello,
	    .spi = on_spi,
	    .sa_add = on_sa_add,
	    .sa_update = on_sa_update,
	    .sa_del = on_sa_del,
	    .sync_end = on_sync_end,
	    .ike_out = on_ike_out,
	    .alert = on_alert,
	    .child = on_plugin_child,
	    .gone = on_gone,
	};
	int fd;

	if (argc == 3 && strcmp(argv[1], "--knock") == 0)
		return knock(argv[2]);
	if (argc == 4 && strcmp(argv[1], "--forge") == 0)
		return forge(argv[2], argv[3]);
	if (argc != 2 && argc != 4) {
		fprintf(stderr,
		    "usage: charon_engine PLANE.SOCK [CHARON.VICI SECRETS]\n");
		return 2;
	}
	if (argc == 4) {
		vici_path = argv[2];
		secrets_dir = argv[3];
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	loop = loop_new();
	fd = open_listener(argv[1]);
	if (loop == NULL || fd < 0 || open_port(&ports[0]) < 0 ||
	    open_port(&ports[1]) < 0)
		return 1;
	relay = ike_relay_new(loop, fd, &events, NULL);
	if (relay == NULL ||
	    loop_fd_new(loop, 0, LOOP_READ, on_command, NULL) == NULL)
		return 1;
	printf("ready\n");
	loop_run(loop);
	ike_relay_free(relay);
	vici_free(vici);
	loop_free(loop);
	return 0;
}
