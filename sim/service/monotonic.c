/* SPDX-License-Identifier: Apache-2.0 */
#include "monotonic.h"

#define NS_PER_MS 1000000
#define NS_PER_S  1000000000

int64_t monotonic_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t monotonic_ms(void)
{
    return monotonic_ns() / NS_PER_MS;
}

void monotonic_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

struct timespec monotonic_after(unsigned int ms)
{
    int64_t ns = monotonic_ns() + (int64_t)ms * NS_PER_MS;

    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S),
                             .tv_nsec = (long)(ns % NS_PER_S)};
}
