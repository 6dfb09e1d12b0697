/* SPDX-License-Identifier: Apache-2.0 */
/** Protobuf from anybody: protobuf-c within bounds, and as liberal with what it
 * does not know as other implementations are. */
#ifndef SERVICE_TTRPC_UNPACK_H
#define SERVICE_TTRPC_UNPACK_H

#include "ttrpc_msg.h"

#include <protobuf-c/protobuf-c.h>

/**
 * Unpack a message.
 *
 * Unknown fields are skipped, groups too: protobuf-c refuses those, Rust and Go
 * do not. (A group inside a message of the message is refused.)
 *
 * Returns NULL: malformed, out of memory, over 1024 unknown fields, or a small
 * message that needs much memory. Else it is freed with
 * protobuf_c_message_free_unpacked(m, NULL), and owns its bytes.
 */
ProtobufCMessage *ttrpc_unpack(const ProtobufCMessageDescriptor *type,
                               struct ttrpc_bytes in);

#endif
