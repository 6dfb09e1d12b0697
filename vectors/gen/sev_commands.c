/* SPDX-License-Identifier: Apache-2.0 */
/* sev_command.json: transcripts. The steps of a group run in order on one
 * platform that was just powered on; a refused step changes nothing. */
#include "gen.h"

#include "sev_rig.h"
#include "wire.h"

#include <string.h>

struct step {
    const char *comment, *flag;
    uint32_t id;
    uint8_t size; /* of the command buffer; 0: none */
    /* Little-endian words, 0xff ends: offset / width << 8, value. */
    struct {
        uint16_t at;
        uint64_t value;
    } field[4];
    uint32_t status;
};

#define U32(at) (0x400u | (at))
#define U64(at) (0x800u | (at))

#define NO_BUFFER                                                              \
    0,                                                                         \
    {                                                                          \
        {                                                                      \
            0                                                                  \
        }                                                                      \
    }
#define HANDLE(h)                                                              \
    4,                                                                         \
    {                                                                          \
        {                                                                      \
            U32(0), h                                                          \
        }                                                                      \
    }
#define INIT_BUF(a, t)                                                         \
    0x14,                                                                      \
    {                                                                          \
        {U32(0), a}, {U64(8), t},                                              \
        {                                                                      \
            U32(16), 0x100000                                                  \
        }                                                                      \
    }
#define START(h, p)                                                            \
    0x24,                                                                      \
    {                                                                          \
        {U32(0), h},                                                           \
        {                                                                      \
            U32(4), p                                                          \
        }                                                                      \
    }
#define ACT(h, a)                                                              \
    8,                                                                         \
    {                                                                          \
        {U32(0), h},                                                           \
        {                                                                      \
            U32(4), a                                                          \
        }                                                                      \
    }
#define RANGE(h, a, n)                                                         \
    0x14,                                                                      \
    {                                                                          \
        {U32(0), h}, {U64(8), a},                                              \
        {                                                                      \
            U32(16), n                                                         \
        }                                                                      \
    }
#define BLOB(a, n)                                                             \
    0x0c,                                                                      \
    {                                                                          \
        {U64(0), a},                                                           \
        {                                                                      \
            U32(8), n                                                          \
        }                                                                      \
    }
#define ATTEST(h, n)                                                           \
    0x24,                                                                      \
    {                                                                          \
        {U32(0), h}, {U64(8), RIG_OUT},                                        \
        {                                                                      \
            U32(32), n                                                         \
        }                                                                      \
    }
#define DBG(h, n)                                                              \
    0x1c,                                                                      \
    {                                                                          \
        {U32(0), h}, {U64(8), RIG_GUEST}, {U64(16), RIG_OUT},                  \
        {                                                                      \
            U32(24), n                                                         \
        }                                                                      \
    }

