/* SPDX-License-Identifier: Apache-2.0 */
/* SWAP_OUT and SWAP_IN. abi/sev.md §1.7 */
#include "sev_host.h"

#define BIG_MEMORY 0x1000000u
#define MDATA      SH_IN3
#define VMSA_4K    (SEV_SWAP_TYPE_VMSA << 1)

static struct sev_cmd_swap swap(uint32_t handle, uint32_t bits, uint64_t src,
                                uint64_t dst)
{
    return (struct sev_cmd_swap){.handle = handle,
                                 .bits = bits,
                                 .src_paddr = src,
                                 .dst_paddr = dst,
                                 .mdata_paddr = MDATA,
                                 .software_data = 0x1122334455667788};
}

static enum sev_status out(struct sh *h, struct sev_cmd_swap c)
{
    return SH_DO(h, SEV_CMD_SWAP_OUT, swap_out, &c);
}

static enum sev_status in(struct sh *h, struct sev_cmd_swap c)
{
    return SH_DO(h, SEV_CMD_SWAP_IN, swap_in, &c);
}

static void fill(struct sh *h, uint32_t asid, uint64_t spa, uint8_t *text,
                 size_t size)
{
    for (size_t i = 0; i < size; i++) {
        text[i] = (uint8_t)(i * 3 + (i >> 8));
    }
    sh_guest_write(h, asid, spa, text, size);
}

static void swap_out__mended_step_by_step__statuses_in_order(void **state)
{
    const uint32_t id = SEV_CMD_SWAP_OUT;
    struct sev_cmd_swap c = {.handle = 77,
                             .bits = SEV_SWAP_2M | VMSA_4K,
                             .src_paddr = SH_MEMORY - 0x1000,
                             .dst_paddr = SH_GUEST + 8,
                             .mdata_paddr = SH_GUEST + 0x2008};
    struct sh *h = sh_new("milan", 1);
    uint32_t a;

    (void)state;
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_PLATFORM_STATE);
    sh_up(h);
    a = sh_running(h, 0, 0);
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_ADDRESS); /* 2 MiB range */
    c.src_paddr = SH_TMR;
    c.dst_paddr = SH_TMR + 0x1000; /* alignment of a 2 MiB page */
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_ADDRESS);
    c.dst_paddr = SH_TMR;
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_ADDRESS); /* MDATA */
    c.mdata_paddr = SH_MEMORY;
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_ADDRESS);
    c.mdata_paddr = SH_TMR + 0x40;
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_PARAM); /* overlap */
    c.mdata_paddr = MDATA;
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_PARAM); /* 2 MiB VMSA */
    c.bits = 1u << 1;                                  /* no such page type */
    c.src_paddr = SH_GUEST;
    c.dst_paddr = SH_GUEST2;
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_PARAM);
    c.bits = 3u << 1;
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_PARAM);
    c.bits = VMSA_4K;
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_GUEST);
    c.handle = a;
    SH_REFUSE(h, id, swap_out, &c, SEV_INACTIVE);
    assert_int_equal(sh_activate(h, a, SH_ASID), SEV_SUCCESS);
    sev_guest_find(&h->sev, a)->oek_count = UINT64_MAX;
    SH_REFUSE(h, id, swap_out, &c, SEV_AEAD_OFLOW);
    sev_guest_find(&h->sev, a)->oek_count = UINT64_MAX - 1;
    SH_REFUSE(h, id, swap_out, &c, SEV_INVALID_PARAM); /* no VMSA there */
    c.bits = 0;
    assert_int_equal(SH_DO(h, id, swap_out, &c), SEV_SUCCESS);
    SH_REFUSE(h, id, swap_out, &c, SEV_AEAD_OFLOW);
    sh_free(h);
}

