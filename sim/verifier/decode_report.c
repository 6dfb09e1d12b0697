/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_parts.h"
#include "simulated.h"
#include "wire.h"

#include <stdio.h>

struct flag {
    const char *name;
    unsigned int bit;
};

/* [56860 §4.3], abi/snp.md §5.5 */
static const struct flag POLICY[] = {
    {"smt", 16},
    {"reserved_17", 17},
    {"migrate_ma", 18},
    {"debug", 19},
    {"single_socket", 20},
    {"cxl_allow", 21},
    {"mem_aes_256_xts", 22},
    {"rapl_dis", 23},
    {"ciphertext_hiding_dram", 24},
    {"page_swap_disable", 25},
};

/* abi/snp.md §7.4 */
static const struct flag PLATFORM_INFO[] = {
    {"smt_en", 0},
    {"tsme_en", 1},
    {"ecc_en", 2},
    {"rapl_dis", 3},
    {"ciphertext_hiding_dram_en", 4},
    {"alias_check_complete", 5},
    {"bit_6", 6}, /* set by Turin, not in public tables */
    {"tio_en", 7},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void flags(struct tree *t, uint64_t value, const struct flag *flag,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tree_bool(t, flag[i].name, (value >> flag[i].bit & 1) != 0);
    }
}

static void reserved(struct tree *t, uint64_t bits)
{
    if (bits != 0) {
        tree_bits(t, "reserved", bits);
    }
}

static void put_policy(struct tree *t, uint64_t policy)
{
    struct tree p = tree_object();

    tree_bits(&p, "value", policy);
    tree_int(&p, "abi_major", (uint8_t)(policy >> 8));
    tree_int(&p, "abi_minor", (uint8_t)policy);
    flags(&p, policy, POLICY, COUNT(POLICY));
    reserved(&p, policy >> 26 << 26);
    tree_tree(t, "policy", &p);
}

static void put_platform_info(struct tree *t, uint64_t info)
{
    struct tree p = tree_object();

    tree_bits(&p, "value", info);
    flags(&p, info, PLATFORM_INFO, COUNT(PLATFORM_INFO));
    reserved(&p, info >> 8 << 8);
    tree_tree(t, "platform_info", &p);
}

static void put_key_info(struct tree *t, uint32_t info)
{
    static const char *const name[8] = {
        [SNP_SIGNING_KEY_VCEK] = "VCEK",
        [SNP_SIGNING_KEY_VLEK] = "VLEK",
        [SNP_SIGNING_KEY_NONE] = "none",
    };
    const char *key = name[SNP_KEY_INFO_SIGNING_KEY(info)];
    struct tree p = tree_object();

    tree_bits(&p, "value", info);
    tree_bool(&p, "author_key_en", (info & SNP_KEY_INFO_AUTHOR_KEY_EN) != 0);
    tree_bool(&p, "mask_chip_key", (info & SNP_KEY_INFO_MASK_CHIP_KEY) != 0);
    tree_text(&p, "signing_key", key != NULL ? key : "reserved");
    reserved(&p, info >> 5 << 5);
    tree_tree(t, "key_info", &p);
}

void decode_tcb(struct tree *t, const char *key, const struct psp_tcb *tcb,
                enum psp_generation generation)
{
    struct tree p = tree_object();

    tree_hex(&p, "value", tcb->b, PSP_TCB_SIZE);
    if (generation == PSP_TURIN) {
        tree_int(&p, "fmc", tcb->b[0]);
        tree_int(&p, "boot_loader", tcb->b[1]);
        tree_int(&p, "tee", tcb->b[2]);
        tree_int(&p, "snp", tcb->b[3]);
        tree_int(&p, "microcode", tcb->b[7]);
    } else if (generation != PSP_GENERATION_COUNT) {
        tree_int(&p, "boot_loader", tcb->b[0]);
        tree_int(&p, "tee", tcb->b[1]);
        tree_int(&p, "snp", tcb->b[6]);
        tree_int(&p, "microcode", tcb->b[7]);
    }
    tree_tree(t, key, &p);
}

/* The generation whose TCB layout the report has: known wherever the product
 * is, and in some cases where it is not. */
static enum psp_generation layout_of(const struct snp_report *r)
{
    enum psp_generation g = snp_report_generation(r);

