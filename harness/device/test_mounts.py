#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What `swpsp serve` and `swpsp run` mount: report entries of configfs-tsm for
several guests, at the real path too; for ordinary users by fusermount3 or in a
namespace; and nothing left, however the server ends."""
import glob
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import test_serve  # noqa: E402
import tst  # noqa: E402

DEV = "--insecure-dev-seed"
REAL = "/sys/kernel/config/tsm/report"
NONCE = b"\x5a" * 64
USER = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"]
HELPER = shutil.which("fusermount3")


def can(*argv):
    return tst.run(*argv).returncode == 0


def mounts():
    with open("/proc/self/mounts", encoding="ascii") as f:
        return [line.split()[1] for line in f if line.startswith("swpsp ")]


def read(*path):
    with open(os.path.join(*path), "rb", 0) as f:
        return f.read()


def write(value, *path):
    with open(os.path.join(*path), "wb", 0) as f:
        f.write(value)


def report(root, name="entry", privlevel=None):
    """A report by an entry of its own."""
    entry = os.path.join(root, name)
    os.mkdir(entry)
    try:
        write(NONCE, entry, "inblob")
        if privlevel is not None:
            write(b"%d" % privlevel, entry, "privlevel")
        return read(entry, "outblob")
    finally:
        os.rmdir(entry)


def until(condition):
    for _ in range(1000):
        if condition():
            return True
        time.sleep(0.02)
    return False


class Base(test_serve.Base):
    def setUp(self):
        super().setUp()
        if os.getuid() != 0 or not can("unshare", "-m", "sh", "-c",
                                       "test -w /dev/fuse"):
            self.skipTest("needs root and /dev/fuse")
        self.before = mounts()
        # No other cleanup comes before the daemons' end.
        self.addCleanup(self.nothing_is_left)

    def nothing_is_left(self):
        self.assertTrue(until(lambda: mounts() == self.before), mounts())

    def place(self, name):
        os.mkdir(self.path(name))
        return self.path(name)

    def serve(self, *options, **kwargs):
        return test_serve.Daemon(self, *options, **kwargs)

    def errno(self, number, call, *argv):
        with self.assertRaises(OSError) as caught:
            call(*argv)
        self.assertEqual(os.strerror(caught.exception.errno),
                         os.strerror(number))


class Entries(Base):
    def test_each_mount_is_its_guests(self):
        a, b = self.place("a"), self.place("b")
        d = self.serve("--tsm=%s=a" % a, "--tsm=" + b, "--device-guest", "b")
        d.ok("guest", "launch", "--host-data", "aa" * 32, "a")
        d.ok("guest", "launch", "--host-data", "bb" * 32, "b")
        for root, byte in ((a, b"\xaa"), (b, b"\xbb")):
            data = report(root)
            self.assertEqual(data[0x50:0x90], NONCE)
            self.assertEqual(data[0xc0:0xe0], byte * 32)
        os.mkdir(a + "/stays")
        self.assertEqual(os.listdir(b), [])
        p = d.run("a", tst.client("report"), "--report-data", NONCE.hex(),
                  "--report", self.path("ioctl"))
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(report(a), read(self.path("ioctl")))
        self.assertEqual(d.end(), 0)

    def test_entries_know_when_the_guest_comes_and_goes(self):
        root = self.place("r")
        d = self.serve("--tsm=%s=web" % root)
        self.errno(6, os.mkdir, root + "/e")  # ENXIO
        d.ok("guest", "launch", "other")
        self.errno(6, os.mkdir, root + "/e")
        d.ok("guest", "launch", "web")
        os.mkdir(root + "/e")
        self.assertEqual(read(root, "e/provider"), b"sev_guest\n")
        write(NONCE, root, "e/inblob")
        d.ok("guest", "stop", "web")
        self.errno(6, read, root, "e/provider")
        self.errno(6, os.mkdir, root + "/f")
        d.ok("guest", "launch", "--vmpl", "2", "web")
        self.assertEqual(read(root, "e/privlevel_floor"), b"2\n")
        self.assertEqual(report(root, "g", 2)[0x30:0x34], b"\2\0\0\0")
        d.ok("guest", "stop", "web")
        d.ok("guest", "launch", "--kernel", "6.1", "web")
        self.errno(6, os.mkdir, root + "/h")
        self.assertIn("older than configfs-tsm", d.log())

    def test_guests_from_the_state_have_entries_at_once(self):
        root, state = self.place("r"), self.path("state")
        d = self.serve(state=state)
        d.ok("guest", "launch", "web")
        self.assertEqual(d.end(), 0)
        self.serve("--tsm=%s=web" % root, state=state, name="t")
        self.assertEqual(len(report(root)), 1184)

    def test_a_trace_shows_what_entries_ask(self):
        root = self.place("r")
        d = self.serve("--tsm=%s=web" % root)
        d.ok("guest", "launch", "web")
        said = b""
        with subprocess.Popen([tst.SWPSP, "trace", "--socket", d.socket],
                              stdout=subprocess.PIPE) as trace:
            for _ in range(100):  # it may begin to follow within a report
                report(root)
                if select.select([trace.stdout], [], [], 0.2)[0]:
                    said += os.read(trace.stdout.fileno(), 0x10000)
                if b"SNP_GET_EXT_REPORT" in said or trace.poll() is not None:
                    break
            trace.terminate()
        self.assertIn(b"SNP_GET_EXT_REPORT", said)

    def test_who_may_write_the_nodes_may_make_entries(self):
        root = self.place("r")
        os.chmod(self.dir, 0o711)
        d = self.serve("--tsm=%s=web" % root, "--user", "65534", "--node-mode",
                       "0660", "--group", "1234")
        d.ok("guest", "launch", "web")
        st = os.stat(root)
        self.assertEqual((st.st_mode & 0o7777, st.st_uid, st.st_gid),
                         (0o775, 65534, 1234))
        script = "cd %s && mkdir e && head -c 64 /dev/zero >e/inblob && " \
            "cat e/outblob | wc -c && stat -c %%u e/inblob" % root
        for uid, gid, good in ((65534, 1, True), (1000, 1234, True),
                               (1000, 1000, False)):
            p = tst.run("setpriv", "--reuid=%d" % uid, "--regid=%d" % gid,
                        "--clear-groups", "sh", "-c", script)
            if good:
                self.assertEqual(p.stdout.split(), ["1184", str(uid)],
                                 p.stderr)
                os.rmdir(root + "/e")
            else:
                self.assertIn("Permission denied", p.stderr)


class RealPath(Base):
    def setUp(self):
        super().setUp()
        if os.path.exists(REAL):
            self.skipTest("this machine has entries of its own")
        # The machine's, but only for this test and what it starts.
        self.ns = subprocess.Popen(["unshare", "-m", "sleep", "600"])
        self.addCleanup(self.ns.wait)
        self.addCleanup(self.ns.kill)
        self.assertTrue(until(lambda: self.inside("true").returncode == 0 and
                              self.inside("mount").stdout))

    def inside(self, *argv):
        return tst.run("nsenter", "-t", self.ns.pid, "-m", *argv)

    def start(self, *options, **kwargs):
        return self.serve("--pid-file", self.path("pid"), *options,
                          prefix=["nsenter", "-t", str(self.ns.pid), "-m"],
                          **kwargs)

    def here(self):
        text = self.inside("cat", "/proc/self/mounts").stdout
        return [line.split()[1] for line in text.splitlines()
                if line.startswith("swpsp ")]

    def test_entries_are_where_programs_look(self):
        before = self.inside("ls", "/sys/kernel").stdout
        d = self.start("--tsm==web")
        d.ok("guest", "launch", "web")
        p = self.inside("sh", "-c", "cd %s && mkdir e && head -c 64 /dev/zero "
                        ">e/inblob && wc -c <e/outblob && cat e/provider && "
                        "ls /sys/kernel" % REAL)
        self.assertEqual(p.stdout.split()[:2], ["1184", "sev_guest"], p.stderr)
        self.assertEqual(set(p.stdout.split()[2:]),
                         set(before.split()) | {"config"})
        self.assertFalse(os.path.exists(REAL))
        self.assertEqual(d.end(), 0)
        self.assertEqual(self.here(), [])
        self.assertEqual(self.inside("ls", "/sys/kernel").stdout, before)

    def test_the_end_uncovers_it_with_and_without_root_and_after_a_kill(self):
        for options in ((), ("--user", "65534")):
            for sig in (signal.SIGTERM, signal.SIGKILL):
                with self.subTest((options, sig)):
                    d = self.start("--tsm", *options, name="d%d%d" %
                                   (len(options), sig))
                    self.assertTrue(self.here())
                    d.end(sig)
                    self.assertTrue(until(lambda: self.here() == []),
                                    self.here())

    def test_what_is_there_is_only_covered_by_force(self):
        d = self.start("--tsm")
        e = self.start("--tsm", name="e", wait=False)
        self.assertEqual(e.proc.wait(timeout=20), 2)
        self.assertIn("really exists", e.log())
        self.assertEqual(e.log().count("\n"), 1, e.log())
        d.ok("status")
        self.assertEqual(d.end(), 0)
        self.assertEqual(self.here(), [])

    def test_what_a_killed_server_left_is_cleaned_by_the_next(self):
        d = self.start("--tsm")
        daemon = int(read(self.path("pid")))
        for path in glob.glob("/proc/[0-9]*/status"):  # the janitor as well
            try:
                if b"PPid:\t%d\n" % daemon in read(path):
                    os.kill(int(path.split("/")[2]), signal.SIGKILL)
            except FileNotFoundError:
                pass
        d.end(signal.SIGKILL)
        self.assertEqual(len(self.here()), 2)
        os.unlink(d.socket)
        d = self.start("--tsm", name="e")
        self.assertEqual(len(self.here()), 2)
        self.assertEqual(d.end(), 0)
        self.assertEqual(self.here(), [])


class Leftovers(Base):
    def test_a_second_server_does_not_hide_the_first(self):
        tsm, fuse = self.place("t"), self.place("f")
        self.serve("--tsm=" + tsm, "--fuse", fuse)
        for option in ("--tsm=" + tsm, "--fuse=" + fuse):
            log = self.refused(option)
            self.assertEqual(log.count("\n"), 1, log)
            self.assertIn("not forced", log)
        os.listdir(tsm)
        self.assertEqual(sorted(os.listdir(fuse)), ["sev", "sev-guest"])

    def test_a_killed_daemon_leaves_no_mount(self):
        tsm, fuse = self.place("t"), self.place("f")
        for options in ((), ("--user", "65534")):
            with self.subTest(options):
                d = self.serve("--tsm=" + tsm, "--fuse", fuse, *options,
                               name="n%d" % len(options))
                os.listdir(tsm)
                d.end(signal.SIGKILL)
                self.nothing_is_left()

    def test_what_a_killed_run_left_is_replaced(self):
        root = self.place("r")
        command = [tst.SWPSP, "run", DEV, "--tsm=" + root, "--", "sleep", "60"]
        with subprocess.Popen(command) as run:
            self.assertTrue(until(lambda: root in mounts()))
            os.listdir(root)
            run.kill()
        self.errno(107, os.listdir, root)  # ENOTCONN
        p = tst.run(tst.SWPSP, "run", DEV, "--tsm=" + root, "--", "ls", root)
        self.assertEqual((p.returncode, p.stdout), (0, ""), p.stderr)

    def test_mistakes_give_one_line(self):
        for option in ("--tsm=", "--tsm=/nonexistent", "--tsm=/etc/passwd",
                       "--tsm=" + self.dir, "--fuse==web", "--fuse=",
                       "--fuse=/nonexistent=web", "--tsm=/tmp=host"):
            with self.subTest(option):
                log = self.refused(option)
                self.assertEqual(log.count("\n"), 1, log)


@unittest.skipIf(tst.COVERAGE, "an ordinary user cannot count")
class User(Base):
    """As user 1000, to whom /dev/fuse is open (in a mount namespace: some
    machines let only root have it)."""

    def setUp(self):
        super().setUp()
        shutil.copy(tst.SWPSP, self.path("swpsp"))
        shutil.copy(tst.client("report"), self.path("report"))
        self.home = self.place("home")
        os.chown(self.home, 1000, 1000)
        node = self.path("node")
        os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(10, 229))
        os.chmod(node, 0o666)
        self.prefix = ["unshare", "-m", "sh", "-c",
                       "mount --bind %s /dev/fuse && exec \"$@\"" % node,
                       "sh", *USER]

    def script(self, text, helper, **env):
        """A script of that user in a directory of his; what it said."""
        path = os.path.dirname(HELPER) + ":" if helper else ""
        env = {"PATH": path + self.path("bin"), "S": self.path("swpsp"),
               "HOME": self.home, "REPORT": self.path("report"), **env}
        if not os.path.exists(self.path("bin")):
            os.mkdir(self.path("bin"))
            for name in ("sh", "ls", "mkdir", "rmdir", "cat", "wc", "head",
                         "sleep", "grep", "kill", "nsenter", "seq"):
                os.symlink(shutil.which(name), self.path("bin/" + name))
        return tst.run(*self.prefix, "env", "-i",
                       *["%s=%s" % i for i in env.items()], "/bin/sh", "-c",
                       text, cwd=self.home)

    RUN = ("mkdir t && $S run --insecure-dev-seed --tsm=$HOME/t -- sh -c '"
           "mkdir t/e && head -c 64 /dev/zero >t/e/inblob && "
           "wc -c <t/e/outblob; grep -c $HOME/t /proc/%s/mounts'; "
           "grep $HOME/t /proc/self/mounts; ls t")
    SERVE = ("mkdir t f; $S serve --insecure-dev-seed --socket s --tsm=t=a "
             "--fuse f=a 2>log & d=$!; "
             "for i in $(seq 200); do $S guest launch --socket s a >/dev/null "
             "2>&1 && break; sleep 0.05; done; "
             "%s sh -c 'cd '$HOME'; mkdir t/e && head -c 64 /dev/zero "
             ">t/e/inblob && wc -c <t/e/outblob; "
             "$REPORT --device f/sev-guest --report r && wc -c <r'; "
             "kill %s $d; wait $d; for i in $(seq 100); do "
             "grep -q $HOME /proc/self/mounts || break; sleep 0.1; done; "
             "grep $HOME /proc/self/mounts; ls t f; cat log >&2")

    def with_helper(self):
        if HELPER is None or not os.stat(HELPER).st_mode & stat.S_ISUID:
            self.skipTest("no fusermount3")

    def with_namespaces(self):
        if not can(*USER, "unshare", "-Urm", "true"):
            self.skipTest("no user namespaces")

    def test_run_by_the_helper_is_seen_by_all_of_the_users_programs(self):
        self.with_helper()
        p = self.script(self.RUN % "$PPID", True)
        self.assertEqual(p.stdout.split(), ["1184", "1"], p.stderr)
        self.assertEqual(p.stderr, "")

    def test_run_without_it_is_for_the_program_alone(self):
        self.with_namespaces()
        p = self.script(self.RUN % "self", False)
        self.assertEqual(p.stdout.split(), ["1184", "1"], p.stderr)
        self.assertEqual(p.stderr.count("\n"), 1)
        self.assertIn("for this program alone", p.stderr)

    def test_serve_by_the_helper_unmounts_however_it_ends(self):
        self.with_helper()
        for sig in ("-TERM", "-KILL"):
            with self.subTest(sig):
                p = self.script(self.SERVE % ("", sig), True)
                self.assertEqual(p.stdout.split(),
                                 ["1184", "1184", "f:", "t:"], p.stderr)
                self.assertNotIn("nsenter", p.stderr)
                self.assertNotIn("denied", p.stderr)
                shutil.rmtree(self.home)
                os.mkdir(self.home)
                os.chown(self.home, 1000, 1000)

    def test_serve_without_it_is_reached_by_nsenter(self):
        self.with_namespaces()
        join = "nsenter -t $d -U --preserve-credentials -m"
        p = self.script(self.SERVE % (join, "-TERM"), False)
        self.assertEqual(p.stdout.split(), ["1184", "1184", "f:", "t:"],
                         p.stderr)
        self.assertIn("nsenter -t", p.stderr)

    def test_where_nothing_is_possible_one_line_says_why(self):
        no_spaces = ("echo 0 >/proc/sys/user/max_user_namespaces; "
                     "echo 0 >/proc/sys/user/max_mnt_namespaces; exec \"$@\"")
        if not can("unshare", "-Urm", "true"):
            self.skipTest("no user namespaces to forbid them in")
        root = self.place("r")
        for command in (["run", DEV, "--tsm=" + root, "--", "true"],
                        ["serve", DEV, "--socket", self.home + "/s",
                         "--fuse", root],
                        ["serve", DEV, "--socket", self.home + "/s", "--tsm"]):
            with self.subTest(command):
                # Everybody may, but nobody can: no privilege is had there.
                p = tst.run("unshare", "-Ur", "sh", "-c", no_spaces, "sh",
                            "setpriv", "--bounding-set=-sys_admin",
                            "--inh-caps=-sys_admin", "env", "PATH=/nonexistent",
                            tst.SWPSP, *command)
                self.assertEqual(p.returncode, 2, p.stderr)
                self.assertEqual(p.stderr.count("\n"), 1, p.stderr)


if __name__ == "__main__":
    tst.main()
