/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_LAUNCH_FINISH: ID blocks signed by an independent signer, order of
 * checks. abi/snp.md §1.11, §5.1 to §5.4 */
#include "snp_fixture.h"

#include "snp_id.h"
#include "wire.h"

#define ASID  3u
#define BLOCK 0x8000ull
#define AUTH  0x9000ull

/* LD after one NORMAL page of zeros at GPA 1000h, abi/snp.md §11.2. */
#define LD                                                                     \
    "e6e4d78904d9d6b33c0cbfd121998fd2d11744dae606b3aee35e2a45d6869b60"         \
    "b35c63928a9232bef72d6be386f48ec6"

/* What harness/support/id_auth.py made. */
static struct {
    bool made;
    uint8_t block[SNP_ID_BLOCK_SIZE];
    uint8_t auth[SNP_ID_AUTH_SIZE];
    uint8_t small[SNP_ID_AUTH_SIZE];
    char digest[3][97]; /* ID key, author key, recovered key */
} ID;

static void load(const char *dir, const char *name, void *out, size_t size)
{
    char path[4096];
    size_t got;
    uint8_t *data;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    data = tst_file(path, &got);
    assert_int_equal(got, size);
    memcpy(out, data, size);
    free(data);
}

static void make_id(void)
{
    char *dir = tst_mkdtemp();
    const char *argv[] = {"/usr/bin/python3",
                          "harness/support/id_auth.py",
                          LD,
                          "30000",
                          dir,
                          NULL};
    char text[3 * 97];

    assert_int_equal(tst_run(NULL, argv), 0);
    load(dir, "block.bin", ID.block, sizeof(ID.block));
    load(dir, "auth.bin", ID.auth, sizeof(ID.auth));
    load(dir, "small.bin", ID.small, sizeof(ID.small));
    load(dir, "digests.txt", text, sizeof(text));
    for (size_t i = 0; i < 3; i++) {
        memcpy(ID.digest[i], text + i * 97, 96);
    }
    tst_rmdir(dir);
    ID.made = true;
}

/* A finish that would succeed; a row breaks it. */
struct
try {
    struct snp_fx *fx;
    uint64_t gctx;
    struct snp_cmd_launch_finish cmd;
    uint8_t set[SNP_CMD_LAUNCH_FINISH_SIZE]; /* bits added to the buffer */
    uint8_t block[SNP_ID_BLOCK_SIZE];
    uint8_t auth[SNP_ID_AUTH_SIZE];
};

static void start(struct try *t)
{
    if (!ID.made) {
        make_id();
    }
    memset(t, 0, sizeof(*t));
    t->fx = snp_fx_up("milan", NULL);
    t->gctx = fx_guest_launch(t->fx, ASID, FX_POLICY);
    (void)fx_launch_page(t->fx, t->gctx, SNP_PAGE_NORMAL, 0x1000, NULL);
    t->cmd = (struct snp_cmd_launch_finish){
        .gctx_paddr = t->gctx,
        .id_block_paddr = BLOCK,
        .id_auth_paddr = AUTH,
        .id_block_en = true,
        .auth_key_en = true,
        .host_data = {0x11, 0x22, 0x33},
    };
    memcpy(t->block, ID.block, sizeof(t->block));
    memcpy(t->auth, ID.auth, sizeof(t->auth));
}

static enum sev_status finish(struct try *t)
{
    uint8_t buf[SNP_CMD_LAUNCH_FINISH_SIZE];

    snp_cmd_launch_finish_encode(&t->cmd, buf);
    for (size_t i = 0; i < sizeof(buf); i++) {
        buf[i] |= t->set[i];
    }
    return fx_command(t->fx, SNP_CMD_LAUNCH_FINISH, buf, sizeof(buf));
}

static void put_id(struct try *t)
{
    fx_write(t->fx, BLOCK, t->block, sizeof(t->block));
    fx_write(t->fx, AUTH, t->auth, sizeof(t->auth));
}

static void end(struct try *t)
{
    snp_fx_free(t->fx);
}

/* -- success ----------------------------------------------------------------
 */

static void finish__id_and_author_key__context_holds_them(void **state)
{
    struct try t;
    const struct snp_guest *g;
    uint8_t host_data[32] = {0x11, 0x22, 0x33};

    (void)state;
    start(&t);
    put_id(&t);
    assert_int_equal(finish(&t), SEV_SUCCESS);
    g = fx_guest(t.fx, t.gctx);
    assert_int_equal(g->state, SNP_GUEST_RUNNING);
    assert_true(g->id_block_en);
    assert_true(g->author_key_en);
    assert_false(g->vcek_dis);
    assert_memory_equal(g->id_block, ID.block, sizeof(g->id_block));
    assert_hex_equal(g->id_key_digest, ID.digest[0], 48);
    assert_hex_equal(g->author_key_digest, ID.digest[1], 48);
    assert_memory_equal(g->host_data, host_data, sizeof(host_data));
    end(&t);
}

