#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""/dev/sev under `swpsp run` as its users see it: owners of a platform, brokers
that ask for legacy reports, administrators of SNP."""
import hashlib
import json
import os
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import sev_owner  # noqa: E402
import tst  # noqa: E402

DEV = "--insecure-dev-seed"
PYTHON = "/usr/bin/python3"
SEV_PY = os.path.join(tst.TOP, "harness/device/clients/py/sev.py")
OWNER_PY = os.path.join(tst.TOP, "harness/support/sev_owner.py")
CLIENTS = {"c": [tst.client("sev_owner")], "python": [PYTHON, SEV_PY]}
PRODUCTS = {"naples": "Naples", "rome": "Rome", "milan-old": "Milan",
            "milan": "Milan", "genoa": "Genoa", "turin": "Turin"}
NONCE = "000102030405060708090a0b0c0d0e0f"
PRIVATE_REPORT = "0x80000009"


class Base(tst.Case):
    mode = 0o777  # programs of other users work here

    def spec(self, file_name, **members):
        return self.write(file_name, json.dumps(members).encode())

    def run_in(self, options, *argv, **kwargs):
        return self.ok(tst.SWPSP, "run", DEV, *options, "--", *argv, **kwargs)

    def sev(self, options, *argv):
        return self.run_in(options, PYTHON, SEV_PY, *argv).stdout

    def status(self, *options):
        return json.loads(self.sev(options, "status"))

    def exported(self, *options):
        folder = self.path("exported-" + "".join(options).replace("/", "_"))
        if not os.path.isdir(folder):
            self.ok(tst.SWPSP, "certs", "export", *(options or [DEV]), folder)
        return folder

    def verify(self, *argv, options=(DEV,), product="Milan"):
        folder = self.exported(*options)
        return tst.run(tst.SWPSP, "verify", "--type", "sev", "--root",
                       "%s/pki/%s/ask_ark_%s.cert" %
                       (folder, product, product.lower()), "--cek",
                       folder + "/sev/cek.cert", *argv)

    def accepted(self, *argv, **kwargs):
        p = self.verify(*argv, **kwargs)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        self.assertIn("ACCEPTED", p.stdout)


class Owner(Base):
    """Walks of a platform's owner."""

    def own(self, client, options):
        """One program that does the whole walk, in one shell."""
        c = " ".join(client)
        return self.run_in(options, "sh", "-ec", """
            cd %s
            %s csr csr
            %s %s sign-csr . csr
            %s import pek.cert oca.cert
            %s export pdh chain""" % (self.dir, c, PYTHON, OWNER_PY, c, c))

    def test_both_clients_walk_from_csr_to_reset(self):
        for name, client in CLIENTS.items():
            with self.subTest(name):
                nv = ("--nv", self.path("nv-" + name))
                self.assertEqual(self.status(*nv)["flags"], 0x100)
                self.own(client, nv)
                sev_owner.check_chain(self.path("pdh"), self.path("chain"))
                chain = self.read("chain")
                self.assertEqual(chain[2084:4168], self.read("oca.cert"))
                self.write("pek-oca", chain[:4168])
                self.accepted("--pdh", self.path("pdh"), "--pek",
                              self.write("pek", chain[:2084]), "--oca",
                              self.path("oca.cert"), "--pin-oca",
                              self.path("oca.cert"))
                self.assertEqual(self.status(*nv)["flags"], 0x101)
                self.run_in(nv, *client, "reset")
                self.assertEqual(self.status(*nv)["flags"], 0x100)

    def test_certs_export_writes_the_chain_that_the_next_run_has(self):
        for i, options in enumerate(((), ("--profile", "naples"),
                                     ("--nv", self.path("nv")))):
            folder = self.path("all-%d" % i)
            for owned in (False, True):
                if owned and "--nv" not in options:
                    continue
                if owned:
                    self.own(CLIENTS["c"], options)
                self.ok(tst.SWPSP, "certs", "export", DEV, *options, folder)
                self.run_in(options, *CLIENTS["c"], "export",
                            self.path("pdh"), self.path("chain"))
                sev = [self.read("%s/sev/%s.cert" % (folder, n))
                       for n in ("pdh", "pek", "oca", "cek")]
                chain = self.read("chain")
                self.assertEqual(sev[0], self.read("pdh"))
                self.assertEqual(sev[1] + sev[2], chain[:4168])
                # The same key; signed by the ASK only in the file.
                self.assertEqual(sev[3][:0x414], chain[4168:4168 + 0x414])
                self.assertNotEqual(sev[3], chain[4168:])
                self.assertEqual(self.read(folder + "/sev/chain.cert"),
                                 b"".join(sev))
                product = options[1] if "--profile" in options else "milan"
                p = self.ok(tst.SWPSP, "verify", "--type", "sev", "--chain",
                            folder + "/sev/chain.cert", "--root",
                            "%s/pki/%s/ask_ark_%s.cert" %
                            (folder, product.capitalize(), product))
                self.assertIn("PASS pdh-signature", p.stdout)
                if owned:
                    self.assertEqual(sev[2], self.read("oca.cert"))

    def test_an_owner_certificate_with_a_dirty_tail_is_accepted(self):
        """sevctl leaves bytes of its own memory behind the key."""
        nv = ("--nv", self.path("nv"))
        c = CLIENTS["c"]
        self.run_in(nv, *c, "csr", self.path("csr"))
        csr = self.read("csr")
        key = sev_owner.ec.generate_private_key(sev_owner.ec.SECP384R1())
        oca = sev_owner.body(sev_owner.OCA, sev_owner.ECDSA_SHA256,
                             key.public_key())
        oca = oca[:0xa4] + bytes(range(1, 101)) + oca[0xa4 + 100:]

        def signed(body):
            return body + sev_owner.slot(
                sev_owner.OCA, sev_owner.ECDSA_SHA256,
                sev_owner.sign(key, body)) + sev_owner.EMPTY_SLOT
        self.run_in(nv, *c, "import",
                    self.write("pek.cert", signed(csr[:sev_owner.BODY])),
                    self.write("oca.cert", signed(oca)))
        self.run_in(nv, *c, "export", self.path("pdh"), self.path("chain"))
        self.accepted("--pdh", self.path("pdh"), "--pek",
                      self.write("pek", self.read("chain")[:2084]), "--oca",
                      self.path("oca.cert"))
        changed = bytearray(self.read("oca.cert"))
        changed[0xa4] ^= 1
        p = self.verify("--pdh", self.path("pdh"), "--pek", self.path("pek"),
                        "--oca", self.write("oca.bad", changed))
        self.assertEqual(p.returncode, 1)
        self.assertIn("FAIL oca-signature", p.stdout)

    def test_the_chain_of_every_profile_is_accepted_by_its_own_root(self):
        for profile, product in PRODUCTS.items():
            with self.subTest(profile):
                self.run_in(["--profile", profile], *CLIENTS["c"], "export",
                            self.path("pdh"), self.path("chain"))
                chain = self.read("chain")
                parts = ("--pdh", self.path("pdh"), "--pek",
                         self.write("pek", chain[:2084]), "--oca",
                         self.write("oca", chain[2084:4168]))
                self.accepted(*parts, options=(DEV, "--profile", profile),
                              product=product)
        other = self.verify(*parts, options=(DEV, "--profile", "rome"),
                            product="Rome")
        self.assertEqual(other.returncode, 1)

    def test_ownership_lasts_in_an_installation(self):
        state = self.path("state")
        options = ("--state", state, "--profile", "naples")
        first, second = self.path("pdh1"), self.path("pdh2")
        c = CLIENTS["c"]

        def run(*argv):
            return self.ok(tst.SWPSP, "run", *options, "--", *argv)
        run(*c, "export", first, self.path("chain1"))
        run(*c, "export", second, self.path("chain2"))
        self.assertEqual(self.read("pdh1"), self.read("pdh2"))
        self.assertEqual(self.read("chain1"), self.read("chain2"))
        run(*c, "csr", self.path("csr"))
        sev_owner.sign_csr(self.dir, self.path("csr"))
        run(*c, "import", self.path("pek.cert"), self.path("oca.cert"))
        self.assertIn("owner external", run(*c, "status").stdout)
        run(*c, "export", first, self.path("chain1"))
        sev_owner.check_chain(first, self.path("chain1"))
        chain = self.read("chain1")
        self.assertEqual(chain[2084:4168], self.read("oca.cert"))
        self.accepted("--pdh", first, "--pek",
                      self.write("pek", chain[:2084]), "--oca",
                      self.path("oca.cert"), options=options,
                      product="Naples")
        run(*c, "reset")
        self.assertIn("owner self", run(*c, "status").stdout)
        nv = os.path.join(state, "nv-Naples-0")
        self.assertEqual(os.stat(nv).st_mode & 0o777, 0o600)
        # Another chip of the installation has another store.
        run_1 = self.ok(tst.SWPSP, "run", *options, "--chip", "1", "--", *c,
                        "status")
        self.assertIn("owner self", run_1.stdout)

    def test_programs_that_start_at_once_get_one_store(self):
        state = self.path("state")
        one = ["%s run --state %s --profile naples -- %s export %s %s &" %
               (tst.SWPSP, state, tst.client("sev_owner"),
                self.path("p%d" % i), self.path("c%d" % i)) for i in range(4)]
        self.ok("sh", "-c", " ".join(one) + " wait")
        self.assertEqual(len({self.read("p%d" % i) for i in range(4)}), 1)

    def test_a_damaged_store_is_refused_and_left(self):
        nv = self.path("nv")
        self.status("--nv", nv)
        good = self.read("nv")
        for name, data in {"cut": good[:-1], "empty": b"",
                           "bit": good[:999] + bytes([good[999] ^ 4]) +
                           good[1000:], "foreign": bytes(len(good)),
                           "newer": good[:8] + b"\2" + good[9:]}.items():
            with self.subTest(name):
                self.write("nv", data)
                p = tst.run(tst.SWPSP, "run", DEV, "--nv", nv, "--", "true")
                self.assertEqual(p.returncode, 2)
                self.assertEqual(len(p.stderr.splitlines()), 1, p.stderr)
                self.assertIn(nv, p.stderr)
                self.assertEqual(self.read("nv"), data)
        self.write("nv", good)
        p = tst.run(tst.SWPSP, "run", DEV, "--chip", "1", "--nv", nv, "--",
                    "true")
        self.assertEqual(p.returncode, 2)
        self.assertIn("another chip", p.stderr)
        self.assertEqual(self.read("nv"), good)

    def test_nothing_is_kept_with_the_development_seed(self):
        self.own(CLIENTS["c"], ())
        self.assertEqual(self.status()["flags"], 0x100)

    def test_init_ex_keeps_the_platform_in_the_drivers_file(self):
        nv = self.path("init-ex")
        self.own(CLIENTS["python"], ("--sev-init-ex", nv))
        self.assertEqual(os.path.getsize(nv), 32768)
        self.assertEqual(self.status("--sev-init-ex", nv)["flags"], 0x101)
        for path, why in ((self.dir, "Is a directory"),
                          (self.path("no/nv"), "No such file or directory")):
            p = tst.run(tst.SWPSP, "run", DEV, "--sev-init-ex", path, "--",
                        "true")
            self.assertEqual((p.returncode, p.stderr),
                             (2, "swpsp run: %s: %s\n" % (path, why)))

    def test_an_ordinary_user_owns_a_platform(self):
        if os.getuid() != 0:
            self.skipTest("is an ordinary user already")
        shutil.copy(tst.SWPSP, self.path("swpsp"))
        shutil.copy(tst.client("sev_owner"), self.path("client"))
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                self.path("swpsp"), "run", DEV, "--nv", self.path("nv"), "--",
                self.path("client")]
        self.ok(*user, "csr", self.path("csr"), cwd=self.dir)
        sev_owner.sign_csr(self.dir, self.path("csr"))
        self.ok(*user, "import", self.path("pek.cert"), self.path("oca.cert"),
                cwd=self.dir)
        self.assertIn("owner external",
                      self.ok(*user, "status", cwd=self.dir).stdout)
        self.assertEqual(os.stat(self.path("nv")).st_uid, 65534)

    def test_the_id_is_the_chips(self):
        for name, client in CLIENTS.items():
            self.run_in((), *client, "id" if name == "python" else "id2",
                        self.path(name))
        self.run_in((), *CLIENTS["c"], "id", self.path("id1"))
        self.assertEqual(self.read("c"), self.read("python"))
        self.assertEqual(self.read("id1"), self.read("c"))
        self.assertTrue(self.read("c").startswith(b"SWPSPSIM"))
        self.assertEqual(len(self.read("c")), 64)


