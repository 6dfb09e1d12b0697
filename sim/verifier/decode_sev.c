/* SPDX-License-Identifier: Apache-2.0 */
/* Legacy SEV. Whatever the values, an artefact of the right size is shown. */
#include "artefact.h"
#include "decode.h"
#include "decode_parts.h"
#include "sev_verifier.h"
#include "simulated.h"
#include "wire.h"

#include <stdarg.h>
#include <stdio.h>

#define EC_KEY_END   (4u + 2u * SEV_CERT_NUM_SIZE)
#define EC_QX        4u
#define EC_QY        (EC_QX + SEV_CERT_NUM_SIZE)
#define RSA_EXPONENT 4u
#define RSA_MODULUS  (RSA_EXPONENT + SEV_RSA_SIZE)
#define ECDSA_END    (2u * SEV_CERT_NUM_SIZE)

__attribute__((format(printf, 2, 3))) static enum psp_err
refuse(char *why, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, DECODE_WHY_SIZE, fmt, ap);
    va_end(ap);
    return PSP_E_FORMAT;
}

static enum psp_err refuse_size(char *why, enum artefact type, size_t size,
                                size_t want)
{
    return refuse(why, "%s: %zu bytes instead of %zu", artefact_name(type),
                  size, want);
}

/* Little-endian number of @size bytes, most significant digit first. */
static void put_number(struct tree *t, const char *key, const uint8_t *le,
                       size_t size)
{
    uint8_t be[SEV_RSA_SIZE];

    psp_reverse(be, le, size);
    tree_hex(t, key, be, size);
}

/* Real ones are short. */
static void put_exponent(struct tree *t, const uint8_t *le, size_t size)
{
    struct psp_rd r = psp_rd(le, size);
    uint64_t low = psp_rd_le64(&r);

    if (psp_all_zero(le + 8, size - 8)) {
        tree_bits(t, "pub_exp", low);
    } else {
        put_number(t, "pub_exp", le, size);
    }
}

/* 96 digits, or all 144 of a field that holds too large a number. */
static void put_ec(struct tree *t, const char *key,
                   const uint8_t le[SEV_CERT_NUM_SIZE])
{
    uint8_t be[SEV_EC_SIZE];

    put_number(t, key, le,
               sev_number_get(le, be) ? SEV_EC_SIZE : SEV_CERT_NUM_SIZE);
}

static void put_named(struct tree *t, const char *key, uint32_t value,
                      const char *name)
{
    struct tree one = tree_object();

    tree_bits(&one, "value", value);
    tree_text(&one, "name", name);
    tree_tree(t, key, &one);
}

static void put_usage(struct tree *t, const char *key, uint32_t usage)
{
    put_named(t, key, usage, sev_usage_name(usage));
}

enum algo_kind { ALGO_NONE, ALGO_RSA, ALGO_EC, ALGO_UNKNOWN };

static enum algo_kind algo_kind(uint32_t algo)
{
    switch (algo) {
    case SEV_ALGO_NONE:
        return ALGO_NONE;
    case SEV_ALGO_RSA_SHA256:
    case SEV_ALGO_RSA_SHA384:
        return ALGO_RSA;
    case SEV_ALGO_ECDSA_SHA256:
    case SEV_ALGO_ECDSA_SHA384:
    case SEV_ALGO_ECDH_SHA256:
    case SEV_ALGO_ECDH_SHA384:
        return ALGO_EC;
    default:
        return ALGO_UNKNOWN;
    }
}

static void put_algo(struct tree *t, const char *key, uint32_t algo)
{
    static const char *const name[2][4] = {
        {"none", "RSASSA-PSS SHA-256", "ECDSA SHA-256", "ECDH SHA-256"},
        {"", "RSASSA-PSS SHA-384", "ECDSA SHA-384", "ECDH SHA-384"},
    };

    put_named(t, key, algo,
              algo_kind(algo) == ALGO_UNKNOWN
                  ? "unknown"
                  : name[(algo >> 8) & 1][algo & 3]);
}

/* Only when it is out of the ordinary. */
static void put_padding(struct tree *t, const uint8_t *p, size_t n)
{
    if (!psp_all_zero(p, n)) {
        tree_text(t, "padding", "not zero");
    }
}

/* ---- report ---- */

