/* SPDX-License-Identifier: Apache-2.0 */
/* MSG_KEY_REQ: the model's KDF, its checks, and what must and must not change a
 * derived key. abi/snp.md §8, §11.4 */
#include "derive.h"
#include "guest_message.h"
#include "snp_id.h"

#define RSP_SIZE 0x40u
#define KEY_SIZE 32u

/* Known answers: root key 00..2f. */

static void kdf_answer(const struct snp_guest *guest,
                       const struct snp_key_req *req, const char *want)
{
    uint8_t context[SNP_DERIVE_CONTEXT_SIZE], root[48], key[KEY_SIZE];

    gm_fill(root, sizeof(root), 0);
    memset(context, 0xee, sizeof(context));
    snp_derive_context(guest, req, SNP_ROOT_VCEK, context);
    snp_derive_key(root, sizeof(root), context, key);
    assert_hex_equal(key, want, KEY_SIZE);
}

static void kdf__empty_context__sheet_value(void **state)
{
    const struct snp_guest guest = {.asid = 1};
    const struct snp_key_req req = {.vmpl = 0};

    (void)state;
    kdf_answer(
        &guest, &req,
        "eb1ba8228c59ecb1c4f1b0b0404faa25db76ea404ea6e646c14218deb54cad6b");
}

static void kdf__everything_selected__sheet_value(void **state)
{
    struct snp_id_block id = {.family_id = {1}, .image_id = {2}};
    struct snp_guest guest = {.policy = 0x30000, .id_block_en = true};
    const struct snp_key_req req = {
        .guest_field_select = 0x3f,
        .vmpl = 1,
        .guest_svn = 2,
        .tcb = {{0x0a, 0, 0, 0, 0, 0, 0x17, 0x54}},
        .launch_mit_vector = 0x77, /* not selected */
    };

    (void)state;
    snp_id_block_encode(&id, guest.id_block);
    gm_fill(guest.ld, 48, 0);
    memset(guest.host_data, 0x42, sizeof(guest.host_data));
    memset(guest.id_key_digest, 0x24, sizeof(guest.id_key_digest));
    memset(guest.author_key_digest, 0x25, sizeof(guest.author_key_digest));
    kdf_answer(
        &guest, &req,
        "a99f61dde3487ea78a78da53345e856be054364378687a58db3e270835011eab");
}

/* Classes and what is mixed, byte by byte: abi/snp.md §8.4. */
static void context__each_class__its_number_and_digest(void **state)
{
    struct snp_guest guest = {.id_key_digest = {0x11},
                              .author_key_digest = {0x22}};
    const struct snp_key_req req = {.vmpl = 3};
    uint8_t c[SNP_DERIVE_CONTEXT_SIZE];

    (void)state;
    snp_derive_context(&guest, &req, SNP_ROOT_VCEK, c);
    assert_hex_equal(c, "0100000000000000", 8);
    assert_true(psp_all_zero(c + 0xa0, 48));
    guest.id_block_en = true;
    snp_derive_context(&guest, &req, SNP_ROOT_VLEK, c);
    assert_hex_equal(c, "0100000001010000", 8);
    assert_int_equal(c[0xa0], 0x11);
    guest.author_key_en = true;
    snp_derive_context(&guest, &req, SNP_ROOT_VMRK, c);
    assert_hex_equal(c, "0100000002020000", 8);
    assert_int_equal(c[0xa0], 0x22);
    assert_hex_equal(c + 0x10, "03000000", 4);
}

/* What a request says, on a platform and a guest that use everything. */

struct setup {
    struct gm *gm;
    struct snp_key_req req;
    uint8_t vmpck;
    uint8_t version;
};

#define GUEST_SVN 7u

static struct setup setup_new(void)
{
    struct setup s = {.gm = gm_new("turin"), .version = 2};
    struct snp_id_block id = {.version = 1, .guest_svn = GUEST_SVN};
    struct snp_guest *g = s.gm->self;

