#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check vectors/v1 with code that shares nothing with the generator: own key
derivation on hashlib and hmac, AES, RSA and ECDSA from `cryptography`; and with
the schema that each file names.

usage: check.py [DIR]
"""
import hashlib
import hmac
import json
import os
import struct
import sys

import check_sev
import schema_check

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

N384 = int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
           "581a0db248b0a77aecec196accc52973", 16)
CHECKS = 0


def need(condition, what):
    global CHECKS
    CHECKS += 1
    if not condition:
        raise SystemExit("check.py: " + what)


def kdf(root, label, context, bits):
    out = b""
    i = 1
    while len(out) * 8 < bits:
        out += hmac.new(root, struct.pack(">I", i) + label + b"\0" + context +
                        struct.pack(">I", bits), hashlib.sha384).digest()
        i += 1
    return out[:bits // 8]


def vcek(secret, tcb):
    seed = kdf(secret, b"VCEK seed", tcb, 384)
    wide = int.from_bytes(kdf(seed, b"VCEK signing key", b"", 448), "big")
    return seed, ec.derive_private_key(1 + wide % (N384 - 1), ec.SECP384R1())


def verify_report(report, key):
    r = int.from_bytes(report[0x2a0:0x2a0 + 72], "little")
    s = int.from_bytes(report[0x2e8:0x2e8 + 72], "little")
    try:
        key.public_key().verify(utils.encode_dss_signature(r, s),
                                report[:0x2a0], ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        return False
    return True


def check_reports(data):
    versions = {"milan-old": 2, "milan": 3, "genoa": 3, "turin": 5}
    for group in data["testGroups"]:
        given = group["given"]
        for test in group["tests"]:
            where = "snp_report tcId %d: " % test["tcId"]
            request = bytes.fromhex(test["request"])
            response = bytes.fromhex(test["response"])
            status, size = struct.unpack_from("<II", response)
            need(status == test["status"], where + "status")
            need((status == 0) == (test["result"] == "valid"), where + "result")
            if status != 0:
                need(not any(response[4:]), where + "bytes beside a refusal")
                continue
            report = response[0x20:]
            need(size == 0x4a0 == len(report), where + "size")
            need(struct.unpack_from("<I", report)[0] ==
                 versions[given["profile"]], where + "version")
            need(report[0x50:0x90] == request[:64], where + "report data")
            need(report[0x30:0x34] == request[0x40:0x44], where + "VMPL")
            need(report[0x1a0:0x1e0].hex() == given["chipId"],
                 where + "chip id")
            _, key = vcek(bytes.fromhex(given["chipSecret"]),
                          report[0x180:0x188])
            need(verify_report(report, key), where + "signature")
            need(not verify_report(bytes([report[0] ^ 1]) + report[1:], key),
                 where + "a changed report verifies")


def check_messages(data):
    for group in data["testGroups"]:
        keys = bytes.fromhex(group["given"]["vmpck"])
        counter = [group["given"]["counter"]] * 4
        for test in group["tests"]:
            where = "snp_guest_message tcId %d: " % test["tcId"]
            request = bytes.fromhex(test["request"])
            need((test["mailboxStatus"] == 0) == (test["result"] == "valid"),
                 where + "result")
            need((test["response"] is not None) == (test["result"] == "valid"),
                 where + "response")
            if test["result"] != "valid":
                continue
            slot = request[0x3c]
            aead = AESGCM(keys[32 * slot:32 * slot + 32])
            seq = struct.unpack_from("<Q", request, 0x20)[0]
            need(seq == counter[slot] + 1, where + "sequence number")
            aead.decrypt(struct.pack("<QI", seq, 0),
                         request[0x60:] + request[:16], request[0x30:0x60])
            response = bytes.fromhex(test["response"])
            need(struct.unpack_from("<Q", response, 0x20)[0] == seq + 1,
                 where + "response number")
            need(response[0x34] == request[0x34] + 1, where + "response type")
            need(response[0x35] == request[0x35], where + "response version")
            plain = aead.decrypt(struct.pack("<QI", seq + 1, 0),
                                 response[0x60:] + response[:16],
                                 response[0x30:0x60])
            need(len(plain) == struct.unpack_from("<H", response, 0x36)[0],
                 where + "response size")
            need(struct.unpack_from("<I", plain)[0] == 0, where + "status")
            counter[slot] = seq + 1


def derive(given, test):
    request = bytes.fromhex(test["request"])
    select, _, fields, vmpl, svn = struct.unpack_from("<IIQII", request)
    tcb = request[0x18:0x20]
    mit = request[0x20:0x28] if test["msgVersion"] == 2 else bytes(8)

    def chosen(bit, value):
        return value if fields >> bit & 1 else bytes(len(value))

    root, _ = vcek(bytes.fromhex(given["chipSecret"]),
                   tcb if fields & 0x20 else
                   bytes.fromhex(given["reportedTcb"]))
    context = struct.pack("<IBBHQI", 1, 0, given["identityClass"], 0, fields,
                          vmpl)
    context += chosen(4, struct.pack("<I", svn)) + chosen(5, tcb)
    context += chosen(6, mit) + chosen(0, struct.pack("<Q", given["policy"]))
    context += chosen(1, bytes.fromhex(given["imageId"]))
    context += chosen(2, bytes.fromhex(given["familyId"]))
    context += chosen(3, bytes.fromhex(given["measurement"]))
    context += bytes.fromhex(given["hostData"])
    context += bytes.fromhex(given["identityDigest"])
    need(len(context) == 0xd0, "context size")
    del select
    return kdf(root, b"SNP guest derived key", context, 256)


def check_keys(data):
    for group in data["testGroups"]:
        for test in group["tests"]:
            where = "snp_derived_key tcId %d: " % test["tcId"]
            key = bytes.fromhex(test["key"])
            need((test["status"] == 0) == (test["result"] == "valid"),
                 where + "result")
            if test["status"] != 0:
                need(not any(key), where + "a key beside a refusal")
            else:
                need(key == derive(group["given"], test), where + "key")


def check_schema(data, name):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema",
                        name.replace(".json", ".schema.json"))
    need(data["schema"] == os.path.basename(path), name + ": schema")
    with open(path, encoding="utf-8") as text:
        schema = json.load(text)
    for problem in schema_check.problems(data, schema, schema):
        need(False, name + ": " + problem)
    need(True, name)


def legacy(check):
    return lambda data: check(data, need)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "vectors/v1"
    families = {"snp_report.json": check_reports,
                "snp_guest_message.json": check_messages,
                "snp_derived_key.json": check_keys}
    families.update({name: legacy(check)
                     for name, check in check_sev.FAMILIES.items()})
    need(sorted(os.listdir(folder)) == sorted(families), "files in " + folder)
    for name, check in families.items():
        with open(os.path.join(folder, name), encoding="utf-8") as text:
            data = json.load(text)
        check_schema(data, name)
        ids = [t["tcId"] for g in data["testGroups"] for t in g["tests"]]
        need(ids == list(range(1, data["numberOfTests"] + 1)),
             name + ": test numbers")
        for group in data["testGroups"]:
            for test in group["tests"]:
                need(all(flag in data["notes"] for flag in test["flags"]),
                     name + ": flag without note")
        check(data)
    print("%d checks" % CHECKS)


if __name__ == "__main__":
    main()
