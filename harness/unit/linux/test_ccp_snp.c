/* SPDX-License-Identifier: Apache-2.0 */
/* SNP sub-commands of /dev/sev and those of older AMD host kernels.
 * abi/linux.md §1.7, §1.12, §1.13, §2.3. */
#include "ccp_rows.h"

#define L  CCP_ERA_L
#define S1 CCP_ERA_S1
#define S2 CCP_ERA_S2
#define S3 CCP_ERA_S3

#define NIL UINT64_MAX /* .data: a NULL pointer */

#define CONFIG_FMT "84"
#define VLEK_FMT   "411118"
#define EXT_FMT    "884"

static const struct ccp_row ROWS[] = {
    /* --- 9 SNP_PLATFORM_STATUS --- */
    {.name = "snp_status__s3__32_bytes",
     .cmd = 9,
     .era = S3,
     .blob = {{U, 0, 32, 0}},
     .log = {F_SNP_STATUS}},
    {.name = "snp_status__read_only_file__works",
     .cmd = 9,
     .era = S1,
     .ro = true,
     .blob = {{U, 0, 32, 0}},
     .log = {F_SNP_STATUS}},
    {.name = "snp_status__s1_and_snp_down__einval",
     .cmd = 9,
     .era = S1,
     .snp = DOWN,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "snp_status__s2_and_snp_down__works",
     .cmd = 9,
     .era = S2,
     .snp = DOWN,
     .blob = {{U, 0, 32, 0}},
     .log = {F_SNP_STATUS}},
    {.name = "snp_status__s3_and_snp_down__works",
     .cmd = 9,
     .era = S3,
     .snp = DOWN,
     .blob = {{U, 0, 32, 0}},
     .log = {F_SNP_STATUS}},
    {.name = "snp_status__s3_without_snp__firmware_refuses",
     .cmd = 9,
     .era = S3,
     .snp = NONE,
     .result = -EIO,
     .error = 0x11,
     .log = {F_SNP_STATUS}},
    {.name = "snp_status__s1_null__einval",
     .cmd = 9,
     .era = S1,
     .data = NIL,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "snp_status__s3_null__einval",
     .cmd = 9,
     .era = S3,
     .data = NIL,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "snp_status__unmapped__efault_after_firmware",
     .cmd = 9,
     .era = S3,
     .data = BAD,
     .result = -EFAULT,
     .log = {F_SNP_STATUS}},
    {.name = "snp_status__firmware_fails__nothing_copied",
     .cmd = 9,
     .era = S3,
     .force = {{.command = F_SNP_STATUS, .status = 0x16}},
     .result = -EIO,
     .error = 0x16,
     .log = {F_SNP_STATUS}},
    {.name = "snp_status__rmp_refuses__efault_without_firmware",
     .cmd = 9,
     .era = S3,
     .rmpupdates = 1,
     .result = -EFAULT,
     .error = KEEP},
    {.name = "snp_status__legacy_uninit__no_implicit_init",
     .cmd = 9,
     .era = S2,
     .legacy = UNINIT,
     .blob = {{U, 0, 32, 0}},
     .log = {F_SNP_STATUS}},

    /* --- 10 SNP_COMMIT --- */
    {.name = "snp_commit__s3_read_only_file_bad_data__works",
     .cmd = 10,
     .era = S3,
     .ro = true,
     .data = BAD,
     .log = {F_SNP_COMMIT}},
    {.name = "snp_commit__s1_and_snp_down__einval",
     .cmd = 10,
     .era = S1,
     .snp = DOWN,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "snp_commit__s1_and_snp_up__works",
     .cmd = 10,
     .era = S1,
     .log = {F_SNP_COMMIT}},
    {.name = "snp_commit__s2_and_snp_down__up_and_down_again",
     .cmd = 10,
     .era = S2,
     .snp = DOWN,
     .legacy = UNINIT,
     .log = {F_SNP_INIT, F_SNP_FLUSH, F_SNP_COMMIT, F_SNP_SHUTDOWN}},
    {.name = "snp_commit__s2_and_snp_up__stays_up",
     .cmd = 10,
     .era = S2,
     .legacy = UNINIT,
     .log = {F_SNP_COMMIT}},
    {.name = "snp_commit__s2_told_to_stay__snp_stays_up",
     .cmd = 10,
     .era = S2,
     .after_init = CCP_AFTER_INIT_STAY,
     .snp = DOWN,
     .legacy = UNINIT,
     .log = {F_SNP_INIT, F_SNP_FLUSH, F_SNP_COMMIT},
     .snp_after_set = true,
     .snp_after = true},
    {.name = "snp_commit__s2_without_snp__enodev_and_no_fw_call",
     .cmd = 10,
     .era = S2,
     .snp = NONE,
     .result = -ENODEV,
     .error = NO_FW},
    {.name = "snp_commit__strict_s2_without_snp__enodev_and_error_1",
     .cmd = 10,
     .era = S2,
     .strict = true,
     .snp = NONE,
     .result = -ENODEV,
     .error = 1},
    {.name = "snp_commit__s2_with_api_1_50__eopnotsupp",
     .cmd = 10,
     .era = S2,
     .snp = DOWN,
     .legacy = UNINIT,
     .api_major = 1,
     .api_minor = 50,
     .result = -EOPNOTSUPP,
     .error = NO_FW},
    {.name = "snp_commit__s2_snp_init_fails__its_status",
     .cmd = 10,
     .era = S2,
     .snp = DOWN,
     .legacy = UNINIT,
     .force = {{.command = F_SNP_INIT, .status = 3}},
     .result = -EIO,
     .error = 3,
     .log = {F_SNP_INIT}},
    {.name = "snp_commit__s2_and_legacy_init__firmware_refuses_snp_init",
     .cmd = 10,
     .era = S2,
     .snp = DOWN,
     .result = -EIO,
     .error = 1,
     .log = {F_SNP_INIT}},
    {.name = "snp_commit__s3_and_snp_down__goes_to_firmware",
     .cmd = 10,
     .era = S3,
     .snp = DOWN,
     .log = {F_SNP_COMMIT}},
    {.name = "snp_commit__firmware_fails__eio",
     .cmd = 10,
     .era = S3,
     .force = {{.command = F_SNP_COMMIT, .status = 0x16}},
     .result = -EIO,
     .error = 0x16,
     .log = {F_SNP_COMMIT}},

    /* --- 11 SNP_SET_CONFIG --- */
    {.name = "snp_set_config__s3__reaches_firmware",
     .cmd = 11,
     .era = S3,
     .fmt = CONFIG_FMT,
     .v = {0x1234, 3},
     .log = {F_SNP_CONFIG}},
    {.name = "snp_set_config__s1_down_null_read_only__einval_first",
     .cmd = 11,
     .era = S1,
     .snp = DOWN,
     .ro = true,
     .data = NIL,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "snp_set_config__s1_down_read_only__einval_first",
     .cmd = 11,
     .era = S1,
     .snp = DOWN,
     .ro = true,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "snp_set_config__s1_null_read_only__einval_first",
     .cmd = 11,
     .era = S1,
     .ro = true,
     .data = NIL,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "snp_set_config__s1_read_only_unmapped__eperm_first",
     .cmd = 11,
     .era = S1,
     .ro = true,
     .data = BAD,
     .result = -EPERM,
     .error = KEEP},
    {.name = "snp_set_config__s1_unmapped__efault",
     .cmd = 11,
     .era = S1,
     .data = BAD,
     .result = -EFAULT,
     .error = KEEP},
    {.name = "snp_set_config__s2_null_read_only__einval_first",
     .cmd = 11,
     .era = S2,
     .ro = true,
     .data = NIL,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "snp_set_config__s2_down_read_only__eperm_without_init",
     .cmd = 11,
     .era = S2,
     .snp = DOWN,
     .legacy = UNINIT,
     .ro = true,
     .result = -EPERM,
     .error = KEEP},
    {.name = "snp_set_config__s2_down_unmapped__efault_without_init",
     .cmd = 11,
     .era = S2,
     .snp = DOWN,
     .legacy = UNINIT,
     .data = BAD,
     .result = -EFAULT,
     .error = KEEP},
    {.name = "snp_set_config__s2_down__up_and_down_again",
     .cmd = 11,
     .era = S2,
     .snp = DOWN,
     .legacy = UNINIT,
     .fmt = CONFIG_FMT,
     .v = {1, 0},
     .log = {F_SNP_INIT, F_SNP_FLUSH, F_SNP_CONFIG, F_SNP_SHUTDOWN}},
    {.name = "snp_set_config__s2_fails_after_init__down_again",
     .cmd = 11,
     .era = S2,
     .snp = DOWN,
     .legacy = UNINIT,
     .force = {{.command = F_SNP_CONFIG, .status = 0x16}},
     .result = -EIO,
     .error = 0x16,
     .log = {F_SNP_INIT, F_SNP_FLUSH, F_SNP_CONFIG, F_SNP_SHUTDOWN}},
    {.name = "snp_set_config__s2_flush_needed_at_the_end__flushed",
     .cmd = 11,
     .era = S2,
     .snp = DOWN,
     .legacy = UNINIT,
     .force = {{.command = F_SNP_SHUTDOWN, .status = 0xf, .count = 1}},
     .log = {F_SNP_INIT, F_SNP_FLUSH, F_SNP_CONFIG, F_SNP_SHUTDOWN, F_SNP_FLUSH,
             F_SNP_SHUTDOWN}},
    {.name = "snp_set_config__s3_null_read_only__einval_first",
     .cmd = 11,
     .era = S3,
     .snp = DOWN,
     .ro = true,
     .data = NIL,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "snp_set_config__s3_down_read_only__eperm_first",
     .cmd = 11,
     .era = S3,
     .snp = DOWN,
     .ro = true,
     .result = -EPERM,
     .error = KEEP},
    {.name = "snp_set_config__s3_down_unmapped__enodev_first",
     .cmd = 11,
     .era = S3,
     .snp = DOWN,
     .data = BAD,
     .result = -ENODEV,
     .error = KEEP},
    {.name = "snp_set_config__s3_down__enodev",
     .cmd = 11,
     .era = S3,
     .snp = DOWN,
     .result = -ENODEV,
     .error = KEEP},
    {.name = "snp_set_config__s3_unmapped__efault",
     .cmd = 11,
     .era = S3,
     .data = BAD,
     .result = -EFAULT,
     .error = KEEP},
    {.name = "snp_set_config__firmware_refuses__eio",
     .cmd = 11,
     .era = S3,
     .force = {{.command = F_SNP_CONFIG, .status = 0x16}},
     .result = -EIO,
     .error = 0x16,
     .log = {F_SNP_CONFIG}},
    {.name = "snp_set_config__read_only_memory__never_written",
     .cmd = 11,
     .era = S3,
     .data = RO,
     .log = {F_SNP_CONFIG}},

    /* --- 12 SNP_VLEK_LOAD --- */
    {.name = "vlek_load__s3__reaches_firmware",
     .cmd = 12,
     .era = S3,
     .fmt = VLEK_FMT,
     .v = {16, 0, 0, 0, 0, B0},
     .log = {F_SNP_VLEK}},
    {.name = "vlek_load__read_only_memory__never_written",
     .cmd = 12,
     .era = S3,
     .data = RO,
     .fmt = VLEK_FMT,
     .v = {16, 0, 0, 0, 0, B0},
     .log = {F_SNP_VLEK}},
    {.name = "vlek_load__null__einval",
     .cmd = 12,
     .era = S3,
     .ro = true,
     .data = NIL,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "vlek_load__read_only_file__eperm",
     .cmd = 12,
     .era = S3,
     .ro = true,
     .data = BAD,
     .result = -EPERM,
     .error = KEEP},
    {.name = "vlek_load__s3_down__enodev",
     .cmd = 12,
     .era = S3,
     .snp = DOWN,
     .data = BAD,
     .result = -ENODEV,
     .error = KEEP},
    {.name = "vlek_load__s1_down__einval",
     .cmd = 12,
     .era = S1,
     .snp = DOWN,
     .ro = true,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "vlek_load__unmapped_struct__efault",
     .cmd = 12,
     .era = S3,
     .data = BAD,
     .result = -EFAULT,
     .error = KEEP},
    {.name = "vlek_load__length_15__einval",
     .cmd = 12,
     .era = S3,
     .fmt = VLEK_FMT,
     .v = {15, 0, 0, 0, 0, B0},
     .result = -EINVAL,
     .error = KEEP},
    {.name = "vlek_load__length_17__einval",
     .cmd = 12,
     .era = S3,
     .fmt = VLEK_FMT,
     .v = {17, 0, 0, 0, 0, B0},
     .result = -EINVAL,
     .error = KEEP},
    {.name = "vlek_load__version_1__einval",
     .cmd = 12,
     .era = S3,
     .fmt = VLEK_FMT,
     .v = {16, 1, 0, 0, 0, B0},
     .result = -EINVAL,
     .error = KEEP},
    {.name = "vlek_load__reserved_bytes__left_to_firmware",
     .cmd = 12,
     .era = S3,
     .fmt = VLEK_FMT,
     .v = {16, 0, 1, 2, 3, B0},
     .log = {F_SNP_VLEK}},
    {.name = "vlek_load__address_0__einval",
     .cmd = 12,
     .era = S3,
     .fmt = VLEK_FMT,
     .v = {16, 0, 0, 0, 0, 0},
     .result = -EINVAL,
     .error = KEEP},
    {.name = "vlek_load__unmapped_blob__efault",
     .cmd = 12,
     .era = S3,
     .fmt = VLEK_FMT,
     .v = {16, 0, 0, 0, 0, BAD},
     .result = -EFAULT,
     .error = KEEP},
    {.name = "vlek_load__blob_ends_in_unmapped_memory__efault",
     .cmd = 12,
     .era = S3,
     .fmt = VLEK_FMT,
     .v = {16, 0, 0, 0, 0, B0 + 0x40f0 - 431},
     .result = -EFAULT,
     .error = KEEP},
    {.name = "vlek_load__s2_down_bad_blob__efault_without_init",
     .cmd = 12,
     .era = S2,
     .snp = DOWN,
     .legacy = UNINIT,
     .fmt = VLEK_FMT,
     .v = {16, 0, 0, 0, 0, BAD},
     .result = -EFAULT,
     .error = KEEP},
    {.name = "vlek_load__s2_down__up_and_down_again",
     .cmd = 12,
     .era = S2,
     .snp = DOWN,
     .legacy = UNINIT,
     .fmt = VLEK_FMT,
     .v = {16, 0, 0, 0, 0, B0},
     .log = {F_SNP_INIT, F_SNP_FLUSH, F_SNP_VLEK, F_SNP_SHUTDOWN}},
    {.name = "vlek_load__firmware_refuses__eio",
     .cmd = 12,
     .era = S3,
     .force = {{.command = F_SNP_VLEK, .status = 0x0b}},
     .fmt = VLEK_FMT,
     .v = {16, 0, 0, 0, 0, B0},
     .result = -EIO,
     .error = 0x0b,
     .log = {F_SNP_VLEK}},

    /* --- numbers that an ABI does not have: EINVAL --- */
    {.name = "mainline__13__einval",
     .cmd = 13,
     .era = S3,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "mainline__14__einval",
     .cmd = 14,
     .era = S3,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "mainline__all_ones__einval",
     .cmd = UINT32_MAX,
     .era = S3,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "mainline__256__einval",
     .cmd = 256,
     .era = S3,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "mainline_l__9__einval",
     .cmd = 9,
     .era = L,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "mainline_l__10__einval",
     .cmd = 10,
     .era = L,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "mainline_l__12__einval",
     .cmd = 12,
     .era = L,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "aeb2022__10__status",
     .cmd = 10,
     .era = S3,
     .abi = CCP_ABI_AEB2022,
     .blob = {{U, 0, 32, 0}},
     .log = {F_SNP_STATUS}},
    {.name = "strict_aeb2022__10__einval",
     .cmd = 10,
     .era = S3,
     .strict = true,
     .abi = CCP_ABI_AEB2022,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "aeb2022__11__einval",
     .cmd = 11,
     .era = S3,
     .abi = CCP_ABI_AEB2022,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "aeb2022__12__einval",
     .cmd = 12,
     .era = S3,
     .abi = CCP_ABI_AEB2022,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "amdese_rfc__9__status",
     .cmd = 9,
     .era = L,
     .abi = CCP_ABI_AMDESE_RFC,
     .blob = {{U, 0, 32, 0}},
     .log = {F_SNP_STATUS}},
    {.name = "amdese_rfc__9_and_snp_down__einval_as_s1",
     .cmd = 9,
     .era = L,
     .snp = DOWN,
     .abi = CCP_ABI_AMDESE_RFC,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "amdese_rfc__12__einval",
     .cmd = 12,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "amdese_6_6__10__commit",
     .cmd = 10,
     .era = S1,
     .abi = CCP_ABI_AMDESE_6_6,
     .log = {F_SNP_COMMIT}},
    {.name = "amdese_6_6__11__set_config",
     .cmd = 11,
     .era = S1,
     .abi = CCP_ABI_AMDESE_6_6,
     .log = {F_SNP_CONFIG}},
    {.name = "amdese_6_6__12__first_transaction",
     .cmd = 12,
     .era = S1,
     .abi = CCP_ABI_AMDESE_6_6,
     .error = KEEP,
     .back = true,
     .ofmt = "8",
     .o = {1}},
    {.name = "amdese_6_6__13__no_transaction_yet",
     .cmd = 13,
     .era = S1,
     .abi = CCP_ABI_AMDESE_6_6,
     .error = KEEP,
     .back = true,
     .ofmt = "8",
     .o = {0}},
    {.name = "amdese_6_6__12_and_snp_down__einval",
     .cmd = 12,
     .era = S1,
     .snp = DOWN,
     .ro = true,
     .abi = CCP_ABI_AMDESE_6_6,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "amdese_6_6__12_null__einval",
     .cmd = 12,
     .era = S1,
     .ro = true,
     .data = NIL,
     .abi = CCP_ABI_AMDESE_6_6,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "amdese_6_6__12_read_only_file__eperm",
     .cmd = 12,
     .era = S1,
     .ro = true,
     .data = BAD,
     .abi = CCP_ABI_AMDESE_6_6,
     .result = -EPERM,
     .error = KEEP},
    {.name = "amdese_6_6__12_unmapped__efault",
     .cmd = 12,
     .era = S1,
     .data = BAD,
     .abi = CCP_ABI_AMDESE_6_6,
     .result = -EFAULT,
     .error = KEEP},
    {.name = "amdese_6_6__14__einval",
     .cmd = 14,
     .era = S1,
     .abi = CCP_ABI_AMDESE_6_6,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "rfc2021a__9__einval",
     .cmd = 9,
     .era = S1,
     .abi = CCP_ABI_RFC2021A,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "rfc2021a__256__status",
     .cmd = 256,
     .era = S1,
     .abi = CCP_ABI_RFC2021A,
     .blob = {{U, 0, 32, 0}},
     .log = {F_SNP_STATUS}},
    {.name = "rfc2021a__257__set_ext_config",
     .cmd = 257,
     .era = S1,
     .abi = CCP_ABI_RFC2021A,
     .fmt = EXT_FMT,
     .v = {B0, 0, 0},
     .log = {F_SNP_CONFIG}},
    {.name = "rfc2021a__258__get_ext_config",
     .cmd = 258,
     .era = S1,
     .abi = CCP_ABI_RFC2021A,
     .fmt = EXT_FMT,
     .v = {0, 0, 0},
     .error = KEEP,
     .back = true},
    {.name = "rfc2021a__259__einval",
     .cmd = 259,
     .era = S1,
     .abi = CCP_ABI_RFC2021A,
     .result = -EINVAL,
     .error = KEEP},

    /* --- SNP_SET_EXT_CONFIG --- */
    {.name = "set_ext__snp_down__einval",
     .cmd = 10,
     .era = S1,
     .snp = DOWN,
     .ro = true,
     .abi = CCP_ABI_AMDESE_RFC,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "set_ext__s3_and_snp_down__einval_too",
     .cmd = 10,
     .era = S3,
     .snp = DOWN,
     .abi = CCP_ABI_AMDESE_RFC,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "set_ext__null__einval",
     .cmd = 10,
     .era = S1,
     .ro = true,
     .data = NIL,
     .abi = CCP_ABI_AMDESE_RFC,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "set_ext__read_only_file__eperm",
     .cmd = 10,
     .era = S1,
     .ro = true,
     .data = BAD,
     .abi = CCP_ABI_AMDESE_RFC,
     .result = -EPERM,
     .error = KEEP},
    {.name = "set_ext__unmapped_struct__efault",
     .cmd = 10,
     .era = S1,
     .data = BAD,
     .abi = CCP_ABI_AMDESE_RFC,
     .result = -EFAULT,
     .error = KEEP},
    {.name = "set_ext__certs_length_0__einval",
     .cmd = 10,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {0, B0, 0},
     .result = -EINVAL,
     .error = KEEP},
    {.name = "set_ext__certs_length_4095__einval",
     .cmd = 10,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {0, B0, 4095},
     .result = -EINVAL,
     .error = KEEP},
    {.name = "set_ext__certs_length_20480__einval",
     .cmd = 10,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {0, B0, 20480},
     .result = -EINVAL,
     .error = KEEP},
    {.name = "set_ext__certs_length_16384__stored",
     .cmd = 10,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {0, B0, 16384},
     .error = KEEP},
    {.name = "set_ext__unmapped_certs__efault_before_firmware",
     .cmd = 10,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {B1, BAD, 4096},
     .result = -EFAULT,
     .error = KEEP},
    {.name = "set_ext__unmapped_config__efault_before_firmware",
     .cmd = 10,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {BAD, B0, 4096},
     .result = -EFAULT,
     .error = KEEP},
    {.name = "set_ext__config_only__reaches_firmware",
     .cmd = 10,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {B1, 0, 77},
     .log = {F_SNP_CONFIG}},
    {.name = "set_ext__nothing__no_firmware_call",
     .cmd = 10,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {0, 0, 0},
     .error = KEEP},
    {.name = "set_ext__firmware_refuses__eio",
     .cmd = 10,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .force = {{.command = F_SNP_CONFIG, .status = 0x16}},
     .fmt = EXT_FMT,
     .v = {B1, B0, 4096},
     .result = -EIO,
     .error = 0x16,
     .log = {F_SNP_CONFIG}},

    /* --- SNP_GET_EXT_CONFIG --- */
    {.name = "get_ext__snp_down__einval",
     .cmd = 11,
     .era = S1,
     .snp = DOWN,
     .abi = CCP_ABI_AMDESE_RFC,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "get_ext__null__einval",
     .cmd = 11,
     .era = S1,
     .data = NIL,
     .abi = CCP_ABI_AMDESE_RFC,
     .result = -EINVAL,
     .error = KEEP},
    {.name = "get_ext__unmapped_struct__efault",
     .cmd = 11,
     .era = S1,
     .data = BAD,
     .abi = CCP_ABI_AMDESE_RFC,
     .result = -EFAULT,
     .error = KEEP},
    {.name = "get_ext__nothing_stored__struct_back_on_read_only_file",
     .cmd = 11,
     .era = S1,
     .ro = true,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {0, B0, 4096},
     .error = KEEP,
     .back = true,
     .o = {0, B0, 4096}},
    {.name = "get_ext__nothing_stored__config_is_zero",
     .cmd = 11,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {B1, 0, 0},
     .error = KEEP,
     .back = true,
     .o = {B1, 0, 0},
     .blob = {{B1, 0, 0, 64}}},
    {.name = "get_ext__unmapped_config__efault",
     .cmd = 11,
     .era = S1,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {BAD, 0, 0},
     .result = -EFAULT,
     .error = KEEP},
    {.name = "get_ext__read_only_struct__efault",
     .cmd = 11,
     .era = S1,
     .data = RO,
     .abi = CCP_ABI_AMDESE_RFC,
     .fmt = EXT_FMT,
     .v = {0, 0, 0},
     .result = -EFAULT,
     .error = KEEP},
};

