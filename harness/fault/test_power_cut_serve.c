/* SPDX-License-Identifier: Apache-2.0 */
/* The power goes at every write, fsync, rename, unlink and mkdir of a whole
 * life of the real `swpsp serve`: first start, start on what is there, guests,
 * keys, other options, shutdown. The daemon is recorded by a tracer (tracer.h);
 * from each state that the disk could be in (disk.h) the daemon is started
 * again: it never refuses, it has what was acknowledged, and of the operation
 * that was under way all or nothing. */
#include "control_client.h"
#include "disk.h"
#include "ccp.h"
#include "inproc.h"
#include "owner.h"
#include "tracer.h"
#include "tst.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/psp-sev.h>
#include <openssl/sha.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE      512
#define STEPS_MAX 12u
#define CERT_SIZE 0x824u
#define START_MS  20000u

static char *dir;
static size_t total_states, total_calls;

struct step {
    const char *name;
    void (*act)(const char *socket, const char *argument);
    const char *argument;
};

struct life {
    const char *name;
    const char *first; /* option of the daemon that made the state; "": none */
    const char *then;  /* of the one that is recorded */
    size_t calls_min;  /* so that a test that sees nothing fails */
    bool from_nothing;
    bool keys; /* compared as well: nothing draws new ones by itself */
    struct step steps[STEPS_MAX];
};

/* What a daemon says of itself after a step, and the calls until then. */
struct mark {
    size_t begun, done;
    char said[LINE];
};

struct session {
    const struct life *life;
    struct mark marks[STEPS_MAX + 1];
    size_t count;
};

/* --- a daemon --- */

static void path_of(char out[PATH_MAX], const char *name)
{
    (void)snprintf(out, PATH_MAX, "%s/%s", dir, name);
}

struct arguments {
    char program[PATH_MAX], seed[PATH_MAX], socket[PATH_MAX];
    const char *argv[14];
};

static void arguments_of(struct arguments *a, const char *state,
                         const char *option)
{
    const char *build = getenv("SWPSP_BUILD");
    size_t n = 0;

    assert_true(snprintf(a->program, PATH_MAX, "%s/bin/swpsp",
                         build == NULL ? "build/debug" : build) < PATH_MAX);
    path_of(a->seed, "seed");
    path_of(a->socket, "socket");
    a->argv[n++] = a->program;
    a->argv[n++] = "serve";
    a->argv[n++] = "--state";
    a->argv[n++] = state;
    a->argv[n++] = "--seed-file";
    a->argv[n++] = a->seed;
    a->argv[n++] = "--socket";
    a->argv[n++] = a->socket;
    a->argv[n++] = "--log-level";
    a->argv[n++] = "error";
    if (option[0] != '\0') {
        a->argv[n++] = option;
    }
    a->argv[n] = NULL;
}

static pid_t start_untraced(const char *const argv[])
{
    char log[PATH_MAX];
    pid_t pid;

    path_of(log, "log");
    pid = fork();
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(fd, STDERR_FILENO);
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static void pause_ms(void)
{
    const struct timespec t = {.tv_nsec = 1000000};

    (void)nanosleep(&t, NULL);
}

static bool answers(const char *socket)
{
    char error[CONTROL_ERROR_SIZE];
    struct control_client c;

    if (control_connect(&c, socket, error) != 0) {
        return false;
    }
    control_disconnect(&c);
    return true;
}

static void refuses(const char *what)
{
    char log[PATH_MAX];
    size_t size = 0;
    uint8_t *text;

    path_of(log, "log");
    text = tst_file(log, &size);
    fail_msg("%s: %.*s", what, (int)size, (const char *)text);
}

/* @pid: 0 when another thread waits for it. */
static void wait_until_up(const char *socket, pid_t pid)
{
    for (unsigned int i = 0; i < START_MS && !answers(socket); i++) {
        if (pid != 0 && waitpid(pid, NULL, WNOHANG) != 0) {
            refuses("the daemon refuses the state");
        }
        assert_true(i + 1 < START_MS);
        pause_ms();
    }
}

static void stop_untraced(pid_t pid)
{
    int status = 0;

    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0) {
        refuses("the daemon did not end well");
    }
}

/* --- talking to it --- */

static json_t *ask(const char *socket, json_t *request)
{
    char error[CONTROL_ERROR_SIZE] = "";
    struct control_client c;
    json_t *result = NULL;

    if (control_connect(&c, socket, error) != 0 ||
        control_call(&c, request, &result, error) != 0) {
        fail_msg("control socket: %s", error);
    }
    control_disconnect(&c);
    return result;
}

static struct control_device *open_host(const char *socket, struct chardev *dev)
{
    char error[CONTROL_ERROR_SIZE] = "";
    struct control_device *d = NULL;

    if (control_device_open(socket, "host", &d, error) != 0) {
        fail_msg("/dev/sev: %s", error);
    }
    *dev = control_device_chardev(d);
    return d;
}

