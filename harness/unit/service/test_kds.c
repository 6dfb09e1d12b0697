/* SPDX-License-Identifier: Apache-2.0 */
/* What a key server answers: against the factory, the firmware's keys, and the
 * verifier's readers. */
#include "kds.h"
#include "kds_cache.h"
#include "sev_pki.h"
#include "tst.h"

#include <openssl/x509.h>
#include <pthread.h>
#include <unistd.h>

#define NOW 1790000000ull /* September 2026 */
#define DAY 86400u

static struct kds *kds;

static struct kds *open_kds(const struct kds_config *more)
{
    struct kds_config config = *more;
    struct kds *k = NULL;

    config.seed = PKI_DEV_SEED;
    assert_int_equal(kds_open(&config, &k), PSP_OK);
    return k;
}

static int setup(void **state)
{
    (void)state;
    kds = open_kds(&(struct kds_config){.chip_count = 3});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kds_close(kds);
    return 0;
}

static void ask(struct kds *k, const char *path, const char *query,
                struct kds_answer *out)
{
    kds_answer(k,
               &(struct kds_ask){
                   .method = "GET", .path = path, .query = query, .now = NOW},
               out);
}

static void hex(char *out, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        sprintf(out + 2 * i, "%02x", data[i]);
    }
}

static void chip_of(enum psp_generation g, uint32_t index,
                    struct psp_chip *chip)
{
    pki_chip_make(PKI_DEV_SEED, g, index, chip);
}

static void vcek_path(char out[256], enum psp_generation g,
                      const struct psp_chip *chip)
{
    int n = sprintf(out, "/vcek/v1/%s/", psp_generation_name(g));

    hex(out + n, chip->id, g == PSP_TURIN ? 8 : 64);
}

/* The public key that firmware of this chip signs with at this TCB, in DER. */
static void firmware_point(const struct psp_chip *chip,
                           const struct psp_tcb *tcb, uint8_t point[97])
{
    uint8_t seed[48];
    struct psp_p384_key key;

    pki_vcek_seed(chip->secret, tcb, seed);
    assert_int_equal(pki_vcek_from_seed(seed, &key), PSP_OK);
    point[0] = 4;
    memcpy(point + 1, key.pub.x, 48);
    memcpy(point + 49, key.pub.y, 48);
}

static bool holds(const struct kds_answer *a, const uint8_t *part, size_t size)
{
    return memmem(a->body, a->size, part, size) != NULL;
}

static void check_ok(const struct kds_answer *a, const char *type,
                     const char *disposition)
{
    assert_int_equal(a->status, 200);
    assert_string_equal(a->content_type, type);
    if (disposition == NULL) {
        assert_null(a->disposition);
    } else {
        assert_string_equal(a->disposition, disposition);
    }
    assert_true(a->size > 0);
}

static void vcek_of(enum psp_generation g, uint32_t index, const char *query,
                    const char *tcb_hex)
{
    struct psp_chip chip;
    struct psp_tcb tcb;
    struct kds_answer a;
    uint8_t point[97];
    char path[256];

    chip_of(g, index, &chip);
    tst_hex(tcb_hex, tcb.b, 8);
    vcek_path(path, g, &chip);
    ask(kds, path, query, &a);
    check_ok(&a, "application/pkix-cert", "attachment; filename=\"vcek.crt\"");
    firmware_point(&chip, &tcb, point);
    assert_true(holds(&a, point, sizeof(point)));
    assert_true(holds(&a, chip.id, g == PSP_TURIN ? 8 : 64));
    kds_answer_clear(&a);
}

static void vcek__any_tcb__is_the_firmwares_key(void **state)
{
    (void)state;
    vcek_of(PSP_MILAN, 0, "blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219",
            "04000000000018db");
    vcek_of(PSP_GENOA, 1, "blSPL=10&snpSPL=23&ucodeSPL=84", "0a00000000001754");
    vcek_of(PSP_TURIN, 2, "fmcSPL=1&blSPL=1&teeSPL=1&snpSPL=4&ucodeSPL=81",
            "0101010400000051");
}

static void vcek__tcb_above_any_firmware__is_served(void **state)
{
    (void)state;
    vcek_of(PSP_MILAN, 0, "blSPL=127&teeSPL=127&snpSPL=127&ucodeSPL=255",
            "7f7f000000007fff");
    vcek_of(PSP_MILAN, 0, NULL, "0000000000000000");
}

