/* SPDX-License-Identifier: Apache-2.0 */
#include "cert.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RSA_BITS        4096
#define RSA_EXPONENT    65537u
#define P384_POINT_SIZE 97

/* Signature AlgorithmIdentifier, abi/certs-kds.md §1.2. */
static const uint8_t PSS_FORM_A[] = {
    0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x0a, 0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
    0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a,
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30,
    0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
    0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30};
static const uint8_t PSS_TRAILER[] = {0xa3, 0x03, 0x02, 0x01, 0x01};
#define PSS_PARAMS_AT 14 /* length octet of the parameters */

/* SubjectPublicKeyInfo algorithms: rsaEncryption with NULL; P-384 by name. */
static const uint8_t SPKI_RSA[] = {0x30, 0x0d, 0x06, 0x09, 0x2a,
                                   0x86, 0x48, 0x86, 0xf7, 0x0d,
                                   0x01, 0x01, 0x01, 0x05, 0x00};
static const uint8_t SPKI_P384[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                    0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};

static const uint8_t AMD_ARC[] = {0x2b, 0x06, 0x01, 0x04,
                                  0x01, 0x9c, 0x78, 0x01};

__attribute__((format(printf, 2, 3))) static bool no(char *why, const char *fmt,
                                                     ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, WHY_SIZE, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- names ---- */

static bool printable(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

bool cert_name_text(const X509_NAME *name, int nid, char *out, size_t size)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    const ASN1_STRING *s;
    size_t n;

    out[0] = '\0';
    if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0) {
        return false;
    }
    s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    n = s != NULL ? (size_t)ASN1_STRING_length(s) : size;
    if (n >= size || !printable(ASN1_STRING_get0_data(s), n)) {
        return false;
    }
    memcpy(out, ASN1_STRING_get0_data(s), n);
    out[n] = '\0';
    return true;
}

static enum psp_generation product_named(const char *text)
{
    for (enum psp_generation g = PSP_MILAN; g < PSP_GENERATION_COUNT; g++) {
        if (strcmp(text, psp_generation_name(g)) == 0) {
            return g;
        }
    }
    return PSP_GENERATION_COUNT;
}

enum cert_kind cert_kind_of_name(const X509_NAME *name,
                                 enum psp_generation *product)
{
    static const struct {
        const char *prefix;
        enum cert_kind kind;
    } ca[] = {{"ARK-", CERT_ARK}, {"SEV-VLEK-", CERT_ASVK}, {"SEV-", CERT_ASK}};
    enum psp_generation unused = PSP_GENERATION_COUNT;
    char cn[CERT_NAME_SIZE];

    product = product != NULL ? product : &unused;
    *product = PSP_GENERATION_COUNT;
    if (!cert_name_text(name, NID_commonName, cn, sizeof(cn))) {
        return CERT_UNKNOWN;
    }
    if (strcmp(cn, "SEV-VCEK") == 0) {
        return CERT_VCEK;
    }
    if (strcmp(cn, "SEV-VLEK") == 0) {
        return CERT_VLEK;
    }
    for (size_t i = 0; i < sizeof(ca) / sizeof(ca[0]); i++) {
        size_t n = strlen(ca[i].prefix);

        if (strncmp(cn, ca[i].prefix, n) == 0 &&
            (*product = product_named(cn + n)) != PSP_GENERATION_COUNT) {
            return ca[i].kind;
        }
    }
    return CERT_UNKNOWN;
}

enum cert_kind cert_kind(const X509 *x, enum psp_generation *product)
{
    return cert_kind_of_name(X509_get_subject_name(x), product);
}

const char *cert_kind_name(enum cert_kind kind)
{
    static const char *const name[] = {
        [CERT_UNKNOWN] = "certificate",
        [CERT_ARK] = "ARK",
        [CERT_ASK] = "ASK",
        [CERT_ASVK] = "ASVK",
        [CERT_VCEK] = "VCEK",
        [CERT_VLEK] = "VLEK",
    };

    return name[kind];
}

