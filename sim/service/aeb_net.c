/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_net.h"
#include "monotonic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STEP_MS 100

struct aeb_trust {
    SSL_CTX *ctx;
};

struct aeb_net {
    int fd;
    SSL *ssl; /* NULL: plain */
};

static int say(char *why, int err)
{
    snprintf(why, AEB_WHY_NET, "%s", strerror(-err));
    return err;
}

/* ---- patience ---- */

/* How long to wait at most now; 0 or below: an error. */
static int next_step(const struct aeb_patience *p)
{
    int64_t left = p->until - monotonic_ms();

    if (p->give_up != NULL && p->give_up(p->ctx)) {
        return -ECANCELED;
    }
    if (left <= 0) {
        return -ETIMEDOUT;
    }
    return left < STEP_MS ? (int)left : STEP_MS;
}

static int wait_for(const struct aeb_patience *p, int fd, short events)
{
    for (;;) {
        struct pollfd f = {.fd = fd, .events = events};
        int step = next_step(p);
        int n = step > 0 ? poll(&f, 1, step) : 0;

        if (step <= 0) {
            return step;
        }
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
    }
}

/* ---- names ---- */

/* A look-up that may outlive the caller's patience, and is its own then. */
struct lookup {
    struct gaicb cb;
    struct addrinfo hints;
    struct aeb_url url;
};

/* 0 when it is over, or what next_step() said. */
static int await_lookup(const struct lookup *l, const struct aeb_patience *p)
{
    const struct gaicb *const one[1] = {&l->cb};

    while (gai_error((struct gaicb *)(uintptr_t)&l->cb) == EAI_INPROGRESS) {
        int step = next_step(p);
        struct timespec t = {.tv_nsec = (long)step * 1000000};

        if (step <= 0) {
            return step;
        }
        (void)gai_suspend(one, 1, &t);
    }
    return 0;
}

/* An error of getaddrinfo(); or *gone: what next_step() said. */
static int look_up(struct lookup *l, const struct aeb_patience *p,
                   struct addrinfo **list, int *gone)
{
    struct gaicb *one[1] = {&l->cb};
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    int err;

    l->cb = (struct gaicb){.ar_name = l->url.host,
                           .ar_service = l->url.port,
                           .ar_request = &l->hints};
    err = getaddrinfo_a(GAI_NOWAIT, one, 1, &none);
    if (err == 0) {
        *gone = await_lookup(l, p);
    }
    /* What cannot be cancelled is written to later: it is left to itself. */
    if (*gone != 0 && gai_cancel(&l->cb) == EAI_NOTCANCELED) {
        return EAI_INPROGRESS;
    }
    err = err == 0 ? gai_error(&l->cb) : err;
    *list = l->cb.ar_result;
    free(l);
    return err;
}

static int resolve(const struct aeb_url *url, const struct aeb_patience *p,
                   struct addrinfo **list, char *why)
{
    const struct addrinfo number = {.ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_NUMERICHOST};
    struct lookup *l;
    int gone = 0;
    int err = getaddrinfo(url->host, url->port, &number, list);

    if (err != EAI_NONAME) {
        return err == 0 ? 0 : say(why, -EHOSTUNREACH);
    }
    l = calloc(1, sizeof(*l));
    if (l == NULL) {
        return say(why, -ENOMEM);
    }
    l->url = *url;
    l->hints.ai_socktype = SOCK_STREAM;
    err = look_up(l, p, list, &gone);
    if (gone != 0) {
        if (err == 0) {
            freeaddrinfo(*list);
        }
        return gone;
    }
    if (err != 0) {
        snprintf(why, AEB_WHY_NET, "%.100s: %s", url->host, gai_strerror(err));
        return -EHOSTUNREACH;
    }
    return 0;
}

static bool is_address(const char *host)
{
    uint8_t bin[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bin) == 1 ||
           inet_pton(AF_INET6, host, bin) == 1;
}

/* ---- TCP ---- */

static int connect_one(const struct addrinfo *a, const struct aeb_patience *p)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    a->ai_protocol);
    int err = 0;
    socklen_t size = sizeof(err);

    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        err = errno == EINPROGRESS ? wait_for(p, fd, POLLOUT) : -errno;
        if (err == 0 &&
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0) {
            err = -err;
        }
    }
    if (err != 0) {
        (void)close(fd);
        return err;
    }
    return fd;
}

static int connect_any(const struct aeb_url *url, const struct aeb_patience *p,
                       char *why)
{
    struct addrinfo *list = NULL;
    int fd = resolve(url, p, &list, why);

    if (fd != 0) {
        return fd;
    }
    fd = -EHOSTUNREACH;
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        fd = connect_one(a, p);
        if (fd == -ETIMEDOUT || fd == -ECANCELED) {
            break;
        }
    }
    freeaddrinfo(list);
    return fd < 0 ? say(why, fd) : fd;
}

/* ---- TLS ---- */