static void say_keys(const char *socket, char *line, size_t room)
{
    static uint8_t certs[4 * CERT_SIZE]; /* PDH; PEK, OCA, CEK */
    uint8_t digest[SHA256_DIGEST_LENGTH];
    struct sev_user_data_pdh_cert_export io = {
        .pdh_cert_address = (uintptr_t)certs,
        .pdh_cert_len = CERT_SIZE,
        .cert_chain_address = (uintptr_t)certs + CERT_SIZE,
        .cert_chain_len = 3 * CERT_SIZE,
    };
    struct chardev dev;
    struct control_device *d = open_host(socket, &dev);

    owner_issue(&dev, CCP_PDH_CERT_EXPORT, &io);
    control_device_close(d);
    SHA256(certs, sizeof(certs), digest);
    (void)snprintf(line, room, " keys %02x%02x%02x%02x", digest[0], digest[1],
                   digest[2], digest[3]);
}

static void describe(const char *socket, bool keys, char line[LINE])
{
    json_t *status = ask(socket, json_pack("{s:s}", "op", "status"));
    json_t *list = ask(socket, json_pack("{s:s}", "op", "guest.list"));
    size_t i, at;
    json_t *g;

    (void)snprintf(line, LINE, "%d ASIDs;",
                   (int)json_integer_value(json_object_get(status, "asids")));
    json_array_foreach(json_object_get(list, "guests"), i, g)
    {
        at = strlen(line);
        (void)snprintf(line + at, LINE - at, " %s %s %s",
                       json_string_value(json_object_get(g, "kind")),
                       json_string_value(json_object_get(g, "name")),
                       json_string_value(json_object_get(g, "state")));
    }
    json_decref(list);
    json_decref(status);
    at = strlen(line);
    if (keys) {
        say_keys(socket, line + at, LINE - at);
    }
}

/* --- steps --- */

static void look(const char *socket, const char *argument)
{
    (void)argument;
    json_decref(ask(socket, json_pack("{s:s}", "op", "status")));
}

static void launch(const char *socket, const char *name)
{
    json_decref(ask(socket, json_pack("{s:s, s:{s:s}}", "op", "guest.launch",
                                      "guest", "name", name)));
}

static void launch_legacy(const char *socket, const char *name)
{
    json_decref(
        ask(socket, json_pack("{s:s, s:{s:s, s:s}}", "op", "guest.launch",
                              "guest", "name", name, "kind", "legacy")));
}

static void stop(const char *socket, const char *name)
{
    json_decref(ask(
        socket, json_pack("{s:s, s:s}", "op", "guest.stop", "guest", name)));
}

static void issue(const char *socket, uint32_t number, void *data)
{
    struct chardev dev;
    struct control_device *d = open_host(socket, &dev);

    owner_issue(&dev, number, data);
    control_device_close(d);
}

static void pdh_gen(const char *socket, const char *argument)
{
    (void)argument;
    issue(socket, CCP_PDH_GEN, NULL);
}

static void pek_gen(const char *socket, const char *argument)
{
    (void)argument;
    issue(socket, CCP_PEK_GEN, NULL);
}

static void factory_reset(const char *socket, const char *argument)
{
    (void)argument;
    issue(socket, CCP_FACTORY_RESET, NULL);
}

static void set_config(const char *socket, const char *argument)
{
    uint8_t config[0x40] = {[8] = 1}; /* MASK_CHIP_ID */

    (void)argument;
    issue(socket, CCP_SNP_SET_CONFIG, config);
}

static void import(const char *socket, const char *argument)
{
    struct chardev dev;
    struct control_device *d = open_host(socket, &dev);

    (void)argument;
    owner_import(&dev, dir);
    control_device_close(d);
}

static const struct life LIVES[] = {
    {"first_start", "", "", 15, true, true, {{"look", look, ""}}},
    {"guests",
     "",
     "",
     15,
     false,
     true,
     {{"launch", launch, "api"},
      {"stop", stop, "web"},
      {"launch_legacy", launch_legacy, "old"},
      {"stop_legacy", stop, "old"}}},
    {"keys",
     "",
     "",
     15,
     false,
     true,
     {{"pdh_gen", pdh_gen, ""},
      {"set_config", set_config, ""},
      {"pek_gen", pek_gen, ""},
      {"pek_cert_import", import, ""}}},
    {"factory_reset",
     "",
     "",
     15,
     false,
     false,
     {{"factory_reset", factory_reset, ""}, {"launch", launch, "api"}}},
    {"other_options", "", "--asids=600", 5, false, true, {{"look", look, ""}}},
    {"forgotten_options",
     "--asids=600",
     "--forget-options",
     5,
     false,
     true,
     {{"look", look, ""}}},
};
#define LIFE_COUNT (sizeof(LIVES) / sizeof(LIVES[0]))

/* --- a life --- */

/* What a daemon finds that is started again. */
static void observe(void *ctx, const char *state, char *line, size_t size)
{
    struct session *s = ctx;
    struct arguments a;
    pid_t pid;

    assert_true(size >= LINE);
    arguments_of(&a, state, "");
    pid = start_untraced(a.argv);
    wait_until_up(a.socket, pid);
    describe(a.socket, s->life->keys, line);
    stop_untraced(pid);
}

