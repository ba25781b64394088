/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open.h: the privileged things that l2tpd needs, opened once at start by the
 * monitor. Every call returns a descriptor or -errno and logs what an
 * administrator has to do when it fails.
 */
#ifndef ADIT_MONITOR_OPEN_H
#define ADIT_MONITOR_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l2tpd/conf/conf.h"

/* How many workers the engine shall have; 1 in a client. */
size_t open_workers(const struct adit_conf *c);
/* UDP socket on conf's listen address, destination address reported with each
 * datagram (IP_PKTINFO), large buffers. A client gets any free port when this
 * one is taken. shared: one of several (SO_REUSEPORT). */
int open_udp(const struct adit_conf *c, uint16_t port, bool shared);
/* A socket that keeps UDP 1701 occupied and lets nothing in: plain L2TP gets
 * no answer, not even an ICMP error. */
int open_udp_blackhole(const struct adit_conf *c, uint16_t port);
/* The kernel plane's UDP 1701: others may have it as well, each datagram tells
 * its mark, and what is sent has this one. 0: none, and it is bound; the others
 * are not yet. */
int open_udp_marked(const struct adit_conf *c, uint32_t mark);
/* Raw IP protocol 50. */
int open_esp(const struct adit_conf *c);
/* A queue of the TUN device. many: there will be others. The first makes the
 * device, up, with a server's address on it. The kernel plane's has no
 * offloads: packets as they are. */
int open_tun(const struct adit_conf *c, bool many, bool first);
/* Listening unix socket NAME in run_dir, mode 0600, owner root.
 * type: SOCK_STREAM or SOCK_SEQPACKET. */
int open_unix_listener(const struct adit_conf *c, const char *name, int type);
/* Connects to the unix stream socket NAME in run_dir; quiet on failure. */
int connect_unix(const struct adit_conf *c, const char *name);
/* Opens a secret or certificate for reading; -1 with no log line when path is
 * empty, -errno with one when it cannot be opened. */
int open_file(const char *path, const char *what);

#endif
