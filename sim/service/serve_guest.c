/* SPDX-License-Identifier: Apache-2.0 */
/* One guest: from its launch request to its device, and what it shows. */
#include "serve_guest_impl.h"

#include "cert_table.h"
#include "crypto.h"
#include "json_base64.h"
#include "launch_digest.h"
#include "legacy_vm_spec.h"
#include "sev_pki.h"
#include "sleep_ms.h"
#include "spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static json_t *hex(const uint8_t *data, size_t size)
{
    char text[2 * 64 + 1] = "";

    for (size_t i = 0; i < size && i < 64; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", data[i]);
    }
    return json_string(text);
}

static json_t *hex_number(uint64_t n)
{
    return json_sprintf("0x%llx", (unsigned long long)n);
}

/* --- the request --- */

static int known_members(const json_t *request, char *error)
{
    static const char *const names[] = {
        "name",   "kind",  "description",     "certs",
        "kernel", "vmpck", "long_key_request"};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)request, key, value)
    {
        bool known = false;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            known |= strcmp(key, names[i]) == 0;
        }
        if (!known) {
            return state_error(error, -EINVAL, "%.80s: no such member", key);
        }
    }
    return 0;
}

static int read_driver(struct serve_guest *guest, const json_t *request,
                       int *vmpck, char *error)
{
    const json_t *kernel = json_object_get(request, "kernel");
    const json_t *id = json_object_get(request, "vmpck");
    const json_t *lkr = json_object_get(request, "long_key_request");
    const char *name = json_string_value(kernel);
    int era = name == NULL ? -1 : sev_guest_era_by_name(name);

    *vmpck = -1;
    guest->era = SEV_GUEST_6_13;
    if (kernel != NULL && era < 0) {
        return state_error(error, -EINVAL,
                           "kernel: must be \"5.19\", \"6.1\", \"6.3\" or "
                           "\"6.13\"");
    }
    if (kernel != NULL) {
        guest->era = (enum sev_guest_era)era;
    }
    if (lkr != NULL && !json_is_boolean(lkr)) {
        return state_error(error, -EINVAL,
                           "long_key_request: must be true or false");
    }
    guest->long_key_request = json_is_true(lkr);
    if (id == NULL) {
        return 0;
    }
    if (!json_is_integer(id) || json_integer_value(id) < 0 ||
        json_integer_value(id) > 3) {
        return state_error(error, -EINVAL, "vmpck: must be 0 to 3");
    }
    *vmpck = (int)json_integer_value(id);
    return 0;
}

static int read_kind(struct serve_guest *guest, const json_t *request,
                     char *error)
{
    const json_t *kind = json_object_get(request, "kind");
    const char *text = json_string_value(kind);

    guest->kind = SERVE_SNP;
    if (kind == NULL || (text != NULL && strcmp(text, "snp") == 0)) {
        return 0;
    }
    if (text == NULL || strcmp(text, "legacy") != 0) {
        return state_error(error, -EINVAL,
                           "kind: must be \"snp\" or \"legacy\"");
    }
    guest->kind = SERVE_LEGACY;
    if (json_object_get(request, "certs") != NULL ||
        json_object_get(request, "kernel") != NULL ||
        json_object_get(request, "vmpck") != NULL ||
        json_object_get(request, "long_key_request") != NULL) {
        return state_error(error, -EINVAL,
                           "certs, kernel, vmpck and long_key_request are of "
                           "SNP guests only");
    }
    return 0;
}

/* The description as text; free(). */
static char *description_of(const json_t *request, char *error)
{
    const json_t *json = json_object_get(request, "description");
    char *text;

    if (json != NULL && !json_is_object(json)) {
        (void)state_error(error, -EINVAL, "description: must be an object");
        return NULL;
    }
    text = json == NULL ? strdup("{}") : json_dumps(json, JSON_COMPACT);
    if (text == NULL) {
        (void)state_error(error, -ENOMEM, "out of memory");
    }
    return text;
}

