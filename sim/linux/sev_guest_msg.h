/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The guest's end of the message channel: built from the specification without
 * the firmware model's code, so that an error on one side shows.
 * Spec: [56860 §8.26], abi/snp.md §6.1, §6.2; abi/linux.md §4.6.
 */
#ifndef LINUX_SEV_GUEST_MSG_H
#define LINUX_SEV_GUEST_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_MSG_SIZE     0x1000u /* header and payload fill a page */
#define GUEST_MSG_HDR_SIZE 0x60u
#define GUEST_MSG_MAX      (GUEST_MSG_SIZE - GUEST_MSG_HDR_SIZE)
#define GUEST_MSG_KEY_SIZE 32u

#define GUEST_MSG_KEY_REQ    3u
#define GUEST_MSG_REPORT_REQ 5u

/** What identifies a message. */
struct guest_msg {
    uint8_t vmpck_id;
    uint8_t type;
    uint8_t version;
    uint64_t seqno;
};

/** Seal @payload of @size (1 .. GUEST_MSG_MAX) bytes into @out, which takes
 * GUEST_MSG_HDR_SIZE + @size bytes. */
void guest_msg_seal(const uint8_t key[GUEST_MSG_KEY_SIZE],
                    const struct guest_msg *msg, const void *payload,
                    size_t size, uint8_t *out);

/**
 * Verify and open the answer to @request: sequence number and type one higher,
 * same version, payload at most @max bytes, authentic.
 *
 * @in    GUEST_MSG_SIZE bytes, a private copy.
 * @out   @max bytes: the payload, then zeros.
 *
 * Returns false when anything is wrong; @out is all zero then.
 */
bool guest_msg_open(const uint8_t key[GUEST_MSG_KEY_SIZE],
                    const struct guest_msg *request,
                    const uint8_t in[GUEST_MSG_SIZE], uint8_t *out, size_t max);

#endif
