/* SPDX-License-Identifier: Apache-2.0 */
/* CONFIG, COMMIT, VLEK_LOAD, DOWNLOAD_FIRMWARE_EX, VERIFY_MITIGATION.
 * abi/snp.md §1.18, §9 */
#include "snp_fixture.h"

#include "firmware_key.h"
#include "snp_firmware.h"
#include "snp_status.h"
#include "wire.h"

#define STICK 0x6008ull /* needs no alignment */
#define IMAGE 0x40000ull
#define OUT   0x6000ull

#define BREAK(name) static void name(struct fx_try *t)

static const struct psp_tcb MILAN = {{4, 0, 0, 0, 0, 0, 0x18, 0xdb}};
static const struct psp_tcb LOWER = {{4, 0, 0, 0, 0, 0, 0x17, 0xdb}};

static void uninit(struct fx_try *t)
{
    t->fx = snp_fx_new("milan", NULL);
}

/* -- CONFIG -----------------------------------------------------------------
 */

BREAK(config)
{
    t->fx = snp_fx_up("milan", NULL);
    FX_SET(t, CONFIG, CONFIG, config, .reported_tcb = MILAN);
}
BREAK(config_uninit)
{
    uninit(t);
    FX_SET(t, CONFIG, CONFIG, config, .reported_tcb = LOWER);
}
BREAK(config_turin)
{
    t->fx = snp_fx_up("turin", NULL);
    FX_SET(t, CONFIG, CONFIG, config,
           .reported_tcb = {{1, 1, 1, 4, 0, 0, 0, 0x51}});
}
BREAK(tcb_snp_above)
{
    t->buf[6] = 0x19;
}
BREAK(tcb_boot_loader_above)
{
    t->buf[0] = 5;
    t->buf[7] = 0; /* numerically lower, one component higher */
}
BREAK(tcb_microcode_above)
{
    t->buf[7] = 0xdc;
}
BREAK(tcb_reserved)
{
    t->buf[2] = 1;
}
BREAK(tcb_lower)
{
    t->buf[6] = 0x01;
}
BREAK(turin_fmc_above)
{
    t->buf[0] = 2;
}
BREAK(turin_reserved)
{
    t->buf[6] = 1;
}
BREAK(config_flag_2)
{
    t->buf[8] = 4;
}
BREAK(config_flag_31)
{
    t->buf[0xb] = 0x80;
}
BREAK(config_mbz_first)
{
    t->buf[0xc] = 1;
}
BREAK(config_mbz_last)
{
    t->buf[0x3f] = 1;
}

static enum sev_status set_tcb(struct snp_fx *fx, const struct psp_tcb *tcb)
{
    return FX(fx, CONFIG, config, .reported_tcb = *tcb);
}

static void config__lower_tcb__another_vcek_and_back(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    struct snp_platform *snp = fx_snp(fx);
    const struct psp_tcb none = {{0}};
    struct psp_p384_key before = snp->vcek, want;
    uint8_t seed[48];

    (void)state;
    assert_int_equal(set_tcb(fx, &LOWER), SEV_SUCCESS);
    assert_memory_equal(snp->reported_tcb.b, LOWER.b, 8);
    assert_memory_equal(snp->committed_tcb.b, MILAN.b, 8);
    pki_vcek_seed(fx->config.chip.secret, &LOWER, seed);
    assert_int_equal(pki_vcek_from_seed(seed, &want), PSP_OK);
    assert_memory_equal(&snp->vcek, &want, sizeof(want));
    assert_memory_equal(snp->vcek_seed, seed, sizeof(seed));
    assert_int_equal(set_tcb(fx, &none), SEV_SUCCESS);
    assert_memory_equal(snp->reported_tcb.b, MILAN.b, 8);
    assert_memory_equal(&snp->vcek, &before, sizeof(before));
    snp_fx_free(fx);
}

