#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `make demo` shows: a C client that knows only the kernel's header gets a
# report, an extended report and a derived key on this machine, as an ordinary
# user; the openssl command and swpsp verify then judge what it got.
set -eu
build=${SWPSP_BUILD:-build/debug}
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-demo-XXXXXX")
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cp "$build/bin/swpsp" "$build/client/report" "$dir/"
out=$dir/out
mkdir "$out"
user=
if [ "$(id -u)" -eq 0 ]; then
    chown 65534:65534 "$out"
    user="setpriv --reuid=65534 --regid=65534 --clear-groups"
fi

step() {
    echo
    echo "\$ $*"
    "$@"
}

# The nonce a relying party would send: 64 bytes.
nonce=$(printf 'swpsp demo nonce' | sha512sum | cut -d' ' -f1)
opt="--insecure-dev-seed --profile milan"

echo "== A client without project code, as uid $($user id -u), under swpsp run"
cd "$dir"
echo "-- SNP_GET_REPORT"
# shellcheck disable=SC2086 # option lists on purpose
step $user ./swpsp run $opt -- ./report --report-data "$nonce" \
    --report out/plain.bin
echo "-- SNP_GET_EXT_REPORT: the report and the host's certificates"
# shellcheck disable=SC2086
step $user ./swpsp run $opt -- ./report --report-data "$nonce" \
    --report out/report.bin --certs out/certs.bin
echo "-- SNP_GET_DERIVED_KEY"
# shellcheck disable=SC2086
step $user ./swpsp run $opt -- ./report --key out/key.bin
od -An -tx1 out/key.bin
cmp out/plain.bin out/report.bin
echo "(The development seed makes both reports the same to the byte.)"

# shellcheck disable=SC2086
step $user ./swpsp certs export $opt out/exported

echo
echo "== The chain, judged by the openssl command"
step openssl verify -CAfile out/exported/pki/Milan/ark.pem \
    -untrusted out/exported/pki/Milan/ask.pem out/exported/guest/vcek.pem
step openssl x509 -in out/exported/pki/Milan/ark.pem -noout -subject

echo
echo "== The report, judged by swpsp verify (trusting the simulated root)"
step ./swpsp verify --report out/report.bin --certs out/certs.bin \
    --root out/exported/pki/Milan/ark.pem --report-data "$nonce"

echo
echo "== The report, decoded"
step ./swpsp decode out/report.bin

echo
step ./swpsp is-simulated out/report.bin
echo
echo "This is SIMULATED evidence: it shows that the client works, and nothing"
echo "about the machine it ran on."
