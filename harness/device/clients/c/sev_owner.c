/* SPDX-License-Identifier: Apache-2.0 */
/* A client of /dev/sev that knows nothing but the kernel's header: what the
 * owner of a platform does with it. */
#include <linux/psp-sev.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOB_MAX 16384u

static const char USAGE[] =
    "usage: sev_owner [--device PATH] COMMAND [FILE...]\n"
    "  status                 one line: api, state, owner, es, guests\n"
    "  reset | pek-gen | pdh-gen\n"
    "  csr CSR                length query, then the request\n"
    "  import PEK OCA\n"
    "  export PDH CHAIN       length query, then both files\n"
    "  id ID | id2 ID         by SEV_GET_ID, SEV_GET_ID2\n"
    "Exit status: 0; 1 when the ioctl fails; 64 for a bad command line.\n";

static int fd;

static void die(const char *what)
{
    fprintf(stderr, "sev_owner: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Returns the ioctl's result; *error is the firmware's status. */
static int issue(uint32_t cmd, void *data, uint32_t *error)
{
    struct sev_issue_cmd io = {.cmd = cmd, .data = (uintptr_t)data, .error = 0};
    int r = ioctl(fd, SEV_ISSUE_CMD, &io);

    *error = io.error;
    return r;
}

static void must(const char *what, uint32_t cmd, void *data)
{
    uint32_t error;

    if (issue(cmd, data, &error) != 0) {
        fprintf(stderr, "sev_owner: %s: errno %d, firmware 0x%x\n", what, errno,
                error);
        exit(1);
    }
    if (error != 0) {
        fprintf(stderr, "sev_owner: %s: success with error 0x%x\n", what,
                error);
        exit(1);
    }
}

/* A query must fail with EIO and INVALID_LEN. */
static void must_query(const char *what, uint32_t cmd, void *data)
{
    uint32_t error;
    int r = issue(cmd, data, &error);

    if (r != -1 || errno != EIO || error != SEV_RET_INVALID_LEN) {
        fprintf(stderr, "sev_owner: %s query: %d, errno %d, firmware 0x%x\n",
                what, r, errno, error);
        exit(1);
    }
}

static void *buffer(uint32_t size)
{
    void *p = malloc(size == 0 ? 1 : size);

    if (p == NULL) {
        die("memory");
    }
    return p;
}

static void save(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        die(path);
    }
}

static uint8_t *load(const char *path, uint32_t *size)
{
    uint8_t *bytes = buffer(BLOB_MAX);
    FILE *f = fopen(path, "rb");

    if (f == NULL) {
        die(path);
    }
    *size = (uint32_t)fread(bytes, 1, BLOB_MAX, f);
    fclose(f);
    return bytes;
}

/* --- commands --- */

static void do_status(char **files)
{
    struct sev_user_data_status s;

    (void)files;
    memset(&s, 0, sizeof(s));
    must("status", SEV_PLATFORM_STATUS, &s);
    printf("api %u.%u build %u state %u owner %s es %s guests %u\n",
           s.api_major, s.api_minor, s.build, s.state,
           (s.flags & 1) != 0 ? "external" : "self",
           (s.flags & SEV_STATUS_FLAGS_CONFIG_ES) != 0 ? "yes" : "no",
           s.guest_count);
}

static void do_reset(char **files)
{
    (void)files;
    must("reset", SEV_FACTORY_RESET, NULL);
}

static void do_pek_gen(char **files)
{
    (void)files;
    must("pek-gen", SEV_PEK_GEN, NULL);
}

static void do_pdh_gen(char **files)
{
    (void)files;
    must("pdh-gen", SEV_PDH_GEN, NULL);
}

static void do_csr(char **files)
{
    struct sev_user_data_pek_csr csr = {0};
    void *blob;

    must_query("csr", SEV_PEK_CSR, &csr);
    blob = buffer(csr.length);
    csr.address = (uintptr_t)blob;
    must("csr", SEV_PEK_CSR, &csr);
    save(files[0], blob, csr.length);
    free(blob);
}

static void do_import(char **files)
{
    struct sev_user_data_pek_cert_import in = {0};
    uint32_t size;
    uint8_t *pek = load(files[0], &size);
    uint8_t *oca;

    in.pek_cert_address = (uintptr_t)pek;
    in.pek_cert_len = size;
    oca = load(files[1], &size);
    in.oca_cert_address = (uintptr_t)oca;
    in.oca_cert_len = size;
    must("import", SEV_PEK_CERT_IMPORT, &in);
    free(pek);
    free(oca);
}

static void do_export(char **files)
{
    struct sev_user_data_pdh_cert_export out = {0};
    void *pdh;
    void *chain;

    must_query("export", SEV_PDH_CERT_EXPORT, &out);
    pdh = buffer(out.pdh_cert_len);
    chain = buffer(out.cert_chain_len);
    out.pdh_cert_address = (uintptr_t)pdh;
    out.cert_chain_address = (uintptr_t)chain;
    must("export", SEV_PDH_CERT_EXPORT, &out);
    save(files[0], pdh, out.pdh_cert_len);
    save(files[1], chain, out.cert_chain_len);
    free(pdh);
    free(chain);
}

static void do_id(char **files)
{
    struct sev_user_data_get_id id;

    memset(&id, 0, sizeof(id));
    must("id", SEV_GET_ID, &id);
    save(files[0], &id, sizeof(id.socket1));
}

static void do_id2(char **files)
{
    struct sev_user_data_get_id2 id = {0};
    void *blob;

    must_query("id2", SEV_GET_ID2, &id);
    blob = buffer(id.length);
    id.address = (uintptr_t)blob;
    must("id2", SEV_GET_ID2, &id);
    save(files[0], blob, id.length);
    free(blob);
}

static const struct command {
    const char *name;
    int files;
    void (*run)(char **files);
} COMMANDS[] = {
    {"status", 0, do_status},   {"reset", 0, do_reset},
    {"pek-gen", 0, do_pek_gen}, {"pdh-gen", 0, do_pdh_gen},
    {"csr", 1, do_csr},         {"import", 2, do_import},
    {"export", 2, do_export},   {"id", 1, do_id},
    {"id2", 1, do_id2},
};

int main(int argc, char **argv)
{
    const char *device = "/dev/sev";
    int at = 1;

    if (argc > 2 && strcmp(argv[1], "--device") == 0) {
        device = argv[2];
        at = 3;
    }
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
        if (at < argc && strcmp(argv[at], COMMANDS[i].name) == 0 &&
            argc - at - 1 == COMMANDS[i].files) {
            fd = open(device, O_RDWR | O_CLOEXEC);
            if (fd < 0) {
                die(device);
            }
            COMMANDS[i].run(argv + at + 1);
            close(fd);
            return 0;
        }
    }
    fputs(USAGE, stderr);
    return 64;
}
