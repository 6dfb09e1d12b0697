/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a key server answers, without the network: every certificate, chain and
 * list of the simulated chips of one seed, cached.
 * Spec: abi/certs-kds.md §2, §4.
 */
#ifndef SERVICE_KDS_H
#define SERVICE_KDS_H

#include "pki.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kds_config {
    const uint8_t *seed; /* PSP_SEED_SIZE bytes; copied */
    enum pki_naming naming;
    const struct pki_key_store *store; /* copied; NULL: keys are derived */
    uint32_t chip_count; /* chips 0 .. count-1 of each generation exist */
    const char *csp_id;  /* of VLEKs; copied. NULL: PKI_CSP_ID */
    bool revoke_ask;     /* list the ASKs on the CRLs */
    bool misdirect;      /* hostile: leaves of another TCB, chains reversed */
    size_t cache_limit;  /* answers kept; 0: 4096 */
    /** Told why an answer is a 500. From several threads. May be NULL. */
    void (*failed)(void *ctx, enum psp_err err);
    void *ctx;
};

/** Most chips of a generation. */
#define KDS_CHIP_LIMIT 4096u

struct kds;

/** PSP_OK; PSP_E_NOMEM; PSP_E_PARAM: too many chips, CSP_ID too long. Keys are
 * loaded or made when they are first needed. */
PSP_MUST_CHECK enum psp_err kds_open(const struct kds_config *config,
                                     struct kds **out);
/** Wipes. NULL is fine. */
void kds_close(struct kds *kds);

struct kds_answer {
    unsigned int status;      /* HTTP */
    const char *content_type; /* static storage */
    const char *disposition;  /* Content-Disposition, or NULL; static */
    const char *allow;        /* Allow, with 405; else NULL; static */
    uint8_t *body;            /* kds_answer_clear() */
    size_t size;
};

/**
 * Answer one request. Thread-safe.
 *
 * @query      Text after '?', or NULL.
 * @body       Of a POST, or NULL with size 0; JSON for hash sticks.
 * @now        Seconds since the epoch, for CRLs.
 *
 * Never fails: problems are 4xx and 5xx answers with a short text body that
 * cannot be taken for a certificate.
 */
void kds_answer(struct kds *kds, const char *method, const char *path,
                const char *query, const uint8_t *body, size_t body_size,
                uint64_t now, struct kds_answer *out);
void kds_answer_clear(struct kds_answer *answer);

#endif
