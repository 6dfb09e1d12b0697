#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""1000 connections on one broker, 200 evidence requests a second over them, and
what the broker and its supervisor hold (memory, descriptors) does not grow.

60 seconds with FULL=1, 3 else.
"""
import json
import os
import resource
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import remote  # noqa: E402
import tst  # noqa: E402

CONNECTIONS, RATE = 1000, 200
SECONDS = 60 if remote.FULL else 3
WARM, HASTE = 2 * CONNECTIONS, 4  # requests until memory is what it will be,
                                  # and times the rate for them
STRIDE = 617  # the next request's connection; prime to CONNECTIONS
GROWTH_KIB = 1024
WAIT = 10  # seconds for what should come at once

METHOD = b"RetrieveAttestationEvidence"
REQUEST = b"\x0a\x07aeb.Aeb\x12" + bytes([len(METHOD)]) + METHOD + \
    b"\x1a\x05\x08\x01\x10\xbd\x32"  # handle 1, 6461 bytes
HEAD = struct.Struct(">IIBB")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def field(data, at, tag):
    """The bytes of a length-delimited field at @at."""
    if data[at] != tag:
        raise ValueError("tag 0x%02x, not 0x%02x" % (data[at], tag))
    size, at = varint(data, at + 1)
    return data[at:at + size], at + size


class Connection:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(path)
        self.stream = -1
        self.buffer = b""
        self.asked = []  # when, oldest first

    def ask(self):
        self.stream += 2
        self.asked.append(time.monotonic())
        self.sock.sendall(HEAD.pack(len(REQUEST), self.stream, 1, 0) +
                          REQUEST)

    def take(self):
        """Evidence of the answers that are complete: (seconds, text)."""
        got = self.sock.recv(0x10000)
        if not got:
            raise ConnectionError("the broker has closed a connection")
        self.buffer += got
        while len(self.buffer) >= HEAD.size:
            size, stream, kind, flags = HEAD.unpack(self.buffer[:HEAD.size])
            if len(self.buffer) < HEAD.size + size:
                return
            if (stream, kind, flags) != (
                    self.stream - 2 * (len(self.asked) - 1), 2, 0):
                raise ValueError("header %r" % self.buffer[:HEAD.size])
            data = self.buffer[HEAD.size:HEAD.size + size]
            self.buffer = self.buffer[HEAD.size + size:]
            status, at = field(data, 0, 0x0a)
            payload, _ = field(data, at, 0x12)
            if status != b"" or payload[:3] != b"\x10\xbd\x32":
                raise ValueError("refused: %r %r" % (status, payload[:64]))
            evidence, _ = field(payload, 3, 0x1a)
            yield time.monotonic() - self.asked.pop(0), evidence


class Load(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="swpsp-load-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        want = CONNECTIONS + 64
        if hard != resource.RLIM_INFINITY and hard < want:
            self.skipTest("needs %d descriptors" % want)
        if soft < want:
            resource.setrlimit(resource.RLIMIT_NOFILE, (want, hard))

    def start(self):
        guest = os.path.join(self.dir, "guest.json")
        path = os.path.join(self.dir, "s")
        pid = os.path.join(self.dir, "pid")
        with open(guest, "w", encoding="ascii") as out:
            out.write("{}")
        shell = "echo $$ >%s; exec %s aeb --insecure-dev-seed --listen " \
            "unix://%s" % (pid, tst.SWPSP, path)
        run = subprocess.Popen(
            [tst.SWPSP, "run", "--insecure-dev-seed", "--legacy-guest", guest,
             "--", "sh", "-c", shell], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.assertIn("listening", run.stdout.readline())
        self.addCleanup(self.end, run)
        with open(pid, encoding="ascii") as text:
            return run, int(text.read()), path

    def end(self, run):
        run.terminate()
        run.wait(WAIT)
        run.stdout.close()

    def held(self, pids):
        """KiB resident and descriptors of each, without those of devices: the
        broker has one now and then."""
        out = []
        for pid in pids:
            with open("/proc/%d/status" % pid, encoding="ascii") as text:
                rss = [int(line.split()[1]) for line in text
                       if line.startswith("VmRSS:")][0]
            out.append((rss, sum(not self.is_device(fd.path) for fd in
                                 os.scandir("/proc/%d/fd" % pid))))
        return out

    def is_device(self, fd):
        try:
            return os.readlink(fd).startswith("/memfd:swpsp")
        except FileNotFoundError:
            return True  # closed since: nothing else comes and goes

    def drive(self, connections, count, rate=RATE):
        """@count requests, @rate a second; the seconds that each has
        waited."""
        poll = select.epoll()
        for c in connections:
            poll.register(c.sock, select.EPOLLIN)
        by_fd = {c.sock.fileno(): c for c in connections}
        waited, nonces, sent = [], set(), 0
        begin = time.monotonic()
        while len(waited) < count:
            due = begin + sent / rate
            now = time.monotonic()
            if sent < count and now >= due:
                connections[sent * STRIDE % len(connections)].ask()
                sent += 1
                continue
            self.assertLess(now, begin + count / rate + WAIT, "no answer")
            for fd, _ in poll.poll(due - now if sent < count else WAIT):
                for seconds, evidence in by_fd[fd].take():
                    report = json.loads(evidence)["report"]
                    waited.append(seconds)
                    nonces.add(bytes(report["monce"]))
        poll.close()
        self.assertEqual(len(nonces), count)
        return waited

    def test_1000_connections_200_requests_a_second(self):
        run, broker, path = self.start()
        pids = (broker, run.pid)
        idle = self.held(pids)
        connections = [Connection(path) for _ in range(CONNECTIONS)]
        self.drive(connections, WARM, HASTE * RATE)
        before = self.held(pids)
        waited = sorted(self.drive(connections, SECONDS * RATE))
        after = self.held(pids)
        print("%d connections, %d requests in %d s: half within %.1f ms, all "
              "within %.1f ms" %
              (CONNECTIONS, len(waited), SECONDS,
               waited[len(waited) // 2] * 1000, waited[-1] * 1000))
        for name, b, a in zip(("broker", "run"), before, after):
            print("%s: %d KiB, then %d KiB; %d descriptors, then %d" %
                  (name, b[0], a[0], b[1], a[1]))
            self.assertLess(a[0] - b[0], GROWTH_KIB)
            self.assertEqual(a[1], b[1])
        self.assertEqual(after[0][1], idle[0][1] + CONNECTIONS)
        for c in connections:
            c.sock.close()
        for _ in range(100 * WAIT):
            if self.held(pids)[0][1] == idle[0][1]:
                break
            time.sleep(0.01)
        self.assertEqual([h[1] for h in self.held(pids)],
                         [h[1] for h in idle])


if __name__ == "__main__":
    tst.main()
