# SPDX-License-Identifier: Apache-2.0
"""Hosts with an evidence broker for tests: guests, broker, guest application,
key server and relying party are programs."""
import hashlib
import json
import os
import signal
import socket
import subprocess
import time

import tst

DEV = "--insecure-dev-seed"
PAGE = "0xfffff000"


def image(fill):
    """A guest of one page, all of it @fill."""
    return [{"gpa": PAGE, "fill": fill, "size": 4096}]


def launch_digest(fill):
    """What firmware measures of image(fill)."""
    return hashlib.sha256(bytes([fill]) * 4096).hexdigest()


class Case(tst.Case):
    def description(self, name, memory, policy=1):
        """The file that describes a guest."""
        return self.write(name + ".guest", {"name": name, "policy": policy,
                                            "memory": memory})

    def faults(self, *faults, name="plan"):
        """Options that make a program follow a fault plan; without "when", all
        events of the place get the fault."""
        return ["--faults", self.write(name, {"faults": [
            {"when": {"every": 1}, **f} for f in faults]})]

    def spawn(self, *argv, **kwargs):
        """A program that runs until the test ends; what it says in .out."""
        log = open(self.path("log%d" % len(os.listdir(self.dir))), "wb+")
        self.addCleanup(log.close)
        # pylint: disable-next=consider-using-with
        p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL,
                             stdout=kwargs.pop("stdout", log), stderr=log,
                             **kwargs)
        p.log = log.name
        self.addCleanup(self.end, p)
        return p

    def end(self, p, sig=signal.SIGTERM):
        """Its exit status."""
        if p.poll() is None:
            p.send_signal(sig)
        if p.stdout is not None:
            p.stdout.close()
        return p.wait(timeout=30)

    def said(self, p):
        with open(p.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def until(self, what, p=None, seconds=20):
        """Wait until @what() is true."""
        end = time.monotonic() + seconds
        while not what():
            self.assertTrue(p is None or p.poll() is None,
                            p and self.said(p))
            self.assertLess(time.monotonic(), end, p and self.said(p))
            time.sleep(0.02)

    def key_server(self, *argv):
        """A key server; its port."""
        p = self.spawn(tst.SWPSP, "kds", DEV, *argv, stdout=subprocess.PIPE)
        return int(p.stdout.readline())

    def root(self, product="Milan"):
        folder = self.path("certs")
        if not os.path.isdir(folder):
            p = tst.run(tst.SWPSP, "certs", "export", DEV, folder)
            self.assertEqual(p.returncode, 0, p.stderr)
        return "%s/pki/%s/ask_ark_%s.cert" % (folder, product,
                                              product.lower())

    def verify(self, name, *argv):
        """The relying party; the checks that failed, in order."""
        p = tst.run(tst.SWPSP, "verify", "--type", "aeb", "--evidence",
                    self.path(name), "--root", self.root(), "--json", *argv)
        self.assertIn(p.returncode, (0, 1), p.stderr)
        verdict = json.loads(p.stdout)
        failed = [c["check"] for c in verdict["checks"]
                  if c["verdict"] == "FAIL"]
        self.assertEqual(verdict["verdict"] == "ACCEPTED", failed == [])
        self.assertEqual(p.returncode, 0 if failed == [] else 1)
        return failed

    def digest(self, name):
        """Launch digest in packed evidence."""
        return self.read(name)[16:48].hex()


class Host(Case):
    """A machine that stays: swpsp serve, and brokers on its /dev/sev."""

    def setUp(self):
        super().setUp()
        self.control = self.path("control")
        self.daemon = None
        self.brokers = 0

    def boot(self, *options):
        if self.daemon is not None:
            self.end(self.daemon)
        self.daemon = self.spawn(tst.SWPSP, "serve", DEV, "--socket",
                                 self.control, *options)
        self.until(lambda: self.answers(self.control), self.daemon)

    def answers(self, path):
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(path)
                return True
            except OSError:
                return False

    def ask(self, op, **args):
        """One request to the daemon; its answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.control)
            s.sendall(json.dumps({"v": 1, "op": op, **args}).encode() + b"\n")
            with s.makefile("rb") as f:
                return json.loads(f.readline())

    def launch(self, name, memory, policy=1):
        """Its handle."""
        p = tst.run(tst.SWPSP, "guest", "launch", "--socket", self.control,
                    "--json", "--legacy", "--guest",
                    self.description(name, memory, policy), name)
        self.assertEqual(p.returncode, 0, p.stderr)
        return json.loads(p.stdout)["handle"]

    def stop(self, name):
        p = tst.run(tst.SWPSP, "guest", "stop", "--socket", self.control,
                    name)
        self.assertEqual(p.returncode, 0, p.stderr)

    def broker(self, *options, socket_name=None):
        """Its address."""
        self.brokers += 1
        path = self.path(socket_name or "aeb%d" % self.brokers)
        p = self.spawn(tst.SWPSP, "run", "--connect", self.control, "--as",
                       "host", "--", tst.SWPSP, "aeb", DEV, "--listen",
                       "unix://" + path, *options)
        self.until(lambda: self.answers(path), p)
        self.last_broker = p
        return "unix://" + path

    def get(self, broker, *argv):
        """The application in a guest."""
        return tst.run(tst.SWPSP, "aeb-get", "--connect", broker, "--socket",
                       self.control, *argv)

    def got(self, name, broker, *argv):
        """Packed evidence in the file @name."""
        p = self.get(broker, "--out", self.path(name), "--format", "packed",
                     *argv)
        self.assertEqual(p.returncode, 0, p.stderr)

    def refused(self, text, broker, *argv):
        p = self.get(broker, "--out", self.path("refused"), *argv)
        self.assertEqual(p.returncode, 1, p.stdout + p.stderr)
        self.assertIn(text, p.stderr)
        self.assertFalse(os.path.exists(self.path("refused")))
