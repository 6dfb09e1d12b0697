#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`swpsp serve` and the commands that talk to it: life, state, guests, attached
programs, and peers that do not behave."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import tst  # noqa: E402

# The public seed as a file: its RSA keys are built in, and a state can be kept.
SEED = b"swpsp public development seed".ljust(32, b"\0")
CLIENTS = {
    "c": [tst.client("report")],
    "go": [tst.client("report-go")],
    "rust": [tst.client("report-rust")],
    "python": ["/usr/bin/python3",
               os.path.join(tst.TOP, "harness/device/clients/py/report.py")],
}
NONCE = "5a" * 64
IOCTL, NEED, DATA, RESULT = 1, 2, 3, 4
SNP_GET_REPORT = 0xc0205300


class Daemon:
    """One swpsp serve, ready when the constructor returns."""

    def __init__(self, test, *options, state=None, wait=True, prefix=(),
                 env=None, name="s"):
        self.test = test
        self.socket = test.path(name + ".sock")
        self.notify_path = test.path(name + ".notify")
        self.log_path = test.path(name + ".log")
        if os.path.exists(self.notify_path):
            os.unlink(self.notify_path)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.notify_path)
        os.chmod(self.notify_path, 0o777)
        self.notify.settimeout(20)
        platform = ["--insecure-dev-seed"]
        if state is not None:
            platform = ["--state", state, "--seed-file", test.path("seed")]
        with open(self.log_path, "ab") as log:
            self.proc = subprocess.Popen(
                [*prefix, tst.DAEMON, "serve", "--socket", self.socket,
                 *platform, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": self.notify_path,
                     **(env or {})})
        test.addCleanup(self.end)
        if wait:
            self.ready = self.notify.recv(4096).decode()

    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            return f.read()

    def end(self, sig=signal.SIGTERM):
        if self.proc.poll() is None:
            self.proc.send_signal(sig)
        status = self.proc.wait(timeout=20)
        self.notify.close()
        if os.path.exists(self.log_path):
            self.test.assertNotIn("Sanitizer", self.log())
        return status

    def cli(self, *argv):
        return tst.run(tst.SWPSP, argv[0], "--socket", self.socket, *argv[1:])

    def ok(self, *argv):
        p = self.cli(*argv)
        self.test.assertEqual(p.returncode, 0, p.stderr + self.log())
        return p.stdout

    def json(self, *argv):
        return json.loads(self.ok(argv[0], "--json", *argv[1:]))

    def names(self):
        return [g["name"] for g in self.json("guest", "list")["guests"]]

    def run(self, guest, *command, **kwargs):
        return tst.run(tst.SWPSP, "run", "--connect", self.socket, "--as",
                       guest, "--", *command, **kwargs)

    def connect(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(self.socket)
        s.settimeout(20)
        self.test.addCleanup(s.close)
        return s

    def ask(self, request, s=None):
        """One request, raw bytes or an object; the answer as an object."""
        s = s or self.connect()
        if not isinstance(request, bytes):
            request = json.dumps(request).encode() + b"\n"
        s.sendall(request)
        return json.loads(read_line(s))

    def attach(self, guest):
        s = self.connect()
        answer = self.ask({"v": 1, "op": "attach", "guest": guest}, s)
        self.test.assertTrue(answer["ok"], answer)
        return s


def read_line(s):
    line = b""
    while not line.endswith(b"\n"):
        byte = s.recv(1)
        if not byte:
            break
        line += byte
    return line


def frame(kind, body):
    return struct.pack("<II", kind, len(body)) + body


def read_frame(s):
    head = s.recv(8, socket.MSG_WAITALL)
    if len(head) < 8:
        return None, b""
    kind, size = struct.unpack("<II", head)
    return kind, s.recv(size, socket.MSG_WAITALL) if size else b""


class Memory:
    """A made-up client's memory: one report request."""

    def __init__(self):
        self.bytes = {0x1000: struct.pack("<B7xQQQ", 1, 0x2000, 0x3000, 0),
                      0x2000: bytes(96)}

    def answer(self, need):
        out = b""
        for i in range(0, len(need), 12):
            addr, size = struct.unpack_from("<QI", need, i)
            data = self.bytes.get(addr)
            out += struct.pack("<i", 0) + data[:size] if data \
                else struct.pack("<i", -14)
        return out


def raw_report(s):
    """SNP_GET_REPORT by hand; (result, {address: bytes})."""
    memory = Memory()
    s.sendall(frame(IOCTL, struct.pack("<IIQ", 1, SNP_GET_REPORT, 0x1000)))
    while True:
        kind, body = read_frame(s)
        if kind != NEED:
            break
        s.sendall(frame(DATA, memory.answer(body)))
    if kind != RESULT:
        return None, {}
    result, = struct.unpack_from("<q", body)
    at, writes = 8, {}
    while at < len(body):
        addr, size = struct.unpack_from("<QI", body, at)
        writes[addr] = body[at + 12:at + 12 + size]
        at += 12 + size
    return result, writes


class Base(tst.Case):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="swpsp-serve-")
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir, True)
        with open(self.path("seed"), "wb") as f:
            f.write(SEED)

    def refused(self, *options, state=None, **kwargs):
        """A daemon that must not start; what it said."""
        d = Daemon(self, *options, state=state, wait=False, name="refused",
                   **kwargs)
        self.assertEqual(d.proc.wait(timeout=20), 2, d.log())
        log = d.log()
        os.unlink(d.log_path)
        return log


