#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The evidence broker as its users see it: options, addresses, layouts, key
servers and limits. What it is for, the threats, is test_scenarios.py."""
import json
import os
import signal
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import evidence  # noqa: E402
import tst  # noqa: E402
from evidence import DEV  # noqa: E402


class Broker(evidence.Case):
    def setUp(self):
        super().setUp()
        self.guests = [self.guest("a", evidence.image(0xf4)),
                       self.guest("b", evidence.image(0x5a))]

    def guest(self, name, memory, policy=1):
        return ["--legacy-guest", self.description(name, memory, policy)]

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
                     ["--map", "uid:0=a"], ["--registry", "/nowhere"],
                     ["--map", "uid:0=1", "--registry", "/nowhere"],
                     ["--map", "uid:0=-a"], ["--kds-ca", "/dev/null"], ["--kds-timeout", "0"],
                     ["--kds-url", "https://h", "--kds-ca", "/dev/null"],
                     ["--kds-url", "http://h", "--kds-ca", "/dev/null"],
                     ["--endpoint", "unix://a"], ["x"], ["--nothing"]):
            p = tst.run(tst.SWPSP, "aeb", DEV, *argv)
            self.assertEqual(p.returncode, 2, argv)
        for option, values in (
                ("--rate", ("0", "1000001", "x", "-1", "")),
                ("--workers", ("0", "65")),
                ("--max-connections", ("0", "65537")),
                ("--max-per-cid", ("0", "4097")),
                ("--kds-timeout", ("3601",)),
                ("--alias-handle", ("1", "1=", "=1", "x=1", "1=x",
                                    "1=0x100000000")),
                ("--peer-policy", ("opened", "")), ("--extensions", ("no",)),
                ("--report-number", ("10",)), ("--self-check", ("none",)),
                ("--evidence-layout", ("6460",)), ("--error-style", ("x",))):
            for value in values:
                p = tst.run(tst.SWPSP, "aeb", DEV, option, value)
                self.assertEqual(p.returncode, 2, (option, value))
                self.assertIn("%s %s: " % (option, value), p.stderr)
                self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        for option, value, limit in (("--listen", "unix:///x", 33),
                                     ("--alias-handle", "1=2", 9),
                                     ("--map", "uid:1=1", 65)):
            p = tst.run(tst.SWPSP, "aeb", DEV, *[option, value] * limit)
            self.assertEqual(p.returncode, 2, option)
            self.assertRegex(p.stderr.splitlines()[-1],
                             "%s %s: .*(too many|at most)" % (option, value))
        for argv in (["--mnonce", "00"], ["--spki", "00" * 32],
                     ["--handle", "x"], ["--connect", "unix:///nowhere"]):
            p = tst.run(tst.SWPSP, "aeb-get", *argv)
            self.assertEqual(p.returncode, 2, argv)

    def test_another_handle_for_the_same_guest(self):
        p = self.ok("$G --handle 7 --out seven && $G --handle 2 --out two && "
                    "cat broker.err", broker=["--alias-handle", "7=2",
                                              "--workers", "1", "--rate", "9",
                                              "--max-per-cid", "1",
                                              "--kds-timeout", "9"])
        self.assertIn("ALIAS 7=2", p.stdout)
        seven, two = (json.loads(self.read(n))["report"]
                      for n in ("seven", "two"))
        self.assertEqual(seven["launch_digest"], two["launch_digest"])
        self.assertEqual(bytes(two["launch_digest"]).hex(),
                         evidence.launch_digest(0x5a))

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

    def test_a_hang_up_ends_a_broker_but_not_under_nohup(self):
        argv = [tst.SWPSP, "aeb", DEV, "--listen",
                "unix://" + self.path("hup")]
        for before, status in (([], 0), (["nohup"], -signal.SIGKILL)):
            with subprocess.Popen(before + argv, text=True,
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL) as p:
                self.assertIn("listening", p.stdout.readline())
                p.send_signal(signal.SIGHUP)
                try:
                    p.wait(2 if not before else 0.3)
                except subprocess.TimeoutExpired:
                    p.kill()
            self.assertEqual(p.returncode, status)
            self.assertEqual(os.path.exists(self.path("hup")), bool(before))

    def test_a_path_that_is_anothers_by_now_is_left(self):
        def broker():
            p = self.spawn(tst.SWPSP, "aeb", DEV, "--listen", "unix://" + path,
                           stdout=subprocess.PIPE)
            self.assertIn(b"listening", p.stdout.readline())
            return p
        path = self.path("s")
        first = broker()
        os.unlink(path)
        second = broker()
        self.assertEqual(self.end(first), 0)
        self.assertTrue(os.path.exists(path))
        self.assertEqual(self.end(second), 0)
        self.assertFalse(os.path.exists(path))

    def hostile(self, fault, script, text=None, status=1):
        p = self.session(script, broker=self.faults({"at": "broker",
                                                     **fault}))
        self.assertEqual(p.returncode, status, p.stdout + p.stderr)
        self.assertIn(text or "", p.stderr)
        self.assertRegex(self.read("broker.err").decode(),
                         "fault request [12] of the broker: " + fault["do"])

    def test_what_an_application_sees_of_each_fault(self):
        one = {"when": {"request": 1, "method": "evidence"}}
        get = "$G --handle 1 --out e"
        self.hostile({"do": "error", "code": 0x20001}, get,
                     "error 0x20001: key server: does not answer")
        self.hostile({"do": "status", "code": 14}, get, "status 14: Others")
        self.hostile({"do": "drop"}, get, "reset by peer", status=2)
        self.hostile({"do": "truncate", "size": 99, **one}, get, "evidence: ")
        self.hostile({"do": "truncate", "size": 0, **one}, get,
                     "evidence: there is none")
        self.hostile({"do": "flip", "offset": 0, **one}, get, "evidence: ")
        self.hostile({"do": "delay", "ms": 3000}, get + " --timeout 300",
                     "imed out", status=2)
        self.hostile({"do": "delay", "ms": 300}, get, status=0)
        self.assertEqual(self.verify("e"), [])
        self.hostile({"do": "flip", "part": "report", "offset": 16, **one},
                     get, status=0)
        self.assertEqual(self.verify("e"), ["report-signature"])
        for part in "cek", "pek", "oca":
            self.hostile({"do": "flip", "part": part, "offset": 0x420, **one},
                         get, status=0)
            self.assertEqual(self.verify("e"), ["chain"], part)
        # It waits for another answer on the connection, which never comes.
        self.hostile({"do": "reorder", **one}, get + " --timeout 300",
                     "imed out", status=2)

    def test_faults_of_other_places_do_nothing_here(self):
        self.ok("$G --handle 1 --out e", broker=self.faults(
            {"at": "key-server", "do": "drop"},
            {"at": "guest-request", "do": "drop"},
            {"at": "broker", "do": "drop", "when": {"every": 1, "handle": 7}},
            {"at": "broker", "do": "drop", "when": {"request": 9}}))
        self.assertEqual(self.verify("e"), [])
        self.assertNotIn(b"fault", self.read("broker.err"))

    def test_a_plan_that_is_none(self):
        for text, where in (
                ("{", "line 1"), ("{}", "faults"),
                ('{"faults": [{"at": "broker", "when": {"every": 1}, '
                 '"do": "busy"}]}', "faults[0]")):
            p = tst.run(tst.SWPSP, "aeb", DEV, "--faults",
                        self.write("bad", text))
            self.assertEqual(p.returncode, 2)
            self.assertIn(where, p.stderr)
            self.assertEqual(p.stderr.count("\n"), 1)

    def test_no_device(self):
        self.refused("$G --handle 1", "error 0x10002",
                     broker=["--device", "/nowhere"])


class OnFiles(evidence.Host):
    """A broker that serves while machines come and go below it."""

    def setUp(self):
        super().setUp()
        if os.getuid() != 0 or not os.access("/dev/fuse", os.W_OK):
            self.skipTest("needs root and /dev/fuse")
        self.nodes = self.path("nodes")
        os.mkdir(self.nodes)

    def machine(self):
        self.boot("--fuse", self.nodes)
        self.until(lambda: os.path.exists(self.nodes + "/sev"), self.daemon)
        self.launch("a", evidence.image(0xf4))

    def gone(self):
        self.until(lambda: not os.path.ismount(self.nodes + "/sev") and
                   not os.path.ismount(self.nodes))

    def broker_on_it(self):
        """The process, and its address."""
        aeb = "unix://" + self.path("s")
        p = self.spawn(tst.SWPSP, "aeb", DEV, "--device", self.nodes + "/sev",
                       "--listen", aeb)
        self.until(lambda: self.answers(self.path("s")), p)
        return p, aeb

    def test_a_machine_that_dies_and_comes_again(self):
        self.machine()
        p, aeb = self.broker_on_it()
        for i in range(3):
            self.got("e%d" % i, aeb, "--handle", "1")
            self.assertEqual(self.verify("e%d" % i), [])
            self.end(self.daemon, signal.SIGKILL)
            self.gone()
            self.refused("error 0x10002", aeb, "--handle", "1")
            self.machine()
        self.got("again", aeb, "--handle", "1")
        self.end(self.daemon)
        self.gone()
        self.refused("error 0x10002", aeb, "--handle", "1")
        self.assertEqual(self.end(p), 0, self.said(p))

    def test_a_machine_that_hangs_does_not_keep_the_broker(self):
        self.machine()
        p, aeb = self.broker_on_it()
        self.got("e", aeb, "--handle", "1")
        self.daemon.send_signal(signal.SIGSTOP)
        try:
            q = tst.run(tst.SWPSP, "aeb-get", "--connect", aeb, "--handle",
                        "1", "--timeout", "200")
            self.assertIn("imed out", q.stderr)
            p.terminate()
            self.assertEqual(p.wait(timeout=10), 0, self.said(p))
        finally:
            self.daemon.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    tst.main()
