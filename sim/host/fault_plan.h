/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Fault plans: what a hostile or broken hypervisor does to the guest requests
 * of SNP guests, told beforehand in a file, the same in every run. FAULTS.md
 * beside this file has examples.
 *
 *   seed    string, at most 128 bytes: chance comes from it alone     ""
 *   faults  array of 1..256 faults; the first one that is due is applied to a
 *           request, and no other
 *
 * A fault is {"when": {...}, "do": KIND, ...}. When, exactly one of:
 *
 *   request      1..0xffffffff: the N-th request
 *   every        1..0xffffffff: every N-th request
 *   probability  "0.25": greater than 0, at most 1, at most nine decimals
 *
 * of those that fit:
 *
 *   exit         "guest-request", "ext-guest-request", "any"        "any"
 *   guest        name of a guest                              every guest
 *
 * A request is counted when it first arrives. What the driver sends again
 * unchanged after BUSY or INVALID_LEN is the same request.
 *
 * Kinds and their members:
 *
 *   flip           part; offset 0..0x3fff (below 0x1000 but for certs) and bits
 *                  1..255: default both by chance, in the payload
 *   truncate       part; size: zeros from there on (required)
 *   replay         part; back 1..8: which earlier message                  1
 *   substitute     part; from: the last message of that guest        zeros
 *   swap-seqno     part; seqno: default one less (response), or more (request)
 *   zero-response  the firmware is asked, its answer is replaced by zeros
 *   drop           the firmware is not asked; success, and no response
 *   reorder        the response is held back for the next request, which loses
 *                  its own
 *   delay          ms 1..10000 (required)
 *   busy           times 1..1000: the VM exits that are answered BUSY      1
 *   vmm-error      error: "INVALID_LEN", "BUSY", "GENERIC" or a number of 64
 *                  bits, not 0 (required)
 *   firmware-error status: name ("INVALID_PARAM") or 1..0xffff (required)
 *   ghcb-error     code 1..5: the exit itself fails (required)
 *   certs-too-small  pages 1..0xffff that are said to be needed: default one
 *                  more than offered; extended requests only
 *
 * part is "request", "response" (default), or for flip and truncate "certs",
 * which only extended requests have.
 */
#ifndef HOST_FAULT_PLAN_H
#define HOST_FAULT_PLAN_H

#include "vm.h"

#define FAULT_ERROR_SIZE 256u /* as SPEC_ERROR_SIZE */
#define FAULT_LINE_SIZE  192u

struct fault_plan;
struct fault_guest;

/**
 * Parse a plan. Unknown or repeated members, wrong types and values out of
 * range are errors.
 *
 * @text, @size  JSON text; need not end in NUL.
 * @out          fault_plan_free() ends it.
 * @error        FAULT_ERROR_SIZE bytes: one line that says what and where.
 *
 * Returns 0, -EINVAL, -ENOMEM (both with @error set).
 */
int fault_plan_parse(const char *text, size_t size, struct fault_plan **out,
                     char *error);
/** After the last of its guests. NULL is fine. */
void fault_plan_free(struct fault_plan *plan);

struct fault_config {
    /** One line for each fault applied, for example "request 2 of guest: flip
     * response, byte 0x60, bits 0x01"; NULL: nobody asks. Called with the
     * plan's lock held: must not come back. */
    void (*applied)(void *ctx, const char *line);
    /** For "delay"; NULL: no sleep. */
    void (*sleep_ms)(void *ctx, unsigned int ms);
    void *ctx;
};

/** The plan's view of one guest, borrowed until fault_guest_free(). 0 or
 * -ENOMEM. Sets no hook: fault_guest_hook() with *@out as its context is one.
 */
int fault_guest_new(struct fault_plan *plan, struct vm *vm,
                    const struct fault_config *config,
                    struct fault_guest **out);
/** No VM exit of the guest may be under way. NULL is fine. */
void fault_guest_free(struct fault_guest *guest);

/** vm_request_hook that applies the plan; @guest is a struct fault_guest. Any
 * number of threads. */
bool fault_guest_hook(void *guest, struct vm *vm, struct vm_guest_request *req,
                      bool after);

#endif
