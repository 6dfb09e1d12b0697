/* SPDX-License-Identifier: Apache-2.0 */
/* snp_report.json: MSG_REPORT_REQ by profile and guest. */
#include "gen.h"

#include "snp_report.h"
#include "wire.h"

#include <string.h>

struct guest_kind {
    const char *profile;
    const char *spec;
};

static const char PLAIN[] = "{}";
static const char IDENTIFIED[] =
    "{\"policy\": \"0xb0000\", \"host_data\": "
    "\"4242424242424242424242424242424242424242424242424242424242424242\", "
    "\"family_id\": \"01000000000000000000000000000000\", "
    "\"image_id\": \"02000000000000000000000000000000\", \"guest_svn\": 7}";
static const char LOW_PRIVILEGE[] = "{\"vmpl\": 2}";

static const struct guest_kind KINDS[] = {
    {"milan-old", PLAIN},     {"milan", PLAIN},      {"milan", IDENTIFIED},
    {"milan", LOW_PRIVILEGE}, {"genoa", PLAIN},      {"genoa", IDENTIFIED},
    {"turin", PLAIN},         {"turin", IDENTIFIED},
};

struct request {
    const char *comment;
    const char *flag;
    uint32_t vmpl;
    uint32_t key_sel;
    uint8_t vmpck;
    uint8_t mbz; /* written to the first must-be-zero byte */
    uint8_t fill;
    uint32_t status;
};

static const struct request REQUESTS[] = {
    {"report for VMPL 0", NULL, 0, 0, 0, 0, 0x00, 0},
    {"report data all ones", NULL, 0, 0, 0, 0, 0xff, 0},
    {"report for VMPL 3", NULL, 3, 0, 0, 0, 0x5a, 0},
    {"VCEK asked for by name", NULL, 1, 1, 0, 0, 0x01, 0},
    {"less privilege than the channel", NULL, 3, 0, 2, 0, 0x02, 0},
    {"same privilege as the channel", NULL, 1, 0, 1, 0, 0x03, 0},
    {"first VMPL past the end", "VmplOutOfRange", 4, 0, 0, 0, 0x04, 0x16},
    {"largest VMPL", "VmplOutOfRange", 0xffffffff, 0, 0, 0, 0x05, 0x16},
    {"more privilege than the channel", "VmplAboveChannel", 0, 0, 1, 0, 0x06,
     0x16},
    {"VLEK asked for, none loaded", "KeyNotAvailable", 0, 2, 0, 0, 0x07, 0x27},
    {"reserved key selection", "KeyNotAvailable", 0, 3, 0, 0, 0x08, 0x27},
    {"reserved bits of the key selection", "ReservedBits", 0, 4, 0, 0, 0x09,
     0x16},
    {"reserved byte set", "ReservedBits", 0, 0, 0, 1, 0x0a, 0x16},
};

static json_t *one(struct raw_guest *g, const struct request *r)
{
    uint8_t payload[0x60], request[0x1000], response[0x1000], plain[0xfa0];
    struct psp_wr w = psp_wr(payload, sizeof(payload));
    struct raw_message msg;
    struct psp_rd rd;
    size_t size = 0;
    uint32_t status;
    json_t *test;

    memset(payload, r->fill, 64);
    w.pos = 64;
    psp_wr_le32(&w, r->vmpl);
    psp_wr_le32(&w, r->key_sel);
    psp_wr_u8(&w, r->mbz);
    psp_wr_pad_to(&w, sizeof(payload));
    msg = raw_next(g, r->vmpck, 5, 1, payload, sizeof(payload));
    raw_need(raw_send(g, &msg, request, response, &size) == 0, r->comment);
    raw_need(raw_open(g, r->vmpck, response, plain) == 0x4c0, "size");
    rd = psp_rd(plain, 4);
    status = psp_rd_le32(&rd);
    raw_need(status == r->status, r->comment);
    test = json_pack("{s:o, s:i, s:i, s:o}", "request",
                     gen_hex(payload, sizeof(payload)), "vmpck", r->vmpck,
                     "status", (int)status, "response", gen_hex(plain, 0x4c0));
    return test;
}

void gen_reports(const char *dir)
{
    struct gen_file f;

    gen_file_open(&f, "snp_report.schema.json");
    gen_note(&f, "VmplOutOfRange", "VMPL above 3", "[56860 MSG_REPORT_REQ]");
    gen_note(&f, "VmplAboveChannel",
             "VMPL numerically below the VMPCK that sealed the request",
             "[56860 MSG_REPORT_REQ]");
    gen_note(&f, "KeyNotAvailable", "KEY_SEL names a key that is not there",
             "[56860 MSG_REPORT_REQ]");
    gen_note(&f, "ReservedBits", "a must-be-zero field is not zero",
             "[56860 MSG_REPORT_REQ]");
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
        struct raw_guest g;

        raw_guest_open(&g, KINDS[i].profile, KINDS[i].spec);
        gen_group(&f, json_pack("{s:s, s:s, s:o, s:o}", "profile",
                                KINDS[i].profile, "guest", KINDS[i].spec,
                                "chipId", gen_hex(g.chip.id, 64), "chipSecret",
                                gen_hex(g.chip.secret, 48)));
        for (size_t j = 0; j < sizeof(REQUESTS) / sizeof(REQUESTS[0]); j++) {
            gen_test(&f, one(&g, &REQUESTS[j]), REQUESTS[j].comment,
                     REQUESTS[j].status == 0, REQUESTS[j].flag);
        }
        raw_guest_close(&g);
    }
    gen_file_close(&f, dir, "snp_report.json");
}