    gm_fill(id.family_id, 16, 0xe0);
    gm_fill(id.image_id, 16, 0xd0);
    snp_id_block_encode(&id, g->id_block);
    g->id_block_en = true;
    gm_fill(g->id_key_digest, 48, 0x31);
    s.req.vmpl = 1;
    s.req.guest_svn = GUEST_SVN;
    s.req.tcb = s.gm->snp.committed_tcb;
    s.req.launch_mit_vector = 0x3f;
    return s;
}

static void load_vlek(struct gm *gm, uint8_t first)
{
    gm_fill(gm->snp.vlek_seed, sizeof(gm->snp.vlek_seed), first);
    gm->snp.vlek_en = true;
}

static uint32_t ask(struct setup *s, uint8_t key[KEY_SIZE])
{
    uint8_t payload[SNP_KEY_REQ_V2_SIZE], rsp[SNP_MSG_MAX_PAYLOAD];
    struct gm_request req;
    uint32_t status;

    snp_key_req_encode(&s->req, s->version, payload);
    req = gm_request(s->gm, s->vmpck, SNP_MSG_KEY_REQ, payload,
                     snp_key_req_size(s->version));
    req.header.version = s->version;
    status = gm_answer(s->gm, &req, RSP_SIZE, rsp);
    assert_true(psp_all_zero(rsp + 4, 0x1c));
    assert_int_equal(psp_all_zero(rsp + 0x20, KEY_SIZE), status != SEV_SUCCESS);
    memcpy(key, rsp + 0x20, KEY_SIZE);
    return status;
}

/* What changes a key: two requests that differ in one thing. */

#define CHANGE(fn) static void fn(struct setup *s)

CHANGE(vmpl)
{
    s->req.vmpl = 2;
}

CHANGE(host_data)
{
    s->gm->self->host_data[31] ^= 1;
}

CHANGE(id_key)
{
    s->gm->self->id_key_digest[47] ^= 1;
}

CHANGE(no_id_block)
{
    s->gm->self->id_block_en = false;
}

CHANGE(author_key)
{
    s->gm->self->author_key_en = true;
    memcpy(s->gm->self->author_key_digest, s->gm->self->id_key_digest, 48);
}

CHANGE(root_vmrk)
{
    s->req.root_vmrk = true;
}

CHANGE(root_vlek)
{
    load_vlek(s->gm, 0x70);
    s->req.key_sel = SNP_KEY_SEL_VLEK;
}

CHANGE(chip_secret)
{
    s->gm->core.chip.secret[0] ^= 1;
}

CHANGE(other_vlek)
{
    load_vlek(s->gm, 0x71);
}

CHANGE(other_vmrk)
{
    s->gm->self->vmrk[0] ^= 1;
}

CHANGE(reported_tcb)
{
    struct psp_tcb tcb = s->gm->snp.reported_tcb;

    tcb.b[7]--;
    assert_int_equal(snp_set_reported(&s->gm->snp, &tcb), PSP_OK);
}

CHANGE(committed_and_current_tcb)
{
    s->gm->snp.committed_tcb.b[7]++;
    s->gm->snp.current_tcb.b[7] += 2;
}

CHANGE(request_tcb)
{
    s->req.tcb.b[7]--;
}

CHANGE(request_svn)
{
    s->req.guest_svn--;
}

CHANGE(request_mit_vector)
{
    s->req.launch_mit_vector = 0x1f;
}

CHANGE(policy)
{
    s->gm->self->policy ^= 0x80000;
}

CHANGE(image_id)
{
    s->gm->self->id_block[0x40] ^= 1;
}

CHANGE(family_id)
{
    s->gm->self->id_block[0x30] ^= 1;
}

CHANGE(measurement)
{
    s->gm->self->ld[0] ^= 1;
}

CHANGE(firmware_build)
{
    s->gm->snp.current_version.build++;
    s->gm->snp.committed_version.build++;
}

CHANGE(report_ids)
{
    s->gm->self->report_id[0] ^= 1;
    s->gm->self->report_id_ma[0] ^= 1;
}

