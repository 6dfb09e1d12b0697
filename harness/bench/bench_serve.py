# SPDX-License-Identifier: Apache-2.0
"""What the daemon costs: two clients on two of its guests against two daemons,
through `swpsp run --connect`; a report through its FUSE device; ten thousand idle
guests."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../fault"))
import remote  # noqa: E402
import tst  # noqa: E402

REPORTS, TURNS = 1500, 9
IDLE, SAMPLE = 10000, 101  # launches at either end


def seconds(places, reports):
    """One client in each place, a daemon and a guest of it, all at once."""
    begin = time.monotonic()
    programs = [subprocess.Popen(
        [tst.SWPSP, "run", "--connect", d.socket, "--as", g, "--",
         tst.client("flood"), "/dev/sev-guest", "1", "1", str(reports)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for d, g in places]
    for p in programs:
        if p.wait() != 0:
            sys.exit("bench_serve.py: a client has failed")
    return time.monotonic() - begin


def two_clients(d, other, m):
    """Two clients on two guests of one daemon have what two daemons give them:
    as many processes that wake each other as often, and nothing in common. A
    lone client is no measure: what it waits for is a processor that slept."""
    shared, apart = [(d, "a"), (d, "b")], [(d, "a"), (other, "a")]
    us, ratios = {"shared": [], "apart": []}, []
    for _ in range(TURNS):
        start = seconds(apart, 1)
        for places, label in (apart, "apart"), (shared, "shared"):
            us[label].append((seconds(places, REPORTS) - start) /
                             (2 * REPORTS) * 1e6)
        ratios.append(us["apart"][-1] / us["shared"][-1])
    for label, values in us.items():
        m["two_clients_%s_us" % label] = statistics.median(values)
    m["two_guests_run_ratio"] = statistics.median(ratios)


def launch_us(c, name):
    begin = time.monotonic()
    c.ask("guest.launch", {"name": name})
    return (time.monotonic() - begin) * 1e6


def launch_all(d, other, m, label):
    """The last launches in turn with the first ones on another daemon, so that
    both meet the same moods of the machine."""
    c = d.connect()
    empty = d.resident_kib()
    for i in range(IDLE - SAMPLE):
        launch_us(c, "g%d" % i)
    fresh = other.connect()  # not before: idle connections end
    first, last = [], []
    for i in range(IDLE - SAMPLE, IDLE):
        first.append(launch_us(fresh, "g%d" % i))
        last.append(launch_us(c, "g%d" % i))
    m["launch_first_us" + label] = statistics.median(first)
    m["launch_last_us" + label] = statistics.median(last)
    m["launch_ratio" + label] = (m["launch_last_us" + label] /
                                 m["launch_first_us" + label])
    m["idle_10000_mib" + label] = d.resident_kib() / 1024
    m["idle_guest_kib" + label] = (d.resident_kib() - empty) / IDLE
    c.close()
    fresh.close()


def restart(d, m):
    d.end()
    begin = time.monotonic()
    d.start()
    m["restart_10000_s"] = time.monotonic() - begin
    c = d.connect()
    begin = time.monotonic()
    for i in range(IDLE):
        c.ask("guest.stop", "g%d" % i)
    m["stop_us"] = (time.monotonic() - begin) * 1e6 / IDLE
    m["stopped_10000_mib"] = d.resident_kib() / 1024
    c.close()


def many(folder, m):
    """Ten thousand idle guests in one daemon, without and with a state."""
    for label in "", "_state":
        daemons = []
        for name in "many", "fresh":
            home = os.path.join(folder, name + label)
            os.mkdir(home)
            keep = ["--state", os.path.join(home, "state")] if label else []
            daemons.append(remote.Daemon(
                home, "--asids", "10410", "--max-guests", str(IDLE),
                "--log-level", "warning", *keep))
        try:
            for d in daemons:
                d.start()
            launch_all(*daemons, m, label)
            if label:
                restart(daemons[0], m)
        finally:
            for d in daemons:
                if d.proc is not None and d.proc.poll() is None:
                    d.kill()


def daemon(folder, name):
    home = os.path.join(folder, name)
    os.mkdir(home)
    return remote.Daemon(home, "--state", os.path.join(home, "state"),
                         "--log-level", "warning")


def through_fuse(d, nodes, beside_signing, m):
    os.mkdir(nodes)
    d.options += ("--fuse", nodes, "--device-guest", "a")
    d.start()
    m.update(beside_signing([tst.client("bench_ioctl"),
                             os.path.join(nodes, "sev-guest")], "fuse"))
    d.end()


def measure(beside_signing):
    """The figures as a dict; those that this machine cannot give are not in
    it. @beside_signing: as bench.py's."""
    folder = tempfile.mkdtemp(prefix="swpsp-bench-")
    daemons = [daemon(folder, "one"), daemon(folder, "other")]
    m = {}
    try:
        for d in daemons:
            d.start()
            for name in "a", "b":
                d.ask("guest.launch", {"name": name, "certs": "none"})
        two_clients(*daemons, m)
        for d in daemons:
            d.end()
        if os.geteuid() == 0 and os.path.exists("/dev/fuse"):
            through_fuse(daemons[0], os.path.join(folder, "nodes"),
                         beside_signing, m)
        many(folder, m)
    finally:
        for d in daemons:
            if d.proc is not None and d.proc.poll() is None:
                d.kill()
        shutil.rmtree(folder, True)
    return m
