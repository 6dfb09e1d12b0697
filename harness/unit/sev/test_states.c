/* SPDX-License-Identifier: Apache-2.0 */
/* Every cell of command x platform state x guest state. The expectations are
 * the columns of abi/sev.md §1.1, written down here again. */
#include "sev_host.h"

#define STATES_MAX 512u

struct row {
    uint32_t id;
    const char *name;
    uint32_t size;
    const char *platform; /* U, I, W */
    const char *guest;    /* digits of §3.2; NULL: no guest */
};

static const struct row ROWS[] = {
    {0x01, "INIT", 0x14, "U", NULL},
    {0x02, "SHUTDOWN", 0, "UIW", NULL},
    {0x03, "PLATFORM_RESET", 0, "U", NULL},
    {0x04, "PLATFORM_STATUS", 0x0c, "UIW", NULL},
    {0x05, "PEK_GEN", 0, "I", NULL},
    {0x06, "PEK_CSR", 0x0c, "IW", NULL},
    {0x07, "PEK_CERT_IMPORT", 0x1c, "I", NULL},
    {0x08, "PDH_CERT_EXPORT", 0x1c, "IW", NULL},
    {0x09, "PDH_GEN", 0, "IW", NULL},
    {0x0a, "DF_FLUSH", 0, "IW", NULL},
    {0x0b, "DOWNLOAD_FIRMWARE", 0x0c, "U", NULL},
    {0x0c, "GET_ID", 0x0c, "UIW", NULL},
    {0x0d, "INIT_EX", 0x24, "U", NULL},
    {0x0e, "NOP", 0, "UIW", NULL},
    {0x0f, "RING_BUFFER", 0x28, "IW", NULL},
    {0x20, "DECOMMISSION", 0x04, "W", "123456"},
    {0x21, "ACTIVATE", 0x08, "W", "12345"},
    {0x22, "DEACTIVATE", 0x04, "W", "123456"},
    {0x23, "GUEST_STATUS", 0x0d, "IW", NULL},
    {0x24, "COPY", 0x18, "W", "123456"},
    {0x25, "ACTIVATE_EX", 0x18, "W", "12345"},
    {0x30, "LAUNCH_START", 0x24, "IW", NULL},
    {0x31, "LAUNCH_UPDATE_DATA", 0x14, "W", "1"},
    {0x32, "LAUNCH_UPDATE_VMSA", 0x14, "W", "1"},
    {0x33, "LAUNCH_MEASURE", 0x14, "W", "1"},
    {0x34, "LAUNCH_SECRET", 0x34, "W", "2"},
    {0x35, "LAUNCH_FINISH", 0x04, "W", "2"},
    {0x36, "ATTESTATION", 0x24, "W", "2346"},
    {0x40, "SEND_START", 0x44, "W", "3"},
    {0x41, "SEND_UPDATE_DATA", 0x34, "W", "4"},
    {0x42, "SEND_UPDATE_VMSA", 0x34, "W", "4"},
    {0x43, "SEND_FINISH", 0x04, "W", "4"},
    {0x44, "SEND_CANCEL", 0x04, "W", "4"},
    {0x50, "RECEIVE_START", 0x24, "IW", NULL},
    {0x51, "RECEIVE_UPDATE_DATA", 0x34, "W", "5"},
    {0x52, "RECEIVE_UPDATE_VMSA", 0x34, "W", "5"},
    {0x53, "RECEIVE_FINISH", 0x04, "W", "5"},
    {0x60, "DBG_DECRYPT", 0x1c, "W", "123456"},
    {0x61, "DBG_ENCRYPT", 0x1c, "W", "123456"},
    {0x70, "SWAP_OUT", 0x28, "W", "123456"},
    {0x71, "SWAP_IN", 0x20, "W", "123456"},
};
#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))

struct cell {
    char name[64];
    const struct row *row;
    char platform;
    uint8_t guest; /* 0: no guest */
};

