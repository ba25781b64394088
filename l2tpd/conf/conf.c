/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf.c: adit.conf. One table says for every key its section, type, range and
 * place in struct adit_conf; libconfuse parses the syntax. A value is checked
 * while its line is read, so that an error names file and line; relations
 * between values are checked at the end (conf_validate()).
 *
 * Trusts: the file is root's. Its content may still be nonsense: everything is
 * range-checked, and every complaint says what to do.
 */
#include "l2tpd/conf/conf.h"

#include <arpa/inet.h>
#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/imsg.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum kind {
	KIND_BOOL,
	KIND_U16,
	KIND_U32,
	KIND_TEXT,         /* any text without control characters */
	KIND_PATH,         /* absolute, or empty: none */
	KIND_IPV4,         /* one address */
	KIND_IPV4X2,       /* list of at most two addresses */
	KIND_IPV6X2,       /* the same for IPv6 */
	KIND_NETWORK6,     /* prefix/bits into pool_net6 and pool_bits6 */
	KIND_NETWORK,      /* a.b.c.d/bits into pool_net and pool_prefix_bits */
	KIND_ROUTES,       /* list of a.b.c.d/bits into client.routes */
	KIND_PLANE,        /* a word for enum conf_plane */
	KIND_GROUP_ROUTES, /* list of a.b.c.d/bits into group_routes */
	KIND_DOMAINS,      /* list of domain names into domain_texts */
};

struct key {
	const char *section, *name;
	enum kind kind;
	size_t offset; /* in struct adit_conf; of groups: in theirs */
	long min, max; /* numbers; texts: max is the room in bytes */
};

#define AT(field)       offsetof(struct adit_conf, field)
#define IN_GROUP(field) offsetof(struct conf_group, field)
#define ROOM(field)     ((long)sizeof(((struct adit_conf *)0)->field))
#define TEXT(field)     AT(field), 0, ROOM(field)

