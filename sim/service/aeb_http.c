/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_http.h"
#include "monotonic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX 1536u

static size_t make_request(const struct aeb_http *get, char out[REQUEST_MAX])
{
    const struct aeb_url *u = get->url;
    bool v6 = strchr(u->host, ':') != NULL;
    bool usual = strcmp(u->port, u->tls ? "443" : "80") == 0;
    int n = snprintf(out, REQUEST_MAX,
                     "GET %s%s HTTP/1.1\r\nHost: %s%s%s%s%s\r\nAccept: */*\r\n"
                     "User-Agent: swpsp/" SWPSP_VERSION
                     "\r\nConnection: close\r\n\r\n",
                     u->base, get->path, v6 ? "[" : "", u->host, v6 ? "]" : "",
                     usual ? "" : ":", usual ? "" : u->port);

    return n > 0 && (size_t)n < REQUEST_MAX ? (size_t)n : 0;
}

static int receive(const struct aeb_http *get, struct aeb_net *net,
                   struct aeb_answer *out, char *why)
{
    uint8_t *data = malloc(AEB_HTTP_ANSWER_MAX);
    size_t size = 0;
    int err = -EAGAIN;

    if (data == NULL) {
        snprintf(why, AEB_WHY_NET, "out of memory");
        return -ENOMEM;
    }
    while (err == -EAGAIN) {
        ssize_t n = size < AEB_HTTP_ANSWER_MAX
                        ? aeb_net_receive(net, &get->patience, data + size,
                                          AEB_HTTP_ANSWER_MAX - size, why)
                        : -EMSGSIZE;

        if (n < 0) {
            err = (int)n;
            break;
        }
        size += (size_t)n;
        err = aeb_answer_parse(data, size, n == 0, out);
        if (err == -EPROTO) {
            snprintf(why, AEB_WHY_NET, "no whole HTTP answer");
        }
    }
    if (err == -EMSGSIZE) {
        snprintf(why, AEB_WHY_NET, "the answer is too large");
    }
    free(data);
    return err;
}

int aeb_http_get(const struct aeb_http *get, struct aeb_answer *out, char *why)
{
    struct aeb_patience first = get->patience;
    char request[REQUEST_MAX];
    size_t size = make_request(get, request);
    int64_t soon = monotonic_ms() + get->connect_ms;
    struct aeb_net *net = NULL;
    int err;

    snprintf(why, AEB_WHY_NET, "no answer in time");
    first.until = soon < first.until ? soon : first.until;
    if (size == 0) {
        snprintf(why, AEB_WHY_NET, "the URL is too long");
        return -EINVAL;
    }
    err = aeb_net_open(get->url, get->trust, &first, &net, why);
    if (err == 0) {
        err = aeb_net_send(net, &get->patience, request, size, why);
    }
    if (err == 0) {
        err = receive(get, net, out, why);
    }
    aeb_net_close(net);
    return err;
}