/* --- sequences --- */

struct certs_seen {
    unsigned int calls;
    uint8_t first;
    size_t size;
    int paused;
};

static void on_certs(void *ctx, const uint8_t *certs, size_t size)
{
    struct certs_seen *seen = ctx;

    seen->calls++;
    seen->first = certs == NULL ? 0 : certs[0];
    seen->size = size;
}

static void on_pause(void *ctx, bool paused)
{
    struct certs_seen *seen = ctx;

    seen->paused = paused;
}

struct fixture {
    struct fake_psp *f;
    struct ccp_dev *dev;
    struct chardev chardev;
    struct fake_user u;
    struct certs_seen seen;
};

static void start(struct fixture *x, enum ccp_era era, enum ccp_abi abi,
                  bool retry)
{
    struct ccp_config config;

    *x = (struct fixture){.seen = {.paused = -1}};
    x->f = fake_psp_new();
    x->f->snp_up = true;
    ccp_config_default(&config);
    config.era = era;
    config.abi = abi;
    config.start_uninit = true;
    config.strict = true;
    config.certs_changed = on_certs;
    config.requests_paused = on_pause;
    config.ctx = &x->seen;
    assert_int_equal(ccp_probe_port(&x->f->port, psp_profile_by_name("milan"),
                                    &config, &x->dev),
                     0);
    fake_psp_clear_log(x->f);
    x->chardev = ccp_chardev(x->dev);
    row_map(&x->u, retry);
}

