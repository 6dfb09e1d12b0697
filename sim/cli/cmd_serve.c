/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "faults.h"
#include "plan_file.h"
#include "platform.h"
#include "platform_sev.h"
#include "sandbox.h"
#include "sandbox_janitor.h"
#include "serve.h"
#include "serve_devices.h"
#include "serve_log.h"
#include "serve_notify.h"
#include "serve_options.h"

#include "crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What may be left when it ends; then the mounts, and what covers a place. */
enum leftover {
    LEFT_SOCKET,
    LEFT_PID_FILE,
    LEFT_SEV,
    LEFT_SEV_GUEST,
    LEFT_FIRST_MOUNT,
};
_Static_assert(LEFT_FIRST_MOUNT + 2 * SERVE_MOUNTS_MAX + 1 <= LEFTOVERS_MAX,
               "the janitor takes all");

#ifdef __SANITIZE_ADDRESS__
#define LEAK_CHECK SANDBOX_LEAK_CHECK
#else
#define LEAK_CHECK 0u
#endif

/* Everything that a running daemon has, in the order it comes about. */
struct daemon {
    struct serve_options o;
    uid_t started_by, uid;
    gid_t gid, socket_gid;
    int notify;
    int signals;
    struct state_store *store;
    struct serve_trace *lines;
    FILE *trace_out;
    struct trace *trace;
    struct platform p;
    struct fault_plan *plan;
    struct serve_guests *guests;
    struct serve_devices *devices;
    struct sandbox_janitor janitor;
    struct sandbox_leftover leftovers[LEFTOVERS_MAX];
    size_t leftover_count;
    struct tsmfs_place real;
    bool alone; /* mounts are in a namespace of this process */
    int listener;
    bool own_socket; /* not the service manager's */
    bool had_nv;     /* the state says that there is a store */
    bool pid_written;
};

static bool fail(const char *what)
{
    serve_log(SERVE_ERROR, "%s", what);
    return false;
}

static bool fail_errno(const char *what, int err)
{
    serve_log(SERVE_ERROR, "%s: %s", what, strerror(-err));
    return false;
}

/* --- who it runs as --- */

static bool find_users(struct daemon *d)
{
    char error[SANDBOX_ERROR_SIZE] = "";
    uid_t nobody = 0;

    d->started_by = geteuid();
    d->uid = geteuid();
    d->gid = getegid();
    if (sandbox_lookup(d->o.user, d->o.group, &d->uid, &d->gid, error) != 0) {
        return fail(error);
    }
    if ((d->o.user != NULL || d->o.group != NULL) && d->started_by != 0) {
        return fail("--user and --group need root");
    }
    d->socket_gid = d->gid;
    if (sandbox_lookup(NULL, d->o.socket_group, &nobody, &d->socket_gid,
                       error) != 0) {
        return fail(error);
    }
    return true;
}

/* Files are made as the user that the daemon will be. */
static bool act_as_user(const struct daemon *d)
{
    int err = d->started_by == 0 ? sandbox_act_as(d->uid, d->gid) : 0;

    return err == 0 || fail_errno("cannot act as that user", err);
}

static bool act_as_root(const struct daemon *d)
{
    int err = d->started_by == 0 ? sandbox_act_as_root() : 0;

    return err == 0 || fail_errno("cannot act as root again", err);
}

/* --- state --- */

/* Guests without a configuration: somebody has removed it. */
static bool is_whole(struct daemon *d)
{
    char error[STATE_ERROR_SIZE] = "";
    char **names = NULL;
    size_t count = 0;

    if (d->store == NULL) {
        return true;
    }
    if (state_store_guests(d->store, &names, &count, error) != 0) {
        return fail(error);
    }
    state_names_free(names, count);
    return count == 0 || fail("the state's config is missing; it was left as "
                              "it is");
}

