#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`swpsp verify` and `swpsp decode` on legacy SEV: a platform whose keys,
certificates and report were made here with python3-cryptography, genuine
chains when they are at hand, and the simulated platform's own. Prints one line
for each scenario that goes wrong.
"""
import ctypes
import errno
import fcntl
import hashlib
import hmac
import json
import os
import struct
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature)

BUILD = os.environ.get("SWPSP_BUILD", "build/debug")
SWPSP = os.path.join(BUILD, "bin", "swpsp")
KEYS = "harness/unit/verifier/keys/"
REAL = "../shared/data/"
ASK, NONE, OCA, PEK, PDH, CEK = 0x13, 0x1000, 0x1001, 0x1002, 0x1003, 0x1004
EMPTY = struct.pack("<II512x", NONE, 0)
NO_DEVICE = 77
failures = 0


def rsa_key(name):
    with open(KEYS + name + ".pem", "rb") as f:
        return serialization.load_pem_private_key(f.read(), None)


def pss(key, body):
    sig = key.sign(body, padding.PSS(padding.MGF1(hashes.SHA384()), 48),
                   hashes.SHA384())
    return sig[::-1]


def amd_cert(usage, key_id, certifier, key, signer):
    numbers = key.public_key().public_numbers()
    body = struct.pack("<I16s16sI16xII", 1, key_id, certifier, usage, 4096,
                       4096)
    body += numbers.e.to_bytes(512, "little")
    body += numbers.n.to_bytes(512, "little")
    return body + pss(signer, body)


def ecdsa(key, data, size):
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return (r.to_bytes(72, "little") + s.to_bytes(72, "little")).ljust(
        size, b"\0")


def sev_cert(usage, algo, key, signers):
    point = key.public_key().public_numbers()
    body = struct.pack("<IBBHIII", 1, 1, 55, 0, usage, algo, 2)
    body += point.x.to_bytes(72, "little") + point.y.to_bytes(72, "little")
    body = body.ljust(0x414, b"\0")
    slots = b""
    for by, signer in signers:
        if by == ASK:
            slots += struct.pack("<II", by, 0x101) + pss(signer, body)
        else:
            slots += struct.pack("<II", by, 2) + ecdsa(signer, body, 512)
    return body + slots + EMPTY * (2 - len(signers))


class Platform:
    def __init__(self):
        ark, ask = rsa_key("ark"), rsa_key("ask")
        keys = {u: ec.generate_private_key(ec.SECP384R1())
                for u in (CEK, OCA, PEK, PDH)}
        self.keys = keys
        ark_id = bytes.fromhex("94c38e4177d04792") + b"SIMULATE"
        self.files = {
            "ark.cert": amd_cert(0, ark_id, ark_id, ark, ark),
            "ask.cert": amd_cert(ASK, b"an ASK's key id.", ark_id, ask, ark),
            "cek.cert": sev_cert(CEK, 2, keys[CEK], [(ASK, ask)]),
            "oca.cert": sev_cert(OCA, 2, keys[OCA], [(OCA, keys[OCA])]),
            "pek.cert": sev_cert(PEK, 2, keys[PEK],
                                 [(OCA, keys[OCA]), (CEK, keys[CEK])]),
            "pdh.cert": sev_cert(PDH, 3, keys[PDH], [(PEK, keys[PEK])]),
        }
        self.mnonce = bytes(range(16))
        self.digest = hashlib.sha256(b"firmware").digest()
        self.policy = 0x37010005
        signed = self.mnonce + self.digest + struct.pack("<I", self.policy)
        self.files["report.bin"] = signed + struct.pack(
            "<III", PEK, 2, 0) + ecdsa(keys[PEK], signed, 144)
        self.tik = os.urandom(16)
        self.files["tik.bin"] = self.tik
        mnonce = os.urandom(16)
        mac = hmac.new(self.tik, struct.pack("<BBBBI", 4, 1, 55, 21,
                                             self.policy)
                       + self.digest + mnonce, "sha256").digest()
        self.measurement = mac + mnonce
        f = self.files
        f["measure.bin"] = self.measurement
        f["ask_ark.cert"] = f["ask.cert"] + f["ark.cert"]
        f["three.bin"] = f["pek.cert"] + f["oca.cert"] + f["cek.cert"]
        f["four.bin"] = f["pdh.cert"] + f["three.bin"]
        f["full.bin"] = f["four.bin"] + f["ask_ark.cert"]
        f["evidence.bin"] = (f["report.bin"] + f["cek.cert"] + f["pek.cert"]
                             + f["oca.cert"] + b"\2")
        f["evidence-rome.bin"] = f["evidence.bin"][:-1] + b"\0"
        f["evidence-odd.bin"] = f["evidence.bin"][:-1] + b"\7"
        f["zero.bin"] = bytes(208)
        f["short.cert"] = f["ark.cert"][:-1]
        f["bad.bin"] = f["report.bin"][:100] + b"x" + f["report.bin"][101:]

    def write(self, folder):
        for name, data in self.files.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)


def swpsp(folder, *args):
    args = [a.replace("{}", folder) for a in args]
    done = subprocess.run([SWPSP, *args], capture_output=True, text=True,
                          timeout=60)
    return done.returncode, done.stdout, done.stderr


def say(what, text):
    global failures
    failures += 1
    print(f"FAIL {what}: {text}")


def verify(folder, args, fails=(), simulated=True):
    """The checks that fail are exactly @fails, in both forms of output."""
    what = " ".join(args)
    status, out, err = swpsp(folder, "verify", *args, "--json")
    try:
        doc = json.loads(out)
    except ValueError:
        say(what, out + err)
        return
    got = [c["check"] for c in doc["checks"] if c["verdict"] == "FAIL"]
    if got != list(fails):
        say(what, got)
    if status != (1 if fails else 0) or (
            doc["verdict"] != ("REJECTED" if fails else "ACCEPTED")):
        say(what, f"status {status}, {doc['verdict']}")
    if doc["simulated"] is not simulated:
        say(what, "simulated")
    status2, text, err = swpsp(folder, "verify", *args)
    lines = [line.split(" ")[1].rstrip(":") for line in text.splitlines()
             if line.startswith("FAIL ")]
    if status2 != status or lines != got:
        say(what, "text and JSON differ: " + text + err)


def usage(folder, args, expect):
    status, out, err = swpsp(folder, "verify", *args)
    if status != 2 or out or expect not in err or err.count("\n") != 1:
        say(" ".join(args), f"{status} {out} {err}")


def made_here(folder):
    p = Platform()
    p.write(folder)
    root = ["--root", "{}/ask_ark.cert"]
    chain = ["--chain", "{}/four.bin", *root]
    report = ["--report", "{}/report.bin", *chain]
    known = ["--mnonce", p.mnonce.hex(), "--launch-digest", p.digest.hex(),
             "--policy", hex(p.policy)]
    other = hashlib.sha256(b"other").hexdigest()
    measured = ["--measurement", "@{}/measure.bin", "--tik", "{}/tik.bin",
                "--api", "1.55", "--build", "21"]

    verify(folder, chain)
    verify(folder, ["--chain", "{}/three.bin", *root])
    verify(folder, ["--chain", "{}/full.bin", "--root", "{}/ark.cert"])
    verify(folder, ["--type", "sev", "--certs", "{}", "--root", "{}/ark.cert"])
    verify(folder, ["--pek={}/pek.cert", "--cek={}/cek.cert",
                    "--oca={}/oca.cert", "--ask={}/ask_ark.cert",
                    "--ark={}/ask_ark.cert", "--root={}/ark.cert"])
    verify(folder, report)
    verify(folder, report + known + ["--product", "milan"])
    verify(folder, report + ["--policy", hex(p.policy ^ 4), "--policy-mask",
                             "0xfffffffb"])
    verify(folder, report + ["--launch-digest", other, "--launch-digest",
                             p.digest.hex()])
    verify(folder, ["--report", "{}/evidence.bin", *root])
    verify(folder, chain + known[2:] + measured)
    verify(folder, report + known + measured)
    verify(folder, chain + ["--pin-cek", "{}/cek.cert", "--pin-pek",
                            "{}/pek.cert", "--pin-oca", "{}/oca.cert"])

    verify(folder, ["--report", "{}/evidence-rome.bin", *root], ["product"])
    verify(folder, ["--report", "{}/evidence-odd.bin", *root], ["product"])
    verify(folder, report + ["--product", "rome"], ["product"])
    verify(folder, report + ["--mnonce", "00" * 16], ["mnonce"])
    verify(folder, report + ["--launch-digest", other], ["launch-digest"])
    verify(folder, report + ["--policy", "0"], ["policy"])
    verify(folder, ["--report", "{}/zero.bin", *chain], ["report-empty"])
    verify(folder, ["--report", "{}/bad.bin", *chain], ["report-signature"])
    verify(folder, chain + known, ["mnonce", "launch-digest", "policy"])
    verify(folder, chain + ["--pek", "{}/oca.cert"],
           ["pek-format", "pek-cek-signature"])
    verify(folder, chain + ["--pin-pek", "{}/pdh.cert"], ["pek-pin"])
    verify(folder, ["--report", "{}/report.bin", "--type", "sev", *root],
           ["cek-format", "oca-format", "pek-format"])
    verify(folder, chain + known[2:4] + ["--policy", "1"] + measured,
           ["measurement"])
    verify(folder, chain + measured, ["measurement"])

    usage(folder, ["--chain", "{}/four.bin"], "--root is missing")
    usage(folder, chain + ["--tik", "{}/tik.bin"], "go together")
    usage(folder, chain + ["--tik", "{}/zero.bin"], "16 bytes")
    usage(folder, chain + ["--chain", "{}/report.bin"], "no chain")
    usage(folder, chain + ["--mnonce", "00"], "32 hex digits")
    usage(folder, chain + ["--api", "1"], "MAJOR.MINOR")
    usage(folder, chain + ["--policy", "0x100000000"], "32-bit")
    usage(folder, chain + ["--policy-mask", "1"], "needs --policy")
    usage(folder, chain + ["--mnonce", "@{}/none"], "none: No such file")
    usage(folder, chain + ["--mnonce", "@{}/tik.bin.not"], "No such file")
    usage(folder, chain + ["--mnonce", "@{}/report.bin"], "a file of 16 bytes")
    usage(folder, chain + ["--pek", "{}"], "Is a directory")
    for no_root in ("ask.cert", "pek.cert", "zero.bin", "short.cert"):
        usage(folder, ["--type", "sev", *chain[:2], "--root", "{}/" + no_root],
              no_root + ": no ARK")
    usage(folder, chain + ["--product", "zen"], "naples")
    usage(folder, chain + ["--type", "tdx"], "snp, sev or aeb")
    usage(folder, chain + ["--vcek", "x"], "no such option")
    usage(folder, chain + ["x"], "unexpected")
    usage(folder, chain + ["--pek", "{}/none"], "No such file")
    usage(folder, ["--type", "sev", "--certs", "{}/none", *root],
          "No such file")

    done = subprocess.run([SWPSP, "verify", "--type", "sev", "--report", "-",
                           *(a.replace("{}", folder) for a in chain)],
                          input=p.files["report.bin"], capture_output=True,
                          timeout=60)
    if b"PASS report-signature" not in done.stdout:
        say("--report -", done.stdout + done.stderr)
    status, out, _ = swpsp(folder, "verify", "--type", "sev", "--help")
    if status != 0 or "--launch-digest" not in out:
        say("--help", out)
    decoded(folder)
    broker(folder, p)


def broker(folder, p):
    """--type aeb: wrong files and options, and challenges that count once."""
    aeb = ["--type", "aeb", "--evidence", "{}/evidence.bin"]
    base = aeb + ["--root", "{}/ask_ark.cert"]
    verify(folder, base)
    verify(folder, aeb + ["--root", "{}/ask_ark.cert", "--policy", "5",
                          "--policy-mask", "1"])
    usage(folder, base + ["--policy-mask", "1"], "needs --policy")
    for no_root in ("ask.cert", "pek.cert", "zero.bin", "short.cert"):
        usage(folder, aeb + ["--root", "{}/" + no_root], no_root + ": no ARK")
    usage(folder, base + ["--evidence", "{}"], "Is a directory")
    usage(folder, base + ["--mnonce", "@{}/none"], "none: No such file")
    for option in (["--challenge", "00" * 32], ["--spki", "00" * 32],
                   ["--challenge-table", "{}/table"],
                   ["--challenge-until", "9"]):
        usage(folder, base + option, option[0] + ": needs --launch-nonce")

    with open(folder + "/cut.json", "w", encoding="ascii") as f:
        f.write('{"report":{}')
    status, out, _ = swpsp(folder, "verify", "--type", "aeb", "--evidence",
                           "{}/cut.json", *base[4:])
    if status != 1 or "FAIL format: monce is missing, at character 13" \
            not in out:
        say("where JSON is wrong", out)
    challenges(folder, p, base)


def bound_to(p, nonce, challenge):
    """The platform's report once more, for a mnonce made of these."""
    mnonce = hmac.new(nonce, b"AEB-EVIDENCE-V1\0" + challenge + bytes(32),
                      "sha256").digest()[:16]
    signed = mnonce + p.digest + struct.pack("<I", p.policy)
    return (signed + struct.pack("<III", PEK, 2, 0)
            + ecdsa(p.keys[PEK], signed, 144) + p.files["evidence.bin"][208:])


