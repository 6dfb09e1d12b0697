#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the daemon and of its clients at random moments.

KILLS daemons (60; 1000 with FULL=1) and as many clients; SEED repeats a run.
"""
import contextlib
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import remote  # noqa: E402
import tst  # noqa: E402

KILLS = int(os.environ.get("KILLS", "1000" if remote.FULL else "60"))
SEED = int(os.environ.get("SEED", "1"))
GUESTS_MAX = 6


class Base(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="swpsp-kill-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.random = random.Random(SEED)
        self.daemon = remote.Daemon(self.dir, "--state",
                                    os.path.join(self.dir, "state"),
                                    "--log-level", "warning")
        self.addCleanup(self.stop)

    def stop(self):
        if self.daemon.proc is not None and self.daemon.proc.poll() is None:
            self.daemon.kill()


class Worker(threading.Thread):
    """Changes the platform until the daemon goes; what was acknowledged, and
    what was not answered, is known afterwards."""

    def __init__(self, daemon, rng, guests):
        super().__init__()
        self.daemon, self.random = daemon, rng
        self.guests = set(guests)  # acknowledged
        self.open = None           # (operation, name) without an answer
        self.new_pdh = False
        self.count, self.error = 0, None

    def choose(self):
        what = self.random.choice(["launch", "launch", "stop", "pdh", "report"])
        if what in ("stop", "report") and not self.guests:
            what = "launch"
        if what == "launch" and len(self.guests) >= GUESTS_MAX:
            what = "stop"
        if what == "launch":
            return what, "g%d" % self.random.randrange(10 ** 9)
        if what == "pdh":
            return what, "host"
        return what, self.random.choice(sorted(self.guests))

    def act(self, what, name):
        if what == "launch":
            self.daemon.ask("guest.launch", {"name": name, "certs": "none"})
            self.guests.add(name)
        elif what == "stop":
            self.daemon.ask("guest.stop", name)
            self.guests.remove(name)
        else:
            c = self.daemon.connect()
            try:
                c.attach(name)
                if what == "pdh":
                    c.issue(remote.PDH_GEN, bytearray(0x200))
                    self.new_pdh = True
                else:
                    c.report()
            finally:
                c.close()

    def run(self):
        try:
            while True:
                self.open = self.choose()
                self.act(*self.open)
                self.open = None
                self.count += 1
        except remote.Gone:
            pass
        except Exception as e:  # for the main thread
            self.error = e


class Daemon(Base):
    def found(self):
        guests = self.daemon.ask("guest.list")["guests"]
        self.assertTrue(all(g["state"] == "running" for g in guests), guests)
        c = self.daemon.connect().attach("host")
        pdh = hashlib.sha256(c.pdh()[0]).hexdigest()
        c.close()
        return {g["name"] for g in guests}, pdh

    def check(self, worker, known_pdh):
        """Old or new, never a third."""
        guests, pdh = self.found()
        allowed = [set(worker.guests)]
        what, name = worker.open or (None, None)
        if what == "launch":
            allowed.append(worker.guests | {name})
        elif what == "stop":
            allowed.append(worker.guests - {name})
        self.assertIn(guests, allowed)
        if worker.new_pdh:
            self.assertNotEqual(pdh, known_pdh)
        elif what != "pdh" and known_pdh is not None:
            self.assertEqual(pdh, known_pdh)
        return guests, pdh

    def new_pdh(self):
        c = self.daemon.connect().attach("host")
        c.issue(remote.PDH_GEN, bytearray(0x200))
        pdh = c.pdh()[0]
        c.close()
        return hashlib.sha256(pdh).hexdigest()

    def test_started_again_from_a_fixed_seed_it_draws_other_keys(self):
        drawn = set()
        for _ in range(3):
            self.daemon.start()
            drawn.add(self.new_pdh())
            self.daemon.kill()
        self.assertEqual(len(drawn), 3)

    def test_killed_at_any_moment_it_comes_back_with_what_it_had(self):
        worker = Worker(self.daemon, self.random, ())
        pdh, changes, starts, slowest = None, 0, 0, 0.0
        for _ in range(KILLS):
            if self.random.random() < 0.25:  # while it starts
                self.daemon.start(wait=False)
                time.sleep(self.random.random() * 0.06)
                self.daemon.kill()
                starts += 1
                continue
            begin = time.monotonic()
            self.daemon.start()
            slowest = max(slowest, time.monotonic() - begin)
            guests, pdh = self.check(worker, pdh)
            worker = Worker(self.daemon, random.Random(self.random.random()),
                            guests)
            worker.start()
            time.sleep(self.random.random() * 0.08)
            self.daemon.kill()
            worker.join()
            if worker.error is not None:
                raise worker.error
            changes += worker.count
        self.daemon.start()
        self.check(worker, pdh)
        self.assertEqual(self.daemon.end(), 0, self.daemon.log())
        print("daemon killed %d times (%d while it started), %d operations "
              "acknowledged, none lost; slowest start %.0f ms" %
              (KILLS, starts, changes, slowest * 1000))


class Clients(Base):
    def start_client(self):
        return subprocess.Popen(
            [tst.SWPSP, "run", "--connect", self.daemon.socket, "--as", "g",
             "--", tst.client("bench_ioctl")], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def children(self, pid):
        try:
            with open("/proc/%d/task/%d/children" % (pid, pid),
                      encoding="ascii") as f:
                return [int(p) for p in f.read().split()]
        except FileNotFoundError:
            return []

    def is_there(self, pid):
        try:
            with open("/proc/%d/stat" % pid, encoding="ascii") as f:
                return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return False

    def until(self, what):
        for _ in range(500):
            if what():
                return True
            time.sleep(0.01)
        return False

    def kill_run(self):
        """The supervisor: its program must not outlive it."""
        p = self.start_client()
        time.sleep(self.random.random() * 0.1)
        programs = self.children(p.pid)
        p.kill()
        p.wait()
        self.assertTrue(self.until(
            lambda: not any(self.is_there(q) for q in programs)))

    def kill_program(self):
        """The program: its supervisor ends, and not well, unless the program
        had come to its own end before."""
        p = self.start_client()
        time.sleep(0.02 + self.random.random() * 0.1)
        programs = self.children(p.pid)
        for q in programs:
            with contextlib.suppress(ProcessLookupError):  # it was faster
                os.kill(q, 9)
        if not programs:
            p.kill()
        self.unwell += p.wait(timeout=20) != 0

    def break_off(self):
        """A peer that leaves in the middle of its protocol."""
        c = self.daemon.connect()
        try:
            c.attach("g")
            frame = bytes.fromhex("0100000010000000") + bytes(16)
            c.s.send(frame[:self.random.randrange(len(frame) + 1)])
        finally:
            c.close()

    def test_killed_at_any_moment_the_daemon_does_not_mind(self):
        ways = [self.kill_run, self.kill_program, self.break_off]
        self.daemon.start()
        self.daemon.ask("guest.launch", {"name": "g", "certs": "none"})
        self.unwell = first = 0
        for i in range(KILLS):
            ways[i % len(ways)]()
            if i == min(9, KILLS - 1):
                first = self.daemon.resident_kib()
        self.assertGreater(self.unwell, KILLS // len(ways) // 2)
        self.assertTrue(self.until(
            lambda: self.daemon.ask("status")["connections"] == 1))
        guest = self.daemon.ask("guest.list")["guests"][0]
        self.assertEqual((guest["state"], guest["users"]), ("running", 0))
        c = self.daemon.connect().attach("g")
        self.assertEqual(c.report(b"x")[0x50:0x51], b"x")
        c.close()
        grown = self.daemon.resident_kib() - first
        print("clients killed %d times; the daemon has grown by %d KiB" %
              (KILLS, grown))
        self.assertLess(grown, 4096)
        self.assertEqual(self.daemon.end(), 0, self.daemon.log())


if __name__ == "__main__":
    tst.main()
