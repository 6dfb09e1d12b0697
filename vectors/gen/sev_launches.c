/* SPDX-License-Identifier: Apache-2.0 */
/* sev_session.json, sev_measurement.json, sev_secret.json, sev_report.json:
 * what a guest owner and a platform say to each other around one launch. */
#include "gen.h"

#include "sev_rig.h"
#include "wire.h"

#include <string.h>

#define ASID    200u /* a SEV guest's on every profile but Naples */
#define ASID_ES 3u

static const char *const PROFILES[] = {"rome", "milan", "genoa"};
#define PROFILE_COUNT (sizeof(PROFILES) / sizeof(PROFILES[0]))

static json_t *platform(const struct sev_rig *r)
{
    return json_pack("{s:s, s:i, s:i, s:i}", "profile", r->profile.name,
                     "apiMajor", r->profile.api_major, "apiMinor",
                     r->profile.api_minor, "build", r->profile.build);
}

static uint32_t asid_for(uint32_t policy)
{
    return (policy & SEV_POLICY_ES) != 0 ? ASID_ES : ASID;
}

/* DEACTIVATE, DECOMMISSION, and the ASID is clean again. */
static void end_guest(struct sev_rig *r, uint32_t handle)
{
    raw_need(rig_handle(r, SEV_CMD_DEACTIVATE, handle) == SEV_SUCCESS &&
                 rig_handle(r, SEV_CMD_DECOMMISSION, handle) == SEV_SUCCESS &&
                 rig_run(r, SEV_CMD_DF_FLUSH) == SEV_SUCCESS,
             "end of a guest");
}

/* --- sessions --- */

enum spoil_what {
    INTACT,
    WRAPPED_KEYS,
    WRAP_IV,
    WRAP_MAC,
    POLICY_MAC,
    NONCE,
    OTHER_POLICY,
    GODH_USAGE,
    GODH_ALGO,
    GODH_POINT,
    GODH_VERSION,
    GODH_OTHER_KEY,
};

static const struct {
    enum spoil_what what;
    uint32_t policy;
    uint32_t status;
    const char *comment, *flag;
} SESSIONS[] = {
    {INTACT, 1, 0, "no debugging", NULL},
    {INTACT, 0, 0, "an empty policy", NULL},
    {INTACT, 5, 0, "SEV-ES", NULL},
    {INTACT, 0x3f, 0, "every flag", NULL},
    {INTACT, 0x16000001, 0, "firmware 0.22 or newer", NULL},
    {INTACT, 0x41, 7, "the first reserved bit", "Policy"},
    {INTACT, 0x8001, 7, "the last reserved bit", "Policy"},
    {INTACT, 0xff0001, 7, "firmware 255.0 or newer", "Policy"},
    {WRAPPED_KEYS, 1, 11, "a bit of the wrapped keys changed", "Mac"},
    {WRAP_MAC, 1, 11, "a bit of WRAP_MAC changed", "Mac"},
    {NONCE, 1, 11, "a bit of NONCE changed", "Mac"},
    {WRAP_IV, 1, 11, "a bit of WRAP_IV changed: the TIK is another",
     "PolicyMac"},
    {POLICY_MAC, 1, 11, "a bit of POLICY_MAC changed", "PolicyMac"},
    {OTHER_POLICY, 1, 11, "the host asks for another policy", "PolicyMac"},
    {GODH_USAGE, 1, 6, "the owner's certificate is a PEK", "Godh"},
    {GODH_ALGO, 1, 6, "the owner's certificate is for ECDSA", "Godh"},
    {GODH_POINT, 1, 6, "the owner's key is no point", "Godh"},
    {GODH_VERSION, 1, 6, "the owner's certificate has VERSION 2", "Godh"},
    {GODH_OTHER_KEY, 1, 11, "the session is not this key's", "Mac"},
};

static void spoil(enum spoil_what what, uint8_t *godh, uint8_t *blob)
{
    struct psp_p384_key other;
    struct sev_cert cert;

    switch (what) {
    case NONCE:
        blob[0x00] ^= 1;
        break;
    case WRAPPED_KEYS:
        blob[0x10] ^= 1;
        break;
    case WRAP_IV:
        blob[0x30] ^= 1;
        break;
    case WRAP_MAC:
        blob[0x40] ^= 1;
        break;
    case POLICY_MAC:
        blob[0x60] ^= 1;
        break;
    case GODH_VERSION:
        godh[0] = 2;
        break;
    case GODH_USAGE:
        godh[8] = SEV_USAGE_PEK & 0xff;
        break;
    case GODH_ALGO:
        godh[0xc] = SEV_ALGO_ECDSA_SHA256;
        break;
    case GODH_POINT:
        godh[0x20] ^= 1;
        break;
    case GODH_OTHER_KEY:
        rig_key("another guest owner", &other);
        rig_cert(&other, SEV_USAGE_PDH, &cert);
        sev_cert_encode(&cert, godh);
        break;
    case INTACT:
    case OTHER_POLICY:
        break;
    }
}

