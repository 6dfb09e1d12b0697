/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The derived keys of MSG_KEY_REQ: what is mixed, and how. The hardware's
 * function is not public; this one is the model's.
 * Spec: [56860 §7.2], abi/snp.md §8.3, §8.4.
 */
#ifndef SNP_DERIVE_H
#define SNP_DERIVE_H

#include "snp.h"

#include "snp_msg.h"

#define SNP_DERIVE_CONTEXT_SIZE 0xd0u

enum snp_root_class {
    SNP_ROOT_VCEK = 0,
    SNP_ROOT_VLEK = 1,
    SNP_ROOT_VMRK = 2,
};

/** Context of the KDF: the fields that GUEST_FIELD_SELECT of @req names, others
 * zero, and what always enters. @req has passed the checks of §8.2. */
void snp_derive_context(const struct snp_guest *guest,
                        const struct snp_key_req *req,
                        enum snp_root_class root_class,
                        uint8_t out[SNP_DERIVE_CONTEXT_SIZE]);

/** @root: the 48-byte VCEK or VLEK seed, or the 32-byte VMRK. */
void snp_derive_key(const uint8_t *root, size_t root_size,
                    const uint8_t context[SNP_DERIVE_CONTEXT_SIZE],
                    uint8_t key[SNP_DERIVED_KEY_SIZE]);

#endif
