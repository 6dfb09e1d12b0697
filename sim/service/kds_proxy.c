/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_proxy.h"
#include "kds_tls.h"

#include "crypto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define TUNNEL_LIMIT 64u
#define HEAD_MAX     8192u
#define HEAD_SECONDS 30
#define IDLE_MS      600000
#define STOP_SECONDS 3
#define PIECE        16384u

struct tunnel {
    struct kds_proxy *proxy;
    bool used;
    int client;
    int server; /* -1: not connected */
};

struct kds_proxy {
    int fd;
    uint16_t port;
    uint16_t standin;
    struct kds_upstream up;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool stopping;
    unsigned int count;
    struct tunnel tunnels[TUNNEL_LIMIT];
};

/* With the dot of the root or without: it is the same host. */
static bool is_amd(const char *host)
{
    for (size_t i = 0; i < KDS_TLS_AMD_NAMES; i++) {
        size_t n = strlen(KDS_TLS_NAMES[i]);

        if (strncasecmp(host, KDS_TLS_NAMES[i], n) == 0 &&
            strcmp(host + n + (host[n] == '.'), "") == 0) {
            return true;
        }
    }
    return false;
}

static void refuse(int fd, const char *status)
{
    char text[128];
    int n = snprintf(text, sizeof(text),
                     "HTTP/1.1 %s\r\nContent-Length: 0\r\nX-Simulated: 1\r\n"
                     "Connection: close\r\n\r\n",
                     status);

    (void)kds_send_all(fd, text, (size_t)n);
}

/* Read until the empty line. @size: what came, @head: length of the head; 0 on
 * failure. @buf ends in NUL. */
static size_t read_head(int fd, char buf[HEAD_MAX + 1], size_t *size)
{
    *size = 0;
    while (*size < HEAD_MAX) {
        ssize_t n = recv(fd, buf + *size, HEAD_MAX - *size, 0);
        const char *end;

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return 0;
        }
        *size += (size_t)n;
        buf[*size] = '\0';
        end = strstr(buf, "\r\n\r\n");
        if (end != NULL) {
            return (size_t)(end - buf) + 4;
        }
    }
    return 0;
}

/* "CONNECT host:port HTTP/1.1": cut in place. */
static bool parse_connect(char *line, const char **host, const char **port)
{
    static const char verb[] = "CONNECT ";
    char *end, *colon;

    if (strncmp(line, verb, sizeof(verb) - 1) != 0) {
        return false;
    }
    line += sizeof(verb) - 1;
    end = strpbrk(line, " \r\n");
    if (end == NULL || strncmp(end, " HTTP/1.", 8) != 0) {
        return false;
    }
    *end = '\0';
    colon = strrchr(line, ':');
    if (colon == NULL || colon == line) {
        return false;
    }
    *colon = '\0';
    *port = colon + 1;
    if (line[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        line++;
    }
    *host = line;
    return **port != '\0' && strspn(*port, "0123456789") == strlen(*port);
}

static int dial(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    struct timeval limit = {.tv_sec = HEAD_SECONDS};
    int fd = -1;

    if (getaddrinfo(host, port, &hints, &list) != 0) {
        return -1;
    }
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0) {
            (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
                             sizeof(limit));
            (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
                             sizeof(limit));
            if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
                close(fd);
                fd = -1;
            }
        }
    }
    freeaddrinfo(list);
    return fd;
}

/* @up: set when the other end is the proxy behind. */
static int dial_for(const struct kds_proxy *proxy, const char *host,
                    const char *port, bool *up)
{
    char standin[8];

    *up = false;
    if (is_amd(host) &&
        (strcmp(port, "443") == 0 || strcmp(port, "444") == 0)) {
        snprintf(standin, sizeof(standin), "%u", (unsigned int)proxy->standin);
        return dial("127.0.0.1", standin);
    }
    *up = kds_upstream_serves(&proxy->up, host, port);
    if (!*up) {
        return dial(host, port);
    }
    return proxy->up.url.host[0] == '\0'
               ? -1
               : dial(proxy->up.url.host, proxy->up.url.port);
}

/* One piece; false at an error. At the end of input the end is passed on. */
static bool move(int from, int to, bool *open)
{
    char buf[PIECE];
    ssize_t n = recv(from, buf, sizeof(buf), 0);

    if (n > 0) {
        return kds_send_all(to, buf, (size_t)n);
    }
    *open = false;
    return n == 0 && shutdown(to, SHUT_WR) == 0;
}

static void relay(int client, int server)
{
    bool up = true, down = true;

    while (up || down) {
        struct pollfd p[2] = {
            {.fd = up ? client : -1, .events = POLLIN},
            {.fd = down ? server : -1, .events = POLLIN},
        };

        if (poll(p, 2, IDLE_MS) <= 0 ||
            (p[0].revents != 0 && !move(client, server, &up)) ||
            (p[1].revents != 0 && !move(server, client, &down))) {
            return;
        }
    }
}

/* Known to kds_proxy_stop(), or refused when that has begun. */
static bool attach(struct tunnel *t, int server)
{
    bool ok;

    pthread_mutex_lock(&t->proxy->lock);
    t->server = server;
    ok = !t->proxy->stopping;
    pthread_mutex_unlock(&t->proxy->lock);
    return ok;
}

