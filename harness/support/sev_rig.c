/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_rig.h"

#include "raw_guest.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

static bool in_memory(uint64_t spa, size_t size)
{
    return spa <= RIG_MEMORY && size <= RIG_MEMORY - spa;
}

static int mem_read(void *host, uint64_t spa, void *buf, size_t size)
{
    const struct sev_rig *r = host;

    if (!in_memory(spa, size)) {
        return -1;
    }
    memcpy(buf, r->memory + spa, size);
    return 0;
}

static int mem_write(void *host, uint64_t spa, const void *buf, size_t size)
{
    struct sev_rig *r = host;

    if (!in_memory(spa, size)) {
        return -1;
    }
    if (memcmp(r->memory + spa, buf, size) != 0) {
        r->changes += spa / 0x1000 != RIG_CMD / 0x1000;
        memcpy(r->memory + spa, buf, size);
    }
    return 0;
}

static int entropy(void *host, void *buf, size_t size)
{
    struct sev_rig *r = host;

    return psp_drbg_bytes(&r->drbg, buf, size) == PSP_OK ? 0 : -1;
}

static int nv_load(void *host, uint8_t *blob)
{
    struct sev_rig *r = host;

    if (!r->have_nv) {
        return 1;
    }
    memcpy(blob, r->nv, sizeof(r->nv));
    return 0;
}

static int nv_store(void *host, const uint8_t *blob)
{
    struct sev_rig *r = host;

    memcpy(r->nv, blob, sizeof(r->nv));
    r->have_nv = true;
    return 0;
}

static void power_on(struct sev_rig *r)
{
    struct psp_config config = {
        .profile = r->profile,
        .chip = r->chip,
        .memory_size = RIG_MEMORY,
        .sev = {.snp_enabled = r->profile.has_snp},
    };

    raw_need(psp_create(&config, &r->ops, r, &r->psp) == PSP_OK, "psp_create");
}

void rig_power(struct sev_rig *r, const char *profile, bool snp)
{
    const struct psp_profile *p = psp_profile_by_name(profile);

    raw_need(p != NULL, profile);
    memset(r, 0, sizeof(*r));
    r->profile = *p;
    r->profile.has_snp = snp;
    r->ops = (struct psp_host_ops){.mem_read = mem_read,
                                   .mem_write = mem_write,
                                   .entropy = entropy,
                                   .nv_load = nv_load,
                                   .nv_store = nv_store};
    r->memory = calloc(1, RIG_MEMORY);
    raw_need(r->memory != NULL, "memory");
    raw_need(psp_drbg_init(&r->drbg, RAW_SEED, "sev rig") == PSP_OK, "drbg");
    pki_chip_make(PKI_DEV_SEED, p->generation, 0, &r->chip);
    power_on(r);
}

void rig_init(struct sev_rig *r)
{
    uint8_t buf[SEV_CMD_INIT_SIZE];
    struct sev_cmd_init cmd = {
        .options = SEV_OPTION_ES, .tmr_paddr = RIG_TMR, .tmr_length = 0x100000};

    sev_cmd_init_encode(&cmd, buf);
    raw_need(rig_exec(r, SEV_CMD_INIT, buf, sizeof(buf)) == SEV_SUCCESS,
             "INIT");
    raw_need(rig_run(r, SEV_CMD_DF_FLUSH) == SEV_SUCCESS, "DF_FLUSH");
}

void rig_open(struct sev_rig *r, const char *profile, bool init)
{
    rig_power(r, profile, false);
    if (init) {
        rig_init(r);
    }
}

void rig_close(struct sev_rig *r)
{
    psp_destroy(r->psp);
    free(r->memory);
    psp_drbg_wipe(&r->drbg);
    psp_wipe(r, sizeof(*r));
}

void rig_cycle(struct sev_rig *r)
{
    psp_destroy(r->psp);
    power_on(r);
}

enum sev_status rig_exec(struct sev_rig *r, uint32_t id, const uint8_t *buffer,
                         size_t size)
{
    enum sev_status status;

    memcpy(r->memory + RIG_CMD, buffer, size);
    status = psp_execute(r->psp, id, RIG_CMD);
    memcpy(r->buffer, r->memory + RIG_CMD, sizeof(r->buffer));
    return status;
}

enum sev_status rig_run(struct sev_rig *r, uint32_t id)
{
    return psp_execute(r->psp, id, 0);
}

struct sev_cmd_status rig_status(struct sev_rig *r)
{
    struct sev_cmd_status s;
    uint8_t buf[SEV_CMD_STATUS_SIZE] = {0};

