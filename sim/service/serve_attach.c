/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_attach.h"

#include "crypto.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_MAX 16u
#define ROUNDS_MAX 16u
#define IOCTL_SIZE 16u

/* A range of the client's memory, fetched once. */
struct fetched {
    uint64_t addr;
    size_t size;
    int error;
    uint8_t *data; /* NULL: still to be asked for, or it faulted */
    bool asked;
};

/* The client's memory at the other end of the socket. */
struct remote_umem {
    struct umem um;
    struct fetched ranges[RANGES_MAX];
    size_t count;
    size_t total; /* bytes in ranges */
    bool committed;
    uint8_t *writes; /* addr, size, bytes; as CONTROL_RESULT wants them */
    size_t writes_size;
};

static struct remote_umem *remote_of(struct umem *um)
{
    return (struct remote_umem *)(void *)um; /* first member */
}

static int remote_read(struct umem *um, uint64_t addr, void *buf, size_t size)
{
    struct remote_umem *r = remote_of(um);
    struct fetched *f;

    for (size_t i = 0; i < r->count; i++) {
        f = &r->ranges[i];
        if (f->asked && addr >= f->addr && size <= f->size &&
            addr - f->addr <= f->size - size) {
            if (f->error == 0) {
                memcpy(buf, f->data + (addr - f->addr), size);
            }
            return f->error;
        }
    }
    if (r->committed || r->count == RANGES_MAX ||
        size > CONTROL_FRAME_MAX / 2 - r->total) {
        return -EFAULT;
    }
    r->ranges[r->count++] = (struct fetched){.addr = addr, .size = size};
    r->total += size;
    return UMEM_RETRY;
}

static int remote_commit(struct umem *um)
{
    remote_of(um)->committed = true;
    return 0;
}

/* Kept until the handler has ended. That it seems to succeed here is made good
 * by the client, which answers EFAULT itself; see control_device.c. */
static int remote_write(struct umem *um, uint64_t addr, const void *buf,
                        size_t size)
{
    struct remote_umem *r = remote_of(um);
    size_t need = 12 + size;
    uint8_t *more;
    struct psp_wr w;

    if (size > CONTROL_FRAME_MAX / 2 ||
        r->writes_size + need > CONTROL_FRAME_MAX - 8) {
        return -EFAULT;
    }
    more = malloc(r->writes_size + need);
    if (more == NULL) {
        return -EFAULT;
    }
    if (r->writes != NULL) {
        memcpy(more, r->writes, r->writes_size);
        psp_wipe(r->writes, r->writes_size);
        free(r->writes);
    }
    w = psp_wr(more + r->writes_size, need);
    psp_wr_le64(&w, addr);
    psp_wr_le32(&w, (uint32_t)size);
    psp_wr_bytes(&w, buf, size);
    r->writes = more;
    r->writes_size += need;
    return 0;
}

static const struct umem_ops REMOTE_OPS = {
    .read = remote_read,
    .commit = remote_commit,
    .write = remote_write,
};

static void remote_clear(struct remote_umem *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->ranges[i].data != NULL) {
            psp_wipe(r->ranges[i].data, r->ranges[i].size);
            free(r->ranges[i].data);
        }
    }
    if (r->writes != NULL) {
        psp_wipe(r->writes, r->writes_size);
        free(r->writes);
    }
}

static int send_need(const struct serve_attach *a, struct control_io *io,
                     const struct remote_umem *r)
{
    uint8_t body[RANGES_MAX * 12];
    struct psp_wr w = psp_wr(body, sizeof(body));

    for (size_t i = 0; i < r->count; i++) {
        if (!r->ranges[i].asked) {
            psp_wr_le64(&w, r->ranges[i].addr);
            psp_wr_le32(&w, (uint32_t)r->ranges[i].size);
        }
    }
    return control_frame_write(io->fd, CONTROL_NEED, body, w.pos, a->stall_ms);
}

