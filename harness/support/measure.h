/* SPDX-License-Identifier: Apache-2.0 */
/** What all benchmarks do: take the time, sort it, sign for comparison. */
#ifndef SUPPORT_MEASURE_H
#define SUPPORT_MEASURE_H

#include <nettle/ecc.h>

#include <stddef.h>
#include <stdint.h>

/** Of a clock that only goes forward. */
double measure_now_us(void);

/** Sorts @values, of which there is at least one. */
double measure_median(double *values, size_t count);

/** A bare P-384 signer of the library that the model uses, with a random source
 * that costs nothing: the limit of everything that signs. */
struct measure_signer {
    struct ecc_scalar key;
    uint64_t counter;
};

void measure_signer_init(struct measure_signer *s);
void measure_signer_clear(struct measure_signer *s);
/** Microseconds of one signature, the mean of @count. */
double measure_sign_us(struct measure_signer *s, int count);

#endif
