#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Line and branch coverage per folder from gcov data, by lcov.

usage: report.py BUILD-FOLDER FLOOR SUMMARY [COUNTS]

COUNTS: files of a machine that ran the same programs (harness/vm). Writes
SUMMARY (text, reviewed like code). Fails when a folder is below its floor; prints the floors that could
rise (a floor is only ever raised, by hand).
"""
import collections
import os
import shutil
import subprocess
import sys
import tempfile

RC = ["--rc", "lcov_branch_coverage=1"]


def add_counts(build, root):
    """What a machine has counted whose files are below @root."""
    theirs = root + os.path.abspath(build)
    if not os.path.isdir(theirs):
        return
    with tempfile.TemporaryDirectory() as both:
        subprocess.run(["gcov-tool", "merge", "-o", both, build, theirs],
                       check=True)
        for folder, _, names in os.walk(both):
            for name in names:
                path = os.path.join(folder, name)
                shutil.copy(path, os.path.join(build,
                                               os.path.relpath(path, both)))
    shutil.rmtree(root)


def capture(build):
    info = os.path.join(build, "coverage.info")
    subprocess.run(["lcov", "--quiet", "--capture", "--directory", build,
                    "--base-directory", ".", "--output-file", info] + RC,
                   check=True)
    subprocess.run(["lcov", "--quiet", "--extract", info,
                    os.path.abspath("psp-model") + "/*",
                    os.path.abspath("sim") + "/*",
                    "--output-file", info] + RC, check=True)
    return info


def per_folder(info):
    """folder -> [lines, lines hit, branches, branches hit]"""
    count = collections.defaultdict(lambda: [0, 0, 0, 0])
    folder = None
    with open(info, encoding="utf-8") as text:
        for line in text:
            key, _, value = line.strip().partition(":")
            if key == "SF":
                folder = os.path.dirname(os.path.relpath(value))
            elif key in ("LF", "LH", "BRF", "BRH"):
                count[folder][("LF", "LH", "BRF", "BRH").index(key)] += \
                    int(value)
    return count


def percent(hit, total):
    return 100.0 * hit / total if total else 100.0


def floors(path):
    result = {}
    with open(path, encoding="utf-8") as text:
        for line in text:
            line = line.split("#")[0].split()
            if line:
                result[line[0]] = (float(line[1]), float(line[2]))
    return result


def main():
    build, floor_path, summary_path = sys.argv[1:4]
    for root in sys.argv[4:]:
        add_counts(build, root)
    floor = floors(floor_path)
    bad = False
    rows = []
    for folder, (lf, lh, bf, bh) in sorted(per_folder(capture(build)).items()):
        lines, branches = percent(lh, lf), percent(bh, bf)
        rows.append("%-24s lines %5.1f %% (%d of %d)  branches %5.1f %% "
                    "(%d of %d)" % (folder, lines, lh, lf, branches, bh, bf))
        low = floor.get(folder)
        if low is None:
            print("coverage: %s has no floor in %s" % (folder, floor_path))
            bad = True
        elif lines < low[0] or branches < low[1]:
            print("coverage: %s is at %.1f / %.1f, below its floor %.1f / %.1f"
                  % (folder, lines, branches, low[0], low[1]))
            bad = True
        elif lines > low[0] + 2 or branches > low[1] + 2:
            print("coverage: the floor of %s could rise to %d / %d" %
                  (folder, lines, branches))
    with open(summary_path, "w", encoding="utf-8") as out:
        out.write("\n".join(rows) + "\n")
    print("\n".join(rows))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
