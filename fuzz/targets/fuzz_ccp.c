/* SPDX-License-Identifier: Apache-2.0 */
/* User memory of the /dev/sev ioctls: a program that passes anything. Each runs
 * on a driver that is reached directly and on a second one that has to ask for
 * memory ranges; both must do the same. */
#include "ccp.h"
#include "fz.h"
#include "legacy_vm.h"
#include "pki.h"
#include "raw_guest.h"
#include "umem_array.h"

#include <errno.h>
#include <string.h>

#define ENVELOPE_ADDR 0x10000u
#define INNER_ADDR    0x20000u
#define FIRST_ADDR    0x30000u
#define SECOND_ADDR   0x40000u
#define BLOB_SIZE     0x5000u
#define STEP_SIZE     120u

struct side {
    struct machine *m;
    struct ccp_dev *dev;
    struct legacy_vm_host *host;
    bool have_nv;
    uint8_t nv[PSP_NV_SIZE];
    uint8_t envelope[16], inner[128], first[BLOB_SIZE], second[BLOB_SIZE];
    struct umem_array ua;
};

static struct side sides[2];

/* Keys are made once for each profile. */
static uint8_t kept[2][PSP_NV_SIZE];
static bool have_kept[2];

static int nv_load(void *ctx, uint8_t *blob)
{
    const struct side *s = ctx;

    memcpy(blob, s->nv, PSP_NV_SIZE);
    return s->have_nv ? 0 : 1;
}

static int nv_store(void *ctx, const uint8_t *blob)
{
    struct side *s = ctx;

    memcpy(s->nv, blob, PSP_NV_SIZE);
    s->have_nv = true;
    return 0;
}

static void launch(struct side *s)
{
    struct legacy_vm_spec spec;
    struct legacy_vm *g;
    enum sev_status status;

    fz_check(legacy_vm_host_new(s->m, &s->host) == 0);
    fz_check(legacy_vm_spec_default(&spec) == 0);
    fz_check(legacy_vm_launch(s->host, &spec, &g, &status) == 0);
    legacy_vm_spec_clear(&spec);
}

static void side_open(struct side *s, uint8_t how)
{
    unsigned int snp = (how >> 5) & 1;
    struct machine_config config = {
        .profile = psp_profile_by_name(snp ? "milan" : "rome"),
        .seed = RAW_SEED,
        .nv_load = nv_load,
        .nv_store = nv_store,
        .nv_ctx = s,
    };
    struct ccp_config driver;

    memset(s, 0, sizeof(*s));
    memcpy(s->nv, kept[snp], PSP_NV_SIZE);
    s->have_nv = have_kept[snp];
    pki_chip_make(RAW_SEED, config.profile->generation, 0, &config.chip);
    fz_check(machine_create(&config, &s->m) == 0);
    ccp_config_default(&driver);
    driver.era = (enum ccp_era)(how & 3);
    driver.abi = (enum ccp_abi)((how >> 2 & 7) % 5);
    driver.auto_report = how == 0xff;
    driver.start_uninit = (how & 0x40) != 0;
    driver.strict = (how & 0xc0) == 0xc0;
    fz_check(ccp_probe(s->m, &driver, &s->dev) == 0);
    if (!have_kept[snp] && s->have_nv) {
        memcpy(kept[snp], s->nv, PSP_NV_SIZE);
        have_kept[snp] = true;
    }
    if ((how & 0xc0) == 0x80) {
        launch(s);
    }
}

static void side_close(struct side *s)
{
    if (s->host != NULL) {
        legacy_vm_host_free(s->host);
    }
    ccp_remove(s->dev);
    machine_destroy(s->m);
}

static uint64_t address(struct fz_in *in, uint64_t good)
{
    uint8_t how = fz_u8(in);

    if (how < 0xc0) {
        return good;
    }
    if (how < 0xd0) {
        return good + (how & 0xf);
    }
    if (how < 0xe0) {
        return 0;
    }
    good = fz_u64(in);
    /* Reading one range twice on purpose looks like breaking the plan. */
    return good >= ENVELOPE_ADDR && good < SECOND_ADDR + BLOB_SIZE ? 0 : good;
}

static void put64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