    raw_need(rig_exec(r, SEV_CMD_PLATFORM_STATUS, buf, sizeof(buf)) ==
                 SEV_SUCCESS,
             "PLATFORM_STATUS");
    sev_cmd_status_decode(r->buffer, &s);
    return s;
}

void rig_export(struct sev_rig *r, uint8_t pdh[SEV_CERT_SIZE],
                uint8_t chain[3 * SEV_CERT_SIZE])
{
    uint8_t buf[SEV_CMD_CERTS_SIZE];
    struct sev_cmd_certs cmd = {.first_paddr = RIG_OUT,
                                .first_length = SEV_CERT_SIZE,
                                .second_paddr = RIG_OUT2,
                                .second_length = 3 * SEV_CERT_SIZE};

    sev_cmd_certs_encode(&cmd, buf);
    raw_need(rig_exec(r, SEV_CMD_PDH_CERT_EXPORT, buf, sizeof(buf)) ==
                 SEV_SUCCESS,
             "PDH_CERT_EXPORT");
    memcpy(pdh, r->memory + RIG_OUT, SEV_CERT_SIZE);
    memcpy(chain, r->memory + RIG_OUT2, 3 * SEV_CERT_SIZE);
}

void rig_key(const char *name, struct psp_p384_key *key)
{
    uint8_t bytes[56];

    psp_kdf_sha256_le(RAW_SEED, PSP_SEED_SIZE, name, NULL, 0, bytes,
                      sizeof(bytes));
    raw_need(psp_p384_from_bytes(bytes, sizeof(bytes), key) == PSP_OK, name);
}

void rig_cert(const struct psp_p384_key *key, uint32_t usage,
              struct sev_cert *cert)
{
    sev_cert_init(cert);
    cert->pubkey_usage = usage;
    cert->pubkey_algo =
        usage == SEV_USAGE_PDH ? SEV_ALGO_ECDH_SHA256 : SEV_ALGO_ECDSA_SHA256;
    sev_cert_set_ec(cert, SEV_CURVE_P384, key->pub.x, key->pub.y);
}

void rig_sign(struct sev_cert *cert, unsigned int slot, uint32_t usage,
              const struct psp_p384_key *key)
{
    uint8_t bytes[SEV_CERT_SIZE], digest[SHA256_SIZE];
    struct psp_p384_sig sig;

    sev_cert_encode(cert, bytes);
    psp_sha256(bytes, SEV_CERT_BODY_SIZE, digest);
    raw_need(psp_p384_sign_sha256(key, digest, &sig) == PSP_OK, "sign");
    cert->sig[slot].usage = usage;
    cert->sig[slot].algo = SEV_ALGO_ECDSA_SHA256;
    sev_cert_slot_set_ecdsa(&cert->sig[slot], sig.r, sig.s);
}

void rig_owner(const char *name, uint32_t policy, struct rig_owner *o)
{
    uint8_t bytes[64];

    rig_key(name, &o->key);
    psp_kdf_sha256_le(RAW_SEED, PSP_SEED_SIZE, name, "owner", 5, bytes,
                      sizeof(bytes));
    memcpy(o->nonce, bytes, 16);
    memcpy(o->wrap_iv, bytes + 16, 16);
    memcpy(o->tek, bytes + 32, 16);
    memcpy(o->tik, bytes + 48, 16);
    o->policy = policy;
}

static void mac(const uint8_t key[16], const void *data, size_t size,
                uint8_t out[32])
{
    const struct psp_part part = {data, size};

    psp_hmac_sha256(key, 16, &part, 1, out);
}

void rig_session(const struct rig_owner *o, const uint8_t pdh[SEV_CERT_SIZE],
                 uint8_t godh[SEV_CERT_SIZE], uint8_t blob[SEV_SESSION_SIZE])
{
    uint8_t z[P384_SIZE], ms[16], kek[16], kik[16], tk[32], policy[4];
    struct psp_wr w = psp_wr(policy, sizeof(policy));
    struct sev_session s;
    struct psp_p384_pub peer;
    struct sev_cert cert;
    uint32_t curve = 0;

    raw_need(sev_cert_decode(pdh, SEV_CERT_SIZE, &cert) == PSP_OK &&
                 sev_cert_get_ec(&cert, &curve, peer.x, peer.y) &&
                 psp_p384_ecdh(&o->key, &peer, z) == PSP_OK,
             "session");
    psp_kdf_sha256_le(z, sizeof(z), "sev-master-secret", o->nonce, 16, ms, 16);
    psp_kdf_sha256_le(ms, 16, "sev-kek", NULL, 0, kek, 16);
    psp_kdf_sha256_le(ms, 16, "sev-kik", NULL, 0, kik, 16);
    memcpy(tk, o->tek, 16);
    memcpy(tk + 16, o->tik, 16);
    psp_wr_le32(&w, o->policy);
    memcpy(s.nonce, o->nonce, 16);
    memcpy(s.wrap_iv, o->wrap_iv, 16);
    psp_aes128_ctr(kek, o->wrap_iv, tk, sizeof(tk), s.wrap_tk);
    mac(kik, s.wrap_tk, sizeof(s.wrap_tk), s.wrap_mac);
    mac(o->tik, policy, sizeof(policy), s.policy_mac);
    sev_session_encode(&s, blob);
    rig_cert(&o->key, SEV_USAGE_PDH, &cert);
    sev_cert_encode(&cert, godh);
}

