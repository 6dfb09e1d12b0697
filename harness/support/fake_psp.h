/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A scripted firmware behind struct port: enough of the mailbox for the
 * drivers, with every answer under the test's control. It knows no
 * cryptography: its outputs are patterns.
 */
#ifndef FAKE_PSP_H
#define FAKE_PSP_H

#include "port.h"

#define FAKE_PSP_CERT  0x824u
#define FAKE_PSP_CHAIN 0x186cu
#define FAKE_PSP_LOG   64u

struct fake_psp;

struct fake_psp_answer {
    uint32_t command;
    uint32_t status;
    unsigned int skip;  /* let that many through first */
    unsigned int count; /* then answer @status so often; 0: for ever */
};

struct fake_psp {
    struct port port; /* hand this to the driver */
    /* What the firmware is, settable at any time. */
    uint8_t api_major, api_minor, build;
    uint8_t state; /* legacy: 0 UNINIT, 1 INIT, 2 WORKING */
    bool external; /* owner */
    bool es;
    bool has_snp;
    bool snp_up;
    bool asid_dirty; /* SNP_SHUTDOWN_EX wants a flush first */
    unsigned int sockets;
    uint32_t handle;                  /* the one legacy guest; 0: none */
    struct fake_psp_answer answer[4]; /* forced, before anything else */
    /** RMPUPDATE to Firmware fails when this many have worked; -1: never. */
    int rmpupdate_left;
    /** The next pages_alloc() of more than @alloc_max pages fails; 0: none. */
    size_t alloc_max;
    /* What was asked. SNP_PAGE_RECLAIM is counted, not logged. */
    uint32_t log[FAKE_PSP_LOG];
    unsigned int log_count;
    unsigned int reclaim_count;
    uint8_t last[64]; /* the last command buffer as it came */
    size_t last_size;
    /** Bytes that the command read from memory, for imports. */
    uint8_t seen[2][0x4000];
    uint32_t seen_size[2];
    /* Memory. */
    uint8_t *memory;
    uint8_t *page;    /* per page: FAKE_FREE, FAKE_HOST, ... */
    size_t pages_out; /* allocated and not freed */
};

/** API 1.55 build 29, UNINIT, with SNP (not initialised), one socket. */
struct fake_psp *fake_psp_new(void);
/** Fails the test when pages are still out. */
void fake_psp_free(struct fake_psp *f);
/** The same without that check. */
void fake_psp_drop(struct fake_psp *f);

void fake_psp_answer(struct fake_psp *f, uint32_t command, uint32_t status,
                     unsigned int count);
/** Forget what was logged. */
void fake_psp_clear_log(struct fake_psp *f);
/** Fails the test unless exactly these commands were issued (end with 0). */
void fake_psp_expect(const struct fake_psp *f, const uint32_t *commands);

/** Byte @i of the output that firmware makes for @command. */
uint8_t fake_psp_byte(uint32_t command, unsigned int buffer, size_t i);

#endif
