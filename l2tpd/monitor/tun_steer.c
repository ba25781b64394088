/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tun_steer.c: from inner destination to TUN queue (contract in tun_steer.h).
 * Runs in the monitor: only root may load a program. The program sees packets
 * of anybody behind the server; one that is too short, or for nobody, goes to
 * the first queue.
 */
#include "l2tpd/monitor/tun_steer.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ADDRESSES_MAX 131072 /* of IPv4 and IPv6, of 65535 sessions */
#define NETWORKS_MAX  65536  /* behind clients, IPv4 */
#define IPV4_DST      16     /* RFC 791 3.1 */
#define IPV6_DST      24     /* RFC 8200 3 */

#define ALU(op, dst, value)                                                    \
	{                                                                      \
		BPF_ALU64 | (op) | BPF_K, (dst), 0, 0, (value)                 \
	}
#define ALU_REG(op, dst, src)                                                  \
	{                                                                      \
		BPF_ALU64 | (op) | BPF_X, (dst), (src), 0, 0                   \
	}
#define LOAD_PACKET(size, at)                                                  \
	{                                                                      \
		BPF_LD | (size) | BPF_ABS, 0, 0, 0, (at)                       \
	} /* to r0, host order */
#define JUMP_IF(op, value, skip)                                               \
	{                                                                      \
		BPF_JMP | (op) | BPF_K, BPF_REG_0, 0, (skip), (value)          \
	}
#define JUMP(skip)                                                             \
	{                                                                      \
		BPF_JMP | BPF_JA, 0, 0, (skip), 0                              \
	}
#define LOAD_MAP(dst, fd)                                                      \
	{BPF_LD | BPF_DW | BPF_IMM, (dst), BPF_PSEUDO_MAP_FD, 0, (fd)},        \
	{                                                                      \
		0, 0, 0, 0, 0                                                  \
	}
#define STORE_KEY                                                              \
	{                                                                      \
		BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, -8, 0       \
	}
#define TO_BE32                                                                \
	{                                                                      \
		BPF_ALU | BPF_END | BPF_TO_BE, BPF_REG_0, 0, 0, 32             \
	}
#define STORE_NETWORK_ADDRESS                                                  \
	{                                                                      \
		BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_0, -4, 0        \
	}
#define STORE_NETWORK_BITS(n)                                                  \
	{                                                                      \
		BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -8, (n)               \
	}
#define LOAD_VALUE                                                             \
	{                                                                      \
		BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_0, 0, 0          \
	}
#define CALL(function)                                                         \
	{                                                                      \
		BPF_JMP | BPF_CALL, 0, 0, 0, (function)                        \
	}
#define EXIT                                                                   \
	{                                                                      \
		BPF_JMP | BPF_EXIT, 0, 0, 0, 0                                 \
	}

static int
bpf(int command, union bpf_attr *attr)
{
	int fd = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));

	return fd < 0 ? -errno : fd;
}

/* Keys of 8 bytes: an address, or bits and address of a network. */
static int
make_map(enum bpf_map_type type, uint32_t entries)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = sizeof(uint64_t);
	attr.value_size = sizeof(uint32_t);
	attr.max_entries = entries;
	attr.map_flags = BPF_F_NO_PREALLOC;
	return bpf(BPF_MAP_CREATE, &attr);
}

static int
load_program(const struct tun_maps *maps)
{
	const struct bpf_insn code[] = {
	    ALU_REG(BPF_MOV, BPF_REG_6, BPF_REG_1), /* for LOAD_PACKET */
	    LOAD_PACKET(BPF_B, 0),
	    ALU(BPF_RSH, BPF_REG_0, 4), /* the version */
	    ALU_REG(BPF_MOV, BPF_REG_8, BPF_REG_0),
	    JUMP_IF(BPF_JEQ, 6, 2),
	    LOAD_PACKET(BPF_W, IPV4_DST),
	    JUMP(5),
	    LOAD_PACKET(BPF_W, IPV6_DST),
	    ALU_REG(BPF_MOV, BPF_REG_7, BPF_REG_0),
	    ALU(BPF_LSH, BPF_REG_7, 32),
	    LOAD_PACKET(BPF_W, IPV6_DST + 4),
	    ALU_REG(BPF_OR, BPF_REG_0, BPF_REG_7),
	    STORE_KEY,
	    LOAD_MAP(BPF_REG_1, maps->addresses),
	    ALU_REG(BPF_MOV, BPF_REG_2, BPF_REG_10),
	    ALU(BPF_ADD, BPF_REG_2, -8),
	    CALL(BPF_FUNC_map_lookup_elem),
	    JUMP_IF(BPF_JNE, 0, 14), /* found */
	    ALU_REG(BPF_MOV, BPF_REG_0, BPF_REG_8),
	    JUMP_IF(BPF_JEQ, 6, 10), /* no networks: to the first queue */
	    LOAD_PACKET(BPF_W, IPV4_DST),
	    TO_BE32,
	    STORE_NETWORK_ADDRESS,
	    STORE_NETWORK_BITS(32),
	    LOAD_MAP(BPF_REG_1, maps->networks),
	    ALU_REG(BPF_MOV, BPF_REG_2, BPF_REG_10),
	    ALU(BPF_ADD, BPF_REG_2, -8),
	    CALL(BPF_FUNC_map_lookup_elem),
	    JUMP_IF(BPF_JNE, 0, 2),
	    ALU(BPF_MOV, BPF_REG_0, 0), /* the first queue */
	    EXIT,
	    LOAD_VALUE,
	    EXIT,
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = sizeof(code) / sizeof(code[0]);
	attr.license = (uintptr_t) "GPL";
	return bpf(BPF_PROG_LOAD, &attr);
}

int
tun_steer(int tun_fd, struct tun_maps *ret)
{
	struct tun_maps maps;
	int program, rc;

	maps.addresses = make_map(BPF_MAP_TYPE_HASH, ADDRESSES_MAX);
	if (maps.addresses < 0)
		return maps.addresses;
	maps.networks = make_map(BPF_MAP_TYPE_LPM_TRIE, NETWORKS_MAX);
	if (maps.networks < 0) {
		close(maps.addresses);
		return maps.networks;
	}
	rc = program = load_program(&maps);
	if (program >= 0) {
		rc = ioctl(tun_fd, TUNSETSTEERINGEBPF, &program) < 0 ? -errno
								     : 0;
		close(program); /* the device holds it */
	}
	if (rc < 0) {
		close(maps.addresses);
		close(maps.networks);
		return rc;
	}
	*ret = maps;
	return 0;
}