static void vcek__upper_case_hwid__same_certificate(void **state)
{
    struct psp_chip chip;
    struct kds_answer a, b;
    char path[256];

    (void)state;
    chip_of(PSP_MILAN, 0, &chip);
    vcek_path(path, PSP_MILAN, &chip);
    ask(kds, path, NULL, &a);
    for (char *p = path + strlen("/vcek/v1/Milan/"); *p != '\0'; p++) {
        *p = *p >= 'a' ? (char)(*p - 32) : *p;
    }
    ask(kds, path, "ucodeSPL=0", &b);
    assert_int_equal(b.status, 200);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.body, b.body, a.size);
    kds_answer_clear(&a);
    kds_answer_clear(&b);
}

static void not_found(const char *path)
{
    struct kds_answer a;

    ask(kds, path, NULL, &a);
    assert_int_equal(a.status, 404);
    assert_string_equal(a.content_type, "text/plain");
    assert_true(a.size > 1 && a.size < 27); /* no PEM, no DER is so short */
    assert_int_equal(a.body[a.size - 1], '\n');
    kds_answer_clear(&a);
}

static void vcek__chip_that_does_not_exist__not_found(void **state)
{
    struct psp_chip chip;
    char path[256];

    (void)state;
    chip_of(PSP_MILAN, 3, &chip); /* one past the last */
    vcek_path(path, PSP_MILAN, &chip);
    not_found(path);
    chip_of(PSP_GENOA, 0, &chip); /* another generation's */
    vcek_path(path, PSP_MILAN, &chip);
    not_found(path);
    memset(chip.id, 0, sizeof(chip.id)); /* a masked report's */
    vcek_path(path, PSP_MILAN, &chip);
    not_found(path);
    vcek_path(path, PSP_TURIN, &chip);
    not_found(path);
}

static void vlek__any_tcb__is_the_firmwares_key(void **state)
{
    const struct psp_tcb tcb = {{4, 0, 0, 0, 0, 0, 0x18, 0xdb}};
    struct psp_p384_key key;
    struct kds_answer a;
    uint8_t seed[48];

    (void)state;
    ask(kds, "/vlek/v1/Milan/cert", "blSPL=4&snpSPL=24&ucodeSPL=219", &a);
    check_ok(&a, "application/pkix-cert", "attachment; filename=\"vlek.crt\"");
    pki_vlek_seed(PKI_DEV_SEED, PSP_MILAN, PKI_CSP_ID, &tcb, seed);
    assert_int_equal(pki_vlek_from_seed(seed, &key), PSP_OK);
    assert_true(holds(&a, key.pub.x, 48) && holds(&a, key.pub.y, 48));
    kds_answer_clear(&a);
}

static const char BEGIN[] = "-----BEGIN CERTIFICATE-----\n";
static const char END[] = "-----END CERTIFICATE-----\n";

/* The next block of a chain: exact lines, nothing in between. */
static const char *check_block(const char *p, const char *cn)
{
    const char *end = strstr(p, END);
    const unsigned char *at;
    unsigned char der[4096];
    char name[128];
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    X509 *cert;
    int n = 0, tail = 0;

    assert_memory_equal(p, BEGIN, strlen(BEGIN));
    p += strlen(BEGIN);
    assert_non_null(end);
    for (const char *line = p; line < end;) {
        size_t width = strcspn(line, "\n");

        assert_true(width == 64 || line + width + 1 == end);
        line += width + 1;
    }
    EVP_DecodeInit(ctx);
    assert_true(EVP_DecodeUpdate(ctx, der, &n, (const unsigned char *)p,
                                 (int)(end - p)) >= 0);
    assert_int_equal(EVP_DecodeFinal(ctx, der + n, &tail), 1);
    EVP_ENCODE_CTX_free(ctx);
    at = der;
    cert = d2i_X509(NULL, &at, n + tail);
    assert_non_null(cert);
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                              sizeof(name));
    assert_string_equal(name, cn);
    X509_free(cert);
    return end + strlen(END);
}

