/* SPDX-License-Identifier: Apache-2.0 */
/* A client of the 2022 patch: asks /dev/sev for the attestation report of the
 * guest with a firmware handle. The patch never reached a kernel header, so its
 * structure and number stand here. */
#include <linux/psp-sev.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct report_request {
    uint8_t mnonce[16];
    uint64_t uaddr;
    uint32_t len;
    uint32_t handle;
};

static void usage(void)
{
    fputs("usage: sev_report [--device PATH] [--number N] [--handle N]\n"
          "                  [--mnonce 32_HEX_DIGITS] [--length N] FILE\n"
          "Exit status: 0; 1 when the ioctl fails; 64 for a bad option.\n",
          stderr);
    exit(64);
}

static uint32_t number(const char *text)
{
    char *end;
    unsigned long v = strtoul(text, &end, 0);

    if (end == text || *end != '\0' || v > UINT32_MAX) {
        usage();
    }
    return (uint32_t)v;
}

static void mnonce(const char *text, uint8_t out[16])
{
    if (strlen(text) != 32 ||
        strspn(text, "0123456789abcdefABCDEF") != strlen(text)) {
        usage();
    }
    for (size_t i = 0; i < 16; i++) {
        sscanf(text + 2 * i, "%2hhx", &out[i]);
    }
}

int main(int argc, char **argv)
{
    const char *device = "/dev/sev";
    struct report_request req = {.len = 208, .handle = 1};
    struct sev_issue_cmd io = {.cmd = 9, .data = (uintptr_t)&req};
    uint8_t *report;
    FILE *f;
    int fd;
    int at = 1;

    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        const char *value = argv[at + 1];

        if (strcmp(argv[at], "--device") == 0) {
            device = value;
        } else if (strcmp(argv[at], "--number") == 0) {
            io.cmd = number(value);
        } else if (strcmp(argv[at], "--handle") == 0) {
            req.handle = number(value);
        } else if (strcmp(argv[at], "--length") == 0) {
            req.len = number(value);
        } else if (strcmp(argv[at], "--mnonce") == 0) {
            mnonce(value, req.mnonce);
        } else {
            usage();
        }
    }
    if (at + 1 != argc) {
        usage();
    }
    report = calloc(1, req.len + 1ul);
    fd = open(device, O_RDWR | O_CLOEXEC);
    if (report == NULL || fd < 0) {
        fprintf(stderr, "sev_report: %s: %s\n", device, strerror(errno));
        return 1;
    }
    req.uaddr = (uintptr_t)report;
    if (ioctl(fd, SEV_ISSUE_CMD, &io) != 0) {
        fprintf(stderr, "sev_report: errno %d, firmware 0x%x, length %u\n",
                errno, io.error, req.len);
        return 1;
    }
    f = fopen(argv[at], "wb");
    if (f == NULL || fwrite(report, 1, req.len, f) != req.len ||
        fclose(f) != 0) {
        fprintf(stderr, "sev_report: %s: %s\n", argv[at], strerror(errno));
        return 1;
    }
    free(report);
    close(fd);
    return 0;
}