CHANGE(other_guest_secrets)
{
    s->gm->self->oek[0] ^= 1;
    s->gm->self->vek[0] ^= 1;
    s->gm->self->gosvw[0] ^= 1;
    s->gm->self->imd[0] ^= 1;
}

CHANGE(vmpck_and_number)
{
    s->vmpck = 1;
    s->gm->self->msg_count[1] = 40;
}

CHANGE(message_version)
{
    s->version = 1;
}

CHANGE(one_field_more)
{
    s->req.guest_field_select ^= SNP_GFS_GUEST_POLICY;
    s->gm->self->policy = 0; /* the field itself stays zero in the context */
}

CHANGE(nothing)
{
    (void)s;
}

enum root { VCEK, VLEK, VMRK };

struct change {
    const char *name;
    void (*change)(struct setup *s);
    enum root root;
    uint8_t select; /* GUEST_FIELD_SELECT of both requests */
    bool changes;
};

#define ALL 0x7fu

/* abi/snp.md §8.4, both columns; fields once selected and once not. */
static const struct change CHANGES[] = {
    {"vmpl", vmpl, VCEK, 0, true},
    {"host_data", host_data, VCEK, 0, true},
    {"id_key", id_key, VCEK, 0, true},
    {"no_id_block", no_id_block, VCEK, 0, true},
    {"author_key", author_key, VCEK, 0, true},
    {"root_vmrk", root_vmrk, VCEK, 0, true},
    {"root_vlek", root_vlek, VCEK, 0, true},
    {"chip", chip_secret, VCEK, 0, true},
    {"chip_with_tcb", chip_secret, VCEK, ALL, true},
    {"chip", chip_secret, VLEK, 0, false},
    {"chip", chip_secret, VMRK, 0, false},
    {"other_vlek", other_vlek, VLEK, 0, true},
    {"vmrk", other_vmrk, VMRK, 0, true},
    {"vmrk", other_vmrk, VCEK, ALL, false},
    {"vmrk", other_vmrk, VLEK, ALL, false},
    {"reported_tcb_unselected", reported_tcb, VCEK, 0, true},
    {"reported_tcb_selected", reported_tcb, VCEK, SNP_GFS_TCB_VERSION, false},
    {"reported_tcb", reported_tcb, VMRK, 0, false},
    {"committed_tcb_selected", committed_and_current_tcb, VCEK,
     SNP_GFS_TCB_VERSION, false},
    {"committed_tcb", committed_and_current_tcb, VCEK, 0, false},
    {"request_tcb_selected", request_tcb, VCEK, SNP_GFS_TCB_VERSION, true},
    {"request_tcb_selected", request_tcb, VLEK, SNP_GFS_TCB_VERSION, true},
    {"request_tcb_selected", request_tcb, VMRK, SNP_GFS_TCB_VERSION, true},
    {"request_tcb_unselected", request_tcb, VCEK, 0x5f, false},
    {"svn_selected", request_svn, VCEK, SNP_GFS_GUEST_SVN, true},
    {"svn_unselected", request_svn, VCEK, 0x6f, false},
    {"mit_vector_selected", request_mit_vector, VCEK, SNP_GFS_LAUNCH_MIT_VECTOR,
     true},
    {"mit_vector_unselected", request_mit_vector, VCEK, 0x3f, false},
    {"policy_selected", policy, VCEK, SNP_GFS_GUEST_POLICY, true},
    {"policy_unselected", policy, VCEK, 0x7e, false},
    {"image_id_selected", image_id, VCEK, SNP_GFS_IMAGE_ID, true},
    {"image_id_unselected", image_id, VCEK, 0x7d, false},
    {"family_id_selected", family_id, VCEK, SNP_GFS_FAMILY_ID, true},
    {"family_id_unselected", family_id, VCEK, 0x7b, false},
    {"measurement_selected", measurement, VCEK, SNP_GFS_MEASUREMENT, true},
    {"measurement_unselected", measurement, VCEK, 0x77, false},
    {"set_of_fields", one_field_more, VCEK, 0, true},
    {"repeated", nothing, VCEK, ALL, false},
    {"repeated", nothing, VLEK, ALL, false},
    {"repeated", nothing, VMRK, ALL, false},
    {"vmpck_and_number", vmpck_and_number, VCEK, ALL, false},
    {"report_ids", report_ids, VCEK, ALL, false},
    {"other_secrets", other_guest_secrets, VCEK, ALL, false},
    {"firmware_build", firmware_build, VCEK, ALL, false},
    {"message_version", message_version, VCEK, 0x3f, false},
};

