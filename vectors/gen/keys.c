/* SPDX-License-Identifier: Apache-2.0 */
/* snp_derived_key.json: MSG_KEY_REQ. The group's data come from a report of the
 * same guest, so that a reader can recompute each key. */
#include "gen.h"

#include "snp_report.h"
#include "wire.h"

#include <string.h>

struct request {
    const char *comment;
    const char *flag;
    uint8_t version;
    uint32_t select;
    uint64_t fields;
    uint32_t vmpl;
    uint32_t svn;
    bool tcb;        /* the platform's reported TCB; otherwise zero */
    uint8_t tcb_add; /* added to its first component */
    uint64_t mit;
    uint32_t status;
};

static const struct request REQUESTS[] = {
    {"nothing selected", NULL, 1, 0, 0, 0, 0, false, 0, 0, 0},
    {"VCEK asked for by name", NULL, 1, 2, 0, 0, 0, false, 0, 0, 0},
    {"VMPL 1", NULL, 1, 0, 0, 1, 0, false, 0, 0, 0},
    {"guest policy", NULL, 1, 0, 0x01, 0, 0, false, 0, 0, 0},
    {"image id", NULL, 1, 0, 0x02, 0, 0, false, 0, 0, 0},
    {"family id", NULL, 1, 0, 0x04, 0, 0, false, 0, 0, 0},
    {"measurement", NULL, 1, 0, 0x08, 0, 0, false, 0, 0, 0},
    {"guest SVN 0", NULL, 1, 0, 0x10, 0, 0, false, 0, 0, 0},
    {"TCB version zero", NULL, 1, 0, 0x20, 0, 0, false, 0, 0, 0},
    {"TCB version as reported", NULL, 1, 0, 0x20, 0, 0, true, 0, 0, 0},
    {"all version 1 fields", NULL, 1, 0, 0x3f, 2, 0, true, 0, 0, 0},
    {"unselected SVN is ignored", NULL, 1, 0, 0, 0, 0xffffffff, false, 0, 0, 0},
    {"version 2 without vector", NULL, 2, 0, 0x3f, 0, 0, true, 0, 0, 0},
    {"empty mitigation vector", NULL, 2, 0, 0x40, 0, 0, false, 0, 0, 0},
    {"mitigation bit in version 1", "FieldSelect", 1, 0, 0x40, 0, 0, false, 0,
     0, 0x16},
    {"field select bit 7", "FieldSelect", 1, 0, 0x80, 0, 0, false, 0, 0, 0x16},
    {"field select bit 63", "FieldSelect", 2, 0, 1ull << 63, 0, 0, false, 0, 0,
     0x16},
    {"VMPL 4", "Vmpl", 1, 0, 0, 4, 0, false, 0, 0, 0x16},
    {"TCB above committed", "Tcb", 1, 0, 0x20, 0, 0, true, 1, 0, 0x16},
    {"SVN above the ID block's", "Svn", 1, 0, 0x10, 0, 8, false, 0, 0, 0x16},
    {"public hardware test: all ones", "Tcb", 1, 0, 0x30, 0xffffffff,
     0xffffffff, true, 0xff, 0, 0x16},
    {"VLEK, none loaded", "KeyNotAvailable", 1, 4, 0, 0, 0, false, 0, 0, 0x27},
    {"reserved key selection", "KeyNotAvailable", 1, 6, 0, 0, 0, false, 0, 0,
     0x27},
    {"reserved bits of the selection", "ReservedBits", 1, 8, 0, 0, 0, false, 0,
     0, 0x16},
};

static const char *const SPECS[] = {
    "{}",
    "{\"host_data\": "
    "\"4242424242424242424242424242424242424242424242424242424242424242\", "
    "\"family_id\": \"01000000000000000000000000000000\", "
    "\"image_id\": \"02000000000000000000000000000000\", \"guest_svn\": 7}",
};
static const char *const PROFILES[] = {"milan", "genoa", "turin"};

static void guest_report(struct raw_guest *g, struct snp_report *report)
{
    uint8_t request[0x1000], response[0x1000], plain[0xfa0];
    static const uint8_t payload[0x60];
    struct raw_message msg = raw_next(g, 0, 5, 1, payload, sizeof(payload));
    size_t size = 0;

    raw_need(raw_send(g, &msg, request, response, &size) == 0, "report");
    raw_need(raw_open(g, 0, response, plain) == 0x4c0, "report size");
    raw_need(snp_report_decode(plain + 0x20, SNP_REPORT_SIZE, report, NULL) ==
                 PSP_OK,
             "report format");
}

