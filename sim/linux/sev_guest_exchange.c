/* SPDX-License-Identifier: Apache-2.0 */
/* From a plaintext request to a plaintext answer: VMPCK, message counter, VM
 * exits and their answers. abi/linux.md §4.4 to §4.6 */
#include "sev_guest_dev.h"

#include "crypto.h"
#include "wire.h"

#include <errno.h>

/* Secrets page. abi/snp.md §4.5 */
#define OFF_VMPCK   0x20u
#define OFF_COUNTER 0xa0u

#define SEQNO_LIMIT 0xffffffffull /* Linux stops at 32 bits */
#define BUSY_WAIT   2000u         /* ms */
#define BUSY_LIMIT  60000u

/* Longest request: what the page may still hold of an earlier one. */
#define REQUEST_MAX 96u

/* What the driver keeps in the guest's secrets page. */
struct channel {
    uint8_t key[GUEST_MSG_KEY_SIZE];
    uint32_t counter;
};

static uint64_t key_gpa(const struct sev_guest_dev *dev)
{
    return vm_secrets_gpa(dev->vm) + OFF_VMPCK +
           (uint64_t)dev->vmpck_id * GUEST_MSG_KEY_SIZE;
}

static uint64_t counter_gpa(const struct sev_guest_dev *dev)
{
    return vm_secrets_gpa(dev->vm) + OFF_COUNTER +
           (uint64_t)dev->vmpck_id * sizeof(uint32_t);
}

/* Key and counter by one access. */
static int channel_read(struct sev_guest_dev *dev, struct channel *ch)
{
    uint8_t area[OFF_COUNTER + 4 * sizeof(uint32_t) - OFF_VMPCK];
    size_t size = (size_t)(counter_gpa(dev) + sizeof(uint32_t) - key_gpa(dev));
    struct psp_rd r = psp_rd(area, size);
    int err = vm_read(dev->vm, key_gpa(dev), area, size);

    if (err == 0) {
        psp_rd_bytes(&r, ch->key, sizeof(ch->key));
        psp_rd_skip(&r, size - sizeof(ch->key) - sizeof(uint32_t));
        ch->counter = psp_rd_le32(&r);
    }
    psp_wipe(area, sizeof(area));
    return err;
}

static bool channel_open(struct sev_guest_dev *dev, struct channel *ch)
{
    return !dev->disabled && channel_read(dev, ch) == 0 &&
           !psp_all_zero(ch->key, sizeof(ch->key));
}

bool sev_guest_has_key(struct sev_guest_dev *dev)
{
    struct channel ch = {0};
    bool ok;

    pthread_mutex_lock(&dev->lock);
    ok = channel_open(dev, &ch);
    pthread_mutex_unlock(&dev->lock);
    psp_wipe(&ch, sizeof(ch));
    return ok;
}

static void count(struct sev_guest_dev *dev, const struct channel *ch)
{
    uint8_t le[4];
    struct psp_wr w = psp_wr(le, sizeof(le));

    psp_wr_le32(&w, ch->counter + 2);
    (void)vm_write(dev->vm, counter_gpa(dev), le, sizeof(le));
}

/* The message has been in the host's hands: its IV must never be used again. */
static void disable(struct sev_guest_dev *dev)
{
    static const uint8_t zeros[GUEST_MSG_KEY_SIZE];

    (void)vm_write(dev->vm, key_gpa(dev), zeros, sizeof(zeros));
    dev->disabled = true;
}

static int put_request(struct sev_guest_dev *dev, const struct channel *ch,
                       const struct guest_msg *msg,
                       const struct guest_exchange *x)
{
    size_t used = GUEST_MSG_HDR_SIZE + x->payload_size;
    size_t size = GUEST_MSG_HDR_SIZE + REQUEST_MAX;
    int err;

    guest_msg_seal(ch->key, msg, x->payload, x->payload_size, dev->message);
    memset(dev->message + used, 0, size - used);
    err = vm_shared_write(dev->vm, dev->request_gpa, dev->message, size);
    memset(dev->message, 0, sizeof(dev->message));
    if (err == 0) {
        err = vm_shared_write(dev->vm, dev->response_gpa, dev->message,
                              sizeof(dev->message));
    }
    for (uint64_t i = 0; err == 0 && i < x->certs_pages; i++) {
        err = vm_shared_write(dev->vm, dev->certs_gpa + i * GUEST_MSG_SIZE,
                              dev->message, GUEST_MSG_SIZE);
    }
    return err == 0 ? 0 : -EIO;
}

