/* SPDX-License-Identifier: Apache-2.0 */
/** Memory for unpacked protobuf messages, bounded. */
#ifndef SERVICE_TTRPC_ALLOC_H
#define SERVICE_TTRPC_ALLOC_H

#include <protobuf-c/protobuf-c.h>

/** Sum of what one unpack may allocate: a message of @size bytes needs its
 * copies and not many structures besides. */
struct ttrpc_alloc {
    ProtobufCAllocator allocator; /* points at this structure */
    size_t left;
};

void ttrpc_alloc_init(struct ttrpc_alloc *a, size_t message_size);

#endif
