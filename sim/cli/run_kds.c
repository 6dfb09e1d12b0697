/* SPDX-License-Identifier: Apache-2.0 */
#include "run_kds.h"

#include "crypto.h"
#include "kds_http.h"
#include "kds_net.h"
#include "kds_plans.h"
#include "kds_proxy.h"
#include "kds_tls.h"
#include "parse.h"
#include "platform.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHIP_COUNT 1024u /* all that --chip can name */
#define TEXT_MAX   (4u << 20)

struct run_kds {
    struct install *install;
    struct kds *kds;
    struct kds_tls tls;
    struct kds_http *http[2]; /* 443 and 444; by proxy only the first */
    struct kds_proxy *proxy;
    struct kds_plans plans;
    char dir[PATH_MAX / 2]; /* "": none */
};

/* Files in the temporary folder. */
#define CA_FILE     "ca.pem"
#define BUNDLE_FILE "ca-bundle.pem"
#define WGET_FILE   "wgetrc"
#define HOSTS_FILE  "hosts"
#define SWITCH_FILE "nsswitch.conf"

static const char *const FILES[] = {
    CA_FILE, BUNDLE_FILE, WGET_FILE, HOSTS_FILE, SWITCH_FILE,
};

/* Where distributions keep the certificates that programs trust. */
static const char *const BUNDLES[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};
#define BUNDLE_COUNT (sizeof(BUNDLES) / sizeof(BUNDLES[0]))

enum run_kds_way run_kds_way_by_name(const char *name)
{
    if (name == NULL || strcmp(name, "auto") == 0) {
        return RUN_KDS_AUTO;
    }
    if (strcmp(name, "namespace") == 0) {
        return RUN_KDS_NAMESPACE;
    }
    return strcmp(name, "proxy") == 0 ? RUN_KDS_PROXY : RUN_KDS_OFF;
}

static bool complain(const char *what, int err)
{
    fprintf(stderr, "swpsp run: --kds: %s: %s\n", what, strerror(-err));
    return false;
}

static void path_of(const struct run_kds *k, const char *name,
                    char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", k->dir, name);
}

/* @before and @after may be NULL. For every user: the program may change its
 * own. */
static bool write_file(const struct run_kds *k, const char *name,
                       const char *before, const char *after)
{
    char path[PATH_MAX];
    FILE *f;
    bool ok;

    path_of(k, name, path);
    f = fopen(path, "wxe");
    if (f == NULL) {
        return complain(path, -errno);
    }
    ok = (before == NULL || fputs(before, f) >= 0) &&
         (after == NULL || fputs(after, f) >= 0) &&
         fchmod(fileno(f), 0644) == 0;
    ok = fclose(f) == 0 && ok;
    return ok || complain(path, -errno);
}

/* Text of a file with a line end at its end, or NULL. */
static char *read_text(const char *path)
{
    size_t size = 0;
    bool named = path != NULL && strcmp(path, "-") != 0; /* not stdin */
    uint8_t *data = named ? parse_file(path, TEXT_MAX, &size) : NULL;
    char *text = data == NULL ? NULL : malloc(size + 2);

    if (text != NULL) {
        memcpy(text, data, size);
        text[size] = '\0';
        size = strlen(text);
        if (size > 0 && text[size - 1] != '\n') {
            memcpy(text + size, "\n", 2);
        }
    }
    free(data);
    return text;
}

static bool make_dir(struct run_kds *k)
{
    const char *base = getenv("TMPDIR");

    if (base == NULL || base[0] != '/' || strlen(base) > sizeof(k->dir) - 32) {
        base = "/tmp";
    }
    snprintf(k->dir, sizeof(k->dir), "%s/swpsp-kds-XXXXXX", base);
    if (mkdtemp(k->dir) == NULL) {
        complain(k->dir, -errno);
        k->dir[0] = '\0';
        return false;
    }
    return chmod(k->dir, 0755) == 0 || complain(k->dir, -errno);
}

