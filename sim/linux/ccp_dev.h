/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Inside the ccp driver: one device, one ioctl in flight, and the tables that
 * connect numbers with commands. Spec: abi/linux.md §1.
 *
 * A command has two halves, so that the plan-then-execute rule of umem.h cannot
 * be broken by accident: prepare() does every check and copy-in that Linux does
 * and plans the copy-outs, but changes nothing; the entry path then commits;
 * execute() calls the firmware and copies out.
 */
#ifndef LINUX_CCP_DEV_H
#define LINUX_CCP_DEV_H

#include "ccp.h"

#include <pthread.h>

/** struct sev_issue_cmd: u32 cmd, u64 data, u32 error, packed. */
#define CCP_ENVELOPE_SIZE 16u
#define CCP_IOCTL         0xc0105300u

#define CCP_BLOB_MAX        0x4000u   /* SEV_FW_BLOB_MAX_SIZE */
#define CCP_KMALLOC_MAX     0x400000u /* largest x86 kmalloc */
#define CCP_NV_SIZE         0x8000u
#define CCP_CERT_SIZE       0x824u
#define CCP_CHAIN_SIZE      (3u * CCP_CERT_SIZE)
#define CCP_ID_SIZE         64u
#define CCP_SNP_CONFIG_SIZE 64u

#define CCP_ENOTSUPP   524         /* kernel-private, reaches user space */
#define CCP_NO_FW_CALL 0xffffffffu /* SEV_RET_NO_FW_CALL */

/** Mailbox commands that the driver issues. */
enum ccp_mailbox {
    CCP_FW_INIT = 0x001,
    CCP_FW_SHUTDOWN = 0x002,
    CCP_FW_PLATFORM_RESET = 0x003,
    CCP_FW_PLATFORM_STATUS = 0x004,
    CCP_FW_PEK_GEN = 0x005,
    CCP_FW_PEK_CSR = 0x006,
    CCP_FW_PEK_CERT_IMPORT = 0x007,
    CCP_FW_PDH_CERT_EXPORT = 0x008,
    CCP_FW_PDH_GEN = 0x009,
    CCP_FW_DF_FLUSH = 0x00a,
    CCP_FW_GET_ID = 0x00c,
    CCP_FW_INIT_EX = 0x00d,
    CCP_FW_ATTESTATION = 0x036,
    CCP_FW_SNP_PLATFORM_STATUS = 0x083,
    CCP_FW_SNP_DF_FLUSH = 0x084,
    CCP_FW_SNP_INIT_EX = 0x085,
    CCP_FW_SNP_SHUTDOWN_EX = 0x086,
    CCP_FW_SNP_CONFIG = 0x0c9,
    CCP_FW_SNP_COMMIT = 0x0cb,
    CCP_FW_SNP_VLEK_LOAD = 0x0cd,
};

/** Platform states as PLATFORM_STATUS reports them. */
enum ccp_state { CCP_UNINIT = 0, CCP_INIT = 1, CCP_WORKING = 2 };

struct ccp_dev {
    struct port port;
    struct psp_profile profile;
    struct ccp_config config; /* init_ex_path points to the copy below */
    char *init_ex_path;
    pthread_mutex_t lock; /* everything below */
    enum ccp_fault fault;
    uint8_t api_major;
    uint8_t api_minor;
    enum ccp_state state; /* the driver's cache, never WORKING */
    bool snp_initialized;
    uint32_t start_status;
    int start_result;
    struct port_buf tmr; /* SEV-ES trusted memory region */
    struct port_buf nv;  /* INIT_EX's buffer */
    /** Older AMD host kernels only. */
    uint8_t snp_config[CCP_SNP_CONFIG_SIZE];
    uint8_t *certs;
    size_t certs_size;
    uint64_t transaction;
};

/** A range of user memory that an inner struct names. */
struct ccp_range {
    uint64_t addr;
    uint32_t len;
};

struct ccp_call {
    struct ccp_dev *dev;
    struct umem *um;
    bool writable;
    uint64_t arg;
    uint32_t cmd;
    uint64_t data;
    uint32_t error;
    uint8_t inner[64]; /* the inner struct as it was read */
    struct ccp_range range[2];
    bool query;             /* the caller asks for lengths only */
    bool as_status;         /* auto_report decided for SNP_PLATFORM_STATUS */
    int late_error;         /* found by prepare(), due after the INIT */
    uint8_t *blob[2];       /* gathered input; freed by the entry path */
    struct port_buf out[2]; /* what firmware writes; ended by the entry path */
    bool undo_legacy;       /* an implicit INIT happened */
    bool undo_snp;          /* an implicit SNP_INIT_EX happened */
};

struct ccp_command {
    const char *name;
    /** 0, negative errno (the envelope is still written back), UMEM_RETRY. */
    int (*prepare)(struct ccp_call *c);
    /** 0 or negative errno. */
    int (*execute)(struct ccp_call *c);
};

/** NULL: the number does not exist in this ABI and era. */
const struct ccp_command *ccp_command_find(const struct ccp_config *config,
                                           uint32_t number);

