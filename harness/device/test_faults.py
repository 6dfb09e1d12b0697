#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`swpsp run --faults`: a client and a hypervisor that means it no good."""
import json
import os
import re
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import tst  # noqa: E402

DEV = "--insecure-dev-seed"
CLIENT = tst.client("report")


class Faults(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="swpsp-test-")
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def run_plan(self, plan, *argv, options=()):
        with open(self.path("plan.json"), "w", encoding="ascii") as f:
            f.write(plan if isinstance(plan, str) else json.dumps(plan))
        return tst.run(tst.SWPSP, "run", DEV, "--faults",
                       self.path("plan.json"),
                       "--trace=" + self.path("trace"), *options, "--", *argv)

    def faults(self):
        with open(self.path("trace"), encoding="utf-8") as f:
            return [line.strip() for line in f if line.startswith("fault ")]

    def client(self, plan, *argv, options=()):
        return self.run_plan(plan, CLIENT, "--report", self.path("report"),
                             *argv, options=options)

    def one(self, **fault):
        return {"faults": [{"when": {"request": 1}, **fault}]}

    def test_the_client_sees_what_linux_would_say(self):
        rows = [
            (self.one(do="flip"), "Bad message, exitinfo2 0x0"),
            (self.one(do="drop"), "Bad message, exitinfo2 0x0"),
            (self.one(do="zero-response"), "Bad message, exitinfo2 0x0"),
            (self.one(do="flip", part="request"),
             "Input/output error, exitinfo2 0xb"),
            (self.one(**{"do": "firmware-error", "status": "INVALID_PARAM"}),
             "Input/output error, exitinfo2 0x16"),
            (self.one(**{"do": "vmm-error", "error": "GENERIC"}),
             "Input/output error, exitinfo2 0x8000000000000000"),
        ]
        for plan, words in rows:
            with self.subTest(plan):
                p = self.client(plan)
                self.assertEqual(p.returncode, 1)
                self.assertEqual(p.stderr,
                                 "report: SNP_GET_REPORT: %s\n" % words)
                self.assertEqual(len(self.faults()), 1)

    def test_the_key_is_gone_for_the_next_program_too(self):
        p = self.run_plan(self.one(do="flip"), "/bin/sh", "-c",
                          '"$1"; "$1"', "sh", CLIENT)
        self.assertEqual(p.stderr.splitlines(), [
            "report: SNP_GET_REPORT: Bad message, exitinfo2 0x0",
            "report: SNP_GET_REPORT: Inappropriate ioctl for device, "
            "exitinfo2 0xff"])

    def test_an_honest_rest_of_the_plan_changes_nothing(self):
        p = self.client({"faults": [{"when": {"request": 9}, "do": "drop"}]})
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        self.assertEqual(self.faults(), [])

    def test_busy_is_waited_out(self):
        p = self.client(self.one(do="busy"))
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        self.assertEqual(self.faults(), [
            "fault request 1 of guest: busy, exitinfo2 0x200000000"])

    def test_certificates_that_grow_are_asked_for_again(self):
        p = self.client({"faults": [{"when": {"request": 2},
                                     "do": "certs-too-small", "pages": 4}]},
                        "--certs", self.path("certs"))
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        self.assertEqual(os.stat(self.path("certs")).st_size, 4 * 4096)

    def test_changed_certificates_reach_the_verifier_and_fail_there(self):
        exported = self.path("exported")
        p = tst.run(tst.SWPSP, "certs", "export", DEV, exported)
        self.assertEqual(p.returncode, 0, p.stderr)
        for place, accepted in ((None, True), (0x400, False)):
            plan = {"faults": [{
                "when": {"every": 1, "exit": "ext-guest-request"},
                "do": "flip", "part": "certs", "bits": 1,
                "offset": 0x3fff if place is None else place}]}
            p = self.client(plan, "--certs", self.path("certs"))
            self.assertEqual((p.returncode, p.stderr), (0, ""))
            p = tst.run(tst.SWPSP, "verify", "--report", self.path("report"),
                        "--certs", self.path("certs"), "--root",
                        exported + "/pki/Milan/ark.pem")
            self.assertEqual(p.returncode == 0, accepted, p.stdout)

    def test_the_same_plan_does_the_same_twice(self):
        plan = {"seed": "s", "faults": [
            {"when": {"probability": "0.5"}, "do": "flip", "offset": 4000}]}
        script = "for i in 1 2 3 4 5 6 7 8 9; do \"$1\" || exit; done"
        runs = []
        for _ in range(2):
            p = self.run_plan(plan, "/bin/sh", "-c", script, "sh", CLIENT)
            self.assertEqual((p.returncode, p.stderr), (0, ""))
            runs.append((self.faults(), p.stdout))
        self.assertEqual(runs[0], runs[1])
        self.assertTrue(0 < len(runs[0][0]) < 9, runs[0][0])
        for line in runs[0][0]:
            self.assertTrue(re.fullmatch(
                r"fault request \d of guest: flip response, byte 0xfa0, "
                r"bits 0x[0-9a-f]{2}", line), line)

    def test_a_wrong_plan_is_one_line(self):
        rows = {
            "{": r"line 1, column \d: .*",
            '{"faults": [{"when": {"request": 1}, "do": "melt"}]}':
                r"faults\[0\]\.do: melt is none of its values",
        }
        for text, words in rows.items():
            with self.subTest(text):
                p = self.run_plan(text, "true")
                self.assertEqual(p.returncode, 2)
                self.assertRegex(p.stderr, r"\Aswpsp run: --faults [^ ]*"
                                 r"plan\.json: %s\n\Z" % words)

    def test_options_that_do_not_go_with_it(self):
        p = tst.run(tst.SWPSP, "run", DEV, "--faults", self.path("none"),
                    "--", "true")
        self.assertEqual(p.returncode, 2)
        self.assertIn("No such file or directory", p.stderr)
        p = tst.run(tst.SWPSP, "run", "--faults", self.path("plan.json"),
                    "--connect", "/nowhere", "--as", "a", "--", "true")
        self.assertEqual(p.stderr, "swpsp run: --faults needs a platform of "
                         "its own, not --connect\n")


if __name__ == "__main__":
    tst.main()