#define CHANGE_COUNT (sizeof(CHANGES) / sizeof(CHANGES[0]))

static void key__one_thing_differs__key_as_in_the_table(void **state)
{
    const struct change *c = *state;
    struct setup s = setup_new();
    uint8_t one[KEY_SIZE], two[KEY_SIZE];

    s.req.guest_field_select = c->select;
    s.req.root_vmrk = c->root == VMRK;
    if (c->root == VLEK) {
        load_vlek(s.gm, 0x70);
    }
    assert_int_equal(ask(&s, one), SEV_SUCCESS);
    c->change(&s);
    assert_int_equal(ask(&s, two), SEV_SUCCESS);
    assert_int_equal(memcmp(one, two, KEY_SIZE) != 0, c->changes);
    gm_free(s.gm);
}

/* Relaunch: VMRK and REPORT_ID are random, the rest is the same. */
static void key__guest_rebooted__same_with_vcek_other_with_vmrk(void **state)
{
    struct setup s = setup_new();
    uint8_t key[4][KEY_SIZE];

    (void)state;
    for (int i = 0; i < 2; i++) {
        s.req.root_vmrk = false;
        assert_int_equal(ask(&s, key[i]), SEV_SUCCESS);
        s.req.root_vmrk = true;
        assert_int_equal(ask(&s, key[2 + i]), SEV_SUCCESS);
        gm_fill(s.gm->self->vmrk, 32, 0x99);
        gm_fill(s.gm->self->report_id, 32, 0x9a);
        gm_fill(s.gm->self->vmpck[0], 32, 0x9b);
        s.gm->self->msg_count[0] = 0;
    }
    assert_memory_equal(key[0], key[1], KEY_SIZE);
    assert_memory_not_equal(key[2], key[3], KEY_SIZE);
    gm_free(s.gm);
}

/* Statuses: what is wrong, in the order of abi/snp.md §8.2. */

CHANGE(bad_tcb_above_committed)
{
    s->req.guest_field_select |= SNP_GFS_TCB_VERSION;
    s->req.tcb.b[0]++;
}

CHANGE(bad_tcb_reserved)
{
    s->req.guest_field_select |= SNP_GFS_TCB_VERSION;
    s->gm->snp.committed_tcb.b[5] = 9; /* so that only reserved matters */
    s->req.tcb.b[5] = 1;
}

CHANGE(bad_svn)
{
    s->req.guest_field_select |= SNP_GFS_GUEST_SVN;
    s->req.guest_svn = GUEST_SVN + 1;
}

CHANGE(bad_svn_without_id_block)
{
    memset(s->gm->self->id_block, 0, sizeof(s->gm->self->id_block));
    s->req.guest_field_select |= SNP_GFS_GUEST_SVN;
    s->req.guest_svn = 1;
}

CHANGE(bad_mit_vector)
{
    s->req.guest_field_select |= SNP_GFS_LAUNCH_MIT_VECTOR;
    s->req.launch_mit_vector = 0x40;
}

CHANGE(bad_field_bit_7)
{
    s->req.guest_field_select |= 0x80;
}

CHANGE(bad_field_bit_63)
{
    s->req.guest_field_select |= 1ull << 63;
}

CHANGE(bad_field_bit_6_in_version_1)
{
    s->version = 1;
    s->req.guest_field_select |= 0x40;
}

CHANGE(bad_vmpl_below_vmpck)
{
    s->vmpck = 2;
    s->req.vmpl = 1;
}

CHANGE(bad_vmpl_4)
{
    s->req.vmpl = 4;
}