    if (g != PSP_GENERATION_COUNT) {
        return g;
    }
    if (r->version == 2) {
        return psp_all_zero(r->chip_id, sizeof(r->chip_id))
                   ? PSP_GENERATION_COUNT
                   : PSP_MILAN;
    }
    return r->cpuid_fam_id == 0x19   ? PSP_MILAN
           : r->cpuid_fam_id == 0x1a ? PSP_TURIN
                                     : PSP_GENERATION_COUNT;
}

static void put_version(struct tree *t, const char *key,
                        const struct snp_version *v)
{
    char text[16];

    snprintf(text, sizeof(text), "%u.%u.%u", v->major, v->minor, v->build);
    tree_text(t, key, text);
}

/* As a number; longer only if bytes are set that a P-384 number cannot have. */
static void put_number(struct tree *t, const char *key,
                       const uint8_t le[SNP_SIG_COMPONENT_SIZE])
{
    size_t n = psp_all_zero(le + 48, SNP_SIG_COMPONENT_SIZE - 48)
                   ? 48
                   : SNP_SIG_COMPONENT_SIZE;
    uint8_t be[SNP_SIG_COMPONENT_SIZE];

    psp_reverse(be, le, n);
    tree_hex(t, key, be, n);
}

static void put_signature(struct tree *t, const struct snp_report *r)
{
    struct tree p = tree_object();

    put_number(&p, "r", r->r);
    put_number(&p, "s", r->s);
    tree_tree(t, "signature", &p);
}

static void put_product(struct tree *t, const struct snp_report *r)
{
    enum psp_generation g = snp_report_generation(r);

    if (g != PSP_GENERATION_COUNT) {
        tree_text(t, "product", psp_generation_name(g));
    } else {
        tree_null(t, "product");
    }
    if (psp_all_zero(r->chip_id, sizeof(r->chip_id))) {
        tree_null(t, "simulated");
    } else {
        tree_bool(t, "simulated", simulated_chip_id(r->chip_id) != NULL);
    }
}

static void put_identity(struct tree *t, const struct snp_report *r)
{
    tree_hex(t, "report_data", r->report_data, sizeof(r->report_data));
    tree_hex(t, "measurement", r->measurement, sizeof(r->measurement));
    tree_hex(t, "host_data", r->host_data, sizeof(r->host_data));
    tree_hex(t, "id_key_digest", r->id_key_digest, sizeof(r->id_key_digest));
    tree_hex(t, "author_key_digest", r->author_key_digest,
             sizeof(r->author_key_digest));
    tree_hex(t, "report_id", r->report_id, sizeof(r->report_id));
    tree_hex(t, "report_id_ma", r->report_id_ma, sizeof(r->report_id_ma));
}

void decode_report(const struct snp_report *r, struct tree *t)
{
    enum psp_generation layout = layout_of(r);

    tree_text(t, "type", "report");
    put_product(t, r);
    tree_int(t, "version", r->version);
    tree_int(t, "guest_svn", r->guest_svn);
    put_policy(t, r->policy);
    tree_hex(t, "family_id", r->family_id, sizeof(r->family_id));
    tree_hex(t, "image_id", r->image_id, sizeof(r->image_id));
    tree_int(t, "vmpl", r->vmpl);
    tree_int(t, "signature_algo", r->signature_algo);
    decode_tcb(t, "current_tcb", &r->current_tcb, layout);
    put_platform_info(t, r->platform_info);
    put_key_info(t, r->key_info);
    put_identity(t, r);
    decode_tcb(t, "reported_tcb", &r->reported_tcb, layout);
    if (r->version >= 3) {
        tree_int(t, "cpuid_fam_id", r->cpuid_fam_id);
        tree_int(t, "cpuid_mod_id", r->cpuid_mod_id);
        tree_int(t, "cpuid_step", r->cpuid_step);
    }
    tree_hex(t, "chip_id", r->chip_id, sizeof(r->chip_id));
    decode_tcb(t, "committed_tcb", &r->committed_tcb, layout);
    put_version(t, "current_version", &r->current);
    put_version(t, "committed_version", &r->committed);
    decode_tcb(t, "launch_tcb", &r->launch_tcb, layout);
    if (r->version >= 5) {
        tree_bits(t, "launch_mit_vector", r->launch_mit_vector);
        tree_bits(t, "current_mit_vector", r->current_mit_vector);
    }
    put_signature(t, r);
}
