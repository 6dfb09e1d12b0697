#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run the benchmarks of $SWPSP_BUILD and print ratios against this machine's own
limits, then the same as one JSON object (also in $SWPSP_BUILD/bench.json).

Absolute times are noise on another machine; the ratios are what counts. A missed
budget is printed, not a failure: benchmarks are never timed tests.
"""
import json
import os
import shlex
import statistics
import subprocess
import tempfile
import time

import bench_serve
import bench_vm

BUILD = os.environ.get("SWPSP_BUILD", "build/release")
PROGRAM = os.path.join(BUILD, "bin/swpsp")
SWPSP = [PROGRAM, "run", "--insecure-dev-seed", "--"]
WITH_ADDRESS = "bench_aeb"  # needs a broker
ROUNDS = 5


def lines(command):
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    return {k: float(v) for k, v in
            (line.split() for line in out.stdout.splitlines())}


def beside_signing(command, name):
    """A client's empty ioctl and report, in turns with bare signing: each ratio
    is of one moment of the machine."""
    rounds = []
    for _ in range(ROUNDS):
        us = lines([os.path.join(BUILD, "bench/bench_snp")])
        us.update(lines(command))
        us["ratio"] = us["trapped_report_us"] / (us["trapped_empty_us"] +
                                                 us["sign_us"])
        rounds.append(us)

    def median(key):
        return statistics.median(r[key] for r in rounds)
    return {name + "_empty_us": median("trapped_empty_us"),
            name + "_report_us": median("trapped_report_us"),
            name + "_ratio": median("ratio")}


def start_ms():
    times = []
    for _ in range(21):
        begin = time.monotonic()
        subprocess.run(SWPSP + ["true"], check=True)
        times.append((time.monotonic() - begin) * 1000)
    return statistics.median(times)


def evidence(check):
    """The broker over a unix socket, its device under run."""
    with tempfile.TemporaryDirectory(prefix="swpsp-bench-") as folder:
        spec = os.path.join(folder, "guest.json")
        with open(spec, "w", encoding="utf-8") as out:
            out.write('{"name": "small", "policy": 1}')
        address = "unix://" + os.path.join(folder, "aeb.sock")
        script = "%s aeb --insecure-dev-seed --self-check %s " \
            "--listen %s >&2 & " \
            "%s %s; r=$?; kill $!; wait; exit $r" % tuple(
                shlex.quote(s) for s in
                (PROGRAM, check, address,
                 os.path.join(BUILD, "bench", WITH_ADDRESS), address))
        return lines(SWPSP[:-1] + ["--legacy-guest", spec, "--", "sh", "-c",
                                   script])


def main():
    m = {}
    for name in sorted(os.listdir(os.path.join(BUILD, "bench"))):
        path = os.path.join(BUILD, "bench", name)
        if name.startswith("bench_") and os.access(path, os.X_OK) and \
                not name.endswith(".d") and name != WITH_ADDRESS:
            m.update(lines([path]))
    checked = evidence("all")
    m.update(evidence("certificates"))
    m["aeb_checked_ratio"] = checked["aeb_checked_ratio"]
    m["aeb_checked_evidence_us"] = checked["aeb_evidence_us"]
    m.update(beside_signing(SWPSP + [os.path.join(BUILD, "client/bench_ioctl")],
                            "trapped"))
    m["run_true_ms"] = start_ms()
    m.update(bench_serve.measure(beside_signing))
    in_vm, no_vm = bench_vm.measure()
    m.update(in_vm)
    m["two_guests_limit_ratio"] = (m["two_guests_ratio"] /
                                   m["two_signers_ratio"])
    m["idle_resident_mib"] = m.pop("idle_resident_kib") / 1024
    rows = [
        ("SNP report rate in process / bare P-384 signing",
         "report_rate_ratio", ">=", 0.85),
        ("SNP report under run / (empty trapped ioctl + signature)",
         "trapped_ratio", "<=", 1.15),
        ("swpsp run -- true, milliseconds", "run_true_ms", "<=", 50),
        ("idle platform with one guest, MiB resident",
         "idle_resident_mib", "<=", 8),
        ("two clients on two guests in process / one",
         "two_guests_ratio", ">=", 1.7),
        ("the same / two bare signers against one",
         "two_guests_limit_ratio", ">=", 0.85),
        ("two clients on two guests under run / on two daemons",
         "two_guests_run_ratio", ">=", 0.85),
        ("10 000 idle guests in one daemon, MiB resident",
         "idle_10000_mib", "<=", 1024),
        ("each of them with its certificates, KiB", "idle_guest_kib", "<=",
         64),
        ("launch of the last of 10 000 guests / of the first",
         "launch_ratio", "<=", 1.5),
        ("the same with a state on disk", "launch_ratio_state", "<=", 1.5),
        ("start of a daemon with 10 000 guests in its state, seconds",
         "restart_10000_s", "<=", 10),
        ("SNP report through FUSE / (empty FUSE ioctl + signature)",
         "fuse_ratio", "<=", 1.15),
        ("through CUSE / (empty CUSE ioctl + signature), instructions",
         "vm_cuse_ratio", "<=", 1.15),
        ("the same, time in an emulator",
         "vm_cuse_ratio_by_time", "<=", 1.15),
        ("legacy ATTESTATION rate / bare signing",
         "attestation_rate_ratio", ">=", 0.85),
        ("LAUNCH_UPDATE_DATA rate / (AES-XTS + SHA-256)",
         "launch_update_ratio", ">=", 0.8),
        ("INIT with existing NV, milliseconds", "init_nv_ms", "<=", 5),
        ("legacy guest 1000 / guest 1, time per command",
         "guest_1000_ratio", "<=", 1.5),
        ("evidence by unix socket / (three ioctls + empty call)",
         "aeb_ratio", "<=", 1.25),
        ("with --self-check all / (the same + the check)",
         "aeb_checked_ratio", "<=", 1.25),
        ("by vsock / (three ioctls + empty call), instructions",
         "vm_vsock_ratio", "<=", 1.25),
        ("with --self-check all / (the same + the check), instructions",
         "vm_vsock_checked_ratio", "<=", 1.25),
        ("the former, time in an emulator",
         "vm_vsock_ratio_by_time", "<=", 1.25),
        ("the latter, time in an emulator",
         "vm_vsock_checked_ratio_by_time", "<=", 1.25),
        ("key server: rate of unseen VCEKs / bare RSA-4096 signing",
         "kds_new_vcek_ratio", ">=", 0.8),
        ("key server: kept answers per second on one core",
         "kds_cached_per_s", ">=", 10000),
    ]
    for text, key, sense, limit in rows:
        if key not in m:
            print("%-58s  SKIPPED%s" % (
                text, ": " + no_vm if key.startswith("vm_") and no_vm else
                ": not on this machine"))
            continue
        ok = m[key] >= limit if sense == ">=" else m[key] <= limit
        print("%-58s %8.3f  (budget %s %g: %s)" %
              (text, m[key], sense, limit, "met" if ok else "MISSED"))
    text = json.dumps(m, sort_keys=True)
    with open(os.path.join(BUILD, "bench.json"), "w",
              encoding="utf-8") as out:
        out.write(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
