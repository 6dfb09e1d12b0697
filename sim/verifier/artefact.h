/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Which artefact is this, and where in it is what.
 */
#ifndef VERIFIER_ARTEFACT_H
#define VERIFIER_ARTEFACT_H

#include <psp/err.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum artefact {
    ARTEFACT_UNKNOWN,
    ARTEFACT_REPORT,   /* ATTESTATION_REPORT, 0x4a0 bytes */
    ARTEFACT_EVIDENCE, /* a report and, right behind it, a certificate table */
    ARTEFACT_RESPONSE, /* MSG_REPORT_RSP: 0x4c0 bytes, or padded to 4000 */
    ARTEFACT_TABLE,    /* GHCB certificate table */
    ARTEFACT_X509,     /* certificates and CRLs: one DER object, or PEM */
    ARTEFACT_AMD_CERT, /* AMD's binary ARK and ASK certificates */
    /* Legacy SEV: abi/sev.md §5, §7, §8, §11.1 */
    ARTEFACT_SEV_REPORT,      /* attestation report, 0xd0 bytes */
    ARTEFACT_SEV_CERT,        /* one certificate, 0x824 bytes */
    ARTEFACT_SEV_CHAIN,       /* two to four, perhaps ASK and ARK behind */
    ARTEFACT_SEV_EVIDENCE,    /* report, CEK, PEK, OCA, perhaps a device type */
    ARTEFACT_SEV_MEASUREMENT, /* LAUNCH_MEASURE, 0x30 bytes; never guessed */
    ARTEFACT_SEV_SESSION,     /* session blob, 0x80 bytes; never guessed */
    ARTEFACT_SEV_PACKET,      /* packet header, 0x34 bytes; never guessed */
    ARTEFACT_COUNT,
};

/** "report", "evidence", "response", "table", "x509", "amd-cert", "sev-report",
 * "sev-cert", ...; the names of `swpsp decode --type`. */
const char *artefact_name(enum artefact type);
/** The reverse; ARTEFACT_UNKNOWN if there is none. */
enum artefact artefact_named(const char *name);

/** Tell by size and first bytes. A type that is returned need not decode: a
 * damaged report is still a report. */
enum artefact artefact_identify(const uint8_t *data, size_t size);

/** MSG_REPORT_RSP. Spec: abi/snp.md §7.1. */
#define RESPONSE_SIZE        0x4c0u
#define RESPONSE_BUFFER_SIZE 4000u /* what Linux's ioctl hands out */
struct response {
    uint32_t status;
    uint32_t report_size;
    const uint8_t *report; /* SNP_REPORT_SIZE bytes, borrowed; NULL: none */
};
/** PSP_E_FORMAT: size, reserved bytes, REPORT_SIZE, or padding not zero. */
PSP_MUST_CHECK enum psp_err response_decode(const uint8_t *data, size_t size,
                                            struct response *out);

/** AMD's binary certificate, 64-byte header. Spec: abi/certs-kds.md §4.2. */
#define AMD_CERT_ID_SIZE 16u
struct amd_cert {
    uint32_t version;
    uint8_t key_id[AMD_CERT_ID_SIZE];
    uint8_t certifying_id[AMD_CERT_ID_SIZE];
    uint32_t usage;         /* 0 ARK, 0x13 ASK */
    uint32_t exponent_bits; /* field size, 2048 or 4096 */
    uint32_t modulus_bits;
    size_t size; /* of the whole certificate */
};
/** Read the certificate that @data starts with. PSP_E_FORMAT. */
PSP_MUST_CHECK enum psp_err amd_cert_decode(const uint8_t *data, size_t size,
                                            struct amd_cert *out);

#endif
