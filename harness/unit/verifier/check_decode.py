#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check_decode.py JSON FILE: does what `swpsp decode --json` printed (JSON) say
what an independent reader finds in FILE? Exit status 1 and one line if not.

Reports are read with the oracle's table, certificates and CRLs with
python3-cryptography.
"""
import datetime
import hashlib
import json
import os
import struct
import sys

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../support"))
from snp_oracle import REPORT  # noqa: E402

POLICY_BITS = {"smt": 16, "reserved_17": 17, "migrate_ma": 18, "debug": 19,
               "single_socket": 20, "cxl_allow": 21, "mem_aes_256_xts": 22,
               "rapl_dis": 23, "ciphertext_hiding_dram": 24,
               "page_swap_disable": 25}
INFO_BITS = {"smt_en": 0, "tsme_en": 1, "ecc_en": 2, "rapl_dis": 3,
             "ciphertext_hiding_dram_en": 4, "alias_check_complete": 5,
             "bit_6": 6, "tio_en": 7}
TCB = {"classic": {"boot_loader": 0, "tee": 1, "snp": 6, "microcode": 7},
       "turin": {"fmc": 0, "boot_loader": 1, "tee": 2, "snp": 3,
                 "microcode": 7}}


def same(what, got, want):
    if got != want:
        sys.exit(f"{what}: {got!r}, not {want!r}")


def check_tcb(name, got, raw, layout):
    want = {"value": raw.hex()}
    want.update({k: raw[i] for k, i in TCB.get(layout, {}).items()})
    same(name, got, want)


def bits(value, table):
    return {k: bool(value >> b & 1) for k, b in table.items()}


def layout_of(f, version):
    if version >= 3:
        return {0x19: "classic", 0x1a: "turin"}.get(f["cpuid"][0])
    if not any(f["chip_id"]):
        return None
    return "classic" if any(f["chip_id"][8:]) else "turin"


def check_report(doc, data):
    f = {}
    for name, at, size, kind in REPORT:
        raw = data[at:at + size]
        f[name] = int.from_bytes(raw, "little") if kind == "u" else raw
    version = f["version"]
    same("type", doc.pop("type"), "report")
    doc.pop("product"), doc.pop("simulated")
    for name in ("version", "guest_svn", "vmpl", "signature_algo"):
        same(name, doc.pop(name), f[name])
    for name in ("family_id", "image_id", "report_data", "measurement",
                 "host_data", "id_key_digest", "author_key_digest",
                 "report_id", "report_id_ma", "chip_id"):
        same(name, doc.pop(name), f[name].hex())
    layout = layout_of(f, version)
    for name in ("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"):
        check_tcb(name, doc.pop(name), f[name], layout)
    for which in ("current", "committed"):
        same(which, doc.pop(which + "_version"), "%d.%d.%d" % tuple(
            f[which + part] for part in ("_major", "_minor", "_build")))
    policy = doc.pop("policy")
    want = {"value": hex(f["policy"]), "abi_major": f["policy"] >> 8 & 0xff,
            "abi_minor": f["policy"] & 0xff, **bits(f["policy"], POLICY_BITS)}
    if f["policy"] >> 26:
        want["reserved"] = hex(f["policy"] >> 26 << 26)
    same("policy", policy, want)
    info = doc.pop("platform_info")
    want = {"value": hex(f["platform_info"]),
            **bits(f["platform_info"], INFO_BITS)}
    if f["platform_info"] >> 8:
        want["reserved"] = hex(f["platform_info"] >> 8 << 8)
    same("platform_info", info, want)
    key = doc.pop("key_info")
    ki = f["key_info"]
    want = {"value": hex(ki), "author_key_en": bool(ki & 1),
            "mask_chip_key": bool(ki & 2), "signing_key":
            {0: "VCEK", 1: "VLEK", 7: "none"}.get(ki >> 2 & 7, "reserved")}
    if ki >> 5:
        want["reserved"] = hex(ki >> 5 << 5)
    same("key_info", key, want)
    if version >= 3:
        same("cpuid", [doc.pop("cpuid_fam_id"), doc.pop("cpuid_mod_id"),
                       doc.pop("cpuid_step")], list(f["cpuid"]))
    if version >= 5:
        for name in ("launch_mit_vector", "current_mit_vector"):
            same(name, doc.pop(name), hex(f[name]))
    signature = doc.pop("signature")
    for name in ("r", "s"):
        same(name, int(signature[name], 16), int.from_bytes(f[name], "little"))
    same("further members", doc, {})


def moment(t):
    return t.replace(tzinfo=datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


def amd_content(suffix, raw):
    if suffix in ("2", "5"):
        return raw[2:].decode("ascii")
    if suffix == "4":
        return raw.hex()
    return int.from_bytes(raw[2:], "big")


def check_cert(doc, cert):
    der = cert.public_bytes(Encoding.DER)
    same("type", doc["type"], "certificate")
    same("sha256", doc["sha256"], hashlib.sha256(der).hexdigest())
    same("serial", int(doc["serial"], 16), cert.serial_number)
    same("not_before", doc["not_before"], moment(cert.not_valid_before))
    same("not_after", doc["not_after"], moment(cert.not_valid_after))
    same("subject", doc["subject"], cert.subject.rfc4514_string().replace(
        "2.5.4.13=", "description="))
    key = cert.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        same("public_key", doc["public_key"], f"RSA-{key.key_size}")
    elif isinstance(key, ec.EllipticCurvePublicKey):
        same("public_key", doc["public_key"], "P-384")
    got = [(e["oid"], e["critical"]) for e in doc["extensions"]]
    want = [(e.oid.dotted_string, e.critical) for e in cert.extensions]
    same("extensions", got, want)
    for e, shown in zip(cert.extensions, doc["extensions"]):
        arc = "1.3.6.1.4.1.3704.1."
        if e.oid.dotted_string.startswith(arc):
            suffix = e.oid.dotted_string[len(arc):]
            same(suffix, shown["content"],
                 amd_content(suffix, e.value.value))


def check_crl(doc, crl):
    same("type", doc["type"], "crl")
    same("this_update", doc["this_update"], moment(crl.last_update))
    same("revoked", [int(r["serial"], 16) for r in doc["revoked"]],
         [r.serial_number for r in crl])


def load(data):
    if b"-----BEGIN X509 CRL" in data:
        return x509.load_pem_x509_crl(data)
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificate(data)
    try:
        return x509.load_der_x509_certificate(data)
    except ValueError:
        return x509.load_der_x509_crl(data)


def check_x509(doc, data):
    thing = load(data)
    if isinstance(thing, x509.Certificate):
        check_cert(doc, thing)
    else:
        check_crl(doc, thing)


def check_table(doc, data):
    same("type", doc["type"], "table")
    at = 0
    for entry in doc["entries"]:
        guid, offset, size = struct.unpack_from("<16sII", data, at)
        at += 24
        same("guid", entry["guid"].replace("-", ""), guid.hex())
        same("place", (entry["offset"], entry["size"]), (offset, size))
        if "content" in entry:
            check_x509(entry["content"], data[offset:offset + size])
    same("terminator", data[at:at + 24], bytes(24))


def check(doc, data):
    kind = doc["type"]
    if kind == "report":
        check_report(doc, data)
    elif kind == "evidence":
        check_report(doc["report"], data[:0x4a0])
        check_table(doc["table"], data[0x4a0:])
    elif kind == "response":
        same("status", doc["status"], struct.unpack_from("<I", data)[0])
        if doc["status"] == 0:
            check_report(doc["report"], data[0x20:0x4c0])
    elif kind == "table":
        check_table(doc, data)
    elif kind == "chain":
        parts = data.split(b"-----BEGIN ")[1:]
        same("objects", len(doc["objects"]), len(parts))
        for one, part in zip(doc["objects"], parts):
            check_x509(one, b"-----BEGIN " + part)
    else:
        check_x509(doc, data)


def main():
    with open(sys.argv[1], encoding="ascii") as f:
        doc = json.load(f)
    with open(sys.argv[2], "rb") as f:
        check(doc, f.read())


if __name__ == "__main__":
    main()