static void put_policy(struct tree *t, uint32_t policy)
{
    struct tree p = tree_object();

    tree_bits(&p, "value", policy);
    tree_int(&p, "api_major", SEV_POLICY_API_MAJOR(policy));
    tree_int(&p, "api_minor", SEV_POLICY_API_MINOR(policy));
    tree_bool(&p, "nodbg", (policy & SEV_POLICY_NODBG) != 0);
    tree_bool(&p, "noks", (policy & SEV_POLICY_NOKS) != 0);
    tree_bool(&p, "es", (policy & SEV_POLICY_ES) != 0);
    tree_bool(&p, "nosend", (policy & SEV_POLICY_NOSEND) != 0);
    tree_bool(&p, "domain", (policy & SEV_POLICY_DOMAIN) != 0);
    tree_bool(&p, "sev", (policy & SEV_POLICY_SEV) != 0);
    if ((policy & SEV_POLICY_RESERVED) != 0) {
        tree_bits(&p, "reserved", policy & SEV_POLICY_RESERVED);
    }
    tree_tree(t, "policy", &p);
}

enum psp_err decode_sev_report(const uint8_t *data, size_t size, struct tree *t,
                               char *why)
{
    struct tree sig = tree_object();
    struct sev_report r;
    enum psp_err err = sev_report_decode(data, size, &r);

    if (err != PSP_OK) {
        err = refuse_size(why, ARTEFACT_SEV_REPORT, size, SEV_REPORT_SIZE);
        goto out;
    }
    tree_text(t, "type", artefact_name(ARTEFACT_SEV_REPORT));
    tree_bool(t, "all_zero", psp_all_zero(data, size));
    tree_hex(t, "mnonce", r.mnonce, sizeof(r.mnonce));
    tree_hex(t, "launch_digest", r.launch_digest, sizeof(r.launch_digest));
    put_policy(t, r.policy);
    put_usage(t, "sig_usage", r.sig_usage);
    put_algo(t, "sig_algo", r.sig_algo);
    if (r.reserved != 0) {
        tree_bits(t, "reserved", r.reserved);
    }
    put_ec(&sig, "r", r.r);
    put_ec(&sig, "s", r.s);
    tree_tree(t, "signature", &sig);
out:
    tree_free(&sig);
    return err;
}

/* ---- certificates ---- */

static const char *curve_name(uint32_t curve)
{
    return curve == SEV_CURVE_P256   ? "P-256"
           : curve == SEV_CURVE_P384 ? "P-384"
                                     : "unknown";
}

static void put_key(struct tree *t, const struct sev_cert *cert)
{
    const uint8_t *k = cert->pubkey;
    struct psp_rd r = psp_rd(k, SEV_CERT_KEY_SIZE);
    struct tree key = tree_object();
    uint32_t first = psp_rd_le32(&r);

    switch (algo_kind(cert->pubkey_algo)) {
    case ALGO_EC:
        put_named(&key, "curve", first, curve_name(first));
        put_ec(&key, "qx", k + EC_QX);
        put_ec(&key, "qy", k + EC_QY);
        put_padding(&key, k + EC_KEY_END, SEV_CERT_KEY_SIZE - EC_KEY_END);
        break;
    case ALGO_RSA:
        tree_int(&key, "modulus_size", first);
        put_exponent(&key, k + RSA_EXPONENT, SEV_RSA_SIZE);
        put_number(&key, "modulus", k + RSA_MODULUS, SEV_RSA_SIZE);
        break;
    default:
        tree_hex(&key, "bytes", k, SEV_CERT_KEY_SIZE);
        break;
    }
    tree_tree(t, "pubkey", &key);
}

static void put_slot(struct tree *array, const struct sev_cert_slot *slot)
{
    struct tree t = tree_object();

    put_usage(&t, "usage", slot->usage);
    put_algo(&t, "algo", slot->algo);
    switch (algo_kind(slot->algo)) {
    case ALGO_EC:
        put_ec(&t, "r", slot->data);
        put_ec(&t, "s", slot->data + SEV_CERT_NUM_SIZE);
        put_padding(&t, slot->data + ECDSA_END, SEV_CERT_SIG_SIZE - ECDSA_END);
        break;
    case ALGO_RSA:
        put_number(&t, "signature", slot->data, SEV_CERT_SIG_SIZE);
        break;
    case ALGO_NONE:
        put_padding(&t, slot->data, SEV_CERT_SIG_SIZE);
        break;
    default:
        tree_hex(&t, "bytes", slot->data, SEV_CERT_SIG_SIZE);
        break;
    }
    tree_append(array, &t);
}

