/* SPDX-License-Identifier: Apache-2.0 */
#include "run_filter.h"

#include <libseccomp.h>

#include <assert.h>
#include <fcntl.h>
#include <string.h>

#define BOTH    true, true
#define NATIVE  true, false
#define COMPAT  false, true
#define CREAT   ((uint32_t)(O_WRONLY | O_CREAT | O_TRUNC))
#define NOLINK  ((uint32_t)AT_SYMLINK_NOFOLLOW)
#define THIS_FD ((uint32_t)AT_EMPTY_PATH)

static const struct run_call table[] = {
    /*                                        fd path flags arg */
    {"open", RUN_OP_OPEN, BOTH, -1, 0, 1, -1, 0},
    {"openat", RUN_OP_OPEN, BOTH, 0, 1, 2, -1, 0},
    {"openat2", RUN_OP_OPENAT2, BOTH, 0, 1, -1, 2, 0},
    {"creat", RUN_OP_OPEN, BOTH, -1, 0, -1, -1, CREAT},
    {"stat", RUN_OP_STAT, NATIVE, -1, 0, -1, 1, 0},
    {"lstat", RUN_OP_STAT, NATIVE, -1, 0, -1, 1, NOLINK},
    {"newfstatat", RUN_OP_STAT, NATIVE, 0, 1, 3, 2, 0},
    {"fstat", RUN_OP_STAT, NATIVE, 0, -1, -1, 1, THIS_FD},
    {"stat64", RUN_OP_STAT64, COMPAT, -1, 0, -1, 1, 0},
    {"lstat64", RUN_OP_STAT64, COMPAT, -1, 0, -1, 1, NOLINK},
    {"fstatat64", RUN_OP_STAT64, COMPAT, 0, 1, 3, 2, 0},
    {"fstat64", RUN_OP_STAT64, COMPAT, 0, -1, -1, 1, THIS_FD},
    {"statx", RUN_OP_STATX, BOTH, 0, 1, 2, 3, 0},
    {"access", RUN_OP_ACCESS, BOTH, -1, 0, -1, 1, 0},
    {"faccessat", RUN_OP_ACCESS, BOTH, 0, 1, -1, 2, 0},
    {"faccessat2", RUN_OP_ACCESS, BOTH, 0, 1, 3, 2, 0},
    {"readlink", RUN_OP_READLINK, BOTH, -1, 0, -1, 1, NOLINK},
    {"readlinkat", RUN_OP_READLINK, BOTH, 0, 1, -1, 2, NOLINK},
    {"getxattr", RUN_OP_GETXATTR, BOTH, -1, 0, -1, -1, 0},
    {"lgetxattr", RUN_OP_GETXATTR, BOTH, -1, 0, -1, -1, NOLINK},
    {"listxattr", RUN_OP_LISTXATTR, BOTH, -1, 0, -1, -1, 0},
    {"llistxattr", RUN_OP_LISTXATTR, BOTH, -1, 0, -1, -1, NOLINK},
    {"ioctl", RUN_OP_IOCTL, NATIVE, 0, -1, -1, 1, 0},
};
#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

/* ioctl types of calls that busy programs make by the thousand. */
static const uint8_t hot_types[] = {'T', 0x89, 'd', 0xae};

static uint32_t companion(uint32_t arch)
{
    return arch == SCMP_ARCH_X86_64 ? SCMP_ARCH_X86 : 0;
}

void run_calls_init(struct run_calls *calls)
{
    memset(calls, 0, sizeof(*calls));
    calls->arch[0] = seccomp_arch_native();
    calls->arch[1] = companion(calls->arch[0]);
    for (size_t a = 0; a < RUN_ARCHS && calls->arch[a] != 0; a++) {
        for (size_t i = 0; i < TABLE_SIZE; i++) {
            int nr;

            if (!(a == 0 ? table[i].native : table[i].compat)) {
                continue;
            }
            nr = seccomp_syscall_resolve_name_arch(calls->arch[a],
                                                   table[i].name);
            if (nr >= 0 && nr < (int)RUN_NUMBERS) {
                calls->row[a][nr] = (uint8_t)(i + 1);
            }
        }
    }
}

const struct run_call *run_calls_find(const struct run_calls *calls,
                                      const struct seccomp_data *data)
{
    for (size_t a = 0; a < RUN_ARCHS; a++) {
        if (calls->arch[a] == data->arch && data->nr >= 0 &&
            data->nr < (int)RUN_NUMBERS && calls->row[a][data->nr] != 0) {
            return &table[calls->row[a][data->nr] - 1];
        }
    }
    return NULL;
}

struct program {
    struct sock_filter *code;
    unsigned short count;
};

static void emit(struct program *p, int op, uint32_t k, size_t yes, size_t no)
{
    assert(p->count < RUN_FILTER_MAX && yes < 256 && no < 256);
    p->code[p->count++] = (struct sock_filter){
        .code = (unsigned short)op,
        .k = k,
        .jt = (unsigned char)yes,
        .jf = (unsigned char)no,
    };
}

static void emit_load(struct program *p, size_t offset)
{
    emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void emit_load_arg(struct program *p, int arg)
{
    emit_load(p, offsetof(struct seccomp_data, args) + 8 * (size_t)arg);
}

/* "If A equals k, then the next @size instructions." */
static void emit_if(struct program *p, uint32_t k, size_t size)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, k, 0, size);
}

static void emit_ret(struct program *p, uint32_t action)
{
    emit(p, BPF_RET | BPF_K, action, 0, 0);
}

static void emit_ioctl(struct program *p, uint32_t nr, const struct run_call *c)
{
    size_t hot = sizeof(hot_types);

    emit_if(p, nr, 2 + 2 * hot + 1);
    emit_load_arg(p, c->arg);
    emit(p, BPF_ALU | BPF_AND | BPF_K, 0xff00, 0, 0);
    for (size_t i = 0; i < hot; i++) {
        emit_if(p, (uint32_t)hot_types[i] << 8, 1);
        emit_ret(p, SECCOMP_RET_ALLOW);
    }
    emit_ret(p, SECCOMP_RET_USER_NOTIF);
}

static void emit_call(struct program *p, uint32_t nr, const struct run_call *c)
{
    if (c->op == RUN_OP_IOCTL) {
        emit_ioctl(p, nr, c);
    } else {
        emit_if(p, nr, 1);
        emit_ret(p, SECCOMP_RET_USER_NOTIF);
    }
}

static void emit_arch(struct program *p, const struct run_calls *calls,
                      size_t a)
{
    unsigned short start = p->count;

    emit_if(p, calls->arch[a], 0); /* its length is known at the end */
    emit_load(p, offsetof(struct seccomp_data, nr));
    for (uint32_t nr = 0; nr < RUN_NUMBERS; nr++) {
        if (calls->row[a][nr] != 0) {
            emit_call(p, nr, &table[calls->row[a][nr] - 1]);
        }
    }
    emit_ret(p, SECCOMP_RET_ALLOW);
    assert(p->count - start - 1 < 256);
    p->code[start].jf = (unsigned char)(p->count - start - 1);
}

unsigned short run_filter_build(const struct run_calls *calls,
                                struct sock_filter *code)
{
    struct program p = {.code = code};

    emit_load(&p, offsetof(struct seccomp_data, arch));
    for (size_t a = 0; a < RUN_ARCHS && calls->arch[a] != 0; a++) {
        emit_arch(&p, calls, a);
    }
    emit_ret(&p, SECCOMP_RET_ALLOW); /* any other machine: left alone */
    return p.count;
}
