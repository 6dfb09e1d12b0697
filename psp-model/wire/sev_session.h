/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What guest owners and platforms exchange around a launch or a migration:
 * session, packet header, swap metadata, guest policy. Ciphertexts and MACs are
 * byte strings. Spec: abi/sev.md §1.7, §7, §10.
 */
#ifndef WIRE_SEV_SESSION_H
#define WIRE_SEV_SESSION_H

#include <psp/err.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEV_SESSION_SIZE       0x80u
#define SEV_PACKET_HEADER_SIZE 0x34u
#define SEV_MEASURE_BLOB_SIZE  0x30u /* MEASURE[32], MNONCE[16] */
#define SEV_SWAP_ENTRY_SIZE    0x40u
#define SEV_TK_SIZE            16u /* TEK, TIK, KEK, KIK, MS */
#define SEV_NONCE_SIZE         16u
#define SEV_MAC_SIZE           32u

struct sev_session {
    uint8_t nonce[SEV_NONCE_SIZE];
    uint8_t wrap_tk[2 * SEV_TK_SIZE]; /* TEK, TIK under the KEK */
    uint8_t wrap_iv[16];
    uint8_t wrap_mac[SEV_MAC_SIZE];
    uint8_t policy_mac[SEV_MAC_SIZE];
};

/** PSP_E_FORMAT: @size is not SEV_SESSION_SIZE. */
PSP_MUST_CHECK enum psp_err sev_session_decode(const uint8_t *buf, size_t size,
                                               struct sev_session *session);
void sev_session_encode(const struct sev_session *session,
                        uint8_t out[SEV_SESSION_SIZE]);

#define SEV_PACKET_COMPRESSED 0x1u

struct sev_packet_header {
    uint32_t flags;
    uint8_t iv[16];
    uint8_t mac[SEV_MAC_SIZE];
};

/** PSP_E_FORMAT: @size is not SEV_PACKET_HEADER_SIZE. */
PSP_MUST_CHECK enum psp_err
sev_packet_header_decode(const uint8_t *buf, size_t size,
                         struct sev_packet_header *header);
void sev_packet_header_encode(const struct sev_packet_header *header,
                              uint8_t out[SEV_PACKET_HEADER_SIZE]);

/** First byte of the MACs keyed with the TIK. abi/sev.md §10, §12.5 */
enum sev_mac_context {
    SEV_MAC_SECRET = 1,
    SEV_MAC_DATA = 2,
    SEV_MAC_VMSA = 3,
    SEV_MAC_MEASURE = 4,
};

#define SEV_SWAP_2M         0x1u
#define SEV_SWAP_TYPE(bits) (((bits) >> 1) & 3u)
#define SEV_SWAP_TYPE_DATA  0u
#define SEV_SWAP_TYPE_VMSA  2u
#define SEV_SWAP_IN_PLACE   0x8u

struct sev_swap_entry {
    uint64_t software_data;
    uint8_t iv[8]; /* counter, little-endian */
    uint8_t auth_tag[16];
    uint8_t reserved[28];
    uint32_t bits; /* page size and type, as in the command */
};

/** PSP_E_FORMAT: @size is not SEV_SWAP_ENTRY_SIZE. */
PSP_MUST_CHECK enum psp_err sev_swap_entry_decode(const uint8_t *buf,
                                                  size_t size,
                                                  struct sev_swap_entry *entry);
void sev_swap_entry_encode(const struct sev_swap_entry *entry,
                           uint8_t out[SEV_SWAP_ENTRY_SIZE]);

/* Guest policy. abi/sev.md §7.5 */
#define SEV_POLICY_NODBG        0x0001u
#define SEV_POLICY_NOKS         0x0002u
#define SEV_POLICY_ES           0x0004u
#define SEV_POLICY_NOSEND       0x0008u
#define SEV_POLICY_DOMAIN       0x0010u
#define SEV_POLICY_SEV          0x0020u
#define SEV_POLICY_RESERVED     0xffc0u
#define SEV_POLICY_API_MAJOR(p) (((p) >> 16) & 0xffu)
#define SEV_POLICY_API_MINOR(p) (((p) >> 24) & 0xffu)

/** True if firmware API @major.@minor is what @policy asks for or newer. */
bool sev_policy_api_ok(uint32_t policy, uint8_t major, uint8_t minor);

#endif
