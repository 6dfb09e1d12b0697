/* SPDX-License-Identifier: Apache-2.0 */
#include "platform.h"

#include "crypto.h"
#include "cert_table.h"
#include "guest_text.h"
#include "parse.h"
#include "platform_sev.h"
#include "sleep_ms.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CMD_SNP_CONFIG    0xc9u
#define CMD_SNP_VLEK_LOAD 0xcdu

static bool complain(const char *command, const char *what)
{
    fprintf(stderr, "swpsp %s: %s\n", command, what);
    return false;
}

static bool refused(const char *command, const char *what,
                    enum sev_status status)
{
    fprintf(stderr, "swpsp %s: the firmware refused %s: %s (0x%x)\n", command,
            what, sev_status_name(status), (unsigned int)status);
    return false;
}

static void progress(void *ctx, const char *key)
{
    (void)ctx;
    fprintf(stderr, "swpsp: making the RSA key %s (once)\n", key);
}

bool platform_open_install(const struct platform_options *o,
                           const char *command, struct install **out)
{
    char error[INSTALL_ERROR_SIZE] = "";
    struct install_config config = {
        .state_dir = o->state_dir,
        .use_dev_seed = o->dev_seed,
        .seed_file = o->seed_file,
        .naming = o->lookalike ? PKI_LOOKALIKE : PKI_SIMULATED,
        .product_name = o->product_name,
        .progress = progress,
    };

    if (install_open(&config, out, error) != 0) {
        return complain(command, error);
    }
    return true;
}

struct psp_tcb platform_reported_tcb(const struct platform_options *o)
{
    static const struct psp_tcb zero;

    /* SNP_CONFIG with 0 means the default. */
    if (o->reported_tcb_set &&
        memcmp(&o->reported_tcb, &zero, sizeof(zero)) != 0) {
        return o->reported_tcb;
    }
    return o->profile->tcb;
}

/* A caller's store that was used before: the daemon has been started again, and
 * must not draw the keys of its last life. */
static bool is_next_life(const struct platform *p,
                         const struct machine_config *config)
{
    uint8_t blob[PSP_NV_SIZE];
    bool found = p->nv == NULL && config->nv_load != NULL &&
                 config->nv_load(config->nv_ctx, blob) == 0;

    psp_wipe(blob, sizeof(blob));
    return found;
}

static bool power_on(struct platform *p, const struct platform_options *o,
                     const char *command, struct trace *trace,
                     struct machine_config *config)
{
    uint8_t machine_seed[PSP_SEED_SIZE], seed[PSP_SEED_SIZE];
    int err;

    config->chip = p->chip;
    /* A seed that the user chose makes the whole session reproducible. */
    if ((o->dev_seed || o->seed_file != NULL) && !is_next_life(p, config)) {
        install_machine_seed(p->install, &p->chip, machine_seed);
        memcpy(seed, machine_seed, sizeof(seed));
        if (p->nv != NULL) {
            nv_file_mix(p->nv, machine_seed, seed);
        }
        config->seed = seed;
    }
    if (trace != NULL) {
        config->trace = trace_machine(trace);
    }
    err = machine_create(config, &p->m);
    psp_wipe(&config->chip, sizeof(config->chip));
    psp_wipe(machine_seed, sizeof(machine_seed));
    psp_wipe(seed, sizeof(seed));
    config->seed = NULL;
    if (err != 0) {
        return complain(command, strerror(-err));
    }
    return platform_sev_probe(p, o, command);
}

static bool set_config(struct platform *p, const struct platform_options *o,
                       const char *command)
{
    uint8_t buf[0x40] = {0};
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    enum sev_status status;

    if (!o->reported_tcb_set && !o->mask_chip_id && !o->mask_chip_key) {
        return true;
    }
    if (o->reported_tcb_set) {
        psp_wr_bytes(&w, o->reported_tcb.b, sizeof(o->reported_tcb.b));
    }
    psp_wr_pad_to(&w, 8);
    psp_wr_le32(&w, (o->mask_chip_id ? 1u : 0) | (o->mask_chip_key ? 2u : 0));
    status = machine_command(p->m, CMD_SNP_CONFIG, buf, sizeof(buf));
    return status == SEV_SUCCESS || refused(command, "SNP_CONFIG", status);
}

static bool load_vlek(struct platform *p, const struct platform_options *o,
                      const char *command)
{
    struct psp_tcb tcb = platform_reported_tcb(o);
    uint8_t vcek_seed[48], vlek_seed[48], iv[GCM_IV_SIZE];
    uint8_t stick[PKI_HASHSTICK_SIZE];
    uint8_t buf[0x10] = {sizeof(buf)};
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    enum sev_status status = SEV_RESOURCE_LIMIT;
    uint64_t page = machine_page_alloc(p->m);

    pki_vcek_seed(p->chip.secret, &tcb, vcek_seed);
    pki_vlek_seed(install_seed(p->install), o->profile->generation,
                  install_csp_id(p->install), &tcb, vlek_seed);
    if (page != 0 && machine_random(p->m, iv, sizeof(iv)) == 0) {
        pki_vlek_wrap(vcek_seed, &tcb, iv, vlek_seed, stick);
        psp_wr_le32(&w, sizeof(buf));
        psp_wr_le32(&w, 0);
        psp_wr_le64(&w, page);
        if (machine_write(p->m, page, stick, sizeof(stick)) == 0) {
            status = machine_command(p->m, CMD_SNP_VLEK_LOAD, buf, sizeof(buf));
        }
    }
    if (page != 0) {
        machine_page_free(p->m, page);
    }
    psp_wipe(vcek_seed, sizeof(vcek_seed));
    psp_wipe(vlek_seed, sizeof(vlek_seed));
    return status == SEV_SUCCESS || refused(command, "SNP_VLEK_LOAD", status);
}

