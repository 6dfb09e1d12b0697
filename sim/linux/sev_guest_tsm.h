/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the sev-guest driver tells configfs-tsm when it is probed.
 */
#ifndef LINUX_SEV_GUEST_TSM_H
#define LINUX_SEV_GUEST_TSM_H

#include "sev_guest.h"
#include "tsm.h"

/**
 * @dev    The driver's device.
 * @vmpl   Of the guest's kernel, 0..3.
 * @vmpck  In use, 0..3.
 *
 * False: that kernel is older than configfs-tsm (Linux 6.7).
 */
bool sev_guest_tsm(struct tsm_provider *out, struct chardev dev,
                   enum sev_guest_era era, unsigned int vmpl,
                   unsigned int vmpck);

#endif
