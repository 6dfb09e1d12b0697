/* SPDX-License-Identifier: Apache-2.0 */
#include "sleep_ms.h"

#include <time.h>

void sleep_ms(void *ctx, unsigned int ms)
{
    struct timespec t = {
        .tv_sec = ms / 1000,
        .tv_nsec = (long)(ms % 1000) * 1000000,
    };

    (void)ctx;
    (void)nanosleep(&t, NULL);
}
