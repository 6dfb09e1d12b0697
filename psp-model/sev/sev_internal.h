/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the handlers of the legacy half share. Not for other folders.
 */
#ifndef SEV_INTERNAL_H
#define SEV_INTERNAL_H

#include "sev.h"

#include "wire.h"

/** One command on its way through its row's checks. */
struct sev_call {
    struct sev_platform *sev;
    const struct sev_command *row;
    struct sev_guest *guest; /* when the row names a handle */
    uint8_t *buf;            /* copy of the command buffer */
    struct sev_job *job;
    bool pending;               /* set by a handler that left work in *job */
    struct sev_swap_entry swap; /* SWAP_IN: read once */
};

static inline bool sev_api_at_least(const struct psp_profile *profile,
                                    uint8_t major, uint8_t minor)
{
    return profile->api_major > major ||
           (profile->api_major == major && profile->api_minor >= minor);
}

/* -- memory.c: physical memory as the firmware sees it -------------------- */

/* Every address may carry the C-bit of memory encryption, which hosts set and
 * the firmware drops; the functions below do so themselves. */
uint64_t sev_spa(const struct sev_platform *sev, uint64_t paddr);

/** "ADDR" of the sheet: SUCCESS or INVALID_ADDRESS. */
enum sev_status sev_addr(const struct sev_platform *sev, uint64_t paddr,
                         uint64_t size);
/** The rule for outputs while SNP is INIT: SUCCESS or INVALID_PAGE_STATE. The
 * range is inside system memory. abi/sev.md §1.2 item 8 */
enum sev_status sev_output(const struct sev_platform *sev, uint64_t paddr,
                           uint64_t size);
/** Both: ADDR, then the rule for outputs. */
enum sev_status sev_addr_output(const struct sev_platform *sev, uint64_t paddr,
                                uint64_t size);

PSP_MUST_CHECK enum psp_err sev_read(const struct sev_platform *sev,
                                     uint64_t paddr, void *buf, size_t size);
PSP_MUST_CHECK enum psp_err sev_write(const struct sev_platform *sev,
                                      uint64_t paddr, const void *buf,
                                      size_t size);
/** Guest memory through the guest's key: decrypt what is read. */
PSP_MUST_CHECK enum psp_err sev_guest_read(const struct sev_platform *sev,
                                           const struct sev_guest *guest,
                                           uint64_t paddr, uint8_t *buf,
                                           size_t size);
/** Encrypts @buf in place, then writes it: the caller's copy is ciphertext
 * afterwards. */
PSP_MUST_CHECK enum psp_err sev_guest_write(const struct sev_platform *sev,
                                            const struct sev_guest *guest,
                                            uint64_t paddr, uint8_t *buf,
                                            size_t size);

/** Bytes worked on at a time when a command covers a large range. */
#define SEV_CHUNK_SIZE 0x10000u

/* -- guest.c: contexts ------------------------------------------------------
 */

/** A new context in @state under the lowest free handle, with random keys, the
 * VEK of @share if not NULL. Counts it and makes the platform WORKING.
 * RESOURCE_LIMIT, HWERROR_PLATFORM; nothing has changed then. */
enum sev_status sev_guest_create(struct sev_platform *sev,
                                 enum sev_guest_state state, uint32_t policy,
                                 const struct sev_guest *share,
                                 const struct sev_transport *transport,
                                 struct sev_guest **out);
bool sev_guest_room(const struct sev_platform *sev);
/** Unbinds, wipes and frees; the last guest leaves the platform INIT. */
void sev_guest_destroy(struct sev_platform *sev, struct sev_guest *guest);
void sev_guest_destroy_all(struct sev_platform *sev);
/** Frees the ASID; dirty unless the guest never ran. */
void sev_guest_unbind(struct sev_platform *sev, struct sev_guest *guest);
/** SUCCESS or INACTIVE. */
enum sev_status sev_guest_active(const struct sev_guest *guest);
void sev_guest_forget_transport(struct sev_guest *guest);

