/* SPDX-License-Identifier: Apache-2.0 */
/* Many clients of /dev/sev-guest at once: each opens the device again and again
 * and asks for reports. Prints what it has done.
 *
 * usage: flood DEVICE CLIENTS OPENS IOCTLS   (opens and ioctls of each client)
 */
#include <linux/sev-guest.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATA_AT 0x50u /* of REPORT_DATA in a report */

static void ask(int fd, uint32_t client, uint32_t n)
{
    static struct snp_report_resp resp;
    struct snp_report_req req = {0};
    struct snp_guest_request_ioctl io = {
        .msg_version = 1,
        .req_data = (uint64_t)(uintptr_t)&req,
        .resp_data = (uint64_t)(uintptr_t)&resp,
    };

    memcpy(req.user_data, &client, sizeof(client));
    memcpy(req.user_data + sizeof(client), &n, sizeof(n));
    if (ioctl(fd, SNP_GET_REPORT, &io) != 0) {
        perror("flood: SNP_GET_REPORT");
        exit(1);
    }
    if (memcmp(resp.data + 32 + DATA_AT, req.user_data, 64) != 0) {
        fprintf(stderr, "flood: another client's report\n");
        exit(1);
    }
}

static void work(const char *device, uint32_t client, uint32_t opens,
                 uint32_t ioctls)
{
    uint32_t done = 0;

    for (uint32_t i = 0; i < opens; i++) {
        int fd = open(device, O_RDWR | O_CLOEXEC);
        uint32_t upto = (uint32_t)((uint64_t)ioctls * (i + 1) / opens);

        if (fd < 0) {
            perror(device);
            exit(1);
        }
        while (done < upto) {
            ask(fd, client, done++);
        }
        close(fd);
    }
}

int main(int argc, char **argv)
{
    uint32_t clients, opens, ioctls;
    int failed = 0, status;

    if (argc != 5) {
        fprintf(stderr, "usage: flood DEVICE CLIENTS OPENS IOCTLS\n");
        return 64;
    }
    clients = (uint32_t)strtoul(argv[2], NULL, 0);
    opens = (uint32_t)strtoul(argv[3], NULL, 0);
    ioctls = (uint32_t)strtoul(argv[4], NULL, 0);
    for (uint32_t i = 0; i < clients; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            work(argv[1], i, opens, ioctls);
            _exit(0);
        }
        failed += pid < 0;
    }
    while (wait(&status) > 0) {
        failed += status != 0;
    }
    printf("%u opens, %u ioctls, %d clients failed\n", clients * opens,
           clients * ioctls, failed);
    return failed != 0;
}
