#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The checks of clients/c/check_guest.c under swpsp run.
set -eu
build=${SWPSP_BUILD:-build/debug}
for profile in milan genoa turin; do
    opt="--insecure-dev-seed --profile $profile"
    # shellcheck disable=SC2086 # a list of options on purpose
    "$build/bin/swpsp" run $opt --certs none -- \
        "$build/client/check_guest" --trapped
    # shellcheck disable=SC2086
    "$build/bin/swpsp" run $opt -- "$build/client/check_guest" --trapped --certs
done
