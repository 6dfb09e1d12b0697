#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: replay.sh PROGRAM NAME
# Run a target over its kept corpus and crashes. A target without a corpus is a
# failure: a replay of nothing proves nothing.
set -eu
files=$(find "fuzz/corpus/$2" "fuzz/crashes/$2" -type f 2>/dev/null | sort)
[ -n "$files" ] || { echo "replay: fuzz/corpus/$2 holds no file" >&2; exit 1; }
# shellcheck disable=SC2086 # names are made by our own scripts
exec "$1" $files