/* --- SNP --- */

static int given_table(const json_t *certs, struct vm_spec *spec, char *error)
{
    const char *text = json_string_value(json_object_get(certs, "base64"));
    uint8_t *table = text == NULL || json_object_size(certs) != 1
                         ? NULL
                         : json_base64_decode(text, &spec->certs_size);

    if (table == NULL || spec->certs_size == 0 ||
        spec->certs_size > CERT_TABLE_MAX_SIZE) {
        free(table);
        return state_error(error, -EINVAL,
                           "certs: must be \"vcek\", \"vlek\", \"none\" or "
                           "{\"base64\": \"...\"} of 1 to %u bytes",
                           CERT_TABLE_MAX_SIZE);
    }
    spec->certs = table;
    return 0;
}

/* The platform's own table; callers hold launching. */
static int platform_table(struct serve_guests *g, enum install_certs kind,
                          const struct serve_table **out, char *error)
{
    const struct serve_platform *p = &g->platform;
    struct serve_table *t = kind == INSTALL_VLEK ? &g->vlek : &g->vcek;

    *out = t;
    return t->data != NULL
               ? 0
               : install_cert_table(
                     p->install, machine_profile(p->m)->generation, kind,
                     &p->chip, &p->reported_tcb, &t->data, &t->size, error);
}

static int set_certs(struct serve_guests *g, const json_t *request,
                     struct vm_spec *spec, char *error)
{
    const json_t *certs = json_object_get(request, "certs");
    const char *name = json_string_value(certs);
    enum install_certs kind = g->platform.vlek ? INSTALL_VLEK : INSTALL_VCEK;
    const struct serve_table *table = NULL;
    int rc;

    if (certs == NULL && (spec->certs != NULL || spec->no_certs)) {
        return 0;
    }
    free(spec->certs);
    spec->certs = NULL;
    spec->certs_size = 0;
    if (name != NULL && strcmp(name, "none") == 0) {
        return 0;
    }
    if (name != NULL && strcmp(name, "vlek") == 0) {
        kind = INSTALL_VLEK;
    } else if (name != NULL && strcmp(name, "vcek") == 0) {
        kind = INSTALL_VCEK;
    } else if (certs != NULL) {
        return given_table(certs, spec, error);
    }
    rc = platform_table(g, kind, &table, error);
    if (rc != 0) {
        return rc;
    }
    spec->certs = malloc(table->size);
    if (spec->certs == NULL) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    memcpy(spec->certs, table->data, table->size);
    spec->certs_size = table->size;
    return 0;
}

static int refused(enum sev_status status, char *error)
{
    return state_error(error, -EIO, "the firmware refused the guest: %s (0x%x)",
                       sev_status_name(status), (unsigned int)status);
}

static int cannot(const struct serve_guests *g, int err, char *error)
{
    const struct psp_profile *p = machine_profile(g->platform.m);

    if (machine_is_dead(g->platform.m)) {
        return state_error(error, err,
                           "cannot launch the guest: the secure processor "
                           "does not answer");
    }
    if (err == -EBUSY) {
        return state_error(error, err,
                           "cannot launch the guest: no ASID is free (1 to %u "
                           "are for SEV-ES and SNP guests, %u to %u for SEV)",
                           p->min_sev_asid - 1, p->min_sev_asid, p->asid_count);
    }
    return state_error(error, err, "cannot launch the guest: %s",
                       strerror(-err));
}

/* The fault plan comes first: it counts every request. */
static bool watch_request(void *ctx, struct vm *vm,
                          struct vm_guest_request *req, bool after)
{
    struct serve_guest *guest = ctx;

