/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Lines and frames over a unix stream socket, with deadlines, for both ends of
 * the control protocol. See CONTROL.md.
 */
#ifndef SERVICE_CONTROL_IO_H
#define SERVICE_CONTROL_IO_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/** Longest request or answer line, with its newline. */
#define CONTROL_LINE_MAX (32u << 20)
/** What a line may take before it counts against the common budget. */
#define CONTROL_LINE_FREE (64u << 10)
/** Longest frame after "attach". */
#define CONTROL_FRAME_MAX (1u << 20)

struct control_io {
    int fd;
    uint8_t *buf; /* bytes received and not yet taken */
    size_t have;
    size_t room;
    /** Bytes that all connections together may hold above CONTROL_LINE_FREE;
     * NULL: no such limit. */
    atomic_size_t *budget;
    size_t borrowed;
};

void control_io_init(struct control_io *io, int fd, atomic_size_t *budget);
/** Wipes what is left; does not close the descriptor. */
void control_io_clear(struct control_io *io);

/**
 * Next line without its newline.
 *
 * @idle_ms   How long the first byte may take; negative: for ever.
 * @total_ms  How long the line may take from its first byte on.
 * @line      Out: free() ends it; a zero byte follows it.
 *
 * Returns its length, or -ENODATA (end of the connection), -ETIMEDOUT,
 * -EMSGSIZE (longer than CONTROL_LINE_MAX), -ENOBUFS (budget), -ENOMEM, or an
 * errno of the socket.
 */
int64_t control_read_line(struct control_io *io, int idle_ms, int total_ms,
                          char **line);

/** The last line has been dealt with: what it took counts no more. */
void control_line_done(struct control_io *io);

/** Exactly @size bytes. 0, or an error as above. */
int control_read(struct control_io *io, void *buf, size_t size, int idle_ms,
                 int total_ms);
/** All @size bytes within @total_ms. 0, -EPIPE, -ETIMEDOUT, ... */
int control_write(int fd, const void *buf, size_t size, int total_ms);

/** Frames: type and size of the body, 32 bits each, then the body. */
struct control_frame {
    uint32_t type;
    uint32_t size;
    uint8_t *body; /* free() ends it */
};
int control_frame_read(struct control_io *io, int idle_ms, int total_ms,
                       struct control_frame *frame);
int control_frame_write(int fd, uint32_t type, const void *body, size_t size,
                        int total_ms);

/** Frame types. CONTROL.md describes their bodies. */
enum control_frame_type {
    CONTROL_IOCTL = 1, /* client: u32 flags, u32 request, u64 arg */
    CONTROL_NEED = 2,  /* daemon: {u64 addr, u32 size} ... */
    CONTROL_DATA = 3,  /* client: {i32 error, bytes when 0} ... */
    CONTROL_RESULT =
        4, /* daemon: i64 result, {u64 addr, u32 size, bytes} ... */
};
#define CONTROL_IOCTL_WRITABLE 1u
/** Most ranges in one CONTROL_NEED. */
#define CONTROL_NEED_MAX 8u

#endif
