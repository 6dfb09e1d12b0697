/* SPDX-License-Identifier: Apache-2.0 */
#include "owner.h"

#include "ccp.h"
#include "inproc.h"
#include "tst.h"

#include <limits.h>
#include <linux/psp-sev.h>
#include <sys/ioctl.h>

void owner_issue(const struct chardev *dev, uint32_t number, void *data)
{
    struct sev_issue_cmd io = {.cmd = number, .data = (uintptr_t)data};
    int64_t rc = inproc_ioctl(dev, true, (uint32_t)SEV_ISSUE_CMD, &io);

    if (rc != 0) {
        fail_msg("command %u: %lld, firmware %u", number, (long long)rc,
                 io.error);
    }
}

static uint8_t *file_of(const char *folder, const char *name, size_t *size)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return tst_file(path, size);
}

void owner_import(const struct chardev *dev, const char *folder)
{
    static uint8_t csr[4096];
    struct sev_user_data_pek_csr ask = {.address = (uintptr_t)csr,
                                        .length = sizeof(csr)};
    struct sev_user_data_pek_cert_import in = {0};
    char path[PATH_MAX];
    const char *const argv[] = {"/usr/bin/python3",
                                "harness/support/sev_owner.py",
                                "sign-csr",
                                folder,
                                path,
                                NULL};
    uint8_t *oca, *pek;
    size_t oca_size, pek_size;
    char *output = NULL;

    owner_issue(dev, CCP_PEK_CSR, &ask);
    (void)snprintf(path, sizeof(path), "%s/csr", folder);
    tst_write_file(path, csr, ask.length);
    if (tst_run(&output, argv) != 0) {
        fail_msg("sign-csr: %s", output);
    }
    free(output);
    oca = file_of(folder, "oca.cert", &oca_size);
    pek = file_of(folder, "pek.cert", &pek_size);
    in.pek_cert_address = (uintptr_t)pek;
    in.pek_cert_len = (uint32_t)pek_size;
    in.oca_cert_address = (uintptr_t)oca;
    in.oca_cert_len = (uint32_t)oca_size;
    owner_issue(dev, CCP_PEK_CERT_IMPORT, &in);
    free(oca);
    free(pek);
}