static void stop(struct fixture *x)
{
    fake_user_check(&x->u);
    fake_user_clear(&x->u);
    ccp_remove(x->dev);
    fake_psp_free(x->f);
}

/* In retry mode each ioctl has plans of its own. */
static int64_t issue(struct fixture *x, uint32_t cmd, const char *fmt,
                     const uint64_t *v)
{
    uint8_t bytes[64];

    row_envelope(bytes, cmd, U, KEEP);
    fake_user_put(&x->u, ENVELOPE, bytes, 16);
    fake_user_put(&x->u, U, bytes, row_pack(fmt, v, bytes));
    fake_user_forget(&x->u);
    return fake_user_ioctl(&x->u, &x->chardev, true, 0xc0105300u, ENVELOPE);
}

static void expect_ext(struct fixture *x, uint64_t config, uint64_t certs,
                       uint32_t len)
{
    const uint64_t v[] = {config, certs, len};
    uint8_t bytes[64];

    fake_user_expect(&x->u, U, bytes, row_pack(EXT_FMT, v, bytes));
}

static void ext_walk(bool retry)
{
    const uint64_t set[] = {B1, B0, 0x2000};
    const uint64_t small[] = {0, RO, 0x1000};
    const uint64_t get[] = {B1 + 0x1000, B1 + 0x2000, 0x2000};
    const uint64_t none[] = {0, 0, 0};
    struct fixture x;
    uint8_t certs[0x2000];
    uint8_t envelope[16];

    start(&x, CCP_ERA_S1, CCP_ABI_AMDESE_RFC, retry);
    memset(certs, 0xcc, sizeof(certs));
    fake_user_put(&x.u, B0, certs, sizeof(certs));

    assert_int_equal(issue(&x, 10, EXT_FMT, set), 0);
    row_envelope(envelope, 10, U, 0);
    fake_user_expect(&x.u, ENVELOPE, envelope, 16);
    assert_int_equal(x.seen.calls, 1);
    assert_int_equal(x.seen.first, 0xcc);
    assert_int_equal(x.seen.size, 0x2000);
    assert_memory_equal(x.f->last, fake_user_at(&x.u, B1, 64), 64);

    /* Too small: the length needed, and nothing at the address. */
    assert_int_equal(issue(&x, 11, EXT_FMT, small), -ENOSR);
    expect_ext(&x, 0, RO, 0x2000);
    fake_user_check(&x.u);

    assert_int_equal(issue(&x, 11, EXT_FMT, get), 0);
    fake_user_expect(&x.u, B1 + 0x1000, fake_user_at(&x.u, B1, 64), 64);
    fake_user_expect(&x.u, B1 + 0x2000, certs, sizeof(certs));
    fake_user_check(&x.u);

    /* No certificates named: the stored ones are dropped. */
    assert_int_equal(issue(&x, 10, EXT_FMT, none), 0);
    assert_int_equal(x.seen.calls, 2);
    assert_int_equal(x.seen.size, 0);
    assert_int_equal(issue(&x, 11, EXT_FMT, small), 0);
    fake_psp_expect(x.f, (const uint32_t[]){F_SNP_CONFIG, 0});
    stop(&x);
}