CHANGE(bad_vmpl_all_ones)
{
    s->req.vmpl = 0xffffffff;
}

CHANGE(bad_key_sel_3)
{
    s->req.key_sel = 3;
}

CHANGE(bad_key_sel_2_without_vlek)
{
    s->gm->snp.vlek_en = false;
    s->req.key_sel = 2;
}

CHANGE(bad_vcek_dis)
{
    s->gm->self->vcek_dis = true;
    s->req.key_sel = 1;
}

CHANGE(bad_vcek_dis_without_vlek)
{
    s->gm->self->vcek_dis = true;
}

CHANGE(bad_mask_chip_key)
{
    s->gm->snp.mask_chip_key = true;
}

CHANGE(bad_mask_chip_key_with_vlek)
{
    s->gm->snp.mask_chip_key = true;
    load_vlek(s->gm, 0x70);
}

struct refusal {
    const char *name;
    void (*change)(struct setup *s);
    uint32_t status;
};

/* MBZ bits, the first check, are walked by a test of their own. */
static const struct refusal REFUSALS[] = {
    {"mask_chip_key", bad_mask_chip_key, SEV_INVALID_KEY},
    {"mask_chip_key_with_vlek", bad_mask_chip_key_with_vlek, SEV_INVALID_KEY},
    {"key_sel_3", bad_key_sel_3, SEV_INVALID_KEY},
    {"key_sel_2_without_vlek", bad_key_sel_2_without_vlek, SEV_INVALID_KEY},
    {"key_sel_1_vcek_dis", bad_vcek_dis, SEV_INVALID_KEY},
    {"key_sel_0_vcek_dis", bad_vcek_dis_without_vlek, SEV_INVALID_KEY},
    {"vmpl_below_vmpck", bad_vmpl_below_vmpck, SEV_INVALID_PARAM},
    {"vmpl_4", bad_vmpl_4, SEV_INVALID_PARAM},
    {"vmpl_all_ones", bad_vmpl_all_ones, SEV_INVALID_PARAM},
    {"field_bit_7", bad_field_bit_7, SEV_INVALID_PARAM},
    {"field_bit_63", bad_field_bit_63, SEV_INVALID_PARAM},
    {"field_bit_6_in_version_1", bad_field_bit_6_in_version_1,
     SEV_INVALID_PARAM},
    {"tcb_above_committed", bad_tcb_above_committed, SEV_INVALID_PARAM},
    {"tcb_reserved_bytes", bad_tcb_reserved, SEV_INVALID_PARAM},
    {"svn_above_id_block", bad_svn, SEV_INVALID_PARAM},
    {"svn_without_id_block", bad_svn_without_id_block, SEV_INVALID_PARAM},
    {"mit_vector_not_at_launch", bad_mit_vector, SEV_INVALID_PARAM},
};

#define REFUSAL_COUNT (sizeof(REFUSALS) / sizeof(REFUSALS[0]))

static void key__one_fault__its_status_also_before_later_ones(void **state)
{
    const struct refusal *first = *state;
    uint8_t key[KEY_SIZE];

    for (const struct refusal *r = first; r < REFUSALS + REFUSAL_COUNT; r++) {
        struct setup s = setup_new();

        if (r != first) {
            r->change(&s);
        }
        first->change(&s);
        assert_int_equal(ask(&s, key), first->status);
        gm_free(s.gm);
    }
}

/* Bits b31:3 of the first word and all of the second. */
static void key__each_reserved_bit__invalid_param_first(void **state)
{
    struct setup s = setup_new();
    uint8_t payload[SNP_KEY_REQ_V1_SIZE], rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    s.req.key_sel = 3; /* would be 27h */
    for (size_t bit = 3; bit < 64; bit++) {
        struct gm_request req;

        snp_key_req_encode(&s.req, 1, payload);
        payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
        req = gm_request(s.gm, 0, SNP_MSG_KEY_REQ, payload, sizeof(payload));
        assert_int_equal(gm_answer(s.gm, &req, RSP_SIZE, rsp),
                         SEV_INVALID_PARAM);
        assert_true(psp_all_zero(rsp + 4, RSP_SIZE - 4));
    }
    gm_free(s.gm);
}

