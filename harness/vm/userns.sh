#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# In a user and mount namespace of an ordinary user: mount, ask, unmount.
set -e
mkdir -p /tmp/user/mount
devd fuse /tmp/user/mount >/tmp/user/ready &
for i in $(seq 300); do
    [ -s /tmp/user/ready ] && break
    usleep 100000
done
report --device /tmp/user/mount/sev-guest --report /tmp/user/report
kill $!
wait $!
test "$(stat -c %s /tmp/user/report)" = 1184