bool platform_guest_certs(struct install *ins, const struct psp_chip *chip,
                          const struct platform_options *o, const char *command,
                          struct vm_spec *spec)
{
    static const enum install_certs kinds[] = {
        [CERTS_VCEK] = INSTALL_VCEK,
        [CERTS_VLEK] = INSTALL_VLEK,
        [CERTS_NONE] = INSTALL_NONE,
    };
    struct psp_tcb tcb = platform_reported_tcb(o);
    char error[INSTALL_ERROR_SIZE] = "";
    uint8_t *table = NULL;
    size_t size = 0;

    if (o->certs == CERTS_DEFAULT && (spec->certs != NULL || spec->no_certs)) {
        return true;
    }
    if (o->certs == CERTS_FILE) {
        table = parse_file(o->certs_path, CERT_TABLE_MAX_SIZE, &size);
        if (table == NULL) {
            fprintf(stderr, "swpsp %s: --certs %s: %s\n", command,
                    o->certs_path, strerror(errno));
            return false;
        }
    } else if (install_cert_table(ins, o->profile->generation,
                                  o->certs == CERTS_DEFAULT
                                      ? (o->vlek ? INSTALL_VLEK : INSTALL_VCEK)
                                      : kinds[o->certs],
                                  chip, &tcb, &table, &size, error) != 0) {
        return complain(command, error);
    }
    free(spec->certs);
    spec->certs = table;
    spec->certs_size = size;
    return true;
}

static bool launch(struct platform *p, const struct platform_options *o,
                   const char *command)
{
    enum sev_status status = SEV_SUCCESS;
    struct vm_spec spec;
    bool ok;
    int err;

    if (!guest_spec_make(o, command, &spec)) {
        return false;
    }
    ok = platform_guest_certs(p->install, &p->chip, o, command, &spec);
    if (ok) {
        err = vm_launch(p->m, &spec, &p->vm, &status);
        if (err == -EIO) {
            ok = refused(command, "to launch the guest", status);
        } else if (err != 0) {
            ok = complain(command, strerror(-err));
        }
    }
    vm_spec_clear(&spec);
    return ok;
}

static bool probe(struct platform *p, const struct platform_options *o,
                  const char *command)
{
    struct sev_guest_config config = {
        .era = o->era,
        .vmpck_id = o->vmpck_id,
        .long_key_request = o->long_key_request,
        .sleep_ms = sleep_ms,
    };
    int err = sev_guest_probe(p->vm, &config, &p->sev_guest);

    if (err != 0) {
        fprintf(stderr, "swpsp %s: the guest has no /dev/sev-guest: %s\n",
                command, strerror(-err));
    }
    return err == 0;
}

/* The SNP guest and its node. */
static bool open_guest(struct platform *p, const struct platform_options *o,
                       const char *command)
{
    if (!machine_snp_initialized(p->m)) {
        return complain(command, "without SNP there is no /dev/sev-guest");
    }
    if (!launch(p, o, command)) {
        return false;
    }
    platform_watch_requests(p);
    return probe(p, o, command);
}

/* Root, power, initialisation, configuration. */
static bool open_host(struct platform *p, const struct platform_options *o,
                      const char *command, struct trace *trace,
                      struct machine_config *config)
{
    char error[INSTALL_ERROR_SIZE] = "";

    if (install_sev_root(p->install, o->profile->generation, &config->sev,
                         error) != 0) {
        return complain(command, error);
    }
    return power_on(p, o, command, trace, config) &&
           set_config(p, o, command) && (!o->vlek || load_vlek(p, o, command));
}

bool platform_open_host(struct platform *p, const struct platform_options *o,
                        const char *command, struct trace *trace,
                        const struct platform_nv *nv)
{
    struct machine_config config = {.profile = o->profile};

    install_chip(p->install, o->profile->generation, o->chip_index, &p->chip);
    if (nv != NULL) {
        config.nv_load = nv->load;
        config.nv_store = nv->store;
        config.nv_ctx = nv->ctx;
    }
    return open_host(p, o, command, trace, &config);
}

bool platform_open(struct platform *p, const struct platform_options *o,
                   const char *command, struct trace *trace)
{
    struct machine_config config = {.profile = o->profile};

    memset(p, 0, sizeof(*p));
    if (!platform_open_install(o, command, &p->install)) {
        return false;
    }
    install_chip(p->install, o->profile->generation, o->chip_index, &p->chip);
    return platform_nv_open(p, o, command, &config) &&
           open_host(p, o, command, trace, &config) &&
           (!o->sev.node_sev_guest || open_guest(p, o, command)) &&
           platform_legacy_launch(p, o, command, trace);
}

void platform_close(struct platform *p)
{
    if (p->sev_guest != NULL) {
        sev_guest_remove(p->sev_guest);
    }
    fault_host_forget(&p->vm_faults);
    if (p->faults != NULL) {
        /* What ends the platform is no event any more. */
        machine_set_faults(p->m, NULL);
    }
    vm_destroy(p->vm);
    platform_sev_close(p);
    fault_host_free(p->faults);
    if (p->m != NULL) {
        machine_destroy(p->m);
    }
    nv_file_close(p->nv);
    install_close(p->install);
    psp_wipe(p, sizeof(*p));
}