static const struct step LIFE[] = {
    {"status before INIT", NULL, 0x04, 0x0c, {{0}}, 0},
    {"PEK_GEN before INIT", "PlatformState", 0x05, NO_BUFFER, 1},
    {"PEK_CSR before INIT", "PlatformState", 0x06, BLOB(RIG_OUT, 2084), 1},
    {"PDH_GEN before INIT", "PlatformState", 0x09, NO_BUFFER, 1},
    {"DF_FLUSH before INIT", "PlatformState", 0x0a, NO_BUFFER, 1},
    {"LAUNCH_START before INIT", "PlatformState", 0x30, START(0, 1), 1},
    {"GET_ID in any state: length query", "Length", 0x0c, BLOB(0, 0), 4},
    {"GET_ID in any state", NULL, 0x0c, BLOB(RIG_OUT, 64), 0},
    {"NOP in any state", NULL, 0x0e, NO_BUFFER, 0},
    {"no such command", "Command", 0x0f0, NO_BUFFER, 0x11},
    {"PLATFORM_RESET", NULL, 0x03, NO_BUFFER, 0},
    {"INIT with a reserved option", "Config", 0x01, INIT_BUF(2, RIG_TMR), 3},
    {"INIT with an unaligned region", "Address", 0x01,
     INIT_BUF(1, RIG_TMR + 0x1000), 9},
    {"INIT", NULL, 0x01, INIT_BUF(1, RIG_TMR), 0},
    {"INIT once more", "PlatformState", 0x01, INIT_BUF(1, RIG_TMR), 1},
    {"PLATFORM_RESET after INIT", "PlatformState", 0x03, NO_BUFFER, 1},
    {"status after INIT", NULL, 0x04, 0x0c, {{0}}, 0},
    {"PEK_CSR: length query", "Length", 0x06, BLOB(0, 0), 4},
    {"PEK_CSR: one byte short", "Length", 0x06, BLOB(RIG_OUT, 2083), 4},
    {"PEK_CSR: no such memory", "Address", 0x06, BLOB(RIG_MEMORY - 16, 2084),
     9},
    {"PEK_CSR", NULL, 0x06, BLOB(RIG_OUT, 2084), 0},
    {"DF_FLUSH", NULL, 0x0a, NO_BUFFER, 0},
    {"ACTIVATE without a guest", "PlatformState", 0x21, ACT(1, 200), 1},
    {"DECOMMISSION without a guest", "PlatformState", 0x20, HANDLE(1), 1},
    {"LAUNCH_START with a reserved policy bit", "Policy", 0x30, START(0, 0x41),
     7},
    {"LAUNCH_START with newer firmware", "Policy", 0x30, START(0, 0xff0001), 7},
    {"LAUNCH_START shares with nobody", "Handle", 0x30, START(7, 1), 0x10},
    {"LAUNCH_START", NULL, 0x30, START(0, 1), 0},
    {"PEK_GEN with a guest", "PlatformState", 0x05, NO_BUFFER, 1},
    {"LAUNCH_UPDATE_DATA before ACTIVATE", "Inactive", 0x31,
     RANGE(1, RIG_GUEST, 16), 8},
    {"ACTIVATE handle 0", "Handle", 0x21, ACT(0, 200), 0x10},
    {"ACTIVATE handle 2", "Handle", 0x21, ACT(2, 200), 0x10},
    {"ACTIVATE ASID 0", "Asid", 0x21, ACT(1, 0), 0x0d},
    {"ACTIVATE an ASID past the last", "Asid", 0x21, ACT(1, 100000), 0x0d},
    {"ACTIVATE an ASID of SEV-ES guests", "Asid", 0x21, ACT(1, 1), 0x0d},
    {"DEACTIVATE before ACTIVATE", "Inactive", 0x22, HANDLE(1), 8},
    {"ACTIVATE", NULL, 0x21, ACT(1, 200), 0},
    {"ACTIVATE another ASID", "Active", 0x21, ACT(1, 201), 0x12},
    {"ACTIVATE the same ASID", "Asid", 0x21, ACT(1, 200), 0x0c},
    {"DECOMMISSION while active", "Active", 0x20, HANDLE(1), 0x12},
    {"LAUNCH_FINISH before MEASURE", "GuestState", 0x35, HANDLE(1), 2},
    {"LAUNCH_UPDATE_DATA of 0 bytes", "Length", 0x31, RANGE(1, RIG_GUEST, 0),
     4},
    {"LAUNCH_UPDATE_DATA of 8 bytes", "Length", 0x31, RANGE(1, RIG_GUEST, 8),
     4},
    {"LAUNCH_UPDATE_DATA unaligned", "Address", 0x31,
     RANGE(1, RIG_GUEST + 8, 16), 9},
    {"LAUNCH_UPDATE_DATA", NULL, 0x31, RANGE(1, RIG_GUEST, 64), 0},
    {"LAUNCH_UPDATE_VMSA without SEV-ES", "Unsupported", 0x32,
     RANGE(1, RIG_GUEST, 4096), 0x15},
    {"LAUNCH_UPDATE_VMSA of another size", "Length", 0x32,
     RANGE(9, RIG_GUEST, 4080), 4},
    {"LAUNCH_MEASURE: length query", "Length", 0x33, RANGE(1, 0, 0), 4},
    {"ATTESTATION before MEASURE", "GuestState", 0x36, ATTEST(1, 208), 2},
    {"LAUNCH_MEASURE", NULL, 0x33, RANGE(1, RIG_OUT, 48), 0},
    {"LAUNCH_MEASURE once more", "GuestState", 0x33, RANGE(1, RIG_OUT, 48), 2},
    {"LAUNCH_UPDATE_DATA after MEASURE", "GuestState", 0x31,
     RANGE(1, RIG_GUEST, 64), 2},
    {"ATTESTATION: length query", "Length", 0x36, ATTEST(1, 0), 4},
    {"ATTESTATION", NULL, 0x36, ATTEST(1, 208), 0},
    {"LAUNCH_FINISH", NULL, 0x35, HANDLE(1), 0},
    {"LAUNCH_FINISH once more", "GuestState", 0x35, HANDLE(1), 2},
    {"GUEST_STATUS", NULL, 0x23, 0x0d, {{U32(0), 1}}, 0},
    {"GUEST_STATUS of nobody: state UNINIT",
     NULL,
     0x23,
     0x0d,
     {{U32(0), 5}},
     0},
    {"DBG_DECRYPT against the policy", "Policy", 0x60, DBG(1, 16), 7},
    {"DEACTIVATE", NULL, 0x22, HANDLE(1), 0},
    {"DEACTIVATE once more", "Inactive", 0x22, HANDLE(1), 8},
    {"ACTIVATE the dirty ASID", "Flush", 0x21, ACT(1, 200), 0x0f},
    {"DF_FLUSH with a guest", NULL, 0x0a, NO_BUFFER, 0},
    {"ACTIVATE the clean ASID", NULL, 0x21, ACT(1, 200), 0},
    {"DEACTIVATE for good", NULL, 0x22, HANDLE(1), 0},
    {"DECOMMISSION", NULL, 0x20, HANDLE(1), 0},
    {"DECOMMISSION once more", "PlatformState", 0x20, HANDLE(1), 1},
    {"status after the last guest", NULL, 0x04, 0x0c, {{0}}, 0},
    {"LAUNCH_START takes the free handle", NULL, 0x30, START(0, 5), 0},
    {"SHUTDOWN with a guest", NULL, 0x02, NO_BUFFER, 0},
    {"SHUTDOWN once more", NULL, 0x02, NO_BUFFER, 0},
    {"status after SHUTDOWN", NULL, 0x04, 0x0c, {{0}}, 0},
};