static bool settle(struct daemon *d)
{
    char error[STATE_ERROR_SIZE] = "";
    json_t *remembered = NULL;
    uint8_t *text = NULL;
    size_t size = 0;
    bool ok;
    int rc = -ENOENT;

    if (d->o.platform.state_dir != NULL) {
        rc = state_store_open(d->o.platform.state_dir, &d->store, error);
        if (rc == 0) {
            rc = state_store_read(d->store, STATE_CONFIG, STATE_CONFIG_NAME,
                                  &text, &size, error);
        }
        if (rc != 0 && (rc != -ENOENT || d->store == NULL)) {
            return fail(error);
        }
    }
    if (rc == -ENOENT && !is_whole(d)) {
        return false;
    }
    if (rc == 0) {
        remembered = json_loadb((const char *)text, size, 0, NULL);
        free(text);
        if (!json_is_object(json_object_get(remembered, "options"))) {
            json_decref(remembered);
            return fail("the state's configuration holds no options");
        }
        d->had_nv = json_is_true(json_object_get(remembered, "nv"));
    }
    ok = serve_options_settle(&d->o, json_object_get(remembered, "options"));
    json_decref(remembered);
    return ok;
}

/* All files are looked at before anything is changed. */
static bool check_state(struct daemon *d)
{
    uint8_t nv[PSP_NV_SIZE];
    char error[STATE_ERROR_SIZE] = "";
    int rc;

    if (d->store == NULL) {
        return true;
    }
    if (state_store_set_owner(d->store, d->p.chip.id, error) != 0) {
        return fail(error);
    }
    rc = state_store_nv_load(d->store, nv);
    psp_wipe(nv, sizeof(nv));
    if (rc == 1 && d->had_nv) {
        return fail("the state's nv is missing; it was left as it is");
    }
    return rc >= 0 || fail(state_store_nv_error(d->store));
}

static bool remember(struct daemon *d)
{
    char error[STATE_ERROR_SIZE] = "";
    json_t *kept = json_object();
    const char *name;
    json_t *value;
    char *text;
    bool ok;

    if (d->store == NULL) {
        json_decref(kept);
        return true;
    }
    json_object_foreach(d->o.settled, name, value)
    {
        if (serve_option_remembered(name)) {
            (void)json_object_set(kept, name, value);
        }
    }
    kept = json_pack("{s:o, s:b}", "options", kept, "nv",
                     (int)state_store_has_nv(d->store));
    text = json_dumps(kept, JSON_INDENT(1) | JSON_SORT_KEYS);
    ok = text != NULL &&
         state_store_write(d->store, STATE_CONFIG, STATE_CONFIG_NAME, text,
                           strlen(text), error) == 0;
    free(text);
    json_decref(kept);
    return ok || fail(error);
}

/* --- trace --- */

static ssize_t add_lines(void *cookie, const char *buf, size_t size)
{
    const char *at = buf;
    size_t left = size;

    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        size_t n = end == NULL ? left : (size_t)(end - at);

        serve_trace_add(cookie, at, n);
        n += end != NULL;
        at += n;
        left -= n;
    }
    return (ssize_t)size;
}

static bool is_followed(void *lines)
{
    return serve_trace_wanted(lines);
}

static bool open_trace(struct daemon *d)
{
    static const cookie_io_functions_t io = {.write = add_lines};

    d->lines = serve_trace_new();
    d->trace_out = d->lines == NULL ? NULL : fopencookie(d->lines, "w", io);
    if (d->trace_out == NULL) {
        return fail("out of memory");
    }
    (void)setvbuf(d->trace_out, NULL, _IOFBF, 1 << 16); /* a line at a time */
    d->trace = trace_new(d->trace_out);
    if (d->trace == NULL) {
        return fail("out of memory");
    }
    trace_when(d->trace, is_followed, d->lines);
    return true;
}

static int64_t traced(void *ctx, const struct chardev *dev, bool writable,
                      uint32_t request, uint64_t arg, struct umem *um)
{
    return trace_ioctl(ctx, dev, writable, request, arg, um);
}

/* --- platform --- */

/* There are no guests yet while the driver is loaded. */
static void certs_changed(void *ctx, const uint8_t *certs, size_t size)
{
    const struct daemon *d = ctx;

    if (d->guests != NULL) {
        serve_guests_certs_changed(d->guests, certs, size);
    }
}

static void requests_paused(void *ctx, bool paused)
{
    const struct daemon *d = ctx;

    if (d->guests != NULL) {
        serve_guests_paused(d->guests, paused);
    }
}

