#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make fuzz/corpus from vectors/v1 and from a certificate export.

usage: seeds.py SWPSP     (run from the top folder)

Only adds and overwrites its own files (seed-*).
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

CORPUS = "fuzz/corpus"


def put(target, name, data):
    folder = os.path.join(CORPUS, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "seed-" + name), "wb") as out:
        out.write(data)


def vectors(name):
    with open("vectors/v1/" + name, encoding="utf-8") as text:
        return json.load(text)["testGroups"]


def reports():
    for i, group in enumerate(vectors("snp_report.json")):
        response = bytes.fromhex(group["tests"][0]["response"])
        put("fuzz_report", "%d" % i, response[0x20:])
        yield group["given"]["profile"], response[0x20:]


def blobs(parts):
    lengths = [len(p) for p in parts]
    return struct.pack("<5H", lengths[0] | 0x8000, *lengths[1:]) + \
        b"".join(parts)


def certificates(swpsp, by_profile):
    for profile, report in by_profile.items():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([swpsp, "certs", "export", "--insecure-dev-seed",
                            "--profile", profile, folder], check=True)
            product = os.listdir(folder + "/pki")[0]

            def read(name):
                with open(os.path.join(folder, name), "rb") as f:
                    return f.read()
            put("fuzz_cert_table", profile, read("guest/cert_table.bin"))
            pki = "pki/%s/" % product
            put("fuzz_verify", profile + "-der",
                blobs([report, read("guest/vcek.der"), read(pki + "ask.der"),
                       read(pki + "ark.der"), read(pki + "crl.der")]))
            put("fuzz_verify", profile + "-pem",
                blobs([report, read("guest/vcek.pem"), read(pki + "ask.pem"),
                       read(pki + "ark.pem"), b""]))
    put("fuzz_cert_table", "empty", b"")
    put("fuzz_cert_table", "terminator", bytes(24))
    put("fuzz_cert_table", "no-terminator", b"\x01" * 24)
    put("fuzz_verify", "nothing", b"")


def messages():
    for group in vectors("snp_guest_message.json"):
        for test in group["tests"]:
            request = bytes.fromhex(test["request"])
            put("fuzz_guest_request", "raw-%02d" % test["tcId"],
                b"\x01" + request)
    sizes = {1: (0x10, 0x40), 3: (0x20, 0x28), 5: (0x60,), 7: (0x10,),
             9: (0x320,), 11: (0x320,), 13: (0x40,), 15: (0x320,),
             17: (0x80,), 40: (0x10,)}
    for kind, choices in sizes.items():
        for n in choices:
            for version in (1, 2):
                put("fuzz_guest_request", "sealed-%d-%d-%x" %
                    (kind, version, n),
                    b"\x00" + 2 * (bytes([0, kind, version]) +
                                   struct.pack("<I", n) + bytes(n)))


def ioctls():
    for era in range(4):
        for request in range(4):
            for certs in (0, 0x80):
                step = bytes([request]) + bytes([1]) + bytes(7) + b"\0\0" + \
                    bytes(8) + bytes(96) + b"\0" + \
                    struct.pack("<II", 0x4000, 0)
                put("fuzz_sev_guest", "%d-%d-%02x" % (era, request, certs),
                    bytes([era | certs]) + step.ljust(150, b"\0") * 3)
    query = bytes([2, 1]) + bytes(7) + b"\0\0" + bytes(8) + bytes(96) + \
        b"\xe0" + b"\xff" * 8 + struct.pack("<II", 0, 0)
    put("fuzz_sev_guest", "query", b"\x83" + query.ljust(150, b"\0") * 2)
    put("fuzz_sev_guest", "null", b"\x03" + bytes([0, 1]) + bytes(7) +
        b"\xd5\xd5" + bytes(130))


def guests():
    texts = [
        "{}", "[]", "{", "{\"policy\": 1}", "{\"policy\": \"0x30000\"}",
        "{\"vmpl\": 4}", "{\"vmpl\": 3}", "{\"unknown\": 1}",
        "{\"name\": \"a\", \"name\": \"b\"}",
        "{\"host_data\": \"%s\"}" % ("42" * 32),
        "{\"host_data\": \"42\"}",
        "{\"family_id\": \"%s\", \"guest_svn\": 7}" % ("01" * 16),
        "{\"certs\": \"none\"}", "{\"certs\": \"/etc/passwd\"}",
        "{\"pages\": [{\"type\": \"normal\", \"gpa\": \"0x1000\", "
        "\"fill\": 85, \"count\": 3}, {\"type\": \"zero\", \"gpa\": 16384}, "
        "{\"type\": \"secrets\", \"gpa\": \"0x5000\"}, "
        "{\"type\": \"cpuid\", \"gpa\": \"0x6000\"}]}",
        "{\"pages\": [{\"type\": \"normal\", \"gpa\": 1}]}",
        "{\"pages\": [{\"type\": \"vmsa\", \"hex\": \"00\", "
        "\"vmpl_perms\": [1, 2, 3]}]}",
        "{\"pages\": {}}", "{\"vcpus\": 100000}", "\0", "{\"imi\": true}",
        "{\"id_block\": {\"hex\": \"00\"}}",
    ]
    for i, text in enumerate(texts):
        put("fuzz_guest_spec", "%02d" % i, text.encode())


