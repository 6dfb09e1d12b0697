/* SPDX-License-Identifier: Apache-2.0 */
/**
 * libseccomp's <seccomp.h>, which our own header of that name hides. Include it
 * as <libseccomp.h>: the search goes on behind the folder it was found in.
 */
#ifndef TRANSPORT_LIBSECCOMP_H
#define TRANSPORT_LIBSECCOMP_H

#include_next <seccomp.h>

#endif
