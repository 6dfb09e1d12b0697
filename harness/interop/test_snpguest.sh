#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# virtee/snpguest, unmodified. `make interop` installs it from the Rust package
# registry (minutes); without it this test says so and is skipped (77).
set -eu
build=$(pwd)/${SWPSP_BUILD:-build/debug}
snpguest=$(pwd)/build/interop/cargo/bin/snpguest
if [ ! -x "$snpguest" ]; then
    snpguest=$(command -v snpguest) || {
        echo "SKIP snpguest is not installed; 'make interop' installs it"
        exit 77
    }
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-interop-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() {
    echo "FAIL $*"
    exit 1
}

# "ok" reads SEV_STATUS from the processor, unless this machine has one to show.
if [ ! -e /dev/cpu/0/msr ]; then
    "$build/bin/swpsp" run --insecure-dev-seed -- "$snpguest" ok || fail "ok"
fi

for profile in milan genoa turin; do
    run="$build/bin/swpsp run --insecure-dev-seed --profile $profile --"
    $run "$snpguest" report "$profile.bin" nonce.bin --random ||
        fail "$profile report"
    $run "$snpguest" certificates pem "$profile" || fail "$profile certificates"
    "$snpguest" verify certs "$profile" || fail "$profile verify certs"
    "$snpguest" verify attestation "$profile" "$profile.bin" -p "$profile" ||
        fail "$profile verify attestation"
    "$snpguest" display report "$profile.bin" >/dev/null ||
        fail "$profile display"
    $run "$snpguest" key "$profile.key" vcek || fail "$profile key"
    [ "$(wc -c <"$profile.key")" -eq 32 ] || fail "$profile: size of the key"
    $run "$snpguest" key "$profile.2.key" vcek -l 0 || fail "$profile key, version 2"
    cmp "$profile.key" "$profile.2.key" || fail "$profile: keys of two versions"
    printf '\001' | dd of="$profile.bin" bs=1 seek=144 conv=notrunc 2>/dev/null
    if "$snpguest" verify attestation "$profile" "$profile.bin" \
        -p "$profile" >/dev/null 2>&1; then
        fail "$profile: a changed report passes"
    fi
done
echo ok
