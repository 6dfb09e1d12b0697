/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One instance, and the long part of a command. Private to platform/.
 */
#ifndef PLATFORM_PSP_IMPL_H
#define PLATFORM_PSP_IMPL_H

#include "commands.h"
#include "sev.h"

/** Which half the job belongs to. */
enum job_owner { JOB_NONE, JOB_SNP, JOB_SEV };

struct psp_job {
    enum job_owner owner;
    struct snp_job snp;
    struct sev_job sev;
};

struct psp {
    struct psp_core core;
    struct snp_platform snp;
    struct sev_platform sev;
    struct psp_job scratch; /* of psp_execute() */
};

#endif
