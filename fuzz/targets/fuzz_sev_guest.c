/* SPDX-License-Identifier: Apache-2.0 */
/* User memory of the /dev/sev-guest ioctls: a program that passes anything.
 * Each ioctl runs on a driver that is reached directly and on a second one that
 * has to ask for memory ranges; both must do the same. */
#include "fz.h"
#include "raw_guest.h"
#include "sev_guest.h"
#include "umem_array.h"

#include <errno.h>
#include <string.h>

#define ENVELOPE_ADDR 0x10000u
#define REQUEST_ADDR  0x20000u
#define RESPONSE_ADDR 0x30000u
#define CERTS_ADDR    0x40000u
#define CERTS_SIZE    0x5000u

static uint8_t certs_table[3000];

struct side {
    struct raw_guest guest;
    struct sev_guest_dev *dev;
    uint8_t envelope[32];
    uint8_t request[112];
    uint8_t response[4000];
    uint8_t certs[CERTS_SIZE];
    struct umem_array ua;
};

static void side_open(struct side *s, enum sev_guest_era era, bool certs)
{
    struct sev_guest_config config = {.era = era, .vmpck_id = -1};

    raw_guest_open(&s->guest, "milan", NULL);
    if (certs) {
        memset(certs_table, 0xc5, sizeof(certs_table));
        fz_check(vm_set_certs(s->guest.vm, certs_table, sizeof(certs_table)) ==
                 0);
    }
    fz_check(sev_guest_probe(s->guest.vm, &config, &s->dev) == 0);
}

static void side_close(struct side *s)
{
    sev_guest_remove(s->dev);
    raw_guest_close(&s->guest);
}

/* Half of the addresses are good ones. */
static uint64_t address(struct fz_in *in, uint64_t good)
{
    uint8_t how = fz_u8(in);

    if (how < 0xc0) {
        return good;
    }
    if (how < 0xd0) {
        return good + (how & 0xf);
    }
    if (how < 0xe0) {
        return 0;
    }
    good = fz_u64(in);
    /* Reading the envelope as a request is fine, but looks like reading one
     * range twice. */
    return good == ENVELOPE_ADDR ? 0 : good;
}

static void put64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

static void fill(struct side *s, struct fz_in in, bool readonly)
{
    struct umem_array *ua = &s->ua;

    memset(s->response, 0x5a, sizeof(s->response));
    memset(s->certs, 0x5a, sizeof(s->certs));
    fz_bytes(&in, s->envelope, 8);
    put64(s->envelope + 8, address(&in, REQUEST_ADDR));
    put64(s->envelope + 16, address(&in, RESPONSE_ADDR));
    fz_bytes(&in, s->envelope + 24, 8);
    fz_bytes(&in, s->request, 96);
    put64(s->request + 96, address(&in, CERTS_ADDR));
    fz_bytes(&in, s->request + 104, 8);
    umem_array_init(ua);
    umem_array_map(ua, ENVELOPE_ADDR, s->envelope, 32, readonly);
    umem_array_map(ua, REQUEST_ADDR, s->request, 112, false);
    umem_array_map(ua, RESPONSE_ADDR, s->response, 4000, false);
    umem_array_map(ua, CERTS_ADDR, s->certs, CERTS_SIZE, false);
}

static int64_t call(struct side *s, struct fz_in in, bool retry)
{
    struct chardev dev = sev_guest_chardev(s->dev);
    uint8_t how = fz_u8(&in);
    uint32_t request = 0xc0205300u + (how & 3);

    if ((how & 0x70) == 0x70) {
        request = fz_u32(&in);
    }
    fill(s, in, (how & 0x8c) == 0x8c);
    s->ua.retry = retry;
    return umem_array_ioctl(&s->ua, &dev, (how & 4) != 0, request,
                            ENVELOPE_ADDR);
}

static void compare(const struct side *a, const struct side *b)
{
    fz_check(!a->ua.broke_plan && !b->ua.broke_plan);
    fz_check(memcmp(a->envelope, b->envelope, sizeof(a->envelope)) == 0);
    fz_check(memcmp(a->request, b->request, sizeof(a->request)) == 0);
    fz_check(memcmp(a->response, b->response, sizeof(a->response)) == 0);
    fz_check(memcmp(a->certs, b->certs, sizeof(a->certs)) == 0);
}

static struct side sides[2];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fz_in in = {data, size};
    uint8_t how = fz_u8(&in);
    enum sev_guest_era era = (enum sev_guest_era)(how % 4);

    for (int i = 0; i < 2; i++) {
        side_open(&sides[i], era, (how & 0x80) != 0);
    }
    for (int i = 0; i < 4 && in.size > 0; i++) {
        int64_t direct = call(&sides[0], in, false);
        int64_t asked = call(&sides[1], in, true);

        fz_check(direct <= 0 && direct > -200);
        if (asked == -EFAULT) {
            break; /* asking finds bad ranges before anything is done */
        }
        fz_check(direct == asked);
        compare(&sides[0], &sides[1]);
        in.data += in.size < 150 ? in.size : 150;
        in.size -= in.size < 150 ? in.size : 150;
    }
    for (int i = 0; i < 2; i++) {
        side_close(&sides[i]);
    }
    return 0;
}