/* What a daemon that was killed long ago has left behind. */
static void leave_behind(const char *state, const char *name)
{
    const struct timespec old[2] = {{.tv_sec = 1000000000},
                                    {.tv_sec = 1000000000}};
    char path[PATH_MAX];

    assert_true(snprintf(path, PATH_MAX, "%s/%s", state, name) < PATH_MAX);
    tst_write_file(path, "half", 4);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

static void prepare(struct session *s, const char *state)
{
    struct arguments a;
    pid_t pid;

    arguments_of(&a, state, s->life->first);
    pid = start_untraced(a.argv);
    wait_until_up(a.socket, pid);
    launch(a.socket, "db");
    launch(a.socket, "web");
    stop_untraced(pid);
    observe(s, state, s->marks[0].said, LINE);
    leave_behind(state, "platform/nv.tmp-0badcafe");
    leave_behind(state, "platform/guests/web.tmp-removed");
}

static void note(struct session *s, struct tracer *t, const char *socket,
                 size_t begun)
{
    struct mark *m = &s->marks[++s->count];

    describe(socket, s->life->keys, m->said);
    m->begun = begun;
    m->done = atomic_load(&t->calls);
}

static void live(struct session *s, const char *state)
{
    struct arguments a;
    struct tracer t;

    arguments_of(&a, state, s->life->then);
    tracer_start(&t, a.argv);
    wait_until_up(a.socket, 0);
    note(s, &t, a.socket, 0);
    for (size_t i = 0; i < STEPS_MAX && s->life->steps[i].act != NULL; i++) {
        const struct step *step = &s->life->steps[i];
        size_t begun = atomic_load(&t.calls);

        step->act(a.socket, step->argument);
        note(s, &t, a.socket, begun);
    }
    json_decref(ask(a.socket, json_pack("{s:s}", "op", "shutdown")));
    assert_int_equal(tracer_join(&t), 0);
}

/* @line is what one of the steps has left that were done or under way after
 * @calls calls. marks[0] is what was there, marks[1] what the start makes. */
static void judge(void *ctx, size_t calls, const char *line)
{
    const struct session *s = ctx;
    size_t done = 0, last = 0;

    for (size_t i = 1; i <= s->count; i++) {
        done = s->marks[i].done <= calls ? i : done;
        last = s->marks[i].begun < calls || done == i ? i : last;
    }
    for (size_t i = done; i <= last; i++) {
        if (strcmp(line, s->marks[i].said) == 0) {
            return;
        }
    }
    fail_msg("after call %zu: %s\nstep %zu: %s\nstep %zu: %s", calls, line,
             done, s->marks[done].said, last, s->marks[last].said);
}

static void test_life(void **state)
{
    struct session s = {.life = *state};
    char root[PATH_MAX], built[PATH_MAX];
    size_t states;

    if (!tracer_allowed()) {
        skip();
    }
    path_of(root, "live");
    path_of(built, "built");
    assert_int_equal(mkdir(root, 0700), 0);
    if (s.life->from_nothing) {
        observe(&s, root, s.marks[0].said, LINE);
        path_of(root, "nothing");
        assert_int_equal(mkdir(root, 0700), 0);
    } else {
        prepare(&s, root);
    }
    disk_record(root);
    live(&s, root);
    disk_stop();
    assert_in_range(disk_calls(), s.life->calls_min, 1000);
    states = disk_each_cut(built, observe, judge, &s);
    printf("%s: %zu calls, %zu states\n", s.life->name, disk_calls(), states);
    total_calls += disk_calls();
    total_states += states;
}

static int setup(void **state)
{
    char seed[PATH_MAX];
    static const char text[32] = "swpsp public development seed";

    (void)state;
    /* Real syncs of hundreds of states are the disk's time, not ours. */
    if (access("/dev/shm", W_OK) == 0) {
        (void)setenv("TMPDIR", "/dev/shm", 0);
    }
    dir = tst_mkdtemp();
    path_of(seed, "seed");
    tst_write_file(seed, text, sizeof(text));
    return chmod(seed, 0600);
}

static int teardown(void **state)
{
    (void)state;
    tst_rmdir(dir);
    return 0;
}

static int say_totals(void **state)
{
    (void)state;
    printf("power cuts of a whole daemon: %zu calls, %zu different states\n",
           total_calls, total_states);
    return 0;
}

int main(void)
{
    static struct CMUnitTest tests[LIFE_COUNT];
    static char names[LIFE_COUNT][80];

    for (size_t i = 0; i < LIFE_COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]),
                       "%s__power_cut_at_every_call__old_or_new",
                       LIVES[i].name);
        tests[i] = (struct CMUnitTest){names[i], test_life, setup, teardown,
                                       (void *)(uintptr_t)&LIVES[i]};
    }
    return cmocka_run_group_tests(tests, NULL, say_totals);
}
