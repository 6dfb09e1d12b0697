/* SPDX-License-Identifier: Apache-2.0 */
/* The platform's own keys: PEK_GEN, PEK_CSR, PEK_CERT_IMPORT, PDH_GEN,
 * PDH_CERT_EXPORT. Spec: abi/sev.md §1.3, §4.3. */
#include "sev_internal.h"

#include "pki.h"
#include "sev_pki.h"

/* Make what @next lacks, store it, and only then let it take effect. */
static enum sev_status replace_keys(struct sev_platform *sev,
                                    struct sev_keys *next)
{
    bool made;
    enum psp_err err = sev_keys_complete(sev, next, &made);

    if (err == PSP_OK) {
        err = sev_store_save(sev, next);
    }
    if (err == PSP_OK) {
        sev->keys = *next;
    }
    psp_wipe(next, sizeof(*next));
    return core_status(err);
}

enum sev_status sev_run_pek_gen(struct sev_call *call)
{
    struct sev_keys next = {.has_oca = false};

    return replace_keys(call->sev, &next);
}

enum sev_status sev_run_pdh_gen(struct sev_call *call)
{
    struct sev_keys next = call->sev->keys;

    next.has_pdh = false;
    return replace_keys(call->sev, &next);
}

enum sev_status sev_run_pek_csr(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_cert csr = sev->keys.pek_cert;
    uint8_t bytes[SEV_CERT_SIZE];
    struct sev_cmd_blob c;
    enum sev_status status;
    enum psp_err err;

    sev_cmd_blob_decode(call->buf, &c);
    if (c.length < SEV_CERT_SIZE) {
        c.length = SEV_CERT_SIZE;
        sev_cmd_blob_encode(&c, call->buf);
        return SEV_INVALID_LENGTH;
    }
    status = sev_addr_output(sev, c.paddr, SEV_CERT_SIZE);
    if (status != SEV_SUCCESS) {
        return status;
    }
    sev_cert_slot_clear(&csr.sig[0]);
    sev_cert_slot_clear(&csr.sig[1]);
    sev_cert_encode(&csr, bytes);
    err = sev_write(sev, c.paddr, bytes, sizeof(bytes));
    if (err == PSP_OK) {
        c.length = SEV_CERT_SIZE;
        sev_cmd_blob_encode(&c, call->buf);
    }
    return core_status(err);
}

static enum psp_err read_cert(const struct sev_platform *sev, uint64_t paddr,
                              struct sev_cert *cert)
{
    uint8_t bytes[SEV_CERT_SIZE];
    enum psp_err err = sev_read(sev, paddr, bytes, sizeof(bytes));

    return err != PSP_OK ? err : sev_cert_decode(bytes, sizeof(bytes), cert);
}

/* Checks 3 and 4 of PEK_CERT_IMPORT. */
static enum sev_status import_read(const struct sev_platform *sev,
                                   const struct sev_cmd_certs *c,
                                   struct sev_cert *pek, struct sev_cert *oca)
{
    enum sev_status status;
    enum psp_err err;

    if (c->first_length != SEV_CERT_SIZE || c->second_length != SEV_CERT_SIZE) {
        return SEV_INVALID_LENGTH;
    }
    status = sev_addr(sev, c->first_paddr, SEV_CERT_SIZE);
    if (status == SEV_SUCCESS) {
        status = sev_addr(sev, c->second_paddr, SEV_CERT_SIZE);
    }
    if (status != SEV_SUCCESS) {
        return status;
    }
    err = read_cert(sev, c->first_paddr, pek);
    if (err == PSP_OK) {
        err = read_cert(sev, c->second_paddr, oca);
    }
    return core_status(err);
}

static const struct sev_cert_slot *cek_slot(const struct sev_cert *pek)
{
    return pek->sig[0].usage == SEV_USAGE_CEK ? &pek->sig[0] : &pek->sig[1];
}

