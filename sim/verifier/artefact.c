/* SPDX-License-Identifier: Apache-2.0 */
#include "artefact.h"

#include "blocks.h"
#include "cert_table.h"
#include "sev_verifier.h"
#include "snp_report.h"
#include "wire.h"

#include <string.h>

#define AMD_CERT_HEADER_SIZE 64u
#define AMD_USAGE_ARK        0x00u
#define AMD_USAGE_ASK        0x13u

static const char *const NAME[ARTEFACT_COUNT] = {
    [ARTEFACT_UNKNOWN] = "unknown",
    [ARTEFACT_REPORT] = "report",
    [ARTEFACT_EVIDENCE] = "evidence",
    [ARTEFACT_RESPONSE] = "response",
    [ARTEFACT_TABLE] = "table",
    [ARTEFACT_X509] = "x509",
    [ARTEFACT_AMD_CERT] = "amd-cert",
    [ARTEFACT_SEV_REPORT] = "sev-report",
    [ARTEFACT_SEV_CERT] = "sev-cert",
    [ARTEFACT_SEV_CHAIN] = "sev-chain",
    [ARTEFACT_SEV_EVIDENCE] = "sev-evidence",
    [ARTEFACT_SEV_MEASUREMENT] = "sev-measurement",
    [ARTEFACT_SEV_SESSION] = "sev-session",
    [ARTEFACT_SEV_PACKET] = "sev-packet",
};

const char *artefact_name(enum artefact type)
{
    return (unsigned int)type < ARTEFACT_COUNT ? NAME[type] : NAME[0];
}

enum artefact artefact_named(const char *name)
{
    for (enum artefact t = ARTEFACT_REPORT; t < ARTEFACT_COUNT; t++) {
        if (strcmp(name, NAME[t]) == 0) {
            return t;
        }
    }
    return ARTEFACT_UNKNOWN;
}

enum psp_err response_decode(const uint8_t *data, size_t size,
                             struct response *out)
{
    struct psp_rd r = psp_rd(data, size);

    memset(out, 0, sizeof(*out));
    if (size != RESPONSE_SIZE && size != RESPONSE_BUFFER_SIZE) {
        return PSP_E_FORMAT;
    }
    out->status = psp_rd_le32(&r);
    out->report_size = psp_rd_le32(&r);
    psp_rd_mbz(&r, 0x18);
    if (out->status == 0) {
        out->report = psp_rd_view(&r, SNP_REPORT_SIZE);
    }
    psp_rd_mbz(&r, psp_rd_left(&r));
    if (!psp_rd_done(&r) ||
        (out->status == 0 && out->report_size != SNP_REPORT_SIZE)) {
        return PSP_E_FORMAT;
    }
    return PSP_OK;
}

enum psp_err amd_cert_decode(const uint8_t *data, size_t size,
                             struct amd_cert *out)
{
    struct psp_rd r = psp_rd(data, size);

    memset(out, 0, sizeof(*out));
    out->version = psp_rd_le32(&r);
    psp_rd_bytes(&r, out->key_id, sizeof(out->key_id));
    psp_rd_bytes(&r, out->certifying_id, sizeof(out->certifying_id));
    out->usage = psp_rd_le32(&r);
    psp_rd_mbz(&r, 16);
    out->exponent_bits = psp_rd_le32(&r);
    out->modulus_bits = psp_rd_le32(&r);
    if (r.bad || out->version != 1 ||
        (out->usage != AMD_USAGE_ARK && out->usage != AMD_USAGE_ASK) ||
        (out->modulus_bits != 2048 && out->modulus_bits != 4096) ||
        out->exponent_bits != out->modulus_bits) {
        return PSP_E_FORMAT;
    }
    /* Exponent, modulus and signature have the modulus' size each. */
    out->size = AMD_CERT_HEADER_SIZE + 3 * (size_t)(out->modulus_bits / 8);
    return out->size <= size ? PSP_OK : PSP_E_FORMAT;
}

