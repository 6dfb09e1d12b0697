/* SPDX-License-Identifier: Apache-2.0 */
/* CA certificates and the CRL, abi/certs-kds.md §1.5 and §2.7. */
#include "x509.h"

#include <string.h>

#define DAY           86400u
#define CRL_LIFE_DAYS 45u

static const uint8_t OID_SKI[3] = {0x55, 0x1d, 0x0e};
static const uint8_t OID_KEY_USAGE[3] = {0x55, 0x1d, 0x0f};
static const uint8_t OID_BASIC_CONSTRAINTS[3] = {0x55, 0x1d, 0x13};
static const uint8_t OID_CRL_NUMBER[3] = {0x55, 0x1d, 0x14};
static const uint8_t OID_CRL_DP[3] = {0x55, 0x1d, 0x1f};

static void ext_raw(struct der *d, const uint8_t oid[3], bool critical,
                    const void *value, size_t size)
{
    struct pki_x509_ext ext = pki_x509_ext_open(d, oid, 3, critical);

    der_raw(d, value, size);
    pki_x509_ext_close(d, &ext);
}

static void ext_ski(struct der *d, const struct psp_rsa_pub *pub)
{
    struct pki_x509_ext ext = pki_x509_ext_open(d, OID_SKI, 3, false);
    uint8_t id[RSA_KEY_ID_SIZE];

    psp_rsa_key_id(pub, id);
    der_value(d, DER_OCTET_STRING, id, sizeof(id));
    pki_x509_ext_close(d, &ext);
}

/* AMD's own address, also when a stand-in serves it: verifiers compare it. */
static void ext_crl_dp(struct der *d, enum psp_generation generation,
                       const char *kind)
{
    struct pki_x509_ext ext = pki_x509_ext_open(d, OID_CRL_DP, 3, false);
    const char *const parts[] = {"https://kdsintf.amd.com/", kind, "/v1/",
                                 psp_generation_name(generation), "/crl"};
    size_t mark[5];

    mark[0] = der_open(d, DER_SEQUENCE);
    mark[1] = der_open(d, DER_SEQUENCE);
    mark[2] = der_open(d, DER_CONTEXT_CONSTRUCTED(0)); /* distributionPoint */
    mark[3] = der_open(d, DER_CONTEXT_CONSTRUCTED(0)); /* fullName */
    mark[4] = der_open(d, DER_CONTEXT(6));             /* URI */
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        der_raw(d, parts[i], strlen(parts[i]));
    }
    for (size_t i = 5; i > 0; i--) {
        der_close(d, mark[i - 1]);
    }
    pki_x509_ext_close(d, &ext);
}

static void ark_extensions(struct der *d, const struct pki_ca *ca,
                           const struct psp_rsa_pub *ark)
{
    ext_raw(d, OID_KEY_USAGE, true, "\x03\x02\x01\x06", 4);
    ext_ski(d, ark);
    ext_raw(d, OID_BASIC_CONSTRAINTS, true, "\x30\x03\x01\x01\xff", 5);
    ext_crl_dp(d, ca->generation, "vcek");
}

/* keyUsage declares one unused bit though two are: as in genuine ones. */
static void ask_extensions(struct der *d, const struct pki_ca *ca,
                           enum pki_role role, const struct psp_rsa_pub *own,
                           const struct psp_rsa_pub *ark)
{
    ext_ski(d, own);
    pki_x509_ext_aki(d, ark);
    ext_raw(d, OID_BASIC_CONSTRAINTS, true, "\x30\x06\x01\x01\xff\x02\x01\x00",
            8);
    ext_raw(d, OID_KEY_USAGE, true, "\x03\x02\x01\x04", 4);
    ext_crl_dp(d, ca->generation, role == PKI_ASVK ? "vlek" : "vcek");
}

static void spki_rsa(struct der *d, const struct psp_rsa_pub *pub)
{
    static const uint8_t algorithm[15] = {0x30, 0x0d, 0x06, 0x09, 0x2a,
                                          0x86, 0x48, 0x86, 0xf7, 0x0d,
                                          0x01, 0x01, 0x01, 0x05, 0x00};
    uint8_t key[RSA_PUB_DER_MAX];
    size_t size = psp_rsa_public_der(pub, key);
    size_t seq = der_open(d, DER_SEQUENCE);

    der_raw(d, algorithm, sizeof(algorithm));
    der_bit_string(d, key, size);
    der_close(d, seq);
}

