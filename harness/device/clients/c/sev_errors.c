/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong calls to /dev/sev, one line of answer each: "NAME RESULT ERRNO ERROR".
 * The same program runs on a real host; nothing here changes the platform. */
#include <linux/psp-sev.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOB_MAX 16384u
#define KEEP     0x5a5a5a5au

static uint8_t blob[BLOB_MAX + 1];
static void *read_only;
static void *hole;

static void answer(const char *name, int r, int err, uint32_t error)
{
    if (error == KEEP) {
        printf("%s %d %d keep\n", name, r, r < 0 ? err : 0);
    } else {
        printf("%s %d %d 0x%x\n", name, r, r < 0 ? err : 0, error);
    }
}

static void issue(const char *name, int fd, uint32_t cmd, const void *data)
{
    struct sev_issue_cmd io = {
        .cmd = cmd, .data = (uintptr_t)data, .error = KEEP};
    int r = ioctl(fd, SEV_ISSUE_CMD, &io);

    answer(name, r, errno, io.error);
}

static void csr(const char *name, int fd, const void *address, uint32_t length)
{
    struct sev_user_data_pek_csr in = {.address = (uintptr_t)address,
                                       .length = length};

    issue(name, fd, SEV_PEK_CSR, &in);
    printf("%s.length %u\n", name, in.length);
}

static void id2(const char *name, int fd, const void *address, uint32_t length)
{
    struct sev_user_data_get_id2 in = {.address = (uintptr_t)address,
                                       .length = length};

    issue(name, fd, SEV_GET_ID2, &in);
    printf("%s.length %u\n", name, in.length);
}

static void export(const char *name, int fd, uint32_t pdh, uint32_t chain)
{
    struct sev_user_data_pdh_cert_export in = {
        .pdh_cert_address = (uintptr_t)blob,
        .pdh_cert_len = pdh,
        .cert_chain_address = (uintptr_t)blob,
        .cert_chain_len = chain,
    };

    issue(name, fd, SEV_PDH_CERT_EXPORT, &in);
    printf("%s.lengths %u %u\n", name, in.pdh_cert_len, in.cert_chain_len);
}

static void import(const char *name, int fd, const void *pek, uint32_t pek_len,
                   const void *oca, uint32_t oca_len)
{
    struct sev_user_data_pek_cert_import in = {
        .pek_cert_address = (uintptr_t)pek,
        .pek_cert_len = pek_len,
        .oca_cert_address = (uintptr_t)oca,
        .oca_cert_len = oca_len,
    };

    issue(name, fd, SEV_PEK_CERT_IMPORT, &in);
}

static void entry(int fd)
{
    struct sev_issue_cmd io = {.cmd = SEV_PLATFORM_STATUS, .error = KEEP};
    int r = ioctl(fd, SEV_ISSUE_CMD + 1, &io);

    answer("other_request", r, errno, io.error);
    r = ioctl(fd, SEV_ISSUE_CMD, hole);
    answer("unmapped_envelope", r, errno, KEEP);
    r = ioctl(fd, SEV_ISSUE_CMD, NULL);
    answer("null_envelope", r, errno, KEEP);
    issue("cmd_all_ones", fd, UINT32_MAX, NULL);
    issue("cmd_1000", fd, 1000, NULL);
}

/* Opened for reading, or for ioctls alone (access mode 3). */
static void without_write_mode(int fd, const char *how)
{
    static const struct {
        const char *name;
        uint32_t cmd;
    } row[] = {
        {"factory_reset", SEV_FACTORY_RESET},
        {"pek_gen", SEV_PEK_GEN},
        {"pek_csr", SEV_PEK_CSR},
        {"pdh_gen", SEV_PDH_GEN},
        {"pek_cert_import", SEV_PEK_CERT_IMPORT},
    };
    struct sev_user_data_status status;
    char name[64];

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        snprintf(name, sizeof(name), "%s_%s", how, row[i].name);
        issue(name, fd, row[i].cmd, hole);
    }
    snprintf(name, sizeof(name), "%s_platform_status", how);
    issue(name, fd, SEV_PLATFORM_STATUS, &status);
    snprintf(name, sizeof(name), "%s_get_id2", how);
    id2(name, fd, blob, 64);
}

static void wrong_arguments(int fd)
{
    issue("status_null", fd, SEV_PLATFORM_STATUS, NULL);
    issue("status_unmapped", fd, SEV_PLATFORM_STATUS, hole);
    issue("status_read_only", fd, SEV_PLATFORM_STATUS, read_only);
    csr("csr_query", fd, NULL, 0);
    csr("csr_address_only", fd, blob, 0);
    csr("csr_short", fd, blob, 2083);
    csr("csr_too_long", fd, blob, BLOB_MAX + 1);
    csr("csr_unmapped", fd, hole, 2084);
    issue("csr_struct_unmapped", fd, SEV_PEK_CSR, hole);
    export("export_query", fd, 0, 0);
    export("export_pdh_short", fd, 2083, 6252);
    export("export_chain_short", fd, 2084, 6251);
    export("export_too_long", fd, BLOB_MAX + 1, 6252);
    import("import_null_pek", fd, NULL, 2084, blob, 2084);
    import("import_empty_oca", fd, blob, 2084, blob, 0);
    import("import_too_long", fd, blob, BLOB_MAX + 1, blob, 2084);
    import("import_unmapped_pek", fd, hole, 2084, blob, 0);
    import("import_short", fd, blob, 2083, blob, 2084);
    id2("id2_query", fd, NULL, 0);
    id2("id2_short", fd, blob, 63);
    id2("id2_huge", fd, blob, UINT32_MAX);
    issue("id_unmapped", fd, SEV_GET_ID, hole);
}

/* The command works, but its answer cannot be written. */
static void read_only_envelope(int fd)
{
    struct sev_issue_cmd io = {.cmd = SEV_PLATFORM_STATUS,
                               .data = (uintptr_t)blob};
    int r;

    memcpy(read_only, &io, sizeof(io));
    if (mprotect(read_only, 4096, PROT_READ) != 0) {
        perror("mprotect");
        exit(1);
    }
    r = ioctl(fd, SEV_ISSUE_CMD, read_only);
    answer("read_only_envelope", r, errno, KEEP);
}

int main(int argc, char **argv)
{
    const char *device = argc > 1 ? argv[1] : "/dev/sev";
    int rw = open(device, O_RDWR | O_CLOEXEC);
    int ro = open(device, O_RDONLY | O_CLOEXEC);
    int io = open(device, O_ACCMODE | O_CLOEXEC);

    read_only = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (rw < 0 || ro < 0 || io < 0 || read_only == MAP_FAILED ||
        hole == MAP_FAILED) {
        fprintf(stderr, "sev_errors: %s: %s\n", device, strerror(errno));
        return 1;
    }
    entry(rw);
    read_only_envelope(rw);
    without_write_mode(ro, "ro");
    without_write_mode(io, "io");
    wrong_arguments(rw);
    close(rw);
    close(ro);
    close(io);
    return 0;
}
