/* SPDX-License-Identifier: Apache-2.0 */
/* The command table of abi/sev.md §1.1, in ascending order of id. */
#include "sev_internal.h"

#define P(state) (1u << SEV_PLATFORM_##state)
#define P_UP     (P(INIT) | P(WORKING))
#define P_ANY    (P(UNINIT) | P_UP)
#define G(state) (1u << SEV_GUEST_##state)
#define G_ANY                                                                  \
    (G(LUPDATE) | G(LSECRET) | G(RUNNING) | G(SUPDATE) | G(RUPDATE) | G(SENT))

#define API(major, minor) ((major) << 8 | (minor))

/* Commands without HANDLE. */
#define PLATFORM(name_, size, wb, states, ...)                                 \
    {                                                                          \
        .id = SEV_CMD_##name_, .name = #name_, .buffer_size = (size),          \
        .handle_offset = SEV_NO_HANDLE, .write_back = SEV_WRITE_##wb,          \
        .platform_states = (states), __VA_ARGS__                               \
    }
/* Commands on a guest; HANDLE comes first but in ACTIVATE_EX. */
#define GUEST(name_, size, wb, states, ...)                                    \
    {                                                                          \
        .id = SEV_CMD_##name_, .name = #name_, .buffer_size = (size),          \
        .write_back = SEV_WRITE_##wb, .platform_states = P(WORKING),           \
        .guest_states = (states), __VA_ARGS__                                  \
    }

