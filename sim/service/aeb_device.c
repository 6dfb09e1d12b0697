/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_device.h"

#include "aeb_msg.h"
#include "wire.h"

#include <errno.h>
#include <linux/psp-sev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define CMD_EXPORT  5u
#define CMD_ID      8u
#define CMD_REPORT  9u
#define CMD_PRIVATE 0x80000009u

#define EXPORT_ARGS 24u /* pdh_addr, pdh_len, certs_addr, certs_len */
#define ID_ARGS     12u /* addr, len */
#define REPORT_ARGS 32u /* mnonce[16], uaddr, len, handle */
#define CHAIN_SIZE  (3u * SEV_CERT_SIZE)
#define ID_ROOM     (2u * AEB_CHIP_ID_SIZE) /* two sockets need it */

#define NO_FW_CALL 0xffffffffu

static int fd_command(void *ctx, uint32_t cmd, void *data, uint32_t *fw)
{
    struct sev_issue_cmd envelope = {.cmd = cmd,
                                     .data = (uint64_t)(uintptr_t)data};
    int err =
        ioctl(*(const int *)ctx, SEV_ISSUE_CMD, &envelope) != 0 ? -errno : 0;

    *fw = envelope.error;
    return err;
}

struct aeb_device aeb_device_fd(const int *fd)
{
    return (struct aeb_device){.command = fd_command,
                               .ctx = (void *)(uintptr_t)fd};
}

/* What a failed command says. */
static uint32_t failure(int err, uint32_t fw)
{
    if (fw != 0 && fw <= 0xffff && err == -EIO) {
        return fw;
    }
    return AEB_ERROR_HOST + ((uint32_t)-err & 0xffffu);
}

static uint32_t issue(const struct aeb_device *dev, uint32_t cmd, void *data)
{
    uint32_t fw = 0;
    int err = dev->command(dev->ctx, cmd, data, &fw);

    if (err != 0) {
        return failure(err, fw == NO_FW_CALL ? 0 : fw);
    }
    return fw == 0 ? 0 : failure(-EIO, fw);
}

static void put_address(struct psp_wr *w, void *address)
{
    psp_wr_le64(w, (uint64_t)(uintptr_t)address);
}

uint32_t aeb_device_export(const struct aeb_device *dev,
                           struct aeb_exported *out)
{
    uint8_t args[EXPORT_ARGS];
    uint8_t *certs = calloc(1, SEV_CERT_SIZE + CHAIN_SIZE);
    struct psp_wr w = psp_wr(args, sizeof(args));
    uint8_t *chain;
    uint32_t err;

    if (certs == NULL) {
        return AEB_ERROR_HOST + ENOMEM;
    }
    chain = certs + SEV_CERT_SIZE;
    put_address(&w, certs);
    psp_wr_le32(&w, SEV_CERT_SIZE);
    put_address(&w, chain);
    psp_wr_le32(&w, CHAIN_SIZE);
    err = issue(dev, CMD_EXPORT, args);
    if (err == 0) {
        memcpy(out->pek, chain, SEV_CERT_SIZE);
        memcpy(out->oca, chain + SEV_CERT_SIZE, SEV_CERT_SIZE);
        memcpy(out->cek, chain + 2 * SEV_CERT_SIZE, SEV_CERT_SIZE);
    }
    free(certs);
    return err;
}

uint32_t aeb_device_id(const struct aeb_device *dev,
                       uint8_t id[AEB_CHIP_ID_SIZE])
{
    uint8_t args[ID_ARGS];
    uint8_t ids[ID_ROOM] = {0};
    struct psp_wr w = psp_wr(args, sizeof(args));
    uint32_t err;

    put_address(&w, ids);
    psp_wr_le32(&w, sizeof(ids));
    err = issue(dev, CMD_ID, args);
    memcpy(id, ids, AEB_CHIP_ID_SIZE);
    return err;
}

/* A kernel that takes the command for another leaves these as they were, or
 * fills them with what is none of them. */
static bool is_answer(const uint8_t before[REPORT_ARGS],
                      const uint8_t after[REPORT_ARGS],
                      const uint8_t report[SEV_REPORT_SIZE])
{
    struct psp_rd r = psp_rd(after + SEV_MNONCE_SIZE + 8, 4);

    return psp_rd_le32(&r) == SEV_REPORT_SIZE &&
           memcmp(before, after, SEV_MNONCE_SIZE + 8) == 0 &&
           memcmp(before + REPORT_ARGS - 4, after + REPORT_ARGS - 4, 4) == 0 &&
           memcmp(report, before, SEV_MNONCE_SIZE) == 0 &&
           !psp_all_zero(report, SEV_REPORT_SIZE);
}

static uint32_t report_by(const struct aeb_device *dev, uint32_t cmd,
                          uint32_t handle,
                          const uint8_t mnonce[SEV_MNONCE_SIZE],
                          uint8_t report[SEV_REPORT_SIZE])
{
    uint8_t before[REPORT_ARGS];
    uint8_t args[REPORT_ARGS];
    struct psp_wr w = psp_wr(before, sizeof(before));
    uint32_t err;

    memset(report, 0, SEV_REPORT_SIZE);
    psp_wr_bytes(&w, mnonce, SEV_MNONCE_SIZE);
    put_address(&w, report);
    psp_wr_le32(&w, SEV_REPORT_SIZE);
    psp_wr_le32(&w, handle);
    memcpy(args, before, sizeof(args));
    err = issue(dev, cmd, args);
    if (err == 0 && !is_answer(before, args, report)) {
        err = AEB_BROKER_LIED;
    }
    return err;
}

uint32_t aeb_device_report(const struct aeb_device *dev,
                           enum aeb_report_number number, uint32_t handle,
                           const uint8_t mnonce[SEV_MNONCE_SIZE],
                           uint8_t report[SEV_REPORT_SIZE])
{
    uint32_t err = AEB_ERROR_HOST + EINVAL;

    if (number != AEB_NUMBER_9) {
        err = report_by(dev, CMD_PRIVATE, handle, mnonce, report);
    }
    if (number == AEB_NUMBER_9 ||
        (number == AEB_NUMBER_AUTO && err == AEB_ERROR_HOST + EINVAL)) {
        err = report_by(dev, CMD_REPORT, handle, mnonce, report);
    }
    if (err != 0) {
        memset(report, 0, SEV_REPORT_SIZE);
    }
    return err;
}