static void config__masks__set_and_cleared_with_each_command(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);

    (void)state;
    assert_int_equal(FX(fx, CONFIG, config, .mask_chip_id = true), SEV_SUCCESS);
    assert_true(fx_snp(fx)->mask_chip_id);
    assert_false(fx_snp(fx)->mask_chip_key);
    assert_int_equal(FX(fx, CONFIG, config, .mask_chip_key = true),
                     SEV_SUCCESS);
    assert_false(fx_snp(fx)->mask_chip_id);
    assert_true(fx_snp(fx)->mask_chip_key);
    snp_fx_free(fx);
}

static void config__shutdown__values_stay(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);

    (void)state;
    assert_int_equal(
        FX(fx, CONFIG, config, .reported_tcb = LOWER, .mask_chip_id = true),
        SEV_SUCCESS);
    assert_int_equal(fx_command(fx, SNP_CMD_SHUTDOWN, NULL, 0), SEV_SUCCESS);
    assert_int_equal(fx_command(fx, SNP_CMD_INIT, NULL, 0), SEV_SUCCESS);
    assert_memory_equal(fx_snp(fx)->reported_tcb.b, LOWER.b, 8);
    assert_true(fx_snp(fx)->mask_chip_id);
    snp_fx_free(fx);
}

/* -- COMMIT -----------------------------------------------------------------
 */

BREAK(commit)
{
    t->fx = snp_fx_up("milan", NULL);
    FX_SET(t, COMMIT, COMMIT, commit, .len = 4);
}
BREAK(commit_uninit)
{
    uninit(t);
    FX_SET(t, COMMIT, COMMIT, commit, .len = 4);
}
BREAK(len_3)
{
    fx_put32(t, 0, 3);
}
BREAK(len_5)
{
    fx_put32(t, 0, 5);
}

static void commit__config_value__dropped(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);

    (void)state;
    assert_int_equal(
        FX(fx, CONFIG, config, .reported_tcb = LOWER, .mask_chip_key = true),
        SEV_SUCCESS);
    assert_int_equal(FX(fx, COMMIT, commit, .len = 4), SEV_SUCCESS);
    assert_memory_equal(fx_snp(fx)->reported_tcb.b, MILAN.b, 8);
    assert_true(fx_snp(fx)->mask_chip_key);
    snp_fx_free(fx);
}

/* -- VLEK_LOAD --------------------------------------------------------------
 */

static void put_stick(struct snp_fx *fx, const struct psp_chip *chip,
                      const struct psp_tcb *tcb, uint8_t seed_byte)
{
    static const uint8_t iv[GCM_IV_SIZE] = {9, 8, 7};
    uint8_t vcek_seed[48], vlek_seed[48], stick[PKI_HASHSTICK_SIZE];

    memset(vlek_seed, seed_byte, sizeof(vlek_seed));
    pki_vcek_seed(chip->secret, tcb, vcek_seed);
    pki_vlek_wrap(vcek_seed, tcb, iv, vlek_seed, stick);
    fx_write(fx, STICK, stick, sizeof(stick));
}

