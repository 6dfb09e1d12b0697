/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The guests of a running platform: launched, looked up, stopped, and launched
 * again from their stored requests. Thread-safe.
 *
 * A launch request is a JSON object:
 *
 *   name         what the guest is called (state_name_ok(); not "host")
 *   kind         "snp" (default) or "legacy"
 *   description  guest description without file names (spec.h,
 *                legacy_vm_spec.h); default {}
 *   certs        "vcek", "vlek", "none", or {"base64": "..."}: a certificate
 *                table; default: "vlek" when the platform has one loaded, else
 *                "vcek"; SNP only
 *   kernel       era of the guest's driver, default "6.13"; SNP only
 *   vmpck        0..3, default: the VMPL of the guest's kernel, with kernels
 *                before 6.13: 0; SNP only
 *   long_key_request  key requests of version 2 have LAUNCH_MIT_VECTOR
 *                (sev_guest.h), default false; SNP only
 */
#ifndef SERVICE_SERVE_GUESTS_H
#define SERVICE_SERVE_GUESTS_H

#include "ccp.h"
#include "chardev.h"
#include "fault_host.h"
#include "install.h"
#include "legacy_vm.h"
#include "machine.h"
#include "sev_guest.h"
#include "state_store.h"

#include <jansson.h>
#include <stdbool.h>

#define SERVE_ERROR_SIZE STATE_ERROR_SIZE
/** Most guests at once, unless another number is asked for. */
#define SERVE_GUESTS_DEFAULT 256u
/** Most that may be asked for: no machine has more ASIDs. */
#define SERVE_GUESTS_LIMIT 65535u
/** Most guests in one answer of serve_guests_list(). */
#define SERVE_LIST_MAX 4096u
/** The name that stands for the host's /dev/sev. */
#define SERVE_HOST_NAME "host"

/** What the guests are launched on; borrowed. */
struct serve_platform {
    struct machine *m;
    struct ccp_dev *ccp; /* initialises it again; NULL: nobody does */
    struct install *install;
    struct psp_chip chip; /* copied */
    struct psp_tcb reported_tcb;
    bool vlek;
    struct state_store *store; /* NULL: nothing is kept */
    uint32_t max_guests;       /* 0: SERVE_GUESTS_DEFAULT */
    struct fault_host *faults; /* NULL: an honest host */
    enum legacy_vm_handle_mode vm_handle;
};

struct serve_guests;
struct serve_guest;

/** 0 or -ENOMEM. */
int serve_guests_new(const struct serve_platform *platform,
                     struct serve_guests **out);
/** Ends the guests, and keeps their files. Nobody uses one any more. */
void serve_guests_free(struct serve_guests *g);

/** Launch what is stored, in the order of the first launches. Returns 0, or an
 * error of a file that was refused (@error). A guest that the firmware refuses
 * is listed as "failed" with the reason. */
int serve_guests_relaunch(struct serve_guests *g, char *error);

/**
 * Launch a guest; it is stored when this returns 0, with its description for
 * people in *shown (json_decref()).
 *
 * -EINVAL (the request), -EEXIST (the name), -ENOSPC (too many), -EIO (refused
 * by the firmware), -ENODEV (it has no /dev/sev-guest), or an errno of the
 * state; @error says what.
 */
int serve_guests_launch(struct serve_guests *g, const json_t *request,
                        json_t **shown, char *error);

/** Names and main facts of at most @limit guests in the order of their launch,
 * from the first whose number is above *after (0: from the first of all) on.
 * *after becomes the number of the last one in the list when there are more,
 * else 0. A new reference; NULL when out of memory. */
json_t *serve_guests_list(struct serve_guests *g, uint64_t *after,
                          size_t limit);
/** Everything of one. A new reference; NULL when there is no such guest, or out
 * of memory. */
json_t *serve_guests_show(struct serve_guests *g, const char *name);
size_t serve_guests_count(struct serve_guests *g);
/** How many there may be. */
uint32_t serve_guests_max(const struct serve_guests *g);

/**
 * Stop a guest and forget its file. @detach is called for it, without locks,
 * when nobody can find it any more, and must make its users let go.
 * 0, -ENOENT, or an errno of the state (the guest goes on then).
 */
int serve_guests_stop(struct serve_guests *g, const char *name,
                      void (*detach)(void *ctx, const struct serve_guest *),
                      void *ctx, char *error);

/** A legacy guest's vCPU at privilege level @cpl (0..3) executes hypercall
 * @number, in long mode: the new RAX. -ENOENT, -EINVAL (no legacy guest, or not
 * running). */
int serve_guest_hypercall(struct serve_guests *g, const char *name,
                          unsigned int cpl, uint64_t number, uint64_t *rax,
                          char *error);

/** Something in the guest writes to its memory at @gpa; @was: what stood there.
 * As above, and -EFAULT: it has no such memory. */
int serve_guest_write(struct serve_guests *g, const char *name, uint64_t gpa,
                      const uint8_t *data, uint8_t *was, size_t size,
                      char *error);

/** Use a guest's device until serve_guest_put(). -ENOENT, -ENODEV (no SNP
 * guest, or one that failed to start). */
int serve_guest_get(struct serve_guests *g, const char *name,
                    struct serve_guest **out, struct chardev *dev, char *error);
void serve_guest_put(struct serve_guests *g, struct serve_guest *guest);
/** Its stop has begun. Who starts to use it must look once @detach could have
 * seen that, as the stop waits for its users. */
bool serve_guest_stops(const struct serve_guest *guest);

/** What a guest's sev-guest driver is, and what it runs on. */
struct serve_driver {
    enum sev_guest_era era;
    unsigned int vmpl; /* of its kernel */
    unsigned int vmpck;
    uint64_t sev_features; /* SEV_FEATURES of its first vCPU */
};

/**
 * Tell @fn of the guests that have a sev-guest driver: those that there are,
 * during this call; then each one that is launched, and each that is about to
 * end (@driver NULL). One call at a time, by a thread that must launch and stop
 * nothing. One watcher; @fn NULL: no more.
 */
void serve_guests_watch(struct serve_guests *g,
                        void (*fn)(void *ctx, const char *name,
                                   const struct serve_driver *driver),
                        void *ctx);

/** SNP_SET_EXT_CONFIG: the host-wide table that all guests get from now on
 * (NULL, 0: none); and SNP_SET_CONFIG_START and _END: extended
 * requests are answered BUSY in between. As the hooks of struct ccp_config. */
void serve_guests_certs_changed(void *guests, const uint8_t *certs,
                                size_t size);
void serve_guests_paused(void *guests, bool paused);

/** Leaf, intermediate and root as the platform hands them out, for the "certs"
 * operation. 0, or an errno with @error. */
int serve_guests_certs(struct serve_guests *g, json_t **out, char *error);

#endif
