/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Platform options: which platform and which guest, shared by the commands that
 * make one. See swpsp(1).
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "sev_guest.h"
#include "sev_options.h"

#include <psp/profile.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

enum certs_kind {
    CERTS_DEFAULT,
    CERTS_VCEK,
    CERTS_VLEK,
    CERTS_NONE,
    CERTS_FILE
};

struct platform_options {
    const struct psp_profile *profile; /* may be &changed, after the finish */
    uint32_t asid_count;               /* 0: as many as the profile has */
    uint32_t min_sev_asid;             /* 0: follows from the others */
    bool platform_info_set;
    uint64_t platform_info; /* of reports */
    struct psp_profile changed;
    const char *state_dir; /* NULL: the default installation */
    bool dev_seed;
    const char *seed_file; /* NULL: the installation's own seed */
    uint32_t chip_index;
    bool lookalike;
    const char *product_name; /* in VCEKs; NULL: as AMD issues them */
    const char *guest_path;   /* NULL: the default guest */
    /* Replace members of the guest description when set. */
    const char *policy, *host_data, *vmpl, *family_id, *image_id, *guest_svn;
    enum certs_kind certs;
    const char *certs_path;
    bool vlek;
    bool mask_chip_id;
    bool mask_chip_key;
    bool reported_tcb_set;
    struct psp_tcb reported_tcb;
    enum sev_guest_era era;
    int vmpck_id;
    bool long_key_request;
    struct sev_options sev; /* /dev/sev and the legacy half */
};

/** Values of struct option.val below this belong to the command itself. */
#define OPTION_PLATFORM 1000

/** The getopt_long rows of the platform options (without a last zero row). */
extern const struct option PLATFORM_OPTIONS[];
extern const size_t PLATFORM_OPTION_COUNT;

void options_init(struct platform_options *o);

/**
 * Take one option that getopt_long returned (@val >= OPTION_PLATFORM) with its
 * @arg. Returns false after one line on stderr "swpsp COMMAND: ...".
 */
bool options_take(struct platform_options *o, const char *command, int val,
                  const char *arg);

/** Checks and choices that need all options; false after one line on stderr. */
bool options_finish(struct platform_options *o, const char *command);

/** Help text of the platform options. */
extern const char PLATFORM_HELP[];

#endif