class Life(Base):
    def test_a_daemon_is_ready_and_ends_without_a_trace(self):
        d = Daemon(self, "--pid-file", self.path("pid"))
        self.assertIn("READY=1\n", d.ready)
        self.assertIn("MAINPID=%d\n" % d.proc.pid, d.ready)
        self.assertEqual(int(self.read("pid")), d.proc.pid)
        self.assertEqual(os.stat(d.socket).st_mode & 0o777, 0o600)
        status = d.json("status")
        self.assertEqual(status["pid"], d.proc.pid)
        self.assertEqual(status["profile"], "milan")
        self.assertTrue(status["insecure_seed"])
        self.assertFalse(status["persistent"])
        d.proc.send_signal(signal.SIGTERM)
        self.assertEqual(d.notify.recv(4096), b"STOPPING=1")
        self.assertEqual(d.end(), 0)
        self.assertFalse(os.path.exists(d.socket))
        self.assertFalse(os.path.exists(self.path("pid")))

    def test_shutdown_ends_it_as_well(self):
        d = Daemon(self)
        d.ok("shutdown")
        self.assertEqual(d.proc.wait(timeout=20), 0)
        self.assertFalse(os.path.exists(d.socket))
        p = d.cli("status")
        self.assertEqual(p.returncode, 2)
        self.assertEqual(p.stderr.count("\n"), 1)

    def test_an_abstract_notify_socket_is_told(self):
        name = "swpsp-test-%d" % os.getpid()
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind("\0" + name)
        s.settimeout(20)
        d = Daemon(self, wait=False, env={"NOTIFY_SOCKET": "@" + name})
        self.assertIn(b"READY=1", s.recv(4096))
        s.close()
        self.assertEqual(d.end(), 0)

    def test_a_socket_from_the_service_manager_is_used_and_left(self):
        path = self.path("handed.sock")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen()
        script = 'exec 3<&%d; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"' % \
            listener.fileno()
        os.set_inheritable(listener.fileno(), True)
        with open(self.path("log"), "wb") as log:
            p = subprocess.Popen(
                ["sh", "-c", script, "sh", tst.DAEMON, "serve",
                 "--insecure-dev-seed"], stderr=log, close_fds=False)
        self.addCleanup(lambda: p.poll() is None and p.kill())
        self.assertEqual(tst.run(tst.SWPSP, "status", "--socket",
                                 path).returncode, 0)
        p.terminate()
        self.assertEqual(p.wait(timeout=20), 0)
        self.assertTrue(os.path.exists(path))
        listener.close()

    def test_a_descriptor_that_is_no_listening_socket_is_refused(self):
        script = 'exec 3</dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; ' \
            'exec "$@"'
        log = self.refused(prefix=["sh", "-c", script, "sh"])
        self.assertIn("listening unix socket", log)

    def test_variables_for_another_process_are_ignored(self):
        d = Daemon(self, env={"LISTEN_PID": "1", "LISTEN_FDS": "1"})
        d.ok("status")

    def test_two_daemons_on_one_state_are_refused(self):
        d = Daemon(self, state=self.path("state"))
        log = self.refused(state=self.path("state"))
        self.assertIn("in use by another swpsp serve (process %d)" %
                      d.proc.pid, log)
        d.ok("status")

    def test_a_socket_in_use_is_refused_and_a_leftover_replaced(self):
        d = Daemon(self)
        log = self.refused("--socket", d.socket)
        self.assertIn("is in use", log)
        d.end(signal.SIGKILL)
        self.assertTrue(os.path.exists(d.socket))
        d = Daemon(self)
        d.ok("status")
        d.end()
        self.write("s.sock", b"no socket")
        self.assertIn("is no socket", self.refused("--socket",
                                                   self.path("s.sock")))
        self.assertEqual(self.read("s.sock"), b"no socket")

    def test_mistakes_on_the_command_line_create_nothing(self):
        made = self.path("made")
        for options in (["--profile", "venice"], ["--socket-mode", "9"],
                        ["--socket-mode", "1777"], ["--log-level", "loud"],
                        ["--guest", "x"], ["--nonsense"], ["argument"],
                        ["--user", "no-such-user"], ["--group", "no-such"],
                        ["--socket-group", "no-such"], ["--node-mode", "x"]):
            with self.subTest(options):
                p = tst.run(tst.SWPSP, "serve", "--insecure-dev-seed",
                            "--socket", made, *options)
                self.assertEqual(p.returncode, 2)
                self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
                self.assertFalse(os.path.exists(made))
        p = tst.run(tst.SWPSP, "serve", "--socket", made)
        self.assertEqual(p.returncode, 2)
        self.assertIn("--state", p.stderr)

    def test_files_of_its_own_below_a_mount_are_refused(self):
        nodes = self.path("nodes")
        os.mkdir(nodes)
        os.symlink(nodes, self.path("link"))
        other = self.path("other")
        for options in (["--socket", nodes + "/s"],
                        ["--socket", nodes + "/new/s"],
                        ["--socket", self.path("link/s")],
                        ["--socket", other, "--pid-file", nodes + "/pid"],
                        ["--socket", other, "--state", nodes]):
            for mount in "--fuse=%s/" % nodes, "--tsm=" + nodes:
                with self.subTest(options + [mount]):
                    p = tst.run(tst.SWPSP, "serve", "--insecure-dev-seed",
                                mount, *options)
                    self.assertEqual(p.returncode, 2)
                    self.assertIn(" is to be a mount", p.stderr)
                    self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        self.assertEqual(os.listdir(nodes), [])

    def test_it_gives_up_what_it_does_not_need(self):
        d = Daemon(self)
        with open("/proc/%d/status" % d.proc.pid, encoding="ascii") as f:
            text = f.read()
        self.assertIn("NoNewPrivs:\t1", text)
        self.assertIn("Seccomp:\t2", text)

    def test_what_another_user_may_not_remove_goes_as_well(self):
        if os.getuid() != 0:
            self.skipTest("needs root")
        for sig in (signal.SIGTERM, signal.SIGKILL):
            d = Daemon(self, "--user", "65534", "--pid-file",
                       self.path("pid"))
            d.ok("status")
            self.assertTrue(os.path.exists(self.path("pid")))
            self.assertEqual(d.end(sig), 0 if sig == signal.SIGTERM else -9)
            for _ in range(200):
                if not os.path.exists(d.socket) and \
                        not os.path.exists(self.path("pid")):
                    break
                time.sleep(0.01)
            self.assertFalse(os.path.exists(d.socket))
            self.assertFalse(os.path.exists(self.path("pid")))
            self.assertNotIn("stays", d.log())

    def test_it_becomes_another_user(self):
        if os.getuid() != 0:
            self.skipTest("needs root")
        state = self.path("state")
        os.mkdir(state, 0o700)
        os.chown(state, 65534, 65534)
        os.chmod(self.path("seed"), 0o644)
        run = self.path("run")
        d = Daemon(self, "--user", "65534", "--socket", run + "/c.sock",
                   state=state)
        d.socket = run + "/c.sock"
        with open("/proc/%d/status" % d.proc.pid, encoding="ascii") as f:
            text = f.read()
        self.assertIn("Uid:\t65534\t65534\t65534\t65534", text)
        self.assertIn("Gid:\t65534\t65534\t65534\t65534", text)
        self.assertIn("Groups:\t \n", text)
        d.ok("guest", "launch", "web")
        for top, _, files in os.walk(state):
            for name in files:
                self.assertEqual(os.stat(os.path.join(top, name)).st_uid,
                                 65534, name)
        p = tst.run("setpriv", "--reuid=65534", "--regid=65534",
                    "--clear-groups", tst.SWPSP, "status", "--socket",
                    d.socket, cwd="/")
        if p.returncode != 127 and "Permission denied" not in p.stderr:
            self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(d.end(), 0)
        self.assertFalse(os.path.exists(d.socket))


