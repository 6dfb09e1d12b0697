/* SPDX-License-Identifier: Apache-2.0 */
/* Published launch measurements of sev-snp-measure, made by the firmware
 * itself: each page goes through SNP_LAUNCH_UPDATE in the order in which QEMU
 * sends it. The 4 KiB of OVMF that those vectors start from are not here; their
 * published digest stands for them. abi/snp.md §11.2 */
#include "snp_fixture.h"

#include "vmsa.h"

#define ASID     3u
#define EPYC_V4  0x00800f12u
#define VMSA_GPA 0xfffffffff000ull
#define OVMF                                                                   \
    "086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa"         \
    "16aff8c374c2a55c467a50da6d466b74"

static const struct section {
    enum snp_page_type type;
    uint64_t gpa;
    uint64_t size;
} SECTIONS[] = {
    {SNP_PAGE_ZERO, 0x800000, 0x9000},    {SNP_PAGE_ZERO, 0x80a000, 0x3000},
    {SNP_PAGE_SECRETS, 0x80d000, 0x1000}, {SNP_PAGE_CPUID, 0x80e000, 0x1000},
    {SNP_PAGE_ZERO, 0x80f000, 0x1000},    {SNP_PAGE_ZERO, 0x810000, 0x1000},
    {SNP_PAGE_ZERO, 0x811000, 0xf000},
};

static const struct vector {
    const char *name;
    uint64_t features;
    const char *measurement;
} VECTORS[] = {
    {"firmware__amdsev_ovmf_features_01__published_measurement", 0x01,
     "19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6013b26869a5fc6ec"
     "abe033c48dd6f6db5d6d76e7c5df632d"},
    {"firmware__amdsev_ovmf_features_21__published_measurement", 0x21,
     "e1e1ca029dd7973ab9513295be68198472dcd4fc834bd9af9b63f6e8a1674dbf"
     "281a9278a4a2ebe0eed9f22adbcd0e2b"},
};

static void test_vector(void **state)
{
    const struct vector *v = *state;
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_launch(fx, ASID, FX_POLICY);
    uint8_t vmsa[VMSA_SIZE];

    tst_hex(OVMF, fx_guest(fx, gctx)->ld, 48);
    for (size_t i = 0; i < sizeof(SECTIONS) / sizeof(SECTIONS[0]); i++) {
        for (uint64_t at = 0; at < SECTIONS[i].size; at += RMP_PAGE_SIZE) {
            (void)fx_launch_page(fx, gctx, SECTIONS[i].type,
                                 SECTIONS[i].gpa + at, NULL);
        }
    }
    vmsa_reset(vmsa, VMSA_RESET_EIP, EPYC_V4, v->features);
    (void)fx_launch_page(fx, gctx, SNP_PAGE_VMSA, VMSA_GPA, vmsa);
    assert_hex_equal(fx_guest(fx, gctx)->ld, v->measurement, 48);
    snp_fx_free(fx);
}

int main(void)
{
    struct tst_suite suite = {0};

    TST_ADD_ROWS(&suite, VECTORS, test_vector);
    return tst_suite_run(&suite, "host/published_digest");
}
