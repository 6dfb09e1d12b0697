/* SPDX-License-Identifier: Apache-2.0 */
/* SEND_START, SEND_FINISH, SEND_CANCEL. Spec: abi/sev.md §1.6. */
#include "sev_internal.h"

/* ASK and ARK: both 2048, one of each, both 4096 bits. */
#define AMD_SIZE_2048  1664u
#define AMD_SIZE_MIXED 2432u
#define AMD_SIZE_4096  3200u

/* What the caller presents about the receiving platform. */
struct receiver {
    struct sev_cert pdh;
    struct sev_cert pek;
    struct sev_cert oca;
    struct sev_cert cek;
    uint8_t amd[AMD_SIZE_4096];
};

enum sev_status sev_args_send_start(struct sev_call *call)
{
    struct sev_cmd_send_start c;

    sev_cmd_send_start_decode(call->buf, &c);
    if (c.session_length == SEV_SESSION_SIZE) {
        return SEV_SUCCESS;
    }
    c.session_length = SEV_SESSION_SIZE;
    sev_cmd_send_start_encode(&c, call->buf);
    return SEV_INVALID_LENGTH;
}

/* Lengths of checks 6, 9 and 11. */
static bool lengths_ok(const struct sev_cmd_send_start *c, bool plat, bool amd)
{
    if (c->pdh_length != SEV_CERT_SIZE ||
        (plat && c->plat_length != SEV_CHAIN_SIZE)) {
        return false;
    }
    return !amd || c->amd_length == AMD_SIZE_2048 ||
           c->amd_length == AMD_SIZE_MIXED || c->amd_length == AMD_SIZE_4096;
}

static enum sev_status check_addresses(const struct sev_platform *sev,
                                       const struct sev_cmd_send_start *c,
                                       bool plat, bool amd)
{
    enum sev_status status = sev_addr(sev, c->pdh_paddr, c->pdh_length);

    if (status == SEV_SUCCESS && plat) {
        status = sev_addr(sev, c->plat_paddr, c->plat_length);
    }
    if (status == SEV_SUCCESS && amd) {
        status = sev_addr(sev, c->amd_paddr, c->amd_length);
    }
    if (status == SEV_SUCCESS) {
        status = sev_addr_output(sev, c->session_paddr, SEV_SESSION_SIZE);
    }
    return status;
}

static enum psp_err read_certs(const struct sev_platform *sev, uint64_t paddr,
                               struct sev_cert *const certs[], size_t count)
{
    uint8_t bytes[SEV_CERT_SIZE];

    for (size_t i = 0; i < count; i++) {
        enum psp_err err =
            sev_read(sev, paddr + i * SEV_CERT_SIZE, bytes, sizeof(bytes));

        if (err == PSP_OK) {
            err = sev_cert_decode(bytes, sizeof(bytes), certs[i]);
        }
        if (err != PSP_OK) {
            return err;
        }
    }
    return PSP_OK;
}

static enum psp_err read_receiver(const struct sev_platform *sev,
                                  const struct sev_cmd_send_start *c, bool plat,
                                  bool amd, struct receiver *r)
{
    struct sev_cert *const pdh[] = {&r->pdh};
    struct sev_cert *const chain[] = {&r->pek, &r->oca, &r->cek};
    enum psp_err err = read_certs(sev, c->pdh_paddr, pdh, 1);

    if (err == PSP_OK && plat) {
        err = read_certs(sev, c->plat_paddr, chain, 3);
    }
    if (err == PSP_OK && amd) {
        err = sev_read(sev, c->amd_paddr, r->amd, c->amd_length);
    }
    return err;
}

/* Checks 7 and 8. */
static enum sev_status check_amd(const struct sev_platform *sev,
                                 const struct receiver *r, uint32_t amd_length,
                                 uint32_t policy)
{
    enum sev_status status =
        sev_amd_chain_check(&sev->config, r->amd, amd_length, &r->cek);

    if (status == SEV_SUCCESS) {
        status = sev_cert_check(&r->pek, &r->cek);
    }
    if (status == SEV_SUCCESS) {
        status = sev_cert_check(&r->pdh, &r->pek);
    }
    if (status == SEV_SUCCESS &&
        !sev_policy_api_ok(policy, r->pek.api_major, r->pek.api_minor)) {
        status = SEV_POLICY_FAILURE;
    }
    return status;
}

