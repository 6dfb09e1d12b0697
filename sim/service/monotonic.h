/* SPDX-License-Identifier: Apache-2.0 */
/** The clock that only goes forward (CLOCK_MONOTONIC), and waits by it. */
#ifndef SERVICE_MONOTONIC_H
#define SERVICE_MONOTONIC_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

int64_t monotonic_ns(void);
int64_t monotonic_ms(void);

/** A condition whose timed waits are by this clock. */
void monotonic_cond_init(pthread_cond_t *cond);
/** Until when such a wait for @ms milliseconds lasts. */
struct timespec monotonic_after(unsigned int ms);

#endif
