/* SPDX-License-Identifier: Apache-2.0 */
/* usage: check_removed PID [DEVICE]
 * Asks for reports on an open file and ends the device's server (SIGTERM) while
 * other threads ask: every answer must be a report or an error that says that
 * the device is gone, and none may be missing. */
#include <linux/sev-guest.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define THREADS 3
#define PATIENT 60 /* seconds */

static int fd;

/* 0 or an errno. */
static int ask(void)
{
    struct snp_report_resp resp;
    struct snp_report_req req = {0};
    struct snp_guest_request_ioctl io = {
        .msg_version = 1,
        .req_data = (uint64_t)(uintptr_t)&req,
        .resp_data = (uint64_t)(uintptr_t)&resp,
    };

    return ioctl(fd, SNP_GET_REPORT, &io) == 0 ? 0 : errno;
}

static bool says_gone(int err)
{
    return err == ENOTCONN || err == ECONNABORTED || err == ENODEV;
}

static void *worker(void *arg)
{
    int err;

    (void)arg;
    do {
        err = ask();
    } while (err == 0);
    return (void *)(uintptr_t)err;
}

int main(int argc, char **argv)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    pthread_t threads[THREADS];
    bool good = true;
    void *err;

    fd = open(argc > 2 ? argv[2] : "/dev/sev-guest", O_RDONLY);
    if (argc < 2 || fd < 0 || ask() != 0) {
        printf("not ok - the device works\n");
        return 1;
    }
    alarm(PATIENT);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, worker, NULL);
    }
    nanosleep(&pause, NULL);
    kill(atoi(argv[1]), SIGTERM);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &err);
        good = good && says_gone((int)(uintptr_t)err);
        if (!says_gone((int)(uintptr_t)err)) {
            printf("# %s\n", strerror((int)(uintptr_t)err));
        }
    }
    printf("%sok - ioctls end when the device goes\n", good ? "" : "not ");
    good = good && says_gone(ask());
    printf("%sok - and fail from then on\n", good ? "" : "not ");
    return good ? 0 : 1;
}