static void finish__id_key_only__author_key_is_zero(void **state)
{
    struct try t;
    const struct snp_guest *g;

    (void)state;
    start(&t);
    t.cmd.auth_key_en = false;
    memset(t.auth + 4, 0xff, 4);         /* AUTH_KEY_ALGO means nothing */
    memset(t.auth + 0x680, 0xff, 0x604); /* nor the signature and the key */
    put_id(&t);
    assert_int_equal(finish(&t), SEV_SUCCESS);
    g = fx_guest(t.fx, t.gctx);
    assert_true(g->id_block_en);
    assert_false(g->author_key_en);
    assert_hex_equal(g->id_key_digest, ID.digest[0], 48);
    assert_true(psp_all_zero(g->author_key_digest, 48));
    end(&t);
}

static void finish__no_id_block__all_zero(void **state)
{
    struct try t;
    const struct snp_guest *g;

    (void)state;
    start(&t);
    t.cmd.id_block_en = false; /* AUTH_KEY_EN alone is ignored */
    t.cmd.id_block_paddr = UINT64_MAX;
    t.cmd.id_auth_paddr = UINT64_MAX;
    t.cmd.vcek_dis = true;
    assert_int_equal(finish(&t), SEV_SUCCESS);
    g = fx_guest(t.fx, t.gctx);
    assert_false(g->id_block_en);
    assert_false(g->author_key_en);
    assert_true(g->vcek_dis);
    assert_true(psp_all_zero(g->id_block, sizeof(g->id_block)));
    assert_true(psp_all_zero(g->id_key_digest, 48));
    end(&t);
}

static void finish__fixed_signature_2_1__accepted(void **state)
{
    struct try t;

    (void)state;
    start(&t);
    t.cmd.auth_key_en = false;
    memcpy(t.auth, ID.small, sizeof(t.auth));
    put_id(&t);
    assert_int_equal(finish(&t), SEV_SUCCESS);
    assert_hex_equal(fx_guest(t.fx, t.gctx)->id_key_digest, ID.digest[2], 48);
    end(&t);
}

static void
finish__id_block_unaligned_across_pages__read_all_the_same(void **state)
{
    struct try t;

    (void)state;
    start(&t);
    t.cmd.id_block_paddr = 0x8fc1;
    t.cmd.id_auth_paddr = 0xa005;
    fx_write(t.fx, t.cmd.id_block_paddr, t.block, sizeof(t.block));
    fx_write(t.fx, t.cmd.id_auth_paddr, t.auth, sizeof(t.auth));
    assert_int_equal(finish(&t), SEV_SUCCESS);
    end(&t);
}

static void finish__refused_once__may_be_retried(void **state)
{
    struct try t;

    (void)state;
    start(&t);
    t.auth[SNP_ID_AUTH_BLOCK_SIG_OFFSET] ^= 1;
    put_id(&t);
    assert_int_equal(finish(&t), SEV_BAD_SIGNATURE);
    assert_int_equal(fx_guest(t.fx, t.gctx)->state, SNP_GUEST_LAUNCH);
    t.auth[SNP_ID_AUTH_BLOCK_SIG_OFFSET] ^= 1;
    put_id(&t);
    assert_int_equal(finish(&t), SEV_SUCCESS);
    assert_int_equal(finish(&t), SEV_INVALID_GUEST_STATE);
    end(&t);
}

static void finish__key_padding__part_of_the_digest_only(void **state)
{
    struct try t;
    uint8_t digest[48];

    (void)state;
    start(&t);
    t.cmd.auth_key_en = false;
    t.auth[SNP_ID_AUTH_ID_KEY_OFFSET + 0x403] = 1;
    t.auth[SNP_ID_AUTH_BLOCK_SIG_OFFSET + 0x1ff] = 1;
    t.auth[0x3f] = 1;
    put_id(&t);
    assert_int_equal(finish(&t), SEV_SUCCESS);
    psp_sha384(t.auth + SNP_ID_AUTH_ID_KEY_OFFSET, SNP_ID_KEY_SIZE, digest);
    assert_memory_equal(fx_guest(t.fx, t.gctx)->id_key_digest, digest, 48);
    end(&t);
}

/* -- order of checks --------------------------------------------------------
 */

#define BREAK(name) static void name(struct try *t)

