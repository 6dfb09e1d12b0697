/* SPDX-License-Identifier: Apache-2.0 */
#include "platform_sev.h"

#include "legacy_vm_spec.h"
#include "parse.h"

#include <errno.h>
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEGACY_FILE_MAX (16u << 20)

static bool complain(const char *command, const char *where, const char *what)
{
    fprintf(stderr, "swpsp %s: %s: %s\n", command, where, what);
    return false;
}

static bool refused(const char *command, const char *what, uint32_t status)
{
    fprintf(stderr, "swpsp %s: the firmware refused %s: %s (0x%x)\n", command,
            what, sev_status_name((enum sev_status)status), status);
    return false;
}

/* --- what survives a power cycle --- */

static void store_failed(const char *line)
{
    fprintf(stderr, "swpsp: the platform's store is not kept: %s\n", line);
}

bool platform_nv_open(struct platform *p, const struct platform_options *o,
                      const char *command, struct machine_config *config)
{
    const struct state_dir *dir = NULL;
    char error[STATE_ERROR_SIZE] = "";
    char name[32];
    const char *path = o->sev.nv_path;

    if (path == NULL) {
        dir = o->seed_file == NULL ? install_dir(p->install) : NULL;
        if (dir == NULL) {
            return true;
        }
        snprintf(name, sizeof(name), "nv-%s-%u",
                 psp_generation_name(o->profile->generation), o->chip_index);
        path = name;
    }
    if (nv_file_open(dir, path, &p->chip, &p->nv, error) != 0) {
        fprintf(stderr, "swpsp %s: %s\n", command, error);
        return false;
    }
    nv_file_on_error(p->nv, store_failed);
    config->nv_load = nv_file_load;
    config->nv_store = nv_file_store;
    config->nv_ctx = p->nv;
    return true;
}

/* --- driver --- */

/* SNP_SET_EXT_CONFIG: the host-wide table is what guests get. */
static void certs_changed(void *ctx, const uint8_t *certs, size_t size)
{
    struct platform *p = ctx;

    if (p->vm != NULL && vm_set_certs(p->vm, certs, size) != 0) {
        fprintf(stderr, "swpsp: out of memory: the guest keeps its old "
                        "certificates\n");
    }
}

static void requests_paused(void *ctx, bool paused)
{
    struct platform *p = ctx;

    atomic_store(&p->paused, paused);
}

/* The fault plan comes first: it counts every request. */
static bool watch_request(void *ctx, struct vm *vm,
                          struct vm_guest_request *req, bool after)
{
    struct platform *p = ctx;

    if (fault_host_hook(p->faults, &p->vm_faults, vm, req, after)) {
        return true;
    }
    if (after || req->exit_code != VM_EXIT_EXT_GUEST_REQUEST ||
        !atomic_load(&p->paused)) {
        return false;
    }
    req->exitinfo2 = VM_EXITINFO2_BUSY;
    return true;
}

void platform_watch_requests(struct platform *p)
{
    vm_set_request_hook(p->vm, watch_request, p);
}

bool platform_sev_probe(struct platform *p, const struct platform_options *o,
                        const char *command)
{
    struct ccp_config config = o->sev.driver;
    uint32_t status;
    int err;

    config.certs_changed = certs_changed;
    config.requests_paused = requests_paused;
    config.ctx = p;
    if (p->certs_changed != NULL) {
        config.certs_changed = p->certs_changed;
        config.requests_paused = p->requests_paused;
        config.ctx = p->hook_ctx;
    }
    err = ccp_probe(p->m, &config, &p->ccp);
    if (err != 0) {
        return complain(command, "/dev/sev", strerror(-err));
    }
    if (p->nv != NULL) {
        nv_file_started(p->nv);
    }
    status = ccp_start_status(p->ccp);
    err = ccp_start_result(p->ccp);
    if (config.start_uninit || err == 0) {
        return true;
    }
    if (status == UINT32_MAX || status == SEV_SUCCESS) {
        return complain(command,
                        config.init_ex_path != NULL ? config.init_ex_path
                                                    : "/dev/sev",
                        strerror(-err));
    }
    return refused(command, "to initialise the platform", status);
}

/* --- legacy guests --- */

