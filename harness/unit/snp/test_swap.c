/* SPDX-License-Identifier: Apache-2.0 */
/* PAGE_SWAP_OUT, PAGE_SWAP_IN, PAGE_MOVE, PAGE_MD_INIT. abi/snp.md §1.16 */
#include "snp_fixture.h"

#include "policy.h"
#include "snp_mdata.h"
#include "wire.h"

#define ASID 3u
#define GPA  0x5000ull
#define SOFT 0x1122334455667788ull

#define BREAK(name) static void name(struct fx_try *t)

static uint64_t metadata_page(struct snp_fx *fx, uint64_t gctx)
{
    uint64_t spa = fx_firmware(fx, fx_page(fx));

    assert_int_equal(FX(fx, PAGE_MD_INIT, page_md_init, .gctx_paddr = gctx,
                        .page_paddr = spa),
                     SEV_SUCCESS);
    return spa;
}

static void edit_entry(struct snp_fx *fx, uint64_t spa,
                       const struct rmp_entry *e)
{
    assert_int_equal(rmp_set(psp_rmp(fx->psp), spa, e), PSP_OK);
}

/* A launched guest with one page of 5Ah at GPA that is ready to leave. */
static void guest_with_page(struct fx_try *t, enum snp_page_type type,
                            uint64_t gpa)
{
    uint8_t data[RMP_PAGE_SIZE];

    memset(data, 0x5a, sizeof(data));
    memset(data + 0x3b0, 0, 8);
    t->fx = snp_fx_up("turin", NULL);
    t->gctx = fx_guest_launch(t->fx, ASID, FX_POLICY);
    t->page = fx_launch_page(t->fx, t->gctx, type, gpa, data);
    fx_pre_guest(t->fx, t->page, ASID, gpa); /* Guest-Valid to Pre-Swap */
    assert_int_equal(fx_state(t->fx, t->page), RMP_PRE_SWAP);
}

static void swap_out(struct fx_try *t, uint8_t type)
{
    FX_SET(t, PAGE_SWAP_OUT, PAGE_SWAP, page_swap, .gctx_paddr = t->gctx,
           .src_paddr = t->page,
           .dst_paddr = fx_firmware(t->fx, fx_page(t->fx)),
           .mdata_paddr = t->other + 0x40, .software_data = SOFT,
           .page_type = type);
}

/* -- SWAP_OUT ---------------------------------------------------------------
 */

