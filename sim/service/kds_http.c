/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_http.h"
#include "kds_conn.h"
#include "kds_route.h"
#include "wire.h"
#include "monotonic.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BODY_LIMIT      (1u << 20)
#define DISCARD_LIMIT   (4u << 20)
#define HUGE_TAIL       (64u << 20)
#define TIMEOUT_SECONDS 30u
#define GRACE_MS        2000u
#define TRICKLE_MS      50u
/* [57230]: TLS 1.2 or later. */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct kds_http {
    struct kds *kds;
    struct kds_http_config config;
    struct MHD_Daemon *daemon;
    uint16_t port;
    struct kds_fault_state faults;
    struct kds_conns conns;
};

/* A request under way. */
struct exchange {
    char *url;   /* as sent */
    char *path;  /* decoded; both are one allocation with url */
    char *query; /* NULL: none */
    bool begun;
    uint8_t *body;
    size_t size;
    size_t discarded;
    unsigned int refusal; /* status for a head that HTTP/1.1 forbids, or 0 */
};

/* RFC 3986 §2.3: an escaped unreserved character is the character. */
static void decode_unreserved(char *text)
{
    char *to = text;

    for (const char *p = text; *p != '\0'; p++) {
        int high = p[0] == '%' ? psp_hex_digit(p[1]) : -1;
        int low = high < 0 ? -1 : psp_hex_digit(p[2]);
        int c = low < 0 ? -1 : high << 4 | low;

        if (c > 0 && c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL)) {
            *to++ = (char)c;
            p += 2;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
}

/* Of "http://host/path", as proxies are asked, the path. */
static const char *skip_origin(const char *url)
{
    const char *host = strstr(url, "://");
    const char *slash =
        host == NULL || *url == '/' ? url : strchr(host + 3, '/');

    return slash != NULL ? slash : "/";
}

/* What a connection holds. */
struct link {
    struct kds_conn *slot; /* may be NULL */
    struct exchange *exchange;
};

static struct link *link_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info == NULL ? NULL : info->socket_context;
}

/* When it is over, or with its connection: the library does not say that a
 * request with too many parameters is over. */
static void drop_exchange(struct link *l)
{
    if (l->exchange != NULL) {
        free(l->exchange->url);
        free(l->exchange->body);
        free(l->exchange);
        l->exchange = NULL;
    }
}

static void *begin(void *cls, const char *url, struct MHD_Connection *c)
{
    size_t size = strlen(url) + 1;
    struct link *l = link_of(c);
    struct exchange *x = l == NULL ? NULL : calloc(1, sizeof(*x));

    (void)cls;
    if (x == NULL) {
        return NULL;
    }
    x->url = malloc(2 * size);
    if (x->url == NULL) {
        free(x);
        return NULL;
    }
    memcpy(x->url, url, size);
    x->path = x->url + size;
    strcpy(x->path, skip_origin(url));
    x->query = strchr(x->path, '?');
    if (x->query != NULL) {
        *x->query++ = '\0';
        decode_unreserved(x->query);
    }
    decode_unreserved(x->path);
    drop_exchange(l);
    l->exchange = x;
    return x;
}

static void completed(void *cls, struct MHD_Connection *c, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct kds_http *http = cls;
    struct link *l = link_of(c);

    (void)code;
    if (l != NULL) {
        kds_conn_busy(&http->conns, l->slot, false);
    }
    if (*state != NULL) {
        kds_fault_done(&http->faults);
        drop_exchange(l); /* it is *state */
        *state = NULL;
    }
}

static void connection(void *cls, struct MHD_Connection *c, void **context,
                       enum MHD_ConnectionNotificationCode code)
{
    struct kds_http *http = cls;
    const union MHD_ConnectionInfo *info;
    struct link *l = *context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        l = info == NULL ? NULL : calloc(1, sizeof(*l));
        if (l != NULL) {
            l->slot =
                kds_conn_add(&http->conns, info->connect_fd, monotonic_ms());
        }
        *context = l;
    } else if (l != NULL) {
        kds_conn_remove(&http->conns, l->slot);
        drop_exchange(l);
        free(l);
        *context = NULL;
    }
}

/* A body that is sent in pieces: shorter or longer than the answer's, or slow.
 */
struct pieces {
    struct kds_http *http;
    uint8_t *data;
    uint64_t size;
    uint64_t end; /* where it ends, or breaks off */
    bool slow;
};

