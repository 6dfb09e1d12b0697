/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_devices.h"

#include "install.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int launch(struct sim_devices *d, size_t index, const uint8_t *certs,
                  size_t certs_size)
{
    const struct sev_guest_config config = {
        .era = SEV_GUEST_6_13,
        .vmpck_id = -1,
    };
    enum sev_status status;
    struct vm_spec spec;
    int err = vm_spec_default(&spec, machine_profile(d->m));

    if (err == 0) {
        err = vm_launch(d->m, &spec, &d->vm[index], &status);
        vm_spec_clear(&spec);
    }
    if (err == 0) {
        err = vm_set_certs(d->vm[index], certs, certs_size);
    }
    return err != 0
               ? err
               : sev_guest_probe(d->vm[index], &config, &d->guest_dev[index]);
}

static int power_on(struct sim_devices *d, struct install *install,
                    const struct psp_profile *profile, uint8_t **certs,
                    size_t *certs_size)
{
    struct machine_config config = {
        .profile = profile,
        .seed = install_seed(install),
    };
    char error[INSTALL_ERROR_SIZE];
    int err;

    install_chip(install, profile->generation, 0, &config.chip);
    err = install_cert_table(install, profile->generation, INSTALL_VCEK,
                             &config.chip, &profile->tcb, certs, certs_size,
                             error);
    if (err == 0) {
        err = machine_create(&config, &d->m);
    }
    if (err == 0 && machine_platform_init(d->m) != SEV_SUCCESS) {
        err = -EIO;
    }
    return err;
}

static int make_devices(struct sim_devices *d)
{
    struct ccp_config config;
    int err;

    ccp_config_default(&config);
    err = ccp_probe(d->m, &config, &d->ccp_dev);
    if (err == 0) {
        d->guest = sev_guest_chardev(d->guest_dev[0]);
        d->guest_certs = sev_guest_chardev(d->guest_dev[1]);
        d->sev = ccp_chardev(d->ccp_dev);
    }
    return err;
}

int sim_devices_open(struct sim_devices *d, const char *profile)
{
    const struct install_config config = {
        .use_dev_seed = true,
        .naming = PKI_SIMULATED,
    };
    char error[INSTALL_ERROR_SIZE];
    struct install *install = NULL;
    uint8_t *certs = NULL;
    size_t certs_size = 0;
    int err;

    memset(d, 0, sizeof(*d));
    err = install_open(&config, &install, error);
    if (err == 0) {
        err = power_on(d, install, psp_profile_by_name(profile), &certs,
                       &certs_size);
    }
    if (err == 0) {
        err = launch(d, 0, NULL, 0);
    }
    if (err == 0) {
        err = launch(d, 1, certs, certs_size);
    }
    if (err == 0) {
        err = make_devices(d);
    }
    free(certs);
    install_close(install);
    return err;
}

void sim_devices_close(struct sim_devices *d)
{
    if (d->ccp_dev != NULL) {
        ccp_remove(d->ccp_dev);
    }
    for (size_t i = 0; i < 2; i++) {
        sev_guest_remove(d->guest_dev[i]);
        vm_destroy(d->vm[i]);
    }
    if (d->m != NULL) {
        machine_destroy(d->m);
    }
    memset(d, 0, sizeof(*d));
}