class State(Base):
    def start(self, *options, **kwargs):
        return Daemon(self, *options, state=self.path("state"), **kwargs)

    def test_guests_are_launched_again_in_their_order(self):
        for sig in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(sig):
                d = self.start()
                before = d.names()
                name = "n%d" % len(before)
                d.ok("guest", "launch", "--host-data", "42" * 32, name)
                d.ok("guest", "launch", "a" + name)
                d.end(sig)
                d = self.start()
                self.assertEqual(d.names(), before + [name, "a" + name])
                shown = d.json("guest", "show", name)
                self.assertEqual(shown["host_data"], "42" * 32)
                self.assertEqual(shown["state"], "running")
                d.end()
        d = self.start()
        d.ok("guest", "stop", "n0")
        d.end(signal.SIGKILL)
        d = self.start()
        self.assertEqual(d.names(), ["an0", "n2", "an2"])

    def test_a_guest_that_does_not_start_again_is_kept_and_shown(self):
        d = self.start()
        d.ok("guest", "launch", "web")
        d.end()
        d = self.start("--sev-start-uninit")
        shown = d.json("guest", "show", "web")
        self.assertEqual(shown["state"], "failed")
        self.assertIn("firmware refused", shown["failure"])
        p = d.run("web", "true")
        self.assertIn("has failed to start", p.stderr)
        d.end()
        d = self.start("--forget-options")
        self.assertEqual(d.json("guest", "show", "web")["state"], "running")

    def test_a_guest_after_a_factory_reset_brings_the_platform_up(self):
        script = (
            "import ctypes,fcntl,struct\n"
            "f=open('/dev/sev','r+b',0)\n"
            "s=ctypes.create_string_buffer(12)\n"
            "for c in (0,1):\n"
            " fcntl.ioctl(f,0xc0105300,"
            "bytearray(struct.pack('<IQI',c,ctypes.addressof(s),0)))\n"
            "print(s.raw[2])\n")
        for kind in ((), ("--legacy",)):
            with self.subTest(kind=kind):
                d = self.start()
                p = d.run("host", "/usr/bin/python3", "-c", script)
                self.assertEqual(p.stdout, "0\n", p.stderr)
                d.ok("guest", "launch", *kind, "web")
                p = d.run("host", "/usr/bin/python3", "-c",
                          script.replace("(0,1)", "(1,)"))
                self.assertEqual(p.stdout, "2\n" if kind else "1\n", p.stderr)
                d.ok("guest", "stop", "web")
                d.end()

    def test_options_are_remembered_until_they_are_forgotten(self):
        d = self.start("--mask-chip-id", "--reported-tcb", "04000000000018d9")
        d.end()
        d = self.start()
        self.assertEqual(d.json("status")["reported_tcb"], "04000000000018d9")
        d.end()
        d = self.start("--reported-tcb", "04000000000018da")
        self.assertEqual(d.json("status")["reported_tcb"], "04000000000018da")
        d.end()
        d = self.start("--forget-options")
        self.assertEqual(d.json("status")["reported_tcb"], "04000000000018db")

    def test_the_firmwares_store_survives(self):
        d = self.start()
        first = self.pdh(d)
        d.end(signal.SIGKILL)
        d = self.start()
        self.assertEqual(self.pdh(d), first)
        d.end()
        shutil.rmtree(self.path("state"))
        with open(self.path("seed"), "wb") as f:
            f.write(b"\7" * 32)
        d = self.start("--lookalike")  # another chip: another store
        self.assertNotEqual(self.pdh(d), first)

    def pdh(self, d):
        script = (
            "import fcntl,struct,sys,ctypes\n"
            "pdh=ctypes.create_string_buffer(2084)\n"
            "chain=ctypes.create_string_buffer(6252)\n"
            "a=ctypes.create_string_buffer(struct.pack('<QIQI',"
            "ctypes.addressof(pdh),2084,ctypes.addressof(chain),6252))\n"
            "e=bytearray(struct.pack('<IQI',5,ctypes.addressof(a),0))\n"
            "fcntl.ioctl(open('/dev/sev','r+b',0),0xc0105300,e)\n"
            "sys.stdout.write(chain.raw[:2084].hex())\n")
        p = d.run("host", "/usr/bin/python3", "-c", script)
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(len(p.stdout), 2 * 2084)
        return p.stdout

    def files(self):
        out = []
        for top, _, files in os.walk(self.path("state/platform")):
            out += [os.path.join(top, f) for f in files
                    if f not in ("lock", "serve.lock")]
        return sorted(out)

    def make(self):
        d = self.start()
        d.ok("guest", "launch", "web")
        d.end()
        files = self.files()
        self.assertEqual([os.path.basename(f) for f in files],
                         ["config", "web", "nv"])
        return files

    def test_damaged_files_are_refused_and_left(self):
        # Every byte and every length: harness/unit/service/test_state_store.c.
        for path in self.make():
            with open(path, "rb") as f:
                good = f.read()
            bad = {
                "flipped": good[:-1] + bytes([good[-1] ^ 1]),
                "cut": good[:len(good) // 2],
                "empty": b"",
                "longer": good + b"x",
                "newer": good[:8] + b"\2" + good[9:],
                "foreign": good[:30] + bytes([good[30] ^ 1]) + good[31:],
                "other": b"hello world\n" * 20,
            }
            for what, data in bad.items():
                with self.subTest((path, what)):
                    with open(path, "wb") as f:
                        f.write(data)
                    log = self.refused(state=self.path("state"))
                    self.assertEqual(log.count("\n"), 1, log)
                    self.assertIn(os.path.basename(path), log)
                    self.assertIn("it was left as it is", log)
                    if what == "newer":
                        self.assertIn("newer swpsp", log)
                    with open(path, "rb") as f:
                        self.assertEqual(f.read(), data)
            with open(path, "wb") as f:
                f.write(good)
        d = self.start()
        self.assertEqual(d.names(), ["web"])

    def test_another_platforms_state_is_refused(self):
        self.make()
        log = self.refused("--chip", "1", state=self.path("state"))
        self.assertIn("another platform", log)
        self.write("seed", b"\1" * 32)
        log = self.refused(state=self.path("state"))
        self.assertIn("another platform", log)

    def test_a_renamed_or_strange_file_is_refused(self):
        files = self.make()
        web = files[1]
        os.rename(web, web + "2")
        log = self.refused(state=self.path("state"))
        self.assertIn("web2", log)
        os.rename(web + "2", web)
        with open(web + ".bak", "wb") as f:
            f.write(b"x")
        self.assertIn("web.bak", self.refused(state=self.path("state")))
        os.unlink(web + ".bak")
        with open(web + ".tmp-12345678", "wb") as f:
            f.write(b"x")  # what a killed process leaves
        d = self.start()
        self.assertEqual(d.names(), ["web"])

    def test_missing_files_are_noticed(self):
        config, _, nv = self.make()
        for path in (config, nv):
            with self.subTest(path):
                os.rename(path, self.path("away"))
                log = self.refused(state=self.path("state"))
                self.assertIn(os.path.basename(path) + " is missing", log)
                self.assertFalse(os.path.exists(path))
                os.rename(self.path("away"), path)
        self.assertEqual(self.start().names(), ["web"])

    def test_a_file_that_others_can_read_is_refused(self):
        files = self.make()
        os.chmod(files[2], 0o644)
        self.assertIn("nv", self.refused(state=self.path("state")))

    def test_kills_at_any_moment_lose_nothing_acknowledged(self):
        acknowledged = set()
        for i in range(8):
            d = self.start()
            self.assertTrue(acknowledged <= set(d.names()))
            s = d.connect()
            deadline = time.monotonic() + 0.02 + 0.012 * i
            n = 0
            while n < 9 and time.monotonic() < deadline:
                name = "g%d-%d" % (i, n)
                a = d.ask({"v": 1, "op": "guest.launch",
                           "guest": {"name": name, "certs": "none"}}, s)
                self.assertTrue(a["ok"], a)
                acknowledged.add(name)
                n += 1
            s.sendall(json.dumps({"v": 1, "op": "guest.launch", "guest": {
                "name": "late%d" % i, "certs": "none"}}).encode() + b"\n")
            time.sleep(0.0007 * i)
            d.end(signal.SIGKILL)
        d = self.start()
        self.assertTrue(acknowledged <= set(d.names()))


class Guests(Base):
    def setUp(self):
        super().setUp()
        self.d = Daemon(self)

    def launch(self, name, *options):
        return self.d.json("guest", "launch", *options, name)

    def fetch(self, guest, name, client="c"):
        p = self.d.run(guest, *CLIENTS[client], "--report-data", NONCE,
                       "--report", self.path(name + ".bin"), "--certs",
                       self.path(name + ".certs"), "--key",
                       self.path(name + ".key"))
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        return self.read(name + ".bin")

    def test_what_programs_read_of_a_guest_besides_its_node(self):
        self.launch("inner", "--vmpl", "2")
        p = self.d.run("inner", "cat", "/sys/devices/system/cpu/sev/vmpl",
                       "/sys/class/misc/sev-guest/dev")
        self.assertEqual(p.stdout, "2\n10:125\n", p.stderr)
        p = self.d.run("host", "cat", "/sys/class/misc/sev/dev")
        self.assertEqual(p.stdout, "10:124\n", p.stderr)

    def test_clients_in_four_languages_get_verified_evidence(self):
        shown = self.launch("web", "--host-data", "42" * 32)
        p = tst.run(tst.SWPSP, "certs", "export", "--connect", self.d.socket,
                    self.path("exported"))
        self.assertEqual(p.returncode, 0, p.stderr)
        for language in CLIENTS:
            with self.subTest(language):
                report = self.fetch("web", language, language)
                self.assertEqual(report[0x90:0xc0].hex(),
                                 shown["measurement"])
                p = tst.run(tst.SWPSP, "verify", "--report",
                            self.path(language + ".bin"), "--certs",
                            self.path(language + ".certs"), "--root",
                            self.path("exported/pki/Milan/ark.pem"),
                            "--report-data", NONCE, "--host-data", "42" * 32)
                self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        self.assertEqual(len({self.read(n + ".key") for n in CLIENTS}), 1)

    def test_the_certificates_are_those_of_certs_export(self):
        tst.run(tst.SWPSP, "certs", "export", "--connect", self.d.socket,
                self.path("a"))
        tst.run(tst.SWPSP, "certs", "export", "--insecure-dev-seed",
                self.path("b"))
        count = 0
        for top, _, files in os.walk(self.path("a")):
            for name in files:
                path = os.path.relpath(os.path.join(top, name), self.dir)
                self.assertEqual(self.read(path), self.read("b" + path[1:]),
                                 path)
                count += 1
        self.assertEqual(count, 12 + 7)
        root = self.path("b/pki/Milan/ask_ark_milan.cert")
        p = tst.run(tst.SWPSP, "verify", "--type", "sev", "--chain",
                    self.path("a/sev/chain.cert"), "--root", root)
        self.assertEqual(p.returncode, 0, p.stdout)

    def test_an_owner_changes_the_exported_chain(self):
        for folder in ("a", "b"):
            p = tst.run(tst.SWPSP, "certs", "export", "--connect",
                        self.d.socket, self.path(folder))
            self.assertEqual(p.returncode, 0, p.stderr)
            p = self.d.run("host", tst.client("sev_owner"), "pdh-gen")
            self.assertEqual(p.returncode, 0, p.stderr)
        for name, same in (("pdh.cert", False), ("pek.cert", True),
                           ("oca.cert", True), ("cek.cert", True)):
            self.assertEqual(self.read("a/sev/" + name) ==
                             self.read("b/sev/" + name), same, name)

    def test_two_guests_at_once_have_their_own_reports_and_keys(self):
        self.launch("a", "--host-data", "0a" * 32)
        self.launch("b", "--host-data", "0b" * 32, "--vmpl", "1")
        procs = []
        for guest in ("a", "b"):
            for i in range(3):
                name = "%s%d" % (guest, i)
                procs.append(subprocess.Popen(
                    [tst.SWPSP, "run", "--connect", self.d.socket, "--as",
                     guest, "--", *CLIENTS["c"], "--vmpl",
                     "01"[guest == "b"], "--report", self.path(name + ".bin"),
                     "--key", self.path(name + ".key")]))
        for p in procs:
            self.assertEqual(p.wait(timeout=30), 0)
        for guest in ("a", "b"):
            reports = [self.read("%s%d.bin" % (guest, i)) for i in range(3)]
            for r in reports:
                self.assertEqual(r[0xc0:0xe0], bytes([10 + (guest == "b")]) *
                                 32)
                self.assertEqual(r[0x30], guest == "b")  # VMPL
            self.assertEqual(len({r[0x140:0x160] for r in reports}), 1)
        self.assertNotEqual(self.read("a0.bin")[0x140:0x160],
                            self.read("b0.bin")[0x140:0x160])
        self.assertNotEqual(self.read("a0.key"), self.read("b0.key"))

    def test_legacy_guests_live_beside_snp_guests(self):
        self.launch("snp")
        old = self.launch("old", "--legacy")
        es = self.launch("es", "--legacy", "--policy", "5")
        self.assertEqual([old["kind"], old["state"]], ["legacy", "running"])
        self.assertNotEqual(old["handle"], es["handle"])
        self.fetch("snp", "r")
        p = self.d.run("old", "true")
        self.assertEqual(p.returncode, 2)
        self.assertIn("no /dev/sev-guest", p.stderr)
        out = self.path("attestation")
        p = self.d.run("host", tst.client("sev_report"), "--handle",
                       str(old["handle"]), "--number", "0x80000009", out)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)

    def test_who_asks_about_a_guest_is_no_user_of_it(self):
        self.d.ok("guest", "launch", "a")
        self.assertEqual(self.d.json("guest", "show", "a")["users"], 0)
        self.d.attach("a")
        self.assertEqual(self.d.json("guest", "show", "a")["users"], 1)
        self.assertEqual(self.d.json("guest", "list")["guests"][-1]["users"],
                         1)

    def test_a_stopped_guest_answers_no_more(self):
        self.launch("web")
        s = self.d.attach("web")
        self.assertEqual(raw_report(s)[0], 0)
        self.assertEqual(self.d.json("guest", "show", "web")["users"], 1)
        self.d.ok("guest", "stop", "web")
        self.assertEqual(s.recv(1), b"")
        p = self.d.run("web", "true")
        self.assertEqual(p.returncode, 2)
        self.assertIn("there is no guest 'web'", p.stderr)
        self.launch("web")
        self.fetch("web", "r")

    def test_a_program_sees_its_guest_go_and_come_back(self):
        self.launch("web")
        script = ("{c} --report /dev/null && touch {d}/1;"
                  "while [ ! -e {d}/gone ]; do sleep 0.01; done;"
                  "{c} --report /dev/null 2>{d}/err; touch {d}/2;"
                  "while [ ! -e {d}/back ]; do sleep 0.01; done;"
                  "exec {c} --report /dev/null").format(
                      c=tst.client("report"), d=self.dir)
        p = subprocess.Popen([tst.SWPSP, "run", "--connect", self.d.socket,
                              "--as", "web", "--", "sh", "-c", script])
        self.wait_for("1")
        self.d.ok("guest", "stop", "web")
        self.write("gone", b"")
        self.wait_for("2")
        self.launch("web")
        self.write("back", b"")
        self.assertEqual(p.wait(timeout=20), 0)
        self.assertIn(b"No such device", self.read("err"))

    def wait_for(self, name):
        for _ in range(2000):
            if os.path.exists(self.path(name)):
                return
            time.sleep(0.01)
        self.fail(name)

    def test_refused_launches_say_why_and_leave_nothing(self):
        self.launch("web")
        for options, why in (
                (["web"], "already"), (["host"], "name:"),
                (["a/b"], "name:"), (["x" * 64], "name:"),
                (["--policy", "0", "bad"], "firmware refused"),
                (["--vmpl", "4", "bad"], "vmpl"),
                (["--host-data", "42", "bad"], "host_data"),
                (["--legacy", "--certs", "none", "bad"], "SNP guests only"),
                (["--guest", "/nonexistent", "bad"], "No such file"),
                (["--certs", "/dev/null", "bad"], "certs")):
            with self.subTest(options):
                p = self.d.cli("guest", "launch", *options)
                self.assertEqual(p.returncode, 2)
                self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
                self.assertIn(why, p.stderr)
                self.assertEqual(self.d.names(), ["web"])

    def test_a_descriptions_files_travel_with_it(self):
        tst.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                "ec_paramgen_curve:P-384", "-out", self.path("id.pem"))
        self.write("fw", os.urandom(0x1800))
        description = {
            "id_key": "id.pem", "guest_svn": 7,
            "pages": [{"type": "normal", "gpa": "0xfffff000", "fill": 9},
                      {"type": "normal", "gpa": "0x10000", "file": "fw"},
                      {"type": "secrets", "gpa": "0x80d000"},
                      {"type": "cpuid", "gpa": "0x80e000"}]}
        self.write("g.json", json.dumps(description).encode())
        self.launch("web", "--guest", self.path("g.json"))
        over = self.fetch("web", "over")
        p = tst.run(tst.SWPSP, "run", "--insecure-dev-seed", "--guest",
                    self.path("g.json"), "--", *CLIENTS["c"], "--report",
                    self.path("local.bin"))
        self.assertEqual(p.returncode, 0, p.stderr)
        local = self.read("local.bin")
        for start, end in ((4, 8), (0x90, 0xc0), (0xe0, 0x110)):
            self.assertEqual(over[start:end], local[start:end])

    def test_faults_are_those_of_a_local_platform(self):
        self.launch("guest")
        script = (
            "import fcntl,struct,ctypes,mmap\n"
            "ro=mmap.mmap(-1,8192,prot=mmap.PROT_READ)\n"
            "libc=ctypes.CDLL(None); libc.mmap.restype=ctypes.c_void_p\n"
            "roa=libc.mmap(None,8192,1,0x22,-1,ctypes.c_long(0))\n"
            "req=ctypes.create_string_buffer(112)\n"
            "rsp=ctypes.create_string_buffer(4000)\n"
            "q,r=ctypes.addressof(req),ctypes.addressof(rsp)\n"
            "f=open('/dev/sev-guest','rb',0)\n"
            "for n in (0xc0205300,0xc0205301,0xc0205302,0xc0205303):\n"
            "  for v in (0,1,9):\n"
            "    for a in (0,8,q,roa,1<<63):\n"
            "      for b in (0,8,r,roa):\n"
            "        e=bytearray(struct.pack('<B7xQQQ',v,a,b,5))\n"
            "        try: x=fcntl.ioctl(f,n,e)\n"
            "        except OSError as o: x=o.errno\n"
            "        print(hex(n),v,a in(q,),b in(r,),x,e[24:].hex())\n")
        argv = ["/usr/bin/python3", "-c", script]
        local = tst.run(tst.SWPSP, "run", "--insecure-dev-seed", "--", *argv)
        over = self.d.run("guest", *argv)
        self.assertEqual(over.returncode, 0, over.stderr)
        self.assertEqual(local.stdout, over.stdout)
        self.assertIn(" 14 ", over.stdout)

    def test_a_killed_client_leaves_the_guest_usable(self):
        self.launch("web")
        for i in range(6):
            p = subprocess.Popen(
                [tst.SWPSP, "run", "--connect", self.d.socket, "--as", "web",
                 "--", "sh", "-c", "while %s >/dev/null; do :; done" %
                 tst.client("report")], start_new_session=True,
                stderr=subprocess.DEVNULL)
            time.sleep(0.05 + 0.013 * i)
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
        self.fetch("web", "r")
        for _ in range(100):
            users = self.d.json("guest", "list")["guests"][0]["users"]
            if users == 0:
                break
            time.sleep(0.02)
        self.assertEqual(users, 0)

    def test_the_trace_is_followed(self):
        self.launch("web")
        s = self.d.connect()
        self.assertTrue(self.d.ask({"v": 1, "op": "trace"}, s)["ok"])
        self.fetch("web", "r")
        text = ""
        while "SNP_GET_EXT_REPORT" not in text:
            text = json.loads(read_line(s))["trace"]
        self.assertRegex(text, r"^ioctl /dev/sev-guest\[web\] SNP_GET_EXT_REPORT"
                         r" .*= (0|-1 EIO.*)$")