static void vlek_on(struct fx_try *t, struct snp_fx *fx)
{
    t->fx = fx;
    put_stick(fx, &fx->config.chip, &MILAN, 0x5a);
    FX_SET(t, VLEK_LOAD, VLEK_LOAD, vlek_load, .len = 0x10,
           .vlek_wrapped_paddr = STICK);
}
BREAK(vlek)
{
    vlek_on(t, snp_fx_up("milan", NULL));
}
BREAK(vlek_uninit)
{
    vlek_on(t, snp_fx_new("milan", NULL));
    assert_int_equal(snp_keys_refresh(fx_snp(t->fx)), PSP_OK);
}
static void no_vlek(struct psp_config *config)
{
    config->profile.feature_ecx = 0x2;
}
BREAK(vlek_without_feature)
{
    vlek_on(t, snp_fx_up("milan", no_vlek));
}
BREAK(vlek_len)
{
    fx_put32(t, 0, 0xf);
}
BREAK(vlek_version)
{
    t->buf[4] = 1;
}
BREAK(vlek_mbz)
{
    t->buf[7] = 1;
}
BREAK(vlek_outside)
{
    fx_put64(t, 8, FX_MEMORY_SIZE - PKI_HASHSTICK_SIZE + 1);
}
static void stick_flip(struct fx_try *t, size_t offset)
{
    uint8_t byte;

    fx_read(t->fx, STICK + offset, &byte, 1);
    byte ^= 1;
    fx_write(t->fx, STICK + offset, &byte, 1);
}
BREAK(stick_reserved_0c)
{
    stick_flip(t, 0xc);
}
BREAK(stick_reserved_198)
{
    stick_flip(t, 0x198);
}
/* An authentic stick with something behind the seed. */
BREAK(stick_padding)
{
    uint8_t key[GCM_KEY_SIZE], stick[PKI_HASHSTICK_SIZE];

    psp_kdf_sha384(fx_snp(t->fx)->vcek_seed, 48, "VLEK wrap", NULL, 0, key,
                   sizeof(key));
    fx_read(t->fx, STICK, stick, sizeof(stick));
    memset(stick + 0x10, 0x5a, 48);
    memset(stick + 0x10 + 48, 0, 0x180 - 48);
    stick[0x18f] = 1;
    psp_gcm_seal(key, stick, stick + 0x190, 0x10, stick + 0x10, 0x180,
                 stick + 0x10, stick + 0x1a0);
    fx_write(t->fx, STICK, stick, sizeof(stick));
}
BREAK(stick_tcb)
{
    put_stick(t->fx, &t->fx->config.chip, &LOWER, 0x5a);
}
BREAK(stick_iv)
{
    stick_flip(t, 0);
}
BREAK(stick_body)
{
    stick_flip(t, 0x18f);
}
BREAK(stick_tag)
{
    stick_flip(t, 0x1af);
}
BREAK(stick_other_chip)
{
    struct psp_chip other;

    pki_chip_make(PKI_DEV_SEED, PSP_MILAN, 1, &other);
    put_stick(t->fx, &other, &MILAN, 0x5a);
}
BREAK(stick_reserved_and_tcb)
{
    stick_tcb(t);
    stick_reserved_0c(t);
}
BREAK(stick_tcb_and_tag)
{
    stick_tcb(t);
    stick_tag(t);
}

