/* SPDX-License-Identifier: Apache-2.0 */
#include "mint.h"

#include "tst.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define AMD_ARC_HEX "2b060104019c7801"

/* ---- DER ---- */

static void put(struct mint_der *d, const void *p, size_t n)
{
    if (n > sizeof(d->b) - d->n) {
        fail_msg("mint: too large");
        abort();
    }
    memcpy(d->b + d->n, p, n);
    d->n += n;
}

static void tlv(struct mint_der *d, uint8_t tag, const void *p, size_t n)
{
    uint8_t head[4] = {tag, (uint8_t)n};
    size_t head_size = 2;

    if (n >= 0x100) {
        head[1] = 0x82;
        head[2] = (uint8_t)(n >> 8);
        head[3] = (uint8_t)n;
        head_size = 4;
    } else if (n >= 0x80) {
        head[1] = 0x81;
        head[2] = (uint8_t)n;
        head_size = 3;
    }
    put(d, head, head_size);
    put(d, p, n);
}

static void wrap(struct mint_der *d, uint8_t tag, const struct mint_der *in)
{
    tlv(d, tag, in->b, in->n);
}

static void hex(struct mint_der *d, const char *text)
{
    size_t n = strlen(text) / 2;
    uint8_t *p = malloc(n + 1);

    tst_hex(text, p, n);
    put(d, p, n);
    free(p);
}

static void integer(struct mint_der *d, uint32_t v)
{
    uint8_t b[5] = {0, (uint8_t)(v >> 24), (uint8_t)(v >> 16),
                    (uint8_t)(v >> 8), (uint8_t)v};
    size_t skip = 0;

    while (skip < 4 && b[skip] == 0 && b[skip + 1] < 0x80) {
        skip++;
    }
    tlv(d, 0x02, b + skip, sizeof(b) - skip);
}

static void attribute(struct mint_der *d, const char *oid_hex, uint8_t tag,
                      const char *value)
{
    struct mint_der pair = {.n = 0};
    struct mint_der seq = {.n = 0};

    if (value == NULL || value[0] == '\0') {
        return;
    }
    hex(&pair, oid_hex);
    tlv(&pair, tag, value, strlen(value));
    wrap(&seq, 0x30, &pair);
    wrap(d, 0x31, &seq);
}

static void name(struct mint_der *d, const struct mint_name *n)
{
    struct mint_der rdns = {.n = 0};

    attribute(&rdns, "060355040b", 0x0c, "Engineering");
    attribute(&rdns, "0603550406", 0x13, "US");
    attribute(&rdns, "0603550407", 0x0c, "Santa Clara");
    attribute(&rdns, "0603550408", 0x0c, "CA");
    attribute(&rdns, "060355040a", 0x0c,
              n->o != NULL ? n->o : "Advanced Micro Devices");
    attribute(&rdns, "0603550403", 0x0c, n->cn);
    attribute(&rdns, "060355040d", 0x0c, n->description);
    wrap(d, 0x30, &rdns);
}

static void algorithm(struct mint_der *d, enum mint_alg alg)
{
    static const char *const text[] = {
        [MINT_FORM_A] = "304106092a864886f70d01010a3034a00f300d0609608648016503"
                        "0402020500a11c301a06092a864886f70d010108300d0609608648"
                        "0165030402020500a203020130",
        [MINT_FORM_B] = "304606092a864886f70d01010a3039a00f300d0609608648016503"
                        "0402020500a11c301a06092a864886f70d010108300d0609608648"
                        "0165030402020500a203020130a303020101",
        [MINT_SALT_32] = "304106092a864886f70d01010a3034a00f300d06096086480165"
                         "030402020500a11c301a06092a864886f70d010108300d060960"
                         "86480165030402020500a203020120",
        [MINT_SHA_256] = "304106092a864886f70d01010a3034a00f300d06096086480165"
                         "030402010500a11c301a06092a864886f70d010108300d060960"
                         "86480165030402010500a203020120",
        [MINT_PKCS1] = "300d06092a864886f70d01010c0500",
    };

    hex(d, text[alg]);
}

