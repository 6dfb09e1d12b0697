/* SPDX-License-Identifier: Apache-2.0 */
/**
 * /dev/sev, or a file in its place, for many commands in a row. The published
 * broker opens it for each; here one opening serves whatever comes within
 * AEB_FILE_MS, from any thread, and then ends. So an idle broker holds nothing
 * that could keep a driver from being removed, and a file that was taken away
 * or replaced is noticed at most that much later. Spec: abi/aeb.md §1.3.
 */
#ifndef SERVICE_AEB_FILE_H
#define SERVICE_AEB_FILE_H

#include "aeb_device.h"

#define AEB_FILE_MS 100

struct aeb_file;

/** Nothing is opened yet. @path: NULL is /dev/sev; borrowed. 0, -ENOMEM or
 * -EAGAIN (no thread). */
int aeb_file_new(const char *path, struct aeb_file **out);
/** After its last command. NULL is fine. */
void aeb_file_free(struct aeb_file *f);

/** Its commands; they also return what open(2) refuses with. One that finds
 * nobody behind the file any more (ENOTCONN: FUSE and CUSE) opens it anew, and
 * the answer is that one's. */
struct aeb_device aeb_file_device(struct aeb_file *f);

#endif
