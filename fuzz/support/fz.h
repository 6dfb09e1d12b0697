/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the fuzz targets share. A target is deterministic, free of I/O, uses a
 * fresh instance for each input, and checks properties, not only crashes.
 */
#ifndef FZ_H
#define FZ_H

#include <stddef.h>
#include <stdint.h>

/** The entry point that each target defines. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Stops the target when a property does not hold. */
#define fz_check(condition)                                                    \
    fz_check_at((condition), #condition, __FILE__, __LINE__)
void fz_check_at(int condition, const char *text, const char *file, int line);

/** Takes bytes from the front of an input; zeros when it is used up. */
struct fz_in {
    const uint8_t *data;
    size_t size;
};
uint8_t fz_u8(struct fz_in *in);
uint32_t fz_u32(struct fz_in *in);
uint64_t fz_u64(struct fz_in *in);
void fz_bytes(struct fz_in *in, void *out, size_t size);

#endif
