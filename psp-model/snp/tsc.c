/* SPDX-License-Identifier: Apache-2.0 */
#include "snp.h"

/* Rate of the platform's TSC. No client can see the model's clock, so one value
 * serves every profile. [model] */
#define PLATFORM_TSC_KHZ 2000000ull

uint64_t snp_tsc_scale(const struct snp_guest *guest)
{
    const uint64_t max = (1ull << 40) - 1;
    uint64_t scale;

    if (guest->desired_tsc_freq == 0) {
        return 1ull << 32;
    }
    scale = ((uint64_t)guest->desired_tsc_freq << 32) / PLATFORM_TSC_KHZ;
    return scale < max ? scale : max;
}