static void vlek_load__success__key_of_the_seed(void **state)
{
    struct fx_try t = {0};
    struct psp_p384_key want;
    uint8_t seed[48];

    (void)state;
    vlek(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    memset(seed, 0x5a, sizeof(seed));
    assert_int_equal(pki_vlek_from_seed(seed, &want), PSP_OK);
    assert_true(fx_snp(t.fx)->vlek_en);
    assert_memory_equal(&fx_snp(t.fx)->vlek, &want, sizeof(want));
    assert_memory_equal(fx_snp(t.fx)->vlek_seed, seed, sizeof(seed));
    snp_fx_free(t.fx);
}

static void vlek__reported_tcb_changes__dropped(void **state)
{
    struct fx_try t = {0};

    (void)state;
    vlek(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(set_tcb(t.fx, &MILAN), SEV_SUCCESS);
    assert_true(fx_snp(t.fx)->vlek_en); /* no change, no drop */
    assert_int_equal(set_tcb(t.fx, &LOWER), SEV_SUCCESS);
    assert_false(fx_snp(t.fx)->vlek_en);
    assert_true(psp_all_zero(fx_snp(t.fx)->vlek_seed, 48));
    assert_true(psp_all_zero(&fx_snp(t.fx)->vlek, sizeof(t.fx->psp->snp.vlek)));
    snp_fx_free(t.fx);
}

static void vlek__shutdown__erased(void **state)
{
    struct fx_try t = {0};

    (void)state;
    vlek(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_command(t.fx, SNP_CMD_SHUTDOWN, NULL, 0), SEV_SUCCESS);
    assert_false(fx_snp(t.fx)->vlek_en);
    assert_true(psp_all_zero(fx_snp(t.fx)->vlek_seed, 48));
    snp_fx_free(t.fx);
}

/* -- DOWNLOAD_FIRMWARE_EX ---------------------------------------------------
 */

#define BODY_SIZE 0x40u

/* An image of which a test may spoil anything before it is signed. */
static struct snp_firmware newer(void)
{
    return (struct snp_firmware){
        .body_size = BODY_SIZE,
        .generation = PSP_MILAN,
        .major = 1,
        .minor = 55,
        .build = 30,
        .svn = 0x19,
        .live = true,
        .mit_vector = 0x5,
    };
}

static void put_image(struct snp_fx *fx, struct snp_firmware fw)
{
    uint8_t image[SNP_FIRMWARE_HEADER_SIZE + BODY_SIZE];
    uint8_t digest[48];
    struct psp_p384_key key;
    struct psp_p384_sig sig;

    memset(image, 0x90, sizeof(image));
    psp_sha384(image + SNP_FIRMWARE_HEADER_SIZE, BODY_SIZE, fw.body_digest);
    snp_firmware_encode(&fw, image);
    psp_sha384(image, SNP_FIRMWARE_SIGNED_SIZE, digest);
    assert_int_equal(pki_firmware_key(&key), PSP_OK);
    assert_int_equal(psp_p384_sign(&key, digest, &sig), PSP_OK);
    psp_reverse(fw.r, sig.r, 48);
    psp_reverse(fw.s, sig.s, 48);
    snp_firmware_encode(&fw, image);
    fx_write(fx, IMAGE, image, sizeof(image));
}

static void download_on(struct fx_try *t, struct snp_fx *fx)
{
    t->fx = fx;
    put_image(fx, newer());
    FX_SET(t, DOWNLOAD_FIRMWARE_EX, DOWNLOAD_FIRMWARE_EX, download_firmware_ex,
           .len = 0x18, .fw_paddr = IMAGE,
           .fw_len = SNP_FIRMWARE_HEADER_SIZE + BODY_SIZE);
}
BREAK(download)
{
    download_on(t, snp_fx_up("milan", NULL));
}
BREAK(download_uninit)
{
    download_on(t, snp_fx_new("milan", NULL));
}
BREAK(fw_len_field)
{
    fx_put32(t, 0, 0x10);
}
BREAK(fw_mbz_04)
{
    t->buf[4] = 1;
}
BREAK(fw_flag_1)
{
    t->buf[0x14] = 2;
}
BREAK(fw_misaligned)
{
    fx_put64(t, 8, IMAGE + 16);
}
BREAK(fw_outside)
{
    fx_put64(t, 8, FX_MEMORY_SIZE);
}
BREAK(fw_short)
{
    fx_put32(t, 0x10, SNP_FIRMWARE_HEADER_SIZE - 1);
}
BREAK(fw_long)
{
    fx_put32(t, 0x10, SNP_FIRMWARE_MAX_SIZE + 1);
}
BREAK(fw_body_not_whole)
{
    fx_put32(t, 0x10, SNP_FIRMWARE_HEADER_SIZE + BODY_SIZE - 1);
}
static void image_flip(struct fx_try *t, size_t offset)
{
    uint8_t byte;

    fx_read(t->fx, IMAGE + offset, &byte, 1);
    byte ^= 1;
    fx_write(t->fx, IMAGE + offset, &byte, 1);
}
BREAK(fw_header_alone)
{
    fx_put32(t, 0x10, SNP_FIRMWARE_HEADER_SIZE);
}
BREAK(fw_longest)
{
    fx_put32(t, 0x10, SNP_FIRMWARE_MAX_SIZE);
}
BREAK(fw_magic)
{
    image_flip(t, 0);
}
BREAK(fw_header)
{
    image_flip(t, 0x12); /* build */
}
BREAK(fw_body)
{
    image_flip(t, SNP_FIRMWARE_HEADER_SIZE);
}
BREAK(fw_sig)
{
    image_flip(t, SNP_FIRMWARE_SIG_OFFSET);
}
BREAK(fw_svn)
{
    struct snp_firmware fw = newer();

    fw.svn = 0x17;
    put_image(t->fx, fw);
}
BREAK(fw_other_generation)
{
    struct snp_firmware fw = newer();

    fw.generation = PSP_GENOA;
    put_image(t->fx, fw);
}
BREAK(fw_older_build)
{
    struct snp_firmware fw = newer();

    fw.build = 28;
    put_image(t->fx, fw);
}
BREAK(fw_not_live)
{
    struct snp_firmware fw = newer();

    fw.live = false;
    put_image(t->fx, fw);
}
BREAK(fw_legacy)
{
    fx_core(t->fx)->sev_state = SEV_PLATFORM_INIT;
    fw_len_field(t); /* the state comes first */
}
BREAK(fw_mbz_and_misaligned)
{
    fw_mbz_04(t);
    fw_misaligned(t);
}
BREAK(fw_sig_and_svn)
{
    fw_svn(t);
    fw_sig(t);
}
BREAK(fw_svn_and_version)
{
    struct snp_firmware fw = newer();

    fw.svn = 0x17;
    fw.build = 1;
    put_image(t->fx, fw);
}

static void download__provisional__current_moves_committed_stays(void **state)
{
    struct fx_try t = {0};
    struct snp_platform *snp;

    (void)state;
    download(&t);
    snp = fx_snp(t.fx);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(snp->current_tcb.b[6], 0x19);
    assert_int_equal(snp->current_version.build, 30);
    assert_int_equal(snp->current_mit_vector, 0x5);
    assert_int_equal(fx_core(t.fx)->profile.mit_vector, 0x5); /* supported */
    assert_memory_equal(snp->committed_tcb.b, MILAN.b, 8);
    assert_memory_equal(snp->reported_tcb.b, MILAN.b, 8);
    assert_int_equal(snp->committed_version.build, 29);
    /* The reverse map was built under the older TCB. */
    assert_int_equal(fx_command(t.fx, SNP_CMD_SHUTDOWN, NULL, 0), SEV_SUCCESS);
    assert_int_equal(FX(t.fx, INIT_EX, init_ex, .init_rmp = false),
                     SEV_RMP_INIT_REQUIRED);
    assert_int_equal(FX(t.fx, COMMIT, commit, .len = 4), SEV_SUCCESS);
    assert_int_equal(snp->committed_tcb.b[6], 0x19);
    assert_int_equal(snp->reported_tcb.b[6], 0x19);
    assert_int_equal(snp->committed_version.build, 30);
    /* No way back now. */
    fw_svn(&t);
    assert_int_equal(fx_execute(&t), SEV_BAD_SVN);
    snp_fx_free(t.fx);
}

static void download__commit_flag__all_at_once(void **state)
{
    struct fx_try t = {0};
    uint64_t gctx;

    (void)state;
    download(&t);
    t.buf[0x14] = 1;
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_snp(t.fx)->reported_tcb.b[6], 0x19);
    assert_int_equal(fx_snp(t.fx)->committed_version.build, 30);
    gctx = fx_guest_init(t.fx);
    assert_int_equal(fx_guest(t.fx, gctx)->launch_tcb.b[6], 0x19);
    snp_fx_free(t.fx);
}

static void
gctx_create__provisional_firmware__launch_tcb_is_committed(void **state)
{
    struct fx_try t = {0};
    uint64_t gctx;

    (void)state;
    download(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    gctx = fx_guest_init(t.fx);
    assert_memory_equal(fx_guest(t.fx, gctx)->launch_tcb.b, MILAN.b, 8);
    snp_fx_free(t.fx);
}

/* -- VERIFY_MITIGATION ------------------------------------------------------
 */

static void with_mitigations(struct psp_config *config)
{
    config->profile.feature_ecx |= 0x2000;
}
BREAK(mitigation)
{
    t->fx = snp_fx_up("turin", with_mitigations);
    fx_firmware(t->fx, OUT);
    FX_SET(t, VERIFY_MITIGATION, VERIFY_MITIGATION, verify_mitigation,
           .len = 0x40, .subcommand = SNP_MITIGATION_VERIFY, .vector = 0x3,
           .dst_paddr_en = true, .dst_paddr = OUT);
}
BREAK(mitigation_without_feature)
{
    t->fx = snp_fx_up("turin", NULL);
    FX_SET(t, VERIFY_MITIGATION, VERIFY_MITIGATION, verify_mitigation,
           .len = 0x40);
}
BREAK(mit_len)
{
    fx_put32(t, 0, 0x3f);
}
BREAK(mit_subcommand)
{
    t->buf[4] = 2;
}
BREAK(mit_mbz_06)
{
    t->buf[6] = 1;
}
BREAK(mit_flag_2)
{
    t->buf[0x10] |= 4;
}
BREAK(mit_mbz_14)
{
    t->buf[0x14] = 1;
}
BREAK(mit_mbz_3f)
{
    t->buf[0x3f] = 1;
}
BREAK(mit_vector)
{
    t->buf[8] = 0x40;
}
BREAK(mit_dst_outside)
{
    fx_put64(t, 0x20, FX_MEMORY_SIZE);
}
BREAK(mit_src_outside)
{
    t->buf[0x10] |= 2;
    fx_put64(t, 0x18, FX_MEMORY_SIZE);
}
BREAK(mit_dst_hypervisor)
{
    fx_put64(t, 0x20, fx_page(t->fx));
}

static void verify_mitigation__bits__verified_and_reported(void **state)
{
    struct fx_try t = {0};
    uint8_t out[SNP_MITIGATION_RESULT_SIZE];

    (void)state;
    mitigation(&t);
    fx_snp(t.fx)->current_mit_vector = 0x30; /* as after an update */
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_snp(t.fx)->current_mit_vector, 0x33);
    fx_read(t.fx, OUT, out, sizeof(out));
    assert_hex_equal(out, "3300000000000000 3f00000000000000 00000000", 20);
    t.buf[4] = SNP_MITIGATION_STATUS;
    t.buf[8] = 0x0c;
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_snp(t.fx)->current_mit_vector, 0x33);
    snp_fx_free(t.fx);
}