static ssize_t read_pieces(void *cls, uint64_t pos, char *buf, size_t max)
{
    const struct pieces *b = cls;
    size_t n = max;

    if (pos >= b->end) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (b->slow) {
        kds_fault_pause(&b->http->faults, TRICKLE_MS);
        n = 1;
    }
    n = b->end - pos < n ? (size_t)(b->end - pos) : n;
    if (pos >= b->size) {
        memset(buf, 0, n);
        return (ssize_t)n;
    }
    n = b->size - pos < n ? (size_t)(b->size - pos) : n;
    memcpy(buf, b->data + pos, n);
    return (ssize_t)n;
}

static void free_pieces(void *cls)
{
    struct pieces *b = cls;

    free(b->data);
    free(b);
}

/* Where a truncated body ends: by default in the middle. */
static uint64_t cut_at(const struct fault_hit *cut, uint64_t size)
{
    uint64_t at = cut->fault.place_given ? cut->fault.place : size / 2;

    return at < size ? at : size;
}

/* Takes the body on success. */
static struct MHD_Response *in_pieces(struct kds_http *http,
                                      const struct kds_harm *harm,
                                      struct kds_answer *a)
{
    const struct fault_hit *cut = kds_harm_has(harm, FAULT_TRUNCATE);
    bool huge = kds_harm_has(harm, FAULT_HUGE) != NULL;
    uint64_t announced = a->size + (huge ? HUGE_TAIL : 0);
    struct pieces *b = malloc(sizeof(*b));
    struct MHD_Response *r;

    if (b == NULL) {
        return NULL;
    }
    *b = (struct pieces){
        .http = http,
        .data = a->body,
        .size = a->size,
        .end = cut != NULL ? cut_at(cut, a->size) : announced,
        .slow = kds_harm_has(harm, FAULT_TRICKLE) != NULL,
    };
    r = MHD_create_response_from_callback(announced, 16384, read_pieces, b,
                                          free_pieces);
    if (r == NULL) {
        free(b);
        return NULL;
    }
    a->body = NULL;
    return r;
}

static struct MHD_Response *make_response(struct kds_http *http,
                                          const struct kds_harm *harm,
                                          struct kds_answer *a)
{
    struct MHD_Response *r;

    if (a->status == 200 && a->size > 0 &&
        (kds_harm_has(harm, FAULT_TRUNCATE) != NULL ||
         kds_harm_has(harm, FAULT_HUGE) != NULL ||
         kds_harm_has(harm, FAULT_TRICKLE) != NULL)) {
        return in_pieces(http, harm, a);
    }
    r = MHD_create_response_from_buffer(a->size, a->body,
                                        MHD_RESPMEM_MUST_FREE);
    if (r != NULL) {
        a->body = NULL;
    }
    return r;
}

static bool add(struct MHD_Response *r, const char *name, const char *value)
{
    return value == NULL || MHD_add_response_header(r, name, value) == MHD_YES;
}

static enum MHD_Result send_answer(struct kds_http *http,
                                   struct MHD_Connection *c,
                                   const struct kds_harm *harm,
                                   struct kds_answer *a,
                                   const char *retry_after)
{
    unsigned int status = a->status;
    struct MHD_Response *r = make_response(http, harm, a);
    enum MHD_Result result = MHD_NO;

    if (r == NULL) {
        return MHD_NO;
    }
    if (add(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->content_type) &&
        add(r, "Content-Disposition", a->disposition) &&
        add(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") &&
        add(r, MHD_HTTP_HEADER_ALLOW, a->allow) &&
        add(r, MHD_HTTP_HEADER_RETRY_AFTER,
            retry_after[0] == '\0' ? NULL : retry_after) &&
        add(r, "X-Simulated", "1")) {
        result = MHD_queue_response(c, status, r);
    }
    MHD_destroy_response(r);
    return result;
}

static void plain(struct kds_answer *a, unsigned int status, const char *text)
{
    memset(a, 0, sizeof(*a));
    a->status = status;
    a->content_type = "text/plain";
    a->body = (uint8_t *)strdup(text);
    a->size = a->body == NULL ? 0 : strlen(text);
}

/* Against the CAs that the daemon was given. */
static bool client_is_known(struct MHD_Connection *c)
{
    unsigned char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st need = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                  .data = purpose};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned int trouble = 0;

    return info != NULL && info->tls_session != NULL &&
           gnutls_certificate_verify_peers(info->tls_session, &need, 1,
                                           &trouble) == GNUTLS_E_SUCCESS &&
           trouble == 0;
}

