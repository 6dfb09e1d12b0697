/* SPDX-License-Identifier: Apache-2.0 */
/* COPY, DBG_DECRYPT, DBG_ENCRYPT. Spec: abi/sev.md §1.4, §1.7. */
#include "sev_internal.h"

#define UNIT 16u
#define PAGE 0x1000u

enum direction { MOVE, DECRYPT, ENCRYPT };

static enum psp_err one_chunk(const struct sev_platform *sev,
                              const struct sev_guest *guest,
                              enum direction what, uint64_t src, uint64_t dst,
                              uint8_t *buf, size_t size)
{
    enum psp_err err = what == ENCRYPT
                           ? sev_read(sev, src, buf, size)
                           : sev_guest_read(sev, guest, src, buf, size);

    if (err != PSP_OK) {
        return err;
    }
    return what == DECRYPT ? sev_write(sev, dst, buf, size)
                           : sev_guest_write(sev, guest, dst, buf, size);
}

/* As memmove() does: when the destination lies above an overlapping source,
 * from the end backwards. */
static enum psp_err transfer(const struct sev_platform *sev,
                             const struct sev_guest *guest, enum direction what,
                             uint64_t src, uint64_t dst, uint32_t size)
{
    bool backwards = sev_spa(sev, dst) > sev_spa(sev, src);
    size_t room = size < SEV_CHUNK_SIZE ? size : SEV_CHUNK_SIZE;
    uint8_t *buf = core_alloc(room);
    enum psp_err err = buf == NULL ? PSP_E_NOMEM : PSP_OK;

    for (uint32_t done = 0; err == PSP_OK && done < size;) {
        uint32_t left = size - done;
        uint32_t n = left < room ? left : (uint32_t)room;
        uint32_t at = backwards ? left - n : done;

        err = one_chunk(sev, guest, what, src + at, dst + at, buf, n);
        done += n;
    }
    core_free(buf, room);
    return err;
}

/* SRC ADDR, DST ADDR, then the rule for outputs. */
static enum sev_status check_ranges(const struct sev_platform *sev,
                                    uint64_t src, uint64_t dst, uint32_t size)
{
    enum sev_status status = sev_addr(sev, src, size);

    return status != SEV_SUCCESS ? status : sev_addr_output(sev, dst, size);
}

/* A VMSA page that was copied lives at its new address. */
static void move_vmsas(const struct sev_platform *sev, struct sev_guest *guest,
                       const struct sev_cmd_copy *c)
{
    uint64_t src = sev_spa(sev, c->src_paddr);
    uint64_t dst = sev_spa(sev, c->dst_paddr);

    for (size_t i = 0; i < guest->vmsa_count; i++) {
        uint64_t spa = guest->vmsa[i].spa;

        if (spa >= src && spa - src < c->length) {
            guest->vmsa[i].spa = spa - src + dst;
        }
    }
}

enum sev_status sev_run_copy(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_cmd_copy c;
    enum sev_status status = sev_guest_active(call->guest);

    sev_cmd_copy_decode(call->buf, &c);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (c.length == 0 || c.length % PAGE != 0) {
        return SEV_INVALID_LENGTH;
    }
    if (c.src_paddr % PAGE != 0 || c.dst_paddr % PAGE != 0) {
        return SEV_INVALID_ADDRESS;
    }
    status = check_ranges(sev, c.src_paddr, c.dst_paddr, c.length);
    if (status == SEV_SUCCESS) {
        status = core_status(transfer(sev, call->guest, MOVE, c.src_paddr,
                                      c.dst_paddr, c.length));
    }
    if (status == SEV_SUCCESS) {
        move_vmsas(sev, call->guest, &c);
    }
    return status;
}

enum sev_status sev_shape_dbg(struct sev_call *call)
{
    struct sev_cmd_dbg c;

    sev_cmd_dbg_decode(call->buf, &c);
    if (c.src_paddr % UNIT != 0 || c.dst_paddr % UNIT != 0) {
        return SEV_INVALID_ADDRESS;
    }
    return c.length % UNIT != 0 ? SEV_INVALID_LENGTH : SEV_SUCCESS;
}

static enum sev_status dbg(struct sev_call *call, enum direction what)
{
    struct sev_cmd_dbg c;
    enum sev_status status;

    sev_cmd_dbg_decode(call->buf, &c);
    if ((call->guest->policy & SEV_POLICY_NODBG) != 0) {
        return SEV_POLICY_FAILURE;
    }
    status = sev_guest_active(call->guest);
    if (status == SEV_SUCCESS) {
        status = check_ranges(call->sev, c.src_paddr, c.dst_paddr, c.length);
    }
    if (status == SEV_SUCCESS && c.length > 0) {
        status = core_status(transfer(call->sev, call->guest, what, c.src_paddr,
                                      c.dst_paddr, c.length));
    }
    return status;
}

enum sev_status sev_run_dbg_decrypt(struct sev_call *call)
{
    return dbg(call, DECRYPT);
}

enum sev_status sev_run_dbg_encrypt(struct sev_call *call)
{
    return dbg(call, ENCRYPT);
}
