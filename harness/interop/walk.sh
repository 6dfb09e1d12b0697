#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: walk.sh CERTS
# Use /dev/sev-guest and /dev/sev as their owners do, with programs from PATH that
# nobody here wrote and with our own. The nodes may come from anywhere: swpsp
# run, CUSE, FUSE. CERTS is what `swpsp certs export` wrote for the same platform
# (Milan, initialised and not owned). Works in the current folder and needs no network.
# Prints "ok - ...", "not ok - ...", and "SKIP ..." for what is not installed.
# Exit status 1 when something failed.
set -u
certs=$1
pki=$certs/pki/Milan
status=0
export RUST_BACKTRACE=0

is() { # is WHAT COMMAND...: the command succeeds
    what=$1
    shift
    if "$@" >last.txt 2>&1; then
        echo "ok - $what"
    else
        echo "not ok - $what: exit $?: $(tail -n 3 last.txt | tr '\n' ' ')"
        status=1
    fi
}
fails() { # a refusal, by 1 or 2; a panic (101) or a crash is none
    "$@"
    code=$?
    [ "$code" -eq 1 ] || [ "$code" -eq 2 ]
}
says() { # says TEXT COMMAND...: succeeds, and prints that
    text=$1
    shift
    "$@" >says.txt 2>&1
    code=$?
    cat says.txt
    [ "$code" -eq 0 ] && grep -q -e "$text" says.txt
}
# The measurement's first byte becomes another.
changed() { # changed FILE: a copy, bad.bin
    cp "$1" bad.bin
    printf '\001' | dd of=bad.bin bs=1 seek=144 conv=notrunc 2>/dev/null
}
have() {
    command -v "$1" >/dev/null && return 0
    echo "SKIP $1 is not installed; 'make interop' installs it"
    return 1
}
nonce=$(printf nonce | sha512sum | cut -d' ' -f1)

# --- google/go-sev-guest ---

go_check() { # go_check FILE ROOT
    check -in "$1" -network=false -product=Milan -guest_policy=0x30000 \
        -report_data="$nonce" -product_key_path="$2"
}
if have attest && have check; then
    is "go-sev-guest: attest" attest -inform hex -in "$nonce" \
        -outform bin -extended -out go.bin
    is "go-sev-guest: check accepts it" go_check go.bin "$pki/cert_chain.pem"
    changed go.bin
    is "go-sev-guest: check refuses another measurement" \
        fails go_check bad.bin "$pki/cert_chain.pem"
    is "go-sev-guest: and AMD's own root" fails check -in go.bin \
        -network=false -product=Milan -guest_policy=0x30000
    head -c 1184 go.bin >go.report
    is "go-sev-guest: swpsp verify accepts it" swpsp verify --report go.report \
        --certs "$certs/guest/cert_table.bin" --root "$pki/ark.pem" \
        --report-data "$nonce"
fi

# --- virtee/snpguest ---

if have snpguest; then
    is "snpguest: report" snpguest report guest.bin request.bin --random
    is "snpguest: certificates" snpguest certificates pem guest.certs
    is "snpguest: verify certs" snpguest verify certs guest.certs
    is "snpguest: verify attestation" \
        snpguest verify attestation guest.certs guest.bin -p milan
    changed guest.bin
    is "snpguest: refuses another measurement" \
        fails snpguest verify attestation guest.certs bad.bin -p milan
    is "snpguest: the VCEK is the platform's" \
        cmp guest.certs/vcek.pem "$certs/snpguest/vcek.pem"
    is "snpguest: key" snpguest key guest.key vcek
    is "snpguest: 32 bytes of it" test "$(wc -c <guest.key)" -eq 32
    is "snpguest: swpsp verify accepts the report" swpsp verify \
        --report guest.bin --certs "$certs/guest/cert_table.bin" \
        --root "$pki/ark.pem"
fi

# --- our own owner, who knows the kernel's headers alone ---

