/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open.c: opens sockets, the TUN device and files for the children (contract
 * in open.h). Runs in the monitor, as root. Trusts the configuration; sees no
 * byte that a peer sent.
 */
#include "l2tpd/monitor/open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/log.h"
#include "base/priv_msg.h"
#include "l2tpd/monitor/tun_ipv6.h"

#define UDP_BUFFER_BYTES (8 * 1024 * 1024)
/* Packets that may wait in a queue of the TUN device. It has to hold what comes
 * while another process has our processor, a few milliseconds of small packets;
 * TCP does not fill it with super-segments. */
#define TUN_QUEUE 1000

static int
fail(int fd, const char *what, const char *step)
{
	int err = errno;

	log_msg(MSG_OPEN_FAILED, "what=%s step=%s why=\"%s\"", what, step,
	    strerror(err));
	if (fd >= 0)
		close(fd);
	return -err;
}

static socklen_t
listen_address(
    const struct adit_conf *c, uint16_t port, struct sockaddr_storage *ret)
{
	struct endpoint e = {.family = 4, .port = port};

	memcpy(e.addr, c->listen_ipv4, 4);
	return endpoint_to_sockaddr(&e, ret);
}

static void
big_buffers(int fd)
{
	const int bytes = UDP_BUFFER_BYTES;

	/* best effort: the FORCE forms need CAP_NET_ADMIN */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
}

size_t
open_workers(const struct adit_conf *c)
{
	cpu_set_t set;
	size_t n = 1;

	if (c->client.on)
		return 1;
	if (c->workers > 0)
		return c->workers;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = (size_t)CPU_COUNT(&set);
	return n < CONF_WORKERS_MAX ? n : CONF_WORKERS_MAX;
}

int
open_udp(const struct adit_conf *c, uint16_t port, bool shared)
{
	const int on = 1, pmtu = IP_PMTUDISC_DONT;
	struct sockaddr_storage ss;
	socklen_t ss_bytes;
	char what[24];
	int fd, rc;

	snprintf(what, sizeof(what), "udp/%u", port);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(-1, what, "socket");
	if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0)
		return fail(fd, what, "pktinfo");
	/* RFC 4301 8.1 leaves DF of the outer header to us: never set */
	if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &pmtu, sizeof(pmtu)) <
	    0)
		return fail(fd, what, "mtu-discover");
	if (shared &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return fail(fd, what, "reuseport");
	big_buffers(fd);
	ss_bytes = listen_address(c, c->client.any_port ? 0 : port, &ss);
	rc = bind(fd, (struct sockaddr *)&ss, ss_bytes);
	if (rc < 0 && c->client.on) {
		/* a server or another client has it: to the server we look
		 * as if behind a NAT (RFC 3947 4), which is fine */
		ss_bytes = listen_address(c, 0, &ss);
		rc = bind(fd, (struct sockaddr *)&ss, ss_bytes);
	}
	if (rc < 0)
		return fail(fd, what, "bind");
	return fd;
}

int
open_udp_blackhole(const struct adit_conf *c, uint16_t port)
{
	struct sock_filter drop_all[] = {{BPF_RET | BPF_K, 0, 0, 0}};
	const struct sock_fprog prog = {1, drop_all};
	int fd;

	fd = open_udp(c, port, false);
	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) <
		0)
		return fail(fd, "udp/1701", "filter");
	return fd;
}

int
open_udp_marked(const struct adit_conf *c, uint32_t mark)
{
	const int on = 1, pmtu = IP_PMTUDISC_DONT;
	struct sockaddr_storage ss;
	socklen_t ss_bytes;
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(-1, "udp/1701", "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		return fail(fd, "udp/1701", "mark");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &on, sizeof(on)) < 0)
		return fail(fd, "udp/1701", "receive-mark"); /* Linux 5.19 */
	if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &pmtu, sizeof(pmtu)) <
	    0)
		return fail(fd, "udp/1701", "mtu-discover");
	if (mark != 0)
		return fd; /* the engine binds it when it begins to read it */
	ss_bytes = listen_address(c, 1701, &ss);
	if (bind(fd, (struct sockaddr *)&ss, ss_bytes) < 0)
		return fail(fd, "udp/1701", "bind");
	return fd;
}

