/* SPDX-License-Identifier: Apache-2.0 */
#include "leaf.h"

#include <openssl/asn1.h>

#include <stdio.h>
#include <string.h>

#define NONE     (-1)
#define SPL_MAX  0x7f
#define TURIN_ID 8u

enum {
    EXT_STRUCT_VERSION,
    EXT_PRODUCT_NAME,
    EXT_BL,
    EXT_TEE,
    EXT_SNP,
    EXT_SPL_4,
    EXT_SPL_5,
    EXT_SPL_6,
    EXT_SPL_7,
    EXT_UCODE,
    EXT_FMC,
    EXT_HW_ID,
    EXT_CSP_ID,
    EXT_COUNT,
};

/* @tcb: the component's byte in TCB_VERSION for structVersion 0 and 1; NONE:
 * no component, or not in that structVersion's set. */
static const struct row {
    uint8_t suffix[2];
    uint8_t suffix_size;
    uint8_t type;
    uint8_t max;
    int8_t tcb[2];
    const char *name;
} ROWS[EXT_COUNT] = {
    [EXT_STRUCT_VERSION] =
        {{1}, 1, LEAF_INTEGER, 1, {NONE, NONE}, "structVersion"},
    [EXT_PRODUCT_NAME] = {{2}, 1, LEAF_TEXT, 0, {NONE, NONE}, "productName"},
    [EXT_BL] = {{3, 1}, 2, LEAF_INTEGER, SPL_MAX, {0, 1}, "blSPL"},
    [EXT_TEE] = {{3, 2}, 2, LEAF_INTEGER, SPL_MAX, {1, 2}, "teeSPL"},
    [EXT_SNP] = {{3, 3}, 2, LEAF_INTEGER, SPL_MAX, {6, 3}, "snpSPL"},
    [EXT_SPL_4] = {{3, 4}, 2, LEAF_INTEGER, SPL_MAX, {2, NONE}, "spl_4"},
    [EXT_SPL_5] = {{3, 5}, 2, LEAF_INTEGER, SPL_MAX, {3, 4}, "spl_5"},
    [EXT_SPL_6] = {{3, 6}, 2, LEAF_INTEGER, SPL_MAX, {4, 5}, "spl_6"},
    [EXT_SPL_7] = {{3, 7}, 2, LEAF_INTEGER, SPL_MAX, {5, 6}, "spl_7"},
    [EXT_UCODE] = {{3, 8}, 2, LEAF_INTEGER, 0xff, {7, 7}, "ucodeSPL"},
    [EXT_FMC] = {{3, 9}, 2, LEAF_INTEGER, SPL_MAX, {NONE, 0}, "fmcSPL"},
    [EXT_HW_ID] = {{4}, 1, LEAF_RAW, 0, {NONE, NONE}, "hwID"},
    [EXT_CSP_ID] = {{5}, 1, LEAF_TEXT, 0, {NONE, NONE}, "cspID"},
};

static int row_of(const ASN1_OBJECT *oid)
{
    const unsigned char *suffix;
    size_t n;

    if (!cert_oid_is_amds(oid, &suffix, &n)) {
        return NONE;
    }
    for (int i = 0; i < EXT_COUNT; i++) {
        if (n == ROWS[i].suffix_size &&
            memcmp(suffix, ROWS[i].suffix, n) == 0) {
            return i;
        }
    }
    return NONE;
}

/* INTEGER 0..255 in the fewest bytes. */
static bool read_integer(const uint8_t *p, size_t n, uint8_t *out)
{
    if (n == 3 && p[0] == 0x02 && p[1] == 1 && p[2] <= 0x7f) {
        *out = p[2];
        return true;
    }
    if (n == 4 && p[0] == 0x02 && p[1] == 2 && p[2] == 0 && p[3] >= 0x80) {
        *out = p[3];
        return true;
    }
    return false;
}

/* IA5String with a short length; printable, so that it can be shown. */
static bool read_text(const uint8_t *p, size_t n, char out[LEAF_TEXT_SIZE])
{
    if (n < 3 || p[0] != 0x16 || p[1] != n - 2 || n - 2 >= LEAF_TEXT_SIZE) {
        return false;
    }
    for (size_t i = 2; i < n; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e) {
            return false;
        }
    }
    memcpy(out, p + 2, n - 2);
    out[n - 2] = '\0';
    return true;
}

void leaf_value(X509_EXTENSION *extension, struct leaf_value *out)
{
    const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(extension);
    int i = row_of(X509_EXTENSION_get_object(extension));

    memset(out, 0, sizeof(*out));
    out->raw = ASN1_STRING_get0_data(data);
    out->raw_size = (size_t)ASN1_STRING_length(data);
    if (i == NONE) {
        return;
    }
    out->name = ROWS[i].name;
    out->type = ROWS[i].type;
    switch (out->type) {
    case LEAF_INTEGER:
        out->ok = read_integer(out->raw, out->raw_size, &out->number) &&
                  out->number <= ROWS[i].max;
        break;
    case LEAF_TEXT:
        out->ok = read_text(out->raw, out->raw_size, out->text);
        break;
    case LEAF_RAW:
        out->ok =
            out->raw_size == PSP_CHIP_ID_SIZE || out->raw_size == TURIN_ID;
        break;
    }
}

