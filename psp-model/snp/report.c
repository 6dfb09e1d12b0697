/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "snp_id.h"
#include "snp_report.h"
#include "wire.h"

#define SIGNATURE_ALGO_P384 1u

_Static_assert(SNP_REPORT_RSP_HEADER + SNP_REPORT_SIZE == SNP_REPORT_RSP_SIZE,
               "the report ends the response");

enum snp_key_choice snp_key_choose(const struct snp_platform *snp,
                                   const struct snp_guest *guest,
                                   uint8_t key_sel)
{
    bool vlek = key_sel == SNP_KEY_SEL_VLEK ||
                (key_sel == SNP_KEY_SEL_AUTO && snp->vlek_en);

    if (key_sel >= SNP_KEY_SEL_RESERVED) {
        return SNP_CHOICE_NONE;
    }
    if (vlek) {
        return snp->vlek_en ? SNP_CHOICE_VLEK : SNP_CHOICE_NONE;
    }
    return guest->vcek_dis ? SNP_CHOICE_NONE : SNP_CHOICE_VCEK;
}

static struct snp_version version(const struct snp_version3 *v)
{
    return (struct snp_version){v->build, v->minor, v->major};
}

/* What the guest's launch decided. */
static void fill_guest(const struct snp_guest *g, struct snp_report *p)
{
    struct snp_id_block id;

    snp_id_block_decode(g->id_block, &id);
    p->guest_svn = id.guest_svn;
    memcpy(p->family_id, id.family_id, sizeof(p->family_id));
    memcpy(p->image_id, id.image_id, sizeof(p->image_id));
    p->policy = g->policy;
    memcpy(p->measurement, g->ld, sizeof(p->measurement));
    memcpy(p->host_data, g->host_data, sizeof(p->host_data));
    memcpy(p->id_key_digest, g->id_key_digest, sizeof(p->id_key_digest));
    memcpy(p->author_key_digest, g->author_key_digest,
           sizeof(p->author_key_digest));
    memcpy(p->report_id, g->report_id, sizeof(p->report_id));
    memcpy(p->report_id_ma, g->report_id_ma, sizeof(p->report_id_ma));
    p->launch_tcb = g->launch_tcb;
    p->launch_mit_vector = g->launch_mit_vector;
}

/* A profile comes from outside: it cannot make the field longer. */
static size_t chip_id_size(const struct psp_profile *profile)
{
    return profile->chip_id_size < PSP_CHIP_ID_SIZE ? profile->chip_id_size
                                                    : PSP_CHIP_ID_SIZE;
}

static void fill_platform(const struct snp_platform *snp, struct snp_report *p)
{
    const struct psp_profile *profile = &snp->core->profile;

    p->version = profile->report_version;
    p->signature_algo = SIGNATURE_ALGO_P384;
    p->current_tcb = snp->current_tcb;
    p->platform_info = snp_platform_info(snp);
    p->reported_tcb = snp->reported_tcb;
    p->cpuid_fam_id = profile->cpuid_family;
    p->cpuid_mod_id = profile->cpuid_model;
    p->cpuid_step = profile->cpuid_stepping;
    if (!snp->mask_chip_id) {
        memcpy(p->chip_id, snp->core->chip.id, chip_id_size(profile));
    }
    p->committed_tcb = snp->committed_tcb;
    p->current = version(&snp->current_version);
    p->committed = version(&snp->committed_version);
    p->current_mit_vector = snp->current_mit_vector;
}

static uint32_t key_info(const struct snp_platform *snp,
                         const struct snp_guest *guest, uint32_t signing_key)
{
    return (guest->author_key_en ? SNP_KEY_INFO_AUTHOR_KEY_EN : 0) |
           (snp->mask_chip_key ? SNP_KEY_INFO_MASK_CHIP_KEY : 0) |
           signing_key << 2;
}

/* The table of abi/snp.md §7.5. */
static enum psp_err signing_key(struct snp_platform *snp,
                                enum snp_key_choice choice, uint32_t *id,
                                const struct psp_p384_key **key)
{
    if (choice == SNP_CHOICE_VLEK) {
        *id = SNP_SIGNING_KEY_VLEK;
        *key = &snp->vlek;
        return PSP_OK;
    }
    if (snp->mask_chip_key) {
        *id = SNP_SIGNING_KEY_NONE;
        *key = NULL;
        return PSP_OK;
    }
    *id = SNP_SIGNING_KEY_VCEK;
    *key = &snp->vcek;
    return snp_keys_refresh(snp);
}

enum psp_err snp_report_answer(struct snp_platform *snp,
                               const struct snp_guest *guest,
                               const struct snp_report_req *req,
                               enum snp_key_choice choice,
                               uint8_t rsp[SNP_REPORT_RSP_SIZE],
                               const struct psp_p384_key **key)
{
    static const struct snp_report_rsp header = {
        .status = SEV_SUCCESS,
        .report_size = SNP_REPORT_SIZE,
    };
    struct snp_report report = {.vmpl = req->vmpl};
    uint32_t id = 0;
    enum psp_err err = signing_key(snp, choice, &id, key);

    if (err != PSP_OK) {
        return err;
    }
    memcpy(report.report_data, req->report_data, sizeof(report.report_data));
    report.key_info = key_info(snp, guest, id);
    fill_guest(guest, &report);
    fill_platform(snp, &report);
    snp_report_rsp_encode(&header, rsp);
    snp_report_encode(&report, rsp + SNP_REPORT_RSP_HEADER);
    return PSP_OK;
}

enum psp_err snp_report_sign(const struct psp_p384_key *key,
                             uint8_t rsp[SNP_REPORT_RSP_SIZE])
{
    uint8_t *report = rsp + SNP_REPORT_RSP_HEADER;
    uint8_t *signature = report + SNP_REPORT_SIGNED_SIZE;
    uint8_t digest[SHA384_SIZE];
    struct psp_p384_sig sig;
    enum psp_err err;

    psp_sha384(report, SNP_REPORT_SIGNED_SIZE, digest);
    err = psp_p384_sign(key, digest, &sig);
    if (err == PSP_OK) {
        psp_reverse(signature, sig.r, P384_SIZE);
        psp_reverse(signature + SNP_SIG_COMPONENT_SIZE, sig.s, P384_SIZE);
    }
    return err;
}
