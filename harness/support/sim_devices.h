/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A machine with two guests and all its devices, from the public development
 * seed: for tests that need something real behind a transport.
 */
#ifndef SIM_DEVICES_H
#define SIM_DEVICES_H

#include "ccp.h"
#include "chardev.h"
#include "machine.h"
#include "sev_guest.h"
#include "vm.h"

struct sim_devices {
    struct machine *m;
    struct vm *vm[2];
    struct sev_guest_dev *guest_dev[2];
    struct ccp_dev *ccp_dev;
    struct chardev guest;       /* its host gives no certificates */
    struct chardev guest_certs; /* its host gives a VCEK chain: two pages */
    struct chardev sev;
};

/** 0 or a negative errno; sim_devices_close() in any case. */
int sim_devices_open(struct sim_devices *d, const char *profile);
void sim_devices_close(struct sim_devices *d);

#endif
