/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A small certification authority for HTTPS of the key server. It has nothing
 * to do with the ARKs: it only lets clients that insist on https:// talk to the
 * stand-in. Its certificate is constrained to the names below, so that whoever
 * trusts it does not trust it with anything else.
 * Spec: abi/certs-kds.md §5.0, §8.4.
 */
#ifndef SERVICE_KDS_TLS_H
#define SERVICE_KDS_TLS_H

#include "state_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KDS_TLS_ERROR_SIZE STATE_ERROR_SIZE

/** Names that the server's certificate is for; NULL-terminated. 127.0.0.1 and
 * ::1 are in it as well. */
extern const char *const KDS_TLS_NAMES[];
/** The first of them that stand for AMD's servers. */
#define KDS_TLS_AMD_NAMES 3u

/** File names in the state folder: the CA's certificate, for everybody, and its
 * key, mode 0600. */
#define KDS_TLS_CA_FILE  "tls-ca.pem"
#define KDS_TLS_KEY_FILE "tls-ca-key.pem"

struct kds_tls {
    char *ca_cert; /* PEM */
    char *cert;    /* the server's, PEM */
    char *key;     /* its private key, PEM */
    char *client; /* a client's certificate and key, PEM, one after the other */
};

/**
 * Load the CA from @dir, or make it there; with @dir NULL make one that lives
 * as long as @out. Then issue a fresh server certificate, and a client's, for
 * servers that ask who wants a VLEK.
 *
 * @dir  Open state folder. A CA with less than 400 days left is replaced.
 * @now  Seconds since the epoch.
 *
 * Returns 0; -EBADMSG: a damaged file, left as it is; -EPERM: the key is open
 * to others; -ENOMEM; -EIO: the library failed; errno of a file. Then @error
 * holds one line (KDS_TLS_ERROR_SIZE).
 */
int kds_tls_open(const struct state_dir *dir, uint64_t now, struct kds_tls *out,
                 char *error);
/** Whether @text is PEM with one or more certificates that can be read. */
bool kds_tls_are_certs(const uint8_t *text, size_t size);
/** Wipes. */
void kds_tls_clear(struct kds_tls *tls);

#endif
