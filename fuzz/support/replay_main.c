/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a libFuzzer target over files, without libFuzzer: any compiler, any
 * sanitizer. Each input is a heap copy of exactly its size. -runs=N, first:
 * each so many times, as libFuzzer does. */
#include "fz.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int replay(const char *path, unsigned long runs)
{
    FILE *f = fopen(path, "rb");
    uint8_t *buf = NULL;
    long end;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (end = ftell(f)) < 0 ||
        fseek(f, 0, SEEK_SET) != 0 ||
        (buf = malloc(end > 0 ? (size_t)end : 1)) == NULL ||
        fread(buf, 1, (size_t)end, f) != (size_t)end) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        free(buf);
        return 1;
    }
    fclose(f);
    for (unsigned long i = 0; i < runs; i++) {
        (void)LLVMFuzzerTestOneInput(buf, (size_t)end);
    }
    free(buf);
    return 0;
}

int main(int argc, char **argv)
{
    bool repeat = argc > 1 && strncmp(argv[1], "-runs=", 6) == 0;
    unsigned long runs = repeat ? strtoul(argv[1] + 6, NULL, 10) : 1;
    int first = repeat ? 2 : 1;

    for (int i = first; i < argc; i++) {
        if (replay(argv[i], runs) != 0) {
            return 1;
        }
    }
    printf("%d inputs\n", argc - first);
    return argc > first ? 0 : 1;
}
