/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_export.h"

#include "inproc.h"
#include "sev_cert.h"
#include "wire.h"

#include <errno.h>
#include <linux/psp-sev.h>
#include <string.h>
#include <sys/ioctl.h>

#define ARGS_SIZE  0x18u
#define CHAIN_SIZE (3 * SEV_CERT_SIZE) /* PEK, OCA, CEK without a signature */

static int ask(const struct chardev *dev, uint8_t pdh[SEV_CERT_SIZE],
               uint8_t chain[CHAIN_SIZE], char *error)
{
    uint8_t args[ARGS_SIZE];
    struct psp_wr w = psp_wr(args, sizeof(args));
    struct sev_issue_cmd command = {.cmd = SEV_PDH_CERT_EXPORT,
                                    .data = (uint64_t)(uintptr_t)args};
    int64_t rc;

    psp_wr_le64(&w, (uint64_t)(uintptr_t)pdh);
    psp_wr_le32(&w, SEV_CERT_SIZE);
    psp_wr_le64(&w, (uint64_t)(uintptr_t)chain);
    psp_wr_le32(&w, CHAIN_SIZE);
    rc = inproc_ioctl(dev, true, SEV_ISSUE_CMD, &command);
    if (rc >= 0) {
        return 0;
    }
    return state_error(error, (int)rc,
                       "SEV_PDH_CERT_EXPORT: %s, firmware status 0x%x",
                       strerror((int)-rc), command.error);
}

int sev_export(const struct chardev *dev, const uint8_t *cek,
               const struct state_dir *dir, char *error)
{
    uint8_t all[4 * SEV_CERT_SIZE];
    static const char *const names[] = {"pdh.cert", "pek.cert", "oca.cert"};
    int rc = ask(dev, all, all + SEV_CERT_SIZE, error);

    for (size_t i = 0; i < 3 && rc == 0; i++) {
        rc = state_file_write(dir, names[i], STATE_FILE_PUBLIC,
                              all + i * SEV_CERT_SIZE, SEV_CERT_SIZE, error);
    }
    if (rc == 0) {
        memcpy(all + 3 * SEV_CERT_SIZE, cek, SEV_CERT_SIZE);
        rc = state_file_write(dir, "chain.cert", STATE_FILE_PUBLIC, all,
                              sizeof(all), error);
    }
    return rc;
}
