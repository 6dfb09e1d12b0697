# SPDX-License-Identifier: Apache-2.0
# Sourced by init for `make bench`: what CUSE and vsock cost, as lines "name
# value". Needs a release build.
wait_for() { # wait_for TEXT FILE
    for i in $(seq 100); do
        grep -q "$1" "$2" && return
        usleep 50000
    done
}
is "the platform's devices" serve --insecure-dev-seed --log-level warning
is "a guest" swpsp guest launch guest
devd null >/tmp/null &
null=$!
wait_for ready /tmp/null
run bench_cuse bench_cuse /dev/sev-guest /dev/sev-null
kill $null
wait $null

echo '{}' >/tmp/sev.json
is "an SEV guest" swpsp guest launch --legacy --guest /tmp/sev.json sev
handle=$(swpsp guest show sev | sed -n 's/^handle  *//p')
for check in all certificates; do
    swpsp aeb --insecure-dev-seed --self-check $check >/tmp/aeb.log 2>&1 &
    broker=$!
    wait_for ^listening /tmp/aeb.log
    bench_aeb vsock://1:5577 "$handle" /dev/sev 9 >/tmp/aeb.times
    echo "VM: bench_aeb exit $?"
    sed "s/^/${check}_/" /tmp/aeb.times
    kill $broker
    wait $broker
done
swpsp shutdown
wait $daemon
