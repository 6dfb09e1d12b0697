# SPDX-License-Identifier: Apache-2.0
# Everything that touches the operating system. An arrow points at what may be
# included: psp-model <- verifier (wire only), host <- linux <- transport,
# service <- cli.
FOLDERS += sim/verifier sim/host sim/linux sim/transport sim/service sim/cli

DEPS_sim/verifier  := psp-model/wire
DEPS_sim/host      := psp-model/pki psp-model/crypto psp-model/wire
DEPS_sim/linux     := sim/host psp-model/wire psp-model/crypto
DEPS_sim/transport := sim/linux
DEPS_sim/service   := sim/transport sim/linux sim/host sim/verifier \
                      psp-model/pki psp-model/crypto psp-model/wire
DEPS_sim/cli       := sim/service sim/transport sim/linux sim/host sim/verifier \
                      psp-model/pki psp-model/crypto psp-model/wire

# Linked, but not includable: the firmware behind the mailbox.
LINK_sim/verifier  := psp-model/wire
LINK_sim/host      := $(PSP_FOLDERS)
LINK_sim/linux     := sim/host $(PSP_FOLDERS)
LINK_sim/transport := sim/linux $(LINK_sim/linux)
LINK_sim/service   := sim/transport sim/verifier $(LINK_sim/transport)
LINK_sim/cli       := sim/service $(LINK_sim/service)
