/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Fault plans: what a hostile or broken host does, told beforehand in a file,
 * the same in every run. FAULTS.md beside this file describes the file, place
 * by place, with examples.
 *
 * A plan has faults of several places: where guests ask their firmware, at the
 * mailbox, at hypercalls, in the evidence broker, in the key server. Every
 * program reads the whole file and does the faults of its own places: it tells
 * the plan of each event there, and the plan says which fault is due. What the
 * fault then does is the business of the place (fault_guest.h is one).
 *
 * Everything here is thread-safe. Chance is a function of the plan's seed, the
 * place, the key of the sequence, the fault's index in the file and the event's
 * number: neither time nor anything random takes part.
 */
#ifndef HOST_FAULT_PLAN_H
#define HOST_FAULT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULT_ERROR_SIZE 256u /* as SPEC_ERROR_SIZE */
#define FAULT_LINE_SIZE  384u
#define FAULT_MAX        256u       /* faults in a plan */
#define FAULT_BACK_MAX   8u         /* how far a replay reaches */
#define FAULT_FILE_MAX   (1u << 20) /* largest file of a plan */
#define FAULT_KEY_SIZE   64u

/** "at": where a fault strikes. */
enum fault_place {
    FAULT_AT_GUEST_REQUEST, /* SNP guest requests, in the hypervisor */
    FAULT_AT_SEV_COMMAND,   /* commands of the host, at the mailbox */
    FAULT_AT_HYPERCALL,     /* KVM_HC_VM_HANDLE of legacy guests */
    FAULT_AT_BROKER,        /* requests to the evidence broker */
    FAULT_AT_KEY_SERVER,    /* requests to the key server */
    FAULT_PLACE_COUNT,
};

/** "do". Which place has which: FAULTS.md, fault_table.c. */
enum fault_kind {
    FAULT_FLIP,
    FAULT_TRUNCATE,
    FAULT_REPLAY,
    FAULT_SUBSTITUTE,
    FAULT_SWAP_SEQNO,
    FAULT_ZERO_RESPONSE,
    FAULT_DROP,
    FAULT_REORDER,
    FAULT_DELAY,
    FAULT_BUSY,
    FAULT_VMM_ERROR,
    FAULT_FIRMWARE_ERROR,
    FAULT_CERTS_TOO_SMALL,
    FAULT_GHCB_ERROR,
    FAULT_CRASH,
    FAULT_ERROR,
    FAULT_STATUS,
    FAULT_STRIP,
    FAULT_ZERO_REPORT,
    FAULT_HTML,
    FAULT_HUGE,
    FAULT_TRICKLE,
    FAULT_KIND_COUNT,
};

/** "part": of what. */
enum fault_part {
    FAULT_REQUEST,
    FAULT_RESPONSE,
    FAULT_CERTS,
    FAULT_REPORT,
    FAULT_PEK,
    FAULT_OCA,
    FAULT_CEK,
    FAULT_PART_COUNT,
};

/** Members of "when" that compare a text. */
enum fault_by {
    FAULT_BY_EXIT,    /* "guest-request", "ext-guest-request" */
    FAULT_BY_GUEST,   /* a guest's name */
    FAULT_BY_COMMAND, /* a mailbox command's name, "GET_ID" */
    FAULT_BY_METHOD,  /* "size", "evidence" */
    FAULT_BY_PATH,    /* beginning of a path of a URL, with its query */
    FAULT_BY_KIND, /* "vcek", "vlek", "cert-chain", "crl", "cek", "ask-ark" */
    FAULT_BY_COUNT,
};

/** One fault, resolved: members that the file leaves out have their defaults,
 * those that its kind does not have are zero. */
struct fault {
    enum fault_place at;
    enum fault_kind kind;
    enum fault_part part; /* default FAULT_RESPONSE */
    bool place_given, bits_given, seqno_given, handle_given, retry_after_given;
    uint64_t place; /* offset of flip, size of truncate */
    uint64_t bits;
    uint64_t seqno;
    uint64_t back; /* 1..FAULT_BACK_MAX; default 1 */
    uint64_t ms;
    uint64_t times;
    uint64_t pages;  /* 0: one more than offered */
    uint64_t code;   /* GHCB error, broker's error or status, HTTP status */
    uint64_t answer; /* SW_EXITINFO2; firmware status; N of a hypercall's
                      * result -N */
    uint64_t retry_after; /* seconds */
    uint64_t handle;      /* "from" when that is a number */
    char from[256];       /* "from" when that is a text, else "" */
};

/** Words of the file. */
const char *fault_place_name(enum fault_place place);
const char *fault_kind_name(enum fault_kind kind);
const char *fault_part_name(enum fault_part part);

