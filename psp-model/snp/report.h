/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Attestation reports: which key signs, and what is said.
 * Spec: [56860 §7.3], abi/snp.md §7.
 */
#ifndef SNP_REPORT_BUILD_H
#define SNP_REPORT_BUILD_H

#include "snp.h"

#include "snp_msg.h"

enum snp_key_choice { SNP_CHOICE_VCEK, SNP_CHOICE_VLEK, SNP_CHOICE_NONE };

/** What KEY_SEL (0..3) means for @guest; SNP_CHOICE_NONE: the key does not
 * exist or may not be used, INVALID_KEY. MASK_CHIP_KEY is not looked at.
 * abi/snp.md §7.3 item 2 */
enum snp_key_choice snp_key_choose(const struct snp_platform *snp,
                                   const struct snp_guest *guest,
                                   uint8_t key_sel);

/**
 * Build a successful MSG_REPORT_RSP with an unsigned report.
 *
 * @req     VMPL and REPORT_DATA are copied as they are.
 * @choice  SNP_CHOICE_VCEK or SNP_CHOICE_VLEK.
 * @rsp     SNP_REPORT_RSP_SIZE bytes, all written; SIGNATURE is zero.
 * @key     Key that must sign, borrowed from @snp; NULL when MASK_CHIP_KEY
 *          leaves the report unsigned.
 *
 * Returns PSP_OK, or PSP_E_CRYPTO when the VCEK could not be derived.
 */
PSP_MUST_CHECK enum psp_err snp_report_answer(struct snp_platform *snp,
                                              const struct snp_guest *guest,
                                              const struct snp_report_req *req,
                                              enum snp_key_choice choice,
                                              uint8_t rsp[SNP_REPORT_RSP_SIZE],
                                              const struct psp_p384_key **key);

/** Sign the report inside a MSG_REPORT_RSP in place. Touches nothing else.
 * PSP_OK or PSP_E_CRYPTO. */
PSP_MUST_CHECK enum psp_err snp_report_sign(const struct psp_p384_key *key,
                                            uint8_t rsp[SNP_REPORT_RSP_SIZE]);

#endif
