/* SPDX-License-Identifier: Apache-2.0 */
/**
 * URLs of AMD's Key Distribution Service: from method, path and query to what
 * is asked for, or to the status that the service answers. Spec:
 * abi/certs-kds.md §2.1 to §2.3, §4.
 */
#ifndef SERVICE_KDS_ROUTE_H
#define SERVICE_KDS_ROUTE_H

#include <psp/profile.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kds_kind {
    KDS_CERT_CHAIN,      /* ASK, ARK */
    KDS_VLEK_CERT_CHAIN, /* ASVK, ARK */
    KDS_CRL,
    KDS_VCEK,
    KDS_VLEK,
    KDS_HASH_STICKS,
    KDS_CEK,     /* legacy: chip endorsement key by chip id */
    KDS_ASK_ARK, /* legacy: ASK and ARK in AMD's binary format */
};

struct kds_request {
    enum kds_kind kind;
    enum psp_generation generation; /* not for KDS_CEK */
    uint8_t hwid[PSP_CHIP_ID_SIZE]; /* KDS_VCEK, KDS_CEK; zero-extended */
    struct psp_tcb tcb;             /* KDS_VCEK, KDS_VLEK, KDS_HASH_STICKS */
};

/**
 * @method  "GET", "HEAD", "POST", ...
 * @path    Decoded path, NUL-terminated; case counts.
 * @query   Text after '?', or NULL.
 * @out     Filled when 200 is returned.
 * @why     Set to one short clause otherwise.
 *
 * Returns an HTTP status: 200 go on; 400 malformed, unknown, repeated or
 * out-of-range parameter, or an id of a CEK that cannot exist; 404 unknown path
 * or product, hwID of a wrong length; 405 wrong method for a path that exists.
 * The order is path, method, parameters; methods that nothing has are told
 * first.
 */
unsigned int kds_route(const char *method, const char *path, const char *query,
                       struct kds_request *out, const char **why);

/** Whether @path is one of those that AMD serves at port 444 and to known
 * clients only: VLEKs and their hash sticks, of any product. §2.8 */
bool kds_route_provisions(const char *path);

#endif
