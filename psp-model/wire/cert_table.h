/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The GHCB certificate table of extended reports. Spec: abi/certs-kds.md §3.
 */
#ifndef WIRE_CERT_TABLE_H
#define WIRE_CERT_TABLE_H

#include <psp/err.h>

#include <stddef.h>
#include <stdint.h>

#define CERT_TABLE_ENTRY_SIZE 24u
/** Most that a hypervisor keeps. Linux's driver carries 0x4000 bytes of it. */
#define CERT_TABLE_MAX_SIZE  0x100000u
#define CERT_TABLE_MAX_COUNT 16u

/** GUIDs in memory order (RFC 4122 text order). */
extern const uint8_t CERT_GUID_VCEK[16];
extern const uint8_t CERT_GUID_VLEK[16];
extern const uint8_t CERT_GUID_ASK[16]; /* ASK or ASVK */
extern const uint8_t CERT_GUID_ARK[16];
extern const uint8_t CERT_GUID_CRL[16];
extern const uint8_t CERT_GUID_EXTRA_INFO[16];

struct cert_table_entry {
    uint8_t guid[16];
    const uint8_t *data; /* borrowed */
    size_t size;
};

/** Write entries, terminator and blobs, contiguous, in order. Returns the bytes
 * needed; writes only when @size is enough. @out may be NULL with size 0. */
size_t cert_table_encode(const struct cert_table_entry *entries, size_t count,
                         uint8_t *out, size_t size);

/**
 * Find the entries of a table. Data pointers borrow from @buf. Trailing padding
 * is fine; an empty buffer or one with only a terminator holds no entry.
 * PSP_E_FORMAT: no terminator, a zero GUID with an offset or a length, more
 * than
 * @max entries, a blob that overlaps the entry array or leaves the buffer.
 * *count is 0 then.
 */
PSP_MUST_CHECK enum psp_err cert_table_decode(const uint8_t *buf, size_t size,
                                              struct cert_table_entry *entries,
                                              size_t max, size_t *count);

/** Name of a GUID for people: "VCEK", "ASK", ... or NULL. */
const char *cert_guid_name(const uint8_t guid[16]);

#endif
