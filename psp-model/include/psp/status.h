/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Firmware status codes: the 16-bit value that a mailbox command leaves in the
 * response register. Names follow AMD publications 55766 and 56860.
 * Spec: [56860 §2 status codes], [uapi].
 */
#ifndef PSP_STATUS_H
#define PSP_STATUS_H

#include <stdint.h>

enum sev_status {
    SEV_SUCCESS = 0x00,
    SEV_INVALID_PLATFORM_STATE = 0x01,
    SEV_INVALID_GUEST_STATE = 0x02,
    SEV_INVALID_CONFIG = 0x03,
    SEV_INVALID_LENGTH = 0x04,
    SEV_ALREADY_OWNED = 0x05,
    SEV_INVALID_CERTIFICATE = 0x06,
    SEV_POLICY_FAILURE = 0x07,
    SEV_INACTIVE = 0x08,
    SEV_INVALID_ADDRESS = 0x09,
    SEV_BAD_SIGNATURE = 0x0a,
    SEV_BAD_MEASUREMENT = 0x0b,
    SEV_ASID_OWNED = 0x0c,
    SEV_INVALID_ASID = 0x0d,
    SEV_WBINVD_REQUIRED = 0x0e,
    SEV_DF_FLUSH_REQUIRED = 0x0f,
    SEV_INVALID_GUEST = 0x10,
    SEV_INVALID_COMMAND = 0x11,
    SEV_ACTIVE = 0x12,
    SEV_HWERROR_PLATFORM = 0x13,
    SEV_HWERROR_UNSAFE = 0x14,
    SEV_UNSUPPORTED = 0x15,
    SEV_INVALID_PARAM = 0x16,
    SEV_RESOURCE_LIMIT = 0x17,
    SEV_SECURE_DATA_INVALID = 0x18,
    SEV_INVALID_PAGE_SIZE = 0x19,
    SEV_INVALID_PAGE_STATE = 0x1a,
    SEV_INVALID_MDATA_ENTRY = 0x1b,
    SEV_INVALID_PAGE_OWNER = 0x1c,
    SEV_AEAD_OFLOW = 0x1d,
    SEV_RB_MODE_EXITED = 0x1f,
    SEV_RMP_INIT_REQUIRED = 0x20,
    SEV_BAD_SVN = 0x21,
    SEV_BAD_VERSION = 0x22,
    SEV_SHUTDOWN_REQUIRED = 0x23,
    SEV_UPDATE_FAILED = 0x24,
    SEV_RESTORE_REQUIRED = 0x25,
    SEV_RMP_INITIALIZATION_FAILED = 0x26,
    SEV_INVALID_KEY = 0x27,
};

/** Name without prefix, for example "INVALID_PARAM"; "UNKNOWN" otherwise. */
const char *sev_status_name(uint32_t status);

#endif
