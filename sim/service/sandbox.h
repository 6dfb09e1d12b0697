/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the daemon gives up once its devices and sockets are open.
 */
#ifndef SERVICE_SANDBOX_H
#define SERVICE_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#define SANDBOX_ERROR_SIZE 256u

/** Look names or numbers up; NULL leaves *uid or *gid at the caller's. Without
 * a group it is the user's own. 0, or -ENOENT with one line in @error. */
int sandbox_lookup(const char *user, const char *group, uid_t *uid, gid_t *gid,
                   char *error);

/** Become @uid and @gid for the moment, so that files are made as theirs; and
 * root again. 0 or a negative errno. */
int sandbox_act_as(uid_t uid, gid_t gid);
int sandbox_act_as_root(void);

/** For good: supplementary groups, real, effective and saved ids. Fails
 * (-EPERM) when root could be had back. */
int sandbox_drop(uid_t uid, gid_t gid);

/** What a FUSE or CUSE server needs: the memory of its clients. */
#define SANDBOX_FUSE 1u
/** What a build with AddressSanitizer needs to look for leaks when it ends. No
 * other build asks for it. */
#define SANDBOX_LEAK_CHECK 2u

/**
 * no_new_privs, and an allow-list of system calls for all threads: files,
 * memory that is not executable, threads, unix sockets. Everything else answers
 * EPERM: no program is started, no network socket made, no process looked at.
 *
 * @needs  Also what these flags say.
 */
int sandbox_enter(unsigned int needs);

#endif
