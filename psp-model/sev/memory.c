/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_internal.h"

/* Position of the C-bit, CPUID Fn8000_001F EBX[5:0]. */
static unsigned int c_bit(const struct sev_platform *sev)
{
    return sev->core->profile.generation <= PSP_ROME ? 47 : 51;
}

uint64_t sev_spa(const struct sev_platform *sev, uint64_t paddr)
{
    return paddr & ~(1ull << c_bit(sev));
}

enum sev_status sev_addr(const struct sev_platform *sev, uint64_t paddr,
                         uint64_t size)
{
    return core_range_ok(sev->core, sev_spa(sev, paddr), size)
               ? SEV_SUCCESS
               : SEV_INVALID_ADDRESS;
}

enum sev_status sev_output(const struct sev_platform *sev, uint64_t paddr,
                           uint64_t size)
{
    return core_output_ok(sev->core, sev_spa(sev, paddr), size)
               ? SEV_SUCCESS
               : SEV_INVALID_PAGE_STATE;
}

enum sev_status sev_addr_output(const struct sev_platform *sev, uint64_t paddr,
                                uint64_t size)
{
    enum sev_status status = sev_addr(sev, paddr, size);

    return status != SEV_SUCCESS ? status : sev_output(sev, paddr, size);
}

enum psp_err sev_read(const struct sev_platform *sev, uint64_t paddr, void *buf,
                      size_t size)
{
    return core_read(sev->core, sev_spa(sev, paddr), buf, size);
}

enum psp_err sev_write(const struct sev_platform *sev, uint64_t paddr,
                       const void *buf, size_t size)
{
    return core_write(sev->core, sev_spa(sev, paddr), buf, size);
}

enum psp_err sev_guest_read(const struct sev_platform *sev,
                            const struct sev_guest *guest, uint64_t paddr,
                            uint8_t *buf, size_t size)
{
    enum psp_err err = sev_read(sev, paddr, buf, size);

    if (err != PSP_OK) {
        return err;
    }
    return core_mem_decrypt(guest->vek, sev_spa(sev, paddr), buf, buf, size);
}

enum psp_err sev_guest_write(const struct sev_platform *sev,
                             const struct sev_guest *guest, uint64_t paddr,
                             uint8_t *buf, size_t size)
{
    enum psp_err err =
        core_mem_encrypt(guest->vek, sev_spa(sev, paddr), buf, buf, size);

    if (err != PSP_OK) {
        return err;
    }
    return sev_write(sev, paddr, buf, size);
}
