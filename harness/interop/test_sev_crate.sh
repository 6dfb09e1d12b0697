#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tests that virtee/sev, the Rust library, brings for machines of AMD's,
# unmodified, with those that change the platform: /dev/sev and /dev/sev-guest
# under swpsp run, on every profile. `make interop` gets and builds them
# (minutes); without them this test says so and is skipped (77).
set -eu
build=$(pwd)/${SWPSP_BUILD:-build/debug}
top=$(pwd)/build/interop/sev-crate
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-interop-XXXXXX")
trap 'rm -rf "$dir"' EXIT
fail() {
    cat "$dir/out"
    echo "FAIL $*"
    exit 1
}

# The library asks for the devices when it is built. Its source is where cargo
# puts what a package of ours needs.
get() { # get VERSION: $top/bin/sev-VERSION-api and -guest
    mkdir -p "$dir/want/src"
    : >"$dir/want/src/lib.rs"
    cat >"$dir/want/Cargo.toml" <<END
[package]
name = "want"
version = "0.1.0"
edition = "2018"
[dependencies]
sev = { version = "=$1", default-features = false }
END
    cargo fetch --quiet --manifest-path "$dir/want/Cargo.toml" || return
    from=$(echo "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/sev-"$1")
    rm -rf "$dir/src"
    cp -r "$from" "$dir/src"
    (
        cd "$dir/src"
        "$build/bin/swpsp" run --insecure-dev-seed -- timeout 280 cargo test \
            --quiet --no-run --message-format json --target-dir "$top/target" \
            --no-default-features --test api --test guest \
            --features sev,snp,openssl,dangerous_hw_tests
    ) >"$dir/built" || return
    mkdir -p "$top/bin"
    for name in api guest; do
        strip -o "$top/bin/sev-$1-$name" "$(sed -n \
            "s/.*\"executable\":\"\([^\"]*\/$name-[^\"]*\)\".*/\1/p" \
            "$dir/built")"
    done
}
tests() { # tests COUNT PROFILE PROGRAM ARGUMENT...
    count=$1 profile=$2
    shift 2
    # The library keeps a copy of the certificates in its user's folder.
    HOME=$dir timeout 60 "$build/bin/swpsp" run --insecure-dev-seed \
        --profile "$profile" -- "$@" >"$dir/out" 2>&1 ||
        fail "$profile: $*: exit status $?"
    grep -q "result: ok. $count passed; 0 failed; 0 ignored" "$dir/out" ||
        fail "$profile: $*: not $count tests"
}

found=
for version in 5.0.0 8.0.0; do
    if [ ! -x "$top/bin/sev-$version-guest" ]; then
        [ -n "${SWPSP_INTEROP:-}" ] || continue
        get "$version" >"$dir/log" 2>&1 || {
            echo "sev $version cannot be built: $(tail -n 1 "$dir/log")"
            continue
        }
    fi
    found=$version
    # This test of the newer one fails before it opens the device: it gives no
    # mitigation vector, which its own library asks for.
    without=
    guests=4
    if [ "$version" = 8.0.0 ]; then
        without="--skip get_derived_key"
        guests=3
    fi
    for profile in milan-old milan genoa turin; do
        tests 13 $profile "$top/bin/sev-$version-api"
        # shellcheck disable=SC2086
        tests $guests $profile "$top/bin/sev-$version-guest" $without
    done
    for profile in naples rome; do
        tests 8 $profile "$top/bin/sev-$version-api" sev::
    done
done
[ -n "$found" ] || {
    echo "SKIP the sev crate's tests are not built; make interop does it"
    exit 77
}
echo ok
