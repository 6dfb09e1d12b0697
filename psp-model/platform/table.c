/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves' command tables as one: legacy identifiers come first. */
#include "psp_impl.h"

#define ANY_STATE 0x7u

static bool sev_info(const struct sev_command *row,
                     struct psp_command_info *info)
{
    if (row == NULL) {
        return false;
    }
    *info = (struct psp_command_info){
        .id = row->id,
        .name = row->name,
        .buffer_size = row->buffer_size,
        .platform_states =
            row->platform_states == 0 ? ANY_STATE : row->platform_states,
        .guest_states = row->guest_states,
    };
    return true;
}

static bool snp_info(const struct snp_command *row,
                     struct psp_command_info *info)
{
    if (row == NULL) {
        return false;
    }
    *info = row->info;
    return true;
}

bool psp_command_info(uint32_t command, struct psp_command_info *info)
{
    return snp_info(snp_command(command), info) ||
           sev_info(sev_command(command), info);
}

bool psp_command_at(size_t index, struct psp_command_info *info)
{
    size_t legacy = 0;

    while (sev_command_at(legacy) != NULL) {
        legacy++;
    }
    return index < legacy ? sev_info(sev_command_at(index), info)
                          : snp_info(snp_command_at(index - legacy), info);
}