static bool open_platform(struct daemon *d)
{
    struct platform_nv nv = {state_store_nv_load, state_store_nv_store,
                             d->store};

    if (!platform_open_install(&d->o.platform, "serve", &d->p.install)) {
        return false;
    }
    install_chip(d->p.install, d->o.platform.profile->generation,
                 d->o.platform.chip_index, &d->p.chip);
    if (!check_state(d) || !open_trace(d)) {
        return false;
    }
    trace_sev(d->trace, &d->o.platform.sev.driver);
    d->p.certs_changed = certs_changed;
    d->p.requests_paused = requests_paused;
    d->p.hook_ctx = d;
    if (!platform_open_host(&d->p, &d->o.platform, "serve", d->trace,
                            d->store == NULL ? NULL : &nv)) {
        if (d->store != NULL && state_store_nv_error(d->store)[0] != '\0') {
            return fail(state_store_nv_error(d->store));
        }
        return false;
    }
    return true;
}

/* As the user who has named it. */
static bool load_plan(struct daemon *d)
{
    int err;

    if (d->o.faults != NULL) {
        return plan_file_load("serve", d->o.faults, &d->plan);
    }
    err = fault_plan_new(&d->plan);
    return err == 0 || fail_errno("fault plan", err);
}

/* The plan holds for what comes after the start. */
static bool open_faults(struct daemon *d)
{
    int err = faults_host_new(d->plan, d->p.m, d->trace, &d->p.faults);

    return err == 0 || fail_errno("fault plan", err);
}

static struct serve_platform describe(const struct daemon *d)
{
    return (struct serve_platform){
        .m = d->p.m,
        .ccp = d->p.ccp,
        .install = d->p.install,
        .chip = d->p.chip,
        .reported_tcb = platform_reported_tcb(&d->o.platform),
        .vlek = d->o.platform.vlek,
        .store = d->store,
        .max_guests = d->o.max_guests,
        .faults = d->p.faults,
        .vm_handle = d->o.platform.sev.vm_handle,
    };
}

static bool open_guests(struct daemon *d)
{
    struct serve_platform platform = describe(d);
    char error[SERVE_ERROR_SIZE] = "";
    int err = serve_guests_new(&platform, &d->guests);

    psp_wipe(&platform, sizeof(platform));
    if (err != 0) {
        return fail_errno("guests", err);
    }
    if (serve_guests_relaunch(d->guests, error) != 0) {
        return fail(error);
    }
    fault_host_start(d->p.faults);
    return true;
}

/* --- sockets and files --- */

static bool open_socket(struct daemon *d)
{
    char error[SERVE_ERROR_SIZE] = "";

    d->listener = serve_listen_fd();
    if (d->listener == -EINVAL) {
        return fail("the service manager has handed over something else than "
                    "one listening unix socket");
    }
    if (d->listener >= 0) {
        return true;
    }
    d->listener = serve_listen(d->o.socket, d->o.socket_mode, d->uid,
                               d->socket_gid, error);
    d->own_socket = d->listener >= 0;
    if (!d->own_socket) {
        return fail(error);
    }
    sandbox_janitor_owns(&d->janitor, LEFT_SOCKET);
    return true;
}

