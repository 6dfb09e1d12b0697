/* SPDX-License-Identifier: Apache-2.0 */
/* sev_certificate.json: who signed whom, on all five generations; and
 * sev_import.json: what PEK_CERT_IMPORT answers. */
#include "gen.h"

#include "sev_pki.h"
#include "sev_rig.h"

#include <string.h>

static const char *const PROFILES[] = {"naples", "rome", "milan", "genoa",
                                       "turin"};

/* --- relations --- */

struct chain {
    uint8_t pdh[SEV_CERT_SIZE];
    uint8_t own[3 * SEV_CERT_SIZE]; /* PEK, OCA, CEK */
    uint8_t cek[SEV_CERT_SIZE];     /* signed by the ASK */
    uint8_t ca[PKI_ASK_ARK_MAX_SIZE];
    size_t ca_size;
};

static void make_chain(const char *profile, struct chain *c)
{
    struct pki_ca *ca = NULL;
    struct sev_rig r;

    rig_open(&r, profile, true);
    rig_export(&r, c->pdh, c->own);
    raw_need(pki_ca_open(PKI_DEV_SEED, r.profile.generation, PKI_SIMULATED,
                         NULL, &ca) == PSP_OK &&
                 pki_ask_ark(ca, c->ca, &c->ca_size) == PSP_OK &&
                 pki_cek_cert(ca, &r.chip, c->cek) == PSP_OK,
             "certificates");
    pki_ca_close(ca);
    rig_close(&r);
}

struct relation {
    const char *name;
    const uint8_t *cert;
    size_t size;
    const uint8_t *signer;
    size_t signer_size;
};

static void relation(struct gen_file *f, const struct relation *r,
                     const uint8_t *cert, const char *comment, const char *flag)
{
    gen_test(f,
             json_pack("{s:s, s:o, s:o}", "relation", r->name, "certificate",
                       gen_hex(cert, r->size), "signer",
                       gen_hex(r->signer, r->signer_size)),
             comment, flag == NULL, flag);
}

/* One bit of the body, of the signature, and the name of the signer. */
static void broken(struct gen_file *f, const struct relation *r)
{
    static const struct {
        const char *comment, *flag;
        size_t at;
    } rows[] = {
        {"a bit of the public key changed", "Body", 0x20},
        {"the API version changed", "Body", 4},
        {"a bit of R changed", "Signature", 0x414 + 8},
        {"a bit of S changed", "Signature", 0x414 + 8 + 72},
        {"the slot names another signer", "Usage", 0x414 + 2},
        {"the slot names another algorithm", "Algorithm", 0x414 + 5},
    };
    uint8_t cert[SEV_CERT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memcpy(cert, r->cert, sizeof(cert));
        cert[rows[i].at] ^= 1;
        relation(f, r, cert, rows[i].comment, rows[i].flag);
    }
}

static void relations(struct gen_file *f, const char *profile)
{
    struct chain c;
    const uint8_t *pek = c.own, *oca = pek + SEV_CERT_SIZE, *cek = c.cek;
    size_t half;

    make_chain(profile, &c);
    half = c.ca_size / 2;
    const struct relation rows[] = {
        {"PDH by PEK", c.pdh, SEV_CERT_SIZE, pek, SEV_CERT_SIZE},
        {"PEK by OCA", pek, SEV_CERT_SIZE, oca, SEV_CERT_SIZE},
        {"PEK by CEK", pek, SEV_CERT_SIZE, cek, SEV_CERT_SIZE},
        {"OCA by OCA", oca, SEV_CERT_SIZE, oca, SEV_CERT_SIZE},
        {"CEK by ASK", cek, SEV_CERT_SIZE, c.ca, half},
        {"ASK by ARK", c.ca, half, c.ca + half, half},
        {"ARK by ARK", c.ca + half, half, c.ca + half, half},
    };

    gen_group(f, json_pack("{s:s}", "profile", profile));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        relation(f, &rows[i], rows[i].cert, rows[i].name, NULL);
    }
    for (size_t i = 0; i < 5 && strcmp(profile, "milan") == 0; i++) {
        if (i != 2) { /* the CEK's signature is in the PEK's second slot */
            broken(f, &rows[i]);
        }
    }
    const struct relation stranger = {"PDH by OCA", c.pdh, SEV_CERT_SIZE, oca,
                                      SEV_CERT_SIZE};
    const struct relation unsigned_cek = {"CEK by ASK",
                                          pek + 2 * (size_t)SEV_CERT_SIZE,
                                          SEV_CERT_SIZE, c.ca, half};
    relation(f, &stranger, stranger.cert, "signed by another", "Usage");
    relation(f, &unsigned_cek, unsigned_cek.cert,
             "the CEK as the firmware exports it: without a signature",
             "Unsigned");
}