static json_t *play(struct sev_rig *r, const struct step *s)
{
    uint8_t buf[SEV_CMD_MAX_SIZE] = {0};
    struct psp_command_info info = {.name = "none"};
    struct sev_cmd_status after;
    enum sev_status status;
    json_t *test;

    for (size_t i = 0; i < 4 && s->field[i].at != 0; i++) {
        unsigned int width = s->field[i].at >> 8;

        for (unsigned int b = 0; b < width; b++) {
            buf[(s->field[i].at & 0xff) + b] =
                (uint8_t)(s->field[i].value >> (8 * b));
        }
    }
    (void)psp_command_info(s->id, &info);
    status =
        s->size == 0 ? rig_run(r, s->id) : rig_exec(r, s->id, buf, s->size);
    raw_need(status == s->status, s->comment);
    test = json_pack("{s:i, s:s, s:o, s:o, s:i}", "command", (int)s->id, "name",
                     info.name, "buffer", gen_hex(buf, s->size), "bufferAfter",
                     gen_hex(r->buffer, s->size), "status", (int)status);
    after = rig_status(r);
    json_object_set_new(test, "stateAfter", json_integer(after.state));
    json_object_set_new(test, "guestCountAfter",
                        json_integer(after.guest_count));
    return test;
}

void gen_sev_commands(const char *dir)
{
    static const char *const profiles[] = {"rome", "milan"};
    struct gen_file f;

    gen_file_open(&f, "sev_command.schema.json");
    gen_note(&f, "PlatformState", "not legal in this platform state",
             "[55766]");
    gen_note(&f, "GuestState", "not legal in this guest state", "[55766]");
    gen_note(&f, "Handle", "no guest has this handle", "[55766]");
    gen_note(&f, "Length", "a length is wrong, or asked for", "[55766]");
    gen_note(&f, "Address", "not aligned, or no memory", "[55766]");
    gen_note(&f, "Command", "no such command", "[55766]");
    gen_note(&f, "Config", "a reserved option", "[55766 INIT]");
    gen_note(&f, "Policy", "against the policy, or no legal policy", "[55766]");
    gen_note(&f, "Asid", "this ASID cannot be bound", "[55766 ACTIVATE]");
    gen_note(&f, "Active", "the guest is bound to an ASID", "[55766]");
    gen_note(&f, "Inactive", "the guest is not bound to an ASID", "[55766]");
    gen_note(&f, "Flush", "the ASID ran a guest and was not flushed",
             "[55766 ACTIVATE]");
    gen_note(&f, "Unsupported", "the guest is no SEV-ES guest",
             "[55766 LAUNCH_UPDATE_VMSA]");
    for (size_t p = 0; p < sizeof(profiles) / sizeof(profiles[0]); p++) {
        struct sev_rig r;

        rig_open(&r, profiles[p], false);
        gen_group(&f,
                  json_pack("{s:s, s:I, s:I}", "profile", profiles[p],
                            "memorySize", (json_int_t)RIG_MEMORY, "minSevAsid",
                            (json_int_t)r.profile.min_sev_asid));
        for (size_t i = 0; i < sizeof(LIFE) / sizeof(LIFE[0]); i++) {
            gen_test(&f, play(&r, &LIFE[i]), LIFE[i].comment,
                     LIFE[i].status == 0, LIFE[i].flag);
        }
        rig_close(&r);
    }
    gen_file_close(&f, dir, "sev_command.json");
}
