# SPDX-License-Identifier: Apache-2.0
# The firmware: wire, crypto <- pki, core <- sev, snp <- platform.
PSP_FOLDERS := psp-model/wire psp-model/crypto psp-model/pki psp-model/core \
               psp-model/snp psp-model/sev psp-model/platform
FOLDERS += $(PSP_FOLDERS)

DEPS_psp-model/wire     :=
DEPS_psp-model/crypto   := psp-model/wire
DEPS_psp-model/pki      := psp-model/crypto psp-model/wire
DEPS_psp-model/core     := psp-model/crypto psp-model/wire
DEPS_psp-model/snp      := psp-model/core psp-model/pki psp-model/crypto \
                           psp-model/wire
DEPS_psp-model/sev      := $(DEPS_psp-model/snp)
DEPS_psp-model/platform := psp-model/snp psp-model/sev $(DEPS_psp-model/snp)

$(foreach f,$(PSP_FOLDERS),$(eval LINK_$(f) := $(DEPS_$(f))))