static void gen_relations(const char *dir)
{
    struct gen_file f;

    gen_file_open(&f, "sev_certificate.schema.json");
    gen_note(&f, "Body", "a signed byte is another", "[55766 App. C.1]");
    gen_note(&f, "Signature", "R or S is another", "[55766 App. C.1]");
    gen_note(&f, "Usage", "no slot names this signer", "[55766 App. C.1]");
    gen_note(&f, "Algorithm", "no slot has the signer's algorithm",
             "[55766 App. C.1]");
    gen_note(&f, "Unsigned", "both slots are empty", "[55766 App. C.1]");
    for (size_t i = 0; i < sizeof(PROFILES) / sizeof(PROFILES[0]); i++) {
        relations(&f, PROFILES[i]);
    }
    gen_file_close(&f, dir, "sev_certificate.json");
}

/* --- PEK_CERT_IMPORT --- */

enum defect {
    GOOD,
    OCA_USAGE,
    OCA_VERSION,
    OCA_SIG,
    OCA_UNSIGNED,
    OCA_OFF_CURVE,
    PEK_SIG,
    PEK_OTHER_SIGNER,
    PEK_UNSIGNED,
    PEK_CHANGED,
    PEK_SLOTS_FULL,
    OCA_TAIL,
};

static const struct {
    enum defect defect;
    const char *comment, *flag;
    uint32_t pek_length, oca_length, status;
} IMPORTS[] = {
    {GOOD, "the PEK's length one short", "Length", 0x823, 0x824, 4},
    {GOOD, "the PEK's length one more", "Length", 0x825, 0x824, 4},
    {GOOD, "the OCA's length one short", "Length", 0x824, 0x823, 4},
    {GOOD, "no OCA", "Length", 0x824, 0, 4},
    {OCA_USAGE, "the OCA says it is a PEK", "Oca", 0x824, 0x824, 6},
    {OCA_VERSION, "the OCA's VERSION is 2", "Oca", 0x824, 0x824, 6},
    {OCA_SIG, "the OCA's signature is another", "Signature", 0x824, 0x824, 10},
    {OCA_UNSIGNED, "the OCA is not signed", "Oca", 0x824, 0x824, 6},
    {OCA_OFF_CURVE, "the OCA's key is no point", "Oca", 0x824, 0x824, 6},
    {PEK_SIG, "the PEK's signature is another", "Signature", 0x824, 0x824, 10},
    {PEK_OTHER_SIGNER, "another OCA signed the PEK", "Signature", 0x824, 0x824,
     10},
    {PEK_UNSIGNED, "the PEK is not signed", "Pek", 0x824, 0x824, 6},
    {PEK_CHANGED, "another PEK, rightly signed", "Pek", 0x824, 0x824, 6},
    {PEK_SLOTS_FULL, "no free slot for the CEK's signature", "Pek", 0x824,
     0x824, 6},
    {OCA_TAIL, "bytes behind the OCA's key, signed with it", NULL, 0x824, 0x824,
     0},
    {GOOD, "once more: the platform has an owner now", "Owned", 0x824, 0x824,
     5},
};

static void spoil_oca(enum defect d, const struct psp_p384_key *key,
                      struct sev_cert *oca)
{
    rig_cert(key, SEV_USAGE_OCA, oca);
    oca->pubkey_usage = d == OCA_USAGE ? SEV_USAGE_PEK : SEV_USAGE_OCA;
    oca->version = d == OCA_VERSION ? 2 : 1;
    if (d == OCA_OFF_CURVE) {
        oca->pubkey[8] ^= 1;
    }
    if (d == OCA_TAIL) {
        memset(oca->pubkey + 0x200, 0x5a, 16);
    }
    if (d != OCA_UNSIGNED) {
        rig_sign(oca, 0, SEV_USAGE_OCA, key);
    }
    oca->sig[0].data[3] ^= d == OCA_SIG;
}

static void spoil_pek(enum defect d, const struct psp_p384_key *key,
                      struct sev_cert *pek)
{
    struct psp_p384_key other;

