/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_evidence.h"

#include "wire.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum psp_generation generation;
} DEVICES[AEB_DEVICE_COUNT] = {
    [AEB_ROME] = {"AmdRome", PSP_ROME},
    [AEB_NAPLES] = {"AmdNaples", PSP_NAPLES},
    [AEB_MILAN] = {"AmdMilan", PSP_MILAN},
    [AEB_UNKNOWN] = {"Unknown", PSP_GENERATION_COUNT},
};

enum aeb_type aeb_device_of(enum psp_generation generation)
{
    for (enum aeb_type d = AEB_ROME; d < AEB_UNKNOWN; d++) {
        if (DEVICES[d].generation == generation) {
            return d;
        }
    }
    return AEB_UNKNOWN;
}

enum psp_generation aeb_device_generation(enum aeb_type device)
{
    return (unsigned int)device < AEB_DEVICE_COUNT ? DEVICES[device].generation
                                                   : PSP_GENERATION_COUNT;
}

const char *aeb_device_name(enum aeb_type device)
{
    return DEVICES[(unsigned int)device < AEB_DEVICE_COUNT ? device
                                                           : AEB_UNKNOWN]
        .name;
}

enum psp_err aeb_packed_decode(const uint8_t *data, size_t size,
                               struct aeb_evidence *out)
{
    struct psp_rd r = psp_rd(data, size);

    memset(out, 0, sizeof(*out));
    psp_rd_bytes(&r, out->report, sizeof(out->report));
    psp_rd_bytes(&r, out->cek, sizeof(out->cek));
    psp_rd_bytes(&r, out->pek, sizeof(out->pek));
    psp_rd_bytes(&r, out->oca, sizeof(out->oca));
    out->typed = psp_rd_left(&r) > 0;
    if (out->typed) {
        out->device = psp_rd_u8(&r);
    }
    return psp_rd_done(&r) ? PSP_OK : PSP_E_FORMAT;
}

size_t aeb_packed_encode(const struct aeb_evidence *ev,
                         uint8_t out[AEB_PACKED_TYPED_SIZE])
{
    struct psp_wr w = psp_wr(out, AEB_PACKED_TYPED_SIZE);

    psp_wr_bytes(&w, ev->report, sizeof(ev->report));
    psp_wr_bytes(&w, ev->cek, sizeof(ev->cek));
    psp_wr_bytes(&w, ev->pek, sizeof(ev->pek));
    psp_wr_bytes(&w, ev->oca, sizeof(ev->oca));
    if (ev->typed) {
        psp_wr_u8(&w, ev->device);
    }
    return w.pos;
}

/* ---- JSON ---- */

static void put_text(struct psp_wr *w, const char *text)
{
    psp_wr_bytes(w, text, strlen(text));
}

static void put_number(struct psp_wr *w, const char *key, uint32_t v)
{
    char text[32];

    snprintf(text, sizeof(text), "%s%" PRIu32, key, v);
    put_text(w, text);
}

#define ZEROS      16u
#define ZEROS_TEXT "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"

/* "N," at @out; returns its end. There are thousands in a text, most of them
 * zeros in a row. */
static char *add_byte(char *out, uint8_t v)
{
    if (v >= 100) {
        *out++ = (char)('0' + v / 100);
    }
    if (v >= 10) {
        *out++ = (char)('0' + v / 10 % 10);
    }
    *out++ = (char)('0' + v % 10);
    *out++ = ',';
    return out;
}

/* @data is not empty. */
static void put_array(struct psp_wr *w, const char *key, const uint8_t *data,
                      size_t size)
{
    char text[4 * SEV_CERT_SIZE];
    static const uint8_t none[ZEROS];
    char *end = text;

    assert(size <= SEV_CERT_SIZE);
    for (size_t i = 0; i < size;) {
        if (size - i >= ZEROS && memcmp(data + i, none, ZEROS) == 0) {
            memcpy(end, ZEROS_TEXT, 2 * ZEROS);
            end += 2 * ZEROS;
            i += ZEROS;
        } else {
            end = add_byte(end, data[i++]);
        }
    }
    end[-1] = ']';
    put_text(w, key);
    psp_wr_bytes(w, text, (size_t)(end - text));
}

static void put_report(struct psp_wr *w, const uint8_t *report)
{
    struct psp_rd r = psp_rd(report, SEV_REPORT_SIZE);
    const size_t sig = 2 * SEV_CERT_NUM_SIZE;

    put_array(w, "{\"monce\":[", psp_rd_view(&r, SEV_MNONCE_SIZE),
              SEV_MNONCE_SIZE);
    put_array(w, ",\"launch_digest\":[", psp_rd_view(&r, SEV_DIGEST_SIZE),
              SEV_DIGEST_SIZE);
    put_number(w, ",\"policy\":", psp_rd_le32(&r));
    put_number(w, ",\"sig_usage\":", psp_rd_le32(&r));
    put_number(w, ",\"sig_algo\":", psp_rd_le32(&r));
    put_number(w, ",\"reserved\":", psp_rd_le32(&r));
    put_array(w, ",\"sig1\":[", psp_rd_view(&r, sig), sig);
    put_text(w, "}");
}

size_t aeb_json_encode(const struct aeb_evidence *ev, char *out, size_t room)
{
    struct psp_wr w = psp_wr(out, room);

    put_text(&w, "{\"report\":");
    put_report(&w, ev->report);
    put_array(&w, ",\"cek\":[", ev->cek, sizeof(ev->cek));
    put_array(&w, ",\"pek\":[", ev->pek, sizeof(ev->pek));
    put_array(&w, ",\"oca\":[", ev->oca, sizeof(ev->oca));
    if (ev->typed) {
        put_text(&w, ",\"device_type\":\"");
        put_text(&w, aeb_device_name((enum aeb_type)ev->device));
        put_text(&w, "\"");
    }
    put_text(&w, "}");
    return w.pos;
}

enum psp_err aeb_evidence_decode(const uint8_t *data, size_t size,
                                 struct aeb_evidence *out, char *why)
{
    enum psp_err err;

    /* A packed one begins with a nonce, which may well look like text. */
    if (size != AEB_PACKED_SIZE && size != AEB_PACKED_TYPED_SIZE) {
        return aeb_json_decode((const char *)data, size, out, why);
    }
    err = aeb_packed_decode(data, size, out);
    if (err != PSP_OK) {
        snprintf(why, AEB_WHY_SIZE, "neither %u nor %u bytes", AEB_PACKED_SIZE,
                 AEB_PACKED_TYPED_SIZE);
    }
    return err;
}
