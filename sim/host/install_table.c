/* SPDX-License-Identifier: Apache-2.0 */
#include "install_impl.h"

#include "cert_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static enum psp_err issue_leaf(struct install *ins, struct pki_ca *ca,
                               enum install_certs kind,
                               const struct psp_chip *chip,
                               const struct psp_tcb *tcb, struct pki_cert *leaf)
{
    if (kind == INSTALL_VCEK) {
        return pki_vcek_cert(ca, chip, tcb, leaf);
    }
    return pki_vlek_cert(ca, ins->csp_id, tcb, leaf);
}

int install_chain(struct install *ins, enum psp_generation generation,
                  enum install_certs kind, const struct psp_chip *chip,
                  const struct psp_tcb *tcb, struct install_chain *chain,
                  char *error)
{
    enum pki_role issuer = kind == INSTALL_VLEK ? PKI_ASVK : PKI_ASK;
    struct pki_ca *ca = NULL;
    enum psp_err err;
    int rc = install_ca(ins, generation, &ca, error);

    if (rc != 0) {
        return rc;
    }
    err = issue_leaf(ins, ca, kind, chip, tcb, &chain->leaf);
    if (err == PSP_OK) {
        err = pki_ca_cert(ca, issuer, &chain->issuer);
    }
    if (err == PSP_OK) {
        err = pki_ca_cert(ca, PKI_ARK, &chain->ark);
    }
    if (err != PSP_OK) {
        pki_cert_clear(&chain->leaf);
    }
    return install_pki_error(ins, err, error);
}

static struct cert_table_entry entry(const uint8_t guid[16],
                                     const struct pki_cert *cert)
{
    struct cert_table_entry e = {.data = cert->der, .size = cert->size};

    memcpy(e.guid, guid, sizeof(e.guid));
    return e;
}

int install_chain_table(const struct install_chain *chain,
                        enum install_certs kind, uint8_t **out, size_t *size,
                        char *error)
{
    const struct cert_table_entry entries[] = {
        entry(kind == INSTALL_VLEK ? CERT_GUID_VLEK : CERT_GUID_VCEK,
              &chain->leaf),
        entry(CERT_GUID_ASK, chain->issuer),
        entry(CERT_GUID_ARK, chain->ark),
    };
    size_t n = cert_table_encode(entries, 3, NULL, 0);
    uint8_t *table = malloc(n);

    if (table == NULL) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    *size = cert_table_encode(entries, 3, table, n);
    *out = table;
    return 0;
}

int install_cert_table(struct install *ins, enum psp_generation generation,
                       enum install_certs kind, const struct psp_chip *chip,
                       const struct psp_tcb *tcb, uint8_t **out, size_t *size,
                       char *error)
{
    struct install_chain chain = {{NULL, 0}, NULL, NULL};
    int rc;

    *out = NULL;
    *size = 0;
    if (kind == INSTALL_NONE) {
        return 0;
    }
    rc = install_chain(ins, generation, kind, chip, tcb, &chain, error);
    if (rc == 0) {
        rc = install_chain_table(&chain, kind, out, size, error);
    }
    pki_cert_clear(&chain.leaf);
    return rc;
}
