#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints the rows of l2tpd/esp/selftest.c: one ESP packet a transform, computed
with the openssl command only (GCM from AES-ECB, with GHASH written here), so
that nothing of Adit's own code is in the expected values.

SPI 0x11223344, sequence number 1, IV 40 41 42.., keys 00 01 02.., integrity
keys 80 81 82.., payload 14 bytes "ADIT self-test", padding, next header 17."""
import subprocess


def run(args, data):
    return subprocess.run(["openssl"] + args, input=data, check=True,
                          stdout=subprocess.PIPE).stdout


def seq(first, n):
    return bytes((first + i) & 255 for i in range(n))


def text(align):
    body = b"ADIT self-test"
    pad = -(len(body) + 2) % align
    return body + bytes(range(1, pad + 1)) + bytes([pad, 17])


HEAD = bytes.fromhex("1122334400000001")


def cbc(cipher, key_bytes, iv_bytes, digest, int_bytes, icv):
    iv = seq(0x40, iv_bytes)
    ct = run(["enc", "-" + cipher, "-nopad", "-K", seq(0, key_bytes).hex(),
              "-iv", iv.hex()], text(iv_bytes))
    packet = HEAD + iv + ct
    mac = run(["dgst", "-" + digest, "-mac", "HMAC", "-macopt",
               "hexkey:" + seq(0x80, int_bytes).hex(), "-binary"], packet)
    return packet + mac[:icv]


def ecb(key, block):
    return run(["enc", "-aes-%d-ecb" % (len(key) * 8), "-nopad", "-K",
                key.hex()], block)


def gmul(x, y):
    z = 0
    for i in range(127, -1, -1):
        if (x >> i) & 1:
            z ^= y
        y = (y >> 1) ^ (0xe1 << 120 if y & 1 else 0)
    return z


def ghash(h, data):
    y = 0
    for i in range(0, len(data), 16):
        y = gmul(int.from_bytes(data[i:i + 16], "big") ^ y, h)
    return y


def padded(data):
    return data + bytes(-len(data) % 16)


def gcm(key_bytes):
    key = seq(0, key_bytes)
    salt = seq(key_bytes, 4)
    iv = seq(0x40, 8)
    pt = text(4)
    h = int.from_bytes(ecb(key, bytes(16)), "big")
    stream = b"".join(ecb(key, salt + iv + (2 + i).to_bytes(4, "big"))
                      for i in range(-(-len(pt) // 16)))
    ct = bytes(a ^ b for a, b in zip(pt, stream))
    lengths = (len(HEAD) * 8).to_bytes(8, "big") + \
        (len(ct) * 8).to_bytes(8, "big")
    s = ghash(h, padded(HEAD) + padded(ct) + lengths)
    tag = s ^ int.from_bytes(ecb(key, salt + iv + b"\0\0\0\1"), "big")
    return HEAD + iv + ct + tag.to_bytes(16, "big")


def row(name, packet):
    h = packet.hex()
    print('\t{ "%s",' % name)
    parts = [h[i:i + 56] for i in range(0, len(h), 56)]
    print("\n".join('\t  "%s"' % p for p in parts) + " },")


HASHES = (("sha1", 20, 12), ("sha256", 32, 16), ("sha384", 48, 24),
          ("sha512", 64, 32))
for name, cipher, key, iv in (("aes128", "aes-128-cbc", 16, 16),
                              ("aes192", "aes-192-cbc", 24, 16),
                              ("aes256", "aes-256-cbc", 32, 16),
                              ("3des", "des-ede3-cbc", 24, 8)):
    for digest, int_bytes, icv in HASHES:
        row(name + "-" + digest, cbc(cipher, key, iv, digest, int_bytes, icv))
for bits in (128, 192, 256):
    row("aes%dgcm16" % bits, gcm(bits // 8))
