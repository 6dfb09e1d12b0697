/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The chip's CEK with AMD's signature: from a key server, or from the keys of
 * this installation. Kept once it has been found to be this chip's.
 * Thread-safe; many that wait for one certificate wait for one request. Spec:
 * abi/aeb.md §1.4.
 */
#ifndef SERVICE_AEB_CEK_H
#define SERVICE_AEB_CEK_H

#include "aeb_device.h"
#include "aeb_http.h"
#include "kds.h"

#include <stdatomic.h>

struct aeb_cek_config {
    const struct aeb_url *url; /* copied; NULL: ask @local */
    struct kds *local;         /* borrowed */
    int connect_ms, total_ms;  /* 0: 5 s, 10 s */
};

struct aeb_cek;

/** 0 or -ENOMEM. */
int aeb_cek_open(const struct aeb_cek_config *config, struct aeb_cek **out);
void aeb_cek_close(struct aeb_cek *cek); /* NULL is fine */

/**
 * @exported   The CEK certificate that the firmware exports: the same key.
 * @cancelled  Nobody wants it any more: return soon.
 *
 * 0, or AEB_ERROR_KDS + an HTTP status, or one of AEB_KDS_*.
 */
uint32_t aeb_cek_get(struct aeb_cek *cek, const uint8_t id[AEB_CHIP_ID_SIZE],
                     const uint8_t exported[SEV_CERT_SIZE],
                     const atomic_bool *cancelled, uint8_t out[SEV_CERT_SIZE]);

#endif
