/* SPDX-License-Identifier: Apache-2.0 */
/* Which place has which faults, with which members. */
#include "fault_impl.h"

#define M(member) (1u << FAULT_HAS_##member)
#define P(part)   (1u << FAULT_##part)

#define FLIP_MEMBERS (M(OFFSET) | M(BITS))
/* Parts of evidence. abi/aeb.md §4 */
#define EVIDENCE_PARTS (P(RESPONSE) | P(REPORT) | P(PEK) | P(OCA) | P(CEK))

#define GUEST_REQUEST .at = FAULT_AT_GUEST_REQUEST
#define SEV_COMMAND   .at = FAULT_AT_SEV_COMMAND
#define HYPERCALL     .at = FAULT_AT_HYPERCALL
#define BROKER        .at = FAULT_AT_BROKER
#define KEY_SERVER    .at = FAULT_AT_KEY_SERVER

static const struct fault_row ROWS[] = {
    {GUEST_REQUEST, FAULT_FLIP, M(PART) | FLIP_MEMBERS,
     .parts = P(REQUEST) | P(RESPONSE) | P(CERTS)},
    {GUEST_REQUEST, FAULT_TRUNCATE, M(PART) | M(SIZE), M(SIZE),
     .parts = P(REQUEST) | P(RESPONSE) | P(CERTS)},
    {GUEST_REQUEST, FAULT_REPLAY, M(PART) | M(BACK),
     .parts = P(REQUEST) | P(RESPONSE)},
    {GUEST_REQUEST, FAULT_SUBSTITUTE, M(PART) | M(FROM),
     .parts = P(REQUEST) | P(RESPONSE)},
    {GUEST_REQUEST, FAULT_SWAP_SEQNO, M(PART) | M(SEQNO),
     .parts = P(REQUEST) | P(RESPONSE)},
    {GUEST_REQUEST, FAULT_ZERO_RESPONSE},
    {GUEST_REQUEST, FAULT_DROP},
    {GUEST_REQUEST, FAULT_REORDER},
    {GUEST_REQUEST, FAULT_DELAY, M(MS), M(MS)},
    {GUEST_REQUEST, FAULT_BUSY, M(TIMES)},
    {GUEST_REQUEST, FAULT_VMM_ERROR, M(ERROR), M(ERROR)},
    {GUEST_REQUEST, FAULT_FIRMWARE_ERROR, M(STATUS), M(STATUS)},
    {GUEST_REQUEST, FAULT_CERTS_TOO_SMALL, M(PAGES)},
    {GUEST_REQUEST, FAULT_GHCB_ERROR, M(CODE), M(CODE), .code_min = 1,
     .code_max = 5},

    {SEV_COMMAND, FAULT_FLIP, M(PART) | FLIP_MEMBERS,
     .parts = P(REQUEST) | P(RESPONSE)},
    {SEV_COMMAND, FAULT_TRUNCATE, M(PART) | M(SIZE), M(SIZE),
     .parts = P(RESPONSE)},
    {SEV_COMMAND, FAULT_REPLAY, M(PART) | M(BACK), .parts = P(RESPONSE)},
    {SEV_COMMAND, FAULT_SUBSTITUTE, M(PART) | M(FROM), M(FROM),
     .parts = P(REQUEST) | P(RESPONSE)},
    {SEV_COMMAND, FAULT_ZERO_RESPONSE},
    {SEV_COMMAND, FAULT_DROP, M(PART), .parts = P(REQUEST) | P(RESPONSE)},
    {SEV_COMMAND, FAULT_DELAY, M(MS), M(MS)},
    {SEV_COMMAND, FAULT_FIRMWARE_ERROR, M(STATUS), M(STATUS)},
    {SEV_COMMAND, FAULT_CRASH, M(PART), .parts = P(REQUEST) | P(RESPONSE)},

    {HYPERCALL, FAULT_SUBSTITUTE, M(FROM), M(FROM)},
    {HYPERCALL, FAULT_REPLAY, M(BACK)},
    {HYPERCALL, FAULT_ERROR, M(ERROR), M(ERROR)},

    {BROKER, FAULT_FLIP, M(PART) | FLIP_MEMBERS, .parts = EVIDENCE_PARTS},
    {BROKER, FAULT_TRUNCATE, M(PART) | M(SIZE), M(SIZE), .parts = P(RESPONSE)},
    {BROKER, FAULT_REPLAY, M(BACK)},
    {BROKER, FAULT_SUBSTITUTE, M(FROM), M(FROM)},
    {BROKER, FAULT_STRIP},
    {BROKER, FAULT_ZERO_REPORT},
    {BROKER, FAULT_DROP},
    {BROKER, FAULT_DELAY, M(MS), M(MS)},
    {BROKER, FAULT_REORDER},
    {BROKER, FAULT_ERROR, M(CODE), M(CODE), .code_min = 1,
     .code_max = UINT32_MAX},
    {BROKER, FAULT_STATUS, M(CODE), M(CODE), .code_min = 1, .code_max = 16},

    {KEY_SERVER, FAULT_STATUS, M(CODE) | M(RETRY_AFTER), M(CODE),
     .code_min = 400, .code_max = 599},
    {KEY_SERVER, FAULT_FLIP, FLIP_MEMBERS},
    {KEY_SERVER, FAULT_TRUNCATE, M(SIZE)},
    {KEY_SERVER, FAULT_REPLAY, M(BACK)},
    {KEY_SERVER, FAULT_SUBSTITUTE, M(FROM), M(FROM)},
    {KEY_SERVER, FAULT_DROP},
    {KEY_SERVER, FAULT_DELAY, M(MS), M(MS)},
    {KEY_SERVER, FAULT_REORDER},
    {KEY_SERVER, FAULT_HTML},
    {KEY_SERVER, FAULT_HUGE},
    {KEY_SERVER, FAULT_TRICKLE},
};
#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))