static void swap_in__mended_step_by_step__statuses_in_order(void **state)
{
    const uint32_t id = SEV_CMD_SWAP_IN;
    struct sev_cmd_swap c = swap(0, 0, SH_GUEST2, SH_GUEST + 8);
    struct sh *h = sh_new("milan", 1);
    uint8_t text[0x1000], seen[0x1000];
    uint32_t a;

    (void)state;
    sh_up(h);
    a = sh_running(h, 0, SH_ASID);
    fill(h, SH_ASID, SH_GUEST, text, sizeof(text));
    assert_int_equal(out(h, swap(a, 0, SH_GUEST, SH_GUEST2)), SEV_SUCCESS);
    assert_int_equal(sh_handle(h, SEV_CMD_DEACTIVATE, a), SEV_SUCCESS);
    assert_int_equal(sh_plain(h, SEV_CMD_DF_FLUSH), SEV_SUCCESS);
    c.handle = 77;
    SH_REFUSE(h, id, swap_in, &c, SEV_INVALID_ADDRESS);
    c.dst_paddr = SH_GUEST;
    c.mdata_paddr = SH_GUEST2 + 0xfc0;
    SH_REFUSE(h, id, swap_in, &c, SEV_INVALID_PARAM); /* overlap */
    c.mdata_paddr = MDATA;
    c.bits = VMSA_4K;
    SH_REFUSE(h, id, swap_in, &c, SEV_INVALID_PARAM); /* type */
    c.bits = SEV_SWAP_IN_PLACE;
    SH_REFUSE(h, id, swap_in, &c, SEV_INVALID_PARAM); /* not the same page */
    c.bits = 0x80000000; /* reserved bits are not looked at */
    SH_REFUSE(h, id, swap_in, &c, SEV_INVALID_GUEST);
    c.handle = a;
    SH_REFUSE(h, id, swap_in, &c, SEV_INACTIVE);
    assert_int_equal(sh_activate(h, a, SH_ASID), SEV_SUCCESS);
    h->memory[SH_GUEST2 + 5] ^= 1;
    SH_REFUSE(h, id, swap_in, &c, SEV_BAD_MEASUREMENT);
    h->memory[SH_GUEST2 + 5] ^= 1;
    for (size_t i = 0; i < SEV_SWAP_ENTRY_SIZE; i++) {
        enum sev_status want =
            i == 0x3c ? SEV_INVALID_PARAM : SEV_BAD_MEASUREMENT;

        h->memory[MDATA + i] ^= 1;
        SH_REFUSE(h, id, swap_in, &c, want);
        h->memory[MDATA + i] ^= 1;
    }
    assert_int_equal(SH_DO(h, id, swap_in, &c), SEV_SUCCESS);
    sh_guest_read(h, SH_ASID, SH_GUEST, seen, sizeof(seen));
    assert_memory_equal(text, seen, sizeof(text));
    sh_free(h);
}

static void swap__page_out_and_in_elsewhere__same_plaintext(void **state)
{
    struct sh *h = sh_new("milan", 1);
    uint8_t text[0x1000], seen[0x1000];
    struct sev_swap_entry entry;
    uint32_t a;

    (void)state;
    sh_up(h);
    a = sh_running(h, 0, SH_ASID);
    fill(h, SH_ASID, SH_GUEST, text, sizeof(text));
    assert_int_equal(out(h, swap(a, 0, SH_GUEST, SH_GUEST2)), SEV_SUCCESS);
    assert_memory_not_equal(h->memory + SH_GUEST2, text, sizeof(text));
    assert_int_equal(
        sev_swap_entry_decode(h->memory + MDATA, SEV_SWAP_ENTRY_SIZE, &entry),
        PSP_OK);
    assert_int_equal(entry.software_data, 0x1122334455667788);
    assert_hex_equal(entry.iv, "0100000000000000", 8);
    assert_int_equal(entry.bits, 0);
    assert_true(psp_all_zero(entry.reserved, sizeof(entry.reserved)));
    assert_int_equal(in(h, swap(a, 0, SH_GUEST2, SH_GUEST + 0x5000)),
                     SEV_SUCCESS);
    sh_guest_read(h, SH_ASID, SH_GUEST + 0x5000, seen, sizeof(seen));
    assert_memory_equal(text, seen, sizeof(text));
    assert_int_equal(in(h, swap(a, SEV_SWAP_IN_PLACE, SH_GUEST2, SH_GUEST2)),
                     SEV_SUCCESS);
    sh_guest_read(h, SH_ASID, SH_GUEST2, seen, sizeof(seen));
    assert_memory_equal(text, seen, sizeof(text));
    sh_free(h);
}

/* One address carries the C-bit, the other does not: the same page. */
static void swap_in__in_place_with_the_c_bit__same_page(void **state)
{
    const uint64_t c_bit = 1ull << 51;
    struct sh *h = sh_new("milan", 1);
    uint32_t a;

    (void)state;
    sh_up(h);
    a = sh_running(h, 0, SH_ASID);
    assert_int_equal(out(h, swap(a, 0, SH_GUEST, SH_GUEST2)), SEV_SUCCESS);
    assert_int_equal(
        in(h, swap(a, SEV_SWAP_IN_PLACE, SH_GUEST2 | c_bit, SH_GUEST2)),
        SEV_SUCCESS);
    sh_free(h);
}