static json_t *session(struct sev_rig *r, size_t row, const uint8_t *pdh)
{
    uint8_t godh[SEV_CERT_SIZE], blob[SEV_SESSION_SIZE];
    uint32_t asked = SESSIONS[row].policy, handle = 0;
    struct rig_owner o;
    enum sev_status status;

    rig_owner(SESSIONS[row].comment, SESSIONS[row].policy, &o);
    rig_session(&o, pdh, godh, blob);
    spoil(SESSIONS[row].what, godh, blob);
    asked ^= SESSIONS[row].what == OTHER_POLICY ? 2u : 0;
    status = rig_start(r, asked, godh, blob, asid_for(asked), &handle);
    raw_need(status == SESSIONS[row].status, SESSIONS[row].comment);
    if (status == SEV_SUCCESS) {
        end_guest(r, handle);
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:i}", "ownerKey",
                     gen_hex(o.key.d, sizeof(o.key.d)), "tek",
                     gen_hex(o.tek, 16), "tik", gen_hex(o.tik, 16), "nonce",
                     gen_hex(o.nonce, 16), "policy", (json_int_t)asked, "godh",
                     gen_hex(godh, sizeof(godh)), "session",
                     gen_hex(blob, sizeof(blob)), "status", (int)status);
}

static void gen_sessions(const char *dir)
{
    uint8_t pdh[SEV_CERT_SIZE], chain[3 * SEV_CERT_SIZE];
    struct gen_file f;

    gen_file_open(&f, "sev_session.schema.json");
    gen_note(&f, "Policy", "a reserved bit, or newer firmware is wanted",
             "[55766 LAUNCH_START]");
    gen_note(&f, "Mac", "WRAP_MAC does not verify", "[55766 LAUNCH_START]");
    gen_note(&f, "PolicyMac", "POLICY_MAC does not verify",
             "[55766 LAUNCH_START]");
    gen_note(&f, "Godh", "no sound Diffie-Hellman certificate",
             "[55766 LAUNCH_START]");
    for (size_t p = 0; p < PROFILE_COUNT; p++) {
        struct sev_rig r;
        json_t *given;

        rig_open(&r, PROFILES[p], true);
        rig_export(&r, pdh, chain);
        given = platform(&r);
        json_object_set_new(given, "pdh", gen_hex(pdh, sizeof(pdh)));
        gen_group(&f, given);
        for (size_t i = 0; i < sizeof(SESSIONS) / sizeof(SESSIONS[0]); i++) {
            gen_test(&f, session(&r, i, pdh), SESSIONS[i].comment,
                     SESSIONS[i].status == 0, SESSIONS[i].flag);
        }
        rig_close(&r);
    }
    gen_file_close(&f, dir, "sev_session.json");
}

/* --- a launch, and what follows --- */

struct launch {
    const char *comment;
    uint32_t policy;
    bool owned;          /* with a session; otherwise the keys are zero */
    uint32_t size[3];    /* of each LAUNCH_UPDATE_DATA; 0: none */
    uint32_t vmsa_count; /* SEV-ES */
};

static const struct launch LAUNCHES[] = {
    {"nothing measured", 1, false, {0}, 0},
    {"16 bytes", 1, false, {16}, 0},
    {"three pieces", 1, true, {64, 16, 4096}, 0},
    {"one piece as long as three", 1, true, {4176}, 0},
    {"debugging allowed", 0, true, {256}, 0},
    {"SEV-ES with two save areas", 5, true, {32, 4080}, 2},
};
#define LAUNCH_COUNT (sizeof(LAUNCHES) / sizeof(LAUNCHES[0]))

struct launched {
    uint32_t handle;
    struct rig_owner o;
    uint8_t blob[SEV_MEASURE_BLOB_SIZE];
    uint32_t measured; /* bytes at RIG_GUEST */
};