int
open_esp(const struct adit_conf *c)
{
	const int on = 1, pmtu = IP_PMTUDISC_DONT;
	struct sockaddr_storage ss;
	socklen_t ss_bytes;
	int fd;

	fd = socket(
	    AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ESP);
	if (fd < 0)
		return fail(-1, "raw-esp", "socket");
	if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &pmtu, sizeof(pmtu)) <
		0)
		return fail(fd, "raw-esp", "option");
	big_buffers(fd);
	ss_bytes = listen_address(c, 0, &ss);
	if (bind(fd, (struct sockaddr *)&ss, ss_bytes) < 0)
		return fail(fd, "raw-esp", "bind");
	return fd;
}

static int
tun_set_address(
    int ctl, struct ifreq *ifr, unsigned long request, const uint8_t address[4])
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	memcpy(&sin.sin_addr, address, 4);
	memcpy(&ifr->ifr_addr, &sin, sizeof(sin));
	return ioctl(ctl, request, ifr);
}

static int
tun_configure(const struct adit_conf *c)
{
	struct ifreq ifr;
	uint32_t bits;
	uint8_t mask[4];
	int ctl, rc = 0;
	size_t i;

	bits = c->pool_prefix_bits == 0
	    ? 0
	    : UINT32_MAX << (32 - c->pool_prefix_bits);
	for (i = 0; i < 4; i++)
		mask[i] = (uint8_t)(bits >> (24 - 8 * i));
	ctl = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ctl < 0)
		return -errno;
	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, c->tun_name, sizeof(c->tun_name));
	/* a client's address comes from its server: link.c */
	if (c->client.on)
		rc = 0;
	else if (tun_set_address(ctl, &ifr, SIOCSIFADDR, c->gateway) < 0 ||
	    tun_set_address(ctl, &ifr, SIOCSIFNETMASK, mask) < 0)
		rc = -errno;
	ifr.ifr_mtu = c->mru;
	if (rc == 0 && ioctl(ctl, SIOCSIFMTU, &ifr) < 0)
		rc = -errno;
	ifr.ifr_qlen = TUN_QUEUE;
	if (rc == 0 && ioctl(ctl, SIOCSIFTXQLEN, &ifr) < 0)
		rc = -errno;
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (rc == 0 && ioctl(ctl, SIOCSIFFLAGS, &ifr) < 0)
		rc = -errno;
	close(ctl);
	return rc;
}

int
open_tun(const struct adit_conf *c, bool many, bool first)
{
	struct ifreq ifr;
	int fd, rc;

	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fail(-1, "tun", "open-/dev/net/tun");
	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, c->tun_name, sizeof(c->tun_name));
	ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (!conf_is_kernel(c) && (c->tun_tcp_offload || c->tun_udp_offload))
		ifr.ifr_flags |= IFF_VNET_HDR;
	if (many)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return fail(fd, "tun", "create");
	rc = first ? tun_configure(c) : 0;
	if (rc < 0) {
		errno = -rc;
		return fail(fd, "tun", "configure");
	}
	rc = first && c->pool_bits6 > 0 && !c->client.on ? tun_ipv6_configure(c)
							 : 0;
	if (rc < 0) {
		errno = -rc;
		return fail(fd, "tun", "ipv6");
	}
	return fd;
}

static int
unix_address(
    const struct adit_conf *c, const char *name, struct sockaddr_un *ret)
{
	int n;

	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	n = snprintf(
	    ret->sun_path, sizeof(ret->sun_path), "%s/%s", c->run_dir, name);
	return n < (int)sizeof(ret->sun_path) ? 0 : -ENAMETOOLONG;
}

int
open_unix_listener(const struct adit_conf *c, const char *name, int type)
{
	struct sockaddr_un sun;
	mode_t old;
	int fd, rc;

	rc = unix_address(c, name, &sun);
	if (rc < 0) {
		errno = -rc;
		return fail(-1, name, "path");
	}
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(-1, name, "socket");
	unlink(sun.sun_path);
	old = umask(0177);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	if (rc < 0)
		return fail(fd, sun.sun_path, "bind");
	if (listen(fd, 16) < 0)
		return fail(fd, sun.sun_path, "listen");
	return fd;
}

int
connect_unix(const struct adit_conf *c, const char *name)
{
	struct sockaddr_un sun;
	int fd, rc;

	rc = unix_address(c, name, &sun);
	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int
open_file(const char *path, const char *what)
{
	int fd;

	if (path[0] == '\0')
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(-1, what, path);
	return fd;
}
