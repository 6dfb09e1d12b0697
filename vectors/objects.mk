# SPDX-License-Identifier: Apache-2.0
DEPS_vectors/gen := harness/support $(FOLDERS)
$(B)/bin/gen-vectors: $(call objs_of,vectors/gen) \
    $(B)/harness/support/raw_guest.o $(B)/harness/support/sev_rig.o \
    $(call libs_of,sim/cli)
	@mkdir -p $(@D)
	@echo "LD $@"
	$(Q)$(CC) $(BASE) $(LDHARD) -o $@ $(filter %.o,$^) \
	    $(call group,$(filter %.a,$^))

## Make the conformance vectors again (vectors/v1)
vectors: $(B)/bin/gen-vectors
	@mkdir -p vectors/v1
	$(B)/bin/gen-vectors vectors/v1
	$(PYTHON) vectors/check.py

CHECK_EXTRA += $(B)/bin/gen-vectors
CHECK_WHOLE += vectors/test_vectors.sh
.PHONY: vectors