    if (fault_host_hook(guest->table->platform.faults, &guest->faults, vm, req,
                        after)) {
        return true;
    }
    if (after || req->exit_code != VM_EXIT_EXT_GUEST_REQUEST ||
        atomic_load(&guest->stopping) || !atomic_load(&guest->table->paused)) {
        return false;
    }
    req->exitinfo2 = VM_EXITINFO2_BUSY;
    return true;
}

static int start_snp(struct serve_guests *g, struct serve_guest *guest,
                     const struct vm_spec *spec, int vmpck, char *error)
{
    struct sev_guest_config config = {
        .era = guest->era,
        .vmpck_id = vmpck,
        .long_key_request = guest->long_key_request,
        .sleep_ms = sleep_ms,
    };
    enum sev_status status = SEV_SUCCESS;
    int err = vm_launch(g->platform.m, spec, &guest->vm, &status);

    if (err == -EIO) {
        return refused(status, error);
    }
    if (err != 0) {
        return cannot(g, err, error);
    }
    guest->table = g;
    vm_set_request_hook(guest->vm, watch_request, guest);
    guest->policy = spec->policy;
    memcpy(guest->host_data, spec->host_data, sizeof(guest->host_data));
    launch_digest_spec(spec, machine_profile(g->platform.m),
                       guest->measurement);
    err = sev_guest_probe(guest->vm, &config, &guest->dev);
    if (err != 0) {
        return state_error(error, -ENODEV,
                           "the guest has no /dev/sev-guest: %s",
                           strerror(-err));
    }
    guest->vmpck = sev_guest_vmpck(guest->dev);
    return 0;
}

static int launch_snp(struct serve_guests *g, struct serve_guest *guest,
                      const json_t *request, const char *text, char *error)
{
    char parse_error[SPEC_ERROR_SIZE] = "";
    struct vm_spec spec;
    int vmpck = -1;
    int err = read_driver(guest, request, &vmpck, error);

    if (err != 0) {
        return err;
    }
    err = vm_spec_parse(text, strlen(text), NULL,
                        machine_profile(g->platform.m), &spec, parse_error);
    if (err != 0) {
        return state_error(error, err, "description: %s", parse_error);
    }
    (void)snprintf(spec.name, sizeof(spec.name), "%s", guest->name);
    err = set_certs(g, request, &spec, error);
    if (err == 0) {
        err = start_snp(g, guest, &spec, vmpck, error);
    }
    vm_spec_clear(&spec);
    return err;
}

/* --- legacy --- */

static int launch_legacy(struct serve_guests *g, struct serve_guest *guest,
                         const char *text, char *error)
{
    char parse_error[SPEC_ERROR_SIZE] = "";
    enum sev_status status = SEV_SUCCESS;
    struct legacy_vm_spec spec;
    int err = legacy_vm_spec_parse(text, strlen(text), NULL,
                                   machine_profile(g->platform.m), &spec,
                                   parse_error);

    if (err != 0) {
        return state_error(error, err, "description: %s", parse_error);
    }
    (void)snprintf(spec.name, sizeof(spec.name), "%s", guest->name);
    err = legacy_vm_launch(g->legacy, &spec, &guest->legacy, &status);
    if (err == -EIO) {
        err = refused(status, error);
    } else if (err != 0) {
        err = cannot(g, err, error);
    } else {
        guest->policy = spec.policy;
    }
    legacy_vm_spec_clear(&spec);
    return err;
}

/* Handles and ASIDs are used again, this is not, whenever the daemon is started
 * again. */
static uint64_t next_generation(struct serve_guests *g)
{
    struct timespec t;
    uint64_t now;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    now = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
    if (now <= g->last_generation) {
        now = g->last_generation + 1;
    }
    g->last_generation = now;
    return now;
}

/* As KVM does for a guest of either kind. */
static int init_platform(struct serve_guests *g, char *error)
{
    enum sev_status status = SEV_SUCCESS;
    int err =
        g->platform.ccp == NULL ? 0 : ccp_guest_init(g->platform.ccp, &status);

    if (err == -EIO) {
        return state_error(error, err,
                           "the firmware refused to initialise the platform: "
                           "%s (0x%x)",
                           sev_status_name(status), (unsigned int)status);
    }
    return err != 0 ? cannot(g, err, error) : 0;
}

