/* SPDX-License-Identifier: Apache-2.0 */
/* usage: devd cuse|cuse-force [MODE] | devd fuse DIRECTORY [MODE] |
 *        devd file FILE [MODE] | devd null [DELAY]
 * Serves sev-guest, sev-guest-certs and sev of a simulated machine, or only
 * sev-guest-certs over FILE, or by CUSE sev-null, which does nothing after
 * DELAY milliseconds a run, until SIGTERM, SIGINT or an unmount. Prints
 * "ready". MODE: octal permission bits. For tests. */
#include "cuse.h"
#include "fusedev.h"
#include "null_guest.h"
#include "sim_devices.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void gone(void *ctx)
{
    (void)ctx;
    kill(getpid(), SIGTERM);
}

static void serve(void)
{
    sigset_t set;
    int sig;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    puts("ready");
    fflush(stdout);
    sigwait(&set, &sig);
}

#define CUSE_NODES 3u

static int serve_nodes(const struct cuse_config *config, size_t count)
{
    struct cuse *cuse[CUSE_NODES] = {0};
    char error[CUSE_ERROR_SIZE];
    int err = 0;

    for (size_t i = 0; i < count && err == 0; i++) {
        err = cuse_start(&config[i], &cuse[i], error);
    }
    if (err == 0) {
        serve();
    } else {
        fprintf(stderr, "devd: %s\n", error);
    }
    for (size_t i = 0; i < count; i++) {
        cuse_stop(cuse[i]);
    }
    return err != 0;
}

static int serve_cuse(const struct sim_devices *d, bool force, uint32_t mode)
{
    const struct cuse_config config[CUSE_NODES] = {
        {.dev = d->guest, .mode = mode, .force = force, .gone = gone},
        {.dev = d->guest_certs,
         .name = "sev-guest-certs",
         .mode = mode,
         .force = force},
        {.dev = d->sev, .mode = mode, .force = force},
    };

    return serve_nodes(config, CUSE_NODES);
}

static int serve_null(unsigned int delay_ms)
{
    struct null_guest null = {.delay_ms = delay_ms};
    const struct cuse_config config = {
        .dev = null_guest_chardev(&null), .mode = 0600, .gone = gone};

    return serve_nodes(&config, 1);
}

static int serve_fuse(const struct sim_devices *d, const char *path, bool file,
                      uint32_t mode)
{
    const struct fusedev_node nodes[] = {
        {.name = "sev-guest-certs", .dev = d->guest_certs, .mode = mode},
        {.name = "sev-guest", .dev = d->guest, .mode = mode},
        {.name = "sev", .dev = d->sev, .mode = mode},
    };
    const struct fusedev_config config = {
        .path = path,
        .file = file,
        .nodes = nodes,
        .node_count = file ? 1 : 3,
        .gone = gone,
    };
    struct fusedev *fd;
    char error[FUSEDEV_ERROR_SIZE];

    if (fusedev_start(&config, &fd, error) != 0) {
        fprintf(stderr, "devd: %s\n", error);
        return 1;
    }
    serve();
    fusedev_stop(fd);
    return 0;
}

static int run(const struct sim_devices *d, int argc, char **argv)
{
    const bool force = argc >= 2 && strcmp(argv[1], "cuse-force") == 0;
    const bool cuse = force || (argc >= 2 && strcmp(argv[1], "cuse") == 0);
    const int at = cuse ? 2 : 3;
    uint32_t mode = 0600;

    if (argc > at) {
        mode = (uint32_t)strtoul(argv[at], NULL, 8);
    }
    if (cuse) {
        return serve_cuse(d, force, mode);
    }
    if (argc >= 3 && strcmp(argv[1], "fuse") == 0) {
        return serve_fuse(d, argv[2], false, mode);
    }
    if (argc >= 3 && strcmp(argv[1], "file") == 0) {
        return serve_fuse(d, argv[2], true, mode);
    }
    fprintf(stderr,
            "usage: devd cuse|cuse-force [MODE] | devd fuse DIRECTORY [MODE] | "
            "devd file FILE [MODE] | devd null [DELAY]\n");
    return 64;
}

int main(int argc, char **argv)
{
    struct sim_devices d;
    sigset_t set;
    int status = 1;

    /* Before any thread exists: they all leave these to serve(). */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (argc >= 2 && strcmp(argv[1], "null") == 0) {
        return serve_null(argc > 2 ? (unsigned int)atoi(argv[2]) : 0);
    }
    if (sim_devices_open(&d, "milan") != 0) {
        fprintf(stderr, "devd: no machine\n");
    } else {
        status = run(&d, argc, argv);
    }
    sim_devices_close(&d);
    return status;
}
