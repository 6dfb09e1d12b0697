/* SPDX-License-Identifier: Apache-2.0 */
/** Options of `swpsp aeb`. */
#ifndef CLI_AEB_OPTIONS_H
#define CLI_AEB_OPTIONS_H

#include "aeb_broker.h"
#include "options.h"
#include "ttrpc_addr.h"

#define AEB_LISTEN_MAX 32u
#define AEB_ROWS_MAX   64u

struct aeb_options {
    struct platform_options platform;
    bool help;
    struct ttrpc_addr listen[AEB_LISTEN_MAX];
    size_t listen_count;
    struct aeb_peer_row rows[AEB_ROWS_MAX];
    size_t row_count;
    const char *faults;   /* file of a fault plan; NULL: none */
    const char *registry; /* control socket of swpsp serve; NULL: none */
    bool policy_set;
    const char *device; /* NULL: /dev/sev */
    bool have_url;
    struct aeb_url url;
    const char *ca_path;   /* NULL: the system's */
    unsigned int kds_secs; /* 0: the default */
    const char *root_path; /* NULL: the installation's; none with a URL */
    struct aeb_broker_config broker;
    struct ttrpc_server_config server;
};

/** False after one line on stderr. */
bool aeb_options_parse(struct aeb_options *o, int argc, char **argv);
extern const char AEB_HELP[];

#endif
