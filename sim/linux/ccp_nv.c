/* SPDX-License-Identifier: Apache-2.0 */
#include "ccp_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Read up to @size bytes; what the file does not have stays as it is. */
static int file_read(const char *path, uint8_t *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 1;
    size_t done = 0;
    int r = 0;

    if (fd < 0) {
        return errno == ENOENT ? 0 : -errno; /* it will be created later */
    }
    while (done < size && n != 0) {
        n = read(fd, buf + done, size - done);
        if (n < 0 && errno != EINTR) {
            r = -errno;
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    return r;
}

static int file_write(const char *path, const uint8_t *buf, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    size_t done = 0;
    ssize_t n;

    if (fd < 0) {
        return -errno;
    }
    while (done < size) {
        n = write(fd, buf + done, size - done);
        if (n <= 0 && errno != EINTR) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    (void)fsync(fd); /* EINVAL on what is not a file: nothing to keep there */
    (void)close(fd);
    return done == size ? 0 : -EIO;
}

int ccp_nv_load(struct ccp_dev *dev)
{
    uint8_t blob[CCP_NV_SIZE];
    int r;

    memset(blob, 0xff, sizeof(blob)); /* factory state [abi/sev.md §4.4] */
    r = file_read(dev->init_ex_path, blob, sizeof(blob));
    if (r == 0) {
        r = port_buf_alloc(&dev->port, sizeof(blob), &dev->nv);
    }
    if (r == 0) {
        r = dev->port.ops->write(dev->port.host, dev->nv.spa, blob,
                                 sizeof(blob));
    }
    return r;
}

int ccp_nv_save(struct ccp_dev *dev)
{
    uint8_t blob[CCP_NV_SIZE];
    int r;

    if (dev->nv.spa == 0) {
        return 0;
    }
    r = dev->port.ops->read(dev->port.host, dev->nv.spa, blob, sizeof(blob));
    return r != 0 ? r : file_write(dev->init_ex_path, blob, sizeof(blob));
}

int ccp_nv_reset(struct ccp_dev *dev)
{
    uint8_t blob[CCP_NV_SIZE];

    if (dev->nv.spa != 0) {
        return ccp_nv_save(dev);
    }
    memset(blob, 0xff, sizeof(blob));
    return dev->init_ex_path == NULL
               ? 0
               : file_write(dev->init_ex_path, blob, sizeof(blob));
}
