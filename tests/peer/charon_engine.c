/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * charon_engine.c: a small engine for tests/peer/test_charon: it owns UDP 500
 * and 4500 of its network namespace, relays IKE to a real charon with the
 * shipped relay (l2tpd/ike), and writes one line per event to stdout. Commands
 * come on stdin. No ESP: this is about the control plane.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"
#include "l2tpd/ike/relay.h"

struct port {
	int fd;
	uint16_t number;
	bool marker;
};

static struct loop *loop;
static struct ike_relay *relay;
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
on_sync_end(void *ctx)
{
	(void)ctx;
	printf("sync-end\n");
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
	    .gone = on_gone,
	};
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: charon_engine plane.sock\n");
		return 2;
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
	loop_free(loop);
	return 0;
}