enum psp_err decode_sev_cert(const uint8_t *data, size_t size, struct tree *t,
                             char *why)
{
    struct tree slots = tree_array();
    struct sev_cert cert;
    char api[16];
    enum psp_err err = sev_cert_decode(data, size, &cert);

    if (err != PSP_OK) {
        err = refuse_size(why, ARTEFACT_SEV_CERT, size, SEV_CERT_SIZE);
        goto out;
    }
    snprintf(api, sizeof(api), "%u.%u", cert.api_major, cert.api_minor);
    tree_text(t, "type", artefact_name(ARTEFACT_SEV_CERT));
    tree_text(t, "kind", sev_usage_name(cert.pubkey_usage));
    tree_int(t, "version", cert.version);
    tree_text(t, "api", api);
    if (cert.reserved != 0) {
        tree_bits(t, "reserved", cert.reserved);
    }
    put_usage(t, "pubkey_usage", cert.pubkey_usage);
    put_algo(t, "pubkey_algo", cert.pubkey_algo);
    put_key(t, &cert);
    put_slot(&slots, &cert.sig[0]);
    put_slot(&slots, &cert.sig[1]);
    tree_tree(t, "signatures", &slots);
out:
    tree_free(&slots);
    return err;
}

static void put_amd_cert(struct tree *array, const struct amd_cert *head,
                         const struct sev_amd_cert *cert)
{
    enum psp_generation product = sev_product_of_ark(cert->key_id);
    bool ark = cert->key_usage == SEV_USAGE_ARK;
    size_t size = cert->modulus_bits / 8;
    struct tree t = tree_object();

    tree_text(&t, "usage", ark ? "ARK" : "ASK");
    if (ark && product < PSP_GENERATION_COUNT) {
        tree_text(&t, "product", psp_generation_name(product));
    }
    tree_bool(&t, "simulated",
              simulated_key_id(cert->key_id) != NULL ||
                  simulated_key_id(cert->certifying_id) != NULL);
    tree_int(&t, "version", head->version);
    tree_hex(&t, "key_id", cert->key_id, SEV_AMD_ID_SIZE);
    tree_hex(&t, "certifying_id", cert->certifying_id, SEV_AMD_ID_SIZE);
    tree_int(&t, "modulus_bits", cert->modulus_bits);
    put_exponent(&t, cert->exponent, size);
    put_number(&t, "modulus", cert->modulus, size);
    put_algo(&t, "signature_algo", sev_amd_cert_algo(cert));
    put_number(&t, "signature", cert->signature, size);
    tree_append(array, &t);
}

enum psp_err decode_amd_certs(const uint8_t *data, size_t size, struct tree *t,
                              char *why)
{
    struct tree array = tree_array();
    enum psp_err err = PSP_OK;
    size_t at = 0;

    do {
        struct amd_cert head;
        struct sev_amd_cert cert;
        size_t used = 0;

        err = amd_cert_decode(data + at, size - at, &head);
        if (err == PSP_OK) {
            err = sev_amd_cert_decode(data + at, size - at, &cert, &used);
        }
        if (err != PSP_OK) {
            err = refuse(why, "amd-cert: no certificate at offset 0x%zx", at);
            goto out;
        }
        put_amd_cert(&array, &head, &cert);
        at += used;
    } while (at < size);
    tree_text(t, "type", artefact_name(ARTEFACT_AMD_CERT));
    tree_tree(t, "certificates", &array);
out:
    tree_free(&array);
    return err;
}

/* SEV certificates as long as there are whole ones, then ASK and ARK. */
static bool chain_parts(size_t size, size_t *count, size_t *ca_size)
{
    const size_t four = 4 * (size_t)SEV_CERT_SIZE;

    *count = size / SEV_CERT_SIZE < 4 ? size / SEV_CERT_SIZE : 4;
    *ca_size = size - *count * SEV_CERT_SIZE;
    return *ca_size == 0 ? *count >= 2
                         : size == four + 2 * SEV_AMD_CERT_SIZE_2048 ||
                               size == four + 2 * SEV_AMD_CERT_SIZE_4096;
}

enum psp_err decode_sev_chain(const uint8_t *data, size_t size, struct tree *t,
                              char *why)
{
    struct tree array = tree_array();
    struct tree ca = tree_object();
    enum psp_err err = PSP_OK;
    size_t ca_size = 0;
    size_t count = 0;

    if (!chain_parts(size, &count, &ca_size)) {
        err = refuse(why,
                     "sev-chain: %zu bytes are no two to four certificates, "
                     "nor four with ASK and ARK",
                     size);
        goto out;
    }
    for (size_t i = 0; i < count && err == PSP_OK; i++) {
        struct tree one = tree_object();

        err =
            decode_sev_cert(data + i * SEV_CERT_SIZE, SEV_CERT_SIZE, &one, why);
        tree_append(&array, &one);
    }
    if (err == PSP_OK && ca_size > 0) {
        err = decode_amd_certs(data + count * SEV_CERT_SIZE, ca_size, &ca, why);
    }
    if (err == PSP_OK) {
        tree_text(t, "type", artefact_name(ARTEFACT_SEV_CHAIN));
        tree_tree(t, "certificates", &array);
        if (ca_size > 0) {
            tree_tree(t, "ca", &ca);
        }
    }
out:
    tree_free(&array);
    tree_free(&ca);
    return err;
}