/* Checks 5 to 8; the CEK's signature goes into the free slot of @pek. */
static enum sev_status import_check(const struct sev_platform *sev,
                                    struct sev_cert *pek,
                                    const struct sev_cert *oca)
{
    enum sev_status status = sev_cert_check(oca, oca);

    if (status == SEV_SUCCESS) {
        status = sev_cert_check(pek, oca);
    }
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (!sev_cert_same_body(pek, &sev->keys.pek_cert)) {
        return SEV_INVALID_CERTIFICATE;
    }
    for (size_t i = 0; i < 2; i++) {
        if (sev_cert_slot_empty(&pek->sig[i])) {
            pek->sig[i] = *cek_slot(&sev->keys.pek_cert);
            return SEV_SUCCESS;
        }
    }
    return SEV_INVALID_CERTIFICATE;
}

enum sev_status sev_run_pek_cert_import(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_keys next = {.external = true, .has_oca = true, .has_pek = true};
    struct sev_cmd_certs c;
    enum sev_status status;

    if (sev->keys.external) {
        return SEV_ALREADY_OWNED;
    }
    sev_cmd_certs_decode(call->buf, &c);
    status = import_read(sev, &c, &next.pek_cert, &next.oca_cert);
    if (status == SEV_SUCCESS) {
        status = import_check(sev, &next.pek_cert, &next.oca_cert);
    }
    if (status != SEV_SUCCESS) {
        return status;
    }
    next.pek = sev->keys.pek;
    return replace_keys(sev, &next);
}

/* PEK, OCA, CEK; the CEK without the ASK's signature, which only the key
 * service can give. */
static void encode_chain(const struct sev_platform *sev,
                         uint8_t out[SEV_CHAIN_SIZE])
{
    struct sev_cert cek;

    pki_cek_unsigned(&sev->cek, &cek);
    sev_cert_encode(&sev->keys.pek_cert, out);
    sev_cert_encode(&sev->keys.oca_cert, out + SEV_CERT_SIZE);
    sev_cert_encode(&cek, out + 2 * SEV_CERT_SIZE);
}

static enum psp_err write_export(const struct sev_platform *sev,
                                 const struct sev_cmd_certs *c)
{
    uint8_t pdh[SEV_CERT_SIZE], chain[SEV_CHAIN_SIZE];
    enum psp_err err;

    sev_cert_encode(&sev->keys.pdh_cert, pdh);
    encode_chain(sev, chain);
    err = sev_write(sev, c->first_paddr, pdh, sizeof(pdh));
    return err != PSP_OK
               ? err
               : sev_write(sev, c->second_paddr, chain, sizeof(chain));
}

static enum sev_status check_export(const struct sev_platform *sev,
                                    const struct sev_cmd_certs *c)
{
    enum sev_status status = sev_addr(sev, c->first_paddr, SEV_CERT_SIZE);

    if (status == SEV_SUCCESS) {
        status = sev_addr(sev, c->second_paddr, SEV_CHAIN_SIZE);
    }
    if (status == SEV_SUCCESS) {
        status = sev_output(sev, c->first_paddr, SEV_CERT_SIZE);
    }
    if (status == SEV_SUCCESS) {
        status = sev_output(sev, c->second_paddr, SEV_CHAIN_SIZE);
    }
    return status;
}

enum sev_status sev_run_pdh_cert_export(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_cmd_certs c;
    enum sev_status status;
    bool fits;

    sev_cmd_certs_decode(call->buf, &c);
    fits = c.first_length >= SEV_CERT_SIZE && c.second_length >= SEV_CHAIN_SIZE;
    c.first_length = SEV_CERT_SIZE;
    c.second_length = SEV_CHAIN_SIZE;
    status = fits ? check_export(sev, &c) : SEV_INVALID_LENGTH;
    if (status == SEV_SUCCESS) {
        status = core_status(write_export(sev, &c));
    }
    if (status == SEV_SUCCESS || !fits) {
        sev_cmd_certs_encode(&c, call->buf);
    }
    return status;
}
