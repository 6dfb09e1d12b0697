#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The walk on files of a FUSE mount, on this machine: `swpsp serve --fuse` and, for
# programs that have the nodes' paths wired in, a /dev of its own that has them.
# As root, or in an ordinary user's own namespaces. Skipped (77) where nobody may
# mount.
set -eu
if [ "${1-}" != inside ]; then
    [ -w /dev/fuse ] || {
        echo "SKIP no /dev/fuse for this user"
        exit 77
    }
    how=-m
    [ "$(id -u)" -eq 0 ] || how=-Urm
    unshare "$how" mount -t tmpfs none /tmp 2>/dev/null || {
        echo "SKIP nobody may mount here"
        exit 77
    }
    exec timeout -k 5 180 unshare "$how" "$0" inside
fi

build=$(pwd)/${SWPSP_BUILD:-build/debug}
walk=$(pwd)/harness/interop/walk.sh
interop=$(pwd)/build/interop
PATH=$build/bin:$build/client:$interop/go:$interop/cargo/bin:$interop/sev-crate/bin:$PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-interop-XXXXXX")
daemon=
finish() {
    [ -z "$daemon" ] || kill -TERM "$daemon" 2>/dev/null || true
    umount -R -l "$dir/dev" "$dir/nodes" 2>/dev/null || true
    rm -rf --one-file-system "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
fail() {
    echo "FAIL $*"
    cat "$dir/log"
    exit 1
}
cd "$dir"
mkdir nodes work
swpsp certs export --insecure-dev-seed certs
swpsp serve --insecure-dev-seed --socket control --fuse nodes >log 2>&1 &
daemon=$!
for _ in $(seq 200); do
    swpsp status --socket control >/dev/null 2>&1 && break
    kill -0 "$daemon" || fail "no daemon"
    sleep 0.1
done
swpsp guest launch --socket control guest >/dev/null
check_guest --certs --device nodes/sev-guest >guest.txt ||
    fail "check_guest: $(grep '^not' guest.txt)"

# go-sev-guest takes a path: the file itself. The others get a /dev.
if command -v attest >/dev/null; then
    attest -sev_guest_device_path nodes/sev-guest -out go.bin \
        -inform hex -in "$(printf %0128d 7)" || fail "attest by its path"
fi
mkdir dev
mount -t tmpfs -o mode=755 none dev
for node in null zero random urandom; do
    touch dev/$node
    mount --bind /dev/$node dev/$node
done
for node in sev sev-guest; do
    touch dev/$node
    mount --bind nodes/$node dev/$node
done
mount --rbind dev /dev
(cd work && sh "$walk" ../certs) || fail "the walk"

swpsp shutdown --socket control
code=0
wait "$daemon" || code=$?
daemon=
[ "$code" -eq 0 ] || fail "the daemon's end: $code"
[ ! -e nodes/sev ] || fail "nodes/sev stays"
