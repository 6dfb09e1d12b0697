#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make an ID block and authentication pages with an independent signer.

usage: id_auth.py LD POLICY OUTDIR      (hex, hex, an existing folder)

Writes block.bin; auth.bin (ID key and author key); small.bin (the same block
with the fixed signature r = 2, s = 1 and the public key recovered from it);
digests.txt (ID key, author key, recovered key: SHA-384, one a line).
Layouts: abi/snp.md 5.1 to 5.3.
"""
import hashlib
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

P = 2**384 - 2**128 - 2**96 + 2**32 - 1
N = int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
        "581a0db248b0a77aecec196accc52973", 16)
A = -3
B = int("b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a"
        "c656398d8a2ed19d2a85c8edd3ec2aef", 16)
G = (int("aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"
         "5502f25dbf55296c3a545e3872760ab7", 16),
     int("3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"
         "0a60b1ce1d7e819d7a431d7c90ea0e5f", 16))


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0] and (p[1] + q[1]) % P == 0:
        return None
    if p == q:
        m = (3 * p[0] * p[0] + A) * pow(2 * p[1], -1, P)
    else:
        m = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (m * m - p[0] - q[0]) % P
    return x, (m * (p[0] - x) - p[1]) % P


def mul(k, p):
    out = None
    while k:
        if k & 1:
            out = add(out, p)
        p = add(p, p)
        k >>= 1
    return out


def recover(digest, r, s):
    """A public key under which (r, s) signs the digest."""
    square = (r**3 + A * r + B) % P
    y = pow(square, (P + 1) // 4, P)
    assert y * y % P == square, "no point with this x"
    inv = pow(r, -1, N)
    return add(mul(s * inv % N, (r, y)), mul(-digest * inv % N, G))


def number(value):
    return value.to_bytes(72, "little")


def key_bytes(x, y):
    return (struct.pack("<I", 2) + number(x) + number(y)).ljust(0x404, b"\0")


def sig_bytes(r, s):
    return (number(r) + number(s)).ljust(0x200, b"\0")


def sign(key, data):
    return sig_bytes(*utils.decode_dss_signature(
        key.sign(data, ec.ECDSA(hashes.SHA384()))))


def page(block_sig, id_key, key_sig, author_key):
    out = struct.pack("<II", 1, 1).ljust(0x40, b"\0") + block_sig + id_key
    out = out.ljust(0x680, b"\0") + key_sig + author_key
    return out.ljust(0x1000, b"\0")


def public(key):
    n = key.public_key().public_numbers()
    return key_bytes(n.x, n.y)


def main():
    ld, policy, out = bytes.fromhex(sys.argv[1]), int(sys.argv[2], 16), sys.argv[3]
    block = (ld + bytes(range(0x10, 0x20)) + bytes(range(0x20, 0x30)) +
             struct.pack("<IIQ", 1, 7, policy))
    id_key = ec.generate_private_key(ec.SECP384R1())
    author = ec.generate_private_key(ec.SECP384R1())
    auth = page(sign(id_key, block), public(id_key),
                sign(author, public(id_key)), public(author))
    digest = int.from_bytes(hashlib.sha384(block).digest(), "big")
    small_key = key_bytes(*recover(digest, 2, 1))
    small = page(sig_bytes(2, 1), small_key, bytes(0x200), bytes(0x404))
    for name, data in (("block", block), ("auth", auth), ("small", small)):
        with open(f"{out}/{name}.bin", "wb") as f:
            f.write(data)
    with open(f"{out}/digests.txt", "w", encoding="ascii") as f:
        for key in (public(id_key), public(author), small_key):
            print(hashlib.sha384(key).hexdigest(), file=f)


main()