extern const struct ccp_command CCP_CMD_FACTORY_RESET;
extern const struct ccp_command CCP_CMD_PLATFORM_STATUS;
extern const struct ccp_command CCP_CMD_PEK_GEN;
extern const struct ccp_command CCP_CMD_PEK_CSR;
extern const struct ccp_command CCP_CMD_PDH_GEN;
extern const struct ccp_command CCP_CMD_PDH_CERT_EXPORT;
extern const struct ccp_command CCP_CMD_PEK_CERT_IMPORT;
extern const struct ccp_command CCP_CMD_GET_ID;
extern const struct ccp_command CCP_CMD_GET_ID2;
extern const struct ccp_command CCP_CMD_GET_REPORT;
extern const struct ccp_command CCP_CMD_SNP_PLATFORM_STATUS;
extern const struct ccp_command CCP_CMD_SNP_STATUS_OR_REPORT;
extern const struct ccp_command CCP_CMD_SNP_COMMIT;
extern const struct ccp_command CCP_CMD_SNP_SET_CONFIG;
extern const struct ccp_command CCP_CMD_SNP_VLEK_LOAD;
extern const struct ccp_command CCP_CMD_SNP_SET_EXT_CONFIG;
extern const struct ccp_command CCP_CMD_SNP_GET_EXT_CONFIG;
extern const struct ccp_command CCP_CMD_SNP_SET_CONFIG_START;
extern const struct ccp_command CCP_CMD_SNP_SET_CONFIG_END;

/* ccp_user.c: copies between the caller and the call. */

/** Plan the write-back of an inner struct of @size bytes (if @out) and read it
 * into c->inner (if @in). 0, -EFAULT or UMEM_RETRY. */
int ccp_user_inner(struct ccp_call *c, size_t size, bool in, bool out);
/** Gather @len bytes into c->blob[@index]. 0, -EFAULT, -ENOMEM, UMEM_RETRY. */
int ccp_user_blob(struct ccp_call *c, unsigned int index, uint64_t addr,
                  uint32_t len);
/** Copy the first @size bytes of c->out[@index] to @addr. 0 or -EFAULT. */
int ccp_user_copy_out(struct ccp_call *c, unsigned int index, uint64_t addr,
                      size_t size);
/** A physical buffer with a copy of c->blob[@index]. 0, -ENOMEM, -EFAULT. */
int ccp_blob_to_memory(struct ccp_call *c, unsigned int index, uint32_t len);

/** Read and decode an inner struct {u64 address, u32 length} into range[0];
 * sets c->query when either is 0. 0, -EFAULT, UMEM_RETRY. */
int ccp_user_sized(struct ccp_call *c);
/** A buffer of that length in c->out[0]; none in query mode. 0 or -ENOMEM. */
int ccp_sized_alloc(struct ccp_call *c);
/** Issue @command with that buffer. The firmware's length goes back whatever
 * it answered, the buffer only on success. */
int ccp_sized_call(struct ccp_call *c, uint32_t command);

/* ccp_fw.c: the firmware-call layer. abi/linux.md §1.8. */

/** Issue a command. 0, -EIO with *error = status, -ETIMEDOUT, -EBUSY. */
int ccp_fw(struct ccp_dev *dev, uint32_t command, void *buf, size_t size,
           uint32_t *error);
/** The same with c->out[] handed over to the firmware for the time of the
 * command; -EFAULT when the RMP refuses. Sets c->error. */
int ccp_fw_out(struct ccp_call *c, uint32_t command, void *buf, size_t size);

/* ccp_init.c: bring-up and shutdown. abi/linux.md §1.6. */

/** SNP (when @with_snp and the host has it), then legacy INIT. */
int ccp_platform_init(struct ccp_dev *dev, bool with_snp, uint32_t *error);
/** 0, -ENODEV (no SNP), -EOPNOTSUPP (API below 1.51), errors of ccp_fw(). */
int ccp_snp_init(struct ccp_dev *dev, uint32_t *error);
/** Legacy SHUTDOWN; on success the cache is UNINIT. */
int ccp_platform_shutdown(struct ccp_dev *dev, uint32_t *error);
/** Implicit INIT before a legacy command; recorded in @c. */
int ccp_implicit_init(struct ccp_call *c);
/** Implicit SNP_INIT_EX before an SNP command (era S2); recorded in @c. */
int ccp_implicit_snp_init(struct ccp_call *c);
/** Undo what the two above did, as far as era and options say. */
void ccp_implicit_end(struct ccp_call *c);
/** Give TMR and NV buffer back. */
void ccp_release_buffers(struct ccp_dev *dev);
/** Forget the host-wide certificate table. */
void ccp_drop_certs(struct ccp_dev *dev);

/* ccp_nv.c: the file behind INIT_EX. */

/** Make the NV buffer and fill it from the file; 0xff where the file has
 * nothing. 0, -ENOMEM, -EFAULT, or the errno of open and read. */
int ccp_nv_load(struct ccp_dev *dev);
/** Write the NV buffer to the file, if there is one. 0 or -EIO. */
int ccp_nv_save(struct ccp_dev *dev);
/** The same after PLATFORM_RESET: the file ends in factory state also while
 * there is no buffer, as before the first and after an implicit INIT_EX. */
int ccp_nv_reset(struct ccp_dev *dev);

#endif
