/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf.h: /etc/adit/adit.conf as a plain value. Read (libconfuse) by the
 * monitor and by adit, which are root; children of the monitor get the struct
 * by message. Every value has a working default.
 */
#ifndef ADIT_CONF_CONF_H
#define ADIT_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/network.h"

#define CONF_PATH_MAX 108 /* fits sun_path */
#define CONF_NAME_MAX 256

/* Characters of tun-name that the names of all our interfaces begin with: the
 * TUN device's, and those of the kernel plane's sessions. */
#define CONF_LINK_PREFIX 5

#define CONF_ROUTES_MAX  64
#define CONF_WORKERS_MAX 32

/* Groups of users. The struct goes to the children in one message, which has a
 * largest size: so routes and domains of all groups lie in common tables. */
#define CONF_GROUPS_MAX        32
#define CONF_GROUP_NAME_MAX    48
#define CONF_DOMAINS_MAX       8   /* of one group */
#define CONF_GROUP_ROUTES_MAX  512 /* of all together; one: CONF_ROUTES_MAX */
#define CONF_DOMAINS_BYTES_MAX 4096

/* adit connect: this machine dials, instead of waiting for clients. */
struct conf_client {
	bool on;           /* a server was given */
	uint8_t server[4]; /* where to dial */
	/* What a server's certificate has to say; "" with a PSK. */
	char server_name[CONF_NAME_MAX];
	char user[CONF_NAME_MAX];
	char password_file[CONF_PATH_MAX];
	char esp[64]; /* the only ESP proposal, as charon names it; "": ours */
	struct ipv4_network routes[CONF_ROUTES_MAX]; /* into the tunnel */
	uint16_t route_count;
	bool no_dns;   /* leave the system's name servers alone */
	bool once;     /* do not dial again */
	bool any_port; /* do not even try UDP 500 and 4500 */
	bool no_encap; /* ESP without UDP when no NAT is on the way */
};

/* Who carries packets. */
enum conf_plane {
	CONF_PLANE_AUTO = 0,   /* user: it runs on every kernel */
	CONF_PLANE_USER = 1,   /* ours, in user space */
	CONF_PLANE_KERNEL = 2, /* the kernel's ESP and L2TP, and pppd */
};

/* What clients are told about the networks that they come into. */
struct conf_group {
	char name[CONF_GROUP_NAME_MAX]; /* "": who is in no other group */
	uint16_t plane;                 /* enum conf_plane */
	uint8_t ipv4_dns[2][4];         /* 0: none */
	/* rows of group_routes */
	uint16_t route_first, route_count;
	/* in domain_texts, one behind the other, each with its zero */
	uint16_t domain_first, domain_count;
};

struct adit_conf {
	struct conf_client client;
	/* who we are */
	char address[CONF_NAME_MAX]; /* host name or IP that clients dial */
	uint8_t listen_ipv4[4];      /* 0.0.0.0: all */
	uint16_t plane;              /* enum conf_plane */
	/* ipsec */
	bool legacy_clients; /* DH group 2 and 3DES */
	uint32_t dpd_delay_s;
	char psk_file[CONF_PATH_MAX];
	char ca_file[CONF_PATH_MAX];
	char crl_file[CONF_PATH_MAX];
	char certificate_file[CONF_PATH_MAX];
	char key_file[CONF_PATH_MAX];
	/* l2tp */
	uint32_t hello_interval_s;
	uint16_t max_tunnels; /* at once */
	uint16_t max_tunnels_per_association;
	/* ppp */
	bool allow_pap;
	bool allow_chap_md5;
	uint16_t mru; /* bytes */
	uint32_t echo_interval_s;
	uint32_t echo_failures;
	uint8_t ipv4_nbns[2][4];
	uint8_t ipv6_dns[2][16];
	/* groups; [0] is everybody else, from the section ppp */
	struct conf_group groups[1 + CONF_GROUPS_MAX];
	uint16_t group_count; /* with [0] */
	struct ipv4_network group_routes[CONF_GROUP_ROUTES_MAX];
	uint16_t group_route_count;
	char domain_texts[CONF_DOMAINS_BYTES_MAX];
	uint16_t domain_bytes;
	/* pool */
	uint8_t pool_first[4], pool_last[4]; /* addresses for clients */
	uint8_t pool_net[4];
	uint8_t pool_prefix_bits;
	uint8_t pool_net6[8]; /* a /64 of it for each client */
	uint8_t pool_bits6;   /* 0: no IPv6 */
	uint8_t gateway[4];   /* our address on every link, inside pool_net */
	uint16_t sessions_per_user; /* 0: no limit */
	/* plane */
	uint16_t workers; /* threads for packets; 0: one a processor */
	bool tun_tcp_offload, tun_udp_offload; /* super-segments at the TUN */
	bool udp_gso, udp_gro; /* many ESP packets a system call */
	bool copy_dscp;        /* inner to outer */
	/* kernel plane */
	uint32_t mark_mask; /* the bits of packet marks that are ours */
	char pppd[CONF_PATH_MAX], pppd_plugin[CONF_PATH_MAX];
	/* processes and places */
	char run_dir[CONF_PATH_MAX - 24];         /* sockets: /run/adit */
	char state_dir[CONF_PATH_MAX - 24];       /* adit.db: /var/lib/adit */
	char tun_name[16];                        /* adit0 */
	char engine_user[32], authority_user[32]; /* adit, adit-auth */
	uint16_t outer_mtu;
};

/* Sockets in run_dir: charon.vici (vici), plane.sock (charon plugin),
 * l2tpd.sock (control, JSON lines). */

void conf_defaults(struct adit_conf *c);
/* Reads path over the defaults. 0; -ENOENT; -EINVAL: *ret_why (static buffer)
 * says file, line and what to do. */
int conf_load(const char *path, struct adit_conf *ret, const char **ret_why);
/* Cross-checks (gateway inside the net, pool inside the net, ...). */
int conf_validate(const struct adit_conf *c, const char **ret_why);

/* "10.0.0.0/8" with min to max bits. NULL, or what is wrong with it. */
const char *conf_parse_network(
    const char *text, long min, long max, struct ipv4_network *ret);
/* The group of a user who is in these groups, names with commas: the first that
 * has a section; else 0. A number in groups[]. */
size_t conf_group_of(const struct adit_conf *c, const char *names);
/* The IPv6 prefix (64 bits) that goes with a client's address: the network6's
 * with the place of the address in the pool's network as its last bits. False:
 * there is no network6. */
bool conf_prefix_of(
    const struct adit_conf *c, const uint8_t ipv4[4], uint8_t ret[8]);
/* Is it the kernel plane that carries packets? */
bool conf_is_kernel(const struct adit_conf *c);
/* Is it inside the pool's network? */
bool conf_is_inside(const struct adit_conf *c, const uint8_t a[4]);
/* May a client have it: a host address of the pool's network, not ours. */
bool conf_is_client(const struct adit_conf *c, const uint8_t a[4]);

#endif
