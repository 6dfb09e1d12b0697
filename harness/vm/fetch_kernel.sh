#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: fetch_kernel.sh FOLDER
# Unpack Debian's cloud kernel below FOLDER (nothing is installed) and print
# "VMLINUZ MODULES". Quiet and quick when it is there already. Fails with one
# line when it cannot be had.
set -eu
dir=$1
fail() {
    echo "$*" >&2
    exit 1
}
found() {
    for image in "$dir"/kernel/boot/vmlinuz-*; do
        [ -e "$image" ] || return 1
        echo "$image $dir/kernel/lib/modules/${image#*/vmlinuz-}"
    done
}
found && exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
    fail "no apt-get to fetch a kernel with"
name() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1
}
package=$(name)
if [ -z "$package" ] && [ "$(id -u)" -eq 0 ]; then
    timeout 60 apt-get update -qq >/dev/null 2>&1 || true
    package=$(name)
fi
[ -n "$package" ] || fail "no package linux-image-cloud-amd64"
mkdir -p "$dir"
new=$(mktemp -d "$dir/fetch-XXXXXX")
trap 'rm -rf "$new"' EXIT
(cd "$new" && timeout 120 apt-get download -qq "$package" >log 2>&1) ||
    fail "$package cannot be downloaded"
dpkg -x "$new"/*.deb "$new/kernel" || fail "$package cannot be unpacked"
# Another run may have been quicker.
mv -T "$new/kernel" "$dir/kernel" 2>/dev/null || true
found || fail "$package holds no kernel"