BREAK(b_flag_3)
{
    t->set[0x18] = 0x08;
}
BREAK(b_flag_63)
{
    t->set[0x1f] = 0x80;
}
BREAK(b_gctx_low)
{
    t->set[0] = 0x01;
}
BREAK(b_uninit)
{
    fx_core(t->fx)->snp_state = SNP_PLATFORM_UNINIT;
}
BREAK(b_block_outside)
{
    t->cmd.id_block_paddr = FX_MEMORY_SIZE - SNP_ID_BLOCK_SIZE + 1;
}
BREAK(b_auth_outside)
{
    t->cmd.id_auth_paddr = FX_MEMORY_SIZE - SNP_ID_AUTH_SIZE + 1;
}
BREAK(b_gctx_outside)
{
    t->cmd.gctx_paddr = FX_MEMORY_SIZE;
}
BREAK(b_no_context)
{
    t->cmd.gctx_paddr = fx_page(t->fx);
}
BREAK(b_guest_init)
{
    t->cmd.gctx_paddr = fx_guest_init(t->fx);
}
BREAK(b_guest_running)
{
    t->cmd.gctx_paddr = fx_guest_running(t->fx, ASID + 1, FX_POLICY);
}
BREAK(b_imi_guest)
{
    fx_guest(t->fx, t->gctx)->imi_en = true;
}
BREAK(b_inactive)
{
    t->cmd.gctx_paddr = fx_guest_init(t->fx);
    assert_int_equal(FX(t->fx, LAUNCH_START, launch_start,
                        .gctx_paddr = t->cmd.gctx_paddr, .policy = FX_POLICY),
                     SEV_SUCCESS);
}
BREAK(b_version_0)
{
    t->block[0x50] = 0;
}
BREAK(b_version_2)
{
    t->block[0x50] = 2;
}
BREAK(b_ld)
{
    t->block[0x2f] ^= 0x80;
}
BREAK(b_policy_low)
{
    t->block[0x58] ^= 1;
}
BREAK(b_policy_high)
{
    t->block[0x5f] ^= 0x80;
}
BREAK(b_id_algo)
{
    t->auth[0] = 2;
}
BREAK(b_auth_algo)
{
    t->auth[4] = 0;
}
BREAK(b_id_curve)
{
    t->auth[0x240] = 1;
}
BREAK(b_id_point)
{
    t->auth[0x244] ^= 1;
}
BREAK(b_id_x_wide)
{
    t->auth[0x244 + 48] = 1;
}
BREAK(b_id_sig_r)
{
    t->auth[0x40] ^= 1;
}
BREAK(b_id_sig_s)
{
    t->auth[0x88] ^= 1;
}
BREAK(b_id_sig_wide)
{
    t->auth[0x40 + 0x47] = 1;
}
BREAK(b_id_sig_zero)
{
    memset(t->auth + 0x40, 0, 0x200);
}
BREAK(b_block_svn)
{
    t->block[0x54] ^= 1; /* signed, checked by nothing else */
}
BREAK(b_author_curve)
{
    t->auth[0x880] = 3;
}
BREAK(b_author_point)
{
    t->auth[0x8cc] ^= 1;
}
BREAK(b_author_sig)
{
    t->auth[0x680] ^= 1;
}
BREAK(b_id_key_padding)
{
    t->auth[0x240 + 0x403] = 1; /* under the author's signature */
}
BREAK(b_state_and_inactive)
{
    b_guest_init(t);
}
BREAK(b_inactive_and_version)
{
    b_inactive(t);
    b_version_0(t);
}
BREAK(b_version_and_ld)
{
    b_version_2(t);
    b_ld(t);
}
BREAK(b_ld_and_policy)
{
    b_ld(t);
    b_policy_low(t);
}
BREAK(b_policy_and_algo)
{
    b_policy_low(t);
    b_id_algo(t);
}
BREAK(b_algo_and_sig)
{
    b_auth_algo(t);
    b_id_sig_r(t);
}
BREAK(b_block_address_and_guest)
{
    b_block_outside(t);
    b_no_context(t);
}

