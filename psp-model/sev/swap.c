/* SPDX-License-Identifier: Apache-2.0 */
/* SWAP_OUT and SWAP_IN. Spec: abi/sev.md §1.7. */
#include "sev_internal.h"

#define PAGE_4K 0x1000u
#define PAGE_2M 0x200000u

/* Of BITS: page size and type. */
#define KIND 0x7u

static uint32_t page_size(uint32_t bits)
{
    return (bits & SEV_SWAP_2M) != 0 ? PAGE_2M : PAGE_4K;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

/* Checks 2 to 4, and the page type: only data and VMSA exist. */
static enum sev_status check_ranges(const struct sev_platform *sev,
                                    const struct sev_cmd_swap *c)
{
    uint64_t size = page_size(c->bits);
    uint64_t src = sev_spa(sev, c->src_paddr);
    uint64_t dst = sev_spa(sev, c->dst_paddr);
    uint64_t mdata = sev_spa(sev, c->mdata_paddr);

    if (!core_range_ok(sev->core, src, size) ||
        !core_range_ok(sev->core, dst, size) ||
        !core_range_ok(sev->core, mdata, SEV_SWAP_ENTRY_SIZE) ||
        src % size != 0 || dst % size != 0 ||
        mdata % SEV_SWAP_ENTRY_SIZE != 0) {
        return SEV_INVALID_ADDRESS;
    }
    if (overlap(mdata, SEV_SWAP_ENTRY_SIZE, src, size) ||
        overlap(mdata, SEV_SWAP_ENTRY_SIZE, dst, size)) {
        return SEV_INVALID_PARAM;
    }
    return SEV_SWAP_TYPE(c->bits) == SEV_SWAP_TYPE_DATA ||
                   SEV_SWAP_TYPE(c->bits) == SEV_SWAP_TYPE_VMSA
               ? SEV_SUCCESS
               : SEV_INVALID_PARAM;
}

/* The whole entry, its tag as zero. */
static void entry_aad(const struct sev_swap_entry *entry,
                      uint8_t aad[SEV_SWAP_ENTRY_SIZE])
{
    struct sev_swap_entry copy = *entry;

    memset(copy.auth_tag, 0, sizeof(copy.auth_tag));
    sev_swap_entry_encode(&copy, aad);
}

/* GCM's 12 bytes: the counter, then zeros. */
static void entry_iv(const struct sev_swap_entry *entry,
                     uint8_t iv[GCM_IV_SIZE])
{
    memset(iv, 0, GCM_IV_SIZE);
    memcpy(iv, entry->iv, sizeof(entry->iv));
}

enum sev_status sev_shape_swap_out(struct sev_call *call)
{
    struct sev_cmd_swap c;
    enum sev_status status;

    sev_cmd_swap_out_decode(call->buf, &c);
    status = check_ranges(call->sev, &c);
    if (status == SEV_SUCCESS && SEV_SWAP_TYPE(c.bits) == SEV_SWAP_TYPE_VMSA &&
        (c.bits & SEV_SWAP_2M) != 0) {
        status = SEV_INVALID_PARAM;
    }
    return status;
}

/* The guest has a VMSA in [spa, spa + size). */
static bool holds_vmsa(const struct sev_guest *guest, uint64_t spa,
                       uint64_t size)
{
    for (size_t i = 0; i < guest->vmsa_count; i++) {
        if (overlap(guest->vmsa[i].spa, SEV_VMSA_SIZE, spa, size)) {
            return true;
        }
    }
    return false;
}

/* Checks 7 to 9 and the rule for outputs. */
static enum sev_status check_out(const struct sev_platform *sev,
                                 const struct sev_guest *guest,
                                 const struct sev_cmd_swap *c)
{
    uint64_t src = sev_spa(sev, c->src_paddr);
    enum sev_status status = sev_guest_active(guest);

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (guest->oek_count == UINT64_MAX) {
        return SEV_AEAD_OFLOW;
    }
    if (SEV_SWAP_TYPE(c->bits) == SEV_SWAP_TYPE_VMSA
            ? sev_vmsa_find(guest, src) == NULL
            : holds_vmsa(guest, src, page_size(c->bits))) {
        return SEV_INVALID_PARAM;
    }
    status = sev_output(sev, c->dst_paddr, page_size(c->bits));
    return status != SEV_SUCCESS
               ? status
               : sev_output(sev, c->mdata_paddr, SEV_SWAP_ENTRY_SIZE);
}

static enum psp_err swap_out(const struct sev_platform *sev,
                             const struct sev_guest *guest,
                             const struct sev_cmd_swap *c, uint8_t *buf)
{
    struct sev_swap_entry entry = {
        .software_data = c->software_data,
        .bits = c->bits & KIND,
    };
    struct psp_wr w = psp_wr(entry.iv, sizeof(entry.iv));
    uint8_t aad[SEV_SWAP_ENTRY_SIZE], iv[GCM_IV_SIZE];
    uint32_t size = page_size(c->bits);
    enum psp_err err = sev_guest_read(sev, guest, c->src_paddr, buf, size);

    if (err != PSP_OK) {
        return err;
    }
    psp_wr_le64(&w, guest->oek_count + 1);
    entry_aad(&entry, aad);
    entry_iv(&entry, iv);
    psp_gcm_seal(guest->oek, iv, aad, sizeof(aad), buf, size, buf,
                 entry.auth_tag);
    sev_swap_entry_encode(&entry, aad);
    err = sev_write(sev, c->dst_paddr, buf, size);
    return err != PSP_OK ? err
                         : sev_write(sev, c->mdata_paddr, aad, sizeof(aad));
}

enum sev_status sev_run_swap_out(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_guest *guest = call->guest;
    struct sev_cmd_swap c;
    enum sev_status status;
    uint8_t *buf;

    sev_cmd_swap_out_decode(call->buf, &c);
    status = check_out(sev, guest, &c);
    if (status != SEV_SUCCESS) {
        return status;
    }
    buf = core_alloc(page_size(c.bits));
    status =
        core_status(buf == NULL ? PSP_E_NOMEM : swap_out(sev, guest, &c, buf));
    if (status == SEV_SUCCESS) {
        guest->oek_count++;
        if (SEV_SWAP_TYPE(c.bits) == SEV_SWAP_TYPE_VMSA) {
            sev_vmsa_remove(guest, sev_spa(sev, c.src_paddr));
        }
    }
    core_free(buf, page_size(c.bits));
    return status;
}

static enum psp_err read_entry(const struct sev_platform *sev, uint64_t paddr,
                               struct sev_swap_entry *entry)
{
    uint8_t bytes[SEV_SWAP_ENTRY_SIZE];
    enum psp_err err = sev_read(sev, paddr, bytes, sizeof(bytes));

    return err != PSP_OK ? err
                         : sev_swap_entry_decode(bytes, sizeof(bytes), entry);
}

enum sev_status sev_shape_swap_in(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_cmd_swap c;
    enum sev_status status;
    bool in_place;

    sev_cmd_swap_in_decode(call->buf, &c);
    status = check_ranges(sev, &c);
    if (status == SEV_SUCCESS) {
        status = core_status(read_entry(sev, c.mdata_paddr, &call->swap));
    }
    if (status != SEV_SUCCESS) {
        return status;
    }
    in_place = (c.bits & SEV_SWAP_IN_PLACE) != 0;
    if (((c.bits ^ call->swap.bits) & KIND) != 0 ||
        (in_place &&
         (SEV_SWAP_TYPE(c.bits) == SEV_SWAP_TYPE_VMSA ||
          sev_spa(sev, c.src_paddr) != sev_spa(sev, c.dst_paddr)))) {
        return SEV_INVALID_PARAM;
    }
    return SEV_SUCCESS;
}

static enum sev_status open_page(const struct sev_call *call,
                                 const struct sev_cmd_swap *c, uint8_t *buf)
{
    const struct sev_swap_entry *entry = &call->swap;
    uint8_t aad[SEV_SWAP_ENTRY_SIZE], iv[GCM_IV_SIZE];
    uint32_t size = page_size(c->bits);
    enum psp_err err = sev_read(call->sev, c->src_paddr, buf, size);

    if (err != PSP_OK) {
        return core_status(err);
    }
    entry_aad(entry, aad);
    entry_iv(entry, iv);
    return psp_gcm_open(call->guest->oek, iv, aad, sizeof(aad), buf, size,
                        entry->auth_tag, buf)
               ? SEV_SUCCESS
               : SEV_BAD_MEASUREMENT;
}

static enum sev_status swap_in(const struct sev_call *call,
                               const struct sev_cmd_swap *c, uint8_t *buf)
{
    const struct sev_platform *sev = call->sev;
    struct sev_guest *guest = call->guest;
    bool vmsa = SEV_SWAP_TYPE(c->bits) == SEV_SWAP_TYPE_VMSA;
    uint32_t size = page_size(c->bits);
    uint8_t digest[SHA256_SIZE];
    enum sev_status status = open_page(call, c, buf);

    if (status == SEV_SUCCESS && vmsa) {
        psp_sha256(buf, size, digest);
        status = core_status(sev_vmsa_reserve(guest));
    }
    if (status == SEV_SUCCESS) {
        status =
            core_status(sev_guest_write(sev, guest, c->dst_paddr, buf, size));
    }
    if (status == SEV_SUCCESS && vmsa) {
        sev_vmsa_put(guest, sev_spa(sev, c->dst_paddr), digest);
    }
    return status;
}

enum sev_status sev_run_swap_in(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_cmd_swap c;
    enum sev_status status = sev_guest_active(call->guest);
    uint32_t size;
    uint8_t *buf;

    sev_cmd_swap_in_decode(call->buf, &c);
    size = page_size(c.bits);
    if (status == SEV_SUCCESS) {
        status = sev_output(sev, c.dst_paddr, size);
    }
    if (status != SEV_SUCCESS) {
        return status;
    }
    buf = core_alloc(size);
    status = buf == NULL ? core_status(PSP_E_NOMEM) : swap_in(call, &c, buf);
    core_free(buf, size);
    return status;
}