static const char *const KIND_NAMES[FAULT_KIND_COUNT] = {
    [FAULT_FLIP] = "flip",
    [FAULT_TRUNCATE] = "truncate",
    [FAULT_REPLAY] = "replay",
    [FAULT_SUBSTITUTE] = "substitute",
    [FAULT_SWAP_SEQNO] = "swap-seqno",
    [FAULT_ZERO_RESPONSE] = "zero-response",
    [FAULT_DROP] = "drop",
    [FAULT_REORDER] = "reorder",
    [FAULT_DELAY] = "delay",
    [FAULT_BUSY] = "busy",
    [FAULT_VMM_ERROR] = "vmm-error",
    [FAULT_FIRMWARE_ERROR] = "firmware-error",
    [FAULT_CERTS_TOO_SMALL] = "certs-too-small",
    [FAULT_GHCB_ERROR] = "ghcb-error",
    [FAULT_CRASH] = "crash",
    [FAULT_ERROR] = "error",
    [FAULT_STATUS] = "status",
    [FAULT_STRIP] = "strip",
    [FAULT_ZERO_REPORT] = "zero-report",
    [FAULT_HTML] = "html",
    [FAULT_HUGE] = "huge",
    [FAULT_TRICKLE] = "trickle",
};

static const char *const PART_NAMES[FAULT_PART_COUNT] = {
    [FAULT_REQUEST] = "request", [FAULT_RESPONSE] = "response",
    [FAULT_CERTS] = "certs",     [FAULT_REPORT] = "report",
    [FAULT_PEK] = "pek",         [FAULT_OCA] = "oca",
    [FAULT_CEK] = "cek",
};

