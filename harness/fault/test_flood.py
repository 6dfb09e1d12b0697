#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""64 client processes on one daemon, through `swpsp run --connect` and through
its FUSE device: what it holds (memory, descriptors, threads) does not grow.

10 000 opens and 100 000 ioctls each with FULL=1, a sixteenth of it else.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import remote  # noqa: E402
import tst  # noqa: E402

CLIENTS = 64
OPENS, IOCTLS = (157, 1563) if remote.FULL else (10, 100)  # of each client


class Flood(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="swpsp-flood-")
        self.addCleanup(shutil.rmtree, self.dir, True)

    def daemon(self, *options):
        d = remote.Daemon(self.dir, "--state", os.path.join(self.dir, "state"),
                          "--log-level", "warning", *options)
        self.addCleanup(lambda: d.proc is None or d.end())
        return d

    def held(self, d):
        """Descriptors and threads, once the last connections have ended."""
        for _ in range(500):
            if d.ask("status")["connections"] == 1:
                break
            time.sleep(0.01)
        proc = "/proc/%d/" % d.proc.pid
        return len(os.listdir(proc + "fd")), len(os.listdir(proc + "task"))

    def flood(self, d, label, one_round):
        """@one_round(opens, ioctls): all clients, with so many of each."""
        one_round(max(OPENS // 4, 1), max(IOCTLS // 4, 1))
        kib, held = d.resident_kib(), self.held(d)
        begin = time.monotonic()
        one_round(OPENS, IOCTLS)
        seconds = time.monotonic() - begin
        grown = d.resident_kib() - kib
        fds, threads = self.held(d)
        print("%s: %d clients, %d opens, %d ioctls in %.1f s; the daemon has "
              "grown by %d KiB to %d" %
              (label, CLIENTS, CLIENTS * OPENS, CLIENTS * IOCTLS, seconds,
               grown, kib + grown))
        self.assertLess(grown, 4096)
        self.assertLessEqual(fds, held[0] + 1)
        self.assertLessEqual(threads, held[1] + 8)

    def finish(self, commands):
        programs = [subprocess.Popen(c, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE) for c in commands]
        for p in programs:
            said = p.communicate(timeout=500)[1]
            self.assertEqual(p.returncode, 0, said)

    def test_64_supervised_programs_leave_nothing_behind(self):
        d = self.daemon()
        d.start()
        d.ask("guest.launch", {"name": "g", "certs": "none"})

        def one_round(opens, ioctls):
            self.finish([[tst.SWPSP, "run", "--connect", d.socket, "--as", "g",
                          "--", tst.client("flood"), "/dev/sev-guest", "1",
                          str(opens), str(ioctls)]] * CLIENTS)
        self.flood(d, "run --connect", one_round)
        self.assertEqual(d.ask("guest.list")["guests"][0]["users"], 0)
        self.assertEqual(d.end(), 0, d.log())

    def test_64_programs_on_the_fuse_device_leave_nothing_behind(self):
        if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
            self.skipTest("needs root and /dev/fuse")
        nodes = os.path.join(self.dir, "nodes")
        os.mkdir(nodes)
        d = self.daemon()
        d.start()
        d.ask("guest.launch", {"name": "g", "certs": "none"})
        self.assertEqual(d.end(), 0)
        d.options += ("--fuse", nodes, "--device-guest", "g")
        d.start()

        def one_round(opens, ioctls):
            self.finish([[tst.client("flood"),
                          os.path.join(nodes, "sev-guest"), str(CLIENTS),
                          str(opens), str(ioctls)]])
        self.flood(d, "FUSE", one_round)
        self.assertEqual(d.end(), 0, d.log())
        self.assertEqual(os.listdir(nodes), [])


if __name__ == "__main__":
    tst.main()
