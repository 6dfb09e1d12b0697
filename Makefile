# SPDX-License-Identifier: Apache-2.0
# The only make process. Each part's objects.mk says what it builds and which
# folders it may include. Output goes to build/$(BUILD)/.
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

BUILD   ?= debug
VERSION := 0.1.0
B       := build/$(BUILD)
PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC := gcc
endif
PYTHON  ?= /usr/bin/python3

ifeq ($(filter $(BUILD),debug release asan cov fuzz),)
$(error BUILD=$(BUILD): use debug, release, asan, cov or fuzz)
endif

WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wcast-qual -Wcast-align \
        -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wpointer-arith
MODE_debug   := -O1 -g
MODE_release := -O2 -g -DNDEBUG -D_FORTIFY_SOURCE=2
MODE_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                -fno-sanitize-recover=all
# Without optimisation gcc takes a cursor that is set up before its buffer is
# filled for a read of the buffer.
MODE_cov     := -O0 -g --coverage -fprofile-update=atomic \
                -Wno-maybe-uninitialized
# clang counts the fields that libseccomp's macros leave out. By that name all
# fuzzers know what is no good for anything else: here, signing with a nonce
# that is known. FUZZ_FLAGS= has the real one.
FUZZ_FLAGS   ?= -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
MODE_fuzz    := -O1 -g -fno-omit-frame-pointer \
                -fsanitize=fuzzer-no-link,address,undefined \
                -fno-sanitize-recover=all -Wno-missing-field-initializers \
                $(FUZZ_FLAGS)
HARDEN  := -fstack-protector-strong -fPIE
LDHARD  := -pie -Wl,-z,relro,-z,now
BASE    := -std=c17 -D_GNU_SOURCE -DSWPSP_VERSION='"$(VERSION)"' $(WARN) \
           $(HARDEN) $(MODE_$(BUILD)) $(CFLAGS)

INC_of  = -Ipsp-model/include -I$(1) $(addprefix -I,$(DEPS_$(1)))
lib_of  = $(B)/lib/$(subst /,_,$(1)).a
# What a program that uses folder $(1) is linked with.
libs_of = $(call lib_of,$(1)) $(foreach d,$(LINK_$(1)),$(call lib_of,$(d)))
group   = -Wl,--start-group $(1) -Wl,--end-group $(LDLIBS)
objs_of = $(patsubst %.c,$(B)/%.o,$(wildcard $(1)/*.c))
# Nettle and GMP lack sonames of their own in pkg-config, so one list for all.
LDLIBS  = -Wl,--as-needed $(shell pkg-config --libs libssl libcrypto hogweed nettle \
          libseccomp jansson libmicrohttpd gnutls fuse3 libprotobuf-c) -lgmp -lpthread

# Folders that become libraries, lowest first; DEPS_<folder> is what a folder
# may include, LINK_<folder> what its programs are linked with besides.
FOLDERS :=
include psp-model/objects.mk sim/objects.mk
include $(wildcard fuzz/objects.mk vectors/objects.mk harness/objects.mk \
    coverage/objects.mk)

define folder_rule
$(call lib_of,$(1)): $(call objs_of,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_rule,$(f))))

ifeq ($(V),1)
Q :=
else
Q := @
endif

## Build swpsp, the model library and two clients (BUILD=debug|release|asan|cov|fuzz)
all: $(B)/bin/swpsp $(B)/lib/libpspmodel.a

$(B)/%.o: %.c $(B)/flags | build/.setup
	@mkdir -p $(@D)
	@echo "CC $<"
	$(Q)$(CC) $(BASE) $(call INC_of,$(patsubst %/,%,$(dir $<))) -MMD -MP \
	    -c $< -o $@

# Rewritten only when its text differs, so a change of flags rebuilds.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(BASE)' | cmp -s - $@ || echo '$(CC) $(BASE)' >$@

build/.setup: .ci/packages.txt .ci/setup
	@mkdir -p $(@D)
	@.ci/setup
	@touch $@

$(B)/bin/swpsp: $(call objs_of,sim/cli) $(call libs_of,sim/cli)
	@mkdir -p $(@D)
	@echo "LD $@"
	$(Q)$(CC) $(BASE) $(LDHARD) -o $@ $(call objs_of,sim/cli) \
	    $(call group,$(filter %.a,$^))

# The model as one archive, for programs that embed it.
$(B)/lib/libpspmodel.a: $(foreach f,$(PSP_FOLDERS),$(call objs_of,$(f)))
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^

C_FILES = $(wildcard psp-model/*/*.[ch] psp-model/include/*/*.h sim/*/*.[ch] \
    harness/*/*.[ch] harness/*/*/*.[ch] harness/*/*/*/*.[ch] fuzz/*/*.[ch] \
    vectors/*/*.[ch])

## Check formatting, static analysis and the layers
lint: build/.setup layers
	@clang-format --dry-run -Werror $(C_FILES)
	@cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j 2 \
	    --enable=warning,portability,performance \
	    --suppressions-list=.cppcheck-suppressions \
	    -D__x86_64__ -Ipsp-model/include $(addprefix -I,$(FOLDERS)) \
	    psp-model sim
	@echo "lint: clean"

## Check that no part knows what it must not know
layers: $(B)/lib/libpspmodel.a
	@sh harness/layers.sh $(B)

## Install under $(DESTDIR)$(PREFIX)
install:
	@$(MAKE) --no-print-directory BUILD=release install-files
install-files: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig \
	    $(DESTDIR)$(PREFIX)/include/psp $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/doc/swpsp \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system \
	    $(DESTDIR)$(PREFIX)/lib/udev/rules.d \
	    $(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(PREFIX)/lib/sysusers.d
	install -m 755 $(B)/bin/swpsp $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(B)/lib/libpspmodel.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 psp-model/include/psp/*.h $(DESTDIR)$(PREFIX)/include/psp/
	install -m 644 sim/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 README.md LICENSE $(wildcard sim/host/*.md sim/service/*.md) \
	    sim/dist/DEPLOY.md $(DESTDIR)$(PREFIX)/share/doc/swpsp/
	install -m 644 sim/dist/swpsp.bash \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/swpsp
	sed -e 's|@PREFIX@|$(PREFIX)|' sim/dist/swpsp.service \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/swpsp.service
	sed -e 's|@PREFIX@|$(PREFIX)|' sim/dist/devices.conf \
	    >$(DESTDIR)$(PREFIX)/share/doc/swpsp/devices.conf
	install -m 644 sim/dist/swpsp.socket \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/
	install -m 644 sim/dist/60-swpsp.rules \
	    $(DESTDIR)$(PREFIX)/lib/udev/rules.d/
	install -m 644 sim/dist/tmpfiles.conf \
	    $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/swpsp.conf
	install -m 644 sim/dist/sysusers.conf \
	    $(DESTDIR)$(PREFIX)/lib/sysusers.d/swpsp.conf
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	    psp-model/pspmodel.pc.in \
	    >$(DESTDIR)$(PREFIX)/lib/pkgconfig/pspmodel.pc

## Remove everything that was built
clean:
	rm -rf build

## Show this help
help:
	@awk '/^## /{d=substr($$0,4);getline;sub(/:.*/,"");\
	  printf "  %-12s %s\n",$$0,d}' $(MAKEFILE_LIST)

FORCE:
.PHONY: all clean help lint layers install install-files FORCE
-include $(shell test -d $(B) && find $(B) -name '*.d')
