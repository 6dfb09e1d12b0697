/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc_alloc.h"

#include <stdlib.h>

#define SLACK 0x4000u

static void *take(void *ctx, size_t size)
{
    struct ttrpc_alloc *a = ctx;
    void *p = size <= a->left ? malloc(size) : NULL;

    if (p != NULL) {
        a->left -= size;
    }
    return p;
}

static void give(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

void ttrpc_alloc_init(struct ttrpc_alloc *a, size_t message_size)
{
    a->allocator =
        (ProtobufCAllocator){.alloc = take, .free = give, .allocator_data = a};
    a->left = 2 * message_size + SLACK;
}
