/* SPDX-License-Identifier: Apache-2.0 */
/* 64 clients of one daemon, in this process so that a leak of either end is
 * found when it ends: they open the device and ask for reports, over and over.
 * What is resident does not grow. With FULL=1 ten times as much. */
#include "control_client.h"
#include "inproc.h"
#include "install.h"
#include "pki.h"
#include "serve.h"
#include "serve_guests.h"
#include "tst.h"

#include <limits.h>
#include <linux/sev-guest.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CLIENTS 64u
/* The sanitizer keeps its own books. */
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_KIB_MAX 16384
#else
#define GROWTH_KIB_MAX 4096
#endif
#define DATA_AT (32u + 0x50u)

/* What was freed would count as resident. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=0:thread_local_quarantine_size_kb=0";
}

static struct {
    char *dir;
    char socket[PATH_MAX];
    struct install *install;
    struct machine *m;
    struct serve_guests *guests;
    struct serve_trace *trace;
    struct serve_config config;
    pthread_t thread;
    int signals, result;
} d;

static unsigned int opens_each, ioctls_each;

static unsigned int scale(void)
{
    const char *full = getenv("FULL");

    return full != NULL && strcmp(full, "1") == 0 ? 10 : 1;
}

static void *serve_thread(void *arg)
{
    (void)arg;
    d.result = serve_run(&d.config, d.signals);
    return NULL;
}

static void launch(void)
{
    char error[SERVE_ERROR_SIZE];
    json_t *request = json_pack("{s:s, s:s}", "name", "g", "certs", "none");
    json_t *shown = NULL;

    assert_int_equal(serve_guests_launch(d.guests, request, &shown, error), 0);
    json_decref(shown);
    json_decref(request);
}

static int start(void **state)
{
    const struct install_config seed = {.use_dev_seed = true};
    const struct psp_profile *profile = psp_profile_by_name("milan");
    struct machine_config machine = {.profile = profile, .seed = PKI_DEV_SEED};
    char error[SERVE_ERROR_SIZE];

    (void)state;
    d.dir = tst_mkdtemp();
    (void)snprintf(d.socket, sizeof(d.socket), "%s/s", d.dir);
    assert_int_equal(install_open(&seed, &d.install, error), 0);
    install_chip(d.install, profile->generation, 0, &machine.chip);
    assert_int_equal(machine_create(&machine, &d.m), 0);
    assert_int_equal(machine_platform_init(d.m), SEV_SUCCESS);
    d.config.platform = (struct serve_platform){
        .m = d.m,
        .install = d.install,
        .chip = machine.chip,
        .reported_tcb = profile->tcb,
    };
    assert_int_equal(serve_guests_new(&d.config.platform, &d.guests), 0);
    launch();
    d.trace = serve_trace_new();
    d.config.guests = d.guests;
    d.config.trace = d.trace;
    d.config.owner = geteuid();
    d.config.listener =
        serve_listen(d.socket, 0600, geteuid(), getegid(), error);
    assert_true(d.config.listener >= 0);
    d.signals = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); /* none arrives */
    return pthread_create(&d.thread, NULL, serve_thread, NULL);
}

static int stop(void **state)
{
    char error[CONTROL_ERROR_SIZE];
    struct control_client c;
    json_t *result = NULL;

    (void)state;
    assert_int_equal(control_connect(&c, d.socket, error), 0);
    assert_int_equal(
        control_call(&c, json_pack("{s:s}", "op", "shutdown"), &result, error),
        0);
    json_decref(result);
    control_disconnect(&c);
    (void)pthread_join(d.thread, NULL);
    assert_int_equal(d.result, 0);
    serve_guests_free(d.guests);
    serve_trace_free(d.trace);
    machine_destroy(d.m);
    install_close(d.install);
    (void)close(d.config.listener);
    (void)close(d.signals);
    tst_rmdir(d.dir);
    return 0;
}

/* Returns what went wrong, or NULL. */
static const char *ask(const struct chardev *dev, unsigned int client,
                       unsigned int n)
{
    struct snp_report_resp resp;
    struct snp_report_req req = {0};
    struct snp_guest_request_ioctl io = {
        .msg_version = 1,
        .req_data = (uint64_t)(uintptr_t)&req,
        .resp_data = (uint64_t)(uintptr_t)&resp,
    };

    memcpy(req.user_data, &client, sizeof(client));
    memcpy(req.user_data + sizeof(client), &n, sizeof(n));
    if (inproc_ioctl(dev, true, (uint32_t)SNP_GET_REPORT, &io) != 0) {
        return "SNP_GET_REPORT";
    }
    return memcmp(resp.data + DATA_AT, req.user_data, 64) == 0
               ? NULL
               : "another client's report";
}

static void *client_thread(void *arg)
{
    unsigned int client = (unsigned int)(uintptr_t)arg, done = 0;
    const char *fault = NULL;

    for (unsigned int i = 0; i < opens_each && fault == NULL; i++) {
        unsigned int upto = ioctls_each * (i + 1) / opens_each;
        char error[CONTROL_ERROR_SIZE] = "";
        struct control_device *dev = NULL;
        struct chardev node;

        if (control_device_open(d.socket, "g", &dev, error) != 0) {
            fprintf(stderr, "open: %s\n", error);
            return (void *)(uintptr_t) "open";
        }
        node = control_device_chardev(dev);
        while (done < upto && fault == NULL) {
            fault = ask(&node, client, done++);
        }
        control_device_close(dev);
    }
    return (void *)(uintptr_t)fault;
}

static void flood(unsigned int opens, unsigned int ioctls)
{
    pthread_t threads[CLIENTS];

    opens_each = opens / CLIENTS;
    ioctls_each = ioctls / CLIENTS;
    for (uintptr_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, client_thread, (void *)i), 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        void *fault = NULL;

        (void)pthread_join(threads[i], &fault);
        if (fault != NULL) {
            fail_msg("client %zu: %s", i, (const char *)fault);
        }
    }
}

static long resident_kib(void)
{
    long pages = 0, all = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &all, &pages), 2);
    (void)fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static size_t users(void)
{
    uint64_t after = 0;
    json_t *list = serve_guests_list(d.guests, &after, 1);
    json_int_t n =
        json_integer_value(json_object_get(json_array_get(list, 0), "users"));

    json_decref(list);
    return (size_t)n;
}

static void flood__64_clients__nothing_stays(void **state)
{
    unsigned int opens = 1024 * scale(), ioctls = 10240 * scale();
    long before, grown;

    (void)state;
    flood(opens / 4, ioctls / 4); /* stacks, pools */
    before = resident_kib();
    flood(opens, ioctls);
    grown = resident_kib() - before;
    for (int i = 0; i < 500 && users() > 0; i++) {
        (void)usleep(10000); /* the last connections are being closed */
    }
    assert_int_equal(users(), 0);
    printf("flood: %u clients, %u opens, %u ioctls, grown by %ld KiB\n",
           CLIENTS, opens, ioctls, grown);
    assert_true(grown < GROWTH_KIB_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flood__64_clients__nothing_stays),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
