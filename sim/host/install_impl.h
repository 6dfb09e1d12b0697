/* SPDX-License-Identifier: Apache-2.0 */
/** Inside of an installation; see install.h. */
#ifndef HOST_INSTALL_IMPL_H
#define HOST_INSTALL_IMPL_H

#include "install.h"

#include <pthread.h>

#define INSTALL_FINGERPRINT_SIZE (2u * SHA256_SIZE + 1u)

struct install {
    struct state_dir dir; /* fd -1 with the development seed */
    uint8_t seed[PSP_SEED_SIZE];
    char fingerprint[INSTALL_FINGERPRINT_SIZE];
    char csp_id[PKI_CSP_ID_MAX + 1];
    char product_name[PKI_PRODUCT_NAME_SIZE]; /* "": none given */
    enum psp_generation product;              /* that it says */
    enum pki_naming naming;
    void (*progress)(void *ctx, const char *key);
    void *progress_ctx;
    struct pki_ca *ca[PSP_GENERATION_COUNT];
    struct pki_key_store store;
    pthread_mutex_t key_mutex; /* for what follows */
    struct state_dir keys;     /* fd -1: not open yet */
    int key_lock;              /* held from a failed load to the save; or -1 */
    int key_code;              /* errno and text of the last failure */
    char key_error[INSTALL_ERROR_SIZE];
};

/** What a hypervisor hands out: the leaf is owned, the others borrowed. */
struct install_chain {
    struct pki_cert leaf; /* pki_cert_clear() */
    const struct pki_cert *issuer;
    const struct pki_cert *ark;
};
/** @kind: not INSTALL_NONE. */
int install_chain(struct install *ins, enum psp_generation generation,
                  enum install_certs kind, const struct psp_chip *chip,
                  const struct psp_tcb *tcb, struct install_chain *chain,
                  char *error);
int install_chain_table(const struct install_chain *chain,
                        enum install_certs kind, uint8_t **out, size_t *size,
                        char *error);

/** The key store of the installation: install_keys.c. */
void install_keys_init(struct install *ins);
void install_keys_close(struct install *ins);

#endif
