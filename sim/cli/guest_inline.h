/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A guest's launch request for a running platform, from the options: what the
 * description takes from files is put into it, so that it means the same
 * anywhere and at any time.
 */
#ifndef CLI_GUEST_INLINE_H
#define CLI_GUEST_INLINE_H

#include "options.h"

#include <jansson.h>

/** The "guest" member of a "guest.launch" request; NULL after one line on
 * stderr. What is wrong with the description otherwise is the daemon's to
 * say. */
json_t *guest_inline(const struct platform_options *o, const char *name,
                     bool legacy);

#endif