static const struct finish_case {
    const char *name;
    void (*break_it)(struct try *t);
    enum sev_status status;
} CASES[] = {
    {"finish__flag_3__param", b_flag_3, SEV_INVALID_PARAM},
    {"finish__flag_63__param", b_flag_63, SEV_INVALID_PARAM},
    {"finish__gctx_low_bit__param", b_gctx_low, SEV_INVALID_PARAM},
    {"finish__uninit__platform_state", b_uninit, SEV_INVALID_PLATFORM_STATE},
    {"finish__block_outside__address", b_block_outside, SEV_INVALID_ADDRESS},
    {"finish__auth_outside__address", b_auth_outside, SEV_INVALID_ADDRESS},
    {"finish__gctx_outside__address", b_gctx_outside, SEV_INVALID_ADDRESS},
    {"finish__no_context__guest", b_no_context, SEV_INVALID_GUEST},
    {"finish__guest_init__guest_state", b_guest_init, SEV_INVALID_GUEST_STATE},
    {"finish__guest_running__guest_state", b_guest_running,
     SEV_INVALID_GUEST_STATE},
    {"finish__imi_guest__guest_state", b_imi_guest, SEV_INVALID_GUEST_STATE},
    {"finish__inactive__inactive", b_inactive, SEV_INACTIVE},
    {"finish__block_version_0__param", b_version_0, SEV_INVALID_PARAM},
    {"finish__block_version_2__param", b_version_2, SEV_INVALID_PARAM},
    {"finish__ld_differs__measurement", b_ld, SEV_BAD_MEASUREMENT},
    {"finish__policy_bit_0_differs__policy", b_policy_low, SEV_POLICY_FAILURE},
    {"finish__policy_bit_63_differs__policy", b_policy_high,
     SEV_POLICY_FAILURE},
    {"finish__id_key_algo_2__param", b_id_algo, SEV_INVALID_PARAM},
    {"finish__auth_key_algo_0__param", b_auth_algo, SEV_INVALID_PARAM},
    {"finish__id_key_curve__signature", b_id_curve, SEV_BAD_SIGNATURE},
    {"finish__id_key_off_curve__signature", b_id_point, SEV_BAD_SIGNATURE},
    {"finish__id_key_x_too_wide__signature", b_id_x_wide, SEV_BAD_SIGNATURE},
    {"finish__id_sig_r__signature", b_id_sig_r, SEV_BAD_SIGNATURE},
    {"finish__id_sig_s__signature", b_id_sig_s, SEV_BAD_SIGNATURE},
    {"finish__id_sig_r_too_wide__signature", b_id_sig_wide, SEV_BAD_SIGNATURE},
    {"finish__id_sig_zero__signature", b_id_sig_zero, SEV_BAD_SIGNATURE},
    {"finish__guest_svn_altered__signature", b_block_svn, SEV_BAD_SIGNATURE},
    {"finish__author_curve__signature", b_author_curve, SEV_BAD_SIGNATURE},
    {"finish__author_off_curve__signature", b_author_point, SEV_BAD_SIGNATURE},
    {"finish__author_sig__signature", b_author_sig, SEV_BAD_SIGNATURE},
    {"finish__id_key_padding_altered__signature", b_id_key_padding,
     SEV_BAD_SIGNATURE},
    {"finish__order_guest_state_inactive", b_state_and_inactive,
     SEV_INVALID_GUEST_STATE},
    {"finish__order_inactive_version", b_inactive_and_version, SEV_INACTIVE},
    {"finish__order_version_measurement", b_version_and_ld, SEV_INVALID_PARAM},
    {"finish__order_measurement_policy", b_ld_and_policy, SEV_BAD_MEASUREMENT},
    {"finish__order_policy_algo", b_policy_and_algo, SEV_POLICY_FAILURE},
    {"finish__order_algo_signature", b_algo_and_sig, SEV_INVALID_PARAM},
    {"finish__order_address_guest", b_block_address_and_guest,
     SEV_INVALID_ADDRESS},
};

static void test_refused(void **state)
{
    const struct finish_case *c = *state;
    struct fx_snapshot *before;
    struct try t;

    start(&t);
    c->break_it(&t);
    put_id(&t);
    before = fx_snapshot(t.fx);
    assert_int_equal(finish(&t), c->status);
    fx_assert_same(t.fx, before);
    end(&t);
}

static enum sev_status act_finish(struct snp_fx *fx, void *ctx)
{
    (void)fx;
    return finish(ctx);
}

static void finish__callback_fails__nothing_changes(void **state)
{
    struct try t;

    (void)state;
    start(&t);
    put_id(&t);
    assert_int_equal(fx_sweep(t.fx, act_finish, &t), 3);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(finish__id_and_author_key__context_holds_them),
        cmocka_unit_test(finish__id_key_only__author_key_is_zero),
        cmocka_unit_test(finish__no_id_block__all_zero),
        cmocka_unit_test(finish__fixed_signature_2_1__accepted),
        cmocka_unit_test(
            finish__id_block_unaligned_across_pages__read_all_the_same),
        cmocka_unit_test(finish__refused_once__may_be_retried),
        cmocka_unit_test(finish__key_padding__part_of_the_digest_only),
        cmocka_unit_test(finish__callback_fails__nothing_changes),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, CASES, test_refused);
    return tst_suite_run(&suite, "snp/finish");
}
