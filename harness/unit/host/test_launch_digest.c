/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of abi/snp.md §11.2: the walk computed for the sheet, and
 * published vectors of sev-snp-measure (OVMF's pages enter by their digest). */
#include "tst.h"

#include "id_block.h"
#include "launch_digest.h"
#include "vmsa.h"

#define EPYC_V4 0x00800f12u

static void extend(uint8_t ld[48], uint8_t type, uint64_t gpa, int fill)
{
    uint8_t data[RMP_PAGE_SIZE];
    struct vm_page page = {.type = type, .gpa = gpa, .data = data};

    memset(data, fill, sizeof(data));
    launch_digest_page(ld, &page);
}

static void digest__each_page_type__walk_of_the_sheet(void **state)
{
    uint8_t ld[48] = {0};

    (void)state;
    extend(ld, VM_PAGE_NORMAL, 0x1000, 0);
    assert_hex_equal(ld,
                     "e6e4d78904d9d6b33c0cbfd121998fd2d11744dae606b3aee35e2a45"
                     "d6869b60b35c63928a9232bef72d6be386f48ec6",
                     48);
    extend(ld, VM_PAGE_ZERO, 0x2000, 0x77);
    assert_hex_equal(ld,
                     "8233fbe1ec826b22907aa9397de357831970a96a08e3783a274d6349"
                     "194edde812a85313b0916402f33d069e71e1248d",
                     48);
    extend(ld, VM_PAGE_UNMEASURED, 0x3000, 0x77);
    assert_hex_equal(ld,
                     "e38aa6d01be592105dece52b841baab5f074b7680817c0db474561fc"
                     "74b5aa89826cef755d515e57daaabe1f220f70d6",
                     48);
    extend(ld, VM_PAGE_SECRETS, 0x4000, 0x77);
    assert_hex_equal(ld,
                     "4ab99c5fb84fc4720a053aee17fc63d5ca6ba07716d1f97e2e899de0"
                     "aa4610d5cfc20f60f19b161b1a7b6e8f245a4f6f",
                     48);
    extend(ld, VM_PAGE_CPUID, 0x5000, 0x77);
    assert_hex_equal(ld,
                     "adf702781cc8401038504a836700bf30b87124cea93ef7e2174454dd"
                     "11b1b9b6d05e1d8e7f8b46ba81813eb777f3236c",
                     48);
    extend(ld, VM_PAGE_VMSA, VM_VMSA_GPA, 0xaa);
    assert_hex_equal(ld,
                     "66f4e9b464510298940142bcea544d98bf11ff6308494d37c0c1bca9"
                     "9a7858b0cba4d4f13650053e910b1df635d9e497",
                     48);
}

static void digest__permissions_and_imi__walk_of_the_sheet(void **state)
{
    uint8_t data[RMP_PAGE_SIZE];
    uint8_t ld[48];
    struct vm_page page = {.type = VM_PAGE_NORMAL,
                           .gpa = 0x6000,
                           .vmpl_perms = {0x0f, 0x07, 0x01},
                           .data = data};

    (void)state;
    tst_hex("66f4e9b464510298940142bcea544d98bf11ff6308494d37c0c1bca99a7858b0"
            "cba4d4f13650053e910b1df635d9e497",
            ld, 48);
    memset(data, 0x55, sizeof(data));
    launch_digest_page(ld, &page);
    assert_hex_equal(ld,
                     "9be7d0973ce603c5ca9bb9dca5ed450aca3f53a3f4aca481dca23f62"
                     "4fb8596a758b7357af059df3c601b5535f27517c",
                     48);
    memset(data, 0x11, sizeof(data));
    page = (struct vm_page){
        .type = VM_PAGE_NORMAL, .gpa = 0x7000, .imi = true, .data = data};
    launch_digest_page(ld, &page);
    assert_hex_equal(ld,
                     "127953568086a012e03bbbc18c4aa73eedce28233d382b1484d0a8b8"
                     "c2e25286ea65ae0c3d3ab8e165adb0c9cafa8156",
                     48);
}

static void digest__no_data__zeros(void **state)
{
    uint8_t ld[48] = {0};
    const struct vm_page page = {.type = VM_PAGE_NORMAL, .gpa = 0x1000};

    (void)state;
    launch_digest_page(ld, &page);
    assert_hex_equal(ld,
                     "e6e4d78904d9d6b33c0cbfd121998fd2d11744dae606b3aee35e2a45"
                     "d6869b60b35c63928a9232bef72d6be386f48ec6",
                     48);
}

static void zeros(uint8_t ld[48], uint64_t gpa, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += RMP_PAGE_SIZE) {
        extend(ld, VM_PAGE_ZERO, gpa + at, 0);
    }
}

