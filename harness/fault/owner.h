/* SPDX-License-Identifier: Apache-2.0 */
/** What a platform's owner does by /dev/sev, for tests of what is kept. Each
 * fails the test when the platform refuses. */
#ifndef FAULT_OWNER_H
#define FAULT_OWNER_H

#include "chardev.h"

/** SEV_ISSUE_CMD @number (enum in ccp.h) with @data. */
void owner_issue(const struct chardev *dev, uint32_t number, void *data);
/** PEK_CSR, a signature by a new owner's key (files in @folder), and
 * PEK_CERT_IMPORT. */
void owner_import(const struct chardev *dev, const char *folder);

#endif
