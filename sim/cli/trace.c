/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include "fields.h"

#include "snp_cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_DEVICES 8u
#define TRACE_COPIES  8u
#define TRACE_BYTES   128u
#define TRACE_PAGE    0x1000u
#define NO_PAGE       UINT64_MAX

struct traced_device {
    struct trace *trace;
    struct chardev inner;
};

struct trace {
    FILE *out;
    pthread_mutex_t lock; /* one line at a time */
    struct ccp_config sev;
    bool (*wanted)(void *ctx); /* NULL: always */
    void *wanted_ctx;
    struct traced_device devices[TRACE_DEVICES];
    size_t device_count;
    uint64_t reclaimed; /* page of the last successful SNP_PAGE_RECLAIM */
    unsigned int more;  /* of those, neighbours that are not printed yet */
};

/* The start of one range that crossed the user boundary. */
struct copy {
    uint64_t addr;
    size_t size;
    uint8_t bytes[TRACE_BYTES];
    bool out;
};

/* A umem that passes everything on and remembers the first ranges. */
struct trace_umem {
    struct umem um;
    struct umem *inner;
    struct copy copies[TRACE_COPIES];
    size_t count;
};

static void remember(struct trace_umem *t, bool out, uint64_t addr,
                     const void *buf, size_t size)
{
    struct copy *c = &t->copies[t->count];

    if (t->count == TRACE_COPIES) {
        return;
    }
    *c = (struct copy){.addr = addr, .size = size, .out = out};
    memcpy(c->bytes, buf, size < TRACE_BYTES ? size : TRACE_BYTES);
    t->count++;
}

static struct trace_umem *of(struct umem *um)
{
    return (struct trace_umem *)(void *)um; /* first member */
}

static int trace_read(struct umem *um, uint64_t addr, void *buf, size_t size)
{
    struct trace_umem *t = of(um);
    int err = umem_read(t->inner, addr, buf, size);

    if (err == 0) {
        remember(t, false, addr, buf, size);
    }
    return err;
}

static int trace_plan_write(struct umem *um, uint64_t addr, size_t size)
{
    return umem_plan_write(of(um)->inner, addr, size);
}

static int trace_commit(struct umem *um)
{
    return umem_commit(of(um)->inner);
}

static int trace_write(struct umem *um, uint64_t addr, const void *buf,
                       size_t size)
{
    struct trace_umem *t = of(um);
    int err = umem_write(t->inner, addr, buf, size);

    if (err == 0) {
        remember(t, true, addr, buf, size);
    }
    return err;
}

static const struct umem_ops TRACE_UMEM_OPS = {
    .read = trace_read,
    .plan_write = trace_plan_write,
    .commit = trace_commit,
    .write = trace_write,
};

static const struct copy *find_copy(const struct trace_umem *t, bool out,
                                    uint64_t addr)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->copies[i].out == out && t->copies[i].addr == addr) {
            return &t->copies[i];
        }
    }
    return NULL;
}

static void print_copy(FILE *out, const struct field *fields,
                       const struct copy *c)
{
    fields_print(out, fields, c->bytes,
                 c->size < TRACE_BYTES ? c->size : TRACE_BYTES);
}

/* Before every line: the pages that were reclaimed since the last one. */
static void begin_line(struct trace *trace)
{
    pthread_mutex_lock(&trace->lock);
    if (trace->more > 0) {
        fprintf(
            trace->out,
            "mailbox SNP_PAGE_RECLAIM for the next %u pages, up to 0x%" PRIx64
            " = 0x0 SUCCESS\n",
            trace->more, trace->reclaimed);
    }
    trace->more = 0;
    trace->reclaimed = NO_PAGE;
}

static void end_line(struct trace *trace)
{
    fflush(trace->out);
    pthread_mutex_unlock(&trace->lock);
}

/* One ioctl: envelope and inner structure as read, then as written back. */
static void print_ioctl(struct trace *trace, const struct chardev *dev,
                        uint32_t request, uint64_t arg, int64_t result,
                        const struct trace_umem *t)
{
    const struct copy *in = find_copy(t, false, arg);
    const struct copy *back = find_copy(t, true, arg);
    const struct field *fields = fields_of_envelope(request);
    const struct field *inner = NULL;
    const char *name = NULL;
    uint64_t inner_addr = 0;
    FILE *out = trace->out;

    if (in != NULL) {
        name = fields_of_request(&trace->sev, request, in->bytes, in->size,
                                 &inner, &inner_addr);
    }
    begin_line(trace);
    fprintf(out, "ioctl /dev/%s ", dev->name);
    if (name != NULL) {
        fprintf(out, "%s", name);
    } else {
        fprintf(out, "0x%x", request);
    }
    if (in != NULL && fields != NULL) {
        fputc(' ', out);
        print_copy(out, fields, in);
    }
    for (size_t i = 0; i < 2 && inner != NULL; i++) {
        const struct copy *c = find_copy(t, i == 1, inner_addr);

        if (c != NULL) {
            fputs(i == 1 ? " => " : " ", out);
            print_copy(out, inner, c);
        }
    }
    if (back != NULL && fields != NULL) {
        fputs(" => ", out);
        print_copy(out, fields, back);
    }
    if (result < 0) {
        fprintf(out, " = -1 %s (%s)\n", strerrorname_np((int)-result),
                strerror((int)-result));
    } else {
        fprintf(out, " = %lld\n", (long long)result);
    }
    end_line(trace);
}

