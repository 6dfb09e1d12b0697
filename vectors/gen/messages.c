/* SPDX-License-Identifier: Apache-2.0 */
/* snp_guest_message.json: the envelope. Steps of one group run in order on one
 * guest; a refused step changes nothing. */
#include "gen.h"

#include <string.h>

struct step {
    const char *comment;
    const char *flag;
    int64_t seqno_delta; /* added to the right number */
    uint8_t algo, hdr_version, type, version, vmpck;
    uint16_t hdr_size;
    uint16_t size;
    uint8_t break_tag;
    uint32_t status;
};

#define GOOD 0, 1, 1, 5, 1, 0, 0x60, 0x60, 0

static const struct step STEPS[] = {
    {"report request, first number", NULL, GOOD, 0},
    {"report request, next number", NULL, GOOD, 0},
    {"sequence number repeated", "Sequence", -2, 1, 1, 5, 1, 0, 0x60, 0x60, 0,
     0x1d},
    {"sequence number skipped", "Sequence", 2, 1, 1, 5, 1, 0, 0x60, 0x60, 0,
     0x1d},
    {"even sequence number", "Sequence", 1, 1, 1, 5, 1, 0, 0x60, 0x60, 0, 0x1d},
    {"tag does not verify", "Tag", 0, 1, 1, 5, 1, 0, 0x60, 0x60, 1, 0x0b},
    {"tag and sequence number wrong: the tag is found first", "Tag", 2, 1, 1, 5,
     1, 0, 0x60, 0x60, 1, 0x0b},
    {"ALGO 0", "Header", 0, 0, 1, 5, 1, 0, 0x60, 0x60, 0, 0x16},
    {"ALGO 2", "Header", 0, 2, 1, 5, 1, 0, 0x60, 0x60, 0, 0x16},
    {"HDR_VERSION 0", "Header", 0, 1, 0, 5, 1, 0, 0x60, 0x60, 0, 0x16},
    {"HDR_VERSION 2", "Header", 0, 1, 2, 5, 1, 0, 0x60, 0x60, 0, 0x16},
    {"HDR_SIZE 61h", "Header", 0, 1, 1, 5, 1, 0, 0x61, 0x60, 0, 0x16},
    {"HDR_SIZE 0", "Header", 0, 1, 1, 5, 1, 0, 0, 0x60, 0, 0x16},
    {"MSG_SIZE 0", "Size", 0, 1, 1, 5, 1, 0, 0x60, 0, 0, 0x16},
    {"MSG_SIZE one short for the type", "Size", 0, 1, 1, 5, 1, 0, 0x60, 0x5f, 0,
     0x16},
    {"MSG_SIZE larger than the layout", NULL, 0, 1, 1, 5, 1, 0, 0x60, 0x70, 0,
     0},
    {"MSG_VMPCK 4", "Header", 0, 1, 1, 5, 1, 4, 0x60, 0x60, 0, 0x16},
    {"MSG_VMPCK 255", "Header", 0, 1, 1, 5, 1, 255, 0x60, 0x60, 0, 0x16},
    {"MSG_VERSION 0", "Version", 0, 1, 1, 5, 0, 0, 0x60, 0x60, 0, 0x16},
    {"MSG_VERSION 2 of a report request", "Version", 0, 1, 1, 5, 2, 0, 0x60,
     0x60, 0, 0x16},
    {"MSG_TYPE 0", "Type", 0, 1, 1, 0, 1, 0, 0x60, 0x60, 0, 0x16},
    {"MSG_TYPE of a response", "Type", 0, 1, 1, 6, 1, 0, 0x60, 0x60, 0, 0x16},
    {"MSG_TYPE unknown", "Type", 0, 1, 1, 40, 1, 0, 0x60, 0x60, 0, 0x16},
    {"TSC info request", NULL, 0, 1, 1, 17, 1, 0, 0x60, 0x80, 0, 0},
    {"key request version 1", NULL, 0, 1, 1, 3, 1, 0, 0x60, 0x20, 0, 0},
    {"key request version 2", NULL, 0, 1, 1, 3, 2, 0, 0x60, 0x28, 0, 0},
    {"key request version 3", "Version", 0, 1, 1, 3, 3, 0, 0x60, 0x28, 0, 0x16},
    {"another VMPCK has its own numbers", NULL, 0, 1, 1, 5, 1, 3, 0x60, 0x60, 0,
     0},
    {"and the first goes on where it was", NULL, GOOD, 0},
};

static json_t *run(struct raw_guest *g, const struct step *s)
{
    static const uint8_t zeros[0x100];
    uint8_t payload[0x100], request[0x1000], response[0x1000];
    struct raw_message msg;
    size_t size = 0;
    uint64_t status;
    json_t *answer;

    memcpy(payload, zeros, sizeof(payload));
    if (s->type == 5 && s->vmpck < 4) {
        payload[0x40] = s->vmpck; /* VMPL not above the channel */
    }
    msg = raw_next(g, s->vmpck & 3, s->type, s->version, payload, s->size);
    msg.seqno += (uint64_t)s->seqno_delta;
    msg.algo = s->algo;
    msg.hdr_version = s->hdr_version;
    msg.hdr_size = s->hdr_size;
    msg.vmpck = s->vmpck;
    msg.break_tag = s->break_tag != 0;
    status = raw_send(g, &msg, request, response, &size);
    raw_need(status == s->status, s->comment);
    answer = status == 0 ? gen_hex(response, size) : json_null();
    return json_pack("{s:o, s:i, s:o}", "request",
                     gen_hex(request, 0x60u + s->size), "mailboxStatus",
                     (int)status, "response", answer);
}

void gen_messages(const char *dir)
{
    struct raw_guest g;
    struct gen_file f;

    gen_file_open(&f, "snp_guest_message.schema.json");
    gen_note(&f, "Sequence", "MSG_SEQNO is not the counter + 1",
             "[56860 SNP_GUEST_REQUEST]");
    gen_note(&f, "Tag", "the authentication tag does not verify",
             "[56860 SNP_GUEST_REQUEST]");
    gen_note(&f, "Header", "a header field holds an undefined value",
             "[56860 message header]");
    gen_note(&f, "Size", "MSG_SIZE does not fit the message",
             "[56860 message header]");
    gen_note(&f, "Version", "MSG_VERSION is not defined for the type",
             "[56860 message header]");
    gen_note(&f, "Type", "MSG_TYPE is not a request", "[56860 message header]");
    raw_guest_open(&g, "milan", NULL);
    gen_group(&f, json_pack("{s:s, s:o, s:i, s:o}", "profile", "milan", "vmpck",
                            gen_hex(g.vmpck, sizeof(g.vmpck)), "counter", 0,
                            "chipSecret", gen_hex(g.chip.secret, 48)));
    for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
        gen_test(&f, run(&g, &STEPS[i]), STEPS[i].comment, STEPS[i].status == 0,
                 STEPS[i].flag);
    }
    raw_guest_close(&g);
    gen_file_close(&f, dir, "snp_guest_message.json");
}