/* clang-format off */
static const struct key keys[] = {
	{ "client", "server", KIND_IPV4, AT(client.server), 0, 0 },
	{ "client", "server-name", KIND_TEXT, TEXT(client.server_name) },
	{ "client", "user", KIND_TEXT, TEXT(client.user) },
	{ "client", "password-file", KIND_PATH, TEXT(client.password_file) },
	{ "client", "esp", KIND_TEXT, TEXT(client.esp) },
	{ "client", "routes", KIND_ROUTES, AT(client.routes), 0, 32 },
	{ "client", "no-dns", KIND_BOOL, AT(client.no_dns), 0, 0 },
	{ "client", "once", KIND_BOOL, AT(client.once), 0, 0 },
	{ "client", "any-port", KIND_BOOL, AT(client.any_port), 0, 0 },
	{ "client", "no-encap", KIND_BOOL, AT(client.no_encap), 0, 0 },
	{ "server", "address", KIND_TEXT, TEXT(address) },
	{ "server", "listen", KIND_IPV4, AT(listen_ipv4), 0, 0 },
	{ "server", "plane", KIND_PLANE, AT(plane), 0, 0 },
	{ "server", "outer-mtu", KIND_U16, AT(outer_mtu), 576, 9000 },
	{ "ipsec", "legacy-clients", KIND_BOOL, AT(legacy_clients), 0, 0 },
	{ "ipsec", "dpd-delay", KIND_U32, AT(dpd_delay_s), 0, 3600 },
	{ "ipsec", "psk-file", KIND_PATH, TEXT(psk_file) },
	{ "ipsec", "ca-file", KIND_PATH, TEXT(ca_file) },
	{ "ipsec", "crl-file", KIND_PATH, TEXT(crl_file) },
	{ "ipsec", "certificate-file", KIND_PATH, TEXT(certificate_file) },
	{ "ipsec", "key-file", KIND_PATH, TEXT(key_file) },
	{ "l2tp", "hello-interval", KIND_U32, AT(hello_interval_s), 5, 3600 },
	{ "l2tp", "max-tunnels", KIND_U16, AT(max_tunnels), 1, 65535 },
	{ "l2tp", "max-tunnels-per-association", KIND_U16,
	    AT(max_tunnels_per_association), 1, 64 },
	{ "ppp", "allow-pap", KIND_BOOL, AT(allow_pap), 0, 0 },
	{ "ppp", "allow-chap-md5", KIND_BOOL, AT(allow_chap_md5), 0, 0 },
	{ "ppp", "mru", KIND_U16, AT(mru), 576, 1500 },
	{ "ppp", "echo-interval", KIND_U32, AT(echo_interval_s), 0, 3600 },
	{ "ppp", "echo-failures", KIND_U32, AT(echo_failures), 1, 100 },
	{ "ppp", "dns", KIND_IPV4X2, AT(groups[0].ipv4_dns), 0, 0 },
	{ "ppp", "routes", KIND_GROUP_ROUTES, 0, 1, 32 },
	{ "ppp", "domains", KIND_DOMAINS, 0, 0, 0 },
	{ "ppp", "dns6", KIND_IPV6X2, AT(ipv6_dns), 0, 0 },
	{ "ppp", "nbns", KIND_IPV4X2, AT(ipv4_nbns), 0, 0 },
	{ "group", "dns", KIND_IPV4X2, IN_GROUP(ipv4_dns), 0, 0 },
	{ "group", "routes", KIND_GROUP_ROUTES, 0, 1, 32 },
	{ "group", "domains", KIND_DOMAINS, 0, 0, 0 },
	{ "group", "plane", KIND_PLANE, IN_GROUP(plane), 0, 0 },
	{ "pool", "network", KIND_NETWORK, AT(pool_net), 8, 30 },
	{ "pool", "network6", KIND_NETWORK6, AT(pool_net6), 16, 62 },
	{ "pool", "gateway", KIND_IPV4, AT(gateway), 0, 0 },
	{ "pool", "first", KIND_IPV4, AT(pool_first), 0, 0 },
	{ "pool", "last", KIND_IPV4, AT(pool_last), 0, 0 },
	{ "pool", "sessions-per-user", KIND_U16, AT(sessions_per_user),
	    0, 65535 },
	{ "plane", "workers", KIND_U16, AT(workers), 0, CONF_WORKERS_MAX },
	{ "plane", "tun-tcp-offload", KIND_BOOL, AT(tun_tcp_offload), 0, 0 },
	{ "plane", "tun-udp-offload", KIND_BOOL, AT(tun_udp_offload), 0, 0 },
	{ "plane", "udp-gso", KIND_BOOL, AT(udp_gso), 0, 0 },
	{ "plane", "udp-gro", KIND_BOOL, AT(udp_gro), 0, 0 },
	{ "plane", "copy-dscp", KIND_BOOL, AT(copy_dscp), 0, 0 },
	{ "kernel", "mark-mask", KIND_U32, AT(mark_mask), 0xff, 0xffffffff },
	{ "kernel", "pppd", KIND_PATH, TEXT(pppd) },
	{ "kernel", "pppd-plugin", KIND_PATH, TEXT(pppd_plugin) },
	{ "process", "run-dir", KIND_PATH, TEXT(run_dir) },
	{ "process", "state-dir", KIND_PATH, TEXT(state_dir) },
	{ "process", "tun-name", KIND_TEXT, TEXT(tun_name) },
	{ "process", "engine-user", KIND_TEXT, TEXT(engine_user) },
	{ "process", "authority-user", KIND_TEXT, TEXT(authority_user) },
};
/* clang-format on */

static const char *const sections[] = {"client", "server", "ipsec", "l2tp",
    "ppp", "group", "pool", "plane", "kernel", "process"};

_Static_assert(sizeof(struct adit_conf) <= IMSG_PAYLOAD_MAX,
    "it goes to the children in one message");

static char why_buffer[512];

static int fail(const char **ret_why, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
fail(const char **ret_why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why_buffer, sizeof(why_buffer), fmt, ap);
	va_end(ap);
	*ret_why = why_buffer;
	return -EINVAL;
}

static void
ip_bytes(uint32_t n, uint8_t ret[4])
{
	for (int i = 0; i < 4; i++)
		ret[i] = (uint8_t)(n >> (24 - 8 * i));
}

/* Addresses that follow from the network when nothing else is said: the
 * gateway is its first host, the clients get all others. */
static void
derive_pool(struct adit_conf *c, bool gateway, bool first, bool last)
{
	uint32_t net = ipv4_number(c->pool_net);
	uint32_t mask = ipv4_mask(c->pool_prefix_bits);

	if (gateway)
		ip_bytes(net + 1, c->gateway);
	if (first)
		ip_bytes(ipv4_number(c->gateway) == net + 1 ? net + 2 : net + 1,
		    c->pool_first);
	if (last)
		ip_bytes((net | ~mask) - 1, c->pool_last);
}

