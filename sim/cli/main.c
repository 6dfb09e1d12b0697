/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command COMMANDS[] = {
    {"run", cmd_run, "run a program that sees the simulated devices"},
    {"certs", cmd_certs, "export the simulated platform's certificates"},
    {"kds", cmd_kds, "serve certificates as AMD's key server does"},
    {"aeb", cmd_aeb, "serve attestation evidence to guests"},
    {"aeb-get", cmd_aeb_get, "get evidence from a broker, as a guest does"},
    {"verify", cmd_verify, "judge an attestation report as a relying party"},
    {"decode", cmd_decode, "print any report, certificate or table"},
    {"is-simulated", cmd_is_simulated, "tell simulated artefacts from real"},
    {"serve", cmd_serve, "keep a platform running, with a control socket"},
    {"status", cmd_status, "show what a running platform is"},
    {"guest", cmd_guest, "launch, list, show and stop its guests"},
    {"faults", cmd_faults, "set, clear and show its fault plan"},
    {"trace", cmd_trace, "follow its ioctls and mailbox commands"},
    {"shutdown", cmd_shutdown, "end it"},
};

#define COMMAND_COUNT (sizeof(COMMANDS) / sizeof(COMMANDS[0]))

static void usage(FILE *out)
{
    fprintf(out, "usage: swpsp COMMAND [OPTION...]\n\n"
                 "A software AMD Secure Processor. Its evidence is simulated: "
                 "it proves nothing\nabout the machine it runs on.\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-14s%s\n", COMMANDS[i].name, COMMANDS[i].summary);
    }
    fprintf(out, "\n`swpsp COMMAND --help` lists a command's options; see also "
                 "swpsp(1).\n");
}

/* What the caller has closed must not become a file that we open: messages
 * would be written into the state. Unusable in the way that it is used, and
 * closed again for a program that we run. */
static bool hold_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", mode | O_CLOEXEC) != fd) {
            return false;
        }
    }
    return true;
}

/* What was printed has arrived, or it did not succeed. */
static int printed(int status)
{
    if (status != EXIT_USAGE && (fflush(stdout) != 0 || ferror(stdout))) {
        fprintf(stderr, "swpsp: standard output: %s\n",
                errno != 0 ? strerror(errno) : "cannot be written");
        return EXIT_USAGE;
    }
    return status;
}

static int run_command(const struct command *c, int argc, char **argv)
{
    char name[32];

    /* getopt_long() begins its complaints with it. */
    snprintf(name, sizeof(name), "swpsp %s", c->name);
    argv[0] = name;
    return c->run(argc, argv);
}

int main(int argc, char **argv)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    fprintf(stderr, "swpsp: this build signs with a known nonce, for fuzzers "
                    "only\n");
    return EXIT_USAGE;
#endif
    if (!hold_standard_files()) {
        return EXIT_USAGE; /* nobody would hear why */
    }
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return printed(EXIT_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("swpsp " SWPSP_VERSION);
        return printed(EXIT_OK);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], COMMANDS[i].name) == 0) {
            return printed(run_command(&COMMANDS[i], argc - 1, argv + 1));
        }
    }
    fprintf(stderr, "swpsp: no command '%s'; try 'swpsp --help'\n", argv[1]);
    return EXIT_USAGE;
}