/** Room for one more VMSA page. PSP_E_NOMEM: memory or SEV_VMSA_LIMIT. */
PSP_MUST_CHECK enum psp_err sev_vmsa_reserve(struct sev_guest *guest);
/** Remember a VMSA page; room has been reserved. @digest: of its plaintext. */
void sev_vmsa_put(struct sev_guest *guest, uint64_t spa,
                  const uint8_t digest[SHA256_SIZE]);
struct sev_vmsa *sev_vmsa_find(const struct sev_guest *guest, uint64_t spa);
void sev_vmsa_remove(struct sev_guest *guest, uint64_t spa);

#define SEV_VMSA_SIZE 0x1000u

/* -- store.c: the persistent store ------------------------------------------
 */

/** SUCCESS (@keys filled; an empty store gives none), SECURE_DATA_INVALID (the
 * store has been erased), HWERROR_PLATFORM. */
enum sev_status sev_store_load(struct sev_platform *sev, struct sev_keys *keys);
PSP_MUST_CHECK enum psp_err sev_store_save(struct sev_platform *sev,
                                           const struct sev_keys *keys);
PSP_MUST_CHECK enum psp_err sev_store_erase(struct sev_platform *sev);

/* -- keys.c: the generation chain -------------------------------------------
 */

/** Make what @keys lacks, in the order OCA, PEK, PDH; a new key drops those
 * below it. *made: something is new. */
PSP_MUST_CHECK enum psp_err sev_keys_complete(const struct sev_platform *sev,
                                              struct sev_keys *keys,
                                              bool *made);

/* -- cert.c: certificates ---------------------------------------------------
 */

/** Firmware's validation procedure, abi/sev.md §5.4: SUCCESS,
 * INVALID_CERTIFICATE, BAD_SIGNATURE, UNSUPPORTED. */
enum sev_status sev_cert_check(const struct sev_cert *cert,
                               const struct sev_cert *signer);
/** ASK, ARK, CEK: the AMD half of a chain. @ask_ark: ASK, then ARK. */
enum sev_status sev_amd_chain_check(const struct psp_sev_config *config,
                                    const uint8_t *ask_ark, size_t size,
                                    const struct sev_cert *cek);
/** A Diffie-Hellman certificate by its body alone; its point on success.
 * SUCCESS, INVALID_CERTIFICATE. */
enum sev_status sev_dh_check(const struct sev_cert *cert,
                             struct psp_p384_pub *pub);
/** Fill the body: usage, algorithm, this firmware's version, public key. */
void sev_cert_body(const struct sev_platform *sev, uint32_t usage,
                   const struct psp_p384_pub *pub, struct sev_cert *cert);
/** Sign the body into @slot with a P-384 key of usage @usage. */
PSP_MUST_CHECK enum psp_err sev_cert_sign(struct sev_cert *cert, size_t slot,
                                          uint32_t usage,
                                          const struct psp_p384_key *key);
bool sev_cert_slot_empty(const struct sev_cert_slot *slot);
/** True if the signed bytes are the same. */
bool sev_cert_same_body(const struct sev_cert *a, const struct sev_cert *b);

/* -- session.c, packet.c: transport -----------------------------------------
 */

/** Unwrap a session with the platform's PDH and the sender's public key.
 * SUCCESS, BAD_MEASUREMENT. */
enum sev_status sev_session_open(const struct psp_p384_key *own,
                                 const struct psp_p384_pub *peer,
                                 const struct sev_session *session,
                                 uint32_t policy, struct sev_transport *out);
/** Draw new transport keys and wrap them for @peer. */
PSP_MUST_CHECK enum psp_err sev_session_seal(const struct sev_platform *sev,
                                             const struct psp_p384_pub *peer,
                                             uint32_t policy,
                                             struct sev_transport *transport,
                                             struct sev_session *session);

/** MEASURE of §7.3. */
void sev_launch_mac(const struct psp_profile *profile, uint32_t policy,
                    const uint8_t digest[SEV_DIGEST_SIZE],
                    const uint8_t mnonce[SEV_NONCE_SIZE],
                    const uint8_t tik[SEV_TK_SIZE], uint8_t mac[SEV_MAC_SIZE]);

