/* SPDX-License-Identifier: Apache-2.0 */
/* ECDH, the session keys and the session blob. Spec: abi/sev.md §7.1, §7.2. */
#include "sev_internal.h"

struct wrap_keys {
    uint8_t kek[SEV_TK_SIZE];
    uint8_t kik[SEV_TK_SIZE];
};

static enum psp_err master_secret(const struct psp_p384_key *own,
                                  const struct psp_p384_pub *peer,
                                  const uint8_t nonce[SEV_NONCE_SIZE],
                                  uint8_t ms[SEV_TK_SIZE])
{
    uint8_t z[P384_SIZE];
    enum psp_err err = psp_p384_ecdh(own, peer, z);

    if (err == PSP_OK) {
        psp_kdf_sha256_le(z, sizeof(z), "sev-master-secret", nonce,
                          SEV_NONCE_SIZE, ms, SEV_TK_SIZE);
    }
    psp_wipe(z, sizeof(z));
    return err;
}

static void wrap_keys(const uint8_t ms[SEV_TK_SIZE], struct wrap_keys *k)
{
    psp_kdf_sha256_le(ms, SEV_TK_SIZE, "sev-kek", NULL, 0, k->kek,
                      sizeof(k->kek));
    psp_kdf_sha256_le(ms, SEV_TK_SIZE, "sev-kik", NULL, 0, k->kik,
                      sizeof(k->kik));
}

static void policy_mac(uint32_t policy, const uint8_t tik[SEV_TK_SIZE],
                       uint8_t mac[SEV_MAC_SIZE])
{
    uint8_t bytes[4];
    const struct psp_part part = {bytes, sizeof(bytes)};
    struct psp_wr w = psp_wr(bytes, sizeof(bytes));

    psp_wr_le32(&w, policy);
    psp_hmac_sha256(tik, SEV_TK_SIZE, &part, 1, mac);
}

static void wrap_mac(const struct wrap_keys *k, const uint8_t *wrap_tk,
                     uint8_t mac[SEV_MAC_SIZE])
{
    const struct psp_part part = {wrap_tk, 2 * SEV_TK_SIZE};

    psp_hmac_sha256(k->kik, sizeof(k->kik), &part, 1, mac);
}

enum sev_status sev_session_open(const struct psp_p384_key *own,
                                 const struct psp_p384_pub *peer,
                                 const struct sev_session *session,
                                 uint32_t policy, struct sev_transport *out)
{
    struct wrap_keys k;
    uint8_t tk[2 * SEV_TK_SIZE], mac[SEV_MAC_SIZE];
    enum sev_status status = SEV_BAD_MEASUREMENT;
    enum psp_err err;

    memcpy(out->nonce, session->nonce, sizeof(out->nonce));
    err = master_secret(own, peer, session->nonce, out->ms);
    if (err != PSP_OK) {
        status = core_status(err);
        goto out;
    }
    wrap_keys(out->ms, &k);
    wrap_mac(&k, session->wrap_tk, mac);
    if (!psp_ct_equal(mac, session->wrap_mac, sizeof(mac))) {
        goto out;
    }
    psp_aes128_ctr(k.kek, session->wrap_iv, session->wrap_tk, sizeof(tk), tk);
    memcpy(out->tek, tk, SEV_TK_SIZE);
    memcpy(out->tik, tk + SEV_TK_SIZE, SEV_TK_SIZE);
    policy_mac(policy, out->tik, mac);
    if (psp_ct_equal(mac, session->policy_mac, sizeof(mac))) {
        status = SEV_SUCCESS;
    }
out:
    if (status != SEV_SUCCESS) {
        psp_wipe(out, sizeof(*out));
    }
    psp_wipe(&k, sizeof(k));
    psp_wipe(tk, sizeof(tk));
    return status;
}

/* Nonce, TEK, TIK and IV are new for every session. */
static enum psp_err draw(const struct sev_platform *sev,
                         struct sev_transport *t, struct sev_session *session)
{
    uint8_t bytes[SEV_NONCE_SIZE + 2 * SEV_TK_SIZE + sizeof(session->wrap_iv)];
    struct psp_rd r = psp_rd(bytes, sizeof(bytes));
    enum psp_err err = core_random(sev->core, bytes, sizeof(bytes));

    if (err == PSP_OK) {
        psp_rd_bytes(&r, t->nonce, sizeof(t->nonce));
        psp_rd_bytes(&r, t->tek, sizeof(t->tek));
        psp_rd_bytes(&r, t->tik, sizeof(t->tik));
        psp_rd_bytes(&r, session->wrap_iv, sizeof(session->wrap_iv));
    }
    psp_wipe(bytes, sizeof(bytes));
    return err;
}

enum psp_err sev_session_seal(const struct sev_platform *sev,
                              const struct psp_p384_pub *peer, uint32_t policy,
                              struct sev_transport *transport,
                              struct sev_session *session)
{
    struct wrap_keys k;
    uint8_t tk[2 * SEV_TK_SIZE];
    enum psp_err err = draw(sev, transport, session);

    if (err == PSP_OK) {
        err = master_secret(&sev->keys.pdh, peer, transport->nonce,
                            transport->ms);
    }
    if (err != PSP_OK) {
        psp_wipe(transport, sizeof(*transport));
        return err;
    }
    wrap_keys(transport->ms, &k);
    memcpy(tk, transport->tek, SEV_TK_SIZE);
    memcpy(tk + SEV_TK_SIZE, transport->tik, SEV_TK_SIZE);
    memcpy(session->nonce, transport->nonce, sizeof(session->nonce));
    psp_aes128_ctr(k.kek, session->wrap_iv, tk, sizeof(tk), session->wrap_tk);
    wrap_mac(&k, session->wrap_tk, session->wrap_mac);
    policy_mac(policy, transport->tik, session->policy_mac);
    psp_wipe(&k, sizeof(k));
    psp_wipe(tk, sizeof(tk));
    return PSP_OK;
}
