# SPDX-License-Identifier: Apache-2.0
# Sourced by init: `swpsp serve --cuse`, its nodes, its guests, its end; on its
# nodes the walk with programs that nobody here wrote.
second_serve() { # second_serve PROFILE OPTION...: beside it, with nothing kept
    swpsp serve --insecure-dev-seed --socket /tmp/second --profile "$@" \
        >>/tmp/serve.log 2>&1 &
    second=$!
    for i in $(seq 300); do
        swpsp status --socket /tmp/second >/dev/null 2>&1 && return 0
        kill -0 $second 2>/dev/null || break
        usleep 100000
    done
    cat /tmp/serve.log
    return 1
}
judged() { # judged PRODUCT REPORT: by the certificates of the second platform
    rm -rf /tmp/judged
    swpsp certs export --connect /tmp/second /tmp/judged >/dev/null &&
        swpsp verify --report "$2" --certs /tmp/judged/guest \
            --root "/tmp/judged/pki/$1/ark.pem" >/tmp/verdict
}
status_line() { # status_line NAME VALUE
    swpsp status | grep -q "^$1  *$2\$"
}
sizes() {
    stat -c %s "$@" | tr '\n' ' '
}

echo "VM: swpsp serve --cuse"
(umask 077 && public_seed >/tmp/seed)
state="--state /run/state --seed-file /tmp/seed"

is "the daemon starts" serve $state
is "it makes /dev/sev" test -c /dev/sev
is "it makes /dev/sev-guest" test -c /dev/sev-guest
is "they are root's" \
    test "$(stat -c %a:%u:%g /dev/sev-guest /dev/sev | sort -u)" = 600:0:0
is "status: the profile" status_line profile milan
is "status: no guest" status_line guests 0
is "an ioctl without a guest fails" fails report --report /dev/null
is "a guest is launched" swpsp guest launch guest >/tmp/launch
is "status: one guest" status_line guests 1
is "guest list has it" grep -q guest /tmp/launch
swpsp guest list
is "it runs" sh -c "swpsp guest list | grep -q '^guest .*running'"
run check_guest-serve check_guest --retry --certs
is "an ordinary user may not open the nodes" fails as_other report
is "nor ask the daemon" fails as_other swpsp status
is "/dev/sev answers mistakes as the test's own daemon does" \
    sh -c "sev_errors /dev/sev | cmp - /tmp/errors.cuse"
for step in status "export /tmp/pdh /tmp/chain" pek-gen "csr /tmp/csr" \
    "id /tmp/id" status; do
    run "sev_owner-serve $step" sev_owner $step
done
is "PDH certificate, chain and CSR have their sizes" \
    test "$(sizes /tmp/pdh /tmp/chain /tmp/csr)" = "2084 6252 2084 "
is "a second daemon on the state is refused" \
    fails swpsp serve $state --socket /tmp/second
is "and a second pair of nodes" \
    fails swpsp serve --cuse --insecure-dev-seed --socket /tmp/second
is "swpsp shutdown" swpsp shutdown
wait $daemon
is "the daemon ends well" test $? -eq 0
is "/dev/sev is gone" fails ls /dev/sev
is "/dev/sev-guest is gone" fails ls /dev/sev-guest
is "the socket is gone" fails ls /run/swpsp/control.sock

is "as another user, with nodes for everybody" serve --insecure-dev-seed \
    --user other --group other --node-mode 0666
is "it is that user" test "$(stat -c %u:%g /proc/$daemon)" = 65534:65534
is "the nodes are his" test "$(stat -c %a:%u:%g /dev/sev)" = 666:65534:65534
swpsp guest launch guest >/dev/null
run report-dropped as_other report --report /tmp/other/dropped
swpsp shutdown
wait $daemon
is "without root it ends well" test $? -eq 0
is "and takes its nodes along" fails ls /dev/sev-guest

is "on its state again" serve $state --node-mode 0666
is "the guest has been launched again" status_line guests 1
is "the nodes are for everybody" \
    test "$(stat -c %a /dev/sev-guest /dev/sev | sort -u)" = 666
run check_guest-serve-user as_other check_guest --retry --certs

is "a second platform, told to hide the first, as another user" \
    second_serve genoa --cuse --force --user other --group other \
    --node-mode 0666
swpsp guest launch --socket /tmp/second guest >/dev/null
is "the nodes are the second's" \
    test "$(stat -c %a:%u /dev/sev-guest)" = 666:65534
run report-second as_other report --report /tmp/other/second
is "its report is Genoa's" judged Genoa /tmp/other/second
swpsp shutdown --socket /tmp/second
wait $second
is "it ends well" test $? -eq 0
is "what it hid is back" test "$(stat -c %u /dev/sev-guest)" = 0
is "nothing stays mounted" fails grep -E "swpsp| /dev/sev" /proc/mounts
run report-first as_other report --report /tmp/other/first
is "the same once more" \
    second_serve milan-old --cuse --force --user other --group other
kill -KILL $second
wait $second 2>/dev/null
for i in $(seq 100); do # who cleans up is another process
    grep -q " /dev/sev" /proc/mounts || break
    usleep 100000
done
is "killed, it leaves nothing mounted either" \
    fails grep -E "swpsp| /dev/sev" /proc/mounts
is "a second platform on files" second_serve turin --fuse /mnt --node-mode 0666
swpsp guest launch --socket /tmp/second guest >/dev/null
run report-serve-fuse as_other report --device /mnt/sev-guest \
    --report /tmp/other/second
is "its report is Turin's" judged Turin /tmp/other/second
swpsp shutdown --socket /tmp/second
wait $second
is "its end unmounts" fails grep -q swpsp /proc/mounts

echo "VM: programs that nobody here wrote"
is "certificates are exported" \
    swpsp certs export --insecure-dev-seed /tmp/certs
chmod -R a+rX /tmp/certs
run walk as_other "cd /tmp/other && sh /bin/walk.sh /tmp/certs"
is "the guest is stopped" swpsp guest stop guest
is "and its node knows no one" fails report --report /dev/null
kill -KILL $daemon
wait $daemon 2>/dev/null
is "killed, it leaves no node" fails ls /dev/sev-guest
