/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include "wire.h"

#include <inttypes.h>
#include <string.h>

#define SEV_ISSUE_CMD       0xc0105300u
#define SNP_GET_REPORT      0xc0205300u
#define SNP_GET_DERIVED_KEY 0xc0205301u
#define SNP_GET_EXT_REPORT  0xc0205302u

#define END                                                                    \
    {                                                                          \
        NULL, 0, 0                                                             \
    }

static const struct field GUEST_ENVELOPE[] = {{"msg_version", 0, 1},
                                              {"req_data", 8, 8},
                                              {"resp_data", 16, 8},
                                              {"exitinfo2", 24, 8},
                                              END};
static const struct field REPORT_REQ[] = {
    {"user_data", 0, 64}, {"vmpl", 64, 4}, {"key_sel", 68, 4}, END};
static const struct field KEY_REQ[] = {
    {"root_key_select", 0, 4}, {"guest_field_select", 8, 8}, {"vmpl", 16, 4},
    {"guest_svn", 20, 4},      {"tcb_version", 24, 8},       END};
static const struct field EXT_REQ[] = {
    {"user_data", 0, 64},     {"vmpl", 64, 4},       {"key_sel", 68, 4},
    {"certs_address", 96, 8}, {"certs_len", 104, 4}, END};

static const struct field SEV_ENVELOPE[] = {
    {"cmd", 0, 4}, {"data", 4, 8}, {"error", 12, 4}, END};
static const struct field SEV_STATUS[] = {{"api_major", 0, 1},
                                          {"api_minor", 1, 1},
                                          {"state", 2, 1},
                                          {"flags", 3, 4},
                                          {"build", 7, 1},
                                          {"guest_count", 8, 4},
                                          END};
static const struct field ADDRESS_LENGTH[] = {
    {"address", 0, 8}, {"length", 8, 4}, END};
static const struct field CERT_EXPORT[] = {{"pdh_cert_address", 0, 8},
                                           {"pdh_cert_len", 8, 4},
                                           {"cert_chain_address", 12, 8},
                                           {"cert_chain_len", 20, 4},
                                           END};
static const struct field CERT_IMPORT[] = {{"pek_cert_address", 0, 8},
                                           {"pek_cert_len", 8, 4},
                                           {"oca_cert_address", 12, 8},
                                           {"oca_cert_len", 20, 4},
                                           END};
static const struct field SNP_STATUS[] = {
    {"api_major", 0, 1},     {"api_minor", 1, 1},
    {"state", 2, 1},         {"rmp", 3, 1},
    {"build_id", 4, 4},      {"flags", 8, 4},
    {"guest_count", 12, 4},  {"current_tcb", 16, 8},
    {"reported_tcb", 24, 8}, END};
static const struct field SNP_CONFIG[] = {
    {"reported_tcb", 0, 8}, {"mask", 8, 4}, END};
static const struct field VLEK_LOAD[] = {{"len", 0, 4},
                                         {"vlek_wrapped_version", 4, 1},
                                         {"vlek_wrapped_address", 8, 8},
                                         END};

static const struct field GET_REPORT[] = {{"mnonce", 0, 16},
                                          {"uaddr", 16, 8},
                                          {"len", 24, 4},
                                          {"handle", 28, 4},
                                          END};
static const struct field EXT_CONFIG[] = {{"config_address", 0, 8},
                                          {"certs_address", 8, 8},
                                          {"certs_len", 16, 4},
                                          END};

struct sub_command {
    const char *name;
    const struct field *inner;
};

static const struct sub_command SEV_COMMANDS[] = {
    {"SEV_FACTORY_RESET", NULL},
    {"SEV_PLATFORM_STATUS", SEV_STATUS},
    {"SEV_PEK_GEN", NULL},
    {"SEV_PEK_CSR", ADDRESS_LENGTH},
    {"SEV_PDH_GEN", NULL},
    {"SEV_PDH_CERT_EXPORT", CERT_EXPORT},
    {"SEV_PEK_CERT_IMPORT", CERT_IMPORT},
    {"SEV_GET_ID", NULL},
    {"SEV_GET_ID2", ADDRESS_LENGTH},
    {"SNP_PLATFORM_STATUS", SNP_STATUS},
    {"SNP_COMMIT", NULL},
    {"SNP_SET_CONFIG", SNP_CONFIG},
    {"SNP_VLEK_LOAD", VLEK_LOAD},
    {"SEV_GET_REPORT", GET_REPORT},
    {"SNP_SET_EXT_CONFIG", EXT_CONFIG},
    {"SNP_GET_EXT_CONFIG", EXT_CONFIG},
};