class Errors(Base):
    """What goes wrong goes wrong as on Linux."""

    def test_wrong_calls_have_the_drivers_errno(self):
        lines = self.run_in((), tst.client("sev_errors")).stdout.splitlines()
        answer = dict(line.split(" ", 1) for line in lines)
        want = {
            "other_request": "-1 22 keep", "cmd_1000": "-1 22 keep",
            "null_envelope": "-1 14 keep", "read_only_envelope": "-1 14 keep",
            "ro_factory_reset": "-1 1 keep", "ro_pek_csr": "-1 1 keep",
            "io_factory_reset": "-1 1 keep", "io_pek_gen": "-1 1 keep",
            "io_platform_status": "0 0 0x0",
            "ro_platform_status": "0 0 0x0", "status_null": "-1 14 0x0",
            "csr_query": "-1 5 0x4", "csr_query.length": "2084",
            "csr_too_long": "-1 14 keep", "export_query.lengths": "2084 6252",
            "export_too_long": "-1 14 keep",
            "import_too_long": "-1 22 keep", "import_short": "-1 5 0x4",
            "id2_short.length": "64", "id2_huge": "-1 12 keep",
        }
        for name, text in want.items():
            self.assertEqual(answer[name], text, name)

    def test_era_and_abi_choose_the_numbers(self):
        status = bytes(32).hex()
        rows = [((), "9 " + status, "ok 0x0"),
                (("--sev-kernel", "6.1"), "9 " + status, "EINVAL keep"),
                (("--sev-abi", "aeb2022"), "9 " + status, "EIO 0x1"),
                (("--sev-abi", "rfc2021a"), "9 " + status, "EINVAL keep"),
                (("--sev-abi", "rfc2021a"), "256 " + status, "ok 0x0"),
                ((), "13 " + status, "EINVAL keep"),
                (("--sev-abi", "amdese-6.6"), "13 " + status, "ok keep"),
                (("--sev-start-uninit",), "11 " + bytes(64).hex(),
                 "ENODEV keep"),
                (("--sev-start-uninit", "--sev-kernel", "6.10"), "9 " + status,
                 "EINVAL keep"),
                (("--profile", "rome"), "11 " + bytes(64).hex(),
                 "ENODEV keep")]
        for options, arguments, want in rows:
            with self.subTest(options=options, arguments=arguments):
                out = self.sev(options, "raw", *arguments.split())
                self.assertEqual(out.split()[:2], want.split())

    def test_auto_report_tells_a_report_request_from_a_status(self):
        spec = self.spec("g.json")
        options = ("--legacy-guest", spec, "--sev-auto-report")
        self.run_in(options, tst.client("sev_report"), "--mnonce", NONCE,
                    self.path("r"))
        self.assertEqual(self.read("r")[:16].hex(), NONCE)
        self.assertEqual(json.loads(self.sev(options, "snp-status"))["state"],
                         1)

    def test_an_uninitialised_platform_starts_on_demand(self):
        options = ("--sev-start-uninit",)
        self.assertEqual(self.status(*options)["state"], 0)
        out = self.run_in(options, "sh", "-c", "%s pdh-gen && %s status" %
                          ((tst.client("sev_owner"),) * 2)).stdout
        self.assertIn("state 0", out)
        out = self.run_in((*options, "--sev-kernel", "6.1"), "sh", "-c",
                          "%s pdh-gen && %s status" %
                          ((tst.client("sev_owner"),) * 2)).stdout
        self.assertIn("state 1", out)

    def test_mistakes_give_one_line(self):
        bad = self.write("bad.json", b'{"unknown": 1}')
        es = self.spec("es.json", policy=1, vcpus=1)
        good = self.spec("good.json")
        rows = [(["--nodes", "sev,sev"], "--nodes"),
                (["--nodes", ""], "--nodes"),
                (["--nodes", "kvm"], "--nodes"),
                (["--sev-kernel", "2.6"], "no such era"),
                (["--sev-abi", "x"], "no such ABI"),
                (["--profile", "rome", "--nodes", "sev-guest"], "no SNP"),
                (["--profile", "rome", "--vlek"], "no SNP"),
                (["--profile", "naples", "--vmpl", "1"], "no SNP"),
                (["--sev-start-uninit", "--nodes", "sev,sev-guest"],
                 "no guest"),
                (["--sev-start-uninit", "--legacy-guest", good], "combined"),
                (["--sev-init-ex", "x", "--nv", "y"], "one store"),
                (["--legacy-info", self.path("info")], "--legacy-guest"),
                (["--legacy-guest", self.path("none.json")], "No such file"),
                (["--legacy-guest", bad], "unknown"),
                (["--legacy-guest", es], "es.json"),
                (["--legacy-guest", good, "--legacy-info",
                  self.path("no/folder")], "No such file")]
        for options, text in rows:
            with self.subTest(options):
                p = tst.run(tst.SWPSP, "run", DEV, *options, "--", "touch",
                            self.path("ran"))
                self.assertEqual(p.returncode, 2, p.stderr)
                self.assertEqual(len(p.stderr.splitlines()), 1, p.stderr)
                self.assertIn(text, p.stderr)
        self.assertFalse(os.path.exists(self.path("ran")))
        self.assertFalse(os.path.exists(self.path("info")))

    def test_the_nodes_are_those_that_were_asked_for(self):
        script = "test -c /dev/sev && echo host; test -c /dev/sev-guest && " \
                 "echo guest; cat /sys/module/kvm_amd/parameters/sev_snp; true"
        rows = [((), "host guest Y"), (("--nodes", "sev"), "host Y"),
                (("--nodes", "sev-guest"), "guest"),
                (("--nodes", "sev-guest,sev"), "host guest Y"),
                (("--profile", "rome"), "host N"),
                (("--sev-start-uninit",), "host Y")]
        if os.path.exists("/sys/module/kvm_amd"):
            self.skipTest("this machine has kvm_amd")
        for options, want in rows:
            with self.subTest(options):
                out = self.run_in(options, "sh", "-c", script).stdout
                self.assertEqual(out.split(), want.split())

    def test_the_trace_names_commands_by_their_abi(self):
        spec = self.spec("g.json", name="traced")
        p = self.run_in(("--trace", "--sev-abi", "aeb2022", "--legacy-guest",
                         spec), tst.client("sev_report"), self.path("r"))
        self.assertIn('legacy guest {"name":"traced","handle":1', p.stderr)
        self.assertIn("ioctl /dev/sev SEV_GET_REPORT", p.stderr)
        self.assertIn("mailbox ATTESTATION {handle=1", p.stderr)
        self.assertIn("mailbox LAUNCH_START {handle=0", p.stderr)