/* --- the plan --- */

struct fault_plan;

/** A plan without faults. 0 or -ENOMEM. */
int fault_plan_new(struct fault_plan **out);
/**
 * Parse a plan. Unknown or repeated members, wrong types, values out of range,
 * and what its place does not have, are errors.
 *
 * @text, @size  JSON text; need not end in NUL.
 * @out          fault_plan_free() ends it.
 * @error        FAULT_ERROR_SIZE bytes: one line that says what and where.
 *
 * Returns 0, -EINVAL, -ENOMEM (both with @error set, and no plan).
 */
int fault_plan_parse(const char *text, size_t size, struct fault_plan **out,
                     char *error);
/** After the last of its sequences and guests. NULL is fine. */
void fault_plan_free(struct fault_plan *plan);

/** Put the faults of another text in force; all counting starts again. As
 * fault_plan_parse(): on error the plan is as it was. */
int fault_plan_replace(struct fault_plan *plan, const char *text, size_t size,
                       char *error);
/** From now on there are no faults. */
void fault_plan_clear(struct fault_plan *plan);

/** Has the plan a fault of that place? NULL: no. Costs no lock. */
bool fault_plan_has(const struct fault_plan *plan, enum fault_place place);

/** What has happened to fault @index of the plan in force. False: there are not
 * so many. */
struct fault_count {
    enum fault_place at;
    enum fault_kind kind;
    uint64_t fits; /* events that its filters let through */
    uint64_t hits; /* of these, those to which it was applied */
};
bool fault_plan_count(struct fault_plan *plan, size_t index,
                      struct fault_count *out);

/* --- events --- */

/** Events of one place that are counted together: "when": {"request": 3} is the
 * third of them that the filters let through. */
struct fault_seq;

/** @key: whose events they are; at most 63 bytes, copied. Takes part in chance.
 * Hypervisor: the guest's name. All others: "". 0 or -ENOMEM. */
int fault_seq_new(struct fault_plan *plan, enum fault_place at, const char *key,
                  struct fault_seq **out);
/** NULL is fine. */
void fault_seq_free(struct fault_seq *seq);

/** What an event is, for the filters of "when". */
struct fault_event {
    const char *is[FAULT_BY_COUNT]; /* NULL: it has none, so that no filter of
                                     * that name lets it through */
    bool has_handle;
    uint64_t handle;
    bool quiet; /* housekeeping: only faults that name its command fit */
};

/** A fault that is due, and what chance decides for it. */
struct fault_hit {
    struct fault fault;
    uint64_t number; /* of the event in its sequence, from 1; always set */
    uint64_t place_chance; /* any 64 bits */
    uint64_t bits_chance;
};

/**
 * An event happened. True: @hit is the fault to apply to it. One at most is:
 * the first one in the file that is due.
 */
bool fault_seq_event(struct fault_seq *seq, const struct fault_event *event,
                     struct fault_hit *hit);

/* --- help for those who apply faults --- */

/** Byte to be hit in @size > 0 bytes: the fault's offset, or one by chance. */
uint64_t fault_hit_place(const struct fault_hit *hit, uint64_t size);
/** Bits to be turned round: the fault's, or one by chance. Not 0. */
uint8_t fault_hit_bits(const struct fault_hit *hit);
/** Flip in place. False, and nothing done, when there is no such byte. */
bool fault_hit_flip(const struct fault_hit *hit, uint8_t *data, size_t size);

/** The last messages of a kind, for replays. All zero: none yet. Not
 * thread-safe. */
struct fault_history {
    uint8_t *data[FAULT_BACK_MAX];
    size_t size[FAULT_BACK_MAX];
    uint64_t count;
};
/** Keeps a copy, of the last FAULT_BACK_MAX; nothing when out of memory. */
void fault_history_add(struct fault_history *h, const void *data, size_t size);
/** The message @back ago (1: the last), or NULL. Borrowed until the next add.
 */
const uint8_t *fault_history_back(const struct fault_history *h, uint64_t back,
                                  size_t *size);
/** Wipes them. */
void fault_history_clear(struct fault_history *h);

/** How those who apply faults reach the world. */
struct fault_config {
    /** One line for each fault applied, for example "request 2 of guest: flip
     * response, byte 0x60, bits 0x01"; NULL: nobody asks. Called with locks
     * held: must not come back. */
    void (*applied)(void *ctx, const char *line);
    /** For "delay"; NULL: no sleep. */
    void (*sleep_ms)(void *ctx, unsigned int ms);
    /** For "crash": does not return; NULL: nothing happens. */
    void (*crash)(void *ctx);
    void *ctx;
};

#endif
