/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the files of the sev-guest driver share.
 */
#ifndef LINUX_SEV_GUEST_DEV_H
#define LINUX_SEV_GUEST_DEV_H

#include "sev_guest.h"
#include "sev_guest_msg.h"

#include <pthread.h>

/** Largest certificate buffer, and pages that are shared for it. */
#define SEV_GUEST_CERTS_MAX   0x4000u
#define SEV_GUEST_CERTS_PAGES (SEV_GUEST_CERTS_MAX / GUEST_MSG_SIZE)

/** How a kernel treats what goes wrong. abi/linux.md §4.8 */
struct sev_guest_traits {
    const char *name;
    /** Gone keys are noticed before the request is looked at, and nothing is
     * written back then. */
    bool key_test_first;
    /** Errors wipe the key. */
    bool wipes;
    /** Certificates that do not fit: the same message goes out again as a
     * plain request, so that its number is used up. */
    bool resends;
    /** ... and the ioctl then succeeds. */
    bool short_is_success;
    /** The counter advances whatever the answer; a request that only lacked
     * room for certificates keeps the key. */
    bool counts_always;
    /** BUSY is waited out. */
    bool waits;
    /** Without a choice, the VMPCK of the guest's VMPL; before that 0. */
    bool vmpck_of_vmpl;
    /** exitinfo2 while no answer has come. */
    uint64_t unanswered;
};

struct sev_guest_dev {
    struct vm *vm;
    struct sev_guest_config config;
    const struct sev_guest_traits *traits;
    unsigned int vmpck_id;
    uint64_t request_gpa; /* shared pages */
    uint64_t response_gpa;
    uint64_t certs_gpa;
    pthread_mutex_t lock; /* guards what follows, and the shared pages */
    bool disabled;        /* this driver wiped its key */
    uint8_t message[GUEST_MSG_SIZE];
};

const struct sev_guest_traits *sev_guest_traits(enum sev_guest_era era);

/** True if the key is there: not wiped, not all zero. */
bool sev_guest_has_key(struct sev_guest_dev *dev);

/** One request and its answer. */
struct guest_exchange {
    uint8_t type;
    uint8_t version;
    bool extended;
    const uint8_t *payload;
    size_t payload_size;
    uint8_t *response; /* written whole on success */
    size_t response_size;
    uint8_t *certs; /* certs_pages pages, or NULL */
    /** In: pages offered. Out, with exitinfo2 INVALID_LEN: pages needed. */
    uint64_t certs_pages;
    uint64_t exitinfo2; /* changed when the request reaches the hypervisor */
};

/**
 * Send a request and take its answer: steps 8 to 15 of abi/linux.md §4.4.
 * Returns 0 (response delivered), a GHCB error 1..5, or a negative errno.
 */
int sev_guest_exchange(struct sev_guest_dev *dev, struct guest_exchange *x);

#endif
