/* SPDX-License-Identifier: Apache-2.0 */
/* usage: check_removed PID [DEVICE [SIGNAL [again]]]
 * Asks for reports on an open file and ends the device's server (SIGTERM) while
 * other threads ask: every answer must be a report or an error that says that
 * the device is gone, and none may be missing. "again": waits for another
 * server of that device; the open file must stay dead beside it. */
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

static const struct timespec PAUSE = {.tv_nsec = 100000000};
static int fd;

/* 0 or an errno. */
static int ask_on(int file)
{
    struct snp_report_resp resp;
    struct snp_report_req req = {0};
    struct snp_guest_request_ioctl io = {
        .msg_version = 1,
        .req_data = (uint64_t)(uintptr_t)&req,
        .resp_data = (uint64_t)(uintptr_t)&resp,
    };

    return ioctl(file, SNP_GET_REPORT, &io) == 0 ? 0 : errno;
}

static int ask(void)
{
    return ask_on(fd);
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

/* alarm() ends the wait. */
static bool comes_again(const char *device)
{
    int file;

    do {
        nanosleep(&PAUSE, NULL);
        file = open(device, O_RDONLY);
    } while (file < 0);
    return ask_on(file) == 0 && says_gone(ask());
}

int main(int argc, char **argv)
{
    const char *device = argc > 2 ? argv[2] : "/dev/sev-guest";
    pthread_t threads[THREADS];
    bool good = true;
    void *err;

    fd = open(device, O_RDONLY);
    if (argc < 2 || fd < 0 || ask() != 0) {
        printf("not ok - the device works\n");
        return 1;
    }
    alarm(PATIENT);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, worker, NULL);
    }
    nanosleep(&PAUSE, NULL);
    kill(atoi(argv[1]), argc > 3 ? atoi(argv[3]) : SIGTERM);
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
    if (argc > 4) {
        bool again = comes_again(device);

        printf("%sok - another server is no use to an old file\n",
               again ? "" : "not ");
        good = good && again;
    }
    return good ? 0 : 1;
}
