#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A guest owner and a platform owner, written from the published formats with
another library than the simulator's.

  sev_owner.py session DIR PDH_FILE POLICY
      makes DIR/godh.cert, DIR/launch_blob.bin, DIR/tek.bin and DIR/tik.bin
  sev_owner.py measure API_MAJOR API_MINOR BUILD POLICY DATA_FILE BLOB_FILE TIK
      checks a 48-byte measurement blob; TIK is a file or "zero"
  sev_owner.py secret DIR BLOB_FILE SECRET_FILE
      makes DIR/secret_header.bin and DIR/secret.bin
  sev_owner.py sign-csr DIR CSR_FILE
      makes DIR/oca.cert and DIR/pek.cert, as the owner of the platform
  sev_owner.py check-chain PDH_FILE CHAIN_FILE
      checks PDH by PEK, PEK by OCA and CEK, OCA by itself
  sev_owner.py check-report REPORT_FILE CHAIN_FILE
      checks an attestation report by the PEK
Spec: [55766], abi/sev.md 5, 7, 8.
"""
import hashlib
import hmac
import os
import struct
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CERT, BODY = 0x824, 0x414
OCA, PEK, PDH, CEK, EMPTY = 0x1001, 0x1002, 0x1003, 0x1004, 0x1000
ECDSA_SHA256, ECDH_SHA256 = 0x2, 0x3


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def le(n, size):
    return n.to_bytes(size, "little")


def body(usage, algo, public):
    n = public.public_numbers()
    key = le(2, 4) + le(n.x, 72) + le(n.y, 72)
    out = struct.pack("<IBBHII", 1, 0, 0, 0, usage, algo) + key
    return out.ljust(BODY, b"\0")


def slot(usage, algo, signature):
    return struct.pack("<II", usage, algo) + signature.ljust(512, b"\0")


EMPTY_SLOT = slot(EMPTY, 0, b"")


def sign(key, data):
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return le(r, 72) + le(s, 72)


def public_of(cert):
    curve, = struct.unpack_from("<I", cert, 0x10)
    assert curve == 2, "not P-384"
    x = int.from_bytes(cert[0x14:0x5c], "little")
    y = int.from_bytes(cert[0x5c:0xa4], "little")
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP384R1()).public_key()


def verify(public, data, signature):
    r = int.from_bytes(signature[:72], "little")
    s = int.from_bytes(signature[72:144], "little")
    der = utils.encode_dss_signature(r, s)
    public.verify(der, data, ec.ECDSA(hashes.SHA256()))


def signed_by(cert, signer, usage):
    """True if a slot of cert names usage and verifies with signer's key."""
    for at in (BODY, BODY + 0x208):
        u, a = struct.unpack_from("<II", cert, at)
        if u == usage and a == ECDSA_SHA256:
            verify(public_of(signer), cert[:BODY], cert[at + 8:at + 8 + 144])
            return True
    return False


def kdf(key, bits, label, context=b""):
    out = b""
    i = 1
    while len(out) * 8 < bits:
        message = le(i, 4) + label + b"\0" + context + le(bits, 4)
        out += hmac.new(key, message, hashlib.sha256).digest()
        i += 1
    return out[:bits // 8]


def ctr(key, iv, data):
    return Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(data)


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def session(directory, pdh_file, policy):
    own = ec.generate_private_key(ec.SECP384R1())
    z = own.exchange(ec.ECDH(), public_of(read(pdh_file)))
    nonce, wrap_iv, tek, tik = (os.urandom(16) for _ in range(4))
    master = kdf(z, 128, b"sev-master-secret", nonce)
    wrapped = ctr(kdf(master, 128, b"sev-kek"), wrap_iv, tek + tik)
    kik = kdf(master, 128, b"sev-kik")
    blob = nonce + wrapped + wrap_iv + mac(kik, wrapped)
    blob += mac(tik, le(int(policy, 0), 4))
    godh = body(PDH, ECDH_SHA256, own.public_key()) + EMPTY_SLOT + EMPTY_SLOT
    for name, data in (("godh.cert", godh), ("launch_blob.bin", blob),
                       ("tek.bin", tek), ("tik.bin", tik)):
        write(os.path.join(directory, name), data)


def measure(major, minor, build, policy, data_file, blob_file, tik_file):
    blob = read(blob_file)
    assert len(blob) == 48
    tik = bytes(16) if tik_file == "zero" else read(tik_file)
    digest = hashlib.sha256(read(data_file)).digest()
    message = bytes((4, int(major), int(minor), int(build)))
    message += le(int(policy, 0), 4) + digest + blob[32:]
    assert mac(tik, message) == blob[:32], "measurement does not match"


def secret(directory, blob_file, secret_file):
    tek = read(os.path.join(directory, "tek.bin"))
    tik = read(os.path.join(directory, "tik.bin"))
    plain = read(secret_file)
    iv, flags = os.urandom(16), bytes(4)
    cipher = ctr(tek, iv, plain)
    size = le(len(plain), 4)
    m = mac(tik, b"\1" + flags + iv + size + size + cipher +
            read(blob_file)[:32])
    write(os.path.join(directory, "secret_header.bin"), flags + iv + m)
    write(os.path.join(directory, "secret.bin"), cipher)


def sign_csr(directory, csr_file):
    csr = read(csr_file)
    assert len(csr) == CERT
    assert csr[BODY:] == EMPTY_SLOT + EMPTY_SLOT, "CSR is signed"
    key = ec.generate_private_key(ec.SECP384R1())
    oca = body(OCA, ECDSA_SHA256, key.public_key())
    oca += slot(OCA, ECDSA_SHA256, sign(key, oca)) + EMPTY_SLOT
    pek = csr[:BODY] + slot(OCA, ECDSA_SHA256, sign(key, csr[:BODY]))
    write(os.path.join(directory, "oca.cert"), oca)
    write(os.path.join(directory, "pek.cert"), pek + EMPTY_SLOT)


def check_chain(pdh_file, chain_file):
    pdh, chain = read(pdh_file), read(chain_file)
    assert len(pdh) == CERT and len(chain) == 3 * CERT
    pek, oca, cek = (chain[i * CERT:(i + 1) * CERT] for i in range(3))
    assert signed_by(pdh, pek, PEK), "PDH is not signed by the PEK"
    assert signed_by(pek, oca, OCA), "PEK is not signed by the OCA"
    assert signed_by(pek, cek, CEK), "PEK is not signed by the CEK"
    assert signed_by(oca, oca, OCA), "OCA is not self-signed"
    assert cek[BODY:] == EMPTY_SLOT + EMPTY_SLOT, "CEK has signatures"


def check_report(report_file, chain_file):
    report = read(report_file)
    assert len(report) == 208
    usage, algo, reserved = struct.unpack_from("<III", report, 0x34)
    assert (usage, algo, reserved) == (PEK, ECDSA_SHA256, 0)
    verify(public_of(read(chain_file)[:CERT]), report[:0x34], report[0x40:])


COMMANDS = {"session": session, "measure": measure, "secret": secret,
            "sign-csr": sign_csr, "check-chain": check_chain,
            "check-report": check_report}

if __name__ == "__main__":
    try:
        COMMANDS[sys.argv[1]](*sys.argv[2:])
    except (AssertionError, InvalidSignature) as e:
        sys.exit("%s: %s" % (sys.argv[1], e or "signature does not verify"))
