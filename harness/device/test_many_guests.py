#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many guests on one `swpsp serve`: ten thousand of them, and each limit."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../fault"))
import remote  # noqa: E402
import tst  # noqa: E402

MANY = 10000
PAGE = 4096  # guests in one answer


class Many(unittest.TestCase):
    def setUp(self):
        # ten thousand syncs are the disk's time, not ours
        where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.dir = tempfile.mkdtemp(prefix="swpsp-many-", dir=where)
        self.addCleanup(shutil.rmtree, self.dir, True)

    def daemon(self, *options, keeps=False):
        if keeps:
            options += ("--state", os.path.join(self.dir, "state"))
        d = remote.Daemon(self.dir, "--log-level", "warning", *options)
        self.addCleanup(lambda: d.proc is None or d.end())
        d.start()
        return d

    def cli(self, d, *argv):
        return tst.run(tst.SWPSP, argv[0], "--socket", d.socket, *argv[1:])

    def launch(self, c, name, **more):
        return c.ask("guest.launch", {"name": name, **more})

    def refused(self, code, ask, *args, **more):
        with self.assertRaises(AssertionError) as caught:
            ask(*args, **more)
        self.assertIn("'%s'" % code, str(caught.exception))
        return str(caught.exception)

    def names(self, c, **more):
        """Of all guests, and how many answers that took."""
        names, pages, after = [], 0, 0
        while pages == 0 or after > 0:
            r = c.ask("guest.list", after=after, **more)
            self.assertTrue(all(g["state"] == "running" for g in r["guests"]))
            names += [g["name"] for g in r["guests"]]
            after = r.get("next", 0)
            pages += 1
        return names, pages

    def reports(self, d, name):
        c = d.connect().attach(name)
        data = name.encode()
        self.assertEqual(c.report(data)[0x50:0x50 + len(data)], data)
        c.close()

    def test_ten_thousand_guests_and_no_more(self):
        # 99 ASIDs of SNP guests, and 9901 more than the profile has
        d = self.daemon("--asids", str(509 + MANY - 99), "--max-guests",
                        str(MANY), keeps=True)
        empty = d.resident_kib()
        c = d.connect()
        self.assertEqual(
            [c.ask("status")[k] for k in ("asids", "min_sev_asid",
                                          "max_guests")],
            [10410, 10001, MANY])
        expected = ["g%d" % i for i in range(MANY)]
        begin = time.monotonic()
        for name in expected:
            shown = self.launch(c, name)
        seconds = time.monotonic() - begin
        self.assertEqual(shown["asid"], MANY)
        full = d.resident_kib()
        self.assertLess(full, 1 << 20)
        self.assertLess((full - empty) / MANY, 64)
        self.assertEqual(self.names(c), (expected, -(-MANY // PAGE)))
        p = self.cli(d, "guest", "list")
        self.assertEqual([line.split()[0] for line in p.stdout.splitlines()],
                         ["NAME"] + expected)
        said = self.refused("ENOSPC", self.launch, c, "late")
        self.assertIn("there are 10000 guests already", said)
        for name in ("g0", "g4999", "g9999"):
            self.reports(d, name)
        d.kill()
        begin = time.monotonic()
        d.start()
        restart = time.monotonic() - begin
        c = d.connect()
        self.assertEqual(self.names(c)[0], expected)
        self.reports(d, "g9999")
        for name in expected:
            c.ask("guest.stop", name)
        self.assertEqual(self.names(c), ([], 1))
        left = d.resident_kib()
        self.assertLess(left, full // 2)
        self.assertEqual(os.listdir(os.path.join(
            self.dir, "state/platform/guests")), [])
        self.assertEqual(self.launch(c, "again")["asid"], 1)
        c.close()
        self.assertEqual(d.end(), 0, d.log())
        print("%d guests launched in %.1f s and again in %.1f s; %d MiB, of "
              "each guest %d KiB, %d MiB when all have gone" %
              (MANY, seconds, restart, full >> 10, (full - empty) // MANY,
               left >> 10))

    def test_a_list_goes_on_where_its_last_page_ended(self):
        d = self.daemon()
        c = d.connect()
        for name in "abcde":
            self.launch(c, name, certs="none")
        self.assertEqual(self.names(c, limit=2), (list("abcde"), 3))
        self.assertEqual(self.names(c, limit=5), (list("abcde"), 1))
        first = c.ask("guest.list", limit=2)
        c.ask("guest.stop", "b")  # the one that was last
        self.launch(c, "b", certs="none")
        rest = c.ask("guest.list", after=first["next"])
        self.assertEqual([g["name"] for g in rest["guests"]], list("cdeb"))
        self.assertNotIn("next", rest)
        for bad in (0, PAGE + 1, -1, "2", 1.5, None):
            self.refused("EINVAL", c.ask, "guest.list", limit=bad)
        for bad in (-1, "2", None):
            self.refused("EINVAL", c.ask, "guest.list", after=bad)
        self.refused("EINVAL", c.ask, "guest.show", "a", limit=1)
        c.close()

    def test_each_kind_of_guest_has_its_asids(self):
        d = self.daemon("--asids", "3", "--min-sev-asid", "3")
        c = d.connect()
        plain = {"kind": "legacy", "description": {"policy": 0}}
        self.assertEqual(self.launch(c, "a", certs="none")["asid"], 1)
        self.assertEqual(self.launch(c, "b", certs="none")["asid"], 2)
        said = self.refused("EBUSY", self.launch, c, "c", certs="none")
        self.assertIn("no ASID is free (1 to 2 are for SEV-ES and SNP guests, "
                      "3 to 3 for SEV)", said)
        self.assertEqual(self.launch(c, "p", **plain)["asid"], 3)
        self.refused("EBUSY", self.launch, c, "q", **plain)
        c.ask("guest.stop", "a")
        self.assertEqual(self.launch(c, "c", certs="none")["asid"], 1)
        self.assertEqual(self.names(c)[0], ["b", "p", "c"])
        c.close()

    def test_the_number_of_guests_is_256_unless_told(self):
        d = self.daemon("--asids", "800")
        c = d.connect()
        self.assertEqual(c.ask("status")["max_guests"], 256)
        for i in range(256):
            self.launch(c, "g%d" % i, certs="none")
        self.refused("ENOSPC", self.launch, c, "more", certs="none")
        c.ask("guest.stop", "g7")
        self.launch(c, "more", certs="none")
        self.refused("ENOSPC", self.launch, c, "evenmore", certs="none")
        c.close()

    def test_guests_of_the_state_are_launched_whatever_the_limit(self):
        d = self.daemon(keeps=True)
        c = d.connect()
        for name in "abc":
            self.launch(c, name, certs="none")
        self.assertEqual(d.end(), 0)
        d.options += ("--max-guests", "2")
        d.start()
        c = d.connect()
        self.assertEqual(self.names(c)[0], list("abc"))
        self.refused("ENOSPC", self.launch, c, "d", certs="none")
        c.close()

    def test_the_state_remembers_the_size_of_the_machine(self):
        d = self.daemon("--asids", "2000", "--min-sev-asid", "1500",
                        keeps=True)
        self.assertEqual(d.end(), 0)
        d.options = ("--state", os.path.join(self.dir, "state"))
        d.start()
        shown = d.ask("status")
        self.assertEqual((shown["asids"], shown["min_sev_asid"]),
                         (2000, 1500))
        self.assertEqual(d.end(), 0)
        d.options += ("--forget-options",)
        d.start()
        self.assertEqual(d.ask("status")["asids"], 509)

    def test_sizes(self):
        for options, asids, first in (
                ((), 509, 100), (("--asids", "600"), 600, 191),
                (("--asids", "200"), 200, 100), (("--asids", "50"), 50, 51),
                (("--min-sev-asid", "510"), 509, 510),
                (("--asids", "65535", "--min-sev-asid", "2"), 65535, 2)):
            d = self.daemon(*options)
            shown = d.ask("status")
            self.assertEqual((shown["asids"], shown["min_sev_asid"]),
                             (asids, first), options)
            d.end()
            d.notify.close()
            os.unlink(os.path.join(self.dir, "notify"))
        for options, said in (
                (("--asids", "0"), "from 1 to 65535"),
                (("--asids", "65536"), "from 1 to 65535"),
                (("--asids", "many"), "from 1 to 65535"),
                (("--min-sev-asid", "1"), "from 2 to 65535"),
                (("--min-sev-asid", "511"), "the machine has 509 ASIDs"),
                (("--max-guests", "0"), "from 1 to 65535"),
                (("--max-guests", "65536"), "from 1 to 65535")):
            p = tst.run(tst.SWPSP, "serve", "--insecure-dev-seed", *options)
            self.assertEqual(p.returncode, 2, options)
            self.assertEqual(len(p.stderr.splitlines()), 1)
            self.assertIn(said, p.stderr)


if __name__ == "__main__":
    tst.main()
