/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Identifiers and command buffers of the legacy SEV mailbox commands. Every
 * buffer is packed and little-endian; reserved fields are kept, so decoding and
 * encoding give back the same bytes. Spec: [55766], [sevapi.h], abi/sev.md §1.
 */
#ifndef WIRE_SEV_CMD_H
#define WIRE_SEV_CMD_H

#include <psp/err.h>

#include <stddef.h>
#include <stdint.h>

enum sev_command_id {
    SEV_CMD_INIT = 0x01,
    SEV_CMD_SHUTDOWN = 0x02,
    SEV_CMD_PLATFORM_RESET = 0x03,
    SEV_CMD_PLATFORM_STATUS = 0x04,
    SEV_CMD_PEK_GEN = 0x05,
    SEV_CMD_PEK_CSR = 0x06,
    SEV_CMD_PEK_CERT_IMPORT = 0x07,
    SEV_CMD_PDH_CERT_EXPORT = 0x08,
    SEV_CMD_PDH_GEN = 0x09,
    SEV_CMD_DF_FLUSH = 0x0a,
    SEV_CMD_DOWNLOAD_FIRMWARE = 0x0b,
    SEV_CMD_GET_ID = 0x0c,
    SEV_CMD_INIT_EX = 0x0d,
    SEV_CMD_NOP = 0x0e,
    SEV_CMD_RING_BUFFER = 0x0f,
    SEV_CMD_DECOMMISSION = 0x20,
    SEV_CMD_ACTIVATE = 0x21,
    SEV_CMD_DEACTIVATE = 0x22,
    SEV_CMD_GUEST_STATUS = 0x23,
    SEV_CMD_COPY = 0x24,
    SEV_CMD_ACTIVATE_EX = 0x25,
    SEV_CMD_LAUNCH_START = 0x30,
    SEV_CMD_LAUNCH_UPDATE_DATA = 0x31,
    SEV_CMD_LAUNCH_UPDATE_VMSA = 0x32,
    SEV_CMD_LAUNCH_MEASURE = 0x33,
    SEV_CMD_LAUNCH_SECRET = 0x34,
    SEV_CMD_LAUNCH_FINISH = 0x35,
    SEV_CMD_ATTESTATION = 0x36,
    SEV_CMD_SEND_START = 0x40,
    SEV_CMD_SEND_UPDATE_DATA = 0x41,
    SEV_CMD_SEND_UPDATE_VMSA = 0x42,
    SEV_CMD_SEND_FINISH = 0x43,
    SEV_CMD_SEND_CANCEL = 0x44,
    SEV_CMD_RECEIVE_START = 0x50,
    SEV_CMD_RECEIVE_UPDATE_DATA = 0x51,
    SEV_CMD_RECEIVE_UPDATE_VMSA = 0x52,
    SEV_CMD_RECEIVE_FINISH = 0x53,
    SEV_CMD_DBG_DECRYPT = 0x60,
    SEV_CMD_DBG_ENCRYPT = 0x61,
    SEV_CMD_SWAP_OUT = 0x70,
    SEV_CMD_SWAP_IN = 0x71,
};

/** Largest command buffer (SEND_START). */
#define SEV_CMD_MAX_SIZE 0x44u

#define SEV_OPTION_ES 0x1u

/* Each structure: its size, then encode and decode. Decoding takes exactly
 * that many bytes and cannot fail. */

#define SEV_CMD_INIT_SIZE 0x14u
struct sev_cmd_init {
    uint32_t options;
    uint32_t reserved;
    uint64_t tmr_paddr;
    uint32_t tmr_length;
};

#define SEV_CMD_INIT_EX_SIZE 0x24u
struct sev_cmd_init_ex {
    uint32_t length;
    uint32_t options;
    uint64_t tmr_paddr;
    uint32_t tmr_length;
    uint32_t reserved;
    uint64_t nv_paddr;
    uint32_t nv_length;
};

/** PLATFORM_STATUS. */
#define SEV_CMD_STATUS_SIZE 0x0cu
struct sev_cmd_status {
    uint8_t api_major;
    uint8_t api_minor;
    uint8_t state;
    uint8_t owner;
    uint16_t config;
    uint8_t reserved;
    uint8_t build;
    uint32_t guest_count;
};

/** PEK_CSR, GET_ID, DOWNLOAD_FIRMWARE. */
#define SEV_CMD_BLOB_SIZE 0x0cu
struct sev_cmd_blob {
    uint64_t paddr;
    uint32_t length;
};

/** PEK_CERT_IMPORT (PEK, OCA) and PDH_CERT_EXPORT (PDH, chain). */
#define SEV_CMD_CERTS_SIZE 0x1cu
struct sev_cmd_certs {
    uint64_t first_paddr;
    uint32_t first_length;
    uint32_t reserved;
    uint64_t second_paddr;
    uint32_t second_length;
};

#define SEV_CMD_RING_BUFFER_SIZE 0x28u
struct sev_cmd_ring_buffer {
    uint64_t qlo_cmd_paddr;
    uint64_t qlo_stat_paddr;
    uint64_t qhi_cmd_paddr;
    uint64_t qhi_stat_paddr;
    uint8_t qlo_size; /* pages */
    uint8_t qhi_size;
    uint16_t qlo_thresh;
    uint16_t qhi_thresh;
    uint16_t flags;
};

/** DECOMMISSION, DEACTIVATE, LAUNCH_FINISH, SEND_FINISH, SEND_CANCEL,
 * RECEIVE_FINISH. */
