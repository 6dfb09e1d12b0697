/* SPDX-License-Identifier: Apache-2.0 */
/** Namespaces of this process's own. */
#ifndef TRANSPORT_NAMESPACES_H
#define TRANSPORT_NAMESPACES_H

#include <stdbool.h>

/**
 * Enter a new mount namespace, in which what is mounted outside later still
 * shows while nothing goes the other way. Before there are threads.
 *
 * @more  CLONE_NEW* of other namespaces to enter as well, or 0.
 * @user  In a new user namespace, where the caller's ids stay what they are.
 *
 * Returns 0 or a negative errno; then some may have been entered.
 */
int namespaces_enter(int more, bool user);

#endif