BREAK(out_data)
{
    guest_with_page(t, SNP_PAGE_NORMAL, GPA);
    t->other = metadata_page(t->fx, t->gctx);
    swap_out(t, SNP_SWAP_DATA);
}
BREAK(out_vmsa)
{
    guest_with_page(t, SNP_PAGE_VMSA, 0xfffffffff000);
    t->other = metadata_page(t->fx, t->gctx);
    swap_out(t, SNP_SWAP_VMSA);
}
BREAK(out_metadata)
{
    guest_with_page(t, SNP_PAGE_NORMAL, GPA);
    t->other = metadata_page(t->fx, t->gctx);
    t->page = metadata_page(t->fx, t->gctx);
    swap_out(t, SNP_SWAP_METADATA);
}
BREAK(out_root)
{
    out_data(t);
    t->buf[0x28] |= 0x10;
    fx_put64(t, 0x18, UINT64_MAX); /* means nothing then */
}
BREAK(out_2m)
{
    out_data(t);
    t->page = fx_page_2m(t->fx);
    fx_pre_guest_2m(t->fx, t->page, ASID, 0x200000);
    assert_int_equal(FX(t->fx, LAUNCH_UPDATE, launch_update,
                        .gctx_paddr = t->gctx, .size_2m = true,
                        .page_type = SNP_PAGE_ZERO, .page_paddr = t->page),
                     SEV_SUCCESS);
    fx_pre_guest_2m(t->fx, t->page, ASID, 0x200000);
    {
        uint64_t dst = fx_page_2m(t->fx);

        assert_int_equal(rmp_rmpupdate(psp_rmp(t->fx->psp), dst,
                                       &(struct rmp_update){.assigned = true,
                                                            .immutable = true,
                                                            .size_2m = true}),
                         RMP_OK);
        fx_put64(t, 0x10, dst);
    }
    fx_put64(t, 8, t->page);
    t->buf[0x28] |= 1;
}
BREAK(dst_default)
{
    fx_put64(t, 0x10, FX_DEFAULT_PAGE);
}
BREAK(src_pre_guest)
{
    struct rmp_entry e = rmp_get(psp_rmp(t->fx->psp), t->page);

    e.state = RMP_PRE_GUEST;
    edit_entry(t->fx, t->page, &e);
}
BREAK(uninit)
{
    fx_core(t->fx)->snp_state = SNP_PLATFORM_UNINIT;
}
BREAK(gctx_low)
{
    t->buf[0] = 8;
}
BREAK(src_low)
{
    t->buf[8] |= 8;
}
BREAK(dst_low)
{
    t->buf[0x10] |= 8;
}
BREAK(type_3)
{
    t->buf[0x28] |= 6;
}
BREAK(flag_5)
{
    t->buf[0x28] |= 0x20;
}
BREAK(flag_63)
{
    t->buf[0x2f] = 0x80;
}
BREAK(in_place)
{
    t->buf[0x28] |= 8;
}
BREAK(gctx_outside)
{
    fx_put64(t, 0, FX_MEMORY_SIZE);
}
BREAK(src_outside)
{
    fx_put64(t, 8, FX_MEMORY_SIZE);
}
BREAK(dst_outside)
{
    fx_put64(t, 0x10, FX_MEMORY_SIZE);
}
BREAK(mdata_outside)
{
    fx_put64(t, 0x18, FX_MEMORY_SIZE);
}
BREAK(no_context)
{
    fx_put64(t, 0, fx_page(t->fx));
}
BREAK(mdata_unaligned)
{
    fx_put64(t, 0x18, t->other + 0x20);
}
BREAK(mdata_is_src)
{
    fx_put64(t, 0x18, t->page);
}
BREAK(mdata_in_src)
{
    fx_put64(t, 0x18, t->page + 0x40);
}
BREAK(mdata_in_dst)
{
    struct psp_rd r = psp_rd(t->buf + 0x10, 8);

    fx_put64(t, 0x18, psp_rd_le64(&r) + 0xfc0);
}
BREAK(mdata_firmware)
{
    fx_put64(t, 0x18, fx_firmware(t->fx, fx_page(t->fx)));
}
BREAK(mdata_of_other)
{
    uint64_t other = fx_guest_launch(t->fx, ASID + 1, FX_POLICY);

    fx_put64(t, 0x18, metadata_page(t->fx, other));
}
BREAK(size_flag)
{
    fx_put64(t, 8, fx_page_2m(t->fx)); /* room for 2 MiB, all 4 KiB pages */
    fx_put64(t, 0x10, fx_page_2m(t->fx));
    fx_pre_guest(t->fx, 0x1000000, ASID, GPA);
    t->buf[0x28] |= 1;
}
BREAK(vmsa_2m)
{
    t->buf[0x28] |= 1 | SNP_SWAP_VMSA << 1;
}
BREAK(src_2m_misaligned)
{
    fx_put64(t, 8, t->page + 0x1000);
}
BREAK(guest_init)
{
    uint64_t gctx = fx_guest_init(t->fx);
    struct rmp_entry e = {.state = RMP_METADATA, .owner_gctx = gctx};

    edit_entry(t->fx, t->other, &e);
    fx_put64(t, 0, gctx);
}
BREAK(swap_disabled)
{
    fx_guest(t->fx, t->gctx)->policy |= SNP_POLICY_PAGE_SWAP_DISABLE;
}
BREAK(inactive)
{
    guest_init(t);
    {
        struct psp_rd r = psp_rd(t->buf, 8);

        assert_int_equal(FX(t->fx, LAUNCH_START, launch_start,
                            .gctx_paddr = psp_rd_le64(&r), .policy = FX_POLICY),
                         SEV_SUCCESS);
    }
}
BREAK(dst_hypervisor)
{
    fx_put64(t, 0x10, fx_page(t->fx));
}
BREAK(src_valid)
{
    struct rmp_entry e = rmp_get(psp_rmp(t->fx->psp), t->page);

    e.state = RMP_GUEST_VALID;
    edit_entry(t->fx, t->page, &e);
}
BREAK(src_is_vmsa)
{
    struct rmp_entry e = rmp_get(psp_rmp(t->fx->psp), t->page);

    e.vmsa = true;
    edit_entry(t->fx, t->page, &e);
}
BREAK(src_of_other)
{
    fx_put64(t, 8, fx_pre_guest(t->fx, fx_page(t->fx), ASID + 1, GPA));
}
BREAK(metadata_src_of_other)
{
    uint64_t other = fx_guest_launch(t->fx, ASID + 1, FX_POLICY);

    fx_put64(t, 8, metadata_page(t->fx, other));
}
BREAK(iv_spent)
{
    fx_guest(t->fx, t->gctx)->oek_iv_count = UINT64_MAX;
}
BREAK(reserved_and_uninit)
{
    flag_5(t);
    uninit(t);
}
BREAK(context_and_mdata)
{
    no_context(t);
    mdata_unaligned(t);
}
BREAK(mdata_and_size)
{
    mdata_unaligned(t);
    t->buf[0x28] |= SNP_SWAP_VMSA << 1;
}
BREAK(owner_and_iv)
{
    src_of_other(t);
    iv_spent(t);
}

static struct snp_mdata entry_at(struct snp_fx *fx, uint64_t spa)
{
    uint8_t bytes[SNP_MDATA_SIZE];
    struct snp_mdata e;

    fx_read(fx, spa, bytes, sizeof(bytes));
    snp_mdata_decode(bytes, &e);
    return e;
}

