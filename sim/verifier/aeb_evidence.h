/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Evidence of the Attestation Evidence Broker in its two encodings.
 * Spec: abi/aeb.md §4.
 */
#ifndef VERIFIER_AEB_EVIDENCE_H
#define VERIFIER_AEB_EVIDENCE_H

#include "sev_cert.h"
#include "sev_report.h"

#include <psp/err.h>
#include <psp/profile.h>

#define AEB_PACKED_SIZE       (SEV_REPORT_SIZE + 3u * SEV_CERT_SIZE) /* 6460 */
#define AEB_PACKED_TYPED_SIZE (AEB_PACKED_SIZE + 1u)
#define AEB_JSON_MAX          0x10000u
#define AEB_WHY_SIZE          96u

/** Device type byte; note the order. */
enum aeb_type {
    AEB_ROME,
    AEB_NAPLES,
    AEB_MILAN,
    AEB_UNKNOWN,
    AEB_DEVICE_COUNT,
};
/** AEB_UNKNOWN: none exists for it. */
enum aeb_type aeb_device_of(enum psp_generation generation);
/** PSP_GENERATION_COUNT for AEB_UNKNOWN and beyond. */
enum psp_generation aeb_device_generation(enum aeb_type device);
/** "AmdMilan", ... */
const char *aeb_device_name(enum aeb_type device);

struct aeb_evidence {
    uint8_t report[SEV_REPORT_SIZE];
    uint8_t cek[SEV_CERT_SIZE];
    uint8_t pek[SEV_CERT_SIZE];
    uint8_t oca[SEV_CERT_SIZE];
    bool typed; /* with a device type */
    uint8_t device;
};

/** 6460 or, typed, 6461 bytes. Every bit pattern survives. PSP_E_FORMAT. */
PSP_MUST_CHECK enum psp_err aeb_packed_decode(const uint8_t *data, size_t size,
                                              struct aeb_evidence *out);
/** Returns the size. */
size_t aeb_packed_encode(const struct aeb_evidence *ev,
                         uint8_t out[AEB_PACKED_TYPED_SIZE]);

/** As serde_json writes it, byte for byte. @out may be NULL with @room 0; the
 * size that is needed is returned. No NUL. */
size_t aeb_json_encode(const struct aeb_evidence *ev, char *out, size_t room);

/**
 * Read such a text, from anybody: white space, any order and unknown keys are
 * fine; everything else is strict. abi/aeb.md §4.3.
 *
 * PSP_E_FORMAT with one clause in @why (AEB_WHY_SIZE bytes).
 */
PSP_MUST_CHECK enum psp_err aeb_json_decode(const char *text, size_t size,
                                            struct aeb_evidence *out,
                                            char *why);

/** Either encoding, told apart by its size: the shortest text has 13012
 * characters. */
PSP_MUST_CHECK enum psp_err aeb_evidence_decode(const uint8_t *data,
                                                size_t size,
                                                struct aeb_evidence *out,
                                                char *why);

#endif
