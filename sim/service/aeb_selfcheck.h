/* SPDX-License-Identifier: Apache-2.0 */
/** Would a relying party accept what was collected? */
#ifndef SERVICE_AEB_SELFCHECK_H
#define SERVICE_AEB_SELFCHECK_H

#include "aeb_evidence.h"

/** @root  ASK and ARK in AMD's format, or NULL: the chain above the CEK is not
 * looked at. */
bool aeb_self_check(const struct aeb_evidence *ev, const uint8_t *root,
                    size_t root_size);

#endif
