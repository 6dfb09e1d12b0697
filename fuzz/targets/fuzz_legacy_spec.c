/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions of legacy guests: text from anyone, without file access. */
#include "fz.h"
#include "legacy_vm_spec.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct psp_profile *profile = psp_profile_by_name("milan");
    char error[SPEC_ERROR_SIZE];
    struct legacy_vm_spec spec;

    memset(error, 'x', sizeof(error));
    if (legacy_vm_spec_parse((const char *)data, size, NULL, profile, &spec,
                             error) != 0) {
        size_t length = strnlen(error, sizeof(error));

        fz_check(length > 0 && length < sizeof(error));
        fz_check(strchr(error, '\n') == NULL);
        return 0;
    }
    legacy_vm_spec_clear(&spec);
    return 0;
}
