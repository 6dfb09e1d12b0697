# SPDX-License-Identifier: Apache-2.0
# Everything that touches the operating system. An arrow points at what may be
# included: psp-model <- verifier (wire only), host <- linux <- transport,
# service <- cli.
PB := $(B)/gen
FOLDERS += sim/verifier sim/host sim/linux sim/transport sim/service sim/cli

DEPS_sim/verifier  := psp-model/wire
DEPS_sim/host      := psp-model/pki psp-model/crypto psp-model/wire
DEPS_sim/linux     := sim/host psp-model/wire psp-model/crypto
DEPS_sim/transport := sim/linux
DEPS_sim/service   := sim/transport sim/linux sim/host sim/verifier \
                      psp-model/pki psp-model/crypto psp-model/wire $(PB)
DEPS_sim/cli       := sim/service sim/transport sim/linux sim/host sim/verifier \
                      psp-model/pki psp-model/crypto psp-model/wire

# Linked, but not includable: the firmware behind the mailbox.
LINK_sim/verifier  := psp-model/wire
LINK_sim/host      := $(PSP_FOLDERS)
LINK_sim/linux     := sim/host $(PSP_FOLDERS)
LINK_sim/transport := sim/linux $(LINK_sim/linux)
LINK_sim/service   := sim/transport sim/verifier $(LINK_sim/transport)
LINK_sim/cli       := sim/service $(LINK_sim/service)

# Protobuf messages of the evidence broker: generated, so that the .proto files
# are what is read and reviewed. The generator's code is not held to -Wcast-qual.
PB_NAMES := ttrpc aeb
PB_SRCS  := $(PB_NAMES:%=$(PB)/%.pb-c.c)
$(PB)/%.pb-c.c $(PB)/%.pb-c.h: sim/service/proto/%.proto | build/.setup
	@mkdir -p $(PB)
	@echo "PROTOC $<"
	$(Q)protoc-c --proto_path=sim/service/proto --c_out=$(PB) $(notdir $<)
$(PB)/%.pb-c.o: $(PB)/%.pb-c.c $(B)/flags
	@echo "CC $<"
	$(Q)$(CC) $(BASE) -w -c $< -o $@
$(call objs_of,sim/service): | $(PB_SRCS)
$(call lib_of,sim/service): $(PB_SRCS:.c=.o)
