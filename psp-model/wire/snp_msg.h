/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Guest messages: the 60h-byte header and the plaintext payloads that travel
 * between an SNP guest and the firmware. Sealing is not done here.
 *
 * Every structure has one layout, read and written in one file. Decoders take
 * exactly the bytes of the layout (a message may be longer: the rest is not
 * looked at) and answer PSP_E_FORMAT when bytes or bits that must be zero are
 * not, the output then being all zero. Encoders write every byte.
 * CPUID messages carry a table of their own: snp_cpuid.h.
 * Spec: [56860 §7, §8.26], abi/snp.md §6.
 */
#ifndef WIRE_SNP_MSG_H
#define WIRE_SNP_MSG_H

#include <psp/err.h>
#include <psp/profile.h>

#include <stdbool.h>
#include <stdint.h>

#define SNP_MSG_PAGE_SIZE   0x1000u
#define SNP_MSG_HEADER_SIZE 0x60u
#define SNP_MSG_MAX_PAYLOAD (SNP_MSG_PAGE_SIZE - SNP_MSG_HEADER_SIZE)
#define SNP_MSG_TAG_SIZE    16u   /* at offset 0; 16 zero bytes follow */
#define SNP_MSG_AAD_OFFSET  0x30u /* authenticated part of the header */
#define SNP_MSG_AAD_SIZE    0x30u
#define SNP_MSG_IV_SIZE     12u
#define SNP_MSG_ALGO_GCM    1u /* AES-256-GCM */
#define SNP_MSG_HDR_VERSION 1u
#define SNP_MSG_VMPCK_COUNT 4u
#define SNP_MSG_VMPL_MAX    3u
#define SNP_MSG_VMPL_HV     0xffffffffu /* VMPL of a host's report */

/** A response has the number of its request + 1. */
enum snp_msg_type {
    SNP_MSG_CPUID_REQ = 1,
    SNP_MSG_KEY_REQ = 3,
    SNP_MSG_REPORT_REQ = 5,
    SNP_MSG_EXPORT_REQ = 7,
    SNP_MSG_IMPORT_REQ = 9,
    SNP_MSG_ABSORB_REQ = 11,
    SNP_MSG_VMRK_REQ = 13,
    SNP_MSG_ABSORB_NOMA_REQ = 15,
    SNP_MSG_TSC_INFO_REQ = 17,
};

/** Message header. abi/snp.md §6.1 */
struct snp_msg_header {
    uint8_t tag[SNP_MSG_TAG_SIZE];
    uint64_t seqno;
    uint8_t algo;
    uint8_t hdr_version;
    uint16_t hdr_size;
    uint8_t type;
    uint8_t version;
    uint16_t size; /* payload bytes, ciphertext and plaintext alike */
    uint8_t vmpck;
};

/** Reserved bytes are written as zero. */
void snp_msg_header_encode(const struct snp_msg_header *header,
                           uint8_t out[SNP_MSG_HEADER_SIZE]);
/** Reads the fields and judges none: the order in which firmware and drivers
 * judge them is theirs. Reserved bytes are not looked at. */
void snp_msg_header_decode(const uint8_t buf[SNP_MSG_HEADER_SIZE],
                           struct snp_msg_header *header);
/** IV of the message with number @seqno: le64, then zeros. */
void snp_msg_iv(uint64_t seqno, uint8_t iv[SNP_MSG_IV_SIZE]);

/** STATUS, the first word of every response. */
void snp_msg_put_status(uint8_t *rsp, uint32_t status);
uint32_t snp_msg_get_status(const uint8_t *rsp);

/* MSG_REPORT. abi/snp.md §6.7, §7.1 */

#define SNP_REPORT_REQ_SIZE   0x60u
#define SNP_REPORT_RSP_SIZE   0x4c0u
#define SNP_REPORT_RSP_HEADER 0x20u /* the report follows */

/** KEY_SEL of MSG_REPORT_REQ, MSG_KEY_REQ and SNP_HV_REPORT_REQ. */
enum snp_key_sel {
    SNP_KEY_SEL_AUTO = 0, /* VLEK if loaded, else VCEK */
    SNP_KEY_SEL_VCEK = 1,
    SNP_KEY_SEL_VLEK = 2,
    SNP_KEY_SEL_RESERVED = 3,
};

struct snp_report_req {
    uint8_t report_data[64];
    uint32_t vmpl;
    uint8_t key_sel; /* 0..3 */
};

