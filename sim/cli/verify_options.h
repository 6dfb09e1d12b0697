/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Options of `swpsp verify`: files, and what the relying party expects.
 */
#ifndef CLI_VERIFY_OPTIONS_H
#define CLI_VERIFY_OPTIONS_H

#include "verifier.h"

#include <stdbool.h>
#include <stdint.h>

/** Least TCB: eight bytes as in a report, or components by name, whose place
 * depends on the generation of the evidence. */
struct min_tcb {
    bool set;
    bool raw;
    struct psp_tcb tcb; /* raw */
    uint8_t fmc, boot_loader, tee, snp, microcode;
};

struct verify_options {
    bool help;
    bool json;
    const char *report, *certs, *vcek, *ask, *ark, *root, *crl; /* paths */
    struct min_tcb min_tcb;
    struct verify_policy policy; /* points into this structure */
    uint8_t report_data[64];
    uint8_t measurement[48];
    uint8_t host_data[32];
    uint8_t id_key_digest[48];
    uint8_t author_key_digest[48];
    uint64_t guest_policy;
    uint32_t vmpl;
    struct psp_tcb min_tcb_bytes;
};

extern const char VERIFY_HELP[];

/** Parse the command line; @o must stay where it is. False after one line on
 * stderr. With @o->help nothing else is demanded. */
bool verify_options_parse(struct verify_options *o, int argc, char **argv);

/** Lay @o->min_tcb out for the evidence's product and hang it into the policy.
 * False (one line on stderr): components by name, but the product is unknown;
 * or a component that the product does not have. */
bool verify_options_place_tcb(struct verify_options *o,
                              enum psp_generation generation);

#endif
