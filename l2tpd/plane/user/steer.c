/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer.c: tells the kernel which worker gets a packet (contract in steer.h).
 * Owns nothing. The programs see packets of anybody: what is too short for
 * them goes to the first worker (UDP) or to none (raw ESP).
 */
#include "l2tpd/plane/user/steer.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#endif

int
steer_udp(int fd, size_t n_workers)
{
	struct sock_filter code[] = {
	    /* the UDP payload: SPI, or IKE's marker of 0 (RFC 3948 2) */
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, STEER_SPI_MASK),
	    BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)n_workers),
	    BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
		   sizeof(prog)) < 0
	    ? -errno
	    : 0;
}

int
steer_raw(int fd, size_t n_workers, uint8_t worker)
{
	struct sock_filter code[] = {
	    /* X: bytes of the IPv4 header, which the socket delivers too */
	    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	    BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, STEER_SPI_MASK),
	    BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)n_workers),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, worker, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX), /* all of it */
	    BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(
		   fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0
	    ? -errno
	    : 0;
}

uint64_t
steer_key_ipv4(const uint8_t address[4])
{
	return load_be32(address);
}

/* As the program makes it, of two words: never a key of IPv4. */
uint64_t
steer_key_ipv6(const uint8_t prefix[8])
{
	return (uint64_t)load_be32(prefix) << 32 | load_be32(prefix + 4);
}

static int
map_call(int command, int map_fd, const void *key, const uint32_t *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map_fd;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	attr.flags = BPF_ANY;
	return syscall(SYS_bpf, command, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int
steer_tun_set(int map_fd, uint64_t key, uint32_t queue)
{
	if (map_fd < 0)
		return 0;
	return map_call(BPF_MAP_UPDATE_ELEM, map_fd, &key, &queue);
}

int
steer_tun_unset(int map_fd, uint64_t key)
{
	if (map_fd < 0)
		return 0;
	return map_call(BPF_MAP_DELETE_ELEM, map_fd, &key, NULL);
}

/* struct bpf_lpm_trie_key */
struct network_key {
	uint32_t bits;
	uint8_t net[4];
};

static struct network_key
key_of_network(const struct ipv4_network *n)
{
	struct network_key k = {.bits = n->bits};

	memcpy(k.net, n->net, sizeof(k.net));
	return k;
}

int
steer_tun_set_network(int map_fd, const struct ipv4_network *n, uint32_t queue)
{
	const struct network_key key = key_of_network(n);

	if (map_fd < 0)
		return 0;
	return map_call(BPF_MAP_UPDATE_ELEM, map_fd, &key, &queue);
}

int
steer_tun_unset_network(int map_fd, const struct ipv4_network *n)
{
	const struct network_key key = key_of_network(n);

	if (map_fd < 0)
		return 0;
	return map_call(BPF_MAP_DELETE_ELEM, map_fd, &key, NULL);
}

void
steer_tun_off(int tun_fd)
{
	const int none = -1;

	(void)ioctl(tun_fd, TUNSETSTEERINGEBPF, &none);
}