class LegacyGuest(Base):
    """A broker on the host asks for the report of a guest."""

    def setUp(self):
        super().setUp()
        self.code = bytes(range(256)) * 16
        self.write("code.bin", self.code)

    def guest(self, **members):
        members.setdefault("memory", [{"gpa": "0x10000", "file": "code.bin"}])
        return self.spec("g.json", **members)

    def evidence(self, options, *argv):
        """One session: certificates and report."""
        self.run_in((*options, "--legacy-info", self.path("info")), "sh",
                    "-ec", "%s export %s %s; %s --mnonce %s %s %s" %
                    (tst.client("sev_owner"), self.path("pdh"),
                     self.path("chain"), tst.client("sev_report"), NONCE,
                     " ".join(argv), self.path("report")))
        with open(self.path("info"), encoding="utf-8") as f:
            self.info = json.load(f)
        return self.info

    def judge(self, *argv, options=(DEV,), product="Milan"):
        chain = self.read("chain")
        return self.verify("--report", self.path("report"), "--pek",
                           self.write("pek", chain[:2084]), "--oca",
                           self.write("oca", chain[2084:4168]), *argv,
                           options=options, product=product)

    def test_a_report_is_accepted_on_every_profile_and_by_every_number(self):
        digest = hashlib.sha256(self.code).hexdigest()
        rows = [(p, ("--sev-abi", "aeb2022"), ()) for p in PRODUCTS
                if p != "naples"] + \
            [("milan", (), ("--number", PRIVATE_REPORT)),
             ("rome", (), ("--number", PRIVATE_REPORT))]
        for profile, abi, number in rows:
            with self.subTest(profile=profile, abi=abi):
                self.evidence(("--profile", profile, *abi, "--legacy-guest",
                               self.guest(policy=1)), *number)
                p = self.judge("--mnonce", NONCE, "--policy", "1",
                               "--launch-digest", digest,
                               options=(DEV, "--profile", profile),
                               product=PRODUCTS[profile])
                self.assertEqual(p.returncode, 0, p.stdout)
                self.assertIn("PASS report-signature", p.stdout)
                sev_owner.check_report(self.path("report"),
                                       self.path("chain"))
        self.assertEqual(self.judge("--mnonce", "ff" * 16, options=(
            DEV, "--profile", "rome"), product="Rome").returncode, 1)

    def test_old_firmware_knows_no_reports(self):
        p = tst.run(tst.SWPSP, "run", DEV, "--profile", "naples", "--sev-abi",
                    "aeb2022", "--legacy-guest", self.guest(), "--",
                    tst.client("sev_report"), self.path("none"))
        self.assertEqual(p.returncode, 1)
        self.assertIn("errno 5, firmware 0x11", p.stderr)

    def test_the_owners_session_measures_the_launch(self):
        nv = ("--nv", self.path("nv"))
        self.run_in(nv, *CLIENTS["c"], "export", self.path("pdh"),
                    self.path("chain"))
        sev_owner.session(self.dir, self.path("pdh"), "1")
        spec = self.guest(policy=1, session={"godh": "godh.cert",
                                             "blob": "launch_blob.bin"})
        info = self.evidence((*nv, "--sev-abi", "aeb2022", "--legacy-guest",
                              spec))[0]
        self.assertEqual((info["handle"], info["state"], info["policy"]),
                         (1, "running", 1))
        blob = self.write("measure", bytes.fromhex(info["measurement"] +
                                                   info["measure_nonce"]))
        sev_owner.measure(info["api_major"], info["api_minor"], info["build"],
                          "1", self.path("code.bin"), blob,
                          self.path("tik.bin"))
        digest = hashlib.sha256(self.code).hexdigest()
        p = self.judge("--measurement", "@" + blob, "--tik",
                       self.path("tik.bin"), "--api",
                       "%d.%d" % (info["api_major"], info["api_minor"]),
                       "--build", info["build"], "--policy", "1",
                       "--launch-digest", digest)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        self.assertIn("PASS measurement", p.stdout)

    def test_an_unfinished_guest_waits_for_its_secret(self):
        info = self.evidence(("--sev-abi", "aeb2022", "--legacy-guest",
                              self.guest(finish=False)))[0]
        self.assertEqual(info["state"], "launch-secret")
        self.assertEqual(len(self.read("report")), 208)

    def test_several_guests_have_handles_in_order(self):
        specs = []
        for i in range(3):
            specs += ["--legacy-guest",
                      self.spec("g%d.json" % i, name="g%d" % i,
                                policy=5 if i == 1 else 1,
                                memory=[{"gpa": 0, "fill": i, "size": 64}])]
        info = self.evidence((*specs, "--sev-abi", "aeb2022"), "--handle", "3")
        self.assertEqual([(g["name"], g["handle"]) for g in info],
                         [("g0", 1), ("g1", 2), ("g2", 3)])
        self.assertNotEqual(info[0]["asid"], info[2]["asid"])
        self.assertEqual(self.read("report")[16:48],
                         hashlib.sha256(bytes([2]) * 64).digest())
        self.assertEqual(self.status(*specs)["guest_count"], 3)
        self.assertEqual(self.status(*specs)["state"], 2)

    def test_errors_of_report_requests(self):
        options = ("--sev-abi", "aeb2022", "--legacy-guest", self.guest())
        rows = [(("--handle", "2"), "errno 5, firmware 0x10"),
                (("--handle", "0xffffffff"), "errno 5, firmware 0x10"),
                (("--length", "207"), "errno 5, firmware 0x4, length 207"),
                (("--length", "0"), "errno 5, firmware 0x4, length 208"),
                (("--length", "16385"), "errno 22")]
        for argv, text in rows:
            with self.subTest(argv):
                p = tst.run(tst.SWPSP, "run", DEV, *options, "--",
                            tst.client("sev_report"), *argv,
                            self.path("none"))
                self.assertEqual(p.returncode, 1)
                self.assertIn(text, p.stderr)
        p = tst.run(tst.SWPSP, "run", DEV, *options, "--", *CLIENTS["c"],
                    "reset")
        self.assertIn("errno 16", p.stderr)