void
conf_defaults(struct adit_conf *c)
{
	memset(c, 0, sizeof(*c));
	c->group_count = 1;
	c->dpd_delay_s = 30;
	c->hello_interval_s = 60; /* accepted by every client */
	c->max_tunnels = 10000;
	c->max_tunnels_per_association = 4;
	c->mru = 1400; /* what Windows asks for; fits ESP in UDP in 1500 */
	c->echo_interval_s = 30;
	c->echo_failures = 4;
	c->outer_mtu = 1500;
	c->mark_mask = 0x0fffffff; /* charon counts from 1 */
	c->tun_tcp_offload = c->tun_udp_offload = true;
	c->udp_gso = c->udp_gro = true;
	inet_pton(AF_INET, "10.77.0.0", c->pool_net);
	c->pool_prefix_bits = 20;
	derive_pool(c, true, true, true);
#define SET(field, text) snprintf(c->field, sizeof(c->field), "%s", text)
	SET(psk_file, ADIT_SYSCONFDIR "/psk");
	SET(ca_file, ADIT_SYSCONFDIR "/ca.crt");
	SET(crl_file, ADIT_SYSCONFDIR "/ca.crl");
	SET(certificate_file, ADIT_SYSCONFDIR "/server.crt");
	SET(key_file, ADIT_SYSCONFDIR "/server.key");
	SET(pppd, "/usr/sbin/pppd");
	SET(pppd_plugin, ADIT_PPPD_PLUGIN);
	SET(run_dir, "/run/adit");
	SET(state_dir, ADIT_STATEDIR);
	SET(tun_name, "adit0");
	SET(engine_user, "adit");
	SET(authority_user, "adit-auth");
#undef SET
}

/* ---- one value: text or number to its place; why is NULL when good ---- */

static const char *
take_number(const struct key *k, long v, void *place, char *buf, size_t n)
{
	if (v < k->min || v > k->max) {
		snprintf(buf, n, "%ld is out of range: give %ld to %ld", v,
		    k->min, k->max);
		return buf;
	}
	/* EXCEPTION(rule 6): a field of struct adit_conf, not packet bytes */
	if (k->kind == KIND_U16)
		*(uint16_t *)place = (uint16_t)v;
	else
		*(uint32_t *)place = (uint32_t)v;
	return NULL;
}

static const char *
take_text(const struct key *k, const char *v, char *place, char *buf, size_t n)
{
	size_t len = strlen(v);

	if (len >= (size_t)k->max) {
		snprintf(
		    buf, n, "too long: at most %ld characters", k->max - 1);
		return buf;
	}
	/* an empty file name says that there is none */
	if (k->kind == KIND_PATH && v[0] != '/' &&
	    (len > 0 || !strstr(k->name, "-file")))
		return "not an absolute path: it must start with /";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)v[i] <= ' ' || v[i] == 0x7f)
			return "blanks and control characters are not "
			       "possible here";
	memcpy(place, v, len + 1);
	return NULL;
}

static const char *
take_plane(const char *v, uint16_t *ret)
{
	static const char *const words[] = {[CONF_PLANE_AUTO] = "auto",
	    [CONF_PLANE_USER] = "user",
	    [CONF_PLANE_KERNEL] = "kernel"};

	for (size_t i = 0; i < COUNT(words); i++)
		if (!strcmp(v, words[i])) {
			*ret = (uint16_t)i;
			return NULL;
		}
	return "no such plane: give auto, user or kernel";
}

static const char *
take_ipv4(const char *v, uint8_t *place)
{
	struct in_addr a;

	if (inet_pton(AF_INET, v, &a) != 1)
		return "not an IPv4 address: write it like \"192.0.2.1\"";
	memcpy(place, &a, 4);
	return NULL;
}

const char *
conf_parse_network(const char *v, long min, long max, struct ipv4_network *ret)
{
	static const char help[] =
	    "not a network: write it like \"10.77.0.0/20\", with 8 to 30 "
	    "bits (a route: 0 to 32)";
	char text[INET_ADDRSTRLEN], *end;
	const char *slash = strchr(v, '/');
	struct in_addr a;
	uint8_t net[4];
	long bits;

	if (!slash || (size_t)(slash - v) >= sizeof(text))
		return help;
	memcpy(text, v, (size_t)(slash - v));
	text[slash - v] = '\0';
	errno = 0;
	bits = strtol(slash + 1, &end, 10);
	if (inet_pton(AF_INET, text, &a) != 1 || !*(slash + 1) || *end ||
	    errno || bits < min || bits > max)
		return help;
	memcpy(net, &a, 4);
	if (ipv4_number(net) & ~ipv4_mask((uint8_t)bits))
		return "host bits are set: give the network's first address";
	memcpy(ret->net, net, 4);
	ret->bits = (uint8_t)bits;
	return NULL;
}

