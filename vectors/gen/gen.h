/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the vector generators share: a platform from a seed with one guest, raw
 * guest messages to it, and JSON in the shape of vectors/schema.
 */
#ifndef GEN_H
#define GEN_H

#include "machine.h"
#include "vm.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Fixed seed of all vectors: 32 bytes "swpsp conformance vectors v1" + NULs.
 */
extern const uint8_t GEN_SEED[PSP_SEED_SIZE];

/** Ends the program with one line when @ok is false. */
void gen_need(bool ok, const char *what);

struct gen_guest {
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
void gen_guest_open(struct gen_guest *g, const char *profile, const char *spec);
void gen_guest_close(struct gen_guest *g);

/** A guest message before sealing; numbers as they go into the header. */
struct gen_message {
    uint64_t seqno;
    uint8_t algo, hdr_version, type, version, vmpck;
    uint16_t hdr_size;
    const uint8_t *payload;
    size_t size;
    bool break_tag;
};

/** A well-formed next message of @type with @payload on @vmpck. */
struct gen_message gen_next(const struct gen_guest *g, uint8_t vmpck,
                            uint8_t type, uint8_t version,
                            const uint8_t *payload, size_t size);

/**
 * Seal @msg and send it. @request receives the 0x60 + size bytes sent.
 * Returns SW_EXITINFO2; 0: @response holds the answer's 0x60 + size bytes and
 * the counter has moved.
 */
uint64_t gen_send(struct gen_guest *g, const struct gen_message *msg,
                  uint8_t request[0x1000], uint8_t response[0x1000],
                  size_t *response_size);

/** Open a response of gen_send(). Returns the payload size. */
size_t gen_open(const struct gen_guest *g, uint8_t vmpck,
                const uint8_t *response, uint8_t payload[0xfa0]);

/** New string object with @size bytes in lower-case hex. */
json_t *gen_hex(const void *data, size_t size);

/** A file under construction. */
struct gen_file {
    json_t *root;
    json_t *groups;
    json_t *tests; /* of the current group */
    int next_id;
};
void gen_file_open(struct gen_file *f, const char *schema);
/** Start a group; takes the reference of @given. */
void gen_group(struct gen_file *f, json_t *given);
/** Add a test to the current group; takes the reference of @test, adds tcId,
 * comment and result ("valid" or "invalid"). */
void gen_test(struct gen_file *f, json_t *test, const char *comment, bool valid,
              const char *flag);
/** Explain a flag. */
void gen_note(struct gen_file *f, const char *flag, const char *description,
              const char *spec);
/** Write @dir/@name and free. */
void gen_file_close(struct gen_file *f, const char *dir, const char *name);

/** The families, one file each. */
void gen_reports(const char *dir);
void gen_messages(const char *dir);
void gen_keys(const char *dir);

#endif
