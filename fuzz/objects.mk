# SPDX-License-Identifier: Apache-2.0
# fuzz/targets/fuzz_<x>.c is one target per trust boundary. BUILD=fuzz links it
# with libFuzzer (clang); every other build links support/replay_main.c instead,
# which runs the corpus and the kept crashes from exact-size heap copies.
FUZZ_SRCS := $(wildcard fuzz/targets/fuzz_*.c)
FUZZ_BINS := $(patsubst fuzz/targets/%.c,$(B)/fuzz/%,$(FUZZ_SRCS))
DEPS_fuzz/targets := fuzz/support harness/support $(FOLDERS)
DEPS_fuzz/support := $(FOLDERS)
ifeq ($(BUILD),fuzz)
CC          := clang
FUZZ_MAIN   :=
FUZZ_LDFLAGS := -fsanitize=fuzzer
else
FUZZ_MAIN   := $(B)/fuzz/support/replay_main.o
FUZZ_LDFLAGS :=
endif
FUZZ_SUPPORT := $(B)/harness/support/raw_guest.o $(B)/harness/support/sev_rig.o \
    $(filter-out %/replay_main.o,$(call objs_of,fuzz/support))

$(FUZZ_BINS): $(B)/fuzz/%: $(B)/fuzz/targets/%.o $(FUZZ_MAIN) \
    $(FUZZ_SUPPORT) $(call libs_of,sim/cli)
	@mkdir -p $(@D)
	@echo "LD $@"
	$(Q)$(CC) $(BASE) $(LDHARD) $(FUZZ_LDFLAGS) -o $@ $(filter %.o,$^) \
	    $(call group,$(filter %.a,$^))

# The corpora are part of `make check`: each target is one test program.
FUZZ_REPLAYS := $(patsubst $(B)/fuzz/%,$(B)/fuzz/replay/%,$(FUZZ_BINS))
$(FUZZ_REPLAYS): $(B)/fuzz/replay/%: $(B)/fuzz/% fuzz/replay.sh
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec sh fuzz/replay.sh %s %s\n' $< $* >$@
	@chmod +x $@
CHECK_EXTRA += $(FUZZ_REPLAYS)
CHECK_ASAN  += $(FUZZ_REPLAYS)

# SECONDS_EACH=N make fuzz: N seconds for each target.
SECONDS_EACH ?= 60
## Fuzz every target with libFuzzer (needs clang; SECONDS_EACH=60)
fuzz: build/.setup
	@command -v clang >/dev/null || .ci/setup clang
	@$(MAKE) --no-print-directory BUILD=fuzz fuzz-run
fuzz-run: $(FUZZ_BINS)
	@for t in $(FUZZ_BINS); do \
	    n=$$(basename $$t); mkdir -p $(B)/corpus/$$n fuzz/crashes/$$n; \
	    d=; [ -f fuzz/dict/$$n.dict ] && d=-dict=fuzz/dict/$$n.dict; \
	    echo "FUZZ $$n"; \
	    $$t -max_total_time=$(SECONDS_EACH) -max_len=65536 $$d \
	        -artifact_prefix=fuzz/crashes/$$n/ \
	        $(B)/corpus/$$n fuzz/corpus/$$n || exit 1; \
	done
.PHONY: fuzz fuzz-run
