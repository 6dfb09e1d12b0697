#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`swpsp run --tsm`: report entries of configfs-tsm where programs look for them,
for root and for ordinary users, next to the device, and for a client that nobody
here wrote."""
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import tst  # noqa: E402

DEV = "--insecure-dev-seed"
REAL = "/sys/kernel/config/tsm/report"
GO = os.path.join(tst.TOP, "build/interop/go")
NONCE = hashlib.sha512(b"nonce").hexdigest()
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

# Makes an entry, asks for a report, keeps it and the certificates.
CLIENT = """
import os, sys
root, nonce, out, *more = sys.argv[1:]
entry = os.path.join(root, "entry-%d" % os.getpid())
os.mkdir(entry, 0o700)
def read(name):
    with open(os.path.join(entry, name), "rb", 0) as f:
        return f.read()
def write(name, data):
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    fd = os.open(os.path.join(entry, name), flags, 0o220)
    os.write(fd, data)
    os.close(fd)
assert read("generation") == b"0\\n"
write("inblob", bytes.fromhex(nonce))
for attr in more:
    name, value = attr.split("=")
    write(name, value.encode())
for name, path in (("auxblob", ".certs"), ("outblob", ".bin")):
    with open(out + path, "wb") as f:
        f.write(read(name))
assert read("provider") == b"sev_guest\\n"
assert read("generation") == b"%d\\n" % (1 + len(more))
print(read("privlevel_floor").decode().strip(),
      *sorted(os.listdir(entry)))
