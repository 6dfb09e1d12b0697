/* SPDX-License-Identifier: Apache-2.0 */
#include "core.h"

#include "crypto.h"

void *core_alloc(size_t size)
{
    return core_heap_take(size);
}

void core_free(void *p, size_t size)
{
    if (p != NULL) {
        psp_wipe(p, size);
        core_heap_give(p);
    }
}
