/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * end.c: one end of a tunnel that needs no negotiation: the product's user
 * plane between a TUN device and a UDP socket, one session, two SAs with fixed
 * keys. For measurements of the plane alone (tests/bench/run), with the real
 * ciphers and with none. Never installed; the keys are in this file.
 *
 *   end --role server|client --local A --peer B --tun NAME --inner OWN,OTHER
 *       [--suite aes256-sha1|aes256-sha256|aes256gcm16|aes128gcm16|null]
 *       [--mtu N] [--offloads MASK]
 *
 * Runs until SIGTERM, then prints its counters as one JSON object.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "l2tpd/plane/user/user.h"

#define BUFFER_BYTES (8 * 1024 * 1024)

struct end {
	bool server;
	const char *tun, *suite;
	struct endpoint local, peer;
	uint8_t own[4], other[4];
	uint16_t mtu;
	unsigned int offloads;
	struct loop *loop;
	struct plane *plane;
};

static const struct {
	const char *name;
	uint16_t enc, integ;
	size_t enc_bytes, int_bytes;
} suites[] = {
    {"aes256-sha1", ESP_ENC_AES_CBC, ESP_INT_HMAC_SHA1_96, 32, 20},
    {"aes256-sha256", ESP_ENC_AES_CBC, ESP_INT_HMAC_SHA2_256_128, 32, 32},
    {"aes128-sha1", ESP_ENC_AES_CBC, ESP_INT_HMAC_SHA1_96, 16, 20},
    {"aes256gcm16", ESP_ENC_AES_GCM_16, ESP_INT_NONE, 36, 0},
    {"aes128gcm16", ESP_ENC_AES_GCM_16, ESP_INT_NONE, 20, 0},
    {"null", ESP_ENC_NULL, ESP_INT_NONE, 0, 0},
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static int
open_tun(const struct end *e)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct ifreq ifr;
	int fd, ctl;

	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", e->tun);
	ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (e->offloads & (PLANE_TUN_TCP | PLANE_TUN_UDP))
		ifr.ifr_flags |= IFF_VNET_HDR;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		die("tun");
	ctl = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(&sin.sin_addr, e->own, 4);
	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
	if (ioctl(ctl, SIOCSIFADDR, &ifr) < 0)
		die("address");
	memcpy(&sin.sin_addr, e->other, 4);
	memcpy(&ifr.ifr_dstaddr, &sin, sizeof(sin));
	if (ioctl(ctl, SIOCSIFDSTADDR, &ifr) < 0)
		die("peer address");
	ifr.ifr_mtu = e->mtu;
	if (ioctl(ctl, SIOCSIFMTU, &ifr) < 0)
		die("mtu");
	ifr.ifr_qlen = 1000; /* as l2tpd/monitor/open.c */
	if (ioctl(ctl, SIOCSIFTXQLEN, &ifr) < 0)
		die("queue");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(ctl, SIOCSIFFLAGS, &ifr) < 0)
		die("up");
	close(ctl);
	return fd;
}

static int
open_udp(const struct endpoint *local)
{
	struct sockaddr_storage ss;
	socklen_t n = endpoint_to_sockaddr(local, &ss);
	const int on = 1, bytes = BUFFER_BYTES;
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	if (fd < 0 || bind(fd, (struct sockaddr *)&ss, n) < 0)
		die("udp");
	return fd;
}

static void
add_sa(struct end *e, bool inbound)
{
	struct esp_sa_params p = {
	    .spi = inbound == e->server ? 0xc0000001 : 0xc0000002,
	    .inbound = inbound,
	    .encap = true,
	    .association = 1,
	    .local = e->local,
	    .peer = e->peer,
	};
	size_t i, n = sizeof(suites) / sizeof(suites[0]);

	for (i = 0; i < n && strcmp(suites[i].name, e->suite) != 0; i++)
		;
	if (i == n) {
		fprintf(stderr, "end: unknown suite %s\n", e->suite);
		exit(2);
	}
	p.enc_alg = suites[i].enc;
	p.int_alg = suites[i].integ;
	p.enc_key_bytes = suites[i].enc_bytes;
	p.int_key_bytes = suites[i].int_bytes;
	memset(p.enc_key, (int)(p.spi & 0xff) + 1, sizeof(p.enc_key));
	memset(p.int_key, (int)(p.spi & 0xff) + 9, sizeof(p.int_key));
	if (p.enc_alg == ESP_ENC_NULL)
		esp_table_allow_null(((struct user_plane *)e->plane)->sas);
	if (plane_sa_add(e->plane, &p) < 0)
		die("sa");
}

static void
on_packet(void *ctx, uint32_t id, struct rd r)
{
	(void)ctx, (void)id, (void)r;
}

static void
on_l2tp(void *ctx, uint32_t association, const struct endpoint *peer,
    uint16_t port, struct rd data)
{
	(void)ctx, (void)association, (void)peer, (void)port, (void)data;
}

static void
on_ike(void *ctx, const struct endpoint *peer, const struct endpoint *local,
    struct rd data)
{
	(void)ctx, (void)peer, (void)local, (void)data;
}

static void
on_moved(
    void *ctx, uint32_t association, uint32_t spi, const struct endpoint *peer)
{
	(void)ctx, (void)association, (void)spi, (void)peer;
}

static void
on_expired(void *ctx, uint32_t spi, bool inbound)
{
	(void)ctx, (void)spi, (void)inbound;
}

