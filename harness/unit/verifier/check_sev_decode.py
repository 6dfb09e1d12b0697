#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check_sev_decode.py JSON FILE: does what `swpsp decode --json` printed (JSON)
of a legacy SEV artefact say what this reader finds in FILE? Exit status 1 and
one line if not. Layouts: abi/sev.md, 5.1, 5.5, 7.1, 7.3, 7.4, 8.
"""
import json
import struct
import sys

USAGE = {0: "ARK", 0x13: "ASK", 0x1000: "none", 0x1001: "OCA", 0x1002: "PEK",
         0x1003: "PDH", 0x1004: "CEK"}
ALGO = {0: "none", 1: "RSASSA-PSS SHA-256", 2: "ECDSA SHA-256",
        3: "ECDH SHA-256", 0x101: "RSASSA-PSS SHA-384",
        0x102: "ECDSA SHA-384", 0x103: "ECDH SHA-384"}
RSA = (1, 0x101)
EC = (2, 3, 0x102, 0x103)
FLAGS = {"nodbg": 0, "noks": 1, "es": 2, "nosend": 3, "domain": 4, "sev": 5}


def same(what, got, want):
    if got != want:
        sys.exit(f"{what}: {got!r}, not {want!r}")


def u32(data, at=0):
    return struct.unpack_from("<I", data, at)[0]


def named(value, names):
    return {"value": hex(value), "name": names.get(value, "unknown")}


def ec_number(field):
    value = int.from_bytes(field, "little")
    return f"{value:096x}" if value < 1 << 384 else f"{value:0144x}"


def long_number(field):
    return field[::-1].hex()


def exponent(field):
    value = int.from_bytes(field, "little")
    return hex(value) if value < 1 << 64 else long_number(field)


def padding(doc, field):
    if any(field):
        doc["padding"] = "not zero"


def report(data):
    policy = u32(data, 0x30)
    want = {"value": hex(policy), "api_major": policy >> 16 & 0xff,
            "api_minor": policy >> 24}
    want.update({k: bool(policy >> b & 1) for k, b in FLAGS.items()})
    if policy & 0xffc0:
        want["reserved"] = hex(policy & 0xffc0)
    doc = {"type": "sev-report", "all_zero": not any(data),
           "mnonce": data[:16].hex(), "launch_digest": data[16:48].hex(),
           "policy": want, "sig_usage": named(u32(data, 0x34), USAGE),
           "sig_algo": named(u32(data, 0x38), ALGO),
           "signature": {"r": ec_number(data[0x40:0x88]),
                         "s": ec_number(data[0x88:0xd0])}}
    if u32(data, 0x3c):
        doc["reserved"] = hex(u32(data, 0x3c))
    return doc


def pubkey(data, algo):
    if algo in EC:
        doc = {"curve": named(u32(data), {1: "P-256", 2: "P-384"}),
               "qx": ec_number(data[4:76]), "qy": ec_number(data[76:148])}
        padding(doc, data[148:])
    elif algo in RSA:
        doc = {"modulus_size": u32(data), "pub_exp": exponent(data[4:516]),
               "modulus": long_number(data[516:])}
    else:
        doc = {"bytes": data.hex()}
    return doc


def slot(data):
    usage, algo = struct.unpack_from("<II", data)
    sig = data[8:]
    doc = {"usage": named(usage, USAGE), "algo": named(algo, ALGO)}
    if algo in EC:
        doc.update(r=ec_number(sig[:72]), s=ec_number(sig[72:144]))
        padding(doc, sig[144:])
    elif algo in RSA:
        doc["signature"] = long_number(sig)
    elif algo == 0:
        padding(doc, sig)
    else:
        doc["bytes"] = sig.hex()
    return doc


def cert(data):
    usage, algo = u32(data, 8), u32(data, 12)
    doc = {"type": "sev-cert", "kind": USAGE.get(usage, "unknown"),
           "version": u32(data), "api": f"{data[4]}.{data[5]}",
           "pubkey_usage": named(usage, USAGE),
           "pubkey_algo": named(algo, ALGO),
           "pubkey": pubkey(data[0x10:0x414], algo),
           "signatures": [slot(data[0x414:0x61c]), slot(data[0x61c:0x824])]}
    if any(data[6:8]):
        doc["reserved"] = hex(struct.unpack_from("<H", data, 6)[0])
    return doc


def amd_certs(data):
    prefix = {"1bb987c359494606": "Naples", "e6002122fb584193": "Rome",
              "94c38e4177d04792": "Milan", "9f9d4a8fe7614565": "Genoa",
              "d05c3a8bde484904": "Turin"}
    certs = []
    while data:
        size = u32(data, 0x3c) // 8
        parts = [data[64 + i * size:64 + (i + 1) * size] for i in range(3)]
        doc = {"usage": USAGE[u32(data, 0x24)], "version": u32(data),
               "simulated": b"SIMULATE" in (data[12:20], data[28:36]),
               "key_id": data[4:20].hex(), "certifying_id": data[20:36].hex(),
               "modulus_bits": 8 * size,
               "signature_algo": named(1 if size == 256 else 0x101, ALGO),
               "pub_exp": exponent(parts[0]),
               "modulus": long_number(parts[1]),
               "signature": long_number(parts[2])}
        if doc["usage"] == "ARK" and data[4:12].hex() in prefix:
            doc["product"] = prefix[data[4:12].hex()]
        certs.append(doc)
        data = data[64 + 3 * size:]
    return {"type": "amd-cert", "certificates": certs}


def chain(data):
    count = min(4, len(data) // 2084)
    doc = {"type": "sev-chain",
           "certificates": [cert(data[i * 2084:(i + 1) * 2084])
                            for i in range(count)]}
    if len(data) > count * 2084:
        doc["ca"] = amd_certs(data[count * 2084:])
    return doc


def evidence(data):
    doc = {"type": "sev-evidence", "report": report(data[:208]),
           "cek": cert(data[208:2292]), "pek": cert(data[2292:4376]),
           "oca": cert(data[4376:6460])}
    if len(data) == 6461:
        doc["device_type"] = named(data[6460], {0: "Rome", 1: "Naples",
                                                2: "Milan"})
    return doc


def measurement(data):
    return {"type": "sev-measurement", "measure": data[:32].hex(),
            "mnonce": data[32:].hex()}


def session(data):
    return {"type": "sev-session", "nonce": data[:16].hex(),
            "wrap_tk": data[16:48].hex(), "wrap_iv": data[48:64].hex(),
            "wrap_mac": data[64:96].hex(), "policy_mac": data[96:].hex()}


def packet(data):
    return {"type": "sev-packet",
            "flags": {"value": hex(u32(data)), "compressed": bool(data[0] & 1)},
            "iv": data[4:20].hex(), "mac": data[20:].hex()}


READERS = {"sev-report": report, "sev-cert": cert, "sev-chain": chain,
           "sev-evidence": evidence, "sev-measurement": measurement,
           "sev-session": session, "sev-packet": packet,
           "amd-cert": amd_certs}


def main():
    with open(sys.argv[1], encoding="ascii") as f:
        doc = json.load(f)
    with open(sys.argv[2], "rb") as f:
        data = f.read()
    same("document", doc, READERS[doc["type"]](data))


if __name__ == "__main__":
    main()
