/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Would a relying party accept what was collected? Certificates are judged when
 * they change; every report is, unless that is not wanted: it takes longer than
 * all the rest.
 */
#ifndef SERVICE_AEB_SELFCHECK_H
#define SERVICE_AEB_SELFCHECK_H

#include "aeb_evidence.h"

struct aeb_self_check;

/** @root  ASK and ARK in AMD's format, borrowed; or NULL: the chain above the
 * CEK is not looked at. @reports: their signatures are verified as well. 0 or
 * -ENOMEM. */
int aeb_self_check_open(const uint8_t *root, size_t root_size, bool reports,
                        struct aeb_self_check **out);
/** Any thread. False also when memory runs out. */
bool aeb_self_check(struct aeb_self_check *s, const struct aeb_evidence *ev);
void aeb_self_check_close(struct aeb_self_check *s); /* NULL is fine */

#endif
