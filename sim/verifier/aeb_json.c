/* SPDX-License-Identifier: Apache-2.0 */
/* Reader of JSON evidence. A text of one fixed shape from an untrusted host, so
 * a small strict reader that allocates nothing. abi/aeb.md §4.3 */
#include "aeb_evidence.h"

#include "wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_KEYS  64u /* of one object */
#define MAX_DEPTH 8u
#define NAME_SIZE 32u /* longer names are no name of ours */

struct reader {
    const char *start, *p, *end;
    char *why;
    bool bad;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct reader *r,
                                                         const char *fmt, ...)
{
    char what[AEB_WHY_SIZE / 2];
    va_list ap;

    if (!r->bad) {
        va_start(ap, fmt);
        vsnprintf(what, sizeof(what), fmt, ap);
        va_end(ap);
        snprintf(r->why, AEB_WHY_SIZE, "%s, at character %zu", what,
                 (size_t)(r->p - r->start) + 1);
        r->bad = true;
    }
    return false;
}

static void skip_space(struct reader *r)
{
    while (r->p < r->end &&
           (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r')) {
        r->p++;
    }
}

/* The next character that is no white space, taken if it is @c. */
static bool accept(struct reader *r, char c)
{
    skip_space(r);
    if (r->bad || r->p == r->end || *r->p != c) {
        return false;
    }
    r->p++;
    return true;
}

static bool expect(struct reader *r, char c)
{
    return accept(r, c) || refuse(r, "'%c' is missing", c);
}

/* ---- strings ---- */

/* What a string says, as far as it fits; a longer one has another size. */
struct text {
    char at[NAME_SIZE];
    size_t size;
};

static void text_add(struct text *t, char c)
{
    if (t->size < sizeof(t->at)) {
        t->at[t->size] = c;
    }
    t->size++;
}

static bool text_is(const struct text *t, const char *name)
{
    return t->size == strlen(name) && memcmp(t->at, name, t->size) == 0;
}

static bool take_hex4(struct reader *r, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, r->p++) {
        char c = r->p < r->end ? *r->p : '\0';
        uint32_t v = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                            : 16;

        if (v == 16) {
            return refuse(r, "a bad \\u escape");
        }
        *out = *out << 4 | v;
    }
    return true;
}

static void add_code(struct text *t, uint32_t c)
{
    if (c < 0x80) {
        text_add(t, (char)c);
        return;
    }
    /* No name of ours has such a character: only the size matters. */
    for (int n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; n > 0; n--) {
        text_add(t, '\x7f');
    }
}

static bool take_unicode(struct reader *r, struct text *t)
{
    uint32_t c, low;

    if (!take_hex4(r, &c)) {
        return false;
    }
    if (c >= 0xdc00 && c < 0xe000) {
        return refuse(r, "half a surrogate pair");
    }
    if (c >= 0xd800 && c < 0xdc00) {
        if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u') {
            return refuse(r, "half a surrogate pair");
        }
        r->p += 2;
        if (!take_hex4(r, &low) || low < 0xdc00 || low >= 0xe000) {
            return refuse(r, "half a surrogate pair");
        }
        c = 0x10000;
    }
    add_code(t, c);
    return true;
}

static bool take_escape(struct reader *r, struct text *t)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    char c = r->p < r->end ? *r->p++ : '\0';
    const char *at = c != '\0' ? strchr(from, c) : NULL;

    if (c == 'u') {
        return take_unicode(r, t);
    }
    if (at == NULL) {
        return refuse(r, "a bad escape");
    }
    text_add(t, to[at - from]);
    return true;
}