static void swap__into_another_guest__refused(void **state)
{
    struct sh *h = sh_new("milan", 1);
    uint32_t a, b;

    (void)state;
    sh_up(h);
    a = sh_running(h, 0, SH_ASID);
    b = sh_running(h, 0, SH_ASID + 1);
    assert_int_equal(out(h, swap(a, 0, SH_GUEST, SH_GUEST2)), SEV_SUCCESS);
    assert_int_equal(in(h, swap(b, 0, SH_GUEST2, SH_GUEST)),
                     SEV_BAD_MEASUREMENT);
    sh_free(h);
}

/* A VMSA goes out as a VMSA, comes in as one, and is known at its new place;
 * as data it does not go, neither alone nor inside a large page. */
static void swap__vmsa__only_as_what_it_is(void **state)
{
    struct sev_cmd_range c = {0, 0, SH_GUEST, 0x1000};
    struct sh *h = sh_new("milan", 1);
    struct sev_guest *g;
    uint32_t a;

    (void)state;
    sh_up(h);
    a = c.handle = sh_launch(h, SEV_POLICY_ES);
    g = sev_guest_find(&h->sev, a);
    assert_int_equal(sh_activate(h, a, SH_ASID_ES), SEV_SUCCESS);
    assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_UPDATE_VMSA, range, &c),
                     SEV_SUCCESS);
    assert_int_equal(out(h, swap(a, 0, SH_GUEST, SH_GUEST2)),
                     SEV_INVALID_PARAM);
    assert_int_equal(out(h, swap(a, VMSA_4K, SH_GUEST + 0x1000, SH_GUEST2)),
                     SEV_INVALID_PARAM);
    assert_int_equal(out(h, swap(a, VMSA_4K, SH_GUEST, SH_GUEST2)),
                     SEV_SUCCESS);
    assert_int_equal(g->vmsa_count, 0);
    assert_int_equal(in(h, swap(a, 0, SH_GUEST2, SH_GUEST + 0x3000)),
                     SEV_INVALID_PARAM);
    assert_int_equal(
        in(h, swap(a, VMSA_4K | SEV_SWAP_IN_PLACE, SH_GUEST2, SH_GUEST2)),
        SEV_INVALID_PARAM);
    assert_int_equal(in(h, swap(a, VMSA_4K, SH_GUEST2, SH_GUEST + 0x3000)),
                     SEV_SUCCESS);
    assert_int_equal(g->vmsa_count, 1);
    assert_int_equal(g->vmsa[0].spa, SH_GUEST + 0x3000);
    sh_free(h);
}

static void swap__2_mib_page__same_plaintext(void **state)
{
    const uint64_t page = 0x400000, backing = 0x600000, other = 0x800000;
    struct sh *h = sh_new_sized("milan", 1, BIG_MEMORY);
    uint8_t *text = malloc(0x200000), *seen = malloc(0x200000);
    uint32_t a;

    (void)state;
    sh_power_on(h);
    sh_up(h);
    a = sh_running(h, 0, SH_ASID);
    fill(h, SH_ASID, page, text, 0x200000);
    assert_int_equal(out(h, swap(a, SEV_SWAP_2M, page, backing)), SEV_SUCCESS);
    assert_int_equal(in(h, swap(a, 0, backing, other)), SEV_INVALID_PARAM);
    assert_int_equal(in(h, swap(a, SEV_SWAP_2M, backing, other)), SEV_SUCCESS);
    sh_guest_read(h, SH_ASID, other, seen, 0x200000);
    assert_memory_equal(text, seen, 0x200000);
    free(text);
    free(seen);
    sh_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swap_out__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(swap_in__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(swap__page_out_and_in_elsewhere__same_plaintext),
        cmocka_unit_test(swap_in__in_place_with_the_c_bit__same_page),
        cmocka_unit_test(swap__into_another_guest__refused),
        cmocka_unit_test(swap__vmsa__only_as_what_it_is),
        cmocka_unit_test(swap__2_mib_page__same_plaintext),
    };

    return cmocka_run_group_tests_name("sev/swap", tests, NULL, NULL);
}
