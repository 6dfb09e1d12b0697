/* SPDX-License-Identifier: Apache-2.0 */
/**
 * An installation: one platform seed, the RSA keys that belong to it, and the
 * certificates that follow from both. It is what makes two runs of the
 * simulator the same machine.
 *
 * The state folder (mode 0700):
 *   seed                     32 random bytes, mode 0600
 *   installation             format number and fingerprint of the seed
 *   lock                     held while something is made
 *   keys/FINGERPRINT/P-R.pem RSA keys, PKCS#1, mode 0600, one folder per seed
 *   nv-P-N                   store of chip N (nv_file.h), mode 0600
 *
 * Files that are damaged, of another version or open to other users are refused
 * and left as they are.
 *
 * Functions return 0 or a negative errno; @error then holds one line
 * (INSTALL_ERROR_SIZE bytes). One thread at a time, except the key store, which
 * may be used by several.
 * Spec: abi/certs-kds.md §8.
 */
#ifndef HOST_INSTALL_H
#define HOST_INSTALL_H

#include "pki.h"
#include "state_file.h"

#include <stdbool.h>
#include <stdint.h>

#define INSTALL_ERROR_SIZE STATE_ERROR_SIZE

struct install_config {
    /** NULL: $XDG_STATE_HOME/swpsp, else $HOME/.local/state/swpsp. Made when
     * missing. Not touched with @use_dev_seed. */
    const char *state_dir;
    /** The public development seed: nothing is read or written. INSECURE. */
    bool use_dev_seed;
    /** A seed from elsewhere, 32 bytes or 64 hex digits; its keys are cached in
     * the state folder. Its mode is not checked: seeds of published test
     * set-ups are public. NULL: the installation's own. */
    const char *seed_file;
    enum pki_naming naming;
    const char *csp_id; /* of VLEKs; copied. NULL: PKI_CSP_ID */
    /** In VCEKs of the generation that it says, "Milan-B1"; copied. NULL: as
     * AMD issues them. */
    const char *product_name;
    /** Before an RSA key is made (about a second each); @key "Milan-ARK". May
     * be NULL. */
    void (*progress)(void *ctx, const char *key);
    void *ctx;
};

struct install;

/**
 * Open the installation, or make it. Two processes that start at once get the
 * same seed.
 *
 * -EINVAL: dev seed and seed file together, no home folder, @csp_id,
 * @product_name; -EBADMSG: a damaged file; -EPERM: others can read or write it;
 * -ENOMEM; errno of the file that could not be read or written.
 */
int install_open(const struct install_config *config, struct install **out,
                 char *error);
/** Wipes. NULL is fine. */
void install_close(struct install *ins);

/** PSP_SEED_SIZE bytes; borrowed. */
const uint8_t *install_seed(const struct install *ins);
/** A machine seed for sessions that are to be the same each time: another for
 * each chip, since no two chips draw the same keys. */
void install_machine_seed(const struct install *ins,
                          const struct psp_chip *chip,
                          uint8_t out[PSP_SEED_SIZE]);
/** True if the seed is the public development seed: say so to the user. */
bool install_is_insecure(const struct install *ins);
/** The open state folder, borrowed; NULL with the development seed. */
const struct state_dir *install_dir(const struct install *ins);
/** For those that open their own pki_ca; borrowed. */
const struct pki_key_store *install_key_store(const struct install *ins);
const char *install_csp_id(const struct install *ins);
const char *install_product_name(const struct install *ins); /* or NULL */
enum pki_naming install_naming(const struct install *ins);

/** Chip @index; the caller wipes it. */
void install_chip(const struct install *ins, enum psp_generation generation,
                  uint32_t index, struct psp_chip *chip);

/** CA of a generation, opened on first use; borrowed. Its keys are made or
 * loaded when they are needed. -EINVAL, -ENOMEM. */
int install_ca(struct install *ins, enum psp_generation generation,
               struct pki_ca **out, char *error);

/** Turn a failure of a pki function on this installation's CA into text.
 * Returns -ENOMEM, -EINVAL (PSP_E_PARAM), -EBADMSG (a key is damaged), -EPERM
 * (AMD's key), the store's errno, or -EIO. */
int install_pki_error(struct install *ins, enum psp_err err, char *error);

/** The ARK that a platform of this generation trusts at the end of the chains
 * that SEND_START gets: the installation's own. The key is made or loaded. */
int install_sev_root(struct install *ins, enum psp_generation generation,
                     struct psp_sev_config *config, char *error);

enum install_certs { INSTALL_NONE, INSTALL_VCEK, INSTALL_VLEK };

/**
 * The certificate table that a hypervisor hands out: leaf, ASK or ASVK, ARK;
 * or nothing (*out NULL, *size 0). abi/certs-kds.md §3.3
 * @out  free() ends it.
 */
int install_cert_table(struct install *ins, enum psp_generation generation,
                       enum install_certs kind, const struct psp_chip *chip,
                       const struct psp_tcb *tcb, uint8_t **out, size_t *size,
                       char *error);

struct install_export {
    enum psp_generation generation;
    struct psp_chip chip;
    struct psp_tcb tcb;
    enum install_certs kind; /* what guest/ and snpguest/ hold; not NONE */
    uint64_t now;            /* for the CRL: seconds since the epoch */
    bool own_table;          /* cert_table.bin is @table, not that of @kind */
    const uint8_t *table;    /* borrowed; may be NULL when it is empty */
    size_t table_size;
};

/**
 * Write the certificates below @path, laid out for the common verifiers:
 *   pki/P/                 ark, ask, asvk as .pem and .der; cert_chain.pem,
 *                          vlek_cert_chain.pem, crl.der, {p}_ask_ark_asvk.pem,
 *                          ask_ark_{p}.cert
 *   guest/                 leaf, ASK or ASVK, ARK as .der and .pem;
 *                          cert_table.bin; with a VLEK hashstick.bin, which
 *                          SNP_VLEK_LOAD takes
 *   kds-store/vcek/HWID/   trustee's offline store
 *   snpguest/              the .pem files of guest/, and nothing else
 *   sev/                   legacy SEV, binary: ark.cert, ask.cert, and cek.cert
 *                          of the chip, signed by the ASK (the platform's own
 *                          certificates are the command's business)
 * Naples and Rome have only sev/ and pki/P/ask_ark_{p}.cert. Files of the other
 * kind of leaf that an earlier export left in guest/ and snpguest/ go, because
 * readers of these folders prefer one kind. Everything is made
 * before the first file is written; each file appears whole, and when one
 * cannot be written, those that this call has added are removed.
 * abi/certs-kds.md §8.4
 */
int install_export(struct install *ins, const char *path,
                   const struct install_export *what, char *error);

/** Remove the files of the kinds of leaf that are not @kind from @dir, a guest/
 * or snpguest/ of an export. 0 or a negative errno. */
int install_export_tidy(const struct state_dir *dir, enum install_certs kind,
                        char *error);

#endif