static void extension(struct mint_der *d, const struct mint_ext *e)
{
    static const uint8_t yes = 0xff;
    struct mint_der seq = {.n = 0};

    tlv(&seq, 0x06, e->oid, e->oid_size);
    if (e->critical) {
        tlv(&seq, 0x01, &yes, 1);
    }
    tlv(&seq, 0x04, e->value, e->value_size);
    wrap(d, 0x30, &seq);
}

static void extensions(struct mint_der *d, uint8_t tag,
                       const struct mint_ext *ext, size_t count)
{
    struct mint_der list = {.n = 0};
    struct mint_der seq = {.n = 0};

    if (count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        extension(&list, &ext[i]);
    }
    wrap(&seq, 0x30, &list);
    wrap(d, tag, &seq);
}

static void public_key(struct mint_der *d, const struct mint_cert *c)
{
    uint8_t *der = NULL;
    int n;

    if (c->spki.n > 0) {
        put(d, c->spki.b, c->spki.n);
        return;
    }
    n = i2d_PUBKEY(c->key, &der);
    assert_true(n > 0);
    put(d, der, (size_t)n);
    OPENSSL_free(der);
}

/* ---- signatures ---- */

static void pss(EVP_PKEY_CTX *ctx, int salt, const EVP_MD *md)
{
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING),
                     1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md), 1);
}

static void signature(struct mint_der *d, const struct mint_der *tbs,
                      enum mint_alg alg, EVP_PKEY *key)
{
    const EVP_MD *md = alg == MINT_SHA_256 ? EVP_sha256() : EVP_sha384();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    uint8_t bits[1 + 1024] = {0};
    size_t n = sizeof(bits) - 1;

    assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md, NULL, key), 1);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && alg != MINT_PKCS1) {
        pss(pctx, alg == MINT_FORM_A || alg == MINT_FORM_B ? 48 : 32, md);
    }
    assert_int_equal(EVP_DigestSign(ctx, bits + 1, &n, tbs->b, tbs->n), 1);
    tlv(d, 0x03, bits, n + 1);
    EVP_MD_CTX_free(ctx);
}

static void signed_object(const struct mint_der *body, enum mint_alg outer,
                          enum mint_alg alg, EVP_PKEY *signer,
                          struct mint_der *out)
{
    struct mint_der tbs = {.n = 0};
    struct mint_der all = {.n = 0};

    wrap(&tbs, 0x30, body);
    put(&all, tbs.b, tbs.n);
    algorithm(&all, outer);
    signature(&all, &tbs, alg, signer);
    out->n = 0;
    wrap(out, 0x30, &all);
}

void mint_cert_build(const struct mint_cert *c, struct mint_der *out)
{
    struct mint_der version = {.n = 0};
    struct mint_der validity = {.n = 0};
    struct mint_der body = {.n = 0};

    if (c->version != 0) {
        integer(&version, c->version);
        wrap(&body, 0xa0, &version);
    }
    integer(&body, c->serial);
    algorithm(&body, c->alg);
    name(&body, &c->issuer);
    tlv(&validity, 0x17, c->not_before, strlen(c->not_before));
    tlv(&validity, 0x17, c->not_after, strlen(c->not_after));
    wrap(&body, 0x30, &validity);
    name(&body, &c->subject);
    public_key(&body, c);
    extensions(&body, 0xa3, c->ext, c->ext_count);
    signed_object(&body, c->outer_alg_set ? c->outer_alg : c->alg, c->alg,
                  c->signer, out);
}

