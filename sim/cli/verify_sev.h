/* SPDX-License-Identifier: Apache-2.0 */
/**
 * `swpsp verify` for legacy SEV.
 */
#ifndef CLI_VERIFY_SEV_H
#define CLI_VERIFY_SEV_H

#include <stdbool.h>

/** Is this command line about legacy SEV? --type says; else the report, if it
 * is a regular file; else options that only it has. */
bool verify_sev_asked(int argc, char **argv);

/** Returns the exit status. */
int verify_sev_run(int argc, char **argv);

#endif