enum psp_err decode_sev_evidence(const uint8_t *data, size_t size,
                                 struct tree *t, char *why)
{
    struct sev_verify_input in = {.ark = {0}};
    const struct {
        const char *key;
        const struct verify_blob *blob;
    } part[] = {{"cek", &in.cek}, {"pek", &in.pek}, {"oca", &in.oca}};
    struct tree report = tree_object();
    enum psp_generation product;
    enum psp_err err = PSP_OK;

    if (!sev_split_evidence(data, size, &in, &product)) {
        err = refuse_size(why, ARTEFACT_SEV_EVIDENCE, size,
                          SEV_EVIDENCE_SIZE + 1);
        goto out;
    }
    tree_text(t, "type", artefact_name(ARTEFACT_SEV_EVIDENCE));
    err = decode_sev_report(in.report.data, in.report.size, &report, why);
    tree_tree(t, "report", &report);
    for (size_t i = 0; i < 3 && err == PSP_OK; i++) {
        struct tree one = tree_object();

        err =
            decode_sev_cert(part[i].blob->data, part[i].blob->size, &one, why);
        tree_tree(t, part[i].key, &one);
    }
    if (size > SEV_EVIDENCE_SIZE) {
        put_named(t, "device_type", data[SEV_EVIDENCE_SIZE],
                  product < PSP_GENERATION_COUNT ? psp_generation_name(product)
                                                 : "unknown");
    }
out:
    tree_free(&report);
    return err;
}

/* ---- launch ---- */

enum psp_err decode_sev_measurement(const uint8_t *data, size_t size,
                                    struct tree *t, char *why)
{
    if (size != SEV_MEASURE_BLOB_SIZE) {
        return refuse_size(why, ARTEFACT_SEV_MEASUREMENT, size,
                           SEV_MEASURE_BLOB_SIZE);
    }
    tree_text(t, "type", artefact_name(ARTEFACT_SEV_MEASUREMENT));
    tree_hex(t, "measure", data, SEV_MAC_SIZE);
    tree_hex(t, "mnonce", data + SEV_MAC_SIZE, SEV_MNONCE_SIZE);
    return PSP_OK;
}

enum psp_err decode_sev_session(const uint8_t *data, size_t size,
                                struct tree *t, char *why)
{
    struct sev_session s;

    if (sev_session_decode(data, size, &s) != PSP_OK) {
        return refuse_size(why, ARTEFACT_SEV_SESSION, size, SEV_SESSION_SIZE);
    }
    tree_text(t, "type", artefact_name(ARTEFACT_SEV_SESSION));
    tree_hex(t, "nonce", s.nonce, sizeof(s.nonce));
    tree_hex(t, "wrap_tk", s.wrap_tk, sizeof(s.wrap_tk));
    tree_hex(t, "wrap_iv", s.wrap_iv, sizeof(s.wrap_iv));
    tree_hex(t, "wrap_mac", s.wrap_mac, sizeof(s.wrap_mac));
    tree_hex(t, "policy_mac", s.policy_mac, sizeof(s.policy_mac));
    return PSP_OK;
}

enum psp_err decode_sev_packet(const uint8_t *data, size_t size, struct tree *t,
                               char *why)
{
    struct sev_packet_header h;
    struct tree flags = tree_object();
    enum psp_err err = sev_packet_header_decode(data, size, &h);

    if (err != PSP_OK) {
        err =
            refuse_size(why, ARTEFACT_SEV_PACKET, size, SEV_PACKET_HEADER_SIZE);
        goto out;
    }
    tree_text(t, "type", artefact_name(ARTEFACT_SEV_PACKET));
    tree_bits(&flags, "value", h.flags);
    tree_bool(&flags, "compressed", (h.flags & SEV_PACKET_COMPRESSED) != 0);
    tree_tree(t, "flags", &flags);
    tree_hex(t, "iv", h.iv, sizeof(h.iv));
    tree_hex(t, "mac", h.mac, sizeof(h.mac));
out:
    tree_free(&flags);
    return err;
}
