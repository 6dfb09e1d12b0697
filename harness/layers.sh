#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: layers.sh BUILD-FOLDER
# The rules that include paths alone cannot enforce: the model has no writable
# data and calls nothing of the operating system; nobody climbs out of a folder
# with a relative include; only crypto/ names the crypto libraries.
set -u
build=$1
bad=0
say() {
    echo "layers: $*" >&2
    bad=1
}

if grep -rnE '#include *"\.\./' psp-model sim harness fuzz --include=*.[ch]; then
    say "an include climbs out of its folder"
fi
if grep -rnE '#include *<(openssl|nettle|gmp)' psp-model --include=*.[ch] |
    grep -v '^psp-model/crypto/'; then
    say "only psp-model/crypto may name the crypto libraries"
fi
if grep -rnE '#include *<(stdio|unistd|time|errno|fcntl|pthread|signal|sys/.*)\.?h?>' \
    psp-model --include=*.[ch] --exclude-dir=tools; then
    say "the model may not use the operating system"
fi

lib=$build/lib/libpspmodel.a
# .data.rel.ro is constant after start-up; everything else must be empty.
size -A "$lib" | awk '
    $2 ~ /^[0-9]+$/ && $2 > 0 && ($1 ~ /^\.(data|bss|tdata|tbss)/ || $1 == "COMMON") &&
        $1 !~ /^\.data\.rel\.ro/ { print "layers: writable data:", $0; bad = 1 }
    END { exit bad }' >&2 || bad=1

allowed='^(mem(cpy|move|set|cmp|chr)|__mem(cpy|move|set)_chk|str(len|cmp|ncmp|chr|nlen)|malloc|calloc|realloc|free|__stack_chk_fail|__assert_fail|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|gcov|llvm).*)$'
for object in $(find "$build/psp-model" -name '*.o' ! -path '*/crypto/*'); do
    nm -u "$object" | awk '{ print $NF }' | sed 's/@.*//' |
        grep -vE '^(psp|snp|sev|core|rmp|pki|cert|der|wire|crypto|PKI|CERT)_' |
        grep -vE "$allowed" | while read -r symbol; do
            echo "layers: $object calls $symbol" >&2
            echo x
        done
done | grep -q x && bad=1
[ "$bad" -eq 0 ] && echo "layers: clean"
exit "$bad"
