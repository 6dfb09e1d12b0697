/* SPDX-License-Identifier: Apache-2.0 */
#include "der.h"

#include <string.h>

#define SECONDS_PER_DAY 86400u
/* 2050-01-01: UTCTime ends. [RFC 5280 §4.1.2.5] */
#define UTC_TIME_END 2524608000u

/* Length octets of @size; returns how many. @out may be NULL. */
static size_t length_octets(size_t size, uint8_t out[9])
{
    size_t n = 0;

    if (size < 0x80) {
        out[0] = (uint8_t)size;
        return 1;
    }
    for (size_t v = size; v > 0; v >>= 8) {
        n++;
    }
    out[0] = (uint8_t)(0x80 | n);
    for (size_t i = 0; i < n; i++) {
        out[n - i] = (uint8_t)(size >> (8 * i));
    }
    return n + 1;
}

void der_raw(struct der *d, const void *data, size_t size)
{
    if (d->bad || size > d->size - d->pos) {
        d->bad = true;
        return;
    }
    if (size > 0) {
        memcpy(d->buf + d->pos, data, size);
    }
    d->pos += size;
}

static void put(struct der *d, unsigned int byte)
{
    const uint8_t b = (uint8_t)byte;

    der_raw(d, &b, 1);
}

size_t der_open(struct der *d, unsigned int tag)
{
    put(d, tag);
    put(d, 0);
    d->depth++;
    return d->pos;
}

/* The one length octet that der_open() left grows to what is needed. */
void der_close(struct der *d, size_t mark)
{
    uint8_t length[9];
    size_t size, n;

    if (d->bad || mark > d->pos || d->depth == 0) {
        d->bad = true;
        return;
    }
    d->depth--;
    size = d->pos - mark;
    n = length_octets(size, length);
    if (n - 1 > d->size - d->pos) {
        d->bad = true;
        return;
    }
    memmove(d->buf + mark + n - 1, d->buf + mark, size);
    memcpy(d->buf + mark - 1, length, n);
    d->pos += n - 1;
}

void der_value(struct der *d, unsigned int tag, const void *data, size_t size)
{
    uint8_t length[9];
    size_t n = length_octets(size, length);

    put(d, tag);
    der_raw(d, length, n);
    der_raw(d, data, size);
}

void der_integer(struct der *d, const uint8_t *be, size_t size)
{
    size_t mark;

    while (size > 0 && be[0] == 0) {
        be++;
        size--;
    }
    mark = der_open(d, DER_INTEGER);
    if (size == 0 || be[0] >= 0x80) {
        put(d, 0);
    }
    der_raw(d, be, size);
    der_close(d, mark);
}

void der_uint(struct der *d, uint64_t value)
{
    uint8_t be[8];

    for (size_t i = 0; i < sizeof(be); i++) {
        be[i] = (uint8_t)(value >> (8 * (sizeof(be) - 1 - i)));
    }
    der_integer(d, be, sizeof(be));
}

void der_true(struct der *d)
{
    der_value(d, DER_BOOLEAN, "\xff", 1);
}

void der_text(struct der *d, unsigned int tag, const char *text)
{
    der_value(d, tag, text, strlen(text));
}

static bool is_leap(unsigned int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Civil date of day number @day since 1970-01-01. */
static void civil(uint64_t day, unsigned int ymd[3])
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30,
                                     31, 31, 30, 31, 30, 31};
    unsigned int year = 1970;
    unsigned int month = 0;

    while (day >= (is_leap(year) ? 366u : 365u)) {
        day -= is_leap(year) ? 366u : 365u;
        year++;
    }
    for (;; month++) {
        unsigned int n = days[month] + (month == 1 && is_leap(year) ? 1u : 0u);

        if (day < n) {
            break;
        }
        day -= n;
    }
    ymd[0] = year;
    ymd[1] = month + 1;
    ymd[2] = (unsigned int)day + 1;
}

void der_utc_time(struct der *d, uint64_t seconds)
{
    unsigned int field[6];
    char text[13];

    if (seconds >= UTC_TIME_END) {
        d->bad = true;
        return;
    }
    civil(seconds / SECONDS_PER_DAY, field);
    field[3] = (unsigned int)(seconds / 3600 % 24);
    field[4] = (unsigned int)(seconds / 60 % 60);
    field[5] = (unsigned int)(seconds % 60);
    for (size_t i = 0; i < 6; i++) {
        text[2 * i] = (char)('0' + field[i] % 100 / 10);
        text[2 * i + 1] = (char)('0' + field[i] % 10);
    }
    text[12] = 'Z';
    der_value(d, DER_UTC_TIME, text, sizeof(text));
}

void der_bit_string(struct der *d, const void *data, size_t size)
{
    size_t mark = der_open(d, DER_BIT_STRING);

    put(d, 0); /* unused bits */
    der_raw(d, data, size);
    der_close(d, mark);
}

bool der_done(const struct der *d)
{
    return !d->bad && d->depth == 0;
}
