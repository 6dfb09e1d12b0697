/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Options of `swpsp serve`, and those that the state remembers.
 */
#ifndef CLI_SERVE_OPTIONS_H
#define CLI_SERVE_OPTIONS_H

#include "options.h"
#include "serve_devices.h"

#include <jansson.h>
#include <sys/types.h>

struct serve_options {
    struct platform_options platform; /* after serve_options_settle() */
    const char *socket;
    mode_t socket_mode;
    bool socket_mode_set;
    const char *socket_group;
    const char *pid_file;
    const char *user, *group;
    int log_level;
    bool cuse;
    struct serve_mounts mounts;
    char *copies[2 * SERVE_MOUNTS_MAX]; /* that mounts point to */
    size_t copy_count;
    const char *device_guest;
    mode_t node_mode;
    bool force;
    uint32_t max_guests;
    const char *faults; /* file of a fault plan, or NULL */
    bool forget;        /* start from the default configuration */
    json_t *given;   /* platform options of the command line: name to value */
    json_t *settled; /* what holds now; its strings are pointed to */
};

/** Parse. Returns -1 to go on, else an exit status (after --help, or one line
 * on stderr). serve_options_clear() in any case. */
int serve_options_parse(struct serve_options *o, int argc, char **argv);

/** Combine the command line with what the state remembers (NULL: nothing);
 * the command line wins. Fills o->platform and o->settled. */
bool serve_options_settle(struct serve_options *o, const json_t *remembered);

/** True for the options that the state keeps. */
bool serve_option_remembered(const char *name);

void serve_options_clear(struct serve_options *o);

#endif
