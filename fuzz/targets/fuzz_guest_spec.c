/* SPDX-License-Identifier: Apache-2.0 */
/* Guest descriptions: text from anyone, without file access. */
#include "fz.h"
#include "spec.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct psp_profile *profile = psp_profile_by_name("milan");
    char error[SPEC_ERROR_SIZE];
    struct vm_spec spec;

    memset(error, 'x', sizeof(error));
    if (vm_spec_parse((const char *)data, size, NULL, profile, &spec, error) !=
        0) {
        size_t length = strnlen(error, sizeof(error));

        fz_check(length > 0 && length < sizeof(error));
        fz_check(strchr(error, '\n') == NULL);
        return 0;
    }
    for (size_t i = 0; i < spec.page_count; i++) {
        fz_check(spec.pages[i].type >= 1 && spec.pages[i].type <= 6);
        fz_check(spec.pages[i].gpa % RMP_PAGE_SIZE == 0);
    }
    vm_spec_clear(&spec);
    return 0;
}
