/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ID block and ID authentication information, and the encodings of P-384 keys
 * and signatures in SNP structures. Spec: [56860 ch. 10], abi/snp.md §5.
 */
#ifndef WIRE_SNP_ID_H
#define WIRE_SNP_ID_H

#include <stddef.h>
#include <stdint.h>

#define SNP_ID_BLOCK_SIZE    0x60u
#define SNP_ID_BLOCK_VERSION 1u
#define SNP_ID_AUTH_SIZE     0x1000u
#define SNP_ID_SIG_SIZE      0x200u
#define SNP_ID_KEY_SIZE      0x404u
#define SNP_ID_NUMBER_SIZE   0x48u /* little-endian, zero-extended */
#define SNP_ID_ALGO_P384     1u    /* ECDSA P-384 with SHA-384 */
#define SNP_ID_CURVE_P384    2u

/* Where things are, for those who sign or hash bytes. */
#define SNP_ID_AUTH_BLOCK_SIG_OFFSET  0x040u
#define SNP_ID_AUTH_ID_KEY_OFFSET     0x240u
#define SNP_ID_AUTH_KEY_SIG_OFFSET    0x680u
#define SNP_ID_AUTH_AUTHOR_KEY_OFFSET 0x880u

struct snp_id_block {
    uint8_t ld[48];
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint32_t version;
    uint32_t guest_svn;
    uint64_t policy;
};

void snp_id_block_encode(const struct snp_id_block *block,
                         uint8_t out[SNP_ID_BLOCK_SIZE]);
void snp_id_block_decode(const uint8_t buf[SNP_ID_BLOCK_SIZE],
                         struct snp_id_block *block);

/** A signature as stored: R, S, then zeros that nobody looks at. */
struct snp_id_sig {
    uint8_t r[SNP_ID_NUMBER_SIZE];
    uint8_t s[SNP_ID_NUMBER_SIZE];
};

void snp_id_sig_encode(const struct snp_id_sig *sig,
                       uint8_t out[SNP_ID_SIG_SIZE]);
void snp_id_sig_decode(const uint8_t buf[SNP_ID_SIG_SIZE],
                       struct snp_id_sig *sig);

/** A public key as stored: curve, QX, QY, then zeros. Key digests are over all
 * SNP_ID_KEY_SIZE bytes. */
struct snp_id_key {
    uint32_t curve;
    uint8_t qx[SNP_ID_NUMBER_SIZE];
    uint8_t qy[SNP_ID_NUMBER_SIZE];
};

void snp_id_key_encode(const struct snp_id_key *key,
                       uint8_t out[SNP_ID_KEY_SIZE]);
void snp_id_key_decode(const uint8_t buf[SNP_ID_KEY_SIZE],
                       struct snp_id_key *key);

struct snp_id_auth {
    uint32_t id_key_algo;
    uint32_t auth_key_algo;
    struct snp_id_sig id_block_sig;
    struct snp_id_key id_key;
    struct snp_id_sig id_key_sig;
    struct snp_id_key author_key;
};

void snp_id_auth_encode(const struct snp_id_auth *auth,
                        uint8_t out[SNP_ID_AUTH_SIZE]);
/** Reserved bytes are not looked at: the firmware does not judge them. */
void snp_id_auth_decode(const uint8_t buf[SNP_ID_AUTH_SIZE],
                        struct snp_id_auth *auth);

#endif
