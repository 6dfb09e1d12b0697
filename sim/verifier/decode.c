/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include "blocks.h"
#include "cert_table.h"
#include "decode_parts.h"
#include "wire.h"

#include <psp/status.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static enum psp_err
refuse(char *why, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, DECODE_WHY_SIZE, fmt, ap);
    va_end(ap);
    return PSP_E_FORMAT;
}

static enum psp_err put_report(const uint8_t *data, size_t size, struct tree *t,
                               char *why)
{
    struct psp_rd r = psp_rd(data, size);
    struct snp_report report;
    size_t where = 0;

    if (snp_report_decode(data, size, &report, &where) == PSP_OK) {
        decode_report(&report, t);
        return PSP_OK;
    }
    if (size != SNP_REPORT_SIZE) {
        return refuse(why, "report: %zu bytes instead of %u", size,
                      SNP_REPORT_SIZE);
    }
    if (where == 0) {
        return refuse(why, "report: version %u is unknown", psp_rd_le32(&r));
    }
    return refuse(why, "report: reserved byte at offset 0x%zx is not zero",
                  where);
}

static void put_block(const struct block *b, struct tree *t)
{
    X509 *x = b->kind == BLOCK_CERT ? block_cert(b->der, b->size) : NULL;
    X509_CRL *crl = b->kind == BLOCK_CRL ? block_crl(b->der, b->size) : NULL;

    if (x != NULL) {
        decode_cert(x, t);
    } else if (crl != NULL) {
        decode_crl(crl, t);
    } else {
        t->bad = true;
    }
    X509_free(x);
    X509_CRL_free(crl);
}

static void put_chain(const struct block_list *list, struct tree *t)
{
    struct tree array = tree_array();

    tree_text(t, "type", "chain");
    for (size_t i = 0; i < list->count; i++) {
        struct tree one = tree_object();

        put_block(&list->item[i], &one);
        tree_append(&array, &one);
    }
    tree_tree(t, "objects", &array);
}

static enum psp_err put_x509(const uint8_t *data, size_t size, struct tree *t,
                             char *why)
{
    struct block_list list;
    enum psp_err err = blocks_read(data, size, &list);

    if (err != PSP_OK) {
        refuse(why, "x509: not %s of certificates and CRLs, at object %zu",
               blocks_is_pem(data, size) ? "PEM" : "DER", list.count);
    } else if (list.count == 1) {
        put_block(&list.item[0], t);
    } else {
        put_chain(&list, t);
    }
    blocks_clear(&list);
    return err;
}

static void put_guid(struct tree *t, const uint8_t g[16])
{
    char text[37];

    snprintf(text, sizeof(text),
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
             "%02x%02x%02x%02x%02x%02x",
             g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8], g[9], g[10],
             g[11], g[12], g[13], g[14], g[15]);
    tree_text(t, "guid", text);
}

static void put_entry(struct tree *array, const uint8_t *table,
                      const struct cert_table_entry *entry)
{
    const char *name = cert_guid_name(entry->guid);
    struct tree content = tree_object();
    struct tree t = tree_object();
    char why[DECODE_WHY_SIZE];

    put_guid(&t, entry->guid);
    if (name != NULL) {
        tree_text(&t, "name", name);
    }
    tree_int(&t, "offset", (uint32_t)(entry->data - table));
    tree_int(&t, "size", (uint32_t)entry->size);
    if (put_x509(entry->data, entry->size, &content, why) == PSP_OK) {
        tree_tree(&t, "content", &content);
    }
    tree_free(&content);
    tree_append(array, &t);
}