/* One sequence of UTF-8 beyond ASCII. */
static bool take_wide(struct reader *r, struct text *t)
{
    const uint8_t *p = (const uint8_t *)r->p;
    size_t left = (size_t)(r->end - r->p);
    size_t n = (p[0] & 0xe0) == 0xc0   ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    bool ok =
        n != 0 && n <= left && p[0] != 0xc0 && p[0] != 0xc1 && p[0] <= 0xf4;

    for (size_t i = 1; ok && i < n; i++) {
        ok = (p[i] & 0xc0) == 0x80;
    }
    if (!ok || (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) {
        return refuse(r, "a string that is not UTF-8");
    }
    for (size_t i = 0; i < n; i++) {
        text_add(t, r->p[i]);
    }
    r->p += n;
    return true;
}

static bool take_string(struct reader *r, struct text *t)
{
    t->size = 0;
    if (!expect(r, '"')) {
        return false;
    }
    while (!r->bad && r->p < r->end && *r->p != '"') {
        unsigned char c = (unsigned char)*r->p;

        if (c < 0x20) {
            return refuse(r, "a control character in a string");
        }
        if (c >= 0x80) {
            (void)take_wide(r, t);
            continue;
        }
        r->p++;
        if (c == '\\') {
            (void)take_escape(r, t);
        } else {
            text_add(t, (char)c);
        }
    }
    return !r->bad && expect(r, '"');
}

/* ---- numbers ---- */

/* Digits only: no sign, point or exponent, no leading zero. */
static bool take_number(struct reader *r, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;
    const char *first;

    skip_space(r);
    first = r->p;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
        v = v * 10 + (uint64_t)(*r->p - '0');
        if (v > max) {
            return refuse(r, "a number over %u", max);
        }
    }
    if (r->p == first || (*first == '0' && r->p - first > 1)) {
        return refuse(r, "a whole number is missing");
    }
    if (r->p < r->end && (*r->p == '.' || *r->p == 'e' || *r->p == 'E')) {
        return refuse(r, "a number that is not whole");
    }
    *out = (uint32_t)v;
    return true;
}

static bool take_array(struct reader *r, const char *name, uint8_t *out,
                       size_t size)
{
    uint32_t v = 0;

    if (!expect(r, '[')) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (i > 0 && !accept(r, ',')) {
            return refuse(r, "%s has fewer than %zu numbers", name, size);
        }
        if (!take_number(r, UINT8_MAX, &v)) {
            return false;
        }
        out[i] = (uint8_t)v;
    }
    return accept(r, ']') || refuse(r, "%s has not %zu numbers", name, size);
}

static bool take_le32(struct reader *r, uint8_t *out)
{
    struct psp_wr w = psp_wr(out, 4);
    uint32_t v = 0;

    if (!take_number(r, UINT32_MAX, &v)) {
        return false;
    }
    psp_wr_le32(&w, v);
    return true;
}

/* ---- what nobody here knows ---- */

static bool skip_word(struct reader *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0) {
        return refuse(r, "no JSON value");
    }
    r->p += n;
    return true;
}

static bool skip_digits(struct reader *r)
{
    const char *first = r->p;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') {
        r->p++;
    }
    return r->p > first || refuse(r, "no JSON value");
}

static bool skip_number(struct reader *r)
{
    const char *first;

    r->p += *r->p == '-' ? 1 : 0;
    first = r->p;
    if (!skip_digits(r)) {
        return false;
    }
    if (*first == '0' && r->p - first > 1) {
        return refuse(r, "a number with a leading zero");
    }
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!skip_digits(r)) {
            return false;
        }
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-')) {
            r->p++;
        }
        return skip_digits(r);
    }
    return true;
}

static bool skip_value(struct reader *r, unsigned int depth);

static bool skip_members(struct reader *r, unsigned int depth, bool object)
{
    struct text name;
    char close = object ? '}' : ']';
    size_t keys = 0;

    if (depth > MAX_DEPTH) {
        return refuse(r, "nested deeper than %u", MAX_DEPTH);
    }
    r->p++;
    if (accept(r, close)) {
        return true;
    }
    do {
        if (object && ++keys > MAX_KEYS) {
            return refuse(r, "more than %u keys", MAX_KEYS);
        }
        if (object && (!take_string(r, &name) || !expect(r, ':'))) {
            return false;
        }
        if (!skip_value(r, depth)) {
            return false;
        }
    } while (accept(r, ','));
    return expect(r, close);
}

/* @depth: of the value that holds it. */
static bool skip_value(struct reader *r, unsigned int depth)
{
    struct text text;

    skip_space(r);
    switch (r->p < r->end ? *r->p : '\0') {
    case '{':
        return skip_members(r, depth + 1, true);
    case '[':
        return skip_members(r, depth + 1, false);
    case '"':
        return take_string(r, &text);
    case 't':
        return skip_word(r, "true");
    case 'f':
        return skip_word(r, "false");
    case 'n':
        return skip_word(r, "null");
    case '\0':
        return refuse(r, "no JSON value");
    default:
        return skip_number(r);
    }
}

/* ---- objects ---- */

struct parser {
    struct reader r;
    struct aeb_evidence *out;
    unsigned int seen; /* bits of the object's members */
};

/* Take the value of member number @i. */
typedef bool (*member_fn)(struct parser *p, size_t i);

