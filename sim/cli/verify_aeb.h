/* SPDX-License-Identifier: Apache-2.0 */
/** `swpsp verify --type aeb`: evidence of the broker, JSON or packed. */
#ifndef CLI_VERIFY_AEB_H
#define CLI_VERIFY_AEB_H

#include <stdbool.h>

/** True if the arguments of `swpsp verify` ask for it. */
bool verify_aeb_asked(int argc, char **argv);
/** Returns an exit status. */
int verify_aeb_run(int argc, char **argv);

#endif
