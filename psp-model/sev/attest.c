/* SPDX-License-Identifier: Apache-2.0 */
/* ATTESTATION. Spec: abi/sev.md §8. */
#include "sev_internal.h"

/* Checks 4 and 5; the report is complete but for its signature. */
enum sev_status sev_run_attestation(struct sev_call *call)
{
    const struct sev_guest *guest = call->guest;
    struct sev_job *job = call->job;
    struct sev_cmd_attestation c;
    enum sev_status status;

    sev_cmd_attestation_decode(call->buf, &c);
    if (c.length < SEV_REPORT_SIZE) {
        c.length = SEV_REPORT_SIZE;
        sev_cmd_attestation_encode(&c, call->buf);
        return SEV_INVALID_LENGTH;
    }
    status = sev_addr_output(call->sev, c.paddr, SEV_REPORT_SIZE);
    if (status != SEV_SUCCESS) {
        return status;
    }
    job->report = (struct sev_report){
        .policy = guest->policy,
        .sig_usage = SEV_USAGE_PEK,
        .sig_algo = SEV_ALGO_ECDSA_SHA256,
    };
    memcpy(job->report.mnonce, c.mnonce, sizeof(c.mnonce));
    memcpy(job->report.launch_digest, guest->launch_digest,
           sizeof(guest->launch_digest));
    job->key = call->sev->keys.pek;
    job->report_paddr = c.paddr;
    c.length = SEV_REPORT_SIZE;
    sev_cmd_attestation_encode(&c, call->buf);
    call->pending = true;
    return SEV_SUCCESS;
}

void sev_job_run(struct sev_job *job)
{
    uint8_t bytes[SEV_REPORT_SIZE];
    uint8_t digest[SHA256_SIZE];
    struct psp_p384_sig sig;

    sev_report_encode(&job->report, bytes);
    psp_sha256(bytes, SEV_REPORT_SIGNED_SIZE, digest);
    job->err = psp_p384_sign_sha256(&job->key, digest, &sig);
    if (job->err == PSP_OK) {
        sev_number_set(job->report.r, sig.r);
        sev_number_set(job->report.s, sig.s);
    }
}

/* Other commands may have run meanwhile: the page is looked at again. */
enum sev_status sev_attestation_finish(struct sev_platform *sev,
                                       struct sev_job *job)
{
    uint8_t bytes[SEV_REPORT_SIZE];
    enum sev_status status;

    if (job->err != PSP_OK) {
        return core_status(job->err);
    }
    status = sev_output(sev, job->report_paddr, sizeof(bytes));
    if (status != SEV_SUCCESS) {
        return status;
    }
    sev_report_encode(&job->report, bytes);
    return core_status(sev_write(sev, job->report_paddr, bytes, sizeof(bytes)));
}