static int tls_say(char *why, const char *what)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(e);

    snprintf(why, AEB_WHY_NET, "%s: %s", what,
             reason != NULL ? reason : "the connection ended");
    ERR_clear_error();
    return -EPROTO;
}

int aeb_trust_open(const char *ca_file, struct aeb_trust **out, char *why)
{
    struct aeb_trust *t = calloc(1, sizeof(*t));
    int ok;

    if (t == NULL) {
        return say(why, -ENOMEM);
    }
    ERR_clear_error();
    t->ctx = SSL_CTX_new(TLS_client_method());
    ok = t->ctx != NULL &&
         SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) == 1;
    if (ok) {
        SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
        ok = ca_file != NULL ? SSL_CTX_load_verify_file(t->ctx, ca_file)
                             : SSL_CTX_set_default_verify_paths(t->ctx);
    }
    if (ok != 1) {
        aeb_trust_close(t);
        return tls_say(why, "no certificates could be read");
    }
    *out = t;
    return 0;
}

void aeb_trust_close(struct aeb_trust *trust)
{
    if (trust != NULL) {
        SSL_CTX_free(trust->ctx);
        free(trust);
    }
}

/* After a call that returned @n: 0 to call again, 1 at the end. */
static int tls_wait(struct aeb_net *net, const struct aeb_patience *p, int n,
                    char *why)
{
    switch (SSL_get_error(net->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(p, net->fd, POLLIN);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(p, net->fd, POLLOUT);
    case SSL_ERROR_ZERO_RETURN:
        return 1;
    default:
        return tls_say(why, "TLS");
    }
}

static bool expect_host(SSL *ssl, const char *host)
{
    if (is_address(host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 &&
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                    TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host) == 1;
}

static int handshake(struct aeb_net *net, struct aeb_trust *trust,
                     const char *host, const struct aeb_patience *p, char *why)
{
    long verdict;
    int n;
    int err = 0;

    ERR_clear_error();
    net->ssl = SSL_new(trust->ctx);
    if (net->ssl == NULL || SSL_set_fd(net->ssl, net->fd) != 1 ||
        !expect_host(net->ssl, host)) {
        return tls_say(why, "TLS");
    }
    do {
        n = SSL_connect(net->ssl);
        err = n == 1 ? 0 : tls_wait(net, p, n, why);
    } while (n != 1 && err == 0);
    verdict = SSL_get_verify_result(net->ssl);
    if (err == -EPROTO && verdict != X509_V_OK) {
        snprintf(why, AEB_WHY_NET, "its certificate: %s",
                 X509_verify_cert_error_string(verdict));
        return -EKEYREJECTED;
    }
    return err == 1 ? tls_say(why, "TLS") : err;
}

/* ---- either ---- */

int aeb_net_open(const struct aeb_url *url, struct aeb_trust *trust,
                 const struct aeb_patience *p, struct aeb_net **out, char *why)
{
    struct aeb_net *net = calloc(1, sizeof(*net));
    int err = 0;

    if (net == NULL) {
        return say(why, -ENOMEM);
    }
    net->fd = connect_any(url, p, why);
    if (net->fd < 0) {
        err = net->fd;
    } else if (url->tls) {
        err = handshake(net, trust, url->host, p, why);
    }
    if (err != 0) {
        aeb_net_close(net);
        return err;
    }
    *out = net;
    return 0;
}

int aeb_net_send(struct aeb_net *net, const struct aeb_patience *p,
                 const void *data, size_t size, char *why)
{
    const uint8_t *at = data;
    int err = 0;

    while (size > 0 && err == 0) {
        ssize_t n;

        if (net->ssl != NULL) {
            ERR_clear_error();
            n = SSL_write(net->ssl, at, (int)size);
            err = n > 0 ? 0 : tls_wait(net, p, (int)n, why);
        } else {
            n = send(net->fd, at, size, MSG_NOSIGNAL);
            if (n < 0) {
                err = errno == EAGAIN ? wait_for(p, net->fd, POLLOUT)
                                      : say(why, -errno);
            }
        }
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return err == 1 ? say(why, -EPIPE) : err;
}

ssize_t aeb_net_receive(struct aeb_net *net, const struct aeb_patience *p,
                        void *data, size_t size, char *why)
{
    int err = 0;

    while (err == 0) {
        ssize_t n;

        if (net->ssl != NULL) {
            ERR_clear_error();
            n = SSL_read(net->ssl, data, (int)size);
            err = n > 0 ? 0 : tls_wait(net, p, (int)n, why);
            if (err == 1) {
                return 0;
            }
        } else {
            n = recv(net->fd, data, size, 0);
            if (n == 0) {
                return 0;
            }
            if (n < 0) {
                err = errno == EAGAIN ? wait_for(p, net->fd, POLLIN)
                                      : say(why, -errno);
            }
        }
        if (n > 0) {
            return n;
        }
    }
    return err;
}

void aeb_net_close(struct aeb_net *net)
{
    if (net == NULL) {
        return;
    }
    SSL_free(net->ssl);
    if (net->fd >= 0) {
        (void)close(net->fd);
    }
    free(net);
}