static void test_ext_walk(void **state)
{
    (void)state;
    ext_walk(false);
}

static void test_ext_walk_by_retry(void **state)
{
    (void)state;
    ext_walk(true);
}

static void test_ext_longer_buffer_keeps_length(void **state)
{
    const uint64_t set[] = {0, B0, 0x1000};
    const uint64_t get[] = {0, B1, 0x3000};
    struct fixture x;

    (void)state;
    start(&x, CCP_ERA_S1, CCP_ABI_AMDESE_RFC, true);
    assert_int_equal(issue(&x, 10, EXT_FMT, set), 0);
    assert_int_equal(issue(&x, 11, EXT_FMT, get), 0);
    fake_user_expect(&x.u, B1, fake_user_at(&x.u, B0, 0x1000), 0x1000);
    stop(&x);
}

static void test_ext_refused_config_keeps_certs(void **state)
{
    const uint64_t set[] = {0, B0, 0x1000};
    const uint64_t bad[] = {B1, B0, 0x2000};
    const uint64_t get[] = {B1, B1 + 0x1000, 0x1000};
    struct fixture x;
    uint8_t envelope[16];
    const uint8_t zero[64] = {0};

    (void)state;
    start(&x, CCP_ERA_S1, CCP_ABI_AMDESE_RFC, false);
    assert_int_equal(issue(&x, 10, EXT_FMT, set), 0);
    fake_psp_answer(x.f, F_SNP_CONFIG, 0x16, 1);
    assert_int_equal(issue(&x, 10, EXT_FMT, bad), -EIO);
    row_envelope(envelope, 10, U, 0x16);
    fake_user_expect(&x.u, ENVELOPE, envelope, 16);
    fake_user_check(&x.u);
    assert_int_equal(x.seen.calls, 1);
    assert_int_equal(issue(&x, 11, EXT_FMT, get), 0);
    fake_user_expect(&x.u, B1, zero, sizeof(zero));
    fake_user_expect(&x.u, B1 + 0x1000, fake_user_at(&x.u, B0, 0x1000), 0x1000);
    stop(&x);
}

