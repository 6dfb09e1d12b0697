/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/sev-guest: probe, and the ioctls' way through user memory. */
#include "sev_guest_dev.h"

#include "crypto.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENVELOPE_SIZE 32u
#define OFF_EXITINFO2 24u
#define NOT_SENT      0xffu /* exitinfo2 of requests that go nowhere */
#define VMPCK_COUNT   4

#define REPORT_REQ_SIZE     96u
#define EXT_REPORT_REQ_SIZE 112u
#define OFF_CERTS_ADDRESS   96u
#define OFF_CERTS_LEN       104u
#define KEY_REQ_SIZE        32u
#define KEY_REQ_V2_SIZE     40u
#define REPORT_RESP_SIZE    4000u
#define KEY_RESP_SIZE       64u

/* One row for each ioctl. */
struct guest_ioctl {
    uint32_t request;
    uint8_t msg_type;
    bool extended;
    uint16_t req_size;     /* copied in */
    uint16_t payload_size; /* of which is sent */
    uint16_t resp_size;    /* copied out */
};

static const struct guest_ioctl IOCTLS[] = {
    {0xc0205300, GUEST_MSG_REPORT_REQ, false, REPORT_REQ_SIZE, REPORT_REQ_SIZE,
     REPORT_RESP_SIZE},
    {0xc0205301, GUEST_MSG_KEY_REQ, false, KEY_REQ_SIZE, KEY_REQ_SIZE,
     KEY_RESP_SIZE},
    {0xc0205302, GUEST_MSG_REPORT_REQ, true, EXT_REPORT_REQ_SIZE,
     REPORT_REQ_SIZE, REPORT_RESP_SIZE},
};

/* One ioctl under way. */
struct call {
    uint64_t arg;
    uint8_t envelope[ENVELOPE_SIZE];
    uint8_t version;
    uint64_t req_data;
    uint64_t resp_data;
    uint64_t exitinfo2;
    uint8_t req[EXT_REPORT_REQ_SIZE];
    uint64_t certs_address;
    uint32_t certs_len;
    uint32_t offered; /* bytes for certificates, 0: none wanted */
    bool stop;        /* the transport wants the ioctl to end as it is */
};

static const struct sev_guest_traits TRAITS[] = {
    [SEV_GUEST_5_19] =
        {
            .name = "5.19",
            .key_test_first = true,
            .unanswered = NOT_SENT,
        },
    [SEV_GUEST_6_1] =
        {
            .name = "6.1",
            .key_test_first = true,
            .wipes = true,
            .resends = true,
            .short_is_success = true,
            .unanswered = NOT_SENT,
        },
    [SEV_GUEST_6_3] =
        {
            .name = "6.3",
            .key_test_first = true,
            .wipes = true,
            .resends = true,
            .counts_always = true,
            .waits = true,
            .unanswered = UINT64_MAX,
        },
    [SEV_GUEST_6_13] =
        {
            .name = "6.13",
            .wipes = true,
            .resends = true,
            .counts_always = true,
            .waits = true,
            .vmpck_of_vmpl = true,
            .unanswered = UINT64_MAX,
        },
};

#define ERA_COUNT (sizeof(TRAITS) / sizeof(TRAITS[0]))

const struct sev_guest_traits *sev_guest_traits(enum sev_guest_era era)
{
    return (size_t)era < ERA_COUNT ? &TRAITS[era] : NULL;
}

const char *sev_guest_era_name(enum sev_guest_era era)
{
    const struct sev_guest_traits *traits = sev_guest_traits(era);

    return traits == NULL ? NULL : traits->name;
}

int sev_guest_era_by_name(const char *name)
{
    for (size_t era = 0; era < ERA_COUNT; era++) {
        if (strcmp(TRAITS[era].name, name) == 0) {
            return (int)era;
        }
    }
    return -1;
}

static const struct guest_ioctl *find_ioctl(uint32_t request)
{
    for (size_t i = 0; i < sizeof(IOCTLS) / sizeof(IOCTLS[0]); i++) {
        if (IOCTLS[i].request == request) {
            return &IOCTLS[i];
        }
    }
    return NULL;
}

static bool is_long_key(const struct guest_ioctl *row, uint8_t version)
{
    return row->msg_type == GUEST_MSG_KEY_REQ && version >= 2;
}

/* The ioctl's structure has no LAUNCH_MIT_VECTOR, which version 2 of the
 * message added: it goes out as zero. abi/linux.md §9 item 14 */
static size_t payload_size(const struct guest_ioctl *row, uint8_t version)
{
    return is_long_key(row, version) ? KEY_REQ_V2_SIZE : row->payload_size;
}

static size_t req_size(const struct sev_guest_dev *dev,
                       const struct guest_ioctl *row, uint8_t version)
{
    return dev->config.long_key_request && is_long_key(row, version)
               ? KEY_REQ_V2_SIZE
               : row->req_size;
}

