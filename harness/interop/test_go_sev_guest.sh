#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# google/go-sev-guest, unmodified, from the Go module proxy: `attest` gets
# evidence under swpsp run, `check` judges it. Skipped (77) when the tools cannot
# be installed.
set -eu
build=$(pwd)/${SWPSP_BUILD:-build/debug}
bin=$(pwd)/build/interop/go
version=v0.15.0
if [ ! -x "$bin/check" ]; then
    mkdir -p "$bin"
    for tool in attest check; do
        timeout 240 env GOBIN="$bin" GOFLAGS= go install \
            "github.com/google/go-sev-guest/tools/$tool@$version" \
            >"$bin/install.log" 2>&1 || {
            echo "SKIP go-sev-guest cannot be installed: $(tail -n 1 "$bin/install.log")"
            exit 77
        }
    done
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-interop-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() {
    echo "FAIL $*"
    exit 1
}
nonce=$(printf nonce | sha512sum | cut -d' ' -f1)

for profile in milan genoa; do
    product=$(echo "$profile" | sed 's/^m/M/; s/^g/G/')
    opt="--insecure-dev-seed --profile $profile"
    # shellcheck disable=SC2086 # option lists on purpose
    {
        "$build/bin/swpsp" certs export $opt "$profile"
        "$build/bin/swpsp" run $opt -- "$bin/attest" -inform hex -in "$nonce" \
            -outform bin -extended -out "$profile.bin" || fail "$profile attest"
    }
    set -- -in "$profile.bin" -network=false -product="$product" \
        -guest_policy=0x30000 -report_data="$nonce"
    "$bin/check" "$@" \
        -product_key_path="$profile/pki/$product/cert_chain.pem" ||
        fail "$profile check: exit $?"
    code=0
    "$bin/check" "$@" >/dev/null 2>&1 || code=$?
    [ "$code" -eq 2 ] || fail "$profile: accepted without our root ($code)"
    printf '\001' | dd of="$profile.bin" bs=1 seek=144 conv=notrunc 2>/dev/null
    code=0
    "$bin/check" "$@" \
        -product_key_path="$profile/pki/$product/cert_chain.pem" \
        >/dev/null 2>&1 || code=$?
    [ "$code" -eq 2 ] || fail "$profile: a changed report passes ($code)"
done

# A VLEK-signed report with its own chain.
opt="--insecure-dev-seed --profile milan --vlek --certs vlek"
# shellcheck disable=SC2086
"$build/bin/swpsp" run $opt -- "$bin/attest" -inform hex -in "$nonce" \
    -outform bin -extended -out vlek.bin || fail "VLEK attest"
"$bin/check" -in vlek.bin -network=false -product=Milan \
    -product_key_path=milan/pki/Milan/vlek_cert_chain.pem \
    -guest_policy=0x30000 -report_data="$nonce" || fail "VLEK check"
echo ok