static void test_snp_shutdown_drops_certs(void **state)
{
    const uint64_t set[] = {0, B0, 0x1000};
    struct fixture x;

    (void)state;
    start(&x, CCP_ERA_S3, CCP_ABI_AMDESE_RFC, false);
    assert_int_equal(issue(&x, 10, EXT_FMT, set), 0);
    assert_int_equal(x.seen.size, 0x1000);
    /* strict, S3: an implicit INIT ends with SNP_SHUTDOWN_EX */
    assert_int_equal(issue(&x, 2, NULL, NULL), 0);
    assert_false(x.f->snp_up);
    assert_int_equal(x.seen.calls, 2);
    assert_int_equal(x.seen.size, 0);
    fake_user_clear(&x.u);
    ccp_remove(x.dev);
    fake_psp_free(x.f);
}

static void test_transactions(void **state)
{
    struct fixture x;
    uint8_t id[8] = {1};

    (void)state;
    start(&x, CCP_ERA_S1, CCP_ABI_AMDESE_6_6, true);
    assert_int_equal(issue(&x, 12, NULL, NULL), 0);
    assert_int_equal(x.seen.paused, 1);
    fake_user_expect(&x.u, U, id, sizeof(id));
    fake_user_check(&x.u);
    assert_int_equal(issue(&x, 13, NULL, NULL), 0);
    assert_int_equal(x.seen.paused, 0);
    fake_user_check(&x.u);
    assert_int_equal(issue(&x, 12, NULL, NULL), 0);
    id[0] = 2;
    fake_user_expect(&x.u, U, id, sizeof(id));
    assert_int_equal(x.f->log_count, 0);
    stop(&x);
}

