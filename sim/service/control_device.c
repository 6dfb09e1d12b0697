/* SPDX-License-Identifier: Apache-2.0 */
/* A device of a running platform: the client's memory is read and written here,
 * by whatever transport calls; the work is done by the daemon. */
#include "control_client.h"

#include "crypto.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SEND_MS  10000
#define IDLE_MAX 8u

struct control_device {
    char *path;
    char *guest;
    char name[16];
    bool snp;
    pthread_mutex_t lock;
    struct control_client idle[IDLE_MAX]; /* attached, waiting */
    size_t idle_count;
};

static int attach(const struct control_device *d, struct control_client *c,
                  bool *snp, char *error)
{
    json_t *result = NULL;
    int rc = control_connect(c, d->path, error);

    if (rc != 0) {
        return rc;
    }
    rc = control_call(
        c, json_pack("{s:s, s:s}", "op", "attach", "guest", d->guest), &result,
        error);
    *snp = json_is_true(json_object_get(result, "snp"));
    json_decref(result);
    if (rc != 0) {
        control_disconnect(c);
    }
    return rc;
}

/* Nothing has been said since: not even the end of the connection. */
static bool is_quiet(const struct control_client *c)
{
    struct pollfd p = {.fd = c->io.fd, .events = POLLIN};

    return c->io.have == 0 && poll(&p, 1, 0) == 0;
}

static int take(struct control_device *d, struct control_client *c)
{
    char error[CONTROL_ERROR_SIZE];
    bool found = false, snp = false;

    (void)pthread_mutex_lock(&d->lock);
    while (d->idle_count > 0 && !found) {
        *c = d->idle[--d->idle_count];
        found = is_quiet(c);
        if (!found) {
            control_disconnect(c);
        }
    }
    (void)pthread_mutex_unlock(&d->lock);
    return found ? 0 : attach(d, c, &snp, error);
}

static void give_back(struct control_device *d, struct control_client *c)
{
    (void)pthread_mutex_lock(&d->lock);
    if (d->idle_count < IDLE_MAX) {
        d->idle[d->idle_count++] = *c;
        c->io.fd = -1;
    }
    (void)pthread_mutex_unlock(&d->lock);
    control_disconnect(c);
}

/* The daemon asks for ranges of the client's memory. */
static int answer_need(struct control_client *c, const struct control_frame *f,
                       struct umem *um)
{
    struct psp_rd rd = psp_rd(f->body, f->size);
    uint8_t *body = malloc(CONTROL_FRAME_MAX);
    struct psp_wr w = psp_wr(body, CONTROL_FRAME_MAX);
    int err = body == NULL ? -ENOMEM : 0;

    while (err == 0 && psp_rd_left(&rd) > 0) {
        uint64_t addr = psp_rd_le64(&rd);
        uint32_t size = psp_rd_le32(&rd);
        size_t at = w.pos;
        int fault;

        if (rd.bad || size > CONTROL_FRAME_MAX - 4 ||
            at > CONTROL_FRAME_MAX - 4 - size) {
            err = -EPROTO;
            break;
        }
        fault = umem_read(um, addr, body + at + 4, size);
        psp_wr_le32(&w, (uint32_t)fault);
        w.pos += fault == 0 ? size : 0;
    }
    if (err == 0) {
        err = control_frame_write(c->io.fd, CONTROL_DATA, body, w.pos, SEND_MS);
    }
    if (body != NULL) {
        psp_wipe(body, w.pos);
    }
    free(body);
    return err;
}

/* The handler's writes, in its order. A handler whose write fails writes
 * nothing more but its envelope, at the ioctl's argument, and answers EFAULT.
 */
static int64_t apply(const struct control_frame *f, uint64_t arg,
                     struct umem *um)
{
    struct psp_rd rd = psp_rd(f->body, f->size);
    int64_t result = (int64_t)psp_rd_le64(&rd);
    bool failed = false;

    if (psp_rd_left(&rd) > 0 && umem_commit(um) != 0) {
        return -EINTR; /* the client is gone */
    }
    while (psp_rd_left(&rd) > 0) {
        uint64_t addr = psp_rd_le64(&rd);
        uint32_t size = psp_rd_le32(&rd);
        const uint8_t *data = psp_rd_view(&rd, size);

        if (data != NULL && (!failed || addr == arg)) {
            failed |= umem_write(um, addr, data, size) != 0;
        }
    }
    if (rd.bad) {
        return -EIO;
    }
    return failed ? -EFAULT : result;
}

static int64_t converse(struct control_client *c, uint64_t arg, struct umem *um)
{
    struct control_frame f;
    int64_t result = UMEM_RETRY;
    int err = 0;

    while (result == UMEM_RETRY && err == 0) {
        err = control_frame_read(&c->io, -1, SEND_MS, &f);
        if (err != 0) {
            break;
        }
        if (f.type == CONTROL_NEED) {
            err = answer_need(c, &f, um);
        } else if (f.type == CONTROL_RESULT && f.size >= 8) {
            result = apply(&f, arg, um);
        } else {
            err = -EPROTO;
        }
        psp_wipe(f.body, f.size);
        free(f.body);
    }
    return err != 0 ? -ENODEV : result;
}

static int64_t remote_ioctl(void *dev, bool writable, uint32_t request,
                            uint64_t arg, struct umem *um)
{
    struct control_device *d = dev;
    struct control_client c;
    uint8_t body[16];
    struct psp_wr w = psp_wr(body, sizeof(body));
    int64_t result = -ENODEV;

    if (take(d, &c) != 0) {
        return -ENODEV;
    }
    psp_wr_le32(&w, writable ? CONTROL_IOCTL_WRITABLE : 0);
    psp_wr_le32(&w, request);
    psp_wr_le64(&w, arg);
    if (control_frame_write(c.io.fd, CONTROL_IOCTL, body, sizeof(body),
                            SEND_MS) == 0) {
        result = converse(&c, arg, um);
    }
    if (result == -ENODEV) {
        control_disconnect(&c);
    } else {
        give_back(d, &c);
    }
    return result;
}

static const struct chardev_ops REMOTE_OPS = {.ioctl = remote_ioctl};

int control_device_open(const char *path, const char *guest,
                        struct control_device **out, char *error)
{
    struct control_device *d = calloc(1, sizeof(*d));
    struct control_client c;
    int rc;

    *out = NULL;
    if (d == NULL) {
        return -ENOMEM;
    }
    (void)pthread_mutex_init(&d->lock, NULL);
    d->path = strdup(path);
    d->guest = strdup(guest);
    strcpy(d->name, strcmp(guest, "host") == 0 ? "sev" : "sev-guest");
    rc = d->path == NULL || d->guest == NULL ? -ENOMEM
                                             : attach(d, &c, &d->snp, error);
    if (rc != 0) {
        control_device_close(d);
        return rc;
    }
    give_back(d, &c);
    *out = d;
    return 0;
}

void control_device_close(struct control_device *d)
{
    if (d == NULL) {
        return;
    }
    while (d->idle_count > 0) {
        control_disconnect(&d->idle[--d->idle_count]);
    }
    (void)pthread_mutex_destroy(&d->lock);
    free(d->path);
    free(d->guest);
    free(d);
}

bool control_device_has_snp(const struct control_device *d)
{
    return d->snp;
}

struct chardev control_device_chardev(struct control_device *d)
{
    return (struct chardev){.name = d->name, .ops = &REMOTE_OPS, .dev = d};
}