/* Deterministic content. */
static void fill(uint8_t *p, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        p[i] = (uint8_t)(seed >> 24);
    }
}

static void launch(struct sev_rig *r, const struct launch *l,
                   struct launched *out, json_t *test)
{
    uint8_t pdh[SEV_CERT_SIZE], chain[3 * SEV_CERT_SIZE];
    uint8_t godh[SEV_CERT_SIZE], blob[SEV_SESSION_SIZE];
    json_t *data = json_array(), *vmsas = json_array();
    uint32_t at = RIG_GUEST;

    memset(out, 0, sizeof(*out));
    out->o.policy = l->policy;
    if (l->owned) {
        rig_owner(l->comment, l->policy, &out->o);
        rig_export(r, pdh, chain);
        rig_session(&out->o, pdh, godh, blob);
    }
    raw_need(rig_start(r, l->policy, l->owned ? godh : NULL,
                       l->owned ? blob : NULL, asid_for(l->policy),
                       &out->handle) == SEV_SUCCESS,
             l->comment);
    for (size_t i = 0; i < 3 && l->size[i] != 0; i++) {
        fill(r->memory + at, l->size[i], (uint32_t)(at + l->size[i]));
        json_array_append_new(data, gen_hex(r->memory + at, l->size[i]));
        raw_need(rig_range(r, SEV_CMD_LAUNCH_UPDATE_DATA, out->handle, at,
                           l->size[i]) == SEV_SUCCESS,
                 "LAUNCH_UPDATE_DATA");
        at += l->size[i];
    }
    out->measured = at - RIG_GUEST;
    for (uint32_t i = 0; i < l->vmsa_count; i++) {
        uint32_t page = RIG_GUEST + 0x10000 + i * 0x1000;

        fill(r->memory + page, 0x1000, i);
        json_array_append_new(vmsas, gen_hex(r->memory + page, 0x1000));
        raw_need(rig_range(r, SEV_CMD_LAUNCH_UPDATE_VMSA, out->handle, page,
                           0x1000) == SEV_SUCCESS,
                 "LAUNCH_UPDATE_VMSA");
    }
    raw_need(rig_range(r, SEV_CMD_LAUNCH_MEASURE, out->handle, RIG_OUT,
                       sizeof(out->blob)) == SEV_SUCCESS,
             "LAUNCH_MEASURE");
    memcpy(out->blob, r->memory + RIG_OUT, sizeof(out->blob));
    json_object_set_new(test, "policy", json_integer(l->policy));
    json_object_set_new(test, "data", data);
    json_object_set_new(test, "vmsas", vmsas);
    json_object_set_new(test, "tik", gen_hex(out->o.tik, 16));
    json_object_set_new(test, "measure", gen_hex(out->blob, 32));
    json_object_set_new(test, "mnonce", gen_hex(out->blob + 32, 16));
}

static void gen_measurements(const char *dir)
{
    struct gen_file f;

    gen_file_open(&f, "sev_measurement.schema.json");
    gen_note(&f, "Measure", "a bit of MEASURE changed",
             "[55766 LAUNCH_MEASURE]");
    for (size_t p = 0; p < PROFILE_COUNT; p++) {
        struct sev_rig r;

        rig_open(&r, PROFILES[p], true);
        gen_group(&f, platform(&r));
        for (size_t i = 0; i < LAUNCH_COUNT; i++) {
            json_t *test = json_object(), *bad;
            struct launched l;

            launch(&r, &LAUNCHES[i], &l, test);
            bad = json_copy(test);
            gen_test(&f, test, LAUNCHES[i].comment, true, NULL);
            l.blob[i] ^= 0x80;
            json_object_set_new(bad, "measure", gen_hex(l.blob, 32));
            gen_test(&f, bad, LAUNCHES[i].comment, false, "Measure");
            end_guest(&r, l.handle);
        }
        rig_close(&r);
    }
    gen_file_close(&f, dir, "sev_measurement.json");
}

/* --- secrets --- */

enum packet_spoil { WHOLE, IV, MAC, CIPHER, FLAGS, MEASURE, SIZE, UNALIGNED };