void mint_crl_build(const struct mint_crl *c, struct mint_der *out)
{
    struct mint_der revoked = {.n = 0};
    struct mint_der body = {.n = 0};

    integer(&body, 1);
    algorithm(&body, c->alg);
    name(&body, &c->issuer);
    tlv(&body, 0x17, c->this_update, strlen(c->this_update));
    if (c->next_update != NULL) {
        tlv(&body, 0x17, c->next_update, strlen(c->next_update));
    }
    for (size_t i = 0; i < c->revoked_count; i++) {
        struct mint_der row = {.n = 0};

        integer(&row, c->revoked[i]);
        tlv(&row, 0x17, "221031120000Z", 13);
        if (c->revoked_critical) {
            hex(&row, "300f300d0603551d150101ff04030a0101");
        }
        wrap(&revoked, 0x30, &row);
    }
    if (revoked.n > 0) {
        wrap(&body, 0x30, &revoked);
    }
    extensions(&body, 0xa0, c->ext, c->ext_count);
    signed_object(&body, c->alg, c->alg, c->signer, out);
}

char *mint_pem(const struct mint_der *der, const char *label)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p = NULL;
    char *text;
    long n;

    assert_true(PEM_write_bio(bio, label, "", der->b, (long)der->n) > 0);
    n = BIO_get_mem_data(bio, &p);
    text = malloc((size_t)n + 1);
    memcpy(text, p, (size_t)n);
    text[n] = '\0';
    BIO_free(bio);
    return text;
}

/* ---- extensions ---- */

void mint_ext_value(struct mint_ext *e, const char *value_hex)
{
    e->value_size = strlen(value_hex) / 2;
    assert_true(e->value_size <= sizeof(e->value));
    tst_hex(value_hex, e->value, e->value_size);
}

struct mint_ext *mint_ext_add(struct mint_cert *c, const char *oid_hex,
                              const char *value_hex)
{
    struct mint_ext *e = &c->ext[c->ext_count++];

    assert_true(c->ext_count <= MINT_EXT_MAX);
    memset(e, 0, sizeof(*e));
    e->oid_size = strlen(oid_hex) / 2;
    tst_hex(oid_hex, e->oid, e->oid_size);
    mint_ext_value(e, value_hex);
    return e;
}

void mint_ext_integer(struct mint_ext *e, uint8_t v)
{
    const uint8_t small[] = {0x02, 1, v};
    const uint8_t large[] = {0x02, 2, 0, v};

    e->value_size = v < 0x80 ? sizeof(small) : sizeof(large);
    memcpy(e->value, v < 0x80 ? small : large, e->value_size);
}

static size_t amd_oid(uint8_t arc1, uint8_t arc2, uint8_t oid[16])
{
    tst_hex(AMD_ARC_HEX, oid, 8);
    oid[8] = arc1;
    oid[9] = arc2;
    return arc2 != 0 ? 10 : 9;
}

struct mint_ext *mint_amd_ext(struct mint_cert *c, uint8_t arc1, uint8_t arc2)
{
    uint8_t oid[16];
    size_t n = amd_oid(arc1, arc2, oid);

    for (size_t i = 0; i < c->ext_count; i++) {
        if (c->ext[i].oid_size == n && memcmp(c->ext[i].oid, oid, n) == 0) {
            return &c->ext[i];
        }
    }
    fail_msg("mint: no extension .%u.%u", arc1, arc2);
    abort();
}

void mint_ext_drop(struct mint_cert *c, struct mint_ext *e)
{
    size_t i = (size_t)(e - c->ext);

    memmove(e, e + 1, (c->ext_count - i - 1) * sizeof(*e));
    c->ext_count--;
}

static struct mint_ext *amd_add(struct mint_cert *c, uint8_t arc1, uint8_t arc2)
{
    struct mint_ext *e = mint_ext_add(c, "", "");

    e->oid_size = amd_oid(arc1, arc2, e->oid);
    return e;
}