os.rmdir(entry)
"""


def can(*argv):
    return tst.run(*argv).returncode == 0


class Tsm(tst.Case):
    mode = 0o777  # programs of other users work here

    def setUp(self):
        super().setUp()
        self.write("client.py", CLIENT)

    def need_mounts(self):
        if not can("unshare", "-m", "sh", "-c", "test -w /dev/fuse"):
            self.skipTest("this user can mount nothing here")

    def fetch(self, name, root=REAL, option="--tsm", options=(), attrs=(),
              before=(), swpsp=None):
        return self.ok(*before, swpsp or tst.SWPSP, "run", DEV, option,
                       *options, "--", "/usr/bin/python3",
                       self.path("client.py"), root, NONCE, self.path(name),
                       *attrs)

    def ioctl_report(self, name):
        """The same data by the device."""
        self.ok(tst.SWPSP, "run", DEV, "--", tst.client("report"),
                "--report-data", NONCE, "--report", self.path(name + ".bin"),
                "--certs", self.path(name + ".certs"))

    def test_the_entry_at_the_real_path_gives_the_devices_report(self):
        self.need_mounts()
        p = self.fetch("tsm")
        self.assertEqual(p.stdout.split(), [
            "0", "auxblob", "generation", "inblob", "outblob", "privlevel",
            "privlevel_floor", "provider"])
        self.assertEqual(p.stderr, "")
        self.ioctl_report("ioctl")
        self.assertEqual(self.read("tsm.bin"), self.read("ioctl.bin"))
        certs = self.read("tsm.certs")
        self.assertTrue(certs)
        self.assertEqual(self.read("ioctl.certs")[:len(certs)], certs)

    def test_its_evidence_is_accepted(self):
        self.need_mounts()
        self.fetch("tsm", options=("--profile", "genoa"))
        self.ok(tst.SWPSP, "certs", "export", DEV, "--profile", "genoa",
                self.path("exported"))
        p = self.ok(tst.SWPSP, "verify", "--report", self.path("tsm.bin"),
                    "--certs", self.path("tsm.certs"), "--root",
                    self.path("exported/pki/Genoa/ark.pem"), "--report-data",
                    NONCE)
        self.assertIn("ACCEPTED", p.stdout)

    def test_both_ways_in_one_program_tell_of_one_guest(self):
        self.need_mounts()
        script = "%s --report-data %s --report %s.bin && python3 %s %s %s %s" % (
            tst.client("report"), NONCE, self.path("ioctl"),
            self.path("client.py"), REAL, NONCE, self.path("tsm"))
        self.ok(tst.SWPSP, "run", DEV, "--tsm", "--", "sh", "-c", script)
        self.assertEqual(self.read("tsm.bin"), self.read("ioctl.bin"))

    def test_a_directory_of_ones_own(self):
        self.need_mounts()
        os.mkdir(self.path("report"))
        self.fetch("tsm", self.path("report"),
                   "--tsm=" + self.path("report"))
        self.ioctl_report("ioctl")
        self.assertEqual(self.read("tsm.bin"), self.read("ioctl.bin"))
        self.assertEqual(os.listdir(self.path("report")), [])
        with open("/proc/mounts", encoding="ascii") as f:
            self.assertNotIn(self.dir, f.read())

    def test_the_guests_vmpl_decides_floor_and_attributes(self):
        self.need_mounts()
        p = self.fetch("v", options=("--vmpl", "2"),
                       attrs=("privlevel=2", "service_manifest_version=1"))
        names = p.stdout.split()
        self.assertEqual(names[0], "2")
        self.assertEqual(len(names), 1 + 11)
        self.assertEqual(struct.unpack_from("<I", self.read("v.bin"), 0x30),
                         (2,))
        p = tst.run(tst.SWPSP, "run", DEV, "--tsm", "--vmpck", "1", "--", "sh",
                    "-c", "cd %s && mkdir e && cat e/privlevel_floor && "
                    "/bin/echo 0 >e/privlevel" % REAL)
        self.assertEqual(p.stdout, "1\n")
        self.assertIn("Invalid argument", p.stderr)

    def test_the_rest_of_sysfs_shows_through_and_is_not_changed(self):
        self.need_mounts()
        before = sorted(os.listdir("/sys/kernel"))
        p = self.ok(tst.SWPSP, "run", DEV, "--tsm", "--", "ls", "/sys/kernel")
        self.assertEqual(sorted(p.stdout.split()),
                         sorted(set(before) | {"config"}))
        self.assertEqual(sorted(os.listdir("/sys/kernel")), before)
        p = tst.run(tst.SWPSP, "run", DEV, "--tsm", "--", "sh", "-c",
                    "cmp /sys/kernel/notes %s; mkdir /sys/kernel/config/x; "
                    "rmdir %s" % ("/sys/kernel/notes", REAL))
        self.assertEqual(p.stderr.count("not permitted"), 2, p.stderr)

    def test_whatever_there_is_of_the_path(self):
        self.need_mounts()
        # What is there before, and whether it takes --force.
        for there, force in (("config/other", False),
                             ("config/tsm/other", False),
                             ("config/tsm/report", True),
                             ("config/tsm/report/real", True)):
            run = "mount -t tmpfs x /sys/kernel && mkdir -p /sys/kernel/%s && " \
                "ln -s config /sys/kernel/link && echo hello " \
                ">/sys/kernel/file && exec \"$@\"" % there
            show = "cat /sys/kernel/link/../file; ls %s; cd /sys/kernel && " \
                "find config -name other -o -name report -o -name real" % REAL
            for options in ((), ("--force",)):
                with self.subTest((there, options)):
                    p = tst.run("unshare", "-m", "sh", "-c", run, "sh",
                                tst.SWPSP, "run", DEV, "--tsm", *options, "--",
                                "sh", "-c", show)
                    if force and not options:
                        self.assertEqual(p.returncode, 2)
                        self.assertIn("really exists", p.stderr)
                        continue
                    want = ["hello", "config/tsm/report"]
                    if not force:
                        want.insert(1, there)
                    self.assertEqual(sorted(p.stdout.split()), sorted(want),
                                     p.stderr)

    def test_an_ordinary_user_has_a_namespace(self):
        self.need_mounts()
        if os.getuid() != 0:
            self.skipTest("is an ordinary user already")
        if not can(*NOBODY, "unshare", "-Urm", "true"):
            self.skipTest("no user namespaces")
        shutil.copy(tst.SWPSP, self.path("swpsp"))
        # Some machines let only root have /dev/fuse: a node for everybody, in
        # a mount namespace of this test.
        node = self.path("fuse")
        script = ("mknod -m 666 %s c 10 229 && mount --bind %s /dev/fuse && "
                  "exec \"$@\"" % (node, node))
        for root, option in ((REAL, "--tsm"),
                             (self.path("d"), "--tsm=" + self.path("d"))):
            with self.subTest(option):
                if root != REAL:
                    os.mkdir(root)
                self.fetch("tsm", root, option, before=(
                    "unshare", "-m", "sh", "-c", script, "sh", *NOBODY),
                    swpsp=self.path("swpsp"))
                self.assertEqual(os.stat(self.path("tsm.bin")).st_uid, 65534)
                self.ioctl_report("ioctl")
                self.assertEqual(self.read("tsm.bin"), self.read("ioctl.bin"))
                os.remove(node)
                os.remove(self.path("tsm.bin"))
                os.remove(self.path("tsm.certs"))

    def test_with_the_key_server_too(self):
        self.need_mounts()
        self.fetch("tsm", options=("--kds=proxy",))
        if can("unshare", "-mn", "true"):
            self.fetch("tsm", options=("--kds=namespace",))
        self.ioctl_report("ioctl")
        self.assertEqual(self.read("tsm.bin"), self.read("ioctl.bin"))

    def test_trace_shows_what_an_entry_asks_the_driver(self):
        self.need_mounts()
        self.fetch("tsm", options=("--trace=" + self.path("trace"),))
        self.assertRegex(self.read("trace").decode(),
                         r"ioctl /dev/sev-guest SNP_GET_EXT_REPORT "
                         r"\{msg_version=1, .*certs_len=0x4000\} = 0")

    def test_a_daemons_guest_has_entries_too(self):
        self.need_mounts()
        sock = self.path("sock")
        with subprocess.Popen([tst.SWPSP, "serve", DEV, "--socket", sock],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as daemon:
            try:
                for _ in range(200):
                    if os.path.exists(sock):
                        break
                    time.sleep(0.05)
                for name, options in (("a", ()), ("b", ("--vmpl", "1")),
                                      ("old", ("--kernel", "6.1"))):
                    self.ok(tst.SWPSP, "guest", "launch", "--socket", sock,
                            *options, name)
                run = (tst.SWPSP, "run", "--connect", sock, "--as")
                client = ("/usr/bin/python3", self.path("client.py"), REAL,
                          NONCE)
                p = self.ok(*run, "a", "--tsm", "--", *client, self.path("a"))
                self.assertEqual(p.stdout.split()[0], "0")
                p = self.ok(*run, "b", "--tsm", "--", *client, self.path("b"),
                            "privlevel=1")
                self.assertEqual(p.stdout.split()[0], "1")
                self.assertIn("manifestblob", p.stdout)
                self.ok(*run, "a", "--", tst.client("report"), "--report-data",
                        NONCE, "--report", self.path("ioctl.bin"))
                self.assertEqual(self.read("a.bin"), self.read("ioctl.bin"))
                for name in ("old", "none"):
                    p = tst.run(*run, name, "--tsm", "--", "true")
                    self.assertEqual(p.returncode, 2)
                    self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
            finally:
                daemon.terminate()
                self.assertEqual(daemon.wait(20), 0)

    def test_many_clients_at_once(self):
        self.need_mounts()
        script = " & ".join(
            "python3 %s %s %s %s" % (self.path("client.py"), REAL, NONCE,
                                     self.path("p%d" % i))
            for i in range(8)) + " & wait; ls %s | wc -l" % REAL
        p = self.ok(tst.SWPSP, "run", DEV, "--tsm", "--", "sh", "-c", script)
        self.assertEqual(p.stdout.split()[-1], "0")
        self.assertEqual(len({self.read("p%d.bin" % i) for i in range(8)}), 1)

    def test_exit_status_is_the_programs_and_nothing_stays_mounted(self):
        self.need_mounts()
        for command, status in ((["sh", "-c", "exit 42"], 42),
                                (["sh", "-c", "kill -TERM $$"], 143),
                                (["sh", "-c", "cd %s; mkdir e; exec 7<e/provider;"
                                  " kill -KILL $$" % REAL], 137),
                                (["/nonexistent"], 127)):
            with self.subTest(command):
                p = tst.run(tst.SWPSP, "run", DEV, "--tsm", "--", *command)
                self.assertEqual(p.returncode, status, p.stderr)

    def test_mistakes_give_one_line(self):
        with open(self.path("file"), "w", encoding="ascii") as f:
            f.write("x")
        made = self.path("made")
        for options in (["--tsm=/nonexistent/x"],
                        ["--tsm=" + self.path("file")],
                        ["--tsm=" + self.dir],
                        ["--tsm", "--kernel", "6.1"],
                        ["--tsm", "--kernel", "5.19"],
                        ["--tsm", "--nodes", "sev"],
                        ["--tsm", "--profile", "naples"]):
            with self.subTest(options):
                p = tst.run(tst.SWPSP, "run", DEV, *options, "--", "touch",
                            made)
                self.assertEqual(p.returncode, 2, p.stderr)
                self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
                self.assertFalse(os.path.exists(made))
        p = tst.run(tst.SWPSP, "run", "--tsm", "--connect", "/x", "--as",
                    "host", "--", "touch", made)
        self.assertEqual(p.returncode, 2)
        self.assertIn("--tsm", p.stderr)

    def test_without_namespaces_the_other_way_is_named(self):
        if not can("unshare", "-Ur", "true"):
            self.skipTest("no user namespaces to forbid them in")
        p = tst.run("unshare", "-Ur", "sh", "-c",
                    "echo 0 >/proc/sys/user/max_user_namespaces; "
                    "echo 0 >/proc/sys/user/max_mnt_namespaces; exec \"$@\"",
                    "sh", tst.SWPSP, "run", DEV, "--tsm", "--", "true")
        self.assertEqual(p.returncode, 2, p.stderr)
        self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        self.assertIn("--tsm=DIR", p.stderr)

    def test_go_sev_guest_prefers_it(self):
        self.need_mounts()
        if not os.access(GO + "/check", os.X_OK):
            self.skipTest("go-sev-guest is not installed here")
        for profile in ("milan", "genoa"):
            with self.subTest(profile):
                product = profile.capitalize()
                options = (DEV, "--profile", profile)
                self.ok(tst.SWPSP, "certs", "export", *options,
                        self.path(profile))
                evidence = self.path(profile + ".bin")
                self.ok(tst.SWPSP, "run", *options, "--tsm",
                        "--trace=" + self.path("trace"), "--", GO + "/attest",
                        "-inform", "hex", "-in", NONCE, "-outform", "bin",
                        "-extended", "-out", evidence)
                trace = self.read("trace").decode()
                self.assertEqual(trace.count("ioctl "), 1, trace)
                self.assertIn("req_data=0x2000,", trace)  # by no program
                self.ok(GO + "/check", "-in", evidence, "-network=false",
                        "-product=" + product, "-guest_policy=0x30000",
                        "-report_data=" + NONCE, "-product_key_path=" +
                        self.path("%s/pki/%s/cert_chain.pem" %
                                  (profile, product)))


if __name__ == "__main__":
    tst.main()
