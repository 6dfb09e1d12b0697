#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh VERSION PACKAGE TARGET ADDRESS
# ttrpc of Rust, unmodified, from the crate registry, against both ends of the
# evidence broker: its client calls `swpsp aeb` at ADDRESS, where "@dir" stands
# for a folder; `swpsp aeb-get` calls its server. PACKAGE: a folder below this
# one. `make interop` builds it into build/interop/TARGET (a minute); skipped
# (77) when it is not there.
set -eu
version=$1
build=$(pwd)/${SWPSP_BUILD:-build/debug}
src=$(pwd)/harness/interop/ttrpc_rust
target=$(pwd)/build/interop/$3
peer=$target/release/ttrpc_rust
if [ ! -x "$peer" ] || [ "$src/src/main.rs" -nt "$peer" ]; then
    [ -n "${SWPSP_INTEROP:-}" ] || {
        echo "SKIP ttrpc $version is not built; make interop does it"
        exit 77
    }
    mkdir -p "$target/src"
    cp -r "$src/." "$target/src/"
    timeout 280 cargo build --release --quiet --target-dir "$target" \
        --manifest-path "$target/src/$2/Cargo.toml" >"$target/log" 2>&1 || {
        echo "SKIP ttrpc $version cannot be built: $(tail -n 1 "$target/log")"
        exit 77
    }
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-interop-XXXXXX")
trap 'rm -rf "$dir"' EXIT
echo '{}' >"$dir/guest.json"
address=$(echo "$4" | sed "s|@dir|$dir|")
cat >"$dir/inside.sh" <<EOF
"$build/bin/swpsp" aeb --insecure-dev-seed --listen "unix://@$dir/s:5577" \
    --listen "unix://$dir/path" >"$dir/out" 2>"$dir/err" &
broker=\$!
n=0
until grep -q "listening on unix://$dir/path" "$dir/out"; do
    n=\$((n + 1)); [ \$n -lt 100 ] || { cat "$dir/err"; exit 1; }
    sleep 0.05
done
code=0
timeout 60 "$peer" "$address" || code=1
timeout 30 "$build/bin/swpsp" aeb-get --connect "unix://$dir/path" --handle 1 \
    --out "$dir/evidence.json" || code=1
kill -TERM \$broker
wait \$broker || code=1
exit \$code
EOF
"$build/bin/swpsp" run --insecure-dev-seed \
    --legacy-guest "$dir/guest.json" -- sh "$dir/inside.sh" || {
    echo "FAIL the Rust client"
    exit 1
}

"$peer" serve "$dir/g" "$dir/evidence.json" >"$dir/served" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$dir"' EXIT
n=0
until grep -q listening "$dir/served"; do
    n=$((n + 1))
    [ $n -lt 100 ] || { cat "$dir/served"; exit 1; }
    sleep 0.05
done
timeout 30 "$build/bin/swpsp" aeb-get --connect "unix://$dir/g" --handle 1 \
    --out "$dir/again.json" || { echo "FAIL aeb-get from a Rust server"; exit 1; }
cmp "$dir/evidence.json" "$dir/again.json" || { echo "FAIL other evidence"; exit 1; }
# That server drops the nonce: aeb-get must refuse.
code=0
timeout 30 "$build/bin/swpsp" aeb-get --connect "unix://$dir/g" --handle 1 \
    --mnonce 000102030405060708090a0b0c0d0e0f >/dev/null 2>&1 || code=$?
[ "$code" -eq 1 ] || { echo "FAIL a dropped nonce passes ($code)"; exit 1; }
echo ok
