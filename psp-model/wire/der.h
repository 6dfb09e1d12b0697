/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A small DER writer. It writes forward into a buffer of the caller; a
 * constructed value is opened, filled and closed, and gets its length when it
 * is closed. When the buffer is too small, or a value cannot be encoded,
 * @bad is latched and nothing more is written: check der_done() once.
 *
 * There is no reader: the model never parses DER, except RSA private keys,
 * which crypto/rsa.h reads.
 * Spec: [X.690], [RFC 5280 §4.1.2.5] (times).
 */
#ifndef WIRE_DER_H
#define WIRE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Identifier octets. */
enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};
/** Context-specific tag @n (0 to 30): primitive [n] and constructed [n]. */
#define DER_CONTEXT(n)             (0x80u | (n))
#define DER_CONTEXT_CONSTRUCTED(n) (0xa0u | (n))

struct der {
    uint8_t *buf;
    size_t size;
    size_t pos;   /* bytes written */
    size_t depth; /* values open */
    bool bad;
};

static inline struct der der(uint8_t *buf, size_t size)
{
    return (struct der){.buf = buf, .size = size};
}

/** Begin a constructed value; the mark goes to der_close(). Marks close in the
 * reverse order of opening. */
size_t der_open(struct der *d, unsigned int tag);
void der_close(struct der *d, size_t mark);

/** Bytes as they are, without tag: values that are encoded already. */
void der_raw(struct der *d, const void *data, size_t size);
/** A primitive value of any tag. */
void der_value(struct der *d, unsigned int tag, const void *data, size_t size);

/** INTEGER of an unsigned big-endian number; leading zeros are dropped, the
 * sign byte is added. No bytes at all means 0. */
void der_integer(struct der *d, const uint8_t *be, size_t size);
void der_uint(struct der *d, uint64_t value);
/** BOOLEAN TRUE; FALSE is a DEFAULT wherever this project meets it. */
void der_true(struct der *d);
/** String of type @tag; @text without its NUL. The alphabet is not checked. */
void der_text(struct der *d, unsigned int tag, const char *text);
/** UTCTime of @seconds since the epoch, YYMMDDhhmmssZ. Latches @bad for years
 * before 1970 or after 2049. */
void der_utc_time(struct der *d, uint64_t seconds);
/** BIT STRING of whole bytes. */
void der_bit_string(struct der *d, const void *data, size_t size);

/** True if everything was written and every value was closed. */
bool der_done(const struct der *d);

#endif
