/* SPDX-License-Identifier: Apache-2.0 */
/* A client of /dev/sev-guest that knows nothing but the kernel's header: asks
 * for a report, a report with certificates, and a derived key. */
#include <linux/sev-guest.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define REPORT_AT   32u /* in the response: status, size, 24 reserved bytes */
#define REPORT_MAX  (4000u - REPORT_AT)
#define CERTS_TRIES 3
#define INVALID_LEN (1ull << 32)

struct options {
    const char *device;
    const char *report, *certs, *key; /* files; NULL: not wanted */
    uint8_t report_data[64];
    uint32_t vmpl, root_key, guest_svn;
    uint64_t fields, tcb_version;
    uint8_t msg_version;
};

static void die(const char *what)
{
    fprintf(stderr, "report: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t v;

    errno = 0;
    v = strtoull(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0') {
        fprintf(stderr, "report: %s: not a number\n", text);
        exit(1);
    }
    return v;
}

/* Fewer than 64 bytes are followed by zeros. */
static void hex(const char *text, uint8_t out[64])
{
    size_t n = strlen(text);

    if (n % 2 != 0 || n > 128 || strspn(text, "0123456789abcdefABCDEF") != n) {
        fprintf(stderr, "report: --report-data takes up to 128 hex digits\n");
        exit(1);
    }
    memset(out, 0, 64);
    for (size_t i = 0; i < n / 2; i++) {
        sscanf(text + 2 * i, "%2hhx", &out[i]);
    }
}

static void save(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        die(path);
    }
}

/* exitinfo2, or fw_err as older headers call it: the last eight bytes. */
static uint64_t exitinfo2(const struct snp_guest_request_ioctl *io)
{
    uint64_t v;

    memcpy(&v, (const uint8_t *)io + 24, sizeof(v));
    return v;
}

/* Returns 0 or the errno; *info is what the firmware or the hypervisor said. */
static int request(int fd, unsigned long number, const struct options *o,
                   void *req, void *resp, uint64_t *info)
{
    struct snp_guest_request_ioctl io = {
        .msg_version = o->msg_version,
        .req_data = (uintptr_t)req,
        .resp_data = (uintptr_t)resp,
    };
    int r = ioctl(fd, number, &io);

    *info = exitinfo2(&io);
    if (r > 0) {
        fprintf(stderr, "report: the ioctl returned %d\n", r);
        exit(1);
    }
    return r == 0 ? 0 : errno;
}

static void refused(const char *what, int err, uint64_t info)
{
    fprintf(stderr, "report: %s: %s, exitinfo2 0x%llx\n", what, strerror(err),
            (unsigned long long)info);
    exit(1);
}

static void check_status(const char *what, const uint8_t *resp)
{
    uint32_t status;

    memcpy(&status, resp, sizeof(status));
    if (status != 0) {
        fprintf(stderr, "report: %s: firmware status 0x%x\n", what, status);
        exit(2);
    }
}

static struct snp_report_req report_request(const struct options *o)
{
    struct snp_report_req req = {.vmpl = o->vmpl};

    memcpy(req.user_data, o->report_data, sizeof(o->report_data));
    return req;
}

static void get_report(int fd, const struct options *o,
                       struct snp_report_resp *resp)
{
    struct snp_report_req req = report_request(o);
    uint64_t info;
    int err = request(fd, SNP_GET_REPORT, o, &req, resp, &info);

    if (err != 0) {
        refused("SNP_GET_REPORT", err, info);
    }
}

/* Ask how long the certificates are, then for them: they may grow between. */
static void get_ext_report(int fd, const struct options *o,
                           struct snp_report_resp *resp)
{
    struct snp_ext_report_req req = {.data = report_request(o)};
    uint8_t *certs = NULL;
    uint64_t info;
    int err = 0;

    for (int i = 0; i < CERTS_TRIES; i++) {
        err = request(fd, SNP_GET_EXT_REPORT, o, &req, resp, &info);
        if (err != EIO || info != INVALID_LEN) {
            break;
        }
        free(certs);
        certs = calloc(1, req.certs_len);
        if (certs == NULL) {
            die("certificates");
        }
        req.certs_address = (uintptr_t)certs;
    }
    if (err != 0) {
        refused("SNP_GET_EXT_REPORT", err, info);
    }
    save(o->certs, certs, certs == NULL ? 0 : req.certs_len);
    free(certs);
}

