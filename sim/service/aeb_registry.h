/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Which firmware handle a guest has now, as the daemon that launched it says
 * (CONTROL.md, guest.show). Handles are used again: a guest is the same as
 * before only when its generation is. Thread-safe; a connection is kept.
 */
#ifndef SERVICE_AEB_REGISTRY_H
#define SERVICE_AEB_REGISTRY_H

#include <stdint.h>

#define AEB_GUEST_NAME_SIZE 64u
#define AEB_REGISTRY_ERROR  512u

struct aeb_guest {
    uint32_t handle;
    uint64_t generation; /* of this launch; never 0 */
};

struct aeb_registry;

/** @path: the control socket; borrowed. 0, or a negative errno with one line in
 * @error (AEB_REGISTRY_ERROR bytes): nobody is there. */
int aeb_registry_open(const char *path, struct aeb_registry **out, char *error);
void aeb_registry_close(struct aeb_registry *r); /* NULL is fine */

/** 0; -ENOENT: no such guest, or one without a handle; other negative errnos:
 * the daemon could not be asked, for two seconds at most. */
int aeb_registry_get(struct aeb_registry *r, const char *name,
                     struct aeb_guest *out);
/** The guest that has @handle now. As aeb_registry_get(). */
int aeb_registry_find(struct aeb_registry *r, uint32_t handle,
                      char name[AEB_GUEST_NAME_SIZE], struct aeb_guest *out);

#endif
