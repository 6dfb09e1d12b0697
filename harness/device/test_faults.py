#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""--faults of `swpsp run` and `swpsp serve`: unmodified clients, and a host that
means them no good."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../support"))
import tst  # noqa: E402
import test_serve  # noqa: E402

DEV = "--insecure-dev-seed"
CLIENT = tst.client("report")
SEV = ["/usr/bin/python3",
       os.path.join(tst.TOP, "harness/device/clients/py/sev.py")]
SEV_REPORT = tst.client("sev_report")
CRASHED = 70


class Case(tst.Case):
    def legacy(self, name, fill):
        """A legacy guest's description; another fill, another digest."""
        return self.write(name + ".json", {"name": name, "memory": [
            {"gpa": "0xfffff000", "fill": fill, "size": 4096}]})

    @staticmethod
    def at(place, when, do, **members):
        return {"at": place, "when": when, "do": do,
                **{k.replace("_", "-"): v for k, v in members.items()}}


class Faults(Case):
    def run_plan(self, plan, *argv, options=()):
        self.write("plan.json", plan)
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


class DevSev(Case):
    """Faults at the mailbox, seen by clients of /dev/sev under run."""

    def run_plan(self, faults, *argv, options=()):
        self.write("plan.json", {"faults": faults})
        return tst.run(tst.SWPSP, "run", DEV, "--nodes", "sev", "--faults",
                       self.path("plan.json"),
                       "--trace=" + self.path("trace"), *options, "--", *argv)

    def lines(self):
        with open(self.path("trace"), encoding="utf-8") as f:
            return [line[6:].strip() for line in f
                    if line.startswith("fault ")]

    def command(self, name, n, do, **members):
        return self.at("sev-command", {"command": name, "request": n}, do,
                       **members)

    def two_guests(self):
        return ("--sev-abi", "aeb2022", "--legacy-guest",
                self.legacy("a", 1), "--legacy-guest", self.legacy("b", 2))

    def test_a_status_is_eio_with_that_status(self):
        p = self.run_plan([self.command("GET_ID", 1, "firmware-error",
                                        status="HWERROR_UNSAFE")],
                          *SEV, "id", self.path("id"))
        self.assertEqual((p.returncode, p.stderr),
                         (1, "sev: command 8: EIO, firmware 0x14\n"))
        self.assertEqual(self.lines(), [
            "sev-command 1 GET_ID: firmware-error, status 0x14"])

    def test_a_lost_answer_is_etimedout_and_then_ebusy(self):
        for part in ("request", "response"):
            with self.subTest(part):
                p = self.run_plan(
                    [self.command("PDH_GEN", 1, "drop", part=part)],
                    "/bin/sh", "-c", '"$@" raw 4 -; "$@" raw 2 -; '
                    '"$@" raw 1 00', "sh", *SEV)
                # "keep": nobody has written to the caller's error word.
                self.assertEqual(p.stdout.splitlines(), [
                    "ETIMEDOUT 0x0 -", "EBUSY keep -", "EBUSY keep 00"])

    def export(self, plan):
        p = self.run_plan(plan, "/bin/sh", "-c",
                          '"$@" export "$0/pdh1" "$0/chain1"; "$@" pdh-gen; '
                          '"$@" export "$0/pdh2" "$0/chain2"', self.dir, *SEV)
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        return [self.read(n) for n in ("pdh1", "chain1", "pdh2", "chain2")]

    def test_exported_certificates_are_flipped_replayed_and_zeroed(self):
        honest = self.export([self.command("GET_ID", 1, "drop")])
        self.assertNotEqual(honest[0], honest[2])
        # A PEK whose body was changed; the chain begins behind the PDH.
        pdh1, chain1, pdh2, chain2 = self.export([self.command(
            "PDH_CERT_EXPORT", 2, "flip", offset=2084 + 0x20, bits=1)])
        self.assertEqual((pdh1, chain1, pdh2), tuple(honest[:3]))
        self.assertEqual([i for i in range(len(chain2))
                          if chain2[i] != honest[3][i]], [0x20])
        pdh1, chain1, pdh2, chain2 = self.export([self.command(
            "PDH_CERT_EXPORT", 2, "replay")])
        self.assertEqual((pdh2, chain2), (honest[0], honest[1]))
        self.assertEqual(self.lines(), [
            "sev-command 3 PDH_CERT_EXPORT: replay response, 1 back"])
        pdh1, chain1, pdh2, chain2 = self.export([self.command(
            "PDH_CERT_EXPORT", 1, "zero-response")])
        self.assertEqual((pdh1, chain1), (bytes(2084), bytes(6252)))
        pdh1, chain1, pdh2, chain2 = self.export([self.command(
            "PDH_CERT_EXPORT", 1, "truncate", size=2085)])
        self.assertEqual((pdh1, chain1),
                         (honest[0], honest[1][:1] + bytes(6251)))

    def reports(self, plan, count=3):
        p = self.run_plan(
            plan, "/bin/sh", "-c",
            'for i in $(seq %d); do "$1" --handle $((2 - i %% 2)) --mnonce '
            '$(printf %%032d $i) "$0/r$i"; done' % count, self.dir, SEV_REPORT,
            options=self.two_guests())
        return p, [self.read("r%d" % i) for i in range(1, count + 1)
                   if os.path.exists(self.path("r%d" % i))]

    def test_a_report_about_another_guest(self):
        """The digest tells who it is about, the nonce how old it is."""
        p, r = self.reports([self.command("ATTESTATION", 99, "drop")])
        a, b = r[0][16:48], r[1][16:48]
        self.assertEqual((p.stderr, r[2][16:48]), ("", a))
        self.assertNotEqual(a, b)
        rows = [
            (dict(do="substitute", part="request", **{"from": "b"}), b, 3),
            (dict(do="substitute", part="request", **{"from": 2}), b, 3),
            (dict(do="substitute", **{"from": "b"}), b, 2),
            (dict(do="replay", back=2), a, 1),
        ]
        for members, digest, nonce in rows:
            with self.subTest(members):
                do = members.pop("do")
                p, r = self.reports(
                    [self.command("ATTESTATION", 3, do, **members)])
                self.assertEqual(p.stderr, "")
                self.assertEqual(r[2][16:48], digest)
                self.assertEqual(r[2][:16].hex(), "%032d" % nonce)

    def test_filters_by_guest_and_handle(self):
        for who in ({"guest": "b"}, {"handle": 2}):
            with self.subTest(who):
                for i in range(1, 5):
                    if os.path.exists(self.path("r%d" % i)):
                        os.unlink(self.path("r%d" % i))
                p, r = self.reports([self.at(
                    "sev-command", {"command": "ATTESTATION", "every": 2,
                                    **who},
                    "firmware-error", status=0x17)], 4)
                self.assertEqual(
                    p.stderr,
                    "sev_report: errno 5, firmware 0x17, length 208\n")
                self.assertEqual(len(r), 3)
                self.assertFalse(os.path.exists(self.path("r4")))

    def test_a_crash_ends_platform_and_program(self):
        p = self.run_plan([self.command("PEK_GEN", 1, "crash")],
                          "/bin/sh", "-c", '"$@" pek-gen; sleep 60', "sh",
                          *SEV)
        self.assertEqual(p.returncode, CRASHED)
        self.assertEqual(p.stderr.splitlines()[0],
                         "swpsp: crash, as the fault plan says")
        self.assertEqual(self.lines(), ["sev-command 1 PEK_GEN: crash, after "
                                        "the firmware has executed it"])

    def test_the_processor_stops_under_a_guest_request(self):
        self.write("plan.json", {"faults": [self.command(
            "SNP_GUEST_REQUEST", 1, "drop")]})
        p = tst.run(tst.SWPSP, "run", DEV, "--faults", self.path("plan.json"),
                    "--", CLIENT)
        self.assertEqual(p.returncode, 1)
        self.assertRegex(p.stderr, "SNP_GET_REPORT: Input/output error")

    def test_what_brings_the_platform_up_is_no_event(self):
        p = self.run_plan([self.at("sev-command", {"every": 1},
                                   "firmware-error", status=1)],
                          *SEV, "status", options=self.two_guests())
        self.assertEqual(p.stderr, "sev: command 1: EIO, firmware 0x1\n")
        self.assertEqual(len(self.lines()), 1)


