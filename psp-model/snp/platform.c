/* SPDX-License-Identifier: Apache-2.0 */
/* State of the platform, and its keys. */
#include "snp.h"

#include "snp_status.h"

#include <string.h>

/* PLATFORM_INFO bits that follow the platform's state. abi/snp.md §7.4 */
#define INFO_RAPL_DIS          0x08u
#define INFO_CIPHERTEXT_HIDING 0x10u

enum psp_err snp_init(struct snp_platform *snp, struct psp_core *core)
{
    const struct psp_profile *p = &core->profile;

    memset(snp, 0, sizeof(*snp));
    snp->core = core;
    snp->max_snp_asid = p->asid_count;
    snp->current_tcb = p->tcb;
    snp->committed_tcb = p->tcb;
    snp->reported_tcb = p->tcb;
    snp_version_follow(snp);
    snp->committed_version = snp->current_version;
    snp->current_mit_vector = p->mit_vector;
    return PSP_OK;
}

void snp_version_follow(struct snp_platform *snp)
{
    const struct psp_profile *p = &snp->core->profile;

    snp->current_version = (struct snp_version3){
        .major = p->api_major,
        .minor = p->api_minor,
        .build = p->build,
    };
}

void snp_clear(struct snp_platform *snp)
{
    snp_guest_remove_all(snp);
    core_free(snp->guests, snp->bucket_count * sizeof(struct snp_guest *));
    psp_wipe(snp, sizeof(*snp));
}

bool snp_is_init(const struct snp_platform *snp)
{
    return snp->core->snp_state == SNP_PLATFORM_INIT;
}

bool snp_page_ok(const struct snp_platform *snp, uint64_t spa)
{
    return core_range_ok(snp->core, spa, RMP_PAGE_SIZE);
}

bool snp_has_feature(const struct snp_platform *snp, uint32_t feature)
{
    return (snp->core->profile.feature_ecx & feature) != 0;
}

uint64_t snp_platform_info(const struct snp_platform *snp)
{
    const uint64_t own = INFO_RAPL_DIS | INFO_CIPHERTEXT_HIDING;

    return (snp->core->profile.platform_info & ~own) |
           (snp->rapl_dis ? INFO_RAPL_DIS : 0) |
           (snp->ciphertext_hiding_en ? INFO_CIPHERTEXT_HIDING : 0);
}

/* Seed and signing key of one TCB. */
struct vcek {
    uint8_t seed[48];
    struct psp_p384_key key;
};

static enum psp_err vcek_derive(const struct snp_platform *snp,
                                const struct psp_tcb *tcb, struct vcek *vcek)
{
    pki_vcek_seed(snp->core->chip.secret, tcb, vcek->seed);
    return pki_vcek_from_seed(vcek->seed, &vcek->key);
}

static void vcek_install(struct snp_platform *snp, const struct vcek *vcek)
{
    memcpy(snp->vcek_seed, vcek->seed, sizeof(snp->vcek_seed));
    snp->vcek = vcek->key;
    snp->vcek_ready = true;
}

enum psp_err snp_keys_refresh(struct snp_platform *snp)
{
    struct vcek vcek;
    enum psp_err err;

    if (snp->vcek_ready) {
        return PSP_OK;
    }
    err = vcek_derive(snp, &snp->reported_tcb, &vcek);
    if (err == PSP_OK) {
        vcek_install(snp, &vcek);
    }
    psp_wipe(&vcek, sizeof(vcek));
    return err;
}

void snp_vlek_drop(struct snp_platform *snp)
{
    snp->vlek_en = false;
    psp_wipe(snp->vlek_seed, sizeof(snp->vlek_seed));
    psp_wipe(&snp->vlek, sizeof(snp->vlek));
}

enum psp_err snp_set_reported(struct snp_platform *snp,
                              const struct psp_tcb *tcb)
{
    struct vcek vcek;
    enum psp_err err;

    if (memcmp(tcb, &snp->reported_tcb, sizeof(*tcb)) == 0) {
        return PSP_OK;
    }
    err = vcek_derive(snp, tcb, &vcek);
    if (err == PSP_OK) {
        snp->reported_tcb = *tcb;
        vcek_install(snp, &vcek);
        snp_vlek_drop(snp);
    }
    psp_wipe(&vcek, sizeof(vcek));
    return err;
}

enum psp_err snp_commit(struct snp_platform *snp)
{
    enum psp_err err = snp_set_reported(snp, &snp->current_tcb);

    if (err == PSP_OK) {
        snp->reported_set = false;
        snp->committed_tcb = snp->current_tcb;
        snp->committed_version = snp->current_version;
    }
    return err;
}