static void check_chain(const char *path, const char *first, const char *second)
{
    struct kds_answer a;
    char *text;
    const char *p;

    ask(kds, path, NULL, &a);
    check_ok(&a, "application/x-pem-file",
             "attachment; filename=\"cert_chain\"");
    assert_null(memchr(a.body, '\r', a.size));
    text = calloc(1, a.size + 1);
    memcpy(text, a.body, a.size);
    p = check_block(text, first);
    p = check_block(p, second);
    assert_ptr_equal(p, text + a.size); /* zero bytes after the second */
    free(text);
    kds_answer_clear(&a);
}

static void chains__every_product__issuer_then_ark_and_nothing_else(void **s)
{
    (void)s;
    check_chain("/vcek/v1/Milan/cert_chain", "SEV-Milan", "ARK-Milan");
    check_chain("/vcek/v1/Genoa/cert_chain", "SEV-Genoa", "ARK-Genoa");
    check_chain("/vcek/v1/Turin/cert_chain", "SEV-Turin", "ARK-Turin");
    check_chain("/vlek/v1/Milan/cert_chain", "SEV-VLEK-Milan", "ARK-Milan");
    check_chain("/vlek/v1/Turin/cert_chain", "SEV-VLEK-Turin", "ARK-Turin");
}

static void crl_at(struct kds *k, uint64_t now, struct kds_answer *a)
{
    kds_answer(k,
               &(struct kds_ask){
                   .method = "GET", .path = "/vcek/v1/Milan/crl", .now = now},
               a);
    check_ok(a, "application/pkix-crl", "attachment; filename=\"crl\"");
}

static X509_CRL *parse_crl(const struct kds_answer *a)
{
    const unsigned char *p = a->body;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)a->size);

    assert_non_null(crl);
    assert_ptr_equal(p, a->body + a->size);
    return crl;
}

static long crl_number(X509_CRL *crl)
{
    ASN1_INTEGER *n = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    long v = ASN1_INTEGER_get(n);

    ASN1_INTEGER_free(n);
    return v;
}

static void crl__same_day_and_next__same_bytes_and_next_number(void **state)
{
    uint64_t morning = NOW / DAY * DAY;
    struct kds_answer a, b, c;
    X509_CRL *first, *next;

    (void)state;
    crl_at(kds, morning, &a);
    crl_at(kds, morning + DAY - 1, &b);
    crl_at(kds, morning + DAY, &c);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.body, b.body, a.size);
    first = parse_crl(&a);
    next = parse_crl(&c);
    assert_int_equal(crl_number(next), crl_number(first) + 1);
    assert_null(X509_CRL_get_REVOKED(first));
    X509_CRL_free(first);
    X509_CRL_free(next);
    kds_answer_clear(&a);
    kds_answer_clear(&b);
    kds_answer_clear(&c);
}

static void crl__of_vcek_and_vlek__same_list(void **state)
{
    struct kds_answer a, b;

    (void)state;
    ask(kds, "/vcek/v1/Genoa/crl", NULL, &a);
    ask(kds, "/vlek/v1/Genoa/crl", NULL, &b);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.body, b.body, a.size);
    kds_answer_clear(&a);
    kds_answer_clear(&b);
}

static void crl__revoked_ask__is_listed(void **state)
{
    struct kds *k =
        open_kds(&(struct kds_config){.chip_count = 1, .revoke_ask = true});
    struct kds_answer a;
    X509_CRL *crl;

    (void)state;
    crl_at(k, NOW, &a);
    crl = parse_crl(&a);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 1);
    X509_CRL_free(crl);
    kds_answer_clear(&a);
    kds_close(k);
}

static void crl__after_2049__is_a_server_error(void **state)
{
    struct kds_answer a;

    (void)state;
    kds_answer(kds,
               &(struct kds_ask){.method = "GET",
                                 .path = "/vcek/v1/Milan/crl",
                                 .now = 2600000000u},
               &a);
    assert_int_equal(a.status, 500);
    assert_true(a.size < 27 + 32);
    kds_answer_clear(&a);
}

static void cek__every_generation__as_the_factory_signs_it(void **state)
{
    (void)state;
    for (int g = 0; g < PSP_GENERATION_COUNT; g++) {
        uint8_t want[SEV_CERT_SIZE];
        struct pki_ca *ca = NULL;
        struct psp_chip chip;
        struct kds_answer a;
        char path[256] = "/cek/id/";

        chip_of((enum psp_generation)g, 1, &chip);
        hex(path + strlen(path), chip.id, 64);
        ask(kds, path, NULL, &a);
        check_ok(&a, "application/octet-stream", NULL);
        assert_int_equal(pki_ca_open(PKI_DEV_SEED, (enum psp_generation)g,
                                     PKI_SIMULATED, NULL, &ca),
                         PSP_OK);
        assert_int_equal(pki_cek_cert(ca, &chip, want), PSP_OK);
        assert_int_equal(a.size, sizeof(want));
        assert_memory_equal(a.body, want, sizeof(want));
        kds_answer_clear(&a);
        pki_ca_close(ca);
    }
}

