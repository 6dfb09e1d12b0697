/* SPDX-License-Identifier: Apache-2.0 */
/* From the inputs of an entry to its blobs: one SNP_GET_EXT_REPORT, by the
 * device's own ioctl. abi/linux.md §4.2, §4.3, §5.3 */
#include "tsm_impl.h"

#include "umem_array.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GET_EXT_REPORT 0xc0205302u

#define ENVELOPE_SIZE 32u
#define REQUEST_SIZE  112u
#define RESPONSE_ROOM 4096u /* for the answer, zeros after it */
#define RESPONSE_HDR  32u
#define CERTS_ROOM    0x4000u
#define CERT_ROW_SIZE 24u
#define NOT_SENT      0xffu

#define STATUS_INVALID_PARAM 0x16u
#define STATUS_INVALID_KEY   0x27u

/* The caller's memory during the ioctl, and where it says that it is. */
#define ENVELOPE_ADDR 0x1000u
#define REQUEST_ADDR  0x2000u
#define RESPONSE_ADDR 0x3000u
#define CERTS_ADDR    0x4000u

struct call {
    struct umem_array memory;
    uint8_t envelope[ENVELOPE_SIZE];
    uint8_t request[REQUEST_SIZE];
    uint8_t response[RESPONSE_ROOM];
    uint8_t certs[CERTS_ROOM];
};

static void fill_envelope(struct call *call)
{
    struct psp_wr w = psp_wr(call->envelope, sizeof(call->envelope));

    psp_wr_le64(&w, 1); /* message version */
    psp_wr_le64(&w, REQUEST_ADDR);
    psp_wr_le64(&w, RESPONSE_ADDR);
    psp_wr_le64(&w, NOT_SENT);
}

static void fill_request(struct call *call, const struct tsm_desc *desc)
{
    struct psp_wr w = psp_wr(call->request, sizeof(call->request));

    psp_wr_bytes(&w, desc->inblob, sizeof(desc->inblob));
    psp_wr_le32(&w, desc->privlevel);
    psp_wr_zero(&w, 28);
    psp_wr_le64(&w, CERTS_ADDR);
    psp_wr_le32(&w, CERTS_ROOM);
}

static int ask(struct call *call, const struct chardev *dev)
{
    int64_t result;

    umem_array_init(&call->memory);
    umem_array_map(&call->memory, ENVELOPE_ADDR, call->envelope,
                   sizeof(call->envelope), false);
    umem_array_map(&call->memory, REQUEST_ADDR, call->request,
                   sizeof(call->request), false);
    umem_array_map(&call->memory, RESPONSE_ADDR, call->response,
                   sizeof(call->response), false);
    umem_array_map(&call->memory, CERTS_ADDR, call->certs, sizeof(call->certs),
                   false);
    result = umem_array_ioctl(&call->memory, dev, true, GET_EXT_REPORT,
                              ENVELOPE_ADDR);
    /* A GHCB failure is a small positive number: no report either. */
    return result > 0 ? -EIO : (int)result;
}

static int copy(struct tsm_blob *blob, const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    blob->data = malloc(size);
    if (blob->data == NULL) {
        return -ENOMEM;
    }
    memcpy(blob->data, data, size);
    blob->size = size;
    return 0;
}

static void drop(struct tsm_blob *blob)
{
    free(blob->data);
    *blob = (struct tsm_blob){.data = NULL};
}

static int take_report(const struct call *call, struct tsm_blob *blob)
{
    struct psp_rd r = psp_rd(call->response, RESPONSE_HDR);
    uint32_t status = psp_rd_le32(&r);
    uint32_t size = psp_rd_le32(&r);

    if (status == STATUS_INVALID_PARAM || status == STATUS_INVALID_KEY) {
        return -EINVAL;
    }
    if (status != 0) {
        return -ENXIO;
    }
    if (size > RESPONSE_ROOM - RESPONSE_HDR) {
        return -ENOMEM;
    }
    return copy(blob, call->response + RESPONSE_HDR, size);
}

/* Up to where the certificate table's entries reach. */
static size_t certs_size(const struct call *call)
{
    static const uint8_t none[CERT_ROW_SIZE];
    struct psp_rd r = psp_rd(call->certs, sizeof(call->certs));
    uint32_t size = 0;

    for (size_t i = 0; i < CERTS_ROOM / CERT_ROW_SIZE; i++) {
        uint8_t row[CERT_ROW_SIZE];
        struct psp_rd entry = psp_rd(row, sizeof(row));
        uint32_t end;

        psp_rd_bytes(&r, row, sizeof(row));
        if (memcmp(row, none, sizeof(row)) == 0) {
            break;
        }
        psp_rd_skip(&entry, 16);
        end = psp_rd_le32(&entry);
        end += psp_rd_le32(&entry);
        size = end > size ? end : size;
    }
    return size < CERTS_ROOM ? size : CERTS_ROOM;
}

static int make(struct tsm_entry *entry, const struct tsm_provider *provider,
                struct call *call)
{
    int err;

    fill_envelope(call);
    fill_request(call, &entry->desc);
    err = ask(call, &provider->dev);
    if (err == 0) {
        err = take_report(call, &entry->outblob);
    }
    if (err == 0) {
        err = copy(&entry->auxblob, call->certs, certs_size(call));
    }
    return err;
}

int tsm_report_new(struct tsm_entry *entry, const struct tsm_provider *provider)
{
    struct call *call;
    int err;

    /* A service: "svsm" alone is known, and this guest has none. */
    if (entry->desc.inblob_size != TSM_INBLOB_MAX ||
        entry->desc.service_provider != NULL) {
        return -EINVAL;
    }
    call = calloc(1, sizeof(*call));
    if (call == NULL) {
        return -ENOMEM;
    }
    err = make(entry, provider, call);
    free(call);
    if (err != 0) {
        drop(&entry->outblob);
        drop(&entry->auxblob);
    }
    return err;
}

static int refresh(struct tsm_entry *entry)
{
    const struct tsm_provider *provider = tsm_provider_begin(entry);
    int err;

    if (provider == NULL) {
        return -ENXIO;
    }
    entry->made = false;
    drop(&entry->outblob);
    drop(&entry->auxblob);
    drop(&entry->manifestblob);
    err = tsm_report_new(entry, provider);
    if (err == 0) {
        entry->read_generation = entry->write_generation;
        entry->made = true;
    }
    tsm_provider_end(entry);
    return err;
}

int tsm_blob(struct tsm_entry *entry, enum tsm_attr attr,
             const struct tsm_blob **out)
{
    int err = 0;

    if (entry->desc.inblob_size == 0) {
        return -EINVAL;
    }
    if (!entry->made || entry->read_generation != entry->write_generation) {
        err = refresh(entry);
    }
    *out = attr == TSM_OUTBLOB   ? &entry->outblob
           : attr == TSM_AUXBLOB ? &entry->auxblob
                                 : &entry->manifestblob;
    return err;
}