static json_t *given(const struct raw_guest *g, const char *profile,
                     const char *spec, const struct snp_report *r)
{
    bool identified = !psp_all_zero(r->id_key_digest, 48);

    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:i, s:i}",
        "profile", profile, "guest", spec, "chipSecret",
        gen_hex(g->chip.secret, 48), "reportedTcb",
        gen_hex(r->reported_tcb.b, 8), "measurement",
        gen_hex(r->measurement, 48), "hostData", gen_hex(r->host_data, 32),
        "imageId", gen_hex(r->image_id, 16), "familyId",
        gen_hex(r->family_id, 16), "identityDigest",
        gen_hex(r->id_key_digest, 48), "identityClass", identified ? 1 : 0,
        "committedTcb", gen_hex(r->committed_tcb.b, 8), "policy",
        (int)r->policy, "guestSvn", (int)r->guest_svn);
}

static json_t *one(struct raw_guest *g, const struct request *q,
                   const struct snp_report *r)
{
    uint8_t payload[0x28], request[0x1000], response[0x1000], plain[0xfa0];
    struct psp_wr w = psp_wr(payload, sizeof(payload));
    struct psp_tcb tcb = {{0}};
    struct raw_message msg;
    struct psp_rd rd;
    size_t size = 0;

    if (q->tcb) {
        tcb = r->reported_tcb;
        tcb.b[0] = (uint8_t)(tcb.b[0] + q->tcb_add);
    }
    if (q->tcb_add == 0xff) {
        memset(&tcb, 0xff, sizeof(tcb));
    }
    psp_wr_le32(&w, q->select);
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, q->fields);
    psp_wr_le32(&w, q->vmpl);
    psp_wr_le32(&w, q->svn);
    psp_wr_bytes(&w, tcb.b, sizeof(tcb.b));
    psp_wr_le64(&w, q->mit);
    msg = raw_next(g, 0, 3, q->version, payload, q->version == 1 ? 0x20 : 0x28);
    raw_need(raw_send(g, &msg, request, response, &size) == 0, q->comment);
    raw_need(raw_open(g, 0, response, plain) == 0x40, "size");
    rd = psp_rd(plain, 4);
    raw_need(psp_rd_le32(&rd) == q->status, q->comment);
    return json_pack("{s:o, s:i, s:i, s:o}", "request",
                     gen_hex(payload, msg.size), "msgVersion", q->version,
                     "status", (int)q->status, "key",
                     gen_hex(plain + 0x20, 32));
}

static void group(struct gen_file *f, const char *profile, const char *spec)
{
    struct snp_report report;
    struct raw_guest g;

    raw_guest_open(&g, profile, spec);
    guest_report(&g, &report);
    gen_group(f, given(&g, profile, spec, &report));
    for (size_t i = 0; i < sizeof(REQUESTS) / sizeof(REQUESTS[0]); i++) {
        gen_test(f, one(&g, &REQUESTS[i], &report), REQUESTS[i].comment,
                 REQUESTS[i].status == 0, REQUESTS[i].flag);
    }
    raw_guest_close(&g);
}

void gen_keys(const char *dir)
{
    struct gen_file f;

    gen_file_open(&f, "snp_derived_key.schema.json");
    gen_note(&f, "FieldSelect", "GUEST_FIELD_SELECT has an undefined bit",
             "[56860 MSG_KEY_REQ]");
    gen_note(&f, "Vmpl", "VMPL above 3", "[56860 MSG_KEY_REQ]");
    gen_note(&f, "Tcb", "TCB_VERSION above CommittedTcb",
             "[56860 MSG_KEY_REQ]");
    gen_note(&f, "Svn", "GUEST_SVN above the ID block's",
             "[56860 MSG_KEY_REQ]");
    gen_note(&f, "KeyNotAvailable", "the root key is not there",
             "[56860 MSG_KEY_REQ]");
    gen_note(&f, "ReservedBits", "a must-be-zero field is not zero",
             "[56860 MSG_KEY_REQ]");
    for (size_t p = 0; p < sizeof(PROFILES) / sizeof(PROFILES[0]); p++) {
        for (size_t s = 0; s < sizeof(SPECS) / sizeof(SPECS[0]); s++) {
            group(&f, PROFILES[p], SPECS[s]);
        }
    }
    gen_file_close(&f, dir, "snp_derived_key.json");
}