/** MAC of a packet. @measure: NULL, or the launch measurement. */
void sev_packet_mac(enum sev_mac_context context,
                    const struct sev_packet_header *header, uint32_t guest_len,
                    uint32_t trans_len, const uint8_t *cipher, size_t size,
                    const uint8_t *measure, const uint8_t tik[SEV_TK_SIZE],
                    uint8_t mac[SEV_MAC_SIZE]);

/** Largest packet or secret. abi/sev.md §12.8 */
#define SEV_PACKET_MAX 0x4000u
/** A length that packets may have: nonzero, multiple of 16, at most the
 * maximum. */
bool sev_packet_size_ok(uint32_t size);
/** ADDR for a packet that comes in, and its guest area as an output.
 * INVALID_ADDRESS, INVALID_PAGE_STATE. */
enum sev_status sev_packet_ranges(const struct sev_platform *sev,
                                  const struct sev_cmd_transport *c);
/** Header and payload; @buf has c->trans_length bytes. */
enum psp_err sev_packet_read(const struct sev_platform *sev,
                             const struct sev_cmd_transport *c,
                             struct sev_packet_header *header, uint8_t *buf);

/* -- the chain of certificates ----------------------------------------------
 */

#define SEV_CHAIN_SIZE (3u * SEV_CERT_SIZE) /* PEK, OCA, CEK */

/* -- handlers, one family per file ------------------------------------------
 */

sev_handler sev_run_init, sev_run_init_ex;            /* init.c */
sev_handler sev_run_shutdown, sev_run_platform_reset; /* init.c */
sev_handler sev_run_platform_status, sev_run_get_id;  /* status.c */
sev_handler sev_run_df_flush, sev_run_nop;            /* status.c */
sev_handler sev_shape_download_firmware, sev_run_download_firmware;
sev_handler sev_run_ring_buffer;                              /* status.c */
sev_handler sev_run_pek_gen, sev_run_pek_csr;                 /* owner.c */
sev_handler sev_run_pek_cert_import, sev_run_pdh_cert_export; /* owner.c */
sev_handler sev_run_pdh_gen;                                  /* owner.c */
sev_handler sev_run_decommission, sev_run_deactivate;         /* life.c */
sev_handler sev_args_activate, sev_run_activate;              /* life.c */
sev_handler sev_shape_activate_ex, sev_args_activate_ex;      /* life.c */
sev_handler sev_run_activate_ex, sev_run_guest_status;        /* life.c */
sev_handler sev_run_copy, sev_shape_dbg;                      /* debug.c */
sev_handler sev_run_dbg_decrypt, sev_run_dbg_encrypt;         /* debug.c */
sev_handler sev_run_launch_start, sev_run_receive_start;      /* start.c */
sev_handler sev_undo_start;                                   /* start.c */
sev_handler sev_first_launch_update_vmsa;                     /* launch.c */
sev_handler sev_run_launch_update_data;                       /* launch.c */
sev_handler sev_run_launch_update_vmsa;                       /* launch.c */
sev_handler sev_run_launch_measure, sev_run_launch_finish;    /* launch.c */
sev_handler sev_args_launch_secret, sev_run_launch_secret;    /* secret.c */
sev_handler sev_run_attestation;                              /* attest.c */
sev_handler sev_args_send_start, sev_run_send_start;          /* send.c */
sev_handler sev_run_send_finish, sev_run_send_cancel;         /* send.c */
sev_handler sev_shape_send_update;                            /* packet.c */
sev_handler sev_run_send_update_data, sev_run_send_update_vmsa;
sev_handler sev_run_receive_update_data, sev_run_receive_update_vmsa;
sev_handler sev_run_receive_finish;               /* packet.c */
sev_handler sev_shape_swap_out, sev_run_swap_out; /* swap.c */
sev_handler sev_shape_swap_in, sev_run_swap_in;   /* swap.c */

/** ATTESTATION's last step. */
enum sev_status sev_attestation_finish(struct sev_platform *sev,
                                       struct sev_job *job);

#endif
