#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The newest version at the time of writing.
exec harness/interop/ttrpc_rust/run.sh 0.10 current ttrpc-rust-current \
    "unix://@dir/path"