static const struct {
    enum packet_spoil what;
    uint32_t size, status;
    const char *comment, *flag;
} PACKETS[] = {
    {WHOLE, 16, 0, "the smallest", NULL},
    {WHOLE, 80, 0, "five blocks", NULL},
    {WHOLE, 4096, 0, "a page", NULL},
    {WHOLE, 16384, 0, "the largest", NULL},
    {SIZE, 16400, 4, "a block more than the largest", "Length"},
    {SIZE, 24, 4, "no whole number of blocks", "Length"},
    {SIZE, 0, 4, "nothing", "Length"},
    {UNALIGNED, 16, 9, "8 bytes off", "Address"},
    {IV, 16, 11, "a bit of the IV changed", "Mac"},
    {MAC, 16, 11, "a bit of the MAC changed", "Mac"},
    {CIPHER, 16, 11, "a bit of the payload changed", "Mac"},
    {FLAGS, 16, 11, "FLAGS changed", "Mac"},
    {MEASURE, 16, 11, "made for another measurement", "Mac"},
};

static json_t *secret(struct sev_rig *r, const struct launched *l, size_t row)
{
    static const uint32_t place = RIG_GUEST + 0x20000;
    uint32_t size = PACKETS[row].size, at = place;
    uint8_t header[SEV_PACKET_HEADER_SIZE], iv[16], measure[32];
    uint8_t buf[SEV_CMD_TRANSPORT_SIZE];
    static uint8_t payload[0x5000], before[0x5000];
    struct sev_cmd_transport cmd;
    enum sev_status status;
    json_t *test;

    fill(payload, sizeof(payload), size);
    fill(iv, sizeof(iv), size + 77);
    memcpy(measure, l->blob, sizeof(measure));
    measure[0] ^= PACKETS[row].what == MEASURE;
    rig_packet(&l->o, iv, measure, payload, size, header);
    header[0] ^= PACKETS[row].what == FLAGS;
    header[4] ^= PACKETS[row].what == IV;
    header[0x14] ^= PACKETS[row].what == MAC;
    payload[0] ^= PACKETS[row].what == CIPHER;
    at += PACKETS[row].what == UNALIGNED ? 8 : 0;
    memcpy(r->memory + RIG_IN, header, sizeof(header));
    memcpy(r->memory + RIG_IN2, payload, sizeof(payload));
    memcpy(before, r->memory + place, sizeof(before));
    cmd = (struct sev_cmd_transport){.handle = l->handle,
                                     .hdr_paddr = RIG_IN,
                                     .hdr_length = sizeof(header),
                                     .guest_paddr = at,
                                     .guest_length = size,
                                     .trans_paddr = RIG_IN2,
                                     .trans_length = size};
    sev_cmd_transport_encode(&cmd, buf);
    status = rig_exec(r, SEV_CMD_LAUNCH_SECRET, buf, sizeof(buf));
    raw_need(status == PACKETS[row].status, PACKETS[row].comment);
    raw_need((memcmp(before, r->memory + place, sizeof(before)) == 0) ==
                 (status != 0),
             "guest memory");
    test = json_pack("{s:o, s:o, s:i, s:I}", "header",
                     gen_hex(header, sizeof(header)), "payload",
                     gen_hex(payload, size), "status", (int)status,
                     "guestAddress", (json_int_t)at);
    for (uint32_t done = 0; status == SEV_SUCCESS && done < size;
         done += 0x1000) {
        uint32_t n = size - done < 0x1000 ? size - done : 0x1000;

        raw_need(psp_guest_mem_read(r->psp, ASID, at + done, payload + done,
                                    n) == PSP_OK,
                 "guest memory");
    }
    json_object_set_new(test, "guestMemory",
                        status == SEV_SUCCESS ? gen_hex(payload, size)
                                              : json_null());
    return test;
}

static void gen_secrets(const char *dir)
{
    struct gen_file f;

    gen_file_open(&f, "sev_secret.schema.json");
    gen_note(&f, "Length", "not 1 to 1024 blocks of 16 bytes",
             "[55766 LAUNCH_SECRET]");
    gen_note(&f, "Address", "GUEST_PADDR is not 16-byte aligned",
             "[55766 LAUNCH_SECRET]");
    gen_note(&f, "Mac", "the packet's MAC does not verify",
             "[55766 LAUNCH_SECRET]");
    for (size_t p = 0; p < PROFILE_COUNT; p++) {
        json_t *given;
        struct launched l;
        struct sev_rig r;

        rig_open(&r, PROFILES[p], true);
        given = platform(&r);
        launch(&r, &LAUNCHES[2], &l, given);
        json_object_set_new(given, "tek", gen_hex(l.o.tek, 16));
        gen_group(&f, given);
        for (size_t i = 0; i < sizeof(PACKETS) / sizeof(PACKETS[0]); i++) {
            gen_test(&f, secret(&r, &l, i), PACKETS[i].comment,
                     PACKETS[i].status == 0, PACKETS[i].flag);
        }
        rig_close(&r);
    }
    gen_file_close(&f, dir, "sev_secret.json");
}

