# SPDX-License-Identifier: Apache-2.0
# Sourced by init: what may happen to a CUSE node besides ioctls that work. Ends
# with an unloaded module, so nothing has been left behind in the kernel.
again() { # again COMMAND...: until it works
    for i in $(seq 200); do
        "$@" 2>/dev/null && return 0
        usleep 50000
    done
    return 1
}
killed() {
    kill -KILL "$1"
    wait "$1" 2>/dev/null
}
errno_32() { # errno_32 DEVICE REQUEST: of a 32-bit program
    caller32 "$@"
    [ $? -eq 25 ] # ENOTTY
}

echo "VM: CUSE, come what may"
# Emulated processors wait long for each other: the rest has one.
echo 1 >/sys/devices/system/cpu/cpu1/online
is "two processors" test "$(nproc)" -eq 2
is "the daemon starts" start cuse
run check_file check_file /dev/sev
run check_file-guest check_file /dev/sev-guest
for request in 0xc0105300 0xc0205300 0x5401 0; do
    is "a 32-bit program, /dev/sev $request" errno_32 /dev/sev $request
    is "a 32-bit program, /dev/sev-guest $request" \
        errno_32 /dev/sev-guest $request
done
run flood flood /dev/sev-guest 16 4 2

# What udev goes by.
for node in sev sev-guest; do
    is "$node: its class is the one of our rule" grep -q \
        "SUBSYSTEM==\"$(basename "$(readlink /sys/class/cuse/$node/subsystem)")\"" \
        /etc/60-swpsp.rules
    is "$node: its name too" grep -q "KERNEL==\".*\b$node\b" /etc/60-swpsp.rules
    is "$node: the kernel names it so" \
        grep -q "^DEVNAME=$node\$" /sys/class/cuse/$node/uevent
    is "$node: the number is the node's" test "$(cat /sys/class/cuse/$node/dev)" \
        = "$((0x$(stat -c %t /dev/$node))):$((0x$(stat -c %T /dev/$node)))"
done
is "the module is in use" fails rmmod cuse
stop

# From a PID namespace that it is not in, all clients are number 0 to it.
rm -f /tmp/ready
unshare -fp devd cuse >/tmp/ready &
is "a daemon in a PID namespace of its own" again test -s /tmp/ready
run check_guest-pid-ns check_guest --retry
run flood-pid-ns flood /dev/sev-guest 3 1 2
daemon=$(pidof devd | tr ' ' '\n' | sort -n | tail -n 1)
run check_removed-pid-ns check_removed $daemon
wait

is "a node that takes its time" start null 40
run check_killed check_killed /dev/sev-null 40
run check_removed-slow check_removed $daemon /dev/sev-null
wait $daemon 2>/dev/null
is "again" start null 40
run check_removed-killed check_removed $daemon /dev/sev-null 9
wait $daemon 2>/dev/null
is "killed, it leaves no node" fails ls /dev/sev-null
is "again" start null
check_removed $daemon /dev/sev-null 9 again >/tmp/removed &
client=$!
wait $daemon 2>/dev/null
is "another takes the name while the old file is open" again start null
wait $client
echo "VM: check_removed-again exit $?"
cat /tmp/removed
stop

for i in 1 2 3; do
    start null
    report --device /dev/sev-null --report /dev/null 2>/dev/null
    killed $daemon
done
is "three more were killed: no node" fails ls /dev/sev-null
is "nothing of it is left: the module goes" again rmmod cuse
is "and comes" insmod /modules/cuse.ko
is "and works" start cuse
run report-reloaded report --report /dev/null
stop
echo 0 >/sys/devices/system/cpu/cpu1/online