/* The sealed page opens with the guest's OEK and the entry, by the book. */
static void swap_out__data__sealed_with_oek_and_entry(void **state)
{
    struct fx_try t = {0};
    struct psp_rd r = psp_rd(t.buf + 0x10, 8);
    uint8_t sealed[RMP_PAGE_SIZE], iv[12] = {1};
    struct snp_mdata e;
    struct snp_guest *g;

    (void)state;
    out_data(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    g = fx_guest(t.fx, t.gctx);
    e = entry_at(t.fx, t.other + 0x40);
    assert_true(e.software_data == SOFT);
    assert_int_equal(e.iv, 1);
    assert_true(e.valid);
    assert_true(e.page_validated);
    assert_false(e.vmsa || e.metadata || e.size_2m);
    assert_true(e.gpa == GPA);
    assert_int_equal(g->oek_iv_count, 1);
    fx_read(t.fx, psp_rd_le64(&r), sealed, sizeof(sealed));
    assert_true(psp_gcm_open(g->oek, iv, NULL, 0, sealed, sizeof(sealed),
                             e.auth_tag, sealed));
    assert_int_equal(sealed[0], 0x5a);
    assert_int_equal(sealed[4095], 0x5a);
    assert_int_equal(fx_state(t.fx, t.page), RMP_PRE_GUEST);
    snp_fx_free(t.fx);
}

/* -- there and back ---------------------------------------------------------
 */

/* What was swapped out by @out comes back to @dst. */
static void swap_in(struct fx_try *t, struct fx_try *out, uint64_t dst)
{
    struct snp_cmd_page_swap cmd;

    assert_true(snp_cmd_page_swap_decode(out->buf, &cmd));
    *t = *out;
    t->command = SNP_CMD_PAGE_SWAP_IN;
    cmd.src_paddr = cmd.dst_paddr;
    cmd.dst_paddr = dst;
    cmd.software_data = 0;
    snp_cmd_page_swap_encode(&cmd, t->buf);
}

static void in_after(struct fx_try *t, void (*prepare)(struct fx_try *))
{
    struct fx_try out = {0};
    uint64_t dst;

    prepare(&out);
    assert_int_equal(fx_execute(&out), SEV_SUCCESS);
    if ((out.buf[0x28] >> 1 & 3) == SNP_SWAP_METADATA) {
        dst = fx_firmware(out.fx, fx_page(out.fx));
    } else if ((out.buf[0x28] & 1) != 0) {
        dst = fx_pre_guest_2m(out.fx, fx_page_2m(out.fx), ASID, 0x600000);
    } else {
        dst = fx_pre_guest(out.fx, fx_page(out.fx), ASID, 0x8000);
    }
    swap_in(t, &out, dst);
    t->page = dst;
}
BREAK(in_data)
{
    in_after(t, out_data);
}
BREAK(in_vmsa)
{
    in_after(t, out_vmsa);
}
BREAK(in_metadata)
{
    in_after(t, out_metadata);
}
BREAK(in_root)
{
    in_after(t, out_root);
}
BREAK(in_2m)
{
    in_after(t, out_2m);
}

static void round_trip(void (*prepare)(struct fx_try *), uint64_t gpa,
                       bool vmsa)
{
    struct fx_try t = {0};
    struct rmp_entry e;
    uint8_t byte;

    prepare(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    e = rmp_get(psp_rmp(t.fx->psp), t.page);
    assert_int_equal(e.state, RMP_PRE_SWAP);
    assert_true(e.gpa == gpa);
    assert_int_equal(e.vmsa, vmsa);
    assert_int_equal(psp_guest_mem_read(t.fx->psp, ASID, t.page, &byte, 1),
                     PSP_OK);
    assert_int_equal(byte, (t.buf[0x28] & 1) != 0 ? 0 : 0x5a);
    /* A page comes back once. */
    fx_pre_guest(t.fx, fx_page(t.fx), ASID, 0x8000);
    assert_int_equal(fx_execute(&t), SEV_INVALID_MDATA_ENTRY);
    snp_fx_free(t.fx);
}

static void swap__data__back_with_its_gpa_once(void **state)
{
    (void)state;
    round_trip(in_data, GPA, false);
}

static void swap__vmsa__back_as_vmsa(void **state)
{
    (void)state;
    round_trip(in_vmsa, 0xfffffffff000, true);
}

static void swap__root_entry__back_once(void **state)
{
    (void)state;
    round_trip(in_root, GPA, false);
}

static void swap__2m__back_as_a_whole(void **state)
{
    (void)state;
    round_trip(in_2m, 0x200000, false);
}

static void swap__metadata__back_with_its_entries(void **state)
{
    struct fx_try t = {0};
    uint8_t page[RMP_PAGE_SIZE];

    (void)state;
    in_metadata(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_state(t.fx, t.page), RMP_METADATA);
    assert_true(rmp_get(psp_rmp(t.fx->psp), t.page).owner_gctx == t.gctx);
    fx_read(t.fx, t.page, page, sizeof(page));
    assert_true(psp_all_zero(page, sizeof(page)));
    snp_fx_free(t.fx);
}

static void swap_in__in_place__same_page(void **state)
{
    struct fx_try out = {0}, t = {0};
    uint64_t sealed;
    uint8_t copy[RMP_PAGE_SIZE], byte;

    (void)state;
    out_data(&out);
    assert_int_equal(fx_execute(&out), SEV_SUCCESS);
    {
        struct psp_rd r = psp_rd(out.buf + 0x10, 8);

        sealed = psp_rd_le64(&r);
    }
    /* The host puts the sealed bytes into a page it then gives the guest. */
    fx_read(out.fx, sealed, copy, sizeof(copy));
    t.page = fx_page(out.fx);
    fx_write(out.fx, t.page, copy, sizeof(copy));
    fx_pre_guest(out.fx, t.page, ASID, 0x8000);
    {
        uint64_t page = t.page;

        swap_in(&t, &out, page);
        t.page = page;
        fx_put64(&t, 8, page);
        t.buf[0x28] |= 8;
    }
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(psp_guest_mem_read(t.fx->psp, ASID, t.page, &byte, 1),
                     PSP_OK);
    assert_int_equal(byte, 0x5a);
    snp_fx_free(t.fx);
}

static void swap_out__never_validated__comes_back_pre_guest(void **state)
{
    struct fx_try t = {0}, out = {0};
    uint64_t dst;

    (void)state;
    out_data(&out);
    src_pre_guest(&out);
    assert_int_equal(fx_execute(&out), SEV_SUCCESS);
    dst = fx_pre_guest(out.fx, fx_page(out.fx), ASID, 0x8000);
    swap_in(&t, &out, dst);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_state(t.fx, dst), RMP_PRE_GUEST);
    snp_fx_free(t.fx);
}

static void swap_out__twice__another_iv(void **state)
{
    struct fx_try t = {0};

    (void)state;
    out_data(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS); /* Pre-Guest may leave too */
    assert_int_equal(entry_at(t.fx, t.other + 0x40).iv, 2);
    snp_fx_free(t.fx);
}

/* -- SWAP_IN refusals -------------------------------------------------------
 */

static void entry_bit(struct fx_try *t, unsigned int bit)
{
    uint8_t byte;

    fx_read(t->fx, t->other + 0x40 + 0x20, &byte, 1);
    byte ^= (uint8_t)(1u << bit);
    fx_write(t->fx, t->other + 0x40 + 0x20, &byte, 1);
}
BREAK(i_software_data)
{
    fx_put64(t, 0x20, 1);
}
BREAK(i_not_valid)
{
    entry_bit(t, 0);
}
BREAK(i_entry_vmsa)
{
    entry_bit(t, 2);
}
BREAK(i_entry_metadata)
{
    entry_bit(t, 3);
}
BREAK(i_contradiction)
{
    entry_bit(t, 2);
    entry_bit(t, 3);
}
BREAK(i_entry_2m)
{
    entry_bit(t, 4);
}
BREAK(i_type_vmsa)
{
    t->buf[0x28] |= SNP_SWAP_VMSA << 1;
}
BREAK(i_dst_2m)
{
    fx_put64(t, 0x10,
             fx_pre_guest_2m(t->fx, fx_page_2m(t->fx), ASID, 0x600000));
}
BREAK(i_in_place_elsewhere)
{
    t->buf[0x28] |= 8;
}
BREAK(i_dst_firmware)
{
    fx_put64(t, 0x10, fx_firmware(t->fx, fx_page(t->fx)));
}
BREAK(i_dst_valid)
{
    fx_put64(t, 0x10,
             fx_launch_page(t->fx, t->gctx, SNP_PAGE_ZERO, 0x9000, NULL));
}
BREAK(i_dst_of_other)
{
    fx_put64(t, 0x10, fx_pre_guest(t->fx, fx_page(t->fx), ASID + 1, GPA));
}
BREAK(i_tampered)
{
    struct psp_rd r = psp_rd(t->buf + 8, 8);
    uint64_t src = psp_rd_le64(&r);
    uint8_t byte;

    fx_read(t->fx, src + 2000, &byte, 1);
    byte ^= 1;
    fx_write(t->fx, src + 2000, &byte, 1);
}
BREAK(i_tag)
{
    uint8_t byte;

    fx_read(t->fx, t->other + 0x40 + 0x10, &byte, 1);
    byte ^= 0x80;
    fx_write(t->fx, t->other + 0x40 + 0x10, &byte, 1);
}
BREAK(i_metadata_dst_hypervisor)
{
    fx_put64(t, 0x10, fx_page(t->fx));
}
BREAK(i_entry_and_size)
{
    i_not_valid(t);
    i_entry_2m(t);
}
BREAK(i_address_and_state)
{
    i_in_place_elsewhere(t);
    i_dst_firmware(t);
}
BREAK(i_owner_and_tag)
{
    i_dst_of_other(t);
    i_tag(t);
}
BREAK(i_disabled_and_entry)
{
    swap_disabled(t);
    i_not_valid(t);
}

/* -- PAGE_MOVE --------------------------------------------------------------
 */

static void move_to(struct fx_try *t, uint64_t dst)
{
    t->other = dst;
    FX_SET(t, PAGE_MOVE, PAGE_MOVE, page_move, .gctx_paddr = t->gctx,
           .src_paddr = t->page, .dst_paddr = dst);
}
BREAK(move)
{
    guest_with_page(t, SNP_PAGE_NORMAL, GPA);
    move_to(t, fx_pre_guest(t->fx, fx_page(t->fx), ASID, 0x8000));
}
BREAK(move_metadata)
{
    guest_with_page(t, SNP_PAGE_NORMAL, GPA);
    t->page = metadata_page(t->fx, t->gctx);
    fx_fill(t->fx, t->page, 0x61, RMP_PAGE_SIZE);
    move_to(t, fx_firmware(t->fx, fx_page(t->fx)));
}
BREAK(m_flag_1)
{
    t->buf[8] |= 2;
}
BREAK(m_mbz)
{
    t->buf[0xf] = 1;
}
BREAK(m_src_low)
{
    t->buf[0x10] |= 1;
}
BREAK(m_same_page)
{
    fx_put64(t, 0x18, t->page);
}
BREAK(m_src_outside)
{
    fx_put64(t, 0x10, FX_MEMORY_SIZE);
}
BREAK(m_dst_outside)
{
    fx_put64(t, 0x18, FX_MEMORY_SIZE);
}
BREAK(m_src_valid)
{
    src_valid(t);
}
BREAK(m_dst_firmware)
{
    fx_put64(t, 0x18, fx_firmware(t->fx, fx_page(t->fx)));
}
BREAK(m_metadata_to_pre_guest)
{
    fx_put64(t, 0x18, fx_pre_guest(t->fx, fx_page(t->fx), ASID, 0x8000));
}
BREAK(m_dst_2m)
{
    fx_put64(t, 0x18,
             fx_pre_guest_2m(t->fx, fx_page_2m(t->fx), ASID, 0x600000));
}
static void move_2m(struct fx_try *t, uint64_t src_offset, uint64_t dst_offset)
{
    uint64_t src = fx_pre_guest_2m(t->fx, fx_page_2m(t->fx), ASID, 0x600000);
    uint64_t dst = fx_pre_guest_2m(t->fx, fx_page_2m(t->fx), ASID, 0x800000);

    fx_put32(t, 8, 1);
    fx_put64(t, 0x10, src + src_offset);
    fx_put64(t, 0x18, dst + dst_offset);
}
BREAK(m_2m)
{
    move_2m(t, 0, 0);
}
BREAK(m_2m_src_inside)
{
    move_2m(t, RMP_PAGE_SIZE, 0);
}
BREAK(m_2m_dst_inside)
{
    move_2m(t, 0, RMP_PAGE_2M_SIZE / 2);
}
BREAK(m_src_of_other)
{
    fx_put64(t, 0x10, fx_pre_guest(t->fx, fx_page(t->fx), ASID + 1, GPA));
}
BREAK(m_dst_of_other)
{
    fx_put64(t, 0x18, fx_pre_guest(t->fx, fx_page(t->fx), ASID + 1, GPA));
}
BREAK(m_metadata_of_other)
{
    uint64_t other = fx_guest_launch(t->fx, ASID + 1, FX_POLICY);

    fx_put64(t, 0x10, metadata_page(t->fx, other));
}
BREAK(m_guest_init)
{
    fx_put64(t, 0, fx_guest_init(t->fx));
}
BREAK(m_inactive)
{
    uint64_t gctx = fx_guest_init(t->fx);

    assert_int_equal(FX(t->fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
                        .policy = FX_POLICY),
                     SEV_SUCCESS);
    fx_put64(t, 0, gctx);
}
BREAK(m_state_and_size)
{
    m_dst_2m(t);
    m_src_valid(t);
}

static void page_move__validated_page__content_and_gpa_move(void **state)
{
    struct fx_try t = {0};
    struct rmp_entry e;
    uint8_t got[RMP_PAGE_SIZE];

    (void)state;
    move(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    e = rmp_get(psp_rmp(t.fx->psp), t.other);
    assert_int_equal(e.state, RMP_GUEST_VALID);
    assert_true(e.gpa == GPA);
    assert_int_equal(fx_state(t.fx, t.page), RMP_GUEST_INVALID);
    assert_int_equal(
        psp_guest_mem_read(t.fx->psp, ASID, t.other, got, sizeof(got)), PSP_OK);
    assert_int_equal(got[0], 0x5a);
    assert_int_equal(got[4095], 0x5a);
    snp_fx_free(t.fx);
}

static void page_move__never_validated__guest_invalid(void **state)
{
    struct fx_try t = {0};

    (void)state;
    move(&t);
    src_pre_guest(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_state(t.fx, t.other), RMP_GUEST_INVALID);
    snp_fx_free(t.fx);
}

static void page_move__metadata__moves_as_it_is(void **state)
{
    struct fx_try t = {0};
    uint8_t byte;

    (void)state;
    move_metadata(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_state(t.fx, t.page), RMP_FIRMWARE);
    assert_int_equal(fx_state(t.fx, t.other), RMP_METADATA);
    assert_true(rmp_get(psp_rmp(t.fx->psp), t.other).owner_gctx == t.gctx);
    fx_read(t.fx, t.other + 4095, &byte, 1);
    assert_int_equal(byte, 0x61);
    snp_fx_free(t.fx);
}

/* -- PAGE_MD_INIT -----------------------------------------------------------
 */

BREAK(md_init)
{
    t->fx = snp_fx_up("milan", NULL);
    t->gctx = fx_guest_launch(t->fx, ASID, FX_POLICY);
    t->page = fx_firmware(t->fx, fx_page(t->fx));
    fx_fill(t->fx, t->page, 0x71, RMP_PAGE_SIZE);
    FX_SET(t, PAGE_MD_INIT, PAGE_MD_INIT, page_md_init, .gctx_paddr = t->gctx,
           .page_paddr = t->page);
}
BREAK(md_page_low)
{
    t->buf[8] |= 1;
}
BREAK(md_outside)
{
    fx_put64(t, 8, FX_MEMORY_SIZE);
}
BREAK(md_hypervisor)
{
    fx_put64(t, 8, fx_page(t->fx));
}
BREAK(md_twice)
{
    assert_int_equal(fx_execute(t), SEV_SUCCESS);
}
BREAK(md_2m)
{
    uint64_t spa = fx_page_2m(t->fx);

    assert_int_equal(rmp_rmpupdate(psp_rmp(t->fx->psp), spa,
                                   &(struct rmp_update){.assigned = true,
                                                        .immutable = true,
                                                        .size_2m = true}),
                     RMP_OK);
    fx_put64(t, 8, spa);
}
BREAK(md_guest_init)
{
    fx_put64(t, 0, fx_guest_init(t->fx));
}
BREAK(md_state_and_guest)
{
    md_hypervisor(t);
    md_guest_init(t);
}

static void md_init__success__zeroed(void **state)
{
    struct fx_try t = {0};
    uint8_t page[RMP_PAGE_SIZE];

    (void)state;
    md_init(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    fx_read(t.fx, t.page, page, sizeof(page));
    assert_true(psp_all_zero(page, sizeof(page)));
    assert_int_equal(fx_state(t.fx, t.page), RMP_METADATA);
    assert_false(rmp_host_may_write(psp_rmp(t.fx->psp), t.page));
    snp_fx_free(t.fx);
}

static enum sev_status act_execute(struct snp_fx *fx, void *ctx)
{
    (void)fx;
    return fx_execute(ctx);
}

static void swap__callback_fails__nothing_changes(void **state)
{
    const struct {
        void (*prepare)(struct fx_try *);
        unsigned int callbacks;
    } rows[] = {
        {out_data, 5},      /* buffer, src, old dst, dst, entry */
        {out_root, 4},      /* no entry in memory */
        {in_data, 6},       /* buffer, entry, src, old dst, dst, entry */
        {in_metadata, 6},   /* the same */
        {move, 3},          /* buffer, src, dst */
        {move_metadata, 3}, /* the same */
        {md_init, 2},       /* buffer, page */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fx_try t = {0};

        rows[i].prepare(&t);
        assert_int_equal(fx_sweep(t.fx, act_execute, &t), rows[i].callbacks);
        snp_fx_free(t.fx);
    }
}

/* The page is written, its entry is not, and it cannot be put back. */
static void swap_out__undo_fails_too__hwerror_unsafe(void **state)
{
    struct fx_try t = {0};

    (void)state;
    out_data(&t);
    t.fx->calls = 0;
    t.fx->fail_at = 5;
    t.fx->fail_more = 1;
    assert_int_equal(fx_execute(&t), SEV_HWERROR_UNSAFE);
    t.fx->fail_at = 0;
    assert_int_equal(fx_state(t.fx, t.page), RMP_PRE_SWAP);
    assert_int_equal(fx_guest(t.fx, t.gctx)->oek_iv_count, 1); /* used up */
    snp_fx_free(t.fx);
}

static const struct fx_case CASES[] = {
    {"swap_out__data__success", out_data, NULL, SEV_SUCCESS},
    {"swap_out__vmsa__success", out_vmsa, NULL, SEV_SUCCESS},
    {"swap_out__metadata__success", out_metadata, NULL, SEV_SUCCESS},
    {"swap_out__root__success", out_root, NULL, SEV_SUCCESS},
    {"swap_out__2m__success", out_2m, NULL, SEV_SUCCESS},
    {"swap_out__default_page__success", out_data, dst_default, SEV_SUCCESS},
    {"swap_out__pre_guest__success", out_data, src_pre_guest, SEV_SUCCESS},
    {"swap_out__gctx_low__param", out_data, gctx_low, SEV_INVALID_PARAM},
    {"swap_out__src_low__param", out_data, src_low, SEV_INVALID_PARAM},
    {"swap_out__dst_low__param", out_data, dst_low, SEV_INVALID_PARAM},
    {"swap_out__type_3__param", out_data, type_3, SEV_INVALID_PARAM},
    {"swap_out__flag_5__param", out_data, flag_5, SEV_INVALID_PARAM},
    {"swap_out__flag_63__param", out_data, flag_63, SEV_INVALID_PARAM},
    {"swap_out__in_place__param", out_data, in_place, SEV_INVALID_PARAM},
    {"swap_out__uninit__platform_state", out_data, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"swap_out__gctx_outside__address", out_data, gctx_outside,
     SEV_INVALID_ADDRESS},
    {"swap_out__src_outside__address", out_data, src_outside,
     SEV_INVALID_ADDRESS},
    {"swap_out__dst_outside__address", out_data, dst_outside,
     SEV_INVALID_ADDRESS},
    {"swap_out__mdata_outside__address", out_data, mdata_outside,
     SEV_INVALID_ADDRESS},
    {"swap_out__no_context__guest", out_data, no_context, SEV_INVALID_GUEST},
    {"swap_out__mdata_unaligned__param", out_data, mdata_unaligned,
     SEV_INVALID_PARAM},
    {"swap_out__mdata_is_src__param", out_data, mdata_is_src,
     SEV_INVALID_PARAM},
    {"swap_out__mdata_in_src__param", out_data, mdata_in_src,
     SEV_INVALID_PARAM},
    {"swap_out__mdata_in_dst__param", out_data, mdata_in_dst,
     SEV_INVALID_PARAM},
    {"swap_out__mdata_firmware__page_state", out_data, mdata_firmware,
     SEV_INVALID_PAGE_STATE},
    {"swap_out__mdata_of_other__page_owner", out_data, mdata_of_other,
     SEV_INVALID_PAGE_OWNER},
    {"swap_out__2m_flag_on_4k__page_size", out_data, size_flag,
     SEV_INVALID_PAGE_SIZE},
    {"swap_out__vmsa_2m__page_size", out_2m, vmsa_2m, SEV_INVALID_PAGE_SIZE},
    {"swap_out__2m_misaligned__address", out_2m, src_2m_misaligned,
     SEV_INVALID_ADDRESS},
    {"swap_out__guest_init__guest_state", out_data, guest_init,
     SEV_INVALID_GUEST_STATE},
    {"swap_out__policy__policy", out_data, swap_disabled, SEV_POLICY_FAILURE},
    {"swap_out__inactive__inactive", out_data, inactive, SEV_INACTIVE},
    {"swap_out__dst_hypervisor__page_state", out_data, dst_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"swap_out__src_valid__page_state", out_data, src_valid,
     SEV_INVALID_PAGE_STATE},
    {"swap_out__vmsa_as_data__page_state", out_data, src_is_vmsa,
     SEV_INVALID_PAGE_STATE},
    {"swap_out__src_of_other__page_owner", out_data, src_of_other,
     SEV_INVALID_PAGE_OWNER},
    {"swap_out__metadata_of_other__page_owner", out_metadata,
     metadata_src_of_other, SEV_INVALID_PAGE_OWNER},
    {"swap_out__data_page_as_metadata__page_state", out_metadata, src_of_other,
     SEV_INVALID_PAGE_STATE},
    {"swap_out__iv_spent__aead", out_data, iv_spent, SEV_AEAD_OFLOW},
    {"swap_out__order_reserved_platform", out_data, reserved_and_uninit,
     SEV_INVALID_PARAM},
    {"swap_out__order_guest_mdata", out_data, context_and_mdata,
     SEV_INVALID_GUEST},
    {"swap_out__order_mdata_size", out_2m, mdata_and_size, SEV_INVALID_PARAM},
    {"swap_out__order_owner_iv", out_data, owner_and_iv,
     SEV_INVALID_PAGE_OWNER},

    {"swap_in__data__success", in_data, NULL, SEV_SUCCESS},
    {"swap_in__2m__success", in_2m, NULL, SEV_SUCCESS},
    {"swap_in__software_data__param", in_data, i_software_data,
     SEV_INVALID_PARAM},
    {"swap_in__type_3__param", in_data, type_3, SEV_INVALID_PARAM},
    {"swap_in__metadata_in_place__param", in_metadata, in_place,
     SEV_INVALID_PARAM},
    {"swap_in__uninit__platform_state", in_data, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"swap_in__src_outside__address", in_data, src_outside,
     SEV_INVALID_ADDRESS},
    {"swap_in__no_context__guest", in_data, no_context, SEV_INVALID_GUEST},
    {"swap_in__mdata_unaligned__param", in_data, mdata_unaligned,
     SEV_INVALID_PARAM},
    {"swap_in__mdata_of_other__page_owner", in_data, mdata_of_other,
     SEV_INVALID_PAGE_OWNER},
    {"swap_in__guest_init__guest_state", in_data, guest_init,
     SEV_INVALID_GUEST_STATE},
    {"swap_in__policy__policy", in_data, swap_disabled, SEV_POLICY_FAILURE},
    {"swap_in__inactive__inactive", in_data, inactive, SEV_INACTIVE},
    {"swap_in__entry_not_valid__mdata_entry", in_data, i_not_valid,
     SEV_INVALID_MDATA_ENTRY},
    {"swap_in__entry_vmsa__mdata_entry", in_data, i_entry_vmsa,
     SEV_INVALID_MDATA_ENTRY},
    {"swap_in__entry_metadata__mdata_entry", in_data, i_entry_metadata,
     SEV_INVALID_MDATA_ENTRY},
    {"swap_in__entry_contradicts__mdata_entry", in_data, i_contradiction,
     SEV_INVALID_MDATA_ENTRY},
    {"swap_in__type_differs__mdata_entry", in_data, i_type_vmsa,
     SEV_INVALID_MDATA_ENTRY},
    {"swap_in__entry_2m__page_size", in_data, i_entry_2m,
     SEV_INVALID_PAGE_SIZE},
    {"swap_in__dst_2m__page_size", in_data, i_dst_2m, SEV_INVALID_PAGE_SIZE},
    {"swap_in__in_place_elsewhere__address", in_data, i_in_place_elsewhere,
     SEV_INVALID_ADDRESS},
    {"swap_in__dst_firmware__page_state", in_data, i_dst_firmware,
     SEV_INVALID_PAGE_STATE},
    {"swap_in__dst_valid__page_state", in_data, i_dst_valid,
     SEV_INVALID_PAGE_STATE},
    {"swap_in__metadata_dst_hypervisor__page_state", in_metadata,
     i_metadata_dst_hypervisor, SEV_INVALID_PAGE_STATE},
    {"swap_in__dst_of_other__page_owner", in_data, i_dst_of_other,
     SEV_INVALID_PAGE_OWNER},
    {"swap_in__tampered__measurement", in_data, i_tampered,
     SEV_BAD_MEASUREMENT},
    {"swap_in__tag__measurement", in_data, i_tag, SEV_BAD_MEASUREMENT},
    {"swap_in__order_entry_size", in_data, i_entry_and_size,
     SEV_INVALID_MDATA_ENTRY},
    {"swap_in__order_address_state", in_data, i_address_and_state,
     SEV_INVALID_ADDRESS},
    {"swap_in__order_owner_tag", in_data, i_owner_and_tag,
     SEV_INVALID_PAGE_OWNER},
    {"swap_in__order_policy_entry", in_data, i_disabled_and_entry,
     SEV_POLICY_FAILURE},

    {"page_move__success", move, NULL, SEV_SUCCESS},
    {"page_move__metadata__success", move_metadata, NULL, SEV_SUCCESS},
    {"page_move__gctx_low__param", move, gctx_low, SEV_INVALID_PARAM},
    {"page_move__flag_1__param", move, m_flag_1, SEV_INVALID_PARAM},
    {"page_move__mbz__param", move, m_mbz, SEV_INVALID_PARAM},
    {"page_move__src_low__param", move, m_src_low, SEV_INVALID_PARAM},
    {"page_move__onto_itself__param", move, m_same_page, SEV_INVALID_PARAM},
    {"page_move__uninit__platform_state", move, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"page_move__src_outside__address", move, m_src_outside,
     SEV_INVALID_ADDRESS},
    {"page_move__dst_outside__address", move, m_dst_outside,
     SEV_INVALID_ADDRESS},
    {"page_move__no_context__guest", move, no_context, SEV_INVALID_GUEST},
    {"page_move__src_valid__page_state", move, m_src_valid,
     SEV_INVALID_PAGE_STATE},
    {"page_move__dst_firmware__page_state", move, m_dst_firmware,
     SEV_INVALID_PAGE_STATE},
    {"page_move__metadata_to_pre_guest__page_state", move_metadata,
     m_metadata_to_pre_guest, SEV_INVALID_PAGE_STATE},
    {"page_move__dst_2m__page_size", move, m_dst_2m, SEV_INVALID_PAGE_SIZE},
    {"page_move__2m__success", move, m_2m, SEV_SUCCESS},
    {"page_move__src_inside_2m_page__address", move, m_2m_src_inside,
     SEV_INVALID_ADDRESS},
    {"page_move__dst_inside_2m_page__address", move, m_2m_dst_inside,
     SEV_INVALID_ADDRESS},
    {"page_move__guest_init__guest_state", move, m_guest_init,
     SEV_INVALID_GUEST_STATE},
    {"page_move__policy__policy", move, swap_disabled, SEV_POLICY_FAILURE},
    {"page_move__inactive__inactive", move, m_inactive, SEV_INACTIVE},
    {"page_move__src_of_other__page_owner", move, m_src_of_other,
     SEV_INVALID_PAGE_OWNER},
    {"page_move__dst_of_other__page_owner", move, m_dst_of_other,
     SEV_INVALID_PAGE_OWNER},
    {"page_move__metadata_of_other__page_owner", move_metadata,
     m_metadata_of_other, SEV_INVALID_PAGE_OWNER},
    {"page_move__order_state_size", move, m_state_and_size,
     SEV_INVALID_PAGE_STATE},

    {"md_init__success", md_init, NULL, SEV_SUCCESS},
    {"md_init__gctx_low__param", md_init, gctx_low, SEV_INVALID_PARAM},
    {"md_init__page_low__param", md_init, md_page_low, SEV_INVALID_PARAM},
    {"md_init__uninit__platform_state", md_init, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"md_init__gctx_outside__address", md_init, gctx_outside,
     SEV_INVALID_ADDRESS},
    {"md_init__page_outside__address", md_init, md_outside,
     SEV_INVALID_ADDRESS},
    {"md_init__no_context__guest", md_init, no_context, SEV_INVALID_GUEST},
    {"md_init__hypervisor_page__page_state", md_init, md_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"md_init__twice__page_state", md_init, md_twice, SEV_INVALID_PAGE_STATE},
    {"md_init__2m_page__page_size", md_init, md_2m, SEV_INVALID_PAGE_SIZE},
    {"md_init__guest_init__guest_state", md_init, md_guest_init,
     SEV_INVALID_GUEST_STATE},
    {"md_init__order_page_guest", md_init, md_state_and_guest,
     SEV_INVALID_PAGE_STATE},
};

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(swap_out__data__sealed_with_oek_and_entry),
        cmocka_unit_test(swap__data__back_with_its_gpa_once),
        cmocka_unit_test(swap__vmsa__back_as_vmsa),
        cmocka_unit_test(swap__root_entry__back_once),
        cmocka_unit_test(swap__2m__back_as_a_whole),
        cmocka_unit_test(swap__metadata__back_with_its_entries),
        cmocka_unit_test(swap_in__in_place__same_page),
        cmocka_unit_test(swap_out__never_validated__comes_back_pre_guest),
        cmocka_unit_test(swap_out__twice__another_iv),
        cmocka_unit_test(page_move__validated_page__content_and_gpa_move),
        cmocka_unit_test(page_move__never_validated__guest_invalid),
        cmocka_unit_test(page_move__metadata__moves_as_it_is),
        cmocka_unit_test(md_init__success__zeroed),
        cmocka_unit_test(swap__callback_fails__nothing_changes),
        cmocka_unit_test(swap_out__undo_fails_too__hwerror_unsafe),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, CASES, fx_test_case);
    return tst_suite_run(&suite, "snp/swap");
}
