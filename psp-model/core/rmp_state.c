/* SPDX-License-Identifier: Apache-2.0 */
#include <psp/rmp.h>

bool rmp_immutable(enum rmp_state state)
{
    switch (state) {
    case RMP_HV_FIXED:
    case RMP_FIRMWARE:
    case RMP_CONTEXT:
    case RMP_METADATA:
    case RMP_PRE_GUEST:
    case RMP_PRE_SWAP:
        return true;
    default:
        return false;
    }
}

bool rmp_host_may_write(const struct rmp *rmp, uint64_t spa)
{
    enum rmp_state state = rmp_get(rmp, spa).state;

    return state == RMP_HYPERVISOR || state == RMP_HV_FIXED ||
           state == RMP_DEFAULT;
}

const char *rmp_state_name(enum rmp_state state)
{
    static const char *const name[] = {
        [RMP_DEFAULT] = "Default",
        [RMP_HYPERVISOR] = "Hypervisor",
        [RMP_HV_FIXED] = "HV-fixed",
        [RMP_RECLAIM] = "Reclaim",
        [RMP_FIRMWARE] = "Firmware",
        [RMP_CONTEXT] = "Context",
        [RMP_METADATA] = "Metadata",
        [RMP_PRE_GUEST] = "Pre-Guest",
        [RMP_PRE_SWAP] = "Pre-Swap",
        [RMP_GUEST_INVALID] = "Guest-Invalid",
        [RMP_GUEST_VALID] = "Guest-Valid",
    };

    return (unsigned int)state < sizeof(name) / sizeof(name[0]) ? name[state]
                                                                : "unknown";
}
