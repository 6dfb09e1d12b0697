/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_file.h"
#include "aeb_options.h"
#include "commands.h"
#include "parse.h"
#include "plan_file.h"
#include "platform.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG  1024
#define ROOT_MAX 0x10000u
/* Descriptors beside those of connections: refused ones on their way out, the
 * device and the key server for each worker, the process itself. */
#define OTHER_FDS 256u
#define END_SECS  1u

struct session {
    struct aeb_options o;
    struct install *install; /* NULL with a key server */
    struct kds *kds;
    struct fault_plan *plan;
    struct aeb_faults *faults;
    struct aeb_registry *registry;
    char names[AEB_ROWS_MAX][AEB_GUEST_NAME_SIZE]; /* of rows with handles */
    struct aeb_trust *trust;                       /* for https */
    struct aeb_file *file;
    struct aeb_cek *cek;
    struct aeb_broker *broker;
    struct ttrpc_server *server;
    uint8_t *root;
    size_t root_size;
    size_t listening;                 /* of the addresses in o */
    struct stat path[AEB_LISTEN_MAX]; /* what was made there */
};

/* For the signal handler. */
static struct ttrpc_server *stopped;

static void on_signal(int sig)
{
    (void)sig;
    ttrpc_server_stop(stopped);
}

/* A thread of ours is in a device that does not answer. */
static void on_alarm(int sig)
{
    (void)sig;
    _exit(EXIT_OK);
}

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "swpsp aeb: %s: %s\n", what, why);
    return false;
}

/* Called by the thread that serves everybody: a log that nobody reads loses
 * lines, and holds nobody up. A pipe that can be written to takes a line. */
static void log_line(void *ctx, const char *line)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    char text[512];
    int n = snprintf(text, sizeof(text), "swpsp aeb: %s\n", line);

    (void)ctx;
    pthread_mutex_lock(&lock);
    if (n > 0 && (size_t)n < sizeof(text) && poll(&p, 1, 0) == 1 &&
        (p.revents & POLLOUT) != 0) {
        (void)!write(STDERR_FILENO, text, (size_t)n);
    }
    pthread_mutex_unlock(&lock);
}

/* ASK and ARK of the platform, as the key server has them. */
static bool own_root(struct session *s)
{
    struct kds_answer answer;
    char path[64];
    const char *name = psp_generation_name(s->o.platform.profile->generation);
    bool ok;

    snprintf(path, sizeof(path), "/developer/eula/sev/ask_ark_%s.cert", name);
    for (char *p = path; *p != '\0'; p++) {
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    }
    kds_answer(s->kds,
               &(struct kds_ask){
                   .method = "GET", .path = path, .now = (uint64_t)time(NULL)},
               &answer);
    ok = answer.status == 200;
    if (ok) {
        s->root = answer.body;
        s->root_size = answer.size;
        answer.body = NULL;
        answer.size = 0;
    }
    kds_answer_clear(&answer);
    return ok || complain(path, "this installation has none");
}

static bool open_root(struct session *s)
{
    if (s->o.root_path == NULL) {
        return s->o.have_url || own_root(s);
    }
    s->root = parse_file(s->o.root_path, ROOT_MAX, &s->root_size);
    return s->root != NULL || complain(s->o.root_path, strerror(errno));
}

static bool open_trust(struct session *s)
{
    char why[AEB_WHY_NET];

    return !s->o.url.tls || aeb_trust_open(s->o.ca_path, &s->trust, why) == 0 ||
           complain(s->o.ca_path != NULL ? s->o.ca_path : "system", why);
}

static bool open_kds(struct session *s)
{
    if (s->o.have_url) {
        return open_trust(s);
    }
    if (!platform_open_install(&s->o.platform, "aeb", &s->install)) {
        return false;
    }
    const struct kds_config config = {
        .seed = install_seed(s->install),
        .naming = install_naming(s->install),
        .store = install_key_store(s->install),
        .chip_count = 1024,
        .csp_id = install_csp_id(s->install),
    };
    if (install_is_insecure(s->install)) {
        fprintf(stderr, "swpsp aeb: INSECURE: everybody has the keys of the "
                        "development seed\n");
    }
    return kds_open(&config, &s->kds) == PSP_OK ||
           complain("keys", "out of memory");
}

