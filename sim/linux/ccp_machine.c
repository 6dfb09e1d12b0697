/* SPDX-License-Identifier: Apache-2.0 */
/* Apart from the rest, so that a test of the driver links no firmware. */
#include "ccp.h"

#include "machine.h"

int ccp_probe(struct machine *m, const struct ccp_config *config,
              struct ccp_dev **out)
{
    const struct port port = port_machine(m);

    return ccp_probe_port(&port, machine_profile(m), config, out);
}
