/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "parse.h"
#include "verifier.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_SIZE 0x100000u

static const char HELP[] = "usage: swpsp is-simulated FILE...\n\n"
                           "Tell by its marker whether a report, certificate, "
                           "certificate table or CRL\n"
                           "is the simulator's. Exit status: 0 all are, 1 some "
                           "are not, 2 some cannot\n"
                           "be told or read.\n";

static int judge(const char *path)
{
    const char *why = NULL;
    size_t size = 0;
    uint8_t *data = parse_file(path, FILE_MAX_SIZE, &size);
    int answer;

    if (data == NULL) {
        fprintf(stderr, "swpsp is-simulated: %s: %s\n", path, strerror(errno));
        return EXIT_USAGE;
    }
    answer = verify_is_simulated(data, size, &why);
    free(data);
    switch (answer) {
    case 1:
        printf("%s: simulated (%s)\n", path, why);
        return EXIT_OK;
    case 0:
        printf("%s: not simulated\n", path);
        return EXIT_NEGATE;
    default:
        fprintf(stderr,
                "swpsp is-simulated: %s: cannot be told: unknown or damaged "
                "format, CHIP_ID masked, or legacy without ASK and ARK\n",
                path);
        return EXIT_USAGE;
    }
}

int cmd_is_simulated(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int status = EXIT_OK;
    int val;

    opterr = 0;
    optind = 1;
    while ((val = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (val != 'h') {
            fprintf(stderr, "swpsp is-simulated: %s: no such option\n",
                    argv[optind - 1]);
            return EXIT_USAGE;
        }
        fputs(HELP, stdout);
        return EXIT_OK;
    }
    if (optind == argc) {
        fprintf(stderr, "swpsp is-simulated: need at least one FILE\n");
        return EXIT_USAGE;
    }
    for (int i = optind; i < argc; i++) {
        int one = judge(argv[i]);

        status = one > status ? one : status;
    }
    return status;
}
