/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the broker asks of /dev/sev, as any client does. Spec: abi/aeb.md §1.3.
 */
#ifndef SERVICE_AEB_DEVICE_H
#define SERVICE_AEB_DEVICE_H

#include "sev_cert.h"
#include "sev_report.h"

#define AEB_CHIP_ID_SIZE 64u

/** Where commands go; a test has its own. @data: the structure of linux's
 * envelope. Returns 0 or a negative errno; *fw: the envelope's error word. */
struct aeb_device {
    int (*command)(void *ctx, uint32_t cmd, void *data, uint32_t *fw);
    void *ctx;
};

/** Commands on *@fd, which is borrowed. */
struct aeb_device aeb_device_fd(const int *fd);

/** Which command number makes the report. */
enum aeb_report_number {
    AEB_NUMBER_AUTO,    /* the private one, then 9 */
    AEB_NUMBER_PRIVATE, /* 0x80000009: real kernels know it not */
    AEB_NUMBER_9,       /* the 2022 patch; SNP_PLATFORM_STATUS elsewhere */
};

struct aeb_exported {
    uint8_t pek[SEV_CERT_SIZE], oca[SEV_CERT_SIZE];
    uint8_t cek[SEV_CERT_SIZE]; /* without AMD's signature */
};

/* Each returns 0 or an error_code of aeb_msg.h. */

/** PDH_CERT_EXPORT. */
uint32_t aeb_device_export(const struct aeb_device *dev,
                           struct aeb_exported *out);
/** GET_ID2, first socket. */
uint32_t aeb_device_id(const struct aeb_device *dev,
                       uint8_t id[AEB_CHIP_ID_SIZE]);
/**
 * The report of a guest; also AEB_BROKER_LIED: success, but it is no report for
 * this handle and nonce, as when number 9 means something else.
 */
uint32_t aeb_device_report(const struct aeb_device *dev,
                           enum aeb_report_number number, uint32_t handle,
                           const uint8_t mnonce[SEV_MNONCE_SIZE],
                           uint8_t report[SEV_REPORT_SIZE]);

#endif
