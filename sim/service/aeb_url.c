/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_url.h"

#include <stdlib.h>
#include <string.h>

static bool copy(char *to, size_t room, const char *from, size_t n)
{
    if (n == 0 || n >= room) {
        return false;
    }
    memcpy(to, from, n);
    to[n] = '\0';
    return true;
}

static bool take_scheme(const char **text, struct aeb_url *out)
{
    if (strncmp(*text, "http://", 7) == 0) {
        *text += 7;
        return copy(out->port, sizeof(out->port), "80", 2);
    }
    if (strncmp(*text, "https://", 8) == 0) {
        *text += 8;
        out->tls = true;
        return copy(out->port, sizeof(out->port), "443", 3);
    }
    return false;
}

static bool take_host(const char **text, struct aeb_url *out)
{
    bool brackets = **text == '[';
    size_t n;

    *text += brackets ? 1 : 0;
    n = strcspn(*text, brackets ? "]" : ":/");
    if (!copy(out->host, sizeof(out->host), *text, n)) {
        return false;
    }
    *text += n;
    if (brackets && *(*text)++ != ']') {
        return false;
    }
    return **text == '\0' || **text == ':' || **text == '/';
}

static bool take_port(const char **text, struct aeb_url *out)
{
    size_t n;

    if (**text != ':') {
        return true;
    }
    n = strcspn(++*text, "/");
    if (strspn(*text, "0123456789") != n ||
        !copy(out->port, sizeof(out->port), *text, n)) {
        return false;
    }
    *text += n;
    return strtoul(out->port, NULL, 10) - 1 < 65535;
}

bool aeb_url_parse(const char *text, struct aeb_url *out)
{
    size_t n;

    memset(out, 0, sizeof(*out));
    for (const char *p = text; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~' || strchr("?#@\"<>\\", *p) != NULL) {
            return false;
        }
    }
    if (!take_scheme(&text, out) || !take_host(&text, out) ||
        !take_port(&text, out)) {
        return false;
    }
    n = strlen(text);
    while (n > 0 && text[n - 1] == '/') {
        n--;
    }
    return n == 0 || copy(out->base, sizeof(out->base), text, n);
}