class Hypercall(Case):
    """Scenarios T1, T2, T6, T15: what the program takes for its handle."""

    def handle(self, mode, *faults):
        options = () if not faults else (
            "--faults", self.write("plan.json", {"faults": list(faults)}))
        p = tst.run(tst.SWPSP, "run", DEV, "--nodes", "sev",
                    "--legacy-guest", self.legacy("a", 1),
                    "--legacy-guest", self.legacy("b", 2), "--vm-handle",
                    mode, *options, "--", "/bin/sh", "-c",
                    "echo $SWPSP_VM_HANDLE")
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        return int(p.stdout)

    def test_user_space_learns_its_handle_only_when_it_may(self):
        self.assertEqual(self.handle("own"), 1)
        self.assertEqual(self.handle("kernel"), 2**32 - 1)
        self.assertEqual(self.handle("off"), 2**32 - 1)
        self.assertEqual(self.handle("enotty"), 2**32 - 25)
        self.assertEqual(self.handle("enosys"), 2**32 - 1000)

    def test_a_lying_hypervisor(self):
        every = {"every": 1}
        self.assertEqual(self.handle("own", self.at(
            "hypercall", every, "substitute", **{"from": "b"})), 2)
        self.assertEqual(self.handle("own", self.at(
            "hypercall", every, "substitute", **{"from": 77})), 77)
        self.assertEqual(self.handle("own", self.at(
            "hypercall", every, "error", error="ENOTTY")), 2**32 - 25)
        self.assertEqual(self.handle("own", self.at(
            "hypercall", {"every": 1, "guest": "b"}, "error",
            error="ENOTTY")), 1)


