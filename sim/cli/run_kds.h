/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The key server of `swpsp run --kds`: one for the same installation, inside
 * this process, reached by programs that have https://kdsintf.amd.com wired in.
 */
#ifndef CLI_RUN_KDS_H
#define CLI_RUN_KDS_H

#include "fault_plan.h"
#include "options.h"

enum run_kds_way {
    RUN_KDS_OFF,
    RUN_KDS_AUTO,      /* namespaces where the kernel allows, else the proxy */
    RUN_KDS_NAMESPACE, /* names lead to us; loopback is the only network */
    RUN_KDS_PROXY,     /* by https_proxy and the variables that name CAs */
};

/** The argument of --kds; NULL: RUN_KDS_AUTO. RUN_KDS_OFF: no such way. */
enum run_kds_way run_kds_way_by_name(const char *name);

struct run_kds;

/**
 * Start the server and change this process's namespaces or environment so that
 * its children find it. Says on stderr which way it took. Call it before there
 * are threads. Signals are left to the caller's thread.
 * @plan  What the server does wrong; borrowed until run_kds_stop(). NULL:
 *        nothing.
 * Returns false after one line on stderr.
 */
bool run_kds_start(enum run_kds_way way, const struct platform_options *o,
                   struct fault_plan *plan, struct run_kds **out);
/** Stop, and remove the files. NULL is fine. */
void run_kds_stop(struct run_kds *k);

#endif
