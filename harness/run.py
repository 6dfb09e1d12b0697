#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run test programs, two at a time, and add up what they say.

usage: run.py [--timeout S] PROGRAM...

A cmocka program counts with each of its tests. Any other program counts as
one test: exit status 0 passed, 77 skipped, anything else failed. A program that
crashes, hangs or reports no test counts as one failure more. The last line is
"N passed, N failed, N skipped".
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time

LINES, COLUMNS = 400, 300  # of a failed program's output
ROW = re.compile(r"^\[\s+(PASSED|FAILED|SKIPPED)\s+\] (\d+) test\(s\)", re.M)


def run(program, timeout):
    """Returns (program, passed, failed, skipped, text, seconds)."""
    begin = time.monotonic()
    if not os.access(program, os.X_OK):
        return program, 0, 1, 0, "%s: not there\n" % program, 0
    with subprocess.Popen([program], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as proc:
        try:
            raw, _ = proc.communicate(timeout=timeout)
            why = "" if proc.returncode >= 0 else \
                "ended by signal %d" % -proc.returncode
        except subprocess.TimeoutExpired:
            os.killpg(proc.pid, signal.SIGKILL)
            raw, _ = proc.communicate()
            why = "no end after %d s" % timeout
    text = raw.decode(errors="replace")
    count = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    rows = ROW.findall(text)
    for kind, number in rows:
        count[kind] += int(number)
    if not rows and not why:
        kind = {0: "PASSED", 77: "SKIPPED"}.get(proc.returncode, "FAILED")
        count[kind] = 1
    elif proc.returncode != 0 and count["FAILED"] == 0:
        count["FAILED"] = 1
        why = why or "exit status %d" % proc.returncode
    if why:
        text += "%s: %s\n" % (program, why)
    return (program, count["PASSED"], count["FAILED"], count["SKIPPED"], text,
            time.monotonic() - begin)


def known_leaks():
    """LeakSanitizer's options, with what others lose."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "support/lsan.txt")
    return "suppressions=%s:print_suppressions=0" % path


def main():
    os.environ.setdefault("LSAN_OPTIONS", known_leaks())
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=int, default=600)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("programs", nargs="*")
    args = parser.parse_args()
    total = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = [pool.submit(run, p, args.timeout) for p in args.programs]
        for job in concurrent.futures.as_completed(jobs):
            program, passed, failed, skipped, text, seconds = job.result()
            total = [a + b for a, b in zip(total, (passed, failed, skipped))]
            print("%-44s %5d passed %3d failed %3d skipped %6.1f s" %
                  (program, passed, failed, skipped, seconds), flush=True)
            for line in re.findall(r"^SKIP.*$", text, re.M):
                print("    " + line)
            if failed:
                for line in text.splitlines()[-LINES:]:
                    print("    " + line[:COLUMNS])
    if sum(total) == 0:
        print("run.py: no test ran", file=sys.stderr)
        return 1
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