def challenges(folder, p, base):
    nonce, challenge = os.urandom(32), os.urandom(32)
    with open(folder + "/bound.bin", "wb") as f:
        f.write(bound_to(p, nonce, challenge))
    args = base + ["--evidence", "{}/bound.bin", "--launch-nonce",
                   nonce.hex(), "--challenge", challenge.hex()]
    table = folder + "/table"
    once = ["verify", *args, "--challenge-table", "{}/table"]

    for want, why in ((0, ""), (1, "FAIL challenge: it was answered")):
        status, out, err = swpsp(folder, *once)
        if status != want or why not in out:
            say("a challenge, answered", out + err)
    usage(folder, [*once[1:-1], "/dev/null"], "not a regular file")
    for text in (b"\0" + challenge.hex().encode() + b"\n", b"{}\n"):
        with open(table, "wb") as f:
            f.write(text)
        usage(folder, once[1:], "table: no table of challenges")
        with open(table, "rb") as f:
            if f.read() != text:
                say("no table", "it was changed")
    os.unlink(table)
    done = subprocess.run(["bash", "-c", "exec \"$@\" >&-", "bash", SWPSP,
                           *(a.replace("{}", folder) for a in once)],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 2 or os.path.getsize(table) != 65:
        say("without standard output", done.stderr)
    with open(table, "wb") as f:
        f.write((b"00" * 32 + b"\n") * 15)
    limit = "ulimit -f 1; trap '' XFSZ; exec \"$@\""
    done = subprocess.run(["bash", "-c", limit, "bash", SWPSP,
                           *(a.replace("{}", folder) for a in once)],
                          capture_output=True, text=True, timeout=60)
    if (done.returncode, done.stdout) != (2, "") or \
            "table: No space left" not in done.stderr or \
            os.path.getsize(table) != 15 * 65:
        say("no room for a challenge", done.stdout + done.stderr)


def decoded(folder):
    kinds = {"report.bin": "sev-report", "pek.cert": "sev-cert",
             "three.bin": "sev-chain", "full.bin": "sev-chain",
             "ask_ark.cert": "amd-cert", "evidence.bin": "sev-evidence"}
    for name, kind in kinds.items():
        status, out, err = swpsp(folder, "decode", "--json", "{}/" + name)
        if status != 0 or json.loads(out)["type"] != kind:
            say("decode " + name, out + err)
    status, out, err = swpsp(folder, "decode", "--type", "sev-measurement",
                             "{}/measure.bin")
    if status != 0 or "mnonce" not in out:
        say("decode measurement", out + err)
    for name, want in {"ask_ark.cert": 0, "full.bin": 0, "four.bin": 2,
                       "report.bin": 2}.items():
        if swpsp(folder, "is-simulated", "{}/" + name)[0] != want:
            say("is-simulated " + name, "")


def genuine(folder):
    for chip in ("naples", "rome"):
        if not os.path.isdir(REAL + "sev/" + chip):
            print("SKIP genuine chains are not here")
            return
        data = b""
        for ca in ("ask", "ark"):
            with open(f"{REAL}amd-ca/{chip}-{ca}.sevcert", "rb") as f:
                data += f.read()
        with open(os.path.join(folder, "real.cert"), "wb") as f:
            f.write(data)
        certs = ["--type", "sev", "--certs", REAL + "sev/" + chip]
        verify(folder, certs + ["--root", "{}/real.cert", "--product", chip],
               simulated=False)
        verify(folder, certs + ["--root", "{}/ask_ark.cert"],
               ["cek-signature"])


def export_chain(path):
    """What a host tool does: SEV_PDH_CERT_EXPORT of linux/psp-sev.h."""
    pdh = ctypes.create_string_buffer(2084)
    chain = ctypes.create_string_buffer(6252)
    data = ctypes.create_string_buffer(struct.pack(
        "<QIQI", ctypes.addressof(pdh), 2084, ctypes.addressof(chain), 6252))
    issue = bytearray(struct.pack("<IQI", 5, ctypes.addressof(data), 0))
    with open("/dev/sev", "r+b", buffering=0) as dev:
        fcntl.ioctl(dev, 0xc0105300, issue)
    with open(path, "wb") as f:
        f.write(pdh.raw + chain.raw)


def live(folder):
    """The simulated platform's own chain, under the exported root."""
    seed = "--insecure-dev-seed"
    done = subprocess.run([SWPSP, "run", seed, sys.executable, __file__,
                           "--export", folder + "/live.bin"],
                          capture_output=True, text=True, timeout=60)
    if done.returncode == NO_DEVICE:
        print("SKIP no /dev/sev under swpsp run")
        return
    if done.returncode != 0:
        say("swpsp run", done.stdout + done.stderr)
        return
    for chip in ("0", "1"):
        status, out, err = swpsp(folder, "certs", "export", seed, "--chip",
                                 chip, "{}/chip" + chip)
        if status != 0:
            say("certs export", out + err)
    chain = ["--chain", "{}/live.bin",
             "--root", "{}/chip0/pki/Milan/ask_ark_milan.cert"]
    verify(folder, chain + ["--cek", "{}/chip0/sev/cek.cert"])
    verify(folder, chain + ["--cek", "{}/chip1/sev/cek.cert"],
           ["pek-cek-signature"])
    verify(folder, chain, ["cek-signature"])


def main():
    if sys.argv[1:2] == ["--export"]:
        try:
            export_chain(sys.argv[2])
        except OSError as e:
            sys.exit(NO_DEVICE if e.errno == errno.ENOENT else str(e))
        return
    if not os.access(SWPSP, os.X_OK):
        sys.exit(f"{SWPSP}: not there")
    with tempfile.TemporaryDirectory() as folder:
        made_here(folder)
        genuine(folder)
        live(folder)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
