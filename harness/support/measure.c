/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <gmp.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double measure_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double measure_median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return values[count / 2];
}

void measure_signer_init(struct measure_signer *s)
{
    mpz_t d;

    s->counter = 0;
    mpz_init_set_str(d, "123456789abcdef123456789abcdef", 16);
    ecc_scalar_init(&s->key, nettle_get_secp_384r1());
    if (ecc_scalar_set(&s->key, d) != 1) {
        fprintf(stderr, "measure: ecc_scalar_set failed\n");
        exit(1);
    }
    mpz_clear(d);
}

void measure_signer_clear(struct measure_signer *s)
{
    ecc_scalar_clear(&s->key);
}

static void counter_bytes(void *ctx, size_t size, uint8_t *out)
{
    uint64_t *counter = ctx;

    memset(out, 0x5a, size);
    (*counter)++;
    memcpy(out + 8, counter, sizeof(*counter));
}

double measure_sign_us(struct measure_signer *s, int count)
{
    struct dsa_signature sig;
    uint8_t digest[48] = {1, 2, 3};
    double start = measure_now_us();

    dsa_signature_init(&sig);
    for (int i = 0; i < count; i++) {
        digest[0] = (uint8_t)i;
        ecdsa_sign(&s->key, &s->counter, counter_bytes, sizeof(digest), digest,
                   &sig);
    }
    dsa_signature_clear(&sig);
    return (measure_now_us() - start) / count;
}
