#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make fuzz/corpus from vectors/v1, a certificate export and live sessions.

usage: seeds.py SWPSP     (run from the top folder)

Only adds and overwrites its own files (seed-*).
"""
import base64
import glob
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

CORPUS, DICT = "fuzz/corpus", "fuzz/dict"


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


def report_requests():
    for name, vmpck, tail in (("plain", 0, b""), ("vmpl-3", 0, b"\3"),
                              ("vmpck-3", 3, b"\3"), ("too-high", 3, b"\0"),
                              ("vlek", 0, b"\0\0\0\0\1"),
                              ("reserved", 0, bytes(20) + b"\1")):
        put("fuzz_report_request", name,
            bytes([vmpck]) + bytes(range(64)) + tail.ljust(32, b"\0"))


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


def legacy_guests():
    b64 = base64.b64encode(bytes(128)).decode()
    region = {"gpa": "0xfffff000", "fill": 244, "size": 4096}
    good = [
        {}, {"name": "small", "policy": 1}, {"policy": "0x5"},
        {"policy": 5, "vcpus": 2}, {"memory": [region]}, {"memory": []},
        {"memory": [{"gpa": 0, "hex": "00" * 32},
                    {"gpa": 4096, "size": 8192}]},
        {"policy": 5, "vmsas": [{"hex": "00" * 4096}]},
        {"session": {"godh": {"hex": "00" * 2084}, "blob": {"base64": b64}}},
        {"secrets": [{"gpa": "0x1000", "header": {"hex": "01" * 52},
                      "payload": {"hex": "02" * 32}}]},
        {"finish": False},
    ]
    bad = [
        {"policy": 1 << 32}, {"policy": 1, "vcpus": 1}, {"vcpus": 513},
        {"memory": [{"gpa": 1, "fill": 0, "size": 16}]},
        {"memory": [{"gpa": 0, "fill": 256, "size": 16}]},
        {"memory": [{"gpa": 0, "file": "/etc/passwd"}]},
        {"session": {"godh": "here"}}, {"unknown": 1}, {"name": ""}, [],
    ]
    for i, value in enumerate(good + bad):
        put("fuzz_legacy_spec", "%02d" % i, json.dumps(value).encode())
    put("fuzz_legacy_spec", "cut", b"{\"memory\": [")


def control():
    def lines(*requests):
        return b"".join(json.dumps({"v": 1, **r}).encode() + b"\n"
                        for r in requests)

    def launch(**guest):
        return {"op": "guest.launch", "guest": guest}
    sessions = {
        "status": [{"op": "status", "id": 7}, {"op": "status", "id": "x"}],
        "snp": [launch(name="a"), {"op": "guest.show", "guest": "a"},
                {"op": "guest.list"}, {"op": "attach", "guest": "a"},
                {"op": "guest.stop", "guest": "a"}],
        "certs": [launch(name="a", certs="none"),
                  launch(name="b", certs="vcek", kernel="5.19", vmpck=3),
                  launch(name="c", certs={"base64": "AAAA"}),
                  {"op": "certs"}],
        "legacy": [launch(name="l", kind="legacy",
                          description={"policy": 5}),
                   {"op": "guest.show", "guest": "l"},
                   {"op": "attach", "guest": "l"}],
        "many": [launch(name="g%d" % i, certs="none") for i in range(6)] +
                [{"op": "guest.list", "limit": 2},
                 {"op": "guest.list", "after": 2}],
        "twice": [launch(name="a"), launch(name="a")],
        "refused": [launch(name="a", description={"policy": 0}),
                    launch(name="a", description={"pages": []})],
        "host": [{"op": "attach", "guest": "host"}, {"op": "trace"}],
        "hypercall": [launch(name="l", kind="legacy"),
                      {"op": "guest.hypercall", "guest": "l"},
                      {"op": "guest.hypercall", "guest": "l", "cpl": 0,
                       "number": 12}],
        "faults": [{"op": "faults.show"},
                   {"op": "faults.set", "plan": {"faults": [
                       {"when": {"every": 2}, "do": "drop"}]}},
                   {"op": "faults.show"},
                   {"op": "faults.set", "plan": {"faults": []}},
                   {"op": "faults.clear"}],
        "end": [{"op": "shutdown"}, {"op": "status"}],
        "bad": [{"op": "nothing"}, {"op": "status", "more": 1}, {"v": 2},
                {"op": "guest.stop"}, {"op": "guest.list", "limit": 0},
                launch(), launch(name="host"), launch(name="../a"),
                {"op": "status", "id": []}],
    }
    for name, requests in sessions.items():
        put("fuzz_control", name, lines(*requests))
    put("fuzz_control", "text", b"{\n[]\n\n\"v\"\n{\"v\":1,\"v\":1}\n")


def fault_plans():
    def plan(name, *faults, **more):
        put("fuzz_fault_plan", name,
            json.dumps({**more, "faults": faults}).encode())

    def request(n, do, **more):
        return {"when": {"request": n}, "do": do, **more}
    plan("kinds-1", request(1, "flip"), request(2, "truncate", size=96),
         request(3, "replay", back=2), request(4, "substitute", **{"from": "b"}),
         request(5, "swap-seqno", seqno="0xffffffffffffffff"),
         request(6, "zero-response"), request(7, "drop"),
         request(8, "reorder"))
    plan("kinds-2", request(1, "delay", ms=10000),
         request(2, "certs-too-small", pages=65535),
         request(2, "busy", times=2), request(4, "vmm-error", error="BUSY"),
         request(5, "vmm-error", error="0xffffffffffffffff"),
         request(6, "firmware-error", status="RESOURCE_LIMIT"))
    plan("certs", {"when": {"request": 1, "exit": "ext-guest-request"},
                   "do": "flip", "part": "certs", "offset": "0x3fff"},
         request(2, "truncate", part="certs", size=5000),
         {"when": {"every": 1}, "do": "flip", "part": "certs"})
    plan("request", {"when": {"every": 3}, "do": "flip", "part": "request",
                     "offset": 4095, "bits": 255},
         {"when": {"every": 4}, "do": "replay", "part": "request", "back": 8},
         {"when": {"every": 5}, "do": "truncate", "part": "request",
          "size": 0},
         {"when": {"every": 1}, "do": "swap-seqno", "part": "request"},
         seed="s")
    plan("chance", {"when": {"probability": "0.25", "guest": "guest"},
                    "do": "flip"},
         {"when": {"probability": "0.000000001", "exit": "any"}, "do": "drop"},
         {"when": {"probability": "1"}, "do": "reorder"}, seed="chance")
    plan("ghcb", {"when": {"every": 2}, "do": "ghcb-error", "code": 5})
    plan("broker", {"at": "broker", "when": {"every": 2, "method": "evidence",
                                             "handle": 1}, "do": "strip"},
         {"at": "broker", "when": {"request": 1}, "do": "flip",
          "part": "response"},
         {"at": "broker", "when": {"request": 1}, "do": "status", "code": 14},
         {"at": "broker", "when": {"request": 3}, "do": "substitute",
          "from": 2})
    plan("key-server", {"at": "key-server",
                        "when": {"probability": "0.5", "kind": "vcek"},
                        "do": "status", "code": 429, "retry-after": 3},
         {"at": "key-server", "when": {"request": 1, "path": "/vcek/v1/"},
          "do": "substitute", "from": "other-chip"},
         {"at": "key-server", "when": {"every": 9}, "do": "trickle"})
    plan("host", {"at": "sev-command", "when": {"every": 1, "command":
                                                "PDH_CERT_EXPORT"},
                  "do": "firmware-error", "status": "INVALID_LENGTH"},
         {"at": "hypercall", "when": {"request": 1, "guest": "a"},
          "do": "substitute", "from": "b"})
    def command(n, name, do, **more):
        return {"at": "sev-command", "when": {"request": n, "command": name},
                "do": do, **more}
    plan("commands", command(1, "GET_ID", "flip", offset=1),
         command(2, "GET_ID", "replay"), command(3, "GET_ID", "truncate",
                                                 size=5),
         command(1, "ATTESTATION", "substitute", part="request",
                 **{"from": "b"}),
         command(2, "ATTESTATION", "substitute", **{"from": 2}),
         command(3, "ATTESTATION", "drop"),
         command(1, "PDH_CERT_EXPORT", "zero-response"),
         command(2, "PDH_CERT_EXPORT", "crash", part="request"),
         command(3, "PDH_CERT_EXPORT", "delay", ms=60000),
         command(1, "SNP_PAGE_RECLAIM", "firmware-error", status=1),
         {"at": "sev-command", "when": {"every": 3, "guest": "a"},
          "do": "flip", "part": "request"}, seed="commands")
    plan("hypercalls", {"at": "hypercall", "when": {"every": 3},
                        "do": "replay", "back": 2},
         {"at": "hypercall", "when": {"probability": "0.5", "guest": "b"},
          "do": "error", "error": "ENOSYS"},
         {"at": "hypercall", "when": {"every": 1}, "do": "substitute",
          "from": "0xffffffff"})
    plan("wrong-member", request(1, "drop", ms=1))
    plan("wrong-when", {"when": {"request": 1, "every": 2}, "do": "drop"})
    plan("wrong-place", {"at": "moon", "when": {"request": 1}, "do": "drop"})
    put("fuzz_fault_plan", "not-json", b"{\"faults\":[{")


def frames():
    """A peer of the broker: first byte how to split, then the stream."""
    def varint(n):
        return (bytes([n & 0x7f | 0x80]) + varint(n >> 7) if n > 0x7f
                else bytes([n]))

    def field(number, data):
        return varint(number << 3 | 2) + varint(len(data)) + data

    def frame(stream, kind, data):
        return struct.pack(">IIBB", len(data), stream, kind, 0) + data

    def request(stream, method, payload, service=b"aeb.Aeb", more=b""):
        return frame(stream, 1, field(1, service) + field(2, method) +
                     field(3, payload) + more)
    get = b"RetrieveAttestationEvidence"
    size_of, ask = b"\x08\x01", b"\x08\x01\x10\xbd\x32"
    both = request(1, get + b"Size", size_of) + request(3, get, ask)
    seeds = {
        "size-request": b"\xff" + request(1, get + b"Size", size_of),
        "evidence-request": b"\xff" + request(3, get, ask),
        "split": b"\0" + both, "two": b"\x1f" + both,
        "extension": b"\3" + request(
            3, get, b"\x08\x01\x82\x01\x02\x01\x02\x90\x01\0\x98\x01\x0f"),
        "deadline-request": b"\xff" + request(
            5, get, ask, more=b"\x20" + varint(10**9) +
            field(5, field(1, b"key") + field(2, b"value"))),
        "other-name": b"\xff" + request(1, get, ask, b"aeb.AEBService"),
        "not-utf8": b"\xff" + request(1, get, ask, b"\xc0\x80"),
        "size-response": b"\xff" + frame(1, 2, b"\x0a\0" + field(
            2, b"\x10\xbd\x32")),
        "evidence-response": b"\xff" + frame(1, 2, b"\x0a\0" + field(
            2, b"\x10\xbd\x32" + field(3, b"{\"report\":{}}"))),
        "inband": b"\xff" + frame(1, 2, b"\x0a\0" + field(2, b"\x08\x10")),
        "deadline": b"\xff" + frame(1, 2, field(1, b"\x08\x04" + field(
            2, b"timeout"))),
        "undecodable": b"\xff" + frame(1, 2, field(1, b"\x08\x03")),
        "empty": b"\xff" + frame(1, 1, b""),
        "oversize": b"\xff" + struct.pack(">IIBB", 0x400001, 1, 1, 0) +
                    b"\xaa\xbb",
        "fatal": b"\xff" + struct.pack(">IIBB", 0x4000001, 1, 1, 0),
        "http": b"\0HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "http-chunked": b"\0HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                        b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    }
    for i, text in enumerate((b"vsock://-1:5577", b"vsock:///tmp/a:5577",
                              b"unix:///p:1", b"unix://@n",
                              b"http://[::1]:80/a/", b"vsock://2:5577")):
        seeds["text-%d" % i] = b"\0" + text
    for name, data in seeds.items():
        put("fuzz_ttrpc", name, data)


def evidence(swpsp):
    """What a broker sends, in both encodings and some that readers meet."""
    with tempfile.TemporaryDirectory() as folder:
        guest = os.path.join(folder, "guest.json")
        with open(guest, "w", encoding="ascii") as out:
            out.write("{}")
        script = """cd %s
            %s aeb --insecure-dev-seed --listen unix://$PWD/s >out & b=$!
            until grep -q listening out; do sleep 0.05; done
            get="%s aeb-get --connect unix://$PWD/s --handle 1
                 --mnonce 000102030405060708090a0b0c0d0e0f"
            $get --out json && $get --format packed --out packed; r=$?
            kill $b; wait; exit $r""" % (folder, os.path.abspath(swpsp),
                                         os.path.abspath(swpsp))
        subprocess.run([swpsp, "run", "--insecure-dev-seed", "--legacy-guest",
                        guest, "--", "sh", "-c", script], check=True)
        with open(os.path.join(folder, "json"), "rb") as f:
            text = f.read()
        with open(os.path.join(folder, "packed"), "rb") as f:
            packed = f.read()
    value = json.loads(text)
    turned = {"x": {"y": [1.5, None, "\u00e4\n"]},
              **dict(reversed(list(value.items())))}
    for name, data in (
            ("json", text), ("packed", packed), ("untyped", packed[:-1]),
            ("zero", bytes(len(packed))), ("short", text[:24]),
            ("pretty", json.dumps(value, indent=0).encode()),
            ("unknown-key", json.dumps(turned).encode()),
            ("twice", text[:-1] + b",\"device_type\":\"AmdMilan\"}"),
            ("number-256", text.replace(b"[0,1,2,", b"[0,1,256,"))):
        put("fuzz_evidence", name, data)


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


def dictionaries():
    """The words of the text formats, from the readers' own sources."""
    word = re.compile(r'"([A-Za-z0-9_./=?&:-]{2,40})"')
    marks = ['{', '}', '[', ']', ':', ',', '\\"', '\\\\u', '0x', 'true',
             'null', '-1', '4294967296', '1e9']
    for target, marked, sources in (
            ("fuzz_guest_spec", marks, ["sim/host/spec*.c"]),
            ("fuzz_legacy_spec", marks, ["sim/host/legacy_vm_spec.c",
                                         "sim/host/spec_file.c"]),
            ("fuzz_fault_plan", marks + ["GET_ID", "ATTESTATION",
                                         "PDH_CERT_EXPORT"],
             ["sim/host/fault_*.c"]),
            ("fuzz_control", marks + ["\\x0a"], [
                "sim/service/serve_ops.c", "sim/service/serve_guest*.c",
                "sim/host/fault_table.c",
                "sim/host/spec*.c", "sim/host/legacy_vm_spec.c"]),
            ("fuzz_evidence", marks, ["sim/verifier/aeb_json.c",
                                      "sim/verifier/aeb_evidence.c"]),
            ("fuzz_kds_url", ["\\x0a", "%41", "&", "=", "07"], [
                "sim/service/kds.c", "sim/service/kds_route.c",
                "psp-model/wire/profile.c"]),
            ("fuzz_ttrpc", ["vsock://", "unix://", "unix://@", "http://",
                            "HTTP/1.1 200 OK\\x0d\\x0a", "\\x00\\x00\\x00",
                            "\\x01\\x00\\x0a", "RetrieveAttestationEvidence"],
             ["sim/service/aeb_msg.c", "sim/service/aeb_http.c"])):
        words = set()
        for pattern in sources:
            for path in glob.glob(pattern):
                with open(path, encoding="utf-8") as text:
                    words.update(word.findall("".join(
                        line for line in text
                        if not line.startswith("#include"))))
        os.makedirs(DICT, exist_ok=True)
        with open(os.path.join(DICT, target + ".dict"), "w",
                  encoding="ascii") as out:
            out.write("# Made by fuzz/support/seeds.py.\n")
            for w in marked + sorted(words):
                out.write('"%s"\n' % w)


def main():
    dictionaries()
    certificates(sys.argv[1], dict(reports()))
    messages()
    report_requests()
    ioctls()
    guests()
    legacy_guests()
    control()
    fault_plans()
    kds_urls()
    frames()
    evidence(sys.argv[1])
    legacy(sys.argv[1])
    sev_certificates()
    sev_sessions()
    sev_stores()
    sev_commands()
    sev_ioctls()


if __name__ == "__main__":
    main()