static void remove_dir(const struct run_kds *k)
{
    char path[PATH_MAX];

    if (k->dir[0] == '\0') {
        return;
    }
    for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++) {
        path_of(k, FILES[i], path);
        (void)unlink(path);
    }
    (void)rmdir(k->dir);
}

/* What is trusted already, and our CA. */
static bool write_bundle(const struct run_kds *k)
{
    char *text = read_text(getenv("SSL_CERT_FILE"));
    bool ok;

    for (size_t i = 0; i < BUNDLE_COUNT && text == NULL; i++) {
        text = read_text(BUNDLES[i]);
    }
    ok = write_file(k, CA_FILE, k->tls.ca_cert, NULL) &&
         write_file(k, BUNDLE_FILE, k->tls.ca_cert, text);
    free(text);
    return ok;
}

/* wget built on GnuTLS heeds nothing else. abi/certs-kds.md §5.0 */
static bool write_wgetrc(const struct run_kds *k)
{
    const char *home = getenv("HOME");
    const char *path = getenv("WGETRC");
    char own[PATH_MAX];
    char line[PATH_MAX + 32];
    char *text;
    bool ok;

    if (path == NULL && home != NULL) {
        snprintf(own, sizeof(own), "%s/.wgetrc", home);
        path = own;
    }
    text = read_text(path);
    snprintf(line, sizeof(line), "ca_certificate = %s/" BUNDLE_FILE "\n",
             k->dir);
    ok = write_file(k, WGET_FILE, text, line);
    free(text);
    return ok;
}

static void trust_ca(const struct run_kds *k)
{
    static const struct {
        const char *name;
        const char *file;
    } variables[] = {
        {"SSL_CERT_FILE", BUNDLE_FILE},
        {"CURL_CA_BUNDLE", BUNDLE_FILE},
        {"REQUESTS_CA_BUNDLE", BUNDLE_FILE},
        {"NODE_EXTRA_CA_CERTS", CA_FILE},
        {"WGETRC", WGET_FILE},
    };
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        path_of(k, variables[i].file, path);
        setenv(variables[i].name, path, 1);
    }
}

static bool mentions_amd(const char *line, size_t size)
{
    for (size_t i = 0; i < KDS_TLS_AMD_NAMES; i++) {
        if (memmem(line, size, KDS_TLS_NAMES[i], strlen(KDS_TLS_NAMES[i])) !=
            NULL) {
            return true;
        }
    }
    return false;
}

/* Remove the lines that name AMD's servers, or begin with @start. */
static void drop_lines(char *text, const char *start)
{
    char *to = text;

    while (text != NULL && *text != '\0') {
        size_t n = strcspn(text, "\n");

        n += text[n] == '\n';
        if (!(start == NULL ? mentions_amd(text, n)
                            : strncmp(text, start, strlen(start)) == 0)) {
            memmove(to, text, n);
            to += n;
        }
        text += n;
    }
    if (to != NULL) {
        *to = '\0';
    }
}

static bool write_hosts(const struct run_kds *k)
{
    char line[256] = "127.0.0.1";
    char *text = read_text("/etc/hosts");
    size_t n = strlen(line);
    bool ok;

    for (size_t i = 0; i < KDS_TLS_AMD_NAMES; i++) {
        n += (size_t)snprintf(line + n, sizeof(line) - n, " %s",
                              KDS_TLS_NAMES[i]);
    }
    snprintf(line + n, sizeof(line) - n, "\n");
    drop_lines(text, NULL);
    ok = write_file(k, HOSTS_FILE, line, text);
    free(text);
    return ok;
}

/* Files first: a resolver daemon would ask the outside. */
static bool write_switch(const struct run_kds *k)
{
    char *text = read_text("/etc/nsswitch.conf");
    bool ok = true;

    if (text != NULL) {
        drop_lines(text, "hosts:");
        ok = write_file(k, SWITCH_FILE, "hosts: files dns\n", text);
    }
    free(text);
    return ok;
}

static bool cover(const struct run_kds *k, const char *name, const char *target,
                  bool needed)
{
    char path[PATH_MAX];
    int err;

    path_of(k, name, path);
    err = kds_net_cover(path, target);
    return err == 0 || !needed || complain(target, err);
}

