/* SPDX-License-Identifier: Apache-2.0 */
#include "pem.h"

#include "crypto.h"
#include "wire.h"

#include <nettle/base64.h>

#include <string.h>

#define LINE_BYTES 48u /* 64 characters */
#define LINE_TEXT  64u

static void put_text(struct psp_wr *w, const char *text)
{
    psp_wr_bytes(w, text, strlen(text));
}

static void put_rule(struct psp_wr *w, const char *word, const char *label)
{
    put_text(w, "-----");
    put_text(w, word);
    put_text(w, " ");
    put_text(w, label);
    put_text(w, "-----\n");
}

static void put_block(struct psp_wr *w, const char *label, const uint8_t *der,
                      size_t size)
{
    char line[LINE_TEXT];

    put_rule(w, "BEGIN", label);
    for (size_t i = 0; i < size; i += LINE_BYTES) {
        size_t n = size - i < LINE_BYTES ? size - i : LINE_BYTES;

        base64_encode_raw(line, n, der + i);
        psp_wr_bytes(w, line, BASE64_ENCODE_RAW_LENGTH(n));
        put_text(w, "\n");
    }
    put_rule(w, "END", label);
    psp_wipe(line, sizeof(line));
}

size_t pem_encode(const char *label, const uint8_t *der, size_t der_size,
                  char *out, size_t size)
{
    struct psp_wr measure = psp_wr(NULL, 0);
    struct psp_wr w = psp_wr(out, size);

    put_block(&measure, label, der, der_size);
    if (measure.pos <= size) {
        put_block(&w, label, der, der_size);
    }
    return measure.pos;
}

/* Consume @want, or latch. */
static void expect(struct psp_rd *r, const char *want)
{
    const uint8_t *p = psp_rd_view(r, strlen(want));

    if (p == NULL || memcmp(p, want, strlen(want)) != 0) {
        r->bad = true;
    }
}

static void expect_rule(struct psp_rd *r, const char *word, const char *label)
{
    expect(r, "-----");
    expect(r, word);
    expect(r, " ");
    expect(r, label);
    expect(r, "-----\n");
}

/* One line of base64 to @out; its bytes, 0 when it is none. Encoding it again
 * shows white space and stray bits, which the library lets pass. */
static size_t take_line(struct psp_rd *r, uint8_t *out)
{
    struct base64_decode_ctx ctx;
    char again[LINE_TEXT];
    const char *text = (const char *)r->buf + r->pos;
    const char *end = memchr(text, '\n', psp_rd_left(r));
    size_t n = end == NULL ? 0 : (size_t)(end - text);
    size_t got = 0;

    if (n == 0 || n > LINE_TEXT || n % 4 != 0) {
        return 0;
    }
    base64_decode_init(&ctx);
    if (base64_decode_update(&ctx, &got, out, n, text) != 1 ||
        base64_decode_final(&ctx) != 1) {
        return 0;
    }
    base64_encode_raw(again, got, out);
    if (BASE64_ENCODE_RAW_LENGTH(got) != n || memcmp(again, text, n) != 0) {
        got = 0;
    }
    psp_wipe(again, sizeof(again));
    psp_rd_skip(r, n + 1);
    return got;
}

enum psp_err pem_decode(const char *label, const char *text, size_t text_size,
                        uint8_t *out, size_t size, size_t *der_size)
{
    struct psp_rd r = psp_rd(text, text_size);
    uint8_t line[BASE64_DECODE_LENGTH(LINE_TEXT)];
    size_t total = 0;
    size_t n = LINE_BYTES;

    expect_rule(&r, "BEGIN", label);
    while (n == LINE_BYTES && psp_rd_left(&r) > 0 && r.buf[r.pos] != '-') {
        n = take_line(&r, line);
        if (n == 0 || n > size - total) {
            r.bad = true;
            break;
        }
        memcpy(out + total, line, n);
        total += n;
    }
    expect_rule(&r, "END", label);
    psp_wipe(line, sizeof(line));
    if (!psp_rd_done(&r) || total == 0) {
        return PSP_E_FORMAT;
    }
    *der_size = total;
    return PSP_OK;
}
