/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A legacy platform on flat memory, driven through its mailbox, and an owner
 * who prepares sessions, packets and certificates: for vectors, fuzzers and
 * benchmarks. Everything follows from a fixed seed.
 */
#ifndef SEV_RIG_H
#define SEV_RIG_H

#include "pki.h"
#include "sev_cert.h"
#include "sev_cmd.h"
#include "sev_crypto.h"
#include "sev_report.h"
#include "sev_session.h"

#include <psp/drbg.h>
#include <psp/psp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RIG_MEMORY 0x400000u
#define RIG_CMD    0x1000u
#define RIG_OUT    0x10000u /* outputs */
#define RIG_OUT2   0x20000u
#define RIG_IN     0x30000u /* inputs */
#define RIG_IN2    0x40000u
#define RIG_GUEST  0x100000u /* guest memory, 1 MiB */
#define RIG_TMR    0x200000u

struct sev_rig {
    struct psp *psp;
    struct psp_profile profile;
    struct psp_chip chip;
    struct psp_host_ops ops;
    struct psp_drbg drbg;
    uint8_t *memory;
    bool have_nv;
    uint8_t nv[PSP_NV_SIZE];
    unsigned int changes; /* ranges that the firmware changed, besides
                           * the command page */
    uint8_t buffer[SEV_CMD_MAX_SIZE]; /* after the last command */
};

/** Power on (@profile by name). @init: INIT with ES, and DF_FLUSH. Ends the
 * program when that fails. */
void rig_open(struct sev_rig *r, const char *profile, bool init);
/** The same in parts: power on with or without SNP in the CPUs; INIT, with the
 * store as it stands in r->nv. */
void rig_power(struct sev_rig *r, const char *profile, bool snp);
void rig_init(struct sev_rig *r);
void rig_close(struct sev_rig *r);
/** Power off and on; memory and store stay. */
void rig_cycle(struct sev_rig *r);

/** Copy @size bytes into the command page, execute, copy them back into
 * r->buffer. */
enum sev_status rig_exec(struct sev_rig *r, uint32_t id, const uint8_t *buffer,
                         size_t size);
/** Commands without a buffer. */
enum sev_status rig_run(struct sev_rig *r, uint32_t id);
/** PLATFORM_STATUS. */
struct sev_cmd_status rig_status(struct sev_rig *r);

/** PDH and chain (PEK, OCA, CEK) as PDH_CERT_EXPORT gives them. */
void rig_export(struct sev_rig *r, uint8_t pdh[SEV_CERT_SIZE],
                uint8_t chain[3 * SEV_CERT_SIZE]);

/** A key that follows from a name. */
void rig_key(const char *name, struct psp_p384_key *key);
/** A certificate over @key with both slots empty. */
void rig_cert(const struct psp_p384_key *key, uint32_t usage,
              struct sev_cert *cert);
/** Fill slot @slot: SHA-256, usage of the signer. */
void rig_sign(struct sev_cert *cert, unsigned int slot, uint32_t usage,
              const struct psp_p384_key *key);

/** What a guest owner chooses for one launch. */
struct rig_owner {
    struct psp_p384_key key; /* of the GODH certificate */
    uint8_t nonce[16], wrap_iv[16], tek[16], tik[16];
    uint32_t policy;
};
void rig_owner(const char *name, uint32_t policy, struct rig_owner *o);
/** GODH certificate and session blob for the platform with @pdh. */
void rig_session(const struct rig_owner *o, const uint8_t pdh[SEV_CERT_SIZE],
                 uint8_t godh[SEV_CERT_SIZE], uint8_t blob[SEV_SESSION_SIZE]);
/** Header for LAUNCH_SECRET; @payload is encrypted in place. */
void rig_packet(const struct rig_owner *o, const uint8_t iv[16],
                const uint8_t measure[32], uint8_t *payload, uint32_t size,
                uint8_t header[SEV_PACKET_HEADER_SIZE]);

/** LAUNCH_START with @godh and @blob (NULL: none) and ACTIVATE on @asid. */
enum sev_status rig_start(struct sev_rig *r, uint32_t policy,
                          const uint8_t *godh, const uint8_t *blob,
                          uint32_t asid, uint32_t *handle);
/** LAUNCH_UPDATE_DATA or _VMSA, _MEASURE, _FINISH, ATTESTATION. Memory is the
 * caller's matter. */
enum sev_status rig_range(struct sev_rig *r, uint32_t id, uint32_t handle,
                          uint64_t spa, uint32_t size);
enum sev_status rig_handle(struct sev_rig *r, uint32_t id, uint32_t handle);
enum sev_status rig_attest(struct sev_rig *r, uint32_t handle,
                           const uint8_t mnonce[16], uint32_t size);

#endif
