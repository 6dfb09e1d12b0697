# SPDX-License-Identifier: Apache-2.0
"""What CUSE and vsock cost, which are only in the virtual machine (harness/vm).
It is run twice: with a clock that counts the instructions it has executed, so
that nothing else on this machine matters and emulated AES counts as AES does;
and by time, where emulation makes everything but plain arithmetic dear."""
import os
import subprocess

FIGURES = {  # name in the machine: ours
    "cuse_report_us": "cuse_report",
    "cuse_empty_us": "cuse_empty",
    "cuse_sign_us": "cuse_sign",
    "cuse_ratio": "cuse_ratio",
    "certificates_aeb_evidence_us": "vsock_evidence",
    "certificates_aeb_empty_call_us": "vsock_empty_call",
    "certificates_aeb_ioctls_us": "vsock_ioctls",
    "certificates_aeb_ratio": "vsock_ratio",
    "all_aeb_evidence_us": "vsock_checked_evidence",
    "all_aeb_checked_ratio": "vsock_checked_ratio",
}


def boot(clock):
    """(figures, None), or (None, why there are none)."""
    out = subprocess.run(
        ["harness/vm/test_vm.sh"], capture_output=True, text=True, check=False,
        env={**os.environ, "VM_PARTS": "bench", "VM_CLOCK": clock})
    if out.returncode != 0:
        reason = [line for line in out.stdout.splitlines()
                  if line.startswith(("SKIP", "FAIL"))]
        return None, reason[-1] if reason else "test_vm.sh failed"
    words = (line.split() for line in out.stdout.splitlines())
    return {w[0]: float(w[1]) for w in words
            if len(w) == 2 and w[0] in FIGURES}, None


def measure():
    """(figures, why those that are missing are)."""
    figures = {}
    for clock, suffix in ("count", ""), ("real", "_by_time"):
        m, why = boot(clock)
        if m is None:
            return figures, why
        for name, ours in FIGURES.items():
            # A thousand instructions are a microsecond of that clock.
            unit = "" if name.endswith("ratio") else \
                "_kinstr" if clock == "count" else "_us"
            figures["vm_" + ours + suffix + unit] = m[name]
    return figures, None
