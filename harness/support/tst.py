# SPDX-License-Identifier: Apache-2.0
"""unittest for run.py: prints the summary lines that it adds up."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = os.path.abspath(os.environ.get("SWPSP_BUILD", "build/debug"))
# Programs write what gcov counts to where they were built: an ordinary user may
# not, and what is linked with them needs gcov's library.
COVERAGE = os.path.basename(BUILD) == "cov"
SWPSP = os.path.join(BUILD, "bin/swpsp")
# A daemon that lives long is the one with the sanitizers where there is one:
# they say what it has leaked when it ends.
DAEMON = os.path.join(os.path.abspath(os.environ.get("SWPSP_ASAN", BUILD)),
                      "bin/swpsp")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def client(name):
    return os.path.join(BUILD, "client", name)


def run(*argv, **kwargs):
    """subprocess.run with captured text, bounded in time."""
    kwargs.setdefault("timeout", 120)
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([str(a) for a in argv], capture_output=True,
                          text=kwargs.pop("text", True), check=False, **kwargs)


class Case(unittest.TestCase):
    """A test with a folder of its own."""
    mode = 0o700  # of the folder

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="swpsp-test-")
        os.chmod(self.dir, self.mode)
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def write(self, name, data):
        """Bytes, text, or what becomes JSON; returns the path."""
        if isinstance(data, (dict, list)):
            data = json.dumps(data)
        if isinstance(data, str):
            data = data.encode()
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def ok(self, *argv, **kwargs):
        p = run(*argv, **kwargs)
        self.assertEqual(p.returncode, 0, str(p.stdout) + str(p.stderr))
        return p


def main():
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(
        unittest.defaultTestLoader.loadTestsFromModule(
            sys.modules["__main__"]))
    failed = len(result.failures) + len(result.errors)
    print("[  PASSED  ] %d test(s)." %
          (result.testsRun - failed - len(result.skipped)))
    print("[  SKIPPED ] %d test(s)." % len(result.skipped))
    print("[  FAILED  ] %d test(s)." % failed)
    sys.exit(1 if failed else 0)
