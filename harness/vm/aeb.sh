# SPDX-License-Identifier: Apache-2.0
# Sourced by init: the whole flow of 2022 with nothing left out but the guest's
# machine. A host whose /dev/sev is CUSE, two SEV guests, a key server, a broker
# on AF_VSOCK, applications that ask it over vsock (by loopback, CID 1, and as
# guests 42 and 43 by vhost-vsock, where the kernel vouches for the CID), and the
# relying party. Only the nodes' daemon is root.
root=/tmp/certs/pki/Milan/ask_ark_milan.cert
loop="aeb-get --connect vsock://1:5577"
nonce=0123456789abcdef0123456789abcdef
secret=0101010101010101010101010101010101010101010101010101010101010101
challenge=a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5
key=5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a

digest_of() { # digest_of BYTE: of a guest that is one page of it
    head -c 4096 /dev/zero | tr '\0' "\\$1" | sha256sum | cut -d' ' -f1
}
handle_of() {
    swpsp guest show "$1" | sed -n 's/^handle  *//p'
}
background() { # background FILE TEXT COMMAND: until FILE has that text
    file=$1
    text=$2
    : >"$file"
    chmod 666 "$file"
    su -s /bin/sh other -c "exec $3 >$file 2>&1" &
    last=$!
    for i in $(seq 300); do
        grep -q "$text" "$file" && return 0
        kill -0 $last 2>/dev/null || break
        usleep 50000
    done
    cat "$file"
    return 1
}
key_server() {
    background /tmp/kds.log '^8080$' \
        "swpsp kds --insecure-dev-seed --port 8080 --log" && kds=$last
}
broker() { # broker OPTION...
    background /tmp/aeb.log '^listening' \
        "swpsp aeb --kds-url http://127.0.0.1:8080 --root $root $*" &&
        broker=$last
}
ends() { # ends PID: by SIGTERM, with exit status 0
    kill -TERM "$1"
    wait "$1"
}
vsock_guest() { # vsock_guest CID [IDLE]: its applications use /tmp/other/CID
    rm -f "/tmp/other/$1"
    # As root: this is the host's kernel's part.
    /bin/vsock_guest "$1" "/tmp/other/$1" 5577 "${2:-0}" >"/tmp/guest.$1" 2>&1 &
    last=$!
    for i in $(seq 300); do
        grep -q ready "/tmp/guest.$1" && break
        kill -0 $last || break
        usleep 50000
    done
    chmod 666 "/tmp/other/$1"
}
get() { # get ARGUMENTS: the application, as an ordinary user
    as_other "cd /tmp/other && swpsp $*"
}
judge() { # judge FILE OPTION...: the relying party, on its own
    file=$1
    shift
    as_other "cd /tmp/other && swpsp verify --type aeb --evidence $file \
        --root $root $*"
}
accepts() {
    judge "$@" >/tmp/verdict || {
        cat /tmp/verdict
        return 1
    }
}
rejects() { # rejects CHECK FILE OPTION...: this check fails, and no other
    which=$1
    shift
    judge "$@" >/tmp/verdict && return 1
    [ "$(sed -n 's/^FAIL \([a-z-]*\).*/\1/p' /tmp/verdict)" = "$which" ] && return
    cat /tmp/verdict
    return 1
}

echo "VM: evidence over vsock"
ip link set lo up
swpsp certs export --insecure-dev-seed /tmp/certs >/dev/null
chmod -R a+rX /tmp/certs
chmod 666 /dev/vsock # as it is by default
echo '{"memory":[{"gpa":"0xfffff000","fill":244,"size":4096}]}' >/tmp/a.json
echo '{"memory":[{"gpa":"0xfffff000","fill":90,"size":4096}]}' >/tmp/b.json
image_a=$(digest_of 364)
image_b=$(digest_of 132)
is "the platform's devices" serve --insecure-dev-seed --user other --group other
is "a guest" swpsp guest launch --legacy --guest /tmp/a.json a
is "another" swpsp guest launch --legacy --guest /tmp/b.json b
a=$(handle_of a)
b=$(handle_of b)
is "the key server" key_server

is "the broker, on port 5577 of any CID" broker
is "evidence" get $loop --handle $a --out e
is "the relying party accepts it" accepts e --launch-digest $image_a \
    --policy 1 --policy-mask 1
is "the key server was asked" grep -q "GET /cek/id/" /tmp/kds.log
is "by the default address: CID 2 is this machine" \
    get aeb-get --handle $b --format packed --out p
is "the other guest's" accepts p --launch-digest $image_b
is "not mine" rejects launch-digest p --launch-digest $image_a
is "the hypervisor tells a guest's kernel who it is" \
    get $loop --vm a --cpl 0 --out v
is "so asked, the evidence is a's" accepts v --launch-digest $image_a
is "and not its user space" refused "not for user space" get $loop --vm a
is "with a nonce, packed" get $loop --handle $a --mnonce $nonce \
    --encoding packed --format packed --out n
