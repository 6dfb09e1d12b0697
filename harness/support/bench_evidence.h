/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A complete set of good evidence, each part of which a test may spoil before
 * or after it is signed; shared by the verifier's tests.
 */
#ifndef BENCH_EVIDENCE_H
#define BENCH_EVIDENCE_H

#include "mint.h"
#include "tst.h"
#include "verifier.h"

/** 2026-01-01T00:00:00Z: within the validity of everything minted. */
#define BENCH_NOW 1767225600

struct bench_keys {
    EVP_PKEY *ark, *ask, *asvk, *other, *small; /* RSA, from files */
    EVP_PKEY *leaf, *p384, *p256;               /* EC, fresh */
};
static struct bench_keys KEY;

struct bench {
    struct mint_cert ark, ask, leaf, root;
    struct mint_crl crl;
    bool other_root;  /* trust root instead of ark */
    bool present_ark; /* else the evidence has no ARK */
    bool with_crl;
    struct snp_report report;
    EVP_PKEY *report_key;

    /* Made by bench_build() */
    struct mint_der ark_der, ask_der, leaf_der, crl_der, root_der;
    uint8_t bytes[SNP_REPORT_SIZE + 8];
    struct verify_input in;

    struct verify_policy policy;
    uint8_t expected[64];
    uint64_t expected_policy;
    uint32_t expected_vmpl;
    struct psp_tcb min_tcb;
    struct verify_result result;
};

static inline void bench_keys_load(void)
{
#define BENCH_KEY(name) "harness/unit/verifier/keys/" name ".pem"
    KEY.ark = mint_key_file(BENCH_KEY("ark"));
    KEY.ask = mint_key_file(BENCH_KEY("ask"));
    KEY.asvk = mint_key_file(BENCH_KEY("asvk"));
    KEY.other = mint_key_file(BENCH_KEY("other"));
    KEY.small = mint_key_file(BENCH_KEY("small"));
    KEY.leaf = mint_ec_key("P-384");
    KEY.p384 = mint_ec_key("P-384");
    KEY.p256 = mint_ec_key("P-256");
}

static inline void bench_keys_free(void)
{
    EVP_PKEY *all[] = {KEY.ark,   KEY.ask,  KEY.asvk, KEY.other,
                       KEY.small, KEY.leaf, KEY.p384, KEY.p256};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        EVP_PKEY_free(all[i]);
    }
}

static inline void bench_init(struct bench *b, enum psp_generation g, bool vlek)
{
    const char *product = psp_generation_name(g);

    memset(b, 0, sizeof(*b));
    mint_report(&b->report, g);
    mint_ark(&b->ark, product, KEY.ark);
    mint_ark(&b->root, product, KEY.ark);
    if (vlek) {
        mint_asvk(&b->ask, product, KEY.asvk, KEY.ark);
        mint_vlek(&b->leaf, g, "CN=csp.invalid", &b->report.reported_tcb,
                  KEY.leaf, KEY.asvk);
        b->report.key_info = SNP_SIGNING_KEY_VLEK << 2;
        memset(b->report.chip_id, 0, sizeof(b->report.chip_id));
    } else {
        mint_ask(&b->ask, product, KEY.ask, KEY.ark);
        mint_vcek(&b->leaf, g, b->report.chip_id, &b->report.reported_tcb,
                  KEY.leaf, KEY.ask);
    }
    mint_crl(&b->crl, product, KEY.ark);
    b->report_key = KEY.leaf;
    b->policy.now = BENCH_NOW;
}

static inline struct verify_blob bench_blob(const struct mint_der *der)
{
    return (struct verify_blob){.data = der->b, .size = der->n};
}

static inline void bench_build(struct bench *b)
{
    mint_cert_build(&b->ark, &b->ark_der);
    mint_cert_build(&b->ask, &b->ask_der);
    mint_cert_build(&b->leaf, &b->leaf_der);
    mint_cert_build(&b->root, &b->root_der);
    mint_crl_build(&b->crl, &b->crl_der);
    snp_report_encode(&b->report, b->bytes);
    if (b->report_key != NULL) {
        mint_sign_report(b->bytes, b->report_key);
    }
    b->in.report.data = b->bytes;
    b->in.report.size = SNP_REPORT_SIZE;
    b->in.leaf = bench_blob(&b->leaf_der);
    b->in.ask = bench_blob(&b->ask_der);
    if (b->present_ark) {
        b->in.ark = bench_blob(&b->ark_der);
    }
    if (b->with_crl) {
        b->in.crl = bench_blob(&b->crl_der);
    }
    b->in.trusted_ark = bench_blob(b->other_root ? &b->root_der : &b->ark_der);
}

#endif