/* --- reports --- */

static json_t *report(struct sev_rig *r, uint32_t handle, uint8_t fill_byte,
                      uint32_t length, uint32_t want)
{
    struct sev_cmd_attestation cmd;
    uint8_t mnonce[16];
    enum sev_status status;

    memset(mnonce, fill_byte, sizeof(mnonce));
    memset(r->memory + RIG_OUT, 0, SEV_REPORT_SIZE);
    status = rig_attest(r, handle, mnonce, length);
    raw_need(status == want, "ATTESTATION");
    sev_cmd_attestation_decode(r->buffer, &cmd);
    return json_pack(
        "{s:I, s:o, s:I, s:i, s:I, s:o}", "handle", (json_int_t)handle,
        "mnonce", gen_hex(mnonce, 16), "length", (json_int_t)length, "status",
        (int)status, "lengthAfter", (json_int_t)cmd.length, "report",
        status == SEV_SUCCESS ? gen_hex(r->memory + RIG_OUT, SEV_REPORT_SIZE)
                              : json_null());
}

static void reports_of(struct gen_file *f, const char *profile,
                       const struct launch *kind)
{
    uint8_t pdh[SEV_CERT_SIZE], chain[3 * SEV_CERT_SIZE];
    struct launched l;
    struct sev_rig r;
    json_t *given;
    uint32_t other = 0;

    rig_open(&r, profile, true);
    given = platform(&r);
    launch(&r, kind, &l, given);
    rig_export(&r, pdh, chain);
    json_object_set_new(given, "pek", gen_hex(chain, SEV_CERT_SIZE));
    json_object_set_new(given, "handle", json_integer(l.handle));
    gen_group(f, given);
    gen_test(f, report(&r, l.handle, 0, 208, 0), "measured, not yet running",
             true, NULL);
    raw_need(rig_handle(&r, SEV_CMD_LAUNCH_FINISH, l.handle) == SEV_SUCCESS,
             "LAUNCH_FINISH");
    gen_test(f, report(&r, l.handle, 0xff, 208, 0), "running", true, NULL);
    gen_test(f, report(&r, l.handle, 0x5a, 0x1000, 0), "a larger buffer", true,
             NULL);
    gen_test(f, report(&r, l.handle, 1, 0, 4), "length query", false, "Length");
    gen_test(f, report(&r, l.handle, 1, 207, 4), "one byte short", false,
             "Length");
    gen_test(f, report(&r, 0, 1, 208, 16), "handle 0", false, "Handle");
    gen_test(f, report(&r, l.handle + 1, 1, 208, 16), "nobody's handle", false,
             "Handle");
    gen_test(f, report(&r, 0xffffffe7, 1, 208, 16),
             "a hypercall's -ENOTTY for a handle", false, "Handle");
    raw_need(rig_start(&r, 1, NULL, NULL, ASID + 1, &other) == SEV_SUCCESS,
             "another guest");
    gen_test(f, report(&r, other, 1, 208, 2), "not measured yet", false,
             "State");
    gen_test(f, report(&r, l.handle, 1, 208, 0), "and the first once more",
             true, NULL);
    rig_close(&r);
}

static void gen_sev_reports(const char *dir)
{
    struct gen_file f;

    gen_file_open(&f, "sev_report.schema.json");
    gen_note(&f, "Length", "LENGTH is below D0h: it is set to what is needed",
             "[55766 ATTESTATION]");
    gen_note(&f, "Handle", "no guest has this handle", "[55766 ATTESTATION]");
    gen_note(&f, "State", "the guest's launch is not measured",
             "[55766 ATTESTATION]");
    for (size_t p = 1; p < PROFILE_COUNT; p++) {
        reports_of(&f, PROFILES[p], &LAUNCHES[2]);
        reports_of(&f, PROFILES[p], &LAUNCHES[5]);
    }
    gen_file_close(&f, dir, "sev_report.json");
}

void gen_sev_launches(const char *dir)
{
    gen_sessions(dir);
    gen_measurements(dir);
    gen_secrets(dir);
    gen_sev_reports(dir);
}
