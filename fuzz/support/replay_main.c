/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a libFuzzer target over files, without libFuzzer: any compiler, any
 * sanitizer. Each input is a heap copy of exactly its size. */
#include "fz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int replay(const char *path)
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
    (void)LLVMFuzzerTestOneInput(buf, (size_t)end);
    free(buf);
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (replay(argv[i]) != 0) {
            return 1;
        }
    }
    printf("%d inputs\n", argc - 1);
    return argc > 1 ? 0 : 1;
}