static enum psp_err put_table(const uint8_t *data, size_t size, struct tree *t,
                              char *why)
{
    struct cert_table_entry entry[CERT_TABLE_MAX_COUNT];
    struct tree array;
    size_t count = 0;

    if (cert_table_decode(data, size, entry, CERT_TABLE_MAX_COUNT, &count) !=
        PSP_OK) {
        return refuse(why,
                      "table: no terminator within %u entries, or an "
                      "entry outside the %zu bytes",
                      CERT_TABLE_MAX_COUNT, size);
    }
    tree_text(t, "type", "table");
    array = tree_array();
    for (size_t i = 0; i < count; i++) {
        put_entry(&array, data, &entry[i]);
    }
    tree_tree(t, "entries", &array);
    return PSP_OK;
}

static enum psp_err put_response(const uint8_t *data, size_t size,
                                 struct tree *t, char *why)
{
    struct tree report = tree_object();
    struct response rsp;
    enum psp_err err = response_decode(data, size, &rsp);

    if (err != PSP_OK) {
        refuse(why,
               "response: %zu bytes with a wrong size, REPORT_SIZE or "
               "reserved byte",
               size);
        goto out;
    }
    tree_text(t, "type", "response");
    tree_int(t, "status", rsp.status);
    tree_text(t, "status_name", sev_status_name(rsp.status));
    tree_int(t, "report_size", rsp.report_size);
    if (rsp.report != NULL) {
        err = put_report(rsp.report, SNP_REPORT_SIZE, &report, why);
        tree_tree(t, "report", &report);
    }
out:
    tree_free(&report);
    return err;
}

static enum psp_err put_evidence(const uint8_t *data, size_t size,
                                 struct tree *t, char *why)
{
    struct tree report = tree_object();
    struct tree table = tree_object();
    enum psp_err err;

    if (size < SNP_REPORT_SIZE) {
        err = refuse(why, "evidence: %zu bytes are too short", size);
        goto out;
    }
    err = put_report(data, SNP_REPORT_SIZE, &report, why);
    if (err == PSP_OK) {
        err = put_table(data + SNP_REPORT_SIZE, size - SNP_REPORT_SIZE, &table,
                        why);
    }
    tree_text(t, "type", "evidence");
    tree_tree(t, "report", &report);
    tree_tree(t, "table", &table);
out:
    tree_free(&report);
    tree_free(&table);
    return err;
}

typedef enum psp_err decoder(const uint8_t *data, size_t size, struct tree *t,
                             char *why);

enum psp_err decode_artefact(const uint8_t *data, size_t size,
                             enum artefact type, enum decode_form form,
                             char **out, char *why)
{
    static decoder *const DECODER[ARTEFACT_COUNT] = {
        [ARTEFACT_REPORT] = put_report,
        [ARTEFACT_EVIDENCE] = put_evidence,
        [ARTEFACT_RESPONSE] = put_response,
        [ARTEFACT_TABLE] = put_table,
        [ARTEFACT_X509] = put_x509,
        [ARTEFACT_AMD_CERT] = decode_amd_certs,
        [ARTEFACT_SEV_REPORT] = decode_sev_report,
        [ARTEFACT_SEV_CERT] = decode_sev_cert,
        [ARTEFACT_SEV_CHAIN] = decode_sev_chain,
        [ARTEFACT_SEV_EVIDENCE] = decode_sev_evidence,
        [ARTEFACT_SEV_MEASUREMENT] = decode_sev_measurement,
        [ARTEFACT_SEV_SESSION] = decode_sev_session,
        [ARTEFACT_SEV_PACKET] = decode_sev_packet,
    };
    struct tree t;
    enum psp_err err;

    *out = NULL;
    why[0] = '\0';
    if (type == ARTEFACT_UNKNOWN) {
        type = artefact_identify(data, size);
    }
    if (type == ARTEFACT_UNKNOWN) {
        return refuse(why, "none of the known formats (%zu bytes)", size);
    }
    t = tree_object();
    err = DECODER[type](data, size, &t, why);
    if (err == PSP_OK) {
        *out = form == DECODE_JSON ? tree_as_json(&t) : tree_as_text(&t);
        err = *out != NULL ? PSP_OK : PSP_E_NOMEM;
    }
    tree_free(&t);
    return err;
}
