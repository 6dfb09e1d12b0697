/* SPDX-License-Identifier: Apache-2.0 */
/* VCEK and VLEK certificates, abi/certs-kds.md §1.6 to §1.9. */
#include "x509.h"

#include <string.h>

#define SPL_MAX       127u
#define SPL_COUNT     8u
#define TCB_MICROCODE 7u /* the byte that may reach 255 */

/* An SPL extension: last arc of its OID, and its byte in TCB_VERSION. */
struct spl {
    uint8_t arc;
    uint8_t tcb_byte;
};

/* How the certificates of a generation differ; order of issue. */
struct leaf_profile {
    enum psp_generation generation;
    uint8_t struct_version;
    size_t hwid_size;
    const char *vcek_product;
    const char *vlek_product;
    struct spl spl[SPL_COUNT];
};

/* bl tee spl_4..spl_7 snp ucode, and: fmc bl tee snp spl_5..spl_7 ucode. */
#define SPL_V0                                                                 \
    {                                                                          \
        {1, 0}, {2, 1}, {4, 2}, {5, 3}, {6, 4}, {7, 5}, {3, 6},                \
        {                                                                      \
            8, 7                                                               \
        }                                                                      \
    }
#define SPL_V1                                                                 \
    {                                                                          \
        {9, 0}, {1, 1}, {2, 2}, {3, 3}, {5, 4}, {6, 5}, {7, 6},                \
        {                                                                      \
            8, 7                                                               \
        }                                                                      \
    }

static const struct leaf_profile PROFILES[] = {
    {PSP_MILAN, 0, 64, "Milan-B0", "Milan", SPL_V0},
    {PSP_GENOA, 0, 64, "Genoa", "Genoa", SPL_V0},
    {PSP_TURIN, 1, 8, "Turin", "Turin", SPL_V1},
};

static const struct leaf_profile *profile_of(const struct pki_ca *ca)
{
    for (size_t i = 0; i < sizeof(PROFILES) / sizeof(PROFILES[0]); i++) {
        if (PROFILES[i].generation == ca->generation) {
            return &PROFILES[i];
        }
    }
    return NULL;
}

bool pki_product_generation(const char *name, enum psp_generation *out)
{
    for (size_t i = 0; i < sizeof(PROFILES) / sizeof(PROFILES[0]); i++) {
        const char *line = psp_generation_name(PROFILES[i].generation);
        const char *rest = name + strlen(line);

        if (strncmp(name, line, strlen(line)) == 0 &&
            (rest[0] == '\0' ||
             (rest[0] == '-' && rest[1] >= 'A' && rest[1] <= 'Z' &&
              rest[2] >= '0' && rest[2] <= '9' && rest[3] == '\0'))) {
            *out = PROFILES[i].generation;
            return true;
        }
    }
    return false;
}

enum psp_err pki_ca_set_product_name(struct pki_ca *ca, const char *name)
{
    enum psp_generation said;

    if (!pki_product_generation(name, &said) || said != ca->generation) {
        return PSP_E_PARAM;
    }
    memcpy(ca->vcek_product, name, strlen(name) + 1); /* eight at most */
    return PSP_OK;
}

static bool tcb_in_range(enum psp_generation generation,
                         const struct psp_tcb *tcb)
{
    for (size_t i = 0; i < TCB_MICROCODE; i++) {
        if (tcb->b[i] > SPL_MAX) {
            return false;
        }
    }
    return psp_tcb_reserved_clear(generation, tcb);
}

/* Extension 1.3.6.1.4.1.3704.1.@arc, or ....1.3.@spl when @arc is 3. */
static struct pki_x509_ext amd_open(struct der *d, uint8_t arc, uint8_t spl)
{
    const uint8_t oid[10] = {0x2b, 0x06, 0x01, 0x04, 0x01,
                             0x9c, 0x78, 0x01, arc,  spl};

    return pki_x509_ext_open(d, oid, arc == 3 ? 10 : 9, false);
}

/* What the two kinds of leaf differ in. */
struct leaf {
    const char *cn;
    const char *product;
    const uint8_t *hwid; /* VCEK */
    const char *csp_id;  /* VLEK */
    enum pki_role issuer;
    const struct psp_p384_pub *pub;
    const struct psp_tcb *tcb;
};

static void extensions(struct der *d, const struct leaf_profile *profile,
                       const struct leaf *leaf)
{
    struct pki_x509_ext ext = amd_open(d, 1, 0);

    der_uint(d, profile->struct_version);
    pki_x509_ext_close(d, &ext);
    ext = amd_open(d, 2, 0);
    der_text(d, DER_IA5_STRING, leaf->product);
    pki_x509_ext_close(d, &ext);
    for (size_t i = 0; i < SPL_COUNT; i++) {
        ext = amd_open(d, 3, profile->spl[i].arc);
        der_uint(d, leaf->tcb->b[profile->spl[i].tcb_byte]);
        pki_x509_ext_close(d, &ext);
    }
    if (leaf->hwid != NULL) {
        ext = amd_open(d, 4, 0);
        der_raw(d, leaf->hwid, profile->hwid_size);
    } else {
        ext = amd_open(d, 5, 0);
        der_text(d, DER_IA5_STRING, leaf->csp_id);
    }
    pki_x509_ext_close(d, &ext);
}

