/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_guest_tsm.h"

bool sev_guest_tsm(struct tsm_provider *out, struct chardev dev,
                   enum sev_guest_era era, unsigned int vmpl,
                   unsigned int vmpck)
{
    *out = (struct tsm_provider){
        .dev = dev,
        .privlevel_floor = vmpck,
        .service = vmpl != 0,
    };
    return era >= SEV_GUEST_6_3;
}