/* -- tables -----------------------------------------------------------------
 */

static const struct fx_case CASES[] = {
    {"config__committed__success", config, NULL, SEV_SUCCESS},
    {"config__lower__success", config, tcb_lower, SEV_SUCCESS},
    {"config__uninit__success", config_uninit, NULL, SEV_SUCCESS},
    {"config__snp_above_committed__param", config, tcb_snp_above,
     SEV_INVALID_PARAM},
    {"config__one_component_above__param", config, tcb_boot_loader_above,
     SEV_INVALID_PARAM},
    {"config__microcode_above__param", config, tcb_microcode_above,
     SEV_INVALID_PARAM},
    {"config__reserved_tcb_byte__param", config, tcb_reserved,
     SEV_INVALID_PARAM},
    {"config__turin__success", config_turin, NULL, SEV_SUCCESS},
    {"config__turin_fmc_above__param", config_turin, turin_fmc_above,
     SEV_INVALID_PARAM},
    {"config__turin_reserved__param", config_turin, turin_reserved,
     SEV_INVALID_PARAM},
    {"config__flag_2__param", config, config_flag_2, SEV_INVALID_PARAM},
    {"config__flag_31__param", config, config_flag_31, SEV_INVALID_PARAM},
    {"config__mbz_0c__param", config, config_mbz_first, SEV_INVALID_PARAM},
    {"config__mbz_3f__param", config, config_mbz_last, SEV_INVALID_PARAM},

    {"commit__success", commit, NULL, SEV_SUCCESS},
    {"commit__uninit__success", commit_uninit, NULL, SEV_SUCCESS},
    {"commit__len_3__param", commit, len_3, SEV_INVALID_PARAM},
    {"commit__len_5__param", commit, len_5, SEV_INVALID_PARAM},

    {"vlek_load__success", vlek, NULL, SEV_SUCCESS},
    {"vlek_load__uninit__success", vlek_uninit, NULL, SEV_SUCCESS},
    {"vlek_load__no_feature__command", vlek_without_feature, NULL,
     SEV_INVALID_COMMAND},
    {"vlek_load__len__param", vlek, vlek_len, SEV_INVALID_PARAM},
    {"vlek_load__version_1__param", vlek, vlek_version, SEV_INVALID_PARAM},
    {"vlek_load__mbz__param", vlek, vlek_mbz, SEV_INVALID_PARAM},
    {"vlek_load__outside__address", vlek, vlek_outside, SEV_INVALID_ADDRESS},
    {"vlek_load__stick_0c__param", vlek, stick_reserved_0c, SEV_INVALID_PARAM},
    {"vlek_load__stick_198__param", vlek, stick_reserved_198,
     SEV_INVALID_PARAM},
    {"vlek_load__stick_padding__param", vlek, stick_padding, SEV_INVALID_PARAM},
    {"vlek_load__other_tcb__svn", vlek, stick_tcb, SEV_BAD_SVN},
    {"vlek_load__iv__measurement", vlek, stick_iv, SEV_BAD_MEASUREMENT},
    {"vlek_load__body__measurement", vlek, stick_body, SEV_BAD_MEASUREMENT},
    {"vlek_load__tag__measurement", vlek, stick_tag, SEV_BAD_MEASUREMENT},
    {"vlek_load__other_chip__measurement", vlek, stick_other_chip,
     SEV_BAD_MEASUREMENT},
    {"vlek_load__order_reserved_svn", vlek, stick_reserved_and_tcb,
     SEV_INVALID_PARAM},
    {"vlek_load__order_svn_tag", vlek, stick_tcb_and_tag, SEV_BAD_SVN},

    {"download__live__success", download, NULL, SEV_SUCCESS},
    {"download__uninit_not_live__success", download_uninit, fw_not_live,
     SEV_SUCCESS},
    {"download__len__param", download, fw_len_field, SEV_INVALID_PARAM},
    {"download__mbz_04__param", download, fw_mbz_04, SEV_INVALID_PARAM},
    {"download__flag_1__param", download, fw_flag_1, SEV_INVALID_PARAM},
    {"download__misaligned__address", download, fw_misaligned,
     SEV_INVALID_ADDRESS},
    {"download__outside__address", download, fw_outside, SEV_INVALID_ADDRESS},
    {"download__short__length", download, fw_short, SEV_INVALID_LENGTH},
    {"download__long__length", download, fw_long, SEV_INVALID_LENGTH},
    {"download__header_alone__signature", download, fw_header_alone,
     SEV_BAD_SIGNATURE},
    {"download__longest__signature", download, fw_longest, SEV_BAD_SIGNATURE},
    {"download__body_not_whole__signature", download, fw_body_not_whole,
     SEV_BAD_SIGNATURE},
    {"download__magic__signature", download, fw_magic, SEV_BAD_SIGNATURE},
    {"download__header__signature", download, fw_header, SEV_BAD_SIGNATURE},
    {"download__body__signature", download, fw_body, SEV_BAD_SIGNATURE},
    {"download__signature__signature", download, fw_sig, SEV_BAD_SIGNATURE},
    {"download__svn_below_committed__svn", download, fw_svn, SEV_BAD_SVN},
    {"download__other_generation__version", download, fw_other_generation,
     SEV_BAD_VERSION},
    {"download__older_than_committed__version", download, fw_older_build,
     SEV_BAD_VERSION},
    {"download__not_live_while_init__shutdown", download, fw_not_live,
     SEV_SHUTDOWN_REQUIRED},
    {"download__legacy_init__platform_state", download, fw_legacy,
     SEV_INVALID_PLATFORM_STATE},
    {"download__order_param_address", download, fw_mbz_and_misaligned,
     SEV_INVALID_PARAM},
    {"download__order_signature_svn", download, fw_sig_and_svn,
     SEV_BAD_SIGNATURE},
    {"download__order_svn_version", download, fw_svn_and_version, SEV_BAD_SVN},

    {"verify_mitigation__success", mitigation, NULL, SEV_SUCCESS},
    {"verify_mitigation__no_feature__command", mitigation_without_feature, NULL,
     SEV_INVALID_COMMAND},
    {"verify_mitigation__len__param", mitigation, mit_len, SEV_INVALID_PARAM},
    {"verify_mitigation__subcommand_2__param", mitigation, mit_subcommand,
     SEV_INVALID_PARAM},
    {"verify_mitigation__mbz_06__param", mitigation, mit_mbz_06,
     SEV_INVALID_PARAM},
    {"verify_mitigation__flag_2__param", mitigation, mit_flag_2,
     SEV_INVALID_PARAM},
    {"verify_mitigation__mbz_14__param", mitigation, mit_mbz_14,
     SEV_INVALID_PARAM},
    {"verify_mitigation__mbz_3f__param", mitigation, mit_mbz_3f,
     SEV_INVALID_PARAM},
    {"verify_mitigation__unknown_bit__param", mitigation, mit_vector,
     SEV_INVALID_PARAM},
    {"verify_mitigation__dst_outside__address", mitigation, mit_dst_outside,
     SEV_INVALID_ADDRESS},
    {"verify_mitigation__src_outside__address", mitigation, mit_src_outside,
     SEV_INVALID_ADDRESS},
    {"verify_mitigation__hypervisor_page__page_state", mitigation,
     mit_dst_hypervisor, SEV_INVALID_PAGE_STATE},
};

