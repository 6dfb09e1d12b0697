/* SPDX-License-Identifier: Apache-2.0 */
/**
 * /dev/sev: what Linux's ccp driver does between a program and the firmware:
 * checks, copy rules, implicit INIT, errno and the `error` word. Every command
 * travels through the mailbox with its buffers in physical pages.
 * Spec: abi/linux.md §1, §2, §6, §9.
 */
#ifndef LINUX_CCP_H
#define LINUX_CCP_H

#include "chardev.h"
#include "port.h"

#include <psp/profile.h>
#include <psp/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

/** Which kernel to behave like. abi/linux.md §0.3. */
enum ccp_era {
    CCP_ERA_L,  /* "6.1": legacy commands only */
    CCP_ERA_S1, /* "6.10": SNP commands, EINVAL while SNP is not initialised */
    CCP_ERA_S2, /* "6.16": implicit INIT is undone; SNP starts on its own */
    CCP_ERA_S3, /* "6.12s": ENODEV while SNP is not initialised (default) */
};

/** Which numbers mean which commands. abi/linux.md §2.3. */
enum ccp_abi {
    CCP_ABI_MAINLINE,
    CCP_ABI_AEB2022,    /* SEV_GET_REPORT at 9 */
    CCP_ABI_AMDESE_RFC, /* 10 and 11 are SNP_{SET,GET}_EXT_CONFIG */
    CCP_ABI_AMDESE_6_6, /* 12 and 13 are SNP_SET_CONFIG_{START,END} */
    CCP_ABI_RFC2021A,   /* SNP commands from 256 */
};

/** Sub-command numbers of the mainline ABI; linux/psp-sev.h of older systems
 * lacks those from 9 on. */
enum ccp_number {
    CCP_FACTORY_RESET = 0,
    CCP_PLATFORM_STATUS = 1,
    CCP_PEK_GEN = 2,
    CCP_PEK_CSR = 3,
    CCP_PDH_GEN = 4,
    CCP_PDH_CERT_EXPORT = 5,
    CCP_PEK_CERT_IMPORT = 6,
    CCP_GET_ID = 7,
    CCP_GET_ID2 = 8,
    CCP_SNP_PLATFORM_STATUS = 9,
    CCP_SNP_COMMIT = 10,
    CCP_SNP_SET_CONFIG = 11,
    CCP_SNP_VLEK_LOAD = 12,
};

/** SEV_GET_REPORT under a number that every real kernel answers with EINVAL;
 * available in all ABIs. */
#define CCP_GET_REPORT_PRIVATE 0x80000009u

/** What follows an implicit INIT. */
enum ccp_after_init {
    CCP_AFTER_INIT_BY_ERA,   /* L, S1: stay; S2, S3: shutdown */
    CCP_AFTER_INIT_STAY,     /* the platform stays INIT */
    CCP_AFTER_INIT_SHUTDOWN, /* SHUTDOWN after the command */
};

/** What went wrong between driver and firmware, for tests. */
enum ccp_fault {
    CCP_FAULT_NONE,
    CCP_FAULT_NO_PSP,  /* every ioctl: ENODEV, nothing read */
    CCP_FAULT_TIMEOUT, /* the next firmware command is never answered; then
                        * the PSP is dead */
    CCP_FAULT_DEAD,    /* every firmware command: EBUSY */
};

