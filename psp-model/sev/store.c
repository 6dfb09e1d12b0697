/* SPDX-License-Identifier: Apache-2.0 */
/* The layout is the model's own: AMD's is private. Everything, the unused rest
 * included, is under the MAC, so that any damaged bit shows. abi/sev.md §4.4 */
#include "sev_internal.h"

static const char MAGIC[8] = "SWPSPNV1";
#define VERSION     1u
#define HEADER_SIZE 0x20u /* magic, version, length, IV */
#define MAC_OFFSET  HEADER_SIZE
#define PAYLOAD     (MAC_OFFSET + SHA256_SIZE)

#define FLAG_EXTERNAL 0x1u
#define FLAG_OCA      0x2u
#define FLAG_PEK      0x4u
#define FLAG_PDH      0x8u
#define FLAG_ALL      0xfu

#define PAYLOAD_SIZE (4u + 3u * (P384_SIZE + SEV_CERT_SIZE))

_Static_assert(PAYLOAD + PAYLOAD_SIZE <= PSP_NV_SIZE, "payload fits");

struct store_keys {
    uint8_t cipher[AES128_SIZE];
    uint8_t mac[SHA256_SIZE];
};

static void derive(const struct sev_platform *sev, struct store_keys *k)
{
    const uint8_t *secret = sev->core->chip.secret;

    psp_kdf_sha256_le(secret, PSP_CHIP_SECRET_SIZE, "swpsp-nv-encryption", NULL,
                      0, k->cipher, sizeof(k->cipher));
    psp_kdf_sha256_le(secret, PSP_CHIP_SECRET_SIZE, "swpsp-nv-integrity", NULL,
                      0, k->mac, sizeof(k->mac));
}

static void blob_mac(const struct store_keys *k, const uint8_t *blob,
                     uint8_t mac[SHA256_SIZE])
{
    const struct psp_part parts[] = {
        {blob, HEADER_SIZE},
        {blob + PAYLOAD, PSP_NV_SIZE - PAYLOAD},
    };

    psp_hmac_sha256(k->mac, sizeof(k->mac), parts, 2, mac);
}

/* The store in use: the buffer of INIT_EX, the host's, or our own memory. */
static enum psp_err raw_load(const struct sev_platform *sev, uint8_t *blob)
{
    const struct psp_core *core = sev->core;
    int rc;

    if (sev->nv_paddr != 0) {
        return sev_read(sev, sev->nv_paddr, blob, PSP_NV_SIZE);
    }
    if (sev->nv != NULL) {
        memcpy(blob, sev->nv, PSP_NV_SIZE);
        return PSP_OK;
    }
    rc = core->ops->nv_load(core->host, blob);
    if (rc == 1) {
        memset(blob, 0xff, PSP_NV_SIZE);
    }
    return rc == 0 || rc == 1 ? PSP_OK : PSP_E_HOST;
}

static enum psp_err raw_save(struct sev_platform *sev, const uint8_t *blob)
{
    const struct psp_core *core = sev->core;

    if (sev->nv_paddr != 0) {
        if (sev_addr_output(sev, sev->nv_paddr, PSP_NV_SIZE) != SEV_SUCCESS) {
            return PSP_E_HOST;
        }
        return sev_write(sev, sev->nv_paddr, blob, PSP_NV_SIZE);
    }
    if (sev->nv != NULL) {
        memcpy(sev->nv, blob, PSP_NV_SIZE);
        return PSP_OK;
    }
    return core->ops->nv_store(core->host, blob) == 0 ? PSP_OK : PSP_E_HOST;
}

static void put_key(struct psp_wr *w, bool have, const struct psp_p384_key *key,
                    const struct sev_cert *cert)
{
    uint8_t bytes[SEV_CERT_SIZE] = {0};
    static const uint8_t no_key[P384_SIZE];

    if (have) {
        sev_cert_encode(cert, bytes);
    }
    psp_wr_bytes(w, have ? key->d : no_key, P384_SIZE);
    psp_wr_bytes(w, bytes, sizeof(bytes));
}

