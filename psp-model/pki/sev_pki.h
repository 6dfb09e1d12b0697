/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The factory and key service of legacy SEV: chip endorsement keys, and ARK and
 * ASK in AMD's own format over the same RSA keys as the X.509 certificates.
 * Spec: abi/sev.md §4.1, §5, abi/certs-kds.md §4, §8.3.
 */
#ifndef PKI_SEV_PKI_H
#define PKI_SEV_PKI_H

#include "pki.h"

#include "sev_amd_cert.h"
#include "sev_cert.h"

#define PKI_ASK_ARK_MAX_SIZE (2u * SEV_AMD_CERT_MAX_SIZE)

/** CEK of a chip: the same at every INIT. abi/sev.md §4.1 */
PSP_MUST_CHECK enum psp_err
pki_cek_derive(const uint8_t secret[PSP_CHIP_SECRET_SIZE],
               struct psp_p384_key *cek);

/** CEK certificate with both slots empty, as firmware exports it. */
void pki_cek_unsigned(const struct psp_p384_key *cek, struct sev_cert *cert);

/**
 * CEK certificate of @chip as the key service hands it out: slot 1 signed by
 * the ASK. Equal requests give equal bytes. Errors of pki_ca_sign().
 */
PSP_MUST_CHECK enum psp_err pki_cek_cert(struct pki_ca *ca,
                                         const struct psp_chip *chip,
                                         uint8_t out[SEV_CERT_SIZE]);

/** ARK (self-signed) or ASK (signed by the ARK). The ARK's KEY_ID begins with
 * the 8 bytes of AMD's ARK of the generation, which tools tell products by, and
 * ends in "SIMULATE". Errors of pki_ca_sign(); PSP_E_PARAM: another role. */
PSP_MUST_CHECK enum psp_err pki_sev_amd_cert(struct pki_ca *ca,
                                             enum pki_role role,
                                             struct sev_amd_cert *cert);

/** The file ask_ark_{product}.cert: ASK, then ARK. @size: 1664 or 3200. */
PSP_MUST_CHECK enum psp_err
pki_ask_ark(struct pki_ca *ca, uint8_t out[PKI_ASK_ARK_MAX_SIZE], size_t *size);

/** What a platform compares a presented ARK with. */
void pki_sev_root_of(const struct sev_amd_cert *ark, struct psp_sev_root *root);
/** The same for this CA's ARK. */
PSP_MUST_CHECK enum psp_err pki_sev_root(struct pki_ca *ca,
                                         struct psp_sev_root *root);

#endif