class Serve(Case):
    """The plan of a running platform: options, control socket, all ways in."""

    def daemon(self, *options, **kwargs):
        return test_serve.Daemon(self, *options, **kwargs)

    def set(self, d, *faults):
        return d.ok("faults", "set",
                    self.write("plan.json", {"faults": list(faults)}))

    def counts(self, d):
        return [(f["fits"], f["applied"])
                for f in d.json("faults", "show")["faults"]]

    def sev(self, d, *argv):
        return d.run("host", *SEV, *argv)

    def test_set_show_clear(self):
        d = self.daemon()
        self.assertEqual(d.json("faults", "show"), {"faults": []})
        d.ok("guest", "launch", "web")
        self.set(d, {"when": {"every": 2, "guest": "web"}, "do": "drop"},
                 self.at("broker", {"request": 1}, "drop"))
        self.assertEqual(d.run("web", CLIENT).returncode, 0)
        self.assertEqual(d.run("web", CLIENT).stderr,
                         "report: SNP_GET_REPORT: Bad message, "
                         "exitinfo2 0x0\n")
        self.assertEqual(d.json("faults", "show"), {"faults": [
            {"at": "guest-request", "do": "drop", "fits": 2, "applied": 1},
            {"at": "broker", "do": "drop", "fits": 0, "applied": 0}]})
        self.assertRegex(d.ok("faults", "show").splitlines()[1],
                         r"\A0 +guest-request +drop +2 +1\Z")
        self.assertEqual(d.ok("faults", "clear"), "")
        self.assertEqual(d.json("faults", "show"), {"faults": []})

    def test_every_guest_and_every_driver(self):
        d = self.daemon()
        for name in ("one", "two"):
            d.ok("guest", "launch", name)
        self.set(d, {"when": {"request": 2}, "do": "vmm-error",
                     "error": "GENERIC"},
                 self.at("sev-command", {"command": "GET_ID", "request": 1},
                         "zero-response"))
        for name in ("one", "two"): # each guest's second request
            self.assertEqual(d.run(name, CLIENT).returncode, 0)
            self.assertRegex(d.run(name, CLIENT).stderr, "0x8000000000000000")
        p = self.sev(d, "id", self.path("id"))
        self.assertEqual((p.returncode, self.read("id")), (0, bytes(64)))
        self.assertEqual(self.counts(d), [(4, 2), (1, 1)])

    def test_the_devices_follow_it_too(self):
        os.mkdir(self.path("dev"))
        d = self.daemon("--fuse", self.path("dev"))
        d.ok("guest", "launch", "guest")
        self.set(d, {"when": {"request": 1}, "do": "firmware-error",
                     "status": "INVALID_PARAM"},
                 self.at("sev-command", {"command": "PLATFORM_STATUS",
                                         "request": 1},
                         "firmware-error", status="INVALID_LENGTH"))
        p = tst.run(CLIENT, "--device", self.path("dev/sev-guest"))
        self.assertRegex(p.stderr, "Input/output error, exitinfo2 0x16")
        p = tst.run(*SEV, "--device", self.path("dev/sev"), "status")
        self.assertEqual(p.stderr, "sev: command 1: EIO, firmware 0x4\n")

    def test_requests_at_the_mailbox(self):
        """The hypervisor relays guest two's request as guest one's: another
        key, another guest's context."""
        d = self.daemon()
        for name in ("one", "two"):
            d.ok("guest", "launch", name)
        relay = {"command": "SNP_GUEST_REQUEST", "guest": "two"}
        self.set(d, self.at("sev-command", {**relay, "request": 2},
                            "substitute", part="request", **{"from": "one"}))
        for name in ("one", "two", "one"):
            self.assertEqual(d.run(name, CLIENT).returncode, 0)
        self.assertRegex(d.run("two", CLIENT).stderr,
                         "Input/output error, exitinfo2 0xb")
        self.assertEqual(self.counts(d), [(2, 1)])
        self.set(d, self.at("sev-command", {
            "command": "SNP_GUEST_REQUEST", "request": 1, "guest": "one"},
                            "zero-response"))
        self.assertRegex(d.run("one", CLIENT).stderr, "Bad message")

    def test_a_launch_that_the_firmware_refuses(self):
        d = self.daemon()
        self.set(d, self.at("sev-command", {"command": "SNP_LAUNCH_FINISH",
                                            "request": 1},
                            "firmware-error", status="BAD_MEASUREMENT"),
                 self.at("sev-command", {"command": "LAUNCH_MEASURE",
                                         "request": 1},
                         "firmware-error", status="UNSUPPORTED"))
        for argv, words in ((["web"], r"BAD_MEASUREMENT \(0xb\)"),
                            (["--legacy", "old"], r"UNSUPPORTED \(0x15\)")):
            p = d.cli("guest", "launch", *argv)
            self.assertEqual(p.returncode, 2)
            self.assertRegex(p.stderr, words)
            d.ok("guest", "launch", *argv)

    def test_a_wrong_plan_leaves_the_old_one(self):
        d = self.daemon()
        self.set(d, self.at("sev-command", {"every": 1}, "crash"))
        wrong = {"faults": [self.at("hypercall", {"every": 1}, "busy")]}
        p = d.cli("faults", "set", self.write("wrong.json", wrong))
        self.assertEqual(p.returncode, 2)
        self.assertRegex(
            p.stderr, r"\Aswpsp faults: .*wrong\.json: faults\[0\]\.do: "
            r'"hypercall" has no fault busy\n\Z')
        answer = d.ask({"v": 1, "op": "faults.set", "plan": wrong})
        self.assertEqual(answer["error"], {
            "code": "EINVAL", "text": 'plan: faults[0].do: "hypercall" has no '
            "fault busy"})
        for bad in ({}, {"plan": 1}, {"plan": "{}"}, {"plan": None}):
            answer = d.ask({"v": 1, "op": "faults.set", **bad})
            self.assertEqual(answer["error"]["code"], "EINVAL")
        answer = d.ask({"v": 1, "op": "faults.clear", "plan": {}})
        self.assertEqual(answer["error"]["text"], "plan: no such member")
        self.assertEqual(self.counts(d), [(0, 0)])

    def test_crash_in_the_middle_and_recovery(self):
        """A new PEK that was acknowledged to nobody is there all the same: the
        firmware had executed the command. Before it, the old one is."""
        with open(self.path("seed"), "wb") as f:
            f.write(test_serve.SEED)
        state = self.path("state")

        def pek(d):
            p = self.sev(d, "export", self.path("pdh"), self.path("chain"))
            self.assertEqual((p.returncode, p.stderr), (0, ""))
            return self.read("chain")[:2084]

        for part, changed in (("request", False), ("response", True)):
            with self.subTest(part):
                d = self.daemon(state=state, name=part)
                if part == "request":
                    d.ok("guest", "launch", "web")
                old = pek(d)
                # A guest that runs keeps the platform from new keys.
                self.set(d, self.at("sev-command", {"command": "PDH_GEN",
                                                    "request": 1},
                                    "crash", part=part))
                before = self.read("pdh")
                p = self.sev(d, "pdh-gen")
                self.assertEqual(p.returncode, 1)
                self.assertEqual(d.proc.wait(timeout=20), CRASHED)
                d = self.daemon(state=state, name=part + "2")
                self.assertEqual(d.json("faults", "show"), {"faults": []})
                self.assertEqual(d.names(), ["web"])
                self.assertEqual(pek(d), old)
                self.assertEqual(self.read("pdh") != before, changed)
                self.assertEqual(d.run("web", CLIENT).returncode, 0)
                self.assertEqual(d.end(), 0)

    def test_the_command_line_s_plan_is_there_after_each_start(self):
        plan = self.write("plan.json", {"faults": [self.at(
            "sev-command", {"command": "GET_ID", "request": 1}, "crash")]})
        for name in ("first", "second"):
            d = self.daemon("--faults", plan, name=name)
            p = self.sev(d, "id", self.path("id"))
            self.assertRegex(p.stderr, "ENODEV")
            self.assertEqual(d.proc.wait(timeout=20), CRASHED)

    def test_the_command_line_s_plan_is_wrong(self):
        plan = self.write("plan.json", {"faults": []})
        d = self.daemon("--faults", plan, wait=False)
        self.assertEqual(d.proc.wait(timeout=20), 2)
        self.assertEqual(d.log(), "swpsp serve: --faults %s: faults: must be "
                         "an array of 1 to 256 faults\n" % plan)

    def test_a_dead_processor_under_serve(self):
        d = self.daemon()
        d.ok("guest", "launch", "web")
        self.set(d, self.at("sev-command", {"command": "GET_ID", "request": 1},
                            "drop"))
        self.assertEqual(self.sev(d, "id", "/dev/null").stderr,
                         "sev: command 8: ETIMEDOUT, firmware 0x0\n")
        self.assertRegex(self.sev(d, "status").stderr, "EBUSY")
        self.assertRegex(d.run("web", CLIENT).stderr, "Input/output error")
        p = d.cli("guest", "launch", "late")
        self.assertEqual(p.returncode, 2)
        self.assertEqual(p.stderr, "swpsp guest: cannot launch the guest: the "
                         "secure processor does not answer\n")
        d.ok("guest", "stop", "web")
        self.assertEqual(d.end(), 0)

    def test_the_hypercall_of_a_running_guest(self):
        for mode, user, kernel in (("kernel", -1, 1), ("own", 1, 1),
                                   ("off", -1, -1000), ("other", 2, 2)):
            d = self.daemon("--vm-handle", mode, name=mode)
            for name in ("a", "b"):
                d.ok("guest", "launch", "--legacy", name)
            self.assertEqual(int(d.ok("guest", "hypercall", "a")), user)
            self.assertEqual(int(d.ok("guest", "hypercall", "--cpl", "0",
                                      "a")), kernel)
            self.assertEqual(d.end(), 0)

    def test_a_lie_about_the_handle(self):
        """T1, T2: nothing in the answer says that it is another's."""
        d = self.daemon("--vm-handle", "own")
        for name in ("a", "b"):
            d.ok("guest", "launch", "--legacy", name)
        self.set(d, self.at("hypercall", {"request": 2, "guest": "a"},
                            "substitute", **{"from": "b"}),
                 self.at("hypercall", {"request": 3, "guest": "a"}, "replay",
                         back=3))
        asked = [int(d.ok("guest", "hypercall", name)) for name in "baaa"]
        self.assertEqual(asked, [2, 1, 2, 2])
        self.assertEqual(self.counts(d), [(3, 1), (3, 1)])
        for request, code in (({"guest": "nobody"}, "ENOENT"),
                              ({"guest": "a", "cpl": 4}, "EINVAL"),
                              ({"guest": "a", "number": -1}, "EINVAL"),
                              ({"cpl": 0}, "EINVAL")):
            answer = d.ask({"v": 1, "op": "guest.hypercall", **request})
            self.assertEqual(answer["error"]["code"], code, request)
        self.assertEqual(
            d.ask({"v": 1, "op": "guest.hypercall", "guest": "a", "cpl": 0,
                   "number": 12})["result"], {"rax": -1000})

    def test_a_clear_plan_releases_what_it_held_back(self):
        d = self.daemon()
        d.ok("guest", "launch", "web")
        self.set(d, {"when": {"request": 1}, "do": "delay", "ms": 1})
        self.assertEqual(d.run("web", CLIENT).returncode, 0)
        d.ok("faults", "clear")
        self.assertEqual(d.run("web", CLIENT).returncode, 0)

    def test_the_trace_says_what_was_done(self):
        d = self.daemon("--vm-handle", "own")
        d.ok("guest", "launch", "--legacy", "a")
        self.set(d, self.at("hypercall", {"every": 1}, "error", error=7),
                 self.at("sev-command", {"command": "GET_ID", "every": 1},
                         "delay", ms=1))
        s = d.connect()
        self.assertTrue(d.ask({"v": 1, "op": "trace"}, s)["ok"])
        d.ok("guest", "hypercall", "a")
        self.assertEqual(self.sev(d, "id", "/dev/null").returncode, 0)
        seen = []
        while len(seen) < 2:
            line = json.loads(test_serve.read_line(s)).get("trace", "")
            if line.startswith("fault "):
                seen.append(line)
        self.assertEqual(seen, [
            "fault hypercall 1 of a: error, -7",
            "fault sev-command 1 GET_ID: delay, 1 ms"])


if __name__ == "__main__":
    tst.main()