static void ca_tbs(struct der *d, const struct pki_ca *ca, enum pki_role role,
                   const struct psp_rsa_pub *own, const struct psp_rsa_pub *ark)
{
    size_t mark[3];

    mark[0] = der_open(d, DER_SEQUENCE);
    mark[1] = der_open(d, DER_CONTEXT_CONSTRUCTED(0));
    der_uint(d, 2); /* v3 */
    der_close(d, mark[1]);
    der_uint(d, pki_x509_ca_serial(ca->generation, role));
    pki_x509_pss_sha384(d);
    pki_x509_ca_name(d, ca, PKI_ARK);
    pki_x509_validity(d, X509_CA_NOT_BEFORE, X509_CA_NOT_AFTER);
    pki_x509_ca_name(d, ca, role);
    spki_rsa(d, own);
    mark[1] = der_open(d, DER_CONTEXT_CONSTRUCTED(3));
    mark[2] = der_open(d, DER_SEQUENCE);
    if (role == PKI_ARK) {
        ark_extensions(d, ca, ark);
    } else {
        ask_extensions(d, ca, role, own, ark);
    }
    der_close(d, mark[2]);
    der_close(d, mark[1]);
    der_close(d, mark[0]);
}

enum psp_err pki_ca_cert(struct pki_ca *ca, enum pki_role role,
                         const struct pki_cert **out)
{
    const struct psp_rsa_key *own, *ark;
    uint8_t bytes[X509_TBS_MAX];
    struct der d = der(bytes, sizeof(bytes));
    enum psp_err err;

    if (!pki_x509_exists(ca->generation) ||
        (unsigned int)role >= PKI_ROLE_COUNT) {
        return PSP_E_PARAM;
    }
    if (ca->cert[role].der != NULL) {
        *out = &ca->cert[role];
        return PSP_OK;
    }
    err = pki_ca_rsa(ca, PKI_ARK, &ark);
    if (err == PSP_OK) {
        err = pki_ca_rsa(ca, role, &own);
    }
    if (err != PSP_OK) {
        return err;
    }
    ca_tbs(&d, ca, role, psp_rsa_public(own), psp_rsa_public(ark));
    if (!der_done(&d)) {
        return PSP_E_CRYPTO;
    }
    err = pki_x509_sign(ca, PKI_ARK, &d, &ca->cert[role]);
    if (err == PSP_OK) {
        *out = &ca->cert[role];
    }
    return err;
}

static void crl_tbs(struct der *d, const struct pki_ca *ca,
                    const struct psp_rsa_pub *ark, uint64_t day,
                    uint32_t number, bool revoke_ask)
{
    struct pki_x509_ext ext;
    size_t mark[3];

    mark[0] = der_open(d, DER_SEQUENCE);
    der_uint(d, 1); /* v2 */
    pki_x509_pss_sha384(d);
    pki_x509_ca_name(d, ca, PKI_ARK);
    der_utc_time(d, day * DAY);
    der_utc_time(d, (day + CRL_LIFE_DAYS) * DAY);
    if (revoke_ask) { /* absent when empty */
        mark[1] = der_open(d, DER_SEQUENCE);
        mark[2] = der_open(d, DER_SEQUENCE);
        der_uint(d, pki_x509_ca_serial(ca->generation, PKI_ASK));
        der_utc_time(d, day * DAY);
        der_close(d, mark[2]);
        der_close(d, mark[1]);
    }
    mark[1] = der_open(d, DER_CONTEXT_CONSTRUCTED(0));
    mark[2] = der_open(d, DER_SEQUENCE);
    pki_x509_ext_aki(d, ark);
    ext = pki_x509_ext_open(d, OID_CRL_NUMBER, 3, false);
    der_uint(d, number);
    pki_x509_ext_close(d, &ext);
    der_close(d, mark[2]);
    der_close(d, mark[1]);
    der_close(d, mark[0]);
}

enum psp_err pki_crl(struct pki_ca *ca, uint64_t now, uint32_t number,
                     bool revoke_ask, struct pki_cert *out)
{
    const struct psp_rsa_key *ark;
    uint8_t bytes[X509_TBS_MAX];
    struct der d = der(bytes, sizeof(bytes));
    enum psp_err err;

    if (!pki_x509_exists(ca->generation)) {
        return PSP_E_PARAM;
    }
    err = pki_ca_rsa(ca, PKI_ARK, &ark);
    if (err != PSP_OK) {
        return err;
    }
    crl_tbs(&d, ca, psp_rsa_public(ark), now / DAY, number, revoke_ask);
    if (!der_done(&d)) {
        return PSP_E_PARAM; /* the date */
    }
    return pki_x509_sign(ca, PKI_ARK, &d, out);
}