static enum sev_status act_execute(struct snp_fx *fx, void *ctx)
{
    (void)fx;
    return fx_execute(ctx);
}

static void config__callback_fails__nothing_changes(void **state)
{
    const struct {
        void (*prepare)(struct fx_try *);
        unsigned int callbacks;
    } rows[] = {
        {config, 1}, {commit, 1}, {vlek, 2}, {download, 2}, {mitigation, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fx_try t = {0};

        rows[i].prepare(&t);
        assert_int_equal(fx_sweep(t.fx, act_execute, &t), rows[i].callbacks);
        snp_fx_free(t.fx);
    }
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(config__lower_tcb__another_vcek_and_back),
        cmocka_unit_test(config__masks__set_and_cleared_with_each_command),
        cmocka_unit_test(config__shutdown__values_stay),
        cmocka_unit_test(commit__config_value__dropped),
        cmocka_unit_test(vlek_load__success__key_of_the_seed),
        cmocka_unit_test(vlek__reported_tcb_changes__dropped),
        cmocka_unit_test(vlek__shutdown__erased),
        cmocka_unit_test(download__provisional__current_moves_committed_stays),
        cmocka_unit_test(download__commit_flag__all_at_once),
        cmocka_unit_test(
            gctx_create__provisional_firmware__launch_tcb_is_committed),
        cmocka_unit_test(verify_mitigation__bits__verified_and_reported),
        cmocka_unit_test(config__callback_fails__nothing_changes),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, CASES, fx_test_case);
    return tst_suite_run(&suite, "snp/config");
}