/* A buffer that passes whatever is checked before the states. */
static void prepare(const struct row *row, uint32_t handle, uint8_t *buf)
{
    struct sev_cmd_transport transport = {.handle = handle,
                                          .hdr_paddr = SH_IN,
                                          .hdr_length = 0x34,
                                          .guest_paddr = SH_GUEST,
                                          .guest_length = 0x10,
                                          .trans_paddr = SH_IN2,
                                          .trans_length = 0x10};
    struct sev_cmd_send_start send = {.handle = handle, .session_length = 0x80};
    struct sev_cmd_activate_ex ex = {
        0x18, handle, SH_ASID + 1, 1, SH_IN3,
    };
    struct sev_cmd_range range = {
        .handle = handle, .paddr = SH_GUEST, .length = 0x1000};
    struct sev_cmd_activate activate = {handle, SH_ASID + 1};
    struct sev_cmd_swap swap = {.handle = handle,
                                .src_paddr = SH_GUEST,
                                .dst_paddr = SH_GUEST2,
                                .mdata_paddr = SH_IN};
    struct sev_cmd_handle plain = {handle};

    switch (row->id) {
    case 0x21:
        sev_cmd_activate_encode(&activate, buf);
        break;
    case 0x25:
        sev_cmd_activate_ex_encode(&ex, buf);
        break;
    case 0x31:
    case 0x32:
    case 0x33:
        sev_cmd_range_encode(&range, buf);
        break;
    case 0x34:
    case 0x41:
    case 0x42:
    case 0x51:
    case 0x52:
        sev_cmd_transport_encode(&transport, buf);
        break;
    case 0x40:
        sev_cmd_send_start_encode(&send, buf);
        break;
    case 0x70:
        sev_cmd_swap_out_encode(&swap, buf);
        break;
    case 0x71:
        sev_cmd_swap_in_encode(&swap, buf);
        break;
    default:
        if (row->size >= 4) {
            sev_cmd_handle_encode(&plain, buf);
        }
    }
}

static void test_cell(void **state)
{
    const struct cell *cell = *state;
    const struct row *row = cell->row;
    uint8_t buf[SEV_CMD_MAX_SIZE] = {0}, sent[SEV_CMD_MAX_SIZE];
    struct sh *h = sh_new("milan", 1);
    bool legal = strchr(row->platform, cell->platform) != NULL;
    enum sev_status want = SEV_INVALID_PLATFORM_STATE, got;
    struct sh_snapshot before;
    uint32_t handle = 0;

    if (cell->platform != 'U') {
        sh_up(h);
    }
    if (cell->platform == 'W') {
        handle = sh_guest_in(
            h, cell->guest == 0 ? SEV_GUEST_RUNNING : cell->guest, 0, 0);
        assert_int_equal(sh_guest_state(h, handle),
                         cell->guest == 0 ? 3 : cell->guest);
    }
    if (legal && cell->guest != 0) {
        legal = strchr(row->guest, '0' + cell->guest) != NULL;
        want = SEV_INVALID_GUEST_STATE;
    }
    memset(h->memory + SH_IN, 0, 0x1000);
    memset(h->memory + SH_IN3, 0, 0x1000);
    prepare(row, handle, buf);
    memcpy(sent, buf, sizeof(sent));
    before = sh_snapshot(h);
    got = sh_cmd(h, row->id, buf, row->size);
    if (legal) {
        free(before.data);
        assert_int_not_equal(got, SEV_INVALID_PLATFORM_STATE);
        assert_int_not_equal(got, SEV_INVALID_GUEST_STATE);
        assert_int_not_equal(got, SEV_INVALID_GUEST);
    } else {
        sh_unchanged(h, before);
        assert_memory_equal(buf, sent, sizeof(sent));
        assert_int_equal(got, want);
    }
    sh_free(h);
}

/* A handle that names nobody, on a WORKING platform. */
static void test_no_guest(void **state)
{
    static const uint32_t handles[] = {0,          2,          1024,      1025,
                                       0xffffffe7, 0xfffffc18, 0xffffffff};
    const struct row *row = *state;
    struct sh *h = sh_new("milan", 1);

    sh_up(h);
    assert_int_equal(sh_launch(h, 0), 1);
    memset(h->memory + SH_IN, 0, 0x1000);
    memset(h->memory + SH_IN3, 0, 0x1000);
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
        uint8_t buf[SEV_CMD_MAX_SIZE] = {0}, sent[SEV_CMD_MAX_SIZE];
        struct sh_snapshot before;

        prepare(row, handles[i], buf);
        memcpy(sent, buf, sizeof(sent));
        before = sh_snapshot(h);
        assert_int_equal(sh_cmd(h, row->id, buf, row->size), SEV_INVALID_GUEST);
        sh_unchanged(h, before);
        assert_memory_equal(buf, sent, sizeof(sent));
    }
    sh_free(h);
}

/* The table that dispatches says the same as the sheet. */
static void table__columns__as_in_the_sheet(void **state)
{
    static const char pstates[] = "UIW";
    size_t i;

    (void)state;
    for (i = 0; sev_command_at(i) != NULL; i++) {
        const struct sev_command *c = sev_command_at(i);

        assert_true(i < ROW_COUNT);
        assert_ptr_equal(sev_command(c->id), c);
        assert_int_equal(c->id, ROWS[i].id);
        assert_string_equal(c->name, ROWS[i].name);
        assert_int_equal(c->buffer_size, ROWS[i].size);
        for (unsigned int p = 0; p < 3; p++) {
            assert_int_equal(c->platform_states >> p & 1,
                             strchr(ROWS[i].platform, pstates[p]) != NULL);
        }
        assert_int_equal(c->guest_states != 0, ROWS[i].guest != NULL);
        for (unsigned int g = 0; ROWS[i].guest != NULL && g < 8; g++) {
            assert_int_equal(c->guest_states >> g & 1,
                             strchr(ROWS[i].guest, (int)('0' + g)) != NULL);
        }
    }
    assert_int_equal(i, ROW_COUNT);
}

