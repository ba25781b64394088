/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * l2tp.c: the kernel's L2TP tunnels and sessions, made through PPPoL2TP
 * sockets (linux/if_pppol2tp.h): connecting one with session 0 makes a tunnel
 * on a UDP socket of ours, another one is a session and at the same time the
 * channel that pppd attaches to. It takes no right. A tunnel ends when its UDP
 * socket is closed, a session when the last descriptor of its socket is.
 *
 * Frames that come before pppd has attached wait in the channel, so a session
 * is made before the client hears that its call was answered.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>
/* behind netinet/in.h, with which they share structures */
#include <linux/if_pppox.h>
#include <linux/ppp-ioctl.h>

#include "l2tpd/plane/kernel/kernel_int.h"

/* Has no module l2tp_ppp, or only of IPv4. */
static bool
is_lack(int rc)
{
	return rc == -EPROTONOSUPPORT || rc == -EAFNOSUPPORT || rc == -ENOTSUP;
}

static int
pppox_connect(int udp_fd, const struct endpoint *peer,
    const struct plane_session *s, bool tunnel)
{
	struct sockaddr_pppol2tp a;
	struct sockaddr_storage name;
	int fd, rc;

	if (endpoint_to_sockaddr(peer, &name) != sizeof(struct sockaddr_in))
		return -EAFNOSUPPORT;
	fd = socket(AF_PPPOX, SOCK_DGRAM | SOCK_CLOEXEC, PX_PROTO_OL2TP);
	if (fd < 0)
		return -errno;
	memset(&a, 0, sizeof(a));
	a.sa_family = AF_PPPOX;
	a.sa_protocol = PX_PROTO_OL2TP;
	a.pppol2tp.fd = udp_fd;
	memcpy(&a.pppol2tp.addr, &name, sizeof(a.pppol2tp.addr));
	a.pppol2tp.s_tunnel = s->local_tunnel_id;
	a.pppol2tp.d_tunnel = s->peer_tunnel_id;
	a.pppol2tp.s_session = tunnel ? 0 : s->local_session_id;
	a.pppol2tp.d_session = tunnel ? 0 : s->peer_session_id;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

bool
plane_kernel_shared_ports(const char *release)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	if (release == NULL && uname(&u) == 0)
		release = u.release;
	return release != NULL &&
	    sscanf(release, "%u.%u", &major, &minor) == 2 &&
	    (major > 6 || (major == 6 && minor >= 11));
}

static struct endpoint
peer_of(const struct kernel_tunnel *t)
{
	struct endpoint peer = t->assoc->peer;

	peer.port = t->peer_port;
	return peer;
}

static int
udp_connect(const struct kernel_tunnel *t)
{
	struct endpoint peer = peer_of(t);
	struct sockaddr_storage name;
	socklen_t n = endpoint_to_sockaddr(&peer, &name);

	return connect(t->udp.fd, (struct sockaddr *)&name, n) < 0 ? -errno : 0;
}

/* Does the kernel have another tunnel on the same addresses and ports? */
static bool
is_shared(const struct kernel_plane *p, const struct kernel_tunnel *t)
{
	const struct kernel_assoc *a;
	const struct kernel_tunnel *other;

	for (a = p->assocs; a != NULL; a = a->hh.next) {
		if (!endpoint_same_address(&a->peer, &t->assoc->peer) ||
		    !endpoint_same_address(&a->local, &t->assoc->local))
			continue;
		LIST_FOREACH (other, &a->tunnels, next)
			if (other != t && !other->slow &&
			    other->peer_port == t->peer_port)
				return true;
	}
	return false;
}

static int
tunnel_open(struct kernel_plane *p, struct kernel_tunnel *t,
    const struct plane_session *s)
{
	struct kernel_assoc *a = t->assoc;
	struct endpoint peer = peer_of(t);
	int fd = a->spare_fd, rc;

	if (t->slow)
		return 0;
	if (!p->cfg.shared_ports && is_shared(p, t)) {
		t->slow = true;
		return 0;
	}
	if (fd < 0)
		return -EAGAIN; /* the monitor is slow: the client tries anew */
	a->spare_fd = -1;
	kernel_want_sockets(p, a);
	rc = kernel_socket_bind(p, &t->udp, a, fd);
	if (rc == 0)
		rc = udp_connect(t);
	if (rc < 0)
		return rc;
	t->pppox_fd = pppox_connect(t->udp.fd, &peer, s, true);
	if (is_lack(t->pppox_fd)) {
		kernel_socket_close(&t->udp);
		t->slow = true;
		return 0;
	}
	return t->pppox_fd < 0 ? t->pppox_fd : 0;
}

int
kernel_tunnel_get(struct kernel_plane *p, struct kernel_assoc *a,
    const struct plane_session *s, bool slow, struct kernel_tunnel **ret)
{
	struct kernel_tunnel *t;
	int rc;

	LIST_FOREACH (t, &a->tunnels, next)
		if (t->local_id == s->local_tunnel_id) {
			t->sessions++;
			*ret = t;
			return 0;
		}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->assoc = a;
	t->local_id = s->local_tunnel_id;
	t->peer_id = s->peer_tunnel_id;
	t->peer_port = s->peer_port;
	t->udp.fd = t->pppox_fd = -1;
	t->slow = slow;
	t->sessions = 1;
	LIST_INSERT_HEAD(&a->tunnels, t, next);
	rc = tunnel_open(p, t, s);
	if (rc < 0) {
		kernel_tunnel_put(t);
		return rc;
	}
	*ret = t;
	return 0;
}

void
kernel_tunnel_put(struct kernel_tunnel *t)
{
	if (--t->sessions > 0)
		return;
	LIST_REMOVE(t, next);
	if (t->pppox_fd >= 0)
		close(t->pppox_fd);
	kernel_socket_close(&t->udp);
	free(t);
}

void
kernel_tunnel_move(struct kernel_tunnel *t)
{
	/* fails only without a route to the device: it will be lost then */
	if (!t->slow)
		(void)udp_connect(t);
}

int
kernel_session_socket(
    const struct kernel_tunnel *t, const struct plane_session *s)
{
	struct endpoint peer = peer_of(t);
	int fd;

	if (t->slow)
		return -ENOTSUP;
	fd = pppox_connect(t->udp.fd, &peer, s, false);
	return is_lack(fd) ? -ENOTSUP : fd;
}

/* The kernel counts PPP frames: their bytes are up to 4 more than those of the
 * IP packet inside. */
int
kernel_session_stats(struct kernel_session *s, struct plane_counters *ret)
{
	struct pppol2tp_ioc_stats st;

	memset(&st, 0, sizeof(st));
	if (ioctl(s->pppox_fd, PPPIOCGL2TPSTATS, &st) < 0)
		return -errno;
	ret->bytes_in = st.rx_bytes;
	ret->packets_in = st.rx_packets;
	ret->bytes_out = st.tx_bytes;
	ret->packets_out = st.tx_packets;
	return 0;
}