static void serve(struct tunnel *t)
{
    char buf[HEAD_MAX + 1];
    const char *host = NULL, *port = NULL;
    size_t size = 0;
    size_t head = read_head(t->client, buf, &size);
    static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    char status[64];
    bool up;
    int server;

    if (head == 0 || !parse_connect(buf, &host, &port)) {
        refuse(t->client, "405 Only CONNECT");
        return;
    }
    server = dial_for(t->proxy, host, port, &up);
    if (server < 0) {
        refuse(t->client, up ? "502 Cannot connect to the proxy behind"
                             : "502 Cannot connect");
        return;
    }
    if (!attach(t, server)) {
        return;
    }
    if (up &&
        !kds_upstream_connect(&t->proxy->up, server, host, port, status)) {
        refuse(t->client, status);
        return;
    }
    if (kds_send_all(t->client, yes, sizeof(yes) - 1) &&
        kds_send_all(server, buf + head, size - head)) {
        relay(t->client, server);
    }
}

static void *tunnel_main(void *arg)
{
    struct tunnel *t = arg;
    struct kds_proxy *proxy = t->proxy;

    serve(t);
    pthread_mutex_lock(&proxy->lock);
    close(t->client);
    if (t->server >= 0) {
        close(t->server);
    }
    t->used = false;
    proxy->count--;
    pthread_cond_signal(&proxy->ended);
    pthread_mutex_unlock(&proxy->lock);
    return NULL;
}

static void take(struct kds_proxy *proxy, int client)
{
    struct timeval limit = {.tv_sec = HEAD_SECONDS};
    struct tunnel *t = NULL;
    pthread_t thread;

    (void)setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    pthread_mutex_lock(&proxy->lock);
    for (size_t i = 0; i < TUNNEL_LIMIT && t == NULL && !proxy->stopping; i++) {
        if (!proxy->tunnels[i].used) {
            t = &proxy->tunnels[i];
        }
    }
    if (t != NULL) {
        *t = (struct tunnel){proxy, true, client, -1};
        if (pthread_create(&thread, NULL, tunnel_main, t) == 0) {
            pthread_detach(thread);
            proxy->count++;
        } else {
            t->used = false;
            t = NULL;
        }
    }
    pthread_mutex_unlock(&proxy->lock);
    if (t == NULL) {
        refuse(client, "503 Too many tunnels");
        close(client);
    }
}

static void *proxy_main(void *arg)
{
    struct kds_proxy *proxy = arg;

    for (;;) {
        const struct timespec rest = {.tv_nsec = 50000000};
        int client = accept4(proxy->fd, NULL, NULL, SOCK_CLOEXEC);

        if (client >= 0) {
            take(proxy, client);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
            nanosleep(&rest, NULL);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return NULL; /* shut down */
        }
    }
}

int kds_proxy_open(const struct kds_upstream *up, struct kds_proxy **out)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t size = sizeof(addr);
    struct kds_proxy *proxy = calloc(1, sizeof(*proxy));
    int err = 0;

    if (proxy == NULL) {
        return -ENOMEM;
    }
    proxy->up = *up;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pthread_mutex_init(&proxy->lock, NULL);
    pthread_cond_init(&proxy->ended, NULL);
    proxy->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (proxy->fd < 0 ||
        bind(proxy->fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0 ||
        listen(proxy->fd, SOMAXCONN) != 0 ||
        getsockname(proxy->fd, (struct sockaddr *)&addr, &size) != 0) {
        err = -errno;
        kds_proxy_stop(proxy);
        return err;
    }
    proxy->port = ntohs(addr.sin_port);
    *out = proxy;
    return 0;
}

uint16_t kds_proxy_port(const struct kds_proxy *proxy)
{
    return proxy->port;
}

int kds_proxy_start(struct kds_proxy *proxy, uint16_t standin)
{
    int err;

    proxy->standin = standin;
    err = pthread_create(&proxy->thread, NULL, proxy_main, proxy);
    proxy->started = err == 0;
    return -err;
}

/* True when the last has ended. A name that is being looked up cannot be
 * interrupted, only waited for. */
static bool end_tunnels(struct kds_proxy *proxy)
{
    struct timespec until;
    bool ended;
    int err = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_SECONDS;
    pthread_mutex_lock(&proxy->lock);
    proxy->stopping = true;
    for (size_t i = 0; i < TUNNEL_LIMIT; i++) {
        if (proxy->tunnels[i].used) {
            (void)shutdown(proxy->tunnels[i].client, SHUT_RDWR);
            if (proxy->tunnels[i].server >= 0) {
                (void)shutdown(proxy->tunnels[i].server, SHUT_RDWR);
            }
        }
    }
    while (proxy->count > 0 && err == 0) {
        err = pthread_cond_timedwait(&proxy->ended, &proxy->lock, &until);
    }
    ended = proxy->count == 0;
    pthread_mutex_unlock(&proxy->lock);
    return ended;
}

void kds_proxy_stop(struct kds_proxy *proxy)
{
    if (proxy == NULL) {
        return;
    }
    if (proxy->started) {
        (void)shutdown(proxy->fd, SHUT_RDWR);
        (void)pthread_join(proxy->thread, NULL);
        if (!end_tunnels(proxy)) {
            return; /* still in use; the process is about to end */
        }
    }
    if (proxy->fd >= 0) {
        close(proxy->fd);
    }
    pthread_cond_destroy(&proxy->ended);
    pthread_mutex_destroy(&proxy->lock);
    psp_wipe(&proxy->up, sizeof(proxy->up)); /* may hold a password */
    free(proxy);
}
