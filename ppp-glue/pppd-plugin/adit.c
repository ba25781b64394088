/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit.c: the plugin of pppd (2.4.9 and 2.5) for a session of Adit: its entry,
 * its options and its channel, which is an L2TP session of the kernel. pppd
 * does PPP; every decision is the engine's, over a line (base/link_msg.h).
 * Owns the channel's descriptor. Trusts whoever started pppd: the options are
 * for root only. Parts:
 *
 *   line.c   records to and from the engine
 *   guard.c  what a packet passes before pppd's own code sees it
 *   ask.c    who may in, and with which addresses
 *   tell.c   what happens to the link; counters (stats.c)
 *
 * pppd is started with two descriptors: N is a connected PPPoL2TP socket, M one
 * end of a SOCK_SEQPACKET pair. Both must be inherited (no close-on-exec); the
 * plugin sets close-on-exec at once. The whole command line:
 *
 *   pppd plugin DIR/adit.so adit-channel N adit-line M nodetach nolog auth
 *     name adit require-mschap-v2 refuse-pap refuse-chap refuse-mschap
 *     refuse-mschap-v2 refuse-eap noccp 10.77.0.1: noipdefault nodefaultroute
 *     noproxyarp novj mtu 1400 mru 1400 lcp-echo-interval 30
 *     lcp-echo-failure 4 ip-up-script /bin/true ip-down-script /bin/true noipv6
 *
 * with exactly one of require-mschap-v2, require-chap and require-pap: of
 * several pppd asks for the weaker one first. The address before the colon is
 * any that is not 0; the verdict replaces it, but without one pppd looks for
 * the machine's name in the DNS. nodetach is needed: the process that goes
 * into the background is a child, and children lose the descriptors. /etc/ppp
 * should be an empty folder for it. What the plugin does not leave to the
 * command line: authenticating ourselves (never), compression (none), that
 * some authentication is required.
 */
#include "ppp-glue/pppd-plugin/pppd_compat.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ppp-glue/pppd-plugin/ask.h"
#include "ppp-glue/pppd-plugin/guard.h"
#include "ppp-glue/pppd-plugin/line.h"
#include "ppp-glue/pppd-plugin/tell.h"

#define EXPORTED __attribute__((visibility("default")))

void plugin_init(void);

/* pppd loads a plugin only when this is its own version. */
extern const char pppd_version[];
EXPORTED const char pppd_version[] = PPPD_VERSION;

static int channel_fd = -1;
static struct channel channel;

static int
take_channel(char **argv)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);
	int fd, flags;

	if (!ppp_int_option(*argv, &fd))
		return 0;
	if (channel_fd >= 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0 ||
	    a.ss_family != AF_PPPOX) {
		ppp_option_error("adit-channel %s: not a PPPoX socket", *argv);
		return 0;
	}
	flags = fcntl(fd, F_GETFD);
	if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) {
		ppp_option_error("adit-channel %s: %m", *argv);
		return 0;
	}
	channel_fd = fd;
	the_channel = &channel;
	ppp_set_modem(0);
	return 1;
}

static int
take_line(char **argv)
{
	int fd;

	if (!ppp_int_option(*argv, &fd))
		return 0;
	if (line_open(fd) < 0) {
		ppp_option_error(
		    "adit-line %s: not a sequenced packet socket", *argv);
		return 0;
	}
	tell_hello();
	return 1;
}

static option_t options[] = {
    {"adit-channel", o_special, (void *)&take_channel,
	"A connected PPPoL2TP socket", OPT_PRIV | OPT_INITONLY | OPT_NOPRINT},
    {"adit-line", o_special, (void *)&take_line, "The line to Adit's engine",
	OPT_PRIV | OPT_INITONLY | OPT_NOPRINT},
    {NULL},
};

/* Runs after all options were read and pppd has judged them. */
static void
channel_check_options(void)
{
	lcp_options *want = &lcp_wantoptions[0], *allow = &lcp_allowoptions[0];

	if (!line_is_up())
		fatal("adit: adit-line is missing, or the engine has left");
	want->neg_eap = 0;
	want->chap_mdtype &= MDTYPE_MICROSOFT_V2 | MDTYPE_MD5;
	if (want->chap_mdtype == MDTYPE_NONE)
		want->neg_chap = 0;
	if (!want->neg_chap && !want->neg_upap)
		fatal("adit: no authentication is required of the peer");
	/* L2TP has no bytes to escape, and compressed headers would save three
	 * bytes of a packet and make more forms of it to be parsed */
	want->neg_asyncmap = 0;
	allow->neg_asyncmap = 0;
	want->neg_pcompression = 0;
	allow->neg_pcompression = 0;
	want->neg_accompression = 0;
	allow->neg_accompression = 0;
	want->neg_mrru = 0;
	allow->neg_mrru = 0;
	ipcp_wantoptions[0].neg_vj = 0;
	ipcp_allowoptions[0].neg_vj = 0;
	ccp_protent.enabled_flag = 0;
}

/* Once: a session that has ended is not dialled again. */
static int
channel_connect(void)
{
	return channel_fd;
}

static void
channel_disconnect(void)
{
	if (channel_fd >= 0)
		close(channel_fd);
	channel_fd = -1;
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* mtu: the peer's MRU, whatever it asked for; ours limit it. */
static void
channel_send_config(int mtu, uint32_t accm, int pcomp, int accomp)
{
	(void)accm;
	(void)pcomp;
	(void)accomp;
	mtu = least(mtu, lcp_allowoptions[0].mru); /* option mtu */
	mtu = least(mtu, lcp_wantoptions[0].mru);
	tell_mtu(mtu);
	ppp_set_mtu(ppp_ifunit(), mtu);
}

static void
channel_recv_config(int mru, uint32_t accm, int pcomp, int accomp)
{
	(void)mru;
	(void)accm;
	(void)pcomp;
	(void)accomp;
}

/* In children that run a script. */
static void
on_fork(void *unused, int arg)
{
	(void)unused;
	(void)arg;
	channel_disconnect();
	line_close();
}

static struct channel channel = {
    .options = options,
    .check_options = channel_check_options,
    .connect = channel_connect,
    .disconnect = channel_disconnect,
    .establish_ppp = ppp_generic_establish,
    .disestablish_ppp = ppp_generic_disestablish,
    .send_config = channel_send_config,
    .recv_config = channel_recv_config,
    .close = channel_disconnect,
};

EXPORTED void
plugin_init(void)
{
	ppp_add_options(options);
	guard_init();
	ask_init();
	tell_init();
	ppp_add_notify(NF_FORK, on_fork, NULL);
}