void snp_report_req_encode(const struct snp_report_req *req,
                           uint8_t out[SNP_REPORT_REQ_SIZE]);
PSP_MUST_CHECK enum psp_err
snp_report_req_decode(const uint8_t buf[SNP_REPORT_REQ_SIZE],
                      struct snp_report_req *req);

struct snp_report_rsp {
    uint32_t status;
    uint32_t report_size;
};

/** The first SNP_REPORT_RSP_HEADER bytes. */
void snp_report_rsp_encode(const struct snp_report_rsp *rsp,
                           uint8_t out[SNP_REPORT_RSP_HEADER]);
PSP_MUST_CHECK enum psp_err
snp_report_rsp_decode(const uint8_t buf[SNP_REPORT_RSP_HEADER],
                      struct snp_report_rsp *rsp);

/* MSG_KEY. abi/snp.md §6.7, §8 */

#define SNP_KEY_REQ_V1_SIZE  0x20u
#define SNP_KEY_REQ_V2_SIZE  0x28u
#define SNP_KEY_RSP_SIZE     0x40u
#define SNP_DERIVED_KEY_SIZE 32u

/** GUEST_FIELD_SELECT. */
#define SNP_GFS_GUEST_POLICY      0x01u
#define SNP_GFS_IMAGE_ID          0x02u
#define SNP_GFS_FAMILY_ID         0x04u
#define SNP_GFS_MEASUREMENT       0x08u
#define SNP_GFS_GUEST_SVN         0x10u
#define SNP_GFS_TCB_VERSION       0x20u
#define SNP_GFS_LAUNCH_MIT_VECTOR 0x40u /* message version 2 only */

struct snp_key_req {
    bool root_vmrk;  /* ROOT_KEY_SELECT: VMRK instead of VCEK or VLEK */
    uint8_t key_sel; /* 0..3 */
    uint64_t guest_field_select;
    uint32_t vmpl;
    uint32_t guest_svn;
    struct psp_tcb tcb;
    uint64_t launch_mit_vector; /* 0 in version 1 */
};

/** Bytes of MSG_KEY_REQ in message version @version (1 or 2). */
static inline uint32_t snp_key_req_size(uint8_t version)
{
    return version >= 2 ? SNP_KEY_REQ_V2_SIZE : SNP_KEY_REQ_V1_SIZE;
}

/** @out, @buf: snp_key_req_size(@version) bytes. */
void snp_key_req_encode(const struct snp_key_req *req, uint8_t version,
                        uint8_t *out);
PSP_MUST_CHECK enum psp_err snp_key_req_decode(const uint8_t *buf,
                                               uint8_t version,
                                               struct snp_key_req *req);

/** Holds a key: the caller wipes it. */
struct snp_key_rsp {
    uint32_t status;
    uint8_t key[SNP_DERIVED_KEY_SIZE];
};

void snp_key_rsp_encode(const struct snp_key_rsp *rsp,
                        uint8_t out[SNP_KEY_RSP_SIZE]);
PSP_MUST_CHECK enum psp_err
snp_key_rsp_decode(const uint8_t buf[SNP_KEY_RSP_SIZE],
                   struct snp_key_rsp *rsp);

/* MSG_TSC_INFO. abi/snp.md §6.7 */

#define SNP_TSC_INFO_REQ_SIZE 0x80u
#define SNP_TSC_INFO_RSP_SIZE 0x80u

/** PSP_OK if all bytes are zero. */
PSP_MUST_CHECK enum psp_err
snp_tsc_info_req_check(const uint8_t buf[SNP_TSC_INFO_REQ_SIZE]);

struct snp_tsc_info_rsp {
    uint32_t status;
    uint64_t guest_tsc_scale; /* 8.32 fixed point */
    uint64_t guest_tsc_offset;
    uint32_t tsc_factor; /* percent decrease x 1000 */
};

void snp_tsc_info_rsp_encode(const struct snp_tsc_info_rsp *rsp,
                             uint8_t out[SNP_TSC_INFO_RSP_SIZE]);
PSP_MUST_CHECK enum psp_err
snp_tsc_info_rsp_decode(const uint8_t buf[SNP_TSC_INFO_RSP_SIZE],
                        struct snp_tsc_info_rsp *rsp);

/* Migration messages. abi/snp.md §6.7 to §6.9 */

