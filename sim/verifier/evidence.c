/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"

#include "artefact.h"
#include "cert.h"
#include "leaf.h"

#include <stdlib.h>
#include <string.h>

static enum psp_err add_report(struct evidence *ev, const uint8_t *report)
{
    if (ev->report != NULL) {
        return PSP_OK;
    }
    ev->report = malloc(SNP_REPORT_SIZE);
    if (ev->report == NULL) {
        return PSP_E_NOMEM;
    }
    memcpy(ev->report, report, SNP_REPORT_SIZE);
    ev->report_size = SNP_REPORT_SIZE;
    return PSP_OK;
}

static enum psp_err add_x509(struct evidence *ev, const uint8_t *data,
                             size_t size)
{
    struct block_list more;
    enum psp_err err = blocks_read(data, size, &more);

    if (err == PSP_OK) {
        err = blocks_move(&ev->blocks, &more);
    }
    blocks_clear(&more);
    return err;
}

static enum psp_err add_table(struct evidence *ev, const uint8_t *data,
                              size_t size)
{
    struct cert_table_entry entry[CERT_TABLE_MAX_COUNT];
    struct block_list more = {0};
    size_t count = 0;
    enum psp_err err =
        cert_table_decode(data, size, entry, CERT_TABLE_MAX_COUNT, &count);

    for (size_t i = 0; i < count && err == PSP_OK; i++) {
        struct block_list one;

        err = blocks_read(entry[i].data, entry[i].size, &one);
        if (err == PSP_OK) {
            err = blocks_move(&more, &one);
        } else if (err == PSP_E_FORMAT) {
            err = PSP_OK;
        }
        blocks_clear(&one);
    }
    if (err == PSP_OK) {
        err = blocks_move(&ev->blocks, &more);
    }
    blocks_clear(&more);
    return err;
}

static enum psp_err add_response(struct evidence *ev, const uint8_t *data,
                                 size_t size)
{
    struct response rsp;
    enum psp_err err = response_decode(data, size, &rsp);

    if (err == PSP_OK && rsp.report == NULL) {
        err = PSP_E_FORMAT;
    }
    return err == PSP_OK ? add_report(ev, rsp.report) : err;
}

static enum psp_err add_both(struct evidence *ev, const uint8_t *data,
                             size_t size)
{
    enum psp_err err =
        add_table(ev, data + SNP_REPORT_SIZE, size - SNP_REPORT_SIZE);

    return err == PSP_OK ? add_report(ev, data) : err;
}

enum psp_err evidence_add(struct evidence *ev, const uint8_t *data, size_t size)
{
    switch (artefact_identify(data, size)) {
    case ARTEFACT_REPORT:
        return add_report(ev, data);
    case ARTEFACT_EVIDENCE:
        return add_both(ev, data, size);
    case ARTEFACT_RESPONSE:
        return add_response(ev, data, size);
    case ARTEFACT_TABLE:
        return add_table(ev, data, size);
    case ARTEFACT_X509:
        return add_x509(ev, data, size);
    default:
        return PSP_E_FORMAT;
    }
}

void evidence_clear(struct evidence *ev)
{
    free(ev->report);
    blocks_clear(&ev->blocks);
    memset(ev, 0, sizeof(*ev));
}

static struct verify_blob blob_of(const struct block *b)
{
    return (struct verify_blob){.data = b->der, .size = b->size};
}

static struct verify_blob first_of_kind(const struct evidence *ev,
                                        enum cert_kind kind)
{
    struct verify_blob found = {0};

    for (size_t i = 0; i < ev->blocks.count && found.data == NULL; i++) {
        const struct block *b = &ev->blocks.item[i];
        X509 *x = b->kind == BLOCK_CERT ? block_cert(b->der, b->size) : NULL;

        if (x != NULL && cert_kind(x, NULL) == kind) {
            found = blob_of(b);
        }
        X509_free(x);
    }
    return found;
}

static struct verify_blob first_crl(const struct evidence *ev)
{
    for (size_t i = 0; i < ev->blocks.count; i++) {
        if (ev->blocks.item[i].kind == BLOCK_CRL) {
            return blob_of(&ev->blocks.item[i]);
        }
    }
    return (struct verify_blob){0};
}

static X509 *leaf_of(const struct verify_input *in)
{
    struct block_list list;
    X509 *x = NULL;

    if (in->leaf.data == NULL) {
        return NULL;
    }
    if (blocks_read(in->leaf.data, in->leaf.size, &list) == PSP_OK &&
        list.item[0].kind == BLOCK_CERT) {
        x = block_cert(list.item[0].der, list.item[0].size);
    }
    blocks_clear(&list);
    return x;
}

static struct verify_blob issuer_of(const struct evidence *ev, const X509 *leaf)
{
    struct verify_blob found = {0};

    for (size_t i = 0; i < ev->blocks.count && found.data == NULL; i++) {
        const struct block *b = &ev->blocks.item[i];
        X509 *x = b->kind == BLOCK_CERT ? block_cert(b->der, b->size) : NULL;

        if (x != NULL && X509_NAME_cmp(X509_get_subject_name(x),
                                       X509_get_issuer_name(leaf)) == 0) {
            found = blob_of(b);
        }
        X509_free(x);
    }
    return found;
}

void evidence_choose_ask(const struct evidence *ev, struct verify_input *in)
{
    X509 *leaf = leaf_of(in);

    if (in->ask.data == NULL && leaf != NULL) {
        in->ask = issuer_of(ev, leaf);
    }
    X509_free(leaf);
}

static bool signed_by_vlek(const struct evidence *ev)
{
    struct snp_report report;

    return ev->report != NULL &&
           snp_report_decode(ev->report, ev->report_size, &report, NULL) ==
               PSP_OK &&
           SNP_KEY_INFO_SIGNING_KEY(report.key_info) == SNP_SIGNING_KEY_VLEK;
}

static void choose(struct verify_blob *slot, struct verify_blob candidate)
{
    if (slot->data == NULL) {
        *slot = candidate;
    }
}

void evidence_choose(const struct evidence *ev, struct verify_input *in)
{
    bool vlek = signed_by_vlek(ev);

    if (ev->report != NULL) {
        choose(&in->report, (struct verify_blob){.data = ev->report,
                                                 .size = ev->report_size});
    }
    choose(&in->leaf, first_of_kind(ev, vlek ? CERT_VLEK : CERT_VCEK));
    choose(&in->leaf, first_of_kind(ev, vlek ? CERT_VCEK : CERT_VLEK));
    evidence_choose_ask(ev, in);
    choose(&in->ask, first_of_kind(ev, vlek ? CERT_ASVK : CERT_ASK));
    choose(&in->ask, first_of_kind(ev, vlek ? CERT_ASK : CERT_ASVK));
    choose(&in->ark, first_of_kind(ev, CERT_ARK));
    choose(&in->crl, first_crl(ev));
}

enum psp_generation evidence_generation(const struct verify_input *in)
{
    enum psp_generation g = PSP_GENERATION_COUNT;
    struct snp_report report;
    struct leaf_info info;
    char why[WHY_SIZE];
    X509 *leaf = leaf_of(in);

    if (in->report.data != NULL &&
        snp_report_decode(in->report.data, in->report.size, &report, NULL) ==
            PSP_OK) {
        g = snp_report_generation(&report);
    }
    if (g == PSP_GENERATION_COUNT && leaf != NULL &&
        leaf_read(leaf, &info, why)) {
        g = info.generation;
    }
    X509_free(leaf);
    return g;
}