#define SEV_CMD_HANDLE_SIZE 0x04u
struct sev_cmd_handle {
    uint32_t handle;
};

#define SEV_CMD_ACTIVATE_SIZE 0x08u
struct sev_cmd_activate {
    uint32_t handle;
    uint32_t asid;
};

#define SEV_CMD_ACTIVATE_EX_SIZE 0x18u
struct sev_cmd_activate_ex {
    uint32_t ex_len;
    uint32_t handle;
    uint32_t asid;
    uint32_t num_ids;
    uint64_t ids_paddr;
};

#define SEV_CMD_GUEST_STATUS_SIZE 0x0du
struct sev_cmd_guest_status {
    uint32_t handle;
    uint32_t policy;
    uint32_t asid;
    uint8_t state;
};

#define SEV_CMD_COPY_SIZE 0x18u
struct sev_cmd_copy {
    uint32_t handle;
    uint32_t length;
    uint64_t src_paddr;
    uint64_t dst_paddr;
};

/** LAUNCH_START, RECEIVE_START. */
#define SEV_CMD_START_SIZE 0x24u
struct sev_cmd_start {
    uint32_t handle;
    uint32_t policy;
    uint64_t cert_paddr;
    uint32_t cert_length;
    uint32_t reserved;
    uint64_t session_paddr;
    uint32_t session_length;
};

/** LAUNCH_UPDATE_DATA, LAUNCH_UPDATE_VMSA, LAUNCH_MEASURE. */
#define SEV_CMD_RANGE_SIZE 0x14u
struct sev_cmd_range {
    uint32_t handle;
    uint32_t reserved;
    uint64_t paddr;
    uint32_t length;
};

/** LAUNCH_SECRET, SEND_UPDATE_*, RECEIVE_UPDATE_*. */
#define SEV_CMD_TRANSPORT_SIZE 0x34u
struct sev_cmd_transport {
    uint32_t handle;
    uint32_t reserved0;
    uint64_t hdr_paddr;
    uint32_t hdr_length;
    uint32_t reserved1;
    uint64_t guest_paddr;
    uint32_t guest_length;
    uint32_t reserved2;
    uint64_t trans_paddr;
    uint32_t trans_length;
};

#define SEV_CMD_ATTESTATION_SIZE 0x24u
struct sev_cmd_attestation {
    uint32_t handle;
    uint32_t reserved;
    uint64_t paddr;
    uint8_t mnonce[16];
    uint32_t length;
};

#define SEV_CMD_SEND_START_SIZE 0x44u
struct sev_cmd_send_start {
    uint32_t handle;
    uint32_t policy;
    uint64_t pdh_paddr;
    uint32_t pdh_length;
    uint32_t reserved0;
    uint64_t plat_paddr; /* PEK, OCA, CEK */
    uint32_t plat_length;
    uint32_t reserved1;
    uint64_t amd_paddr; /* ASK, ARK */
    uint32_t amd_length;
    uint32_t reserved2;
    uint64_t session_paddr;
    uint32_t session_length;
};

/** DBG_DECRYPT, DBG_ENCRYPT. */
#define SEV_CMD_DBG_SIZE 0x1cu
struct sev_cmd_dbg {
    uint32_t handle;
    uint32_t reserved;
    uint64_t src_paddr;
    uint64_t dst_paddr;
    uint32_t length;
};

#define SEV_CMD_SWAP_IN_SIZE  0x20u
#define SEV_CMD_SWAP_OUT_SIZE 0x28u
struct sev_cmd_swap {
    uint32_t handle;
    uint32_t bits;
    uint64_t src_paddr;
    uint64_t dst_paddr;
    uint64_t mdata_paddr;
    uint64_t software_data; /* SWAP_OUT only */
};

#define SEV_CMD_CODEC(name, type)                                              \
    void sev_cmd_##name##_decode(const uint8_t *buf, struct type *c);          \
    void sev_cmd_##name##_encode(const struct type *c, uint8_t *buf)

SEV_CMD_CODEC(init, sev_cmd_init);
SEV_CMD_CODEC(init_ex, sev_cmd_init_ex);
SEV_CMD_CODEC(status, sev_cmd_status);
SEV_CMD_CODEC(blob, sev_cmd_blob);
SEV_CMD_CODEC(certs, sev_cmd_certs);
SEV_CMD_CODEC(ring_buffer, sev_cmd_ring_buffer);
SEV_CMD_CODEC(handle, sev_cmd_handle);
SEV_CMD_CODEC(activate, sev_cmd_activate);
SEV_CMD_CODEC(activate_ex, sev_cmd_activate_ex);
SEV_CMD_CODEC(guest_status, sev_cmd_guest_status);
SEV_CMD_CODEC(copy, sev_cmd_copy);
SEV_CMD_CODEC(start, sev_cmd_start);
SEV_CMD_CODEC(range, sev_cmd_range);
SEV_CMD_CODEC(transport, sev_cmd_transport);
SEV_CMD_CODEC(attestation, sev_cmd_attestation);
SEV_CMD_CODEC(send_start, sev_cmd_send_start);
SEV_CMD_CODEC(dbg, sev_cmd_dbg);
SEV_CMD_CODEC(swap_in, sev_cmd_swap);
SEV_CMD_CODEC(swap_out, sev_cmd_swap);

#undef SEV_CMD_CODEC

#endif