#define SNP_EXPORT_REQ_SIZE  0x10u
#define SNP_EXPORT_RSP_SIZE  0x320u
#define SNP_IMPORT_REQ_SIZE  0x320u /* MSG_ABSORB, MSG_ABSORB_NOMA too */
#define SNP_VMRK_REQ_SIZE    0x40u
#define SNP_MIGRATE_RSP_SIZE 0x10u /* STATUS, then zeros */
#define SNP_GCTX_OFFSET      0x20u /* exported context in those messages */
#define SNP_GCTX_SIZE        0x300u
#define SNP_GCTX_IMD_OFFSET  0x190u /* the same in every version */
#define SNP_GCTX_VERSION     3u
#define SNP_GCTX_VERSION_MIN 2u

struct snp_export_req {
    uint64_t gctx_paddr;
    bool imi_en;
};

void snp_export_req_encode(const struct snp_export_req *req,
                           uint8_t out[SNP_EXPORT_REQ_SIZE]);
PSP_MUST_CHECK enum psp_err
snp_export_req_decode(const uint8_t buf[SNP_EXPORT_REQ_SIZE],
                      struct snp_export_req *req);

struct snp_export_rsp {
    uint32_t status;
    uint32_t gctx_size;
    uint32_t gctx_version;
};

/** The first SNP_GCTX_OFFSET bytes; the context follows. */
void snp_export_rsp_encode(const struct snp_export_rsp *rsp,
                           uint8_t out[SNP_GCTX_OFFSET]);
PSP_MUST_CHECK enum psp_err
snp_export_rsp_decode(const uint8_t buf[SNP_GCTX_OFFSET],
                      struct snp_export_rsp *rsp);

/** Also MSG_ABSORB_REQ, and MSG_ABSORB_NOMA_REQ with gctx_paddr 0. */
struct snp_import_req {
    uint64_t gctx_paddr;
    uint32_t gctx_size;
    uint32_t gctx_version;
};

/** The first SNP_GCTX_OFFSET bytes; the context follows. */
void snp_import_req_encode(const struct snp_import_req *req,
                           uint8_t out[SNP_GCTX_OFFSET]);
PSP_MUST_CHECK enum psp_err
snp_import_req_decode(const uint8_t buf[SNP_GCTX_OFFSET],
                      struct snp_import_req *req);

/** Holds a key: the caller wipes it. */
struct snp_vmrk_req {
    uint64_t gctx_paddr;
    uint8_t vmrk[32];
};

void snp_vmrk_req_encode(const struct snp_vmrk_req *req,
                         uint8_t out[SNP_VMRK_REQ_SIZE]);
PSP_MUST_CHECK enum psp_err
snp_vmrk_req_decode(const uint8_t buf[SNP_VMRK_REQ_SIZE],
                    struct snp_vmrk_req *req);

/** Exported guest context, version 3. Holds every secret of a guest: the caller
 * wipes it. abi/snp.md §6.8 */
struct snp_gctx {
    uint8_t ld[48];
    uint8_t oek[32];
    uint8_t vmpck[SNP_MSG_VMPCK_COUNT][32];
    uint8_t vmrk[32];
    uint8_t host_data[32];
    uint8_t id_key_digest[48];
    uint8_t author_key_digest[48];
    uint8_t report_id[32];
    uint8_t imd[48];
    uint64_t msg_count[SNP_MSG_VMPCK_COUNT];
    uint8_t root_md_entry[64];
    bool author_key_en;
    bool id_block_en;
    bool vcek_dis; /* version 3 */
    uint64_t policy;
    uint8_t state;
    uint64_t oek_iv_count;
    uint8_t id_block[0x60];
    uint8_t gosvw[16];
    uint32_t desired_tsc_freq; /* version 3 */
    uint64_t psp_tsc_offset;   /* version 3 */
    struct psp_tcb launch_tcb; /* version 3 */
};

/** Always writes SNP_GCTX_VERSION. */
void snp_gctx_encode(const struct snp_gctx *gctx, uint8_t out[SNP_GCTX_SIZE]);
/** @version: GCTX_VERSION that came with the bytes. Fields that a version does
 * not have are reserved in it, and zero in @gctx.
 * PSP_E_FORMAT: other version, or reserved bytes or bits set. */
PSP_MUST_CHECK enum psp_err snp_gctx_decode(const uint8_t buf[SNP_GCTX_SIZE],
                                            uint32_t version,
                                            struct snp_gctx *gctx);

#endif
