#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# virtee/sevctl, unmodified: the owner's whole walk on /dev/sev under swpsp run,
# and a guest owner's launch. `make interop` installs it from the Rust package
# registry (minutes); without it this test says so and is skipped (77).
set -eu
build=$(pwd)/${SWPSP_BUILD:-build/debug}
python="/usr/bin/python3"
sevctl=$(pwd)/build/interop/cargo/bin/sevctl
if [ ! -x "$sevctl" ]; then
    sevctl=$(command -v sevctl) || {
        echo "SKIP sevctl is not installed; 'make interop' installs it"
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
want() { # WHAT TEXT PATTERN
    case $2 in
    *$3*) ;;
    *) fail "$1: '$2', not '$3'" ;;
    esac
}
# One more program that opens /dev/sev, and its exit status.
refused() { # WHAT PROGRAM...
    what=$1
    shift
    if "$@" >refused.txt 2>&1; then
        fail "$what passes"
    fi
}

for profile in milan naples rome genoa turin; do
    first=$(printf %.1s "$profile" | tr a-z A-Z)
    product=$first${profile#?}
    opt="--insecure-dev-seed --profile $profile"
    run="$build/bin/swpsp run $opt --nv $dir/nv-$profile"
    # shellcheck disable=SC2086 # option lists on purpose
    {
        "$build/bin/swpsp" certs export $opt "$profile"
        ca="$profile/pki/$product/ask_ark_$profile.cert"

        # 1. platform status
        want version "$($run -- "$sevctl" show version)" .
        want guests "$($run --nodes sev -- "$sevctl" show guests)" 0
        want flags "$($run -- "$sevctl" show flags)" es
        id=$($run -- "$sevctl" show identifier)
        want identifier "$id" 53575053 # SWPS

        # 2. PEK_CSR, external OCA, PEK_CERT_IMPORT
        "$sevctl" generate oca.cert oca.key
        $run -- "$sevctl" provision oca.cert oca.key ||
            fail "$profile provision"
        want flags "$($run -- "$sevctl" show flags)" owned
        refused "a second owner" $run -- "$sevctl" provision oca.cert oca.key
        want "second owner" "$(cat refused.txt)" AlreadyOwned

        # 3. PDH_CERT_EXPORT; the CEK comes from the key server
        $run --kds -- "$sevctl" export "$profile.chain" 2>kds.txt ||
            fail "$profile export: $(cat kds.txt)"
        [ "$(wc -c <"$profile.chain")" -eq 8336 ] || fail "$profile: chain"

        # 4. verify: by the tool from the file, from the device, and by us
        "$sevctl" verify --sev "$profile.chain" --oca oca.cert --ca "$ca" ||
            fail "$profile verify"
        $run --kds -- "$sevctl" verify --ca "$ca" >/dev/null 2>&1 ||
            fail "$profile verify from the device"
        "$build/bin/swpsp" verify --type sev --chain "$profile.chain" \
            --root "$ca" --pin-oca oca.cert >/dev/null ||
            fail "$profile: swpsp verify"
        "$sevctl" generate other.cert other.key
        refused "another owner" \
            "$sevctl" verify --sev "$profile.chain" --oca other.cert --ca "$ca"
        refused "AMD's root" "$sevctl" verify --sev "$profile.chain"
        for at in 100 2184 4268; do # PDH, PEK, OCA: a bit of the key
            cp "$profile.chain" bad.chain
            byte=$(od -An -tu1 -j "$at" -N 1 bad.chain)
            # shellcheck disable=SC2059 # the format is the byte, in octal
            printf "\\$(printf %03o $((byte ^ 1)))" |
                dd of=bad.chain bs=1 seek=$at conv=notrunc \
                2>/dev/null
            refused "a changed chain ($at)" \
                "$sevctl" verify --sev bad.chain --ca "$ca"
        done

        # 5. rotate, reset
        $run -- "$sevctl" rotate || fail "$profile rotate"
        $run --kds -- "$sevctl" export rotated.chain 2>/dev/null ||
            fail "$profile export after rotate"
        if cmp -s -n 2084 rotated.chain "$profile.chain"; then
            fail "$profile: the PDH is the old one"
        fi
        $run -- "$sevctl" reset || fail "$profile reset"
        case $($run -- "$sevctl" show flags) in
        *owned*) fail "$profile: still owned after reset" ;;
        esac
        $run --kds -- "$sevctl" export reset.chain 2>/dev/null
        "$sevctl" verify --sev reset.chain --ca "$ca" >/dev/null ||
            fail "$profile verify after reset"
        refused "the old owner" \
            "$sevctl" verify --sev reset.chain --oca oca.cert --ca "$ca"
    }