/* Written-back rules of §1.1: N, S, L. */
static void table__write_back__as_in_the_sheet(void **state)
{
    static const uint32_t success[] = {0x04, 0x23, 0x30, 0x50};
    static const uint32_t length[] = {0x06, 0x08, 0x0c, 0x33, 0x36,
                                      0x40, 0x41, 0x42, 0x70};
    size_t s = 0, l = 0;

    (void)state;
    for (size_t i = 0; sev_command_at(i) != NULL; i++) {
        const struct sev_command *c = sev_command_at(i);
        enum sev_write_back want = SEV_WRITE_NEVER;

        if (s < 4 && success[s] == c->id) {
            want = SEV_WRITE_SUCCESS;
            s++;
        }
        if (l < 9 && length[l] == c->id) {
            want = SEV_WRITE_LENGTH;
            l++;
        }
        assert_int_equal(c->write_back, want);
    }
    assert_int_equal(s + l, 13);
}

static void any_other_id__invalid_command(void **state)
{
    struct sh *h = sh_new("milan", 1);
    unsigned int refused = 0;

    (void)state;
    for (uint32_t id = 0; id < 0x80; id++) {
        if (sev_command(id) == NULL) {
            struct sh_snapshot before = sh_snapshot(h);

            assert_int_equal(sev_execute(&h->sev, id, UINT64_MAX),
                             SEV_INVALID_COMMAND);
            sh_unchanged(h, before);
            refused++;
        }
    }
    assert_int_equal(refused, 0x80 - ROW_COUNT);
    assert_int_equal(sev_execute(&h->sev, 0x10004, SH_CMD),
                     SEV_INVALID_COMMAND);
    sh_free(h);
}

/* Unreadable command buffer: before anything else. */
static void command_buffer__outside_memory__invalid_address(void **state)
{
    struct sh *h = sh_new("milan", 1);

    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        uint64_t end = SH_MEMORY - ROWS[i].size;

        if (ROWS[i].size == 0) {
            continue;
        }
        assert_int_equal(sev_execute(&h->sev, ROWS[i].id, end + 1),
                         SEV_INVALID_ADDRESS);
        assert_int_equal(sev_execute(&h->sev, ROWS[i].id, UINT64_MAX - 2),
                         SEV_INVALID_ADDRESS);
    }
    assert_int_equal(sev_execute(&h->sev, SEV_CMD_PLATFORM_STATUS,
                                 SH_MEMORY - SEV_CMD_STATUS_SIZE),
                     SEV_SUCCESS);
    sh_free(h);
}

int main(void)
{
    static struct cell cells[STATES_MAX];
    static struct CMUnitTest tests[STATES_MAX];
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(table__columns__as_in_the_sheet),
        cmocka_unit_test(table__write_back__as_in_the_sheet),
        cmocka_unit_test(any_other_id__invalid_command),
        cmocka_unit_test(command_buffer__outside_memory__invalid_address),
    };
    size_t n = 0, missing = 0;
    static struct CMUnitTest no_guest[ROW_COUNT];
    int failed;

    for (size_t i = 0; i < ROW_COUNT; i++) {
        for (const char *p = "UIW"; *p != '\0'; p++) {
            bool guests = ROWS[i].guest != NULL && *p == 'W';

            for (uint8_t g = guests ? 1 : 0; g <= (guests ? 6 : 0); g++) {
                struct cell *c = &cells[n];

                snprintf(c->name, sizeof(c->name), "%s platform %c guest %u",
                         ROWS[i].name, *p, g);
                c->row = &ROWS[i];
                c->platform = *p;
                c->guest = g;
                tests[n++] = sh_row(c->name, test_cell, c);
            }
        }
        if (ROWS[i].guest != NULL) {
            no_guest[missing++] = sh_row(ROWS[i].name, test_no_guest, &ROWS[i]);
        }
    }
    failed = cmocka_run_group_tests_name("sev/table", fixed, NULL, NULL);
    failed += _cmocka_run_group_tests("sev/states", tests, n, NULL, NULL);
    failed +=
        _cmocka_run_group_tests("sev/no guest", no_guest, missing, NULL, NULL);
    return failed;
}