/* One VM exit. -EAGAIN: the host is busy; -ENOSPC: more pages are needed. */
static int exit_once(struct sev_guest_dev *dev, struct guest_exchange *x,
                     uint32_t exit_code)
{
    bool extended = exit_code == VM_EXIT_EXT_GUEST_REQUEST;
    struct vm_guest_request req = {
        .exit_code = exit_code,
        .request_gpa = dev->request_gpa,
        .response_gpa = dev->response_gpa,
        .data_gpa = extended ? dev->certs_gpa : 0,
        .data_pages = extended ? x->certs_pages : 0,
    };
    int err = vm_exit_guest_request(dev->vm, &req);

    if (err != 0) {
        return err > 0 ? err : -EIO;
    }
    x->exitinfo2 = req.exitinfo2;
    if (req.exitinfo2 == 0) {
        return 0;
    }
    if (req.exitinfo2 == VM_EXITINFO2_BUSY && dev->traits->waits) {
        return -EAGAIN;
    }
    if (req.exitinfo2 == VM_EXITINFO2_INVALID_LEN && extended) {
        x->certs_pages = req.data_pages;
        return dev->traits->resends ? -ENOSPC : -EIO;
    }
    return -EIO;
}

static void pause_for(struct sev_guest_dev *dev, unsigned int ms)
{
    if (dev->config.sleep_ms != NULL) {
        dev->config.sleep_ms(dev->config.sleep_ctx, ms);
    }
}

/* Exits until there is an answer that stands. */
static int send_request(struct sev_guest_dev *dev, struct guest_exchange *x)
{
    uint32_t exit_code =
        x->extended ? VM_EXIT_EXT_GUEST_REQUEST : VM_EXIT_GUEST_REQUEST;
    unsigned int waited = 0;
    bool too_short = false;
    int rc;

    for (;;) {
        rc = exit_once(dev, x, exit_code);
        if (rc == -ENOSPC) {
            too_short = true;
            exit_code = VM_EXIT_GUEST_REQUEST;
        } else if (rc == -EAGAIN && waited < BUSY_LIMIT) {
            pause_for(dev, BUSY_WAIT);
            waited += BUSY_WAIT;
        } else {
            break;
        }
    }
    if (rc == -EAGAIN) {
        rc = -ETIMEDOUT;
    }
    if (too_short) {
        x->exitinfo2 = VM_EXITINFO2_INVALID_LEN;
        if (rc == 0 && !dev->traits->short_is_success) {
            rc = -EIO;
        }
    }
    return rc;
}

/* After a failed exit: may the key live on? */
static bool keeps_key(const struct sev_guest_traits *t, int rc,
                      const struct guest_exchange *x)
{
    return !t->wipes || (t->counts_always && rc == -EIO &&
                         x->exitinfo2 == VM_EXITINFO2_INVALID_LEN);
}

static bool take_response(struct sev_guest_dev *dev, const struct channel *ch,
                          const struct guest_msg *msg, struct guest_exchange *x)
{
    return vm_shared_read(dev->vm, dev->response_gpa, dev->message,
                          sizeof(dev->message)) == 0 &&
           guest_msg_open(ch->key, msg, dev->message, x->response,
                          x->response_size);
}

static int exchange(struct sev_guest_dev *dev, const struct channel *ch,
                    struct guest_exchange *x)
{
    const struct guest_msg msg = {
        .vmpck_id = (uint8_t)dev->vmpck_id,
        .type = x->type,
        .version = x->version,
        .seqno = (uint64_t)ch->counter + 1,
    };
    int rc = put_request(dev, ch, &msg, x);

    if (rc != 0) {
        return rc;
    }
    x->exitinfo2 = dev->traits->unanswered;
    rc = send_request(dev, x);
    if (dev->traits->counts_always) {
        count(dev, ch);
    }
    if (rc != 0) {
        if (!keeps_key(dev->traits, rc, x)) {
            disable(dev);
        }
        return rc;
    }
    if (!take_response(dev, ch, &msg, x)) {
        disable(dev);
        return -EBADMSG;
    }
    if (!dev->traits->counts_always) {
        count(dev, ch);
    }
    return 0;
}

int sev_guest_exchange(struct sev_guest_dev *dev, struct guest_exchange *x)
{
    struct channel ch = {0};
    uint64_t offered = x->certs_pages;
    int rc;

    pthread_mutex_lock(&dev->lock);
    if (!channel_open(dev, &ch)) {
        rc = -ENOTTY;
    } else if ((uint64_t)ch.counter + 1 >= SEQNO_LIMIT) {
        rc = -EIO;
    } else {
        rc = exchange(dev, &ch, x);
    }
    if (rc == 0 && offered > 0 && x->exitinfo2 == 0 &&
        vm_shared_read(dev->vm, dev->certs_gpa, x->certs,
                       (size_t)offered * GUEST_MSG_SIZE) != 0) {
        rc = -EIO;
    }
    pthread_mutex_unlock(&dev->lock);
    psp_wipe(&ch, sizeof(ch));
    return rc;
}
