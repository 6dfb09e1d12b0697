#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the firmware must have meant, computed without any of its code.

  snp_oracle.py report FILE X Y        decode an attestation report, verify its
                                       signature with the P-384 point X, Y (hex)
  snp_oracle.py unsigned FILE          the same without a signature
  snp_oracle.py open KEY FILE          open a guest message (AES-256-GCM)
  snp_oracle.py kdf ROOT LABEL CTX BITS  SP 800-108 counter mode, HMAC-SHA-384

Prints name=value lines; exit status 1 when something does not hold.
Layouts: abi/snp.md sections 5.3, 6.1, 6.2, 7.2, 8.4. Needs python3-cryptography.
"""
import hashlib
import hmac
import struct
import sys

# name, offset, size, kind: "u" little-endian number, "b" bytes
REPORT = [
    ("version", 0x000, 4, "u"), ("guest_svn", 0x004, 4, "u"),
    ("policy", 0x008, 8, "u"), ("family_id", 0x010, 16, "b"),
    ("image_id", 0x020, 16, "b"), ("vmpl", 0x030, 4, "u"),
    ("signature_algo", 0x034, 4, "u"), ("current_tcb", 0x038, 8, "b"),
    ("platform_info", 0x040, 8, "u"), ("key_info", 0x048, 4, "u"),
    ("reserved_4c", 0x04c, 4, "b"), ("report_data", 0x050, 64, "b"),
    ("measurement", 0x090, 48, "b"), ("host_data", 0x0c0, 32, "b"),
    ("id_key_digest", 0x0e0, 48, "b"), ("author_key_digest", 0x110, 48, "b"),
    ("report_id", 0x140, 32, "b"), ("report_id_ma", 0x160, 32, "b"),
    ("reported_tcb", 0x180, 8, "b"), ("cpuid", 0x188, 3, "b"),
    ("reserved_18b", 0x18b, 21, "b"), ("chip_id", 0x1a0, 64, "b"),
    ("committed_tcb", 0x1e0, 8, "b"), ("current_build", 0x1e8, 1, "u"),
    ("current_minor", 0x1e9, 1, "u"), ("current_major", 0x1ea, 1, "u"),
    ("reserved_1eb", 0x1eb, 1, "b"), ("committed_build", 0x1ec, 1, "u"),
    ("committed_minor", 0x1ed, 1, "u"), ("committed_major", 0x1ee, 1, "u"),
    ("reserved_1ef", 0x1ef, 1, "b"), ("launch_tcb", 0x1f0, 8, "b"),
    ("launch_mit_vector", 0x1f8, 8, "u"), ("current_mit_vector", 0x200, 8, "u"),
    ("reserved_208", 0x208, 0x98, "b"), ("r", 0x2a0, 72, "b"),
    ("s", 0x2e8, 72, "b"), ("reserved_330", 0x330, 0x170, "b"),
]
SIGNED = 0x2A0
SIZE = 0x4A0


def show(name, value):
    print(f"{name}={value.hex() if isinstance(value, bytes) else value}")


def decode_report(data):
    ok = len(data) == SIZE
    at = 0
    for name, offset, size, kind in REPORT:
        ok = ok and offset == at
        at = offset + size
        field = data[offset:at]
        if name.startswith("reserved"):
            ok = ok and not any(field)
            continue
        show(name, int.from_bytes(field, "little") if kind == "u" else field)
    return ok and at == SIZE


def verify_report(data, x, y):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    key = ec.EllipticCurvePublicNumbers(
        int(x, 16), int(y, 16), ec.SECP384R1()).public_key()
    r = int.from_bytes(data[0x2A0:0x2E8], "little")
    s = int.from_bytes(data[0x2E8:0x330], "little")
    try:
        key.verify(utils.encode_dss_signature(r, s), data[:SIGNED],
                   ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        return False
    return True


def open_message(key, page):
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    seqno, = struct.unpack_from("<Q", page, 0x20)
    algo, hdr_version, hdr_size, kind, version, size = struct.unpack_from(
        "<BBHBBH", page, 0x30)
    for name, value in (("seqno", seqno), ("algo", algo),
                        ("hdr_version", hdr_version), ("hdr_size", hdr_size),
                        ("type", kind), ("version", version), ("size", size),
                        ("vmpck", page[0x3C])):
        show(name, value)
    clean = not any(page[0x10:0x20] + page[0x28:0x30] + page[0x38:0x3C] +
                    page[0x3D:0x60])
    iv = struct.pack("<Q", seqno) + bytes(4)
    try:
        plain = AESGCM(bytes.fromhex(key)).decrypt(
            iv, page[0x60:0x60 + size] + page[:0x10], page[0x30:0x60])
    except InvalidTag:
        return False
    show("payload", plain)
    return clean


def kdf(root, label, context, bits):
    out = b""
    i = 1
    while len(out) * 8 < bits:
        out += hmac.new(bytes.fromhex(root), struct.pack(">I", i) +
                        label.encode() + b"\0" + bytes.fromhex(context) +
                        struct.pack(">I", bits), hashlib.sha384).digest()
        i += 1
    show("key", out[:bits // 8])
    return True


def main(argv):
    def read(name):
        with open(name, "rb") as f:
            return f.read()

    if argv[0] == "report":
        data = read(argv[1])
        ok = decode_report(data) and verify_report(data, argv[2], argv[3])
    elif argv[0] == "unsigned":
        data = read(argv[1])
        ok = decode_report(data) and not any(data[SIGNED:])
    elif argv[0] == "open":
        ok = open_message(argv[1], read(argv[2]))
    else:
        ok = kdf(argv[1], argv[2], argv[3], int(argv[4]))
    show("ok", int(ok))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
