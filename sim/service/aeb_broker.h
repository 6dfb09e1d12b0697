/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The Attestation Evidence Broker: what its two methods do, apart from how
 * bytes reach it. Spec: abi/aeb.md §1, §4, §6, §8.
 */
#ifndef SERVICE_AEB_BROKER_H
#define SERVICE_AEB_BROKER_H

#include "aeb_cek.h"
#include "aeb_device.h"
#include "aeb_evidence.h"
#include "aeb_fault.h"
#include "aeb_msg.h"
#include "aeb_registry.h"
#include "ttrpc_server.h"

/** Does a peer get what it names, only its own, or its own by name 0 too? */
enum aeb_peer_policy { AEB_PEER_OPEN, AEB_PEER_CHECK, AEB_PEER_BIND };

/** Which peer has which handle, or is which guest. The first row by listener
 * that fits counts, else the first by CID, else the first by uid. */
struct aeb_peer_row {
    enum { AEB_BY_CID, AEB_BY_LISTENER, AEB_BY_UID } by;
    uint64_t key;
    const char *guest;   /* its name; NULL: @handle, whoever has it */
    uint64_t generation; /* with a name: this launch of it; 0: any */
    uint32_t handle;     /* without a name */
};

/** When a response has the extension's fields. */
enum aeb_extension {
    AEB_EXT_ASKED,  /* when the request shows that its sender knows them */
    AEB_EXT_ALWAYS, /* and their absence means nothing */
    AEB_EXT_NEVER,  /* nor are they read: the published broker */
};

#define AEB_ALIAS_MAX 8u
struct aeb_broker_config {
    struct aeb_device device;
    struct aeb_cek *cek; /* borrowed */
    enum psp_generation product;
    bool any_product;  /* also those that device_type has no name for */
    bool untyped;      /* the published layout: 6460, no device_type */
    bool status_style; /* failures as ttrpc status, not in error_code */
    enum aeb_report_number number;
    enum aeb_extension extension;
    enum aeb_peer_policy policy;
    const struct aeb_peer_row *rows; /* borrowed */
    size_t row_count;
    struct aeb_registry *registry; /* borrowed; for rows with names */
    /* Requests for handle from are served as for handle to. */
    struct {
        uint32_t from, to;
    } alias[AEB_ALIAS_MAX];
    size_t alias_count;
    unsigned int rate;   /* evidence requests a second and peer; 0: any */
    const uint8_t *root; /* ASK and ARK that the self-check trusts; borrowed.
                            NULL: it ends at the CEK */
    size_t root_size;
    bool check_reports;        /* the self-check verifies their signature too */
    struct aeb_faults *faults; /* borrowed; NULL: an honest broker */
    /** One line for each failure; any thread. May be NULL. */
    void (*log)(void *ctx, const char *line);
    void *log_ctx;
};

struct aeb_broker;

/** 0 or -ENOMEM. */
int aeb_broker_open(const struct aeb_broker_config *config,
                    struct aeb_broker **out);
void aeb_broker_close(struct aeb_broker *b); /* NULL is fine */

/** The methods, with a struct aeb_broker as their ctx; and those of a broker
 * with a registry or faults, which all may take their time. */
#define AEB_METHOD_COUNT 2u
extern const struct ttrpc_method AEB_METHODS[AEB_METHOD_COUNT];
extern const struct ttrpc_method AEB_SLOW_METHODS[AEB_METHOD_COUNT];

#endif
