#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# containerd/ttrpc, unmodified, from the Go module proxy, against both ends of
# the evidence broker: its client calls `swpsp aeb`, `swpsp aeb-get` calls its
# server. Skipped (77) when the library cannot be installed.
set -eu
build=$(pwd)/${SWPSP_BUILD:-build/debug}
src=$(pwd)/harness/interop/ttrpc_peer
work=$(pwd)/build/interop/ttrpc
peer=$work/peer
version=v1.2.10
if [ ! -x "$peer" ] || [ "$src/main.go" -nt "$peer" ] ||
    ! grep -qF "containerd/ttrpc $version" "$work/go.mod"; then
    mkdir -p "$work"
    cp "$src/main.go" "$work/"
    (
        cd "$work"
        printf 'module peer\n\ngo 1.20\n' >go.mod
        export GOFLAGS=-mod=mod
        timeout 240 go get "github.com/containerd/ttrpc@$version" &&
            timeout 240 go build -o peer .
    ) >"$work.log" 2>&1 || {
        echo "SKIP containerd/ttrpc cannot be installed: $(tail -n 1 "$work.log")"
        exit 77
    }
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-interop-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{}' >guest.json
cat >inside.sh <<EOF
set -u
"$build/bin/swpsp" aeb --insecure-dev-seed --listen "unix://$dir/s" >out 2>err &
broker=\$!
n=0
until grep -q listening out; do
    n=\$((n + 1)); [ \$n -lt 100 ] || { cat err; exit 1; }
    sleep 0.05
done
code=0
for service in aeb.Aeb aeb.AEB; do
    timeout 60 "$peer" client "$dir/s" \$service 1 || code=1
done
timeout 30 "$build/bin/swpsp" aeb-get --connect "unix://$dir/s" --handle 1 \
    --out evidence.json || code=1
kill -TERM \$broker
wait \$broker || code=1
exit \$code
EOF
"$build/bin/swpsp" run --insecure-dev-seed --legacy-guest guest.json -- \
    sh inside.sh || { echo "FAIL the client"; exit 1; }

# The other way: a server that knows the name of the .proto only.
"$peer" server "$dir/g" aeb.AEB evidence.json >out 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$dir"' EXIT
n=0
until grep -q listening out; do
    n=$((n + 1))
    [ $n -lt 100 ] || { cat out; exit 1; }
    sleep 0.05
done
timeout 30 "$build/bin/swpsp" aeb-get --connect "unix://$dir/g" --handle 1 \
    --out again.json || { echo "FAIL aeb-get from a Go server"; exit 1; }
cmp evidence.json again.json || { echo "FAIL other evidence"; exit 1; }
# That server drops the nonce: aeb-get must refuse.
code=0
timeout 30 "$build/bin/swpsp" aeb-get --connect "unix://$dir/g" --handle 1 \
    --mnonce 000102030405060708090a0b0c0d0e0f >/dev/null 2>&1 || code=$?
[ "$code" -eq 1 ] || { echo "FAIL a dropped nonce passes ($code)"; exit 1; }
echo ok