static enum MHD_Result count_host(void *cls, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    unsigned int *count = cls;

    (void)kind;
    (void)value;
    *count += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    return MHD_YES;
}

/* RFC 9112 §3.2, §6.1: one Host, which HTTP/1.0 may leave out; no coding of the
 * body that nobody here knows the end of. The library takes both. */
static unsigned int judge_head(struct MHD_Connection *c, const char *version)
{
    const char *coding = MHD_lookup_connection_value(
        c, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    unsigned int hosts = 0;

    (void)MHD_get_connection_values(c, MHD_HEADER_KIND, count_host, &hosts);
    if (hosts > 1 || (hosts == 0 && strcmp(version, "HTTP/1.0") != 0)) {
        return MHD_HTTP_BAD_REQUEST;
    }
    return coding == NULL || strcasecmp(coding, "chunked") == 0
               ? 0
               : MHD_HTTP_NOT_IMPLEMENTED;
}

/* What is asked, or why it is not: 400, 501, 429, 403, 413. */
static void make_answer(struct kds_http *http, struct MHD_Connection *c,
                        const struct exchange *x, const struct kds_ask *ask,
                        unsigned int wait, char retry_after[16],
                        struct kds_answer *a)
{
    if (x->refusal == MHD_HTTP_BAD_REQUEST) {
        plain(a, x->refusal, "one Host header needed\n");
    } else if (x->refusal != 0) {
        plain(a, x->refusal, "unknown transfer coding\n");
    } else if (wait > 0) {
        snprintf(retry_after, 16, "%u", wait);
        plain(a, MHD_HTTP_TOO_MANY_REQUESTS, "too many requests\n");
    } else if (http->config.client_ca != NULL &&
               kds_route_provisions(x->path) && !client_is_known(c)) {
        plain(a, MHD_HTTP_FORBIDDEN, "client certificate needed\n");
    } else if (x->size > BODY_LIMIT) {
        plain(a, MHD_HTTP_CONTENT_TOO_LARGE, "body too large\n");
    } else {
        kds_answer(http->kds, ask, a);
    }
}

static enum MHD_Result answer(struct kds_http *http, struct MHD_Connection *c,
                              const char *method, const struct exchange *x)
{
    unsigned int wait =
        kds_fault_throttle(&http->faults, x->url, monotonic_ms());
    struct kds_ask ask = {.method = method,
                          .path = x->path,
                          .query = x->query,
                          .body = x->body,
                          .body_size = x->size,
                          .now = (uint64_t)time(NULL)};
    enum MHD_Result result = MHD_NO;
    char retry_after[16];
    struct kds_harm harm;
    struct kds_answer a;
    bool faked;

    kds_conn_busy(&http->conns, link_of(c)->slot, true);
    kds_fault_event(&http->faults, &ask, &harm);
    faked = kds_fault_before(&http->faults, &harm, &ask, retry_after, &a);
    if (!faked) {
        make_answer(http, c, x, &ask, wait, retry_after, &a);
    }
    kds_fault_after(&http->faults, &harm, !faked, &a);
    if (http->config.log != NULL) {
        http->config.log(http->config.ctx, method, x->url, a.status, a.size);
    }
    if (kds_harm_has(&harm, FAULT_DROP) == NULL) {
        result = send_answer(http, c, &harm, &a, retry_after);
    }
    kds_answer_clear(&a);
    return result;
}

/* False: the client sends on and on, hang up. */
static bool take_body(struct exchange *x, const char *data, size_t size)
{
    uint8_t *grown;

    if (x->size > BODY_LIMIT || size > BODY_LIMIT - x->size) {
        x->size = BODY_LIMIT + 1;
        x->discarded += size;
        return x->discarded <= DISCARD_LIMIT;
    }
    grown = realloc(x->body, x->size + size);
    if (grown == NULL) {
        return false;
    }
    memcpy(grown + x->size, data, size);
    x->body = grown;
    x->size += size;
    return true;
}

static bool announces_too_much(struct MHD_Connection *c)
{
    const char *text = MHD_lookup_connection_value(
        c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return text != NULL && strtoull(text, NULL, 10) > BODY_LIMIT;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *c,
                              const char *url, const char *method,
                              const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct exchange *x = *state;

    (void)url;
    if (x == NULL) {
        return MHD_NO;
    }
    if (!x->begun) {
        x->begun = true;
        x->refusal = judge_head(c, version);
        x->size = announces_too_much(c) ? BODY_LIMIT + 1 : 0;
        return x->refusal == 0 && x->size == 0 ? MHD_YES
                                               : answer(cls, c, method, x);
    }
    if (*upload_size > 0) {
        bool ok = take_body(x, upload, *upload_size);

        *upload_size = 0;
        return ok ? MHD_YES : MHD_NO;
    }
    return answer(cls, c, method, x);
}

static bool make_address(const char *text, uint16_t port,
                         struct sockaddr_storage *out, socklen_t *size)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_port = htons(port)};

    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof(v4));
        *size = sizeof(v4);
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        memcpy(out, &v6, sizeof(v6));
        *size = sizeof(v6);
        return true;
    }
    return false;
}

