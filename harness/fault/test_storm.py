#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many clients that do everything at once to one `swpsp serve`, and a shutdown in
the middle of it. With SWPSP_ASAN (as in make check) the daemon has the
sanitizers; SWPSP_ASAN=build/tsan looks for data races:

  make B=build/tsan CFLAGS="-fsanitize=thread -Wno-error" build/tsan/bin/swpsp

ROUNDS of each client (12; 300 with FULL=1).
"""
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import remote  # noqa: E402
import tst  # noqa: E402

CLIENTS = 24
SNP_SET_CONFIG = 11
ROUNDS = int(os.environ.get("ROUNDS", "300" if remote.FULL else "12"))
# What another client may have made of a guest meanwhile.
EXPECTED = ("ENOENT", "EEXIST", "ENODEV", "EBUSY", "ENOSPC")


class Client(threading.Thread):
    def __init__(self, daemon, seed, ends):
        super().__init__()
        self.daemon, self.ends = daemon, ends
        self.random = random.Random(seed)
        self.mine = "c%d" % seed
        self.shared = ["s%d" % i for i in range(4)]
        self.done, self.error = 0, None

    def launch(self, c):
        c.ask("guest.launch", {"name": self.random.choice(
            self.shared + [self.mine]), "certs": "none"})

    def launch_legacy(self, c):
        c.ask("guest.launch", {"name": self.mine, "kind": "legacy"})

    def stop(self, c):
        c.ask("guest.stop", self.random.choice(self.shared + [self.mine]))

    def look(self, c):
        c.ask("status")
        for g in c.ask("guest.list", limit=5)["guests"]:
            c.ask("guest.show", g["name"])

    def certs(self, c):
        c.ask("certs")

    def report(self, c):
        c.attach(self.random.choice(self.shared))
        try:
            for _ in range(3):
                c.report(b"x")
        except AssertionError as e:
            if "SNP_GET_REPORT: -19" not in str(e):  # ENODEV: it is stopped
                raise

    def keys(self, c):
        c.attach("host").pdh()

    def configure(self, c):
        c.attach("host").issue(SNP_SET_CONFIG, bytearray(0x200))

    def draw(self, c):
        c.attach("host").issue(remote.PDH_GEN, bytearray(0x200))

    def faults(self, c):
        c.ask("faults.set", plan={"faults": [
            {"do": "delay", "ms": 1, "when": {"every": 3}}]})
        c.ask("faults.show")
        c.ask("faults.clear")

    def follow(self, c):
        c.ask("trace")
        self.daemon.ask("status")

    def leave(self, c):
        c.send(b'{"v":1,"op":"guest.li')

    def run(self):
        ways = [self.launch, self.launch, self.launch_legacy, self.stop,
                self.stop, self.look, self.certs, self.report, self.report,
                self.keys, self.draw, self.configure, self.follow, self.leave,
                self.faults]
        while self.done < ROUNDS or self.ends:
            try:
                c = self.daemon.connect()
                try:
                    self.random.choice(ways)(c)
                finally:
                    c.close()
            except remote.Gone:
                if self.ends and self.daemon.proc.poll() is not None:
                    return
            except AssertionError as e:
                if not any(code in str(e) for code in EXPECTED):
                    self.error = e
                    return
            except Exception as e:  # for the main thread
                self.error = e
                return
            self.done += 1


class Storm(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="swpsp-storm-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.daemon = remote.Daemon(
            self.dir, "--state", os.path.join(self.dir, "state"),
            "--log-level", "warning", "--max-guests", "20",
            swpsp=tst.DAEMON)
        self.addCleanup(self.daemon.end)

    def start(self, ends):
        self.daemon.start()
        clients = [Client(self.daemon, i, ends) for i in range(CLIENTS)]
        for c in clients:
            c.start()
        return clients

    def finish(self, clients):
        for c in clients:
            c.join()
        for c in clients:
            if c.error is not None:
                raise c.error
        return sum(c.done for c in clients)

    def test_everything_at_once(self):
        done = self.finish(self.start(False))
        for _ in range(500):  # the last ones have left, and it will notice
            if self.daemon.ask("status")["connections"] == 1:
                break
            time.sleep(0.01)
        guests = self.daemon.ask("guest.list")["guests"]
        self.assertTrue(all(g["users"] == 0 and g["state"] == "running"
                            for g in guests), guests)
        asids = [g["asid"] for g in guests]
        self.assertEqual(len(set(asids)), len(asids))
        for g in guests:
            self.daemon.ask("guest.stop", g["name"])
        self.assertEqual(self.daemon.ask("status")["guests"], 0)
        self.assertEqual(self.daemon.end(), 0, self.daemon.log())
        self.assertNotIn("Sanitizer", self.daemon.log())
        print("%d clients, %d rounds" % (CLIENTS, done))

    def test_a_stop_that_meets_an_attach_waits_for_nobody(self):
        self.daemon.start()
        stopper = self.daemon.connect()
        stopper.s.settimeout(5)
        rng = random.Random(1)
        for _ in range(20 * ROUNDS):
            stopper.ask("guest.launch", {"name": "g", "certs": "none"})
            c = self.daemon.connect()
            c.send(b'{"v":1,"op":"attach","guest":"g"}\n')
            time.sleep(rng.random() * 0.0003)
            stopper.ask("guest.stop", "g")
            c.close()
        stopper.close()
        self.assertEqual(self.daemon.end(), 0, self.daemon.log())

    def test_shutdown_in_the_middle_of_everything(self):
        for seed in range(4):
            clients = self.start(True)
            while sum(c.done for c in clients) < 100 * (seed + 1):
                if not any(c.is_alive() for c in clients):
                    break
            self.daemon.ask("shutdown")
            self.assertEqual(self.daemon.end(), 0, self.daemon.log())
            self.finish(clients)
            self.assertNotIn("Sanitizer", self.daemon.log())


if __name__ == "__main__":
    tst.main()
