/* SPDX-License-Identifier: Apache-2.0 */
#include "control_io.h"

#include "crypto.h"
#include "wire.h"
#include "monotonic.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CHUNK       4096u
#define HEADER_SIZE 8u

void control_io_init(struct control_io *io, int fd, atomic_size_t *budget)
{
    *io = (struct control_io){.fd = fd, .budget = budget};
}

/* Give back what a long line had borrowed. */
static void repay(struct control_io *io)
{
    if (io->budget != NULL && io->borrowed > 0) {
        (void)atomic_fetch_add(io->budget, io->borrowed);
    }
    io->borrowed = 0;
}

static void drop_buffer(struct control_io *io)
{
    if (io->buf != NULL) {
        psp_wipe(io->buf, io->room);
    }
    free(io->buf);
    io->buf = NULL;
    io->have = io->room = 0;
}

void control_io_clear(struct control_io *io)
{
    drop_buffer(io);
    repay(io);
}

void control_line_done(struct control_io *io)
{
    if (io->room <= CONTROL_LINE_FREE) {
        repay(io);
    }
}

/* Wait for @events until @deadline (negative: for ever). */
static int wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};

    for (;;) {
        int64_t left = deadline < 0 ? -1 : deadline - monotonic_ms();
        int n;

        if (deadline >= 0 && left <= 0) {
            return -ETIMEDOUT;
        }
        n = poll(&p, 1, left > 1000000 ? 1000000 : (int)left);
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
    }
}

static bool borrow(struct control_io *io, size_t more)
{
    size_t left;

    if (io->budget == NULL) {
        return true;
    }
    left = atomic_load(io->budget);
    while (left >= more) {
        if (atomic_compare_exchange_weak(io->budget, &left, left - more)) {
            io->borrowed += more;
            return true;
        }
    }
    return false;
}

static int make_room(struct control_io *io)
{
    size_t room = io->room == 0 ? CHUNK : io->room * 2;
    uint8_t *more;

    if (io->have < io->room) {
        return 0;
    }
    if (room > CONTROL_LINE_FREE &&
        !borrow(io, io->room >= CONTROL_LINE_FREE ? room - io->room : room)) {
        return -ENOBUFS;
    }
    more = malloc(room); /* not realloc(): the old bytes are wiped */
    if (more == NULL) {
        return -ENOMEM;
    }
    if (io->buf != NULL) {
        memcpy(more, io->buf, io->have);
        psp_wipe(io->buf, io->room);
        free(io->buf);
    }
    io->buf = more;
    io->room = room;
    return 0;
}

static int receive(struct control_io *io, void *buf, size_t room,
                   int64_t deadline, size_t *got)
{
    for (;;) {
        ssize_t n = recv(io->fd, buf, room, MSG_DONTWAIT);
        int err;

        if (n > 0) {
            *got = (size_t)n;
            return 0;
        }
        if (n == 0) {
            return -ENODATA;
        }
        if (errno == ECONNRESET) {
            return -ENODATA;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return -errno;
        }
        err = wait_for(io->fd, POLLIN, deadline);
        if (err != 0) {
            return err;
        }
    }
}

static int64_t deadline_in(int ms)
{
    return ms < 0 ? -1 : monotonic_ms() + ms;
}

/* Take @size bytes from the front, and the buffer back when it had grown. */
static void consume(struct control_io *io, size_t size)
{
    memmove(io->buf, io->buf + size, io->have - size);
    io->have -= size;
    if (io->have == 0 && io->room > CONTROL_LINE_FREE) {
        drop_buffer(io); /* the line itself still counts */
    }
}

static int64_t take_line(struct control_io *io, size_t length, char **line)
{
    char *copy = malloc(length + 1);

    if (copy == NULL) {
        return -ENOMEM;
    }
    if (length > 0) {
        memcpy(copy, io->buf, length);
    }
    copy[length] = '\0';
    consume(io, length + 1);
    *line = copy;
    return (int64_t)length;
}

int64_t control_read_line(struct control_io *io, int idle_ms, int total_ms,
                          char **line)
{
    int64_t deadline = deadline_in(io->have > 0 ? total_ms : idle_ms);
    size_t seen = 0;

    for (;;) {
        const uint8_t *end = io->have > seen
                                 ? memchr(io->buf + seen, '\n', io->have - seen)
                                 : NULL;
        bool first = io->have == 0;
        size_t got = 0;
        int err;

        if (end != NULL) {
            return take_line(io, (size_t)(end - io->buf), line);
        }
        seen = io->have;
        if (io->have >= CONTROL_LINE_MAX) {
            return -EMSGSIZE;
        }
        err = make_room(io);
        if (err == 0) {
            err = receive(io, io->buf + io->have, io->room - io->have, deadline,
                          &got);
        }
        if (err != 0) {
            return err;
        }
        io->have += got;
        if (first) {
            deadline = deadline_in(total_ms);
        }
    }
}

int control_read(struct control_io *io, void *buf, size_t size, int idle_ms,
                 int total_ms)
{
    int64_t deadline = deadline_in(idle_ms);
    uint8_t *out = buf;
    size_t done = size < io->have ? size : io->have;

    if (done > 0) {
        memcpy(out, io->buf, done);
        consume(io, done);
        deadline = deadline_in(total_ms);
    }
    while (done < size) {
        size_t got = 0;
        int err = receive(io, out + done, size - done, deadline, &got);

        if (err != 0) {
            return err;
        }
        if (done == 0) {
            deadline = deadline_in(total_ms);
        }
        done += got;
    }
    return 0;
}

int control_write(int fd, const void *buf, size_t size, int total_ms)
{
    int64_t deadline = deadline_in(total_ms);
    const uint8_t *p = buf;

    while (size > 0) {
        ssize_t n = send(fd, p, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        int err;

        if (n >= 0) {
            p += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            err = wait_for(fd, POLLOUT, deadline);
            if (err != 0) {
                return err;
            }
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int control_frame_read(struct control_io *io, int idle_ms, int total_ms,
                       struct control_frame *frame)
{
    uint8_t header[HEADER_SIZE];
    struct psp_rd r = psp_rd(header, sizeof(header));
    int err = control_read(io, header, sizeof(header), idle_ms, total_ms);

    frame->body = NULL;
    if (err != 0) {
        return err;
    }
    frame->type = psp_rd_le32(&r);
    frame->size = psp_rd_le32(&r);
    if (frame->size > CONTROL_FRAME_MAX) {
        return -EMSGSIZE;
    }
    frame->body = malloc((size_t)frame->size + 1);
    if (frame->body == NULL) {
        return -ENOMEM;
    }
    err = control_read(io, frame->body, frame->size, total_ms, total_ms);
    if (err != 0) {
        free(frame->body);
        frame->body = NULL;
    }
    return err;
}

int control_frame_write(int fd, uint32_t type, const void *body, size_t size,
                        int total_ms)
{
    uint8_t *frame;
    struct psp_wr w;
    int err;

    if (size > CONTROL_FRAME_MAX) {
        return -EMSGSIZE;
    }
    frame = malloc(HEADER_SIZE + size);
    if (frame == NULL) {
        return -ENOMEM;
    }
    w = psp_wr(frame, HEADER_SIZE + size);
    psp_wr_le32(&w, type);
    psp_wr_le32(&w, (uint32_t)size);
    psp_wr_bytes(&w, body, size);
    err = control_write(fd, frame, HEADER_SIZE + size, total_ms);
    psp_wipe(frame, HEADER_SIZE + size);
    free(frame);
    return err;
}
