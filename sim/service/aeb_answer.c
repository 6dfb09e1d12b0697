/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_answer.h"

#include "wire.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_SIZE 0x400u /* of a chunk's size, or a trailer */
#define RETRY_MAX     3600u

/* Bytes not looked at yet. */
struct rest {
    const char *at;
    size_t size;
    bool ended;
};

/* What the head says about the body. */
struct framing {
    bool chunked, have_length;
    size_t length;
};

/* Where more might still come. */
static int short_of(const struct rest *r)
{
    return r->ended ? -EPROTO : -EAGAIN;
}

/* The next line, without its CRLF; 0 or an error. */
static int take_line(struct rest *r, size_t max, const char **line,
                     size_t *size)
{
    const char *end = memchr(r->at, '\n', r->size < max ? r->size : max);

    if (end == NULL) {
        return r->size < max ? short_of(r) : -EPROTO;
    }
    if (end == r->at || end[-1] != '\r') {
        return -EPROTO;
    }
    *line = r->at;
    *size = (size_t)(end - r->at) - 1;
    r->size -= *size + 2;
    r->at = end + 1;
    return memchr(*line, '\0', *size) == NULL ? 0 : -EPROTO;
}

static int take_status(struct rest *r, int *status)
{
    const char *line;
    size_t size;
    int err = take_line(r, AEB_HTTP_HEAD_MAX, &line, &size);

    if (err != 0) {
        return err;
    }
    if (size < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ' ||
        (size > 12 && line[12] != ' ')) {
        return -EPROTO;
    }
    *status = 0;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9') {
            return -EPROTO;
        }
        *status = *status * 10 + (line[i] - '0');
    }
    return *status >= 100 && *status <= 599 ? 0 : -EPROTO;
}

/* ---- headers ---- */

/* Decimal digits alone; what is larger than @max becomes max + 1. */
static bool take_decimal(const char *text, size_t size, size_t max, size_t *out)
{
    *out = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *out = *out > max ? *out : *out * 10 + (size_t)(text[i] - '0');
    }
    return size > 0;
}

static bool is(const char *text, size_t size, const char *name)
{
    return size == strlen(name) && strncasecmp(text, name, size) == 0;
}

static void take_location(const char *value, size_t size,
                          struct aeb_answer *out)
{
    size_t n = 0;

    while (n < size && n + 1 < sizeof(out->location) && value[n] > ' ' &&
           value[n] <= '~') {
        out->location[n] = value[n];
        n++;
    }
    out->location[n] = '\0';
}

static int take_length(const char *value, size_t size, struct framing *f)
{
    size_t n;

    if (!take_decimal(value, size, AEB_HTTP_BODY_MAX, &n) ||
        (f->have_length && n != f->length)) {
        return -EPROTO;
    }
    f->have_length = true;
    f->length = n;
    return 0;
}

static int take_header(const char *name, size_t name_size, const char *value,
                       size_t size, struct framing *f, struct aeb_answer *out)
{
    size_t n;

    if (is(name, name_size, "Content-Length")) {
        return take_length(value, size, f);
    }
    if (is(name, name_size, "Transfer-Encoding")) {
        if (f->chunked || !is(value, size, "chunked")) {
            return -EPROTO;
        }
        f->chunked = true;
    } else if (is(name, name_size, "Retry-After") &&
               take_decimal(value, size, RETRY_MAX, &n)) {
        out->have_retry = true;
        out->retry_s = n < RETRY_MAX ? (unsigned int)n : RETRY_MAX;
    } else if (is(name, name_size, "Location")) {
        take_location(value, size, out);
    }
    return 0;
}

static int take_headers(struct rest *r, struct framing *f,
                        struct aeb_answer *out)
{
    for (;;) {
        const char *line, *colon;
        size_t size, n;
        int err = take_line(r, AEB_HTTP_HEAD_MAX, &line, &size);

        if (err != 0 || size == 0) {
            return err;
        }
        colon = memchr(line, ':', size);
        if (colon == NULL || colon == line || *line == ' ' || *line == '\t' ||
            colon[-1] == ' ' || colon[-1] == '\t') {
            return -EPROTO;
        }
        n = (size_t)(colon - line);
        colon++;
        size -= n + 1;
        while (size > 0 && (*colon == ' ' || *colon == '\t')) {
            colon++;
            size--;
        }
        while (size > 0 &&
               (colon[size - 1] == ' ' || colon[size - 1] == '\t')) {
            size--;
        }
        err = take_header(line, n, colon, size, f, out);
        if (err != 0) {
            return err;
        }
    }
}

/* ---- body ---- */

static int take_bytes(struct rest *r, size_t n, struct aeb_answer *out)
{
    if (n > sizeof(out->body) - out->size) {
        return -EMSGSIZE;
    }
    if (n > r->size) {
        return short_of(r);
    }
    memcpy(out->body + out->size, r->at, n);
    out->size += n;
    r->at += n;
    r->size -= n;
    return 0;
}

static int take_chunk_size(struct rest *r, size_t *n)
{
    const char *line;
    size_t size, i = 0;
    int err = take_line(r, LINE_MAX_SIZE, &line, &size);

    if (err != 0) {
        return err;
    }
    *n = 0;
    while (i < size && psp_hex_digit(line[i]) >= 0) {
        *n = *n > AEB_HTTP_BODY_MAX ? *n
                                    : *n * 16 + (size_t)psp_hex_digit(line[i]);
        i++;
    }
    return i > 0 && (i == size || line[i] == ';' || line[i] == ' ') ? 0
                                                                    : -EPROTO;
}

static int take_chunks(struct rest *r, struct aeb_answer *out)
{
    const char *line;
    size_t n, size;
    int err;

    do {
        err = take_chunk_size(r, &n);
        if (err == 0 && n > 0) {
            err = take_bytes(r, n, out);
        }
        if (err == 0 && n > 0) {
            err = take_line(r, LINE_MAX_SIZE, &line, &size);
            err = err == 0 && size > 0 ? -EPROTO : err;
        }
    } while (err == 0 && n > 0);
    do { /* trailers mean nothing here */
        err = err == 0 ? take_line(r, LINE_MAX_SIZE, &line, &size) : err;
    } while (err == 0 && size > 0);
    return err;
}

static int take_body(struct rest *r, const struct framing *f,
                     struct aeb_answer *out)
{
    int err;

    if (f->chunked) {
        return f->have_length ? -EPROTO : take_chunks(r, out);
    }
    if (f->have_length) {
        return take_bytes(r, f->length, out);
    }
    err = take_bytes(r, r->size, out);
    return err == 0 && !r->ended ? -EAGAIN : err;
}

int aeb_answer_parse(const uint8_t *data, size_t size, bool ended,
                     struct aeb_answer *out)
{
    struct rest r = {(const char *)data, size, ended};
    struct framing f;
    int err;

    do {
        memset(&f, 0, sizeof(f));
        out->have_retry = false;
        out->location[0] = '\0';
        out->size = 0;
        err = take_status(&r, &out->status);
        if (err == 0) {
            err = take_headers(&r, &f, out);
        }
    } while (err == 0 && out->status < 200);
    if (err == 0 && out->status < 300) {
        err = take_body(&r, &f, out);
    }
    return err;
}