struct ccp_config {
    enum ccp_era era;
    enum ccp_abi abi;
    enum ccp_after_init after_init;
    /** Leave an uninitialised platform alone at probe, as on a host without
     * kvm_amd; otherwise SNP and legacy INIT are done. */
    bool start_uninit;
    /** Number 9 in ABIs where it is SNP_PLATFORM_STATUS: guess by the caller's
     * 32 bytes whether SEV_GET_REPORT is meant. abi/linux.md §2.3. */
    bool auto_report;
    /** Follow the era also where that helps nobody: an implicit INIT of L and
     * S1 does not start SNP, which the firmware wants first; an implicit
     * shutdown takes SNP down even if it was up before; a failed implicit INIT
     * of S2 stores `error` 1; number 10 of aeb2022 is EINVAL. */
    bool strict;
    /** File that INIT_EX keeps the platform's keys in, or NULL: INIT with the
     * firmware's own store. Copied. abi/linux.md §1.6. */
    const char *init_ex_path;
    /** SNP_SET_EXT_CONFIG replaced the host-wide certificate table (NULL, 0:
     * dropped); the bytes are borrowed for the call. Called with the driver's
     * lock, as is the next: no ioctl from there. May be NULL. */
    void (*certs_changed)(void *ctx, const uint8_t *certs, size_t size);
    /** SNP_SET_CONFIG_START (true) and _END (false): extended guest requests
     * are to be answered BUSY in between. May be NULL. */
    void (*requests_paused)(void *ctx, bool paused);
    void *ctx;
};

/** Era 6.12s, mainline ABI, INIT at probe, everything else off. */
void ccp_config_default(struct ccp_config *config);

struct ccp_dev;

/**
 * Load the driver on @m: read the platform's state and, unless
 * config->start_uninit, initialise what is not yet initialised.
 *
 * @m  Borrowed until ccp_remove(). Other users of the machine may already have
 *     initialised the platform or launched guests.
 *
 * Returns 0 (also when the initialisation failed, as on Linux: see
 * ccp_start_status()), -ENODEV (PLATFORM_STATUS failed, no node appears),
 * -EINVAL (an enum of @config is out of range), -ENOMEM.
 */
int ccp_probe(struct machine *m, const struct ccp_config *config,
              struct ccp_dev **out);
/** The same on any port. @profile says whether the host has SNP and how many
 * sockets it has; copied. */
int ccp_probe_port(const struct port *port, const struct psp_profile *profile,
                   const struct ccp_config *config, struct ccp_dev **out);
/** Unload: gives the driver's pages back; the platform keeps its state. */
void ccp_remove(struct ccp_dev *dev);

/** Firmware status of the initialisation at probe; 0xffffffff when it failed
 * before the firmware was asked. */
uint32_t ccp_start_status(const struct ccp_dev *dev);
/** 0, or minus the errno of that initialisation: the firmware may have
 * succeeded and the file of INIT_EX not. */
int ccp_start_result(const struct ccp_dev *dev);

/**
 * What kvm_amd does before it makes a guest: initialise a platform that
 * somebody has shut down since, SNP included; it stays so. Nothing happens
 * while it is initialised, nor on a host without kvm_amd (start_uninit).
 * Thread-safe. abi/linux.md §6.1
 *
 * Returns 0; -EIO with *status the firmware's answer; -ETIMEDOUT, -EBUSY (no
 * answer), -ENOMEM, -EFAULT, or an errno of the INIT_EX file.
 */
int ccp_guest_init(struct ccp_dev *dev, enum sev_status *status);

/** The device for a transport; valid until ccp_remove(). */
struct chardev ccp_chardev(struct ccp_dev *dev);

/** From now on behave as if this had happened. Thread-safe. */
void ccp_set_fault(struct ccp_dev *dev, enum ccp_fault fault);

/** Spelling of an era on the command line, and back (-1: unknown). The names
 * above and "6.12.117" (S3), "7.0" (S2), "l", "s1", "s2", "s3" are understood.
 */
const char *ccp_era_name(enum ccp_era era);
int ccp_era_by_name(const char *name);
/** "mainline", "aeb2022", "amdese-rfc", "amdese-6.6", "rfc2021a". */
const char *ccp_abi_name(enum ccp_abi abi);
int ccp_abi_by_name(const char *name);

/**
 * What a number means, for traces, documents and tests.
 *
 * @index  0, 1, ... over the numbers that @config serves.
 * @name   Out: for example "SEV_PEK_CSR". Static storage.
 * @number Out: the value of `cmd`.
 *
 * Returns false past the last one.
 */
bool ccp_command_at(const struct ccp_config *config, size_t index,
                    const char **name, uint32_t *number);

#endif
