/* SPDX-License-Identifier: Apache-2.0 */
/**
 * configfs-tsm: the report entries of /sys/kernel/config/tsm/report, without a
 * file system. mkdir makes an entry; its attributes take the inputs of a report
 * and give the report, its certificates and what is known about both.
 *
 * Reports come from a provider: a sev-guest device, reached by the same ioctl
 * as any program's (one SNP_GET_EXT_REPORT for outblob and auxblob together).
 *
 * All functions are thread-safe. While one entry waits for its report, others
 * go on. Results below 0 are negative errnos.
 * Spec: abi/linux.md §5.
 */
#ifndef LINUX_TSM_H
#define LINUX_TSM_H

#include "chardev.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum tsm_attr {
    TSM_INBLOB,
    TSM_OUTBLOB,
    TSM_AUXBLOB,
    TSM_MANIFESTBLOB,
    TSM_PROVIDER,
    TSM_GENERATION,
    TSM_PRIVLEVEL,
    TSM_PRIVLEVEL_FLOOR,
    TSM_SERVICE_PROVIDER,
    TSM_SERVICE_GUID,
    TSM_SERVICE_MANIFEST_VERSION,
    TSM_ATTR_COUNT
};

/** What inblob takes, what a blob that is read may hold, what one write to a
 * text attribute stores; bytes. */
#define TSM_INBLOB_MAX 64u
#define TSM_BLOB_MAX   32768u
#define TSM_TEXT_MAX   4095u

/** Longest name of an entry. */
#define TSM_NAME_MAX 255u

/** Where reports come from. */
struct tsm_provider {
    const char *name;   /* what the attribute says; NULL: "sev_guest" */
    struct chardev dev; /* a sev-guest device */
    /** Lowest privlevel that is accepted: the VMPCK in use, 0..3. */
    unsigned int privlevel_floor;
    /** The guest's kernel does not run at VMPL 0: new entries have
     * manifestblob and the service attributes. */
    bool service;
};

struct tsm;
struct tsm_entry;
struct tsm_file;

/** A registry without entries and without a provider; NULL: out of memory. */
struct tsm *tsm_new(void);
/** Entries and files that are still referenced live on. NULL is fine. */
void tsm_free(struct tsm *tsm);

/** Set the provider (copied; device and name are borrowed), or end it with
 * NULL; waits until no report is being made. */
void tsm_register(struct tsm *tsm, const struct tsm_provider *provider);

/** -EEXIST; -ENXIO without a provider; -ENAMETOOLONG; -ENOMEM. @out (may be
 * NULL) is a reference for the caller. */
int tsm_mkdir(struct tsm *tsm, const char *name, struct tsm_entry **out);
/** The same for somebody who need not be root; tsm_mkdir() is root's. */
int tsm_mkdir_as(struct tsm *tsm, const char *name, uint32_t uid, uint32_t gid,
                 struct tsm_entry **out);
/** -ENOENT. Open files keep the entry; what they have not read yet is gone. */
int tsm_rmdir(struct tsm *tsm, const char *name);

/** References to find entries by; NULL: there is none. Ids start at 1, go up in
 * order of creation and are never used again. */
struct tsm_entry *tsm_lookup(struct tsm *tsm, const char *name);
struct tsm_entry *tsm_by_id(struct tsm *tsm, uint64_t id);
/** The entry with the lowest id above @id. */
struct tsm_entry *tsm_next(struct tsm *tsm, uint64_t id);
void tsm_put(struct tsm_entry *entry);

uint64_t tsm_entry_id(const struct tsm_entry *entry);
const char *tsm_entry_name(const struct tsm_entry *entry);
/** Who has made it. */
void tsm_entry_owner(const struct tsm_entry *entry, uint32_t *uid,
                     uint32_t *gid);
bool tsm_entry_has(const struct tsm_entry *entry, enum tsm_attr attr);

/** Name, permission bits, and whether it is a blob; and back (-1: no such). */
const char *tsm_attr_name(enum tsm_attr attr);
uint32_t tsm_attr_mode(enum tsm_attr attr);
bool tsm_attr_is_blob(enum tsm_attr attr);
int tsm_attr_by_name(const char *name);

/** Open an attribute. -ENOENT: the entry does not have it, or is gone; -EACCES:
 * it cannot be opened that way, by anyone; -ENOMEM. */
int tsm_open(struct tsm_entry *entry, enum tsm_attr attr, bool read, bool write,
             struct tsm_file **out);

/**
 * Read @size bytes at @offset; the first read decides what the whole file says.
 * Returns how many, 0 at the end. -EBADF: not open for reading.
 *
 * -ENOENT   the entry was removed before the first read
 * -ENXIO    no provider
 * -ETXTBSY  the file has been written
 * Blobs: -EINVAL no inblob yet, not 64 bytes, a service that is not "svsm" or
 * is not there, a privlevel or key that the firmware refuses; -ENXIO another
 * refusal; -ENOMEM; -EFBIG; -EIO, -ENOTTY, -EBADMSG, -ETIMEDOUT from the
 * driver.
 */
ssize_t tsm_read(struct tsm_file *file, uint64_t offset, void *buf,
                 size_t size);

/**
 * Write. inblob: kept until tsm_flush(). Text: stored at once, whatever the
 * offset, TSM_TEXT_MAX bytes at most. Returns how many bytes were taken.
 *
 * -EBADF    not open for writing
 * -ENOENT   the entry was removed (text)
 * -ETXTBSY  the file has been read
 * -EFBIG    inblob would grow beyond TSM_INBLOB_MAX
 * -EINVAL   not a number, out of range, not a GUID; -ERANGE: not 32 bits
 * -ENXIO    privlevel without a provider
 * -EBUSY    2^64 - 1 writes without a report in between
 */
ssize_t tsm_write(struct tsm_file *file, uint64_t offset, const void *buf,
                  size_t size);

/** What happens when a descriptor is closed: inblob takes what was written
 * since. Even what was refused: after -EFBIG alone it is empty. */
void tsm_flush(struct tsm_file *file);
/** tsm_flush() and free. NULL is fine. */
void tsm_close(struct tsm_file *file);

#endif
