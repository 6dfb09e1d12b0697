/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_cert.h"

#include "wire.h"

/* Offsets inside PUBKEY and inside a slot's data. */
#define EC_QX       0x004u
#define EC_QY       0x04cu
#define RSA_EXP     0x004u
#define RSA_MODULUS 0x204u
#define ECDSA_S     SEV_CERT_NUM_SIZE

_Static_assert(RSA_MODULUS + SEV_RSA_SIZE == SEV_CERT_KEY_SIZE,
               "RSA form fills the key area");
_Static_assert(SEV_CERT_BODY_SIZE + 2 * (8 + SEV_CERT_SIG_SIZE) ==
                   SEV_CERT_SIZE,
               "body and two slots");

enum psp_err sev_cert_decode(const uint8_t *buf, size_t size,
                             struct sev_cert *cert)
{
    struct psp_rd r = psp_rd(buf, size);

    cert->version = psp_rd_le32(&r);
    cert->api_major = psp_rd_u8(&r);
    cert->api_minor = psp_rd_u8(&r);
    cert->reserved = psp_rd_le16(&r);
    cert->pubkey_usage = psp_rd_le32(&r);
    cert->pubkey_algo = psp_rd_le32(&r);
    psp_rd_bytes(&r, cert->pubkey, sizeof(cert->pubkey));
    for (size_t i = 0; i < 2; i++) {
        cert->sig[i].usage = psp_rd_le32(&r);
        cert->sig[i].algo = psp_rd_le32(&r);
        psp_rd_bytes(&r, cert->sig[i].data, sizeof(cert->sig[i].data));
    }
    return psp_rd_done(&r) ? PSP_OK : PSP_E_FORMAT;
}

void sev_cert_encode(const struct sev_cert *cert, uint8_t out[SEV_CERT_SIZE])
{
    struct psp_wr w = psp_wr(out, SEV_CERT_SIZE);

    psp_wr_le32(&w, cert->version);
    psp_wr_u8(&w, cert->api_major);
    psp_wr_u8(&w, cert->api_minor);
    psp_wr_le16(&w, cert->reserved);
    psp_wr_le32(&w, cert->pubkey_usage);
    psp_wr_le32(&w, cert->pubkey_algo);
    psp_wr_bytes(&w, cert->pubkey, sizeof(cert->pubkey));
    for (size_t i = 0; i < 2; i++) {
        psp_wr_le32(&w, cert->sig[i].usage);
        psp_wr_le32(&w, cert->sig[i].algo);
        psp_wr_bytes(&w, cert->sig[i].data, sizeof(cert->sig[i].data));
    }
}

void sev_cert_slot_clear(struct sev_cert_slot *slot)
{
    *slot = (struct sev_cert_slot){.usage = SEV_USAGE_NONE};
}

void sev_cert_init(struct sev_cert *cert)
{
    *cert = (struct sev_cert){.version = SEV_CERT_VERSION};
    sev_cert_slot_clear(&cert->sig[0]);
    sev_cert_slot_clear(&cert->sig[1]);
}

bool sev_number_get(const uint8_t in[SEV_CERT_NUM_SIZE],
                    uint8_t out[SEV_EC_SIZE])
{
    psp_reverse(out, in, SEV_EC_SIZE);
    return psp_all_zero(in + SEV_EC_SIZE, SEV_CERT_NUM_SIZE - SEV_EC_SIZE);
}

void sev_number_set(uint8_t out[SEV_CERT_NUM_SIZE],
                    const uint8_t in[SEV_EC_SIZE])
{
    psp_reverse(out, in, SEV_EC_SIZE);
    memset(out + SEV_EC_SIZE, 0, SEV_CERT_NUM_SIZE - SEV_EC_SIZE);
}