static bool read_guest(const char *path, const struct platform_options *o,
                       const char *command, struct legacy_vm_spec *spec)
{
    char error[SPEC_ERROR_SIZE] = "";
    size_t size = 0;
    char *text = (char *)parse_file(path, LEGACY_FILE_MAX, &size);
    char *copy = strdup(path);
    bool ok = false;

    if (text == NULL || copy == NULL) {
        (void)complain(command, path, strerror(errno));
    } else if (legacy_vm_spec_parse(text, size, dirname(copy), o->profile, spec,
                                    error) != 0) {
        (void)complain(command, path, error);
    } else {
        ok = true;
    }
    free(text);
    free(copy);
    return ok;
}

static bool launch_guest(struct platform *p, const char *path,
                         const struct platform_options *o, const char *command)
{
    enum sev_status status = SEV_SUCCESS;
    struct legacy_vm_spec spec;
    struct legacy_vm **slot = &p->legacy_guest[p->legacy_guest_count];
    int err;

    if (!read_guest(path, o, command, &spec)) {
        return false;
    }
    err = legacy_vm_launch(p->legacy, &spec, slot, &status);
    legacy_vm_spec_clear(&spec);
    if (err == 0) {
        p->legacy_guest_count++;
        return true;
    }
    if (err == -EIO) {
        return refused(command, path, status);
    }
    return complain(command, path, strerror(-err));
}

static const char *state_name(uint8_t state)
{
    static const char *const names[] = {
        "uninit",  "launch-update", "launch-secret", "running",
        "sending", "receiving",     "sent",
    };

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static json_t *hex(const uint8_t *data, size_t size)
{
    char text[2 * LEGACY_VM_MEASURE_SIZE + 1] = "";

    for (size_t i = 0; i < size; i++) {
        snprintf(text + 2 * i, 3, "%02x", data[i]);
    }
    return json_string(text);
}

/* What the host knows of a guest; NULL when the firmware does not answer. */
static json_t *describe(struct legacy_vm *g, const struct psp_profile *profile)
{
    enum sev_status status = SEV_SUCCESS;
    const uint8_t *measurement = legacy_vm_measurement(g);
    struct legacy_vm_status s;

    if (legacy_vm_get_status(g, &s, &status) != 0) {
        return NULL;
    }
    return json_pack("{s:s, s:I, s:I, s:I, s:s, s:o, s:o, s:i, s:i, s:i}",
                     "name", legacy_vm_name(g), "handle",
                     (json_int_t)legacy_vm_handle(g), "asid",
                     (json_int_t)s.asid, "policy", (json_int_t)s.policy,
                     "state", state_name(s.state), "measurement",
                     hex(measurement, 32), "measure_nonce",
                     hex(measurement + 32, 16), "api_major", profile->api_major,
                     "api_minor", profile->api_minor, "build", profile->build);
}

static bool write_info(const char *path, const json_t *guests,
                       const char *command)
{
    if (json_dump_file(guests, path, JSON_INDENT(2)) != 0) {
        return complain(command, path, strerror(errno));
    }
    return true;
}

static bool tell(const struct platform *p, const struct platform_options *o,
                 const char *command, struct trace *trace)
{
    const char *path = o->sev.legacy_info_path;
    json_t *guests = json_array();
    bool ok = guests != NULL;

    for (size_t i = 0; ok && i < p->legacy_guest_count; i++) {
        json_t *guest = describe(p->legacy_guest[i], o->profile);
        char *line = guest == NULL ? NULL : json_dumps(guest, JSON_COMPACT);

        ok = line != NULL && json_array_append_new(guests, guest) == 0;
        if (ok && trace != NULL) {
            trace_line(trace, "legacy guest", line);
        }
        free(line);
    }
    if (!ok) {
        (void)complain(command, "legacy guests", "cannot be described");
    } else if (path != NULL) {
        ok = write_info(path, guests, command);
    }
    json_decref(guests);
    return ok;
}

bool platform_legacy_launch(struct platform *p,
                            const struct platform_options *o,
                            const char *command, struct trace *trace)
{
    int err = 0;

    if (o->sev.legacy_guest_count == 0) {
        return true;
    }
    err = legacy_vm_host_new(p->m, &p->legacy);
    if (err != 0) {
        return complain(command, "legacy guests", strerror(-err));
    }
    legacy_vm_host_set_handle_mode(p->legacy, o->sev.vm_handle);
    for (size_t i = 0; i < o->sev.legacy_guest_count; i++) {
        if (!launch_guest(p, o->sev.legacy_guest[i], o, command)) {
            return false;
        }
    }
    return tell(p, o, command, trace);
}

void platform_sev_close(struct platform *p)
{
    if (p->legacy != NULL) {
        legacy_vm_host_free(p->legacy);
    }
    if (p->ccp != NULL) {
        ccp_remove(p->ccp);
    }
}
