/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_route.h"

#include "wire.h"

#include <string.h>

#define HTTP_OK                 200u
#define HTTP_BAD_REQUEST        400u
#define HTTP_NOT_FOUND          404u
#define HTTP_METHOD_NOT_ALLOWED 405u

#define TURIN_ID_SIZE 8u

/* One path segment, borrowed. */
struct segment {
    const char *text;
    size_t size;
};

/* The next segment of "/a/b"; false, and nothing taken, at the end or at an
 * empty segment. */
static bool next_segment(const char **path, struct segment *out)
{
    if (**path != '/') {
        return false;
    }
    out->text = *path + 1;
    out->size = strcspn(out->text, "/");
    if (out->size == 0) {
        return false;
    }
    *path = out->text + out->size;
    return true;
}

static bool is(struct segment s, const char *text)
{
    return strlen(text) == s.size && memcmp(s.text, text, s.size) == 0;
}

static bool take_product(struct segment s, struct kds_request *out)
{
    for (int g = PSP_MILAN; g < PSP_GENERATION_COUNT; g++) {
        if (is(s, psp_generation_name((enum psp_generation)g))) {
            out->generation = (enum psp_generation)g;
            return true;
        }
    }
    return false;
}

/* 200, 400 (not hex) or 404 (another length). */
static unsigned int take_hwid(struct segment s, size_t size,
                              struct kds_request *out)
{
    for (size_t i = 0; i < s.size; i++) {
        if (psp_hex_digit(s.text[i]) < 0) {
            return HTTP_BAD_REQUEST;
        }
    }
    if (s.size != 2 * size) {
        return HTTP_NOT_FOUND;
    }
    memset(out->hwid, 0, sizeof(out->hwid));
    (void)psp_hex_decode(s.text, out->hwid, size);
    return HTTP_OK;
}

/* Where a parameter goes in TCB_VERSION, and its largest value. §1.8, §2.2 */
struct spl {
    const char *name;
    int milan_byte; /* -1: unknown for this layout */
    int turin_byte;
    unsigned int max;
};

static const struct spl SPLS[] = {
    {"fmcSPL", -1, 0, 127}, {"blSPL", 0, 1, 127},    {"teeSPL", 1, 2, 127},
    {"snpSPL", 6, 3, 127},  {"ucodeSPL", 7, 7, 255},
};

#define SPL_COUNT (sizeof(SPLS) / sizeof(SPLS[0]))

/* Decimal with any number of leading zeros; never octal. */
static bool take_value(const char *text, size_t size, unsigned int max,
                       uint8_t *out)
{
    unsigned int v = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        v = v * 10 + (unsigned int)(text[i] - '0');
        if (v > max) {
            return false;
        }
    }
    *out = (uint8_t)v;
    return size > 0;
}

static bool take_parameter(const char *text, size_t size, unsigned int *seen,
                           struct kds_request *out)
{
    const char *equals = memchr(text, '=', size);
    bool turin = psp_tcb_is_turin_layout(out->generation);
    size_t name_size = equals == NULL ? size : (size_t)(equals - text);

    for (unsigned int i = 0; i < SPL_COUNT && equals != NULL; i++) {
        int at = turin ? SPLS[i].turin_byte : SPLS[i].milan_byte;

        if (!is((struct segment){text, name_size}, SPLS[i].name)) {
            continue;
        }
        if (at < 0 || (*seen & 1u << i) != 0) {
            return false;
        }
        *seen |= 1u << i;
        return take_value(equals + 1, size - name_size - 1, SPLS[i].max,
                          &out->tcb.b[at]);
    }
    return false;
}

/* Omitted parameters are 0; unknown, repeated and out-of-range ones are bad. */
static bool take_tcb(const char *query, struct kds_request *out)
{
    unsigned int seen = 0;

    memset(&out->tcb, 0, sizeof(out->tcb));
    if (query == NULL) {
        return true;
    }
    while (*query != '\0') {
        size_t size = strcspn(query, "&");

        if (!take_parameter(query, size, &seen, out)) {
            return false;
        }
        query += size;
        if (*query == '&' && *++query == '\0') {
            return false;
        }
    }
    return true;
}

/* What the last segment of /{vcek,vlek}/v1/{product}/... names. */
static unsigned int take_resource(bool vlek, struct segment last,
                                  struct kds_request *out, const char **why)
{
    unsigned int status;

