/* SPDX-License-Identifier: Apache-2.0 */
#include "pki.h"

#include "wire.h"

#include <assert.h>
#include <string.h>

const uint8_t PKI_DEV_SEED[PSP_SEED_SIZE] = "swpsp public development seed";

/* Visible at once in reports, GET_ID and KDS addresses. */
static const uint8_t CHIP_PREFIX[8] = "SWPSPSIM";
#define TURIN_PREFIX_SIZE 4u
#define TURIN_ID_SIZE     8u

/* Layout of a wrapped hashstick, abi/snp.md §9.5. */
#define STICK_IV       0x00u
#define STICK_WRAPPED  0x10u
#define STICK_TCB      0x190u
#define STICK_TAG      0x1a0u
#define STICK_AAD_SIZE (STICK_TAG - STICK_TCB)
#define WRAPPED_SIZE   (STICK_TCB - STICK_WRAPPED)
#define VEK_SEED_SIZE  48u

_Static_assert(STICK_TAG + GCM_TAG_SIZE == PKI_HASHSTICK_SIZE,
               "hashstick layout");

/* Product name and NUL, then the number: no two contexts of a label meet. */
static size_t chip_context(uint8_t out[32], enum psp_generation generation,
                           uint32_t index)
{
    const char *name = psp_generation_name(generation);
    struct psp_wr w = psp_wr(out, 32);

    psp_wr_bytes(&w, name, strlen(name) + 1);
    psp_wr_le32(&w, index);
    assert(w.pos <= w.size);
    return w.pos;
}

void pki_chip_make(const uint8_t seed[PSP_SEED_SIZE],
                   enum psp_generation generation, uint32_t index,
                   struct psp_chip *chip)
{
    bool turin = generation == PSP_TURIN;
    size_t prefix = turin ? TURIN_PREFIX_SIZE : sizeof(CHIP_PREFIX);
    size_t id_size = turin ? TURIN_ID_SIZE : PSP_CHIP_ID_SIZE;
    uint8_t context[32];
    size_t n = chip_context(context, generation, index);

    memset(chip->id, 0, sizeof(chip->id));
    memcpy(chip->id, CHIP_PREFIX, prefix);
    psp_kdf_sha384(seed, PSP_SEED_SIZE, "chip id", context, n,
                   chip->id + prefix, id_size - prefix);
    psp_kdf_sha384(seed, PSP_SEED_SIZE, "chip secret", context, n, chip->secret,
                   sizeof(chip->secret));
}

void pki_vcek_seed(const uint8_t secret[PSP_CHIP_SECRET_SIZE],
                   const struct psp_tcb *tcb, uint8_t seed[48])
{
    psp_kdf_sha384(secret, PSP_CHIP_SECRET_SIZE, "VCEK seed", tcb->b,
                   sizeof(tcb->b), seed, VEK_SEED_SIZE);
}

/* 64 bits more than the order: the bias of the reduction vanishes. */
static enum psp_err key_from_seed(const uint8_t seed[48], const char *label,
                                  struct psp_p384_key *key)
{
    uint8_t wide[56];
    enum psp_err err;

    psp_kdf_sha384(seed, VEK_SEED_SIZE, label, NULL, 0, wide, sizeof(wide));
    err = psp_p384_from_bytes(wide, sizeof(wide), key);
    psp_wipe(wide, sizeof(wide));
    return err;
}

enum psp_err pki_vcek_from_seed(const uint8_t seed[48],
                                struct psp_p384_key *key)
{
    return key_from_seed(seed, "VCEK signing key", key);
}

