/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The host's side of a platform: /dev/sev, the store that survives a power
 * cycle, legacy guests. Each step returns false after one line on stderr;
 * platform_sev_close() ends whatever has come about.
 */
#ifndef CLI_PLATFORM_SEV_H
#define CLI_PLATFORM_SEV_H

#include "platform.h"

/** Open the store that the options name and put it into @config. With a seed
 * that the user chose nothing is kept unless --nv names a file. */
bool platform_nv_open(struct platform *p, const struct platform_options *o,
                      const char *command, struct machine_config *config);

/** Load the driver of /dev/sev, which initialises the platform. */
bool platform_sev_probe(struct platform *p, const struct platform_options *o,
                        const char *command);

/** Launch --legacy-guest in the order given; tell --legacy-info and @trace. */
bool platform_legacy_launch(struct platform *p,
                            const struct platform_options *o,
                            const char *command, struct trace *trace);

/** While the host changes its configuration the guest is told to wait. */
void platform_watch_requests(struct platform *p);

/** Ends legacy guests and driver; the machine stays. */
void platform_sev_close(struct platform *p);

#endif
