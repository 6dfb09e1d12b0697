/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_net.h"
#include "namespaces.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK;
    if (ioctl(fd, SIOCSIFFLAGS, &request) != 0) {
        err = -errno;
    }
    close(fd);
    return err;
}

static int enter(bool user)
{
    int err = namespaces_enter(CLONE_NEWNET, user);

    return err == 0 ? loopback_up() : err;
}

/* What enter() and its users will do, in a child that ends at once. */
static int rehearse(bool user)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        int err = enter(user);

        if (err == 0) {
            err = kds_net_cover("/etc/hosts", "/etc/hosts");
        }
        _exit(-err);
    }
    if (pid < 0) {
        return -errno;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int kds_net_enter(char *error)
{
    bool user = false;
    int err = rehearse(user);

    if (err != 0) {
        user = true;
        err = rehearse(user);
    }
    if (err == 0) {
        err = enter(user);
    }
    if (err != 0) {
        snprintf(error, KDS_NET_ERROR_SIZE, "no namespaces: %s",
                 strerror(-err));
    }
    return err;
}

int kds_net_cover(const char *source, const char *target)
{
    return mount(source, target, NULL, MS_BIND, NULL) == 0 ? 0 : -errno;
}