/* SEQUENCE whose length reaches exactly to the end. */
static bool is_der(const uint8_t *data, size_t size)
{
    if (size < 4 || data[0] != 0x30) {
        return false;
    }
    if (data[1] == 0x82) {
        return (size_t)(data[2] << 8 | data[3]) + 4 == size;
    }
    return data[1] == 0x81 ? (size_t)data[2] + 3 == size
                           : (size_t)data[1] + 2 == size;
}

/* Also a damaged one. */
static bool is_response(const uint8_t *data, size_t size)
{
    struct psp_rd r = psp_rd(data, size);
    uint32_t status = psp_rd_le32(&r);
    uint32_t report_size = psp_rd_le32(&r);

    return (size == RESPONSE_SIZE || size == RESPONSE_BUFFER_SIZE) &&
           (report_size == SNP_REPORT_SIZE ||
            (status != 0 && status <= 0xffff && report_size == 0));
}

static bool is_evidence(const uint8_t *data, size_t size)
{
    struct psp_rd r = psp_rd(data, size);
    uint32_t version = psp_rd_le32(&r);

    return version >= 2 && version <= 5 && size > SNP_REPORT_SIZE;
}

static bool is_table(const uint8_t *data, size_t size)
{
    struct cert_table_entry entry[CERT_TABLE_MAX_COUNT];
    size_t count = 0;

    return cert_table_decode(data, size, entry, CERT_TABLE_MAX_COUNT, &count) ==
               PSP_OK &&
           count > 0;
}

/* What every SEV certificate starts with, also a damaged one. */
static bool is_sev_cert(const uint8_t *data, size_t size)
{
    struct psp_rd r = psp_rd(data, size);
    uint32_t version = psp_rd_le32(&r);
    uint32_t usage;

    psp_rd_skip(&r, 4);
    usage = psp_rd_le32(&r);
    return size >= SEV_CERT_SIZE && version == SEV_CERT_VERSION &&
           usage >= SEV_USAGE_OCA && usage <= SEV_USAGE_CEK;
}

/* By size and the first certificate. */
static enum artefact identify_sev(const uint8_t *data, size_t size)
{
    struct sev_verify_input in = {.ark = {0}};

    if ((size == SEV_EVIDENCE_SIZE || size == SEV_EVIDENCE_SIZE + 1) &&
        is_sev_cert(data + SEV_REPORT_SIZE, size - SEV_REPORT_SIZE)) {
        return ARTEFACT_SEV_EVIDENCE;
    }
    if (!is_sev_cert(data, size)) {
        return ARTEFACT_UNKNOWN;
    }
    if (size == SEV_CERT_SIZE) {
        return ARTEFACT_SEV_CERT;
    }
    return size == 2 * SEV_CERT_SIZE || sev_split_chain(data, size, &in)
               ? ARTEFACT_SEV_CHAIN
               : ARTEFACT_UNKNOWN;
}

enum artefact artefact_identify(const uint8_t *data, size_t size)
{
    enum artefact legacy = identify_sev(data, size);
    struct amd_cert cert;

    if (legacy != ARTEFACT_UNKNOWN) {
        return legacy;
    }
    if (blocks_is_pem(data, size) || is_der(data, size)) {
        return ARTEFACT_X509;
    }
    if (is_response(data, size)) {
        return ARTEFACT_RESPONSE;
    }
    if (size == SNP_REPORT_SIZE) {
        return ARTEFACT_REPORT;
    }
    if (amd_cert_decode(data, size, &cert) == PSP_OK) {
        return ARTEFACT_AMD_CERT;
    }
    if (is_evidence(data, size)) {
        return ARTEFACT_EVIDENCE;
    }
    if (is_table(data, size)) {
        return ARTEFACT_TABLE;
    }
    /* A legacy report begins with any bytes: its size is all there is. */
    return size == SEV_REPORT_SIZE ? ARTEFACT_SEV_REPORT : ARTEFACT_UNKNOWN;
}
