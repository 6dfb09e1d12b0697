#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The evidence broker as its users see it: guest, broker and relying party are
programs; the threats of the reviewers of 2022 are scenarios (abi/aeb.md §8.1).
Each asserts which check fires, or that nobody can know."""
import hashlib
import hmac
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import tst  # noqa: E402

DEV = "--insecure-dev-seed"
REGION = [{"gpa": "0xfffff000", "fill": 244, "size": 4096}]
OTHER = [{"gpa": "0xfffff000", "fill": 90, "size": 4096}]
LN = bytes(range(32)).hex()


def bound(challenge=bytes(32), spki=bytes(32)):
    message = b"AEB-EVIDENCE-V1\0" + challenge + spki
    return hmac.new(bytes(range(32)), message, hashlib.sha256).digest()[:16]


class Broker(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="swpsp-test-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.guests = [self.guest("a", REGION), self.guest("b", OTHER)]

    def path(self, name):
        return os.path.join(self.dir, name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def guest(self, name, memory, policy=1):
        with open(self.path(name + ".guest"), "w", encoding="ascii") as f:
            json.dump({"name": name, "policy": policy, "memory": memory}, f)
        return ["--legacy-guest", self.path(name + ".guest")]

    def session(self, script, broker=(), run=(), guests=None):
        """A host with a broker at $S; @script is the guests. Returns the
        script's status and output."""
        options = [o for g in guests or self.guests for o in g]
        shell = """
            cd %s; rm -f broker.out; : >broker.out
            G="%s aeb-get --connect unix://$PWD/s"
            %s aeb %s --listen unix://$PWD/s %s >>broker.out 2>broker.err &
            b=$!
            n=0; until grep -q 'listening on unix://[^@]*/s$' broker.out; do
                n=$((n + 1)); [ $n -lt 100 ] || { cat broker.err; exit 99; }
                sleep 0.05
            done
            set +e
            %s
            r=$?
            kill -TERM $b; wait $b || exit 98
            exit $r""" % (self.dir, tst.SWPSP, tst.SWPSP, DEV,
                          " ".join(broker), script)
        return tst.run(tst.SWPSP, "run", DEV, *options, *run, "--", "sh", "-c",
                       shell)

    def ok(self, script, **kwargs):
        p = self.session(script, **kwargs)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        return p

    def refused(self, script, text, **kwargs):
        p = self.session(script, **kwargs)
        self.assertEqual(p.returncode, 1, p.stdout + p.stderr)
        self.assertIn(text, p.stderr)

    def root(self, product="Milan"):
        folder = self.path("certs")
        if not os.path.isdir(folder):
            p = tst.run(tst.SWPSP, "certs", "export", DEV, folder)
            self.assertEqual(p.returncode, 0, p.stderr)
        return "%s/pki/%s/ask_ark_%s.cert" % (folder, product,
                                              product.lower())

    def verify(self, name, *argv):
        p = tst.run(tst.SWPSP, "verify", "--type", "aeb", "--evidence",
                    self.path(name), "--root", self.root(), "--json", *argv)
        self.assertIn(p.returncode, (0, 1), p.stderr)
        verdict = json.loads(p.stdout)
        self.assertEqual(verdict["verdict"] == "ACCEPTED", p.returncode == 0)
        return [c["check"] for c in verdict["checks"]
                if c["verdict"] == "FAIL"]

    def digest(self, name):
        return self.read(name)[16:48].hex()

    # ---- the plain walk ----

    def test_json_and_packed_say_the_same(self):
        n = "00112233445566778899aabbccddeeff"
        self.ok("$G --handle 1 --mnonce %s --out j && "
                "$G --handle 1 --mnonce %s --out p --format packed "
                "--encoding packed && "
                "SWPSP_VM_HANDLE=1 $G --plain --out plain" % (n, n))
        j, p = json.loads(self.read("j")), self.read("p")
        self.assertEqual(len(p), 6461)
        self.assertEqual(bytes(j["report"]["monce"]), bytes.fromhex(n))
        self.assertEqual(bytes(j["report"]["launch_digest"]), p[16:48])
        self.assertEqual(struct.pack("<4I", *(j["report"][k] for k in (
            "policy", "sig_usage", "sig_algo", "reserved"))), p[48:64])
        self.assertEqual(bytes(j["cek"] + j["pek"] + j["oca"]), p[208:6460])
        self.assertEqual((j["device_type"], p[6460]), ("AmdMilan", 2))
        compact = json.dumps(j, separators=(",", ":")).encode()
        self.assertEqual(compact, self.read("j"))
        for name in ("j", "p", "plain"):
            self.assertEqual(self.verify(name), [])

    def test_the_published_layout(self):
        self.ok("$G --handle 1 --plain --out e --format packed",
                broker=["--evidence-layout", "aeb"])
        self.assertEqual(len(self.read("e")), 6460)
        self.assertEqual(self.verify("e"), [])

    def test_every_address_and_service_name(self):
        script = " && ".join(
            ["$G --handle 1 --service %s" % s for s in (
                "aeb.Aeb", "aeb.AEB", "aeb.AebService", "aeb.AEBService",
                "AEBService", "AebService")] +
            ["%s aeb-get --connect unix://@swpsp-test-aeb-%d --handle 1" %
             (tst.SWPSP, os.getpid())])
        self.ok("{ %s; } >/dev/null" % script,
                broker=["--listen",
                        "unix://@swpsp-test-aeb-%d" % os.getpid()])
        self.refused("$G --handle 1 --service aeb.aeb",
                     "/aeb.aeb/RetrieveAttestationEvidenceSize does not exist")

    def test_status_style(self):
        self.refused("$G --handle 9", 'status 2: Others("failed to',
                     broker=["--error-style", "status"])

    def test_a_guest_that_hangs_takes_nobody_with_it(self):
        slow = ("import socket,sys,time\n"
                "c=[]\n"
                "for i in range(20):\n"
                " s=socket.socket(socket.AF_UNIX); s.connect('s')\n"
                " s.send(b'\\0\\0\\0\\x20\\0'); c.append(s)\n"
                "print('up',flush=True); time.sleep(3)\n")
        with open(self.path("slow.py"), "w", encoding="ascii") as f:
            f.write(slow)
        self.ok("/usr/bin/python3 slow.py >up & h=$!; "
                "until grep -q up up; do sleep 0.05; done; "
                "for i in 1 2 3 4 5; do $G --handle 1 --timeout 2000 >e$i "
                "& p=\"$p $!\"; done; for i in $p; do wait $i || r=1; done; "
                "kill $h; [ -z \"$r\" ]")

    def key_server(self, *argv):
        """A key server; its port."""
        kds = subprocess.Popen([tst.SWPSP, "kds", DEV, *argv],
                               stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
        self.addCleanup(kds.wait)
        self.addCleanup(kds.stdout.close)
        self.addCleanup(kds.terminate)
        return int(kds.stdout.readline())

    def test_key_server_by_http(self):
        url = "http://127.0.0.1:%d" % self.key_server()
        self.ok("$G --handle 1 --out e", broker=["--kds-url", url])
        self.assertEqual(self.verify("e"), [])
        self.refused("$G --handle 1", "error 0x20000: key server",
                     broker=["--kds-url", "http://127.0.0.1:1"])

    def test_key_server_by_https(self):
        ca = self.path("ca.pem")
        port = self.key_server("--tls", "--tls-ca", ca)
        good = ["--kds-url", "https://localhost:%d" % port]
        self.ok("$G --handle 1 --out e", broker=[*good, "--kds-ca", ca])
        self.assertEqual(self.verify("e"), [])
        # The system does not know this CA: nothing falls back.
        self.refused("$G --handle 1", "error 0x20000: key server", broker=good)
        self.assertIn(b"its certificate: ", self.read("broker.err"))
        os.environ["SSL_CERT_FILE"] = ca
        self.addCleanup(os.environ.pop, "SSL_CERT_FILE")
        self.ok("$G --handle 1", broker=good)
        # TLS to a plain server.
        plain = self.key_server()
        self.refused("$G --handle 1", "error 0x20000: key server", broker=[
            "--kds-url", "https://127.0.0.1:%d" % plain, "--kds-ca", ca])

    def test_key_server_that_limits_the_rate(self):
        port = self.key_server("--fail", "429/2")
        script = "$G --handle 1 --out e"
        url = ["--kds-url", "http://127.0.0.1:%d" % port]
        self.ok(script, broker=url)
        self.refused(script, "error 0x201ad: key server: too many requests",
                     broker=[*url, "--kds-timeout", "1"])

    def test_wrong_options(self):
        for argv in (["--listen", "tcp://1"], ["--map", "x"], ["--rate", "0"],
                     ["--kds-url", "ftp://h"], ["--peer-policy", "bind"],
                     ["--kds-ca", "/dev/null"], ["--kds-timeout", "0"],
                     ["--kds-url", "https://h", "--kds-ca", "/dev/null"],
                     ["--kds-url", "http://h", "--kds-ca", "/dev/null"],
                     ["--endpoint", "unix://a"], ["x"], ["--nothing"]):
            p = tst.run(tst.SWPSP, "aeb", DEV, *argv)
            self.assertEqual(p.returncode, 2, argv)
        for argv in (["--mnonce", "00"], ["--spki", "00" * 32],
                     ["--handle", "x"], ["--connect", "unix:///nowhere"]):
            p = tst.run(tst.SWPSP, "aeb-get", *argv)
            self.assertEqual(p.returncode, 2, argv)

    def test_connections_follow_the_limit_of_descriptors(self):
        def broker(*argv):
            return subprocess.Popen(
                ["prlimit", "--nofile=700", tst.SWPSP, "aeb", DEV, "--listen",
                 "unix://" + self.path("few"), *argv], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        with broker() as p:
            self.assertIn("listening", p.stdout.readline())
            p.terminate()
            self.assertIn("444 connections:", p.stderr.read())
        with broker("--max-connections", "445") as p:
            self.assertIn("may have 700 descriptors", p.stderr.read())
        self.assertEqual(p.returncode, 2)
        with broker("--max-connections", "444") as p:
            self.assertIn("listening", p.stdout.readline())
            p.terminate()
            self.assertNotIn("descriptors", p.stderr.read())

    # ---- threats ----

    def test_t1_handle_of_a_guest_with_another_image(self):
        self.ok("$G --handle 1 --out a --format packed && "
                "$G --handle 2 --out b --format packed")
        mine = self.digest("a")
        self.assertEqual(self.verify("a", "--launch-digest", mine), [])
        self.assertEqual(self.verify("b", "--launch-digest", mine),
                         ["launch-digest"])

    def test_t2_twin_guest_cannot_be_told(self):
        twin = [self.guest("a", REGION), self.guest("twin", REGION)]
        self.ok("$G --handle 1 --out a --format packed && "
                "$G --handle 2 --out b --format packed", guests=twin)
        self.assertEqual(self.verify("b", "--launch-digest",
                                     self.digest("a")), [])

    def test_t3_replayed_report(self):
        script = ("$G --handle 1 --out first --format packed && "
                  "$G --handle 1 --mnonce %s" % ("5a" * 16))
        self.refused(script, "not for the nonce",
                     broker=["--hostile", "replay"])
        self.assertEqual(self.verify("first", "--mnonce", "5a" * 16),
                         ["mnonce"])

    def test_t4_t5_t11_session_challenge_and_launch(self):
        a5, key = b"\xa5" * 32, b"\x5a" * 32
        self.ok("$G --handle 1 --launch-nonce %s --challenge %s --spki %s "
                "--out e --format packed" % (LN, a5.hex(), key.hex()))
        self.assertEqual(self.read("e")[:16], bound(a5, key))
        want = ["--launch-nonce", LN, "--challenge", a5.hex()]
        table = ["--challenge-table", self.path("table")]
        # Another session's key: an impostor presents A's evidence.
        self.assertEqual(self.verify("e", *want, "--spki", "77" * 32, *table),
                         ["mnonce"])
        mine = [*want, "--spki", key.hex()]
        self.assertEqual(self.verify("e", *mine, *table), [])
        self.assertEqual(self.verify("e", *mine, *table), ["challenge"])
        self.assertEqual(self.verify("e", *mine, "--challenge-until", "1"),
                         ["challenge"])

    def test_the_once_form_counts_once_a_launch(self):
        self.ok("$G --handle 1 --launch-nonce %s --out e" % LN)
        argv = ["--launch-nonce", LN, "--challenge-table", self.path("table")]
        self.assertEqual(self.verify("e", *argv), [])
        self.assertEqual(self.verify("e", *argv), ["challenge"])

    def test_t5_guest_b_asks_with_the_handle_of_a(self):
        broker = ["--endpoint", "unix://%s=2" % self.path("b.sock")]
        b = "%s aeb-get --connect unix://%s" % (tst.SWPSP,
                                                self.path("b.sock"))
        self.refused(b + " --handle 1", "error 0x30002", broker=broker)
        self.refused("$G --handle 1", "error 0x30003", broker=broker)
        self.ok(b + " --handle 2 --out e", broker=broker)

    def test_t17_endpoint_of_one_guest_needs_no_handle(self):
        broker = ["--endpoint", "unix://%s=2" % self.path("b.sock"),
                  "--peer-policy", "bind"]
        b = "%s aeb-get --connect unix://%s" % (tst.SWPSP,
                                                self.path("b.sock"))
        self.ok(b + " --out e --format packed", broker=broker)
        self.ok("$G --handle 2 --out direct --format packed")
        self.assertEqual(self.digest("e"), self.digest("direct"))
        self.refused(b + " --handle 1", "error 0x30002", broker=broker)

    def test_t8_another_platform_under_the_same_root(self):
        self.ok("$G --handle 1 --out e --format packed")
        with open(self.path("pek"), "wb") as f:
            f.write(self.read("e")[2292:4376])
        with open(self.path("cek"), "wb") as f:
            f.write(self.read("e")[208:2292])
        pins = ["--pin-pek", self.path("pek"), "--pin-cek", self.path("cek")]
        self.assertEqual(self.verify("e", *pins), [])
        self.ok("$G --handle 1 --out other", run=["--chip", "1"])
        self.assertEqual(self.verify("other"), [])
        self.assertEqual(self.verify("other", *pins), ["platform"])

    def test_t9_forged_cek(self):
        self.ok("$G --handle 1 --out e --format packed && "
                "$G --handle 1 --out o --format packed")
        e = bytearray(self.read("e"))
        self.ok("$G --handle 1 --out other --format packed",
                run=["--chip", "1"])
        e[208:2292] = self.read("other")[208:2292]
        with open(self.path("forged"), "wb") as f:
            f.write(e)
        self.assertEqual(self.verify("forged"), ["chain"])

    def test_t10_broker_that_strips_the_nonce(self):
        self.refused("$G --handle 1 --mnonce %s --out e" % ("5a" * 16),
                     "not for the nonce", broker=["--hostile", "strip"])
        self.assertFalse(os.path.exists(self.path("e")))

    def test_t12_policy_that_allows_debugging(self):
        self.ok("$G --handle 1 --out e",
                guests=[self.guest("weak", REGION, policy=0)])
        self.assertEqual(self.verify("e", "--policy", "1", "--policy-mask",
                                     "1"), ["policy"])

    def test_t13_every_byte_counts(self):
        self.ok("$G --handle 1 --out e --format packed")
        e = self.read("e")
        for at in (0, 16, 48, 52, 56, 60, 64, 111, 112, 136, 183, 208, 216,
                   224, 1300, 1800, 2292, 2316, 3400, 3900, 4376, 4400, 5430,
                   5470, 6460):
            bad = bytearray(e)
            bad[at] ^= 1
            with open(self.path("bad"), "wb") as f:
                f.write(bad)
            self.assertNotEqual(self.verify("bad"), [], at)

    def test_t15_negative_hypercall_results(self):
        for handle in ("0xffffffff", "0xfffffc18", "0xffffffe7", "0"):
            self.refused("$G --handle " + handle, "error 0x10:")

    def test_t18_number_9_of_a_mainline_driver(self):
        self.refused("$G --handle 1", "error 0x30008",
                     broker=["--report-number", "9"])
        self.ok("$G --handle 1 --out e", broker=["--report-number", "9"],
                run=["--sev-abi", "aeb2022"])
        self.assertEqual(self.verify("e"), [])

    def test_no_device(self):
        self.refused("$G --handle 1", "error 0x10002",
                     broker=["--device", "/nowhere"])


if __name__ == "__main__":
    tst.main()