int serve_guest_launch(struct serve_guests *g, const json_t *request,
                       struct serve_guest **out, char *error)
{
    const char *name = json_string_value(json_object_get(request, "name"));
    struct serve_guest *guest = NULL;
    char *text = NULL;
    int rc = known_members(request, error);

    *out = NULL;
    if (rc == 0) {
        guest = calloc(1, sizeof(*guest));
        rc = guest == NULL ? state_error(error, -ENOMEM, "out of memory")
                           : read_kind(guest, request, error);
    }
    if (rc == 0) {
        text = description_of(request, error);
        rc = text == NULL ? -EINVAL : 0;
    }
    if (rc != 0) {
        free(guest);
        return rc;
    }
    *out = guest;
    guest->generation = next_generation(g);
    (void)snprintf(guest->name, sizeof(guest->name), "%s", name);
    (void)snprintf(guest->dev_name, sizeof(guest->dev_name), "sev-guest[%s]",
                   name);
    rc = init_platform(g, error);
    if (rc == 0) {
        rc = guest->kind == SERVE_SNP
                 ? launch_snp(g, guest, request, text, error)
                 : launch_legacy(g, guest, text, error);
    }
    psp_wipe(text, strlen(text));
    free(text);
    return rc;
}

static void release(struct serve_guest *guest)
{
    if (guest->dev != NULL) {
        sev_guest_remove(guest->dev);
    }
    fault_host_forget(&guest->faults);
    vm_destroy(guest->vm);
    legacy_vm_destroy(guest->legacy);
    guest->dev = NULL;
    guest->vm = NULL;
    guest->legacy = NULL;
}

void serve_guest_free(struct serve_guest *guest)
{
    if (guest != NULL) {
        release(guest);
        free(guest->failure);
        free(guest);
    }
}

void serve_guest_fail(struct serve_guest *guest, const char *why)
{
    release(guest);
    guest->failure = strdup(why);
}

/* --- what is shown --- */

static bool runs(const struct serve_guest *guest)
{
    return guest->vm != NULL || guest->legacy != NULL;
}

json_t *serve_guest_summary(const struct serve_guest *guest)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:I}", "name", guest->name,
                          "kind", guest->kind == SERVE_SNP ? "snp" : "legacy",
                          "state", runs(guest) ? "running" : "failed", "users",
                          (int)guest->users, "generation",
                          (json_int_t)guest->generation);

    if (guest->vm != NULL) {
        (void)json_object_set_new(o, "asid", json_integer(vm_asid(guest->vm)));
        (void)json_object_set_new(o, "vmpl", json_integer(vm_vmpl(guest->vm)));
    }
    if (guest->legacy != NULL) {
        (void)json_object_set_new(o, "asid",
                                  json_integer(legacy_vm_asid(guest->legacy)));
        (void)json_object_set_new(
            o, "handle", json_integer(legacy_vm_handle(guest->legacy)));
    }
    if (guest->failure != NULL) {
        (void)json_object_set_new(o, "failure", json_string(guest->failure));
    }
    return o;
}

static void show_legacy(const struct serve_guest *guest, json_t *o)
{
    struct legacy_vm_status s = {0};
    enum sev_status status = SEV_SUCCESS;
    const uint8_t *m = legacy_vm_measurement(guest->legacy);

    (void)json_object_set_new(o, "measure", hex(m, 32));
    (void)json_object_set_new(o, "mnonce", hex(m + 32, 16));
    if (legacy_vm_get_status(guest->legacy, &s, &status) == 0) {
        (void)json_object_set_new(o, "guest_state", json_integer(s.state));
    }
}

