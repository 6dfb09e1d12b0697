/* SPDX-License-Identifier: Apache-2.0 */
#include "simulated.h"

#include "artefact.h"
#include "blocks.h"
#include "cert_table.h"
#include "leaf.h"
#include "sev_cert.h"
#include "snp_report.h"
#include "verifier.h"
#include "wire.h"

#include <string.h>

#define YES     1
#define NO      0
#define UNKNOWN (-1)

static const char BY_CHIP_ID[] = "CHIP_ID starts with the simulator's prefix";

/* Any attribute of that type with that value: a second one hides nothing. */
static bool name_has(const X509_NAME *name, int nid, const char *value)
{
    size_t n = strlen(value);

    for (int at = X509_NAME_get_index_by_NID(name, nid, -1); at >= 0;
         at = X509_NAME_get_index_by_NID(name, nid, at)) {
        const ASN1_STRING *s =
            X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));

        if (s != NULL && (size_t)ASN1_STRING_length(s) == n &&
            memcmp(ASN1_STRING_get0_data(s), value, n) == 0) {
            return true;
        }
    }
    return false;
}

static const char *simulated_name(const X509_NAME *name)
{
    if (name_has(name, NID_description, SIMULATED_DESCRIPTION)) {
        return "a certificate name says \"" SIMULATED_DESCRIPTION "\"";
    }
    if (name_has(name, NID_organizationName, SIMULATED_ORGANIZATION)) {
        return "a certificate names \"" SIMULATED_ORGANIZATION "\"";
    }
    return NULL;
}

const char *simulated_chip_id(const uint8_t id[PSP_CHIP_ID_SIZE])
{
    size_t n = strlen(SIMULATED_CHIP_ID);

    if (memcmp(id, SIMULATED_CHIP_ID, n) == 0 ||
        (memcmp(id, SIMULATED_CHIP_ID_8, strlen(SIMULATED_CHIP_ID_8)) == 0 &&
         psp_all_zero(id + n, PSP_CHIP_ID_SIZE - n))) {
        return BY_CHIP_ID;
    }
    return NULL;
}

const char *simulated_key_id(const uint8_t id[16])
{
    return memcmp(id + 8, SIMULATED_KEY_ID, strlen(SIMULATED_KEY_ID)) == 0
               ? "a key id ends in \"" SIMULATED_KEY_ID "\""
               : NULL;
}

/* The hwID of a leaf whose names say nothing (lookalike profile). */
static const char *simulated_hw_id(const X509 *x)
{
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        uint8_t id[PSP_CHIP_ID_SIZE] = {0};
        struct leaf_value v;

        leaf_value(X509_get_ext(x, i), &v);
        if (v.name != NULL && v.type == LEAF_RAW && v.ok) {
            memcpy(id, v.raw, v.raw_size);
            if (simulated_chip_id(id) != NULL) {
                return "hwID starts with the simulator's prefix";
            }
        }
    }
    return NULL;
}

const char *simulated_cert(const X509 *x)
{
    const char *why = simulated_name(X509_get_subject_name(x));

    if (why == NULL) {
        why = simulated_name(X509_get_issuer_name(x));
    }
    return why != NULL ? why : simulated_hw_id(x);
}

const char *simulated_crl(const X509_CRL *crl)
{
    return simulated_name(X509_CRL_get_issuer(crl));
}

static int judge_x509(const uint8_t *data, size_t size, const char **why)
{
    struct block_list list;
    int answer = blocks_read(data, size, &list) == PSP_OK ? NO : UNKNOWN;

    for (size_t i = 0; i < list.count && answer == NO; i++) {
        struct block *b = &list.item[i];
        X509 *x = b->kind == BLOCK_CERT ? block_cert(b->der, b->size) : NULL;
        X509_CRL *crl =
            b->kind == BLOCK_CRL ? block_crl(b->der, b->size) : NULL;

        *why = x != NULL     ? simulated_cert(x)
               : crl != NULL ? simulated_crl(crl)
                             : NULL;
        answer = *why != NULL ? YES : NO;
        X509_free(x);
        X509_CRL_free(crl);
    }
    blocks_clear(&list);
    return answer;
}

/* A table is what its certificates are; without one it cannot be told. */
static int judge_table(const uint8_t *data, size_t size, const char **why)
{
    struct cert_table_entry entry[CERT_TABLE_MAX_COUNT];
    size_t count = 0;
    int answer = UNKNOWN;

    if (cert_table_decode(data, size, entry, CERT_TABLE_MAX_COUNT, &count) !=
        PSP_OK) {
        return UNKNOWN;
    }
    for (size_t i = 0; i < count && answer != YES; i++) {
        int one = judge_x509(entry[i].data, entry[i].size, why);

        answer = one != UNKNOWN ? one : answer;
    }
    return answer;
}

/* A masked CHIP_ID says nothing. */
static int judge_report(const uint8_t *data, size_t size, const char **why)
{
    struct snp_report report;
    size_t where;

    if (snp_report_decode(data, size, &report, &where) != PSP_OK ||
        psp_all_zero(report.chip_id, sizeof(report.chip_id))) {
        return UNKNOWN;
    }
    *why = simulated_chip_id(report.chip_id);
    return *why != NULL ? YES : NO;
}

static int judge_evidence(const uint8_t *data, size_t size, const char **why)
{
    int report = judge_report(data, SNP_REPORT_SIZE, why);
    int table;

    if (report == YES) {
        return YES;
    }
    table = judge_table(data + SNP_REPORT_SIZE, size - SNP_REPORT_SIZE, why);
    return table != UNKNOWN ? table : report;
}

static int judge_response(const uint8_t *data, size_t size, const char **why)
{
    struct response rsp;

    if (response_decode(data, size, &rsp) != PSP_OK || rsp.report == NULL) {
        return UNKNOWN;
    }
    return judge_report(rsp.report, SNP_REPORT_SIZE, why);
}

/* One or more certificates, back to back. */
static int judge_amd_cert(const uint8_t *data, size_t size, const char **why)
{
    struct amd_cert cert;

    for (size_t at = 0; at < size; at += cert.size) {
        if (amd_cert_decode(data + at, size - at, &cert) != PSP_OK) {
            return UNKNOWN;
        }
        *why = simulated_key_id(cert.key_id);
        if (*why == NULL) {
            *why = simulated_key_id(cert.certifying_id);
        }
        if (*why != NULL) {
            return YES;
        }
    }
    return NO;
}

/* SEV certificates and reports have no place for a marker; only the ASK and
 * ARK behind a chain tell. */
static int judge_sev_chain(const uint8_t *data, size_t size, const char **why)
{
    const size_t four = 4 * (size_t)SEV_CERT_SIZE;

    return size > four ? judge_amd_cert(data + four, size - four, why)
                       : UNKNOWN;
}

int verify_is_simulated(const uint8_t *data, size_t size, const char **why)
{
    const char *unused = NULL;

    why = why != NULL ? why : &unused;
    *why = NULL;
    switch (artefact_identify(data, size)) {
    case ARTEFACT_REPORT:
        return judge_report(data, size, why);
    case ARTEFACT_EVIDENCE:
        return judge_evidence(data, size, why);
    case ARTEFACT_RESPONSE:
        return judge_response(data, size, why);
    case ARTEFACT_TABLE:
        return judge_table(data, size, why);
    case ARTEFACT_X509:
        return judge_x509(data, size, why);
    case ARTEFACT_AMD_CERT:
        return judge_amd_cert(data, size, why);
    case ARTEFACT_SEV_CHAIN:
        return judge_sev_chain(data, size, why);
    default:
        return UNKNOWN;
    }
}