/* AmdSev OVMF: its own pages (published as "OVMF hash"), then its sections. */
static void amdsev_ovmf(uint8_t ld[48])
{
    tst_hex("086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa"
            "16aff8c374c2a55c467a50da6d466b74",
            ld, 48);
    zeros(ld, 0x800000, 0x9000);
    zeros(ld, 0x80a000, 0x3000);
    extend(ld, VM_PAGE_SECRETS, 0x80d000, 0);
    extend(ld, VM_PAGE_CPUID, 0x80e000, 0);
    zeros(ld, 0x80f000, 0x1000);
    zeros(ld, 0x810000, 0x1000); /* no kernel hashes */
    zeros(ld, 0x811000, 0xf000);
}

static void vmsa(uint8_t ld[48], uint32_t eip, uint64_t features)
{
    uint8_t area[VMSA_SIZE];
    const struct vm_page page = {
        .type = VM_PAGE_VMSA, .gpa = VM_VMSA_GPA, .data = area};

    vmsa_reset(area, eip, EPYC_V4, features);
    launch_digest_page(ld, &page);
}

static void vmsa__amdsev_ovmf_on_epyc_v4__published_measurement(void **state)
{
    uint8_t ld[48];

    (void)state;
    amdsev_ovmf(ld);
    vmsa(ld, VMSA_RESET_EIP, 0x1);
    assert_hex_equal(ld,
                     "19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6013b2686"
                     "9a5fc6ecabe033c48dd6f6db5d6d76e7c5df632d",
                     48);
}

static void vmsa__other_sev_features__published_measurement(void **state)
{
    uint8_t ld[48];

    (void)state;
    amdsev_ovmf(ld);
    vmsa(ld, VMSA_RESET_EIP, 0x21);
    assert_hex_equal(ld,
                     "e1e1ca029dd7973ab9513295be68198472dcd4fc834bd9af9b63f6e8"
                     "a1674dbf281a9278a4a2ebe0eed9f22adbcd0e2b",
                     48);
}

static void fms__each_profile__cpuid_form(void **state)
{
    const struct psp_profile naples = {
        .cpuid_family = 0x17, .cpuid_model = 0x01, .cpuid_stepping = 0x02};
    const struct psp_profile genoa = {
        .cpuid_family = 0x19, .cpuid_model = 0x11, .cpuid_stepping = 0x01};

    (void)state;
    assert_int_equal(vmsa_fms(&naples), 0x00800f12);
    assert_int_equal(vmsa_fms(&genoa), 0x00a10f11);
}

static void id_block__scalar_zero_or_order__refused(void **state)
{
    static const uint8_t ld[48], id[16];
    uint8_t block[ID_BLOCK_SIZE], auth[ID_AUTH_SIZE], key[48] = {0};
    const struct id_block_input in = {
        .ld = ld, .family_id = id, .image_id = id, .id_key = key};

    (void)state;
    assert_int_not_equal(id_block_make(&in, block, auth), 0);
    tst_hex("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
            "581a0db248b0a77aecec196accc52973",
            key, sizeof(key));
    assert_int_not_equal(id_block_make(&in, block, auth), 0);
    key[47] = 0x72; /* n - 1 */
    assert_int_equal(id_block_make(&in, block, auth), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest__each_page_type__walk_of_the_sheet),
        cmocka_unit_test(digest__permissions_and_imi__walk_of_the_sheet),
        cmocka_unit_test(digest__no_data__zeros),
        cmocka_unit_test(vmsa__amdsev_ovmf_on_epyc_v4__published_measurement),
        cmocka_unit_test(vmsa__other_sev_features__published_measurement),
        cmocka_unit_test(fms__each_profile__cpuid_form),
        cmocka_unit_test(id_block__scalar_zero_or_order__refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