void rig_packet(const struct rig_owner *o, const uint8_t iv[16],
                const uint8_t measure[32], uint8_t *payload, uint32_t size,
                uint8_t header[SEV_PACKET_HEADER_SIZE])
{
    struct sev_packet_header h = {.flags = 0};
    uint8_t head[29] = {SEV_MAC_SECRET};
    struct psp_wr w = psp_wr(head, sizeof(head));
    const struct psp_part parts[] = {
        {head, sizeof(head)}, {payload, size}, {measure, 32}};

    psp_aes128_ctr(o->tek, iv, payload, size, payload);
    memcpy(h.iv, iv, 16);
    psp_wr_u8(&w, SEV_MAC_SECRET);
    psp_wr_le32(&w, h.flags);
    psp_wr_bytes(&w, iv, 16);
    psp_wr_le32(&w, size);
    psp_wr_le32(&w, size);
    psp_hmac_sha256(o->tik, 16, parts, 3, h.mac);
    sev_packet_header_encode(&h, header);
}

enum sev_status rig_start(struct sev_rig *r, uint32_t policy,
                          const uint8_t *godh, const uint8_t *blob,
                          uint32_t asid, uint32_t *handle)
{
    uint8_t buf[SEV_CMD_START_SIZE], act[SEV_CMD_ACTIVATE_SIZE];
    struct sev_cmd_start cmd = {.policy = policy};
    struct sev_cmd_activate activate = {.asid = asid};
    enum sev_status status;

    if (godh != NULL) {
        memcpy(r->memory + RIG_IN, godh, SEV_CERT_SIZE);
        memcpy(r->memory + RIG_IN2, blob, SEV_SESSION_SIZE);
        cmd.cert_paddr = RIG_IN;
        cmd.cert_length = SEV_CERT_SIZE;
        cmd.session_paddr = RIG_IN2;
        cmd.session_length = SEV_SESSION_SIZE;
    }
    sev_cmd_start_encode(&cmd, buf);
    status = rig_exec(r, SEV_CMD_LAUNCH_START, buf, sizeof(buf));
    if (status != SEV_SUCCESS) {
        return status;
    }
    sev_cmd_start_decode(r->buffer, &cmd);
    *handle = activate.handle = cmd.handle;
    sev_cmd_activate_encode(&activate, act);
    return rig_exec(r, SEV_CMD_ACTIVATE, act, sizeof(act));
}

enum sev_status rig_range(struct sev_rig *r, uint32_t id, uint32_t handle,
                          uint64_t spa, uint32_t size)
{
    uint8_t buf[SEV_CMD_RANGE_SIZE];
    struct sev_cmd_range cmd = {.handle = handle, .paddr = spa, .length = size};

    sev_cmd_range_encode(&cmd, buf);
    return rig_exec(r, id, buf, sizeof(buf));
}

enum sev_status rig_handle(struct sev_rig *r, uint32_t id, uint32_t handle)
{
    uint8_t buf[SEV_CMD_HANDLE_SIZE];
    struct sev_cmd_handle cmd = {.handle = handle};

    sev_cmd_handle_encode(&cmd, buf);
    return rig_exec(r, id, buf, sizeof(buf));
}

enum sev_status rig_attest(struct sev_rig *r, uint32_t handle,
                           const uint8_t mnonce[16], uint32_t size)
{
    uint8_t buf[SEV_CMD_ATTESTATION_SIZE];
    struct sev_cmd_attestation cmd = {
        .handle = handle, .paddr = RIG_OUT, .length = size};

    memcpy(cmd.mnonce, mnonce, sizeof(cmd.mnonce));
    sev_cmd_attestation_encode(&cmd, buf);
    return rig_exec(r, SEV_CMD_ATTESTATION, buf, sizeof(buf));
}
