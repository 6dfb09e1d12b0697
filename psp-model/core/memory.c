/* SPDX-License-Identifier: Apache-2.0 */
#include "core.h"

#include "crypto.h"
#include "wire.h"

#include <assert.h>

#define UNIT 16u

_Static_assert(XTS_PAGE_SIZE == RMP_PAGE_SIZE, "one data unit per page");

static enum psp_err page_crypt(bool encrypt, const uint8_t *vek, uint64_t page,
                               const uint8_t *in, uint8_t *out, size_t size)
{
    uint8_t tweak[16] = {0};
    struct psp_wr w = psp_wr(tweak, sizeof(tweak));

    psp_wr_le64(&w, page);
    return psp_xts(encrypt, vek, tweak, in, size, out);
}

/* A range that starts inside a page: XTS units are numbered from the start of
 * the page, so the units before it are computed too and thrown away. */
static enum psp_err partial_crypt(bool encrypt, const uint8_t *vek,
                                  uint64_t spa, const uint8_t *in, uint8_t *out,
                                  size_t size)
{
    size_t skip = spa % RMP_PAGE_SIZE;
    uint8_t page[RMP_PAGE_SIZE];
    enum psp_err err;

    memset(page, 0, skip);
    memcpy(page + skip, in, size);
    err = page_crypt(encrypt, vek, spa - skip, page, page, skip + size);
    memcpy(out, page + skip, size);
    psp_wipe(page, skip + size);
    return err;
}

static enum psp_err mem_crypt(bool encrypt, const uint8_t *vek, uint64_t spa,
                              const uint8_t *in, uint8_t *out, size_t size)
{
    assert(spa % UNIT == 0 && size % UNIT == 0);
    while (size > 0) {
        size_t room = RMP_PAGE_SIZE - spa % RMP_PAGE_SIZE;
        size_t n = size < room ? size : room;
        enum psp_err err;

        if (n == RMP_PAGE_SIZE) {
            n = size - size % RMP_PAGE_SIZE;
            err = psp_xts_pages(encrypt, vek, spa, in, n, out);
        } else if (room == RMP_PAGE_SIZE) {
            err = page_crypt(encrypt, vek, spa, in, out, n);
        } else {
            err = partial_crypt(encrypt, vek, spa, in, out, n);
        }
        if (err != PSP_OK) {
            return err;
        }
        spa += n;
        in += n;
        out += n;
        size -= n;
    }
    return PSP_OK;
}

enum psp_err core_mem_encrypt(const uint8_t vek[CORE_VEK_SIZE], uint64_t spa,
                              const uint8_t *in, uint8_t *out, size_t size)
{
    return mem_crypt(true, vek, spa, in, out, size);
}

enum psp_err core_mem_decrypt(const uint8_t vek[CORE_VEK_SIZE], uint64_t spa,
                              const uint8_t *in, uint8_t *out, size_t size)
{
    return mem_crypt(false, vek, spa, in, out, size);
}

/* The whole 16-byte units around a range within one page. */
struct units {
    const uint8_t *vek;
    uint64_t spa;
    size_t size;
    size_t offset; /* of the range in the units */
};

static enum psp_err units_of(const struct psp_core *core, uint32_t asid,
                             uint64_t spa, size_t size, struct units *u)
{
    const struct core_asid *slot = core_asid_at(core, asid);

    if (slot == NULL || slot->user == CORE_ASID_FREE ||
        !core_within_page(spa, size)) {
        return PSP_E_PARAM;
    }
    u->vek = slot->vek;
    u->offset = spa % UNIT;
    u->spa = spa - u->offset;
    u->size = (u->offset + size + UNIT - 1) / UNIT * UNIT;
    return PSP_OK;
}

static enum psp_err units_read(const struct psp_core *core,
                               const struct units *u, uint8_t *plain)
{
    enum psp_err err = core_read(core, u->spa, plain, u->size);

    if (err != PSP_OK) {
        return err;
    }
    return core_mem_decrypt(u->vek, u->spa, plain, plain, u->size);
}

enum psp_err core_guest_read(const struct psp_core *core, uint32_t asid,
                             uint64_t spa, void *buf, size_t size)
{
    uint8_t plain[RMP_PAGE_SIZE];
    struct units u;
    enum psp_err err = units_of(core, asid, spa, size, &u);

    if (err != PSP_OK || size == 0) {
        return err;
    }
    err = units_read(core, &u, plain);
    if (err == PSP_OK) {
        memcpy(buf, plain + u.offset, size);
    }
    psp_wipe(plain, u.size);
    return err;
}

enum psp_err core_guest_write(const struct psp_core *core, uint32_t asid,
                              uint64_t spa, const void *buf, size_t size)
{
    uint8_t plain[RMP_PAGE_SIZE];
    struct units u;
    enum psp_err err = units_of(core, asid, spa, size, &u);

    if (err != PSP_OK || size == 0) {
        return err;
    }
    if (u.size != size) {
        err = units_read(core, &u, plain);
    }
    if (err == PSP_OK) {
        memcpy(plain + u.offset, buf, size);
        err = core_mem_encrypt(u.vek, u.spa, plain, plain, u.size);
    }
    if (err == PSP_OK) {
        err = core_write(core, u.spa, plain, u.size);
    }
    psp_wipe(plain, u.size);
    return err;
}
