/* SPDX-License-Identifier: Apache-2.0 */
/* Any commands in any order, legacy and SNP, on one platform, with the host's
 * RMPUPDATEs in between. A refused command changes neither memory nor the
 * platform's status, and its buffer at most in a length. */
#include "fz.h"
#include "raw_guest.h"
#include "sev_rig.h"

#include <string.h>

#define STEPS 64

static uint8_t nv[PSP_NV_SIZE];
static bool have_nv;

/* Addresses that mean something, and some that do not. */
static uint64_t address(struct fz_in *in)
{
    static const uint64_t good[] = {
        0,           RIG_OUT,     RIG_OUT2,         RIG_IN,
        RIG_IN2,     RIG_GUEST,   RIG_GUEST + 4096, RIG_GUEST + 0x10000,
        RIG_TMR,     RIG_MEMORY,  RIG_MEMORY - 64,  RIG_GUEST + 8,
        RIG_OUT + 1, 0x7ffffffff, UINT64_MAX,       RIG_CMD,
    };
    uint8_t how = fz_u8(in);

    return how < 0xf0 ? good[how % 16] : fz_u64(in);
}

static void put(uint8_t *p, uint64_t v, unsigned int width)
{
    for (unsigned int i = 0; i < width; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

/* Each 8 bytes: raw, two small numbers, or an address. */
static void fill(struct fz_in *in, uint8_t *buf, size_t size)
{
    for (size_t at = 0; at + 4 <= size; at += 8) {
        uint8_t how = fz_u8(in);
        unsigned int width = at + 8 <= size ? 8 : 4;

        if (how < 0x60) {
            put(buf + at, how % 8, 4);
            if (width == 8) {
                put(buf + at + 4, fz_u8(in), 4);
            }
        } else if (how < 0xc0) {
            put(buf + at, address(in), width);
        } else if (how < 0xe0) {
            static const uint32_t sizes[] = {
                16,     48,     52,       64,       208, 0x824, 0x186c, 4096,
                0x4000, 0x8000, 0x100000, 0x200000, 200, 1,     0x80,   0x24};

            put(buf + at, sizes[how % 16], 4);
            if (width == 8) {
                put(buf + at + 4, sizes[fz_u8(in) % 16], 4);
            }
        } else {
            fz_bytes(in, buf + at, width);
        }
    }
}

/* Once SNP is up a legacy command's page must be the firmware's. */
static void own_command_page(struct sev_rig *r)
{
    static const struct rmp_entry firmware = {.state = RMP_FIRMWARE};

    if (r->profile.has_snp) {
        fz_check(rmp_set(psp_rmp(r->psp), RIG_CMD, &firmware) == PSP_OK);
    }
}

struct peek {
    bool ok;
    struct sev_cmd_status s;
};

static struct peek peek(struct sev_rig *r)
{
    uint8_t buf[SEV_CMD_STATUS_SIZE] = {0};
    struct peek p;

    own_command_page(r);
    p.ok =
        rig_exec(r, SEV_CMD_PLATFORM_STATUS, buf, sizeof(buf)) == SEV_SUCCESS;
    sev_cmd_status_decode(r->buffer, &p.s);
    return p;
}

static void same_status(const struct peek *before, const struct peek *now)
{
    const struct sev_cmd_status *a = &before->s, *b = &now->s;

    fz_check(before->ok && now->ok);
    fz_check(a->state == b->state && a->owner == b->owner &&
             a->config == b->config && a->guest_count == b->guest_count);
}

/* INIT_EX erases a store that it cannot read. */
static bool may_write_when_refused(uint32_t id)
{
    return id == SEV_CMD_INIT_EX;
}

static void command(struct sev_rig *r, struct fz_in *in)
{
    uint8_t buf[128] = {0}, after[128];
    struct peek before, now;
    struct psp_command_info info;
    enum sev_status status;
    unsigned int changes;

    if (!psp_command_at(fz_u8(in) % 80u, &info) || info.buffer_size > 128) {
        return;
    }
    fill(in, buf, info.buffer_size);
    before = peek(r);
    changes = r->changes;
    if ((fz_u8(in) & 0xf) != 0xf) {
        own_command_page(r);
    }
    memcpy(r->memory + RIG_CMD, buf, sizeof(buf));
    status = psp_execute(r->psp, info.id, RIG_CMD);
    memcpy(after, r->memory + RIG_CMD, sizeof(after));
    now = peek(r);
    if (status == SEV_SUCCESS) {
        return;
    }
    same_status(&before, &now);
    fz_check(changes == r->changes || may_write_when_refused(info.id));
    fz_check(memcmp(buf + info.buffer_size, after + info.buffer_size,
                    sizeof(buf) - info.buffer_size) == 0);
    if (status != SEV_INVALID_LENGTH) {
        fz_check(info.id > 0x7f || memcmp(buf, after, sizeof(buf)) == 0);
    }
}

/* The host moves pages between owners, its own command page excepted. */
static void rmpupdate(struct sev_rig *r, struct fz_in *in)
{
    uint64_t spa = address(in) & ~0xfffull;
    struct rmp_update update = {
        .assigned = (fz_u8(in) & 1) != 0,
        .immutable = (fz_u8(in) & 1) != 0,
        .asid = fz_u8(in) & 3,
        .gpa = (uint64_t)(fz_u8(in) & 3) << 12,
    };

    struct rmp_entry before = rmp_get(psp_rmp(r->psp), spa);
    struct rmp_entry after;

    if (spa != RIG_CMD &&
        rmp_rmpupdate(psp_rmp(r->psp), spa, &update) != RMP_OK) {
        after = rmp_get(psp_rmp(r->psp), spa);
        fz_check(memcmp(&before, &after, sizeof(before)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const profiles[] = {"milan", "genoa", "turin", "rome"};
    struct fz_in in = {data, size};
    uint8_t how = fz_u8(&in);
    struct sev_rig r;

    rig_power(&r, profiles[how % 4], how % 4 != 3 && (how & 0x40) != 0);
    if (how % 4 == 0) {
        memcpy(r.nv, nv, sizeof(nv));
        r.have_nv = have_nv;
    }
    if ((how & 0x60) == 0) { /* without SNP, initialised */
        rig_init(&r);
        if (how % 4 == 0) {
            memcpy(nv, r.nv, sizeof(nv));
            have_nv = true;
        }
    }
    for (int i = 0; i < STEPS && in.size > 0; i++) {
        if ((how & 0x40) != 0 && (fz_u8(&in) & 7) == 0) {
            rmpupdate(&r, &in);
        } else {
            command(&r, &in);
        }
    }
    rig_close(&r);
    return 0;
}