bool cert_name_is_amds(const X509_NAME *name, char *why)
{
    static const struct {
        int nid;
        const char *value;
    } want[] = {
        {NID_organizationalUnitName, "Engineering"},
        {NID_countryName, "US"},
        {NID_localityName, "Santa Clara"},
        {NID_stateOrProvinceName, "CA"},
        {NID_organizationName, "Advanced Micro Devices"},
    };
    char text[CERT_NAME_SIZE];

    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        if (!cert_name_text(name, want[i].nid, text, sizeof(text)) ||
            strcmp(text, want[i].value) != 0) {
            return no(why, "name lacks %s=%s", OBJ_nid2sn(want[i].nid),
                      want[i].value);
        }
    }
    return true;
}

/* ---- algorithms and keys ---- */

static bool algor_is(const X509_ALGOR *algor, const uint8_t *der, size_t size)
{
    uint8_t *got = NULL;
    int n = i2d_X509_ALGOR(algor, &got);
    bool same = n > 0 && (size_t)n == size && memcmp(got, der, size) == 0;

    OPENSSL_free(got);
    return same;
}

char cert_pss_form(const X509_ALGOR *algor)
{
    uint8_t form_b[sizeof(PSS_FORM_A) + sizeof(PSS_TRAILER)];

    if (algor_is(algor, PSS_FORM_A, sizeof(PSS_FORM_A))) {
        return 'A';
    }
    memcpy(form_b, PSS_FORM_A, sizeof(PSS_FORM_A));
    memcpy(form_b + sizeof(PSS_FORM_A), PSS_TRAILER, sizeof(PSS_TRAILER));
    form_b[1] = (uint8_t)(form_b[1] + sizeof(PSS_TRAILER));
    form_b[PSS_PARAMS_AT] =
        (uint8_t)(form_b[PSS_PARAMS_AT] + sizeof(PSS_TRAILER));
    return algor_is(algor, form_b, sizeof(form_b)) ? 'B' : 0;
}

bool cert_signature_algorithm_ok(const X509 *x)
{
    const X509_ALGOR *inner = X509_get0_tbs_sigalg(x);
    const X509_ALGOR *outer = NULL;

    X509_get0_signature(NULL, &outer, x);
    return cert_pss_form(inner) != 0 &&
           cert_pss_form(inner) == cert_pss_form(outer);
}

static bool spki_is(const X509 *x, const uint8_t *der, size_t size,
                    const unsigned char **key, int *key_size)
{
    X509_ALGOR *algor = NULL;

    return X509_PUBKEY_get0_param(NULL, key, key_size, &algor,
                                  X509_get_X509_PUBKEY(x)) == 1 &&
           algor_is(algor, der, size);
}

static bool rsa_key_ok(X509 *x, char *why)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    const unsigned char *bits;
    BIGNUM *e = NULL;
    int n = 0;
    bool ok;

    if (!spki_is(x, SPKI_RSA, sizeof(SPKI_RSA), &bits, &n) || key == NULL ||
        EVP_PKEY_get_bits(key) != RSA_BITS) {
        return no(why, "key is not RSA-%d", RSA_BITS);
    }
    ok =
        EVP_PKEY_get_bn_param(key, "e", &e) == 1 && BN_is_word(e, RSA_EXPONENT);
    BN_free(e);
    return ok || no(why, "RSA exponent is not %u", RSA_EXPONENT);
}

static bool p384_key_ok(X509 *x, char *why)
{
    const unsigned char *point = NULL;
    int n = 0;

    if (!spki_is(x, SPKI_P384, sizeof(SPKI_P384), &point, &n) ||
        n != P384_POINT_SIZE || point[0] != 0x04 ||
        X509_get0_pubkey(x) == NULL) {
        return no(why, "key is not an uncompressed point on P-384");
    }
    return true;
}

/* ---- extensions ---- */

bool cert_extensions_unique(const X509 *x, char *why)
{
    int n = X509_get_ext_count(x);

    if (n > CERT_EXT_MAX) {
        return no(why, "%d extensions", n);
    }
    for (int i = 0; i < n; i++) {
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(X509_get_ext(x, i));

        if (X509_get_ext_by_OBJ(x, oid, i) >= 0) {
            char text[80];

            OBJ_obj2txt(text, sizeof(text), oid, 1);
            return no(why, "extension %s occurs twice", text);
        }
    }
    return true;
}

