/* SPDX-License-Identifier: Apache-2.0 */
#include "fz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fz_check_at(int condition, const char *text, const char *file, int line)
{
    if (!condition) {
        fprintf(stderr, "%s:%d: property does not hold: %s\n", file, line,
                text);
        abort();
    }
}

void fz_bytes(struct fz_in *in, void *out, size_t size)
{
    size_t n = size < in->size ? size : in->size;

    memset(out, 0, size);
    if (n > 0) {
        memcpy(out, in->data, n);
        in->data += n;
        in->size -= n;
    }
}

uint8_t fz_u8(struct fz_in *in)
{
    uint8_t v;

    fz_bytes(in, &v, 1);
    return v;
}

uint32_t fz_u32(struct fz_in *in)
{
    uint8_t b[4];

    fz_bytes(in, b, sizeof(b));
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

uint64_t fz_u64(struct fz_in *in)
{
    uint64_t lo = fz_u32(in);

    return lo | (uint64_t)fz_u32(in) << 32;
}