    if (is(last, "cert_chain")) {
        out->kind = vlek ? KDS_VLEK_CERT_CHAIN : KDS_CERT_CHAIN;
        return HTTP_OK;
    }
    if (is(last, "crl")) {
        out->kind = KDS_CRL;
        return HTTP_OK;
    }
    if (vlek && (is(last, "cert") || is(last, "hash_sticks"))) {
        out->kind = is(last, "cert") ? KDS_VLEK : KDS_HASH_STICKS;
        return HTTP_OK;
    }
    if (vlek) {
        return HTTP_NOT_FOUND;
    }
    out->kind = KDS_VCEK;
    status = take_hwid(
        last, out->generation == PSP_TURIN ? TURIN_ID_SIZE : PSP_CHIP_ID_SIZE,
        out);
    *why = status == HTTP_BAD_REQUEST ? "hwID is not hexadecimal"
                                      : "hwID not found";
    return status;
}

/* ask_ark_{naples,rome,milan,...}.cert in the two folders where AMD had it. */
static bool route_ask_ark(const char *path, struct kds_request *out)
{
    static const char *const folders[] = {
        "/developer/eula/sev/ask_ark_",
        "/wp-content/resources/ask_ark_",
    };
    static const char *const files[PSP_GENERATION_COUNT] = {
        "naples.cert", "rome.cert", "milan.cert", "genoa.cert", "turin.cert",
    };

    for (size_t f = 0; f < sizeof(folders) / sizeof(folders[0]); f++) {
        size_t n = strlen(folders[f]);

        for (int g = 0;
             strncmp(path, folders[f], n) == 0 && g < PSP_GENERATION_COUNT;
             g++) {
            if (strcmp(path + n, files[g]) == 0) {
                out->kind = KDS_ASK_ARK;
                out->generation = (enum psp_generation)g;
                return true;
            }
        }
    }
    return false;
}

/* As many digits as GET_ID gave, which is one number or the other: the short
 * form names a chip only where the rest of the id is zero. */
static unsigned int route_cek(struct segment id, struct kds_request *out,
                              const char **why)
{
    size_t size =
        id.size == 2 * TURIN_ID_SIZE ? TURIN_ID_SIZE : PSP_CHIP_ID_SIZE;

    out->kind = KDS_CEK;
    *why = "unknown id";
    return take_hwid(id, size, out) == HTTP_OK ? HTTP_OK : HTTP_BAD_REQUEST;
}

bool kds_route_provisions(const char *path)
{
    struct segment s[4];
    size_t n = 0;

    while (n < 4 && next_segment(&path, &s[n])) {
        n++;
    }
    return *path == '\0' && n == 4 && is(s[0], "vlek") && is(s[1], "v1") &&
           (is(s[3], "cert") || is(s[3], "hash_sticks"));
}

/* Sets @out's kind whenever the path is one of the service's, so that a wrong
 * method is told before wrong parameters. */
static unsigned int route_path(const char *path, struct kds_request *out,
                               bool *known, const char **why)
{
    struct segment s[4];
    const char *rest = path;
    unsigned int status;
    size_t n = 0;
    bool vlek;

    while (n < 4 && next_segment(&rest, &s[n])) {
        n++;
    }
    *known = true;
    if (*rest == '\0' && n == 3 && is(s[0], "cek") && is(s[1], "id")) {
        return route_cek(s[2], out, why);
    }
    if (route_ask_ark(path, out)) {
        return HTTP_OK;
    }
    *known = false;
    *why = "unsupported URL";
    vlek = n > 0 && is(s[0], "vlek");
    if (*rest != '\0' || n != 4 || !(vlek || is(s[0], "vcek")) ||
        !is(s[1], "v1")) {
        return HTTP_NOT_FOUND;
    }
    if (!take_product(s[2], out)) {
        *why = "unknown product";
        return HTTP_NOT_FOUND;
    }
    status = take_resource(vlek, s[3], out, why);
    *known = status == HTTP_OK;
    return status;
}

static unsigned int take_query(const char *query, struct kds_request *out,
                               const char **why)
{
    if (out->kind == KDS_VCEK || out->kind == KDS_VLEK ||
        out->kind == KDS_HASH_STICKS) {
        *why = "bad parameter";
        return take_tcb(query, out) ? HTTP_OK : HTTP_BAD_REQUEST;
    }
    *why = "unexpected parameter";
    return query == NULL || *query == '\0' ? HTTP_OK : HTTP_BAD_REQUEST;
}

unsigned int kds_route(const char *method, const char *path, const char *query,
                       struct kds_request *out, const char **why)
{
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    bool post = strcmp(method, "POST") == 0;
    bool known = false;
    unsigned int status;

    memset(out, 0, sizeof(*out));
    status = route_path(path, out, &known, why);
    if ((!get && !post) ||
        (known && (out->kind == KDS_HASH_STICKS ? !post : !get))) {
        *why = "method not allowed";
        return HTTP_METHOD_NOT_ALLOWED;
    }
    return status == HTTP_OK ? take_query(query, out, why) : status;
}