static int read_envelope(struct call *c, struct umem *um)
{
    struct psp_rd r = psp_rd(c->envelope, sizeof(c->envelope));
    int err = umem_read(um, c->arg, c->envelope, sizeof(c->envelope));

    if (err != 0) {
        return err;
    }
    c->version = psp_rd_u8(&r); /* the other seven bytes are padding */
    psp_rd_skip(&r, 7);
    c->req_data = psp_rd_le64(&r);
    c->resp_data = psp_rd_le64(&r);
    c->exitinfo2 = NOT_SENT;
    return 0;
}

/* Of an extended request: is there room for certificates, and where? */
static int read_certs_buffer(struct call *c)
{
    struct psp_rd r = psp_rd(c->req, sizeof(c->req));

    psp_rd_skip(&r, OFF_CERTS_ADDRESS);
    c->certs_address = psp_rd_le64(&r);
    c->certs_len = psp_rd_le32(&r);
    if (c->certs_address == 0 || c->certs_len == 0) {
        return 0;
    }
    if (c->certs_len > SEV_GUEST_CERTS_MAX ||
        c->certs_len % GUEST_MSG_SIZE != 0) {
        return -EINVAL;
    }
    if (c->certs_address > UMEM_TASK_SIZE - c->certs_len) {
        return -EFAULT;
    }
    c->offered = c->certs_len;
    return 0;
}

/* Announced as early as the address is known: a transport that has to ask then
 * asks once for all. The envelope comes first, so that what a refusal writes is
 * a prefix. abi/linux.md §8.4 */
static int plan(struct call *c, uint64_t addr, size_t size, struct umem *um)
{
    int err = umem_plan_write(um, addr, size);

    c->stop |= err != 0;
    return err;
}

static int read_request(const struct sev_guest_dev *dev,
                        const struct guest_ioctl *row, struct call *c,
                        struct umem *um)
{
    size_t size = req_size(dev, row, c->version);
    int err;

    if (!row->extended) {
        err = plan(c, c->resp_data, row->resp_size, um);
        return err != 0 ? err : umem_read(um, c->req_data, c->req, size);
    }
    err = plan(c, c->req_data, size, um);
    if (err == 0) {
        err = umem_read(um, c->req_data, c->req, size);
    }
    if (err == 0) {
        err = read_certs_buffer(c);
    }
    if (err == 0) {
        err = plan(c, c->certs_address, c->offered, um);
    }
    return err != 0 ? err : plan(c, c->resp_data, row->resp_size, um);
}

/* Steps 4 to 7 of abi/linux.md §4.4. */
static int gather(const struct sev_guest_dev *dev,
                  const struct guest_ioctl *row, struct call *c,
                  struct umem *um)
{
    int err = plan(c, c->arg, ENVELOPE_SIZE, um);

    if (err != 0) {
        return err;
    }
    if (row == NULL) {
        return -ENOTTY;
    }
    if (c->req_data == 0 || c->resp_data == 0) {
        return -EINVAL;
    }
    return read_request(dev, row, c, um);
}

static int write_certs_len(struct call *c, uint64_t pages, struct umem *um)
{
    struct psp_wr w = psp_wr(c->req + OFF_CERTS_LEN, sizeof(uint32_t));

    psp_wr_le32(&w, (uint32_t)(pages * GUEST_MSG_SIZE));
    return umem_write(um, c->req_data, c->req, EXT_REPORT_REQ_SIZE);
}

/* Step 8 and later. @certs holds c->offered bytes. */
static int execute(struct sev_guest_dev *dev, const struct guest_ioctl *row,
                   struct call *c, uint8_t *certs, struct umem *um)
{
    uint8_t response[REPORT_RESP_SIZE];
    struct guest_exchange x = {
        .type = row->msg_type,
        .version = c->version,
        .extended = row->extended,
        .payload = c->req,
        .payload_size = payload_size(row, c->version),
        .response = response,
        .response_size = row->resp_size,
        .certs = certs,
        .certs_pages = c->offered / GUEST_MSG_SIZE,
        .exitinfo2 = c->exitinfo2,
    };
    int rc = sev_guest_exchange(dev, &x);

    c->exitinfo2 = x.exitinfo2;
    if (row->extended && x.exitinfo2 == VM_EXITINFO2_INVALID_LEN &&
        write_certs_len(c, x.certs_pages, um) != 0) {
        rc = -EFAULT;
    }
    if (rc != 0) {
        return rc;
    }
    if (x.exitinfo2 == 0) {
        rc = umem_write(um, c->certs_address, certs, c->offered);
    }
    if (rc == 0) {
        rc = umem_write(um, c->resp_data, response, row->resp_size);
    }
    if (row->msg_type == GUEST_MSG_KEY_REQ) {
        psp_wipe(response, KEY_RESP_SIZE);
    }
    return rc;
}

