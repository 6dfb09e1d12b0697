/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The transport that needs nothing: run a program with its opens and ioctls of
 * a few device paths answered by us, by seccomp user notification. No root, no
 * capability, no kernel module, any language, static binaries included.
 *
 * What the program sees
 * - open, openat, openat2 and creat of a node give a real descriptor at the
 *   lowest free number, with the program's access mode, O_CLOEXEC and status
 *   flags; dup, fork, exec and passing over a socket need no help from us.
 * - ioctl on such a descriptor reaches the chardev. Not trapped, and so
 * answered ENOTTY whatever the device would say: request types 'T' (terminals),
 * 0x89 (sockets), 'd' (DRM) and 0xAE (KVM), which busy programs use all the
 * time.
 * - stat, access, readlink and xattr calls on the path, and fstat on the
 *   descriptor, describe a character device of misc major 10.
 * - A path is ours by its text or by where it leads: relative to the current
 *   directory or a directory descriptor, through "..", symbolic links,
 *   /proc/self/root, in a chroot, in another mount namespace.
 * - 32-bit programs open nodes too; their ioctls get ENOTTY, as on Linux.
 *
 * What differs from a real node
 * - It is not listed in its directory; chmod, unlink and the like get ENOENT.
 * - read gives end of file, write EPERM, mmap EPERM or ENODEV; a real node
 *   answers EINVAL, EINVAL and ENODEV. lseek works instead of ESPIPE.
 * - O_PATH gives a descriptor that is useless as it should be, but does not say
 *   O_PATH to fcntl. io_uring's opens are not seen.
 * - A program that may not be traced by us (set-user-ID, another user's, made
 *   undumpable) is left alone: it sees this machine as it is.
 * - For an ordinary user the program runs with no_new_privs: set-user-ID bits
 *   and file capabilities have no effect. With CAP_SYS_ADMIN they keep it.
 * - A path that is not ours is read twice, by us and then by the kernel. A
 *   program that changes it in between fools only itself: this is a stand-in
 *   for a device, not a sandbox.
 *
 * Spec: abi/linux.md §1.1, §4.1, §8.1, §8.2.
 */
#ifndef TRANSPORT_SECCOMP_H
#define TRANSPORT_SECCOMP_H

#include "chardev.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** One node that the program is to see. */
struct run_node {
    const char *path;   /* absolute, no "." or "..": "/dev/sev-guest" */
    struct chardev dev; /* called from several threads at once */
    uint32_t mode;      /* permission bits, enforced; for example 0666 */
    uint32_t minor;     /* of misc major 10, shown by stat */
    uint32_t uid, gid;  /* owner; 0 as devtmpfs has it */
};

/** A path that is only to exist, read-only, as a directory or a file; or a
 * device that can only be read. */
struct run_probe {
    const char *path; /* as in struct run_node */
    bool directory;
    /** What opening a file gives; both empty: an empty file. A directory can be
     * opened (and listed) only with @source, one of the host. */
    const void *contents;
    size_t contents_size;
    uint64_t contents_at; /* offset in the file; before it stand zeros */
    const char *source;   /* host path, opened again for each open; wins */
    /** Not 0: stat shows this character device, with @mode, and it opens for
     * writing, though what is written is refused. Without @source. */
    dev_t device;
    uint32_t mode; /* its permission bits */
};

struct run_config {
    const struct run_node *nodes;
    size_t node_count;
    const struct run_probe *probes;
    size_t probe_count;
    char *const *argv; /* program and arguments, NULL-terminated */
    bool force;        /* shadow a path that really exists */
    /** When the program ends, kill what it left running. Otherwise serve on
     * until the last of its descendants has ended. */
    bool end_with_program;
    /** Threads that answer while nothing blocks; 0: a good default. More are
     * made while ioctls block, up to 64. */
    unsigned int worker_count;
    /** Called once in the supervisor after the program was started. May be
     * NULL. */
    void (*started)(void *ctx, int pid);
    /** Told at most once, from any thread, that a process could not be served;
     * one line without newline. May be NULL. */
    void (*warn)(void *ctx, const char *line);
    void *ctx;
};

#define RUN_ERROR_SIZE 256u

/**
 * Run the program and serve it, its threads and all its descendants until the
 * last has ended, even when the program itself ends earlier (as strace -f does;
 * see end_with_program).
 *
 * Signals: INT, TERM, HUP, QUIT, USR1, USR2 that reach the calling process
 * alone are forwarded to the program; those that its whole process group got
 * (the terminal's, kill(-group)) are not, since the program has them already.
 * After the program's end they go to what it left running. Ignored signals stay
 * ignored. Stopping and continuing work on the group as usual. When the caller
 * is killed (SIGKILL), the program is killed as well; descendants left over
 * then see ENOSYS from the trapped calls.
 *
 * While it runs, the calling process is a child subreaper, reaps every child
 * (it must have no others) and has one helper process. Call it from one thread
 * at a time. Once the last client is gone, SIGURG wakes its threads; it may cut
 * short a sleep in a chardev whose client was killed.
 *
 * @exit_status  The program's exit status as a shell gives it (128 + signal).
 *               On failure: 127 program not found, 126 not executable, 125
 *               anything else.
 * @error        RUN_ERROR_SIZE bytes: one line on failure, without newline.
 *
 * Returns 0 when the program was started; a negative errno otherwise:
 * -EEXIST  a path really exists and @force is false
 * -EINVAL  a path is not absolute and plain, or given twice; no program
 * -ENOSYS  the kernel lacks what is needed (Linux 5.14)
 * -EBUSY   the caller itself is supervised so (a run inside a run)
 * -ENOENT, -EACCES, -ENOEXEC, ... from starting the program
 * -ENOMEM, -EMFILE, ... from setting up
 */
int seccomp_run(const struct run_config *config, int *exit_status, char *error);

#endif
