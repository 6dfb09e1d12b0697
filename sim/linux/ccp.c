/* SPDX-License-Identifier: Apache-2.0 */
#include "ccp_dev.h"

#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ccp_config_default(struct ccp_config *config)
{
    *config = (struct ccp_config){.era = CCP_ERA_S3, .abi = CCP_ABI_MAINLINE};
}

/* --- probe and remove --- */

static bool config_ok(const struct ccp_config *config)
{
    return (unsigned int)config->era <= CCP_ERA_S3 &&
           (unsigned int)config->abi <= CCP_ABI_RFC2021A &&
           (unsigned int)config->after_init <= CCP_AFTER_INIT_SHUTDOWN;
}

/* A real driver initialises the platform before anyone can launch a guest, so
 * its cache never holds WORKING. */
static int read_legacy_state(struct ccp_dev *dev)
{
    uint8_t status[12] = {0};
    uint32_t error = 0;

    if (ccp_fw(dev, CCP_FW_PLATFORM_STATUS, status, sizeof(status), &error) !=
        0) {
        return -ENODEV;
    }
    dev->api_major = status[0];
    dev->api_minor = status[1];
    dev->state = status[2] == CCP_UNINIT ? CCP_UNINIT : CCP_INIT;
    return 0;
}

static int probe(struct ccp_dev *dev)
{
    int r = read_legacy_state(dev);

    dev->snp_initialized = dev->port.ops->snp_initialized(dev->port.host);
    if (r == 0 && !dev->config.start_uninit) {
        dev->start_result = ccp_platform_init(dev, true, &dev->start_status);
    }
    return r;
}

int ccp_probe_port(const struct port *port, const struct psp_profile *profile,
                   const struct ccp_config *config, struct ccp_dev **out)
{
    struct ccp_dev *dev;
    int r;

    if (!config_ok(config)) {
        return -EINVAL;
    }
    dev = calloc(1, sizeof(*dev));
    if (dev == NULL) {
        return -ENOMEM;
    }
    dev->port = *port;
    dev->profile = *profile;
    dev->config = *config;
    (void)pthread_mutex_init(&dev->lock, NULL);
    if (config->init_ex_path != NULL) {
        dev->init_ex_path = strdup(config->init_ex_path);
        dev->config.init_ex_path = dev->init_ex_path;
    }
    r = config->init_ex_path != NULL && dev->init_ex_path == NULL ? -ENOMEM
                                                                  : probe(dev);
    if (r != 0) {
        ccp_remove(dev);
        return r;
    }
    *out = dev;
    return 0;
}

void ccp_remove(struct ccp_dev *dev)
{
    if (dev == NULL) {
        return;
    }
    ccp_release_buffers(dev);
    free(dev->certs);
    free(dev->init_ex_path);
    (void)pthread_mutex_destroy(&dev->lock);
    free(dev);
}

uint32_t ccp_start_status(const struct ccp_dev *dev)
{
    return dev->start_status;
}

int ccp_start_result(const struct ccp_dev *dev)
{
    return dev->start_result;
}

int ccp_guest_init(struct ccp_dev *dev, enum sev_status *status)
{
    uint32_t error = 0;
    int r = 0;

    (void)pthread_mutex_lock(&dev->lock);
    if (!dev->config.start_uninit) {
        r = ccp_platform_init(dev, true, &error);
    }
    (void)pthread_mutex_unlock(&dev->lock);
    *status = (enum sev_status)error;
    return r;
}

void ccp_set_fault(struct ccp_dev *dev, enum ccp_fault fault)
{
    (void)pthread_mutex_lock(&dev->lock);
    dev->fault = fault;
    (void)pthread_mutex_unlock(&dev->lock);
}

/* --- entry path, abi/linux.md §1.3 --- */

static int envelope_read(struct ccp_call *c)
{
    uint8_t envelope[CCP_ENVELOPE_SIZE] = {0};
    struct psp_rd r = psp_rd(envelope, sizeof(envelope));
    int err;

    /* Planned before it is read: a retrying transport then asks for both
     * directions of the envelope at once. */
    err = umem_plan_write(c->um, c->arg, sizeof(envelope));
    if (err == 0) {
        err = umem_read(c->um, c->arg, envelope, sizeof(envelope));
    }
    if (err != 0) {
        return err;
    }
    c->cmd = psp_rd_le32(&r);
    c->data = psp_rd_le64(&r);
    c->error = psp_rd_le32(&r);
    return 0;
}

static int envelope_write(struct ccp_call *c)
{
    uint8_t envelope[CCP_ENVELOPE_SIZE];
    struct psp_wr w = psp_wr(envelope, sizeof(envelope));

    psp_wr_le32(&w, c->cmd);
    psp_wr_le64(&w, c->data);
    psp_wr_le32(&w, c->error);
    return umem_write(c->um, c->arg, envelope, sizeof(envelope));
}

/* A handled command: whatever it says, the envelope goes back. */
static int handle(struct ccp_call *c, const struct ccp_command *command)
{
    int r = command->prepare(c);
    int commit;
    int copied;

    if (r == UMEM_RETRY) {
        return r;
    }
    commit = umem_commit(c->um);
    if (commit != 0) {
        return commit;
    }
    if (r == 0) {
        r = command->execute(c);
        ccp_implicit_end(c);
    }
    copied = envelope_write(c);
    return copied != 0 ? copied : r;
}

static int issue(struct ccp_call *c, uint32_t request)
{
    const struct ccp_command *command;
    int r;

    if (c->dev->fault == CCP_FAULT_NO_PSP) {
        return -ENODEV;
    }
    if (request != CCP_IOCTL) {
        return -EINVAL;
    }
    r = envelope_read(c);
    if (r != 0) {
        return r;
    }
    command = ccp_command_find(&c->dev->config, c->cmd);
    return command == NULL ? -EINVAL : handle(c, command);
}

static int64_t ccp_ioctl(void *device, bool writable, uint32_t request,
                         uint64_t arg, struct umem *um)
{
    struct ccp_dev *dev = device;
    struct ccp_call c = {
        .dev = dev, .um = um, .writable = writable, .arg = arg};
    int r;

    (void)pthread_mutex_lock(&dev->lock);
    r = issue(&c, request);
    for (unsigned int i = 0; i < 2; i++) {
        free(c.blob[i]);
        port_buf_free(&dev->port, &c.out[i]);
    }
    (void)pthread_mutex_unlock(&dev->lock);
    return r;
}

struct chardev ccp_chardev(struct ccp_dev *dev)
{
    static const struct chardev_ops ops = {.ioctl = ccp_ioctl};

    return (struct chardev){.name = "sev", .ops = &ops, .dev = dev};
}