static void amd_add_ia5(struct mint_cert *c, uint8_t arc1, const char *text)
{
    struct mint_ext *e = amd_add(c, arc1, 0);
    size_t n = strlen(text);

    assert_true(n + 2 <= sizeof(e->value));
    e->value[0] = 0x16;
    e->value[1] = (uint8_t)n;
    memcpy(e->value + 2, text, n);
    e->value_size = n + 2;
}

/* ---- good ones ---- */

__attribute__((format(printf, 2, 0))) static void
name_cn(struct mint_name *n, const char *fmt, const char *product)
{
    snprintf(n->cn, sizeof(n->cn), fmt, product);
}

static void ca(struct mint_cert *c, EVP_PKEY *key, EVP_PKEY *signer,
               uint32_t serial)
{
    memset(c, 0, sizeof(*c));
    c->version = 2;
    c->serial = serial;
    c->not_before = "240101000000Z";
    c->not_after = "490101000000Z";
    c->key = key;
    c->signer = signer;
}

void mint_ark(struct mint_cert *c, const char *product, EVP_PKEY *key)
{
    ca(c, key, key, 0x53010000);
    name_cn(&c->subject, "ARK-%s", product);
    c->issuer = c->subject;
    mint_ext_add(c, "551d0f", "03020106")->critical = true;
    mint_ext_add(c, "551d13", "30030101ff")->critical = true;
}

static void sub_ca(struct mint_cert *c, const char *product, EVP_PKEY *key,
                   EVP_PKEY *ark, uint32_t serial)
{
    ca(c, key, ark, serial);
    name_cn(&c->issuer, "ARK-%s", product);
    mint_ext_add(c, "551d13", "30060101ff020100")->critical = true;
    mint_ext_add(c, "551d0f", "03020204")->critical = true;
}

void mint_ask(struct mint_cert *c, const char *product, EVP_PKEY *key,
              EVP_PKEY *ark)
{
    sub_ca(c, product, key, ark, 0x53010001);
    name_cn(&c->subject, "SEV-%s", product);
}

void mint_asvk(struct mint_cert *c, const char *product, EVP_PKEY *key,
               EVP_PKEY *ark)
{
    sub_ca(c, product, key, ark, 0x53010101);
    name_cn(&c->subject, "SEV-VLEK-%s", product);
}

static void spls(struct mint_cert *c, bool turin, const struct psp_tcb *tcb)
{
    /* Arc of each component and its byte in TCB_VERSION, in certificate order.
     */
    static const uint8_t milan[][2] = {{1, 0}, {2, 1}, {4, 2}, {5, 3},
                                       {6, 4}, {7, 5}, {3, 6}, {8, 7}};
    static const uint8_t late[][2] = {{9, 0}, {1, 1}, {2, 2}, {3, 3},
                                      {5, 4}, {6, 5}, {7, 6}, {8, 7}};

    for (size_t i = 0; i < 8; i++) {
        const uint8_t *row = turin ? late[i] : milan[i];

        mint_ext_integer(amd_add(c, 3, row[0]), tcb->b[row[1]]);
    }
}

static void leaf(struct mint_cert *c, enum psp_generation generation,
                 const char *product_name, const struct psp_tcb *tcb,
                 EVP_PKEY *key, EVP_PKEY *signer)
{
    ca(c, key, signer, 0);
    mint_ext_integer(amd_add(c, 1, 0), generation == PSP_TURIN ? 1 : 0);
    amd_add_ia5(c, 2, product_name);
    spls(c, generation == PSP_TURIN, tcb);
}

void mint_vcek(struct mint_cert *c, enum psp_generation generation,
               const uint8_t chip_id[64], const struct psp_tcb *tcb,
               EVP_PKEY *key, EVP_PKEY *ask)
{
    struct mint_ext *id;

    leaf(c, generation,
         generation == PSP_MILAN ? "Milan-B0" : psp_generation_name(generation),
         tcb, key, ask);
    name_cn(&c->subject, "%s", "SEV-VCEK");
    name_cn(&c->issuer, "SEV-%s", psp_generation_name(generation));
    id = amd_add(c, 4, 0);
    id->value_size = generation == PSP_TURIN ? 8 : 64;
    memcpy(id->value, chip_id, id->value_size);
}

