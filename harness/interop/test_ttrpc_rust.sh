#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The version that the published broker and its clients are made of, by the
# address form that they have: to it unix://NAME is the abstract socket NAME.
exec harness/interop/ttrpc_rust/run.sh 0.5 . ttrpc-rust "unix://@dir/s:5577"
