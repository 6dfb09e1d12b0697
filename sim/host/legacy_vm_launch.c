/* SPDX-License-Identifier: Apache-2.0 */
/* Launch, in the order of KVM and QEMU. Each step records what it took, so that
 * legacy_vm_destroy() undoes a launch at any point. */
#include "legacy_vm_impl.h"

#include "wire.h"

#include <errno.h>
#include <stdlib.h>

#define CMD_ACTIVATE           0x21u
#define CMD_LAUNCH_START       0x30u
#define CMD_LAUNCH_UPDATE_DATA 0x31u
#define CMD_LAUNCH_UPDATE_VMSA 0x32u
#define CMD_LAUNCH_MEASURE     0x33u
#define CMD_LAUNCH_SECRET      0x34u
#define CMD_LAUNCH_FINISH      0x35u

#define MAX_GPA (1ull << 52)

struct launch {
    struct legacy_vm *g;
    const struct legacy_vm_spec *spec;
    enum sev_status *status;
};

static const struct port *port_of(const struct legacy_vm *g)
{
    return &g->host->port;
}

/* --- what the description must satisfy before anything is done --- */

static uint64_t pages_end(const struct legacy_vm_region *r)
{
    const uint64_t mask = RMP_PAGE_SIZE - 1;

    return (r->gpa + r->size + mask) & ~mask;
}

static bool region_ok(const struct legacy_vm_region *r)
{
    return r->gpa % RMP_PAGE_SIZE == 0 && r->size > 0 && r->gpa < MAX_GPA &&
           r->size <= MAX_GPA - r->gpa;
}

static bool regions_ok(const struct legacy_vm_spec *spec)
{
    for (size_t i = 0; i < spec->region_count; i++) {
        const struct legacy_vm_region *a = &spec->regions[i];

        if (!region_ok(a)) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            const struct legacy_vm_region *b = &spec->regions[k];

            if (a->gpa < pages_end(b) && b->gpa < pages_end(a)) {
                return false;
            }
        }
    }
    return true;
}

static bool spec_ok(const struct legacy_vm_spec *spec)
{
    return regions_ok(spec) &&
           (spec->vmsa_count == 0 || (spec->policy & LEGACY_VM_POLICY_ES) != 0);
}

/* --- memory --- */

static int copy_in(const struct legacy_vm *g, const uint8_t *data, size_t size,
                   struct port_buf *buf)
{
    int r = port_buf_alloc(port_of(g), size, buf);

    if (r == 0 && data != NULL && size > 0) {
        r = port_of(g)->ops->write(port_of(g)->host, buf->spa, data, size);
    }
    return r;
}

static int make_memory(struct launch *l)
{
    struct legacy_vm *g = l->g;
    int r = 0;

    g->map = calloc(l->spec->region_count + 1, sizeof(*g->map));
    g->vmsas = calloc(l->spec->vmsa_count + 1, sizeof(*g->vmsas));
    if (g->map == NULL || g->vmsas == NULL) {
        return -ENOMEM;
    }
    for (; r == 0 && g->map_count < l->spec->region_count; g->map_count++) {
        const struct legacy_vm_region *region = &l->spec->regions[g->map_count];

        g->map[g->map_count].gpa = region->gpa;
        r = copy_in(g, region->data, region->size, &g->map[g->map_count].buf);
    }
    for (; r == 0 && g->vmsa_count < l->spec->vmsa_count; g->vmsa_count++) {
        r = copy_in(g, l->spec->vmsas + g->vmsa_count * LEGACY_VM_VMSA_SIZE,
                    LEGACY_VM_VMSA_SIZE, &g->vmsas[g->vmsa_count]);
    }
    return r;
}

/* --- the steps --- */

static int start_with(struct launch *l, const struct port_buf *cert,
                      const struct port_buf *session)
{
    uint8_t buf[0x24];
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    struct psp_rd r = psp_rd(buf, sizeof(buf));
    int err;

    psp_wr_le32(&w, 0);
    psp_wr_le32(&w, l->spec->policy);
    psp_wr_le64(&w, cert->spa);
    psp_wr_le32(&w, (uint32_t)cert->size);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, session->spa);
    psp_wr_le32(&w, (uint32_t)session->size);
    err =
        legacy_vm_command(l->g, CMD_LAUNCH_START, buf, sizeof(buf), l->status);
    if (err == 0) {
        l->g->handle = psp_rd_le32(&r);
        machine_guest_is(l->g->host->m, false, l->g->handle, l->g->name);
    }
    return err;
}

static int start(struct launch *l)
{
    struct port_buf cert = {0};
    struct port_buf session = {0};
    int r = 0;

    if (l->spec->session) {
        r = copy_in(l->g, l->spec->dh_cert, sizeof(l->spec->dh_cert), &cert);
        if (r == 0) {
            r = copy_in(l->g, l->spec->session_blob,
                        sizeof(l->spec->session_blob), &session);
        }
    }
    if (r == 0) {
        r = start_with(l, &cert, &session);
    }
    port_buf_free(port_of(l->g), &cert);
    port_buf_free(port_of(l->g), &session);
    return r;
}

static int take_asid(struct launch *l)
{
    l->g->asid = machine_asid_alloc(l->g->host->m,
                                    (l->spec->policy & LEGACY_VM_POLICY_ES) != 0
                                        ? MACHINE_ASID_ES
                                        : MACHINE_ASID_SEV);
    return l->g->asid == 0 ? -EBUSY : 0;
}

