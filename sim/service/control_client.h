/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The other end of the control socket: one request, one answer; and a device of
 * a running platform as a chardev. See CONTROL.md.
 */
#ifndef SERVICE_CONTROL_CLIENT_H
#define SERVICE_CONTROL_CLIENT_H

#include "chardev.h"
#include "control_io.h"

#include <jansson.h>
#include <stdbool.h>

#define CONTROL_ERROR_SIZE 512u

/** Where the daemon listens by default: /run/swpsp/control.sock for root,
 * $XDG_RUNTIME_DIR/swpsp/control.sock for others. Static storage. */
const char *control_default_socket(void);

struct control_client {
    struct control_io io;
    int next_id;
    int wait_ms; /* for an answer to begin; below 0 (as connected): for ever */
};

/** Connect. 0, or a negative errno with one line in @error. */
int control_connect(struct control_client *c, const char *path, char *error);
void control_disconnect(struct control_client *c);

/**
 * Send a request and wait for its answer.
 *
 * @request  An object with "op" and its arguments; "v" and "id" are added. The
 *           reference is taken over.
 * @result   Out: the answer's "result", json_decref().
 *
 * 0; -EREMOTEIO when the daemon said no (@error holds what it said), or the
 * errno of a broken connection.
 */
int control_call(struct control_client *c, json_t *request, json_t **result,
                 char *error);

/** Next line of a stream that control_call() has started ("trace"). 1, 0 at the
 * end, or a negative errno. */
int control_next(struct control_client *c, json_t **line);

struct control_device;

/**
 * The device of guest @guest ("host": /dev/sev) on the platform behind @path.
 * Each ioctl in flight has a connection of its own; idle ones are kept. When
 * the daemon or the guest is gone, ioctls answer ENODEV; when both are back,
 * they work again.
 */
int control_device_open(const char *path, const char *guest,
                        struct control_device **out, char *error);
void control_device_close(struct control_device *d);
/** The platform has SNP. */
bool control_device_has_snp(const struct control_device *d);
/** Valid until control_device_close(); callable from any thread. */
struct chardev control_device_chardev(struct control_device *d);

#endif