is "accepted with that nonce" accepts n --mnonce $nonce
is "with another one not" rejects mnonce n --mnonce ${nonce%f}0
is "bound to launch, challenge and session" get $loop --handle $a \
    --launch-nonce $secret --challenge $challenge --spki $key --out s
bound="--launch-nonce $secret --challenge $challenge --challenge-table t"
is "another session's key" rejects mnonce s $bound --spki $secret
is "another launch" rejects mnonce s --launch-nonce $key \
    --challenge $challenge --spki $key
is "accepted once" accepts s $bound --spki $key
is "and not twice" rejects challenge s $bound --spki $key
is "no such guest" refused "error 0x10:" get $loop --handle 99
is "a hypercall that failed" refused "error 0x10:" \
    get $loop --handle 0xffffffff
is "an old nonce-less client" get $loop --handle $a --plain --out l
is "is served" accepts l --launch-digest $image_a
is "nobody on another port" refused "reset by peer" \
    get aeb-get --connect vsock://1:5588 --handle $a

is "a guest with a CID of its own" vsock_guest 42
guest42=$last
is "asks" get aeb-get --connect unix:///tmp/other/42 --handle $b --out g
is "and is served" accepts g --launch-digest $image_b
for i in 1 2 3 4 5 6 7 8; do
    get aeb-get --connect unix:///tmp/other/42 --handle $b --out g$i &
    asked="$asked $!"
done
served=0
for i in $asked; do
    wait $i && served=$((served + 1))
done
echo "# $served of eight at once"
is "some of eight at once, at most four at a time" test $served -ge 4
# It dies with what it was about; the same CID starts again.
get aeb-get --connect unix:///tmp/other/42 --handle $b --out g &
kill -KILL $guest42
wait $guest42 2>/dev/null
is "that guest again" vsock_guest 42 4
guest42=$last
is "four connections and no more" refused "status 8:" \
    get aeb-get --connect unix:///tmp/other/42 --handle $b
is "others are served" get $loop --handle $a --out e
kill $guest42
wait $guest42 2>/dev/null
is "the broker ends" ends $broker
is "nobody listens" refused "reset by peer" get $loop --handle $a

is "a broker that knows whose handle is whose" broker \
    --map cid:1=$a --map cid:42=$b
is "that guest again" vsock_guest 42
is "another guest" vsock_guest 43
for peer in "1 $a $b vsock://1:5577" "42 $b $a unix:///tmp/other/42"; do
    set -- $peer
    is "CID $1 has its own" get aeb-get --connect $4 --handle $2 --out e
    is "and not the other's" refused "error 0x30002" \
        get aeb-get --connect $4 --handle $3
    is "0 is nobody's" refused "error 0x30002" \
        get aeb-get --connect $4 --handle 0
done
is "CID 43 has none" refused "error 0x30003" \
    get aeb-get --connect unix:///tmp/other/43 --handle $a
is "the broker ends" ends $broker

# A path where the CID belongs is what the published broker has by default.
is "a broker for many at once" broker \
    --listen vsock:///tmp/aeb.sock:5577 --max-per-cid 40
peer() { # peer PROGRAM ARGUMENTS
    if command -v "$1" >/dev/null; then
        run "$1" as_other "$@"
    else
        echo "SKIP $1 is not built; make interop does it"
    fi
}
peer ttrpc-go client vsock://1:5577 aeb.AEB $a
peer ttrpc-rust vsock:///tmp/aeb.sock:5577 # takes CID 2, whatever it is told
peer ttrpc-rust-current vsock://1:5577
is "the broker ends" ends $broker

is "a broker that inserts the handle; one port for one guest" broker \
    --endpoint vsock://1:5578=$b --listen vsock://-1:5577 \
    --map cid:1=$a --map cid:42=$b --peer-policy bind
is "0 is one's own" get $loop --handle 0 --format packed --out e
is "a's" accepts e --launch-digest $image_a
is "0 is one's own for CID 42" \
    get aeb-get --connect unix:///tmp/other/42 --handle 0 --out e
is "b's" accepts e --launch-digest $image_b
is "the other's handle" refused "error 0x30002" get $loop --handle $b
is "the port is for b" get aeb-get --connect vsock://1:5578 --out e
is "whoever comes" accepts e --launch-digest $image_b
is "and for nobody else" refused "error 0x30002" \
    get aeb-get --connect vsock://1:5578 --handle $a
is "the broker ends" ends $broker

is "a broker of CID 1 alone" broker --listen vsock://1:5577
is "serves it" get $loop --handle $a --out e
is "and no guest" refused "." \
    get aeb-get --connect unix:///tmp/other/42 --handle $b
is "the broker ends" ends $broker
is "the key server ends" ends $kds
is "a broker without a key server" broker
is "says so" refused "error 0x20000" get $loop --handle $a
is "the key server again" key_server
is "and all is well" get $loop --handle $a --out e
swpsp shutdown
wait $daemon
is "the platform goes" refused "error 0x10002" get $loop --handle $a
is "the broker ends" ends $broker
is "the key server ends" ends $kds
