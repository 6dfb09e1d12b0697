# SPDX-License-Identifier: Apache-2.0
# Tests. harness/unit/<part>/test_*.c is one program each; it is linked with
# the part's library and everything below it, so a part can be tested alone.
UNIT_PARTS := wire crypto pki core snp sev platform verifier host linux \
              transport service
part_folder = $(strip $(if $(filter wire crypto pki core snp sev platform,$(1)),\
psp-model/$(1),sim/$(1)))
TEST_INC := -Ipsp-model/include $(addprefix -I,$(FOLDERS)) -Iharness/support
# Support code may use everything; as an archive, a test takes what it needs.
SUPPORT = $(B)/lib/harness_support.a
$(SUPPORT): $(call objs_of,harness/support)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^
# The firmware's halves are driven through the mailbox.
link_folder = $(if $(filter snp sev,$(1)),psp-model/platform,$(call part_folder,$(1)))

UNIT_SRCS := $(wildcard harness/unit/*/test_*.c)
UNIT_BINS := $(patsubst harness/unit/%.c,$(B)/test/%,$(UNIT_SRCS))

define unit_part_rule
DEPS_harness/unit/$(1) := harness/support $(FOLDERS)
$(patsubst harness/unit/%.c,$(B)/test/%,$(wildcard harness/unit/$(1)/test_*.c)): \
$(B)/test/%: $(B)/harness/unit/%.o $(SUPPORT) \
    $(call libs_of,$(strip $(call link_folder,$(1))))
	@mkdir -p $$(@D)
	@echo "LD $$@"
	$$(Q)$$(CC) $$(BASE) $$(LDHARD) -o $$@ $$(filter %.o,$$^) \
	    $$(call group,$$(filter %.a,$$^)) -lcmocka
endef
$(foreach p,$(UNIT_PARTS),$(eval $(call unit_part_rule,$(p))))
DEPS_harness/support := $(FOLDERS)

# Programs besides unit tests that check the whole: each counts as one test
# unless it is a cmocka program. They get the build folder in $SWPSP_BUILD.
DEVICE_SRCS := $(wildcard harness/device/test_*.c)
DEVICE_BINS := $(patsubst harness/device/%.c,$(B)/test/device/%,$(DEVICE_SRCS))
DEPS_harness/device := harness/device/clients/c harness/support $(FOLDERS)
$(DEVICE_BINS): $(B)/test/device/%: $(B)/harness/device/%.o \
    $(SUPPORT) $(call libs_of,sim/cli)
	@mkdir -p $(@D)
	@echo "LD $@"
	$(Q)$(CC) $(BASE) $(LDHARD) -o $@ $(filter %.o,$^) \
	    $(call group,$(filter %.a,$^)) -lcmocka

# Faults: power cuts, damage, kills and floods. disk.c wraps what changes files.
FAULT_SRCS := $(wildcard harness/fault/test_*.c)
FAULT_BINS := $(patsubst harness/fault/%.c,$(B)/test/fault/%,$(FAULT_SRCS))
FAULT_WRAP := -Wl,--wrap=openat,--wrap=write,--wrap=pwrite,--wrap=ftruncate \
    -Wl,--wrap=fsync,--wrap=renameat,--wrap=unlinkat,--wrap=mkdirat
DEPS_harness/fault := harness/support $(FOLDERS)
$(FAULT_BINS): $(B)/test/fault/%: $(B)/harness/fault/%.o \
    $(B)/harness/fault/disk.o $(B)/harness/fault/owner.o \
    $(B)/harness/fault/tracer.o $(SUPPORT) $(call libs_of,sim/cli)
	@mkdir -p $(@D)
	@echo "LD $@"
	$(Q)$(CC) $(BASE) $(LDHARD) $(FAULT_WRAP) -o $@ $(filter %.o,$^) \
	    $(call group,$(filter %.a,$^)) -lcmocka

# Client programs that know only the kernel's headers.
CLIENT_C := $(patsubst harness/device/clients/c/%.c,$(B)/client/%,\
    $(wildcard harness/device/clients/c/*.c))
$(CLIENT_C): $(B)/client/%: harness/device/clients/c/%.c | build/.setup
	@mkdir -p $(@D)
	@echo "LD $@"
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -Wall -Wextra -O1 -g -o $@ $<
# README.md calls these two after a plain make.
all: $(B)/client/report $(B)/client/sev_report
CLIENT_GO := $(patsubst harness/device/clients/go/%.go,$(B)/client/%-go,\
    $(wildcard harness/device/clients/go/*.go))
$(CLIENT_GO): $(B)/client/%-go: harness/device/clients/go/%.go | build/.setup
	@mkdir -p $(@D)
	@echo "GO $@"
	$(Q)CGO_ENABLED=0 GO111MODULE=off GOFLAGS= \
	    GOCACHE=$(abspath build/go-cache) go build -o $@ $<
CLIENT_RUST := $(patsubst harness/device/clients/rust/%.rs,$(B)/client/%-rust,\
    $(wildcard harness/device/clients/rust/*.rs))
$(CLIENT_RUST): $(B)/client/%-rust: harness/device/clients/rust/%.rs \
    | build/.setup
	@mkdir -p $(@D)
	@echo "RUSTC $@"
	$(Q)rustc --edition 2021 -O -o $@ $<
# 32-bit ones, without a C library: gcc can, whether or not it has one for -m32.
CLIENT_C32 := $(patsubst harness/device/clients/c32/%.c,$(B)/client/%,\
    $(wildcard harness/device/clients/c32/*.c))
$(CLIENT_C32): $(B)/client/%: harness/device/clients/c32/%.c | build/.setup
	@mkdir -p $(@D)
	@echo "LD $@"
	$(Q)$(CC) -m32 -std=c17 -ffreestanding -nostdlib -static -no-pie -fno-pie \
	    -fno-stack-protector -Wall -Wextra -O1 -o $@ $<
CLIENTS := $(CLIENT_C) $(CLIENT_C32) $(CLIENT_GO) $(CLIENT_RUST)

# Daemons for tests: devices behind a transport.
VM_BINS := $(patsubst harness/vm/%.c,$(B)/vm/%,$(wildcard harness/vm/*.c))
DEPS_harness/vm := harness/support $(FOLDERS)
CHECK_EXTRA += $(VM_BINS)
$(VM_BINS): $(B)/vm/%: $(B)/harness/vm/%.o $(SUPPORT) \
    $(call libs_of,sim/transport)
	@mkdir -p $(@D)
	@echo "LD $@"
	$(Q)$(CC) $(BASE) $(LDHARD) -o $@ $(filter %.o,$^) \
	    $(call group,$(filter %.a,$^)) -lcmocka

SCRIPT_TESTS := $(wildcard harness/fault/test_*.py harness/device/test_*.sh \
    harness/device/test_*.py harness/interop/test_*.sh harness/vm/test_*.sh)

## Boot a Debian kernel in QEMU and test the real character devices
vm-check: $(VM_BINS) $(CLIENTS) all
	@SWPSP_BUILD=$(B) harness/vm/test_vm.sh
.PHONY: vm-check

## Install third-party clients from their registries and run them under swpsp
interop: all
	cargo install --quiet --root build/interop/cargo snpguest sevctl snphost
	SWPSP_INTEROP=1 SWPSP_BUILD=$(B) $(PYTHON) harness/run.py \
	    $(wildcard harness/interop/test_*.sh)
.PHONY: interop

## Build and run every test; ends with "N passed, N failed, N skipped"
check: build/.setup
	@$(MAKE) --no-print-directory BUILD=asan check-programs
	@$(MAKE) --no-print-directory BUILD=debug check-programs
	@SWPSP_BUILD=build/debug SWPSP_ASAN=build/asan $(PYTHON) harness/run.py \
	    $$($(MAKE) --no-print-directory -s BUILD=asan list-unit) \
	    $$($(MAKE) --no-print-directory -s BUILD=debug list-whole)

check-programs: $(UNIT_BINS) $(FAULT_BINS) $(DEVICE_BINS) $(CLIENTS) all \
    $(CHECK_EXTRA)
list-unit:
	@echo $(UNIT_BINS) $(FAULT_BINS) $(CHECK_ASAN)
list-whole:
	@echo $(DEVICE_BINS) $(B)/test/fault/test_flood $(SCRIPT_TESTS) $(CHECK_WHOLE)

## The kills and floods of the tests in full: minutes
soak: build/.setup
	@$(MAKE) --no-print-directory BUILD=asan check-programs
	@$(MAKE) --no-print-directory BUILD=debug check-programs
	@for t in harness/fault/test_*.py; do \
	    FULL=1 SWPSP_BUILD=build/debug $(PYTHON) $$t || exit 1; done
	@for b in asan debug; do FULL=1 build/$$b/test/fault/test_flood || exit 1; done
.PHONY: soak

## Run an SNP client on this machine as an ordinary user and verify its report
demo: all $(B)/client/report
	@SWPSP_BUILD=$(B) harness/demo/demo.sh

## Measure against the limits of this machine; prints ratios and JSON
bench: build/.setup
	@$(MAKE) --no-print-directory BUILD=release bench-run

BENCH_BINS := $(patsubst harness/bench/%.c,$(B)/bench/%,\
    $(wildcard harness/bench/*.c))
DEPS_harness/bench := harness/support $(FOLDERS)
$(BENCH_BINS): $(B)/bench/%: $(B)/harness/bench/%.o $(SUPPORT) \
    $(call libs_of,sim/cli)
	@mkdir -p $(@D)
	@echo "LD $@"
	$(Q)$(CC) $(BASE) $(LDHARD) -o $@ $(filter %.o,$^) \
	    $(call group,$(filter %.a,$^))
bench-run: $(BENCH_BINS) $(VM_BINS) $(CLIENTS) all
	@SWPSP_BUILD=$(B) $(PYTHON) harness/bench/bench.py
.PHONY: check check-programs list-unit list-whole demo bench bench-run