static void keys_encode(const struct sev_keys *keys, uint8_t *out)
{
    struct psp_wr w = psp_wr(out, PAYLOAD_SIZE);

    psp_wr_le32(&w, (keys->external ? FLAG_EXTERNAL : 0) |
                        (keys->has_oca ? FLAG_OCA : 0) |
                        (keys->has_pek ? FLAG_PEK : 0) |
                        (keys->has_pdh ? FLAG_PDH : 0));
    put_key(&w, keys->has_oca, &keys->oca, &keys->oca_cert);
    put_key(&w, keys->has_pek, &keys->pek, &keys->pek_cert);
    put_key(&w, keys->has_pdh, &keys->pdh, &keys->pdh_cert);
}

/* psp_p384_from_bytes() adds one. */
static enum psp_err key_of(const uint8_t d[P384_SIZE], struct psp_p384_key *key)
{
    uint8_t less[P384_SIZE];
    enum psp_err err;

    memcpy(less, d, sizeof(less));
    for (size_t i = P384_SIZE; i-- > 0;) {
        if (less[i]-- != 0) {
            break;
        }
    }
    err = psp_p384_from_bytes(less, sizeof(less), key);
    psp_wipe(less, sizeof(less));
    return err;
}

/* The public half is not stored: it must be the certificate's. */
static bool get_key(struct psp_rd *r, bool want_key, struct psp_p384_key *key,
                    struct sev_cert *cert)
{
    uint8_t d[P384_SIZE];
    const uint8_t *bytes;
    struct psp_p384_pub pub = {{0}, {0}};
    uint32_t curve;
    bool ok;

    psp_rd_bytes(r, d, sizeof(d));
    bytes = psp_rd_view(r, SEV_CERT_SIZE);
    ok = bytes != NULL && sev_cert_decode(bytes, SEV_CERT_SIZE, cert) == PSP_OK;
    if (ok && want_key) {
        ok = sev_cert_get_ec(cert, &curve, pub.x, pub.y) &&
             key_of(d, key) == PSP_OK &&
             memcmp(&key->pub, &pub, sizeof(pub)) == 0;
    }
    psp_wipe(d, sizeof(d));
    return ok;
}

static bool keys_decode(const uint8_t *in, size_t size, struct sev_keys *keys)
{
    struct psp_rd r = psp_rd(in, size);
    uint32_t flags = psp_rd_le32(&r);
    bool ok;

    memset(keys, 0, sizeof(*keys));
    keys->external = (flags & FLAG_EXTERNAL) != 0;
    keys->has_oca = (flags & FLAG_OCA) != 0;
    keys->has_pek = (flags & FLAG_PEK) != 0;
    keys->has_pdh = (flags & FLAG_PDH) != 0;
    /* Without the owner's private key no PEK can be made. */
    ok = (flags & ~FLAG_ALL) == 0 &&
         (!keys->external || (keys->has_oca && keys->has_pek));
    ok = get_key(&r, keys->has_oca && !keys->external, &keys->oca,
                 &keys->oca_cert) &&
         ok;
    ok = get_key(&r, keys->has_pek, &keys->pek, &keys->pek_cert) && ok;
    ok = get_key(&r, keys->has_pdh, &keys->pdh, &keys->pdh_cert) && ok;
    if (!ok || !psp_rd_done(&r)) {
        psp_wipe(keys, sizeof(*keys));
        return false;
    }
    return true;
}

static bool blob_empty(const uint8_t *blob)
{
    static const uint8_t empty[4] = {0xff, 0xff, 0xff, 0xff};

    return memcmp(blob, empty, sizeof(empty)) == 0;
}

static bool blob_open(const struct sev_platform *sev, uint8_t *blob,
                      struct sev_keys *keys)
{
    struct psp_rd r = psp_rd(blob, HEADER_SIZE);
    struct store_keys k;
    uint8_t magic[sizeof(MAGIC)], iv[AES128_SIZE], mac[SHA256_SIZE];
    uint32_t version, size;
    bool ok;

    psp_rd_bytes(&r, magic, sizeof(magic));
    version = psp_rd_le32(&r);
    size = psp_rd_le32(&r);
    psp_rd_bytes(&r, iv, sizeof(iv));
    derive(sev, &k);
    blob_mac(&k, blob, mac);
    ok = psp_ct_equal(mac, blob + MAC_OFFSET, sizeof(mac)) &&
         memcmp(magic, MAGIC, sizeof(magic)) == 0 && version == VERSION &&
         size == PAYLOAD_SIZE;
    if (ok) {
        psp_aes128_ctr(k.cipher, iv, blob + PAYLOAD, size, blob + PAYLOAD);
        ok = keys_decode(blob + PAYLOAD, size, keys);
    }
    psp_wipe(&k, sizeof(k));
    return ok;
}