static void cek__id_as_get_id_gives_it_on_turin__same_certificate(void **state)
{
    char path[256] = "/cek/id/";
    struct kds_answer a, b;
    struct psp_chip chip;

    (void)state;
    chip_of(PSP_TURIN, 1, &chip);
    hex(path + strlen(path), chip.id, 64);
    ask(kds, path, NULL, &a);
    path[strlen("/cek/id/") + 16] = '\0';
    ask(kds, path, NULL, &b);
    check_ok(&b, "application/octet-stream", NULL);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.body, b.body, a.size);
    kds_answer_clear(&a);
    kds_answer_clear(&b);
    chip_of(PSP_MILAN, 1, &chip); /* its first 8 bytes name nobody */
    hex(path + strlen("/cek/id/"), chip.id, 8);
    ask(kds, path, NULL, &a);
    assert_int_equal(a.status, 400);
    kds_answer_clear(&a);
}

static void cek__unknown_id__bad_request(void **state)
{
    char path[256] = "/cek/id/";
    struct kds_answer a;

    (void)state;
    memset(path + strlen(path), '0', 128);
    ask(kds, path, NULL, &a);
    assert_int_equal(a.status, 400);
    kds_answer_clear(&a);
}

static void ask_ark__every_generation__both_certificates(void **state)
{
    static const char *const names[] = {"naples", "rome", "milan", "genoa",
                                        "turin"};

    (void)state;
    for (int g = 0; g < PSP_GENERATION_COUNT; g++) {
        char path[128];
        struct kds_answer a;

        sprintf(path, "/developer/eula/sev/ask_ark_%s.cert", names[g]);
        ask(kds, path, NULL, &a);
        check_ok(&a, "application/octet-stream", NULL);
        assert_int_equal(a.size, g == PSP_NAPLES ? 1664 : 3200);
        assert_int_equal(a.body[36], 0x13);              /* ASK first */
        assert_int_equal(a.body[a.size / 2 + 36], 0x00); /* ARK */
        kds_answer_clear(&a);
    }
}

static void post(const char *query, const char *body, struct kds_answer *a)
{
    uint8_t *copy = tst_dup(body, strlen(body));

    kds_answer(kds,
               &(struct kds_ask){.method = "POST",
                                 .path = "/vlek/v1/Milan/hash_sticks",
                                 .query = query,
                                 .body = copy,
                                 .body_size = strlen(body),
                                 .now = NOW},
               a);
    free(copy);
}

/* The stick given for @id, 864 digits after the id. */
static void stick_of(const struct kds_answer *a, const char *id,
                     uint8_t out[PKI_HASHSTICK_SIZE])
{
    char *text = calloc(1, a->size + 1);
    char key[300], digits[2 * PKI_HASHSTICK_SIZE + 1] = "";
    const char *at;

    memcpy(text, a->body, a->size);
    sprintf(key, "{\"%s\":\"", id);
    at = strstr(text, key);
    assert_non_null(at);
    strncpy(digits, at + strlen(key), 2 * PKI_HASHSTICK_SIZE);
    tst_hex(digits, out, PKI_HASHSTICK_SIZE);
    free(text);
}

static void hash_sticks__known_chips__unwrap_to_the_vlek(void **state)
{
    const struct psp_tcb tcb = {{4, 0, 0, 0, 0, 0, 0x18, 0xdb}};
    uint8_t stick[PKI_HASHSTICK_SIZE], seed[48], got[48], want[48];
    char body[512], ids[2][129];
    struct psp_chip chip[2];
    struct kds_answer a;

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        chip_of(PSP_MILAN, i, &chip[i]);
        hex(ids[i], chip[i].id, 64);
    }
    sprintf(body, "{\"hwids\":[\"%s\",\"%s\"]}", ids[0], ids[1]);
    post("blSPL=4&snpSPL=24&ucodeSPL=219", body, &a);
    check_ok(&a, "application/json", NULL);
    pki_vlek_seed(PKI_DEV_SEED, PSP_MILAN, PKI_CSP_ID, &tcb, want);
    for (int i = 0; i < 2; i++) {
        stick_of(&a, ids[i], stick);
        pki_vcek_seed(chip[i].secret, &tcb, seed);
        assert_int_equal(pki_vlek_unwrap(seed, stick, got), PSP_OK);
        assert_memory_equal(got, want, 48);
    }
    kds_answer_clear(&a);
}

