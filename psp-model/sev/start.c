/* SPDX-License-Identifier: Apache-2.0 */
/* LAUNCH_START and RECEIVE_START. Spec: abi/sev.md §1.5, §1.6. */
#include "sev_internal.h"

/* Checks 2 to 4. */
static enum sev_status read_inputs(const struct sev_platform *sev,
                                   const struct sev_cmd_start *c,
                                   struct sev_session *session,
                                   struct psp_p384_pub *peer)
{
    uint8_t bytes[SEV_CERT_SIZE];
    uint8_t blob[SEV_SESSION_SIZE];
    struct sev_cert cert;
    enum sev_status status;
    enum psp_err err;

    if (c->session_length != SEV_SESSION_SIZE) {
        return SEV_INVALID_LENGTH;
    }
    status = sev_addr(sev, c->session_paddr, SEV_SESSION_SIZE);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (c->cert_length != SEV_CERT_SIZE) {
        return SEV_INVALID_LENGTH;
    }
    status = sev_addr(sev, c->cert_paddr, SEV_CERT_SIZE);
    if (status != SEV_SUCCESS) {
        return status;
    }
    err = sev_read(sev, c->session_paddr, blob, sizeof(blob));
    if (err == PSP_OK) {
        err = sev_read(sev, c->cert_paddr, bytes, sizeof(bytes));
    }
    if (err == PSP_OK) {
        err = sev_session_decode(blob, sizeof(blob), session);
    }
    if (err == PSP_OK) {
        err = sev_cert_decode(bytes, sizeof(bytes), &cert);
    }
    return err != PSP_OK ? core_status(err) : sev_dh_check(&cert, peer);
}

/* Checks 2 to 6. */
static enum sev_status open_session(const struct sev_platform *sev,
                                    const struct sev_cmd_start *c,
                                    struct sev_transport *transport)
{
    struct sev_session session;
    struct psp_p384_pub peer;
    enum sev_status status = read_inputs(sev, c, &session, &peer);

    if (status != SEV_SUCCESS) {
        return status;
    }
    return sev_session_open(&sev->keys.pdh, &peer, &session, c->policy,
                            transport);
}

/* Checks 7 to 12. */
static enum sev_status check_policy(const struct sev_platform *sev,
                                    const struct sev_cmd_start *c,
                                    const struct sev_guest **share)
{
    const struct psp_profile *profile = &sev->core->profile;

    if (!sev_policy_api_ok(c->policy, profile->api_major, profile->api_minor) ||
        (c->policy & SEV_POLICY_RESERVED) != 0) {
        return SEV_POLICY_FAILURE;
    }
    *share = sev_guest_find(sev, c->handle);
    if (c->handle != 0) {
        if (*share == NULL) {
            return SEV_INVALID_GUEST;
        }
        if ((*share)->policy != c->policy ||
            (c->policy & SEV_POLICY_NOKS) != 0) {
            return SEV_POLICY_FAILURE;
        }
    }
    if (!sev_guest_room(sev)) {
        return SEV_RESOURCE_LIMIT;
    }
    if ((c->policy & SEV_POLICY_ES) != 0 && !sev->es) {
        return SEV_UNSUPPORTED;
    }
    return SEV_SUCCESS;
}

/* @session: there is one. Without, TEK and TIK are zero. */
static enum sev_status start(struct sev_call *call, bool session,
                             enum sev_guest_state state)
{
    struct sev_platform *sev = call->sev;
    struct sev_transport transport = {{0}, {0}, {0}, {0}};
    const struct sev_guest *share;
    struct sev_guest *guest;
    struct sev_cmd_start c;
    enum sev_status status = SEV_SUCCESS;

    sev_cmd_start_decode(call->buf, &c);
    if (session) {
        status = open_session(sev, &c, &transport);
    }
    if (status == SEV_SUCCESS) {
        status = check_policy(sev, &c, &share);
    }
    if (status == SEV_SUCCESS) {
        status =
            sev_guest_create(sev, state, c.policy, share, &transport, &guest);
    }
    if (status == SEV_SUCCESS) {
        call->guest = guest;
        c.handle = guest->handle;
        sev_cmd_start_encode(&c, call->buf);
    }
    psp_wipe(&transport, sizeof(transport));
    return status;
}

enum sev_status sev_run_launch_start(struct sev_call *call)
{
    struct sev_cmd_start c;

    sev_cmd_start_decode(call->buf, &c);
    return start(call, c.cert_paddr != 0, SEV_GUEST_LUPDATE);
}

enum sev_status sev_run_receive_start(struct sev_call *call)
{
    return start(call, true, SEV_GUEST_RUPDATE);
}

enum sev_status sev_undo_start(struct sev_call *call)
{
    sev_guest_destroy(call->sev, call->guest);
    return SEV_SUCCESS;
}