static void key__unselected_values__ignored(void **state)
{
    struct setup s = setup_new();
    uint8_t key[KEY_SIZE];

    (void)state;
    s.req.guest_svn = 0xffffffff;
    memset(s.req.tcb.b, 0xff, 8);
    s.req.launch_mit_vector = UINT64_MAX;
    assert_int_equal(ask(&s, key), SEV_SUCCESS);
    gm_free(s.gm);
}

/* virtee's hardware test: abi/snp.md §8.2, last paragraph. */
static void key__all_ones_with_svn_and_tcb__invalid_param(void **state)
{
    struct setup s = setup_new();
    uint8_t key[KEY_SIZE];

    (void)state;
    s.version = 1;
    s.req.guest_field_select = 0x30;
    s.req.vmpl = s.req.guest_svn = 0xffffffff;
    memset(s.req.tcb.b, 0xff, 8);
    assert_int_equal(ask(&s, key), SEV_INVALID_PARAM);
    gm_free(s.gm);
}

static void key__vmrk_root__chip_masks_do_not_matter(void **state)
{
    struct setup s = setup_new();
    uint8_t key[KEY_SIZE];

    (void)state;
    s.req.root_vmrk = true;
    s.req.key_sel = 3; /* only read when the root is a chip key */
    s.gm->snp.mask_chip_key = true;
    s.gm->self->vcek_dis = true;
    assert_int_equal(ask(&s, key), SEV_SUCCESS);
    gm_free(s.gm);
}

static void key__key_sel_0_with_vlek__the_vleks_key(void **state)
{
    struct setup s = setup_new();
    uint8_t one[KEY_SIZE], two[KEY_SIZE];

    (void)state;
    load_vlek(s.gm, 0x70);
    assert_int_equal(ask(&s, one), SEV_SUCCESS);
    s.req.key_sel = SNP_KEY_SEL_VLEK;
    assert_int_equal(ask(&s, two), SEV_SUCCESS);
    assert_memory_equal(one, two, KEY_SIZE);
    s.req.key_sel = SNP_KEY_SEL_VCEK;
    assert_int_equal(ask(&s, two), SEV_SUCCESS);
    assert_memory_not_equal(one, two, KEY_SIZE);
    gm_free(s.gm);
}

static void key__version_2_too_short__refused_by_the_mailbox(void **state)
{
    static const uint8_t payload[SNP_KEY_REQ_V2_SIZE];
    struct gm *gm = gm_new("turin");
    struct gm_request req =
        gm_request(gm, 0, SNP_MSG_KEY_REQ, payload, sizeof(payload));
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    req.header.version = 2;
    req.header.size = SNP_KEY_REQ_V2_SIZE - 1;
    assert_int_equal(gm_call(gm, &req), SEV_INVALID_PARAM);
    req.header.version = 3;
    req.header.size = SNP_KEY_REQ_V2_SIZE;
    assert_int_equal(gm_call(gm, &req), SEV_INVALID_PARAM);
    req.header.version = 1;
    req.header.size = SNP_KEY_REQ_V1_SIZE - 1;
    assert_int_equal(gm_call(gm, &req), SEV_INVALID_PARAM);
    req.header.size = SNP_KEY_REQ_V1_SIZE;
    assert_int_equal(gm_answer(gm, &req, RSP_SIZE, rsp), SEV_SUCCESS);
    gm_free(gm);
}

static char *hex_of(const uint8_t *p, size_t n)
{
    char *s = malloc(2 * n + 1);

    assert_non_null(s);
    for (size_t i = 0; i < n; i++) {
        snprintf(s + 2 * i, 3, "%02x", p[i]);
    }
    return s;
}