done

# The same in one session, with nothing kept, as an ordinary program would.
"$build/bin/swpsp" run --insecure-dev-seed --kds -- sh -ec "
    '$sevctl' generate one.cert one.key
    '$sevctl' provision one.cert one.key
    '$sevctl' show flags | grep -q owned
    '$sevctl' export one.chain
    '$sevctl' verify --sev one.chain --oca one.cert \
        --ca milan/pki/Milan/ask_ark_milan.cert >/dev/null
    '$sevctl' reset
    ! '$sevctl' show flags | grep -q owned" 2>session.txt ||
    fail "one session: $(cat session.txt)"

# A guest owner: session, measurement and secret made by the tool. With a public
# seed two runs are the same, so the second takes the secret for the first.
run="$build/bin/swpsp run --insecure-dev-seed --nv $dir/nv-guest --nodes sev"
$run --kds -- "$sevctl" export guest.chain 2>/dev/null
head -c 2084 guest.chain >pdh.cert
"$sevctl" session --name vm pdh.cert 1
head -c 65536 /dev/urandom >firmware.bin
session='"session": {"godh": {"base64": "'$(cat vm_godh.b64)'"},
    "blob": {"base64": "'$(cat vm_session.b64)'"}}'
memory='"memory": [{"gpa": 0, "file": "firmware.bin"},
    {"gpa": "0x100000", "size": 4096}]'
echo "{\"policy\": 1, $session, $memory, \"finish\": false}" >vm.json
$run --sev-abi aeb2022 --legacy-guest vm.json --legacy-info vm.info -- \
    "$build/client/sev_report" report.bin || fail "launch"
"$sevctl" validate guest.chain report.bin || fail "validate report"
cat >member.py <<'P'
import base64, json, sys
g = json.load(open("vm.info"))[0]
if sys.argv[1] == "blob":
    raw = bytes.fromhex(g["measurement"] + g["measure_nonce"])
    print(base64.b64encode(raw).decode())
else:
    print(g[sys.argv[1]])
P
blob=$($python member.py blob)
"$sevctl" measurement build --api-major "$($python member.py api_major)" \
    --api-minor "$($python member.py api_minor)" \
    --build-id "$($python member.py build)" --policy 1 --tik vm_tik.bin \
    --launch-measure-blob "$blob" --firmware firmware.bin >built.b64
[ "$(cat built.b64)" = "$blob" ] || fail "the measurement is another"
head -c 100 /dev/urandom >plain.bin
"$sevctl" secret build --tik vm_tik.bin --tek vm_tek.bin \
    --launch-measure-blob "$blob" --secret \
    736869e5-84f0-4973-92ec-06879ce3da0b:plain.bin header.bin payload.bin
secret='"secrets": [{"gpa": "0x100000", "header": "header.bin",
    "payload": "payload.bin"}]'
echo "{\"policy\": 1, $session, $memory, $secret}" >vm2.json
$run --legacy-guest vm2.json --legacy-info vm2.info -- true ||
    fail "the secret is refused"
printf '\252' | dd of=payload.bin bs=1 seek=5 conv=notrunc 2>/dev/null
refused "a changed secret" $run --legacy-guest vm2.json -- true
want "changed secret" "$(cat refused.txt)" BAD_MEASUREMENT
echo ok