void pki_vlek_seed(const uint8_t seed[PSP_SEED_SIZE],
                   enum psp_generation generation, const char *csp_id,
                   const struct psp_tcb *tcb, uint8_t vlek_seed[48])
{
    const char *name = psp_generation_name(generation);
    const struct psp_part parts[] = {
        {name, strlen(name) + 1},
        {tcb->b, sizeof(tcb->b)},
        {csp_id, strlen(csp_id)},
    };
    uint8_t context[SHA384_SIZE];

    psp_sha384_parts(parts, 3, context);
    psp_kdf_sha384(seed, PSP_SEED_SIZE, "VLEK seed", context, sizeof(context),
                   vlek_seed, VEK_SEED_SIZE);
}

enum psp_err pki_vlek_from_seed(const uint8_t seed[48],
                                struct psp_p384_key *key)
{
    return key_from_seed(seed, "VLEK signing key", key);
}

static void wrap_key(const uint8_t vcek_seed[48], uint8_t key[GCM_KEY_SIZE])
{
    psp_kdf_sha384(vcek_seed, VEK_SEED_SIZE, "VLEK wrap", NULL, 0, key,
                   GCM_KEY_SIZE);
}

void pki_vlek_wrap(const uint8_t vcek_seed[48], const struct psp_tcb *tcb,
                   const uint8_t iv[GCM_IV_SIZE], const uint8_t vlek_seed[48],
                   uint8_t out[PKI_HASHSTICK_SIZE])
{
    uint8_t key[GCM_KEY_SIZE];

    memset(out, 0, PKI_HASHSTICK_SIZE);
    memcpy(out + STICK_IV, iv, GCM_IV_SIZE);
    memcpy(out + STICK_WRAPPED, vlek_seed, VEK_SEED_SIZE);
    memcpy(out + STICK_TCB, tcb->b, sizeof(tcb->b));
    wrap_key(vcek_seed, key);
    psp_gcm_seal(key, iv, out + STICK_TCB, STICK_AAD_SIZE, out + STICK_WRAPPED,
                 WRAPPED_SIZE, out + STICK_WRAPPED, out + STICK_TAG);
    psp_wipe(key, sizeof(key));
}

enum psp_err pki_vlek_stick_tcb(const uint8_t in[PKI_HASHSTICK_SIZE],
                                struct psp_tcb *tcb)
{
    struct psp_rd r = psp_rd(in, PKI_HASHSTICK_SIZE);
    struct psp_tcb got = {{0}};

    psp_rd_skip(&r, GCM_IV_SIZE);
    psp_rd_mbz(&r, 4);
    psp_rd_skip(&r, WRAPPED_SIZE);
    psp_rd_bytes(&r, got.b, sizeof(got.b));
    psp_rd_mbz(&r, 8);
    psp_rd_skip(&r, GCM_TAG_SIZE);
    if (!psp_rd_done(&r)) {
        return PSP_E_FORMAT;
    }
    *tcb = got;
    return PSP_OK;
}

enum psp_err pki_vlek_unwrap(const uint8_t vcek_seed[48],
                             const uint8_t in[PKI_HASHSTICK_SIZE],
                             uint8_t vlek_seed[48])
{
    uint8_t plain[WRAPPED_SIZE] = {0};
    uint8_t key[GCM_KEY_SIZE];
    struct psp_tcb tcb;
    enum psp_err err = pki_vlek_stick_tcb(in, &tcb);

    wrap_key(vcek_seed, key);
    if (err != PSP_OK) {
        goto out;
    }
    if (!psp_gcm_open(key, in + STICK_IV, in + STICK_TCB, STICK_AAD_SIZE,
                      in + STICK_WRAPPED, WRAPPED_SIZE, in + STICK_TAG,
                      plain)) {
        err = PSP_E_VERIFY;
        goto out;
    }
    if (!psp_all_zero(plain + VEK_SEED_SIZE, WRAPPED_SIZE - VEK_SEED_SIZE)) {
        err = PSP_E_FORMAT;
        goto out;
    }
    memcpy(vlek_seed, plain, VEK_SEED_SIZE);
out:
    psp_wipe(plain, sizeof(plain));
    psp_wipe(key, sizeof(key));
    return err;
}
