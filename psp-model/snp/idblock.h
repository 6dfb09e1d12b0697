/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ID block and its authentication at launch. Spec: abi/snp.md §5.1 to §5.4.
 */
#ifndef SNP_IDBLOCK_H
#define SNP_IDBLOCK_H

#include "snp.h"

#include "snp_id.h"

/** What a good ID block gives the guest. */
struct snp_identity {
    uint8_t id_key_digest[SHA384_SIZE];
    uint8_t author_key_digest[SHA384_SIZE]; /* zero without author key */
};

/**
 * Judge an ID block against @guest's launch digest and policy, and the
 * signatures. @block: SNP_ID_BLOCK_SIZE bytes; @auth: SNP_ID_AUTH_SIZE bytes.
 *
 * Returns, in this order, INVALID_PARAM (block version), BAD_MEASUREMENT,
 * POLICY_FAILURE, INVALID_PARAM (algorithms), BAD_SIGNATURE; or SUCCESS with
 * @identity filled.
 */
enum sev_status snp_idblock_check(const struct snp_guest *guest,
                                  const uint8_t *block, const uint8_t *auth,
                                  bool auth_key_en,
                                  struct snp_identity *identity);

#endif