/* A handle that the map names is the guest's that has it now, and nobody's when
 * that guest is gone. */
static bool pin(struct session *s, size_t i)
{
    struct aeb_peer_row *row = &s->o.rows[i];
    struct aeb_guest guest;
    char what[64];
    int err = aeb_registry_find(s->registry, row->handle, s->names[i], &guest);

    if (err != 0) {
        snprintf(what, sizeof(what), "--registry: handle %u",
                 (unsigned int)row->handle);
        return complain(what,
                        err == -ENOENT ? "no guest has it" : strerror(-err));
    }
    row->guest = s->names[i];
    row->generation = guest.generation;
    return true;
}

static bool open_registry(struct session *s)
{
    char error[AEB_REGISTRY_ERROR];

    if (s->o.registry == NULL) {
        return true;
    }
    if (aeb_registry_open(s->o.registry, &s->registry, error) != 0) {
        return complain("--registry", error);
    }
    for (size_t i = 0; i < s->o.row_count; i++) {
        if (s->o.rows[i].guest == NULL && !pin(s, i)) {
            return false;
        }
    }
    s->o.broker.registry = s->registry;
    return true;
}

static void log_fault(void *ctx, const char *line)
{
    char text[FAULT_LINE_SIZE + 8];

    snprintf(text, sizeof(text), "fault %s", line);
    log_line(ctx, text);
}

static bool open_faults(struct session *s)
{
    if (s->o.faults == NULL) {
        return true;
    }
    if (!plan_file_load("aeb", s->o.faults, &s->plan)) {
        return false;
    }
    if (aeb_faults_new(s->plan, log_fault, NULL, &s->faults) != 0) {
        return complain("--faults", "out of memory");
    }
    s->o.broker.faults = s->faults;
    return true;
}

static bool open_broker(struct session *s)
{
    const struct aeb_cek_config cek = {
        .url = s->o.have_url ? &s->o.url : NULL,
        .trust = s->trust,
        .local = s->kds,
        .total_ms = (int)s->o.kds_secs * 1000,
        .log = log_line,
    };
    struct aeb_broker_config *b = &s->o.broker;
    struct ttrpc_server_config *server = &s->o.server;

    b->root = s->root;
    b->root_size = s->root_size;
    b->log = log_line;
    if (aeb_file_new(s->o.device, &s->file) != 0 ||
        aeb_cek_open(&cek, &s->cek) != 0) {
        return complain("start", "out of memory");
    }
    b->device = aeb_file_device(s->file);
    b->cek = s->cek;
    if (aeb_broker_open(b, &s->broker) != 0) {
        return complain("start", "out of memory");
    }
    server->services = AEB_SERVICES;
    server->service_count = AEB_SERVICE_COUNT;
    server->methods = s->registry != NULL || s->faults != NULL
                          ? AEB_SLOW_METHODS
                          : AEB_METHODS;
    server->method_count = AEB_METHOD_COUNT;
    server->ctx = s->broker;
    return ttrpc_server_open(server, &s->server) == 0 ||
           complain("start", "cannot start the server");
}

static bool has_path(const struct ttrpc_addr *a)
{
    return a->family == AF_UNIX && !a->abstract;
}

/* The time too: a number that is free is given again. */
static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Nobody shall find a path that leads nowhere; who has come after us has a
 * socket of their own there. */
static void remove_paths(const struct session *s)
{
    for (size_t i = 0; i < s->listening; i++) {
        const struct ttrpc_addr *a = &s->o.listen[i];
        struct stat now;

        if (has_path(a) && lstat(a->name, &now) == 0 &&
            is_same(&now, &s->path[i])) {
            (void)remove(a->name);
        }
    }
}

