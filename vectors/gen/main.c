/* SPDX-License-Identifier: Apache-2.0 */
/* usage: gen DIR: write every vector file. */
#include "gen.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: gen DIR\n");
        return 2;
    }
    gen_reports(argv[1]);
    gen_messages(argv[1]);
    gen_keys(argv[1]);
    gen_sev_certs(argv[1]);
    gen_sev_launches(argv[1]);
    gen_sev_commands(argv[1]);
    return 0;
}
