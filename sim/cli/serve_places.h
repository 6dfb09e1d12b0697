/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Where `swpsp serve` puts its files, and where it mounts.
 */
#ifndef CLI_SERVE_PLACES_H
#define CLI_SERVE_PLACES_H

#include "serve_options.h"

/** Do the socket, the pid file and the state stay clear of the mounts? If not,
 * one line on stderr. */
bool serve_places_check(const struct serve_options *o);

#endif
