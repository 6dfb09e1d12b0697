/* SPDX-License-Identifier: Apache-2.0 */
#include "ccp_dev.h"

#define ABI(x) (1u << (x))
#define ABI_ALL                                                                \
    (ABI(CCP_ABI_MAINLINE) | ABI(CCP_ABI_AEB2022) | ABI(CCP_ABI_AMDESE_RFC) |  \
     ABI(CCP_ABI_AMDESE_6_6) | ABI(CCP_ABI_RFC2021A))
#define ABI_STATUS_AT_9                                                        \
    (ABI(CCP_ABI_MAINLINE) | ABI(CCP_ABI_AMDESE_RFC) | ABI(CCP_ABI_AMDESE_6_6))
#define ABI_COMMIT_AT_10 (ABI(CCP_ABI_MAINLINE) | ABI(CCP_ABI_AMDESE_6_6))

enum row_condition {
    ALWAYS,
    PLAIN,     /* unless auto_report */
    GUESS,     /* only with auto_report */
    FORGIVING, /* unless strict */
};

/* abi/linux.md §2.3 */
static const struct row {
    uint32_t number;
    unsigned int abis;
    enum row_condition when;
    const struct ccp_command *command;
} ROWS[] = {
    {0, ABI_ALL, ALWAYS, &CCP_CMD_FACTORY_RESET},
    {1, ABI_ALL, ALWAYS, &CCP_CMD_PLATFORM_STATUS},
    {2, ABI_ALL, ALWAYS, &CCP_CMD_PEK_GEN},
    {3, ABI_ALL, ALWAYS, &CCP_CMD_PEK_CSR},
    {4, ABI_ALL, ALWAYS, &CCP_CMD_PDH_GEN},
    {5, ABI_ALL, ALWAYS, &CCP_CMD_PDH_CERT_EXPORT},
    {6, ABI_ALL, ALWAYS, &CCP_CMD_PEK_CERT_IMPORT},
    {7, ABI_ALL, ALWAYS, &CCP_CMD_GET_ID},
    {8, ABI_ALL, ALWAYS, &CCP_CMD_GET_ID2},
    {9, ABI_STATUS_AT_9, PLAIN, &CCP_CMD_SNP_PLATFORM_STATUS},
    {9, ABI_STATUS_AT_9, GUESS, &CCP_CMD_SNP_STATUS_OR_REPORT},
    {9, ABI(CCP_ABI_AEB2022), ALWAYS, &CCP_CMD_GET_REPORT},
    {10, ABI_COMMIT_AT_10, ALWAYS, &CCP_CMD_SNP_COMMIT},
    {10, ABI(CCP_ABI_AEB2022), FORGIVING, &CCP_CMD_SNP_PLATFORM_STATUS},
    {10, ABI(CCP_ABI_AMDESE_RFC), ALWAYS, &CCP_CMD_SNP_SET_EXT_CONFIG},
    {11, ABI_COMMIT_AT_10, ALWAYS, &CCP_CMD_SNP_SET_CONFIG},
    {11, ABI(CCP_ABI_AMDESE_RFC), ALWAYS, &CCP_CMD_SNP_GET_EXT_CONFIG},
    {12, ABI(CCP_ABI_MAINLINE), ALWAYS, &CCP_CMD_SNP_VLEK_LOAD},
    {12, ABI(CCP_ABI_AMDESE_6_6), ALWAYS, &CCP_CMD_SNP_SET_CONFIG_START},
    {13, ABI(CCP_ABI_AMDESE_6_6), ALWAYS, &CCP_CMD_SNP_SET_CONFIG_END},
    {256, ABI(CCP_ABI_RFC2021A), ALWAYS, &CCP_CMD_SNP_PLATFORM_STATUS},
    {257, ABI(CCP_ABI_RFC2021A), ALWAYS, &CCP_CMD_SNP_SET_EXT_CONFIG},
    {258, ABI(CCP_ABI_RFC2021A), ALWAYS, &CCP_CMD_SNP_GET_EXT_CONFIG},
    {CCP_GET_REPORT_PRIVATE, ABI_ALL, ALWAYS, &CCP_CMD_GET_REPORT},
};

#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))

static bool condition_holds(const struct ccp_config *config,
                            enum row_condition when)
{
    switch (when) {
    case PLAIN:
        return !config->auto_report;
    case GUESS:
        return config->auto_report;
    case FORGIVING:
        return !config->strict;
    case ALWAYS:
        break;
    }
    return true;
}

/* The other ABIs belong to kernels that had SNP long before mainline did, so
 * only the mainline one loses its SNP numbers in era L. */
static bool in_era(const struct ccp_config *config, const struct row *row)
{
    return config->abi != CCP_ABI_MAINLINE || config->era != CCP_ERA_L ||
           row->number < CCP_SNP_PLATFORM_STATUS ||
           row->number == CCP_GET_REPORT_PRIVATE;
}

static bool serves(const struct ccp_config *config, const struct row *row)
{
    return (row->abis & ABI(config->abi)) != 0 &&
           condition_holds(config, row->when) && in_era(config, row);
}

const struct ccp_command *ccp_command_find(const struct ccp_config *config,
                                           uint32_t number)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (ROWS[i].number == number && serves(config, &ROWS[i])) {
            return ROWS[i].command;
        }
    }
    return NULL;
}

bool ccp_command_at(const struct ccp_config *config, size_t index,
                    const char **name, uint32_t *number)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (serves(config, &ROWS[i]) && index-- == 0) {
            *name = ROWS[i].command->name;
            *number = ROWS[i].number;
            return true;
        }
    }
    return false;
}