const struct field *fields_of_envelope(uint32_t request)
{
    switch (request) {
    case SEV_ISSUE_CMD:
        return SEV_ENVELOPE;
    case SNP_GET_REPORT:
    case SNP_GET_DERIVED_KEY:
    case SNP_GET_EXT_REPORT:
        return GUEST_ENVELOPE;
    default:
        return NULL;
    }
}

static const char *guest_request(uint32_t request, const struct field **inner)
{
    switch (request) {
    case SNP_GET_REPORT:
        *inner = REPORT_REQ;
        return "SNP_GET_REPORT";
    case SNP_GET_DERIVED_KEY:
        *inner = KEY_REQ;
        return "SNP_GET_DERIVED_KEY";
    default:
        *inner = EXT_REQ;
        return "SNP_GET_EXT_REPORT";
    }
}

/* Static storage, or NULL: a number that is not served. */
static const char *sev_request(const struct ccp_config *sev, uint32_t cmd,
                               const struct field **inner)
{
    const char *name = NULL;
    uint32_t number = 0;

    for (size_t i = 0; ccp_command_at(sev, i, &name, &number); i++) {
        if (number != cmd) {
            continue;
        }
        for (size_t j = 0; j < sizeof(SEV_COMMANDS) / sizeof(SEV_COMMANDS[0]);
             j++) {
            if (strcmp(SEV_COMMANDS[j].name, name) == 0) {
                *inner = SEV_COMMANDS[j].inner;
            }
        }
        return name;
    }
    return "SEV_ISSUE_CMD";
}

const char *fields_of_request(const struct ccp_config *sev, uint32_t request,
                              const uint8_t *envelope, size_t size,
                              const struct field **inner, uint64_t *addr)
{
    struct psp_rd r = psp_rd(envelope, size);
    uint32_t cmd;

    if (fields_of_envelope(request) == NULL) {
        return NULL;
    }
    if (request != SEV_ISSUE_CMD) {
        psp_rd_skip(&r, 8);
        *addr = psp_rd_le64(&r);
        return guest_request(request, inner);
    }
    cmd = psp_rd_le32(&r);
    *addr = psp_rd_le64(&r);
    return sev_request(sev, cmd, inner);
}

static const struct field GCTX[] = {{"gctx_paddr", 0, 8}, END};
static const struct field STATUS_ADDR[] = {{"status_paddr", 0, 8}, END};
static const struct field INIT_EX[] = {
    {"flags", 0, 4}, {"list_paddr", 8, 8}, {"max_snp_asid", 16, 2}, END};
static const struct field SHUTDOWN_EX[] = {{"len", 0, 4}, {"flags", 4, 4}, END};
static const struct field ACTIVATE[] = {
    {"gctx_paddr", 0, 8}, {"asid", 8, 4}, END};
static const struct field GUEST_STATUS[] = {
    {"gctx_paddr", 0, 8}, {"status_paddr", 8, 8}, END};
static const struct field GUEST_REQUEST[] = {{"gctx_paddr", 0, 8},
                                             {"request_paddr", 8, 8},
                                             {"response_paddr", 16, 8},
                                             END};
static const struct field LAUNCH_START[] = {{"gctx_paddr", 0, 8},
                                            {"policy", 8, 8},
                                            {"ma_gctx_paddr", 16, 8},
                                            {"flags", 24, 4},
                                            {"desired_tsc_freq", 28, 4},
                                            {"gosvw", 32, 16},
                                            END};
static const struct field LAUNCH_UPDATE[] = {{"gctx_paddr", 0, 8},
                                             {"flags", 8, 4},
                                             {"page_paddr", 16, 8},
                                             {"vmpl1_perms", 25, 1},
                                             {"vmpl2_perms", 26, 1},
                                             {"vmpl3_perms", 27, 1},
                                             END};
static const struct field LAUNCH_FINISH[] = {
    {"gctx_paddr", 0, 8}, {"id_block_paddr", 8, 8}, {"id_auth_paddr", 16, 8},
    {"flags", 24, 8},     {"host_data", 32, 32},    END};
static const struct field RECLAIM[] = {{"page_paddr", 0, 8}, END};
static const struct field FEATURE_INFO[] = {
    {"len", 0, 4}, {"ecx_in", 4, 4}, {"feature_info_paddr", 8, 8}, END};
static const struct field VLEK_LOAD_CMD[] = {
    {"len", 0, 4}, {"version", 4, 1}, {"vlek_wrapped_paddr", 8, 8}, END};
static const struct field HANDLE[] = {{"handle", 0, 4}, END};
static const struct field HANDLE_ASID[] = {
    {"handle", 0, 4}, {"asid", 4, 4}, END};
static const struct field SEV_INIT[] = {
    {"flags", 0, 4}, {"tmr_paddr", 8, 8}, {"tmr_length", 16, 4}, END};
static const struct field HANDLE_ADDR_LEN[] = {
    {"handle", 0, 4}, {"paddr", 8, 8}, {"length", 16, 4}, END};