# PDH, PEK, OCA as exported and the CEK as its vendor signed it.
chain() { # chain FILE
    sev_owner export pdh chain.bin && {
        cat pdh
        head -c 4168 chain.bin
        cat "$certs/sev/cek.cert"
    } >"$1"
}
is "sev_owner: owned by itself" says "owner self" sev_owner status
is "sev_owner: export" chain own.chain
is "sev_owner: csr" sev_owner csr csr
is "sev_owner: swpsp verify accepts the chain" swpsp verify --type sev \
    --chain own.chain --root "$pki/ask_ark_milan.cert"
is "sev_owner: pdh-gen" sev_owner pdh-gen
is "sev_owner: export again" chain next.chain
is "sev_owner: another PDH" fails cmp -s own.chain next.chain
is "sev_owner: get id" sev_owner id id
is "sev_owner: get id2" sev_owner id2 id2
is "sev_owner: the same" cmp id id2

# --- virtee/sevctl: an owner from outside ---

if have sevctl; then
    is "sevctl: show version" says "^1.55" sevctl show version
    is "sevctl: show identifier" says 53575053 sevctl show identifier
    is "sevctl: show flags" says es sevctl show flags
    is "sevctl: verify what sev_owner exported" sevctl verify \
        --sev own.chain --ca "$pki/ask_ark_milan.cert"
    is "sevctl: AMD's own root refuses it" \
        fails sevctl verify --sev own.chain
    is "sevctl: generate" sevctl generate oca.cert oca.key
    is "sevctl: provision" sevctl provision oca.cert oca.key
    is "sevctl: show flags: owned" says owned sevctl show flags
    is "sevctl: a second owner is refused" \
        fails sevctl provision oca.cert oca.key
    is "sevctl: sev_owner sees the owner" says "owner external" sev_owner status
    is "sevctl: export of the owned platform" chain owned.chain
    is "sevctl: verify with the owner's certificate" sevctl verify \
        --sev owned.chain --oca oca.cert --ca "$pki/ask_ark_milan.cert"
    is "sevctl: swpsp verify says the same" swpsp verify --type sev \
        --chain owned.chain --root "$pki/ask_ark_milan.cert" \
        --pin-oca oca.cert
    is "sevctl: not with the first chain" fails sevctl verify \
        --sev own.chain --oca oca.cert --ca "$pki/ask_ark_milan.cert"
    is "sevctl: rotate" sevctl rotate
fi
# Last: afterwards nobody has initialised the platform, and flags read zero.
is "sev_owner: reset" sev_owner reset
is "sev_owner: not initialised" says "state 0 owner self" sev_owner status
is "sev_owner: export after the reset" chain reset.chain
is "sev_owner: all keys are new" fails cmp -s -n 2084 own.chain reset.chain
have sevctl >/dev/null && is "sevctl: verify after the reset" sevctl verify \
    --sev reset.chain --ca "$pki/ask_ark_milan.cert"

# --- virtee/snphost: takes the CPU's word for what the platform is ---

if have snphost; then
    is "snphost: commit" snphost commit
    if snphost show version >version.txt 2>&1; then
        is "snphost: show version" grep -q '^1.55$' version.txt
        is "snphost: show identifier" says 53575053 snphost show identifier
        is "snphost: show tcb" says "Reported TCB" snphost show tcb
    else
        echo "SKIP snphost does not know this CPU: commit only"
    fi
fi

# --- virtee/sev: what its library's tests ask of both devices ---

for version in 5.0.0 8.0.0; do
    have sev-$version-api || continue
    is "sev $version: its tests of /dev/sev" env HOME=. sev-$version-api
    case $version in # why: test_sev_crate.sh
    8*) set -- --skip get_derived_key ;;
    *) set -- ;;
    esac
    is "sev $version: its tests of /dev/sev-guest" sev-$version-guest "$@"
done
exit $status