bool sev_cert_get_ec(const struct sev_cert *cert, uint32_t *curve,
                     uint8_t x[SEV_EC_SIZE], uint8_t y[SEV_EC_SIZE])
{
    struct psp_rd r = psp_rd(cert->pubkey, sizeof(cert->pubkey));
    bool ok;

    *curve = psp_rd_le32(&r);
    ok = sev_number_get(cert->pubkey + EC_QX, x);
    return sev_number_get(cert->pubkey + EC_QY, y) && ok;
}

void sev_cert_set_ec(struct sev_cert *cert, uint32_t curve,
                     const uint8_t x[SEV_EC_SIZE], const uint8_t y[SEV_EC_SIZE])
{
    struct psp_wr w = psp_wr(cert->pubkey, sizeof(cert->pubkey));

    memset(cert->pubkey, 0, sizeof(cert->pubkey));
    psp_wr_le32(&w, curve);
    sev_number_set(cert->pubkey + EC_QX, x);
    sev_number_set(cert->pubkey + EC_QY, y);
}

bool sev_cert_get_rsa(const struct sev_cert *cert, struct sev_rsa *rsa)
{
    struct psp_rd r = psp_rd(cert->pubkey, sizeof(cert->pubkey));
    uint32_t bits = psp_rd_le32(&r);
    const uint8_t *e = cert->pubkey + RSA_EXP;
    const uint8_t *n = cert->pubkey + RSA_MODULUS;
    uint32_t size = bits / 8;

    if (bits == 0 || bits % 8 != 0 || size > SEV_RSA_SIZE) {
        return false;
    }
    *rsa = (struct sev_rsa){.size = size};
    psp_reverse(rsa->n, n, size);
    psp_reverse(rsa->e, e, size);
    return psp_all_zero(n + size, SEV_RSA_SIZE - size) &&
           psp_all_zero(e + size, SEV_RSA_SIZE - size);
}

void sev_cert_set_rsa(struct sev_cert *cert, const struct sev_rsa *rsa)
{
    struct psp_wr w = psp_wr(cert->pubkey, sizeof(cert->pubkey));

    memset(cert->pubkey, 0, sizeof(cert->pubkey));
    psp_wr_le32(&w, rsa->size * 8);
    psp_reverse(cert->pubkey + RSA_EXP, rsa->e, rsa->size);
    psp_reverse(cert->pubkey + RSA_MODULUS, rsa->n, rsa->size);
}

bool sev_cert_slot_get_ecdsa(const struct sev_cert_slot *slot,
                             uint8_t r[SEV_EC_SIZE], uint8_t s[SEV_EC_SIZE])
{
    bool ok = sev_number_get(slot->data, r);

    return sev_number_get(slot->data + ECDSA_S, s) && ok;
}

void sev_cert_slot_set_ecdsa(struct sev_cert_slot *slot,
                             const uint8_t r[SEV_EC_SIZE],
                             const uint8_t s[SEV_EC_SIZE])
{
    memset(slot->data, 0, sizeof(slot->data));
    sev_number_set(slot->data, r);
    sev_number_set(slot->data + ECDSA_S, s);
}

void sev_cert_slot_get_rsa(const struct sev_cert_slot *slot, uint32_t size,
                           uint8_t *out)
{
    psp_reverse(out, slot->data, size);
}

void sev_cert_slot_set_rsa(struct sev_cert_slot *slot, const uint8_t *in,
                           uint32_t size)
{
    memset(slot->data, 0, sizeof(slot->data));
    psp_reverse(slot->data, in, size);
}

const char *sev_usage_name(uint32_t usage)
{
    switch (usage) {
    case SEV_USAGE_ARK:
        return "ARK";
    case SEV_USAGE_ASK:
        return "ASK";
    case SEV_USAGE_NONE:
        return "none";
    case SEV_USAGE_OCA:
        return "OCA";
    case SEV_USAGE_PEK:
        return "PEK";
    case SEV_USAGE_PDH:
        return "PDH";
    case SEV_USAGE_CEK:
        return "CEK";
    default:
        return "unknown";
    }
}
