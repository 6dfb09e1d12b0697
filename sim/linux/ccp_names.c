/* SPDX-License-Identifier: Apache-2.0 */
#include "ccp.h"

#include <string.h>

struct name {
    const char *text;
    int value;
};

/* The first spelling of a value is the one that is printed. */
static const struct name ERAS[] = {
    {"6.1", CCP_ERA_L},    {"6.10", CCP_ERA_S1},     {"6.16", CCP_ERA_S2},
    {"6.12s", CCP_ERA_S3}, {"6.12.117", CCP_ERA_S3}, {"7.0", CCP_ERA_S2},
    {"l", CCP_ERA_L},      {"s1", CCP_ERA_S1},       {"s2", CCP_ERA_S2},
    {"s3", CCP_ERA_S3},
};

static const struct name ABIS[] = {
    {"mainline", CCP_ABI_MAINLINE},     {"aeb2022", CCP_ABI_AEB2022},
    {"amdese-rfc", CCP_ABI_AMDESE_RFC}, {"amdese-6.6", CCP_ABI_AMDESE_6_6},
    {"rfc2021a", CCP_ABI_RFC2021A},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *text_of(const struct name *names, size_t count, int value)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].value == value) {
            return names[i].text;
        }
    }
    return "unknown";
}

static int value_of(const struct name *names, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i].text, text) == 0) {
            return names[i].value;
        }
    }
    return -1;
}

const char *ccp_era_name(enum ccp_era era)
{
    return text_of(ERAS, COUNT(ERAS), (int)era);
}

int ccp_era_by_name(const char *name)
{
    return value_of(ERAS, COUNT(ERAS), name);
}

const char *ccp_abi_name(enum ccp_abi abi)
{
    return text_of(ABIS, COUNT(ABIS), (int)abi);
}

int ccp_abi_by_name(const char *name)
{
    return value_of(ABIS, COUNT(ABIS), name);
}
