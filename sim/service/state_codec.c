/* SPDX-License-Identifier: Apache-2.0 */
/* The format of state files; see state_store.h. */
#include "state_store.h"

#include "crypto.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT     1u
#define OFF_DIGEST 96u
#define MAGIC_SIZE 8u

static const uint8_t MAGIC[MAGIC_SIZE] = "SWPSPST\n";

static void digest_of(const uint8_t *file, size_t file_size,
                      uint8_t out[SHA256_SIZE])
{
    struct psp_sha256_stream s;

    psp_sha256_init(&s);
    psp_sha256_update(&s, file, OFF_DIGEST);
    psp_sha256_update(&s, file + STATE_HEADER_SIZE,
                      file_size - STATE_HEADER_SIZE);
    psp_sha256_peek(&s, out);
}

uint8_t *state_encode(enum state_kind kind,
                      const uint8_t owner[PSP_CHIP_ID_SIZE],
                      const void *payload, size_t size, size_t *file_size)
{
    uint8_t *file = malloc(STATE_HEADER_SIZE + size);
    struct psp_wr w;

    if (file == NULL) {
        return NULL;
    }
    *file_size = STATE_HEADER_SIZE + size;
    memset(file, 0, STATE_HEADER_SIZE);
    w = psp_wr(file, STATE_HEADER_SIZE);
    psp_wr_bytes(&w, MAGIC, sizeof(MAGIC));
    psp_wr_le32(&w, FORMAT);
    psp_wr_le32(&w, (uint32_t)kind);
    psp_wr_le64(&w, size);
    psp_wr_bytes(&w, owner, PSP_CHIP_ID_SIZE);
    if (size > 0) {
        memcpy(file + STATE_HEADER_SIZE, payload, size);
    }
    digest_of(file, *file_size, file + OFF_DIGEST);
    return file;
}

/* What each check says of a file that fails it. */
static const char *fault_of(enum state_kind kind, const uint8_t *file,
                            size_t file_size, uint8_t *owner)
{
    struct psp_rd r = psp_rd(file, file_size);
    const uint8_t *magic = psp_rd_view(&r, MAGIC_SIZE);
    uint32_t format = psp_rd_le32(&r);
    uint32_t got = psp_rd_le32(&r);
    uint64_t size = psp_rd_le64(&r);
    uint8_t digest[SHA256_SIZE];

    psp_rd_bytes(&r, owner, PSP_CHIP_ID_SIZE);
    psp_rd_skip(&r, STATE_HEADER_SIZE - OFF_DIGEST + 8);
    if (magic != NULL && memcmp(magic, MAGIC, MAGIC_SIZE) != 0) {
        return "is not a state file of swpsp";
    }
    if (r.bad) {
        return "is cut off";
    }
    if (format > FORMAT) {
        return "was written by a newer swpsp";
    }
    if (format != FORMAT) {
        return "is of a format that this swpsp does not know";
    }
    if (size > psp_rd_left(&r)) {
        return "is cut off";
    }
    digest_of(file, file_size, digest);
    if (size != psp_rd_left(&r) ||
        memcmp(digest, file + OFF_DIGEST, sizeof(digest)) != 0) {
        return "is damaged (SHA-256 mismatch)";
    }
    return got == (uint32_t)kind ? NULL : "is another kind of state file";
}

int state_decode(const char *where, enum state_kind kind, const uint8_t *file,
                 size_t file_size, uint8_t owner[PSP_CHIP_ID_SIZE],
                 const uint8_t **payload, size_t *size, char *error)
{
    const char *fault = fault_of(kind, file, file_size, owner);

    if (fault != NULL) {
        return state_error(error, -EBADMSG, "%s %s; it was left as it is",
                           where, fault);
    }
    *payload = file + STATE_HEADER_SIZE;
    *size = file_size - STATE_HEADER_SIZE;
    return 0;
}
