# SPDX-License-Identifier: Apache-2.0
# Sourced by init: the transports alone, served by the test's own daemon (devd).
is "/dev/cuse exists" test -c /dev/cuse
is "/dev/vsock exists" test -c /dev/vsock

echo "VM: character devices"
is "the daemon makes them" start cuse
is "/dev/sev-guest is a character device" test -c /dev/sev-guest
is "/dev/sev is a character device" test -c /dev/sev
is "only root may open them" \
    test "$(stat -c %a:%u:%g /dev/sev-guest /dev/sev | sort -u)" = 600:0:0
is "an ordinary user may not" fails as_user report
run check_guest check_guest --retry
run check_guest-certs check_guest --retry --certs --device /dev/sev-guest-certs
sev_errors /dev/sev >/tmp/errors.cuse
is "a file for ioctls alone cannot reset" \
    grep -q "^io_factory_reset -1 1 keep" /tmp/errors.cuse
for step in status "export /tmp/pdh /tmp/chain" pek-gen pdh-gen \
    "export /tmp/pdh2 /tmp/chain2" "csr /tmp/csr" "id /tmp/id" "id2 /tmp/id2" \
    reset status; do
    run "sev_owner $step" sev_owner $step
done
is "PDH certificate, chain and CSR have their sizes" \
    test "$(stat -c %s /tmp/pdh /tmp/chain /tmp/csr | tr '\n' ' ')" = \
    "2084 6252 2084 "
is "PDH_GEN took effect" fails cmp -s /tmp/pdh /tmp/pdh2
is "GET_ID and GET_ID2 agree" cmp /tmp/id /tmp/id2
for client in report report-go report-rust; do
    [ -x /bin/$client ] && run $client $client --report /tmp/$client.bin
done
is "a report file has its size" test "$(stat -c %s /tmp/report.bin)" = 1184
chmod 666 /dev/sev-guest /dev/sev-guest-certs
run check_guest-user as_user check_guest --retry
run report-user as_user report --certs /dev/null --report /dev/null \
    --device /dev/sev-guest-certs
is "a second daemon does not take the name" fails start cuse
is "unless it is told to" start cuse-force
run report-forced report --report /dev/null
stop
is "what it hid is back" test -c /dev/sev-guest
# the first daemon again
daemon=$(pidof devd)
run check_removed check_removed $daemon
for i in $(seq 300); do
    pidof devd >/dev/null || break
    usleep 100000
done
is "the nodes are gone with the daemon" fails ls /dev/sev-guest
is "and can be made again" start cuse 660
is "with another mode" test "$(stat -c %a /dev/sev)" = 660
kill -KILL $daemon
wait $daemon 2>/dev/null
is "a daemon that was killed leaves no node" fails ls /dev/sev-guest

echo "VM: files of a FUSE mount"
mkdir -p /mnt /tmp/user
is "the daemon mounts" start fuse /mnt 666
run check_guest-fuse check_guest --device /mnt/sev-guest
run check_guest-fuse-certs check_guest --certs --device /mnt/sev-guest-certs
sev_errors /mnt/sev >/tmp/errors.fuse
is "/dev/sev answers mistakes alike on both" cmp /tmp/errors.cuse \
    /tmp/errors.fuse
is "and does answer" test "$(wc -l </tmp/errors.cuse)" -gt 30
is "an unprivileged client" as_user report --device /mnt/sev-guest \
    --report /dev/null
stop
is "unmounted" fails grep -q swpsp /proc/mounts
chmod 777 /tmp/user
chmod 666 /dev/fuse # as udev has it
is "an ordinary user has his own, in his own namespaces" \
    as_user unshare -Urm sh /bin/userns.sh