/* Where the inner structures have their addresses. abi/linux.md §1.5 */
static void point(struct side *s, struct fz_in *in, uint32_t cmd)
{
    uint64_t first = address(in, FIRST_ADDR);
    uint64_t second = address(in, SECOND_ADDR);

    switch (cmd) {
    case CCP_PEK_CSR:
    case CCP_GET_ID2:
        put64(s->inner, first);
        break;
    case CCP_PDH_CERT_EXPORT:
    case CCP_PEK_CERT_IMPORT:
        put64(s->inner, first);
        put64(s->inner + 12, second);
        break;
    case CCP_SNP_PLATFORM_STATUS:
    case CCP_GET_REPORT_PRIVATE:
        put64(s->inner + 16, first);
        break;
    case CCP_SNP_VLEK_LOAD:
    case CCP_SNP_COMMIT:
    case CCP_SNP_SET_CONFIG:
        put64(s->inner + 8, first);
        break;
    default:
        break;
    }
}

/* Lengths are mostly right. */
static void lengths(struct side *s, struct fz_in *in)
{
    static const uint32_t good[] = {2084, 6252, 64, 208, 16, 16384, 128, 0};
    static const uint8_t at[] = {8, 20, 24, 0, 28};

    for (size_t i = 0; i < sizeof(at); i++) {
        uint8_t how = fz_u8(in);

        if (how < 0xa0) {
            s->inner[at[i]] = (uint8_t)good[how % 8];
            s->inner[at[i] + 1] = (uint8_t)(good[how % 8] >> 8);
            s->inner[at[i] + 2] = s->inner[at[i] + 3] = 0;
        }
    }
}

static void fill(struct side *s, struct fz_in in, uint8_t how)
{
    struct umem_array *ua = &s->ua;
    uint8_t cmd = fz_u8(&in);
    uint32_t number = cmd < 0xf0    ? cmd % 14u
                      : cmd == 0xf0 ? CCP_GET_REPORT_PRIVATE
                      : cmd < 0xf4  ? 256u + cmd % 4u
                                    : fz_u32(&in);

    fz_bytes(&in, s->inner, 80);
    if ((how & 8) == 0) {
        lengths(s, &in);
    }
    point(s, &in, number);
    memset(s->first, how, sizeof(s->first));
    memset(s->second, how, sizeof(s->second));
    put64(s->envelope, number);
    put64(s->envelope + 4, address(&in, INNER_ADDR));
    memset(s->envelope + 12, 0x5a, 4);
    umem_array_init(ua);
    umem_array_map(ua, ENVELOPE_ADDR, s->envelope, 16, (how & 0x30) == 0x30);
    umem_array_map(ua, INNER_ADDR, s->inner, 128, (how & 0xc0) == 0xc0);
    umem_array_map(ua, FIRST_ADDR, s->first, BLOB_SIZE, false);
    umem_array_map(ua, SECOND_ADDR, s->second, BLOB_SIZE, false);
}

static int64_t call(struct side *s, struct fz_in in, bool retry)
{
    struct chardev dev = ccp_chardev(s->dev);
    uint8_t how = fz_u8(&in);
    uint32_t request = (how & 7) == 7 ? 0xc0105301u : 0xc0105300u;

    fill(s, in, how);
    s->ua.retry = retry;
    return umem_array_ioctl(&s->ua, &dev, (how & 3) != 3, request,
                            ENVELOPE_ADDR);
}

static void compare(const struct side *a, const struct side *b)
{
    fz_check(!a->ua.broke_plan && !b->ua.broke_plan);
    fz_check(memcmp(a->envelope, b->envelope, sizeof(a->envelope)) == 0);
    fz_check(memcmp(a->inner, b->inner, sizeof(a->inner)) == 0);
    fz_check(memcmp(a->first, b->first, sizeof(a->first)) == 0);
    fz_check(memcmp(a->second, b->second, sizeof(a->second)) == 0);
    fz_check(memcmp(a->nv, b->nv, sizeof(a->nv)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fz_in in = {data, size};
    uint8_t how = fz_u8(&in);

    /* The first maker of a store draws more randomness than the second. */
    for (unsigned int i = 0; i < 2 && !(have_kept[0] && have_kept[1]); i++) {
        side_open(&sides[0], i == 0 ? 0 : 0x20);
        side_close(&sides[0]);
    }
    for (int i = 0; i < 2; i++) {
        side_open(&sides[i], how);
    }
    for (int i = 0; i < 6 && in.size > 0; i++) {
        int64_t direct = call(&sides[0], in, false);
        int64_t asked = call(&sides[1], in, true);

        fz_check(direct <= 0 && direct > -600);
        if (asked == -EFAULT) {
            break; /* asking finds bad ranges before anything is done */
        }
        fz_check(direct == asked);
        compare(&sides[0], &sides[1]);
        in.data += in.size < STEP_SIZE ? in.size : STEP_SIZE;
        in.size -= in.size < STEP_SIZE ? in.size : STEP_SIZE;
    }
    for (int i = 0; i < 2; i++) {
        side_close(&sides[i]);
    }
    return 0;
}
