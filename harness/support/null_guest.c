/* SPDX-License-Identifier: Apache-2.0 */
#include "null_guest.h"

#include "wire.h"

#include <errno.h>
#include <linux/sev-guest.h>
#include <sys/ioctl.h>
#include <time.h>

#define RESP_SIZE 4000u

/* The order of abi/linux.md §8.4. */
static int gather(struct umem *um, uint64_t arg, uint64_t *resp)
{
    uint8_t envelope[sizeof(struct snp_guest_request_ioctl)];
    uint8_t req[sizeof(struct snp_report_req)];
    struct psp_rd r = psp_rd(envelope, sizeof(envelope));
    int err = umem_read(um, arg, envelope, sizeof(envelope));
    uint64_t from;

    if (err != 0) {
        return err;
    }
    psp_rd_skip(&r, 8);
    from = psp_rd_le64(&r);
    *resp = psp_rd_le64(&r);
    err = umem_plan_write(um, arg, sizeof(envelope));
    if (err == 0) {
        err = umem_plan_write(um, *resp, RESP_SIZE);
    }
    if (err == 0) {
        err = umem_read(um, from, req, sizeof(req));
    }
    return err != 0 ? err : umem_commit(um);
}

static int64_t null_ioctl(void *dev, bool writable, uint32_t request,
                          uint64_t arg, struct umem *um)
{
    struct null_guest *n = dev;
    const struct timespec delay = {.tv_nsec = (long)n->delay_ms * 1000000};
    uint8_t response[RESP_SIZE] = {0};
    struct psp_wr w = psp_wr(response, sizeof(response));
    uint64_t resp = 0;
    int err;

    (void)writable;
    if (request != (uint32_t)SNP_GET_REPORT) {
        return -ENOTTY;
    }
    n->runs++;
    if (n->delay_ms != 0) {
        nanosleep(&delay, NULL);
    }
    err = gather(um, arg, &resp);
    if (err != 0) {
        return err;
    }
    psp_wr_le64(&w, n->runs);
    psp_wr_le64(&w, ++n->done);
    return umem_write(um, resp, response, sizeof(response));
}

static const struct chardev_ops OPS = {.ioctl = null_ioctl};

struct chardev null_guest_chardev(struct null_guest *n)
{
    return (struct chardev){"sev-null", &OPS, n};
}
