/* SPDX-License-Identifier: Apache-2.0 */
#include "derive.h"
#include "message.h"
#include "report.h"

#include "snp_id.h"

#include <string.h>

#define GFS_V1 0x3fu
#define GFS_V2 0x7fu

#define ROOT_MAX_SIZE 48u

static uint32_t guest_svn(const struct snp_guest *guest)
{
    struct snp_id_block id;

    snp_id_block_decode(guest->id_block, &id);
    return id.guest_svn;
}

static bool selected(const struct snp_key_req *req, uint64_t field)
{
    return (req->guest_field_select & field) != 0;
}

/* Checks 5 to 8 of abi/snp.md §8.2: values of fields that are not selected are
 * not looked at. */
static bool fields_ok(const struct snp_msg *msg, const struct snp_key_req *req)
{
    const struct snp_platform *snp = msg->snp;
    const struct psp_profile *profile = &snp->core->profile;
    uint64_t known = msg->version >= 2 ? GFS_V2 : GFS_V1;

    if ((req->guest_field_select & ~known) != 0) {
        return false;
    }
    if (selected(req, SNP_GFS_TCB_VERSION) &&
        (!psp_tcb_le(&req->tcb, &snp->committed_tcb) ||
         !psp_tcb_reserved_clear(profile->generation, &req->tcb))) {
        return false;
    }
    if (selected(req, SNP_GFS_GUEST_SVN) &&
        req->guest_svn > guest_svn(msg->guest)) {
        return false;
    }
    return !selected(req, SNP_GFS_LAUNCH_MIT_VECTOR) ||
           (req->launch_mit_vector & ~msg->guest->launch_mit_vector) == 0;
}

/* abi/snp.md §8.2 in its order; @root is set on success. */
static enum sev_status check(const struct snp_msg *msg, struct snp_key_req *req,
                             enum snp_root_class *root)
{
    enum snp_key_choice choice;

    *root = SNP_ROOT_VMRK;
    if (snp_key_req_decode(msg->req, msg->version, req) != PSP_OK) {
        return SEV_INVALID_PARAM;
    }
    if (!req->root_vmrk) {
        choice = snp_key_choose(msg->snp, msg->guest, req->key_sel);
        if (msg->snp->mask_chip_key || choice == SNP_CHOICE_NONE) {
            return SEV_INVALID_KEY;
        }
        *root = choice == SNP_CHOICE_VLEK ? SNP_ROOT_VLEK : SNP_ROOT_VCEK;
    }
    if (!snp_msg_vmpl_ok(msg, req->vmpl) || !fields_ok(msg, req)) {
        return SEV_INVALID_PARAM;
    }
    return SEV_SUCCESS;
}

/* Root key of abi/snp.md §8.3; returns its size. */
static size_t load_root(const struct snp_msg *msg,
                        const struct snp_key_req *req,
                        enum snp_root_class root_class,
                        uint8_t root[ROOT_MAX_SIZE])
{
    const struct snp_platform *snp = msg->snp;

    switch (root_class) {
    case SNP_ROOT_VMRK:
        memcpy(root, msg->guest->vmrk, sizeof(msg->guest->vmrk));
        return sizeof(msg->guest->vmrk);
    case SNP_ROOT_VLEK:
        memcpy(root, snp->vlek_seed, sizeof(snp->vlek_seed));
        return sizeof(snp->vlek_seed);
    case SNP_ROOT_VCEK:
        break;
    }
    pki_vcek_seed(snp->core->chip.secret,
                  selected(req, SNP_GFS_TCB_VERSION) ? &req->tcb
                                                     : &snp->reported_tcb,
                  root);
    return sizeof(snp->vcek_seed);
}

enum psp_err snp_msg_key(struct snp_msg *msg)
{
    struct snp_key_rsp rsp = {.status = SEV_SUCCESS};
    uint8_t context[SNP_DERIVE_CONTEXT_SIZE];
    uint8_t root[ROOT_MAX_SIZE];
    enum snp_root_class root_class;
    struct snp_key_req req;
    enum sev_status status = check(msg, &req, &root_class);
    size_t root_size;

    if (status != SEV_SUCCESS) {
        snp_msg_refuse(msg, status);
        return PSP_OK;
    }
    root_size = load_root(msg, &req, root_class, root);
    snp_derive_context(msg->guest, &req, root_class, context);
    snp_derive_key(root, root_size, context, rsp.key);
    snp_key_rsp_encode(&rsp, msg->rsp);
    psp_wipe(root, sizeof(root));
    psp_wipe(&rsp, sizeof(rsp));
    return PSP_OK;
}