static void get_key(int fd, const struct options *o)
{
    struct snp_derived_key_resp resp = {0};
    struct snp_derived_key_req req = {
        .root_key_select = o->root_key,
        .guest_field_select = o->fields,
        .vmpl = o->vmpl,
        .guest_svn = o->guest_svn,
        .tcb_version = o->tcb_version,
    };
    uint64_t info;
    int err = request(fd, SNP_GET_DERIVED_KEY, o, &req, &resp, &info);

    if (err != 0) {
        refused("SNP_GET_DERIVED_KEY", err, info);
    }
    check_status("SNP_GET_DERIVED_KEY", resp.data);
    save(o->key, resp.data + 32, 32);
}

static void put_report(const struct options *o,
                       const struct snp_report_resp *resp)
{
    uint32_t size;

    check_status("report", resp->data);
    memcpy(&size, resp->data + 4, sizeof(size));
    if (size > REPORT_MAX) {
        fprintf(stderr, "report: a report of %u bytes\n", size);
        exit(1);
    }
    if (o->report != NULL) {
        save(o->report, resp->data + REPORT_AT, size);
        return;
    }
    for (uint32_t i = 0; i < size; i++) {
        printf("%02x%s", resp->data[REPORT_AT + i],
               i % 32 == 31 || i + 1 == size ? "\n" : "");
    }
}

static const struct option names[] = {
    {"device", required_argument, NULL, 'd'},
    {"report-data", required_argument, NULL, 'n'},
    {"report", required_argument, NULL, 'r'},
    {"certs", required_argument, NULL, 'c'},
    {"key", required_argument, NULL, 'k'},
    {"vmpl", required_argument, NULL, 'v'},
    {"root-key", required_argument, NULL, 'o'},
    {"fields", required_argument, NULL, 'f'},
    {"guest-svn", required_argument, NULL, 's'},
    {"tcb", required_argument, NULL, 't'},
    {"msg-version", required_argument, NULL, 'm'},
    {0},
};

static void usage(void)
{
    fprintf(stderr,
            "usage: report [--device PATH] [--report-data HEX] [--vmpl N]\n"
            "              [--msg-version N] [--report FILE] [--certs FILE]\n"
            "              [--key FILE] [--root-key 0|1] [--fields N]\n"
            "              [--guest-svn N] [--tcb N]\n"
            "Without --report and --key the report is printed as hex.\n");
    exit(64);
}

static void set_option(struct options *o, int name)
{
    switch (name) {
    case 'd':
        o->device = optarg;
        break;
    case 'n':
        hex(optarg, o->report_data);
        break;
    case 'r':
        o->report = optarg;
        break;
    case 'c':
        o->certs = optarg;
        break;
    case 'k':
        o->key = optarg;
        break;
    case 'v':
        o->vmpl = (uint32_t)number(optarg);
        break;
    case 'o':
        o->root_key = (uint32_t)number(optarg);
        break;
    case 'f':
        o->fields = number(optarg);
        break;
    case 's':
        o->guest_svn = (uint32_t)number(optarg);
        break;
    case 't':
        o->tcb_version = number(optarg);
        break;
    case 'm':
        o->msg_version = (uint8_t)number(optarg);
        break;
    default:
        usage();
    }
}

int main(int argc, char **argv)
{
    struct options o = {.device = "/dev/sev-guest", .msg_version = 1};
    struct snp_report_resp resp = {0};
    int name;
    int fd;

    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        set_option(&o, name);
    }
    if (optind != argc) {
        usage();
    }
    fd = open(o.device, O_RDWR);
    if (fd < 0) {
        die(o.device);
    }
    if (o.certs != NULL) {
        get_ext_report(fd, &o, &resp);
    } else if (o.report != NULL || o.key == NULL) {
        get_report(fd, &o, &resp);
    }
    if (o.certs != NULL || o.report != NULL || o.key == NULL) {
        put_report(&o, &resp);
    }
    if (o.key != NULL) {
        get_key(fd, &o);
    }
    return 0;
}
