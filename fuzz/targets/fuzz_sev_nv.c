/* SPDX-License-Identifier: Apache-2.0 */
/* The store that survives a power cycle. The input is a store, or edits a good
 * one whose MAC is then made anew (the cipher is a stream: a bit edited here is
 * a bit edited in the plaintext). INIT takes it or erases it; the INIT after
 * that works. */
#include "fz.h"
#include "sev_rig.h"

#include <string.h>

#define OFF_MAC     0x20u
#define OFF_PAYLOAD 0x40u
#define KEYS_SIZE   (4u + 3u * (P384_SIZE + SEV_CERT_SIZE))

static uint8_t good[PSP_NV_SIZE];
static bool have_good;

static void seal(const struct sev_rig *r, uint8_t *blob)
{
    uint8_t key[SHA256_SIZE];
    const struct psp_part parts[] = {
        {blob, OFF_MAC}, {blob + OFF_PAYLOAD, PSP_NV_SIZE - OFF_PAYLOAD}};

    psp_kdf_sha256_le(r->chip.secret, PSP_CHIP_SECRET_SIZE,
                      "swpsp-nv-integrity", NULL, 0, key, sizeof(key));
    psp_hmac_sha256(key, sizeof(key), parts, 2, blob + OFF_MAC);
}

static enum sev_status init(struct sev_rig *r)
{
    uint8_t buf[SEV_CMD_INIT_SIZE];
    const struct sev_cmd_init cmd = {.options = 0};

    sev_cmd_init_encode(&cmd, buf);
    return rig_exec(r, SEV_CMD_INIT, buf, sizeof(buf));
}

static void spoil(struct sev_rig *r, struct fz_in *in)
{
    uint8_t how = fz_u8(in);

    memcpy(r->nv, good, sizeof(good));
    if ((how & 3) == 3) {
        fz_bytes(in, r->nv, sizeof(r->nv));
        return;
    }
    for (unsigned int n = fz_u8(in) % 16; n > 0; n--) {
        uint32_t span = (how & 4) != 0 ? PSP_NV_SIZE : OFF_PAYLOAD + KEYS_SIZE;
        uint32_t at = fz_u32(in) % span;

        r->nv[at] ^= fz_u8(in);
    }
    if ((how & 1) == 0) {
        seal(r, r->nv);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t pdh[SEV_CERT_SIZE], chain[3 * SEV_CERT_SIZE];
    struct fz_in in = {data, size};
    enum sev_status status;
    struct sev_rig r;

    if (!have_good) {
        rig_open(&r, "milan", true);
        memcpy(good, r.nv, sizeof(good));
        have_good = true;
        rig_close(&r);
    }
    rig_power(&r, "milan", false);
    r.have_nv = true;
    spoil(&r, &in);
    status = init(&r);
    fz_check(status == SEV_SUCCESS || status == SEV_SECURE_DATA_INVALID);
    if (status != SEV_SUCCESS) {
        fz_check(rig_status(&r).state == 0);
        fz_check(init(&r) == SEV_SUCCESS);
    }
    rig_export(&r, pdh, chain);
    /* And what stands now is good for the next start. */
    rig_cycle(&r);
    fz_check(init(&r) == SEV_SUCCESS);
    fz_check(memcmp(r.memory + RIG_OUT, pdh, sizeof(pdh)) == 0);
    rig_export(&r, pdh, chain);
    rig_close(&r);
    return 0;
}
