#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The walk under swpsp run, on this machine.
set -eu
build=$(pwd)/${SWPSP_BUILD:-build/debug}
walk=$(pwd)/harness/interop/walk.sh
interop=$(pwd)/build/interop
PATH=$build/bin:$build/client:$interop/go:$interop/cargo/bin:$interop/sev-crate/bin:$PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-interop-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
swpsp certs export --insecure-dev-seed certs
mkdir work
cd work
timeout 120 swpsp run --insecure-dev-seed -- sh "$walk" ../certs