bool cert_oid_is_amds(const ASN1_OBJECT *oid, const unsigned char **suffix,
                      size_t *size)
{
    const unsigned char *der = OBJ_get0_data(oid);
    size_t n = OBJ_length(oid);

    if (n <= sizeof(AMD_ARC) || memcmp(der, AMD_ARC, sizeof(AMD_ARC)) != 0) {
        return false;
    }
    *suffix = der + sizeof(AMD_ARC);
    *size = n - sizeof(AMD_ARC);
    return true;
}

static bool evaluated(const ASN1_OBJECT *oid)
{
    const unsigned char *suffix;
    size_t n;
    int nid = OBJ_obj2nid(oid);

    return nid == NID_basic_constraints || nid == NID_key_usage ||
           cert_oid_is_amds(oid, &suffix, &n);
}

static bool critical_all_evaluated(const X509 *x, char *why)
{
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *e = X509_get_ext(x, i);

        if (X509_EXTENSION_get_critical(e) &&
            !evaluated(X509_EXTENSION_get_object(e))) {
            char text[80];

            OBJ_obj2txt(text, sizeof(text), X509_EXTENSION_get_object(e), 1);
            return no(why, "unknown critical extension %s", text);
        }
    }
    return true;
}

/* What holds for CAs and leaves alike. */
static bool common_ok(X509 *x, char *why)
{
    if (X509_get_version(x) != X509_VERSION_3) {
        return no(why, "X.509 version is not 3");
    }
    if (!cert_signature_algorithm_ok(x)) {
        return no(why, "signature algorithm is not RSASSA-PSS with SHA-384, "
                       "MGF1-SHA-384, salt 48");
    }
    if (!cert_extensions_unique(x, why) || !critical_all_evaluated(x, why)) {
        return false;
    }
    if ((X509_get_extension_flags(x) & EXFLAG_INVALID) != 0) {
        return no(why, "a standard extension is malformed");
    }
    return true;
}

bool cert_is_ca(X509 *x, int below, char *why)
{
    long room;

    if (!common_ok(x, why) || !rsa_key_ok(x, why)) {
        return false;
    }
    if ((X509_get_extension_flags(x) & EXFLAG_CA) == 0 ||
        X509_get_ext_by_NID(x, NID_basic_constraints, -1) < 0) {
        return no(why, "basicConstraints does not make it a CA");
    }
    if (X509_get_ext_by_NID(x, NID_key_usage, -1) < 0 ||
        (X509_get_key_usage(x) & KU_KEY_CERT_SIGN) == 0) {
        return no(why, "keyUsage lacks keyCertSign");
    }
    room = X509_get_pathlen(x);
    if (room >= 0 && room < below) {
        return no(why, "pathLenConstraint %ld is too small", room);
    }
    return true;
}

bool cert_is_end_entity(X509 *x, char *why)
{
    if (!common_ok(x, why) || !p384_key_ok(x, why)) {
        return false;
    }
    if ((X509_get_extension_flags(x) & EXFLAG_CA) != 0) {
        return no(why, "basicConstraints makes the leaf a CA");
    }
    if (X509_get_ext_by_NID(x, NID_key_usage, -1) >= 0 &&
        (X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE) == 0) {
        return no(why, "keyUsage lacks digitalSignature");
    }
    return true;
}

bool cert_issued_by(X509 *child, X509 *issuer, char *why)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    int relation = X509_check_issued(issuer, child);
    bool ok;

    if (X509_NAME_cmp(X509_get_issuer_name(child),
                      X509_get_subject_name(issuer)) != 0) {
        return no(why, "issuer name is not the signer's subject");
    }
    if (relation != X509_V_OK) {
        return no(why, "%s", X509_verify_cert_error_string(relation));
    }
    if (!cert_signature_algorithm_ok(child)) {
        return no(why, "signature algorithm is not AMD's RSASSA-PSS");
    }
    ok = key != NULL && X509_verify(child, key) == 1;
    ERR_clear_error();
    return ok || no(why, "signature does not verify");
}