class Snp(Base):
    """The host's side of SNP, seen in the guest's next report."""

    def session(self, options, script):
        self.run_in(options, "sh", "-ec", script)

    def report(self, name):
        return "%s --report %s --certs %s;" % (
            tst.client("report"), self.path(name), self.path(name + ".certs"))

    def sevpy(self, *argv):
        return " ".join([PYTHON, SEV_PY, *argv]) + ";"

    def test_the_status_is_the_platforms(self):
        s = json.loads(self.sev((), "snp-status"))
        self.assertEqual((s["state"], s["rmp"] & 1, s["guest_count"]),
                         (1, 1, 1))
        self.assertEqual(s["current_tcb"], s["reported_tcb"])
        self.assertEqual(json.loads(self.sev(("--nodes", "sev"),
                                             "snp-status"))["guest_count"], 0)

    def test_a_configuration_shows_in_the_next_report(self):
        tcb = "0300000000000010"
        self.session((), self.report("a") + self.sevpy("snp-config", tcb, "1")
                     + self.report("b") + self.sevpy("snp-commit") +
                     self.sevpy("snp-config", "00" * 8, "0") +
                     self.report("c"))
        a, b, c = (self.read(n) for n in "abc")
        self.assertEqual(b[0x180:0x188].hex(), tcb)
        self.assertEqual(b[0x1a0:0x1e0], bytes(64))
        self.assertNotEqual(a[0x1a0:0x1e0], bytes(64))
        self.assertEqual(a[0x180:0x188], c[0x180:0x188])
        self.ok(tst.SWPSP, "certs", "export", DEV, "--reported-tcb", tcb,
                self.path("x"))
        self.ok(tst.SWPSP, "verify", "--report", self.path("c"), "--certs",
                self.path("c.certs"), "--root",
                self.path("x/pki/Milan/ark.pem"))

    def test_a_configuration_beyond_the_platform_is_refused(self):
        out = self.sev((), "raw", "11", "ff" * 8 + "00" * 56)
        self.assertEqual(out.split()[:2], ["EIO", "0x16"])

    def test_a_loaded_vlek_signs(self):
        x = self.path("x")
        self.ok(tst.SWPSP, "certs", "export", DEV, "--vlek", x)
        self.session(("--certs", "vlek"), self.sevpy(
            "snp-vlek", x + "/guest/hashstick.bin") + self.report("r"))
        p = self.ok(tst.SWPSP, "verify", "--report", self.path("r"), "--certs",
                    self.path("r.certs"), "--root", x + "/pki/Milan/ark.pem")
        self.assertIn("ACCEPTED", p.stdout)
        self.assertEqual(struct.unpack_from("<I", self.read("r"), 0x48)[0] >>
                         2 & 7, 1)
        stick = bytearray(self.read("x/guest/hashstick.bin"))
        stick[100] ^= 1
        p = tst.run(tst.SWPSP, "run", DEV, "--", PYTHON, SEV_PY, "snp-vlek",
                    self.write("bad", stick))
        self.assertEqual(p.returncode, 1)
        self.assertIn("EIO", p.stderr)

    def test_the_hosts_certificates_reach_the_guest(self):
        table = self.path("table")
        self.ok(tst.SWPSP, "certs", "export", DEV, self.path("x"))
        data = self.read("x/guest/cert_table.bin")
        self.write("table", data + bytes(-len(data) % 4096))
        self.session(("--certs", "none", "--sev-abi", "amdese-rfc"),
                     self.report("a") + self.sevpy("ext-set", "10", table) +
                     self.report("b") +
                     self.sevpy("ext-get", "11", self.path("got")) +
                     self.sevpy("ext-set", "10", "-") + self.report("c"))
        padded = self.read("table")
        self.assertEqual(self.read("got")[:len(padded)], padded)
        self.assertTrue(padded.startswith(self.read("b.certs")[:len(data)]))
        self.assertTrue(self.read("b.certs").startswith(data[:96]))
        for name in ("a", "c"):
            self.assertNotIn(data[:96], self.read(name + ".certs"))

    def test_a_guest_waits_while_the_host_changes_its_configuration(self):
        start, end = (PYTHON + " " + SEV_PY + " raw %d %s" % (n, bytes(8).hex())
                      for n in (12, 13))
        self.session(("--sev-abi", "amdese-6.6"),
                     "%s; (sleep 0.5; %s) & date +%%s.%%N >%s; %s"
                     "date +%%s.%%N >%s; wait" %
                     (start, end, self.path("t0"), self.report("r"),
                      self.path("t1")))
        waited = float(self.read("t1")) - float(self.read("t0"))
        self.assertGreater(waited, 0.5)
        self.assertLess(waited, 30)
        self.assertEqual(len(self.read("r")), 1184)


if __name__ == "__main__":
    tst.main()
