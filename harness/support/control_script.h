/* SPDX-License-Identifier: Apache-2.0 */
/** A daemon behind a control socket that answers from a list, whatever it is
 * asked. One at a time, one connection at a time. */
#ifndef CONTROL_SCRIPT_H
#define CONTROL_SCRIPT_H

#include <stddef.h>

/* In place of an answer. */
#define CONTROL_STALL ((const char *)1) /* none, and the connection stays */
#define CONTROL_CLOSE ((const char *)2)

/** A guest, as far as a broker looks at it. All are strings. */
#define CONTROL_SHOWN(name, handle, generation)                                \
    "\"ok\":true,\"result\":{\"name\":\"" name "\",\"handle\":" handle         \
    ",\"generation\":" generation "}"

/** Each is what stands behind "id" in the answer to one request; CONTROL_CLOSE
 * when there are no more. Borrowed. */
void control_script_start(const char *const *answers, size_t count);
void control_script_stop(void);
const char *control_script_path(void);
/** Requests so far. */
size_t control_script_asked(void);

#endif
