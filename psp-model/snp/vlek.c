/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_VLEK_LOAD. abi/snp.md §9.5 */
#include "snp.h"

#include "snp_cmd.h"

#include <string.h>

static enum sev_status check(const struct snp_platform *snp, const uint8_t *buf,
                             struct snp_cmd_vlek_load *cmd)
{
    if (!snp_cmd_vlek_load_decode(buf, cmd) ||
        cmd->len != SNP_CMD_VLEK_LOAD_SIZE || cmd->vlek_wrapped_version != 0) {
        return SEV_INVALID_PARAM;
    }
    return core_range_ok(snp->core, cmd->vlek_wrapped_paddr, PKI_HASHSTICK_SIZE)
               ? SEV_SUCCESS
               : SEV_INVALID_ADDRESS;
}

/* @seed: 48 bytes on SUCCESS. Padding that is set inside the wrapped part can
 * only come from whoever made the stick: it is a stick of another kind. */
static enum sev_status unwrap(const struct snp_platform *snp,
                              const uint8_t *stick, uint8_t *seed)
{
    struct psp_tcb tcb;

    if (pki_vlek_stick_tcb(stick, &tcb) != PSP_OK) {
        return SEV_INVALID_PARAM;
    }
    if (memcmp(&tcb, &snp->reported_tcb, sizeof(tcb)) != 0) {
        return SEV_BAD_SVN;
    }
    switch (pki_vlek_unwrap(snp->vcek_seed, stick, seed)) {
    case PSP_OK:
        return SEV_SUCCESS;
    case PSP_E_VERIFY:
        return SEV_BAD_MEASUREMENT;
    default:
        return SEV_INVALID_PARAM;
    }
}

static enum sev_status load(struct snp_platform *snp, const uint8_t *stick)
{
    uint8_t seed[sizeof(snp->vlek_seed)];
    struct psp_p384_key key;
    enum sev_status status = core_status(snp_keys_refresh(snp));

    if (status != SEV_SUCCESS) {
        return status;
    }
    status = unwrap(snp, stick, seed);
    if (status == SEV_SUCCESS) {
        status = core_status(pki_vlek_from_seed(seed, &key));
    }
    if (status == SEV_SUCCESS) {
        memcpy(snp->vlek_seed, seed, sizeof(snp->vlek_seed));
        snp->vlek = key;
        snp->vlek_en = true;
    }
    psp_wipe(seed, sizeof(seed));
    psp_wipe(&key, sizeof(key));
    return status;
}

enum sev_status snp_cmd_vlek_load(struct snp_platform *snp, const uint8_t *buf)
{
    uint8_t stick[PKI_HASHSTICK_SIZE];
    struct snp_cmd_vlek_load cmd;
    enum sev_status status = check(snp, buf, &cmd);

    if (status == SEV_SUCCESS) {
        status = core_status(
            core_read(snp->core, cmd.vlek_wrapped_paddr, stick, sizeof(stick)));
    }
    return status == SEV_SUCCESS ? load(snp, stick) : status;
}