class HostDriver(Base):
    SET_EXT_CONFIG = (
        "import fcntl,struct,ctypes\n"
        "t=ctypes.create_string_buffer(4096)\n"
        "t[0:4]=b'\\x42'*4\n"
        "a=ctypes.create_string_buffer(struct.pack('<QQI4x',0,"
        "ctypes.addressof(t),4096))\n"
        "fcntl.ioctl(open('/dev/sev','r+b',0),0xc0105300,"
        "bytearray(struct.pack('<IQI',10,ctypes.addressof(a),0)))\n")

    def test_a_host_wide_table_reaches_all_guests(self):
        d = Daemon(self, "--sev-abi", "amdese-rfc")
        d.ok("guest", "launch", "before")
        p = d.run("host", "/usr/bin/python3", "-c", self.SET_EXT_CONFIG)
        self.assertEqual(p.returncode, 0, p.stderr)
        d.ok("guest", "launch", "after")
        for guest in ("before", "after"):
            p = d.run(guest, *CLIENTS["c"], "--certs", self.path(guest))
            self.assertEqual(self.read(guest)[:4], b"\x42" * 4, p.stderr)


class Peers(Base):
    def setUp(self):
        super().setUp()
        self.d = Daemon(self)
        self.d.ok("guest", "launch", "web")

    def test_malformed_requests_get_one_clear_line(self):
        for request, code in (
                (b"\n", "EBADMSG"), (b"{\n", "EBADMSG"), (b"nonsense\n",
                                                          "EBADMSG"),
                (b"\xff\xfe\n", "EBADMSG"), (b"[]\n", "EINVAL"),
                (b"{}{}\n", "EBADMSG"), (b'{"v":1,"v":1}\n', "EBADMSG"),
                (b"[" * 5000 + b"\n", "EBADMSG"), (b'{"a\\u0000":1}\n',
                                                   "EBADMSG"),
                ({}, "EPROTONOSUPPORT"), ({"v": 2, "op": "status"},
                                          "EPROTONOSUPPORT"),
                ({"v": "1", "op": "status"}, "EPROTONOSUPPORT"),
                ({"v": 1}, "EINVAL"), ({"v": 1, "op": 5}, "EINVAL"),
                ({"v": 1, "op": "reboot"}, "EINVAL"),
                ({"v": 1, "op": "status", "extra": 1}, "EINVAL"),
                ({"v": 1, "op": "status", "guest": "web"}, "EINVAL"),
                ({"v": 1, "id": {}, "op": "status"}, "EINVAL"),
                ({"v": 1, "id": "x" * 129, "op": "status"}, "EINVAL"),
                ({"v": 1, "op": "guest.launch"}, "EINVAL"),
                ({"v": 1, "op": "guest.launch", "guest": "x"}, "EINVAL"),
                ({"v": 1, "op": "guest.launch", "guest": {}}, "EINVAL"),
                ({"v": 1, "op": "guest.launch",
                  "guest": {"name": "x", "kind": "tdx"}}, "EINVAL"),
                ({"v": 1, "op": "guest.launch",
                  "guest": {"name": "x", "nmae": "x"}}, "EINVAL"),
                ({"v": 1, "op": "guest.launch",
                  "guest": {"name": "x", "vmpck": 4}}, "EINVAL"),
                ({"v": 1, "op": "guest.launch",
                  "guest": {"name": "x", "long_key_request": 1}}, "EINVAL"),
                ({"v": 1, "op": "guest.launch",
                  "guest": {"name": "x", "kernel": "2.4"}}, "EINVAL"),
                ({"v": 1, "op": "guest.launch",
                  "guest": {"name": "x", "certs": {"base64": "!"}}},
                 "EINVAL"),
                ({"v": 1, "op": "guest.launch", "guest": {
                    "name": "x", "description": {"id_key": "/etc/shadow"}}},
                 "EINVAL"),
                ({"v": 1, "op": "guest.launch", "guest": {
                    "name": "x", "description": {
                        "pages": [{"type": "normal", "gpa": 0,
                                   "file": "/etc/passwd"}]}}}, "EINVAL"),
                ({"v": 1, "op": "guest.launch", "guest": {
                    "name": "x", "description": []}}, "EINVAL"),
                ({"v": 1, "op": "guest.show", "guest": "nobody"}, "ENOENT"),
                ({"v": 1, "op": "guest.stop", "guest": "nobody"}, "ENOENT"),
                ({"v": 1, "op": "guest.stop", "guest": "../nv"}, "ENOENT"),
                ({"v": 1, "op": "guest.stop"}, "EINVAL"),
                ({"v": 1, "op": "guest.hypercall"}, "EINVAL"),
                ({"v": 1, "op": "guest.hypercall", "guest": "x"}, "ENOENT"),
                ({"v": 1, "op": "guest.hypercall", "guest": "web"}, "EINVAL"),
                ({"v": 1, "op": "guest.hypercall", "guest": "web", "cpl": 4},
                 "EINVAL"),
                ({"v": 1, "op": "guest.hypercall", "guest": "web",
                  "rax": 13}, "EINVAL"),
                ({"v": 1, "op": "guest.write", "guest": "web", "gpa": 0,
                  "hex": "00"}, "EINVAL"),
                ({"v": 1, "op": "guest.write", "guest": "web", "gpa": -1,
                  "hex": "00"}, "EINVAL"),
                ({"v": 1, "op": "guest.write", "guest": "web", "gpa": 0,
                  "hex": "0"}, "EINVAL"),
                ({"v": 1, "op": "guest.write", "guest": "web", "gpa": 0,
                  "hex": ""}, "EINVAL"),
                ({"v": 1, "op": "guest.write", "guest": "web", "gpa": 0,
                  "hex": "00" * 4097}, "EINVAL"),
                ({"v": 1, "op": "attach", "guest": "\n\x7f"}, "ENOENT"),
                ({"v": 1, "op": "attach"}, "EINVAL")):
            with self.subTest(request if len(str(request)) < 99 else code):
                answer = self.d.ask(request)
                self.assertIs(answer["ok"], False)
                self.assertEqual(answer["error"]["code"], code, answer)
                self.assertNotIn("\n", answer["error"]["text"])
                self.assertTrue(answer["error"]["text"])
        self.assertEqual(self.d.names(), ["web"])

    def test_the_connection_goes_on_after_an_error_and_ids_return(self):
        s = self.d.connect()
        s.sendall(b'{"v":1,"id":7,"op":"x"}\n{"v":1,"id":"b","op":"status"}\n')
        first, second = json.loads(read_line(s)), json.loads(read_line(s))
        self.assertEqual([first["id"], first["ok"]], [7, False])
        self.assertEqual([second["id"], second["ok"]], ["b", True])

    def test_an_endless_line_is_cut_off(self):
        s = self.d.connect()
        chunk = b"x" * (1 << 20)
        answer = b""
        try:
            for _ in range(40):
                s.sendall(chunk)
        except OSError:
            pass
        try:
            answer = read_line(s)
        except OSError:
            pass
        self.assertTrue(answer == b"" or b"EMSGSIZE" in answer, answer)
        self.d.ok("status")

    def test_many_large_requests_are_bounded_together(self):
        held = []
        answers = b""
        for _ in range(5):
            s = self.d.connect()
            s.settimeout(2)
            try:
                s.sendall(b"x" * (20 << 20))
            except OSError:
                pass
            held.append(s)
        for s in held:
            s.settimeout(0.2)
            try:
                answers += read_line(s)
            except OSError:
                pass
        self.assertIn(b"ENOBUFS", answers)
        with open("/proc/%d/status" % self.d.proc.pid, encoding="ascii") as f:
            rss = [int(x.split()[1]) for x in f if x.startswith("VmRSS")][0]
        self.assertLess(rss, 160 << 10)
        self.d.ok("status")

    def test_a_request_of_very_many_values_is_not_parsed(self):
        answer = self.d.ask(b"[" + b"[]," * (2 << 20) + b"0]\n")
        self.assertEqual(answer["error"]["text"], "too many values")
        with open("/proc/%d/status" % self.d.proc.pid, encoding="ascii") as f:
            peak = [int(x.split()[1]) for x in f if x.startswith("VmHWM")][0]
        self.assertLess(peak, 100 << 10)

    def test_a_large_guest_travels(self):
        self.write("fw", os.urandom(4 << 20))
        self.write("g.json", json.dumps({"pages": [
            {"type": "normal", "gpa": "0x100000", "file": "fw"},
            {"type": "secrets", "gpa": "0x80d000"},
            {"type": "cpuid", "gpa": "0x80e000"}]}).encode())
        self.d.ok("guest", "launch", "--guest", self.path("g.json"), "large")
        p = self.d.run("large", *CLIENTS["c"])
        self.assertEqual(p.returncode, 0, p.stderr)

    def test_idle_and_stalling_peers_do_not_keep_others_out(self):
        held = [self.d.connect() for _ in range(140)]
        for s in held[::2]:
            try:
                s.sendall(b'{"v":1,')
            except OSError:
                pass
        start = time.monotonic()
        self.d.ok("status")
        p = self.d.run("web", *CLIENTS["c"])
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertLess(time.monotonic() - start, 3)

    def test_attached_peers_make_room_too(self):
        held = [self.d.attach("web") for _ in range(128)]
        start = time.monotonic()
        p = self.d.run("web", *CLIENTS["c"])
        self.assertEqual(p.returncode, 0, p.stderr)
        self.d.ok("status")
        self.assertLess(time.monotonic() - start, 3)
        self.assertEqual(held[0].recv(1), b"")

    def test_a_peer_that_does_not_read_blocks_nobody(self):
        s = self.d.connect()
        s.setblocking(False)
        request = b'{"v":1,"op":"status"}\n' * 1000
        try:
            for _ in range(50):
                s.sendall(request)
        except BlockingIOError:
            pass
        start = time.monotonic()
        self.d.ok("status")
        self.assertLess(time.monotonic() - start, 2)

    def test_a_follower_that_does_not_read_blocks_nobody(self):
        s = self.d.connect()
        self.assertTrue(self.d.ask({"v": 1, "op": "trace"}, s)["ok"])
        a = self.d.attach("web")
        for _ in range(1500):
            self.assertEqual(raw_report(a)[0], 0)
        lost = 0
        while not lost:
            lost = json.loads(read_line(s)).get("lost", 0)

    def test_an_attached_peer_that_stalls_blocks_nobody(self):
        stalled = []
        for guest, request in (("web", SNP_GET_REPORT), ("host", 0xc0105300)):
            for _ in range(3):
                s = self.d.attach(guest)
                s.sendall(frame(IOCTL, struct.pack("<IIQ", 1, request,
                                                   0x1000)))
                self.assertEqual(read_frame(s)[0], NEED)
                stalled.append(s)
        start = time.monotonic()
        p = self.d.run("web", *CLIENTS["c"])
        self.assertEqual(p.returncode, 0, p.stderr)
        p = self.d.run("host", "/usr/bin/python3", "-c",
                       "import fcntl,struct,ctypes\n"
                       "b=ctypes.create_string_buffer(12)\n"
                       "fcntl.ioctl(open('/dev/sev','r+b',0),0xc0105300,"
                       "bytearray(struct.pack('<IQI',1,"
                       "ctypes.addressof(b),0)))")
        self.assertEqual(p.returncode, 0, p.stderr)
        self.d.ok("guest", "stop", "web")
        self.assertLess(time.monotonic() - start, 3)

    def test_a_client_that_dies_in_the_middle_changes_nothing(self):
        for steps in range(3):
            s = self.d.attach("web")
            s.sendall(frame(IOCTL, struct.pack("<IIQ", 1, SNP_GET_REPORT,
                                               0x1000)))
            for _ in range(steps):
                kind, body = read_frame(s)
                self.assertEqual(kind, NEED)
                s.sendall(frame(DATA, Memory().answer(body)))
            s.close()
            # The sequence number would be out of step otherwise.
            self.assertEqual(raw_report(self.d.attach("web"))[0], 0)

    def test_each_range_is_fetched_once(self):
        s = self.d.attach("web")
        asked = []
        memory = Memory()
        s.sendall(frame(IOCTL, struct.pack("<IIQ", 1, SNP_GET_REPORT, 0x1000)))
        kind, body = read_frame(s)
        while kind == NEED:
            asked += [struct.unpack_from("<QI", body, i)
                      for i in range(0, len(body), 12)]
            s.sendall(frame(DATA, memory.answer(body)))
            kind, body = read_frame(s)
        self.assertEqual(asked, [(0x1000, 32), (0x2000, 96)])

    def test_broken_frames_end_the_connection_alone(self):
        good = struct.pack("<IIQ", 1, SNP_GET_REPORT, 0x1000)
        for data in (frame(9, b""), frame(IOCTL, good + b"x"),
                     frame(IOCTL, good[:-1]), frame(DATA, b""),
                     struct.pack("<II", IOCTL, 1 << 31),
                     frame(IOCTL, good) + frame(IOCTL, good),
                     frame(IOCTL, good) + frame(DATA, b""),
                     frame(IOCTL, good) + frame(DATA, bytes(4)),
                     frame(IOCTL, good) + frame(DATA, bytes(40)),
                     os.urandom(64)):
            with self.subTest(data[:40]):
                s = self.d.attach("web")
                s.sendall(data)
                try:
                    while s.recv(4096):
                        pass
                except ConnectionResetError:
                    pass  # it had not read everything
        self.assertEqual(raw_report(self.d.attach("web"))[0], 0)

    def test_other_users_are_refused(self):
        if os.getuid() != 0:
            self.skipTest("needs root")
        who = ["setpriv", "--reuid=65534", "--clear-groups"]
        script = ("import socket,sys\ns=socket.socket(socket.AF_UNIX)\n"
                  "try: s.connect(sys.argv[1])\n"
                  "except PermissionError: print('EACCES'); sys.exit()\n"
                  "try: s.sendall(b'{\"v\":1,\"op\":\"status\"}\\n')\n"
                  "except BrokenPipeError: pass\n"
                  "print(s.recv(65536).decode())")
        py = ["/usr/bin/python3", "-c", script]
        # the mode of the socket lets anybody write, its credentials do not
        d = Daemon(self, "--socket-mode", "0602", "--socket-group", "4242",
                   name="t")
        p = tst.run(*who, "--regid=65534", *py, d.socket)
        self.assertIn("EPERM", p.stdout, p.stderr)
        p = tst.run("setpriv", "--reuid=65534", "--regid=65534",
                    "--groups=4242", *py, self.d.socket)
        self.assertIn("EACCES", p.stdout, p.stderr)
        d.end()
        d = Daemon(self, "--socket-group", "4242", name="u")
        self.assertEqual(os.stat(d.socket).st_mode & 0o777, 0o660)
        for groups in (["--regid=4242", "--clear-groups"],
                       ["--regid=65534", "--groups=4242"]):
            p = tst.run("setpriv", "--reuid=65534", *groups, *py, d.socket)
            self.assertIn('"ok":true', p.stdout, p.stderr)
        p = tst.run(*who, "--regid=65534", *py, d.socket)
        self.assertIn("EACCES", p.stdout, p.stderr)

    def test_sigterm_waits_for_nobody(self):
        self.d.attach("web")
        self.d.connect().sendall(b"{")
        s = self.d.connect()
        self.d.ask({"v": 1, "op": "trace"}, s)
        start = time.monotonic()
        self.assertEqual(self.d.end(), 0, self.d.log())
        self.assertLess(time.monotonic() - start, 2)