void serve_guest_detail(const struct serve_guest *guest, json_t *o)
{
    (void)json_object_set_new(o, "policy", hex_number(guest->policy));
    if (guest->vm != NULL) {
        (void)json_object_set_new(
            o, "measurement",
            hex(guest->measurement, sizeof(guest->measurement)));
        (void)json_object_set_new(
            o, "host_data", hex(guest->host_data, sizeof(guest->host_data)));
        (void)json_object_set_new(o, "kernel",
                                  json_string(sev_guest_era_name(guest->era)));
        (void)json_object_set_new(o, "vmpck", json_integer(guest->vmpck));
        (void)json_object_set_new(
            o, "sev_features",
            json_integer((json_int_t)vm_sev_features(guest->vm)));
        (void)json_object_set_new(o, "long_key_request",
                                  json_boolean(guest->long_key_request));
    }
    if (guest->legacy != NULL) {
        show_legacy(guest, o);
    }
}

/* --- certificates --- */

/* CEK, ASK and ARK in AMD's binary formats. Called with @launching. */
static int legacy_certs(struct serve_guests *g, json_t **out, char *error)
{
    const struct serve_platform *p = &g->platform;
    uint8_t amd[PKI_ASK_ARK_MAX_SIZE], cek[SEV_CERT_SIZE];
    struct pki_ca *ca = NULL;
    size_t size = 0;
    int rc =
        install_ca(p->install, machine_profile(p->m)->generation, &ca, error);

    if (rc == 0) {
        rc = install_pki_error(p->install, pki_cek_cert(ca, &p->chip, cek),
                               error);
    }
    if (rc == 0) {
        rc = install_pki_error(p->install, pki_ask_ark(ca, amd, &size), error);
    }
    if (rc != 0) {
        return rc;
    }
    *out = json_pack("{s:o, s:o, s:o}", "CEK", json_base64(cek, sizeof(cek)),
                     "ASK", json_base64(amd, size / 2), "ARK",
                     json_base64(amd + size / 2, size / 2));
    return *out == NULL ? state_error(error, -ENOMEM, "out of memory") : 0;
}

/* The table's entries by name, and the table. */
static int snp_certs(struct serve_guests *g, json_t *out, char *error)
{
    struct cert_table_entry e[CERT_TABLE_MAX_COUNT];
    const struct serve_table *table = NULL;
    size_t count = 0;
    json_t *certs;
    int rc = platform_table(g, g->platform.vlek ? INSTALL_VLEK : INSTALL_VCEK,
                            &table, error);

    if (rc != 0) {
        return rc;
    }
    if (cert_table_decode(table->data, table->size, e, CERT_TABLE_MAX_COUNT,
                          &count) != PSP_OK) {
        return state_error(error, -EIO, "the certificate table is unreadable");
    }
    certs = json_object();
    for (size_t i = 0; i < count; i++) {
        const char *name = cert_guid_name(e[i].guid);

        (void)json_object_set_new(certs, name == NULL ? "?" : name,
                                  json_base64(e[i].data, e[i].size));
    }
    (void)json_object_set_new(out, "certs", certs);
    (void)json_object_set_new(out, "table",
                              json_base64(table->data, table->size));
    return 0;
}

int serve_guests_certs(struct serve_guests *g, json_t **out, char *error)
{
    bool snp = machine_profile(g->platform.m)->has_snp;
    json_t *legacy = NULL;
    int rc;

    (void)pthread_mutex_lock(&g->launching);
    rc = legacy_certs(g, &legacy, error);
    *out = rc == 0 ? json_pack("{s:o}", "sev", legacy) : NULL;
    if (rc == 0 && *out == NULL) {
        rc = state_error(error, -ENOMEM, "out of memory");
    }
    if (rc == 0 && snp) {
        rc = snp_certs(g, *out, error);
    }
    (void)pthread_mutex_unlock(&g->launching);
    if (rc != 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}
