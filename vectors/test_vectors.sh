#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The vectors in the tree are what the generator makes, to the byte, and they
# hold for independent code.
set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-vectors-XXXXXX")
trap 'rm -rf "$dir"' EXIT
"${SWPSP_BUILD:-build/debug}/bin/gen-vectors" "$dir"
diff -rq vectors/v1 "$dir"
/usr/bin/python3 vectors/check.py vectors/v1