static int activate(struct launch *l)
{
    uint8_t buf[8];
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    int r;

    psp_wr_le32(&w, l->g->handle);
    psp_wr_le32(&w, l->g->asid);
    r = legacy_vm_command(l->g, CMD_ACTIVATE, buf, sizeof(buf), l->status);
    l->g->active = r == 0;
    return r;
}

static int update(struct launch *l, uint32_t command, struct port_buf *pages)
{
    uint8_t buf[0x14];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    psp_wr_le32(&w, l->g->handle);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, pages->spa);
    psp_wr_le32(&w, (uint32_t)pages->size);
    return legacy_vm_command_on(l->g, command, buf, sizeof(buf), pages,
                                l->status);
}

static int update_all(struct launch *l)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < l->spec->region_count; i++) {
        if (l->spec->regions[i].data != NULL) {
            r = update(l, CMD_LAUNCH_UPDATE_DATA, &l->g->map[i].buf);
        }
    }
    for (size_t i = 0; r == 0 && i < l->spec->vmsa_count; i++) {
        r = update(l, CMD_LAUNCH_UPDATE_VMSA, &l->g->vmsas[i]);
    }
    return r;
}

static int measure_into(struct launch *l, struct port_buf *out)
{
    uint8_t buf[0x14];
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    int r;

    psp_wr_le32(&w, l->g->handle);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, out->spa);
    psp_wr_le32(&w, (uint32_t)out->size);
    r = legacy_vm_command_on(l->g, CMD_LAUNCH_MEASURE, buf, sizeof(buf), out,
                             l->status);
    return r != 0 ? r
                  : machine_read(l->g->host->m, out->spa, l->g->measurement,
                                 sizeof(l->g->measurement));
}

static int measure(struct launch *l)
{
    struct port_buf out;
    int r = port_buf_alloc(port_of(l->g), LEGACY_VM_MEASURE_SIZE, &out);

    if (r == 0) {
        r = measure_into(l, &out);
    }
    port_buf_free(port_of(l->g), &out);
    return r;
}

/* --- secrets --- */

static int inject_with(struct legacy_vm *g, const struct port_buf *header,
                       const struct port_buf *payload, uint64_t spa,
                       enum sev_status *status)
{
    uint8_t buf[0x34];
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    /* The guest's pages around the range, for the time of the command. */
    const uint64_t first = spa - spa % RMP_PAGE_SIZE;
    struct port_buf pages = {.spa = first,
                             .size = (size_t)(spa - first) + payload->size};

    psp_wr_le32(&w, g->handle);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, header->spa);
    psp_wr_le32(&w, (uint32_t)header->size);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, spa);
    psp_wr_le32(&w, (uint32_t)payload->size);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, payload->spa);
    psp_wr_le32(&w, (uint32_t)payload->size);
    return legacy_vm_command_on(g, CMD_LAUNCH_SECRET, buf, sizeof(buf), &pages,
                                status);
}

int legacy_vm_inject(struct legacy_vm *g, const struct legacy_vm_secret *secret,
                     enum sev_status *status)
{
    const uint64_t spa = legacy_vm_translate(g, secret->gpa, secret->size);
    struct port_buf header = {0};
    struct port_buf payload = {0};
    int r = spa == 0 ? -EINVAL : 0;

    if (r == 0) {
        r = copy_in(g, secret->header, sizeof(secret->header), &header);
    }
    if (r == 0) {
        r = copy_in(g, secret->payload, secret->size, &payload);
    }
    if (r == 0) {
        r = inject_with(g, &header, &payload, spa, status);
    }
    port_buf_free(port_of(g), &header);
    port_buf_free(port_of(g), &payload);
    return r;
}

int legacy_vm_finish(struct legacy_vm *g, enum sev_status *status)
{
    uint8_t buf[4];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    psp_wr_le32(&w, g->handle);
    return legacy_vm_command(g, CMD_LAUNCH_FINISH, buf, sizeof(buf), status);
}

static int inject_all(struct launch *l)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < l->spec->secret_count; i++) {
        r = legacy_vm_inject(l->g, &l->spec->secrets[i], l->status);
    }
    return r;
}

/* --- --- */

static int finish(struct launch *l)
{
    return l->spec->unfinished ? 0 : legacy_vm_finish(l->g, l->status);
}

static void link_guest(struct legacy_vm *g)
{
    (void)pthread_mutex_lock(&g->host->lock);
    g->next = g->host->guests;
    g->host->guests = g;
    (void)pthread_mutex_unlock(&g->host->lock);
}

int legacy_vm_launch(struct legacy_vm_host *host,
                     const struct legacy_vm_spec *spec, struct legacy_vm **out,
                     enum sev_status *status)
{
    static int (*const steps[])(struct launch *) = {
        make_memory, take_asid, start,      activate,
        update_all,  measure,   inject_all, finish,
    };
    struct launch l = {.spec = spec, .status = status};
    int r = 0;

    *status = SEV_SUCCESS;
    if (!spec_ok(spec)) {
        return -EINVAL;
    }
    l.g = calloc(1, sizeof(*l.g));
    if (l.g == NULL) {
        return -ENOMEM;
    }
    l.g->host = host;
    memcpy(l.g->name, spec->name, sizeof(l.g->name) - 1);
    for (size_t i = 0; r == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
        r = steps[i](&l);
    }
    if (r != 0) {
        legacy_vm_destroy(l.g);
        return r;
    }
    link_guest(l.g);
    *out = l.g;
    return 0;
}