static void oracle_kdf(const uint8_t root[48], const char *label,
                       const uint8_t *context, size_t size, const char *bits,
                       uint8_t *out, size_t out_size)
{
    char *root_hex = hex_of(root, 48), *context_hex = hex_of(context, size);
    const char *argv[] = {"/usr/bin/python3",
                          "harness/support/snp_oracle.py",
                          "kdf",
                          root_hex,
                          label,
                          context_hex,
                          bits,
                          NULL};
    char *text, *end;

    assert_int_equal(tst_run(&text, argv), 0);
    assert_int_equal(strncmp(text, "key=", 4), 0);
    end = strchr(text, '\n');
    assert_non_null(end);
    *end = '\0';
    tst_hex(text + 4, out, out_size);
    free(text);
    free(root_hex);
    free(context_hex);
}

/* From the chip secret to the key, computed by Python's hmac: TCB_VERSION
 * selected, so the VCEK of the TCB in the request is the root. */
static void key__selected_tcb__as_python_derives_it(void **state)
{
    struct setup s = setup_new();
    uint8_t context[0xd0] = {1, [0x05] = 1, [0x08] = 0x20, [0x10] = 1};
    uint8_t seed[48], want[KEY_SIZE], key[KEY_SIZE];

    (void)state;
    s.req.guest_field_select = 0x20;
    tst_hex("0001010200000033", s.req.tcb.b, 8);
    memcpy(context + 0x18, s.req.tcb.b, 8);
    memcpy(context + 0x80, s.gm->self->host_data, 32);
    gm_fill(context + 0xa0, 48, 0x31);
    oracle_kdf(s.gm->core.chip.secret, "VCEK seed", s.req.tcb.b, 8, "384", seed,
               48);
    oracle_kdf(seed, "SNP guest derived key", context, sizeof(context), "256",
               want, KEY_SIZE);
    assert_int_equal(ask(&s, key), SEV_SUCCESS);
    assert_memory_equal(key, want, KEY_SIZE);
    gm_free(s.gm);
}

static const struct CMUnitTest PLAIN[] = {
    cmocka_unit_test(kdf__empty_context__sheet_value),
    cmocka_unit_test(kdf__everything_selected__sheet_value),
    cmocka_unit_test(context__each_class__its_number_and_digest),
    cmocka_unit_test(key__guest_rebooted__same_with_vcek_other_with_vmrk),
    cmocka_unit_test(key__each_reserved_bit__invalid_param_first),
    cmocka_unit_test(key__unselected_values__ignored),
    cmocka_unit_test(key__all_ones_with_svn_and_tcb__invalid_param),
    cmocka_unit_test(key__vmrk_root__chip_masks_do_not_matter),
    cmocka_unit_test(key__key_sel_0_with_vlek__the_vleks_key),
    cmocka_unit_test(key__version_2_too_short__refused_by_the_mailbox),
    cmocka_unit_test(key__selected_tcb__as_python_derives_it),
};

#define PLAIN_COUNT (sizeof(PLAIN) / sizeof(PLAIN[0]))

int main(void)
{
    static const char *const roots[] = {"vcek", "vlek", "vmrk"};
    static char names[CHANGE_COUNT + REFUSAL_COUNT][96];
    static struct CMUnitTest tests[PLAIN_COUNT + CHANGE_COUNT + REFUSAL_COUNT];
    size_t n = PLAIN_COUNT;
    char(*name)[96] = names;

    memcpy(tests, PLAIN, sizeof(PLAIN));
    for (const struct change *c = CHANGES; c < CHANGES + CHANGE_COUNT; c++) {
        snprintf(*name, sizeof(*name), "key__%s_%s__%s_key", roots[c->root],
                 c->name, c->changes ? "other" : "same");
        tests[n++] =
            gm_row(*name++, key__one_thing_differs__key_as_in_the_table, c);
    }
    for (const struct refusal *r = REFUSALS; r < REFUSALS + REFUSAL_COUNT;
         r++) {
        snprintf(*name, sizeof(*name), "key__%s__%s", r->name,
                 sev_status_name(r->status));
        tests[n++] = gm_row(
            *name++, key__one_fault__its_status_also_before_later_ones, r);
    }
    return _cmocka_run_group_tests("snp/key", tests, n, NULL, NULL);
}