void mint_vlek(struct mint_cert *c, enum psp_generation generation,
               const char *csp_id, const struct psp_tcb *tcb, EVP_PKEY *key,
               EVP_PKEY *asvk)
{
    leaf(c, generation, psp_generation_name(generation), tcb, key, asvk);
    name_cn(&c->subject, "%s", "SEV-VLEK");
    name_cn(&c->issuer, "SEV-VLEK-%s", psp_generation_name(generation));
    amd_add_ia5(c, 5, csp_id);
}

void mint_crl(struct mint_crl *c, const char *product, EVP_PKEY *ark)
{
    memset(c, 0, sizeof(*c));
    name_cn(&c->issuer, "ARK-%s", product);
    c->this_update = "250101000000Z";
    c->next_update = "350101000000Z";
    c->signer = ark;
}

/* ---- keys and reports ---- */

EVP_PKEY *mint_key_file(const char *path)
{
    FILE *f = fopen(path, "r");
    EVP_PKEY *key = f != NULL ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

    if (key == NULL) {
        fail_msg("no key in %s", path);
    }
    fclose(f);
    return key;
}

EVP_PKEY *mint_ec_key(const char *group)
{
    EVP_PKEY *key = EVP_EC_gen(group);

    assert_non_null(key);
    return key;
}

void mint_sign_report(uint8_t report[SNP_REPORT_SIZE], EVP_PKEY *key)
{
    uint8_t *out = report + SNP_REPORT_SIGNED_SIZE;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[160];
    const uint8_t *p = der;
    size_t n = sizeof(der);
    ECDSA_SIG *sig;

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key), 1);
    assert_int_equal(
        EVP_DigestSign(ctx, der, &n, report, SNP_REPORT_SIGNED_SIZE), 1);
    sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
    assert_non_null(sig);
    memset(out, 0, SNP_SIGNATURE_SIZE);
    assert_true(BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), out, 72) == 72);
    assert_true(BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), out + 72, 72) == 72);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
}

static void cpuid(struct snp_report *r, enum psp_generation generation)
{
    r->cpuid_fam_id = generation == PSP_TURIN ? 0x1a : 0x19;
    r->cpuid_mod_id = generation == PSP_MILAN   ? 0x01
                      : generation == PSP_GENOA ? 0x11
                                                : 0x02;
    r->cpuid_step = 1;
}

void mint_report(struct snp_report *r, enum psp_generation generation)
{
    const struct psp_tcb milan = {{0x04, 0, 0, 0, 0, 0, 0x18, 0xdb}};
    const struct psp_tcb turin = {{0x01, 0x01, 0x01, 0x04, 0, 0, 0, 0x51}};
    const struct psp_tcb *tcb = generation == PSP_TURIN ? &turin : &milan;

    memset(r, 0, sizeof(*r));
    r->version = generation == PSP_TURIN ? 5 : 3;
    r->policy = 0x30000;
    r->signature_algo = 1;
    r->platform_info = 0x25;
    r->current_tcb = *tcb;
    r->reported_tcb = *tcb;
    r->committed_tcb = *tcb;
    r->launch_tcb = *tcb;
    cpuid(r, generation);
    r->current = (struct snp_version){29, 55, 1};
    r->committed = r->current;
    memset(r->report_data, 0xd1, sizeof(r->report_data));
    memset(r->measurement, 0x3e, sizeof(r->measurement));
    memset(r->host_data, 0x40, sizeof(r->host_data));
    memset(r->report_id, 0x1d, sizeof(r->report_id));
    memset(r->report_id_ma, 0xff, sizeof(r->report_id_ma));
    memset(r->chip_id, 0xc1, generation == PSP_TURIN ? 8 : 64);
}
