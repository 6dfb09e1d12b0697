/* SPDX-License-Identifier: Apache-2.0 */
/* Legacy guests: host, life, memory. */
#include "legacy_vm_impl.h"

#include "wire.h"

#include <errno.h>
#include <stdlib.h>

#define CMD_DECOMMISSION 0x20u
#define CMD_DEACTIVATE   0x22u
#define CMD_GUEST_STATUS 0x23u

/* --- host --- */

int legacy_vm_host_new(struct machine *m, struct legacy_vm_host **out)
{
    struct legacy_vm_host *host = calloc(1, sizeof(*host));

    if (host == NULL) {
        return -ENOMEM;
    }
    host->m = m;
    host->port = port_machine(m);
    (void)pthread_mutex_init(&host->lock, NULL);
    *out = host;
    return 0;
}

void legacy_vm_host_free(struct legacy_vm_host *host)
{
    if (host == NULL) {
        return;
    }
    while (host->guests != NULL) {
        legacy_vm_destroy(host->guests);
    }
    (void)pthread_mutex_destroy(&host->lock);
    free(host);
}

void legacy_vm_host_set_handle_mode(struct legacy_vm_host *host,
                                    enum legacy_vm_handle_mode mode)
{
    (void)pthread_mutex_lock(&host->lock);
    host->mode = mode;
    (void)pthread_mutex_unlock(&host->lock);
}

void legacy_vm_host_set_faults(struct legacy_vm_host *host,
                               struct fault_hypercalls *faults)
{
    host->faults = faults;
}

/* --- commands --- */

int legacy_vm_command(struct legacy_vm *g, uint32_t id, void *buf, size_t size,
                      enum sev_status *status)
{
    int err;

    *status = machine_command(g->host->m, id, buf, size);
    err = machine_errno(*status);
    if (err != 0) {
        *status = SEV_SUCCESS; /* the firmware has said nothing */
        return err;
    }
    return *status == SEV_SUCCESS ? 0 : -EIO;
}

int legacy_vm_command_on(struct legacy_vm *g, uint32_t id, void *buf,
                         size_t size, struct port_buf *pages,
                         enum sev_status *status)
{
    const struct port *port = &g->host->port;
    int r = port_buf_give(port, pages);

    if (r != 0) {
        return r;
    }
    r = legacy_vm_command(g, id, buf, size, status);
    return port_buf_take(port, pages) != 0 ? -EFAULT : r;
}

static void handle_command(struct legacy_vm *g, uint32_t id)
{
    uint8_t buf[4];
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    enum sev_status status;

    psp_wr_le32(&w, g->handle);
    (void)legacy_vm_command(g, id, buf, sizeof(buf), &status);
}

/* --- end --- */

static void unlink_guest(struct legacy_vm *g)
{
    struct legacy_vm **at = &g->host->guests;

    (void)pthread_mutex_lock(&g->host->lock);
    while (*at != NULL && *at != g) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = g->next;
    }
    (void)pthread_mutex_unlock(&g->host->lock);
}

void legacy_vm_destroy(struct legacy_vm *g)
{
    if (g == NULL) {
        return;
    }
    unlink_guest(g);
    if (g->active) {
        handle_command(g, CMD_DEACTIVATE);
    }
    if (g->handle != 0) {
        handle_command(g, CMD_DECOMMISSION);
        machine_guest_is(g->host->m, false, g->handle, NULL);
    }
    if (g->asid != 0) {
        machine_asid_free(g->host->m, g->asid);
    }
    for (size_t i = 0; i < g->map_count; i++) {
        port_buf_free(&g->host->port, &g->map[i].buf);
    }
    for (size_t i = 0; i < g->vmsa_count; i++) {
        port_buf_free(&g->host->port, &g->vmsas[i]);
    }
    free(g->map);
    free(g->vmsas);
    free(g);
}

/* --- what is known of a guest --- */

const char *legacy_vm_name(const struct legacy_vm *g)
{
    return g->name;
}

uint32_t legacy_vm_handle(const struct legacy_vm *g)
{
    return g->handle;
}

uint32_t legacy_vm_asid(const struct legacy_vm *g)
{
    return g->asid;
}

const uint8_t *legacy_vm_measurement(const struct legacy_vm *g)
{
    return g->measurement;
}

int legacy_vm_get_status(struct legacy_vm *g, struct legacy_vm_status *out,
                         enum sev_status *status)
{
    uint8_t buf[13] = {0};
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    struct psp_rd r = psp_rd(buf, sizeof(buf));
    int err;

    psp_wr_le32(&w, g->handle);
    err = legacy_vm_command(g, CMD_GUEST_STATUS, buf, sizeof(buf), status);
    psp_rd_skip(&r, 4);
    out->policy = psp_rd_le32(&r);
    out->asid = psp_rd_le32(&r);
    out->state = psp_rd_u8(&r);
    return err;
}

/* --- memory --- */

uint64_t legacy_vm_translate(const struct legacy_vm *g, uint64_t gpa,
                             size_t size)
{
    for (size_t i = 0; i < g->map_count; i++) {
        const struct legacy_vm_map *map = &g->map[i];

        if (map->buf.spa != 0 && gpa >= map->gpa && size <= map->buf.size &&
            gpa - map->gpa <= map->buf.size - size) {
            return map->buf.spa + (gpa - map->gpa);
        }
    }
    return 0;
}

static size_t in_page(uint64_t spa, size_t size)
{
    const size_t left = RMP_PAGE_SIZE - (size_t)(spa % RMP_PAGE_SIZE);

    return size < left ? size : left;
}

int legacy_vm_read(struct legacy_vm *g, uint64_t gpa, void *buf, size_t size)
{
    uint64_t spa = legacy_vm_translate(g, gpa, size);
    uint8_t *p = buf;
    int r = spa == 0 ? -EFAULT : 0;

    while (r == 0 && size > 0) {
        const size_t n = in_page(spa, size);

        r = machine_sev_read(g->host->m, g->asid, spa, p, n);
        spa += n;
        p += n;
        size -= n;
    }
    return r;
}

int legacy_vm_write(struct legacy_vm *g, uint64_t gpa, const void *buf,
                    size_t size)
{
    uint64_t spa = legacy_vm_translate(g, gpa, size);
    const uint8_t *p = buf;
    int r = spa == 0 ? -EFAULT : 0;

    while (r == 0 && size > 0) {
        const size_t n = in_page(spa, size);

        r = machine_sev_write(g->host->m, g->asid, spa, p, n);
        spa += n;
        p += n;
        size -= n;
    }
    return r;
}

int legacy_vm_read_raw(struct legacy_vm *g, uint64_t gpa, void *buf,
                       size_t size)
{
    const uint64_t spa = legacy_vm_translate(g, gpa, size);

    return spa == 0 ? -EFAULT : machine_read(g->host->m, spa, buf, size);
}
