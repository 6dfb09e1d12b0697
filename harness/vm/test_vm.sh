#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boot Debian's kernel in QEMU (software emulation, no network, nothing is
# installed) and test real character devices, as root and as an ordinary user.
# VM_PARTS: which of the scripts that init sources, in order. VM_CLOCK=real: one
# processor; VM_CLOCK=count: whose clock says how many instructions it has
# executed, a nanosecond each, whatever else this machine does meanwhile. Exit
# status 0; 1 with the console's text; 77 after "SKIP" when QEMU or the kernel
# cannot be had.
set -eu
build=${SWPSP_BUILD:-build/debug}
work=build/vm
limit=${VM_SECONDS:-500}
parts=${VM_PARTS:-nodes,cuse,serve,aeb}
case "${VM_CLOCK:-}" in
'') speed="-smp 2" ;;
real) speed="-smp 1" ;;
count) speed="-smp 1 -icount shift=0,sleep=off" ;;
*) echo "test_vm.sh: VM_CLOCK: real or count" >&2 && exit 2 ;;
esac
skip() {
    echo "SKIP vm: $*"
    exit 77
}
command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
busybox=$(command -v busybox) || skip "no busybox"
ldd "$busybox" >/dev/null 2>&1 && skip "busybox is not static"
kernel=$(sh harness/vm/fetch_kernel.sh "$work" 2>&1) || skip "$kernel"
image=${kernel% *}
modules=${kernel#* }/kernel

run=$(mktemp -d "${TMPDIR:-/tmp}/swpsp-vm-XXXXXX")
pid=
finish() {
    [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true
    rm -rf "$run"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
printf 'root:x:0:0::/:/bin/sh\nnobody:x:1000:1000::/:/bin/sh\nother:x:65534:65534::/:/bin/sh\n' >"$run/passwd"
printf 'root:x:0:\nnobody:x:1000:\nother:x:65534:\n' >"$run/group"
set -- init=harness/vm/init bin/userns.sh=harness/vm/userns.sh \
    bin/busybox="$busybox" bin/swpsp="$build/bin/swpsp" \
    bin/walk.sh=harness/interop/walk.sh \
    etc/60-swpsp.rules=sim/dist/60-swpsp.rules \
    etc/passwd="$run/passwd" etc/group="$run/group" proc/ sys/ tmp/
for program in "$build"/client/* "$build"/vm/* "$build"/bench/bench_aeb; do
    case "$program" in *.d) continue ;; esac
    [ -x "$program" ] || continue
    set -- "$@" "bin/${program##*/}=$program"
done
for part in $(echo "$parts" | tr , ' '); do
    set -- "$@" "bin/$part.sh=harness/vm/$part.sh"
done
for tool in go/attest go/check cargo/bin/snpguest cargo/bin/sevctl \
    cargo/bin/snphost sev-crate/bin/sev-5.0.0-api \
    sev-crate/bin/sev-5.0.0-guest sev-crate/bin/sev-8.0.0-api \
    sev-crate/bin/sev-8.0.0-guest; do
    [ -x "build/interop/$tool" ] || continue
    set -- "$@" "bin/${tool##*/}=build/interop/$tool"
done
for peer in ttrpc-go=ttrpc/peer ttrpc-rust=ttrpc-rust/release/ttrpc_rust \
    ttrpc-rust-current=ttrpc-rust-current/release/ttrpc_rust; do
    [ -x "build/interop/${peer#*=}" ] || continue
    set -- "$@" "bin/${peer%%=*}=build/interop/${peer#*=}"
done
for module in fs/fuse/fuse fs/fuse/cuse net/vmw_vsock/vsock \
    net/vmw_vsock/vmw_vsock_virtio_transport_common \
    net/vmw_vsock/vsock_loopback drivers/vhost/vhost_iotlb \
    drivers/vhost/vhost drivers/vhost/vhost_vsock; do
    [ -e "$modules/$module.ko" ] || skip "the kernel has no module $module"
    set -- "$@" "modules/${module##*/}.ko=$modules/$module.ko"
done
${PYTHON:-/usr/bin/python3} harness/vm/initramfs.py "$run/initramfs" "$@"

counts= port=
if [ "${build##*/}" = cov ]; then
    counts=swpsp.counts
    port="-serial mon:stdio -serial file:$run/counts"
fi
begin=$(date +%s)
# shellcheck disable=SC2086
timeout -k 5 "$limit" qemu-system-x86_64 -accel tcg -cpu EPYC-Milan -m 768 $speed \
    -nographic -no-reboot -nic none -kernel "$image" -initrd "$run/initramfs" \
    $port \
    -append "console=ttyS0 quiet panic=-1 maxcpus=1 swpsp.parts=$parts $counts" </dev/null >"$run/raw" 2>&1 &
pid=$!
status=0
wait "$pid" || status=$?
pid=
tr -d '\r' <"$run/raw" >"$run/console"

good=$(grep -cE '^ok ' "$run/console" || true)
bad=$(grep -cE '^not ok|^VM: .* exit [^0]|Kernel panic|BUG:|Oops' \
    "$run/console" || true)
fail() {
    cat "$run/console"
    echo "FAIL vm: $*"
    exit 1
}
[ "$status" -ne 124 ] || fail "no end after $limit s"
[ "$status" -eq 0 ] || fail "qemu: exit status $status"
grep -q '^VM: done$' "$run/console" || fail "the machine stopped early"
[ "$bad" -eq 0 ] || fail "$bad checks failed"
[ "$good" -gt 0 ] || fail "no check ran"
grep -E '^([a-z_]+ [0-9.]+$|SKIP)' "$run/console" || true
# coverage/report.py adds them to what this machine has counted.
if [ -n "$counts" ]; then
    rm -rf "$work/counts"
    mkdir "$work/counts"
    tar -xz -C "$work/counts" -f "$run/counts"
fi
echo "vm: $good checks in $(($(date +%s) - begin)) s"