static void hash_sticks__unknown_chips__not_found_each(void **state)
{
    static const char want[] =
        "{\"results\":[{\"00\":\"not found\"},{\"cert_chain\":\"not found\"},"
        "{\"\":\"not found\"}]}";
    struct kds_answer a;

    (void)state;
    post(NULL, "{\"hwids\":[\"00\",\"cert_chain\",\"\"]}", &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.size, strlen(want));
    assert_memory_equal(a.body, want, a.size);
    kds_answer_clear(&a);
    post(NULL, "{\"hwids\":[]}", &a);
    assert_int_equal(a.status, 200);
    assert_memory_equal(a.body, "{\"results\":[]}", a.size);
    kds_answer_clear(&a);
}

static void hash_sticks__bad_body__bad_request(void **state)
{
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"hwids\":1}",
        "{\"hwids\":[1]}",
        "{\"hwids\":[null]}",
        "{\"hwids\":\"00\"}",
        "\xff\xfe",
        "{\"hwids\":[],\"hwids\":[]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct kds_answer a;

        post(NULL, bodies[i], &a);
        assert_int_equal(a.status, 400);
        kds_answer_clear(&a);
    }
}

static void hash_sticks__too_many__bad_request(void **state)
{
    char *body = calloc(1, 8 * 1024);
    struct kds_answer a;

    (void)state;
    strcpy(body, "{\"hwids\":[\"\"");
    for (int i = 0; i < 1024; i++) {
        strcat(body, ",\"\"");
    }
    strcat(body, "]}");
    post(NULL, body, &a);
    assert_int_equal(a.status, 400);
    kds_answer_clear(&a);
    free(body);
}

static void wrong_method__allow_names_the_right_one(void **state)
{
    struct kds_answer a;

    (void)state;
    kds_answer(kds,
               &(struct kds_ask){
                   .method = "POST", .path = "/vcek/v1/Milan/crl", .now = NOW},
               &a);
    assert_int_equal(a.status, 405);
    assert_string_equal(a.allow, "GET, HEAD");
    kds_answer_clear(&a);
    ask(kds, "/vlek/v1/Milan/hash_sticks", NULL, &a);
    assert_int_equal(a.status, 405);
    assert_string_equal(a.allow, "POST");
    kds_answer_clear(&a);
}

static void twisted(struct kds *k, const char *path, enum kds_twist twist,
                    struct kds_answer *out)
{
    kds_answer(k,
               &(struct kds_ask){
                   .method = "GET", .path = path, .now = NOW, .twist = twist},
               out);
}

static void same(const struct kds_answer *a, const struct kds_answer *b,
                 bool equal)
{
    assert_int_equal(a->status, b->status);
    assert_int_equal(
        a->size == b->size && memcmp(a->body, b->body, a->size) == 0, equal);
}

static void twist__other_tcb_and_reversed__signed_but_wrong(void **state)
{
    const struct psp_tcb zero = {{0}}, one = {{0, 0, 0, 0, 0, 0, 0, 1}};
    struct psp_chip chip;
    struct kds_answer a, b;
    uint8_t point[97];
    char path[256];

    (void)state;
    chip_of(PSP_MILAN, 0, &chip);
    vcek_path(path, PSP_MILAN, &chip);
    twisted(kds, path, KDS_OTHER_TCB, &a);
    firmware_point(&chip, &one, point);
    assert_true(holds(&a, point, sizeof(point)));
    firmware_point(&chip, &zero, point);
    assert_false(holds(&a, point, sizeof(point)));
    kds_answer_clear(&a);
    twisted(kds, "/vcek/v1/Milan/cert_chain", KDS_REVERSED, &a);
    ask(kds, "/vcek/v1/Milan/cert_chain", NULL, &b);
    assert_int_equal(a.size, b.size);
    same(&a, &b, false);
    kds_answer_clear(&a);
    kds_answer_clear(&b);
}