enum sev_status sev_store_load(struct sev_platform *sev, struct sev_keys *keys)
{
    uint8_t *blob = core_alloc(PSP_NV_SIZE);
    enum sev_status status;

    memset(keys, 0, sizeof(*keys));
    if (blob == NULL) {
        return core_status(PSP_E_NOMEM);
    }
    status = core_status(raw_load(sev, blob));
    if (status == SEV_SUCCESS && !blob_empty(blob) &&
        !blob_open(sev, blob, keys)) {
        status = core_status(sev_store_erase(sev));
        if (status == SEV_SUCCESS) {
            status = SEV_SECURE_DATA_INVALID;
        }
    }
    core_free(blob, PSP_NV_SIZE);
    return status;
}

static enum psp_err blob_seal(const struct sev_platform *sev,
                              const struct sev_keys *keys, uint8_t *blob)
{
    struct psp_wr w = psp_wr(blob, HEADER_SIZE);
    struct store_keys k;
    uint8_t iv[AES128_SIZE];
    enum psp_err err = core_random(sev->core, iv, sizeof(iv));

    if (err != PSP_OK) {
        return err;
    }
    memset(blob, 0xff, PSP_NV_SIZE);
    psp_wr_bytes(&w, MAGIC, sizeof(MAGIC));
    psp_wr_le32(&w, VERSION);
    psp_wr_le32(&w, PAYLOAD_SIZE);
    psp_wr_bytes(&w, iv, sizeof(iv));
    derive(sev, &k);
    keys_encode(keys, blob + PAYLOAD);
    psp_aes128_ctr(k.cipher, iv, blob + PAYLOAD, PAYLOAD_SIZE, blob + PAYLOAD);
    blob_mac(&k, blob, blob + MAC_OFFSET);
    psp_wipe(&k, sizeof(k));
    return PSP_OK;
}

/* Written, read back and compared; @old is what stays if that fails. */
static enum psp_err replace(struct sev_platform *sev, const uint8_t *blob,
                            uint8_t *old, uint8_t *check)
{
    enum psp_err err = raw_load(sev, old);

    if (err == PSP_OK) {
        err = raw_save(sev, blob);
    }
    if (err != PSP_OK) {
        return err;
    }
    err = raw_load(sev, check);
    if (err == PSP_OK && memcmp(check, blob, PSP_NV_SIZE) != 0) {
        err = PSP_E_HOST;
    }
    if (err != PSP_OK && raw_save(sev, old) != PSP_OK) {
        return PSP_E_HOST; /* a store that neither keeps nor gives back */
    }
    return err;
}

static enum psp_err store_write(struct sev_platform *sev, const uint8_t *blob)
{
    uint8_t *two = core_alloc(2 * PSP_NV_SIZE);
    enum psp_err err =
        two == NULL ? PSP_E_NOMEM : replace(sev, blob, two, two + PSP_NV_SIZE);

    core_free(two, 2 * PSP_NV_SIZE);
    return err;
}

enum psp_err sev_store_save(struct sev_platform *sev,
                            const struct sev_keys *keys)
{
    uint8_t *blob = core_alloc(PSP_NV_SIZE);
    enum psp_err err;

    if (blob == NULL) {
        return PSP_E_NOMEM;
    }
    err = blob_seal(sev, keys, blob);
    if (err == PSP_OK) {
        err = store_write(sev, blob);
    }
    core_free(blob, PSP_NV_SIZE);
    return err;
}

enum psp_err sev_store_erase(struct sev_platform *sev)
{
    uint8_t *blob = core_alloc(PSP_NV_SIZE);
    enum psp_err err;

    if (blob == NULL) {
        return PSP_E_NOMEM;
    }
    memset(blob, 0xff, PSP_NV_SIZE);
    err = store_write(sev, blob);
    core_free(blob, PSP_NV_SIZE);
    return err;
}