    rig_key("another owner", &other);
    if (d == PEK_CHANGED) {
        rig_cert(&other, SEV_USAGE_PEK, pek);
    }
    if (d != PEK_UNSIGNED) {
        rig_sign(pek, 0, SEV_USAGE_OCA, d == PEK_OTHER_SIGNER ? &other : key);
    }
    if (d == PEK_SLOTS_FULL) {
        pek->sig[1] = pek->sig[0];
    }
    pek->sig[0].data[3] ^= d == PEK_SIG;
}

static json_t *import(struct sev_rig *r, size_t row, const uint8_t *csr)
{
    uint8_t oca_bytes[SEV_CERT_SIZE], pek_bytes[SEV_CERT_SIZE];
    uint8_t buf[SEV_CMD_CERTS_SIZE];
    struct sev_cmd_certs cmd = {.first_paddr = RIG_IN,
                                .first_length = IMPORTS[row].pek_length,
                                .second_paddr = RIG_IN2,
                                .second_length = IMPORTS[row].oca_length};
    struct psp_p384_key key;
    struct sev_cert oca, pek;
    enum sev_status status;

    rig_key("owner", &key);
    raw_need(sev_cert_decode(csr, SEV_CERT_SIZE, &pek) == PSP_OK, "CSR");
    spoil_oca(IMPORTS[row].defect, &key, &oca);
    spoil_pek(IMPORTS[row].defect, &key, &pek);
    sev_cert_encode(&oca, oca_bytes);
    sev_cert_encode(&pek, pek_bytes);
    memcpy(r->memory + RIG_IN, pek_bytes, SEV_CERT_SIZE);
    memcpy(r->memory + RIG_IN2, oca_bytes, SEV_CERT_SIZE);
    sev_cmd_certs_encode(&cmd, buf);
    status = rig_exec(r, SEV_CMD_PEK_CERT_IMPORT, buf, sizeof(buf));
    raw_need(status == IMPORTS[row].status, IMPORTS[row].comment);
    return json_pack("{s:o, s:i, s:o, s:i, s:i, s:i}", "pek",
                     gen_hex(pek_bytes, sizeof(pek_bytes)), "pekLength",
                     (int)IMPORTS[row].pek_length, "oca",
                     gen_hex(oca_bytes, sizeof(oca_bytes)), "ocaLength",
                     (int)IMPORTS[row].oca_length, "status", (int)status,
                     "ownerAfter", rig_status(r).owner);
}

static void gen_imports(const char *dir)
{
    uint8_t buf[SEV_CMD_BLOB_SIZE], csr[SEV_CERT_SIZE];
    struct sev_cmd_blob cmd = {.paddr = RIG_OUT, .length = SEV_CERT_SIZE};
    struct gen_file f;
    struct sev_rig r;

    gen_file_open(&f, "sev_import.schema.json");
    gen_note(&f, "Length", "a length is not 824h", "[55766 PEK_CERT_IMPORT]");
    gen_note(&f, "Oca", "the OCA is no sound self-signed certificate",
             "[55766 PEK_CERT_IMPORT]");
    gen_note(&f, "Signature", "a signature does not verify",
             "[55766 PEK_CERT_IMPORT]");
    gen_note(&f, "Pek", "the PEK is not this platform's, signed by the OCA",
             "[55766 PEK_CERT_IMPORT]");
    gen_note(&f, "Owned", "the platform is externally owned",
             "[55766 PEK_CERT_IMPORT]");
    rig_open(&r, "milan", true);
    sev_cmd_blob_encode(&cmd, buf);
    raw_need(rig_exec(&r, SEV_CMD_PEK_CSR, buf, sizeof(buf)) == SEV_SUCCESS,
             "PEK_CSR");
    memcpy(csr, r.memory + RIG_OUT, sizeof(csr));
    gen_group(&f, json_pack("{s:s, s:o}", "profile", "milan", "csr",
                            gen_hex(csr, sizeof(csr))));
    for (size_t i = 0; i < sizeof(IMPORTS) / sizeof(IMPORTS[0]); i++) {
        gen_test(&f, import(&r, i, csr), IMPORTS[i].comment,
                 IMPORTS[i].status == 0, IMPORTS[i].flag);
    }
    rig_close(&r);
    gen_file_close(&f, dir, "sev_import.json");
}

void gen_sev_certs(const char *dir)
{
    gen_relations(dir);
    gen_imports(dir);
}
