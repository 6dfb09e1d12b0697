/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates of the platform: generation, export, ownership, what
 * survives which command. abi/sev.md §1.3, §4, §5. */
#include "sev_host.h"

static void chain__each_profile__verifies_elsewhere(void **state)
{
    const char *const *name = (const char *const *)state;
    struct sh *h = sh_new(*name, 1);
    char *dir = tst_mkdtemp();

    sh_up(h);
    sh_put_chain(h, dir);
    sh_oracle("chain", dir, NULL, NULL);
    tst_rmdir(dir);
    sh_free(h);
}

int main(void)
{
    static const char *const names[] = {"naples", "rome", "milan", "genoa",
                                        "turin"};
    struct CMUnitTest tests[5];

    for (size_t i = 0; i < 5; i++) {
        tests[i] =
            sh_row(names[i], chain__each_profile__verifies_elsewhere, names[i]);
    }
    return cmocka_run_group_tests_name("sev/owner", tests, NULL, NULL);
}
