/* SPDX-License-Identifier: Apache-2.0 */
/**
 * /dev/sev-guest: what Linux's sev-guest driver does between a program and the
 * firmware, inside one SNP guest. Every request travels the whole way: message
 * built and sealed with a VMPCK from the guest's secrets page, VM exit,
 * hypervisor, mailbox, reply verified and opened.
 * Spec: abi/linux.md §4.
 */
#ifndef LINUX_SEV_GUEST_H
#define LINUX_SEV_GUEST_H

#include "chardev.h"
#include "vm.h"

/** Which kernel to behave like. abi/linux.md §4.8. */
enum sev_guest_era {
    SEV_GUEST_5_19, /* errors neither wipe the key nor advance the counter */
    SEV_GUEST_6_1,  /* IV-reuse fix; length query returns 0 in its first form */
    SEV_GUEST_6_3, /* BUSY retry; length query is EIO again; VMPCK test first */
    SEV_GUEST_6_13, /* current order of checks (default) */
};

struct sev_guest_config {
    enum sev_guest_era era;
    /** 0..3, or -1: what the kernel takes by itself. Since 6.11 (era 6.13) that
     * is the VMPL that it runs at, before 0. abi/linux.md §4.6 */
    int vmpck_id;
    /** Key requests of message version 2 are 40 bytes, with LAUNCH_MIT_VECTOR.
     * Linux reads 32, so that the vector is always zero. abi/linux.md §9 */
    bool long_key_request;
    /** Sleep between resends while the hypervisor answers BUSY, called with
     * milliseconds; NULL: no sleep. Linux waits 2000 ms, 60 s at most. */
    void (*sleep_ms)(void *ctx, unsigned int ms);
    void *sleep_ctx;
};

struct sev_guest_dev;

/**
 * Probe the driver in @vm (an SNP guest, RUNNING). Returns 0, -ENODEV (not an
 * SNP guest), -EINVAL (vmpck_id out of range or that key is all zero),
 * -ENOMEM. @vm is borrowed until sev_guest_remove().
 */
int sev_guest_probe(struct vm *vm, const struct sev_guest_config *config,
                    struct sev_guest_dev **out);
void sev_guest_remove(struct sev_guest_dev *dev);

/** Which VMPCK it uses. */
unsigned int sev_guest_vmpck(const struct sev_guest_dev *dev);

/** The device for a transport; valid until sev_guest_remove(). */
struct chardev sev_guest_chardev(struct sev_guest_dev *dev);

/** Spelling of an era on the command line ("6.13"), and back (-1: unknown). */
const char *sev_guest_era_name(enum sev_guest_era era);
int sev_guest_era_by_name(const char *name);

#endif
