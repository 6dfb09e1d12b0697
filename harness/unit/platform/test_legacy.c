/* SPDX-License-Identifier: Apache-2.0 */
/* The legacy half behind the one mailbox, beside the SNP half: start-up order,
 * shared ASIDs, version and memory controller. abi/sev.md §1, abi/snp.md §3.5
 */
#include "snp_fixture.h"

#include "firmware_key.h"
#include "sev_cmd.h"
#include "sev_report.h"
#include "wire.h"

#define CMD 0x3000u

/* Encode, execute through the mailbox, decode. */
#define SEV(fx, ID, name, c)                                                   \
    ({                                                                         \
        uint8_t sev_buf_[SEV_CMD_MAX_SIZE] = {0};                              \
        enum sev_status sev_status_;                                           \
                                                                               \
        sev_cmd_##name##_encode((c), sev_buf_);                                \
        fx_write((fx), CMD, sev_buf_, sizeof(sev_buf_));                       \
        sev_status_ = psp_execute((fx)->psp, SEV_CMD_##ID, CMD);               \
        fx_read((fx), CMD, sev_buf_, sizeof(sev_buf_));                        \
        sev_cmd_##name##_decode(sev_buf_, (c));                                \
        sev_status_;                                                           \
    })

static enum sev_status init(struct snp_fx *fx)
{
    struct sev_cmd_init c = {0, 0, 0, 0};

    return SEV(fx, INIT, init, &c);
}

static enum sev_status plain(struct snp_fx *fx, uint32_t id)
{
    return psp_execute(fx->psp, id, 0);
}

static void start_up__snp_first__as_hosts_do_it(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    struct sev_cmd_status c = {0};

    (void)state;
    assert_int_equal(init(fx), SEV_SUCCESS);
    assert_int_equal(plain(fx, SEV_CMD_DF_FLUSH), SEV_SUCCESS);
    (void)fx_firmware(fx, CMD);
    assert_int_equal(SEV(fx, PLATFORM_STATUS, status, &c), SEV_SUCCESS);
    assert_int_equal(c.state, 1);
    assert_int_equal(fx_state(fx, CMD), RMP_RECLAIM);
    snp_fx_free(fx);
}

static void start_up__legacy_first__snp_refused(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    assert_int_equal(init(fx), SEV_SUCCESS);
    assert_int_equal(plain(fx, SNP_CMD_INIT), SEV_INVALID_PLATFORM_STATE);
    assert_int_equal(plain(fx, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    assert_int_equal(plain(fx, SNP_CMD_INIT), SEV_SUCCESS);
    snp_fx_free(fx);
}

static void status__page_of_the_host_while_snp_is_up__refused(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    struct sev_cmd_status c = {0};

    (void)state;
    assert_int_equal(SEV(fx, PLATFORM_STATUS, status, &c),
                     SEV_INVALID_PAGE_STATE);
    snp_fx_free(fx);
}

static uint32_t running(struct snp_fx *fx, uint32_t asid)
{
    struct sev_cmd_start start = {.policy = 0};
    struct sev_cmd_activate activate = {0, asid};
    struct sev_cmd_range measure = {0, 0, 0x6000, 0x30};
    struct sev_cmd_handle finish;

    assert_int_equal(SEV(fx, LAUNCH_START, start, &start), SEV_SUCCESS);
    activate.handle = measure.handle = finish.handle = start.handle;
    assert_int_equal(SEV(fx, ACTIVATE, activate, &activate), SEV_SUCCESS);
    assert_int_equal(SEV(fx, LAUNCH_MEASURE, range, &measure), SEV_SUCCESS);
    assert_int_equal(SEV(fx, LAUNCH_FINISH, handle, &finish), SEV_SUCCESS);
    return start.handle;
}

static void memory__of_a_legacy_guest__through_its_key(void **state)
{
    struct snp_fx *fx = snp_fx_new("rome", NULL);
    uint8_t text[64], seen[64];

    (void)state;
    assert_int_equal(init(fx), SEV_SUCCESS);
    assert_int_equal(plain(fx, SEV_CMD_DF_FLUSH), SEV_SUCCESS);
    (void)running(fx, 200);
    memset(text, 0x37, sizeof(text));
    assert_int_equal(
        psp_guest_mem_write(fx->psp, 200, 0x8010, text, sizeof(text)), PSP_OK);
    fx_read(fx, 0x8010, seen, sizeof(seen));
    assert_memory_not_equal(text, seen, sizeof(text));
    assert_int_equal(
        psp_guest_mem_read(fx->psp, 200, 0x8010, seen, sizeof(seen)), PSP_OK);
    assert_memory_equal(text, seen, sizeof(text));
    snp_fx_free(fx);
}

/* One report by psp_execute(), one in three steps: the same bytes. */
static void attestation__in_three_steps__same_report(void **state)
{
    struct sev_cmd_attestation c = {.paddr = 0x7000, .length = 0x1000};
    struct snp_fx *fx = snp_fx_new("turin", NULL);
    uint8_t whole[SEV_REPORT_SIZE], parts[SEV_REPORT_SIZE];
    struct psp_job *job = psp_job_new();
    uint8_t buf[SEV_CMD_ATTESTATION_SIZE];
    enum sev_status status;

    (void)state;
    assert_int_equal(init(fx), SEV_SUCCESS);
    assert_int_equal(plain(fx, SEV_CMD_DF_FLUSH), SEV_SUCCESS);
    c.handle = running(fx, 200);
    sev_cmd_attestation_encode(&c, buf);
    fx_write(fx, CMD, buf, sizeof(buf));
    assert_int_equal(psp_execute(fx->psp, SEV_CMD_ATTESTATION, CMD),
                     SEV_SUCCESS);
    fx_read(fx, 0x7000, whole, sizeof(whole));
    fx_fill(fx, 0x7000, 0, sizeof(whole));
    fx_write(fx, CMD, buf, sizeof(buf));
    assert_true(psp_begin(fx->psp, SEV_CMD_ATTESTATION, CMD, job, &status));
    psp_job_run(job);
    assert_int_equal(psp_finish(fx->psp, job), SEV_SUCCESS);
    fx_read(fx, 0x7000, parts, sizeof(parts));
    assert_memory_equal(whole, parts, sizeof(whole));
    fx_read(fx, CMD, buf, sizeof(buf));
    sev_cmd_attestation_decode(buf, &c);
    assert_int_equal(c.length, SEV_REPORT_SIZE);
    psp_job_free(job);
    snp_fx_free(fx);
}

static void asid__of_a_legacy_guest__not_for_snp(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx;
    uint32_t a;

    (void)state;
    assert_int_equal(init(fx), SEV_SUCCESS);
    assert_int_equal(plain(fx, SEV_CMD_DF_FLUSH), SEV_SUCCESS);
    (void)fx_firmware(fx, CMD);
    {
        struct sev_cmd_start start = {.policy = 0};
        struct sev_cmd_activate activate;

        assert_int_equal(SEV(fx, LAUNCH_START, start, &start), SEV_SUCCESS);
        a = start.handle;
        activate = (struct sev_cmd_activate){a, 200};
        assert_int_equal(SEV(fx, ACTIVATE, activate, &activate), SEV_SUCCESS);
    }
    gctx = fx_guest_launch(fx, 3, FX_POLICY);
    assert_int_equal(
        FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = 200),
        SEV_ASID_OWNED);
    snp_fx_free(fx);
}

static size_t image(uint8_t *out, uint8_t minor)
{
    struct snp_firmware fw = {.body_size = 16,
                              .generation = PSP_MILAN,
                              .major = 1,
                              .minor = minor,
                              .build = 9,
                              .svn = 0x18,
                              .live = true};
    uint8_t digest[SHA384_SIZE];
    struct psp_p384_key key;
    struct psp_p384_sig sig;

    memset(out + SNP_FIRMWARE_HEADER_SIZE, 1, 16);
    psp_sha384(out + SNP_FIRMWARE_HEADER_SIZE, 16, fw.body_digest);
    snp_firmware_encode(&fw, out);
    psp_sha384(out, SNP_FIRMWARE_SIGNED_SIZE, digest);
    assert_int_equal(pki_firmware_key(&key), PSP_OK);
    assert_int_equal(psp_p384_sign(&key, digest, &sig), PSP_OK);
    psp_reverse(fw.r, sig.r, P384_SIZE);
    psp_reverse(fw.s, sig.s, P384_SIZE);
    snp_firmware_encode(&fw, out);
    return SNP_FIRMWARE_HEADER_SIZE + 16;
}

static uint8_t legacy_minor(struct snp_fx *fx)
{
    struct sev_cmd_status c = {0};

    assert_int_equal(SEV(fx, PLATFORM_STATUS, status, &c), SEV_SUCCESS);
    return c.api_minor;
}

static uint8_t snp_minor(struct snp_fx *fx)
{
    uint8_t out[0x20];

    assert_int_equal(FX(fx, PLATFORM_STATUS, status, .status_paddr = 0x6000),
                     SEV_SUCCESS);
    fx_read(fx, 0x6000, out, sizeof(out));
    return out[1];
}

/* One firmware: an update by either command shows in both halves. */
static void version__after_an_update__the_same_in_both_halves(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);
    struct sev_cmd_blob c = {0x9000, 0};
    uint8_t bytes[0x200];

    (void)state;
    c.length = (uint32_t)image(bytes, 57);
    fx_write(fx, 0x9000, bytes, c.length);
    assert_int_equal(SEV(fx, DOWNLOAD_FIRMWARE, blob, &c), SEV_SUCCESS);
    assert_int_equal(legacy_minor(fx), 57);
    assert_int_equal(snp_minor(fx), 57);
    (void)image(bytes, 58);
    fx_write(fx, 0x9000, bytes, c.length);
    assert_int_equal(FX(fx, DOWNLOAD_FIRMWARE_EX, download_firmware_ex,
                        .len = SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE,
                        .fw_paddr = 0x9000, .fw_len = c.length),
                     SEV_SUCCESS);
    assert_int_equal(legacy_minor(fx), 58);
    assert_int_equal(snp_minor(fx), 58);
    snp_fx_free(fx);
}

static void table__legacy_rows__come_first_and_by_id(void **state)
{
    struct psp_command_info info;
    uint32_t last = 0;

    (void)state;
    assert_true(psp_command_at(0, &info));
    assert_int_equal(info.id, 0x01);
    for (size_t i = 1; psp_command_at(i, &info); i++) {
        assert_true(info.id > last);
        last = info.id;
    }
    assert_true(psp_command_info(SEV_CMD_ATTESTATION, &info));
    assert_string_equal(info.name, "ATTESTATION");
    assert_int_equal(info.buffer_size, 0x24);
    assert_int_equal(info.platform_states, 1u << 2);
    assert_int_equal(info.guest_states, 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_up__snp_first__as_hosts_do_it),
        cmocka_unit_test(start_up__legacy_first__snp_refused),
        cmocka_unit_test(status__page_of_the_host_while_snp_is_up__refused),
        cmocka_unit_test(memory__of_a_legacy_guest__through_its_key),
        cmocka_unit_test(attestation__in_three_steps__same_report),
        cmocka_unit_test(asid__of_a_legacy_guest__not_for_snp),
        cmocka_unit_test(version__after_an_update__the_same_in_both_halves),
        cmocka_unit_test(table__legacy_rows__come_first_and_by_id),
    };

    return cmocka_run_group_tests_name("platform/legacy", tests, NULL, NULL);
}