static bool is_wanted(const struct trace *trace)
{
    return trace->wanted == NULL || trace->wanted(trace->wanted_ctx);
}

void trace_when(struct trace *trace, bool (*wanted)(void *ctx), void *ctx)
{
    trace->wanted = wanted;
    trace->wanted_ctx = ctx;
}

int64_t trace_ioctl(struct trace *trace, const struct chardev *dev,
                    bool writable, uint32_t request, uint64_t arg,
                    struct umem *um)
{
    struct trace_umem *t = is_wanted(trace) ? calloc(1, sizeof(*t)) : NULL;
    int64_t result;

    if (t == NULL) {
        return dev->ops->ioctl(dev->dev, writable, request, arg, um);
    }
    t->um.ops = &TRACE_UMEM_OPS;
    t->inner = um;
    result = dev->ops->ioctl(dev->dev, writable, request, arg, &t->um);
    if (result != UMEM_RETRY) {
        print_ioctl(trace, dev, request, arg, result, t);
    }
    free(t);
    return result;
}

static int64_t traced_ioctl(void *dev, bool writable, uint32_t request,
                            uint64_t arg, struct umem *um)
{
    struct traced_device *d = dev;

    return trace_ioctl(d->trace, &d->inner, writable, request, arg, um);
}

static const struct chardev_ops TRACED_OPS = {.ioctl = traced_ioctl};

struct chardev trace_chardev(struct trace *trace, struct chardev dev)
{
    struct traced_device *d = &trace->devices[trace->device_count];

    if (trace->device_count == TRACE_DEVICES) {
        return dev;
    }
    trace->device_count++;
    *d = (struct traced_device){.trace = trace, .inner = dev};
    return (struct chardev){.name = dev.name, .ops = &TRACED_OPS, .dev = d};
}

/* The page that the command took back, or NO_PAGE. */
static uint64_t reclaimed_page(uint32_t command, const uint8_t *buffer,
                               size_t size, enum sev_status status)
{
    struct snp_cmd_page_reclaim c;

    return command == SNP_CMD_PAGE_RECLAIM && status == SEV_SUCCESS &&
                   size == SNP_CMD_PAGE_RECLAIM_SIZE &&
                   snp_cmd_page_reclaim_decode(buffer, &c)
               ? c.page_paddr
               : NO_PAGE;
}

/* Linux takes buffers of the firmware back page by page, by the hundred:
 * neighbours share a line. */
static bool is_neighbour(struct trace *trace, uint64_t page)
{
    bool near;

    pthread_mutex_lock(&trace->lock);
    near = page != NO_PAGE && page == trace->reclaimed + TRACE_PAGE;
    if (near) {
        trace->reclaimed = page;
        trace->more++;
    }
    pthread_mutex_unlock(&trace->lock);
    return near;
}

static void trace_command(void *ctx, uint32_t command, const uint8_t *buffer,
                          size_t size, enum sev_status status)
{
    struct trace *trace = ctx;
    struct psp_command_info info;
    const struct field *fields = fields_of_command(command);
    uint64_t page = reclaimed_page(command, buffer, size, status);

    if (!is_wanted(trace) || is_neighbour(trace, page)) {
        return;
    }
    begin_line(trace);
    if (psp_command_info(command, &info)) {
        fprintf(trace->out, "mailbox %s", info.name);
    } else {
        fprintf(trace->out, "mailbox 0x%x", command);
    }
    if (fields != NULL && size > 0) {
        fputc(' ', trace->out);
        fields_print(trace->out, fields, buffer, size);
    }
    fprintf(trace->out, " = 0x%x %s\n", (unsigned int)status,
            sev_status_name(status));
    trace->reclaimed = page;
    end_line(trace);
}

void trace_line(struct trace *trace, const char *what, const char *text)
{
    begin_line(trace);
    fprintf(trace->out, "%s %s\n", what, text);
    end_line(trace);
}

void trace_sev(struct trace *trace, const struct ccp_config *config)
{
    trace->sev = *config;
}

struct machine_trace trace_machine(struct trace *trace)
{
    return (struct machine_trace){.command = trace_command, .ctx = trace};
}

struct trace *trace_new(FILE *out)
{
    struct trace *trace = calloc(1, sizeof(*trace));

    if (trace != NULL) {
        trace->out = out;
        trace->reclaimed = NO_PAGE;
        ccp_config_default(&trace->sev);
        pthread_mutex_init(&trace->lock, NULL);
    }
    return trace;
}

void trace_free(struct trace *trace)
{
    if (trace != NULL) {
        begin_line(trace);
        end_line(trace);
        pthread_mutex_destroy(&trace->lock);
        free(trace);
    }
}
