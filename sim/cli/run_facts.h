/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What programs look for besides the nodes: files of sysfs, and the model
 * specific registers that say what SEV is doing. abi/linux.md §4.1, §7.1
 */
#ifndef CLI_RUN_FACTS_H
#define CLI_RUN_FACTS_H

#include "seccomp.h"
#include "serve_guests.h"

#include <stdbool.h>

#define RUN_FACTS_MAX  16u
#define RUN_FACTS_TEXT 64u

/** 0xc0010010 (SYSCFG) up to the end of 0xc0010131 (SEV_STATUS). */
#define RUN_FACTS_MSR_FIRST 0xc0010010u
#define RUN_FACTS_MSR_SIZE  0x129u

/** Holds what its probes point to; not to be copied. */
struct run_facts {
    struct run_probe probes[RUN_FACTS_MAX];
    size_t count;
    bool force; /* also where this machine has a file of its own */
    char text[RUN_FACTS_MAX][RUN_FACTS_TEXT];
    uint8_t msr[RUN_FACTS_MSR_SIZE];
    bool has_msr;
    uint32_t mode; /* of the register file */
};

/** No facts yet. */
void run_facts_init(struct run_facts *f, bool force, uint32_t mode);
/** Of a host with /dev/sev, @minor of the misc devices. */
void run_facts_host(struct run_facts *f, bool snp, uint32_t minor);
/** Of an SNP guest with /dev/sev-guest. */
void run_facts_guest(struct run_facts *f, const struct serve_driver *guest,
                     uint32_t minor);
/** After those: the register file. */
void run_facts_end(struct run_facts *f);

#endif
