/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_upstream.h"

#include "crypto.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define HEAD_MAX  8192u
#define SEPARATOR ", \t\r\n"

/* "%41" is A; anything else is itself. In place. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *p = text; *p != '\0'; p++) {
        int high = p[0] == '%' ? psp_hex_digit(p[1]) : -1;
        int low = high < 0 ? -1 : psp_hex_digit(p[2]);

        *to++ = (char)(low < 0 ? *p : high << 4 | low);
        p += low < 0 ? 0 : 2;
    }
    *to = '\0';
}

/* Of the @size bytes before the '@'. */
static bool take_auth(const char *text, size_t size, struct kds_upstream *out)
{
    char plain[KDS_UPSTREAM_TEXT / 2] = "";

    if (size + 2 > sizeof(plain)) {
        return false;
    }
    memcpy(plain, text, size);
    unescape(plain);
    if (strchr(plain, ':') == NULL) {
        strcat(plain, ":");
    }
    (void)EVP_EncodeBlock((unsigned char *)out->auth, (unsigned char *)plain,
                          (int)strlen(plain));
    psp_wipe(plain, sizeof(plain));
    return true;
}

static bool parse(const char *proxy, struct kds_upstream *out)
{
    const char *rest = strstr(proxy, "://");
    const char *at;
    char url[KDS_UPSTREAM_TEXT];
    size_t n;

    if (rest != NULL && strncasecmp(proxy, "http://", 7) != 0) {
        return false;
    }
    rest = rest == NULL ? proxy : rest + 3;
    n = strcspn(rest, "/");
    at = memrchr(rest, '@', n);
    if (at != NULL && !take_auth(rest, (size_t)(at - rest), out)) {
        return false;
    }
    at = at == NULL ? rest : at + 1;
    n -= (size_t)(at - rest);
    return n + 8 <= sizeof(url) &&
           snprintf(url, sizeof(url), "http://%.*s", (int)n, at) > 0 &&
           aeb_url_parse(url, &out->url);
}

bool kds_upstream_parse(const char *proxy, const char *no_proxy,
                        struct kds_upstream *out)
{
    memset(out, 0, sizeof(*out));
    if (proxy == NULL || proxy[0] == '\0') {
        return true;
    }
    out->used = true;
    no_proxy = no_proxy == NULL ? "" : no_proxy;
    if (strlen(no_proxy) >= sizeof(out->no_proxy)) {
        return false;
    }
    strcpy(out->no_proxy, no_proxy);
    if (parse(proxy, out)) {
        return true;
    }
    memset(&out->url, 0, sizeof(out->url));
    return false;
}