static bool cover_all(const struct run_kds *k)
{
    if (!cover(k, HOSTS_FILE, "/etc/hosts", true)) {
        return false;
    }
    (void)cover(k, SWITCH_FILE, "/etc/nsswitch.conf", false);
    for (size_t i = 0; i < BUNDLE_COUNT; i++) {
        (void)cover(k, BUNDLE_FILE, BUNDLES[i], false);
    }
    return true;
}

static bool listen_on(struct run_kds *k, uint16_t port, struct kds_http **out)
{
    struct kds_http_config config = {
        .port = port,
        .tls_cert = k->tls.cert,
        .tls_key = k->tls.key,
    };
    int err;

    kds_plans_use(&k->plans, &config.faults);
    err = kds_http_start(k->kds, &config, out);
    return err == 0 || complain("cannot listen", err);
}

static void failed(void *ctx, enum psp_err err)
{
    char error[INSTALL_ERROR_SIZE] = "";

    (void)install_pki_error(ctx, err, error);
    fprintf(stderr, "swpsp run: --kds: %s\n", error);
}

static bool open_server(struct run_kds *k, const struct platform_options *o)
{
    char error[KDS_TLS_ERROR_SIZE] = "";
    struct kds_config config = {.chip_count = CHIP_COUNT};

    if (!platform_open_install(o, "run", &k->install)) {
        return false;
    }
    config.seed = install_seed(k->install);
    config.naming = install_naming(k->install);
    config.store = install_key_store(k->install);
    config.csp_id = install_csp_id(k->install);
    config.product_name = install_product_name(k->install);
    config.failed = failed;
    config.ctx = k->install;
    if (kds_open(&config, &k->kds) != PSP_OK) {
        return complain("key server", -ENOMEM);
    }
    if (kds_tls_open(install_dir(k->install), (uint64_t)time(NULL), &k->tls,
                     error) != 0) {
        fprintf(stderr, "swpsp run: --kds: %s\n", error);
        return false;
    }
    return make_dir(k) && write_bundle(k) && write_wgetrc(k);
}

static bool start_inside(struct run_kds *k)
{
    static const char *const proxies[] = {
        "https_proxy", "HTTPS_PROXY", "all_proxy",
        "ALL_PROXY",   "http_proxy",  "HTTP_PROXY",
    };

    for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++) {
        unsetenv(proxies[i]); /* none can be reached from here */
    }
    trust_ca(k);
    return write_hosts(k) && write_switch(k) && cover_all(k) &&
           listen_on(k, 443, &k->http[0]) && listen_on(k, 444, &k->http[1]);
}

/* The first of these that is set, as curl and Go look for them. */
static const char *proxy_of_environment(void)
{
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY",
                                        "all_proxy", "ALL_PROXY"};
    const char *value = NULL;

    for (size_t i = 0; i < 4 && (value == NULL || value[0] == '\0'); i++) {
        value = getenv(names[i]);
    }
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static const char *no_proxy_of_environment(void)
{
    const char *value = getenv("no_proxy");

    value = value != NULL && value[0] != '\0' ? value : getenv("NO_PROXY");
    return value != NULL ? value : "";
}

/* What the program reaches without a proxy, AMD's names not among it. */
static bool keep_no_proxy(void)
{
    char *list = strdup(no_proxy_of_environment());

    for (size_t i = 0; i < KDS_TLS_AMD_NAMES && list != NULL; i++) {
        char *less = kds_no_proxy_without(list, KDS_TLS_NAMES[i], "443");
        char *least = less == NULL
                          ? NULL
                          : kds_no_proxy_without(less, KDS_TLS_NAMES[i], "444");

        free(less);
        free(list);
        list = least;
    }
    if (list == NULL) {
        return complain("proxy", -ENOMEM);
    }
    if (list[0] != '\0') {
        setenv("no_proxy", list, 1);
        setenv("NO_PROXY", list, 1);
    } else {
        unsetenv("no_proxy");
        unsetenv("NO_PROXY");
    }
    free(list);
    return true;
}

