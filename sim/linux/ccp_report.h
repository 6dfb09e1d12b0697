/* SPDX-License-Identifier: Apache-2.0 */
/** The parts of SEV_GET_REPORT that number 9's guess needs as well. */
#ifndef LINUX_CCP_REPORT_H
#define LINUX_CCP_REPORT_H

#include "ccp_dev.h"

/** u8 mnonce[16], u64 uaddr, u32 len, u32 handle. */
#define CCP_REPORT_ARGS_SIZE 32u

/** With the arguments in c->inner: check and plan. As prepare(). */
int ccp_report_arguments(struct ccp_call *c);
int ccp_report_execute(struct ccp_call *c);
/** Do the 32 bytes in c->inner look like a report request rather than like a
 * buffer for SNP_PLATFORM_STATUS? abi/linux.md §2.3. */
bool ccp_report_meant(const struct ccp_call *c);

#endif