/* Bytes of an address: 4, 16 or 0. */
static size_t to_address(const char *text, uint8_t out[16])
{
    if (inet_pton(AF_INET, text, out) == 1) {
        return 4;
    }
    return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
    uint8_t mask = (uint8_t)(0xff00u >> bits % 8);

    return memcmp(a, b, bits / 8) == 0 &&
           (bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

/* "10.0.0.0/8", or an address alone. */
static bool in_network(char *entry, const char *host)
{
    char *slash = strchr(entry, '/');
    uint8_t a[16], b[16];
    size_t size;
    unsigned long bits;
    char *end = NULL;

    if (slash != NULL) {
        *slash = '\0';
    }
    size = to_address(entry, a);
    bits = slash == NULL ? 8 * size : strtoul(slash + 1, &end, 10);
    return size != 0 && to_address(host, b) == size && bits <= 8 * size &&
           (slash == NULL || (end != slash + 1 && *end == '\0')) &&
           same_bits(a, b, (unsigned int)bits);
}

static bool in_domain(const char *domain, const char *host)
{
    size_t n, m = strlen(host);

    domain += strncmp(domain, "*.", 2) == 0 ? 1 : 0;
    domain += *domain == '.' ? 1 : 0;
    n = strlen(domain);
    return n > 0 && m >= n && strcasecmp(host + m - n, domain) == 0 &&
           (m == n || host[m - n - 1] == '.');
}

/* @entry is cut in place. */
static bool entry_names(char *entry, const char *host, const char *port)
{
    char *colon = strrchr(entry, ':');
    size_t n = strlen(entry);

    if (strcmp(entry, "*") == 0) {
        return true;
    }
    if (colon != NULL && (colon == strchr(entry, ':') || colon[-1] == ']')) {
        *colon = '\0';
        if (strcmp(colon + 1, port) != 0) {
            return false;
        }
        n = strlen(entry);
    }
    if (n > 1 && entry[0] == '[' && entry[n - 1] == ']') {
        entry[n - 1] = '\0';
        entry++;
    }
    return in_domain(entry, host) || in_network(entry, host);
}

bool kds_no_proxy_names(const char *list, const char *host, const char *port)
{
    char *copy = strdup(list);
    char *at = NULL;
    bool found = false;

    for (char *e = copy == NULL ? NULL : strtok_r(copy, SEPARATOR, &at);
         e != NULL && !found; e = strtok_r(NULL, SEPARATOR, &at)) {
        found = entry_names(e, host, port);
    }
    free(copy);
    return found;
}

char *kds_no_proxy_without(const char *list, const char *host, const char *port)
{
    char *copy = strdup(list);
    char *out = calloc(1, strlen(list) + 1);
    char *at = NULL;

    for (char *e = copy == NULL || out == NULL ? NULL
                                               : strtok_r(copy, SEPARATOR, &at);
         e != NULL; e = strtok_r(NULL, SEPARATOR, &at)) {
        if (!kds_no_proxy_names(e, host, port)) {
            strcat(out, out[0] == '\0' ? "" : ",");
            strcat(out, e);
        }
    }
    if (copy == NULL) {
        free(out);
        out = NULL;
    }
    free(copy);
    return out;
}

bool kds_upstream_serves(const struct kds_upstream *up, const char *host,
                         const char *port)
{
    static const char loopback[] = "localhost,127.0.0.0/8,::1/128";

    return up->used && !kds_no_proxy_names(loopback, host, port) &&
           !kds_no_proxy_names(up->no_proxy, host, port);
}

bool kds_send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        size -= (size_t)n;
    }
    return true;
}

/* Up to the empty line and no byte further: what follows is the other end's. */
static bool read_head(int fd, char head[HEAD_MAX + 1])
{
    size_t n = 0;

    while (n < HEAD_MAX) {
        ssize_t got = recv(fd, head + n, 1, 0);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        head[++n] = '\0';
        if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0) {
            return true;
        }
    }
    return false;
}

bool kds_upstream_connect(const struct kds_upstream *up, int fd,
                          const char *host, const char *port, char status[64])
{
    bool v6 = strchr(host, ':') != NULL;
    bool auth = up->auth[0] != '\0';
    bool sent;
    char head[HEAD_MAX + 1] = "";

    snprintf(head, sizeof(head),
             "CONNECT %s%s%s:%s HTTP/1.1\r\nHost: %s%s%s:%s\r\n%s%s%s\r\n",
             v6 ? "[" : "", host, v6 ? "]" : "", port, v6 ? "[" : "", host,
             v6 ? "]" : "", port, auth ? "Proxy-Authorization: Basic " : "",
             up->auth, auth ? "\r\n" : "");
    snprintf(status, 64, "502 No answer from the proxy behind");
    sent = kds_send_all(fd, head, strlen(head));
    psp_wipe(head, sizeof(head));
    if (!sent || !read_head(fd, head) || strncmp(head, "HTTP/1.", 7) != 0 ||
        strlen(head) < 12) {
        return false;
    }
    snprintf(status, 64, "%.*s", (int)strcspn(head + 9, "\r\n"), head + 9);
    return status[0] == '2';
}