/* Says how other hosts are reached. */
static void take_upstream(struct kds_upstream *up)
{
    const char *proxy = proxy_of_environment();

    if (!kds_upstream_parse(proxy, no_proxy_of_environment(), up)) {
        fprintf(stderr, "swpsp run: other hosts cannot be reached, but for "
                        "those that no_proxy names: the proxy of the "
                        "environment is not http://[USER:PASSWORD@]HOST:PORT"
                        "\n");
    } else if (up->used) {
        fprintf(stderr,
                "swpsp run: other hosts through the proxy %s port %s, but for "
                "those that no_proxy names\n",
                up->url.host, up->url.port);
    }
}

static bool start_proxied(struct run_kds *k)
{
    struct kds_upstream up;
    char url[64];
    int err;

    take_upstream(&up);
    err = kds_proxy_open(&up, &k->proxy);
    psp_wipe(&up, sizeof(up));
    if (err != 0 || !keep_no_proxy()) {
        return err == 0 ? false : complain("proxy", err);
    }
    snprintf(url, sizeof(url), "http://127.0.0.1:%u",
             (unsigned int)kds_proxy_port(k->proxy));
    setenv("https_proxy", url, 1);
    setenv("HTTPS_PROXY", url, 1);
    trust_ca(k);
    if (!listen_on(k, 0, &k->http[0])) {
        return false;
    }
    err = kds_proxy_start(k->proxy, kds_http_port(k->http[0]));
    return err == 0 || complain("proxy", err);
}

/* The way that is taken, or RUN_KDS_OFF after one line on stderr. */
static enum run_kds_way choose(enum run_kds_way way)
{
    char error[KDS_NET_ERROR_SIZE] = "asked for";

    if (way != RUN_KDS_PROXY && kds_net_enter(error) == 0) {
        fprintf(stderr,
                "swpsp run: key server in a private network: "
                "https://kdsintf.amd.com is this installation, and "
                "nothing else can be reached%s\n",
                proxy_of_environment() != NULL
                    ? " (--kds=proxy: other hosts through your proxy)"
                    : "");
        return RUN_KDS_NAMESPACE;
    }
    if (way == RUN_KDS_NAMESPACE) {
        fprintf(stderr, "swpsp run: --kds=namespace: %s\n", error);
        return RUN_KDS_OFF;
    }
    fprintf(stderr,
            "swpsp run: key server by proxy (%s): https://kdsintf.amd.com is "
            "this installation for programs that heed https_proxy and "
            "SSL_CERT_FILE\n",
            error);
    return RUN_KDS_PROXY;
}

/* Threads that are made in between leave all signals to others. */
static bool start_quietly(struct run_kds *k, enum run_kds_way way)
{
    sigset_t all, old;
    bool ok;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    ok = way == RUN_KDS_NAMESPACE ? start_inside(k) : start_proxied(k);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return ok;
}

bool run_kds_start(enum run_kds_way way, const struct platform_options *o,
                   struct fault_plan *plan, struct run_kds **out)
{
    struct run_kds *k;

    way = choose(way);
    if (way == RUN_KDS_OFF) {
        return false;
    }
    k = calloc(1, sizeof(*k));
    if (k == NULL) {
        return complain("key server", -ENOMEM);
    }
    if (!kds_plans_share(&k->plans, plan) || !open_server(k, o) ||
        !start_quietly(k, way)) {
        run_kds_stop(k);
        return false;
    }
    *out = k;
    return true;
}

void run_kds_stop(struct run_kds *k)
{
    if (k == NULL) {
        return;
    }
    kds_proxy_stop(k->proxy);
    for (size_t i = 0; i < 2; i++) {
        kds_http_stop(k->http[i]);
    }
    kds_plans_clear(&k->plans);
    kds_tls_clear(&k->tls);
    kds_close(k->kds);
    install_close(k->install);
    remove_dir(k);
    free(k);
}
