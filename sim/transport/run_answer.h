/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What is said to the kernel about one trapped call.
 */
#ifndef TRANSPORT_RUN_ANSWER_H
#define TRANSPORT_RUN_ANSWER_H

#include "run_serve.h"

#include <limits.h>

/** One trapped call, with its arguments named by the table of calls. */
struct run_request {
    struct run_server *server;
    const struct seccomp_notif *notif;
    const struct run_call *call;
    pid_t tid;
    int dirfd;
    uint32_t flags; /* O_ or AT_ flags, implied ones included */
    char path[PATH_MAX];
};

enum run_answer_kind {
    RUN_NATIVE, /* let the kernel do it */
    RUN_VALUE,  /* result, or negative errno */
    RUN_FD,     /* a descriptor to install; closed here afterwards */
};

struct run_answer {
    enum run_answer_kind kind;
    int64_t value; /* or the descriptor */
    bool cloexec;
};

static inline struct run_answer run_native(void)
{
    return (struct run_answer){.kind = RUN_NATIVE};
}

static inline struct run_answer run_value(int64_t value)
{
    return (struct run_answer){.kind = RUN_VALUE, .value = value};
}

/** Argument @i, counted from the first that only this call has. */
static inline uint64_t run_arg(const struct run_request *rq, int i)
{
    return rq->notif->data.args[rq->call->arg + i];
}

/** Memory of the caller; a range that cannot be touched gives -EFAULT. */
int run_copy_in(const struct run_request *rq, uint64_t addr, void *buf,
                size_t size);
int run_copy_out(const struct run_request *rq, uint64_t addr, const void *buf,
                 size_t size);

/** open, openat, creat, openat2. */
struct run_answer run_open(struct run_request *rq);

/** stat and its family; @o is the object that was named. */
struct run_answer run_stat(struct run_request *rq, const struct run_object *o);
struct run_answer run_stat64(struct run_request *rq,
                             const struct run_object *o);
struct run_answer run_statx(struct run_request *rq, const struct run_object *o);

#endif