static const char *
take_network(const struct key *k, const char *v, struct adit_conf *c)
{
	struct ipv4_network n;
	const char *why = conf_parse_network(v, k->min, k->max, &n);

	if (why)
		return why;
	memcpy(c->pool_net, n.net, 4);
	c->pool_prefix_bits = n.bits;
	return NULL;
}

static const char *
take_ipv6x2(cfg_opt_t *opt, uint8_t (*ret)[16])
{
	unsigned int n = cfg_opt_size(opt);

	if (n > 2)
		return "at most two addresses";
	memset(ret, 0, 2 * sizeof(ret[0]));
	for (unsigned int i = 0; i < n; i++)
		if (inet_pton(AF_INET6, cfg_opt_getnstr(opt, i), ret[i]) != 1)
			return "not an IPv6 address: write it like "
			       "\"2001:db8::53\"";
	return NULL;
}

static const char *
take_network6(const struct key *k, const char *v, struct adit_conf *c)
{
	static const char help[] = "not a network: write it like "
				   "\"2001:db8:1::/48\", with 16 to 62 bits";
	char text[INET6_ADDRSTRLEN], *end;
	const char *slash = strchr(v, '/');
	uint8_t a[16];
	long bits;

	if (!slash || (size_t)(slash - v) >= sizeof(text))
		return help;
	memcpy(text, v, (size_t)(slash - v));
	text[slash - v] = '\0';
	errno = 0;
	bits = strtol(slash + 1, &end, 10);
	if (inet_pton(AF_INET6, text, a) != 1 || !*(slash + 1) || *end ||
	    errno || bits < k->min || bits > k->max)
		return help;
	for (long i = bits; i < 128; i++)
		if (a[i / 8] & 0x80 >> i % 8)
			return "host bits are set: give the network's first "
			       "address";
	/* RFC 4291 2.4: unicast, and not link-local; RFC 4193 */
	if ((a[0] & 0xe0) != 0x20 && (a[0] & 0xfe) != 0xfc)
		return "not a network that hosts can have: give one of 2000::/3 "
		       "or of fc00::/7";
	memcpy(c->pool_net6, a, sizeof(c->pool_net6));
	c->pool_bits6 = (uint8_t)bits;
	return NULL;
}

static const char *
take_routes(const struct key *k, cfg_opt_t *opt, struct conf_client *c)
{
	unsigned int n = cfg_opt_size(opt);
	const char *why = NULL;

	if (n > CONF_ROUTES_MAX)
		return "too many routes: at most 64";
	for (unsigned int i = 0; i < n && !why; i++)
		why = conf_parse_network(
		    cfg_opt_getnstr(opt, i), k->min, k->max, &c->routes[i]);
	c->route_count = (uint16_t)n;
	return why;
}

static const char *
take_group_routes(const struct key *k, cfg_opt_t *opt, struct adit_conf *c,
    struct conf_group *g)
{
	unsigned int n = cfg_opt_size(opt);
	const char *why = NULL;

	if (n > CONF_ROUTES_MAX)
		return "too many routes: at most 64";
	if (n > (unsigned int)(CONF_GROUP_ROUTES_MAX - c->group_route_count))
		return "too many routes of all groups together: at most 512; "
		       "join neighbours, or leave out those that ppp has";
	g->route_first = c->group_route_count;
	g->route_count = (uint16_t)n;
	for (unsigned int i = 0; i < n && !why; i++)
		why = conf_parse_network(cfg_opt_getnstr(opt, i), k->min,
		    k->max, &c->group_routes[c->group_route_count++]);
	return why;
}