static const char *const MEMBER_NAMES[FAULT_MEMBER_COUNT] = {
    [FAULT_HAS_PART] = "part",     [FAULT_HAS_OFFSET] = "offset",
    [FAULT_HAS_BITS] = "bits",     [FAULT_HAS_SIZE] = "size",
    [FAULT_HAS_BACK] = "back",     [FAULT_HAS_FROM] = "from",
    [FAULT_HAS_SEQNO] = "seqno",   [FAULT_HAS_MS] = "ms",
    [FAULT_HAS_TIMES] = "times",   [FAULT_HAS_ERROR] = "error",
    [FAULT_HAS_STATUS] = "status", [FAULT_HAS_PAGES] = "pages",
    [FAULT_HAS_CODE] = "code",     [FAULT_HAS_RETRY_AFTER] = "retry-after",
};

static const char *const EXITS[] = {"guest-request", "ext-guest-request", NULL};
static const char *const METHODS[] = {"size", "evidence", NULL};
static const char *const KEY_KINDS[] = {"vcek", "vlek",    "cert-chain", "crl",
                                        "cek",  "ask-ark", NULL};

static const struct by_row {
    const char *name;
    const char *const *values;
} BY[FAULT_BY_COUNT] = {
    [FAULT_BY_EXIT] = {"exit", EXITS},
    [FAULT_BY_GUEST] = {"guest", NULL},
    [FAULT_BY_COMMAND] = {"command", NULL},
    [FAULT_BY_METHOD] = {"method", METHODS},
    [FAULT_BY_PATH] = {"path", NULL},
    [FAULT_BY_KIND] = {"kind", KEY_KINDS},
};

static const struct place_row {
    const char *name;
    unsigned int by; /* bits of enum fault_by */
    bool by_handle;
} PLACES[FAULT_PLACE_COUNT] = {
    [FAULT_AT_GUEST_REQUEST] = {"guest-request",
                                1u << FAULT_BY_EXIT | 1u << FAULT_BY_GUEST,
                                false},
    [FAULT_AT_SEV_COMMAND] = {"sev-command",
                              1u << FAULT_BY_COMMAND | 1u << FAULT_BY_GUEST,
                              true},
    [FAULT_AT_HYPERCALL] = {"hypercall", 1u << FAULT_BY_GUEST, false},
    [FAULT_AT_BROKER] = {"broker", 1u << FAULT_BY_METHOD, true},
    [FAULT_AT_KEY_SERVER] = {"key-server",
                             1u << FAULT_BY_PATH | 1u << FAULT_BY_KIND, false},
};

const char *fault_place_name(enum fault_place place)
{
    return PLACES[place].name;
}

const char *fault_kind_name(enum fault_kind kind)
{
    return KIND_NAMES[kind];
}

const char *fault_part_name(enum fault_part part)
{
    return PART_NAMES[part];
}

const char *fault_member_name(enum fault_member member)
{
    return MEMBER_NAMES[member];
}

const char *fault_by_name(enum fault_by by)
{
    return BY[by].name;
}

const char *const *fault_by_values(enum fault_by by)
{
    return BY[by].values;
}

bool fault_place_by(enum fault_place at, enum fault_by by)
{
    return (PLACES[at].by & 1u << by) != 0;
}

bool fault_place_by_handle(enum fault_place at)
{
    return PLACES[at].by_handle;
}

const struct fault_row *fault_row_find(enum fault_place at,
                                       enum fault_kind kind)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (ROWS[i].at == at && ROWS[i].kind == kind) {
            return &ROWS[i];
        }
    }
    return NULL;
}

uint64_t fault_place_limit(enum fault_place at, enum fault_part part)
{
    switch (at) {
    case FAULT_AT_GUEST_REQUEST:
        return part == FAULT_CERTS ? 0x3fff : 0xfff;
    case FAULT_AT_SEV_COMMAND: /* a page; the largest buffer of Linux */
        return part == FAULT_REQUEST ? 0xfff : 0x3fff;
    case FAULT_AT_BROKER: /* report, certificate, largest ttrpc message */
        if (part == FAULT_RESPONSE) {
            return 0x3fffff;
        }
        return part == FAULT_REPORT ? 0xcf : 0x823;
    default:
        return 0xfffff;
    }
}
