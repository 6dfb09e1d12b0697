#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# virtee/snphost, unmodified, on /dev/sev under swpsp run. It asks the machine's
# own CPUID about the TCB's layout, which no device can answer for: on other
# CPUs only what it does without is tested. `make interop` installs it; without
# it this test says so and is skipped (77).
set -eu
build=$(pwd)/${SWPSP_BUILD:-build/debug}
python="/usr/bin/python3"
client=$(pwd)/harness/device/clients/py/sev.py
snphost=$(pwd)/build/interop/cargo/bin/snphost
if [ ! -x "$snphost" ]; then
    snphost=$(command -v snphost) || {
        echo "SKIP snphost is not installed; 'make interop' installs it"
        exit 77
    }
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-interop-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export RUST_BACKTRACE=0
fail() {
    echo "FAIL $*"
    exit 1
}
# The tool decodes every TCB as this CPU's generation would: take that one.
profile=milan product=Milan set="2 0 0 16 1"
if "$build/bin/swpsp" run --insecure-dev-seed -- "$snphost" show tcb 2>&1 |
    grep "FMC: *[0-9]" >/dev/null; then
    profile=turin product=Turin set="1 1 3 64 1 1"
fi
opt="--insecure-dev-seed --profile $profile"
run="$build/bin/swpsp run $opt --"
# shellcheck disable=SC2086 # option lists on purpose
{
    $run "$snphost" commit || fail commit
    if $run "$snphost" commit --nonsense 2>/dev/null; then
        fail "an unknown option passes"
    fi
    $run "$snphost" ok >ok.txt 2>&1 || true
    grep -q "SEV-SNP enabled in KVM" ok.txt || fail "ok: $(cat ok.txt)"
    if ! $run "$snphost" show version >version.txt 2>&1; then
        grep -q "SEV-SNP generation" version.txt || fail "$(cat version.txt)"
        echo "this CPU is none that snphost knows: commit and ok only"
        echo ok
        exit 0
    fi
    [ "$(cat version.txt)" = 1.55 ] || fail "version: $(cat version.txt)"
    [ "$($run "$snphost" show guests)" = 1 ] || fail guests
    $run "$snphost" show identifier | grep -i 53575053 >/dev/null || fail identifier
    $run "$snphost" show tcb | grep "Reported TCB" >/dev/null || fail tcb
    $run "$snphost" show vcek-url | grep "kdsintf" >/dev/null || fail vcek-url

    # The tool's own URL, which has GET_ID's answer in it.
    "$build/bin/swpsp" run $opt --kds -- sh -ec "
        '$snphost' fetch ca pem fetched
        '$snphost' fetch vek pem fetched
        '$snphost' fetch crl fetched" 2>fetch.txt ||
        fail "fetch: $(cat fetch.txt)"
    "$snphost" verify certs fetched | grep "sign" >/dev/null || fail verify
    $run "$build/client/report" --report fetched.bin
    "$build/bin/swpsp" verify --report fetched.bin --certs fetched \
        --root fetched/ark.pem >fetched.txt || fail "$(cat fetched.txt)"

    # Another reported TCB and a hidden chip id, then back.
    $run sh -ec "
        '$snphost' config set $set
        $python $client snp-status >set.json
        '$build/client/report' --report set.bin
        '$snphost' config reset
        $python $client snp-status >reset.json
        '$build/client/report' --report reset.bin" || fail config
    $python - <<'P' || fail "what config did"
import json
a, b = (json.load(open(n + ".json")) for n in ("set", "reset"))
assert a["reported_tcb"] != a["current_tcb"], a
assert a["flags"] & 1 and not b["flags"] & 1
assert b["reported_tcb"] == b["current_tcb"], b
r = open("set.bin", "rb").read()
assert r[0x180:0x188].hex() == a["reported_tcb"]
assert r[0x1a0:0x1e0] == bytes(64)
P

    # A VLEK: the tool hands the stick over as it is.
    "$build/bin/swpsp" certs export $opt --vlek x
    "$build/bin/swpsp" run $opt --certs vlek -- sh -ec "
        '$snphost' vlek-load x/guest/hashstick.bin
        '$build/client/report' --report vlek.bin --certs vlek.certs" ||
        fail vlek-load
    "$build/bin/swpsp" verify --report vlek.bin --certs vlek.certs \
        --root x/pki/$product/ark.pem >/dev/null || fail "VLEK report"

    # The same with what the key server's port 444 gives to this client.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj /CN=client -keyout client.key -out client.pem 2>/dev/null
    "$build/bin/swpsp" run $opt --kds -- sh -ec "
        '$snphost' fetch hashsticks given client.pem client.key
        '$snphost' fetch ca -e vlek pem given
        '$snphost' fetch vek -e vlek pem given
        '$snphost' vlek-load given/hashsticks
        '$build/client/report' --report given.bin" 2>given.txt ||
        fail "hash sticks: $(cat given.txt)"
    "$build/bin/swpsp" verify --report given.bin --certs given \
        --root given/ark.pem >given.txt || fail "$(cat given.txt)"
}
echo ok
