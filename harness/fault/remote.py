# SPDX-License-Identifier: Apache-2.0
"""A daemon that is killed and started again, and its control protocol spoken by
hand: fast, and able to stop in the middle."""
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../support"))
import tst  # noqa: E402

# The public seed as a file: its RSA keys are built in, and a state can be kept.
SEED = b"swpsp public development seed".ljust(32, b"\0")
FULL = os.environ.get("FULL") == "1"
IOCTL, NEED, DATA, RESULT = 1, 2, 3, 4
SNP_GET_REPORT, SEV_ISSUE_CMD = 0xc0205300, 0xc0105300
PEK_GEN, PDH_GEN, PDH_CERT_EXPORT = 2, 4, 5
CERT_SIZE = 0x824
BASE = 0x10000


class Gone(Exception):
    """The other end has gone."""


class Daemon:
    def __init__(self, folder, *options, swpsp=tst.SWPSP, env=None):
        self.folder, self.options, self.swpsp = folder, options, swpsp
        self.env = {**os.environ, **(env or {})}
        self.socket = os.path.join(folder, "s.sock")
        self.log_path = os.path.join(folder, "log")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.join(folder, "notify"))
        self.env["NOTIFY_SOCKET"] = os.path.join(folder, "notify")
        self.proc = None
        with open(os.path.join(folder, "seed"), "wb") as f:
            f.write(SEED)

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.proc = subprocess.Popen(
                [self.swpsp, "serve", "--socket", self.socket,
                 *(["--seed-file", os.path.join(self.folder, "seed")]
                   if "--state" in self.options
                   else ["--insecure-dev-seed"]), *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        for _ in range(300):
            if select.select([self.notify], [], [], 0.1)[0]:
                if b"READY=1" in self.notify.recv(4096):
                    return
            if self.proc.poll() is not None:
                break
        raise AssertionError("not ready (%s): %s" %
                             (self.proc.poll(), self.log()[-2000:]))

    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            return f.read()

    def kill(self):
        self.proc.kill()
        self.proc.wait()
        while select.select([self.notify], [], [], 0)[0]:
            self.notify.recv(4096)

    def end(self):
        """Its exit status after SIGTERM."""
        if self.proc is None:
            return None
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
        return self.proc.wait(timeout=60)

    def connect(self):
        return Connection(self.socket)

    def ask(self, op, guest=None):
        c = self.connect()
        try:
            return c.ask(op, guest)
        finally:
            c.close()

    def resident_kib(self):
        with open("/proc/%d/status" % self.proc.pid, encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f
                        if line.startswith("VmRSS:"))


class Connection:
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.s.settimeout(60)
        try:
            self.s.connect(path)
        except OSError as e:
            raise Gone(str(e)) from e

    def close(self):
        self.s.close()

    def send(self, data):
        try:
            self.s.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as e:
            raise Gone(str(e)) from e

    def receive(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.s.recv(size - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Gone("end of the connection")
            data += more
        return data

    def line(self):
        """The next one; what comes after it stays in the socket."""
        line = b""
        while not line.endswith(b"\n"):
            try:
                seen = self.s.recv(1 << 16, socket.MSG_PEEK)
            except ConnectionResetError:
                seen = b""
            end = seen.find(b"\n") + 1
            line += self.receive(end if end > 0 else max(len(seen), 1))
        return line

    def ask(self, op, guest=None, **more):
        """The result; AssertionError when the daemon says no."""
        request = {"v": 1, "op": op, **more}
        if guest is not None:
            request["guest"] = guest
        self.send(json.dumps(request).encode() + b"\n")
        answer = json.loads(self.line())
        if not answer["ok"]:
            raise AssertionError("%s: %s" % (op, answer["error"]))
        return answer["result"]

    def attach(self, guest):
        self.ask("attach", guest)
        return self

    def frame(self, kind, body):
        self.send(struct.pack("<II", kind, len(body)) + body)

    def ioctl(self, number, memory):
        """One ioctl whose argument is the begin of @memory, a bytearray at
        BASE; returns its result, *memory has what was written."""
        self.frame(IOCTL, struct.pack("<IIQ", 1, number, BASE))
        while True:
            kind, size = struct.unpack("<II", self.receive(8))
            body = self.receive(size)
            if kind == RESULT:
                break
            out = b""
            for addr, n in struct.iter_unpack("<QI", body):
                at = addr - BASE
                out += struct.pack("<i", 0) + memory[at:at + n] \
                    if 0 <= at <= len(memory) - n else struct.pack("<i", -14)
            self.frame(DATA, out)
        at = 8
        while at < len(body):
            addr, n = struct.unpack_from("<QI", body, at)
            memory[addr - BASE:addr - BASE + n] = body[at + 12:at + 12 + n]
            at += 12 + n
        return struct.unpack_from("<q", body)[0]

    def report(self, data=b""):
        """The report's 1184 bytes."""
        memory = bytearray(0x3000)
        struct.pack_into("<B7xQQQ", memory, 0, 1, BASE + 0x1000, BASE + 0x2000,
                         0)
        memory[0x1000:0x1000 + len(data)] = data
        result = self.ioctl(SNP_GET_REPORT, memory)
        if result != 0:
            raise AssertionError("SNP_GET_REPORT: %d" % result)
        return bytes(memory[0x2020:0x2020 + 1184])

    def issue(self, command, memory):
        """SEV_ISSUE_CMD whose data lies at BASE + 0x100 of @memory."""
        struct.pack_into("<IQI", memory, 0, command, BASE + 0x100, 0)
        result = self.ioctl(SEV_ISSUE_CMD, memory)
        if result != 0:
            raise AssertionError("SEV command %d: %d, firmware %d" % (
                command, result, struct.unpack_from("<I", memory, 12)[0]))

    def pdh(self):
        """PDH certificate and chain of the platform."""
        memory = bytearray(0x4000)
        struct.pack_into("<QIQI", memory, 0x100, BASE + 0x1000, CERT_SIZE,
                         BASE + 0x2000, 3 * CERT_SIZE)
        self.issue(PDH_CERT_EXPORT, memory)
        return (bytes(memory[0x1000:0x1000 + CERT_SIZE]),
                bytes(memory[0x2000:0x2000 + 3 * CERT_SIZE]))
