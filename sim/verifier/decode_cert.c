/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_parts.h"
#include "leaf.h"
#include "simulated.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

/* RFC 2253 with everything escaped that is not printable ASCII. */
#define NAME_FLAGS XN_FLAG_RFC2253

static void put_name(struct tree *t, const char *key, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;

    if (bio == NULL) {
        t->bad = true;
        return;
    }
    if (X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) < 0 ||
        BIO_write(bio, "", 1) != 1 || BIO_get_mem_data(bio, &text) <= 0) {
        text = NULL;
    }
    tree_text(t, key, text != NULL ? text : "(unprintable)");
    BIO_free(bio);
}

static void put_time(struct tree *t, const char *key, const ASN1_TIME *time)
{
    struct tm tm;
    char text[64];

    if (time == NULL) {
        tree_null(t, key);
        return;
    }
    if (ASN1_TIME_to_tm(time, &tm) != 1) {
        tree_text(t, key, "(malformed)");
        return;
    }
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ",
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
             tm.tm_min, tm.tm_sec);
    tree_text(t, key, text);
}

static void put_integer(struct tree *t, const char *key,
                        const ASN1_INTEGER *number)
{
    BIGNUM *bn = ASN1_INTEGER_to_BN(number, NULL);
    char *text = bn != NULL ? BN_bn2hex(bn) : NULL;

    if (text != NULL) {
        tree_text(t, key, text);
    } else {
        tree_text(t, key, "(malformed)");
    }
    OPENSSL_free(text);
    BN_free(bn);
}

static void put_algorithm(struct tree *t, const X509_ALGOR *algor)
{
    const ASN1_OBJECT *oid = NULL;
    char text[80];

    switch (cert_pss_form(algor)) {
    case 'A':
        tree_text(t, "signature_algorithm", "RSASSA-PSS SHA-384, form A");
        return;
    case 'B':
        tree_text(t, "signature_algorithm", "RSASSA-PSS SHA-384, form B");
        return;
    default:
        X509_ALGOR_get0(&oid, NULL, NULL, algor);
        OBJ_obj2txt(text, sizeof(text), oid, 1);
        tree_text(t, "signature_algorithm", text);
    }
}

static void put_key(struct tree *t, X509 *x)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    char group[40] = "EC";
    char text[64] = "unknown";

    if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        snprintf(text, sizeof(text), "RSA-%d", EVP_PKEY_get_bits(key));
    } else if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        (void)EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
        snprintf(text, sizeof(text), "%s",
                 strcmp(group, "secp384r1") == 0 ? "P-384" : group);
    }
    tree_text(t, "public_key", text);
}

static void put_digest(struct tree *t, const X509 *x)
{
    uint8_t md[EVP_MAX_MD_SIZE];
    unsigned int n = 0;

    if (X509_digest(x, EVP_sha256(), md, &n) != 1) {
        t->bad = true;
        return;
    }
    tree_hex(t, "sha256", md, n);
}

static void put_extension(struct tree *list, X509_EXTENSION *e)
{
    struct tree t = tree_object();
    struct leaf_value v;
    char oid[80];

    leaf_value(e, &v);
    OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(e), 1);
    tree_text(&t, "oid", oid);
    if (v.name != NULL) {
        tree_text(&t, "name", v.name);
    } else if (OBJ_obj2nid(X509_EXTENSION_get_object(e)) != NID_undef) {
        tree_text(&t, "name",
                  OBJ_nid2sn(OBJ_obj2nid(X509_EXTENSION_get_object(e))));
    }
    tree_bool(&t, "critical", X509_EXTENSION_get_critical(e) != 0);
    if (v.name != NULL && v.ok && v.type == LEAF_INTEGER) {
        tree_int(&t, "content", v.number);
    } else if (v.name != NULL && v.ok && v.type == LEAF_TEXT) {
        tree_text(&t, "content", v.text);
    } else {
        tree_hex(&t, "content", v.raw, v.raw_size);
    }
    if (v.name != NULL && !v.ok) {
        tree_bool(&t, "malformed", true);
    }
    tree_append(list, &t);
}

static void put_extensions(struct tree *t, const X509 *x)
{
    struct tree list = tree_array();

    for (int i = 0; i < X509_get_ext_count(x); i++) {
        put_extension(&list, X509_get_ext(x, i));
    }
    tree_tree(t, "extensions", &list);
}

/* What the extensions of a leaf mean together. */
static void put_leaf(struct tree *t, const X509 *x)
{
    struct leaf_info info;
    char why[WHY_SIZE];

    if (!leaf_read(x, &info, why)) {
        tree_text(t, "extensions_error", why);
        return;
    }
    tree_int(t, "struct_version", info.struct_version);
    tree_text(t, "product_name", info.product_name);
    decode_tcb(t, "tcb", &info.tcb, info.generation);
    if (info.kind == CERT_VCEK) {
        tree_hex(t, "hw_id", info.hw_id, info.hw_id_size);
    } else {
        tree_text(t, "csp_id", info.csp_id);
    }
}

void decode_cert(X509 *x, struct tree *t)
{
    const X509_ALGOR *algor = NULL;
    enum cert_kind kind = cert_kind(x, NULL);

    X509_get0_signature(NULL, &algor, x);
    tree_text(t, "type", "certificate");
    tree_text(t, "kind",
              kind == CERT_UNKNOWN ? "unknown" : cert_kind_name(kind));
    tree_bool(t, "simulated", simulated_cert(x) != NULL);
    put_name(t, "subject", X509_get_subject_name(x));
    put_name(t, "issuer", X509_get_issuer_name(x));
    tree_int(t, "version", (uint32_t)X509_get_version(x) + 1);
    put_integer(t, "serial", X509_get0_serialNumber(x));
    put_time(t, "not_before", X509_get0_notBefore(x));
    put_time(t, "not_after", X509_get0_notAfter(x));
    put_algorithm(t, algor);
    put_key(t, x);
    if (kind == CERT_VCEK || kind == CERT_VLEK) {
        put_leaf(t, x);
    }
    put_extensions(t, x);
    put_digest(t, x);
    ERR_clear_error();
}

static void put_number(struct tree *t, X509_CRL *crl)
{
    ASN1_INTEGER *number =
        X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);

    if (number != NULL) {
        put_integer(t, "crl_number", number);
    }
    ASN1_INTEGER_free(number);
}

void decode_crl(X509_CRL *crl, struct tree *t)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    struct tree list = tree_array();
    const X509_ALGOR *algor = NULL;

    X509_CRL_get0_signature(crl, NULL, &algor);
    tree_text(t, "type", "crl");
    tree_bool(t, "simulated", simulated_crl(crl) != NULL);
    put_name(t, "issuer", X509_CRL_get_issuer(crl));
    put_number(t, crl);
    put_time(t, "this_update", X509_CRL_get0_lastUpdate(crl));
    put_time(t, "next_update", X509_CRL_get0_nextUpdate(crl));
    put_algorithm(t, algor);
    for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);
        struct tree row = tree_object();

        put_integer(&row, "serial", X509_REVOKED_get0_serialNumber(entry));
        put_time(&row, "date", X509_REVOKED_get0_revocationDate(entry));
        tree_append(&list, &row);
    }
    tree_tree(t, "revoked", &list);
    ERR_clear_error();
}
