/* SPDX-License-Identifier: Apache-2.0 */
/* The GHCB certificate table as a guest gets it from an untrusted host. */
#include "cert_table.h"
#include "fz.h"

#include <stdlib.h>
#include <string.h>

/* What was decoded, encoded again, decodes to the same entries. */
static void round_trip(const struct cert_table_entry *e, size_t count)
{
    struct cert_table_entry again[CERT_TABLE_MAX_COUNT];
    size_t size = cert_table_encode(e, count, NULL, 0);
    size_t got = 0;
    uint8_t *buf = malloc(size);

    fz_check(buf != NULL);
    fz_check(cert_table_encode(e, count, buf, size) == size);
    fz_check(cert_table_decode(buf, size, again, CERT_TABLE_MAX_COUNT, &got) ==
             PSP_OK);
    fz_check(got == count);
    for (size_t i = 0; i < count; i++) {
        fz_check(memcmp(again[i].guid, e[i].guid, 16) == 0);
        fz_check(again[i].size == e[i].size);
        fz_check(e[i].size == 0 ||
                 memcmp(again[i].data, e[i].data, e[i].size) == 0);
    }
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cert_table_entry e[CERT_TABLE_MAX_COUNT];
    size_t count = 0;
    size_t total = 0;

    if (cert_table_decode(data, size, e, CERT_TABLE_MAX_COUNT, &count) !=
        PSP_OK) {
        return 0;
    }
    fz_check(count <= CERT_TABLE_MAX_COUNT);
    for (size_t i = 0; i < count; i++) {
        fz_check(e[i].size <= size);
        fz_check(e[i].size == 0 ||
                 (e[i].data >= data && e[i].data + e[i].size <= data + size));
        total += e[i].size;
    }
    if (total < 1u << 20) {
        round_trip(e, count);
    }
    return 0;
}
