/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Firmware image of SNP_DOWNLOAD_FIRMWARE_EX. AMD's images are secret and run
 * on the real processor; this format is the project's own and carries only what
 * an update changes that anybody can see: version, SVN and mitigations.
 * Spec: abi/snp.md §1.18 ("a project defined signed image").
 *
 *   000h  8  "SWPSPFW1"          030h 48  SHA-384 of the body
 *   008h  4  body size           060h 144 R, S (little-endian, 72 bytes each),
 *   00Ch  4  generation                   ECDSA P-384, over bytes 000h..05Fh
 *   010h  3  major, minor, build 0F0h 16  zero
 *   013h  1  SVN                 100h     body, opaque
 *   014h  4  flags: b0 LIVE
 *   018h  8  mitigation vector
 *   020h 16  zero
 */
#ifndef WIRE_SNP_FIRMWARE_H
#define WIRE_SNP_FIRMWARE_H

#include <psp/err.h>
#include <psp/profile.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNP_FIRMWARE_HEADER_SIZE 0x100u
#define SNP_FIRMWARE_SIGNED_SIZE 0x60u
#define SNP_FIRMWARE_SIG_OFFSET  0x60u
#define SNP_FIRMWARE_MAX_SIZE    0x100000u

struct snp_firmware {
    uint32_t body_size;
    enum psp_generation generation;
    uint8_t major;
    uint8_t minor;
    uint8_t build;
    uint8_t svn; /* SNP component of the TCB */
    bool live;   /* may replace firmware while SNP is INIT */
    uint64_t mit_vector;
    uint8_t body_digest[48];
    uint8_t r[72]; /* little-endian */
    uint8_t s[72];
};

void snp_firmware_encode(const struct snp_firmware *fw,
                         uint8_t out[SNP_FIRMWARE_HEADER_SIZE]);
/** PSP_E_FORMAT: not this format, reserved bytes set, or the body does not fill
 * the rest of @size exactly. */
PSP_MUST_CHECK enum psp_err snp_firmware_decode(const uint8_t *buf, size_t size,
                                                struct snp_firmware *fw);

#endif
