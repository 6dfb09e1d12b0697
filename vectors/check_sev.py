# SPDX-License-Identifier: Apache-2.0
"""Checks of the legacy families, on hashlib, hmac and `cryptography` alone."""
import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CERT, BODY, SLOT = 0x824, 0x414, 0x208
OCA, PEK, PDH, CEK, ASK, ARK, NONE = (0x1001, 0x1002, 0x1003, 0x1004, 0x13, 0,
                                      0x1000)
N384 = int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
           "581a0db248b0a77aecec196accc52973", 16)


def number(data):
    return int.from_bytes(data, "little")


def le32(n):
    return struct.pack("<I", n)


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def ctr(key, iv, data):
    return Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(data)


def kdf(key, label, context=b""):
    """16 bytes; counter and length little-endian."""
    return mac(key, le32(1), label, b"\0", context, le32(128))[:16]


# --- certificates ---

def amd_parts(cert):
    """(usage, body size, key) of a certificate in AMD's format."""
    usage, = struct.unpack_from("<I", cert, 0x24)
    bits, mod = struct.unpack_from("<II", cert, 0x38)
    size = mod // 8
    e = number(cert[0x40:0x40 + bits // 8])
    at = 0x40 + bits // 8
    key = rsa.RSAPublicNumbers(e, number(cert[at:at + size])).public_key()
    return usage, at + size, key


def ec_key(cert):
    """The public key; ValueError when it is no point of P-384."""
    curve, = struct.unpack_from("<I", cert, 0x10)
    if curve != 2:
        raise ValueError("curve")
    return ec.EllipticCurvePublicNumbers(
        number(cert[0x14:0x5c]), number(cert[0x5c:0xa4]),
        ec.SECP384R1()).public_key()


def ecdsa_ok(key, data, sig):
    r, s = number(sig[:72]), number(sig[72:144])
    if not (0 < r < N384 and 0 < s < N384):
        return False
    try:
        key.verify(utils.encode_dss_signature(r, s), data,
                   ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def pss_ok(key, data, sig, digest):
    size = key.key_size // 8
    try:
        key.verify(sig[:size][::-1], data,
                   padding.PSS(padding.MGF1(digest), digest.digest_size),
                   digest)
    except InvalidSignature:
        return False
    return True


def signer_of(cert):
    """(usage, algorithm, key)."""
    if len(cert) == CERT:
        usage, algo = struct.unpack_from("<II", cert, 8)
        return usage, algo, ec_key(cert)
    usage, _, key = amd_parts(cert)
    return usage, 1 if key.key_size == 2048 else 0x101, key


def related(cert, signer):
    """True if signer signed cert."""
    usage, algo, key = signer_of(signer)
    digest = hashes.SHA256() if algo == 1 else hashes.SHA384()
    if len(cert) != CERT:
        _, size, _ = amd_parts(cert)
        return pss_ok(key, cert[:size], cert[size:], digest)
    for at in (BODY, BODY + SLOT):
        if struct.unpack_from("<II", cert, at) != (usage, algo):
            continue
        sig = cert[at + 8:at + SLOT]
        if algo == 2:
            return ecdsa_ok(key, cert[:BODY], sig)
        return pss_ok(key, cert[:BODY], sig, digest)
    return False


def check_certificates(data, need):
    for group in data["testGroups"]:
        for test in group["tests"]:
            where = "sev_certificate tcId %d: " % test["tcId"]
            cert = bytes.fromhex(test["certificate"])
            good = related(cert, bytes.fromhex(test["signer"]))
            need(good == (test["result"] == "valid"), where + "relation")
            if good and len(cert) == CERT:
                names = {"PDH": PDH, "PEK": PEK, "OCA": OCA, "CEK": CEK}
                usage, = struct.unpack_from("<I", cert, 8)
                need(usage == names[test["relation"][:3]], where + "usage")


def slots_verify(cert, usage, algo, key):
    """Status of the firmware's walk over both slots."""
    answer = 6
    for at in (BODY, BODY + SLOT):
        u, a = struct.unpack_from("<II", cert, at)
        if (u == NONE) != (a == 0):
            return 10
        if (u, a) == (usage, algo):
            if ecdsa_ok(key, cert[:BODY], cert[at + 8:at + SLOT]):
                return 0
            answer = 10
    return answer


def import_status(test, csr, owned):
    pek, oca = bytes.fromhex(test["pek"]), bytes.fromhex(test["oca"])
    if owned:
        return 5
    if (test["pekLength"], test["ocaLength"]) != (CERT, CERT):
        return 4
    try:
        key = ec_key(oca)
    except ValueError:
        return 6
    usage, algo = struct.unpack_from("<II", oca, 8)
    for cert in (oca, pek):
        status = slots_verify(cert, usage, algo, key)
        if status != 0:
            return status
        if number(cert[:4]) != 1:
            return 6
    if usage != OCA or pek[:BODY] != csr[:BODY]:
        return 6
    empty = [struct.unpack_from("<I", pek, at)[0] == NONE
             for at in (BODY, BODY + SLOT)]
    return 0 if any(empty) else 6


def check_imports(data, need):
    for group in data["testGroups"]:
        csr = bytes.fromhex(group["given"]["csr"])
        need(csr[BODY:] == 2 * (le32(NONE) + bytes(516)), "sev_import: CSR")
        owned = False
        for test in group["tests"]:
            where = "sev_import tcId %d: " % test["tcId"]
            status = import_status(test, csr, owned)
            need(status == test["status"], where + "status %d" % status)
            owned = owned or status == 0
            need(test["ownerAfter"] == owned, where + "owner")
            need((status == 0) == (test["result"] == "valid"), where + "result")


# --- launches ---

def session_status(given, test):
    godh, blob = bytes.fromhex(test["godh"]), bytes.fromhex(test["session"])
    version, = struct.unpack_from("<I", godh)
    try:
        peer = ec_key(godh)
    except ValueError:
        return 6
    if version != 1 or struct.unpack_from("<II", godh, 8) != (PDH, 3):
        return 6
    private = ec.derive_private_key(int(test["ownerKey"], 16), ec.SECP384R1())
    own = private.public_key().public_numbers()
    there = peer.public_numbers()
    if (own.x, own.y) != (there.x, there.y):
        return 11  # made with another key than it names
    z = private.exchange(ec.ECDH(), ec_key(bytes.fromhex(given["pdh"])))
    master = kdf(z, b"sev-master-secret", blob[:16])
    wrapped, iv = blob[0x10:0x30], blob[0x30:0x40]
    if mac(kdf(master, b"sev-kik"), wrapped) != blob[0x40:0x60]:
        return 11
    keys = ctr(kdf(master, b"sev-kek"), iv, wrapped)
    if mac(keys[16:], le32(test["policy"])) != blob[0x60:]:
        return 11
    api = (test["policy"] >> 16 & 0xff, test["policy"] >> 24)
    if (given["apiMajor"], given["apiMinor"]) < api or test["policy"] & 0xffc0:
        return 7
    if keys != bytes.fromhex(test["tek"] + test["tik"]):
        return -1
    return 0


def check_sessions(data, need):
    for group in data["testGroups"]:
        for test in group["tests"]:
            where = "sev_session tcId %d: " % test["tcId"]
            status = session_status(group["given"], test)
            need(status == test["status"], where + "status %d" % status)
            need((status == 0) == (test["result"] == "valid"), where + "result")


def measurement(given, test):
    h = hashlib.sha256()
    for part in test["data"] + test["vmsas"]:
        h.update(bytes.fromhex(part))
    version = bytes((given["apiMajor"], given["apiMinor"], given["build"]))
    return h.digest(), mac(bytes.fromhex(test["tik"]), b"\4", version,
                           le32(test["policy"]), h.digest(),
                           bytes.fromhex(test["mnonce"]))


def check_measurements(data, need):
    for group in data["testGroups"]:
        for test in group["tests"]:
            good = measurement(group["given"], test)[1].hex() == \
                test["measure"]
            need(good == (test["result"] == "valid"),
                 "sev_measurement tcId %d" % test["tcId"])


def secret_status(given, test):
    header, payload = (bytes.fromhex(test[k]) for k in ("header", "payload"))
    size = len(payload)
    if test["guestAddress"] % 16:
        return 9, None
    if size == 0 or size % 16 or size > 16384:
        return 4, None
    expected = mac(bytes.fromhex(given["tik"]), b"\1", header[:0x14],
                   le32(size), le32(size), payload,
                   bytes.fromhex(given["measure"]))
    if expected != header[0x14:]:
        return 11, None
    return 0, ctr(bytes.fromhex(given["tek"]), header[4:0x14], payload).hex()


def check_secrets(data, need):
    for group in data["testGroups"]:
        given = group["given"]
        need(measurement(given, given)[1].hex() == given["measure"],
             "sev_secret: measurement")
        for test in group["tests"]:
            where = "sev_secret tcId %d: " % test["tcId"]
            status, memory = secret_status(given, test)
            need(status == test["status"], where + "status %d" % status)
            need(memory == test["guestMemory"], where + "guest memory")
            need((status == 0) == (test["result"] == "valid"), where + "result")


def check_reports(data, need):
    for group in data["testGroups"]:
        given = group["given"]
        digest, expected = measurement(given, given)
        key = ec_key(bytes.fromhex(given["pek"]))
        need(expected.hex() == given["measure"], "sev_report: measurement")
        for test in group["tests"]:
            where = "sev_report tcId %d: " % test["tcId"]
            need((test["status"] == 0) == (test["result"] == "valid"),
                 where + "result")
            need(test["lengthAfter"] == (208 if test["status"] in (0, 4) else
                                         test["length"]), where + "length")
            if test["status"] != 0:
                need(test["status"] == {"Length": 4, "Handle": 16, "State": 2}[
                    test["flags"][0]], where + "status")
                continue
            r = bytes.fromhex(test["report"])
            need(r[:0x34] == bytes.fromhex(test["mnonce"]) + digest +
                 le32(given["policy"]), where + "body")
            need(r[0x34:0x40] == struct.pack("<III", PEK, 2, 0),
                 where + "signature fields")
            need(ecdsa_ok(key, r[:0x34], r[0x40:]), where + "signature")
            need(not ecdsa_ok(key, b"\1" + r[1:0x34], r[0x40:]) or r[0] == 1,
                 where + "a changed report verifies")


# --- transcripts: a second model, of states and shapes only ---

class Model:
    """Legacy platform and its guests as [55766] describes their states."""

    def __init__(self, given):
        self.state = 0
        self.guests = {}
        self.memory = given["memorySize"]
        self.min_asid = given["minSevAsid"]
        self.dirty = set()
        self.all_dirty = False

    def mapped(self, address, size):
        return address + size <= self.memory

    def guest(self, handle):
        return self.guests.get(handle)

    def init(self, b):
        options, reserved, tmr, length = struct.unpack("<IIQI", b)
        if self.state != 0:
            return 1
        if options & ~1 or reserved:
            return 3
        if options & 1 and tmr % 0x100000:
            return 9
        if options & 1 and length != 0x100000:
            return 4
        self.state, self.all_dirty = 1, True
        return 0

    def blob(self, b, needed):
        address, length = struct.unpack("<QI", b)
        if length < needed:
            return 4
        return 0 if self.mapped(address, needed) else 9

    def shutdown(self):
        self.state, self.guests = 0, {}
        return 0

    def start(self, b):
        handle, policy, godh = struct.unpack_from("<IIQ", b)
        if self.state == 0:
            return 1
        assert godh == 0
        if policy & 0xffc0 or policy >> 16 & 0xff > 1:
            return 7
        if handle != 0 and handle not in self.guests:
            return 16
        new = next(h for h in range(1, 1025) if h not in self.guests)
        self.guests[new] = {"state": 1, "policy": policy, "asid": 0}
        self.state = 2
        return 0

    def activate(self, b):
        handle, asid = struct.unpack("<II", b)
        g = self.guest(handle)
        if self.state != 2:
            return 1
        if g is None:
            return 16
        if not 1 <= asid < 100000:
            return 13
        if asid in [x["asid"] for x in self.guests.values()]:
            return 12
        if g["asid"]:
            return 18
        if self.all_dirty or asid in self.dirty:
            return 15
        if bool(g["policy"] & 4) != (asid < self.min_asid):
            return 13
        g["asid"] = asid
        return 0

    def with_guest(self, b, run):
        g = self.guest(struct.unpack_from("<I", b)[0])
        if self.state != 2:
            return 1
        return 16 if g is None else run(g)

    def deactivate(self, g):
        if not g["asid"]:
            return 8
        if g["state"] >= 3:
            self.dirty.add(g["asid"])
        g["asid"] = 0
        return 0

    def decommission(self, g):
        if g["asid"]:
            return 18
        self.guests = {h: x for h, x in self.guests.items() if x is not g}
        self.state = 2 if self.guests else 1
        return 0

    def update(self, g, b, vmsa):
        address, length = struct.unpack_from("<QI", b, 8)
        if g["state"] != 1:
            return 2
        if vmsa and not g["policy"] & 4:
            return 21
        if not g["asid"]:
            return 8
        if address % 16:
            return 9
        if length == 0 or length % 16:
            return 4
        return 0 if self.mapped(address, length) else 9

    def measure(self, g, b):
        address, length = struct.unpack_from("<QI", b, 8)
        if g["state"] != 1:
            return 2
        if length < 48:
            return 4
        if not self.mapped(address, 48):
            return 9
        g["state"] = 2
        return 0

    def finish(self, g):
        if g["state"] != 2:
            return 2
        g["state"] = 3
        return 0

    def attest(self, g, b):
        if g["state"] not in (2, 3):
            return 2
        length, = struct.unpack_from("<I", b, 32)
        return 4 if length < 208 else 0

    def flush(self):
        if self.state == 0:
            return 1
        self.dirty, self.all_dirty = set(), False
        return 0

    def debug(self, b):
        source, target, length = struct.unpack_from("<QQI", b, 8)
        if self.state != 2:
            return 1
        if source % 16 or target % 16:
            return 9
        if length % 16:
            return 4
        return self.with_guest(b, lambda g: 7 if g["policy"] & 1 else
                               0 if g["asid"] else 8)

    def run(self, command, b):
        up = self.state != 0
        table = {
            0x01: lambda: self.init(b), 0x02: self.shutdown,
            0x03: lambda: 1 if up else 0, 0x04: lambda: 0,
            0x05: lambda: 0 if self.state == 1 else 1,
            0x06: lambda: self.blob(b, 2084) if up else 1,
            0x09: lambda: 0 if up else 1, 0x0a: self.flush,
            0x0c: lambda: self.blob(b, 64), 0x0e: lambda: 0,
            0x20: lambda: self.with_guest(b, self.decommission),
            0x21: lambda: self.activate(b),
            0x22: lambda: self.with_guest(b, self.deactivate),
            0x23: lambda: 0 if up else 1, 0x30: lambda: self.start(b),
            0x31: lambda: self.with_guest(
                b, lambda g: self.update(g, b, False)),
            0x32: lambda: 4 if struct.unpack_from("<I", b, 16)[0] != 4096 else
            self.with_guest(b, lambda g: self.update(g, b, True)),
            0x33: lambda: self.with_guest(b, lambda g: self.measure(g, b)),
            0x35: lambda: self.with_guest(b, self.finish),
            0x36: lambda: self.with_guest(b, lambda g: self.attest(g, b)),
            0x60: lambda: self.debug(b),
        }
        return table[command]() if command in table else 17


# Offset of the length that is written on INVALID_LENGTH, and its value.
QUERIES = {0x06: (8, 2084), 0x0c: (8, 64), 0x33: (16, 48), 0x36: (32, 208)}
WRITTEN = {0x04, 0x06, 0x0c, 0x23, 0x30, 0x36}


def check_commands(data, need):
    for group in data["testGroups"]:
        model = Model(group["given"])
        for test in group["tests"]:
            where = "sev_command tcId %d: " % test["tcId"]
            before, after = (bytes.fromhex(test[k])
                             for k in ("buffer", "bufferAfter"))
            command = test["command"]
            status = model.run(command, before)
            need(status == test["status"], where + "status %d" % status)
            need((status == 0) == (test["result"] == "valid"), where + "result")
            need((model.state, len(model.guests)) ==
                 (test["stateAfter"], test["guestCountAfter"]),
                 where + "state")
            if status == 4 and command in QUERIES:
                at, value = QUERIES[command]
                need(after == before[:at] + le32(value) + before[at + 4:],
                     where + "length")
            elif status != 0 or command not in WRITTEN:
                need(after == before, where + "buffer")
            elif command == 0x04:
                need((after[2], number(after[8:])) ==
                     (model.state, len(model.guests)), where + "status buffer")
            elif command == 0x23:
                g = model.guest(number(before[:4]))
                need(after[12] == (g["state"] if g else 0), where + "state")


FAMILIES = {
    "sev_certificate.json": check_certificates,
    "sev_import.json": check_imports,
    "sev_session.json": check_sessions,
    "sev_measurement.json": check_measurements,
    "sev_secret.json": check_secrets,
    "sev_report.json": check_reports,
    "sev_command.json": check_commands,
}