static bool write_pid(struct daemon *d)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    int fd;

    if (d->o.pid_file == NULL) {
        return true;
    }
    fd = open(d->o.pid_file,
              O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    d->pid_written = fd >= 0 && write(fd, text, (size_t)n) == n;
    if (!d->pid_written) {
        fail_errno(d->o.pid_file, -errno);
    } else {
        sandbox_janitor_owns(&d->janitor, LEFT_PID_FILE);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return d->pid_written;
}

static bool has_mounts(const struct daemon *d)
{
    return d->o.mounts.fuse_count > 0 || d->o.mounts.tsm_count > 0;
}

static bool prepare_mounts(struct daemon *d)
{
    char error[SERVE_ERROR_SIZE] = "";

    if (serve_devices_prepare(&d->o.mounts, d->o.force, &d->real, &d->alone,
                              error) != 0) {
        return fail(error);
    }
    if (d->alone) {
        serve_log(SERVE_WARNING,
                  "nothing can be mounted for others to see; programs get to "
                  "the mounts by: nsenter -t %d -U --preserve-credentials -m",
                  (int)getpid());
    }
    return true;
}

static bool open_devices(struct daemon *d)
{
    struct serve_devices_config config = {
        .guests = d->guests,
        .guest = d->o.device_guest,
        .sev = ccp_chardev(d->p.ccp),
        .traced = traced,
        .traced_ctx = d->trace,
        .cuse = d->o.cuse,
        .mounts = d->o.mounts,
        .real = d->real,
        .force = d->o.force,
        .mode = d->o.node_mode,
        .uid = d->uid,
        .gid = d->gid,
    };
    char error[SERVE_ERROR_SIZE] = "";

    if (!config.cuse && !has_mounts(d)) {
        return true;
    }
    if (serve_devices_start(&config, &d->devices, error) != 0) {
        return fail(error);
    }
    if (serve_devices_hides(d->devices, "sev")) {
        sandbox_janitor_owns(&d->janitor, LEFT_SEV);
    }
    if (serve_devices_hides(d->devices, "sev-guest")) {
        sandbox_janitor_owns(&d->janitor, LEFT_SEV_GUEST);
    }
    return true;
}

static bool drops_root(const struct daemon *d)
{
    return d->started_by == 0 && (d->o.user != NULL || d->o.group != NULL);
}

static void leave_mount(struct daemon *d, const char *path)
{
    d->leftovers[d->leftover_count++] = (struct sandbox_leftover){
        LEFTOVER_FUSE, path == NULL ? d->real.path : path};
}

/* In the order of enum leftover. */
static void list_leftovers(struct daemon *d)
{
    const struct serve_mounts *m = &d->o.mounts;

    d->leftovers[LEFT_SOCKET] =
        (struct sandbox_leftover){LEFTOVER_FILE, d->o.socket};
    d->leftovers[LEFT_PID_FILE] =
        (struct sandbox_leftover){LEFTOVER_FILE, d->o.pid_file};
    d->leftovers[LEFT_SEV] =
        (struct sandbox_leftover){LEFTOVER_MOUNT, "/dev/sev"};
    d->leftovers[LEFT_SEV_GUEST] =
        (struct sandbox_leftover){LEFTOVER_MOUNT, "/dev/sev-guest"};
    d->leftover_count = LEFT_FIRST_MOUNT;
    for (size_t i = 0; i < m->fuse_count; i++) {
        leave_mount(d, m->fuse[i].path);
    }
    for (size_t i = 0; i < m->tsm_count; i++) {
        leave_mount(d, m->tsm[i].path);
    }
    d->leftovers[d->leftover_count] =
        (struct sandbox_leftover){LEFTOVER_MOUNT, d->real.cover};
}

/* Before there is a second thread. What is mounted later is dead when the
 * janitor works, or not ours; a cover is there already. */
static bool start_janitor(struct daemon *d)
{
    int err;

    if (d->started_by != 0 ||
        (!drops_root(d) && !d->o.cuse && !has_mounts(d))) {
        return true;
    }
    list_leftovers(d);
    err =
        sandbox_janitor_start(&d->janitor, d->leftovers, d->leftover_count + 1);
    if (err != 0) {
        return fail_errno("cannot start the janitor", err);
    }
    for (size_t i = LEFT_FIRST_MOUNT; i < d->leftover_count; i++) {
        sandbox_janitor_owns(&d->janitor, i);
    }
    if (d->real.cover != NULL) {
        sandbox_janitor_owns(&d->janitor, d->leftover_count);
    }
    return true;
}

static bool lock_down(const struct daemon *d)
{
    int err = 0;

    if (drops_root(d)) {
        err = sandbox_drop(d->uid, d->gid);
    }
    if (err != 0) {
        return fail_errno("cannot give up root", err);
    }
    err = sandbox_enter((d->devices != NULL ? SANDBOX_FUSE : 0) | LEAK_CHECK);
    return err == 0 || fail_errno("cannot enter the sandbox", err);
}

/* --- life --- */

static bool start(struct daemon *d)
{
    d->notify = serve_notify_open();
    if (d->notify < -1) {
        serve_log(SERVE_WARNING, "NOTIFY_SOCKET: %s", strerror(-d->notify));
    }
    d->signals = serve_signals();
    if (d->signals < 0) {
        return fail_errno("signals", d->signals);
    }
    return load_plan(d) && find_users(d) && act_as_user(d) && settle(d) &&
           open_platform(d) && remember(d) && open_faults(d) &&
           open_guests(d) && act_as_root(d) && prepare_mounts(d) &&
           start_janitor(d) && open_devices(d) && open_socket(d) &&
           write_pid(d) && lock_down(d);
}

static void ready(void *ctx)
{
    struct daemon *d = ctx;
    char text[256];
    size_t count = serve_guests_count(d->guests);

    (void)snprintf(text, sizeof(text),
                   "READY=1\nMAINPID=%d\nSTATUS=%s platform, %zu guests",
                   (int)getpid(), d->o.platform.profile->name, count);
    serve_notify(d->notify, text);
    serve_log(SERVE_INFO, "ready: %s platform, %zu guests, socket %s",
              d->o.platform.profile->name, count,
              d->own_socket ? d->o.socket : "from the service manager");
    if (install_is_insecure(d->p.install)) {
        serve_log(SERVE_WARNING,
                  "the seed is public: everybody has this platform's keys");
    }
}

static bool serve(struct daemon *d)
{
    struct serve_config config = {
        .platform = describe(d),
        .guests = d->guests,
        .sev = ccp_chardev(d->p.ccp),
        .faults = d->plan,
        .trace = d->lines,
        .traced = traced,
        .traced_ctx = d->trace,
        .listener = d->listener,
        .owner = d->started_by,
        .group_en = d->o.socket_group != NULL,
        .group = d->socket_gid,
        .anybody = (d->o.socket_mode & 0006) == 0006,
        .insecure = install_is_insecure(d->p.install),
        .ready = ready,
        .ctx = d,
    };
    int err = serve_run(&config, d->signals);

    psp_wipe(&config, sizeof(config));
    serve_notify(d->notify, "STOPPING=1");
    return err == 0 || fail_errno("the loop has failed", err);
}

/* What cannot be removed, the janitor will, if there is one. */
static void remove_file(const struct daemon *d, const char *path,
                        enum leftover what)
{
    if (unlink(path) == 0) {
        sandbox_janitor_gone(&d->janitor, what);
    } else if (d->janitor.pid == 0) {
        serve_log(SERVE_WARNING, "%s stays: %s", path, strerror(errno));
    }
}

/* What was unmounted with the rights that it takes is not the janitor's. */
static void leave_places(const struct daemon *d)
{
    if (!drops_root(d)) {
        tsmfs_place_leave(&d->real);
        for (size_t i = LEFT_SEV; i <= d->leftover_count; i++) {
            sandbox_janitor_gone(&d->janitor, i);
        }
    }
}

static void stop(struct daemon *d)
{
    if (d->own_socket) {
        remove_file(d, d->o.socket, LEFT_SOCKET);
    }
    serve_devices_stop(d->devices);
    leave_places(d);
    if (d->p.faults != NULL) {
        machine_set_faults(d->p.m, NULL); /* the end is no event */
    }
    serve_guests_free(d->guests);
    platform_close(&d->p);
    fault_plan_free(d->plan);
    trace_free(d->trace);
    if (d->trace_out != NULL) {
        (void)fclose(d->trace_out);
    }
    serve_trace_free(d->lines);
    state_store_close(d->store);
    if (d->pid_written) {
        remove_file(d, d->o.pid_file, LEFT_PID_FILE);
    }
    sandbox_janitor_finish(&d->janitor);
    if (d->listener >= 0) {
        (void)close(d->listener);
    }
    if (d->notify >= 0) {
        (void)close(d->notify);
    }
    serve_options_clear(&d->o);
}

int cmd_serve(int argc, char **argv)
{
    struct daemon d;
    int status;

    memset(&d, 0, sizeof(d));
    d.listener = d.notify = d.signals = -1;
    status = serve_options_parse(&d.o, argc, argv);
    if (status < 0) {
        serve_log_level((enum serve_level)d.o.log_level);
        status = start(&d) && serve(&d) ? EXIT_OK : EXIT_USAGE;
    }
    stop(&d);
    return status;
}