static void test_config_is_passed_unmodified(void **state)
{
    struct fixture x;

    (void)state;
    start(&x, CCP_ERA_S3, CCP_ABI_MAINLINE, false);
    fake_user_put(&x.u, U, fake_user_at(&x.u, B0, 64), 64);
    assert_int_equal(issue(&x, 11, NULL, NULL), 0);
    assert_int_equal(x.f->last_size, 64);
    assert_memory_equal(x.f->last, fake_user_at(&x.u, B0, 64), 64);
    fake_user_clear(&x.u);
    ccp_remove(x.dev);
    fake_psp_free(x.f);
}

static void test_vlek_bytes(void **state)
{
    const uint64_t v[] = {16, 0, 9, 8, 7, B0 + 3};
    struct fixture x;

    (void)state;
    start(&x, CCP_ERA_S3, CCP_ABI_MAINLINE, false);
    assert_int_equal(issue(&x, 12, VLEK_FMT, v), 0);
    assert_int_equal(x.f->last_size, 16);
    assert_hex_equal(x.f->last, "1000000000090807", 8);
    assert_int_equal(x.f->seen_size[0], 432);
    assert_memory_equal(x.f->seen[0], fake_user_at(&x.u, B0 + 3, 432), 432);
    fake_user_clear(&x.u);
    ccp_remove(x.dev);
    fake_psp_free(x.f);
}

