/* SPDX-License-Identifier: Apache-2.0 */
/* LAUNCH_UPDATE_*, LAUNCH_MEASURE, LAUNCH_FINISH. Spec: abi/sev.md §1.5, §7.3.
 */
#include "sev_internal.h"

#define UNIT 16u

enum sev_status sev_first_launch_update_vmsa(struct sev_call *call)
{
    struct sev_cmd_range c;

    sev_cmd_range_decode(call->buf, &c);
    return c.length == SEV_VMSA_SIZE ? SEV_SUCCESS : SEV_INVALID_LENGTH;
}

/* Checks 5 to 8. */
static enum sev_status check_update(const struct sev_call *call,
                                    const struct sev_cmd_range *c)
{
    enum sev_status status = sev_guest_active(call->guest);

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (c->paddr % UNIT != 0) {
        return SEV_INVALID_ADDRESS;
    }
    if (c->length == 0 || c->length % UNIT != 0) {
        return SEV_INVALID_LENGTH;
    }
    return sev_addr_output(call->sev, c->paddr, c->length);
}

static enum psp_err measure_chunk(const struct sev_platform *sev,
                                  const struct sev_guest *guest, uint64_t paddr,
                                  uint8_t *buf, size_t size,
                                  struct psp_sha256_stream *ld)
{
    enum psp_err err = sev_read(sev, paddr, buf, size);

    if (err != PSP_OK) {
        return err;
    }
    psp_sha256_update(ld, buf, size);
    return sev_guest_write(sev, guest, paddr, buf, size);
}

/* Take back what measure_chunk() encrypted before one of them failed. */
static void undo(const struct sev_platform *sev, const struct sev_guest *guest,
                 uint64_t paddr, uint8_t *buf, size_t room, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += room) {
        size_t n = size - at < room ? (size_t)(size - at) : room;

        if (sev_guest_read(sev, guest, paddr + at, buf, n) != PSP_OK ||
            sev_write(sev, paddr + at, buf, n) != PSP_OK) {
            return;
        }
    }
}

/* Hash and encrypt in place, a chunk at a time so that each is still in the
 * cache when it is written. */
static enum psp_err measure(const struct sev_platform *sev,
                            struct sev_guest *guest, uint64_t paddr,
                            uint32_t size)
{
    struct psp_sha256_stream ld = guest->ld;
    size_t room = size < SEV_CHUNK_SIZE ? size : SEV_CHUNK_SIZE;
    uint8_t *buf = core_alloc(room);
    enum psp_err err = buf == NULL ? PSP_E_NOMEM : PSP_OK;

    for (uint64_t at = 0; err == PSP_OK && at < size; at += room) {
        size_t n = size - at < room ? (size_t)(size - at) : room;

        err = measure_chunk(sev, guest, paddr + at, buf, n, &ld);
        if (err != PSP_OK) {
            undo(sev, guest, paddr, buf, room, at);
        }
    }
    if (err == PSP_OK) {
        guest->ld = ld;
    }
    core_free(buf, room);
    return err;
}

enum sev_status sev_run_launch_update_data(struct sev_call *call)
{
    struct sev_cmd_range c;
    enum sev_status status;

    sev_cmd_range_decode(call->buf, &c);
    status = check_update(call, &c);
    if (status != SEV_SUCCESS) {
        return status;
    }
    return core_status(measure(call->sev, call->guest, c.paddr, c.length));
}

enum sev_status sev_run_launch_update_vmsa(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_guest *guest = call->guest;
    struct psp_sha256_stream ld = guest->ld;
    uint8_t page[SEV_VMSA_SIZE];
    uint8_t digest[SHA256_SIZE];
    struct sev_cmd_range c;
    enum sev_status status;
    enum psp_err err;

    sev_cmd_range_decode(call->buf, &c);
    if ((guest->policy & SEV_POLICY_ES) == 0) {
        return SEV_UNSUPPORTED;
    }
    status = check_update(call, &c);
    if (status != SEV_SUCCESS) {
        return status;
    }
    err = sev_vmsa_reserve(guest);
    if (err == PSP_OK) {
        err = sev_read(sev, c.paddr, page, sizeof(page));
    }
    if (err == PSP_OK) {
        psp_sha256(page, sizeof(page), digest);
        psp_sha256_update(&ld, page, sizeof(page));
        err = sev_guest_write(sev, guest, c.paddr, page, sizeof(page));
    }
    if (err == PSP_OK) {
        sev_vmsa_put(guest, sev_spa(sev, c.paddr), digest);
        guest->ld = ld;
    }
    return core_status(err);
}

/* Firmware before 0.17 leaves the version out. */
void sev_launch_mac(const struct psp_profile *profile, uint32_t policy,
                    const uint8_t digest[SEV_DIGEST_SIZE],
                    const uint8_t mnonce[SEV_NONCE_SIZE],
                    const uint8_t tik[SEV_TK_SIZE], uint8_t mac[SEV_MAC_SIZE])
{
    const uint8_t version[] = {SEV_MAC_MEASURE, profile->api_major,
                               profile->api_minor, profile->build};
    uint8_t bytes[4];
    struct psp_wr w = psp_wr(bytes, sizeof(bytes));
    const struct psp_part parts[] = {
        {version, sev_api_at_least(profile, 0, 17) ? sizeof(version) : 0},
        {bytes, sizeof(bytes)},
        {digest, SEV_DIGEST_SIZE},
        {mnonce, SEV_NONCE_SIZE},
    };

    psp_wr_le32(&w, policy);
    psp_hmac_sha256(tik, SEV_TK_SIZE, parts, 4, mac);
}

enum sev_status sev_run_launch_measure(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_guest *guest = call->guest;
    uint8_t blob[SEV_MEASURE_BLOB_SIZE];
    uint8_t digest[SEV_DIGEST_SIZE];
    struct sev_cmd_range c;
    enum sev_status status;
    enum psp_err err;

    sev_cmd_range_decode(call->buf, &c);
    if (c.length < SEV_MEASURE_BLOB_SIZE) {
        c.length = SEV_MEASURE_BLOB_SIZE;
        sev_cmd_range_encode(&c, call->buf);
        return SEV_INVALID_LENGTH;
    }
    status = sev_addr_output(sev, c.paddr, SEV_MEASURE_BLOB_SIZE);
    if (status != SEV_SUCCESS) {
        return status;
    }
    err = core_random(sev->core, blob + SEV_MAC_SIZE, SEV_NONCE_SIZE);
    if (err != PSP_OK) {
        return core_status(err);
    }
    psp_sha256_peek(&guest->ld, digest);
    sev_launch_mac(&sev->core->profile, guest->policy, digest,
                   blob + SEV_MAC_SIZE, guest->transport.tik, blob);
    err = sev_write(sev, c.paddr, blob, sizeof(blob));
    if (err == PSP_OK) {
        memcpy(guest->launch_digest, digest, sizeof(digest));
        memcpy(guest->measure, blob, sizeof(guest->measure));
        guest->state = SEV_GUEST_LSECRET;
    }
    return core_status(err);
}

enum sev_status sev_run_launch_finish(struct sev_call *call)
{
    struct sev_guest *guest = call->guest;

    sev_guest_forget_transport(guest);
    psp_wipe(&guest->ld, sizeof(guest->ld));
    guest->state = SEV_GUEST_RUNNING;
    guest->ran = true;
    return SEV_SUCCESS;
}
