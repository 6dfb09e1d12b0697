#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`swpsp run` as its users see it: clients in four languages, options, mistakes,
reproducible sessions."""
import json
import os
import shutil
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import tst  # noqa: E402

DEV = "--insecure-dev-seed"
CLIENTS = {
    "c": [tst.client("report")],
    "go": [tst.client("report-go")],
    "rust": [tst.client("report-rust")],
    "python": ["/usr/bin/python3",
               os.path.join(tst.TOP, "harness/device/clients/py/report.py")],
}
NONCE = "a5" * 64

# A derived key with message version 2 and 40 bytes of request, as the Rust library
# sends it: argv[1] is the vector. Prints the key.
KEY_V2 = """
import ctypes, fcntl, struct, sys
q = ctypes.create_string_buffer(struct.pack(
    "<IIQIIQQ", 0, 0, 0x40, 0, 0, 0, int(sys.argv[1])), 40)
r = ctypes.create_string_buffer(64)
with open("/dev/sev-guest", "rb") as dev:
    fcntl.ioctl(dev, 0xC0205301, struct.pack(
        "<B7xQQQ", 2, ctypes.addressof(q), ctypes.addressof(r), 0))
assert r.raw[:32] == bytes(32)
print(r.raw[32:].hex())
"""


class Run(tst.Case):
    mode = 0o777  # programs of other users work here

    def fetch(self, name, options=(), client="c", prefix=(), extra=()):
        return self.ok(*prefix, tst.SWPSP, "run", DEV, *options, "--",
                       *CLIENTS[client], "--report-data", NONCE,
                       "--report", self.path(name + ".bin"),
                       "--certs", self.path(name + ".certs"),
                       "--key", self.path(name + ".key"), *extra)

    def verify(self, name, product, *extra, options=()):
        exported = self.path("exported-" + product)
        if not os.path.isdir(exported):
            profile = {"Milan": "milan", "Genoa": "genoa",
                       "Turin": "turin"}[product]
            self.ok(tst.SWPSP, "certs", "export", DEV, "--profile", profile,
                    *options, exported)
        return tst.run(tst.SWPSP, "verify", "--report",
                       self.path(name + ".bin"), "--certs",
                       self.path(name + ".certs"), "--root",
                       "%s/pki/%s/ark.pem" % (exported, product),
                       "--report-data", NONCE, *extra)

    def key_v2(self, vector, *options):
        return self.ok(tst.SWPSP, "run", DEV, "--profile", "turin", *options,
                       "--", "/usr/bin/python3", "-c", KEY_V2, vector).stdout

    def test_linux_does_not_read_the_vector_of_a_key_request(self):
        self.assertEqual(self.key_v2(0), self.key_v2(1))

    def test_a_long_key_request_has_a_vector(self):
        option = "--long-key-request"
        self.assertEqual(self.key_v2(0, option), self.key_v2(0))
        self.assertNotEqual(self.key_v2(1, option), self.key_v2(0))

    def test_platform_info_of_reports(self):
        self.fetch("turin", ("--profile", "turin"))
        self.fetch("real", ("--profile", "turin", "--platform-info", "0x65"))
        self.assertEqual(self.read("turin.bin")[0x40:0x48].hex(), "25" + "00" * 7)
        self.assertEqual(self.read("real.bin")[0x40:0x48].hex(), "65" + "00" * 7)
        # Without SMT a guest may forbid it.
        self.fetch("no-smt", ("--platform-info", "0", "--policy", "0x20000"))

    def test_certificates_for_which_the_driver_has_no_room(self):
        code = '''
import ctypes, fcntl, struct
r = ctypes.create_string_buffer(4000)
c = ctypes.create_string_buffer(0x5000)
for size in 0, 0x4000, 0x5000:
    q = ctypes.create_string_buffer(
        bytes(96) + struct.pack("<QQ", ctypes.addressof(c), size), 112)
    e = bytearray(struct.pack(
        "<B7xQQQ", 1, ctypes.addressof(q), ctypes.addressof(r), 0))
    try:
        fcntl.ioctl(open("/dev/sev-guest", "rb"), 0xC0205302, e)
    except OSError as err:
        print(err.errno, "%x" % struct.unpack_from("<Q", e, 24),
              "%x" % struct.unpack_from("<I", q.raw, 104))
'''
        with open(self.path("table"), "wb") as f:
            f.write(bytes(0x4001))
        self.assertEqual(
            self.facts(code, "--certs", self.path("table")),
            "5 100000000 5000\n5 100000000 5000\n22 ff 5000\n")

    def facts(self, code, *options):
        return self.ok(tst.SWPSP, "run", DEV, *options, "--",
                       "/usr/bin/python3", "-c", code).stdout

    def test_what_sysfs_says_of_the_guest(self):
        code = '''
import os
root = "/sys/devices/system/cpu/sev"
print(open(root + "/vmpl").read() if os.path.isdir(root) else "none")
for node in "sev", "sev-guest":
    with open("/sys/class/misc/%s/dev" % node) as f:
        rdev = os.stat("/dev/" + node).st_rdev
        assert f.read() == "%d:%d\\n" % (os.major(rdev), os.minor(rdev))
assert os.path.isdir("/sys/devices/platform/sev-guest")
'''
        self.assertEqual(self.facts(code), "0\n\n")
        self.assertEqual(self.facts(code, "--vmpl", "3"), "3\n\n")
        self.assertEqual(self.facts(code, "--kernel", "6.3"), "none\n")

    @unittest.skipIf(os.path.exists("/dev/cpu/0/msr"), "this machine has it")
    def test_registers_say_what_sev_is_doing(self):
        code = '''
import os, struct
fd = os.open("/dev/cpu/0/msr", os.O_RDWR)
for msr in 0xC0010131, 0xC0010010:
    os.lseek(fd, msr, os.SEEK_SET)
    data = os.read(fd, 8)
    assert data in (os.pread(fd, 8, msr), b"")
    print("%x" % struct.unpack("<Q", data.ljust(8, b"?")))
'''
        # SEV_FEATURES: SNP, debug swap, secure TSC.
        vmsa = bytearray(0x1000)
        struct.pack_into("<Q", vmsa, 0x3b0, 0x221)
        with open(self.path("vmsa"), "wb") as f:
            f.write(vmsa)
        with open(self.path("guest.json"), "w", encoding="ascii") as f:
            json.dump({"pages": [{"type": "vmsa", "file": "vmsa"},
                                 {"type": "secrets", "gpa": "0x80d000"}]}, f)
        guest = ("--guest", self.path("guest.json"))
        self.assertEqual(self.facts(code).split(), ["7", "3800000"])
        self.assertEqual(self.facts(code, *guest).split(), ["887", "3800000"])
        self.assertEqual(
            self.facts(code, "--profile", "naples").split(), ["0", "800000"])

    def test_clients_in_four_languages_get_the_same_evidence(self):
        for language in CLIENTS:
            with self.subTest(language):
                self.fetch(language, client=language)
                self.assertEqual(self.verify(language, "Milan").returncode, 0)
        for kind in (".bin", ".certs", ".key"):
            same = {self.read(language + kind) for language in CLIENTS}
            self.assertEqual(len(same), 1, kind)

    def test_every_profile_is_accepted_by_its_own_root_only(self):
        versions = {"milan-old": ("Milan", 2), "milan": ("Milan", 3),
                    "genoa": ("Genoa", 3), "turin": ("Turin", 5)}
        for profile, (product, version) in versions.items():
            with self.subTest(profile):
                self.fetch(profile, ["--profile", profile])
                report = self.read(profile + ".bin")
                self.assertEqual(len(report), 1184)
                self.assertEqual(struct.unpack_from("<I", report)[0], version)
                p = self.verify(profile, product)
                self.assertEqual(p.returncode, 0, p.stdout)
                self.assertIn("verdict: ACCEPTED", p.stdout)
                self.assertIn("simulated", p.stdout)
        self.assertEqual(self.verify("genoa", "Milan").returncode, 1)

    def test_a_changed_report_is_rejected(self):
        self.fetch("r")
        report = bytearray(self.read("r.bin"))
        report[0x90] ^= 1
        with open(self.path("r.bin"), "wb") as f:
            f.write(report)
        p = self.verify("r", "Milan")
        self.assertEqual(p.returncode, 1)
        self.assertIn("FAIL report-signature", p.stdout)

    def test_an_ordinary_user_gets_a_report(self):
        if os.getuid() != 0:
            self.skipTest("is an ordinary user already")
        shutil.copy(tst.SWPSP, self.path("swpsp"))
        shutil.copy(tst.client("report"), self.path("client"))
        self.ok("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                self.path("swpsp"), "run", DEV, "--", self.path("client"),
                "--report-data", NONCE, "--report", self.path("r.bin"),
                cwd=self.dir)
        self.assertEqual(os.stat(self.path("r.bin")).st_uid, 65534)
        self.fetch("root")
        self.assertEqual(self.read("r.bin"), self.read("root.bin"))

    def test_the_same_seed_gives_the_same_bytes(self):
        with open(self.path("seed"), "w", encoding="ascii") as f:
            f.write("5e" * 32 + "\n")
        with open(self.path("guest.json"), "w", encoding="ascii") as f:
            json.dump({"family_id": "01" * 16, "guest_svn": 3}, f)
        state = {"XDG_STATE_HOME": self.dir}
        for name in ("a", "b"):
            self.ok(tst.SWPSP, "run", "--seed-file", self.path("seed"),
                    "--guest", self.path("guest.json"), "--", *CLIENTS["c"],
                    "--report", self.path(name + ".bin"), "--certs",
                    self.path(name + ".certs"), "--key",
                    self.path(name + ".key"), env={**os.environ, **state})
        for kind in (".bin", ".certs", ".key"):
            self.assertEqual(self.read("a" + kind), self.read("b" + kind))
        self.fetch("dev")
        self.assertNotEqual(self.read("a.bin"), self.read("dev.bin"))

    def test_the_exported_table_is_the_one_that_the_guest_gets(self):
        with open(self.path("some"), "wb") as f:
            f.write(b"whatever" * 512)
        with open(self.path("guest.json"), "w") as f:
            f.write('{"certs": "none"}')
        for name, options in (
                ("default", []), ("none", ["--certs", "none"]),
                ("file", ["--certs", self.path("some")]),
                ("guest", ["--guest", self.path("guest.json")]),
                ("both", ["--guest", self.path("guest.json"), "--certs",
                          "vcek"]),
                ("vlek", ["--vlek"])):
            with self.subTest(name):
                self.fetch(name, options)
                self.ok(tst.SWPSP, "certs", "export", DEV, *options,
                        self.path("out-" + name))
                with open(self.path("out-%s/guest/cert_table.bin" % name),
                          "rb") as f:
                    table = f.read()
                self.assertEqual(self.read(name + ".certs")[:len(table)],
                                 table)
                self.assertEqual(self.read(name + ".certs")[len(table):]
                                 .strip(b"\0"), b"")

    def test_messages_do_not_go_into_the_state(self):
        state = self.path("state")
        p = self.ok("sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh", tst.SWPSP,
                    "run", "--state", state, "--trace", "--", "sh", "-c",
                    'ls -l /proc/$$/fd >"$0" && exec "$@"', self.path("fds"),
                    *CLIENTS["c"], "--report", self.path("r.bin"))
        for folder, _, names in os.walk(state):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    self.assertNotIn(b"mailbox", f.read(), name)
                if name == "lock":
                    self.assertEqual(
                        os.path.getsize(os.path.join(folder, name)), 0)
        self.assertNotIn("null", self.read("fds").decode())
        for command in (["kds", DEV], ["decode", self.path("r.bin")]):
            p = tst.run("sh", "-c", "exec \"$@\" >&-", "sh", tst.SWPSP,
                        *command)
            self.assertEqual(p.returncode, 2, p.stderr)

    def test_a_fresh_installation_has_its_own_root_and_keeps_it(self):
        for name in ("a", "b"):
            self.ok(tst.SWPSP, "certs", "export", "--state",
                    self.path("state"), self.path(name))
        ark = self.path("a/pki/Milan/ark.der")
        with open(ark, "rb") as f:
            first = f.read()
        with open(self.path("b/pki/Milan/ark.der"), "rb") as f:
            self.assertEqual(f.read(), first)
        self.ok(tst.SWPSP, "certs", "export", DEV, self.path("dev"))
        with open(self.path("dev/pki/Milan/ark.der"), "rb") as f:
            self.assertNotEqual(f.read(), first)
        self.assertEqual(os.stat(self.path("state/seed")).st_mode & 0o777,
                         0o600)
        self.ok(tst.SWPSP, "run", "--state", self.path("state"), "--",
                *CLIENTS["c"], "--report", self.path("r.bin"), "--certs",
                self.path("r.certs"))
        p = self.ok(tst.SWPSP, "verify", "--report", self.path("r.bin"),
                    "--certs", self.path("r.certs"), "--root", ark)
        self.assertIn("ACCEPTED", p.stdout)

    def test_guest_options_reach_the_report(self):
        self.fetch("g", ["--policy", "0xb0000", "--host-data", "42" * 32,
                         "--family-id", "01" * 16, "--image-id", "02" * 16,
                         "--guest-svn", "7"])
        report = self.read("g.bin")
        self.assertEqual(struct.unpack_from("<IQ", report, 4), (7, 0xb0000))
        self.assertEqual(report[0x10:0x20], b"\1" * 16)
        self.assertEqual(report[0x20:0x30], b"\2" * 16)
        self.assertEqual(report[0xc0:0xe0], b"\x42" * 32)
        self.assertTrue(any(report[0xe0:0x110]))
        p = self.verify("g", "Milan", "--host-data", "42" * 32, "--policy",
                        "0xb0000")
        self.assertEqual(p.returncode, 0, p.stdout)
        p = self.verify("g", "Milan", "--host-data", "43" * 32)
        self.assertEqual(p.returncode, 1)

    def test_the_platform_options_reach_the_report(self):
        self.fetch("m", ["--mask-chip-id"])
        self.assertFalse(any(self.read("m.bin")[0x1a0:0x1e0]))
        tst.run(tst.SWPSP, "run", DEV, "--mask-chip-key", "--", *CLIENTS["c"],
                "--report", self.path("k.bin"))
        report = self.read("k.bin")
        self.assertFalse(any(report[0x2a0:]))
        self.assertEqual(report[0x48], 7 << 2 | 2)
        self.fetch("t", ["--reported-tcb", "04000000000018d9"])
        self.assertEqual(self.read("t.bin")[0x180:0x188].hex(),
                         "04000000000018d9")
        p = self.verify("t", "Milan")
        self.assertEqual(p.returncode, 0, p.stdout)

    def test_a_loaded_vlek_signs(self):
        self.fetch("v", ["--vlek"])
        self.assertEqual(self.read("v.bin")[0x48] >> 2 & 7, 1)
        p = self.verify("v", "Milan")
        self.assertEqual(p.returncode, 0, p.stdout)

    def test_without_certificates_an_extended_report_carries_none(self):
        self.fetch("n", ["--certs", "none"])
        self.assertFalse(any(self.read("n.certs")))

    def test_trace_shows_ioctls_and_commands(self):
        self.ok(tst.SWPSP, "run", DEV, "--trace=" + self.path("trace"), "--",
                *CLIENTS["c"])
        trace = self.read("trace").decode()
        self.assertRegex(trace, r"mailbox SNP_GUEST_REQUEST \{gctx_paddr=.* = "
                         r"0x0 SUCCESS")
        self.assertRegex(trace, r"ioctl /dev/sev-guest SNP_GET_REPORT "
                         r"\{msg_version=1, .*\} = 0")
        # The pages of a large buffer that Linux takes back share a line.
        self.assertRegex(trace, r"(?m)^mailbox SNP_PAGE_RECLAIM "
                         r"\{page_paddr=0x600000\} = 0x0 SUCCESS\n"
                         r"mailbox SNP_PAGE_RECLAIM for the next 511 pages, "
                         r"up to 0x7ff000 = 0x0 SUCCESS$")

    def test_a_refused_request_shows_in_trace_and_client(self):
        p = tst.run(tst.SWPSP, "run", DEV, "--trace", "--", *CLIENTS["c"],
                    "--msg-version", "0")
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("= -1 EINVAL", p.stderr)

    def test_exit_status_is_the_programs(self):
        for command, status in ((["true"], 0), (["false"], 1),
                                (["sh", "-c", "exit 42"], 42),
                                (["sh", "-c", "kill -TERM $$"], 143),
                                (["/nonexistent"], 127), (["/etc"], 126)):
            with self.subTest(command):
                p = tst.run(tst.SWPSP, "run", DEV, "--", *command)
                self.assertEqual(p.returncode, status, p.stderr)

    def shell(self, line):
        return tst.run("bash", "-c", line, "bash", tst.SWPSP,
                       self.path("out.bin"), cwd=self.dir)

    def test_lost_output_is_no_success(self):
        self.fetch("out")
        for words in ("--help", "--version", "run --help", 'is-simulated "$2"',
                      'decode "$2"'):
            for to, why in ((">/dev/full", "No space left on device"),
                            (">&-", "Bad file descriptor")):
                with self.subTest(words + to):
                    p = self.shell('"$1" %s %s' % (words, to))
                    self.assertEqual(p.returncode, 2)
                    self.assertRegex(p.stderr, "^swpsp.*: standard output: "
                                     + why + "\n$")

    def test_a_trace_that_is_not_whole_is_named(self):
        p = self.shell('"$1" run %s --trace=/dev/full -- sh -c '
                       '": </dev/sev; exit 3"' % DEV)
        self.assertEqual((p.returncode, p.stderr.count("\n")), (3, 1), p.stderr)
        self.assertIn("--trace=/dev/full: ", p.stderr)

    def test_complaints_name_the_command(self):
        for command in ("run", "kds", "serve", "guest"):
            p = tst.run(tst.SWPSP, command, "--no-such")
            self.assertEqual((p.returncode, p.stderr),
                             (2, "swpsp %s: unrecognized option '--no-such'\n"
                              % command))

    def test_mistakes_give_one_line_and_create_nothing(self):
        with open(self.path("bad.json"), "w", encoding="ascii") as f:
            f.write("{\"polcy\": 1}")
        with open(self.path("short"), "wb") as f:
            f.write(b"x")
        made = self.path("made")
        mistakes = [
            ["run", "--profile", "venice", "--", "touch", made],
            ["run", "--no-such-option", "--", "touch", made],
            ["run", DEV],
            ["run", DEV, "--guest", "/nonexistent", "--", "touch", made],
            ["run", DEV, "--guest", self.path("bad.json"), "--", "touch",
             made],
            ["run", DEV, "--policy", "x", "--", "touch", made],
            ["run", DEV, "--policy", "0", "--", "touch", made],
            ["run", DEV, "--host-data", "42", "--", "touch", made],
            ["run", DEV, "--vmpl", "4", "--", "touch", made],
            ["run", DEV, "--kernel", "2.4", "--", "touch", made],
            ["run", DEV, "--vmpck", "4", "--", "touch", made],
            ["run", DEV, "--certs", "/nonexistent", "--", "touch", made],
            ["run", DEV, "--reported-tcb", "04", "--", "touch", made],
            ["run", DEV, "--platform-info", "0x10", "--", "touch", made],
            ["run", DEV, "--platform-info", "x", "--", "touch", made],
            ["run", DEV, "--profile", "rome", "--platform-info", "1", "--",
             "touch", made],
            ["run", DEV, "--reported-tcb", "ff000000000018db", "--", "touch",
             made],
            ["run", DEV, "--node-mode", "888", "--", "touch", made],
            ["run", DEV, "--state", made, "--", "touch", made],
            ["run", "--seed-file", self.path("short"), "--state", made, "--",
             "touch", made + "/x"],
            ["run", DEV, "--trace=/nonexistent/trace", "--", "touch", made],
            ["certs", "export", DEV],
            ["certs", "import", DEV, made],
            ["certs", "export", DEV, "/proc/nonexistent/x"],
            ["nonsense"], [],
        ]
        for argv in mistakes:
            with self.subTest(argv):
                p = tst.run(tst.SWPSP, *argv)
                self.assertEqual(p.returncode, 2, p.stderr)
                self.assertTrue(p.stderr)
                if argv:
                    self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
                self.assertFalse(os.path.exists(made + "/x"))
                self.assertFalse(os.path.isfile(made))

    def test_help_names_every_command_and_option(self):
        p = self.ok(tst.SWPSP, "--help")
        for command in ("run", "certs", "verify", "decode", "is-simulated"):
            self.assertIn(command, p.stdout)
            self.ok(tst.SWPSP, command, "--help")

    def test_several_clients_at_once(self):
        script = " & ".join("%s --report %s" % (tst.client("report"),
                                                self.path("p%d.bin" % i))
                            for i in range(8)) + " & wait"
        self.ok(tst.SWPSP, "run", DEV, "--", "sh", "-c", script)
        self.assertEqual({len(self.read("p%d.bin" % i)) for i in range(8)},
                         {1184})

    def test_a_killed_client_leaves_the_platform_usable(self):
        script = ("for i in 1 2 3 4 5 6 7 8 9 10; do "
                  "(while :; do %s >/dev/null || exit; done) & p=$!; "
                  "sleep 0.02; kill -9 $p; done; wait; exec %s --report %s" %
                  (tst.client("report"), tst.client("report"),
                   self.path("after.bin")))
        self.ok(tst.SWPSP, "run", DEV, "--", "sh", "-c", script)
        self.assertEqual(len(self.read("after.bin")), 1184)

    def test_is_simulated_tells(self):
        self.fetch("s")
        self.ok(tst.SWPSP, "is-simulated", self.path("s.bin"),
                self.path("s.certs"))
        real = os.path.join(tst.TOP, "../shared/data/snp/genoa/report.bin")
        if os.path.exists(real):
            self.assertEqual(
                tst.run(tst.SWPSP, "is-simulated", real).returncode, 1)


if __name__ == "__main__":
    tst.main()
