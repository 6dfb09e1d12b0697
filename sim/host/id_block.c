/* SPDX-License-Identifier: Apache-2.0 */
#include "id_block.h"

#include "crypto.h"
#include "wire.h"

#include <errno.h>

#define ID_BLOCK_VERSION 1u
#define ALGO_P384_SHA384 1u
#define CURVE_P384       2u
#define NUMBER_SIZE      72u /* little-endian, zero-extended */
#define PUBLIC_KEY_SIZE  0x404u

#define OFF_ID_BLOCK_SIG 0x040u
#define OFF_ID_KEY       0x240u
#define OFF_ID_KEY_SIG   0x680u
#define OFF_AUTHOR_KEY   0x880u

static void put_number(struct psp_wr *w, const uint8_t number[P384_SIZE])
{
    uint8_t le[P384_SIZE];

    psp_reverse(le, number, sizeof(le));
    psp_wr_bytes(w, le, sizeof(le));
    psp_wr_zero(w, NUMBER_SIZE - sizeof(le));
}

static void put_public(uint8_t *auth, size_t offset,
                       const struct psp_p384_pub *pub)
{
    struct psp_wr w = psp_wr(auth + offset, PUBLIC_KEY_SIZE);

    psp_wr_le32(&w, CURVE_P384);
    put_number(&w, pub->x);
    put_number(&w, pub->y);
}

static int put_signature(uint8_t *auth, size_t offset,
                         const struct psp_p384_key *key, const void *data,
                         size_t size)
{
    struct psp_wr w = psp_wr(auth + offset, 2 * NUMBER_SIZE);
    struct psp_p384_sig sig;
    uint8_t digest[SHA384_SIZE];

    psp_sha384(data, size, digest);
    if (psp_p384_sign(key, digest, &sig) != PSP_OK) {
        return -EINVAL;
    }
    put_number(&w, sig.r);
    put_number(&w, sig.s);
    return 0;
}

/* psp_p384_from_bytes() adds 1 to what it is given, so take 1 away here. */
static int load_key(const uint8_t scalar[ID_KEY_SIZE], struct psp_p384_key *key)
{
    uint8_t less[ID_KEY_SIZE];
    size_t i = sizeof(less);
    int err;

    memcpy(less, scalar, sizeof(less));
    while (i > 0 && less[i - 1]-- == 0) {
        i--;
    }
    err = psp_p384_from_bytes(less, sizeof(less), key) == PSP_OK &&
                  memcmp(key->d, scalar, sizeof(key->d)) == 0
              ? 0
              : -EINVAL;
    psp_wipe(less, sizeof(less));
    return err;
}

static void put_block(const struct id_block_input *in,
                      uint8_t block[ID_BLOCK_SIZE])
{
    struct psp_wr w = psp_wr(block, ID_BLOCK_SIZE);

    psp_wr_bytes(&w, in->ld, 48);
    psp_wr_bytes(&w, in->family_id, 16);
    psp_wr_bytes(&w, in->image_id, 16);
    psp_wr_le32(&w, ID_BLOCK_VERSION);
    psp_wr_le32(&w, in->guest_svn);
    psp_wr_le64(&w, in->policy);
}

int id_block_make(const struct id_block_input *in, uint8_t block[ID_BLOCK_SIZE],
                  uint8_t auth[ID_AUTH_SIZE])
{
    struct psp_wr w = psp_wr(auth, ID_AUTH_SIZE);
    struct psp_p384_key id = {0};
    struct psp_p384_key author = {0};
    int err;

    err = load_key(in->id_key, &id);
    if (err == 0 && in->author_key != NULL) {
        err = load_key(in->author_key, &author);
    }
    if (err != 0) {
        goto out;
    }
    put_block(in, block);
    psp_wr_le32(&w, ALGO_P384_SHA384);
    psp_wr_le32(&w, in->author_key == NULL ? 0 : ALGO_P384_SHA384);
    psp_wr_pad_to(&w, ID_AUTH_SIZE);
    put_public(auth, OFF_ID_KEY, &id.pub);
    err = put_signature(auth, OFF_ID_BLOCK_SIG, &id, block, ID_BLOCK_SIZE);
    if (err == 0 && in->author_key != NULL) {
        put_public(auth, OFF_AUTHOR_KEY, &author.pub);
        err = put_signature(auth, OFF_ID_KEY_SIG, &author, auth + OFF_ID_KEY,
                            PUBLIC_KEY_SIZE);
    }
out:
    psp_wipe(&id, sizeof(id));
    psp_wipe(&author, sizeof(author));
    return err;
}