static int take_range(struct fetched *f, struct psp_rd *rd)
{
    int32_t error = (int32_t)psp_rd_le32(rd);
    const uint8_t *data;

    f->asked = true;
    if (rd->bad) {
        return -EPROTO;
    }
    if (error != 0) {
        f->error = -EFAULT; /* whatever the peer calls it */
        return 0;
    }
    data = psp_rd_view(rd, f->size);
    f->data = malloc(f->size);
    if (data == NULL || f->data == NULL) {
        return data == NULL ? -EPROTO : -ENOMEM;
    }
    memcpy(f->data, data, f->size);
    return 0;
}

static int receive_data(const struct serve_attach *a, struct control_io *io,
                        struct remote_umem *r)
{
    struct control_frame frame;
    struct psp_rd rd;
    int err = control_frame_read(io, a->stall_ms, a->stall_ms, &frame);

    if (err != 0) {
        return err;
    }
    rd = psp_rd(frame.body, frame.size);
    err = frame.type == CONTROL_DATA ? 0 : -EPROTO;
    for (size_t i = 0; i < r->count && err == 0; i++) {
        if (!r->ranges[i].asked) {
            err = take_range(&r->ranges[i], &rd);
        }
    }
    if (err == 0 && psp_rd_left(&rd) > 0) {
        err = -EPROTO;
    }
    psp_wipe(frame.body, frame.size);
    free(frame.body);
    return err;
}

static int send_result(const struct serve_attach *a, struct control_io *io,
                       const struct remote_umem *r, int64_t result)
{
    size_t size = 8 + r->writes_size;
    uint8_t *body = malloc(size);
    struct psp_wr w = psp_wr(body, size);
    int err;

    if (body == NULL) {
        return -ENOMEM;
    }
    psp_wr_le64(&w, (uint64_t)result);
    psp_wr_bytes(&w, r->writes, r->writes_size);
    err = control_frame_write(io->fd, CONTROL_RESULT, body, size, a->stall_ms);
    psp_wipe(body, size);
    free(body);
    return err;
}

static int64_t call(const struct serve_attach *a, const struct psp_rd *args,
                    struct umem *um)
{
    struct psp_rd rd = *args;
    bool writable = (psp_rd_le32(&rd) & CONTROL_IOCTL_WRITABLE) != 0;
    uint32_t request = psp_rd_le32(&rd);
    uint64_t arg = psp_rd_le64(&rd);

    return a->ioctl != NULL
               ? a->ioctl(a->ctx, &a->dev, writable, request, arg, um)
               : a->dev.ops->ioctl(a->dev.dev, writable, request, arg, um);
}

static int serve_ioctl_frame(const struct serve_attach *a,
                             struct control_io *io, const struct psp_rd *args)
{
    struct remote_umem r = {.um = {.ops = &REMOTE_OPS}};
    int64_t result;
    int err = 0;

    result = call(a, args, &r.um);
    for (unsigned int i = 0; result == UMEM_RETRY && err == 0; i++) {
        err = i < ROUNDS_MAX ? send_need(a, io, &r) : -EPROTO;
        if (err == 0) {
            err = receive_data(a, io, &r);
        }
        if (err == 0) {
            result = call(a, args, &r.um);
        }
    }
    if (err == 0) {
        err = send_result(a, io, &r, result);
    }
    remote_clear(&r);
    return err;
}

int serve_attach_run(const struct serve_attach *a, struct control_io *io)
{
    struct control_frame frame;
    struct psp_rd args;
    int err;

    for (;;) {
        err = control_frame_read(io, -1, a->stall_ms, &frame);
        if (err != 0) {
            return err == -ENODATA ? 0 : err;
        }
        args = psp_rd(frame.body, frame.size);
        err = frame.type == CONTROL_IOCTL && frame.size == IOCTL_SIZE ? 0
                                                                      : -EPROTO;
        if (err == 0) {
            err = serve_ioctl_frame(a, io, &args);
        }
        free(frame.body);
        if (err != 0) {
            return err;
        }
    }
}