static const struct sev_command TABLE[] = {
    PLATFORM(INIT, SEV_CMD_INIT_SIZE, NEVER, P(UNINIT), .run = sev_run_init),
    PLATFORM(SHUTDOWN, 0, NEVER, P_ANY, .run = sev_run_shutdown),
    PLATFORM(PLATFORM_RESET, 0, NEVER, P(UNINIT),
             .run = sev_run_platform_reset),
    PLATFORM(PLATFORM_STATUS, SEV_CMD_STATUS_SIZE, SUCCESS, P_ANY,
             .run = sev_run_platform_status),
    PLATFORM(PEK_GEN, 0, NEVER, P(INIT), .run = sev_run_pek_gen),
    PLATFORM(PEK_CSR, SEV_CMD_BLOB_SIZE, LENGTH, P_UP, .run = sev_run_pek_csr),
    PLATFORM(PEK_CERT_IMPORT, SEV_CMD_CERTS_SIZE, NEVER, P(INIT),
             .run = sev_run_pek_cert_import),
    PLATFORM(PDH_CERT_EXPORT, SEV_CMD_CERTS_SIZE, LENGTH, P_UP,
             .run = sev_run_pdh_cert_export),
    PLATFORM(PDH_GEN, 0, NEVER, P_UP, .run = sev_run_pdh_gen),
    PLATFORM(DF_FLUSH, 0, NEVER, P_UP, .run = sev_run_df_flush),
    PLATFORM(DOWNLOAD_FIRMWARE, SEV_CMD_BLOB_SIZE, NEVER, P(UNINIT),
             .min_api = API(0, 15), .shape = sev_shape_download_firmware,
             .run = sev_run_download_firmware),
    PLATFORM(GET_ID, SEV_CMD_BLOB_SIZE, LENGTH, P_ANY, .min_api = API(0, 16),
             .run = sev_run_get_id),
    PLATFORM(INIT_EX, SEV_CMD_INIT_EX_SIZE, NEVER, P(UNINIT),
             .run = sev_run_init_ex),
    PLATFORM(NOP, 0, NEVER, P_ANY, .run = sev_run_nop),
    PLATFORM(RING_BUFFER, SEV_CMD_RING_BUFFER_SIZE, NEVER, P_UP, .or_snp = true,
             .run = sev_run_ring_buffer),

    GUEST(DECOMMISSION, SEV_CMD_HANDLE_SIZE, NEVER, G_ANY,
          .run = sev_run_decommission),
    GUEST(ACTIVATE, SEV_CMD_ACTIVATE_SIZE, NEVER, G_ANY & ~G(SENT),
          .arguments = sev_args_activate, .run = sev_run_activate),
    GUEST(DEACTIVATE, SEV_CMD_HANDLE_SIZE, NEVER, G_ANY,
          .run = sev_run_deactivate),
    PLATFORM(GUEST_STATUS, SEV_CMD_GUEST_STATUS_SIZE, SUCCESS, P_UP,
             .run = sev_run_guest_status),
    GUEST(COPY, SEV_CMD_COPY_SIZE, NEVER, G_ANY, .run = sev_run_copy),
    GUEST(ACTIVATE_EX, SEV_CMD_ACTIVATE_EX_SIZE, NEVER, G_ANY & ~G(SENT),
          .handle_offset = 4, .shape = sev_shape_activate_ex,
          .arguments = sev_args_activate_ex, .run = sev_run_activate_ex),

    PLATFORM(LAUNCH_START, SEV_CMD_START_SIZE, SUCCESS, P_UP,
             .run = sev_run_launch_start, .undo = sev_undo_start),
    GUEST(LAUNCH_UPDATE_DATA, SEV_CMD_RANGE_SIZE, NEVER, G(LUPDATE),
          .run = sev_run_launch_update_data),
    GUEST(LAUNCH_UPDATE_VMSA, SEV_CMD_RANGE_SIZE, NEVER, G(LUPDATE),
          .first = sev_first_launch_update_vmsa,
          .run = sev_run_launch_update_vmsa),
    GUEST(LAUNCH_MEASURE, SEV_CMD_RANGE_SIZE, LENGTH, G(LUPDATE),
          .run = sev_run_launch_measure),
    GUEST(LAUNCH_SECRET, SEV_CMD_TRANSPORT_SIZE, NEVER, G(LSECRET),
          .arguments = sev_args_launch_secret, .run = sev_run_launch_secret),
    GUEST(LAUNCH_FINISH, SEV_CMD_HANDLE_SIZE, NEVER, G(LSECRET),
          .run = sev_run_launch_finish),
    GUEST(ATTESTATION, SEV_CMD_ATTESTATION_SIZE, LENGTH,
          G(LSECRET) | G(RUNNING) | G(SUPDATE) | G(SENT), .min_api = API(0, 23),
          .run = sev_run_attestation),

    GUEST(SEND_START, SEV_CMD_SEND_START_SIZE, LENGTH, G(RUNNING),
          .arguments = sev_args_send_start, .run = sev_run_send_start,
          .undo = sev_run_send_cancel),
    GUEST(SEND_UPDATE_DATA, SEV_CMD_TRANSPORT_SIZE, LENGTH, G(SUPDATE),
          .shape = sev_shape_send_update, .run = sev_run_send_update_data),
    GUEST(SEND_UPDATE_VMSA, SEV_CMD_TRANSPORT_SIZE, LENGTH, G(SUPDATE),
          .shape = sev_shape_send_update, .run = sev_run_send_update_vmsa),
    GUEST(SEND_FINISH, SEV_CMD_HANDLE_SIZE, NEVER, G(SUPDATE),
          .run = sev_run_send_finish),
    GUEST(SEND_CANCEL, SEV_CMD_HANDLE_SIZE, NEVER, G(SUPDATE),
          .run = sev_run_send_cancel),

    PLATFORM(RECEIVE_START, SEV_CMD_START_SIZE, SUCCESS, P_UP,
             .run = sev_run_receive_start, .undo = sev_undo_start),
    GUEST(RECEIVE_UPDATE_DATA, SEV_CMD_TRANSPORT_SIZE, NEVER, G(RUPDATE),
          .run = sev_run_receive_update_data),
    GUEST(RECEIVE_UPDATE_VMSA, SEV_CMD_TRANSPORT_SIZE, NEVER, G(RUPDATE),
          .run = sev_run_receive_update_vmsa),
    GUEST(RECEIVE_FINISH, SEV_CMD_HANDLE_SIZE, NEVER, G(RUPDATE),
          .run = sev_run_receive_finish),

    GUEST(DBG_DECRYPT, SEV_CMD_DBG_SIZE, NEVER, G_ANY, .shape = sev_shape_dbg,
          .run = sev_run_dbg_decrypt),
    GUEST(DBG_ENCRYPT, SEV_CMD_DBG_SIZE, NEVER, G_ANY, .shape = sev_shape_dbg,
          .run = sev_run_dbg_encrypt),
    GUEST(SWAP_OUT, SEV_CMD_SWAP_OUT_SIZE, LENGTH, G_ANY,
          .shape = sev_shape_swap_out, .run = sev_run_swap_out),
    GUEST(SWAP_IN, SEV_CMD_SWAP_IN_SIZE, NEVER, G_ANY,
          .shape = sev_shape_swap_in, .run = sev_run_swap_in),
};

#define ROWS (sizeof(TABLE) / sizeof(TABLE[0]))

const struct sev_command *sev_command_at(size_t index)
{
    return index < ROWS ? &TABLE[index] : NULL;
}

const struct sev_command *sev_command(uint32_t id)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (TABLE[i].id == id) {
            return &TABLE[i];
        }
    }
    return NULL;
}