static void spki_p384(struct der *d, const struct psp_p384_pub *pub)
{
    static const uint8_t head[24] = {
        0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
        0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};

    der_raw(d, head, sizeof(head));
    der_raw(d, pub->x, sizeof(pub->x));
    der_raw(d, pub->y, sizeof(pub->y));
}

static void leaf_tbs(struct der *d, const struct pki_ca *ca,
                     const struct leaf_profile *profile,
                     const struct leaf *leaf)
{
    size_t mark[3];

    mark[0] = der_open(d, DER_SEQUENCE);
    mark[1] = der_open(d, DER_CONTEXT_CONSTRUCTED(0));
    der_uint(d, 2); /* v3 */
    der_close(d, mark[1]);
    der_uint(d, 0); /* serial */
    pki_x509_pss_sha384(d);
    pki_x509_ca_name(d, ca, leaf->issuer);
    pki_x509_validity(d, X509_LEAF_NOT_BEFORE, X509_LEAF_NOT_AFTER);
    pki_x509_leaf_name(d, leaf->cn);
    spki_p384(d, leaf->pub);
    mark[1] = der_open(d, DER_CONTEXT_CONSTRUCTED(3));
    mark[2] = der_open(d, DER_SEQUENCE);
    extensions(d, profile, leaf);
    der_close(d, mark[2]);
    der_close(d, mark[1]);
    der_close(d, mark[0]);
}

static enum psp_err issue(struct pki_ca *ca, const struct leaf_profile *profile,
                          const struct leaf *leaf, struct pki_cert *out)
{
    uint8_t bytes[X509_TBS_MAX];
    struct der d = der(bytes, sizeof(bytes));

    leaf_tbs(&d, ca, profile, leaf);
    if (!der_done(&d)) {
        return PSP_E_CRYPTO;
    }
    return pki_x509_sign(ca, leaf->issuer, &d, out);
}

enum psp_err pki_vcek_cert(struct pki_ca *ca, const struct psp_chip *chip,
                           const struct psp_tcb *tcb, struct pki_cert *out)
{
    const struct leaf_profile *profile = profile_of(ca);
    struct psp_p384_key key;
    uint8_t seed[48];
    enum psp_err err;

    if (profile == NULL || !tcb_in_range(ca->generation, tcb)) {
        return PSP_E_PARAM;
    }
    pki_vcek_seed(chip->secret, tcb, seed);
    err = pki_vcek_from_seed(seed, &key);
    if (err == PSP_OK) {
        const struct leaf leaf = {.cn = "SEV-VCEK",
                                  .product = ca->vcek_product[0] != '\0'
                                                 ? ca->vcek_product
                                                 : profile->vcek_product,
                                  .hwid = chip->id,
                                  .issuer = PKI_ASK,
                                  .pub = &key.pub,
                                  .tcb = tcb};

        err = issue(ca, profile, &leaf, out);
    }
    psp_wipe(seed, sizeof(seed));
    psp_wipe(&key, sizeof(key));
    return err;
}

static bool csp_id_ok(const char *csp_id)
{
    size_t n = strnlen(csp_id, PKI_CSP_ID_MAX + 1);

    for (size_t i = 0; i < n; i++) {
        if (csp_id[i] < 0x20 || csp_id[i] > 0x7e) {
            return false;
        }
    }
    return n >= 1 && n <= PKI_CSP_ID_MAX;
}

enum psp_err pki_vlek_cert(struct pki_ca *ca, const char *csp_id,
                           const struct psp_tcb *tcb, struct pki_cert *out)
{
    const struct leaf_profile *profile = profile_of(ca);
    struct psp_p384_key key;
    uint8_t seed[48];
    enum psp_err err;

    if (profile == NULL || !tcb_in_range(ca->generation, tcb) ||
        !csp_id_ok(csp_id)) {
        return PSP_E_PARAM;
    }
    pki_vlek_seed(ca->seed, ca->generation, csp_id, tcb, seed);
    err = pki_vlek_from_seed(seed, &key);
    if (err == PSP_OK) {
        const struct leaf leaf = {.cn = "SEV-VLEK",
                                  .product = profile->vlek_product,
                                  .csp_id = csp_id,
                                  .issuer = PKI_ASVK,
                                  .pub = &key.pub,
                                  .tcb = tcb};

        err = issue(ca, profile, &leaf, out);
    }
    psp_wipe(seed, sizeof(seed));
    psp_wipe(&key, sizeof(key));
    return err;
}
