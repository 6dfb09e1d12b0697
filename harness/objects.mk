# SPDX-License-Identifier: Apache-2.0
# Tests. harness/unit/<part>/test_*.c is one program each; it is linked with
# the part's library and everything below it, so a part can be tested alone.
UNIT_PARTS := wire crypto pki core snp sev platform verifier host linux \
              transport
part_folder = $(strip $(if $(filter wire crypto pki core snp sev platform,$(1)),\
psp-model/$(1),sim/$(1)))
TEST_INC := -Ipsp-model/include $(addprefix -I,$(FOLDERS)) -Iharness/support
# Support code may use everything.
SUPPORT_OBJS = $(call objs_of,harness/support)

UNIT_SRCS := $(wildcard harness/unit/*/test_*.c)
UNIT_BINS := $(patsubst harness/unit/%.c,$(B)/test/%,$(UNIT_SRCS))

define unit_part_rule
DEPS_harness/unit/$(1) := harness/support $(FOLDERS)
$(patsubst harness/unit/%.c,$(B)/test/%,$(wildcard harness/unit/$(1)/test_*.c)): \
$(B)/test/%: $(B)/harness/unit/%.o $(call objs_of,harness/support) \
    $(call libs_of,$(call part_folder,$(1)))
	@mkdir -p $$(@D)
	@echo "LD $$@"
	$$(Q)$$(CC) $$(BASE) $$(LDHARD) -o $$@ $$(filter %.o,$$^) \
	    $$(call group,$$(filter %.a,$$^)) -lcmocka
endef
$(foreach p,$(UNIT_PARTS),$(eval $(call unit_part_rule,$(p))))
DEPS_harness/support := $(FOLDERS)