/* Of the last chip too, whose next one is not served; and kept answers of one
 * way are not those of another. */
static void twist__other_chip__the_next_ones_certificate(void **state)
{
    static const char *const chain = "/vcek/v1/Milan/cert_chain";
    struct kds *more = open_kds(&(struct kds_config){.chip_count = 4});
    struct kds_answer a, b, c;
    struct psp_chip chip;
    char path[256], next[256], cek[256] = "/cek/id/", next_cek[256];

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        chip_of(PSP_TURIN, i + 1, &chip);
        vcek_path(next, PSP_TURIN, &chip);
        sprintf(next_cek, "/cek/id/");
        hex(next_cek + strlen(next_cek), chip.id, 64);
        chip_of(PSP_TURIN, i, &chip);
        vcek_path(path, PSP_TURIN, &chip);
        hex(cek + strlen("/cek/id/"), chip.id, 64);
        for (int twice = 0; twice < 2; twice++) {
            twisted(kds, path, KDS_OTHER_CHIP, &a);
            ask(more, next, NULL, &b);
            ask(kds, path, NULL, &c);
            same(&a, &b, true);
            same(&a, &c, false);
            kds_answer_clear(&a);
            kds_answer_clear(&b);
            kds_answer_clear(&c);
            twisted(kds, cek, KDS_OTHER_CHIP, &a);
            ask(more, next_cek, NULL, &b);
            same(&a, &b, true);
            kds_answer_clear(&a);
            kds_answer_clear(&b);
        }
    }
    ask(kds, next, NULL, &a); /* still nobody's */
    assert_int_equal(a.status, 404);
    kds_answer_clear(&a);
    twisted(kds, chain, KDS_OTHER_CHIP, &a);
    ask(kds, chain, NULL, &b);
    same(&a, &b, true);
    kds_answer_clear(&a);
    kds_answer_clear(&b);
    kds_close(more);
}

static void open__bad_config__refused(void **state)
{
    char csp[PKI_CSP_ID_MAX + 2];
    struct kds_config config = {.seed = PKI_DEV_SEED,
                                .chip_count = KDS_CHIP_LIMIT + 1};
    struct kds *k = NULL;

    (void)state;
    memset(csp, 'x', sizeof(csp) - 1);
    csp[sizeof(csp) - 1] = '\0';
    assert_int_equal(kds_open(&config, &k), PSP_E_PARAM);
    config.chip_count = 1;
    config.csp_id = csp;
    assert_int_equal(kds_open(&config, &k), PSP_E_PARAM);
    config.csp_id = NULL;
    config.product_name = "Rome";
    assert_int_equal(kds_open(&config, &k), PSP_E_PARAM);
    assert_null(k);
}

/* Failing key store: every answer that needs a key is a 500. */
static int fail_load(void *ctx, const char *name, uint8_t **der, size_t *size)
{
    (void)ctx;
    (void)name;
    (void)der;
    (void)size;
    return -1;
}

static int fail_save(void *ctx, const char *name, const uint8_t *der,
                     size_t size)
{
    (void)ctx;
    (void)name;
    (void)der;
    (void)size;
    return -1;
}

static void note(void *ctx, enum psp_err err)
{
    *(enum psp_err *)ctx = err;
}

static void store__fails__server_error(void **state)
{
    static const uint8_t seed[PSP_SEED_SIZE] = {1};
    const struct pki_key_store store = {.load = fail_load, .save = fail_save};
    enum psp_err why = PSP_OK;
    struct kds_config config = {
        .seed = seed,
        .store = &store,
        .chip_count = 1,
        .failed = note,
        .ctx = &why,
    };
    struct kds_answer a;
    struct kds *k = NULL;

    (void)state;
    assert_int_equal(kds_open(&config, &k), PSP_OK);
    ask(k, "/vcek/v1/Milan/cert_chain", NULL, &a);
    assert_int_equal(a.status, 500);
    assert_int_equal(why, PSP_E_HOST);
    assert_string_equal(a.content_type, "text/plain");
    kds_answer_clear(&a);
    kds_close(k);
}