static bool same_cert(const struct sev_cert *a, const struct sev_cert *b)
{
    uint8_t left[SEV_CERT_SIZE], right[SEV_CERT_SIZE];

    sev_cert_encode(a, left);
    sev_cert_encode(b, right);
    return memcmp(left, right, SEV_CERT_SIZE) == 0;
}

/* Checks 9 and 10. */
static enum sev_status check_domain(const struct sev_platform *sev,
                                    const struct receiver *r)
{
    enum sev_status status = sev_cert_check(&r->oca, &r->oca);

    if (status == SEV_SUCCESS) {
        status = sev_cert_check(&r->pek, &r->oca);
    }
    if (status == SEV_SUCCESS) {
        status = sev_cert_check(&r->pdh, &r->pek);
    }
    if (status == SEV_SUCCESS && !same_cert(&r->oca, &sev->keys.oca_cert)) {
        status = SEV_POLICY_FAILURE;
    }
    return status;
}

/* Checks 5 to 12. */
static enum sev_status check_receiver(const struct sev_platform *sev,
                                      const struct sev_cmd_send_start *c,
                                      uint32_t policy,
                                      struct psp_p384_pub *peer)
{
    bool amd = (policy & SEV_POLICY_SEV) != 0;
    bool domain = (policy & SEV_POLICY_DOMAIN) != 0;
    struct receiver *r;
    enum sev_status status;

    if ((policy & SEV_POLICY_NOSEND) != 0) {
        return SEV_POLICY_FAILURE;
    }
    if (!lengths_ok(c, amd || domain, amd)) {
        return SEV_INVALID_LENGTH;
    }
    status = check_addresses(sev, c, amd || domain, amd);
    if (status != SEV_SUCCESS) {
        return status;
    }
    r = core_alloc(sizeof(*r));
    if (r == NULL) {
        return core_status(PSP_E_NOMEM);
    }
    status = core_status(read_receiver(sev, c, amd || domain, amd, r));
    if (status == SEV_SUCCESS && amd) {
        status = check_amd(sev, r, c->amd_length, policy);
    }
    if (status == SEV_SUCCESS && domain) {
        status = check_domain(sev, r);
    }
    if (status == SEV_SUCCESS) {
        status = sev_dh_check(&r->pdh, peer);
    }
    core_free(r, sizeof(*r));
    return status;
}

enum sev_status sev_run_send_start(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_guest *guest = call->guest;
    uint8_t bytes[SEV_SESSION_SIZE];
    struct sev_transport transport;
    struct sev_cmd_send_start c;
    struct sev_session session;
    struct psp_p384_pub peer;
    enum sev_status status;
    enum psp_err err;

    sev_cmd_send_start_decode(call->buf, &c);
    status = check_receiver(sev, &c, guest->policy, &peer);
    if (status != SEV_SUCCESS) {
        return status;
    }
    err = sev_session_seal(sev, &peer, guest->policy, &transport, &session);
    if (err == PSP_OK) {
        sev_session_encode(&session, bytes);
        err = sev_write(sev, c.session_paddr, bytes, sizeof(bytes));
    }
    if (err == PSP_OK) {
        guest->transport = transport;
        guest->state = SEV_GUEST_SUPDATE;
        c.policy = guest->policy;
        sev_cmd_send_start_encode(&c, call->buf);
    }
    psp_wipe(&transport, sizeof(transport));
    return core_status(err);
}

enum sev_status sev_run_send_finish(struct sev_call *call)
{
    sev_guest_forget_transport(call->guest);
    call->guest->state = SEV_GUEST_SENT;
    return SEV_SUCCESS;
}

enum sev_status sev_run_send_cancel(struct sev_call *call)
{
    sev_guest_forget_transport(call->guest);
    call->guest->state = SEV_GUEST_RUNNING;
    return SEV_SUCCESS;
}
