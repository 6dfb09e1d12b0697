/* SPDX-License-Identifier: Apache-2.0 */
#include "x509.h"

#include "wire.h"

#include <stdlib.h>
#include <string.h>

#define SERIAL_MARK 0x53000000u

/* 1.2.840.113549.1.1.10 with its parameters, form A. abi/certs-kds.md §1.2 */
static const uint8_t PSS_SHA384[67] = {
    0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x0a, 0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
    0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a,
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30,
    0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
    0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30};

bool pki_x509_exists(enum psp_generation generation)
{
    return pki_x509_product(generation) != 0;
}

unsigned int pki_x509_product(enum psp_generation generation)
{
    switch (generation) {
    case PSP_MILAN:
        return 1;
    case PSP_GENOA:
        return 2;
    case PSP_TURIN:
        return 3;
    case PSP_NAPLES:
    case PSP_ROME:
    case PSP_GENERATION_COUNT:
        break;
    }
    return 0;
}

uint32_t pki_x509_ca_serial(enum psp_generation generation, enum pki_role role)
{
    static const uint32_t low[PKI_ROLE_COUNT] = {
        [PKI_ARK] = 0x0000, [PKI_ASK] = 0x0001, [PKI_ASVK] = 0x0101};

    return SERIAL_MARK | pki_x509_product(generation) << 16 | low[role];
}

void pki_x509_pss_sha384(struct der *d)
{
    der_raw(d, PSS_SHA384, sizeof(PSS_SHA384));
}

/* One RDN: SET { SEQUENCE { 2.5.4.@attribute, @text } }. */
static void rdn(struct der *d, uint8_t attribute, enum der_tag tag,
                const char *text)
{
    const uint8_t oid[3] = {0x55, 0x04, attribute};
    size_t set = der_open(d, DER_SET);
    size_t seq = der_open(d, DER_SEQUENCE);

    der_value(d, DER_OID, oid, sizeof(oid));
    der_text(d, tag, text);
    der_close(d, seq);
    der_close(d, set);
}

/* AMD's six attributes in AMD's order, then the one that AMD does not have. */
static void name(struct der *d, const char *organization, const char *cn)
{
    size_t seq = der_open(d, DER_SEQUENCE);

    rdn(d, 11, DER_UTF8_STRING, "Engineering");
    rdn(d, 6, DER_PRINTABLE_STRING, "US");
    rdn(d, 7, DER_UTF8_STRING, "Santa Clara");
    rdn(d, 8, DER_UTF8_STRING, "CA");
    rdn(d, 10, DER_UTF8_STRING, organization);
    rdn(d, 3, DER_UTF8_STRING, cn);
    rdn(d, 13, DER_UTF8_STRING, PKI_DESCRIPTION);
    der_close(d, seq);
}

#define AMD "Advanced Micro Devices"

void pki_x509_ca_name(struct der *d, const struct pki_ca *ca,
                      enum pki_role role)
{
    static const char *const prefix[PKI_ROLE_COUNT] = {
        [PKI_ARK] = "ARK-", [PKI_ASK] = "SEV-", [PKI_ASVK] = "SEV-VLEK-"};
    bool marked = role == PKI_ARK && ca->naming == PKI_SIMULATED;
    const char *product = psp_generation_name(ca->generation);
    char cn[32];
    struct psp_wr w = psp_wr(cn, sizeof(cn));

    psp_wr_bytes(&w, prefix[role], strlen(prefix[role]));
    psp_wr_bytes(&w, product, strlen(product) + 1);
    name(d, marked ? "SEV simulator - not AMD" : AMD, cn);
}

void pki_x509_leaf_name(struct der *d, const char *cn)
{
    name(d, AMD, cn);
}

void pki_x509_validity(struct der *d, uint64_t not_before, uint64_t not_after)
{
    size_t seq = der_open(d, DER_SEQUENCE);

    der_utc_time(d, not_before);
    der_utc_time(d, not_after);
    der_close(d, seq);
}

struct pki_x509_ext pki_x509_ext_open(struct der *d, const void *oid,
                                      size_t oid_size, bool critical)
{
    struct pki_x509_ext ext;

    ext.seq = der_open(d, DER_SEQUENCE);
    der_value(d, DER_OID, oid, oid_size);
    if (critical) {
        der_true(d);
    }
    ext.octets = der_open(d, DER_OCTET_STRING);
    return ext;
}

void pki_x509_ext_close(struct der *d, const struct pki_x509_ext *ext)
{
    der_close(d, ext->octets);
    der_close(d, ext->seq);
}

void pki_x509_ext_aki(struct der *d, const struct psp_rsa_pub *pub)
{
    struct pki_x509_ext ext = pki_x509_ext_open(d, "\x55\x1d\x23", 3, false);
    size_t seq = der_open(d, DER_SEQUENCE);
    uint8_t id[RSA_KEY_ID_SIZE];

    psp_rsa_key_id(pub, id);
    der_value(d, DER_CONTEXT(0), id, sizeof(id));
    der_close(d, seq);
    pki_x509_ext_close(d, &ext);
}

enum psp_err pki_x509_sign(struct pki_ca *ca, enum pki_role signer,
                           const struct der *tbs, struct pki_cert *out)
{
    uint8_t bytes[X509_CERT_MAX];
    struct der d = der(bytes, sizeof(bytes));
    uint8_t sig[RSA_MAX_SIZE];
    size_t sig_size = 0;
    size_t seq;
    enum psp_err err;

    err = pki_ca_sign(ca, signer, tbs->buf, tbs->pos, sig, &sig_size);
    if (err != PSP_OK) {
        return err;
    }
    seq = der_open(&d, DER_SEQUENCE);
    der_raw(&d, tbs->buf, tbs->pos);
    pki_x509_pss_sha384(&d);
    der_bit_string(&d, sig, sig_size);
    der_close(&d, seq);
    out->der = malloc(d.pos);
    if (!der_done(&d) || out->der == NULL) {
        pki_cert_clear(out);
        return PSP_E_NOMEM;
    }
    memcpy(out->der, bytes, d.pos);
    out->size = d.pos;
    return PSP_OK;
}

void pki_cert_clear(struct pki_cert *cert)
{
    free(cert->der);
    cert->der = NULL;
    cert->size = 0;
}
