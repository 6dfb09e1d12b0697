#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ttrpc 0.5 of Rust, unmodified, from the crate registry: the library that the
# published broker's clients are made of calls `swpsp aeb`, by the address forms
# that it has. `make interop` builds it (a minute); skipped (77) when it is not
# there.
set -eu
build=$(pwd)/${SWPSP_BUILD:-build/debug}
src=$(pwd)/harness/interop/ttrpc_rust
target=$(pwd)/build/interop/ttrpc-rust
peer=$target/release/ttrpc_rust
if [ ! -x "$peer" ] || [ "$src/src/main.rs" -nt "$peer" ]; then
    [ -n "${SWPSP_INTEROP:-}" ] || {
        echo "SKIP ttrpc 0.5 is not built; make interop does it"
        exit 77
    }
    mkdir -p "$target/src"
    cp -r "$src/." "$target/src/"
    timeout 280 cargo build --release --quiet --target-dir "$target" \
        --manifest-path "$target/src/Cargo.toml" >"$target/log" 2>&1 || {
        echo "SKIP ttrpc 0.5 cannot be built: $(tail -n 1 "$target/log")"
        exit 77
    }
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-interop-XXXXXX")
trap 'rm -rf "$dir"' EXIT
echo '{}' >"$dir/guest.json"
# To that library unix://NAME is the abstract socket NAME.
cat >"$dir/inside.sh" <<EOF
"$build/bin/swpsp" aeb --insecure-dev-seed --listen "unix://@$dir/s:5577" \
    >"$dir/out" 2>"$dir/err" &
broker=\$!
n=0
until grep -q listening "$dir/out"; do
    n=\$((n + 1)); [ \$n -lt 100 ] || { cat "$dir/err"; exit 1; }
    sleep 0.05
done
code=0
timeout 60 "$peer" "unix://$dir/s:5577" || code=1
kill -TERM \$broker
wait \$broker || code=1
exit \$code
EOF
"$build/bin/swpsp" run --insecure-dev-seed \
    --legacy-guest "$dir/guest.json" -- sh "$dir/inside.sh" || {
    echo "FAIL the Rust client"
    exit 1
}
