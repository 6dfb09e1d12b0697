/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One SNP guest on a platform from a fixed seed, and guest messages to it that
 * a driver would never send: for vectors, fuzzers and tests.
 */
#ifndef RAW_GUEST_H
#define RAW_GUEST_H

#include "machine.h"
#include "vm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Fixed seed of the platform: 32 bytes "swpsp conformance vectors v1" + NULs.
 */
extern const uint8_t RAW_SEED[PSP_SEED_SIZE];

/** Ends the program with one line when @ok is false. */
void raw_need(bool ok, const char *what);

struct raw_guest {
    struct machine *m;
    struct vm *vm;
    struct psp_chip chip;
    uint64_t request_gpa;
    uint64_t response_gpa;
    uint64_t seqno[4]; /* last number used on each VMPCK */
    uint8_t vmpck[4][32];
};

/** Bring up @profile and launch a guest described by JSON @spec (NULL: the
 * default guest). */
void raw_guest_open(struct raw_guest *g, const char *profile, const char *spec);
void raw_guest_close(struct raw_guest *g);

/** A guest message before sealing; numbers as they go into the header. */
struct raw_message {
    uint64_t seqno;
    uint8_t algo, hdr_version, type, version, vmpck;
    uint16_t hdr_size;
    const uint8_t *payload;
    size_t size;
    bool break_tag;
};

/** A well-formed next message of @type with @payload on @vmpck. */
struct raw_message raw_next(const struct raw_guest *g, uint8_t vmpck,
                            uint8_t type, uint8_t version,
                            const uint8_t *payload, size_t size);

/**
 * Seal @msg and send it. @request receives the 0x60 + size bytes sent.
 * Returns SW_EXITINFO2; 0: @response holds the answer's 0x60 + size bytes and
 * the counter has moved.
 */
uint64_t raw_send(struct raw_guest *g, const struct raw_message *msg,
                  uint8_t request[0x1000], uint8_t response[0x1000],
                  size_t *response_size);

/** Open a response of raw_send(). Returns the payload size. */
size_t raw_open(const struct raw_guest *g, uint8_t vmpck,
                const uint8_t *response, uint8_t payload[0xfa0]);

#endif
