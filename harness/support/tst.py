# SPDX-License-Identifier: Apache-2.0
"""unittest for run.py: prints the summary lines that it adds up."""
import os
import subprocess
import sys
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