#define THREADS 4
static void *hammer(void *arg)
{
    struct psp_chip chip;
    char path[256], query[32];

    chip_of(PSP_MILAN, 0, &chip);
    vcek_path(path, PSP_MILAN, &chip);
    for (int i = 0; i < 40; i++) {
        struct kds_answer a;

        sprintf(query, "ucodeSPL=%d", i % 5);
        ask(kds, i % 4 == 3 ? "/vcek/v1/Genoa/cert_chain" : path,
            i % 4 == 3 ? NULL : query, &a);
        if (a.status != 200) {
            *(int *)arg = 1;
        }
        kds_answer_clear(&a);
    }
    return NULL;
}

static void threads__at_once__all_answered(void **state)
{
    pthread_t t[THREADS];
    int bad[THREADS] = {0};

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, hammer, &bad[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(bad[i], 0);
    }
}

static void key_of(uint8_t key[KDS_CACHE_KEY_SIZE], int n)
{
    memset(key, 0, KDS_CACHE_KEY_SIZE);
    memcpy(key, &n, sizeof(n));
}

static int cached(const struct kds_cache *cache, int n)
{
    uint8_t key[KDS_CACHE_KEY_SIZE];
    size_t size = 0;
    uint8_t *data;
    int value = -1;

    key_of(key, n);
    data = kds_cache_get(cache, key, &size);
    if (data != NULL) {
        assert_int_equal(size, sizeof(value));
        memcpy(&value, data, sizeof(value));
    }
    free(data);
    return value;
}

static void cache__full__oldest_goes_first(void **state)
{
    struct kds_cache *cache = kds_cache_new(8);
    uint8_t key[KDS_CACHE_KEY_SIZE];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        key_of(key, i);
        kds_cache_put(cache, key, (const uint8_t *)&i, sizeof(i));
        for (int j = 0; j <= i; j++) {
            assert_int_equal(cached(cache, j), j > i - 8 ? j : -1);
        }
    }
    kds_cache_free(cache);
}

static void cache__same_key_again__first_value_stays(void **state)
{
    struct kds_cache *cache = kds_cache_new(2);
    uint8_t key[KDS_CACHE_KEY_SIZE];
    int a = 1, b = 2;

    (void)state;
    key_of(key, 7);
    kds_cache_put(cache, key, (const uint8_t *)&a, sizeof(a));
    kds_cache_put(cache, key, (const uint8_t *)&b, sizeof(b));
    assert_int_equal(cached(cache, 7), 1);
    kds_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vcek__any_tcb__is_the_firmwares_key),
        cmocka_unit_test(vcek__tcb_above_any_firmware__is_served),
        cmocka_unit_test(vcek__upper_case_hwid__same_certificate),
        cmocka_unit_test(vcek__chip_that_does_not_exist__not_found),
        cmocka_unit_test(vlek__any_tcb__is_the_firmwares_key),
        cmocka_unit_test(
            chains__every_product__issuer_then_ark_and_nothing_else),
        cmocka_unit_test(crl__same_day_and_next__same_bytes_and_next_number),
        cmocka_unit_test(crl__of_vcek_and_vlek__same_list),
        cmocka_unit_test(crl__revoked_ask__is_listed),
        cmocka_unit_test(crl__after_2049__is_a_server_error),
        cmocka_unit_test(cek__every_generation__as_the_factory_signs_it),
        cmocka_unit_test(cek__id_as_get_id_gives_it_on_turin__same_certificate),
        cmocka_unit_test(cek__unknown_id__bad_request),
        cmocka_unit_test(ask_ark__every_generation__both_certificates),
        cmocka_unit_test(hash_sticks__known_chips__unwrap_to_the_vlek),
        cmocka_unit_test(hash_sticks__unknown_chips__not_found_each),
        cmocka_unit_test(hash_sticks__bad_body__bad_request),
        cmocka_unit_test(hash_sticks__too_many__bad_request),
        cmocka_unit_test(wrong_method__allow_names_the_right_one),
        cmocka_unit_test(twist__other_tcb_and_reversed__signed_but_wrong),
        cmocka_unit_test(twist__other_chip__the_next_ones_certificate),
        cmocka_unit_test(open__bad_config__refused),
        cmocka_unit_test(store__fails__server_error),
        cmocka_unit_test(threads__at_once__all_answered),
        cmocka_unit_test(cache__full__oldest_goes_first),
        cmocka_unit_test(cache__same_key_again__first_value_stays),
    };

    return cmocka_run_group_tests_name("kds", tests, setup, teardown);
}
