/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_traffic.c: small UDP packets of every session that is up, at a rate for
 * each, to an echo behind the server; and that echo. A session counts what it
 * sent and what came back to its own address and port.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/bench/load.h"

#define IP_HEAD_BYTES  20
#define UDP_HEAD_BYTES 8
#define SOURCE_PORT    40000
#define TURN_MAX       128 /* packets a turn of the loop: no long bursts */
#define ECHO_BATCH     64
#define ECHO_BYTES     2048

void
traffic_begin(struct load *l)
{
	l->traffic_since_ms = loop_now_ms(l->loop);
	l->traffic_due = 0;
	l->sent = l->received = 0;
}

/* RFC 1071 */
static uint16_t
ip_checksum(struct rd r)
{
	uint32_t sum = 0;
	uint16_t v;

	while (rd_be16(&r, &v))
		sum += v;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void
send_one(struct load_client *c)
{
	struct load *l = c->load;
	size_t bytes = IP_HEAD_BYTES + UDP_HEAD_BYTES + l->opt.payload_bytes;
	struct wr w = wire_begin(l);
	struct rd head;
	size_t at, sum;

	client_data_head(c, &w, PPP_PROTO_IPV4, bytes);
	at = wr_mark(&w);
	wr_be16(&w, 0x4500);
	wr_be16(&w, (uint16_t)bytes);
	wr_be16(&w, (uint16_t)c->sent);
	wr_be16(&w, 0x4000); /* DF */
	wr_u8(&w, 64);
	wr_u8(&w, IPPROTO_UDP);
	sum = wr_mark(&w);
	wr_be16(&w, 0);
	wr_bytes(&w, c->ipv4, 4);
	wr_bytes(&w, l->opt.echo.addr, 4);
	head = wr_rd(&w);
	rd_skip(&head, at);
	wr_patch_be16(&w, sum, ip_checksum(head));
	wr_be16(&w, SOURCE_PORT);
	wr_be16(&w, l->opt.echo.port);
	wr_be16(&w, (uint16_t)(UDP_HEAD_BYTES + l->opt.payload_bytes));
	wr_be16(&w, 0);
	wr_be32(&w, c->number);
	wr_zero(&w, l->opt.payload_bytes - 4);
	wire_end(c, &w);
	c->sent++;
	l->sent++;
}

/* What is due by now, session by session; what does not fit into a turn stays
 * due, so a machine that is too slow shows as a lower rate. */
void
traffic_run(struct load *l)
{
	uint64_t elapsed_ms = loop_now_ms(l->loop) - l->traffic_since_ms;
	double due = l->opt.traffic * l->up * (double)elapsed_ms / 1000.0;
	unsigned int n, skipped = 0;
	struct load_client *c;

	for (n = 0; n < TURN_MAX && (double)l->sent < due &&
	     skipped < l->opt.clients;) {
		c = &l->clients[l->traffic_next];
		l->traffic_next = (l->traffic_next + 1) % l->opt.clients;
		if (c->state != CLIENT_UP) {
			skipped++;
			continue;
		}
		skipped = 0;
		send_one(c);
		n++;
	}
	wire_flush(l);
}

void
traffic_input(struct load_client *c, struct rd ip)
{
	struct load *l = c->load;
	const uint8_t *from, *to;
	uint16_t sport, dport;
	uint32_t number;

	/* version and length, lengths, TTL, protocol: the kernel behind the
	 * server made them */
	if (!rd_skip(&ip, 12) || !rd_take(&ip, 4, &from) ||
	    !rd_take(&ip, 4, &to) || !rd_be16(&ip, &sport) ||
	    !rd_be16(&ip, &dport) || !rd_skip(&ip, 4) || !rd_be32(&ip, &number))
		return;
	if (memcmp(from, l->opt.echo.addr, 4) != 0 ||
	    memcmp(to, c->ipv4, 4) != 0 || sport != l->opt.echo.port ||
	    dport != SOURCE_PORT || number != c->number) {
		l->bad_packets++;
		return;
	}
	c->received++;
	l->received++;
}

int
echo_serve(const struct endpoint *at)
{
	static uint8_t bufs[ECHO_BATCH][ECHO_BYTES];
	struct sockaddr_storage names[ECHO_BATCH], ss;
	struct mmsghdr msgs[ECHO_BATCH];
	struct iovec iov[ECHO_BATCH];
	const int bytes = 64 * 1024 * 1024;
	socklen_t ss_bytes = endpoint_to_sockaddr(at, &ss);
	int fd, n, i;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&ss, ss_bytes) < 0) {
		fprintf(stderr, "load: echo: %s\n", strerror(errno));
		return -errno;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	for (;;) {
		memset(msgs, 0, sizeof(msgs));
		for (i = 0; i < ECHO_BATCH; i++) {
			iov[i] = (struct iovec){bufs[i], ECHO_BYTES};
			msgs[i].msg_hdr.msg_name = &names[i];
			msgs[i].msg_hdr.msg_namelen = sizeof(names[i]);
			msgs[i].msg_hdr.msg_iov = &iov[i];
			msgs[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(fd, msgs, ECHO_BATCH, MSG_WAITFORONE, NULL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (i = 0; i < n; i++)
			iov[i].iov_len = msgs[i].msg_len;
		(void)sendmmsg(fd, msgs, (unsigned int)n, 0);
	}
}