static bool no(char *why, const char *what, const char *name)
{
    snprintf(why, WHY_SIZE, "%s %s", name, what);
    return false;
}

/* "Milan", "Milan-B0": the product, then nothing or a stepping. */
static enum psp_generation generation_of(const char *product_name)
{
    for (enum psp_generation g = PSP_MILAN; g < PSP_GENERATION_COUNT; g++) {
        const char *name = psp_generation_name(g);
        const char *rest = product_name + strlen(name);

        if (strncmp(product_name, name, strlen(name)) != 0) {
            continue;
        }
        if (rest[0] == '\0' ||
            (rest[0] == '-' && rest[1] >= 'A' && rest[1] <= 'Z' &&
             rest[2] >= '0' && rest[2] <= '9' && rest[3] == '\0')) {
            return g;
        }
    }
    return PSP_GENERATION_COUNT;
}

static bool belongs(int i, enum cert_kind kind, uint8_t struct_version)
{
    switch (i) {
    case EXT_STRUCT_VERSION:
    case EXT_PRODUCT_NAME:
        return true;
    case EXT_HW_ID:
        return kind == CERT_VCEK;
    case EXT_CSP_ID:
        return kind == CERT_VLEK;
    default:
        return ROWS[i].tcb[struct_version] != NONE;
    }
}

static bool collect(const X509 *x, struct leaf_value value[EXT_COUNT],
                    char *why)
{
    for (int k = 0; k < X509_get_ext_count(x); k++) {
        X509_EXTENSION *e = X509_get_ext(x, k);
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(e);
        const unsigned char *suffix;
        size_t n;
        int i = row_of(oid);

        if (i == NONE && cert_oid_is_amds(oid, &suffix, &n)) {
            char text[80];

            OBJ_obj2txt(text, sizeof(text), oid, 1);
            return no(why, "is no known AMD extension", text);
        }
        if (i == NONE) {
            continue;
        }
        leaf_value(e, &value[i]);
        if (!value[i].ok) {
            return no(why, "is malformed or out of range", value[i].name);
        }
    }
    return true;
}

static bool set_fits(const struct leaf_value value[EXT_COUNT],
                     enum cert_kind kind, char *why)
{
    uint8_t version = value[EXT_STRUCT_VERSION].number;

    for (int i = 0; i < EXT_COUNT; i++) {
        bool present = value[i].name != NULL;

        if (present != belongs(i, kind, version)) {
            return no(why,
                      present ? "does not belong to this kind of certificate"
                              : "is missing",
                      ROWS[i].name);
        }
    }
    return true;
}

static void fill(const struct leaf_value value[EXT_COUNT],
                 struct leaf_info *out)
{
    out->struct_version = value[EXT_STRUCT_VERSION].number;
    memcpy(out->product_name, value[EXT_PRODUCT_NAME].text, LEAF_TEXT_SIZE);
    memcpy(out->csp_id, value[EXT_CSP_ID].text, LEAF_TEXT_SIZE);
    out->generation = generation_of(out->product_name);
    for (int i = 0; i < EXT_COUNT; i++) {
        int at = ROWS[i].tcb[out->struct_version];

        if (value[i].name != NULL && at != NONE) {
            out->tcb.b[at] = value[i].number;
        }
    }
    out->hw_id_size = value[EXT_HW_ID].raw_size;
    if (out->hw_id_size > 0) {
        memcpy(out->hw_id, value[EXT_HW_ID].raw, out->hw_id_size);
    }
}

bool leaf_read(const X509 *x, struct leaf_info *out, char *why)
{
    struct leaf_value value[EXT_COUNT];
    bool turin;

    memset(value, 0, sizeof(value));
    memset(out, 0, sizeof(*out));
    out->kind = cert_kind(x, NULL);
    if (out->kind != CERT_VCEK && out->kind != CERT_VLEK) {
        return no(why, "is neither SEV-VCEK nor SEV-VLEK", "common name");
    }
    if (!cert_extensions_unique(x, why) || !collect(x, value, why) ||
        !set_fits(value, out->kind, why)) {
        return false;
    }
    fill(value, out);
    if (out->generation == PSP_GENERATION_COUNT) {
        return no(why, "names no known product", "productName");
    }
    turin = psp_tcb_is_turin_layout(out->generation);
    if (out->struct_version != (turin ? 1 : 0)) {
        return no(why, "does not fit productName", "structVersion");
    }
    if (out->kind == CERT_VCEK &&
        out->hw_id_size != (turin ? TURIN_ID : PSP_CHIP_ID_SIZE)) {
        return no(why, "has the wrong size for the product", "hwID");
    }
    return true;
}