class Fuse(Base):
    def test_files_of_a_fuse_mount_reach_the_named_guest(self):
        if os.getuid() != 0 or not os.path.exists("/dev/fuse"):
            self.skipTest("needs root and /dev/fuse")
        mount = self.path("dev")
        os.mkdir(mount)
        d = Daemon(self, "--fuse", mount, "--device-guest", "web")
        p = tst.run(tst.client("report"), "--device", mount + "/sev-guest",
                    "--report", self.path("r.bin"))
        self.assertIn("No such device", p.stderr)
        d.ok("guest", "launch", "--host-data", "17" * 32, "web")
        p = tst.run(tst.client("report"), "--device", mount + "/sev-guest",
                    "--report", self.path("r.bin"))
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(self.read("r.bin")[0xc0:0xe0], b"\x17" * 32)
        self.assertEqual(d.end(), 0)
        self.assertEqual(os.listdir(mount), [])


class Completion(unittest.TestCase):
    def complete(self, *words):
        script = ('PATH=$1:$PATH; . sim/dist/swpsp.bash; shift; '
                  'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _swpsp; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        p = tst.run("bash", "-c", script, "bash", os.path.dirname(tst.SWPSP),
                    "swpsp", *words, cwd=tst.TOP)
        self.assertEqual(p.stderr, "")
        return p.stdout.split()

    def test_words_are_completed(self):
        for words, want in ((["ser"], "serve"), (["run", "--prof"],
                                                 "--profile"),
                            (["guest", "la"], "launch"),
                            (["serve", "--socket-m"], "--socket-mode"),
                            (["run", "--profile", "tu"], "turin")):
            with self.subTest(words):
                self.assertEqual(self.complete(*words), [want])


if __name__ == "__main__":
    tst.main()