static const struct field SEV_INIT_EX[] = {{"length", 0, 4},
                                           {"flags", 4, 4},
                                           {"tmr_paddr", 8, 8},
                                           {"tmr_length", 16, 4},
                                           {"nv_paddr", 24, 8},
                                           {"nv_length", 32, 4},
                                           END};
static const struct field SEV_CERT_IMPORT[] = {{"pek_paddr", 0, 8},
                                               {"pek_length", 8, 4},
                                               {"oca_paddr", 16, 8},
                                               {"oca_length", 24, 4},
                                               END};
static const struct field SEV_CERT_EXPORT[] = {{"pdh_paddr", 0, 8},
                                               {"pdh_length", 8, 4},
                                               {"certs_paddr", 16, 8},
                                               {"certs_length", 24, 4},
                                               END};
static const struct field SEV_LAUNCH_START[] = {{"handle", 0, 4},
                                                {"policy", 4, 4},
                                                {"godh_paddr", 8, 8},
                                                {"godh_length", 16, 4},
                                                {"session_paddr", 24, 8},
                                                {"session_length", 32, 4},
                                                END};
static const struct field SEV_SECRET[] = {
    {"handle", 0, 4},        {"hdr_paddr", 8, 8},
    {"hdr_length", 16, 4},   {"guest_paddr", 24, 8},
    {"guest_length", 32, 4}, {"trans_paddr", 40, 8},
    {"trans_length", 48, 4}, END};
static const struct field SEV_ATTESTATION[] = {{"handle", 0, 4},
                                               {"paddr", 8, 8},
                                               {"mnonce", 16, 16},
                                               {"length", 32, 4},
                                               END};

static const struct {
    uint32_t id;
    const struct field *fields;
} COMMANDS[] = {
    {0x001, SEV_INIT},
    {0x004, SEV_STATUS},
    {0x006, ADDRESS_LENGTH},
    {0x007, SEV_CERT_IMPORT},
    {0x008, SEV_CERT_EXPORT},
    {0x00b, ADDRESS_LENGTH},
    {0x00c, ADDRESS_LENGTH},
    {0x00d, SEV_INIT_EX},
    {0x020, HANDLE},
    {0x021, HANDLE_ASID},
    {0x022, HANDLE},
    {0x023, HANDLE},
    {0x030, SEV_LAUNCH_START},
    {0x031, HANDLE_ADDR_LEN},
    {0x032, HANDLE_ADDR_LEN},
    {0x033, HANDLE_ADDR_LEN},
    {0x034, SEV_SECRET},
    {0x035, HANDLE},
    {0x036, SEV_ATTESTATION},
    {0x043, HANDLE},
    {0x044, HANDLE},
    {0x053, HANDLE},
    {0x083, STATUS_ADDR},
    {0x085, INIT_EX},
    {0x086, SHUTDOWN_EX},
    {0x090, GCTX},
    {0x091, ACTIVATE},
    {0x092, GUEST_STATUS},
    {0x093, GCTX},
    {0x094, GUEST_REQUEST},
    {0x0a0, LAUNCH_START},
    {0x0a1, LAUNCH_UPDATE},
    {0x0a2, LAUNCH_FINISH},
    {0x0c7, RECLAIM},
    {0x0c9, SNP_CONFIG},
    {0x0cd, VLEK_LOAD_CMD},
    {0x0ce, FEATURE_INFO},
};

const struct field *fields_of_command(uint32_t command)
{
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
        if (COMMANDS[i].id == command) {
            return COMMANDS[i].fields;
        }
    }
    return NULL;
}

/* Long byte fields are cut: the trace is for people. */
static void print_bytes(FILE *out, const uint8_t *bytes, size_t size)
{
    size_t shown = size < 8 ? size : 8;

    for (size_t i = 0; i < shown; i++) {
        fprintf(out, "%02x", bytes[i]);
    }
    if (shown < size) {
        fputs("...", out);
    }
}

static void print_value(FILE *out, const struct field *f, const uint8_t *bytes)
{
    uint64_t v = 0;

    if (f->size > 8) {
        print_bytes(out, bytes + f->offset, f->size);
        return;
    }
    for (size_t i = f->size; i-- > 0;) {
        v = v << 8 | bytes[f->offset + i];
    }
    fprintf(out, v < 10 ? "%" PRIu64 : "0x%" PRIx64, v);
}

void fields_print(FILE *out, const struct field *fields, const uint8_t *bytes,
                  size_t size)
{
    const char *comma = "";

    fputc('{', out);
    for (; fields->size > 0; fields++) {
        if ((size_t)fields->offset + fields->size <= size) {
            fprintf(out, "%s%s=", comma, fields->name);
            print_value(out, fields, bytes);
            comma = ", ";
        }
    }
    fputc('}', out);
}
