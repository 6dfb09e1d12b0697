/* SPDX-License-Identifier: Apache-2.0 */
#include <psp/err.h>
#include <psp/status.h>

#include <stddef.h>

const char *psp_err_text(enum psp_err err)
{
    static const char *const text[] = {
        [PSP_OK] = "success",
        [PSP_E_NOMEM] = "out of memory",
        [PSP_E_CRYPTO] = "crypto library failure",
        [PSP_E_HOST] = "host callback failed",
        [PSP_E_FORMAT] = "malformed data",
        [PSP_E_VERIFY] = "verification failed",
        [PSP_E_PARAM] = "invalid parameter",
    };

    return (size_t)err < sizeof(text) / sizeof(text[0]) ? text[err]
                                                        : "unknown error";
}

const char *sev_status_name(uint32_t status)
{
    static const char *const name[] = {
        [SEV_SUCCESS] = "SUCCESS",
        [SEV_INVALID_PLATFORM_STATE] = "INVALID_PLATFORM_STATE",
        [SEV_INVALID_GUEST_STATE] = "INVALID_GUEST_STATE",
        [SEV_INVALID_CONFIG] = "INVALID_CONFIG",
        [SEV_INVALID_LENGTH] = "INVALID_LENGTH",
        [SEV_ALREADY_OWNED] = "ALREADY_OWNED",
        [SEV_INVALID_CERTIFICATE] = "INVALID_CERTIFICATE",
        [SEV_POLICY_FAILURE] = "POLICY_FAILURE",
        [SEV_INACTIVE] = "INACTIVE",
        [SEV_INVALID_ADDRESS] = "INVALID_ADDRESS",
        [SEV_BAD_SIGNATURE] = "BAD_SIGNATURE",
        [SEV_BAD_MEASUREMENT] = "BAD_MEASUREMENT",
        [SEV_ASID_OWNED] = "ASID_OWNED",
        [SEV_INVALID_ASID] = "INVALID_ASID",
        [SEV_WBINVD_REQUIRED] = "WBINVD_REQUIRED",
        [SEV_DF_FLUSH_REQUIRED] = "DF_FLUSH_REQUIRED",
        [SEV_INVALID_GUEST] = "INVALID_GUEST",
        [SEV_INVALID_COMMAND] = "INVALID_COMMAND",
        [SEV_ACTIVE] = "ACTIVE",
        [SEV_HWERROR_PLATFORM] = "HWERROR_PLATFORM",
        [SEV_HWERROR_UNSAFE] = "HWERROR_UNSAFE",
        [SEV_UNSUPPORTED] = "UNSUPPORTED",
        [SEV_INVALID_PARAM] = "INVALID_PARAM",
        [SEV_RESOURCE_LIMIT] = "RESOURCE_LIMIT",
        [SEV_SECURE_DATA_INVALID] = "SECURE_DATA_INVALID",
        [SEV_INVALID_PAGE_SIZE] = "INVALID_PAGE_SIZE",
        [SEV_INVALID_PAGE_STATE] = "INVALID_PAGE_STATE",
        [SEV_INVALID_MDATA_ENTRY] = "INVALID_MDATA_ENTRY",
        [SEV_INVALID_PAGE_OWNER] = "INVALID_PAGE_OWNER",
        [SEV_AEAD_OFLOW] = "AEAD_OFLOW",
        [SEV_RB_MODE_EXITED] = "RB_MODE_EXITED",
        [SEV_RMP_INIT_REQUIRED] = "RMP_INIT_REQUIRED",
        [SEV_BAD_SVN] = "BAD_SVN",
        [SEV_BAD_VERSION] = "BAD_VERSION",
        [SEV_SHUTDOWN_REQUIRED] = "SHUTDOWN_REQUIRED",
        [SEV_UPDATE_FAILED] = "UPDATE_FAILED",
        [SEV_RESTORE_REQUIRED] = "RESTORE_REQUIRED",
        [SEV_RMP_INITIALIZATION_FAILED] = "RMP_INITIALIZATION_FAILED",
        [SEV_INVALID_KEY] = "INVALID_KEY",
    };

    if (status >= sizeof(name) / sizeof(name[0]) || name[status] == NULL) {
        return "UNKNOWN";
    }
    return name[status];
}