static bool take_object(struct parser *p, unsigned int depth,
                        const char *const *names, size_t count, member_fn take)
{
    unsigned int seen = 0;
    struct text name;
    size_t keys = 0;

    if (!expect(&p->r, '{')) {
        return false;
    }
    if (accept(&p->r, '}')) {
        p->seen = 0;
        return true;
    }
    do {
        size_t i = 0;

        if (++keys > MAX_KEYS) {
            return refuse(&p->r, "more than %u keys", MAX_KEYS);
        }
        if (!take_string(&p->r, &name) || !expect(&p->r, ':')) {
            return false;
        }
        while (i < count && !text_is(&name, names[i])) {
            i++;
        }
        if (i < count && (seen & 1u << i) != 0) {
            return refuse(&p->r, "%s stands there twice", names[i]);
        }
        seen |= i < count ? 1u << i : 0;
        if (!(i < count ? take(p, i) : skip_value(&p->r, depth))) {
            return false;
        }
    } while (accept(&p->r, ','));
    p->seen = seen;
    return expect(&p->r, '}');
}

static bool need(struct parser *p, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((p->seen & 1u << i) == 0) {
            return refuse(&p->r, "%s is missing", names[i]);
        }
    }
    return true;
}

static const char *const REPORT[] = {"monce",     "launch_digest", "policy",
                                     "sig_usage", "sig_algo",      "reserved",
                                     "sig1"};
#define REPORT_COUNT (sizeof(REPORT) / sizeof(REPORT[0]))

static bool take_report_member(struct parser *p, size_t i)
{
    static const struct {
        size_t at, size; /* size 0: u32 */
    } where[REPORT_COUNT] = {{0x00, SEV_MNONCE_SIZE},
                             {0x10, SEV_DIGEST_SIZE},
                             {0x30, 0},
                             {0x34, 0},
                             {0x38, 0},
                             {0x3c, 0},
                             {0x40, 2 * SEV_CERT_NUM_SIZE}};
    uint8_t *to = p->out->report + where[i].at;

    return where[i].size == 0 ? take_le32(&p->r, to)
                              : take_array(&p->r, REPORT[i], to, where[i].size);
}

static bool take_cert(struct parser *p, const char *name, uint8_t *out)
{
    static const uint8_t version[4] = {SEV_CERT_VERSION};

    if (!take_array(&p->r, name, out, SEV_CERT_SIZE)) {
        return false;
    }
    return memcmp(out, version, sizeof(version)) == 0 ||
           refuse(&p->r, "%s is no certificate of version 1", name);
}

static bool take_device(struct parser *p)
{
    struct text t;

    if (!take_string(&p->r, &t)) {
        return false;
    }
    for (enum aeb_type d = AEB_ROME; d < AEB_DEVICE_COUNT; d++) {
        if (text_is(&t, aeb_device_name(d))) {
            p->out->typed = true;
            p->out->device = (uint8_t)d;
            return true;
        }
    }
    return refuse(&p->r, "device_type is unknown");
}

/* The last is optional. */
static const char *const TOP[] = {"report", "cek", "pek", "oca", "device_type"};
#define TOP_COUNT (sizeof(TOP) / sizeof(TOP[0]))

static bool take_top_member(struct parser *p, size_t i)
{
    switch (i) {
    case 0:
        return take_object(p, 2, REPORT, REPORT_COUNT, take_report_member) &&
               need(p, REPORT, REPORT_COUNT);
    case 1:
        return take_cert(p, TOP[i], p->out->cek);
    case 2:
        return take_cert(p, TOP[i], p->out->pek);
    case 3:
        return take_cert(p, TOP[i], p->out->oca);
    default:
        return take_device(p);
    }
}

enum psp_err aeb_json_decode(const char *text, size_t size,
                             struct aeb_evidence *out, char *why)
{
    struct parser p = {
        .r = {.start = text, .p = text, .end = text + size, .why = why},
        .out = out};

    memset(out, 0, sizeof(*out));
    why[0] = '\0';
    if (size > AEB_JSON_MAX) {
        (void)refuse(&p.r, "more than %u characters", AEB_JSON_MAX);
    } else if (take_object(&p, 1, TOP, TOP_COUNT, take_top_member) &&
               need(&p, TOP, TOP_COUNT - 1)) {
        skip_space(&p.r);
        if (p.r.p < p.r.end) {
            (void)refuse(&p.r, "something follows the evidence");
        }
    }
    return p.r.bad ? PSP_E_FORMAT : PSP_OK;
}