static void test_commit_length_word(void **state)
{
    struct fixture x;

    (void)state;
    start(&x, CCP_ERA_S3, CCP_ABI_MAINLINE, false);
    assert_int_equal(issue(&x, 10, NULL, NULL), 0);
    assert_int_equal(x.f->last_size, 4);
    assert_hex_equal(x.f->last, "04000000", 4);
    fake_user_clear(&x.u);
    ccp_remove(x.dev);
    fake_psp_free(x.f);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        {"ext_config__set_get_drop", test_ext_walk, NULL, NULL, NULL},
        {"ext_config__set_get_drop__by_retry", test_ext_walk_by_retry, NULL,
         NULL, NULL},
        {"get_ext__longer_buffer__length_not_shortened",
         test_ext_longer_buffer_keeps_length, NULL, NULL, NULL},
        {"set_ext__firmware_refuses__certs_and_config_kept",
         test_ext_refused_config_keeps_certs, NULL, NULL, NULL},
        {"snp_shutdown__stored_certs__dropped", test_snp_shutdown_drops_certs,
         NULL, NULL, NULL},
        {"set_config_start_end__ids_count_starts", test_transactions, NULL,
         NULL, NULL},
        {"snp_set_config__reserved_bits__passed_unmodified",
         test_config_is_passed_unmodified, NULL, NULL, NULL},
        {"vlek_load__blob_and_reserved_bytes__reach_the_firmware",
         test_vlek_bytes, NULL, NULL, NULL},
        {"snp_commit__command_buffer__holds_its_length",
         test_commit_length_word, NULL, NULL, NULL},
    };

    return rows_run("ccp_snp", ROWS, sizeof(ROWS) / sizeof(ROWS[0]), more,
                    sizeof(more) / sizeof(more[0]));
}