/* RFC 1035 2.3.1, with the underscore that is in use. */
static bool
is_domain(const char *v)
{
	size_t label = 0, i;

	for (i = 0; v[i]; i++) {
		if (v[i] == '.' ? label == 0
				: !strchr("abcdefghijklmnopqrstuvwxyz"
					  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789-_",
				      v[i]))
			return false;
		label = v[i] == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0 && i <= 250;
}

static const char *
take_domains(cfg_opt_t *opt, struct adit_conf *c, struct conf_group *g)
{
	unsigned int n = cfg_opt_size(opt);
	const char *v;
	size_t len;

	if (n > CONF_DOMAINS_MAX)
		return "too many domains: at most 8";
	g->domain_first = c->domain_bytes;
	g->domain_count = (uint16_t)n;
	for (unsigned int i = 0; i < n; i++) {
		v = cfg_opt_getnstr(opt, i);
		len = strlen(v) + 1;
		if (!is_domain(v))
			return "not a domain: write it like "
			       "\"corp.example.com\"";
		if (len > sizeof(c->domain_texts) - c->domain_bytes)
			return "too much text in the domains of all groups: "
			       "at most 4096 characters";
		memcpy(c->domain_texts + c->domain_bytes, v, len);
		c->domain_bytes = (uint16_t)(c->domain_bytes + len);
	}
	return NULL;
}

/* The value(s) of opt into c, or into its group g. NULL, or why not. */
static const char *
take(const struct key *k, cfg_opt_t *opt, struct adit_conf *c,
    struct conf_group *g, char *buf, size_t buf_bytes)
{
	void *place = (g != &c->groups[0] ? (char *)g : (char *)c) + k->offset;
	unsigned int n = cfg_opt_size(opt);
	const char *why = NULL;

	switch (k->kind) {
	case KIND_BOOL:
		*(bool *)place = cfg_opt_getnbool(opt, 0) == cfg_true;
		return NULL;
	case KIND_U16:
	case KIND_U32:
		return take_number(
		    k, cfg_opt_getnint(opt, 0), place, buf, buf_bytes);
	case KIND_TEXT:
	case KIND_PATH:
		return take_text(
		    k, cfg_opt_getnstr(opt, 0), place, buf, buf_bytes);
	case KIND_IPV4:
		return take_ipv4(cfg_opt_getnstr(opt, 0), place);
	case KIND_IPV4X2:
		if (n > 2)
			return "at most two addresses, as PPP can carry two";
		memset(place, 0, 8);
		for (unsigned int i = 0; i < n && !why; i++)
			why = take_ipv4(cfg_opt_getnstr(opt, i),
			    (uint8_t *)place + (size_t)4 * i);
		return why;
	case KIND_IPV6X2:
		return take_ipv6x2(opt, c->ipv6_dns);
	case KIND_NETWORK6:
		return take_network6(k, cfg_opt_getnstr(opt, 0), c);
	case KIND_NETWORK:
		return take_network(k, cfg_opt_getnstr(opt, 0), c);
	case KIND_ROUTES:
		return take_routes(k, opt, &c->client);
	case KIND_PLANE:
		/* EXCEPTION(rule 6): a field of struct adit_conf */
		return take_plane(cfg_opt_getnstr(opt, 0), (uint16_t *)place);
	case KIND_GROUP_ROUTES:
		return take_group_routes(k, opt, c, g);
	case KIND_DOMAINS:
		return take_domains(opt, c, g);
	}
	return "internal error: no such kind of key";
}

/* ---- libconfuse ---- */

static const struct key *
key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if (!strcmp(keys[i].section, section) &&
		    !strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

/* Called by libconfuse when a value was read: the line is known here. */
static int
validate_cb(cfg_t *cfg, cfg_opt_t *opt)
{
	struct adit_conf scratch;
	const struct key *k = key_find(cfg_name(cfg), cfg_opt_name(opt));
	char buf[128];
	const char *why;

	if (!k)
		return 0;
	conf_defaults(&scratch);
	why = take(k, opt, &scratch, &scratch.groups[cfg_title(cfg) ? 1 : 0],
	    buf, sizeof(buf));
	if (why) {
		cfg_error(cfg, "%s: %s", k->name, why);
		return -1;
	}
	return 0;
}

/* The same when the section of a group was read. */
static int
validate_group_cb(cfg_t *cfg, cfg_opt_t *opt)
{
	unsigned int n = cfg_opt_size(opt);
	const char *name = cfg_title(cfg_opt_getnsec(opt, n - 1));
	size_t len = strlen(name);

	if (n > CONF_GROUPS_MAX)
		cfg_error(cfg, "group %s: too many groups: at most %d", name,
		    CONF_GROUPS_MAX);
	else if (len == 0 || len >= CONF_GROUP_NAME_MAX)
		cfg_error(cfg, "group: give a name of 1 to %d bytes",
		    CONF_GROUP_NAME_MAX - 1);
	else if (name[0] == ' ' || name[len - 1] == ' ' ||
	    strpbrk(name, ",\"\\\n\r\t"))
		cfg_error(cfg,
		    "group %s: no user can be in a group of this name; leave "
		    "out commas, quotes and blanks at the ends",
		    name);
	else
		return 0;
	return -1;
}

/* The first complaint is the one that helps. */
static void
error_cb(cfg_t *cfg, const char *fmt, va_list ap)
{
	int n;

	if (why_buffer[0])
		return;
	n = snprintf(why_buffer, sizeof(why_buffer),
	    "%s:%d: ", cfg && cfg->filename ? cfg->filename : "adit.conf",
	    cfg ? cfg->line : 0);
	if (n > 0 && (size_t)n < sizeof(why_buffer))
		vsnprintf(
		    why_buffer + n, sizeof(why_buffer) - (size_t)n, fmt, ap);
	if (strstr(why_buffer, "no such option")) {
		n = (int)strlen(why_buffer);
		snprintf(why_buffer + n, sizeof(why_buffer) - (size_t)n,
		    ": see adit.conf(5) for the names that exist");
	}
}

static cfg_opt_t
make_opt(const struct key *k)
{
	cfg_opt_t o_int =
	    CFG_INT((char *)(uintptr_t)k->name, 0, CFGF_NODEFAULT);
	cfg_opt_t o_bool =
	    CFG_BOOL((char *)(uintptr_t)k->name, cfg_false, CFGF_NODEFAULT);
	cfg_opt_t o_str =
	    CFG_STR((char *)(uintptr_t)k->name, 0, CFGF_NODEFAULT);
	cfg_opt_t o_list =
	    CFG_STR_LIST((char *)(uintptr_t)k->name, 0, CFGF_NODEFAULT);

	switch (k->kind) {
	case KIND_BOOL:
		return o_bool;
	case KIND_U16:
	case KIND_U32:
		return o_int;
	case KIND_IPV4X2:
	case KIND_IPV6X2:
	case KIND_ROUTES:
	case KIND_GROUP_ROUTES:
	case KIND_DOMAINS:
		return o_list;
	default:
		return o_str;
	}
}

/* libconfuse copies the option arrays, so they may live on the stack. */
static cfg_t *
make_cfg(void)
{
	cfg_opt_t inner[COUNT(sections)][COUNT(keys) + 1];
	cfg_opt_t outer[COUNT(sections) + 1], end = CFG_END();
	char name[64];
	cfg_t *cfg;

	for (size_t s = 0; s < COUNT(sections); s++) {
		size_t n = 0;
		for (size_t i = 0; i < COUNT(keys); i++)
			if (!strcmp(keys[i].section, sections[s]))
				inner[s][n++] = make_opt(&keys[i]);
		inner[s][n] = end;
		outer[s] =
		    (cfg_opt_t)CFG_SEC((char *)(uintptr_t)sections[s], inner[s],
			strcmp(sections[s], "group")
			    ? CFGF_NONE
			    : CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	}
	outer[COUNT(sections)] = end;
	cfg = cfg_init(outer, CFGF_NONE);
	if (!cfg)
		return NULL;
	cfg_set_error_function(cfg, error_cb);
	for (size_t i = 0; i < COUNT(keys); i++) {
		snprintf(
		    name, sizeof(name), "%s|%s", keys[i].section, keys[i].name);
		cfg_set_validate_func(cfg, name, validate_cb);
	}
	cfg_set_validate_func(cfg, "group", validate_group_cb);
	return cfg;
}

/* An empty list is a value, too. */
static bool
given(cfg_t *sec, const char *name)
{
	cfg_opt_t *opt = sec ? cfg_getopt(sec, name) : NULL;

	return opt &&
	    (cfg_opt_size(opt) > 0 ||
		(opt->flags & (CFGF_LIST | CFGF_MODIFIED)) ==
		    (CFGF_LIST | CFGF_MODIFIED));
}

/* All of a section, into c or its group g. 0, or why not all fits. */
static int
collect_section(cfg_t *sec, struct adit_conf *c, struct conf_group *g,
    const char *path, const char **ret_why)
{
	const char *why = NULL;
	char buf[128];

	for (size_t i = 0; i < COUNT(keys) && !why; i++)
		if (!strcmp(keys[i].section, cfg_name(sec)) &&
		    given(sec, keys[i].name))
			why = take(&keys[i], cfg_getopt(sec, keys[i].name), c,
			    g, buf, sizeof(buf));
	if (!why)
		return 0;
	return fail(ret_why, "%s:%d: %s %s: %s", path, sec->line, cfg_name(sec),
	    g->name, why);
}

/* What a group does not say is said by ppp. */
static int
collect_groups(
    cfg_t *cfg, struct adit_conf *c, const char *path, const char **ret_why)
{
	struct conf_group *g;
	cfg_t *sec;
	int err = 0;

	for (unsigned int i = 0; i < cfg_size(cfg, "group") && !err; i++) {
		sec = cfg_getnsec(cfg, "group", i);
		g = &c->groups[c->group_count++];
		*g = c->groups[0];
		g->plane = CONF_PLANE_AUTO;
		snprintf(g->name, sizeof(g->name), "%s", cfg_title(sec));
		err = collect_section(sec, c, g, path, ret_why);
	}
	return err;
}

static int
collect(cfg_t *cfg, struct adit_conf *c, const char *path, const char **ret_why)
{
	cfg_t *pool = cfg_getsec(cfg, "pool");
	int err = 0;

	for (size_t s = 0; s < COUNT(sections) && !err; s++)
		err = strcmp(sections[s], "group")
		    ? collect_section(cfg_getsec(cfg, sections[s]), c,
			  &c->groups[0], path, ret_why)
		    : collect_groups(cfg, c, path, ret_why);
	c->client.on = given(cfg_getsec(cfg, "client"), "server");
	if (given(pool, "network") || given(pool, "gateway"))
		derive_pool(c, !given(pool, "gateway"), !given(pool, "first"),
		    !given(pool, "last"));
	return err;
}

int
conf_load(const char *path, struct adit_conf *ret, const char **ret_why)
{
	struct adit_conf c;
	cfg_t *cfg;
	int err = 0;

	if (access(path, R_OK) < 0) {
		err = errno == ENOENT ? -ENOENT : -EINVAL;
		fail(ret_why, "%s: %s: %s", path, strerror(errno),
		    err == -ENOENT ? "make it with adit setup --address HOST"
				   : "run this as root");
		return err;
	}
	conf_defaults(&c);
	why_buffer[0] = '\0';
	*ret_why = why_buffer;
	cfg = make_cfg();
	if (!cfg)
		return fail(ret_why, "%s: out of memory", path);
	if (cfg_parse(cfg, path) != CFG_SUCCESS) {
		if (!why_buffer[0])
			fail(ret_why, "%s: cannot be read", path);
		err = -EINVAL;
	} else {
		err = collect(cfg, &c, path, ret_why);
	}
	cfg_free(cfg);
	if (err)
		return err;
	err = conf_validate(&c, ret_why);
	if (err) {
		char copy[sizeof(why_buffer) - 128];
		snprintf(copy, sizeof(copy), "%s", *ret_why);
		return fail(ret_why, "%.120s: %s", path, copy);
	}
	*ret = c;
	return 0;
}

/* ---- relations ---- */

size_t
conf_group_of(const struct adit_conf *c, const char *names)
{
	size_t n;

	for (; *names; names += n) {
		names += strspn(names, ", ");
		n = strcspn(names, ",");
		for (size_t i = 1; i < c->group_count; i++)
			if (strlen(c->groups[i].name) == n &&
			    !memcmp(c->groups[i].name, names, n))
				return i;
	}
	return 0;
}

bool
conf_is_kernel(const struct adit_conf *c)
{
	return c->plane == CONF_PLANE_KERNEL && !c->client.on;
}

bool
conf_is_inside(const struct adit_conf *c, const uint8_t a[4])
{
	return (ipv4_number(a) & ipv4_mask(c->pool_prefix_bits)) ==
	    ipv4_number(c->pool_net);
}

static bool
host_of(const struct adit_conf *c, uint32_t ip)
{
	uint32_t mask = ipv4_mask(c->pool_prefix_bits);
	uint32_t net = ipv4_number(c->pool_net);

	return (ip & mask) == net && ip != net && ip != (net | ~mask);
}

bool
conf_is_client(const struct adit_conf *c, const uint8_t a[4])
{
	return host_of(c, ipv4_number(a)) && memcmp(a, c->gateway, 4) != 0;
}

bool
conf_prefix_of(const struct adit_conf *c, const uint8_t ipv4[4], uint8_t ret[8])
{
	uint32_t place = ipv4_number(ipv4) - ipv4_number(c->pool_net);

	if (c->pool_bits6 == 0 || !conf_is_inside(c, ipv4))
		return false;
	for (int i = 0; i < 8; i++)
		ret[i] = c->pool_net6[i];
	for (int i = 0; i < 4; i++)
		ret[4 + i] |= (uint8_t)(place >> (24 - 8 * i));
	return true;
}

/* Classes of addresses that no host can have. */
static bool
unusable(const uint8_t a[4])
{
	return a[0] == 0 || a[0] == 127 || a[0] >= 224;
}

static int
validate_client(const struct conf_client *c, const char **ret_why)
{
	if (unusable(c->server))
		return fail(ret_why,
		    "client server: no host has this address; give the "
		    "server's IPv4 address");
	if (!c->user[0] || !c->password_file[0])
		return fail(ret_why,
		    "client: give user and password-file as well as server");
	return 0;
}

static int
validate_ipv6(const struct adit_conf *c, const char **ret_why)
{
	int most = 32 + c->pool_prefix_bits; /* 64 less the pool's own bits */

	if (c->pool_bits6 == 0)
		return 0;
	if (c->pool_bits6 > most)
		return fail(ret_why,
		    "pool network6: too small for a /64 for each address of "
		    "network: give one with %d bits or less, or a smaller "
		    "network",
		    most);
	if (c->mru < 1280)
		return fail(
		    ret_why, "ppp mru: IPv6 (pool network6) needs 1280 bytes");
	return 0;
}

static const char unreachable[] =
    "a client cannot reach such an address (127.0.0.1 would be the client "
    "itself); give one that it reaches through the tunnel";

static bool
has_unusable(const uint8_t a[2][4])
{
	static const uint8_t none[4];

	for (int i = 0; i < 2; i++)
		if (memcmp(a[i], none, 4) && unusable(a[i]))
			return true;
	return false;
}

int
conf_validate(const struct adit_conf *c, const char **ret_why)
{
	uint32_t first = ipv4_number(c->pool_first);
	uint32_t last = ipv4_number(c->pool_last);

	if (c->client.on && validate_client(&c->client, ret_why) < 0)
		return -EINVAL;
	if (c->pool_prefix_bits < 8 || c->pool_prefix_bits > 30 ||
	    unusable(c->pool_net))
		return fail(ret_why,
		    "pool network: not a network that hosts can have; "
		    "choose a private one like \"10.77.0.0/20\"");
	if (!host_of(c, ipv4_number(c->gateway)))
		return fail(ret_why,
		    "pool gateway: not a host address inside pool network; "
		    "leave it out to get the first one");
	if (!host_of(c, first) || !host_of(c, last))
		return fail(ret_why,
		    "pool first and last: not host addresses inside pool "
		    "network; leave them out to use all of it");
	if (first > last)
		return fail(ret_why,
		    "pool first is higher than pool last: exchange them");
	if (first == last && first == ipv4_number(c->gateway))
		return fail(ret_why,
		    "pool: the gateway's address is the only one; give the "
		    "pool more addresses");
	if (c->mru > c->outer_mtu)
		return fail(ret_why,
		    "ppp mru is larger than server outer-mtu: the tunnel "
		    "adds 60 to 110 bytes, so give about outer-mtu - 100");
	if (validate_ipv6(c, ret_why) < 0)
		return -EINVAL;
	if (has_unusable(c->ipv4_nbns))
		return fail(ret_why, "ppp nbns: %s", unreachable);
	for (size_t i = 0; i < c->group_count; i++)
		if (has_unusable(c->groups[i].ipv4_dns))
			return fail(ret_why, "%s %s dns: %s",
			    i == 0 ? "ppp" : "group", c->groups[i].name,
			    unreachable);
	if ((c->mark_mask & (c->mark_mask + 1)) != 0)
		return fail(ret_why,
		    "kernel mark-mask: give the low bits, without a gap, as "
		    "in 0x0fffffff: charon counts clients in them");
	if (c->plane == CONF_PLANE_KERNEL && !c->pppd[0])
		return fail(ret_why,
		    "kernel pppd: the kernel plane needs one; "
		    "leave the line out to use /usr/sbin/pppd");
	if (!c->run_dir[0] || !c->state_dir[0] || !c->tun_name[0] ||
	    !c->engine_user[0] || !c->authority_user[0])
		return fail(ret_why,
		    "process: run-dir, state-dir, tun-name and the two users "
		    "must not be empty");
	if (!strcmp(c->engine_user, c->authority_user))
		return fail(ret_why,
		    "process: engine-user and authority-user must differ: "
		    "the one must not read the other's secrets");
	if (strchr(c->tun_name, '/') || strchr(c->tun_name, ':') ||
	    !strcmp(c->tun_name, ".") || !strcmp(c->tun_name, ".."))
		return fail(ret_why,
		    "process tun-name: the kernel takes no such name for an "
		    "interface; use letters and digits");
	return 0;
}