static void
on_unknown(void *ctx, const struct endpoint *peer, uint32_t spi)
{
	(void)ctx, (void)peer, (void)spi;
}

static void
on_offload_off(void *ctx, enum plane_offload what)
{
	(void)ctx, (void)what;
}

static void
start_plane(struct end *e)
{
	static const struct plane_events events = {
	    .ike = on_ike,
	    .l2tp = on_l2tp,
	    .ppp = on_packet,
	    .service = on_packet,
	    .moved = on_moved,
	    .expired = on_expired,
	    .unknown_spi = on_unknown,
	    .offload_off = on_offload_off,
	};
	const struct plane_session s = {.id = 1,
	    .association = 1,
	    .local_tunnel_id = 1,
	    .local_session_id = 1,
	    .peer_tunnel_id = 1,
	    .peer_session_id = 1,
	    .peer_port = 1701};
	struct plane_config cfg = {
	    .udp500_fd = -1,
	    .udp4500_fd = open_udp(&e->local),
	    .esp_fd = -1,
	    .tun_fd = open_tun(e),
	    .inner_mtu = e->mtu,
	    .outer_mtu = 1500,
	    .offloads = e->offloads,
	};

	cfg.tun_vnet = plane_tun_has_vnet(cfg.tun_fd);
	e->plane = plane_user_new(e->loop, &cfg, &events, e);
	if (e->plane == NULL)
		die("plane");
	add_sa(e, true);
	add_sa(e, false);
	if (plane_session_add(e->plane, &s) < 0 ||
	    plane_session_open_ipv4(e->plane, 1, e->other, e->mtu) < 0)
		die("session");
}

static void
on_stop(void *ctx, int number)
{
	struct end *e = ctx;

	(void)number;
	loop_stop(e->loop);
}

#define SHOW(field)                                                            \
	printf("\"%s\": %llu, ", #field, (unsigned long long)t.field)

static void
report(struct end *e)
{
	struct plane_totals t = {0};

	plane_totals(e->plane, &t);
	printf("{");
	SHOW(rx_packets), SHOW(rx_messages), SHOW(rx_batches);
	SHOW(tx_packets), SHOW(tx_messages), SHOW(tx_batches);
	SHOW(tun_reads), SHOW(tun_writes), SHOW(tun_write_errors);
	SHOW(gso_refused), SHOW(tun_refused), SHOW(bad_inner_sums);
	SHOW(drop_malformed), SHOW(drop_replayed), SHOW(drop_bad_icv);
	SHOW(drop_no_route), SHOW(drop_tx_full), SHOW(send_errors);
	printf("\"role\": \"%s\"}\n", e->server ? "server" : "client");
}

static bool
parse_inner(struct end *e, const char *text)
{
	char own[64];
	const char *comma = strchr(text, ',');

	if (comma == NULL || (size_t)(comma - text) >= sizeof(own))
		return false;
	snprintf(own, sizeof(own), "%.*s", (int)(comma - text), text);
	return inet_pton(AF_INET, own, e->own) == 1 &&
	    inet_pton(AF_INET, comma + 1, e->other) == 1;
}

static void
usage(void)
{
	fputs("usage: end --role server|client --local A --peer B --tun NAME\n"
	      "           --inner OWN,OTHER [--suite NAME] [--mtu N]\n"
	      "           [--offloads MASK]\n",
	    stderr);
	exit(2);
}

static void
parse(struct end *e, int argc, char **argv)
{
	static const struct option options[] = {
	    {"role", required_argument, NULL, 'r'},
	    {"local", required_argument, NULL, 'l'},
	    {"peer", required_argument, NULL, 'p'},
	    {"tun", required_argument, NULL, 't'},
	    {"inner", required_argument, NULL, 'i'},
	    {"suite", required_argument, NULL, 's'},
	    {"mtu", required_argument, NULL, 'm'},
	    {"offloads", required_argument, NULL, 'o'},
	    {NULL, 0, NULL, 0},
	};
	int opt;
	bool ok = true;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'r':
			e->server = strcmp(optarg, "server") == 0;
			break;
		case 'l':
			ok = ok && endpoint_parse(optarg, 4500, &e->local);
			break;
		case 'p':
			ok = ok && endpoint_parse(optarg, 4500, &e->peer);
			break;
		case 't':
			e->tun = optarg;
			break;
		case 'i':
			ok = ok && parse_inner(e, optarg);
			break;
		case 's':
			e->suite = optarg;
			break;
		case 'm':
			e->mtu = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'o':
			e->offloads = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		default:
			usage();
		}
	}
	if (!ok || e->tun == NULL || e->local.family == 0 ||
	    e->peer.family == 0 || e->own[0] == 0)
		usage();
}

int
main(int argc, char **argv)
{
	struct end e = {
	    .suite = "aes256-sha1",
	    .mtu = 1400,
	    .offloads = PLANE_OFFLOAD_ALL,
	};
	struct loop_signal *term;

	parse(&e, argc, argv);
	e.loop = loop_new();
	if (e.loop == NULL || !esp_selftest())
		die("start");
	term = loop_signal_new(e.loop, SIGTERM, on_stop, &e);
	start_plane(&e);
	puts("ready");
	fflush(stdout);
	loop_run(e.loop);
	report(&e);
	plane_free(e.plane);
	loop_signal_free(term);
	loop_free(e.loop);
	return 0;
}