static int execute_with_certs(struct sev_guest_dev *dev,
                              const struct guest_ioctl *row, struct call *c,
                              struct umem *um)
{
    uint8_t *certs = NULL;
    int rc;

    if (c->offered > 0) {
        certs = malloc(c->offered);
        if (certs == NULL) {
            return -ENOMEM;
        }
    }
    rc = execute(dev, row, c, certs, um);
    free(certs);
    return rc;
}

static int write_back(struct call *c, int rc, struct umem *um)
{
    struct psp_wr w = psp_wr(c->envelope + OFF_EXITINFO2, sizeof(uint64_t));

    if (c->exitinfo2 == 0) {
        return rc;
    }
    psp_wr_le64(&w, c->exitinfo2);
    return umem_write(um, c->arg, c->envelope, ENVELOPE_SIZE) == 0 ? rc
                                                                   : -EFAULT;
}

static int64_t guest_ioctl(void *device, bool writable, uint32_t request,
                           uint64_t arg, struct umem *um)
{
    const struct guest_ioctl *row = find_ioctl(request);
    struct sev_guest_dev *dev = device;
    struct call c = {.arg = arg};
    int rc, err;

    (void)writable; /* a read-only file is as good */
    rc = read_envelope(&c, um);
    if (rc != 0) {
        return rc;
    }
    if (c.version == 0) {
        return -EINVAL;
    }
    if (dev->traits->key_test_first && !sev_guest_has_key(dev)) {
        return -ENOTTY;
    }
    rc = gather(dev, row, &c, um);
    if (rc == UMEM_RETRY || c.stop) {
        return rc;
    }
    err = umem_commit(um);
    if (err != 0) {
        return err;
    }
    if (rc == 0) {
        rc = execute_with_certs(dev, row, &c, um);
    }
    return write_back(&c, rc, um);
}

static const struct chardev_ops GUEST_OPS = {.ioctl = guest_ioctl};

struct chardev sev_guest_chardev(struct sev_guest_dev *dev)
{
    return (struct chardev){"sev-guest", &GUEST_OPS, dev};
}

unsigned int sev_guest_vmpck(const struct sev_guest_dev *dev)
{
    return dev->vmpck_id;
}

static int share_pages(struct sev_guest_dev *dev)
{
    dev->request_gpa = vm_shared_alloc(dev->vm, 1);
    dev->response_gpa = vm_shared_alloc(dev->vm, 1);
    dev->certs_gpa = vm_shared_alloc(dev->vm, SEV_GUEST_CERTS_PAGES);
    return dev->request_gpa == 0 || dev->response_gpa == 0 ||
                   dev->certs_gpa == 0
               ? -ENOMEM
               : 0;
}

static int choose_vmpck(const struct sev_guest_config *config,
                        const struct sev_guest_traits *traits,
                        const struct vm *vm)
{
    if (config->vmpck_id != -1) {
        return config->vmpck_id;
    }
    return traits->vmpck_of_vmpl ? (int)vm_vmpl(vm) : 0;
}

static void give_back(struct sev_guest_dev *dev, uint64_t gpa, size_t count)
{
    if (gpa != 0) {
        vm_shared_free(dev->vm, gpa, count);
    }
}

int sev_guest_probe(struct vm *vm, const struct sev_guest_config *config,
                    struct sev_guest_dev **out)
{
    const struct sev_guest_traits *traits = sev_guest_traits(config->era);
    struct sev_guest_dev *dev;
    int err, id;

    *out = NULL;
    if (vm_secrets_gpa(vm) == 0) {
        return -ENODEV;
    }
    if (traits == NULL) {
        return -EINVAL;
    }
    id = choose_vmpck(config, traits, vm);
    if (id < 0 || id >= VMPCK_COUNT) {
        return -EINVAL;
    }
    dev = calloc(1, sizeof(*dev));
    if (dev == NULL) {
        return -ENOMEM;
    }
    pthread_mutex_init(&dev->lock, NULL);
    dev->vm = vm;
    dev->config = *config;
    dev->traits = traits;
    dev->vmpck_id = (unsigned int)id;
    err = sev_guest_has_key(dev) ? share_pages(dev) : -EINVAL;
    if (err != 0) {
        sev_guest_remove(dev);
        return err;
    }
    *out = dev;
    return 0;
}

void sev_guest_remove(struct sev_guest_dev *dev)
{
    if (dev == NULL) {
        return;
    }
    give_back(dev, dev->request_gpa, 1);
    give_back(dev, dev->response_gpa, 1);
    give_back(dev, dev->certs_gpa, SEV_GUEST_CERTS_PAGES);
    pthread_mutex_destroy(&dev->lock);
    free(dev);
}
