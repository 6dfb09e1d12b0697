#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The other end of legacy SEV: guest owner, platform owner, receiving platform
and verifier, with none of the firmware's code.

  chain DIR...            verify every certificate in each DIR that has its
                          signer there (ark ask cek oca pek pdh)
  ca DIR...               the same for ark and ask alone, and cek by ask
  owner DIR KIND          make an owner key of KIND (ec256 ec384 rsa256 rsa384),
                          sign DIR/pek.csr: DIR/oca.cert, DIR/pek.cert
  launch DIR POLICY       guest owner: DIR/pdh.cert -> godh.cert, session, keys
  measure DIR VERSION POLICY   check DIR/measure against DIR/plain and the keys;
                          VERSION is major.minor.build, or - for API below 0.17
  secret DIR [old]        wrap DIR/secret: DIR/header, DIR/payload
  report DIR MNONCE POLICY     verify DIR/report with DIR/pek.cert; the digest
                          is that of DIR/plain, or zero when there is none
  receiver DIR            a receiving platform of our own: DIR/own.cert
  open DIR POLICY         open DIR/session from DIR/pdh.cert, then each packet
                          DIR/header.N + DIR/payload.N -> DIR/plain.N; the kind
                          byte is in DIR/kind.N

Prints one line a check, "ok what" or "FAIL what"; exit status 1 on a FAIL.
Layouts: abi/sev.md sections 5, 7, 8, 10. Needs python3-cryptography.
"""
import hashlib
import hmac
import os
import struct
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed, decode_dss_signature, encode_dss_signature)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ARK, ASK, NONE, OCA, PEK, PDH, CEK = 0, 0x13, 0x1000, 0x1001, 0x1002, 0x1003, 0x1004
CERT, BODY = 0x824, 0x414
FAILED = []


def check(what, good):
    print(("ok " if good else "FAIL ") + what)
    if not good:
        FAILED.append(what)


def load(folder, name):
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


def save(folder, name, data):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def le(data):
    return int.from_bytes(data, "little")


def hash_of(algo):
    return hashes.SHA384() if algo & 0x100 else hashes.SHA256()


def rsa_verify(n, e, algo, sig, data):
    h = hash_of(algo)
    size = (n.bit_length() + 7) // 8
    key = rsa.RSAPublicNumbers(e, n).public_key()
    pss = padding.PSS(padding.MGF1(h), h.digest_size)
    try:
        key.verify(sig[:size][::-1], data, pss, h)
        return True
    except InvalidSignature:
        return False


class SevCert:
    def __init__(self, raw):
        assert len(raw) == CERT, len(raw)
        self.raw = raw
        self.version, self.major, self.minor, self.reserved = struct.unpack_from(
            "<IBBH", raw)
        self.usage, self.algo = struct.unpack_from("<II", raw, 8)
        self.slots = []
        for at in (0x414, 0x61C):
            self.slots.append(struct.unpack_from("<II", raw, at) +
                              (raw[at + 8:at + 0x208],))

    def ec_key(self):
        assert le(self.raw[0x10:0x14]) == 2
        x, y = le(self.raw[0x14:0x5C]), le(self.raw[0x5C:0xA4])
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP384R1()).public_key()

    def signed_by(self, usage, algo, verify):
        """Number of slots that name this signer, all of them good."""
        mine = [s for s in self.slots if s[0] == usage and s[1] == algo]
        return len(mine) if all(verify(s[2], self.raw[:BODY]) for s in mine) else -1

    def key_verify(self, sig, data):
        h = hash_of(self.algo)
        if self.algo & 0xFF == 1:
            return rsa_verify(le(self.raw[0x214:0x414]), le(self.raw[0x14:0x214]),
                              self.algo, sig, data)
        der = encode_dss_signature(le(sig[:72]), le(sig[72:144]))
        try:
            self.ec_key().verify(der, data, ec.ECDSA(h))
            return True
        except InvalidSignature:
            return False

    def check_by(self, name, signer):
        count = self.signed_by(signer.usage, signer.algo, signer.key_verify)
        check(f"{name} in one slot", count == 1)


class AmdCert:
    def __init__(self, raw):
        self.raw = raw
        self.version, = struct.unpack_from("<I", raw)
        self.key_id, self.signer_id = raw[4:20], raw[20:36]
        self.usage, = struct.unpack_from("<I", raw, 36)
        self.reserved = raw[40:56]
        ebits, nbits = struct.unpack_from("<II", raw, 56)
        assert ebits == nbits and nbits in (2048, 4096)
        size = nbits // 8
        assert len(raw) == 64 + 3 * size
        self.e, self.n = le(raw[64:64 + size]), le(raw[64 + size:64 + 2 * size])
        self.body, self.sig = raw[:64 + 2 * size], raw[64 + 2 * size:]
        self.algo = 0x001 if nbits == 2048 else 0x101

    def key_verify(self, sig, data):
        return rsa_verify(self.n, self.e, self.algo, sig, data)


def verify_ca(folder):
    ark, ask = AmdCert(load(folder, "ark.cert")), AmdCert(load(folder, "ask.cert"))
    cek = SevCert(load(folder, "cek.cert"))
    check("versions", (ark.version, ask.version, cek.version) == (1, 1, 1))
    check("usages", (ark.usage, ask.usage, cek.usage) == (ARK, ASK, CEK))
    check("ids", ark.signer_id == ark.key_id == ask.signer_id != ask.key_id)
    check("ark by ark", ark.key_verify(ark.sig, ark.body))
    check("ask by ark", ark.key_verify(ask.sig, ask.body))
    check("cek by ask in slot 1",
          cek.slots[0][:2] == (ASK, ask.algo) and
          ask.key_verify(cek.slots[0][2], cek.raw[:BODY]))
    check("cek slot 2 empty", cek.slots[1] == (NONE, 0, bytes(512)))


def verify_chain(folder):
    verify_ca(folder)
    oca, pek, pdh, cek = (SevCert(load(folder, n + ".cert"))
                          for n in ("oca", "pek", "pdh", "cek"))
    check("usages", (oca.usage, pek.usage, pdh.usage) == (OCA, PEK, PDH))
    check("pdh algorithm", pdh.algo == 3)
    oca.check_by("oca by oca", oca)
    pek.check_by("pek by oca", oca)
    pek.check_by("pek by cek", cek)
    pdh.check_by("pdh by pek", pek)


def ec_body(usage, algo, numbers, version=(0, 0)):
    key = struct.pack("<I", 2)
    key += numbers.x.to_bytes(72, "little") + numbers.y.to_bytes(72, "little")
    return struct.pack("<IBBHII", 1, *version, 0, usage, algo) + key.ljust(0x404, b"\0")


def empty_slot():
    return struct.pack("<II", NONE, 0) + bytes(512)


def sign(key, algo, usage, body):
    h = hash_of(algo)
    if algo & 0xFF == 1:
        pss = padding.PSS(padding.MGF1(h), h.digest_size)
        raw = key.sign(body, pss, h)[::-1]
    else:
        r, s = decode_dss_signature(key.sign(body, ec.ECDSA(h)))
        raw = r.to_bytes(72, "little") + s.to_bytes(72, "little")
    return struct.pack("<II", usage, algo) + raw.ljust(512, b"\0")


def owner(folder, kind):
    algo = {"ec256": 2, "ec384": 0x102, "rsa256": 1, "rsa384": 0x101}[kind]
    csr = load(folder, "pek.csr")
    if kind.startswith("ec"):
        key = ec.generate_private_key(ec.SECP384R1())
        body = ec_body(OCA, algo, key.public_key().public_numbers())
    else:
        key = rsa.generate_private_key(65537, 2048)
        n = key.public_key().public_numbers()
        area = struct.pack("<I", key.key_size)
        area += n.e.to_bytes(512, "little") + n.n.to_bytes(512, "little")
        body = struct.pack("<IBBHII", 1, 0, 0, 0, OCA, algo) + area
    save(folder, "oca.cert", body + sign(key, algo, OCA, body) + empty_slot())
    save(folder, "pek.cert",
         csr[:BODY] + sign(key, algo, OCA, csr[:BODY]) + empty_slot())


def kdf(key, label, context, size):
    out, i = b"", 1
    while len(out) < size:
        out += hmac.new(key, struct.pack("<I", i) + label + b"\0" + context +
                        struct.pack("<I", size * 8), hashlib.sha256).digest()
        i += 1
    return out[:size]


def ctr(key, iv, data):
    c = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return c.update(data) + c.finalize()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def session_keys(private, peer, nonce):
    z = private.exchange(ec.ECDH(), peer)
    ms = kdf(z, b"sev-master-secret", nonce, 16)
    return kdf(ms, b"sev-kek", b"", 16), kdf(ms, b"sev-kik", b"", 16)


def launch(folder, policy):
    peer = SevCert(load(folder, "pdh.cert"))
    key = ec.generate_private_key(ec.SECP384R1())
    nonce, tk, iv = os.urandom(16), os.urandom(32), os.urandom(16)
    kek, kik = session_keys(key, peer.ec_key(), nonce)
    wrapped = ctr(kek, iv, tk)
    blob = nonce + wrapped + iv + mac(kik, wrapped)
    blob += mac(tk[16:], struct.pack("<I", policy))
    body = ec_body(PDH, 3, key.public_key().public_numbers())
    save(folder, "godh.cert", body + empty_slot() + empty_slot())
    save(folder, "session", blob)
    save(folder, "keys", tk)


def measure(folder, version, policy):
    tik = load(folder, "keys")[16:]
    got = load(folder, "measure")
    digest = hashlib.sha256(load(folder, "plain")).digest()
    head = b""
    if version != "-":
        head = bytes([4] + [int(v) for v in version.split(".")])
    want = mac(tik, head + struct.pack("<I", policy) + digest + got[32:])
    check("measure", len(got) == 48 and got[:32] == want)


def secret(folder, old=False):
    tk, plain = load(folder, "keys"), load(folder, "secret")
    iv = os.urandom(16)
    cipher = ctr(tk[:16], iv, plain)
    text = b"\x01" + bytes(4) + iv + struct.pack("<II", len(plain), len(plain))
    text += cipher + (b"" if old else load(folder, "measure")[:32])
    save(folder, "header", bytes(4) + iv + mac(tk[16:], text))
    save(folder, "payload", cipher)


def report(folder, mnonce, policy):
    data, pek = load(folder, "report"), SevCert(load(folder, "pek.cert"))
    digest = bytes(32)
    if os.path.exists(os.path.join(folder, "plain")):
        digest = hashlib.sha256(load(folder, "plain")).digest()
    check("report size", len(data) == 208)
    check("mnonce", data[:16] == mnonce)
    check("launch digest", data[16:48] == digest)
    check("policy, usage, algorithm, reserved",
          struct.unpack_from("<IIII", data, 48) == (policy, PEK, 2, 0))
    der = encode_dss_signature(le(data[64:136]), le(data[136:208]))
    try:
        pek.ec_key().verify(der, hashlib.sha256(data[:52]).digest(),
                            ec.ECDSA(Prehashed(hashes.SHA256())))
        good = True
    except InvalidSignature:
        good = False
    check("report by pek", good)


def receiver(folder):
    key = ec.generate_private_key(ec.SECP384R1())
    body = ec_body(PDH, 3, key.public_key().public_numbers(), (1, 55))
    save(folder, "own.cert", body + empty_slot() + empty_slot())
    save(folder, "own.key", key.private_numbers().private_value.to_bytes(48, "big"))


def open_session(folder, policy):
    key = ec.derive_private_key(int.from_bytes(load(folder, "own.key"), "big"),
                                ec.SECP384R1())
    blob, peer = load(folder, "session"), SevCert(load(folder, "pdh.cert"))
    kek, kik = session_keys(key, peer.ec_key(), blob[:16])
    check("session size", len(blob) == 128)
    check("wrap mac", mac(kik, blob[16:48]) == blob[64:96])
    tk = ctr(kek, blob[48:64], blob[16:48])
    check("policy mac", mac(tk[16:], struct.pack("<I", policy)) == blob[96:128])
    n = 0
    ivs = set()
    while os.path.exists(os.path.join(folder, f"header.{n}")):
        header, cipher = load(folder, f"header.{n}"), load(folder, f"payload.{n}")
        size = struct.pack("<II", len(cipher), len(cipher))
        text = load(folder, f"kind.{n}") + header[:20] + size + cipher
        check(f"packet {n} flags", header[:4] == bytes(4))
        check(f"packet {n} mac", mac(tk[16:], text) == header[20:])
        save(folder, f"plain.{n}", ctr(tk[:16], header[4:20], cipher))
        ivs.add(header[4:20])
        n += 1
    check("packets, each with its own iv", n > 0 and len(ivs) == n)


def main(argv):
    command, folder = argv[1], argv[2]
    if command == "chain":
        for d in argv[2:]:
            verify_chain(d)
    elif command == "ca":
        for d in argv[2:]:
            verify_ca(d)
    elif command == "owner":
        owner(folder, argv[3])
    elif command == "launch":
        launch(folder, int(argv[3], 0))
    elif command == "measure":
        measure(folder, argv[3], int(argv[4], 0))
    elif command == "secret":
        secret(folder, argv[3:] == ["old"])
    elif command == "report":
        report(folder, bytes.fromhex(argv[3]), int(argv[4], 0))
    elif command == "receiver":
        receiver(folder)
    elif command == "open":
        open_session(folder, int(argv[3], 0))
    else:
        sys.exit(__doc__)
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