def legacy(swpsp):
    """A live platform's chain under its exported CAs; reports are unsigned."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([swpsp, "certs", "export", "--insecure-dev-seed",
                        folder], check=True)
        subprocess.run([swpsp, "run", "--insecure-dev-seed", sys.executable,
                        "harness/device/test_verify_sev.py", "--export",
                        folder + "/live.bin"], check=True)

        def read(name):
            with open(os.path.join(folder, name), "rb") as f:
                return f.read()
        chain = read("live.bin")
        pdh, pek, oca = (chain[i * 2084:(i + 1) * 2084] for i in range(3))
        ark, ask, cek = (read("sev/%s.cert" % n) for n in ("ark", "ask", "cek"))
        report = bytes(range(208))
        for name, trust, more in (("chain", 0x8000, []),
                                  ("untrusted", 0, []),
                                  ("report", 0x8000, [report, bytes(48)])):
            parts = [ark, ask, cek, oca, pek, pdh] + (more or [b"", b""])
            lengths = [len(x) for x in parts]
            put("fuzz_sev_verify", name,
                struct.pack("<8H", lengths[0] | trust, *lengths[1:])
                + b"".join(parts))
        put("fuzz_sev_verify", "raw-chain", chain + ask + ark)
        put("fuzz_sev_verify", "raw-report", report)
        put("fuzz_sev_verify", "raw-evidence",
            report + cek + pek + oca + b"\2")


def kds_urls():
    chip = "535750535053494d" + "8d" * 56
    vcek = "/vcek/v1/Milan/" + chip
    sticks = "/vlek/v1/Milan/hash_sticks"
    for name, *lines in (
            ("chain", "GET", "/vcek/v1/Milan/cert_chain", "", ""),
            ("vlek-chain", "GET", "/vlek/v1/Genoa/cert_chain", "", ""),
            ("crl", "HEAD", "/vcek/v1/Turin/crl", "", ""),
            ("vcek", "GET", vcek,
             "blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219", ""),
            ("vcek-upper", "GET", "/vcek/v1/Genoa/" + chip.upper(), "", ""),
            ("vcek-turin", "GET", "/vcek/v1/Turin/5357505300000000",
             "fmcSPL=1&blSPL=1&teeSPL=1&snpSPL=4&ucodeSPL=81", ""),
            ("vlek", "GET", "/vlek/v1/Turin/cert", "fmcSPL=1&blSPL=127", ""),
            ("sticks", "POST", sticks, "blSPL=4",
             json.dumps({"hwids": [chip, "00"]})),
            ("sticks-empty", "POST", sticks, "", json.dumps({"hwids": []})),
            ("sticks-bad", "POST", sticks, "", "{\"hwids\":[1"),
            ("cek", "GET", "/cek/id/" + chip, "", ""),
            ("cek-short", "GET", "/cek/id/00", "", ""),
            ("ask-ark", "GET", "/developer/eula/sev/ask_ark_naples.cert", "",
             ""),
            ("ask-ark-old", "GET", "/wp-content/resources/ask_ark_milan.cert",
             "", ""),
            ("bad-product", "GET", "/vcek/v1/Bergamo/cert_chain", "", ""),
            ("bad-value", "GET", vcek, "blSPL=128&ucodeSPL=256", ""),
            ("octal", "GET", vcek, "blSPL=010", ""),
            ("repeated", "GET", vcek, "blSPL=1&blSPL=2", ""),
            ("method", "DELETE", "/vcek/v1/Milan/crl", "", ""),
            ("nothing", "", "", "", "")):
        put("fuzz_kds_url", name, "\n".join(lines).encode())


def sev_bytes(*parts):
    return b"".join(p if isinstance(p, bytes) else bytes([p]) for p in parts)


def sev_certificates():
    for group in vectors("sev_certificate.json"):
        if group["given"]["profile"] == "milan":
            for test in group["tests"][:7]:
                put("fuzz_sev_cert", "cert-%03d" % test["tcId"],
                    b"\1" + bytes.fromhex(test["certificate"]))
    # Edits: count, then offset (4) and byte; how to sign; edits after it.
    none, one = b"\0", lambda at, x: struct.pack("<BIB", 1, at, x)
    for i, (oca, pek) in enumerate([
            (none, none), (one(0x200, 1), none), (one(8, 3), none),
            (one(0, 3), none), (one(0x20, 1), none), (none, one(0x30, 1)),
            (none, one(0x414, 2)), (none, one(0x61c, 2)),
            (one(0xc, 1), none), (one(0x10, 3), none)]):
        for how in (0, 1, 2, 4):
            put("fuzz_sev_cert", "import-%d-%d" % (i, how),
                sev_bytes(0, how, oca, one(0x420, 1) if how & 4 else b"", how,
                          pek))


def sev_sessions():
    for policy in (0, 1, 5, 0x3f, 0x41, 0x16000001, 0xff0001):
        keys = bytes(range(32))
        for i, edits in enumerate((b"\0\0", struct.pack("<BIBB", 1, 8, 1, 0),
                                   struct.pack("<BBIB", 0, 1, 0x10, 1),
                                   struct.pack("<BBIB", 0, 1, 0x60, 1))):
            packets = b"".join(struct.pack("<I", n) + bytes(16) + b"\0\0\0"
                               for n in (16, 4096, 16384, 24))
            put("fuzz_sev_session", "%x-%d" % (policy, i),
                struct.pack("<I", policy) + keys + edits + packets)


def sev_stores():
    put("fuzz_sev_nv", "good", b"\0\0")
    put("fuzz_sev_nv", "erased", b"\3" + b"\xff" * 64)
    put("fuzz_sev_nv", "zeros", b"\3")
    for at in (0, 8, 12, 16, 32, 64, 68, 116, 120, 0x8b0, 0x10e0, 0x7fff):
        for how in (0, 1, 4):
            put("fuzz_sev_nv", "bit-%x-%d" % (at, how),
                struct.pack("<BBIB", how, 1, at, 1))


def sev_commands():
    step = {i: bytes([i]) for i in range(80)}
    for how in (0x00, 0x01, 0x03, 0x20, 0x23, 0x40, 0x41, 0x42):
        prefix = b"\1" if how & 0x40 else b""
        put("fuzz_sev_commands", "all-%02x" % how, bytes([how]) + b"".join(
            prefix + step[i] + bytes([0x61, 0x01] * 4) for i in range(80)))
        put("fuzz_sev_commands", "words-%02x" % how, bytes([how]) + b"".join(
            prefix + step[i % 80] + bytes([0, 1, 0xc4, 3, 0x62, 5] * 3)
            for i in range(0, 240, 3)))
    # LAUNCH_START, ACTIVATE, UPDATE_DATA, MEASURE, ATTESTATION by table index.
    for launch in range(15, 26):
        start = step[launch] + bytes([0, 1] * 5)
        put("fuzz_sev_commands", "launch-%d" % launch,
            b"\0" + start + step[launch - 3] + bytes([1, 200]) + start * 3)


def sev_ioctls():
    for how in (0, 1, 2, 3, 4, 8, 0x0c, 0x10, 0x20, 0x23, 0x2b, 0x40, 0x60,
                0x63, 0x80, 0x84, 0xa0, 0xa4, 0xc0, 0xe2, 0xff):
        steps = b""
        for cmd in range(14):
            lengths = {3: b"\0", 8: b"\2", 5: b"\0\1", 6: b"\0\0"}
            row = lengths.get(cmd, b"").ljust(5, b"\xff")
            steps += sev_bytes(0, cmd, bytes(80), row, bytes(3)).ljust(
                120, b"\0")
            if cmd % 6 == 5 or cmd == 13:
                put("fuzz_ccp", "%02x-%d" % (how, cmd),
                    bytes([how]) + steps)
                steps = b""
        report = sev_bytes(0, 0xf0, bytes(28), struct.pack("<I", 1),
                           bytes(48), b"\xff\xff\3\xff\xff").ljust(
                               120, b"\0")
        put("fuzz_ccp", "%02x-report" % how, bytes([how]) + report * 2)


def main():
    certificates(sys.argv[1], dict(reports()))
    messages()
    ioctls()
    guests()
    kds_urls()
    legacy(sys.argv[1])
    sev_certificates()
    sev_sessions()
    sev_stores()
    sev_commands()
    sev_ioctls()


if __name__ == "__main__":
    main()