/* A listening socket of our own, so that errors have their errno. */
static int listen_on(const struct sockaddr_storage *addr, socklen_t size,
                     int *out)
{
    int fd =
        socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(fd, (const struct sockaddr *)addr, size) != 0 ||
        listen(fd, SOMAXCONN) != 0) {
        err = -errno;
        close(fd);
        return err;
    }
    *out = fd;
    return 0;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage addr = {0};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    socklen_t size = sizeof(addr);

    (void)getsockname(fd, (struct sockaddr *)&addr, &size);
    memcpy(&v4, &addr, sizeof(v4));
    memcpy(&v6, &addr, sizeof(v6));
    return ntohs(addr.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

static struct MHD_Daemon *start(struct kds_http *http, int fd, bool v6)
{
    const struct kds_http_config *config = &http->config;
    bool tls = config->tls_cert != NULL && config->tls_key != NULL;
    unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD |
                         MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
                         MHD_USE_ITC | (tls ? MHD_USE_TLS : 0) |
                         (v6 ? MHD_USE_IPv6 : 0);
    union {
        const char *in;
        void *out;
    } cert = {.in = config->tls_cert}, key = {.in = config->tls_key},
      ca = {.in = config->client_ca}, priorities = {.in = PRIORITIES};
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities.out},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, cert.out},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, key.out},
        {config->client_ca != NULL ? MHD_OPTION_HTTPS_MEM_TRUST
                                   : MHD_OPTION_END,
         0, ca.out},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem no_options = {MHD_OPTION_END, 0, NULL};

    return MHD_start_daemon(
        flags, 0, NULL, NULL, handle, http, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, KDS_CONN_LIMIT,
        MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_SECONDS,
        MHD_OPTION_URI_LOG_CALLBACK, begin, http, MHD_OPTION_NOTIFY_COMPLETED,
        completed, http, MHD_OPTION_NOTIFY_CONNECTION, connection, http,
        MHD_OPTION_ARRAY, tls ? tls_options : &no_options, MHD_OPTION_END);
}

int kds_http_start(struct kds *kds, const struct kds_http_config *config,
                   struct kds_http **out)
{
    struct sockaddr_storage addr;
    struct kds_http *http;
    socklen_t size = 0;
    int fd = -1;
    int err;

    if (!make_address(config->address != NULL ? config->address : "127.0.0.1",
                      config->port, &addr, &size)) {
        return -EINVAL;
    }
    err = listen_on(&addr, size, &fd);
    if (err != 0) {
        return err;
    }
    http = calloc(1, sizeof(*http));
    if (http == NULL) {
        close(fd);
        return -ENOMEM;
    }
    http->kds = kds;
    http->config = *config;
    http->port = port_of(fd);
    kds_fault_init(&http->faults, &config->faults);
    kds_conns_init(&http->conns);
    http->daemon = start(http, fd, addr.ss_family == AF_INET6);
    if (http->daemon == NULL) {
        kds_http_stop(http); /* fd: closed by the library, mostly */
        return -EIO;
    }
    *out = http;
    return 0;
}

uint16_t kds_http_port(const struct kds_http *http)
{
    return http->port;
}

void kds_http_stop(struct kds_http *http)
{
    if (http == NULL) {
        return;
    }
    kds_fault_stop(&http->faults);
    if (http->daemon != NULL) {
        int fd = MHD_quiesce_daemon(http->daemon);

        kds_conns_wait(&http->conns, GRACE_MS);
        MHD_stop_daemon(http->daemon);
        if (fd >= 0) {
            close(fd);
        }
    }
    kds_conns_clear(&http->conns);
    kds_fault_clear(&http->faults);
    free(http);
}
