/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_amd_cert.h"

#include "wire.h"

_Static_assert(SEV_AMD_CERT_HEADER_SIZE + 3 * 256 == SEV_AMD_CERT_SIZE_2048 &&
                   SEV_AMD_CERT_HEADER_SIZE + 3 * SEV_RSA_SIZE ==
                       SEV_AMD_CERT_SIZE_4096,
               "header and three numbers");

static bool size_ok(uint32_t bits)
{
    return bits != 0 && bits % 8 == 0 && bits / 8 <= SEV_RSA_SIZE;
}

enum psp_err sev_amd_cert_decode(const uint8_t *buf, size_t size,
                                 struct sev_amd_cert *cert, size_t *used)
{
    struct psp_rd r = psp_rd(buf, size);

    *cert = (struct sev_amd_cert){.version = psp_rd_le32(&r)};
    psp_rd_bytes(&r, cert->key_id, sizeof(cert->key_id));
    psp_rd_bytes(&r, cert->certifying_id, sizeof(cert->certifying_id));
    cert->key_usage = psp_rd_le32(&r);
    psp_rd_bytes(&r, cert->reserved, sizeof(cert->reserved));
    cert->exponent_bits = psp_rd_le32(&r);
    cert->modulus_bits = psp_rd_le32(&r);
    if (!size_ok(cert->exponent_bits) || !size_ok(cert->modulus_bits)) {
        return PSP_E_FORMAT;
    }
    psp_rd_bytes(&r, cert->exponent, cert->exponent_bits / 8);
    psp_rd_bytes(&r, cert->modulus, cert->modulus_bits / 8);
    psp_rd_bytes(&r, cert->signature, cert->modulus_bits / 8);
    *used = r.pos;
    return r.bad ? PSP_E_FORMAT : PSP_OK;
}

size_t sev_amd_cert_encode(const struct sev_amd_cert *cert,
                           uint8_t out[SEV_AMD_CERT_MAX_SIZE])
{
    struct psp_wr w = psp_wr(out, SEV_AMD_CERT_MAX_SIZE);

    psp_wr_le32(&w, cert->version);
    psp_wr_bytes(&w, cert->key_id, sizeof(cert->key_id));
    psp_wr_bytes(&w, cert->certifying_id, sizeof(cert->certifying_id));
    psp_wr_le32(&w, cert->key_usage);
    psp_wr_bytes(&w, cert->reserved, sizeof(cert->reserved));
    psp_wr_le32(&w, cert->exponent_bits);
    psp_wr_le32(&w, cert->modulus_bits);
    psp_wr_bytes(&w, cert->exponent, cert->exponent_bits / 8);
    psp_wr_bytes(&w, cert->modulus, cert->modulus_bits / 8);
    psp_wr_bytes(&w, cert->signature, cert->modulus_bits / 8);
    return w.pos;
}

size_t sev_amd_cert_body_size(const struct sev_amd_cert *cert)
{
    return SEV_AMD_CERT_HEADER_SIZE + cert->exponent_bits / 8 +
           cert->modulus_bits / 8;
}

bool sev_amd_cert_get_rsa(const struct sev_amd_cert *cert, struct sev_rsa *rsa)
{
    uint32_t size = cert->modulus_bits / 8;

    *rsa = (struct sev_rsa){.size = size};
    psp_reverse(rsa->n, cert->modulus, size);
    psp_reverse(rsa->e, cert->exponent, size);
    return psp_all_zero(cert->exponent + size, SEV_RSA_SIZE - size);
}

void sev_amd_cert_set_rsa(struct sev_amd_cert *cert, const struct sev_rsa *rsa)
{
    cert->exponent_bits = rsa->size * 8;
    cert->modulus_bits = rsa->size * 8;
    memset(cert->exponent, 0, sizeof(cert->exponent));
    memset(cert->modulus, 0, sizeof(cert->modulus));
    psp_reverse(cert->exponent, rsa->e, rsa->size);
    psp_reverse(cert->modulus, rsa->n, rsa->size);
}

void sev_amd_cert_get_signature(const struct sev_amd_cert *cert, uint8_t *out)
{
    psp_reverse(out, cert->signature, cert->modulus_bits / 8);
}

void sev_amd_cert_set_signature(struct sev_amd_cert *cert, const uint8_t *in)
{
    memset(cert->signature, 0, sizeof(cert->signature));
    psp_reverse(cert->signature, in, cert->modulus_bits / 8);
}

uint32_t sev_amd_cert_algo(const struct sev_amd_cert *cert)
{
    return cert->modulus_bits <= 2048 ? SEV_ALGO_RSA_SHA256
                                      : SEV_ALGO_RSA_SHA384;
}
