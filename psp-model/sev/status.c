/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask, and those that touch no keys. Spec: abi/sev.md §1.3, §6,
 * §9.1. */
#include "sev_internal.h"

#include "firmware_key.h"

#define OWNER_EXTERNAL 0x1u
#define CONFIG_ES      0x1u

#define FW_ALIGNMENT 32u
#define FW_MAX_OLD   0x10000u /* Naples, Rome */
#define FW_MAX       0x20000u
#define RING_PAGE    0x1000u

enum sev_status sev_run_platform_status(struct sev_call *call)
{
    const struct sev_platform *sev = call->sev;
    const struct psp_core *core = sev->core;
    struct sev_cmd_status c = {
        .api_major = core->profile.api_major,
        .api_minor = core->profile.api_minor,
        .state = (uint8_t)core->sev_state,
        .owner = sev->keys.external ? OWNER_EXTERNAL : 0,
        .config = sev->es ? CONFIG_ES : 0,
        .build = core->profile.build,
        .guest_count = sev->guest_count,
    };

    sev_cmd_status_encode(&c, call->buf);
    return SEV_SUCCESS;
}

/* Identity of the chip in the second socket: any stable bytes will do, since
 * its CEK never signs. abi/sev.md §12.25 */
static void second_id(const struct sev_platform *sev,
                      uint8_t id[PSP_CHIP_ID_SIZE])
{
    psp_kdf_sha256_le(sev->core->chip.secret, PSP_CHIP_SECRET_SIZE,
                      "swpsp-second-socket-id", NULL, 0, id, PSP_CHIP_ID_SIZE);
}

enum sev_status sev_run_get_id(struct sev_call *call)
{
    const struct sev_platform *sev = call->sev;
    uint8_t ids[2 * PSP_CHIP_ID_SIZE];
    struct sev_cmd_blob c;
    /* Turin answers with the 8 bytes that its key server knows it by, and
     * unmodified hosts make URLs of what is answered. abi/certs-kds.md §2.2 */
    uint32_t size = sev->core->profile.chip_id_size;
    enum sev_status status;
    enum psp_err err;

    sev_cmd_blob_decode(call->buf, &c);
    if (c.length < PSP_CHIP_ID_SIZE) {
        c.length = PSP_CHIP_ID_SIZE;
        sev_cmd_blob_encode(&c, call->buf);
        return SEV_INVALID_LENGTH;
    }
    if (c.length == sizeof(ids) && sev->core->profile.socket_count > 1) {
        size = sizeof(ids);
    }
    status = sev_addr_output(sev, c.paddr, size);
    if (status != SEV_SUCCESS) {
        return status;
    }
    memcpy(ids, sev->core->chip.id, PSP_CHIP_ID_SIZE);
    second_id(sev, ids + PSP_CHIP_ID_SIZE);
    err = sev_write(sev, c.paddr, ids, size);
    if (err == PSP_OK) {
        c.length = size;
        sev_cmd_blob_encode(&c, call->buf);
    }
    return core_status(err);
}

enum sev_status sev_run_df_flush(struct sev_call *call)
{
    struct psp_core *core = call->sev->core;

    if (core->ops->wbinvd_owed != NULL && core->ops->wbinvd_owed(core->host)) {
        return SEV_WBINVD_REQUIRED;
    }
    for (uint32_t asid = 1; asid <= core->profile.asid_count; asid++) {
        core_asid_at(core, asid)->dirty = false;
    }
    return SEV_SUCCESS;
}

enum sev_status sev_run_nop(struct sev_call *call)
{
    (void)call;
    return SEV_SUCCESS;
}

enum sev_status sev_shape_download_firmware(struct sev_call *call)
{
    return call->sev->core->snp_state == SNP_PLATFORM_UNINIT
               ? SEV_SUCCESS
               : SEV_INVALID_PLATFORM_STATE;
}

/* Checks 2 and 3. */
static enum sev_status check_download(const struct sev_platform *sev,
                                      const struct sev_cmd_blob *c)
{
    uint32_t max =
        sev->core->profile.generation <= PSP_ROME ? FW_MAX_OLD : FW_MAX;
    enum sev_status status;

    if (c->paddr % FW_ALIGNMENT != 0) {
        return SEV_INVALID_ADDRESS;
    }
    status = sev_addr(sev, c->paddr, c->length);
    if (status != SEV_SUCCESS) {
        return status;
    }
    return c->length == 0 || c->length > max ? SEV_INVALID_LENGTH : SEV_SUCCESS;
}

/* Check 4; what such an image changes here is the version. Only the project's
 * own format can be one: AMD's images run on the real processor alone. */
static enum sev_status install(struct sev_platform *sev, const uint8_t *image,
                               size_t size)
{
    struct psp_core *core = sev->core;
    struct snp_firmware fw;
    enum psp_err err;

    if (snp_firmware_decode(image, size, &fw) != PSP_OK) {
        return SEV_BAD_SIGNATURE;
    }
    err = pki_firmware_check(&fw, image, size);
    if (err != PSP_OK) {
        return err == PSP_E_VERIFY ? SEV_BAD_SIGNATURE : core_status(err);
    }
    if (fw.generation != core->profile.generation) {
        return SEV_UNSUPPORTED;
    }
    core_set_version(core, fw.major, fw.minor, fw.build);
    return SEV_SUCCESS;
}

enum sev_status sev_run_download_firmware(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_cmd_blob c;
    enum sev_status status;
    uint8_t *image;

    sev_cmd_blob_decode(call->buf, &c);
    status = check_download(sev, &c);
    if (status != SEV_SUCCESS) {
        return status;
    }
    image = core_alloc(c.length);
    if (image == NULL) {
        return core_status(PSP_E_NOMEM);
    }
    status = core_status(sev_read(sev, c.paddr, image, c.length));
    if (status == SEV_SUCCESS) {
        status = install(sev, image, c.length);
    }
    core_free(image, c.length);
    return status;
}

static enum sev_status check_ring(const struct sev_platform *sev,
                                  uint64_t cmd_paddr, uint64_t stat_paddr,
                                  uint32_t pages)
{
    uint64_t size = (uint64_t)pages * RING_PAGE;
    enum sev_status status;

    if (cmd_paddr % RING_PAGE != 0 || stat_paddr % RING_PAGE != 0) {
        return SEV_INVALID_ADDRESS;
    }
    status = sev_addr(sev, cmd_paddr, size);
    return status != SEV_SUCCESS ? status : sev_addr(sev, stat_paddr, size);
}

/* Nobody uses it: Linux has no code for it. Arguments are checked, the mode
 * itself is not there. */
enum sev_status sev_run_ring_buffer(struct sev_call *call)
{
    struct sev_cmd_ring_buffer c;
    enum sev_status status;

    sev_cmd_ring_buffer_decode(call->buf, &c);
    if (c.qlo_size != 1 || c.qhi_size > 1) {
        return SEV_INVALID_PARAM;
    }
    status = check_ring(call->sev, c.qlo_cmd_paddr, c.qlo_stat_paddr, 1);
    if (status == SEV_SUCCESS && c.qhi_size != 0) {
        status = check_ring(call->sev, c.qhi_cmd_paddr, c.qhi_stat_paddr, 1);
    }
    return status != SEV_SUCCESS ? status : SEV_UNSUPPORTED;
}