static bool listen_all(struct session *s)
{
    char text[TTRPC_ADDR_TEXT];

    for (size_t i = 0; i < s->o.listen_count; i++) {
        int fd = ttrpc_addr_listen(&s->o.listen[i], BACKLOG);
        int err = fd < 0 ? fd : ttrpc_server_listen(s->server, fd, i);

        ttrpc_addr_print(&s->o.listen[i], text);
        if (err != 0) {
            return complain(text, strerror(-err));
        }
        if (has_path(&s->o.listen[i])) {
            (void)lstat(s->o.listen[i].name, &s->path[i]);
        }
        s->listening++;
        printf("listening on %s\n", text);
    }
    return fflush(stdout) == 0 || complain("stdout", strerror(errno));
}

/* A connection that cannot be accepted would wait for ever. */
static bool make_room(struct ttrpc_server_config *server)
{
    bool asked = server->max_connections != 0;
    size_t want = asked ? server->max_connections : TTRPC_CONNECTIONS;
    struct rlimit r;
    char text[96];

    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == RLIM_INFINITY) {
        return true;
    }
    if (r.rlim_cur < want + OTHER_FDS && r.rlim_cur < r.rlim_max) {
        r.rlim_cur =
            r.rlim_max < want + OTHER_FDS ? r.rlim_max : want + OTHER_FDS;
        (void)setrlimit(RLIMIT_NOFILE, &r);
        (void)getrlimit(RLIMIT_NOFILE, &r);
    }
    if (r.rlim_cur >= want + OTHER_FDS) {
        return true;
    }
    snprintf(text, sizeof(text), "this process may have %llu descriptors only",
             (unsigned long long)r.rlim_cur);
    if (asked || r.rlim_cur < 2 * OTHER_FDS) {
        return complain("--max-connections", text);
    }
    server->max_connections = (size_t)r.rlim_cur - OTHER_FDS;
    fprintf(stderr, "swpsp aeb: %zu connections: %s\n", server->max_connections,
            text);
    return true;
}

/* The server has had its time to end well; what still hangs is not waited for.
 */
static void end_soon(void)
{
    struct sigaction act = {.sa_handler = on_alarm};

    sigemptyset(&act.sa_mask);
    sigaction(SIGALRM, &act, NULL);
    (void)alarm(END_SECS);
}

/* What ends a broker. A hang-up does not under nohup. */
static void end_with(const struct sigaction *act)
{
    struct sigaction old;

    sigaction(SIGINT, act, NULL);
    sigaction(SIGTERM, act, NULL);
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
        sigaction(SIGHUP, act, NULL);
    }
}

static int serve(struct session *s)
{
    struct sigaction act = {.sa_handler = on_signal};
    int err;

    sigemptyset(&act.sa_mask);
    stopped = s->server;
    (void)signal(SIGPIPE, SIG_IGN);
    end_with(&act);
    err = listen_all(s) ? ttrpc_server_run(s->server) : 1;
    if (err < 0) {
        (void)complain("server", strerror(-err));
    }
    remove_paths(s);
    if (err == 0) {
        end_soon();
    }
    return err == 0 ? EXIT_OK : EXIT_USAGE;
}

static void session_close(struct session *s)
{
    struct sigaction act = {.sa_handler = SIG_DFL};

    sigemptyset(&act.sa_mask);
    end_with(&act);
    stopped = NULL;
    ttrpc_server_close(s->server);
    aeb_broker_close(s->broker);
    aeb_registry_close(s->registry);
    aeb_faults_free(s->faults);
    fault_plan_free(s->plan);
    aeb_cek_close(s->cek);
    aeb_file_free(s->file);
    aeb_trust_close(s->trust);
    kds_close(s->kds);
    install_close(s->install);
    free(s->root);
    free(s);
    (void)alarm(0);
}

int cmd_aeb(int argc, char **argv)
{
    struct session *s = calloc(1, sizeof(*s));
    int status = EXIT_USAGE;

    if (s == NULL) {
        fprintf(stderr, "swpsp aeb: out of memory\n");
        return EXIT_USAGE;
    }
    if (aeb_options_parse(&s->o, argc, argv)) {
        if (s->o.help) {
            fputs(AEB_HELP, stdout);
            status = EXIT_OK;
        } else if (make_room(&s->o.server) && open_faults(s) && open_kds(s) &&
                   open_root(s) && open_registry(s) && open_broker(s)) {
            status = serve(s);
        }
    }
    session_close(s);
    return status;
}
