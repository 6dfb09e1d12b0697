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
    /** In VCEKs of the generation that it says; copied. NULL: as AMD issues
     * them. */
    const char *product_name;
    bool revoke_ask;    /* list the ASKs on the CRLs */
    size_t cache_limit; /* answers kept; 0: 4096 */
    /** Told why an answer is a 500. From several threads. May be NULL. */
    void (*failed)(void *ctx, enum psp_err err);
    void *ctx;
};

/** Most chips of a generation. */
#define KDS_CHIP_LIMIT 4096u

struct kds;

/** PSP_OK; PSP_E_NOMEM; PSP_E_PARAM: too many chips, CSP_ID too long, a product
 * name that is none. Keys are loaded or made when they are first needed. */
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

/** Ways of being wrong with good signatures; an answer that a way has nothing
 * to do with is as always. */
enum kds_twist {
    KDS_STRAIGHT,
    KDS_OTHER_CHIP, /* VCEK, CEK: of the next chip under the same root */
    KDS_OTHER_TCB,  /* VCEK, VLEK: of another microcode */
    KDS_REVERSED,   /* chains: the root first */
};

struct kds_ask {
    const char *method;
    const char *path;
    const char *query;   /* text after '?', or NULL */
    const uint8_t *body; /* of a POST, or NULL; JSON for hash sticks */
    size_t body_size;
    uint64_t now; /* seconds since the epoch, for CRLs */
    enum kds_twist twist;
};

/**
 * Answer one request. Thread-safe.
 *
 * Never fails: problems are 4xx and 5xx answers with a short text body that
 * cannot be taken for a certificate.
 */
void kds_answer(struct kds *kds, const struct kds_ask *ask,
                struct kds_answer *out);
void kds_answer_clear(struct kds_answer *answer);

#endif
